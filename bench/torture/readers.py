"""Readers at work while one publication follows another: does anyone ever take half of one for a whole?

    python -m bench.torture.readers [--publications 100] [--readers 8]

Two builds of a small bureau are made ready. A writer publishes them in turn, by ``Warehouse.publish``;
meanwhile every reader opens what is published and computes the digest of every table from its rows, then
reads every file of the edition's folder and compares each with the folder's manifest. Tables must be one
build's. A set of documents that fits its manifest must be one build's; a set that does not fit, or a
folder or file that is gone at that moment, tells the reader to look again, and is counted. The control
takes documents without asking the manifest: it must meet mixtures, or the readers were too slow.
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
from pathlib import Path
from typing import Any

from bench.torture.phases import Ground, forked, prepared, spent
from bench.torture.runs import PERIOD, look
from warehouse.workspace import Bureau, Workspace

MANIFEST = "manifest.json"
PAUSE = 0.02
"""Seconds between two publications."""


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


def publish_in_turn(home: Path, ready: list[Path], publications: int) -> int:
    """The writer: each build in turn."""
    from warehouse.store import Warehouse

    workspace = workspace_of(home)
    warehouse = Warehouse(workspace)
    for number in range(publications):
        build = workspace_of(ready[(number + 1) % 2])
        with warehouse.writer_lock():
            shutil.rmtree(workspace.making, ignore_errors=True)
            shutil.copytree(build.making, workspace.making)
            shutil.copyfile(build.work_file, workspace.work_file)
            warehouse.publish()
        time.sleep(PAUSE)
    return publications


def documents(folder: Path) -> dict[str, str]:
    """Digest of every file of an edition's folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def fits(folder: Path, found: dict[str, str]) -> bool:
    """Whether the documents are those the manifest read with them names."""
    data = (folder / MANIFEST).read_bytes()
    if hashlib.sha256(data).hexdigest() != found.get(MANIFEST):
        return False
    named = json.loads(json.loads(data)["documents"])
    return bool(all(found.get(name) == digest for name, digest in named.items()))


def read_on(home: Path, known: dict[str, Any], until: Path) -> dict[str, int]:
    """A reader until the writer is done: how often it saw what."""
    from warehouse import partitions
    from warehouse.store import Warehouse

    seen: Counter[str] = Counter()
    warehouse = Warehouse(workspace_of(home))
    folder = next(p.parent for p in sorted((known["folder"]).rglob(MANIFEST)))
    place = home / folder.relative_to(known["folder"])
    while not until.exists():
        with warehouse.reading() as connection:
            there = {
                name: partitions.total(p) for name, p in partitions.recorded(connection).items()
            }
            now = {name: partitions.of_parts(connection, name) for name in there}
        said = hashlib.sha256(repr(sorted(now.items())).encode()).hexdigest()
        seen[
            "tables one build" if now == there and said in known["tables"] else "TABLES MIXED"
        ] += 1
        for _ in range(5):
            try:
                found = documents(place)
                whole = fits(place, found)
            except FileNotFoundError:
                seen["documents: gone at that moment"] += 1
                continue
            one = found in known["documents"]
            seen["control: mixture taken"] += not one
            if whole:
                seen["documents one build" if one else "DOCUMENTS MIXED"] += 1
            else:
                seen["documents: not those of the manifest"] += 1
    return dict(seen)


def campaign(ground: Ground, publications: int, readers: int) -> Counter[str]:
    """Readers and the writer at once; what all readers saw."""
    ready = made_ready(ground)
    home, until = ground.copy(ground.folder / "start", "home"), ground.folder / "done"
    folders = [next(p.parent for p in (h / "reports").rglob(MANIFEST)) for h in ready]
    known = {
        "tables": [forked(lambda h=h: look(h).tables)[1] for h in ready],
        "documents": [documents(folder) for folder in folders],
        "folder": ready[0],
    }
    answers = [ground.folder / f"reader {n}" for n in range(readers)]
    pids = []
    for answer in answers:
        if (pid := os.fork()) == 0:
            with contextlib.suppress(BaseException):
                answer.write_text(json.dumps(read_on(home, known, until)))
            os._exit(0)
        pids.append(pid)
    try:
        code, done = forked(lambda: publish_in_turn(home, ready, publications))
    finally:
        until.touch()
        for pid in pids:
            os.waitpid(pid, 0)
    if code or done != publications:
        raise RuntimeError(f"the writer ended with {code}")
    seen: Counter[str] = Counter()
    for answer in answers:
        seen.update(json.loads(answer.read_text()) if answer.exists() else {"READER FAILED": 1})
    return seen


def main() -> int:
    """Command line; exit code 1 when a reader took a mixture for a build, or the control met none."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--publications", type=int, default=100)
    parser.add_argument("--readers", type=int, default=8)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parkwatch-readers-") as name:
        seen = campaign(prepared(Path(name)), told.publications, told.readers)
    print(
        f"{told.publications} publications, {told.readers} readers, period {PERIOD}, {spent():.0f} CPU s"
    )
    for what, times in sorted(seen.items()):
        print(f"{times:7} {what}")
    broken = any(
        what.isupper() or what.startswith(("TABLES", "DOCUMENTS", "READER")) for what in seen
    )
    return 1 if broken or not seen["control: mixture taken"] else 0


if __name__ == "__main__":
    sys.exit(main())
