"""Risk of ending last: the forecast's error model run through the scoring rules, draw by draw.

Belongs here: simulated scores of a class, the probability of the last k and of exit, spread of
ranks, sensitivity to weights, as arrays. Does not belong here: the forecast itself (``nowcast``), who
is in a class and what its rules are (``assets/assessment``), words (bulletins).

Model: figure j of park u at year's end is centre·exp(scale·(ε + κ·t)) (or centre + scale·(ε + κ·t)
for figures that may be negative), ε drawn as a vector over the figures from past standardised errors
(a joint bootstrap keeps their correlation and tails), t one Student shock a class and draw. Scores are
whole numbers of the smallest printed step, so ties are exact and sums do not depend on order. Every
park has its own stream, keyed by run, class and park: any partition, order or number of threads gives
the same bits. Source: parametric/joint bootstrap of forecast errors; fractional ties keep Σp = k.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from methods.points import Points

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]
# Points of rules that compare parks with each other: figures (draws x parks) -> points, same shape.
Relative = Callable[[Floats], Floats]

BLOCK = 32  # parks simulated together: a block's arrays stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Item:
    """One scored figure of a class of U parks.

    ``rule``: points by figure, before weighting, or by all figures of the class (rank points).
    ``weight`` (U): points are multiplied by it, 0 where the park's figure is missing. The figure
    scored is ``offset + slope·Y`` (each U), at most ``cap`` (U, growth on a small base), Y the
    indicator's value at year's end, at least ``floor`` (U, what is there already): growth has slope
    100/last year and offset -100. ``centre`` (U) and ``scale`` (U) describe Y; ``additive`` figures
    may be negative. ``lever`` names the indicator that Y is: items of one lever move together.
    """

    lever: str
    rule: Points | Relative
    weight: Floats
    centre: Floats
    scale: Floats
    slope: Floats
    offset: Floats
    additive: bool = False
    floor: Floats | None = None
    cap: Floats | None = None


@dataclass(frozen=True, slots=True)
class Shocks:
    """Past standardised errors as rows over the levers (E x L), the class shock's size per lever (L),
    its degrees of freedom, and the levers' names in column order."""

    levers: tuple[str, ...]
    errors: Floats
    common: Floats
    dof: float


@dataclass(frozen=True, slots=True)
class Model:
    """A class ready to be simulated: parks in any order, their scored figures, fixed points (U, e.g.
    additions, penalties, figures that are final) and the printed step of a score (``decimals``)."""

    class_key: str
    parks: tuple[str, ...]
    items: tuple[Item, ...]
    shocks: Shocks
    fixed: Floats
    decimals: int = 2


def stream(*key: str) -> np.random.Generator:
    """Random stream of its own for ``key``; the same on every machine."""
    digest = hashlib.blake2b("\x1f".join(key).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(digest, dtype=np.uint64)))


def simulate(model: Model, run: str, draws: int = 2000, threads: int = 1) -> Ints:
    """Scores (U x D) in steps of 10^-decimals, park by park.

    ``run`` names the assessment and period (e.g. ``2020-06/shaanxi_key``); it seeds every stream.
    """
    size = len(model.parks)
    scores = np.empty((size, draws), dtype=np.int32)
    compared = [
        (item, np.empty((size, draws))) for item in model.items if not isinstance(item.rule, Points)
    ]
    common = class_shock(model, run, draws)
    starts = range(0, size, BLOCK)

    def fill(start: int) -> None:
        block = slice(start, min(start + BLOCK, size))
        scores[block] = _block_scores(model, block, run, common, compared)

    if threads <= 1 or size <= BLOCK:
        for start in starts:
            fill(start)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, starts))
    for item, figures in compared:
        scores += compared_steps(item, figures, 10.0**model.decimals)
    return scores


def class_shock(model: Model, run: str, draws: int) -> Floats:
    """The shock all parks of the class share, one a draw (D)."""
    if not len(model.shocks.errors):
        return np.zeros(draws)
    shock: Floats = stream(run, "class", model.class_key).standard_t(model.shocks.dof, draws)
    return shock


def values_of(
    model: Model, item: Item, block: slice, rows: NDArray[np.int64], common: Floats
) -> Floats:
    """Year-end values (B x D) of an item's indicator for the parks of ``block``."""
    shocks = model.shocks
    lever = shocks.levers.index(item.lever)
    pool = shocks.errors[:, lever] if len(shocks.errors) else np.zeros(1)
    drawn: Floats = np.ascontiguousarray(pool)[rows]
    drawn += shocks.common[lever] * common
    drawn *= item.scale[block, None]
    if item.additive:
        drawn += item.centre[block, None]
    else:
        np.exp(drawn, out=drawn)
        drawn *= item.centre[block, None]
    if item.floor is not None:
        np.maximum(drawn, item.floor[block, None], out=drawn)
    return drawn


