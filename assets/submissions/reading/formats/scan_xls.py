"""Streaming look at the records of an .xls (BIFF5 and BIFF8, [MS-XLS]): facts, no values.

Belongs here: sheets, encryption, areas, hidden rows and columns, merges, error cells, formulas
without a saved result, macros, external links. cells whose format shows another number. Does not belong
here: values (parsers).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from assets.submissions.reading.formats.facts import Budget, Facts, SheetFacts, SheetKind
from assets.submissions.reading.formats.number_formats import Shown, noted_by, own_percents
from assets.submissions.reading.formats.ole_container import OleContainer
from assets.submissions.reading.limits import Limits
from assets.submissions.reading.rejections import refuse
from assets.submissions.reading.workbook import Notice

ERROR_CODES = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
_BOF, _EOF, _FILEPASS, _SHEET, _SUPBOOK, _VBA = 0x809, 0x0A, 0x2F, 0x85, 0x1AE, 0xD3
_ROW, _COLUMN, _MERGED, _BOOL_OR_ERROR, _FORMULA = 0x208, 0x7D, 0xE5, 0x205, 0x06
_FORMAT, _XF = 0x41E, 0xE0
_NUMBERS = (0x203, 0x27E, _FORMULA)
_BLANK, _BLANK_RUN, _RK_RUN = 0x201, 0xBE, 0xBD  # formatted without value; runs of columns
_VALUES = (0x203, 0x27E, 0xFD, 0x204, 0xD6, _BOOL_OR_ERROR, _FORMULA)
_KINDS: dict[int, SheetKind] = {0: "worksheet", 1: "macro", 2: "chart"}


def scan_xls(data: bytes, limits: Limits) -> Facts:
    """Facts of a workbook in an OLE container, or ``Refused`` (encrypted, another document …)."""
    container = OleContainer(data)
    if container.find("EncryptedPackage"):
        raise refuse("encrypted", "加密的 Office 文档（需要打开密码）")
    entry = container.find("Workbook", "Book")
    if entry is None or not entry.is_stream:
        raise refuse("wrong_type", _other_document(container))
    stream = container.read(entry)
    facts = Facts("xls")
    if container.find("_VBA_PROJECT_CUR", "Macros"):
        facts.notices.append(Notice("macro", "文件含有宏（VBA），未执行，只读取单元格的值"))
    places = _scan_globals(stream, facts)
    styles = departing_styles(stream)
    if len(places) > limits.sheets:
        raise refuse("too_many_sheets", f"{len(places)} 张工作表", limits.sheets)
    budget = Budget(limits)
    for sheet, place in zip(facts.sheets, places, strict=True):
        if sheet.kind == "worksheet":
            _SheetScan(sheet, budget, styles).run(stream, place)
            budget.close_sheet(sheet)
    return facts


def _other_document(container: OleContainer) -> str:
    for name, words in (("WordDocument", "Word 文档"), ("PowerPoint Document", "演示文稿")):
        if container.find(name):
            return words
    return "OLE 复合文档，但其中没有工作簿"


def _records(stream: bytes, place: int) -> Iterator[tuple[int, int, int]]:
    """(type, start of body, length) of each record from ``place`` on."""
    end = len(stream)
    unpack = struct.Struct("<2H").unpack_from
    while place + 4 <= end:
        kind, length = unpack(stream, place)
        body = place + 4
        place = body + length
        if place > end:
            return
        yield kind, body, length


def _scan_globals(stream: bytes, facts: Facts) -> list[int]:
    """Workbook globals: returns where each sheet starts, in workbook order."""
    if len(stream) < 8:
        raise refuse("damaged", "工作簿内容不完整")
    kind, _, version = struct.unpack_from("<3H", stream, 0)
    if kind != _BOF or version not in (0x500, 0x600):
        raise refuse("old_excel", "Excel 4.0 或更早版本的工作簿")
    places: list[int] = []
    links = 0
    for kind, body, length in _records(stream, 0):
        if kind == _FILEPASS:
            raise refuse("encrypted", "加密的 .xls 文件（需要打开密码）")
        if kind == _EOF:
            break
        if kind == _SHEET and length >= 8:
            place, state, sheet_kind = struct.unpack_from("<I2B", stream, body)
            name = _sheet_name(stream[body + 6 : body + length], version)
            known = _KINDS.get(sheet_kind & 0x0F, "other")
            facts.sheets.append(SheetFacts(name, known, visible=state & 3 == 0))
            places.append(place)
        elif kind == _SUPBOOK and length > 4:
            links += struct.unpack_from("<H", stream, body + 2)[0] not in (0x0401, 0x3A01)
        elif kind == _VBA and not any(n.code == "macro" for n in facts.notices):
            facts.notices.append(Notice("macro", "文件含有宏（VBA），未执行，只读取单元格的值"))
    if links:
        text = f"文件引用了 {links} 个外部文件，未打开；引用外部文件的单元格只读取已保存的值"
        facts.notices.append(Notice("external_links", text))
    return places


def departing_styles(stream: bytes) -> dict[int, Shown]:
    """Cell styles (place among the XF records) whose format shows another number than the cell holds."""
    codes = own_percents()
    styles: dict[int, Shown] = {}
    count = 0
    (version,) = struct.unpack_from("<H", stream, 4)
    for kind, body, length in _records(stream, 0):
        if kind == _EOF:
            break
        if kind == _FORMAT and length >= 6:
            (number,) = struct.unpack_from("<H", stream, body)
            shown = noted_by(_format_code(stream[body + 2 : body + length], version))
            if shown is not None:
                codes[number] = shown
        elif kind == _XF and length >= 4:
            shown = codes.get(struct.unpack_from("<2H", stream, body)[1])
            if shown is not None:
                styles[count] = shown
            count += 1
    return styles


def _format_code(content: bytes, version: int) -> str:
    """Code of a FORMAT record: a byte string in BIFF5, a Unicode string in BIFF8."""
    if version == 0x500:
        return content[1 : 1 + content[0]].decode("gb18030", "replace")
    (size,) = struct.unpack_from("<H", content)
    if content[2] & 1:
        return content[3 : 3 + 2 * size].decode("utf-16-le", "replace")
    return content[3 : 3 + size].decode("latin-1")


def _is_arithmetic(tokens: bytes) -> bool:
    """Does a formula end in an operation that yields a number or an error, never a text?

    Its tokens are in postfix order: the last is + - * / ^ %, a sign, or SUM.
    """
    if tokens[-1:] and tokens[-1] in b"\x03\x04\x05\x06\x07\x12\x13\x14":
        return True
    is_sum = len(tokens) >= 4 and tokens[-4] in b"\x22\x42\x62" and tokens[-2:] == b"\x04\0"
    return is_sum or tokens[-4:] == b"\x19\x10\0\0"


def _sheet_name(content: bytes, version: int) -> str:
    """Name in a BOUNDSHEET; a BIFF5 name is in the file's code page, and used for messages only."""
    size = content[0]
    if version == 0x500:
        return content[1 : 1 + size].decode("gb18030", "replace")
    if content[1:2] and content[1] & 1:
        return content[2 : 2 + 2 * size].decode("utf-16-le", "replace")
    return content[2 : 2 + size].decode("latin-1")


