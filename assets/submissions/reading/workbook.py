"""What a parser hands to structure detection: plain values with their sheet positions.

Belongs here: small picklable value types shared by parsers, structure detection and layouts.
Does not belong here: parsing of any format, or any meaning of a value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time

# A cell's value as the file stores it. A number stays a number and is turned into text by its
# shortest exact form ("41954.56"), so nothing is lost between the file and `raw_text`.
Value = None | str | bool | int | float | date | datetime | time


@dataclass(frozen=True, slots=True)
class ErrorValue:
    """An error cell such as ``#DIV/0!``; ``code`` is the text the spreadsheet shows."""

    code: str


SHOWN_OTHERWISE = "显示格式"
"""Word by which an ``ErrorValue`` says that its cell shows another number than it holds."""

CellValue = Value | ErrorValue
Range = tuple[int, int, int, int]
"""Top row, left column, bottom row, right column; 1-based, inclusive."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet as a ragged table: ``rows[0]`` is spreadsheet row 1, ``rows[r][0]`` column A.

    No row ends in a blank and the last row is not empty. Rows are read only: empty ones may be one
    and the same list. Merged ranges lie inside the filled area and do not overlap.
    """

    name: str
    rows: list[list[CellValue]]
    merged: tuple[Range, ...] = ()
    visible: bool = True
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    uncached_formulas: frozenset[tuple[int, int]] = frozenset()
    """(row, column) of formula cells saved without a computed value: unreadable, never blank."""
    percents: frozenset[tuple[int, int]] = frozenset()
    """(row, column) of number cells shown as a percentage: a stored 0.125 is shown as 12.5%."""
    texts: dict[int, list[str]] = field(default_factory=dict, compare=False, repr=False)
    """Exact texts of rows by their number, kept by ``values.numbers.row_texts``."""

    def at(self, row: int, column: int) -> CellValue:
        """Value at a 1-based position; ``None`` outside the stored area."""
        if 0 < row <= len(self.rows) and 0 < column <= len(self.rows[row - 1]):
            return self.rows[row - 1][column - 1]
        return None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a reader of the file must know although the file is readable (macro, hidden sheet)."""

    code: str
    message: str
    sheet: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Workbook:
    """A parsed file. ``format`` is what the bytes are (xlsx, xls, ods, csv …), not the file name."""

    format: str
    sheets: tuple[Sheet, ...]
    notices: tuple[Notice, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that cannot or must not be read. Texts are Chinese, for the reporter."""

    code: str
    message: str
    found: str
    expected: str
    remedy: str


def address(row: int, column: int) -> str:
    """Spreadsheet address of a 1-based position: ``address(3, 28) == "AB3"``."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"
