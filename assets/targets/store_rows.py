"""Stage 4 into the warehouse: figures in, verdict rows out.

Belongs here: fetching what judging needs and storing what it gives. Does not belong here: judging
(``judge``, ``measures``) or Dagster (``assets.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from assets.build import Build
from assets.submissions.values.units import Units
from assets.targets.evidence import Area, Evidence, Value, YearEnd
from assets.targets.judge import judge_all
from assets.targets.lights import with_chances
from assets.targets.requirement import Chance, Key, Requirement, requirements_of
from assets.targets.verdict import stored
from warehouse import store
from warehouse.catalog.models import period_end

if TYPE_CHECKING:
    import duckdb


Forecast = Callable[[Sequence[Requirement]], Mapping[Key, Chance]]
"""Answers what is asked of the year's end; requirements it cannot answer are left out."""


def judge(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    period: str,
    forecast: Forecast | None = None,
) -> int:
    """Replace the verdicts of ``period``; returns their number. Lights follow the pace where there
    is no ``forecast`` or it has no calibrated answer."""
    targets, evidence = list(build.catalog.targets), evidence_of(connection, build, period)
    by_id = {target.target_id: target for target in targets}
    rows = judge_all(targets, evidence)
    if forecast is not None:
        chances = forecast(requirements_of(rows, by_id, evidence))
        rows = with_chances(rows, chances, by_id, evidence.rule)
    return store.replace_rows(
        connection,
        "targets.verdict",
        [asdict(stored(row)) for row in rows],
        where="asof_period = ?",
        values=[period],
    )


def evidence_of(connection: duckdb.DuckDBPyConnection, build: Build, period: str) -> Evidence:
    """Everything known in the warehouse and the catalogue about ``period``, for the judge."""
    catalog, last_day = build.catalog, period_end(period)
    return Evidence(
        period=period,
        parks=catalog.parks_on(last_day),
        values=park_values(connection, period),
        documents={document.document_id: document for document in catalog.documents},
        indicators={indicator.indicator_id: indicator for indicator in catalog.indicators},
        convert=Units.from_mapping(catalog.units_mapping()).convert,
        areas=_areas(connection, period),
        history=_history(connection, period),
        regions={code: region.name for code, region in catalog.regions_on(last_day).items()},
    )


_VALUES = """
SELECT figure.*, indicator.unit
FROM indicators.park_year AS figure
JOIN dims.indicator AS indicator USING (indicator_id)
WHERE figure.asof_period = ?
"""
_AREAS = """
SELECT figure.*, indicator.unit
FROM indicators.area_year AS figure
JOIN dims.indicator AS indicator USING (indicator_id)
WHERE figure.asof_period = ?
"""


def park_values(connection: duckdb.DuckDBPyConnection, period: str) -> dict[tuple[str, str], Value]:
    """(park, indicator) → figure of the year as of ``period``, canonical unit."""
    names = ("value", "unit", "yoy_pct", "yoy_basis", "basis", "state", "n_months")
    return {
        (row["park_id"], row["indicator_id"]): Value(**{name: row[name] for name in names})
        for row in store.fetch(connection, _VALUES, [period])
    }


def _areas(connection: duckdb.DuckDBPyConnection, period: str) -> dict[tuple[str, str, str], Area]:
    names = ("value", "unit", "yoy_pct", "n_parks", "n_reported")
    return {
        (row["area_code"], row["indicator_id"], row["scope"]): Area(
            **{name: row[name] for name in names}
        )
        for row in store.fetch(connection, _AREAS, [period])
    }


def _history(connection: duckdb.DuckDBPyConnection, period: str) -> dict[int, YearEnd]:
    """Figures of the finished years before ``period``."""
    years = connection.execute(
        "SELECT DISTINCT year FROM indicators.park_year "
        "WHERE year < left(?, 4)::INTEGER AND right(asof_period, 2) = '12' ORDER BY year",
        [period],
    ).fetchall()
    return {
        year: YearEnd(park_values(connection, f"{year}-12"), _areas(connection, f"{year}-12"))
        for (year,) in years
    }
