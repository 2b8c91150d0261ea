"""Killing a run at every named boundary and at random moments: old or new, never mixed.

``python -m bench.torture --random 200 --seed 1`` makes a workspace with one published build and a new
delivery in its inbox, runs the monthly job once undisturbed (that is "new"), and then again and
again from the same start, killed each time: at every boundary of ``warehouse.faults``, and at random
moments. After each kill whatever a reader sees must be the old build or the new one, tables and
documents alike; the same command run again must end in the new one, digest by digest. The seed and
the number of a failure name it; results go to ``--log`` line by line and are not repeated there.

``--start province`` is ``examples/shaanxi`` with its last two periods and one audience; ``--start
county`` four parks of three counties under a catalogue of their own, a run of it a third of the cost.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
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
OWN = ("assets", "bench", "methods", "pipelines", "quality", "tests", "warehouse")
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Seen:
    """What a reader sees of a workspace: digests of all tables, and of all documents."""

    tables: str
    documents: str


class Run(Protocol):
    """A started run: ``subprocess.Popen`` or ``Forked``."""

    pid: int
    returncode: int | None

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
        began = time.monotonic()
        done = self.launch(calm).wait()
        self.seconds = time.monotonic() - began
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

    def at_boundary(self, name: str) -> dict[str, object]:
        """Kill at a boundary; also says whether the run came by it at all."""
        home = self._copy("hurt")
        code = self.launch(home, PARKWATCH_CRASH_AT=name).wait()
        return self._judge(home, {"kill": name, "reached": code == -signal.SIGKILL})

    def at_moment(self, number: int, chance: random.Random) -> dict[str, object]:
        """Kill the run and its readers after a random time."""
        home = self._copy("hurt")
        wait = chance.uniform(0, self.seconds * 1.05)
        process = self.launch(home)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return self._judge(home, {"kill": f"#{number} after {wait:.2f} s",
                                  "reached": process.returncode == -signal.SIGKILL})  # fmt: skip

    def _judge(self, home: Path, said: dict[str, object]) -> dict[str, object]:
        after = self.look(home)
        states = {self.old: "old", self.new: "new"}
        said["left"] = states.get(after, "MIXED")
        code = self.launch(home).wait()
        said["rerun"] = (
            "new" if code in (0, 3) and self.look(home) == self.new else f"WRONG ({code})"
        )
        said["good"] = said["left"] != "MIXED" and said["rerun"] == "new"
        return said


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
    torture: Torture, n_random: int, seed: int, skip: set[str], boundaries: Sequence[str]
) -> Iterator[dict[str, object]]:
    """Every boundary once, then random moments; those in ``skip`` are done already."""
    for name in boundaries:
        if name not in skip:
            yield torture.at_boundary(name) | {"id": name}
    for number in range(n_random):
        if f"{seed}/{number}" not in skip:
            chance = random.Random(f"{seed}/{number}")
            yield torture.at_moment(number, chance) | {"id": f"{seed}/{number}"}


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


class Forked:
    """A run forked from this process, in a process group of its own: libraries are imported already.

    A new interpreter spends a third of a run on imports, where a kill can hurt nothing; here the random
    moments fall on the work. The program's own modules are imported in each run as ever.
    """

    def __init__(self, process: multiprocessing.process.BaseProcess) -> None:
        self._process = process
        process.start()
        self.pid = process.pid or 0

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Exit code, minus a signal's number; subprocess.TimeoutExpired when it still runs."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("run", timeout or 0)
        return self._process.exitcode


def fork(home: Path, **environment: str) -> Forked:
    """The monthly job as ``launch`` starts it, in a fork of this process."""
    process = multiprocessing.get_context("fork").Process(target=_job, args=(home, environment))
    return Forked(process)


def _job(home: Path, environment: dict[str, str]) -> None:
    os.setsid()
    for name in [n for n in os.environ if n.startswith(("PARKWATCH_", "DAGSTER_"))]:
        del os.environ[name]
    os.environ.update(environment)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.argv = ["parkwatch", "run", "--period", PERIOD, "--home", str(home)]
    from pipelines.cli.main import main

    main()


def look_apart(home: Path) -> Seen:
    """``look`` in a fork, so that this process opens nothing and stays without threads."""
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=lambda: theirs.send(look(home)))
    process.start()
    theirs.close()
    try:
        seen: Seen = mine.recv()
        return seen
    finally:
        process.join()


def warm(home: Path) -> int:
    """Import the libraries a run of the copy at ``home`` imports; the number of modules.

    DuckDB starts a thread when imported and stays out. Raises RuntimeError when something else started
    one: such a process must not be forked (jemalloc's own thread is begun anew in each fork).
    """
    words = ["run", "--period", PERIOD, "--home", str(home)]
    told = home / "modules.json"
    entry = (
        f"import atexit, json, sys; sys.argv[1:] = {words!r}; "
        f"atexit.register(lambda: open({str(told)!r}, 'w').write(json.dumps(list(sys.modules)))); "
        + ENTRY
    )
    subprocess.run([sys.executable, "-c", entry], check=False, capture_output=True)
    apart = (*OWN, "__main__", "duckdb", "_duckdb")
    names = [n for n in json.loads(told.read_text()) if n.split(".")[0] not in apart]
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:  # a name that exists only inside its package's import
            continue
    tasks = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    if len([task for task in tasks if task != "jemalloc_bg_thd"]) > 1:
        raise RuntimeError(f"threads after the imports: {tasks}; set OPENBLAS_NUM_THREADS=1")
    return len(names)


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
    """Command line; exit code 1 when any kill left a mixture or the rerun differed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--random", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--boundaries", choices=("yes", "no"), default="yes")
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
    from warehouse.faults import BOUNDARIES

    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    known = {line["id"] for line in done if line["start"] == told.start}
    with tempfile.TemporaryDirectory(prefix="parkwatch-torture-") as name:
        made = multiprocessing.get_context("spawn").Process(
            target=STARTS[told.start], args=(Path(name),)
        )
        made.start()
        made.join()
        start = Path(name) / "start"
        warm(Path(shutil.copytree(start, Path(name) / "warm", symlinks=True)))
        torture = Torture(Path(name), start, fork, look_apart)
        names = BOUNDARIES if told.boundaries == "yes" else ()
        for said in kills(torture, told.random, told.seed, known, names):
            said["start"] = told.start
            print(json.dumps(said, ensure_ascii=False), flush=True)
            with told.log.open("a") as log:
                log.write(json.dumps(said, ensure_ascii=False) + "\n")
            done.append(said)


def report(done: list[dict[str, Any]]) -> int:
    """Print the counts; 1 when a kill was survived badly."""
    bad = [said for said in done if not said["good"]]
    late = sum(not said["reached"] for said in done)
    chance = sum("/" in said["id"] for said in done)
    left = dict(Counter(said["left"] for said in done))
    print(
        f"{len(done)} kills, {len(done) - chance} at boundaries, {chance} at random moments; "
        f"{late} came too late or to a place not passed; left {left}; {len(bad)} bad"
    )
    return 1 if bad else 0
