"""What a look at the bytes tells about a file before any parser touches it.

Belongs here: the facts of a sheet and of a file, the budget that adds them up against the limits,
positions, and the notices that follow from facts. Does not belong here: reading any format, values.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from assets.submissions.reading.limits import Limits
from assets.submissions.reading.rejections import refuse
from assets.submissions.reading.workbook import Notice, Range, address

MAX_ROW = 1_048_576
MAX_COLUMN = 16_384

SheetKind = Literal["worksheet", "chart", "macro", "other"]


@dataclass(slots=True)
class SheetFacts:
    """Facts of one sheet; positions are 1-based. ``rows`` × ``columns`` is the area with values."""

    name: str
    kind: SheetKind = "worksheet"
    visible: bool = True
    rows: int = 0
    columns: int = 0
    cells: int = 0
    formulas: int = 0
    merged: list[Range] = field(default_factory=list)
    hidden_rows: list[tuple[int, int]] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    uncached: set[tuple[int, int]] = field(default_factory=set)
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    overlapping: int = 0
    departing: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    """Number cells whose format scales the number or adds a unit of money: (format code, unit or "")."""

    def reach(self, row: int, column: int) -> None:
        """Extend the filled area to a cell."""
        if row > self.rows:
            self.rows = row
        if column > self.columns:
            self.columns = column

    def hidden(self, axis: Literal["rows", "columns"]) -> frozenset[int]:
        """Hidden row or column numbers inside the filled area."""
        spans, last = (
            (self.hidden_rows, self.rows) if axis == "rows" else (self.hidden_columns, self.columns)
        )
        return frozenset(n for a, b in spans for n in range(a, min(b, last) + 1))


@dataclass(slots=True)
class Facts:
    """Facts of one file; ``format`` is what the bytes are, whatever the name says."""

    format: str
    sheets: list[SheetFacts] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


class Budget:
    """Adds up cells and areas over the sheets of a file; raises ``Refused`` at a limit."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.cells = 0
        self.box = 0

    @property
    def room(self) -> int:
        """Cells that may still come."""
        return self.limits.cells - self.cells

    def overflow(self, sheet: SheetFacts) -> Exception:
        """The refusal to raise when a sheet holds more cells than there is room for."""
        found = f"读到工作表“{sheet.name}”时已超过 {self.limits.cells:,} 个单元格"
        return refuse("too_many_cells", found, self.limits.cells)

    def close_sheet(self, sheet: SheetFacts) -> None:
        """Account for a finished sheet and put its merged ranges in order."""
        if sheet.cells > self.room:
            raise self.overflow(sheet)
        if sheet.rows > MAX_ROW or sheet.columns > MAX_COLUMN:
            raise refuse("damaged", f"工作表“{sheet.name}”有单元格超出表格边界")
        self.cells += sheet.cells
        self.box += sheet.rows * sheet.columns
        if self.box > self.limits.box:
            corner = address(sheet.rows, sheet.columns)
            found = f"工作表“{sheet.name}”的内容一直延伸到 {corner}"
            raise refuse("box_too_large", found, self.limits.box)
        if len(sheet.merged) > self.limits.merged:
            found = f"工作表“{sheet.name}”有 {len(sheet.merged):,} 处合并单元格"
            raise refuse("too_many_merges", found, self.limits.merged)
        settle_merged(sheet)


def settle_merged(sheet: SheetFacts) -> None:
    """Clip merged ranges to the filled area and drop those that overlap an earlier one.

    Ranges come out sorted by position. Overlaps cannot be made in a spreadsheet program; the first
    in reading order wins and the rest are counted.
    """
    clipped = sorted(
        (top, left, min(bottom, sheet.rows), min(right, sheet.columns))
        for top, left, bottom, right in sheet.merged
        if 0 < top <= sheet.rows and 0 < left <= sheet.columns
    )
    kept: list[Range] = []
    ends: list[tuple[int, int, int]] = []  # heap: bottom row, left, right of the open ranges
    open_: list[tuple[int, int]] = []  # (left, right) of the open ranges, in column order
    for top, left, bottom, right in clipped:
        if bottom < top or right < left or (top, left) == (bottom, right):
            continue
        while ends and ends[0][0] < top:
            _, gone_left, gone_right = heapq.heappop(ends)
            open_.remove((gone_left, gone_right))
        place = bisect_left(open_, (left, right))
        if (place and open_[place - 1][1] >= left) or (
            place < len(open_) and open_[place][0] <= right
        ):
            sheet.overlapping += 1
            continue
        insort(open_, (left, right))
        heapq.heappush(ends, (bottom, left, right))
        kept.append((top, left, bottom, right))
    sheet.merged = kept


