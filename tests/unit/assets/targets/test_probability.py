"""Chances of requirements: single parks, sums, growth, counts, the lead over a benchmark."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest

from assets.indicators.outlooks import IndicatorOutlook
from assets.targets.probability import chance_of, is_early
from assets.targets.requirement import MemberBar, Requirement
from methods import outlook as ol
from methods.intervals import quantiles
from methods.nowcast import Settings
from tests.support.panels import made_up, outlook_at
from warehouse.catalog.forecast_rules import load_forecast_rules
from warehouse.catalog.problems import CatalogError

YEAR, MONTH = 2017, 6


@pytest.fixture(scope="module")
def outlook() -> IndicatorOutlook:
    vintages = made_up()
    record = ol.make_record(vintages, range(2013, YEAR))
    made = outlook_at(vintages, YEAR, MONTH, record)
    known = vintages.at(YEAR, MONTH)
    months = np.full(len(known.keys), MONTH)
    return IndicatorOutlook(
        "C01", YEAR, MONTH, MONTH, known.keys, months, made.forecast, made.model, known, record
    )


def source(outlook: IndicatorOutlook, early: bool = False, bench: float | None = None):
    return SimpleNamespace(
        outlook=lambda one: outlook if one == "C01" else None,
        too_early=lambda one: early,
        benchmark=lambda area, one: bench,
        settings=Settings(),
    )


def asked(threshold: float, parks, quantity="value", comparator=">=", **more) -> Requirement:
    fields = {"target_id": "T", "scope_code": "61", "park_id": "", "asof_period": "2017-06"}
    return Requirement(
        **fields, year=YEAR, quantity=quantity, indicator_id="C01", parks=tuple(parks),
        comparator=comparator, threshold=Decimal(repr(float(threshold))), unit="万元", **more,
    )  # fmt: skip


def chance(outlook: IndicatorOutlook, question: Requirement, **more) -> float:
    found = chance_of(question, source(outlook, **more))
    assert found is not None
    return float(found.probability)


@pytest.mark.parametrize(("level", "expected"), [(0.25, 0.75), (0.5, 0.5), (0.9, 0.1)])
def test_chance_of_a_level_is_one_minus_its_quantile(
    outlook: IndicatorOutlook, level: float, expected: float
) -> None:
    park = 3
    (bar,) = quantiles(outlook.model, [level])[:, park]
    question = asked(bar, outlook.parks[park : park + 1])
    assert chance(outlook, question) == pytest.approx(expected, abs=0.01)
    downward = asked(bar, outlook.parks[park : park + 1], comparator="<=")
    assert chance(outlook, downward) == pytest.approx(1 - expected, abs=0.01)


def test_what_is_already_reached_stays_reached(outlook: IndicatorOutlook) -> None:
    done = float(outlook.known.ytd[-1, MONTH - 1, 3])
    assert outlook.model.floor[3] == pytest.approx(done)
    assert chance(outlook, asked(done * 0.99, outlook.parks[3:4])) > 0.98


def test_growth_is_held_against_last_year(outlook: IndicatorOutlook) -> None:
    base = float(outlook.known.ytd[-2, 11, 3])
    level = chance(outlook, asked(base * 1.08, outlook.parks[3:4]))
    growth = chance(outlook, asked(8, outlook.parks[3:4], quantity="growth"))
    assert growth == pytest.approx(level, abs=1e-3)


def test_a_sum_is_surer_than_its_parts(outlook: IndicatorOutlook) -> None:
    total = float(outlook.forecast.point.sum())
    assert chance(outlook, asked(total, outlook.parks)) == pytest.approx(0.5, abs=0.03)
    low = chance(outlook, asked(total * 0.8, outlook.parks))
    mean = chance(outlook, asked(total * 0.8 / 40, outlook.parks, quantity="mean"))
    assert low > 0.9
    assert mean == pytest.approx(low, abs=1e-3)


def test_a_closed_range_takes_away_what_lies_above(outlook: IndicatorOutlook) -> None:
    low, high = quantiles(outlook.model, [0.25, 0.75])[:, 3]
    question = asked(low, outlook.parks[3:4], comparator="in", upper=Decimal(repr(float(high))))
    assert chance(outlook, question) == pytest.approx(0.5, abs=0.02)


def test_a_count_falls_as_more_parks_are_asked_for(outlook: IndicatorOutlook) -> None:
    bar = Decimal(repr(float(np.median(outlook.forecast.point))))
    member = MemberBar(">=", bar)
    found = [
        chance(outlook, asked(n, outlook.parks, quantity="count", member=member))
        for n in (0, 15, 20, 25, 40)
    ]
    assert found[0] == 1.0
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.02
    fewer = asked(20, outlook.parks, quantity="count", comparator="<=", member=member)
    more = asked(21, outlook.parks, quantity="count", member=member)
    assert chance(outlook, fewer) == pytest.approx(1 - chance(outlook, more), abs=1e-3)


def test_a_lead_needs_the_benchmark_and_is_never_called_scored(outlook: IndicatorOutlook) -> None:
    question = asked(3, outlook.parks, quantity="lead", benchmark="T07")
    assert chance_of(question, source(outlook)) is None
    high, low = (chance(outlook, question, bench=bench) for bench in (-40.0, 60.0))
    assert high > 0.9 > 0.1 > low
    again = chance_of(question, source(outlook, bench=5.0))
    assert again == chance_of(question, source(outlook, bench=5.0))
    assert again is not None
    assert not again.calibrated


def test_before_the_record_allows_it_the_chance_is_not_a_judgement(
    outlook: IndicatorOutlook,
) -> None:
    question = asked(1, outlook.parks[:1])
    late = chance_of(question, source(outlook))
    early = chance_of(question, source(outlook, early=True))
    assert late is not None
    assert early is not None
    assert late.calibrated
    assert (early.calibrated, early.basis) == (False, "年初尚早，不作判断")


def test_without_a_forecast_there_is_no_chance(outlook: IndicatorOutlook) -> None:
    assert chance_of(asked(1, ["unknown"]), source(outlook)) is None


@pytest.mark.parametrize(
    ("record", "early"),
    [
        (None, True),
        ({"skill_climatology": Decimal("0.5"), "calibration_error": Decimal("0.02")}, False),
        ({"skill_climatology": Decimal("0.2"), "calibration_error": Decimal("0.02")}, True),
        ({"skill_climatology": Decimal("0.5"), "calibration_error": Decimal("0.09")}, True),
    ],
)
def test_too_early_is_what_the_record_says(record, early: bool) -> None:
    assert is_early(record, load_forecast_rules(None)) is early


def test_a_wrong_rules_file_is_refused_by_name(tmp_path) -> None:
    (tmp_path / "forecast").mkdir()
    (tmp_path / "forecast" / "rules.yaml").write_text("early_before_month: 20\n", "utf-8")
    with pytest.raises(CatalogError, match=r"forecast/rules.yaml"):
        load_forecast_rules(tmp_path)
