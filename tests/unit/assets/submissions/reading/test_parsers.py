"""Parsers: bytes of each accepted format to plain values at their positions."""

from __future__ import annotations

import io
import struct
from datetime import date, datetime, time
from typing import Any

import pytest

from assets.submissions.reading import parsers
from assets.submissions.reading.limits import DEFAULT_LIMITS
from assets.submissions.reading.parsers import read_workbook
from assets.submissions.reading.wire import Answer, WireError, decode, encode
from assets.submissions.reading.workbook import ErrorValue, Notice, Rejected, Sheet, Workbook
from tests.support.workbook_bytes import (
    biff8,
    encrypted_xlsx,
    ods,
    ods_table,
    ole,
    record,
    sheet_xml,
    xls,
    xlsb,
    xlsx,
    xlsx_cells,
    xml2003,
)


def read(data: bytes, **options: Any) -> Workbook:
    book = read_workbook(data, **options)
    assert isinstance(book, Workbook), book
    return book


def codes(book: Workbook) -> list[str]:
    return [notice.code for notice in book.notices]


# --- xlsx ---------------------------------------------------------------------------------------


def test_positions_start_at_row_1_and_column_a() -> None:
    sheet = read(xlsx_cells('<row r="3"><c r="C3"><v>7</v></c></row>')).sheets[0]
    assert sheet.rows == [[], [], [None, None, 7]]
    assert (sheet.at(3, 3), sheet.at(1, 1), sheet.at(9, 9)) == (7, None, None)


def test_kinds_of_values() -> None:
    cells = (
        '<row r="1"><c r="A1" t="s"><v>1</v></c><c r="B1" t="inlineStr"><is><t>文</t></is></c>'
        '<c r="C1" t="b"><v>1</v></c><c r="D1"><v>41954.56</v></c><c r="E1" s="1"><v>44013</v></c>'
        '<c r="F1" s="2"><v>44013</v></c><c r="G1" s="1"><v>44013.5</v></c>'
        '<c r="H1" t="str"><f>"a"</f><v>a</v></c><c r="I1"><v>1e3</v></c></row>'
    )
    assert read(xlsx_cells(cells)).sheets[0].rows == [
        ["二", "文", True, 41954.56, date(2020, 7, 1), date(2020, 7, 1),
         datetime(2020, 7, 1, 12), "a", 1000.0]
    ]  # fmt: skip


def test_dates_of_the_1904_system() -> None:
    xml = sheet_xml('<row r="1"><c r="A1" s="1"><v>42551</v></c></row>')
    changed = str(xlsx_workbook_1904())
    book = read(xlsx([("月报", xml)], changes={"xl/workbook.xml": changed}))
    assert book.sheets[0].rows == [[date(2020, 7, 1)]]


def xlsx_workbook_1904() -> str:
    from tests.support.workbook_bytes import xlsx_members

    text = str(xlsx_members()["xl/workbook.xml"])
    return text.replace("<sheets>", '<workbookPr date1904="1"/><sheets>')


def test_error_cells_and_uncomputed_formulas_are_restored() -> None:
    cells = (
        '<row r="1"><c r="A1" t="e"><v>#DIV/0!</v></c><c r="B1"><f>A1</f></c><c r="C1"><v>1</v></c></row>'
        '<row r="4"><c r="D4" t="e"><v>#REF!</v></c></row>'
    )
    book = read(xlsx_cells(cells))
    assert book.sheets[0].rows == [
        [ErrorValue("#DIV/0!"), None, 1], [], [], [None, None, None, ErrorValue("#REF!")]
    ]  # fmt: skip
    assert book.sheets[0].uncached_formulas == {(1, 2)}
    assert codes(book) == ["uncached_formulas", "error_cells"]
    assert book.notices[1].address == "A1"


def test_a_placeholder_zero_is_not_a_zero() -> None:
    xml = sheet_xml('<row r="1"><c r="A1"><v>0</v></c><c r="B1"><f>A1</f><v>0</v></c></row>')
    full = '<calcPr fullCalcOnLoad="1"/>'
    sheet = read(xlsx([("月报", xml)], workbook_extra=full)).sheets[0]
    assert sheet.rows == [[0]]
    assert sheet.uncached_formulas == {(1, 2)}


