"""Whatever the findings: every cell is marked, the original stays, no expected number gets out."""

from __future__ import annotations

import hashlib
import io
import re
from datetime import date

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.letters import Office, ReturnedFile, return_document
from quality.returns.problems import problems_of
from quality.returns.workbook import LIST_SHEET, Heading, mark_original

HEADING = Heading("测试局", "甲县", "2020年1—6月", "甲县月报.xlsx", "2020-07-08 09:30", 1,
                  date(2020, 7, 13), "2020年7月16日")  # fmt: skip


def original():
    book = openpyxl.Workbook()
    book.active.title = "月报"
    for row in range(1, 9):
        for column in range(1, 9):
            book.active.cell(row, column, row * column)
    book.active.merge_cells("A1:C1")
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


ORIGINAL = original()
# Seven digits and more: nothing else on the page is such a number.
WANTED = st.decimals(min_value=1_000_000, max_value=10**12, places=2, allow_nan=False)
WRITINGS = st.sampled_from(["{:f}", "{:,f}", "约{:f}万元", "-{:f}", "{:,f}元"])
WORDS = st.text(alphabet="甲乙丙不得大于等於,。 ", max_size=12)


@st.composite
def findings(draw):
    number = draw(WANTED)
    said = draw(WRITINGS).format(number)
    again = draw(WRITINGS).format(number)
    column, row = draw(st.sampled_from("ABCDEFGH")), draw(st.integers(1, 8))
    return {
        "finding_id": str(draw(st.integers(0, 99))),
        "rule_id": "V001",
        "severity": draw(st.sampled_from(["error", "verify", "hint"])),
        "sheet": "月报",
        "address": f"{column}{row}",
        "found": draw(st.sampled_from(["12", "3.5", "—", "=1+1"])),
        "expected": draw(WORDS) + said,
        "message": f"{draw(WORDS)}{again}{draw(WORDS)}",
        "remedy": f"{draw(WORDS)} {said}",
        "action": "quarantined",
    }, number


def texts_of(data):
    book = openpyxl.load_workbook(io.BytesIO(data))
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                yield from (str(cell.value or ""), cell.comment.text if cell.comment else "")


def digits(text):
    return {re.sub(r"[^\d.]", "", found).rstrip("0").rstrip(".")
            for found in re.findall(r"[\d,.]+", text)}  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(st.lists(findings(), min_size=1, max_size=8))
def test_no_expected_number_and_no_unmarked_cell(found):
    before = hashlib.sha256(ORIGINAL).hexdigest()
    problems = tuple(problems_of([row for row, _ in found]))
    data = mark_original(ORIGINAL, problems, HEADING)
    letter = return_document(
        Office("测试局"), "甲县", "2020年1—6月",
        [ReturnedFile("甲县月报.xlsx", 1, problems, "退回_甲县月报.xlsx", "marked")],
        date(2020, 7, 13), "2020年7月16日",
    ).text()  # fmt: skip
    told = set().union(*(digits(text) for text in (*texts_of(data), letter)))
    for _, number in found:
        assert f"{number:f}".rstrip("0").rstrip(".") not in told
    assert hashlib.sha256(ORIGINAL).hexdigest() == before
    book = openpyxl.load_workbook(io.BytesIO(data))
    for problem in problems:
        place = "A1" if problem.address in ("B1", "C1") else problem.address
        assert f"退回问题{problem.number}·" in book["月报"][place].comment.text
    listed = {row[0].value for row in book[LIST_SHEET].iter_rows()}
    assert {str(problem.number) for problem in problems} <= listed
