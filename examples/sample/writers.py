"""From sheets of cells to file bytes: xlsx, xls, GBK and UTF-8 CSV. Same cells, same bytes.

Belongs here: container formats and cell styles. Does not belong here: what stands in a cell.
"""

from __future__ import annotations

import csv
import io
from datetime import datetime
from functools import cache
from typing import Any

from examples.sample.layouts import Cell, CellValue, Formula, Grid

ENDINGS = {"xlsx": ".xlsx", "xls": ".xls", "csv-gbk": ".csv", "csv-utf8": ".csv"}
_CREATED = datetime(2017, 1, 1)
_NUMBER_FORMATS = {
    "d0": "#,##0",
    "d1": "0.0",
    "d2": "#,##0.00",
    "d3": "0.000",
    "d4": "#,##0.0000",
    "percent": "0.0%",
}
_DECIMALS = {"d0": 0, "d1": 1, "d2": 2, "d3": 3, "d4": 4}


def write(container: str, grids: list[Grid]) -> bytes:
    """File bytes of the sheets in a container."""
    if container == "xlsx":
        return _xlsx(grids)
    if container == "xls":
        return _xls(grids)
    encoding = "gbk" if container == "csv-gbk" else "utf-8-sig"
    return _csv(grids).encode(encoding)


# --- xlsx


def _xlsx_styles(book: Any) -> dict[str, Any]:
    base = {"font_name": "宋体", "font_size": 10}
    boxed = {**base, "border": 1}
    styles = {
        "title": {**base, "font_size": 16, "bold": True, "align": "center"},
        "note": base,
        "right": {**base, "align": "right"},
        "text": base,
        "head": {**boxed, "align": "center", "valign": "vcenter", "text_wrap": True},
        "name": boxed,
        "mark": {**boxed, "align": "right"},
    }
    styles |= {name: {**boxed, "num_format": text} for name, text in _NUMBER_FORMATS.items()}
    return {name: book.add_format(properties) for name, properties in styles.items()}


def _xlsx(grids: list[Grid]) -> bytes:
    import xlsxwriter  # type: ignore[import-untyped]

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties(
        {"title": "模拟数据", "comments": "模拟数据，仅供软件演示", "created": _CREATED}
    )
    styles = _xlsx_styles(book)
    for grid in grids:
        _xlsx_sheet(book.add_worksheet(grid.name), grid, styles)
    book.close()
    return buffer.getvalue()


def _xlsx_sheet(sheet: Any, grid: Grid, styles: dict[str, Any]) -> None:
    for r, row in enumerate(grid.rows):
        for c, cell in enumerate(row):
            _xlsx_cell(sheet, r, c, cell, styles[cell.style])
    for top, left, bottom, right in grid.merges:
        first = grid.rows[top][left]
        sheet.merge_range(top, left, bottom, right, "", styles[first.style])
        _xlsx_cell(sheet, top, left, first, styles[first.style])
    for column in grid.hidden:
        sheet.set_column(column, column, None, None, {"hidden": True})


def _xlsx_cell(sheet: Any, r: int, c: int, cell: Cell, style: Any) -> None:
    value = cell.value
    if value is None:
        sheet.write_blank(r, c, None, style)
    elif isinstance(value, Formula):
        sheet.write_formula(r, c, value.text, style, "" if value.value is None else value.value)
    elif isinstance(value, str):
        sheet.write_string(r, c, value, style)
    else:
        sheet.write_number(r, c, value, style)


# --- xls


@cache
def _xls_styles() -> dict[str, Any]:
    import xlwt  # type: ignore[import-untyped]

    font = "font: name 宋体, height 200"
    box = "borders: left thin, right thin, top thin, bottom thin"
    styles = {
        "title": xlwt.easyxf("font: name 宋体, height 320, bold on; align: horiz center"),
        "note": xlwt.easyxf(font),
        "right": xlwt.easyxf(f"{font}; align: horiz right"),
        "text": xlwt.easyxf(font),
        "head": xlwt.easyxf(f"{font}; align: horiz center, vert centre, wrap on; {box}"),
        "name": xlwt.easyxf(f"{font}; {box}"),
        "mark": xlwt.easyxf(f"{font}; align: horiz right; {box}"),
    }
    for name, text in _NUMBER_FORMATS.items():
        styles[name] = xlwt.easyxf(f"{font}; {box}", num_format_str=text)
    return styles


def _xls(grids: list[Grid]) -> bytes:
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    styles = _xls_styles()
    for grid in grids:
        sheet = book.add_sheet(grid.name)
        merged = {(top, left): (bottom, right) for top, left, bottom, right in grid.merges}
        covered = {
            (r, c)
            for top, left, bottom, right in grid.merges
            for r in range(top, bottom + 1)
            for c in range(left, right + 1)
        }
        for r, row in enumerate(grid.rows):
            for c, cell in enumerate(row):
                style = styles[cell.style]
                if (r, c) in merged:
                    bottom, right = merged[r, c]
                    sheet.write_merge(r, bottom, c, right, _plain(cell.value), style)
                elif (r, c) not in covered:
                    sheet.write(r, c, _plain(cell.value), style)
        for column in grid.hidden:
            sheet.col(column).hidden = True
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _plain(value: CellValue) -> str | int | float | None:
    """A formula's value: xlwt stores none, and Excel would show nought until opened."""
    return value.value if isinstance(value, Formula) else value


# --- csv


def _csv(grids: list[Grid]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    for grid in grids:
        for row in grid.rows:
            writer.writerow([_csv_text(cell) for cell in row])
    return buffer.getvalue()


def _csv_text(cell: Cell) -> str:
    value = _plain(cell.value)
    if value is None or isinstance(value, str):
        return value or ""
    if cell.style == "percent":
        return f"{value * 100:.1f}%"
    return f"{value:.{_DECIMALS.get(cell.style, 0)}f}"
