"""A detected table seen through a table layout: which column is what, before any row is read.

Belongs here: finding the entity, period, indicator, unit and maturity columns, the meaning of every
head (explicit entry, ignored, name, alias), its unit and factor, how well a layout fits, and what
has drifted. Does not belong here: values and rows (`layout`), or proposing layouts (`proposal`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from assets.submissions.heads import (
    OTHER,
    HeadMeaning,
    IndicatorIndex,
    IndicatorLike,
    finish,
    inherit,
    name_key,
    show_path,
    take_apart,
)
from assets.submissions.structure import Column, DetectedTable, TextAt, looks_like_unit
from assets.submissions.units import UnitMismatch, Units, unit_word
from assets.submissions.workbook import address
from warehouse.catalog.layouts import HeadRule, TableLayout, Where

RESOLVED = ("explicit", "exact", "alias", "inherited", "absent")
VALUE_KINDS = ("value", "blank")


# --- patterns ------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def glob(pattern: str) -> re.Pattern[str]:
    """A pattern of a layout (``*`` and ``?``) over keys: width, white space and case ignored."""
    parts = [name_key(level) for level in pattern.split("/")]
    text = re.escape("/".join(parts)).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(text, re.DOTALL)


def matches(patterns: Iterable[str], texts: Sequence[str]) -> bool:
    """Whether any pattern fits any of the keys."""
    return any(glob(pattern).fullmatch(text) for pattern in patterns for text in texts)


def text_matches(patterns: Iterable[str], text: str) -> bool:
    """Whether a pattern fits a sheet name, title or file name (``*`` alone fits anything)."""
    key = name_key(text)
    return any(pattern == "*" or glob(pattern).fullmatch(key) for pattern in patterns)


# --- heads ---------------------------------------------------------------------------------------


class HeadReader:
    """Meaning of heads for one table layout: its own entries first, then names and aliases."""

    def __init__(
        self, rule: TableLayout, index: IndicatorIndex, is_unit: Callable[[str], bool]
    ) -> None:
        self.rule = rule
        self.index = index
        self.is_unit = is_unit
        self.absent = {(item.indicator, item.measure) for item in rule.absent}
        self._allowed = self._allow()
        self._memo: dict[tuple[str, ...], HeadMeaning] = {}

    def _allow(self) -> frozenset[str] | None:
        """Indicators that names and aliases may give; ``None`` for all of the catalogue."""
        if self.rule.indicators == "auto":
            return None
        named = {rule.indicator for rule in self.rule.columns if not rule.head and rule.indicator}
        return frozenset(named | set(self.rule.indicators))

    def read(self, path: tuple[str, ...]) -> HeadMeaning:
        """Meaning of a head path; measures still unset unless an entry sets them."""
        meaning = self._memo.get(path)
        if meaning is None:
            meaning = self._memo[path] = self._read(path)
        return meaning

    def keys(self, path: Sequence[str]) -> tuple[str, ...]:
        """What patterns are compared with: the whole path, with and without units in brackets."""
        full = "/".join(name_key(level) for level in path)
        bare = "/".join(name_key(self._without_unit(level)) for level in path)
        return (full,) if bare == full else (full, bare)

    def _without_unit(self, level: str) -> str:
        match = re.fullmatch(r"(.*?)\s*[(（]([^()（）]*)[)）]\s*[a-z①-⑳*※]*", level, re.DOTALL)
        return match[1] if match and match[1] and self.is_unit(match[2]) else level

    def _read(self, path: tuple[str, ...]) -> HeadMeaning:
        keys = self.keys(path)
        for ignore in self.rule.ignore:
            if ignore.head and matches(ignore.head, keys):
                return HeadMeaning("ignored", name=ignore.reason)
        rule = next((r for r in self.rule.columns if r.head and matches(r.head, keys)), None)
        if rule is not None:
            return self._explicit(path, rule)
        meaning = self.index.read(path, self.is_unit)
        if meaning.indicator_id is None:
            return meaning
        if self._allowed is not None and meaning.indicator_id not in self._allowed:
            return replace(meaning, how="not_listed")
        return meaning

    def _explicit(self, path: tuple[str, ...], rule: HeadRule) -> HeadMeaning:
        parts = take_apart(path, self.is_unit, self.index.known)
        measure = rule.measure or (rule.measures[0] if rule.measures else None)
        return HeadMeaning(
            "explicit" if rule.indicator else "unknown",
            indicator_id=rule.indicator,
            measure=measure,
            unit=parts.unit,
            period=parts.period,
            tags=parts.tags,
            name="".join(parts.names),
        )

    def expected_unit(self, meaning: HeadMeaning, path: tuple[str, ...]) -> str | None:
        """Unit the layout says such a head is in when the file itself does not say."""
        keys = self.keys(path)
        for rule in self.rule.columns:
            if rule.unit and (
                matches(rule.head, keys) if rule.head else rule.indicator == meaning.indicator_id
            ):
                return rule.unit
        return None


# --- units ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UnitUse:
    """Unit a value was written in and its exact factor to the indicator's unit.

    ``problem`` (Chinese) is set when the factor cannot be told; such values stay unresolved.
    """

    raw: str
    factor: Fraction = Fraction(1)
    evidence: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class UnitSources:
    """Candidates for the unit of a column, strongest first. Hard ones must fit, soft ones may."""

    hard: tuple[tuple[str, str], ...]
    soft: tuple[tuple[str, str], ...]


def unit_use(units: Units, wanted: str, sources: UnitSources, *, growth: bool = False) -> UnitUse:
    """Choose the unit: the head's own, then the unit line or default of the same dimension.

    For growth rates only shares count: `工业总产值(万元)/增长` is a percentage. Without any
    candidate the value is in the indicator's unit.
    """
    target = units.resolve(wanted)
    for text, evidence in sources.hard:
        if growth and not _is_share(units, text):
            continue
        return _hard(units, wanted, text, evidence)
    for text, evidence in sources.soft:
        unit = units.resolve(text, target.dimension) if target else None
        if target and unit and unit.dimension == target.dimension:
            return UnitUse(text, units.factor(unit, target), evidence)
        if target is None and unit_word(text) == unit_word(wanted):
            return UnitUse(text, evidence=evidence)
    return UnitUse(wanted, evidence="口径默认" if growth else "指标目录")


def _is_share(units: Units, text: str) -> bool:
    unit = units.resolve(text)
    return unit is not None and unit.dimension in ("share", "point")


def _hard(units: Units, wanted: str, text: str, evidence: str) -> UnitUse:
    if unit_word(text) == unit_word(wanted):
        return UnitUse(text, evidence=evidence)
    target = units.resolve(wanted)
    unit = units.resolve(text, target.dimension if target else None)
    if unit is None:
        return UnitUse(text, evidence=evidence, problem=f"计量单位“{text}”没有登记")
    if target is None:
        return UnitUse(text, evidence=evidence, problem=f"不能由“{text}”换算为“{wanted}”")
    try:
        return UnitUse(text, units.factor(unit, target), evidence)
    except UnitMismatch as error:
        return UnitUse(text, evidence=evidence, problem=str(error))


def factor_text(factor: Fraction) -> str:
    """An exact factor as printed: ``10000``, ``0.0001`` or ``1/15``."""
    if factor.denominator == 1:
        return str(factor.numerator)
    value = decimal_factor(factor)
    return format(value, "f") if value is not None else f"{factor.numerator}/{factor.denominator}"


def decimal_factor(factor: Fraction) -> Decimal | None:
    """The factor as a terminating decimal, if it is one."""
    rest = factor.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return None
    return Decimal(factor.numerator) / Decimal(factor.denominator)


# --- plans ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ValuePlan:
    """Meaning of the values of one column (for one indicator row, where indicators are rows)."""

    column: int
    letters: str
    head: str
    indicator_id: str | None
    measure: str | None
    unit: UnitUse
    wanted: str
    period_phrase: str | None = None
    """A period the head itself names (`1—6月工业总产值`), to be compared with the table's."""


