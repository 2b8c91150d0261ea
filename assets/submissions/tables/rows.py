"""Reads the rows of a planned table into cells: entity, period, value, state, unit, maturity.

Belongs here: one pass over the body rows with everything per column decided before (`targets`), so
that a cell costs microseconds. Does not belong here: the meaning of heads, choosing layouts, any
judgement of a value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, TypeVar, cast

from assets.submissions.reading.textfile import SHEET_NAME
from assets.submissions.reading.workbook import (
    SHOWN_OTHERWISE,
    CellValue,
    ErrorValue,
    Sheet,
    address,
)
from assets.submissions.tables import notes
from assets.submissions.tables.filetime import default_year
from assets.submissions.tables.grid import show, squeeze
from assets.submissions.tables.growth import as_percent, growth_as_fractions
from assets.submissions.tables.plan import TablePlan, text_matches
from assets.submissions.tables.records import CellRecord, Cells, FileState
from assets.submissions.tables.scope import Parts, outside, remark_columns, remark_denies
from assets.submissions.tables.structure import DetectedTable, Row
from assets.submissions.tables.table_reading import (
    EntityFound,
    TableReading,
    cell_text,
    entity,
    prepare,
)
from assets.submissions.tables.targets import Target, Targets
from assets.submissions.tables.unit_use import UnitUse, factor_text
from assets.submissions.values.numbers import (
    USUAL_LEAST,
    USUAL_MOST,
    parse_number,
    raw_text,
    row_texts,
)
from assets.submissions.values.periods import ParsedPeriod, PeriodRefusal, parse_period_column
from assets.submissions.values.symbols import Symbols
from assets.submissions.values.units import UnitMismatch, scaled
from warehouse.catalog.layouts import IgnoreRule, Layout

if TYPE_CHECKING:
    from assets.submissions.tables.layout import Reader

T = TypeVar("T")
_WIDE = Context(prec=60, rounding=ROUND_HALF_UP)
_PLACES = Decimal(1).scaleb(-8)
_MOVED = re.compile(
    r"(?:同比)?(?:增长|增加|上升|提高|(?P<down>下降|下滑|减少|降低))(?P<size>\d+(?:\.\d+)?%?)"
)


@dataclass(slots=True)
class RowDims:
    """What a row says besides its values."""

    park_id: str | None
    entity_raw: str
    role: str
    period: str | None
    maturity: str | None


def read_plan(
    reader: Reader, layout: Layout, plan: TablePlan, sheet: Sheet, state: FileState
) -> Cells:
    """All cells of one table; findings go to ``state``."""
    symbols = reader.symbols(layout.symbols)
    reading = TableReading(reader, layout, plan, sheet, state, symbols)
    prepare(reading)
    is_outside = outside(reading)
    targets_of = Targets(reading)
    rows = [(row, dims, targets_of.for_row(row, label)) for row, dims, label in _rows(reading)]
    percent = growth_as_fractions(reading, [(row, targets) for row, _, targets in rows])
    lines: dict[int, Line] = {}
    cells = Cells()
    for row, dims, targets in rows:
        line = lines.get(id(targets))
        if line is None:
            line = lines[id(targets)] = Line(as_percent(targets) if percent else targets)
        _read_row(reading, row, dims, line, cells)
    targets_of.tell_heads()
    if is_outside:
        cells.period = [None] * len(cells)
    return cells


# --- rows --------------------------------------------------------------------------------


def _rows(reading: TableReading) -> Iterator[tuple[int, RowDims, str]]:
    """Body rows with their dimensions and indicator label; notes, repeated heads left out."""
    plan, rule = reading.plan, reading.plan.rule
    body = [row for row in reading.table.rows if row.kind not in ("note", "repeat_head")]
    periods = _row_periods(reading, body)
    name, indicator = "", ""
    parts = Parts(reading)
    left = {row.row for row in plan.table.rows if parts.leaves(row)}
    remarks = remark_columns(plan)
    for row in body:
        own = cell_text(reading, row.row, plan.entity_column)
        name = own or (name if rule.entity.fill_down else "")
        label = cell_text(reading, row.row, plan.indicator_column)
        fill = rule.indicator is not None and rule.indicator.fill_down
        indicator = label or (indicator if fill else "")
        text = name if plan.entity_column else indicator
        if _skipped(rule.rows.skip, text) or _empty(reading, row, name, indicator):
            continue
        period = reading.period if periods is None else periods.get(row.row)
        park_id, name_raw, role = _row_entity(reading, row, name, period)
        if (
            row.row in left
            or remark_denies(reading, row, remarks)
            or (park_id is not None and _overflows(reading, row))
        ):
            park_id, period = None, None
        maturity = _maturity(reading, row.row)
        yield row.row, RowDims(park_id, name_raw, role, period, maturity), indicator


def _overflows(reading: TableReading, row: Row) -> bool:
    """A line of a text file with more fields than its head: 24,000 without quotes is two of them, and
    nothing after it stands in its column."""
    if reading.sheet.name != SHEET_NAME or not reading.table.head_rows:
        return False
    lines = reading.sheet.rows
    fields, heads = len(lines[row.row - 1]), max(len(lines[n - 1]) for n in reading.table.head_rows)
    if fields > heads:
        reading.tell(notes.line_overflows(reading.sheet.name, row.row, fields, heads))
    return fields > heads


def _skipped(skip: Sequence[IgnoreRule], text: str) -> bool:
    return any(text_matches(item.head, text) for item in skip if text)


def _empty(reading: TableReading, row: Row, name: str, indicator: str) -> bool:
    """A row without any value whose name is a section head or nothing at all."""
    cells = reading.sheet.rows[row.row - 1]
    for column in reading.plan.values:
        place = column.column - 1
        if place < len(cells) and cells[place] is not None and show(cells[place]):
            return False
        if (row.row, column.column) in reading.sheet.uncached_formulas:
            return False
    if reading.plan.entity_column:
        match = reading.reader.register.resolve(name, reading.period) if name else None
        return match is None or match.park_id is None
    return not indicator and bool(reading.plan.indicator_column)


def _row_periods(reading: TableReading, body: Sequence[Row]) -> dict[int, str | None] | None:
    """Period of each row where the period stands in cells; ``None`` where it does not."""
    plan, sheet = reading.plan, reading.sheet
    if not plan.period_column:
        return None
    if plan.month_column:
        return _year_months(reading, body)
    cells = [sheet.at(row.row, plan.period_column) for row in body]
    filled: list[CellValue] = []
    for cell in cells:
        filled.append(cell if cell is not None else (filled[-1] if filled else None))
    year = default_year(plan.table, reading.state)
    readings = parse_period_column(filled, default_year=year)
    periods: dict[int, str | None] = {}
    for row, cell, found in zip(body, filled, readings, strict=True):
        periods[row.row] = found.period if isinstance(found, ParsedPeriod) else None
        if not isinstance(found, ParsedPeriod) and cell is not None:
            reason = found.reason if isinstance(found, PeriodRefusal) else "不是年月"
            at = address(row.row, plan.period_column)
            reading.tell(notes.row_period(sheet.name, at, show(cell), reason))
    return periods


def _year_months(reading: TableReading, body: Sequence[Row]) -> dict[int, str | None]:
    plan, sheet = reading.plan, reading.sheet
    periods: dict[int, str | None] = {}
    year: CellValue = None
    for row in body:
        own = sheet.at(row.row, plan.period_column)
        year = own if own is not None else year
        month = sheet.at(row.row, plan.month_column)
        years, months = _whole(year), _whole(month)
        good = years is not None and months is not None and 1 <= months <= 12
        periods[row.row] = f"{years:04d}-{months:02d}" if good else None
        if not good:
            at = address(row.row, plan.month_column)
            text = f"{show(year)} / {show(month)}"
            reading.tell(notes.row_period(sheet.name, at, text, "年、月应为整数"))
    return periods


def _whole(value: CellValue) -> int | None:
    text = squeeze(show(value)).rstrip("年月份")
    return int(text) if text.isdigit() and len(text) <= 4 else None


def _row_entity(reading: TableReading, row: Row, name: str, period: str | None) -> EntityFound:
    """(park, name as written, role) of a row."""
    plan, rule = reading.plan, reading.plan.rule
    if rule.entity.across:
        return None, "", "data"
    if not plan.entity_column:
        return _fileentity(reading, period)
    at = address(row.row, plan.entity_column)
    region = None
    if plan.region_column:
        region = reading.reader.register.region_named(
            cell_text(reading, row.row, plan.region_column)
        )
    return entity(reading, name, at, period, region)


def _fileentity(reading: TableReading, period: str | None) -> EntityFound:
    """The one unit a whole table is about: fixed by the layout, or named in title, sheet, file."""
    rule, table = reading.plan.rule, reading.table
    if rule.entity.fixed:
        name = rule.entity.fixed
        return (*entity(reading, name, "A1", period, None)[:2], "data")
    texts: dict[str, str] = {
        "title": table.title,
        "sheet": table.sheet,
        "file": reading.state.context.file_name.rsplit("/", 1)[-1].rsplit(".", 1)[0],
        "facts": " ".join(f.value.text for f in table.facts if "单位" in f.key or "园" in f.key),
    }
    candidates = [texts[place] for place in rule.entity.places if texts.get(place)]
    for text in candidates:
        park_id = reading.reader.register.park_in(text, period)
        if park_id is not None:
            return park_id, text, "data"
    name = candidates[0] if candidates else ""
    return (*entity(reading, name, "A1", period, None)[:2], "data")


def _maturity(reading: TableReading, row: int) -> str | None:
    rule, plan = reading.plan.rule.maturity, reading.plan
    if rule is None:
        return reading.reader.maturity_of.get(reading.layout.source[0])
    if rule.value is not None:
        return rule.value
    if not plan.maturity_column:
        return None
    text = show(reading.sheet.at(row, plan.maturity_column))
    found = rule.map.get(text)
    if found is None and text:
        at = address(row, plan.maturity_column)
        reading.tell(notes.unmapped_maturity(reading.sheet.name, at, text, rule.map), text)
    return found


# --- values ------------------------------------------------------------------------------


class Line:
    """Targets of a row field by field, so that a row is written a column at a time."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self.targets = targets
        self.places = [t.index for t in targets]
        self.letters = [t.plan.letters for t in targets]
        self.unit_raw = [t.plan.unit.raw for t in targets]
        self.factor_text = [t.factor_text for t in targets]
        self.evidence = [t.plan.unit.evidence for t in targets]
        self.indicator_id = [t.indicator_id for t in targets]
        self.measure = [t.measure for t in targets]
        self.layout_rule = [t.layout_rule for t in targets]
        self.head = [t.plan.head for t in targets]
        self.identity = all(t.identity for t in targets)
        self.own_periods = any(t.period for t in targets)
        self.own_entities = any(t.entity_raw is not None for t in targets)
        self._without: dict[tuple[int, ...], Line] = {}

    def without(self, skipped: tuple[int, ...]) -> Line:
        """The line without some of its targets."""
        if skipped not in self._without:
            kept = [t for place, t in enumerate(self.targets) if place not in skipped]
            self._without[skipped] = Line(kept)
        return self._without[skipped]


