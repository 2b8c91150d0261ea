"""Returned workbooks: the reporter's own file with marks, and nothing about what would do."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from types import SimpleNamespace

import openpyxl
import pytest
import xlsxwriter
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill

from quality.returns import marking
from quality.returns.problems import Problem, problems_of, withhold
from quality.returns.workbook import (
    FILLS,
    LIST_SHEET,
    Heading,
    PlainSheet,
    list_only,
    mark_converted,
    mark_original,
)

HEADING = Heading("测试局", "甲县", "2020年1—6月", "甲县月报.xlsx", "2020-07-08 09:30", 1,
                  date(2020, 7, 13), "2020年7月16日", simulated=True)  # fmt: skip


def problem(number, severity="error", sheet="月报", address="C5", **more):
    given = {
        "relation": "规上总产值不得大于工业总产值",
        "found": "12,345",
        "remedy": "请核对原始记录",
    }
    return Problem(number, severity, "V039", sheet, address, kept_back=True, **given | more)


def county_file():
    """A small workbook as a county makes it: widths, fonts, a formula, a note, merged and hidden."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "月报"
    sheet["A1"] = "甲县园区月报"
    sheet["A1"].font = Font(name="黑体", size=18, bold=True)
    sheet.merge_cells("A1:D1")
    sheet.column_dimensions["B"].width = 33
    sheet["C5"], sheet["D5"] = 12345, "=C5*2"
    sheet["C5"].number_format = "#,##0.00"
    sheet["C5"].comment = Comment("已与企业核对", "填表人")
    sheet["B6"].fill = PatternFill("solid", start_color="00FF00")
    sheet.row_dimensions[6].hidden = True
    book.create_sheet("附表").sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def opened(data):
    return openpyxl.load_workbook(io.BytesIO(data))


def test_the_file_is_the_countys_own_with_marks():
    book = opened(mark_original(county_file(), [problem(1)], HEADING))
    assert book.sheetnames == ["月报", "附表", LIST_SHEET]
    sheet = book["月报"]
    assert sheet["C5"].value == 12345 and sheet["D5"].value == "=C5*2"
    assert sheet["C5"].number_format == "#,##0.00"
    assert sheet.column_dimensions["B"].width == 33 and sheet["A1"].font.name == "黑体"
    assert sheet["C5"].fill.start_color.rgb.endswith(FILLS["error"])
    assert "退回问题1·错误" in sheet["C5"].comment.text
    assert "已与企业核对" in sheet["C5"].comment.text, "the reporter's own note stays"
    assert sheet["B6"].fill.start_color.rgb == "0000FF00", "unmarked cells keep their looks"
    assert book.active.title == LIST_SHEET


def test_results_the_file_had_stored_are_still_shown_without_calculating():
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as made:
        sheet = made.add_worksheet("月报")
        sheet.write_formula("A1", "=1+2", None, 3.5)
        sheet.write_formula("A2", '="甲"&"<乙>"', None, "甲<乙>")
        sheet.write_formula("A3", "=NOW()", None, "")
    original = buffer.getvalue()
    data = mark_original(original, [problem(1, address="A1")], HEADING)
    shown = openpyxl.load_workbook(io.BytesIO(data), data_only=True)["月报"]
    assert [shown[place].value for place in ("A1", "A2", "A3")] == [3.5, "甲<乙>", None]
    assert opened(data)["月报"]["A1"].value == "=1+2"


def test_the_gravest_problem_colours_a_cell_with_several():
    book = opened(mark_original(county_file(), [problem(1, "hint"), problem(2)], HEADING))
    cell = book["月报"]["C5"]
    assert cell.fill.start_color.rgb.endswith(FILLS["error"])
    assert "退回问题1·提示" in cell.comment.text and "退回问题2·错误" in cell.comment.text


@pytest.mark.parametrize(
    ("address", "marked"),
    [("B1", ["A1"]), ("C5:D5", ["C5", "D5"]), ("$C$5", ["C5"]), ("第5行", []), (None, []),
     ("ZZZ9999999", [])],
)  # fmt: skip
def test_odd_places_are_marked_where_they_can_be_seen(address, marked):
    book = opened(mark_original(county_file(), [problem(1, address=address)], HEADING))
    sheet = book["月报"]
    found = [c.coordinate for row in sheet.iter_rows() for c in row
             if c.comment and "退回问题1" in c.comment.text]  # fmt: skip
    assert found == marked
    assert any("规上总产值" in str(c.value) for row in book[LIST_SHEET].iter_rows() for c in row)


def test_every_cell_a_problem_rests_on_is_marked():
    problems = [problem(1, cells=(("月报", "C5"), ("月报", "D5"), ("没有的表", "A1")))]
    sheet = opened(mark_original(county_file(), problems, HEADING))["月报"]
    marked = [c.coordinate for row in sheet.iter_rows() for c in row
              if c.comment and "退回问题1" in c.comment.text]  # fmt: skip
    assert marked == ["C5", "D5"]
    assert sheet["C5"].comment.text.count("退回问题1") == 1


