"""A way out: minimal by full re-ranking, honest about what one lever cannot do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from methods import risk, way_out
from methods.points import Points
from methods.risk import Item
from tests.support.risk_models import RULES, a_class

DRAWS, K = 400, 4


def chance_out(model, scores, place, i, amount):
    """By brute force: park ``place`` re-scored with ``amount`` more of lever ``i``, class re-ranked."""
    draws = way_out.own_draws(model, place, "run", scores)
    item = model.items[i]
    moved = (draws.values[i] + amount)[None, :]
    block = slice(place, place + 1)
    points = risk.item_steps(item, block, moved, 10.0**model.decimals)[0]
    changed = scores.copy()
    changed[place] += points - draws.points[i]
    lower = (changed < changed[place]).sum(axis=0)
    return float(np.mean(lower >= K))


@pytest.fixture(scope="module")
def world():
    """Six classes of 30 parks with their simulated scores."""
    worlds = []
    for seed in range(6):
        model = a_class(30, seed)
        worlds.append((model, risk.simulate(model, "run", DRAWS)))
    return worlds


def test_the_amount_is_minimal_by_full_reranking_in_120_cases(world):
    checked = 0
    for model, scores in world:
        cut = way_out.cuts(scores, K)
        p_last = risk.rank_risk(scores, K).p_last
        for place in np.argsort(-p_last)[:9]:
            draws = way_out.own_draws(model, int(place), "run", scores)
            assert (draws.score == scores[place]).all()
            for i, found in enumerate(way_out.way_out(model, int(place), draws, cut)):
                if not np.isfinite(found.amount) or found.amount == 0:
                    continue
                more, less = found.amount * 1.0005, found.amount * 0.9995
                assert chance_out(model, scores, place, i, more) >= 0.8
                assert chance_out(model, scores, place, i, less) < 0.8
                checked += 1
    assert checked >= 100


def test_nothing_is_needed_when_the_park_is_out_already_and_inf_when_one_lever_cannot(world):
    model, scores = world[0]
    cut = way_out.cuts(scores, K)
    best = int(risk.rank_risk(scores, K).p_last.argmin())
    draws = way_out.own_draws(model, best, "run", scores)
    assert [found.amount for found in way_out.way_out(model, best, draws, cut)] == [0, 0, 0]
    worst = int(scores.mean(axis=1).argmin())
    helpless = replace(model, items=(*model.items[:2], replace(model.items[2],
        weight=np.zeros(30))))  # fmt: skip
    again = risk.simulate(helpless, "run", DRAWS)
    worst = int(again.mean(axis=1).argmin())
    found = way_out.way_out(
        helpless, worst, way_out.own_draws(helpless, worst, "run", again), way_out.cuts(again, K)
    )
    assert abs(found[2].amount) == np.inf and found[2].surprise == 1.0


def test_less_is_asked_of_a_figure_that_should_fall(world):
    model, scores = world[1]
    cut = way_out.cuts(scores, K)
    asked = []
    for place in np.argsort(scores.mean(axis=1))[:6]:
        draws = way_out.own_draws(model, int(place), "run", scores)
        asked.append(way_out.way_out(model, int(place), draws, cut)[2].amount)
    assert all(amount <= 0 for amount in asked) and any(np.isfinite(a) and a < 0 for a in asked)


def test_a_lever_that_feeds_two_items_is_solved_together():
    """Growth and level of one indicator: the amount is smaller than either item alone would need."""
    model = a_class(30, 7)
    level = Item("C04", Points((0.0, 200.0), (0.0, 100.0)), np.full(30, 0.4),
        model.items[0].centre, model.items[0].scale, np.ones(30), np.zeros(30))  # fmt: skip
    both = replace(model, items=(*model.items, level))
    scores = risk.simulate(both, "run", DRAWS)
    cut = way_out.cuts(scores, K)
    place = int(risk.rank_risk(scores, K).p_last.argmax())
    draws = way_out.own_draws(both, place, "run", scores)
    amount = way_out.way_out(both, place, draws, cut)[0].amount

    def out(extra):
        gained = sum(
            risk.item_steps(both.items[i], slice(place, place + 1),
                (draws.values[i] + extra)[None, :], 100.0)[0] - draws.points[i]
            for i in (0, 3))  # fmt: skip
        return np.mean(draws.score + gained > way_out.to_beat(cut, draws.score))

    assert out(amount * 1.0005) >= 0.8 > out(amount * 0.9995)


def test_a_bundle_moves_its_levers_by_the_least_common_share(world):
    model, scores = world[2]
    cut = way_out.cuts(scores, K)
    place = int(risk.rank_risk(scores, K).p_last.argmax())
    draws = way_out.own_draws(model, place, "run", scores)
    mix = {"C04": 1.0, "C10": 1.0, "E01": -1.0}
    share = way_out.bundle(model, place, draws, cut, mix)
    single = way_out.bundle(model, place, draws, cut, {"C04": 1.0})
    assert 0 < share < single
    assert way_out.bundle(model, place, draws, cut, {"E01": 1.0}) == np.inf


def test_there_is_no_way_out_of_a_class_that_is_all_last():
    with pytest.raises(ValueError, match="no way out"):
        way_out.cuts(np.zeros((3, 4), np.int32), 3)


def test_rules_of_the_fixture_rise_or_fall():
    assert [rule.direction for rule in RULES] == [1, 1, -1]
