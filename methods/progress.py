"""Progress towards a target: how much is reached, how much should be reached by now, which light.

Belongs here: arithmetic of one target's progress on plain numbers, the reference methods of other
target trackers (to be compared with, and as test oracles) and the light rules as data. Does not
belong here: which clause applies to whom, wording, catalogue or table access (``assets/targets``).

Amounts, counts and percentages are ``Decimal`` in and out; the reference methods that need roots
(compound growth) are statistics and work in ``float``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

HUNDRED = Decimal(100)
ZERO = Decimal(0)

Direction = Literal["up", "down"]
Light = Literal["green", "yellow", "orange", "red", "grey"]

# --- Completion against the calendar (序时进度) ----------------------------------------------


def time_progress_pct(month: int) -> Decimal:
    """序时进度 m/12 in %: share of the year gone after ``month`` (1..12); January–February is 2/12.

    Source: practice of Chinese bulletins (时间过半，任务过半).
    """
    if not 1 <= month <= 12:
        raise ValueError(f"month must be 1..12, found {month}")
    return Decimal(month) * HUNDRED / 12


def plan_progress_pct(period: str, first: str, last: str) -> Decimal:
    """Share in % of a term gone by the end of ``period``; all ``YYYY-MM``, both ends included."""
    months = months_between(first, last)
    if months <= 0:
        raise ValueError(f"term ends ({last}) before it starts ({first})")
    gone = months_between(first, period)
    return Decimal(min(max(gone, 0), months)) * HUNDRED / months


def months_between(first: str, last: str) -> int:
    """Months from the start of ``first`` to the end of ``last`` (``YYYY-MM``): 1 when equal."""
    return (int(last[:4]) - int(first[:4])) * 12 + int(last[5:7]) - int(first[5:7]) + 1


def completion_pct(actual: Decimal, required: Decimal) -> Decimal | None:
    """完成率 = actual / required in %; ``None`` where the requirement is not positive."""
    return actual * HUNDRED / required if required > 0 else None


def gap_pp(done_pct: Decimal, expected_pct: Decimal) -> Decimal:
    """进度差 in percentage points; negative = behind schedule."""
    return done_pct - expected_pct


def pace_ratio(done_pct: Decimal, expected_pct: Decimal) -> Decimal | None:
    """进度比 = done / expected; ``None`` at a start where nothing is expected yet."""
    return done_pct / expected_pct if expected_pct > 0 else None


def still_required(actual: Decimal, required: Decimal, direction: Direction = "up") -> Decimal:
    """What is missing to ``required``; 0 once it is reached."""
    missing = required - actual if direction == "up" else actual - required
    return max(missing, ZERO)


def way_pct(base: Decimal, current: Decimal, target: Decimal) -> Decimal | None:
    """Share in % of the way from ``base`` to ``target`` covered; ``None`` where there is no way."""
    return (current - base) * HUNDRED / (target - base) if target != base else None


def cagr_path(base: Decimal, target: Decimal, elapsed: int, years: int) -> Decimal | None:
    """Value due after ``elapsed`` of ``years`` on the constant-growth path; ``None`` unless both
    ends are positive. Exact at both ends; roots in between (Decimal, context precision)."""
    if base <= 0 or target <= 0 or years <= 0:
        return None
    if elapsed >= years:
        return target
    return base * (target / base) ** (Decimal(elapsed) / Decimal(years))


# --- Light rules (their values are catalogue data) ----------------------------------------


@dataclass(frozen=True, slots=True)
class Band:
    """A light and the lowest gap (percentage points, inclusive) at which it shows."""

    light: Light
    from_gap_pp: Decimal | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ChanceBand:
    """A light and the lowest probability (0..1, inclusive) of meeting the target it shows at."""

    light: Light
    from_probability: Decimal


@dataclass(frozen=True, slots=True)
class LightRule:
    """Lights by gap to schedule, best band first; the last band has no lower bound.

    ``growth_red_below_pct``: growth below this is red however small the gap (None = not used).
    ``early_months``: months in which growth alone turns nothing red. ``min_reported_pct``: share of
    the parks that must have reported before a total is judged.
    ``chances``: lights by calibrated probability, best first, the last one from 0; empty: the light
    follows the gap even where a probability is known.
    ``official`` is False for values proposed by this project (建议值,非官方).
    """

    rule_id: str
    title: str
    bands: tuple[Band, ...]
    source: str
    official: bool
    growth_red_below_pct: Decimal | None = None
    chances: tuple[ChanceBand, ...] = ()
    early_months: int = 2
    min_reported_pct: Decimal = HUNDRED


def light_for_gap(gap: Decimal, rule: LightRule) -> Light:
    """Light of a gap to schedule; bounds are inclusive (-10 pp is still yellow at Yinchuan)."""
    for band in rule.bands:
        if band.from_gap_pp is None or gap >= band.from_gap_pp:
            return band.light
    raise ValueError(f"light rule {rule.rule_id} has no last band without a lower bound")


def light_for_chance(probability: Decimal, rule: LightRule) -> Light:
    """Light of a calibrated probability; ValueError outside 0..1 or for a rule without bands."""
    if not 0 <= probability <= 1:
        raise ValueError(f"probability must be 0..1, found {probability}")
    for band in rule.chances:
        if probability >= band.from_probability:
            return band.light
    raise ValueError(f"light rule {rule.rule_id} has no band for probability {probability}")


def light_for_growth(growth_pct: Decimal, gap: Decimal, rule: LightRule) -> Light:
    """Light of a growth rate by its ``gap`` to the bar (percentage points): reached green; a
    decline of the figure itself red where the rule says so, however small the gap."""
    if gap >= 0:
        return "green"
    if rule.growth_red_below_pct is not None and growth_pct < rule.growth_red_below_pct:
        return "red"
    return light_for_gap(gap, rule)


# --- Reference methods of other trackers -------------------------------------------------

Status = Literal[
    "achieved", "on_track", "accelerate", "limited", "deterioration", "not_available"
]  # fmt: skip

STATCAN_THRESHOLDS = (0.95, 0.60, 0.0)


def cagr(start: float, end: float, years: float) -> float:
    """Compound growth per year; both values must have the same sign and ``start`` not be 0."""
    if start == 0 or start * end < 0:
        raise ValueError("compound growth needs two values of the same sign, the first not 0")
    return float((end / start) ** (1 / years) - 1)


def growth_ratio(
    base: float,
    current: float,
    target: float,
    years: tuple[float, float, float],
    direction: Direction = "up",
    zero_as: float | None = None,
) -> float | None:
    """R = s·d·CAGR_observed / |CAGR_required|; ``years`` = (base, current, target) year.

    Source: Statistics Canada / Open SDG 2.4 ``progress-methodology``. ``None`` where the method
    has no answer: sign change, base 0, base = target (0/0), fewer than two points. Peers replace a
    target of 0 by 0.001 — pass ``zero_as=0.001`` to reproduce them; :func:`linear_pace` always answers.
    """
    start, now, due = years
    goal = zero_as if target == 0 and zero_as is not None else target
    if now <= start or base == 0 or base * current < 0 or base * goal <= 0:
        return None
    needed = cagr(base, goal, due - start)
    if needed == 0:
        return None
    sign = (-1 if base < 0 else 1) * _sign(direction)
    return sign * cagr(base, current, now - start) / abs(needed)


def ratio_status(ratio: float | None, achieved: bool = False) -> Status:
    """Class of R: ≥ .95 on track, ≥ .60 accelerate, ≥ 0 limited, < 0 deterioration."""
    if achieved:
        return "achieved"
    return _classify(ratio, STATCAN_THRESHOLDS)


def pace_status(pace: float | None, achieved: bool = False) -> Status:
    """Class of a linear pace (share of the way / share of the time) by the same thresholds."""
    return "achieved" if achieved else _classify(pace, STATCAN_THRESHOLDS)


def ratio_score(ratio: float | None, achieved: bool = False) -> float | None:
    """Score −5..5 of R with the source's own coefficients; reached targets score 5."""
    if achieved:
        return 5.0
    if ratio is None:
        return None
    if ratio >= STATCAN_THRESHOLDS[1]:
        return min(7.1429 * ratio - 4.2857, 5.0)
    return max(4.1667 * ratio - 2.5, -5.0)


