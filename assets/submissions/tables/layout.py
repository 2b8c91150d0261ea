"""Applies layouts: a parsed workbook in, cells with provenance and findings out.

Belongs here: choosing the layout that fits, who the reporter is, agreement of sender, file name and
register, figures given twice. Does not belong here: detecting tables (`structure`), what a head
means (`heads`, `plan`), reading rows (`rows`), or judging values (``quality``). Nothing is dropped:
what has no meaning yet is kept as a cell without indicator or park.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from typing import Any

from assets.submissions.reading.workbook import Sheet, Workbook
from assets.submissions.tables import notes
from assets.submissions.tables.entities import Register
from assets.submissions.tables.filetime import default_year, places
from assets.submissions.tables.heads import IndicatorIndex
from assets.submissions.tables.plan import HeadReader, TablePlan, best_plan, text_matches
from assets.submissions.tables.records import (
    CellBatch,
    CellRecord,
    Cells,
    FileState,
    ReadingContext,
)
from assets.submissions.tables.rows import read_plan, unresolved
from assets.submissions.tables.structure import DetectedTable, KnownHeads, detect_tables
from assets.submissions.tables.table_words import looks_like_unit
from assets.submissions.values.periods import ParsedPeriod, parse_period
from assets.submissions.values.symbols import Symbols, shipped_symbols
from assets.submissions.values.units import Units
from quality.finding import Finding
from warehouse.catalog.layouts import Layout, TableLayout
from warehouse.catalog.models import Indicator

LEAST_FIT = 0.3
"""Share of value columns a layout must explain before a file is read by it."""


class Reader:
    """A catalogue ready for reading: indicators, layouts, register, units, symbols.

    Build one for many files: the meanings of heads and names are remembered in it.
    """

    def __init__(
        self,
        indicators: Iterable[Indicator],
        layouts: Iterable[Layout],
        register: Register,
        units: Units,
        symbols: Callable[[str], Symbols] = shipped_symbols,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        self.layouts = sorted(
            (layout for layout in layouts if layout.status == "accepted"),
            key=lambda layout: layout.layout_id,
        )
        known = {indicator.indicator_id: indicator for indicator in indicators}
        for layout in self.layouts:
            known |= {new.indicator_id: new for new in layout.new_indicators}
        self.index = IndicatorIndex(known.values())
        self.register = register
        self.units = units
        self._is_unit: dict[str, bool] = {}
        self._known_heads = KnownHeads()
        self.symbols = symbols
        self.maturity_of = dict(sources or {})
        self._heads = {
            layout.layout_id: {
                number: HeadReader(rule, self.index, self.is_unit)
                for number, rule in enumerate(layout.tables)
            }
            for layout in self.layouts
        }

    def is_unit(self, text: str) -> bool:
        """Whether a text is a unit: registered, or looking like one."""
        known = self._is_unit.get(text)
        if known is None:
            found = self.units.resolve(text) is not None or looks_like_unit(text)
            known = self._is_unit[text] = found
        return known

    def heads(self, layout: Layout) -> Mapping[int, HeadReader]:
        """Head readers of a layout's tables, by their place."""
        return self._heads[layout.layout_id]

    def read(self, workbook: Workbook, context: ReadingContext) -> CellBatch:
        """Read one workbook. Never raises on content; what is wrong becomes a finding."""
        state = FileState(context)
        sheets = {sheet.name: sheet for sheet in workbook.sheets}
        tables = [
            table
            for sheet in workbook.sheets
            for table in detect_tables(sheet, self.is_unit, self._known_heads)
        ]
        if not tables:
            state.findings.append(notes.no_table(workbook))
            return CellBatch(Cells(), state.findings, reporter=self._sender(state, []))
        state.reporter = self._sender(state, tables)
        chosen = self._choose(tables, sheets, state)
        cells = Cells()
        for table in tables:
            sheet = sheets[table.sheet]
            plan = chosen.plans.get(id(table)) if chosen else None
            if plan is not None and chosen is not None:
                cells.extend(read_plan(self, chosen.layout, plan, sheet, state))
            elif chosen is None or not _ignored_sheet(chosen.layout, table.sheet):
                cells.extend(unresolved(table, sheet, self.symbols("default")))
                if chosen is not None:
                    state.findings.append(notes.unread_table(table, chosen.layout.title))
        return self._batch(cells, chosen, tables, state)

    # --- choosing ------------------------------------------------------------------------------

    def _choose(
        self, tables: Sequence[DetectedTable], sheets: Mapping[str, Sheet], state: FileState
    ) -> Chosen | None:
        """The accepted layout that explains most value columns; sources of the sender first."""
        best: Chosen | None = None
        nearest: Chosen | None = None
        for layout in self.layouts:
            if not _file_fits(layout, state.context.file_name):
                continue
            chosen = self._fit(layout, tables, sheets, state)
            if nearest is None or chosen.score > nearest.score:
                nearest = chosen
            if chosen.fit >= LEAST_FIT and (best is None or chosen.score > best.score):
                best = chosen
        if best is None:
            meanings = {id(t): self._meanings(t) for t in tables}
            state.findings.append(
                notes.no_layout(tables, meanings, nearest.layout.title if nearest else None)
            )
        return best

    def _fit(
        self,
        layout: Layout,
        tables: Sequence[DetectedTable],
        sheets: Mapping[str, Sheet],
        state: FileState,
    ) -> Chosen:
        plans: dict[int, TablePlan] = {}
        explained = total = 0.0
        lacking = 0
        found: set[int] = set()
        for table in tables:
            if _ignored_sheet(layout, table.sheet):
                continue
            plan = best_plan(
                table,
                layout.tables,
                self.heads(layout),
                sheets[table.sheet],
                state.context.file_name,
            )
            weight = max(1, sum(c.kind == "value" for c in table.columns))
            total += weight
            if plan is None:
                continue
            plans[id(table)] = plan
            lacking += plan.lacking
            explained += weight * plan.fit
            found.add(layout.tables.index(plan.rule))
        missing = [
            rule for n, rule in enumerate(layout.tables) if n not in found and not rule.optional
        ]
        fit = explained / total if total else 0.0
        bonus = 0.2 * (self._source_of(state) in layout.source)
        bonus += 0.1 * layout.covers(self._stated(tables, state)) - 0.05 * len(missing)
        bonus -= min(0.2, 0.01 * lacking)
        return Chosen(layout, plans, fit, fit + bonus if fit else 0.0, missing)

    def _source_of(self, state: FileState) -> str | None:
        if state.context.source_id:
            return state.context.source_id
        if state.reporter is None:
            return None
        reporter = self.register.reporter(state.reporter)
        return getattr(reporter, "source_id", None) or None

    def _stated(self, tables: Sequence[DetectedTable], state: FileState) -> str | None:
        """The period the file states anywhere, for validity of layouts only."""
        if state.context.period:
            return state.context.period
        if state.period is None:
            for table in tables[:3]:
                for _, text in places(table, ("title", "facts", "file", "sheet"), state):
                    reading = parse_period(text, default_year=default_year(table, state))
                    if isinstance(reading, ParsedPeriod):
                        state.period = reading.period
                        return state.period
        return state.period

    def _meanings(self, table: DetectedTable) -> list[Any]:
        return [
            (column, self.index.read(column.path, self.is_unit))
            for column in table.columns
            if column.path and column.kind in ("value", "blank")
        ]

    # --- who and when ----------------------------------------------------------------------------

    def _sender(self, state: FileState, tables: Sequence[DetectedTable]) -> str | None:
        """The reporter: the sender, else the only one the file name or a title names.

        The sender decides; a file name or 填报单位 that names another reporter is a finding.
        """
        register, context = self.register, state.context
        sender = self._known_sender(context.sender)
        in_name = register.reporters_named(PurePath(context.file_name).stem)
        facts = [f.value.text for t in tables for f in t.facts if "单位" in f.key]
        titles = [t.title for t in tables]
        in_file = register.reporters_named(" ".join(facts)) or register.reporters_named(
            " ".join(titles)
        )
        for place, named in (("文件名", in_name), ("表内填报单位或标题", in_file)):
            if sender and named and sender not in named:
                state.findings.append(notes.reporter_mismatch(register, sender, named, place))
        if sender:
            return sender
        for named in (in_name, in_file):
            if len(named) == 1:
                return named[0]
        return context.sender

    def _known_sender(self, sender: str | None) -> str | None:
        if not sender:
            return None
        if self.register.reporter(sender) is not None:
            return sender
        named = self.register.reporters_named(sender)
        return named[0] if len(named) == 1 else None

    def _batch(
        self,
        cells: Cells,
        chosen: Chosen | None,
        tables: Sequence[DetectedTable],
        state: FileState,
    ) -> CellBatch:
        if chosen is not None:
            for rule in chosen.missing:
                state.findings.append(notes.missing_table(rule, chosen.layout.title))
        state.findings += mark_duplicates(cells)
        named = zip(cells.period, cells.indicator_id, strict=True)
        periods = {period for period, indicator_id in set(named) if period and indicator_id}
        stated = state.period or self._stated(tables, state)
        period = state.context.period or (max(periods) if periods else stated)
        return CellBatch(
            cells,
            state.findings,
            source_id=chosen.layout.source[0] if chosen else self._source_of(state),
            reporter=state.reporter,
            period=period,
            layout_id=chosen.layout.layout_id if chosen else None,
        )


