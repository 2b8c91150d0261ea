"""公示: from when a published result takes effect, and until when objections are answered.

Belongs here: counting days of a scheme's publicity rule. Does not belong here: publishing anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.catalog.scheme_rules import Publicity


@dataclass(frozen=True, slots=True)
class Notice:
    """Days of a publicity: ``first`` and ``last`` day, the day results take effect, and the last
    day on which objections are answered (``None``: the scheme does not say)."""

    first: date
    last: date
    effective: date
    appeals_until: date | None


def notice(rule: Publicity, first: date, is_workday: Callable[[date], bool]) -> Notice:
    """The publicity that begins on ``first``. With ``workdays`` only those count, ``first`` too if
    it is one. Oracle: 2024-06-04 for five workdays ends on 2024-06-11 (端午 on 06-10)."""
    left, last = rule.days, first - timedelta(days=1)
    while left:
        last += timedelta(days=1)
        left -= not rule.workdays or is_workday(last)
    appeals = last + timedelta(days=rule.appeal_days) if rule.appeal_days else None
    return Notice(first, last, last + timedelta(days=1), appeals)
