"""Judges targets as of a period: every target in force gets a row (or a row per park).

Belongs here: which targets are judged, expired, listed by hand or out of scope. Does not belong
here: how a kind of target is measured (``measures``) or paced (``pace``), writing of tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from assets.targets.evidence import (
    Areas,
    Convert,
    Evidence,
    Values,
    YearEnd,
    subject_of,
)
from assets.targets.measures import measure_of
from assets.targets.pace import in_force
from assets.targets.rows import Place, not_judged
from assets.targets.verdict import VERDICT_ZH, VerdictRow, stored
from assets.targets.wording import citation
from methods.progress import RECOMMENDED, LightRule

if TYPE_CHECKING:
    from warehouse.catalog.models import Document, Indicator, Park, Target

NOT_FROM_RETURNS = {
    "park_registry": "由园区登记信息认定",
    "manual_flag": "由有关岗位人工认定并留存佐证",
    "assessment_results": "由年度考核结果产生，不在本表判定",
}
BY_CLASS = {
    "F": ("manual", "是否类要求，由有关岗位人工认定并留存佐证"),
    "R": ("manual", "规则类条款，由考核结果或登记信息认定"),
    "U": ("manual", "只要求开展、未规定数量，仅列示，不判定"),
    "P": ("out_of_scope", "项目或企业层面的政策参数，园区统计无法计算"),
}


def judge_park_targets(
    targets: Iterable[Target],
    parks: Sequence[Park],
    values: Values,
    period: str,
    *,
    documents: Mapping[str, Document],
    indicators: Mapping[str, Indicator],
    convert: Convert,
    areas: Areas | None = None,
    history: Mapping[int, YearEnd] | None = None,
    regions: Mapping[str, str] | None = None,
    rule: LightRule = RECOMMENDED,
    min_reported: Fraction = Fraction(2, 3),
) -> list[VerdictRow]:
    """Verdicts of all targets as of ``period`` (``YYYY-MM``), ordered by target, area and park.

    ``parks`` are the register rows that hold in the period, ``values`` figures of the year in
    canonical units, ``areas`` published totals, ``history`` figures of finished years (baselines,
    final outcomes of expired documents). ``convert`` raises ValueError or KeyError for units that
    do not convert. Targets whose term has not begun give no row. Unknown documents: KeyError.
    """
    evidence = Evidence(
        period=period,
        parks=tuple(parks),
        values=values,
        convert=convert,
        documents=documents,
        indicators=indicators,
        areas=areas or {},
        history=history or {},
        rule=rule,
        min_reported=min_reported,
        regions=regions or {},
    )
    return judge_all(list(targets), evidence)


def judge_all(targets: Sequence[Target], e: Evidence) -> list[VerdictRow]:
    """Rows of all targets on one body of evidence, ordered by target, area and park."""
    successors = _successors(targets, e)
    rows = [
        stored(row)
        for target in targets
        for row in judge_target(target, e, successors.get(target.target_id))
    ]
    return sorted(rows, key=lambda row: (row.target_id, row.scope_code, row.park_id))


def _successors(targets: Sequence[Target], e: Evidence) -> dict[str, Target]:
    """Targets that have replaced an earlier one by this period, by the id of the earlier one."""
    return {
        replaced: target
        for target in targets
        for replaced in target.replaces
        if in_force(target, e.documents[target.document_id], e.period) != "not_yet"
    }


def judge_target(target: Target, e: Evidence, successor: Target | None = None) -> list[VerdictRow]:
    """Rows of one target: now, or as of the end of its term when that is over. A target replaced
    by ``successor`` is listed as expired."""
    document = e.documents[target.document_id]
    state = in_force(target, document, e.period)
    if state == "not_yet":
        return []
    if state == "over":
        return _judge_over(target, e)
    if successor is not None:
        new = citation(successor, e.documents[successor.document_id])
        why = f"已由{new}（{successor.target_id}）替代，不再评判"
        return [not_judged(target, Place(target.scope_code), e, "expired", why)]
    return _judge_now(target, e)


def _judge_now(target: Target, e: Evidence) -> list[VerdictRow]:
    place = Place(target.scope_code)
    if target.cls in BY_CLASS:
        verdict, why = BY_CLASS[target.cls]
        return [not_judged(target, place, e, verdict, why)]
    subject = subject_of(target, e)
    if not subject.parks:
        why = f"本期园区登记中没有适用对象（适用地区{target.scope_code}）"
        return [not_judged(target, place, e, "out_of_scope", why)]
    if target.filter.where is not None:
        return [not_judged(target, place, e, "manual", "适用条件须结合数据和登记信息认定")]
    measure = measure_of(target)
    rows = [] if measure is None else measure(target, subject, e)
    found_something = any(row.verdict != "no_data" for row in rows)
    if rows and (found_something or _from_returns(target)):
        return rows
    return [_elsewhere(target, place, e)]


def _from_returns(target: Target) -> bool:
    return target.computable in ("park_stats", "aggregate_park_stats") and not target.needs


def _elsewhere(target: Target, place: Place, e: Evidence) -> VerdictRow:
    """No figure here: judged by hand, or waiting for another bureau's figure."""
    if target.computable in NOT_FROM_RETURNS:
        return not_judged(target, place, e, "manual", NOT_FROM_RETURNS[target.computable])
    if target.needs:
        return not_judged(target, place, e, "no_data", f"需外部数据：{target.needs}，尚未取得")
    why = f"{e.name_of(target.indicator_id)}缺少判定所需数据（基期、口径或分解表）"
    return not_judged(target, place, e, "no_data", why)


def _judge_over(target: Target, e: Evidence) -> list[VerdictRow]:
    """Expired: judged as of the end of the term, shown with the final outcome, never coloured."""
    last = target.period.span(e.documents[target.document_id])[1]
    year = int(last[:4])
    then = e.at_end_of(year)
    head = f"期限至{year}年{int(last[5:7])}月，已期满，不参与当前评判"
    place = Place(target.scope_code)
    if target.cls in BY_CLASS:
        return [not_judged(target, place, e, "expired", head)]
    if then is None:
        return [not_judged(target, place, e, "expired", f"{head}；期末数据未入库，终期结果未知")]
    rows = _judge_now(target, replace(then, period=last))
    return [
        _closed(row, e, f"{head}。期末结果（{VERDICT_ZH[row.verdict]}）：{row.reason}")
        for row in rows
    ]


def _closed(row: VerdictRow, e: Evidence, reason: str) -> VerdictRow:
    return replace(row, asof_period=e.period, verdict="expired", light="grey", reason=reason)
