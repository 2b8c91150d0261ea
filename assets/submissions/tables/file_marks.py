"""Marks around the tables of a file: statutory marks, signatures, hidden parts, region codes.

Belongs here: finding them as (mark, text, sheet, address). Does not belong here: whether a mark must
be there or is right (rules of the catalogue).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assets.submissions.reading.workbook import CellValue, Sheet, Workbook, address
from assets.submissions.tables.grid import squeeze

HIDDEN, REGION_CODE = "隐藏", "行政区划代码"
_LABELS = {
    "表号": r"表号",
    "制定机关": r"制定机关|制表机关",
    "批准文号": r"批准(?:或备案)?文号|备案文号|批准机关及文号|文号",
    "有效期至": r"有效期至?",
    "单位负责人": r"单位负责人",
    "统计负责人": r"统计负责人",
    "填表人": r"填表人|填报人|制表人",
    "报出日期": r"报出日期|填报日期|报送日期",
}
_MARK = re.compile("|".join(f"(?P<m{n}>{words})" for n, words in enumerate(_LABELS.values())) + r"")
_NAMES = tuple(_LABELS)
_CODE_HEAD = re.compile(r"行政区划代码|区划代码|行政代码")
_CODE = re.compile(r"\d{6}")
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class FileMark:
    """One mark: which, its text, where."""

    mark: str
    text: str
    sheet: str
    address: str


def file_marks(workbook: Workbook) -> list[FileMark]:
    """Every mark of a file in sheet order; a mark without anything behind its colon is none."""
    found: list[FileMark] = []
    for sheet in workbook.sheets:
        found += _labelled(sheet)
        found += _hidden(sheet)
        found += _region_codes(sheet)
    return found


def _labelled(sheet: Sheet) -> Iterator[FileMark]:
    for row, values in enumerate(sheet.rows, start=1):
        for column, value in enumerate(values, start=1):
            if type(value) is str and len(value) <= _MAX_TEXT and ("：" in value or ":" in value):
                yield from _marks_in(value, _next(values, column), sheet.name, row, column)


def _next(values: list[CellValue], column: int) -> str:
    value = values[column] if column < len(values) else None
    return "" if value is None else str(value)


def _marks_in(text: str, behind: str, sheet: str, row: int, column: int) -> Iterator[FileMark]:
    """Marks of one text such as ``单位负责人：甲  填表人：乙``; the last may stand in the next cell."""
    plain = squeeze(text).replace("：", ":")
    starts = [
        match for match in _MARK.finditer(plain) if plain[match.end() : match.end() + 1] == ":"
    ]
    for place, match in enumerate(starts):
        following = starts[place + 1] if place + 1 < len(starts) else None
        value = plain[match.end() + 1 : following.start() if following else None]
        value = value or ("" if following else behind.strip())
        if value:
            name = _NAMES[int(str(match.lastgroup)[1:])]
            yield FileMark(name, value[:80], sheet, address(row, column))


def _hidden(sheet: Sheet) -> Iterator[FileMark]:
    if not sheet.visible and any(_is_number(v) for row in sheet.rows for v in row):
        yield FileMark(HIDDEN, f"工作表“{sheet.name}”是隐藏的", sheet.name, "A1")
    for row in sorted(sheet.hidden_rows):
        if row <= len(sheet.rows) and any(_is_number(value) for value in sheet.rows[row - 1]):
            yield FileMark(HIDDEN, f"第{row}行是隐藏的", sheet.name, address(row, 1))
    for column in sorted(sheet.hidden_columns):
        if any(_is_number(sheet.at(row, column)) for row in range(1, len(sheet.rows) + 1)):
            letters = address(1, column)[:-1]
            yield FileMark(HIDDEN, f"{letters}列是隐藏的", sheet.name, f"{letters}1")


def _is_number(value: CellValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _region_codes(sheet: Sheet) -> Iterator[FileMark]:
    """Six-digit codes below a head that calls them region codes."""
    for row, values in enumerate(sheet.rows, start=1):
        for column, value in enumerate(values, start=1):
            if type(value) is str and _CODE_HEAD.fullmatch(squeeze(value)):
                yield from _codes_below(sheet, row, column)


def _codes_below(sheet: Sheet, row: int, column: int) -> Iterator[FileMark]:
    for below in range(row + 1, len(sheet.rows) + 1):
        value = sheet.at(below, column)
        text = str(int(value)) if isinstance(value, float) else squeeze(str(value or ""))
        if _CODE.fullmatch(text):
            yield FileMark(REGION_CODE, text, sheet.name, address(below, column))
