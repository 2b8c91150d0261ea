"""Models of the filing policy (报送管理): what a finding does, workdays by hand, reminder stages.

Belongs here: the items of ``triage.yaml``, ``calendar.yaml`` and ``reminders.yaml`` and the order in
which triage entries apply. Does not belong here: deadlines of a source (``models.Source``), rules
that raise findings, or carrying any of this out (``quality``, ``warehouse/sql``).
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from warehouse.catalog.models import CatalogModel, Day, Id, Text

Reach = Literal["file", "park", "cell", "mark"]


class TriagePolicy(CatalogModel):
    """What findings of some rules do to the figures they are about (审核分流).

    ``rules`` are patterns of rule ids (``V0*``), ``sources`` the sources it holds for (all when
    empty). ``error``: how much is kept back for a finding of severity 错误 — the ``file``, the
    ``park``'s figures of that file and period, the ``cell``, or nothing (``mark``). ``verify``: what a 核实
    does until it is explained or waived. ``returned``: whether the reporter is asked to mend it; some
    findings are for the office alone.
    """

    triage_id: Id
    rules: tuple[Text, ...] = ("*",)
    sources: tuple[Id, ...] = ()
    error: Reach = "park"
    verify: Literal["accept_and_mark", "hold"] = "accept_and_mark"
    returned: bool = True
    reason: Text

    def weight(self, pattern: str, *, for_source: bool) -> int:
        """How specific a pattern of this entry is; the most specific one that fits applies.

        A source outweighs any pattern; then the pattern with more literal characters.
        """
        return 1000 * for_source + sum(character not in "*?" for character in pattern)


class CalendarYear(CatalogModel):
    """Days of a year that are not what the shipped calendar says, and where that is announced.

    A year listed here counts as known even when the shipped calendar ends before it.
    """

    year: Annotated[int, Field(ge=1949, le=2100)]
    holidays: tuple[Day, ...] = ()
    workdays: tuple[Day, ...] = ()
    source: Text

    @model_validator(mode="after")
    def _of_the_year(self) -> Self:
        stray = [day for day in (*self.holidays, *self.workdays) if day.year != self.year]
        if stray:
            raise ValueError(f"{stray[0]} 不在 {self.year} 年内")
        both = set(self.holidays) & set(self.workdays)
        if both:
            raise ValueError(f"{min(both)} 同时列为放假和上班")
        return self


class ReminderStage(CatalogModel):
    """One stage of reminding (催报): ``workdays`` before (negative) or after the day it is about.

    ``about``: ``missing`` counts from the filing deadline, ``returned`` from the day by which a
    returned file is to be sent again.
    """

    reminder_id: Id
    about: Literal["missing", "returned"] = "missing"
    workdays: Annotated[int, Field(ge=-20, le=60)]
    title: Id
    request: Text
    reason: Text
