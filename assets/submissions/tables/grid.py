"""A sheet as a grid of cell kinds: what each cell looks like, before anyone asks what it means.

Belongs here: text cleaning, the kind of one cell (number, symbol, period, text …), profiles of
rows, merged areas filled. Does not belong here: finding tables (`structure`), the value of a
number (`numbers`), the month a text names (`periods`), or any catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache

from assets.submissions.reading.workbook import CellValue, ErrorValue, Sheet
from assets.submissions.values import characters

# heads and labels repeat from row to row and from month to month: fold each text once
fold = lru_cache(maxsize=1 << 15)(characters.fold)
squeeze = lru_cache(maxsize=1 << 15)(characters.squeeze)

BLANK, NUMBER, SYMBOL, PERIOD, TEXT, ERROR, FLAG = range(7)
"""Kinds of a cell. SYMBOL stands for a value that is not there (—, …, 无); FLAG is a boolean."""

MAX_MERGED = 4096
"""Merged areas larger than this many cells are decoration; only their first row is filled."""


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NUMBER = re.compile(
    r"^[约近超逾]?[(<>≥≤+\-−]*[¥￥$€]?\d[\d,' ]*(\.\d+)?([eE][+-]?\d+)?\)?"
    r"(余|多|几)?(%|‰|万|亿|千|百)*(元|户|家|个|人|亩|公顷|吨|平方米|平方公里|项)?(左右|以上|以下)?\)?-?$"
)
_SYMBOLS = _set(
    "- -- --- — —— ― – − ─ … …… ... .. . ┅ / \\ // * ** # × X x c C 无 不详 不适用 未填 空 "
    "N/A n/a NA #N/A NULL null nan NaN None none (D) (X) (NA) W"
)
_FLAGS = _set("TRUE FALSE True False true false")
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_ERROR_TEXT = re.compile(r"^#(DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!|#+)$")
_PERIOD = re.compile(
    r"^(截[至止]?)?("
    r"(19|20)\d{2}年?度?"
    r"|((19|20)?\d{2}年)?\d{1,2}月?[-—–~～至到]\d{1,2}月份?(累计)?"
    r"|(19|20)\d{2}[年./\-]\d{1,2}(月份?|月?[底末]|[./\-月]\d{1,2}日?)?"
    r"|(19|20)\d{2}[年./\-]\d{1,2}[-—–~～至到]\d{1,2}月?"
    r"|((19|20)\d{2}年?)?(上半年|下半年|前三季度|第?[一二三四1-4]季度|全年|\d{1,2}月[份底末]?)"
    r"|(19|20)\d{2}[-\s]?[QqMm]\d{1,2}|[QqMm]\d[-\s]?(19|20)\d{2}"
    r"|(" + _MONTHS + r")[a-z]*[\s\-.,]*((19|20)\d{2}|\d{2})"
    r"|(19|20)\d{4}"
    r")$",
    re.IGNORECASE,
)
_YEARS = range(1900, 2101)


@lru_cache(maxsize=1 << 15)
def text_kind(text: str) -> int:
    """Kind of a text cell: a number or a period written as text counts as what it says."""
    plain = squeeze(text)
    if not plain:
        return BLANK
    if plain in _SYMBOLS:
        return SYMBOL
    if plain in _FLAGS:
        return FLAG
    if _ERROR_TEXT.match(plain):
        return ERROR
    if len(plain) > 40:
        return TEXT
    if _PERIOD.match(plain):
        # four digits alone are a number unless a year is near; heads ask `is_year` themselves
        return NUMBER if plain.isdigit() else PERIOD
    return NUMBER if _NUMBER.match(plain) else TEXT


def is_year(value: CellValue) -> bool:
    """Whether a number, or a number written as text, can be a year (1900–2100)."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return value in _YEARS
    if isinstance(value, float):
        return value.is_integer() and int(value) in _YEARS
    if isinstance(value, str):
        plain = squeeze(value)
        return plain.isdigit() and len(plain) == 4 and int(plain) in _YEARS
    return False


def is_period(value: CellValue) -> bool:
    """Whether a cell reads as a period: a date, `2020年6月`, `1-6月`, `上半年`, a year."""
    if isinstance(value, (date, datetime)):
        return True
    if isinstance(value, str):
        plain = squeeze(value)
        return len(plain) <= 40 and bool(_PERIOD.match(plain))
    return is_year(value)


