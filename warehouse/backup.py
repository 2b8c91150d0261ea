"""Backup (备份) and restore (恢复) of a workspace: whole, verified, taken while runs go on.

Belongs here: copying a consistent state of the folder, its manifest of SHA-256, putting it back and
making sure that a restored ledger sends nothing. Does not belong here: when to back up, printing.

A backup is ``DEST/<name>/`` with ``files/`` and ``manifest.json``. Content that never changes under
its name (archive, lake, kept builds) is linked to the former backup when size and time are the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from warehouse import audit, releases
from warehouse.files import sha256_of, sync
from warehouse.ledger import connect as open_ledger

LEDGER, ANCHORS = "state.sqlite", "audit.anchors"
MANIFEST = "manifest.json"
LEFT_OUT = ("warehouse.work.", "warehouse.lock", "outbox.lock", ".making", ".publish.json",
            "state.sqlite-", "dagster/", "daemon.log")  # fmt: skip
"""What a backup leaves out: the build under way, locks, the history of the Dagster instance (its
settings are kept)."""
KEPT_OF_DAGSTER = "dagster/dagster.yaml"
ATTEMPTS = 10
Progress = Callable[[str, int, int], None]


class BackupError(RuntimeError):
    """A backup cannot be made, read or put back; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a backup. ``modified_ns``: of the source, by which the next backup knows it."""

    path: str
    bytes: int
    sha256: str
    modified_ns: int
    mode: int


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup as its manifest describes it. ``build``: number and digest of the published build."""

    name: str
    made_at: str
    build: str
    entries: tuple[Entry, ...]
    linked: int = 0


@dataclass(slots=True)
class Restored:
    """What a restore did: files put back, messages kept from being sent, approved editions that have
    to be approved again, faults of the audit log."""

    files: int
    build: str
    unknown: int = 0
    reviewed: int = 0
    faults: list[str] = field(default_factory=list)


# --- taking ---------------------------------------------------------------------------------------


def take(home: Path, dest: Path, now: datetime, progress: Progress | None = None) -> Backup:
    """Copy the workspace to ``dest/<time>``; runs and readers are not disturbed.

    A publication that falls into the copying makes it begin again. Raises BackupError when that
    does not end or the copy differs from what was read.
    """
    if dest.resolve().is_relative_to(home.resolve()):
        raise BackupError(f"备份目录 {dest} 在工作区之内:请放到另一块磁盘或另一台机器")
    name = f"{now:%Y%m%dT%H%M%SZ}"
    making = dest / f".{name}.part"
    former = newest(dest)
    try:
        for _ in range(ATTEMPTS):
            shutil.rmtree(making, ignore_errors=True)
            (making / "files").mkdir(parents=True)
            before = _published(home)
            entries, linked = _copy_all(home, making / "files", dest, former, progress)
            if before == _published(home) and not (home / ".publish.json").exists():
                break
        else:
            raise BackupError("备份期间一直有新数据发布,未能取得一致的副本:请稍后再试")
        backup = Backup(
            name, now.isoformat(timespec="seconds"), _build(making / "files"), entries, linked
        )
        text = json.dumps(asdict(backup), ensure_ascii=False, indent=0)
        (making / MANIFEST).write_text(text, encoding="utf-8")
        sync(making / MANIFEST)
        wrong = _damaged(making, entries, linked_too=False)
        if wrong:
            raise BackupError(f"副本与读出的内容不符:{'、'.join(wrong[:5])};请检查备份磁盘")
        os.replace(making, dest / name)
        sync(dest)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return backup


