"""Judges targets as of a period: every target in force gets a row (or a row per park).

Belongs here: which targets are judged, expired, listed by hand or out of scope. Does not belong
here: how a kind of target is measured (``measures``) or paced (``pace``), writing of tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from assets.targets.duties import condition_holds
from assets.targets.evidence import (
    Evidence,
    Subject,
    subject_of,
)
from assets.targets.measures import measure_of
from assets.targets.pace import in_force
from assets.targets.rows import Place, not_judged
from assets.targets.verdict import VerdictRow, stored
from assets.targets.wording import citation
from warehouse.words import VERDICT_ZH

if TYPE_CHECKING:
    from warehouse.catalog.models import Target

HOLDERS = {
    "park_registry": "园区登记信息（管委会登记、主管部门核定）",
    "assessment_results": "年度考核结果（组织考核的部门公布）",
    "manual_flag": "有关岗位",
}
"""Who holds what the returns do not have, where the catalogue names nobody."""


def judge_all(targets: Sequence[Target], e: Evidence) -> list[VerdictRow]:
    """Rows of all targets on one body of evidence, ordered by target, area and park."""
    e = replace(e, targets={target.target_id: target for target in targets})
    successors = _successors(targets, e)
    rows = [
        stored(row)
        for target in targets
        for row in judge_target(target, e, successors.get(target.target_id))
    ]
    return sorted(rows, key=lambda row: (row.target_id, row.scope_code, row.park_id))


def _successors(targets: Sequence[Target], e: Evidence) -> dict[str, Target]:
    """Targets that have replaced an earlier one by this period, by the id of the earlier one.

    Those the catalogue names, and a later document of the same issuer on the same thing.
    """
    begun = [
        target
        for target in targets
        if in_force(target, e.documents[target.document_id], e.period) != "not_yet"
    ]
    found = {replaced: target for target in begun for replaced in target.replaces}
    newest: dict[tuple[object, ...], Target] = {}
    for target in sorted(begun, key=lambda one: (_issued(one, e), one.target_id)):
        newest[_thing(target, e)] = target
    for target in begun:
        last = newest[_thing(target, e)]
        if _issued(last, e) > _issued(target, e):
            found.setdefault(target.target_id, last)
    return found


def _issued(target: Target, e: Evidence) -> date:
    return e.documents[target.document_id].known_since


def _thing(target: Target, e: Evidence) -> tuple[object, ...]:
    """What a clause is about: two clauses of one issuer about one thing replace one another.

    Counts of parks over a threshold differ by the threshold, named clauses by their name.
    """
    issuer = e.documents[target.document_id].issuer
    bar = target.threshold
    tier = (bar.indicator_id, bar.comparator, bar.value, bar.not_above) if bar else None
    return (issuer, target.indicator_id, target.indicator_name, target.kind, target.scope_level,
            target.scope_code, target.filter.model_dump_json(), tier)  # fmt: skip


def judge_target(target: Target, e: Evidence, successor: Target | None = None) -> list[VerdictRow]:
    """Rows of one target: now, or as of the end of its term when that is over. A target replaced
    by ``successor`` is listed as expired."""
    document = e.documents[target.document_id]
    state = in_force(target, document, e.period)
    place = Place(target.scope_code)
    if not any(target.covers_region(park.region_codes) for park in e.parks):
        why = f"本期园区登记中没有适用对象（适用地区{target.scope_code}）"
        return [not_judged(target, place, e, "out_of_scope", why)]
    if state == "not_yet":
        first = max(target.period.span(document)[0], f"{document.known_since:%Y-%m}")
        why = f"{first[:4]}年{int(first[5:7])}月起适用，本期尚未生效"
        return [not_judged(target, place, e, "out_of_scope", why)]
    if state == "over":
        return _judge_over(target, e)
    if successor is not None:
        new = citation(successor, e.documents[successor.document_id])
        why = f"已由{new}（{successor.target_id}）替代，不再评判"
        return [not_judged(target, place, e, "expired", why)]
    return _judge_now(target, e)


def _judge_now(target: Target, e: Evidence) -> list[VerdictRow]:
    subject = subject_of(target, e)
    if not subject.parks:
        why = "本期园区登记中没有符合条文所列条件的园区"
        return [not_judged(target, Place(target.scope_code), e, "out_of_scope", why)]
    if target.filter.where is not None and target.kind != "conditional":
        subject = _meeting_condition(target, subject, e)
    rows = measure_of(target)(target, subject, e)
    found_something = any(row.verdict != "no_data" for row in rows)
    if rows and (found_something or _from_returns(target) or e.inputs.quotas(target.target_id)):
        return rows
    return [_elsewhere(target, Place(target.scope_code), e, rows)]


def _meeting_condition(target: Target, subject: Subject, e: Evidence) -> Subject:
    """The parks whose figures meet ``filter.where``; a list of just them is published nowhere."""
    parks = tuple(p for p in subject.parks if condition_holds(target, p.park_id, e))
    return replace(subject, parks=parks, group="other")


def _from_returns(target: Target) -> bool:
    return target.computable in ("park_stats", "aggregate_park_stats") and not target.needs


def _elsewhere(target: Target, place: Place, e: Evidence, rows: Sequence[VerdictRow]) -> VerdictRow:
    """Nothing to judge by: who holds the figure, and what is wrong with what was entered."""
    refused = e.inputs.why_refused(target.indicator_id, target.target_id)
    wrong = f"；{refused}" if refused else ""
    if target.cls == "P":
        why = f"项目或企业层面的政策参数，园区统计无法计算，由{_holder(target)}掌握"
        return not_judged(target, place, e, "out_of_scope", why + wrong)
    if target.kind in ("flag", "milestone", "allocation"):
        why = "是否类要求，由有关岗位人工认定并留存佐证，尚未登记认定"
        return not_judged(target, place, e, "manual", why + wrong)
    if _from_returns(target):
        why = f"{e.name_of(target.indicator_id)}缺少判定所需数据（基期、口径或分解表）"
        return not_judged(target, place, e, "no_data", why + wrong)
    partly = next((row.reason for row in rows if len(rows) == 1 and _says_more(row)), "")
    if partly:
        return rows[0]
    why = f"需{_holder(target)}提供，尚未取得"
    return not_judged(target, place, e, "no_data", why + wrong)


def _says_more(row: VerdictRow) -> bool:
    """Whether a missing figure is explained better than by naming its holder."""
    return any(word in row.reason for word in ("未录入", "基期数", "待全年", "职级"))


def _holder(target: Target) -> str:
    return target.needs or HOLDERS.get(target.computable, "有关部门")


def _judge_over(target: Target, e: Evidence) -> list[VerdictRow]:
    """Expired: judged as of the end of the term, shown with the final outcome, never coloured."""
    last = target.period.span(e.documents[target.document_id])[1]
    year = int(last[:4])
    then = e.at_end_of(year)
    head = f"期限至{year}年{int(last[5:7])}月，已期满，不参与当前评判"
    if then is None:
        place, why = Place(target.scope_code), f"{head}；期末数据未入库，终期结果未知"
        return [not_judged(target, place, e, "expired", why)]
    rows = _judge_now(target, replace(then, period=last))
    return [
        _closed(row, e, f"{head}。期末结果（{VERDICT_ZH[row.verdict]}）：{row.reason}")
        for row in rows
    ]


def _closed(row: VerdictRow, e: Evidence, reason: str) -> VerdictRow:
    return replace(
        row,
        asof_period=e.period,
        verdict="expired",
        final_verdict=row.verdict,
        light="grey",
        light_basis="",
        reason=reason,
    )
