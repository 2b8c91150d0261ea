"""Every rule of the catalogue has a passing and a failing table of cells (``rules/*.yaml``).

A failing table's finding names file, sheet and cells in Chinese and tells no bound. Rules answered by
reading are tried on sheets that are really read.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.rule_cases import SHEET, Case, judged
from warehouse import store
from warehouse.catalog.load import load_catalog

FOLDER = Path(__file__).parent / "rules"
CATALOG = load_catalog(None)
RULES = {rule.rule_id: rule for rule in CATALOG.rules}
SCENARIOS: dict[str, dict[str, Any]] = {
    item["rule"]: item
    for path in sorted(FOLDER.glob("*.yaml"))
    for item in yaml.safe_load(path.read_text("utf-8"))
}
HARMLESS = {"0", "1", "12", "100", "4", "15"}
"""Months, hundredths, mu of a hectare, marks of a form: not what a figure is held against."""
CELLS = [
    Case(rule_id, side == "passes", item[side], 2 * n + (side == "fails"))
    for n, (rule_id, item) in enumerate(sorted(SCENARIOS.items()), start=1)
    for side in ("passes", "fails")
    if "sheet" not in item[side]
]
SHEETS = [
    (rule_id, side) for rule_id, item in SCENARIOS.items() for side in ("passes", "fails")
    if "sheet" in item[side]
]  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Outcome counts by (rule, period); findings by (rule, period); their cells by finding."""
    warehouse = judged(CELLS, CATALOG, tmp_path_factory.mktemp("rules"))
    with warehouse.building() as connection:
        outcomes = {
            (r["rule_id"], r["period"]): r
            for r in store.fetch(connection, "FROM quality.rule_outcome")
        }
        findings: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in store.fetch(connection, "FROM quality.finding ORDER BY finding_id"):
            findings.setdefault((row["rule_id"], row["period"]), []).append(row)
        cells: dict[str, list[str]] = {}
        for row in store.fetch(connection, "FROM quality.finding_cell ORDER BY position, address"):
            if row["is_own"]:
                cells.setdefault(row["finding_id"], []).append(row["address"])
    return outcomes, findings, cells


def test_every_rule_of_the_catalogue_has_both():
    assert set(SCENARIOS) == set(RULES)
    assert len(RULES) >= 114
    assert all({"passes", "fails"} <= set(item) for item in SCENARIOS.values())


@pytest.mark.parametrize("case", [c for c in CELLS if c.passes], ids=lambda c: c.rule_id)
def test_the_passing_table_passes(case, told):
    outcomes, findings, _ = told
    row = outcomes[case.rule_id, case.period]
    assert row["n_pass"] >= 1, row
    assert (row["n_fail"], row["n_error"]) == (0, 0), findings.get((case.rule_id, case.period))


@pytest.mark.parametrize("case", [c for c in CELLS if not c.passes], ids=lambda c: c.rule_id)
def test_the_failing_table_fails_and_says_where(case, told):
    outcomes, findings, cells = told
    row = outcomes[case.rule_id, case.period]
    assert row["n_fail"] >= 1 and row["n_error"] == 0, row
    found = findings[case.rule_id, case.period]
    assert len(found) == row["n_fail"]
    rule = RULES[case.rule_id]
    for finding in found:
        assert finding["severity"] == rule.severity
        assert finding["expected"] and finding["remedy"]
        assert re.search(r"[\u4e00-\u9fff]", finding["message"])
        assert "{" not in finding["message"] + finding["expected"]
        if rule.about in ("area", "target", "enclave", "scored"):
            assert finding["found"]
            continue
        assert finding["file_name"] == f"{case.key}-now.xlsx"
        if rule.about == "file":
            assert finding["file_name"] in finding["message"] or finding["address"]
            continue
        assert finding["sheet"] == SHEET and f"工作表“{SHEET}”" in finding["message"]
        assert finding["address"] and all(
            a in finding["found"] for a in finding["address"].split("、")[:3]
        )
        assert sorted(cells[finding["finding_id"]]) == sorted(finding["address"].split("、"))
    if "at" in case.given:
        assert case.given["at"] in {finding["address"] for finding in found}


@pytest.mark.parametrize("case", [c for c in CELLS if not c.passes], ids=lambda c: c.rule_id)
def test_no_text_tells_the_bound(case, told):
    """Numbers of the rule's own expression and tolerance stand in no text for the reporter."""
    rule = RULES[case.rule_id]
    bounds = {
        n
        for n in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", rule.expression or "")
        if n not in ("0", "1", "12", "100", "4", "15")
    }
    for finding in told[1][case.rule_id, case.period]:
        texts = " ".join((finding["message"], finding["expected"], finding["remedy"]))
        assert not bounds & set(re.findall(r"(?<![\w.-])\d+(?:\.\d+)?", texts)), texts


# --- rules answered by reading --------------------------------------------------------------------


def _read(sheet: dict[str, Any]) -> list[Any]:
    from assets.submissions.intake import reader_for
    from assets.submissions.reading.workbook import ErrorValue, Sheet, Workbook
    from assets.submissions.tables.records import ReadingContext

    root = Path(__file__).resolve().parents[2]
    catalog = load_catalog(root / "examples" / "shaanxi" / "catalog")
    rows = [
        [ErrorValue(v) if isinstance(v, str) and v.startswith("#") and v.endswith("!") else
         float(v) if isinstance(v, int) else v for v in row]
        for row in sheet["rows"]
    ]  # fmt: skip
    workbook = Workbook("xlsx", (Sheet(SHEET, rows),))
    context = ReadingContext(
        file_name=sheet.get("file", "汉滨区2020年6月园区月报.xlsx"),
        sender=sheet.get("sender", "ak-hanbin"),
    )
    return reader_for(catalog).read(workbook, context).findings


@pytest.mark.parametrize(("rule_id", "side"), SHEETS)
def test_rules_answered_by_reading(rule_id, side):
    rule = RULES[rule_id]
    findings = [f for f in _read(SCENARIOS[rule_id][side]["sheet"]) if f.rule_id in rule.reading]
    assert bool(findings) == (side == "fails"), findings
    for finding in findings:
        assert re.search(r"[\u4e00-\u9fff]", finding.message)
        assert SHEET in finding.message + finding.found or finding.sheet == SHEET
        where = SCENARIOS[rule_id][side].get("at")
        assert where is None or any(f.address == where for f in findings)
