"""Duties and rules: what people find and tick, events of a year, bottom lines, assessment results.

Belongs here: clauses that are no amount: yes/no duties, events, prohibitions, ranks of park heads,
rewards, streaks, elimination. Does not belong here: amounts and growth (``amounts``, ``growth``),
reading the entered rows (``inputs``). What nobody has entered stays open and says who holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.targets import wording
from assets.targets.evidence import Evidence, Missing, Reading, Subject, park_reading
from assets.targets.inputs import ANSWERS
from assets.targets.pace import Bar, decide, is_closing, meets, schedule_only, soften
from assets.targets.rows import Place, blank_row, not_judged, pace_words, requirement
from assets.targets.verdict import VerdictRow
from methods import progress
from warehouse.catalog import expression

if TYPE_CHECKING:
    from warehouse.catalog.inputs import InputRow
    from warehouse.catalog.models import Park, Target

YEARLY = ("each_year", "full_year")
GRADE, OUTCOME = "K08", "R01"  # registered texts: grade of the year's assessment, outcome of it


# --- Yes or no ------------------------------------------------------------------------------------


def ticked(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """Found by people: one row for the whole scope, or one per place where places were ticked.

    The last finding about a place counts. Duties of a year need a finding of that year.
    """
    findings = e.inputs.ticks(target.target_id, _since(target, e), e.period)
    by_place: dict[tuple[str, str], InputRow] = {}
    for row in findings:
        by_place[row.area_code if row.area_code != target.scope_code else "", row.park_id] = row
    whole = by_place.pop(("", ""), None)
    if by_place:
        places = _places(target, subject, e, by_place)
        return [_found(target, place, by_place.get(key, whole), e) for key, place in places]
    if whole is None and _numbers(target, e):
        return []
    return [_found(target, Place(target.scope_code), whole, e)]


def _numbers(target: Target, e: Evidence) -> bool:
    """Whether a figure was entered for a yes/no duty (1 = yes) instead of a finding."""
    return any(row.value is not None for row in e.inputs.figures(target.indicator_id, e.period))


def _since(target: Target, e: Evidence) -> str:
    return f"{e.year}-01" if target.period.type in YEARLY else "0000-00"


def _places(
    target: Target, subject: Subject, e: Evidence, found: dict[tuple[str, str], InputRow]
) -> list[tuple[tuple[str, str], Place]]:
    """Every place of the clause once places are told apart: parks, or counties."""
    if any(park_id for _, park_id in found):
        code = target.scope_code
        return [
            (("", park.park_id), Place(code, park.park_id, park.name)) for park in subject.parks
        ]
    codes = {park.counting_county for park in subject.parks} | {code for code, _ in found}
    return [((code, ""), Place(code, name=e.regions.get(code, code))) for code in sorted(codes)]


def _found(target: Target, place: Place, row: InputRow | None, e: Evidence) -> VerdictRow:
    if row is None:
        return not_judged(target, place, e, "manual", _who_finds(target, e))
    yes = ANSWERS[row.text]
    verdict, light = ("met", "green") if yes else _refused(target, e)
    day = f"{row.entered_on:%Y-%m-%d}" if row.entered_on else ""
    word = "已做到" if yes else "未做到"
    fact = f"{place.name}经{row.entered_by}于{day}认定{word}（佐证：{row.source}）"
    note = "" if yes else wording.STRENGTH_NOTE.get(target.strength, "")
    answer = Decimal(int(yes))
    found = Reading(answer, "是/否", figure_ids=(row.input_id,))
    return replace(
        blank_row(target, place, e, found, verdict, light),  # type: ignore[arg-type]
        actual=answer,
        required=Decimal(1),
        reason=wording.sentence((requirement(target, e), fact), verdict, (note,), "要求"),
    )


def _who_finds(target: Target, e: Evidence) -> str:
    who = target.needs or "有关岗位"
    year = f"{e.year}年" if target.period.type in YEARLY else ""
    return f"是否类要求，由{who}人工认定并留存佐证，{year}尚未登记认定"


def _refused(target: Target, e: Evidence) -> tuple[str, str]:
    """A duty found undone is red only when it can no longer be done in its term."""
    return soften(target, "red", weak=not is_closing(target, e))


def listed(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """A clause without a quantity: listed with what was entered about it, never judged."""
    del subject
    findings = e.inputs.ticks(target.target_id, _since(target, e), e.period)
    said = [f"{row.entered_on:%Y-%m-%d}{row.source}" for row in findings if row.entered_on]
    why = "只要求开展、未规定数量，仅列示，不判定"
    if said:
        why += f"；本期已登记{len(said)}项佐证：{'、'.join(said[-3:])}"
    return [not_judged(target, Place(target.scope_code), e, "manual", why)]


# --- Events of a year -----------------------------------------------------------------------------


def events(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """Events of the year: the entered number, else one for each ticked event."""
    del subject
    place = Place(target.scope_code)
    total = e.areas.get((target.scope_code, target.indicator_id, "all"))
    since = f"{e.year}-01"
    held = [row for row in e.inputs.ticks(target.target_id, since, e.period) if ANSWERS[row.text]]
    if total is not None and total.value is not None:
        found = Reading(total.value, "次", figure_ids=(total.input_id,), notes=(total.note,))
    elif held:
        ids = tuple(row.input_id for row in held)
        last = held[-1]
        note = f"最近一次{last.entered_on:%Y-%m-%d}，{last.entered_by}登记，佐证：{last.source}"
        found = Reading(Decimal(len(held)), "次", figure_ids=ids, notes=(note,))
    else:
        why = f"活动由有关岗位登记并留存佐证，{e.year}年尚未登记"
        return [not_judged(target, place, e, "manual", why)]
    return [_events(target, place, found, e)]


def _events(target: Target, place: Place, found: Reading, e: Evidence) -> VerdictRow:
    assert found.value is not None and target.value is not None
    bar = Bar(target.value)
    met = meets(target, found.value, bar)
    pace = schedule_only(found.value, target.value, e.month, weak=not is_closing(target, e))
    verdict, light = decide(target, e, met, pace)
    fact = f"{e.year}年已开展{wording.number(found.value)}次"
    words = [] if met else pace_words(pace)
    notes = ("" if met else "年内活动，年底前不判红", *found.notes)
    return replace(
        blank_row(target, place, e, found, verdict, light),
        actual=found.value,
        required=target.value,
        completion_pct=progress.completion_pct(found.value, target.value),
        time_progress_pct=pace.time_pct,
        gap_pp=pace.gap_pp,
        pace_ratio=pace.ratio,
        still_required=progress.still_required(found.value, target.value),
        reason=wording.sentence((requirement(target, e), fact, *words), verdict, notes),
    )


# --- Bottom lines ---------------------------------------------------------------------------------


def prohibition(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """Nothing of the kind may exist: any case is red, whatever the month."""
    del subject
    total = e.areas.get((target.scope_code, target.indicator_id, "all"))
    if total is None or total.value is None:
        return []
    bar = target.value or Decimal(0)
    verdict, light = ("met", "green") if total.value <= bar else ("far_behind", "red")
    place, found = Place(target.scope_code), Reading(total.value, total.unit)
    fact = f"{e.year}年{target.indicator_name}{wording.number(total.value)}{total.unit}"
    row = blank_row(target, place, e, found, verdict, light)  # type: ignore[arg-type]
    reason = wording.sentence(
        (requirement(target, e), fact), verdict, (total.note, "底线要求"), "要求"
    )
    ids = (total.input_id,) if total.input_id else ()
    return [replace(row, actual=total.value, required=bar, reason=reason, figure_ids=ids)]


# --- Rank of the head of a park -------------------------------------------------------------------


def conditional(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row per park the condition holds for: its registered rank against the one asked for.

    The condition is about a year: the figures of the last finished year decide, and those of this
    year where they already suffice. The rank itself is personal and never printed.
    """
    rows = []
    for park in subject.parks:
        holds = _condition(target, park, e)
        if holds:
            rows.append(_head(target, Place(target.scope_code, park.park_id, park.name), holds, e))
    if rows:
        return rows
    why = f"没有园区符合条件（{_in_words(target, e)}）"
    return [not_judged(target, Place(target.scope_code), e, "out_of_scope", why)]


