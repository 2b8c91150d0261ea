"""Extract (取出文字): the text a reader gets out of a finished file, from its real bytes.

Belongs here: PDF, Word, Excel and HTML read back, as text in reading order. Does not belong here:
comparing it with anything (``printed``), or mails (``deliveries``).
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from assets.bulletins.printed import squeezed

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


class ExtractError(ValueError):
    """A file cannot be read back; the message names what is wrong with it."""


def text_of(name: str, data: bytes) -> str:
    """Text of the document ``name`` by its ending. Raises :class:`ExtractError`."""
    ending = name.rpartition(".")[2]
    try:
        return READERS[ending](data)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile, SyntaxError, RuntimeError) as error:
        raise ExtractError(f"{name} 不能读回：{error}") from error


# --- PDF -----------------------------------------------------------------------------------------


def pdf_text(data: bytes) -> str:
    """Text of every page in drawing order, without the running head and page numbers.

    Pages are parted by form feeds. A page number that is not the page's own stays in the text.
    """
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    try:
        texts = [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()
    pages = [[line for line in text.splitlines() if line.strip()] for text in texts]
    heads = {page[0].strip() if page else "" for page in pages}
    running = heads.pop() if len(heads) == 1 and len(pages) > 1 else None
    return "\f".join(
        "\n".join(_without_furniture(page, number, running))
        for number, page in enumerate(pages, start=1)
    )


def _without_furniture(lines: list[str], number: int, running: str | None) -> list[str]:
    kept = lines[1:] if running is not None else lines
    return [line for line in kept if line.strip() != f"— {number} —"]


# --- Word ----------------------------------------------------------------------------------------


def docx_text(data: bytes) -> str:
    """Paragraphs and table cells of the body in document order, one a line."""
    from xml.etree import ElementTree

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        root = ElementTree.fromstring(archive.read("word/document.xml"))
    return "\n".join(_paragraphs(root))


def _paragraphs(root: Element) -> Iterator[str]:
    for paragraph in root.iter(f"{_W}p"):
        yield "".join(_runs(paragraph))


def _runs(paragraph: Element) -> Iterator[str]:
    for node in paragraph.iter():
        if node.tag == f"{_W}t":
            yield node.text or ""
        elif node.tag in (f"{_W}tab", f"{_W}br"):
            yield "\n"


# --- Excel ---------------------------------------------------------------------------------------


def xlsx_text(data: bytes) -> str:
    """Cells of every sheet, row by row, numbers as their format shows them.

    A number that its format would show rounded is shown in full: the cell must hold what is printed.
    """
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data))
    try:
        rows = []
        for sheet in book.worksheets:
            rows.append(sheet.title)
            for row in sheet.iter_rows():
                rows.append("\t".join(_shown(cell.value, cell.number_format) for cell in row))
        return "\n".join(rows)
    finally:
        book.close()


def _shown(value: Any, pattern: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    exact = Decimal(repr(value))
    places = len(pattern.partition(".")[2]) if re.fullmatch(r"0(\.0+)?", pattern) else 0
    shown = exact.quantize(Decimal(1).scaleb(-places))
    return format(shown if shown == exact else exact, "f")


# --- HTML ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Open:
    """A figure span being read."""

    figure_id: str
    text: list[str] = field(default_factory=list)


class _Page(HTMLParser):
    """Text of a page without styles and scripts, and what each figure's element prints."""

    _SILENT = frozenset({"style", "script", "head"})
    _INLINE = frozenset({"span", "b", "i", "a", "strong", "code", "em", "sup", "sub", "tspan"})

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.figures: list[tuple[str, str]] = []
        self._silent = 0
        self._spans: list[_Open | None] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in self._SILENT
        if tag not in self._INLINE:
            self.parts.append("\n")
        if tag == "span":
            figure_id = dict(attrs).get("data-figure")
            self._spans.append(_Open(figure_id) if figure_id else None)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self._SILENT
        if tag not in self._INLINE:
            self.parts.append("\n")
        if tag == "span" and self._spans:
            done = self._spans.pop()
            if done is not None:
                self.figures.append((done.figure_id, "".join(done.text)))

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        self.parts.append(data)
        for span in self._spans:
            if span is not None:
                span.text.append(data)


def html_text(data: bytes) -> str:
    """Text of the page's body in document order."""
    return "".join(_Page(data.decode()).parts)


def html_figures(page: str) -> list[tuple[str, str]]:
    """(figure id, what its element prints) of every element that carries one, in order."""
    return [(name, squeezed(text)) for name, text in _Page(page).figures]


READERS: Mapping[str, Callable[[bytes], str]] = {
    "pdf": pdf_text,
    "docx": docx_text,
    "xlsx": xlsx_text,
    "html": html_text,
}