def rows_of_list(book):
    sheet = book[LIST_SHEET]
    head = next(row[0].row for row in sheet.iter_rows() if row[0].value == "序号")
    return list(sheet.iter_rows(min_row=head + 1))


def test_the_list_links_to_the_cell_and_says_what_is_hidden():
    problems = [problem(1), problem(2, address="B6"), problem(3, sheet="附表", address="A1")]
    rows = rows_of_list(opened(mark_original(county_file(), problems, HEADING)))
    assert rows[0][3].hyperlink.location == "'月报'!C5"
    assert [row[3].value for row in rows] == ["C5", "B6（该行隐藏）", "A1（工作表隐藏）"]


def test_what_begins_like_a_formula_stays_text():
    data = mark_converted(
        [PlainSheet("表", [["=1+1", "@x", 3]])],
        [problem(1, sheet="表", address="A1", found='=HYPERLINK("http://x")')],
        HEADING, "csv",
    )  # fmt: skip
    book = opened(data)
    assert book["表"]["A1"].data_type == "s" and book["表"]["A1"].value == "=1+1"
    assert rows_of_list(book)[0][5].data_type == "s"


def test_other_formats_keep_values_places_and_merges():
    sheet = PlainSheet("月报[1]/2", [["标题", None], ["园区", 1.5], ["甲园", None, "3,000"]],
                       ((1, 1, 1, 2),))  # fmt: skip
    book = opened(mark_converted([sheet], [problem(1, sheet="x")], HEADING, "xls"))
    made = book.worksheets[0]
    assert made.title == "月报_1__2" and made["B2"].value == 1.5 and made["C3"].value == "3,000"
    assert [str(r) for r in made.merged_cells.ranges] == ["A1:B1"]
    assert any("xls 格式" in str(c.value) for row in book[LIST_SHEET].iter_rows() for c in row)


def test_same_problems_give_the_same_bytes():
    original, problems = county_file(), [problem(1), problem(2, "verify", address="B6")]
    first = mark_original(original, problems, HEADING)
    assert first == mark_original(original, problems, HEADING)
    with zipfile.ZipFile(io.BytesIO(first)) as parts:
        assert {entry.date_time for entry in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2020-07-13T00:00:00Z" in parts.read("docProps/core.xml")


def test_a_file_that_cannot_be_opened_gets_the_list_alone():
    job = marking.Job((problem(1),), HEADING, original=b"PK\x03\x04 broken")
    assert marking.mark(job).kind == "list"
    sheets = (PlainSheet("月报", [["甲"]]),)
    job = marking.Job((problem(1),), HEADING, original=b"PK broken", sheets=sheets, was="xlsx")
    assert marking.mark(job).kind == "converted"
    assert opened(list_only([problem(1)], HEADING, "原件未能读取")).sheetnames == [LIST_SHEET]


def test_marking_runs_in_a_process_that_may_die():
    good = marking.Job((problem(1),), HEADING, original=county_file())
    results = list(marking.mark_all([good, marking.Job((problem(1),), HEADING), good]))
    assert [r.kind for r in results] == ["marked", "list", "marked"]
    assert results[0].data == results[2].data == marking.mark(good).data


def test_a_file_that_kills_the_process_stops_no_other(monkeypatch):
    monkeypatch.setattr(marking, "WALL_SECONDS", 0.0)
    good = marking.Job((problem(1),), HEADING, original=county_file())
    assert [r.kind for r in marking.mark_all([good, good])] == ["list", "list"]


def test_error_cells_come_as_the_sheet_shows_them():
    sheet = SimpleNamespace(name="t", rows=[[SimpleNamespace(code="#DIV/0!"), 1]], merged=())
    assert marking.plain_sheets([sheet])[0].rows == [["#DIV/0!", 1]]


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted", "shown"),
    [
        ("应为 1,200.50 万元", {"1200.5"}, "应为 （略） 万元"),
        ("应为１２００万元", {"1200"}, "应为（略）万元"),
        ("C02 不得大于 C01", {"2", "1"}, "C02 不得大于 C01"),
        ("差 -35", {"35"}, "差 （略）"),
        ("容差0.1%", {"1200"}, "容差0.1%"),
        ("单元格 B12 与 12 不符", {"12"}, "单元格 B12 与 （略） 不符"),
    ],
)
def test_a_number_that_would_do_is_taken_out(text, wanted, shown):
    assert withhold(text, frozenset(wanted)) == shown


def test_a_number_the_reporter_wrote_himself_stays():
    row = {"severity": "error", "rule_id": "V097", "sheet": "月报", "address": "C9",
           "message": "合计 1200 与分园区之和 1300 不等", "found": "1200", "expected": "1,300.00",
           "remedy": "请核对合计行", "action": "marked"}  # fmt: skip
    (made,) = problems_of([row])
    assert made.relation == "合计 1200 与分园区之和 （略） 不等" and made.found == "1200"
