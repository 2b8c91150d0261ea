"""The SQL models on a Spark of this machine, translated by SQLGlot: the same rows as DuckDB's."""

from __future__ import annotations

import importlib.util
import shutil

import pytest

from bench import national
from tests.support import national_case
from warehouse import derive, filing, schema, spark, store
from warehouse.catalog import frames

ABSENT = [n for n in ("pyspark", "sqlglot") if importlib.util.find_spec(n) is None]
REASON = f"optional component 'spark' is not installed (make distributed): {ABSENT}"
pytestmark = [
    pytest.mark.skipif(bool(ABSENT), reason=REASON),
    pytest.mark.skipif(shutil.which("java") is None, reason="no Java on this machine"),
]
READ = ("dims.park", "dims.indicator", "dims.entered_figure", "dims.region",
        "internal.affected_period", "internal.affected_asof", "indicators.park_month",
        "indicators.park_year", "indicators.area_year", "month_path", "kept_growth")  # fmt: skip


MONTHS = 13  # a year and a month: growth over the year before is reckoned


@pytest.fixture(scope="module", params=["twelve months of nine parks", "a million figures"])
def made(request, tmp_path_factory):
    """The tables the models read as Parquet, and what DuckDB makes of them."""
    folder = tmp_path_factory.mktemp("spark")
    if request.param == "a million figures":
        return _million(folder)
    case = national_case.case(folder / "case")
    with case.warehouse.building() as connection:
        derive.refresh_versions(connection)
        filing.refresh_triage(connection, [], [])
        derive.refresh_observations(connection)
        _derive(connection, case.indicators, "2020-06", first_month=2)
        _keep(connection, folder)
    return folder


def _million(folder):
    """1,300 parks, 60 indicators, 13 months, 2 % corrected (模拟数据)."""
    national.make_home(folder / "home", parks=1_300, n_provinces=4)
    catalog = national.indicators(folder / "home")
    connection = store.connect(folder / "million.duckdb")
    store.create_all(connection)
    for name, rows in frames.dimension_rows(catalog).items():
        store.replace_rows(connection, f"dims.{name}", rows)
    national.seed_keys(connection, MONTHS, 1_300)
    connection.execute(national.BASE, national.base_values(1_300))
    for n in range(MONTHS):
        connection.execute(national.LOAD, national.fact_values(n))
    (n_facts,) = connection.execute("SELECT count(*) FROM internal.observation_fact").fetchone()
    assert n_facts > 1_000_000
    months = national.months(MONTHS)
    derive.mark_affected(connection, months)
    _derive(connection, catalog.known_indicators, months[-1], first_month=1)
    _keep(connection, folder)
    connection.close()
    return folder


def _derive(connection, indicators, asof, first_month):
    derive.refresh_park_month(
        connection, indicators, asof=store.FAR_FUTURE, first_month=first_month
    )
    _month_path_again(connection, indicators, first_month)
    derive.refresh_park_year(connection, asof, each_month=True)
    derive.refresh_area_year(connection, indicators)


def _keep(connection, folder):
    for name in READ:
        connection.execute(f"COPY {name} TO '{folder / name}.parquet' (FORMAT parquet)")
    for name in spark.RUNS:
        connection.execute(
            f"COPY (SELECT {columns(name)} FROM ({store.model_select(name)})) "
            f"TO '{folder / name}.duckdb.parquet' (FORMAT parquet)"
        )


def _month_path_again(connection, indicators, first_month):
    """The steps before indicators.park_month, for all parks at once."""
    from warehouse import formulas, shares

    ordered = formulas.in_order(indicators)
    values = {"asof": store.FAR_FUTURE, "first_month": first_month}
    values |= derive.what_is_read(connection, indicators)
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
