"""Finds the tables of a sheet: titles, multi-level heads, units, entity and period columns, rows.

Belongs here: the shape of what a clerk typed, described without any catalogue, so that a layout
can be proposed for a file nobody has seen. Does not belong here: which indicator a head means
(`heads`), which park a name means (`entities`), the value of a number (`numbers`), or applying a
layout (`layout`). Positions are 1-based, as the spreadsheet shows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from assets.submissions.characters import fold, squeeze
from assets.submissions.grid import (
    BLANK,
    ERROR,
    FLAG,
    NUMBER,
    PERIOD,
    SYMBOL,
    TEXT,
    Grid,
    is_period,
    is_year,
    show,
)
from assets.submissions.workbook import CellValue, Range, Sheet, address

RowKind = Literal["data", "total", "of_which", "section", "note", "repeat_head"]
ColumnKind = Literal["value", "text", "period", "serial", "flag", "blank"]
Orientation = Literal["wide", "long", "transposed", "series"]
IsUnit = Callable[[str], bool]

MAX_HEAD_ROWS = 8
SAMPLE_ROWS = 200


@dataclass(frozen=True, slots=True)
class TextAt:
    """A text and where it stands."""

    text: str
    row: int
    column: int

    @property
    def address(self) -> str:
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


# --- words -------------------------------------------------------------------------------------

_NOTE = re.compile(
    r"^[(\[*※]?(注|备注|说明|附注|填表说明|填报说明|数据来源|资料来源|来源|填表人|填报人|制表人?|"
    r"审核人?|复核|单位负责人|统计负责人|分管领导|负责人|联系电话|联系人|报出日期|填报日期|"
    r"notes?|sources?)\s*([)\]:：0-9一二三.、]|$)",
    re.IGNORECASE,
)
_META = re.compile(
    r"^(填报单位|报送单位|填表单位|单位名称|综合机关名称|报告期|报告期别|时间|日期|填报时间|填报日期|"
    r"表\s*号|制定机关|批准机关|批准文号|备案文号|文号|有效期至?|计量单位|金额单位|货币单位|单位|"
    r"数据库|指标|地区|unit|units)[:：]",
    re.IGNORECASE,
)
_FACT = re.compile(r"^\s*([^:：]{1,14}?)\s*[:：]\s*(.+)$", re.DOTALL)
_UNIT_LINE = re.compile(
    r"(?:^|[(\[\s,;、])(?:(?:计量|金额|货币|数据)?单位|units?)\s*[:：]\s*([^)\]]+)", re.IGNORECASE
)
_TOTAL = re.compile(
    r"^([(（]?[一二三四五六七八九十\d]+[)）、.])?"
    r"(总\s*计|合\s*计|小\s*计|汇\s*总|全[市省县区]?(合计|总计|小计)|.{1,10}(合计|总计|小计)|"
    r"(grand|sub)?[ -]?total)[:：]?$",
    re.IGNORECASE,
)
_OF_WHICH = re.compile(r"^(其\s*中|[#＃]|of which|incl)", re.IGNORECASE)
_INDICATOR_HEADS = frozenset(
    "指标 指标名称 主要指标 项目 项目名称 统计指标 内容 indicator variable item measure".split()
)
_VALUE_HEADS = frozenset("值 数值 数据 指标值 数据值 本期数 value obs_value amount".split())
_SERIAL_HEADS = frozenset(
    "序号 编号 代码 编码 行号 行次 序 no no. id code 园区代码 行政区划代码 区划代码".split()
)
_PERIOD_HEADS = frozenset(
    "年 月 年份 年度 月份 时间 日期 报告期 统计期 期别 期间 数据期 季度 统计时间 "
    "year month quarter date period time time_period".split()
)
_INDEX_WORDS = frozenset("甲 乙 丙 丁 戊 栏次 行次 序号 序 指标序号".split())
_UNIT_TAIL = re.compile(
    r"(元|吨|人|户|个|家|座|台|辆|件|项|公里|千米|平方米|平方公里|立方米|米|亩|公顷|度|时|克|升|天|日|次|"
    r"套|张|册|所|种|只|头|处|条|起|宗|岁|倍|位|名|篇|人次|标准煤|标煤|㎡|%|‰|百分点|=100|点)$"
)
_UNIT_WORDS = frozenset(
    "count number percent percentage pct index ratio dollars thousanddollars milliondollars "
    "megawatthours kwh mwh gwh twh cents/kwh centsperkwh tonnes tons t kg persons people "
    "households ha hectares km km2 m2 usd cny rmb yuan".split()
)


def looks_like_unit(text: str) -> bool:
    """Whether a short text reads as a unit (`万元`, `%`, `上年同月=100`, `Cents/kWh`).

    A guess for files without a layout; a catalogue's `Units` should be asked first.
    """
    plain = squeeze(text).strip("()[]")
    if not plain or len(plain) > 24 or plain[0] in "不含按其" or "其中" in plain:
        return False
    if plain.casefold() in _UNIT_WORDS:
        return True
    if re.match(r"^10\^?\d\s*\w+", plain):
        return True
    return len(plain) <= 10 and bool(_UNIT_TAIL.search(plain)) and plain not in _PERIOD_HEADS


def row_role(label: str) -> RowKind:
    """Class of a body row by its label alone: total, of_which or data."""
    plain = fold(label)
    if _OF_WHICH.match(plain):
        return "of_which"
    return "total" if _TOTAL.match(squeeze(plain)) else "data"


# --- rows --------------------------------------------------------------------------------------


class _Scan:
    """Row questions over one grid; each answer is a pure function of the grid."""

    def __init__(self, grid: Grid, is_unit: IsUnit) -> None:
        self.grid = grid
        self.is_unit = is_unit
        self._data: dict[int, bool] = {}
        self._head: dict[int, bool] = {}

    def blank(self, row: int) -> bool:
        return self.grid.profile(row).filled == 0

    def note(self, row: int) -> bool:
        """A footnote: starts with 注/来源/填表人 …, or one long sentence."""
        profile = self.grid.profile(row)
        if not profile.texts:
            return False
        value = self.grid.sheet.at(row, profile.first)
        if not isinstance(value, str):
            return False
        first = squeeze(value)
        if _NOTE.match(first):
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
        return len(loose) <= max(1, keys) and all(len(text) <= 24 for text in loose)

    @staticmethod
    def _keyed(text: str) -> bool:
        if ":" not in text:  # `show` has made every colon half-width
            return False
        return bool(_META.match(squeeze(text))) or bool(_UNIT_LINE.search(text))

    def year_head(self, row: int, least: int = 2) -> bool:
        """A row whose numbers are successive periods (2005 2006 …, 202001 …, 2016.09 2016.1)."""
        grid = self.grid
        profile = grid.profile(row)
        if profile.numbers < least or profile.symbols or profile.errors:
            return False
        cells = grid.sheet.rows[row - 1]
        values = []
        for value, kind in zip(cells, grid.kinds[row - 1], strict=True):
            if kind == NUMBER:
                if _plain_number(value) is None:
                    return False
                values.append(value)
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
            elif plain not in _INDEX_WORDS:
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
        return profile.texts + profile.periods >= 2

    def group_row(self, row: int) -> bool:
        """A single group name over part of the columns (not a title: it does not start left)."""
        cells = self.grid.texts(row)
        if len(cells) != 1 or self.note(row) or self.meta(row):
            return False
        column = cells[0][0]
        if self.grid.kind(row, column) != TEXT or column <= self._left(row + 1):
            return False
        area = self.grid.merged_at(row, column)
        width = area[3] - area[1] + 1 if area else 1
        return width < 0.8 * self.grid.width

    def _left(self, row: int) -> int:
        return self.grid.profile(row).first if row <= self.grid.height else 1


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
    steps = [b - a for a, b in zip(numbers, numbers[1:], strict=False)]
    if not steps or not (all(s > 0 for s in steps) or all(s < 0 for s in steps)):
        return False
    regular = sum(abs(step) in allowed for step in steps)
    return regular >= len(steps) * 0.6 and max(abs(s) for s in steps) <= 10 * max(allowed)


# --- blocks ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Block:
    titles: list[int]
    heads: list[int]
    body: list[int]


def _blocks(scan: _Scan) -> Iterator[_Block]:
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
        yield _Block(titles, heads, list(range(top, last + 1)))
        floor = row = last + 1


def _title_rows(scan: _Scan, floor: int, first: int) -> list[int]:
    return [row for row in range(floor, first) if not scan.blank(row)]


def _head_above(scan: _Scan, first: int, floor: int) -> tuple[list[int], int]:
    """Head rows over the first data row, and the first body row (label-only rows belong to it)."""
    row = first - 1
    while row >= floor and not scan.head_like(row):
        row -= 1
    if row < floor:
        return [], first
    run = [row]
    row -= 1
    while row >= floor and (scan.head_like(row) or scan.group_row(row)):
        run.insert(0, row)
        row -= 1
    heads = _trim_heads(scan, run[-MAX_HEAD_ROWS * 4 :], first)
    top = next((r for r in range(heads[-1] + 1, first + 1) if not scan.blank(r)), first)
    return heads, top


def _trim_heads(scan: _Scan, run: list[int], first: int) -> list[int]:
    """The run without rows that are text-only data: their cells stand only over text columns."""
    grid = scan.grid
    texty = _text_columns(scan, first)
    heads = [run[0]]
    for row in run[1:]:
        own = [column for column, _ in grid.texts(row)]
        covered = {
            column for column in own if any(grid.filled(head, column) is not None for head in heads)
        }
        if own and set(own) <= texty and set(own) <= covered and not scan.index_row(row):
            break
        heads.append(row)
    return heads[:MAX_HEAD_ROWS]


def _text_columns(scan: _Scan, first: int) -> set[int]:
    """Columns that hold text, never a number, in the data rows from ``first`` on."""
    grid = scan.grid
    text: set[int] = set()
    number: set[int] = set()
    for row in range(first, min(first + 30, grid.height + 1)):
        if not scan.data(row):
            continue
        for column, kind in enumerate(grid.kinds[row - 1], 1):
            if kind == TEXT:
                text.add(column)
            elif kind in (NUMBER, ERROR):
                number.add(column)
    return text - number


def _body_end(scan: _Scan, first: int, heads: list[int]) -> int:
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
        elif _new_table(scan, row, values) and not _repeats(scan, row, known):
            return _before_titles(scan, row, data_end)
        else:
            last = row
    return last


def _value_columns(scan: _Scan, first: int) -> set[int]:
    return {c for c, kind in enumerate(scan.grid.kinds[first - 1], 1) if kind in (NUMBER, ERROR)}


def _repeats(scan: _Scan, row: int, known: list[list[str]]) -> bool:
    return [squeeze(text) for _, text in scan.grid.texts(row)] in known


def _new_table(scan: _Scan, row: int, values: set[int]) -> bool:
    """A head row inside a body: texts where numbers stood, and numbers again below it."""
    if not scan.head_like(row) or (scan.grid.profile(row).numbers and not scan.year_head(row, 3)):
        return False
    over = sum(
        1
        for column in values
        if scan.grid.kind(row, column) in (TEXT, PERIOD)
        or (scan.grid.kind(row, column) == NUMBER)
    )
    if over < max(1, (len(values) + 1) // 2):
        return False
    below = range(row + 1, min(row + 12, scan.grid.height) + 1)
    return any(scan.data(r) for r in below)


def _before_titles(scan: _Scan, head: int, data_end: int) -> int:
    """Last row of the previous table when a new head stands at ``head``: titles go to the new."""
    row = head - 1
    while row > data_end and (scan.head_like(row) or scan.group_row(row)):
        row -= 1
    crossed = False
    while row > data_end and not scan.note(row):
        if scan.blank(row):
            if crossed:
                break
            crossed = row < head - 1
        row -= 1
    return row


# --- columns -----------------------------------------------------------------------------------


def _spans(scan: _Scan, block: _Block) -> list[tuple[int, int]]:
    """Column spans of tables standing side by side: split at blank columns and repeated heads."""
    used = _used_columns(scan, block)
    if not used:
        return []
    groups: list[list[int]] = [[used[0]]]
    for before, column in zip(used, used[1:], strict=False):
        if column == before + 1:
            groups[-1].append(column)
        else:
            groups.append([column])
    texty = _body_text_columns(scan, block)
    spans: list[tuple[int, int]] = []
    for group in groups:
        if spans and (len(group) < 2 or not (set(group[:2]) & texty)):
            spans[-1] = (spans[-1][0], group[-1])
        else:
            spans.append((group[0], group[-1]))
    return [piece for span in spans for piece in _folded(scan, block, span, texty)]


def _used_columns(scan: _Scan, block: _Block) -> list[int]:
    grid = scan.grid
    used: set[int] = set()
    rows = [*block.heads, *block.body]
    for row in rows:
        if scan.note(row):
            continue
        used.update(c for c, kind in enumerate(grid.kinds[row - 1], 1) if kind)
    for row in block.heads:
        used.update(
            c for c in range(1, grid.width + 1) if (area := grid.merged_at(row, c)) and area[3] == c
            and grid.filled(row, c) is not None and c in used
        )
    return sorted(used)


def _body_text_columns(scan: _Scan, block: _Block) -> set[int]:
    return _text_columns(scan, next((r for r in block.body if scan.data(r)), block.body[0]))


def _folded(
    scan: _Scan, block: _Block, span: tuple[int, int], texty: set[int]
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


def _unit_row(scan: _Scan, heads: list[int], span: tuple[int, int]) -> int | None:
    """The head row that holds units: most of its cells are units and heads stay distinct without."""
    if len(heads) < 2:
        return None
    row = heads[-1]
    cells = [
        squeeze(show(scan.grid.filled(row, column)))
        for column in range(span[0], span[1] + 1)
        if scan.grid.filled(row, column) is not None
        and scan.grid.kind(row, column) == TEXT
    ]
    units = [cell for cell in cells if scan.is_unit(cell)]
    if len(units) < 2 or len(units) < 0.5 * len(cells):
        return _odd_unit_row(scan, heads, span, cells)
    return row


def _odd_unit_row(
    scan: _Scan, heads: list[int], span: tuple[int, int], cells: list[str]
) -> int | None:
    """Units nobody knows: the last row repeats few texts although the rows above tell all apart."""
    units = {cell for cell in cells if scan.is_unit(cell)}
    if not units or len(set(cells)) > 0.5 * len(cells):
        return None
    above = [_path(scan.grid, heads[:-1], column) for column in range(span[0], span[1] + 1)]
    named = [path for path in above if path]
    return heads[-1] if len(named) == len(set(named)) and len(named) > 3 else None


def _path(grid: Grid, heads: Iterable[int], column: int) -> tuple[str, ...]:
    path: list[str] = []
    for row in heads:
        text = show(grid.filled(row, column))
        if text and (not path or squeeze(path[-1]) != squeeze(text)):
            path.append(text)
    return tuple(path)


class _Heads:
    """Head cells of one span, group names carried over blank cells to their right."""

    def __init__(self, scan: _Scan, block: _Block, span: tuple[int, int]) -> None:
        self.scan, self.grid, self.span = scan, scan.grid, span
        self.unit_row = _unit_row(scan, block.heads, span)
        self.rows = [row for row in block.heads if not scan.index_row(row)]
        self.cells = {row: self._carried(row) for row in self.rows}

    def _carried(self, row: int) -> dict[int, CellValue]:
        """Value per column; a blank upper cell takes the group name to its left (export of a merge)."""
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

    def column(self, column: int, kind: ColumnKind) -> Column:
        path: list[str] = []
        values: list[CellValue] = []
        unit: TextAt | None = None
        leaf = self.rows[-1] if self.rows else 0
        for row in self.rows:
            value = self.cells[row].get(column)
            text = show(value)
            if not text:
                continue
            if path and squeeze(path[-1]) == squeeze(text):
                continue  # one cell merged over several head rows
            if row == self.unit_row and path:
                unit = TextAt(text, row, column)
            else:
                path.append(text)
                values.append(value)
                leaf = row
        period = next((v for v in reversed(values) if is_period(v)), None)
        return Column(column, tuple(path), tuple(values), leaf, unit, period, kind)


def _kind(grid: Grid, rows: list[int], column: int, head: str) -> ColumnKind:
    """What stands in a column's body, by majority over a sample of rows."""
    counts = [0] * 7
    for row in rows:
        counts[grid.kind(row, column)] += 1
    if head in _SERIAL_HEADS or (not head and _serial(grid, rows, column)):
        return "serial"
    numbers = counts[NUMBER] + counts[ERROR]
    if head in _PERIOD_HEADS or (counts[PERIOD] and counts[PERIOD] >= numbers + counts[TEXT]):
        return "period" if numbers + counts[PERIOD] else "text"
    if counts[FLAG] > numbers + counts[TEXT]:
        return "flag"
    if counts[TEXT] > numbers:
        return "text"
    if numbers or counts[SYMBOL]:
        return "value"
    return "blank" if counts[TEXT] == 0 else "text"


