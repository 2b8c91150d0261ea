"""SMTP (发送): one message to one recipient, and an honest answer about what happened to it.

Belongs here: the conversation with the mail server and the reading of its replies; the only module
that uses smtplib. Does not belong here: which message is next, when to try again, and looking up what
could not be told (``outbox``). TLS is always verified and never optional, except to a server on this
machine. smtplib raises the same exception for "lost" and "delivered", so the stage decides.

Source: RFC 5321 (4.2 replies, 4.5.3.2 time limits), RFC 3207 (STARTTLS), RFC 4954 (AUTH).
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from warehouse.workspace import MailServer

Outcome = Literal["sent", "deferred", "refused", "unknown", "stopped"]
Stage = Literal["connect", "tls", "login", "size", "mail", "rcpt", "data", "body", "dot"]

_LEADING_DOT = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one attempt.

    ``sent``: the server took responsibility. ``deferred``: certainly not taken, try again.
    ``refused``: refused for good. ``unknown``: cut off after the final dot, may have been taken.
    ``stopped``: settings are wrong (password, certificate), nothing else should be tried.
    """

    outcome: Outcome
    stage: Stage
    reply: str


class _AnswerError(Exception):
    """A server's reply that ends the attempt."""

    def __init__(self, stage: Stage, code: int, text: bytes | str) -> None:
        words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        super().__init__(f"{code} {words}".replace("\r", " ").replace("\n", " ")[:400])
        self.stage, self.code = stage, code


class Courier:
    """A connection to the mail server, kept open over several messages, opened when needed."""

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self._smtp: smtplib.SMTP | None = None

    def deliver(
        self,
        sender: str,
        recipients: Sequence[str],
        content: bytes,
        before_dot: Callable[[], None],
    ) -> Attempt:
        """Hand over one message. ``before_dot`` is called, and must be durable, before the final dot.

        ``recipients``: the recipient, and the journal mailbox when there is one; if either is
        refused nothing is sent. Never raises for what a server or network does.
        """
        stage: list[Stage] = ["connect"]
        try:
            return self._deliver(sender, recipients, content, before_dot, stage)
        except _AnswerError as answer:
            self._after_reply(answer)
            return Attempt(_judged(answer.stage, answer.code), answer.stage, str(answer))
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return Attempt(_broken(stage[0], error), stage[0], _words(error))

    def close(self) -> None:
        """Drop the connection."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def quit(self) -> None:
        """End the conversation politely, if there still is one."""
        if self._smtp is not None:
            try:
                self._smtp.quit()
            except (OSError, smtplib.SMTPException):
                self.close()
            self._smtp = None

    def _deliver(
        self,
        sender: str,
        recipients: Sequence[str],
        content: bytes,
        before_dot: Callable[[], None],
        stage: list[Stage],
    ) -> Attempt:
        smtp = self._connected(stage)
        stage[0] = "size"
        options = _options(smtp, content)
        stage[0] = "mail"
        _expect("mail", smtp.mail(sender, options), 250)
        stage[0] = "rcpt"
        for recipient in recipients:
            _expect("rcpt", smtp.rcpt(recipient), 250, 251)
        stage[0] = "data"
        _expect("data", smtp.docmd("data"), 354)
        stage[0] = "body"
        body = _LEADING_DOT.sub(b"..", content)
        smtp.send(body if body.endswith(b"\r\n") else body + b"\r\n")
        before_dot()
        stage[0] = "dot"
        if smtp.sock is not None:
            smtp.sock.settimeout(self.server.dot_timeout)
        smtp.send(b".\r\n")
        reply = _expect("dot", smtp.getreply(), 250)
        if smtp.sock is not None:
            smtp.sock.settimeout(self.server.timeout)
        return Attempt("sent", "dot", reply)

    # --- the connection --------------------------------------------------------------------------

    def _connected(self, stage: list[Stage]) -> smtplib.SMTP:
        if self._smtp is None:
            stage[0] = "connect"
            self._smtp = smtp = self._opened(stage)
            _expect("connect", smtp.ehlo(), 250)
            if self.server.security == "starttls":
                stage[0] = "tls"
                _expect("tls", smtp.starttls(context=self._context()), 220)
                _expect("tls", smtp.ehlo(), 250)
            if self.server.user:
                stage[0] = "login"
                self._login(smtp)
        return self._smtp

    def _opened(self, stage: list[Stage]) -> smtplib.SMTP:
        where, limit = (self.server.host, self.server.port), self.server.timeout
        name = self.server.hello or None
        if self.server.security == "tls":
            stage[0] = "tls"
            return smtplib.SMTP_SSL(
                *where, local_hostname=name, timeout=limit, context=self._context()
            )
        return smtplib.SMTP(*where, local_hostname=name, timeout=limit)

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.server.ca_file or None)

    def _login(self, smtp: smtplib.SMTP) -> None:
        try:
            smtp.login(self.server.user, self.server.password)
        except smtplib.SMTPAuthenticationError as error:
            raise _AnswerError("login", error.smtp_code, error.smtp_error) from None

    def _after_reply(self, answer: _AnswerError) -> None:
        """Make ready for the next message after a refusal; 421 and early stages end the line."""
        if answer.stage in ("connect", "tls", "login", "size") or answer.code in (421, -1):
            self.close()
            return
        try:
            if self._smtp is not None and self._smtp.rset()[0] != 250:
                self.close()
        except (OSError, smtplib.SMTPException):
            self.close()


def _options(smtp: smtplib.SMTP, content: bytes) -> list[str]:
    """ESMTP options of MAIL; raises when the server says beforehand that the message is too large."""
    options = []
    if smtp.has_extn("size"):
        limit = smtp.esmtp_features["size"].strip()
        if limit.isdigit() and 0 < int(limit) < len(content):
            raise _AnswerError("size", 552, f"邮件{len(content)}字节,服务器上限{limit}字节")
        options.append(f"size={len(content)}")
    if not content.isascii() and smtp.has_extn("8bitmime"):
        options.append("body=8bitmime")
    return options


def _expect(stage: Stage, answer: tuple[int, bytes], *codes: int) -> str:
    if answer[0] not in codes:
        raise _AnswerError(stage, *answer)
    return f"{answer[0]} {answer[1].decode('utf-8', 'replace')}".replace("\n", " ")[:400]


def _judged(stage: Stage, code: int) -> Outcome:
    """What a reply means at a stage; a reply that is none is as good as silence."""
    if code < 0:
        return "unknown" if stage == "dot" else "deferred"
    if stage == "login" and code >= 500:
        return "stopped"
    if stage in ("connect", "tls"):  # the server, not this message, is unwell
        return "deferred"
    return "refused" if code >= 500 else "deferred"


def _broken(stage: Stage, error: Exception) -> Outcome:
    """What a broken conversation means at a stage."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "stopped"
    if isinstance(error, smtplib.SMTPNotSupportedError):  # no STARTTLS or AUTH: never in the clear
        return "stopped"
    return "unknown" if stage == "dot" else "deferred"


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPConnectError):
        return f"{error.smtp_code} {error.smtp_error!r}"[:400]
    return f"{type(error).__name__}: {error}"[:400]
