"""Letters typeset (函件排版): a letter's document as a PDF with the bulletin's fonts and pinned time.

Belongs here: compiling ``report_templates/pdf/letter.typ``. Does not belong here: wording
(``quality.letters``) or the template's layout.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, time

from assets.bulletins import fonts
from assets.bulletins.markup import TEMPLATES
from assets.bulletins.typeset import TypesetError
from quality.letters import Document
from warehouse.words import date_words

TEMPLATE = TEMPLATES / "pdf" / "letter.typ"
NO_GLYPH = "□"


def to_pdf(document: Document) -> bytes:
    """The letter's bytes; the same letter gives the same bytes on any machine.

    What a reporter wrote may hold characters no font has: they are printed as □. Raises
    ``TypesetError`` for any error of typst.
    """
    import typst

    chosen = fonts.choose()
    printable = _printable(document, chosen)
    try:
        pdf = typst.compile(
            str(TEMPLATE),
            root=str(TEMPLATE.parent),
            format="pdf",
            font_paths=[str(chosen.folder)],
            ignore_system_fonts=True,
            pdf_standards=["a-2a"],
            timestamp=int(datetime.combine(document.issued_on, time(), UTC).timestamp()),
            sys_inputs={
                "doc": json.dumps(_data(printable), ensure_ascii=False, sort_keys=True),
                "style": json.dumps({"roles": dict(chosen.roles)}, ensure_ascii=False),
            },
        )
    except typst.TypstError as error:
        raise TypesetError(f"{error.message}\n{error.diagnostic}") from error
    if not isinstance(pdf, bytes):
        raise TypesetError("typst returned no PDF")
    return pdf


def _data(document: Document) -> dict[str, object]:
    return {
        "title": document.title,
        "addressee": document.addressee,
        "paragraphs": document.paragraphs,
        "heads": document.heads,
        "rows": document.rows,
        "closing": document.closing,
        "office": document.office,
        "issued": document.issued_on.isoformat(),
        "day": date_words(document.issued_on),
        "simulated": document.simulated,
    }


def _printable(document: Document, chosen: fonts.FontSet) -> Document:
    known = fonts.covered(chosen)

    def shown(text: str) -> str:
        return "".join(" " if c.isspace() else c if ord(c) in known else NO_GLYPH for c in text)

    return replace(
        document,
        title=shown(document.title),
        addressee=shown(document.addressee),
        paragraphs=tuple(map(shown, document.paragraphs)),
        rows=tuple(tuple(map(shown, row)) for row in document.rows),
        closing=tuple(map(shown, document.closing)),
        office=shown(document.office),
    )
