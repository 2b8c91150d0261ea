"""Dagster assets of stage 2: triage, observations and their revisions, gaps, reporters' record.

Belongs here: the assets of this stage. Does not belong here: how vintages are told apart
(``warehouse``), what a finding keeps back (``quality.triage``).
"""

import dagster as dg

from assets.build import Build, describe
from assets.observations import triage as triaging
from assets.submissions.assets import PERIODS, result, spec
from warehouse import derive
from warehouse.schema import upstream_keys


@dg.asset(key=["quality", "triage"], deps=upstream_keys("quality.triage"), partitions_def=PERIODS)
def triage(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """What findings do to the figures they are about, and what became of each file."""
    with build.step("审核分流") as connection:
        triaging.triage(connection, build, context.partition_key)
        return result(describe(connection, "quality.triage", f"period = '{context.partition_key}'"))


@dg.multi_asset(
    specs=[
        spec("observations.observation"),
        spec("observations.revision"),
        spec("observations.revision_summary"),
    ],
    name="refresh_observations",
    partitions_def=PERIODS,
)
def observation(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Vintages of the periods that changed, from accepted cells only, and how figures changed."""
    with build.step("更新观测值") as connection:
        derive.refresh_observations(connection)
        where = f"period = '{context.partition_key}'"
        yield result(describe(connection, "observations.observation", where))
        yield result(describe(connection, "observations.revision", where))
        yield result(describe(connection, "observations.revision_summary"))


@dg.asset(key=["quality", "gap"], deps=upstream_keys("quality.gap"), partitions_def=PERIODS)
def gap(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Parks whose figures are missing or stand on an earlier delivery, and what share that is."""
    with build.step("缺报影响") as connection:
        triaging.gaps(connection, build)
        return result(describe(connection, "quality.gap", f"period = '{context.partition_key}'"))


@dg.asset(
    key=["quality", "reporter_record"],
    deps=upstream_keys("quality.reporter_record"),
    partitions_def=PERIODS,
)
def reporter_record(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Punctuality, returns, problems and false alarms of each reporter and period."""
    with build.step("报送质量记录") as connection:
        triaging.records(connection)
        where = f"period = '{context.partition_key}'"
        return result(describe(connection, "quality.reporter_record", where))
