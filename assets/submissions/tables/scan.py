"""Where tables stand in a sheet: title, head and body rows, and the columns they span.

Belongs here: questions about single rows (is it data, a head, a note, a head of years) and cutting
a sheet into blocks. Does not belong here: what columns and heads say (`structure`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import lt
from typing import cast

from assets.submissions.reading.workbook import CellValue
from assets.submissions.tables.grid import (
    ERROR,
    NUMBER,
    PERIOD,
    TEXT,
    Grid,
    fold,
    is_period,
    is_year,
    show,
    squeeze,
)
from assets.submissions.tables.table_words import INDEX_WORDS, META, NOTE, UNIT_LABELS, UNIT_LINE

IsUnit = Callable[[str], bool]

MAX_HEAD_ROWS = 8


class Scan:
    """Row questions over one grid; each answer is a pure function of the grid."""

    def __init__(self, grid: Grid, is_unit: IsUnit) -> None:
        self.grid = grid
        self.is_unit = is_unit
        self._data: dict[int, bool] = {}
        self._head: dict[int, bool] = {}
        self._note: dict[int, bool] = {}
        self._years: dict[tuple[int, int], bool] = {}

    def blank(self, row: int) -> bool:
        """Whether a row holds nothing."""
        return self.grid.profile(row).filled == 0

    def note(self, row: int) -> bool:
        """A footnote: starts with 注/来源/填表人 …, or one long sentence."""
        known = self._note.get(row)
        if known is None:
            known = self._note[row] = self._is_note(row)
        return known

    def _is_note(self, row: int) -> bool:
        profile = self.grid.profile(row)
        if not profile.texts:
            return False
        value = self.grid.sheet.at(row, profile.first)
        if not isinstance(value, str):
            return False
        first = squeeze(value)
        if NOTE.match(first):
            return True
        return profile.filled == 1 and len(first) > 60

    def meta(self, row: int) -> bool:
        """A line of `key：value` cells, a unit, or a lone period: it belongs to the title."""
        profile = self.grid.profile(row)
        if not profile.filled or profile.numbers > 4:
            return False
        cells = self.grid.texts(row)
        if not any(self._keyed(text) for _, text in cells):
            return len(cells) == 1 and is_period(self.grid.sheet.at(row, cells[0][0]))
        loose = [text for _, text in cells if not self._keyed(text)]
        keys = len(cells) - len(loose)
        return len(loose) <= max(1, keys)

    @staticmethod
    def _keyed(text: str) -> bool:
        if ":" not in text and "：" not in text:
            return False
        return bool(META.match(squeeze(text))) or bool(UNIT_LINE.match(fold(text)))

    def year_head(self, row: int, least: int = 2) -> bool:
        """A row whose numbers are successive periods (2005 2006 …, 202001 …, 2016.09 2016.1)."""
        known = self._years.get((row, least))
        if known is None:
            known = self._years[(row, least)] = self._has_years(row, least)
        return known

    def _has_years(self, row: int, least: int) -> bool:
        grid = self.grid
        profile = grid.profile(row)
        if profile.numbers < least or profile.symbols or profile.errors:
            return False
        cells = zip(grid.sheet.rows[row - 1], grid.kinds[row - 1], strict=True)
        values = [value for value, kind in cells if kind == NUMBER]
        if _wander(values) or any(_plain_number(value) is None for value in values):
            return False
        return _successive(values)

    def index_row(self, row: int) -> bool:
        """The numbering of columns under a head: 甲 乙 1 2 3 4."""
        grid = self.grid
        profile = grid.profile(row)
        if profile.numbers < 2 or profile.symbols or profile.errors:
            return False
        first = next(c for c, kind in enumerate(grid.kinds[row - 1], 1) if kind == NUMBER)
        if not squeeze(show(grid.sheet.at(row, first))).strip("()[]").isdigit():
            return False
        numbers: list[int] = []
        for column, text in grid.texts(row):
            plain = squeeze(text).strip("()[]")
            if grid.kind(row, column) == NUMBER and plain.isdigit():
                numbers.append(int(plain))
            elif plain not in INDEX_WORDS:
                return False
        if len(numbers) < 2 or numbers[0] > 20:
            return False
        return numbers == list(range(numbers[0], numbers[0] + len(numbers)))

    def data(self, row: int) -> bool:
        """A row that carries numbers and is not a head of years, a numbering or a title line."""
        known = self._data.get(row)
        if known is None:
            known = self._data[row] = self._is_data(row)
        return known

    def _is_data(self, row: int) -> bool:
        profile = self.grid.profile(row)
        if not (profile.numbers or profile.errors):
            return False
        if profile.numbers and self.year_head(row):
            return False
        return not (self.index_row(row) or self.note(row) or self.meta(row))

    def head_like(self, row: int) -> bool:
        """A row of at least two texts and no number, or a row of successive periods."""
        known = self._head.get(row)
        if known is None:
            known = self._head[row] = self._is_head(row)
        return known

    def _is_head(self, row: int) -> bool:
        profile = self.grid.profile(row)
        if self.note(row) or self.meta(row):
            return False
        if self.year_head(row) or self.index_row(row):
            return True
        if profile.numbers or profile.flags or profile.errors:
            return False
        if 3 * profile.symbols >= profile.texts + profile.periods:
            return False  # a row of — and … is data without numbers
        return profile.texts + profile.periods >= 2

    def group_row(self, row: int, below: int) -> bool:
        """A single group name over part of the columns (a title would start where heads start).

        ``below`` is the lowest head row known.
        """
        cells = self.grid.texts(row)
        if len(cells) != 1 or self.note(row) or self.meta(row):
            return False
        column = cells[0][0]
        if self.grid.kind(row, column) != TEXT or column <= self._left(below):
            return False
        area = self.grid.merged_at(row, column)
        width = area[3] - area[1] + 1 if area else 1
        return width < 0.8 * self.grid.width

    def _left(self, row: int) -> int:
        return self.grid.profile(row).first if row <= self.grid.height else 1


def _wander(values: list[CellValue]) -> bool:
    """Whether stored numbers go up and down: no periods, known without looking at their digits."""
    if not {float, int}.issuperset(map(type, values)):
        return False
    numbers = cast("list[float]", values)
    rising = set(map(lt, numbers, numbers[1:]))
    return len(rising) == 2


def _successive(values: list[CellValue]) -> bool:
    numbers = [_plain_number(value) for value in values]
    if any(number is None for number in numbers):
        return False
    found = [number for number in numbers if number is not None]
    if all(is_year(value) for value in values):
        return _steps([float(number) for number in found], {1.0})
    months = [_month_index(number) for number in found]
    if all(month is not None for month in months):
        return _steps([float(month) for month in months if month is not None], {1.0, 3.0, 12.0})
    serial = [float(number) for number in found]
    if len(serial) >= 3 and all(30000 < number < 60000 for number in serial):
        return _steps(serial, {28.0, 29.0, 30.0, 31.0, 365.0, 366.0})
    return False


def _plain_number(value: CellValue) -> str | None:
    if isinstance(value, float) and not 1900 <= value < 1_000_000:
        return None
    text = squeeze(show(value))
    return text if re.fullmatch(r"\d{4,6}(\.\d{1,2})?", text) else None


def _month_index(number: str) -> int | None:
    """Months since year 0 for `202006` or `2020.06`; ``2016.1`` is October beside ``2016.09``."""
    match = re.fullmatch(r"((?:19|20)\d\d)(?:\.(\d{1,2})|(\d\d))", number)
    if not match:
        return None
    digits = match[2] or match[3]
    month = 10 if match[2] == "1" else int(digits)
    return int(match[1]) * 12 + month if 1 <= month <= 12 else None


def _steps(numbers: list[float], allowed: set[float]) -> bool:
    """Strictly rising or falling; each step (in size) is allowed, a gap of a few steps as well."""
    steps = [b - a for a, b in pairwise(numbers)]
    if not steps or not (all(s > 0 for s in steps) or all(s < 0 for s in steps)):
        return False
    regular = sum(abs(step) in allowed for step in steps)
    return regular >= len(steps) * 0.6 and max(abs(s) for s in steps) <= 10 * max(allowed)


# --- blocks ------------------------------------------------------------------------------


@dataclass(slots=True)
class Block:
    """Rows of one table (or of tables side by side): titles, heads, body."""

    titles: list[int]
    heads: list[int]
    body: list[int]


def blocks(scan: Scan) -> Iterator[Block]:
    """Title, head and body rows of each table from top to bottom."""
    grid = scan.grid
    floor, row = 1, 1
    while row <= grid.height:
        if not scan.data(row):
            row += 1
            continue
        heads, top = _head_above(scan, row, floor)
        first = heads[0] if heads else top
        last = _body_end(scan, row, heads)
        titles = _title_rows(scan, floor, first)
        yield Block(titles, heads, list(range(top, last + 1)))
        floor = row = last + 1


def _title_rows(scan: Scan, floor: int, first: int) -> list[int]:
    return [row for row in range(floor, first) if not scan.blank(row)]


def _head_above(scan: Scan, first: int, floor: int) -> tuple[list[int], int]:
    """Head rows over the first data row, and the first body row (label-only rows belong to it)."""
    row = first - 1
    while row >= floor and not scan.head_like(row):
        row -= 1
    if row < floor:
        return [], first
    run = [row]
    row -= 1
    while row >= floor and (scan.head_like(row) or scan.group_row(row, run[-1])):
        run.insert(0, row)
        row -= 1
    heads = _trim_heads(scan, run[-MAX_HEAD_ROWS * 4 :], first)
    heads += _lone_words(scan, heads[-1], first)
    top = next((r for r in range(heads[-1] + 1, first + 1) if not scan.blank(r)), first)
    return heads, top


def _trim_heads(scan: Scan, run: list[int], first: int) -> list[int]:
    """The run up to the first row that is data without numbers (待核实, a park with no figures)."""
    texty = _text_columns(scan, first)
    heads = [run[0]]
    for row in run[1:]:
        if not scan.index_row(row) and _is_text_data(scan, row, heads, texty):
            break
        heads.append(row)
    return heads[:MAX_HEAD_ROWS]


def _lone_words(scan: Scan, above: int, first: int) -> list[int]:
    """Rows right under the heads with a text over a column of numbers and nothing over the labels:
    本月 or 同比增长 under the only indicator of a form. What they say narrows the head."""
    texty = _text_columns(scan, first)
    found = []
    for row in range(above + 1, first):
        cells = scan.grid.texts(row)
        if not cells or scan.note(row) or scan.meta(row):
            break
        if any(column in texty or scan.grid.kind(row, column) != TEXT for column, _ in cells):
            break
        found.append(row)
    return found


def _is_text_data(scan: Scan, row: int, heads: list[int], texty: set[int]) -> bool:
    """Its cells stand only over label columns, or name something under a label that is complete."""
    grid = scan.grid
    texts = grid.texts(row)
    if (
        len(texts) > 1
        and squeeze(texts[0][1]) in UNIT_LABELS
        and scan.is_unit(squeeze(texts[1][1]))
    ):
        return False
    own = [column for column, _ in texts]
    covered = {c for c in own if any(grid.filled(head, c) is not None for head in heads)}
    if own and set(own) <= texty & covered:
        return True
    labels = [c for c in own if c in texty and any(_complete(grid, head, c) for head in heads)]
    return any(not _translation(grid, row, heads, column) for column in labels)


def _complete(grid: Grid, head: int, column: int) -> bool:
    """Whether a head cell stands for one column alone (not for a group to its right)."""
    area = grid.merged_at(head, column)
    if area is not None and area[3] > area[1]:
        return False
    here, beside = grid.kind(head, column), grid.kind(head, column + 1)
    return here == TEXT and (beside != 0 or column == grid.width)


def _translation(grid: Grid, row: int, heads: list[int], column: int) -> bool:
    """An English line under a Chinese head."""
    above = "".join(show(grid.filled(head, column)) for head in heads)
    return show(grid.filled(row, column)).isascii() and not above.isascii()


def _text_columns(scan: Scan, first: int) -> set[int]:
    """Columns that hold text, never a number, in the data rows from ``first`` on."""
    grid = scan.grid
    rows = [row for row in range(first, min(first + 30, grid.height + 1)) if scan.data(row)]
    return {
        number
        for number, kinds in enumerate(grid.columns(rows), 1)
        if TEXT in kinds and NUMBER not in kinds and ERROR not in kinds
    }


def _body_end(scan: Scan, first: int, heads: list[int]) -> int:
    """Last row that belongs to the table: data, labels, footnotes; a new head ends it."""
    grid = scan.grid
    known = [[squeeze(text) for _, text in grid.texts(head)] for head in heads]
    values = _value_columns(scan, first)
    last = data_end = first
    for row in range(first, grid.height + 1):
        if scan.blank(row):
            continue
        if scan.data(row):
            last = data_end = row
        elif _new_table(scan, row, values) and not repeats(scan, row, known):
            return _before_titles(scan, row, data_end)
        else:
            last = row
    return last


def _value_columns(scan: Scan, first: int) -> set[int]:
    return {c for c, kind in enumerate(scan.grid.kinds[first - 1], 1) if kind in (NUMBER, ERROR)}


def repeats(scan: Scan, row: int, known: list[list[str]]) -> bool:
    """Whether a row says the same as one of the head rows (a head repeated on a new page)."""
    return [squeeze(text) for _, text in scan.grid.texts(row)] in known


def _new_table(scan: Scan, row: int, values: set[int]) -> bool:
    """A head row inside a body: texts where numbers stood, and numbers again below it."""
    if not scan.head_like(row) or (scan.grid.profile(row).numbers and not scan.year_head(row, 3)):
        return False
    over = sum(
        1
        for column in values
        if scan.grid.kind(row, column) in (TEXT, PERIOD) or (scan.grid.kind(row, column) == NUMBER)
    )
    if over < max(1, (len(values) + 1) // 2):
        return False
    below = range(row + 1, min(row + 12, scan.grid.height) + 1)
    return any(scan.data(r) for r in below)


def _before_titles(scan: Scan, head: int, data_end: int) -> int:
    """Last row of the previous table when a new head stands at ``head``: titles go to the new."""
    row = head - 1
    while row > data_end and (scan.head_like(row) or scan.group_row(row, head)):
        row -= 1
    crossed = False
    while row > data_end and not scan.note(row):
        if scan.blank(row):
            if crossed:
                break
            crossed = row < head - 1
        row -= 1
    return row


# --- columns -----------------------------------------------------------------------------


def spans(scan: Scan, block: Block) -> list[tuple[int, int]]:
    """Column spans of tables standing side by side: split at blank columns and repeated heads."""
    used = _used_columns(scan, block)
    if not used:
        return []
    groups: list[list[int]] = [[used[0]]]
    for before, column in pairwise(used):
        if column == before + 1:
            groups[-1].append(column)
        else:
            groups.append([column])
    texty = _body_text_columns(scan, block)
    found: list[tuple[int, int]] = []
    for group in groups:
        if found and (len(group) < 2 or not (set(group[:2]) & texty)):
            found[-1] = (found[-1][0], group[-1])
        else:
            found.append((group[0], group[-1]))
    return [piece for span in found for piece in _folded(scan, block, span, texty)]


def _used_columns(scan: Scan, block: Block) -> list[int]:
    grid = scan.grid
    rows = [row for row in (*block.heads, *block.body) if not scan.note(row)]
    used = {number for number, kinds in enumerate(grid.columns(rows), 1) if any(kinds)}
    for row in block.heads:
        used.update(
            c
            for c in range(1, grid.width + 1)
            if (area := grid.merged_at(row, c))
            and area[3] == c
            and grid.filled(row, c) is not None
            and c in used
        )
    return sorted(used)


def _body_text_columns(scan: Scan, block: Block) -> set[int]:
    return _text_columns(scan, next((r for r in block.body if scan.data(r)), block.body[0]))


def _folded(
    scan: Scan, block: Block, span: tuple[int, int], texty: set[int]
) -> list[tuple[int, int]]:
    """Split `地区 值 地区 值`: the head of the first text column comes again over text."""
    if not block.heads:
        return [span]
    leaf = block.heads[-1]
    names = {c: squeeze(show(scan.grid.filled(leaf, c))) for c in range(span[0], span[1] + 1)}
    first = next((c for c in range(span[0], span[1] + 1) if c in texty and names[c]), None)
    if first is None:
        return [span]
    offset = first - span[0]
    again = [c for c in names if c > first + 1 and c in texty and names[c] == names[first]]
    starts = [span[0], *(c - offset for c in again)]
    ends = [start - 1 for start in starts[1:]] + [span[1]]
    return list(zip(starts, ends, strict=True))
