"""The ledger: receipts once, outcomes mirrored, the reporting board."""

from __future__ import annotations

from datetime import datetime

import pytest

from warehouse.state import Decision, Receipt, State, spans


def receipt(sha256="a" * 64, path="x.xlsx", received="2020-07-08T01:00:00+00:00", **extra):
    values = {"sha256": sha256, "inbox_path": path, "file_name": path, "bytes": 10,
              "received_at": received, "sender": "r1", "modified_ns": 5, "repeated": False}  # fmt: skip
    return Receipt(**(values | extra))


def outcome(sha256, status, reporter="r1", received=datetime(2020, 7, 8), **extra):
    values = {"submission_id": sha256, "file_name": f"{sha256}.xlsx", "source_id": "s",
              "reporter": reporter, "period": "2020-06", "received_at": received, "version_no": 1,
              "status": status, "reason": None, "n_findings": 0}  # fmt: skip
    return values | extra


@pytest.fixture
def state(tmp_path):
    return State(tmp_path / "state.sqlite")


def test_a_receipt_is_recorded_once(state):
    state.add_receipts([receipt(), receipt()])
    state.add_receipts([receipt()])
    assert state.receipts() == [receipt()]


def test_the_same_bytes_under_another_name_are_kept_as_repeated(state):
    state.add_receipts([receipt(), receipt(path="y.xlsx", repeated=True)])
    assert [r.inbox_path for r in state.receipts()] == ["x.xlsx"]
    assert [r.inbox_path for r in state.repeated()] == ["y.xlsx"]


def test_known_files_are_recognised_without_reading_them(state):
    state.add_receipts([receipt()])
    assert state.known_files() == {("x.xlsx", 10, 5): receipt()}


def test_receipts_come_in_order_of_receipt(state):
    late = receipt("b" * 64, "b.xlsx", "2020-08-01T00:00:00+00:00")
    state.add_receipts([late, receipt()])
    assert state.receipts() == [receipt(), late]


def test_board_shows_the_newest_readable_delivery_and_who_is_missing(state):
    state.replace_expected(
        {"2020-06": [("r1", "甲县", "2020-07-10"), ("r2", "乙县", "2020-07-10")]}
    )
    state.replace_outcomes([
        outcome("first", "superseded"),
        outcome("second", "partly", received=datetime(2020, 7, 20), n_findings=2),
        outcome("broken", "rejected", received=datetime(2020, 7, 25)),
    ])  # fmt: skip
    board = state.board("2020-06")
    assert [(row["name"], row["status"], row["n_findings"]) for row in board] == [
        ("甲县", "partly", 2),
        ("乙县", None, 0),
    ]


def test_a_workbook_with_its_whole_history_covers_a_period_it_is_not_filed_under(state):
    state.replace_outcomes([outcome("all", "accepted", period="2025-04")])
    state.replace_expected(
        {"2024-12": [("r1", "甲局", None), ("r2", "乙局", None)]}, {("2024-12", "r1"): "all"}
    )
    assert [row["status"] for row in state.board("2024-12")] == ["accepted", None]


def test_unread_files_without_a_period_are_troubled_in_every_period(state):
    state.replace_outcomes([outcome("x", "rejected", period=None), outcome("y", "accepted")])
    assert [row["sha256"] for row in state.troubled("2020-06")] == ["x"]


def test_runs_are_listed_newest_first(state):
    state.start_run("one", "2020-05", "2020-06-12T00:00:00")
    state.start_run("two", "2020-06", "2020-07-12T00:00:00")
    state.finish_run("two", "2020-07-12T00:01:00", "done", "应报 2")
    assert [(run["run_id"], run["status"]) for run in state.runs()] == [
        ("two", "done"), ("one", "running")]  # fmt: skip


# --- decisions, repeats, sources ------------------------------------------------------------------


def decision(kind, subject="2020-06", at="2020-07-20T10:00:00+00:00", reason="更正"):
    return Decision(kind, subject, at, "张三", reason)


