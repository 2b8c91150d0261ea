"""Entered figures (补录) as rows of ``dims.entered_figure``, in the units of the catalogue.

Belongs here: which rows of ``catalog/inputs/figures.csv`` derivations can use. Does not belong here:
reading the files (``warehouse.catalog.inputs``), saying why a row is refused (``assets/targets``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assets.submissions.values.units import Units
from warehouse.catalog.inputs import FOLDER, InputRow, read_inputs

if TYPE_CHECKING:
    from assets.build import Build
    from warehouse.catalog.load import Catalog


def entered_rows(build: Build) -> list[dict[str, Any]]:
    """Figures of areas and parks with a value, an indicator and a place the catalogue knows."""
    units = Units.from_mapping(build.catalog.units_mapping())
    rows = (
        _row(row, build.catalog, units) for row in read_inputs(build.workspace.catalog / FOLDER)
    )
    return [row for row in rows if row is not None]


def _row(row: InputRow, catalog: Catalog, units: Units) -> dict[str, Any] | None:
    usable = row.kind == "figure" and not row.problem and not row.item and row.value is not None
    if not usable or bool(row.area_code) == bool(row.park_id):
        return None
    unit_of = {indicator.indicator_id: indicator.unit for indicator in catalog.known_indicators}
    unit = unit_of.get(row.indicator_id)
    known = {region.code for region in catalog.regions} | {park.park_id for park in catalog.parks}
    if unit is None or (row.area_code or row.park_id) not in known:
        return None
    try:
        assert row.value is not None
        value = row.value if row.unit in ("", unit) else units.convert(row.value, row.unit, unit)
    except (KeyError, ValueError):
        return None
    return {
        "indicator_id": row.indicator_id,
        "area_code": row.area_code or None,
        "scope": row.list,
        "park_id": row.park_id or None,
        "period": row.period,
        "value": value,
        "entered_on": row.entered_on,
        "source": row.source,
        "file": row.file,
        "line": row.line,
    }
