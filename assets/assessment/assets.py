"""Dagster assets of stage 5: simulated scores, their details, the watch list."""

import dagster as dg

from assets.assessment import store_rows
from assets.build import Build, describe
from assets.submissions.assets import PERIODS, result, spec


@dg.multi_asset(
    specs=[spec("assessment.score"), spec("assessment.score_detail"), spec("assessment.watch")],
    name="assess",
    partitions_def=PERIODS,
)
def assessment(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Score and rank the parks of every scheme; 模拟名次,非正式考核结果."""
    with build.step("模拟考核") as connection:
        store_rows.assess(connection, build, context.partition_key)
        where = f"asof_period = '{context.partition_key}'"
        for name in ("assessment.score", "assessment.score_detail", "assessment.watch"):
            yield result(describe(connection, name, where))
