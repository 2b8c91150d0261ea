"""The distributed profile with real parts: DuckLake with its catalogue in PostgreSQL, writers in
processes of their own, killed and in each other's way; what workers derive is what one run derives."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime
from importlib.util import find_spec

import httpx
import pytest

from tests.support import national_case, servers
from warehouse import derive, filing, lake, partitions, store
from warehouse.workspace import Engine

pytestmark = pytest.mark.skipif(bool(servers.missing()), reason=str(servers.missing()))

FACTS, DERIVED = lake.TABLES
PERIODS = ("2018-02", "2018-03", "2018-05", "2018-06")


@pytest.fixture(scope="module")
def catalogue():
    with servers.postgres() as server:
        yield f"postgres:dbname=lake {server}"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A warehouse with its observations and park-months, derived without any lake."""
    case = national_case.case(tmp_path_factory.mktemp("case"), n_parks=12)
    with case.warehouse.building() as connection:
        derive.refresh_versions(connection)
        filing.refresh_triage(connection, [], [])
        derive.refresh_observations(connection)
        derive.refresh_park_month(connection, case.indicators, asof=store.FAR_FUTURE, first_month=2)
    return case


@pytest.fixture
def engine(catalogue, tmp_path, request):
    """A lake of its own: another schema of the catalogue, another folder."""
    name = f"t{abs(hash(request.node.name)) % 10**8}"
    subprocess.run(
        ["psql", "-q", catalogue.removeprefix("postgres:"), "-c", f"CREATE DATABASE {name}"],
        check=True,
    )
    own = catalogue.replace("dbname=lake", f"dbname={name}")
    return Engine("distributed", own, str(tmp_path / "data"), attempts=50)


def writer(engine, source, provinces, rounds, **environment):
    words = [engine.catalogue, engine.data_path, source, ",".join(provinces), ",".join(PERIODS),
             rounds]  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.lake_writer", *map(str, words)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, **environment},
    )  # fmt: skip


def test_four_writers_in_each_others_way_and_one_killed_leave_what_one_run_has(
    made, engine, tmp_path
):
    source = tmp_path / "facts.parquet"
    with made.warehouse.building() as connection:
        connection.execute(f"COPY ({lake.with_province(FACTS)}) TO '{source}' (FORMAT parquet)")
        wanted = partitions.of_parts(connection, FACTS, PERIODS)
    connection = store.connect(tmp_path / "look.duckdb")
    with lake.attached(connection, engine) as shared:
        shared.snapshot()
    all_of_them = national_case.PROVINCES
    killed = writer(engine, source, all_of_them, 3, PARKWATCH_CRASH_AT="lake.written:6")
    others = [writer(engine, source, all_of_them, 3) for _ in range(3)]
    assert killed.wait(timeout=300) == -signal.SIGKILL
    conflicts = sum(int(other.communicate(timeout=300)[0]) for other in others)
    assert [other.returncode for other in others] == [0, 0, 0]
    with lake.attached(connection, engine) as shared:
        assert shared.digest(FACTS, PERIODS) == wanted
    assert conflicts > 0  # the writers did meet


