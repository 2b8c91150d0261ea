"""Ranks and the last k of a class, with ties kept and rules over several years.

Belongs here: ranking arithmetic on plain scores and yearly yes/no histories. Does not belong here:
which class, which scheme, protection or consequences (``assets/assessment``), and the probability
of a rank (risk methods).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Literal

TieRule = Literal["all_in", "better_of_growth", "none"]
WindowMode = Literal["single", "consecutive", "k_of_m"]
Rounding = Literal["half_up", "up", "down"]
ROUNDINGS = {"half_up": ROUND_HALF_UP, "up": ROUND_CEILING, "down": ROUND_FLOOR}


def ranks(scores: Sequence[Decimal | None]) -> list[int | None]:
    """Rank 1 = highest; equal scores share the better rank and the next ranks are skipped (SQL
    RANK, 同分同名次). ``None`` stays unranked."""
    ordered = sorted((score for score in scores if score is not None), reverse=True)
    first_place: dict[Decimal, int] = {}
    for place, score in enumerate(ordered, start=1):
        first_place.setdefault(score, place)
    return [None if score is None else first_place[score] for score in scores]


def last_count(
    size: int, n: int | None = None, pct: Decimal | None = None, rounding: Rounding = "half_up"
) -> int:
    """How many places are "last": a number, or a share of the class rounded, at least 1."""
    if (n is None) == (pct is None):
        raise ValueError("give either n or pct")
    if n is not None:
        return n
    assert pct is not None
    return max(1, share_count(size, pct, rounding))


def share_count(size: int, pct: Decimal, rounding: Rounding = "half_up") -> int:
    """``pct`` percent of ``size`` as a whole number."""
    share = (pct * size / 100).quantize(Decimal(1), rounding=ROUNDINGS[rounding])
    return int(share)


@dataclass(frozen=True, slots=True)
class LastK:
    """The last places of a class: ``sure`` below the cut, ``tied`` equal to it and taken in by the
    tie rule, ``spared`` equal to it and let go by the tie rule."""

    sure: frozenset[str]
    tied: frozenset[str]
    spared: frozenset[str]

    @property
    def members(self) -> frozenset[str]:
        """Everyone in the last k after the tie rule."""
        return self.sure | self.tied


def last_k(
    scores: Mapping[str, Decimal],
    k: int,
    ties: TieRule = "all_in",
    growth: Mapping[str, Decimal] | None = None,
) -> LastK:
    """The ``k`` lowest scores. At a tie across the cut: ``all_in`` takes all of them (the list may
    be longer than k, a risk list, not a decision); ``none`` takes none of them;
    ``better_of_growth`` spares those with the higher growth until k are left (unknown growth and
    equal growth at the cut stay in)."""
    if k <= 0 or not scores:
        return LastK(frozenset(), frozenset(), frozenset())
    ordered = sorted(scores.values())
    cut = ordered[min(k, len(ordered)) - 1]
    sure = frozenset(key for key, score in scores.items() if score < cut)
    level = frozenset(key for key, score in scores.items() if score == cut)
    seats = k - len(sure)
    if len(level) <= seats:
        return LastK(sure | level, frozenset(), frozenset())
    if ties == "all_in":
        return LastK(sure, level, frozenset())
    if ties == "none":
        return LastK(sure, frozenset(), level)
    stay = _lowest_growth(level, seats, growth or {})
    return LastK(sure, stay, level - stay)


def _lowest_growth(
    level: frozenset[str], seats: int, growth: Mapping[str, Decimal]
) -> frozenset[str]:
    unknown = frozenset(key for key in level if key not in growth)
    left = seats - len(unknown)
    if left <= 0:
        return unknown
    known = sorted(growth[key] for key in level - unknown)
    cut = known[left - 1]
    return unknown | frozenset(key for key in level - unknown if growth[key] <= cut)


@dataclass(frozen=True, slots=True)
class Window:
    """Rule over assessment years: ``single`` this year is enough; ``consecutive`` k years in a row;
    ``k_of_m`` k of the last m assessed years.

    A year without assessment does not count towards m and does not clear a k_of_m window; it
    breaks a consecutive run unless ``gap_resets`` is False. Instances: 商务部2016 consecutive 2,
    商务部2021 2 of 3.
    """

    mode: WindowMode
    k: int = 1
    m: int = 1
    gap_resets: bool = True


def in_window(years: Mapping[int, bool], window: Window) -> bool:
    """True when the years (year → in the last k; absent = not assessed) fulfil the rule at the
    latest year present. That year itself must be True: an old pair is not counted twice."""
    if not years or not years[max(years)]:
        return False
    wanted = 1 if window.mode == "single" else window.k
    return years_counted(years, window) >= wanted


def years_counted(years: Mapping[int, bool], window: Window) -> int:
    """Years that count towards the rule at the latest year: in the window, or in the run."""
    if window.mode == "k_of_m":
        return sum([years[year] for year in sorted(years, reverse=True)][: window.m])
    if window.mode == "single":
        return int(bool(years) and years[max(years)])
    return run_length(years, window.gap_resets)


def run_length(years: Mapping[int, bool], gap_resets: bool = True) -> int:
    """Length of the run of True years ending in the latest year; a missing year breaks it unless
    ``gap_resets`` is False."""
    length = 0
    expected = max(years, default=0)
    for year in sorted(years, reverse=True):
        if not years[year] or (gap_resets and year != expected):
            break
        length += 1
        expected = year - 1
    return length