def drawn_rows(model: Model, block: slice, run: str, draws: int) -> NDArray[np.int64]:
    """Which past error each park of ``block`` draws (B x D)."""
    pool = max(len(model.shocks.errors), 1)
    return np.stack(
        [stream(run, "park", park).integers(0, pool, size=draws) for park in model.parks[block]]
    )


def _block_scores(
    model: Model, block: slice, run: str, common: Floats, compared: list[tuple[Item, Floats]]
) -> Ints:
    """Scores of a block by its pointwise items; figures of the others go into ``compared``."""
    step = 10.0**model.decimals
    rows = drawn_rows(model, block, run, len(common))
    total = np.empty(rows.shape, dtype=np.int32)
    total[:] = whole_steps(model.fixed[block] * step)[:, None]
    kept = iter(compared)
    for item in model.items:
        figures = figures_of(item, block, values_of(model, item, block, rows, common))
        if isinstance(item.rule, Points):
            total += _steps(item, block, item.rule(figures), step)
        else:
            next(kept)[1][block] = figures
    return total


def figures_of(item: Item, block: slice, values: Floats) -> Floats:
    """Figures that are scored (B x D) from year-end ``values``, which are overwritten."""
    values *= item.slope[block, None]
    values += item.offset[block, None]
    if item.cap is not None:
        np.minimum(values, item.cap[block, None], out=values)
    return values


def item_steps(item: Item, block: slice, values: Floats, step: float) -> Ints:
    """Weighted points of a pointwise item in whole steps (B x D); ``values`` are overwritten."""
    assert isinstance(item.rule, Points)
    return _steps(item, block, item.rule(figures_of(item, block, values)), step)


def compared_steps(item: Item, figures: Floats, step: float) -> Ints:
    """Weighted points of an item that compares parks (U x D); parks of weight 0 are not compared."""
    assert not isinstance(item.rule, Points)
    seen = np.where(item.weight[:, None] > 0, figures, np.nan)
    return _steps(item, slice(None), item.rule(seen.T).T.copy(), step)


def _steps(item: Item, block: slice, points: Floats, step: float) -> Ints:
    points *= item.weight[block, None] * step
    np.nan_to_num(points, copy=False, nan=0.0)
    return whole_steps(points)


def whole_steps(points: Floats) -> Ints:
    """Rounded half up to whole steps; a hair below a half counts as the half, as Decimal would."""
    return np.floor(points + (0.5 + 1e-9)).astype(np.int32)


# --- What the draws say ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RankRisk:
    """Per park (U): probability of the last k, its Monte Carlo error, rank P10, P50 and P90."""

    p_last: Floats
    error: Floats
    rank_p10: Ints
    rank_p50: Ints
    rank_p90: Ints


def last_share(scores: Ints, k: int) -> Floats:
    """How far each park is in the last ``k`` in each draw (U x D), 0..1: parks level with the cut
    share the places left, so every draw adds up to min(k, U) exactly."""
    size = len(scores)
    if k <= 0:
        return np.zeros(scores.shape)
    if k >= size:
        return np.ones(scores.shape)
    cut = np.partition(scores, k - 1, axis=0)[k - 1]
    below = scores < cut
    level = scores == cut
    share = (k - below.sum(axis=0)) / level.sum(axis=0)
    return np.where(below, 1.0, np.where(level, share, 0.0))


def rank_risk(scores: Ints, k: int, chunk: int = 256) -> RankRisk:
    """Probabilities and spread of ranks from simulated ``scores`` (U x D); rank 1 is the highest
    score, equal scores share the better rank. Memory beside ``scores``: one rank table (U x D)."""
    size, draws = scores.shape
    place = np.empty((size, draws), dtype=np.int16 if size < 32_000 else np.int32)
    p_last = np.zeros(size)
    for start in range(0, draws, chunk):
        part = scores[:, start : start + chunk]
        p_last += last_share(part, k).sum(axis=1)
        place[:, start : start + chunk] = ranks_in_draws(part)
    p_last /= draws
    marks = [int(np.ceil(share * draws)) - 1 for share in (0.1, 0.5, 0.9)]
    place.partition(marks, axis=1)
    low, middle, high = (place[:, mark].astype(np.int32) for mark in marks)
    return RankRisk(p_last, np.sqrt(p_last * (1 - p_last) / draws), low, middle, high)


def ranks_in_draws(scores: Ints) -> Ints:
    """Rank of every park in every draw (U x D): 1 + number of parks with a higher score."""
    size, draws = scores.shape
    order = np.empty((draws, size), dtype=np.int64)
    np.left_shift(
        -scores.T.astype(np.int64), 20, out=order
    )  # score and park in one sortable number
    order += np.arange(size)
    order.sort(axis=1)
    parks = order & ((1 << 20) - 1)
    values = order >> 20
    places = np.broadcast_to(np.arange(1, size + 1, dtype=np.int32), order.shape).copy()
    places[:, 1:][values[:, 1:] == values[:, :-1]] = 0
    np.maximum.accumulate(places, axis=1, out=places)
    ranks = np.empty((draws, size), dtype=np.int32)
    np.put_along_axis(ranks, parks, places, axis=1)
    return ranks.T


