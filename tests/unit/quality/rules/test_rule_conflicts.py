"""Contradictory, redundant, identical, expired rules are told; a sound catalogue has none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from quality.rules.conflicts import compare_rules, normal_form
from warehouse.catalog import expression as ex
from warehouse.catalog.load import load_catalog
from warehouse.catalog.rules import Rule

CATALOG = load_catalog(None)


@dataclass(frozen=True)
class Rules:
    """A catalogue of just these rules."""

    rules: tuple[Rule, ...]
    indicators: tuple = CATALOG.indicators
    parks: tuple = ()


def rule(rule_id, expression, **more):
    fields = {"category": "表内", "severity": "error", "scope": "row", "message": "不符",
              "expected": "相符", "owner": "甲", "source": "测试"}  # fmt: skip
    return Rule.model_validate({"rule_id": rule_id, "expression": expression, **fields, **more})


def told(*rules, today=None):
    return [(p.kind, p.rule_ids, p.serious) for p in compare_rules(Rules(tuple(rules)), today)]


def test_the_shipped_rules_are_sound():
    assert compare_rules(CATALOG, date(2026, 1, 1)) == []


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ("B03 <= B01", "B01 >= B03", "identical"),
        ("B03 <= B01 and B02 <= B01", "B01 - B02 >= 0 and B01 >= B03", "identical"),
        ("2 * B03 <= 4 * B01", "B03 - 2 * B01 <= 0", "identical"),
        ("K01 <= 2", "K01 >= 3", "contradictory"),
        ("B03 = B01 + 1", "B03 <= B01", "contradictory"),
        ("C01 <= 0 - 5", "C04 >= 0", "contradictory"),  # an output is never negative
        ("K01 <= 2", "K01 <= 4", "redundant"),
    ],
)
def test_pairs(first, second, kind):
    found = told(rule("V001", first), rule("V002", second))
    assert kind in {k for k, _, _ in found}, found
    assert all(serious == (k == "contradictory") for k, _, serious in found)


def test_a_chain_of_rules_makes_another_redundant():
    chain = [rule("V001", "B05 <= B04"), rule("V002", "B04 <= B01")]
    assert ("redundant", ("V003", "V001", "V002"), False) in told(
        *chain, rule("V003", "B05 <= B01")
    )


@pytest.mark.parametrize(
    "more",
    [{"when": "B01 > 5"}, {"tolerance": {"percent": 1}}, {"applies_to": {"months": [12]}}],
)
def test_rules_that_do_not_always_apply_contradict_nobody(more):
    assert told(rule("V001", "K01 <= 2"), rule("V002", "K01 >= 3", **more)) == []


def test_an_error_is_not_redundant_because_of_a_mere_question():
    assert told(rule("V001", "K01 <= 4"), rule("V002", "K01 <= 2", severity="verify")) == []


def test_an_ended_rule_is_told_once_it_has_ended():
    ended = rule("V001", "B03 <= B01", valid_to="2020-01-01")
    assert told(ended, today=date(2019, 12, 31)) == []
    assert told(ended, today=date(2020, 1, 1)) == [("expired", ("V001",), False)]


def test_a_disabled_rule_is_left_out():
    off = rule("V002", "K01 >= 3").model_copy(update={"enabled": False})
    assert told(rule("V001", "K01 <= 2"), off) == []


def test_normal_forms_keep_different_things_apart():
    forms = {
        normal_form(ex.parse(t)) for t in ("B03 <= B01", "B03 < B01", "B01 <= B03", "B03 <= B02")
    }
    assert len(forms) == 4
