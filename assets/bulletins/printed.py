"""Printed (印出的文字): the pieces of text a document consists of, and finding them in a format.

Belongs here: pure text work: pieces of the model in reading order, digits that are nobody's, comparing
the text of a format with the pieces, character by character. Does not belong here: getting text out
of files (``extract``), or what must hold within the model (``release_check``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from itertools import accumulate

from assets.bulletins.model import (
    Badge,
    Block,
    Bulletin,
    Chart,
    FigureSpan,
    Spans,
    Table,
    Text,
    plain,
)

TITLE = "标题"
CONTEXT = 10
"""Characters told on either side of a difference."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, paragraph or table row: ``where`` a person finds it, ``cells`` side by side."""

    where: str
    cells: tuple[Spans, ...]

    @property
    def text(self) -> str:
        """What a reader gets."""
        return "".join(plain(cell) for cell in self.cells)

    @property
    def words(self) -> str:
        """The text without its registered figures; each leaves a gap."""
        return "\n".join(
            "\x00".join(s.text if isinstance(s, Text | Badge) else "" for s in cell)
            for cell in self.cells
        )

    @property
    def numbers(self) -> int:
        """How many registered figures it prints."""
        return sum(isinstance(span, FigureSpan) for cell in self.cells for span in cell)


def pieces(bulletin: Bulletin) -> Iterator[Piece]:
    """Every piece of the document in reading order, headline and key numbers first."""
    yield from front(bulletin)
    yield from body(bulletin)


def front(bulletin: Bulletin) -> Iterator[Piece]:
    """What stands before the text on pages and in mails: headline and key numbers."""
    yield Piece("要点", (bulletin.headline,))
    for number, tile in enumerate(bulletin.highlights, start=1):
        yield Piece(f"关键数字{number}", (tile.label, tile.value, tile.note))


def page(bulletin: Bulletin) -> Iterator[Piece]:
    """What the page prints: the headline and key numbers around the title, then the text with
    drawings and their descriptions."""
    headline, *tiles = front(bulletin)
    every = list(body(bulletin, _LABELS))
    titles = [piece for piece in every if piece.where == TITLE]
    yield from (headline, *titles, *tiles)
    yield from (piece for piece in every if piece.where != TITLE)


def sheet(bulletin: Bulletin) -> Iterator[Piece]:
    """What the PDF prints: the text with its drawings."""
    return body(bulletin, _DRAWN)


def body(bulletin: Bulletin, labels: re.Pattern[str] | None = None) -> Iterator[Piece]:
    """Title, addressee, text and annexes: what every full format prints. ``labels``: the texts of
    drawings that can be read back, None where a drawing is a picture."""
    for line in bulletin.title:
        yield Piece(TITLE, (line,))
    yield Piece("主送机关", (bulletin.addressee,))
    yield from _blocks("正文", bulletin.body, labels)
    for annex in bulletin.annexes:
        yield Piece(f"附件{annex.number}标题", (annex.title,))
        yield from _blocks(f"附件{annex.number}", annex.blocks, labels)


_DRAWN = re.compile(r"<text\b[^>]*>([^<]*)<")
_LABELS = re.compile(r"<(?:text|title|desc)\b[^>]*>([^<]*)<")


def tables(bulletin: Bulletin) -> Iterator[Piece]:
    """The pieces of all tables."""
    for table in bulletin.tables():
        yield from of_table(table)


def _blocks(where: str, blocks: Iterable[Block], labels: re.Pattern[str] | None) -> Iterator[Piece]:
    number = 0
    for block in blocks:
        if isinstance(block, Table):
            yield from of_table(block)
            continue
        number += 1
        yield Piece(f"{where}第{number}段", (block.spans,))
        if labels is not None and isinstance(block, Chart):
            for text in labels.findall(block.svg):
                yield Piece(f"图{block.number}内", ((Text(unescape(text)),),))


def of_table(table: Table) -> Iterator[Piece]:
    """Caption, unit note, heads and rows of a table."""
    name = f"表{table.number}"
    yield Piece(f"{name}表题", (table.caption,))
    if table.unit_note:
        yield Piece(f"{name}单位", (table.unit_note,))
    yield Piece(f"{name}表头", tuple(column.spans for column in table.columns))
    for number, row in enumerate(table.rows, start=1):
        yield Piece(f"{name}第{number}行", row.cells)


# --- digits that are nobody's --------------------------------------------------------------------


