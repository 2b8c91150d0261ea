"""Who has to report for a period, and by when, on the Chinese workday calendar.

Belongs here: the expectation of returns from the catalogue's reporters and deadline rules. Does not
belong here: what arrived (the ledger) or reminding anybody.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from warehouse.catalog.models import period_end

if TYPE_CHECKING:
    from warehouse.catalog.load import Catalog


def is_workday(day: date) -> bool:
    """Whether ``day`` is a workday with 调休; beyond the calendar's years Monday to Friday."""
    import chinese_calendar

    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def expected_reporters(
    catalog: Catalog, period: str, first_month: int
) -> list[tuple[str, str, str | None]]:
    """(reporter id, name, last day of the deadline) of every return due for ``period``."""
    end, month = period_end(period), int(period[5:])
    sources = {source.source_id: source for source in catalog.sources}
    expected = []
    for reporter in catalog.reporters:
        source = sources.get(reporter.source_id)
        if source is None or not reporter.holds_on(end):
            continue
        if month in source.due_months(first_month):
            due = source.deadline.due(period, is_workday).isoformat() if source.deadline else None
            expected.append((reporter.reporter_id, reporter.name, due))
    return expected
