"""What reading a file gives: cells with provenance, and what is known of the file around them.

Belongs here: the value types shared by planning, row reading and layout choice. Does not belong
here: any reading, any message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, overload

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


FIELDS: tuple[str, ...] = CellRecord.__slots__
_of_record = attrgetter(*FIELDS)


class Cells(Sequence[CellRecord]):
    """Cells as one list a field: hundreds of thousands pass from reading to the store without an
    object each. Looked at one by one they are ``CellRecord``; ``value`` is kept as exact text.
    """

    __slots__ = FIELDS

    sheet: list[str]
    address: list[str]
    raw_text: list[str]
    value: list[str | None]
    state: list[str]
    unit_raw: list[str]
    unit_factor: list[str]
    unit_evidence: list[str]
    park_id: list[str | None]
    entity_raw: list[str]
    indicator_id: list[str | None]
    period: list[str | None]
    measure: list[str | None]
    maturity: list[str | None]
    layout_id: list[str]
    layout_rule: list[str]
    head: list[str]
    role: list[str]

    def __init__(self, records: Iterable[CellRecord] = ()) -> None:
        for name in FIELDS:
            setattr(self, name, [])
        for record in records:
            self.append(record)

    def append(self, record: CellRecord) -> None:
        """Add one cell."""
        for name, value in zip(FIELDS, _of_record(record), strict=True):
            getattr(self, name).append(str(value) if isinstance(value, Decimal) else value)

    def extend(self, others: Cells) -> None:
        """Add all cells of others."""
        for name in FIELDS:
            getattr(self, name).extend(getattr(others, name))

    def columns(self) -> dict[str, list[Any]]:
        """The lists by field; ``value`` as text."""
        return {name: getattr(self, name) for name in FIELDS}

    def usable(self) -> Iterator[int]:
        """Places of the cells that say which figure they are."""
        wanted = zip(
            self.park_id, self.indicator_id, self.period, self.measure, self.role, strict=True
        )
        for place, (park, indicator, period, measure, role) in enumerate(wanted):
            if park and indicator and period and measure and role == "data":
                yield place

    def __len__(self) -> int:
        return len(self.address)

    @overload
    def __getitem__(self, place: int) -> CellRecord: ...

    @overload
    def __getitem__(self, place: slice) -> list[CellRecord]: ...

    def __getitem__(self, place: int | slice) -> CellRecord | list[CellRecord]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        fields = {name: getattr(self, name)[place] for name in FIELDS}
        if fields["value"] is not None:
            fields["value"] = Decimal(fields["value"])
        return CellRecord(**fields)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Cells):
            return self.columns() == other.columns()
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Cells({list(self)!r})"


@dataclass(frozen=True, slots=True)
class CellBatch:
    """Everything one file says: cells in sheet order, findings, and what the file is."""

    cells: Cells
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
