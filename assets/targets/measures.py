"""How each kind of target is measured: one function a kind, figures in, verdict rows out.

Belongs here: park minimums, area totals and averages, counties, growth, parks over a threshold,
growth against a benchmark. Does not belong here: which targets are judged at all (``judge``), time
paths and lights (``pace``). A new kind is one function and one line in ``MEASURES``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
from assets.targets.pace import Bar, Pace, decide, decide_growth, is_closing, meets, pace_of
from assets.targets.verdict import VerdictRow
from methods import progress
from methods.progress import Light

if TYPE_CHECKING:
    from warehouse.catalog.models import Target, Threshold

EARLY_MONTHS = 2  # 1—2月: one combined figure, too little to turn a growth light red


@dataclass(frozen=True, slots=True)
class Place:
    """What a row is about: an area, or a park of it. ``name`` is for the reason."""

    scope_code: str
    park_id: str = ""
    name: str = ""


Measure = Callable[["Target", Subject, Evidence], list[VerdictRow]]


# --- Amounts: each park, an area, each county, an average -----------------------------------------


def each_park(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row per park: its own figure against the bar."""
    return [
        _amount(
            target,
            Place(target.scope_code, park.park_id, park.name),
            park_reading(e, park.park_id, target.indicator_id),
            e,
            _park_base(target, park.park_id, e),
        )
        for park in subject.parks
    ]


