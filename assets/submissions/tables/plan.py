"""A detected table seen through a table layout: which column is what, before any row is read.

Belongs here: finding the entity, period, indicator, unit and maturity columns, the meaning of every
head (explicit entry, ignored, name, alias), its unit and factor, how well a layout fits, and what
has drifted. Does not belong here: values and rows (`layout`), or proposing layouts (`proposal`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING

from assets.submissions.reading.workbook import Sheet, address
from assets.submissions.tables.grid import fold, show
from assets.submissions.tables.heads import (
    OTHER,
    HeadMeaning,
    IndicatorIndex,
    finish,
    inherit,
    name_key,
    one_stock,
    says_nothing,
    take_apart,
)
from assets.submissions.tables.structure import Column, DetectedTable, TextAt
from assets.submissions.tables.table_words import SAID_UNIT, looks_like_unit
from assets.submissions.tables.unit_use import BY_LAYOUT, UnitSources, UnitUse, unit_use
from assets.submissions.values.units import Units
from warehouse.catalog.layouts import HeadRule, TableLayout, Where
from warehouse.catalog.models import Indicator

if TYPE_CHECKING:
    from assets.submissions.tables.targets import KnownTargets

RESOLVED = ("explicit", "exact", "alias", "inherited", "absent")
VALUE_KINDS = ("value", "blank")
SAMPLE = 80
"""Rows whose indicator names decide whether a layout fits."""
MOST_PLANS = 256
"""Plans, and what follows from them, that a table of a layout remembers."""
MOST_VALUES = 4096
"""Value plans that it remembers: columns x indicator rows of some dozen forms."""


_LISTED = re.compile(r"/(?=[百千万亿]*元)|[、,，;；或\s和及]+|[(（][^()（）]{0,12}?[为是]")
"""Between the units of a unit line: 万元、人; 万元/亿元; 万元（营业收入为亿元）."""


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


def text_matches(patterns: Sequence[str], text: str) -> bool:
    """Whether a pattern fits a sheet name, title or file name (``*`` alone fits anything)."""
    if not patterns:
        return False
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
        self._keys: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._named: dict[tuple[str, tuple[str, ...]], bool] = {}
        self._plans: dict[int, TablePlan] = {}
        self.targets: dict[tuple[object, ...], KnownTargets] = {}
        self.values: dict[tuple[object, ...], ValuePlan] = {}

    def planned(self, table: DetectedTable, sheet: Sheet) -> TablePlan | None:
        """The plan made before for the very columns of a table; they come many times."""
        known = self._plans.get(id(table.columns))
        if known is None or known.table.columns is not table.columns:
            return None
        return replace(known, table=table, sheet=sheet)

    def keep(self, plan: TablePlan) -> None:
        """Remember a plan that follows from the columns of its table alone."""
        if self.rule.across_indicators and not plan.missing:
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            plan.kept = plan.fit >= 0 and plan.lacking >= 0  # both are asked of every copy
            heads_only = replace(plan.table, rows=(), footnotes=())
            self._plans[id(plan.table.columns)] = replace(
                plan, table=heads_only, sheet=Sheet(plan.sheet.name, [])
            )

    def _allow(self) -> frozenset[str] | None:
        """Indicators that names and aliases may give; ``None`` for all of the catalogue."""
        if self.rule.indicators == "auto":
            return None
        named = {rule.indicator for rule in self.rule.columns if rule.indicator}
        return frozenset(named | set(self.rule.indicators))

    def read(self, path: tuple[str, ...]) -> HeadMeaning:
        """Meaning of a head path; measures still unset unless an entry sets them."""
        meaning = self._memo.get(path)
        if meaning is None:
            meaning = self._memo[path] = self._read(path)
        return meaning

    def keys(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """What patterns are compared with: the path with and without units in brackets, and without
        outer levels that narrow nothing."""
        known = self._keys.get(path)
        if known is None:
            known = self._keys[path] = self._make_keys(path)
        return known

    def named(self, pattern: str, path: tuple[str, ...]) -> bool:
        """Whether a column's whole head or its last level fits a pattern."""
        memo = (pattern, path)
        found = self._named.get(memo)
        if found is None:
            keys = (*self.keys(path), *self.keys(path[-1:]))
            found = self._named[memo] = bool(path) and matches((pattern,), keys)
        return found

    def _make_keys(self, path: tuple[str, ...]) -> tuple[str, ...]:
        inner = path
        while len(inner) > 1 and says_nothing(inner[0]):
            inner = inner[1:]
        keys = [
            "/".join(name_key(level) for level in levels)
            for whole in (path, inner)
            for levels in (whole, [self._without_unit(level) for level in whole])
        ]
        return tuple(dict.fromkeys(keys))

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

    def renamed(self, meaning: HeadMeaning) -> bool:
        """Whether a head was read by the catalogue although the form writes it another way."""
        rule = self.rule
        if meaning.how not in ("exact", "alias") or rule.indicators == "auto":
            return False
        mine = [item for item in rule.columns if item.indicator == meaning.indicator_id]
        listed = meaning.indicator_id in rule.indicators or any(not item.head for item in mine)
        return bool(mine) and not listed

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

    def entry(self, path: tuple[str, ...], meaning: HeadMeaning) -> str:
        """Which entry of the table layout gave a head its meaning: ``columns[4](税金/*)``.

        Counted from 1 as written in the file; empty when nothing did.
        """
        rule, indicator_id = self.rule, meaning.indicator_id
        if indicator_id is None or meaning.how not in RESOLVED:
            return ""
        if rule.indicator is not None and rule.indicator.fixed:
            return f"indicator.fixed({indicator_id})"
        if meaning.how == "inherited":
            return f"{indicator_id}(承接左列)"
        keys = self.keys(path)
        for number, item in enumerate(rule.columns, 1):
            pattern = next((p for p in item.head if matches((p,), keys)), None)
            if pattern is not None and item.indicator == indicator_id:
                return f"columns[{number}]({pattern})"
        for number, item in enumerate(rule.columns, 1):
            if item.indicator == indicator_id and not item.head:
                return f"columns[{number}]({indicator_id})"
        listed = "auto:" if rule.indicators == "auto" else ""
        return f"indicators({listed}{indicator_id})"

    def expected_unit(self, meaning: HeadMeaning, path: tuple[str, ...]) -> str | None:
        """Unit the layout says such a head is in when the file itself does not say."""
        keys = self.keys(path)
        for rule in self.rule.columns:
            if rule.unit and (
                matches(rule.head, keys) if rule.head else rule.indicator == meaning.indicator_id
            ):
                return rule.unit
        return None


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
    entry: str = ""
    """Entry of the table layout that gave the meaning."""
    period_phrase: str | None = None
    """A period the head itself names (`1—6月工业总产值`), to be compared with the table's."""


