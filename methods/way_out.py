"""A way out: the least extra amount that leaves the last k with a wanted probability.

Belongs here: thresholds among the others, per-lever amounts and bundles, all exact for the given
draws. Does not belong here: simulating (``risk``), who may read the answer (assessment posts only) and
how it is worded. Assumes the others' figures stay as drawn: k places stay taken whoever moves.

For each draw the amount a lever needs has a closed form when the lever feeds one rising or falling
rule; the answer is the ceil(P·D)-th smallest of the D amounts, so it is minimal for these draws. Levers
that feed several items, and bundles, are solved by bisection on a share that can only help.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from methods.points import Points
from methods.risk import (
    Floats,
    Ints,
    Item,
    Model,
    class_shock,
    drawn_rows,
    item_steps,
    values_of,
    whole_steps,
)

HALVINGS = 60  # bisection steps: far below the printed precision of any figure


@dataclass(frozen=True, slots=True)
class Cuts:
    """The k-th and (k+1)-th lowest score of a class in every draw (each D)."""

    kth: Ints
    next: Ints


def cuts(scores: Ints, k: int) -> Cuts:
    """Cuts of simulated ``scores`` (U x D); with k ≥ U there is no way out and ValueError is raised."""
    if not 0 < k < len(scores):
        raise ValueError(f"no way out: last {k} of {len(scores)}")
    ordered = np.partition(scores, (k - 1, k), axis=0)
    return Cuts(ordered[k - 1], ordered[k])


def to_beat(cut: Cuts, own: Ints) -> Ints:
    """The score (D) a park must exceed to leave the last k: the k-th lowest among the others."""
    return np.where(own <= cut.kth, cut.next, cut.kth)


@dataclass(frozen=True, slots=True)
class Draws:
    """A park's own draws: score (D), and per item its values at year's end and points (I x D)."""

    score: Ints
    values: Floats
    points: NDArray[np.int32]


def own_draws(model: Model, place: int, run: str, scores: Ints) -> Draws:
    """The draws of park number ``place``, made again from its key: nothing but ``scores`` (U x D) has
    to be kept. Items that compare parks have no points of their own here."""
    block = slice(place, place + 1)
    rows = drawn_rows(model, block, run, scores.shape[1])
    common = class_shock(model, run, scores.shape[1])
    step = 10.0**model.decimals
    values = np.empty((len(model.items), scores.shape[1]))
    points = np.zeros(values.shape, dtype=np.int32)
    for i, item in enumerate(model.items):
        values[i] = values_of(model, item, block, rows, common)[0]
        if isinstance(item.rule, Points):
            points[i] = item_steps(item, block, values[i : i + 1].copy(), step)[0]
    return Draws(scores[place], values, points)


@dataclass(frozen=True, slots=True)
class WayOut:
    """Least change of one lever: ``amount`` in the indicator's unit (negative: so much less), ``inf``
    when this indicator alone cannot do it; ``surprise``: share of the draws that end closer to the
    forecast than this amount (0.9: only one year in ten is as odd), 1.0 beyond all of them."""

    lever: str
    amount: float
    surprise: float


def way_out(
    model: Model, place: int, draws: Draws, cut: Cuts, probability: float = 0.8
) -> list[WayOut]:
    """Least amount per lever for park number ``place`` to leave the last k with ``probability``.

    Levers that feed an item which compares parks are left out: moving one park moves the others'
    points too, and no exact answer exists.
    """
    gap = to_beat(cut, draws.score) + 1 - draws.score  # steps still missing, ≤ 0 when out already
    found = []
    for lever in dict.fromkeys(item.lever for item in model.items):
        mine = [i for i, item in enumerate(model.items) if item.lever == lever]
        if not all(isinstance(model.items[i].rule, Points) for i in mine):
            continue
        amount = _least_amount(model, place, draws, gap, mine, probability)
        usual = np.abs(draws.values[mine[0]] - model.items[mine[0]].centre[place])
        surprise = float(np.count_nonzero(usual < abs(amount))) / len(usual)
        found.append(WayOut(lever, amount, surprise))
    return found


def _least_amount(
    model: Model, place: int, draws: Draws, gap: Ints, mine: list[int], probability: float
) -> float:
    item = model.items[mine[0]]
    if len(mine) > 1 or _rule(item).direction == 0:
        return _bisect_lever(model, place, draws, gap, mine, probability)
    short = np.flatnonzero(gap > 0)  # draws in which the park is not out already
    rank = int(np.ceil(probability * len(gap) - 1e-9)) - 1 - (len(gap) - len(short))
    if rank < 0:
        return 0.0
    sign = _sign(item, place)
    needed = sign * _needed(model, place, draws, gap[short], mine[0], short)
    needed.partition(rank)
    return float(sign * needed[rank])


def _rule(item: Item) -> Points:
    assert isinstance(item.rule, Points)  # levers that compare parks are left out before
    return item.rule


def _sign(item: Item, place: int) -> int:
    """1 when more of the indicator earns points, -1 when less of it does."""
    return int(np.sign(_rule(item).direction * item.slope[place])) or 1


def _needed(
    model: Model, place: int, draws: Draws, gap: Ints, i: int, short: NDArray[np.int64]
) -> Floats:
    """Amount the indicator of item ``i`` must change by in the draws ``short``, infinite if in vain."""
    item = model.items[i]
    sign = _sign(item, place)
    worth = item.weight[place] * 10.0**model.decimals
    if worth <= 0 or item.slope[place] == 0:
        return np.full(len(short), sign * np.inf)
    points = draws.points[i, short] + gap
    figure = _rule(item).least((points - 0.5) / worth)  # rounds up to the points that are enough
    if item.cap is not None:
        figure[figure > item.cap[place]] = np.inf
    change: Floats = (figure - item.offset[place]) / item.slope[place] - draws.values[i, short]
    best = whole_steps(np.array([_rule(item).best * worth]))
    change[points > best] = sign * np.inf
    return np.clip(change, 0.0, None) if sign > 0 else np.clip(change, None, 0.0)


def _bisect_lever(
    model: Model, place: int, draws: Draws, gap: Ints, mine: list[int], probability: float
) -> float:
    """A lever that feeds several items: the least amount by bisection on its size."""
    sign = _sign(model.items[mine[0]], place)
    unit = float(np.median(np.abs(draws.values[mine[0]]))) or 1.0

    def out(amount: float) -> bool:
        gained = sum(
            (_points_at(model, place, draws, i, sign * amount) - draws.points[i]) for i in mine
        )
        return float(np.mean(gained >= gap)) >= probability - 1e-12

    if out(0.0):
        return 0.0
    high = unit * 1e-3
    while not out(high):
        high *= 2
        if high > unit * 1e6:
            return sign * np.inf
    return sign * _bisect(out, 0.0, high)


def _points_at(model: Model, place: int, draws: Draws, i: int, amount: float) -> Ints:
    block = slice(place, place + 1)
    moved = draws.values[i : i + 1] + amount
    points: Ints = item_steps(model.items[i], block, moved, 10.0**model.decimals)[0]
    return points


def bundle(
    model: Model,
    place: int,
    draws: Draws,
    cut: Cuts,
    levers: dict[str, float],
    probability: float = 0.8,
    most: float = 10.0,
) -> float:
    """Least share by which the ``levers`` must move together to leave the last k.

    ``levers``: lever → direction and mix, e.g. ``{"C04": 1, "E01": -0.5}`` moves C04 up by the share
    and E01 down by half of it, each of its own drawn value. ``inf`` when even ``most`` is too little.
    """
    gap = to_beat(cut, draws.score) + 1 - draws.score
    mine = [i for i, item in enumerate(model.items) if item.lever in levers]
    block, step = slice(place, place + 1), 10.0**model.decimals

    def out(share: float) -> bool:
        gained = np.zeros(len(gap), dtype=np.int32)
        for i in mine:
            item = model.items[i]
            moved = draws.values[i] + levers[item.lever] * share * np.abs(draws.values[i])
            gained += item_steps(item, block, moved[None, :], step)[0] - draws.points[i]
        return float(np.mean(gained >= gap)) >= probability - 1e-12

    if out(0.0):
        return 0.0
    if not out(most):
        return float("inf")
    return _bisect(out, 0.0, most)


def _bisect(out: Callable[[float], bool], low: float, high: float) -> float:
    """The least number for which ``out`` holds: ``low`` fails, ``high`` holds."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if out(middle) else (middle, high)
    return high
