"""Secondary suppression against the optimum: 60 random tables, ours and τ-ARGUS side by side.

Belongs here: the comparison and its figures. Does not belong here: the method (``methods.disclosure``).
τ-ARGUS (package ``pytauargus``, not a dependency) solves each table to optimality; without it the optimum
kept for the tests is compared with. ``--write FILE`` keeps the optimum of each table.

    python -m bench.bench_disclosure [--tables 60] [--write tests/golden/disclosure_optimum.json]
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from methods.disclosure import audit, protect
from tests.support.random_tables import random_table, with_totals

KEPT = Path(__file__).parents[1] / "tests" / "golden" / "disclosure_optimum.json"


def optimum(contributors) -> dict[str, float]:
    """What τ-ARGUS hides: number of cells, value, and its primaries."""
    import pandas as pd
    from pytauargus import protect as solve

    rows = [
        {"Row": f"r{i}", "Col": f"c{j}", "X": float(x)}
        for i, line in enumerate(contributors)
        for j, cell in enumerate(line)
        for x in cell
    ]
    with tempfile.TemporaryDirectory() as folder:
        here = Path.cwd()
        os.chdir(folder)
        try:
            result = solve(
                pd.DataFrame(rows), ["Row", "Col"], response="X",
                safety_rules="P(10,1)|FREQ(3,10)", suppress="OPT(1)", workdir=folder,
            )  # fmt: skip
            table = result.tables[0]
            values, safe = table.dataframe()["X"].to_numpy(float), table.safe(None)
        finally:
            os.chdir(here)
    hidden = np.array([x is None or x != x for x in safe])
    return {"cells": int(hidden.sum()), "value": float(values[hidden].sum())}


def main() -> None:
    """Print cells and value lost by each side, and whether every table passes the audit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", type=int, default=60)
    parser.add_argument("--write", type=Path)
    said = parser.parse_args()
    ours, best, seconds, unsafe = [], [], 0.0, 0
    try:
        import pytauargus  # noqa: F401
    except ImportError:
        print("τ-ARGUS (pytauargus) is not installed: its kept results are used")
        kept = json.loads(KEPT.read_text(encoding="utf-8"))
    else:
        kept = None
    for number in range(said.tables):
        contributors = random_table(number)
        table, needed, singles = with_totals(contributors)
        start = time.perf_counter()
        hidden = protect(table, needed, singles=singles)
        seconds += time.perf_counter() - start
        unsafe += bool(audit(table, hidden, needed, singles))
        ours.append({"cells": int(hidden.sum()), "value": float(table[hidden].sum())})
        best.append(optimum(contributors) if kept is None else kept[number])
    lost, least = (sum(each["value"] for each in side) for side in (ours, best))
    cells, fewest = (sum(each["cells"] for each in side) for side in (ours, best))
    print(
        f"{said.tables} tables: ours {cells} cells, value {lost:,.0f} in {seconds:.1f} s; optimum "
        f"{fewest} cells, value {least:,.0f}; lost {lost / least - 1:+.1%}; {unsafe} fail the audit"
    )
    if said.write:
        said.write.write_text(json.dumps(best) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
