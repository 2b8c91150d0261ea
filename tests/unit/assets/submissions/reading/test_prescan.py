"""Pre-scan: what a file is, what it holds, and where the limits are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assets.submissions.reading.formats import plain_sheet, scan_xlsx
from assets.submissions.reading.formats.facts import (
    Budget,
    Facts,
    SheetFacts,
    range_of,
    settle_merged,
)
from assets.submissions.reading.limits import DEFAULT_LIMITS
from assets.submissions.reading.prescan import prescan
from assets.submissions.reading.rejections import TEXTS, rejection
from assets.submissions.reading.workbook import Rejected
from tests.support.hostile import Hostile, hostile_files
from tests.support.workbook_bytes import (
    biff8,
    ods,
    ods_table,
    ole,
    record,
    sheet_xml,
    xls,
    xlsx,
    xlsx_cells,
    xml2003,
)


def facts_of(data: bytes) -> Facts:
    facts = prescan(data)
    assert isinstance(facts, Facts), facts
    return facts


def code_of(data: bytes, **limits: int) -> str:
    result = prescan(data, replace(DEFAULT_LIMITS, **limits))
    return result.code if isinstance(result, Rejected) else result.format


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (xlsx(), "xlsx"),
        (xlsx(changes={"xl/vbaProject.bin": b"x"}), "xlsm"),
        (xls(), "xls"),
        (ods(ods_table("")), "ods"),
        (b"\xef\xbb\xbf\r\n <html><table>", "html"),
        ("<TABLE><tr>".encode("utf-16"), "html"),
        (b"<!-- \xd4\xb0 --><html xmlns:x='urn:schemas-microsoft-com:office:excel'>", "html"),
        (xml2003(""), "xml2003"),
        ("园区,产值".encode("gbk"), "text"),
        (b"<10,>20\n1,2\n", "text"),
        (b"BM,1\n", "text"),
        (b"MZ,1\n", "text"),
        (b"%PDF-1.4", "wrong_type"),
        (b"Rar!\x1a\x07", "archive"),
        (b"\x09\x08\x10\0\0\6\5\0", "old_excel"),
    ],
)
def test_type_is_known_by_content(data: bytes, kind: str) -> None:
    assert code_of(data) == kind


def test_area_counts_only_cells_with_a_value() -> None:
    blank = '<c r="XFD7" s="1"/><c r="XFC7" s="1"></c>'
    cells = f'<row r="2"><c r="C2"><v>1</v></c></row><row r="7"><c r="A7"><v>2</v></c>{blank}</row>'
    (sheet,) = facts_of(xlsx_cells(cells)).sheets
    assert (sheet.rows, sheet.columns, sheet.cells) == (7, 3, 4)


SHEETS = {
    "numbers": sheet_xml(
        '<row r="3"><c r="B3" s="2"><v>1</v></c><c r="AB3" t="s"><v>0</v></c></row>'
    ),
    "merges": sheet_xml(after='<mergeCells><mergeCell ref="A1:B3"/></mergeCells>'),
    "computed formulas": sheet_xml(
        '<row r="1"><c r="A1"><f t="shared" si="0"/><v>5</v></c><c r="B1"><f>A1</f><v>5</v></c></row>'
    ),
    "blank cells": sheet_xml(
        '<row r="1"><c r="A1"><v>1</v></c><c r="B1" s="1"/><c r="C1"></c></row>'
    ),
    "no cells": sheet_xml(""),
    "inline text": sheet_xml(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>1 &lt; 2</t></is></c></row>'
    ),
    "rows shown by name": sheet_xml('<row r="1" hidden="false"><c r="A1"><v>1</v></c></row>'),
}


@pytest.mark.parametrize("name", SHEETS)
def test_quick_look_at_a_plain_sheet_equals_the_full_pass(name: str) -> None:
    quick, full = SheetFacts("x"), SheetFacts("x")
    content = SHEETS[name].encode()
    assert plain_sheet.scan_plain_sheet(content, quick, Budget(DEFAULT_LIMITS), False)
    scan = scan_xlsx._SheetScan(full, Budget(DEFAULT_LIMITS), False)
    scan_xlsx.stream([content], "sheet1.xml", scan.root)
    scan.finish()
    Budget(DEFAULT_LIMITS).close_sheet(full)
    assert quick == full


@pytest.mark.parametrize(
    "cells",
    [
        '<row r="1" hidden="1"><c r="A1"><v>1</v></c></row>',
        '<row r="1" ht="0"><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A1" t="e"><v>#REF!</v></c></row>',
        '<row r="1"><c r="A1"><f>B1</f></c></row>',
        '<row r="1"><c r="A1"><f>B1</f><v/></c></row>',
        "<row><c><v>1</v></c></row>",
        "<row r='1'><c r='A1'><v>1</v></c></row>",
        '<row r="1"><c\nr="A1"><v>1</v></c></row>',
        '<!-- <c r="A1"><v>1</v></c> -->',
        '<row r="1"><c r="A1" t="inlineStr"><is><t><![CDATA[<c>]]></t></is></c></row>',
    ],
)
def test_a_special_sheet_is_left_to_the_full_pass(cells: str) -> None:
    sheet = SheetFacts("x")
    content = sheet_xml(cells).encode()
    assert not plain_sheet.scan_plain_sheet(content, sheet, Budget(DEFAULT_LIMITS), False)
    assert sheet == SheetFacts("x")


def test_hidden_rows_and_columns_inside_the_area() -> None:
    cells = (
        '<row r="1"><c r="A1"><v>1</v></c><c r="D1"><v>1</v></c></row>'
        '<row r="2" hidden="1"/><row r="3" ht="0"><c r="A3"><v>1</v></c></row><row r="9" hidden="1"/>'
    )
    cols = '<cols><col min="2" max="3" hidden="true"/><col min="4" max="16384" width="0"/></cols>'
    (sheet,) = facts_of(xlsx_cells(cells, before=cols)).sheets
    assert sheet.hidden("rows") == {2, 3}
    assert sheet.hidden("columns") == {2, 3, 4}


FULL = '<calcPr fullCalcOnLoad="1"/>'


@pytest.mark.parametrize(
    ("cell", "extra", "uncached"),
    [
        ("<f>1+1</f>", "", True),
        ("<f>1+1</f><v></v>", "", True),
        ("<f>1+1</f><v> </v>", "", True),
        ("<f>1+1</f><v>0</v>", "", False),
        ("<f>1+1</f><v>0</v>", FULL, True),
        ("<f>1+1</f><v>2</v>", FULL, False),
        ("<v>0</v>", FULL, False),
        ('<f t="shared" si="0"/><v>7</v>', "", False),
    ],
)
def test_formula_without_a_saved_result(cell: str, extra: str, uncached: bool) -> None:
    xml = sheet_xml(f'<row r="5"><c r="C5">{cell}</c></row>')
    (sheet,) = facts_of(xlsx([("月报", xml)], workbook_extra=extra)).sheets
    assert sheet.uncached == ({(5, 3)} if uncached else set())


def test_a_formula_may_have_empty_text_as_its_result() -> None:
    cells = '<row r="1"><c r="A1" t="str"><f>IF(1,"","")</f><v></v></c></row>'
    assert facts_of(xlsx_cells(cells)).sheets[0].uncached == set()


def test_results_that_may_be_stale_are_reported() -> None:
    xml = sheet_xml('<row r="1"><c r="A1"><f>1+1</f><v>2</v></c></row>')
    facts = facts_of(xlsx([("月报", xml)], workbook_extra=FULL))
    assert [notice.code for notice in facts.notices] == ["recalculation"]


def test_error_cells_keep_their_code() -> None:
    cells = '<row r="1"><c r="A1" t="e"><v>#DIV/0!</v></c><c r="B1" t="e"><f>NA()</f><v>#N/A</v></c></row>'
    (sheet,) = facts_of(xlsx_cells(cells)).sheets
    assert sheet.errors == {(1, 1): "#DIV/0!", (1, 2): "#N/A"}
    assert sheet.uncached == set()


def test_records_of_an_old_workbook() -> None:
    import struct

    records = (
        record(0x208, struct.pack("<8H", 2, 0, 1, 255, 0, 0, 0x20, 15))
        + record(0x7D, struct.pack("<5H", 1, 1, 2000, 15, 1))
        + record(0x203, struct.pack("<3Hd", 2, 1, 15, 5.5))
        + record(0xBD, struct.pack("<2H", 3, 0) + struct.pack("<HI", 15, 6) * 2 + b"\1\0")
        + record(0x205, struct.pack("<3H2B", 4, 0, 15, 0x2A, 1))
        + record(0xE5, struct.pack("<5H", 1, 0, 1, 0, 1))
    )
    (sheet,) = facts_of(ole({"Workbook": biff8(records)})).sheets
    assert (sheet.rows, sheet.columns, sheet.cells) == (5, 2, 4)
    assert sheet.hidden("rows") == {3}
    assert sheet.hidden("columns") == {2}
    assert sheet.errors == {(5, 1): "#N/A"}
    assert sheet.merged == [(1, 1, 2, 2)]


@pytest.mark.parametrize(
    ("data", "limits", "code"),
    [
        (xlsx(), {"file_bytes": 100}, "file_too_large"),
        (xlsx(), {"members": 5}, "zip_too_many_members"),
        (xlsx(), {"unpacked_bytes": 1000}, "zip_too_large"),
        (xlsx(), {"text_bytes": 100}, "text_too_large"),
        (xlsx(), {"cells": 1}, "too_many_cells"),
        (xlsx(), {"cells": 2}, "xlsx"),
        (xlsx(), {"box": 1}, "box_too_large"),
        (xlsx(), {"box": 2}, "xlsx"),
        (xlsx([("甲", ""), ("乙", "")]), {"cells": 3}, "too_many_cells"),
        (xlsx([("甲", ""), ("乙", "")]), {"box": 3}, "box_too_large"),
        (xlsx([("甲", ""), ("乙", "")]), {"sheets": 1}, "too_many_sheets"),
        (xls(), {"cells": 1}, "too_many_cells"),
        (xls(), {"box": 1}, "box_too_large"),
        (xls(), {"sheets": 0}, "too_many_sheets"),
    ],
)
def test_limits(data: bytes, limits: dict[str, int], code: str) -> None:
    assert code_of(data, **limits) == code


@pytest.mark.parametrize(
    ("merged", "kept", "overlapping"),
    [
        ([(1, 1, 1, 4), (2, 1, 3, 1)], [(1, 1, 1, 4), (2, 1, 3, 1)], 0),
        ([(1, 1, 99, 99)], [(1, 1, 10, 5)], 0),
        ([(11, 1, 12, 2), (1, 6, 2, 7)], [], 0),
        ([(3, 3, 3, 3)], [], 0),
        ([(2, 2, 4, 4), (1, 1, 2, 2), (3, 3, 5, 5)], [(1, 1, 2, 2), (3, 3, 5, 5)], 1),
        ([(1, 1, 5, 1), (1, 3, 5, 3), (2, 2, 2, 3)], [(1, 1, 5, 1), (1, 3, 5, 3)], 1),
    ],
)
def test_merged_ranges_are_clipped_and_do_not_overlap(
    merged: list[tuple[int, int, int, int]],
    kept: list[tuple[int, int, int, int]],
    overlapping: int,
) -> None:
    sheet = SheetFacts("x", rows=10, columns=5, merged=merged)
    settle_merged(sheet)
    assert (sheet.merged, sheet.overlapping) == (kept, overlapping)


@pytest.mark.parametrize(
    "text", ["", "A", "1", "A0", "XFE1", "A1048577", "A1:B2:C3", "#REF!", "AAAA1"]
)
def test_impossible_references(text: str) -> None:
    with pytest.raises(ValueError):
        range_of(text)


def test_links_macros_and_embedded_files_are_reported() -> None:
    changes = {
        "xl/externalLinks/externalLink1.xml": "<x/>",
        "xl/connections.xml": "<x/>",
        "xl/embeddings/a.bin": "x",
        "xl/vbaProject.bin": "x",
    }
    codes = [notice.code for notice in facts_of(xlsx(changes=changes)).notices]
    assert codes == ["macro", "external_links", "data_connections", "embedded_objects"]


def test_every_refusal_speaks_to_a_clerk() -> None:
    for code, (message, expected, remedy) in TEXTS.items():
        rejected = rejection(code, "x", 5)
        for text in (message, expected, remedy):
            assert any("\u4e00" <= letter <= "\u9fff" for letter in text), code
        assert "{limit}" not in rejected.expected


def _never_read() -> list[Hostile]:
    """Cases the pre-scan alone must refuse: nothing of them may reach a parser."""
    codes = ("zip_", "xml_dtd", "box_", "too_many_", "wrong_type", "archive", "old_excel")
    own = ("page_", "text_", "table_2003", "row_repeated", "dtd_ods")  # readers that stream
    return [
        case
        for case in hostile_files()
        if case.expect.startswith(codes) and not case.name.startswith(own)
    ]


@pytest.mark.parametrize("case", _never_read(), ids=lambda case: case.name)
def test_hostile_containers_are_refused_before_any_parser(case: Hostile) -> None:
    assert code_of(case.build()) == case.expect
