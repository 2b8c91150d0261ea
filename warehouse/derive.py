"""Derivations inside the warehouse: versions, vintages, park-month, park-year and area values.

Belongs here: running the SQL models of those tables for the periods that changed, and compiling the
catalogue's formulas into them. Does not belong here: the models' text (``warehouse/sql``) or any
judgement of a figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from warehouse import partitions, store
from warehouse.catalog import expression

if TYPE_CHECKING:
    import duckdb


class FormulaIndicator(Protocol):
    """What a derivation needs to know of an indicator."""

    @property
    def indicator_id(self) -> str:
        """Catalogue id."""
        ...

    @property
    def formula(self) -> str | None:
        """Expression over other indicators."""
        ...

    @property
    def over_time(self) -> str:
        """How months make a year."""
        ...

    @property
    def aggregation(self) -> str:
        """How parks make an area."""
        ...


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


def refresh_versions(connection: duckdb.DuckDBPyConnection) -> None:
    """Version numbers and superseded marks of submissions."""
    store.run_script(connection, "submissions__versions")


def refresh_observations(connection: duckdb.DuckDBPyConnection) -> None:
    """Vintages of the affected periods, from accepted cells."""
    store.run_script(connection, "observations__refresh")
    _replace_affected(connection, "observations.revision", "period", "affected_period")
    changed = connection.execute("SELECT period FROM internal.affected_period").fetchall()
    partitions.touch(connection, "observations.observation", (row[0] for row in changed))


def refresh_park_month(
    connection: duckdb.DuckDBPyConnection,
    indicators: Sequence[FormulaIndicator],
    *,
    asof: str,
    first_month: int,
) -> None:
    """indicators.park_month of the affected periods and of those that rest on them: later periods
    of the same year (sums, differences), the same periods a year later (growth)."""
    connection.execute(
        """
        INSERT INTO internal.affected_period
        WITH follows AS (
            SELECT DISTINCT later.period
            FROM indicators.park_month AS later
            JOIN internal.affected_period AS changed
                ON later.period >= changed.period
                AND left(later.period, 4)::INTEGER - left(changed.period, 4)::INTEGER IN (0, 1)
        )
        SELECT period FROM follows WHERE period NOT IN (FROM internal.affected_period)
        """
    )
    store.run_script(
        connection, "indicators__month_path", {"asof": asof, "first_month": first_month}
    )
    for indicator in formulas_in_order(indicators):
        _add_month_formula(connection, indicator)
    _replace_affected(connection, "indicators.park_month", "period", "affected_period", "period")


def refresh_park_year(
    connection: duckdb.DuckDBPyConnection, period: str, *, each_month: bool
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
        FROM indicators.park_month
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
    _replace_affected(connection, "indicators.park_year", "asof_period", "affected_asof")


def refresh_area_year(
    connection: duckdb.DuckDBPyConnection, indicators: Sequence[FormulaIndicator]
) -> None:
    """indicators.area_year of the same periods; ratios recomputed from area sums, never averaged."""
    store.run_script(connection, "indicators__area_year_parts")
    formulas = {i.indicator_id: i for i in formulas_in_order(indicators)}
    for indicator in formulas.values():
        _add_area_formula(connection, indicator, formulas)
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
    """Replace the rows whose ``column`` is in an internal list by what the model computes."""
    select = store.model_select(full_name)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE rebuilt AS {select}")
    connection.execute(
        f"DELETE FROM {full_name} WHERE {column} IN "
        f"(SELECT {of or column} FROM internal.{list_name})"
    )
    connection.execute(f"INSERT INTO {full_name} BY NAME SELECT * FROM rebuilt")
    connection.execute("DROP TABLE rebuilt")
    changed = connection.execute(f"SELECT {of or column} FROM internal.{list_name}").fetchall()
    partitions.touch(connection, full_name, (row[0] for row in changed))


# --- formulas -------------------------------------------------------------------------------------


def formulas_in_order(indicators: Sequence[FormulaIndicator]) -> list[FormulaIndicator]:
    """Formula indicators, each after those its formula names (the catalogue refuses cycles)."""
    waiting = {i.indicator_id: i for i in indicators if i.over_time == "formula" and i.formula}
    ordered: list[FormulaIndicator] = []
    while waiting:
        ready = [i for i in waiting.values() if not _parts(i) & (waiting.keys() - {i.indicator_id})]
        if not ready:
            raise ValueError(f"formulas refer to each other in a circle: {sorted(waiting)}")
        for indicator in sorted(ready, key=lambda i: i.indicator_id):
            ordered.append(waiting.pop(indicator.indicator_id))
    return ordered


def _parts(indicator: FormulaIndicator) -> frozenset[str]:
    return expression.identifiers(expression.parse(indicator.formula or ""))


def _formula_sql(indicator: FormulaIndicator, column: Callable[[str], str]) -> str:
    """The formula as SQL over one column per part; computed in DOUBLE, kept to 8 decimals."""
    tree = expression.parse(indicator.formula or "")
    sql = expression.to_sql(tree, lambda name: column(name.identifier))
    return f"round(({sql})::DOUBLE, 8)::DECIMAL(28, 8)"


def _part_columns(parts: Iterable[str], figures: Sequence[str]) -> str:
    return ", ".join(
        f"max({figure}::DOUBLE) FILTER (WHERE indicator_id = '{part}') AS \"{part}:{figure}\""
        for part in sorted(parts)
        for figure in figures
    )


def _add_month_formula(connection: duckdb.DuckDBPyConnection, indicator: FormulaIndicator) -> None:
    figures = ("value_ytd", "value_month", "value_prior")
    parts = _parts(indicator)
    computed = ", ".join(
        f"{_formula_sql(indicator, _column_of(figure))} AS {figure}" for figure in figures
    )
    names = ", ".join(f"'{part}'" for part in sorted(parts))
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE formula_value AS
        SELECT park_id, period, year, month, maturity, n_months, {computed}
        FROM (
            SELECT park_id, period, year, month, max(maturity) AS maturity,
                   min(n_months) AS n_months, {_part_columns(parts, figures)}
            FROM month_path WHERE indicator_id IN ({names})
            GROUP BY park_id, period, year, month
        )
        """
    )
    # A computed ratio wins over a reported one; the reported one stays where parts are missing.
    connection.execute(
        """
        UPDATE month_path SET
            value_ytd = coalesce(formula_value.value_ytd, month_path.value_ytd),
            value_prior = coalesce(formula_value.value_prior, month_path.value_prior),
            state = CASE WHEN formula_value.value_ytd IS NOT NULL THEN 'reported'
                         WHEN month_path.value_ytd IS NULL THEN 'not_applicable'
                         ELSE month_path.state END
        FROM formula_value
        WHERE month_path.indicator_id = $1 AND month_path.park_id = formula_value.park_id
            AND month_path.period = formula_value.period
        """,
        [indicator.indicator_id],
    )
    connection.execute(
        """
        INSERT INTO month_path BY NAME
        SELECT park_id, $1 AS indicator_id, period, year, month, 'formula' AS over_time,
               value_ytd, value_month, value_prior,
               CASE WHEN value_ytd IS NULL THEN 'not_applicable' ELSE 'reported' END AS state,
               maturity, n_months
        FROM formula_value
        ANTI JOIN (SELECT park_id, period FROM month_path WHERE indicator_id = $1)
            USING (park_id, period)
        """,
        [indicator.indicator_id],
    )


