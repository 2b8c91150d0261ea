"""Runs whose process is gone are freed: Dagster itself leaves a killed run STARTED for ever.

Belongs here: marking a run with the process that works on it (host, boot, pid, start time of the
process) and failing marked runs whose process does not exist any more. Does not belong here: asking
for the run again (``due``, ``sensors``).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance, RunRecord

    from warehouse.state import State

HOST, BOOT, PID, BORN = (f"parkwatch/{name}" for name in ("host", "boot", "pid", "process_start"))
UNMARKED_SECONDS = 40.0
"""A run that was launched but told of no process is taken for dead after this time, after longer on a
machine with more to do than it can: a process takes seconds of computing before it can tell. Wrongly so
costs an attempt and does no harm: a process that finds its run ended stops before it does anything
(``resources``)."""
GONE = "运行所在进程已不存在(被终止或机器重启),已释放;到期的报告期会自动重新运行"


@dataclass(frozen=True, slots=True)
class Process:
    """A process that cannot be mistaken for a later one with the same number."""

    host: str
    boot: str
    pid: int
    born: str

    @property
    def tags(self) -> dict[str, str]:
        """As run tags."""
        return {HOST: self.host, BOOT: self.boot, PID: str(self.pid), BORN: self.born}


def this_process() -> Process:
    """The process that asks."""
    pid = os.getpid()
    return Process(socket.gethostname(), _boot(), pid, _born(pid) or "")


def process_of(tags: Mapping[str, str]) -> Process | None:
    """The process a run was marked with."""
    if PID not in tags:
        return None
    return Process(tags.get(HOST, ""), tags.get(BOOT, ""), int(tags[PID]), tags.get(BORN, ""))


def is_alive(process: Process) -> bool:
    """Whether the process still exists. One of another host counts as alive: we cannot look there."""
    if process.host != socket.gethostname():
        return True
    return process.boot == _boot() and _born(process.pid) == process.born


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _born(pid: int) -> str | None:
    """Start time of a process in clock ticks since boot; None when it is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before may hold spaces and brackets
    return None if fields[0] in ("Z", "X") else fields[19]


def free_lost_runs(instance: DagsterInstance, state: State) -> list[str]:
    """Fail every run whose process is gone, in Dagster and in the ledger; returns their ids."""
    import dagster as dg

    under_way = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED,
                 dg.DagsterRunStatus.CANCELING]  # fmt: skip
    lost = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=under_way)):
        if _is_lost(instance, record):
            instance.report_run_failed(record.dagster_run, GONE)
            lost.append(record.dagster_run.run_id)
    _settle_ledger(instance, state)
    return lost


def _is_lost(instance: DagsterInstance, record: RunRecord) -> bool:
    process = process_of(record.dagster_run.tags)
    if process is not None:
        return not is_alive(process)
    launched = _launched(instance, record.dagster_run.run_id)
    if launched is not None:
        return not _is_worker(launched)
    since = record.start_time or record.update_timestamp.timestamp()
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return time.time() - since > UNMARKED_SECONDS * max(1.0, load)


def _launched(instance: DagsterInstance, run_id: str) -> int | None:
    """Number of the process Dagster says it started for a run, before that can mark the run itself."""
    import dagster as dg

    kind = dg.DagsterEventType.ENGINE_EVENT
    for told in instance.get_records_for_run(run_id, of_type=kind).records:
        event = told.event_log_entry.dagster_event
        if event is not None and (pid := event.engine_event_data.metadata.get("pid")):
            return int(str(pid.value))
    return None


def _is_worker(pid: int) -> bool:
    """Whether a process of this number is there and of the kind code servers start."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return _born(pid) is not None and b"multiprocessing" in command


def _settle_ledger(instance: DagsterInstance, state: State) -> None:
    """Ledger lines of runs that are over say so."""
    for row in state.runs(limit=50):
        if row["status"] != "running":
            continue
        run = instance.get_run_by_id(row["run_id"])
        if run is not None and run.is_finished and not run.is_success:
            at = datetime.now(UTC).isoformat(timespec="seconds")
            state.finish_run(row["run_id"], at, "failed", "运行中断:所在进程已不存在")
