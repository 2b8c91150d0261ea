"""Releases (签发): each edition's way from draft over review to approved and sent, with who and when.

Belongs here: the states of an edition in the operational ledger, the transitions people may make, each
written together with its audit entry. Does not belong here: documents, checks of their content, mail.

draft → review → approved → sent; ``reject`` and ``withdraw`` lead back to draft. An edition that left
draft is frozen: a new one starts only by ``correct`` (更正), which names its reason.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from warehouse import audit, ledger

Status = Literal["draft", "review", "approved", "sent"]
STATUS_ZH: Mapping[str, str] = {
    "draft": "草稿",
    "review": "待签发",
    "approved": "已签发",
    "sent": "已发送",
}

_SCHEMA = """
CREATE TABLE IF NOT EXISTS release (
    period TEXT NOT NULL,
    audience_id TEXT NOT NULL,
    edition INTEGER NOT NULL,
    status TEXT NOT NULL,
    documents TEXT NOT NULL DEFAULT '',
    submitted_by TEXT,
    approved_by TEXT,
    embargo_until TEXT,
    ticks TEXT NOT NULL DEFAULT '',
    correction TEXT,
    changed_at TEXT NOT NULL,
    PRIMARY KEY (period, audience_id, edition)
);
"""


class ReleaseError(ValueError):
    """A transition that cannot be made now; the message says why and what can be done."""


@dataclass(frozen=True, slots=True)
class Key:
    """Which edition."""

    period: str
    audience_id: str
    edition: int

    def __str__(self) -> str:
        return f"{self.period}/{self.audience_id}/{self.edition}"


@dataclass(frozen=True, slots=True)
class Release:
    """An edition's standing. ``documents``: digest of its documents; ``ticks``: warnings a person
    accepted; ``correction``: why it replaces the edition before."""

    key: Key
    status: Status
    documents: str
    submitted_by: str | None
    approved_by: str | None
    embargo_until: str | None
    ticks: tuple[str, ...]
    correction: str | None
    changed_at: str


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something, when (ISO 8601, UTC) and why."""

    by: str
    at: str
    reason: str = ""


def documents_digest(documents: str) -> str:
    """What identifies an edition's documents: SHA-256 of ``bulletins.edition.documents`` (JSON)."""
    return hashlib.sha256(documents.encode()).hexdigest()


