"""Random figures of a published workspace traced to what they rest on: time each, and whether it is met.

``python -m bench.bench_explain HOME [--n 500] [--seed 1] [--each-kind]``: half printed figures of the
bulletins with a value; the rest park x indicator x period, verdicts, scores, forecasts and risks in
equal parts, each with the audit rules behind it. With ``--each-kind`` one printed figure of each kind
(table, key and column) and no others. A proof must end in cells, or in entered rows, files, findings,
the register or a clause nothing was reported for; a figure counted from many rows names them and
proves one, and the others are asked for in turn. "Nothing reported" is a proof of no value and of
zero only.
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


def draw(connection, n: int, seed: int) -> list[tuple[str, list[str], object]]:
    """(kind, words, value) of figures to ask for; a kind there is none of leaves its part to others."""
    chance = random.Random(seed)
    printed = connection.execute(
        "SELECT audience_id || '/' || figure_id, source_table, value FROM bulletins.figure "
        "WHERE value IS NOT NULL ORDER BY ALL"
    ).fetchall()
    drawn = [
        ("printed " + str(row[1]).split(".")[0], [row[0]], row[2])
        for row in chance.choices(printed, k=n // 2)
    ]
    there = {kind: connection.execute(sql).fetchall() for kind, sql in ASKED.items()}
    kinds = [kind for kind, rows in there.items() if rows]
    for number in range(n - len(drawn)):
        kind = kinds[number % len(kinds)]
        drawn.append((kind, list(chance.choice(there[kind])), True))
    return drawn


def one_of_each(connection) -> list[tuple[str, list[str], object]]:
    """A printed figure of every kind: of the same table, key and column."""
    rows = connection.execute(
        "SELECT source_table, list(struct_pack(f := audience_id || '/' || figure_id, v := value) "
        "ORDER BY figure_id, value, audience_id) "
        "FROM bulletins.figure GROUP BY source_table, json_keys(source_key), "
        "source_key::JSON ->> '$.column', len(inputs) > 0, split_part(figure_id, '-', 2), "
        "CASE WHEN split_part(figure_id, '-', 2) = 'T' THEN split_part(figure_id, '-', -1) END "
        "ORDER BY ALL"
    ).fetchall()
    middle = [(table, found[len(found) // 2]) for table, found in rows]
    return [("printed " + str(table).split(".")[0], [one["f"]], one["v"]) for table, one in middle]


def rests(connection, step, value, known: dict[tuple[str, ...], bool]) -> bool:
    """Whether a proof ends in something, and so do the rows it names in one line only.

    Nothing reported is an answer for no value and for zero. Of many named rows 20 are followed.
    """
    grounds = step.grounds()
    if not grounds or (grounds == {"absence"} and value):
        return False
    named = [one.asks for one in step.walk() if one.asks and not one.parts]
    return all(follow(connection, words, known) for words in named[:: max(len(named) // 20, 1)])


def follow(connection, words: tuple[str, ...], known: dict[tuple[str, ...], bool]) -> bool:
    """Whether a row named by the words to ask for it rests on something."""
    from warehouse import explain

    if words not in known:
        known[words] = False  # a figure that names itself rests on nothing
        known[words] = rests(connection, explain.explain(connection, list(words)), None, known)
    return known[words]


def main() -> int:
    """Command line; exit code 1 when a figure rests on nothing or takes over 2 CPU s."""
    from quality.rules.about import indicators_of_rules
    from warehouse import explain
    from warehouse.catalog.load import load_catalog
    from warehouse.store import Warehouse

    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each-kind", action="store_true", help="one printed figure of each kind")
    told = parser.parse_args()
    from pipelines.settings import load_workspace

    workspace = load_workspace(told.home.absolute())
    rules = indicators_of_rules(load_catalog(workspace.catalog, workspace.catalog_base))
    wall, spent, without, met = [], [], [], Counter()
    known: dict[tuple[str, ...], bool] = {}
    ends: Counter[str] = Counter()
    with Warehouse(workspace).reading() as connection:
        each = told.each_kind
        drawn = one_of_each(connection) if each else draw(connection, told.n, told.seed)
        for kind, words, value in drawn:
            started, busy = time.perf_counter(), time.process_time()
            step = explain.explain(connection, words, rules)
            spent.append((time.process_time() - busy, words))
            wall.append(time.perf_counter() - started)
            met[kind] += 1
            grounds = step.grounds()
            ends["cell" if "cell" in grounds else "+".join(sorted(grounds)) or "nothing"] += 1
            if not rests(connection, step, value, known):
                without.append((kind, words))
    spent.sort(key=lambda pair: pair[0])
    print(" ".join(f"{kind}={n}" for kind, n in sorted(met.items())))
    print("end in: " + " ".join(f"{ground}={n}" for ground, n in ends.most_common()))
    for name, ordered in (("CPU", [s for s, _ in spent]), ("wall", sorted(wall))):
        print(
            f"{len(ordered)} figures, {name}: median {statistics.median(ordered) * 1000:.0f} ms, "
            f"99 % {ordered[int(len(ordered) * 0.99) - 1] * 1000:.0f} ms, slowest {ordered[-1]:.2f} s"
        )
    print(f"slowest {spent[-1][1]}; rest on nothing: {len(without)} of {len(wall)} {without[:5]}")
    return 1 if without or spent[-1][0] > 2 else 0


if __name__ == "__main__":
    sys.exit(main())
