"""Finds the tables of a sheet: titles, multi-level heads, units, entity and period columns, rows.

Belongs here: the shape of what a clerk typed, described without any catalogue, so that a layout
can be proposed for a file nobody has seen. Does not belong here: which indicator a head means
(`heads`), which park a name means (`entities`), the value of a number (`numbers`), or applying a
layout (`layout`). Positions are 1-based, as the spreadsheet shows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from assets.submissions.reading.workbook import CellValue, Range, Sheet, address
from assets.submissions.tables.grid import (
    BLANK,
    ERROR,
    FLAG,
    MAX_MERGED,
    NUMBER,
    PERIOD,
    SYMBOL,
    TEXT,
    Grid,
    fold,
    is_period,
    show,
    squeeze,
)
from assets.submissions.tables.scan import Block, IsUnit, Scan, blocks, repeats, spans
from assets.submissions.tables.table_words import (
    AMOUNTS_IN,
    ATTRIBUTE_LABELS,
    FACT,
    INDICATOR_HEADS,
    PERIOD_HEADS,
    SERIAL_HEADS,
    UNIT_LABELS,
    UNIT_LINE,
    VALUE_HEADS,
    WIDE_GAP,
    RowKind,
    looks_like_unit,
    row_role,
)

ColumnKind = Literal["value", "text", "period", "serial", "flag", "blank"]
Orientation = Literal["wide", "long", "transposed", "series"]

SAMPLE_ROWS = 200
_UNIT_BEHIND = re.compile(r"[(\[]([^()\[\]\d]{1,6}[元万亿])[)\]]$")
_SPACED_KEY = re.compile(r"(表)\s+(号)")


@dataclass(frozen=True, slots=True)
class TextAt:
    """A text and where it stands."""

    text: str
    row: int
    column: int

    @property
    def address(self) -> str:
        """Spreadsheet address, such as ``C4``."""
        return address(self.row, self.column)


@dataclass(frozen=True, slots=True)
class Fact:
    """A `key：value` line above or below a table, such as `指标：地区生产总值(亿元)`."""

    key: str
    value: TextAt


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its head from top to bottom (merged cells filled, unit row left out).

    ``values`` are the raw head cells of ``path`` (a year may be a number, a month a date);
    ``unit`` is the cell of the unit row; ``period_head`` is set when a level of the head is a
    period; ``kind`` says what stands below the head.
    """

    column: int
    path: tuple[str, ...]
    values: tuple[CellValue, ...]
    row: int
    unit: TextAt | None
    period_head: CellValue
    kind: ColumnKind

    @property
    def head(self) -> str:
        """The path on one line, levels joined by ``/``."""
        return "/".join(self.path)


@dataclass(frozen=True, slots=True)
class Row:
    """One body row: its number, class and label (the text of its leading columns)."""

    row: int
    kind: RowKind
    label: str


@dataclass(frozen=True, slots=True)
class DetectedTable:
    """A table as found. ``area`` covers head and body; titles and footnotes stand outside it."""

    sheet: str
    area: Range
    titles: tuple[TextAt, ...]
    facts: tuple[Fact, ...]
    unit_line: TextAt | None
    head_rows: tuple[int, ...]
    unit_row: int | None
    columns: tuple[Column, ...]
    entity_columns: tuple[int, ...]
    period_columns: tuple[int, ...]
    row_period_columns: tuple[int, ...]
    orientation: Orientation
    rows: tuple[Row, ...]
    footnotes: tuple[TextAt, ...]

    def column(self, number: int) -> Column:
        """The column at a sheet position. Raises KeyError outside the table."""
        for column in self.columns:
            if column.column == number:
                return column
        raise KeyError(number)

    @property
    def title(self) -> str:
        """Title lines that are not `key：value` lines, joined by a space."""
        facts = {(fact.value.row, fact.value.column) for fact in self.facts}
        parts = [t.text for t in self.titles if (t.row, t.column) not in facts]
        return " ".join(parts)


# --- heads and columns -------------------------------------------------------------------


def _unit_row(scan: Scan, heads: list[int], span: tuple[int, int]) -> int | None:
    """The head row that holds units: most cells are units and heads stay distinct without."""
    if len(heads) < 2:
        return None
    row = heads[-1]
    cells = [
        squeeze(show(scan.grid.filled(row, column)))
        for column in range(span[0], span[1] + 1)
        if scan.grid.filled(row, column) is not None and scan.grid.kind(row, column) == TEXT
    ]
    units = [cell for cell in cells if scan.is_unit(cell)]
    if len(units) < 2 or len(units) < 0.5 * len(cells):
        return _odd_unit_row(scan, heads, span, cells)
    return row


