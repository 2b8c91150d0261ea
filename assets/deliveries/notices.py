"""Notices to operators (运维告警): a short plain mail, kept as a file and planned in the ledger once.

Belongs here: the bytes of such a mail and its row (kind ``alert``). Does not belong here: what is
worth an alert (``pipelines``), sending.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from warehouse.files import write_whole
from warehouse.outbox_ledger import Mail, OutboxLedger
from warehouse.workspace import Workspace

FOLDER = "alerts"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened. ``key`` names the cause: the same cause is told once."""

    key: str
    subject: str
    lines: tuple[str, ...]


def plan(workspace: Workspace, notice: Notice, at: datetime) -> int:
    """Keep the notice as a file and plan a mail to each operator; returns how many mails are new.

    Without operators in the settings the file alone remains, which ``doctor`` and ``status`` show.
    """
    digest = hashlib.sha256(notice.key.encode()).hexdigest()
    folder = workspace.home / FOLDER
    folder.mkdir(exist_ok=True)
    text = folder / f"{digest[:16]}.txt"
    if text.exists():
        return 0
    body = "\n".join([notice.subject, "", *notice.lines, ""])
    mails = [
        _mail(workspace, notice, folder, operator, body, at) for operator in operators_of(workspace)
    ]
    new = OutboxLedger(workspace.state_file).plan(mails, at.isoformat(timespec="seconds"))
    write_whole(text, body.encode())  # last: a kill before it tells again, and the ledger knows it
    return new


def operators_of(workspace: Workspace) -> tuple[str, ...]:
    """Addresses that get alerts: those of the automation, and the operator of the mail settings."""
    named = (*workspace.automation.operators, workspace.mail.operator if workspace.mail else "")
    return tuple(dict.fromkeys(address for address in named if address))


def _mail(
    workspace: Workspace, notice: Notice, folder: Path, operator: str, body: str, at: datetime
) -> Mail:
    digest = hashlib.sha256(f"{notice.key}\n{operator}".encode()).hexdigest()
    sender = workspace.mail.sender if workspace.mail else workspace.bureau.mail_address
    message_id = f"<alert.{digest[:40]}@{sender.rpartition('@')[2]}>"
    content = _content(notice.subject, sender, operator, message_id, body, at)
    file = folder / f"{digest[:16]}.eml"
    write_whole(file, content)
    return Mail(
        batch=f"alert:{hashlib.sha256(notice.key.encode()).hexdigest()}",
        recipient=operator,
        kind="alert",
        post="运维",
        subject=notice.subject,
        message_id=message_id,
        file=file.relative_to(workspace.home).as_posix(),
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
    )


def _content(
    subject: str, sender: str, operator: str, message_id: str, body: str, at: datetime
) -> bytes:
    day = f"{_DAYS[at.weekday()]}, {at.day:02d} {_MONTHS[at.month - 1]} {at:%Y %H:%M:%S %z}"
    coded = b64encode(body.encode()).decode()
    head = [
        f"From: {sender}",
        f"To: {operator}",
        "Subject: " + "\r\n ".join(_words(f"【运维告警】{subject}")),
        f"Date: {day}",
        f"Message-ID: {message_id}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: base64",
    ]
    lines = [coded[i : i + 76] for i in range(0, len(coded), 76)]
    return "\r\n".join([*head, "", *lines, ""]).encode("ascii")


def _words(text: str) -> Sequence[str]:
    """Encoded words of at most 75 characters (RFC 2047, 2): 14 Chinese characters each."""
    pieces = [text[i : i + 14] for i in range(0, len(text), 14)]
    return [f"=?utf-8?B?{b64encode(piece.encode()).decode()}?=" for piece in pieces]
