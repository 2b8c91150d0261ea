"""Returns of a period (退回): marked copies and letters for every reporter with something to mend.

Belongs here: gathering a period's open problems, reading the archived originals, writing the returned
files, keeping what was sent back. Does not belong here: marking (``quality.returns``), wording
(``quality.letters``), sending. Nothing is ever written to the archive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from assets.deliveries import letters
from assets.submissions.archive import Archive
from quality.deadlines import UNCERTAIN
from quality.letters import (
    Document,
    Letter,
    Office,
    ReturnedFile,
    return_document,
    return_subject,
)
from quality.returns.marking import Job, Marked, mark_all, plain_sheets
from quality.returns.problems import Problem, findings_digest, problems_of
from quality.returns.workbook import Heading
from warehouse import filing
from warehouse.catalog.load import Catalog
from warehouse.catalog.workdays import Workdays
from warehouse.files import write_whole
from warehouse.filing_ledger import FilingLedger, Returned
from warehouse.store import Warehouse
from warehouse.words import date_words, period_words
from warehouse.workspace import Workspace

LETTER = "退回函.pdf"
_UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*\s]+')


class Reader(Protocol):
    """What reads a file's values in a limited process (``ReaderPool``)."""

    def read_one(self, name: str, source: bytes | Path) -> Any:
        """A ``Workbook`` or a ``Rejected``."""
        ...


@dataclass(frozen=True, slots=True)
class Returning:
    """What returns of a workspace need. ``today``: the bureau's local day, printed as day of issue of
    what goes back for the first time; ``open_reader`` starts reading processes when first needed."""

    workspace: Workspace
    catalog: Catalog
    today: date
    open_reader: Callable[[], Reader]

    @property
    def ledger(self) -> FilingLedger:
        """The workspace's ledger of filing."""
        return FilingLedger(self.workspace.state_file)

    @property
    def office(self) -> Office:
        """Who writes."""
        bureau = self.workspace.bureau
        return Office(bureau.name, bureau.contact, self.workspace.simulated)


@dataclass(frozen=True, slots=True)
class ReporterReturn:
    """Everything that goes back to one reporter: files, letter, and the message for the post room."""

    reporter: str
    name: str
    reply_by: str
    n_error: int
    n_verify: int
    files: tuple[ReturnedFile, ...]
    folder: Path
    letter: Letter


@dataclass(frozen=True, slots=True)
class _Case:
    """One file to send back with its record."""

    rows: Sequence[Mapping[str, Any]]
    problems: tuple[Problem, ...]
    record: Returned
    heading: Heading


def open_returns(returning: Returning, period: str) -> dict[str, list[list[dict[str, Any]]]]:
    """reporter → its files with open problems (rows of ``filing.to_mend``), hints alone left out."""
    with Warehouse(returning.workspace).reading() as connection:
        rows = filing.to_mend(connection, period)
    found: dict[str, list[list[dict[str, Any]]]] = {}
    for (reporter, _), group in groupby(rows, key=lambda r: (r["reporter"], r["submission_id"])):
        file = list(group)
        if any(row["severity"] != "hint" for row in file):
            found.setdefault(reporter, []).append(file)
    return found


def build_returns(
    returning: Returning, period: str, reporters: Iterable[str] | None = None
) -> Iterator[ReporterReturn]:
    """Write the returned files of ``period`` and yield them reporter by reporter.

    What goes back for the first time is recorded with its day and the day an answer is due; built
    again, the same problems give the same bytes.
    """
    wanted = None if reporters is None else set(reporters)
    for reporter, files in sorted(open_returns(returning, period).items()):
        if wanted is None or reporter in wanted:
            yield _return_to(returning, period, reporter, files)


def _return_to(
    returning: Returning, period: str, reporter: str, files: Sequence[Sequence[Mapping[str, Any]]]
) -> ReporterReturn:
    folder = returning.workspace.quality / "returns" / period / _safe(reporter)
    name = next(
        (r.name for r in returning.catalog.reporters if r.reporter_id == reporter), reporter
    )
    cases = [_case(returning, period, reporter, name, rows) for rows in files]
    marked = list(mark_all(_job(returning, case) for case in cases))
    names = _copy_names([case.rows[0]["file_name"] for case in cases])
    sent = tuple(
        ReturnedFile(case.heading.file_name, case.record.number, case.problems, copy, result.kind)
        for case, copy, result in zip(cases, names, marked, strict=True)
    )
    issued = max(date.fromisoformat(case.record.issued_on) for case in cases)
    reply_by = max(case.record.reply_by for case in cases)
    document = return_document(
        returning.office,
        name,
        period_words(period),
        sent,
        issued,
        _reply_words(returning, reply_by),
    )
    _write(folder, dict(zip(names, marked, strict=True)), document)
    return ReporterReturn(
        reporter, name, reply_by,
        sum(p.severity == "error" for case in cases for p in case.problems),
        sum(p.severity == "verify" for case in cases for p in case.problems),
        sent, folder, _letter(reporter, period, cases, document, folder, names),
    )  # fmt: skip


