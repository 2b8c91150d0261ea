"""Attention between assessments (末位风险名单): simulated ranks and the triggers they set off.

Belongs here: triggers in words and the light they give. Does not belong here: scoring, the last
places themselves (``elimination``), probabilities of a rank, and decisions of any kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from assets.assessment.elimination import LastPlace, PastYears
from assets.assessment.scoring import EXTRA_MEASURES, DetailRow, ScoreResult, ScoreRow
from methods import ranking
from methods.composite import rounded
from methods.progress import Light
from methods.risk_words import printable

if TYPE_CHECKING:
    from warehouse.catalog.schemes import Scheme, WatchRule

LABEL = "模拟名次，非正式考核结果"

LAST_K = "W1"
LAST_YEAR = "W2"
RED_TARGETS = "W3"
REPEATED = "W4"
OTHER_RULE = "W5"
VETOED = "W6"
RISK = "W7"

Change = Literal["", "new", "persisting", "resolved"]
CHANGE_ZH: Mapping[Change, str] = {"new": "本期新增", "resolved": "上期提示已解除"}


@dataclass(frozen=True, slots=True)
class WatchRow:
    """A row of ``assessment.watch``. ``streak``: periods in a row in the last places, this one
    included. Intervals and probabilities stay empty until a calibrated forecast exists.

    ``change`` against the period before; ``best_rank``, ``worst_rank``: the park's rank if its
    missing figures earned the most or the least, the others as they are; ``provisional``: missing
    figures could change whether it is among the last (供参考).
    ``official`` and ``label`` hold for every row: it is never a result of an assessment.
    """

    official: ClassVar[bool] = False
    label: ClassVar[str] = LABEL

    scheme_id: str
    class_id: str
    year: int
    asof_period: str
    park_id: str
    simulated_rank: int | None
    rank_p10: int | None
    rank_p90: int | None
    p_last_k: Decimal | None
    p_exit: Decimal | None
    streak: int
    trigger_ids: tuple[str, ...]
    triggers: str
    light: Light
    not_distinguishable: bool | None
    change: Change
    best_rank: int | None
    worst_rank: int | None
    provisional: bool


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is known from before: ``streaks`` of the preceding period (and which period that was),
    parks ``alerted`` in it (``None``: it was not assessed), confirmed ``past`` years,
    ``red_targets``: park → period → number of red binding targets, ``vetoes``: park → reason."""

    period: str = ""
    streaks: Mapping[str, int] | None = None
    past: PastYears | None = None
    red_targets: Mapping[str, Mapping[str, int]] | None = None
    alerted: frozenset[str] | None = None
    vetoes: Mapping[str, str] | None = None


