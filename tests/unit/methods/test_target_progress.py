"""Progress of a target: calendar arithmetic, light rules, reference methods and their oracles."""

from __future__ import annotations

from decimal import Decimal

import pytest

from methods import progress as p
from tests.support import judging

D = Decimal
RECOMMENDED, YINCHUAN_2025 = (judging.rules()[name] for name in ("recommended", "yinchuan_2025"))


# --- Calendar, with figures published by bureaus -----------------------------------------


@pytest.mark.parametrize(
    ("month", "share"),
    [(2, D(100) / 6), (3, D(25)), (6, D(50)), (9, D(75)), (11, D(1100) / 12), (12, D(100))],
)
def test_time_progress_is_months_over_twelve(month: int, share: Decimal) -> None:
    assert p.time_progress_pct(month) == share


@pytest.mark.parametrize("month", [0, 13, -1])
def test_time_progress_refuses_months_outside_the_year(month: int) -> None:
    with pytest.raises(ValueError, match="month"):
        p.time_progress_pct(month)


@pytest.mark.parametrize(
    ("period", "share"),
    [("2018-02", D(200) / 48), ("2020-06", D("62.5")), ("2021-12", D(100)), ("2022-03", D(100))],
)
def test_plan_progress_counts_months_of_the_whole_plan(period: str, share: Decimal) -> None:
    assert p.plan_progress_pct(period, "2018-01", "2021-12") == share


def test_plan_progress_is_zero_before_the_plan_and_refuses_a_crossed_term() -> None:
    assert p.plan_progress_pct("2017-11", "2018-01", "2021-12") == 0
    with pytest.raises(ValueError, match="before it starts"):
        p.plan_progress_pct("2018-01", "2021-12", "2018-01")


@pytest.mark.parametrize(
    ("actual", "target", "printed"),
    [
        ("17.78", "75", "23.7"),  # 园区2016年一季度产值, published 23.7%
        ("6925", "35000", "19.8"),  # taxes, published 19.8%
        ("16.36", "69", "23.7"),
        ("2250", "3000", "75.0"),  # XA19-1.2-10, 2020-06
        ("12.8", "20", "64.0"),  # XA19-1.2-11, 2020-06
    ],
)
def test_completion_reproduces_published_bulletins(actual: str, target: str, printed: str) -> None:
    done = p.completion_pct(D(actual), D(target))
    assert done is not None
    assert f"{done:.1f}" == printed


def test_a_published_completion_may_be_off_by_its_rounding() -> None:
    """投资1.42亿元 of 14 was published as 10.2 %: 10.14 %, a matter to verify, not an error."""
    done = p.completion_pct(D("1.42"), D(14))
    assert done is not None
    assert D("0") < D("10.2") - done < D("0.1")


def test_completion_has_no_meaning_without_a_positive_target() -> None:
    assert p.completion_pct(D(5), D(0)) is None
    assert p.completion_pct(D(5), D(-3)) is None


def test_gap_of_changzhou_first_half() -> None:
    """完成全年目标的56.6%,超时序进度6.6个百分点."""
    assert p.gap_pp(D("56.6"), p.time_progress_pct(6)) == D("6.6")


def test_pace_and_missing_amount() -> None:
    assert p.pace_ratio(D(40), D(50)) == D("0.8")
    assert p.pace_ratio(D(40), D(0)) is None
    assert p.still_required(D(70), D(80)) == 10
    assert p.still_required(D(90), D(80)) == 0
    assert p.still_required(D(3), D(2), "down") == 1


def test_way_and_constant_growth_path() -> None:
    assert p.way_pct(D(48), D(49), D(50)) == 50
    assert p.way_pct(D(48), D(49), D(48)) is None
    assert p.cagr_path(D(100), D(200), 4, 4) == 200
    half = p.cagr_path(D(100), D(400), 1, 2)
    assert half is not None
    assert abs(half - 200) < D("1e-20")
    assert p.cagr_path(D(0), D(400), 1, 2) is None


# --- Light rules -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gap", "recommended", "yinchuan"),
    [
        ("0", "green", "green"),
        ("-0.01", "yellow", "yellow"),
        ("-5", "yellow", "yellow"),
        ("-5.01", "red", "yellow"),
        ("-10", "red", "yellow"),
        ("-30", "red", "yellow"),
        ("-30.01", "red", "red"),
        ("12", "green", "green"),
    ],
)
def test_lights_by_gap(gap: str, recommended: str, yinchuan: str) -> None:
    assert p.light_for_gap(D(gap), RECOMMENDED) == recommended
    assert p.light_for_gap(D(gap), YINCHUAN_2025) == yinchuan


@pytest.mark.parametrize(
    ("growth", "gap", "light"),
    [
        ("15", "0", "green"),
        ("14", "-1", "yellow"),
        ("10", "-5", "yellow"),
        ("9.9", "-5.1", "red"),
        ("-0.1", "-2.1", "red"),
        ("0", "-2", "yellow"),
        ("-3", "1", "green"),  # a decline, yet better than a benchmark that fell more
    ],
)
def test_lights_by_growth_turn_red_for_a_decline(growth: str, gap: str, light: str) -> None:
    assert p.light_for_growth(D(growth), D(gap), RECOMMENDED) == light


def test_a_rule_without_a_decline_clause_judges_by_the_gap_alone() -> None:
    assert p.light_for_growth(D(-1), D(-3), YINCHUAN_2025) == "yellow"


def test_only_the_sourced_rule_is_called_official() -> None:
    assert {rule.rule_id: rule.official for rule in judging.rules().values()} == {
        "recommended": False,
        "yinchuan_2025": True,
    }