class Allowed:
    """Named texts that may hold digits: dates, document numbers, clauses, names, quotations.

    A text beginning or ending with a digit does not cut a longer number: 3 is no part of 13.
    """

    def __init__(self, **texts: Iterable[str]) -> None:
        self.texts: Mapping[str, frozenset[str]] = {
            name: frozenset(squeezed(text) for text in some if re.search(r"\d", text))
            for name, some in texts.items()
        }
        self._patterns = [_pattern(some) for some in self.texts.values() if some]
        self._known: dict[str, str] = {}

    def with_texts(self, **texts: Iterable[str]) -> Allowed:
        """These and ``texts``, which are tried first."""
        more = Allowed(**texts)
        more.texts = {**more.texts, **self.texts}
        more._patterns += self._patterns
        return more

    def outside(self, words: str) -> str:
        """The first digits of ``words`` that belong to none, with what stands around them."""
        if re.search(r"\d", words) is None:
            return ""
        if words not in self._known:
            self._known[words] = self._outside(words)
        return self._known[words]

    def _outside(self, words: str) -> str:
        left = squeezed(words.replace("\n", "\x01"))
        for pattern in self._patterns:
            left = pattern.sub("\x01", left)
        found = re.search(r"\d", left)
        if found is None:
            return ""
        start = max(0, found.start() - CONTEXT)
        return re.sub(r"[\x00\x01]+", "…", left[start : found.start() + CONTEXT])


@lru_cache(maxsize=256)
def _pattern(texts: frozenset[str]) -> re.Pattern[str]:
    """Longest texts first."""
    parts = []
    for text in sorted(texts, key=lambda t: (-len(t), t)):
        head = r"(?<![\d.])" if text[0].isdigit() else ""
        tail = r"(?![\d.]*\d)" if text[-1].isdigit() else ""
        parts.append(head + re.escape(text) + tail)
    return re.compile("|".join(parts))


# --- a format's text against the pieces ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compared:
    """A format's text held against the document: numbers found, and every difference in words."""

    n_numbers: int
    problems: tuple[str, ...]


def squeezed(text: str) -> str:
    """Without any white space: formats break lines where they like."""
    return "".join(text.split())


def compare(
    name: str,
    text: str,
    wanted: Iterable[Piece],
    allowed: Allowed,
    heads: Iterable[str] = (),
) -> Compared:
    """Hold the text of the format ``name`` against the pieces it must print, in order.

    Every piece must stand there, character by character; of what is left over no digit may be
    outside ``allowed`` (repeated heads, dates of the imprint). Pages end with a form feed; a row
    may go on below the ``heads`` a table repeats on the next page.
    """
    sheet = _Sheet.of(text, heads)
    whole = sheet.text
    left: list[str] = []
    position = n_numbers = 0
    problems: list[str] = []
    for piece in wanted:
        asked = squeezed(piece.text)
        if not asked:
            continue
        at, end = sheet.find(asked, position)
        if at < 0:
            problems.append(_difference(name, piece.where, asked, whole, position))
            continue
        left.append(whole[position:at])
        position = end
        n_numbers += piece.numbers
    left.append(whole[position:])
    if not problems:  # what is left over means nothing while pieces are missing
        over = allowed.outside("\n".join(left))
        problems += [f"{name}：“{over}”不是登记数字"] if over else []
    return Compared(n_numbers, tuple(problems))


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The text of a format without white space, where its pages end, and what tables repeat."""

    text: str
    breaks: tuple[int, ...]
    heads: re.Pattern[str]

    @classmethod
    def of(cls, text: str, heads: Iterable[str]) -> _Sheet:
        pages = [squeezed(page) for page in text.split("\f")]
        known = sorted({squeezed(head) for head in heads} - {""}, key=len, reverse=True)
        pattern = re.compile(f"(?:{'|'.join(map(re.escape, known))})+" if known else r"(?!)")
        ends = accumulate(len(page) for page in pages[:-1])
        return cls("".join(pages), tuple(ends), pattern)

    def find(self, asked: str, position: int) -> tuple[int, int]:
        """Where ``asked`` begins and ends from ``position`` on; (-1, -1) when it is not there."""
        at = self.text.find(asked, position)
        if at >= 0:
            return at, at + len(asked)
        for edge in self.breaks:
            head = self.heads.match(self.text, edge) if edge > position else None
            for size in range(min(len(asked) - 1, edge - position), 0, -1) if head else ():
                begun = self.text.startswith(asked[:size], edge - size)
                if head and begun and self.text.startswith(asked[size:], head.end()):
                    return edge - size, head.end() + len(asked) - size
        return -1, -1


def _difference(name: str, where: str, asked: str, whole: str, position: int) -> str:
    """Where the longest part of ``asked`` that can be found ends, and what stands there instead."""
    low, high = 0, len(asked)
    while low < high:  # a prefix of what can be found can be found
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if whole.find(asked[:middle], position) >= 0 else (low, middle - 1)
        )
    at = whole.find(asked[:low], position) + low
    wanted = asked[max(0, low - CONTEXT) : low + CONTEXT]
    found = whole[max(0, at - CONTEXT) : at + CONTEXT] if low else "没有"
    return f"{where}应为“{wanted}”，{name}中为“{found}”"
