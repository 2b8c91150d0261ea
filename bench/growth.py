"""How the cost of every stage grows: CPU seconds and peak memory at 1×, 10× and 100× the size, exponents.

``python -m bench.growth [--stages month,nowcast,risk] [--files 15,150,1500] [--parks 150,1500,15000]``.
``month`` is a whole month of made-up returns through the run's own stages (``bench.peers.ours``: parse and
meaning, rules, vintages, park-months and park-years, ranks, publication); ``nowcast`` and ``risk`` are the
statistical stages on made-up parks. Every size runs in a process of its own. The exponent is that of the last
step (10× to 100×), where fixed costs matter least: 1 is linear. Documents have ``bench_bulletin`` and
``bench_site``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.bench_peers import process
from bench.national import peak_mib
from bench.peers import month

INDICATORS, DRAWS, CLASS_SIZE = 2, 2_000, 150


def month_stages(files: int, folder: Path) -> dict[str, float]:
    """CPU seconds of each stage of a month of so many files, of all, and peak memory."""
    home = folder / f"month-{files}"
    month.make(home, files)
    command = [sys.executable, "-m", "bench.peers.ours", str(home), str(home / "ranks.csv")]
    measured, code, said = process(command, home / "log.txt")
    if code:
        raise SystemExit(said[-3000:])
    stages = json.loads(said.splitlines()[-1])["stages"]
    found = {f"month: {name}": spent[1] for name, spent in stages.items()}
    return found | {"month: whole process": measured.cpu, "month: peak MiB": measured.peak_mib}


def nowcast(parks: int) -> dict[str, float]:
    """The year's forecasts of so many parks with their past errors."""
    from bench import bench_nowcast

    panels = [bench_nowcast.made_up(parks, n) for n in range(INDICATORS)]
    before = time.process_time()
    for vintages in panels:
        bench_nowcast.forecast_year(vintages, 1)
    return {"nowcast": time.process_time() - before, "nowcast: peak MiB": peak_mib()}


def risk(parks: int) -> dict[str, float]:
    """Simulated ranks of so many parks in classes of 150."""
    from bench import bench_risk
    from methods import risk as method

    models = [bench_risk.a_class(n, CLASS_SIZE) for n in range(max(1, parks // CLASS_SIZE))]
    before = time.process_time()
    for model in models:
        method.rank_risk(method.simulate(model, "2020-06/bench", DRAWS, 1), 7)
    return {"risk": time.process_time() - before, "risk: peak MiB": peak_mib()}


def child(stage: str, size: int) -> dict[str, float]:
    """A statistical stage in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.growth", "one", stage, str(size)],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def shown(sizes: list[int], found: list[dict[str, float]]) -> None:
    """One line a stage: its values at every size and the exponent of the last step."""
    for name in found[0]:
        values = [each[name] for each in found]
        step = math.log(sizes[-1] / sizes[-2]) if len(sizes) > 1 else 0.0
        grown = math.log(max(values[-1], 1e-3) / max(values[-2], 1e-3)) / step if step else 0.0
        cells = " | ".join(f"{value:.0f}" if "MiB" in name else f"{value:.2f}" for value in values)
        print(f"| {name} | {cells} | {grown:.2f} |", flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="*")
    parser.add_argument("--stages", default="month,nowcast,risk")
    parser.add_argument("--files", default="15,150,1500")
    parser.add_argument("--parks", default="150,1500,15000")
    told = parser.parse_args()
    if told.words:
        _, stage, size = told.words
        print(json.dumps({"nowcast": nowcast, "risk": risk}[stage](int(size))))
        return
    print(f"load {os.getloadavg()[0]:.0f}; CPU seconds")
    with tempfile.TemporaryDirectory(prefix="parkwatch-growth-") as name:
        for stage in told.stages.split(","):
            sizes = [int(n) for n in (told.files if stage == "month" else told.parks).split(",")]
            what = "files" if stage == "month" else "parks"
            print(f"\n| stage | {' | '.join(f'{n:,} {what}' for n in sizes)} | exponent |")
            print(f"| --- |{' --- |' * len(sizes)} --- |")
            if stage == "month":
                found = [month_stages(size, Path(name)) for size in sizes]
            else:
                found = [child(stage, size) for size in sizes]
            shown(sizes, found)


if __name__ == "__main__":
    main()
