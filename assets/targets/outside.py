"""Clauses that rest on entered figures or need more than one: averages over years, named items,
counties covered, quotas by county, floors, multiples of a base.

Belongs here: measures of those kinds. Does not belong here: reading entered rows (``inputs``),
plain amounts (``amounts``), yes/no duties and rules (``duties``).
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.targets import wording
from assets.targets.amounts import amount
from assets.targets.counts import in_band
from assets.targets.evidence import (
    Evidence,
    Missing,
    Reading,
    Subject,
    area_reading,
    park_reading,
)
from assets.targets.inputs import whole_of
from assets.targets.pace import EVEN, Bar, decide, is_closing, meets, pace_of
from assets.targets.rows import (
    Place,
    area_base,
    blank_row,
    not_judged,
    pace_words,
    park_base,
    requirement,
    to_unit,
)
from assets.targets.verdict import VerdictRow, strictest
from methods import progress

if TYPE_CHECKING:
    from warehouse.catalog.inputs import InputRow
    from warehouse.catalog.models import Target


def plan_average(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row: mean yearly increase of a stock since the base year (年均新增), net of exits.

    Judged against the bar at any month (years gone count in twelfths); red only at the end of the
    term. ``still_required``: mean yearly increase the years left need.
    """
    place = Place(target.scope_code)
    found = area_reading(e, target.scope_code, subject, target.indicator_id)
    if isinstance(found, Missing) or found.value is None or target.value is None:
        return []
    base = area_base(target, subject, e)
    document = e.documents[target.document_id]
    start, last = target.base_year(document), int(target.period.span(document)[1][:4])
    if base is None:
        why = f"缺少{start}年末基期数，年均新增无法计算"
        return [not_judged(target, place, e, "no_data", why)]
    try:
        required = to_unit(e, target.value, target.unit, found.unit)
    except (ValueError, KeyError):
        return []
    gone = Decimal((e.year - start - 1) * 12 + e.month) / 12
    mean = (found.value - base) / gone
    met = meets(target, mean, Bar(required))
    share = progress.completion_pct(mean, required)
    gap = None if share is None else share - progress.HUNDRED
    verdict, light = decide(target, e, met, replace(EVEN, gap_pp=gap, weak=last > e.year))
    if met and not is_closing(target, e):
        verdict = "on_pace"  # a mean over the plan is reached when the plan is over
    left = Decimal(last - start) - gone
    needed = (required * (last - start) - (found.value - base)) / left if left > 0 else None
    fact = f"{start}年末以来年均净增{wording.number(mean)}{found.unit}"
    rest = "" if needed is None or needed <= 0 else (
        f"余下{wording.number(left)}年需年均净增{wording.number(needed)}{found.unit}"
    )  # fmt: skip
    notes = (*found.notes, "年均按年末存量净增计算；期满前不判红")
    reason = wording.sentence((requirement(target, e), fact, rest), verdict, notes, "目标")
    row = replace(
        blank_row(target, place, e, found, verdict, light),
        actual=mean,
        required=required,
        completion_pct=share,
        gap_pp=gap,
        still_required=None if needed is None else max(needed, progress.ZERO),
        baseline=base,
        reason=reason,
    )
    return [row]


