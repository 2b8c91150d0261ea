"""Markup (模板文本): runs ``bulletin.md.j2`` and parses what it prints into the document model.

Belongs here: the template environment and its rules (no arithmetic, no bare number, no undefined
name), the private marks of figures and quotations, the line grammar. Does not belong here: facts
or wording; templates get both from compose.

Line grammar: ``@title``, ``@headline``, ``@highlight label | value | note``, ``@addressee``,
``@chart id | title``,
``# `` to ``### `` headings, ``> `` callout, ``注：`` note, ``@annex title``, and tables::

    @table id | caption | unit note
    | heading | heading |
    | left 4 head | right 2 |
    | cell | cell |
    |= group heading |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from assets.bulletins.figures import Figure, FigureBook, Form, round_half_up
from assets.bulletins.model import (
    Align,
    Annex,
    Badge,
    Bar,
    Block,
    Callout,
    Chart,
    Column,
    FigureSpan,
    Heading,
    Highlight,
    Note,
    Paragraph,
    Span,
    Spans,
    Table,
    TableRow,
    Text,
    Tone,
    plain,
)

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

TEMPLATES = Path(__file__).resolve().parents[2] / "report_templates"

# Control characters cannot occur in a name or a sentence, so no data can imitate a mark.
_OPEN, _CLOSE, _QUOTE, _UNQUOTE, _SEP = "\x01", "\x02", "\x03", "\x04", "\x1f"
_BAR = "\x05"  # stands for | inside a quotation, so that it does not end a table cell
_MARK = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}|{_QUOTE}([^{_UNQUOTE}]*){_UNQUOTE}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PIPE = re.compile(r"\s*\|\s*")
_SPEC = re.compile(r"(left|center|right) ([1-9]\d*)( head)?")
_HEADING = re.compile(r"(#{1,3}) +(.+)")


class MarkupError(ValueError):
    """The template breaks a rule; the message names the line and what to write instead."""


class Marked(str):
    """Text holding marks: the only kind of string a template prints as it is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a rendered template says."""

    title: tuple[Spans, ...]
    headline: Spans
    highlights: tuple[Highlight, ...]
    addressee: Spans
    body: tuple[Block, ...]
    annexes: tuple[Annex, ...]


def quote(text: str) -> Marked:
    """Text from data (a name, date or document number): never read as markup, digits allowed."""
    text = " ".join(text.split())
    if _CONTROL.search(text):
        raise MarkupError(f"control character in text: {text!r}; give figures and words separately")
    return Marked(f"{_QUOTE}{text.replace('|', _BAR)}{_UNQUOTE}")


def figure_mark(figure: Figure, form: Form = "number", *, unit: bool = False) -> Marked:
    """Mark of a figure; the parser puts the registered text in its place."""
    return Marked(f"{_OPEN}F{_SEP}{figure.figure_id}{_SEP}{form}{_SEP}{int(unit)}{_CLOSE}")


def badge_mark(tone: Tone, text: str) -> Marked:
    """Mark of a coloured label."""
    return Marked(f"{_OPEN}B{_SEP}{tone}{_SEP}{text}{_CLOSE}")


def bar_mark(figure: Figure, mark: Figure | None = None, tone: Tone = "info") -> Marked:
    """Mark of a bar for a percentage, with an optional tick (序时进度); nothing when missing."""
    if figure.value is None:
        return Marked("")
    tick = _share(mark.value) if mark is not None and mark.value is not None else ""
    return Marked(f"{_OPEN}R{_SEP}{_share(figure.value)}{_SEP}{tick}{_SEP}{tone}{_CLOSE}")


def table_mark(table_id: str) -> Marked:
    """Mark of a reference to a table; prints 表 and its number."""
    return Marked(f"{_OPEN}T{_SEP}{table_id}{_CLOSE}")


def _share(percent: Decimal) -> str:
    clipped = min(max(percent, Decimal(0)), Decimal(100))
    return format(round_half_up(clipped / 100, 4), "f")


def render(
    template: str,
    context: Mapping[str, Any],
    functions: Mapping[str, Callable[..., Any]],
    folders: Iterable[Path] = (),
) -> str:
    """Marked text of a template, looked up in ``folders`` first, then in the shipped ones.

    Raises :class:`MarkupError` for an undefined name, arithmetic, or a number printed bare.
    """
    from jinja2 import TemplateError

    environment = _environment(tuple(folders))
    try:
        return environment.get_template(template).render({**functions, **context})
    except TemplateError as error:
        raise MarkupError(f"template {template}: {error}") from error


@cache
def _environment(folders: tuple[Path, ...]) -> ImmutableSandboxedEnvironment:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        """Templates put words in order; computing is refused."""

        intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])

        def call_binop(self, *call: Any) -> Any:
            """Called as (context, operator, left, right)."""
            raise MarkupError(f"arithmetic in a template ({call[1]}): register a figure instead")

    return Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def _finalize(value: Any) -> str:
    from jinja2 import Undefined

    if isinstance(value, Undefined):
        return str(value)  # raises, naming what is undefined
    if isinstance(value, Marked):
        return value
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, Figure):
        raise MarkupError(f"figure {value.figure_id} printed without fig(…)")
    raise MarkupError(f"bare {type(value).__name__} in a template: {value!r}; print it with fig(…)")


@dataclass(frozen=True, slots=True)
class Drawing:
    """What ``@chart`` puts in: the drawing, its words for those who do not see it, and the table of
    the document that says the same."""

    svg: str
    alt: str
    table_id: str


def words(marked: Marked, book: FigureBook) -> str:
    """Marked text as a reader gets it."""
    return plain(_Reader(book, {}).spans(marked))


def parse(text: str, book: FigureBook, drawings: Mapping[str, Drawing] | None = None) -> Parsed:
    """The model of rendered text. Raises :class:`MarkupError` with the line number."""
    reader = _Reader(book, _table_numbers(text), drawings or {})
    try:
        for line in text.split("\n"):
            reader.read(line.strip(" \t\r\u3000"))
        return reader.result()
    except MarkupError as error:
        # a paragraph or table is checked where it ends, so the fault may lie a few lines above
        raise MarkupError(f"line {reader.line} or the block before it: {error}") from error


def _table_numbers(text: str) -> dict[str, int]:
    ids = re.findall(r"^@table +(\S+)", text, flags=re.MULTILINE)
    if len(set(ids)) != len(ids):
        raise MarkupError("two tables share an id")
    return {table_id: number for number, table_id in enumerate(ids, start=1)}


@dataclass(slots=True)
class _OpenTable:
    """A table being read: heading line first, then the alignment line, then rows."""

    table_id: str
    caption: Spans
    unit_note: Spans
    headings: tuple[Spans, ...] | None = None
    columns: tuple[Column, ...] | None = None
    rows: list[TableRow] = field(default_factory=list)


class _Reader:
    """Line by line reader; keeps the open paragraph, table and annex."""

    def __init__(
        self,
        book: FigureBook,
        numbers: Mapping[str, int],
        drawings: Mapping[str, Drawing] | None = None,
    ) -> None:
        self.book = book
        self.drawings = drawings or {}
        self.charts = 0
        self.numbers = numbers
        self.title: list[Spans] = []
        self.headline: Spans = ()
        self.addressee: Spans = ()
        self.highlights: list[Highlight] = []
        self.body: list[Block] = []
        self.annexes: list[tuple[Spans, list[Block]]] = []
        self.paragraph: list[str] = []
        self.table: _OpenTable | None = None
        self.line = 0

    def read(self, line: str) -> None:
        """Take the next line."""
        self.line += 1
        if line.startswith("|"):
            self._table_line(line)
            return
        self._close_table()
        heading = _HEADING.fullmatch(line)
        if not line:
            self._close_paragraph()
        elif line.startswith("@"):
            self._close_paragraph()
            self._directive(*line[1:].partition(" ")[::2])
        elif heading:
            self._close_paragraph()
            self._add(Heading(len(heading[1]), self.spans(heading[2])))
        elif line.startswith("> "):
            self._close_paragraph()
            self._add(Callout(self.spans(line[2:])))
        elif line.startswith("注："):
            self._close_paragraph()
            self._add(Note(self.spans(line)))
        else:
            self.paragraph.append(line)

    def _directive(self, name: str, rest: str) -> None:
        rest = rest.strip()
        if name == "title":
            self.title.append(self.spans(rest))
        elif name == "headline":
            self.headline = self.spans(rest)
        elif name == "addressee":
            self.addressee = self.spans(rest)
        elif name == "highlight":
            self.highlights.append(Highlight(*self._parts(rest, 3)))
        elif name == "annex":
            self.annexes.append((self.spans(rest), []))
        elif name == "table":
            self._open_table(rest)
        elif name == "chart":
            self._chart(rest)
        else:
            raise MarkupError(f"unknown directive @{name}")

    def _parts(self, text: str, count: int) -> tuple[Spans, ...]:
        parts = _PIPE.split(text)
        if len(parts) != count:
            raise MarkupError(f"expected {count} parts separated by |, found {len(parts)}")
        return tuple(self.spans(part) for part in parts)

    def _chart(self, rest: str) -> None:
        chart_id, title = _PIPE.split(rest, maxsplit=1) if "|" in rest else (rest, "")
        drawing = self.drawings.get(chart_id.strip())
        if drawing is None or drawing.table_id not in self.numbers:
            raise MarkupError(f"no drawing called {chart_id}, or no table that says the same")
        self.charts += 1
        self._add(
            Chart(
                chart_id=chart_id.strip(),
                number=self.charts,
                spans=self.spans(title),
                alt=f"{drawing.alt}数据见表{self.numbers[drawing.table_id]}。",
                svg=drawing.svg,
                table_id=drawing.table_id,
            )
        )

    def _open_table(self, rest: str) -> None:
        table_id, caption, note = (*_PIPE.split(rest), "", "")[:3]
        self.table = _OpenTable(table_id.strip(), self.spans(caption), self.spans(note))

    def _table_line(self, line: str) -> None:
        table = self.table
        if table is None:
            raise MarkupError("a table row without @table before it")
        if line.startswith("|="):
            table.rows.append(TableRow((self.spans(line[2:].strip(" |")),), group=True))
            return
        parts = _PIPE.split(line.strip().removeprefix("|").removesuffix("|").strip())
        if table.headings is None:
            table.headings = tuple(self.spans(part) for part in parts)
        elif table.columns is None:
            table.columns = _columns(table.headings, parts)
        else:
            if len(parts) != len(table.columns):
                raise MarkupError(f"{len(parts)} cells, {len(table.columns)} columns")
            table.rows.append(TableRow(tuple(self.spans(part) for part in parts)))

    def _close_table(self) -> None:
        table, self.table = self.table, None
        if table is None:
            return
        if not table.columns:
            raise MarkupError(f"table {table.table_id} has no heading and alignment line")
        self._add(
            Table(
                table_id=table.table_id,
                number=self.numbers[table.table_id],
                caption=table.caption,
                unit_note=table.unit_note,
                columns=table.columns,
                rows=tuple(table.rows),
            )
        )

    def _close_paragraph(self) -> None:
        if self.paragraph:
            # Chinese lines join without a space
            self._add(Paragraph(self.spans("".join(self.paragraph))))
            self.paragraph = []

    def _add(self, block: Block) -> None:
        (self.annexes[-1][1] if self.annexes else self.body).append(block)

    def spans(self, text: str) -> Spans:
        """Spans of one line: marks resolved, typed digits refused, neighbours merged."""
        found: list[Span] = []
        position = 0
        for match in _MARK.finditer(text):
            found.append(_typed(text[position : match.start()]))
            found.append(
                self._mark(match[1]) if match[2] is None else Text(match[2].replace(_BAR, "|"))
            )
            position = match.end()
        found.append(_typed(text[position:]))
        return _merge(found)

    def _mark(self, content: str) -> Span:
        kind, *parts = content.split(_SEP)
        if kind == "F":
            form = cast(Form, parts[1])
            unit = parts[2] == "1"
            return FigureSpan(parts[0], self.book[parts[0]].show(form, unit=unit), form, unit)
        if kind == "B":
            return Badge(cast(Tone, parts[0]), parts[1])
        if kind == "R":
            return Bar(parts[0], parts[1], cast(Tone, parts[2]))
        if parts[0] not in self.numbers:
            raise MarkupError(f"no table called {parts[0]}")
        return Text(f"表{self.numbers[parts[0]]}")

    def result(self) -> Parsed:
        """Close what is open and hand over the document's parts."""
        self._close_table()
        self._close_paragraph()
        return Parsed(
            title=tuple(self.title),
            headline=self.headline,
            highlights=tuple(self.highlights),
            addressee=self.addressee,
            body=tuple(self.body),
            annexes=tuple(
                Annex(number, title, tuple(blocks))
                for number, (title, blocks) in enumerate(self.annexes, start=1)
            ),
        )


