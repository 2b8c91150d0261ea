"""Millions of observations in one warehouse: size, as-of view, one month more, memory.

``python -m bench.bench_warehouse`` makes warehouses of 1, 5 and 10 years (1,500 units x 48 indicators x
11 periods a year, 9 % of the figures corrected a fortnight later: 8.6 million vintages in ten years)
through the product's own models, each in a process of its own, then adds the same next month to
each and prints what it cost. Nothing is read from files: reading has a benchmark of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

UNITS, INDICATORS, REPORTERS, CORRECTED_PCT = 1500, 48, 50, 9
FIRST_YEAR = 2010


def make_home(home: Path) -> None:
    """A workspace whose catalogue has the units, indicators and reporters of the benchmark."""
    catalog = home / "catalog"
    catalog.mkdir(parents=True)
    (home / "parkwatch.toml").write_text('[bureau]\nname = "x"\nregion_code = "610000"\n')
    lines = [
        f"- {{indicator_id: I{n:02d}, name_zh: 指标{n}, unit: 万元, kind: flow, over_time: ytd, "
        "aggregation: sum}"
        for n in range(INDICATORS)
    ]
    (catalog / "indicators.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    regions = ["code,name,level,parent,valid_from,valid_to,successor", "610000,省,province,,,,"]
    regions += [f"61{n:02d}00,市{n},city,610000,,," for n in range(1, 11)]
    (catalog / "regions.csv").write_text("\n".join(regions) + "\n", encoding="utf-8")
    parks = [
        "park_id,name,county_code,city_code,province_code,status,simulated,valid_from,valid_to"
    ]
    parks += [
        f"P{n:04d},单位{n},61{n % 10 + 1:02d}00,61{n % 10 + 1:02d}00,610000,active,1,2000-01-01,"
        for n in range(UNITS)
    ]
    (catalog / "parks.csv").write_text("\n".join(parks) + "\n", encoding="utf-8")
    (catalog / "sources.yaml").write_text(
        "- {source_id: monthly, name: 月报, frequency: M, deadline: {day: 10}}\n", encoding="utf-8"
    )


def deliver(connection, period: str) -> None:
    """Cells of a month: one file a reporter, and its correction a fortnight later."""
    from warehouse import derive, partitions

    year, month = int(period[:4]), int(period[5:])
    received = datetime(year, month, 8) + timedelta(days=31)
    for suffix, later, share in (("", 0, 100), ("-更正", 14, CORRECTED_PCT)):
        values = {"period": period, "suffix": suffix, "reporters": REPORTERS}
        connection.execute(
            """
            INSERT INTO submissions.submission BY NAME
            SELECT sha256($period || n || $suffix) AS submission_id,
                   'r' || n || $period || $suffix AS file_name,
                   'monthly' AS source_id, 'r' || n AS reporter, $period AS period,
                   $received AS received_at, 'accepted' AS status, 0 AS n_findings
            FROM range($reporters) AS t(n)
            """,
            values | {"received": received + timedelta(days=later)},
        )
        connection.execute(
            """
            INSERT INTO submissions.cell BY NAME
            SELECT sha256($period || (park % $reporters) || $suffix) AS submission_id, '表1' AS sheet,
                   chr((65 + indicator % 26)::INTEGER) || (park + 5)::VARCHAR AS address,
                   value::VARCHAR AS raw_text, value, 'reported' AS state, '万元' AS unit_raw,
                   '1' AS unit_factor, '表头' AS unit_evidence, '单位' || park AS entity_raw,
                   'P' || lpad(park::VARCHAR, 4, '0') AS park_id,
                   'I' || lpad(indicator::VARCHAR, 2, '0') AS indicator_id,
                   $period AS period, 'ytd' AS measure,
                   '定报' AS maturity, 'data' AS role, '指标' || indicator AS head, 'monthly' AS layout_id,
                   '月报' AS layout_rule
            FROM (
                SELECT park, indicator,
                       ((1000 + park * 7 + indicator * 131) * $month * (1 + 0.01 * ($year - 2009))
                        + hash(park, indicator, $period, $suffix) % 1000 / 100)::DECIMAL(28, 2) AS value
                FROM range($units) AS p(park), range($indicators) AS i(indicator)
                WHERE hash(park, indicator, $period) % 100 < $share
            )
            ORDER BY submission_id, park, indicator
            """,
            {**values, "units": UNITS, "indicators": INDICATORS, "month": month, "year": year,
             "share": share},
        )  # fmt: skip
    derive.mark_affected(connection, [period])
    partitions.touch(connection, "submissions.cell", [period])


def build_periods(home: Path, periods: list[str]) -> dict[str, float]:
    """One build that takes in these months, as a run would; CPU seconds by step."""
    from assets.build import Build
    from warehouse import derive
    from warehouse.catalog.load import load_catalog
    from warehouse.state import State
    from warehouse.store import Warehouse
    from warehouse.workspace import Bureau, Workspace

    workspace = Workspace(
        home=home, bureau=Bureau(name="x", region_code="610000"), catalog_base="none"
    )
    warehouse = Warehouse(workspace)
    with warehouse.writer_lock():
        build = Build(workspace, load_catalog(workspace.catalog, "none"), warehouse,
                      State(workspace.state_file), now=datetime(2026, 1, 1), run_id=periods[-1],
                      period=periods[-1])  # fmt: skip
        spent: dict[str, float] = {}

        @contextmanager
        def cpu(name: str):
            before = time.process_time()
            yield
            spent[name] = time.process_time() - before

        with cpu("work file"):
            build.begin()
        from assets.submissions.store_rows import load_dimensions

        with cpu("dimensions"), build.step("dimensions") as connection:
            load_dimensions(connection, build)
        with cpu("cells"), build.step("cells") as connection:
            for period in periods:
                deliver(connection, period)
            derive.refresh_versions(connection)
        with cpu("observations"), build.step("observations") as connection:
            derive.refresh_observations(connection)
        with cpu("park_month"), build.step("park_month") as connection:
            derive.refresh_park_month(
                connection, build.catalog.indicators, asof=build.asof, first_month=2
            )
        with cpu("park_year"), build.step("park_year") as connection:
            derive.refresh_park_year(connection, periods[-1], each_month=False)
        with cpu("area_year"), build.step("area_year") as connection:
            derive.refresh_area_year(connection, build.catalog.indicators)
        with cpu("publish"):
            build.publish(periods[-1])
    return spent


def by_statement(spent: Counter[str]) -> None:
    """From now on count the CPU seconds of every statement of this process, by its first words."""
    from warehouse import store

    plain = store.connect

    class Counting:
        """A connection that counts; what is not a statement goes through."""

        def __init__(self, connection) -> None:
            self._connection = connection
            connection.execute("SET python_scan_all_frames = true")

        def execute(self, statement, *values):
            text = str(getattr(statement, "query", statement))
            bare = " ".join(line.split("--")[0].strip() for line in text.splitlines()).split()
            before = time.process_time()
            try:
                return self._connection.execute(statement, *values)
            finally:
                spent[" ".join(bare)[:150]] += time.process_time() - before

        def __getattr__(self, name):
            return getattr(self._connection, name)

    store.connect = lambda *told, **named: Counting(plain(*told, **named))


def months(year: int) -> list[str]:
    """Report periods of a year: 1—2月 is the first."""
    return [f"{year}-{month:02d}" for month in range(2, 13)]


def measure(home: Path, years: int) -> dict[str, object]:
    """What looking at, and adding a month to, the warehouse at ``home`` costs."""
    from warehouse.store import connect

    path = home / "warehouse.duckdb"
    connection = connect(path, read_only=True)
    connection.execute("SET threads = 2")
    n = connection.execute("SELECT count(*) FROM observations.observation").fetchone()[0]
    said: dict[str, object] = {"years": years, "observations": n}
    said["file MB"] = round(path.stat().st_size / 1e6, 1)
    lake = sum(p.stat().st_size for p in (home / "lake").rglob("*.parquet"))
    said["lake MB"] = round(lake / 1e6, 1)
    moment = f"{FIRST_YEAR + years - 1}-12-20"
    asof = (
        f"FROM observations.observation WHERE known_from <= TIMESTAMP '{moment}' "
        f"AND (known_to IS NULL OR known_to > TIMESTAMP '{moment}')"
    )
    month = f"{FIRST_YEAR + years - 1}-10"
    figures = f"SELECT park_id, indicator_id, period, measure, value, state, maturity {asof}"
    read_whole = f"SELECT count(*), bit_xor(hash(*COLUMNS(*))) {asof}"
    for name, sql in {
        "as-of, every column read s": read_whole,
        "as-of, all history kept s": f"CREATE OR REPLACE TEMP TABLE seen AS {asof}",
        "as-of, figures without their places kept s": f"CREATE OR REPLACE TEMP TABLE seen AS {figures}",
        "as-of, one month kept s": f"CREATE OR REPLACE TEMP TABLE seen AS {asof} AND period = '{month}'",
        "one series s": "CREATE OR REPLACE TEMP TABLE seen AS FROM observations.observation "
        "WHERE park_id = 'P0700' AND indicator_id = 'I07'",
        "revision summary s": "CREATE OR REPLACE TEMP TABLE seen AS "
        "FROM observations.revision_summary",
    }.items():
        times = []
        before = time.process_time()
        for _ in range(3):
            started = time.perf_counter()
            connection.execute(sql)
            times.append(time.perf_counter() - started)
        said[name] = round(sorted(times)[1], 3)
        said[name.removesuffix(" s") + " CPU s"] = round((time.process_time() - before) / 3, 3)
    connection.close()
    return said


def main() -> None:
    """Command line: without words everything; ``load``, ``look``, ``month``, ``statements`` are parts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="*")
    parser.add_argument("--years", default="1,5,10")
    parser.add_argument("--keep", type=Path)
    told = parser.parse_args()
    if told.words:
        print(json.dumps(part(*told.words), ensure_ascii=False, indent=1))
        return
    folder = told.keep or Path(tempfile.mkdtemp(prefix="parkwatch-bench-"))
    loaded = folder / "loaded"
    if not loaded.exists():
        make_home(loaded)
    for years in sorted(int(y) for y in told.years.split(",")):
        for year in range(FIRST_YEAR, FIRST_YEAR + years):
            if not (loaded / f"{year}.done").exists():
                said = child("load", loaded, year)
                (loaded / f"{year}.done").write_text(json.dumps(said))
        seen = child("look", loaded, years)
        home = folder / f"y{years}"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(loaded, home)
        month = child("month", home, years)
        print(json.dumps(seen | {"month": month}, ensure_ascii=False, indent=1), flush=True)
    if told.keep is None:
        shutil.rmtree(folder)


def child(*words: object) -> dict:
    """Run one part in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.bench_warehouse", *map(str, words)],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def part(what: str, home: str, number: str) -> dict[str, object]:
    """``load HOME YEAR``: a year in one build; ``look HOME YEARS``; ``month HOME YEARS``, or
    ``statements HOME YEARS`` for the same with the CPU seconds of each statement; a period may
    stand for the years."""
    folder = Path(home)
    started = time.perf_counter()
    statements: Counter[str] = Counter()
    if what == "statements":
        by_statement(statements)
    if what == "look":
        said = measure(folder, int(number))
    elif what == "load":
        said = build_periods(folder, months(int(number)))
    else:
        period = number if "-" in number else f"{FIRST_YEAR + int(number)}-02"
        said = build_periods(folder, [period])
    said |= {f"SQL: {text}": cpu for text, cpu in statements.most_common(40)}
    said = {k: round(v, 3) if isinstance(v, float) else v for k, v in said.items()}
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = round(used.ru_utime + used.ru_stime, 2)
    wall = round(time.perf_counter() - started, 2)
    return said | {"all s": wall, "CPU s": cpu, "peak MiB": used.ru_maxrss // 1024}


if __name__ == "__main__":
    main()
