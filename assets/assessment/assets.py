"""Dagster assets of stage 5: confirmed outcomes; simulated scores, last places, the watch list.

Belongs here: the assets of this stage. Does not belong here: scoring, watching or storing (the pure
modules beside this one).
"""

import dagster as dg

from assets.assessment import risk_rows, store_rows
from assets.build import Build, describe
from assets.submissions.assets import PERIODS, result, spec
from warehouse.schema import TABLES

_OWN = {*store_rows.TABLES, *risk_rows.TABLES}
STORED = tuple(table.full_name for table in TABLES if table.full_name in _OWN)  # in lineage order


@dg.multi_asset(
    specs=[spec(name) for name in ("assessment.outcome", *STORED)],
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
        for name in STORED:
            yield result(describe(connection, name, where))
