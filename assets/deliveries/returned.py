"""What comes back (退信、签收): read from where it arrives, recorded on the mail it is about.

Belongs here: fetching returned mail, recording bounces and receipts, planning a failed mail again,
signed links that confirm receipt. Does not belong here: what a returned mail says (``bounces``).
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from assets.deliveries.bounces import Notice, read_notice
from assets.deliveries.mailboxes import returned_by_imap, returned_in_folder
from assets.deliveries.outbox import utc_now
from warehouse import audit, ledger
from warehouse.outbox_ledger import OutboxLedger
from warehouse.workspace import MailPlace, Workspace


class NoMailboxError(ValueError):
    """The settings name no place where returned mail arrives."""


class ReceiptLinkError(ValueError):
    """The link was not made by this workspace, or was changed."""


def read(workspace: Workspace, ledger: OutboxLedger) -> dict[str, int]:
    """Record what arrived; counts of what is new. Read again, the same mail changes nothing.

    Raises NoMailboxError without ``[mail.bounces]``, LookupFailedError when it cannot be read.
    """
    place = workspace.mail.bounces if workspace.mail else None
    if place is None:
        raise NoMailboxError(
            "没有设置退信邮箱:请在 parkwatch.toml 写 [mail.bounces](见 docs/releases.md)"
        )
    return record(workspace, ledger, (content for _, content in _arrived(place)))


def _arrived(place: MailPlace) -> Iterator[tuple[str, bytes]]:
    if place.kind == "imap":
        assert place.mailbox is not None
        return returned_by_imap(place.mailbox)
    return returned_in_folder(place.path)


def record(workspace: Workspace, ledger: OutboxLedger, contents: Iterable[bytes]) -> dict[str, int]:
    """Record returned mails on the rows they are about; counts by kind of what is new.

    A report about another address than the row's (the journal's, a colleague's) is not believed of
    the row; a reply counts whoever of the post wrote it.
    """
    rows = {row["message_id"]: row for row in ledger.mails()}
    found: Counter[str] = Counter()
    now = _stamp(utc_now())
    for content in contents:
        for notice in read_notice(content, rows):
            found[notice.kind] += _record(workspace, ledger, rows[notice.message_id], notice, now)
    return {kind: number for kind, number in sorted(found.items()) if number}


def _record(
    workspace: Workspace, ledger: OutboxLedger, row: dict[str, object], notice: Notice, now: str
) -> bool:
    if notice.kind == "acknowledged":
        return acknowledge(workspace, ledger, notice.message_id, notice.recipient or "收件人")
    if notice.recipient not in ("", str(row["recipient"]).lower()) or notice.kind != "bounced":
        return False
    if row["resent"] and row["bounced_at"] is None and row["state"] != "sent":
        return False  # an old report about the first attempt; the mail waits to leave again
    return ledger.bounced(notice.message_id, now, notice.why)


def acknowledge(workspace: Workspace, ledger: OutboxLedger, message_id: str, by: str) -> bool:
    """Record receipt (签收) with its audit entry; False when it was confirmed before."""
    now = _stamp(utc_now())
    if not ledger.acknowledged(message_id, now, by):
        return False
    _log(workspace, now, by, "acknowledge", message_id, "")
    return True


def again(
    workspace: Workspace, ledger: OutboxLedger, message_id: str, by: str, reason: str
) -> bool:
    """Plan a failed mail again; False when it did not fail."""
    now = _stamp(utc_now())
    if not ledger.again(message_id, now):
        return False
    _log(workspace, now, by, "resend", message_id, reason)
    return True


def _log(workspace: Workspace, at: str, by: str, action: str, subject: str, reason: str) -> None:
    detail = {"reason": reason} if reason else {}
    with ledger.transaction(workspace.state_file, audit.SCHEMA, exclusive=True) as log:
        entry = audit.append(log, at=at, actor=by, action=action, subject=subject, detail=detail)
    audit.anchor(workspace.state_file, entry)


# --- links that confirm receipt -------------------------------------------------------------------


def receipt_key(file: Path) -> bytes:
    """The workspace's key for links, made (32 bytes, for the owner only) when there is none."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_bytes()
    with os.fdopen(handle, "wb") as out:
        key = os.urandom(32)
        out.write(key)
        out.flush()
        os.fsync(out.fileno())
    return key


def make_token(key: bytes, message_id: str, recipient: str) -> str:
    """Token of a link by which ``recipient`` confirms the mail ``message_id``; fit for a URL.

    HMAC-SHA-256 (RFC 2104) over both; the token holds the Message-ID, not the address.
    """
    name = urlsafe_b64encode(message_id.encode()).decode().rstrip("=")
    return f"{name}.{_signature(key, message_id, recipient)}"


def message_id_in(token: str) -> str:
    """The Message-ID a token speaks of, unverified. ReceiptLinkError when it is none."""
    name = token.partition(".")[0]
    try:
        return urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode("ascii")
    except ValueError:
        raise ReceiptLinkError("签收链接不完整,请从邮件中重新打开") from None


def verify_token(key: bytes, token: str, recipient: str) -> str:
    """The Message-ID of a token made for ``recipient``. ReceiptLinkError for any other token."""
    message_id = message_id_in(token)
    expected = make_token(key, message_id, recipient)
    if not hmac.compare_digest(expected.encode(), token.encode()):
        raise ReceiptLinkError("签收链接无效:不是本系统签发,或已被改动")
    return message_id


def _signature(key: bytes, message_id: str, recipient: str) -> str:
    said = f"{len(message_id)}:{message_id}{recipient.lower()}".encode()
    digest = hmac.new(key, b"receipt\x00" + said, hashlib.sha256).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