def test_numbers_that_are_none_become_error_values() -> None:
    cells = '<row r="1"><c r="A1"><v>NaN</v></c><c r="B1"><v>inf</v></c><c r="C1"><v>-1e999</v></c></row>'
    assert read(xlsx_cells(cells)).sheets[0].rows == [[ErrorValue("#NUM!")] * 3]


def test_merged_and_hidden_parts() -> None:
    cells = (
        '<row r="1"><c r="A1"><v>1</v></c><c r="C1"><v>1</v></c></row>'
        '<row r="2" hidden="1"><c r="A2"><v>2</v></c></row>'
    )
    data = xlsx(
        [
            ("月报", sheet_xml(cells, '<cols><col min="3" max="9" hidden="1"/></cols>',
                               '<mergeCells><mergeCell ref="A1:B1"/></mergeCells>')),
            ("底稿", ""),
        ],
        states={"底稿": "hidden"},
    )  # fmt: skip
    book = read(data)
    first, second = book.sheets
    assert first.merged == ((1, 1, 1, 2),)
    assert (first.hidden_rows, first.hidden_columns) == ({2}, {3})
    assert (first.visible, second.visible) == (True, False)
    assert codes(book) == ["hidden_rows", "hidden_columns", "hidden_sheet"]
    assert "第 C 列" in book.notices[1].message


def test_written_by_xlsxwriter_and_by_openpyxl() -> None:
    import openpyxl
    import xlsxwriter

    first, second = io.BytesIO(), io.BytesIO()
    with xlsxwriter.Workbook(first) as book:
        sheet = book.add_worksheet("月报")
        sheet.write_row(0, 0, ["园区", 1.5, True])
        sheet.write_datetime(
            1, 0, datetime(2020, 7, 1), book.add_format({"num_format": "yyyy/m/d"})
        )
        sheet.write_formula(1, 1, "=B1*2", value=3)
        sheet.write_formula(1, 2, "=B1*2")
    other = openpyxl.Workbook()
    other.active.append(["园区", 1.5, True])
    other.active.append([date(2020, 7, 1), "=B1*2"])
    other.save(second)
    rows = [["园区", 1.5, True], [date(2020, 7, 1), 3]]
    written = read(first.getvalue()).sheets[0]
    assert written.rows == rows
    assert written.uncached_formulas == {(2, 3)}
    written = read(second.getvalue()).sheets[0]
    assert [row[:1] for row in written.rows] == [["园区"], [date(2020, 7, 1)]]
    assert written.uncached_formulas == {(2, 2)}


# --- xls, xlsb ------------------------------------------------------------------------------------


def test_xls_of_xlwt() -> None:
    import xlwt

    def fill(book: Any, sheet: Any) -> None:
        sheet.write_merge(0, 0, 0, 2, "园区月报（模拟数据）")
        day = xlwt.easyxf(num_format_str="yyyy/m/d")
        for column, value in enumerate(("甲园", 41954.56, True, 7)):
            sheet.write(1, column, value)
        sheet.write(2, 0, date(2020, 7, 1), day)
        sheet.write(2, 1, xlwt.Formula("B2*2"))
        sheet.write(2, 2, xlwt.Formula("SUM(B2:B2)"))
        sheet.row(1).hidden = True
        sheet.col(2).hidden = True
        book.add_sheet("底稿").visibility = 1

    first, second = read(xls(fill)).sheets
    assert first.rows == [
        ["园区月报（模拟数据）"], ["甲园", 41954.56, True, 7], [date(2020, 7, 1)]
    ]  # fmt: skip
    assert first.merged == ((1, 1, 1, 3),)
    assert (first.hidden_rows, first.hidden_columns) == ({2}, {3})
    assert first.uncached_formulas == {(3, 2), (3, 3)}
    assert (second.name, second.visible) == ("底稿", False)


