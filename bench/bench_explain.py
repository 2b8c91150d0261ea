"""Random figures of a published workspace traced to their cells: time each, and whether a cell is met.

``python -m bench.bench_explain HOME [--n 500] [--seed 1]``: half printed figures of the bulletins with a
value, half park x indicator x period. Counts (reporters, findings) end in files or rows, not in cells,
and are counted apart.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from pathlib import Path


def main() -> int:
    """Command line; exit code 1 when a figure of values meets no cell or takes over 2 s."""
    from warehouse import explain
    from warehouse.store import Warehouse
    from warehouse.workspace import Bureau, Workspace

    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    workspace = Workspace(home=told.home.absolute(), bureau=Bureau(name="", region_code=""))
    with Warehouse(workspace).reading() as connection:
        printed = connection.execute(
            "SELECT figure_id, source_table FROM bulletins.figure WHERE value IS NOT NULL ORDER BY ALL"
        ).fetchall()
        values = connection.execute(
            "SELECT park_id, indicator_id, period FROM indicators.park_month "
            "WHERE value_ytd IS NOT NULL ORDER BY ALL"
        ).fetchall()
        chance = random.Random(told.seed)
        chosen = [([row[0]], row[1]) for row in chance.choices(printed, k=told.n // 2)]
        chosen += [
            (list(row), "indicators.park_month")
            for row in chance.choices(values, k=told.n - len(chosen))
        ]
        seconds, without = [], []
        for words, source in chosen:
            started = time.perf_counter()
            step = explain.explain(connection, words)
            seconds.append(time.perf_counter() - started)
            if (source or "").startswith("indicators.") and not step.cells():
                without.append(words)
    ordered = sorted(seconds)
    print(
        f"{len(seconds)} figures: median {statistics.median(ordered) * 1000:.0f} ms, "
        f"99 % {ordered[int(len(ordered) * 0.99) - 1] * 1000:.0f} ms, slowest {ordered[-1]:.2f} s; "
        f"values that met no cell: {len(without)} {without[:5]}"
    )
    return 1 if without or ordered[-1] > 2 else 0


if __name__ == "__main__":
    sys.exit(main())
