"""Simulated ranks with triggers in words; never a decision."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from assets.assessment.elimination import last_places
from assets.assessment.watch import LABEL, Earlier, WatchRow, preceding, watch_list
from tests.support.assessing import ranked, scheme
from warehouse.schema import table

TEN = {f"P{n}": 95 - 5 * n for n in range(10)}


def watch(
    earlier: Earlier | None = None, scores: dict[str, Any] | None = None, **rule: Any
) -> dict[str, WatchRow]:
    rules = scheme(elimination={"n": 1} | rule)
    scored = ranked(scores or TEN)
    past = earlier.past if earlier else None
    since = {"P9": 2020} if rule.get("protect_new_years") else {}
    placed = last_places(rules, scored, past=past, listed_since=since)
    return {row.park_id: row for row in watch_list(rules, scored, placed, earlier)}


def test_every_row_is_labelled_and_unofficial() -> None:
    rows = watch(scores={**TEN, "Q": None})
    assert LABEL == "模拟名次，非正式考核结果"
    assert all(row.triggers.startswith(f"{LABEL}。") for row in rows.values())
    assert not any(row.official for row in rows.values())


def test_rows_have_the_columns_of_the_warehouse() -> None:
    columns = tuple(column.name for column in table("assessment.watch").columns)
    assert tuple(field.name for field in fields(WatchRow)) == columns


def test_first_time_in_the_last_place_is_orange() -> None:
    row = watch()["P9"]
    assert (row.simulated_rank, row.light, row.streak, row.trigger_ids) == (
        10,
        "orange",
        1,
        ("W1",),
    )
    assert "本期模拟名次第10名，位于组内10个园区的末1位" in row.triggers


def test_others_are_green_without_a_trigger() -> None:
    row = watch()["P0"]
    assert (row.light, row.trigger_ids, row.streak) == ("green", (), 0)
    assert row.triggers == f"{LABEL}。"


def test_repeated_last_place_is_red() -> None:
    row = watch(Earlier(period="2020-05", streaks={"P9": 2}))["P9"]
    assert (row.light, row.streak) == ("red", 3)
    assert row.trigger_ids == ("W1", "W4")
    assert "连续3期模拟名次位于组内末位区间" in row.triggers


def test_a_streak_continues_only_from_the_period_before() -> None:
    row = watch(Earlier(period="2020-04", streaks={"P9": 2}))["P9"]
    assert (row.streak, row.light) == (1, "orange")


@pytest.mark.parametrize(
    ("period", "before"),
    [
        ("2020-06", "2020-05"),
        ("2020-03", "2020-02"),
        ("2020-02", "2019-12"),
        ("2020-12", "2020-11"),
    ],
)
def test_there_is_no_january_period(period: str, before: str) -> None:
    assert preceding(period) == before


@pytest.mark.parametrize(
    ("park_id", "fires", "light"),
    [("P9", True, "red"), ("P8", True, "yellow"), ("P7", False, "green")],
)
def test_last_year_and_still_in_the_lower_fifth(park_id: str, fires: bool, light: str) -> None:
    row = watch(Earlier(past={park_id: {2019: True}}))[park_id]
    assert ("W2" in row.trigger_ids) is fires
    assert row.light == light


def test_last_year_means_the_year_before() -> None:
    assert watch(Earlier(past={"P8": {2018: True}}))["P8"].trigger_ids == ()


@pytest.mark.parametrize(
    ("counts", "fires"),
    [
        ({"2020-06": 2, "2020-05": 3}, True),
        ({"2020-06": 2, "2020-05": 1}, False),
        ({"2020-06": 1, "2020-05": 2}, False),
        ({"2020-06": 5}, False),
    ],
)
def test_two_red_targets_in_two_periods(counts: dict[str, int], fires: bool) -> None:
    row = watch(Earlier(red_targets={"P0": counts}))["P0"]
    assert ("W3" in row.trigger_ids) is fires
    assert row.light == ("yellow" if fires else "green")


def test_last_place_that_does_not_count_is_only_yellow() -> None:
    floor = watch(score_below=40)["P9"]
    assert (floor.light, floor.trigger_ids) == ("yellow", ("W1",))
    protected = watch(protect_new_years=1)["P9"]
    assert protected.light == "yellow"
    assert "新列入保护期内" in protected.triggers


def test_parks_that_are_not_ranked_are_listed_grey_with_the_reason() -> None:
    row = watch(scores={**TEN, "Q": None})["Q"]
    assert (row.light, row.simulated_rank) == ("grey", None)
    assert row.triggers == f"{LABEL}。漏报。"


def test_small_classes_have_no_last_place_to_watch() -> None:
    row = watch(scores={"A": 9, "B": 8})["B"]
    assert (row.light, row.trigger_ids) == ("green", ())
    assert "不设末位，只通报" in row.triggers


def test_no_probability_is_made_up() -> None:
    row = watch()["P9"]
    empty = (row.rank_p10, row.rank_p90, row.p_last_k, row.p_exit, row.not_distinguishable)
    assert empty == (None,) * 5