@dataclass(slots=True)
class Chosen:
    """A layout seen against a workbook: plan per table (by identity), and how much it explains."""

    layout: Layout
    plans: dict[int, TablePlan]
    fit: float
    score: float
    missing: list[TableLayout]


_LAST: list[tuple[Any, Reader]] = []


def reader_for(catalog: Any) -> Reader:
    """The `Reader` of a loaded catalogue; the last one is kept, so one catalogue builds it once."""
    if not _LAST or _LAST[0][0] is not catalog:
        _LAST[:] = [(catalog, build_reader(catalog))]
    return _LAST[0][1]


def build_reader(catalog: Any) -> Reader:
    """A `Reader` from a `warehouse.catalog.load.Catalog`."""
    units = Units.from_mapping(catalog.units_mapping())
    styles = catalog.symbols_mapping()

    @cache
    def symbols(style: str) -> Symbols:
        return Symbols.from_mapping(styles, style, units.words())

    return Reader(
        catalog.indicators,
        catalog.layouts,
        Register(catalog.parks, catalog.reporters, catalog.regions),
        units,
        symbols,
        {source.source_id: source.maturity for source in catalog.sources},
    )


def _file_fits(layout: Layout, file_name: str) -> bool:
    return not layout.file_names or text_matches(layout.file_names, PurePath(file_name).name)


