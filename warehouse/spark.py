"""The warehouse's SQL models on a Spark cluster: same text, translated by SQLGlot.

Belongs here: translating a model from DuckDB's SQL to Spark's, and running it over Parquet files of the
tables it reads. Does not belong here: the models themselves (``warehouse/sql``); there is no second
text of any rule. What was found to run and to give equal rows is in ``RUNS``; docs/distributed.md says
why the others do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warehouse import store

RUNS = (
    "dims.calendar",
    "indicators.park_month",
    "indicators.park_year",
    "indicators.coverage",
)
"""Models whose rows on Spark equal DuckDB's (tests/integration/test_spark.py)."""

SESSION = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}
"""Settings a session needs to reckon like DuckDB: errors instead of NULL, UTC, exact decimals."""


def translated(full_name: str) -> str:
    """The model of a table in Spark's SQL. Needs SQLGlot (the optional component ``spark``).

    Raises sqlglot.errors.UnsupportedError where Spark has no word for something.
    """
    import sqlglot

    [sql] = sqlglot.transpile(
        store.model_select(full_name),
        read="duckdb",
        write="spark",
        unsupported_level=sqlglot.ErrorLevel.RAISE,
    )
    return str(sql)


def register(session: Any, files: Mapping[str, Path]) -> None:
    """Make tables of a session from Parquet files: ``schema.table`` or a temporary ``table``."""
    for name, path in files.items():
        frame = session.read.parquet(str(path))
        if "." not in name:
            frame.createOrReplaceTempView(name)
            continue
        session.sql(f"CREATE DATABASE IF NOT EXISTS {name.split('.')[0]}")
        session.sql(f"DROP TABLE IF EXISTS {name}")
        session.sql(f"CREATE TABLE {name} USING parquet LOCATION '{path}'")


def run(session: Any, full_name: str, to: Path) -> None:
    """Write what the model gives over the session's tables as Parquet files into a folder."""
    session.sql(translated(full_name)).write.mode("overwrite").parquet(str(to))