class Releases:
    """Access to the releases of one workspace; every transition is one transaction."""

    def __init__(self, path: Path, *, two_persons: bool = True) -> None:
        self.path, self.two_persons = path, two_persons

    # --- looking ---------------------------------------------------------------------------------

    def find(self, key: Key) -> Release | None:
        """The release of an edition, None when it was never drafted."""
        with self._open() as connection:
            return _find(connection, key)

    def of_period(self, period: str) -> list[Release]:
        """All editions of a period by audience and edition."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT * FROM release WHERE period = ? ORDER BY audience_id, edition", (period,)
            )
            return [_release(row) for row in rows]

    def periods(self, status: Status) -> list[str]:
        """Periods with an edition that stands at ``status``."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT DISTINCT period FROM release WHERE status = ? ORDER BY period", (status,)
            )
            return [row[0] for row in rows]

    def unwritten_corrections(self) -> list[Release]:
        """Corrections opened whose documents no run has written yet, by period and audience."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT * FROM release WHERE status = 'draft' AND correction IS NOT NULL "
                "AND documents = '' ORDER BY period, audience_id"
            )
            return [_release(row) for row in rows]

    def open_edition(self, period: str, audience_id: str) -> int | None:
        """Number of the edition a run may write: the draft, or the first one; None while the newest
        one is frozen."""
        with self._open() as connection:
            newest = _newest(connection, period, audience_id)
        if newest is None:
            return 1
        return newest.key.edition if newest.status == "draft" else None

    def audit_log(self) -> list[audit.Entry]:
        """The whole audit log."""
        with self._open() as connection:
            return audit.entries(connection)

    # --- transitions -----------------------------------------------------------------------------

    def record_draft(self, key: Key, documents: str, at: str) -> None:
        """A run wrote the documents of a draft; ReleaseError when the edition is frozen."""
        with self._open() as connection:
            found = _find(connection, key)
            if found is not None and found.status != "draft":
                raise _not_now(found, "改写")
            connection.execute(
                "INSERT INTO release (period, audience_id, edition, status, documents, changed_at) "
                "VALUES (?, ?, ?, 'draft', ?, ?) ON CONFLICT DO UPDATE SET "
                "documents = excluded.documents, changed_at = excluded.changed_at",
                (key.period, key.audience_id, key.edition, documents, at),
            )

    def submit(self, key: Key, documents: str, act: Act) -> Release:
        """Hand a draft in for approval (送审)."""
        return self._move(key, act, "submit", "送审", ("draft",), "review", documents,
                          submitted_by=act.by)  # fmt: skip

    def approve(
        self,
        key: Key,
        documents: str,
        act: Act,
        *,
        ticks: Sequence[str] = (),
        embargo_until: str | None = None,
    ) -> Release:
        """Approve (签发) exactly the documents with digest ``documents``.

        Under the rule of two persons the approver must not be the one who handed it in.
        """
        return self._move(key, act, "approve", "签发", ("review",), "approved", documents,
                          another_person=self.two_persons, approved_by=act.by, ticks="\n".join(ticks),
                          embargo_until=embargo_until)  # fmt: skip

    def reject(self, key: Key, act: Act) -> Release:
        """Send back to draft (退回修改) with a reason."""
        _needs_reason(act, "退回修改")
        return self._move(key, act, "reject", "退回修改", ("review",), "draft",
                          submitted_by=None)  # fmt: skip

    def withdraw(self, key: Key, act: Act) -> Release:
        """Take back an approval before anything was sent (撤回签发) with a reason."""
        _needs_reason(act, "撤回签发")
        return self._move(key, act, "withdraw", "撤回签发", ("approved",), "draft",
                          submitted_by=None, approved_by=None, embargo_until=None, ticks="")  # fmt: skip

    def sent(self, key: Key, act: Act) -> Release:
        """All its messages are handed over or settled."""
        return self._move(key, act, "send", "发送", ("approved", "sent"), "sent")

    def correct(self, period: str, audience_id: str, act: Act) -> Key:
        """Open the next edition (更正) of one that was sent; returns its key."""
        _needs_reason(act, "更正")
        with self._open() as connection:
            newest = _newest(connection, period, audience_id)
            if newest is None or newest.status != "sent":
                state = STATUS_ZH[newest.status] if newest else "未生成"
                raise ReleaseError(
                    f"{period}/{audience_id} 尚未发送(现为{state}),不需要更正:直接重新生成草稿即可"
                )
            key = Key(period, audience_id, newest.key.edition + 1)
            connection.execute(
                "INSERT INTO release (period, audience_id, edition, status, correction, changed_at) "
                "VALUES (?, ?, ?, 'draft', ?, ?)",
                (period, audience_id, key.edition, act.reason, act.at),
            )
            entry = _log(connection, "correct", key, act, {"replaces": newest.key.edition})
        audit.anchor(self.path, entry)
        return key

    def _move(
        self,
        key: Key,
        act: Act,
        action: str,
        word: str,
        allowed: Sequence[Status],
        status: Status,
        documents: str | None = None,
        another_person: bool = False,
        **values: str | None,
    ) -> Release:
        names = "".join(f", {name} = :{name}" for name in values)
        with self._open() as connection:
            found = _find(connection, key)
            if found is None:
                raise ReleaseError(f"{key} 还没有草稿:先运行 parkwatch run --period {key.period}")
            if found.status not in allowed:
                raise _not_now(found, word)
            if another_person and found.submitted_by == act.by:
                raise ReleaseError(
                    f"{key} 由{act.by}送审,须由另一人签发(两人规则,见 parkwatch.toml [release])"
                )
            if documents is not None and documents != found.documents:
                raise ReleaseError(
                    f"{key} 的文件在您查看之后已重新生成,未{word}:请重新预览后再{word}"
                )
            connection.execute(
                f"UPDATE release SET status = :status, changed_at = :at{names} "
                "WHERE period = :period AND audience_id = :audience_id AND edition = :edition",
                values | {"status": status, "at": act.at, "period": key.period,
                          "audience_id": key.audience_id, "edition": key.edition},
            )  # fmt: skip
            said = {name: value for name, value in values.items() if value}
            entry = _log(connection, action, key, act, said | {"documents": found.documents})
            moved = _find(connection, key)
        audit.anchor(self.path, entry)
        assert moved is not None
        return moved

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return ledger.transaction(self.path, _SCHEMA + audit.SCHEMA, exclusive=True)


def after_restore(connection: sqlite3.Connection, at: str) -> int:
    """In a restored ledger, approved editions none of whose mails is planned go back to review: after
    the backup they may have been sent. Returns their number; within the caller's transaction."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if "release" not in tables:
        return 0
    planned = (
        "AND NOT EXISTS (SELECT 1 FROM mail WHERE "
        "mail.batch = period || '/' || audience_id || '/' || edition || '/' || documents)"
    )
    rows = connection.execute(
        f"SELECT * FROM release WHERE status = 'approved' {planned if 'mail' in tables else ''}"
    ).fetchall()
    for row in rows:
        found = _release(row)
        connection.execute(
            "UPDATE release SET status = 'review', approved_by = NULL, embargo_until = NULL, "
            "ticks = '', changed_at = ? WHERE period = ? AND audience_id = ? AND edition = ?",
            (at, found.key.period, found.key.audience_id, found.key.edition),
        )
        act = Act("parkwatch", at, "自备份恢复:请确认备份之后没有发送过,再签发")
        _log(connection, "review again", found.key, act, {"approved_by": found.approved_by})
    return len(rows)


