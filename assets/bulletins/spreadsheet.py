"""Spreadsheet (附表): the document model's tables as an Excel workbook.

Belongs here: sheets, number formats, page set-up. Does not belong here: any text or number of its
own; a cell holds what the table prints, numbers as numbers. No formula is written and no text is ever
taken for one.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from assets.bulletins.figures import MISSING, Figure
from assets.bulletins.model import Badge, Bar, Bulletin, FigureSpan, Spans, Table, plain

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

SHEET_NAME = 31
"""Longest sheet name Excel takes."""
SHEET_WIDTH = 128
"""Characters side by side on landscape A4 at the sheet's size of type."""
LEAST_WIDTH = 7.5
"""Narrowest column, in characters: a number with its decimals."""
FONT = "宋体"
HEAD, FIRST_ROW = 3, 4
"""Rows (from 0) of the table's head and of its first line; above them caption and unit note."""

_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
_TONES: Mapping[str, str] = {
    "green": "#E3F1E7",
    "yellow": "#FFF0C9",
    "orange": "#FDE5D3",
    "red": "#FBE1E0",
    "grey": "#ECEFF2",
    "info": "#E4EDF6",
}


def to_xlsx(bulletin: Bulletin) -> bytes:
    """The workbook's bytes: a sheet 说明, then one a table. Same document → same bytes."""
    import xlsxwriter

    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        meta = bulletin.meta
        book.set_properties(
            {
                "title": bulletin.title_text,
                "author": meta.bureau,
                "created": datetime.combine(meta.issue_date, time()),
                "comments": "模拟数据，非真实统计结果" if meta.simulated else "",
            }
        )
        book.set_size(1800, 1200)
        styles = _Styles(book)
        _notes(book.add_worksheet("说明"), bulletin, styles)
        names: set[str] = {"说明"}
        for where, table in _tables(bulletin):
            sheet = book.add_worksheet(_sheet_name(where, table, names))
            _table(sheet, bulletin, table, styles)
    return buffer.getvalue()


