"""What status says comes next and what is stuck, each with its mend, from the ledger alone."""

from __future__ import annotations

import fcntl
import json
from datetime import UTC, datetime, timedelta

import pytest

from pipelines import ahead
from pipelines.cli import outlook
from pipelines.settings import load_workspace
from tests.support.bureau import BEIJING, make_home
from warehouse import locks
from warehouse.catalog.load import load_catalog
from warehouse.closings import Closings
from warehouse.outbox_ledger import Mail, OutboxLedger
from warehouse.releases import Act, Key, Releases
from warehouse.state import State

NOW = datetime(2020, 7, 20, 9, tzinfo=BEIJING)


@pytest.fixture
def home(tmp_path):
    folder = make_home(tmp_path / "w")
    settings = folder / "parkwatch.toml"
    text = settings.read_text("utf-8") + "\n[release]\ncalendar = {workday = 15}\n"
    settings.write_text(text, "utf-8")
    workspace = load_workspace(folder)
    ahead.keep(workspace, load_catalog(workspace.catalog, "none"), NOW)
    return folder


def stuck(home, now=NOW):
    return [row["what"] for row in outlook.of(home, now)["stuck"]]


def alive(home, waiting=(), now=NOW):
    said = {"next": [], "waiting": list(waiting), "requested": []}
    Closings(home / "state.sqlite").keep_outlook(now, said)


def mail(state, number=0):
    return Mail("2020-06/office/1/d", f"{state}{number}@y.test", "bulletin", "岗", "题",
                f"<{state}{number}@x>", "m.eml", "0" * 64, 1)  # fmt: skip


def test_the_next_filing_run_and_release_days_in_order(home):
    found = [(r["at"][:16], r["what"], r["period"]) for r in outlook.of(home, NOW)["next"]]
    assert found == [
        ("2020-07-21", "发布日历", "2020-06"),
        ("2020-08-10", "报送截止", "2020-07"),
        ("2020-08-11T00:00", "自动运行", "2020-07"),
        ("2020-08-21", "发布日历", "2020-07"),
        ("2020-09-10", "报送截止", "2020-08"),
        ("2020-09-11T00:00", "自动运行", "2020-08"),
    ]


def test_a_period_that_is_due_while_nothing_looks_is_stuck_until_it_is_closed(home):
    (row,) = outlook.of(home, NOW)["stuck"]
    assert "2020-06" in row["what"] and "backfill --from 2020-06 --to 2020-06" in row["mend"]
    alive(home)
    assert stuck(home) == []
    assert "2020-06" in stuck(home, NOW + timedelta(minutes=6))[0], "the heartbeat is over"
    Closings(home / "state.sqlite").record("2020-06", "r", NOW - timedelta(hours=1))
    assert stuck(home, NOW + timedelta(minutes=6)) == []


@pytest.mark.parametrize(
    ("why", "until", "word"),
    [("given_up", None, "已停止自动重试"), ("retry_later", "2020-07-20T10:00", "自动重试"),
     ("skipped", None, "不自动补做"), ("running", None, "")],
)  # fmt: skip
def test_what_waits_says_why(home, why, until, word):
    alive(home, [{"period": "2020-06", "why": why, "until": until}])
    assert [word in what and "2020-06" in what for what in stuck(home)] == ([True] if word else [])


def test_a_run_without_its_process_and_a_failed_one(home):
    alive(home)
    state = State(home / "state.sqlite")
    state.start_run("r1", "2020-06", "2020-07-20T00:00:00+00:00")
    lock = home / "warehouse.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert locks.is_held(lock) in (True, None)
        assert stuck(home) == []
    if locks.is_held(lock) is not None:
        assert "已中断" in stuck(home)[0]
    state.finish_run("r1", "2020-07-20T00:01:00+00:00", "failed", "磁盘已满")
    assert "磁盘已满" in stuck(home)[0]


def test_files_nobody_takes_in(home):
    alive(home, now=NOW - timedelta(hours=1))
    (home / "inbox" / "甲县").mkdir()
    (home / "inbox" / "甲县" / "六月.xlsx").write_bytes(b"x")
    (home / "inbox" / "甲县" / "~$六月.xlsx").write_bytes(b"x")
    assert any("收件箱有 1 个文件" in what for what in stuck(home))


def test_editions_and_mails_that_wait_for_a_person(home):
    alive(home)
    releases, key = Releases(home / "state.sqlite"), Key("2020-06", "office", 1)
    releases.record_draft(key, "d", "2020-07-12T00:00:00+00:00")
    releases.submit(key, "d", Act("甲", "2020-07-12T00:00:00+00:00"))
    assert "待签发" in stuck(home)[0]
    releases.approve(key, "d", Act("乙", "2020-07-12T00:00:00+00:00"),
                     embargo_until="2020-07-21T00:00:00+00:00")  # fmt: skip
    assert "已签发" in stuck(home)[0] and "2020-07-21" in stuck(home)[0]
    ledger = OutboxLedger(home / "state.sqlite")
    ledger.plan([mail(s) for s in ("unknown", "refused", "bounced", "planned")],
                "2020-07-21T00:00:00+00:00")  # fmt: skip
    ledger.unknown("<unknown0@x>", "?")
    ledger.refused("<refused0@x>", "550")
    ledger.sent("<bounced0@x>", "2020-07-20T00:00:00+00:00", "250")
    ledger.bounced("<bounced0@x>", "2020-07-20T00:00:00+00:00", "no user")
    ledger.close()
    said = outlook.of(home, NOW)
    assert [r["what"][:3] for r in said["stuck"][1:]] == ["无法确", "被拒收", "退信的"]
    assert any(row["what"] == "发送邮件" and row["note"] == "待发 1 封" for row in said["next"])
    assert json.dumps(said)


def test_a_new_workspace_has_nothing_to_say(tmp_path):
    folder = make_home(tmp_path / "w")
    said = outlook.of(folder, datetime(2020, 7, 1, tzinfo=UTC))
    assert (said["next"], said["stuck"], said["daemon"]["expected"]) == ([], [], False)
