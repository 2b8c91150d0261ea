"""The web killed while the daemon works: ``parkwatch serve`` starts it again, and no run is harmed.

Belongs here: the campaign and what it measures. Does not belong here: serve's own rules, kills of runs
and of the daemon (``outage``). A tiny bureau (模拟数据), a real ``parkwatch serve``, a person logged in.
Ends with 1 when a promise is broken.

    python -m bench.torture.served [--kills 50] [--periods 6] [--seed 1] [--folder DIR]

While periods are due and being run, the gate or Dagster's webserver is killed (SIGKILL), by chance. Each
time: how long until a login succeeds and lineage answers. At the end every due period was built once, no
run failed, and no slot was ever held by a process that is gone.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import httpx

from bench.torture.outage import (
    PATIENCE,
    Watch,
    bureau,
    due_on,
    exactly_once,
    months,
    unexplained,
)
from bench.torture.spent import counted
from pipelines.serve import users
from tests.support.daemon import Daemon
from tests.support.serving import PASSWORD, Served

KINDS = ("gate", "webserver")
WITHIN = 120.0
"""Seconds after which a web that was killed must let people in again."""


def process_of(served: Served, kind: str) -> int | None:
    """The process of a service: a child of serve's own, not the guard it leaves behind."""
    assert served.process is not None
    for place in Path("/proc").iterdir():
        if not place.name.isdigit():
            continue
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == served.process.pid and {b"pipelines.serve.child", kind.encode()} <= set(words):
            return int(place.name)
    return None


def lets_in(served: Served) -> bool:
    """Whether somebody can log in and Dagster answers behind the gate."""
    try:
        with served.client("vi") as client:
            return client.get("/dagster/server_info").status_code == 200
    except (httpx.HTTPError, AssertionError):
        return False


def kill(served: Served, kind: str) -> float | None:
    """Kill a service; seconds until somebody can work again, None when it was not running."""
    pid = process_of(served, kind)
    if pid is None:
        return None
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    served.until(lambda: process_of(served, kind) not in (None, pid) and lets_in(served),
                 seconds=WITHIN * 2, every=0.5)  # fmt: skip
    return time.monotonic() - began


def campaign(folder: Path, count: int, periods: int, seed: int) -> bool:
    """``count`` kills while ``periods`` periods are run; the words are printed."""
    began, chance = time.monotonic(), random.Random(f"web {seed}")
    daemon = bureau(folder / "web", "2017-03", 3)
    after = months("2017-02", periods)
    daemon.set_clock(due_on(after[-1]))
    users.add(
        daemon.home, users.User(user="vi", name="查阅岗", roles=("viewer",)), PASSWORD, "root"
    )
    served = Served(daemon.home, environment={"PARKWATCH_CLOCK_FILE": str(daemon.clock_file)})
    watch, waits = Watch(daemon.home), {kind: [] for kind in KINDS}
    with counted() as spent:
        served.start()
        try:
            cold = served.until(lambda: lets_in(served))
            _kills(served, watch, waits, count, chance)
            _rest(daemon, watch, periods)
        finally:
            served.stop()
    wrong = exactly_once(daemon, after) + unexplained(daemon, "")
    wrong += [f"a killed {kind} was away for {max(each):.0f} s"
              for kind, each in waits.items() if max(each, default=0) > WITHIN]  # fmt: skip
    if watch.held:
        wrong.append(watch.words)
    told = "; ".join(f"{kind} {_words(each)}" for kind, each in waits.items())
    print(f"web: {sum(map(len, waits.values()))} kills during {periods} due periods, seed {seed}; "
          f"first login with lineage {cold:.0f} s after the start; again after a kill: {told}; "
          f"{'; '.join(wrong) or 'each period once, no run failed'} "
          f"({time.monotonic() - began:.0f} s, CPU {spent[0]:.0f} s)", flush=True)  # fmt: skip
    return not wrong


def _kills(
    served: Served, watch: Watch, waits: dict[str, list[float]], count: int, chance: random.Random
) -> None:
    """Kill by chance, one after the other, a moment of work between."""
    while sum(map(len, waits.values())) < count:
        kind = chance.choice(KINDS)
        took = kill(served, kind)
        watch.look()
        if took is not None:
            waits[kind].append(took)
            print(f"{kind} killed, back after {took:.1f} s", flush=True)
        time.sleep(chance.uniform(0, 8))


def _rest(daemon: Daemon, watch: Watch, periods: int) -> None:
    """Until everything due is built."""
    last = time.monotonic() + PATIENCE
    while len(set(daemon.closings())) < periods and time.monotonic() < last:
        watch.look()
        time.sleep(1)


def _words(waits: list[float]) -> str:
    if not waits:
        return "never killed"
    found = sorted(waits)
    return f"{len(found)} times, median {found[len(found) // 2]:.0f} s, longest {found[-1]:.0f} s"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--periods", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parkwatch-served-") as name:
        folder = said.folder or Path(name)
        return 0 if campaign(folder, said.kills, said.periods, said.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
