"""Backup while in use, restore on a clean directory: the same digests, no mail, damage noticed."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.settings import load_workspace
from tests.support.bureau import Office, county_form
from tests.support.workspaces import parkwatch
from warehouse import audit, backup, builds, intact, partitions, schema, store
from warehouse.outbox_ledger import Mail, OutboxLedger
from warehouse.releases import Act, Key, Releases

NOW = datetime(2020, 7, 20, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workspace with a build, a released edition's log and mails in every state; its backup."""
    folder = tmp_path_factory.mktemp("backup")
    office = Office(folder / "w")
    office.put("汉滨6月.xlsx", county_form("hanbin", "2020-06", 100))
    office.run()
    releases = Releases(office.workspace.state_file)
    key = Key("2020-06", "office", 1)
    releases.record_draft(key, "d" * 64, "2020-07-12T00:00:00+00:00")
    releases.submit(key, "d" * 64, Act("张三", "2020-07-12T01:00:00+00:00"))
    ledger = OutboxLedger(office.workspace.state_file)
    ledger.plan([mail(n) for n in range(5)], "2020-07-13T00:00:00+00:00")
    for reply in (ledger.sent, ledger.deferred):
        row = ledger.take("2020-07-14T00:00:00+00:00")
        reply(row["message_id"], "2020-07-14T01:00:00+00:00", "250 ok")
    row = ledger.take("2020-07-14T00:00:00+00:00")
    ledger.mark_dot(row["message_id"])
    ledger.close()
    first = backup.take(office.home, folder / "backups", NOW)
    return office, folder, first


def mail(number):
    return Mail("edition", f"{number}@example.invalid", "bulletin", "岗", "题", f"<{number}@x>",
                "mail.eml", "0" * 64, 1)  # fmt: skip


def test_恢复到新目录_数据摘要相同_没有邮件待发(made, tmp_path):
    office, folder, first = made
    said = backup.restore(folder / "backups", tmp_path / "r", NOW)
    assert said.build == first.build and said.build.startswith("00001-")
    assert (said.unknown, said.faults) == (4, [])
    with sqlite3.connect(tmp_path / "r" / "state.sqlite") as connection:
        states = dict(connection.execute("SELECT state, count(*) FROM mail GROUP BY 1"))
        connection.row_factory = sqlite3.Row
        log = audit.entries(connection)
    assert states == {"sent": 1, "unknown": 4}
    ledger = OutboxLedger(tmp_path / "r" / "state.sqlite")
    assert ledger.take("2099-01-01T00:00:00+00:00") is None
    assert ledger.plan([mail(n) for n in range(5)], "2020-08-01T00:00:00+00:00") == 0
    assert [entry.action for entry in log][-1] == "restore"
    assert audit.verify(log, tmp_path / "r" / "state.sqlite") == []
    restored = sorted(p.stem for p in (tmp_path / "r" / "published").glob("*.json"))
    assert restored == [m.name for m in builds.manifests(office.workspace)]


def test_要求保留待发邮件时保留(made, tmp_path):
    _, folder, _ = made
    said = backup.restore(folder / "backups", tmp_path / "r", NOW, keep_outbox=True)
    assert said.unknown == 0
    ledger = OutboxLedger(tmp_path / "r" / "state.sqlite")
    assert ledger.counts() == {"deferred": 1, "dot": 1, "planned": 2, "sent": 1}


def test_没有变化的文件与上一份相链接(made):
    office, folder, first = made
    again = backup.take(office.home, folder / "backups", NOW + timedelta(days=1))
    assert again.linked == len(first.entries) - 2  # ledger and anchors are always copied
    assert backup.verify(folder / "backups" / again.name) == []
    assert backup.newest(folder / "backups").name == again.name
    shutil.rmtree(folder / "backups" / again.name)


