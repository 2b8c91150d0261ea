"""Risk of ending last: exact sums, ties shared, own streams, rules over years, printed words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from methods import risk
from methods.points import Points
from methods.risk_words import printable
from tests.support.risk_models import a_class


@pytest.mark.parametrize(
    ("scores", "k", "share"),
    [
        ([3, 1, 2], 1, [0, 1, 0]),
        ([1, 1, 2], 1, [0.5, 0.5, 0]),
        ([1, 1, 1, 5], 2, [2 / 3, 2 / 3, 2 / 3, 0]),
        ([1, 2, 2, 9], 2, [1, 0.5, 0.5, 0]),
        ([4, 5], 5, [1, 1]),
        ([4, 5], 0, [0, 0]),
    ],
)
def test_ties_at_the_cut_share_the_places_left(scores, k, share):
    got = risk.last_share(np.array(scores, dtype=np.int32)[:, None], k)[:, 0]
    assert got == pytest.approx(share)


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.int32, (9, 7), elements=st.integers(-5, 5)), st.integers(0, 9))
def test_every_draw_adds_up_to_k(scores, k):
    assert risk.last_share(scores, k).sum(axis=0) == pytest.approx(np.full(7, k))


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.int32, (8, 5), elements=st.integers(-4, 4)))
def test_ranks_count_the_higher_scores(scores):
    expected = 1 + (scores[None, :, :] > scores[:, None, :]).sum(axis=1)
    assert (risk.ranks_in_draws(scores) == expected).all()


def test_probabilities_of_a_class_add_up_and_rank_percentiles_are_ordered():
    scores = risk.simulate(a_class(40, seed=3), "2020-06/x", 500)
    found = risk.rank_risk(scores, 4, chunk=64)
    assert found.p_last.sum() == pytest.approx(4, abs=1e-9)
    assert (found.rank_p10 <= found.rank_p50).all() and (found.rank_p50 <= found.rank_p90).all()
    assert found.error.max() <= 0.5 / np.sqrt(500) + 1e-12
    weakest = found.p_last.argmax()
    assert found.rank_p50[weakest] > 30  # the park most at risk stands near the end


def test_any_order_partition_or_number_of_threads_gives_the_same_bits():
    whole = a_class(90, seed=5)
    scores = risk.simulate(whole, "2020-06/x", 300)
    assert risk.digest(risk.simulate(whole, "2020-06/x", 300, threads=3)) == risk.digest(scores)
    picked = np.random.default_rng(0).permutation(90)[:37]
    alone = risk.simulate(a_class(90, seed=5, keep=picked), "2020-06/x", 300)
    assert (alone == scores[picked]).all()
    assert risk.digest(risk.simulate(whole, "2020-07/x", 300)) != risk.digest(scores)


def test_without_past_errors_the_forecast_stands_still():
    model = a_class(6, seed=1, errors=0)
    scores = risk.simulate(model, "r", 50)
    assert (scores == scores[:, :1]).all()


def test_a_common_shock_makes_parks_of_a_class_move_together():
    def together(common):
        scores = risk.simulate(a_class(20, seed=2, common=common), "r", 800)
        moves = np.corrcoef(scores)
        return moves[np.triu_indices(20, 1)].mean()

    assert abs(together(0.0)) < 0.05
    assert together(2.0) > 0.3


def rule(size, **said):
    flags = {"due": np.ones(size, bool), "spared": np.zeros(size, bool)} | said
    return risk.ExitRule(**flags)


def test_exit_needs_the_years_before_unless_the_floor_is_broken():
    scores = np.array([[100, 100], [300, 100], [500, 500]], dtype=np.int32)
    due = np.array([False, True, True])
    assert risk.exit_probability(scores, 1, rule(3, due=due)) == pytest.approx([0, 0.25, 0])
    floor = risk.exit_probability(scores, 1, rule(3, due=due, floor=2.0))
    assert floor == pytest.approx([1, 0.5, 0])
    below = risk.exit_probability(scores, 1, rule(3, below=2.0))
    assert below == pytest.approx([0.5 + 0.25, 0.25, 0])
    assert risk.exit_probability(scores, 1, rule(3, below=1.0)) == pytest.approx([0, 0, 0])
    spared = np.array([True, False, False])
    assert risk.exit_probability(scores, 1, rule(3, floor=2.0, spared=spared))[0] == 0


def test_when_places_are_short_the_lowest_average_leaves_first():
    """Both in the last two; one seat: the average with the year before decides (商务部2021)."""
    scores = np.array([[200], [100], [900]], dtype=np.int32)
    past = {"past_sum": np.array([1.0, 50.0, 0.0]), "past_n": np.ones(3)}
    assert risk.exit_probability(scores, 2, rule(3, slots=1, **past)) == pytest.approx([1, 0, 0])
    assert risk.exit_probability(scores, 2, rule(3, slots=1)) == pytest.approx([0, 1, 0])


@pytest.mark.parametrize(
    ("p", "draws", "text"),
    [(0.0, 2000, "低于2%"), (1.0, 2000, "高于98%"), (0.354, 2000, "35%"), (0.03, 20, "低于5%")],
)
def test_never_nought_and_never_a_hundred_per_cent(p, draws, text):
    assert printable(p, draws) == text


def test_weights_that_may_be_off_spread_the_ranks_of_close_parks_only():
    points = np.array([[90.0, 90.0], [50.0, 10.0], [10.0, 49.0], [5.0, 5.0]])
    low, high = risk.weight_sensitivity(points, "w")
    assert low.tolist() == [1, 2, 2, 4] and high.tolist() == [1, 3, 3, 4]


def test_errors_that_came_together_are_drawn_together():
    whole = np.random.default_rng(0).normal(size=(40, 2))
    gaps = whole.copy()
    gaps[::2, 1] = np.nan
    assert (risk.joint_errors(whole) == whole).all()
    paired = risk.joint_errors(gaps, enough=30)
    assert sorted(paired[:, 0]) == pytest.approx(sorted(whole[:, 0]))
    assert set(np.round(paired[:, 1], 9)) == set(np.round(whole[1::2, 1], 9))
    assert risk.joint_errors(np.full((3, 2), np.nan)).shape == (0, 2)


def test_points_fixed_beforehand_count_and_rank_rules_see_the_class():
    model = a_class(3, seed=1, errors=0)
    plain = risk.simulate(model, "r", 2)
    more = risk.simulate(
        risk.Model(model.class_key, model.parks, model.items, model.shocks, np.array([0, 1.5, -2]))
        , "r", 2)  # fmt: skip
    assert (more - plain)[:, 0].tolist() == [0, 150, -200]


def test_a_rule_that_compares_parks_sees_the_whole_class_in_every_draw():
    def best_gets_all(figures):
        return 100.0 * (figures == np.nanmax(figures, axis=-1, keepdims=True))

    model = a_class(50, seed=4)
    item = replace(model.items[1], rule=best_gets_all)
    scores = risk.simulate(replace(model, items=(item,)), "r", 40)
    assert set(np.unique(scores)) == {0, 3000}
    assert ((scores == 3000).sum(axis=0) == 1).all()
    absent = replace(item, weight=np.where(np.arange(50) == scores[:, 0].argmax(), 0, 0.3))
    assert risk.simulate(replace(model, items=(absent,)), "r", 40)[:, 0].argmax() != scores[
        :, 0].argmax()  # fmt: skip


def test_what_is_there_already_cannot_be_lost_and_growth_on_a_small_base_is_held():
    model = a_class(8, seed=6)
    whole = np.full(8, 100 / 20)
    item = replace(model.items[0], slope=whole, offset=np.full(8, -100.0))
    block, rows = slice(0, 8), risk.drawn_rows(model, slice(0, 8), "r", 200)
    floor = item.centre * 0.98
    floored = replace(item, floor=floor)
    values = risk.values_of(model, floored, block, rows, risk.class_shock(model, "r", 200))
    assert (values >= floor[:, None]).all() and (values == floor[:, None]).any()
    capped = replace(item, cap=np.full(8, 100.0))
    assert risk.figures_of(capped, block, values).max() == 100.0


def test_a_rule_without_knots_is_flat():
    assert Points((0.0,), (3.0,)).best == 3.0
