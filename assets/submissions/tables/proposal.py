"""Proposes a layout for a workbook nobody has described yet, and shows what was detected.

Belongs here: guessing which column is which, drafting layout entries and new indicators, ranked
suggestions as comments, the terminal view of `parkwatch inspect`. Does not belong here: using a
proposal: a person sets ``status: accepted`` first.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from assets.submissions.reading.workbook import Sheet, Workbook, address
from assets.submissions.tables.grid import show, squeeze
from assets.submissions.tables.heads import (
    OTHER,
    HeadMeaning,
    inherit,
    measure_of,
    name_key,
    plain_growth,
    show_path,
    take_apart,
)
from assets.submissions.tables.heads import default_measure as default_measure_of
from assets.submissions.tables.structure import Column, DetectedTable, detect_tables
from assets.submissions.tables.table_words import INDICATOR_HEADS, VALUE_HEADS
from assets.submissions.values.periods import ParsedPeriod, parse_period, parse_period_column
from warehouse.catalog.layouts import (
    EntityRule,
    HeadRule,
    IgnoredSheet,
    IgnoreRule,
    IndicatorRule,
    Layout,
    PeriodRule,
    TableLayout,
    layout_yaml,
)
from warehouse.catalog.models import Indicator

if TYPE_CHECKING:
    from assets.submissions.tables.layout import Reader

NO_UNIT = "未注明"
WHOLE = "全国"
NEAR = 0.3
"""Resemblance from which a known indicator is worth a comment."""
_ENTITY_HEAD = re.compile(
    r"(地区|省份?|城市|市|县|区|园区|集中区|开发区|单位|企业|名称|机构|"
    r"province|state|city|county|country|region|name|unit|park|area)",
    re.IGNORECASE,
)
_STOCK_NAME = re.compile(
    r"(年末|期末|月末|年底|人口|户数|人数|家数|个数|厂数|面积|余额|存量|库存|level$)"
)
_RATIO_UNIT = re.compile(r"(%|‰|=100|^倍$|ratio|index)", re.IGNORECASE)
_RATIO_NAME = re.compile(r"(指数|率|比重|占比|pmi|index)$", re.IGNORECASE)


@dataclass(slots=True)
class TableDraft:
    """What is proposed for one table: rule, new indicators, comments per head."""

    table: DetectedTable
    rule: TableLayout | None
    meanings: dict[int, HeadMeaning] = field(default_factory=dict)
    new: dict[str, Indicator] = field(default_factory=dict)
    comments: dict[str, list[str]] = field(default_factory=dict)
    reason: str = ""
    """Why nothing is proposed for the table."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed layout (``status: proposed``), its comments, and the drafts it was made from."""

    layout: Layout | None
    comments: Mapping[str, Sequence[str]]
    drafts: tuple[TableDraft, ...]

    def yaml(self) -> str:
        """The layout file to review; empty when there is nothing to propose."""
        return layout_yaml(self.layout, self.comments) if self.layout else ""

    def accepted(self) -> Layout:
        """The layout as a person would accept it unchanged. Raises ValueError without one."""
        if self.layout is None:
            raise ValueError("没有可供确认的版式")
        return self.layout.model_copy(update={"status": "accepted"})


def propose_layout(workbook: Workbook, reader: Reader, file_name: str) -> Proposal:
    """Draft a layout for a workbook from its structure and the catalogue's names and aliases.

    Heads the catalogue knows exactly are mapped; every other head becomes a *new* indicator of its
    own with the resembling known ones as a comment, so that accepting a draft unread can never put
    a figure under a wrong indicator.
    """
    drafts: list[TableDraft] = []
    unread: list[str] = []
    for sheet in workbook.sheets:
        tables = detect_tables(sheet, reader.is_unit)
        drafts += [_Drafter(reader, sheet, table, file_name).draft() for table in tables]
        if not tables and any(any(c is not None for c in row) for row in sheet.rows):
            unread.append(sheet.name)
    good = [draft for draft in drafts if draft.rule is not None]
    if not good:
        return Proposal(None, {}, tuple(drafts))
    layout = _layout(good, drafts, unread, file_name)
    comments: dict[str, list[str]] = {
        "": [
            f"由 parkwatch inspect 根据“{PurePath(file_name).name}”建议，确认后 status 改为 accepted"
        ]
    }
    for draft in good:
        for head, lines in draft.comments.items():
            comments.setdefault(head, []).extend(
                line for line in lines if line not in comments.get(head, [])
            )
    return Proposal(layout, comments, tuple(drafts))


