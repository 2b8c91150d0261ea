"""A figure into points: piecewise linear functions that can be evaluated on draws and inverted.

Belongs here: the one shape every pointwise scoring rule can be brought into (功效系数, completion
with a cap, steps, tiers, goalposts), its evaluation on arrays and its inverse, so that the risk of a
rank and the way out of it run through the same rule as the score. Does not belong here: rules that
look at the whole class (rank points) and where goalposts come from (``assets/assessment``).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from methods.composite_arrays import curve_points

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Points:
    """Points as a function of a figure: straight lines between knots, flat outside them.

    ``x`` rises (equal neighbours make a jump), ``y`` are the points there. At a jump the figure
    itself gets the right-hand points, as in "达到20%的得10分", at those in ``left`` the left-hand
    ones, as in "不超过0.5的得10分". ``reciprocal``: ``x`` is 1/figure (completion where less is
    better); figures below 0 then have no points. Raises ValueError on knots that fall or do not pair.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    left: tuple[float, ...] = ()
    reciprocal: bool = False

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y) or not self.x:
            raise ValueError(f"points need as many x as y, at least one: {self.x} {self.y}")
        if any(b < a for a, b in pairwise(self.x)):
            raise ValueError(f"knots must not fall: {self.x}")

    @property
    def direction(self) -> int:
        """1 when points never fall with the figure, -1 when they never rise, 0 otherwise."""
        steps = [b - a for a, b in pairwise(self.y)]
        turn = -1 if self.reciprocal else 1
        if all(step >= 0 for step in steps):
            return turn
        return -turn if all(step <= 0 for step in steps) else 0

    @property
    def best(self) -> float:
        """Most points that can be had."""
        return max(self.y)

    def __call__(self, values: Floats) -> Floats:
        """Points of ``values`` (any shape); NaN stays NaN."""
        line = self._line()
        if line is None:
            scored: Floats = curve_points(
                values, self.x, self.y, left=self.left, reciprocal=self.reciprocal
            )
            return scored
        slope, start, low, high = line
        scored = np.multiply(values, slope)
        scored += start
        np.clip(scored, low, high, out=scored)
        return scored

    def _line(self) -> tuple[float, float, float, float] | None:
        """(slope, intercept, low, high) when one clipped straight line says it all."""
        if len(self.x) != 2 or self.x[0] == self.x[1] or self.reciprocal:
            return None
        slope = (self.y[1] - self.y[0]) / (self.x[1] - self.x[0])
        return slope, self.y[0] - slope * self.x[0], min(self.y), max(self.y)

    def least(self, wanted: Floats) -> Floats:
        """The figure nearest to the poor end that earns at least ``wanted`` points (any shape).

        Rising rules give the lowest such figure, falling ones the highest; +inf (-inf for falling
        rules) where no figure earns it, and the other infinity where every figure does. Raises
        ValueError for rules that neither only rise nor only fall.
        """
        if self.direction == 0:
            raise ValueError("points that rise and fall have no inverse")
        if self.reciprocal:
            least = Points(self.x, self.y, self.left).least(wanted)
            with np.errstate(divide="ignore"):
                figure: Floats = np.where(least > 0, 1 / np.where(least > 0, least, 1.0), np.inf)
            return np.where(np.isposinf(least), -np.inf, figure)
        if self.direction < 0:
            jumps = {b for a, b in pairwise(self.x) if a == b}
            mirrored = Points(
                x=tuple(-x for x in reversed(self.x)),
                y=tuple(reversed(self.y)),
                left=tuple(sorted(-x for x in jumps.difference(self.left))),
            )
            return -mirrored.least(wanted)
        line = self._line()
        if line is None or line[0] <= 0:
            return self._least_rising(np.asarray(wanted, dtype=np.float64))
        found: Floats = (wanted - line[1]) / line[0]
        found[wanted > self.y[1]] = np.inf
        found[wanted <= self.y[0]] = -np.inf
        return found

    def _least_rising(self, wanted: Floats) -> Floats:
        knots, heights = np.array(self.x), np.array(self.y)
        at = np.searchsorted(heights, wanted, side="left")  # first knot that earns enough
        here = np.clip(at, 0, len(knots) - 1)
        before = np.clip(at - 1, 0, len(knots) - 1)
        rise = heights[here] - heights[before]
        safe = np.where(rise > 0, rise, 1.0)
        share = np.where(rise > 0, (wanted - heights[before]) / safe, 0.0)
        found: Floats = knots[before] + share * (knots[here] - knots[before])
        jump = (knots[here] == knots[before]) & (here > before) & np.isin(found, self.left)
        found = np.where(jump, np.nextafter(found, np.inf), found)  # begins just after the knot
        found = np.where(at >= len(knots), np.inf, found)
        return np.where(at == 0, -np.inf, found)
