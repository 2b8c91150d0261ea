"""Who has to report for a period, and by when, on the Chinese workday calendar.

Belongs here: the expectation of returns from the catalogue's reporters and deadline rules. Does not
belong here: what arrived (the ledger) or reminding anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.catalog.models import period_end
from warehouse.catalog.workdays import Workdays

if TYPE_CHECKING:
    from warehouse.catalog.load import Catalog


def expected_reporters(
    catalog: Catalog, period: str, first_month: int
) -> list[tuple[str, str, str | None]]:
    """(reporter id, name, last day of the deadline) of every return due for ``period``."""
    end, month = period_end(period), int(period[5:])
    days = Workdays(catalog.calendar)
    sources = {source.source_id: source for source in catalog.sources}
    expected = []
    for reporter in catalog.reporters:
        source = sources.get(reporter.source_id)
        if source is None or not reporter.holds_on(end):
            continue
        if month in source.due_months(first_month):
            rule = source.deadline
            due = rule.due(period, days.is_workday, days.is_holiday).isoformat() if rule else None
            expected.append((reporter.reporter_id, reporter.name, due))
    return expected
