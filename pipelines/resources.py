"""The one resource of the project: a build of the current workspace, with the writer's lock held.

Belongs here: opening the workspace for a run and closing it. Does not belong here: anything done with
it (the assets).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from assets.build import Build, Progress, no_progress
from pipelines import clock, outcome, reconcile, trouble, warming
from pipelines.jobs import WAIT_TAG
from pipelines.settings import load_workspace
from warehouse.state import State
from warehouse.store import FAR_FUTURE, Warehouse, WarehouseBusyError
from warehouse.workspace import Workspace

ASOF_TAG = "parkwatch/asof"

watcher: ContextVar[Progress] = ContextVar("watcher", default=no_progress)
"""Progress display of the command that launches a run in this very process."""

holder: ContextVar[Warehouse | None] = ContextVar("holder", default=None)
"""Warehouse whose lock that command already holds: between its look and the run nobody slips in."""


class RunEndedError(RuntimeError):
    """The run was declared ended before this process came to work on it."""


@contextmanager
def open_build(
    workspace: Workspace, run_id: str, asof: str | None = None, period: str | None = None
) -> Iterator[Build]:
    """A build of ``workspace``: lock held, catalogue loaded; the work file comes with first use.

    Raises WarehouseBusyError when another process builds, CatalogError when the catalogue is wrong.
    """
    from warehouse.catalog.load import load_catalog

    held = holder.get()
    warehouse = held if held and held.workspace.home == workspace.home else Warehouse(workspace)
    with warehouse.writer_lock(), warming.collecting_seldom():
        catalog = load_catalog(workspace.catalog, workspace.catalog_base)
        yield Build(
            workspace=workspace,
            catalog=catalog,
            warehouse=warehouse,
            state=State(workspace.state_file),
            now=clock.now().replace(tzinfo=None),
            asof=asof or FAR_FUTURE,
            run_id=run_id,
            period=period,
            spread=_spread(workspace),
        )


def _spread(workspace: Workspace) -> Callable[[Sequence[Any]], None] | None:
    """Workers of the distributed profile; the embedded one has none."""
    if not workspace.engine.is_distributed:
        return None
    from pipelines import spread

    return spread.on_workers(workspace)


@dg.resource(description="工作区的一次构建:独占写锁、政策目录、工作库。One build of the workspace.")
def build_resource(context: dg.InitResourceContext) -> Iterator[Build]:
    """Build for the run that asks; the workspace comes from PARKWATCH_HOME."""
    tags = context.run.tags if context.run else {}
    workspace = load_workspace()
    period = tags.get("dagster/partition")
    state = State(workspace.state_file)
    _mark(context)
    with ExitStack() as opened:
        build = _opened(opened, workspace, context.run_id or "", tags)
        build.validate = opened.enter_context(warming.validating(workspace)).ask
        state.start_run(build.run_id, period, _stamp())
        build.progress = watcher.get()
        try:
            yield build
        finally:
            failed = _failed(context)
            if build.begun and workspace.work_file.exists() and failed is None:
                build.publish(None)  # single assets launched by hand: their result must be seen too
            status, summary = outcome.of_run(state, period, failed)
            state.finish_run(build.run_id, _stamp(), status, summary)


def _mark(context: dg.InitResourceContext) -> None:
    """Say which process works on the run; RunEndedError when the run is over already."""
    if context.instance is None or not context.run_id:
        return
    run = context.instance.get_run_by_id(context.run_id)
    if run is None:
        return
    if run.is_finished:
        raise RunEndedError(f"运行 {context.run_id} 已结束({run.status.value}),本进程不再执行")
    context.instance.add_run_tags(context.run_id, reconcile.this_process().tags)


def _opened(opened: ExitStack, workspace: Workspace, run_id: str, tags: Mapping[str, str]) -> Build:
    """The build, once the writer's lock is free; waits as long as the run's tag allows."""
    until = time.monotonic() + float(tags.get(WAIT_TAG, "0"))
    while True:
        try:
            return opened.enter_context(
                open_build(workspace, run_id, tags.get(ASOF_TAG), tags.get("dagster/partition"))
            )
        except WarehouseBusyError:
            if time.monotonic() >= until:
                raise
            time.sleep(1)


def _stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _failed(context: dg.InitResourceContext) -> str | None:
    """Step and cause of the first failure of the run; None when every step ended well."""
    if context.instance is None or context.run_id is None:
        return None
    kind = dg.DagsterEventType.STEP_FAILURE
    told = context.instance.get_records_for_run(context.run_id, of_type=kind, limit=1).records
    if told and (event := told[0].event_log_entry.dagster_event):
        return trouble.why(event)
    steps = context.instance.get_run_step_stats(context.run_id)
    unfinished = [s.step_key for s in steps if s.status.value != "SUCCESS"]
    return f"{unfinished[0]}:没有完成" if unfinished else None
