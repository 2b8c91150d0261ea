"""Outages of a real daemon: days and months without it, and processes killed while it works.

Belongs here: the campaign and what it measures. Does not belong here: the daemon's rules. A tiny bureau
(模拟数据), real ``dagster-daemon``, real runs with a short profile, a clock that is moved. Prints one line
a part; ends with 1 when a promise is broken.

    python -m bench.torture.outage [--missed 1,2,7,40] [--kills 50] [--folder DIR]
        [--part outages|workers|daemons|all]

``outages``: the daemon is cut off (SIGKILL to all of it) while n periods become due, one of which fails
at first: each is built exactly once, in order, the failing one again. ``workers``: during 12 due periods
the process of a run is killed, ``--kills`` times. ``daemons``: the daemon, or all its processes, are
killed and started again, as often. No slot may be held for more than 60 s by a process that is gone.
With ``--folder`` the workspaces stay there, to look into what happened.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from bench.torture.spent import counted
from pipelines.serve.supervise import beats
from tests.support.bureau import BEIJING, make_home
from tests.support.daemon import Daemon
from warehouse import schema

LIMIT = 60.0
PATIENCE = 1800.0
KEPT = ("dims", "submissions", "observations")
NEEDED = {"ops.digest", "quality.finding", "quality.finding_cell", "quality.rule_outcome",
          "indicators.park_month", "indicators.park_year", "indicators.area_year",
          "bulletins.edition", "bulletins.figure", "bulletins.check"}  # fmt: skip
ACTIVE = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")


def bureau(home: Path, since: str, retries: int) -> Daemon:
    """A workspace watched from ``since`` on, whose runs leave out what takes long."""
    make_home(home)
    left = [t.full_name for t in schema.TABLES
            if t.full_name not in NEEDED and t.full_name.split(".")[0] not in KEPT]  # fmt: skip
    (home / "profiles").mkdir()
    (home / "profiles" / "drill.yaml").write_text(f"leave_out: [{', '.join(left)}]\n", "utf-8")
    with (home / "parkwatch.toml").open("a", encoding="utf-8") as settings:
        settings.write(f'\n[automation]\nsince = "{since}"\nprofile = "drill"\ninbox = false\n'
                       f"retry_minutes = {[0] * retries}\n")  # fmt: skip
    return Daemon(home)


def due_on(period: str) -> datetime:
    """A day on which ``period`` is due and the next one is not."""
    year, month = int(period[:4]), int(period[5:])
    return datetime(year + month // 12, month % 12 + 1, 25, tzinfo=BEIJING)


def months(first: str, count: int) -> list[str]:
    """``count`` periods after ``first``; January is not reported."""
    found, year, month = [], int(first[:4]), int(first[5:])
    while len(found) < count:
        year, month = year + month // 12, month % 12 + 1
        if month > 1:
            found.append(f"{year}-{month:02d}")
    return found


def asked(home: Path, query: str, *values: str) -> list[tuple[str, ...]]:
    """Dagster's own file of runs: asking an instance every moment costs too much. Nothing while the
    file is being made."""
    file = home / "dagster" / "history" / "runs.db"
    if not file.exists():
        return []
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as there:
            return there.execute(query, values).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []
        raise


def runs(home: Path) -> dict[str, str]:
    """Run → status."""
    return {row[0]: row[1] for row in asked(home, "SELECT run_id, status FROM runs")}


def statuses(home: Path, period: str) -> list[str]:
    """Statuses of the runs of a period."""
    query = ("SELECT r.status FROM runs r JOIN run_tags t USING (run_id) "
             "WHERE t.key = 'dagster/partition' AND t.value = ?")  # fmt: skip
    return [row[0] for row in asked(home, query, period)]


def at_work(home: Path) -> dict[str, int]:
    """Run → process of every run that is marked with one and counts as under way."""
    query = ("SELECT r.run_id, t.value FROM runs r JOIN run_tags t USING (run_id) "
             "WHERE t.key = 'parkwatch/pid' AND r.status = 'STARTED'")  # fmt: skip
    return {row[0]: int(row[1]) for row in asked(home, query)}


def gone(pid: int) -> bool:
    """Whether a process exists no more, or only as a zombie nobody has waited for."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    return text.rpartition(")")[2].split()[0] in "ZX"


def unexplained(daemon: Daemon, expected: str) -> list[str]:
    """Failed runs of other periods than ``expected``, with the first cause Dagster's log tells."""
    return [f"{period} failed: {why}" for period, why in daemon.failures() if period != expected]


def exactly_once(daemon: Daemon, expected: list[str]) -> list[str]:
    """What is wrong about the periods that were built, in words."""
    built = daemon.closings()
    counted = Counter(built)
    wrong = [f"{p} built {counted[p]} times" for p in expected if counted[p] != 1]
    return wrong + [f"{p} was not due" for p in counted if p not in expected]


# --- outages --------------------------------------------------------------------------------------