@dataclass(slots=True)
class TablePlan:
    """Where each dimension of a table stands. Columns are sheet positions, 0 for none."""

    table: DetectedTable
    rule: TableLayout
    heads: HeadReader
    sheet: Sheet
    entity_column: int = 0
    region_column: int = 0
    indicator_column: int = 0
    period_column: int = 0
    month_column: int = 0
    maturity_column: int = 0
    unit_column: int = 0
    measure_column: int = 0
    values: tuple[Column, ...] = ()
    meanings: dict[int, HeadMeaning] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    """Dimensions whose column was not found under its head (drift), in Chinese."""
    paths: list[tuple[str, ...]] = field(default_factory=list)
    """Indicator names of the rows (or the one of the table), where heads do not name indicators."""
    blocked: bool = False
    """A dimension is nowhere to be found: the layout does not fit this table."""
    kept: bool = False
    """Remembered: the same columns bring the same ``values`` and ``meanings`` again."""
    _lacking: int | None = None
    _fit: float | None = None

    def path_of(self, column: Column) -> tuple[str, ...]:
        """Head of a value column without the level that is its period, where periods are heads."""
        if not self.rule.period.across:
            return column.path
        return tuple(
            level
            for level, value in zip(column.path, column.values, strict=True)
            if value is not column.period_head
        )

    @property
    def lacking(self) -> int:
        """How many figures the form asks for are not among the heads (heads naming indicators)."""
        if self._lacking is None:
            self._lacking = self._count_lacking()
        return self._lacking

    def _count_lacking(self) -> int:
        if not self.rule.across_indicators:
            return 0
        found = {(m.indicator_id, m.measure) for m in self.meanings.values() if m.how in RESOLVED}
        return len(missing_figures(self.rule, found))

    @property
    def fit(self) -> float:
        """Share of the value columns whose meaning is known, halved when a column was guessed."""
        if self._fit is None:
            self._fit = self._measure_fit()
        return self._fit

    def _measure_fit(self) -> float:
        if self.blocked or not self.values:
            return 0.0
        rule = self.rule
        if rule.indicator is not None and rule.indicator.fixed:
            share = float(rule.indicator.fixed in self.heads.index.indicators)
        elif rule.across_indicators:
            share = _known_share([self.meanings[c.column] for c in self.values])
        else:
            share = _known_share([self.heads.read(path) for path in self.paths])
        return share * (0.5 if self.missing else 1.0)


