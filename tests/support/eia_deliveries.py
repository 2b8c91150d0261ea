"""An older delivery of the EIA workbook, made from the real one: fewer months, figures not yet revised.

Belongs here: cutting the workbook to some states and years, and taking chosen revisions back. Does
not
belong here: what a run must make of two deliveries (``tests/integration/test_eia_revisions.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter

from tests.support.eia_answer_key import MEASURES, SECTORS

SHEET = "Monthly-States"
FIRST_FIGURE = 4
INDICATORS = tuple(f"{sector}_{measure}" for sector in SECTORS for measure in MEASURES)

Cell = tuple[str, str, str]
"""State, period, indicator."""


@dataclass(frozen=True)
class Delivery:
    """What a delivery holds: states (None: all), first and last period, months not yet final, and
    cells as they stood then."""

    states: Collection[str] | None
    first: str
    last: str
    preliminary_from: str
    values: Mapping[Cell, float]


def rows_of(workbook: Path) -> list[tuple[Any, ...]]:
    """The rows of the sheet of months, heads included."""
    book = openpyxl.load_workbook(workbook, read_only=True, data_only=True)
    rows = [tuple(row[:24]) for row in book[SHEET].iter_rows(values_only=True)]
    book.close()
    return rows


def write(rows: list[tuple[Any, ...]], delivery: Delivery, path: Path) -> dict[Cell, float]:
    """Write the delivery as a workbook; returns every figure it holds."""
    held: dict[Cell, float] = {}
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet(SHEET)
        for row in (1, 2):
            sheet.write_row(row, 0, ["" if v is None else v for v in rows[row]])
        sheet.write_row(0, 0, ["", "", "", ""])
        for n, sector in enumerate(SECTORS):
            column = FIRST_FIGURE + n * len(MEASURES)
            sheet.merge_range(0, column, 0, column + len(MEASURES) - 1, sector.upper())
        line = 3
        for row in rows[3:]:
            if not isinstance(row[1], int):
                continue  # the footnote
            period = f"{row[0]:04d}-{row[1]:02d}"
            if not delivery.first <= period <= delivery.last:
                continue
            if delivery.states is not None and row[2] not in delivery.states:
                continue
            status = "Preliminary" if period >= delivery.preliminary_from else "Final"
            figures = {
                (row[2], period, name): delivery.values.get((row[2], period, name), number)
                for name, number in zip(INDICATORS, row[FIRST_FIGURE:], strict=True)
            }
            sheet.write_row(line, 0, [row[0], row[1], row[2], status, *figures.values()])
            held |= figures
            line += 1
    return held