def _in_words(target: Target, e: Evidence) -> str:
    tree = target.filter.where_tree
    return "" if tree is None else expression.to_text(tree, lambda name: e.name_of(name.identifier))


def _condition(target: Target, park: Park, e: Evidence) -> str:
    """Chinese words for the figures by which the condition holds; empty where it does not."""
    for then in (e.at_end_of(e.year - 1), e):
        if then is not None and condition_holds(target, park.park_id, then):
            names = sorted(expression.identifiers(target.filter.where_tree))  # type: ignore[arg-type]
            return "、".join(_figure_words(park.park_id, name, then) for name in names)
    return ""


def condition_holds(target: Target, park_id: str, e: Evidence) -> bool:
    """Whether the figures of a park meet ``filter.where``; an unknown figure does not."""
    tree = target.filter.where_tree
    if tree is None:
        return True
    values = {}
    for name in expression.identifiers(tree):
        found = park_reading(e, park_id, name)
        values[name] = found.value if isinstance(found, Reading) else None
    return expression.evaluate(tree, values) is True


def _figure_words(park_id: str, indicator_id: str, e: Evidence) -> str:
    found = park_reading(e, park_id, indicator_id)
    if isinstance(found, Missing) or found.value is None:
        return ""
    when = wording.months(e.period, e.is_flow(indicator_id))
    return f"{when}{e.name_of(indicator_id)}{wording.number(found.value)}{found.unit}"


