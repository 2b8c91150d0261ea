"""Messages of an edition: one per recipient, rendered to files, entered in the ledger.

Belongs here: who gets which message and where it lies. Does not belong here: how a message looks
(``message``) or sending it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.build import Build
from assets.bulletins.documents import FIRST_EDITION, composed, main_audience, write_folder
from assets.deliveries.message import Attachment, Sender, render_message
from warehouse import store

if TYPE_CHECKING:
    import duckdb

RENDERED = "rendered"


def render(connection: duckdb.DuckDBPyConnection, build: Build, period: str) -> int:
    """Render the messages of the edition of ``period``; returns their number."""
    audience = main_audience(build)
    bulletin = composed(connection, build, period, audience)
    folder = build.workspace.edition_folder(period, audience.audience_id, FIRST_EDITION)
    making = build.making(folder)
    manifest = json.loads((making / "manifest.json").read_text(encoding="utf-8"))
    digests = json.loads(manifest["documents"])
    attachments = _attachments(making, digests)
    sender = Sender(build.workspace.bureau.name, build.workspace.bureau.mail_address)
    edition_digest = hashlib.sha256(manifest["documents"].encode()).hexdigest()
    rows, files = [], {}
    for number, recipient in enumerate(audience.recipients, start=1):
        message = render_message(
            bulletin,
            recipient=recipient.email,
            sender=sender,
            date=bulletin.meta.as_of,
            attachments=attachments,
        )
        name = f"{number:02d}.eml"
        files[name] = message.content
        rows.append(
            {
                "edition_digest": edition_digest,
                "recipient": recipient.email,
                "period": period,
                "audience_id": audience.audience_id,
                "edition": FIRST_EDITION,
                "message_id": message.message_id,
                "state": RENDERED,
                "attempts": 0,
                "file": str((folder / "mail" / name).relative_to(build.workspace.home)),
            }
        )
    write_folder(making / "mail", files)
    return _record(connection, rows, period, audience.audience_id)


def _attachments(folder: Path, digests: Mapping[str, str]) -> list[Attachment]:
    """The PDF as recorded; a file that is not what the manifest says must not be sent."""
    found = []
    for name, sha256 in digests.items():
        if name.endswith(".pdf"):
            content = (folder / name).read_bytes()
            if hashlib.sha256(content).hexdigest() != sha256:
                raise ValueError(f"{folder / name} 与清单不符;请重新运行 parkwatch run")
            found.append(Attachment(name, content))
    return found


def _record(
    connection: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], period: str, audience_id: str
) -> int:
    return store.replace_rows(
        connection,
        "deliveries.message",
        rows,
        where="period = ? AND audience_id = ? AND edition = ? AND state = 'rendered'",
        values=[period, audience_id, FIRST_EDITION],
    )