def _serial(grid: Grid, rows: list[int], column: int) -> bool:
    """A nameless column counting 1 2 3 …"""
    values = [grid.sheet.at(row, column) for row in rows if grid.kind(row, column) != BLANK]
    numbers = [int(v) for v in values if isinstance(v, (int, float)) and float(v).is_integer()]
    if len(numbers) < 2 or len(numbers) != len(values):
        return False
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


# --- building ----------------------------------------------------------------------------------


def detect_tables(sheet: Sheet, is_unit: IsUnit = looks_like_unit) -> list[DetectedTable]:
    """All tables of a sheet from top to bottom, left to right; empty when no row holds a number.

    ``is_unit`` says whether a text is a unit (pass the catalogue's own for best results).
    Never raises on any content: what is not understood becomes a title, a note or a text column.
    """
    scan = _Scan(Grid(sheet), is_unit)
    tables: list[DetectedTable] = []
    for block in _blocks(scan):
        spans = _spans(scan, block)
        for index, span in enumerate(spans):
            table = _build(scan, block, span, only=len(spans) == 1, first=index == 0)
            if table is not None:
                tables.append(table)
    return tables


def _build(
    scan: _Scan, block: _Block, span: tuple[int, int], *, only: bool, first: bool
) -> DetectedTable | None:
    grid = scan.grid
    heads = _Heads(scan, block, span)
    body = [row for row in block.body if not scan.blank(row)]
    sample = [row for row in body if scan.data(row)][:SAMPLE_ROWS]
    columns = []
    for number in range(span[0], span[1] + 1):
        path = [show(heads.cells[row].get(number)) for row in heads.rows]
        leaf = next((squeeze(text).casefold() for text in reversed(path) if text), "")
        columns.append(heads.column(number, _kind(grid, sample, number, leaf)))
    columns = [c for c in columns if c.path or c.kind != "blank"]
    if not any(c.kind in ("value", "flag") for c in columns):
        return None
    labels = _label_columns(columns)
    rows, footnotes = _rows(scan, block, body, span, labels, only=only)
    titles = _texts(grid, block.titles, None if only or first else span)
    facts = _facts([*titles, *footnotes])
    period_columns = tuple(c.column for c in columns if c.period_head is not None)
    return DetectedTable(
        sheet=grid.sheet.name,
        area=(block.heads[0] if block.heads else body[0], span[0], body[-1], span[1]),
        titles=titles,
        facts=facts,
        unit_line=_unit_line([*titles, *footnotes], scan.is_unit),
        head_rows=tuple(block.heads),
        unit_row=heads.unit_row,
        columns=tuple(columns),
        entity_columns=labels,
        period_columns=period_columns,
        row_period_columns=tuple(c.column for c in columns if c.kind == "period"),
        orientation=_orientation(columns, labels, period_columns),
        rows=rows,
        footnotes=footnotes,
    )


