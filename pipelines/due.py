"""What is due and not closed, and what to do about it: pure decisions, no clock, no Dagster.

Belongs here: which periods are due by the catalogue's deadlines, which of them are closed, which are
to be requested now, retried later or given to a person. Does not belong here: asking Dagster or the
ledger (``sensors``), deadlines themselves (``quality.deadlines``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from quality.deadlines import deadlines_of
from warehouse.workspace import Automation

if TYPE_CHECKING:
    from warehouse.catalog.load import Catalog

Standing = Literal["active", "failed", "done"]
Why = Literal["running", "retry_later", "given_up", "skipped"]


@dataclass(frozen=True, slots=True)
class Due:
    """A period and the moment (with zone) from which it is due: the deadline day has ended.

    ``certain`` is false when the holiday arrangement of its year is not known.
    """

    period: str
    at: datetime
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run requested for a due period: the ``number``-th, and how it stands. ``ended``: with zone."""

    period: str
    number: int
    standing: Standing
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A run to be requested; ``run_key`` makes a second request of the same attempt impossible."""

    period: str
    number: int
    reason: Literal["due", "retry"]

    @property
    def run_key(self) -> str:
        """Period, attempt and reason."""
        return f"{self.period}:{self.number}:{self.reason}"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A due period for which nothing is requested now, and why. ``until``: when it will be."""

    period: str
    why: Why
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do at a moment: requests in order of periods, what waits, what comes next."""

    requests: tuple[Request, ...]
    waiting: tuple[Waiting, ...]
    upcoming: tuple[Due, ...]

    @property
    def outstanding(self) -> bool:
        """Whether a due period is, or will be, worked on without anybody doing anything."""
        return bool(self.requests) or any(w.why in ("running", "retry_later") for w in self.waiting)


def due_moments(
    catalog: Catalog, rule: Automation, first_month: int, zone: ZoneInfo, until: date
) -> list[Due]:
    """Every period watched whose months begin no later than ``until``, with its due moment.

    A period is due when the filing day (报送截止) of its last source has ended in ``zone``. Periods
    for which no source sets a day are never due by themselves.
    """
    from warehouse.catalog.workdays import Workdays

    workdays = Workdays(catalog.calendar)
    found = []
    for period in _periods(rule, until):
        days = [
            deadlines_of(source, period, workdays)
            for source in catalog.sources
            if int(period[5:]) in source.due_months(first_month)
        ]
        known = [day for day in days if day is not None]
        if known:
            last = max(day.filing for day in known)
            at = datetime.combine(last + timedelta(days=1), time(rule.hour), zone)
            found.append(Due(period, at, all(day.certain for day in known)))
    return found


def _periods(rule: Automation, until: date) -> Iterator[str]:
    if rule.since is None:
        return
    year, month = int(rule.since[:4]), int(rule.since[5:])
    last = f"{until:%Y-%m}" if rule.through is None else min(rule.through, f"{until:%Y-%m}")
    while (period := f"{year:04d}-{month:02d}") <= last:
        yield period
        year, month = year + month // 12, month % 12 + 1


def decide(
    due: Iterable[Due],
    closed: Mapping[str, datetime],
    attempts: Sequence[Attempt],
    now: datetime,
    rule: Automation,
) -> Decision:
    """What to request at ``now``. ``closed``: period → when its newest published build was made.

    A period is closed when it was built, to the end, after it became due and not in the future (a
    clock that had run ahead proves nothing). One that failed is requested again after the waits of
    ``rule.retry_minutes``, then it is a person's.
    """
    ordered = sorted(due, key=lambda d: d.at)
    upcoming = tuple(d for d in ordered if d.at > now)
    open_ones = [d for d in ordered if d.at <= now and not _is_closed(d, closed, now)]
    chosen = open_ones
    if rule.policy == "none":
        chosen = []
    elif rule.policy == "latest":
        newest = max((d.period for d in ordered if d.at <= now), default=None)
        chosen = [d for d in open_ones if d.period == newest]
    requests: list[Request] = []
    waiting = [Waiting(d.period, "skipped") for d in open_ones if d not in chosen]
    for one in sorted(chosen, key=lambda d: d.period):
        step = _step(one.period, [a for a in attempts if a.period == one.period], now, rule)
        if isinstance(step, Request):
            requests.append(step)
        else:
            waiting.append(step)
    return Decision(tuple(requests), tuple(waiting), upcoming)


def _is_closed(due: Due, closed: Mapping[str, datetime], now: datetime) -> bool:
    built = closed.get(due.period)
    return built is not None and due.at <= built <= now


def _step(
    period: str, attempts: Sequence[Attempt], now: datetime, rule: Automation
) -> Request | Waiting:
    if any(a.standing == "active" for a in attempts):
        return Waiting(period, "running")
    if not attempts:
        return Request(period, 1, "due")
    last = max(attempts, key=lambda a: a.number)
    if last.number > len(rule.retry_minutes):
        return Waiting(period, "given_up")
    until = (last.ended or now) + timedelta(minutes=rule.retry_minutes[last.number - 1])
    if until <= now:
        return Request(period, last.number + 1, "retry")
    return Waiting(period, "retry_later", until)
