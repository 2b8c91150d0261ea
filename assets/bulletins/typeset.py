"""Typeset (排版): the document model as PDF in the geometry of GB/T 9704-2012, by typst.

Belongs here: compiling the shipped typst template, pinned time, fonts and standards, warnings as
errors, the glyph preflight. Does not belong here: the layout itself (``report_templates/pdf``) or
any text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, Literal

from assets.bulletins import fonts
from assets.bulletins.markup import TEMPLATES
from assets.bulletins.model import Block, Bulletin, Chart, Table, plain, to_data

TEMPLATE = TEMPLATES / "pdf" / "bulletin.typ"
STANDARDS: list[Literal["a-2a", "ua-1"]] = ["a-2a", "ua-1"]
"""Archive (PDF/A-2a) and accessibility (PDF/UA-1) in one file; typst refuses what breaks them."""


class TypesetError(RuntimeError):
    """typst refused the document or warned; nothing was written."""


def to_pdf(bulletin: Bulletin, *, font_mode: fonts.Mode = "bundled") -> bytes:
    """The PDF's bytes. Same document, same fonts → same bytes, on any machine, zone or locale.

    Raises ``fonts.MissingGlyphError`` before compiling when a character cannot be drawn, and
    :class:`TypesetError` for any typst error or warning.
    """
    import typst

    chosen = fonts.choose(font_mode)
    fonts.preflight(pieces(bulletin), chosen)
    try:
        pdf, warnings = typst.compile_with_warnings(
            str(TEMPLATE),
            root=str(TEMPLATE.parent),
            format="pdf",
            font_paths=[str(chosen.folder)],
            ignore_system_fonts=font_mode == "bundled",
            pdf_standards=list(STANDARDS),
            timestamp=_timestamp(bulletin),
            sys_inputs=inputs(bulletin, chosen),
        )
    except typst.TypstError as error:
        raise TypesetError(f"{error.message}\n{error.diagnostic}") from error
    if warnings:
        raise TypesetError("\n".join(warning.message for warning in warnings))
    if not isinstance(pdf, bytes):
        raise TypesetError("typst returned no PDF")
    return pdf


def inputs(bulletin: Bulletin, chosen: fonts.FontSet) -> dict[str, str]:
    """What the template reads: the document and the font families, as JSON."""
    data: dict[str, Any] = to_data(bulletin)
    data.pop("figures")
    data["title_text"] = bulletin.title_text
    style = {"roles": dict(chosen.roles), "fake_bold": chosen.fake_bold}
    return {
        "doc": json.dumps(data, ensure_ascii=False, sort_keys=True),
        "style": json.dumps(style, ensure_ascii=False, sort_keys=True),
    }


def pieces(bulletin: Bulletin) -> Iterator[tuple[str, str]]:
    """Every text of the document with a place a person can find, for the glyph preflight."""
    meta = bulletin.meta
    yield "版头", meta.letterhead + meta.doc_number + meta.handling + meta.status_mark
    yield "标题", bulletin.title_text
    yield "主送机关", plain(bulletin.addressee)
    yield from _block_pieces("正文", bulletin.body)
    for annex in bulletin.annexes:
        yield f"附件{annex.number}标题", plain(annex.title)
        yield from _block_pieces(f"附件{annex.number}", annex.blocks)
    yield "落款", meta.bureau + meta.issue_date_words
    yield "版记", "".join(meta.copies) + meta.printer
    yield f"版式文件{TEMPLATE.name}", TEMPLATE.read_text(encoding="utf-8")


def _block_pieces(where: str, blocks: tuple[Block, ...]) -> Iterator[tuple[str, str]]:
    number = 0
    for block in blocks:
        if isinstance(block, Table):
            name = f"表{block.number}"
            heads = "".join(plain(column.spans) for column in block.columns)
            yield f"{name}表头", plain(block.caption) + plain(block.unit_note) + heads
            for row_number, row in enumerate(block.rows, start=1):
                yield f"{name}第{row_number}行", "".join(plain(cell) for cell in row.cells)
        else:
            number += 1
            yield f"{where}第{number}段", plain(block.spans)
        if isinstance(block, Chart):
            yield f"图{block.number}", "".join(block.labels)


def _timestamp(bulletin: Bulletin) -> int:
    """Midnight UTC of the issue date: the document's day, never the machine's clock or zone."""
    return int(datetime.combine(bulletin.meta.issue_date, time(), UTC).timestamp())


def folder() -> Path:
    """Folder of the layout, part of what an edition's digest covers."""
    return TEMPLATE.parent
