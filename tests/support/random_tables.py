"""Random tables with contributors, for disclosure control: the same ones for tests and bench.

Belongs here: drawing tables. Does not belong here: what must be hidden (``methods.disclosure``).
"""

from __future__ import annotations

import numpy as np

from methods.disclosure import Rules, sensitive

RULES = Rules(min_count=3, p=10.0)


def random_table(number: int):
    """Contributors of every inner cell: 4-8 rows and columns, 1-14 contributors, skewed sizes."""
    rng = np.random.default_rng(10_000 + number)
    rows, columns = rng.integers(4, 9, 2)
    return [
        [
            np.round(rng.lognormal(4, 1.2, rng.choice([1, 2, 4, 7, 10, 14], p=[
                0.05, 0.05, 0.2, 0.3, 0.25, 0.15])), 0) + 1
            for _ in range(columns)
        ]
        for _ in range(rows)
    ]  # fmt: skip


def with_totals(contributors) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(values, needed protection, cells of one contributor) of the table with its totals."""
    rows, columns = len(contributors), len(contributors[0])
    table, needed, count = (np.zeros((rows + 1, columns + 1)) for _ in range(3))
    for r in range(rows + 1):
        for c in range(columns + 1):
            inside = [
                contributors[i][j]
                for i in (range(rows) if r == rows else [r])
                for j in (range(columns) if c == columns else [c])
            ]
            cell = np.concatenate(inside)
            table[r, c] = cell.sum()
            needed[r, c] = sensitive(cell.tolist(), RULES) or 0.0
            count[r, c] = len(cell)
    return table, needed, count == 1
