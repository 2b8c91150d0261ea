"""The simulated truth: every park's figure for every indicator and period, as exact decimals.

Belongs here: putting flows and stocks together and answering for one figure. Does not belong here:
what a county makes of it. Indicator codes are those of the shipped catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from examples.sample import flows, stocks
from examples.sample.chance import Chance
from examples.sample.flows import Frame, Ints
from examples.sample.registers import Example, load

MONEY = ("C01", "C02", "C04", "C07", "D01", "D02", "F01", "F02", "F07")
MONTHLY_FLOWS = (*MONEY, "J02", "B06", "B07", "G02")
MONTHLY_STOCKS = ("B01", "B03", "E01", "G01", "G03")
QUARTERLY = ("A02", "A03", "G04")
YEARLY = ("A01", "B04", "B05", "B08", "B09", "H04")
DECIMALS = {"G01": 2, "G02": 2, "G03": 2, "G04": 2, "A01": 2, "A02": 2}
"""Decimals of the canonical unit (0 where not listed): 万元, 户, 人, 万平方米, 公顷, 亩."""


@dataclass(frozen=True)
class Figures:
    """All figures of an example."""

    frame: Frame
    ytd: dict[str, Ints]
    prior: dict[str, Ints]
    level: dict[str, Ints]
    blank: frozenset[tuple[str, str]]

    def value(self, park_id: str, indicator: str, period: str, measure: str) -> Decimal | None:
        """The true figure in the canonical unit; ``None`` where there is none.

        ``month`` of the first period and ``ytd_prior`` of a park's first year do not exist.
        """
        if (park_id, indicator) in self.blank:
            return None
        i = self.frame.example.park_ids.index(park_id)
        y, m = self.frame.at(period)
        number = self._number(i, y, m, indicator, measure)
        return None if number is None else Decimal(number).scaleb(-DECIMALS.get(indicator, 0))

    def _number(self, i: int, y: int, m: int, indicator: str, measure: str) -> int | None:
        if measure == "stock":
            return int(self.level[indicator][i, y, m])
        if measure == "ytd":
            return int(self.ytd[indicator][i, y, m])
        if measure == "month":
            if m < 2:
                return None
            return int(self.ytd[indicator][i, y, m] - self.ytd[indicator][i, y, m - 1])
        before = int(self.prior[indicator][i, y, m])
        # No activity a year ago: nothing to compare with.
        return before if indicator not in MONEY or before else None


def growth(value: Decimal | None, prior: Decimal | None) -> Decimal | None:
    """Growth over the same period of the year before in per cent, one decimal."""
    if value is None or prior is None or prior <= 0:
        return None
    return ((value / prior - 1) * 100).quantize(Decimal("0.1"))


def simulate(example: Example) -> Figures:
    """Run the model of an example over all its years (about a second)."""
    frame = Frame(example, Chance(str(example.settings["seed"])))
    monthly = flows.monthly_flows(frame)
    ytd = {code: flows.cumulate(values) for code, values in monthly.items()}
    every, big = stocks.entrants(frame)
    resident = stocks.firms(frame, every)
    above = stocks.above_scale(frame, resident)
    built, total = stocks.workshops(frame)
    vacant, used = stocks.occupancy(frame, total)
    planned, developed, industrial = stocks.land(frame, monthly["C01"])
    ytd |= {"B06": every.cumsum(axis=2), "B07": big.cumsum(axis=2), "G02": built}
    level = {
        "B01": resident,
        "B03": above,
        "E01": stocks.employees(frame, monthly["C01"]),
        "G01": total,
        "G03": vacant,
        "G04": used,
        "A01": planned,
        "A02": developed,
        "A03": industrial,
        **stocks.yearly_counts(frame, above),
    }
    prior = flows.comparable_prior(frame, ytd)
    ytd["H04"] = level.pop("H04")  # firms that innovated during the year: a flow, reported yearly
    blank = {(row["park"], row["indicator"]) for row in example.settings.get("unknown", [])}
    return Figures(frame, ytd, prior, level, frozenset(blank))


@cache
def figures_of(name: str) -> Figures:
    """The figures of an example by name, computed once in a process."""
    return simulate(load(name))
