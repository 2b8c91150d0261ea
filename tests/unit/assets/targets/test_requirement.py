"""What a judged target asks of the year's end, as a forecast is told."""

from __future__ import annotations

from decimal import Decimal

import pytest

from assets.targets.evidence import Evidence, YearEnd
from assets.targets.judge import judge_all
from assets.targets.requirement import MemberBar, Requirement, requirements_of
from tests.support import judging
from tests.support.judging import park

D = Decimal


def ask(ids: str, period: str, table: dict, *, parks=None, history=None, areas=()):
    """Requirements of shipped targets on made-up figures."""
    targets = {i: judging.shipped()[i] for i in ids.split()}
    e = Evidence(
        period=period,
        parks=tuple(parks or [park(name) for name in table]),
        values=judging.values(table),
        convert=judging.convert,
        documents=judging.documents(),
        indicators=judging.indicators(),
        rule=judging.rules()["recommended"],
        areas=judging.areas(list(areas)),
        history=history or {},
    )
    return requirements_of(judge_all(list(targets.values()), e), targets, e)


def the_only(found: list[Requirement]) -> Requirement:
    assert len(found) == 1, found
    return found[0]


def test_growth_of_each_demonstration_park_is_asked_over_last_year() -> None:
    parks = [park("A", is_demonstration=True), park("B")]
    figures = {"A": {"C04": {"value": 600, "yoy_pct": 12}}, "B": {"C04": {"value": 1}}}
    last_year = {2019: YearEnd(judging.values({"A": {"C04": 1000}}))}
    asked = the_only(ask("SN18-2.12-02", "2020-06", figures, parks=parks, history=last_year))
    assert (asked.quantity, asked.parks, asked.comparator) == ("growth", ("A",), ">=")
    assert (asked.threshold, asked.unit, asked.base) == (D(15), "%", D(1000))
    assert (asked.year, asked.milestone) == (2020, False)


def test_a_level_due_next_year_asks_for_this_years_point_of_the_path() -> None:
    figures = {"A": {"C04": 500}}
    base = {2017: YearEnd(judging.values({"A": {"C04": D(5_000_000)}}))}
    asked = the_only(ask("AK18-1.2-08", "2020-06", figures, history=base))
    assert asked.milestone
    assert asked.base == D(5_000_000)
    assert asked.threshold == D(5_000_000) * D(4) ** (D(3) / D(4))  # 4 times over 4 years, after 3
    final = the_only(ask("AK18-1.2-08", "2021-06", figures, history=base))
    assert not final.milestone
    assert final.threshold == D(20_000_000)


def test_a_level_due_later_without_a_base_asks_nothing() -> None:
    assert ask("AK18-1.2-08", "2020-06", {"A": {"C04": 500}}) == []


def test_parks_over_a_bar_are_asked_for_with_the_bar_in_the_unit_of_the_figures() -> None:
    figures = {"A": {"C01": D(2_500_000)}, "B": {"C01": D(10)}}
    asked = the_only(ask("AK18-1.2-14", "2021-06", figures))
    assert asked.quantity == "count"
    assert asked.parks == ("A", "B")
    assert asked.threshold == 3
    assert asked.member == MemberBar(">", D(2_000_000), D(3_000_000))


def test_counties_are_asked_for_one_by_one() -> None:
    parks = [park("A"), park("B", county_code="610921")]
    found = ask("SN18-2.8-02", "2021-06", {"A": {"G01": 1}, "B": {"G01": 6}}, parks=parks)
    assert [(one.scope_code, one.parks) for one in found] == [
        ("610902", ("A",)),
        ("610921", ("B",)),
    ]


@pytest.mark.parametrize("target_id", ["SN18-2.3-01", "SN18-3.18-01"])
def test_standing_limits_and_duties_ask_nothing(target_id: str) -> None:
    assert ask(target_id, "2020-06", {"A": {"K01": 1}}) == []


def test_what_was_not_judged_asks_nothing() -> None:
    assert ask("AK18-1.2-08", "2021-06", {"A": {"C01": 5}}) == []
    assert len(ask("AK18-1.2-08", "2021-06", {"A": {"C04": 5}})) == 1