def _column_of(figure: str) -> Callable[[str], str]:
    return lambda part: f'"{part}:{figure}"'


def _add_area_formula(
    connection: duckdb.DuckDBPyConnection,
    indicator: FormulaIndicator,
    formulas: Mapping[str, FormulaIndicator],
) -> None:
    """Ratio of sums over the parks that have every part, so that both sides count the same parks."""
    leaves = sorted(_leaves(indicator, formulas))
    figures = ("value", "value_prior")
    keys = "area_code, area_level, scope, year, asof_period"
    sums, known = [], {}
    for figure in figures:
        known[figure] = " AND ".join(f'"{leaf}:{figure}" IS NOT NULL' for leaf in leaves)
        for leaf in leaves:
            column = f'"{leaf}:{figure}"'
            sums.append(f"sum({column}) FILTER (WHERE {known[figure]}) AS {column}")
    computed = ", ".join(
        f"{_expanded_sql(indicator, formulas, _column_of(figure))} AS {figure}"
        for figure in figures
    )
    names = ", ".join(f"'{leaf}'" for leaf in leaves)
    connection.execute(
        f"""
        INSERT INTO area_path BY NAME
        WITH park_parts AS (
            SELECT figure.park_id, figure.asof_period, {_year_columns(leaves)}
            FROM indicators.park_year AS figure
            LEFT JOIN indicators.park_month AS month
                ON month.park_id = figure.park_id AND month.period = figure.asof_period
                AND month.indicator_id = figure.indicator_id
            WHERE figure.indicator_id IN ({names})
            GROUP BY figure.park_id, figure.asof_period
        ),
        summed AS (
            SELECT {keys}, count(*)::INTEGER AS n_parks,
                   (count(*) FILTER (WHERE {known["value"]}))::INTEGER AS n_reported,
                   {", ".join(sums)}
            FROM area_member LEFT JOIN park_parts USING (park_id, asof_period)
            GROUP BY {keys}
        )
        SELECT {keys}, '{indicator.indicator_id}' AS indicator_id, value, value_prior,
               CASE WHEN value_prior > 0
                    THEN round(100 * (value::DOUBLE / value_prior::DOUBLE - 1), 8)
               END::DECIMAL(28, 8) AS yoy_pct,
               n_parks, n_reported
        FROM (SELECT {keys}, n_parks, n_reported, {computed} FROM summed)
        WHERE value IS NOT NULL
        """
    )


def _leaves(
    indicator: FormulaIndicator, formulas: Mapping[str, FormulaIndicator]
) -> frozenset[str]:
    """Reported indicators a formula rests on, through the formulas it names."""
    found: set[str] = set()
    for part in _parts(indicator):
        found |= _leaves(formulas[part], formulas) if part in formulas else {part}
    return frozenset(found)


def _expanded_sql(
    indicator: FormulaIndicator,
    formulas: Mapping[str, FormulaIndicator],
    column: Callable[[str], str],
) -> str:
    """The formula over leaf columns: a formula it names is computed from the same sums."""

    def resolve(part: str) -> str:
        if part not in formulas:
            return column(part)
        return f"({_expanded_sql(formulas[part], formulas, column)})"

    return _formula_sql(indicator, resolve)


def _year_columns(leaves: Iterable[str]) -> str:
    return ", ".join(
        f"max({source}::DOUBLE) FILTER (WHERE figure.indicator_id = '{leaf}') AS \"{leaf}:{name}\""
        for leaf in leaves
        for name, source in (("value", "figure.value"), ("value_prior", "month.value_prior"))
    )
