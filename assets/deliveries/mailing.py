"""Messages of an edition: one per recipient, rendered to files, entered in the ledger.

Belongs here: who gets which message and where it lies. Does not belong here: how a message looks
(``message``) or sending it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assets.bulletins.documents import MANIFEST, write_folder
from assets.bulletins.editions import composed
from assets.bulletins.model import Bulletin
from assets.deliveries.ledger_table import addresses
from assets.deliveries.message import Attachment, Sender, render_message
from assets.deliveries.receipts import asking
from warehouse import store
from warehouse.releases import Key, documents_digest

if TYPE_CHECKING:
    import duckdb

    from assets.build import Build
    from warehouse.catalog.models import Audience

RENDERED = "rendered"
DRAFT = "draft"
_OFFICE = "vnd.openxmlformats-officedocument"
SUBTYPES: Mapping[str, str] = {
    "pdf": "pdf",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
}
"""Documents sent along, and their ``application/`` types; the page stays in the archive."""


def render(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    period: str,
    wanted: Sequence[str] | None = None,
) -> int:
    """Render the messages of the drafts of ``period`` (of audiences ``wanted``); returns their number.

    Messages of editions that left draft are what people approved: they are left alone.
    """
    keys = [
        Key(row["period"], row["audience_id"], row["edition"])
        for row in store.fetch(connection, _DRAFTS, [period, DRAFT])
    ]
    audiences = {audience.audience_id: audience for audience in build.catalog.audiences}
    keys = [
        key
        for key in keys
        if key.audience_id in audiences and (wanted is None or key.audience_id in wanted)
    ]
    total = 0
    for number, key in enumerate(keys):
        build.progress("生成邮件", number, len(keys))
        audience = audiences[key.audience_id]
        if "eml" in audience.formats:
            total += _edition(connection, build, key, audience)
    return total


_DRAFTS = """
SELECT period, audience_id, edition FROM bulletins.edition
WHERE period = ? AND status = ? ORDER BY audience_id, edition
"""


def _edition(
    connection: duckdb.DuckDBPyConnection, build: Build, key: Key, audience: Audience
) -> int:
    """One message a recipient, in the edition's folder and in the ledger's table."""
    bulletin = composed(connection, build, key)
    folder = build.workspace.edition_folder(key.period, key.audience_id, key.edition)
    making = build.making(folder)
    manifest = json.loads((making / MANIFEST).read_text(encoding="utf-8"))
    attachments = _attachments(making, json.loads(manifest["documents"]))
    edition_digest = documents_digest(manifest["documents"])
    rows, files = [], {}
    for number, address in enumerate(addresses(build.workspace, audience, key), start=1):
        name = f"{number:02d}.eml"
        message_id, files[name] = _message(build, bulletin, address, attachments)
        rows.append(
            {
                "edition_digest": edition_digest,
                "recipient": address,
                "period": key.period,
                "audience_id": key.audience_id,
                "edition": key.edition,
                "message_id": message_id,
                "state": RENDERED,
                "attempts": 0,
                "file": str((folder / "mail" / name).relative_to(build.workspace.home)),
            }
        )
    write_folder(making / "mail", files)
    return store.replace_rows(
        connection,
        "deliveries.message",
        rows,
        where="period = ? AND audience_id = ? AND edition = ? AND state = 'rendered'",
        values=[key.period, key.audience_id, key.edition],
    )


def _message(
    build: Build, bulletin: Bulletin, recipient: str, attachments: Sequence[Attachment]
) -> tuple[str, bytes]:
    """Message-ID and bytes of the mail to ``recipient``."""
    message = render_message(
        bulletin,
        recipient=recipient,
        sender=Sender(build.workspace.bureau.name, build.workspace.bureau.mail_address),
        date=bulletin.meta.as_of,
        attachments=attachments,
        receipt=asking(build.workspace, recipient),
    )
    return message.message_id, message.content


def _attachments(folder: Path, digests: Mapping[str, str]) -> list[Attachment]:
    """The documents as recorded; a file that is not what the manifest says must not be sent."""
    found = []
    for name, sha256 in sorted(digests.items()):
        subtype = SUBTYPES.get(name.rpartition(".")[2])
        if subtype is None:
            continue
        content = (folder / name).read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError(f"{folder / name} 与清单不符;请重新运行 parkwatch run")
        found.append(Attachment(name, content, subtype))
    return found
