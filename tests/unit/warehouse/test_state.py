"""The ledger: receipts once, outcomes mirrored, the reporting board."""

from __future__ import annotations

from datetime import datetime

import pytest

from warehouse.state import Receipt, State


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
    state.replace_expected("2020-06", [("r1", "甲县", "2020-07-10"), ("r2", "乙县", "2020-07-10")])
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
    state.replace_expected("2024-12", [("r1", "甲局", None), ("r2", "乙局", None)], {"r1": "all"})
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
