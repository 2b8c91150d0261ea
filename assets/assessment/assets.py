"""Dagster assets of stage 5: confirmed outcomes; simulated scores, last places, the watch list."""

import dagster as dg

from assets.assessment import store_rows
from assets.build import Build, describe
from assets.submissions.assets import PERIODS, result, spec


@dg.multi_asset(
    specs=[spec(name) for name in ("assessment.outcome", *store_rows.TABLES)],
    name="assess",
    partitions_def=PERIODS,
)
def assessment(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Score and rank the parks of every scheme; 模拟名次,非正式考核结果."""
    with build.step("模拟考核") as connection:
        store_rows.register_outcomes(connection, build)
        yield result(describe(connection, "assessment.outcome"))
        store_rows.assess(connection, build, context.partition_key)
        where = f"asof_period = '{context.partition_key}'"
        for name in store_rows.TABLES:
            yield result(describe(connection, name, where))
