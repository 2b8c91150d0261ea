"""Taking files in: inbox → archive and receipt → sandboxed reading → rows of the warehouse.

Belongs here: the order of these steps, who the reporter is, and the rows they make. Does not belong
here: how a format is parsed (``parsers``), how a sheet gets its meaning (``layout``), which version
counts (``warehouse/sql/submissions__versions.sql``), or where rows are stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from assets.build import Progress
from assets.submissions.archive import Archive, Delivery, deliveries, signature
from assets.submissions.reading.workbook import Rejected, Workbook
from assets.submissions.revisions import revision_of
from assets.submissions.tables.file_marks import FileMark, file_marks
from assets.submissions.tables.layout import CellBatch, ReadingContext, reader_for
from assets.submissions.tables.records import Cells
from assets.submissions.values.numbers import row_texts
from assets.submissions.values.periods import ParsedPeriod, parse_period
from quality.finding import Finding
from quality.returns.workbook import LIST_SHEET
from warehouse.catalog.load import Catalog
from warehouse.state import Receipt, State


class Pool(Protocol):
    """What reads files in limited children (``sandbox.ReaderPool``)."""

    def read_many(
        self, sources: Iterable[tuple[str, Path]]
    ) -> Iterable[tuple[str, Workbook | Rejected]]:
        """Content of each file, in order."""
        ...


@dataclass(frozen=True, slots=True)
class SubmissionRows:
    """What one file became: its submission row, its cells and its findings.

    ``content_digest``: of what the file says and means, whatever its bytes. ``revision``: 0 for an
    original, n for a file that calls itself the n-th correction.
    """

    submission: dict[str, Any]
    content_digest: str | None = None
    revision: int = 0
    cells: Cells = field(default_factory=Cells)
    findings: list[Finding] = field(default_factory=list)
    marks: list[FileMark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Received:
    """New receipts, and a finding for every file of the inbox that could not be copied."""

    receipts: list[Receipt]
    findings: list[Finding]


# --- receiving ------------------------------------------------------------------------------------


def receive(
    inbox: Path, archive: Archive, state: State, now: datetime, progress: Progress
) -> Received:
    """Archive every new file of the inbox and give it a receipt. ``now``: naive UTC or with zone.

    A file seen before under the same name, size and time is not read again, unless its line in
    ``receipts.csv`` has been changed; the same bytes under another name are archived once and
    recorded as repeated. Files stay in the inbox. What cannot be copied is told and tried again by
    the next run.
    """
    now = now if now.tzinfo else now.replace(tzinfo=UTC)
    known = state.known_files()
    seen = {receipt.sha256 for receipt in known.values()}
    times = {(r.inbox_path, r.received_at) for r in known.values()}
    fresh: list[Receipt] = []
    changed: list[Receipt] = []
    findings: list[Finding] = []
    found = [(delivery, signature(delivery.path, inbox)) for delivery in deliveries(inbox)]
    new = [(delivery, mark) for delivery, mark in found if mark not in known]
    stored = archive.store_files([delivery.path for delivery, _ in new])
    for number, ((delivery, mark), kept) in enumerate(zip(new, stored, strict=True), start=1):
        progress("收件归档", number, len(new))
        if isinstance(kept, OSError):
            findings.append(_not_copied(delivery, kept))
            continue
        sha256, size = kept
        received = _utc(delivery.received_at or now)
        if (delivery.inbox_path, received) in times and sha256 not in seen:
            received = _utc(now)  # the line was written for what lay here before, not for this
        receipt = Receipt(
            sha256=sha256,
            inbox_path=delivery.inbox_path,
            file_name=delivery.path.name,
            bytes=size,
            received_at=received,
            sender=delivery.sender or _folder(delivery),
            modified_ns=mark[2],
            repeated=sha256 in seen,
        )
        fresh.append(receipt)
        seen.add(sha256)
    archive.settle()
    for delivery, mark in found:
        before = known.get(mark)
        if before is not None and (after := _put_right(before, delivery)) != before:
            changed.append(after)
    state.add_receipts([*fresh, *changed])
    return Received(fresh, findings)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _put_right(receipt: Receipt, delivery: Delivery) -> Receipt:
    """The receipt as ``receipts.csv`` says it today; what it does not say stays."""
    received = _utc(delivery.received_at) if delivery.received_at else receipt.received_at
    return replace(receipt, received_at=received, sender=delivery.sender or receipt.sender)


def _not_copied(delivery: Delivery, error: OSError) -> Finding:
    return Finding(
        rule_id="R-file-not-copied",
        severity="error",
        message=f"收件箱中的“{delivery.inbox_path}”无法复制,未能收件:{error.strerror or error}",
        found=type(error).__name__,
        expected="可读取的文件",
        remedy="请检查该文件的读取权限和磁盘空间;下次运行会再试",
        file_name=delivery.path.name,
    )


def _folder(delivery: Delivery) -> str | None:
    """Sub-folder of the inbox the file lies in: bureaus keep one per reporter."""
    parts = delivery.inbox_path.split("/")[:-1]
    return parts[-1] if parts else None


# --- reading --------------------------------------------------------------------------------------


def read_submissions(
    receipts: Sequence[Receipt],
    archive: Archive,
    catalog: Catalog,
    pool: Pool,
    progress: Progress,
    *,
    first_month: int,
) -> Iterator[SubmissionRows]:
    """Read each received file in its sandbox and give every value its meaning.

    A file that cannot be read becomes a rejected submission with its reason; it never stops the
    others. Rows come in the order of ``receipts``.
    """
    sources = ((receipt.sha256, _original(archive, receipt)) for receipt in receipts)
    for number, (receipt, (_, content)) in enumerate(
        zip(receipts, pool.read_many(sources), strict=True), start=1
    ):
        progress("读取报送件", number, len(receipts))
        yield rows_of(receipt, content, catalog, first_month)


def _original(archive: Archive, receipt: Receipt) -> Path:
    path = archive.find(receipt.sha256)
    if path is None:
        raise FileNotFoundError(f"归档中没有 {receipt.file_name}({receipt.sha256})")
    return path


def rows_of(
    receipt: Receipt, content: Workbook | Rejected, catalog: Catalog, first_month: int
) -> SubmissionRows:
    """The rows one received file makes. Statuses: ``accepted``, or why it is not used as it is
    (``rejected`` unreadable, ``returned`` nothing in it can be used, ``held`` for a person)."""
    receipt, source_id = _sent_through(receipt, catalog)
    if isinstance(content, Rejected):
        return _rejected(receipt, content, catalog, source_id)
    content = _without_our_list(content)
    context = ReadingContext(
        file_name=receipt.file_name,
        sender=receipt.sender,
        received_at=datetime.fromisoformat(receipt.received_at),
        first_month=first_month,
        source_id=source_id,
    )
    batch = reader_for(catalog).read(content, context)
    batch = _with_reporter(batch, catalog, source_id)
    findings = [replace(f, submission_id=receipt.sha256, file_name=receipt.file_name)
                for f in batch.findings]  # fmt: skip
    status, reason = _status(batch, findings)
    row = _submission(receipt, content.format) | {
        "source_id": batch.source_id or source_id,
        "reporter": batch.reporter,
        "period": batch.period,
        "layout_id": batch.layout_id,
        "status": status,
        "reason": reason,
        "n_cells": len(batch.cells),
        "n_findings": len(findings),
    }
    digest = content_digest(content, batch.cells)
    revision, marks = revision_of(receipt.file_name), file_marks(content)
    return SubmissionRows(row, digest, revision, batch.cells, findings, marks)


def _without_our_list(content: Workbook) -> Workbook:
    """A returned copy that comes back mended: the list sheet we added is ours, not reported."""
    kept = tuple(s for s in content.sheets if not s.name.startswith(LIST_SHEET))
    return replace(content, sheets=kept) if kept else content


def _status(batch: CellBatch, findings: Sequence[Finding]) -> tuple[str, str | None]:
    if not batch.cells:
        return "rejected", _first_message(findings)
    if batch.reporter is None:
        return "held", UNKNOWN_REPORTER
    if any(True for _ in batch.cells.usable()):
        return "accepted", None
    return ("held" if batch.layout_id is None else "returned"), _first_message(findings)


def _rejected(
    receipt: Receipt, why: Rejected, catalog: Catalog, source_id: str | None
) -> SubmissionRows:
    finding = Finding(
        rule_id=f"R-file-{why.code}",
        severity="error",
        message=f"文件“{receipt.file_name}”未能读取:{why.message}",
        found=why.found,
        expected=why.expected,
        remedy=why.remedy,
        submission_id=receipt.sha256,
        file_name=receipt.file_name,
    )
    row = _submission(receipt, None) | {
        "status": "rejected",
        "reason": why.message,
        "source_id": source_id,
        "reporter": _named_reporter(receipt, catalog, source_id),
        "period": _period_of_name(receipt),
        "n_findings": 1,
    }
    return SubmissionRows(row, revision=revision_of(receipt.file_name), findings=[finding])


def _period_of_name(receipt: Receipt) -> str | None:
    """Period named by the file or its folder: all there is to go by when it cannot be read."""
    for text in (Path(receipt.file_name).stem, Path(receipt.inbox_path).parent.name):
        found = parse_period(text)
        if isinstance(found, ParsedPeriod):
            return found.period
    return None


def _submission(receipt: Receipt, file_format: str | None) -> dict[str, Any]:
    return {
        "submission_id": receipt.sha256,
        "file_name": receipt.file_name,
        "reporter": receipt.sender,
        "received_at": _naive_utc(receipt.received_at),
        "format": file_format,
        "bytes": receipt.bytes,
        "n_cells": 0,
        "n_findings": 0,
    }


def _naive_utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


def _first_message(findings: Iterable[Finding]) -> str:
    ranked = sorted(findings, key=lambda finding: finding.severity != "error")
    return next((f.message for f in ranked), "文件中没有可识别的数据表")


# --- who sent it ----------------------------------------------------------------------------------

UNKNOWN_REPORTER = "填报单位不明"


def _sent_through(receipt: Receipt, catalog: Catalog) -> tuple[Receipt, str | None]:
    """Receipt and source. A file in a source's folder of the inbox (as ``pull`` fills it) is sent by
    the only reporter registered for that source, by the source itself when none is."""
    sources = {source.source_id for source in catalog.sources}
    top = receipt.inbox_path.partition("/")[0] if "/" in receipt.inbox_path else None
    source_id = next((name for name in (receipt.sender, top) if name in sources), None)
    if source_id is None or receipt.sender not in (source_id, None):
        return receipt, source_id
    reporters = {r.reporter_id for r in catalog.reporters if r.source_id == source_id}
    sender = next(iter(reporters or {source_id})) if len(reporters) < 2 else None
    return replace(receipt, sender=sender), source_id


def _named_reporter(receipt: Receipt, catalog: Catalog, source_id: str | None) -> str | None:
    """Reporter of a file that cannot be read: the sender, else the one its name names."""
    register = reader_for(catalog).register
    known = register.reporter_ids
    if not known or receipt.sender in known or (receipt.sender and receipt.sender == source_id):
        return receipt.sender
    for text in (receipt.sender, Path(receipt.file_name).stem):
        named = register.reporters_named(text) if text else ()
        if len(named) == 1:
            return named[0]
    return None


def _with_reporter(batch: CellBatch, catalog: Catalog, source_id: str | None) -> CellBatch:
    """The batch with a reporter the catalogue knows, or none and a finding that says so.

    A catalogue without reporters takes every sender as it is.
    """
    known = reader_for(catalog).register.reporter_ids
    if not known or batch.reporter in known or (batch.reporter and batch.reporter == source_id):
        return batch
    owner = _owner_of_parks(batch, catalog)
    finding = _unknown_reporter(batch.reporter) if owner is None else _inferred(owner, catalog)
    return replace(batch, reporter=owner, findings=[*batch.findings, finding])


def _owner_of_parks(batch: CellBatch, catalog: Catalog) -> str | None:
    """The one reporter that answers for every park in the file."""
    parks = {park_id for park_id in set(batch.cells.park_id) if park_id}
    register = reader_for(catalog).register
    owners = {
        reporter.reporter_id
        for reporter in catalog.reporters
        if (scope := register.scope(reporter.reporter_id, batch.period)) is not None
        and parks <= scope
    }
    return next(iter(owners)) if parks and len(owners) == 1 else None


def _unknown_reporter(found: str | None) -> Finding:
    return Finding(
        rule_id="R-reporter-unknown",
        severity="error",
        message=f"{UNKNOWN_REPORTER}:发送方、收件箱子文件夹、文件名和表内都没有指明已登记的填报单位,数值已保留,暂不采用",
        found=found or "",
        expected="已登记的填报单位(reporters.csv)",
        remedy="请把文件放入以填报单位编号命名的收件箱子文件夹,或在 receipts.csv 的 sender 列写明;"
        "确需按现状采用的,运行 parkwatch accept",
    )


def _inferred(reporter_id: str, catalog: Catalog) -> Finding:
    name = next(r.name for r in catalog.reporters if r.reporter_id == reporter_id)
    return Finding(
        rule_id="R-reporter-inferred",
        severity="verify",
        message=f"文件没有指明填报单位,因表内园区都由“{name}”报送,按该单位收件",
        expected="发送方或文件中写明填报单位",
        remedy="请核对;不是该单位报送的,运行 parkwatch withdraw 撤回",
    )


# --- the same content -----------------------------------------------------------------------------


def content_digest(workbook: Workbook, cells: Cells) -> str:
    """Digest of what a file says and means, whatever its bytes, its name and its format.

    The meaning belongs to it: last month's file under this month's name says the same and does not
    mean the same.
    """
    said: list[str] = []
    for sheet in workbook.sheets:
        said.append(f"\x1d{sheet.name}")
        for row, values in enumerate(sheet.rows, start=1):
            places = _places(row, len(values))
            said += [
                place + text
                for place, text in zip(places, row_texts(sheet, row), strict=True)
                if text  # only a blank has none
            ]
    meant = zip(*(getattr(cells, name) for name in _MEANING), strict=True)
    said += [
        f"{sheet}\x1e{address}\x1e{park}\x1e{indicator}\x1e{period}\x1e{measure}\x1e{state}"
        f"\x1e{value}\x1e{role}"
        for sheet, address, park, indicator, period, measure, state, value, role in meant
    ]
    return hashlib.sha256("".join(said).encode()).hexdigest()


@lru_cache(maxsize=1024)
def _places(row: int, width: int) -> tuple[str, ...]:
    return tuple(f"\x1e{row},{column}\x1f" for column in range(1, width + 1))


_MEANING = ("sheet", "address", "park_id", "indicator_id", "period", "measure", "state", "value",
            "role")  # fmt: skip
