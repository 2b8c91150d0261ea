"""Hundreds of random moments in each phase of a run: ingest, build, publish; killed there, what is left?

    python -m bench.torture.phases [--phase all] [--moments 500] [--seed 1] [--log var/phases.jsonl]

A small bureau with one published build and a correction in its inbox. The state at the beginning of each
phase is kept; a process that has everything imported is forked and does that phase alone. At ten random
moments of its CPU time (of wall time in every other run, so that waiting for readers and disks is met
as well) the kernel stops it: nine times it is frozen (SIGSTOP), looked at and let go on, the tenth time
killed (SIGKILL). A frozen process has done the system calls a killed one has done; its files are what a
kill there leaves. A reader then sees (tables by digest of every row, documents by bytes; files with the
very bytes of the old build are the old build) the old build or the new one; every receipt of the ledger
must still be there and have its original. For one of the ten, drawn, the whole run is made again on what
was left, and must end as the undisturbed one did, digest by digest.

The monthly job's own functions are called, without Dagster and without the table expectations, which
only read; ``python -m bench.torture`` kills the command itself. For each phase a careless program is
stopped too: a campaign that finds no mixture in it is worth nothing; nor is one that does not miss an
original taken away. What is logged is not repeated. Mail: ``python -m bench.torture.mail --kills 500``.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import functools
import hashlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.torture import forks, stages
from bench.torture.runs import PERIOD, county_start, look
from warehouse.workspace import Bureau, Workspace

MOMENTS_A_RUN = 10
MOST_CONTROLS = 10
CLOCKS = {"cpu": time.CLOCK_PROCESS_CPUTIME_ID, "wall": time.CLOCK_MONOTONIC}
FIRST_RUN = "the run that is killed"


class _Sigevent(ctypes.Structure):
    _fields_ = [
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("rest", ctypes.c_char * 48),
    ]


def signal_in(seconds: float, clock: str, number: int) -> None:
    """Have the kernel send this process a signal once so many seconds of CPU or wall time have gone."""
    libc, timer = ctypes.CDLL(None, use_errno=True), ctypes.c_void_p()
    event = _Sigevent(signo=number)
    if libc.timer_create(CLOCKS[clock], ctypes.byref(event), ctypes.byref(timer)):
        raise OSError(ctypes.get_errno(), "timer_create")
    whole, part = divmod(max(seconds, 1e-6), 1)
    times = (ctypes.c_long * 4)(0, 0, int(whole), int(part * 1e9))
    if libc.timer_settime(timer, 0, times, None):
        raise OSError(ctypes.get_errno(), "timer_settime")


def forked(work: Callable[[], Any], frozen: Callable[[], None] = lambda: None) -> tuple[int, Any]:
    """Do ``work`` in a fork, in a process group of its own: exit code (minus a signal's number) and what
    it said. ``frozen`` is called whenever it is stopped; what is left of the group is killed."""
    with (
        tempfile.TemporaryFile() as answer
    ):  # not a pipe: nobody reads before the end, and it holds 64 KiB
        pid = os.fork()
        if pid == 0:
            _child(work, answer.fileno())
        while os.WIFSTOPPED(status := os.waitpid(pid, os.WUNTRACED)[1]):
            frozen()
            os.kill(pid, signal.SIGCONT)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        answer.seek(0)
        said = answer.read()
    return os.waitstatus_to_exitcode(status), json.loads(said) if said else None


def _child(work: Callable[[], Any], answer: int) -> None:
    code = 1
    try:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        if "PARKWATCH_TORTURE_LOUD" not in os.environ:
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
        os.set_inheritable(answer, False)
        os.write(answer, json.dumps(work()).encode())
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def seen(home: Path) -> dict[str, Any]:
    """What a reader sees, and receipts that lost their original."""
    said = look(home)
    return {"tables": said.tables, "documents": said.documents} | receipts(
        home / "state.sqlite", home
    )


@functools.lru_cache(maxsize=64)
def _sha256(path: Path, _size: int, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def bytes_of(path: Path) -> str:
    """Digest of a file, computed again when its size or time of change is another."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_ctime_ns)


def receipts(ledger: Path, home: Path) -> dict[str, Any]:
    """Receipts the ledger acknowledges, and how many of them have no whole original."""
    with contextlib.closing(sqlite3.connect(ledger)) as connection:
        rows = connection.execute("SELECT sha256, inbox_path FROM receipt ORDER BY 1, 2").fetchall()
    lost = 0
    for digest in {row[0] for row in rows}:
        found = list((home / "archive" / digest[:2]).glob(f"{digest}*"))
        lost += not found or bytes_of(found[0]) != digest
    return {"receipts": [list(row) for row in rows], "lost": lost}


def published_bytes(home: Path) -> str:
    """Digest of every byte readers are given; empty while a publication has to be finished first."""
    workspace = Workspace(home=home, bureau=Bureau(name="", region_code=""))
    if (
        workspace.announced_file.exists()
        or workspace.warehouse_file.with_suffix(".duckdb.wal").exists()
    ):
        return ""
    said = hashlib.sha256(bytes_of(workspace.warehouse_file).encode())
    for path in sorted((home / "reports").rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.parts[-5:]):
            said.update(f"{path.relative_to(home)} {bytes_of(path)}".encode())
    return said.hexdigest()


class Ground:
    """The states a phase begins with, and the two states a run may leave."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = stages.steps(PERIOD)
        self.old = self.looked(folder / "start")
        self.old_bytes = published_bytes(folder / "start")
        self.begins: dict[str, Path] = {}
        self.spans: dict[str, dict[str, float]] = {}
        home = folder / "start"
        for phase in stages.PHASES:
            self.begins[phase] = home
            home = self.copy(home, f"after {phase}")
            code, self.spans[phase] = self.run(home, phase)
            if code or not self.spans[phase]:
                raise RuntimeError(f"the undisturbed phase {phase} ended with {code}")
        self.new = self.looked(home)
        if self.new["tables"] == self.old["tables"]:
            raise RuntimeError("the delivery changes nothing: nothing could be mixed")
        if not self.made_again(self.copy(folder / "start", "calm")):
            raise RuntimeError("one phase after the other and a run are not the same")

    def copy(self, start: Path, name: str) -> Path:
        """A workspace that begins as ``start`` is."""
        home = self.folder / name
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(start, home, symlinks=True)
        return home

    def looked(self, home: Path) -> dict[str, Any]:
        """``seen`` in a fork; a workspace that cannot be opened says so."""
        code, said = forked(lambda: seen(home))
        return said if code == 0 else {"unopened": code}

    def run(
        self,
        home: Path,
        phase: str | None = None,
        armed: Callable[[], None] = lambda: None,
        change: Callable[[], None] = lambda: None,
        frozen: Callable[[], None] = lambda: None,
        run_id: str = FIRST_RUN,
    ) -> tuple[int, Any]:
        """A phase, or a whole run, in a fork; it says its CPU and wall seconds from ``armed`` on."""

        def begin() -> None:
            began.update({clock: time.clock_gettime(number) for clock, number in CLOCKS.items()})
            armed()

        def work() -> dict[str, float]:
            change()
            stages.run(home, run_id, self.calls, [phase] if phase else stages.PHASES, armed=begin)
            return {clock: time.clock_gettime(CLOCKS[clock]) - at for clock, at in began.items()}

        began: dict[str, float] = {}
        return forked(work, frozen)

    def made_again(self, home: Path) -> bool:
        """Whether a whole new run ends as the undisturbed one did."""
        return self.run(home, run_id="made again")[0] == 0 and self.looked(home) == self.new

    def verdict(self, home: Path) -> dict[str, Any]:
        """What the files of a frozen or killed run are to a reader: old, new or a mixture; acknowledged
        receipts that are gone or without their original. Leaves ``home`` as it is."""
        apart = self.folder / "apart"
        shutil.rmtree(apart, ignore_errors=True)
        if published_bytes(home) == self.old_bytes:
            apart.mkdir()
            for name in ("state.sqlite", "state.sqlite-wal"):
                if (home / name).exists():
                    shutil.copyfile(home / name, apart / name)
            there = self.old | receipts(apart / "state.sqlite", home)
        else:
            there = self.looked(self.copy(home, "apart"))
        if "unopened" in there:
            return {"left": "UNOPENED", "lost": 0}
        state = (there["tables"], there["documents"])
        known = {
            (s["tables"], s["documents"]): n for n, s in (("old", self.old), ("new", self.new))
        }
        gone = [one for one in self.old["receipts"] if one not in there["receipts"]]
        return {"left": known.get(state, "MIXED"), "lost": there["lost"] + len(gone)}


class Moments:
    """Random moments of one phase after another."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def run(self, phase: str, chance: random.Random, change: Any = None) -> list[dict[str, Any]]:
        """The phase stopped at random moments, killed at the last; what was left at each. One of them,
        drawn, is kept in the workspace ``hurt``."""
        ground, clock = self.ground, chance.choice(sorted(CLOCKS))
        span = ground.spans[phase][clock]
        moments = sorted(chance.uniform(0, span) for _ in range(MOMENTS_A_RUN))
        kept = chance.randrange(MOMENTS_A_RUN)
        home, found = ground.copy(ground.begins[phase], "at work"), []

        def arm() -> None:
            for moment in moments[:-1]:
                signal_in(moment, clock, signal.SIGSTOP)
            signal_in(moments[-1], clock, signal.SIGKILL)

        def look_at(how: str) -> None:
            found.append({"how": how, "clock": clock} | ground.verdict(home))
            if len(found) <= kept + 1:
                ground.copy(home, "hurt")

        code, _ = ground.run(home, phase, arm, change or (lambda: None), lambda: look_at("frozen"))
        if code == -signal.SIGKILL:
            look_at("killed")
        elif code:
            found.append({"how": f"ended with {code}", "clock": clock, "left": "FAILED", "lost": 0})
        return found

    def trial(self, phase: str, number: int, seed: int) -> dict[str, Any]:
        """A run with its moments, and the run made again on what one of them left."""
        found = self.run(phase, random.Random(f"{seed}/{phase}/{number}"))
        same = not found or self.ground.made_again(self.ground.folder / "hurt")
        good = same and all(one["left"] in ("old", "new") and not one["lost"] for one in found)
        return {"moments": found, "rerun": same if found else None, "good": good}

    def control(self, phase: str, seed: int) -> dict[str, Any]:
        """A careless program, until a mixture is found."""
        found: list[dict[str, Any]] = []
        for number in range(MOST_CONTROLS):
            chance = random.Random(f"control {seed}/{phase}/{number}")
            found += self.run(phase, chance, stages.CARELESS[phase])
            if any(one["left"] == "MIXED" for one in found):
                break
        return {"moments": found, "good": any(one["left"] == "MIXED" for one in found)}

    def taken_away(self) -> dict[str, Any]:
        """The check of receipts meets an original that is gone."""
        home = self.ground.copy(self.ground.folder / "start", "hurt")
        next(p for p in sorted((home / "archive").rglob("*.xlsx"))).unlink()
        found = self.ground.verdict(home)
        return {"moments": [found], "good": found["lost"] == 1}


def prepared(folder: Path) -> Ground:
    """The bureau, and this process with everything a run imports."""
    from assets.bulletins import fonts

    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    made = multiprocessing.get_context("spawn").Process(target=county_start, args=(folder,))
    made.start()
    made.join()
    forks.warm(Path(shutil.copytree(folder / "start", folder / "warm", symlinks=True)))
    fonts.covered(fonts.choose())
    for name in [n for n in os.environ if n.startswith("DAGSTER_")]:
        del os.environ[name]
    return Ground(folder)


def spent() -> float:
    """CPU seconds of this process and every fork so far."""
    own, forks_ = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + forks_.ru_utime + forks_.ru_stime


def moments_of(done: list[dict[str, Any]], phase: str) -> list[dict[str, Any]]:
    """Moments of a phase so far."""
    trials = [said for said in done if said["phase"] == phase and isinstance(said["id"], int)]
    return [moment for said in trials for moment in said["moments"]]


def main() -> int:
    """Command line; exit code 1 when a moment was survived badly or a control passed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--phase", choices=("all", *stages.PHASES), default="all")
    parser.add_argument("--moments", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, default=Path("var/phases.jsonl"))
    parser.add_argument("--report", action="store_true", help="only count what the log says")
    told = parser.parse_args()
    told.log.parent.mkdir(parents=True, exist_ok=True)
    lines = told.log.read_text().splitlines() if told.log.exists() else []
    done = [said for said in map(json.loads, lines) if said["seed"] == told.seed]
    phases = stages.PHASES if told.phase == "all" else (told.phase,)
    if not told.report:
        with tempfile.TemporaryDirectory(prefix="parkwatch-phases-") as name:
            campaign(Moments(prepared(Path(name))), told, phases, done)
    return report(done)


def campaign(
    torture: Moments, told: argparse.Namespace, phases: tuple[str, ...], done: list[dict[str, Any]]
) -> None:
    """The controls and every run not yet in ``done``."""

    def keep(phase: str, number: int | str, said: dict[str, Any]) -> None:
        said = {"phase": phase, "id": number, "seed": told.seed} | said
        done.append(said)
        with told.log.open("a") as log:
            log.write(json.dumps(said) + "\n")
        if not said["good"]:
            print(json.dumps(said), flush=True)

    print("seconds of a phase:", json.dumps(torture.ground.spans), flush=True)
    known = {(said["phase"], said["id"]) for said in done}
    if ("all", "taken away") not in known:
        keep("all", "taken away", torture.taken_away())
    for phase in phases:
        began, number = spent(), 0
        if (phase, "control") not in known:
            keep(phase, "control", torture.control(phase, told.seed))
        while len(moments_of(done, phase)) < told.moments:
            if (phase, number) not in known:
                keep(phase, number, torture.trial(phase, number, told.seed))
            number += 1
        print(f"{phase}: {spent() - began:.0f} CPU s of this process and its forks", flush=True)


def report(done: list[dict[str, Any]]) -> int:
    """Print the counts of each phase; 1 when a promise was broken."""
    for phase in stages.PHASES:
        found = moments_of(done, phase)
        trials = [s for s in done if s["phase"] == phase and isinstance(s["id"], int)]
        control = next((s for s in done if (s["phase"], s["id"]) == (phase, "control")), None)
        mixed = [m["left"] for m in control["moments"]].count("MIXED") if control else 0
        print(
            f"{phase}: {len(found)} moments ({sum(m['clock'] == 'wall' for m in found)} of wall time, "
            f"{sum(m['how'] == 'killed' for m in found)} killed there), left "
            f"{dict(Counter(m['left'] for m in found))}, receipts lost {sum(m['lost'] for m in found)}; "
            f"{sum(t['rerun'] is not None for t in trials)} runs made again, "
            f"{sum(t['rerun'] is False for t in trials)} unequal; control: {mixed} mixtures"
        )
    return 1 if any(not said["good"] for said in done) else 0


if __name__ == "__main__":
    sys.exit(main())
