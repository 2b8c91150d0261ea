"""Composite scores on arrays: whole classes, many draws at once.

Belongs here: curves and class-relative methods evaluated with numpy, weighted aggregation with
missing figures. Does not belong here: exact points of an assessment (``methods.composite``), the
stages of a published index (``methods.index_stages``), schemes.

Shapes: the LAST axis is the parks of a class; leading axes are draws or nothing. NaN is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
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
