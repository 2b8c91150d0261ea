"""Dagster assets of stage 7: messages rendered for approval; nothing is sent.

Belongs here: the assets of this stage. Does not belong here: composing mail, approving or sending
(the pure modules beside this one).
"""

import dagster as dg

from assets.build import Build, describe
from assets.deliveries import ledger_table, mailing
from assets.submissions.assets import PERIODS, result
from warehouse.schema import upstream_keys


@dg.asset(
    key=["deliveries", "message"], deps=upstream_keys("deliveries.message"), partitions_def=PERIODS
)
def message(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """One .eml file per recipient of the draft."""
    with build.step("生成邮件") as connection:
        mailing.render(connection, build, context.partition_key)
        ledger_table.mirror(connection, build)
        where = f"period = '{context.partition_key}'"
        return result(describe(connection, "deliveries.message", where))