def _read_row(reading: TableReading, row: int, dims: RowDims, line: Line, cells: Cells) -> None:
    """Append the cells of one row. The common case (a stored number) is handled first."""
    values = reading.sheet.rows[row - 1]
    width = len(values)
    found = (
        at_places(values, line.places)
        if line.places and line.places[-1] < width
        else [values[place] if place < width else None for place in line.places]
    )
    tall = row in reading.tall_rows
    if line.identity and not tall and _all_usual(found):
        texts = at_places(row_texts(reading.sheet, row), line.places)
        _write(reading, row, dims, line, cells)
        cells.raw_text += texts
        cells.value += texts
        cells.state += ["reported"] * len(texts)
    else:
        _read_mixed(reading, row, dims, line, cells, found, tall=tall)


def _all_usual(found: Sequence[CellValue]) -> bool:
    """Whether a row holds nothing but stored numbers of a usual size."""
    if set(map(type, found)) != {float}:
        return False
    numbers = cast("Sequence[float]", found)
    known = math.isfinite(sum(numbers))
    return known and min(numbers) >= USUAL_LEAST and max(numbers) < USUAL_MOST


def _read_mixed(
    reading: TableReading,
    row: int,
    dims: RowDims,
    line: Line,
    cells: Cells,
    found: Sequence[CellValue],
    *,
    tall: bool,
) -> None:
    texts: list[str] = []
    values: list[str | None] = []
    states: list[str] = []
    odd: dict[int, _Got] = {}
    skipped: list[int] = []
    for place, raw in enumerate(found):
        if type(raw) is float and raw and -1e15 < raw < 1e15:
            text = repr(raw)
            if text.endswith(".0"):
                text = text[:-2]
            elif "e" in text:
                text = raw_text(raw)
            value: str | None = text
            if not line.identity or "0.0000" in text:  # the usual writing of a Decimal differs
                value = _converted(text, line.targets[place])
            state = "reported"
        else:
            got = _odd(reading, row, raw, line.targets[place])
            if got is None:
                skipped.append(place)
                continue
            odd[len(texts)] = got
            text, state = got.text, got.state
            value = None if got.value is None else str(got.value)
        if tall:
            _tell_merged(reading, row, line.targets[place], text)
        texts.append(text)
        values.append(value)
        states.append(state)
    _write(reading, row, dims, line.without(tuple(skipped)) if skipped else line, cells)
    cells.raw_text += texts
    cells.value += values
    cells.state += states
    start = len(cells) - len(texts)
    for place, got in odd.items():
        cells.unit_raw[start + place] = got.unit_raw
        cells.unit_factor[start + place] = got.factor_text
        cells.unit_evidence[start + place] = got.evidence


