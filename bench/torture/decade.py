"""Ten years of months, one after the other: does a month cost more as the years go by, is anything lost?

    python -m bench.torture.decade [--since 2010-02] [--months 120] [--seed 1]

A bureau of three counties; every month each sends its return, and by chance one corrects an earlier month
of the last twelve. Each month is a whole run (``stages``) in a fork of a process that has everything
imported, so that its CPU seconds are those of the month's work. Beside each month of the last year the
same month of the first is run once more on what there was then, since other work on the machine makes
both dearer (a year has eleven months: January is not reported). At the end every file ever received is
laid in the inbox of an empty workspace and taken in by one run: cells, observations and park-months must
have the digests of the workspace that grew, and so must the year's and the areas' figures as of the last
month. A month of the last year may cost 1.3 times that of the first, and the files of the workspace may
be 1.3 times as large as growing evenly would make them. Ends with 1 when one of these fails.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.torture import forks, stages
from bench.torture.phases import forked

TABLES = ("submissions.cell", "observations.observation", "indicators.park_month")
AS_OF = ("indicators.park_year", "indicators.area_year")
CORRECTED = 0.3  # this process is forked: what imports DuckDB is imported in its forks only
MOST, YEAR = 1.3, 11


def delivered(home: Path, periods: list[str], seed: int) -> None:
    """The returns of the last of ``periods``, and by chance a correction of one of the year before."""
    from assets.submissions.archive import deliver
    from tests.support.bureau import COUNTIES, county_form

    period = periods[-1]
    chance = random.Random(f"{seed} {period}")
    year, month = divmod(int(period[:4]) * 12 + int(period[5:]), 12)
    when = datetime(year, month + 1, 8, tzinfo=UTC)
    for county, name in COUNTIES.items():
        data = county_form(county, period, 100 * int(period[5:]) + chance.randrange(50))
        deliver(home / "inbox", f"{name}{period}.xlsx", data, when, county)
    if len(periods) > 1 and chance.random() < CORRECTED:
        county, before = chance.choice(sorted(COUNTIES)), chance.choice(periods[-13:-1])
        data = county_form(county, before, 100 * int(before[5:]) + 50 + chance.randrange(50))
        deliver(
            home / "inbox", f"{COUNTIES[county]}{before}(更正{period}).xlsx", data, when, county
        )


def digests(home: Path, period: str) -> dict[str, str]:
    """Digests of the tables that come from the returns; of yearly figures those as of ``period``."""
    from warehouse import partitions
    from warehouse.store import Warehouse
    from warehouse.workspace import Bureau, Workspace

    workspace = Workspace(home=home, bureau=Bureau(name="", region_code=""))
    with Warehouse(workspace).reading() as connection:
        whole = {name: partitions.of_parts(connection, name).digest for name in TABLES}
        part = {name: partitions.of_parts(connection, name, [period]).digest for name in AS_OF}
    return whole | part


def size(home: Path) -> int:
    """Bytes of everything the workspace keeps, the inbox left out."""
    files = (p for p in home.rglob("*") if p.is_file() and home / "inbox" not in p.parents)
    return sum(path.stat().st_size for path in files)


def month(home: Path, period: str) -> tuple[float, float]:
    """Run a period; CPU seconds and the peak memory of it in MiB."""
    calls = stages.steps(period)

    def work() -> list[float]:
        stages.run(home, f"run of {period}", calls, period=period)
        own, readers = (
            resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        seconds = own.ru_utime + own.ru_stime + readers.ru_utime + readers.ru_stime
        return [seconds, own.ru_maxrss / 1024]

    seconds, memory = done(work)
    return seconds, memory


def done(work: Callable[[], Any]) -> Any:
    """What ``work`` gives in a fork. SystemExit when it fails."""
    code, said = forked(work)
    if code:
        raise SystemExit(f"a fork ended with {code}")
    return said


def made(home: Path) -> None:
    """The bureau's workspace, its parks and reporters there from the first month on."""
    from tests.support.bureau import CATALOG, make_home

    names = ("parks.csv", "reporters.csv")
    make_home(home, {name: CATALOG[name].replace("2017-01-01", "2010-01-01") for name in names})


