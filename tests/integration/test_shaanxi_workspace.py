"""The default workspace end to end on a few simulated periods: bad input, idempotence, proof."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from tests.support.workspaces import (
    SHARED_FIRST,
    SHARED_LAST,
    parkwatch,
    query,
    ran_shaanxi,
    small_shaanxi,
)

PERIOD = SHARED_LAST


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return ran_shaanxi(tmp_path_factory, "sn")


def digests(home):
    return {row["table_name"]: row["digest"] for row in query(home, "FROM ops.digest")}


def documents(home):
    folder = home / "reports" / PERIOD
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_bulletin_and_mail_are_there_and_marked_as_simulated(home):
    names = documents(home)
    assert {name.rpartition(".")[2] for name in names} == {
        "pdf",
        "docx",
        "xlsx",
        "html",
        "eml",
        "json",
    }
    page = next((home / "reports" / PERIOD).rglob("*.html")).read_text(encoding="utf-8")
    assert "模拟数据" in page and "模拟名次" in page


def test_a_document_changed_by_one_bit_is_told_of(home):
    whole = parkwatch("verify", "--home", home)
    assert whole.returncode == 0 and "通报文件:4 项" in whole.stdout, whole.stdout
    victim = next((home / "reports" / PERIOD).rglob("*.docx"))
    data = victim.read_bytes()
    victim.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    told = parkwatch("verify", "--home", home)
    victim.write_bytes(data)
    assert told.returncode == 1 and f"{victim.name}:内容与校验值不符" in told.stdout
    assert "parkwatch rebuild" in told.stdout


def test_one_unreadable_file_is_listed_and_stops_nothing(home):
    told = (home / "first-run.txt").read_text(encoding="utf-8")
    rejected = query(
        home, "SELECT file_name, reason FROM submissions.submission WHERE status = 'rejected'"
    )
    assert "notes.xlsx" in {row["file_name"] for row in rejected}
    assert all(row["reason"] for row in rejected)
    assert "notes.xlsx" in told
    assert query(home, "SELECT count(*) > 1000 AS many FROM observations.observation") == [
        {"many": True}
    ]


def test_every_finding_says_where_and_what(home):
    rows = query(home, "FROM quality.finding WHERE outcome = 'fail' AND severity = 'error'")
    assert rows
    for row in rows:
        assert row["file_name"] and row["message"] and (row["remedy"] or row["expected"]), row


def test_the_same_run_again_changes_nothing(home):
    before = digests(home), documents(home), len(query(home, "FROM observations.observation"))
    told = parkwatch("run", "--home", home, "--period", PERIOD)
    assert told.returncode == 3, told.stderr
    assert (
        digests(home),
        documents(home),
        len(query(home, "FROM observations.observation")),
    ) == before


def test_a_second_workspace_gives_the_same_digests_and_touches_nothing(home, tmp_path):
    before = digests(home)
    other = small_shaanxi(tmp_path / "other", SHARED_FIRST, PERIOD)
    shutil.copyfile(home / "inbox" / "notes.xlsx", other / "inbox" / "notes.xlsx")
    told = parkwatch("run", "--home", other, "--period", PERIOD, TZ="America/Los_Angeles", LANG="C",
                     PYTHONHASHSEED="7")  # fmt: skip
    assert told.returncode == 3, told.stderr
    theirs = digests(other)
    # The unreadable file has no receipt, so each workspace saw it first at its own time.
    timed = {"submissions.submission"}
    assert {k: v for k, v in theirs.items() if k not in timed} == {
        k: v for k, v in before.items() if k not in timed
    }
    assert digests(home) == before


def test_checks_of_great_expectations_are_recorded(home):
    import dagster as dg

    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        records = instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(dg.AssetKey(["observations", "observation"]), "great_expectations"),
            limit=1,
        )
        evaluation = records[0].event.dagster_event.asset_check_evaluation_data
    assert evaluation.passed
    assert evaluation.metadata["rows"].value > 500


def test_ten_printed_figures_are_traced_to_cells(home):
    figures = query(
        home,
        "SELECT figure_id FROM bulletins.figure WHERE source_table = 'indicators.area_year' "
        "AND figure_id LIKE '%-total' AND value IS NOT NULL ORDER BY figure_id LIMIT 10",
    )
    assert len(figures) == 10
    for row in figures:
        told = parkwatch("explain", row["figure_id"], "--home", home, "--json")
        assert told.returncode == 0, told.stderr
        cells = [t for t in _texts(json.loads(told.stdout)) if t.startswith("单元格")]
        assert cells and all("文件“" in c and "工作表“" in c and "原文“" in c for c in cells), row


def _texts(step):
    yield step["text"]
    for part in step["parts"]:
        yield from _texts(part)


def test_an_unknown_figure_says_how_to_find_one(home):
    told = parkwatch("explain", "nonsense", "--home", home)
    assert told.returncode == 1 and "bulletins.figure" in told.stderr
    assert "Traceback" not in told.stderr


def test_doctor_finds_everything_in_order_and_notices_damage(home, tmp_path):
    assert parkwatch("doctor", "--home", home).returncode == 0
    hurt = tmp_path / "hurt"
    shutil.copytree(home, hurt)
    shutil.rmtree(hurt / "inbox")
    (hurt / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: true}\n")
    told = parkwatch("doctor", "--home", hurt)
    assert told.returncode == 1
    assert "inbox" in told.stdout and "遥测" in told.stdout and "处理" in told.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--period", "2020-01"], 2, "1—2月"),
        (["--period", "2020-6"], 2, "YYYY-MM"),
        (["--period", PERIOD, "--asof", "昨天"], 2, "ISO"),
    ],
)
def test_usage_errors_are_plain_words(home, words, code, said):
    told = parkwatch("run", "--home", home, *words)
    assert told.returncode == code and said in told.stderr
    assert "Traceback" not in told.stderr


def test_a_second_run_at_once_is_told_to_wait(home):
    from tests.support.warehouse_cases import workspace
    from warehouse.store import Warehouse

    with Warehouse(workspace(home)).writer_lock():
        told = parkwatch("run", "--home", home, "--period", PERIOD)
    assert told.returncode == 75 and "稍后再试" in told.stderr


def test_figures_as_known_before_the_returns_arrived(home, tmp_path):
    earlier = tmp_path / "earlier"
    shutil.copytree(home, earlier)
    told = parkwatch("run", "--home", earlier, "--period", PERIOD, "--asof", "2020-03-25T00:00")
    assert told.returncode == 3, told.stderr
    counted = (
        "SELECT count(value_ytd) FILTER (WHERE origin <> 'register') AS n, "
        "count(DISTINCT indicator_id) FILTER (WHERE origin = 'register') AS counted "
        f"FROM indicators.park_month WHERE period = '{PERIOD}'"
    )
    assert query(earlier, counted) == [{"n": 0, "counted": 2}]  # the register needs no return
