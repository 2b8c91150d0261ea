"""Points of a figure: the published rules, jumps, and the inverse that a way out rests on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from methods.points import Points

EFFICACY = Points((6 - 9, 6, 12), (0, 60, 100))  # 功效系数 between 不允许值 6 and 满意值 12
INVERSE = Points((0.5, 0.8), (100, 60))
STEPS = Points((0, 10, 10, 20, 20), (0, 0, 5, 5, 10))
AT_MOST = Points((0.5, 0.5, 0.8, 0.8), (10, 5, 5, 0), left=(0.5, 0.8))
LESS_IS_BETTER = Points((0.0, 2.4), (0, 120), reciprocal=True)  # 100·min(T/x, 1.2), T = 0.5


@pytest.mark.parametrize(
    ("rule", "figure", "points"),
    [
        (EFFICACY, 5.81, 58.733333),  # the published exam answer 58.73
        (EFFICACY, 9, 80),
        (EFFICACY, 15, 100),
        (INVERSE, 0.65, 80),
        (INVERSE, 0.4, 100),
        (STEPS, 9.999, 0),
        (STEPS, 10, 5),  # 达到10的得5分
        (STEPS, 20, 10),
        (AT_MOST, 0.5, 10),  # 不超过0.5的得10分
        (AT_MOST, 0.51, 5),
        (AT_MOST, 0.8, 5),
        (AT_MOST, 0.81, 0),
        (Points((1.0,), (7.0,)), -5, 7),
        (LESS_IS_BETTER, 0.5, 100),
        (LESS_IS_BETTER, 1.0, 50),
        (LESS_IS_BETTER, 0.1, 120),
        (LESS_IS_BETTER, 0.0, 120),
    ],
)
def test_points_of_a_figure(rule, figure, points):
    assert rule(np.array([float(figure)]))[0] == pytest.approx(points, abs=1e-6)


def test_a_missing_figure_has_no_points():
    assert all(math.isnan(rule(np.array([np.nan]))[0]) for rule in (EFFICACY, INVERSE, STEPS))


@pytest.mark.parametrize("knots", [((), ()), ((1, 2), (0,)), ((2, 1), (0, 1))])
def test_knots_that_make_no_function_are_refused(knots):
    with pytest.raises(ValueError, match=r"points need|knots"):
        Points(*knots)


def test_a_rule_that_rises_and_falls_has_no_inverse():
    with pytest.raises(ValueError, match="no inverse"):
        Points((0, 1, 2), (0, 1, 0)).least(np.array([0.5]))


def made(xs, ys, left, falls, reciprocal):
    x = tuple(sorted(abs(x) / 10 for x in xs) if reciprocal else sorted(xs))
    return Points(x, tuple(sorted(ys, reverse=falls)), x if left else (), reciprocal)


rules = st.builds(
    made,
    st.lists(st.integers(-50, 50).map(float), min_size=4, max_size=4),
    st.lists(st.integers(0, 100).map(float), min_size=4, max_size=4),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(rules, st.floats(0, 100), st.floats(-60, 60))
def test_the_least_figure_earns_the_points_and_nothing_poorer_does(rule, wanted, figure):
    """Rising rules: f ≥ least(w) exactly when points(f) ≥ w; falling ones the other way round."""
    least = rule.least(np.array([wanted]))[0]
    enough = rule(np.array([figure]))[0] >= wanted - 1e-9
    near = abs(figure - least) < 1e-6 or (rule.reciprocal and figure < 0)
    rising = rule.direction > 0
    reached = figure >= least if rising else figure <= least
    assert near or reached == enough or abs(rule(np.array([figure]))[0] - wanted) < 1e-6
