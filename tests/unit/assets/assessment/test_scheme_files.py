"""Scheme files: the shipped ones, and every contradiction said in words."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from tests.support import judging
from tests.support.assessing import scheme_fields
from warehouse.catalog.load import load_catalog
from warehouse.catalog.problems import CatalogError
from warehouse.catalog.schemes import Scheme

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


def _item(**changes: Any) -> dict[str, Any]:
    base = {
        "indicator_id": "C04",
        "weight": 100,
        "scoring": {"method": "rank"},
        "source": "测试",
    }
    return base | changes


def _veto(**changes: Any) -> dict[str, Any]:
    return {"event": "事故", "title": "事故", "effect": "disqualify", "source": "测试"} | changes


def _honour(**changes: Any) -> dict[str, Any]:
    return {"honour": "a", "title": "先进", "kind": "top", "source": "测试"} | changes


def _event(points: int) -> dict[str, Any]:
    return {"event": "奖", "title": "奖", "points_each": points, "source": "测试"}


def _grades(*grades: dict[str, Any]) -> dict[str, Any]:
    return {"grades": list(grades or ()) + ([{"label": "x", "min_score": 1}] * (len(grades) < 2)),
            "source": "测试"}  # fmt: skip


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
        ({"missing": {"policy": "zero"}}, "zero_source 写明依据"),
        ({"elimination": {"by": "gate"}}, "没有 gate"),
        ({"elimination": {"by": "floor"}}, "须写明 score_below"),
        ({"elimination": {"by": "floor", "score_below": 60, "n": 2}}, "不设末位个数"),
        ({"classes": {"when_small": "merge"}}, "merge_into"),
        ({"classes": {"by": ["level", "none"]}}, "不含 none"),
        ({"vetoes": [_veto(effect="grade_cap")]}, "须写明 grade"),
        ({"vetoes": [_veto(effect="lowest_grade")]}, "没有 grades"),
        ({"honours": [_honour(kind="grade", grade="优秀")]}, "grades 没有的等次：优秀"),
        ({"honours": [_honour(n=3, pct=5)]}, "必须且只能填一个"),
        ({"honours": [_honour(n=3), _honour(n=5)]}, "honours 的 honour 重复"),
        ({"consequences": [{"step": "约谈", "source": "测试"}]}, "须写明触发条件"),
        (
            {"consequences": [{"step": "约谈", "years_last": 2, "source": "测试"}]},
            "没有 elimination",
        ),
        (
            {"consequences": [{"step": "约谈", "last_n": 2, "after": "通报", "source": "测试"}]},
            "不是本方案的步骤：通报",
        ),
        ({"replacement": {"slots": "fill", "source": "测试"}}, "须写明 total"),
        ({"replacement": {"slots": "open", "order": "score", "source": "测试"}}, "须写明 gate"),
        ({"adjustments": {"events": [_event(0)]}}, "不能为0"),
        ({"adjustments": {"events": [_event(1), _event(2)]}}, "event 重复：奖"),
        ({"grades": _grades({"label": "优秀", "min_score": 90})}, "最后一个等次不设条件"),
        (
            {
                "grades": _grades(
                    {"label": "良", "min_score": 80},
                    {"label": "优", "min_score": 90},
                    {"label": "差"},
                )
            },
            "min_score 应由高到低",
        ),
        ({"data_quality": {"source": "测试"}}, "没有规定任何扣分"),
        (
            {
                "data_quality": {
                    "incomplete_bands": [
                        {"from_pct": 20, "points": 1},
                        {"from_pct": 10, "points": 2},
                    ],
                    "source": "测试",
                }
            },
            "由小到大",
        ),
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


@pytest.mark.parametrize(
    ("scoring", "said"),
    [
        ({"method": "tiered", "reference": {"source": "region"}}, "至少要有一档"),
        (
            {"method": "tiered", "reference": {"source": "policy"}, "up": [{"per_unit": 1}]},
            "须给出 value",
        ),
        (
            {
                "method": "tiered",
                "reference": {"source": "region"},
                "up": [{"per_unit": 1}, {"width": 10, "per_unit": 2}],
            },
            "只有最后一档",
        ),
        (
            {"method": "steps", "reference": {"source": "region"}, "step": 10, "gain": 1},
            "应同时填写",
        ),
        (
            {
                "method": "steps",
                "reference": {"source": "region"},
                "step": 10,
                "gain": 0.01,
                "most_gain": 5,
            },
            "400步以上",
        ),
        ({"method": "base_level"}, "只用于"),
        (
            {"method": "bands", "bands": [{"limit": 90, "points": 1}, {"limit": 80, "points": 2}]},
            "应按得分由低到高",
        ),
        (
            {
                "method": "static_dynamic",
                "static_share": 40,
                "dynamic_share": 50,
                "static": {"method": "rank"},
                "dynamic": {"method": "rank"},
            },
            "合计应为100，读到90",
        ),
        (
            {"method": "completion", "target": 1, "unit": "户", "cap": 0.5, "zero_below": 0.6},
            "小于",
        ),
    ],
)
def test_scoring_methods_must_make_sense(scoring: dict[str, Any], said: str) -> None:
    assert said in refused(items=[_item(scoring=scoring)])


def test_a_ratio_names_what_it_is_taken_of() -> None:
    assert "yardstick" in refused(items=[_item(measure="ratio")])
    assert "须写明 year" in refused(
        items=[_item(measure="ratio", yardstick={"source": "base_year"})]
    )


def test_level_and_growth_index_become_two_lines() -> None:
    scoring = {
        "method": "static_dynamic",
        "static_share": 40,
        "dynamic_share": 60,
        "static": {"method": "rank"},
        "dynamic": {"method": "rank"},
    }
    scheme = Scheme.model_validate(scheme_fields(items=[_item(scoring=scoring)]))
    assert [(line.key, line.weight) for line in scheme.lines] == [
        (("C04", "value"), 40),
        (("C04", "growth"), 60),
    ]


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


# --- Published schemes kept for reference ----------------------------------------------------------

PUBLISHED = (
    "henan_gate", "jiangsu", "mofcom_2016", "mofcom_2021", "mujun_classes", "zhejiang_2021",
)  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_schemes_name_their_source_and_what_is_ours(name: str) -> None:
    scheme = shipped(name)
    assert scheme.status == "reference"
    assert scheme.cite
    assert any(choice.official for choice in scheme.choices)
    assert any(not choice.official for choice in scheme.choices)
    assert all(choice.source for choice in scheme.choices)


def test_reference_schemes_are_kept_apart_until_a_workspace_activates_one(tmp_path: Path) -> None:
    shipped_catalog = load_catalog(None)
    assert {scheme.scheme_id for scheme in shipped_catalog.schemes} == set(SHIPPED)
    assert {scheme.scheme_id for scheme in shipped_catalog.reference_schemes} == set(PUBLISHED)
    (tmp_path / "schemes").mkdir()
    (tmp_path / "schemes" / "own.yaml").write_text(
        "scheme_id: jiangsu\nstatus: active\nwho: {group: all, region_code: '610000'}\n", "utf-8"
    )
    with pytest.raises(CatalogError, match="A_total"):  # the index is not an indicator yet
        load_catalog(tmp_path)
    (tmp_path / "indicators.yaml").write_text(
        "- {indicator_id: A_total, name_zh: 综合考评得分, unit: '%', kind: ratio, over_time: last, "
        "aggregation: none}\n",
        "utf-8",
    )
    active = {scheme.scheme_id: scheme for scheme in load_catalog(tmp_path).schemes}
    assert set(active) == {*SHIPPED, "jiangsu"}
    assert active["jiangsu"].elimination == shipped("jiangsu").elimination


def test_a_wrong_setting_is_named_with_its_file_and_key(tmp_path: Path) -> None:
    (tmp_path / "schemes").mkdir()
    text = (judging.CHINA_PARKS / "schemes" / "shaanxi_key.yaml").read_text("utf-8")
    text = text.replace("{method: rank}", "{method: ranked}").replace("ties: all_in", "tie: all_in")
    (tmp_path / "schemes" / "mine.yaml").write_text(text, "utf-8")
    with pytest.raises(CatalogError) as caught:
        load_catalog(tmp_path)
    said = str(caught.value)
    assert "schemes/mine.yaml" in said
    assert "字段 items.5.scoring" in said
    assert "是否应为“rank”" in said
    assert "字段 elimination.tie：没有这个字段" in said


def test_confirmed_rows_of_unknown_schemes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "outcomes.csv").write_text(
        "scheme_id,year,park_id,kind,in_last_k,document\n不存在,2019,A,result,1,通报\n", "utf-8"
    )
    with pytest.raises(CatalogError, match="引用了目录中没有的考核方案"):
        load_catalog(tmp_path)