def outage(folder: Path, missed: int) -> bool:
    """The daemon is away while ``missed`` periods become due; the middle one fails at first."""
    began, daemon = time.monotonic(), bureau(folder / f"outage-{missed}", "2017-02", 3)
    after = months("2017-02", missed)
    failing = after[missed // 2]
    with counted() as spent:
        _away(daemon, after, failing)
    wrong = exactly_once(daemon, ["2017-02", *after])
    order = [period for period in daemon.closings() if period != failing]
    if order != sorted(order):
        wrong.append(f"not in order: {order}")
    tried = [run for run in daemon.runs() if run["period"] == failing]
    if len(tried) < 2 or tried[-1]["reason"] != "retry":
        wrong.append(f"{failing} was not tried again: {tried}")
    wrong += unexplained(daemon, failing)
    ended = Counter(run["status"] for run in daemon.runs())
    print(f"outage of {missed} due days: {len(daemon.closings())} built, {dict(ended)}, "
          f"{'; '.join(wrong) or 'each once, in order, the failing one again'} "
          f"({time.monotonic() - began:.0f} s, CPU {spent[0]:.0f} s)", flush=True)  # fmt: skip
    return not wrong


def _away(daemon: Daemon, after: list[str], failing: str) -> None:
    """One period in peace, cut off, the others at once; what makes ``failing`` fail goes away then."""
    home, missed = daemon.home, len(after)
    daemon.set_clock(due_on("2017-02"))
    daemon.start()
    try:
        daemon.wait(lambda: "SUCCESS" in statuses(home, "2017-02"), PATIENCE)
        daemon.stop()  # cut off
        obstacle = home / "reports" / failing
        obstacle.parent.mkdir(exist_ok=True)
        obstacle.write_text("in the way", "utf-8")
        daemon.set_clock(due_on(after[-1]))
        daemon.start()
        daemon.wait(lambda: "FAILURE" in statuses(home, failing), PATIENCE * 2)
        obstacle.unlink()
        daemon.wait(lambda: len(daemon.closings()) > missed, PATIENCE * 2)
        time.sleep(45)  # nothing may follow
    finally:
        daemon.stop()


# --- kills ----------------------------------------------------------------------------------------


class Watch:
    """How long a run counts as under way although its process is gone."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.since: dict[str, float] = {}
        self.held: list[float] = []

    def look(self) -> None:
        """Take note of runs whose process is gone, and of those that were freed."""
        now, status = time.monotonic(), runs(self.home)
        for run_id, pid in at_work(self.home).items():
            if gone(pid):
                self.since.setdefault(run_id, now)
        for run_id in [run for run in self.since if status.get(run) not in ACTIVE]:
            self.held.append(now - self.since.pop(run_id))

    @property
    def words(self) -> str:
        """Number of such runs, the median and the longest time in seconds."""
        held = sorted(self.held)
        if not held:
            return "no slot was held by a process that is gone"
        return (f"{len(held)} slots held by a process that is gone, median "
                f"{held[len(held) // 2]:.0f} s, longest {held[-1]:.0f} s")  # fmt: skip


class Moment:
    """When to kill next. A daemon is mostly left to come to life first: one killed again and again while
    it starts proves little; three in ten are killed at any moment."""

    def __init__(self, chance: random.Random, part: str) -> None:
        self.since = datetime.now(UTC)
        self.needs_life = part == "daemons" and chance.random() < 0.7
        self.after = chance.uniform(0, 6 if part == "workers" else 20)

    def has_come(self, home: Path) -> bool:
        """Whether it is time."""
        if self.needs_life and beats(home / "dagster", self.since):
            self.since, self.needs_life = datetime.now(UTC), False
        passed = (datetime.now(UTC) - self.since).total_seconds()
        return not self.needs_life and passed >= self.after


def kills(folder: Path, part: str, count: int, periods: int, seed: int) -> bool:
    """Kill workers or daemons while ``periods`` periods are due, then let it finish in peace."""
    home, began, chance = folder / part, time.monotonic(), random.Random(f"{part} {seed}")
    daemon = bureau(home, "2017-03", count + 5)
    after = months("2017-02", periods)
    daemon.set_clock(due_on(after[-1]))
    with counted() as spent:
        watch, done = _killed(daemon, part, count, periods, chance)
    wrong = exactly_once(daemon, after)
    if watch.held and max(watch.held) > LIMIT:
        wrong.append(f"a slot was held for more than {LIMIT:.0f} s")
    print(f"{part}: {done} kills during {periods} due periods, seed {seed}: {watch.words}; "
          f"{'; '.join(wrong) or 'each period once'} "
          f"({time.monotonic() - began:.0f} s, CPU {spent[0]:.0f} s)", flush=True)  # fmt: skip
    return not wrong


def _killed(
    daemon: Daemon, part: str, count: int, periods: int, chance: random.Random
) -> tuple[Watch, int]:
    """Kill, ``count`` times, until every period is built; what was seen, and the number of kills."""
    home = daemon.home
    daemon.start()
    watch, done, next_kill = Watch(home), 0, Moment(chance, part)
    last = time.monotonic() + PATIENCE * 3
    try:
        while len(set(daemon.closings())) < periods or watch.since:
            if time.monotonic() > last:
                break
            watch.look()
            if done < count and next_kill.has_come(home):
                killed = _kill_worker(home) if part == "workers" else _kill_daemon(daemon, chance)
                done += killed
                if killed:
                    next_kill = Moment(chance, part)
            time.sleep(0.4)
    finally:
        daemon.stop()
    return watch, done


def _kill_worker(home: Path) -> bool:
    for pid in at_work(home).values():
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)
            return True
    return False


def _kill_daemon(daemon: Daemon, chance: random.Random) -> bool:
    """The daemon alone, or everything of it at once; started again right away."""
    assert daemon.process is not None
    if chance.random() < 0.5:
        daemon.stop()
    else:
        os.kill(daemon.process.pid, signal.SIGKILL)
        daemon.process.wait()
    daemon.start()
    return True


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--missed", default="1,2,7,40")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--periods", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--part", default="all", choices=["all", "outages", "workers", "daemons"])
    said = parser.parse_args()
    good = []
    with tempfile.TemporaryDirectory(prefix="parkwatch-outage-") as name:
        folder = said.folder or Path(name)
        if said.part in ("all", "outages"):
            good += [outage(folder, int(n)) for n in said.missed.split(",")]
        for part in ("workers", "daemons"):
            if said.part in ("all", part):
                good.append(kills(folder, part, said.kills, said.periods, said.seed))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
