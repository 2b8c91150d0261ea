"""Returns, reminders, explanations and the board on a simulated month, by the commands a person uses."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections import Counter
from email import message_from_bytes, policy

import openpyxl
import pytest

from assets.submissions.intake import rows_of
from assets.submissions.reading.sandbox import ReaderPool
from tests.support.workspaces import parkwatch, query, small_shaanxi
from warehouse.catalog.load import load_catalog
from warehouse.state import Receipt

PERIOD = "2019-11"


def archive(home):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((home / "archive").rglob("*"))
        if path.is_file()
    }


def said(*words):
    told = parkwatch(*words, "--json")
    assert told.returncode == 0, told.stdout + told.stderr
    return json.loads(told.stdout)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = small_shaanxi(tmp_path_factory.mktemp("filing") / "shaanxi", PERIOD, PERIOD)
    dropped = sorted((folder / "inbox").rglob("*汉阴*"))[0]
    dropped.unlink()
    broken = sorted((folder / "inbox").rglob("*石泉*"))[0]
    broken.write_bytes(b"PK\x03\x04 not a workbook")
    told = parkwatch("run", "--home", folder, "--period", PERIOD)
    assert told.returncode == 3, told.stdout + told.stderr
    return folder


@pytest.fixture(scope="module")
def made(home):
    before = archive(home)
    rows = said("returns", "--home", home, "--period", PERIOD, "--now", "2019-12-11T10:00")
    assert archive(home) == before, "the originals are only read"
    assert all(name.startswith(digest) for name, digest in before.items())
    return rows


def copies(home):
    folder = home / "quality" / "returns" / PERIOD
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_every_finding_with_a_cell_is_marked_in_the_copy(home, made):
    open_ones = query(
        home,
        "SELECT finding.reporter, finding.sheet, finding.address, finding.message "
        "FROM quality.finding JOIN quality.triage USING (finding_id) "
        "JOIN submissions.submission AS s ON s.submission_id = finding.submission_id "
        f"WHERE finding.period = '{PERIOD}' AND finding.address IS NOT NULL AND returned "
        "AND s.status IN ('accepted', 'partly', 'returned', 'held') AND s.format = 'xlsx'",
    )
    assert open_ones
    folders = {row["reporter"]: home / row["folder"] for row in made}
    for finding in open_ones:
        texts = [
            cell.comment.text
            for path in folders[finding["reporter"]].glob("*.xlsx")
            for cell in [openpyxl.load_workbook(path)[finding["sheet"]][finding["address"]]]
            if cell.comment
        ]
        assert any(finding["message"] in text for text in texts), finding


def test_made_again_on_another_day_everything_is_the_same(home, made):
    before = copies(home)
    assert any(name.endswith("退回函.pdf") for name in before)
    again = said("returns", "--home", home, "--period", PERIOD, "--now", "2020-01-02T10:00")
    assert again == made and copies(home) == before
    assert {row["reply_by"] for row in made} == {"2019-12-16"}


def test_a_returned_copy_sent_again_reads_like_the_file_it_came_from(home, made):
    row = next(r for r in made if r["n_verify"] and not r["n_error"])
    name = row["files"][0]["file"]
    (digest,) = query(
        home, f"SELECT submission_id FROM submissions.submission WHERE file_name = '{name}'"
    )
    original = next((home / "archive").rglob(f"{digest['submission_id']}*"))
    catalog = load_catalog(home / "catalog")
    receipt = Receipt("0" * 64, f"{row['reporter']}/{name}", name, 1, "2019-12-12T00:00:00+00:00",
                      row["reporter"], 1)  # fmt: skip
    with ReaderPool(1) as pool:
        read = [
            rows_of(receipt, pool.read_one(name, path), catalog, 2)
            for path in (original, home / row["folder"] / row["files"][0]["copy"])
        ]
    assert read[0].cells and read[0].cells == read[1].cells
    assert [f.rule_id for f in read[0].findings] == [f.rule_id for f in read[1].findings]


def test_who_is_silent_is_reminded_once_a_stage(home):
    early = said("remind", "--home", home, "--period", PERIOD, "--now", "2019-12-11", "--dry-run")
    assert [r["reporter"] for r in early if r["stage"] == "overdue_1"] == ["ak-hanyin"]
    assert not (home / "quality" / "reminders").exists(), "a dry run writes nothing"
    first = said("remind", "--home", home, "--period", PERIOD, "--now", "2019-12-11")
    assert first == early
    text = (home / first[0]["file"]).read_text(encoding="utf-8")
    assert "【催报】" in text and "2019年12月10日" in text and "模拟数据" in text
    assert not said("remind", "--home", home, "--period", PERIOD, "--now", "2019-12-11T18:00")
    later = said("remind", "--home", home, "--period", PERIOD, "--now", "2019-12-13")
    assert [r["stage"] for r in later if r["reporter"] == "ak-hanyin"] == ["overdue_3"]


def test_the_board_says_where_each_reporter_stands(home, made):
    board = {row["reporter"]: row for row in said("status", "--home", home)["board"]}
    assert board["ak-hanyin"]["standing"] == "缺报"
    soon = {
        r["reporter"]: r for r in said("status", "--home", home, "--now", "2019-12-09")["board"]
    }
    assert soon["ak-hanyin"]["standing"] == "未到期"
    assert "2019-12-10" in soon["ak-hanyin"]["next_step"]
    back = next(row for row in made if row["n_error"])
    assert back["files"][0]["marked"] == "list", "what cannot be read gets the list alone"
    assert board[back["reporter"]]["standing"] == "退回"
    assert "2019-12-16" in board[back["reporter"]]["next_step"]
    told = parkwatch("status", "--home", home, "--reporters")
    assert told.returncode == 0 and "误报率" in told.stdout


def test_a_gap_names_the_parks_that_are_missing(home):
    rows = query(home, f"SELECT * FROM quality.gap WHERE period = '{PERIOD}'")
    why = {row["reporter"]: row["why"] for row in rows}
    assert why["ak-hanyin"] == "missing" and "returned" in why.values()


def test_an_explained_doubt_is_asked_no_more(home, tmp_path):
    other = tmp_path / "explained"
    shutil.copytree(home, other)
    rows = query(
        other,
        "SELECT finding_id, reporter, severity FROM quality.triage "
        "WHERE returned AND severity = 'verify' AND action = 'marked' ORDER BY finding_id",
    )
    asked = Counter(row["reporter"] for row in rows)
    errors = query(other, "SELECT DISTINCT reporter FROM quality.triage WHERE severity = 'error'")
    free = set(asked) - {row["reporter"] for row in errors}
    reporter = min(free, key=lambda name: (asked[name], name))
    for row in (row for row in rows if row["reporter"] == reporter):
        told = parkwatch("explained", row["finding_id"], "--text", "属实", "--by", "甲县",
                         "--home", other)  # fmt: skip
        assert told.returncode == 0, told.stderr
    error = query(other, "SELECT finding_id FROM quality.finding WHERE severity = 'error' LIMIT 1")
    refused = parkwatch("explained", error[0]["finding_id"], "--text", "属实", "--by", "甲县",
                        "--home", other)  # fmt: skip
    assert refused.returncode == 2 and "不是核实项" in refused.stderr
    assert parkwatch("run", "--home", other, "--period", PERIOD).returncode == 3
    again = said("returns", "--home", other, "--period", PERIOD, "--now", "2019-12-11")
    assert reporter not in {row["reporter"] for row in again}
    (record,) = query(
        other,
        "SELECT n_cleared, false_alarm_pct FROM quality.reporter_record "
        f"WHERE reporter = '{reporter}' AND period = '{PERIOD}'",
    )
    assert record["n_cleared"] >= 1


def test_returns_and_reminders_enter_the_outbox_once(home, made, tmp_path):
    own = tmp_path / "home"
    shutil.copytree(home, own, symlinks=True)
    register = own / "catalog" / "reporters.csv"
    rows = list(csv.DictReader(register.read_text(encoding="utf-8").splitlines()))
    asked = sorted({row["reporter"] for row in made})
    for row in rows:
        row["email"] = "" if row["reporter_id"] == asked[0] else f"{row['reporter_id']}@y.test"
    with register.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, rows[0])
        table.writeheader()
        table.writerows(rows)
    said("remind", "--home", own, "--period", PERIOD, "--now", "2019-12-12")
    found = said("deliveries", "queue", "--home", own, "--period", PERIOD)
    assert found["return"] == len(asked) - 1 and found["reminder"] >= 1
    assert len(found["no_address"]) == 1
    again = said("deliveries", "queue", "--home", own, "--period", PERIOD)
    assert (again["return"], again["reminder"]) == (0, 0)
    for row in said("deliveries", "list", "--home", own):
        mail = message_from_bytes((own / row["file"]).read_bytes(), policy=policy.default)
        assert (mail["To"], mail["Message-ID"]) == (row["recipient"], row["message_id"])
        kinds = [part.get_filename().rpartition(".")[2] for part in mail.iter_attachments()]
        assert row["state"] == "planned" and bool(kinds) == (row["kind"] == "return")
