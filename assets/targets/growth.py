"""Growth against a bar: each park, an area, over a benchmark, average growth since a base year.

Belongs here: targets whose figure is a growth rate. Does not belong here: how the rate was computed
(``assets/indicators``), lights (``pace``).
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
from assets.targets.pace import Bar, decide_growth, is_closing, meets
from assets.targets.rows import Place, area_base, blank_row, not_judged, requirement
from assets.targets.verdict import VerdictRow
from methods import progress

if TYPE_CHECKING:
    from warehouse.catalog.models import Target


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
    early = min(found.n_months or e.month, e.month) <= e.rule.early_months
    loose = found.yoy_basis == "levels"
    rate = growth if bench is None else growth - bench
    gap = progress.gap_pp(rate, bar)
    met = meets(target, rate, Bar(bar))
    verdict, light = decide_growth(target, e, met, growth, gap, weak=early or loose)
    fact = f"{e.name_of(target.indicator_id)}{wording.growth(growth)}"
    if bench is not None:
        fact = f"较对比指标{wording.versus(rate)}"
    when = wording.months(e.period, flow=True)
    parts = [requirement(target, e), f"{place.name}{when}{fact}", f"比目标{wording.versus(gap)}"]
    notes = (
        *found.notes,
        f"1—{e.rule.early_months}月数据不单独判红" if early else "",
        "同比由公布数相除，口径可能不一致，仅供参考" if loose else "",
        "" if met else wording.STRENGTH_NOTE.get(target.strength, ""),
    )
    return replace(
        blank_row(target, place, e, found, verdict, light),
        actual=rate,
        required=bar,
        unit="%" if bench is None else "百分点",
        gap_pp=gap,
        reason=wording.sentence(parts, verdict, notes, "目标"),
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
    base, bar = area_base(target, subject, e), target.value
    if not base or base < 0 or bar is None or found.value is None or found.value <= 0:
        return [not_judged(target, place, e, "no_data", "缺少基期数，年均增速无法计算")]
    start = target.base_year(e.documents[target.document_id])
    years = Decimal((e.year - start - 1) * 12 + e.month) / 12
    rate = ((found.value / base) ** (1 / years) - 1) * progress.HUNDRED
    gap = progress.gap_pp(rate, bar)
    met = meets(target, rate, Bar(bar))
    verdict, light = decide_growth(target, e, met, rate, gap, weak=not is_closing(target, e))
    parts = [
        requirement(target, e),
        f"{start}年末以来年均增长{wording.number(rate)}%",
        f"比目标{wording.versus(gap)}",
    ]
    row = blank_row(target, place, e, found, verdict, light)
    reason = wording.sentence(parts, verdict, found.notes, "目标")
    row = replace(row, actual=rate, required=bar, unit="%", gap_pp=gap, baseline=base)
    return [replace(row, reason=reason)]
