"""The returned workbook (退回件): the reporter's own file with marks, comments and a list of problems.

Belongs here: marking an .xlsx, converting tables of other formats, the list alone when neither can be
done, and bytes that depend on nothing but the content. Does not belong here: reading hostile files
(the caller parses and limits), the problems' wording, the letter.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from quality.returns.problems import Problem
from warehouse.words import date_words

if TYPE_CHECKING:
    from openpyxl import Workbook as Book
    from openpyxl.worksheet.worksheet import Worksheet

LIST_SHEET = "退回问题清单"
FILLS = {"error": "FFC7CE", "verify": "FFEB9C", "hint": "DDEBF7"}
EDGES = {"error": "C00000", "verify": "BF8F00", "hint": "2F75B5"}
_GRAVITY = ("error", "verify", "hint")
_ADDRESS = re.compile(r"[A-Z]{1,3}[1-9]\d{0,6}(?::[A-Z]{1,3}[1-9]\d{0,6})?")
_MARKED_AT_MOST = 2_000
_HEADS = (
    "序号",
    "级别",
    "工作表",
    "单元格",
    "问题（不成立的关系）",
    "读到的内容",
    "处理办法",
    "请求",
)
_WIDTHS = (6, 7, 18, 10, 50, 22, 34, 24)
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
_FORMULA = re.compile(
    rb'<c(?P<rest> r="(?P<place>[A-Z]+\d+)"(?: s="\d+")?)>(?P<formula><f[^>]*>[^<]*</f>)<v(?:/>|></v>)</c>'
)
_CREATED = re.compile(rb"(<dcterms:created[^>]*>)[^<]*(</dcterms:created>)")


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the list: who sends what back to whom, and by when an answer is due."""

    bureau: str
    reporter: str
    period: str
    file_name: str
    received: str
    number: int
    issued_on: date
    reply_by: str
    simulated: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class PlainSheet:
    """Values of one sheet as the reading process gave them: rows from A1, merged ranges (top, left,
    bottom, right; 1-based)."""

    name: str
    rows: Sequence[Sequence[Any]]
    merged: Sequence[tuple[int, int, int, int]] = ()


def mark_original(data: bytes, problems: Sequence[Problem], heading: Heading) -> bytes:
    """The .xlsx ``data`` with marks and the list; everything else stays as the reporter made it.

    Raises whatever openpyxl raises on a file it cannot load. Macros do not come along, nor do pictures
    and charts; the list says so.
    """
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data))
    results = _stored_results(data, book)
    return _with_results(_finished(book, problems, heading, _lost_parts(data)), results)


def mark_converted(
    sheets: Sequence[PlainSheet], problems: Sequence[Problem], heading: Heading, was: str
) -> bytes:
    """The values of a file of another format at the same places of an .xlsx, with marks and the list.

    ``was``: the format it came in, told on the list sheet.
    """
    from openpyxl import Workbook as Book

    book = Book()
    book.remove(book.active)
    for number, sheet in enumerate(sheets, start=1):
        _convert(book.create_sheet(_sheet_title(book, sheet.name, number)), sheet)
    note = f"原件为 {was} 格式，本副本按原位置转为 .xlsx，数值与原件一致，字体和列宽可能不同。"
    return _finished(book, problems, heading, note)


def list_only(problems: Sequence[Problem], heading: Heading, why: str) -> bytes:
    """A workbook of the list alone, saying why the original could not be marked."""
    from openpyxl import Workbook as Book

    book = Book()
    book.remove(book.active)
    return _finished(book, problems, heading, f"{why}，本件只列问题，请对照贵单位留存的原件。")


# --- marking --------------------------------------------------------------------------------------


def _finished(book: Book, problems: Sequence[Problem], heading: Heading, note: str) -> bytes:
    placed = _mark(book, problems, heading)
    _add_list(book, problems, heading, placed, note)
    return _bytes(book, heading.issued_on)


def _mark(book: Book, problems: Sequence[Problem], heading: Heading) -> dict[int, str]:
    """Colour and comment every cell with a problem; problem number → link target."""
    from openpyxl.worksheet.worksheet import Worksheet

    cells: dict[tuple[str, str], list[Problem]] = {}
    placed: dict[int, str] = {}
    for problem in problems:
        for name, written in dict.fromkeys([(problem.sheet, problem.address), *problem.cells]):
            sheet = book[name] if name in book.sheetnames else None
            address = (written or "").replace("$", "")
            if not isinstance(sheet, Worksheet):
                continue
            quoted, is_place = sheet.title.replace("'", "''"), _is_place(address)
            placed.setdefault(problem.number, f"'{quoted}'!{address if is_place else 'A1'}")
            for place in _places(sheet, address) if is_place else ():
                found = cells.setdefault((sheet.title, place), [])
                if problem not in found:
                    found.append(problem)
    for (title, place), found in cells.items():
        _mark_cell(book[title][place], found, heading)
    return placed


