"""The mail: subject, both bodies, pictures and attachments of a bulletin."""

import email
import email.policy
import re
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from typing import Any, cast

import pytest

from assets.bulletins.compose import compose
from assets.bulletins.model import Bulletin, figure_spans
from assets.deliveries import message
from assets.deliveries.message import (
    Attachment,
    Message,
    MessageError,
    Sender,
    render_message,
    subject_of,
)
from tests.support.bulletin_fixture import BEIJING, bulletin_data

DATE = datetime(2020, 7, 22, 9, 0, tzinfo=BEIJING)
SENDER = Sender("园区运行监测演示办公室", "jiance@example.gov.cn")


@pytest.fixture(scope="module")
def bulletin() -> Bulletin:
    return compose(bulletin_data())


def mail(bulletin: Bulletin, **changes: Any) -> Message:
    settings: dict[str, Any] = {
        "recipient": "leader@example.gov.cn", "sender": SENDER, "date": DATE,
        "attachments": [Attachment(f"{bulletin.file_stem}.pdf", b"%PDF-1.7 test")],
    }  # fmt: skip
    return render_message(bulletin, **{**settings, **changes})


def opened(sent: Message) -> EmailMessage:
    return cast(EmailMessage, email.message_from_bytes(sent.content, policy=email.policy.default))


def body(sent: Message, kind: str) -> str:
    part = opened(sent).get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_subject_follows_the_convention_without_any_park(bulletin: Bulletin) -> None:
    subject = "【运行监测】【模拟数据】2020年1—6月县域工业集中区监测通报（内部）"
    assert subject_of(bulletin) == subject
    assert opened(mail(bulletin))["Subject"] == subject
    assert not any(row.park_name in subject for row in bulletin_data().scores)
    real = compose(bulletin_data(simulated=False, edition=2, replaces=1))
    assert subject_of(real) == "【运行监测】【更正】2020年1—6月县域工业集中区监测通报（内部）"


def test_numbers_of_both_bodies_are_the_document_s(bulletin: Bulletin) -> None:
    sent = mail(bulletin)
    printed = {(span.figure_id, span.text) for span in figure_spans(bulletin)}
    pattern = r'data-figure="([^"]+)"[^>]*>([^<]*)<'
    shown = re.findall(pattern, body(sent, "html"))
    assert len(shown) > 50
    assert set(shown) <= printed
    flat = re.sub(r"<style.*?</style>|<title.*?</title>|<[^>]+>", " ", body(sent, "html"),
                  flags=re.DOTALL)  # fmt: skip
    in_html = sorted(re.findall(r"-?\d+(?:\.\d+)?", flat.split("各位领导")[1]))
    in_text = sorted(re.findall(r"-?\d+(?:\.\d+)?", body(sent, "plain").split("各位领导")[1]))
    assert in_html == in_text


def test_text_part_reads_alone(bulletin: Bulletin) -> None:
    text = body(mail(bulletin), "plain")
    lead = bulletin.lead()
    assert lead is not None
    assert "".join(s.text for s in lead.spans if hasattr(s, "text")) in text
    assert "- 营业收入：3431.18亿元（同比增长4.1%，增速比1—5月加快0.5个百分点）" in text
    assert "[重点建设县域工业集中区（关中片区）：参与排名17个，末位名额3个（第15位起）]" in text
    assert "判定 低于进度" in text
    assert "数据如有更正以最新版为准" in text
    assert "<" not in text


def test_simulation_is_marked_everywhere(bulletin: Bulletin) -> None:
    sent = mail(bulletin)
    assert body(sent, "plain").startswith("【模拟数据】")
    heads = re.findall(r"<h2[^>]*>(.*?)</h2>", body(sent, "html"))
    assert len(heads) == 3
    assert all("（模拟数据）" in head for head in heads if head != "附件")
    real = compose(bulletin_data(simulated=False))
    for kind in ("plain", "html"):
        assert "模拟数据" not in body(mail(real), kind)


def test_html_is_small_inlined_and_asks_nothing_of_any_other_place(bulletin: Bulletin) -> None:
    html = body(mail(bulletin), "html")
    assert len(html.encode()) < message.HTML_LIMIT
    assert "prefers-color-scheme: dark" in html  # at-rules survive inlining
    assert html.count('role="main"') == 1  # a reader of the screen finds the text
    assert 'class="badge red" style="' in html
    assert not re.search(r"https?://|url\(|<script", html)
    assert all(source.startswith("cid:") for source in re.findall(r'<img[^>]*src="([^"]*)"', html))


