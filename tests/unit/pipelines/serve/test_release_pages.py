"""Small decisions of the pages of releases."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from assets.deliveries.outbox import OutboxBusyError
from pipelines.serve import release_pages, rights
from pipelines.serve.pages import Desk
from pipelines.serve.release_pages import ACTS, for_the_web
from warehouse.releases import Act, Key, Releases


@pytest.mark.parametrize(
    ("act", "roles"),
    [
        ("submit", {"operator"}),
        ("approve", {"approver"}),
        ("reject", {"approver"}),
        ("withdraw", {"operator", "approver"}),
    ],
)
def test_who_may_do_what(act, roles):
    assert {role for role, held in rights.ROLES.items() if ACTS[act][2] & set(held)} == roles


def test_an_act_waits_a_moment_for_another_to_be_over():
    tries = []

    def act():
        tries.append(1)
        if len(tries) < 3:
            raise OutboxBusyError("busy")
        return "done"

    assert release_pages._when_free(act) == "done"


def test_an_act_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr(release_pages, "LOCK_WAIT_SECONDS", 0.0)

    def act():
        raise OutboxBusyError("busy")

    with pytest.raises(OutboxBusyError):
        release_pages._when_free(act)


def test_messages_speak_of_no_options_of_the_command():
    told = for_the_web("检查单未通过:\n  提醒 a:b\n  提醒须逐项确认:加 --tick 编号(可多次)")
    assert told == "检查单未通过:\n  提醒 a:b"
    assert for_the_web("退回修改须写明理由:加 --reason") == "退回修改须写明理由"


@pytest.mark.parametrize(
    ("text", "moment"),
    [("", None), ("2020-07-20T18:00", "2020-07-20T18:00:00+08:00"),
     ("2020-07-20T18:00+00:00", "2020-07-20T18:00:00+00:00")],
)  # fmt: skip
def test_the_end_of_an_embargo(text, moment):
    found = release_pages._moment(text, ZoneInfo("Asia/Shanghai"))
    assert (found and found.isoformat()) == moment


def test_an_end_of_an_embargo_nobody_can_read():
    with pytest.raises(ValueError, match="解禁时间不能识别"):
        release_pages._moment("明天", ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize("opened", [True, False])
def test_the_page_of_a_sent_edition_says_what_its_correction_waits_for(tmp_path, opened):
    releases, at, key = Releases(tmp_path / "state.sqlite"), "2020-07-20", Key("2020-06", "one", 1)
    releases.record_draft(key, "d", at)
    releases.submit(key, "d", Act("甲", at))
    releases.approve(key, "d", Act("乙", at))
    releases.sent(key, Act("乙", at))
    if opened:
        releases.correct(key.period, key.audience_id, Act("甲", at, "漏报一户"))
    page = Desk(tmp_path, None).templates.get_template("desk/release.html.j2").render(
        bureau="试验局", simulated=True, person=None, form_token="t", here="/", key=key,
        place="/p", digest="d" * 64, name="全市", status="sent", words="已发送",
        documents=[], mails=[], errors=[], warnings=[], acts=[], same_person=False, history=[],
        submitted_by="甲", approved_by="乙", embargo="", correction=None, told="", problem="",
        correcting=release_pages._correcting(releases, key),
    )  # fmt: skip
    assert (
        "已开第 2 版更正（漏报一户）" in page and "parkwatch run --period 2020-06" in page
    ) is opened
    assert ("parkwatch bulletin correct" in page) is not opened
