"""Stage 4 into the warehouse: figures in, verdict rows out.

Belongs here: fetching what judging needs and storing what it gives. Does not belong here: judging
(``judge``, ``measures``) or Dagster (``assets.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from assets.build import Build
from assets.submissions.values.units import Units
from assets.targets.evidence import Area, Evidence, Value, YearEnd, with_inputs
from assets.targets.inputs import Inputs, Known, accepted
from assets.targets.judge import judge_all
from assets.targets.lights import with_chances
from assets.targets.overall import overall
from assets.targets.reference import reference_rows
from assets.targets.requirement import Chance, Key, Requirement, requirements_of
from assets.targets.rule import light_rule, rule_in_use
from assets.targets.verdict import stored
from warehouse import store
from warehouse.catalog.inputs import FOLDER, read_inputs
from warehouse.catalog.models import period_end
from warehouse.ticks import recorded

if TYPE_CHECKING:
    import duckdb

    from warehouse.catalog.load import Catalog
    from warehouse.catalog.models import Region

Forecast = Callable[[Sequence[Requirement]], Mapping[Key, Chance]]
"""Answers what is asked of the year's end; requirements it cannot answer are left out."""


def enter(connection: duckdb.DuckDBPyConnection, build: Build) -> int:
    """Replace ``targets.input`` by what the input files and the ledger of findings hold now."""
    inputs = inputs_of(build)
    rows = [*inputs.rows, *inputs.refused]
    rows.sort(key=lambda row: (row.file, row.line))
    stored_rows = [{**asdict(row), "scope": row.list, "figure_period": row.period} for row in rows]
    return store.replace_rows(connection, "targets.input", stored_rows)


def inputs_of(build: Build) -> Inputs:
    """Entered rows of the workspace, checked against its catalogue."""
    rows = read_inputs(build.workspace.catalog / FOLDER)
    rows += recorded(build.workspace.state_file)
    return accepted(rows, known_of(build.catalog))


def known_of(catalog: Catalog) -> Known:
    """What entered rows are checked against."""
    return Known(
        indicators={indicator.indicator_id: indicator for indicator in catalog.indicators},
        targets={target.target_id: target for target in catalog.targets},
        regions={region.code: region.name for region in catalog.regions},
        parents={region.code: region.parent for region in catalog.regions},
        parks=frozenset(park.park_id for park in catalog.parks),
        convert=Units.from_mapping(catalog.units_mapping()).convert,
    )


def judge(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    period: str,
    forecast: Forecast | None = None,
) -> int:
    """Replace the verdicts of ``period`` with their overall lights and reference methods; returns
    the number of verdicts. Lights follow the pace where there is no ``forecast`` or it has no
    calibrated answer."""
    targets, evidence = list(build.catalog.targets), evidence_of(connection, build, period)
    by_id = {target.target_id: target for target in targets}
    rows = judge_all(targets, evidence)
    if forecast is not None:
        asked = requirements_of(rows, by_id, evidence)
        milestones = frozenset(one.key for one in asked if one.milestone)
        rows = with_chances(rows, forecast(asked), by_id, evidence.rule, milestones)
    _keep(connection, "targets.verdict", [stored(row) for row in rows], period)
    lights = overall(rows, by_id, evidence.documents, build.catalog.conflicts)
    _keep(connection, "targets.overall", lights, period)
    methods = reference_rows(
        rows, by_id, evidence, [light_rule(item) for item in build.catalog.light_rules]
    )
    _keep(connection, "targets.reference_method", methods, period)
    return len(rows)


def _keep(
    connection: duckdb.DuckDBPyConnection, full_name: str, rows: Sequence[Any], period: str
) -> None:
    values = [asdict(row) for row in rows]
    store.replace_rows(connection, full_name, values, where="asof_period = ?", values=[period])


def evidence_of(connection: duckdb.DuckDBPyConnection, build: Build, period: str) -> Evidence:
    """Everything known in the warehouse and the catalogue about ``period``, for the judge."""
    catalog, last_day = build.catalog, period_end(period)
    regions = catalog.regions_on(last_day)
    evidence = Evidence(
        period=period,
        parks=catalog.parks_on(last_day),
        values=park_values(connection, period),
        documents={document.document_id: document for document in catalog.documents},
        indicators={indicator.indicator_id: indicator for indicator in catalog.indicators},
        convert=Units.from_mapping(catalog.units_mapping()).convert,
        rule=rule_in_use(catalog.light_rules),
        areas=_areas(connection, period),
        history=_history(connection, catalog, period),
        regions={code: region.name for code, region in regions.items()},
        counties=_counties(regions),
    )
    return with_inputs(evidence, inputs_of(build))


def _counties(regions: Mapping[str, Region]) -> dict[str, tuple[str, ...]]:
    """Codes of the counties of every area, from the register of divisions."""
    found: dict[str, list[str]] = {}
    for code in sorted(regions):
        above = regions[code].parent if regions[code].level == "county" else None
        while above is not None and code not in found.get(above, []):
            found.setdefault(above, []).append(code)
            above = regions[above].parent if above in regions else None
    return {area: tuple(codes) for area, codes in found.items()}


_VALUES = """
SELECT figure.park_id, figure.indicator_id,
    figure.value::VARCHAR, indicator.unit, figure.yoy_pct::VARCHAR,
    figure.yoy_basis, figure.basis, figure.state, figure.n_months
FROM indicators.park_year AS figure
JOIN dims.indicator AS indicator USING (indicator_id)
WHERE figure.asof_period = ? AND figure.origin <> 'entered'
ORDER BY figure.park_id, figure.indicator_id
"""
_AREAS = """
SELECT figure.*, indicator.unit
FROM indicators.area_year AS figure
JOIN dims.indicator AS indicator USING (indicator_id)
WHERE figure.asof_period = ? AND figure.origin <> 'entered'
"""


def park_values(connection: duckdb.DuckDBPyConnection, period: str) -> dict[tuple[str, str], Value]:
    """(park, indicator) → figure of the year as of ``period``, canonical unit.

    Figures come as text and in columns: DuckDB takes twice as long to make the same decimals."""
    table = connection.execute(_VALUES, [period]).to_arrow_table()
    parks, indicators, values, units, growth, *rest = (c.to_pylist() for c in table.columns)
    figures = map(Value, _decimals(values), units, _decimals(growth), *rest)
    return dict(zip(zip(parks, indicators, strict=True), figures, strict=True))


def _decimals(texts: Sequence[str | None]) -> list[Decimal | None]:
    return [None if text is None else Decimal(text) for text in texts]


def _areas(connection: duckdb.DuckDBPyConnection, period: str) -> dict[tuple[str, str, str], Area]:
    names = ("value", "unit", "yoy_pct", "n_parks", "n_reported")
    return {
        (row["area_code"], row["indicator_id"], row["scope"]): Area(
            **{name: row[name] for name in names}
        )
        for row in store.fetch(connection, _AREAS, [period])
    }


def _history(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, period: str
) -> dict[int, YearEnd]:
    """Figures of the finished years before ``period``, with the parks there were."""
    years = connection.execute(
        "SELECT DISTINCT year FROM indicators.park_year "
        "WHERE year < left(?, 4)::INTEGER AND right(asof_period, 2) = '12' ORDER BY year",
        [period],
    ).fetchall()
    return {
        year: YearEnd(
            park_values(connection, f"{year}-12"),
            _areas(connection, f"{year}-12"),
            catalog.parks_in(f"{year}-12"),
        )
        for (year,) in years
    }
