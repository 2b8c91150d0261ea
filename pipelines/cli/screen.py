"""How lines of commands look: folded at the width of a terminal, whole in a pipe; rows as a table.

Belongs here: display width of Chinese text, where a line may break, tables. Does not belong here: what is
said. In a pipe one record stays one line, so that other programs can read it.
"""

from __future__ import annotations

import re
import shutil
import sys
import unicodedata
from collections.abc import Iterator, Sequence

import typer

FIRST_ROWS = 40
"""Rows of a table shown on a terminal."""
_UNITS = re.compile(
    r"\s+"
    r"|[（【“《‘〔「]*(?:[\x21-\x7e]*/[^\s，。；：、（）【】“”《》〔〕]*"
    r"|[\x21-\x7e·—…–]+(?:[^\W\d_a-zA-Z](?<=[^\x00-\x7f]))?|.)[，。；：、）】”》’〕」！？%]*"
)
"""What a line is not broken inside: a path, a word or number with the character after it, any other
character; opening marks stay with what follows, closing marks with what precedes."""


def width_of(text: str) -> int:
    """Columns on a terminal: Chinese characters and full-width marks take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def fold(line: str, width: int) -> list[str]:
    """A line in pieces of at most ``width`` columns, those after the first indented by two more.

    A path or word longer than that stays whole: the terminal breaks it, and it can be copied.
    """
    if width_of(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    pieces, piece = [], indent
    for unit in _UNITS.findall(line[len(indent) :]):
        if width_of(piece) + width_of(unit.rstrip()) > width and piece.strip():
            pieces.append(piece.rstrip())
            piece = indent + "  " + unit.lstrip()
        else:
            piece += unit
    return [*pieces, piece.rstrip()] if piece.strip() else pieces


def echo(text: str = "", *, err: bool = False) -> None:
    """Say it: on a terminal folded at its width, otherwise as it is."""
    if (sys.stderr if err else sys.stdout).isatty():
        width = shutil.get_terminal_size().columns
        text = "\n".join(piece for line in text.split("\n") for piece in fold(line, width))
    typer.echo(text, err=err)


def table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows under their names: in a pipe separated by tabs; on a terminal in columns, or where these are
    wider than it, one value a line; at most ``FIRST_ROWS`` there."""
    cells = [["" if value is None else str(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        for values in (names, *cells):
            typer.echo("\t".join(re.sub(r"[\t\r\n]+", " ", value) for value in values))
        return
    shown = cells[:FIRST_ROWS]
    columns = [max(map(width_of, each)) for each in zip(names, *shown, strict=True)]
    fits = sum(columns) + 2 * len(columns) <= shutil.get_terminal_size().columns
    for line in _columns(names, shown, columns) if fits else _records(names, shown):
        echo(line)
    if len(cells) > FIRST_ROWS:
        echo(f"共 {len(cells)} 行,列前 {FIRST_ROWS} 行;全部:加 --json,或接 | less、> 文件")


def _columns(
    names: Sequence[str], rows: Sequence[Sequence[str]], columns: Sequence[int]
) -> Iterator[str]:
    for values in (names, ["─" * wide for wide in columns], *rows):
        parts = (v + " " * (wide - width_of(v)) for v, wide in zip(values, columns, strict=True))
        yield "  ".join(parts).rstrip()


def _records(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    longest = max(map(width_of, names))
    for number, row in enumerate(rows, start=1):
        yield f"── 第 {number} 行 ──"
        for name, value in zip(names, row, strict=True):
            if value:
                yield f"{name}{' ' * (longest - width_of(name))}  {value}"