def test_xls_errors_and_computed_formulas() -> None:
    def formula(column: int, result: bytes, tokens: bytes, flags: int = 0) -> bytes:
        head = struct.pack("<3H8sHI", 0, column, 0, result, flags, 0)
        return record(0x06, head + struct.pack("<H", len(tokens)) + tokens)

    product = b"\x1e\x02\0\x1e\x03\0\x05"
    empty_text = b"\3\0\0\0\0\0\xff\xff"
    records = (
        formula(0, struct.pack("<d", 6.0), product)
        + formula(1, b"\2\0\x07\0\0\0\xff\xff", product)
        + formula(2, empty_text, product)
        + formula(3, empty_text, b"\x17\0\0")
        + formula(4, bytes(8), product, flags=3)
        + formula(5, bytes(8), product)
        + record(0x205, struct.pack("<3H2B", 0, 6, 0, 0x17, 1))
    )
    sheet = read(ole({"Workbook": biff8(records)})).sheets[0]
    assert sheet.rows == [
        [6.0, ErrorValue("#DIV/0!"), None, None, None, 0.0, ErrorValue("#REF!")]
    ]  # fmt: skip
    assert sheet.uncached_formulas == {(1, 3), (1, 5)}


def test_xlsb() -> None:
    book = read(xlsb())
    sheet = book.sheets[0]
    assert book.format == "xlsb"
    assert sheet.name == "月报"
    assert sheet.rows == [[41954.56, True], [ErrorValue("#N/A")]]
    assert (sheet.hidden_rows, sheet.hidden_columns) == ({2}, {2})


# --- OpenDocument ---------------------------------------------------------------------------------


def cell(value: str, kind: str = "float", text: str = "", more: str = "") -> str:
    name = {"date": "date-value", "time": "time-value", "boolean": "boolean-value"}.get(
        kind, "value"
    )
    stored = "" if kind == "string" else f'office:{name}="{value}"'
    return (
        f'<table:table-cell office:value-type="{kind}" {stored} {more}>'
        f"<text:p>{text or value}</text:p></table:table-cell>"
    )


@pytest.mark.parametrize(
    ("xml", "value"),
    [
        (cell("41954.56", text="41,954.6"), 41954.56),
        (cell("12"), 12),
        (cell("0.125", "percentage", "12.5%"), 0.125),
        (cell("2020-07-01", "date", "2020年7月"), date(2020, 7, 1)),
        (cell("2020-07-01T08:30:00", "date"), datetime(2020, 7, 1, 8, 30)),
        (cell("2020-13-01", "date"), "2020-13-01"),
        (cell("PT08H30M00S", "time"), time(8, 30)),
        (cell("PT36H00M00S", "time"), 1.5),
        (cell("true", "boolean"), True),
        (cell("甲<text:s text:c=\"2\"/>园<text:line-break/>区", "string"), "甲  园\n区"),
        (cell("甲园</text:p><text:p>二期", "string"), "甲园\n二期"),
        (cell("甲<office:annotation><text:p>批注</text:p></office:annotation>园", "string"), "甲园"),
        (cell("NaN"), ErrorValue("#NUM!")),
        (cell("#N/A", "string", more='calcext:value-type="error"'), ErrorValue("#N/A")),
        (cell("0", text="Err:502", more='table:formula="of:=x"'), ErrorValue("Err:502")),
    ],
)  # fmt: skip
def test_ods_values(xml: str, value: Any) -> None:
    book = read(ods(ods_table(f"<table:table-row>{xml}</table:table-row>")))
    assert book.sheets[0].rows == [[value]]


def test_ods_repeats_merges_and_hidden_parts() -> None:
    from tests.support.workbook_bytes import ods_content

    content = ods_table(
        '<table:table-column/><table:table-column table:visibility="collapse"/>'
        '<table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row>'
        '<table:table-row table:number-rows-repeated="2" table:visibility="filter">'
        + cell("5", more='table:number-columns-repeated="2"')
        + "</table:table-row><table:table-row>"
        + cell("合计", "string", more='table:number-columns-spanned="2" table:number-rows-spanned="1"')
        + '<table:covered-table-cell/></table:table-row>'
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row>',
        attributes='table:style-name="ta1"',
    )  # fmt: skip
    hidden = (
        '<style:style style:name="ta1" style:family="table">'
        '<style:table-properties table:display="false"/></style:style>'
    )
    book = read(ods("", {"content.xml": ods_content(content, hidden)}))
    sheet = book.sheets[0]
    assert sheet.rows == [[], [], [5, 5], [5, 5], ["合计"]]
    assert sheet.merged == ((5, 1, 5, 2),)
    assert (sheet.hidden_rows, sheet.hidden_columns) == ({3, 4}, {2})
    assert not sheet.visible


