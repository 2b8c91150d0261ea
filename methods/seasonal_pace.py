"""Seasonal pace: which share of a year is usually done after m months, shrunk towards the class.

Belongs here: the share of a unit from its own past years, drawn to the mean share of its class as far
as its own record is short or noisy (empirical Bayes), and the grouped statistics it rests on. Does
not belong here: year-end values (``nowcast``), their uncertainty (``intervals``), catalogue or tables.

Arrays are float64 with NaN for "not known"; units are the last axis. Pooled statistics are sums over
units in the order given, so callers sort units by class and key first (``nowcast.Panel`` does): then
the result does not depend on the order in which units were listed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CERTAIN = 1e-6
"""Shares closer than this to 0 or 1 say nothing about the year: left out of the means."""
UNKNOWN_WITHIN = 0.5
"""Share of the variance taken as year-to-year noise while no unit has two years (w = 1/2)."""


def logit(share: Floats) -> Floats:
    """log(s/(1−s)); NaN outside (1e-6, 1−1e-6)."""
    inside = (share > CERTAIN) & (share < 1 - CERTAIN)
    safe = np.where(inside, share, 0.5)
    return np.where(inside, np.log(safe / (1 - safe)), np.nan)


def expit(value: Floats) -> Floats:
    """Inverse of :func:`logit`."""
    return 1 / (1 + np.exp(-value))


@dataclass(frozen=True, slots=True)
class Groups:
    """Classes of the units: ``codes`` [U] ascending 0..n−1. Statistics skip NaN.

    A class with fewer than ``smallest`` known values takes the statistic of all units.
    """

    codes: Ints
    count: int
    smallest: int = 5

    def mean(self, values: Floats) -> Floats:
        """Mean of ``values`` [U] per class, [n]; NaN where nothing is known at all."""
        known = np.isfinite(values)
        filled = np.where(known, values, 0.0)
        n = np.bincount(self.codes[known], minlength=self.count)
        total = np.bincount(self.codes, weights=filled, minlength=self.count)
        pooled = float(filled.sum() / known.sum()) if known.any() else np.nan
        return np.where(n >= self.smallest, total / np.maximum(n, 1), pooled)

    def median(self, values: Floats) -> Floats:
        """Median of ``values`` [U] per class, [n]; NaN where nothing is known at all."""
        known = np.isfinite(values)
        seen, codes = values[known], self.codes[known]
        pooled = float(np.median(seen)) if seen.size else np.nan
        bounds = np.searchsorted(codes, np.arange(self.count + 1))
        result = np.full(self.count, pooled)
        for code in range(self.count):
            part = seen[bounds[code] : bounds[code + 1]]
            if part.size >= self.smallest:
                result[code] = np.median(part)
        return result


@dataclass(frozen=True, slots=True)
class ShareFit:
    """Pooled parameters of the seasonal share at one month, fitted once over all units.

    ``class_mean`` [n] mean logit share per class; ``within`` variance of one year's logit share
    around the unit's own mean; ``between`` variance of the units' means around their class.
    """

    class_mean: Floats
    within: float
    between: float


def fit_shares(logits: Floats, groups: Groups) -> ShareFit:
    """Pooled parameters from ``logits`` [years, U] of past years.

    σ²_w = ΣΣ(z−z̄_u)²/Σ(n_u−1); τ² = mean((z̄_u−z̄_g)²) − σ²_w·mean(1/n_u), at least 0 (moment
    estimators of the normal-normal model; Efron & Morris 1975, J. Am. Stat. Assoc. 70:311).
    """
    n, mean = _own(logits)
    class_mean = groups.mean(mean)
    seen = n > 0
    if not seen.any():
        return ShareFit(class_mean, 0.0, 0.0)
    off = np.where(seen, mean - class_mean[groups.codes], 0.0)
    spread = float((off * off).sum() / seen.sum())
    spare = int(np.maximum(n - 1, 0).sum())
    if spare == 0:
        return ShareFit(class_mean, spread * UNKNOWN_WITHIN, spread * (1 - UNKNOWN_WITHIN))
    around = np.where(np.isfinite(logits), logits - mean, 0.0)
    within = float((around * around).sum() / spare)
    noise = within * float((np.where(seen, 1 / np.maximum(n, 1), 0.0)).sum() / seen.sum())
    return ShareFit(class_mean, within, max(spread - noise, 0.0))


def shrunk_logit(logits: Floats, fit: ShareFit, codes: Ints) -> Floats:
    """w·z̄_u + (1−w)·z̄_g with w = τ²/(τ²+σ²_w/n_u), [U]; a unit without past years gets its class.

    Oracle: own share .44, class .40, n=2, σ²_w=.04, τ²=.02 → w=.5, share .419868.
    """
    n, mean = _own(logits)
    prior = fit.class_mean[codes]
    weight = own_weight(n, fit)
    return np.where(n > 0, weight * np.where(n > 0, mean, 0.0) + (1 - weight) * prior, prior)


def own_weight(n: Floats, fit: ShareFit) -> Floats:
    """Weight of a unit's own ``n`` past years; without any spread at all its own record counts."""
    noise = fit.within / np.maximum(n, 1)
    total = fit.between + noise
    return np.where(total > 0, fit.between / np.where(total > 0, total, 1.0), 1.0)


def _own(logits: Floats) -> tuple[Floats, Floats]:
    """Number of known years and their mean per unit (0 where none)."""
    n = np.zeros(logits.shape[-1])
    total = np.zeros(logits.shape[-1])
    for year in logits:  # at most a handful of years; adding rows in order fixes the rounding
        known = np.isfinite(year)
        n += known
        total += np.where(known, year, 0.0)
    return n, total / np.maximum(n, 1)
