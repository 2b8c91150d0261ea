"""Dagster asset checks: views of the validation results and of the column dictionary.

Belongs here: check names, descriptions, severities and how a result looks in the UI. Does not belong
here: what is checked (``expectations``, ``contracts``) or how (``validation``, ``suites``).
"""

import json
from collections.abc import Iterable, Iterator

import dagster as dg

from quality import contracts, validation
from quality.finding import SEVERITY_ZH
from warehouse import schema

RESULTS = dg.AssetKey(["quality", "expectation"])
CHECK = "great_expectations"
FINDINGS_CHECK = "audit"
CONTRACT = "dictionary"
VALIDATED = [t for t in schema.TABLES if t.full_name not in validation.NOT_VALIDATED]
_SEVERITY = {
    "error": dg.AssetCheckSeverity.ERROR,
    "verify": dg.AssetCheckSeverity.WARN,
    "hint": dg.AssetCheckSeverity.WARN,
}
_OUTCOME = {"pass": "通过", "fail": "不符", "not_evaluable": "无法判断", "error": "未能执行"}
SHOWN = 50
"""Failing rows shown as a table in the UI; all their keys are in the metadata beside it."""


def _spec(table: schema.Table, name: str, description: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        name=name,
        asset=dg.AssetKey(table.full_name.split(".")),
        description=description,
        additional_deps=[RESULTS],
    )


_SPECS = [
    _spec(
        table,
        CHECK,
        f"本期{table.zh}符合由数据字典生成的检验:类型、必填、主键、代码、表间引用、范围、列间关系。"
        "Great Expectations suite generated from the dictionary, on the period's rows.",
    )
    for table in VALIDATED
] + [
    _spec(
        schema.table(validation.FINDINGS),
        FINDINGS_CHECK,
        "审核规则与统计筛查在本期没有未解决的问题;逐条与审核问题表一致。"
        "No open finding of rules and screens; row for row as in quality.finding.",
    )
]


@dg.multi_asset_check(name="great_expectations", specs=_SPECS, can_subset=True)
def expectations(context: dg.AssetCheckExecutionContext, build: dg.ResourceParam[object]):
    """The results of the period's validation as checks on the tables they are about; nothing where
    the run left the validation or the table out."""
    selected = context.run.asset_selection
    if selected and RESULTS not in selected:
        return
    wanted = context.selected_asset_check_keys
    period = context.partition_key
    with build.looking() as connection:
        results = validation.results_of(connection, period)
        findings = validation.findings_of(connection, period)
    page = build.workspace.data_docs(period)
    for table in VALIDATED:
        if dg.AssetCheckKey(dg.AssetKey(table.full_name.split(".")), CHECK) not in wanted:
            continue
        own = [r for r in results if r["table_name"] == table.full_name]
        yield table_check(table, [r for r in own if r["category"] != "findings"], page.as_uri())
    audited = [r for r in results if r["category"] == "findings"]
    findings_key = dg.AssetCheckKey(dg.AssetKey(validation.FINDINGS.split(".")), FINDINGS_CHECK)
    if findings_key in wanted:
        yield findings_check(audited, findings, page.as_uri())


def table_check(table: schema.Table, results: list[dict], page: str) -> dg.AssetCheckResult:
    """Check result of one table from its rows of ``quality.expectation``."""
    failed = [r for r in results if r["outcome"] in ("fail", "error")]
    return dg.AssetCheckResult(
        asset_key=table.full_name.split("."),
        check_name=CHECK,
        passed=not failed,
        severity=_gravest(failed),
        metadata={
            "expectations": len(results),
            "failed": len(failed),
            "failing_rows": sum(r["n_failed"] for r in failed),
            "rows": max((r["n_rows"] for r in results), default=0),
            "outcomes": dg.MetadataValue.md(_outcomes(failed or results[:20])),
            "sample": _rows_table(_sampled(failed)),
            "data_docs": dg.MetadataValue.url(page),
        },
    )


