"""Dagster asset checks: views of the suites and of the column dictionary.

Belongs here: check names, descriptions, severities and how a result looks in the UI. Does not belong
here: what is checked (``expectations``, ``contracts``) or how (``suites``).
"""

import json
from collections.abc import Iterator

import dagster as dg

from quality import contracts
from quality.expectations import FACT_CHECKS, of_facts
from quality.suites import ExpectationResult, validate
from warehouse import schema, store

FACTS = dg.AssetKey(["observations", "observation"])
_SEVERITY = {
    "error": dg.AssetCheckSeverity.ERROR,
    "verify": dg.AssetCheckSeverity.WARN,
    "hint": dg.AssetCheckSeverity.WARN,
}


@dg.multi_asset_check(
    name="great_expectations",
    specs=[
        dg.AssetCheckSpec(name=name, asset=FACTS, description=description)
        for name, description in FACT_CHECKS.items()
    ],
)
def facts(context: dg.AssetCheckExecutionContext, build: dg.ResourceParam[object]):
    """Great Expectations on the period's current observations."""
    period = context.partition_key
    with build.step("校验事实(Great Expectations)") as connection:
        frame = connection.execute(
            "SELECT *, CASE WHEN measure = 'yoy_published' THEN '' ELSE indicator_id END AS amount_of "
            "FROM observations.observation "
            "WHERE period = ? AND known_from <= ?::TIMESTAMP "
            "AND (known_to IS NULL OR known_to > ?::TIMESTAMP)",
            [period, build.asof, build.asof],
        ).df()
    expectations = of_facts(
        schema.table("observations.observation"),
        build.catalog.indicators,
        {park.park_id for park in build.catalog.parks},
    )
    results = validate(frame, expectations, ["park_id", "indicator_id", "measure"])
    for name in FACT_CHECKS:
        yield _check_result(name, [r for r in results if r.expectation.check == name])


def _check_result(name: str, results: list[ExpectationResult]) -> dg.AssetCheckResult:
    failed = [r for r in results if r.outcome in ("fail", "error")]
    severities = {r.expectation.severity for r in failed}
    severity = "error" if "error" in severities else "verify"
    return dg.AssetCheckResult(
        asset_key=FACTS,
        check_name=name,
        passed=not failed,
        severity=_SEVERITY[severity],
        metadata={
            "expectations": len(results),
            "failed": len(failed),
            "failing_rows": sum(r.n_failed for r in failed),
            "rows": max((r.n_rows for r in results), default=0),
            "outcomes": dg.MetadataValue.md(_outcomes(results)),
            "sample": dg.MetadataValue.md(_sample(failed)),
        },
    )


def _outcomes(results: list[ExpectationResult]) -> str:
    lines = ["规则 | 说明 | 结果 | 不符行数 | 备注", "--- | --- | --- | --- | ---"]
    for r in results:
        e = r.expectation
        lines.append(f"{e.rule_id} | {e.description} | {r.outcome} | {r.n_failed} | {r.problem}")
    return "\n".join(lines)


def _sample(failed: list[ExpectationResult]) -> str:
    lines = ["规则 | 行", "--- | ---"]
    for r in failed:
        lines += [
            f"{r.expectation.rule_id} | {json.dumps(dict(key), ensure_ascii=False, default=str)}"
            for key in r.keys[:10]
        ]
    return "\n".join(lines)


def _contract_check(table: schema.Table) -> dg.AssetChecksDefinition:
    """One check per table that the dictionary's promises hold."""

    @dg.asset_check(
        asset=dg.AssetKey(table.full_name.split(".")),
        name="dictionary",
        description=(
            f"{table.zh}符合数据字典:主键唯一、必填列有值、代码在许可范围内。"
            "Key unique, required columns filled, codes allowed."
        ),
    )
    def check(build: dg.ResourceParam[object]) -> dg.AssetCheckResult:
        with build.looking() as connection:
            broken = list(_broken(connection, table))
        return dg.AssetCheckResult(
            passed=not broken,
            severity=dg.AssetCheckSeverity.ERROR,
            metadata={"broken": dg.MetadataValue.md("\n".join(broken) or "无")},
        )

    return check


def _broken(connection: object, table: schema.Table) -> Iterator[str]:
    for promise, query in contracts.promises(table):
        rows = store.fetch(connection, query)
        if rows:
            yield f"- {promise}:{len(rows)} 行不符,例 {rows[0]}"


ALL = [facts, *(_contract_check(table) for table in schema.TABLES)]