def at_places(values: Sequence[T], places: Sequence[int]) -> list[T]:
    """What stands at 0-based places, all of them within the row."""
    if places[-1] - places[0] == len(places) - 1:
        return list(values[places[0] : places[-1] + 1])
    return [values[place] for place in places]


def _converted(text: str, target: Target) -> str:
    value = Decimal(text)
    return str(value if target.identity else _convert(value, target))


def _odd(reading: TableReading, row: int, raw: CellValue, target: Target) -> _Got | None:
    """Anything but a stored number; None for a blank under a head that says nothing."""
    uncached = reading.sheet.uncached_formulas
    if raw is None and target.indicator_id is None and not uncached:
        return None
    at = f"{target.plan.letters}{row}"
    return _slow(reading, raw, target, at, (row, target.index + 1) in uncached)


def _write(reading: TableReading, row: int, dims: RowDims, line: Line, cells: Cells) -> None:
    """What a row's cells say besides text, value and state."""
    suffix, number = str(row), len(line.targets)
    cells.sheet += [reading.sheet.name] * number
    cells.address += [letters + suffix for letters in line.letters]
    cells.unit_raw += line.unit_raw
    cells.unit_factor += line.factor_text
    cells.unit_evidence += line.evidence
    cells.indicator_id += line.indicator_id
    cells.measure += line.measure
    cells.maturity += [dims.maturity] * number
    cells.layout_id += [reading.layout.layout_id] * number
    cells.layout_rule += line.layout_rule
    cells.head += line.head
    if line.own_periods:
        cells.period += [target.period or dims.period for target in line.targets]
    else:
        cells.period += [dims.period] * number
    if not line.own_entities:
        cells.park_id += [dims.park_id] * number
        cells.entity_raw += [dims.entity_raw] * number
        cells.role += [dims.role] * number
        return
    for target in line.targets:
        own = target.entity_raw is not None
        cells.park_id.append(target.park_id if own else dims.park_id)
        cells.entity_raw.append(target.entity_raw or "" if own else dims.entity_raw)
        cells.role.append(target.role if own else dims.role)


