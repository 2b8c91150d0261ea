"""Receipts (签收): how a mail asks for one, and what a link that was opened says and records.

Belongs here: the sentence in a mail, the page behind a link, recording a confirmation, as plain
functions any server or command can call. Does not belong here: serving HTTP, the signature
(``returned``), replies that arrive by mail (``bounces``).

A page that is opened records nothing: mail scanners open every link. Only the button does (POST).
"""

from __future__ import annotations

from dataclasses import dataclass

from assets.deliveries import returned
from assets.deliveries.bounces import ASKS_BY_LINK, ASKS_FOR_REPLY
from assets.deliveries.message import Receipt
from warehouse.outbox_ledger import OutboxLedger
from warehouse.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Answer:
    """What to tell who opened a link. ``status``: of HTTP; ``asks``: whether the button is shown."""

    status: int
    words: str
    asks: bool = False
    post: str = ""
    subject: str = ""


def asking(workspace: Workspace, recipient: str) -> Receipt | None:
    """How a mail to ``recipient`` asks for receipt: by link where the settings name a page, by reply
    where answers are read, else not at all."""
    options = workspace.mail
    if options is None:
        return None
    if options.receipt_url:
        key = returned.receipt_key(workspace.receipt_key_file)
        return Receipt(
            ASKS_BY_LINK,
            lambda message_id: (
                f"{options.receipt_url}/{returned.make_token(key, message_id, recipient)}"
            ),
        )
    return Receipt(ASKS_FOR_REPLY) if options.bounces else None


def look(workspace: Workspace, token: str) -> Answer:
    """What the page behind a link shows; nothing is recorded."""
    return _answer(workspace, token, "")


def confirm(workspace: Workspace, token: str, by: str = "") -> Answer:
    """Record receipt, once, with its audit entry. ``by``: who, if it is not the post itself."""
    return _answer(workspace, token, by or "收件人")


def _answer(workspace: Workspace, token: str, by: str) -> Answer:
    ledger = OutboxLedger(workspace.state_file)
    try:
        row = ledger.by_message_id(returned.message_id_in(token))
        if row is None or not workspace.receipt_key_file.is_file():
            return Answer(404, "没有这封邮件的记录，链接可能不完整：请从邮件中重新打开。")
        key = workspace.receipt_key_file.read_bytes()
        message_id = returned.verify_token(key, token, row["recipient"])
        if by:
            returned.acknowledge(workspace, ledger, message_id, by)
            row = ledger.by_message_id(message_id) or row
    except returned.ReceiptLinkError as error:
        return Answer(404, f"{error}。")
    finally:
        ledger.close()
    if row["acknowledged_at"]:
        return Answer(200, "已签收，谢谢。", post=row["post"], subject=row["subject"])
    words = "请核对后点击“确认签收”。"
    return Answer(200, words, asks=True, post=row["post"], subject=row["subject"])


def page(answer: Answer) -> str:
    """The page of an answer: one form, no script, nothing loaded from elsewhere."""
    from jinja2 import Environment, FileSystemLoader

    from assets.bulletins.markup import TEMPLATES

    pages = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    return pages.get_template("mail/receipt.html.j2").render(answer=answer)
