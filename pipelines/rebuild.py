"""An old edition made again: its archive, catalogue, settings and decisions, in a folder of its own.

Belongs here: preparing that folder, running the monthly job in it, comparing what came out. Does not
belong here: keeping builds and catalogues (``warehouse.builds``, ``warehouse.versions``).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.cli.workspace import UsageError
from warehouse import builds, seals, versions
from warehouse.builds import Manifest
from warehouse.store import FAR_FUTURE
from warehouse.workspace import Workspace

FACTS = ("submissions.cell", "observations.observation", "indicators.park_month")
"""Compared in every period; tables of results are compared in the edition's period."""
_RESULTS = ("indicators.park_year", "indicators.area_year", "targets.verdict", "assessment.score",
            "assessment.score_detail", "assessment.watch", "bulletins.figure")  # fmt: skip


@dataclass(slots=True)
class Rebuilt:
    """How the edition made again compares: partitions and documents, byte for byte."""

    number: int
    digest: str
    n_same: int = 0
    different: list[str] = field(default_factory=list)
    documents: dict[str, bool] = field(default_factory=dict)

    @property
    def is_same(self) -> bool:
        """Whether every partition and every document is the same."""
        return not self.different and bool(self.documents) and all(self.documents.values())

    def plain(self) -> dict[str, Any]:
        """As plain data, for ``--json``."""
        return {"build": self.number, "digest": self.digest, "same": self.is_same,
                "n_same": self.n_same, "different": self.different, "documents": self.documents}  # fmt: skip


def rebuild_edition(workspace: Workspace, period: str, edition: int) -> Rebuilt:
    """Make ``edition`` of ``period`` again and compare.

    Raises UsageError when no kept build holds the edition, or its catalogue is not kept any more.
    """
    manifest, rows = _origin(workspace, period, edition)
    version = versions.kept(workspace).get(manifest.catalogue_digest)
    if version is None:
        raise UsageError(f"没有保存政策目录 {manifest.catalogue_digest[:12]},无法重做")
    found = Rebuilt(manifest.number, manifest.digest)
    with tempfile.TemporaryDirectory(prefix="parkwatch-rebuild-") as folder:
        home = Path(folder) / "home"
        _prepare(workspace, manifest, version, home, period, edition)
        again = Workspace(home=home, bureau=workspace.bureau)
        builds.carry_over(workspace, manifest, period, again.warehouse_file)
        _run(home, version / "shipped", period, manifest.asof)
        _compare_tables(manifest, builds.manifests(again)[-1], period, found)
        for row in rows:
            for name, sha256 in json.loads(row["documents"]).items():
                path = home / row["folder"] / name
                same = path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256
                found.documents[f"{row['audience_id']}/{name}"] = same
    return found


def _origin(
    workspace: Workspace, period: str, edition: int
) -> tuple[Manifest, list[dict[str, Any]]]:
    """The first kept build of the run that made the edition as it is now, and the edition's rows,
    one an audience."""
    chosen: tuple[Manifest, list[dict[str, Any]]] | None = None
    for manifest in reversed(builds.manifests(workspace)):
        rows = [r for r in manifest.editions if (r["period"], r["edition"]) == (period, edition)]
        if not rows or manifest.period != period:
            continue
        if chosen is None or _papers(rows) == _papers(chosen[1]):
            chosen = (manifest, rows)
    if chosen is None:
        known = sorted({f"{r['period']} 第{r['edition']}版" for m in builds.manifests(workspace)
                        for r in m.editions})  # fmt: skip
        raise UsageError(f"没有保存 {period} 第{edition}版的构建;现有:{'、'.join(known) or '无'}")
    return chosen


def _papers(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Documents by audience."""
    return {row["audience_id"]: row["documents"] for row in rows}


def _prepare(
    workspace: Workspace, manifest: Manifest, version: Path, home: Path, period: str, edition: int
) -> None:
    """A workspace with the catalogue, settings, receipts and decisions of then."""
    home.mkdir()
    for name in ("inbox", "quality", "reports", "dagster"):
        (home / name).mkdir()
    settings = versions.settings_file(version, manifest.settings_digest)
    shutil.copyfile(settings, home / versions.SETTINGS)
    shutil.copytree(version / "catalog", home / "catalog")
    (home / "archive").symlink_to(workspace.archive)
    with (
        closing(sqlite3.connect(f"file:{workspace.state_file}?mode=ro", uri=True)) as now,
        closing(sqlite3.connect(home / "state.sqlite")) as then,
    ):
        now.backup(then)
        seals.attach(then)
        with builds.opened(workspace, manifest) as old:
            known = old.execute("SELECT submission_id FROM submissions.submission").fetchall()
        then.execute("CREATE TEMP TABLE known (sha256 TEXT PRIMARY KEY)")
        then.executemany("INSERT INTO known VALUES (?)", known)
        then.execute("DELETE FROM receipt WHERE sha256 NOT IN (SELECT sha256 FROM known)")
        then.execute(
            "DELETE FROM decision WHERE replace(substr(decided_at, 1, 19), 'T', ' ') > ?",
            (manifest.built_at,),
        )
        for table in ("outcome", "expected", "run"):
            then.execute(f"DELETE FROM {table}")
        _reopen(then, period, edition)
        then.commit()


def _reopen(then: sqlite3.Connection, period: str, edition: int) -> None:
    """Make the edition a draft again in the copied ledger: a frozen one would not be written."""
    if then.execute("SELECT 1 FROM sqlite_master WHERE name = 'release'").fetchone():
        then.execute("DELETE FROM release WHERE period = ? AND edition > ?", (period, edition))
        then.execute(
            "UPDATE release SET status = 'draft' WHERE period = ? AND edition = ?",
            (period, edition),
        )


def _run(home: Path, shipped: Path, period: str, asof: str) -> None:
    """The monthly job in a process of its own, with the kept catalogue as the shipped one."""
    entry = "from pipelines.cli.main import main; main()"
    words = [sys.executable, "-c", entry, "run", "--period", period, "--home", str(home)]
    if asof != FAR_FUTURE:
        words += ["--asof", asof + "+00:00"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PARKWATCH_", "DAGSTER_"))}
    done = subprocess.run(
        words,
        env=clean | {"PARKWATCH_SHIPPED_CATALOG": str(shipped)},
        capture_output=True,
        text=True,
    )
    if done.returncode not in (0, 3):
        raise UsageError(f"重做失败(退出码 {done.returncode}):\n{done.stderr[-2000:]}")


def _compare_tables(then: Manifest, now: Manifest, period: str, found: Rebuilt) -> None:
    for name in (*FACTS, *_RESULTS):
        old, new = then.parts(name), now.parts(name)
        parts = sorted(old.keys() | new.keys()) if name in FACTS else [period]
        for part in parts:
            if old.get(part) == new.get(part):
                found.n_same += part in old
            else:
                rows = [str(side[part].n_rows) if part in side else "无" for side in (old, new)]
                found.different.append(f"{name} {part}:原 {rows[0]} 行,重做 {rows[1]} 行")