def _label_columns(columns: list[Column]) -> tuple[int, ...]:
    """Text columns left of the first value column; any text column when there is none there."""
    first = next((c.column for c in columns if c.kind in ("value", "flag")), 0)
    left = tuple(c.column for c in columns if c.kind == "text" and c.column < first)
    return left or tuple(c.column for c in columns if c.kind == "text")[:1]


def _rows(
    scan: _Scan,
    block: _Block,
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
        inside = any(grid.kind(row, c) for c in range(span[0], span[1] + 1))
        if not inside:
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
    scan: _Scan, row: int, label: str, known: list[list[str]], span: tuple[int, int]
) -> RowKind:
    if (scan.year_head(row) or not scan.data(row)) and _repeats(scan, row, known):
        return "repeat_head"
    if scan.note(row):
        return "note"
    role = row_role(label)
    if role != "data":
        return role
    cells = [c for c in range(span[0], span[1] + 1) if scan.grid.kind(row, c)]
    wide = len(cells) == 1 and (area := scan.grid.merged_at(row, cells[0])) is not None
    if wide and area is not None and area[3] - area[1] + 1 > (span[1] - span[0] + 1) // 2:
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
    for text in texts:
        if waiting and waiting[1] == text.row:
            facts.append(Fact(waiting[0], text))
            waiting = None
            continue
        plain = fold(text.text)
        match = _FACT.match(plain)
        if match:
            facts.append(Fact(squeeze(match[1]), TextAt(match[2].strip(), text.row, text.column)))
        waiting = (squeeze(plain[:-1]), text.row) if plain.endswith(":") else None
    return tuple(facts)


def _unit_line(texts: Iterable[TextAt], is_unit: IsUnit) -> TextAt | None:
    """`单位：万元、人`: only when a part of it is a unit (`单位：汉滨区经信局` is an office)."""
    for text in texts:
        match = _UNIT_LINE.search(fold(text.text))
        if not match:
            continue
        found = match[1].strip()
        parts = re.split(r"[、,;\s]+", found)
        if is_unit(squeeze(found)) or any(is_unit(part) for part in parts if part):
            return TextAt(found, text.row, text.column)
    return None


def _orientation(
    columns: list[Column], labels: tuple[int, ...], periods: tuple[int, ...]
) -> Orientation:
    """What varies across columns: indicators (wide), periods (series), entities (transposed)."""
    values = [c for c in columns if c.kind in ("value", "blank")]
    if len(periods) >= 2 and 2 * len(periods) >= len(values):
        if all(len(c.path) == 1 for c in values if c.period_head is not None):
            return "series"
    heads = {squeeze(c.head).casefold() for c in columns if c.column in labels}
    if heads & _INDICATOR_HEADS:
        if len(values) == 1 and squeeze(values[0].head).casefold() in _VALUE_HEADS:
            return "long"
        return "transposed"
    return "wide"
