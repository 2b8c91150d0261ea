"""A small built warehouse for bulletins: the simulated parks of two cities over two months.

Belongs here: deliveries, derivations, verdicts and scores by the product's own steps. Does not
belong here: expectations. Figures are made from a park's place in the register.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from assets.assessment.store_rows import assess
from assets.build import Build
from assets.submissions.store_rows import load_dimensions
from assets.targets.store_rows import judge
from tests.support.devdata import ROOT
from tests.support.warehouse_cases import Case
from warehouse.catalog.load import load_catalog
from warehouse.catalog.models import Park
from warehouse.state import State

PERIOD, BEFORE = "2020-06", "2020-05"
CITIES = ("610100", "610900")
SILENT = "SIM-AK07"
"""Park that reports in May only."""
NEWCOMER = "SIM-AK03"
"""Park without a figure of last year in its returns."""


def parks_of_two_cities(build: Build) -> list[Park]:
    """西安市 and 安康市, in the order of their ids."""
    found = build.catalog.parks_on(date(2020, 6, 30))
    return sorted((p for p in found if p.city_code in CITIES), key=lambda p: p.park_id)


def _reporters(build: Build) -> dict[str, str]:
    catalog, day = build.catalog, date(2020, 6, 30)
    return {
        park.park_id: reporter.reporter_id
        for reporter in catalog.reporters_on(day)
        for park in catalog.parks_of(reporter, day)
    }


def built(home: Path) -> Build:
    """The warehouse with both months derived, June judged and assessed."""
    catalog = load_catalog(ROOT / "examples" / "shaanxi" / "catalog")
    case = Case(home, list(catalog.indicators))  # type: ignore[arg-type]
    state = State(home / "state.sqlite")
    build = Build(case.workspace, catalog, case.warehouse, state, datetime(2020, 8, 1))
    with case.warehouse.building() as connection:
        load_dimensions(connection, build)
    reporters = _reporters(build)
    for month, period in enumerate((BEFORE, PERIOD), start=5):
        for place, park in enumerate(parks_of_two_cities(build)):
            if park.park_id == SILENT and period == PERIOD:
                continue
            case.deliver(
                f"{period}-{park.park_id}",
                datetime(2020, month + 1, 6 + place % 3, 2),
                _cells(park.park_id, place, period, month),
                reporter=reporters[park.park_id],
            )
        case.build(period, each_month=True)
    with case.warehouse.building() as connection:
        judge(connection, build, PERIOD)
        assess(connection, build, PERIOD)
    return build


def _cells(
    park_id: str, place: int, period: str, month: int
) -> list[tuple[str, str, str, str, object]]:
    size = Decimal(20_000 + 7_919 * (place * place % 17)) * month
    cells: list[tuple[str, str, str, str, object]] = []
    for number, name in enumerate(("C04", "C01", "D02", "F01")):
        value = size / (1, 1, 20, 4)[number]
        prior = value * (80 + (place * 7 + number) % 45) / 100
        cells.append((park_id, name, period, "ytd", value))
        if park_id != NEWCOMER:
            cells.append((park_id, name, period, "ytd_prior", prior.quantize(Decimal("0.01"))))
    stocks = {"B03": 4 + place % 60, "B01": 40 + place, "E01": 900 + 55 * place, "G01": 3 + place,
              "A03": 900 + 31 * place}  # fmt: skip
    cells += [(park_id, name, period, "stock", value) for name, value in stocks.items()]
    return [*cells, (park_id, "B07", period, "ytd", place % 4)]