@dataclass(frozen=True, slots=True)
class HeadNote:
    """Something about one head that belongs in a finding."""

    code: str
    column: int
    row: int
    head: str
    text: str
    meaning: HeadMeaning

    @property
    def address(self) -> str:
        return address(self.row, self.column) if self.row else ""


@dataclass(slots=True)
class TablePlan:
    """Where each dimension of a table stands. Columns are sheet positions, 0 for none."""

    table: DetectedTable
    rule: TableLayout
    heads: HeadReader
    entity_column: int = 0
    region_column: int = 0
    indicator_column: int = 0
    period_column: int = 0
    month_column: int = 0
    maturity_column: int = 0
    unit_column: int = 0
    values: tuple[Column, ...] = ()
    meanings: dict[int, HeadMeaning] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    """Dimensions whose column was not found under its head (drift), in Chinese."""
    blocked: bool = False
    """A dimension is nowhere to be found: the layout does not fit this table."""

    @property
    def fit(self) -> float:
        """Share of the value columns whose meaning is known, halved when a column was guessed."""
        if self.blocked or not self.values:
            return 0.0
        rule = self.rule
        if rule.across_indicators:
            seen = [self.meanings[c.column] for c in self.values]
            known = sum(m.indicator_id is not None and m.how in RESOLVED for m in seen)
            share = known / len(seen)
        elif rule.shape == "series":
            share = sum(c.period_head is not None for c in self.values) / len(self.values)
        else:
            share = 1.0
        return share * (0.5 if self.missing else 1.0)


