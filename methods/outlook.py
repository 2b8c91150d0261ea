"""Nowcast and error model together, from stored vintages: what a month's figures say of the year.

Belongs here: the record of past forecasts of a panel (each made from what was known then), their
errors, and the outlook of one origin with its error model. Does not belong here: the forecast itself
(``nowcast``), the shape of errors (``intervals``), scores of whole panels (``backtest``), tables.

Nothing here looks at the year being forecast or later ones except through ``Vintages.at``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from methods.intervals import (
    ErrorModel,
    ErrorStats,
    error_model,
    fit_errors,
    standard_curve,
    total_model,
)
from methods.nowcast import DEFAULT, METHODS, MONTHS, Forecast, Panel, Settings, Vintages, nowcast
from methods.seasonal_pace import Bools, Floats, Ints

MIDDLE = 0.8
"""Central share of errors by which new units are scaled."""


@dataclass(frozen=True, slots=True)
class Record:
    """Forecasts made at past origins: ``point``, ``by_class`` (share of the class only) and ``done``
    (year to date as known then), each [years, months, U]."""

    years: tuple[int, ...]
    months: tuple[int, ...]
    point: Floats
    by_class: Floats
    done: Floats

    def of(self, years: Sequence[int]) -> Record:
        """The record of some of its years."""
        index = [self.years.index(year) for year in years]
        return Record(
            tuple(years), self.months, self.point[index], self.by_class[index], self.done[index]
        )


@dataclass(frozen=True, slots=True)
class Outlook:
    """One origin: its forecast and the error model around it, units in the panel's order."""

    year: int
    month: int
    forecast: Forecast
    model: ErrorModel


def months_of(settings: Settings) -> tuple[int, ...]:
    """Origins within a year: first month with a figure to November."""
    return tuple(range(settings.first_month, MONTHS))


def make_record(
    vintages: Vintages, years: Sequence[int], settings: Settings = DEFAULT, workers: int = 1
) -> Record:
    """Forecasts at every month of ``years``, each from what was known at its own origin.

    Origins are independent; ``workers`` threads change the time taken and nothing else.
    """
    months = months_of(settings)
    size = len(vintages.first.keys)
    shape = (len(years), len(months), size)
    record = Record(tuple(years), months, *(np.full(shape, np.nan) for _ in range(3)))

    def fill(place: tuple[int, int]) -> None:
        i, j = place
        known = vintages.at(record.years[i], months[j])
        forecast = nowcast(vintages.comparable(known, months[j]), months[j], settings)
        record.point[i, j], record.by_class[i, j] = forecast.point, forecast.by_class
        record.done[i, j] = known.ytd[-1, months[j] - 1]

    places = list(product(range(len(years)), range(len(months))))
    if workers == 1:
        for place in places:
            fill(place)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(fill, places))
    return record


def totals_known(known: Panel, years: Sequence[int]) -> Floats:
    """Complete totals of past ``years`` as ``known`` at its origin, [years, U]; ValueError when a
    year is not over there (no outcome of the year being forecast, nor of later ones)."""
    if any(year >= known.years[-1] for year in years):
        raise ValueError(f"outcomes of {max(years)} are not known in {known.years[-1]}")
    return np.stack([known.ytd[known.year_index(year), MONTHS - 1] for year in years])


def log_errors(forecasts: Floats, totals: Floats) -> Floats:
    """log Y − log Ŷ, [W, M, U] from forecasts [W, M, U] and totals [W, U]; NaN unless both > 0."""
    truth = np.broadcast_to(totals[:, None, :], forecasts.shape)
    both = (truth > 0) & (forecasts > 0)
    ratio = np.where(both, truth, 1.0) / np.where(both, forecasts, 1.0)
    return np.where(both, np.log(ratio), np.nan)


@dataclass(frozen=True, slots=True)
class PastErrors:
    """Error statistics of the years before one year: ``own`` for units with a past, ``new`` [M] size
    of the central 80 % of errors of the class share, for units without; ``may_fall`` whether a past
    total ended below its year to date (revisions, corrections); ``totals`` the outcomes used."""

    own: ErrorStats
    new: Floats
    may_fall: bool
    totals: Floats


def past_errors(
    record: Record, known: Panel, settings: Settings = DEFAULT, before: PastErrors | None = None
) -> PastErrors | None:
    """Statistics of the last years (``Settings.reach``) before the year of ``known``; ``None`` without
    any past year in the record. ``before``: statistics of an earlier month of the same year, taken
    again when the outcomes of past years have not been revised since."""
    now = known.years[-1]
    reach = settings.reach(len(known.keys))
    years = [year for year in record.years if now - reach <= year < now]
    if not years:
        return None
    totals = totals_known(known, years)
    if before is not None and np.array_equal(before.totals, totals, equal_nan=True):
        return before
    part = record.of(years)
    new = np.abs(log_errors(part.by_class, totals))
    fallen = bool((totals[:, None, :] < part.done * (1 - 1e-9)).any())
    own = fit_errors(log_errors(part.point, totals))
    return PastErrors(own, _by_month(new, MIDDLE), fallen, totals)


