"""Min-max against a published index, points by rank, and weights with missing items."""

from __future__ import annotations

import csv
from decimal import Decimal
from fractions import Fraction

import pytest

from methods import composite as c
from methods import curves
from tests.support.devdata import devdata

D = Decimal
TWO_THIRDS = Fraction(2, 3)


def _passes_outlier_check(values: list[float]) -> bool:
    """COINr leaves an indicator untreated when |skewness| < 2 or kurtosis < 3.5 (sample G1, G2)."""
    n = len(values)
    mean = sum(values) / n
    m2, m3, m4 = (sum((x - mean) ** k for x in values) / n for k in (2, 3, 4))
    skew = (n * (n - 1)) ** 0.5 / (n - 2) * m3 / m2**1.5
    kurtosis = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (m4 / m2**2 - 3) + 6)
    return abs(skew) < 2 or kurtosis < 3.5


@pytest.mark.devdata
def test_min_max_reproduces_the_asem_index() -> None:
    """COINr's ASEM example (MIT licence): indicators of 51 countries before and after min-max."""
    folder = devdata("oracle", "coinr_asem", "pipeline")
    read = {}
    for stage in ("Imputed", "Normalised"):
        with (folder / f"Data_{stage}.csv").open(encoding="utf-8") as file:
            read[stage] = {row["UnitCode"]: row for row in csv.DictReader(file)}
    with (folder / "Input_IndMeta.csv").open(encoding="utf-8") as file:
        direction = {row["IndCode"]: float(row["Direction"]) for row in csv.DictReader(file)}
    used = 0
    for code, way in direction.items():
        before = {unit: row[code] for unit, row in read["Imputed"].items()}
        if not _passes_outlier_check([float(text) for text in before.values()]):
            continue
        used += 1
        figures = [D(text) for text in before.values()]
        curve = curves.min_max(min(figures), max(figures), "high" if way > 0 else "low")
        for unit, text in before.items():
            ours = curve.at(D(text))
            published = float(read["Normalised"][unit][code])
            assert float(ours) == pytest.approx(published, abs=1e-9), (code, unit)
    assert used == 34


def test_rank_points_share_the_better_place() -> None:
    assert c.rank_points([D(3), D(9), D(3), D(1)]) == [
        D(200) / 3, D(100), D(200) / 3, D(0),
    ]  # fmt: skip
    assert c.rank_points([D(3), D(9)], "low") == [D(100), D(0)]
    assert c.rank_points([D(3)]) == [D(100)]


@pytest.mark.parametrize(
    ("share", "value"), [("0", "1"), ("0.5", "2.5"), ("0.02", "1.06"), ("1", "4")]
)
def test_quantile_is_type_seven(share: str, value: str) -> None:
    assert c.quantile([D(4), D(1), D(3), D(2)], D(share)) == D(value)


def test_quantile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        c.quantile([], D("0.5"))


def test_points_add_up_to_the_score_exactly() -> None:
    third = D(100) / 3
    found = c.weighted_score([(third, D(40)), (third, D(35)), (third, D(25))], TWO_THIRDS, 2)
    assert found.points == (D("13.33"), D("11.67"), D("8.33"))
    assert found.score == sum(p for p in found.points if p is not None) == D("33.33")


def test_missing_weight_is_spread_over_the_rest() -> None:
    found = c.weighted_score([(D(90), D(60)), (None, D(20)), (D(50), D(20))], TWO_THIRDS, 2)
    assert found.weights == (D(75), D(0), D(25))
    assert found.points == (D("67.50"), None, D("12.50"))
    assert found.score == 80


def test_exactly_two_thirds_of_the_weight_is_enough_and_less_is_not() -> None:
    items = [(D(90), D(40)), (D(50), D(20)), (None, D(30))]
    assert c.weighted_score(items, TWO_THIRDS, 2).score is not None
    short = c.weighted_score([*items[:1], (None, D(20)), items[2]], TWO_THIRDS, 2)
    assert short.score is None
    assert short.points == (None, None, None)
    assert c.rounded(short.share_pct, 1) == D("44.4")


def test_nothing_available_is_no_score_even_if_nothing_is_required() -> None:
    assert c.weighted_score([(None, D(100))], Fraction(0), 2).score is None
    with pytest.raises(ValueError, match="more than 0"):
        c.weighted_score([], TWO_THIRDS, 2)


def test_rounding_is_half_up() -> None:
    assert c.rounded(D("0.125"), 2) == D("0.13")
    assert c.rounded(D("-0.125"), 2) == D("-0.13")
