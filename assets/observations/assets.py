"""Dagster assets of stage 2: observations with vintages and their revisions."""

import dagster as dg

from assets.build import Build, describe
from assets.submissions.assets import PERIODS, result, spec
from warehouse import derive


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
