"""Web page (网页): the document model as one self-contained HTML file.

Belongs here: the HTML environment and what its templates may call. Does not belong here: layout
and styles (``report_templates/web``) or any text of the bulletin.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assets.bulletins.figures import Figure
from assets.bulletins.markup import TEMPLATES
from assets.bulletins.model import (
    Block,
    Bulletin,
    Chart,
    Column,
    FigureSpan,
    Heading,
    Note,
    Spans,
    Table,
    plain,
)

if TYPE_CHECKING:
    from jinja2 import Environment


SHOWN_INPUTS = 4
"""Inputs a formula names one by one; more are only counted."""


@dataclass(frozen=True, slots=True)
class Section:
    """A level-1 heading with what stands below it; the opening section has no heading."""

    anchor: str
    heading: Heading | None
    blocks: tuple[Block, ...]


def to_html(bulletin: Bulletin) -> str:
    """The page: no request leaves it, every figure carries its id as ``data-figure``.

    Same document → same text.
    """
    environment = html_environment(bulletin)
    css = (TEMPLATES / "web" / "page.css").read_text(encoding="utf-8")
    template = environment.get_template("web/page.html.j2")
    return template.render(
        bulletin=bulletin, meta=bulletin.meta, sections=sections(bulletin), css=css
    )


def html_environment(bulletin: Bulletin) -> Environment:
    """Escaping, strict environment for the HTML of one document (page and mail)."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(_functions(bulletin))
    return environment


def _functions(bulletin: Bulletin) -> dict[str, Callable[..., Any]]:
    figures = {figure.figure_id: figure for figure in bulletin.figures}
    seen: set[str] = set()

    def first(span: FigureSpan) -> bool:
        """True once per figure: that place carries the anchor ``#fig-<id>``."""
        new = span.figure_id not in seen
        seen.add(span.figure_id)
        return new

    def source(span: FigureSpan) -> str:
        """What a pointer resting on the figure shows."""
        return f"{figures[span.figure_id].label}（{span.figure_id}）"

    return {
        "first": first,
        "source": source,
        "origin": origin,
        "plain": plain,
        "percent": percent,
        "inline": inline,
        "pick": pick,
        "note_after": note_after,
    }


def origin(figure: Figure) -> str:
    """Where a figure comes from, in one line: ``table.column：key``, or how it was computed."""
    key = json.loads(figure.source_key or "{}")
    column = key.pop("column", "")
    words = "，".join(f"{name}={value}" for name, value in key.items() if value not in (None, ""))
    table = f"{figure.source_table}.{column}" if column else figure.source_table
    if not figure.formula:
        return f"{table}：{words}"
    based = f"，依据{len(figure.inputs)}个数字" if len(figure.inputs) > SHOWN_INPUTS else ""
    return f"{figure.formula}{based}；{table}：{words}"


def sections(bulletin: Bulletin) -> tuple[Section, ...]:
    """The body cut at level-1 headings."""
    groups: list[tuple[Heading | None, list[Block]]] = [(None, [])]
    for block in bulletin.body:
        if isinstance(block, Heading) and block.level == 1:
            groups.append((block, []))
        else:
            groups[-1][1].append(block)
    return tuple(
        Section(f"s{number}", heading, tuple(blocks))
        for number, (heading, blocks) in enumerate(groups)
        if heading is not None or blocks
    )


def percent(share: str) -> str:
    """CSS width of a bar's share: ``0.2287`` → ``22.87%``."""
    whole, _, digits = share.partition(".")
    return f"{int(whole + digits[:2].ljust(2, '0'))}.{digits[2:].ljust(2, '0')}%"


def inline(svg: str) -> str:
    """A drawing as it stands inside a page, where it needs no name space."""
    return svg.replace(' xmlns="http://www.w3.org/2000/svg"', "")


def pick(table: Table, headings: list[str]) -> tuple[tuple[Column, ...], tuple[Any, ...]]:
    """Columns of a table by the text of their headings, for the narrow mail: (columns, rows).

    A row is (group, cells). KeyError when the table has no such heading: the mail must not
    silently lose a column because a title was reworded.
    """
    texts = [plain(column.spans) for column in table.columns]
    unknown = [heading for heading in headings if heading not in texts]
    if unknown:
        raise KeyError(f"table {table.table_id} has no column {'、'.join(unknown)}: {texts}")
    chosen = [texts.index(heading) for heading in headings]
    rows = tuple(
        (row.group, row.cells if row.group else tuple(row.cells[i] for i in chosen))
        for row in table.rows
    )
    return tuple(table.columns[i] for i in chosen), rows


def note_after(bulletin: Bulletin, table: Table | Chart) -> Spans:
    """The note under a table or chart, wherever it is printed; empty when it has none."""
    blocks = list(bulletin.blocks())
    position = next(i for i, block in enumerate(blocks) if block is table)
    follower = blocks[position + 1] if position + 1 < len(blocks) else None
    return follower.spans if isinstance(follower, Note) else ()
