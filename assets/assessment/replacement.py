"""增补: who could enter the list, in which order, and the ledger of who left and entered.

Belongs here: a scheme's pool, gate, order, places, cooling and blocking applied to the register and
to confirmed departures. Does not belong here: eliminating anyone; every row is a proposal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.assessment.eligibility import on_list
from assets.assessment.gates import try_gate
from assets.assessment.outcomes import Departure, History
from assets.targets.evidence import ACTIVE
from methods import ranking
from warehouse.catalog.models import period_end

if TYPE_CHECKING:
    from assets.targets.evidence import Values
    from warehouse.catalog.models import Indicator, Park
    from warehouse.catalog.scheme_rules import Replacement
    from warehouse.catalog.schemes import Scheme


@dataclass(frozen=True, slots=True)
class Candidate:
    """A park of the pool. ``place``: its order among those that qualify (``None``: it does not, see
    ``reason``); ``proposed``: within the places there are."""

    park_id: str
    place: int | None
    proposed: bool
    figure: Decimal | None
    reason: str


@dataclass(frozen=True, slots=True)
class Places:
    """The list's ledger of a year: parks on it, who left and who entered, places open."""

    on_list: int
    left: tuple[str, ...]
    entered: tuple[str, ...]
    open: int | None


def candidates(
    scheme: Scheme,
    parks: Sequence[Park],
    values: Values,
    history: History,
    period: str,
    *,
    scores: Mapping[str, Decimal] | None = None,
    indicators: Mapping[str, Indicator] | None = None,
) -> tuple[Places, list[Candidate]]:
    """The ledger of the year and every park of the pool in order; no rule: nobody.

    ``scores``: of the pool's parks, where the order is by score.
    """
    rule = scheme.replacement
    members = [park for park in parks if on_list(scheme, park)]
    year = int(period[:4])
    places = _places(rule, len(members), history, year)
    if rule is None:
        return places, []
    pool = [park for park in parks if _in_pool(scheme, rule, park)]
    last_day = period_end(period)
    barred = {park.park_id: _barred(rule, park, parks, history, last_day) for park in pool}
    gates = {
        park.park_id: try_gate(rule.gate, park.park_id, values, indicators) for park in pool
    } if rule.gate else {}  # fmt: skip
    order = {park.park_id: _order(rule, park.park_id, values, scores or {}) for park in pool}
    rows = []
    ready = []
    for park in pool:
        gate = gates.get(park.park_id)
        reason = barred[park.park_id]
        if not reason and gate is not None and gate.passed is not True:
            reason = gate.reason
        if not reason and order[park.park_id] is None:
            reason = "缺排序依据数据"
        if reason:
            rows.append(Candidate(park.park_id, None, False, order[park.park_id], reason))
        else:
            ready.append(park.park_id)
    return places, _placed(ready, order, places.open) + rows


def _placed(
    ready: Sequence[str], order: Mapping[str, Decimal | None], seats: int | None
) -> list[Candidate]:
    """Candidates best first; equal figures share a place, and a tie at the edge is all in."""
    values = {park_id: order[park_id] or Decimal(0) for park_id in ready}
    ranked = sorted(ready, key=lambda park_id: (-values[park_id], park_id))
    rows = []
    ranks = ranking.ranks([values[park_id] for park_id in ranked])
    for park_id, rank in zip(ranked, ranks, strict=True):
        place = rank or 0
        proposed = seats is None or place <= seats
        rows.append(Candidate(park_id, place, proposed, values[park_id], ""))
    return rows


def _places(rule: Replacement | None, members: int, history: History, year: int) -> Places:
    left = tuple(sorted(one.park_id for one in history.departures if one.year == year))
    entered = tuple(sorted(park for park, when in history.arrivals.items() if when == year))
    if rule is None or rule.slots == "open":
        return Places(members, left, entered, None if rule else 0)
    if rule.slots == "fill":
        return Places(members, left, entered, max(0, (rule.total or 0) - members))
    return Places(members, left, entered, max(0, len(left) - len(entered)))


def _in_pool(scheme: Scheme, rule: Replacement, park: Park) -> bool:
    return (
        not on_list(scheme, park)
        and scheme.who.region_code in park.region_codes
        and park.status in ACTIVE
        and (not rule.pool or any(one.matches(park) for one in rule.pool))
    )


def _barred(
    rule: Replacement, park: Park, parks: Sequence[Park], history: History, day: date
) -> str:
    """Why a park may not enter yet: it left a short while ago, or its area is blocked."""
    homes = {one.park_id: one for one in parks}
    for gone in history.departures:
        if gone.park_id == park.park_id and day.year - gone.year < rule.cooling_years:
            return f"{gone.year}年退出，{rule.cooling_years}年内不再列入"
        if _blocks(rule, gone, day) and _same_area(rule, park, homes.get(gone.park_id), gone):
            until = gone.blocked_until
            when = f"至{until.isoformat()}" if until else f"{rule.blocking_years}年内"
            return f"所在范围有园区于{gone.year}年退出，{when}不列入"
    return ""


def _blocks(rule: Replacement, gone: Departure, day: date) -> bool:
    if gone.blocked_until is not None:
        return day < gone.blocked_until
    return day.year - gone.year < rule.blocking_years


def _same_area(rule: Replacement, park: Park, gone: Park | None, departure: Departure) -> bool:
    if rule.blocking_scope == "park" or gone is None:
        return park.park_id == departure.park_id
    name = f"{rule.blocking_scope}_code"
    return bool(getattr(park, name)) and getattr(park, name) == getattr(gone, name)


def _order(
    rule: Replacement, park_id: str, values: Values, scores: Mapping[str, Decimal]
) -> Decimal | None:
    if rule.order == "score":
        return scores.get(park_id)
    found = values.get((park_id, rule.order_indicator or ""))
    if found is None or found.basis == "nowcast":
        return None
    return found.yoy_pct if rule.order_measure == "growth" else found.value
