"""Statistical screens against published and hand-computed oracles."""

from __future__ import annotations

import numpy as np
import pytest

from methods import edit_screens as es

NAN = np.nan


def test_hidiroglou_berthelot_gives_the_effects_bounds_and_flags_of_the_oracle():
    """Ten units, quartiles of type 7; U=.5, A=.05, C=4 (univOutl's defaults)."""
    former = np.arange(100.0, 1001.0, 100.0)
    now = np.array([105, 204, 318, 400, 515, 630, 707, 840, 2700, 950.0])
    edit = es.hidiroglou_berthelot(former, now, c=4)
    assert edit.median_ratio == pytest.approx(1.04)
    expected = [0.099, -0.28, 0.343, -0.8, -0.22, 0.241, -0.79, 0.279, 97.927, -2.996]
    assert edit.effect == pytest.approx(expected, abs=1e-3)
    assert (edit.low, edit.high) == pytest.approx((-2.467, 1.260), abs=1e-3)
    assert np.flatnonzero(edit.flagged).tolist() == [8, 9]


def test_a_wide_ratio_edit_flags_fewer_and_units_without_a_ratio_are_not_judged():
    former = np.array([100.0, 100, 100, 100, 0, NAN, 100])
    now = np.array([101.0, 99, 102, 98, 50, 50, 1000])
    assert np.flatnonzero(es.hidiroglou_berthelot(former, now).flagged).tolist() == [6]
    assert np.isnan(es.hidiroglou_berthelot(former, now).effect[4:6]).all()
    nothing = es.hidiroglou_berthelot(np.zeros(3), np.ones(3))
    assert not nothing.flagged.any()


def test_robust_z_is_not_moved_by_the_outlier_it_finds():
    z = es.robust_z(np.array([1.0, 2, 3, 4, 5, 1000]))
    assert z[5] == pytest.approx((1000 - 3.5) / (1.4826 * 1.5))
    assert np.abs(z[:5]).max() < 2


def test_robust_z_falls_back_where_most_values_are_equal():
    z = es.robust_z(np.array([2.0, 2, 2, 2, 12]))
    assert z[4] == pytest.approx(10 / (1.2533 * 2))
    assert es.robust_z(np.array([3.0, 3, NAN])).tolist()[:2] == [0, 0]


def test_model_z_counts_error_scales_and_a_negative_value_is_far_out():
    z = es.model_z(np.array([200.0, 10, -5]), np.array([100.0, 100, 100]), np.full(3, 0.1))
    assert z[0] == pytest.approx(np.log(2) / 0.1)
    assert z[1] == pytest.approx(np.log(0.1) / 0.1)
    assert z[2] == pytest.approx(np.log(0.001) / 0.1)


def test_counts_carry_the_chance_of_counting():
    z = es.model_z(np.array([2.0]), np.array([4.0]), np.array([0.1]), offset=0.5)
    assert z[0] == pytest.approx(np.log(2.5 / 4.5) / np.sqrt(0.01 + 1 / 4.5))


SEASON = np.array([80.0, 90, 100, 100, 100, 110, 100, 100, 110, 120, 120, 170])


def panel(n_units=8, years=4, growth=1.05, noise=0.02, seed=7):
    rng = np.random.default_rng(seed)
    size = 10.0 ** rng.uniform(1, 4, n_units)
    path = np.concatenate([SEASON * growth**year for year in range(years)])
    return size[:, None] * path * np.exp(noise * rng.standard_normal((n_units, path.size)))


def test_seasonal_flows_are_forecast_from_earlier_months_only():
    flows = panel()
    full = es.expected_flows(flows, 12)
    cut = es.expected_flows(flows[:, :40], 12)
    assert np.allclose(full.forecast[:, :40], cut.forecast, equal_nan=True)
    error = np.log(flows[:, -1] / full.forecast[:, -1])
    assert np.abs(error).max() < 0.1
    assert np.isnan(full.forecast[:, 0]).all()
    assert (full.scale[:, -1] > 0.005).all() and (full.scale[:, -1] < 0.1).all()


def test_what_all_units_share_is_nobodys_error():
    flows = panel()
    flows[:, -1] *= 0.5  # a month of standstill everywhere
    expected = es.expected_flows(flows, 12)
    z = es.model_z(flows[:, -1], expected.forecast[:, -1], expected.scale[:, -1])
    assert np.abs(z).max() < 4


