"""What a workspace keeps, read whole and compared with its own checksums (全面核对).

Belongs here: finding files, rows and records that are no longer what was written: originals, partitions
and manifests of kept builds, published tables, documents, the ledger, kept catalogues. Does not belong
here: damage to a backup (``backup``), what a quick look notices (``doctor``), mending.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from warehouse import audit, builds, partitions, seals, store, versions
from warehouse.files import sha256_of
from warehouse.workspace import Workspace

Progress = Callable[[str, int, int], None]
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not what was written: what it is, where, what is wrong, how to mend it."""

    kind: str
    where: str
    problem: str
    remedy: str


@dataclass(slots=True)
class Examined:
    """How many things of each kind were compared, and what was wrong."""

    counts: dict[str, int] = field(default_factory=dict)
    damages: list[Damage] = field(default_factory=list)


def examine(workspace: Workspace, progress: Progress = lambda *_: None) -> Examined:
    """Compare everything the workspace keeps with its checksums; one damage never hides another.

    Reads every byte once: for a year of a province seconds, for a large archive as long as the disk
    needs. Runs may go on beside it.
    """
    said = Examined()
    kept = builds.manifests(workspace)
    for kind, look in (
        ("归档原件", _originals(workspace)),
        ("历次构建清单", _manifests(workspace)),
        ("历次数据分区", _partitions(workspace, kept)),
        ("已发布数据表", _published(workspace, kept)),
        ("通报文件", _documents(workspace, kept)),
        ("政策目录存档", _catalogues(workspace)),
        ("台账与审计日志", _ledger(workspace)),
    ):
        said.counts[kind] = 0
        for where, problem, remedy in look:
            said.counts[kind] += 1
            progress(kind, said.counts[kind], 0)
            if problem:
                said.damages.append(Damage(kind, where, problem, remedy))
    return said


_Look = Iterator[tuple[str, str, str]]
"""Things looked at: where, what is wrong (empty when nothing is), how to mend it."""


def _originals(workspace: Workspace) -> _Look:
    """Every original is named by its content, and every receipt has its original."""
    remedy = "从备份恢复该文件;缺少原件的数字无法追溯到单元格"
    there = set()
    for path in sorted(p for p in workspace.archive.rglob("*") if _SHA256.fullmatch(p.stem)):
        there.add(path.stem)
        problem = "" if sha256_of(path) == path.stem else "内容与校验值不符"
        yield _name(path, workspace), problem, remedy
    for digest in sorted(_received(workspace) - there):
        yield f"archive/{digest[:2]}/{digest}", "台账中有此件,归档中没有", remedy


def _received(workspace: Workspace) -> set[str]:
    with contextlib.suppress(sqlite3.DatabaseError), _ledger_file(workspace) as connection:
        return {row[0] for row in connection.execute("SELECT DISTINCT sha256 FROM receipt")}
    return set()  # a ledger that cannot be read is told in its own place


def _manifests(workspace: Workspace) -> _Look:
    """A build's name and digest follow from the digests of its tables."""
    for path in builds.manifest_files(workspace):
        problem = ""
        try:
            builds.read(path)
        except builds.DamagedManifestError as error:
            problem = str(error)
        yield _name(path, workspace), problem, "从备份恢复该清单(恢复之前不清理任何历次数据)"


def _partitions(workspace: Workspace, kept: list[builds.Manifest]) -> _Look:
    """Every partition a kept build lists holds the rows its name says."""
    remedy = "从备份恢复该文件;现行数据的分区也可删去后由 parkwatch run 重新写出"
    wanted = {
        builds.part_file(workspace, name, part, content.digest): (name, content)
        for manifest in kept
        for name in manifest.tables
        for part, content in manifest.parts(name).items()
    }
    if not wanted:
        return
    with contextlib.closing(store.connect(Path(":memory:"))) as connection:
        for path, (name, content) in sorted(wanted.items()):
            yield _name(path, workspace), _partition(connection, name, path, content), remedy


def _partition(
    connection: duckdb.DuckDBPyConnection, name: str, path: Path, content: partitions.Part
) -> str:
    if not path.is_file():
        return "缺失"
    try:
        same = partitions.of_file(connection, name, path) == content
        return "" if same else "行与摘要不符"
    except (duckdb.Error, ValueError) as error:
        return f"无法读取:{_first_line(error)}"


