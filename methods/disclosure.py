"""Disclosure control: which cells of a table may not be printed, so that nobody is found out.

Belongs here: rules for sensitive cells, secondary suppression of two-way tables with totals, and the
exact interval an attacker can compute from what is printed. Does not belong here: which figures form a
table, who may see it (``assets/bulletins``), or how a suppressed cell looks (X).

Tables are (R+1) x (C+1) arrays, row R and column C hold the totals. Source: Hundepool et al. (2012),
Statistical Disclosure Control, ch. 4; rules as in its (n,k), p% and minimum frequency.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Cell = tuple[int, int]
Node = tuple[str, int]

INFINITE = float("inf")
TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Rules:
    """When a cell is sensitive. ``min_count``: fewer contributors; ``p``: the second largest could
    estimate the largest to within p %; ``n``, ``k``: the n largest hold more than k % of the total."""

    min_count: int = 3
    p: float = 10.0
    n: int | None = None
    k: float = 85.0


def sensitive(contributions: Sequence[float], rules: Rules) -> float | None:
    """Protection a cell needs (how far an attacker's bound must lie above its value), or None.

    ``contributions`` of its contributors, those of one owner already added up; negative ones count by
    size. Oracles: (60, 25, 10, 5) none at p 10; (80, 12, 4, 2) needs 2.0.
    """
    sizes = sorted((abs(value) for value in contributions if value), reverse=True)
    total = sum(sizes)
    if not sizes:
        return None
    rest = total - sum(sizes[:2])
    short_p = sizes[0] * rules.p / 100 - rest
    short_k = 0.0
    if rules.n is not None:
        short_k = sum(sizes[: rules.n]) * 100 / rules.k - total
    few = len(sizes) < rules.min_count
    if not (few or short_p > 1e-12 * total or short_k > 1e-12 * total):
        return None
    return max(short_p, short_k, total * rules.p / 100 if few else 0.0)


# --- The attacker ---------------------------------------------------------------------------------


def bounds(table: Floats, hidden: Flags, cell: Cell) -> tuple[float, float]:
    """The exact interval of a hidden ``cell`` for someone who knows the printed cells, that rows and
    columns add up, and that no value is negative. A printed cell has itself on both sides."""
    value = float(table[cell])
    if not hidden[cell]:
        return value, value
    down, up = _room(table, hidden, cell, -1), _room(table, hidden, cell, 1)
    return max(value - down, 0.0), value + up


def audit(table: Floats, hidden: Flags, needed: Floats, singles: Flags | None = None) -> list[Cell]:
    """Sensitive cells (``needed`` > 0) that are printed or can be computed too closely; empty when
    the table is safe. A cell must be uncertain by what it needs upwards, and downwards as far as its
    value allows, also for the one contributor of each of the ``singles``, who knows that cell."""
    return [
        cell
        for cell in _cells(needed > 0)
        if not hidden[cell]
        or any(
            _room(table, seen, cell, sign) < want - _slack(table, cell)
            for seen, _ in _views(hidden, singles, cell)
            for sign, want in _wants(table, needed, cell)
        )
    ]


def _views(hidden: Flags, singles: Flags | None, cell: Cell) -> Iterator[tuple[Flags, Cell]]:
    """What is hidden from an outsider, and from each insider with the cell he knows."""
    yield hidden, cell
    if singles is not None:
        for known in _cells(singles & hidden):
            if known != cell:
                seen = hidden.copy()
                seen[known] = False
                yield seen, known


def _wants(table: Floats, needed: Floats, cell: Cell) -> tuple[tuple[int, float], ...]:
    want = float(needed[cell])
    return (1, want), (-1, min(want, float(table[cell])))


def _slack(table: Floats, cell: Cell) -> float:
    return 1e-9 * (1 + abs(float(table[cell])))


@dataclass(frozen=True, slots=True)
class _Flow:
    """A maximum flow: its size, what each way has left, and between which nodes it runs."""

    size: float
    left: dict[Node, dict[Node, float]]
    source: Node
    sink: Node


def _room(table: Floats, hidden: Flags, cell: Cell, sign: int) -> float:
    return _flow(table, hidden, cell, sign).size


def _flow(table: Floats, hidden: Flags, cell: Cell, sign: int) -> _Flow:
    """How far ``cell`` can move up (sign 1) or down (-1) with all sums kept: a maximum flow.

    Moving a cell up by d, its row must lose d elsewhere and so must its column: flow d from row to
    column through the other hidden cells.
    """
    capacity: dict[Node, dict[Node, float]] = {}
    for r, c in _cells(hidden):
        if (r, c) != cell:
            out, back = _limits(table, (r, c))
            capacity.setdefault(("r", r), {})[("c", c)] = out
            capacity.setdefault(("c", c), {})[("r", r)] = back
    ends: tuple[Node, Node] = (("r", cell[0]), ("c", cell[1]))
    turned = sign > 0 if _inner(table, cell) else sign < 0
    source, sink = ends if turned else ends[::-1]
    size = _max_flow(capacity, source, sink)
    return _Flow(size, capacity, source, sink)


def _limits(table: Floats, cell: Cell) -> tuple[float, float]:
    """How much may flow over a cell from its row to its column, and back. An inner cell falls (to 0)
    one way and rises without limit the other; totals enter their sums with a minus: swapped."""
    fall = float(table[cell])
    return (fall, INFINITE) if _inner(table, cell) else (INFINITE, fall)


def _inner(table: Floats, cell: Cell) -> bool:
    """Whether a cell counts with a plus in its sums: inner cells and the grand total."""
    last = (table.shape[0] - 1, table.shape[1] - 1)
    return bool((cell[0] == last[0]) == (cell[1] == last[1]))


def _max_flow(left: dict[Node, dict[Node, float]], source: Node, sink: Node) -> float:
    """Edmonds-Karp; ``left`` is brought down to what remains. Infinite when a path has no limit."""
    total = 0.0
    while True:
        came: dict[Node, Node] = {source: source}
        queue = deque([source])
        while queue and sink not in came:
            node = queue.popleft()
            for other, room in left.get(node, {}).items():
                if room > TINY and other not in came:
                    came[other] = node
                    queue.append(other)
        if sink not in came:
            return total
        path = _path(came, source, sink)
        step = min(left[a][b] for a, b in path)
        if step == INFINITE:
            return INFINITE
        for a, b in path:
            left[a][b] -= step
            left.setdefault(b, {})[a] = left.get(b, {}).get(a, 0.0) + step
        total += step


def _path(came: dict[Node, Node], source: Node, sink: Node) -> list[tuple[Node, Node]]:
    path = []
    while sink != source:
        path.append((came[sink], sink))
        sink = came[sink]
    return path


# --- Secondary suppression ------------------------------------------------------------------------


def protect(
    table: Floats,
    needed: Floats,
    *,
    singles: Flags | None = None,
    cost: Floats | None = None,
    fixed: Flags | None = None,
) -> Flags:
    """Cells to hide (R+1 x C+1) so that every cell with ``needed`` > 0 is safe, at little cost.

    ``singles``: cells with one contributor (see ``audit``). ``cost`` of hiding a cell (its value when
    not given). ``fixed``: cells hidden already, e.g. in an earlier month (a cell once hidden stays
    hidden, or the difference of two months would show it).
    Cheapest circuits through each unsafe cell, in several orders; what is not needed is printed
    again; the best result that passes the audit counts. Zeros are not used to hide others: everybody
    knows them. Raises ValueError when the table cannot be made safe.
    """
    price = np.abs(table) if cost is None else cost
    start = (needed > 0) if fixed is None else (needed > 0) | fixed
    unsafe = _cells(needed > 0)
    by_need = sorted(unsafe, key=lambda cell: -float(needed[cell]))
    by_value = sorted(unsafe, key=lambda cell: -float(table[cell]))
    best: Flags | None = None
    for order in (by_need, by_need[::-1], by_value, by_value[::-1], unsafe):
        hidden = _covered(table, needed, price, start, order, singles)
        if hidden is None:
            continue
        hidden = _pruned(table, needed, price, start, hidden, singles)
        if best is None or _lost(price, hidden) < _lost(price, best) - 1e-9:
            best = hidden
    if best is None:
        raise ValueError("the table cannot be made safe: suppress its totals as well")
    return best


def _lost(price: Floats, hidden: Flags) -> float:
    return float(price[hidden].sum())


def _covered(
    table: Floats,
    needed: Floats,
    price: Floats,
    start: Flags,
    order: list[Cell],
    singles: Flags | None,
) -> Flags | None:
    """Hide circuits until every cell has the room it needs; None when one cannot get it."""
    hidden = start.copy()
    for cell in order:
        for _, known in list(_views(hidden, singles, cell)):
            for sign, want in _wants(table, needed, cell):
                if not _give_room(table, price, hidden, (cell, known), sign, want):
                    return None
    return hidden if not audit(table, hidden, needed, singles) else None


def _give_room(
    table: Floats,
    price: Floats,
    hidden: Flags,
    barred: tuple[Cell, Cell],
    sign: int,
    want: float,
) -> bool:
    """Hide more cells, ``hidden`` is changed, until the first of ``barred`` has the room it needs for
    someone who knows the second."""
    cell, known = barred
    while True:
        seen = hidden.copy()
        if known != cell:
            seen[known] = False
        flow = _flow(table, seen, cell, sign)
        missing = want - flow.size
        if missing <= _slack(table, cell):
            return True
        found = _cheapest(table, price, seen, barred, flow, missing)
        if not found:
            return False
        for each in found:
            hidden[each] = True


def _cheapest(
    table: Floats,
    price: Floats,
    hidden: Flags,
    barred: tuple[Cell, Cell],
    flow: _Flow,
    missing: float,
) -> list[Cell]:
    """Cells to hide for the cheapest way that adds ``missing`` to ``flow``; smaller portions where no
    single way carries it all, empty when nothing can be added."""
    part = missing
    while part > missing / 64:
        found = _way(table, price, hidden, barred, flow, part)
        if found is not None:
            return found
        part /= 2
    return []


def _way(
    table: Floats,
    price: Floats,
    hidden: Flags,
    barred: tuple[Cell, Cell],
    flow: _Flow,
    part: float,
) -> list[Cell] | None:
    """Bellman-Ford over rows and columns: what is left of hidden cells is free, printed cells cost
    their price; every step must carry ``part``."""
    away: dict[Node, float] = {flow.source: 0.0}
    came: dict[Node, tuple[Node, Cell | None]] = {}
    for _ in range(sum(table.shape)):
        changed = False
        for node, so_far in list(away.items()):
            for other, step, fee in _steps(table, price, hidden, barred, flow, node, part):
                if so_far + fee < away.get(other, INFINITE) - TINY and other != flow.source:
                    away[other], came[other], changed = so_far + fee, (node, step), True
        if not changed:
            break
    if flow.sink not in came:
        return None
    new, node = [], flow.sink
    while node != flow.source:
        node, step = came[node]
        if step is not None:
            new.append(step)
    return new


def _steps(
    table: Floats,
    price: Floats,
    hidden: Flags,
    barred: tuple[Cell, Cell],
    flow: _Flow,
    node: Node,
    part: float,
) -> Iterator[tuple[Node, Cell | None, float]]:
    """Where one can go from a row or column: (to, printed cell to be hidden or None, fee)."""
    for other, room in flow.left.get(node, {}).items():
        if room >= part:
            yield other, None, 0.0
    side, place = node
    for far in range(table.shape[1] if side == "r" else table.shape[0]):
        step = (place, far) if side == "r" else (far, place)
        if step in barred or hidden[step] or table[step] <= 0:
            continue
        out, back = _limits(table, step)
        if (out if side == "r" else back) >= part:
            yield ("c" if side == "r" else "r", far), step, float(price[step]) + 1e-6


def _pruned(
    table: Floats,
    needed: Floats,
    price: Floats,
    start: Flags,
    hidden: Flags,
    singles: Flags | None,
) -> Flags:
    """Print again what turned out not to be needed, dearest first."""
    hidden = hidden.copy()
    extra = sorted(_cells(hidden & ~start), key=lambda cell: -float(price[cell]))
    for cell in extra:
        hidden[cell] = False
        if audit(table, hidden, needed, singles):
            hidden[cell] = True
    return hidden


def _cells(flags: Flags) -> list[Cell]:
    return [(int(r), int(c)) for r, c in np.argwhere(flags)]
