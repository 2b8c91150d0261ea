"""Killing a run at every named boundary and at random moments: old or new, never mixed.

``python -m bench.torture --random 200 --seed 1`` makes a workspace with one published build and a new
delivery in its inbox, runs the monthly job once undisturbed (that is "new"), and then again and
again from the same start, killed each time: at every boundary of ``warehouse.faults``, and at random
moments. After each kill whatever a reader sees must be the old build or the new one, tables and
documents alike; the same command run again must end in the new one, digest by digest. The seed and
the number of a failure name it; results go to ``--log`` line by line and are not repeated there.

Every boundary and every tenth kill meet the command itself, in an interpreter of its own, with the whole
job; the other random kills, and boundaries only other file systems come by, meet forks of a process that
has everything imported (``forks``), killed up to three times in a row before the run that must end in
"new". Moments are drawn over the CPU time of the undisturbed run, whatever else the machine does. The
control publishes documents before tables: a campaign that does not call its kill MIXED is worth nothing.

``--start province`` is ``examples/shaanxi`` with its last two periods and one audience; ``--start
county`` four parks of three counties under a catalogue of their own, a run of it a third of the cost.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import math
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

PERIOD = "2020-06"
ENTRY = "from pipelines.cli.main import main; main()"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Seen:
    """What a reader sees of a workspace: digests of all tables, and of all documents."""

    tables: str
    documents: str


class Run(Protocol):
    """A started run: ``subprocess.Popen`` or ``forks.Forked``."""

    pid: int

    @property
    def returncode(self) -> int | None:
        """None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Exit code, minus a signal's number; subprocess.TimeoutExpired when it still runs."""


class Torture:
    """One start state, the two states a run may leave, and the kills.

    ``launch`` and ``look`` start a run and read a workspace; by default each run is a new interpreter.
    """

    def __init__(
        self,
        folder: Path,
        start: Path,
        launch: Callable[..., Any] | None = None,
        look: Callable[[Path], Seen] | None = None,
    ) -> None:
        self.folder, self.start = folder, start
        self.launch, self.look = launch or globals()["launch"], look or globals()["look"]
        self.old = self.look(start)
        calm = self._copy("calm")
        done, self.spent = watched(self.launch(calm))
        if done not in (0, 3):
            raise RuntimeError(f"the undisturbed run ended with {done}")
        self.new = self.look(calm)
        if self.new == self.old:
            raise RuntimeError("the delivery changes nothing: nothing could be mixed")
        shutil.rmtree(calm)

    def _copy(self, name: str) -> Path:
        home = self.folder / name
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(self.start, home, symlinks=True)
        return home

    def at_boundary(self, name: str, launch: Callable[..., Any] | None = None) -> dict[str, Any]:
        """Kill at a boundary; also says whether the run came by it at all."""
        home = self._copy("hurt")
        code = (launch or self.launch)(home, PARKWATCH_CRASH_AT=name).wait()
        return self._judge(home, [self._left(home, f"at {name}", code == -signal.SIGKILL)])

    def at_moment(self, number: int, chance: random.Random, kills: int = 1) -> dict[str, Any]:
        """Kill the run and its readers at a random moment, up to ``kills`` times while it leaves the
        old build."""
        home, found = self._copy("hurt"), []
        for _ in range(kills):
            after, more = chance.uniform(0, self.spent * 1.02), chance.uniform(0, 0.1)
            code, _ = watched(self.launch(home), after, more)
            found.append(
                self._left(home, f"#{number} at {after:.2f} CPU s", code == -signal.SIGKILL)
            )
            if found[-1]["left"] != "old":
                break
        return self._judge(home, found)

    def _left(self, home: Path, kill: str, reached: bool) -> dict[str, Any]:
        left = {self.old: "old", self.new: "new"}.get(self.look(home), "MIXED")
        return {"kill": kill, "reached": reached, "left": left}

    def _judge(self, home: Path, found: list[dict[str, Any]]) -> dict[str, Any]:
        """What each kill left, and whether the run made again ends in "new"."""
        code = self.launch(home).wait()
        same = code in (0, 3) and self.look(home) == self.new
        good = same and all(one["left"] != "MIXED" for one in found)
        return {
            "kills": found,
            "reached": all(one["reached"] for one in found),
            "rerun": "new" if same else f"WRONG ({code})",
            "good": good,
        }