@lru_cache(maxsize=1024)
def column_number(letters: str) -> int:
    """``"AB"`` → 28. Raises ``ValueError`` for anything but one to three Latin letters."""
    number = 0
    for letter in letters.upper():
        if not "A" <= letter <= "Z":
            raise ValueError(letters)
        number = number * 26 + ord(letter) - 64
    if not 0 < number <= MAX_COLUMN:
        raise ValueError(letters)
    return number


def position(reference: str) -> tuple[int, int]:
    """``"AB3"`` or ``"$AB$3"`` → (3, 28). Raises ``ValueError`` outside a sheet."""
    reference = reference.replace("$", "")
    letters = reference.rstrip("0123456789")
    row = int(reference[len(letters) :])
    if not 0 < row <= MAX_ROW:
        raise ValueError(reference)
    return row, column_number(letters)


def range_of(reference: str) -> Range:
    """``"A1:B2"`` → (1, 1, 2, 2); a single address is a range of one cell."""
    first, _, last = reference.partition(":")
    top, left = position(first)
    bottom, right = position(last or first)
    return min(top, bottom), min(left, right), max(top, bottom), max(left, right)


def notices_of(sheets: Iterable[SheetFacts]) -> list[Notice]:
    """Notices that follow from facts of sheets: hidden parts, errors, uncached formulas."""
    notices: list[Notice] = []
    for sheet in sheets:
        if sheet.kind == "macro":
            text = f"工作表“{sheet.name}”是宏表，未读取、未执行"
            notices.append(Notice("macro_sheet", text, sheet.name))
        if sheet.kind != "worksheet":
            continue
        if not sheet.visible:
            text = f"工作表“{sheet.name}”被隐藏"
            notices.append(Notice("hidden_sheet", text, sheet.name))
        notices += _hidden_notices(sheet)
        notices += _cell_notices(sheet)
    return notices


def _hidden_notices(sheet: SheetFacts) -> list[Notice]:
    notices = []
    for axis, code, word in (("rows", "hidden_rows", "行"), ("columns", "hidden_columns", "列")):
        numbers = sorted(sheet.hidden("rows" if axis == "rows" else "columns"))
        if numbers:
            first = str(numbers[0]) if axis == "rows" else address(1, numbers[0])[:-1]
            text = f"工作表“{sheet.name}”有 {len(numbers)} {word}被隐藏（首个为第 {first} {word}）"
            notices.append(Notice(code, text, sheet.name))
    return notices


def _cell_notices(sheet: SheetFacts) -> list[Notice]:
    notices = []
    if sheet.uncached:
        first = address(*min(sheet.uncached))
        text = (
            f"工作表“{sheet.name}”有 {len(sheet.uncached)} 个公式没有保存计算结果"
            f"（首个在 {first}），请用 Excel 或 WPS 打开并保存后重新报送"
        )
        notices.append(Notice("uncached_formulas", text, sheet.name, first))
    if sheet.errors:
        place, code = min(sheet.errors.items())
        text = (
            f"工作表“{sheet.name}”有 {len(sheet.errors)} 个单元格为错误值"
            f"（首个在 {address(*place)}：{code}）"
        )
        notices.append(Notice("error_cells", text, sheet.name, address(*place)))
    if sheet.overlapping:
        text = f"工作表“{sheet.name}”有 {sheet.overlapping} 处合并单元格相互重叠，已忽略"
        notices.append(Notice("overlapping_merges", text, sheet.name))
    return notices
