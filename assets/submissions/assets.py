"""Dagster assets of stage 1: the catalogue's dimensions, submissions, cells and findings.

Belongs here: the assets of this stage, the period partitions and the few lines every stage's assets
share. Does not belong here: reading or checking itself (the pure modules beside this one).
"""

import dagster as dg

from assets.build import Build, TableResult, describe
from assets.submissions import audit, store_rows
from quality import screening
from warehouse.schema import table, upstream_keys

PERIODS = dg.MonthlyPartitionsDefinition(
    start_date="2000-01", fmt="%Y-%m", timezone="Asia/Shanghai", end_offset=1
)
DIMENSIONS = tuple(
    f"dims.{name}"
    for name in (
        "park",
        "indicator",
        "document",
        "target",
        "region",
        "reporter",
        "scope_break",
        "enclave_share",
        "entered_figure",
    )
)

AUDITED = ("quality.finding", "quality.finding_cell", "quality.rule_outcome")


def result(built: TableResult) -> dg.MaterializeResult:
    """What the UI shows of a table: rows, digest, a preview."""
    return dg.MaterializeResult(
        asset_key=built.full_name.split("."),
        metadata={
            "dagster/row_count": built.n_rows,
            "digest": built.digest,
            "preview": dg.MetadataValue.md(built.preview),
        },
    )


def spec(full_name: str) -> dg.AssetSpec:
    """Key and upstream tables; everything else is projected from the dictionary at assembly."""
    return dg.AssetSpec(key=table(full_name).full_name.split("."), deps=upstream_keys(full_name))


@dg.multi_asset(specs=[spec(name) for name in DIMENSIONS], name="load_catalogue")
def catalogue(build: dg.ResourceParam[Build]):
    """Load the policy catalogue and the registers into the warehouse."""
    with build.step("装载政策目录与登记") as connection:
        store_rows.load_dimensions(connection, build)
        for name in DIMENSIONS:
            yield result(describe(connection, name))


@dg.multi_asset(
    specs=[spec("submissions.submission"), spec("submissions.cell")],
    name="read_submissions",
    partitions_def=PERIODS,
)
def submissions(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Archive what is in the inbox and read it, in sandboxed children, into cells."""
    build.begin()
    read = store_rows.take_in(build)
    context.log.info(f"received {read.received}, read {read.read}, rejected {read.rejected}")
    with build.step("登记报送件") as connection:
        for name in ("submissions.submission", "submissions.cell"):
            yield result(describe(connection, name, f"period = '{context.partition_key}'"))


@dg.asset(key=["quality", "review"], deps=upstream_keys("quality.review"), partitions_def=PERIODS)
def review(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Screen the figures of the periods that changed; rank what people should look at first."""
    with build.step("统计筛查") as connection:
        n = screening.screen(
            connection,
            build.catalog.screens,
            first_month=build.workspace.first_month,
            counts={i.indicator_id for i in build.catalog.indicators if i.integer},
        )
        context.log.info(f"screened {n} figures")
        where = f"period = '{context.partition_key}'"
        return result(describe(connection, "quality.review", where))


@dg.multi_asset(
    specs=[spec(name) for name in AUDITED], name="audit_submissions", partitions_def=PERIODS
)
def finding(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Judge the rules of the catalogue; collect what they and reading found, and who waits."""
    with build.step("审核") as connection:
        audit.audit(connection, build)
        for name in AUDITED:
            where = f"period = '{context.partition_key}'"
            yield result(describe(connection, name, where))
