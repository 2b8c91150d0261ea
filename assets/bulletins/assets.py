"""Dagster assets of stage 6: the edition's documents and their registered figures."""

import dagster as dg

from assets.build import Build, describe
from assets.bulletins import editions
from assets.submissions.assets import PERIODS, result, spec


@dg.multi_asset(
    specs=[spec("bulletins.edition"), spec("bulletins.figure")],
    name="write_bulletin",
    partitions_def=PERIODS,
)
def bulletin(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Write every audience's draft in the formats it asks for, register every number."""
    period = context.partition_key
    with build.step("编写通报") as connection:
        written = editions.write_editions(connection, build, period)
        where = f"period = '{period}'"
        edition = result(describe(connection, "bulletins.edition", where))
        links = [
            f"- [{done.key.audience_id} {name}]({(build.workspace.home / done.folder / name).as_uri()})"
            for done in written
            for name in sorted(done.digests)
        ]
        yield edition._replace(
            metadata={**edition.metadata, "documents": dg.MetadataValue.md("\n".join(links))}
        )
        yield result(describe(connection, "bulletins.figure", where))
