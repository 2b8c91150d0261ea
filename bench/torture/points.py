"""A run stopped before every single call that changes a file, and in the middle of every write.

    python -m bench.torture.points [--every 40]

Needs a C compiler (``cc``). A small library is preloaded: it stops the process (SIGSTOP) before the k-th
write, sync, truncation, copy, rename, removal, creation of a file or folder of the workspace, for every k
of one whole run; a write is cut in two and the process stopped in between as well. Whoever does the call
(Python, DuckDB, SQLite) makes no difference. A process stopped there has left on disk what one killed
there leaves. Each time a reader must see the old build or the new one, and every receipt its original;
on every 40th of the states, and on that before each rename, the run is made again and must end as the
undisturbed one. Pages SQLite maps (``-shm``) are not counted: they are made anew.

The control publishes documents before tables: before some of its renames a mixture must be left. See
``phases`` for what is called.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import mmap
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.torture import stages
from bench.torture.phases import Ground, prepared, spent

SOURCE = Path(__file__).with_suffix(".c")


def preloaded() -> None:
    """Start this program again with the library in it, once."""
    if os.environ.get("LD_PRELOAD", "").endswith("points.so"):
        return
    folder = tempfile.mkdtemp(prefix="parkwatch-points-")
    library = Path(folder) / "points.so"
    flags = ["-shared", "-fPIC", "-O1", "-U_FORTIFY_SOURCE", "-o", str(library)]
    subprocess.run(["cc", *flags, str(SOURCE), "-ldl"], check=True)
    words = [sys.executable, "-m", "bench.torture.points", *sys.argv[1:]]
    code = subprocess.run(
        words, check=False, env=os.environ | {"LD_PRELOAD": str(library)}
    ).returncode
    shutil.rmtree(folder)
    raise SystemExit(code)


class Points:
    """Every point of a run, one after the other."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.shared = mmap.mmap(-1, 4096)

    def run(
        self, phase: str | None, wanted: Callable[[int, str], bool], change: Any = None
    ) -> list[dict[str, Any]]:
        """What is left at each point; the run is made again where ``wanted`` says so. A careless program
        is looked at before its renames only."""
        ground, found = self.ground, list[dict[str, Any]]()
        home = ground.copy(ground.begins[phase or stages.PHASES[0]], "at work")

        def arm() -> None:
            at = ctypes.addressof(ctypes.c_char.from_buffer(self.shared))
            ctypes.CDLL(None).points_arm(ctypes.c_void_p(at), str(home).encode())

        def look_at() -> None:
            call = self.shared[:].split(b"\0", 1)[0].decode(errors="replace")
            if change and not call.startswith("rename "):
                return
            said = {"call": call} | ground.verdict(home)
            if wanted(len(found), call):
                said["rerun"] = ground.made_again(ground.copy(home, "hurt"))
            found.append(said)
            if not change and not fine(said):
                print(json.dumps({"k": len(found)} | said, ensure_ascii=False), flush=True)

        code, _ = ground.run(home, phase, arm, change or (lambda: None), look_at)
        if code:
            raise RuntimeError(f"the run ended with {code}")
        return found


def fine(said: dict[str, Any]) -> bool:
    """Whether a point kept every promise."""
    return said["left"] in ("old", "new") and not said["lost"] and said.get("rerun", True)


def kind_of(call: str) -> tuple[str, str]:
    """The call and the file it is about, without numbers and digests."""
    what, _, where = call.rpartition(" ")
    return what, re.sub(r"[0-9a-f]{6,}|\d+", "*", where)


def main() -> int:
    """Command line; exit code 1 when a point was survived badly or the control passed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=40, help="points to one run made again")
    told = parser.parse_args()
    preloaded()
    with tempfile.TemporaryDirectory(prefix="parkwatch-points-") as name:
        points = Points(prepared(Path(name)))
        control = points.run("publish", lambda *_: False, stages.CARELESS["publish"])
        mixed = sum(one["left"] == "MIXED" for one in control)
        print(f"control: {mixed} mixtures at {len(control)} points", flush=True)
        found = points.run(None, lambda k, call: k % told.every == 0 or call.startswith("rename "))
        return report(found) or (not mixed)


def report(found: list[dict[str, Any]]) -> int:
    """Counts by call and by file; 1 when a promise was broken."""
    left: dict[str, Counter[str]] = defaultdict(Counter)
    for one in found:
        left[kind_of(one["call"])[0]][one["left"]] += 1
    for what, counts in sorted(left.items()):
        print(f"{what:14} {sum(counts.values()):5}  {dict(counts)}")
    again = [one["rerun"] for one in found if "rerun" in one]
    lost = sum(one["lost"] for one in found)
    kinds = len({kind_of(one["call"]) for one in found})
    print(
        f"{len(found)} points of {kinds} kinds, left {dict(Counter(one['left'] for one in found))}, "
        f"receipts lost {lost}; {len(again)} runs made again, {again.count(False)} unequal; "
        f"{spent():.0f} CPU s"
    )
    return 0 if all(map(fine, found)) else 1


if __name__ == "__main__":
    sys.exit(main())
