"""Parks over a threshold: how many (营业收入过100亿元的集中区), and what share (覆盖各园区).

Belongs here: counting parks whose figure passes a bar, or lies in a band. Does not belong here: the
bars themselves (catalogue), counts that are reported as a figure (``amounts``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.targets import wording
from assets.targets.amounts import amount
from assets.targets.evidence import Evidence, Missing, Reading, Subject, park_reading
from assets.targets.pace import Bar, Pace, decide, meets, pace_of
from assets.targets.rows import Place, blank_row, not_judged, pace_words, requirement, to_unit
from assets.targets.verdict import VerdictRow
from methods import progress

if TYPE_CHECKING:
    from warehouse.catalog.models import Target, Threshold


@dataclass(frozen=True, slots=True)
class _Count:
    """Names of parks over the bar now, and of those that are when this year is stretched to 12
    months; how many parks had a figure; the figures."""

    over: tuple[str, ...]
    stretched: tuple[str, ...]
    known: int
    figure_ids: tuple[str, ...]


def count_threshold(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row: how many parks are over the bar (and not above the next, where bands exclude one
    another). Within the year a park is on pace when its figure stretched to 12 months is over."""
    place, bar = Place(target.scope_code), target.threshold
    assert bar is not None
    if target.value is None:
        return [not_judged(target, place, e, "no_data", "目标未给出个数")]
    try:
        count = _count(subject, e, bar)
    except (ValueError, KeyError):
        why = f"门槛单位“{bar.unit}”与数据单位不能换算，不判定"
        return [not_judged(target, place, e, "not_comparable", why)]
    if isinstance(count, Missing):
        return [not_judged(target, place, e, count.verdict, count.reason, count.instead)]
    actual, required = Decimal(len(count.over)), target.value
    ahead = Decimal(max(len(count.over), len(count.stretched)))
    pace = pace_of(target, e, ahead, Bar(required), None)
    verdict, light = decide(target, e, meets(target, actual, Bar(required)), pace)
    found = Reading(actual, "个", figure_ids=count.figure_ids)
    row = replace(
        blank_row(target, place, e, found, verdict, light),
        actual=actual,
        required=required,
        completion_pct=progress.completion_pct(actual, required),
        time_progress_pct=pace.time_pct,
        gap_pp=pace.gap_pp,
        pace_ratio=pace.ratio,
        still_required=progress.still_required(actual, required),
        indicator_used=bar.indicator_id,
    )
    return [replace(row, reason=_count_reason(target, subject, e, bar, count, pace, verdict))]


def _count(subject: Subject, e: Evidence, bar: Threshold) -> _Count | Missing:
    read = [(park, park_reading(e, park.park_id, bar.indicator_id)) for park in subject.parks]
    there = [
        (park, one) for park, one in read if isinstance(one, Reading) and one.value is not None
    ]
    if not there:
        gaps = [one for _, one in read if isinstance(one, Missing)]
        return gaps[0] if gaps else Missing("no_data", f"{e.name_of(bar.indicator_id)}无数值")
    if len(there) < e.min_reported * len(read):
        text = f"应报{len(read)}个园区，仅{len(there)}个有数，覆盖不足，不判定"
        return Missing("no_data", text)
    over, stretched = [], []
    factor = Decimal(12) / e.month if e.is_flow(bar.indicator_id) else Decimal(1)
    for park, one in there:
        assert one.value is not None
        if in_band(one.value, one.unit, bar, e):
            over.append(park.name)
        if in_band(one.value * factor, one.unit, bar, e):
            stretched.append(park.name)
    figures = tuple(figure for _, one in there for figure in one.figure_ids)
    return _Count(tuple(over), tuple(stretched), len(there), figures)


def in_band(value: Decimal, unit: str, bar: Threshold, e: Evidence) -> bool:
    """Whether a figure passes a threshold, and is not above its upper end."""
    low = to_unit(e, bar.value, bar.unit, unit)
    if bar.not_above is not None and value > to_unit(e, bar.not_above, bar.unit, unit):
        return False
    match bar.comparator:
        case ">":
            return value > low
        case "<=":
            return value <= low
        case "<":
            return value < low
        case "=":
            return value == low
    return value >= low


def _count_reason(
    target: Target,
    subject: Subject,
    e: Evidence,
    bar: Threshold,
    count: _Count,
    pace: Pace,
    verdict: str,
) -> str:
    word = wording.COMPARATOR_ZH[bar.comparator]
    band = f"{e.name_of(bar.indicator_id)}{word}{wording.number(bar.value)}{bar.unit}"
    if bar.not_above is not None:
        band += f"且不超过{wording.number(bar.not_above)}{bar.unit}"
    when = wording.months(e.period, e.is_flow(bar.indicator_id))
    facts = f"{when}{band}的园区有{len(count.over)}个{wording.listed(count.over)}"
    parts = [requirement(target, e), facts]
    if verdict != "met" and pace.time_pct is not None:
        if count.stretched != count.over:
            names = wording.listed(count.stretched)
            parts.append(f"按序时折算全年为{len(count.stretched)}个{names}")
        parts += pace_words(pace)
    missing = len(subject.parks) - count.known
    notes = (
        "各档互斥计数" if bar.not_above is not None else "",
        f"{missing}个园区缺数，未计入" if missing else "",
        "" if verdict == "met" else wording.STRENGTH_NOTE.get(target.strength, ""),
    )
    return wording.sentence(parts, verdict, notes)


def coverage(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row: share of parks at or over the threshold (覆盖各园区), in %."""
    bar, place = target.threshold, Place(target.scope_code)
    if bar is None:
        return []
    try:
        count = _count(subject, e, bar)
    except (ValueError, KeyError):
        return []
    if isinstance(count, Missing):
        return [not_judged(target, place, e, count.verdict, count.reason, count.instead)]
    share = Decimal(len(count.over)) * progress.HUNDRED / len(subject.parks)
    note = f"{len(subject.parks)}个园区中{len(count.over)}个达到"
    found = Reading(share, "%", figure_ids=count.figure_ids, notes=(note,))
    return [amount(target, place, found, e, None)]
