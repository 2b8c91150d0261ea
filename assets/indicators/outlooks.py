"""Outlook of one indicator's parks at a report period: figures in, nowcast and error model out.

Belongs here: turning stored vintages into a panel over the register, choosing the method by the kind of
indicator, parks that have not reported the newest month. Does not belong here: the methods themselves
(``methods``), storing (``nowcast_rows``), targets or assessment, which take what this gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from methods.intervals import ErrorModel, standard_curve
from methods.nowcast import MONTHS, Forecast, Panel, Revisions, Settings, Vintages, panel
from methods.nowcast_scale import may_be_negative, scale_outlook
from methods.outlook import MIDDLE, Outlook, Record, make_record, outlooks
from methods.seasonal_pace import Bools, Floats, Ints
from warehouse import nowcast_input
from warehouse.catalog.models import period_end

if TYPE_CHECKING:
    import duckdb

    from assets.build import Build
    from warehouse.catalog.load import Catalog
    from warehouse.catalog.models import Indicator

MEASURE = {"ytd": "ytd", "sum": "month"}
"""Measure an indicator is forecast from, by how its months make a year. Others are not forecast."""


@dataclass(frozen=True, slots=True)
class IndicatorOutlook:
    """What is known at a period of an indicator's year ends; units are ``parks`` in this order.

    ``forecast`` and ``model`` per unit, made after ``origin`` months; ``month`` [U] the month its
    figures reach (0 = none this year, then nothing is forecast); ``known`` the panel as used, past
    years on this year's scope; ``record`` the forecasts of past years (empty for the scale method).
    """

    indicator_id: str
    year: int
    asof_month: int
    origin: int
    parks: tuple[str, ...]
    month: Ints
    forecast: Forecast
    model: ErrorModel
    known: Panel
    record: Record

    def index(self, parks: Sequence[str]) -> Ints:
        """Positions of ``parks``; KeyError for one that is not in the register."""
        place = {park: unit for unit, park in enumerate(self.parks)}
        return np.array([place[park] for park in parks], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Sight:
    """From where figures are looked at: the register and rules, when (UTC time), first month."""

    catalog: Catalog
    asof: str
    first_month: int


def sight_of(build: Build) -> Sight:
    """The point of view of a run."""
    return Sight(build.catalog, build.asof, build.workspace.first_month)


def is_forecast(indicator: Indicator) -> bool:
    """Whether the year's total of an indicator is forecast: reported flows that add up."""
    return indicator.kind == "flow" and indicator.over_time in MEASURE


def settings_of(build: Build) -> Settings:
    """Constants of the method in this workspace."""
    return Settings(first_month=build.workspace.first_month)


def indicator_outlook(
    connection: duckdb.DuckDBPyConnection, build: Build, indicator: Indicator, period: str
) -> IndicatorOutlook | None:
    """Outlook of ``indicator`` as known for ``period``; ``None`` where nothing is known of the year.

    Computed from stored vintages alone: the same figures give the same bits whenever it is asked.
    """
    settings = settings_of(build)
    year, month = int(period[:4]), int(period[5:7])
    reach = settings.reach(len(build.catalog.parks_in(period)))
    first_year = year - settings.history - reach
    vintages = vintages_of(connection, sight_of(build), indicator, period, first_year)
    if vintages is None:
        return None
    years = range(max(year - reach, vintages.first.years[0] + 1), year)
    known = vintages.now(year, month)
    reached = _last_months(known.ytd[-1])
    if not reached.any():
        return None
    negative = not indicator.non_negative and may_be_negative(known)
    record = make_record(vintages, [] if negative else list(years), settings)

    def at(last: int) -> Outlook:
        if negative:
            return scale_outlook(vintages, year, last, settings, newest=True)
        return next(outlooks(vintages, year, [last], record, settings, newest=True))

    main = at(int(reached.max()))
    for last in sorted(set(reached.tolist()) - {0, main.month}, reverse=True):
        main = _with_late(main, at(last), reached == last)
    return IndicatorOutlook(
        indicator_id=indicator.indicator_id,
        year=year,
        asof_month=month,
        origin=main.month,
        parks=known.keys,
        month=reached,
        forecast=main.forecast,
        model=main.model,
        known=vintages.comparable(known, main.month),
        record=record,
    )


