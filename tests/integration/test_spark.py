"""The SQL models on a Spark of this machine, translated by SQLGlot: the same rows as DuckDB's."""

from __future__ import annotations

import importlib.util
import shutil

import pytest

from tests.support import national_case
from warehouse import derive, filing, schema, spark, store

ABSENT = [n for n in ("pyspark", "sqlglot") if importlib.util.find_spec(n) is None]
REASON = f"optional component 'spark' is not installed (make distributed): {ABSENT}"
pytestmark = [
    pytest.mark.skipif(bool(ABSENT), reason=REASON),
    pytest.mark.skipif(shutil.which("java") is None, reason="no Java on this machine"),
]
READ = ("dims.park", "dims.indicator", "dims.entered_figure", "dims.region",
        "internal.affected_period", "internal.affected_asof", "indicators.park_month",
        "indicators.park_year", "indicators.area_year", "month_path", "kept_growth")  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The tables the models read as Parquet, and what DuckDB makes of them."""
    folder = tmp_path_factory.mktemp("spark")
    case = national_case.case(folder / "case")
    with case.warehouse.building() as connection:
        derive.refresh_versions(connection)
        filing.refresh_triage(connection, [], [])
        derive.refresh_observations(connection)
        derive.refresh_park_month(connection, case.indicators, asof=store.FAR_FUTURE, first_month=2)
        _month_path_again(connection, case)
        derive.refresh_park_year(connection, "2020-06", each_month=True)
        derive.refresh_area_year(connection, case.indicators)
        for name in READ:
            connection.execute(f"COPY {name} TO '{folder / name}.parquet' (FORMAT parquet)")
        for name in spark.RUNS:
            connection.execute(
                f"COPY (SELECT {columns(name)} FROM ({store.model_select(name)})) "
                f"TO '{folder / name}.duckdb.parquet' (FORMAT parquet)"
            )
    return folder


def _month_path_again(connection, case):
    """The steps before indicators.park_month, for all parks at once."""
    from warehouse import formulas, shares

    ordered = formulas.in_order(case.indicators)
    back = 1 + formulas.years_back(ordered)
    values = {"asof": store.FAR_FUTURE, "first_month": 2, "years_back": back}
    store.run_script(connection, "indicators__kept_growth")
    connection.execute(f"INSERT INTO internal.share_park {shares.ALL_PARKS}")
    store.run_script(connection, "indicators__month_path", values)
    for indicator in ordered:
        formulas.add_month(connection, indicator, {"S01", "N01"})


@pytest.fixture(scope="module")
def session(made):
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("parkwatch")
    for name, value in spark.SESSION.items():
        builder = builder.config(name, value)
    builder = builder.config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", 2)
    builder = builder.config("spark.sql.warehouse.dir", str(made / "warehouse"))
    started = builder.getOrCreate()
    spark.register(started, {name: made / f"{name}.parquet" for name in READ})
    yield started
    started.stop()


def columns(full_name):
    """The declared columns with their declared types."""
    return ", ".join(f"{c.name}::{c.type} AS {c.name}" for c in schema.table(full_name).columns)


@pytest.mark.parametrize("full_name", spark.RUNS)
def test_a_model_gives_the_same_rows_on_spark(made, session, full_name):
    spark.run(session, full_name, made / f"{full_name}.spark")
    connection = store.connect(made / "look.duckdb")
    own = f"SELECT {columns(full_name)} FROM '{made / full_name}.duckdb.parquet'"
    theirs = f"SELECT {columns(full_name)} FROM '{made / full_name}.spark/*.parquet'"
    (n_rows,) = connection.execute(f"SELECT count(*) FROM ({own})").fetchone()
    assert n_rows > 5
    for one, other in ((own, theirs), (theirs, own)):
        odd = connection.execute(f"({one}) EXCEPT ALL ({other})").fetchall()
        assert odd[:3] == []