def _layout(
    good: list[TableDraft],
    drafts: list[TableDraft],
    unread: list[str],
    file_name: str,
) -> Layout:
    stem = PurePath(file_name).stem
    new = _new_indicators(good)
    read = {draft.table.sheet for draft in good}
    ignored = [IgnoredSheet(sheet=(name,), reason="没有带数字的表") for name in unread]
    for draft in drafts:
        if draft.rule is None and draft.table.sheet not in read:
            read.add(draft.table.sheet)
            ignored.append(IgnoredSheet(sheet=(draft.table.sheet,), reason=draft.reason))
    return Layout(
        layout_id=_layout_id(stem),
        title=stem,
        source=("unknown",),  # for the person to fill in
        status="proposed",
        tables=tuple(_grouped(good)),
        ignore_sheets=tuple(ignored),
        new_indicators=tuple(new.values()),
    )


def _new_indicators(good: list[TableDraft]) -> dict[str, Indicator]:
    """New indicators of all tables; one that is also given cumulatively is a cumulative figure."""
    new: dict[str, Indicator] = {}
    cumulative: set[str | None] = set()
    for draft in good:
        new |= draft.new
        if draft.rule is not None:
            cumulative |= {r.indicator for r in draft.rule.columns if r.measure == "ytd"}
    return {
        key: item.model_copy(update={"over_time": "ytd"})
        if key in cumulative and item.over_time == "sum"
        else item
        for key, item in new.items()
    }


def _layout_id(stem: str) -> str:
    """A short readable id: ASCII words of the name, else a digest of it."""
    base = stem.split("__")[0]
    slug = re.sub(r"[^a-z0-9]+", "_", base.lower()).strip("_")
    if re.search(r"[a-z]{3}", slug):
        return slug[:60]
    return "layout_" + hashlib.sha256(name_key(base).encode()).hexdigest()[:8]


def _grouped(drafts: list[TableDraft]) -> list[TableLayout]:
    """Tables of the same form on several sheets become one entry."""
    rules: list[TableLayout] = []
    for draft in drafts:
        rule = draft.rule
        assert rule is not None
        for place, known in enumerate(rules):
            if known.model_copy(update={"sheets": (), "name": ""}) == rule.model_copy(
                update={"sheets": (), "name": ""}
            ):
                sheets = dict.fromkeys((*known.sheets, *rule.sheets))
                rules[place] = known.model_copy(update={"sheets": tuple(sheets)})
                break
        else:
            rules.append(rule)
    if len({sheet for rule in rules for sheet in rule.sheets}) == 1 and len(rules) == 1:
        return [rules[0].model_copy(update={"sheets": ("*",)})]
    return rules


def new_id(name: str) -> str:
    """Id of a new indicator: the same name gets the same id in every file."""
    slug = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").lower()
    if name.isascii() and slug and slug[0].isalpha():
        return slug[:50]
    return "N_" + hashlib.sha256(name_key(name).encode()).hexdigest()[:8]


