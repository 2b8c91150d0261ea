"""Deadlines (期限) of a period: filing, end of reminding, acceptance, answer to a returned file.

Belongs here: the dates a source's rules give on the workday calendar, and whether the holiday
arrangement behind them is known. Does not belong here: who has reported (the ledger), reminding.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from warehouse.catalog.models import Source
from warehouse.catalog.workdays import Workdays


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Last days, each to its end in the bureau's zone. ``certain`` is false when one of them lies in a
    year whose holiday arrangement neither the shipped calendar nor ``calendar.yaml`` knows."""

    source_id: str
    period: str
    filing: date
    """报送截止."""
    reminding_ends: date
    """催报期满: a return still absent afterwards is 漏报."""
    acceptance: date | None
    """审核验收截止."""
    certain: bool


UNCERTAIN = "期限未经放假安排核定：该年度的放假安排尚未登记（calendar.yaml），暂按周一至周五推算"


def deadlines_of(source: Source, period: str, workdays: Workdays) -> Deadlines | None:
    """The deadlines of ``source`` for ``period`` (YYYY-MM); ``None`` when it has none."""
    rule = source.deadline
    if rule is None:
        return None
    filing = rule.due(period, workdays.is_workday, workdays.is_holiday)
    acceptance = (
        source.acceptance.due(period, workdays.is_workday, workdays.is_holiday)
        if source.acceptance
        else None
    )
    days = [day for day in (filing, acceptance) if day is not None]
    return Deadlines(
        source_id=source.source_id,
        period=period,
        filing=filing,
        reminding_ends=rule.missing_after(period, workdays.is_workday, workdays.is_holiday),
        acceptance=acceptance,
        certain=all(workdays.certain(day) for day in days),
    )
