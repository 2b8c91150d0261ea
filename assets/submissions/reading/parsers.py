"""From bytes to a ``Workbook``: one function per format, run inside the reading process.

Belongs here: values through calamine, the facts of the pre-scan laid over them (error cells,
formulas without a saved result), passwords. Does not belong here: type detection and limits
(prescan), processes (sandbox), structure or meaning of a table (structure detection, layouts).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

from assets.submissions.reading.formats.facts import Facts, SheetFacts, notices_of
from assets.submissions.reading.formats.number_formats import PERCENT
from assets.submissions.reading.formats.ole_container import MAGIC as OLE_MAGIC
from assets.submissions.reading.formats.read_html import read_html
from assets.submissions.reading.formats.read_ods import read_ods
from assets.submissions.reading.formats.read_xml2003 import read_xml2003
from assets.submissions.reading.formats.zip_directory import read_directory
from assets.submissions.reading.limits import DEFAULT_LIMITS, Limits
from assets.submissions.reading.prescan import prescan
from assets.submissions.reading.rejections import Refused, refuse, rejection
from assets.submissions.reading.textfile import read_text
from assets.submissions.reading.workbook import (
    SHOWN_OTHERWISE,
    CellValue,
    ErrorValue,
    Notice,
    Rejected,
    Sheet,
    Workbook,
)

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

_PANIC = "PanicException"  # of a library written in Rust; no ``Exception``, and cannot be imported
DEFAULT_PASSWORD = "VelvetSweatshop"
"""Excel's password of files only protected against changes ([MS-OFFCRYPTO] 2.4.2.3)."""

# msoffcrypto keeps an .xls in a temporary file, and no file can be opened in the reading process.
_MEMORY_ONLY = SimpleNamespace(TemporaryFile=io.BytesIO)
_INFINITY = float("inf")
_NOT_FINITE = ErrorValue("#NUM!")
"""What a spreadsheet shows for a number that is none; some writers store NaN and infinity."""

_OPENED = Notice("decrypted", "文件带有打开密码，已用配置的口令打开")
_WRITE_PROTECTED = Notice("write_protected", "文件设有修改保护，不影响读取")

SheetRows = tuple[SheetFacts, list[list[CellValue]]]


def read_workbook(
    data: bytes, limits: Limits = DEFAULT_LIMITS, passwords: Sequence[str] | None = None
) -> Workbook | Rejected:
    """Read a file of any accepted format. Bad input gives ``Rejected``, never an exception.

    ``passwords``: tried in order on an encrypted file after Excel's default one; ``None`` means
    this process cannot decrypt and an encrypted file is refused at once. Abort, exhausted memory
    and endless loops are the sandbox's business.
    """
    facts = prescan(data, limits)
    notices: list[Notice] = []
    if isinstance(facts, Rejected) and facts.code == "encrypted" and passwords is not None:
        opened = _decrypt(data, facts, passwords)
        if isinstance(opened, Rejected):
            return opened
        data, notice = opened
        facts = prescan(data, limits)
        notices.append(notice)
    if isinstance(facts, Rejected):
        return facts
    try:
        book = _READERS[facts.format](data, facts, limits)
    except Refused as refused:
        return refused.rejected
    except MemoryError:
        raise
    except BaseException as error:  # parsers of hostile input raise anything; the file is refused
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            raise
        return rejection("damaged", f"解析失败：{type(error).__name__}：{str(error)[:120]}")
    return Workbook(book.format, book.sheets, (*notices, *book.notices)) if notices else book


def _read_calamine(data: bytes, facts: Facts, limits: Limits) -> Workbook:
    """xlsx, xlsm, xlsb, xls: values by calamine from bytes, positions kept, facts laid over."""
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    except CalamineError:
        if any(sheet.kind == "macro" for sheet in facts.sheets):
            raise refuse("macro_sheet", "、".join(_names(facts, "macro"))) from None
        raise
    sheets = []
    for index, meta in enumerate(book.sheets_metadata):
        sheet_facts = _facts_of(facts, index, meta.name)
        if meta.typ != SheetTypeEnum.WorkSheet or sheet_facts.kind != "worksheet":
            continue
        rows = _read_rows(book.get_sheet_by_index(index), limits)
        sheets.append(_sheet(sheet_facts, _lay_over(rows, sheet_facts)))
    if not sheets:
        raise refuse("no_sheets", "没有可读取的工作表（只有图表或宏表）")
    return Workbook(facts.format, tuple(sheets), tuple(facts.notices))


def _names(facts: Facts, kind: str) -> list[str]:
    return [f"“{sheet.name}”" for sheet in facts.sheets if sheet.kind == kind]


def _facts_of(facts: Facts, index: int, name: str) -> SheetFacts:
    """Facts of a sheet of calamine's list: same place, else same name."""
    if index < len(facts.sheets) and facts.sheets[index].name == name:
        return facts.sheets[index]
    named = [sheet for sheet in facts.sheets if sheet.name == name]
    if named:
        return named[0]
    if index < len(facts.sheets):  # BIFF5 names are decoded with the file's code page only there
        facts.sheets[index].name = name
        return facts.sheets[index]
    return SheetFacts(name)


