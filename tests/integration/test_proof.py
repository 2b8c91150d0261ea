"""Builds kept, compared, exported and made again, through the command, in a bureau of four parks."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from assets.submissions.archive import deliver
from tests.support.bureau import BEIJING, COUNTIES, county_form, make_home
from tests.support.workspaces import parkwatch, query
from warehouse import builds

JUNE = datetime(2020, 7, 8, 9, 30, tzinfo=BEIJING)


def put(home, reporter, value, at, name="报表"):
    data = county_form(reporter, "2020-06", value, value // 2)
    deliver(
        home / "inbox" / reporter, f"{COUNTIES[reporter]}2020年6月{name}.xlsx", data, at, reporter
    )


def run(home):
    told = parkwatch("run", "--home", home, "--period", "2020-06")
    assert told.returncode in (0, 3), told.stdout + told.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Three returns, then a correction of one: two builds."""
    folder = make_home(tmp_path_factory.mktemp("proof") / "home")
    for n, reporter in enumerate(COUNTIES):
        put(folder, reporter, 100 * (n + 1), JUNE)
    run(folder)
    (folder / "first.json").write_text(json.dumps(documents(folder)))
    put(folder, "hanbin", 150, JUNE + timedelta(days=5), "报表(更正)")
    run(folder)
    return folder


def documents(home):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((home / "reports" / "2020-06").rglob("*.html"))
    }


def test_each_build_is_kept_and_shares_what_did_not_change(home):
    rows = json.loads(parkwatch("builds", "--home", home, "--json").stdout)
    assert [row["number"] for row in rows] == [1, 2]
    kept = list((home / "lake" / "dims" / "indicator" / "all").glob("*.parquet"))
    assert len(kept) == 1
    assert len(list((home / "lake" / "observations" / "observation" / "2020-06").iterdir())) == 2


def test_the_recorded_digests_are_those_of_the_rows(home):
    from warehouse import partitions
    from warehouse.store import connect

    connection = connect(home / "warehouse.duckdb", read_only=True)
    assert partitions.disagreements(connection) == []
    assert query(home, "FROM ops.digest") == [
        {k: str(v) if k == "digest" else v for k, v in row.items()}
        for row in partitions.digest_rows(connection)
    ]


def test_diff_of_builds_names_the_corrected_figures_and_what_follows(home):
    found = json.loads(parkwatch("diff", "#1", "last", "--home", home, "--json").stdout)
    assert found["counts"]["observations.observation"] == {"revised": 4}
    revised = [c for c in found["changes"] if c["table"] == "observations.observation"]
    assert {c["key"]["park_id"] for c in revised} == {"M1", "M2"}
    first = next(
        c for c in revised if c["key"]["park_id"] == "M1" and c["key"]["indicator_id"] == "C01"
    )
    assert (float(first["before"]["value"]), float(first["after"]["value"])) == (100, 150)
    assert found["counts"]["indicators.area_year"]["derived"] > 0
    assert parkwatch("diff", "#1", "#1", "--home", home).stdout.count("没有差别") == 1


def test_diff_of_moments_is_what_became_known_between_them(home):
    found = json.loads(
        parkwatch("diff", "2020-07-09", "2020-07-20", "--home", home, "--json").stdout
    )
    assert found["counts"] == {"observations.observation": {"revised": 4}}
    before = json.loads(
        parkwatch("diff", "2020-07-01", "2020-07-09", "--home", home, "--json").stdout
    )
    assert before["counts"] == {"observations.observation": {"new": 8}}


def test_a_build_that_is_not_kept_is_named_with_those_that_are(home):
    told = parkwatch("diff", "#77", "last", "--home", home)
    assert told.returncode == 1 and "#1" in told.stderr and "Traceback" not in told.stderr


def test_revisions_count_the_correction(home):
    rows = json.loads(parkwatch("revisions", "--home", home, "--json").stdout)
    (c01,) = [row for row in rows if row["indicator_id"] == "C01"]
    assert (c01["n_figures"], c01["n_revised"]) == (4, 2)
    assert float(c01["mean_revision"]) == 50


def test_no_registered_figure_of_a_bulletin_rests_on_nothing(home):
    """Nothing reported is a proof of no value and of zero only."""
    from warehouse.explain import explain
    from warehouse.store import connect

    connection = connect(home / "warehouse.duckdb", read_only=True)
    figures = connection.execute(
        "SELECT DISTINCT figure_id, value FROM bulletins.figure ORDER BY ALL"
    ).fetchall()
    ends = {
        name: explain(connection, [name]).grounds() - ({"absence"} if value else set())
        for name, value in figures
    }
    assert len(ends) > 30
    assert {name for name, grounds in ends.items() if not grounds} == set()
    assert "cell" in set().union(*ends.values())


