"""Processes of ``parkwatch serve`` killed while it works: all come back, and no run is harmed by the web.

Belongs here: the campaign and what it measures. Does not belong here: serve's own rules, kills of runs
(``outage``). A tiny bureau (模拟数据), a real ``parkwatch serve``, a person logging in. Ends with 1 when a
promise is broken.

    python -m bench.torture.served [--rounds 50] [--periods 12] [--seed 1] [--folder DIR]

While one period after the other becomes due and is run, each round kills (SIGKILL) the webserver and the
daemon, by chance also the gate, seldom the code server, whose runs die with it. Each time: how long until a
person can log in and lineage answers, and until the daemon shows life. At the end every due period was
built once, only runs of a killed code server failed, and no slot was held for more than 60 s by a process
that is gone.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import httpx

from bench.torture.outage import LIMIT, PATIENCE, Watch, bureau, due_on, exactly_once, months
from bench.torture.spent import counted
from pipelines.serve import users
from pipelines.serve.supervise import beats
from tests.support.daemon import Daemon
from tests.support.serving import PASSWORD, Served

CHANCES = {"webserver": 1.0, "daemon": 1.0, "gate": 0.3, "code": 0.1}
"""How often each process is killed in a round."""
MARKS = {"webserver": "webserver", "daemon": "dagster-daemon", "gate": "gate", "code": "grpc"}
"""A word of its command line. (Daemon and code server begin as children of serve and become these.)"""
WITHIN = 120.0
"""Seconds after which everything that was killed must be back."""


def process_of(served: Served, kind: str) -> int | None:
    """The process of a service: a child of serve's own."""
    assert served.process is not None
    for place in Path("/proc").iterdir():
        if not place.name.isdigit():
            continue
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == served.process.pid and any(
            Path(w.decode()).name == MARKS[kind] for w in words
        ):
            return int(place.name)
    return None


def lets_in(served: Served) -> bool:
    """Whether somebody can log in and Dagster answers behind the gate."""
    try:
        with contextlib.closing(served.client("vi")) as client:
            return client.get("/dagster/server_info").status_code == 200
    except (httpx.HTTPError, AssertionError):
        return False


class Rounds:
    """What was killed and how long it was away."""

    def __init__(self, served: Served, watch: Watch, seed: int) -> None:
        self.served, self.watch = served, watch
        self.chance = random.Random(f"served {seed}")
        self.killed: Counter[str] = Counter()
        self.web: list[float] = []
        self.daemon: list[float] = []

    def one(self) -> None:
        """Kill, and wait until everything is back."""
        self._pause(self.chance.uniform(0, 8))
        pids = {}
        for kind, often in CHANCES.items():
            if self.chance.random() < often and (pid := process_of(self.served, kind)):
                os.kill(pid, signal.SIGKILL)
                pids[kind] = pid
        self.killed.update(list(pids))
        at, began = datetime.now(UTC), time.monotonic()
        web = daemon = None
        while (web is None or daemon is None) and time.monotonic() - began < WITHIN * 2:
            self._pause(0.5)
            if web is None and self._are_new(pids, "gate", "webserver") and lets_in(self.served):
                web = time.monotonic() - began
            if daemon is None and beats(self.served.home / "dagster", at):
                daemon = time.monotonic() - began
        self.web.append(web or math.inf)
        self.daemon.append(daemon or math.inf)
        print(f"killed {', '.join(pids)}: web back after {self.web[-1]:.0f} s, daemon after "
              f"{self.daemon[-1]:.0f} s", flush=True)  # fmt: skip

    def _are_new(self, pids: dict[str, int], *kinds: str) -> bool:
        return all(process_of(self.served, kind) not in (None, pids.get(kind)) for kind in kinds)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            self.watch.look()
            if time.monotonic() >= until:
                return
            time.sleep(0.4)


def campaign(folder: Path, count: int, periods: int, seed: int) -> bool:
    """``count`` rounds while ``periods`` periods are run; the words are printed."""
    began = time.monotonic()
    daemon = bureau(folder / "served", "2017-03", 20)
    after = months("2017-02", periods)
    daemon.set_clock(due_on(after[0]))
    users.add(
        daemon.home, users.User(user="vi", name="查阅岗", roles=("viewer",)), PASSWORD, "root"
    )
    served = Served(daemon.home, environment={"PARKWATCH_CLOCK_FILE": str(daemon.clock_file)})
    watch = Watch(daemon.home)
    rounds = Rounds(served, watch, seed)
    with counted() as spent:
        served.start()
        try:
            cold = served.until(lambda: lets_in(served))
            print(f"first login with lineage {cold:.0f} s after the start", flush=True)
            for number in range(count):
                daemon.set_clock(due_on(after[number * periods // count]))
                rounds.one()
            daemon.set_clock(due_on(after[-1]))
            _rest(daemon, watch, periods)
        finally:
            served.stop()
    wrong = exactly_once(daemon, after) + _harmed(daemon, rounds)
    if max([0.0, *watch.held]) > LIMIT:
        wrong.append(f"a slot was held for more than {LIMIT:.0f} s")
    if max(*rounds.web, *rounds.daemon) > WITHIN:
        wrong.append(f"something was away for more than {WITHIN:.0f} s")
    print(f"serve: killed {dict(rounds.killed)} during {periods} due periods, seed {seed}; web back "
          f"{_words(rounds.web)}, daemon {_words(rounds.daemon)}; {watch.words}; "
          f"{'; '.join(wrong) or 'each period once'} "
          f"({time.monotonic() - began:.0f} s, CPU {spent[0]:.0f} s)", flush=True)  # fmt: skip
    return not wrong


def _harmed(daemon: Daemon, rounds: Rounds) -> list[str]:
    """Failed runs beyond those that died with a code server."""
    failed = daemon.failures()
    more = len(failed) - rounds.killed["code"]
    return [f"{more} runs failed that nobody killed: {failed}"] if more > 0 else []


def _rest(daemon: Daemon, watch: Watch, periods: int) -> None:
    """Until everything due is built."""
    last = time.monotonic() + PATIENCE
    while len(set(daemon.closings())) < periods and time.monotonic() < last:
        watch.look()
        time.sleep(1)


def _words(waits: list[float]) -> str:
    found = sorted(waits)
    return f"after {found[len(found) // 2]:.0f} s (median), {found[-1]:.0f} s at most"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--periods", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parkwatch-served-") as name:
        folder = said.folder or Path(name)
        return 0 if campaign(folder, said.rounds, said.periods, said.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