def _convert(value: Decimal | None, target: Target) -> Decimal | None:
    """Exact conversion, at most 8 decimals, half up."""
    if value is None:
        return None
    if target.decimal is None:
        return scaled(value, target.factor)
    exact = _WIDE.multiply(value, target.decimal)
    exponent = exact.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -8:
        return exact.quantize(_PLACES, context=_WIDE)
    return exact


@dataclass(frozen=True, slots=True)
class _Got:
    text: str
    value: Decimal | None
    state: str
    unit_raw: str
    factor_text: str
    evidence: str


def _slow(reading: TableReading, raw: CellValue, target: Target, at: str, uncached: bool) -> _Got:
    """Texts, symbols, blanks, zeros, errors and units written in the cell."""
    use, sheet, head = target.plan.unit, reading.sheet.name, target.plan.head
    text = raw_text(raw)
    nothing = _Got(text, None, "unknown", use.raw, target.factor_text, use.evidence)
    if uncached and raw is None:
        reading.tell(notes.formula_uncached(sheet, at, head))
        return nothing
    if isinstance(raw, ErrorValue):
        told = notes.shown_otherwise if SHOWN_OTHERWISE in raw.code else notes.error_cell
        reading.tell(told(sheet, at, head, raw.code))
        return nothing
    said = _signed(raw) if target.measure == "yoy_published" else raw
    parsed = parse_number(said, reading.symbols)
    if parsed.kind in ("refused", "text"):
        if target.indicator_id is not None:
            reason = parsed.reason or f"“{text[:40]}”是文字"
            reading.tell(notes.number_refused(sheet, at, head, text[:80], reason))
        return nothing
    if parsed.approximate and target.indicator_id is not None:
        reading.tell(notes.approximate(sheet, at, head, text))
    if parsed.value is None or target.indicator_id is None:
        value = parsed.value if target.indicator_id is None else None
        return _Got(text, value, parsed.state, use.raw, target.factor_text, use.evidence)
    if parsed.unit is None:
        converted = parsed.value if target.identity else _convert(parsed.value, target)
        return _Got(text, converted, parsed.state, use.raw, target.factor_text, use.evidence)
    own = _cell_unit(reading, parsed.unit, target)
    if own.problem:
        reading.tell(notes.cell_unit_problem(sheet, at, text, target.plan.wanted, own.problem))
        return nothing
    value = scaled(parsed.value, own.factor)
    return _Got(text, value, parsed.state, own.raw, factor_text(own.factor), own.evidence)


