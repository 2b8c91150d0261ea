"""Dagster assets of stage 4: entered figures, verdicts of every target, overall lights, references.

Belongs here: the assets of this stage. Does not belong here: judging itself (the pure modules
beside this one).
"""

import dagster as dg

from assets.build import Build, describe
from assets.submissions.assets import PERIODS, result
from assets.targets import store_rows
from warehouse.schema import upstream_keys


@dg.asset(key=["targets", "input"], deps=upstream_keys("targets.input"), partitions_def=PERIODS)
def entered(build: dg.ResourceParam[Build]):
    """Figures of other bureaus, quotas and findings people entered; unused rows say why."""
    with build.step("读取补录数据") as connection:
        store_rows.enter(connection, build)
        return result(describe(connection, "targets.input"))


@dg.asset(key=["targets", "verdict"], deps=upstream_keys("targets.verdict"), partitions_def=PERIODS)
def verdict(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Judge every target as of the period; each row says why."""
    from assets.targets.probability import forecaster

    with build.step("判定目标") as connection:
        period = context.partition_key
        store_rows.judge(connection, build, period, forecaster(connection, build, period))
        where = f"asof_period = '{context.partition_key}' AND verdict <> 'manual'"
        return result(describe(connection, "targets.verdict", where))


@dg.asset(key=["targets", "overall"], deps=upstream_keys("targets.overall"), partitions_def=PERIODS)
def overall(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """One light for each subject and topic, decided by the strictest binding clause."""
    with build.looking() as connection:
        where = f"asof_period = '{context.partition_key}'"
        return result(describe(connection, "targets.overall", where))


@dg.asset(
    key=["targets", "reference_method"],
    deps=upstream_keys("targets.reference_method"),
    partitions_def=PERIODS,
)
def reference_method(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """The same verdicts by the methods of other trackers and cities, for comparison only."""
    with build.looking() as connection:
        where = f"asof_period = '{context.partition_key}'"
        return result(describe(connection, "targets.reference_method", where))
