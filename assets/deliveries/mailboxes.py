"""Mailboxes and logs (查询): where to look up whether a message was taken, and what came back.

Belongs here: journal mailbox (Maildir folder or IMAP) and mail server log as sources of accepted
Message-IDs, and reading returned mail from a folder or IMAP; the only module that uses imaplib. Does
not belong here: what a returned mail means (``bounces``) or what follows from it (``outbox``).
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Protocol

from warehouse.workspace import Mailbox

HEADER_BYTES = 65_536
_EXIM = re.compile(r" <= .* id=(\S+)")
_POSTFIX_ID = re.compile(r"postfix/(?:\S+/)?cleanup\[\d+\]: (\w+): message-id=<([^>]+)>")
_POSTFIX_QUEUED = re.compile(r"postfix/(?:\S+/)?qmgr\[\d+\]: (\w+): from=<")


class LookupFailedError(Exception):
    """The place could not be read: nothing may be concluded from it."""


class Lookup(Protocol):
    """A place that knows which messages a mail server took."""

    def accepted(self, message_ids: set[str]) -> set[str]:
        """Those of ``message_ids`` that were taken; the others were not. LookupFailedError."""
        ...  # pragma: no cover


class FolderLookup:
    """Journal mailbox as a Maildir: every mail is copied there in the same transaction."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def accepted(self, message_ids: set[str]) -> set[str]:
        """Message-IDs found among the delivered copies."""
        if not (self.folder / "new").is_dir():
            raise LookupFailedError(f"留底邮箱 {self.folder} 不是 Maildir 目录")
        headers = (message_id_of(head) for _, head in _files(self.folder, HEADER_BYTES))
        return message_ids.intersection(headers)


class LogLookup:
    """Log of the local mail server (exim mainlog or Postfix mail.log)."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def accepted(self, message_ids: set[str]) -> set[str]:
        """Message-IDs the log records as received into the queue."""
        try:
            text = self.file.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise LookupFailedError(f"无法读取邮件日志 {self.file}:{error}") from error
        found = {f"<{match.group(1).strip('<>')}>" for match in _EXIM.finditer(text)}
        queued = {match.group(1) for match in _POSTFIX_QUEUED.finditer(text)}
        for queue_id, message_id in _POSTFIX_ID.findall(text):
            if queue_id in queued:  # cleanup names the message before the queue has it
                found.add(f"<{message_id}>")
        return message_ids & found


class ImapLookup:
    """Journal mailbox behind IMAP."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    def accepted(self, message_ids: set[str]) -> set[str]:
        """Message-IDs the mailbox holds."""
        found = set()
        with imap(self.mailbox) as connection:
            for message_id in sorted(message_ids):
                status, hits = connection.search(None, "HEADER", "Message-ID", f'"{message_id}"')
                if status != "OK":
                    raise LookupFailedError(f"邮箱 {self.mailbox.host} 拒绝检索")
                if hits and hits[0].strip():
                    found.add(message_id)
        return found


class imap:  # noqa: N801 - used as a context manager
    """A verified IMAP connection with the mailbox's folder selected; LookupFailedError."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    def __enter__(self) -> imaplib.IMAP4:
        box = self.mailbox
        try:
            context = ssl.create_default_context(cafile=box.ca_file or None)
            if box.security == "tls":
                self.connection: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                    box.host, box.port, ssl_context=context, timeout=box.timeout
                )
            else:
                self.connection = imaplib.IMAP4(box.host, box.port, timeout=box.timeout)
                if box.security == "starttls":
                    self.connection.starttls(context)
            self.connection.login(box.user, box.password)
            status, _ = self.connection.select(box.folder, readonly=True)
        except (OSError, imaplib.IMAP4.error) as error:
            raise LookupFailedError(f"无法打开邮箱 {box.host}:{error}") from error
        if status != "OK":
            raise LookupFailedError(f"邮箱 {box.host} 没有文件夹 {box.folder}")
        return self.connection

    def __exit__(self, *_error: object) -> None:
        try:
            self.connection.logout()
        except (OSError, imaplib.IMAP4.error):
            self.connection.shutdown()


def returned_in_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of every mail of a Maildir or of a plain folder of .eml files, by name."""
    if (folder / "new").is_dir():
        yield from _files(folder, None)
        return
    for file in sorted(folder.glob("*.eml")):
        yield file.name, file.read_bytes()


def returned_by_imap(mailbox: Mailbox) -> Iterator[tuple[str, bytes]]:
    """(UID, content) of every mail of the mailbox's folder, read without marking it seen."""
    with imap(mailbox) as connection:
        status, found = connection.uid("SEARCH", "ALL")
        if status != "OK":
            raise LookupFailedError(f"邮箱 {mailbox.host} 拒绝检索")
        for uid in (found[0] or b"").split():
            status, parts = connection.uid("FETCH", uid.decode(), "(BODY.PEEK[])")
            for part in parts:
                if status == "OK" and isinstance(part, tuple):
                    yield uid.decode(), part[1]


def message_id_of(content: bytes) -> str:
    """Message-ID header of a mail, empty when it has none."""
    return str(BytesHeaderParser().parsebytes(content).get("Message-ID", "")).strip()


def _files(folder: Path, limit: int | None) -> Iterator[tuple[str, bytes]]:
    for part in ("cur", "new"):
        for file in sorted((folder / part).iterdir()) if (folder / part).is_dir() else ():
            with file.open("rb") as content:
                yield file.name.partition(":")[0], content.read(-1 if limit is None else limit)
