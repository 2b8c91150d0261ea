"""Speed and memory of simulated ranks and of the way out, on a made-up nation of parks.

Belongs here: the timing of ``methods.risk`` and ``methods.way_out``. Does not belong here: their
correctness (tests) or their skill (``parkwatch backtest --risk``).

    python -m bench.bench_risk [--parks 15000] [--classes 100] [--draws 2000] [--threads 2]
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from methods import risk, way_out
from methods.points import Points

LEVERS = 12


def a_class(number: int, size: int) -> risk.Model:
    """A class of ``size`` parks, 12 growth figures each, 600 past error vectors."""
    rng = np.random.default_rng(number)
    names = tuple(f"L{i}" for i in range(LEVERS))
    items = []
    for name in names:
        centre = rng.lognormal(5, 1, size)
        prior = centre / rng.lognormal(0.08, 0.1, size)
        items.append(
            risk.Item(
                lever=name,
                rule=Points((-20.0, 30.0), (0.0, 100.0)),
                weight=np.full(size, 1 / LEVERS),
                centre=centre,
                scale=np.abs(rng.normal(0.08, 0.02, size)),
                slope=100 / prior,
                offset=np.full(size, -100.0),
            )
        )
    shocks = risk.Shocks(names, rng.standard_t(5, (600, LEVERS)), np.full(LEVERS, 0.3), 5.0)
    parks = tuple(f"{number}-{i}" for i in range(size))
    return risk.Model(f"class-{number}", parks, tuple(items), shocks, np.zeros(size))


def main() -> None:
    """Print seconds, memory and the sum of probabilities (must equal the places)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parks", type=int, default=15_000)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--draws", type=int, default=2_000)
    parser.add_argument("--threads", type=int, default=2)
    said = parser.parse_args()
    size = said.parks // said.classes
    models = [a_class(number, size) for number in range(said.classes)]
    k, total = max(1, size // 20), 0.0
    start, cpu = time.perf_counter(), time.process_time()
    for model in models:
        scores = risk.simulate(model, "2020-06/bench", said.draws, said.threads)
        total += risk.rank_risk(scores, k).p_last.sum()
    wall, used = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{size * said.classes:,} parks x {LEVERS} figures x {said.draws:,} draws in {said.classes} "
        f"classes: {wall:.1f} s wall, {used:.1f} s CPU, peak {peak:.0f} MB; "
        f"sum of p(last {k}) = {total:.6f} of {k * said.classes}"
    )
    cut = way_out.cuts(scores, k)
    near = np.argsort(-risk.rank_risk(scores, k).p_last)[:100]
    start = time.perf_counter()
    for place in near:
        draws = way_out.own_draws(model, int(place), "2020-06/bench", scores)
        way_out.way_out(model, int(place), draws, cut)
    each = (time.perf_counter() - start) / len(near) * 1000
    print(f"way out: {each:.2f} ms a park for {LEVERS} levers")


if __name__ == "__main__":
    main()
