"""The one resource of the project: a build of the current workspace, with the writer's lock held.

Belongs here: opening the workspace for a run and closing it. Does not belong here: anything done with
it (the assets).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

import dagster as dg

from assets.build import Build, Progress, no_progress
from pipelines.settings import load_workspace
from warehouse.state import State
from warehouse.store import FAR_FUTURE, Warehouse
from warehouse.workspace import Workspace

ASOF_TAG = "parkwatch/asof"

watcher: ContextVar[Progress] = ContextVar("watcher", default=no_progress)
"""Progress display of the command that launches a run in this very process."""


@contextmanager
def open_build(
    workspace: Workspace, run_id: str, asof: str | None = None, period: str | None = None
) -> Iterator[Build]:
    """A build of ``workspace``: lock held, catalogue loaded; the work file comes with first use.

    Raises WarehouseBusyError when another process builds, CatalogError when the catalogue is wrong.
    """
    from warehouse.catalog.load import load_catalog

    warehouse = Warehouse(workspace)
    with warehouse.writer_lock():
        catalog = load_catalog(workspace.catalog, workspace.catalog_base)
        yield Build(
            workspace=workspace,
            catalog=catalog,
            warehouse=warehouse,
            state=State(workspace.state_file),
            now=datetime.now(UTC).replace(tzinfo=None),
            asof=asof or FAR_FUTURE,
            run_id=run_id,
            period=period,
        )


@dg.resource(description="工作区的一次构建:独占写锁、政策目录、工作库。One build of the workspace.")
def build_resource(context: dg.InitResourceContext) -> Iterator[Build]:
    """Build for the run that asks; the workspace comes from PARKWATCH_HOME."""
    tags = context.run.tags if context.run else {}
    workspace = load_workspace()
    period = tags.get("dagster/partition")
    with open_build(workspace, context.run_id or "", tags.get(ASOF_TAG), period) as build:
        build.progress = watcher.get()
        yield build
        if build.begun and workspace.work_file.exists() and not _failed(context):
            build.publish(None)  # single assets launched by hand: their result must be seen too


def _failed(context: dg.InitResourceContext) -> bool:
    """Whether any step of the run failed or never finished."""
    if context.instance is None or context.run_id is None:
        return False
    steps = context.instance.get_run_step_stats(context.run_id)
    return any(step.status.value != "SUCCESS" for step in steps)