def _read_rows(sheet: CalamineSheet, limits: Limits) -> list[list[CellValue]]:
    """Rows from row 1 and column A; calamine's empty string is a blank."""
    if sheet.total_height * sheet.total_width > limits.box:
        found = f"{sheet.total_height:,} 行 × {sheet.total_width:,} 列"
        raise refuse("box_too_large", found, limits.box)
    rows: list[list[CellValue]] = []
    for values in sheet.to_python(skip_empty_area=False):
        if values.count("") == len(values):
            rows.append([])
            continue
        row = [
            None if value == "" else value if value == value else _NOT_FINITE for value in values
        ]
        if timedelta in map(type, row):
            row = [_days(value) if isinstance(value, timedelta) else value for value in row]
        if _INFINITY in row or -_INFINITY in row:
            row = [_NOT_FINITE if value in (_INFINITY, -_INFINITY) else value for value in row]
        rows.append(row)
    return rows


def _days(span: timedelta) -> float:
    """An elapsed time as the file stores it: days."""
    return span / timedelta(days=1)


def _lay_over(rows: list[list[CellValue]], facts: SheetFacts) -> list[list[CellValue]]:
    """Error cells (calamine: empty) and formulas without a result (calamine: empty or 0)."""
    for (row, column), code in facts.errors.items():
        _put(rows, row, column, ErrorValue(code))
    for row, column in facts.uncached:
        if row <= len(rows) and column <= len(rows[row - 1]):
            _put(rows, row, column, None)
    for (row, column), (code, unit) in facts.departing.items():
        if unit != PERCENT:
            _show_departure(rows, row, column, code, unit)
    return rows


def _show_departure(
    rows: list[list[CellValue]], row: int, column: int, code: str, unit: str
) -> None:
    """A number whose format adds a unit becomes the text a reader sees; one that the format scales
    becomes an error cell that says so: which of the two numbers is meant nobody can tell."""
    if row > len(rows) or column > len(rows[row - 1]):
        return
    value = rows[row - 1][column - 1]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    stored = format(value, ".15g")
    if unit:
        _put(rows, row, column, f"{stored}{unit}")
    elif value:
        _put(rows, row, column, ErrorValue(f"{stored}（{SHOWN_OTHERWISE} {code}）"))


def _put(rows: list[list[CellValue]], row: int, column: int, value: CellValue) -> None:
    while len(rows) < row:
        rows.append([])
    values = rows[row - 1]
    if len(values) < column:
        values += [None] * (column - len(values))
    values[column - 1] = value


def _sheet(facts: SheetFacts, rows: list[list[CellValue]]) -> Sheet:
    return Sheet(
        name=facts.name,
        rows=_trimmed(rows),
        merged=tuple(facts.merged),
        visible=facts.visible,
        hidden_rows=facts.hidden("rows"),
        hidden_columns=facts.hidden("columns"),
        uncached_formulas=frozenset(facts.uncached),
        percents=frozenset(p for p, (_, unit) in facts.departing.items() if unit == PERCENT),
    )


def _trimmed(rows: list[list[CellValue]]) -> list[list[CellValue]]:
    """Rows without blanks at their ends, and no empty rows at the end."""
    for row in rows:
        while row and row[-1] is None:
            row.pop()
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _workbook(kind: str, sheets: list[SheetRows], notices: list[Notice]) -> Workbook:
    """Workbook of a format whose reader finds facts and values in the same pass."""
    found = notices + notices_of(facts for facts, _ in sheets)
    return Workbook(kind, tuple(_sheet(facts, rows) for facts, rows in sheets), tuple(found))


def _read_ods(data: bytes, facts: Facts, limits: Limits) -> Workbook:
    directory = read_directory(data, limits)
    return _workbook("ods", read_ods(data, directory, limits), facts.notices)


def _read_html(data: bytes, facts: Facts, limits: Limits) -> Workbook:
    sheets, notices = read_html(data, limits)
    return _workbook("html", sheets, facts.notices + notices)


def _read_xml2003(data: bytes, facts: Facts, limits: Limits) -> Workbook:
    return _workbook("xml2003", read_xml2003(data, limits), facts.notices)


def _read_text(data: bytes, _facts: Facts, limits: Limits) -> Workbook:
    return read_text(data, limits)


_READERS = {
    "xlsx": _read_calamine,
    "xlsm": _read_calamine,
    "xlsb": _read_calamine,
    "xls": _read_calamine,
    "ods": _read_ods,
    "html": _read_html,
    "xml2003": _read_xml2003,
    "text": _read_text,
}


def _decrypt(
    data: bytes, facts: Rejected, passwords: Sequence[str]
) -> tuple[bytes, Notice] | Rejected:
    """The decrypted file with a notice, or why not. Excel's default password is tried first."""
    import msoffcrypto
    from msoffcrypto.format import xls97

    xls97.tempfile = _MEMORY_ONLY
    if not data.startswith(OLE_MAGIC):
        return rejection("encrypted_unsupported", facts.found)
    for password in (DEFAULT_PASSWORD, *passwords):
        plain = io.BytesIO()
        try:
            office = msoffcrypto.OfficeFile(io.BytesIO(data))
            checked = {"verify_password": True} if office.format == "ooxml" else {}
            office.load_key(password=password, **checked)
            office.decrypt(plain)
        except msoffcrypto.exceptions.InvalidKeyError:
            continue
        except MemoryError:
            raise
        except Exception as error:  # unknown schemes and damaged headers
            return rejection("encrypted_unsupported", f"{facts.found}：{type(error).__name__}")
        notice = _WRITE_PROTECTED if password == DEFAULT_PASSWORD else _OPENED
        return plain.getvalue(), notice
    if not passwords:
        return facts
    return rejection("encrypted_password", f"{facts.found}，试过 {len(passwords)} 个口令")
