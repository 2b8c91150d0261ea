"""OpenDocument spreadsheets (.ods) read in one streaming pass over ``content.xml``.

Belongs here: values, dates, errors, merges, hidden sheets, rows and columns of OpenDocument 1.2.
Does not belong here: the zip container and encryption (prescan), formulas' evaluation.
Written out because repeated rows and columns must be bounded while reading, and no reader at hand
tells merges, hidden parts and error cells.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time

from assets.submissions.reading.formats.facts import MAX_COLUMN, MAX_ROW, Budget, SheetFacts
from assets.submissions.reading.formats.number_formats import MONEY_UNIT, PERCENT, Shown
from assets.submissions.reading.formats.scan_xlsx import Attributes, stream
from assets.submissions.reading.formats.zip_directory import Directory, Member, unpack
from assets.submissions.reading.limits import Limits
from assets.submissions.reading.rejections import refuse
from assets.submissions.reading.workbook import SHOWN_OTHERWISE, CellValue, ErrorValue

_ERROR = re.compile(r"(#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!)|Err:\d{3})")
_DURATION = re.compile(r"(-?)P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d+))?S)?")
_WHOLE = re.compile(r"-?\d{1,15}")
_NUMBER_STYLES = ("number:number-style", "number:currency-style")
_SKIPPED = ("office:annotation", "draw:frame", "office:event-listeners", "office:shapes")

SheetRows = tuple[SheetFacts, list[list[CellValue]]]


@dataclass(slots=True)
class _DataStyle:
    """A number style: whether it divides what it shows, and the text beside the number."""

    scaled: bool = False
    text: str = ""


@dataclass(slots=True)
class _Cell:
    attributes: Attributes
    lines: list[str] = field(default_factory=list)


def read_ods(data: bytes, directory: Directory, limits: Limits) -> list[SheetRows]:
    """Facts and rows of each sheet, in file order. Raises ``Refused``."""
    reader = _Reader(Budget(limits))
    member: Member = directory["content.xml"]
    stream(unpack(data, member), member.name, reader.install)
    if not reader.sheets:
        raise refuse("no_sheets", "0 张工作表")
    return reader.sheets


class _Reader:
    """Handlers of ``content.xml``; element names carry their usual prefixes."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.sheets: list[SheetRows] = []
        self.hidden_styles: set[str] = set()
        self.style = ""
        self.depth = 0  # inside an element whose text does not belong to the cell
        self.tables = 0
        self.cell: _Cell | None = None
        self.in_text = False
        self.sheet = SheetFacts("")
        self.rows: list[list[CellValue]] = []
        self.values: list[CellValue] = []
        self.row_uncached: list[int] = []
        self.row_errors: list[tuple[int, str]] = []
        self.row_percents: list[int] = []
        self.row_number = self.column_number = 0
        self.repeat = 1
        self.data_styles: dict[str, _DataStyle] = {}
        self.data_style: _DataStyle | None = None
        self.uses: dict[str, str] = {}
        self.cell_styles: dict[str, Shown] = {}
        self.column_styles: list[tuple[int, int, str]] = []
        self.starts: dict[str, Callable[[Attributes], None]] = {
            "style:style": self._style,
            **dict.fromkeys(_NUMBER_STYLES, self._number_style),
            "number:number": self._number_shown,
            "style:table-properties": self._table_properties,
            "table:table": self._table,
            "table:table-column": self._column,
            "table:table-row": self._row,
            "table:table-cell": self._cell,
            "table:covered-table-cell": self._cell,  # below a merge: kept, as other formats do
            "text:p": self._paragraph,
            "text:s": lambda a: self._text(" " * min(int(a.get("text:c", "1")), 1000)),
            "text:tab": lambda _: self._text("\t"),
            "text:line-break": lambda _: self._text("\n"),
        }
        self.ends: dict[str, Callable[[], None]] = {
            **dict.fromkeys(_NUMBER_STYLES, self._end_number_style),
            "table:table": self._end_table,
            "table:table-row": self._end_row,
            "table:table-cell": self._end_cell,
            "table:covered-table-cell": self._end_cell,
            "text:p": self._end_paragraph,
        }

    def install(self, parser: object, name: str, attributes: Attributes) -> None:
        """Root element: hand the parser over to the real handlers."""
        parser.StartElementHandler = self._start  # type: ignore[attr-defined]
        parser.EndElementHandler = self._end  # type: ignore[attr-defined]
        parser.CharacterDataHandler = self._text  # type: ignore[attr-defined]
        self._start(name, attributes)

    def _start(self, name: str, attributes: Attributes) -> None:
        if self.depth or name in _SKIPPED:
            self.depth += 1
        elif name in self.starts:
            self.starts[name](attributes)

    def _end(self, name: str) -> None:
        if self.depth:
            self.depth -= 1
        elif name in self.ends:
            self.ends[name]()

    def _number_style(self, attributes: Attributes) -> None:
        self.data_style = _DataStyle()
        self.data_styles[attributes.get("style:name", "")] = self.data_style

    def _end_number_style(self) -> None:
        self.data_style = None

    def _number_shown(self, attributes: Attributes) -> None:
        if self.data_style is not None and attributes.get("number:display-factor", "1") != "1":
            self.data_style.scaled = True

    def _style(self, attributes: Attributes) -> None:
        self.style = attributes.get("style:name", "")
        if "style:data-style-name" in attributes:
            self.uses[self.style] = attributes["style:data-style-name"]

    def _departing_styles(self) -> dict[str, Shown]:
        """Cell styles whose number style scales or adds a unit; all styles stand before the first table."""
        found: dict[str, Shown] = {}
        for style, name in self.uses.items():
            shown = self.data_styles.get(name, _DataStyle())
            unit = shown.text.strip()
            if shown.scaled:
                found[style] = Shown("缩小单位显示", scaled=True)
            elif MONEY_UNIT.fullmatch(unit):
                found[style] = Shown(unit, scaled=False, unit=unit)
        return found

    def _table_properties(self, attributes: Attributes) -> None:
        if attributes.get("table:display") == "false":
            self.hidden_styles.add(self.style)

    def _table(self, attributes: Attributes) -> None:
        self.tables += 1
        if self.tables > 1:  # a table inside a cell: not part of the sheet
            self.depth += 1
            self.tables -= 1
            return
        name = attributes.get("table:name", f"Sheet{len(self.sheets) + 1}")
        visible = attributes.get("table:style-name") not in self.hidden_styles
        self.sheet = SheetFacts(name, visible=visible)
        self.rows = []
        self.cell_styles = self._departing_styles()
        self.column_styles = []
        self.row_number = self.column_number = 0

    def _end_table(self) -> None:
        self.tables -= 1
        self.budget.close_sheet(self.sheet)
        self.sheets.append((self.sheet, self.rows))
        if len(self.sheets) > self.budget.limits.sheets:
            raise refuse("too_many_sheets", "工作表过多", self.budget.limits.sheets)

    def _column(self, attributes: Attributes) -> None:
        count = _repeats(attributes, "table:number-columns-repeated")
        if attributes.get("table:visibility") in ("collapse", "filter"):
            span = (self.column_number + 1, self.column_number + count)
            self.sheet.hidden_columns.append(span)
        style = attributes.get("table:default-cell-style-name", "")
        if style in self.cell_styles:
            self.column_styles.append((self.column_number + 1, self.column_number + count, style))
        self.column_number += count

    def _row(self, attributes: Attributes) -> None:
        self.repeat = _repeats(attributes, "table:number-rows-repeated")
        self.values, self.row_uncached, self.row_errors, self.row_percents = [], [], [], []
        self.column_number = 0
        if attributes.get("table:visibility") in ("collapse", "filter"):
            span = (self.row_number + 1, self.row_number + self.repeat)
            self.sheet.hidden_rows.append(span)

    def _end_row(self) -> None:
        """Store the row as often as it is repeated; an empty one only moves the position."""
        first = self.row_number
        self.row_number += self.repeat
        if not self.values:
            return
        if self.row_number > MAX_ROW:
            raise refuse("damaged", f"工作表“{self.sheet.name}”有单元格超出表格边界")
        self.sheet.reach(self.row_number, len(self.values))
        if self.sheet.rows * self.sheet.columns > self.budget.limits.box:
            self.budget.close_sheet(self.sheet)
        filled = sum(value is not None for value in self.values) + len(self.row_uncached)
        self.sheet.cells += filled * self.repeat
        if self.sheet.cells > self.budget.room:
            raise self.budget.overflow(self.sheet)
        while len(self.rows) < first:
            self.rows.append([])
        for row in range(first + 1, self.row_number + 1):
            self.rows.append(list(self.values))
            self.sheet.uncached.update((row, column) for column in self.row_uncached)
            self.sheet.errors.update(((row, column), code) for column, code in self.row_errors)
            self.sheet.departing.update(
                ((row, column), ("0%", PERCENT)) for column in self.row_percents
            )

    def _cell(self, attributes: Attributes) -> None:
        self.cell = _Cell(attributes)

    def _paragraph(self, _attributes: Attributes) -> None:
        if self.cell is not None:
            self.cell.lines.append("")
            self.in_text = True

    def _end_paragraph(self) -> None:
        self.in_text = False

    def _text(self, text: str) -> None:
        if self.data_style is not None:
            self.data_style.text += text
        if self.in_text and self.cell is not None and not self.depth:
            self.cell.lines[-1] += text

    def _end_cell(self) -> None:
        cell, self.cell = self.cell, None
        if cell is None:
            return
        repeat = _repeats(cell.attributes, "table:number-columns-repeated")
        first = self.column_number + 1
        self.column_number += repeat
        self._merge(cell.attributes, first)
        value = _value(cell)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = self._as_shown(value, cell.attributes.get("table:style-name"), first)
        formula = "table:formula" in cell.attributes
        self.sheet.formulas += formula
        uncached = formula and value is None and "office:value-type" not in cell.attributes
        if value is None and not uncached:
            return
        if self.column_number > MAX_COLUMN:
            raise refuse("damaged", f"工作表“{self.sheet.name}”有单元格超出表格边界")
        self.values += [None] * (first - 1 - len(self.values)) + [value] * repeat
        columns = range(first, first + repeat)
        if uncached:
            self.row_uncached += columns
        elif cell.attributes.get("office:value-type") == "percentage":
            self.row_percents += columns
        elif isinstance(value, ErrorValue):
            self.row_errors += [(column, value.code) for column in columns]

    def _as_shown(self, value: float, style: str | None, column: int) -> CellValue:
        """A number, or what its format makes of it: text with the unit, an error where it is scaled."""
        if not self.cell_styles:
            return value
        if style is None:
            style = next((s for a, b, s in self.column_styles if a <= column <= b), "")
        shown = self.cell_styles.get(style)
        if shown is None:
            return value
        if shown.unit:
            return f"{value:.15g}{shown.unit}"
        stored = f"{value:.15g}（{SHOWN_OTHERWISE} {shown.code}）"
        return ErrorValue(stored) if value else value

    def _merge(self, attributes: Attributes, column: int) -> None:
        rows = _repeats(attributes, "table:number-rows-spanned")
        columns = _repeats(attributes, "table:number-columns-spanned")
        if (rows, columns) != (1, 1) and len(self.sheet.merged) <= self.budget.limits.merged:
            top = self.row_number + 1
            self.sheet.merged.append((top, column, top + rows - 1, column + columns - 1))


