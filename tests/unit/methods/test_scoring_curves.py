"""Scoring curves: published instances of every method, jumps, and the same points on arrays."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from methods import composite_arrays, curves
from methods.curves import Curve

D = Decimal
Z = D(0)

XC07_EXPORT = curves.nothing_up_to(
    curves.steps(D(100), D(10), D(5) * 20, (Z, Z), (D(20), D(100))), D(80)
)
XC07_SALES = curves.steps(Z, D(10), D(100), (D(10), D(20)), (D(10), D(20)))
GX_PROJECTS = curves.steps(D(5), D(1), D(0), (D("0.1"), D(3)), (D("0.1"), D(3)))
HLJ = curves.tiered(
    D(12), D(100), [(D(10), D(5)), (D(10), D("2.5")), (None, D(100) / 60)],
    [(D(10), D(5)), (D(10), D("2.5")), (None, D(100) / 60)], Z, D(200),
)  # fmt: skip
SQ11 = curves.base_level(D(80), D(5), (D(5), D(50)))


@pytest.mark.parametrize(
    ("curve", "figure", "points"),
    [
        (curves.efficacy(D(12), D(6), D(60)), "5.81", "58.73333333333333333333333333"),
        (curves.efficacy(D(12), D(6), D(60)), "9", "80"),
        (curves.efficacy(D("0.5"), D("0.8"), D(60)), "0.65", "80"),
        (curves.efficacy(D(6), D(6), D(100)), "1", "100"),
        (curves.completion(D(100), D("1.2")), "130", "120"),
        (curves.completion(D(100), D("1.2")), "-5", "0"),
        (curves.completion(D(80), D("1.2"), "low"), "100", "80"),
        (curves.completion(D(80), D("1.2"), "low"), "0", "120"),
        (curves.completion(D(100), D(1), "high", D("0.8")), "80", "0"),
        (curves.completion(D(100), D(1), "high", D("0.8"), zero_at=False), "80", "80"),
        (curves.completion(D(100), D(1), "high", D("0.8")), "80.1", "80.1"),
        (XC07_EXPORT, "100", "100"),
        (XC07_EXPORT, "91", "100"),
        (XC07_EXPORT, "90", "80"),
        (XC07_EXPORT, "80.5", "80"),
        (XC07_EXPORT, "80", "0"),
        (XC07_SALES, "9.9", "100"),
        (XC07_SALES, "10", "110"),
        (XC07_SALES, "45", "120"),
        (XC07_SALES, "-10", "90"),
        (XC07_SALES, "-45", "80"),
        (GX_PROJECTS, "12", "0.7"),
        (GX_PROJECTS, "60", "3"),
        (GX_PROJECTS, "2", "-0.3"),
        (HLJ, "12", "100"),
        (HLJ, "17", "125"),
        (HLJ, "27", "162.5"),
        (HLJ, "7", "75"),
        (HLJ, "-100", "0"),
        (HLJ, "500", "200"),
        (SQ11, "100", "80"),
        (SQ11, "104.9", "80"),
        (SQ11, "105", "85"),
        (SQ11, "150", "130"),
        (SQ11, "300", "130"),
        (SQ11, "50", "40"),
        (curves.threshold(D(30)), "30", "100"),
        (curves.threshold(D(30), inclusive=False), "30", "0"),
        (curves.threshold(D(30), "low"), "30", "100"),
        (curves.threshold(D(30), "low"), "30.01", "0"),
        (curves.bands([(D(60), D(60)), (D(80), D(85)), (D(90), D(100))], Z, "high"), "80", "85"),
        (curves.bands([(D(60), D(60)), (D(80), D(85)), (D(90), D(100))], Z, "high"), "59", "0"),
        (curves.bands([(D(9), D(60)), (D(5), D(100))], D(10), "low"), "5", "100"),
        (curves.bands([(D(9), D(60)), (D(5), D(100))], D(10), "low"), "9", "60"),
        (curves.bands([(D(9), D(60)), (D(5), D(100))], D(10), "low"), "9.5", "10"),
        (curves.min_max(D(0), D(50), "low"), "10", "80"),
        (curves.min_max(D(7), D(7), "high"), "7", "100"),
        (curves.min_max(D(7), D(7), "low"), "7.1", "0"),
    ],
)  # fmt: skip
def test_points_of_published_rules(curve: Curve, figure: str, points: str) -> None:
    assert curve.at(D(figure)) == D(points)


def test_there_is_no_ratio_to_nothing() -> None:
    assert curves.completion(Z, D(1)) is None
    low = curves.completion(D(5), D(1), "low")
    assert low is not None
    assert low.at(D(-1)) is None


def test_too_many_steps_and_crossed_goalposts_are_refused() -> None:
    with pytest.raises(ValueError, match="more than"):
        curves.steps(Z, D(1), Z, (D("0.001"), D(9)), (Z, Z))
    with pytest.raises(ValueError, match="crossed"):
        curves.min_max(D(2), D(1))
    with pytest.raises(ValueError, match="ascending"):
        Curve((D(2), D(1)), (Z, Z))


CURVES = (
    XC07_EXPORT,
    XC07_SALES,
    GX_PROJECTS,
    HLJ,
    SQ11,
    curves.efficacy(D(6), D(12), D(60)),
    curves.completion(D(80), D("1.2"), "low"),
    curves.completion(D(80), D("1.2"), "high", D("0.8")),
    curves.threshold(D(30), "low"),
    curves.bands([(D(9), D(60)), (D(5), D(100))], D(10), "low"),
    curves.flat(D(60)),
)


@pytest.mark.parametrize("curve", CURVES)
@settings(deadline=None)
@given(figures=st.lists(st.decimals(-200, 400, places=1), min_size=1, max_size=12))
def test_arrays_give_the_points_of_the_exact_curve(curve: Curve, figures: list[D]) -> None:
    assert curve is not None
    if curve.transform == "reciprocal":  # 1/x of a knot is not exact in floats: stay off the knots
        figures = [x for x in figures if x < 0 or (x > 0 and D(1) / x not in curve.x)]
    given_figures = [float(x) for x in figures]
    found = composite_arrays.curve_points(
        np.array(given_figures),
        [float(x) for x in curve.x],
        [float(y) for y in curve.y],
        left=[float(x) for x in curve.left],
        reciprocal=curve.transform == "reciprocal",
    )
    for value, exact in zip(found, (curve.at(x) for x in figures), strict=True):
        assert np.isnan(value) if exact is None else abs(value - float(exact)) < 1e-9


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.integers(-9, 9).map(float) | st.just(float("nan")), min_size=4, max_size=4),
        min_size=1,
        max_size=5,
    )
)
def test_rank_points_of_draws_are_those_of_each_draw(draws: list[list[float]]) -> None:
    from methods.composite import rank_points

    for better in ("high", "low"):
        found = composite_arrays.rank_points(np.array(draws), better)
        for row, given_row in zip(found, draws, strict=True):
            there = [D(x) for x in map(str, given_row) if x != "nan"]
            exact = iter(rank_points(there, better) if there else [])
            for value, x in zip(row, given_row, strict=True):
                assert np.isnan(value) if np.isnan(x) else abs(value - float(next(exact))) < 1e-9
