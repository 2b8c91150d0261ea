"""Verdicts of the shipped targets: figures, words, lights and reasons a statistician can follow."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.targets.evidence import Value, YearEnd
from assets.targets.pace import in_force
from assets.targets.verdict import VerdictRow, strictest
from tests.support import judging
from tests.support.judging import park
from warehouse.catalog.models import Park, Target, TargetFilter
from warehouse.schema import LIGHTS, VERDICTS, table
from warehouse.words import VERDICT_ZH

D = Decimal


def judge(
    ids: str | list[Target],
    period: str,
    table_: dict[str, dict[str, Any]] | None = None,
    *,
    parks: list[Park] | None = None,
    areas: list[dict[str, Any]] | None = None,
    history: dict[int, YearEnd] | None = None,
    **more: Any,
) -> list[VerdictRow]:
    """Judge shipped targets (ids separated by blanks) or given ones."""
    targets = [judging.shipped()[i] for i in ids.split()] if isinstance(ids, str) else ids
    figures = judging.values(table_ or {})
    everyone = parks if parks is not None else [park(park_id) for park_id in table_ or {}]
    return judging.verdicts(
        targets,
        everyone,
        figures,
        period,
        areas=judging.areas(areas or []),
        history=history or {},
        **more,
    )


def only(rows: list[VerdictRow]) -> VerdictRow:
    assert len(rows) == 1, [row.reason for row in rows]
    return rows[0]


def altered(target_id: str, **changes: Any) -> Target:
    return judging.shipped()[target_id].model_copy(update=changes)


# --- Each park at least ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("target_id", "indicator", "bar"),
    [("SN18-2.6-01", "B04", 3), ("AK18-2.9-03", "B04", 5), ("SN18-2.6-02", "B03", 10),
     ("AK18-2.9-04", "B03", 50)],
)  # fmt: skip
def test_minimum_per_park_is_met_at_the_bar_and_not_below(target_id, indicator, bar) -> None:  # type: ignore[no-untyped-def]
    rows = judge(target_id, "2021-12", {"A": {indicator: bar}, "B": {indicator: bar - 1}})
    assert [(row.park_id, row.verdict, row.light) for row in rows] == [
        ("A", "met", "green"),
        ("B", rows[1].verdict, rows[1].light),
    ]
    assert rows[1].verdict in ("behind", "far_behind")
    assert rows[1].still_required == 1


def test_minimum_per_park_is_paced_by_the_plan_before_its_end() -> None:
    row = only(judge("AK18-2.9-03", "2020-06", {"A": {"B04": 3}}))
    assert (row.actual, row.required, row.unit) == (3, 5, "户")
    assert (row.completion_pct, row.time_progress_pct, row.gap_pp) == (60, D("62.5"), D("-2.5"))
    assert row.pace_ratio == D("0.96")
    assert (row.verdict, row.light) == ("behind", "yellow")
    assert row.reason == (
        "安政办发〔2018〕72号“二（九）”要求龙头骨干企业数不少于5户（到2021年末），"
        "模拟A园区2020年6月末为3户，完成目标的60.0%，规划期时间进度62.5%，"
        "进度差低2.5个百分点，尚差2户。判定：低于进度。"
    )


def test_the_way_from_a_known_base_is_what_counts() -> None:
    """From 1 in 2017 to 5 in 2021: 3 is half of the way, although 60 % of the target."""
    before = {2017: YearEnd(judging.values({"A": {"B04": 1}}))}
    row = only(judge("AK18-2.9-03", "2020-06", {"A": {"B04": 3}}, history=before))
    assert row.completion_pct == 60
    assert row.gap_pp == D("-12.5")
    assert (row.verdict, row.light) == ("far_behind", "red")
    assert "自2017年基期以来已走完目标增量的50.0%" in row.reason


def test_a_base_above_the_target_does_not_turn_the_pace_around() -> None:
    before = {2017: YearEnd(judging.values({"A": {"B04": 7}}))}
    row = only(judge("AK18-2.9-03", "2020-06", {"A": {"B04": 3}}, history=before))
    assert row.gap_pp == D("-2.5")


def test_reserve_of_workshops_differs_by_level_and_is_never_red() -> None:
    parks = [park("A", level="省级"), park("B", level="县级"), park("C", level="县级")]
    figures = {"A": {"G03": "4.2"}, "B": {"G03": 3}, "C": {"G03": 0}}
    rows = judge("AK23-2.2-02 AK23-2.2-03", "2023-06", figures, parks=parks)
    assert [(row.target_id, row.park_id, row.required, row.verdict, row.light) for row in rows] == [
        ("AK23-2.2-02", "A", 5, "far_behind", "yellow"),
        ("AK23-2.2-03", "B", 3, "met", "green"),
        ("AK23-2.2-03", "C", 3, "far_behind", "yellow"),
    ]
    assert "预期性目标，只提示不判红" in rows[0].reason
    assert rows[0].time_progress_pct is None


def test_ceiling_and_range_per_park() -> None:
    figures = {"A": {"K01": 2}, "B": {"K01": 3}, "C": {"K01": 0}}
    rows = judge("SN18-2.3-01 AK18-2.3-01", "2020-06", figures)
    assert {(row.target_id, row.park_id): (row.verdict, row.light) for row in rows} == {
        ("SN18-2.3-01", "A"): ("met", "green"),
        ("SN18-2.3-01", "B"): ("far_behind", "yellow"),  # 一般不超过2个: expected
        ("SN18-2.3-01", "C"): ("met", "green"),
        ("AK18-2.3-01", "A"): ("met", "green"),
        ("AK18-2.3-01", "B"): ("far_behind", "red"),
        ("AK18-2.3-01", "C"): ("far_behind", "red"),
    }
    too_many = next(r for r in rows if (r.target_id, r.park_id) == ("AK18-2.3-01", "B"))
    assert "超出1个" in too_many.reason
    assert too_many.still_required == 1


# --- Growth ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("growth", "province", "city", "overall"),
    [
        ("22", ("on_pace", "green"), ("on_pace", "green"), "green"),
        ("20", ("on_pace", "green"), ("on_pace", "green"), "green"),
        ("17.2", ("on_pace", "green"), ("behind", "yellow"), "yellow"),
        ("15", ("on_pace", "green"), ("behind", "yellow"), "yellow"),
        ("12", ("behind", "yellow"), ("far_behind", "red"), "red"),
        ("-3.2", ("far_behind", "red"), ("far_behind", "red"), "red"),
    ],
)
def test_demonstration_parks_face_the_province_and_the_city(
    growth, province, city, overall
) -> None:  # type: ignore[no-untyped-def]
    figures = {"A": {"C04": {"value": 1, "yoy_pct": growth, "n_months": 6}}}
    parks = [park("A", is_demonstration=True)]
    rows = judge("AK18-2.9-02 SN18-2.12-02", "2020-06", figures, parks=parks)
    assert [(row.verdict, row.light) for row in rows] == [city, province]
    assert strictest(row.light for row in rows) == overall


def test_growth_reason_names_figure_bar_and_document() -> None:
    figures = {"A": {"C04": {"value": 1, "yoy_pct": "-3.2", "n_months": 6}}}
    row = only(judge("SN18-2.12-02", "2020-06", figures, parks=[park("A", is_demonstration=True)]))
    assert row.reason == (
        "陕政办发〔2018〕20号“二（十二）”要求营业收入增速不少于15%（每年），"
        "模拟A园区2020年1—6月营业收入同比下降3.2%，比目标低18.2个百分点。判定：低于目标。"
    )
    assert (row.actual, row.required, row.unit, row.gap_pp) == (D("-3.2"), 15, "%", D("-18.2"))
    assert row.completion_pct is None


def test_growth_is_met_only_when_the_year_is_over() -> None:
    figures = {"A": {"C04": {"value": 1, "yoy_pct": 16}}}
    parks = [park("A", is_demonstration=True)]
    assert only(judge("SN18-2.12-02", "2020-11", figures, parks=parks)).verdict == "on_pace"
    assert only(judge("SN18-2.12-02", "2020-12", figures, parks=parks)).verdict == "met"


@pytest.mark.parametrize(
    ("period", "n_months"), [("2020-02", 2), ("2020-02", None), ("2020-04", 2)]
)
def test_january_and_february_alone_never_turn_growth_red(
    period: str, n_months: int | None
) -> None:
    figures = {"A": {"C04": {"value": 1, "yoy_pct": -40, "n_months": n_months}}}
    row = only(judge("SN18-2.12-02", period, figures, parks=[park("A", is_demonstration=True)]))
    assert (row.verdict, row.light) == ("behind", "yellow")
    assert "1—2月数据不单独判红" in row.reason


def test_growth_of_published_levels_is_only_an_indication() -> None:
    figures = {"A": {"C04": {"value": 1, "yoy_pct": -40, "yoy_basis": "levels"}}}
    row = only(judge("SN18-2.12-02", "2020-06", figures, parks=[park("A", is_demonstration=True)]))
    assert row.light == "yellow"
    assert "口径可能不一致" in row.reason


def test_growth_without_a_comparable_base_is_no_data() -> None:
    row = only(
        judge(
            "SN18-2.12-02", "2020-06", {"A": {"C04": 5}}, parks=[park("A", is_demonstration=True)]
        )
    )
    assert (row.verdict, row.light) == ("no_data", "grey")
    assert "缺少上年同期可比数" in row.reason


def test_growth_over_a_benchmark() -> None:
    target = "AK23-1-01"
    figures = {"A": {"C01": 5}}
    area = {"area": "610900", "indicator": "C01", "value": 5, "yoy_pct": "8.5"}
    bench = {"area": "610900", "indicator": "T07", "value": "6"}
    row = only(judge(target, "2023-06", figures, areas=[area, bench]))
    assert (row.actual, row.required, row.gap_pp) == (D("2.5"), 3, D("-0.5"))
    assert (row.verdict, row.light, row.unit) == ("behind", "yellow", "百分点")
    assert "园区合计同比增长8.5%，" in row.reason
    slower = only(judge(target, "2023-06", figures, areas=[area, bench | {"value": 9}]))
    assert (slower.actual, slower.light) == (D("-0.5"), "yellow")  # slower, not falling
    assert "较对比指标低0.5个百分点" in slower.reason
    waiting = only(judge(target, "2023-06", figures, areas=[area]))
    assert waiting.verdict == "no_data"
    assert "统计部门" in waiting.reason


# --- Totals, averages, counties --------------------------------------------------------


def test_yearly_amount_against_months_over_twelve() -> None:
    row = only(judge("AK23-1-11", "2023-06", {"A": {"B07": 20}, "B": {"B07": 19}}))
    assert (row.actual, row.completion_pct, row.time_progress_pct) == (39, D("48.75"), 50)
    assert (row.gap_pp, row.verdict, row.light) == (D("-1.25"), "behind", "yellow")
    assert "2023年1—6月2个园区合计为39户" in row.reason


def test_the_light_rule_is_the_callers() -> None:
    figures = {"A": {"B07": 24}}
    assert only(judge("AK23-1-11", "2023-06", figures)).light == "red"
    assert (
        only(judge("AK23-1-11", "2023-06", figures, rule=judging.rules()["yinchuan_2025"])).light
        == "yellow"
    )


def test_two_thousand_firms_reached_a_year_early() -> None:
    """安康 2020: 2329 户 against 超过2000户 by 2021."""
    area = {"area": "610900", "indicator": "B01", "group": "key", "value": 2329}
    row = only(judge("AK18-1.2-09", "2020-12", {"A": {}}, areas=[area]))
    assert (row.verdict, row.light, row.still_required) == ("met", "green", 0)


def test_strictly_more_is_not_reached_by_equality() -> None:
    area = {"area": "610900", "indicator": "B01", "group": "key", "value": 2000}
    last = only(judge("AK18-1.2-09", "2021-12", {"A": {}}, areas=[area]))
    assert (last.verdict, last.light) == ("behind", "yellow")
    assert only(judge("AK18-1.2-09", "2020-12", {"A": {}}, areas=[area])).verdict == "on_pace"


@pytest.mark.parametrize(
    ("target_id", "indicator", "value", "done"),
    [("XA19-1.2-10", "B01", 2250, "75"), ("XA19-1.2-11", "E01", 128000, "64")],
)
def test_xian_half_way_in_2020(target_id, indicator, value, done) -> None:  # type: ignore[no-untyped-def]
    area = {"area": "610100", "indicator": indicator, "group": "key", "value": value}
    parks = [park("A", city_code="610100", county_code="610116")]
    row = only(judge(target_id, "2020-06", {"A": {}}, parks=parks, areas=[area]))
    assert (row.completion_pct, row.verdict) == (D(done), "on_pace")


def test_units_of_the_document_are_converted_and_shown() -> None:
    area = {"area": "610100", "indicator": "E01", "group": "key", "value": 128000}
    parks = [park("A", city_code="610100", county_code="610116")]
    row = only(judge("XA19-1.2-11", "2020-06", {"A": {}}, parks=parks, areas=[area]))
    assert (row.required, row.unit) == (200000, "人")
    assert "为12.8万人" in row.reason
    assert "尚差7.2万人" in row.reason


def test_revenue_of_the_deadline_year_runs_with_the_months() -> None:
    area = {"area": "610900", "indicator": "C04", "group": "key", "value": 9500000}
    row = only(judge("AK18-1.2-08", "2021-06", {"A": {}}, areas=[area]))
    assert (row.completion_pct, row.gap_pp, row.light) == (D("47.5"), D("-2.5"), "yellow")


def test_revenue_before_the_deadline_year_runs_on_the_growth_path() -> None:
    """From 1250 in 2017 to 2000 in 2021: 2019 is due 1581.1 亿元, half of it by June."""
    base = {"area": "610900", "indicator": "C04", "group": "key", "value": 12500000}
    now = {"area": "610900", "indicator": "C04", "group": "key", "value": 7800000}
    history = {2017: YearEnd({}, judging.areas([base]))}
    row = only(judge("AK18-1.2-08", "2019-06", {"A": {}}, areas=[now], history=history))
    assert row.gap_pp is not None
    assert round(row.gap_pp, 2) == D("-0.67")
    assert row.completion_pct == 39
    assert row.light == "yellow"
    assert "2019年应达数已完成49.3%" in row.reason


def test_revenue_without_a_base_is_weak_evidence() -> None:
    now = {"area": "610900", "indicator": "C04", "group": "key", "value": 4000000}
    row = only(judge("AK18-1.2-08", "2019-06", {"A": {}}, areas=[now]))
    assert (row.verdict, row.light) == ("behind", "yellow")
    assert "无基期数" in row.reason


def test_a_register_shorter_than_the_documents_list_is_said_and_not_red() -> None:
    figures = {f"P{n}": {"B01": 10} for n in range(5)}
    row = only(judge("AK18-1.2-09", "2021-12", figures))
    assert row.light == "yellow"
    assert "文件名单19个园区，登记5个" in row.reason


def test_partial_coverage_is_said_and_too_little_is_not_judged() -> None:
    figures: dict[str, dict[str, Any]] = {f"P{n}": {"G01": 20} for n in range(4)}
    figures["P4"] = {"G01": None}
    row = only(judge("AK18-2.5-02", "2020-06", figures))
    assert row.actual == 80
    assert "覆盖4/5个园区，未报园区未计入" in row.reason
    figures["P3"] = figures["P2"] = {"G01": None}
    thin = only(judge("AK18-2.5-02", "2020-06", figures))
    assert (thin.verdict, thin.light) == ("no_data", "grey")
    assert "应报5个园区，仅2个有数" in thin.reason


def test_average_per_park_and_its_warning() -> None:
    """451 户 over 19 parks is 23.7: an average says nothing about each park."""
    area = {"area": "610100", "indicator": "B03", "value": 451, "n_parks": 19, "n_reported": 19}
    parks = [park("A", city_code="610100", county_code="610116")]
    row = only(judge("XA19-2.6-02", "2020-12", {"A": {}}, parks=parks, areas=[area]))
    assert row.actual is not None
    assert round(row.actual, 1) == D("23.7")
    assert row.verdict == "met"
    assert "平均达标不等于逐园达标" in row.reason


def test_counties_are_judged_each_with_enclave_parks_at_home() -> None:
    parks = [
        park("A"),
        park("B", county_code="610902", home_county_code="610923", host_county_code="610902"),
    ]
    figures = {"A": {"G01": 6}, "B": {"G01": 2}}
    names = {"610902": "汉滨区", "610923": "宁陕县"}
    rows = judge("SN18-2.8-02", "2021-12", figures, parks=parks, regions=names)
    assert [(row.scope_code, row.actual, row.verdict) for row in rows] == [
        ("610902", 6, "met"),
        ("610923", 2, "far_behind"),
    ]
    assert "宁陕县2021年末1个园区合计为2万平方米" in rows[1].reason


def test_average_growth_of_the_built_area() -> None:
    history = {2017: YearEnd(judging.values({"A": {"A02": 100}}))}
    good = only(judge("AK18-2.4-01", "2019-12", {"A": {"A02": "132.25"}}, history=history))
    assert (good.actual, good.verdict) == (15, "on_pace")
    done = only(judge("AK18-2.4-01", "2021-12", {"A": {"A02": 160}}, history=history))
    assert done.verdict == "behind"
    assert only(judge("AK18-2.4-01", "2019-12", {"A": {"A02": 160}})).verdict == "no_data"


def test_share_of_the_region_is_judged_when_somebody_supplies_it() -> None:
    """2019: 71.5 % against 85 %, 13.5 percentage points short."""
    area = {"area": "610900", "indicator": "X32", "value": "71.5"}
    row = only(judge("AK18-1.2-07", "2019-12", {"A": {}}, areas=[area]))
    assert row.still_required == D("13.5")
    assert (row.verdict, row.light, row.gap_pp) == ("behind", "yellow", D("-13.5"))
    assert "尚差13.5个百分点" in row.reason  # a share of 84 % of the target is no way covered
    assert only(judge("AK18-1.2-07", "2019-12", {"A": {}})).verdict == "no_data"


# --- Parks over a threshold ------------------------------------------------------------


def test_parks_over_a_threshold_count_strictly_and_are_named() -> None:
    figures = {"A": {"C04": 1000000}, "B": {"C04": 1000001}, "C": {"C04": 7000000}}
    row = only(judge("SN18-1.2-15", "2021-12", figures))
    assert (row.actual, row.required, row.unit, row.indicator_used) == (2, 50, "个", "C04")
    assert "（模拟B园区、模拟C园区）" in row.reason


def test_within_the_year_parks_are_stretched_to_twelve_months() -> None:
    figures = {"A": {"C04": 510000}, "B": {"C04": 1200000}}
    row = only(judge([altered("SN18-1.2-15", value=D(2))], "2020-06", figures))
    assert (row.actual, row.completion_pct) == (1, 50)
    assert (row.verdict, row.light) == ("on_pace", "green")
    assert "按序时折算全年为2个" in row.reason


def test_output_bands_of_ankang_exclude_one_another() -> None:
    """300、200、100亿 want 2, 3 and 2 parks: a park over 300 is not one of those over 200."""
    big = {"A": 3500000, "B": 3100000, "C": 2500000, "D": 2100000, "E": 2000000, "F": 1500000}
    figures = {park_id: {"C01": value} for park_id, value in big.items()}
    rows = judge("AK18-1.2-13 AK18-1.2-14 AK18-1.2-15", "2021-12", figures)
    assert [(row.actual, row.required, row.verdict) for row in rows] == [
        (2, 2, "met"),
        (2, 3, "far_behind"),
        (2, 2, "met"),  # 200亿 exactly is not over 200
    ]
    assert "各档互斥计数" in rows[1].reason


def test_a_count_over_too_few_parks_is_not_judged() -> None:
    figures: dict[str, dict[str, Any]] = {"A": {"C04": 9000000}, "B": {}, "C": {}}
    row = only(judge("SN18-1.2-14", "2020-12", figures))
    assert row.verdict == "no_data"
    assert "应报3个园区，仅1个有数" in row.reason


# --- Never a substitute ----------------------------------------------------------------


def test_output_never_stands_in_for_revenue() -> None:
    """安康 2020: only 产值 1075.5 亿 is known, the target is 营业收入 2000 亿."""
    area = {"area": "610900", "indicator": "C01", "group": "key", "value": 10755000}
    row = only(judge("AK18-1.2-08", "2020-12", {"A": {}}, areas=[area]))
    assert (row.verdict, row.light, row.indicator_used) == ("not_comparable", "grey", "C01")
    assert row.actual is None
    assert "目标指标为营业收入，现有数据只有工业总产值" in row.reason


@pytest.mark.parametrize("target_id", ["SN18-1.2-15", "SN18-2.12-02"])
def test_a_park_that_reports_output_only_is_not_comparable(target_id: str) -> None:
    figures = {"A": {"C01": {"value": 9000000, "yoy_pct": 30}}}
    row = only(judge(target_id, "2020-06", figures, parks=[park("A", is_demonstration=True)]))
    assert (row.verdict, row.indicator_used) == ("not_comparable", "C01")


def test_an_empty_cell_is_missing_not_incomparable() -> None:
    figures = {"A": {"C01": 9000000, "C04": None}}
    row = only(judge("SN18-2.12-02", "2020-06", figures, parks=[park("A", is_demonstration=True)]))
    assert (row.verdict, row.indicator_used) == ("no_data", "C04")
    assert "营业收入未填报" in row.reason


def test_units_that_do_not_convert_are_not_compared() -> None:
    odd = {"area": "610900", "indicator": "B01", "group": "key", "value": 2329, "unit": "公顷"}
    row = only(judge("AK18-1.2-09", "2020-12", {"A": {}}, areas=[odd]))
    assert row.verdict == "not_comparable"
    assert "不能换算" in row.reason


def test_a_forecast_is_never_the_status_now() -> None:
    figures = {"A": {"B04": {"value": 9, "basis": "nowcast"}}}
    row = only(judge("SN18-2.6-01", "2020-06", figures))
    assert row.verdict == "no_data"
    assert "预测值" in row.reason


@pytest.mark.parametrize(
    ("state", "words"),
    [("unknown", "未填报"), ("not_applicable", "不适用"), ("suppressed", "不予使用")],
)
def test_states_without_a_value_say_why(state: str, words: str) -> None:
    figures = {("A", "B04"): Value(None, "户", state=state)}
    target = judging.shipped()["SN18-2.6-01"]
    row = only(judging.verdicts([target], [park("A")], figures, "2020-06"))
    assert row.verdict == "no_data"
    assert words in row.reason


def test_zero_is_a_figure() -> None:
    row = only(judge("SN18-2.6-01", "2021-12", {"A": {"B04": {"value": 0, "state": "zero"}}}))
    assert (row.actual, row.verdict, row.light) == (0, "far_behind", "red")


# --- Who, when, and by whom ------------------------------------------------------------


def test_shanxi_targets_never_reach_shaanxi_parks() -> None:
    figures = {"A": {"K01": 3}}
    shaanxi = only(judge("SX20-2.1-01", "2021-06", figures))
    assert (shaanxi.verdict, shaanxi.park_id) == ("out_of_scope", "")
    parks = [park("A", province_code="140000", city_code="140500", county_code="140525")]
    shanxi = only(judge("SX20-2.1-01", "2021-06", figures, parks=parks))
    assert (shanxi.park_id, shanxi.verdict) == ("A", "far_behind")
    assert only(judge("SN18-2.3-01", "2021-06", figures, parks=parks)).verdict == "out_of_scope"


def test_closed_parks_are_not_judged() -> None:
    parks = [park("A"), park("B", status="exited")]
    rows = judge("SN18-2.6-01", "2020-06", {"A": {"B04": 1}, "B": {"B04": 9}}, parks=parks)
    assert [row.park_id for row in rows] == ["A"]


@given(st.lists(st.integers(0, 12), min_size=2, max_size=6, unique=True), st.integers(4, 12))
def test_more_is_never_judged_worse(firms: list[int], month: int) -> None:
    """The verdict of a minimum per park does not get worse when the figure grows."""
    order = ["met", "on_pace", "behind", "far_behind"]
    figures = {f"P{n:02d}": {"B03": n} for n in sorted(firms)}
    rows = judge("SN18-2.6-02", f"2020-{month:02d}", figures)
    severity = [order.index(row.verdict) for row in rows]
    assert severity == sorted(severity, reverse=True)


def test_a_document_not_yet_issued_is_listed_as_not_in_force() -> None:
    row = only(judge("AK23-1-11", "2020-06", {"A": {"B07": 3}}))
    assert (row.verdict, row.light, row.actual) == ("out_of_scope", "grey", None)
    assert "2023年3月起适用，本期尚未生效" in row.reason
    assert only(judge("SN18-2.6-01", "2018-02", {"A": {"B04": 3}})).verdict == "out_of_scope"


def test_a_repealed_document_is_over_from_that_month() -> None:
    target = judging.shipped()["SN18-2.6-01"]
    document = judging.documents()["SN18"].model_copy(update={"repealed": date(2020, 6, 30)})
    assert in_force(target, document, "2020-05") == "now"
    assert in_force(target, document, "2020-06") == "over"


def test_expired_targets_are_judged_as_of_their_end_and_stay_grey() -> None:
    end = {2021: YearEnd(judging.values({"A": {"B04": 2}, "B": {"B04": 4}}))}
    now = {"A": {"B04": 9}, "B": {"B04": 9}}
    rows = judge("SN18-2.6-01", "2026-10", now, history=end)
    assert [(row.park_id, row.verdict, row.light, row.actual) for row in rows] == [
        ("A", "expired", "grey", 2),
        ("B", "expired", "grey", 4),
    ]
    assert {row.asof_period for row in rows} == {"2026-10"}
    assert rows[0].reason.startswith(
        "期限至2021年12月，已期满，不参与当前评判。期末结果（低于进度）"
    )
    assert "期末结果（已达到）" in rows[1].reason
    assert "2021年末为4户" in rows[1].reason


def test_expired_targets_without_final_figures_say_so() -> None:
    row = only(judge("SN18-2.6-01", "2022-02", {"A": {"B04": 9}}))
    assert row.verdict == "expired"
    assert "终期结果未知" in row.reason


def test_a_replaced_target_is_no_longer_judged() -> None:
    old = altered("AK18-2.6-02", document_id="AK23", period=judging.shipped()["AK23-1-11"].period)
    rows = judge([old, judging.shipped()["AK23-1-11"]], "2023-06", {"A": {"B07": 50}})
    assert {row.target_id: row.verdict for row in rows} == {
        "AK18-2.6-02": "expired",
        "AK23-1-11": "on_pace",
    }
    assert "替代" in rows[0].reason


@pytest.mark.parametrize(
    ("target_id", "verdict"),
    [
        ("SN18-2.3-02", "manual"),  # F
        ("SN18-2.7-01", "manual"),  # U
        ("SN18-3.20-02", "out_of_scope"),  # P
        ("SN18-3.21-03", "no_data"),  # R
        ("SN18-2.10-01", "no_data"),  # park register
        ("SN18-2.9-01", "manual"),  # events, by hand
        ("SN18-1.2-01", "no_data"),  # another bureau
    ],
)
def test_what_returns_cannot_answer_is_listed_with_the_reason(target_id, verdict) -> None:  # type: ignore[no-untyped-def]
    row = only(judge(target_id, "2020-06", {"A": {"B04": 3}}))
    assert (row.verdict, row.light, row.actual) == (verdict, "grey", None)
    assert VERDICT_ZH[verdict] in row.reason


@pytest.mark.parametrize(
    "period", ["2018-04", "2018-12", "2020-06", "2021-12", "2023-06", "2026-10"]
)
def test_every_target_has_a_row_with_its_reason_whatever_the_period(period: str) -> None:
    figures = {f"P{n}": {"B03": n, "B04": n, "C04": 100, "G01": 1, "B07": 2} for n in range(6)}
    targets = list(judging.shipped().values())
    rows = judge(targets, period, figures)
    assert len({row.target_id for row in rows}) == len(targets) == 193
    assert len({(r.target_id, r.scope_code, r.park_id) for r in rows}) == len(rows)
    for row in rows:
        assert row.verdict in VERDICTS
        assert row.light in LIGHTS
        assert row.reason.endswith("。")


def test_rows_have_the_columns_of_the_warehouse() -> None:
    assert tuple(VerdictRow.__dataclass_fields__) == tuple(
        column.name for column in table("targets.verdict").columns
    )


def test_order_of_input_does_not_matter() -> None:
    figures = {f"P{n}": {"B03": n, "B04": n, "C04": 100 * n, "G01": n} for n in range(6)}
    targets = list(judging.shipped().values())
    turned = dict(reversed(figures.items()))
    assert judge(targets, "2020-06", figures) == judge(targets[::-1], "2020-06", turned)


def test_figures_fit_the_warehouse_scale() -> None:
    row = only(judge("SN18-2.6-01", "2020-06", {"A": {"B04": 1}}))
    assert row.completion_pct == D("33.33333333")
    assert row.figure_ids == ("A/B04/2020-06",)


def test_strictest_light_lets_grey_give_way() -> None:
    assert strictest(["grey", "green", "yellow"]) == "yellow"
    assert strictest(["grey"]) == "grey"
    assert strictest([]) == "grey"


def test_a_condition_on_figures_narrows_the_parks_a_clause_is_about() -> None:
    large = altered("SN18-2.6-02", filter=TargetFilter(where="C01 >= 300000 and B03 > 0"))
    figures = {
        "A": {"C01": 300_000, "B03": 12},
        "B": {"C01": 299_999, "B03": 3},
        "C": {"C01": None, "B03": 3},
    }
    row = only(judge([large], "2020-12", figures))
    assert (row.park_id, row.verdict) == ("A", "met")
