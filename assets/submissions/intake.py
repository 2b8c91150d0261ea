"""Taking files in: inbox → archive and receipt → sandboxed reading → rows of the warehouse.

Belongs here: the order of these steps and the rows they make. Does not belong here: how a format is
parsed (``parsers``), how a sheet gets its meaning (``layout``), or where rows are stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assets.build import Progress
from assets.submissions.archive import Archive, Delivery, deliveries
from assets.submissions.layout import CellRecord, ReadingContext, read_cells
from assets.submissions.numbers import raw_text
from assets.submissions.periods import ParsedPeriod, parse_period
from assets.submissions.sandbox import ReaderPool
from assets.submissions.workbook import Rejected, Workbook
from quality.finding import Finding
from warehouse.catalog.load import Catalog
from warehouse.state import Receipt, State


@dataclass(frozen=True, slots=True)
class SubmissionRows:
    """What one file became: its submission row, its cells and its findings, as dicts by column."""

    submission: dict[str, Any]
    content_digest: str | None = None
    cells: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def receive(
    inbox: Path, archive: Archive, state: State, now: datetime, progress: Progress
) -> list[Receipt]:
    """Archive every new file of the inbox and give it a receipt; returns the new receipts.

    A file seen before under the same name, size and time is not read again; the same bytes under
    another name are archived once and recorded as repeated. Files stay in the inbox.
    """
    known = state.known_files()
    seen = set(known.values())
    fresh: list[Receipt] = []
    found = [d for d in deliveries(inbox) if _signature(d) not in known]
    for number, delivery in enumerate(found, start=1):
        progress("收件归档", number, len(found))
        data = delivery.path.read_bytes()
        sha256 = archive.store(data, delivery.path.name)
        fresh.append(_receipt(delivery, sha256, len(data), now, repeated=sha256 in seen))
        seen.add(sha256)
    state.add_receipts(fresh)
    return fresh


def _signature(delivery: Delivery) -> tuple[str, int, int]:
    status = delivery.path.stat()
    return delivery.inbox_path, status.st_size, status.st_mtime_ns


def _receipt(
    delivery: Delivery, sha256: str, size: int, now: datetime, *, repeated: bool
) -> Receipt:
    received = delivery.received_at or now
    return Receipt(
        sha256=sha256,
        inbox_path=delivery.inbox_path,
        file_name=delivery.path.name,
        bytes=size,
        received_at=received.astimezone(UTC).isoformat(timespec="microseconds"),
        sender=delivery.sender or _folder(delivery),
        modified_ns=_signature(delivery)[2],
        repeated=repeated,
    )


def _folder(delivery: Delivery) -> str | None:
    """Sub-folder of the inbox the file lies in: bureaus keep one per reporter."""
    parts = delivery.inbox_path.split("/")[:-1]
    return parts[-1] if parts else None


def read_submissions(
    receipts: Sequence[Receipt],
    archive: Archive,
    catalog: Catalog,
    pool: ReaderPool,
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
        yield _rows(receipt, content, catalog, first_month)


def _original(archive: Archive, receipt: Receipt) -> Path:
    path = archive.find(receipt.sha256)
    if path is None:
        raise FileNotFoundError(f"归档中没有 {receipt.file_name}({receipt.sha256})")
    return path


def _rows(
    receipt: Receipt, content: Workbook | Rejected, catalog: Catalog, first_month: int
) -> SubmissionRows:
    if isinstance(content, Rejected):
        return _rejected(receipt, content)
    context = ReadingContext(
        file_name=receipt.file_name,
        sender=receipt.sender,
        received_at=datetime.fromisoformat(receipt.received_at),
        first_month=first_month,
    )
    batch = read_cells(content, catalog, context)
    findings = [replace(f, submission_id=receipt.sha256, file_name=receipt.file_name)
                for f in batch.findings]  # fmt: skip
    row = _submission(receipt, content.format) | {
        "source_id": batch.source_id,
        "reporter": batch.reporter,
        "period": batch.period,
        "layout_id": batch.layout_id,
        "status": "accepted" if batch.cells else "rejected",
        "reason": None if batch.cells else _first_message(findings),
        "n_cells": len(batch.cells),
        "n_findings": len(findings),
    }
    cells = [_cell(receipt.sha256, cell) for cell in batch.cells]
    return SubmissionRows(row, content_digest(content), cells, findings)


def _rejected(receipt: Receipt, why: Rejected) -> SubmissionRows:
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
        "reporter": receipt.sender,
        "period": _period_of_name(receipt),
        "n_findings": 1,
    }
    return SubmissionRows(row, findings=[finding])


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


def _cell(submission_id: str, record: CellRecord) -> dict[str, Any]:
    return {"submission_id": submission_id} | {
        name: getattr(record, name) for name in record.__slots__
    }


def _naive_utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


def _first_message(findings: Iterable[Finding]) -> str:
    return next((f.message for f in findings), "文件中没有可识别的数据表")


def content_digest(workbook: Workbook) -> str:
    """Digest of what a file says, cell by cell, whatever its bytes, its name and its format."""
    digest = hashlib.sha256()
    for sheet in workbook.sheets:
        digest.update(f"\x1d{sheet.name}".encode())
        for row, values in enumerate(sheet.rows, start=1):
            for column, value in enumerate(values, start=1):
                if value is not None and value != "":
                    digest.update(f"\x1e{row},{column}\x1f{raw_text(value)}".encode())
    return digest.hexdigest()
