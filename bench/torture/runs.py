"""Killing a run at every named boundary and at random moments: old or new, never mixed.

``python -m bench.torture --random 200 --seed 1`` makes a small workspace with one published build and a
new delivery in its inbox, runs the monthly job once undisturbed (that is "new"), and then again and
again from the same start, killed each time: at every boundary of ``warehouse.faults``, and at random
moments. After each kill whatever a reader sees must be the old build or the new one, tables and
documents alike; the same command run again must end in the new one, digest by digest. The seed and
the number of a failure name it; results go to ``--log`` line by line and are not repeated there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PERIOD = "2020-06"
ENTRY = "from pipelines.cli.main import main; main()"


@dataclass(frozen=True)
class Seen:
    """What a reader sees of a workspace: digests of all tables, and of all documents."""

    tables: str
    documents: str


class Torture:
    """One start state, the two states a run may leave, and the kills."""

    def __init__(self, folder: Path, start: Path) -> None:
        self.folder, self.start = folder, start
        self.old = look(start)
        calm = self._copy("calm")
        began = time.monotonic()
        done = launch(calm).wait()
        self.seconds = time.monotonic() - began
        if done not in (0, 3):
            raise RuntimeError(f"the undisturbed run ended with {done}")
        self.new = look(calm)
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
        code = launch(home, PARKWATCH_CRASH_AT=name).wait()
        return self._judge(home, {"kill": name, "reached": code == -signal.SIGKILL})

    def at_moment(self, number: int, chance: random.Random) -> dict[str, object]:
        """Kill the run and its readers after a random time."""
        home = self._copy("hurt")
        wait = chance.uniform(0, self.seconds * 1.05)
        process = launch(home)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return self._judge(home, {"kill": f"#{number} after {wait:.2f} s",
                                  "reached": process.returncode == -signal.SIGKILL})  # fmt: skip

    def _judge(self, home: Path, said: dict[str, object]) -> dict[str, object]:
        after = look(home)
        states = {self.old: "old", self.new: "new"}
        said["left"] = states.get(after, "MIXED")
        code = launch(home).wait()
        said["rerun"] = "new" if code in (0, 3) and look(home) == self.new else f"WRONG ({code})"
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
    torture: Torture, n_random: int, seed: int, skip: set[str]
) -> Iterator[dict[str, object]]:
    """Every boundary once, then random moments; those in ``skip`` are done already."""
    from warehouse.faults import BOUNDARIES

    for name in BOUNDARIES:
        if name not in skip:
            yield torture.at_boundary(name) | {"id": name}
    for number in range(n_random):
        if f"{seed}/{number}" not in skip:
            chance = random.Random(f"{seed}/{number}")
            yield torture.at_moment(number, chance) | {"id": f"{seed}/{number}"}


def start_state(folder: Path) -> Path:
    """A workspace with one published build and a new delivery: ``examples/shaanxi``, two periods."""
    home = folder / "start"
    root = Path(__file__).resolve().parents[2]
    shutil.copytree(root / "examples" / "shaanxi", home)
    for name in ("inbox", "archive", "quality", "reports", "dagster"):
        (home / name).mkdir(exist_ok=True)
    sample = [sys.executable, str(root / "examples" / "sample_returns.py"), "--example", "shaanxi"]
    for through in ("2020-05", PERIOD):
        words = ["--to", str(home / "inbox"), "--from", "2020-05", "--through", through]
        subprocess.run([*sample, *words], check=True, stdout=subprocess.DEVNULL)
        if through != PERIOD and launch(home).wait() not in (0, 3):
            raise RuntimeError("the first build failed")
    return home


def main() -> int:
    """Command line; exit code 1 when any kill left a mixture or the rerun differed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--random", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, default=Path("var/torture.jsonl"))
    told = parser.parse_args()
    told.log.parent.mkdir(parents=True, exist_ok=True)
    lines = told.log.read_text().splitlines() if told.log.exists() else []
    done = [json.loads(line) for line in lines]
    with tempfile.TemporaryDirectory(prefix="parkwatch-torture-") as name:
        torture = Torture(Path(name), start_state(Path(name)))
        for said in kills(torture, told.random, told.seed, {line["id"] for line in done}):
            print(json.dumps(said, ensure_ascii=False), flush=True)
            with told.log.open("a") as log:
                log.write(json.dumps(said, ensure_ascii=False) + "\n")
            done.append(said)
    bad = [said for said in done if not said["good"]]
    passed = sum(not said["reached"] for said in done)
    print(f"{len(done)} kills, {passed} came too late or to a place not passed; {len(bad)} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
