"""Streaming look at the binary records of an .xlsb ([MS-XLSB]): facts, no values.

Belongs here: sheet list, areas, hidden rows and columns, merges, error cells of BIFF12 parts.
Does not belong here: the zip container and relationships (zip_directory, scan_xlsx), values.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from assets.submissions.reading.formats.facts import Budget, SheetFacts
from assets.submissions.reading.formats.number_formats import Shown, noted_by, own_percents
from assets.submissions.reading.formats.scan_xls import ERROR_CODES
from assets.submissions.reading.formats.scan_xlsx import WorkbookPart
from assets.submissions.reading.rejections import refuse

_ROW, _BLANK, _ERROR, _FORMULA_ERROR, _RICH_TEXT = 0, 1, 3, 11, 62
_VALUES = (*range(2, 12), _RICH_TEXT)
_FORMULAS = range(8, 12)
_COLUMN, _MERGE, _BUNDLE_SHEET = 60, 176, 156
_FORMAT, _XF, _CELL_STYLES, _END_CELL_STYLES = 44, 47, 617, 618
_NUMBERS = (2, 5, 9)  # short number, number, formula with a number
_STATES = ("visible", "hidden", "veryHidden")


def read_workbook_part(content: bytes) -> WorkbookPart:
    """Sheet list of ``xl/workbook.bin``."""
    sheets: list[tuple[str, str, str]] = []
    for kind, body, length in _records(content, "xl/workbook.bin"):
        if kind == _BUNDLE_SHEET and length >= 12:
            (state,) = struct.unpack_from("<I", content, body)
            relation, place = _wide_string(content, body + 8)
            name, _ = _wide_string(content, place)
            sheets.append((name, relation, _STATES[state % 3]))
    return WorkbookPart(sheets, full_calculation=False)


def departing_styles(content: bytes) -> dict[int, Shown]:
    """Cell styles of ``xl/styles.bin`` whose format shows another number than the cell holds."""
    codes = own_percents()
    styles: dict[int, Shown] = {}
    count, among_cells = 0, False
    for kind, body, length in _records(content, "xl/styles.bin"):
        if kind == _FORMAT and length > 6:
            shown = noted_by(_wide_string(content, body + 2)[0])
            if shown is not None:
                codes[struct.unpack_from("<H", content, body)[0]] = shown
        elif kind in (_CELL_STYLES, _END_CELL_STYLES):
            among_cells = kind == _CELL_STYLES
        elif kind == _XF and among_cells and length >= 4:
            shown = codes.get(struct.unpack_from("<2H", content, body)[1])
            if shown is not None:
                styles[count] = shown
            count += 1
    return styles


def scan_sheet(
    content: bytes,
    part: str,
    sheet: SheetFacts,
    budget: Budget,
    styles: Mapping[int, Shown] | None = None,
) -> None:
    """Fill ``sheet`` from a worksheet part; ``styles`` depart from the number."""
    row = 0
    for kind, body, _ in _records(content, part):
        try:
            if kind == _ROW:
                row = _row(content, body, sheet)
            elif kind in _VALUES:
                _value(content, body, kind, row, sheet)
                _note_departing(content, body, kind, row, sheet, styles or {})
            elif kind == _BLANK:
                sheet.cells += 1
            elif kind == _COLUMN:
                first, last, width, _, flags = struct.unpack_from("<4IH", content, body)
                if flags & 1 or width == 0:
                    sheet.hidden_columns.append((first + 1, last + 1))
            elif kind == _MERGE and len(sheet.merged) <= budget.limits.merged:
                top, bottom, left, right = struct.unpack_from("<4I", content, body)
                sheet.merged.append((top + 1, left + 1, bottom + 1, right + 1))
        except (struct.error, IndexError):
            raise refuse("damaged", f"工作表“{sheet.name}”的记录不完整") from None
        if sheet.cells > budget.room:
            raise budget.overflow(sheet)
    budget.close_sheet(sheet)


def _row(content: bytes, body: int, sheet: SheetFacts) -> int:
    (row,) = struct.unpack_from("<I", content, body)
    if content[body + 11] & 0x10:  # fDyZero
        sheet.hidden_rows.append((row + 1, row + 1))
    return int(row)


def _value(content: bytes, body: int, kind: int, row: int, sheet: SheetFacts) -> None:
    (column,) = struct.unpack_from("<I", content, body)
    sheet.cells += 1
    sheet.reach(row + 1, column + 1)
    if kind in _FORMULAS:
        sheet.formulas += 1
    if kind in (_ERROR, _FORMULA_ERROR):
        code = content[body + 8]
        sheet.errors[row + 1, column + 1] = ERROR_CODES.get(code, f"#ERR{code}")


def _note_departing(
    content: bytes, body: int, kind: int, row: int, sheet: SheetFacts, styles: Mapping[int, Shown]
) -> None:
    if not styles or kind not in _NUMBERS:
        return
    column, style = struct.unpack_from("<2I", content, body)
    shown = styles.get(style & 0xFFFFFF)
    if shown is not None:
        sheet.departing[row + 1, column + 1] = (shown.code, shown.unit)


def _records(content: bytes, part: str) -> Iterator[tuple[int, int, int]]:
    """(type, start of body, length) of each record; both numbers are little-endian base 128."""
    place, end = 0, len(content)
    try:
        while place < end:
            kind = content[place]
            place += 1
            if kind & 0x80:
                kind = (kind & 0x7F) | (content[place] & 0x7F) << 7
                place += 1
            length = shift = 0
            for _ in range(4):
                byte = content[place]
                place += 1
                length |= (byte & 0x7F) << shift
                shift += 7
                if not byte & 0x80:
                    break
            if place + length > end:
                raise IndexError
            yield kind, place, length
            place += length
    except IndexError:
        raise refuse("damaged", f"部件“{part}”的记录不完整") from None


def _wide_string(content: bytes, place: int) -> tuple[str, int]:
    (size,) = struct.unpack_from("<I", content, place)
    if size == 0xFFFFFFFF:
        return "", place + 4
    stop = place + 4 + 2 * size
    if stop > len(content):
        raise refuse("damaged", "工作簿的名称记录不完整")
    return content[place + 4 : stop].decode("utf-16-le", "replace"), stop
