"""Streaming look at the XML of xlsx and xlsm: one pass of expat, no tree, no entity expansion.

Belongs here: workbook and sheet parts, relationships, what has to be known before and beside the
values (areas, hidden rows and columns, merges, error cells, formulas without a saved result).
Does not belong here: values, shared strings, styles (the parser's work), zip sizes (zip_directory).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple
from xml.parsers import expat

from assets.submissions.reading.formats.facts import (
    Budget,
    SheetFacts,
    column_number,
    position,
    range_of,
)
from assets.submissions.reading.formats.plain_sheet import MAX_BYTES, scan_plain_sheet
from assets.submissions.reading.formats.zip_directory import Directory, Member, read_head, unpack
from assets.submissions.reading.rejections import refuse
from assets.submissions.reading.workbook import address

# the root element follows the XML declaration at once: there is no room for a DTD
_PROLOG = re.compile(rb"\s*(?:<\?xml[^<>]*\?>\s*)?<[A-Za-z]")
_UNIQUE_COUNT = re.compile(rb'<(?:\w+:)?sst\s[^<>]*uniqueCount="(\d{1,18})"')
_SMALLEST_STRING = len("<si/>")
_TRUE = ("1", "true", "on")
Attributes = dict[str, str]


class _Enough(Exception):  # noqa: N818  (no error: it ends a stream early)
    """The root element has been seen."""


class Relation(NamedTuple):
    """One relationship of a part: last word of its type, target, and whether it leaves the file."""

    kind: str
    target: str
    external: bool


class WorkbookPart(NamedTuple):
    """Sheets in workbook order as (name, relationship id, state), and the recalculation flag."""

    sheets: list[tuple[str, str, str]]
    full_calculation: bool


def stream(pieces: Iterable[bytes], part: str, start: Callable[..., None]) -> expat.XMLParserType:
    """Feed pieces to ``start(parser, name, attributes)``; refuses a DTD and damaged XML."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_dtd
    parser.StartElementHandler = lambda name, attributes: start(parser, name, attributes)
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise refuse("xml_damaged", f"部件“{part}”第 {error.lineno} 行无法解析") from None
    except (LookupError, OSError):  # an encoding nobody knows: looked up, no module to be found
        raise refuse("xml_damaged", f"部件“{part}”的编码无法识别或缺少属性") from None
    except ValueError:
        line = parser.CurrentLineNumber
        raise refuse("xml_damaged", f"部件“{part}”第 {line} 行的单元格位置或属性异常") from None
    return parser


def check_shared_part(data: bytes, member: Member) -> None:
    """Look at the head of a part that any parser reads whole (shared strings, styles).

    Refuses a DTD, reading no further than the root element, and a count of strings that the part
    cannot hold: readers allocate what is promised.
    """
    head = read_head(data, member)
    promised = _UNIQUE_COUNT.search(head)
    if promised and int(promised[1]) * _SMALLEST_STRING > member.size:
        raise refuse("damaged", f"部件“{member.name}”声明的字符串数量 {int(promised[1]):,} 不实")
    if _PROLOG.match(head):
        return

    def stop(_parser: object, _name: str, _attributes: Attributes) -> None:
        raise _Enough

    with suppress(_Enough):
        stream(unpack(data, member), member.name, stop)


def read_relations(data: bytes, directory: Directory, part: str) -> dict[str, Relation]:
    """Relationships of a part by id; a part without relationships has none."""
    folder, name = posixpath.split(part)
    member = directory.get(posixpath.join(folder, "_rels", f"{name}.rels"))
    relations: dict[str, Relation] = {}
    if member is None:
        return relations

    def start(_parser: object, name: str, attributes: Attributes) -> None:
        if name.rpartition(":")[2] == "Relationship":
            kind = attributes.get("Type", "").rpartition("/")[2]
            external = attributes.get("TargetMode") == "External"
            target = attributes.get("Target", "")
            if not external:
                target = _resolve(folder, target)
            relations[attributes.get("Id", "")] = Relation(kind, target, external)

    stream(unpack(data, member), member.name, start)
    return relations


def read_workbook_part(data: bytes, member: Member) -> WorkbookPart:
    """Sheet list and recalculation flag of ``xl/workbook.xml``."""
    sheets: list[tuple[str, str, str]] = []
    full = []

    def start(_parser: object, name: str, attributes: Attributes) -> None:
        local = name.rpartition(":")[2]
        if local == "sheet":
            relation = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            sheets.append((attributes["name"], relation, attributes.get("state", "visible")))
        elif local == "calcPr":
            full.append(attributes.get("fullCalcOnLoad") in _TRUE)

    stream(unpack(data, member), member.name, start)
    return WorkbookPart(sheets, any(full))


def scan_sheet(
    data: bytes, member: Member, sheet: SheetFacts, budget: Budget, full_calculation: bool
) -> None:
    """Fill ``sheet`` from a worksheet part.

    With ``full_calculation`` (the writer asked for a recalculation on load because it computed
    nothing) a formula's saved 0 is a placeholder and counts as not saved.
    """
    if member.size <= MAX_BYTES:
        content = b"".join(unpack(data, member))
        if scan_plain_sheet(content, sheet, budget, full_calculation):
            return
        pieces: Iterable[bytes] = (content,)
    else:
        pieces = unpack(data, member)
    scan = _SheetScan(sheet, budget, full_calculation)
    stream(pieces, member.name, scan.root)
    scan.finish()
    budget.close_sheet(sheet)


