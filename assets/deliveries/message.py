"""Message (邮件): a bulletin as one complete e-mail for one recipient, as bytes.

Belongs here: subject, parts, attachment names, deterministic boundaries and Message-ID; the only
module that uses stdlib ``email``. Does not belong here: sending, recipients' lists, or any text of
the bulletin (its sentences and tables come from the document model).
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.encoders import encode_base64
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime
from urllib.parse import quote

from assets.bulletins.markup import TEMPLATES
from assets.bulletins.model import Bulletin, Chart, plain
from assets.bulletins.raster import to_png
from assets.bulletins.webpage import html_environment

HTML_LIMIT = 100_000
"""Bytes of HTML: mail clients cut longer messages (Gmail at 102 KB)."""
NAME_LIMIT = 75
"""Longest encoded word (RFC 2047, 2): a longer name is split and shows as ATT0001.dat."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")

TABLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "watch",
        ("园区", "预警", "名次", "推算年末名次", "末位概率（%）", "较上期", "低于组均分最多的指标"),
    ),
    ("targets", ("目标（单位）", "目标值", "实绩", "折算", "时间", "差", "概率", "判定")),
)
"""Tables shown in the mail, and which of their columns fit 640 pixels."""
CHARTS: Mapping[str, str] = {"year_end": "", "goals": "targets", "lanes": "watch"}
"""Charts shown in the mail and the table each stands before; empty: before all tables."""
WHERE_KNOWN = ("概率", "推算年末名次", "末位概率（%）")
"""Columns a table has only where there is a forecast."""


class MessageError(ValueError):
    """The mail cannot be built as required: too large, an unsafe name or address."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file sent along; ``subtype`` of ``application/``."""

    name: str
    content: bytes
    subtype: str = "pdf"


@dataclass(frozen=True, slots=True)
class Sender:
    """From whom; ``domain`` of the address also ends the Message-ID."""

    name: str
    address: str


LINK = "receipt-link-of-this-mail"
"""Stands where the link goes until the Message-ID it names is known."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """How a mail asks for receipt (签收): the sentence, and the link that follows it, made from the
    Message-ID. Without words nothing is asked."""

    words: str = ""
    link: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A finished mail. ``sha256`` of ``content`` goes to the ledger."""

    recipient: str
    subject: str
    message_id: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Digest of the bytes as they would be sent."""
        return hashlib.sha256(self.content).hexdigest()


def subject_of(bulletin: Bulletin) -> str:
    """``【运行监测】2020年1—6月…监测通报（内部）``: no park, no number, marks first."""
    meta = bulletin.meta
    simulated = "【模拟数据】" if meta.simulated else ""
    again = "【更正】" if meta.replaces else ""
    return f"【运行监测】{again}{simulated}{meta.period_words}{meta.park_word}监测通报（内部）"


def render_message(
    bulletin: Bulletin,
    *,
    recipient: str,
    sender: Sender,
    date: datetime,
    attachments: Sequence[Attachment],
    greeting: str = "各位领导、各单位：",
    receipt: Receipt | None = None,
) -> Message:
    """One mail: text and HTML of the same document, files attached. Same input → same bytes.

    ``receipt``: how to ask for receipt; it does not belong to the content the Message-ID stands for.
    ``date`` must carry an offset. Tables that would make the HTML exceed 100 KB are left to the
    attachment, and the mail says so. Raises :class:`MessageError` when it is still too large, a
    file name cannot be written in one piece, or an address is not plain ASCII.
    """
    _check(recipient, sender, date)
    subject = subject_of(bulletin)
    names = [item.name for item in attachments]
    asked = receipt or Receipt()
    text, html = _bodies(bulletin, subject, names, greeting, asked)
    digest = _digest((recipient, sender.address, subject, text, html), attachments)
    if receipt is not None and receipt.link is not None:
        link = receipt.link(_message_id(digest, sender))
        text, html = text.replace(LINK, link), html.replace(LINK, link)
    shown = [chart for chart in _charts(bulletin) if f"cid:{_cid(chart)}" in html]
    pictures = {_cid(chart): to_png(chart.svg) for chart in shown}
    return _finished(recipient, sender, subject, date, text, html, attachments, digest, pictures)


def _charts(bulletin: Bulletin) -> list[Chart]:
    return [chart for chart in bulletin.charts() if chart.chart_id in CHARTS]


def _cid(chart: Chart) -> str:
    """Content-ID of a chart's picture: names the drawing, so that it is the same in every mail."""
    return f"{chart.chart_id}.{hashlib.sha256(chart.svg.encode()).hexdigest()[:16]}@chart"