@pytest.mark.parametrize("damage", ["changed", "cut", "gone", "manifest"])
def test_损坏的备份不恢复(made, tmp_path, damage):
    _, folder, first = made
    copy = tmp_path / first.name
    shutil.copytree(folder / "backups" / first.name, copy)
    victim = next((copy / "files" / "archive").rglob("*.xlsx"))
    victim.chmod(0o644)
    data = bytearray(victim.read_bytes())
    if damage == "changed":
        data[len(data) // 2] ^= 1
        victim.write_bytes(data)
    elif damage == "cut":
        victim.write_bytes(data[:-1])
    elif damage == "gone":
        victim.unlink()
    else:
        (copy / "manifest.json").write_text("{", "utf-8")
    with pytest.raises((backup.BackupError, FileNotFoundError)):
        backup.restore(copy, tmp_path / "r", NOW)
    assert not (tmp_path / "r").exists()
    if damage != "manifest":
        assert len(backup.verify(copy)) == 1


def test_不覆盖已有目录_不备份到自身之内(made, tmp_path):
    office, folder, _ = made
    with pytest.raises(backup.BackupError, match="不是空目录"):
        backup.restore(folder / "backups", office.home, NOW)
    with pytest.raises(backup.BackupError, match="工作区之内"):
        backup.take(office.home, office.home / "backups", NOW)


def test_备份期间有发布_从头再取_不混(made, tmp_path, monkeypatch):
    office, _, _ = made
    copied, once = backup._copy, []

    def publishing(home, target, path):
        if path.startswith("lake") and not once:
            once.append(path)  # another build comes in the middle of the copying
            office.put("汉阴6月.xlsx", county_form("hanyin", "2020-06", 200))
            office.run()
        return copied(home, target, path)

    monkeypatch.setattr(backup, "_copy", publishing)
    made_now = backup.take(office.home, tmp_path / "b", NOW)
    assert once and made_now.build.startswith("00002-")
    monkeypatch.undo()
    assert backup.restore(tmp_path / "b", tmp_path / "r", NOW).build == made_now.build


def test_命令_备份_核对_恢复(made, tmp_path):
    office, _, _ = made
    told = parkwatch("backup", tmp_path / "b", "--home", office.home)
    assert told.returncode == 0, told.stderr
    assert parkwatch("backup", tmp_path / "b", "--verify").returncode == 0
    told = parkwatch("restore", tmp_path / "b", tmp_path / "r")
    assert told.returncode == 0 and "停发" in told.stdout, told.stdout + told.stderr
    again = parkwatch("restore", tmp_path / "b", tmp_path / "r")
    assert again.returncode == 1 and "不是空目录" in again.stderr


def flipped(path):
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("kind", "pattern", "hurt"),
    [
        ("归档原件", "archive/*/*.xlsx", flipped),
        ("归档原件", "archive/*/*.xlsx", lambda path: path.unlink()),
        ("历次构建清单", "published/*.json", flipped),
        ("历次数据分区", "lake/indicators/park_month/*/*.parquet", flipped),
        ("历次数据分区", "lake/submissions/cell/*/*.parquet", lambda path: path.unlink()),
        ("政策目录存档", "catalog-versions/*/catalog/*.yaml", lambda path: path.unlink()),
        ("台账与审计日志", "audit.anchors", lambda path: path.unlink()),
    ],
)
def test_全面核对说出哪一件损坏_别的仍然相符(made, tmp_path, kind, pattern, hurt):
    office, _, _ = made
    home = tmp_path / "w"
    shutil.copytree(office.home, home)
    whole = intact.examine(load_workspace(home))
    assert whole.damages == []
    assert min(n for kind, n in whole.counts.items() if kind != "通报文件") > 0
    victim = sorted(home.glob(pattern))[0]
    hurt(victim)
    assert {damage.kind for damage in intact.examine(load_workspace(home)).damages} == {kind}


def test_已发布数据与所存构建不符时说出来(made, tmp_path):
    """A row changed with the digest beside it: the kept build is the second witness."""
    office, _, _ = made
    home = tmp_path / "w"
    shutil.copytree(office.home, home)
    with closing(store.connect(home / "warehouse.duckdb")) as connection:
        connection.execute("UPDATE indicators.park_year SET value = value + 1 WHERE value > 0")
        partitions._digest_again(connection, schema.table("indicators.park_year"), None)
    said = parkwatch("verify", "--home", home)
    assert said.returncode == 1
    assert "已发布数据表 indicators.park_year:行与所存构建的摘要不符" in said.stdout