def _head(target: Target, place: Place, holds: str, e: Evidence) -> VerdictRow:
    order = e.indicators[target.indicator_id].values if target.indicator_id in e.indicators else ()
    rows = [row for row in e.inputs.figures(target.indicator_id, e.period)
            if row.park_id == place.park_id and row.text]  # fmt: skip
    wanted = _level(order, target.value_text or "")
    if not rows or wanted is None:
        who = target.needs or "园区登记岗位"
        why = f"{holds}，符合条件；职级由{who}提供，尚未取得"
        return not_judged(target, place, e, "no_data", why)
    held = _level(order, rows[-1].text)
    if held is None:
        why = f"{holds}，登记的职级不在目录所列职级中，无法比较"
        return not_judged(target, place, e, "not_comparable", why)
    met = held >= wanted
    verdict, light = ("met", "green") if met else soften(target, "red", weak=False)
    fact = f"{place.name}{holds}，登记的职级{'符合' if met else '低于'}要求"
    found = Reading(None, "", figure_ids=(rows[-1].input_id,))
    row = blank_row(target, place, e, found, verdict, light)  # type: ignore[arg-type]
    note = "人事信息，不进入公开通报"
    reason = wording.sentence((requirement(target, e), fact), verdict, (note,), "要求")
    return replace(row, reason=reason)


def _level(order: Sequence[str], text: str) -> int | None:
    """Place of a rank in the catalogue's list, lowest first; one entry may hold several names."""
    for level, names in enumerate(order):
        if text in names.split("/"):
            return level
    return None


# --- Assessment results ---------------------------------------------------------------------------


def outcomes(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """Elimination, replacement, reward: done when results of this or last year were entered."""
    parks = {park.park_id: park for park in subject.parks}
    rows = [
        row
        for row in e.inputs.figures(target.indicator_id, e.period)
        if row.text and row.park_id in parks and int(row.period[:4]) >= e.year - 1
    ]
    if not rows:
        return []
    counts: dict[str, list[str]] = {}
    for row in rows:
        counts.setdefault(row.text, []).append(parks[row.park_id].name)
    words = "，".join(
        f"{word}{len(names)}个{wording.listed(names)}" for word, names in sorted(counts.items())
    )
    found = Reading(None, "", figure_ids=tuple(row.input_id for row in rows))
    fact = f"{rows[-1].period[:4]}年考核结果已登记：{words}"
    note = f"来源：{rows[-1].source}；文件未规定数量，只看是否已实行"
    done = blank_row(target, Place(target.scope_code), e, found, "met", "green")
    return [replace(done, reason=wording.sentence((requirement(target, e), fact), "met", (note,)))]


def places_within(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row per park with a registered place (前五名): a reward, so nobody is behind."""
    rows = []
    for park in subject.parks:
        found = park_reading(e, park.park_id, target.indicator_id)
        if isinstance(found, Missing) or found.value is None or target.value is None:
            continue
        place = Place(target.scope_code, park.park_id, park.name)
        words = f"第{wording.number(found.value)}名"
        if found.value <= target.value:
            row = blank_row(target, place, e, found, "met", "green")
            parts = (requirement(target, e), f"{park.name}考核{words}")
            reason = wording.sentence(parts, "met", found.notes)
            rows.append(replace(row, actual=found.value, required=target.value, reason=reason))
        else:
            why = f"考核{words}，不在奖励名次内"
            rows.append(not_judged(target, place, e, "out_of_scope", why))
    return rows


def streak(target: Target, subject: Subject, e: Evidence) -> list[VerdictRow]:
    """One row per park with registered grades: how many years running up to the last one known.

    A year without a grade breaks the streak (建议值，非官方).
    """
    rows = []
    texts = [row for row in e.inputs.figures(GRADE, e.period) if row.text]
    for park in subject.parks:
        grades = {int(row.period[:4]): row for row in texts if row.park_id == park.park_id}
        if grades:
            rows.append(_streak(target, park, grades, e))
    return rows


def _streak(target: Target, park: Park, grades: dict[int, InputRow], e: Evidence) -> VerdictRow:
    assert target.value is not None
    year, years = max(grades), 0
    while year - years in grades and grades[year - years].text in target.filter.grade:
        years += 1
    length, wanted = Decimal(years), target.value
    word = "、".join(target.filter.grade)
    place = Place(target.scope_code, park.park_id, park.name)
    fact = f"截至{year}年度已连续{years}年确定为{word}"
    ids = tuple(grades[y].input_id for y in range(year, year - max(years, 1), -1))
    if length < wanted:
        row = not_judged(target, place, e, "out_of_scope", f"{fact}，未满{wanted}年")
        return replace(row, actual=length, required=wanted, unit="年", figure_ids=ids)
    found = Reading(length, "年", figure_ids=ids)
    row = blank_row(target, place, e, found, "met", "green")
    reason = wording.sentence((requirement(target, e), f"{park.name}{fact}"), "met")
    return replace(row, actual=length, required=wanted, reason=reason)
