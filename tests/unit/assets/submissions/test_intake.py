"""Receiving and who sent it: receipts, reporters, corrections by name; nothing lost, nothing guessed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from assets.submissions.archive import Archive, ReceiptsError, deliver, deliveries
from assets.submissions.intake import content_digest, receive
from assets.submissions.reading.workbook import Sheet, Workbook
from assets.submissions.revisions import revision_of
from assets.submissions.tables.records import CellRecord, Cells
from tests.support.bureau import BEIJING, Office, county_form, form
from warehouse import derive

JULY = datetime(2020, 7, 8, 9, 30)
NOW = datetime(2020, 7, 15, 1, 0)  # naive UTC, as a build has it


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path / "bureau")


def take(office, now=NOW):
    archive = Archive(office.workspace.archive)
    return receive(office.workspace.inbox, archive, office.state, now, lambda *_: None)


def submission(office):
    (row,) = office.rows("FROM submissions.submission")
    return row


def rules(office):
    return {row["rule_id"] for row in office.rows("SELECT DISTINCT rule_id FROM quality.finding")}


# --- who sent it ----------------------------------------------------------------------------------


def plain(county=None):
    """A June return whose title names the county, or nobody."""
    return form(county, "2020-06", {"砚青模拟工业园": (100, 10)})


@pytest.mark.parametrize(
    ("name", "sender", "county"),
    [
        ("报表.xlsx", "hanbin", None),
        ("hanbin/报表.xlsx", None, None),
        ("汉滨区/报表.xlsx", None, None),
        ("2020年6月/汉滨区报表.xlsx", None, None),
        ("报表.xlsx", None, "汉滨区"),
        ("hanbin/报表.xlsx", "hanbin", "汉滨区"),
    ],
)
def test_the_reporter_is_the_sender_the_folder_or_what_the_file_says(office, name, sender, county):
    office.put(name, plain(county), JULY if sender else None, sender)
    office.run()
    row = submission(office)
    assert (row["reporter"], row["status"], row["version_no"]) == ("hanbin", "accepted", 1)
    assert rules(office) == set()


def test_the_receipt_decides_and_a_file_that_says_otherwise_is_told(office):
    office.put("hanyin/汉滨区报表.xlsx", plain("汉滨区"), JULY, "hanbin")
    office.put("hanbin/汉阴县.xlsx", form("汉阴县", "2020-06", {"澄苇模拟工业园": (1, 1)}))
    office.run()
    rows = {r["file_name"]: r for r in office.rows("FROM submissions.submission")}
    assert (rows["汉滨区报表.xlsx"]["reporter"], rows["汉滨区报表.xlsx"]["status"]) == (
        "hanbin",
        "accepted",
    )
    assert (rows["汉阴县.xlsx"]["reporter"], rows["汉阴县.xlsx"]["status"]) == (
        "hanbin",
        "returned",
    )
    assert rules(office) == {"R-reporter-mismatch", "R-park-outside"}


def test_a_file_nobody_is_named_for_belongs_to_the_county_all_its_parks_are_of(office):
    office.put("报表.xlsx", plain())
    office.run()
    assert (submission(office)["reporter"], submission(office)["status"]) == ("hanbin", "partly")
    assert rules(office) == {"R-reporter-inferred"}
    assert office.known("M1", "2020-06") == 100


def of_two_counties():
    return form(None, "2020-06", {"砚青模拟工业园": (100, 10), "澄苇模拟工业园": (200, 20)})


def test_a_file_of_nobody_is_kept_read_and_listed_not_lost(office):
    office.put("汇总表.xlsx", of_two_counties())
    office.run()
    row = submission(office)
    assert (row["reporter"], row["status"], row["reason"]) == (None, "held", "填报单位不明")
    assert row["n_cells"] == 4
    assert len(office.rows("FROM submissions.cell WHERE value IS NOT NULL")) == 4
    assert office.rows("FROM observations.observation") == []
    assert rules(office) == {"R-reporter-unknown"}
    assert [r["file_name"] for r in office.state.troubled("2020-06")] == ["汇总表.xlsx"]
    assert Archive(office.workspace.archive).read(row["submission_id"]) == of_two_counties()


@pytest.mark.parametrize("way", ["accept", "receipts", "folder"])
def test_a_file_of_nobody_can_be_put_right(office, way):
    data = of_two_counties()
    office.put("汇总表.xlsx", data)
    office.run(now=datetime(2020, 7, 15))
    if way == "accept":
        office.decide("accept", submission(office)["submission_id"], datetime(2020, 7, 16))
    elif way == "receipts":
        (office.workspace.inbox / "receipts.csv").write_text(
            "file,received_at,sender\n汇总表.xlsx,2020-07-15T00:00:00+08:00,hanbin\n",
            encoding="utf-8",
        )
    else:
        office.put("hanbin/汇总表.xlsx", data)
    office.run(now=datetime(2020, 7, 17))
    assert submission(office)["status"] in ("accepted", "partly")
    assert office.known("M1", "2020-06") == 100
    assert office.known("M3", "2020-06") == (200 if way == "accept" else None)
    assert submission(office)["reporter"] == (None if way == "accept" else "hanbin")


def test_a_folder_that_names_no_reporter_is_no_reporter(office):
    office.put("下载/汇总表.xlsx", of_two_counties())
    office.run()
    assert submission(office)["reporter"] is None
    (told,) = office.rows("FROM quality.finding")
    assert told["found"] == "下载"


def test_an_unreadable_file_is_still_somebodys(office):
    office.put("汉阴县2020年6月.xlsx", b"\xd0\xcf\x11\xe0 not a workbook")
    office.run()
    row = submission(office)
    assert (row["reporter"], row["period"], row["status"]) == ("hanyin", "2020-06", "rejected")


@pytest.mark.parametrize(("reporters", "expected"), [("one", "portal"), ("none", "sn_portal")])
def test_a_file_in_a_sources_folder_is_sent_by_its_only_reporter_or_by_the_source(
    tmp_path, reporters, expected
):
    from tests.support.bureau import CATALOG

    line = (
        "portal,省数据门户（模拟）,,610000,sn_portal,,2017-01-01,\n" if reporters == "one" else ""
    )
    office = Office(
        tmp_path,
        {
            "sources.yaml": CATALOG["sources.yaml"]
            + "- {source_id: sn_portal, name: 门户（模拟）, kind: http, url: 'https://a.example/x', "
            + "http: {allow_hosts: [a.example]}}\n",
            "reporters.csv": CATALOG["reporters.csv"] + line,
        },
    )
    office.put("sn_portal/全市.xlsx", of_two_counties(), JULY, "sn_portal")
    office.run()
    assert submission(office)["reporter"] == expected
    assert (office.known("M1", "2020-06"), office.known("M3", "2020-06")) == (100, 200)


# --- corrections by name --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "revision"),
    [
        ("汉滨区2020年6月园区月报.xlsx", 0),
        ("汉滨区2020年6月园区月报 (1).xlsx", 0),
        ("汉滨区2020年6月园区月报 - 副本.xlsx", 0),
        ("汉滨区2020年6月园区月报（终）.xls", 0),
        ("汉滨区月报（修改稿）.xlsx", 1),
        ("汉滨区月报（修正）.csv", 1),
        ("汉滨区月报-更正.xlsx", 1),
        ("汉滨区月报修改版.xlsx", 1),
        ("更正2020年6月汉滨区月报.xlsx", 1),
        ("更正6月汉滨区月报.xlsx", 1),
        ("更正六月汉滨区月报.xlsx", 1),
        ("更正件-汉滨区-2020.6.xlsx", 1),
        ("汉滨区月报更正2.xlsx", 2),
        ("汉滨区月报(更正)(2).xlsx", 1),
        ("汉滨区月报更正（第2次）.xlsx", 2),
        ("汉滨区月报第二次更正.xlsx", 2),
        ("汉滨区月报（第３次修改）.xlsx", 3),
        ("第十次更正.xlsx", 10),
        ("按修订的制度填报-汉滨区月报.xlsx", 0),
    ],
)
def test_which_correction_a_file_name_says_it_is(name, revision):
    assert revision_of(name) == revision


# --- receiving ------------------------------------------------------------------------------------


def test_time_of_receipt_is_the_receipts_else_the_first_sight(office):
    office.put("a.xlsx", b"a", JULY, "hanbin")
    office.put("b.xlsx", b"b")
    receipts = {r.file_name: r for r in take(office).receipts}
    assert receipts["a.xlsx"].received_at == "2020-07-08T01:30:00.000000+00:00"
    assert receipts["b.xlsx"].received_at == "2020-07-15T01:00:00.000000+00:00"
    assert take(office, NOW + timedelta(days=1)).receipts == []


def test_of_the_same_bytes_the_earliest_receipt_is_the_first_whatever_was_found_first(office):
    office.put("late.xlsx", b"x", JULY + timedelta(days=3), "hanbin")
    take(office)
    office.put("early.xlsx", b"x", JULY, "hanbin")
    take(office)
    assert [r.file_name for r in office.state.receipts()] == ["early.xlsx"]
    assert [r.file_name for r in office.state.repeated()] == ["late.xlsx"]


def test_a_line_of_receipts_put_right_is_believed(office):
    office.put("a.xlsx", b"a", JULY, "hanyin")
    take(office)
    lines = "file,received_at,sender\na.xlsx,2020-07-09T09:30:00+08:00,hanbin\n"
    (office.workspace.inbox / "receipts.csv").write_text(lines, encoding="utf-8")
    assert take(office).receipts == []
    (receipt,) = office.state.receipts()
    assert (receipt.sender, receipt.received_at[:10]) == ("hanbin", "2020-07-09")


def test_a_file_written_over_another_is_received_now_not_when_the_other_was(office):
    path = office.put("a.xlsx", b"first", JULY, "hanbin")
    take(office)
    path.write_bytes(b"second, by hand")
    (receipt,) = take(office).receipts
    assert receipt.received_at == "2020-07-15T01:00:00.000000+00:00"
    assert len(office.state.receipts()) == 2


def test_a_file_that_cannot_be_copied_is_told_and_tried_again(office, monkeypatch):
    office.put("hanbin/坏盘.xlsx", county_form("hanbin", "2020-06", 1))
    office.put("hanyin/好.xlsx", county_form("hanyin", "2020-06", 2))
    copy = Archive._copy

    def failing(self, path, number):
        if "坏盘" in path.name:
            raise OSError(5, "Input/output error")
        return copy(self, path, number)

    monkeypatch.setattr(Archive, "_copy", failing)
    office.run()
    (told,) = office.rows("FROM quality.finding WHERE rule_id = 'R-file-not-copied'")
    assert "坏盘" in told["message"] and told["remedy"]
    assert office.statuses() == {"好.xlsx": "accepted"}
    monkeypatch.undo()
    office.run()
    assert set(office.statuses()) == {"好.xlsx", "坏盘.xlsx"}
    assert office.rows("FROM quality.finding") == []


def test_the_copy_and_its_digest_come_from_one_reading(tmp_path):
    archive = Archive(tmp_path / "archive")
    path = tmp_path / "大.csv"
    path.write_bytes(b"1,2\n" * 800_000)
    digest, size = archive.store_file(path)
    assert archive.read(digest) == path.read_bytes() and size == 3_200_000
    assert archive.store_file(path) == (digest, size)
    assert sorted(p.name for p in (tmp_path / "archive").iterdir()) == [digest[:2]]


# --- putting into the inbox -----------------------------------------------------------------------


def test_a_delivery_lies_in_the_inbox_with_its_receipt(tmp_path):
    at = JULY.replace(tzinfo=BEIJING)
    path = deliver(tmp_path, "月报.xlsx", b"x", at, "sn_portal")
    (found,) = deliveries(tmp_path)
    assert path.read_bytes() == b"x"
    assert (found.inbox_path, found.sender) == ("月报.xlsx", "sn_portal")
    assert found.received_at == at.astimezone(UTC)


def test_the_same_delivery_again_changes_nothing_and_another_gets_a_number(tmp_path):
    at = JULY.replace(tzinfo=BEIJING)
    for data in (b"x", b"x", b"y", b"y"):
        deliver(tmp_path, "月报.xlsx", data, at, "sn_portal")
    assert [d.inbox_path for d in deliveries(tmp_path)] == ["月报(2).xlsx", "月报.xlsx"]
    assert len((tmp_path / "receipts.csv").read_text(encoding="utf-8").splitlines()) == 3


def test_a_delivery_keeps_the_columns_of_the_receipts_it_finds(tmp_path):
    heads = "sender,file,received_at,note\nhanbin,a.xlsx,2020-07-01T00:00:00+08:00,手工"
    (tmp_path / "receipts.csv").write_text(heads, encoding="utf-8-sig")
    deliver(tmp_path, "b,1.xlsx", b"x", JULY.replace(tzinfo=BEIJING), "p")
    text = (tmp_path / "receipts.csv").read_text(encoding="utf-8-sig").splitlines()
    assert text[-1] == 'p,"b,1.xlsx",2020-07-08T09:30:00+08:00,'
    (tmp_path / "a.xlsx").write_bytes(b"a")
    assert [d.sender for d in deliveries(tmp_path)] == ["hanbin", "p"]


def test_unusable_receipts_stop_a_delivery_before_anything_is_written(tmp_path):
    (tmp_path / "receipts.csv").write_text("file,received_at\na.xlsx,昨天\n", encoding="utf-8")
    with pytest.raises(ReceiptsError):
        deliver(tmp_path, "b.xlsx", b"x", JULY.replace(tzinfo=BEIJING), "p")
    assert not (tmp_path / "b.xlsx").exists()


def test_the_content_digest_is_of_sheets_texts_and_meanings_in_order():
    sheet = Sheet("表1", rows=((None, "园区", ""), (12.5, 3.0, "甲")))
    cell = CellRecord(*["x"] * 17)
    said = "\x1d表1\x1e1,2\x1f园区\x1e2,1\x1f12.5\x1e2,2\x1f3\x1e2,3\x1f甲"
    meaning = "\x1e".join([*["x"] * 8, "data"])
    expected = hashlib.sha256((said + meaning * 2).encode()).hexdigest()
    assert content_digest(Workbook("xlsx", (sheet,)), Cells([cell, cell])) == expected


def test_a_program_whose_models_differ_derives_kept_months_anew(office, monkeypatch):
    """What a former program derived wrongly must not stay beside what this one derives."""
    office.put(
        "hanbin/汉滨区2020年6月.xlsx", county_form("hanbin", "2020-06", 100), sender="hanbin"
    )
    rightly = derive.refresh_park_month

    def wrongly(connection, *words, **named):
        rightly(connection, *words, **named)
        connection.execute("UPDATE indicators.park_month SET value_ytd = value_ytd + 1")

    with monkeypatch.context() as former:
        former.setattr(derive, "refresh_park_month", wrongly)
        former.setattr(derive, "digest_of_models", lambda: "former")
        office.run()
    asked = "SELECT park_id, indicator_id, value_ytd FROM indicators.park_month ORDER BY ALL"
    before = office.rows(asked)
    office.run()
    after = office.rows(asked)
    assert [row["value_ytd"] + 1 for row in after] == [row["value_ytd"] for row in before] != []