def watched(run: Run, after: float = math.inf, more: float = 0.0) -> tuple[int, float]:
    """Exit code and CPU seconds of a run and the children it waited for; it and its readers are killed
    once they are ``after``, ``more`` wall seconds later."""
    spent = 0.0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return run.wait(0.05), spent
        fields = Path(f"/proc/{run.pid}/stat").read_text().rpartition(")")[2].split()
        spent = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
        if spent >= after:
            time.sleep(more)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)
            return run.wait(), spent


def launch(home: Path, **environment: str) -> subprocess.Popen[bytes]:
    """The monthly job in a process group of its own."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PARKWATCH_", "DAGSTER_"))}
    return subprocess.Popen(
        [sys.executable, "-c", ENTRY, "run", "--period", PERIOD, "--home", str(home)],
        env=clean | environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def look(home: Path) -> Seen:
    """Open the workspace as a reader does, and compute every digest from the rows."""
    from warehouse import partitions
    from warehouse.store import Warehouse
    from warehouse.workspace import Bureau, Workspace

    workspace = Workspace(home=home, bureau=Bureau(name="", region_code=""))
    with Warehouse(workspace).reading() as connection:
        recorded = {n: partitions.total(p) for n, p in partitions.recorded(connection).items()}
        computed = {name: partitions.of_parts(connection, name) for name in recorded}
        if recorded != computed:
            wrong = sorted(n for n in recorded if recorded[n] != computed[n])
            return Seen(f"digests do not fit: {wrong}", "")
    tables = hashlib.sha256(repr(sorted(computed.items())).encode()).hexdigest()
    documents = hashlib.sha256()
    for path in sorted((home / "reports").rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.parts[-5:]):
            documents.update(path.relative_to(home).as_posix().encode() + path.read_bytes())
    return Seen(tables, documents.hexdigest())


def kills(
    told: argparse.Namespace, real: Torture, forked: Torture, known: set[str]
) -> Iterator[dict[str, Any]]:
    """The control, every boundary, then the random moments; those in ``known`` are done already."""
    from bench.torture import forks
    from warehouse.faults import BOUNDARIES

    if "control" not in known:
        said = forked.at_boundary("publish.placed", forks.careless)
        said["good"] = any(kill["left"] == "MIXED" for kill in said["kills"])
        yield said | {"id": "control", "by": "fork"}
    for name in BOUNDARIES if told.boundaries != "no" else ():
        if name not in known:
            by = "fork" if name in forks.ELSEWHERE else told.boundaries
            launch = forks.without_exchange if name in forks.ELSEWHERE else None
            said = (real if by == "command" else forked).at_boundary(name, launch)
            yield said | {"id": name, "by": by, "good": said["good"] and said["reached"]}
    number = 0
    while number < told.random:
        chance = random.Random(f"{told.seed}/{number}")
        by_command = number % 10 == 0
        count = 1 if by_command else min(chance.randint(1, 3), 10 - number % 10)
        if f"{told.seed}/{number}" not in known:
            said = (real if by_command else forked).at_moment(number, chance, count)
            by = "command" if by_command else "fork"
            yield said | {"id": f"{told.seed}/{number}", "by": by}
        number += count


def start_state(folder: Path, audiences: Sequence[str] = ("main",)) -> Path:
    """A workspace with one published build and a new delivery: ``examples/shaanxi``, two periods.

    Few audiences make a run cheaper and leave every stage of it in place.
    """
    home = folder / "start"
    shutil.copytree(ROOT / "examples" / "shaanxi", home)
    with (home / "parkwatch.toml").open("a", encoding="utf-8") as settings:
        settings.write(f"\n[bulletin]\naudiences = {json.dumps(list(audiences))}\n")
    for name in ("inbox", "archive", "quality", "reports", "dagster"):
        (home / name).mkdir(exist_ok=True)
    sample = [sys.executable, str(ROOT / "examples" / "sample_returns.py"), "--example", "shaanxi"]
    for through in ("2020-05", PERIOD):
        words = ["--to", str(home / "inbox"), "--from", "2020-05", "--through", through]
        subprocess.run([*sample, *words], check=True, stdout=subprocess.DEVNULL)
        if through != PERIOD and launch(home).wait() not in (0, 3):
            raise RuntimeError("the first build failed")
    return home


def county_start(folder: Path) -> Path:
    """A tiny bureau with one published build, and a county's correction in its inbox."""
    from assets.submissions.archive import deliver
    from tests.support.bureau import BEIJING, COUNTIES, county_form, make_home

    home = make_home(folder / "start")
    received = datetime(2020, 7, 8, 9, 30, tzinfo=BEIJING)
    for number, (reporter, name) in enumerate(COUNTIES.items()):
        data = county_form(reporter, PERIOD, 100 + number)
        deliver(home / "inbox" / reporter, f"{name}2020年6月.xlsx", data, received, reporter)
    if launch(home).wait() not in (0, 3):
        raise RuntimeError("the first build failed")
    data = county_form("hanbin", PERIOD, 170)
    folder = home / "inbox" / "hanbin"
    deliver(folder, "汉滨区2020年6月(更正).xlsx", data, received + timedelta(days=3), "hanbin")
    return home


