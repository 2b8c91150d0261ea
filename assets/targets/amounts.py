"""Amounts against a bar: each park, the total of an area, each county, the average per park.

Belongs here: targets that ask for a level, an amount of the year, a share or a range. Does not
belong here: growth (``growth``), parks over a threshold (``counts``), time paths and lights
(``pace``).
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.targets import wording
from assets.targets.evidence import (
    Evidence,
    Missing,
    Reading,
    Subject,
    area_reading,
    park_reading,
)
from assets.targets.pace import Bar, Pace, decide, meets, pace_of
from assets.targets.rows import (
    Place,
    area_base,
    blank_row,
    not_judged,
    pace_words,
    park_base,
    requirement,
    shown,
    to_unit,
)
from assets.targets.verdict import VerdictRow
from methods import progress

if TYPE_CHECKING:
    from warehouse.catalog.models import Target


def each_park(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row per park: its own figure against the bar. Where no park's figure is known, a published
    total may still show that not every park can have reached a minimum."""
    bound = _mean_bound(target, subject, e)
    if bound is not None:
        return [bound]
    return [
        amount(
            target,
            Place(target.scope_code, park.park_id, park.name),
            park_reading(e, park.park_id, target.indicator_id),
            e,
            park_base(target, park.park_id, e),
        )
        for park in subject.parks
    ]


def _mean_bound(target: Target, subject: Subject, e: Evidence) -> VerdictRow | None:
    """The row of a total whose mean is below the minimum of each park; ``None`` where a park's own
    figure is known, or the mean leaves it open."""
    total = e.areas.get((target.scope_code, target.indicator_id, subject.group))
    known = any(
        isinstance(park_reading(e, park.park_id, target.indicator_id), Reading)
        for park in subject.parks
    )
    if known or target.kind != "per_park_minimum" or total is None or total.value is None:
        return None
    n = total.n_parks or len(subject.parks)
    if target.value is None or total.unit != target.unit or total.value >= target.value * n:
        return None
    mean, asked = total.value / n, target.value * n
    figure = total.input_id or (
        f"{target.scope_code}/{target.indicator_id}/{subject.group}/{e.period}"
    )
    found = Reading(mean, total.unit, figure_ids=(figure,))
    row = amount(target, Place(target.scope_code), found, e, None)
    unit = total.unit
    why = (
        f"{n}个园区合计{wording.number(total.value)}{unit}，平均{wording.number(mean)}{unit}，"
        f"逐园情况未知；逐园达到共需{wording.number(asked)}{unit}，超过现有合计，不可能逐园达到"
    )
    parts = (requirement(target, e), f"{wording.months(e.period, flow=False)}{why}")
    strength = wording.STRENGTH_NOTE.get(target.strength, "")
    return replace(row, reason=wording.sentence(parts, row.verdict, (strength,), "要求"))