def _odd_unit_row(
    scan: Scan, heads: list[int], span: tuple[int, int], cells: list[str]
) -> int | None:
    """Units nobody knows: the last row repeats few texts although the rows above tell all apart."""
    units = {cell for cell in cells if scan.is_unit(cell)}
    if not units or len(set(cells)) > 0.5 * len(cells):
        return None
    above = [_path(scan.grid, heads[:-1], column) for column in range(span[0], span[1] + 1)]
    told_apart = all(above) and len(above) == len(set(above))
    return heads[-1] if told_apart and len(above) > 3 else None


def _path(grid: Grid, heads: Iterable[int], column: int) -> tuple[str, ...]:
    path: list[str] = []
    for row in heads:
        text = show(grid.filled(row, column))
        if text and (not path or squeeze(path[-1]) != squeeze(text)):
            path.append(text)
    return tuple(path)


class _Heads:
    """Head cells of one span, group names carried over blank cells to their right."""

    def __init__(self, scan: Scan, block: Block, span: tuple[int, int]) -> None:
        self.scan, self.grid, self.span = scan, scan.grid, span
        labels = {row: self._label(row, block.heads[0]) for row in block.heads}
        labelled = next((r for r in block.heads[1:] if labels[r] in UNIT_LABELS), None)
        self.unit_row = labelled or _unit_row(scan, block.heads, span)
        self.rows = [
            row
            for row in block.heads
            if not scan.index_row(row) and labels[row].casefold() not in ATTRIBUTE_LABELS
        ]
        self.cells = {row: self._carried(row) for row in self.rows}
        self.period_rows = {row for row in self.rows if scan.year_head(row)}

    def _label(self, row: int, top: int) -> str:
        """First cell of a head row; where the rows are numbered (序号), the cell beside the blank one."""
        grid, column = self.grid, self.span[0]
        numbered = squeeze(show(grid.filled(top, column))).casefold() in SERIAL_HEADS
        if numbered and row != top and not show(grid.filled(row, column)):
            column += 1
        return squeeze(show(grid.filled(row, column)))

    def _carried(self, row: int) -> dict[int, CellValue]:
        """Value per column; a blank upper cell takes the group name to its left (lost merge)."""
        values: dict[int, CellValue] = {}
        below = [r for r in self.rows if r > row]
        group: CellValue = None
        for column in range(self.span[0], self.span[1] + 1):
            value = self.grid.filled(row, column)
            has_child = any(self.grid.filled(r, column) is not None for r in below)
            if value is not None and show(value):
                group = value if has_child and self._may_carry(row, column) else None
                values[column] = value
            elif group is not None and has_child and self._open(row, column, below):
                values[column] = group
            else:
                group = None
        return values

    def _may_carry(self, row: int, column: int) -> bool:
        return self.grid.merged_at(row, column) is None

    def _open(self, row: int, column: int, below: list[int]) -> bool:
        """The cell right under a group is its child, unless a vertical merge covers this place."""
        return self.grid.merged_at(row, column) is None and bool(below)

    def _coded_period(self, row: int, column: int) -> bool:
        """A number in a head row of successive periods (202006, 2016.1, a date serial)."""
        return row in self.period_rows and self.grid.kind(row, column) == NUMBER

    def column(self, column: int, kind: ColumnKind) -> Column:
        path: list[str] = []
        values: list[CellValue] = []
        unit: TextAt | None = None
        leaf = self.rows[-1] if self.rows else 0
        period: CellValue = None
        for row in self.rows:
            value = self.cells[row].get(column)
            text = show(value)
            if not text:
                continue
            if path and squeeze(path[-1]) == squeeze(text):
                continue  # one cell merged over several head rows
            if row == self.unit_row and (path or squeeze(text) in UNIT_LABELS):
                unit = None if squeeze(text) in UNIT_LABELS else TextAt(text, row, column)
            else:
                path.append(text)
                values.append(value)
                leaf = row
                if is_period(value) or self._coded_period(row, column):
                    period = value
        return Column(column, tuple(path), tuple(values), leaf, unit, period, kind)


def _without_title(columns: list[Column]) -> tuple[list[Column], str]:
    """A top head level that is the same over all columns is the table's title."""
    tops = {column.path[0] if len(column.path) > 1 else "" for column in columns}
    if len(columns) < 2 or len(tops) != 1 or "" in tops:
        return columns, ""
    cut = [replace(column, path=column.path[1:], values=column.values[1:]) for column in columns]
    return cut, tops.pop()


