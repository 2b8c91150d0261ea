"""Derivations inside the warehouse: versions, vintages, park-month, park-year and area values.

Belongs here: running the SQL models of those tables for the periods that changed. Does not belong
here: the models' text (``warehouse/sql``), the catalogue's formulas (``formulas``) or any judgement
of a figure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse import formulas, partitions, shares, store
from warehouse.formulas import FormulaIndicator

if TYPE_CHECKING:
    import duckdb


def mark_affected(connection: duckdb.DuckDBPyConnection, periods: Iterable[str]) -> None:
    """Add periods whose figures have to be derived anew in this build."""
    for period in sorted(set(periods)):
        connection.execute(
            "INSERT INTO internal.affected_period SELECT $1 WHERE NOT EXISTS "
            "(SELECT 1 FROM internal.affected_period WHERE period = $1)",
            [period],
        )


def mark_all_affected(connection: duckdb.DuckDBPyConnection) -> None:
    """Derive everything anew: the rules or the point of view in time have changed."""
    connection.execute("DELETE FROM internal.affected_period")
    connection.execute(
        "INSERT INTO internal.affected_period SELECT DISTINCT period FROM submissions.cell "
        "WHERE period IS NOT NULL UNION SELECT DISTINCT period FROM indicators.park_month"
    )


def digest_of_models() -> str:
    """SHA-256 over the text that derives figures: SQL models, their order, formulas. What an earlier
    program kept is derived anew by one whose models differ, or one table would mix the two."""
    texts = [*sorted(store.SQL_FOLDER.glob("*.sql")), Path(__file__), Path(formulas.__file__)]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in texts)).hexdigest()


def refresh_versions(connection: duckdb.DuckDBPyConnection) -> None:
    """Version numbers and superseded marks of submissions."""
    store.run_script(connection, "submissions__versions")


def refresh_observations(connection: duckdb.DuckDBPyConnection) -> None:
    """Vintages of the affected periods, from accepted cells."""
    store.run_script(connection, "observations__refresh")
    store.run_script(connection, "observations__keep")
    _replace_affected(connection, "observations.revision", "period", "affected_period")
    store.run_script(connection, "observations__revision_sums")
    changed = connection.execute("SELECT period FROM internal.affected_period").fetchall()
    partitions.touch(connection, "observations.observation", (row[0] for row in changed))


def refresh_park_month(
    connection: duckdb.DuckDBPyConnection,
    indicators: Sequence[FormulaIndicator],
    *,
    asof: str,
    first_month: int,
    facts_at_once: int = shares.FACTS_AT_ONCE,
) -> None:
    """indicators.park_month of the affected periods and of those that rest on them."""
    mark_following(connection)
    derive_park_month(
        connection,
        indicators,
        asof=asof,
        first_month=first_month,
        facts_at_once=facts_at_once,
    )


def mark_following(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the periods that rest on affected ones: later periods of the same year (sums,
    differences), the same periods one year later (growth) and two years later (two-year averages).
    """
    connection.execute(
        """
        INSERT INTO internal.affected_period
        WITH follows AS (
            SELECT DISTINCT later.period
            FROM (SELECT DISTINCT period FROM indicators.park_month) AS later
            JOIN internal.affected_period AS changed
                ON later.period >= changed.period
                AND left(later.period, 4)::INTEGER - left(changed.period, 4)::INTEGER IN (0, 1, 2)
        )
        SELECT period FROM follows WHERE period NOT IN (FROM internal.affected_period)
        """
    )


def derive_park_month(
    connection: duckdb.DuckDBPyConnection,
    indicators: Sequence[FormulaIndicator],
    *,
    asof: str,
    first_month: int,
    facts_at_once: int = shares.FACTS_AT_ONCE,
) -> None:
    """indicators.park_month of exactly the affected periods, share of parks by share."""
    read = what_is_read(connection, indicators)
    store.run_script(connection, "indicators__said_period", {"asof": asof, **read})
    months_of_shares(
        connection,
        indicators,
        asof=asof,
        first_month=first_month,
        facts_at_once=facts_at_once,
    )


def months_of_shares(
    connection: duckdb.DuckDBPyConnection,
    indicators: Sequence[FormulaIndicator],
    *,
    asof: str,
    first_month: int,
    facts_at_once: int = shares.FACTS_AT_ONCE,
    parks: str | None = None,
) -> None:
    """The same, once the periods anything is known of stand in the temporary table ``said_period``;
    ``parks``: a SELECT of the parks to derive, all when None."""
    ordered = formulas.in_order(indicators)
    stocks = {i.indicator_id for i in indicators if i.over_time == "last"}
    read = what_is_read(connection, indicators)
    values = {"asof": asof, "first_month": first_month, **read}
    name = "indicators.park_month"
    store.run_script(connection, "indicators__kept_growth")
    _delete_affected(connection, name, "period", "affected_period")
    for _ in shares.of_parks(connection, read, facts_at_once, parks):
        with store.as_written(connection):
            store.run_script(connection, "indicators__month_path", values)
        for indicator in ordered:
            formulas.add_month(connection, indicator, stocks)
        connection.execute(f"INSERT INTO {name} BY NAME {store.model_select(name)}")
    connection.execute("DROP TABLE month_path")
    _touch_affected(connection, name, "period", "affected_period")


