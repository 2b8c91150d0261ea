"""Chances of counts: how many of several units will pass a bar, how many firms will be born.

Belongs here: the exact distribution of a count of unlike chances and the Gamma-Poisson forecast of
births. Does not belong here: the chances themselves (``intervals``), targets.
"""

from __future__ import annotations

import math

import numpy as np

from methods.seasonal_pace import Floats


def count_distribution(chances: Floats) -> Floats:
    """P(N = 0..n) of the number of successes of independent, unlike chances [..., n] → [..., n+1].

    Poisson-binomial by dynamic programming, exact to rounding. Oracle: chances .9, .6, .5, .2 give
    .016 .188 .430 .312 .054.
    """
    n = chances.shape[-1]
    pmf = np.zeros((*chances.shape[:-1], n + 1))
    pmf[..., 0] = 1.0
    for k in range(n):
        p = chances[..., k : k + 1]
        pmf[..., 1:] = pmf[..., 1:] * (1 - p) + pmf[..., :-1] * p
        pmf[..., 0] = pmf[..., 0] * (1 - p[..., 0])
    return pmf


def at_least(pmf: Floats, bar: float) -> Floats:
    """P(N ≥ bar) from a distribution [..., n+1]; ``bar`` may be a fraction (rounded up)."""
    first = min(max(math.ceil(bar), 0), pmf.shape[-1])
    return np.asarray(pmf[..., first:].sum(axis=-1))


def births_at_least(
    shape: float, rate: float, seen: int, gone: float, left: float, bar: int
) -> float:
    """P(at least ``bar`` births in the ``left`` years to come) after ``seen`` births in ``gone`` years,
    births a year Gamma(``shape``, ``rate``) beforehand: negative binomial posterior predictive.

    Oracle: Γ(6, 2), 2 births in ½ year → Γ(8, 2.5); next ½ year P(≥1) = .767432, P(≥3) = .224773.
    """
    if bar <= 0:
        return 1.0
    a, b = shape + seen, rate + gone
    p = b / (b + left)
    below = math.fsum(
        math.exp(math.lgamma(a + k) - math.lgamma(a) - math.lgamma(k + 1)) * p**a * (1 - p) ** k
        for k in range(bar)
    )
    return max(0.0, 1.0 - below)