def _ignored_sheet(layout: Layout, sheet: str) -> bool:
    return any(text_matches(item.sheet, sheet) for item in layout.ignore_sheets)


# --- the same figure twice ------------------------------------------------------------------------


def mark_duplicates(cells: Cells) -> list[Finding]:
    """Mark repeated figures. Equal ones count once (the first); different ones are an error.

    A blank never contradicts a value. Cells that contradict each other keep their values; the
    findings on their addresses keep them out of the observations.
    """
    keys = list(zip(cells.park_id, cells.indicator_id, cells.period, cells.measure, strict=True))
    if len(set(keys)) == len(keys):
        return []
    first: dict[tuple[str | None, ...], int] = {}
    findings: list[Finding] = []
    for place, key in enumerate(keys):
        if None in key or cells.role[place] != "data":
            continue
        before = first.setdefault(key, place)
        if before == place:
            continue
        one, two = cells[before], cells[place]
        if (one.value, one.state) == (two.value, two.state) or not two.raw_text.strip():
            cells.role[place] = "duplicate"
        elif not one.raw_text.strip():
            cells.role[before] = "duplicate"
            first[key] = place
        else:
            findings += notes.duplicate(one, two)
    return findings


__all__ = [
    "CellBatch",
    "CellRecord",
    "Reader",
    "ReadingContext",
    "reader_for",
]
