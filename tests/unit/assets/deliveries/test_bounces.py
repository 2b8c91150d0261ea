"""Returned mail: each report finds its message, a stranger's mail finds none."""

from __future__ import annotations

from base64 import b64encode

import pytest

from assets.deliveries.bounces import ASKS_BY_LINK, ASKS_FOR_REPLY, Notice, read_notice

OURS = "<0123abcd@stats.test>"
KNOWN = {OURS, "<ffff@stats.test>"}


def report(
    action="failed", status="5.1.1", said="smtp; 550 no such user", headers=OURS, who="r@y.cn"
):
    return f"""From: MAILER-DAEMON@mx.test
To: bulletin@stats.test
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain; charset=utf-8

This is the mail system.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.test

Final-Recipient: rfc822; {who}
Action: {action}
Status: {status}
Diagnostic-Code: {said}

--b
Content-Type: text/rfc822-headers

Message-ID: {headers}
Subject: x

--b--
""".replace("\n", "\r\n").encode()


def plain(subject, body, charset="utf-8", sender="postmaster@163.com", extra="", encoded=True):
    word = b64encode(subject.encode(charset)).decode()
    text = b64encode(body.encode(charset)).decode() if encoded else body
    encoding = "base64" if encoded else "8bit"
    return (
        f"From: {sender}\r\nTo: bulletin@stats.test\r\nSubject: =?{charset}?B?{word}?=\r\n{extra}"
        f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}"
        f"\r\n\r\n{text}\r\n"
    ).encode(charset)


def only(content) -> Notice:
    (notice,) = read_notice(content, KNOWN)
    return notice


def test_a_delivery_report_names_message_recipient_and_reason():
    assert only(report()) == Notice("bounced", OURS, "r@y.cn", "5.1.1 550 no such user")


@pytest.mark.parametrize(
    ("action", "kind"),
    [("failed", "bounced"), ("delayed", "delayed"), ("delivered", "delivered"),
     ("relayed (x)", "delivered"), ("Failed", "bounced")],
)  # fmt: skip
def test_what_a_report_says_happened(action, kind):
    assert only(report(action)).kind == kind


def test_a_report_about_somebody_elses_mail_is_none_of_ours():
    assert read_notice(report(headers="<other@elsewhere>"), KNOWN) == []


@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "gb2312"])
@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("系统退信", "抱歉,您的邮件被退回来了……\n收件人(r@y.cn)地址不存在\n550 User not found\n"),
        ("来自QQ邮箱的退信", "你发送的邮件被退回,原因:对方邮箱空间已满。552 Mailbox full"),
        ("投递失败通知", "无法送达 r@y.cn:5.7.1 发件人被拒收"),
        ("Undeliverable: 通报", "Delivery has failed to these recipients: r@y.cn 550 5.1.10"),
    ],
)
def test_notices_in_plain_words(subject, body, charset):
    notice = only(plain(subject, f"{body}\n原邮件 Message-ID: {OURS}\n", charset))
    assert notice.kind == "bounced" and notice.message_id == OURS and notice.why


def test_exim_names_the_failed_recipient_in_a_header():
    notice = only(
        plain("Mail delivery failed: returning message to sender",
              f"Undeliverable\n{OURS}\n", sender="Mail Delivery System <Mailer-Daemon@h>",
              extra="X-Failed-Recipients: r@y.cn\r\n")
    )  # fmt: skip
    assert (notice.kind, notice.recipient) == ("bounced", "r@y.cn")


def test_a_warning_of_delay_is_not_a_bounce():
    body = f"Delivery status: message delayed, will be retried\n{OURS}"
    assert only(plain("Warning: undeliverable yet", body)).kind == "delayed"


def test_a_reply_that_says_so_confirms_receipt():
    reply = plain("回复:通报", "收到,谢谢。\n\n> 原文", sender="王主任 <R@Y.cn>",
        extra=f"In-Reply-To: {OURS}\r\n")  # fmt: skip
    assert only(reply) == Notice("acknowledged", OURS, "r@y.cn", "回复签收")


@pytest.mark.parametrize(
    "reply",
    [
        plain("自动回复", "我在休假,邮件已收到", sender="r@y.cn",
              extra=f"In-Reply-To: {OURS}\r\nAuto-Submitted: auto-replied\r\n"),
        plain("回复:通报", "数字有疑问。\n> 请签收", sender="r@y.cn",
              extra=f"In-Reply-To: {OURS}\r\n"),
        plain("回复:通报", f"数字有疑问,请核。\n\n{ASKS_FOR_REPLY[:9]}\n{ASKS_FOR_REPLY[9:]}\n"
              f"{ASKS_BY_LINK} https://a.cn/x", sender="r@y.cn", extra=f"In-Reply-To: {OURS}\r\n"),
        plain("讨论", f"收到 {OURS}", sender="r@y.cn"),
    ],
    ids=["answering machine", "only the quoted text says so",
         "only our own question, quoted without a mark", "not an answer"],
)  # fmt: skip
def test_what_does_not_confirm_receipt(reply):
    assert read_notice(reply, KNOWN) == []


def test_a_read_receipt_confirms_receipt():
    mail = report().replace(b"report-type=delivery-status", b"report-type=disposition-notification")
    assert only(mail.replace(b"MAILER-DAEMON@mx.test", b"r@y.cn")).kind == "acknowledged"


@pytest.mark.parametrize("junk", [b"", b"\xff\xfe\x00", b"From: a\r\n\r\n", OURS.encode()])
def test_junk_is_no_notice(junk):
    assert read_notice(junk, KNOWN) == []