def _published(home: Path) -> tuple[int, int, int] | None:
    """What identifies the published file: a publication puts another one in its place."""
    try:
        stat = (home / "warehouse.duckdb").stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _copy_all(
    home: Path, target: Path, dest: Path, former: Backup | None, progress: Progress | None
) -> tuple[tuple[Entry, ...], int]:
    known = {entry.path: entry for entry in former.entries} if former else {}
    entries, linked = [], 0
    # The log's anchors before the log, the ledger before the files it speaks of: each copy then
    # holds at least what the copies before it mention.
    if (home / ANCHORS).exists():
        entries.append(_copy(home, target, ANCHORS))
    if (home / LEDGER).exists():
        entries.append(_copy_ledger(home, target))
    paths = list(_files(home))
    for done, path in enumerate(paths, start=1):
        if progress is not None:
            progress("备份", done, len(paths))
        same = known.get(path)
        source = dest / (former.name if former else "") / "files" / path
        if same and _unchanged(home / path, same) and _link(source, target / path):
            entries.append(same)
            linked += 1
            continue
        with contextlib.suppress(FileNotFoundError):  # a publication meanwhile would be noticed
            entries.append(_copy(home, target, path))
    return tuple(sorted(entries, key=lambda e: e.path)), linked


def _link(source: Path, target: Path) -> bool:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # gone, or a file system without links: copied afresh
        return False
    return True


def _files(home: Path) -> Iterator[str]:
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home).as_posix()
        if path.is_symlink() or not path.is_file() or name in (LEDGER, ANCHORS):
            continue
        if name == KEPT_OF_DAGSTER or not name.startswith(LEFT_OUT):
            yield name


def _unchanged(path: Path, entry: Entry) -> bool:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return False
    return (stat.st_size, stat.st_mtime_ns) == (entry.bytes, entry.modified_ns)


def _copy(home: Path, target: Path, path: str) -> Entry:
    """Copy one file and digest what was read."""
    source, copy = home / path, target / path
    copy.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as old, copy.open("wb") as new:
        stat = os.fstat(old.fileno())
        while block := old.read(1 << 20):
            digest.update(block)
            size += len(block)
            new.write(block)
        new.flush()
        os.fsync(new.fileno())
    return Entry(path, size, digest.hexdigest(), stat.st_mtime_ns, stat.st_mode & 0o777)


def _copy_ledger(home: Path, target: Path) -> Entry:
    """The ledger by SQLite's own backup: a plain copy of a live database is not one."""
    old = sqlite3.connect(f"file:{home / LEDGER}?mode=ro", uri=True, timeout=30)
    new = sqlite3.connect(target / LEDGER)
    try:
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")
    finally:
        new.close()
        old.close()
    sync(target / LEDGER)
    stat = (target / LEDGER).stat()
    return Entry(LEDGER, stat.st_size, sha256_of(target / LEDGER), 0, 0o644)


def _build(files: Path) -> str:
    """The published build of a copy, ``<number>-<first digits of its digest>``; empty without one."""
    from warehouse.builds import published_number
    from warehouse.store import connect

    if not (files / "warehouse.duckdb").exists():
        return ""
    connection = connect(files / "warehouse.duckdb", read_only=True)
    try:
        found = published_number(connection)
    finally:
        connection.close()
    return f"{found[0]:05d}-{found[1][:16]}" if found else ""


# --- looking --------------------------------------------------------------------------------------


def newest(dest: Path) -> Backup | None:
    """The newest whole backup below ``dest``; None when there is none."""
    folders = sorted(p.parent for p in dest.glob(f"[0-9]*/{MANIFEST}")) if dest.is_dir() else []
    return read(folders[-1]) if folders else None


def read(folder: Path) -> Backup:
    """The backup in ``folder``, or the newest below it. Raises BackupError when there is none."""
    file = folder / MANIFEST
    if not file.is_file():
        found = newest(folder)
        if found is None:
            raise BackupError(f"{folder} 中没有备份(缺 {MANIFEST})")
        return found
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        entries = tuple(Entry(**entry) for entry in said.pop("entries"))
    except (ValueError, TypeError, KeyError) as error:
        raise BackupError(f"{file} 无法读取:{error};请改用另一份备份") from error
    return Backup(entries=entries, **said)


def folder_of(given: Path, backup: Backup) -> Path:
    """Folder of ``backup``, given itself or the folder that holds backups."""
    return given if (given / MANIFEST).is_file() else given / backup.name


def verify(folder: Path) -> list[str]:
    """Files of a backup that are missing or differ from the manifest; empty when it is whole."""
    return _damaged(folder, read(folder).entries, linked_too=True)


