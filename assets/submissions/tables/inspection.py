"""What `parkwatch inspect` shows: each detected table as plain text, and what reading it finds.

Belongs here: turning drafts into labelled texts for a terminal. Does not belong here: colours and
printing (``pipelines.cli``), or guessing (`proposal`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.submissions.reading.workbook import Workbook, address
from assets.submissions.tables.grid import show
from assets.submissions.tables.heads import HeadMeaning
from assets.submissions.tables.proposal import Proposal, TableDraft, propose_layout
from assets.submissions.tables.records import CellBatch, ReadingContext

if TYPE_CHECKING:
    from assets.submissions.tables.layout import Reader


@dataclass(frozen=True, slots=True)
class Inspection:
    """A workbook looked at: its tables, the layout proposed, and how accepted layouts read it."""

    tables: tuple[TableView, ...]
    proposal: Proposal
    batch: CellBatch


def inspect_workbook(workbook: Workbook, reader: Reader, file_name: str) -> Inspection:
    """Everything a person needs to accept or mend a layout for a file."""
    proposal = propose_layout(workbook, reader, file_name)
    tables = tuple(view(draft, reader) for draft in proposal.drafts)
    return Inspection(tables, proposal, reader.read(workbook, ReadingContext(file_name)))


SHAPE_ZH = {
    "wide": "宽表（指标在列头）",
    "transposed": "转置（单位在列头）",
    "series": "时间序列（报告期在列头）",
    "long": "长表（一行一数）",
}


@dataclass(frozen=True, slots=True)
class TableView:
    """One detected table for the terminal: plain rows of text, nothing to compute."""

    title: str
    facts: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str, str, str, str], ...]
    """Address, head, kind, unit, meaning or suggestions."""


def view(draft: TableDraft, reader: Reader) -> TableView:
    """What `parkwatch inspect` prints of a table."""
    table = draft.table
    top, left, bottom, right = table.area
    shape = SHAPE_ZH.get(draft.rule.shape if draft.rule else table.orientation, "")
    counts = _counts(row.kind for row in table.rows)
    facts = [
        ("范围", f"{address(top, left)}:{address(bottom, right)}"),
        ("形状", shape or draft.reason),
        ("标题", table.title),
        ("表头行", "、".join(map(str, table.head_rows)) or "无"),
        ("单位", table.unit_line.text if table.unit_line else ""),
        ("报告期", _period_text(draft)),
        ("行", counts),
        ("表注", f"{len(table.footnotes)}条" if table.footnotes else ""),
    ]
    facts += [(fact.key, fact.value.text[:60]) for fact in table.facts[:8]]
    kinds = {
        "value": "数值",
        "text": "文字",
        "period": "时间",
        "serial": "序号",
        "flag": "标记",
        "blank": "空列",
    }
    columns = [
        (
            address(column.row or top, column.column),
            column.head,
            kinds[column.kind],
            column.unit.text if column.unit else "",
            _meaning_text(draft.meanings.get(column.column), reader),
        )
        for column in table.columns
    ]
    return TableView(f"工作表“{table.sheet}”", tuple((k, v) for k, v in facts if v), tuple(columns))


def _counts(kinds: Iterable[str]) -> str:
    names = {
        "data": "数据",
        "total": "合计",
        "of_which": "其中",
        "section": "分段",
        "note": "表注",
        "repeat_head": "重复表头",
    }
    counted: dict[str, int] = {}
    for kind in kinds:
        counted[kind] = counted.get(kind, 0) + 1
    return "、".join(f"{names[kind]}{number}行" for kind, number in counted.items())


def _period_text(draft: TableDraft) -> str:
    rule = draft.rule
    if rule is None:
        return ""
    if rule.period.across:
        heads = [show(c.period_head) for c in draft.table.columns if c.period_head is not None]
        return f"列头：{heads[0]} … {heads[-1]}" if heads else "列头"
    if rule.period.places:
        return "取自 " + "、".join(rule.period.places)
    return "取自列 " + "、".join((*rule.period.head, *rule.period.year, *rule.period.month))


def _meaning_text(meaning: HeadMeaning | None, reader: Reader) -> str:
    if meaning is None:
        return ""
    known = reader.index.indicators.get(meaning.indicator_id or "")
    if known is not None:
        return f"{known.indicator_id} {known.name_zh}"
    return (
        "新指标；相近："
        + "、".join(f"{s.indicator_id} {s.name}({s.score:.2f})" for s in meaning.suggestions[:3])
        if meaning.suggestions
        else "新指标"
    )


def describe_workbook(inspection: Inspection) -> str:
    """The inspection as plain text: tables with their columns, then what accepted layouts say."""
    lines: list[str] = []
    for table in inspection.tables:
        lines.append(table.title)
        lines += [f"  {_padded(name, 8)}{text}" for name, text in table.facts]
        rows = [("位置", "表头", "内容", "单位", "指标"), *table.columns]
        widths = [max(_width(row[k]) for row in rows) + 2 for k in range(5)]
        lines += ["  " + "".join(map(_padded, row, widths)).rstrip() for row in rows]
        lines.append("")
    batch = inspection.batch
    if batch.layout_id is not None:
        lines.append(f"已确认的版式“{batch.layout_id}”可读该文件：{len(batch.cells)}个数值")
    counted: dict[str, int] = {}
    for finding in batch.findings:
        counted[finding.message] = counted.get(finding.message, 0) + 1
    lines += [f"  {message}" for message in list(counted)[:20]]
    return "\n".join(lines).rstrip() + "\n"


def _width(text: str) -> int:
    """Columns a text takes on a terminal: East Asian wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _padded(text: str, width: int) -> str:
    plain = " ".join(text.split())
    return plain + " " * max(1, width - _width(plain))