@pytest.mark.skipif(
    find_spec("moto") is None, reason="no object store to test with is installed (make distributed)"
)
def test_a_lake_on_an_object_store_holds_what_one_in_a_folder_holds(
    made, engine, tmp_path, monkeypatch
):
    """Two writers meet, one is killed with its files in the store and its transaction open."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    source = tmp_path / "facts.parquet"
    with made.warehouse.building() as connection:
        connection.execute(f"COPY ({lake.with_province(FACTS)}) TO '{source}' (FORMAT parquet)")
        wanted = partitions.of_parts(connection, FACTS, PERIODS)
    with servers.object_store("park") as address:
        stored = dataclasses.replace(
            engine, data_path="s3://park/lake", s3_endpoint=address, s3_tls=False
        )
        connection = store.connect(tmp_path / "look.duckdb")
        with lake.attached(connection, stored) as shared:
            before = shared.snapshot()
        told = {"LAKE_S3_ENDPOINT": address}
        killed = writer(stored, source, national_case.PROVINCES, 1,
                        PARKWATCH_CRASH_AT="lake.written:3", **told)  # fmt: skip
        other = writer(stored, source, national_case.PROVINCES, 1, **told)
        assert killed.wait(timeout=300) == -signal.SIGKILL
        assert other.wait(timeout=300) == 0
        with lake.attached(connection, stored) as shared:
            assert shared.digest(FACTS, PERIODS) == wanted
            empty = shared.rows(FACTS, PERIODS, snapshot=before)
            assert connection.execute(empty).fetchall() == []
        assert "lake/" in httpx.get(f"http://{address}/park?list-type=2").text


def test_workers_derive_by_province_what_one_run_derives(made, engine, tmp_path, monkeypatch):
    from assets.build import Build
    from assets.indicators import divided
    from warehouse.state import State

    workspace = dataclasses.replace(made.workspace, engine=engine)

    class Catalog:  # what a worker needs of the catalogue
        known_indicators = made.indicators
        digest = reading_digest = "0"

    monkeypatch.setattr("assets.submissions.store_rows.load_dimensions", _dimensions_of(made))
    shares_done = []

    def spread(shares):
        for share in shares:
            again = divided.Share.from_config(share.to_config())
            shares_done.append((share.province, divided.derive_share(workspace, Catalog, again)))

    with made.warehouse.building() as connection:
        wanted = partitions.of_parts(connection, DERIVED)
        connection.execute("DELETE FROM indicators.park_month")
    build = Build(workspace, Catalog, made.warehouse, State(workspace.state_file),
                  now=datetime(2020, 8, 1), begun=True, spread=spread)  # fmt: skip
    divided.refresh_park_month(build)
    with made.warehouse.building() as connection:
        assert partitions.of_parts(connection, DERIVED) == wanted
    assert {province for province, _ in shares_done} == set(national_case.PROVINCES)
    assert sum(n for _, n in shares_done) == wanted.n_rows
    connection = store.connect(tmp_path / "look.duckdb")
    with lake.attached(connection, engine) as shared:
        found = connection.execute("SELECT DISTINCT period FROM lake.indicators.park_month")
        periods = [row[0] for row in found.fetchall()]
        assert shared.digest(DERIVED, periods) == wanted


@pytest.mark.skipif(find_spec("dagster_celery") is None, reason="no Celery (make distributed)")
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="no Redis on this machine")
def test_a_million_figures_derived_by_celery_workers_are_what_one_process_derives():
    """Embedded, 1 and 2 workers over PostgreSQL, Redis and DuckLake: the rehearsal compares digests."""
    words = ["--parks", "16400", "--provinces", "4"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.bench_distributed", *words],
        stdout=subprocess.PIPE, text=True, timeout=1200,
    )  # fmt: skip
    *figures, verdict = done.stdout.splitlines()
    said = {name: told for line in figures for name, told in json.loads(line).items()}
    assert (done.returncode, verdict) == (0, "same rows")
    assert list(said) == ["embedded", "1 celery", "2 celery"]
    assert said["2 celery"]["facts"] > 1_000_000


def _dimensions_of(made):
    """Dimensions of the test's warehouse for a worker's scratch one."""

    def load(connection, build):
        for name in ("dims.park", "dims.indicator", "dims.scope_break"):
            store.replace_rows(connection, name, made.rows(f"FROM {name}"))

    return load


def test_what_was_in_the_lake_before_can_still_be_read(made, engine):
    connection = store.connect(made.workspace.work_file)
    with lake.attached(connection, engine) as shared:
        assert shared.bring_in_line(FACTS, ["2018-02"]) == ["2018-02"]
        before = shared.snapshot()
        assert shared.bring_in_line(FACTS, ["2018-02"]) == []  # the same again writes nothing
        where = "SELECT NULL AS province_code, * FROM observations.observation WHERE false"
        shared.replace(FACTS, f"({where})", ["2018-02"])
        assert connection.execute(shared.rows(FACTS, ["2018-02"])).fetchall() == []
        kept = connection.execute(shared.rows(FACTS, ["2018-02"], snapshot=before)).fetchall()
    assert len(kept) == len(made.rows("FROM observations.observation WHERE period = '2018-02'")) > 0


def test_a_part_others_keep_changing_is_given_up_with_nothing_written(made, engine, tmp_path):
    connection = store.connect(made.workspace.work_file)
    with lake.attached(connection, dataclasses.replace(engine, attempts=2)) as shared:
        other = store.connect(tmp_path / "other.duckdb")
        with lake.attached(other, engine) as rival:
            shared.bring_in_line(FACTS, ["2018-02"])

            def in_the_way():
                connection.execute(
                    "DELETE FROM lake.observations.observation WHERE period = '2018-02'"
                )
                rival.replace(FACTS, f"({_one_row()})", ["2018-02"])  # commits meanwhile

            with pytest.raises(lake.LakeConflictError):
                shared.transaction(in_the_way, "never")
            assert shared.conflicts == 2
            assert other.execute(
                "SELECT count(*) FROM lake.observations.observation WHERE period = '2018-02'"
            ).fetchone() == (1,)


def test_two_that_write_a_part_for_the_first_time_leave_it_once(made, engine, tmp_path):
    """An empty part has no rows both would have to delete; a step delivered again may meet itself."""
    connection = store.connect(made.workspace.work_file)
    with lake.attached(connection, engine) as shared:
        other = store.connect(tmp_path / "other.duckdb")
        with lake.attached(other, engine) as rival:
            met = []

            def meanwhile():
                if not met:
                    met.append(rival.replace(FACTS, f"({_one_row()})", ["2018-02"], ["110000"]))

            shared.replace(FACTS, f"({_one_row()})", ["2018-02"], ["110000"], also=meanwhile)
            assert (len(met), shared.conflicts) == (1, 1)
            found = connection.execute("SELECT count(*) FROM lake.observations.observation")
            assert found.fetchone() == (1,)


def _one_row():
    from warehouse import schema

    columns = {c.name: "NULL" for c in schema.table(FACTS).columns} | {
        "period": "'2018-02'",
        "park_id": "'P0'",
    }
    said = ", ".join(f"{value} AS {name}" for name, value in columns.items())
    return f"SELECT '110000' AS province_code, {said}"
