"""Scheme files: the shipped two, and every field that would otherwise be silently ignored."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from tests.support import judging
from tests.support.assessing import scheme_fields
from warehouse.catalog.schemes import LATER_FIELDS, LATER_METHODS, Scheme

SHIPPED = ("shaanxi_key", "shaanxi_demonstration")


def shipped(name: str) -> Scheme:
    path = judging.CHINA_PARKS / "schemes" / f"{name}.yaml"
    return Scheme.model_validate(yaml.safe_load(path.read_text("utf-8")))


def refused(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Scheme.model_validate(scheme_fields(**changes))
    return "；".join(str(error["msg"]) for error in caught.value.errors())


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_schemes_are_marked_unofficial_and_sourced(name: str) -> None:
    scheme = shipped(name)
    assert scheme.label == "建议值，非官方"
    assert not any(choice.official for choice in scheme.choices)
    assert all(item.source for item in scheme.items)
    assert sum(item.weight for item in scheme.items) == 100
    assert scheme.missing.share == Fraction(2, 3)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_schemes_use_known_indicators_targets_and_units(name: str) -> None:
    scheme = shipped(name)
    known = judging.indicators()
    for item in scheme.items:
        assert known[item.indicator_id].better == item.better
        unit = getattr(item.scoring, "unit", known[item.indicator_id].unit)
        assert unit == known[item.indicator_id].unit
    assert set(scheme.basis) <= set(judging.shipped())


def test_the_two_lists_are_assessed_in_parallel() -> None:
    assert {shipped(name).who.group for name in SHIPPED} == {"key", "demonstration"}
    assert {shipped(name).who.region_code for name in SHIPPED} == {"610000"}


def test_no_value_of_last_place_elimination_is_called_official() -> None:
    for name in SHIPPED:
        rule = shipped(name).elimination
        assert rule is not None
        assert (rule.pct, rule.mode, rule.k, rule.m) == (5, "k_of_m", 2, 3)


@pytest.mark.parametrize("field", sorted(LATER_FIELDS))
def test_parts_without_a_calculation_are_refused_by_name(field: str) -> None:
    said = refused(**{field: [{"event": "x"}]})
    assert f"{field}（{LATER_FIELDS[field]}）的计算尚未提供" in said


@pytest.mark.parametrize("method", sorted(LATER_METHODS))
def test_scoring_methods_without_a_calculation_are_refused_by_name(method: str) -> None:
    items = scheme_fields()["items"]
    items[0]["scoring"] = {"method": method}
    assert f"计分方法 {method}（{LATER_METHODS[method]}）的计算尚未提供" in refused(items=items)


def _item(**changes: Any) -> dict[str, Any]:
    base = {
        "indicator_id": "C04",
        "weight": 100,
        "scoring": {"method": "rank"},
        "source": "测试",
    }
    return base | changes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"items": [_item(weight=90)]}, "权重合计应为100，读到90"),
        ({"items": [_item(weight=50), _item(weight=50)]}, "同一指标同一口径出现两次"),
        ({"items": []}, "至少要有一个指标"),
        ({"items": [_item(weight_by_class={"甲": 40})]}, "分组 甲 的权重合计应为100，读到40"),
        ({"choices": []}, "须在 choices 写明"),
        ({"elimination": {"n": 1, "pct": 5}}, "必须且只能填一个"),
        ({"elimination": {}}, "必须且只能填一个"),
        ({"elimination": {"n": 1, "mode": "k_of_m", "k": 3, "m": 2}}, "k 不能大于 m"),
        ({"elimination": {"n": 1, "mode": "consecutive", "k": 2, "m": 3}}, "m 只用于"),
        ({"elimination": {"n": 1, "k": 2}}, "k 只用于"),
        ({"elimination": {"n": 1, "ties": "better_of_growth"}}, "tie_growth"),
        ({"missing": {"min_share": "4/3"}}, "不能大于 1"),
    ],
)
def test_contradictions_are_refused_in_chinese(changes: dict[str, Any], said: str) -> None:
    assert said in refused(**changes)


@pytest.mark.parametrize(
    ("scoring", "said"),
    [
        ({"method": "efficacy", "goalposts": {"source": "policy"}}, "须同时给出"),
        (
            {
                "method": "efficacy",
                "goalposts": {"source": "policy", "unacceptable": 5, "satisfactory": 1},
            },
            "大小关系与 better",
        ),
        (
            {"method": "min_max", "goalposts": {"source": "class", "fallback": "class"}},
            "只有 previous_year",
        ),
        (
            {
                "method": "min_max",
                "goalposts": {"source": "class", "low_quantile": 0.9, "high_quantile": 0.1},
            },
            "low_quantile 应小于",
        ),
    ],
)
def test_goalposts_must_make_sense(scoring: dict[str, Any], said: str) -> None:
    assert said in refused(items=[_item(scoring=scoring)])


def test_completion_is_for_amounts_only() -> None:
    scoring = {"method": "completion", "target": 10, "unit": "户"}
    assert "不用于增速" in refused(items=[_item(measure="growth", scoring=scoring)])


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError):
        Scheme.model_validate(scheme_fields(weights_total=100))


def test_decimals_of_a_file_stay_exact() -> None:
    items = [_item(weight=33.3), _item(indicator_id="C01", weight=66.7)]
    scheme = Scheme.model_validate(scheme_fields(items=items))
    assert scheme.items[0].weight == Decimal("33.3")