class _Drafter:
    """Drafts the rule of one table."""

    def __init__(self, reader: Reader, sheet: Sheet, table: DetectedTable, file_name: str) -> None:
        self.reader = reader
        self.sheet = sheet
        self.table = table
        self.file_name = file_name
        self.stem = PurePath(file_name).stem
        self.out = TableDraft(table, None)
        self.entity = 0
        self.indicator = 0
        self.unit_column = 0
        self.values = [c for c in table.columns if c.kind in ("value", "blank") and c.path]
        self.monthly = False
        self.both = False
        """Heads name indicators and periods."""

    def draft(self) -> TableDraft:
        """The finished draft; without a rule, and with a reason, when nothing can be read."""
        table = self.table
        if not self.values or not any(c.kind == "value" for c in self.values):
            self.out.reason = "没有数值列"
            return self.out
        self._label_columns()
        period = self._period()
        across = period.across
        if across and not self.both:
            self.values = [c for c in self.values if c.period_head is not None]
        fields: dict[str, Any] = {
            "name": table.title[:40],
            "sheets": (table.sheet,),
            "period": period,
            "ignore": tuple(self._ignored()),
        }
        if across and not self.both:
            fields |= self._series()
        elif self.indicator and self._heads_are_measures():
            fields |= self._long()
        elif self.indicator or self._heads_are_entities():
            fields |= self._transposed()
        else:
            fields |= self._wide()
        if not fields["columns"] and "indicators" not in fields:
            self.out.reason = "没有可以认定的指标"
            return self.out
        self.out.rule = TableLayout.model_validate(fields)
        return self.out

    # --- which column is which -------------------------------------------------------------

    def _label_columns(self) -> None:
        """Choose the entity and the indicator column among the text columns left of the values."""
        scores: list[tuple[float, float, int]] = []
        for number in self.table.entity_columns:
            column = self.table.column(number)
            labels = self._labels(number)
            if not labels:
                continue
            head = squeeze(column.head).casefold()
            if head in ("计量单位", "单位") and self._share(labels, self.reader.is_unit) > 0.5:
                self.unit_column = number
                continue
            units = self._share(labels, self._ends_with_unit)
            known = self._share(labels, self._known_indicator)
            figure = max(known, units, 1.0 * (head in INDICATOR_HEADS))
            parks = self._share(labels, self._known_park)
            entity = max(parks, 0.6 * bool(head and _ENTITY_HEAD.search(head)))
            scores.append((figure, entity, number))
        figures = [s for s in scores if s[0] >= 0.5 and s[0] > s[1]]
        if figures:
            self.indicator = max(figures, key=lambda s: (s[0], -s[2]))[2]
        left = [s for s in scores if s[2] != self.indicator and s not in figures]
        if left:
            self.entity = max(left, key=lambda s: (round(s[1], 1), s[2] if s[1] == 0 else -s[2]))[2]

    def _labels(self, column: int) -> list[str]:
        rows = [r for r in self.table.rows if r.kind in ("data", "total", "of_which")][:200]
        return [t for r in rows if (t := self._filled(r.row, column))]

    def _filled(self, row: int, column: int) -> str:
        value = self.sheet.at(row, column)
        if value is None:
            for top, left, bottom, right in self.sheet.merged:
                if top <= row <= bottom and left <= column <= right:
                    value = self.sheet.at(top, left)
        return show(value)

    @staticmethod
    def _share(labels: Sequence[str], test: Any) -> float:
        return sum(bool(test(label)) for label in labels) / len(labels) if labels else 0.0

    def _ends_with_unit(self, text: str) -> bool:
        return take_apart((text,), self.reader.is_unit, self.reader.index.known).unit is not None

    def _known_indicator(self, text: str) -> bool:
        return self.reader.index.read((text,), self.reader.is_unit).indicator_id is not None

    def _known_park(self, text: str) -> bool:
        return self.reader.register.resolve(text).park_id is not None

    def _heads_are_measures(self) -> bool:
        for column in self.values:
            parts = take_apart(column.path, self.reader.is_unit, lambda _: False)
            names = [n for n in parts.names if n.casefold() not in VALUE_HEADS]
            if names:
                return False
        return True

    def _period(self) -> PeriodRule:
        table = self.table
        periods = [c for c in self.values if c.period_head is not None]
        if len(periods) >= 2 and 2 * len(periods) >= len(self.values) and self._own_level(periods):
            heads = parse_period_column([c.period_head for c in periods])
            kinds = {r.kind for r in heads if isinstance(r, ParsedPeriod)}
            self.monthly = "month" in kinds
            return PeriodRule(across=True)
        if self._periods_beside_names():
            self.both = True
            return PeriodRule(across=True)
        rows = [c for c in table.columns if c.kind == "period"]
        if rows:
            return self._row_period(rows)
        return PeriodRule.model_validate({"from": self._places()})

    def _periods_beside_names(self) -> bool:
        """Whether heads name indicators and several periods (`产值/2019年`, `2019年产值`)."""
        phrases = []
        for column in self.values:
            parts = take_apart(column.path, self.reader.is_unit, self.reader.index.known)
            if parts.period is not None and parts.names:
                phrases.append(parts.period)
        years = {text for text in phrases if re.search(r"(19|20)\d\d", text)}
        return len(phrases) == len(self.values) and len(years) > 1

    def _heads_are_entities(self) -> bool:
        """`指标：…` above, periods in rows, names in heads: the heads are the units."""
        stated = any(fact.key in ("指标", "指标名称", "统计指标") for fact in self.table.facts)
        return stated and not self.entity and bool(self.table.row_period_columns)

    def _own_level(self, columns: Sequence[Column]) -> bool:
        """Whether the period is all the heads say (indicator elsewhere), beside measure words."""
        for column in columns:
            levels = [
                level
                for level, value in zip(column.path, column.values, strict=True)
                if value is not column.period_head
            ]
            if take_apart(levels, self.reader.is_unit, lambda _: False).names:
                return False
        return True

    def _row_period(self, rows: Sequence[Column]) -> PeriodRule:
        def head(column: Column) -> str:
            return squeeze(column.head).casefold()

        year = next((c for c in rows if head(c) in ("year", "年", "年份", "年度")), None)
        month = next((c for c in rows if head(c) in ("month", "月", "月份")), None)
        if year is not None and month is not None:
            self.monthly = True
            return PeriodRule(year=(show_path(year.path),), month=(show_path(month.path),))
        column = year or rows[0]
        cells = [self.sheet.at(r.row, column.column) for r in self.table.rows if r.kind == "data"]
        kinds = {r.kind for r in parse_period_column(cells[:60]) if isinstance(r, ParsedPeriod)}
        self.monthly = bool(kinds & {"month", "point"})
        if column.path:
            return PeriodRule(head=(show_path(column.path),))
        return PeriodRule(column=address(1, column.column)[:-1])

    def _places(self) -> list[str]:
        """Places that state a period; all usual ones when none does (the register may)."""
        texts = {
            "title": [t.text for t in self.table.titles],
            "facts": [
                f.value.text for f in self.table.facts if f.key in ("报告期", "时间", "日期")
            ],
            "sheet": [self.table.sheet],
            "file": [self.stem],
        }
        found = [
            place
            for place, lines in texts.items()
            if any(isinstance(parse_period(t, default_year=2000), ParsedPeriod) for t in lines)
        ]
        return found or ["title", "sheet", "file", "submission"]

    def _ignored(self) -> list[IgnoreRule]:
        used = {self.entity, self.indicator, self.unit_column}
        rules: list[IgnoreRule] = []
        reasons = {"serial": "序号或代码", "text": "文字列", "flag": "是否标记，不是数值"}
        for column in self.table.columns:
            reason = reasons.get(column.kind)
            if column.column in used or reason is None:
                continue
            if column.path:
                rules.append(IgnoreRule(head=(show_path(column.path),), reason=reason))
            else:
                rules.append(IgnoreRule(column=address(1, column.column)[:-1], reason=reason))
        return rules

    def _where(self, column: int) -> dict[str, Any]:
        found = self.table.column(column)
        if found.path and sum(c.head == found.head for c in self.table.columns) == 1:
            return {"head": (show_path(found.path),)}
        return {"column": address(1, column)[:-1]}

    def _entity_rule(self) -> EntityRule:
        if self.entity:
            return EntityRule.model_validate(self._where(self.entity))
        for fact in self.table.facts:
            if fact.key in ("地区", "填报单位", "单位名称", "园区", "园区名称"):
                return EntityRule.model_validate({"from": ["facts"]})
        for place, text in (
            ("title", self.table.title),
            ("sheet", self.table.sheet),
            ("file", self.stem),
        ):
            if self.reader.register.park_in(text) is not None:
                return EntityRule.model_validate({"from": [place]})
        self.out.comments.setdefault("", []).append(f"表中没有单位列，entity 暂写“{WHOLE}”，请核对")
        return EntityRule(fixed=WHOLE)

    # --- shapes -------------------------------------------------------------------------------

    def _wide(self) -> dict[str, Any]:
        index, is_unit = self.reader.index, self.reader.is_unit
        paths = [self._path(column) for column in self.values]
        found = [index.read(path, is_unit) for path in paths]
        if found and found[0].how == "empty" and found[0].indicator_id is None:
            found[0] = self._named_by_file(found[0])
        columns: list[HeadRule] = []
        for column, path, meaning in zip(self.values, paths, inherit(found), strict=True):
            if meaning is not None:
                columns.append(self._rule(show_path(path), meaning, column))
        if self.both:
            columns = list({rule.head: rule for rule in columns}.values())
        columns = _distinct(columns)
        fields = {"shape": "wide", "entity": self._entity_rule(), "columns": tuple(columns)}
        return fields | ({"indicator": IndicatorRule(across=True)} if self.both else {})

    def _path(self, column: Column) -> tuple[str, ...]:
        """Head without the level that is a period, where heads name both."""
        if not self.both:
            return column.path
        return tuple(
            level
            for level, value in zip(column.path, column.values, strict=True)
            if value is not column.period_head
        )

    def _named_by_file(self, meaning: HeadMeaning) -> HeadMeaning:
        """`date,value,yoy …`: the file's name is the indicator's."""
        name = self.stem.split("__")[0]
        found, how = self.reader.index.find(name)
        return replace(meaning, how=how, indicator_id=found, name=name)

    def _series(self) -> dict[str, Any]:
        rule, columns = self._indicator_rule()
        return {
            "shape": "series",
            "entity": self._entity_rule(),
            "indicator": rule,
            "columns": tuple(columns),
            **self._units(),
        }

    def _long(self) -> dict[str, Any]:
        rule, columns = self._indicator_rule(self.values)
        return {
            "shape": "long",
            "entity": self._entity_rule(),
            "indicator": rule,
            "columns": tuple(columns),
            **self._units(),
        }

    def _transposed(self) -> dict[str, Any]:
        rule, columns = self._indicator_rule()
        return {
            "shape": "transposed",
            "entity": EntityRule(across=True),
            "indicator": rule,
            "columns": tuple(columns),
            **self._units(),
        }

    def _units(self) -> dict[str, Any]:
        if not self.unit_column:
            return {}
        return {"unit_column": (show_path(self.table.column(self.unit_column).path),)}

    def _indicator_rule(
        self, beside: Sequence[Column] = ()
    ) -> tuple[IndicatorRule, list[HeadRule]]:
        """Indicator from its column, a fact, the title or the file; with an entry per name.

        ``beside``: value columns whose heads say the measure, so that entries leave it open.
        """
        if self.indicator:
            where = self._where(self.indicator)
            labels = list(dict.fromkeys(self._labels(self.indicator)))
            open_measure = any(
                take_apart(c.path, self.reader.is_unit, lambda _: False).tags for c in beside
            )
            read = [self.reader.index.read((label,), self.reader.is_unit) for label in labels]
            rules = _distinct(
                [
                    self._entry(label, plain_growth(meaning, read), open_measure=open_measure)
                    for label, meaning in zip(labels, read, strict=True)
                ]
            )
            return IndicatorRule.model_validate(where), rules
        for fact in self.table.facts:
            if fact.key in ("指标", "指标名称", "统计指标"):
                rule = self._labelled(fact.value.text, open_measure=False)
                return IndicatorRule.model_validate({"from": ["facts"]}), [rule]
        place, text = ("title", self.table.title) if self.table.title else ("file", self.stem)
        text = text.split("__")[0]
        return (
            IndicatorRule.model_validate({"from": [place]}),
            [self._labelled(text, open_measure=False)],
        )

    def _labelled(self, label: str, *, open_measure: bool) -> HeadRule:
        meaning = self.reader.index.read((label,), self.reader.is_unit)
        return self._entry(label, meaning, open_measure=open_measure)

    def _entry(self, label: str, meaning: HeadMeaning | None, *, open_measure: bool) -> HeadRule:
        rule = self._rule(show_path((label,)), meaning or HeadMeaning("unknown"), None)
        return rule.model_copy(update={"measure": None}) if open_measure else rule

    # --- entries ------------------------------------------------------------------------------

    def _rule(self, head: str, meaning: HeadMeaning, column: Column | None) -> HeadRule:
        unit = meaning.unit or (column.unit.text if column and column.unit else None)
        growth = "growth" in meaning.tags
        self.out.meanings[column.column if column else 0] = meaning
        if meaning.indicator_id is None:
            return self._new(head, meaning, unit)
        known = self.reader.index.indicators.get(meaning.indicator_id)
        if known is None:  # inherited from a new indicator of this table
            known = self.out.new[meaning.indicator_id]
        default = self._default(known.kind) if self.out.new.get(known.indicator_id) else None
        measure = measure_of(
            meaning.tags, meaning.period, known.kind, default or default_measure_of(known)
        )
        return HeadRule(
            head=(head,),
            indicator=meaning.indicator_id,
            measure=measure,  # type: ignore[arg-type]
            unit=unit if not growth else None,
        )

    def _default(self, kind: str) -> str:
        if kind == "stock":
            return "stock"
        return "month" if self.monthly else "ytd"

    def _new(self, head: str, meaning: HeadMeaning, unit: str | None) -> HeadRule:
        name = meaning.name or squeeze(head)
        indicator_id = new_id(name)
        growth = bool(meaning.tags & {"growth", "mom"})
        kind = _kind(name, unit, growth=growth)
        if indicator_id not in self.out.new or not growth:
            self.out.new[indicator_id] = _indicator(
                indicator_id, name, unit, kind, monthly=self.monthly
            )
        self._comment(head, meaning)
        kind = self.out.new[indicator_id].kind
        measure = measure_of(meaning.tags, meaning.period, kind, self._default(kind))
        return HeadRule(
            head=(head,),
            indicator=indicator_id,
            measure=measure,  # type: ignore[arg-type]
            unit=None if growth else unit,
        )

    def _comment(self, head: str, meaning: HeadMeaning) -> None:
        near = [s for s in meaning.suggestions[:3] if s.score >= NEAR]
        if near:
            ranked = "、".join(f"{s.indicator_id} {s.name}({s.score:.2f})" for s in near)
            line = f"新指标；如即目录中的指标请改代码：{ranked}"
            self.out.comments.setdefault(head, []).append(line)


