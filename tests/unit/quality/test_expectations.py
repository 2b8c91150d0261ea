"""Suites generated from dictionary and promises: every kind of broken row comes back with its key."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal

import pytest

from quality import data_docs, validation
from quality.expectations import CATEGORIES, of_findings, of_table, select_of
from quality.suites import Expectation
from warehouse import schema, store
from warehouse.promises import promises_of

PERIOD = "2020-06"
PARK = {"park_id": "P1", "valid_from": datetime(2018, 1, 1).date(), "name": "甲园区"}
INDICATOR = {"indicator_id": "C01", "name_zh": "工业总产值", "unit": "万元"}
MONTH = {"park_id": "P1", "indicator_id": "C01", "period": PERIOD, "state": "reported"}
AREA = {"area_code": "610900", "area_level": "city", "scope": "all", "indicator_id": "C01",
        "year": 2020, "asof_period": PERIOD, "n_parks": 3, "n_reported": 3}  # fmt: skip
FINDING = {"finding_id": "f1", "rule_id": "V020", "severity": "error", "outcome": "fail",
           "message": "非负指标为负", "period": PERIOD, "lifecycle": "new"}  # fmt: skip


def filled(file):
    connection = store.connect(file)
    store.create_all(connection)
    store.insert_rows(connection, "dims.park", [PARK])
    store.insert_rows(connection, "dims.indicator", [INDICATOR])
    store.insert_rows(connection, "indicators.park_month", [MONTH])
    store.insert_rows(connection, "indicators.area_year", [AREA])
    store.insert_rows(connection, "quality.finding", [FINDING])
    return connection


@pytest.fixture
def connection(tmp_path):
    connection = filled(tmp_path / "w.duckdb")
    yield connection
    connection.close()


def validated(connection, rules=None):
    effort = validation.validate_period(connection, PERIOD, rules or {})
    results = validation.results_of(connection, PERIOD)
    return effort, {row["expectation_id"]: row for row in results}


def test_every_table_has_a_suite_with_its_key_its_required_columns_and_its_promises():
    for table in schema.TABLES:
        suite = of_table(table)
        ids = [e.rule_id for e in suite]
        assert len(ids) == len(set(ids)), table.full_name
        assert f"{table.full_name}:key" in ids
        required = [e for e in suite if e.check == "required"]
        assert len(required) == sum(column.required for column in table.columns)
        for promise in promises_of(table):
            assert f"{table.full_name}:{promise.promise_id}" in ids
        assert {e.check for e in suite} <= set(CATEGORIES)
        assert select_of(table)


def test_rows_that_keep_every_promise_pass_and_empty_tables_are_not_judged(connection):
    _, results = validated(connection)
    broken = {k: r["outcome"] for k, r in results.items() if r["outcome"] in ("fail", "error")}
    assert broken == {
        "finding:V020": "fail",
        "submissions.cell:rows": "fail",  # the period has no cells at all, and the suite says so
        "observations.observation:rows": "fail",
    }
    nothing = results["assessment.score:rank-within-class"]
    assert (nothing["outcome"], nothing["n_rows"]) == ("not_evaluable", 0)
    assert "0 行" in nothing["problem"]


BREAKS = [
        ("indicators.park_month", MONTH, "key", {"park_id": "P1"}),
        ("indicators.park_month", MONTH | {"park_id": "P9"}, "park_id-known", {"park_id": "P9"}),
        ("indicators.park_month", MONTH | {"indicator_id": "Z9"}, "indicator_id-known",
         {"indicator_id": "Z9"}),
        ("indicators.park_month", MONTH | {"indicator_id": "C02", "state": "guessed"},
         "state-allowed", {"indicator_id": "C02"}),
        ("indicators.park_month", MONTH | {"indicator_id": "C02", "yoy_pct": Decimal(3)},
         "growth-has-a-basis", {"indicator_id": "C02"}),
        ("indicators.area_year", AREA | {"scope": "key", "n_reported": 4}, "coverage",
         {"scope": "key"}),
        ("indicators.area_year", AREA | {"scope": "key", "year": 202}, "year-range",
         {"scope": "key"}),
        ("dims.park", PARK | {"park_id": "P2", "valid_to": datetime(2017, 1, 1).date()},
         "validity", {"park_id": "P2"}),
        ("quality.finding", FINDING | {"finding_id": "f2", "rule_id": "SCREEN-HB"},
         "screens-never-error", {"finding_id": "f2"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """One warehouse with all of the broken rows in it."""
    connection = filled(tmp_path_factory.mktemp("broken") / "w.duckdb")
    for table, row, _, _ in BREAKS:
        store.insert_rows(connection, table, [row])
    _, results = validated(connection)
    connection.close()
    return results


@pytest.mark.parametrize(("table", "row", "expectation", "key"), BREAKS)
def test_a_broken_promise_names_the_row(broken, table, row, expectation, key):
    result = broken[f"{table}:{expectation}"]
    assert result["outcome"] == "fail" and result["n_failed"] >= 1
    samples = json.loads(result["sample"])
    assert any(key.items() <= sample.items() for sample in samples)
    assert not any(name.startswith("holds_") for sample in samples for name in sample)


def test_a_required_column_left_empty_is_found(connection):
    connection.execute("ALTER TABLE dims.indicator ALTER COLUMN unit DROP NOT NULL")
    store.insert_rows(connection, "dims.indicator", [{"indicator_id": "C05", "name_zh": "某"}])
    _, results = validated(connection)
    result = results["dims.indicator:unit-filled"]
    assert json.loads(result["sample"])[0]["indicator_id"] == "C05"


def test_a_column_of_another_type_is_found(connection):
    connection.execute("ALTER TABLE dims.indicator ALTER COLUMN decimals TYPE VARCHAR")
    _, results = validated(connection)
    assert results["structure:types"]["outcome"] == "fail"
    assert json.loads(results["structure:types"]["sample"])[0]["column_name"] == "decimals"
    assert results["structure:columns"]["outcome"] == "pass"


def test_what_has_not_changed_is_not_validated_again(connection):
    first, before = validated(connection)
    again, after = validated(connection)
    assert first.tables_run and not again.tables_run
    assert again.suite_seconds == 0 and after == before
    store.insert_rows(connection, "indicators.park_month", [MONTH | {"indicator_id": "Z9"}])
    third, changed = validated(connection)
    assert list(third.by_table) == ["indicators.park_month"]
    assert changed["indicators.park_month:indicator_id-known"]["outcome"] == "fail"


def test_one_expectation_a_rule_holds_exactly_its_findings(connection):
    store.insert_rows(
        connection,
        "quality.finding",
        [
            FINDING | {"finding_id": "f2", "rule_id": "V022", "severity": "verify"},
            FINDING | {"finding_id": "f3", "rule_id": "V022", "severity": "verify"},
            FINDING | {"finding_id": "f4", "rule_id": "V022", "outcome": "not_evaluable"},
            FINDING | {"finding_id": "f5", "rule_id": "V030", "outcome": "pass"},
            FINDING | {"finding_id": "f6", "rule_id": "V022", "period": "2020-05"},
        ],
    )
    _, results = validated(connection, {"V022": "数值超出经验范围"})
    v022 = results["finding:V022"]
    assert (v022["outcome"], v022["n_failed"], v022["n_rows"]) == ("fail", 2, 3)
    assert {key["finding_id"] for key in json.loads(v022["sample"])} == {"f2", "f3"}
    assert v022["description"] == "数值超出经验范围"
    assert results["finding:V030"]["outcome"] == "pass"


def test_the_page_shows_every_finding_and_every_check_and_loads_nothing(connection):
    store.insert_rows(
        connection,
        "quality.finding",
        [FINDING | {"finding_id": "f2", "message": "<b>“甲”</b> 2&3", "file_name": "a<b.xls"}],
    )
    _, results = validated(connection)
    findings = validation.findings_of(connection, PERIOD)
    page = data_docs.render(
        period=PERIOD, results=list(results.values()), findings=findings, rules={"V020": "非负"},
        bureau="某局", simulated=True,
    )  # fmt: skip
    for finding in findings:
        assert page.count(f'data-finding="{finding["finding_id"]}"') == 1
    for result in results.values():
        if result["category"] != "findings":
            assert f"<code>{result['expectation_id']}</code>" in page
    assert "模拟数据" in page and 'lang="zh-CN"' in page
    assert "<b>“甲”</b>" not in page and "&lt;b&gt;" in page
    for outside in ("http://", "https://", "<script", "<link", "<img", "@import", "url("):
        assert outside not in page


def test_expectations_of_findings_are_limited_to_their_rule():
    (one,) = of_findings([("V001", "error", "表号")])
    assert isinstance(one, Expectation) and one.only == ("rule_id", ("V001",))