def area_total(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row: the total over the target's list of parks against the bar."""
    found = area_reading(e, target.scope_code, subject, target.indicator_id)
    return [_amount(target, Place(target.scope_code), found, e, _area_base(target, subject, e))]


def each_county(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row per county with parks: the county's total against the bar. 飞地 parks count for the
    county that sends them (飞出地)."""
    rows = []
    for code in sorted({park.counting_county for park in subject.parks}):
        parks = tuple(park for park in subject.parks if park.counting_county == code)
        found = area_reading(e, code, replace(subject, parks=parks), target.indicator_id)
        place = Place(code, name=e.regions.get(code, f"代码{code}地区"))
        rows.append(_amount(target, place, found, e, None))
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
    return [_amount(target, place, found, e, None)]


def _amount(
    target: Target, place: Place, found: Reading | Missing, e: Evidence, base: Decimal | None
) -> VerdictRow:
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
        _row(target, place, e, found, verdict, light),
        actual=found.value,
        required=bar.required,
        completion_pct=None if downward else progress.completion_pct(found.value, bar.required),
        time_progress_pct=pace.time_pct,
        gap_pp=pace.gap_pp,
        pace_ratio=pace.ratio,
        still_required=_distance(found.value, bar, downward),
    )
    return replace(row, reason=_amount_reason(target, place, found, e, pace, row))


def _bar(target: Target, e: Evidence, unit: str) -> Bar:
    """The target's figures in ``unit``; ValueError or KeyError when the units do not convert."""
    assert target.value is not None
    top, slack = target.value_max, target.tolerance
    return Bar(
        _convert(e, target.value, target.unit, unit),
        None if top is None else _convert(e, top, target.unit, unit),
        progress.ZERO if slack is None else _convert(e, slack, target.unit, unit),
    )


def _distance(actual: Decimal, bar: Bar, downward: bool) -> Decimal:
    """What is missing to the bar; for a ceiling or an exceeded range, what is too much."""
    if bar.upper is not None and actual > bar.upper:
        return actual - bar.upper
    return progress.still_required(actual, bar.required, "down" if downward else "up")


def _amount_reason(
    target: Target, place: Place, found: Reading, e: Evidence, pace: Pace, row: VerdictRow
) -> str:
    assert row.actual is not None and row.still_required is not None
    when = wording.months(e.period, e.is_flow(target.indicator_id))
    total = f"{found.n_reported}个园区合计" if found.n_reported else ""
    parts = [
        _requirement(target, e),
        f"{place.name}{when}{total}为{_shown(e, row.actual, found.unit, target.unit)}",
    ]
    if row.verdict == "met":
        return wording.sentence(parts, row.verdict, found.notes)
    below = row.required is not None and row.actual < row.required
    if row.completion_pct is not None and below:
        parts.append(f"完成目标的{wording.percent(row.completion_pct)}")
    parts += _pace_words(pace)
    if row.still_required > 0:
        word = "尚差" if below else "超出"
        parts.append(f"{word}{_shown(e, row.still_required, found.unit, target.unit)}")
    notes = (pace.note, wording.STRENGTH_NOTE.get(target.strength, ""), *found.notes)
    return wording.sentence(parts, row.verdict, notes)


def _pace_words(pace: Pace) -> list[str]:
    if pace.time_pct is None or pace.gap_pp is None:
        return []
    return [f"{pace.words}{wording.percent(pace.time_pct)}", f"进度差{wording.versus(pace.gap_pp)}"]


# --- Growth ---------------------------------------------------------------------------------------


def each_park_growth(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row per park: growth over the same period of last year against the bar."""
    return [
        _growth(
            target,
            Place(target.scope_code, park.park_id, park.name),
            park_reading(e, park.park_id, target.indicator_id),
            e,
        )
        for park in subject.parks
    ]


def area_growth(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row: growth of the area's total, as aggregated upstream on a comparable scope."""
    found = area_reading(e, target.scope_code, subject, target.indicator_id)
    return [_growth(target, Place(target.scope_code), found, e)]


def growth_over_benchmark(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row: the area's growth minus a benchmark's growth, in percentage points."""
    assert target.benchmark is not None
    place, against = Place(target.scope_code), target.benchmark.indicator_id
    bench = e.areas.get((target.scope_code, against, "all"))
    if bench is None or bench.value is None:
        source = f"，由{target.needs}提供" if target.needs else ""
        why = f"需与{e.name_of(against)}对比{source}，尚未取得"
        return [not_judged(target, place, e, "no_data", why)]
    found = area_reading(e, target.scope_code, subject, target.indicator_id)
    if isinstance(found, Reading) and found.yoy_pct is not None:
        bar = f"{e.name_of(against)}{wording.number(bench.value)}%"
        note = f"园区合计{wording.growth(found.yoy_pct)}，{bar}"
        ids = (*found.figure_ids, f"{target.scope_code}/{against}/all/{e.period}")
        found = replace(found, notes=(*found.notes, note), figure_ids=ids)
    return [_growth(target, place, found, e, bench.value)]


def _growth(
    target: Target,
    place: Place,
    found: Reading | Missing,
    e: Evidence,
    bench: Decimal | None = None,
) -> VerdictRow:
    """Growth against the bar; with ``bench``, the lead over that growth against the bar."""
    if isinstance(found, Missing):
        return not_judged(target, place, e, found.verdict, found.reason, found.instead)
    growth, bar = found.yoy_pct, target.value
    if growth is None or bar is None:
        why = f"{e.name_of(target.indicator_id)}缺少上年同期可比数，同比无法计算"
        return not_judged(target, place, e, "no_data", why)
    early = min(found.n_months or e.month, e.month) <= EARLY_MONTHS
    loose = found.yoy_basis == "levels"
    rate = growth if bench is None else growth - bench
    gap = progress.gap_pp(rate, bar)
    met = meets(target, rate, Bar(bar))
    verdict, light = decide_growth(target, e, met, growth, gap, weak=early or loose)
    fact = f"{e.name_of(target.indicator_id)}{wording.growth(growth)}"
    if bench is not None:
        fact = f"较对比指标{wording.versus(rate)}"
    when = wording.months(e.period, flow=True)
    parts = [_requirement(target, e), f"{place.name}{when}{fact}", f"比目标{wording.versus(gap)}"]
    notes = (
        *found.notes,
        "1—2月数据不单独判红" if early else "",
        "同比由公布数相除，口径可能不一致，仅供参考" if loose else "",
        "" if met else wording.STRENGTH_NOTE.get(target.strength, ""),
    )
    return replace(
        _row(target, place, e, found, verdict, light),
        actual=rate,
        required=bar,
        unit="%" if bench is None else "百分点",
        gap_pp=gap,
        reason=wording.sentence(parts, verdict, notes),
    )


def average_growth(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row: compound yearly growth of a total since the base year (年均增长, geometric).

    Stocks at any month; flows only in December, when a whole year is there.
    """
    place = Place(target.scope_code)
    found = area_reading(e, target.scope_code, subject, target.indicator_id)
    if isinstance(found, Missing):
        return [not_judged(target, place, e, found.verdict, found.reason, found.instead)]
    if e.is_flow(target.indicator_id) and e.month < 12:
        return [not_judged(target, place, e, "no_data", "年均增速待全年数据，年度中间不判定")]
    base, bar = _area_base(target, subject, e), target.value
    if not base or base < 0 or bar is None or found.value is None or found.value <= 0:
        return [not_judged(target, place, e, "no_data", "缺少基期数，年均增速无法计算")]
    start = target.base_year(e.documents[target.document_id])
    years = Decimal((e.year - start - 1) * 12 + e.month) / 12
    rate = ((found.value / base) ** (1 / years) - 1) * progress.HUNDRED
    gap = progress.gap_pp(rate, bar)
    met = meets(target, rate, Bar(bar))
    verdict, light = decide_growth(target, e, met, rate, gap, weak=not is_closing(target, e))
    parts = [
        _requirement(target, e),
        f"{start}年末以来年均增长{wording.number(rate)}%",
        f"比目标{wording.versus(gap)}",
    ]
    row = _row(target, place, e, found, verdict, light)
    reason = wording.sentence(parts, verdict, found.notes)
    return [replace(row, actual=rate, required=bar, unit="%", gap_pp=gap, reason=reason)]


# --- Parks over a threshold -----------------------------------------------------------------------


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
        _row(target, place, e, found, verdict, light),
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
        if _in_band(one.value, one.unit, bar, e):
            over.append(park.name)
        if _in_band(one.value * factor, one.unit, bar, e):
            stretched.append(park.name)
    figures = tuple(figure for _, one in there for figure in one.figure_ids)
    return _Count(tuple(over), tuple(stretched), len(there), figures)


def _in_band(value: Decimal, unit: str, bar: Threshold, e: Evidence) -> bool:
    low = _convert(e, bar.value, bar.unit, unit)
    if bar.not_above is not None and value > _convert(e, bar.not_above, bar.unit, unit):
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
    parts = [_requirement(target, e), facts]
    if verdict != "met" and pace.time_pct is not None:
        if count.stretched != count.over:
            names = wording.listed(count.stretched)
            parts.append(f"按序时折算全年为{len(count.stretched)}个{names}")
        parts += _pace_words(pace)
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
    return [_amount(target, place, found, e, None)]


# --- Shared pieces --------------------------------------------------------------------------------


def not_judged(
    target: Target, place: Place, e: Evidence, verdict: str, why: str, instead: str = ""
) -> VerdictRow:
    """A grey row that says in words why there is no judgement."""
    row = _row(target, place, e, Reading(None, ""), verdict, "grey")
    reason = wording.sentence((_requirement(target, e), f"{place.name}{why}"), verdict)
    return replace(row, reason=reason, indicator_used=instead or target.indicator_id)


def _row(
    target: Target, place: Place, e: Evidence, found: Reading, verdict: str, light: Light
) -> VerdictRow:
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
        probability=None,
        light=light,
        verdict=verdict,
        reason="",
        indicator_used=target.indicator_id,
        figure_ids=found.figure_ids,
    )


def _requirement(target: Target, e: Evidence) -> str:
    """陕政办发〔2018〕20号“二（六）”要求龙头骨干企业数不少于3户（到2021年末）."""
    document = e.documents[target.document_id]
    head = f"{wording.citation(target, document)}要求{target.indicator_name}"
    if target.cls != "Q" or target.unit == "是/否":
        return head
    due = wording.due(target, target.period.span(document)[1])
    return f"{head}{wording.amount(target)}{due}"


PER = ("/园", "/县")
COUNTED = ("户", "个", "家")


def _convert(e: Evidence, value: Decimal, source: str, wanted: str) -> Decimal:
    """户/园, 个/县 are the unit before the slash; counts of firms and sites are one unit."""
    plain = source.split("/")[0] if source.endswith(PER) else source
    if plain == wanted or (plain in COUNTED and wanted in COUNTED):
        return value
    return e.convert(value, plain, wanted)


def _shown(e: Evidence, value: Decimal, unit: str, wanted: str) -> str:
    """A figure in the document's unit where it converts, otherwise in its own."""
    if wanted.endswith(PER):
        return f"{wording.number(value)}{wanted}"
    try:
        return f"{wording.number(_convert(e, value, unit, wanted))}{wanted}"
    except (ValueError, KeyError):
        return f"{wording.number(value)}{unit}"


def _park_base(target: Target, park_id: str, e: Evidence) -> Decimal | None:
    before = _base_evidence(target, e)
    if before is None:
        return None
    found = park_reading(before, park_id, target.indicator_id)
    return found.value if isinstance(found, Reading) else None


def _area_base(target: Target, subject: Subject, e: Evidence) -> Decimal | None:
    """Base the document states, else the figure of the base year, canonical unit."""
    if target.baseline is not None and target.baseline.value is not None:
        known = e.indicators.get(target.indicator_id)
        unit = target.baseline.unit or target.unit
        return (
            target.baseline.value
            if known is None
            else _convert(e, target.baseline.value, unit, known.unit)
        )
    before = _base_evidence(target, e)
    if before is None:
        return None
    found = area_reading(before, target.scope_code, subject, target.indicator_id)
    return found.value if isinstance(found, Reading) else None


def _base_evidence(target: Target, e: Evidence) -> Evidence | None:
    if target.period.type not in ("by_year_end", "plan_average"):
        return None
    return e.at_end_of(target.base_year(e.documents[target.document_id]))


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
    "average_growth": average_growth,
    "count_threshold": count_threshold,
}
"""Measure by kind."""

PARK_MEASURES: dict[str, Measure] = {
    "growth": each_park_growth,
    "level": each_park,
    "range": each_park,
    "share": each_park,
}
"""Measure by kind where the target is about each park (scope level ``park``)."""

COVERAGE: dict[str | None, Measure] = {"park": coverage, "firm": each_park}
"""Measure of 全覆盖 by what is covered; firms are covered within each park."""


def measure_of(target: Target) -> Measure | None:
    """The measure of a target; ``None`` where its kind is not arithmetic on figures."""
    if target.kind == "coverage":
        return COVERAGE.get(target.over)
    if target.scope_level == "park" and target.kind in PARK_MEASURES:
        return PARK_MEASURES[target.kind]
    return MEASURES.get(target.kind)


def nothing_there(rows: Sequence[VerdictRow]) -> bool:
    """True when no row found a figure at all."""
    return all(row.verdict == "no_data" for row in rows)
