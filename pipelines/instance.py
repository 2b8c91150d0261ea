"""The Dagster instance of a workspace: its settings file, made before anything uses it.

Belongs here: what the shipped ``dagster.yaml`` says and that it exists. Does not belong here: jobs.
"""

from __future__ import annotations

import os
from pathlib import Path

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