def with_figures(home: Path) -> list[str]:
    """Periods that have an observation of every park and indicator."""
    from tests.support.bureau import PARKS
    from warehouse import store
    from warehouse.store import Warehouse
    from warehouse.workspace import Bureau, Workspace

    parks = sum(map(len, PARKS.values()))
    query = ("SELECT period FROM observations.observation GROUP BY period "
             "HAVING count(DISTINCT (park_id, indicator_id)) = ? ORDER BY period")  # fmt: skip
    with Warehouse(Workspace(home=home, bureau=Bureau(name="", region_code=""))).reading() as there:
        return [row["period"] for row in store.fetch(there, query, [2 * parks])]


def at_once(home: Path, target: Path) -> int:
    """Everything ever received into another inbox; how many files."""
    from bench.torture.replay import from_archive

    return from_archive(home, target)


def all_periods(since: str, count: int) -> list[str]:
    """Periods of the campaign."""
    from bench.torture.outage import months

    return [since, *months(since, count - 1)]


def campaign(folder: Path, periods: list[str], seed: int) -> bool:
    """All months, then all files at once; True when every promise held."""
    home, cost, sizes, ratios = folder / "start", list[float](), list[int](), list[float]()
    for number, period in enumerate(periods, start=1):
        done(lambda n=number: delivered(home, periods[:n], seed))
        if number <= YEAR:
            shutil.copytree(home, folder / f"month {number}", symlinks=True)
        seconds, memory = month(home, period)
        if number > max(YEAR, len(periods) - YEAR):
            first = (number - 1) % YEAR
            then, _ = month(folder / f"month {first + 1}", periods[first])
            ratios.append(seconds / then)
        cost.append(seconds)
        sizes.append(size(home))
        if number % YEAR == 0:
            print(
                f"month {number} ({period}): {statistics.median(cost[-YEAR:]):.2f} CPU s a month, "
                f"{memory:.0f} MiB of memory, {sizes[-1] / 2**20:.1f} MiB on disk",
                flush=True,
            )
    slower = statistics.median(ratios) if ratios else 1.0
    even = sizes[0] + (sizes[YEAR] - sizes[0]) / YEAR * (len(periods) - 1)
    larger = sizes[-1] / even
    print(f"a month of the last year against that of the first beside it: {slower:.2f} times the CPU "
          f"time ({min(ratios, default=1):.2f} to {max(ratios, default=1):.2f}); "
          f"size against growing evenly: {larger:.2f}")  # fmt: skip
    fresh = folder / "at once"
    n_files = done(lambda: made(fresh) or at_once(home, fresh))
    seconds, _ = month(fresh, periods[-1])
    grown, once = (done(lambda h=h: digests(h, periods[-1])) for h in (home, fresh))
    print(f"{n_files} files at once: {seconds:.1f} CPU s, digests equal: "
          f"{ {name: once[name] == grown[name] for name in grown} }")  # fmt: skip
    full = done(lambda: with_figures(home)) == periods
    print(f"every month has every figure: {full}")
    return slower <= MOST and larger <= MOST and grown == once and full


def warmed(folder: Path, period: str, seed: int) -> None:
    """Everything a run imports, in this process."""
    from assets.bulletins import fonts

    copy = folder / "warm"
    done(lambda: made(copy) or delivered(copy, [period], seed))
    forks.warm(copy)
    fonts.covered(fonts.choose())


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--since", default="2010-02")
    parser.add_argument("--months", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    periods = done(lambda: all_periods(said.since, said.months))
    print(f"seed {said.seed}, {periods[0]} to {periods[-1]}", flush=True)
    with tempfile.TemporaryDirectory(prefix="parkwatch-decade-") as name:
        folder = Path(name)
        done(lambda: made(folder / "start"))
        warmed(folder, said.since, said.seed)
        return 0 if campaign(folder, periods, said.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
