"""Which delivery counts when: withdrawals, locks, holds, versions, and what the figures rest on."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from tests.support.warehouse_cases import Case, CaseIndicator

JULY, AUGUST, SEPTEMBER = datetime(2020, 7, 8), datetime(2020, 8, 20), datetime(2020, 9, 1)


@pytest.fixture
def case(tmp_path):
    return Case(tmp_path, [CaseIndicator("C01")])


def june(value):
    return [("P1", "C01", "2020-06", "ytd", value)]


def vintages(case, period="2020-06"):
    rows = case.rows("FROM observations.observation WHERE period = ? ORDER BY known_from", period)
    return [(int(r["value"]), r["known_from"], r["known_to"], r["submission_id"]) for r in rows]


def outcomes(case):
    rows = case.rows(
        "SELECT submission_id, version_no, status FROM submissions.submission ORDER BY 1"
    )
    return [tuple(row.values()) for row in rows]


def withdraw(case, submission_id, at, restored=None):
    with case.warehouse.building() as connection:
        connection.execute(
            "INSERT INTO internal.withdrawal VALUES (?, ?, ?, '已撤回:数字有误')",
            [submission_id, at, restored],
        )


def lock(case, period, at, until=None):
    from warehouse import derive

    with case.warehouse.building() as connection:
        connection.execute("DELETE FROM internal.lock WHERE period = ?", [period])
        connection.execute(
            "INSERT INTO internal.lock VALUES (?, ?, ?, '封账')", [period, at, until]
        )
        derive.mark_affected(connection, [period])


def test_withdrawing_the_correction_makes_the_original_current_again_from_then_on(case):
    case.deliver("s1", JULY, june(100))
    case.deliver("s2", AUGUST, june(110))
    case.build("2020-06")
    withdraw(case, "s2", SEPTEMBER)
    case.build("2020-06")
    assert vintages(case) == [
        (100, JULY, AUGUST, "s1"), (110, AUGUST, SEPTEMBER, "s2"), (100, SEPTEMBER, None, "s1")
    ]  # fmt: skip
    assert outcomes(case) == [("s1", 1, "accepted"), ("s2", 2, "returned")]


def test_withdrawing_the_only_file_leaves_nothing_from_then_on(case):
    case.deliver("s1", JULY, june(100))
    case.build("2020-06")
    withdraw(case, "s1", SEPTEMBER)
    case.build("2020-06")
    assert vintages(case) == [(100, JULY, SEPTEMBER, "s1")]
    assert case.rows("FROM indicators.park_month") == []
    case.build("2020-06")
    assert case.rows("SELECT reason FROM submissions.submission") == [{"reason": "已撤回:数字有误"}]


def test_an_acceptance_after_the_withdrawal_brings_the_file_back(case):
    case.deliver("s1", JULY, june(100))
    withdraw(case, "s1", AUGUST, SEPTEMBER)
    case.build("2020-06")
    assert vintages(case) == [(100, JULY, AUGUST, "s1"), (100, SEPTEMBER, None, "s1")]
    assert outcomes(case) == [("s1", 1, "accepted")]


def test_a_value_two_files_say_rests_on_the_other_when_the_first_is_withdrawn(case):
    case.deliver("s1", JULY, june(100))
    case.deliver("s2", AUGUST, june(100))
    case.build("2020-06")
    assert vintages(case) == [(100, JULY, None, "s1")]
    withdraw(case, "s1", SEPTEMBER)
    case.build("2020-06")
    assert vintages(case) == [(100, JULY, SEPTEMBER, "s1"), (100, SEPTEMBER, None, "s2")]


def test_a_withdrawal_of_a_superseded_file_changes_no_figure(case):
    case.deliver("s1", JULY, june(100))
    case.deliver("s2", AUGUST, june(110))
    withdraw(case, "s1", SEPTEMBER)
    case.build("2020-06")
    assert vintages(case) == [(100, JULY, AUGUST, "s1"), (110, AUGUST, None, "s2")]
    assert outcomes(case) == [("s1", 1, "returned"), ("s2", 2, "accepted")]


def test_withdrawn_values_are_still_there_as_of_before(case):
    case.deliver("s1", JULY, june(100))
    withdraw(case, "s1", SEPTEMBER)
    case.build("2020-06", asof="2020-08-31 00:00:00")
    (row,) = case.rows("FROM indicators.park_month")
    assert row["value_ytd"] == Decimal(100)


def test_a_later_return_that_repeats_an_earlier_period_wins_by_receipt(case):
    case.deliver("july", AUGUST, [("P1", "C01", "2020-07", "ytd", 130), *june(105)])
    case.deliver("june", JULY, june(100))
    case.build("2020-07")
    assert vintages(case) == [(100, JULY, AUGUST, "june"), (105, AUGUST, None, "july")]
    assert outcomes(case) == [("july", 1, "accepted"), ("june", 1, "accepted")]


def test_a_locked_periods_figures_inside_another_periods_file_wait(case):
    case.deliver("june", JULY, june(100))
    lock(case, "2020-06", datetime(2020, 7, 20))
    case.deliver("july", AUGUST, [("P1", "C01", "2020-07", "ytd", 130), *june(105)])
    case.build("2020-07")
    assert vintages(case) == [(100, JULY, None, "june")]
    assert vintages(case, "2020-07") == [(130, AUGUST, None, "july")]
    (row,) = case.rows("FROM submissions.submission WHERE submission_id = 'july'")
    assert (row["status"], row["reason"]) == ("partly", "其中 2020-06 的数值在封账后收到,未采用")
    lock(case, "2020-06", datetime(2020, 7, 20), SEPTEMBER)
    case.build("2020-07")
    assert vintages(case) == [(100, JULY, SEPTEMBER, "june"), (105, SEPTEMBER, None, "july")]
    (row,) = case.rows("FROM submissions.submission WHERE submission_id = 'july'")
    assert (row["status"], row["reason"]) == ("accepted", None)


def test_a_file_received_before_the_lock_counts_although_it_is_processed_after_it(case):
    lock(case, "2020-06", AUGUST)
    case.deliver("s1", JULY, june(100))
    case.build("2020-06")
    assert vintages(case) == [(100, JULY, None, "s1")]


def test_unusable_files_have_a_version_and_replace_nothing(case):
    case.deliver("s1", JULY, june(100))
    case.deliver("s2", AUGUST, june(999))
    with case.warehouse.building() as connection:
        connection.execute(
            "INSERT INTO internal.reading (submission_id, catalogue_digest, status, reason) "
            "VALUES ('s2', '', 'returned', '园区不属该单位')"
        )
    case.build("2020-06")
    assert outcomes(case) == [("s1", 1, "accepted"), ("s2", 2, "returned")]
    assert vintages(case) == [(100, JULY, None, "s1")]


def test_a_file_of_nobody_waits_and_when_accepted_counts_from_then(case):
    case.deliver("s1", JULY, june(100), reporter=None)
    with case.warehouse.building() as connection:
        connection.execute(
            "INSERT INTO internal.reading (submission_id, catalogue_digest, status, reason) "
            "VALUES ('s1', '', 'held', '填报单位不明')"
        )
    case.build("2020-06")
    assert vintages(case) == [] and outcomes(case) == [("s1", None, "held")]
    with case.warehouse.building() as connection:
        connection.execute("INSERT INTO internal.acceptance VALUES ('s1', ?)", [AUGUST])
    case.build("2020-06")
    assert vintages(case) == [(100, AUGUST, None, "s1")]
    assert outcomes(case) == [("s1", None, "accepted")]


def test_an_accepted_duplicate_counts_as_the_newer_word(case):
    """甲报一百,更正为一百一十,又把第一份另存再报:判为重复;核实后采用,则回到一百。"""
    case.deliver("s1", JULY, june(100))
    case.deliver("s2", AUGUST, june(110))
    case.deliver("s3", datetime(2020, 8, 25), june(100))
    with case.warehouse.building() as connection:
        connection.executemany(
            "INSERT INTO internal.reading (submission_id, content_digest, catalogue_digest) "
            "VALUES (?, 'same', '')", [["s1"], ["s3"]],
        )  # fmt: skip
    case.build("2020-06")
    assert outcomes(case)[2] == ("s3", None, "duplicate")
    assert [v[0] for v in vintages(case)] == [100, 110]
    with case.warehouse.building() as connection:
        connection.execute("INSERT INTO internal.acceptance VALUES ('s3', ?)", [SEPTEMBER])
    case.build("2020-06")
    assert outcomes(case)[2] == ("s3", 3, "accepted")
    assert vintages(case)[1:] == [(110, AUGUST, SEPTEMBER, "s2"), (100, SEPTEMBER, None, "s3")]
