"""The asset that validates a period's tables before they are published, and writes its Data Docs.

Belongs here: running the validation over all stages' tables and what it cost. Does not belong here:
suites, results or pages (``quality``). It lives with the pipelines because it looks at all stages.
"""

import time

import dagster as dg

from assets.build import Build, describe
from assets.submissions.assets import PERIODS, result
from quality import data_docs, validation
from warehouse.files import write_whole
from warehouse.schema import upstream_keys


@dg.asset(
    key=["quality", "expectation"],
    deps=upstream_keys("quality.expectation"),
    partitions_def=PERIODS,
)
def expectation(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Great Expectations on the period's rows of every table; Data Docs rendered from the results."""
    period = context.partition_key
    started = time.perf_counter()
    with build.step("检验(Great Expectations)") as connection:
        effort = validation.validate_period(
            connection, period, validation.rule_words(build.catalog), build.validate
        )
        results = validation.results_of(connection, period)
        findings = validation.findings_of(connection, period)
        names = data_docs.rule_names(build.catalog)
        built = describe(connection, "quality.expectation", f"period = '{period}'")
    page = build.workspace.data_docs(period)
    shown = data_docs.render(
        period=period, results=results, findings=findings, rules=names,
        bureau=build.workspace.bureau.name, simulated=build.workspace.simulated,
    )  # fmt: skip
    write_whole(page, shown.encode())  # whoever has it open keeps the old one until it is whole
    seconds = time.perf_counter() - started
    so_far = sum(build.seconds.values())
    described = result(built)
    return dg.MaterializeResult(
        asset_key=described.asset_key,
        metadata={
            **described.metadata,
            "data_docs": dg.MetadataValue.url(page.as_uri()),
            "seconds": round(seconds, 2),
            "share_of_run_pct": round(100 * seconds / so_far, 1) if so_far else 0.0,
            "waited_seconds": round(effort.waited_seconds, 2),
            "suites_seconds": round(effort.suite_seconds, 2),
            "tables_validated": effort.tables_run,
            "tables_unchanged": effort.tables_reused,
            "expectations": effort.expectations,
            "rows_validated": effort.rows,
        },
    )
