"""Composite score: one figure into points, several items into one score, goalposts frozen.

Belongs here: scoring functions (功效系数, completion, min-max, rank), their goalposts and weighted
aggregation with missing items, on ``Decimal`` so that points can be recomputed by hand. Does not
belong here: who is scored, with which weights, and why a park is excluded (``assets/assessment``).

Every scoring function returns 0..100 (completion may exceed 100 up to its cap).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache

from methods import curves
from methods.curves import Better

HUNDRED = Decimal(100)
ZERO = Decimal(0)


def efficacy(
    value: Decimal,
    satisfactory: Decimal,
    unacceptable: Decimal,
    when_equal: Decimal = Decimal(60),
) -> Decimal:
    """功效系数 60 + 40·(x−x_s)/(x_h−x_s), clipped to 0..100; inverse indicators have x_h < x_s.

    x_h satisfactory (100 points), x_s unacceptable (60 points). Equal goalposts cannot tell parks
    apart: everyone gets ``when_equal`` (60 or 100, the scheme says which).
    Source: standard formula of Chinese comprehensive evaluation; published exam: x=5.81, x_h=12,
    x_s=6 gives 58.73.
    """
    points = curves.efficacy(satisfactory, unacceptable, when_equal).at(value)
    assert points is not None
    return points


def efficacy_exponential(value: float, satisfactory: float, unacceptable: float) -> float:
    """Exponential 功效系数 60·(100/60)^u, u the share of the way from x_s to x_h; not clipped.

    Oracle: u = .5 gives 77.459667.
    """
    share = (value - unacceptable) / (satisfactory - unacceptable)
    return 60 * math.exp(math.log(100 / 60) * share)


def completion_score(
    value: Decimal, target: Decimal, cap: Decimal, better: Better = "high"
) -> Decimal | None:
    """100·min(x/T, cap); low-is-better 100·min(T/x, cap); never below 0.

    ``None`` where the ratio does not exist (T ≤ 0, or low-is-better with x < 0); a low-is-better
    figure of 0 earns the cap. Oracle: 130 of 100 with cap 1.2 at weight 20 gives 24 points.
    """
    curve = curves.completion(target, cap, better)
    return None if curve is None else curve.at(value)


def min_max(value: Decimal, low: Decimal, high: Decimal, better: Better = "high") -> Decimal:
    """Position between two goalposts, 0..100, clipped; equal goalposts give 100 at or beyond them.

    Use frozen goalposts: a range of the current class makes every score depend on every other.
    """
    points = curves.min_max(low, high, better).at(value)
    assert points is not None
    return points


def rank_points(values: Sequence[Decimal], better: Better = "high") -> list[Decimal]:
    """100·(n−rank)/(n−1) with equal values sharing the better rank; a class of one gets 100."""
    if len(values) == 1:
        return [HUNDRED]
    sign = 1 if better == "high" else -1
    ordered = sorted((sign * value for value in values), reverse=True)
    first_place = {value: place for place, value in reversed(list(enumerate(ordered)))}
    steps = Decimal(len(values) - 1)
    return [(steps - first_place[sign * value]) * HUNDRED / steps for value in values]


def quantile(values: Sequence[Decimal], share: Decimal) -> Decimal:
    """Quantile with linear interpolation (R type 7, numpy default), exact in ``Decimal``."""
    if not values:
        raise ValueError("quantile of no values")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def mean_band(values: Sequence[Decimal], sds: Decimal) -> tuple[Decimal, Decimal]:
    """Mean ∓ ``sds`` sample standard deviations: between them a figure's position is its z-score
    held to ±``sds``. Needs two values."""
    mean = sum(values, ZERO) / len(values)
    spread = (sum(((x - mean) ** 2 for x in values), ZERO) / (len(values) - 1)).sqrt()
    return mean - sds * spread, mean + sds * spread


def clip(value: Decimal, low: Decimal = ZERO, high: Decimal = HUNDRED) -> Decimal:
    """``value`` held between ``low`` and ``high``."""
    return max(low, min(high, value))


@dataclass(frozen=True, slots=True)
class Composite:
    """Weighted score with the effective weight and the rounded points of every item.

    ``points`` of a missing item is ``None``; the others add up to ``score`` exactly. ``score`` is
    ``None`` when too little weight is available (``share_pct`` says how much, of 100).
    """

    score: Decimal | None
    share_pct: Decimal
    weights: tuple[Decimal, ...]
    points: tuple[Decimal | None, ...]


def weighted_score(
    items: Sequence[tuple[Decimal | None, Decimal]],
    min_share: Fraction,
    decimals: int,
) -> Composite:
    """Σ w·x / Σ w over the items that exist; ``items`` are (normalised 0..100 or None, weight).

    Missing items are not zero: their weight is spread over the rest in proportion. Below
    ``min_share`` (0..1) of the weight there is no score. Points are rounded half up to
    ``decimals`` and then added, as a reader with a pocket calculator would.
    """
    total = sum((weight for _, weight in items), ZERO)
    there = sum((weight for value, weight in items if value is not None), ZERO)
    if total <= 0:
        raise ValueError("weights must add up to more than 0")
    share_pct = there * HUNDRED / total
    short = there != total and Fraction(there) < min_share * Fraction(total)
    if there == 0 or short:
        nothing: tuple[Decimal | None, ...] = (None,) * len(items)
        return Composite(None, share_pct, (ZERO,) * len(items), nothing)
    weights = tuple(ZERO if value is None else w * HUNDRED / there for value, w in items)
    points = tuple(
        None if value is None else rounded(value * weight / there, decimals)
        for value, weight in items
    )
    score = sum((point for point in points if point is not None), ZERO)
    return Composite(score, share_pct, weights, points)


def rounded(value: Decimal, decimals: int) -> Decimal:
    """Half up (四舍五入) to ``decimals`` places."""
    return value.quantize(_place(decimals), rounding=ROUND_HALF_UP)


@cache
def _place(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)
