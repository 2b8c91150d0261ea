"""Made-up panels of cumulative values: own seasonality, growth, a common shock each year, noise.

Belongs here: panels and the outlook of one origin. Does not belong here: expectations.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from methods import nowcast
from methods import outlook as ol


def made_up(units: int = 40, years: int = 8, seed: int = 7) -> nowcast.Vintages:
    """Units of three classes, 2010 on, all months known."""
    rng = np.random.default_rng(seed)
    season = rng.dirichlet(np.full(12, 30.0), size=units).T
    level = np.exp(rng.normal(3, 1, units))
    growth = np.cumsum(rng.normal(0.06, 0.05, (years, 1)) + rng.normal(0, 0.08, (years, units)), 0)
    noise = np.exp(rng.normal(0, 0.1, (years, 12, units)))
    flow = level * np.exp(growth)[:, None, :] * season[None] * noise
    keys = [f"u{u:03d}" for u in range(units)]
    classes = [f"c{u % 3}" for u in range(units)]
    return nowcast.Vintages(nowcast.panel(keys, classes, 2010, np.cumsum(flow, axis=1)))


def write_csv(path: Path, *, cumulative: bool = False, january: bool = True) -> Path:
    """A made-up panel as a CSV file: unit, class, period, value."""
    base = made_up(units=24, years=6).first
    flow = np.diff(base.ytd, axis=1, prepend=0.0)
    lines = ["unit,class,period,value"]
    for u, key in enumerate(base.keys):
        for y, year in enumerate(base.years):
            for m in range(0 if january else 1, 12):
                value = base.ytd[y, m, u] if cumulative else flow[y, m, u]
                if not (january or cumulative) and m == 1:
                    value += flow[y, 0, u]
                lines.append(f"{key},{base.classes[base.codes[u]]},{year}-{m + 1:02d},{value:.10f}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def outlook_at(vintages: nowcast.Vintages, year: int, month: int, record: ol.Record) -> ol.Outlook:
    """The outlook of one origin alone."""
    return next(ol.outlooks(vintages, year, [month], record))
