"""Readers at work while one publication follows another: does anyone ever meet half of one?

    python -m bench.torture.readers [--publications 100] [--readers 8]

Two builds of a small bureau are made ready. A writer publishes them in turn, by ``Warehouse.publish``;
meanwhile every reader opens what is published and computes the digest of every table from its rows:
they must be one build's. Then it opens the edition's folder, which must be there, and reads every file
in it: files must be one build's. A reader may find that the folder it opened has been replaced meanwhile
and is being removed (files are missing, those found are one build's): it looks again, and is counted.

The control is the same readers beside a writer that copies in place, file after file: they must
meet mixtures of tables and of documents, or the campaign is worth nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.torture.phases import Ground, forked, prepared, spent
from bench.torture.runs import PERIOD, look
from warehouse.workspace import Bureau, Workspace

MANIFEST = "manifest.json"
PAUSE = 0.02
"""Seconds between two publications."""
PIECE = 1 << 16
PATIENCE = 300.0
"""Seconds a reader goes on at most, should the writer die."""


def workspace_of(home: Path) -> Workspace:
    """The workspace as the store knows it."""
    return Workspace(home=home, bureau=Bureau(name="", region_code=""))


def made_ready(ground: Ground) -> list[Path]:
    """The workspace of the old build and that of the new one, each with what it published made ready to
    be published again."""
    new = ground.copy(ground.begins["publish"], "new made ready")
    if ground.run(new, "publish")[0]:
        raise RuntimeError("the build made ready cannot be published")
    ready = [ground.copy(ground.folder / "start", "old made ready"), new]
    for workspace in map(workspace_of, ready):
        shutil.copyfile(workspace.warehouse_file, workspace.work_file)
        shutil.copytree(workspace.home / "reports", workspace.making / "reports")
    return ready


# --- writers --------------------------------------------------------------------------------------


def publish(workspace: Workspace, build: Workspace) -> None:
    """One publication as the program makes it."""
    from warehouse.store import Warehouse

    warehouse = Warehouse(workspace)
    with warehouse.writer_lock():
        shutil.rmtree(workspace.making, ignore_errors=True)
        shutil.copytree(build.making, workspace.making)
        shutil.copyfile(build.work_file, workspace.work_file)
        warehouse.publish()


def copy_in_place(workspace: Workspace, build: Workspace) -> None:
    """The control: the warehouse piece by piece, then the documents one after the other."""
    with build.work_file.open("rb") as new, workspace.warehouse_file.open("r+b") as old:
        while piece := new.read(PIECE):
            old.write(piece)
        old.truncate()
    for path in sorted((build.making / "reports").rglob("*")):
        if path.is_file():
            shutil.copyfile(path, workspace.home / path.relative_to(build.making))


def in_turn(home: Path, ready: list[Path], publications: int, write: Callable[..., None]) -> int:
    """The writer: each build in turn."""
    for number in range(publications):
        write(workspace_of(home), workspace_of(ready[(number + 1) % 2]))
        time.sleep(PAUSE)
    return publications


# --- readers --------------------------------------------------------------------------------------


def tables(home: Path, known: list[str]) -> str:
    """What a reader makes of the tables."""
    from warehouse import partitions
    from warehouse.store import Warehouse

    try:
        with Warehouse(workspace_of(home)).reading() as connection:
            there = {n: partitions.total(p) for n, p in partitions.recorded(connection).items()}
            now = {name: partitions.of_parts(connection, name) for name in there}
    except Exception as error:
        return f"TABLES UNREADABLE: {type(error).__name__}"
    said = hashlib.sha256(repr(sorted(now.items())).encode()).hexdigest()
    return "tables: one build's" if now == there and said in known else "TABLES MIXED"


def documents(folder: Path) -> dict[str, str]:
    """Digest of every file of an edition's folder, read from the folder as it was opened."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    found = {}
    try:
        for name in sorted(entry.name for entry in os.scandir(handle)):
            with contextlib.suppress(FileNotFoundError):
                file = os.open(name, os.O_RDONLY, dir_fd=handle)
                with os.fdopen(file, "rb") as opened:
                    found[name] = hashlib.file_digest(opened, "sha256").hexdigest()
    finally:
        os.close(handle)
    return found


