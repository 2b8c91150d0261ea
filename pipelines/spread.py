"""Shares of a derivation on workers: one Dagster run that fans out by province and comes back.

Belongs here: the job of shares, its executor by ``[engine] workers``, launching it and waiting. Does not
belong here: what a share is and how it is derived (``assets.indicators.divided``).
"""

# No "from __future__ import annotations": Dagster reads the annotations of ops.
from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from assets.indicators.divided import Share, derive_share
from pipelines.settings import load_workspace
from warehouse.workspace import Engine, Workspace

SHARES = "park_month_shares"


class WorkersFailedError(RuntimeError):
    """Some shares were not derived; the run's page in Dagster says why."""


@dg.op(out=dg.DynamicOut(dict), config_schema={"shares": [dg.Permissive()]})
def plan(context: dg.OpExecutionContext):
    """One output per share: a province and the months it is derived for."""
    for number, said in enumerate(context.op_config["shares"]):
        key = "".join(c if c.isalnum() else "_" for c in str(said["province"]))
        yield dg.DynamicOutput(dict(said), mapping_key=f"p{key}_{number}")


@dg.op(retry_policy=dg.RetryPolicy(max_retries=2, delay=2))
def derive(context: dg.OpExecutionContext, said: dict) -> int:
    """Park-months of one share, from the lake into the lake. May be done twice: parts are replaced."""
    from warehouse.catalog.load import load_catalog

    workspace = load_workspace()
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    share = Share.from_config(said)
    n_rows = derive_share(workspace, catalog, share)
    context.add_output_metadata({"province": share.province, "rows": n_rows})
    return n_rows


@dg.op
def total(counts: list[int]) -> int:
    """Rows of all shares."""
    return sum(counts)


@dg.graph(name=SHARES)
def shares_graph():
    """Every share by itself, then their number of rows."""
    total(plan().map(derive).collect())


def shares_job() -> dg.JobDefinition:
    """The job with the executor the workspace's settings name; workers make it the same way."""
    return shares_graph.to_job(executor_def=_executor(load_workspace().engine))


def _executor(engine: Engine) -> dg.ExecutorDefinition:
    if engine.workers == "celery":
        from dagster_celery import celery_executor

        return celery_executor
    if engine.workers == "k8s":
        from dagster_k8s import k8s_job_executor

        return k8s_job_executor
    return dg.multiprocess_executor


def _execution(engine: Engine) -> dict[str, Any]:
    """Run configuration of the executor."""
    own: dict[str, Any] = {"max_concurrent": engine.at_once}
    if engine.workers == "celery":
        own = {"broker": engine.broker, "backend": engine.broker}
    return {"config": {**own, **engine.executor}}


def on_workers(workspace: Workspace) -> Callable[[Sequence[Share]], None]:
    """What a build calls to have its shares derived."""

    def spread(shares: Sequence[Share]) -> None:
        config = {
            "ops": {"plan": {"config": {"shares": [share.to_config() for share in shares]}}},
            "execution": _execution(workspace.engine),
            "loggers": {"console": {"config": {"log_level": "ERROR"}}},
        }
        with dg.execute_job(
            dg.reconstructable(shares_job),
            instance=dg.DagsterInstance.get(),
            run_config=config,
        ) as result:
            if not result.success:
                failed = [e.step_key for e in result.all_events if e.is_step_failure]
                raise WorkersFailedError(
                    f"{len(failed)} 个分片未算成({'、'.join(map(str, failed[:5]))}),"
                    f"详情见 Dagster 运行 {result.run_id}"
                )

    return spread
