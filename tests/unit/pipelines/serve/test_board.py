"""What the board collects from the ledgers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipelines.serve import board
from pipelines.settings import load_workspace
from tests.support.bureau import make_home
from warehouse.closings import Closings
from warehouse.releases import Act, Key, Releases


@pytest.fixture
def workspace(tmp_path):
    return load_workspace(make_home(tmp_path))


def test_a_new_workspace(workspace):
    seen = board.read(workspace)
    assert (seen.period, seen.all_rows, seen.drafts, seen.review) == ("2020-06", (), 0, ())
    assert not seen.looked


def test_what_waits_is_named_and_what_is_left_out_is_counted(workspace):
    waiting = [
        {"period": "2020-04", "why": "skipped", "until": None},
        {"period": "2020-05", "why": "skipped", "until": None},
        {"period": "2020-06", "why": "retry_later", "until": "2020-07-13T00:30:00+00:00"},
        {"period": "2020-07", "why": "given_up", "until": None},
    ]
    Closings(workspace.state_file).keep_outlook(
        datetime(2020, 7, 13, tzinfo=UTC), {"next": [], "waiting": waiting}
    )
    seen = board.read(workspace)
    assert seen.n_skipped == 2
    assert dict(seen.waiting) == {
        "2020-06": "等待重试,2020-07-13 08:30 再试", "2020-07": "多次失败,已停止重试",
    }  # fmt: skip
    assert seen.looked == "2020-07-13 08:00"
    assert not seen.looked_lately


def test_releases_that_wait_for_a_person(workspace):
    releases = Releases(workspace.state_file)
    for audience in ("one", "two", "three"):
        releases.record_draft(Key("2020-06", audience, 1), "d", "2020-07-20T00:00:00+00:00")
    for audience in ("one", "two"):
        act = Act("甲", "2020-07-20T00:00:00+00:00")
        releases.submit(Key("2020-06", audience, 1), "d", act)
    releases.approve(Key("2020-06", "two", 1), "d", Act("乙", "2020-07-20T00:00:00+00:00"))
    seen = board.read(workspace)
    assert (seen.review, seen.approved) == ((("2020-06", 1),), (("2020-06", 1),))


def test_a_correction_waits_for_a_run_until_its_documents_are_written(workspace):
    releases, at = Releases(workspace.state_file), "2020-07-20T00:00:00+00:00"
    releases.record_draft(Key("2020-06", "one", 1), "d", at)
    releases.submit(Key("2020-06", "one", 1), "d", Act("甲", at))
    releases.approve(Key("2020-06", "one", 1), "d", Act("乙", at))
    releases.sent(Key("2020-06", "one", 1), Act("乙", at))
    assert board.read(workspace).corrections == ()
    opened = releases.correct("2020-06", "one", Act("甲", at, "漏报一户"))
    assert board.read(workspace).corrections == (("2020-06", 1),)
    releases.record_draft(opened, "e", at)
    assert board.read(workspace).corrections == ()
