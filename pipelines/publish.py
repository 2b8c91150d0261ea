"""The last asset of a run: digests, publication of the work file, the ledger brought in line.

Belongs here: making a finished build visible. Does not belong here: building anything. It lives with
the pipelines because it closes a run of all stages rather than belonging to one.
"""

from datetime import UTC, timedelta

import dagster as dg

from assets.build import Build, describe
from assets.submissions.assets import PERIODS, result
from pipelines import ahead, jobs
from warehouse.closings import Closings
from warehouse.schema import upstream_keys
from warehouse.store import FAR_FUTURE

FRESH = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(days=62), warn_window=timedelta(days=45)
)
"""A monitored month comes every month; January is reported with February."""


@dg.asset(key=["ops", "digest"], deps=upstream_keys("ops.digest"), partitions_def=PERIODS,
          freshness_policy=FRESH)  # fmt: skip
def digest(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Content digest of every table; afterwards readers see the new warehouse, whole."""
    build.publish(context.partition_key)
    whole = jobs.OPEN_TAG not in context.run.tags
    if whole and build.asof == FAR_FUTURE:  # a look back at an earlier state closes nothing
        Closings(build.state.path).record(
            context.partition_key, context.run_id, build.now.replace(tzinfo=UTC)
        )
    ahead.keep(build.workspace, build.catalog, build.now.replace(tzinfo=UTC))
    with build.warehouse.reading() as connection:
        return result(describe(connection, "ops.digest"))
