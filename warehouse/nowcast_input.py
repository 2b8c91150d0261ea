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
    exact = {column.name for column in schema.table(full_name).columns if column.type == schema.VALUE}
    names = [column.name for column in schema.table(full_name).columns if column.name in arrays]
    terms = [
        f"round({name}::DOUBLE, 8)::{schema.VALUE} AS {name}" if name in exact else name
        for name in names
    ]
    connection.execute(
        f"INSERT INTO {full_name} ({', '.join(names)}) SELECT {', '.join(terms)} FROM incoming"
    )
    return int(incoming.num_rows)
