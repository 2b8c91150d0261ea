"""Stage 4 into the warehouse: figures in, verdict rows out.

Belongs here: fetching what judging needs and storing what it gives. Does not belong here: judging
(``judge``, ``measures``) or Dagster (``assets.py``).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from assets.build import Build
from assets.submissions.values.units import Units
from assets.targets.evidence import Area, Value, YearEnd
from assets.targets.judge import judge_park_targets
from warehouse import store
from warehouse.catalog.models import period_end

if TYPE_CHECKING:
    import duckdb


def judge(connection: duckdb.DuckDBPyConnection, build: Build, period: str) -> int:
    """Replace the verdicts of ``period``; returns their number."""
    catalog, last_day = build.catalog, period_end(period)
    rows = judge_park_targets(
        catalog.targets,
        catalog.parks_on(last_day),
        park_values(connection, period),
        period,
        documents={document.document_id: document for document in catalog.documents},
        indicators={indicator.indicator_id: indicator for indicator in catalog.indicators},
        convert=Units.from_mapping(catalog.units_mapping()).convert,
        areas=_areas(connection, period),
        history=_history(connection, period),
        regions={code: region.name for code, region in catalog.regions_on(last_day).items()},
    )
    return store.replace_rows(
        connection,
        "targets.verdict",
        [asdict(row) for row in rows],
        where="asof_period = ?",
        values=[period],
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