def _typed(text: str) -> Text:
    digit = re.search(r"\d", text)
    if digit:
        raise MarkupError(
            f"digit typed into the template: …{text[max(0, digit.start() - 8) :][:24]}…"
        )
    return Text(text)


def _merge(spans: list[Span]) -> Spans:
    merged: list[Span] = []
    for span in spans:
        last = merged[-1] if merged else None
        if isinstance(span, Text) and isinstance(last, Text):
            merged[-1] = Text(last.text + span.text)
        elif not isinstance(span, Text) or span.text:
            merged.append(span)
    return tuple(merged)


def _columns(headings: tuple[Spans, ...], specs: list[str]) -> tuple[Column, ...]:
    if len(headings) != len(specs):
        raise MarkupError(f"{len(headings)} headings, {len(specs)} alignments")
    columns = []
    for heading, spec in zip(headings, specs, strict=True):
        match = _SPEC.fullmatch(spec)
        if match is None:
            raise MarkupError(f"column {spec!r}: write e.g. 'left 4', 'right 2', 'left 6 head'")
        align, width, head = match.groups()
        columns.append(Column(heading, cast(Align, align), int(width), bool(head)))
    if not any(column.head for column in columns):
        columns[0] = replace(columns[0], head=True)
    if sum(column.head for column in columns) > 1:
        raise MarkupError("only one column can be the head of the rows")
    return tuple(columns)