class _SheetScan:
    """One worksheet substream, record by record."""

    def __init__(self, sheet: SheetFacts, budget: Budget, styles: dict[int, Shown]) -> None:
        self.sheet = sheet
        self.budget = budget
        self.styles = styles
        self.handlers: dict[int, Callable[[bytes, int, int], None]] = {
            _ROW: self._row,
            _COLUMN: self._column,
            _MERGED: self._merged,
            **dict.fromkeys(_VALUES, self._value),
            _RK_RUN: self._value_run,
            _BLANK: self._empty,
            _BLANK_RUN: self._empty_run,
            _BOOL_OR_ERROR: self._bool_or_error,
            _FORMULA: self._formula,
        }
        if styles:
            plain = self.handlers.copy()
            self.handlers |= {kind: self._styled(plain[kind]) for kind in (*_NUMBERS, _RK_RUN)}

    def run(self, stream: bytes, place: int) -> None:
        """Read up to the end of this sheet, stepping over embedded charts."""
        depth = 0
        handlers = self.handlers
        for kind, body, length in _records(stream, place):
            if kind == _BOF:
                depth += 1
            elif kind == _EOF:
                depth -= 1
                if depth <= 0:
                    return
            elif depth == 1 and kind in handlers:
                try:
                    handlers[kind](stream, body, length)
                except struct.error:
                    raise refuse("damaged", f"工作表“{self.sheet.name}”的记录不完整") from None

    def _styled(
        self, plain: Callable[[bytes, int, int], None]
    ) -> Callable[[bytes, int, int], None]:
        """``plain``, and the cells of the record that have a departing style."""

        def read(stream: bytes, body: int, length: int) -> None:
            plain(stream, body, length)
            row, column = struct.unpack_from("<2H", stream, body)
            run = range(body + 4, body + length - 2, 6)  # a style and a number for each cell
            for number, place in enumerate(run if self._is_run(stream, body) else [body + 4]):
                (style,) = struct.unpack_from("<H", stream, place)
                if style in self.styles:
                    shown = self.styles[style]
                    self.sheet.departing[row + 1, column + number + 1] = (shown.code, shown.unit)

        return read

    @staticmethod
    def _is_run(stream: bytes, body: int) -> bool:
        return bool(struct.unpack_from("<H", stream, body - 4)[0] == _RK_RUN)

    def _count(self, cells: int) -> None:
        self.sheet.cells += cells
        if self.sheet.cells > self.budget.room:
            raise self.budget.overflow(self.sheet)

    def _value(self, stream: bytes, body: int, _length: int) -> None:
        row, column = struct.unpack_from("<2H", stream, body)
        self._count(1)
        self.sheet.reach(row + 1, column + 1)

    def _value_run(self, stream: bytes, body: int, length: int) -> None:
        row, first = struct.unpack_from("<2H", stream, body)
        (last,) = struct.unpack_from("<H", stream, body + length - 2)
        self._count(max(0, last - first + 1))
        self.sheet.reach(row + 1, last + 1)

    def _empty(self, _stream: bytes, _body: int, _length: int) -> None:
        self._count(1)

    def _empty_run(self, _stream: bytes, _body: int, length: int) -> None:
        self._count(max(0, length - 6) // 2)

    def _bool_or_error(self, stream: bytes, body: int, length: int) -> None:
        self._value(stream, body, length)
        row, column, _, code, is_error = struct.unpack_from("<3H2B", stream, body)
        if is_error:
            self.sheet.errors[row + 1, column + 1] = ERROR_CODES.get(code, f"#ERR{code}")

    def _formula(self, stream: bytes, body: int, length: int) -> None:
        self._value(stream, body, length)
        row, column, _, result, flags = struct.unpack_from("<3H8sH", stream, body)
        self.sheet.formulas += 1
        if result[6:] == b"\xff\xff":
            if result[0] == 2:
                self.sheet.errors[row + 1, column + 1] = ERROR_CODES.get(result[2], "#ERR")
            elif result[0] == 3 and _is_arithmetic(stream[body + 22 : body + length]):
                self.sheet.uncached.add((row + 1, column + 1))  # xlwt: "empty text" for a product
        elif flags & 3 == 3 and result == bytes(8):
            # "calculate always" and "on load" with a zero: the writer (PEAR) computed nothing
            self.sheet.uncached.add((row + 1, column + 1))

    def _row(self, stream: bytes, body: int, _length: int) -> None:
        row, flags = struct.unpack_from("<H10xH", stream, body)
        if flags & 0x20:
            self.sheet.hidden_rows.append((row + 1, row + 1))

    def _column(self, stream: bytes, body: int, _length: int) -> None:
        first, last, width, _, flags = struct.unpack_from("<5H", stream, body)
        if flags & 1 or width == 0:
            self.sheet.hidden_columns.append((first + 1, last + 1))

    def _merged(self, stream: bytes, body: int, length: int) -> None:
        (count,) = struct.unpack_from("<H", stream, body)
        if len(self.sheet.merged) > self.budget.limits.merged:
            return
        for index in range(min(count, (length - 2) // 8)):
            top, bottom, left, right = struct.unpack_from("<4H", stream, body + 2 + index * 8)
            self.sheet.merged.append((top + 1, left + 1, bottom + 1, right + 1))