def what_is_read(
    connection: duckdb.DuckDBPyConnection, indicators: Sequence[FormulaIndicator]
) -> dict[str, object]:
    """The figures park-months of the affected periods rest on: the years back, the months of a year
    (those derived and the ones before them, for differences), and the indicators of which every
    month counts (sums, means, stocks a formula carries forward). A formula that looks back by
    months wants all months of all."""
    ordered = formulas.in_order(indicators)
    rows = connection.execute(
        "SELECT DISTINCT right(period, 2)::INTEGER FROM internal.affected_period"
    )
    months = {int(row[0]) for row in rows.fetchall()}
    months |= {month - 1 for month in months if month > 1}
    if any(back % 12 for back in formulas.months_back(ordered)):
        months = set(range(1, 13))
    named = formulas.named(ordered)
    every_month = {
        i.indicator_id
        for i in indicators
        if i.over_time not in ("ytd", "last") or (i.over_time == "last" and i.indicator_id in named)
    }
    return {
        "years_back": 1 + formulas.years_back(ordered),
        "months": sorted(months),
        "every_month": sorted(every_month),
    }


def replace_park_month(connection: duckdb.DuckDBPyConnection, rows: str) -> None:
    """indicators.park_month of the affected periods by the rows of a SELECT: derived elsewhere."""
    name = "indicators.park_month"
    _delete_affected(connection, name, "period", "affected_period")
    connection.execute(
        f"INSERT INTO {name} BY NAME SELECT * FROM ({rows}) ORDER BY period, park_id, indicator_id"
    )
    _touch_affected(connection, name, "period", "affected_period")


def refresh_park_year(
    connection: duckdb.DuckDBPyConnection,
    period: str,
    *,
    each_month: bool,
    facts_at_once: int = shares.FACTS_AT_ONCE,
) -> None:
    """indicators.park_year: the run's period, the newest period of every other affected year, and
    every row already kept that an affected period feeds; with ``each_month`` also the earlier
    periods of this and last year (ranks of a month are compared with the months before, goalposts
    are frozen from the same month of last year)."""
    connection.execute("DELETE FROM internal.affected_asof")
    connection.execute(
        """
        INSERT INTO internal.affected_asof
        SELECT left($1, 4)::INTEGER, $1
        UNION
        SELECT left(period, 4)::INTEGER AS year, max(period)
        FROM (
            SELECT period FROM indicators.park_month UNION SELECT period FROM dims.entered_figure
        )
        WHERE left(period, 4) IN (SELECT left(period, 4) FROM internal.affected_period)
            AND left(period, 4) <> left($1, 4)
        GROUP BY year
        UNION
        SELECT DISTINCT kept.year, kept.asof_period
        FROM indicators.park_year AS kept
        JOIN internal.affected_period AS changed
            ON left(changed.period, 4)::INTEGER = kept.year AND changed.period <= kept.asof_period
        UNION
        SELECT DISTINCT left(period, 4)::INTEGER, period
        FROM indicators.park_month
        WHERE $2 AND left($1, 4)::INTEGER - left(period, 4)::INTEGER IN (0, 1) AND period < $1
            AND period NOT IN (SELECT asof_period FROM indicators.park_year)
        """,
        [period, each_month],
    )
    for _ in shares.of_moments(connection, facts_at_once):
        _replace_affected(connection, "indicators.park_year", "asof_period", "affected_asof")


def refresh_area_year(
    connection: duckdb.DuckDBPyConnection,
    indicators: Sequence[FormulaIndicator],
    *,
    asof: str = store.FAR_FUTURE,
) -> None:
    """indicators.area_year of the same periods; ratios recomputed from area sums, never averaged."""
    store.run_script(connection, "indicators__area_year_parts", {"asof": asof})
    ordered = {i.indicator_id: i for i in formulas.in_order(indicators)}
    for indicator in ordered.values():
        formulas.add_area(connection, indicator, ordered)
    connection.execute(
        "DELETE FROM indicators.area_year "
        "WHERE asof_period IN (SELECT asof_period FROM internal.affected_asof)"
    )
    connection.execute(
        "INSERT INTO indicators.area_year BY NAME SELECT * FROM area_path "
        "ORDER BY asof_period, area_code, scope, indicator_id"
    )
    changed = connection.execute("SELECT asof_period FROM internal.affected_asof").fetchall()
    partitions.touch(connection, "indicators.area_year", (row[0] for row in changed))


def refresh_coverage(connection: duckdb.DuckDBPyConnection) -> None:
    """indicators.coverage of the same periods: every indicator, and what it waits for."""
    _replace_affected(connection, "indicators.coverage", "asof_period", "affected_asof")


def refresh_calendar(connection: duckdb.DuckDBPyConnection) -> None:
    """dims.calendar of the periods seen so far."""
    connection.execute("DELETE FROM dims.calendar")
    connection.execute(f"INSERT INTO dims.calendar BY NAME {store.model_select('dims.calendar')}")


def _replace_affected(
    connection: duckdb.DuckDBPyConnection,
    full_name: str,
    column: str,
    list_name: str,
    of: str | None = None,
) -> None:
    """Replace the rows whose ``column`` is in an internal list by what the model computes. The model
    does not read the table itself."""
    _delete_affected(connection, full_name, of or column, list_name, column)
    connection.execute(f"INSERT INTO {full_name} BY NAME {store.model_select(full_name)}")
    _touch_affected(connection, full_name, of or column, list_name)


def _delete_affected(
    connection: duckdb.DuckDBPyConnection,
    full_name: str,
    of: str,
    list_name: str,
    column: str | None = None,
) -> None:
    connection.execute(
        f"DELETE FROM {full_name} WHERE {column or of} IN (SELECT {of} FROM internal.{list_name})"
    )


def _touch_affected(
    connection: duckdb.DuckDBPyConnection, full_name: str, of: str, list_name: str
) -> None:
    changed = connection.execute(f"SELECT {of} FROM internal.{list_name}").fetchall()
    partitions.touch(connection, full_name, (row[0] for row in changed))