def _find(connection: sqlite3.Connection, key: Key) -> Release | None:
    row = connection.execute(
        "SELECT * FROM release WHERE period = ? AND audience_id = ? AND edition = ?",
        (key.period, key.audience_id, key.edition),
    ).fetchone()
    return _release(row) if row else None


def _newest(connection: sqlite3.Connection, period: str, audience_id: str) -> Release | None:
    row = connection.execute(
        "SELECT * FROM release WHERE period = ? AND audience_id = ? ORDER BY edition DESC LIMIT 1",
        (period, audience_id),
    ).fetchone()
    return _release(row) if row else None


def _release(row: sqlite3.Row) -> Release:
    values: dict[str, Any] = dict(row)
    key = Key(values.pop("period"), values.pop("audience_id"), values.pop("edition"))
    ticks = tuple(filter(None, values.pop("ticks").split("\n")))
    return Release(key=key, ticks=ticks, **values)


def _log(
    connection: sqlite3.Connection, action: str, key: Key, act: Act, detail: Mapping[str, Any]
) -> audit.Entry:
    said = dict(detail) | ({"reason": act.reason} if act.reason else {})
    return audit.append(
        connection, at=act.at, actor=act.by, action=action, subject=str(key), detail=said
    )


def _needs_reason(act: Act, word: str) -> None:
    if not act.reason.strip():
        raise ReleaseError(f"{word}须写明理由:加 --reason")


def _not_now(found: Release, word: str) -> ReleaseError:
    who = found.approved_by or found.submitted_by
    by = f",{who}于{found.changed_at}操作" if who else ""
    return ReleaseError(f"{found.key} 现为{STATUS_ZH[found.status]}{by},不能{word}")
