"""Disclosure control: what is sensitive, what an attacker can compute, and how little must be hidden."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from methods.disclosure import Rules, audit, bounds, protect, sensitive
from tests.support.random_tables import random_table, with_totals

OPTIMUM = Path(__file__).parents[2] / "golden" / "disclosure_optimum.json"


@pytest.mark.parametrize(
    ("contributions", "rules", "needed"),
    [
        ((60, 25, 10, 5), Rules(p=10), None),
        ((80, 12, 4, 2), Rules(p=10), 2.0),
        ((60, 25, 10, 5), Rules(min_count=0, p=0, n=2, k=85), None),  # exactly 85 %
        ((60, 26, 10, 4), Rules(min_count=0, p=0, n=2, k=85), 86 * 100 / 85 - 100),
        ((50, 50), Rules(), 10.0),  # two contributors see each other (两户互知)
        ((50,), Rules(), 5.0),
        ((), Rules(), None),
        ((-80, 12, 4, 2), Rules(), 2.0),
    ],
)
def test_what_is_sensitive(contributions, rules, needed):
    got = sensitive(contributions, rules)
    assert got == (needed if needed is None else pytest.approx(needed))


def totals(inner):
    table = np.zeros((len(inner) + 1, len(inner[0]) + 1))
    table[:-1, :-1] = inner
    table[-1], table[:, -1] = table[:-1].sum(axis=0), table[:, :-1].sum(axis=1)
    table[-1, -1] = table[:-1, -1].sum()
    return table


def hidden(table, *cells):
    flags = np.zeros(table.shape, dtype=bool)
    for cell in cells:
        flags[cell] = True
    return flags


def test_one_hidden_cell_is_no_secret_and_a_square_of_four_is():
    table = totals([[10, 20, 30], [40, 50, 60], [7, 8, 9]])
    assert bounds(table, hidden(table, (0, 0)), (0, 0)) == (10, 10)
    assert bounds(table, hidden(table, (0, 0), (0, 1)), (0, 0)) == (10, 10)
    square = hidden(table, (0, 0), (0, 1), (1, 0), (1, 1))
    assert bounds(table, square, (0, 0)) == (0, 30)  # + min(20, 40), - min(10, 50)


def test_a_hidden_total_hides_its_row_as_well():
    table = totals([[10, 20], [30, 40]])
    flags = hidden(table, (0, 0), (0, 2), (2, 0), (2, 2))
    assert bounds(table, flags, (0, 0)) == (0, float("inf"))


def by_search(inner, flags, cell):
    """The attacker's interval by trying every whole-number table with the same printed cells."""
    free = [tuple(c) for c in np.argwhere(flags[:-1, :-1])]
    table = totals(inner)
    seen = []

    def fill(rest, trial):
        if not rest:
            full = totals(trial)
            if np.array_equal(full[~flags], table[~flags]):
                seen.append(trial[cell])
            return
        for value in range(9):
            trial[rest[0]] = value
            fill(rest[1:], trial)

    fill(free, np.array(inner, dtype=float))
    return min(seen), max(seen)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=6, max_size=6), st.data())
def test_the_attackers_interval_is_exact(values, data):
    inner = [values[:3], values[3:]]
    table = totals(inner)
    flags = np.zeros(table.shape, dtype=bool)
    for cell in data.draw(st.sets(st.sampled_from([(r, c) for r in range(2) for c in range(3)]),
                                  min_size=1, max_size=4)):  # fmt: skip
        flags[cell] = True
    cell = tuple(np.argwhere(flags)[0])
    low, high = bounds(table, flags, cell)
    assert (low, high) == by_search(inner, flags, cell)


def test_sixty_random_tables_are_safe_at_little_more_than_the_optimum():
    """Optimum of each table by an exact solver (python -m bench.bench_disclosure --write)."""
    best = sum(each["value"] for each in json.loads(OPTIMUM.read_text(encoding="utf-8")))
    lost = 0.0
    for number in range(60):
        table, needed, singles = with_totals(random_table(number))
        found = protect(table, needed, singles=singles)
        assert audit(table, found, needed, singles) == []
        lost += table[found].sum()
    assert lost <= 1.05 * best


def test_an_insider_who_knows_his_own_cell_does_not_find_out_another():
    table = totals([[333, 400, 50], [70, 254, 85], [293, 60, 41]])
    needed = np.zeros(table.shape)
    needed[0, 0], needed[2, 2] = 33.3, 4.1
    singles = hidden(table, (2, 2))
    outside = protect(table, needed)
    inside = protect(table, needed, singles=singles)
    assert audit(table, outside, needed) == [] == audit(table, inside, needed, singles)
    assert inside.sum() >= outside.sum()


def test_a_cell_hidden_last_month_stays_hidden():
    table = totals([[10, 20, 30], [40, 50, 60], [7, 8, 9]])
    needed = np.zeros(table.shape)
    needed[0, 0] = 2
    before = hidden(table, (2, 2), (2, 1), (1, 2), (1, 1))
    assert (protect(table, needed, fixed=before) & before).sum() == 4


def test_a_printed_sensitive_cell_fails_the_audit():
    table = totals([[10, 20], [30, 40]])
    needed = np.zeros(table.shape)
    needed[0, 0] = 1
    assert audit(table, np.zeros(table.shape, dtype=bool), needed) == [(0, 0)]
    assert audit(table, hidden(table, (0, 0), (0, 1)), needed) == [(0, 0)]


def test_a_table_that_cannot_be_made_safe_says_so():
    table = totals([[5.0]])
    needed = np.full(table.shape, 1.0)
    needed[1, 1] = needed[0, 1] = needed[1, 0] = 0
    with pytest.raises(ValueError, match="cannot be made safe"):
        protect(np.where(needed > 0, table, 0.0), needed)
