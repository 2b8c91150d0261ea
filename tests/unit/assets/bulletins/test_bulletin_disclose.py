"""Which parks and areas a public edition hides, and that nobody can compute them back."""

from __future__ import annotations

import random

import numpy as np
import pytest

from assets.bulletins import disclose
from assets.bulletins.disclose import Cell, hide
from methods.disclosure import bounds
from warehouse.catalog.models import Protection

RULES = Protection(min_count=3, p=10, source="test")
WHOLE = "610000"


def cell(park: str, area: str, value: float, count: int | None, name: str = "C04") -> Cell:
    return Cell(park, area, name, value, value * 0.9, count)


SAFE = [cell(f"{area}{n}", area, 100.0 + 10 * n, 5 + n) for area in "ABC" for n in range(4)]


def test_nothing_is_hidden_where_enough_enterprises_stand_behind_every_figure() -> None:
    assert hide(SAFE, WHOLE, RULES) == frozenset()


@pytest.mark.parametrize("count", [1, 2, None])
def test_a_park_with_few_enterprises_never_stands_alone_as_hidden(count: int | None) -> None:
    hidden = hide([*SAFE, cell("A9", "A", 50.0, count)], WHOLE, RULES)
    assert "A9" in hidden and WHOLE not in hidden
    assert len(hidden) >= 2, "with one row hidden its figure is the total minus the rest"


def test_who_was_hidden_once_stays_hidden() -> None:
    assert {"A0", "A1"} <= hide(SAFE, WHOLE, RULES, frozenset({"A0", "A1"}))


def test_all_indicators_of_a_row_fall_together() -> None:
    other = [cell(c.park_id, c.area_code, c.value / 7, 2 if c.park_id == "B0" else 9, "D02")
             for c in SAFE]  # fmt: skip
    assert "B0" in hide([*SAFE, *other], WHOLE, RULES)


@pytest.mark.parametrize("seed", range(12))
def test_the_exact_attacker_stays_uncertain(seed: int) -> None:
    draw = random.Random(seed)
    cells = [
        cell(f"{area}{n}", area, float(draw.randint(5, 900)), draw.choice([1, 2, 4, 8, 30, 60]))
        for area in "ABCDE"
        for n in range(draw.randint(2, 6))
    ]
    hidden = hide(cells, WHOLE, RULES)
    table = disclose._Table.of(cells, WHOLE, prior=False)
    flags = np.zeros(table.values.shape, dtype=bool)
    flags[-1, :-1] = True
    for at, name in table.names.items():
        flags[at] = name in hidden
    for at in table.names:
        if disclose.few(int(table.counts[at]), RULES) and table.values[at] > 0:
            low, high = bounds(table.values, flags, at)
            assert high >= table.values[at] * 1.1 - 1e-6 and low <= table.values[at] * 0.9 + 1e-6
