"""Dagster assets of stage 2: observations with vintages."""

import dagster as dg

from assets.build import Build, describe
from assets.submissions.assets import PERIODS, result
from warehouse import derive
from warehouse.schema import upstream_keys


@dg.asset(
    key=["observations", "observation"],
    deps=upstream_keys("observations.observation"),
    partitions_def=PERIODS,
)
def observation(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Vintages of the periods that changed, from accepted cells only."""
    with build.step("更新观测值") as connection:
        derive.refresh_observations(connection)
        where = f"period = '{context.partition_key}'"
        return result(describe(connection, "observations.observation", where))