def _kind(grid: Grid, rows: list[int], column: int, kinds: bytes, head: str) -> ColumnKind:
    """What stands in a column's body, by majority over a sample of rows."""
    if head in SERIAL_HEADS or (not head and _serial(grid, rows, column)):
        return "serial"
    numbers, texts = kinds.count(NUMBER) + kinds.count(ERROR), kinds.count(TEXT)
    periods, flags = kinds.count(PERIOD), kinds.count(FLAG)
    if head in PERIOD_HEADS or (periods and periods >= numbers + texts):
        return "period" if numbers + periods else "text"
    if flags > numbers + texts:
        return "flag"
    if texts > numbers:
        return "text"
    if numbers or SYMBOL in kinds:
        return "value"
    return "blank" if texts == 0 else "text"


def _serial(grid: Grid, rows: list[int], column: int) -> bool:
    """A nameless column counting 1 2 3 …"""
    values = [grid.sheet.at(row, column) for row in rows if grid.kind(row, column) != BLANK]
    numbers = [int(v) for v in values if isinstance(v, (int, float)) and float(v).is_integer()]
    if len(numbers) < 2 or len(numbers) != len(values):
        return False
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


# --- heads seen before -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the heads of a table and the kinds of its columns say together."""

    columns: tuple[Column, ...]
    top: str
    labels: tuple[int, ...]
    period_columns: tuple[int, ...]
    orientation: Orientation


class _HeadsRead:
    """Heads of a span with everything that follows from them alone: a form comes many times."""

    def __init__(self, scan: Scan, block: Block, span: tuple[int, int]) -> None:
        heads = _Heads(scan, block, span)
        self.unit_row = heads.unit_row
        self.columns = [heads.column(c, "blank") for c in range(span[0], span[1] + 1)]
        self.leaves = [_leaf(heads, c) for c in range(span[0], span[1] + 1)]
        self._shapes: dict[tuple[ColumnKind, ...], _Shape | None] = {}

    def shape(self, kinds: tuple[ColumnKind, ...]) -> _Shape | None:
        """Columns of these kinds under the heads; None when no column holds values."""
        if kinds not in self._shapes:
            self._shapes[kinds] = self._make(kinds)
        return self._shapes[kinds]

    def _make(self, kinds: tuple[ColumnKind, ...]) -> _Shape | None:
        columns = [replace(c, kind=kind) for c, kind in zip(self.columns, kinds, strict=True)]
        columns = [c for c in columns if c.path or c.kind != "blank"]
        columns, top = _without_title(columns)
        if not any(c.kind in ("value", "flag") for c in columns):
            return None
        labels = _label_columns(columns)
        periods = tuple(c.column for c in columns if c.period_head is not None)
        return _Shape(tuple(columns), top, labels, periods, _orientation(columns, labels, periods))


def _leaf(heads: _Heads, column: int) -> str:
    """The last level of a column's head, folded; empty for a column without one."""
    path = [show(heads.cells[row].get(column)) for row in heads.rows]
    return next((squeeze(text).casefold() for text in reversed(path) if text), "")


class KnownHeads:
    """Heads that have been read, by the cells they stand in. Ask one with the same ``is_unit`` only.

    A bureau's files are one form filled in many times: columns, units and periods of its heads are
    found once. The key holds all that reading heads looks at, so that a hit changes nothing.
    """

    LIMIT = 256

    def __init__(self) -> None:
        self._known: dict[object, _HeadsRead] = {}

    def read(self, scan: Scan, block: Block, span: tuple[int, int]) -> _HeadsRead:
        """The heads of a block's span."""
        key = _head_cells(scan.grid, block.heads, span)
        if key is None:
            return _HeadsRead(scan, block, span)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= self.LIMIT:
                self._known.clear()
            known = self._known[key] = _HeadsRead(scan, block, span)
        return known


def _head_cells(grid: Grid, heads: list[int], span: tuple[int, int]) -> object | None:
    """Everything head rows are read from: their cells, their kinds, merged areas over them and what
    stands in these areas' first cells; None where an area is so large that more would count."""
    areas = []
    for area in grid.sheet.merged:
        top, left, bottom, right = area
        if any(top <= row <= bottom for row in heads):
            if (bottom - top + 1) * (right - left + 1) > MAX_MERGED:
                return None
            areas.append((area, repr(grid.sheet.at(top, left))))
    cells = [repr(grid.sheet.rows[row - 1]) for row in heads]
    kinds = [grid.kinds[row - 1] for row in heads]
    return (span, grid.width, tuple(heads), tuple(cells), tuple(kinds), tuple(areas))


