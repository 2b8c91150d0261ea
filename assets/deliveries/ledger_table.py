"""The table of messages follows the mail ledger; who got an edition is asked of the ledger.

Belongs here: bringing ``deliveries.message`` in line with the ledger, and to which addresses an edition
is written. Does not belong here: rendering (``mailing``), planning and sending (``sending``).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from warehouse import store
from warehouse.outbox_ledger import OutboxLedger
from warehouse.releases import Key
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

    from assets.build import Build
    from warehouse.catalog.models import Audience

_SAME = ("recipient", "message_id", "state", "attempts", "last_reply", "file")
_TIMES = ("sent_at", "bounced_at", "acknowledged_at")


def addresses(workspace: Workspace, audience: Audience, key: Key) -> list[str]:
    """Addresses an edition is written for: the audience's posts; for a correction exactly those that
    got the edition before."""
    if key.edition == 1:
        return list(dict.fromkeys(recipient.email for recipient in audience.recipients))
    return recipients_of(workspace, Key(key.period, key.audience_id, key.edition - 1))


def recipients_of(workspace: Workspace, key: Key) -> list[str]:
    """Who got an edition: its message was taken and has not come back."""
    ledger = OutboxLedger(workspace.state_file)
    found = {
        row["recipient"]
        for row in ledger.mails()
        if row["batch"].startswith(f"{key}/") and row["state"] == "sent" and not row["bounced_at"]
    }
    ledger.close()
    return sorted(found)


def mirror(connection: duckdb.DuckDBPyConnection, build: Build) -> int:
    """Bring ``deliveries.message`` in line with the ledger's bulletins; returns the rows told."""
    ledger = OutboxLedger(build.workspace.state_file)
    mails = [mail for mail in ledger.mails() if mail["kind"] == "bulletin"]
    ledger.close()
    if not mails:
        return 0
    documents = {
        (row["period"], row["audience_id"], row["edition"]): row["documents"]
        for row in store.fetch(connection, "FROM bulletins.edition")
    }
    current = {}
    for mail in sorted(mails, key=lambda mail: mail["planned_at"]):
        row = _row(mail, documents)
        if row["state"] != "suppressed":
            current[row["edition_digest"], row["recipient"]] = row
    rows = list(current.values())
    return store.replace_rows(
        connection,
        "deliveries.message",
        rows,
        where="state <> 'rendered' OR message_id IN (SELECT unnest($1::VARCHAR[]))",
        values=[[row["message_id"] for row in rows]],
    )


def _row(mail: dict[str, Any], documents: dict[tuple[str, str, int], str]) -> dict[str, Any]:
    period, audience_id, number, digest = mail["batch"].split("/")
    known = documents.get((period, audience_id, int(number)))
    key = {"period": period, "audience_id": audience_id, "edition": int(number)}
    digest = hashlib.sha256(known.encode()).hexdigest() if known else digest
    times = {name: _utc(mail[name]) for name in _TIMES}
    return key | {"edition_digest": digest} | {name: mail[name] for name in _SAME} | times


def _utc(text: str | None) -> datetime | None:
    """A ledger's moment as the warehouse keeps it: UTC without zone."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) if text else None
