"""A plan gives, over arrays, the scores of the assessment: the same rules in two hands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.assessment.plan import ScorePlan, score_plan
from assets.assessment.scoring import ScoreResult, score_scheme
from tests.support import judging
from tests.support.assessing import item, scheme
from warehouse.catalog.schemes import Scheme

PERIOD = "2020-06"
POLICY = {"source": "policy", "unacceptable": 0, "satisfactory": 15}
SCORINGS: dict[str, dict[str, Any]] = {
    "efficacy": {"method": "efficacy", "goalposts": POLICY},
    "min_max": {"method": "min_max", "goalposts": POLICY},
    "class quantiles": {"method": "min_max", "goalposts": {"source": "class"}},
    "class efficacy": {"method": "efficacy", "goalposts": {"source": "class"}},
    "z-score": {"method": "min_max", "goalposts": {"source": "class", "statistic": "mean_sd"}},
    "fallback": {
        "method": "min_max",
        "goalposts": {"source": "previous_year", "fallback": "class"},
    },
    "rank": {"method": "rank"},
    "tiered": {
        "method": "tiered",
        "reference": {"source": "policy", "value": 8},
        "up": [{"width": 10, "per_unit": 5}],
        "down": [{"per_unit": 5}],
        "most": 150,
    },
    "class mean": {
        "method": "tiered",
        "reference": {"source": "class_mean"},
        "up": [{"width": 10, "per_unit": 5}],
        "down": [{"per_unit": 5}],
        "most": 150,
    },
    "steps": {
        "method": "steps",
        "reference": {"source": "policy", "value": 10},
        "step": 4,
        "gain": 1,
        "most_gain": 4,
        "loss": 2,
        "most_loss": 10,
    },
    "base level": {"method": "base_level"},
    "bands": {
        "method": "bands",
        "bands": [{"limit": 3, "points": 60}, {"limit": 9, "points": 100}],
    },
    "threshold": {"method": "threshold", "limit": 8},
}


def both(chosen: Scheme, figures: dict[str, dict[str, Any]]) -> tuple[ScoreResult, ScorePlan]:
    parks = [judging.park(name) for name in figures]
    result = score_scheme(chosen, parks, judging.values(figures), {}, PERIOD)
    return result, score_plan(chosen, "全部", result.goalposts_used, period=PERIOD)


def arrays_of(plan: ScorePlan, figures: dict[str, dict[str, Any]]) -> dict[Any, np.ndarray]:
    """One draw per row: here the same figures twice."""
    found = {}
    for line in plan.lines:
        row = []
        for park in figures.values():
            figure = park.get(line.key[0]) or {}
            raw = figure.get("yoy_pct" if line.measure == "growth" else "value")
            row.append(np.nan if raw is None else float(raw))
        found[line.key] = np.array([row, row])
    return found


FIGURES = st.lists(
    st.tuples(
        st.decimals(-20, 40, places=1), st.integers(0, 20) | st.none()
    ),
    min_size=3,
    max_size=7,
)  # fmt: skip


@pytest.mark.parametrize("name", SCORINGS)
@settings(max_examples=25, deadline=None)
@given(drawn=FIGURES)
def test_a_plan_scores_as_the_assessment_does(name: str, drawn: list[tuple[Any, Any]]) -> None:
    second = {"method": "completion", "target": 10, "unit": "户", "zero_below": 0.3}
    chosen = scheme(
        items=[
            item("C04", 60, SCORINGS[name], measure="growth"),
            item("B03", 40, second),
        ],
        missing={"min_share": "1/2"},
        decimals=4,
    )
    figures = {
        f"P{place}": {
            "C04": {"value": 1, "yoy_pct": growth},
            "B03": {"value": firms, "state": "reported" if firms is not None else "unknown"},
        }
        for place, (growth, firms) in enumerate(drawn)
    }
    result, plan = both(chosen, figures)
    scores = {row.park_id: row.score for row in result.scores}
    found = plan.scores(arrays_of(plan, figures))
    assert found.shape == (2, len(figures))
    for place, park_id in enumerate(figures):
        exact = scores[park_id]
        assert exact is not None
        # A float may round the other way on an exact half of the last place of each line.
        assert abs(found[0, place] - float(exact)) <= 3e-4, (park_id, exact)
        assert found[0, place] == found[1, place]


def test_relative_lines_say_so_and_fixed_ones_have_knots() -> None:
    chosen = scheme(
        items=[
            item("C04", 30, SCORINGS["efficacy"], measure="growth"),
            item("B03", 30, {"method": "rank"}),
            item("X01", 20, SCORINGS["fallback"]),
            item("B07", 20, SCORINGS["class mean"]),
        ]
    )
    plan = score_plan(chosen, "全部", period=PERIOD)
    assert [line.relative for line in plan.lines] == [False, True, True, True]
    assert plan.lines[0].x == (-22.5, 15.0)
    assert plan.lines[0].y == (0.0, 100.0)
    assert [line.weight for line in plan.lines] == [30, 30, 20, 20]


def test_too_little_weight_is_no_score_in_a_draw_either() -> None:
    chosen = scheme()
    plan = score_plan(chosen, "全部", period=PERIOD)
    figures = {("C04", "growth"): np.array([[3.0, np.nan]]), ("B03", "value"): np.array([[5.0, 5]])}
    found = plan.scores(figures)
    assert np.isnan(found[0, 1])  # 40 of 100 is under two thirds
    assert found[0, 0] == pytest.approx(60.8)


def test_rules_on_last_places_go_with_the_plan() -> None:
    chosen = scheme(
        elimination={"pct": 10, "rounding": "up", "mode": "k_of_m", "k": 2, "m": 3,
                     "not_in": ["甲"]}
    )  # fmt: skip
    rule = score_plan(chosen, "全部", period=PERIOD).rules[0]
    assert [rule.places(n) for n in (2, 3, 10, 11, 21)] == [0, 1, 1, 2, 3]
    assert score_plan(chosen, "甲", period=PERIOD).rules[0].places(30) == 0
    assert (rule.mode, rule.k, rule.m) == ("k_of_m", 2, 3)
