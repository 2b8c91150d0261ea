"""Year-end nowcast of figures that may be negative (profit): differences on the unit's own scale.

Belongs here: the scale method and its error model. Does not belong here: figures that cannot be
negative (``nowcast``). **Experimental**: not validated on a real panel, so its intervals are never
called calibrated and lights do not follow them.

Ŷ = C_m + R_{t−1} + β·(C_m,t − C_m,t−1): last year's remainder, moved by what this year's months so far
are above last year's; errors are divided by the unit's size (mean absolute total of past years).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from methods.intervals import ErrorModel, fit_errors
from methods.nowcast import DEFAULT, METHODS, MONTHS, Forecast, Panel, Settings, Vintages
from methods.outlook import Outlook, certain, months_of, totals_known, unknown
from methods.seasonal_pace import Floats

BELIEF = 0.5
"""β believed without data, as a share of (12−m)/m: half of the lead is kept up."""
FIRMNESS = 5.0
"""How many unit-years of data the belief weighs."""


def may_be_negative(known: Panel) -> bool:
    """Whether any cumulative value of the panel is below zero."""
    return bool((known.ytd < 0).any())


def unit_size(known: Panel, settings: Settings = DEFAULT) -> Floats:
    """Mean absolute total of past years [U], at least a tenth of the median unit; NaN without any."""
    totals = np.abs(known.ytd[-settings.history - 1 : -1, MONTHS - 1])
    n = np.isfinite(totals).sum(axis=0)
    mean = np.where(n > 0, np.where(np.isfinite(totals), totals, 0).sum(axis=0), np.nan)
    size = mean / np.maximum(n, 1)
    seen = size[np.isfinite(size)]
    return np.asarray(np.maximum(size, 0.1 * float(np.median(seen)) if seen.size else 1.0))


def scale_nowcast(known: Panel, month: int, settings: Settings = DEFAULT) -> Forecast:
    """Forecasts of all units as of the last year of ``known``."""
    now = known.ytd[-1]
    done = now[month - 1]
    size = unit_size(known, settings)
    past = known.ytd[-settings.history - 1 :]
    so_far, total = past[:, month - 1], past[:, MONTHS - 1]
    left = total - so_far
    lead = np.diff(so_far, axis=0) / size
    change = np.diff(left, axis=0)[:-1] / size if len(past) > 2 else np.empty((0, done.size))
    carry = _carry(lead[:-1], change, month)
    point = done + left[-2] + carry * (done - so_far[-2]) if len(past) > 1 else done * np.nan
    method = np.where(np.isfinite(point), METHODS.index("difference"), 0).astype(np.int64)
    n_history = np.isfinite(total[:-1]).sum(axis=0).astype(np.int64)
    nothing = np.full_like(done, np.nan)
    return Forecast(point, method, n_history, nothing, nothing)


def _carry(lead: Floats, change: Floats, month: int) -> float:
    """β by least squares towards the belief, within 0 and (12−m)/m; deviations cut at 3 sizes."""
    most = (MONTHS - month) / month
    both = np.isfinite(lead) & np.isfinite(change)
    x = np.where(both, np.clip(lead, -3, 3), 0.0)
    y = np.where(both, np.clip(change, -3, 3), 0.0)
    spread = float((x * x).sum()) / max(int(both.sum()), 1)
    firm = FIRMNESS * max(spread, 1e-12)
    beta = (float((x * y).sum()) + firm * BELIEF * most) / (float((x * x).sum()) + firm)
    return min(max(beta, 0.0), most)


def scale_outlook(
    vintages: Vintages, year: int, month: int, settings: Settings = DEFAULT, *, newest: bool = False
) -> Outlook:
    """Outlook of one origin by the scale method; errors of the last years (``Settings.reach``), each
    forecast from what was known then. ``calibrated`` is False throughout."""
    known = vintages.now(year, month) if newest else vintages.at(year, month)
    if month == MONTHS:
        point = known.ytd[-1, MONTHS - 1]
        return Outlook(year, month, scale_nowcast(known, month, settings), certain(point))
    forecast = scale_nowcast(vintages.comparable(known, month), month, settings)
    first = max(known.years[0] + 1, year - settings.reach(len(known.keys)))
    years = list(range(first, year))
    if not years:
        return Outlook(year, month, forecast, unknown(forecast.point))
    stats = fit_errors(_past(vintages, known, years, settings))
    index = months_of(settings).index(month)
    model = ErrorModel(
        link="scale",
        center=forecast.point,
        scale=stats.spread[index] * stats.unit_scale * unit_size(known, settings),
        floor=np.full_like(forecast.point, -np.inf),
        residuals=stats.residuals[:, index, :],
        shock_scale=float(stats.shock_scale[index]),
        dof=stats.dof,
        calibrated=np.zeros(forecast.point.size, dtype=bool),
    )
    return Outlook(year, month, forecast, model)


def _past(vintages: Vintages, known: Panel, years: Sequence[int], settings: Settings) -> Floats:
    """Errors over size, [W, M, U]."""
    months = months_of(settings)
    totals = totals_known(known, years)
    errors = np.full((len(years), len(months), totals.shape[1]), np.nan)
    for i, year in enumerate(years):
        for j, month in enumerate(months):
            then = vintages.comparable(vintages.at(year, month), month)
            made = scale_nowcast(then, month, settings).point
            errors[i, j] = (totals[i] - made) / unit_size(then, settings)
    return errors
