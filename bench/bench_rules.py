"""A month of 1,500 files × 300 cells: time and memory of judging all rules against loading the cells.

``python -m bench.bench_rules [--files N] [--cells N]`` makes the month in a temporary workspace through
the same functions a run uses: rows of files and cells are stored as reading hands them over (loading),
then every rule of the shipped catalogue is judged over the month with the month before and the same
month of last year to compare with. Prints seconds, findings and peak memory; figures in docs/quality.md.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

PARKS_PER_FILE = 10
EARLIER = ("2019-06", "2020-05")
PERIOD = "2020-06"


def main() -> None:
    """Make the month, load it, judge it, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1500)
    parser.add_argument("--cells", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-rules-") as folder:
        _run(Path(folder), arguments.files, arguments.cells)


def _run(home: Path, files: int, cells: int) -> None:
    from assets.submissions.audit import surroundings
    from quality.rules.compile import compile_rules
    from tests.support.warehouse_cases import workspace
    from warehouse import rule_outcomes, store
    from warehouse.catalog import frames
    from warehouse.catalog.load import load_catalog

    catalog = load_catalog(None)
    warehouse = store.Warehouse(workspace(home))
    warehouse.begin("bench")
    with warehouse.building() as connection:
        store.replace_rows(connection, "dims.indicator", frames.indicator_rows(catalog))
        store.replace_rows(connection, "dims.park", list(_parks(files)))
        for period in EARLIER:
            _load(connection, catalog, period, files, cells)
    with warehouse.building() as connection:
        loading = _Clock()
        n_cells = _load(connection, catalog, PERIOD, files, cells)
        loading.stop()
    relations = compile_rules(catalog)
    with warehouse.building() as connection:
        connection.execute("INSERT INTO internal.affected_period VALUES (?)", [PERIOD])
        around = surroundings(catalog, [PERIOD], 2, "Asia/Shanghai")
        judging = _Clock()
        rule_outcomes.judge(connection, relations, around)
        store.run_script(connection, "quality__findings", {"first_month": 2})
        judging.stop()
        n_findings = connection.execute("SELECT count(*) FROM quality.finding").fetchone()
        judged = connection.execute(
            "SELECT sum(n_pass + n_fail + n_not_evaluable), sum(n_error) FROM quality.rule_outcome"
        ).fetchone()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"files {files}, cells {n_cells}, rules {len(catalog.rules)}, relations {len(relations.relations)}"
    )
    print(f"loading the cells {loading.wall:.1f} s, {loading.cpu:.1f} CPU s")
    print(f"judging all rules {judging.wall:.1f} s, {judging.cpu:.1f} CPU s")
    print(
        f"ratio {judging.wall / loading.wall:.2f}, of CPU {judging.cpu / loading.cpu:.2f} (bound 3)"
    )
    print(f"peak memory {peak:.0f} MB (bound 2048)")
    print(f"judgements {judged[0]}, errors {judged[1]}, findings {n_findings[0]}")


class _Clock:
    """Wall and CPU seconds (all threads) from making it to ``stop``."""

    def __init__(self) -> None:
        self.wall, self.cpu = -time.perf_counter(), -time.process_time()

    def stop(self) -> None:
        """Stop the clock."""
        self.wall += time.perf_counter()
        self.cpu += time.process_time()


def _parks(files: int) -> Iterator[dict[str, Any]]:
    for number in range(files * PARKS_PER_FILE):
        county = f"{number // PARKS_PER_FILE:06d}"
        yield {"park_id": f"P{number:06d}", "name": f"园区{number}",
               "valid_from": datetime(2015, 1, 1).date(),
               "county_code": county, "city_code": county[:4], "province_code": "610000", "status": "active",
               "is_key": False, "is_demonstration": False}  # fmt: skip


