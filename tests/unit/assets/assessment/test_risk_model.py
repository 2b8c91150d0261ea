"""A scheme's class as a simulation: same rules as the score, missing figures spread, years counted."""

from __future__ import annotations

import numpy as np
import pytest

from assets.assessment.plan import PlanLine, PlanRule, ScorePlan
from assets.assessment.predictions import Prediction, carried_forward
from assets.assessment.risk_model import Years, class_model, park_risks, simulated
from methods.intervals import error_model, fit_errors
from warehouse.catalog.scheme_rules import Elimination

PARKS = tuple(f"P{i:02d}" for i in range(12))


def prediction(seed, parks=PARKS, spread=0.1, prior=True):
    rng = np.random.default_rng(seed)
    center = rng.lognormal(4, 0.5, len(parks))
    stats = fit_errors(rng.normal(0, spread, (3, 1, len(parks))))
    before = center / rng.lognormal(0.05, 0.2, len(parks)) if prior else np.full(len(parks), np.nan)
    return Prediction(parks, error_model(stats, 0, center), before, center / 2)


def line(indicator, measure="growth", weight=50.0, x=(-30.0, 60.0), y=(0.0, 100.0), **said):
    return PlanLine((indicator,), measure, "high", weight, "min_max", False, x, y, **said)


def plan(*lines, missing_is_zero=False):
    rule = Elimination(n=2, mode="k_of_m", k=2, m=3)
    rules = (PlanRule("last_places", "all_in", None, None, "k_of_m", 2, 3, True, 0, False, True,
                      rule, "c"),)  # fmt: skip
    return ScorePlan("s", "c", 12, 2, 0.5, missing_is_zero, lines, rules)


def years(**said):
    base = {"year": 2020, "past": {}, "scores": {}, "spared": frozenset()}
    return Years(**(base | said))


def risks(made, the_plan, **said):
    return park_risks(simulated({"c": made}, "run", 400), the_plan.rules[0], years(**said), "run")


def test_scores_of_the_simulation_are_those_of_the_plan():
    """With nothing left open, every draw is the score the scheme itself gives."""
    the_plan = plan(line("A"), line("B", "value", x=(20.0, 150.0)))
    sure = {name: prediction(seed, spread=1e-12) for seed, name in enumerate("AB")}
    made = class_model(the_plan, PARKS, sure)
    scores = simulated({"c": made}, "run", 3).scores / 100
    growth = 100 * (sure["A"].model.center / sure["A"].prior - 1)
    expected = the_plan.scores({("A", "growth"): growth, ("B", "value"): sure["B"].model.center})
    assert scores[:, 0] == pytest.approx(expected, abs=0.011)


def test_probabilities_add_up_to_the_places_and_only_a_second_year_means_exit():
    the_plan = plan(line("A"), line("B"))
    made = class_model(the_plan, PARKS, {"A": prediction(1), "B": prediction(2)})
    found = risks(made, the_plan)
    assert sum(row.p_last_k for row in found) == pytest.approx(2, abs=1e-9)
    assert all(row.p_exit == 0 for row in found)  # nobody was last before
    worst = max(found, key=lambda row: row.p_last_k)
    again = risks(made, the_plan, past={worst.park_id: {2019: True}})
    by_park = {row.park_id: row for row in again}
    assert by_park[worst.park_id].p_exit == pytest.approx(worst.p_last_k)
    spared = risks(made, the_plan, past={worst.park_id: {2019: True}},
                   spared=frozenset({worst.park_id}))  # fmt: skip
    assert {row.park_id: row.p_exit for row in spared}[worst.park_id] == 0


def test_a_missing_figure_spreads_its_weight_or_counts_nothing_as_the_scheme_says():
    some = prediction(3, PARKS[:6])
    spread = class_model(plan(line("A"), line("B")), PARKS, {"A": prediction(1), "B": some})
    weights = np.stack([item.weight for item in spread.model.items])
    assert weights[:, 0] == pytest.approx([0.5, 0.5]) and weights[:, 11] == pytest.approx([1, 0])
    zero = class_model(plan(line("A"), line("B"), missing_is_zero=True), PARKS,
                       {"A": prediction(1), "B": some})  # fmt: skip
    assert np.stack([item.weight for item in zero.model.items])[:, 11] == pytest.approx([0.5, 0])
    nowhere = class_model(plan(line("A"), line("X")), PARKS, {"A": prediction(1)})
    assert [item.lever for item in nowhere.model.items] == ["A"]


def test_growth_on_a_small_base_is_held_and_without_a_base_it_is_missing():
    the_plan = plan(line("A", small_base=1e9, growth_cap=20.0))
    made = class_model(the_plan, PARKS, {"A": prediction(1)})
    assert made.model.items[0].cap is not None and set(made.model.items[0].cap) == {20.0}
    bare = class_model(plan(line("A")), PARKS, {"A": prediction(1, prior=False)})
    assert bare.model.items == ()


def test_the_share_of_weight_with_known_errors_is_told():
    still = carried_forward({park: 5.0 + i for i, park in enumerate(PARKS)}, {}, {})
    made = class_model(plan(line("A", weight=75.0), line("B", "value", 25.0)), PARKS,
                       {"A": prediction(1), "B": still})  # fmt: skip
    found = risks(made, plan(line("A")))
    assert {round(row.calibrated_pct, 6) for row in found} == {75.0}


def test_a_stock_moves_as_it_did_last_year():
    now = dict.fromkeys(PARKS, 100.0)
    then = dict.fromkeys(PARKS, 50.0)
    end = {park: 60.0 * (1 + 0.01 * i) for i, park in enumerate(PARKS)}
    carried = carried_forward(now, then, end)
    assert carried.model.center == pytest.approx(np.full(12, 120 * 1.0549), rel=1e-3)
    assert carried.model.link == "log" and carried.model.calibrated.all()
    assert (carried.model.scale > 0).all() and carried.prior == pytest.approx(list(end.values()))
    below = carried_forward({"P1": -5.0}, {"P1": 10.0}, {"P1": 20.0})
    assert below.model.link == "scale" and below.model.center[0] == pytest.approx(5.0)
    over = carried_forward(now, then, end, finished=True)
    assert over.model.center.tolist() == [100.0] * 12 and (over.model.scale == 0).all()