def edition(folder: Path, known: list[dict[str, str]]) -> str:
    """What a reader makes of the documents."""
    try:
        found = documents(folder)
    except FileNotFoundError:
        return "FOLDER MISSING"
    if found in known:
        return "documents: one build's"
    if any(found.items() <= one.items() for one in known):
        return "documents: replaced meanwhile, being removed; look again"
    return "DOCUMENTS MIXED"


def read_on(home: Path, known: dict[str, Any], until: Path) -> Counter[str]:
    """A reader until the writer is done: how often it saw what."""
    seen: Counter[str] = Counter()
    ends = time.monotonic() + PATIENCE
    while not until.exists() and time.monotonic() < ends:
        seen[tables(home, known["tables"])] += 1
        for _ in range(20):
            seen[edition(home / known["folder"], known["documents"])] += 1
    return seen


# --- the campaign ---------------------------------------------------------------------------------


def known_of(ready: list[Path]) -> dict[str, Any]:
    """What readers may see: tables and documents of each build. RuntimeError when nothing differs."""
    folders = [next(p.parent for p in (h / "reports").rglob(MANIFEST)) for h in ready]
    known = {
        "tables": [forked(lambda h=h: look(h).tables)[1] for h in ready],
        "documents": [documents(folder) for folder in folders],
        "folder": folders[0].relative_to(ready[0]).as_posix(),
    }
    if any(one == other for one, other in (known["tables"], known["documents"])):
        raise RuntimeError("the builds do not differ: nothing could be mixed")
    return known


def campaign(
    ground: Ground, ready: list[Path], told: argparse.Namespace, write: Callable[..., None]
) -> Counter[str]:
    """Readers and a writer at once; what all readers saw."""
    home, until = ground.copy(ground.folder / "start", "home"), ground.folder / "done"
    until.unlink(missing_ok=True)
    known = known_of(ready)
    answers = [ground.folder / f"reader {n}" for n in range(told.readers)]
    pids = []
    for answer in answers:
        answer.unlink(missing_ok=True)
        if (pid := os.fork()) == 0:
            with contextlib.suppress(BaseException):
                answer.write_text(json.dumps(read_on(home, known, until)))
            os._exit(0)
        pids.append(pid)
    try:
        code, done = forked(lambda: in_turn(home, ready, told.publications, write))
    finally:
        until.touch()
        for pid in pids:
            os.waitpid(pid, 0)
    if code or done != told.publications:
        raise RuntimeError(f"the writer ended with {code}")
    seen: Counter[str] = Counter()
    for answer in answers:
        seen.update(json.loads(answer.read_text()) if answer.exists() else {"READER FAILED": 1})
    return seen


def broken(seen: Counter[str]) -> list[str]:
    """What no reader may ever see."""
    return [what for what in seen if what.split(":")[0].isupper()]


def main() -> int:
    """Command line; exit code 1 when a reader met a mixture or a missing folder, or the control none."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--publications", type=int, default=100)
    parser.add_argument("--readers", type=int, default=8)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parkwatch-readers-") as name:
        ground = prepared(Path(name))
        ready = made_ready(ground)
        both = [campaign(ground, ready, told, write) for write in (publish, copy_in_place)]
    words = f"{told.publications} publications, {told.readers} readers, period {PERIOD}"
    print(f"{words}, {spent():.0f} CPU s")
    for title, seen in zip(("published", "control, copied in place"), both, strict=True):
        for what, times in sorted(seen.items()):
            print(f"{title}: {times:7} {what}")
    control = " ".join(broken(both[1]))
    caught = "DOCUMENTS MIXED" in control and "TABLES" in control
    print("control: caught" if caught else "control: NOT CAUGHT")
    return 1 if broken(both[0]) or not caught else 0


if __name__ == "__main__":
    sys.exit(main())
