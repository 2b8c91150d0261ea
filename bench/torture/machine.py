"""Trouble with the machine: disks that fill up, folders that cannot be written, clocks and zones.

Belongs here: the campaign and its checks. Does not belong here: what it exercises. Needs root (it mounts
small tmpfs file systems below a temporary folder) and prints one line a case; ends with 1 when a promise
is broken.

    python -m bench.torture.machine [--sizes 50] [--part disk|folders|clock|all]

``disk``: the workspace lies on a disk with a little room, from almost none to almost enough, so that it
fills up in every phase of a run. After each failure a reader sees the old build or the new one; with room
made, the same command ends in the new one. ``folders``: one folder after the other is read-only.
``clock``: the run under other zones and clocks, one that jumps while it works: the same bytes.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.torture.runs import PERIOD, Torture, county_start, look
from bench.torture.spent import counted
from tests.support.workspaces import parkwatch

FOLDERS = ("archive", "lake", "published", "quality", "reports", "dagster", "catalog-versions", ".")
MIB, PATIENCE = 2**20, 3600.0
RAW = re.compile(r"\b(OSError|\w+Exception|OperationalError|PermissionError)\b")
"""Names of errors of the system and of libraries: no words to a person."""


def run(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command on ``home``, the monthly run when none is named."""
    command = words or ("run", "--period", PERIOD)
    return parkwatch(*command, "--home", home, seconds=PATIENCE, **environment)


def last_words(told: subprocess.CompletedProcess[str]) -> str:
    """What a person reads last; a traceback is no word to a person."""
    if "Traceback" in told.stderr:
        return "TRACEBACK " + told.stderr.strip().splitlines()[-1][:160]
    lines = [line for line in told.stderr.splitlines() if line.startswith("错误")]
    said = (lines[-1] if lines else told.stderr.strip()[-160:])[:240]
    return said if lines and not RAW.search(said) else f"RAW {said}"


# --- disk -----------------------------------------------------------------------------------------


@contextmanager
def disk(folder: Path, megabytes: float) -> Iterator[Path]:
    """A file system of its own, so large."""
    folder.mkdir(exist_ok=True)
    size = f"size={int(megabytes * MIB)}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def size_of(home: Path) -> float:
    """Room a workspace takes, in MiB."""
    said = subprocess.run(["du", "-sk", str(home)], capture_output=True, text=True, check=True)
    return int(said.stdout.split()[0]) / 1024


def full_disk(torture: Torture, folder: Path, room: float) -> dict[str, object]:
    """A run with ``room`` MiB to spare."""
    with disk(folder / "disk", size_of(torture.start) + room) as place:
        home = place / "home"
        shutil.copytree(torture.start, home, symlinks=True)
        told = run(home)
        seen = look(home)
        left = {torture.old: "old", torture.new: "new"}.get(seen, "MIXED")
        subprocess.run(["mount", "-o", "remount,size=400m", str(place)], check=True)
        again = run(home).returncode
        mended = again in (0, 3) and look(home) == torture.new
    return {"room": round(room, 2), "exit": told.returncode, "left": left, "mended": mended,
            "said": "" if told.returncode in (0, 3) else last_words(told)}  # fmt: skip


def disks(torture: Torture, folder: Path, count: int) -> bool:
    """Rooms from almost none to what a calm run needs."""
    with disk(folder / "disk", 400) as place:
        home = place / "home"
        shutil.copytree(torture.start, home, symlinks=True)
        before, most, ended = size_of(place), [0.0], threading.Event()

        def measure() -> None:
            while not ended.wait(0.05):
                most[0] = max(most[0], shutil.disk_usage(place).used / MIB)

        watcher = threading.Thread(target=measure)
        watcher.start()
        run(home)
        ended.set()
        watcher.join()
    needed = most[0] - before
    print(f"a calm run needs {needed:.1f} MiB at its peak", flush=True)
    found = []
    for number in range(count):
        said = full_disk(torture, folder, 0.05 + needed * number / count)
        found.append(said)
        print(json.dumps(said, ensure_ascii=False), flush=True)
    bad = [s for s in found if s["left"] == "MIXED" or not s["mended"]
           or str(s["said"]).startswith(("TRACE", "RAW"))]  # fmt: skip
    states = Counter((s["exit"], s["left"]) for s in found)
    print(f"disk full at {count} sizes: {dict(states)}; {len(bad)} bad", flush=True)
    return not bad


