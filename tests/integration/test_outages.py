"""Outages: however long nothing ran, every due period runs exactly once, in order; what fails runs
again; a killed worker leaves nothing behind. Real Dagster instances, a clock that is moved.
"""

from __future__ import annotations

import email
import email.policy
import errno
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from bench.torture import outage
from pipelines import clock, instance, jobs, reconcile, sensors
from pipelines.jobs import MONTHLY
from pipelines.profiles import ProfileError
from pipelines.settings import load_workspace
from tests.support.bureau import BEIJING, make_home
from warehouse import backup
from warehouse.closings import Closings
from warehouse.outbox_ledger import OutboxLedger
from warehouse.state import State

AUTOMATION = """
[automation]
since = "{since}"
retry_minutes = [10, 60]
operators = ["yunwei@example.invalid"]
"""


class Bureau:
    """A workspace, its instance, its clock, and a monthly job that only closes its period."""

    def __init__(self, home, monkeypatch, since="2017-02", fails=()):
        self.home = make_home(home)
        settings = home / "parkwatch.toml"
        settings.write_text(settings.read_text("utf-8") + AUTOMATION.format(since=since), "utf-8")
        instance.prepare(home / "dagster")
        monkeypatch.setenv("PARKWATCH_HOME", str(home))
        monkeypatch.setenv(clock.VARIABLE, str(home / "clock.txt"))
        self.instance = dg.DagsterInstance.from_config(str(home / "dagster"))
        self.closings = Closings(home / "state.sqlite")
        self.fails = list(fails)
        self.order: list[str] = []

        @dg.op
        def close(context):
            period = context.run.tags["dagster/partition"]
            self.order.append(period)
            if period in self.fails:
                self.fails.remove(period)
                raise OSError(errno.ENOSPC, "No space left on device", "/srv/w/lake")
            self.closings.record(period, context.run_id, clock.now())

        @dg.job(name=MONTHLY)
        def monthly():
            close()

        self.job = monthly
        self.keys: set[str] = set()

    def at(self, moment):
        (self.home / "clock.txt").write_text(moment.isoformat(), "ascii")

    def tick(self):
        """One look of the sensor, its requests run as the daemon would: a known key is passed by."""
        with dg.build_sensor_context(instance=self.instance) as context:
            said = sensors.due_periods(context)
        requests = getattr(said, "run_requests", None) or []
        for request in requests:
            if request.run_key not in self.keys:
                self.keys.add(request.run_key)
                tags = request.tags | {"dagster/partition": request.partition_key}
                self.job.execute_in_process(instance=self.instance, tags=tags, raise_on_error=False)
        return [request.partition_key for request in requests]


