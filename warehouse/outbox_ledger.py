"""The mail ledger (SQLite): one row a message, from planned to acknowledged, every step durable.

Belongs here: the states of a message and the transitions between them, in the operational ledger.
Does not belong here: SMTP (``assets/deliveries/smtp``), when to try again, or what a mail says.

planned → sending → dot → sent | deferred | refused | unknown. ``dot`` is committed before the final
dot leaves: after a crash a row in ``sending`` was certainly not accepted, a row in ``dot`` may have
been, and is looked up by Message-ID, never sent again blindly.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from warehouse import ledger, seals

MailState = Literal[
    "planned", "sending", "dot", "sent", "deferred", "refused", "unknown", "suppressed"
]
OPEN = ("planned", "sending", "dot", "deferred")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS mail (
    batch TEXT NOT NULL,
    recipient TEXT NOT NULL,
    kind TEXT NOT NULL,
    post TEXT NOT NULL,
    subject TEXT NOT NULL,
    message_id TEXT NOT NULL UNIQUE,
    file TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at TEXT NOT NULL,
    planned_at TEXT NOT NULL,
    tried_at TEXT,
    last_reply TEXT,
    sent_at TEXT,
    bounced_at TEXT,
    bounce TEXT,
    acknowledged_at TEXT,
    acknowledged_by TEXT,
    resent INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (batch, recipient)
);
CREATE INDEX IF NOT EXISTS mail_by_state ON mail (state, due_at);
"""

