"""Dagster's history after ten years of monthly runs: how large is it, how long is a page, what may go?

    python -m bench.torture.history [--months 120]

A small bureau makes one real run; its history (runs, events, index, outcomes of checks, captured output)
is copied for every month before, dates, periods and run ids changed, as if each had been run then.
Measured: bytes of Dagster's home, the first page of the list of runs (the query the pages ask, by
GraphQL), ``parkwatch status`` and ``parkwatch run``. The next run removes those older than
``keep_runs_days``. Nothing of a removed run may be left in any file, none too old may be there, no other may
be gone, and ``parkwatch verify`` must find nothing wrong. Ends with 1 when one of these fails or a
page takes longer than 3 s.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.torture.runs import PERIOD, county_start
from tests.support.workspaces import parkwatch

PAGE_SECONDS = 3.0
MONTH = timedelta(days=30.4)
APART = 10_000_000
"""Room between the ids of one copy and the next."""
RUNS_PAGE = """{ runsFeedOrError(limit: 30, view: RUNS) { ... on RunsFeedConnection { hasMore results {
  id runStatus creationTime startTime endTime jobName tags { key value }
  assetSelection { path } assetCheckSelection { name } } } } }"""


# --- ten years ------------------------------------------------------------------------------------


@contextlib.contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """A file of Dagster, committed when left."""
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        yield connection


def add_copy(
    connection: sqlite3.Connection, table: str, run_id: str, changed: dict[str, Any], number: int
) -> None:
    """Rows of a run once more: ids moved out of the way, the run's id replaced wherever it stands,
    columns of ``changed`` set."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    moved = {"id", "event_id", "evaluation_event_storage_id", "materialization_event_storage_id"}
    said = []
    for column in columns:
        if column in changed:
            said.append(f":{column}")
        elif column in moved:
            said.append(f"{column} + {number * APART}")
        else:
            said.append(
                f"CASE typeof({column}) WHEN 'text' THEN replace({column}, :old, :new) ELSE {column} END"
            )
    where = "run_id = :old"
    if table == "asset_event_tags":
        where = "event_id IN (SELECT id FROM event_logs WHERE run_id = :old)"
    connection.execute(
        f"INSERT INTO {table} SELECT {', '.join(said)} FROM {table} WHERE {where}",
        {"old": run_id, **changed},
    )


def copy_run(home: Path, run_id: str, number: int) -> None:
    """The run's history once more, ``number`` months earlier."""
    history = home / "dagster" / "history"
    new, shift = str(uuid.UUID(int=number, version=4)), number * MONTH
    year, month = divmod(int(PERIOD[:4]) * 12 + int(PERIOD[5:]) - 1 - number, 12)
    with opened(history / "runs.db") as runs:
        row = runs.execute("SELECT create_timestamp, start_time, end_time FROM runs WHERE run_id = ?",
                           (run_id,)).fetchone()  # fmt: skip
        at = (datetime.fromisoformat(row[0]) - shift).isoformat(sep=" ")
        times = {"create_timestamp": at, "update_timestamp": at,
                 "start_time": row[1] - shift.total_seconds(),
                 "end_time": row[2] - shift.total_seconds()}  # fmt: skip
        add_copy(runs, "runs", run_id, {"new": new, **times}, number)
        add_copy(runs, "run_tags", run_id, {"new": new}, number)
        period = f"{year}-{month + 1:02d}"
        runs.execute("UPDATE runs SET run_body = replace(run_body, ?, ?), partition = ? "
                     "WHERE run_id = ?", (PERIOD, period, period, new))  # fmt: skip
        runs.execute("UPDATE run_tags SET value = ? WHERE run_id = ? AND key = 'dagster/partition'",
                     (period, new))  # fmt: skip
    shutil.copyfile(history / "runs" / f"{run_id}.db", history / "runs" / f"{new}.db")
    with opened(history / "runs" / f"{new}.db") as events:
        for column in ("run_id", "event"):
            events.execute(
                f"UPDATE event_logs SET {column} = replace({column}, ?, ?)", (run_id, new)
            )
    with opened(history / "runs" / "index.db") as index:
        for table in ("event_logs", "asset_event_tags", "asset_check_executions"):
            add_copy(index, table, run_id, {"new": new}, number)
    stored = home / "dagster" / "storage"
    shutil.copytree(stored / run_id, stored / new)


def closed(home: Path, months: int) -> None:
    """The ledger says each of those periods was closed."""
    from warehouse.closings import Closings

    for number in range(months):
        year, month = divmod(int(PERIOD[:4]) * 12 + int(PERIOD[5:]) - 1 - number, 12)
        Closings(home / "state.sqlite").record(
            f"{year}-{month + 1:02d}", f"month {number}", datetime(year, month + 1, 28, tzinfo=UTC)
        )