def render_letter(
    subject: str,
    text: str,
    *,
    key: str,
    recipient: str,
    sender: Sender,
    date: datetime,
    attachments: Sequence[Attachment] = (),
    receipt: Receipt | None = None,
) -> Message:
    """A letter (退回, 催报, alert) as a plain mail. ``key`` names the letter for ever: with recipient
    and sender it makes the Message-ID. Raises :class:`MessageError` as ``render_message`` does."""
    _check(recipient, sender, date)
    digest = _digest((key, recipient, sender.address), ())
    if receipt is not None:
        link = receipt.link(_message_id(digest, sender)) if receipt.link else ""
        text = f"{text.rstrip()}\n\n{receipt.words}{link}\n"
    flat = " ".join(subject.split())
    return _finished(recipient, sender, flat, date, text, "", attachments, digest)


def _finished(
    recipient: str,
    sender: Sender,
    subject: str,
    date: datetime,
    text: str,
    html: str,
    attachments: Sequence[Attachment],
    digest: str,
    pictures: Mapping[str, bytes] | None = None,
) -> Message:
    message_id = _message_id(digest, sender)
    name = " ".join(sender.name.split())
    headers = {
        "From": f"{_encoded(name, 'From')} <{sender.address}>",
        "To": recipient,
        "Subject": _encoded(subject, "Subject"),
        "Date": format_datetime(date),
        "Message-ID": message_id,
        "Auto-Submitted": "auto-generated",
        "Content-Language": "zh-CN",
    }
    content = _assemble(headers, text, html, attachments, digest[:24], pictures or {})
    return Message(recipient, subject, message_id, content)


def _message_id(digest: str, sender: Sender) -> str:
    return f"<{digest[:40]}@{sender.address.rpartition('@')[2]}>"


def fitting_name(name: str) -> str:
    """``name`` as an attachment may be called: safe, and short enough for one encoded word."""
    stem, dot, ending = re.sub(r'[\r\n"\\/:]', "_", name).strip().rpartition(".")
    stem, ending = (stem, dot + ending) if dot else (ending, "")
    while stem and len(_word(stem + ending)) > NAME_LIMIT:
        stem = stem[:-1]
    return stem + ending


def _word(name: str) -> str:
    return f"=?utf-8?B?{b64encode(name.encode()).decode()}?="


def _check(recipient: str, sender: Sender, date: datetime) -> None:
    if date.tzinfo is None:
        raise MessageError("邮件日期没有时区：须带偏移量")
    for address in (recipient, sender.address):
        if not _ADDRESS.fullmatch(address):
            raise MessageError(f"邮件地址不合格式：{address!r}，应为 name@domain，只用 ASCII 字符")


def _bodies(
    bulletin: Bulletin, subject: str, names: list[str], greeting: str, receipt: Receipt
) -> tuple[str, str]:
    """Text and HTML with as many of :data:`TABLES` as fit the limit, first ones first."""
    size = 0
    asked = {"receipt_words": receipt.words, "receipt_link": LINK if receipt.link else ""}
    for count in range(len(TABLES), -1, -1):
        values = _values(bulletin, subject, names, greeting, count) | asked
        html = _html(bulletin, values)
        size = len(html.encode())
        if size <= HTML_LIMIT:
            return _text(bulletin, values), html
    raise MessageError(f"邮件正文 {size} 字节，超过 {HTML_LIMIT} 字节：请缩短导语和关键数字")


def _values(
    bulletin: Bulletin, subject: str, names: list[str], greeting: str, tables: int
) -> dict[str, object]:
    meta = bulletin.meta
    contact = f"如有疑问请联系{meta.contact}，" if meta.contact else ""
    return {
        "bulletin": bulletin,
        "meta": meta,
        "subject": subject,
        "greeting": greeting,
        "attachments": names,
        "tables": tuple((t, headings_of(bulletin, t, wanted)) for t, wanted in TABLES[:tables]),
        "charts": {
            table: [
                (chart, _cid(chart))
                for chart in _charts(bulletin)
                if CHARTS[chart.chart_id] == table
            ]
            for table in ("", *(table_id for table_id, _ in TABLES[:tables]))
        },
        "left_out": any(bulletin.table(table_id) for table_id, _ in TABLES[tables:]),
        "closing": f"{contact}数据如有更正以最新版为准。",
    }


