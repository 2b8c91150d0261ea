"""Nowcasts into the warehouse: the table of a period, the log of what was said, the track record.

Belongs here: storing forecasts and their scores. Does not belong here: making them (``outlooks``,
``methods``) or what follows from them (targets, assessment).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from assets.indicators.outlooks import (
    IndicatorOutlook,
    indicator_outlook,
    is_forecast,
    settings_of,
    sight_of,
    vintages_of,
)
from methods.backtest import Result, backtest
from methods.intervals import PUBLISHED, quantiles
from methods.nowcast import METHODS, MONTHS, Settings
from methods.nowcast_scale import may_be_negative
from methods.outlook import total_outlook
from warehouse import nowcast_input

if TYPE_CHECKING:
    import duckdb

    from assets.build import Build

RECORD_YEARS = 3
"""Closed years a track record is made of."""


def refresh_nowcast(
    connection: duckdb.DuckDBPyConnection, build: Build, period: str
) -> dict[str, IndicatorOutlook]:
    """Replace the nowcasts of ``period`` and keep them in the log; returns them by indicator."""
    connection.execute("DELETE FROM indicators.nowcast WHERE asof_period = ?", [period])
    connection.execute("DELETE FROM indicators.area_nowcast WHERE asof_period = ?", [period])
    areas = _areas(build, period)
    found = {}
    forecast = [indicator for indicator in build.catalog.indicators if is_forecast(indicator)]
    for done, indicator in enumerate(forecast):
        build.progress("推算全年", done, len(forecast))
        outlook = indicator_outlook(connection, build, indicator, period)
        if outlook is not None:
            found[indicator.indicator_id] = outlook
            nowcast_input.write_columns(connection, "indicators.nowcast", columns(outlook, period))
            sums = area_columns(outlook, period, areas, settings_of(build))
            if sums:
                nowcast_input.write_columns(connection, "indicators.area_nowcast", sums)
    nowcast_input.keep_log(connection, period, build.asof)
    return found


def columns(outlook: IndicatorOutlook, period: str) -> dict[str, Any]:
    """Columns of ``indicators.nowcast``: parks with figures this year whose total is still open."""
    forecast, model = outlook.forecast, outlook.model
    done = METHODS.index("reported")
    rows = np.flatnonzero((forecast.method != 0) & (forecast.method != done) & (outlook.month > 0))
    n = rows.size
    table = quantiles(model)[:, rows]
    named = {f"p{round(100 * level):02d}": table[i] for i, level in enumerate(PUBLISHED)}
    return {
        "park_id": [outlook.parks[row] for row in rows],
        "indicator_id": [outlook.indicator_id] * n,
        "year": np.full(n, outlook.year, dtype=np.int32),
        "asof_period": [period] * n,
        **named,
        "point": forecast.point[rows],
        "method": [METHODS[code] for code in forecast.method[rows]],
        "n_history": forecast.n_history[rows].astype(np.int32),
        "calibrated": model.calibrated[rows],
        "scale": model.scale[rows],
        "seasonal_pct": 100 * forecast.share[rows],
        "last_period": [f"{outlook.year}-{month:02d}" for month in outlook.month[rows]],
    }


def _areas(build: Build, period: str) -> dict[str, list[str]]:
    """Parks of every province, city and county on the period's last day; a 飞地 park counts in its
    home county, as in the totals."""
    found: dict[str, list[str]] = {}
    for park in build.catalog.parks_in(period):
        county = park.home_county_code or park.county_code
        for code in {park.province_code, park.city_code, county} - {None, ""}:
            found.setdefault(str(code), []).append(park.park_id)
    return dict(sorted(found.items()))


def area_columns(
    outlook: IndicatorOutlook, period: str, areas: Mapping[str, Sequence[str]], settings: Settings
) -> dict[str, Any]:
    """Columns of ``indicators.area_nowcast``: sums of parks whose year can be forecast, bottom-up, with
    the errors of the same sums in past years. Areas nothing can be said of have no row."""
    known = np.isfinite(outlook.model.scale) & np.isfinite(outlook.model.center)
    place = {park: unit for unit, park in enumerate(outlook.parks)}
    members = {
        code: units
        for code, parks in areas.items()
        if (
            units := np.array(
                [place[park] for park in parks if park in place and known[place[park]]],
                dtype=np.int64,
            )
        ).size
    }
    if not members or outlook.origin == MONTHS or not outlook.record.years:
        return {}
    model = total_outlook(
        outlook.forecast,
        outlook.known,
        outlook.origin,
        outlook.record,
        [*members.values()],
        settings,
    )
    table = quantiles(model)
    rows = np.flatnonzero(np.isfinite(table).all(axis=0))
    codes, n = [*members], rows.size
    named = {f"p{round(100 * level):02d}": table[i, rows] for i, level in enumerate(PUBLISHED)}
    return {
        "area_code": [codes[row] for row in rows],
        "indicator_id": [outlook.indicator_id] * n,
        "year": np.full(n, outlook.year, dtype=np.int32),
        "asof_period": [period] * n,
        **named,
        "point": model.center[rows],
        "n_parks": np.array([members[codes[row]].size for row in rows], dtype=np.int32),
        "calibrated": model.calibrated[rows],
    }


def refresh_track_record(connection: duckdb.DuckDBPyConnection, build: Build, period: str) -> None:
    """Replace the record of the closed years before ``period``'s year, replayed from the vintages.

    Computed anew when a figure of those years has changed or the year is new; else left as it is.
    """
    year = int(period[:4])
    if not nowcast_input.record_is_due(connection, year):
        return
    connection.execute("DELETE FROM indicators.track_record WHERE year = ?", [year])
    settings = settings_of(build)
    reach = settings.reach(len(build.catalog.parks_in(f"{year - 1}-12")))
    first = year - settings.history - reach - RECORD_YEARS
    for indicator in build.catalog.indicators:
        if not is_forecast(indicator):
            continue
        vintages = vintages_of(connection, sight_of(build), indicator, f"{year - 1}-12", first)
        if vintages is None or may_be_negative(vintages.now(year - 1, MONTHS)):
            continue
        try:
            result = backtest(vintages, settings, last_years=RECORD_YEARS)
        except ValueError:  # too few closed years for any record
            continue
        nowcast_input.write_columns(
            connection,
            "indicators.track_record",
            record_columns(result, indicator.indicator_id, year),
        )


def record_columns(result: Result, indicator_id: str, year: int) -> dict[str, Any]:
    """Columns of ``indicators.track_record``: one row a month."""
    months = result.by_month
    skills = {skill.month: skill for skill in result.skills if skill.kind == "growth"}
    n = len(months)
    return {
        "indicator_id": [indicator_id] * n,
        "year": np.full(n, year, dtype=np.int32),
        "month": np.array([month.month for month in months], dtype=np.int32),
        "n_years": np.full(n, len(result.years), dtype=np.int32),
        "n_forecasts": np.array([month.n for month in months], dtype=np.int32),
        **{
            f"covered_{percent}": [100 * month.covered[percent] for month in months]
            for percent in (80, 90, 95)
        },
        "mape": [month.mape["median3"] for month in months],
        "mape_calendar": [month.mape["calendar"] for month in months],
        "mape_last_year": [month.mape["last_year"] for month in months],
        "brier": [skills[month.month].brier for month in months],
        "brier_calendar": [skills[month.month].brier_calendar for month in months],
        "skill_calendar": [skills[month.month].skill_calendar for month in months],
        "skill_climatology": [skills[month.month].skill_climatology for month in months],
        "calibration_error": [skills[month.month].ece for month in months],
    }