def _repeats(attributes: Attributes, name: str) -> int:
    text = attributes.get(name)
    return 1 if text is None else max(1, min(int(text), MAX_ROW))


def _value(cell: _Cell) -> CellValue:
    """Typed value of a cell; the attribute counts, not its formatted text."""
    attributes = cell.attributes
    text = "\n".join(cell.lines)
    is_error = attributes.get("calcext:value-type") == "error"
    if is_error or ("table:formula" in attributes and _ERROR.fullmatch(text)):
        return ErrorValue(text or "#VALUE!")
    kind = attributes.get("office:value-type") or attributes.get("calcext:value-type")
    if kind in ("float", "percentage", "currency"):
        return _number(attributes["office:value"])
    if kind == "boolean":
        return attributes["office:boolean-value"] == "true"
    if kind == "date":
        return _date(attributes["office:date-value"])
    if kind == "time":
        return _time(attributes["office:time-value"])
    return attributes.get("office:string-value", text) or text or None


def _number(text: str) -> CellValue:
    if _WHOLE.fullmatch(text):
        return int(text)
    number = float(text)
    return number if abs(number) != float("inf") and number == number else ErrorValue("#NUM!")


def _date(text: str) -> CellValue:
    """A date, or a date and time; text that is no date of the calendar stays text."""
    try:
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        return text


def _time(text: str) -> CellValue:
    """Time of day below 24 hours; longer spans are days as a number, as in other formats."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return text
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:5])
    micro = int(((match[6] or "") + "000000")[:6])
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if match[1] or total >= 86_400:
        span = (total + micro / 1e6) / 86_400
        return -span if match[1] else span
    return time(total // 3600, total // 60 % 60, total % 60, micro)
