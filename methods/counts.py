"""Chances of counts: how many of several units will pass a bar.

Belongs here: the exact distribution of a count of unlike chances. Does not belong here: the chances
themselves (``intervals``), targets.
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
