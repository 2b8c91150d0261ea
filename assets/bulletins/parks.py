"""Parks (园区): the annex that lists every park with its main figures and its ranks.

Belongs here: arranging park figures and ranks by city. Does not belong here: totals (facts), the
best and the last (standings), sentences (``report_templates``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from assets.bulletins import wording
from assets.bulletins.data import BulletinData, Indicator, ParkRow, ScoreRow
from assets.bulletins.facts import (
    PARK_INDICATORS,
    PARKS_LISTED,
    GrowthFacts,
    Register,
    growth_facts,
)
from assets.bulletins.figures import Figure, display_unit, row_key
from assets.bulletins.standings import class_size, rank_figure


@dataclass(frozen=True, slots=True)
class ParkFacts:
    """A park: (amount, growth) by indicator, (rank, ranked parks, class) by scheme, None: none."""

    name: str
    cells: tuple[tuple[Figure, Figure] | None, ...]
    ranks: tuple[tuple[Figure, Figure, str] | None, ...]
    suppressed: bool = False


@dataclass(frozen=True, slots=True)
class ParksFacts:
    """The annex: indicators and schemes of its columns, parks by city in the order of codes."""

    indicators: tuple[tuple[str, str], ...]
    schemes: tuple[str, ...]
    cities: tuple[tuple[str, tuple[ParkFacts, ...]], ...]


def park_facts(register: Register, data: BulletinData) -> ParksFacts | None:
    """Every park with a figure or a rank; None when there is none, or more than a page bears."""
    names = {row.park_id: row for row in data.parks}
    known = bool(data.scores) or any(row.value is not None for row in data.parks)
    if not known or len(names) > PARKS_LISTED:
        return None
    chosen = data.indicators[:PARK_INDICATORS]
    size = Counter(row.scheme_id for row in data.scores)
    schemes = sorted(size, key=lambda scheme: (-size[scheme], scheme))
    shorts = {scheme.scheme_id: scheme.short or scheme.name for scheme in data.schemes}
    rows = {(row.park_id, row.indicator_id): row for row in data.parks}
    scores = {(row.park_id, row.scheme_id): row for row in data.scores if row.rank is not None}
    cities: dict[str, list[ParkFacts]] = {}
    for park in sorted(names.values(), key=lambda p: (p.city_code, p.park_id)):
        facts = ParkFacts(
            name=park.park_name,
            cells=tuple(
                _cells(register, data, rows.get((park.park_id, i.indicator_id)), i) for i in chosen
            ),
            suppressed=park.suppressed,
            ranks=tuple(
                _ranks(register, data, scores.get((park.park_id, scheme))) for scheme in schemes
            ),
        )
        cities.setdefault(park.city_name, []).append(facts)
    return ParksFacts(
        indicators=tuple((i.name_zh, display_unit(i.unit, i.decimals)[0]) for i in chosen),
        schemes=tuple(shorts.get(scheme, scheme) for scheme in schemes),
        cities=tuple((city, tuple(parks)) for city, parks in cities.items()),
    )


def park_growth(
    register: Register, data: BulletinData, listed: ParksFacts | None
) -> GrowthFacts | None:
    """Spread of the lead indicator's growth over the parks, where there are no areas between."""
    order = [indicator.indicator_id for indicator in data.indicators]
    position = order.index(data.lead_indicator_id)
    if listed is None or position >= PARK_INDICATORS:
        return None
    everyone = [p for _, parks in listed.cities for p in parks if not p.suppressed]
    yoy = {p.name: cell[1] for p in everyone if (cell := p.cells[position]) is not None}
    return growth_facts(register, data, yoy, data.issuer.unit_word)


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
    yoy = register.add((*parts, "yoy"), f"{label}同比", growth, "%", source("yoy_pct"), decimals=1)
    return total, yoy


def _ranks(
    register: Register, data: BulletinData, row: ScoreRow | None
) -> tuple[Figure, Figure, str] | None:
    if row is None:
        return None
    return rank_figure(register, data, row), class_size(register, data, row), row.class_name
