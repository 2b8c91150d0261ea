"""Releases: nobody sends what was not approved, two operators at once never both win."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from warehouse import audit
from warehouse.releases import Act, Key, ReleaseError, Releases

KEY = Key("2020-06", "province", 1)


def act(by="张三", reason="", at="2020-07-20T01:00:00+00:00"):
    return Act(by, at, reason)


@pytest.fixture
def releases(tmp_path):
    found = Releases(tmp_path / "state.sqlite")
    found.record_draft(KEY, "d1", "2020-07-19T01:00:00+00:00")
    return found


def test_from_draft_to_sent_with_two_persons(releases):
    releases.submit(KEY, "d1", act())
    approved = releases.approve(
        KEY, "d1", act("李四"), ticks=["迟报1家"], embargo_until="2020-07-21"
    )
    assert (approved.status, approved.submitted_by, approved.approved_by) == (
        "approved", "张三", "李四")  # fmt: skip
    assert approved.ticks == ("迟报1家",) and approved.embargo_until == "2020-07-21"
    assert releases.sent(KEY, act("发件箱")).status == "sent"
    log = releases.audit_log()
    assert [(entry.action, entry.actor) for entry in log] == [
        ("submit", "张三"), ("approve", "李四"), ("send", "发件箱")]  # fmt: skip
    assert audit.verify(log, releases.path) == []


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        ([], lambda r: r.approve(KEY, "d1", act("李四"))),
        ([], lambda r: r.sent(KEY, act())),
        ([], lambda r: r.correct("2020-06", "province", act(reason="数据更正"))),
        (["submit"], lambda r: r.submit(KEY, "d1", act())),
        (["submit"], lambda r: r.approve(KEY, "d1", act())),  # the same person
        (["submit"], lambda r: r.approve(KEY, "d0", act("李四"))),  # other documents
        (["submit"], lambda r: r.reject(KEY, act("李四"))),  # no reason
        (["submit"], lambda r: r.record_draft(KEY, "d2", "t")),  # frozen
        (["submit", "approve"], lambda r: r.reject(KEY, act("李四", "x"))),
        (["submit", "approve", "sent"], lambda r: r.withdraw(KEY, act("李四", "x"))),
        (["submit", "approve", "sent"], lambda r: r.record_draft(KEY, "d2", "t")),
        ([], lambda r: r.submit(Key("2020-06", "nobody", 1), "d1", act())),
    ],
)
def test_what_cannot_be_done_now_is_refused_and_leaves_no_trace(releases, steps, refused):
    do = {
        "submit": lambda: releases.submit(KEY, "d1", act()),
        "approve": lambda: releases.approve(KEY, "d1", act("李四")),
        "sent": lambda: releases.sent(KEY, act()),
    }
    for step in steps:
        do[step]()
    before = releases.find(KEY), releases.audit_log()
    with pytest.raises(ReleaseError):
        refused(releases)
    assert (releases.find(KEY), releases.audit_log()) == before


def test_one_person_may_do_both_where_the_bureau_says_so(tmp_path):
    releases = Releases(tmp_path / "state.sqlite", two_persons=False)
    releases.record_draft(KEY, "d1", "t")
    releases.submit(KEY, "d1", act())
    assert releases.approve(KEY, "d1", act()).status == "approved"


def test_a_rejected_or_withdrawn_edition_is_a_draft_again(releases):
    releases.submit(KEY, "d1", act())
    assert releases.reject(KEY, act("李四", "表3有误")).status == "draft"
    releases.record_draft(KEY, "d2", "t")
    releases.submit(KEY, "d2", act())
    releases.approve(KEY, "d2", act("李四"))
    back = releases.withdraw(KEY, act("李四", "市局来电"))
    assert (back.status, back.approved_by, back.ticks) == ("draft", None, ())
    assert releases.open_edition("2020-06", "province") == 1


def test_a_sent_edition_is_frozen_until_a_correction_is_opened(releases):
    assert releases.open_edition("2020-06", "city") == 1
    releases.submit(KEY, "d1", act())
    assert releases.open_edition("2020-06", "province") is None
    releases.approve(KEY, "d1", act("李四"))
    releases.sent(KEY, act())
    assert releases.open_edition("2020-06", "province") is None
    key = releases.correct("2020-06", "province", act(reason="洛南县营业收入更正"))
    assert key.edition == 2 == releases.open_edition("2020-06", "province")
    found = releases.find(key)
    assert found is not None and found.correction == "洛南县营业收入更正"
    assert [r.key.edition for r in releases.of_period("2020-06")] == [1, 2]


def test_two_operators_at_once_one_wins_and_the_other_is_told(tmp_path):
    for round_ in range(10):
        path = tmp_path / f"{round_}.sqlite"
        start = Releases(path)
        start.record_draft(KEY, "d1", "t")
        start.submit(KEY, "d1", act())

        def decide(name, path=path):
            mine = Releases(path)
            try:
                if name == "李四":
                    mine.approve(KEY, "d1", act(name))
                else:
                    mine.reject(KEY, act(name, "不同意"))
            except ReleaseError as error:
                return str(error)
            return "done"

        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(decide, ["李四", "王五"]))
        assert said.count("done") == 1
        (told,) = [text for text in said if text != "done"]
        assert "现为" in told
        assert len(start.audit_log()) == 2
