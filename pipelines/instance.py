"""The Dagster instance of a workspace: its settings file, made before anything uses it.

Belongs here: what the shipped ``dagster.yaml`` says and that it exists. Does not belong here: jobs.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from warehouse.workspace import HOME_VARIABLE

DAGSTER_YAML = """\
# Instance of this workspace. Nothing is sent anywhere; one run at a time; old ticks are purged.
telemetry: {enabled: false}
nux: {enabled: false}
concurrency:
  runs:
    max_concurrent_runs: 1
    tag_concurrency_limits: [{key: parkwatch/writer, limit: 1}]
run_monitoring:
  enabled: true
  start_timeout_seconds: 180
  max_runtime_seconds: 7200
  poll_interval_seconds: 30
  free_slots_after_run_end_seconds: 30
freshness: {enabled: true}
retention:
  schedule: {purge_after_days: 90}
  sensor: {purge_after_days: {skipped: 7, failure: 30, success: 30}}
"""


STORAGE_VARIABLE = "PARKWATCH_DAGSTER_STORAGE"
"""URL of Dagster's own PostgreSQL, with its password: runs and events of several machines go there."""

SHARED_STORAGE = (
    DAGSTER_YAML + f"storage: {{postgres: {{postgres_url: {{env: {STORAGE_VARIABLE}}}}}}}\n"
)


def prepare(dagster_home: Path) -> None:
    """Make the instance folder with the shipped settings; settings somebody wrote are left alone.

    With ``PARKWATCH_DAGSTER_STORAGE`` in the environment history is kept in that PostgreSQL database.
    """
    dagster_home.mkdir(parents=True, exist_ok=True)
    settings = dagster_home / "dagster.yaml"
    wanted = SHARED_STORAGE if os.environ.get(STORAGE_VARIABLE) else DAGSTER_YAML
    shipped = {DAGSTER_YAML, SHARED_STORAGE}
    if not settings.exists() or settings.read_text(encoding="utf-8") in shipped - {wanted}:
        settings.write_text(wanted, encoding="utf-8")


def use(home: Path, dagster_home: Path) -> None:
    """Point this process, and what it starts, at a workspace and its instance."""
    prepare(dagster_home)
    os.environ[HOME_VARIABLE] = str(home)
    os.environ["DAGSTER_HOME"] = str(dagster_home)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"


@contextlib.contextmanager
def kept_open(instance: Any, run_id: str) -> Iterator[None]:
    """Hold the instance's SQLite files open while a run in this process writes its events.

    Dagster opens and closes a connection for every event; the last one to close writes the journal
    back and deletes it. With one more connection idle beside them that happens once, at the end.
    Instances that keep events elsewhere (PostgreSQL) are left alone.
    """
    from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

    storage = instance.event_log_storage
    with contextlib.ExitStack() as held:
        if isinstance(storage, SqliteEventLogStorage):
            with storage.run_connection(run_id):
                pass  # makes the run's file
            folder = Path(storage.path_for_shard(run_id)).parent
            for path in (folder / f"{run_id}.db", folder / "index.db", folder.parent / "runs.db"):
                if path.exists():
                    connection = held.enter_context(contextlib.closing(sqlite3.connect(path)))
                    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield
