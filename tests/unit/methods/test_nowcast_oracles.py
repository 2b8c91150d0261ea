"""Seasonal share, the three candidates, fallbacks and scope changes of the year-end nowcast."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from methods import intervals as iv
from methods import nowcast as nc
from methods import outlook as ol
from methods import seasonal_pace as sp
from tests.support.panels import made_up, outlook_at


def test_shrunk_share_matches_the_worked_oracle() -> None:
    own = sp.logit(np.array([[0.44], [0.44]]))
    fit = sp.ShareFit(sp.logit(np.array([0.40])), within=0.04, between=0.02)
    codes = np.zeros(1, dtype=np.int64)
    share = sp.expit(sp.shrunk_logit(own, fit, codes))
    assert sp.own_weight(np.array([2.0]), fit)[0] == pytest.approx(0.5, abs=1e-12)
    assert share[0] == pytest.approx(0.419868, abs=1e-6)
    assert 45 / share[0] == pytest.approx(107.176435, abs=1e-4)


@pytest.mark.parametrize(
    ("done", "month", "last_done", "last_total", "calendar", "last_year"),
    [(50.0, 6, 40.0, 100.0, 100.0, 125.0), (10.0, 2, 20.0, 100.0, 60.0, 50.0)],
)
def test_simple_rules(
    done: float, month: int, last_done: float, last_total: float, calendar: float, last_year: float
) -> None:
    one = np.array([done])
    assert nc.by_calendar(one, month)[0] == pytest.approx(calendar)
    found = nc.by_last_year(one, np.array([last_done]), np.array([last_total]))
    assert found[0] == pytest.approx(last_year)


def test_a_unit_without_a_past_gets_the_share_of_its_class() -> None:
    vintages = made_up()
    ytd = vintages.first.ytd.copy()
    ytd[:-1, :, 5] = np.nan
    known = nc.Vintages(replace(vintages.first, ytd=ytd)).at(2017, 6)
    found = nc.nowcast(known, 6)
    assert nc.METHODS[found.method[5]] == "class_share"
    assert found.n_history[5] == 0
    assert found.point[5] == found.by_class[5]
    assert {nc.METHODS[code] for code in np.delete(found.method, 5)} == {"median3"}


def test_a_year_whose_months_are_missing_is_left_out_and_the_rest_still_counts() -> None:
    vintages = made_up()
    ytd = vintages.first.ytd.copy()
    ytd[-2, :, 5] = np.nan  # last year never reported: no regression, no remainder
    found = nc.nowcast(nc.Vintages(replace(vintages.first, ytd=ytd)).at(2017, 6), 6)
    assert nc.METHODS[found.method[5]] == "share"


def test_median_lies_between_the_other_two() -> None:
    found = nc.nowcast(made_up().at(2017, 6), 6)
    three = np.sort(np.stack(list(found.candidates.values())), axis=0)
    np.testing.assert_array_equal(found.point, three[1])


def test_rebasing_puts_past_years_on_this_years_scope() -> None:
    ytd = np.array([[[40.0]] * 11 + [[80.0]], [[60.0]] * 11 + [[np.nan]]])
    # 60 so far is published as +20 %: 50 on this scope a year ago, 40 was published then.
    scaled = nc.rebased(ytd, np.array([50.0 / 40.0]))
    assert scaled[0, 11, 0] == pytest.approx(100.0)
    assert scaled[1, 5, 0] == 60.0


def test_after_december_the_total_is_the_report() -> None:
    vintages = made_up()
    found = nc.nowcast(vintages.at(2017, 12), 12)
    np.testing.assert_array_equal(found.point, vintages.first.ytd[-1, 11])


def test_the_record_may_not_look_at_a_year_that_is_not_over() -> None:
    with pytest.raises(ValueError, match="not known"):
        ol.totals_known(made_up().at(2016, 6), [2016])


def test_a_unit_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        nc.panel(["a", "a"], None, 2020, np.ones((1, 12, 2)))


@pytest.mark.parametrize(
    ("level", "dof", "value"),
    [(0.975, 1, 12.7062047), (0.95, 3, 2.3533634), (0.9, 4, 1.5332063), (0.975, 5, 2.5705818)],
)
def test_quantiles_of_students_t(level: float, dof: int, value: float) -> None:
    assert iv.t_quantile(np.array([level]), dof)[0] == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(("units", "years"), [(15_000, 3), (13, 3), (12, 4), (2, 20), (1, 39)])
def test_few_units_reach_back_further_for_their_errors(units: int, years: int) -> None:
    assert nc.DEFAULT.reach(units) == years
    n = nc.DEFAULT.scores
    assert (n + 1) * 0.975 <= n  # bounded with n errors …
    assert n * 0.975 > n - 1  # … and not with one fewer


def test_the_errors_of_few_units_come_from_all_years_at_hand_of_many_from_three() -> None:
    for units, used in ((3, 6), (40, 3)):
        vintages = made_up(units=units)
        record = ol.make_record(vintages, range(2011, 2017))
        [june] = ol.outlooks(vintages, 2017, [6], record)
        assert len(june.model.residuals) == used


@pytest.mark.parametrize(("years", "least"), [(1, 87), (3, 91)])
def test_a_single_series_with_few_years_is_covered_as_promised(years: int, least: int) -> None:
    """Errors made to the model's own assumptions: normal, months moving together (correlation .96 to
    the next), no drift. With two degrees of freedom more a single year's 95 % would hold 85 %."""
    rng = np.random.default_rng(1)
    together = np.linalg.cholesky(0.96 ** np.abs(np.subtract.outer(range(10), range(10))))
    inside = []
    for _ in range(800):
        errors = 0.03 * (rng.standard_normal((years + 1, 10)) @ together.T)[:, :, None]
        stats = iv.fit_errors(errors[:years])
        for month in (0, 4, 9):
            model, came = iv.error_model(stats, month, np.ones(1)), np.exp(errors[-1, month, 0])
            low95, low80, high80, high95 = iv.quantiles(model, [0.025, 0.1, 0.9, 0.975])[:, 0]
            inside.append((low80 <= came <= high80, low95 <= came <= high95))
    of_80, of_95 = 100 * np.mean(inside, axis=0)
    assert of_80 == pytest.approx(80, abs=5)
    assert least <= of_95 <= 98


def test_outlook_is_grey_without_a_past_year_of_errors() -> None:
    vintages = made_up(years=2)
    found = outlook_at(vintages, 2011, 6, ol.make_record(vintages, []))
    assert not found.model.calibrated.any()
    assert np.isnan(iv.quantiles(found.model)).all()


def test_quantiles_rise_and_probability_inverts_them() -> None:
    vintages = made_up()
    found = outlook_at(vintages, 2017, 6, ol.make_record(vintages, range(2013, 2017)))
    table = iv.quantiles(found.model)
    assert (np.diff(table, axis=0) >= 0).all()
    free = table[1] > found.model.floor
    p = iv.probability_at_least(found.model, table[1])
    np.testing.assert_allclose(p[free], 0.90, atol=2e-3)
    assert free.any()


def test_draws_scatter_as_the_quantiles_say() -> None:
    vintages = made_up(units=60)
    model = outlook_at(vintages, 2017, 4, ol.make_record(vintages, range(2013, 2017))).model
    rng = np.random.default_rng(1)
    pool = model.pool()
    draws = model.draw(
        rng.choice(pool, (20_000, 1)), rng.standard_t(model.dof, (20_000, 1)), slice(None)
    )
    low, high = iv.quantiles(model, [0.1, 0.9])
    inside = ((draws >= low) & (draws <= high)).mean()
    assert inside == pytest.approx(0.8, abs=0.05)