def limit_coefficient(base: float, limit: float) -> float:
    """C that lowers the bars near a natural limit (e.g. 100 %): 1 − (y0/L)^4.44. Same source."""
    size, bound = abs(base), abs(limit)
    if size >= 2 * bound:
        return 1.0
    near = size if size <= bound else 2 * bound - size
    return 1.0 - float((near / bound) ** 4.44)


@dataclass(frozen=True, slots=True)
class Outlook:
    """UN Progress Chart: value extrapolated to the deadline, share of the way, class 3/2/1."""

    value: float
    ratio: float
    level: int


def un_progress_chart(
    base: float, current: float, target: float, years: tuple[float, float, float]
) -> Outlook:
    """v_e = v_t(1+CAGR)^(T−t), r = (v_e − v_b)/(target − v_b): ≥ .95 → 3, ≥ .10 → 2, else 1.

    Source: UN Statistics Division, SDG Progress Chart 2023 technical note (as used by Eustat).
    """
    start, now, due = years
    value = current * (1 + cagr(base, current, now - start)) ** (due - now)
    ratio = (value - base) / (target - base)
    return Outlook(value, ratio, 3 if ratio >= 0.95 else 2 if ratio >= 0.10 else 1)


def escap_status(base: float, current: float, target: float, direction: Direction = "up") -> float:
    """Current Status Index: 0 at the base, 10 at the target. Source: UN ESCAP technical note."""
    return 10 * _sign(direction) * (current - base) / abs(target - base)


# --- Straight line: an answer for any sign, where no compound rate exists ----------------


def linear_pace(
    base: float, current: float, target: float, years: tuple[float, float, float]
) -> float | None:
    """((y−y0)/(T−y0)) / ((t−t0)/(tT−t0)); defined for any sign; ``None`` at base = target."""
    start, now, due = years
    if target == base or now <= start:
        return None
    return ((current - base) / (target - base)) / ((now - start) / (due - start))


def _sign(direction: Direction) -> int:
    return 1 if direction == "up" else -1


def _classify(value: float | None, bars: tuple[float, float, float]) -> Status:
    if value is None or math.isnan(value):
        return "not_available"
    high, medium, low = bars
    if value >= high:
        return "on_track"
    if value >= medium:
        return "accelerate"
    return "limited" if value >= low else "deterioration"