def watch_list(
    scheme: Scheme,
    result: ScoreResult,
    places: Iterable[LastPlace],
    earlier: Earlier | None = None,
    risks: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[WatchRow]:
    """Every park of the scheme with its simulated rank and triggers; parks that are not ranked are
    listed grey with the reason. ``places`` of all rules. Streaks continue only from the period
    directly before. ``risks``: park → its row of ``assessment.risk``; the light follows its probability
    where that rests on known errors, else the rank as of now."""
    before = earlier or Earlier()
    main: dict[str, LastPlace] = {}
    others: dict[str, list[LastPlace]] = {}
    for place in places:
        if place.rule_no == 0:
            main[place.park_id] = place
        else:
            others.setdefault(place.park_id, []).append(place)
    bounds = rank_bounds(scheme, result, main)
    return [
        _row(
            scheme, row, main.get(row.park_id), others.get(row.park_id, []), before,
            bounds.get(row.park_id), (risks or {}).get(row.park_id),
        )
        for row in result.scores
    ]  # fmt: skip


def trigger_words(rule: WatchRule) -> dict[str, str]:
    """What each trigger means under ``rule``, by trigger id, without a park's own figures."""
    return {
        LAST_K: "位于组内末位区间",
        LAST_YEAR: f"上年考核位于末位区间，本期模拟名次在组内后{rule.lower_pct}%",
        RED_TARGETS: f"连续{rule.red_periods}期各有{rule.red_targets}项以上约束性目标红灯",
        REPEATED: f"连续{rule.repeat_periods}期以上位于组内末位区间",
        OTHER_RULE: "触及方案的其他退出条件",
        VETOED: "发生一票否决事项",
        RISK: f"推算年末位于组内末位的概率不低于{rule.watch_probability:.0%}",
    }


def preceding(period: str) -> str:
    """Report period before ``period``: 2020-05 before 2020-06, 2019-12 before 2020-02."""
    year, month = int(period[:4]), int(period[5:7])
    return f"{year - 1}-12" if month <= 2 else f"{year}-{month - 1:02d}"


def _row(
    scheme: Scheme,
    row: ScoreRow,
    place: LastPlace | None,
    others: Sequence[LastPlace],
    before: Earlier,
    bound: Bound | None,
    risk: Mapping[str, Any] | None,
) -> WatchRow:
    streak = _streak(row, place, before)
    fired = _triggers(scheme.watch, row, place, others, before, streak)
    known = risk if _is_calibrated(scheme.watch, risk) else None
    fired |= _risk_trigger(scheme.watch, known)
    provisional = bound is not None and bound.could_change
    light = _light(row, place, others, fired, bound)
    if row.rank is not None and VETOED not in fired and known is not None:
        light = _risk_light(scheme.watch, known, others, fired, provisional)
    change = _change(row, light, before)
    said = [text for text in fired.values() if text]
    if place is not None and LAST_K not in fired and place.reason:
        said.append(place.reason)
    if bound is not None:
        said.append(bound.words)
    if change in CHANGE_ZH:
        said.append(CHANGE_ZH[change])
    if row.rank is None:
        said = [row.exclusion_reason or "不参与排名", *said]
    return WatchRow(
        scheme_id=row.scheme_id,
        class_id=row.class_id,
        year=row.year,
        asof_period=row.asof_period,
        park_id=row.park_id,
        simulated_rank=row.rank,
        rank_p10=known["rank_p10"] if known else None,
        rank_p90=known["rank_p90"] if known else None,
        p_last_k=known["p_last_k"] if known else None,
        p_exit=known["p_exit"] if known else None,
        streak=streak,
        trigger_ids=tuple(fired),
        triggers=f"{LABEL}。" + "；".join(said) + ("。" if said else ""),
        light=light,
        not_distinguishable=risk["not_distinguishable"] if risk else None,
        change=change,
        best_rank=bound.best if bound else row.rank,
        worst_rank=bound.worst if bound else row.rank,
        provisional=provisional,
    )


def _streak(row: ScoreRow, place: LastPlace | None, before: Earlier) -> int:
    if place is None or not place.in_last_k:
        return 0
    follows = before.period == preceding(row.asof_period)
    return 1 + ((before.streaks or {}).get(row.park_id, 0) if follows else 0)


def _change(row: ScoreRow, light: Light, before: Earlier) -> Change:
    """Against the period before; a park that is not ranked now has resolved nothing."""
    if before.alerted is None or before.period != preceding(row.asof_period) or light == "grey":
        return ""
    was, alerted = row.park_id in before.alerted, light != "green"
    if alerted:
        return "persisting" if was else "new"
    return "resolved" if was else ""


def alerted_parks(rows: Iterable[WatchRow]) -> frozenset[str]:
    """Parks with a light that asks for attention."""
    return frozenset(row.park_id for row in rows if row.light in ("yellow", "orange", "red"))


def _triggers(
    rule: WatchRule,
    row: ScoreRow,
    place: LastPlace | None,
    others: Sequence[LastPlace],
    before: Earlier,
    streak: int,
) -> dict[str, str]:
    fired: dict[str, str] = {}
    if place is not None and place.in_last_k:
        fired[LAST_K] = f"本期模拟名次第{row.rank}名，{place.reason}"
    if _was_last(row, before) and _in_lower_end(rule, row):
        fired[LAST_YEAR] = trigger_words(rule)[LAST_YEAR]
    if _keeps_red(rule, row, before):
        fired[RED_TARGETS] = trigger_words(rule)[RED_TARGETS]
    if streak >= rule.repeat_periods:
        fired[REPEATED] = f"连续{streak}期模拟名次位于组内末位区间"
    other = [one.reason for one in others if one.counts and one.reason]
    if other:
        fired[OTHER_RULE] = "；".join(other)
    vetoed = (before.vetoes or {}).get(row.park_id, "")
    if vetoed:
        fired[VETOED] = vetoed
    return fired


def _risk_trigger(rule: WatchRule, risk: Mapping[str, Any] | None) -> dict[str, str]:
    if risk is None or risk["p_last_k"] < rule.watch_probability:
        return {}
    shown = printable(float(risk["p_last_k"]), risk["draws"])
    places = f"名次多{_between(risk['rank_p10'], risk['rank_p90'])}"
    return {RISK: f"推算年末位于组内末{risk['k']}位的概率{shown}，{places}"}


def _between(best: int, worst: int) -> str:
    """在第3至第5名之间; 为第5名 where both are one."""
    return f"为第{best}名" if best == worst else f"在第{best}至第{worst}名之间"


def _is_calibrated(rule: WatchRule, risk: Mapping[str, Any] | None) -> bool:
    return risk is not None and risk["k"] > 0 and risk["calibrated_pct"] >= rule.calibrated_pct


def _risk_light(
    rule: WatchRule,
    risk: Mapping[str, Any] | None,
    others: Sequence[LastPlace],
    fired: Mapping[str, str],
    provisional: bool,
) -> Light:
    """By probability: red from ``red_probability``, orange from ``watch_probability``, yellow where any
    trigger fired; an exit rule fulfilled is red all the same. Missing figures that could change the
    rank never make it red or orange."""
    assert risk is not None
    if provisional:
        return "yellow" if fired else "green"
    if risk["p_last_k"] >= rule.red_probability or any(one.fulfilled for one in others):
        return "red"
    if risk["p_last_k"] >= rule.watch_probability:
        return "orange"
    return "yellow" if fired else "green"


def _was_last(row: ScoreRow, before: Earlier) -> bool:
    return (before.past or {}).get(row.park_id, {}).get(row.year - 1, False)


def _in_lower_end(rule: WatchRule, row: ScoreRow) -> bool:
    if row.rank is None:
        return False
    return row.rank > row.n - ranking.last_count(row.n, pct=rule.lower_pct)


def _keeps_red(rule: WatchRule, row: ScoreRow, before: Earlier) -> bool:
    counts = (before.red_targets or {}).get(row.park_id, {})
    period = row.asof_period
    for _ in range(rule.red_periods):
        if counts.get(period, 0) < rule.red_targets:
            return False
        period = preceding(period)
    return True


def _light(
    row: ScoreRow,
    place: LastPlace | None,
    others: Sequence[LastPlace],
    fired: Mapping[str, str],
    bound: Bound | None,
) -> Light:
    """Red: last places that count, again or after last year, or an exit rule fulfilled; orange: last
    places that count for the first time; yellow: any other trigger, and last places that missing
    figures could change (never red by absence); green: none; grey: not ranked."""
    if row.rank is None:
        return "grey"
    sure = bound is None or not bound.could_change
    if sure and any(one.fulfilled for one in others):
        return "red"
    if sure and place is not None and place.counts:
        return "red" if LAST_YEAR in fired or REPEATED in fired else "orange"
    return "yellow" if fired else "green"


# --- What is missing, and whether it matters -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bound:
    """A ranked park with missing figures: its rank at best and at worst, and whether that decides
    its place among the last. ``words`` say so in Chinese, without naming any value to report."""

    best: int
    worst: int
    could_change: bool
    words: str


def rank_bounds(
    scheme: Scheme, result: ScoreResult, places: Mapping[str, LastPlace]
) -> dict[str, Bound]:
    """Bounds of every ranked park that lacks a figure. The others' scores are held as they are."""
    by_class: dict[str, list[ScoreRow]] = {}
    for row in result.scores:
        if row.rank is not None:
            by_class.setdefault(row.class_id, []).append(row)
    lines: dict[str, list[DetailRow]] = {}
    for detail in result.details:
        lines.setdefault(detail.park_id, []).append(detail)
    found = {}
    for rows in by_class.values():
        for row in rows:
            gaps = [one for one in lines.get(row.park_id, ()) if _is_gap(one)]
            if gaps:
                found[row.park_id] = _bound(
                    scheme, result, row, rows, lines[row.park_id], places.get(row.park_id)
                )
    return found


def _is_gap(detail: DetailRow) -> bool:
    return detail.raw is None and detail.measure not in EXTRA_MEASURES


def _bound(
    scheme: Scheme,
    result: ScoreResult,
    row: ScoreRow,
    rows: Sequence[ScoreRow],
    details: Sequence[DetailRow],
    place: LastPlace | None,
) -> Bound:
    low, high = _score_range(scheme, result, row, details)
    others = [one.score for one in rows if one.park_id != row.park_id and one.score is not None]
    best = 1 + sum(score > high for score in others)
    worst = 1 + sum(score > low for score in others)
    gaps = [(one.indicator_id, one.measure) for one in details if _is_gap(one)]
    names = "、".join(result.names.get(key, key[0]) for key in gaps)
    k = place.k if place is not None else 0
    ends = {_inside(scheme, others, score, k) for score in (low, high)}
    could = len(ends) == 2
    effect = "可能改变是否位于末位，本行供参考" if could else "不改变是否位于末位的判断"
    words = f"缺数：{names}，补齐后模拟名次{_between(best, worst)}，{effect}"
    return Bound(best, worst, could, words)


def _score_range(
    scheme: Scheme, result: ScoreResult, row: ScoreRow, details: Sequence[DetailRow]
) -> tuple[Decimal, Decimal]:
    """Score of a park if every missing figure earned the least, and the most."""
    low = high = Decimal(0)
    for one in details:
        span = result.spans.get((row.class_id, one.indicator_id, one.measure))
        if one.measure in EXTRA_MEASURES:
            low, high = low + (one.points or 0), high + (one.points or 0)
        elif one.raw is None and span is not None:
            low, high = low + span[0], high + span[1]
        elif one.normalised is not None:
            weight = _weight(scheme, row.class_id, one)
            points = rounded(one.normalised * weight / 100, scheme.decimals)
            low, high = low + points, high + points
    return low, high


def _weight(scheme: Scheme, class_id: str, detail: DetailRow) -> Decimal:
    key = (detail.indicator_id, detail.measure)
    return next(line.weight_in(class_id) for line in scheme.lines if line.key == key)


def _inside(scheme: Scheme, others: Sequence[Decimal], score: Decimal, k: int) -> bool:
    rule = scheme.elimination
    if rule is None:
        return False
    if rule.by == "floor":
        return rule.score_below is not None and score < rule.score_below
    if rule.by == "gate" or k == 0:
        return False
    return sum(other < score for other in others) < k