class _SheetScan:
    """Handlers of one worksheet. Plain cells cost one start event; only formulas and error cells
    switch on the end and text handlers."""

    def __init__(self, sheet: SheetFacts, budget: Budget, full_calculation: bool) -> None:
        self.sheet = sheet
        self.budget = budget
        self.full_calculation = full_calculation
        self.room = budget.room
        self.cells = 0
        self.row = ""  # r of the current row, as text
        self.filled = False  # has the current row a value?
        self.reference = ""
        self.attributes: Attributes = {}
        self.letters: set[str] = set()  # column letters of cells with a value
        self.text: list[str] | None = None  # of a watched cell's value; None before <v>
        self.in_value = self.has_formula = self.watching = False

    def root(self, parser: expat.XMLParserType, name: str, _attributes: Attributes) -> None:
        """First element: learn the namespace prefix, then install the real handler."""
        self.parser = parser
        prefix = name[: name.find(":") + 1]
        self.cell_tag, self.value_tag = f"{prefix}c", f"{prefix}v"
        self.inline_tag, self.formula_tag = f"{prefix}is", f"{prefix}f"
        self.row_tag = f"{prefix}row"
        self.rare = {f"{prefix}col": self._column, f"{prefix}mergeCell": self._merge}
        parser.StartElementHandler = self._start

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == self.cell_tag:
            self.cells += 1
            if self.cells > self.room:
                raise self.budget.overflow(self.sheet)
            self.attributes = attributes
            self.reference = attributes.get("r") or self._next_reference()
            if attributes.get("t") == "e":
                self._watch()
        elif name == self.value_tag or name == self.inline_tag:
            self._value()
        elif name == self.formula_tag:
            self.has_formula = True
            self._watch()
        elif name == self.row_tag:
            self._row(attributes)
        elif name in self.rare:
            self.rare[name](attributes)

    def _next_reference(self) -> str:
        """Position of a cell without ``r``: right of the cell before it."""
        column = position(self.reference)[1] + 1 if self.reference else 1
        return address(int(self.row or 1), column)

    def _value(self) -> None:
        letters = self.reference.rstrip("0123456789")
        self.letters.add(letters)
        if self.reference[len(letters) :] == self.row:
            self.filled = True
        else:
            self.sheet.reach(*position(self.reference))
        if self.watching:
            self.text = []
            self.in_value = True

    def _row(self, attributes: Attributes) -> None:
        self._close_row()
        self.row = attributes.get("r") or str(int(self.row or 0) + 1)
        self.reference = ""
        if attributes.get("hidden") in _TRUE or attributes.get("ht") == "0":
            number = int(self.row)
            self.sheet.hidden_rows.append((number, number))

    def _close_row(self) -> None:
        if self.filled:
            self.sheet.reach(int(self.row), 0)
            self.filled = False

    def _column(self, attributes: Attributes) -> None:
        if attributes.get("hidden") in _TRUE or attributes.get("width") == "0":
            first, last = int(attributes["min"]), int(attributes["max"])
            if 0 < first <= last:
                self.sheet.hidden_columns.append((first, last))

    def _merge(self, attributes: Attributes) -> None:
        merged = self.sheet.merged
        if len(merged) <= self.budget.limits.merged:
            merged.append(range_of(attributes["ref"]))

    def _watch(self) -> None:
        if not self.watching:
            self.watching = True
            self.text = None
            self.parser.EndElementHandler = self._end
            self.parser.CharacterDataHandler = self._characters

    def _characters(self, text: str) -> None:
        if self.in_value and self.text is not None:
            self.text.append(text)

    def _end(self, name: str) -> None:
        if name == self.value_tag or name == self.inline_tag:
            self.in_value = False
        elif name == self.cell_tag:
            self._close_watched()
            self.watching = self.has_formula = self.in_value = False
            self.parser.EndElementHandler = None
            self.parser.CharacterDataHandler = None

    def _close_watched(self) -> None:
        kind = self.attributes.get("t")
        text = None if self.text is None else "".join(self.text).strip()
        self.sheet.formulas += self.has_formula
        if kind == "e" and text:
            self.sheet.errors[position(self.reference)] = text
        elif self.has_formula and self._is_uncached(kind, text):
            place = position(self.reference)
            self.sheet.reach(*place)
            self.sheet.uncached.add(place)

    def _is_uncached(self, kind: str | None, text: str | None) -> bool:
        if text is None:
            return True
        if kind == "str":  # a formula may well have the empty text as its result
            return False
        return text == "" or (self.full_calculation and kind in (None, "n") and text == "0")

    def finish(self) -> None:
        """Turn the letters seen into the number of columns."""
        self._close_row()
        self.sheet.cells = self.cells
        try:
            self.sheet.reach(0, max(map(column_number, self.letters), default=0))
        except ValueError:
            raise refuse("xml_damaged", f"工作表“{self.sheet.name}”的单元格位置异常") from None


def _refuse_dtd(name: str, *_rest: object) -> None:
    raise refuse("xml_dtd", f"文档类型声明“{name[:80]}”")


@lru_cache(maxsize=1024)
def _resolve(folder: str, target: str) -> str:
    """Path of a relationship's target inside the package, comparable with the directory's keys."""
    target = target.replace("\\", "/")
    path = target if target.startswith("/") else posixpath.join(folder, target)
    return posixpath.normpath(path).lstrip("/").lower()
