"""A figure into points: piecewise linear functions that can be evaluated on draws and inverted.

Belongs here: the one shape every pointwise scoring rule can be brought into (功效系数, completion
with a cap, steps, tiers, goalposts), its evaluation on arrays and its inverse, so that the risk of a
rank and the way out of it run through the same rule as the score. Does not belong here: rules that
look at the whole class (rank points) and where goalposts come from (``assets/assessment``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Points:
    """Points as a function of a figure: straight lines between knots, flat outside them.

    ``x`` rises (equal neighbours make a jump), ``y`` are the points there. At a jump the figure
    itself gets the right-hand points, as in "达到20%的得10分"; with ``left`` it gets the left-hand
    ones, as in "不超过0.5的得10分". Raises ValueError on knots that fall or do not pair up.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    left: bool = False

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y) or not self.x:
            raise ValueError(f"points need as many x as y, at least one: {self.x} {self.y}")
        if any(b < a for a, b in zip(self.x, self.x[1:], strict=False)):
            raise ValueError(f"knots must not fall: {self.x}")

    @property
    def direction(self) -> int:
        """1 when points never fall with the figure, -1 when they never rise, 0 otherwise."""
        steps = [b - a for a, b in zip(self.y, self.y[1:], strict=False)]
        if all(step >= 0 for step in steps):
            return 1
        return -1 if all(step <= 0 for step in steps) else 0

    @property
    def best(self) -> float:
        """Most points that can be had."""
        return max(self.y)

    def __call__(self, values: Floats) -> Floats:
        """Points of ``values`` (any shape); NaN stays NaN."""
        line = self._line()
        if line is not None:
            slope, start, low, high = line
            scored: Floats = np.multiply(values, slope)
            scored += start
            np.clip(scored, low, high, out=scored)
            return scored
        return self._general(values)

    def _line(self) -> tuple[float, float, float, float] | None:
        """(slope, intercept, low, high) when one clipped straight line says it all."""
        if len(self.x) != 2 or self.x[0] == self.x[1]:
            return None
        slope = (self.y[1] - self.y[0]) / (self.x[1] - self.x[0])
        return slope, self.y[0] - slope * self.x[0], min(self.y), max(self.y)

    def _general(self, values: Floats) -> Floats:
        knots, heights = np.array(self.x), np.array(self.y)
        side = np.searchsorted(knots, values, side="left" if self.left else "right")
        before = np.clip(side - 1, 0, len(knots) - 1)
        after = np.clip(side, 0, len(knots) - 1)
        width = knots[after] - knots[before]
        share = np.where(width > 0, (values - knots[before]) / np.where(width > 0, width, 1.0), 0.0)
        scored: Floats = heights[before] + np.clip(share, 0.0, 1.0) * (
            heights[after] - heights[before]
        )
        outside: Floats = np.where(side == 0, heights[0], scored)
        return np.where(np.isnan(values), np.nan, outside)

    def least(self, wanted: Floats) -> Floats:
        """The figure nearest to the poor end that earns at least ``wanted`` points (any shape).

        Rising rules give the lowest such figure, falling ones the highest; +inf (-inf for falling
        rules) where no figure earns it, and the other infinity where every figure does. Raises
        ValueError for rules that neither only rise nor only fall.
        """
        if self.direction == 0:
            raise ValueError("points that rise and fall have no inverse")
        if self.direction < 0:
            mirrored = Points(
                tuple(-x for x in reversed(self.x)), tuple(reversed(self.y)), not self.left
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
        if self.left:  # at a jump the right-hand points begin just after the knot
            jump = (knots[here] == knots[before]) & (here > before)
            found = np.where(jump, np.nextafter(found, np.inf), found)
        found = np.where(at >= len(knots), np.inf, found)
        return np.where(at == 0, -np.inf, found)
