"""Judging: four outcomes, crashing rules, offsets, lifecycle, waivers, workspace overrides."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from quality.finding import Finding
from quality.rules.compile import compile_rules
from tests.support.rule_cases import Case, judged
from warehouse import rule_outcomes, store, waivers
from warehouse.catalog.load import CatalogError, load_catalog

CATALOG = load_catalog(None)
BEFORE = {"B03": 13, "B01": 12, "C01": 100}
CASES = [
    Case("V028", False, {"cells": {"B03": 13, "B01": 12}, "earlier": {"05": BEFORE}}, 1),
    Case("V028", False, {"cells": {"B03": 13, "B01": ""}}, 3),
    Case("V037", True, {"cells": {"B03": 13}}, 5),
    Case("V081", False, {"cells": {"C01": 1900, "C01.prior": 1000}}, 7),
]
BROKEN, UNKNOWN, ABSENT, GROWN = CASES


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    return judged(CASES, CATALOG, tmp_path_factory.mktemp("judged"))


def outcome(warehouse, rule_id, case):
    with warehouse.building() as connection:
        rows = store.fetch(
            connection, "FROM quality.rule_outcome WHERE rule_id = ? AND period = ?",
            [rule_id, case.period],
        )  # fmt: skip
    (row,) = rows or [None]
    names = ("n_pass", "n_fail", "n_not_evaluable", "n_error")
    return row and (tuple(row[name] for name in names), row["missing"])


def test_a_blank_figure_makes_a_rule_not_evaluable_and_is_named(warehouse):
    assert outcome(warehouse, "V028", UNKNOWN) == ((0, 0, 1, 0), "入驻企业数 1")


def test_a_figure_the_form_does_not_ask_for_is_named_too(warehouse):
    assert outcome(warehouse, "V037", ABSENT) == ((0, 0, 1, 0), "“四上”企业数 1")


def test_a_rule_none_of_whose_figures_are_asked_for_is_not_asked(warehouse):
    assert outcome(warehouse, "V043", ABSENT) is None


def test_finding_ids_are_those_of_the_finding_type(warehouse):
    with warehouse.building() as connection:
        rows = store.fetch(connection, "FROM quality.finding WHERE outcome = 'fail'")
    assert rows
    names = Finding.__dataclass_fields__
    for row in rows:
        same = Finding(**{k: v for k, v in row.items() if k in names})
        assert same.finding_id == row["finding_id"]


def test_the_same_problem_a_month_later_persists(warehouse):
    with warehouse.building() as connection:
        rows = store.fetch(
            connection,
            "FROM quality.finding WHERE rule_id = 'V028' AND park_id = ? ORDER BY period",
            [f"{BROKEN.key}-1"],
        )
    found = {row["period"]: row["lifecycle"] for row in rows}
    assert found == {f"{BROKEN.year}-05": "new", BROKEN.period: "persisting"}


def relife(warehouse, *given):
    """Lifecycle of the growth finding with these waivers."""
    with warehouse.building() as connection:
        waivers.bring(connection, given)
        store.run_script(connection, "quality__findings", {"first_month": 2})
        rows = store.fetch(connection, "FROM quality.finding WHERE rule_id = 'V081'")
    return [row["lifecycle"] for row in rows]


def waiver(rule_id="V081", park=f"{GROWN.key}-1", file=None, until=date(9999, 1, 1)):
    return waivers.Waiver(
        rule_id, park, file, "2026-01-01T00:00:00+00:00", "李四", "新项目投产", until
    )


@pytest.mark.parametrize(
    ("given", "lifecycle"),
    [
        (waiver(), "waived"),
        (waiver(park=None, file=f"{GROWN.key}-now"), "waived"),
        (waiver(until=date(GROWN.year, 6, 30)), "waived"),
        (waiver(until=date(GROWN.year, 6, 29)), "new"),
        (waiver(rule_id="V078"), "new"),
        (waiver(park="another"), "new"),
    ],
)
def test_a_waiver_covers_its_rule_its_subject_and_its_time(warehouse, given, lifecycle):
    assert relife(warehouse, given) == [lifecycle]


def test_an_error_is_never_waived(warehouse):
    with warehouse.building() as connection:
        waivers.bring(connection, [waiver("V028", f"{BROKEN.key}-1")])
        store.run_script(connection, "quality__findings", {"first_month": 2})
        rows = store.fetch(connection, "FROM quality.finding WHERE rule_id = 'V028'")
    assert {row["lifecycle"] for row in rows} == {"new", "persisting"}


def test_a_crashing_rule_is_an_error_for_its_rows_and_stops_no_other(warehouse):
    relations = compile_rules(CATALOG)
    crash = "cast('x' || v1::VARCHAR AS INTEGER) = 1"
    broken = tuple(
        replace(r, condition=crash.replace("v1", f"v{r.operands[0].slot}"))
        if r.rule_id == "V028"
        else r
        for r in relations.relations
    )
    with warehouse.building() as connection:
        connection.execute("INSERT INTO internal.affected_period VALUES (?)", [BROKEN.period])
        around = rule_outcomes.Surroundings(first_month=2, zone="Asia/Shanghai")
        rule_outcomes.judge(connection, replace(relations, relations=broken), around)
        found = store.fetch(
            connection, "FROM internal.rule_finding WHERE outcome = 'error' AND period = ?",
            [BROKEN.period],
        )  # fmt: skip
    assert outcome(warehouse, "V028", BROKEN)[0] == (0, 0, 0, 1)
    assert [row["rule_id"] for row in found] == ["V028"]
    assert "未作判断(不等于通过)" in found[0]["message"]
    assert outcome(warehouse, "V029", BROKEN)[0] == (0, 0, 1, 0)


@pytest.mark.parametrize(
    ("period", "unit", "count", "first_month", "earlier"),
    [
        ("2020-06", "m", 1, 2, ["2020-05"]),
        ("2020-02", "m", 1, 2, ["2019-12"]),
        ("2020-02", "m", 1, 1, ["2020-01"]),
        ("2020-06", "y", 1, 2, ["2019-06"]),
        ("2020-06", "e", 1, 2, ["2019-12"]),
        ("2020-03", "q", 1, 2, ["2019-12"]),
    ],
)
def test_what_an_offset_means(period, unit, count, first_month, earlier):
    assert rule_outcomes._earlier(period, unit, count, first_month) == earlier


def write(folder, text):
    (folder / "rules").mkdir()
    (folder / "rules" / "own.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_workspace_changes_adds_and_switches_off_rules(tmp_path):
    text = """