STARTS = {"province": start_state, "county": county_start}


def main() -> int:
    """Command line; exit code 1 when any kill left a mixture, a rerun differed or the control passed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--random", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--boundaries", choices=("command", "fork", "no"), default="command")
    parser.add_argument("--start", choices=STARTS, default="province")
    parser.add_argument("--log", type=Path, default=Path("var/torture.jsonl"))
    parser.add_argument("--report", action="store_true", help="only count what the log says")
    told = parser.parse_args()
    told.log.parent.mkdir(parents=True, exist_ok=True)
    lines = told.log.read_text().splitlines() if told.log.exists() else []
    done = [json.loads(line) for line in lines]
    if not told.report:
        campaign(told, done)
    return report([said for said in done if said["start"] == told.start])


def campaign(told: argparse.Namespace, done: list[dict[str, Any]]) -> None:
    """Every kill not yet in ``done``, one after the other; each is logged as it ends."""
    from bench.torture import forks

    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    known = {line["id"] for line in done if line["start"] == told.start}
    with tempfile.TemporaryDirectory(prefix="parkwatch-torture-") as name:
        made = multiprocessing.get_context("spawn").Process(
            target=STARTS[told.start], args=(Path(name),)
        )
        made.start()
        made.join()
        start = Path(name) / "start"
        forks.warm(Path(shutil.copytree(start, Path(name) / "warm", symlinks=True)))
        real = Torture(Path(name), start, launch, forks.look_apart)
        forked = Torture(Path(name), start, forks.fork, forks.look_apart)
        for said in kills(told, real, forked, known):
            said["start"] = told.start
            print(json.dumps(said, ensure_ascii=False), flush=True)
            with told.log.open("a") as log:
                log.write(json.dumps(said, ensure_ascii=False) + "\n")
            done.append(said)


def report(done: list[dict[str, Any]]) -> int:
    """Print the counts by kind of trial; 1 when a kill was survived badly or the control passed."""
    control = [said for said in done if said["id"] == "control"]
    for what, by, trials in [
        (
            what,
            by,
            [
                t
                for t in done
                if ("/" in t["id"]) == (what == "random moment")
                and t["by"] == by
                and t not in control
            ],
        )
        for what in ("named boundary", "random moment")
        for by in ("command", "fork")
    ]:
        hurt = [kill for trial in trials for kill in trial["kills"]]
        left = Counter(kill["left"] for kill in hurt)
        late = sum(not kill["reached"] for kill in hurt)
        wrong = sum(trial["rerun"] != "new" for trial in trials)
        print(
            f"{what}, {by}: {len(hurt)} kills ({late} after the end), left old {left['old']}, "
            f"new {left['new']}, MIXED {left['MIXED']}; {len(trials)} reruns, {wrong} unequal"
        )
    print(f"control: {'MIXED, as it must' if control and control[0]['good'] else 'not caught'}")
    return 1 if any(not said["good"] for said in done) else 0