def _damaged(folder: Path, entries: tuple[Entry, ...], *, linked_too: bool) -> list[str]:
    wrong = []
    for entry in entries:
        path = folder / "files" / entry.path
        there = path.is_file() and path.stat().st_size == entry.bytes
        looked_at = there and (linked_too or path.stat().st_nlink == 1)
        if not there or (looked_at and sha256_of(path) != entry.sha256):
            wrong.append(entry.path)
    return wrong


# --- putting back ---------------------------------------------------------------------------------


def restore(
    source: Path, home: Path, now: datetime, *, keep_outbox: bool = False, by: str = "parkwatch"
) -> Restored:
    """Put a backup back into the new or empty folder ``home``; nothing it holds is sent.

    Messages that were waiting or under way become ``unknown`` (a person decides), unless
    ``keep_outbox``: after the backup they may have left. So may editions that were approved and not
    sent: they go back to review. Raises BackupError when the folder is
    in use, a file is damaged, or the published data are not those of the backup.
    """
    backup = read(source)
    folder = folder_of(source, backup)
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise BackupError(f"{home} 不是空目录:请恢复到新目录,核对无误后再替换")
    making = home.with_name(f".{home.name}.restoring")
    shutil.rmtree(making, ignore_errors=True)
    try:
        for entry in backup.entries:
            copied = _copy(folder / "files", making, entry.path)
            if copied.sha256 != entry.sha256:
                raise BackupError(f"备份中的 {entry.path} 已损坏(校验值不符):请改用另一份备份")
            if entry.modified_ns:  # receipts know deliveries by it
                os.utime(making / entry.path, ns=(entry.modified_ns, entry.modified_ns))
            (making / entry.path).chmod(entry.mode)
        _check_published(making)
        said = Restored(len(backup.entries), backup.build)
        if (making / LEDGER).exists():
            _settle_ledger(making, backup, now, said, keep_outbox=keep_outbox, by=by)
        if home.exists():
            home.rmdir()
        home.parent.mkdir(parents=True, exist_ok=True)
        making.rename(home)
        sync(home.parent)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return said


def _check_published(home: Path) -> None:
    """The restored warehouse holds, table by table, what its digests say."""
    from warehouse.partitions import disagreements
    from warehouse.store import connect

    path = home / "warehouse.duckdb"
    if not path.exists():
        return
    connection = connect(path, read_only=True)
    try:
        wrong = disagreements(connection)
    finally:
        connection.close()
    if wrong:
        raise BackupError(f"恢复的数据与其摘要不符:{'、'.join(wrong[:5])};请改用另一份备份")


def _settle_ledger(
    home: Path, backup: Backup, now: datetime, said: Restored, *, keep_outbox: bool, by: str
) -> None:
    ledger = home / LEDGER
    connection = open_ledger(ledger, audit.SCHEMA)
    try:
        said.faults = [fault.message for fault in audit.verify(audit.entries(connection), ledger)]
        connection.execute("BEGIN IMMEDIATE")
        if not keep_outbox and _has_mail(connection):
            reason = f"自备份 {backup.name} 恢复:不再自动发送"
            # not "suppressed": that is planned anew when its edition is sent again
            said.unknown = connection.execute(
                "UPDATE mail SET state = 'unknown', last_reply = ? "
                "WHERE state IN ('planned', 'deferred', 'sending', 'dot')", (reason,),
            ).rowcount  # fmt: skip
        if not keep_outbox:
            said.reviewed = releases.after_restore(connection, now.isoformat(timespec="seconds"))
        detail: dict[str, Any] = {"unknown": said.unknown, "reviewed": said.reviewed}
        entry = audit.append(
            connection, at=now.isoformat(timespec="seconds"), actor=by, action="restore",
            subject=backup.name, detail=detail,
        )  # fmt: skip
        connection.execute("COMMIT")
    finally:
        connection.close()
    audit.anchor(ledger, entry)


def _has_mail(connection: sqlite3.Connection) -> bool:
    found = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'mail'"
    ).fetchone()
    return bool(found[0])
