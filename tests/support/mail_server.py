"""A real SMTP server in a thread (aiosmtpd) that fails on demand and keeps what it really took.

Belongs here: the server and its faults. Does not belong here: well-known servers (``real_mail``).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

FAULTS = (
    "banner_421", "banner_reset", "banner_stall", "starttls_garbage", "auth_535", "auth_454",
    "mail_451", "rcpt_450", "rcpt_550", "data_452", "body_reset", "end_451", "end_554",
    "dot_reset_lost", "dot_reset_taken", "dot_stall_taken",
)  # fmt: skip
logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # what clients do wrong is the point here
USER, PASSWORD = "bulletin", "open sesame"


class MailServer:
    """Listens on a free port. ``fault(n)`` names the fault of the n-th connection or message."""

    def __init__(
        self, *, tls="plain", context=None, auth=False, size=None, fault=None, journal=None
    ):
        self.fault: Callable[[int], str | None] = fault or (lambda n: None)
        self.taken: list[tuple[str, list[str], bytes]] = []
        self.seen = 0
        self.armed = tls == "tls"  # the self-test's connection draws no fault; see _trigger_server
        self.stall = 0.6
        self.journal: Path | None = journal
        self._lock = threading.Lock()
        self.controller = _Controller(self, tls, context, auth, size)

    def __enter__(self) -> MailServer:
        self.controller.start()
        return self

    def __exit__(self, *_error) -> None:
        self.controller.stop()

    @property
    def port(self) -> int:
        return self.controller.server.sockets[0].getsockname()[1]

    def next_fault(self) -> str | None:
        with self._lock:
            if not self.armed:
                self.armed = True
                return None
            self.seen += 1
            return self.fault(self.seen)

    def take(self, sender: str, recipients: list[str], content: bytes) -> None:
        with self._lock:
            self.taken.append((sender, list(recipients), content))
            if self.journal is not None:
                name = f"{len(self.taken):06d}.{id(self)}"
                (self.journal / "tmp" / name).write_bytes(content)
                (self.journal / "tmp" / name).rename(self.journal / "new" / name)


def maildir(folder: Path) -> Path:
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    return folder


class _Controller(Controller):
    def __init__(self, owner: MailServer, tls: str, context, auth: bool, size: int | None) -> None:
        self.owner, self.mode, self.tls_context = owner, tls, context
        self.auth, self.size = auth, size
        super().__init__(
            _Handler(owner), hostname="127.0.0.1", port=0, ready_timeout=20,
            ssl_context=context if tls == "tls" else None,
        )  # fmt: skip

    def factory(self) -> SMTP:
        return _Faulty(
            self.handler,
            owner=self.owner,
            hostname="mail.test",
            data_size_limit=self.size or 33_554_432,
            tls_context=self.tls_context if self.mode == "starttls" else None,
            require_starttls=self.mode == "starttls",
            authenticator=_authenticate if self.auth else None,
            auth_required=self.auth,
            auth_require_tls=self.mode == "starttls",
        )

    def _trigger_server(self) -> None:
        """The stock self-test knows no free port."""
        socket.create_connection(self.server.sockets[0].getsockname(), timeout=5).close()


def _authenticate(server, session, envelope, mechanism, data) -> AuthResult:
    if server.now == "auth_454":
        return AuthResult(success=False, handled=False, message="454 temporary")
    right = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
    return AuthResult(success=right and server.now != "auth_535", handled=False)


class _Handler:
    def __init__(self, owner: MailServer) -> None:
        self.owner = owner

    async def handle_DATA(self, server, session, envelope) -> str:
        fault = server.now
        if fault == "end_451":
            return "451 try later"
        if fault == "end_554":
            return "554 content refused"
        if fault != "dot_reset_lost":
            self.owner.take(envelope.mail_from, envelope.rcpt_tos, envelope.original_content)
        if fault in ("dot_reset_lost", "dot_reset_taken"):
            server.transport.abort()
        if fault == "dot_stall_taken":
            await asyncio.sleep(self.owner.stall)
            server.transport.abort()
        return "250 OK queued"


class _Faulty(SMTP):
    """The protocol with faults; one fault is drawn a connection and one a message."""

    def __init__(self, *args, owner: MailServer, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.now: str | None = None
        self.fresh = True

    async def _handle_client(self) -> None:
        self.now = self.owner.next_fault()
        if self.now == "banner_reset":
            self.transport.abort()
            return
        if self.now == "banner_stall":
            await asyncio.sleep(self.owner.stall)
            self.transport.abort()
            return
        if self.now == "banner_421":
            await self.push("421 too busy")
            self.transport.close()
            return
        await super()._handle_client()

    async def smtp_STARTTLS(self, arg: str) -> None:
        if self.now == "starttls_garbage":
            await self.push("220 ready")
            self._writer.write(b"this is not TLS\r\n")
            return
        await super().smtp_STARTTLS(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:
        if not self.fresh:  # a connection's first message shares the fault drawn at its start
            self.now = self.owner.next_fault()
        self.fresh = False
        if self.now == "mail_451":
            await self.push("451 try later")
            return
        await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        if self.now in ("rcpt_450", "rcpt_550"):
            await self.push("450 greylisted" if self.now == "rcpt_450" else "550 no such user")
            return
        await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if self.now == "data_452":
            await self.push("452 no space")
            return
        if self.now == "body_reset":
            await self.push("354 go on")
            await self._reader.read(10)
            self.transport.abort()
            return
        await super().smtp_DATA(arg)