def test_a_wild_unit_gets_a_wider_scale_than_a_quiet_one():
    flows = panel(years=6)
    rng = np.random.default_rng(1)
    flows[0] *= np.exp(0.5 * rng.standard_normal(flows.shape[1]))
    scale = es.expected_flows(flows, 12).scale[:, -1]
    assert scale[0] > 3 * np.median(scale[1:])


def test_stocks_are_forecast_by_their_newest_level():
    stocks = np.array([[10.0, 10, NAN, 11], [20, 20, 20, 20]])
    assert es.expected_stocks(stocks).forecast[:, 3] == pytest.approx([10, 20])


@pytest.mark.parametrize(
    ("value", "digits"),
    [(0, 0), (1200, 2), (0.5, 1), (123.45, 5), (4.4, 2), (1000.01, 6), (-320.0, 2), (NAN, 0)],
)
def test_significant_digits(value, digits):
    assert es.significant_digits(np.array([value])).tolist() == [digits]


def test_copies_are_exact_and_long_enough():
    now = np.array([123.4, 120.0, 55.1, NAN])
    former = np.array([123.4, 120.0, 55.2, NAN])
    assert es.same_as(now, former).tolist() == [True, False, False, False]


def test_the_same_figure_of_two_units_names_the_other():
    twin = es.same_as_another(np.array([12345.0, 7.0, 12345.0, 7.0, 9999.5, 12345.0]), 3)
    assert twin.tolist() == [2, -1, 0, -1, -1, 0]


def test_last_digits_of_estimates_are_told_from_measured_ones():
    measured = np.full(10, 100)
    estimated = np.zeros(10, np.int64)
    estimated[[0, 5]] = 500
    assert es.last_digit_chi2(measured) == pytest.approx(0)
    assert es.last_digit_chi2(estimated) > 21.67
    assert es.heaped_share(measured) == pytest.approx(0.2)
    assert es.heaped_share(estimated) == 1
    assert es.last_digit_chi2(np.zeros(10, np.int64)) == 0


@pytest.mark.parametrize(
    ("factor", "power"), [(10, 1), (0.1, -1), (1e4, 4), (1e-4, -4), (8, 1), (5, 0), (1, 0)]
)
def test_powers_of_ten(factor, power):
    assert es.magnitude_power(np.array([1000.0 * factor]), np.array([1000.0])).tolist() == [power]


def test_cumulative_values_that_fall():
    former, now = np.array([100.0, 100, NAN, 0]), np.array([99.0, 100, 5, 3])
    assert es.reversed_cumulative(former, now).tolist() == [True, False, False, False]
    assert not es.reversed_cumulative(former, now, tolerance=0.02).any()


def test_columns_the_wrong_way_round():
    """Only the pair that fits after exchanging counts, not one that is simply far off."""
    now, prior = np.array([80.0, 100, 300]), np.array([100.0, 80, 80])
    found = es.swapped(now, prior, np.array([101.0, 101, 101]), np.array([80.0, 80, 80]),
                       min_gain=0.7, max_rest=0.1)  # fmt: skip
    assert found.tolist() == [True, False, False]


def test_a_change_of_scope_is_the_ratio_of_the_two_prior_values():
    ratio = es.scope_change(np.array([120.0, 103, NAN]), np.array([100.0, 100, 100]))
    assert ratio == pytest.approx([1.2, 1, 1])


def test_sums_may_differ_by_rounding_and_no_more():
    parts, groups = np.array([1.0, 2, 3, 4, NAN]), np.array([0, 0, 1, 1, 2])
    totals = np.array([4.5, 9.0, 5.0])
    assert es.broken_sums(parts, groups, totals, 1.0).tolist() == [False, True, False]


def test_score_is_suspicion_times_the_share_of_the_total_moved():
    z = np.array([0.5, 2.0, NAN])
    assert es.suspicion_of(z) == pytest.approx([0, 0.75, 0])
    score = es.selective_score(
        es.suspicion_of(z), np.array([9.0, 15, 3]), np.array([5.0, 5, NAN]), 40.0
    )
    assert score == pytest.approx([0, 0.75 * 10 / 40, 0])


def test_shares_of_repeats_and_negatives_leave_the_month_judged_out():
    values = np.array([[1.0, 1, 2, 2], [5, 5, 5, 9], [0, 0, 0, 0]])
    assert es.repeat_share(values, 1) == pytest.approx(3 / 4)
    assert es.negative_share(np.array([[1.0, -1, NAN, 2]])) == pytest.approx(1 / 3)
