"""Reminders (催报): who is due, late or silent on a day, and which stage of reminding that is.

Belongs here: choosing the stage by the workday calendar and the words of the letter. Does not belong
here: what arrived (the ledger), the stages themselves (``reminders.yaml``), writing or sending.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from quality.deadlines import UNCERTAIN, Deadlines
from quality.letters import Document, Office, reminder_document
from warehouse.catalog.filing import ReminderStage
from warehouse.catalog.workdays import Workdays
from warehouse.words import date_words, period_words


@dataclass(frozen=True, slots=True)
class Awaited:
    """A reporter of whom something is awaited: the whole return (``missing``), or a returned file to
    be sent again (``returned``). ``subject`` tells one matter from another, ``due`` is its last day."""

    reporter: str
    name: str
    period: str
    about: str
    subject: str
    due: date
    ends: date | None = None
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Reminder:
    """One stage of reminding that is due on a day. ``key`` is the same whenever it is looked at."""

    awaited: Awaited
    stage: ReminderStage
    workdays_over: int

    @property
    def key(self) -> str:
        """period, reporter, matter and stage: what is never produced twice."""
        a = self.awaited
        return f"remind:{a.period}:{a.reporter}:{a.subject}:{self.stage.reminder_id}"


def awaited_return(reporter: str, name: str, deadlines: Deadlines) -> Awaited:
    """The whole return of a period is awaited."""
    return Awaited(
        reporter, name, deadlines.period, "missing", "missing", deadlines.filing,
        deadlines.reminding_ends, deadlines.certain,
    )  # fmt: skip


def due_reminders(
    awaited: Iterable[Awaited],
    stages: Sequence[ReminderStage],
    workdays: Workdays,
    today: date,
    produced: frozenset[str] = frozenset(),
) -> list[Reminder]:
    """The reminder each reporter is due on ``today``, those already produced left out.

    Of several stages that have come only the latest counts: who was not reminded in time is not
    reminded twice at once. ``produced``: keys of earlier reminders.
    """
    found = []
    for matter in awaited:
        come = [
            stage
            for stage in stages
            if stage.about == matter.about and workdays.later(matter.due, stage.workdays) <= today
        ]
        if not come:
            continue
        latest = max(come, key=lambda stage: (stage.workdays, stage.reminder_id))
        over = workdays.passed(matter.due, today)
        if latest.workdays < 0 and today > matter.due:
            continue  # a word before the deadline makes no sense after it
        reminder = Reminder(matter, latest, over)
        if reminder.key not in produced:
            found.append(reminder)
    return sorted(found, key=lambda r: (r.awaited.due, r.awaited.reporter, r.awaited.subject))


def letter_of(reminder: Reminder, office: Office, today: date) -> Document:
    """The reminder as a letter dated ``today``."""
    matter = reminder.awaited
    return reminder_document(
        office,
        matter.name,
        period_words(matter.period),
        title=reminder.stage.title,
        facts=tuple(_facts(reminder, today)),
        request=reminder.stage.request,
        issued=today,
    )


def _facts(reminder: Reminder, today: date) -> Iterable[str]:
    matter, words = reminder.awaited, period_words(reminder.awaited.period)
    due = date_words(matter.due) + ("" if matter.certain else f"（{UNCERTAIN}）")
    if matter.about == "returned":
        yield f"你单位{words}监测报表已退回核实，重报（说明）期限为 {due}，目前尚未收到重报件或说明。"
    elif today <= matter.due:
        yield f"{words}监测报表的报送截止日为 {due}，目前尚未收到你单位的报表。"
    else:
        yield (
            f"{words}监测报表的报送截止日为 {due}，至 {date_words(today)} 已超过 "
            f"{reminder.workdays_over} 个工作日，尚未收到你单位的报表。"
        )
        if matter.ends is not None and today <= matter.ends:
            yield f"催报期至 {date_words(matter.ends)}。"
