"""Doctor finds what is wrong: one seeded fault after the other, each named and with its mend."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections import namedtuple
from datetime import UTC, datetime, timedelta

import pytest

from pipelines import clock, instance
from pipelines.cli import diagnosis_operation
from pipelines.cli.diagnosis import examine
from tests.support.bureau import Office, county_form
from tests.support.workspaces import parkwatch
from warehouse import backup, seals
from warehouse.closings import Closings
from warehouse.outbox_ledger import Mail, OutboxLedger
from warehouse.releases import Act, Key, Releases
from warehouse.state import State
from warehouse.store import connect

NOW = datetime(2026, 3, 1, tzinfo=UTC)
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A workspace in good order with everything a bureau's has."""
    folder = tmp_path_factory.mktemp("doctor")
    office = Office(folder / "w")
    office.put("汉滨6月.xlsx", county_form("hanbin", "2020-06", 100))
    office.run()
    with (office.home / "parkwatch.toml").open("a", encoding="utf-8") as settings:
        settings.write('[automation]\nbackup_folder = "../backups"\noperators = ["a@b.invalid"]\n')
    instance.prepare(office.home / "dagster")
    state = office.workspace.state_file
    releases = Releases(state)
    for number in (1, 2):
        key = Key("2020-06", f"office{number}", 1)
        releases.record_draft(key, "d" * 64, "2020-07-12T00:00:00+00:00")
        releases.submit(key, "d" * 64, Act("张三", "2020-07-12T01:00:00+00:00"))
    OutboxLedger(state).plan(
        [Mail("b", "x@y.invalid", "bulletin", "岗", "题", "<1@x>", "f", "0" * 64, 1)],
        NOW.isoformat(),
    )
    Closings(state).keep_outlook(NOW, {"next": [], "waiting": [], "requested": []})
    backup.take(office.home, folder / "backups", NOW - timedelta(days=3))
    return folder


@pytest.fixture
def world(sound, tmp_path, monkeypatch):
    """A copy of it, its clock at NOW."""
    shutil.copytree(sound, tmp_path, dirs_exist_ok=True)
    (tmp_path / "clock").write_text(NOW.isoformat(), "ascii")
    monkeypatch.setenv(clock.VARIABLE, str(tmp_path / "clock"))
    return World(tmp_path, monkeypatch)


class World:
    def __init__(self, folder, monkeypatch):
        self.folder, self.home, self.patch = folder, folder / "w", monkeypatch
        self.state = State(self.home / "state.sqlite")

    def settings(self, old, new):
        file = self.home / "parkwatch.toml"
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), "utf-8")

    def sql(self, *statements):
        with sqlite3.connect(self.home / "state.sqlite") as connection:
            seals.attach(connection)
            for statement in statements:
                connection.execute(statement)

    def move(self, name):
        (self.home / name).rename(self.home / f"{name}.away")

    def spoil(self, path):
        path.chmod(0o644)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)

    def at(self, moment):
        (self.folder / "clock").write_text(moment.isoformat(), "ascii")

    def original(self):
        return next((self.home / "archive").rglob("*.xlsx"))

    def dagster(self, old, new):
        file = self.home / "dagster" / "dagster.yaml"
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")

    def change_table(self):
        (self.home / "warehouse.duckdb").chmod(0o644)
        connection = connect(self.home / "warehouse.duckdb")
        connection.execute("UPDATE submissions.submission SET n_findings = 77")
        connection.close()

    def mount(self, kind, options="rw"):
        mounts = self.folder / "mounts"
        mounts.write_text(f"none / ext4 rw 0 0\nserver:/x {self.home} {kind} {options} 0 0\n")
        self.patch.setattr(diagnosis_operation, "MOUNTS", mounts)

    def lock_file(self):
        lock = self.folder / "uv.lock"
        text = diagnosis_operation.LOCK_FILE.read_text("utf-8")
        lock.write_text(text.replace('name = "duckdb"\nversion = "1.5.5"',
                                     'name = "duckdb"\nversion = "9.9.9"'), "utf-8")  # fmt: skip
        self.patch.setattr(diagnosis_operation, "LOCK_FILE", lock)

    def given_up(self):
        said = {"next": [], "requested": [], "waiting": [{"period": "2020-05", "why": "given_up"}]}
        Closings(self.home / "state.sqlite").keep_outlook(NOW, said)

    def passwords(self, exists):
        file = self.folder / "passwords"
        if exists:
            file.write_text("x")
            file.chmod(0o644)
        self.settings("[catalog]", f'[reader]\npassword_file = "{file}"\n[catalog]')

    def free(self, n_bytes):
        self.patch.setattr(shutil, "disk_usage", lambda _path: Usage(1 << 40, 0, n_bytes))

    def no_fonts(self):
        from assets.bulletins import fonts

        self.patch.setattr(fonts, "describe", lambda: ())


