"""The light follows a calibrated probability, else the pace; the reason says which."""

from __future__ import annotations

from decimal import Decimal

import pytest

from assets.targets.evidence import Evidence, YearEnd
from assets.targets.judge import judge_all
from assets.targets.lights import with_chances
from assets.targets.requirement import Chance, requirements_of
from assets.targets.verdict import VerdictRow
from methods.progress import light_for_chance
from tests.support import judging
from tests.support.judging import park

D = Decimal
RECOMMENDED, YINCHUAN_2025 = (judging.rules()[name] for name in ("recommended", "yinchuan_2025"))


def lit(target_id: str, figure: dict, chance: Chance, rule=RECOMMENDED) -> VerdictRow:
    """One demonstration park judged in June, with what a forecast says."""
    e = Evidence(
        period="2020-06",
        parks=(park("A", is_demonstration=True),),
        values=judging.values({"A": figure}),
        convert=judging.convert,
        documents=judging.documents(),
        indicators=judging.indicators(),
        rule=rule,
    )
    rows = judge_all([judging.shipped()[target_id]], e)
    chances = {(row.target_id, row.scope_code, row.park_id): chance for row in rows}
    (row,) = with_chances(rows, chances, judging.shipped(), rule)
    return row


@pytest.mark.parametrize(
    ("probability", "light"),
    [("1", "green"), ("0.80", "green"), ("0.79", "yellow"), ("0.50", "yellow"), ("0.49", "orange"),
     ("0.20", "orange"), ("0.19", "red"), ("0", "red")],
)  # fmt: skip
def test_light_of_a_calibrated_probability(probability: str, light: str) -> None:
    assert light_for_chance(D(probability), RECOMMENDED) == light
    row = lit("SN18-2.12-02", {"C04": {"value": 1, "yoy_pct": 10}}, Chance(D(probability), True))
    assert (row.light, row.light_basis, row.probability) == (light, "probability", D(probability))
    assert (row.verdict, "灯色依据概率" in row.reason) == ("behind", True)


def test_an_uncalibrated_probability_is_printed_and_changes_nothing() -> None:
    row = lit("SN18-2.12-02", {"C04": {"value": 1, "yoy_pct": -3}}, Chance(D("0.95"), False))
    assert (row.light, row.light_basis, row.probability) == ("red", "pace", D("0.95"))
    assert row.reason.endswith("达标概率95%，尚未经检验，仅供参考，灯色依据进度。")


def test_an_expected_target_is_never_red_however_small_its_chance() -> None:
    row = lit("SN18-2.3-01", {"K01": 3}, Chance(D("0.01"), True))
    assert (row.light, row.light_basis) == ("yellow", "probability")


def test_a_city_rule_without_probabilities_keeps_the_pace() -> None:
    figure = {"C04": {"value": 1, "yoy_pct": 10}}
    row = lit("SN18-2.12-02", figure, Chance(D("0.05"), True), YINCHUAN_2025)
    assert row.light_basis == "pace"


def test_certainty_is_not_printed_where_there_is_none() -> None:
    figure = {"C04": {"value": 1, "yoy_pct": 10}}
    row = lit("SN18-2.12-02", figure, Chance(D("0.9999"), True, "依据6年同月误差"))
    assert "达标概率高于98%（依据6年同月误差）" in row.reason


@pytest.mark.parametrize(
    ("probability", "words"),
    [("0.0199", "低于2%"), ("0.02", "2%"), ("0.98", "98%"), ("0.981", "高于98%"), ("0", "低于2%")],
)
def test_chances_at_the_ends_are_bounded_in_words(probability: str, words: str) -> None:
    figure = {"C04": {"value": 1, "yoy_pct": 10}}
    row = lit("SN18-2.12-02", figure, Chance(D(probability), True))
    assert f"达标概率{words}" in row.reason


def test_too_early_is_said_and_the_light_follows_the_pace() -> None:
    row = lit(
        "SN18-2.12-02",
        {"C04": {"value": 1, "yoy_pct": -3}},
        Chance(D("0.6"), False, "年初尚早，不作判断"),
    )
    assert (row.light, row.light_basis) == ("red", "pace")
    assert row.reason.endswith("达标概率60%，年初尚早，不作判断，仅供参考，灯色依据进度。")


def test_what_was_not_judged_gets_no_probability() -> None:
    row = lit("SN18-2.12-02", {"C01": 5}, Chance(D("0.9"), True))
    assert (row.verdict, row.probability, row.light_basis) == ("not_comparable", None, "")


@pytest.mark.parametrize("wrong", ["1.01", "-0.01"])
def test_a_probability_outside_0_and_1_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="probability must"):
        light_for_chance(D(wrong), RECOMMENDED)


def test_being_on_the_path_this_year_is_not_meeting_a_target_due_later() -> None:
    e = Evidence(
        period="2020-06",
        parks=(park("A"),),
        values=judging.values({"A": {"C04": 600}}),
        convert=judging.convert,
        documents=judging.documents(),
        indicators=judging.indicators(),
        rule=RECOMMENDED,
        history={2017: YearEnd(judging.values({"A": {"C04": 500}}))},
    )
    targets = {"AK18-1.2-08": judging.shipped()["AK18-1.2-08"]}
    rows = judge_all(list(targets.values()), e)
    (asked,) = requirements_of(rows, targets, e)
    chances, milestones = {asked.key: Chance(D("0.9"), True)}, frozenset({asked.key})
    (row,) = with_chances(rows, chances, targets, RECOMMENDED, milestones)
    assert asked.milestone
    assert (row.probability, row.light, row.light_basis) == (None, rows[0].light, "pace")
    assert row.path_probability == D("0.9")
    assert "2020年末达到路径应达数的概率90%，不是到期达标概率，灯色依据进度。" in row.reason
    chances = {asked.key: Chance(D("0.9"), False)}
    (row,) = with_chances(rows, chances, targets, RECOMMENDED, milestones)
    assert "概率90%（尚未经检验），不是到期达标概率" in row.reason
