"""Which function measures which kind of target. A new kind is one function and one line here.

Belongs here: the table of kinds. Does not belong here: the measures (``amounts``, ``growth``,
``counts``, ``outside``, ``duties``) or which targets are judged at all (``judge``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from assets.targets.amounts import area_average, area_total, each_county, each_park
from assets.targets.counts import count_threshold, coverage
from assets.targets.duties import (
    conditional,
    events,
    listed,
    outcomes,
    places_within,
    prohibition,
    streak,
    ticked,
)
from assets.targets.evidence import Evidence, Subject
from assets.targets.growth import (
    area_growth,
    average_growth,
    each_park_growth,
    growth_over_benchmark,
)
from assets.targets.outside import (
    count_items,
    county_coverage,
    entered_amount,
    floor,
    growth_multiple,
    plan_average,
    quotas,
)
from assets.targets.verdict import VerdictRow

if TYPE_CHECKING:
    from warehouse.catalog.models import Target

Measure = Callable[["Target", Subject, Evidence], list[VerdictRow]]

MEASURES: dict[str, Measure] = {
    "per_park_minimum": each_park,
    "per_park_maximum": each_park,
    "per_park_range": each_park,
    "level": area_total,
    "annual_total": area_total,
    "share": area_total,
    "range": area_total,
    "average_per_park": area_average,
    "per_county_minimum": each_county,
    "growth": area_growth,
    "trend": area_growth,
    "growth_over_benchmark": growth_over_benchmark,
    "growth_multiple": growth_multiple,
    "average": plan_average,
    "average_growth": average_growth,
    "count_threshold": count_threshold,
    "allocation_table": quotas,
    "flag": ticked,
    "milestone": ticked,
    "allocation": ticked,
    "recurring": listed,
    "events": events,
    "prohibition": prohibition,
    "conditional": conditional,
    "ratio": entered_amount,
    "floor": floor,
    "rank": places_within,
    "streak": streak,
    "elimination": outcomes,
    "reward": outcomes,
}
"""Measure by kind."""

PARK_MEASURES: dict[str, Measure] = {
    "growth": each_park_growth,
    "level": each_park,
    "range": each_park,
    "share": each_park,
}
"""Measure by kind where the target is about each park (scope level ``park``)."""

COVERAGE: dict[str | None, Measure] = {
    "park": coverage,
    "firm": each_park,
    "county": county_coverage,
}
"""Measure of 全覆盖 by what is covered; firms are covered within each park."""

BY_CLASS: dict[str, Measure] = {"U": listed}
"""Measure of whole classes of clauses, whatever their kind."""


def measure_of(target: Target) -> Measure:
    """The measure of a target; KeyError for a kind nobody measures."""
    if target.cls in BY_CLASS:
        return BY_CLASS[target.cls]
    if target.kind == "coverage":
        return COVERAGE[target.over]
    if target.kind == "count_threshold" and _of_items(target):
        return count_items
    if target.scope_level == "park" and target.kind in PARK_MEASURES:
        return PARK_MEASURES[target.kind]
    return MEASURES[target.kind]


def _of_items(target: Target) -> bool:
    """Whether what is counted comes by name from another bureau (clusters, ranked parks)."""
    return target.computable == "needs_external"