def show(value: CellValue) -> str:
    """A cell as a person would read it in a head: `2005`, `2020-06-30`, text as written, stripped.

    Texts keep their width and inner spaces (they are evidence); comparisons fold them.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip() if squeeze(value) else ""
    if isinstance(value, ErrorValue):
        return value.code
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)


@dataclass(slots=True)
class RowProfile:
    """Counts of one row over its own (unfilled) cells; positions are 1-based columns."""

    row: int
    numbers: int = 0
    symbols: int = 0
    texts: int = 0
    periods: int = 0
    flags: int = 0
    errors: int = 0
    first: int = 0
    last: int = 0

    @property
    def filled(self) -> int:
        """How many cells of the row hold anything."""
        return self.numbers + self.symbols + self.texts + self.periods + self.flags + self.errors


class _KindOfType(dict[type, int]):
    """Kind of a cell by its type alone; a text is looked at, whatever else there is is a date."""

    def __missing__(self, kind: type) -> int:
        return _LOOK if issubclass(kind, str) else PERIOD


_LOOK = 7
_KIND_OF_TYPE = _KindOfType(
    {type(None): BLANK, float: NUMBER, int: NUMBER, bool: FLAG, ErrorValue: ERROR, str: _LOOK}
)


def _row_kinds(row: Sequence[CellValue]) -> bytes:
    kinds = bytes(map(_KIND_OF_TYPE.__getitem__, map(type, row)))
    place = kinds.find(_LOOK)
    if place < 0:
        return kinds
    looked_at = bytearray(kinds)
    while place >= 0:
        looked_at[place] = text_kind(str(row[place]))
        place = kinds.find(_LOOK, place + 1)
    return bytes(looked_at)


def _profile(row: int, kinds: bytes) -> RowProfile:
    return RowProfile(
        row,
        numbers=kinds.count(NUMBER),
        symbols=kinds.count(SYMBOL),
        texts=kinds.count(TEXT),
        periods=kinds.count(PERIOD),
        flags=kinds.count(FLAG),
        errors=kinds.count(ERROR),
        first=len(kinds) - len(kinds.lstrip(b"\0")) + 1 if any(kinds) else 0,
        last=len(kinds.rstrip(b"\0")),
    )


class Grid:
    """Kinds of every cell of a sheet, row profiles, and merged areas.

    ``kinds[r - 1][c - 1]`` is the kind of the cell itself (covered cells of a merged area are
    blank), one byte a cell; ``filled(r, c)`` is the value a person sees there, merged areas included.
    """

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.width = max((len(row) for row in sheet.rows), default=0)
        self.height = len(sheet.rows)
        self.kinds: list[bytes] = [_row_kinds(row) for row in sheet.rows]
        self._mark_uncached()
        self.profiles = [_profile(row, kinds) for row, kinds in enumerate(self.kinds, 1)]
        self._anchor = self._anchors()
        self._texts: dict[int, list[tuple[int, str]]] = {}

    def _mark_uncached(self) -> None:
        """A formula without its value stands where a number belongs: unreadable, not blank."""
        for row, column in self.sheet.uncached_formulas:
            if 0 < row <= self.height and 0 < column <= len(self.kinds[row - 1]):
                cells = bytearray(self.kinds[row - 1])
                cells[column - 1] = ERROR
                self.kinds[row - 1] = bytes(cells)

    def columns(self, rows: Sequence[int]) -> list[bytes]:
        """Kinds of the cells of each column in the given rows, ``columns(…)[c - 1]`` for column c."""
        width = self.width
        body = b"".join(self.kinds[row - 1].ljust(width, b"\0") for row in rows)
        return [body[place::width] for place in range(width)]

    def _anchors(self) -> dict[tuple[int, int], tuple[int, int, int, int]]:
        anchors: dict[tuple[int, int], tuple[int, int, int, int]] = {}
        for area in self.sheet.merged:
            top, left, bottom, right = area
            right, bottom = min(right, self.width), min(bottom, self.height)
            if (right - left + 1) * (bottom - top + 1) > MAX_MERGED:
                bottom = top
            for row in range(top, bottom + 1):
                for column in range(left, right + 1):
                    anchors[(row, column)] = area
        return anchors

    def merged_at(self, row: int, column: int) -> tuple[int, int, int, int] | None:
        """The merged area covering a cell, if any."""
        return self._anchor.get((row, column))

    def filled(self, row: int, column: int) -> CellValue:
        """Value a person sees at a position: of the merged area's first cell, else the cell's."""
        area = self._anchor.get((row, column))
        if area is not None:
            return self.sheet.at(area[0], area[1])
        return self.sheet.at(row, column)

    def kind(self, row: int, column: int) -> int:
        """Kind of the cell itself, ``BLANK`` outside the stored area."""
        if 0 < row <= self.height:
            cells = self.kinds[row - 1]
            if 0 < column <= len(cells):
                return cells[column - 1]
        return BLANK

    def profile(self, row: int) -> RowProfile:
        """Counts of a row (1-based)."""
        return self.profiles[row - 1]

    def texts(self, row: int) -> list[tuple[int, str]]:
        """Non-blank cells of a row as (column, shown text), merged areas counted once."""
        if not 0 < row <= self.height:
            return []
        known = self._texts.get(row)
        if known is None:
            cells = self.sheet.rows[row - 1]
            known = self._texts[row] = [
                (column, show(cells[column - 1]))
                for column, kind in enumerate(self.kinds[row - 1], 1)
                if kind
            ]
        return known
