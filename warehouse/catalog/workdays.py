"""Chinese workdays (工作日): the shipped calendar with 调休, corrected by the catalogue.

Belongs here: whether a day is a workday or a statutory holiday, how sure that is, and counting
workdays. Does not belong here: deadlines (``models.DeadlineRule``, ``quality.deadlines``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from warehouse.catalog.filing import CalendarYear

ONE = timedelta(days=1)


class Workdays:
    """A calendar of workdays: chinesecalendar, and over it what ``calendar.yaml`` lists.

    Beyond the years both know, Monday to Friday are workdays and ``certain`` says so.
    """

    def __init__(self, years: Iterable[CalendarYear] = ()) -> None:
        listed = tuple(years)
        self._years = {year.year for year in listed}
        self._holidays = {day for year in listed for day in year.holidays}
        self._workdays = {day for year in listed for day in year.workdays}

    def is_workday(self, day: date) -> bool:
        """Whether people work on ``day``."""
        if day in self._workdays or day in self._holidays:
            return day in self._workdays
        known = _shipped(day)
        return day.weekday() < 5 if known is None else known

    def is_holiday(self, day: date) -> bool:
        """Whether ``day`` is free by holiday arrangement and not merely a Saturday or Sunday."""
        if day in self._workdays or day in self._holidays:
            return day in self._holidays
        return _shipped_holiday(day)

    def certain(self, day: date) -> bool:
        """Whether the year's holiday arrangement is known, from the library or the catalogue."""
        return day.year in self._years or _shipped(day) is not None

    def later(self, day: date, workdays: int) -> date:
        """The ``workdays``-th workday after ``day`` (before it when negative); itself for 0."""
        step = ONE if workdays > 0 else -ONE
        left = abs(workdays)
        while left:
            day += step
            left -= self.is_workday(day)
        return day

    def passed(self, since: date, day: date) -> int:
        """Workdays after ``since`` up to and including ``day``; 0 when ``day`` is not later."""
        found = 0
        while day > since:
            found += self.is_workday(day)
            day -= ONE
        return found


def _shipped(day: date) -> bool | None:
    """What the library says; ``None`` outside its years."""
    import chinese_calendar

    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None


def _shipped_holiday(day: date) -> bool:
    import chinese_calendar

    try:
        free, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return False
    return bool(free) and name is not None