def _distinct(columns: list[HeadRule]) -> list[HeadRule]:
    """Two heads never claim the same figure: the later one is kept as another measure."""
    taken: set[tuple[str | None, str | None]] = set()
    result: list[HeadRule] = []
    for rule in columns:
        key = (rule.indicator, rule.measure)
        if key in taken and rule.measure not in (OTHER, None):
            rule = rule.model_copy(update={"measure": OTHER, "note": "与前列口径相同，请核对"})
        taken.add(key)
        result.append(rule)
    return result


def _kind(name: str, unit: str | None, *, growth: bool) -> str:
    if growth or (unit and _RATIO_UNIT.search(unit)) or _RATIO_NAME.search(name):
        return "ratio"
    return "stock" if _STOCK_NAME.search(name) else "flow"


def _indicator(
    indicator_id: str, name: str, unit: str | None, kind: str, *, monthly: bool
) -> Indicator:
    over_time = {"stock": "last", "ratio": "last"}.get(kind, "sum" if monthly else "ytd")
    return Indicator.model_validate(
        {
            "indicator_id": indicator_id,
            "name_zh": name[:80],
            "unit": (unit or ("%" if kind == "ratio" else NO_UNIT))[:80],
            "kind": kind,
            "over_time": over_time,
            "aggregation": "none" if kind == "ratio" else "sum",
            "note": "由 parkwatch inspect 建议，口径待核",
        }
    )
