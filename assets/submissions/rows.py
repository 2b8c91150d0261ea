"""Reads the rows of a planned table into cells: entity, period, value, state, unit, maturity.

Belongs here: one pass over the body rows with everything per column decided before (`plan`), so that
a cell costs microseconds. Does not belong here: the meaning of heads, choosing layouts, any judgement
of a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from assets.submissions import notes
from assets.submissions.filetime import default_year, table_period
from assets.submissions.grid import show, squeeze
from assets.submissions.heads import HeadMeaning, finish, measure_of, one_stock, take_apart
from assets.submissions.numbers import parse_number, raw_text
from assets.submissions.periods import (
    ParsedPeriod,
    PeriodRefusal,
    parse_period,
    parse_period_column,
    previous_year,
)
from assets.submissions.plan import (
    RESOLVED,
    TablePlan,
    UnitUse,
    ValuePlan,
    decimal_factor,
    factor_text,
    missing_figures,
    soft_units,
    stated_indicator,
    text_matches,
    value_plan,
)
from assets.submissions.records import CellRecord, FileState
from assets.submissions.structure import Column, DetectedTable, Row, TextAt, row_role
from assets.submissions.symbols import Symbols
from assets.submissions.units import UnitMismatch, scaled
from assets.submissions.workbook import CellValue, ErrorValue, Sheet, address
from quality.finding import Finding
from warehouse.catalog.layouts import Layout

if TYPE_CHECKING:
    from assets.submissions.layout import Reader

_WIDE = Context(prec=60, rounding=ROUND_HALF_UP)
_PLACES = Decimal(1).scaleb(-8)
_OF_WHICH = re.compile(r"^(?:其\s*中|[#＃])[:：、,，\s]*")
_UNREADABLE_HEADS = ("unknown", "ambiguous", "qualified", "not_listed", "unregistered", "empty")


@dataclass(slots=True)
class _Target:
    """One column of a row with everything decided: what is written into each record."""

    plan: ValuePlan
    index: int
    factor: Fraction
    decimal: Decimal | None
    factor_text: str
    identity: bool
    period: str | None
    measure: str | None
    indicator_id: str | None
    park_id: str | None = None
    entity_raw: str | None = None
    role: str = "data"


@dataclass(slots=True)
class _RowDims:
    """What a row says besides its values."""

    park_id: str | None
    entity_raw: str
    role: str
    period: str | None
    maturity: str | None


@dataclass(slots=True)
class _TableReading:
    """State of reading one table."""

    reader: Reader
    layout: Layout
    plan: TablePlan
    sheet: Sheet
    state: FileState
    symbols: Symbols
    period: str | None = None
    said: set[tuple[str, str]] = field(default_factory=set)
    merged: dict[int, dict[int, CellValue]] = field(default_factory=dict)
    tall: dict[tuple[int, int], int] = field(default_factory=dict)
    matched: list[tuple[HeadMeaning, str, str]] = field(default_factory=list)

    @property
    def table(self) -> DetectedTable:
        return self.plan.table

    def tell(self, finding: Finding, key: str | None = None) -> None:
        """Note a finding; with a key only once per table."""
        if key is not None:
            if (finding.rule_id, key) in self.said:
                return
            self.said.add((finding.rule_id, key))
        self.state.findings.append(finding)


def read_plan(
    reader: Reader, layout: Layout, plan: TablePlan, sheet: Sheet, state: FileState
) -> list[CellRecord]:
    """All cells of one table; findings go to ``state``."""
    symbols = reader.symbols(layout.symbols)
    reading = _TableReading(reader, layout, plan, sheet, state, symbols)
    _prepare(reading)
    targets_of = _Targets(reading)
    rows = [(row, dims, targets_of.for_row(row, label)) for row, dims, label in _rows(reading)]
    _growth_as_fractions(reading, rows)
    records: list[CellRecord] = []
    for row, dims, targets in rows:
        _read_row(reading, row, dims, targets, records)
    targets_of.tell_heads()
    return records


def _prepare(reading: _TableReading) -> None:
    plan, state = reading.plan, reading.state
    rule = plan.rule
    if rule.period.places or rule.period.fixed:
        reading.period, findings = table_period(plan.table, rule, state)
        for finding in findings:
            reading.tell(finding, finding.message)
        state.period = state.period or reading.period
    columns = {
        plan.entity_column,
        plan.indicator_column,
        plan.region_column,
        plan.unit_column,
        plan.measure_column,
    }
    for top, left, bottom, right in reading.sheet.merged:
        for column in range(left, min(right, left + 64) + 1):
            if column in columns:
                fill = reading.merged.setdefault(column, {})
                fill.update(dict.fromkeys(range(top, bottom + 1), reading.sheet.at(top, left)))
        if bottom > top:
            reading.tall[(top, left)] = bottom - top + 1


# --- growth stored as fractions ------------------------------------------------------------------


def _growth_as_fractions(
    reading: _TableReading, rows: Sequence[tuple[int, _RowDims, list[_Target]]]
) -> None:
    """Growth shown as 12.5% may be stored as 0.125; the row's own figures tell which.

    Every growth beside a year-to-date figure and its prior is compared with their quotient. Only
    when all rows that can tell say fraction, the growth columns are multiplied by 100.
    """
    fraction = percent = 0
    for row, _, targets in rows[:80]:
        for growth, now, before in _comparable(targets):
            verdict = _votes(*(_number_at(reading, row, t) for t in (growth, now, before)))
            fraction += verdict == "fraction"
            percent += verdict == "percent"
    if not fraction or percent:
        return
    for target in {id(t): t for _, _, targets in rows for t in targets}.values():
        if target.measure == "yoy_published":
            _as_percent(target)
    reading.tell(notes.growth_fractions(reading.sheet.name, fraction))


def _comparable(targets: Sequence[_Target]) -> Iterator[tuple[_Target, _Target, _Target]]:
    by_key = {(t.indicator_id, t.measure): t for t in targets if t.indicator_id}
    for (indicator, measure), growth in by_key.items():
        now, before = by_key.get((indicator, "ytd")), by_key.get((indicator, "ytd_prior"))
        if measure == "yoy_published" and now is not None and before is not None:
            yield growth, now, before


def _number_at(reading: _TableReading, row: int, target: _Target) -> float | None:
    cells = reading.sheet.rows[row - 1]
    raw = cells[target.index] if target.index < len(cells) else None
    parsed = parse_number(raw, reading.symbols)
    return float(parsed.value) if parsed.value is not None and parsed.unit is None else None


def _votes(growth: float | None, now: float | None, before: float | None) -> str | None:
    """`fraction` or `percent` when exactly one of them agrees with the figures beside it."""
    if growth is None or now is None or before is None or before <= 0:
        return None
    expected = 100 * (now / before - 1)
    allowed = max(0.6, 0.03 * abs(expected))
    as_fraction = abs(100 * growth - expected) <= allowed
    as_percent = abs(growth - expected) <= allowed
    if as_fraction == as_percent:
        return None
    return "fraction" if as_fraction else "percent"


def _as_percent(target: _Target) -> None:
    use = UnitUse("小数", Fraction(100), "与累计、上年同期核对")
    target.plan = replace(target.plan, unit=use)
    target.factor, target.decimal, target.factor_text = Fraction(100), Decimal(100), "100"
    target.identity = False


# --- columns ---------------------------------------------------------------------------------------


class _Targets:
    """Targets per row: the same for all rows when indicators are heads, else one set a label."""

    def __init__(self, reading: _TableReading) -> None:
        self.reading = reading
        self.soft = soft_units(reading.table, reading.plan.rule)
        self.year = default_year(reading.table, reading.state)
        self.by_label: dict[tuple[str, str, str], list[_Target]] = {}
        self.notes: list[tuple[HeadMeaning, ValuePlan, str]] = []
        self.found: set[tuple[str | None, str | None]] = set()
        self.columns = self._column_dims()
        self.fixed = self._wide() if reading.plan.rule.across_indicators else None

    def for_row(self, row: int, label: str) -> list[_Target]:
        """The value columns of a row; ``label`` is the text of its indicator column."""
        if self.fixed is not None:
            return self.fixed
        plan = self.reading.plan
        unit = _cell_text(self.reading, row, plan.unit_column)
        words = _cell_text(self.reading, row, plan.measure_column)
        found = self.by_label.get((label, words, unit))
        if found is None:
            found = self._for_label(row, label, words, unit)
            self.by_label[(label, words, unit)] = found
        return found

    # heads name indicators
    def _wide(self) -> list[_Target]:
        plan = self.reading.plan
        across = self._periods_across() if plan.rule.period.across else {}
        targets: list[_Target] = []
        for column in plan.values:
            meaning = plan.meanings[column.column]
            path = plan.path_of(column)
            made = value_plan(
                plan, self.reading.reader.units, column, meaning, self.soft, path=path
            )
            self._note(meaning, made, address(column.row, column.column), column.kind)
            if plan.rule.period.across:
                period, measure = across.get(column.column), made.measure
            else:
                period, measure = self._head_period(made, column)
            targets.append(self._target(made, column, period, measure))
        return targets

    # rows, the title or the layout name the indicator
    def _for_label(self, row: int, label: str, words: str, unit: str) -> list[_Target]:
        plan, rule = self.reading.plan, self.reading.plan.rule
        path, meaning, at = self._row_meaning(row, label, words)
        unit_cell = TextAt(unit, row, plan.unit_column) if unit else None
        targets: list[_Target] = []
        owns = [
            self._with_column(meaning, self.columns[column.column].parts, rule.measure)
            for column in plan.values
        ]
        if rule.shape == "long":
            owns = one_stock(owns)
        for column, own in zip(plan.values, owns, strict=True):
            dims = self.columns[column.column]
            made = value_plan(
                plan,
                self.reading.reader.units,
                column,
                own,
                self.soft,
                path=path,
                unit_cell=unit_cell,
                head_at=at,
            )
            if column is plan.values[0]:
                self._note(own, made, at, "value")
            period = dims.period if rule.period.across else None
            target = self._target(made, column, period, made.measure)
            target.park_id, target.entity_raw = dims.park_id, dims.entity
            target.role = dims.role
            targets.append(target)
        return targets

    def _row_meaning(
        self, row: int, label: str, words: str
    ) -> tuple[tuple[str, ...], HeadMeaning, str]:
        """(head path, meaning, address) of the indicator of a row, a title or the layout."""
        plan = self.reading.plan
        rule = plan.rule.indicator
        if plan.indicator_column:
            path: tuple[str, ...] = (label, words) if words else (label,)
            at = address(row, plan.indicator_column)
        elif rule is not None and rule.fixed:
            meaning = HeadMeaning("explicit", indicator_id=rule.fixed)
            if rule.fixed not in plan.heads.index.indicators:
                meaning = replace(meaning, how="unregistered")
            return (rule.fixed,), meaning, "A1"
        else:
            name = self.reading.state.context.file_name
            text, at = stated_indicator(plan.table, plan.rule, name)
            path = (text,)
        return path, plan.heads.read(path) if path[0] else HeadMeaning("empty"), at

    def _with_column(
        self, meaning: HeadMeaning, parts: HeadMeaning, default: str | None
    ) -> HeadMeaning:
        """Measure words of the column's head join those of the row's."""
        if meaning.indicator_id is None or meaning.how not in RESOLVED:
            return meaning
        indicators = self.reading.plan.heads.index.indicators
        indicator = indicators.get(meaning.indicator_id)
        if indicator is None:
            return replace(meaning, how="unregistered", indicator_id=None)
        unit = parts.unit or meaning.unit
        if parts.tags:
            tags = meaning.tags | parts.tags
            measure = measure_of(tags, None, indicator.kind, meaning.measure or default or "ytd")
            return replace(meaning, tags=tags, measure=measure, unit=unit)
        if meaning.measure is not None:
            return replace(meaning, unit=unit)
        return replace(finish(meaning, indicators, default), unit=unit)

    def _column_dims(self) -> dict[int, _ColumnDims]:
        plan, rule = self.reading.plan, self.reading.plan.rule
        if rule.across_indicators:
            return {}
        periods: dict[int, str | None] = {}
        if rule.period.across:
            periods = self._periods_across()
        return {c.column: self._dims_of(c, periods.get(c.column)) for c in plan.values}

    def _dims_of(self, column: Column, period: str | None) -> _ColumnDims:
        reading, rule = self.reading, self.reading.plan.rule
        parts = take_apart(reading.plan.path_of(column), reading.reader.is_unit, lambda _: False)
        meaning = HeadMeaning("empty", unit=parts.unit, tags=parts.tags)
        if not rule.entity.across:
            return _ColumnDims(meaning, period)
        name = "".join(parts.names)
        at = address(column.row, column.column)
        found = _entity(reading, name, at, reading.period or period, None)
        return _ColumnDims(meaning, period, *found)

    def _periods_across(self) -> dict[int, str | None]:
        reading, plan = self.reading, self.reading.plan
        heads = [self._period_cell(column) for column in plan.values]
        periods: dict[int, str | None] = {}
        readings = parse_period_column(heads, default_year=self.year)
        for column, head, found in zip(plan.values, heads, readings, strict=True):
            periods[column.column] = found.period if isinstance(found, ParsedPeriod) else None
            if not isinstance(found, ParsedPeriod):
                reason = found.reason if isinstance(found, PeriodRefusal) else "不是年月"
                at = address(column.row, column.column)
                reading.tell(notes.row_period(reading.table.sheet, at, show(head), reason), at)
        return periods

    def _period_cell(self, column: Column) -> CellValue:
        """The head cell that is a period, else a period phrase inside the head (2019年产值)."""
        meaning = self.reading.plan.meanings.get(column.column)
        return column.period_head if column.period_head is not None else (
            meaning.period if meaning is not None else None
        )

    def _head_period(
        self, made: ValuePlan, column: Column
    ) -> tuple[str | None, str | None]:
        """(own period, measure) of a head that names a period (`1—6月`, `2019年1—6月`)."""
        reading = self.reading
        if made.period_phrase is None or reading.period is None:
            return None, made.measure
        year = int(reading.period[:4])
        found = parse_period(made.period_phrase, default_year=year)
        if not isinstance(found, ParsedPeriod) or found.period == reading.period:
            return None, made.measure
        if found.period == previous_year(reading.period) and made.measure == "ytd":
            return None, "ytd_prior"
        if found.period == previous_year(reading.period):
            return found.period, made.measure
        at = address(column.row, column.column)
        text = f"{made.period_phrase}({found.period})"
        finding = notes.head_period_mismatch(
            reading.table.sheet, at, made.head, text, reading.period
        )
        reading.tell(finding, at)
        return None, None

    def _target(
        self, made: ValuePlan, column: Column, period: str | None, measure: str | None
    ) -> _Target:
        factor = made.unit.factor
        if made.indicator_id is not None:
            self.found.add((made.indicator_id, measure))
        return _Target(
            plan=made,
            index=column.column - 1,
            factor=factor,
            decimal=decimal_factor(factor),
            factor_text=factor_text(factor) if made.indicator_id else "",
            identity=factor == 1,
            period=period,
            measure=measure,
            indicator_id=made.indicator_id,
        )

    # findings about heads
    def _note(self, meaning: HeadMeaning, made: ValuePlan, at: str, kind: str) -> None:
        sheet, layout = self.reading.table.sheet, self.reading.layout.title
        if meaning.how in RESOLVED and made.unit.problem:
            finding = notes.unit_problem(
                sheet, at, made.head, made.unit.raw, made.wanted, made.unit.problem
            )
            self.reading.tell(finding, at)
        elif meaning.how in _UNREADABLE_HEADS and (meaning.name or kind == "value"):
            finding = notes.unknown_head(sheet, at, made.head, meaning, layout)
            self.reading.tell(finding, made.head)
        self.notes.append((meaning, made, at))

    def tell_heads(self) -> None:
        """One finding for all that has drifted in this table."""
        plan = self.reading.plan
        rule = plan.rule
        missing = [_expected(plan, *pair) for pair in missing_figures(rule, self.found)]
        renamed = [
            f"{made.head}→{m.indicator_id}" for m, made, _ in self.notes if plan.heads.renamed(m)
        ]
        unknown = [
            f"{made.head}" + (f"→可能是{m.suggestions[0].indicator_id}" if m.suggestions else "")
            for m, made, _ in self.notes
            if m.how in _UNREADABLE_HEADS and m.name
        ]
        appeared = [made.head for m, made, _ in self.notes if m.how == "absent"]
        finding = notes.drift(
            plan.table,
            self.reading.layout.title,
            guessed=plan.missing,
            missing=missing,
            renamed=list(dict.fromkeys(renamed)),
            unknown=list(dict.fromkeys(unknown)),
            appeared=list(dict.fromkeys(appeared)),
        )
        if finding is not None:
            self.reading.tell(finding)


def _expected(plan: TablePlan, indicator_id: str, measure: str | None) -> str:
    indicator = plan.heads.index.indicators.get(indicator_id)
    name = f"{indicator_id} {indicator.name_zh}" if indicator else indicator_id
    return name + (f"({notes.MEASURE_ZH.get(measure, measure)})" if measure else "")


@dataclass(frozen=True, slots=True)
class _ColumnDims:
    """What the head of a value column says where indicators stand elsewhere."""

    parts: HeadMeaning
    period: str | None = None
    park_id: str | None = None
    entity: str | None = None
    role: str = "data"


# --- rows ------------------------------------------------------------------------------------------


def _rows(reading: _TableReading) -> Iterator[tuple[int, _RowDims, str]]:
    """Body rows with their dimensions and indicator label; notes, repeated heads are passed over."""
    plan, rule = reading.plan, reading.plan.rule
    body = [row for row in reading.table.rows if row.kind not in ("note", "repeat_head")]
    periods = _row_periods(reading, body)
    name, indicator = "", ""
    for row in body:
        own = _cell_text(reading, row.row, plan.entity_column)
        name = own or (name if rule.entity.fill_down else "")
        label = _cell_text(reading, row.row, plan.indicator_column)
        fill = rule.indicator is not None and rule.indicator.fill_down
        indicator = label or (indicator if fill else "")
        text = name if plan.entity_column else indicator
        if _skipped(rule.rows.skip, text) or _empty(reading, row, name, indicator):
            continue
        period = reading.period if periods is None else periods.get(row.row)
        park_id, entity, role = _row_entity(reading, row, name, period)
        maturity = _maturity(reading, row.row)
        yield row.row, _RowDims(park_id, entity, role, period, maturity), indicator


def _skipped(skip: Sequence[object], text: str) -> bool:
    return any(text_matches(item.head, text) for item in skip if text)  # type: ignore[attr-defined]


def _empty(reading: _TableReading, row: Row, name: str, indicator: str) -> bool:
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


def _cell_text(reading: _TableReading, row: int, column: int) -> str:
    """Text of a dimension cell, merged areas filled."""
    if not column:
        return ""
    value = reading.sheet.at(row, column)
    if value is None:
        value = reading.merged.get(column, {}).get(row)
    return show(value)


def _row_periods(reading: _TableReading, body: Sequence[Row]) -> dict[int, str | None] | None:
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


def _year_months(reading: _TableReading, body: Sequence[Row]) -> dict[int, str | None]:
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


def _row_entity(
    reading: _TableReading, row: Row, name: str, period: str | None
) -> tuple[str | None, str, str]:
    """(park, name as written, role) of a row."""
    plan, rule = reading.plan, reading.plan.rule
    if rule.entity.across:
        return None, "", "data"
    if not plan.entity_column:
        return _file_entity(reading, period)
    at = address(row.row, plan.entity_column)
    region = None
    if plan.region_column:
        region = reading.reader.register.region_named(
            _cell_text(reading, row.row, plan.region_column)
        )
    return _entity(reading, name, at, period, region)


def _file_entity(reading: _TableReading, period: str | None) -> tuple[str | None, str, str]:
    """The one unit a whole table is about: fixed by the layout, or named in title, sheet, file."""
    rule, table = reading.plan.rule, reading.table
    if rule.entity.fixed:
        name = rule.entity.fixed
        return (*_entity(reading, name, "A1", period, None)[:2], "data")
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
    return (*_entity(reading, name, "A1", period, None)[:2], "data")


def _entity(
    reading: _TableReading, name: str, at: str, period: str | None, region: str | None
) -> tuple[str | None, str, str]:
    """Park, name and role for a name; findings for what the register does not know."""
    rules = reading.plan.rule
    if name in rules.entity.names:
        return rules.entity.names[name], name, "data"
    plain, role = name, _role(rules.rows, name)
    if role == "of_which":
        plain = _OF_WHICH.sub("", name)
    if role == "total":
        return None, name, role
    reporter = reading.state.reporter
    register = reading.reader.register
    known = register.reporter(reporter, period) if reporter else None
    region = region or (known.region_code if known and known.region_code else None)
    match = register.resolve(plain, period, region)
    if match.park_id is None:
        if role == "data":
            finding = notes.unknown_park(reading.table.sheet, at, name, match, period)
            reading.tell(finding, f"{name}{period}" if match.how == "not_valid" else name)
        return None, name, role
    if match.how in ("form", "former"):
        reading.tell(notes.other_name(reading.table.sheet, at, name, match), name)
    scope = register.scope(reporter, period) if reporter else None
    if scope is not None and match.park_id not in scope:
        who = known.name if known else str(reporter)
        reading.tell(
            notes.outside_scope(reading.table.sheet, at, name, match.park_id, who), name
        )
        return None, name, "data"
    return match.park_id, name, "data"


def _role(rules: object, name: str) -> str:
    for role in ("data", "total", "of_which"):
        if text_matches(getattr(rules, role), name):
            return role
    return row_role(name)


def _maturity(reading: _TableReading, row: int) -> str | None:
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


# --- values ------------------------------------------------------------------------------------------


def _read_row(
    reading: _TableReading,
    row: int,
    dims: _RowDims,
    targets: Sequence[_Target],
    records: list[CellRecord],
) -> None:
    """Append the records of one row. The common case (a stored number) is handled first."""
    cells = reading.sheet.rows[row - 1]
    width = len(cells)
    uncached = reading.sheet.uncached_formulas
    name, layout_id, suffix = reading.sheet.name, reading.layout.layout_id, str(row)
    append = records.append
    for target in targets:
        raw = cells[target.index] if target.index < width else None
        plan = target.plan
        use = plan.unit
        unit_raw, text_of_factor, evidence = use.raw, target.factor_text, use.evidence
        at = plan.letters + suffix
        if type(raw) is float and raw and -1e15 < raw < 1e15:
            text = repr(raw)
            if text.endswith(".0"):
                text = text[:-2]
            elif "e" in text:
                text = raw_text(raw)
            value: Decimal | None = Decimal(text)
            state = "reported"
            if not target.identity:
                value = _convert(value, target)
        elif raw is None and target.indicator_id is None and not uncached:
            continue
        else:
            got = _slow(reading, raw, target, at, (row, target.index + 1) in uncached)
            text, value, state = got.text, got.value, got.state
            unit_raw, text_of_factor, evidence = got.unit_raw, got.factor_text, got.evidence
        if reading.tall and (row, target.index + 1) in reading.tall:
            _tell_merged(reading, row, target, at, text)
        append(
            CellRecord(
                name,
                at,
                text,
                value,
                state,
                unit_raw,
                text_of_factor,
                evidence,
                dims.park_id if target.entity_raw is None else target.park_id,
                dims.entity_raw if target.entity_raw is None else target.entity_raw,
                target.indicator_id,
                target.period or dims.period,
                target.measure,
                dims.maturity,
                layout_id,
                plan.head,
                dims.role if target.entity_raw is None else target.role,
            )
        )


def _convert(value: Decimal | None, target: _Target) -> Decimal | None:
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


def _slow(
    reading: _TableReading, raw: CellValue, target: _Target, at: str, uncached: bool
) -> _Got:
    """Texts, symbols, blanks, zeros, errors and units written in the cell."""
    use, sheet, head = target.plan.unit, reading.sheet.name, target.plan.head
    text = raw_text(raw)
    nothing = _Got(text, None, "unknown", use.raw, target.factor_text, use.evidence)
    if uncached and raw is None:
        reading.tell(notes.formula_uncached(sheet, at, head))
        return nothing
    if isinstance(raw, ErrorValue):
        reading.tell(notes.error_cell(sheet, at, head, raw.code))
        return nothing
    parsed = parse_number(raw, reading.symbols)
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
        reading.tell(
            notes.cell_unit_problem(sheet, at, text, target.plan.wanted, own.problem)
        )
        return nothing
    value = scaled(parsed.value, own.factor)
    return _Got(text, value, parsed.state, own.raw, factor_text(own.factor), own.evidence)


def _cell_unit(reading: _TableReading, written: str, target: _Target) -> UnitUse:
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


def _tell_merged(reading: _TableReading, row: int, target: _Target, at: str, text: str) -> None:
    rows = reading.tall[(row, target.index + 1)]
    if text and target.indicator_id is not None:
        head = target.plan.head
        reading.tell(notes.merged_value(reading.sheet.name, at, head, text, rows))


# --- tables without a layout -------------------------------------------------------------------------


def unresolved(table: DetectedTable, sheet: Sheet, symbols: Symbols) -> list[CellRecord]:
    """The values of a table nobody has mapped: kept with head and label, without meaning."""
    columns = [c for c in table.columns if c.kind == "value"]
    records: list[CellRecord] = []
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
                    head=column.head,
                    role=row.kind,
                )
            )
    return records
