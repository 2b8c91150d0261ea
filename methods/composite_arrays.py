"""Composite scores on arrays: whole classes, many draws at once, and the stages of an index.

Belongs here: curves and class-relative methods evaluated with numpy, weighted aggregation with
missing figures, and the stages of a composite indicator (denominate, impute, treat, normalise,
aggregate). Does not belong here: exact points of an assessment (``methods.composite``), schemes.

Shapes: the LAST axis is the parks of a class; leading axes are draws or nothing. NaN is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float64]]

Better = Literal["high", "low"]

GOALPOST_DECIMALS = 8  # as goalposts are stored: equal figures then have equal goalposts


# --- One item -------------------------------------------------------------------------------------


def curve_points(
    figures: Array,
    x: Sequence[float] | Array,
    y: Sequence[float] | Array,
    *,
    left: Sequence[float] = (),
    reciprocal: bool = False,
) -> Array:
    """Points off a piecewise linear curve (see ``methods.curves.Curve``), elementwise."""
    import numpy as np

    given = np.asarray(figures, dtype=np.float64)
    if reciprocal:
        with np.errstate(divide="ignore"):
            given = np.where(given < 0, np.nan, 1.0 / np.abs(given))
    knots, points = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    end = np.clip(np.searchsorted(knots, given, side="right"), 1, max(len(knots) - 1, 1))
    if len(knots) == 1:
        return np.where(np.isnan(given), np.nan, points[0])
    x0, x1, y0, y1 = knots[end - 1], knots[end], points[end - 1], points[end]
    width = np.where(x1 > x0, x1 - x0, 1.0)
    inner = y0 + (y1 - y0) * (np.clip(given, knots[0], knots[-1]) - x0) / width
    inner = np.where(given < knots[0], points[0], inner)
    inner = np.where(given >= knots[-1], points[-1], inner)
    for edge in left:
        inner = np.where(given == edge, points[np.searchsorted(knots, edge, side="left")], inner)
    return np.where(np.isnan(given), np.nan, inner)


def rank_points(figures: Array, better: Better = "high") -> Array:
    """100·(n−rank)/(n−1) along the last axis, ties share the better rank; NaN stays NaN."""
    import numpy as np

    signed = np.where(np.isnan(figures), -np.inf, figures if better == "high" else -figures)
    count = np.sum(~np.isnan(figures), axis=-1, keepdims=True)
    ordered = np.sort(signed, axis=-1)
    flat, ranked = signed.reshape(-1, signed.shape[-1]), ordered.reshape(-1, signed.shape[-1])
    above = np.stack([row.size - np.searchsorted(line, row, side="right")
                      for row, line in zip(flat, ranked, strict=True)])  # fmt: skip
    places = above.reshape(signed.shape)
    spread = np.where(count > 1, count - 1, 1)
    points = np.where(count > 1, (spread - places) * 100.0 / spread, 100.0)
    return np.where(np.isnan(figures), np.nan, points)


def quantile_goalposts(figures: Array, low: float, high: float) -> tuple[Array, Array]:
    """Two quantiles (R type 7) along the last axis, kept as an axis of one; NaN left out."""
    import numpy as np

    ends = np.nanquantile(figures, [low, high], axis=-1, keepdims=True)
    return np.round(ends[0], GOALPOST_DECIMALS), np.round(ends[1], GOALPOST_DECIMALS)


def mean_goalposts(figures: Array, sds: float) -> tuple[Array, Array]:
    """Mean ∓ ``sds`` sample standard deviations along the last axis: a z-score held to ±sds."""
    import numpy as np

    mean = np.nanmean(figures, axis=-1, keepdims=True)
    sd = np.nanstd(figures, axis=-1, ddof=1, keepdims=True)
    low, high = mean - sds * sd, mean + sds * sd
    return np.round(low, GOALPOST_DECIMALS), np.round(high, GOALPOST_DECIMALS)


def min_max(figures: Array, low: Array, high: Array, better: Better = "high") -> Array:
    """0..100 between goalposts, held to that range; equal goalposts are all or nothing."""
    import numpy as np

    span = np.where(high > low, high - low, 1.0)
    share = np.clip((figures - low) * 100.0 / span, 0.0, 100.0)
    share = share if better == "high" else 100.0 - share
    reached = figures >= low if better == "high" else figures <= low
    points = np.where(high > low, share, np.where(reached, 100.0, 0.0))
    return np.where(np.isnan(figures), np.nan, points)


def efficacy(
    figures: Array, unacceptable: Array, satisfactory: Array, when_equal: float = 60.0
) -> Array:
    """功效系数 60 + 40·(x−x_s)/(x_h−x_s), held to 0..100, goalposts broadcast over draws."""
    import numpy as np

    span = satisfactory - unacceptable
    raw = 60.0 + 40.0 * (figures - unacceptable) / np.where(span != 0, span, 1.0)
    points = np.where(span != 0, np.clip(raw, 0.0, 100.0), when_equal)
    return np.where(np.isnan(figures), np.nan, points)


# --- Items into a score ---------------------------------------------------------------------------


def weighted_scores(
    points: Sequence[Array],
    weights: Sequence[float],
    min_share: float,
    decimals: int | None = None,
) -> Array:
    """Σ w·x / Σ w over the items a park has, NaN below ``min_share`` of the weight.

    ``decimals``: points are rounded half up before they are added, as on paper.
    """
    import numpy as np

    total = float(sum(weights))
    there = sum(
        np.where(np.isnan(one), 0.0, weight) for one, weight in zip(points, weights, strict=True)
    )
    base = np.where(there > 0, there, 1.0)
    score = np.zeros(np.broadcast_shapes(*(one.shape for one in points)))
    for one, weight in zip(points, weights, strict=True):
        part = np.nan_to_num(one) * weight / base
        score = score + (part if decimals is None else round_half_up(part, decimals))
    enough = (there > 0) & (there >= min_share * total * (1 - 1e-12))
    return np.where(enough, score, np.nan)


def round_half_up(values: Array, decimals: int) -> Array:
    """四舍五入 away from zero; a float within 1e-9 of a half counts as the half."""
    import numpy as np

    scale = 10.0**decimals
    return np.copysign(np.floor(np.abs(values) * scale + 0.5 + 1e-9), values) / scale


# --- Stages of a composite indicator --------------------------------------------------------------
# Source of the stages and of the treatment thresholds: OECD/JRC Handbook on Constructing Composite
# Indicators; oracle: the ASEM example of COINr (51 × 49), stage by stage.


def denominate(values: Array, denominators: Array) -> Array:
    """Figures per unit of a size: elementwise quotient, NaN where the size is 0 or missing."""
    import numpy as np

    return np.where(
        denominators != 0, values / np.where(denominators != 0, denominators, 1), np.nan
    )


def impute_group_mean(values: Array, groups: Sequence[str]) -> Array:
    """Missing figures of an indicator become the mean of the unit's group (never used for an
    assessment; an index only). Rows are units, columns indicators."""
    import numpy as np

    filled, keys = np.array(values, dtype=np.float64), np.asarray(groups)
    for key in np.unique(keys):
        rows = keys == key
        mean = np.nanmean(filled[rows], axis=0)
        filled[rows] = np.where(np.isnan(filled[rows]), mean, filled[rows])
    return filled


def skewness(x: Array) -> float:
    """Sample skewness G1 (adjusted), as spreadsheets and COINr give it."""
    import numpy as np

    n, m = len(x), x - x.mean()
    g1 = float(np.mean(m**3) / np.mean(m**2) ** 1.5)
    return float(g1 * np.sqrt(n * (n - 1)) / (n - 2))


def kurtosis(x: Array) -> float:
    """Sample excess kurtosis G2 (adjusted)."""
    import numpy as np

    n, m = len(x), x - x.mean()
    g2 = float(np.mean(m**4) / np.mean(m**2) ** 2 - 3)
    return ((n + 1) * g2 + 6) * (n - 1) / ((n - 2) * (n - 3))


def treat_outliers(
    x: Array, max_skew: float = 2.0, max_kurt: float = 3.5, most: int = 5
) -> tuple[Array, int, bool]:
    """Outliers of one indicator: (treated figures, points winsorised, whether the log was taken).

    A figure passes with |skew| < ``max_skew`` or kurtosis < ``max_kurt``. Otherwise the outermost
    point on the side of the skew is drawn in to the next value, one at a time, at most ``most``;
    where that does not help, ln(x − min + 0.01·range) of the original (COINr's "CTlog").
    Oracle: 1…10, 100 has skew 3.2556, kurtosis 10.7067, and 100 becomes 10 at the first step.
    """
    import numpy as np

    def passes(y: Array) -> bool:
        return abs(skewness(y)) < max_skew or kurtosis(y) < max_kurt

    y = np.array(x, dtype=np.float64)
    if y.max() == y.min() or passes(y):
        return y, 0, False
    for moved in range(1, most + 1):
        levels = np.unique(y)
        outer, inner = (-1, -2) if skewness(y) > 0 else (0, 1)
        drawn = y == levels[outer]
        y[drawn] = levels[inner]
        if passes(y):
            return y, moved, False
    low, span = x.min(), x.max() - x.min()
    return np.log(x - low + 0.01 * span), 0, True


def normalise_columns(values: Array, directions: Sequence[float]) -> Array:
    """Min-max 0..100 of each column over its own range; direction −1 is low-is-better."""
    import numpy as np

    signed = values * np.asarray(directions)
    low, high = np.nanmin(signed, axis=0), np.nanmax(signed, axis=0)
    return np.asarray((signed - low) / (high - low) * 100.0)


def aggregate(
    values: Mapping[str, Array],
    parents: Mapping[str, str],
    weights: Mapping[str, float],
    how: Literal["arithmetic", "geometric", "harmonic"] = "arithmetic",
) -> dict[str, Array]:
    """All levels of an index: each parent is the weighted mean of its children, leaves given.

    ``geometric`` and ``harmonic`` hold figures to at least 1 (they need positive ones).
    """
    import numpy as np

    known = dict(values)
    waiting = set(parents.values()) - set(known)
    while waiting:
        ready = sorted(
            name
            for name in waiting
            if all(child in known for child, parent in parents.items() if parent == name)
        )
        if not ready:
            raise ValueError(f"parents form a circle: {sorted(waiting)}")
        for name in ready:
            children = [child for child, parent in parents.items() if parent == name]
            share = np.array([weights.get(child, 1.0) for child in children])
            stack = np.stack([known[child] for child in children])
            known[name] = _mean(stack, share / share.sum(), how)
        waiting -= set(ready)
    return known


def _mean(stack: Array, share: Array, how: str) -> Array:
    import numpy as np

    share = share.reshape(-1, *([1] * (stack.ndim - 1)))
    if how == "geometric":
        return np.asarray(np.exp((share * np.log(np.maximum(stack, 1.0))).sum(axis=0)))
    if how == "harmonic":
        return np.asarray(1.0 / (share / np.maximum(stack, 1.0)).sum(axis=0))
    return np.asarray((share * stack).sum(axis=0))