CATALOG = "catalog/indicators.yaml"
FAULTS = [
    ("no settings", "设置", lambda w: w.move("parkwatch.toml")),
    ("settings are no TOML", "设置", lambda w: w.settings("[bureau]", "[bureau")),
    ("unknown setting", "设置", lambda w: w.settings("[bureau]", "[bureau]\ncolour = 1")),
    ("unknown zone", "设置",
     lambda w: w.settings("[catalog]", '[periods]\ntimezone = "Asia/Xian"\n[catalog]')),
    ("catalogue is no YAML", "政策目录", lambda w: (w.home / CATALOG).write_text("- {a: ", "utf-8")),
    ("catalogue with an unknown field", "政策目录",
     lambda w: (w.home / CATALOG).write_text("- {indicator_id: C01, colour: red}", "utf-8")),
    ("inbox is gone", "目录 inbox", lambda w: w.move("inbox")),
    ("reports is a file", "目录 reports",
     lambda w: (w.move("reports"), (w.home / "reports").write_text(""))),
    ("lake read-only", "目录 lake",
     lambda w: w.patch.setattr(os, "access", lambda path, _mode: "lake" not in str(path))),
    ("disk nearly full", "磁盘空间", lambda w: w.free(50 << 20)),
    ("no room for a run", "一次运行所需空间", lambda w: w.free(1 << 10)),
    ("workspace on a network share", "文件系统", lambda w: w.mount("nfs4")),
    ("mounted read-only", "文件系统", lambda w: w.mount("ext4", "ro,relatime")),
    ("files of another owner", "文件属主",
     lambda w: w.patch.setattr(os, "access", lambda path, _mode: "archive" not in str(path))),
    ("package differs from the lock", "依赖版本", lambda w: w.lock_file()),
    ("no fonts", "字体", lambda w: w.no_fonts()),
    ("telemetry on", "遥测", lambda w: w.dagster("telemetry: {enabled: false}", "")),
    ("no run monitoring", "运行监控", lambda w: w.dagster("run_monitoring:\n  enabled: true",
                                                     "run_monitoring:\n  enabled: false")),
    ("many runs at once", "同时运行数", lambda w: w.dagster("max_concurrent_runs: 1",
                                                      "max_concurrent_runs: 9")),
    ("instance settings broken", "Dagster 设置",
     lambda w: (w.home / "dagster/dagster.yaml").write_text("a: [", "utf-8")),
    ("published table changed", "已发布数据", lambda w: w.change_table()),
    ("published file cut", "published", lambda w: os.truncate(w.home / "warehouse.duckdb", 5000)),
    ("partition gone", "历次数据",
     lambda w: next((w.home / "lake").rglob("*.parquet")).unlink()),
    ("manifest broken", "历次数据",
     lambda w: next((w.home / "published").glob("*.json")).write_text("{", "utf-8")),
    ("publication half-way", "发布", lambda w: (w.home / ".publish.json").write_text("{}")),
    ("ledger broken", "ledger", lambda w: (w.home / "state.sqlite").write_bytes(b"x" * 9000)),
    ("original altered", "归档内容", lambda w: w.spoil(w.original())),
    ("original gone", "归档原件", lambda w: w.original().unlink()),
    ("log edited", "审计日志",
     lambda w: w.sql("UPDATE audit SET actor = '李四' WHERE number = 1")),
    ("log cut", "审计日志", lambda w: w.sql("DELETE FROM audit WHERE number = 2")),
    ("log anchors gone", "审计日志", lambda w: w.move("audit.anchors")),
    ("run of a dead process", "中断的运行",
     lambda w: w.state.start_run("r", "2020-06", "2026-02-01T00:00:00+00:00")),
    ("clock went back", "系统时钟",
     lambda w: w.state.start_run("r", "2020-06", "2026-09-01T00:00:00+00:00")),
    ("next year's calendar unknown", "工作日历", lambda w: w.at(datetime(2029, 11, 2, tzinfo=UTC))),
    ("daemon silent", "自动运行", lambda w: w.at(NOW + timedelta(minutes=30))),
    ("period given up", "到期未结", lambda w: w.given_up()),
    ("nobody gets alerts", "告警收件人", lambda w: w.settings('["a@b.invalid"]', "[]")),
    ("mail unknown", "去向不明的邮件", lambda w: w.sql("UPDATE mail SET state = 'unknown'")),
    ("mail refused", "被拒收的邮件", lambda w: w.sql("UPDATE mail SET state = 'refused'")),
    ("mail stays", "滞留的邮件", lambda w: w.at(NOW + timedelta(days=2))),
    ("mail server does not answer", "邮件服务器",
     lambda w: w.settings("[catalog]", '[mail]\nhost = "127.0.0.1"\nport = 1\n[catalog]')),
    ("no backup", "备份", lambda w: shutil.rmtree(w.folder / "backups")),
    ("backup old", "备份", lambda w: w.at(NOW + timedelta(days=60))),
    ("backup damaged", "备份内容",
     lambda w: w.spoil(next((w.folder / "backups").rglob("archive/*/*.xlsx")))),
    ("source ill", "HTTP 来源", lambda w: w.state.save_pull_state("web", "u", {"failures": 4})),
    ("passwords readable by all", "口令文件", lambda w: w.passwords(True)),
    ("passwords gone", "口令文件", lambda w: w.passwords(False)),
]  # fmt: skip