@pytest.mark.parametrize("missed", [1, 2, 7, 40])
def test_停机若干期_每个到期的报告期恰好一次_依次(tmp_path, monkeypatch, missed):
    bureau = Bureau(tmp_path / "w", monkeypatch)
    bureau.at(datetime(2017, 4, 1, tzinfo=BEIJING))
    assert bureau.tick() == ["2017-02"]
    months = [f"{y}-{m:02d}" for y in range(2017, 2022) for m in range(2, 13)][1 : missed + 1]
    year, month = int(months[-1][:4]), int(months[-1][5:])
    back = datetime(year + month // 12, month % 12 + 1, 20, tzinfo=BEIJING)
    bureau.at(back)
    assert bureau.tick() == months
    assert bureau.order == ["2017-02", *months]
    for hours in (1, 24):
        bureau.at(back + timedelta(hours=hours))
        assert bureau.tick() == []


def test_失败的一期按间隔重试_其余照常(tmp_path, monkeypatch):
    bureau = Bureau(tmp_path / "w", monkeypatch, since="2020-03", fails=["2020-04"])
    back = datetime(2020, 7, 1, tzinfo=BEIJING)
    bureau.at(back)
    assert bureau.tick() == ["2020-03", "2020-04", "2020-05"]
    assert bureau.tick() == []
    monkeypatch.setattr(clock, "at", lambda _timestamp: back)
    bureau.at(back + timedelta(minutes=11))
    assert bureau.tick() == ["2020-04"]
    assert bureau.order == ["2020-03", "2020-04", "2020-05", "2020-04"]
    assert sorted(bureau.closings.newest()) == ["2020-03", "2020-04", "2020-05"]
    assert bureau.tick() == []


def test_屡次失败后停止重试并告警一次(tmp_path, monkeypatch):
    bureau = Bureau(tmp_path / "w", monkeypatch, since="2020-05", fails=["2020-05"] * 9)
    back = datetime(2020, 6, 20, tzinfo=BEIJING)
    moment = [back]
    monkeypatch.setattr(clock, "at", lambda _timestamp: moment[0])
    for minutes in (0, 11, 80, 500, 5000):
        bureau.at(back + timedelta(minutes=minutes))
        bureau.tick()
        moment[0] = back + timedelta(minutes=minutes)
    assert bureau.order == ["2020-05"] * 3
    mails = OutboxLedger(bureau.home / "state.sqlite").mails()
    assert [(m["kind"], m["state"]) for m in mails] == [("alert", "planned")]
    mail = read_mail(bureau.home / mails[0]["file"])
    assert mail["Subject"] == "【运维告警】2020-05 多次运行失败,已停止自动重试"
    assert "parkwatch run --period 2020-05" in mail.get_content()


def read_mail(file):
    return email.message_from_bytes(file.read_bytes(), policy=email.policy.default)


def test_一次失败的告警说出原因和处理办法(tmp_path, monkeypatch):
    bureau = Bureau(tmp_path / "w", monkeypatch, since="2020-05", fails=["2020-05"])
    bureau.at(datetime(2020, 6, 20, tzinfo=BEIJING))
    bureau.tick()
    (run,) = bureau.instance.get_runs()
    (entry,) = bureau.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    context = dg.build_run_status_sensor_context(
        "alert_on_failure", entry.dagster_event, bureau.instance, run
    )
    sensors.alert_on_failure(context.for_run_failure())
    (mail,) = OutboxLedger(bureau.home / "state.sqlite").mails()
    told = read_mail(bureau.home / mail["file"]).get_content()
    assert "close:磁盘已满,写不下 /srv/w/lake" in told and "腾出空间" in told
    assert "系统会按间隔自动重试" in told


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Shanghai"])
def test_机器时区不同_到期时刻相同(tmp_path, monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        bureau = Bureau(tmp_path / "w", monkeypatch, since="2020-05")
        bureau.at(datetime(2020, 6, 10, 15, 59, tzinfo=UTC))  # 10 June 23:59 in Beijing
        assert bureau.tick() == []
        bureau.at(datetime(2020, 6, 10, 16, 1, tzinfo=UTC))
        assert bureau.tick() == ["2020-05"]
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_时钟跳前又拨回_不漏不重(tmp_path, monkeypatch):
    bureau = Bureau(tmp_path / "w", monkeypatch, since="2020-05")
    bureau.at(datetime(2020, 6, 20, tzinfo=BEIJING))
    assert bureau.tick() == ["2020-05"]
    bureau.at(datetime(2020, 6, 19, tzinfo=BEIJING))  # a day back
    assert bureau.order == ["2020-05"]
    bureau.at(datetime(2020, 7, 20, tzinfo=BEIJING))
    assert bureau.tick() == ["2020-06"]
    assert bureau.order == ["2020-05", "2020-06"]


def test_自动运行按设置的运行方式_不结期的不能用(tmp_path, monkeypatch):
    bureau = Bureau(tmp_path / "w", monkeypatch, since="2020-05")
    settings = bureau.home / "parkwatch.toml"
    text = settings.read_text("utf-8")
    bureau.at(datetime(2020, 6, 20, tzinfo=BEIJING))

    def look(profile):
        settings.write_text(text + f'profile = "{profile}"\n', "utf-8")
        with dg.build_sensor_context(instance=bureau.instance) as context:
            (request,) = sensors.due_periods(context).run_requests
        return request

    assert look("full").asset_selection is None
    assert look("nightly").tags["parkwatch/profile"] == "nightly"
    with pytest.raises(ProfileError, match="不能用于自动运行"):
        look("fast")
    own = bureau.home / "profiles" / "brief.yaml"
    own.parent.mkdir()
    own.write_text("leave_out: [quality.expectation]\n", "utf-8")
    selected = {".".join(key.path) for key in look("brief").asset_selection}
    assert "quality.expectation" not in selected and "ops.digest" in selected


def test_运行方式要求的备份与体检在运行之后执行(tmp_path, monkeypatch):
    bureau = Bureau(tmp_path / "w", monkeypatch, since="2020-05")
    settings = bureau.home / "parkwatch.toml"
    folder = tmp_path / "backups"
    settings.write_text(settings.read_text("utf-8") + f'backup_folder = "{folder}"\n', "utf-8")
    (bureau.home / "profiles").mkdir()
    (bureau.home / "profiles" / "kept.yaml").write_text("then: [backup]\n", "utf-8")
    bureau.at(datetime(2020, 6, 20, tzinfo=BEIJING))
    asked = []
    for tags in ({"parkwatch/profile": "kept"}, {"parkwatch/profile": "full"}, {},
                 {"parkwatch/profile": "kept", "parkwatch/command": "run"}):  # fmt: skip
        done = bureau.job.execute_in_process(
            instance=bureau.instance, tags=tags | {"dagster/partition": "2020-05"}
        )
        run = bureau.instance.get_run_by_id(done.run_id)
        context = dg.build_run_status_sensor_context(
            sensor_name="after_a_run", dagster_instance=bureau.instance,
            dagster_run=run, dagster_event=done.all_events[-1],
        )  # fmt: skip
        asked.append(sensors.after_a_run(context))
    assert [isinstance(said, dg.RunRequest) for said in asked] == [True, False, False, False]
    done = jobs.afterwards.execute_in_process(instance=bureau.instance, tags=asked[0].tags)
    assert done.success and backup.verify(folder / backup.newest(folder).name) == []


def test_收件箱有新文件时运行当前报告期_同样内容只一次(tmp_path, monkeypatch):
    bureau = Bureau(tmp_path / "w", monkeypatch, since="2020-05")
    monkeypatch.setattr(sensors, "SETTLE_SECONDS", 0)
    bureau.at(datetime(2020, 6, 5, tzinfo=BEIJING))  # May has ended, its deadline has not

    def look():
        with dg.build_sensor_context(instance=bureau.instance) as context:
            return sensors.inbox(context)

    assert isinstance(look(), dg.SkipReason)
    file = bureau.home / "inbox" / "甲.xlsx"
    file.write_bytes(b"one")
    first = look()
    assert first.partition_key == "2020-05"
    assert look().run_key == first.run_key
    file.write_bytes(b"another")
    assert look().run_key != first.run_key
    bureau.at(
        datetime(2020, 6, 20, tzinfo=BEIJING)
    )  # now the period is due: its run takes the file
    assert isinstance(look(), dg.SkipReason)


def test_进程已不在的运行被释放_还在的不动(tmp_path, monkeypatch):
    bureau = Bureau(tmp_path / "w", monkeypatch)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    mark = reconcile.Process(
        reconcile.this_process().host, reconcile._boot(), child.pid, reconcile._born(child.pid)
    )
    runs = {}
    for name, tags in {
        "killed": mark.tags,
        "alive": reconcile.this_process().tags,
        "pid used again": mark.tags | {reconcile.BORN: "1"},
        "before the reboot": mark.tags | {reconcile.BOOT: "other"},
        "other machine": mark.tags | {reconcile.HOST: "elsewhere"},
        "just launched": {},
    }.items():
        run = bureau.instance.create_run_for_job(bureau.job, tags=tags)
        bureau.instance.report_engine_event("started", run)
        bureau.instance.handle_run_event(
            run.run_id,
            dg.DagsterEvent("PIPELINE_START", MONTHLY),
            datetime.now(UTC).replace(tzinfo=None),
        )
        runs[run.run_id] = name
    child.kill()
    child.wait()
    state = State(load_workspace().state_file)
    state.start_run(next(iter(runs)), "2020-05", "2020-06-11T00:00:00+00:00")
    lost = reconcile.free_lost_runs(bureau.instance, state)
    assert {runs[run_id] for run_id in lost} == {"killed", "pid used again", "before the reboot"}
    assert state.runs()[0]["status"] == "failed"
    assert reconcile.free_lost_runs(bureau.instance, state) == []


def test_尚未登记进程的运行_看启动的进程_机器繁忙时多等(tmp_path, monkeypatch):
    bureau = Bureau(tmp_path / "w", monkeypatch)
    worker = "import multiprocessing, time; time.sleep(60)"
    alive, dead = (subprocess.Popen([sys.executable, "-c", worker]) for _ in range(2))
    dead.kill()
    dead.wait()
    runs = {}
    for name, pid in (("starting", alive.pid), ("died at once", dead.pid), ("silent", None)):
        run = bureau.instance.create_run_for_job(bureau.job)
        data = EngineEventData() if pid is None else EngineEventData.in_process(pid)
        bureau.instance.report_engine_event("Started process for run.", run, data)
        started = dg.DagsterEvent("PIPELINE_STARTING", MONTHLY)
        bureau.instance.handle_run_event(
            run.run_id, started, datetime.now(UTC).replace(tzinfo=None)
        )
        runs[run.run_id] = name
    state = State(load_workspace().state_file)
    now = time.time()

    def freed(load, seconds):
        monkeypatch.setattr(reconcile.os, "getloadavg", lambda: (load, load, load))
        monkeypatch.setattr(reconcile.time, "time", lambda: now + seconds)
        return [runs[run_id] for run_id in reconcile.free_lost_runs(bureau.instance, state)]

    crowd = 10.0 * (os.cpu_count() or 1)
    assert freed(crowd, 1) == ["died at once"]
    assert freed(crowd, 300) == []
    assert freed(0.1, 60) == ["silent"]
    alive.kill()
    alive.wait()
    assert freed(crowd, 61) == ["starting"]


def test_真的守护进程_工作进程被杀_释放后重跑(tmp_path):
    daemon = outage.bureau(tmp_path / "w", "2020-05", 2)
    daemon.set_clock(datetime(2020, 6, 20, tzinfo=BEIJING))
    daemon.start()
    try:
        killed = daemon.kill_worker("2020-05", 180)
        at = time.time()
        daemon.wait(daemon.closings, 300)
    finally:
        daemon.stop()
    runs = daemon.runs()
    assert daemon.closings() == ["2020-05"]
    assert [(r["attempt"], r["reason"]) for r in runs] == [("1", "due"), ("2", "retry")]
    lost = next(r for r in runs if r["run_id"] == killed)
    assert lost["status"] == "FAILURE"
    assert lost["ended"] - at < 60
