"""The last places of a class: ties, small groups, floors, protection, several years."""

from __future__ import annotations

from typing import Any

import pytest

from assets.assessment.elimination import LastPlace, last_places
from assets.assessment.scoring import ScoreResult
from tests.support import judging
from tests.support.assessing import ranked, scheme


def places(rule: dict[str, Any], scores: dict[str, Any], **more: Any) -> dict[str, LastPlace]:
    found = last_places(scheme(elimination=rule), ranked(scores), **more)
    return {place.park_id: place for place in found}


FIVE = {"A": 90, "B": 80, "C": 70, "D": 50, "E": 40}


def test_no_rule_no_places() -> None:
    assert last_places(scheme(), ranked(FIVE)) == []


def test_last_two_of_five() -> None:
    found = places({"n": 2}, FIVE)
    assert [p for p, place in found.items() if place.in_last_k] == ["D", "E"]
    assert (
        found["E"].reason
        == "位于组内5个园区的末2位；如年度考核仍在末位，即达到方案规定的“当年末位”"
    )
    assert found["A"].reason == ""
    assert not any(place.official for place in found.values())


@pytest.mark.parametrize(("size", "k"), [(2, 0), (3, 1), (29, 1), (30, 2), (50, 3)])
def test_places_as_a_share_of_the_class(size: int, k: int) -> None:
    scores = {f"P{n:02d}": 100 - n for n in range(size)}
    assert places({"pct": 5}, scores)["P00"].k == k


def test_a_class_smaller_than_two_n_plus_one_has_no_last_places() -> None:
    found = places({"n": 2}, {"A": 90, "B": 80, "C": 70, "D": 50})
    assert not any(place.in_last_k for place in found.values())
    assert found["D"].reason == "组内参与排名园区4个，少于设末位的最少个数，不设末位，只通报"
    assert places({"n": 2, "min_group": 4}, {"A": 90, "B": 80, "C": 70, "D": 50})["D"].in_last_k


def test_parks_not_ranked_are_not_counted() -> None:
    found = places({"n": 1}, {"A": 90, "B": 80, "C": None, "D": None})
    assert set(found) == {"A", "B"}
    assert found["B"].k == 0


def test_a_tie_at_the_cut_takes_all_in_and_says_so() -> None:
    found = places({"n": 1}, {"A": 90, "B": 80, "C": 50, "D": 50})
    assert [p for p, place in found.items() if place.in_last_k] == ["C", "D"]
    assert found["C"].tied
    assert "同分并列，按规则都列入" in found["C"].reason


def test_a_tie_may_be_settled_by_growth() -> None:
    rule = {"n": 1, "ties": "better_of_growth", "tie_growth": "C04"}
    values = judging.values(
        {"C": {"C04": {"value": 1, "yoy_pct": 3}}, "D": {"C04": {"value": 1, "yoy_pct": 8}}}
    )
    found = places(rule, {"A": 90, "B": 80, "C": 50, "D": 50}, values=values)
    assert [p for p, place in found.items() if place.in_last_k] == ["C"]
    assert found["D"].reason == "与末1位的界限同分，按并列规则不列入末位"


def test_scores_at_or_over_the_floor_do_not_count() -> None:
    found = places({"n": 1, "score_below": 60}, {"A": 90, "B": 80, "C": 60})
    assert found["C"].in_last_k
    assert not found["C"].counts
    assert "得分60不低于60分，不计入末位年份" in found["C"].reason
    assert places({"n": 1, "score_below": 60}, {"A": 90, "B": 80, "C": 59.99})["C"].counts


@pytest.mark.parametrize(("since", "protected"), [(2020, True), (2019, False), (None, False)])
def test_new_parks_are_protected(since: int | None, protected: bool) -> None:
    listed = {} if since is None else {"E": since}
    found = places({"n": 1, "protect_new_years": 1}, FIVE, listed_since=listed)["E"]
    assert (found.in_last_k, found.protected, found.counts) == (True, protected, not protected)


TWO_OF_THREE = {"n": 1, "mode": "k_of_m", "k": 2, "m": 3}
IN_A_ROW = {"n": 1, "mode": "consecutive", "k": 2}


@pytest.mark.parametrize(
    ("rule", "past", "fulfilled"),
    [
        (TWO_OF_THREE, {2019: True}, True),
        (TWO_OF_THREE, {2018: True, 2019: False}, True),
        (TWO_OF_THREE, {2017: True, 2018: False, 2019: False}, False),
        (TWO_OF_THREE, {2017: True, 2019: False}, True),  # 2018 not assessed
        (TWO_OF_THREE, {}, False),
        (IN_A_ROW, {2019: True}, True),
        (IN_A_ROW, {2018: True}, False),  # 2019 not assessed: the run starts again
        (IN_A_ROW | {"gap_resets": False}, {2018: True}, True),
    ],
)
def test_years_add_up(rule: dict[str, Any], past: dict[int, bool], fulfilled: bool) -> None:
    found = places(rule, FIVE, past={"E": past})["E"]
    assert found.fulfilled is fulfilled
    assert ("即达到方案规定的" in found.reason) is fulfilled


def test_a_protected_year_does_not_add_up() -> None:
    rule = TWO_OF_THREE | {"protect_new_years": 1}
    found = places(rule, FIVE, past={"E": {2019: True}}, listed_since={"E": 2020})["E"]
    assert not found.fulfilled


def test_classes_are_cut_separately() -> None:
    first, second = ranked(FIVE, "关中"), ranked({"X": 30, "Y": 20, "Z": 10}, "陕南")
    both = ScoreResult(first.scores + second.scores, (), ())
    found = last_places(scheme(elimination={"n": 1}), both)
    assert [place.park_id for place in found if place.in_last_k] == ["E", "Z"]