def _known_share(meanings: Sequence[HeadMeaning]) -> float:
    if not meanings:
        return 0.0
    known = sum(m.indicator_id is not None and m.how in RESOLVED for m in meanings)
    return known / len(meanings)


def plan_table(
    table: DetectedTable, rule: TableLayout, heads: HeadReader, sheet: Sheet, file_name: str
) -> TablePlan:
    """Find the dimensions of a table. The result may be `blocked` (the layout is not for it)."""
    known = heads.planned(table, sheet)
    if known is not None:
        return known
    plan = TablePlan(table, rule, heads, sheet)
    used: set[int] = set()
    plan.entity_column = _dimension(plan, rule.entity, "单位名称", used, _label_column)
    plan.region_column = _by_head(table, heads, rule.entity.region)
    if rule.indicator is not None:
        plan.indicator_column = _dimension(plan, rule.indicator, "指标", used, _label_column)
    _periods(plan, used)
    if rule.maturity is not None and rule.maturity.column:
        plan.maturity_column = _by_head(table, heads, rule.maturity.column)
    plan.unit_column = _by_head(table, heads, rule.unit_column)
    plan.measure_column = _by_head(table, heads, rule.measure_column)
    used |= {plan.region_column, plan.maturity_column, plan.unit_column, plan.measure_column}
    plan.values = tuple(
        c for c in table.columns if c.column not in used and not ignored(heads, rule, c)
    )
    _keep_values(plan)
    if not rule.across_indicators:
        plan.paths = _row_paths(plan, file_name)
    heads.keep(plan)
    return plan


def _row_paths(plan: TablePlan, file_name: str) -> list[tuple[str, ...]]:
    """Distinct indicator names of the first rows, or the one name stated for the table."""
    rule = plan.rule.indicator
    if rule is not None and rule.fixed:
        return [(rule.fixed,)]
    if not plan.indicator_column:
        stated = stated_indicator(plan.table, plan.rule, file_name)[0]
        return [(stated,)] if stated else []
    found: dict[tuple[str, ...], None] = {}
    for row in plan.table.rows[:SAMPLE]:
        label = show(plan.sheet.at(row.row, plan.indicator_column))
        words = show(plan.sheet.at(row.row, plan.measure_column)) if plan.measure_column else ""
        if label and row.kind not in ("note", "repeat_head"):
            found[(label, words) if words else (label,)] = None
    return list(found)


def stated_indicator(table: DetectedTable, rule: TableLayout, file_name: str) -> tuple[str, str]:
    """(name, address) of the indicator stated once: `指标：…`, title, sheet or file name."""
    for place in rule.indicator.places if rule.indicator else ():
        if place == "facts":
            for fact in table.facts:
                if fact.key in ("指标", "指标名称", "统计指标"):
                    return fact.value.text, fact.value.address
        elif place == "title" and table.title:
            return table.title, table.titles[0].address
        elif place == "sheet":
            return table.sheet, "A1"
        elif place == "file":
            return PurePath(file_name).stem.split("__")[0], "A1"
    return "", "A1"


