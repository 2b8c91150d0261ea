"""The catalogue's screens on figures of one period: what is hit, what is let pass, what comes first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quality.screens import Figures, run_screens
from quality.seeded_errors import FlowPanel, experiment
from warehouse.catalog.load import load_catalog

NAN = np.nan
SCREENS = load_catalog(None, "none").screens
SUSPICIONS = {s.screen_id: None if s.suspicion is None else float(s.suspicion) for s in SCREENS}
N = 20


def june(**changes) -> Figures:
    """Twenty parks in June, all as expected: 600 so far, 100 of it in June, 8 % above last year."""
    size = np.linspace(1, 5, N)
    last_year = np.round(555.5 * size, 2)
    now = np.round(600.3 * size, 2)
    return replace(
        Figures(
            kind="flow", now=now, former=np.round(500.1 * size, 2), year_ago=last_year,
            reported_prior=last_year.copy(), forecast=600.0 * size, step=100.0 * size,
            scale=np.full(N, 0.05), domain=np.zeros(N, np.int64),
        ),
        **changes,
    )  # fmt: skip


def put(values, place, value):
    changed = values.copy()
    changed[place] = value
    return changed


def hits(figures: Figures, place: int) -> set[str]:
    screened = run_screens(figures, SCREENS, SUSPICIONS)
    return {name for name, flags in screened.hits.items() if flags[place]}


def test_figures_as_expected_hit_nothing():
    screened = run_screens(june(), SCREENS, SUSPICIONS)
    assert not any(flags.any() for flags in screened.hits.values())
    assert screened.score.max() == 0


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (lambda f: f.now[3] * 10, {"SCREEN-MAGNITUDE", "SCREEN-MODEL-Z", "SCREEN-HB"}),
        (lambda f: f.now[3] / 10, {"SCREEN-MAGNITUDE", "SCREEN-MODEL-Z", "SCREEN-REVERSED"}),
        (lambda f: f.now[3] / 10000, {"SCREEN-MAGNITUDE", "SCREEN-REVERSED"}),
        (lambda f: f.former[3], {"SCREEN-DUP-PREVIOUS", "SCREEN-MODEL-Z"}),
        (lambda f: f.year_ago[3], {"SCREEN-DUP-YEAR"}),
        (lambda f: f.now[7], {"SCREEN-DUP-PARK"}),
        (lambda f: f.former[3] - 1, {"SCREEN-REVERSED"}),
        (lambda f: f.now[3] * 1.5, {"SCREEN-MODEL-Z"}),
    ],
)
def test_a_mistake_is_hit_by_the_screen_made_for_it(value, wanted):
    figures = june()
    wrong = replace(figures, now=put(figures.now, 3, value(figures)))
    assert wanted <= hits(wrong, 3)
    assert not hits(wrong, 12)


def test_columns_filled_the_wrong_way_round():
    figures = june()
    now = put(figures.now, 3, figures.year_ago[3] * 1.001)
    wrong = replace(figures, now=now, reported_prior=put(figures.reported_prior, 3, figures.now[3]))
    last_year_smaller = replace(
        wrong,
        year_ago=figures.year_ago * 0.6,
        now=put(figures.now, 3, figures.year_ago[3] * 0.6),
    )
    assert "SCREEN-SWAPPED" in hits(last_year_smaller, 3)


def test_a_change_of_scope_is_marked_and_never_a_fall():
    """A third of the firms moved out: this year's and last year's column are both of the rest."""
    figures = june()
    moved = replace(
        figures,
        now=put(figures.now, 3, figures.now[3] * 0.66),
        reported_prior=put(figures.reported_prior, 3, figures.reported_prior[3] * 0.66),
    )
    assert hits(moved, 3) == {"SCREEN-SCOPE"}
    fallen = replace(figures, now=put(figures.now, 3, figures.now[3] * 0.66))
    assert {"SCREEN-REVERSED", "SCREEN-MODEL-Z"} <= hits(fallen, 3)


def test_a_tenfold_figure_is_seen_even_where_the_scope_has_changed():
    figures = june()
    wrong = replace(
        figures,
        now=put(figures.now, 3, figures.now[3] * 12),
        reported_prior=put(figures.reported_prior, 3, figures.reported_prior[3] * 1.2),
    )
    assert {"SCREEN-MAGNITUDE", "SCREEN-SCOPE"} <= hits(wrong, 3)


def test_figures_that_stand_still_by_nature_are_no_copies():
    figures = june()
    copied = replace(figures, now=put(figures.now, 3, figures.former[3]))
    assert "SCREEN-DUP-PREVIOUS" in hits(copied, 3)
    assert "SCREEN-DUP-PREVIOUS" not in hits(replace(copied, repeats_previous=0.3), 3)


def test_the_same_mistake_comes_first_where_it_moves_the_total_more():
    figures = june()
    now = put(put(figures.now, 0, figures.now[0] * 10), N - 1, figures.now[N - 1] * 10)
    score = run_screens(replace(figures, now=now), SCREENS, SUSPICIONS).score
    assert np.argsort(-score)[:2].tolist() == [N - 1, 0]


def test_nothing_known_before_means_nothing_said():
    nothing = np.full(N, NAN)
    fresh = june(former=nothing, year_ago=nothing, reported_prior=nothing, forecast=nothing,
                 step=nothing, scale=nothing)  # fmt: skip
    screened = run_screens(fresh, SCREENS, SUSPICIONS)
    assert not any(flags.any() for flags in screened.hits.values())
    assert (screened.score == 0).all()


@pytest.fixture(scope="module")
def flows():
    rng = np.random.default_rng(3)
    months, units = 84, 60
    season = 1 + 0.3 * np.sin(np.arange(months) * np.pi / 6)
    growth = 1.004 ** np.arange(months)
    noise = np.exp(0.05 * rng.standard_normal((units, months)))
    size = 10.0 ** rng.uniform(3, 5, units)
    values = np.round(size[:, None] * season * growth * noise, 1)
    periods = [f"{2014 + m // 12}-{m % 12 + 1:02d}" for m in range(months)]
    return FlowPanel("made", [str(u) for u in range(units)], periods, values, np.arange(units) % 4)


@pytest.mark.parametrize("presentation", ["ytd", "month"])
def test_seeded_errors_are_found(flows, presentation):
    counted = frozenset(s.screen_id for s in SCREENS if s.severity == "verify")
    tally = experiment(
        flows, SCREENS, SUSPICIONS, presentation=presentation, counted=counted, years=3, repeats=3
    )
    assert tally.impact_caught() > 0.93 and tally.impact_caught(("wrong_unit",)) > 0.93
    assert tally.share(tally.found_by_size, "times_ten") > 0.9
    assert tally.size_alarms / tally.clean < 0.01
    for kind in ("copied_previous", "copied_year"):
        assert tally.sized_found[kind] == tally.sized[kind] > 0
    assert tally.sums_found == tally.sums_broken > 0 and tally.sum_alarms == 0


def test_screens_switched_off_find_nothing(flows):
    tally = experiment(flows, (), {}, presentation="month", counted=frozenset(), years=2, repeats=1)
    assert sum(tally.found.values()) == tally.found["negative"] > 0
    assert tally.alarms == 0
