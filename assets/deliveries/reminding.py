"""Reminders of a period (催报): who is awaited by the ledger, letters written once, the ledger kept.

Belongs here: gathering what is awaited, writing each reminder's text under the workspace, recording
it so that it is never produced twice. Does not belong here: stages and wording
(``quality.reminders``), sending.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from quality.deadlines import deadlines_of
from quality.letters import Letter, Office, reminder_subject
from quality.reminders import Awaited, Reminder, awaited_return, due_reminders, letter_of
from warehouse.catalog.load import Catalog
from warehouse.catalog.models import period_end
from warehouse.catalog.workdays import Workdays
from warehouse.files import write_whole
from warehouse.filing_ledger import FilingLedger, Returned
from warehouse.words import period_words
from warehouse.workspace import Workspace

_ARRIVED = {"accepted", "partly", "returned", "held", "rejected", "late_locked", "superseded"}


@dataclass(frozen=True, slots=True)
class Produced:
    """A reminder with its letter; ``file`` is where its text lies (to be, on a dry run)."""

    reminder: Reminder
    letter: Letter
    file: Path


def awaited(workspace: Workspace, catalog: Catalog, period: str, moment: datetime) -> list[Awaited]:
    """Who has to send something for ``period``, by what is known to the ledger at ``moment``."""
    ledger = FilingLedger(workspace.state_file)
    days = Workdays(catalog.calendar)
    sources = {source.source_id: source for source in catalog.sources}
    arrived = {
        row["reporter"]
        for row in ledger.outcomes(period, _ARRIVED)
        if row["period"] == period and _utc(row["received_at"]) <= moment
    } | {
        row["reporter"]
        for row in ledger.board(period)
        if row["sha256"] and _utc(row["received_at"]) <= moment
    }
    found = []
    for reporter in catalog.reporters_on(period_end(period)):
        source = sources.get(reporter.source_id)
        if source is None or int(period[5:]) not in source.due_months(workspace.first_month):
            continue
        deadlines = deadlines_of(source, period, days)
        if deadlines is not None and reporter.reporter_id not in arrived:
            found.append(awaited_return(reporter.reporter_id, reporter.name, deadlines))
    return found + _unanswered(ledger, catalog, period, moment, days)


def _unanswered(
    ledger: FilingLedger, catalog: Catalog, period: str, moment: datetime, days: Workdays
) -> list[Awaited]:
    """Files sent back whose reporter has delivered nothing since and has problems still open."""
    names = {reporter.reporter_id: reporter.name for reporter in catalog.reporters}
    asked = {row["reporter"] for row in ledger.filing(period) if row["n_ask"]}
    status = {row["sha256"]: row["status"] for row in ledger.outcomes(period, _ARRIVED)}
    newest: dict[str, Returned] = {}
    for case in ledger.returned(period):
        newest[case.reporter] = case
    return [
        Awaited(
            reporter, names.get(reporter, reporter), period, "returned",
            f"{case.submission_id[:12]}-{case.number}", date.fromisoformat(case.reply_by),
            certain=days.certain(date.fromisoformat(case.reply_by)),
        )
        for reporter, case in sorted(newest.items())
        if (reporter in asked or status.get(case.submission_id) in ("rejected", "returned", "held"))
        and status.get(case.submission_id) != "superseded"
        and not _delivered_since(ledger, period, case, moment)
    ]  # fmt: skip


def _delivered_since(ledger: FilingLedger, period: str, case: Returned, moment: datetime) -> bool:
    rows = ledger.outcomes(period, _ARRIVED)
    sent = next((row for row in rows if row["sha256"] == case.submission_id), None)
    since = _utc(sent["received_at"]) if sent else None
    return any(
        row["reporter"] == case.reporter
        and row["sha256"] != case.submission_id
        and (since is None or since < _utc(row["received_at"]) <= moment)
        for row in rows
    )


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def remind(
    workspace: Workspace, catalog: Catalog, period: str, moment: datetime, *, dry_run: bool = False
) -> Iterator[Produced]:
    """The reminders due at ``moment`` (with zone) that have not been produced before.

    Each is written to ``quality/reminders/<period>/`` and recorded, unless ``dry_run``.
    """
    ledger = FilingLedger(workspace.state_file)
    today = moment.astimezone(ZoneInfo(workspace.timezone)).date()
    known = frozenset(row["key"] for row in ledger.letters(period))
    days = Workdays(catalog.calendar)
    matters = awaited(workspace, catalog, period, moment)
    office = Office(workspace.bureau.name, workspace.bureau.contact, workspace.simulated)
    for reminder in due_reminders(matters, catalog.reminders, days, today, known):
        file = _file(workspace, reminder)
        text = letter_of(reminder, office, today).text()
        subject = reminder_subject(reminder.stage.title, period_words(period))
        produced = Produced(
            reminder, Letter(reminder.awaited.reporter, subject, text, (), reminder.key), file
        )
        if not dry_run:
            _keep(ledger, workspace, produced, moment)
        yield produced


def _file(workspace: Workspace, reminder: Reminder) -> Path:
    matter = reminder.awaited
    folder = workspace.quality / "reminders" / matter.period
    tail = "" if matter.about == "missing" else f"_{matter.subject}"
    return folder / f"{matter.reporter}_{reminder.stage.reminder_id}{tail}.txt"


def _keep(ledger: FilingLedger, workspace: Workspace, produced: Produced, moment: datetime) -> None:
    """Text first, then the record: killed in between, the next run writes the same file again."""
    file, matter = produced.file, produced.reminder.awaited
    write_whole(file, f"{produced.letter.subject}\n\n{produced.letter.text}".encode())
    ledger.add_letter(
        {
            "key": produced.letter.key,
            "period": matter.period,
            "reporter": matter.reporter,
            "stage": produced.reminder.stage.reminder_id,
            "produced_at": moment.astimezone(UTC).isoformat(timespec="seconds"),
            "file": file.relative_to(workspace.home).as_posix(),
        }
    )
