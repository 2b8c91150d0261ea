"""The stages of a composite indicator: denominate, impute, treat outliers, normalise, aggregate.

Belongs here: the stages as published indices have them, so that an index can be recomputed and set
beside our scores. No assessment uses them: a class is scored on frozen goalposts, no figure is
imputed and none is drawn in. Does not belong here: scores of parks (``composite``, ``composite_arrays``).

Source of the stages and of the treatment thresholds: OECD/JRC Handbook on Constructing Composite
Indicators; oracle: the ASEM example of COINr (51 × 49), stage by stage. Rows are units, columns
indicators; NaN is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from methods.composite_arrays import Array


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