def _published(workspace: Workspace, kept: list[builds.Manifest]) -> _Look:
    """Every published table holds the rows its digest says, which is that of the kept build, and every
    table behind them can be read."""
    remedy = "重新运行 parkwatch run 重建,或从备份恢复 warehouse.duckdb"
    path = workspace.warehouse_file
    if not path.exists():
        return
    try:
        with contextlib.closing(store.connect(path, read_only=True)) as connection:
            published = builds.published_number(connection)
            recorded = partitions.recorded(connection)
            there = partitions.columns_there(connection)
            manifest = next((m for m in kept if (m.number, m.digest) == published), None)
            for name, parts in recorded.items():
                columns = there.get(name)
                yield name, _table(connection, name, columns, parts, manifest), remedy
            for name in _without_digest(connection, recorded):
                yield name, _readable(connection, name), remedy
    except duckdb.Error as error:
        yield _name(path, workspace), f"无法读取:{_first_line(error)}", remedy


def _table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: set[str] | None,
    parts: Mapping[str, partitions.Part],
    manifest: builds.Manifest | None,
) -> str:
    if columns is None:  # the file is of an earlier version, which did not have the table
        return "" if not parts else "缺失"
    try:
        now = partitions.of_parts(connection, name, there=columns)
    except duckdb.Error as error:
        return f"无法读取:{_first_line(error)}"
    if now != partitions.total(parts):
        return "行与记录的摘要不符"
    if manifest is not None and now != partitions.total(manifest.parts(name)):
        return "行与所存构建的摘要不符"
    return ""


def _without_digest(
    connection: duckdb.DuckDBPyConnection, recorded: Mapping[str, object]
) -> list[str]:
    """Tables behind the published ones and the digests themselves: kept by DuckDB's checksums."""
    rows = connection.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows if row[0] not in recorded]


def _readable(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    try:
        connection.execute(f"SELECT sum(hash(t)) FROM {name} AS t").fetchone()
    except duckdb.Error as error:
        return f"无法读取:{_first_line(error)}"
    return ""


def _documents(workspace: Workspace, kept: list[builds.Manifest]) -> _Look:
    """Every document of every edition of the kept builds has the bytes it was made with."""
    editions: dict[str, Mapping[str, str]] = {}
    for manifest in kept:  # the newest build says what lies in a folder now
        for edition in manifest.editions:
            editions[edition["folder"]] = json.loads(edition["documents"])
    for folder, documents in sorted(editions.items()):
        for name, digest in sorted(documents.items()):
            path = workspace.home / folder / name
            problem = "缺失" if not path.is_file() else ""
            if not problem and sha256_of(path) != digest:
                problem = "内容与校验值不符"
            yield f"{folder}/{name}", problem, "用 parkwatch rebuild 逐字节重做该期,或从备份恢复"


def _catalogues(workspace: Workspace) -> _Look:
    """Every kept catalogue still has the rules its name says."""
    for digest, folder in versions.kept(workspace).items():
        problem = ""
        try:
            if versions.load(workspace, folder).digest != digest:
                problem = "规则与摘要不符"
        except (OSError, ValueError) as error:
            problem = f"无法读取:{_first_line(error)}"
        yield _name(folder, workspace), problem, "从备份恢复该目录;旧版通报须用它重做"
        for path in sorted(folder.glob("settings-*.toml")):
            same = sha256_of(path)[:16] == path.stem.removeprefix("settings-")
            yield _name(path, workspace), "" if same else "内容与校验值不符", "从备份恢复该文件"


def _ledger(workspace: Workspace) -> _Look:
    """The ledger's file is sound, the rows of its tables are those written, and its audit log is whole."""
    path = workspace.state_file
    if not path.exists():
        return
    remedy = "保全现场,从备份恢复 state.sqlite"
    try:
        with _ledger_file(workspace) as connection:
            verdict = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            yield _name(path, workspace), "" if verdict == ["ok"] else str(verdict[0]), remedy
            faults = audit.verify(audit.entries(connection), path)
            for table, problem in seals.broken(connection):
                yield f"台账表 {table}", problem, remedy
    except sqlite3.DatabaseError as error:
        yield _name(path, workspace), f"无法读取:{_first_line(error)}", remedy
        return
    yield "审计日志", ";".join(fault.message for fault in faults[:3]), remedy


@contextlib.contextmanager
def _ledger_file(workspace: Workspace) -> Iterator[Any]:
    uri = f"file:{workspace.state_file}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def _name(path: Path, workspace: Workspace) -> str:
    return path.relative_to(workspace.home).as_posix()


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