def test_the_earliest_receipt_is_the_first_whatever_was_recorded_first(state):
    late = receipt(path="late.xlsx", received="2020-07-09T01:00:00+00:00")
    early = receipt(path="early.xlsx", sender=None, repeated=True)
    state.add_receipts([late])
    state.add_receipts([early])
    (first,) = state.receipts()
    assert (first.inbox_path, first.sender) == (
        "early.xlsx",
        "r1",
    )  # the other one names the sender
    assert [r.inbox_path for r in state.repeated()] == ["late.xlsx"]
    state.replace_outcomes([outcome("a" * 64, "accepted")])
    (repeat,) = state.repeats("2020-06")
    assert (repeat["repeats"], repeat["status"]) == ("early.xlsx", "accepted")
    assert state.repeats("2020-05") == []


def test_a_decision_that_stands_is_not_recorded_again(state):
    said = ["lock", "lock", "unlock", "unlock", "lock", "withdraw", "withdraw", "accept", "accept"]
    times = [f"2020-07-20T1{n}:00:00+00:00" for n in range(9)]
    recorded = [state.decide(decision(kind, at=at)) for kind, at in zip(said, times, strict=True)]
    assert recorded == [True, False, True, False, True, True, False, True, False]
    assert [d.kind for d in state.decisions()] == [
        "lock", "unlock", "lock", "withdraw", "accept"]  # fmt: skip


def test_what_is_not_locked_cannot_be_unlocked_but_anything_can_be_accepted_once(state):
    assert state.decide(decision("unlock")) is False
    assert state.decide(decision("accept", "a" * 64)) is True
    assert state.decide(decision("accept", "a" * 64)) is False


def test_many_at_once_record_one_decision(state):
    from concurrent.futures import ThreadPoolExecutor

    state.periods()  # the file is there
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(state.decide, [decision("lock")] * 16))
    assert answers.count(True) == 1 and len(state.decisions()) == 1


def test_spans_of_locks_and_withdrawals(state):
    for kind, subject, hour in (
        ("lock", "2020-05", 1), ("lock", "2020-06", 2), ("unlock", "2020-05", 3),
        ("lock", "2020-05", 4), ("withdraw", "a" * 64, 5),
    ):  # fmt: skip
        state.decide(decision(kind, subject, f"2020-07-20T0{hour}:00:00+00:00"))
    found = [
        (s.subject, s.began.at[11:13], s.ended and s.ended.at[11:13])
        for s in spans(state.decisions(), "lock")
    ]
    assert found == [("2020-05", "01", "03"), ("2020-06", "02", None), ("2020-05", "04", None)]
    assert [s.subject for s in spans(state.decisions(), "withdraw")] == ["a" * 64]


def test_submissions_are_found_by_the_beginning_of_their_number(state):
    state.add_receipts([receipt("ab" * 32), receipt("ac" * 32, "y.xlsx")])
    assert [row["file_name"] for row in state.starting_with("abab")] == ["x.xlsx"]
    assert len(state.starting_with("a")) == 2
    assert state.starting_with("a%") == []


def test_what_is_known_of_a_source_is_kept_per_address(state):
    state.save_pull_state("portal", "https://a/1", {"etag": '"1"', "failures": 0})
    state.save_pull_state("portal", "https://a/2", {"failures": 3, "retry_at": "2020-07-20"})
    state.save_pull_state("portal", "https://a/1", {"etag": '"2"', "failures": 0})
    assert state.pull_state("portal", "https://a/1") == {"etag": '"2"', "failures": 0}
    assert state.pull_state("portal", "https://a/3") is None
    assert [(row["failures"], row["retry_at"]) for row in state.pulls()] == [
        (0, None),
        (3, "2020-07-20"),
    ]


def test_the_board_prefers_the_version_that_counts(state):
    state.replace_expected({"2020-06": [("r1", "甲县", None)]})
    state.replace_outcomes([
        outcome("first", "accepted"),
        outcome("second", "returned", received=datetime(2020, 7, 20), version_no=2),
        outcome("third", "duplicate", received=datetime(2020, 7, 25), version_no=None),
    ])  # fmt: skip
    assert [(row["sha256"], row["status"]) for row in state.board("2020-06")] == [
        ("first", "accepted")
    ]
    state.replace_outcomes([outcome("second", "late_locked"), outcome("broken", "rejected")])
    assert [row["status"] for row in state.board("2020-06")] == ["late_locked"]
