"""Triage, gaps and the reporters' record: what findings keep back, what stays, what each file is."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from tests.support.warehouse_cases import Case, CaseIndicator
from warehouse import filing, store
from warehouse.catalog.filing import TriagePolicy

D = Decimal
MAY, JUNE = "2020-05", "2020-06"
T1, T2, T3 = datetime(2020, 7, 8, 2), datetime(2020, 7, 9, 2), datetime(2020, 7, 10, 2)


@pytest.fixture
def case(tmp_path):
    made = Case(tmp_path, [CaseIndicator("C01"), CaseIndicator("C04")])
    made.parks(
        {"park_id": "P1", "county_code": "610902", "city_code": "610900"},
        {"park_id": "P2", "county_code": "610902", "city_code": "610900"},
    )
    return made


def cells(period, p1, p2):
    return [("P1", "C01", period, "ytd", p1), ("P1", "C04", period, "ytd", p1 + 1),
            ("P2", "C01", period, "ytd", p2), ("P2", "C04", period, "ytd", p2 + 1)]  # fmt: skip


def address(case, submission_id, park, indicator):
    (row,) = case.rows(
        "SELECT sheet, address FROM submissions.cell "
        "WHERE submission_id = ? AND park_id = ? AND indicator_id = ?",
        submission_id, park, indicator,
    )  # fmt: skip
    return row


def figures(case, period=JUNE):
    rows = case.rows(
        "SELECT park_id, indicator_id, value FROM observations.observation "
        "WHERE period = ? AND known_to IS NULL",
        period,
    )
    return {(r["park_id"], r["indicator_id"]): r["value"] for r in rows}


def status(case):
    rows = case.rows("SELECT submission_id, status FROM submissions.submission")
    return {r["submission_id"]: r["status"] for r in rows}


HOLD = TriagePolicy(triage_id="wait", verify="hold", reason="试点")


def test_an_error_keeps_back_the_park_and_not_the_others(case):
    case.deliver("s1", T1, cells(JUNE, 100, 200))
    case.find(
        "f", submission_id="s1", park_id="P1", period=JUNE, **address(case, "s1", "P1", "C01")
    )
    case.build(JUNE)
    assert figures(case) == {("P2", "C01"): D(200), ("P2", "C04"): D(201)}
    assert status(case) == {"s1": "partly"}
    assert case.rows("SELECT count(*) AS n FROM submissions.cell") == [{"n": 4}], "nothing is lost"
    (row,) = case.rows("FROM quality.triage")
    assert (row["action"], row["reach"], row["n_cells"]) == ("quarantined", "park", 2)


def test_what_was_accepted_before_stays_when_the_new_file_comes_back(case):
    case.deliver("s1", T1, cells(JUNE, 100, 200))
    case.deliver("s2", T2, cells(JUNE, 9000, 210))
    case.find("f", submission_id="s2", park_id="P1", period=JUNE)
    case.build(JUNE)
    assert figures(case)[("P1", "C01")] == D(100)
    assert figures(case)[("P2", "C01")] == D(210)


def test_a_file_that_came_back_whole_leaves_the_former_in_force(case):
    case.deliver("s1", T1, cells(JUNE, 100, 200))
    case.deliver("s2", T2, cells(JUNE, 9000, 9000))
    case.find("f1", submission_id="s2", park_id="P1", period=JUNE)
    case.find("f2", submission_id="s2", park_id="P2", period=JUNE)
    case.build(JUNE)
    assert status(case) == {"s1": "accepted", "s2": "returned"}
    assert figures(case)[("P1", "C01")] == D(100)


@pytest.mark.parametrize(
    ("policy", "severity", "where", "kept", "became"),
    [
        ([], "error", {"park_id": "P1"}, 2, "partly"),
        ([TriagePolicy(triage_id="c", error="cell", reason="x")], "error",
         {"sheet": "表1", "address": "cell"}, 3, "partly"),
        ([TriagePolicy(triage_id="f", error="file", reason="x")], "error", {"park_id": "P1"}, 0,
         "returned"),
        ([TriagePolicy(triage_id="m", error="mark", reason="x")], "error", {"park_id": "P1"}, 4,
         "partly"),
        ([], "verify", {"park_id": "P1"}, 4, "partly"),
        ([HOLD], "verify", {"park_id": "P1"}, 2, "partly"),
        ([HOLD], "verify", {}, 0, "held"),
        ([HOLD], "hint", {"park_id": "P1"}, 4, "accepted"),
    ],
    ids=["error-park", "error-cell", "error-file", "error-mark", "verify-marked", "verify-held",
         "verify-held-file", "hint-never-blocks"],
)  # fmt: skip
def test_policy_decides_how_much_is_kept_back(case, policy, severity, where, kept, became):
    case.triage = policy
    case.deliver("s1", T1, cells(JUNE, 100, 200))
    if where.get("address") == "cell":
        where = address(case, "s1", "P1", "C01")
    case.find("f", severity, submission_id="s1", period=JUNE, **where)
    case.build(JUNE)
    assert len(figures(case)) == kept
    assert status(case) == {"s1": became}


def test_a_held_figure_is_known_from_its_explanation_on(case):
    case.triage = [HOLD]
    case.deliver("s1", T1, cells(JUNE, 100, 200))
    case.find("f", "verify", submission_id="s1", park_id="P1", period=JUNE)
    case.build(JUNE)
    assert ("P1", "C01") not in figures(case)
    case.explanations = [("f", T3)]
    case.build(JUNE)
    known = case.rows(
        "SELECT park_id, known_from FROM observations.observation WHERE indicator_id = 'C01' "
        "ORDER BY park_id"
    )
    assert [r["known_from"] for r in known] == [T3, T1]
    assert case.rows("SELECT action FROM quality.triage") == [{"action": "released"}]


def test_an_error_cannot_be_explained_away(case):
    case.deliver("s1", T1, cells(JUNE, 100, 200))
    case.find("f", submission_id="s1", park_id="P1", period=JUNE)
    case.explanations = [("f", T3)]
    case.build(JUNE)
    assert ("P1", "C01") not in figures(case)


@pytest.mark.parametrize(
    ("severity", "until", "there"),
    [("verify", date(2020, 6, 30), True), ("verify", date(2020, 5, 31), False),
     ("error", date(2020, 6, 30), False)],
    ids=["waived", "waiver-has-ended", "errors-are-not-waived"],
)  # fmt: skip
def test_a_waiver_releases_from_its_day_on(case, severity, until, there):
    case.triage = [HOLD]
    case.deliver("s1", T1, cells(JUNE, 100, 200))
    case.find("f", severity, submission_id="s1", park_id="P1", period=JUNE)
    with case.warehouse.building() as connection:
        connection.execute(
            "INSERT INTO internal.waiver VALUES (1, 'r', 'P1', NULL, ?, '张三', '属实', ?)",
            [T3, until],
        )
    case.build(JUNE)
    assert (("P1", "C01") in figures(case)) is there
    known = case.rows(
        "SELECT known_from FROM observations.observation "
        "WHERE park_id = 'P1' AND indicator_id = 'C01'"
    )
    assert known == ([{"known_from": T3}] if there else [])


def test_an_error_about_several_cells_keeps_back_all_it_names(case):
    case.triage = [TriagePolicy(triage_id="c", error="cell", reason="x")]
    case.deliver("s1", T1, cells(JUNE, 100, 200))
    case.find(
        "f", submission_id="s1", park_id="P1", period=JUNE, **address(case, "s1", "P1", "C01")
    )
    with case.warehouse.building() as connection:
        connection.execute(
            "INSERT INTO quality.finding_cell BY NAME SELECT 'f' AS finding_id, 1 AS position, "
            "submission_id, sheet, address, park_id, true AS is_own, true AS is_error "
            "FROM submissions.cell WHERE park_id = 'P1'"
        )
    case.build(JUNE)
    assert set(figures(case)) == {("P2", "C01"), ("P2", "C04")}


def test_a_locked_period_is_not_triaged_anew(case):
    case.deliver("s1", T1, cells(JUNE, 100, 200))
    case.build(JUNE)
    with case.warehouse.building() as connection:
        connection.execute("INSERT INTO internal.lock VALUES (?, ?, NULL, '封账')", [JUNE, T2])
    case.find("f", submission_id="s1", park_id="P1", period=JUNE)
    case.build(JUNE)
    assert figures(case)[("P1", "C01")] == D(100)


POLICIES = [
    TriagePolicy(triage_id="default", reason="x"),
    TriagePolicy(triage_id="reading", rules=("R-*",), error="cell", reason="x"),
    TriagePolicy(triage_id="office", rules=("R-held", "R-reporter-*"), returned=False, reason="x"),
    TriagePolicy(triage_id="a", sources=("s",), verify="hold", reason="x"),
]


@pytest.mark.parametrize(
    ("rule", "source", "entry"),
    [("V040", None, "default"), ("R-unknown-park", "t", "reading"), ("R-held", None, "office"),
     ("R-reporter-unknown", "t", "office"), ("V040", "s", "a"), ("R-held", "s", "a")],
)  # fmt: skip
def test_the_most_specific_entry_applies(case, rule, source, entry):
    case.triage = POLICIES
    case.deliver("s1", T1, cells(JUNE, 100, 200), source_id=source)
    case.find("f", submission_id="s1", rule_id=rule, park_id="P1", period=JUNE)
    case.build(JUNE)
    assert case.rows("SELECT triage_id FROM quality.triage") == [{"triage_id": entry}]


# --- gaps and records -----------------------------------------------------------------------------


@pytest.fixture
def filed(case):
    """May reported in full; in June one park came back, one is missing in the file, one unreported."""
    case.parks(
        {"park_id": "P1", "county_code": "610902", "city_code": "610900"},
        {"park_id": "P2", "county_code": "610902", "city_code": "610900"},
        {"park_id": "P3", "county_code": "610902", "city_code": "610900"},
        {"park_id": "P4", "county_code": "610921", "city_code": "610900"},
    )
    with case.warehouse.building() as connection:
        store.insert_rows(connection, "dims.reporter", [
            {"reporter": "r1", "name": "甲县", "region_code": "610902", "valid_from": date(2015, 1, 1)},
            {"reporter": "r2", "name": "乙县", "region_code": "610921", "valid_from": date(2015, 1, 1)},
        ])  # fmt: skip
        due = [(MAY, "r1"), (MAY, "r2"), (JUNE, "r1"), (JUNE, "r2")]
        connection.executemany(
            "INSERT INTO internal.expected_return VALUES (?, ?, '县', DATE '2020-07-08', "
            "TIMESTAMP '2020-07-08 15:59:59', DATE '2020-07-13')", due,
        )  # fmt: skip
    case.deliver("may1", T1, [("P1", "C04", MAY, "ytd", 10), ("P2", "C04", MAY, "ytd", 20),
                              ("P3", "C04", MAY, "ytd", 30)])  # fmt: skip
    case.deliver("may2", T1, [("P4", "C04", MAY, "ytd", 40)], reporter="r2")
    case.deliver("june1", T2, [("P1", "C04", JUNE, "ytd", 11), ("P2", "C04", JUNE, "ytd", 22)])
    case.find("f", submission_id="june1", park_id="P1", period=JUNE)
    case.find("g", "verify", submission_id="june1", park_id="P2", period=JUNE)
    case.explanations = [("g", T3)]
    case.build(JUNE)
    with case.warehouse.building() as connection:
        filing.refresh_gap(connection, lead="C04", asof=store.FAR_FUTURE)
        filing.refresh_reporter_record(connection)
    return case


def test_a_gap_says_why_and_what_share_of_the_areas_it_is(filed):
    rows = filed.rows("FROM quality.gap WHERE period = ?", JUNE)
    found = {
        r["park_id"]: (r["why"], r["basis_period"], r["county_share_pct"], r["city_share_pct"])
        for r in rows
    }
    assert found == {
        "P1": ("returned", MAY, D("16.66666667"), D("10.00000000")),
        "P3": ("omitted", MAY, D("50.00000000"), D("30.00000000")),
        "P4": ("missing", MAY, D("100.00000000"), D("40.00000000")),
    }
    assert not filed.rows("FROM quality.gap WHERE period = ?", MAY)


def test_the_record_counts_lateness_returns_and_what_turned_out_in_order(filed):
    rows = filed.rows("FROM quality.reporter_record WHERE period = ? ORDER BY reporter", JUNE)
    late, absent = rows
    assert (late["punctuality"], late["days_late"]) == ("late", 1)
    assert (late["n_returned"], late["n_error"], late["n_verify"]) == (1, 1, 1)
    assert (late["n_cleared"], late["false_alarm_pct"]) == (1, D("50.00000000"))
    assert (absent["punctuality"], absent["n_files"]) == ("absent", 0)
    assert absent["days_late"] is None


def test_the_end_of_the_deadline_day_is_the_bureaus(filed):
    assert filing.due_moment("2020-07-08", "Asia/Shanghai") == datetime(
        2020, 7, 8, 15, 59, 59, 999999
    )
