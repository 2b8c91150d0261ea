"""Figures for forecasting out of the warehouse, forecasts into it: columns, not rows.

Belongs here: the versions of an indicator's figures as arrays, writing a table from arrays. Does not
belong here: forecasting (``methods``) or which indicators are forecast (``assets/indicators``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from warehouse import schema, store

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Versions:
    """Versions of one indicator's figures: parallel arrays sorted by (known_from, park, period).

    ``parks`` ids ascending; ``unit`` position in it; ``month`` 1..12; ``known`` origin (year·12 +
    month) from which the version is seen; ``first`` True for the first release; ``value`` NaN where
    the version says nothing.
    """

    parks: tuple[str, ...]
    unit: Any
    year: Any
    month: Any
    known: Any
    first: Any
    value: Any


def versions(
    connection: duckdb.DuckDBPyConnection,
    indicator_id: str,
    measure: str,
    *,
    period: str,
    first_year: int,
    asof: str,
) -> Versions:
    """Versions of ``indicator_id`` in ``measure`` from January of ``first_year`` to ``period``."""
    store.run_script(
        connection,
        "nowcast__vintages",
        {
            "indicator": indicator_id,
            "measure": measure,
            "asof": asof,
            "first": first_year,
            "last": int(period.replace("-", "")),
        },
    )
    parks = connection.execute(
        "SELECT DISTINCT park_id FROM nowcast_version ORDER BY park_id"
    ).fetchall()
    columns = connection.execute(
        """
        SELECT dense_rank() OVER (ORDER BY park_id) - 1 AS unit, year, month, known, version = 1 AS first,
            coalesce(value, 'nan'::DOUBLE) AS value
        FROM nowcast_version
        ORDER BY known_from, park_id, year, month, version
        """
    ).fetchnumpy()
    connection.execute("DROP TABLE nowcast_version")
    return Versions(parks=tuple(park for (park,) in parks), **columns)


def write_columns(
    connection: duckdb.DuckDBPyConnection, full_name: str, columns: Mapping[str, Any]
) -> int:
    """Append arrays (by column name, one length) to a dictionary table; NaN becomes empty, floats
    are rounded to the 8 decimals of VALUE columns. Columns not given stay empty."""
    import pyarrow as pa

    arrays = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    incoming = pa.table(arrays)  # DuckDB finds it under this name
    exact = {
        column.name for column in schema.table(full_name).columns if column.type == schema.VALUE
    }
    names = [column.name for column in schema.table(full_name).columns if column.name in arrays]
    terms = [
        f"round({name}::DOUBLE, 8)::{schema.VALUE} AS {name}" if name in exact else name
        for name in names
    ]
    connection.execute(
        f"INSERT INTO {full_name} ({', '.join(names)}) SELECT {', '.join(terms)} FROM incoming"
    )
    return int(incoming.num_rows)


def keep_log(connection: duckdb.DuckDBPyConnection, period: str, asof: str) -> None:
    """Keep the nowcasts of ``period`` in the log, under the time up to which figures were known.

    What was said once stays: a repeated run on the same figures writes the same rows again, a run on
    newer figures adds its own.
    """
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE nowcast_until AS
        SELECT max(known_from) AS known_until FROM internal.observation_fact
        WHERE known_from <= $1::TIMESTAMP AND period <= replace($2, '-', '')::INTEGER
        """,
        [asof, period],
    )
    connection.execute(
        "DELETE FROM internal.forecast_log WHERE asof_period = ? "
        "AND known_until = (SELECT known_until FROM nowcast_until)",
        [period],
    )
    connection.execute(
        """
        INSERT INTO internal.forecast_log
        SELECT park_id, indicator_id, year, asof_period, known_until,
            p05, p10, p50, p90, p95, point, method, calibrated
        FROM indicators.nowcast, nowcast_until
        WHERE asof_period = ?
        ORDER BY indicator_id, park_id
        """,
        [period],
    )
    connection.execute("DROP TABLE nowcast_until")


def record_is_due(connection: duckdb.DuckDBPyConnection, year: int) -> bool:
    """Whether the record of the years before ``year`` is missing or rests on changed figures."""
    (changed,) = connection.execute(
        "SELECT count(*) FROM internal.affected_period WHERE left(period, 4)::INTEGER < ?", [year]
    ).fetchone() or (0,)
    (there,) = connection.execute(
        "SELECT count(*) FROM indicators.track_record WHERE year = ?", [year]
    ).fetchone() or (0,)
    return bool(changed) or not there


def log_scores(connection: duckdb.DuckDBPyConnection, period: str) -> list[dict[str, Any]]:
    """How published forecasts came out, by year and month, years over before ``period`` only: their
    number, share (%) inside the central 80 and 90 % intervals, mean absolute error (%). The first
    forecast published for a month counts, the outcome is the newest figure of the year."""
    return store.fetch(
        connection,
        """
        WITH said AS (
            FROM internal.forecast_log
            WHERE year < left($1, 4)::INTEGER AND calibrated
            QUALIFY row_number() OVER (
                PARTITION BY park_id, indicator_id, asof_period ORDER BY known_until
            ) = 1
        )

        SELECT
            said.year,
            right(said.asof_period, 2)::INTEGER AS month,
            count(*) AS n,
            100 * avg((came.value_ytd BETWEEN said.p10 AND said.p90)::INTEGER) AS covered_80,
            100 * avg((came.value_ytd BETWEEN said.p05 AND said.p95)::INTEGER) AS covered_90,
            100 * avg(abs(said.point::DOUBLE / came.value_ytd::DOUBLE - 1)) AS mape
        FROM said
        JOIN indicators.park_month AS came
            ON came.park_id = said.park_id AND came.indicator_id = said.indicator_id
            AND came.period = said.year || '-12' AND came.value_ytd > 0
        GROUP BY ALL
        ORDER BY ALL
        """,
        [period],
    )
