"""The document model (文档模型): what every format is written from, as frozen values.

Belongs here: spans, blocks, the bulletin, its JSON and its plain text. Does not belong here: how
it is composed (compose), parsed (markup) or written (typeset, webpage, message).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from html import unescape
from typing import Any, ClassVar, Literal

from assets.bulletins.figures import Figure, Form

Tone = Literal["green", "yellow", "orange", "red", "grey", "info"]
Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words. No digit may stand here unless it was quoted (a name, a date, a document number)."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True, slots=True)
class FigureSpan:
    """A registered figure as printed at one place; ``text`` is ``Figure.show(form, unit=unit)``."""

    kind: ClassVar[str] = "figure"
    figure_id: str
    text: str
    form: Form = "number"
    unit: bool = False


@dataclass(frozen=True, slots=True)
class Badge:
    """A short coloured label. The text says it all: colour is never the only carrier."""

    kind: ClassVar[str] = "badge"
    tone: Tone
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar beside the figure it repeats; ``share`` and ``mark`` are fractions of its full width.

    Decoration for the eye: readers of text and screen readers get the figure itself.
    """

    kind: ClassVar[str] = "bar"
    share: str
    mark: str
    tone: Tone


Span = Text | FigureSpan | Badge | Bar
Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """Level 1 一、 level 2 （一） level 3 1."""

    kind: ClassVar[str] = "heading"
    level: int
    spans: Spans


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Body text."""

    kind: ClassVar[str] = "paragraph"
    spans: Spans


@dataclass(frozen=True, slots=True)
class Callout:
    """A statement that must not be overlooked (模拟名次,非正式考核结果)."""

    kind: ClassVar[str] = "callout"
    spans: Spans


@dataclass(frozen=True, slots=True)
class Note:
    """Small print under a table or at the end (注)."""

    kind: ClassVar[str] = "note"
    spans: Spans


@dataclass(frozen=True, slots=True)
class Column:
    """Heading, alignment and relative width of a table column; ``head`` names the rows."""

    spans: Spans
    align: Align = "left"
    width: int = 1
    head: bool = False


@dataclass(frozen=True, slots=True)
class TableRow:
    """Cells of a row; a ``group`` row has one cell that heads the rows below it."""

    cells: tuple[Spans, ...]
    group: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table with number, caption and unit note; exactly one column heads the rows."""

    kind: ClassVar[str] = "table"
    table_id: str
    number: int
    caption: Spans
    unit_note: Spans
    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing under its finding. ``svg`` prints only texts of the document's own figures; the
    table ``table_id`` of the same document says the same in numbers, ``alt`` says so in words."""

    kind: ClassVar[str] = "chart"
    chart_id: str
    number: int
    spans: Spans
    alt: str
    svg: str
    table_id: str

    @property
    def labels(self) -> tuple[str, ...]:
        """The texts inside the drawing, in order of drawing."""
        return tuple(unescape(text) for text in _LABEL.findall(self.svg))


_LABEL = re.compile(r"<(?:text|title|desc)\b[^>]*>([^<]*)<")

Block = Heading | Paragraph | Callout | Note | Table | Chart


@dataclass(frozen=True, slots=True)
class Annex:
    """附件: its own page, numbered on; the title is the same in the note and on the annex."""

    number: int
    title: Spans
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Highlight:
    """One key number for the tiles of page and mail."""

    label: Spans
    value: Spans
    note: Spans


@dataclass(frozen=True, slots=True)
class Meta:
    """Everything around the text: 版头, 版记, marks, and what identifies the edition."""

    bureau: str
    letterhead: str
    doc_number: str
    period: str
    period_words: str
    park_word: str
    issue_date: date
    issue_date_words: str
    copies: tuple[str, ...]
    printer: str
    contact: str
    simulated: bool
    handling: str
    status_mark: str
    edition: int
    replaces: int | None
    audience: str
    as_of: datetime
    as_of_words: str
    data_digest: str
    rules_digest: str


@dataclass(frozen=True, slots=True)
class Bulletin:
    """A composed document: the only source of every format."""

    meta: Meta
    title: tuple[Spans, ...]
    headline: Spans
    highlights: tuple[Highlight, ...]
    addressee: Spans
    body: tuple[Block, ...]
    annexes: tuple[Annex, ...]
    figures: tuple[Figure, ...]

    def tables(self) -> Iterator[Table]:
        """All tables in reading order."""
        for block in self.blocks():
            if isinstance(block, Table):
                yield block

    def table(self, table_id: str) -> Table | None:
        """The table called ``table_id``, or None when this edition has none."""
        return next((table for table in self.tables() if table.table_id == table_id), None)

    def blocks(self) -> Iterator[Block]:
        """Body, then annexes."""
        yield from self.body
        for annex in self.annexes:
            yield from annex.blocks

    def charts(self) -> Iterator[Chart]:
        """All charts in reading order."""
        for block in self.blocks():
            if isinstance(block, Chart):
                yield block

    def lead(self) -> Paragraph | None:
        """The first paragraph: the three claims."""
        return next((b for b in self.body if isinstance(b, Paragraph)), None)

    @property
    def title_text(self) -> str:
        """The title in one line."""
        return "".join(plain(line) for line in self.title)

    @property
    def file_stem(self) -> str:
        """File name without suffix, e.g. ``模拟数据_园区监测通报2020-06``; short for mail."""
        mark = "模拟数据_" if self.meta.simulated else ""
        if self.meta.replaces:  # without 监测: an attachment's name must fit one encoded word
            return f"{mark}园区通报{self.meta.period}更正{self.meta.edition}"
        return f"{mark}园区监测通报{self.meta.period}"


def plain(spans: Sequence[Span]) -> str:
    """The text of spans as a reader without colours or bars gets it."""
    return "".join(span.text for span in spans if not isinstance(span, Bar))


def figure_spans(bulletin: Bulletin) -> Iterator[FigureSpan]:
    """Every figure span of the document, in reading order, front matter first."""
    front: list[Spans] = [*bulletin.title, bulletin.headline, bulletin.addressee]
    for tile in bulletin.highlights:
        front += [tile.label, tile.value, tile.note]
    for annex in bulletin.annexes:
        front.append(annex.title)
    for block in bulletin.blocks():
        front += _spans_of(block)
    for spans in front:
        yield from (span for span in spans if isinstance(span, FigureSpan))


def _spans_of(block: Block) -> list[Spans]:
    if isinstance(block, Table):
        cells = [cell for row in block.rows for cell in row.cells]
        return [block.caption, block.unit_note, *(c.spans for c in block.columns), *cells]
    return [block.spans]


def to_data(value: Any) -> Any:
    """Plain JSON-ready data of the model: dataclasses become dicts with their ``kind``."""
    if is_dataclass(value) and not isinstance(value, type):
        data = {item.name: to_data(getattr(value, item.name)) for item in fields(value)}
        kind = getattr(type(value), "kind", None)
        return {"kind": kind, **data} if isinstance(kind, str) else data
    if isinstance(value, (tuple, list)):
        return [to_data(item) for item in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value


def to_json(bulletin: Bulletin) -> str:
    """The document as JSON: sorted keys, same document → same bytes."""
    return json.dumps(to_data(bulletin), ensure_ascii=False, sort_keys=True, indent=1)
