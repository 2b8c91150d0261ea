"""Tables of an HTML page saved as .xls, the export of many older reporting systems.

Belongs here: page encoding, tables to sheets, spans to merged ranges, hidden rows and cells.
Does not belong here: layout, scripts (dropped, reported), links (never followed), styles.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assets.submissions.reading.formats.facts import Budget, SheetFacts
from assets.submissions.reading.limits import MIB, Limits
from assets.submissions.reading.rejections import refuse
from assets.submissions.reading.textfile import decode
from assets.submissions.reading.workbook import CellValue, Notice

if TYPE_CHECKING:
    from lxml.etree import _Element

SheetRows = tuple[SheetFacts, list[list[CellValue]]]

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.IGNORECASE)
_SUPPORTED = ("utf8", "utf-8", "gb2312", "gbk", "gb18030", "gb_2312-80", "hz-gb-2312", "x-gbk")
_SPACES = re.compile(r"[ \t\r\n\f]+")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_DROPPED = ("script", "style", "noscript", "template", "head")
_MAX_COLUMN_SPAN, _MAX_ROW_SPAN = 1_000, 65_534  # HTML standard, 4.9.11


def read_html(data: bytes, limits: Limits) -> tuple[list[SheetRows], list[Notice]]:
    """Every table with text as a sheet (表1, 表2 …), in page order. Raises ``Refused``."""
    from lxml import etree

    if len(data) > limits.text_bytes:
        limit = limits.text_bytes // MIB
        raise refuse("text_too_large", f"{len(data) / MIB:,.0f} MB", limit)
    page = _decode_page(data)
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, recover=True)
    root = etree.fromstring(page.encode("utf-8"), parser)
    if root is None:
        raise refuse("no_table", "空白网页")
    budget = Budget(limits)
    sheets: list[SheetRows] = []
    for table in root.iter("table"):
        sheet = SheetFacts(f"表{len(sheets) + 1}")
        rows = _Grid(sheet, budget).read(table)
        if rows:
            budget.close_sheet(sheet)
            sheets.append((sheet, rows))
        if len(sheets) > limits.sheets:
            raise refuse("too_many_sheets", f"超过 {limits.sheets} 个表格", limits.sheets)
    if not sheets:
        raise refuse("no_table", "网页中没有含文字的表格")
    notices = []
    if next(root.iter("script"), None) is not None:
        notices.append(Notice("html_script", "网页表格中含有脚本，未执行"))
    return sheets, notices


def _decode_page(data: bytes) -> str:
    """Strict decoding; a declared encoding other than UTF-8 or the GB family is only refused when
    the bytes are not UTF-8 (then GB18030 could turn them into other characters)."""
    decoded = decode(data)
    declared = _CHARSET.search(data[:8192])
    if decoded.encoding == "gb18030" and declared is not None:
        name = declared[1].decode("ascii").lower()
        if name not in _SUPPORTED:
            raise refuse("encoding_declared", f"声明的编码为 {name}")
    return decoded.text


class _Grid:
    """Places the cells of one table, spans included, on a grid of rows and columns."""

    def __init__(self, sheet: SheetFacts, budget: Budget) -> None:
        self.sheet = sheet
        self.budget = budget
        self.rows: list[list[CellValue]] = []
        self.busy: dict[int, int] = {}  # column → last row a span from above still covers

    def read(self, table: _Element) -> list[list[CellValue]]:
        """Rows of a table without the tables inside it; empty when it has no text of its own."""
        for element in _own(table, ("tr",)):
            self._row(element)
        while self.rows and not self.rows[-1]:
            self.rows.pop()
        self.sheet.rows = len(self.rows)
        return self.rows

    def _row(self, element: _Element) -> None:
        number = len(self.rows) + 1
        values: list[CellValue] = []
        self.rows.append(values)
        if _HIDDEN.search(element.get("style", "")):
            self.sheet.hidden_rows.append((number, number))
        column = 1
        for cell in _own(element, ("td", "th")):
            while self.busy.get(column, 0) >= number:
                column += 1
            value = _cell_value(cell)
            across = _span(cell, "colspan", _MAX_COLUMN_SPAN)
            down = _span(cell, "rowspan", _MAX_ROW_SPAN)
            self._count()
            if (across, down) != (1, 1):
                self.sheet.merged.append((number, column, number + down - 1, column + across - 1))
                for covered in range(column, column + across):
                    self.busy[covered] = number + down - 1
            if value is not None:
                values += [None] * (column - 1 - len(values)) + [value]
                self.sheet.reach(number, column)
            column += across

    def _count(self) -> None:
        self.sheet.cells += 1
        if self.sheet.cells > self.budget.room:
            raise self.budget.overflow(self.sheet)
        if len(self.rows) * self.sheet.columns > self.budget.limits.box:
            self.sheet.rows = len(self.rows)
            self.budget.close_sheet(self.sheet)


def _own(parent: _Element, tags: tuple[str, ...]) -> list[_Element]:
    """Elements of the tags below a parent, not entering cells' or rows' inner tables."""
    found = []
    todo = list(reversed(parent))
    while todo:
        element = todo.pop()
        if element.tag in tags:
            found.append(element)
        elif element.tag != "table":
            todo += reversed(element)
    return found


def _span(cell: _Element, name: str, most: int) -> int:
    text = cell.get(name, "1").strip()
    return (
        max(1, min(int(text), most)) if text.isascii() and text.isdigit() and len(text) < 10 else 1
    )


def _cell_value(cell: _Element) -> CellValue:
    """Text as a browser shows it, or the exact number Excel keeps in ``x:num``."""
    exact = cell.get("x:num") or cell.get("num") or ""
    if _NUMBER.fullmatch(exact):
        return float(exact)
    if _HIDDEN.search(cell.get("style", "")):
        return None
    pieces: list[str] = []
    _gather(cell, pieces)
    lines = [_SPACES.sub(" ", line).strip(" ") for line in "".join(pieces).split("\0")]
    text = "\n".join(lines).strip("\n\xa0 ")
    return text or None


def _gather(cell: _Element, pieces: list[str]) -> None:
    """Text below a cell in document order; ``NUL`` stands for a line break."""
    todo: list[_Element | str] = [*_children(cell)]
    todo.reverse()
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            pieces.append(item)
        elif item.tag == "br":
            pieces.append("\0")
        elif isinstance(item.tag, str) and item.tag not in _DROPPED and item.tag != "table":
            if item.tag in ("p", "div") and pieces and pieces[-1] != "\0":
                pieces.append("\0")
            if not _HIDDEN.search(item.get("style", "")):
                todo += reversed(_children(item))


def _children(element: _Element) -> list[_Element | str]:
    items: list[_Element | str] = [element.text] if element.text else []
    for child in element:
        items.append(child)
        if child.tail:
            items.append(child.tail)
    return items
