"""The answer key inside the EIA workbook: its own state year-to-date sheet, read independently.

Both sheets print rounded numbers, so a recomputed year equals the published one when it lies inside
the interval their rounding allows: half a unit in the last printed place of the published figure
plus that of every month behind it. Nothing wider is tolerated.

Belongs here: reading that sheet and the intervals. Does not belong here: the reader under test.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import openpyxl

SECTORS = ("residential", "commercial", "industrial", "transportation", "total")
MEASURES = ("revenue", "sales", "customers", "price")
SIGNIFICANT = 8  # the publisher stores at most eight significant digits


@dataclass(frozen=True)
class Published:
    """One published year: ``low``..``high`` is what rounding allows; None = not defined ('.')."""

    unit: str
    indicator_id: str
    year: int
    n_months: int
    low: Decimal | None
    high: Decimal | None


def half_unit(number: int | float) -> Decimal:
    """Half a unit in the last place the publisher keeps of ``number``."""
    value = Decimal(repr(number))
    if value == 0:
        return Decimal(0)
    # Integers of the sheet are rounded to whole units; others carry eight significant digits.
    whole = Decimal("0.5") if value == value.to_integral_value() else Decimal(0)
    last_place = Decimal(10) ** (value.adjusted() - SIGNIFICANT + 1)
    return max(whole, last_place / 2)


def published_years(workbook: Path) -> Iterator[Published]:
    """Every state, year and measure of the sheet State-YTD-States, the US row included."""
    book = openpyxl.load_workbook(workbook, read_only=True, data_only=True)
    months = _month_errors(book["Monthly-States"])
    for row in book["State-YTD-States"].iter_rows(min_row=4, values_only=True):
        if isinstance(row[0], int):
            yield from _row(row[0], row[1], row[3:], months)
    book.close()


def _month_errors(sheet) -> dict[tuple[str, int], tuple[int, list[Decimal], list[Decimal]]]:
    """(state, year) → months, sum of half units and sum of values for each of the 20 columns."""
    found: dict = {}
    count: dict = defaultdict(int)
    for row in sheet.iter_rows(min_row=4, values_only=True):
        if not isinstance(row[0], int):
            continue
        for unit in (row[2], "US"):
            errors, sums = found.setdefault((unit, row[0]), ([Decimal(0)] * 20, [Decimal(0)] * 20))
            count[unit, row[0], row[1]] = 1
            for place, number in enumerate(row[4:24]):
                errors[place] += half_unit(number)
                sums[place] += Decimal(repr(number))
    n_months: dict = defaultdict(int)
    for unit, year, _ in count:
        n_months[unit, year] += 1
    return {key: (n_months[key], *found[key]) for key in found}


def _row(year, unit, numbers, months) -> Iterator[Published]:
    n_months, errors, sums = months[unit, year]
    for s, sector in enumerate(SECTORS):
        for m, measure in enumerate(MEASURES):
            place = 4 * s + m
            number, name = numbers[place], f"{sector}_{measure}"
            if not isinstance(number, int | float):
                yield Published(unit, name, year, n_months, None, None)
                continue
            if measure == "price":
                revenue, sales = sums[4 * s], sums[4 * s + 1]
                relative = errors[4 * s] / revenue + errors[4 * s + 1] / sales if revenue else 0
                behind = 100 * revenue / sales * relative * 2
            else:
                behind = errors[place] / (n_months if measure == "customers" else 1)
            slack = half_unit(number) + behind
            value = Decimal(repr(number))
            yield Published(unit, name, year, n_months, value - slack, value + slack)
