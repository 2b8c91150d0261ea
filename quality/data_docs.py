"""Data Docs: one page a period with every check and every finding, readable offline.

Belongs here: arranging validation results and findings for the page, and writing it whole. Does not
belong here: validating (``validation``), words of the page (``report_templates/quality``). Great
Expectations' own pages load scripts and styles from the internet; this one loads nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from quality.expectations import CATEGORIES
from quality.finding import SEVERITY_ZH
from warehouse import schema

TEMPLATES = Path(__file__).resolve().parents[1] / "report_templates" / "quality"
OUTCOME_ZH = {
    "pass": "✓ 通过",
    "fail": "✗ 不符",
    "not_evaluable": "○ 无法判断",
    "error": "! 未能执行",
}
LIFECYCLE_ZH = {
    "new": "新发现",
    "persisting": "仍存在",
    "resolved": "已解决",
    "waived": "已说明放行",
}
BROKEN = ("fail", "error")


def render(
    *,
    period: str,
    results: Sequence[Mapping[str, Any]],
    findings: Sequence[Mapping[str, Any]],
    rules: Mapping[str, str],
    bureau: str,
    simulated: bool,
) -> str:
    """The page as HTML. Findings of one rule stand together, gravest rule first."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    checks = [r for r in results if r["category"] != "findings"]
    return environment.get_template("data_docs.html.j2").render(
        period=period,
        period_zh=f"{period[:4]}年{int(period[5:])}月",
        bureau=bureau,
        simulated=simulated,
        totals=_totals(results),
        severities=_by_severity(findings),
        lifecycles=_by_lifecycle(findings),
        tables=_tables(checks),
        broken=[_shown(r) for r in checks if r["outcome"] in BROKEN],
        rules=_rules(findings, rules),
        n_findings=len(findings),
        outcome_zh=OUTCOME_ZH,
        severity_zh=SEVERITY_ZH,
        lifecycle_zh=LIFECYCLE_ZH,
    )


def _totals(results: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    return [
        (word, sum(r["outcome"] == outcome for r in results))
        for outcome, word in OUTCOME_ZH.items()
    ]


def _by_severity(findings: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    return [
        (word, sum(f["severity"] == severity for f in findings))
        for severity, word in SEVERITY_ZH.items()
    ]


def _by_lifecycle(findings: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    return [
        (word, sum(f["lifecycle"] == state for f in findings))
        for state, word in LIFECYCLE_ZH.items()
    ]


def _tables(checks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One block a table in dictionary order, with its expectations and how many are broken."""
    order = {table.full_name: n for n, table in enumerate(schema.TABLES)}
    blocks = []
    ordered = sorted(checks, key=lambda r: (order.get(r["table_name"], -1), r["table_name"]))
    for name, rows in groupby(ordered, key=lambda r: str(r["table_name"])):
        shown = [_shown(r) for r in rows]
        blocks.append(
            {
                "name": name,
                "zh": schema.table(name).zh if name in order else "数据字典与库结构",
                "rows": shown,
                "n_broken": sum(r["outcome"] in BROKEN for r in shown),
                "n_rows": max(r["n_rows"] or 0 for r in shown),
            }
        )
    return blocks


def _shown(result: Mapping[str, Any]) -> dict[str, Any]:
    keys = json.loads(result["sample"] or "[]")
    return {
        **result,
        "category_zh": CATEGORIES[result["category"]],
        "keys": ["、".join(f"{name}={value}" for name, value in key.items()) for key in keys],
    }


def _rules(findings: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Findings by rule, in the order given (gravest first)."""
    by_rule: dict[str, list[Mapping[str, Any]]] = {}
    for finding in findings:
        by_rule.setdefault(finding["rule_id"], []).append(finding)
    return [
        {
            "rule_id": rule_id,
            "name": names.get(rule_id, ""),
            "severity": rows[0]["severity"],
            "rows": rows,
        }
        for rule_id, rows in by_rule.items()
    ]


def rule_names(catalog: Any) -> dict[str, str]:
    """Short names of the catalogue's rules and screens by id."""
    names = {screen.screen_id: screen.name for screen in catalog.screens}
    for rule in getattr(catalog, "rules", ()):
        names[rule.rule_id] = str(getattr(rule, "message", ""))
    return names
