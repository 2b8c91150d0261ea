"""Dagster assets of stage 4: verdicts of every target in force."""

import dagster as dg

from assets.build import Build, describe
from assets.submissions.assets import PERIODS, result
from assets.targets import store_rows
from warehouse.schema import upstream_keys


@dg.asset(key=["targets", "verdict"], deps=upstream_keys("targets.verdict"), partitions_def=PERIODS)
def verdict(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Judge every target as of the period; each row says why."""
    with build.step("判定目标") as connection:
        store_rows.judge(connection, build, context.partition_key)
        where = f"asof_period = '{context.partition_key}' AND verdict <> 'manual'"
        return result(describe(connection, "targets.verdict", where))
