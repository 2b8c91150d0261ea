"""Campaigns can fail: each judge names what a broken promise would leave behind."""

from __future__ import annotations

import sqlite3
import subprocess
from datetime import UTC, datetime

import pytest

from bench.torture import machine, outage
from tests.support.bureau import make_home
from tests.support.daemon import Daemon
from warehouse.closings import Closings

DUE = ["2020-03", "2020-04"]


@pytest.mark.parametrize(
    ("built", "wrong"),
    [
        (["2020-03", "2020-04"], []),
        (["2020-03"], ["2020-04 built 0 times"]),
        (["2020-03", "2020-04", "2020-04"], ["2020-04 built 2 times"]),
        (["2020-03", "2020-04", "2020-05"], ["2020-05 was not due"]),
    ],
)
def test_a_period_lost_doubled_or_not_due_is_named(tmp_path, built, wrong):
    home = make_home(tmp_path / "w")
    closings = Closings(home / "state.sqlite")
    for number, period in enumerate(built):
        closings.record(period, f"run{number}", datetime(2020, 7, 1 + number, tzinfo=UTC))
    assert outage.exactly_once(Daemon(home), DUE) == wrong


def test_a_slot_held_by_a_dead_process_is_timed_until_it_is_freed(tmp_path, monkeypatch):
    process = subprocess.Popen(["true"])
    process.wait()
    history = tmp_path / "dagster" / "history"
    history.mkdir(parents=True)
    with sqlite3.connect(history / "runs.db") as there:
        there.execute("CREATE TABLE runs (run_id, status)")
        there.execute("CREATE TABLE run_tags (run_id, key, value)")
        there.execute("INSERT INTO runs VALUES ('r', 'STARTED')")
        there.execute("INSERT INTO run_tags VALUES ('r', 'parkwatch/pid', ?)", (str(process.pid),))
    moment = [100.0]
    monkeypatch.setattr(outage.time, "monotonic", lambda: moment[0])
    watch = outage.Watch(tmp_path)
    watch.look()
    moment[0] += 75
    watch.look()
    assert watch.held == []
    with sqlite3.connect(history / "runs.db") as there:
        there.execute("UPDATE runs SET status = 'FAILURE'")
    watch.look()
    assert watch.held == [75.0]
    assert max(watch.held) > outage.LIMIT


@pytest.mark.parametrize(
    ("stderr", "begins"),
    [
        ("Traceback (most recent call last):\n  x\nOSError: [Errno 28] full\n", "TRACEBACK"),
        ("错误:运行失败:ops__digest:_duckdb.IOException: IO Error: Cannot open\n", "RAW"),
        ("", "RAW"),
        ("  发布……\n错误:运行失败:ops__digest:磁盘已满,写不下 /w\n", "错误"),
    ],
)
def test_what_is_no_word_to_a_person_is_named(stderr, begins):
    told = subprocess.CompletedProcess([], 1, "", stderr)
    assert machine.last_words(told).startswith(begins)