def _dimension(
    plan: TablePlan,
    where: Where,
    name: str,
    used: set[int],
    guess: Callable[[TablePlan, set[int]], int],
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
            column = guess(plan, used)
            plan.missing.append(f"{name}列“{'”或“'.join(where.head)}”")
            plan.blocked = plan.blocked or not column
    used.add(column)
    return column


def _label_column(plan: TablePlan, used: set[int]) -> int:
    """The free label column with most different texts (园区 beside 县区); the last among equals."""
    rows = [row.row for row in plan.table.rows[:SAMPLE] if row.kind == "data"]
    free = [column for column in plan.table.entity_columns if column not in used]
    variety = {c: len({show(plan.sheet.at(row, c)) for row in rows}) for c in free}
    return max(free, key=lambda c: (variety[c], c), default=0)


def _period_column(plan: TablePlan, used: set[int]) -> int:
    free = [column for column in plan.table.row_period_columns if column not in used]
    return free[0] if free else 0


def _periods(plan: TablePlan, used: set[int]) -> None:
    rule = plan.rule.period
    if rule.year:
        plan.period_column = _by_head(plan.table, plan.heads, rule.year)
        plan.month_column = _by_head(plan.table, plan.heads, rule.month)
        plan.blocked = (
            plan.blocked or not plan.period_column or bool(rule.month and not plan.month_column)
        )
        used |= {plan.period_column, plan.month_column}
    else:
        plan.period_column = _dimension(plan, rule, "报告期", used, _period_column)


def _by_head(table: DetectedTable, heads: HeadReader, patterns: Sequence[str]) -> int:
    """The first column whose whole head or last head level fits; patterns in their order."""
    for pattern in patterns:
        for column in table.columns:
            if heads.named(pattern, column.path):
                return column.column
    return 0


def _letters_to_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def ignored(heads: HeadReader, rule: TableLayout, column: Column) -> bool:
    """Whether the layout says that a column is not read."""
    letters = address(1, column.column)[:-1]
    if any(item.column == letters for item in rule.ignore):
        return True
    return bool(column.path) and heads.read(column.path).how == "ignored"


def _keep_values(plan: TablePlan) -> None:
    """Keep columns that hold values, and text columns only when their head is a known figure."""
    rule = plan.rule
    if rule.across_indicators:
        found = [plan.heads.read(plan.path_of(column)) for column in plan.values]
        finished = inherit(found)
        kept: list[Column] = []
        for column, meaning in zip(plan.values, finished, strict=True):
            known = meaning is not None and meaning.indicator_id is not None
            if meaning is None or not (column.kind in VALUE_KINDS or known):
                continue
            kept.append(column)
            plan.meanings[column.column] = _finish(plan, meaning)
        plan.values = tuple(kept)
        single = one_stock([plan.meanings[column.column] for column in kept])
        plan.meanings = {c.column: m for c, m in zip(kept, single, strict=True)}
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


def missing_figures(
    rule: TableLayout, found: set[tuple[str | None, str | None]]
) -> list[tuple[str, str | None]]:
    """(indicator, measure) the form must contain and does not, those stated as absent left out.

    Entries without a measure only add a writing; they ask for nothing.
    """
    absent = {(item.indicator, item.measure) for item in rule.absent}
    missing: list[tuple[str, str | None]] = []
    for item in rule.columns:
        if item.indicator is None or (item.head and item.measure is None and not item.measures):
            continue
        for measure in item.expected:
            if measure == OTHER or {(item.indicator, measure), (item.indicator, None)} & absent:
                continue
            if not _seen(found, item.indicator, measure):
                missing.append((item.indicator, measure))
    return list(dict.fromkeys(missing))


def _seen(found: set[tuple[str | None, str | None]], indicator: str, measure: str | None) -> bool:
    if measure is None:
        return any(known == indicator for known, _ in found)
    return (indicator, measure) in found


# --- value plans ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TableUnits:
    """Units stated for a table, not for a column, each with its evidence: the unit line's and the
    layout's default in ``soft``, whatever the texts around the table name in ``said``."""

    soft: tuple[tuple[str, str], ...] = ()
    said: tuple[tuple[str, str], ...] = ()


def soft_units(table: DetectedTable, rule: TableLayout) -> TableUnits:
    """Units of the unit line (one or several), the layout's default, and those named in notes."""
    soft: list[tuple[str, str]] = []
    line = table.unit_line
    if line is not None:
        place = f"单位行{line.address}"
        soft += [(part, place) for part in _LISTED.split(line.text) if part]
    if rule.default_unit:
        soft.append((rule.default_unit, BY_LAYOUT))
    said = [
        (match[1] or match[2], text.address)
        for text in (*table.titles, *table.footnotes)
        if text.column <= table.area[3]  # further right it speaks of the table beside this one
        for match in SAID_UNIT.finditer(fold(text.text))
    ]
    return TableUnits(tuple(soft), tuple(said))


def value_plan(
    plan: TablePlan,
    units: Units,
    column: Column,
    meaning: HeadMeaning,
    soft: TableUnits,
    *,
    path: tuple[str, ...],
    unit_cell: TextAt | None = None,
    head_at: str | None = None,
) -> ValuePlan:
    """Unit and factor for the values of a column under a meaning of its head (or its row's).

    Found once for the same column, meaning, path and units of a table of a layout.
    """
    known = plan.heads.values
    key = (column.column, column.row, column.path, column.unit, meaning, soft, path, unit_cell,
           head_at)  # fmt: skip
    made = known.get(key)
    if made is None:
        if len(known) >= MOST_VALUES:
            known.clear()
        written = _written_units(units, column, meaning, unit_cell, head_at)
        made = known[key] = _with_units(plan, units, column, meaning, path, written, soft)
    return made


def _written_units(
    units: Units,
    column: Column,
    meaning: HeadMeaning,
    unit_cell: TextAt | None,
    head_at: str | None,
) -> list[tuple[str, str]]:
    """Units the table itself writes for a column, each with where it stands."""
    found: list[tuple[str, str]] = []
    if column.unit is not None and (
        looks_like_unit(column.unit.text) or units.resolve(column.unit.text)
    ):
        found.append((column.unit.text, f"单位行{column.unit.address}"))
    if meaning.unit:
        found.append((meaning.unit, f"表头{head_at or address(column.row, column.column)}"))
    if unit_cell is not None:
        found.append((unit_cell.text, f"单位列{unit_cell.address}"))
    return found


def _with_units(
    plan: TablePlan,
    units: Units,
    column: Column,
    meaning: HeadMeaning,
    path: tuple[str, ...],
    hard: list[tuple[str, str]],
    soft: TableUnits,
) -> ValuePlan:
    """The plan of a column whose units are written (``hard``) or only around it (``soft``)."""
    indicator = _indicator(plan, meaning)
    growth = meaning.measure == "yoy_published" or "growth" in meaning.tags or "mom" in meaning.tags
    expected = plan.heads.expected_unit(meaning, path)
    if expected and not hard and not growth:
        hard = [(expected, BY_LAYOUT)]
    wanted = "%" if growth else (indicator.unit if indicator else "")
    use = (
        unit_use(units, wanted, UnitSources(tuple(hard), soft.soft, soft.said), growth=growth)
        if indicator
        else UnitUse(hard[0][0] if hard else "", evidence=hard[0][1] if hard else "")
    )
    readable = indicator is not None and not use.problem
    return ValuePlan(
        column=column.column,
        letters=address(1, column.column)[:-1],
        head="/".join((*path, *(column.path if path != column.path else ()))),
        indicator_id=meaning.indicator_id if readable else None,
        measure=meaning.measure if readable and meaning.measure != OTHER else None,
        unit=use,
        wanted=wanted,
        entry=plan.heads.entry(path, meaning) if readable else "",
        period_phrase=meaning.period,
    )


def _indicator(plan: TablePlan, meaning: HeadMeaning) -> Indicator | None:
    if meaning.indicator_id is None or meaning.how not in RESOLVED:
        return None
    return plan.heads.index.indicators.get(meaning.indicator_id)


def _rank(plan: TablePlan) -> tuple[float, int]:
    return plan.fit, -plan.lacking


def best_plan(
    table: DetectedTable,
    rules: Sequence[TableLayout],
    readers: Mapping[int, HeadReader],
    sheet: Sheet,
    file_name: str,
) -> TablePlan | None:
    """The table layout that fits a table best, ``None`` when none does; ties: first listed."""
    best: TablePlan | None = None
    for number, rule in enumerate(rules):
        if not text_matches(rule.sheets, table.sheet):
            continue
        if rule.titles and not text_matches(rule.titles, table.title):
            continue
        plan = plan_table(table, rule, readers[number], sheet, file_name)
        if plan.fit > 0 and (best is None or _rank(plan) > _rank(best)):
            best = plan
    return best
