"""The Dagster instance of a workspace: its settings file, made before anything uses it.

Belongs here: what the shipped ``dagster.yaml`` says and that it exists. Does not belong here: jobs.
"""

from __future__ import annotations

import contextlib
import functools
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


EVENT_WAIT_SECONDS = 60.0  # for another process that is writing the same event file
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
def waiting_seldom() -> Iterator[None]:
    """SQLite files of Dagster wait for the disk when their journal is written back, not at every commit.

    Making the files of a new instance is some 80 commits, a run some 60 more besides its events, and
    each closing of a file's last connection. WAL with ``synchronous = NORMAL``: a power cut may lose the
    end of the history, never a file; what must not be lost is in the workspace's own ledger. A run whose
    end is lost is freed like one that was killed.
    """
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    held: dict[str, sqlite3.Connection] = {}

    def connected(connection: Any, _record: Any) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        file = connection.execute("PRAGMA database_list").fetchone()[2]
        if file and file not in held:  # the last one to close writes the journal back
            held[file] = sqlite3.connect(file, check_same_thread=False)
            held[file].execute("PRAGMA schema_version")

    event.listen(Engine, "connect", connected)
    try:
        yield
    finally:
        event.remove(Engine, "connect", connected)
        for connection in held.values():
            connection.close()


@contextlib.contextmanager
def kept_open(instance: Any) -> Iterator[None]:
    """Keep the instance's SQLite event files open while a run in this process writes its events.

    Dagster makes an engine, opens and closes a file for every event, about 600 a run. Here each file
    has one connection until the run ends. Instances that keep events elsewhere (PostgreSQL) are left
    alone.
    """
    from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

    storage = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage):
        yield
        return
    connect = storage._connect
    with contextlib.ExitStack() as held:
        shards: dict[str, Any] = {}

        @contextlib.contextmanager
        def kept(shard: str) -> Iterator[Any]:
            if shard not in shards:
                with connect(shard):
                    pass  # makes the file
            with storage._db_lock:
                if shard not in shards:
                    shards[shard] = held.enter_context(_connection(storage, shard))
                with shards[shard].begin():
                    yield shards[shard]

        storage._connect = kept  # type: ignore[method-assign]
        held.callback(setattr, storage, "_connect", connect)
        # asked for every event of a check, with an engine and a file of its own each time
        storage.has_table = functools.cache(storage.has_table)  # type: ignore[method-assign]
        held.callback(delattr, storage, "has_table")
        yield


@contextlib.contextmanager
def _connection(storage: Any, shard: str) -> Iterator[Any]:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    engine = create_engine(
        storage.conn_string_for_shard(shard),
        poolclass=NullPool,
        connect_args={"timeout": EVENT_WAIT_SECONDS, "check_same_thread": False},
    )
    with engine.connect() as connection:
        yield connection
    engine.dispose()
