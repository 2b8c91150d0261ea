"""Returned mail (退信、签收): which message came back, why, and who confirmed receipt.

Belongs here: reading delivery reports (RFC 3464), the free-text notices of servers that send none, and
replies that confirm receipt, each mapped to a message of ours. Does not belong here: fetching them
(``mailboxes``) and recording them (the ledger). A report is only believed when it carries one of our
Message-IDs: otherwise nobody can say which message it is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from typing import Literal

Kind = Literal["bounced", "delayed", "delivered", "acknowledged"]
RECEIPT_WORDS = ("签收", "收到", "已收", "已阅")
ASKS_FOR_REPLY = "请直接回复本邮件“收到”二字，作为签收。"
ASKS_BY_LINK = "请打开链接确认签收："
"""How our mails ask for receipt: quoted in an answer, these words confirm nothing."""
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+\w")
_NO_DELIVERY = re.compile(
    r"undeliver|delivery (?:status|failure|has failed)|failure notice|returned mail|"
    r"退信|未能送达|无法送达|投递失败|发送失败|无法投递",
    re.IGNORECASE,
)
_LATER = re.compile(r"\bdelayed\b|will be retried|still trying|延迟|稍后重试", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a returned mail says about one message of ours. ``recipient`` is lower case, empty when
    the report does not name it."""

    kind: Kind
    message_id: str
    recipient: str
    why: str


def read_notice(content: bytes, known: Iterable[str]) -> list[Notice]:
    """Notices of a mail about the messages ``known`` (Message-IDs); empty for any other mail."""
    mail = message_from_bytes(content, policy=policy.default)
    ours = _mentioned(content, frozenset(known))
    if not ours:
        return []
    if mail.get_content_type() == "multipart/report":
        kind = str(mail.get_param("report-type", "")).lower()
        if kind == "disposition-notification":
            return [Notice("acknowledged", each, _sender(mail), "已读回执") for each in ours]
        found = list(_from_report(mail, ours))
        if found:
            return found
    if _is_notice(mail):
        return _from_words(mail, ours)
    return _from_reply(mail, ours)


def _mentioned(content: bytes, known: frozenset[str]) -> list[str]:
    """Our Message-IDs anywhere in the mail, encoded parts included, in order of appearance."""
    texts = [content.decode("latin-1")]
    mail = message_from_bytes(content, policy=policy.compat32)
    for part in mail.walk():
        body = part.get_payload(decode=True)
        if isinstance(body, bytes) and part.get("Content-Transfer-Encoding"):
            texts.append(body.decode("latin-1"))
    found: dict[str, None] = {}
    for text in texts:
        for match in re.finditer(r"<[^<>\s@]+@[^<>\s@]+>", text):
            if match.group() in known:
                found[match.group()] = None
    return list(found)


def _from_report(mail: EmailMessage, ours: list[str]) -> Iterator[Notice]:
    """One notice per recipient of a delivery-status part."""
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks = part.get_payload()
        for block in blocks if isinstance(blocks, list) else []:
            assert isinstance(block, Message)  # the parser makes one per recipient
            action = str(block.get("Action", "")).strip().lower()
            kind = _ACTIONS.get(action.split(" ")[0])
            if kind is None:
                continue
            who = str(block.get("Original-Recipient") or block.get("Final-Recipient") or "")
            yield Notice(kind, ours[0], _plain_address(who), _reason(block, _text(mail)))


_ACTIONS: dict[str, Kind] = {
    "failed": "bounced",
    "delayed": "delayed",
    "delivered": "delivered",
    "relayed": "delivered",
    "expanded": "delivered",
}


def _reason(block: Message, words: str) -> str:
    """Status and diagnostic of a report; where the server gives none (exim), what its notice says
    below the address."""
    status, said = str(block.get("Status", "")).strip(), str(block.get("Diagnostic-Code", ""))
    said = said.partition(";")[2] or said
    who = _plain_address(str(block.get("Final-Recipient", "")))
    if not said and who:
        below = re.search(re.escape(who) + r"\s+(\S[^\r\n]*)", words, re.IGNORECASE)
        said = below.group(1) if below else ""
    return " ".join(f"{status} {said}".split())[:400]


def _is_notice(mail: EmailMessage) -> bool:
    """A server's own words: no sender to reply to, or a mailer daemon, and words of failure."""
    empty = str(mail.get("Return-Path", "")).strip() == "<>"
    daemon = re.search(r"mailer-daemon|postmaster|no-?reply|系统", str(mail.get("From", "")), re.I)
    said = str(mail.get("Subject", "")) + "\n" + _text(mail)[:4000]
    return bool((empty or daemon) and _NO_DELIVERY.search(said))


def _from_words(mail: EmailMessage, ours: list[str]) -> list[Notice]:
    text = _text(mail)
    failed = str(mail.get("X-Failed-Recipients", ""))
    kind: Kind = "delayed" if _LATER.search(text) and not failed else "bounced"
    coded = re.search(r"\b[45]\d\d[ -][^\r\n]{3,200}|\b[45]\.\d\.\d[^\r\n]{3,200}", text)
    why = coded.group() if coded else str(mail.get("Subject", ""))
    named = _ADDRESS.findall(failed)
    return [Notice(kind, each, (named[0] if named else "").lower(), why[:400]) for each in ours]


def _from_reply(mail: EmailMessage, ours: list[str]) -> list[Notice]:
    """A person's answer that says 收到 or 签收; answering machines do not count."""
    automatic = str(mail.get("Auto-Submitted", "no")).lower() != "no" or "X-Autoreply" in mail
    answered = f"{mail.get('In-Reply-To', '')} {mail.get('References', '')}"
    said = str(mail.get("Subject", "")) + "\n" + _own_words(_text(mail))
    if automatic or not any(word in said for word in RECEIPT_WORDS):
        return []
    return [
        Notice("acknowledged", each, _sender(mail), "回复签收") for each in ours if each in answered
    ]


def _own_words(text: str) -> str:
    """What the person wrote, without the quoted mail below it."""
    kept = []
    for line in text.splitlines():
        if re.match(r"\s*(>|-{3,}|_{5,}|发件人[::]|From:|在.*写道)", line):
            break
        kept.append(line)
    said = "".join("".join(kept).split())
    for question in (ASKS_FOR_REPLY, ASKS_BY_LINK):
        said = said.replace(question, "")
    return said


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(preferencelist=("plain", "html"))
    if body is None:
        return ""
    try:
        return str(body.get_content())
    except (LookupError, UnicodeError):
        raw = body.get_payload(decode=True)
        return raw.decode("gb18030", "replace") if isinstance(raw, bytes) else ""


def _sender(mail: EmailMessage) -> str:
    return _plain_address(str(mail.get("From", "")))


def _plain_address(text: str) -> str:
    found = _ADDRESS.findall(text)
    return found[-1].lower() if found else ""
