"""Value columns with everything decided: indicator, measure, unit, factor, period, park.

Belongs here: one `Target` per value column (and per indicator row, where indicators are rows), and
what is said about heads and drift. Does not belong here: finding columns (`plan`), reading values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from assets.submissions.reading.workbook import CellValue, address
from assets.submissions.tables import notes
from assets.submissions.tables.filetime import default_year
from assets.submissions.tables.grid import show
from assets.submissions.tables.heads import HeadMeaning, finish, measure_of, one_stock, take_apart
from assets.submissions.tables.plan import (
    MOST_PLANS,
    RESOLVED,
    TablePlan,
    ValuePlan,
    missing_figures,
    soft_units,
    stated_indicator,
    value_plan,
)
from assets.submissions.tables.structure import Column, TextAt
from assets.submissions.tables.table_reading import TableReading, cell_text, entity
from assets.submissions.tables.unit_use import decimal_factor, factor_text
from assets.submissions.values.periods import (
    ParsedPeriod,
    PeriodRefusal,
    parse_period,
    parse_period_column,
    previous_year,
)
from quality.finding import Finding

_UNREADABLE_HEADS = ("unknown", "ambiguous", "qualified", "not_listed", "unregistered", "empty")


@dataclass(slots=True)
class Target:
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
    layout_rule: str = ""
    park_id: str | None = None
    entity_raw: str | None = None
    role: str = "data"


@dataclass(frozen=True, slots=True)
class Drift:
    """Heads that differ from the layout's, as texts for the finding."""

    missing: list[str]
    renamed: list[str]
    unknown: list[str]
    appeared: list[str]


@dataclass(slots=True)
class KnownTargets:
    """Targets of a form with what is said about its heads. Only read: many tables share them."""

    meanings: dict[int, HeadMeaning]
    """Held so that its identity, part of the key, stays taken."""
    targets: list[Target]
    notes: list[tuple[HeadMeaning, ValuePlan, str]]
    found: set[tuple[str | None, str | None]]
    told: list[tuple[Finding, str | None]]
    drift: Drift | None = None


