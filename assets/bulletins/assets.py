"""Dagster assets of stage 6: the edition's documents and their registered figures.

Belongs here: the assets of this stage. Does not belong here: composing, typesetting or checking
(the pure modules beside this one).
"""

import dagster as dg

from assets.build import Build, describe
from assets.bulletins import checking, editions
from assets.submissions.assets import PERIODS, result, spec

EDITION = dg.AssetKey(["bulletins", "edition"])
CHECK = "release_check"


@dg.multi_asset(
    specs=[spec("bulletins.edition"), spec("bulletins.figure"), spec("bulletins.check")],
    check_specs=[
        dg.AssetCheckSpec(
            CHECK,
            asset=EDITION,
            description="每一版通报签发前须成立的各项:数字登记、重算、合计、名单、方向词、缺数、标记。"
            "What must hold in every edition before its release; errors block submission.",
        )
    ],
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
        yield result(describe(connection, "bulletins.check", where))
        yield _check(checking.failed(connection, period))


def _check(failed: list[dict]) -> dg.AssetCheckResult:
    """The period's failed checks as one result on the editions."""
    errors = [row for row in failed if row["severity"] == "error"]
    lines = [
        f"- {row['audience_id']} {row['description']}: {row['message']}" for row in failed[:20]
    ]
    return dg.AssetCheckResult(
        asset_key=EDITION,
        check_name=CHECK,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if errors else dg.AssetCheckSeverity.WARN,
        metadata={
            "errors": len(errors),
            "warnings": len(failed) - len(errors),
            "problems": dg.MetadataValue.md("\n".join(lines) or "-"),
        },
    )