_PLAN = """
INSERT INTO mail (batch, recipient, kind, post, subject, message_id, file, sha256, bytes, state,
                  due_at, planned_at)
VALUES (:batch, :recipient, :kind, :post, :subject, :message_id, :file, :sha256, :bytes, 'planned',
        :at, :at)
ON CONFLICT (message_id) DO UPDATE SET
    batch = excluded.batch, file = excluded.file, sha256 = excluded.sha256, bytes = excluded.bytes,
    subject = excluded.subject, state = 'planned', due_at = excluded.due_at, attempts = 0,
    last_reply = NULL
    WHERE mail.state = 'suppressed'
ON CONFLICT (batch, recipient) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Mail:
    """A message to be sent. ``batch`` (an edition's digest, a letter's key) and ``recipient`` name it
    for ever: planning it again changes nothing. ``file`` lies below the workspace."""

    batch: str
    recipient: str
    kind: str
    post: str
    subject: str
    message_id: str
    file: str
    sha256: str
    bytes: int


class OutboxLedger:
    """The mail ledger of one workspace; every method is one transaction, on disk when it returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        if self._connection is None:
            connection = ledger.connect(self.path, _SCHEMA)
            known = {row["name"] for row in connection.execute("PRAGMA table_info(mail)")}
            if "resent" not in known:
                connection.execute("ALTER TABLE mail ADD COLUMN resent INTEGER NOT NULL DEFAULT 0")
                seals.settle(connection)
            self._connection = connection
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # --- planning --------------------------------------------------------------------------------

    def plan(self, mails: Iterable[Mail], at: str) -> int:
        """Enter messages to be sent from ``at`` (ISO 8601, UTC) on; returns how many are new.

        What was taken back before it left (suppressed) is planned again; anything else that is known
        stays as it is.
        """
        with self._open() as connection:
            new = 0
            for mail in mails:
                new += connection.execute(_PLAN, asdict(mail) | {"at": at}).rowcount
            return new

    def suppress(self, batch: str, reason: str) -> int:
        """Take back what was planned and has not left; returns the number of rows."""
        with self._open() as connection:
            return connection.execute(
                "UPDATE mail SET state = 'suppressed', last_reply = ? "
                "WHERE batch = ? AND state IN ('planned', 'deferred')",
                (reason, batch),
            ).rowcount

    # --- one attempt -----------------------------------------------------------------------------

    def take(self, now: str) -> dict[str, Any] | None:
        """The next message due, marked ``sending``; None when nothing is due."""
        with self._open() as connection:
            row = connection.execute(
                "SELECT * FROM mail WHERE state IN ('planned', 'deferred') AND due_at <= ? "
                "ORDER BY due_at, planned_at, batch, recipient LIMIT 1",
                (now,),
            ).fetchone()
            if row is None:
                return None
            connection.execute(
                "UPDATE mail SET state = 'sending', attempts = attempts + 1, tried_at = ? "
                "WHERE batch = ? AND recipient = ?",
                (now, row["batch"], row["recipient"]),
            )
            return dict(row) | {
                "state": "sending", "attempts": row["attempts"] + 1, "tried_at": now
            }  # fmt: skip

    def mark_dot(self, message_id: str) -> None:
        """On disk before the final dot leaves."""
        self._move(message_id, "dot")

    def sent(self, message_id: str, at: str, reply: str) -> None:
        """The server took the message."""
        self._move(message_id, "sent", last_reply=reply, sent_at=at)

    def deferred(self, message_id: str, due_at: str, reply: str) -> None:
        """Not taken for now; try again at ``due_at``."""
        self._move(message_id, "deferred", last_reply=reply, due_at=due_at)

    def refused(self, message_id: str, reply: str) -> None:
        """Refused for good; a person decides."""
        self._move(message_id, "refused", last_reply=reply)

    def unknown(self, message_id: str, reply: str) -> None:
        """May or may not have been taken, and nobody could say; a person decides."""
        self._move(message_id, "unknown", last_reply=reply)

    def given_back(self, message_id: str, reply: str) -> None:
        """Not tried after all (the queue stopped): planned as before, attempt not counted."""
        with self._open() as connection:
            connection.execute(
                "UPDATE mail SET state = 'planned', attempts = attempts - 1, last_reply = ? "
                "WHERE message_id = ?",
                (reply, message_id),
            )

    def held_back(self, message_id: str, due_at: str, why: str) -> None:
        """May not leave yet (embargo, approval): waits until ``due_at``, attempt not counted."""
        with self._open() as connection:
            connection.execute(
                "UPDATE mail SET state = 'planned', attempts = attempts - 1, due_at = ?, "
                "last_reply = ? WHERE message_id = ?",
                (due_at, why, message_id),
            )

    def found_taken(self, message_ids: Iterable[str], at: str, reply: str) -> int:
        """Waiting messages a look-up says were taken before (the ledger is older than the truth)."""
        with self._open() as connection:
            return sum(
                connection.execute(
                    "UPDATE mail SET state = 'sent', sent_at = ?, last_reply = ? "
                    "WHERE message_id = ? AND state IN ('planned', 'deferred') AND resent = 0",
                    (at, reply, message_id),
                ).rowcount
                for message_id in message_ids
            )

    def after_restore(self, reply: str) -> int:
        """The ledger came from a backup: what was open then may have left since, so a person decides.

        Returns the number of rows that became ``unknown``.
        """
        with self._open() as connection:
            return connection.execute(
                "UPDATE mail SET state = 'unknown', last_reply = ? "
                "WHERE state IN ('planned', 'sending', 'dot', 'deferred')",
                (reply,),
            ).rowcount

    def again(self, message_id: str, at: str) -> bool:
        """A person wants an unknown or refused message sent again, under the same Message-ID."""
        with self._open() as connection:
            return bool(
                connection.execute(
                    "UPDATE mail SET state = 'planned', due_at = ?, attempts = 0, resent = resent + 1, "
                    "bounced_at = NULL, bounce = NULL "
                    "WHERE message_id = ? AND (state IN ('unknown', 'refused') OR "
                    "(state = 'sent' AND bounced_at IS NOT NULL))",
                    (at, message_id),
                ).rowcount
            )

    def _move(self, message_id: str, state: MailState, **values: str) -> None:
        names = "".join(f", {name} = :{name}" for name in values)
        with self._open() as connection:
            connection.execute(
                f"UPDATE mail SET state = :state{names} WHERE message_id = :message_id",
                values | {"state": state, "message_id": message_id},
            )

    # --- after a crash ---------------------------------------------------------------------------

    def free_interrupted(self) -> int:
        """Rows a killed sender left before the dot: certainly not accepted, planned again."""
        with self._open() as connection:
            return connection.execute(
                "UPDATE mail SET state = 'planned' WHERE state = 'sending'"
            ).rowcount

    def ambiguous(self) -> list[dict[str, Any]]:
        """Rows whose final dot may have left: to be looked up."""
        return self._rows("state = 'dot' ORDER BY planned_at, message_id")

    # --- what came back --------------------------------------------------------------------------

    def bounced(self, message_id: str, at: str, why: str) -> bool:
        """A delivery report said the message did not arrive."""
        with self._open() as connection:
            return bool(
                connection.execute(
                    "UPDATE mail SET bounced_at = ?, bounce = ? "
                    "WHERE message_id = ? AND bounced_at IS NULL",
                    (at, why, message_id),
                ).rowcount
            )

    def acknowledged(self, message_id: str, at: str, by: str) -> bool:
        """The recipient confirmed receipt (签收); the first confirmation counts."""
        with self._open() as connection:
            return bool(
                connection.execute(
                    "UPDATE mail SET acknowledged_at = ?, acknowledged_by = ? "
                    "WHERE message_id = ? AND acknowledged_at IS NULL",
                    (at, by, message_id),
                ).rowcount
            )

    # --- looking ---------------------------------------------------------------------------------

    def mails(self, batch: str | None = None) -> list[dict[str, Any]]:
        """Every row, or those of a batch, in order of planning."""
        if batch is None:
            return self._rows("true ORDER BY planned_at, batch, recipient")
        return self._rows("batch = ? ORDER BY recipient", batch)

    def by_message_id(self, message_id: str) -> dict[str, Any] | None:
        """The row of a Message-ID."""
        rows = self._rows("message_id = ?", message_id)
        return rows[0] if rows else None

    def counts(self) -> dict[str, int]:
        """How many rows stand in each state."""
        with self._open() as connection:
            return dict(
                connection.execute("SELECT state, count(*) FROM mail GROUP BY 1 ORDER BY 1")
            )

    def waiting(self) -> list[dict[str, Any]]:
        """Rows not yet handed over and not in anybody's hands."""
        return self._rows("state IN ('planned', 'deferred') ORDER BY due_at, batch, recipient")

    def next_due(self) -> str | None:
        """When the earliest waiting message is due."""
        with self._open() as connection:
            row = connection.execute(
                "SELECT min(due_at) FROM mail WHERE state IN ('planned', 'deferred')"
            ).fetchone()
            return str(row[0]) if row[0] else None

    def _rows(self, where: str, *values: str) -> list[dict[str, Any]]:
        with self._open() as connection:
            rows = connection.execute(f"SELECT * FROM mail WHERE {where}", values)
            return [dict(row) for row in rows]
