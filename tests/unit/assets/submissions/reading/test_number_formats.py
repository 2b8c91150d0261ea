"""Formats that show another number than the cell holds, or a unit the cell does not."""

from __future__ import annotations

import struct

import pytest
import xlwt

from assets.submissions.reading.formats.number_formats import Shown, shown_by
from assets.submissions.reading.limits import DEFAULT_LIMITS
from assets.submissions.reading.parsers import read_workbook
from assets.submissions.reading.wire import Answer, decode, encode
from assets.submissions.reading.workbook import CellValue, ErrorValue, Sheet, Workbook
from tests.support.workbook_bytes import (
    MAIN,
    PACKAGE,
    RELATIONS,
    XML,
    binary_record,
    ods,
    ods_table,
    sheet_xml,
    xls,
    xlsb,
    xlsx,
)


@pytest.mark.parametrize(
    "code", ["#,##0,", "0!.0,", "0.00,,", "0!.0000", '0\\.0,"万"', "[>9999]0!.0,;0"]
)
def test_a_format_that_scales(code: str) -> None:
    assert shown_by(code) == Shown(code, scaled=True)


@pytest.mark.parametrize(
    ("code", "unit"),
    [('0.00"亿元"', "亿元"), ('#,##0"万元";-#,##0"万元"', "万元"), ('0"亿"', "亿")],
)
def test_a_format_that_adds_a_unit_of_money(code: str, unit: str) -> None:
    assert shown_by(code) == Shown(code, scaled=False, unit=unit)


@pytest.mark.parametrize(
    "code",
    ["General", "0.00", "#,##0", "#,##0.00_);[Red](#,##0.00)", '_ * #,##0_ ;_ * -#,##0_ ;_ * "-"_ ;_ @_ ',
     "0.0%", 'yyyy"年"m"月"', '0"家"', '"￥"#,##0', "0.00E+00", "@", "[$-804]yyyy-mm-dd", "0,000"],
)  # fmt: skip
def test_ordinary_formats_show_the_number(code: str) -> None:
    assert shown_by(code) is None


def written(code: str, cell: str) -> Workbook:
    """A workbook whose style 1 has the format ``code``."""
    styles = (
        f'{XML}<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="176" formatCode="{code}"/>'
        '</numFmts><cellStyleXfs count="1"><xf numFmtId="176"/></cellStyleXfs>'
        '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="176"/></cellXfs></styleSheet>'
    )
    xml = sheet_xml(f'<row r="1">{cell}</row>')
    book = read_workbook(xlsx([("月报", xml)], changes={"xl/styles.xml": styles}))
    assert isinstance(book, Workbook)
    return book


def rows(code: str, cell: str) -> list[list[CellValue]]:
    """The rows of such a workbook."""
    return written(code, cell).sheets[0].rows


def test_what_stands_in_the_cell_and_what_is_shown_are_both_told() -> None:
    cells = '<c r="A1" s="1"><v>240000000</v></c><c r="B1"><v>7</v></c><c r="C1" s="1"><v>0</v></c>'
    assert rows("0!.0,", cells) == [[ErrorValue("240000000（显示格式 0!.0,）"), 7, 0]]


def test_a_unit_of_the_format_is_read_with_the_number() -> None:
    cells = '<c r="A1" s="1"><v>2.4</v></c><c r="B1" s="1" t="inlineStr"><is><t>月河</t></is></c>'
    assert rows("0.00&quot;亿元&quot;", cells) == [["2.4亿元", "月河"]]


def test_a_number_of_a_binary_workbook_that_its_format_scales_is_told() -> None:
    code = "#,##0,"
    text = struct.pack("<HI", 176, len(code)) + code.encode("utf-16-le")
    plain, scaled = struct.pack("<2H", 0, 0), struct.pack("<2H", 0, 176)
    styles = b"".join(
        binary_record(kind, body + bytes(12) if kind == 47 else body)
        for kind, body in ((615, struct.pack("<I", 1)), (44, text), (616, b""), (626, struct.pack("<I", 1)),
                           (47, scaled), (627, b""), (617, struct.pack("<I", 2)), (47, plain),
                           (47, scaled), (618, b""))
    )  # fmt: skip
    relations = (
        f'{XML}<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" '
        f'Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.bin"/><Relationship Id="rId2" '
        f'Type="{RELATIONS}/styles" Target="styles.bin"/></Relationships>'
    )
    cell = binary_record(5, struct.pack("<2Id", 2, 1, 24000000.0))
    data = xlsb(cell, {"xl/styles.bin": styles, "xl/_rels/workbook.bin.rels": relations})
    book = read_workbook(data)
    assert isinstance(book, Workbook)
    assert book.sheets[0].at(2, 3) == ErrorValue("24000000（显示格式 #,##0,）")
    assert book.sheets[0].at(1, 1) == 41954.56


def test_a_run_of_short_numbers_of_an_xls_is_looked_at_cell_by_cell() -> None:
    def build(_book: xlwt.Workbook, sheet: xlwt.Worksheet) -> None:
        scaled = xlwt.easyxf(num_format_str="0.0,")
        for column, value in enumerate((1000, 2000, 3000)):
            sheet.write(0, column, value, scaled if column == 1 else xlwt.Style.default_style)

    book = read_workbook(xls(build))
    assert isinstance(book, Workbook)
    assert book.sheets[0].rows == [[1000, ErrorValue("2000（显示格式 0.0,）"), 3000]]


@pytest.mark.parametrize(("code", "percent"), [("0.0%", True), ('0"%"', False), ("0.00", False)])
def test_a_percentage_format_marks_its_cells_and_leaves_their_values(
    code: str, percent: bool
) -> None:
    book = written(code.replace('"', "&quot;"), '<c r="A1" s="1"><v>0.125</v></c>')
    assert book.sheets[0].rows == [[0.125]]
    assert book.sheets[0].percents == (frozenset({(1, 1)}) if percent else frozenset())


def test_the_marks_of_percentages_reach_the_parent() -> None:
    sheet = Sheet("月报", [[0.125, 1.0], [0.5]], percents=frozenset({(1, 1), (2, 1)}))
    answer = decode(encode(Answer(Workbook("xlsx", (sheet,)), 1, retire=False)), DEFAULT_LIMITS)
    assert isinstance(answer.result, Workbook)
    assert answer.result.sheets[0].percents == sheet.percents


def test_a_percentage_of_an_ods_is_marked_in_every_repeated_row() -> None:
    cell = '<table:table-cell office:value-type="percentage" office:value="0.2"/>'
    rows = f'<table:table-row table:number-rows-repeated="2">{cell}</table:table-row>'
    book = read_workbook(ods(ods_table(rows)))
    assert isinstance(book, Workbook)
    assert book.sheets[0].percents == frozenset({(1, 1), (2, 1)})


@pytest.mark.parametrize(
    "cells",
    [
        '<c r="A1" s="1"><v>2</v></c><c r="B1" s="1" t="n"><v>3</v></c><c r="C1" s="0"><v>4</v></c>',
        '<c s=\'1\' r=\'A1\'><v>2</v></c><c r="B1" t="n" s="1"><v>3</v></c><c r="C1"><v>4</v></c>',
    ],
)
def test_cells_are_marked_however_their_attributes_are_written(cells: str) -> None:
    assert written("0%", cells).sheets[0].percents == frozenset({(1, 1), (1, 2)})
