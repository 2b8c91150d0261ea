"""Delimited text (csv, tsv, txt): strict decoding and a delimiter found by rule.

Belongs here: byte-order marks, UTF-8, GB18030, quotes and delimiters, ragged rows kept as they are.
Does not belong here: statistical guessing of any kind, the meaning of a row, numbers.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from assets.submissions.reading.limits import DEFAULT_LIMITS, MIB, Limits
from assets.submissions.reading.rejections import refuse
from assets.submissions.reading.workbook import CellValue, Notice, Sheet, Workbook

SHEET_NAME = "文本"
DELIMITERS = "\t;,|"
"""In order of precedence when two occur on equally many lines: a comma also sits inside numbers."""

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_SAMPLE = 1_000_000  # characters looked at for the delimiter
# a quoted field starts a line or follows a delimiter; possessive, so it cannot backtrack
_QUOTED = re.compile(r'(?:^|(?<=[\t;,|\n]))"(?:[^"]|"")*+"', re.MULTILINE)
_EXCEL_TEXT = re.compile(r'="([^"]*)"')
# six CJK characters in a row as UTF-8 bytes: text in GB18030 does not look like that by accident
_UTF8_RUN = re.compile(rb"(?:[\xe3-\xe9\xef][\x80-\xbf]{2}){6}")
_THREE_BYTES = re.compile(rb"[\xe3-\xe9\xef][\x80-\xbf]{2}")
_MIXED_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text without its byte-order mark, and the name of the encoding."""

    text: str
    encoding: str


