"""National rehearsal of the warehouse: 15,000 parks x 60 indicators x 10 years, 108 million facts.

``python -m bench.national`` makes warehouses of 1, 12 and 120 months (0.9, 10.8 and 108 million facts of
made-up figures, 模拟数据) straight in the fact layout of the warehouse, each in a process of its own with a
memory limit, and measures with the product's own models: the size of the facts, one month replaced,
figures as of a moment, every park-month and park-year derived anew, ranks of a month. ``--months``,
``--memory`` and ``--keep`` change what is made; a warehouse that is kept is not made again.

No file is read here: reading has a benchmark of its own (``bench_parsing``).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PARKS, REPORTED, PROVINCES, FILES = 15_000, 60, 31, 1_500
FIRST_YEAR, CORRECTED_PCT = 2011, 2
MOMENT = "2030-01-01"


def make_home(home: Path, parks: int = PARKS, n_provinces: int = PROVINCES, more: str = "") -> None:
    """A workspace whose catalogue has the parks, provinces, indicators and source."""
    catalog = home / "catalog"
    catalog.mkdir(parents=True)
    settings = (
        '[bureau]\nname = "全国演练(模拟数据)"\nregion_code = "110000"\n'
        '[catalog]\nbase = "none"\n[periods]\nfirst_month = 1\n'
    )
    (home / "parkwatch.toml").write_text("simulated = true\n" + settings + more, encoding="utf-8")
    lines = []
    for n in range(REPORTED):
        kind, over_time = ("stock", "last") if n % 4 == 3 else ("flow", "ytd")
        lines.append(
            f"- {{indicator_id: I{n:02d}, name_zh: 指标{n}(模拟), unit: 万元, kind: {kind}, "
            f"over_time: {over_time}, aggregation: sum}}"
        )
    lines.append(
        "- {indicator_id: R00, name_zh: 比率(模拟), unit: '%', kind: ratio, over_time: formula, "
        'aggregation: ratio, formula: "100 * I00 / I01"}'
    )
    (catalog / "indicators.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    regions = ["code,name,level,parent,valid_from,valid_to,successor"]
    regions += [f"{code},省{code},province,,,," for code in provinces(n_provinces)]
    (catalog / "regions.csv").write_text("\n".join(regions) + "\n", encoding="utf-8")
    rows = ["park_id,name,county_code,city_code,province_code,status,simulated,valid_from,valid_to"]
    codes = provinces(n_provinces)
    for n in range(1, parks + 1):
        code = codes[(n - 1) * n_provinces // parks]
        rows.append(f"{park_id(n)},园区{n}(模拟),,,{code},active,1,2000-01-01,")
    (catalog / "parks.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (catalog / "sources.yaml").write_text(
        "- {source_id: monthly, name: 月报, frequency: M, deadline: {day: 10}}\n", encoding="utf-8"
    )


def provinces(count: int = PROVINCES) -> list[str]:
    """Made-up codes of so many provinces."""
    return [f"{11 + n}0000" for n in range(count)]


def park_id(number: int) -> str:
    """Id of the n-th park; the order of ids is the order of numbers."""
    return f"P{number:05d}"


def months(count: int) -> list[str]:
    """Report periods from January of the first year."""
    return [f"{FIRST_YEAR + n // 12}-{n % 12 + 1:02d}" for n in range(count)]


BASE = """
CREATE OR REPLACE TEMP TABLE base AS
SELECT park AS park_key, indicator AS indicator_key,
       CASE WHEN indicator % 4 = 0 THEN 2 ELSE 1 END AS measure_key,
       nth, hash(park, indicator) % 100 < $corrected AS is_corrected,
       CASE WHEN indicator % 3 = 0 THEN 0 ELSE 2 END AS digits,
       pow(10, 1 + hash(park, indicator, 1) % 4000 / 1000.0) * CASE WHEN nth = 0 THEN 1 ELSE 1.03 END
           AS amount,
       (park - 1) * $files // $parks + nth * $files AS file,
       1 + indicator % 26 AS column_key, park % 10 + 5 AS row_number
