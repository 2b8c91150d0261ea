"""No leakage, the same bits in any order, vintages, and the goals of the backtest on a real panel."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from methods import backtest, intervals, nowcast, outlook
from tests.support.devdata import devdata
from tests.support.panels import made_up, outlook_at

YEAR = 2017
SINCE = 1996  # the whole panel, from 1982, is run by the command of docs/methodology.md


def origin(vintages: nowcast.Vintages, month: int, workers: int = 1) -> list[np.ndarray]:
    record = outlook.make_record(vintages, range(2011, YEAR), workers=workers)
    made = outlook_at(vintages, YEAR, month, record)
    return [made.forecast.point, made.forecast.share, intervals.quantiles(made.model)]


def same(left: list[np.ndarray], right: list[np.ndarray]) -> bool:
    return all(a.tobytes() == b.tobytes() for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("month", [2, 6, 11])
def test_nothing_after_the_origin_moves_a_forecast(month: int) -> None:
    vintages = made_up()
    before = origin(vintages, month)
    later = vintages.first.ytd.copy()
    later[-1, month:] *= 3.0  # the rest of the test year, its outcome included
    assert same(before, origin(nowcast.Vintages(replace(vintages.first, ytd=later)), month))
    past = vintages.first.ytd.copy()
    past[-2, 11] *= 1.5  # last year's outcome was known: it must move it
    assert not same(before, origin(nowcast.Vintages(replace(vintages.first, ytd=past)), month))


def test_a_revision_known_later_moves_nothing_before_it_is_known() -> None:
    vintages = made_up()
    base = vintages.first
    last_december = base.year_index(YEAR - 1)
    revised = nowcast.Revisions(
        known=np.array([YEAR * 12 + 7]),
        year=np.array([last_december]),
        month=np.array([11]),
        unit=np.array([3]),
        value=np.array([base.ytd[last_december, 11, 3] * 2]),
    )
    later = replace(vintages, revisions=revised)
    assert same(origin(vintages, 6), origin(later, 6))
    assert not same(origin(vintages, 7), origin(later, 7))


def test_training_ends_before_the_year_forecast() -> None:
    known = made_up().at(YEAR, 6)
    fit = nowcast.fit_origin(known, 6)
    assert fit.trained_until == YEAR - 1
    assert fit.n_pairs > 0


def test_another_order_other_parts_and_threads_give_the_same_bits() -> None:
    vintages = made_up()
    base = vintages.first
    whole = origin(vintages, 6)
    assert same(whole, origin(vintages, 6, workers=3))
    mixed = np.random.default_rng(5).permutation(len(base.keys))
    other = nowcast.panel(
        [base.keys[u] for u in mixed],
        [base.classes[base.codes[u]] for u in mixed],
        base.years[0],
        base.ytd[:, :, mixed],
    )
    assert same(whole, origin(nowcast.Vintages(other), 6))
    known = vintages.at(YEAR, 6)
    fit = nowcast.fit_origin(known, 6)
    parts = [
        nowcast.predict(fit, known.ytd[:, :, part], known.codes[part]).point
        for part in np.array_split(np.arange(len(base.keys)), 6)
    ]
    assert np.concatenate(parts).tobytes() == whole[0].tobytes()


def test_errors_come_from_what_was_known_then_not_from_the_final_figures() -> None:
    vintages = made_up(units=200)
    base = vintages.first
    rng = np.random.default_rng(2)
    first = base.ytd * np.exp(rng.normal(0, 0.03, base.ytd.shape))  # first releases are noisy
    where = np.argwhere(np.isfinite(base.ytd))
    known = (np.array(base.years)[where[:, 0]] + 1) * 12 + 1  # final a year and a month later
    order = np.argsort(known, kind="stable")
    year, month, unit = where[order].T
    revisions = nowcast.Revisions(known[order], year, month, unit, base.ytd[year, month, unit])
    real = nowcast.Vintages(replace(base, ytd=first), revisions)
    live = outlook_at(real, YEAR, 11, outlook.make_record(real, range(2012, YEAR)))
    tidy = outlook_at(vintages, YEAR, 11, outlook.make_record(vintages, range(2012, YEAR)))
    truth = backtest.latest_totals(real)[-1]

    def covered(model: intervals.ErrorModel) -> float:
        low, high = intervals.quantiles(
            replace(model, center=live.forecast.point, floor=np.full(200, -np.inf)), [0.1, 0.9]
        )
        return float(((truth >= low) & (truth <= high)).mean())

    assert covered(live.model) > 0.70
    assert covered(tidy.model) < 0.60


def test_totals_rest_on_the_parts() -> None:
    vintages = made_up(units=90)
    record = outlook.make_record(vintages, range(2012, YEAR))
    known = vintages.at(YEAR, 6)
    forecast = nowcast.nowcast(known, 6)
    members = [np.arange(90), np.arange(0, 90, 2)]
    model = outlook.total_outlook(forecast, known, 6, record, members)
    np.testing.assert_allclose(model.center, [forecast.point.sum(), forecast.point[::2].sum()])
    assert model.calibrated.all()
    assert (model.scale < np.median(outlook_at(vintages, YEAR, 6, record).model.scale)).all()


@pytest.fixture(scope="module")
def retail() -> backtest.Result:
    with devdata("au_abs", "aus_retail.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    keys = sorted({(row["State"], row["Industry"]) for row in rows})
    place = {key: unit for unit, key in enumerate(keys)}
    flow = np.full((2019 - SINCE, 12, len(keys)), np.nan)
    for row in rows:
        year, month = (int(part) for part in row["Month"].split("-"))
        if year >= SINCE:
            flow[year - SINCE, month - 1, place[row["State"], row["Industry"]]] = float(
                row["Turnover"]
            )
    panel = nowcast.panel(
        ["|".join(key) for key in keys], [key[1] for key in keys], SINCE, np.cumsum(flow, axis=1)
    )
    return backtest.backtest(nowcast.Vintages(panel))


def test_intervals_of_the_retail_panel_cover_what_they_promise(retail: backtest.Result) -> None:
    for percent in (80, 90, 95):
        assert 100 * retail.pooled.covered[percent] == pytest.approx(percent, abs=3.0)


def test_nowcast_of_the_retail_panel_beats_the_simple_rules(retail: backtest.Result) -> None:
    for month in retail.by_month:
        assert month.mape["median3"] < month.mape["calendar"]
    june = next(month for month in retail.by_month if month.month == 6)
    assert june.mape["median3"] <= 0.85 * june.mape["last_year"]


def test_probabilities_of_the_retail_panel_beat_the_flag(retail: backtest.Result) -> None:
    for skill in retail.skills:
        if skill.month >= 6:
            assert skill.skill_calendar >= 0.30
            assert skill.ece <= 0.05
    for skill in retail.late:
        assert skill.ece <= 0.05


def test_scores_of_probabilities_against_worked_numbers() -> None:
    said, met = np.array([0.9, 0.9, 0.1, 0.5]), np.array([1.0, 0.0, 0.0, 1.0])
    assert backtest.brier(said, met) == pytest.approx((0.01 + 0.81 + 0.01 + 0.25) / 4)
    # bins: .1 → (.1, 0), .5 → (.5, 1), .9 → (.9, .5)
    expected = (0.1 * 1 + 0.5 * 1 + 0.4 * 2) / 4
    assert backtest.calibration_error(said, met) == pytest.approx(expected)


def test_the_log_score_counts_chances_as_they_are_printed() -> None:
    assert backtest.log_score(np.array([0.5]), np.array([1.0])) == pytest.approx(np.log(2))
    # 低于2% counts as 1 %: neither certainty nor ruin.
    assert backtest.log_score(np.array([0.0]), np.array([1.0])) == pytest.approx(-np.log(0.01))
    assert backtest.log_score(np.array([1.0]), np.array([1.0])) == pytest.approx(-np.log(0.99))


def test_an_interval_pays_for_its_width_and_for_what_it_misses() -> None:
    low, high = np.full(3, 90.0), np.full(3, 110.0)
    found = backtest.interval_score(np.array([100.0, 115.0, 85.0]), low, high, 0.8)
    np.testing.assert_allclose(found, [20.0, 70.0, 70.0])


def test_the_doubt_of_a_coverage_counts_years_not_forecasts() -> None:
    inside, years = np.array([1.0, 0.0, 1.0, 1.0]), np.array([2001, 2002, 2003, 2004])
    alone = backtest.clustered_error(inside, years)
    assert alone == pytest.approx(inside.std(ddof=1) / 2)
    # The same four years seen ten times each are still four years.
    assert backtest.clustered_error(np.tile(inside, 10), np.tile(years, 10)) == pytest.approx(alone)
    assert np.isnan(backtest.clustered_error(inside, np.full(4, 2001)))


def test_a_panel_without_past_years_is_refused() -> None:
    with pytest.raises(ValueError, match="complete years"):
        backtest.backtest(made_up(years=2))