def findings_check(results: list[dict], findings: list[dict], page: str) -> dg.AssetCheckResult:
    """Check result of the rules: counts by rule, and every finding's id."""
    standing = [f for f in findings if f["lifecycle"] in validation.OPEN]
    return dg.AssetCheckResult(
        asset_key=validation.FINDINGS.split("."),
        check_name=FINDINGS_CHECK,
        passed=not standing,
        severity=_gravest(standing),
        metadata={
            "rules": len(results),
            "findings": len(findings),
            "open": len(standing),
            "by_severity": dg.MetadataValue.md(_by_severity(standing)),
            "outcomes": dg.MetadataValue.md(_outcomes(results)),
            "finding_ids": dg.MetadataValue.json(sorted(f["finding_id"] for f in findings)),
            "sample": _rows_table(
                [
                    {
                        n: f[n] or ""
                        for n in ("finding_id", "file_name", "sheet", "address", "message")
                    }
                    for f in standing
                ]
            ),
            "data_docs": dg.MetadataValue.url(page),
        },
    )


def _gravest(rows: list[dict]) -> dg.AssetCheckSeverity:
    severities = {row["severity"] for row in rows}
    return _SEVERITY["error" if "error" in severities else "verify"]


def _by_severity(findings: list[dict]) -> str:
    return "、".join(
        f"{zh} {sum(f['severity'] == severity for f in findings)}"
        for severity, zh in SEVERITY_ZH.items()
    )


def _outcomes(results: list[dict]) -> str:
    lines = [
        "检验 | 说明 | 结果 | 检验行数 | 不符行数 | 备注",
        "--- | --- | --- | --- | --- | ---",
    ]
    for r in results:
        cells = (
            r["expectation_id"],
            r["description"],
            _OUTCOME[r["outcome"]],
            r["n_rows"],
            r["n_failed"],
            r["problem"] or "",
        )
        lines.append(" | ".join(str(cell).replace("|", "/").replace("\n", " ") for cell in cells))
    return "\n".join(lines)


def _sampled(failed: list[dict]) -> list[dict[str, str]]:
    """Failing rows as (expectation, key) pairs."""
    return [
        {"expectation": r["expectation_id"], "key": json.dumps(key, ensure_ascii=False)}
        for r in failed
        for key in json.loads(r["sample"] or "[]")
    ]


def _rows_table(rows: list[dict[str, str]]) -> dg.MetadataValue:
    shown = [dg.TableRecord({k: str(v) for k, v in row.items()}) for row in rows[:SHOWN]]
    columns = [dg.TableColumn(name) for name in (rows[0] if rows else {"key": ""})]
    return dg.MetadataValue.table(shown, schema=dg.TableSchema(columns))


def contracts_of(names: Iterable[str]) -> dg.AssetChecksDefinition:
    """A check on each of these tables that the dictionary's promises hold in the whole table; one step
    for the tables one step makes."""
    tables = [schema.table(name) for name in sorted(names)]

    @dg.multi_asset_check(
        name="dictionary_" + tables[0].full_name.replace(".", "__"),
        specs=[_contract(table) for table in tables],
        can_subset=True,
    )
    def check(
        context: dg.AssetCheckExecutionContext, build: dg.ResourceParam[object]
    ) -> Iterator[dg.AssetCheckResult]:
        with build.looking() as connection:
            for table in tables:
                key = dg.AssetKey(table.full_name.split("."))
                if dg.AssetCheckKey(key, CONTRACT) not in context.selected_asset_check_keys:
                    continue
                broken = [
                    f"- {promise}:{len(rows)} 行不符,例 {rows[0]}"
                    for promise, rows in contracts.broken(connection, table)
                ]
                yield dg.AssetCheckResult(
                    asset_key=key,
                    check_name=CONTRACT,
                    passed=not broken,
                    severity=dg.AssetCheckSeverity.ERROR,
                    metadata={"broken": dg.MetadataValue.md("\n".join(broken) or "无")},
                )

    return check


def _contract(table: schema.Table) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        name=CONTRACT,
        asset=dg.AssetKey(table.full_name.split(".")),
        description=(
            f"{table.zh}符合数据字典:主键唯一、必填列有值、代码在许可范围内。"
            "Key unique, required columns filled, codes allowed."
        ),
    )