def _signed(raw: CellValue) -> CellValue:
    """`下降5.0` in a column of growth rates is −5.0; elsewhere such a word may speak of anything."""
    found = _MOVED.fullmatch(squeeze(raw)) if isinstance(raw, str) else None
    if found is None:
        return raw
    return ("-" if found["down"] else "") + found["size"]


def _cell_unit(reading: TableReading, written: str, target: Target) -> UnitUse:
    """The unit a cell names wins over its column's; a bare 万 multiplies the column's."""
    units, use, wanted = reading.reader.units, target.plan.unit, target.plan.wanted
    goal = units.resolve(wanted)
    column = units.resolve(use.raw, goal.dimension if goal else None)
    if goal is None or column is None:
        same = squeeze(written) == squeeze(use.raw)
        return UnitUse(written, evidence="单元格内", problem="" if same else f"“{written}”不能换算")
    try:
        unit = units.in_column(written, column)
        return UnitUse(unit.id, units.factor(unit, goal), "单元格内")
    except UnitMismatch as error:
        return UnitUse(written, evidence="单元格内", problem=str(error))


def _tell_merged(reading: TableReading, row: int, target: Target, text: str) -> None:
    rows = reading.tall.get((row, target.index + 1))
    if rows is not None and text and target.indicator_id is not None:
        head, at = target.plan.head, f"{target.plan.letters}{row}"
        reading.tell(notes.merged_value(reading.sheet.name, at, head, text, rows))


# --- tables without a layout -------------------------------------------------------------


def unresolved(table: DetectedTable, sheet: Sheet, symbols: Symbols) -> Cells:
    """The values of a table nobody has mapped: kept with head and label, without meaning."""
    columns = [c for c in table.columns if c.kind == "value"]
    records = Cells()
    for row in table.rows:
        if row.kind in ("note", "repeat_head", "section"):
            continue
        for column in columns:
            raw = sheet.at(row.row, column.column)
            if raw is None:
                continue
            parsed = parse_number(raw, symbols)
            records.append(
                CellRecord(
                    sheet=sheet.name,
                    address=address(row.row, column.column),
                    raw_text=raw_text(raw),
                    value=parsed.value,
                    state=parsed.state,
                    unit_raw=column.unit.text if column.unit else "",
                    unit_factor="",
                    unit_evidence="",
                    park_id=None,
                    entity_raw=row.label,
                    indicator_id=None,
                    period=None,
                    measure=None,
                    maturity=None,
                    layout_id="",
                    layout_rule="",
                    head=column.head,
                    role=row.kind,
                )
            )
    return records
