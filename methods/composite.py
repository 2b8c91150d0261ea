"""Composite score: points by rank, goalposts of a class, several items into one score.

Belongs here: what needs the other parks of the class (rank points, quantiles, mean bands) and
weighted aggregation with missing items, on ``Decimal`` so that points can be recomputed by hand.
Does not belong here: one figure into points (``methods.curves``), who is scored, with which
weights, and why a park is excluded (``assets/assessment``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache

from methods.curves import Better

HUNDRED = Decimal(100)
ZERO = Decimal(0)


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