def _load(connection: Any, catalog: Any, period: str, files: int, cells: int) -> int:
    """Store the month in batches of 200 files as a run does; returns the number of cells."""
    from warehouse import store

    columns = _columns(catalog, cells // PARKS_PER_FILE)
    n = 0
    for start in range(0, files, 200):
        numbers = range(start, min(start + 200, files))
        submissions = [_submission(number, period) for number in numbers]
        rows = [cell for number in numbers for cell in _cells(number, period, columns)]
        store.insert_rows(connection, "submissions.submission", submissions)
        store.insert_rows(connection, "submissions.cell", rows)
        n += len(rows)
    connection.execute(
        "INSERT INTO internal.standing SELECT submission_id, received_at, NULL, received_at, 1 "
        "FROM submissions.submission WHERE period = ?", [period],
    )  # fmt: skip
    return n


_FULL, _SUMS = ("ytd", "month", "ytd_prior", "yoy_published"), ("ytd", "ytd_prior", "yoy_published")
_FORM: dict[str, tuple[int, tuple[str, ...]]] = {
    "C01": (1000, _FULL), "C02": (800, _SUMS), "C04": (980, _FULL), "D01": (60, ("ytd",)),
    "D02": (40, _FULL), "F01": (120, _SUMS), "F02": (90, ("ytd",)), "F07": (30, ("ytd",)),
    "B01": (60, ("stock",)), "B03": (12, ("stock",)), "B07": (1, ("ytd",)),
    "E01": (900, ("stock",)), "G01": (20, ("stock",)), "G02": (1, ("ytd",)), "G03": (3, ("stock",)),
}  # fmt: skip
"""The usual monthly return: indicator, its usual size for a park, its columns (30 in all)."""


def _columns(catalog: Any, wanted: int) -> list[tuple[str, str, str, int]]:
    """(indicator, measure, unit, size) of the form."""
    columns = [
        (code, measure, catalog.indicator(code).unit, size)
        for code, (size, measures) in _FORM.items()
        for measure in measures
    ]
    return columns[:wanted]


def _submission(number: int, period: str) -> dict[str, Any]:
    return {
        "submission_id": f"{period}-{number:06d}",
        "file_name": f"{number}.xlsx",
        "source_id": "monthly",
        "reporter": f"R{number:06d}",
        "period": period,
        "received_at": datetime(2020, 7, 5),
        "version_no": 1,
        "status": "accepted",
        "format": "xlsx",
        "layout_id": "form",
    }


def _cells(
    number: int, period: str, columns: list[tuple[str, str, str, int]]
) -> Iterator[dict[str, Any]]:
    """Ten parks a file; figures agree with each other, but one cell in two hundred is ten times."""
    month, year = int(period[5:]), int(period[:4])
    for line in range(PARKS_PER_FILE):
        park = number * PARKS_PER_FILE + line
        for at, (indicator_id, measure, unit, size) in enumerate(columns):
            one = size * (50 + park % 97) * 10
            stock = unit in ("户", "人", "万平方米")
            now = {2019: 100, 2020: 110}[year]
            value = {
                "ytd": size * 6 if stock else one * now * month // 100,
                "month": one * now // 100,
                "ytd_prior": one * 100 * month // 100,
                "yoy_published": 10,
            }.get(measure, size * 10)
            if (park * 31 + at * 7) % 200 == 0 and period == PERIOD:
                value *= 10
            yield {"submission_id": f"{period}-{number:06d}", "sheet": "园区月报",
                   "address": f"{_letters(at)}{line + 5}", "raw_text": str(value),
                   "value": Decimal(value), "state": "reported", "unit_raw": unit,
                   "unit_factor": "1", "unit_evidence": "表头", "entity_raw": f"园区{park}",
                   "park_id": f"P{park:06d}", "indicator_id": indicator_id, "period": period,
                   "measure": measure, "maturity": "定报", "role": "data",
                   "head": indicator_id}  # fmt: skip


def _letters(at: int) -> str:
    return chr(66 + at) if at < 25 else "A" + chr(40 + at)


if __name__ == "__main__":
    main()