def _last_months(year: Floats) -> Ints:
    """Last month with a known cumulative value, 0 without any."""
    months = np.arange(1, MONTHS + 1)[:, None]
    return np.asarray((np.isfinite(year) * months).max(axis=0), dtype=np.int64)


def _with_late(main: Outlook, late: Outlook, who: Bools) -> Outlook:
    """``main`` with the units ``who`` taken from an earlier month's outlook, their scale brought to
    the shape of the main month's errors (same central 80 %)."""

    def mixed(now: Floats, before: Floats) -> Floats:
        return np.where(who, before, now)

    widths = []
    for model in (main.model, late.model):
        low, high = standard_curve(model).quantile([(1 - MIDDLE) / 2, (1 + MIDDLE) / 2])
        widths.append(float(high - low))
    factor = widths[1] / widths[0] if widths[0] > 0 else 1.0
    made, then = main.forecast, late.forecast
    forecast = Forecast(
        point=mixed(made.point, then.point),
        method=np.where(who, then.method, made.method),
        n_history=np.where(who, then.n_history, made.n_history),
        share=mixed(made.share, then.share),
        by_class=mixed(made.by_class, then.by_class),
    )
    model = replace(
        main.model,
        center=mixed(main.model.center, late.model.center),
        scale=mixed(main.model.scale, late.model.scale * factor),
        floor=mixed(main.model.floor, late.model.floor),
        calibrated=np.where(who, late.model.calibrated, main.model.calibrated),
    )
    return replace(main, forecast=forecast, model=model)


# --- Panels from vintages -------------------------------------------------------------------------


def vintages_of(
    connection: duckdb.DuckDBPyConnection,
    sight: Sight,
    indicator: Indicator,
    period: str,
    first_year: int,
) -> Vintages | None:
    """Vintages of ``indicator`` over the parks of the register; ``None`` without any figure."""
    measure = MEASURE[indicator.over_time]

    def read(name: str) -> nowcast_input.Versions:
        return nowcast_input.versions(
            connection,
            indicator.indicator_id,
            name,
            period=period,
            first_year=first_year,
            asof=sight.asof,
        )

    found = read(measure)
    if not found.parks:
        return None
    parks = sight.catalog.parks_on(period_end(period))
    start = int(found.year.min())
    empty = np.full((int(period[:4]) - start + 1, MONTHS, len(parks)), np.nan)
    base = panel([p.park_id for p in parks], [p.class_id for p in parks], start, empty)
    singles = measure == "month"
    first, revisions = _filled(found, base)
    if singles and sight.first_month > 1:  # the first return holds January too
        first.ytd[:, 0] = np.where(np.isnan(first.ytd[:, 0]), 0.0, first.ytd[:, 0])
    if singles:
        return Vintages(first, revisions, singles)
    said, grown = (_filled(read(name), base)[0] for name in ("ytd_prior", "yoy_published"))
    return Vintages(first, revisions, prior=_prior(said.ytd, grown.ytd, first.ytd))


def _filled(found: nowcast_input.Versions, base: Panel) -> tuple[Panel, Revisions | None]:
    """First releases on the grid of ``base`` and what replaced them; parks outside it are left out."""
    place = {park: unit for unit, park in enumerate(base.keys)}
    unit_of = np.array([place.get(park, -1) for park in found.parks], dtype=np.int64)
    ytd = base.ytd.copy()
    if not found.parks:
        return replace(base, ytd=ytd), None
    unit = unit_of[found.unit]
    year = found.year.astype(np.int64) - base.years[0]
    month = found.month.astype(np.int64) - 1
    inside = (unit >= 0) & (year >= 0)
    first = inside & found.first
    ytd[year[first], month[first], unit[first]] = found.value[first]
    later = np.flatnonzero(inside & ~found.first)
    if not later.size:
        return replace(base, ytd=ytd), None
    order = later[np.argsort(found.known[later], kind="stable")]
    revisions = Revisions(
        known=found.known[order].astype(np.int64),
        year=year[order],
        month=month[order],
        unit=unit[order],
        value=found.value[order],
    )
    return replace(base, ytd=ytd), revisions


def _prior(said: Floats, grown: Floats, ytd: Floats) -> Floats:
    """Comparable year-to-date of the year before: as printed, else from the published growth."""
    implied = ytd / np.where(grown > -100, 1 + grown / 100, np.nan)
    return np.where(np.isfinite(said), said, implied)