@dataclass(frozen=True, slots=True)
class ExitRule:
    """When a year in the last k ends in exit.

    ``due`` (U): this year in the last k completes the rule on years (连续n年、m年k次), given the
    confirmed years before. ``below``: a last place counts only with a score below it. ``floor``: a
    score below it exits by itself, whatever the rank. ``slots``:
    at most so many exits, the lowest average of ``past_sum`` (U, points of the counted years before)
    over ``past_n`` (U) years and this one first. ``spared`` (U): never exits (保护期, 豁免).
    """

    due: Flags
    spared: Flags
    below: float | None = None
    floor: float | None = None
    slots: int | None = None
    past_sum: Floats | None = None
    past_n: Floats | None = None


def exit_probability(scores: Ints, k: int, rule: ExitRule, decimals: int = 2) -> Floats:
    """Probability of exit (U) under ``rule``; ties at the cut are shared as in ``last_share``."""
    share = last_share(scores, k)
    share *= (rule.due & ~rule.spared)[:, None]
    if rule.below is not None:
        share *= scores < round(rule.below * 10**decimals)
    if rule.slots is not None:
        share = _within_slots(scores, share, rule, decimals)
    if rule.floor is not None:
        low = (scores < round(rule.floor * 10**decimals)) & ~rule.spared[:, None]
        share = np.maximum(share, low)
    mean: Floats = share.mean(axis=1)
    return mean


def _within_slots(scores: Ints, share: Floats, rule: ExitRule, decimals: int) -> Floats:
    """Let the candidates with the lowest average score take the ``slots`` places, draw by draw."""
    assert rule.slots is not None
    past_sum = np.zeros(len(scores)) if rule.past_sum is None else rule.past_sum
    past_n = np.zeros(len(scores)) if rule.past_n is None else rule.past_n
    average = (past_sum[:, None] + scores / 10**decimals) / (past_n[:, None] + 1)
    average = np.where(share > 0, average, np.inf)
    order = np.argsort(average, axis=0, kind="stable")
    taken = np.take_along_axis(share, order, axis=0)
    room = np.clip(rule.slots - (np.cumsum(taken, axis=0) - taken), 0.0, None)
    kept = np.empty_like(share)
    np.put_along_axis(kept, order, np.minimum(taken, room), axis=0)
    return kept


def digest(scores: Ints) -> str:
    """SHA-256 of simulated scores, kept with a bulletin to prove which draws it printed."""
    return hashlib.sha256(np.ascontiguousarray(scores).tobytes()).hexdigest()


def weight_sensitivity(
    points: Floats, run: str, spread: float = 0.25, draws: int = 2000
) -> tuple[Ints, Ints]:
    """Ranks P5 and P95 (each U) when every weight is off by up to ``spread`` either way.

    ``points`` (U x J) are weighted points. Weights are multiplied by U(1-spread, 1+spread) and brought
    back to the same total, the uncertainty analysis of composite indicators (OECD/JRC Handbook 2008).
    """
    factors = stream(run, "weights").uniform(1 - spread, 1 + spread, size=(draws, points.shape[1]))
    size = np.abs(points).sum(axis=0)
    factors *= size.sum() / np.maximum((factors * size).sum(axis=1, keepdims=True), 1e-300)
    scores = np.zeros((len(points), draws))
    for item in range(points.shape[1]):  # one by one: the same sum whatever the layout
        scores += points[:, item, None] * factors[:, item]
    ranks = np.sort(ranks_in_draws(whole_steps(scores * 1e4)), axis=1)
    low, high = int(0.05 * draws), min(int(np.ceil(0.95 * draws)), draws) - 1
    return ranks[:, low].astype(np.int32), ranks[:, high].astype(np.int32)


def joint_errors(errors: Floats, enough: int = 30) -> Floats:
    """Rows of past errors over the levers (E x L) that may be drawn together.

    ``errors`` (units·years x L) with NaN where a figure had no forecast. Rows that are whole are used
    as they are. With fewer than ``enough`` of them, columns are paired at random (fixed stream):
    every lever keeps its own distribution, their correlation is lost. Levers without any error get 0.
    """
    whole = errors[np.isfinite(errors).all(axis=1)]
    if len(whole) >= enough:
        return whole
    columns = [column[np.isfinite(column)] for column in errors.T]
    length = max((len(column) for column in columns), default=0)
    if length == 0:
        return np.zeros((0, errors.shape[1]))
    paired = np.zeros((length, errors.shape[1]))
    for place, column in enumerate(columns):
        if len(column):
            picks = stream("pairing", str(place)).permutation(np.arange(length) % len(column))
            paired[:, place] = np.sort(column)[picks]
    return paired