# --- building ----------------------------------------------------------------------------


def detect_tables(
    sheet: Sheet, is_unit: IsUnit = looks_like_unit, known: KnownHeads | None = None
) -> list[DetectedTable]:
    """All tables of a sheet from top to bottom, left to right; empty when no row holds a number.

    ``is_unit`` says whether a text is a unit (pass the catalogue's own for best results); ``known``
    are the heads read before with it. Never raises on any content: what is not understood becomes a
    title, a note or a text column.
    """
    scan = Scan(Grid(sheet), is_unit)
    known = known or KnownHeads()
    tables: list[DetectedTable] = []
    for block in blocks(scan):
        found = spans(scan, block)
        for index, span in enumerate(found):
            heads = known.read(scan, block, span)
            table = _build(scan, block, span, heads, only=len(found) == 1, first=index == 0)
            if table is not None:
                tables.append(table)
    return tables


def _build(
    scan: Scan,
    block: Block,
    span: tuple[int, int],
    heads: _HeadsRead,
    *,
    only: bool,
    first: bool,
) -> DetectedTable | None:
    grid = scan.grid
    body = [row for row in block.body if not scan.blank(row)]
    shape = heads.shape(_kinds(scan, body, span, heads))
    if shape is None:
        return None
    rows, footnotes = _rows(scan, block, body, span, shape.labels, only=only)
    titles = _texts(grid, block.titles, None if only or first else span)
    if shape.top:
        titles = (*titles, TextAt(shape.top, block.heads[0], span[0]))
    return DetectedTable(
        sheet=grid.sheet.name,
        area=(block.heads[0] if block.heads else body[0], span[0], body[-1], span[1]),
        titles=titles,
        facts=_facts([*titles, *footnotes]),
        unit_line=_unit_line([*titles, *footnotes], scan.is_unit)
        or _bare_unit(titles, scan.is_unit),
        head_rows=tuple(block.heads),
        unit_row=heads.unit_row,
        columns=shape.columns,
        entity_columns=shape.labels,
        period_columns=shape.period_columns,
        row_period_columns=tuple(c.column for c in shape.columns if c.kind == "period"),
        orientation=shape.orientation,
        rows=rows,
        footnotes=footnotes,
    )


def _kinds(
    scan: Scan, body: list[int], span: tuple[int, int], heads: _HeadsRead
) -> tuple[ColumnKind, ...]:
    """What stands in each column of a span."""
    sample = [row for row in body if scan.data(row)][:SAMPLE_ROWS]
    below = scan.grid.columns(sample)[span[0] - 1 : span[1]]
    return tuple(
        _kind(scan.grid, sample, number, kinds, leaf)
        for number, (kinds, leaf) in enumerate(zip(below, heads.leaves, strict=True), span[0])
    )


def _label_columns(columns: list[Column]) -> tuple[int, ...]:
    """Text columns left of the first value column; any text column when there is none there."""
    first = next((c.column for c in columns if c.kind in ("value", "flag")), 0)
    left = tuple(c.column for c in columns if c.kind == "text" and c.column < first)
    return left or tuple(c.column for c in columns if c.kind == "text")[:1]


def _rows(
    scan: Scan,
    block: Block,
    body: list[int],
    span: tuple[int, int],
    labels: tuple[int, ...],
    *,
    only: bool,
) -> tuple[tuple[Row, ...], tuple[TextAt, ...]]:
    grid = scan.grid
    known = [[squeeze(text) for _, text in grid.texts(head)] for head in block.heads]
    last_data = max((row for row in body if scan.data(row)), default=0)
    rows: list[Row] = []
    notes: list[TextAt] = []
    noted = False
    for row in body:
        if not any(grid.kinds[row - 1][span[0] - 1 : span[1]]):
            continue
        label = _label(grid, row, labels)
        noted = (noted and not scan.data(row)) or scan.note(row)
        if noted and row > last_data:
            rows.append(Row(row, "note", label))
            notes.extend(_texts(grid, [row], None if only else span))
        else:
            rows.append(Row(row, _row_kind(scan, row, label, known, span), label))
    return tuple(rows), tuple(notes)


