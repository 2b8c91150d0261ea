"""Pieces shared by all measures: the place a row is about, blank rows, units, bases, fixed words.

Belongs here: what every kind of target needs to make its rows. Does not belong here: any kind's own
arithmetic (``amounts``, ``growth``, ``counts``) or what is judged at all (``judge``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.targets import wording
from assets.targets.evidence import Evidence, Reading, Subject, area_reading, park_reading
from assets.targets.pace import Pace
from assets.targets.verdict import VerdictRow
from methods.progress import Light

if TYPE_CHECKING:
    from warehouse.catalog.models import Target


@dataclass(frozen=True, slots=True)
class Place:
    """What a row is about: an area, or a park of it. ``name`` is for the reason."""

    scope_code: str
    park_id: str = ""
    name: str = ""


def not_judged(
    target: Target, place: Place, e: Evidence, verdict: str, why: str, instead: str = ""
) -> VerdictRow:
    """A grey row that says in words why there is no judgement."""
    row = blank_row(target, place, e, Reading(None, ""), verdict, "grey")
    reason = wording.sentence((requirement(target, e), f"{place.name}{why}"), verdict)
    return replace(row, reason=reason, indicator_used=instead or target.indicator_id)


def blank_row(
    target: Target, place: Place, e: Evidence, found: Reading, verdict: str, light: Light
) -> VerdictRow:
    """A row with its keys, verdict and light; figures and reason still to be filled in."""
    return VerdictRow(
        target_id=target.target_id,
        scope_code=place.scope_code,
        park_id=place.park_id,
        asof_period=e.period,
        actual=None,
        required=None,
        unit=found.unit,
        completion_pct=None,
        time_progress_pct=None,
        gap_pp=None,
        pace_ratio=None,
        still_required=None,
        baseline=None,
        probability=None,
        light=light,
        light_basis="" if light == "grey" else "pace",
        verdict=verdict,
        final_verdict="",
        reason="",
        indicator_used=target.indicator_id,
        figure_ids=found.figure_ids,
    )


def requirement(target: Target, e: Evidence) -> str:
    """陕政办发〔2018〕20号“二（六）”要求龙头骨干企业数不少于3户（到2021年末）."""
    document = e.documents[target.document_id]
    head = f"{wording.citation(target, document)}要求{target.indicator_name}"
    if target.cls != "Q" or target.unit == "是/否":
        return head
    due = wording.due(target, target.period.span(document)[1])
    return f"{head}{wording.amount(target)}{due}"


PER = ("/园", "/县")
COUNTED = ("户", "个", "家")


def to_unit(e: Evidence, value: Decimal, source: str, wanted: str) -> Decimal:
    """户/园, 个/县 are the unit before the slash; counts of firms and sites are one unit."""
    plain = source.split("/")[0] if source.endswith(PER) else source
    if plain == wanted or (plain in COUNTED and wanted in COUNTED):
        return value
    return e.convert(value, plain, wanted)


def shown(e: Evidence, value: Decimal, unit: str, wanted: str) -> str:
    """A figure in the document's unit where it converts, otherwise in its own."""
    if wanted.endswith(PER):
        return f"{wording.number(value)}{wanted}"
    try:
        return f"{wording.number(to_unit(e, value, unit, wanted))}{wanted}"
    except (ValueError, KeyError):
        return f"{wording.number(value)}{unit}"


def park_base(target: Target, park_id: str, e: Evidence) -> Decimal | None:
    """Figure of a park in the base year of the target, where it is known."""
    before = _base_evidence(target, e)
    if before is None:
        return None
    found = park_reading(before, park_id, target.indicator_id)
    return found.value if isinstance(found, Reading) else None


def area_base(target: Target, subject: Subject, e: Evidence) -> Decimal | None:
    """Base the document states, else the figure of the base year, canonical unit; ``None`` where
    neither is known or the stated one is in a unit that does not convert."""
    if target.baseline is not None and target.baseline.value is not None:
        return _stated_base(target, target.baseline.value, e)
    before = _base_evidence(target, e)
    if before is None:
        return None
    found = area_reading(before, target.scope_code, subject, target.indicator_id)
    return found.value if isinstance(found, Reading) else None


def _stated_base(target: Target, value: Decimal, e: Evidence) -> Decimal | None:
    known = e.indicators.get(target.indicator_id)
    unit = (target.baseline.unit if target.baseline else "") or target.unit
    try:
        return value if known is None else to_unit(e, value, unit, known.unit)
    except (ValueError, KeyError):
        return None


def _base_evidence(target: Target, e: Evidence) -> Evidence | None:
    if target.period.type not in ("by_year_end", "plan_average"):
        return None
    return e.at_end_of(target.base_year(e.documents[target.document_id]))


def pace_words(pace: Pace) -> list[str]:
    """Time progress and the gap to it, where there is a time path."""
    if pace.time_pct is None or pace.gap_pp is None:
        return []
    return [f"{pace.words}{wording.percent(pace.time_pct)}", f"进度差{wording.versus(pace.gap_pp)}"]