def outlooks(
    vintages: Vintages,
    year: int,
    months: Sequence[int],
    record: Record,
    settings: Settings = DEFAULT,
    *,
    newest: bool = False,
) -> Iterator[Outlook]:
    """The outlooks of several months of a year, as if each had been made alone. ``newest``: with
    past figures in their newest version (the month under way) instead of the one known then."""
    past: PastErrors | None = None
    for month in months:
        known = vintages.now(year, month) if newest else vintages.at(year, month)
        forecast = nowcast(vintages.comparable(known, month), month, settings)
        past = past_errors(record, known, settings, past)
        model = model_of(forecast, known, month, record, past, settings)
        yield Outlook(year, month, forecast, model)


def model_of(
    forecast: Forecast,
    known: Panel,
    month: int,
    record: Record,
    past: PastErrors | None,
    settings: Settings = DEFAULT,
) -> ErrorModel:
    """Error model of a forecast made from ``known`` after ``month`` months."""
    done = known.ytd[-1, month - 1]
    if month == MONTHS:
        return certain(forecast.point)
    if past is None or past.own.n_years == 0:
        return unknown(forecast.point)
    index = record.months.index(month)
    cannot_fall = ~_ever_fell(known.ytd[-settings.history - 1 :]) & (not past.may_fall)
    floor = np.where(cannot_fall & np.isfinite(done), done, -np.inf)
    model = error_model(past.own, index, forecast.point, floor)
    return _scaled_for_new(model, past.new[index], forecast)


def _scaled_for_new(model: ErrorModel, new: float, forecast: Forecast) -> ErrorModel:
    """Units forecast by their class share get the spread such forecasts had, in the same shape."""
    curve = standard_curve(model)
    low, high = curve.quantile([(1 - MIDDLE) / 2, (1 + MIDDLE) / 2])
    width = max((high - low) / 2, 1e-9)
    by_class = forecast.method == METHODS.index("class_share")
    scale = np.where(by_class, new / width, model.scale)
    return replace(model, scale=scale, calibrated=model.calibrated & np.isfinite(scale))


def certain(point: Floats) -> ErrorModel:
    """Model of totals already reported: nothing is left open."""
    return ErrorModel(
        link="log",
        center=point,
        scale=np.zeros_like(point),
        floor=point,
        residuals=np.zeros((1, len(point))),
        shock_scale=0.0,
        dof=2,
        calibrated=np.isfinite(point),
    )


def unknown(point: Floats) -> ErrorModel:
    """Model of totals nobody can yet say anything about: no quantile, no probability."""
    nothing = np.full_like(point, np.nan)
    return replace(
        certain(point), scale=nothing, floor=-np.inf * np.ones_like(point),
        calibrated=np.zeros(len(point), dtype=bool),
    )  # fmt: skip


def _ever_fell(ytd: Floats) -> Bools:
    """Units [U] with a cumulative value below an earlier one of the same year."""
    return np.asarray((ytd < np.fmax.accumulate(ytd, axis=1)).any(axis=(0, 1)))


def _by_month(size: Floats, level: float) -> Floats:
    result = np.full(size.shape[1], np.nan)
    for month in range(size.shape[1]):
        seen = size[:, month][np.isfinite(size[:, month])]
        if seen.size:
            result[month] = np.quantile(seen, level)
    return result


# --- Totals of areas and classes ------------------------------------------------------------------


def sum_by(values: Floats, members: Sequence[Ints]) -> Floats:
    """Sums of ``values`` [..., U] over each of ``members`` (unit positions), [..., A]; NaN skipped."""
    filled = np.where(np.isfinite(values), values, 0.0)
    return np.stack([filled[..., index].sum(axis=-1) for index in members], axis=-1)


def total_outlook(
    forecast: Forecast,
    known: Panel,
    month: int,
    record: Record,
    members: Sequence[Ints],
    settings: Settings = DEFAULT,
) -> ErrorModel:
    """Model of totals: bottom-up sums of the units' forecasts, errors of the same sums in the past
    (units known at both ends of a past year only, so that scope does not look like error)."""
    now = known.years[-1]
    reach = settings.reach(len(known.keys))
    years = [year for year in record.years if now - reach <= year < now]
    center = sum_by(forecast.point, members)
    if not years or month == MONTHS:
        model = certain(center)
        return model if month == MONTHS else unknown(center)
    part = record.of(years)
    totals = np.broadcast_to(totals_known(known, years)[:, None, :], part.point.shape)
    both = np.isfinite(totals) & np.isfinite(part.point)
    truth = sum_by(np.where(both, totals, np.nan), members)
    made = sum_by(np.where(both, part.point, np.nan), members)
    usable = (truth > 0) & (made > 0)
    errors = np.where(
        usable, np.log(np.where(usable, truth, 1.0) / np.where(usable, made, 1.0)), np.nan
    )
    return total_model(center, errors, record.months.index(month))