- {rule_id: V081, severity: hint}
- {rule_id: V078, enabled: false}
- {rule_id: V027, remove: true}
- {rule_id: W001, category: 表内, severity: verify, scope: row, message: 用电量少于投产企业数,
   expression: J02 >= B02, owner: 某局, source: 某局通知}
"""
    rules = {r.rule_id: r for r in load_catalog(write(tmp_path, text)).rules}
    assert rules["V081"].severity == "hint" and "V027" not in rules
    compiled = {r.rule_id for r in compile_rules(load_catalog(tmp_path)).relations}
    assert "W001" in compiled and "V078" not in compiled


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("expression: B03 <= B99", "引用的指标不存在"),
        ("expression: 'B03 <=='", "表达式|此处应为"),
        ("expression: B03 <= 12", "数字界限"),
        ("expression: item >= 0", "each"),
        ("message: ''", "不能为空"),
        ("yields_to: V999", "引用的审核规则不存在"),
        ("severity: 严重", "取值不在允许范围内"),
    ],
)
def test_a_faulty_rule_is_refused_in_words(tmp_path, field, said):
    import re

    fields = {"category": "表内", "severity": "verify", "scope": "row", "message": "不符",
              "expression": "B03 <= B01", "owner": "甲", "source": "乙"}  # fmt: skip
    name, _, value = field.partition(": ")
    fields[name] = value.strip("'")
    lines = "\n".join(f"  {k}: '{v}'" for k, v in fields.items())
    with pytest.raises(CatalogError) as refused:
        load_catalog(write(tmp_path, f"- rule_id: W001\n{lines}\n"))
    assert re.search(said, str(refused.value)), str(refused.value)
    assert "own.yaml" in str(refused.value)


def test_judging_again_gives_the_same_rows(warehouse):
    with warehouse.building() as connection:
        before = store.fetch(connection, "SELECT * FROM internal.rule_finding_cell ORDER BY ALL")
        connection.execute("INSERT INTO internal.affected_period VALUES (?)", [GROWN.period])
        around = rule_outcomes.Surroundings(first_month=2, zone="Asia/Shanghai")
        rule_outcomes.judge(connection, compile_rules(CATALOG), around)
        after = store.fetch(connection, "SELECT * FROM internal.rule_finding_cell ORDER BY ALL")
    assert [r for r in before if r["judged_period"] == GROWN.period] == [
        r for r in after if r["judged_period"] == GROWN.period
    ]