class _Styles:
    """Cell formats, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}

    def __call__(self, **wanted: Any) -> Format:
        key = tuple(sorted(wanted.items()))
        if key not in self._made:
            base = {"font_name": FONT, "font_size": 10.5, "valign": "vcenter"}
            self._made[key] = self._book.add_format(base | wanted)
        return self._made[key]


def _tables(bulletin: Bulletin) -> Iterator[tuple[str, Table]]:
    for block in bulletin.body:
        if isinstance(block, Table):
            yield f"表{block.number}", block
    for annex in bulletin.annexes:
        for block in annex.blocks:
            if isinstance(block, Table):
                yield f"附件{annex.number}表{block.number}", block


def _sheet_name(where: str, table: Table, taken: set[str]) -> str:
    text = _FORBIDDEN.sub("", f"{where} {plain(table.caption)}").strip()[:SHEET_NAME]
    name, number = text, 2
    while name.lower() in taken:
        name = f"{text[: SHEET_NAME - 3]}({number})"
        number += 1
    taken.add(name.lower())
    return name


def _notes(sheet: Worksheet, bulletin: Bulletin, styles: _Styles) -> None:
    """What the workbook is, what it covers and what it rests on."""
    meta = bulletin.meta
    lines = [
        ("标题", bulletin.title_text),
        ("发布单位", meta.bureau),
        ("报告期", meta.period_words),
        ("发布对象", meta.audience),
        ("数据截至", meta.as_of_words),
        ("版次", f"第{meta.edition}版{'（更正）' if meta.replaces else ''}"),
        ("状态", "，".join(filter(None, (meta.status_mark, meta.handling)))),
        ("数据摘要", meta.data_digest),
        ("规则摘要", meta.rules_digest),
        (
            "读法",
            f"“{MISSING}”表示没有数据，不是零；单元格中的数字即通报正文印出的数字，按四舍五入。",
        ),
    ]
    if meta.simulated:
        lines.insert(0, ("注意", "模拟数据，非真实统计结果"))
    sheet.set_column(0, 0, 12)
    sheet.set_column(1, 1, 90)
    for row, (label, text) in enumerate(lines):
        sheet.write_string(row, 0, label, styles(bold=True))
        alert = {"font_color": "#A8181B", "bold": True} if label == "注意" else {}
        sheet.write_string(row, 1, text, styles(text_wrap=True, **alert))
    _page(sheet, landscape=False)


def _table(sheet: Worksheet, bulletin: Bulletin, table: Table, styles: _Styles) -> None:
    last = len(table.columns) - 1
    figures = {figure.figure_id: figure for figure in bulletin.figures}
    mark = (
        "（模拟数据）" if bulletin.meta.simulated and "模拟数据" not in plain(table.caption) else ""
    )
    title = styles(bold=True, font_size=14, align="center")
    _across(sheet, 0, last, plain(table.caption) + mark, title)
    _across(sheet, 1, last, bulletin.meta.period_words, styles(align="center"))
    _across(sheet, 2, last, plain(table.unit_note), styles(align="right", italic=True))
    head = styles(bold=True, align="center", text_wrap=True, border=1, bg_color="#E4EDF6")
    whole = sum(column.width for column in table.columns)
    for place, column in enumerate(table.columns):
        width = max(LEAST_WIDTH, SHEET_WIDTH * column.width / whole)
        sheet.set_column(place, place, round(width, 1))
        sheet.write_string(HEAD, place, plain(column.spans), head)
    for number, row in enumerate(table.rows, start=FIRST_ROW):
        if row.group:
            _across(sheet, number, last, plain(row.cells[0]), styles(bold=True, border=1))
            continue
        for place, (cell, column) in enumerate(zip(row.cells, table.columns, strict=True)):
            _cell(sheet, (number, place), cell, column.align, figures, styles)
    bottom = HEAD + len(table.rows)
    sheet.freeze_panes(FIRST_ROW, next((i + 1 for i, c in enumerate(table.columns) if c.head), 0))
    sheet.repeat_rows(HEAD)
    if not any(row.group for row in table.rows) and bottom > HEAD:
        sheet.autofilter(HEAD, 0, bottom, last)
    _page(sheet, landscape=True)


def _across(sheet: Worksheet, row: int, last: int, text: str, style: Format) -> None:
    if last > 0:
        sheet.merge_range(row, 0, row, last, "", style)
    sheet.write_string(row, 0, text, style)


def _cell(
    sheet: Worksheet,
    place: tuple[int, int],
    spans: Spans,
    align: str,
    figures: Mapping[str, Figure],
    styles: _Styles,
) -> None:
    """A number where the cell prints one number and nothing else, else its text."""
    tone = next((span.tone for span in spans if isinstance(span, Badge)), None)
    look: dict[str, Any] = {"border": 1, "align": align, "text_wrap": True}
    if tone:
        look["bg_color"] = _TONES[tone]
    number = _number(spans, figures)
    if number is None:
        sheet.write_string(*place, plain(spans), styles(**look))
        return
    places = max(-int(number.as_tuple().exponent), 0)
    pattern = "0" + ("." + "0" * places if places else "")
    look |= {"num_format": pattern, "font_name": "Times New Roman"}
    sheet.write_number(*place, float(number), styles(**look))


def _number(spans: Spans, figures: Mapping[str, Figure]) -> Decimal | None:
    """The printed number when the cell is exactly one figure without words."""
    shown = [span for span in spans if not isinstance(span, Bar)]
    if len(shown) != 1 or not isinstance(shown[0], FigureSpan) or shown[0].unit:
        return None
    figure = figures[shown[0].figure_id]
    text = shown[0].text
    return (
        Decimal(text) if figure.value is not None and re.fullmatch(r"-?\d+(\.\d+)?", text) else None
    )


def _page(sheet: Worksheet, *, landscape: bool) -> None:
    sheet.set_paper(9)  # A4
    if landscape:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.6, right=0.6, top=0.7, bottom=0.7)
    sheet.set_footer("&C第&P页 共&N页")
    sheet.hide_gridlines(1)
