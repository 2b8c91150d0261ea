"""What reading a file gives: cells with provenance, and what is known of the file around them.

Belongs here: the value types shared by planning, row reading and layout choice. Does not belong
here: any reading, any message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from quality.finding import Finding


@dataclass(frozen=True, slots=True)
class CellRecord:
    """One row of ``submissions.cell`` (without the submission id). ``value`` is in the indicator's

    unit; ``unit_factor`` is the exact factor from ``unit_raw``. ``layout_rule`` names the entry of
    the layout file that gave the head its meaning. ``role``: data, total, of_which, or
    duplicate (the same figure stands elsewhere in the file and that one counts).
    """

    sheet: str
    address: str
    raw_text: str
    value: Decimal | None
    state: str
    unit_raw: str
    unit_factor: str
    unit_evidence: str
    park_id: str | None
    entity_raw: str
    indicator_id: str | None
    period: str | None
    measure: str | None
    maturity: str | None
    layout_id: str
    layout_rule: str
    head: str
    role: str = "data"


@dataclass(frozen=True, slots=True)
class CellBatch:
    """Everything one file says: cells in sheet order, findings, and what the file is."""

    cells: list[CellRecord]
    findings: list[Finding]
    source_id: str | None = None
    reporter: str | None = None
    period: str | None = None
    layout_id: str | None = None


@dataclass(frozen=True, slots=True)
class ReadingContext:
    """What is known of a file besides its content.

    ``sender`` is a reporter id or the name of the inbox folder; ``period`` the report period the
    file is for, when the sender or the register of returns says so.
    """

    file_name: str
    sender: str | None = None
    received_at: datetime | None = None
    first_month: int = 2
    period: str | None = None
    source_id: str | None = None


@dataclass(slots=True)
class FileState:
    """What is found out about one file while it is read."""

    context: ReadingContext
    findings: list[Finding] = field(default_factory=list)
    reporter: str | None = None
    period: str | None = None
    year: int | None = None