def plan_table(table: DetectedTable, rule: TableLayout, heads: HeadReader) -> TablePlan:
    """Find the dimensions of a table. The result may be `blocked` (the layout is not for it)."""
    plan = TablePlan(table, rule, heads)
    used: set[int] = set()
    plan.entity_column = _dimension(plan, rule.entity, "单位名称", used, _label_column)
    plan.region_column = _by_head(table, heads, rule.entity.region)
    if rule.indicator is not None:
        plan.indicator_column = _dimension(plan, rule.indicator, "指标", used, _label_column)
    _periods(plan, used)
    if rule.maturity is not None and rule.maturity.column:
        plan.maturity_column = _by_head(table, heads, rule.maturity.column)
    plan.unit_column = _by_head(table, heads, rule.unit_column)
    used |= {plan.region_column, plan.maturity_column, plan.unit_column}
    plan.values = tuple(
        c for c in table.columns if c.column not in used and not _ignored(heads, rule, c)
    )
    _keep_values(plan)
    return plan


def _dimension(
    plan: TablePlan,
    where: Where,
    name: str,
    used: set[int],
    guess: Callable[[DetectedTable, set[int]], int],
) -> int:
    """Column of a dimension read from cells; guessed (and noted as drift) when its head is gone."""
    if not where.in_cells:
        return 0
    if where.column is not None:
        column = _letters_to_number(where.column)
        if not any(c.column == column for c in plan.table.columns):
            plan.blocked = True
    else:
        column = _by_head(plan.table, plan.heads, where.head)
        if not column:
            column = guess(plan.table, used)
            plan.missing.append(f"{name}列“{'”或“'.join(where.head)}”")
            plan.blocked = plan.blocked or not column
    used.add(column)
    return column


def _label_column(table: DetectedTable, used: set[int]) -> int:
    free = [column for column in table.entity_columns if column not in used]
    return free[-1] if free else 0


def _period_column(table: DetectedTable, used: set[int]) -> int:
    free = [column for column in table.row_period_columns if column not in used]
    return free[0] if free else 0


def _periods(plan: TablePlan, used: set[int]) -> None:
    rule = plan.rule.period
    if rule.year:
        plan.period_column = _by_head(plan.table, plan.heads, rule.year)
        plan.month_column = _by_head(plan.table, plan.heads, rule.month)
        plan.blocked = plan.blocked or not plan.period_column or bool(rule.month and not plan.month_column)
        used |= {plan.period_column, plan.month_column}
    else:
        plan.period_column = _dimension(plan, rule, "报告期", used, _period_column)


def _by_head(table: DetectedTable, heads: HeadReader, patterns: Sequence[str]) -> int:
    """The first column whose whole head or last head level fits; patterns in their order."""
    for pattern in patterns:
        for column in table.columns:
            keys = (*heads.keys(column.path), *heads.keys(column.path[-1:]))
            if column.path and matches((pattern,), keys):
                return column.column
    return 0


def _letters_to_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _ignored(heads: HeadReader, rule: TableLayout, column: Column) -> bool:
    letters = address(1, column.column)[:-1]
    if any(item.column == letters for item in rule.ignore):
        return True
    return bool(column.path) and heads.read(column.path).how == "ignored"


