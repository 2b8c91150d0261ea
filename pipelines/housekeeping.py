"""Old runs of the instance: Dagster keeps every run for ever unless somebody removes it.

Belongs here: which finished runs may go, and removing them with everything they left. Does not belong
here: builds (``warehouse.builds``) or backups. Nothing a figure is proved with is in Dagster's history:
receipts, runs and builds are in the workspace's own ledger and manifests.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
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
    found = [record.dagster_run for record in
             instance.get_run_records(old, limit=BATCH, ascending=True)]  # fmt: skip
    gone = [run.run_id for run in found if run.tags.get("dagster/partition", "") in ("", *closed)]
    for run_id in gone:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        for left in (workspace.dagster_home / "history" / "runs").glob(f"{run_id}.db*"):
            left.unlink(missing_ok=True)
    _forget_checks(instance, gone)
    return len(gone)


def _forget_checks(instance: DagsterInstance, gone: Sequence[str]) -> None:
    """Outcomes of checks, which ``delete_run`` leaves: two of three rows of the index after some years."""
    from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
    from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

    storage = instance.event_log_storage
    if gone and isinstance(storage, SqlEventLogStorage):
        checks = AssetCheckExecutionsTable
        with storage.index_connection() as connection:
            connection.execute(checks.delete().where(checks.c.run_id.in_(list(gone))))
