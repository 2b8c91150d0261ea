"""The annex workbook prints what the bulletin prints, as numbers, and nothing that could run."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal

import openpyxl
import pytest

from assets.bulletins.compose import compose
from assets.bulletins.model import Table, TableRow, Text, plain
from assets.bulletins.spreadsheet import FIRST_ROW, to_xlsx
from tests.support.bulletin_fixture import bulletin_data


@pytest.fixture(scope="module")
def bulletin():
    return compose(bulletin_data())


@pytest.fixture(scope="module")
def book(bulletin):
    return openpyxl.load_workbook(io.BytesIO(to_xlsx(bulletin)))


def shown(cell):
    """A cell as Excel shows it."""
    if isinstance(cell.value, str) or cell.value is None:
        return cell.value or ""
    places = len(cell.number_format.partition(".")[2])
    return format(Decimal(repr(cell.value)).quantize(Decimal(1).scaleb(-places)), "f")


def test_every_table_is_a_sheet_with_the_same_text_in_every_cell(bulletin, book):
    sheets = [sheet for sheet in book.worksheets if sheet.title != "说明"]
    tables = list(bulletin.tables())
    assert len(sheets) == len(tables) > 5
    numbers = 0
    for sheet, table in zip(sheets, tables, strict=True):
        rows = sheet.iter_rows(min_row=FIRST_ROW + 1, max_row=FIRST_ROW + len(table.rows))
        for cells, row in zip(rows, table.rows, strict=True):
            for cell, spans in zip(cells, row.cells, strict=False):
                assert shown(cell) == plain(spans)
                numbers += not isinstance(cell.value, str)
    assert numbers > 200


def test_nothing_in_the_workbook_is_a_formula_a_link_or_a_missing_zero(bulletin, book):
    harm = ("=1+1", '=HYPERLINK("http://x")', "@SUM(A1)", "+cmd|' /C calc'!A0", "0123", "1e5", "—")
    table = next(bulletin.tables())
    rows = tuple(
        TableRow(tuple((Text(text),) for _ in table.columns)) for text in harm
    )  # fmt: skip
    first = bulletin.body.index(table)
    body = (*bulletin.body[:first], replace(table, rows=rows), *bulletin.body[first + 1 :])
    sheet = openpyxl.load_workbook(
        io.BytesIO(to_xlsx(replace(bulletin, body=body))), data_only=False
    ).worksheets[1]
    for number, text in enumerate(harm, start=FIRST_ROW + 1):
        cell = sheet.cell(number, 1)
        assert (cell.value, cell.data_type, cell.hyperlink) == (text, "s", None)


def test_the_first_sheet_says_what_it_is_and_what_it_rests_on(bulletin, book):
    said = {row[0].value: row[1].value for row in book["说明"].iter_rows(max_col=2)}
    assert said["注意"].startswith("模拟数据")
    assert said["规则摘要"] == bulletin.meta.rules_digest and "不是零" in said["读法"]


def test_same_document_same_bytes(bulletin):
    assert to_xlsx(bulletin) == to_xlsx(compose(bulletin_data()))


def test_sheet_names_are_short_unique_and_allowed(book):
    names = [sheet.title for sheet in book.worksheets]
    assert len({name.lower() for name in names}) == len(names)
    assert all(len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)


def test_heads_stay_in_sight_and_are_printed_on_every_page(book):
    sheet = book.worksheets[1]
    assert sheet.freeze_panes and sheet.print_title_rows == "$4:$4"
    assert sheet.page_setup.orientation == "landscape"


def test_a_table_without_rows_is_a_sheet_with_a_head(bulletin):
    bare = replace(bulletin, annexes=(), body=tuple(
        replace(block, rows=()) if isinstance(block, Table) else block for block in bulletin.body
    ))  # fmt: skip
    assert openpyxl.load_workbook(io.BytesIO(to_xlsx(bare))).worksheets[1].max_row == FIRST_ROW


def test_a_sheet_is_as_wide_as_a_page_whatever_the_table_s_units(book):
    for sheet in book.worksheets[1:]:
        widths = [column.width for column in sheet.column_dimensions.values()]
        assert 60 < sum(widths) < 175, sheet.title
        assert min(widths) >= 7.5
