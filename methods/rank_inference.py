"""How sure a rank is: confidence sets for ranks of estimated scores.

Belongs here: Mogstad, Romano, Shaikh & Wilhelm's confidence sets for the rank of one or of every unit,
and the sets of units that may be among the best or the worst. Does not belong here: simulated ranks at
year's end (``risk``) or what is printed about them.

Source: Mogstad, Romano, Shaikh, Wilhelm (2024), "Inference for Ranks with Applications to Mobility
across Neighbourhoods and Academic Achievement across Countries", Review of Economic Studies 91(1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from methods.risk import stream

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

DRAWS = 20_000  # fewer draws move the sets' borders with the seed (PISA oracle: 1,000 do)


@dataclass(frozen=True, slots=True)
class RankSets:
    """Lowest and highest rank (each U, 1 = highest score) the data do not rule out."""

    low: Ints
    high: Ints


def rank_sets(
    scores: Floats, errors: Floats, level: float = 0.95, *, key: str, draws: int = DRAWS
) -> RankSets:
    """Two-sided confidence set of every unit's rank, each at ``level`` on its own (marginal).

    ``scores`` (U) estimates, ``errors`` (U) their standard errors, taken as independent; ``key`` seeds
    the bootstrap. Unit j's set is [1 + units significantly above, U - units significantly below],
    by max-t critical values over its U-1 differences with step-down. Memory: draws x U doubles.
    """
    noise = _noise(errors, key, draws)
    low = np.empty(len(scores), dtype=np.int32)
    high = np.empty(len(scores), dtype=np.int32)
    for unit in range(len(scores)):
        above, below = _decided(scores, errors, noise, unit, level)
        low[unit], high[unit] = 1 + above.sum(), len(scores) - below.sum()
    return RankSets(low, high)


def simultaneous_sets(
    scores: Floats, errors: Floats, level: float = 0.95, *, key: str, draws: int = DRAWS
) -> RankSets:
    """Confidence sets of all ranks that hold together with probability ``level``.

    As ``rank_sets`` with one critical value over all pairs, step-down; the sets behind "among the
    best/worst". Memory: draws doubles (pairs are folded one unit at a time).
    """
    above = _all_pairs(scores, errors, level, key, draws)
    low = 1 + above.sum(axis=1)
    high = len(scores) - above.sum(axis=0)
    return RankSets(low.astype(np.int32), high.astype(np.int32))


def tau_best(sets: RankSets, tau: int) -> Flags:
    """Units (U) that may be among the first ``tau``: from ``simultaneous_sets`` all the true ones are
    inside with its probability."""
    flags: Flags = sets.low <= tau
    return flags


def tau_worst(sets: RankSets, tau: int) -> Flags:
    """Units (U) that may be among the last ``tau``."""
    flags: Flags = sets.high >= len(sets.high) - tau + 1
    return flags


def not_distinguishable(sets: RankSets, k: int) -> Flags:
    """Units (U) whose set reaches both sides of the cut-off to the last ``k``."""
    size = len(sets.low)
    flags: Flags = (sets.high >= size - k + 1) & (sets.low <= size - k)
    return flags


def _noise(errors: Floats, key: str, draws: int) -> Floats:
    return stream(key, "rank sets").standard_normal((draws, len(errors))) * errors


def _pair_errors(errors: Floats, unit: int) -> Floats:
    spread: Floats = np.sqrt(errors**2 + errors[unit] ** 2)
    spread[unit] = np.inf
    return np.where(spread > 0, spread, np.finfo(float).tiny)


def _decided(
    scores: Floats, errors: Floats, noise: Floats, unit: int, level: float
) -> tuple[Flags, Flags]:
    """Which others are significantly above and below ``unit`` (each U), stepping down."""
    spread = _pair_errors(errors, unit)
    with np.errstate(over="ignore"):  # two units without error: infinitely far apart
        t = (scores - scores[unit]) / spread  # 0 for the unit itself
    drawn = np.abs((noise - noise[:, [unit]]) / spread)
    open_ = np.ones(len(scores), dtype=bool)
    open_[unit] = False
    while open_.any():
        critical = np.quantile(drawn[:, open_].max(axis=1), level)
        out = open_ & (np.abs(t) > critical)
        if not out.any():
            break
        open_ &= ~out
    decided = ~open_
    decided[unit] = False
    return decided & (t > 0), decided & (t < 0)


def _all_pairs(scores: Floats, errors: Floats, level: float, key: str, draws: int) -> Flags:
    """(U x U) True where the column's unit is significantly above the row's, all pairs together.

    The hypotheses are "v is not above u" for every ordered pair; a rejected pair leaves the family,
    its reverse (true by then) stays in, so the critical value falls slowly: the paper's step-down.
    """
    size = len(scores)
    noise = _noise(errors, key, draws)
    with np.errstate(over="ignore"):
        t = np.stack([(scores - scores[u]) / _pair_errors(errors, u) for u in range(size)])
    above = np.zeros((size, size), dtype=bool)
    while True:
        largest = np.full(draws, -np.inf)
        for unit in range(size):
            others = np.flatnonzero(~above[unit] & (np.arange(size) != unit))
            if len(others):
                gaps = (noise[:, others] - noise[:, [unit]]) / _pair_errors(errors, unit)[others]
                np.maximum(largest, gaps.max(axis=1), out=largest)
        found: Flags = (t > np.quantile(largest, level)) | above
        if (found == above).all():
            return above
        above = found
