"""Dagster assets of stage 6: the edition's documents and their registered figures."""

import dagster as dg

from assets.build import Build, describe
from assets.bulletins import documents
from assets.submissions.assets import PERIODS, result, spec


@dg.multi_asset(
    specs=[spec("bulletins.edition"), spec("bulletins.figure")],
    name="write_bulletin",
    partitions_def=PERIODS,
)
def bulletin(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Compose the bulletin, render HTML and PDF, register every number."""
    period = context.partition_key
    with build.step("编写通报") as connection:
        folder, digests = documents.write_edition(connection, build, period)
        where = f"period = '{period}'"
        edition = result(describe(connection, "bulletins.edition", where))
        links = [
            f"- [{name}]({(folder / name).as_uri()}) `{sha[:12]}`" for name, sha in digests.items()
        ]
        yield edition._replace(
            metadata={**edition.metadata, "documents": dg.MetadataValue.md("\n".join(links))}
        )
        yield result(describe(connection, "bulletins.figure", where))
