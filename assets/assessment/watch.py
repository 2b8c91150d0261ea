"""Attention between assessments (末位风险名单): simulated ranks and the triggers they set off.

Belongs here: triggers in words and the light they give. Does not belong here: scoring, the last
places themselves (``elimination``), probabilities of a rank, and decisions of any kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from assets.assessment.elimination import LastPlace, PastYears
from assets.assessment.scoring import ScoreResult, ScoreRow
from methods import ranking
from methods.progress import Light

if TYPE_CHECKING:
    from decimal import Decimal

    from warehouse.catalog.schemes import Scheme, WatchRule

LABEL = "模拟名次，非正式考核结果"

LAST_K = "W1"
LAST_YEAR = "W2"
RED_TARGETS = "W3"
REPEATED = "W4"


@dataclass(frozen=True, slots=True)
class WatchRow:
    """A row of ``assessment.watch``. ``streak``: periods in a row in the last places, this one
    included. Intervals and probabilities stay empty until a calibrated forecast exists.
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


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is known from before: ``streaks`` of the preceding period (and which period that was),
    confirmed ``past`` years, ``red_targets``: park → period → number of red binding targets."""

    period: str = ""
    streaks: Mapping[str, int] | None = None
    past: PastYears | None = None
    red_targets: Mapping[str, Mapping[str, int]] | None = None


def watch_list(
    scheme: Scheme,
    result: ScoreResult,
    places: Iterable[LastPlace],
    earlier: Earlier | None = None,
) -> list[WatchRow]:
    """Every park of the scheme with its simulated rank and triggers; parks that are not ranked are
    listed grey with the reason. Streaks continue only from the period directly before."""
    before = earlier or Earlier()
    by_park = {place.park_id: place for place in places}
    return [_row(scheme, row, by_park.get(row.park_id), before) for row in result.scores]


def trigger_words(rule: WatchRule) -> dict[str, str]:
    """What each trigger means under ``rule``, by trigger id, without a park's own figures."""
    return {
        LAST_K: "位于组内末位区间",
        LAST_YEAR: f"上年考核位于末位区间，本期模拟名次在组内后{rule.lower_pct:f}%",
        RED_TARGETS: f"连续{rule.red_periods}期各有{rule.red_targets}项以上约束性目标红灯",
        REPEATED: f"连续{rule.repeat_periods}期以上位于组内末位区间",
    }


def preceding(period: str) -> str:
    """Report period before ``period``: 2020-05 before 2020-06, 2019-12 before 2020-02."""
    year, month = int(period[:4]), int(period[5:7])
    return f"{year - 1}-12" if month <= 2 else f"{year}-{month - 1:02d}"


def _row(scheme: Scheme, row: ScoreRow, place: LastPlace | None, before: Earlier) -> WatchRow:
    streak = _streak(row, place, before)
    fired = _triggers(scheme.watch, row, place, before, streak)
    said = [text for text in fired.values() if text]
    if place is not None and LAST_K not in fired and place.reason:
        said.append(place.reason)
    if row.rank is None:
        said = [row.exclusion_reason or "不参与排名", *said]
    return WatchRow(
        scheme_id=row.scheme_id,
        class_id=row.class_id,
        year=row.year,
        asof_period=row.asof_period,
        park_id=row.park_id,
        simulated_rank=row.rank,
        rank_p10=None,
        rank_p90=None,
        p_last_k=None,
        p_exit=None,
        streak=streak,
        trigger_ids=tuple(fired),
        triggers=f"{LABEL}。" + "；".join(said) + ("。" if said else ""),
        light=_light(row, place, fired),
        not_distinguishable=None,
    )


def _streak(row: ScoreRow, place: LastPlace | None, before: Earlier) -> int:
    if place is None or not place.in_last_k:
        return 0
    follows = before.period == preceding(row.asof_period)
    return 1 + ((before.streaks or {}).get(row.park_id, 0) if follows else 0)


def _triggers(
    rule: WatchRule, row: ScoreRow, place: LastPlace | None, before: Earlier, streak: int
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
    return fired


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


def _light(row: ScoreRow, place: LastPlace | None, fired: Mapping[str, str]) -> Light:
    """Red: last places that count, again or after last year; orange: last places that count for
    the first time; yellow: any other trigger; green: none; grey: not ranked."""
    if row.rank is None:
        return "grey"
    if place is not None and place.counts:
        return "red" if LAST_YEAR in fired or REPEATED in fired else "orange"
    return "yellow" if fired else "green"
