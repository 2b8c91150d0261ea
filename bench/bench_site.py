"""Time of the static site with many parks: ``python -m bench.bench_site --home WORKSPACE``.

The published warehouse of a finished workspace is copied to a temporary folder and its parks are
repeated under new ids until there are ``--parks`` of them; then the whole site is written. Prints
seconds, pages, size and peak memory, and the time of one chart of each kind.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from assets.build import Build
from assets.bulletins import charts
from assets.bulletins.site import write_site
from pipelines.settings import load_workspace
from warehouse import store
from warehouse.catalog.load import load_catalog
from warehouse.state import State
from warehouse.store import Warehouse

TABLES = (
    "dims.park", "indicators.park_year", "indicators.nowcast", "targets.verdict", "assessment.score",
    "assessment.watch", "assessment.risk", "assessment.way_out", "assessment.last_place",
    "quality.finding",
)  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--parks", type=int, default=5000)
    given = parser.parse_args()
    _chart_times()
    with tempfile.TemporaryDirectory(prefix="parkwatch-bench-site-") as folder:
        _site(given.home, Path(folder), given.parks)


def _site(source: Path, home: Path, parks: int) -> None:
    workspace = load_workspace(source)
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    for name in ("warehouse.duckdb", "state.sqlite"):
        shutil.copyfile(source / name, home / name)
    shutil.copytree(source / "reports", home / "reports")
    workspace = replace(workspace, home=home)
    with store.connect(home / "warehouse.duckdb") as connection:
        (n,) = connection.execute("SELECT count(DISTINCT park_id) FROM dims.park").fetchone()
        copies = -(-parks // n) - 1
        for table in TABLES:
            connection.execute(
                f"INSERT INTO {table} BY NAME SELECT one.* REPLACE "
                "(one.park_id || '-' || copy AS park_id) "
                f"FROM {table} AS one, range(1, {copies + 1}) AS r(copy) "
                "WHERE one.park_id IS NOT NULL AND one.park_id <> ''"
            )
    warehouse = Warehouse(workspace)
    build = Build(workspace, catalog, warehouse, State(workspace.state_file), datetime(2026, 1, 1))
    started, spent = time.perf_counter(), time.process_time()
    with warehouse.reading() as connection:
        made = write_site(connection, build)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    spent = time.process_time() - spent
    print(
        f"{made.parks} park pages of {made.pages} in {seconds:.1f} s "
        f"(processor {spent:.1f} s), {made.bytes / 2**20:.0f} MiB, peak RSS {peak} MiB"
    )


def _chart_times() -> None:
    months = [f"{m}月" for m in range(2, 13)]
    lines = [
        charts.RankLine(f"园区{p}", tuple((p * 7 + m * 3) % 40 + 1 for m in range(11)), p > 36)
        for p in range(40)
    ]
    goals = [
        charts.BulletRow(f"目标{i}", 5.0 * i, f"{5 * i}", 50.0, "50", "", i < 10) for i in range(12)
    ]
    drawn = {
        "bump 40x11": lambda: charts.bump("b", "x", months, lines, [(40, 4)] * 11).svg,
        "bullet 12": lambda: charts.bullet("b", "x", goals).svg,
        "sparkline 12": lambda: charts.sparkline("x", [*range(12)], [*range(6)] + [None] * 6),
    }
    for name, draw in drawn.items():
        started = time.perf_counter()
        for _ in range(100):
            text = draw()
        print(f"{name}: {(time.perf_counter() - started) * 10:.2f} ms, {len(text)} bytes")


if __name__ == "__main__":
    main()
