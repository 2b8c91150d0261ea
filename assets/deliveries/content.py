"""Content (内容核对): the thorough check of what is about to be handed in: every file and every mail.

Belongs here: composing the editions once more from what is published, reading their files and mails
back, the lines this gives on the checklist. Does not belong here: the checks (``bulletins``), the rest
of the checklist (``approval``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING

from assets.build import Build
from assets.bulletins import checking, printed
from assets.bulletins.extract import html_text
from assets.bulletins.model import Bulletin, Paragraph, Spans, Table, Text
from assets.bulletins.printed import Allowed, Piece
from assets.bulletins.release_check import TITLES, Found
from assets.bulletins.webpage import note_after, pick
from assets.deliveries import receipts
from assets.deliveries.approval import Item
from assets.deliveries.editions import Edition
from assets.deliveries.message import TABLES, headings_of, subject_of
from warehouse import builds
from warehouse.releases import Key
from warehouse.state import State
from warehouse.store import FAR_FUTURE, Warehouse
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    from warehouse.catalog.load import Catalog


def examined(
    workspace: Workspace, catalog: Catalog, editions: Sequence[Edition]
) -> dict[Key, list[Found]]:
    """The thorough check of published editions of one period: documents and mails, from their bytes."""
    warehouse = Warehouse(workspace)
    kept = builds.manifests(workspace)
    build = Build(
        workspace, catalog, warehouse, State(workspace.state_file),
        datetime.now(UTC).replace(tzinfo=None), asof=kept[-1].asof if kept else FAR_FUTURE,
    )  # fmt: skip
    folders = {edition.key: edition for edition in editions}
    documents = {
        key: {name: _bytes(edition.folder / name) for name in edition.documents}
        for key, edition in folders.items()
    }

    def mails(one: checking.Checked, allowed: Allowed) -> Found:
        return _mails(workspace, folders[one.key], one.bulletin, allowed)

    with warehouse.reading() as connection:
        again = checking.again(connection, build, list(folders))
        return checking.examine(connection, build, again, documents, mails)


def items(results: Sequence[Found]) -> list[Item]:
    """Lines of the checklist for results that failed."""
    return [
        Item(
            "error" if each.severity == "error" else "warning", each.check_id,
            f"{TITLES[each.check_id][1]}：{each.message}",
        )
        for each in results
        if each.outcome == "fail"
    ]  # fmt: skip


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _mails(workspace: Workspace, edition: Edition, bulletin: Bulletin, allowed: Allowed) -> Found:
    problems: list[str] = []
    n = 0
    for mail in edition.mails:
        data = _bytes(workspace.home / mail.file)
        asks = receipts.asking(workspace, mail.recipient)
        more = allowed.with_texts(
            attachments=edition.documents,
            addresses=[mail.recipient],
            subject=[subject_of(bulletin)],
            receipt=[asks.link(mail.message_id)] if asks and asks.link else [],
        )
        found = mail_against(Path(mail.file).name, data, bulletin, more)
        problems += found.problems
        n += found.n_checked
    return Found("formats", n, tuple(problems))


def mail_against(name: str, data: bytes, bulletin: Bulletin, allowed: Allowed) -> Found:
    """Numbers of a mail's text and HTML, and of its subject, against the document."""
    mail = message_from_bytes(data, policy=policy.default)
    problems: list[str] = []
    n = 0
    for kind, word in (("plain", "邮件文本"), ("html", "邮件网页")):
        part = mail.get_body(preferencelist=(kind,))
        if part is None:
            problems.append(f"{name}没有{word}")
            continue
        content = str(part.get_content())
        text = html_text(content.encode()) if kind == "html" else content
        compared = printed.compare(word, text, _wanted(bulletin, kind, text), allowed)
        n += compared.n_numbers
        problems += [f"{name} {problem}" for problem in compared.problems]
        problems += [f"{name} {p}" for p in checking.marks_of(bulletin, word, text)]
        if kind == "html":
            problems += checking.elements(bulletin, word, content)
    if str(mail["Subject"]) != subject_of(bulletin):
        problems.append(f"{name} 主题与通报不符")
    return Found("formats", n, tuple(problems))


def _wanted(bulletin: Bulletin, kind: str, text: str) -> Iterator[Piece]:
    """What a mail prints of the document: headline, first paragraph, key numbers, tables that fit."""
    headline, *tiles = printed.front(bulletin)
    lead: Paragraph | None = bulletin.lead()
    if kind == "html":
        yield from (headline, headline)  # once for the list of mails, once on top
    yield from (Piece("导语", (lead.spans,)) for _ in (lead,) if lead is not None)
    yield from tiles if kind == "html" else (_line(tile) for tile in tiles)
    flat = printed.squeezed(text)
    for table_id, headings in TABLES:
        table = bulletin.table(table_id)
        if table is not None and printed.squeezed(_caption(table)) in flat:
            shown = headings_of(bulletin, table_id, headings)
            yield from _table(bulletin, table, shown, kind)


def _caption(table: Table) -> str:
    return Piece("", (table.caption,)).text


def _line(tile: Piece) -> Piece:
    """``- label：value（note）``"""
    label, value, note = tile.cells
    words: tuple[Spans, ...] = (label, (Text("："),), value, (Text("（"),), note, (Text("）"),))
    return Piece(tile.where, words)


def _table(bulletin: Bulletin, table: Table, headings: list[str], kind: str) -> Iterator[Piece]:
    columns, rows = pick(table, headings)
    yield Piece(f"表{table.number}表题", (table.caption,))
    for number, (group, cells) in enumerate(rows, start=1):
        where = f"表{table.number}第{number}行"
        if group or kind == "html":
            yield Piece(where, tuple(cells))
            continue
        first, *rest = zip(columns, cells, strict=True)
        words: list[Spans] = [first[1], (Text("："),)]
        for place, (column, cell) in enumerate(rest):
            words += [(Text("，"),)] if place else []
            words += [column.spans, cell]
        yield Piece(where, tuple(words))
    note = note_after(bulletin, table)
    if note:
        yield Piece(f"表{table.number}表注", (note,))
