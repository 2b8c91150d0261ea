"""State of reading one table, and the register's answer for a name in it.

Belongs here: what row reading and column planning share: the file, the layout, findings told once,
texts of dimension cells. Does not belong here: the columns (`targets`) or the rows (`rows`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assets.submissions.reading.workbook import CellValue, Sheet
from assets.submissions.tables import notes
from assets.submissions.tables.filetime import table_period
from assets.submissions.tables.grid import show
from assets.submissions.tables.plan import TablePlan, text_matches
from assets.submissions.tables.records import FileState
from assets.submissions.tables.structure import DetectedTable
from assets.submissions.tables.table_words import row_role
from assets.submissions.values.symbols import Symbols
from quality.finding import Finding
from warehouse.catalog.layouts import Layout, RowRules

if TYPE_CHECKING:
    from assets.submissions.tables.layout import Reader

_OF_WHICH = re.compile(r"^(?:其\s*中|[#＃])[:：、,，\s]*")

EntityFound = tuple[str | None, str, str]
"""Park id, name as written, role of the row or column."""


@dataclass(slots=True)
class TableReading:
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
    tall_rows: set[int] = field(default_factory=set)
    heard: list[tuple[Finding, str | None]] | None = None
    """Everything told while this is a list, to be told again where the same heads come again."""

    @property
    def table(self) -> DetectedTable:
        """The detected table that is read."""
        return self.plan.table

    def tell(self, finding: Finding, key: str | None = None) -> None:
        """Note a finding; with a key only once per table."""
        if self.heard is not None:
            self.heard.append((finding, key))
        if key is not None:
            if (finding.rule_id, key) in self.said:
                return
            self.said.add((finding.rule_id, key))
        self.state.findings.append(finding)


def prepare(reading: TableReading) -> None:
    """Fix the table's period and remember which dimension cells are merged."""
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
        if bottom > top or (right > left and left not in columns):
            reading.tall[(top, left)] = bottom - top + 1
            reading.tall_rows.add(top)


def cell_text(reading: TableReading, row: int, column: int) -> str:
    """Text of a dimension cell, merged areas filled."""
    if not column:
        return ""
    value = reading.sheet.at(row, column)
    if value is None:
        value = reading.merged.get(column, {}).get(row)
    return show(value)


def entity(
    reading: TableReading, name: str, at: str, period: str | None, region: str | None
) -> EntityFound:
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
        reading.tell(notes.outside_scope(reading.table.sheet, at, name, match.park_id, who), name)
        return None, name, "data"
    return match.park_id, name, "data"


def _role(rules: RowRules, name: str) -> str:
    for role in ("data", "total", "of_which"):
        if text_matches(getattr(rules, role), name):
            return role
    return row_role(name)