def test_有条理的工作区没有问题(world):
    assert [f for f in examine(world.home) if not f.ok] == []


@pytest.mark.parametrize(("fault", "item", "seed"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_每个埋下的问题都被指出_并说明处理办法(world, fault, item, seed):
    seed(world)
    found = [f for f in examine(world.home) if not f.ok]
    named = [f for f in found if f.what == item]
    assert named, f"{fault}: {found}"
    assert all(f.mend for f in named)


def test_同时埋下多处_全部指出_十秒之内(world):
    seeded = [f for f in FAULTS if f[0] in (
        "inbox is gone", "workspace on a network share", "telemetry on", "no run monitoring",
        "original altered", "partition gone", "log edited", "run of a dead process", "mail unknown",
        "nobody gets alerts", "source ill", "package differs from the lock",
        "publication half-way")]  # fmt: skip
    for _, _, seed in seeded:
        seed(world)
    found = {f.what for f in examine(world.home) if not f.ok}
    assert {item for _, item, _ in seeded} <= found


def test_命令_退出码与JSON(world):
    world.patch.undo()
    quiet = parkwatch("doctor", "--home", world.home, "--json",
                      PARKWATCH_CLOCK_FILE=str(world.folder / "clock"))  # fmt: skip
    assert quiet.returncode == 0, quiet.stdout
    assert all(item["ok"] for item in json.loads(quiet.stdout))
    world.original().unlink()
    told = parkwatch("doctor", "--home", world.home,
                     PARKWATCH_CLOCK_FILE=str(world.folder / "clock"))  # fmt: skip
    assert told.returncode == 1 and "归档原件" in told.stdout


def test_检查不改变工作区(world):
    def stamps():
        return {
            p: p.stat().st_mtime_ns for p in world.home.rglob("*")
            if p.is_file() and not p.name.startswith(("state.sqlite-", "warehouse.lock"))
        }  # fmt: skip

    before = stamps()
    examine(world.home)
    assert stamps() == before