def test_rebuild_gives_the_same_tables_and_documents(home):
    told = parkwatch("rebuild", "--period", "2020-06", "--home", home, "--json")
    assert told.returncode == 0, told.stdout + told.stderr
    found = json.loads(told.stdout)
    assert found["same"] and found["n_same"] > 5 and not found["different"]
    assert found["documents"] and all(found["documents"].values())


def test_rebuild_notices_a_document_that_is_not_the_one_of_then(home, tmp_path):
    path = max((home / "published").glob("*.json"))
    kept = builds.read(path)
    other = {**kept.editions[0], "documents": json.dumps({"园区监测通报.html": "0" * 64})}
    builds.write(path, replace(kept, editions=[other, *kept.editions[1:]]))
    try:
        told = parkwatch("rebuild", "--period", "2020-06", "--home", home, "--json")
    finally:
        builds.write(path, kept)
    assert told.returncode == 1 and json.loads(told.stdout)["same"] is False


def test_the_catalogue_of_every_build_is_kept_and_two_are_compared(home):
    rules = sorted(p.name for p in (home / "catalog-versions").iterdir())
    assert len(rules) == 1
    path = home / "catalog" / "indicators.yaml"
    text = path.read_text()
    path.write_text(text.replace("name_zh: 营业收入", "name_zh: 营业收入合计"))
    try:
        run(home)
        after = {p.name for p in (home / "catalog-versions").iterdir()} - set(rules)
        (new,) = after
        found = json.loads(
            parkwatch(
                "diff", f"rules:{rules[0][:10]}", f"rules:{new[:10]}", "--home", home, "--json"
            ).stdout
        )
        (change,) = [c for c in found["changes"] if c["table"] == "政策目录"]
        assert change["key"] == {"kind": "指标", "id": "C04"}
        assert change["after"] == {"name_zh": "营业收入合计"}
    finally:
        path.write_text(text)


def test_exports_open_in_their_formats(home, tmp_path):
    for form in ("csv", "xlsx", "parquet"):
        told = parkwatch("export", "--format", form, "--to", tmp_path, "--bom", "--home", home,
                         "--table", "observations.observation", "--table", "submissions.cell")  # fmt: skip
        assert told.returncode == 0, told.stderr
    data = (tmp_path / "observations.observation.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf") and data.count(b"\r\n") == data.count(b"\n")
    with (tmp_path / "observations.observation.csv").open(
        encoding="utf-8-sig", newline=""
    ) as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == len(query(home, "FROM observations.observation"))
    import openpyxl
    import pyarrow.parquet

    sheet = openpyxl.load_workbook(tmp_path / "submissions.cell.xlsx").active
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert sheet.max_row == 2 + len(query(home, "FROM submissions.cell"))
    assert pyarrow.parquet.read_table(
        tmp_path / "observations.observation.parquet"
    ).num_rows == len(rows)


def test_sdmx_csv_and_its_structure_are_read_back_by_pysdmx(home, tmp_path):
    from pysdmx.io import get_datasets

    told = parkwatch("export", "--format", "sdmx-csv", "--to", tmp_path, "--home", home)
    assert told.returncode == 0, told.stderr
    (data,) = get_datasets(
        tmp_path / "observation.sdmx.csv", tmp_path / "observation.dsd.json", validate=True
    )
    known = query(home, "FROM observations.observation WHERE known_to IS NULL")
    assert len(data.data) == len(known) > 0
    assert {c.id for c in data.structure.components.dimensions} == {
        "PARK_ID", "INDICATOR_ID", "MEASURE_TYPE", "TIME_PERIOD"
    }  # fmt: skip
    assert sorted(map(float, data.data["OBS_VALUE"])) == sorted(float(r["value"]) for r in known)


def test_an_export_of_a_period_holds_that_period_only(home, tmp_path):
    """Tables kept by period are cut to it; those that are not (the register) come whole."""
    names = ("observations.observation", "indicators.park_year", "dims.park")
    tables = [word for name in names for word in ("--table", name)]
    counts = {}
    for period in ("2020-06", "2019-06"):
        folder = tmp_path / period
        told = parkwatch("export", "--format", "csv", "--to", folder, "--period", period, "--home",
                         home, *tables)  # fmt: skip
        assert told.returncode == 0, told.stderr
        for name in names:
            with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
                rows = list(csv.DictReader(handle))
            counts[period, name] = len(rows)
            column = {"observations.observation": "period", "indicators.park_year": "asof_period"}
            assert {row[column[name]] for row in rows} <= {period} if name in column else True
    here = query(
        home, "SELECT count(*) AS n FROM observations.observation WHERE period = '2020-06'"
    )
    assert counts["2020-06", "observations.observation"] == here[0]["n"] > 0
    assert counts["2019-06", "observations.observation"] == 0
    assert counts["2020-06", "dims.park"] == counts["2019-06", "dims.park"] == 4
    told = parkwatch(
        "export", "--format", "csv", "--to", tmp_path, "--period", "2020年6月", "--home", home
    )
    assert told.returncode == 2 and "YYYY-MM" in told.stderr