# --- HTML, Excel 2003 XML -----------------------------------------------------------------------


def page(table: str, encoding: str = "gb18030") -> bytes:
    return f'<html><head><meta charset="{encoding}"></head>{table}</html>'.encode(encoding)


def test_html_spans_become_merged_ranges() -> None:
    table = (
        "<table><caption>略</caption><tr><th rowspan=2>园区</th><th colspan=2>产值</th></tr>"
        "<tr><th>本月</th><th>累计</th></tr><tr style='display: none'><td>甲<br>园</td><td>&nbsp;</td>"
        "<td x:num='41954.56'>41,954.6</td></tr></table>"
    )
    sheet = read(page(table)).sheets[0]
    assert sheet.rows == [["园区", "产值"], [None, "本月", "累计"], ["甲\n园", None, 41954.56]]
    assert sheet.merged == ((1, 1, 2, 1), (1, 2, 1, 3))
    assert sheet.hidden_rows == {3}


def test_html_tables_are_sheets_without_what_nobody_sees() -> None:
    book = read(
        page(
            "<script>1</script><table><tr><td>外<table><tr><td>内</td></tr></table></td></tr></table>"
            "<table><tr><td> </td></tr></table>"
            "<table><tr><td>二<script>x</script><span style='display:none'>密</span></td></tr></table>"
        )
    )
    assert [(sheet.name, sheet.rows) for sheet in book.sheets] == [
        ("表1", [["外"]]), ("表2", [["内"]]), ("表3", [["二"]])
    ]  # fmt: skip
    assert codes(book) == ["html_script"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb2312", "utf-16"])
def test_html_encodings(encoding: str) -> None:
    assert read(page("<table><tr><td>园区</td></tr></table>", encoding)).sheets[0].rows == [
        ["园区"]
    ]


def test_excel_2003_xml() -> None:
    rows = (
        '<Column ss:Index="2" ss:Hidden="1"/>'
        '<Row><Cell ss:MergeAcross="2"><Data ss:Type="String">月报</Data></Cell></Row>'
        '<Row ss:Index="4" ss:Hidden="1"><Cell><Data ss:Type="Number">41954.56</Data></Cell>'
        '<Cell ss:Index="3"><Data ss:Type="Boolean">1</Data></Cell>'
        '<Cell><Data ss:Type="DateTime">2020-07-01T00:00:00.000</Data></Cell>'
        '<Cell><Data ss:Type="Error">#N/A</Data></Cell></Row>'
    )
    options = "<WorksheetOptions><Visible>SheetHidden</Visible></WorksheetOptions>"
    sheet = read(xml2003(rows, options)).sheets[0]
    assert sheet.rows == [
        ["月报"], [], [], [41954.56, None, True, date(2020, 7, 1), ErrorValue("#N/A")]
    ]  # fmt: skip
    assert sheet.merged == ((1, 1, 1, 3),)
    assert (sheet.hidden_rows, sheet.hidden_columns) == ({4}, {2})
    assert not sheet.visible


# --- passwords ------------------------------------------------------------------------------------


def test_encrypted_workbooks() -> None:
    locked = encrypted_xlsx("渭北2020")
    refusals = {
        passwords: read_workbook(locked, passwords=passwords) for passwords in (None, (), ("错",))
    }
    assert [
        result.code for result in refusals.values() if isinstance(result, Rejected)
    ] == ["encrypted", "encrypted", "encrypted_password"]  # fmt: skip
    book = read(locked, passwords=("错", "渭北2020"))
    assert book.sheets[0].rows == [["园区", 41954.56]]
    assert codes(book) == ["decrypted"]
    assert codes(read(encrypted_xlsx("VelvetSweatshop"), passwords=())) == ["write_protected"]


# --- libraries that fail ------------------------------------------------------------------------


class PanicException(BaseException):
    """As raised through PyO3."""


@pytest.mark.parametrize(
    "error", [PanicException("index out of bounds"), OSError("x"), KeyError(1)]
)
def test_a_failing_library_means_a_damaged_file(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: object) -> Workbook:
        raise error

    monkeypatch.setitem(parsers._READERS, "text", fail)
    result = read_workbook(b"a,b\n")
    assert isinstance(result, Rejected)
    assert result.code == "damaged"
    assert type(error).__name__ in result.found


@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt(), SystemExit(1)])
def test_what_ends_the_process_is_left_to_the_sandbox(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: object) -> Workbook:
        raise error

    monkeypatch.setitem(parsers._READERS, "text", fail)
    with pytest.raises(type(error)):
        read_workbook(b"a,b\n")


