"""Random figures of a published workspace traced to what they rest on: time each, and whether it is met.

``python -m bench.bench_explain HOME [--n 500] [--seed 1]``: half printed figures of the bulletins with a
value; the rest park x indicator x period, verdicts, scores, forecasts and risks in equal parts, each
with the audit rules behind it. Figures must end in cells (or in entered rows, for verdicts on them); a
figure counted from many others names them, and each of those is asked for in turn. Counts of
reporters and findings end in files or rows and are counted apart.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

ASKED = {
    "value": "SELECT park_id, indicator_id, period FROM indicators.park_month "
    "WHERE value_ytd IS NOT NULL ORDER BY ALL",
    "verdict": "SELECT target_id, coalesce(nullif(park_id, ''), scope_code), asof_period "
    "FROM targets.verdict WHERE actual IS NOT NULL AND len(figure_ids) > 0 ORDER BY ALL",
    "score": "SELECT scheme_id, park_id, asof_period FROM assessment.score "
    "WHERE rank IS NOT NULL ORDER BY ALL",
    "forecast": "SELECT 'nowcast', park_id, indicator_id, asof_period FROM indicators.nowcast "
    "WHERE point IS NOT NULL ORDER BY ALL",
    "risk": "SELECT 'risk', scheme_id, park_id, asof_period FROM assessment.risk ORDER BY ALL",
}
ENTERED = "补录 "


def draw(connection, n: int, seed: int) -> list[tuple[str, list[str]]]:
    """(kind, words) of figures to ask for; a kind the workspace has none of leaves its part to others."""
    chance = random.Random(seed)
    printed = connection.execute(
        "SELECT figure_id, source_table FROM bulletins.figure WHERE value IS NOT NULL ORDER BY ALL"
    ).fetchall()
    drawn = [
        ("printed " + str(row[1]).split(".")[0], [row[0]])
        for row in chance.choices(printed, k=n // 2)
    ]
    there = {kind: connection.execute(sql).fetchall() for kind, sql in ASKED.items()}
    kinds = [kind for kind, rows in there.items() if rows]
    for number in range(n - len(drawn)):
        kind = kinds[number % len(kinds)]
        drawn.append((kind, list(chance.choice(there[kind]))))
    return drawn


def rests(connection, words: list[str], step, known: dict[str, bool]) -> bool:
    """Whether a proof ends in cells or entered rows, its own or those of the figures it names."""
    from warehouse import explain

    if step.cells() or any(s.text.startswith(ENTERED) for s in step.walk()):
        return True
    rows = connection.execute(
        "SELECT inputs FROM bulletins.figure WHERE figure_id = ? "
        "ORDER BY period DESC, edition DESC, audience_id LIMIT 1",
        [words[0]],
    ).fetchall()
    inputs = rows[0][0] if len(words) == 1 and rows else []
    for name in inputs:
        if name not in known:
            known[name] = False  # a figure that names itself rests on nothing
            proof = explain.explain(connection, [name])
            known[name] = rests(connection, [name], proof, known)
    return bool(inputs) and all(known[name] for name in inputs)


def main() -> int:
    """Command line; exit code 1 when a figure of values rests on nothing or takes over 2 CPU s."""
    from quality.rules.about import indicators_of_rules
    from warehouse import explain
    from warehouse.catalog.load import load_catalog
    from warehouse.store import Warehouse

    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    from pipelines.settings import load_workspace

    workspace = load_workspace(told.home.absolute())
    rules = indicators_of_rules(load_catalog(workspace.catalog, workspace.catalog_base))
    wall, spent, without, met = [], [], [], Counter()
    known: dict[str, bool] = {}
    with Warehouse(workspace).reading() as connection:
        drawn = draw(connection, told.n, told.seed)
        for kind, words in drawn:
            started, busy = time.perf_counter(), time.process_time()
            step = explain.explain(connection, words, rules)
            spent.append((time.process_time() - busy, words))
            wall.append(time.perf_counter() - started)
            met[kind] += 1
            counted = kind in ("printed submissions", "printed quality", "printed dims")
            if not counted and not rests(connection, words, step, known):
                without.append((kind, words))
    spent.sort(key=lambda pair: pair[0])
    print(" ".join(f"{kind}={n}" for kind, n in sorted(met.items())))
    for name, ordered in (("CPU", [s for s, _ in spent]), ("wall", sorted(wall))):
        print(
            f"{len(ordered)} figures, {name}: median {statistics.median(ordered) * 1000:.0f} ms, "
            f"99 % {ordered[int(len(ordered) * 0.99) - 1] * 1000:.0f} ms, slowest {ordered[-1]:.2f} s"
        )
    print(f"slowest {spent[-1][1]}; rest on nothing: {len(without)} of {len(wall)} {without[:5]}")
    return 1 if without or spent[-1][0] > 2 else 0


if __name__ == "__main__":
    sys.exit(main())
