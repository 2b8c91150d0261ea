"""Whole workspaces for tests: made with the product's own commands, run in processes of their own.

Belongs here: making workspaces and running commands. Does not belong here: sample data.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARKWATCH = Path(sys.executable).with_name("parkwatch")


def parkwatch(
    *words: str | Path, seconds: float = 600, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would; output is captured, nothing is raised."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PARKWATCH_", "DAGSTER_"))}
    return subprocess.run(
        [str(PARKWATCH), *map(str, words)],
        capture_output=True,
        text=True,
        env=clean | environment,
        timeout=seconds,
        cwd=environment.get("PWD", ROOT),
    )


def query(home: Path, sql: str) -> list[dict]:
    """Rows of the published warehouse, through the command."""
    told = parkwatch("query", sql, "--home", home, "--json")
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def small_shaanxi(
    home: Path, first: str, through: str, audiences: Sequence[str] = ("main",)
) -> Path:
    """A shaanxi workspace with the simulated returns of a few periods only."""
    shutil.copytree(ROOT / "examples" / "shaanxi", home)
    with (home / "parkwatch.toml").open("a", encoding="utf-8") as settings:
        settings.write(f"\n[bulletin]\naudiences = {json.dumps(audiences)}\n")
    for name in ("inbox", "archive", "quality", "reports", "dagster"):
        (home / name).mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, str(ROOT / "examples" / "sample_returns.py"), "--example", "shaanxi",
         "--to", str(home / "inbox"), "--from", first, "--through", through],
        check=True, capture_output=True,
    )  # fmt: skip
    return home


SHARED_FIRST, SHARED_LAST = "2019-12", "2020-03"


def ran_shaanxi(factory: pytest.TempPathFactory, to: str) -> Path:
    """A copy, under the name ``to``, of one small workspace run through ``SHARED_LAST``.

    The run is made once for all test processes (half a minute each); one of its files is unreadable.
    What the command said stands in ``first-run.txt``.
    """
    common = factory.getbasetemp()
    common = common.parent if common.name.startswith("popen-") else common
    with (common / "ran-shaanxi.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = common / "ran-shaanxi"
        if not (made / "first-run.txt").exists():
            small_shaanxi(made, SHARED_FIRST, SHARED_LAST)
            (made / "inbox" / "notes.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
            told = parkwatch("run", "--home", made, "--period", SHARED_LAST)
            assert told.returncode == 3, told.stdout + told.stderr
            (made / "first-run.txt").write_text(told.stdout + told.stderr, encoding="utf-8")
    folder = factory.mktemp(to) / "shaanxi"
    shutil.copytree(made, folder, symlinks=True)
    return folder
