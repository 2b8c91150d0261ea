"""Chances of counts against worked numbers."""

from __future__ import annotations

import numpy as np
import pytest

from methods import counts


def test_unlike_chances_give_the_worked_distribution() -> None:
    pmf = counts.count_distribution(np.array([0.9, 0.6, 0.5, 0.2]))
    np.testing.assert_allclose(pmf, [0.016, 0.188, 0.430, 0.312, 0.054], atol=1e-12)
    assert counts.at_least(pmf, 3) == pytest.approx(0.366, abs=1e-12)
    assert counts.at_least(pmf, 2.5) == pytest.approx(0.366, abs=1e-12)
    assert counts.at_least(pmf, 5) == 0


def test_several_sets_of_chances_at_once() -> None:
    chances = np.array([[0.5, 0.5], [1.0, 0.0]])
    np.testing.assert_allclose(counts.count_distribution(chances), [[0.25, 0.5, 0.25], [0, 1, 0]])