def _is_place(address: str) -> bool:
    """Whether ``address`` is a cell or range a workbook can have."""
    from openpyxl.utils import range_boundaries

    if not _ADDRESS.fullmatch(address):
        return False
    try:
        _, _, right, bottom = range_boundaries(address)
    except ValueError:
        return False
    return bool(right <= 16_384 and bottom <= 1_048_576)


def _places(sheet: Worksheet, address: str) -> list[str]:
    """Cells to mark: those named, or the visible corner of the merged range they lie in."""
    from openpyxl.utils import get_column_letter, range_boundaries

    left, top, right, bottom = range_boundaries(address)
    places: dict[str, None] = {}
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            if len(places) >= _MARKED_AT_MOST:
                return list(places)
            corner = next(
                (
                    (area.min_row, area.min_col)
                    for area in sheet.merged_cells.ranges
                    if area.min_row <= row <= area.max_row
                    and area.min_col <= column <= area.max_col
                ),
                (row, column),
            )
            places[f"{get_column_letter(corner[1])}{corner[0]}"] = None
    return list(places)


def _mark_cell(cell: Any, problems: Sequence[Problem], heading: Heading) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Border, PatternFill, Side

    gravest = min((p.severity for p in problems), key=_GRAVITY.index)
    cell.fill = PatternFill("solid", start_color=FILLS[gravest], end_color=FILLS[gravest])
    edge = Side(style="medium" if gravest == "error" else "thin", color=EDGES[gravest])
    cell.border = Border(left=edge, right=edge, top=edge, bottom=edge)
    lines = [line for problem in problems for line in _comment_lines(problem)]
    if cell.comment is not None:
        lines += ["〔原有批注〕", cell.comment.text]
    text = _clean("\n".join(lines))[:8_000]
    comment = Comment(text, heading.bureau)
    comment.width = 360
    comment.height = min(480, 30 + 18 * sum(1 + _width(line) // 52 for line in text.split("\n")))
    cell.comment = comment


def _comment_lines(problem: Problem) -> Iterable[str]:
    yield f"〔退回问题{problem.number}·{problem.severity_zh}〕{problem.relation}"
    if problem.found:
        yield f"读到：{problem.found}"
    if problem.remedy:
        yield f"处理：{problem.remedy}"
    yield problem.answer


# --- the list -------------------------------------------------------------------------------------


def _add_list(
    book: Book,
    problems: Sequence[Problem],
    heading: Heading,
    placed: dict[int, str],
    note: str,
) -> None:
    """The list as the last sheet, shown first on opening; the reporter's own sheets keep their order."""
    sheet = book.create_sheet(_free_title(book, LIST_SHEET))
    row = _head_of_list(sheet, heading, problems, note)
    for problem in problems:
        row += 1
        _list_row(sheet, row, problem, placed.get(problem.number), book)
    _page_setup(sheet, row)
    for other in book.worksheets:
        other.sheet_view.tabSelected = other is sheet
    book.active = book.index(sheet)


def _head_of_list(
    sheet: Worksheet, heading: Heading, problems: Sequence[Problem], note: str
) -> int:
    """Title, facts and explanations; returns the row of the column heads."""
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    count = {s: sum(p.severity == s for p in problems) for s in _GRAVITY}
    title = LIST_SHEET + ("（模拟数据）" if heading.simulated else "")
    lines = [
        f"填报单位：{heading.reporter}    报告期：{heading.period}    第 {heading.number} 次退回",
        f"原文件：{heading.file_name}    收到时间：{heading.received}",
        f"退回单位：{heading.bureau}    退回日期：{date_words(heading.issued_on)}",
        f"重报（说明）期限：{heading.reply_by}",
        f"问题：错误 {count['error']} 项（红底，须改正）、核实 {count['verify']} 项（黄底，改正或说明）、"
        f"提示 {count['hint']} 项（蓝底）。点击“单元格”一栏可跳到该处。",
        "说明：本件是贵单位报送件的副本，只加标记和批注，数值未改动。请按实际情况核对，不得为通过审核而改数。",
        *(text for text in (note, heading.note) if text),
    ]
    for number, text in enumerate([title, *lines], start=1):
        sheet.merge_cells(start_row=number, start_column=1, end_row=number, end_column=len(_HEADS))
        cell = _text(sheet.cell(number, 1), text)
        cell.font = Font(name="宋体", size=16 if number == 1 else 11, bold=number in (1, 5))
        cell.alignment = Alignment(
            horizontal="center" if number == 1 else "left", vertical="center", wrap_text=True
        )
        sheet.row_dimensions[number].height = 28 if number == 1 else 16 * (1 + _width(text) // 168)
    at = len(lines) + 3
    edge = Side(style="thin", color="7F7F7F")
    for column, head in enumerate(_HEADS, start=1):
        cell = _text(sheet.cell(at, column), head)
        cell.font = Font(name="宋体", size=11, bold=True)
        cell.fill = PatternFill("solid", start_color="D9D9D9", end_color="D9D9D9")
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        cell.border = Border(left=edge, right=edge, top=edge, bottom=edge)
    sheet.print_title_rows = f"{at}:{at}"
    sheet.freeze_panes = f"A{at + 1}"
    return at


def _list_row(sheet: Worksheet, row: int, problem: Problem, target: str | None, book: Book) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.worksheet.hyperlink import Hyperlink

    hidden = _hidden(book, problem)
    place = (problem.address or "—") + (f"（{hidden}）" if hidden else "")
    texts = (str(problem.number), problem.severity_zh, problem.sheet or "（整件）", place,
             problem.relation, problem.found, problem.remedy,
             problem.answer + ("（未采用）" if problem.kept_back else ""))  # fmt: skip
    edge = Side(style="thin", color="7F7F7F")
    for column, text in enumerate(texts, start=1):
        cell = _text(sheet.cell(row, column), text)
        cell.font = Font(name="宋体", size=10)
        across = "center" if column in (1, 2, 4) else "left"
        cell.alignment = Alignment(horizontal=across, vertical="center", wrap_text=True)
        cell.border = Border(left=edge, right=edge, top=edge, bottom=edge)
    fill = FILLS[problem.severity]
    sheet.cell(row, 2).fill = PatternFill("solid", start_color=fill, end_color=fill)
    if target is not None:
        link = sheet.cell(row, 4)
        link.hyperlink = Hyperlink(ref=link.coordinate, location=target)
        link.font = Font(name="宋体", size=10, color="0563C1", underline="single")
    lines = max(
        sum(1 + _width(part) // max(1, width - 2) for part in text.split("\n"))
        for text, width in zip(texts, _WIDTHS, strict=True)
    )
    sheet.row_dimensions[row].height = max(18.0, min(400.0, 14.0 * lines + 4))


def _hidden(book: Book, problem: Problem) -> str:
    """What hides the cell in the reporter's file, so that it is found."""
    if problem.sheet not in book.sheetnames:
        return ""
    sheet = book[problem.sheet]
    if getattr(sheet, "sheet_state", "visible") != "visible":
        return "工作表隐藏"
    match = re.match(r"([A-Z]+)(\d+)", problem.address or "")
    if match is None or not hasattr(sheet, "row_dimensions"):
        return ""
    if int(match[2]) in sheet.row_dimensions and sheet.row_dimensions[int(match[2])].hidden:
        return "该行隐藏"
    hidden = match[1] in sheet.column_dimensions and sheet.column_dimensions[match[1]].hidden
    return "该列隐藏" if hidden else ""


def _page_setup(sheet: Worksheet, last_row: int) -> None:
    from openpyxl.utils import get_column_letter

    for column, width in enumerate(_WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_area = f"A1:{get_column_letter(len(_WIDTHS))}{last_row}"
    sheet.sheet_properties.tabColor = EDGES["error"]
    sheet.oddFooter.center.text = "第 &P 页，共 &N 页"


# --- converting -----------------------------------------------------------------------------------


def _convert(target: Worksheet, sheet: PlainSheet) -> None:
    from openpyxl.styles import Alignment, Border, Font, Side
    from openpyxl.utils import get_column_letter

    edge = Side(style="thin", color="A6A6A6")
    widths: dict[int, int] = {}
    # a title across the table says nothing about the width of one column
    titles = {(top, left) for top, left, _, right in sheet.merged if left != right}
    for row, values in enumerate(sheet.rows, start=1):
        for column, value in enumerate(values, start=1):
            if value is None:
                continue
            cell = _value(target.cell(row, column), value)
            cell.font = Font(name="宋体", size=11)
            cell.border = Border(left=edge, right=edge, top=edge, bottom=edge)
            cell.alignment = Alignment(vertical="center")
            if (row, column) not in titles:
                widths[column] = max(widths.get(column, 0), _width(str(value)))
    for top, left, bottom, right in sheet.merged:
        if (top, left) != (bottom, right):
            target.merge_cells(start_row=top, start_column=left, end_row=bottom, end_column=right)
            alone = top == bottom or left == right
            target.cell(top, left).alignment = Alignment(
                horizontal="center", vertical="center", wrap_text=not alone
            )
    for column, width in widths.items():
        target.column_dimensions[get_column_letter(column)].width = min(32, max(9, width + 2))
    target.page_setup.orientation = "landscape"
    target.page_setup.paperSize = target.PAPERSIZE_A4
    target.page_setup.fitToWidth = 1
    target.page_setup.fitToHeight = 0
    target.sheet_properties.pageSetUpPr.fitToPage = True


def _value(cell: Any, value: Any) -> Any:
    """A value as it was read: numbers and dates as such, all else as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | date | datetime | time):
        return _text(cell, str(getattr(value, "code", value)))
    cell.value = value
    if isinstance(value, date) and not isinstance(value, datetime):
        cell.number_format = "yyyy-mm-dd"
    return cell


def _text(cell: Any, text: str) -> Any:
    """Text is text: what begins with = is no formula."""
    cell.value = _clean(text)[:32_000]
    if cell.value is not None:
        cell.data_type = "s"
    return cell


def _clean(text: str) -> str:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    return str(ILLEGAL_CHARACTERS_RE.sub("", text))


def _sheet_title(book: Book, name: str, number: int) -> str:
    """The sheet's own name where a workbook allows it."""
    clean = re.sub(r"[\[\]:*?/\\]", "_", _clean(name)).strip("'")[:31] or f"表{number}"
    return _free_title(book, clean)


def _free_title(book: Book, wanted: str) -> str:
    taken = {title.casefold() for title in book.sheetnames}
    title, number = wanted, 1
    while title.casefold() in taken:
        number += 1
        title = f"{wanted[:27]}({number})"
    return title


def _width(text: str) -> int:
    """Columns a text takes: a Chinese character counts two."""
    return sum(1 if ord(character) < 0x2E80 else 2 for character in text)


# --- results of formulas --------------------------------------------------------------------------


def _stored_results(data: bytes, book: Book) -> dict[str, dict[str, Any]]:
    """Results the file has stored for its formulas, by part name and address.

    Saving with openpyxl drops them; a viewer that does not calculate (protected view, a phone) would
    then show empty cells where the reporter wrote sums.
    """
    import openpyxl

    formulas = {
        f"xl/worksheets/sheet{number}.xml": (sheet.title, places)
        for number, sheet in enumerate(book.worksheets, start=1)
        if (
            places := [c.coordinate for row in sheet.iter_rows() for c in row if c.data_type == "f"]
        )
    }
    if not formulas:
        return {}
    values = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    return {
        part: {place: values[title][place].value for place in places}
        for part, (title, places) in formulas.items()
    }


def _with_results(data: bytes, results: dict[str, dict[str, Any]]) -> bytes:
    """The saved workbook with the stored results put back beside their formulas."""
    if not results:
        return data
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as copy,
    ):
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename in results:
                content = _put_results(content, results[entry.filename])
            copy.writestr(entry, content)
    return target.getvalue()


def _put_results(content: bytes, values: dict[str, Any]) -> bytes:
    from xml.sax.saxutils import escape

    def put(match: re.Match[bytes]) -> bytes:
        value = values.get(match["place"].decode())
        if isinstance(value, bool) or not isinstance(value, int | float | str) or value == "":
            return match[0]
        kind = b' t="str"' if isinstance(value, str) else b""
        shown = escape(_clean(value)) if isinstance(value, str) else repr(value)
        return (b"<c" + match["rest"] + kind + b">" + match["formula"] + b"<v>"
                + shown.encode() + b"</v></c>")  # fmt: skip

    return _FORMULA.sub(put, content)


# --- the same bytes every time --------------------------------------------------------------------


def _lost_parts(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        names = parts.namelist()
    lost = [
        word
        for word, folder in (
            ("宏", "xl/vbaProject"),
            ("图片", "xl/media/"),
            ("图表", "xl/charts/"),
        )
        if any(name.startswith(folder) for name in names)
    ]
    return f"原件中的{'、'.join(lost)}未带入本副本。" if lost else ""


def _bytes(book: Book, day: date) -> bytes:
    """The saved workbook without clock or platform in it."""
    buffer = io.BytesIO()
    book.properties.modified = datetime.combine(day, time(), UTC).replace(tzinfo=None)
    if not book.properties.creator or book.properties.creator == "openpyxl":
        book.properties.creator = "parkwatch"
    book.save(buffer)
    stamp = f"{day.isoformat()}T00:00:00Z".encode()
    return _same_bytes(buffer.getvalue(), stamp)


def _same_bytes(data: bytes, stamp: bytes) -> bytes:
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as copy,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", content)
                content = _CREATED.sub(rb"\g<1>" + stamp + rb"\g<2>", content)
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            copy.writestr(entry, content)
    return target.getvalue()