# --- the wire -------------------------------------------------------------------------------------

BOOK = Workbook(
    "xlsx",
    (
        Sheet(
            "月报",
            [["园区", 1, 2.5, True, None, ErrorValue("#N/A")], [], [],
             [date(2020, 7, 1), datetime(2020, 7, 1, 8), time(8, 30), "\"\\udead\\\n\u2028"], []],
            merged=((1, 1, 2, 2),),
            visible=False,
            hidden_rows=frozenset({2}),
            hidden_columns=frozenset({1, 3}),
            uncached_formulas=frozenset({(1, 5)}),
        ),
        Sheet("空", []),
    ),
    (Notice("macro", "文件含有宏"), Notice("x", "y", "月报", "A1")),
)  # fmt: skip


@pytest.mark.parametrize("result", [BOOK, Rejected("damaged", "文件", "现状", "应为", "办法")])
def test_answers_survive_the_wire(result: Workbook | Rejected) -> None:
    payload = encode(Answer(result, 1234, retire=True))
    answer = decode(payload, DEFAULT_LIMITS)
    assert answer == Answer(result, 1234, retire=True)
    if isinstance(result, Workbook) and isinstance(answer.result, Workbook):
        kinds = [[type(value) for value in row] for row in answer.result.sheets[0].rows]
        assert kinds == [[type(value) for value in row] for row in result.sheets[0].rows]


WORKBOOK = '[0,1,"workbook","xlsx",[["s",1,%s,[],[],[],[]]],[]]'


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x80\x04\x95.",
        b"[]",
        b'{"e": "x"}',
        b'[0,1,"rejected","a","b","c","d"]',
        b'[0,1,"rejected","a","b","c","d",5]',
        b'[0,"1","rejected","a","b","c","d","e"]',
        b'[0,1,"other","xlsx",[],[]]',
        b'[0,1,"workbook",5,[],[]]',
        b'[0,1,"workbook","xlsx",[],[["code",5,null,null]]]',
        (WORKBOOK % "[[[1]]]").encode(),
        (WORKBOOK % '[[{"a":"x"}]]').encode(),
        (WORKBOOK % '[[{"d":"2020-99-99"}]]').encode(),
        (WORKBOOK % '[[{"e":[]}]]').encode(),
        (WORKBOOK % "[[NaN]]").encode(),
        (WORKBOOK % "[[Infinity]]").encode(),
        (WORKBOOK % '[["\\ud800"]]').encode(),
        (WORKBOOK % "[99999999999]").encode(),
        (WORKBOOK % "[-1]").encode(),
        (WORKBOOK % "[true]").encode(),
        (WORKBOOK % ("[[" + "1" * 5000 + "]]")).encode(),
        b"[" * 100_000,
        b"[" + b"[]," * 2_000_001 + b"0]",
        b'[0,1,"workbook","xlsx",[["s",1,[],[[2,1,1,1]],[],[],[]]],[]]',
        b'[0,1,"workbook","xlsx",[["s",1,[],[],["1"],[],[]]],[]]',
    ],
)
def test_a_forged_answer_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError):
        decode(payload, DEFAULT_LIMITS)