def _keep_values(plan: TablePlan) -> None:
    """Keep columns that hold values, and text columns only when their head is a known figure."""
    rule = plan.rule
    if rule.across_indicators:
        found = [plan.heads.read(column.path) for column in plan.values]
        finished = inherit(found)
        kept: list[Column] = []
        for column, meaning in zip(plan.values, finished, strict=True):
            known = meaning is not None and meaning.indicator_id is not None
            if meaning is None or not (column.kind in VALUE_KINDS or known):
                continue
            kept.append(column)
            plan.meanings[column.column] = _finish(plan, meaning)
        plan.values = tuple(kept)
    else:
        plan.values = tuple(c for c in plan.values if c.kind in VALUE_KINDS and c.path)
        if rule.shape == "series":
            plan.values = tuple(c for c in plan.values if c.period_head is not None)
            plan.blocked = plan.blocked or not plan.values


def _finish(plan: TablePlan, meaning: HeadMeaning) -> HeadMeaning:
    if meaning.indicator_id is None or meaning.measure is not None:
        return _note_absent(plan, meaning)
    if meaning.indicator_id not in plan.heads.index.indicators:
        return replace(meaning, how="unregistered")
    return _note_absent(plan, finish(meaning, plan.heads.index.indicators, plan.rule.measure))


def _note_absent(plan: TablePlan, meaning: HeadMeaning) -> HeadMeaning:
    absent = plan.heads.absent
    if absent and {(meaning.indicator_id, meaning.measure), (meaning.indicator_id, None)} & absent:
        return replace(meaning, how="absent")
    return meaning


# --- value plans ---------------------------------------------------------------------------------


def soft_units(table: DetectedTable, rule: TableLayout) -> tuple[tuple[str, str], ...]:
    """Units of the unit line (one or several) and the layout's default, with their evidence."""
    soft: list[tuple[str, str]] = []
    line = table.unit_line
    if line is not None:
        place = f"单位行{line.address}"
        soft += [(part, place) for part in re.split(r"[、,，;；\s和及]+", line.text) if part]
    if rule.default_unit:
        soft.append((rule.default_unit, "布局默认"))
    return tuple(soft)


def value_plan(
    plan: TablePlan,
    units: Units,
    column: Column,
    meaning: HeadMeaning,
    soft: tuple[tuple[str, str], ...],
    *,
    path: tuple[str, ...],
    unit_cell: TextAt | None = None,
    head_at: str | None = None,
) -> ValuePlan:
    """Unit and factor for the values of a column under a meaning of its head (or its row's)."""
    indicator = _indicator(plan, meaning)
    growth = meaning.measure == "yoy_published" or "growth" in meaning.tags or "mom" in meaning.tags
    hard: list[tuple[str, str]] = []
    if column.unit is not None and (looks_like_unit(column.unit.text) or units.resolve(column.unit.text)):
        hard.append((column.unit.text, f"单位行{column.unit.address}"))
    if meaning.unit:
        hard.append((meaning.unit, f"表头{head_at or address(column.row, column.column)}"))
    if unit_cell is not None:
        hard.append((unit_cell.text, f"单位列{unit_cell.address}"))
    expected = plan.heads.expected_unit(meaning, path)
    if expected and not hard and not growth:
        hard.append((expected, "布局默认"))
    wanted = "%" if growth else (indicator.unit if indicator else "")
    use = (
        unit_use(units, wanted, UnitSources(tuple(hard), soft), growth=growth)
        if indicator
        else UnitUse(hard[0][0] if hard else "", evidence=hard[0][1] if hard else "")
    )
    readable = indicator is not None and not use.problem
    return ValuePlan(
        column=column.column,
        letters=address(1, column.column)[:-1],
        head=show_path((*path, *(column.path if path != column.path else ()))),
        indicator_id=meaning.indicator_id if readable else None,
        measure=meaning.measure if readable and meaning.measure != OTHER else None,
        unit=use,
        wanted=wanted,
        period_phrase=meaning.period,
    )


def _indicator(plan: TablePlan, meaning: HeadMeaning) -> IndicatorLike | None:
    if meaning.indicator_id is None or meaning.how not in RESOLVED:
        return None
    return plan.heads.index.indicators.get(meaning.indicator_id)


def best_plan(
    table: DetectedTable, rules: Sequence[TableLayout], readers: Mapping[int, HeadReader]
) -> TablePlan | None:
    """The table layout that fits a table best; ``None`` when none fits at all. Ties: first listed."""
    best: TablePlan | None = None
    for number, rule in enumerate(rules):
        if not text_matches(rule.sheets, table.sheet):
            continue
        if rule.titles and not text_matches(rule.titles, table.title):
            continue
        plan = plan_table(table, rule, readers[number])
        if plan.fit > (best.fit if best else 0.0):
            best = plan
    return best
