"""The last asset of a run: digests, publication of the work file, the ledger brought in line.

Belongs here: making a finished build visible. Does not belong here: building anything. It lives with
the pipelines because it closes a run of all stages rather than belonging to one.
"""

import dagster as dg

from assets.build import Build, describe
from assets.submissions.assets import PERIODS, result
from warehouse.schema import upstream_keys


@dg.asset(key=["ops", "digest"], deps=upstream_keys("ops.digest"), partitions_def=PERIODS)
def digest(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Content digest of every table; afterwards readers see the new warehouse, whole."""
    build.publish(context.partition_key)
    with build.warehouse.reading() as connection:
        return result(describe(connection, "ops.digest"))
