"""Parks (园区): the annex that lists every park with its main figures and its ranks.

Belongs here: arranging park figures and ranks by city. Does not belong here: totals (facts), the
best and the last (standings), sentences (``report_templates``).
"""

from __future__ import annotations

from dataclasses import dataclass

from assets.bulletins import wording
from assets.bulletins.data import BulletinData, Indicator, ParkRow, ScoreRow
from assets.bulletins.facts import PARK_INDICATORS, PARKS_LISTED, Register
from assets.bulletins.figures import Figure, display_unit, row_key
from assets.bulletins.standings import rank_figure


@dataclass(frozen=True, slots=True)
class ParkFacts:
    """A park: (amount, growth) by indicator, (rank, ranked parks, class) by scheme, None: none."""

    name: str
    county: str
    cells: tuple[tuple[Figure, Figure] | None, ...]
    ranks: tuple[tuple[Figure, Figure, str] | None, ...]


@dataclass(frozen=True, slots=True)
class ParksFacts:
    """The annex: indicators and schemes of its columns, parks by city in the order of codes."""

    indicators: tuple[tuple[str, str], ...]
    schemes: tuple[str, ...]
    cities: tuple[tuple[str, tuple[ParkFacts, ...]], ...]
    has_cities: bool
    has_counties: bool


def park_facts(register: Register, data: BulletinData) -> ParksFacts | None:
    """Every park with a figure or a rank; None when there is none, or more than a page bears."""
    names = {row.park_id: row for row in data.parks}
    if not names or len(names) > PARKS_LISTED:
        return None
    chosen = data.indicators[:PARK_INDICATORS]
    schemes = sorted({row.scheme_id for row in data.scores})
    shorts = {scheme.scheme_id: scheme.short or scheme.name for scheme in data.schemes}
    rows = {(row.park_id, row.indicator_id): row for row in data.parks}
    scores = {(row.park_id, row.scheme_id): row for row in data.scores if row.rank is not None}
    cities: dict[str, list[ParkFacts]] = {}
    for park in sorted(names.values(), key=lambda p: (p.city_code, p.park_id)):
        facts = ParkFacts(
            name=park.park_name,
            county=park.county_name,
            cells=tuple(
                _cells(register, data, rows.get((park.park_id, i.indicator_id)), i) for i in chosen
            ),
            ranks=tuple(
                _ranks(register, data, scores.get((park.park_id, scheme))) for scheme in schemes
            ),
        )
        cities.setdefault(park.city_name, []).append(facts)
    return ParksFacts(
        indicators=tuple((i.name_zh, display_unit(i.unit, i.decimals)[0]) for i in chosen),
        schemes=tuple(shorts.get(scheme, scheme) for scheme in schemes),
        cities=tuple((city, tuple(parks)) for city, parks in cities.items()),
        has_cities=any(cities),
        has_counties=any(park.county_name for park in names.values()),
    )


def _cells(
    register: Register, data: BulletinData, row: ParkRow | None, indicator: Indicator
) -> tuple[Figure, Figure] | None:
    if row is None:
        return None
    unit, factor, decimals = display_unit(indicator.unit, indicator.decimals)
    value = None if row.value is None else row.value * factor
    # a rate over a small or negative base is not printed
    growth = None if wording.growth_from_amounts(row.yoy_pct, row.value_prior) else row.yoy_pct
    parts = ("K", row.park_id, indicator.indicator_id)
    label = f"{row.park_name}{indicator.name_zh}"

    def source(column: str) -> tuple[str, str]:
        key = row_key(
            park_id=row.park_id,
            indicator_id=indicator.indicator_id,
            asof_period=data.period,
            column=column,
        )
        return ("indicators.park_year", key)

    total = register.add(
        (*parts, "value"), label, value, unit, source("value"), decimals=decimals, below_unit=True
    )
    yoy = register.add(
        (*parts, "yoy"), f"{label}同比", growth, "%", source("yoy_pct"), decimals=1
    )
    return total, yoy


def _ranks(
    register: Register, data: BulletinData, row: ScoreRow | None
) -> tuple[Figure, Figure, str] | None:
    if row is None:
        return None
    key = row_key(scheme_id=row.scheme_id, class_id=row.class_id, asof_period=data.period)
    n = register.add(
        ("S", row.scheme_id, row.class_id, "n-class"), f"{row.class_name}参与排名园区数", row.n,
        "个", ("assessment.score", key), formula="count(n)",
    )  # fmt: skip
    return rank_figure(register, data, row), n, row.class_name