class Targets:
    """Targets per row: the same for all rows when indicators are heads, else one set a label."""

    def __init__(self, reading: TableReading) -> None:
        self.reading = reading
        self.soft = soft_units(reading.table, reading.plan.rule)
        self.place = _place(reading)
        self.year = default_year(reading.table, reading.state)
        self.by_label: dict[tuple[str, str, str], list[Target]] = {}
        self.notes: list[tuple[HeadMeaning, ValuePlan, str]] = []
        self.found: set[tuple[str | None, str | None]] = set()
        self.columns = self._column_dims()
        self.known: KnownTargets | None = None
        self.fixed = self._fixed() if reading.plan.rule.across_indicators else None

    def for_row(self, row: int, label: str) -> list[Target]:
        """The value columns of a row; ``label`` is the text of its indicator column."""
        if self.fixed is not None:
            return self.fixed
        plan = self.reading.plan
        unit = cell_text(self.reading, row, plan.unit_column)
        words = cell_text(self.reading, row, plan.measure_column)
        found = self.by_label.get((label, words, unit))
        if found is None:
            found = self._for_label(row, label, words, unit)
            self.by_label[(label, words, unit)] = found
        return found

    # heads name indicators
    def _fixed(self) -> list[Target]:
        """Targets of all rows; found once for all tables of the same columns, units and period."""
        reading, plan = self.reading, self.reading.plan
        if not plan.kept:
            return self._wide()
        year = self.year if plan.rule.period.across else None
        key = (id(plan.meanings), self.soft, self.place, reading.period, year, plan.table.sheet,
               reading.layout.layout_id)  # fmt: skip
        known = plan.heads.targets.get(key)
        if known is not None:
            for finding, said in known.told:
                reading.tell(finding, said)
        else:
            reading.heard = []
            targets = self._wide()
            known = KnownTargets(plan.meanings, targets, self.notes, self.found, reading.heard)
            reading.heard = None
            if len(plan.heads.targets) >= MOST_PLANS:
                plan.heads.targets.clear()
            plan.heads.targets[key] = known
        self.known, self.notes, self.found = known, known.notes, known.found
        return known.targets

    def _wide(self) -> list[Target]:
        plan = self.reading.plan
        across = self._periods_across() if plan.rule.period.across else {}
        targets: list[Target] = []
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
    def _for_label(self, row: int, label: str, words: str, unit: str) -> list[Target]:
        plan, rule = self.reading.plan, self.reading.plan.rule
        path, meaning, at = self._row_meaning(row, label, words)
        unit_cell = TextAt(unit, row, plan.unit_column) if unit else None
        targets: list[Target] = []
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

    def _column_dims(self) -> dict[int, ColumnDims]:
        plan, rule = self.reading.plan, self.reading.plan.rule
        if rule.across_indicators:
            return {}
        periods: dict[int, str | None] = {}
        if rule.period.across:
            periods = self._periods_across()
        return {c.column: self._dims_of(c, periods.get(c.column)) for c in plan.values}

    def _dims_of(self, column: Column, period: str | None) -> ColumnDims:
        reading, rule = self.reading, self.reading.plan.rule
        parts = take_apart(reading.plan.path_of(column), reading.reader.is_unit, lambda _: False)
        meaning = HeadMeaning("empty", unit=parts.unit, tags=parts.tags)
        if not rule.entity.across:
            return ColumnDims(meaning, period)
        name = "".join(parts.names)
        at = address(column.row, column.column)
        found = entity(reading, name, at, reading.period or period, None)
        return ColumnDims(meaning, period, *found)

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
        return (
            column.period_head
            if column.period_head is not None
            else (meaning.period if meaning is not None else None)
        )

    def _head_period(self, made: ValuePlan, column: Column) -> tuple[str | None, str | None]:
        """(own period, measure) of a head that names a period (`1—6月`, `2019年1—6月`)."""
        reading = self.reading
        if made.period_phrase is None or reading.period is None:
            return None, made.measure
        found = _phrase_period(made.period_phrase, int(reading.period[:4]))
        if found is None:
            return None, made.measure
        if _part_of_year(found) and made.measure != "stock":
            return None, None  # 二季度 alone is no cumulative figure: understood and not kept
        if found.period == reading.period:
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
    ) -> Target:
        factor = made.unit.factor
        if made.indicator_id is not None:
            self.found.add((made.indicator_id, measure))
        return Target(
            plan=made,
            index=column.column - 1,
            factor=factor,
            decimal=decimal_factor(factor),
            factor_text=factor_text(factor) if made.indicator_id else "",
            identity=factor == 1,
            period=period,
            measure=measure,
            indicator_id=made.indicator_id,
            layout_rule=f"{self.place}.{made.entry}" if made.entry else "",
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
        if self.known is None:
            drift = self._drift()
        else:
            drift = self.known.drift = self.known.drift or self._drift()
        finding = notes.drift(
            plan.table,
            self.reading.layout.title,
            guessed=plan.missing,
            missing=drift.missing,
            renamed=drift.renamed,
            unknown=drift.unknown,
            appeared=drift.appeared,
        )
        if finding is not None:
            self.reading.tell(finding)

    def _drift(self) -> Drift:
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
        return Drift(
            missing,
            list(dict.fromkeys(renamed)),
            list(dict.fromkeys(unknown)),
            list(dict.fromkeys(appeared)),
        )


def _place(reading: TableReading) -> str:
    """The table's entry in the layout file, counted from 1: ``tables[2](年度附表)``."""
    rule = reading.plan.rule
    number = reading.layout.tables.index(rule) + 1
    return f"tables[{number}]" + (f"({rule.name})" if rule.name else "")


def _expected(plan: TablePlan, indicator_id: str, measure: str | None) -> str:
    indicator = plan.heads.index.indicators.get(indicator_id)
    name = f"{indicator_id} {indicator.name_zh}" if indicator else indicator_id
    return name + (f"({notes.MEASURE_ZH.get(measure, measure)})" if measure else "")


@dataclass(frozen=True, slots=True)
class ColumnDims:
    """What the head of a value column says where indicators stand elsewhere."""

    parts: HeadMeaning
    period: str | None = None
    park_id: str | None = None
    entity: str | None = None
    role: str = "data"


def _phrase_period(phrase: str, year: int) -> ParsedPeriod | None:
    """The period a phrase of a head names; 全年 without a year is that of the table."""
    if phrase == "全年":
        phrase = f"{year}年1—12月"
    found = parse_period(phrase, default_year=year)
    return found if isinstance(found, ParsedPeriod) else None


def _part_of_year(found: ParsedPeriod) -> bool:
    """Several months that do not begin in January (二季度, 下半年): neither a month nor a cumulation."""
    return found.kind in ("quarter", "half") and found.start_month > 1
