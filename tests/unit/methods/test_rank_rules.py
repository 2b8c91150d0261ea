"""Ranks with ties, the last k and rules over several years."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from methods import ranking as r

D = Decimal
SCORES = {"a": D(90), "b": D(80), "c": D(80), "d": D(70), "e": D(60)}


def test_equal_scores_share_a_rank_and_the_next_is_skipped() -> None:
    assert r.ranks([D(80), D(90), None, D(80), D(70)]) == [2, 1, None, 2, 4]


@pytest.mark.parametrize(
    ("size", "n", "pct", "count"),
    [(20, None, "5", 1), (30, None, "5", 2), (29, None, "5", 1), (9, None, "5", 1), (9, 2, None, 2),
     (50, None, "5", 3)],
)  # fmt: skip
def test_places_by_number_or_share(size, n, pct, count) -> None:  # type: ignore[no-untyped-def]
    assert r.last_count(size, n, None if pct is None else D(pct)) == count


def test_places_need_exactly_one_way_to_count() -> None:
    with pytest.raises(ValueError, match="either"):
        r.last_count(10, 1, D(5))
    with pytest.raises(ValueError, match="either"):
        r.last_count(10)


def test_last_k_without_a_tie() -> None:
    found = r.last_k(SCORES, 2)
    assert (found.members, found.tied) == (frozenset("de"), frozenset())


def test_a_tie_inside_the_last_k_is_no_question() -> None:
    assert r.last_k(SCORES, 4).members == frozenset("bcde")
    assert r.last_k(SCORES, 4).tied == frozenset()


@pytest.mark.parametrize(
    ("ties", "growth", "members", "spared"),
    [
        ("all_in", {}, "bcde", ""),
        ("none", {}, "de", "bc"),
        ("better_of_growth", {"b": D(5), "c": D(3)}, "cde", "b"),
        ("better_of_growth", {"b": D(5), "c": D(5)}, "bcde", ""),
        ("better_of_growth", {"b": D(5)}, "cde", "b"),  # unknown growth is not a merit
        ("better_of_growth", {}, "bcde", ""),
    ],
)
def test_a_tie_across_the_cut(ties, growth, members, spared) -> None:  # type: ignore[no-untyped-def]
    found = r.last_k(SCORES, 3, ties, growth)
    assert found.members == frozenset(members)
    assert found.spared == frozenset(spared)


def test_no_places_or_no_scores() -> None:
    assert r.last_k(SCORES, 0).members == frozenset()
    assert r.last_k({}, 2).members == frozenset()
    assert r.last_k({"a": D(1)}, 5).members == frozenset("a")


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 5).map(Decimal), min_size=1),
    st.integers(1, 5),
)
def test_all_in_takes_at_least_k_and_nobody_below_stays_out(
    scores: dict[str, Decimal], k: int
) -> None:
    found = r.last_k(scores, k)
    outside = [score for key, score in scores.items() if key not in found.members]
    assert len(found.members) >= min(k, len(scores))
    assert all(scores[key] < score for key in found.members for score in outside)
    assert len(r.last_k(scores, k, "none").members) <= k


TWO_IN_A_ROW = r.Window("consecutive", 2)
TWO_OF_THREE = r.Window("k_of_m", 2, 3)


@pytest.mark.parametrize(
    ("years", "consecutive", "k_of_m"),
    [
        ({2019: True, 2020: True}, True, True),
        ({2018: True, 2019: False, 2020: True}, False, True),
        ({2017: True, 2018: False, 2019: False, 2020: True}, False, False),
        ({2018: True, 2020: True}, False, True),  # 2019 not assessed
        ({2016: True, 2018: False, 2020: True}, False, True),  # three assessed years
        ({2018: True, 2019: True, 2020: False}, False, False),  # not last this year
        ({2020: True}, False, False),
        ({}, False, False),
    ],
)
def test_rules_over_several_years(years, consecutive, k_of_m) -> None:  # type: ignore[no-untyped-def]
    assert r.in_window(years, TWO_IN_A_ROW) is consecutive
    assert r.in_window(years, TWO_OF_THREE) is k_of_m


def test_a_gap_may_be_told_not_to_break_a_run() -> None:
    lenient = r.Window("consecutive", 2, gap_resets=False)
    assert r.in_window({2018: True, 2020: True}, lenient)
    assert r.run_length({2018: True, 2020: True}) == 1


def test_single_year_rule_looks_at_this_year_only() -> None:
    single = r.Window("single")
    assert r.in_window({2019: False, 2020: True}, single)
    assert not r.in_window({2019: True, 2020: False}, single)


@pytest.mark.parametrize(
    ("window", "count"), [(TWO_OF_THREE, 2), (TWO_IN_A_ROW, 1), (r.Window("single"), 1)]
)
def test_years_counted_towards_the_rule(window: r.Window, count: int) -> None:
    assert r.years_counted({2017: True, 2018: True, 2019: False, 2020: True}, window) == count
