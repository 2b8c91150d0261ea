"""Confirmed assessments of earlier years, as rules over several years and lists read them.

Belongs here: turning confirmed rows into histories, events and the ledger of the list. Does not
belong here: entering rows (the command line), simulated results.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from assets.assessment.publicity import notice
from warehouse.catalog.workdays import Workdays

if TYPE_CHECKING:
    from warehouse.catalog.filing import CalendarYear
    from warehouse.catalog.outcomes import Outcome
    from warehouse.catalog.schemes import Scheme
    from warehouse.outcomes import Entry


@dataclass(frozen=True, slots=True)
class Past:
    """A confirmed result of one year."""

    in_last_k: bool
    score: Decimal | None = None
    rank: int | None = None
    n: int | None = None
    grade: str = ""
    class_id: str = ""


@dataclass(frozen=True, slots=True)
class Departure:
    """A park that left the list."""

    park_id: str
    year: int
    blocked_until: date | None


@dataclass(frozen=True, slots=True)
class History:
    """Everything confirmed under one scheme: ``results`` park → year, ``events`` park → event →
    year → count, ``departures`` and ``arrivals`` of the list, ``steps`` and ``honours`` park → year
    → what."""

    results: dict[str, dict[int, Past]] = field(default_factory=dict)
    events: dict[str, dict[str, dict[int, Decimal]]] = field(default_factory=dict)
    departures: tuple[Departure, ...] = ()
    arrivals: dict[str, int] = field(default_factory=dict)
    steps: dict[str, dict[int, tuple[str, ...]]] = field(default_factory=dict)
    honours: dict[str, dict[int, tuple[str, ...]]] = field(default_factory=dict)

    def in_last(self, before: int) -> dict[str, dict[int, bool]]:
        """Park → assessed year earlier than ``before`` → among the last places that count."""
        return {
            park_id: {year: past.in_last_k for year, past in years.items() if year < before}
            for park_id, years in self.results.items()
        }

    def scores(self, before: int) -> dict[str, dict[int, Decimal]]:
        """Park → earlier year → confirmed score, where it is known."""
        return {
            park_id: {
                year: past.score
                for year, past in years.items()
                if year < before and past.score is not None
            }
            for park_id, years in self.results.items()
        }


def history(scheme_id: str, rows: Iterable[Outcome]) -> History:
    """The confirmed rows of a scheme; a later row of the same park, year and kind of result wins
    over an earlier one."""
    found, departures = History(), []
    for row in rows:
        if row.scheme_id != scheme_id:
            continue
        match row.kind:
            case "result":
                past = Past(
                    bool(row.in_last_k), row.score, row.rank, row.n, row.grade, row.class_id
                )
                found.results.setdefault(row.park_id, {})[row.year] = past
            case "event":
                years = found.events.setdefault(row.park_id, {}).setdefault(row.what, {})
                years[row.year] = years.get(row.year, Decimal(0)) + row.count
            case "eliminated":
                departures.append(Departure(row.park_id, row.year, row.blocked_until))
            case "replaced":
                found.arrivals[row.park_id] = row.year
            case "step":
                _note(found.steps, row)
            case "honoured":
                _note(found.honours, row)
    return History(
        found.results, found.events, tuple(departures), found.arrivals, found.steps, found.honours
    )


def _note(table: dict[str, dict[int, tuple[str, ...]]], row: Outcome) -> None:
    years = table.setdefault(row.park_id, {})
    years[row.year] = (*years.get(row.year, ()), row.what)


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """A row of ``assessment.outcome``."""

    outcome_id: str
    scheme_id: str
    class_id: str
    year: int
    park_id: str
    kind: str
    what: str
    score: Decimal | None
    rank: int | None
    n: int | None
    grade: str
    in_last_k: bool | None
    count: Decimal
    blocked_until: date | None
    document: str
    evidence: str
    decided_on: date | None
    effective_from: date | None
    note: str
    origin: str
    entered_by: str
    entered_at: str


def confirmed(
    catalogue: Sequence[Outcome], entries: Sequence[Entry], asof: str
) -> list[tuple[Outcome, str, str, str]]:
    """Outcomes that stand as known at ``asof`` (ISO, UTC): catalogue rows, then entries, each with
    origin, who, when."""
    from warehouse.catalog.outcomes import Outcome as Model

    found = [(row, f"outcomes.csv:{_digest(row)}", "", "") for row in catalogue]
    for entry in entries:
        if entry.entered_at[:19] <= asof.replace(" ", "T")[:19]:
            row = Model.model_validate(dict(entry.fields))
            found.append((row, f"entry:{entry.number}", entry.entered_by, entry.entered_at))
    return found


def outcome_rows(
    found: Iterable[tuple[Outcome, str, str, str]],
    schemes: Iterable[Scheme] = (),
    calendar: Iterable[CalendarYear] = (),
) -> list[OutcomeRow]:
    """Rows of ``assessment.outcome``, by id. Under a scheme with a publicity rule a row takes effect
    when the publicity that began on ``decided_on`` is over (公示期满生效), else on that day.
    ``calendar``: holidays the catalogue lists over the shipped ones."""
    days = Workdays(calendar)
    rules = {scheme.scheme_id: scheme.publicity for scheme in schemes}
    rows = []
    for row, origin, by, at in found:
        fields: dict[str, Any] = row.model_dump()
        rule, day = rules.get(row.scheme_id), row.decided_on
        published = rule is not None and day is not None and row.kind != "event"
        fields["effective_from"] = (
            notice(rule, day, days.is_workday).effective if published and rule and day else day
        )
        rows.append(
            OutcomeRow(outcome_id=origin, origin=origin.partition(":")[0], entered_by=by,
                       entered_at=at, **fields)
        )  # fmt: skip
    return sorted({row.outcome_id: row for row in rows}.values(), key=lambda row: row.outcome_id)


def _digest(row: Outcome) -> str:
    text = json.dumps(row.model_dump(), ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