def _row_kind(
    scan: Scan, row: int, label: str, known: list[list[str]], span: tuple[int, int]
) -> RowKind:
    if not scan.data(row) and repeats(scan, row, known):
        return "repeat_head"
    if scan.note(row):
        return "note"
    role = row_role(label)
    if role != "data":
        return role
    cells = scan.grid.kinds[row - 1][span[0] - 1 : span[1]]
    if len(cells) - cells.count(BLANK) != 1:
        return "data"
    alone = span[0] + next(place for place, kind in enumerate(cells) if kind)
    area = scan.grid.merged_at(row, alone)
    if area is not None and area[3] - area[1] + 1 > (span[1] - span[0] + 1) // 2:
        return "section"
    return "data"


def _label(grid: Grid, row: int, labels: tuple[int, ...]) -> str:
    """Text of a row's own leading cells (rightmost wins), else of merged ones."""
    own = [show(grid.sheet.at(row, c)) for c in labels if grid.kind(row, c)]
    if own:
        special = next((text for text in own if row_role(text) != "data"), None)
        return special or own[-1]
    seen = [show(grid.filled(row, c)) for c in labels]
    return next((text for text in reversed(seen) if text), "")


def _texts(grid: Grid, rows: Iterable[int], span: tuple[int, int] | None) -> tuple[TextAt, ...]:
    return tuple(
        TextAt(text, row, column)
        for row in rows
        for column, text in grid.texts(row)
        if text and (span is None or span[0] <= column <= span[1])
    )


def _facts(texts: Iterable[TextAt]) -> tuple[Fact, ...]:
    """`key：value` cells; a key alone in its cell takes the next cell as its value."""
    facts: list[Fact] = []
    waiting: tuple[str, int] | None = None
    for text in _segments(texts):
        if waiting and waiting[1] == text.row:
            facts.append(Fact(waiting[0], text))
            waiting = None
            continue
        plain = fold(text.text)
        match = FACT.match(plain)
        if match:
            facts.append(Fact(squeeze(match[1]), TextAt(match[2].strip(), text.row, text.column)))
        waiting = (squeeze(plain[:-1]), text.row) if plain.endswith(":") else None
    return tuple(facts)


def _segments(texts: Iterable[TextAt]) -> Iterator[TextAt]:
    """Cells cut at wide gaps: `填报单位：甲    2020年1—6月    计量单位：万元` is three texts."""
    for text in texts:
        for part in WIDE_GAP.split(_SPACED_KEY.sub(r"\1\2", fold(text.text))):
            if part.strip():
                yield TextAt(part.strip(), text.row, text.column)


def _unit_line(texts: Iterable[TextAt], is_unit: IsUnit) -> TextAt | None:
    """`单位：万元、人`: only when a part of it is a unit (`单位：汉滨区经信局` is an office)."""
    for text in texts:
        said = fold(text.text)
        match = UNIT_LINE.search(said) or AMOUNTS_IN.search(said)
        if not match:
            continue
        found = WIDE_GAP.split(match[1].strip())[0].rstrip("。.;")
        parts = re.split(r"[、,;\s]+", found)
        if is_unit(squeeze(found)) or any(is_unit(part) for part in parts if part):
            return TextAt(found, text.row, text.column)
    return None


def _bare_unit(titles: Iterable[TextAt], is_unit: IsUnit) -> TextAt | None:
    """A cell over the table that holds nothing but a unit: `（亿元）`; or one behind a title."""
    for text in titles:
        said = squeeze(fold(text.text))
        plain = said.strip("()[]")
        if plain and is_unit(plain):
            return TextAt(plain, text.row, text.column)
        behind = _UNIT_BEHIND.search(said)
        if behind and is_unit(behind[1]):
            return TextAt(behind[1], text.row, text.column)
    return None


def _orientation(
    columns: list[Column], labels: tuple[int, ...], periods: tuple[int, ...]
) -> Orientation:
    """What varies across columns: indicators (wide), periods (series), entities (transposed)."""
    values = [c for c in columns if c.kind in ("value", "blank")]
    alone = all(len(c.path) == 1 for c in values if c.period_head is not None)
    if alone and len(periods) >= 2 and 2 * len(periods) >= len(values):
        return "series"
    heads = {squeeze(c.head).casefold() for c in columns if c.column in labels}
    if heads & INDICATOR_HEADS:
        if len(values) == 1 and squeeze(values[0].head).casefold() in VALUE_HEADS:
            return "long"
        return "transposed"
    return "wide"