def decode(data: bytes) -> Decoded:
    """BOM → strict UTF-8 → strict GB18030 → ``Refused``; the whole file, never a prefix.

    GB18030 (a superset of GBK and GB2312) accepts many byte strings that are something else, so
    two exact tests follow it: no unassigned character, and no lines that are valid UTF-8 Chinese.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decode_marked(data[len(mark) :], encoding)
    nul = data.find(b"\0")
    if nul >= 0:
        raise refuse("binary_text", f"第 {nul + 1} 字节为空字符（NUL）")
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError as error:
        utf8_error = error
    if _is_cut(data, utf8_error) or _has_utf8_lines(data):
        raise refuse("encoding_mixed", _where(data, utf8_error, "UTF-8"))
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise refuse("encoding_unknown", _where(data, error, "UTF-8 或 GB18030")) from None
    for character in sorted(set(text)):
        if unicodedata.category(character) == "Cn" or "\x80" <= character <= "\x9f":
            found = f"按 GB18030 解读出现无效字符 U+{ord(character):04X}"
            raise refuse("encoding_unknown", found)
    return Decoded(text, "gb18030")


def find_delimiter(text: str) -> str | None:
    """The delimiter that stands outside quotes on the most lines; ``None`` when there is none.

    A first line ``sep=;`` (Excel's own declaration) decides by itself.
    """
    declared = _declared_delimiter(text)
    if declared:
        return declared
    bare = _QUOTED.sub("", text[:_SAMPLE])
    lines = bare.splitlines()
    counts = {mark: sum(mark in line for line in lines) for mark in DELIMITERS}
    best = max(DELIMITERS, key=lambda mark: counts[mark])  # the first of equals
    return best if counts[best] else None


def read_text(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Workbook:
    """A delimited file as a workbook of one sheet of strings. Raises ``Refused``.

    ``="00123"``, Excel's way of keeping leading zeros in CSV, becomes ``00123``; nothing else is
    changed. An unclosed quote would swallow the rest of the file: then quotes are taken literally
    and a notice says so.
    """
    if len(data) > limits.text_bytes:
        found = f"{len(data) / MIB:,.0f} MB"
        raise refuse("text_too_large", found, limits.text_bytes // MIB)
    text = decode(data).text
    delimiter = find_delimiter(text)
    if _declared_delimiter(text):
        text = text.partition("\n")[2]
    notices: tuple[Notice, ...] = ()
    try:
        rows = _read_rows(text, delimiter, limits, quotes=True)
    except csv.Error as error:
        raise refuse("field_too_long", str(error), limits.field_chars) from None
    except EOFError:
        rows = _read_rows(text, delimiter, limits, quotes=False)
        text_zh = "文本中的引号不成对，引号已按普通字符读取，请核对各列内容"
        notices = (Notice("unbalanced_quotes", text_zh, SHEET_NAME),)
    if not rows:
        raise refuse("empty_file", "只有空白行")
    kind = "txt" if delimiter is None else "tsv" if delimiter == "\t" else "csv"
    return Workbook(kind, (Sheet(SHEET_NAME, rows),), notices)


def _decode_marked(body: bytes, encoding: str) -> Decoded:
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        found = _where(body, error, encoding.upper())
        raise refuse("encoding_mixed", found) from None
    if "\0" in text:
        raise refuse("binary_text", "文本中有空字符（NUL）")
    return Decoded(text, encoding)


def _is_cut(data: bytes, error: UnicodeDecodeError) -> bool:
    """Valid UTF-8 Chinese up to an unfinished last character: a transfer that broke off."""
    return error.reason == "unexpected end of data" and len(_THREE_BYTES.findall(data)) >= 2


def _has_utf8_lines(data: bytes) -> bool:
    """Does a file that is not UTF-8 as a whole hold Chinese lines in UTF-8?"""
    if _UTF8_RUN.search(data):
        return True
    characters = 0
    for line in data.splitlines():
        found = len(_THREE_BYTES.findall(line))
        if not found:
            continue
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            continue
        characters += found
    return characters >= _MIXED_CHARACTERS


def _where(data: bytes, error: UnicodeDecodeError, encoding: str) -> str:
    line = data.count(b"\n", 0, error.start) + 1
    shown = data[error.start : error.start + 4].hex(" ").upper()
    return f"第 {line} 行（第 {error.start + 1} 字节 {shown}）不是有效的 {encoding} 文本"


def _declared_delimiter(text: str) -> str | None:
    first = text[:8].splitlines()[0].strip() if text[:8].strip() else ""
    return first[4] if first.lower().startswith("sep=") and len(first) == 5 else None


def _read_rows(
    text: str, delimiter: str | None, limits: Limits, quotes: bool
) -> list[list[CellValue]]:
    """Rows with trailing blanks cut. Raises ``EOFError`` when a quote is never closed."""
    csv.field_size_limit(limits.field_chars)
    mark = delimiter or "\t"
    if not quotes:
        plain = csv.reader(io.StringIO(text, newline=""), delimiter=mark, quoting=csv.QUOTE_NONE)
        return _collect(plain, limits)
    try:
        strict = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
        return _collect(strict, limits)
    except csv.Error as error:
        if "end of data" in str(error):
            raise EOFError from None
    # characters after a closing quote: read leniently, as spreadsheet programs do
    return _collect(csv.reader(io.StringIO(text, newline=""), delimiter=mark), limits)


def _collect(lines: Iterable[list[str]], limits: Limits) -> list[list[CellValue]]:
    rows: list[list[CellValue]] = []
    cells = width = filled = 0
    for fields in lines:
        row: list[CellValue] = [_clean(field) if field else None for field in fields]
        while row and row[-1] is None:
            row.pop()
        cells += len(row)
        width = max(width, len(row))
        rows.append(row)
        filled = len(rows) if row else filled
        if cells > limits.cells:
            raise refuse("too_many_cells", f"读到第 {len(rows):,} 行时已超限", limits.cells)
        if len(rows) * max(width, 1) > limits.box:
            raise refuse("box_too_large", f"{len(rows):,} 行 × {width:,} 列", limits.box)
    return rows[:filled]


def _clean(field: str) -> str:
    if field[0] == "=" and field[1:2] == '"':
        match = _EXCEL_TEXT.fullmatch(field)
        return match[1] if match else field
    return field