def growth_multiple(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row per park: its figure as a multiple of its base year's (倍增)."""
    return [_multiple(target, park.park_id, park.name, e) for park in subject.parks]


def _multiple(target: Target, park_id: str, name: str, e: Evidence) -> VerdictRow:
    place = Place(target.scope_code, park_id, name)
    found = park_reading(e, park_id, target.indicator_id)
    if isinstance(found, Missing) or found.value is None or target.value is None:
        why = found.reason if isinstance(found, Missing) else "无数值"
        return not_judged(target, place, e, "no_data", why)
    base = park_base(target, park_id, e)
    start = target.base_year(e.documents[target.document_id])
    if base is None or base <= 0:
        return not_judged(target, place, e, "no_data", f"缺少{start}年基期数，倍数无法计算")
    times = found.value / base
    bar = Bar(target.value)
    pace = pace_of(target, e, times, bar, Decimal(1))
    met = meets(target, times, bar)
    verdict, light = decide(target, e, met, pace)
    fact = (
        f"{name}{wording.months(e.period, e.is_flow(target.indicator_id))}为"
        f"{wording.number(found.value)}{found.unit}，是{start}年{wording.number(base)}"
        f"{found.unit}的{wording.number(times)}倍"
    )
    words = [] if met else pace_words(pace)
    notes = (pace.note, wording.STRENGTH_NOTE.get(target.strength, "") if not met else "")
    row = replace(
        blank_row(target, place, e, found, verdict, light),
        actual=times,
        required=target.value,
        unit="倍",
        completion_pct=progress.completion_pct(times, target.value),
        time_progress_pct=pace.time_pct,
        gap_pp=pace.gap_pp,
        pace_ratio=pace.ratio,
        still_required=progress.still_required(times, target.value),
        baseline=Decimal(1),
    )
    reason = wording.sentence((requirement(target, e), fact, *words), verdict, notes)
    return replace(row, reason=reason)


# --- Named items ----------------------------------------------------------------------------------


def count_items(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row: how many named items (clusters) of the place pass the threshold."""
    bar = target.threshold
    if bar is None or target.value is None:
        return []
    rows = _items(bar.indicator_id, target, subject, e)
    if not rows:
        return []
    unit = e.indicators[bar.indicator_id].unit
    over = [row for row in rows if row.value is not None and in_band(row.value, unit, bar, e)]
    found = Reading(Decimal(len(over)), "个", figure_ids=tuple(row.input_id for row in rows))
    required = Bar(target.value)
    met = meets(target, Decimal(len(over)), required)
    pace = pace_of(target, e, Decimal(len(over)), required, None)
    verdict, light = decide(target, e, met, pace)
    word = wording.COMPARATOR_ZH[bar.comparator]
    band = f"{e.name_of(bar.indicator_id)}{word}{wording.number(bar.value)}{bar.unit}"
    fact = f"已登记{len(rows)}个，{band}的{len(over)}个{wording.listed(row.item for row in over)}"
    words = [] if met else pace_words(pace)
    note = f"补录数，来源：{rows[-1].source}"
    strength = "" if met else wording.STRENGTH_NOTE.get(target.strength, "")
    row = replace(
        blank_row(target, Place(target.scope_code), e, found, verdict, light),
        actual=found.value,
        required=target.value,
        completion_pct=progress.completion_pct(Decimal(len(over)), target.value),
        time_progress_pct=pace.time_pct,
        gap_pp=pace.gap_pp,
        pace_ratio=pace.ratio,
        still_required=progress.still_required(Decimal(len(over)), target.value),
        indicator_used=bar.indicator_id,
    )
    parts = (requirement(target, e), fact, *words)
    return [replace(row, reason=wording.sentence(parts, verdict, (note, strength)))]


def _items(indicator_id: str, target: Target, subject: Subject, e: Evidence) -> list[InputRow]:
    """Newest row of every item of the clause's area or of its parks."""
    parks = {park.park_id for park in subject.parks}
    newest: dict[str, InputRow] = {}
    for row in e.inputs.figures(indicator_id, e.period):
        here = row.area_code == target.scope_code or row.park_id in parks
        if here and row.value is not None and (row.item or row.park_id):
            newest[row.item or row.park_id] = row
    return [newest[name] for name in sorted(newest)]


# --- Counties -------------------------------------------------------------------------------------


def county_coverage(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row: share of counties that reach the threshold (县区全覆盖), in %.

    Counties are those the clause names, else those of its area. One county
    known to fall short decides; while none does, counties nobody has entered keep it open.
    """
    bar, place = target.threshold, Place(target.scope_code)
    if bar is None:
        return []
    counties = target.filter.county_code or _counties(target, subject, e)
    known, over, ids = [], [], []
    for code in counties:
        total = e.areas.get((code, bar.indicator_id, "all"))
        if total is None or total.value is None:
            continue
        known.append(code)
        ids += [total.input_id or f"{code}/{bar.indicator_id}/all/{e.period}"]
        if in_band(total.value, total.unit, bar, e):
            over.append(code)
    if not known:
        return []
    unknown = [code for code in counties if code not in known]
    if len(over) == len(known) and unknown:
        names = wording.listed(_names(unknown, e))
        why = f"已有数的{len(known)}个县（市、区）均已覆盖，另有{len(unknown)}个未录入{names}"
        return [not_judged(target, place, e, "no_data", why)]
    share = Decimal(len(over)) * progress.HUNDRED / len(counties)
    short = [code for code in known if code not in over]
    notes = [f"{len(counties)}个县（市、区）中{len(over)}个已覆盖"]
    if short:
        notes.append(f"未覆盖{wording.listed(_names(short, e))}")
    if unknown:
        notes.append(f"{len(unknown)}个未录入，按未覆盖计")
    found = Reading(share, "%", figure_ids=tuple(ids), notes=tuple(notes))
    return [amount(target, place, found, e, None)]


def _counties(target: Target, subject: Subject, e: Evidence) -> tuple[str, ...]:
    """Counties of the clause's area: those of the register of divisions and those with parks."""
    with_parks = {park.counting_county for park in subject.parks if park.counting_county}
    return tuple(sorted(with_parks | set(e.counties.get(target.scope_code, ()))))


def _names(codes: list[str], e: Evidence) -> list[str]:
    return [e.regions.get(code, code) for code in codes]


def quotas(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row per county of an allocation table: all its quotas judged, the worst one shown."""
    by_county: dict[str, list[InputRow]] = {}
    for quota in e.inputs.quotas(target.target_id):
        by_county.setdefault(quota.area_code, []).append(quota)
    rows = []
    for code in sorted(by_county):
        parts = [_quota(target, subject, quota, e) for quota in by_county[code]]
        worst = strictest(part.light for part in parts)
        row = next(part for part in parts if part.light == worst)
        others = "".join(part.reason for part in parts if part is not row)
        note = f"同县另一项：{others}" if others else ""
        ids = tuple(figure for part in parts for figure in part.figure_ids)
        rows.append(replace(row, reason=row.reason + note, figure_ids=ids))
    return rows


def _quota(target: Target, subject: Subject, quota: InputRow, e: Evidence) -> VerdictRow:
    """One quota as a yearly amount of its county, in the words of the city's own target."""
    whole = whole_of(target, quota.indicator_id, e.targets.values())
    like = whole or target
    asked = target.model_copy(
        update={
            "indicator_id": quota.indicator_id,
            "indicator_name": like.indicator_name,
            "value": quota.value,
            "unit": quota.unit or e.indicators[quota.indicator_id].unit,
            "kind": "annual_total",
            "computable": "aggregate_park_stats",
        }
    )
    parks = tuple(park for park in subject.parks if park.counting_county == quota.area_code)
    place = Place(quota.area_code, name=e.regions.get(quota.area_code, quota.area_code))
    found = area_reading(e, quota.area_code, replace(subject, parks=parks), quota.indicator_id)
    row = amount(asked, place, found, e, None)
    return replace(row, figure_ids=(*row.figure_ids, quota.input_id))


# --- Floors ---------------------------------------------------------------------------------------


def floor(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row: every entered case (a parcel of land) against its own floor, e.g. its cost."""
    del subject
    cases = [
        row
        for row in e.inputs.figures(target.indicator_id, e.period)
        if row.area_code == target.scope_code and row.floor is not None and row.value is not None
    ]
    if not cases:
        return []
    short = [row for row in cases if row.value < row.floor]  # type: ignore[operator]
    verdict, light = ("far_behind", "red") if short else ("met", "green")
    names = wording.listed(row.item or f"第{row.line}行" for row in short)
    fact = f"已登记{len(cases)}宗，低于底线的{len(short)}宗{names}"
    found = Reading(Decimal(len(short)), "宗", figure_ids=tuple(row.input_id for row in cases))
    place = Place(target.scope_code)
    row = blank_row(target, place, e, found, verdict, light)  # type: ignore[arg-type]
    reason = wording.sentence((requirement(target, e), fact), verdict, ("底线要求",), "要求")
    return [replace(row, actual=found.value, required=Decimal(0), reason=reason)]


def entered_amount(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row: a figure about the area as a whole that another bureau holds, against the bar."""
    del subject
    total = e.areas.get((target.scope_code, target.indicator_id, "all"))
    if total is None or total.value is None or not total.input_id:
        return []
    ids, notes = (total.input_id,), (total.note,)
    found = Reading(total.value, total.unit, figure_ids=ids, notes=notes)
    return [amount(target, Place(target.scope_code), found, e, None)]
