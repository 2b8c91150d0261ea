"""Confidence sets of ranks against the published PISA 2018 example and against simple truths."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from methods import rank_inference as inference
from tests.support.devdata import devdata


@pytest.fixture(scope="module")
def pisa():
    """Mathematics means and standard errors of 38 countries."""
    with (devdata("oracle") / "csranks_pisa/pisa2018.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    names = [row["jurisdiction"] for row in rows]
    return names, *(np.array([float(row[c]) for row in rows]) for c in ("math_score", "math_se"))


def test_twelve_countries_may_be_among_the_first_five_and_sweden_leaves_at_90(pisa):
    names, score, error = pisa
    best = {
        level: inference.tau_best(inference.simultaneous_sets(score, error, level, key="pisa"), 5)
        for level in (0.95, 0.9)
    }
    assert best[0.95].sum() == 12
    gone = {names[i] for i in np.flatnonzero(best[0.95] & ~best[0.9])}
    assert gone == {"Sweden"}


def test_the_set_of_the_united_kingdom(pisa):
    """Published [7, 23] with 1,000 draws, which is bootstrap noise; 20,000 draws give [8, 23]."""
    names, score, error = pisa
    sets = inference.rank_sets(score, error, key="pisa")
    place = names.index("United Kingdom")
    assert 1 + (score > score[place]).sum() == 13
    assert (sets.low[place], sets.high[place]) == (8, 23)


def test_far_apart_scores_have_one_rank_and_equal_ones_any():
    sure = inference.rank_sets(np.array([30.0, 20.0, 10.0]), np.full(3, 0.1), key="a", draws=2000)
    assert sure.low.tolist() == sure.high.tolist() == [1, 2, 3]
    open_ = inference.rank_sets(np.full(4, 5.0), np.ones(4), key="a", draws=2000)
    assert open_.low.tolist() == [1] * 4 and open_.high.tolist() == [4] * 4


def test_true_ranks_are_covered_as_often_as_promised():
    truth = np.linspace(0, 3, 8)
    true_rank = 8 - np.arange(8)
    rng = np.random.default_rng(4)
    covered = 0
    for trial in range(200):
        seen = truth + rng.normal(0, 1, 8)
        sets = inference.simultaneous_sets(seen, np.ones(8), 0.9, key=str(trial), draws=800)
        covered += bool(((sets.low <= true_rank) & (true_rank <= sets.high)).all())
    assert covered >= 0.9 * 200 - 12  # two standard errors below the nominal 90 %


def test_parks_on_both_sides_of_the_cut_off_cannot_be_told_from_it():
    sets = inference.rank_sets(
        np.array([90.0, 50.0, 49.8, 49.6, 10.0]), np.full(5, 0.5), key="b", draws=2000
    )
    assert inference.not_distinguishable(sets, 2).tolist() == [False, True, True, True, False]
    assert inference.tau_worst(sets, 1).tolist() == [False, False, False, False, True]