def _case(
    returning: Returning, period: str, reporter: str, name: str, rows: Sequence[Mapping[str, Any]]
) -> _Case:
    first = rows[0]
    workspace, zone = returning.workspace, ZoneInfo(returning.workspace.timezone)
    days = Workdays(returning.catalog.calendar)
    source = next((s for s in returning.catalog.sources if s.source_id == first["source_id"]), None)
    due = days.later(returning.today, source.resubmit_workdays if source else 3)
    record = returning.ledger.send_back(
        Returned(
            period, reporter, first["submission_id"], findings_digest(rows), 0,
            returning.today.isoformat(), due.isoformat(), first["file_name"],
        )
    )  # fmt: skip
    received = first["received_at"].replace(tzinfo=UTC).astimezone(zone)
    issued = date.fromisoformat(record.issued_on)
    heading = Heading(
        bureau=workspace.bureau.name,
        reporter=name,
        period=period_words(period),
        file_name=first["file_name"],
        received=f"{received:%Y-%m-%d %H:%M}",
        number=record.number,
        issued_on=issued,
        reply_by=_reply_words(returning, record.reply_by),
        simulated=workspace.simulated,
    )
    return _Case(rows, tuple(problems_of(rows)), record, heading)


def _reply_words(returning: Returning, reply_by: str) -> str:
    day = date.fromisoformat(reply_by)
    sure = Workdays(returning.catalog.calendar).certain(day)
    return date_words(day) + ("" if sure else f"（{UNCERTAIN}）")


# --- the original ---------------------------------------------------------------------------------


def _job(returning: Returning, case: _Case) -> Job:
    """The archived original as far as it may be opened; its archive file is only ever read."""
    first = case.rows[0]
    if first["status"] == "rejected":
        return Job(case.problems, case.heading, why_not="原件未能读取")
    archive = Archive(returning.workspace.archive)
    path = archive.find(first["submission_id"])
    if path is None:
        return Job(case.problems, case.heading, why_not="归档中没有原件")
    content = returning.open_reader().read_one(first["file_name"], path)
    sheets = getattr(content, "sheets", None)
    if sheets is None:
        return Job(case.problems, case.heading, why_not="原件设有打开口令或不能再次打开")
    data = archive.read(first["submission_id"])
    plain_xlsx = content.format in ("xlsx", "xlsm") and data[:2] == b"PK"
    return Job(
        case.problems,
        case.heading,
        original=data if plain_xlsx else None,
        sheets=plain_sheets(sheets),
        was=content.format,
    )


# --- files ----------------------------------------------------------------------------------------


def _safe(name: str) -> str:
    """A name as part of a path: one component, never a way out of the folder."""
    return _UNSAFE.sub("_", name).strip(".") or "_"


def _copy_names(file_names: Sequence[str]) -> list[str]:
    """Name of each copy; files of one name are told apart by a number."""
    names: list[str] = []
    for file_name in file_names:
        stem, number = _safe(Path(file_name).stem)[:60], 1
        name = f"退回_{stem}.xlsx"
        while name in names:
            number += 1
            name = f"退回_{stem}({number}).xlsx"
        names.append(name)
    return names


def _write(folder: Path, copies: Mapping[str, Marked], document: Document) -> None:
    """The folder holds exactly what goes back now; each file appears whole."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {name: marked.data for name, marked in copies.items()}
    contents[LETTER] = letters.to_pdf(document)
    contents["退回函.txt"] = document.text().encode("utf-8")
    for old in folder.iterdir():
        if old.is_file() and old.name not in contents:
            old.unlink()
    for name, data in contents.items():
        write_whole(folder / name, data)


def _letter(
    reporter: str,
    period: str,
    cases: Sequence[_Case],
    document: Document,
    folder: Path,
    names: Sequence[str],
) -> Letter:
    digests = "+".join(sorted(case.record.findings_digest for case in cases))
    return Letter(
        recipient=reporter,
        subject=return_subject(period_words(period), max(c.record.number for c in cases)),
        text=document.text(),
        attachments=(folder / LETTER, *(folder / name for name in names)),
        key=f"return:{period}:{reporter}:{digests}",
    )


def today_of(workspace: Workspace, moment: datetime | None = None) -> date:
    """The bureau's local day of a moment (with zone), by default of now."""
    return (moment or datetime.now(UTC)).astimezone(ZoneInfo(workspace.timezone)).date()


def as_json(result: ReporterReturn, home: Path) -> str:
    """One reporter's return as a line for listings."""
    files = [
        {"file": f.file_name, "number": f.number, "copy": f.copy_name, "marked": f.marked,
         "problems": len(f.problems)}
        for f in result.files
    ]  # fmt: skip
    return json.dumps(
        {"reporter": result.reporter, "name": result.name, "reply_by": result.reply_by,
         "n_error": result.n_error, "n_verify": result.n_verify, "files": files,
         "folder": result.folder.relative_to(home).as_posix(), "subject": result.letter.subject,
         "key": result.letter.key},
        ensure_ascii=False,
    )  # fmt: skip