def test_a_rule_must_end_with_an_open_band() -> None:
    rule = p.LightRule("x", "x", (p.Band("green", D(0)),), "x", official=False)
    with pytest.raises(ValueError, match="last band"):
        p.light_for_gap(D(-1), rule)


# --- Statistics Canada / Open SDG: values of the published formulas ----------------------

Y5 = (2015.0, 2020.0, 2030.0)
STATCAN = [
    (100, 120, 150, Y5, "up", 1.355392, "on_track", 5, 1.2),
    (100, 110, 150, Y5, "up", 0.702376, "accelerate", 0.7313, 0.6),
    (100, 103, 150, Y5, "up", 0.216399, "limited", -1.5983, 0.18),
    (100, 95, 150, Y5, "up", -0.372494, "deterioration", -4.0521, -0.3),
    (100, 80, 50, Y5, "down", 0.966542, "on_track", 2.6182, 1.2),
    (-10, -8, -5, Y5, "up", 0.966542, "on_track", 2.6182, None),
    (1.15, 1.32, 1.5, (2018.0, 2020.0, 2021.0), "up", 0.770627, "accelerate", 1.2188, 0.7286),
]


@pytest.mark.parametrize(("y0", "y", "t", "years", "way", "r", "status", "score", "pace"), STATCAN)
def test_growth_ratio_status_and_score(y0, y, t, years, way, r, status, score, pace) -> None:  # type: ignore[no-untyped-def]
    ratio = p.growth_ratio(y0, y, t, years, way)
    assert ratio == pytest.approx(r, abs=1e-6)
    assert p.ratio_status(ratio) == status
    assert p.ratio_score(ratio) == pytest.approx(score, abs=1e-4)
    if pace is not None:
        assert p.linear_pace(y0, y, t, years) == pytest.approx(pace, abs=1e-4)


def test_target_zero_is_misjudged_by_the_reference_and_not_by_us() -> None:
    """10 → 8 with target 0: peers put 0.001 in its place and call 60 % of the pace 9.5 %."""
    ratio = p.growth_ratio(10, 8, 0, Y5, "down", zero_as=0.001)
    assert ratio == pytest.approx(0.095128, abs=1e-6)
    assert p.ratio_score(ratio) == pytest.approx(-2.1036, abs=1e-4)
    ours = p.linear_pace(10, 8, 0, Y5)
    assert ours == pytest.approx(0.6)
    assert p.pace_status(ours) == "accelerate"


@pytest.mark.parametrize(
    ("base", "now", "target"), [(-5, 3, 10), (0, 3, 10), (100, 95, 100), (5, 3, -2)]
)
def test_reference_has_no_answer_where_compound_growth_has_none(
    base: float, now: float, target: float
) -> None:
    assert p.growth_ratio(base, now, target, Y5) is None
    assert p.ratio_status(None) == "not_available"
    assert p.ratio_score(None) is None


def test_fewer_than_two_points_in_time_give_no_ratio() -> None:
    assert p.growth_ratio(100, 120, 150, (2020.0, 2020.0, 2030.0)) is None


def test_achieved_overrides_trend_and_scores_five() -> None:
    assert p.ratio_status(-1.0, achieved=True) == "achieved"
    assert p.ratio_score(-1.0, achieved=True) == 5
    assert p.ratio_score(99.0) == 5
    assert p.ratio_score(-99.0) == -5


@pytest.mark.parametrize(
    ("base", "coefficient"),
    [(50, 0.9539), (80, 0.6287), (90, 0.3736), (95, 0.2037), (99, 0.0436), (100, 0.0), (200, 1.0)],
)
def test_limit_coefficient(base: float, coefficient: float) -> None:
    assert p.limit_coefficient(base, 100) == pytest.approx(coefficient, abs=1e-4)


def test_limit_coefficient_is_symmetric_around_the_limit() -> None:
    assert p.limit_coefficient(120, 100) == pytest.approx(p.limit_coefficient(80, 100))


@pytest.mark.parametrize(
    ("base", "now", "target", "value", "ratio", "level"),
    [
        (50, 60, 90, 73.899943, 0.597499, 2),
        (50, 52, 90, None, 0.109596, 2),
        (40, 30, 10, None, 0.613532, 2),
        (50, 51, 90, None, None, 1),
        (50, 80, 90, None, None, 3),
    ],
)
def test_un_progress_chart(base, now, target, value, ratio, level) -> None:  # type: ignore[no-untyped-def]
    found = p.un_progress_chart(base, now, target, (2015, 2022, 2030))
    assert found.level == level
    if value is not None:
        assert found.value == pytest.approx(value, abs=1e-6)
    if ratio is not None:
        assert found.ratio == pytest.approx(ratio, abs=1e-6)


def test_escap_current_status() -> None:
    assert p.escap_status(50, 60, 90) == pytest.approx(2.5)
    assert p.escap_status(50, 45, 30, "down") == pytest.approx(2.5)


def test_compound_growth_refuses_a_sign_change() -> None:
    with pytest.raises(ValueError, match="same sign"):
        p.cagr(-5, 3, 2)


# --- Straight line -----------------------------------------------------------------------


def test_a_sign_change_has_a_linear_pace() -> None:
    pace = p.linear_pace(-5, 3, 10, (2018, 2020, 2022))
    assert pace == pytest.approx((8 / 15) / (2 / 4))
    assert p.pace_status(pace) == "on_track"


def test_no_way_or_no_time_gone_has_no_pace() -> None:
    assert p.linear_pace(100, 95, 100, Y5) is None
    assert p.linear_pace(100, 120, 150, (2020, 2020, 2030)) is None
    assert p.pace_status(None) == "not_available"
