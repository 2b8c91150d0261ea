"""Who sends what when: first files, late ones, corrected ones, files sent twice or never.

Belongs here: the plan of a reporter's deliveries for a period with their receipt times. Does not
belong here: what stands in a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from examples.sample import mistakes
from examples.sample.chance import Chance
from examples.sample.registers import Example, period_end
from examples.sample.returns import Return

CHINA = timezone(timedelta(hours=8))
SUFFIXES = ("（修改稿）", "（修正）", "-更正", "修改版")
WEIGHTS = {
    "unknown_park": 3,
    "wrong_period": 3,
    "unknown_unit": 2,
    "times_ten": 4,
    "unit_slip": 2,
    "copied_month": 3,
    "swapped_prior": 2,
    "decimal_growth": 2,
    "broken_total": 3,
    "uncached": 1,
    "missing_park": 2,
    "revised": 5,
    "unreadable": 2,
    "resent_previous": 1,
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file on its way. ``kind`` is the planted mistake, ``""`` for a right file."""

    reporter_id: str
    period: str
    version: int
    kind: str
    received_at: datetime
    suffix: str = ""


def deadline(example: Example, period: str) -> datetime:
    """End of the deadline day in the month after the period."""
    following = period_end(period) + timedelta(days=1)
    day = int(example.settings["deadline_day"])
    return datetime(following.year, following.month, day, 23, 59, 59, tzinfo=CHINA)


def _clock(chance: Chance, day: datetime, *words: object) -> datetime:
    """Office hours of a working day at or before ``day``."""
    while day.weekday() >= 5:
        day -= timedelta(days=1)
    minutes = chance.whole(8 * 60 + 20, 18 * 60 + 10, "clock", *words)
    second = chance.whole(0, 59, "second", *words)
    start = day.replace(hour=0, minute=0, second=0)
    return start + timedelta(minutes=minutes, seconds=second)


def _first_receipt(example: Example, chance: Chance, period: str, who: str, late: bool) -> datetime:
    last = deadline(example, period)
    if late:
        day = last + timedelta(days=chance.whole(3, 13, "late", who, period))
    else:
        day = last - timedelta(days=chance.whole(0, 6, "day", who, period))
    return _clock(chance, day, who, period)


def _listed(example: Example, who: str, period: str) -> dict[str, Any] | None:
    rows = example.settings.get("planted", [])
    return next((r for r in rows if r["reporter"] == who and r["period"] == period), None)


def _drawn_kind(example: Example, chance: Chance, made: Return) -> str:
    """The mistake of a first file by chance; none where a published total must hold."""
    rates = example.settings["mistakes"]
    who, period = made.reporter_id, made.period
    cities = {row.park.city_code for row in made.rows}
    published = example.settings.get("published", [])
    if period in rates["controlled"] or any(
        row["city"] in cities and row["period"] == period for row in published
    ):
        return ""
    if chance.uniform("missing", who, period) < rates["missing"]:
        return "missing"
    if chance.uniform("mistake", who, period) >= rates["rate"]:
        return "late" if chance.uniform("lateness", who, period) < rates["late"] else ""
    kinds = [k for k, n in WEIGHTS.items() for _ in range(n) if mistakes.applies(k, made)]
    return chance.pick(kinds, "kind", who, period)


def plan(example: Example, chance: Chance, made: Return) -> list[Delivery]:
    """All deliveries of a reporter for a period, in order of receipt."""
    who, period = made.reporter_id, made.period
    listed = _listed(example, who, period)
    kind = listed["kind"] if listed else _drawn_kind(example, chance, made)
    if kind == "missing" or not made.rows:
        return []
    first = _first_receipt(example, chance, period, who, kind == "late")
    planted = "" if kind == "late" else kind
    deliveries = [Delivery(who, period, 1, planted, first)]
    days = _correction_days(example, chance, listed, planted, who, period)
    if days is not None:
        suffix = chance.pick(SUFFIXES, "suffix", who, period)
        again = _clock(chance, first + timedelta(days=days), "again", who, period)
        again = max(again, first + timedelta(hours=3))
        deliveries.append(Delivery(who, period, 2, "", again, suffix))
    elif (
        not planted and chance.uniform("twice", who, period) < example.settings["mistakes"]["twice"]
    ):
        again = first + timedelta(minutes=chance.whole(2, 600, "twice", who, period))
        deliveries.append(Delivery(who, period, 2, "sent_twice", again, " (1)"))
    return deliveries


def _correction_days(
    example: Example,
    chance: Chance,
    listed: dict[str, Any] | None,
    kind: str,
    who: str,
    period: str,
) -> int | None:
    """Days until the corrected file; ``None``: no corrected file."""
    if not kind:
        return None
    if listed is not None:
        return listed.get("corrected_days")
    if kind == "revised":
        return chance.whole(25, 150, "months later", who, period)
    if chance.uniform("corrected", who, period) >= example.settings["mistakes"]["corrected"]:
        return None
    slow = chance.uniform("slow", who, period) < 0.12
    return (
        chance.whole(40, 120, "days", who, period)
        if slow
        else chance.whole(1, 7, "days", who, period)
    )