FROM range($first, $last + 1) AS p(park), range(1, $indicators + 1) AS i(indicator), range(2) AS n(nth)
WHERE nth = 0 OR is_corrected
ORDER BY nth, park, indicator
"""
"""What is the same every month: sizes of the figures, their places in files, which are corrected (2 %)."""

FACTS = """
SELECT park_key, indicator_key, $period AS period, measure_key,
       $received::TIMESTAMP + INTERVAL 14 DAY * nth AS known_from,
       CASE WHEN nth = 0 AND is_corrected THEN $received::TIMESTAMP + INTERVAL 14 DAY END AS known_to,
       round(
           amount * CASE WHEN measure_key = 2 THEN 12 ELSE $month END / 12
               * (0.96 + 0.004 * ($period // 100 - 2010) + (park_key * 7919 + indicator_key * 104729
                  + $period * 31) % 1009 / 10090),
           digits
       )::DECIMAL(28, 8) AS value,
       1 AS state_key, 1 AS maturity_key, $first_file + file AS submission_key, 1 AS sheet_key,
       column_key, row_number
FROM base
"""
"""Vintages of one month, in the order of the warehouse: growing over the years, with some noise."""


def base_values(parks: int = PARKS) -> dict[str, object]:
    """Parameters of BASE."""
    return {"files": FILES, "corrected": CORRECTED_PCT, "indicators": REPORTED, "parks": parks,
            "first": 1, "last": parks}  # fmt: skip


def fact_values(n: int) -> dict[str, object]:
    """Parameters of FACTS for the n-th month."""
    period = months(n + 1)[-1]
    year, month = int(period[:4]), int(period[5:])
    received = f"{year + month // 12}-{month % 12 + 1:02d}-08"
    return {"period": year * 100 + month, "month": month, "received": received,
            "first_file": 1 + 2 * FILES * n}  # fmt: skip


VINTAGES = f"""
CREATE OR REPLACE TEMP TABLE vintage AS
SELECT 'P' || lpad(park_key::VARCHAR, 5, '0') AS park_id,
       'I' || lpad((indicator_key - 1)::VARCHAR, 2, '0') AS indicator_id,
       (period // 100) || '-' || lpad((period % 100)::VARCHAR, 2, '0') AS period,
       CASE measure_key WHEN 2 THEN 'stock' ELSE 'ytd' END AS measure,
       known_from, known_to, value, 'reported' AS state, '定报' AS maturity,
       'file-' || submission_key AS submission_id, '表1' AS sheet,
       chr((64 + column_key)::INTEGER) || row_number AS address, 'monthly' AS source_id,
       CASE WHEN known_from > $received::TIMESTAMP THEN 2 ELSE 1 END AS version
FROM ({FACTS})
"""
"""The same with readable ids, as a month's files would give them."""


def seed_keys(connection, n_months: int, parks: int = PARKS) -> None:
    """Keys of every id the facts use, as ``observations__keep`` would give them."""
    connection.execute("DELETE FROM internal.key")
    connection.execute(
        """
        INSERT INTO internal.key
        SELECT 'park', n, 'P' || lpad(n::VARCHAR, 5, '0') FROM range(1, $parks + 1) AS t(n)
        UNION ALL
        SELECT 'indicator', n, 'I' || lpad((n - 1)::VARCHAR, 2, '0')
        FROM range(1, $indicators + 1) AS t(n)
        UNION ALL SELECT 'measure', 1, 'ytd' UNION ALL SELECT 'measure', 2, 'stock'
        UNION ALL SELECT 'state', 1, 'reported' UNION ALL SELECT 'maturity', 1, '定报'
        UNION ALL SELECT 'sheet', 1, '表1'
        UNION ALL SELECT 'column', n, chr((64 + n)::INTEGER) FROM range(1, 27) AS t(n)
        UNION ALL SELECT 'submission', n, 'file-' || n FROM range(1, $files + 1) AS t(n)
        UNION ALL
        SELECT 'period', $year * 100 + n // 12 * 100 + n % 12 + 1,
               ($year + n // 12) || '-' || lpad((n % 12 + 1)::VARCHAR, 2, '0')
        FROM range($months) AS t(n)
        """,
        {"parks": parks, "indicators": REPORTED, "files": 2 * FILES * n_months,
         "months": n_months, "year": FIRST_YEAR},
    )  # fmt: skip


LOAD = f"""
INSERT INTO internal.observation_fact BY NAME
SELECT * REPLACE (
    CASE WHEN try_cast(value AS DECIMAL(18, 2)) IS DISTINCT FROM value THEN value END AS value
), CASE WHEN try_cast(value AS DECIMAL(18, 2)) = value THEN value END::DECIMAL(18, 2) AS short_value,
    '' AS address
FROM ({FACTS})
"""


# --- parts, each run in a process of its own ------------------------------------------------------


def opened(home: Path, memory: str):
    """The warehouse file of the rehearsal, with its limits."""
    from warehouse.store import connect

    connection = connect(home / "warehouse.duckdb")
    connection.execute("SET threads = 2")
    connection.execute(f"SET memory_limit = '{memory}'")
    connection.execute(f"SET temp_directory = '{home / 'spill'}'")
    return connection


def indicators(home: Path):
    """Indicators of the rehearsal's catalogue."""
    from warehouse.catalog.load import load_catalog

    return load_catalog(home / "catalog", "none")


def load(home: Path, memory: str, n_months: int) -> dict[str, object]:
    """Dimensions and facts of the months, sorted as the product keeps them."""
    from warehouse import store
    from warehouse.catalog import frames

    make_home(home)
    connection = opened(home, memory)
    store.create_all(connection)
    for name, rows in frames.dimension_rows(indicators(home)).items():
        store.replace_rows(connection, f"dims.{name}", rows)
    seed_keys(connection, n_months)
    connection.execute(BASE, base_values())
    for n in range(n_months):
        connection.execute(LOAD, fact_values(n))
    connection.execute("CHECKPOINT")
    facts = connection.execute("SELECT count(*) FROM internal.observation_fact").fetchone()[0]
    size = fact_bytes(connection)
    return {"facts": facts, "facts MB": round(size / 1e6, 1),
            "MB a million": round(size / facts, 2)}  # fmt: skip


def fact_bytes(connection) -> int:
    """Bytes of the blocks the facts take up."""
    (blocks,) = connection.execute(
        "SELECT count(DISTINCT block_id) FROM pragma_storage_info('internal.observation_fact') "
        "WHERE persistent"
    ).fetchone()
    (block,) = connection.execute("SELECT block_size FROM pragma_database_size()").fetchone()
    return blocks * block


def timed(name: str, run, times: int = 5) -> dict[str, float]:
    """Median wall seconds and CPU seconds of a call."""
    walls, spent = [], []
    for _ in range(times):
        started, before = time.perf_counter(), time.process_time()
        run()
        walls.append(time.perf_counter() - started)
        spent.append(time.process_time() - before)
    return {f"{name} s": round(statistics.median(walls), 3),
            f"{name} CPU s": round(statistics.median(spent), 3)}  # fmt: skip


def replace_month(home: Path, memory: str, n_months: int) -> dict[str, object]:
    """The middle month anew: its rows exchanged; and from readable ids, keys and sorting included."""
    from warehouse import derive, store

    connection = opened(home, memory)
    n = n_months // 2
    values = fact_values(n)
    connection.execute("CREATE TEMP TABLE ready AS FROM internal.observation_fact WHERE period = ?",
                       [values["period"]])  # fmt: skip
    connection.execute(BASE, base_values())
    connection.execute(VINTAGES, values)
    connection.execute("DROP TABLE base")
    derive.mark_affected(connection, [months(n + 1)[-1]])

    def exchange() -> None:
        connection.execute("BEGIN")
        connection.execute(
            "DELETE FROM internal.observation_fact WHERE period = ?", [values["period"]]
        )
        connection.execute("INSERT INTO internal.observation_fact FROM ready")
        connection.execute("COMMIT")

    def keep() -> None:
        connection.execute("BEGIN")
        store.run_script(connection, "observations__keep")
        connection.execute("COMMIT")

    said = timed("rows exchanged", exchange) | timed("from readable ids", keep)
    connection.execute("DELETE FROM internal.affected_period")
    connection.execute("CHECKPOINT")
    return said


def look(home: Path, memory: str, n_months: int) -> dict[str, object]:
    """Figures of the last year as of a moment; one series; one month."""
    connection = opened(home, memory)
    last = months(n_months)[-1]
    known = months(n_months)[max(0, n_months - 2)]  # the last month arrives after the year's end
    asof = f"{last[:4]}-12-31"
    where = (
        f"known_from <= TIMESTAMP '{asof}' AND (known_to IS NULL OR known_to > TIMESTAMP '{asof}')"
    )
    year = f"period BETWEEN '{last[:4]}-01' AND '{last[:4]}-12' AND {where}"
    totals = "SELECT indicator_id, period, count(*), sum(value)"
    queries = {
        "as of, totals of a year": f"{totals} FROM observations.observation WHERE {year} GROUP BY ALL",
        "as of, rows of a year": "SELECT count(*), sum(value), count(park_id), min(measure) "
        f"FROM observations.observation WHERE {year}",
        "as of, rows of a month": f"FROM observations.observation WHERE period = '{known}' AND {where}",
        "one series": "FROM observations.observation WHERE park_id = 'P07500' AND indicator_id = 'I07'",
    }
    said: dict[str, object] = {}
    for name, sql in queries.items():
        said |= timed(
            name, lambda sql=sql: connection.execute(f"CREATE OR REPLACE TEMP TABLE seen AS {sql}")
        )
    return said


def rebuild(home: Path, memory: str, n_months: int) -> dict[str, object]:
    """Every park-month, then every park-year, through the product's models; one transaction each."""
    from warehouse import derive

    connection = opened(home, memory)
    known = indicators(home).known_indicators
    said: dict[str, object] = {}
    for name in ("park_month", "park_year"):
        connection.execute(f"DELETE FROM indicators.{name}")
    connection.execute("CHECKPOINT")
    for name, run in {
        "all park-months s": lambda: derive.refresh_park_month(
            connection, known, asof=MOMENT, first_month=1
        ),
        "all park-years s": lambda: derive.refresh_park_year(
            connection, months(n_months)[-1], each_month=False
        ),
    }.items():
        started, before = time.perf_counter(), time.process_time()
        connection.execute("BEGIN")
        if name == "all park-months s":
            derive.mark_affected(connection, months(n_months))
        run()
        connection.execute("COMMIT")
        said[name] = round(time.perf_counter() - started, 2)
        said[name.replace(" s", " CPU s")] = round(time.process_time() - before, 2)
    for name in ("park_month", "park_year"):
        (said[f"{name} rows"],) = connection.execute(
            f"SELECT count(*) FROM indicators.{name}"
        ).fetchone()
    connection.execute("CHECKPOINT")
    said["file MB"] = round((home / "warehouse.duckdb").stat().st_size / 1e6)
    return said


def month(home: Path, memory: str, n_months: int) -> dict[str, object]:
    """What one month costs once everything is there: the last one derived anew."""
    from warehouse import derive

    connection = opened(home, memory)
    known = indicators(home).known_indicators
    last = months(n_months)[-1]
    started, before = time.perf_counter(), time.process_time()
    for name in ("affected_period", "affected_asof"):
        connection.execute(f"DELETE FROM internal.{name}")
    connection.execute("BEGIN")
    derive.mark_affected(connection, [last])
    derive.refresh_park_month(connection, known, asof=MOMENT, first_month=1)
    between, used = time.perf_counter(), time.process_time()
    derive.refresh_park_year(connection, last, each_month=False)
    connection.execute("COMMIT")
    return {"park-months of the last month s": round(between - started, 2),
            "park-months of the last month CPU s": round(used - before, 2),
            "park-year of the last month s": round(time.perf_counter() - between, 2),
            "park-year of the last month CPU s": round(time.process_time() - used, 2)}  # fmt: skip


RANKS = """
CREATE OR REPLACE TEMP TABLE ranked AS
SELECT park_id, indicator_id, value, yoy_pct,
       rank() OVER (PARTITION BY indicator_id ORDER BY value DESC) AS national,
       rank() OVER (PARTITION BY indicator_id, province_code ORDER BY value DESC) AS provincial
FROM indicators.park_year JOIN dims.park USING (park_id)
WHERE asof_period = $1
"""


def ranks(home: Path, memory: str, n_months: int) -> dict[str, object]:
    """Ranks of every park in every indicator, in the country and in its province."""
    connection = opened(home, memory)
    last = months(n_months)[-1]
    return timed("ranks of a month", lambda: connection.execute(RANKS, [last]), 3)


PARTS = {
    "load": load,
    "replace": replace_month,
    "look": look,
    "rebuild": rebuild,
    "month": month,
    "ranks": ranks,
}


def part(what: str, home: str, memory: str, n_months: str) -> dict[str, object]:
    """One part, with its whole cost."""
    started = time.perf_counter()
    said = PARTS[what](Path(home), memory, int(n_months))
    used = resource.getrusage(resource.RUSAGE_SELF)
    return said | {
        "wall s": round(time.perf_counter() - started, 2),
        "CPU s": round(used.ru_utime + used.ru_stime, 2),
        "peak MiB": peak_mib(),
    }


def peak_mib() -> int:
    """Highest memory of this process (the kernel's VmHWM: ru_maxrss begins with the parent's)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0


def child(*words: object) -> dict:
    """Run one part in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.national", *map(str, words)],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def exponents(found: list[dict[str, dict]]) -> dict[str, float]:
    """Growth exponent of every time between the smallest and the largest size."""
    first, last = found[0], found[-1]
    size = math.log(last["load"]["facts"] / first["load"]["facts"])
    grown = {}
    for name, values in first.items():
        for what, value in values.items():
            other = last[name].get(what)
            if what.endswith(" s") and value and other and what != "wall s":
                grown[f"{name}: {what}"] = round(math.log(other / value) / size, 2)
    return grown


def main() -> None:
    """Command line: without words everything; ``PART HOME MEMORY MONTHS`` is one part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="*")
    parser.add_argument("--months", default="1,12,120")
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--parts", default=",".join(PARTS))
    told = parser.parse_args()
    if told.words:
        print(json.dumps(part(*told.words), ensure_ascii=False))
        return
    os.nice(10)
    folder = told.keep or Path(tempfile.mkdtemp(prefix="parkwatch-national-"))
    found = []
    for n_months in [int(n) for n in told.months.split(",")]:
        home = folder / f"m{n_months}"
        said: dict[str, dict] = {}
        for name in told.parts.split(","):
            if name == "load" and home.exists():
                continue
            said[name] = child(name, home, told.memory, n_months)
            print(json.dumps({name: said[name]}, ensure_ascii=False), flush=True)
        found.append(said)
        if told.keep is None:
            shutil.rmtree(home)
    if len(found) > 1 and "load" in found[0]:
        print(json.dumps({"exponents": exponents(found)}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
