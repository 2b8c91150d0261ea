"""Scoring curves: points of one figure as a piecewise linear function with jumps.

Belongs here: building the curve of a scoring method (功效系数, completion, bands, steps …) and
reading a point off it, on ``Decimal``. Does not belong here: methods that compare parks with each
other (``methods.composite``), weights, or which figures count (``assets/assessment``).

One curve serves every reader of a rule: the score of today, a simulated draw, the least change
that would alter a rank. Points are 0..100 of an item's weight; bonuses may exceed 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Better = Literal["high", "low"]
Transform = Literal["identity", "reciprocal"]

HUNDRED, ZERO, ONE = Decimal(100), Decimal(0), Decimal(1)
LARGEST_STEP_COUNT = 400


@dataclass(frozen=True, slots=True)
class Curve:
    """Points over a figure: knots ``(x, y)`` with ``x`` ascending, straight between them, flat
    beyond the ends. A repeated ``x`` is a jump; the figure at the jump earns the right side, unless
    ``x`` is in ``left``. ``transform`` ``reciprocal``: ``x`` is 1/figure (low-is-better ratios).
    """

    x: tuple[Decimal, ...]
    y: tuple[Decimal, ...]
    left: frozenset[Decimal] = frozenset()
    transform: Transform = "identity"

    def __post_init__(self) -> None:
        if not self.x or len(self.x) != len(self.y) or list(self.x) != sorted(self.x):
            raise ValueError("knots must be ascending pairs")

    def at(self, figure: Decimal) -> Decimal | None:
        """Points of a figure; ``None`` where the curve does not exist (negative reciprocal)."""
        if self.transform == "reciprocal":
            if figure < 0:
                return None
            if figure == 0:
                return self.y[-1]
            return self._read(ONE / figure)
        return self._read(figure)

    def _read(self, x: Decimal) -> Decimal:
        from bisect import bisect_left, bisect_right

        end = bisect_left(self.x, x) if x in self.left else bisect_right(self.x, x)
        if x in self.left:
            return self.y[end]
        if end == 0:
            return self.y[0]
        if end == len(self.x) or self.x[end - 1] == x:
            return self.y[end - 1]
        (x0, x1), (y0, y1) = self.x[end - 1 : end + 1], self.y[end - 1 : end + 1]
        return (y0 * (x1 - x) + y1 * (x - x0)) / (x1 - x0)

    def _right_of(self, x: Decimal) -> Decimal:
        """Points just above ``x``."""
        return Curve(self.x, self.y)._read(x)

    def mirrored(self) -> Curve:
        """The curve over the negated figure, for methods written for high-is-better."""
        jumps = {x for x, after in zip(self.x, self.x[1:], strict=False) if x == after}
        left = frozenset(-x for x in jumps - self.left)
        return Curve(tuple(-x for x in reversed(self.x)), tuple(reversed(self.y)), left)


def _polyline(knots: Sequence[tuple[Decimal, Decimal]], left: Sequence[Decimal] = ()) -> Curve:
    return Curve(tuple(x for x, _ in knots), tuple(y for _, y in knots), frozenset(left))


def flat(points: Decimal) -> Curve:
    """The same points for every figure."""
    return Curve((ZERO,), (points,))


def efficacy(satisfactory: Decimal, unacceptable: Decimal, when_equal: Decimal) -> Curve:
    """功效系数 60 + 40·(x−x_s)/(x_h−x_s), held to 0..100; x_h < x_s for low-is-better.

    Oracle: x = 5.81, x_h = 12, x_s = 6 gives 58.73 (published exam).
    """
    span = satisfactory - unacceptable
    if span == 0:
        return flat(when_equal)
    knots = [(unacceptable - span * 3 / 2, ZERO), (satisfactory, HUNDRED)]
    return _polyline(sorted(knots))


def min_max(low: Decimal, high: Decimal, better: Better = "high") -> Curve:
    """Position between two goalposts; equal goalposts are a threshold that earns all or nothing."""
    if high < low:
        raise ValueError(f"goalposts crossed: low {low} > high {high}")
    if high == low:
        return threshold(low, better)
    ends = (ZERO, HUNDRED) if better == "high" else (HUNDRED, ZERO)
    return Curve((low, high), ends)


def threshold(
    limit: Decimal, better: Better = "high", *, inclusive: bool = True, points: Decimal = HUNDRED
) -> Curve:
    """All points from ``limit`` on (``inclusive``: at the limit too), none before."""
    if better == "high":
        return _polyline([(limit, ZERO), (limit, points)], () if inclusive else [limit])
    return _polyline([(limit, points), (limit, ZERO)], [limit] if inclusive else ())


def completion(
    target: Decimal,
    cap: Decimal,
    better: Better = "high",
    zero_below: Decimal | None = None,
    *,
    zero_at: bool = True,
) -> Curve | None:
    """100·min(x/T, cap), low-is-better 100·min(T/x, cap); nothing below ``zero_below`` (a ratio),
    ``zero_at``: nothing at it either. ``None`` for T ≤ 0: there is no ratio.
    """
    if target <= 0:
        return None
    unit = target if better == "high" else ONE / target
    knots = [(ZERO, ZERO), (cap * unit, HUNDRED * cap)]
    left: list[Decimal] = []
    if zero_below is not None:
        edge = zero_below * unit
        knots = [(edge, ZERO), (edge, HUNDRED * zero_below), knots[1]]
        left = [edge] if zero_at else []
    curve = _polyline(knots, left)
    if better == "high":
        return curve
    return Curve(curve.x, curve.y, curve.left, "reciprocal")


def bands(steps: Sequence[tuple[Decimal, Decimal]], below: Decimal, better: Better) -> Curve:
    """分档: points from a limit on. ``steps`` are (limit, points) in ascending order of merit;
    high-is-better ``x ≥ limit``, low-is-better ``x ≤ limit``; ``below`` before the first limit."""
    sign = 1 if better == "high" else -1
    knots: list[tuple[Decimal, Decimal]] = []
    before = below
    for limit, points in steps:
        knots += [(sign * limit, before), (sign * limit, points)]
        before = points
    curve = _polyline(knots)
    return curve if better == "high" else curve.mirrored()


def tiered(
    reference: Decimal,
    base: Decimal,
    up: Sequence[tuple[Decimal | None, Decimal]],
    down: Sequence[tuple[Decimal | None, Decimal]],
    least: Decimal,
    most: Decimal,
    better: Better = "high",
) -> Curve:
    """分段累进: ``base`` at the reference, then for each band (width, points per unit) of the
    distance above it, bands of shortfall below it; held between ``least`` and ``most``. The last
    band may be open (width ``None``)."""
    sign = 1 if better == "high" else -1
    above = _climb(sign * reference, base, up, most)
    below = _climb(-sign * reference, -base, down, -least)
    knots = [(-x, -y) for x, y in reversed(below[1:])] + above
    curve = _polyline(knots)
    return curve if better == "high" else curve.mirrored()


def _climb(
    x: Decimal, y: Decimal, tiers: Sequence[tuple[Decimal | None, Decimal]], most: Decimal
) -> list[tuple[Decimal, Decimal]]:
    """Knots from (x, y) upwards through the bands until ``most``."""
    knots = [(x, y)]
    for width, rate in tiers:
        room = (most - y) / rate if rate > 0 else None
        if width is None and room is None:
            break
        run = min(one for one in (width, room) if one is not None)
        x, y = x + run, y + run * rate
        knots.append((x, y))
        if room is not None and run == room:
            break
    return knots


def steps(
    reference: Decimal,
    step: Decimal,
    base: Decimal,
    gain: tuple[Decimal, Decimal],
    loss: tuple[Decimal, Decimal],
    better: Better = "high",
    *,
    whole: bool = True,
) -> Curve:
    """增减步长: ``base`` at the reference; ``gain`` (points per step, most) above, ``loss`` (points
    per step, most) below. ``whole``: only completed steps count, otherwise in proportion."""
    sign = 1 if better == "high" else -1
    origin = sign * reference
    if whole:
        curve = _stairs(origin, step, base, gain, loss)
    else:
        knots = [(origin, base)]
        if gain[0] > 0 and gain[1] > 0:
            knots.append((origin + gain[1] / gain[0] * step, base + gain[1]))
        if loss[0] > 0 and loss[1] > 0:
            knots.insert(0, (origin - loss[1] / loss[0] * step, base - loss[1]))
        curve = _polyline(knots)
    return curve if better == "high" else curve.mirrored()


def _stairs(
    origin: Decimal,
    step: Decimal,
    base: Decimal,
    gain: tuple[Decimal, Decimal],
    loss: tuple[Decimal, Decimal],
) -> Curve:
    ups, downs = _heights(gain), _heights(loss)
    knots = [(origin, base)]
    for number, height in enumerate(ups, 1):
        knots += [(origin + number * step, knots[-1][1]), (origin + number * step, base + height)]
    left = []
    for number, height in enumerate(downs, 1):
        edge = origin - number * step
        knots[:0] = [(edge, base - height), (edge, knots[0][1])]
        left.append(edge)
    return _polyline(knots, left)


def _heights(move: tuple[Decimal, Decimal]) -> list[Decimal]:
    """Points after each completed step, the last one held to the most there is."""
    each, most = move
    if each <= 0 or most <= 0:
        return []
    count = int(-(-most // each))
    if count > LARGEST_STEP_COUNT:
        raise ValueError(f"{count} steps are more than {LARGEST_STEP_COUNT}")
    return [min(each * number, most) for number in range(1, count + 1)]


def base_level(
    level: Decimal,
    step: Decimal,
    gain: tuple[Decimal, Decimal],
    origin: Decimal = HUNDRED,
    *,
    proportional: bool = True,
    whole: bool = True,
) -> Curve:
    """基数法: holding the base (``origin``, 100 % of it) earns ``level`` points, each ``step`` above
    earns more up to the most of ``gain``; below, in proportion (0 at nothing) or none at all."""
    upper = steps(origin, step, level, gain, (ZERO, ZERO), whole=whole)
    start = (origin - HUNDRED, ZERO) if proportional else (origin, ZERO)
    return Curve((start[0], *upper.x), (start[1], *upper.y))


def nothing_up_to(curve: Curve, edge: Decimal) -> Curve:
    """The curve with no points at or below ``edge`` (completion at or under 80 % earns nothing)."""
    after = [(x, y) for x, y in zip(curve.x, curve.y, strict=True) if x > edge]
    left = frozenset({edge, *(x for x in curve.left if x > edge)})
    return _polyline([(edge, ZERO), (edge, curve._right_of(edge)), *after], sorted(left))
