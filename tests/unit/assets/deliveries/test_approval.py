"""Checklist, embargo and calendar of releases; links that confirm receipt; letters as mails."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from assets.deliveries import approval, returned
from assets.deliveries.approval import ApprovalError, Item
from assets.deliveries.message import Attachment, MessageError, Sender, fitting_name, render_letter
from warehouse.catalog.load import Catalog
from warehouse.catalog.models import Audience, DeadlineRule, Recipient
from warehouse.workspace import Bureau, ReleaseOptions, Workspace

NOW = datetime(2020, 7, 20, 1, tzinfo=UTC)
WARNING, ERROR = Item("warning", "incomplete", "缺报"), Item("error", "blank", "空白")


def audience(role: str) -> Audience:
    return Audience(audience_id="a", name="甲", role=role, scope_level="province",
                    scope_code="610000", rights=("figures",))  # fmt: skip


@pytest.mark.parametrize(
    ("items", "ticks", "passes"),
    [
        ([], [], True),
        ([WARNING], [], False),
        ([WARNING], ["incomplete"], True),
        ([WARNING], ["calendar"], False),
        ([ERROR], ["blank"], False),
    ],
)
def test_errors_block_and_warnings_need_a_tick(items, ticks, passes):
    if passes:
        approval.may_go_on(items, ticks)
    else:
        with pytest.raises(ApprovalError, match="检查单未通过"):
            approval.may_go_on(items, ticks)


def test_only_approvers_approve():
    options = ReleaseOptions(approvers=("甲", "乙"))
    approval.check_operator(options, "甲")
    approval.check_operator(ReleaseOptions(), "任何人")
    with pytest.raises(ApprovalError, match="丙"):
        approval.check_operator(options, "丙")


def test_the_later_embargo_holds_and_a_past_one_is_refused():
    day = ReleaseOptions(embargo_hours=24)
    assert approval.embargo_of(ReleaseOptions(), NOW, None) is None
    assert approval.embargo_of(day, NOW, None) == NOW + timedelta(hours=24)
    assert approval.embargo_of(day, NOW, NOW + timedelta(hours=1)) == NOW + timedelta(hours=24)
    assert approval.embargo_of(day, NOW, NOW + timedelta(hours=30)) == NOW + timedelta(hours=30)
    with pytest.raises(ApprovalError, match="已过"):
        approval.embargo_of(day, NOW, NOW)


def test_only_roles_of_the_window_get_it_before_the_embargo_ends():
    options = ReleaseOptions(pre_release_hours=24, pre_release_roles=("leader",))
    until = NOW.isoformat()
    assert approval.not_before(options, audience("leader"), until) == NOW - timedelta(hours=24)
    assert approval.not_before(options, audience("assessor"), until) == NOW
    assert approval.not_before(options, audience("assessor"), None) is None


def test_calendar_names_the_next_days_and_no_january(tmp_path):
    rule = DeadlineRule(workday=5)
    workspace = Workspace(tmp_path, Bureau("局", "610000"), release=ReleaseOptions(calendar=rule))
    catalog = Catalog.__new__(Catalog)
    object.__setattr__(catalog, "calendar", ())
    coming = approval.next_releases(workspace, catalog, date(2020, 1, 20), 3)
    assert [period for period, _ in coming] == ["2020-02", "2020-03", "2020-04"]
    assert coming[0][1] == date(2020, 3, 6)  # fifth workday of March 2020
    assert approval.next_releases(workspace, catalog, date(2020, 3, 6), 1) == [coming[0]]
    assert approval.next_releases(workspace, catalog, date(2020, 3, 7), 1) == [coming[1]]


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "on", "valid"),
    [
        (None, None, "2020-07-20", True),
        ("2020-07-20", None, "2020-07-20", True),
        ("2020-07-21", None, "2020-07-20", False),
        (None, "2020-07-20", "2020-07-20", True),
        (None, "2020-07-19", "2020-07-20", False),
    ],
)
def test_posts_are_valid_from_and_to_whole_days(valid_from, valid_to, on, valid):
    post = Recipient(email="a@b.test", valid_from=valid_from, valid_to=valid_to)
    assert post.valid_on(date.fromisoformat(on)) is valid


# --- links ----------------------------------------------------------------------------------------

ID = "<0123456789abcdef@bureau.test>"


def test_a_link_confirms_for_its_own_recipient_only(tmp_path):
    key = returned.receipt_key(tmp_path / "receipt.key")
    assert returned.receipt_key(tmp_path / "receipt.key") == key and len(key) == 32
    assert (tmp_path / "receipt.key").stat().st_mode & 0o077 == 0
    token = returned.make_token(key, ID, "A@y.test")
    assert returned.verify_token(key, token, "a@y.test") == ID
    for other in ("b@y.test", ""):
        with pytest.raises(returned.ReceiptLinkError):
            returned.verify_token(key, token, other)
    with pytest.raises(returned.ReceiptLinkError):
        returned.verify_token(b"x" * 32, token, "a@y.test")


def test_a_changed_link_is_refused():
    key = b"k" * 32
    token = returned.make_token(key, ID, "a@y.test")
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(returned.ReceiptLinkError):
            returned.verify_token(key, changed, "a@y.test")


@pytest.mark.parametrize("token", ["", ".", "x", "é.é", "甲.乙", "a" * 5000])
def test_junk_is_no_link(token):
    with pytest.raises(returned.ReceiptLinkError):
        returned.verify_token(b"k" * 32, token, "a@y.test")


# --- letters --------------------------------------------------------------------------------------


def letter(subject="【退回核实】2020年6月", **parts):
    return render_letter(
        subject, "请核实。\n.\n", key="return:1", recipient="a@y.test",
        sender=Sender("模拟监测处", "b@bureau.test"), date=NOW, **parts,
    )  # fmt: skip


def test_a_letter_is_one_for_ever_whatever_its_day():
    assert letter().message_id == letter().message_id
    mail = message_from_bytes(letter().content, policy=policy.default)
    assert mail["Subject"] == "【退回核实】2020年6月" and "请核实" in mail.get_body().get_content()


def test_a_subject_cannot_bring_headers_along():
    mail = message_from_bytes(letter("x\r\nBcc: spy@y.test").content, policy=policy.default)
    assert mail["Bcc"] is None and mail["Subject"] == "x Bcc: spy@y.test"


@pytest.mark.parametrize(
    "name", ["退回_" + "汉" * 60 + ".xlsx", 'a"b\\c/d:e\r\nf.pdf', "退回函.pdf", "没有扩展名" * 9]
)
def test_attachment_names_fit_one_word_and_keep_their_ending(name):
    fitted = fitting_name(name)
    mail = message_from_bytes(letter(attachments=[Attachment(fitted, b"x")]).content,
                              policy=policy.default)  # fmt: skip
    (part,) = list(mail.iter_attachments())
    assert part.get_filename() == fitted
    assert Path(fitted).suffix == Path(name).suffix


def test_a_name_that_does_not_fit_is_an_error_not_a_broken_mail():
    with pytest.raises(MessageError, match="过长"):
        letter(attachments=[Attachment("汉" * 40 + ".pdf", b"x")])
