"""Nowcast of 180,000 series at 11 origins: seconds, peak memory, and the same bits for any split.

Run: ``python -m bench.bench_nowcast [--parks 15000] [--indicators 12] [--threads 2]``. Figures go to
docs/methodology.md. Series are made up (seasonal, growing, common shocks): speed does not depend on
what they mean, and no accuracy is claimed from them.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import time

import numpy as np

from methods import intervals, nowcast, outlook
from methods.seasonal_pace import Floats

YEARS = 9
SETTINGS = nowcast.Settings(first_month=1)


def made_up(parks: int, indicator: int) -> nowcast.Vintages:
    """Cumulative series of one indicator over ``YEARS`` years."""
    rng = np.random.default_rng(indicator)
    season = rng.gamma(30.0, 1.0, (12, parks))
    growth = np.cumsum(rng.normal(0.06, 0.04, (YEARS, 1)) + rng.normal(0, 0.08, (YEARS, parks)), 0)
    flow = np.exp(growth)[:, None, :] * season[None] * rng.lognormal(0, 0.1, (YEARS, 12, parks))
    keys = [f"park{u:06d}" for u in range(parks)]
    classes = [f"class{u % 20:02d}" for u in range(parks)]
    return nowcast.Vintages(nowcast.panel(keys, classes, 2012, np.cumsum(flow, axis=1)))


def forecast_year(vintages: nowcast.Vintages, threads: int) -> tuple[Floats, Floats]:
    """Points and quantiles of the last year at its origins, errors of W past years included."""
    year = vintages.first.years[-1]
    past = range(year - SETTINGS.error_years, year)
    record = outlook.make_record(vintages, past, SETTINGS, threads)
    points, tables = [], []
    for found in outlook.outlooks(vintages, year, record.months, record, SETTINGS):
        points.append(found.forecast.point)
        tables.append(intervals.quantiles(found.model))
    return np.stack(points), np.stack(tables)


def digest(values: Floats) -> str:
    """First digits of the SHA-256 of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


def same_bits(parks: int) -> bool:
    """Whether another order of the units and a split into parts give the same bits."""
    vintages = made_up(parks, 0)
    base = vintages.first
    year = base.years[-1]
    known = vintages.at(year, 6)
    whole = nowcast.nowcast(known, 6, SETTINGS).point
    mixed = np.random.default_rng(3).permutation(parks)
    other = nowcast.panel(
        [base.keys[u] for u in mixed],
        [base.classes[base.codes[u]] for u in mixed],
        base.years[0],
        base.ytd[:, :, mixed],
    )
    again = nowcast.nowcast(nowcast.Vintages(other).at(year, 6), 6, SETTINGS).point
    fit = nowcast.fit_origin(known, 6, SETTINGS)
    parts = [
        nowcast.predict(fit, known.ytd[:, :, part], known.codes[part], SETTINGS).point
        for part in np.array_split(np.arange(parks), 7)
    ]
    return digest(whole) == digest(again) == digest(np.concatenate(parts))


def main() -> None:
    """Print one line of figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parks", type=int, default=15_000)
    parser.add_argument("--indicators", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    panels = [made_up(options.parks, i) for i in range(options.indicators)]
    started, worked = time.perf_counter(), time.process_time()
    point_only = 0.0
    digests = []
    for vintages in panels:
        begun = time.perf_counter()
        year = vintages.first.years[-1]
        outlook.make_record(vintages, [year], SETTINGS, options.threads)
        point_only += time.perf_counter() - begun
        points, tables = forecast_year(vintages, options.threads)
        digests.append(digest(points) + digest(tables))
    total, processor = time.perf_counter() - started, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    series = options.parks * options.indicators
    print(
        f"series {series} x 11 origins, {options.threads} threads: points {point_only:.1f} s; points, "
        f"errors of {SETTINGS.error_years} past years and 7 quantiles {total - point_only:.1f} s; "
        f"processor time of both {processor:.1f} s; "
        f"peak {peak:.0f} MB; digest {hashlib.sha256(''.join(digests).encode()).hexdigest()[:16]}; "
        f"same bits in another order and in 7 parts: {same_bits(options.parks)}"
    )


if __name__ == "__main__":
    main()