# --- what is measured -----------------------------------------------------------------------------


def size(home: Path) -> float:
    """MiB of Dagster's home."""
    files = (p for p in (home / "dagster").rglob("*") if p.is_file())
    return sum(p.stat().st_size for p in files) / 2**20


def used(home: Path) -> float:
    """The same without pages that are free for the next runs."""
    free = 0
    for name in ("runs.db", "runs/index.db"):
        with opened(home / "dagster" / "history" / name) as there:
            free += (there.execute("PRAGMA freelist_count").fetchone()[0]
                     * there.execute("PRAGMA page_size").fetchone()[0])  # fmt: skip
    return size(home) - free / 2**20


def page(instance: Any) -> tuple[float, int]:
    """Wall seconds of the first page of the list of runs, the second time it is asked for, and its rows."""
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import EmptyWorkspaceTarget
    from dagster_graphql.schema import create_schema

    schema, seconds, rows = create_schema(), 0.0, 0
    with WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as process:
        for _ in range(2):
            began = time.perf_counter()
            said = schema.execute(RUNS_PAGE, context_value=process.create_request_context())
            seconds = time.perf_counter() - began
            if said.errors:
                raise RuntimeError(str(said.errors[0]))
            rows = len(said.data["runsFeedOrError"]["results"])
    return seconds, rows


def command(home: Path, *words: str) -> float:
    """CPU seconds of a command. RuntimeError when it fails."""
    before = os.times()
    told = parkwatch(*words, "--home", home)
    after = os.times()
    if told.returncode not in (0, 3):
        raise RuntimeError(f"{words}: {told.returncode} {told.stderr[-300:]}")
    return (after.children_user + after.children_system
            - before.children_user - before.children_system)  # fmt: skip


def measured(home: Path, instance: Any, when: str) -> float:
    """Print everything that may grow; seconds of a page."""
    seconds, rows = page(instance)
    print(f"{when}: {instance.get_runs_count()} runs, {size(home):.1f} MiB ({used(home):.1f} in use), "
          f"page of {rows} runs {seconds:.2f} s, status {command(home, 'status'):.2f} CPU s, "
          f"run {command(home, 'run', '--period', PERIOD):.1f} CPU s", flush=True)  # fmt: skip
    return seconds


def traces(home: Path, gone: set[str]) -> list[str]:
    """Files below Dagster's home that still tell of a removed run."""
    found = [str(p) for p in (home / "dagster").rglob("*") if any(one in p.name for one in gone)]
    for file, tables in {"runs.db": ("runs", "run_tags"),
                         "runs/index.db": ("event_logs", "asset_check_executions")}.items():  # fmt: skip
        with opened(home / "dagster" / "history" / file) as there:
            for table in tables:
                left = {row[0] for row in there.execute(f"SELECT DISTINCT run_id FROM {table}")}
                found += [f"{file} {table}: {one}" for one in sorted(left & gone)]
    return found


def campaign(folder: Path, months: int) -> bool:
    """Ten years, and what is left of them; True when every promise held."""
    from pipelines.instance import use
    from pipelines.settings import load_workspace

    home = county_start(folder)
    workspace = load_workspace(home)
    use(home, workspace.dagster_home)
    import dagster as dg

    instance = dg.DagsterInstance.get()
    run_id = instance.get_runs()[0].run_id
    seconds = [measured(home, instance, "one run")]
    for number in range(1, months):
        copy_run(home, run_id, number)
    closed(home, months)
    before = {run.run_id for run in instance.get_runs()}
    seconds.append(page(instance)[0])
    print(f"{months} months: {len(before)} runs, {size(home):.1f} MiB, page {seconds[-1]:.2f} s, "
          f"status {command(home, 'status'):.2f} CPU s", flush=True)  # fmt: skip
    old = {uuid.UUID(int=n, version=4).__str__() for n in range(1, months)
           if n * MONTH.days > workspace.automation.keep_runs_days}  # fmt: skip
    print(
        f"the next run removes them: {command(home, 'run', '--period', PERIOD):.1f} CPU s",
        flush=True,
    )
    left = {run.run_id for run in instance.get_runs()}
    gone = before - left
    seconds.append(measured(home, instance, "afterwards"))
    found = traces(home, gone)
    intact = parkwatch("verify", "--home", home).returncode == 0
    print(f"{len(gone)} of {len(before)} runs removed, {len(old - gone)} too old are there, "
          f"{len(found)} traces of removed ones; "
          f"verify {'finds nothing' if intact else 'FAILS'}")  # fmt: skip
    return max(seconds) <= PAGE_SECONDS and not old - gone and gone <= old and not found and intact


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--months", type=int, default=120)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parkwatch-history-") as name:
        return 0 if campaign(Path(name), told.months) else 1


if __name__ == "__main__":
    sys.exit(main())