def headings_of(bulletin: Bulletin, table_id: str, wanted: tuple[str, ...]) -> list[str]:
    """Columns of a table the mail shows, without those this document does not have."""
    table = bulletin.table(table_id)
    known = {plain(column.spans) for column in table.columns} if table else set(wanted)
    return [name for name in wanted if name in known or name not in WHERE_KNOWN]


def _html(bulletin: Bulletin, values: Mapping[str, object]) -> str:
    from css_inline import CSSInliner

    css = (TEMPLATES / "mail" / "mail.css").read_text(encoding="utf-8")
    page = html_environment(bulletin).get_template("mail/mail.html.j2").render(**values, css=css)
    # keep_at_rules: without it the dark-mode and narrow-screen rules are lost
    inliner = CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)
    return str(inliner.inline(page))


def _text(bulletin: Bulletin, values: Mapping[str, object]) -> str:
    return html_environment(bulletin).get_template("mail/mail.txt.j2").render(**values)


def _digest(words: Sequence[str], attachments: Sequence[Attachment]) -> str:
    """Identity of the mail's content: a repeated send is recognised by it."""
    total = hashlib.sha256()
    for word in words:
        total.update(hashlib.sha256(word.encode()).digest())
    for attachment in attachments:
        total.update(hashlib.sha256(attachment.name.encode()).digest())
        total.update(hashlib.sha256(attachment.content).digest())
    return total.hexdigest()


def _encoded(text: str, header: str) -> str:
    """RFC 2047 words of at most 75 characters, cut between characters, folded with CRLF."""
    return Header(text, "utf-8", header_name=header, maxlinelen=75).encode(linesep="\r\n")


def _assemble(
    headers: Mapping[str, str],
    text: str,
    html: str,
    attachments: Sequence[Attachment],
    boundary: str,
    pictures: Mapping[str, bytes],
) -> bytes:
    body: MIMEMultipart | MIMEText = MIMEText(text, "plain", "utf-8")
    if html:
        plain, body = body, MIMEMultipart("alternative", boundary=f"=_alt_{boundary}")
        body.attach(plain)
        body.attach(_page_part(html, pictures, boundary))
    mail = MIMEMultipart("mixed", boundary=f"=_mix_{boundary}")
    for name, value in headers.items():
        mail[name] = value
    mail.attach(body)
    for attachment in attachments:
        mail.attach(_attachment_part(attachment))
    # compat32 writes our folded headers as they are; the modern policies would fold names again
    return mail.as_bytes(policy=compat32.clone(linesep="\r\n", max_line_length=None))


def _page_part(html: str, pictures: Mapping[str, bytes], boundary: str) -> MIMEMultipart | MIMEText:
    """The page, with its pictures beside it where it has any: they need no network to be seen."""
    page = MIMEText(html, "html", "utf-8")
    if not pictures:
        return page
    related = MIMEMultipart("related", boundary=f"=_rel_{boundary}", type="text/html")
    related.attach(page)
    for cid, content in pictures.items():
        part = MIMENonMultipart("image", "png", name=f"{cid.partition('.')[0]}.png")
        part.set_payload(content)
        encode_base64(part)
        part["Content-ID"] = f"<{cid}>"
        part["Content-Disposition"] = "inline"
        related.attach(part)
    return related


def _attachment_part(attachment: Attachment) -> MIMENonMultipart:
    """Base64 part whose name is one encoded word and one RFC 5987 value.

    RFC 2231 continuations (``filename*0*=``), which Python writes by itself, are shown by QQ Mail
    and Outlook as an unnamed file.
    """
    name = attachment.name
    if any(c in name for c in '\r\n"\\/:') or name != name.strip():
        raise MessageError(f"附件文件名不安全：{name!r}")
    word = _word(name)
    if len(word) > NAME_LIMIT:
        raise MessageError(f"附件文件名过长（编码后 {len(word)} 字符，上限 {NAME_LIMIT}）：{name}")
    part = MIMENonMultipart("application", attachment.subtype)
    part.set_payload(attachment.content)
    encode_base64(part)
    part.replace_header("Content-Type", f'application/{attachment.subtype};\r\n name="{word}"')
    part["Content-Disposition"] = f"attachment;\r\n filename*=utf-8''{quote(name)}"
    return part
