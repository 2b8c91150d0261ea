"""Old runs of the instance: Dagster keeps every run for ever unless somebody removes it.

Belongs here: which finished runs may go, and removing them with their files. Does not belong here:
builds (``warehouse.builds``) or backups.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.closings import Closings
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    from dagster import DagsterInstance

BATCH = 200


def remove_old_runs(instance: DagsterInstance, workspace: Workspace, now: datetime) -> int:
    """Remove finished runs older than the settings keep, at most 200 a time; returns how many.

    A run of a period that is not closed stays: its attempts are still counted.
    """
    import dagster as dg

    before = now - timedelta(days=workspace.automation.keep_runs_days)
    over = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    old = dg.RunsFilter(statuses=over, created_before=before)
    closed = Closings(workspace.state_file).newest()
    removed = 0
    for record in instance.get_run_records(old, limit=BATCH, ascending=True):
        run = record.dagster_run
        if run.tags.get("dagster/partition", "") in ("", *closed):
            instance.delete_run(run.run_id)
            _history_file(workspace, run.run_id).unlink(missing_ok=True)  # left by delete_run
            removed += 1
    return removed


def _history_file(workspace: Workspace, run_id: str) -> Path:
    return workspace.dagster_home / "history" / "runs" / f"{run_id}.db"
