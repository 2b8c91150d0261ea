"""Killing the phases of a run one by one, hundreds of times each: ingest, build, publish.

    python -m bench.torture.phases [--phase all] [--kills 500] [--seed 1] [--log var/phases.jsonl]

A small bureau with one published build and a correction in its inbox. The state at the beginning of each
phase is kept; a process that has everything imported is forked, does that phase alone, and the kernel
kills it (SIGKILL) at a random moment: of its CPU time in one half of the cases, of wall time in the other,
so that waiting for readers and disks is hit as well. Then a reader looks: tables by digest of every row,
documents by bytes must be the old build or the new one; every receipt of the ledger must still be there
and have its original. Up to ten kills in a row go on from what the one before left; then the whole run
is made again by a new run and must end as the undisturbed one did, digest by digest.

The monthly job's own functions are called, without Dagster and without the table expectations, which
only read; ``python -m bench.torture`` kills the command itself. For each phase a careless program is
killed too: a campaign that finds no mixture in it is worth nothing; nor is one that does not miss an
original taken away. What is logged is not repeated. Mail: ``python -m bench.torture.mail --kills 500``.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.torture import forks, stages
from bench.torture.runs import PERIOD, county_start, look

IN_A_ROW = 10
MOST_CONTROLS = 60
CLOCKS = {"cpu": time.CLOCK_PROCESS_CPUTIME_ID, "wall": time.CLOCK_MONOTONIC}
FIRST_RUN = "the run that is killed"


@dataclass(frozen=True)
class Done:
    """How a forked process ended: exit code (minus a signal's number), and what it said."""

    code: int
    said: Any


class _Sigevent(ctypes.Structure):
    _fields_ = [
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("rest", ctypes.c_char * 48),
    ]


def die_in(seconds: float, clock: str) -> None:
    """Have the kernel kill this process once so many seconds of CPU or wall time have gone."""
    libc, timer = ctypes.CDLL(None, use_errno=True), ctypes.c_void_p()
    event = _Sigevent(signo=signal.SIGKILL)
    if libc.timer_create(CLOCKS[clock], ctypes.byref(event), ctypes.byref(timer)):
        raise OSError(ctypes.get_errno(), "timer_create")
    whole, part = divmod(max(seconds, 1e-6), 1)
    times = (ctypes.c_long * 4)(0, 0, int(whole), int(part * 1e9))
    if libc.timer_settime(timer, 0, times, None):
        raise OSError(ctypes.get_errno(), "timer_settime")


def forked(work: Callable[[], Any]) -> Done:
    """Do ``work`` in a fork, in a process group of its own; what is left of the group is killed."""
    mine, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(work, theirs)
    os.close(theirs)
    with os.fdopen(mine) as answer:
        said = answer.read()
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    return Done(os.waitstatus_to_exitcode(status), json.loads(said) if said else None)


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
    return {"tables": said.tables, "documents": said.documents} | receipts(home)


def receipts(home: Path) -> dict[str, Any]:
    """Receipts the ledger acknowledges, and how many of them have no whole original."""
    with contextlib.closing(sqlite3.connect(home / "state.sqlite")) as ledger:
        rows = ledger.execute("SELECT sha256, inbox_path FROM receipt ORDER BY 1, 2").fetchall()
    lost = 0
    for digest in {row[0] for row in rows}:
        found = list((home / "archive" / digest[:2]).glob(f"{digest}*"))
        lost += not found or hashlib.sha256(found[0].read_bytes()).hexdigest() != digest
    return {"receipts": [list(row) for row in rows], "lost": lost}


class Campaign:
    """The states a phase begins with, the two states a run may leave, and the kills."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = stages.steps(PERIOD)
        self.old = self.looked(folder / "start")
        self.begins: dict[str, Path] = {}
        self.spans: dict[str, dict[str, float]] = {}
        home = folder / "start"
        for phase in stages.PHASES:
            self.begins[phase] = home
            home = self.copy(home, f"after {phase}")
            done = self.run(home, phase)
            self.spans[phase] = done.said
            if done.code or not done.said:
                raise RuntimeError(f"the undisturbed phase {phase} ended with {done.code}")
        self.new = self.looked(home)
        if self.new["tables"] == self.old["tables"]:
            raise RuntimeError("the delivery changes nothing: nothing could be mixed")
        again = self.copy(folder / "start", "calm")
        if self.run(again).code or self.looked(again) != self.new:
            raise RuntimeError("one phase after the other and a run are not the same")

    def copy(self, start: Path, name: str) -> Path:
        """A workspace that begins as ``start`` is."""
        home = self.folder / name
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(start, home, symlinks=True)
        return home

    def looked(self, home: Path) -> dict[str, Any]:
        """``seen`` in a fork; a workspace that cannot be opened says so."""
        done = forked(lambda: seen(home))
        return done.said if done.code == 0 else {"unopened": done.code}

    def run(
        self,
        home: Path,
        phase: str | None = None,
        armed: Callable[[], None] = lambda: None,
        change: Callable[[], None] = lambda: None,
        run_id: str = FIRST_RUN,
    ) -> Done:
        """A phase, or a whole run, in a fork."""

        def begin() -> None:
            began.update({clock: time.clock_gettime(number) for clock, number in CLOCKS.items()})
            armed()

        def work() -> dict[str, float]:
            change()
            stages.run(home, run_id, self.calls, [phase] if phase else stages.PHASES, armed=begin)
            return {clock: time.clock_gettime(CLOCKS[clock]) - at for clock, at in began.items()}

        began: dict[str, float] = {}
        return forked(work)

    def kill(
        self, home: Path, phase: str, chance: random.Random, change: Any = None, since: float = 0.0
    ) -> dict[str, Any]:
        """Kill the phase at a random moment, ``since`` a share of it, and say what is left."""
        clock = chance.choice(sorted(CLOCKS))
        after = self.spans[phase][clock] * chance.uniform(since, 1.0)
        done = self.run(home, phase, lambda: die_in(after, clock), change or (lambda: None))
        found = self.verdict(home)
        return {"after": round(after, 4), "clock": clock, "code": done.code} | found

    def verdict(self, home: Path) -> dict[str, Any]:
        """Old, new or a mixture; acknowledged receipts that are gone or without their original."""
        there = self.looked(home)
        if "unopened" in there:
            return {"left": "UNOPENED", "lost": 0}
        state = (there["tables"], there["documents"])
        known = {
            (s["tables"], s["documents"]): n for n, s in (("old", self.old), ("new", self.new))
        }
        gone = [one for one in self.old["receipts"] if one not in there["receipts"]]
        return {"left": known.get(state, "MIXED"), "lost": there["lost"] + len(gone)}

    def trial(self, phase: str, number: int, seed: int) -> dict[str, Any]:
        """Kills in a row while the old build is left, then the run made again."""
        chance = random.Random(f"{seed}/{phase}/{number}")
        home, kills = self.copy(self.begins[phase], "hurt"), []
        for _ in range(chance.randint(1, IN_A_ROW)):
            kills.append(self.kill(home, phase, chance))
            if kills[-1]["left"] != "old" or kills[-1]["code"] != -signal.SIGKILL:
                break
        again = self.run(home, run_id=f"again {number}")
        same = again.code == 0 and self.looked(home) == self.new
        fair = all(k["code"] in (0, -signal.SIGKILL) for k in kills)
        good = fair and same and all(k["left"] in ("old", "new") and not k["lost"] for k in kills)
        return {"kills": kills, "rerun": "new" if same else f"WRONG ({again.code})", "good": good}

    def control(self, phase: str, seed: int) -> dict[str, Any]:
        """A careless program killed until it leaves a mixture."""
        kills = []
        for number in range(MOST_CONTROLS):
            chance = random.Random(f"control {seed}/{phase}/{number}")
            home = self.copy(self.begins[phase], "hurt")
            kills.append(self.kill(home, phase, chance, stages.CARELESS[phase], 0.7))
            if kills[-1]["left"] == "MIXED":
                break
        return {"kills": kills, "good": kills[-1]["left"] == "MIXED"}

    def taken_away(self) -> dict[str, Any]:
        """The check of receipts meets an original that is gone."""
        home = self.copy(self.folder / "start", "hurt")
        next(p for p in sorted((home / "archive").rglob("*.xlsx"))).unlink()
        found = self.verdict(home)
        return {"kills": [found], "good": found["lost"] == 1}


def prepared(folder: Path) -> Campaign:
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
    return Campaign(folder)


def spent() -> float:
    """CPU seconds of this process and every fork so far."""
    own, forks_ = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + forks_.ru_utime + forks_.ru_stime


def kills_of(done: list[dict[str, Any]], phase: str) -> list[dict[str, Any]]:
    """Kills of a phase that met it before its end."""
    trials = [said for said in done if said["phase"] == phase and isinstance(said["id"], int)]
    return [k for said in trials for k in said["kills"] if k["code"] == -signal.SIGKILL]


def main() -> int:
    """Command line; exit code 1 when a kill was survived badly or a control passed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--phase", choices=("all", *stages.PHASES), default="all")
    parser.add_argument("--kills", type=int, default=500)
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
            campaign(prepared(Path(name)), told, phases, done)
    return report(done)


def campaign(
    torture: Campaign, told: argparse.Namespace, phases: tuple[str, ...], done: list[dict[str, Any]]
) -> None:
    """The controls and every kill not yet in ``done``."""

    def keep(phase: str, number: int | str, said: dict[str, Any]) -> None:
        said = {"phase": phase, "id": number, "seed": told.seed} | said
        done.append(said)
        with told.log.open("a") as log:
            log.write(json.dumps(said) + "\n")
        if not said["good"]:
            print(json.dumps(said), flush=True)

    print("seconds of a phase:", json.dumps(torture.spans), flush=True)
    known = {(said["phase"], said["id"]) for said in done}
    if ("all", "taken away") not in known:
        keep("all", "taken away", torture.taken_away())
    for phase in phases:
        began = spent()
        if (phase, "control") not in known:
            keep(phase, "control", torture.control(phase, told.seed))
        number = 0
        while len(kills_of(done, phase)) < told.kills:
            if (phase, number) not in known:
                keep(phase, number, torture.trial(phase, number, told.seed))
            number += 1
        print(f"{phase}: {spent() - began:.0f} CPU s of this process and its forks", flush=True)


def report(done: list[dict[str, Any]]) -> int:
    """Print the counts of each phase; 1 when a promise was broken."""
    for phase in stages.PHASES:
        kills = kills_of(done, phase)
        trials = [s for s in done if s["phase"] == phase and isinstance(s["id"], int)]
        left = {n: sum(k["left"] == n for k in kills) for n in ("old", "new", "MIXED", "UNOPENED")}
        control = next((s for s in done if (s["phase"], s["id"]) == (phase, "control")), None)
        caught = f"MIXED at kill {len(control['kills'])}" if control else "not made"
        print(
            f"{phase}: {len(kills)} kills ({sum(k['clock'] == 'wall' for k in kills)} by wall time), "
            f"{left}, lost {sum(k['lost'] for k in kills)}; {len(trials)} reruns, "
            f"{sum(t['rerun'] != 'new' for t in trials)} unequal; control {caught}"
        )
    return 1 if any(not said["good"] for said in done) else 0


if __name__ == "__main__":
    sys.exit(main())
