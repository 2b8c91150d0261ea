"""What a judged target asks of the end of a year, in numbers a forecast can be held against.

Belongs here: the question itself (whose figures, which quantity, which bar, by when) and the answer
a forecast gives (``Chance``). Does not belong here: forecasting (``methods``), computing the answer
(``probability``), or what the answer does to a light (``lights``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from assets.targets.evidence import Evidence, subject_of
from assets.targets.pace import STANDING, YEARLY
from assets.targets.rows import to_unit
from methods import progress

if TYPE_CHECKING:
    from assets.targets.verdict import VerdictRow
    from warehouse.catalog.models import Target

Quantity = Literal["value", "mean", "count", "growth", "lead"]
Key = tuple[str, str, str]
"""(target_id, scope_code, park_id): the key of a verdict within its period."""

JUDGED = ("met", "on_pace", "behind", "far_behind")
"""Verdicts that rest on a figure held against a bar."""

_QUANTITY: dict[str, Quantity] = {
    "per_park_minimum": "value",
    "per_park_maximum": "value",
    "per_park_range": "value",
    "per_county_minimum": "value",
    "level": "value",
    "annual_total": "value",
    "share": "value",
    "range": "value",
    "allocation_table": "value",
    "average_per_park": "mean",
    "count_threshold": "count",
    "growth": "growth",
    "trend": "growth",
    "growth_over_benchmark": "lead",
}


@dataclass(frozen=True, slots=True)
class MemberBar:
    """The bar each park must pass to be counted; ``not_above`` closes a band. Canonical unit."""

    comparator: str
    value: Decimal
    not_above: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """``quantity`` of ``indicator_id`` over ``parks`` at the end of ``year`` against ``threshold``.

    ``quantity``: ``value`` the figure of the park, or the sum over the parks; ``mean`` that sum per
    park; ``count`` the parks that pass ``member``; ``growth`` of the sum over the year before, in
    %; ``lead`` that growth minus the growth of ``benchmark`` (an indicator of the area, in %), in
    percentage points. ``threshold`` and ``upper`` (end of a closed range) are in ``unit``: the
    canonical unit of the indicator for values, else %, 百分点 or a count. ``base``: what the parks
    reached in the year before (growth) or in the base year of the clause (others), as published;
    None where it is not known. ``milestone``: the clause is due after ``year`` and ``threshold`` is
    this year's point of its path, so an answer is about being on the path, not about the target.
    """

    target_id: str
    scope_code: str
    park_id: str
    asof_period: str
    year: int
    quantity: Quantity
    indicator_id: str
    parks: tuple[str, ...]
    comparator: str
    threshold: Decimal
    unit: str
    upper: Decimal | None = None
    base: Decimal | None = None
    benchmark: str | None = None
    member: MemberBar | None = None
    milestone: bool = False

    @property
    def key(self) -> Key:
        """Key of the verdict the question belongs to."""
        return (self.target_id, self.scope_code, self.park_id)


@dataclass(frozen=True, slots=True)
class Chance:
    """Probability (0..1) that a requirement is met, and what it rests on.

    ``calibrated``: past forecasts of this kind have held what they promised, so the light may
    follow it; otherwise it is printed only. ``basis`` says in Chinese what it rests on.
    """

    probability: Decimal
    calibrated: bool
    basis: str = ""


def requirements_of(
    rows: Iterable[VerdictRow], targets: Mapping[str, Target], e: Evidence
) -> list[Requirement]:
    """Questions for a forecast, one for each judged row that has one, in the order of ``rows``.

    Standing clauses, yes/no duties and targets due later without a known path have none.
    """
    found = []
    for row in rows:
        if row.verdict in JUDGED:
            question = requirement_of(row, targets[row.target_id], e)
            found += [] if question is None else [question]
    return found


def requirement_of(row: VerdictRow, target: Target, e: Evidence) -> Requirement | None:
    """The question behind one judged row; ``None`` where the end of the year decides nothing."""
    quantity = _QUANTITY.get(target.kind)
    if quantity is None or target.period.type in STANDING or row.required is None:
        return None
    last = int(target.period.span(e.documents[target.document_id])[1][:4])
    yearly = target.period.type in YEARLY or quantity in ("growth", "lead")
    milestone = not yearly and last > e.year
    threshold = _on_path(row, target, e, last) if milestone else row.required
    if threshold is None:
        return None
    member = _member(target, e)
    if quantity == "count" and member is None:
        return None
    upper = target.value_max if target.kind == "per_park_range" else None
    return Requirement(
        row.target_id,
        row.scope_code,
        row.park_id,
        row.asof_period,
        e.year,
        quantity,
        member_indicator(target),
        _parks(row, target, e),
        target.comparator,
        threshold,
        row.unit,
        upper,
        _base(row, target, quantity, e),
        target.benchmark.indicator_id if target.benchmark else None,
        member,
        milestone,
    )


def member_indicator(target: Target) -> str:
    """The indicator whose figures decide: of the threshold where parks are counted."""
    bar = target.threshold if target.kind == "count_threshold" else None
    return bar.indicator_id if bar else target.indicator_id


def _parks(row: VerdictRow, target: Target, e: Evidence) -> tuple[str, ...]:
    if row.park_id:
        return (row.park_id,)
    parks = subject_of(target, e).parks
    if row.scope_code != target.scope_code:  # a county of the clause's region
        parks = tuple(park for park in parks if park.counting_county == row.scope_code)
    return tuple(park.park_id for park in parks)


def _member(target: Target, e: Evidence) -> MemberBar | None:
    bar = target.threshold
    if target.kind != "count_threshold" or bar is None or bar.indicator_id not in e.indicators:
        return None
    unit = e.indicators[bar.indicator_id].unit
    try:
        low = to_unit(e, bar.value, bar.unit, unit)
        top = None if bar.not_above is None else to_unit(e, bar.not_above, bar.unit, unit)
    except (ValueError, KeyError):
        return None
    return MemberBar(bar.comparator, low, top)


def _on_path(row: VerdictRow, target: Target, e: Evidence, last: int) -> Decimal | None:
    """What is due at the end of this year on the way from the base to the target: constant growth
    for yearly amounts, a straight line for levels; ``None`` without a base below the target."""
    base, required = row.baseline, row.required
    start = target.base_year(e.documents[target.document_id])
    if base is None or required is None or base >= required or last <= start:
        return None
    gone = e.year - start
    if target.progress_method == "annual_flow_path":
        return progress.cagr_path(base, required, gone, last - start)
    return base + (required - base) * gone / (last - start)


def _base(row: VerdictRow, target: Target, quantity: Quantity, e: Evidence) -> Decimal | None:
    if quantity not in ("growth", "lead"):
        return row.baseline
    before = e.history.get(e.year - 1)
    if before is None:
        return None
    found = [before.values.get((park, target.indicator_id)) for park in _parks(row, target, e)]
    known = [one.value for one in found if one is not None and one.value is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(found) else None
