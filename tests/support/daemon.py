"""A real daemon over a workspace, with a clock that can be moved, for rehearsing outages.

Belongs here: starting and stopping it, moving the clock, killing its worker, what runs it made.
Does
not belong here: expectations.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines import instance, reconcile
from warehouse.closings import Closings

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("reconcile", "due_periods", "inbox", "alert_on_failure")


@dataclass
class Daemon:
    """The daemon of one workspace."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def clock_file(self) -> Path:
        """Where the clock of the rehearsal stands."""
        return self.home / "clock.txt"

    def set_clock(self, moment: datetime) -> None:
        """Move the clock."""
        partial = self.clock_file.with_suffix(".part")
        partial.write_text(moment.isoformat(), encoding="ascii")
        os.replace(partial, self.clock_file)

    def start(self) -> None:
        """Start it, in a session of its own so that all of it can be ended."""
        instance.prepare(self.home / "dagster")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PARKWATCH_", "DAGSTER"))}
        log = (self.home / "daemon.log").open("ab")
        self.process = subprocess.Popen(
            [str(Path(sys.executable).with_name("dagster-daemon")), "run", "-w",
             str(ROOT / "workspace.yaml")],
            env=clean | self.environment | {
                "PARKWATCH_HOME": str(self.home),
                "PARKWATCH_CLOCK_FILE": str(self.clock_file),
                "DAGSTER_HOME": str(self.home / "dagster"),
                "DAGSTER_DISABLE_TELEMETRY": "1",
            },
            stdout=log, stderr=log, start_new_session=True, cwd=self.home,
        )  # fmt: skip

    def stop(self, *, kill: bool = True) -> None:
        """End the daemon and everything it started: like a power cut, or in good order."""
        if self.process is None:
            return
        os.killpg(self.process.pid, signal.SIGKILL if kill else signal.SIGTERM)
        self.process.wait()
        self.process = None

    # --- what it did -----------------------------------------------------------------------------

    def closings(self) -> list[str]:
        """Periods built to their end, in order of their beginning."""
        return [row["period"] for row in Closings(self.home / "state.sqlite").builds()]

    def runs(self) -> list[dict[str, Any]]:
        """Every run by time of creation: id, period, attempt, reason, status, process."""
        import dagster as dg

        with dg.DagsterInstance.from_config(str(self.home / "dagster")) as there:
            return [
                {
                    "run_id": record.dagster_run.run_id,
                    "period": record.dagster_run.tags.get("dagster/partition"),
                    "attempt": record.dagster_run.tags.get("parkwatch/attempt"),
                    "reason": record.dagster_run.tags.get("parkwatch/reason"),
                    "status": record.dagster_run.status.value,
                    "process": reconcile.process_of(record.dagster_run.tags),
                    "ended": record.end_time,
                }
                for record in there.get_run_records(ascending=True)
            ]

    def failures(self) -> list[tuple[str, str]]:
        """Period and cause of every failed run, in order: the first failure its events tell."""
        import dagster as dg

        kinds = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
        found = []
        with dg.DagsterInstance.from_config(str(self.home / "dagster")) as there:
            failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])
            for record in there.get_run_records(failed, ascending=True):
                run = record.dagster_run
                told = [_words(entry) for entry in there.all_logs(run.run_id, of_type=kinds)]
                found.append((run.tags.get("dagster/partition", ""), (told or ["no event"])[0]))
        return found

    def wait(self, until: Callable[[], Any], seconds: float) -> Any:
        """The first true answer of ``until``; AssertionError with the log's end when none comes."""
        last = time.monotonic() + seconds
        while time.monotonic() < last:
            if answer := until():
                return answer
            time.sleep(0.5)
        tail = (self.home / "daemon.log").read_text(encoding="utf-8", errors="replace")[-3000:]
        raise AssertionError(f"not within {seconds} s; closed {self.closings()}\n{tail}")

    def kill_worker(self, period: str, seconds: float) -> str:
        """SIGKILL the process working on ``period`` as soon as there is one; the run's id."""
        run = self.wait(lambda: self._worked_on(period), seconds)
        os.kill(run["process"].pid, signal.SIGKILL)
        return str(run["run_id"])

    def _worked_on(self, period: str) -> dict[str, Any] | None:
        for run in self.runs():
            if run["period"] == period and run["process"] and run["status"] == "STARTED":
                return run
        return None


def _words(entry: Any) -> str:
    """Step, message and the error at the bottom of a failure."""
    event = entry.get_dagster_event()
    error = getattr(event.event_specific_data, "error", None)
    while error is not None and error.cause is not None:
        error = error.cause
    what = error.message.strip() if error is not None else event.message or ""
    return f"{event.step_key or 'run'}: {what}"[:500]