def area_total(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row: the total over the target's list of parks against the bar."""
    found = area_reading(e, target.scope_code, subject, target.indicator_id)
    return [amount(target, Place(target.scope_code), found, e, area_base(target, subject, e))]


def each_county(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row per county with parks: the county's total against the bar. 飞地 parks count for the
    county that sends them (飞出地)."""
    rows = []
    for code in sorted({park.counting_county for park in subject.parks}):
        parks = tuple(park for park in subject.parks if park.counting_county == code)
        found = area_reading(e, code, replace(subject, parks=parks), target.indicator_id)
        place = Place(code, name=e.regions.get(code, f"代码{code}地区"))
        rows.append(amount(target, place, found, e, None))
    return rows


def area_average(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row: total per park with a figure. 平均达标 does not mean 逐园达标."""
    place = Place(target.scope_code)
    found = area_reading(e, target.scope_code, subject, target.indicator_id)
    if isinstance(found, Reading) and found.value is not None:
        if not found.n_reported:
            return [not_judged(target, place, e, "no_data", "园区个数未知，平均数无法计算")]
        note = f"按{found.n_reported}个有数园区平均，平均达标不等于逐园达标"
        mean = found.value / found.n_reported
        found = replace(found, value=mean, n_reported=None, notes=(*found.notes, note))
    return [amount(target, place, found, e, None)]


def amount(
    target: Target, place: Place, found: Reading | Missing, e: Evidence, base: Decimal | None
) -> VerdictRow:
    """The row of one figure against the target's bar; ``base``: where the way started."""
    if isinstance(found, Missing):
        return not_judged(target, place, e, found.verdict, found.reason, found.instead)
    if found.value is None or target.value is None:
        return not_judged(target, place, e, "no_data", f"{e.name_of(target.indicator_id)}无数值")
    try:
        bar = _bar(target, e, found.unit)
    except (ValueError, KeyError):
        why = f"目标单位“{target.unit}”与数据单位“{found.unit}”不能换算，不判定"
        return not_judged(target, place, e, "not_comparable", why)
    pace = pace_of(target, e, found.value, bar, base)
    pace = replace(pace, weak=pace.weak or found.thin)
    verdict, light = decide(target, e, meets(target, found.value, bar), pace)
    downward = target.comparator in ("<=", "<", "rank<=")
    row = replace(
        blank_row(target, place, e, found, verdict, light),
        actual=found.value,
        required=bar.required,
        completion_pct=None if downward else progress.completion_pct(found.value, bar.required),
        time_progress_pct=pace.time_pct,
        gap_pp=pace.gap_pp,
        pace_ratio=pace.ratio,
        still_required=_distance(found.value, bar, downward),
        baseline=base,
    )
    return replace(row, reason=_amount_reason(target, place, found, e, pace, row))


def _bar(target: Target, e: Evidence, unit: str) -> Bar:
    """The target's figures in ``unit``; ValueError or KeyError when the units do not convert."""
    assert target.value is not None
    top, slack = target.value_max, target.tolerance
    return Bar(
        to_unit(e, target.value, target.unit, unit),
        None if top is None else to_unit(e, top, target.unit, unit),
        progress.ZERO if slack is None else to_unit(e, slack, target.unit, unit),
    )


def _distance(actual: Decimal, bar: Bar, downward: bool) -> Decimal:
    """What is missing to the bar; for a ceiling or an exceeded range, what is too much."""
    if bar.upper is not None and actual > bar.upper:
        return actual - bar.upper
    return progress.still_required(actual, bar.required, "down" if downward else "up")


def _shown_gap(e: Evidence, value: Decimal, unit: str, wanted: str) -> str:
    """A difference: of two shares in percentage points, else in the document's unit."""
    return f"{wording.number(value)}个百分点" if unit == "%" else shown(e, value, unit, wanted)


def _amount_reason(
    target: Target, place: Place, found: Reading, e: Evidence, pace: Pace, row: VerdictRow
) -> str:
    assert row.actual is not None and row.still_required is not None
    when = wording.months(e.period, e.is_flow(target.indicator_id))
    total = f"{found.n_reported}个园区合计" if found.n_reported else ""
    parts = [
        requirement(target, e),
        f"{place.name}{when}{total}为{shown(e, row.actual, found.unit, target.unit)}",
    ]
    if row.verdict == "met":
        return wording.sentence(parts, row.verdict, found.notes)
    below = row.required is not None and row.actual < row.required
    if row.completion_pct is not None and below:
        parts.append(f"完成目标的{wording.percent(row.completion_pct)}")
    parts += pace_words(pace)
    if row.still_required > 0:
        word = "尚差" if below else "超出"
        parts.append(f"{word}{_shown_gap(e, row.still_required, found.unit, target.unit)}")
    notes = (pace.note, wording.STRENGTH_NOTE.get(target.strength, ""), *found.notes)
    against = "要求" if pace.time_pct is None else "进度"
    return wording.sentence(parts, row.verdict, notes, against)
