"""Scores that can be recomputed by hand, and who is not ranked and why."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.assessment.scoring import ScoreResult, ScoreRow, freeze_goalposts, score_scheme
from tests.support import judging
from tests.support.assessing import item, scheme
from tests.support.judging import park
from warehouse.catalog.models import Park
from warehouse.catalog.schemes import Scheme
from warehouse.schema import table

D = Decimal


def growth(rate: Any, **more: Any) -> dict[str, Any]:
    return {"value": 1, "yoy_pct": rate} | more


def run(
    rules: Scheme,
    figures: dict[str, dict[str, Any]],
    period: str = "2020-06",
    *,
    parks: list[Park] | None = None,
    goalposts: Any = None,
    **more: Any,
) -> ScoreResult:
    everyone = parks if parks is not None else [park(park_id) for park_id in figures]
    return score_scheme(
        rules,
        everyone,
        judging.values(figures),
        goalposts or {},
        period,
        indicators=judging.indicators(),
        **more,
    )


def by_park(result: ScoreResult) -> dict[str, ScoreRow]:
    return {row.park_id: row for row in result.scores}


THREE = {
    "A": {"C04": growth(15), "B03": 13},
    "B": {"C04": growth("7.5"), "B03": 8},
    "C": {"C04": growth(-30), "B03": 2},
}


def test_points_recomputed_by_hand() -> None:
    """A: 100·60 + 1.2·100·40; B: 80·60 + 80·40; C: 0 (clipped) + 20·40, all over 100."""
    result = run(scheme(), THREE)
    assert [(row.park_id, row.score, row.rank, row.n) for row in result.scores] == [
        ("A", D("108.00"), 1, 3),
        ("B", D("80.00"), 2, 3),
        ("C", D("8.00"), 3, 3),
    ]
    points = {(d.park_id, d.indicator_id): (d.raw, d.normalised, d.weight, d.points)
              for d in result.details}  # fmt: skip
    assert points[("B", "C04")] == (D("7.5"), 80, 60, D("48.00"))
    assert points[("A", "B03")] == (13, 120, 40, D("48.00"))


def test_points_of_every_park_add_up_to_its_score() -> None:
    result = run(scheme(), {"A": {"C04": growth("3.333"), "B03": 7}, **THREE})
    for row in result.scores:
        points = [d.points for d in result.details if d.park_id == row.park_id]
        assert sum(p for p in points if p is not None) == row.score


@given(
    st.dictionaries(
        st.sampled_from("ABCDEFG"),
        st.tuples(st.decimals(-40, 60, places=2) | st.none(), st.integers(0, 30) | st.none()),
        min_size=1,
    )
)
def test_points_always_add_up_and_ranks_follow_scores(
    figures: dict[str, tuple[Decimal | None, int | None]],
) -> None:
    made = {name: {"C04": growth(rate), "B03": firms} for name, (rate, firms) in figures.items()}
    result = run(scheme(), made)
    for row in result.scores:
        points = [d.points for d in result.details if d.park_id == row.park_id]
        there = [p for p in points if p is not None]
        assert (sum(there) if there else None) == row.score
        assert row.eligible == (row.score is not None) == (row.rank is not None)
    ranked = [row for row in result.scores if row.rank is not None]
    for one in ranked:
        better = sum(1 for other in ranked if other.score > one.score)  # type: ignore[operator]
        assert one.rank == better + 1


def test_details_say_how_points_came_about() -> None:
    notes = {d.indicator_id: d.note for d in run(scheme(), THREE).details if d.park_id == "B"}
    assert notes["C04"] == "功效系数法，满意值15、不允许值0（方案规定）"
    assert notes["B03"] == "完成率法，目标10户，上限1.2倍"


def test_equal_scores_share_a_rank() -> None:
    figures = {"A": THREE["B"], "B": THREE["B"], "C": THREE["C"]}
    result = run(scheme(), figures)
    assert [(row.park_id, row.rank) for row in result.scores] == [("A", 1), ("B", 1), ("C", 3)]


def test_rows_have_the_columns_of_the_warehouse() -> None:
    result = run(scheme(), THREE)
    for name, row in (("score", result.scores[0]), ("score_detail", result.details[0])):
        columns = {column.name for column in table(f"assessment.{name}").columns}
        assert set(row.__dataclass_fields__) == columns


# --- Missing is never zero -------------------------------------------------------------


def test_a_missing_figure_spreads_its_weight() -> None:
    rules = scheme(
        items=[
            item("C04", 70, {"method": "rank"}, measure="growth"),
            item("B03", 30, {"method": "completion", "target": 10, "unit": "户"}),
        ]
    )
    result = run(rules, {"A": {"C04": growth(5), "B03": None}, "B": {"C04": growth(1), "B03": 9}})
    assert by_park(result)["A"].score == 100
    missing = next(d for d in result.details if (d.park_id, d.indicator_id) == ("A", "B03"))
    assert (missing.raw, missing.points, missing.weight) == (None, None, 0)
    assert missing.note == "缺数（未填报），权重按比例分给其他指标"
    kept = next(d for d in result.details if (d.park_id, d.indicator_id) == ("A", "C04"))
    assert kept.weight == 100


def test_too_little_weight_is_not_ranked_and_not_zero() -> None:
    result = run(scheme(), {**THREE, "D": {"C04": growth(None), "B03": 30}})
    row = by_park(result)["D"]
    assert (row.score, row.rank, row.eligible) == (None, None, False)
    assert row.exclusion_reason == (
        "可用指标权重合计40.0%，低于2/3，不排名（不按零分计）；缺：营业收入增速（缺上年同期可比数）"
    )
    assert row.n == 3


@pytest.mark.parametrize(
    ("figure", "why"),
    [
        ({"value": 5, "state": "imputed"}, "插补数不计"),
        ({"value": 5, "basis": "nowcast"}, "只有预测值"),
        ({"value": None, "state": "not_applicable"}, "不适用"),
        ({"value": None, "state": "suppressed"}, "不予使用"),
        ({"value": None, "state": "reported"}, "无数值"),
    ],
)
def test_figures_that_do_not_count(figure: dict[str, Any], why: str) -> None:
    result = run(scheme(), {**THREE, "D": {"C04": growth(3), "B03": figure}})
    note = next(d.note for d in result.details if (d.park_id, d.indicator_id) == ("D", "B03"))
    assert why in note


def test_growth_of_published_levels_and_late_flows_do_not_count() -> None:
    figures = {
        **THREE,
        "D": {"C04": growth(3, yoy_basis="levels"), "B03": 5},
        "E": {"C04": growth(3, n_months=4), "B03": 5},
        "F": {"C04": growth(3, n_months=6, yoy_basis="comparable"), "B03": 5},
    }
    rows = by_park(run(scheme(), figures))
    assert "同比口径不可比" in (rows["D"].exclusion_reason or "")
    assert "数据仅到4月" in (rows["E"].exclusion_reason or "")
    assert rows["F"].eligible


def test_a_reported_zero_counts() -> None:
    result = run(scheme(), {**THREE, "D": {"C04": growth(0), "B03": {"value": 0, "state": "zero"}}})
    assert by_park(result)["D"].score == D("36.00")


# --- Who is ranked ---------------------------------------------------------------------


def test_lists_regions_closed_parks_and_filters() -> None:
    parks = [
        park("A"),
        park("B", is_key=False),
        park("C", city_code="610100", county_code="610116"),
        park("D", status="exited"),
        park("E", kind="产业园区"),
    ]
    figures = {one.park_id: THREE["B"] for one in parks}
    key = scheme(who={"group": "key", "region_code": "610900"})
    assert sorted(by_park(run(key, figures, parks=parks))) == ["A", "E"]
    narrow = scheme(
        who={"group": "key", "region_code": "610900", "filter": [{"kind": ["产业园区"]}]}
    )
    assert sorted(by_park(run(narrow, figures, parks=parks))) == ["E"]


def test_exempt_parks_are_scored_but_not_ranked() -> None:
    rules = scheme(who={"group": "all", "region_code": "610900", "exempt": ["A"]})
    row = by_park(run(rules, THREE))["A"]
    assert (row.score, row.rank, row.eligible) == (108, None, False)
    assert row.exclusion_reason == "只参加考评，不参与排名"
    assert by_park(run(rules, THREE))["B"].rank == 1


def test_new_parks_may_be_kept_out_of_the_ranking() -> None:
    rules = scheme(who={"group": "all", "region_code": "610900", "new_park_years": 2})
    rows = by_park(run(rules, THREE, listed_since={"A": 2019, "B": 2018}))
    assert rows["A"].exclusion_reason == "2019年新列入，保护期内只考评不排名"
    assert rows["B"].rank == 1


def test_parks_with_unaccepted_data_are_listed_apart_without_a_score() -> None:
    result = run(scheme(), THREE, holds={"C": "本期未报"})
    row = by_park(result)["C"]
    assert (row.score, row.rank) == (None, None)
    assert row.exclusion_reason == "数据待核：本期未报"
    assert not [d for d in result.details if d.park_id == "C"]


def test_ranks_are_inside_the_class_and_small_classes_are_not_ranked() -> None:
    parks = [park(name, class_id="关中") for name in "AB"] + [park("C", class_id="陕南")]
    parks.append(park("D", class_id=""))
    rules = scheme(classes={"by": "class_id", "min_size": 2})
    rows = by_park(run(rules, {**THREE, "D": THREE["A"]}, parks=parks))
    assert [(rows[p].class_id, rows[p].rank, rows[p].n) for p in "AB"] == [
        ("关中", 1, 2),
        ("关中", 2, 2),
    ]
    assert rows["C"].exclusion_reason == "组内可排名园区1个，少于2个，不排名"
    assert rows["C"].score == 8
    assert rows["D"].exclusion_reason == "园区登记未确定考核分组，不排名"


def test_weights_may_differ_by_class() -> None:
    rules = scheme(
        classes={"by": "class_id"},
        items=[
            item("C04", 60, {"method": "rank"}, measure="growth", weight_by_class={"陕南": 100}),
            item("B03", 40, {"method": "rank"}, weight_by_class={"陕南": 0}),
        ],
    )
    parks = [park(name, class_id="陕南") for name in "ABC"]
    details = run(rules, THREE, parks=parks).details
    assert {d.indicator_id for d in details} == {"C04"}


# --- Goalposts -------------------------------------------------------------------------

CLASS_NOW = {"method": "min_max", "goalposts": {"source": "class"}}
FROZEN = {"method": "min_max", "goalposts": {"source": "previous_year"}}
FROZEN_OR_NOW = {
    "method": "min_max",
    "goalposts": {"source": "previous_year", "fallback": "class"},
}


def _with(scoring: dict[str, Any], **more: Any) -> Scheme:
    return scheme(items=[item("X01", 100, scoring, **more)])


def _x01(*figures: Any) -> dict[str, dict[str, Any]]:
    return {name: {"X01": figure} for name, figure in zip("ABCDEFGH", figures, strict=False)}


def test_frozen_goalposts_keep_scores_apart_from_other_parks() -> None:
    rules = _with(FROZEN)
    parks = [park(name) for name in "ABC"]
    last_year = judging.values(_x01(0, 50, 100))
    frozen = freeze_goalposts(rules, parks, last_year, "2019-06")
    posts = frozen[("全部", "X01", "value")]
    assert (posts.unacceptable, posts.satisfactory, posts.n) == (2, 98, 3)
    one = run(rules, _x01(26, 50, 74), goalposts=frozen)
    other = run(rules, _x01(26, 50, 9999), goalposts=frozen)
    assert by_park(one)["A"].score == by_park(other)["A"].score == 25
    assert one.goalposts_used[0].source == "previous_year"
    note = one.details[0].note
    assert note == "区间位置法，满意值98、不允许值2（上年同期组内分位数，已固定）"


def test_stored_goalposts_give_the_same_points_again() -> None:
    rules = _with(FROZEN_OR_NOW)
    figures = _x01("10.12345678", "33.33333333", "77.77777777", "50.00000001")
    first = run(rules, figures)
    stored = {(g.class_id, g.indicator_id, g.measure): g for g in first.goalposts_used}
    posts = stored[("全部", "X01", "value")]
    assert posts.unacceptable == round(posts.unacceptable, 8)
    again = run(rules, figures, goalposts=stored)
    assert [row.score for row in again.scores] == [row.score for row in first.scores]


def test_goalposts_of_the_class_now_move_everybody() -> None:
    rules = _with(CLASS_NOW)
    one = by_park(run(rules, _x01(26, 50, 74)))
    other = by_park(run(rules, _x01(26, 50, 9999)))
    assert one["B"].score != other["B"].score


def test_without_frozen_goalposts_only_a_declared_fallback_is_used() -> None:
    figures = _x01(0, 50, 100)
    none = run(_with(FROZEN), figures)
    assert all(row.score is None for row in none.scores)
    assert "没有可用的比较基准" in none.details[0].note
    assert none.goalposts_used == ()
    now = run(_with(FROZEN_OR_NOW), figures)
    assert now.goalposts_used[0].source == "class"
    assert "未固定" in now.details[0].note


def test_parks_outside_the_ranking_do_not_move_goalposts_or_ranks() -> None:
    who = {"group": "all", "region_code": "610900", "exempt": ["C"]}
    ranked = scheme(who=who, items=[item("X01", 100, {"method": "rank"})])
    rows = by_park(run(ranked, _x01(10, 20, 15)))
    assert (rows["A"].score, rows["B"].score) == (0, 100)
    assert rows["C"].score == 50  # the points of the place it would have
    spread = scheme(who=who, items=[item("X01", 100, CLASS_NOW)])
    assert run(spread, _x01(10, 20, 9999)).goalposts_used[0].n == 2


def test_low_is_better_turns_the_goalposts() -> None:
    rules = scheme(items=[item("B14", 100, CLASS_NOW, better="low")])
    figures = {name: {"B14": figure} for name, figure in zip("ABC", (0, 5, 10), strict=True)}
    result = run(rules, figures)
    rows = by_park(result)
    assert (rows["A"].rank, rows["C"].rank) == (1, 3)
    posts = result.goalposts_used[0]
    assert posts.unacceptable > posts.satisfactory


def test_completion_of_a_flow_is_prorated_by_the_month() -> None:
    scoring = {"method": "completion", "target": 12, "unit": "户", "prorate": True}
    rules = scheme(items=[item("B07", 100, scoring)])
    figures = {"A": {"B07": 6}}
    assert by_park(run(rules, figures, "2020-06"))["A"].score == 100
    assert by_park(run(rules, figures, "2020-12"))["A"].score == 50
    assert "按6/12折算" in run(rules, figures, "2020-06").details[0].note


def test_order_of_parks_does_not_matter() -> None:
    parks = [park(name) for name in "ABC"]
    assert run(scheme(), THREE, parks=parks) == run(scheme(), THREE, parks=parks[::-1])


def test_results_are_unofficial_unless_said() -> None:
    assert not any(row.official for row in run(scheme(), THREE).scores)
    assert all(row.official for row in run(scheme(), THREE, official=True).scores)