def test_charts_come_along_as_pictures_with_words_for_those_who_see_none(
    bulletin: Bulletin,
) -> None:
    sent = email.message_from_bytes(mail(bulletin).content)
    tags = re.findall(r"<img[^>]*>", body(mail(bulletin), "html"))
    asked = [(re.findall(r'src="cid:([^"]+)"', t)[0], re.findall(r'alt="([^"]+)"', t)[0])
             for t in tags]  # fmt: skip
    pictures = {
        part["Content-ID"].strip("<>"): part.get_payload(decode=True)
        for part in sent.walk()
        if part.get_content_type() == "image/png"
    }
    assert {cid for cid, _ in asked} == set(pictures) != set()
    assert all(content.startswith(b"\x89PNG") for content in pictures.values())
    assert all("数据见表" in alt for _, alt in asked)
    assert mail(bulletin).content == mail(bulletin).content


def test_long_tables_go_to_the_attachment_and_the_mail_says_so(
    bulletin: Bulletin, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = len(body(mail(bulletin), "html").encode())
    monkeypatch.setattr(message, "HTML_LIMIT", full - 1)
    sent = mail(bulletin)
    assert "表格较长，其余内容见附件" in body(sent, "html")
    assert "表格较长，其余内容见附件" in body(sent, "plain")
    assert "预警名单" in body(sent, "html")
    assert "地区总量目标进度" not in body(sent, "html")
    monkeypatch.setattr(message, "HTML_LIMIT", 500)
    with pytest.raises(MessageError, match="超过 500 字节"):
        mail(bulletin)


def test_attachment_name_is_one_piece_for_qq_and_outlook(bulletin: Bulletin) -> None:
    sent = mail(bulletin)
    raw = sent.content.decode("ascii")
    assert "filename*0" not in raw
    assert "name*0" not in raw
    for policy in (email.policy.default, email.policy.compat32):
        parsed = email.message_from_bytes(sent.content, policy=policy)
        (part,) = [p for p in parsed.walk() if p.get_content_type() == "application/pdf"]
        assert part.get_filename() == "模拟数据_园区监测通报2020-06.pdf"
        assert part.get_payload(decode=True) == b"%PDF-1.7 test"


def test_every_line_fits_smtp_and_every_encoded_word_rfc_2047(bulletin: Bulletin) -> None:
    content = mail(bulletin).content
    assert content.isascii()
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    words = re.findall(rb"=\?[^?]+\?[BbQq]\?[^?]*\?=", content)
    assert words
    assert max(map(len, words)) <= 75


def test_same_input_gives_the_same_bytes(bulletin: Bulletin) -> None:
    assert mail(bulletin).content == mail(compose(bulletin_data())).content


def test_message_id_is_the_content_s(bulletin: Bulletin) -> None:
    first = mail(bulletin)
    assert re.fullmatch(r"<[0-9a-f]{40}@example\.gov\.cn>", first.message_id)
    assert opened(first)["Message-ID"] == first.message_id
    later = mail(bulletin, date=DATE.replace(hour=10))
    assert later.message_id == first.message_id  # the same content sent again is the same mail
    for other in (
        mail(bulletin, recipient="other@example.gov.cn"),
        mail(bulletin, attachments=[Attachment("通报.pdf", b"changed")]),
        mail(replace(bulletin, headline=())),
    ):
        assert other.message_id != first.message_id


def test_headers_a_mail_server_and_an_out_of_office_reply_look_at(bulletin: Bulletin) -> None:
    parsed = opened(mail(bulletin))
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["Date"].datetime == DATE
    assert parsed["To"].addresses[0].addr_spec == "leader@example.gov.cn"
    assert parsed["From"].addresses[0].display_name == SENDER.name
    assert parsed.get_content_type() == "multipart/mixed"


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": "a@b.cn\r\nBcc: c@d.cn"},
        {"recipient": "a@b.cn, c@d.cn"},
        {"recipient": "张三@例子.cn"},
        {"recipient": "nobody"},
        {"sender": Sender("监测", "a@b.cn>")},
        {"date": DATE.replace(tzinfo=None)},
        {"attachments": [Attachment("../x.pdf", b"")]},
        {"attachments": [Attachment('x".pdf', b"")]},
        {"attachments": [Attachment("x\r\ny.pdf", b"")]},
        {"attachments": [Attachment("很" * 30 + ".pdf", b"")]},
    ],
)
def test_what_could_break_a_header_is_refused(bulletin: Bulletin, changes: dict[str, Any]) -> None:
    with pytest.raises(MessageError):
        mail(bulletin, **changes)


def test_a_line_break_in_the_bureau_s_name_stays_inside_its_encoded_word(
    bulletin: Bulletin,
) -> None:
    sent = mail(bulletin, sender=Sender("监测\r\nBcc: x@y.cn", "a@b.cn"))
    assert opened(sent)["Bcc"] is None
