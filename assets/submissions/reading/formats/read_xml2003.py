"""Excel 2003 XML spreadsheets (SpreadsheetML), usually saved with the suffix .xls.

Belongs here: values, merges and hidden parts of that vocabulary, in one streaming pass.
Does not belong here: styles, formulas, any other XML.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from assets.submissions.reading.formats.facts import MAX_COLUMN, MAX_ROW, Budget, SheetFacts
from assets.submissions.reading.formats.scan_xlsx import Attributes, stream
from assets.submissions.reading.limits import MIB, Limits
from assets.submissions.reading.rejections import refuse
from assets.submissions.reading.textfile import decode
from assets.submissions.reading.workbook import CellValue, ErrorValue

SheetRows = tuple[SheetFacts, list[list[CellValue]]]

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_WHOLE = re.compile(r"-?\d{1,15}")


def read_xml2003(data: bytes, limits: Limits) -> list[SheetRows]:
    """Facts and rows of each worksheet. Raises ``Refused``."""
    if len(data) > limits.text_bytes:
        limit = limits.text_bytes // MIB
        raise refuse("text_too_large", f"{len(data) / MIB:,.0f} MB", limit)
    # decoded by our own strict rule: expat knows no Chinese encoding
    text = _DECLARATION.sub("", decode(data).text, count=1)
    reader = _Reader(Budget(limits))
    stream([text.encode("utf-8")], "workbook", reader.install)
    if not reader.sheets:
        raise refuse("no_sheets", "0 张工作表")
    return reader.sheets


class _Reader:
    """Handlers of the workbook; element names are taken without their prefixes."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.sheets: list[SheetRows] = []
        self.sheet = SheetFacts("")
        self.rows: list[list[CellValue]] = []
        self.row = self.column = self.next_row = self.next_column = 0
        self.column_cursor = 0
        self.kind = ""
        self.pieces: list[str] | None = None
        self.starts: dict[str, Callable[[Attributes], None]] = {
            "Worksheet": self._worksheet,
            "Column": self._column,
            "Row": self._row,
            "Cell": self._cell,
            "Data": self._data,
        }
        self.ends: dict[str, Callable[[], None]] = {
            "Worksheet": self._end_worksheet,
            "Data": self._end_data,
            "Visible": self._end_visible,
        }

    def install(self, parser: object, name: str, attributes: Attributes) -> None:
        """Root element: hand the parser over to the real handlers."""
        parser.StartElementHandler = self._start  # type: ignore[attr-defined]
        parser.EndElementHandler = self._end  # type: ignore[attr-defined]
        parser.CharacterDataHandler = self._text  # type: ignore[attr-defined]
        self._start(name, attributes)

    def _start(self, name: str, attributes: Attributes) -> None:
        local = name.rpartition(":")[2]
        if local == "Visible":
            self.pieces = []
        elif local in self.starts:
            self.starts[local]({k.rpartition(":")[2]: v for k, v in attributes.items()})

    def _end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local in self.ends:
            self.ends[local]()

    def _text(self, text: str) -> None:
        if self.pieces is not None:
            self.pieces.append(text)

    def _worksheet(self, attributes: Attributes) -> None:
        self.sheet = SheetFacts(attributes.get("Name", f"Sheet{len(self.sheets) + 1}"))
        self.rows = []
        self.row = self.next_row = self.column_cursor = 0

    def _end_worksheet(self) -> None:
        self.budget.close_sheet(self.sheet)
        self.sheets.append((self.sheet, self.rows))
        if len(self.sheets) > self.budget.limits.sheets:
            raise refuse("too_many_sheets", "工作表过多", self.budget.limits.sheets)

    def _end_visible(self) -> None:
        text, self.pieces = "".join(self.pieces or ()), None
        if text.strip() in ("SheetHidden", "SheetVeryHidden"):
            self.sheet.visible = False

    def _column(self, attributes: Attributes) -> None:
        first = int(attributes.get("Index", self.column_cursor + 1))
        self.column_cursor = first + int(attributes.get("Span", "0"))
        if attributes.get("Hidden") == "1" and 0 < first <= MAX_COLUMN:
            self.sheet.hidden_columns.append((first, self.column_cursor))

    def _row(self, attributes: Attributes) -> None:
        self.row = int(attributes.get("Index", self.next_row + 1))
        last = self.row + int(attributes.get("Span", "0"))
        self.next_row = last
        self.next_column = 0
        if attributes.get("Hidden") == "1" and self.row > 0:
            self.sheet.hidden_rows.append((self.row, last))

    def _cell(self, attributes: Attributes) -> None:
        self.sheet.cells += 1
        if self.sheet.cells > self.budget.room:
            raise self.budget.overflow(self.sheet)
        self.column = int(attributes.get("Index", self.next_column + 1))
        right = self.column + int(attributes.get("MergeAcross", "0"))
        bottom = self.row + int(attributes.get("MergeDown", "0"))
        self.next_column = right
        merged = self.sheet.merged
        if (right, bottom) != (self.column, self.row) and len(merged) <= self.budget.limits.merged:
            merged.append((self.row, self.column, bottom, right))

    def _data(self, attributes: Attributes) -> None:
        self.kind = attributes.get("Type", "String")
        self.pieces = []

    def _end_data(self) -> None:
        text, self.pieces = "".join(self.pieces or ()), None
        value = _value(self.kind, text)
        if value is None:
            return
        row, column = self.row, self.column
        if not (0 < row <= MAX_ROW and 0 < column <= MAX_COLUMN):
            raise refuse("damaged", f"工作表“{self.sheet.name}”有单元格超出表格边界")
        self.sheet.reach(row, column)
        if self.sheet.rows * self.sheet.columns > self.budget.limits.box:
            self.budget.close_sheet(self.sheet)
        while len(self.rows) < row:
            self.rows.append([])
        values = self.rows[row - 1]
        values += [None] * (column - len(values))
        values[column - 1] = value
        if isinstance(value, ErrorValue):
            self.sheet.errors[row, column] = value.code


def _value(kind: str, text: str) -> CellValue:
    """Typed value of ``ss:Data``; raises ``ValueError`` (damaged) for an impossible number."""
    if kind == "Number":
        return int(text) if _WHOLE.fullmatch(text) else _finite(text)
    if kind == "Boolean":
        return text.strip() == "1"
    if kind == "Error":
        return ErrorValue(text.strip() or "#VALUE!")
    if kind == "DateTime":
        moment = datetime.fromisoformat(text.strip())
        return moment.date() if (moment.hour, moment.minute, moment.second) == (0, 0, 0) else moment
    return text or None


def _finite(text: str) -> CellValue:
    number = float(text)
    return number if number - number == 0 else ErrorValue("#NUM!")