# --- folders --------------------------------------------------------------------------------------


def folders(torture: Torture, folder: Path) -> bool:
    """Each folder read-only: the run fails in plain words, doctor says which, nothing is half done."""
    good = True
    for name in FOLDERS:
        home = folder / "read-only"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(torture.start, home, symlinks=True)
        place = home / name
        if not place.is_dir():
            print(f"read-only {name}: not there, not tried", flush=True)
            continue
        subprocess.run(["mount", "--bind", str(place), str(place)], check=True)
        try:
            subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
            told, left = run(home), look(home)
            doctor = run(home, "doctor", "--json")
        finally:
            subprocess.run(["umount", "-l", str(place)], check=True)
        state = {torture.old: "old", torture.new: "new"}.get(left, "MIXED")
        failed = told.returncode not in (0, 3)
        named = any(not d["ok"] and str(place.resolve()) in d["found"]
                    for d in json.loads(doctor.stdout or "[]"))  # fmt: skip
        mended = run(home).returncode in (0, 3) and look(home) == torture.new
        fine = (
            mended
            and state != "MIXED"
            and not (failed and last_words(told).startswith(("TRACE", "RAW")))
            and (named or not failed)
        )
        good &= fine
        words = [f"exit {told.returncode}", f"left {state}"]
        words += [f"doctor {'says so' if named else 'silent'}"]
        words += [f"afterwards {'mended' if mended else 'NOT mended'}"]
        words += [last_words(told)] if failed else []
        words += [] if fine else ["BAD"]
        print(f"read-only {name}: {', '.join(words)}", flush=True)
    return good


# --- clock ----------------------------------------------------------------------------------------


def clocks(torture: Torture, folder: Path) -> bool:
    """Zones and clocks that are wrong change no byte of tables and documents."""
    now = datetime.now(UTC)
    cases: dict[str, dict[str, str]] = {
        zone: {"TZ": zone} for zone in ("UTC", "Asia/Shanghai", "America/New_York")
    }
    for name, shift in (("+1 d", 24), ("-1 d", -24), ("-8 h", -8), ("jumps while it runs", 0)):
        file = folder / f"clock {shift}"
        file.write_text((now + timedelta(hours=shift)).isoformat(), "ascii")
        cases[name] = {"PARKWATCH_CLOCK_FILE": str(file)}
    good = True
    for name, environment in cases.items():
        home = folder / "clock-home"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(torture.start, home, symlinks=True)
        jump = threading.Timer(torture.spent / 2, _jump, [folder / "clock 0", now])
        if name.startswith("jumps"):
            jump.start()
        code = run(home, **environment).returncode
        jump.cancel()
        same = look(home) == torture.new
        good &= same and code in (0, 3)
        print(f"clock {name}: exit {code}, {'the same bytes' if same else 'DIFFERENT'}", flush=True)
    return good


def _jump(file: Path, now: datetime) -> None:
    file.write_text((now - timedelta(days=2)).isoformat(), "ascii")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, default=50)
    parser.add_argument("--part", default="all", choices=["all", "disk", "folders", "clock"])
    said = parser.parse_args()
    good, began = [], time.monotonic()
    with counted() as spent, tempfile.TemporaryDirectory(prefix="parkwatch-machine-") as name:
        torture = Torture(Path(name), county_start(Path(name)))
        if said.part in ("all", "disk"):
            good.append(disks(torture, Path(name), said.sizes))
        if said.part in ("all", "folders"):
            good.append(folders(torture, Path(name)))
        if said.part in ("all", "clock"):
            good.append(clocks(torture, Path(name)))
    print(f"{time.monotonic() - began:.0f} s, CPU {spent[0]:.0f} s", flush=True)
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
