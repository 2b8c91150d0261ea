"""Formats that show another number than the cell holds, or a unit the cell does not."""

from __future__ import annotations

import pytest

from assets.submissions.reading.formats.number_formats import Shown, shown_by
from assets.submissions.reading.parsers import read_workbook
from assets.submissions.reading.workbook import CellValue, ErrorValue, Workbook
from tests.support.workbook_bytes import MAIN, XML, sheet_xml, xlsx


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


def rows(code: str, cell: str) -> list[list[CellValue]]:
    """The rows of a workbook whose style 1 has the format ``code``."""
    styles = (
        f'{XML}<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="176" formatCode="{code}"/>'
        '</numFmts><cellStyleXfs count="1"><xf numFmtId="176"/></cellStyleXfs>'
        '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="176"/></cellXfs></styleSheet>'
    )
    xml = sheet_xml(f'<row r="1">{cell}</row>')
    book = read_workbook(xlsx([("月报", xml)], changes={"xl/styles.xml": styles}))
    assert isinstance(book, Workbook)
    return book.sheets[0].rows


def test_what_stands_in_the_cell_and_what_is_shown_are_both_told() -> None:
    cells = '<c r="A1" s="1"><v>240000000</v></c><c r="B1"><v>7</v></c><c r="C1" s="1"><v>0</v></c>'
    assert rows("0!.0,", cells) == [[ErrorValue("240000000（显示格式 0!.0,）"), 7, 0]]


def test_a_unit_of_the_format_is_read_with_the_number() -> None:
    cells = '<c r="A1" s="1"><v>2.4</v></c><c r="B1" s="1" t="inlineStr"><is><t>月河</t></is></c>'
    assert rows("0.00&quot;亿元&quot;", cells) == [["2.4亿元", "月河"]]
