"""A month's folder: the files of all reporters, their receipts and, when asked, the answer key.

Belongs here: assembling one period from plan, returns, mistakes, layouts and writers, and writing
it to disk. Does not belong here: any of those themselves.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from examples.sample import layouts, mail, mistakes, wording, writers
from examples.sample.figures import Figures, figures_of
from examples.sample.mail import Delivery
from examples.sample.registers import Example
from examples.sample.returns import Entry, Return, Row, build

TRUTH_FIELDS = [
    "file",
    "received_at",
    "reporter_id",
    "version",
    "park_id",
    "indicator_id",
    "period",
    "measure",
    "value",
    "state",
    "written",
    "planted",
]
DELIVERY_FIELDS = [
    "period",
    "reporter_id",
    "version",
    "file",
    "received_at",
    "on_time",
    "planted",
    "form_id",
]


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as it arrived, with what it states."""

    name: str
    content: bytes
    delivery: Delivery
    made: Return


def _made_for(example: Example, figures: Figures, delivery: Delivery, period: str) -> Return:
    made = build(example, figures, delivery.reporter_id, period)
    made.received = delivery.received_at
    plant = mistakes.KINDS.get(delivery.kind)
    if plant is not None:
        plant(mistakes.Scene(example, figures, figures.frame.chance, made))
    return made


def send(example: Example, figures: Figures, delivery: Delivery) -> SentFile:
    """The file of a delivery."""
    made = _made_for(example, figures, delivery, delivery.period)
    container = made.form.container
    stem = wording.file_stem(made.form.file_name, made.county, made.reporter_id, made.period)
    name = stem + delivery.suffix + writers.ENDINGS[container]
    if delivery.kind == "resent_previous":
        earlier = mistakes.before(delivery.period)
        assert earlier is not None
        first = mail.plan(
            example, figures.frame.chance, build(example, figures, delivery.reporter_id, earlier)
        )
        old = _made_for(example, figures, first[0], earlier) if first else made
        content = writers.write(old.form.container, layouts.sheets_of(old))
        return SentFile(name, content, delivery, made)
    content = writers.write(container, layouts.sheets_of(made))
    if delivery.kind == "unreadable":
        content = mistakes.unreadable(content, container)
    return SentFile(name, content, delivery, made)


def files_of(example: Example, period: str) -> list[SentFile]:
    """All files of a period in order of receipt."""
    figures = figures_of(example.name)
    sent: list[SentFile] = []
    for reporter_id in example.reporter_ids:
        made = build(example, figures, reporter_id, period)
        for delivery in mail.plan(example, figures.frame.chance, made):
            if delivery.kind == "sent_twice":  # the same bytes under a second name
                first = sent[-1]
                name = Path(first.name)
                again = f"{name.stem}{delivery.suffix}{name.suffix}"
                sent.append(SentFile(again, first.content, delivery, first.made))
            else:
                sent.append(send(example, figures, delivery))
    return sorted(sent, key=lambda file: (file.delivery.received_at, file.name))


def write_month(example: Example, period: str, folder: Path) -> list[SentFile]:
    """Write a period's files and ``receipts.csv`` below ``folder``."""
    target = folder / period
    target.mkdir(parents=True, exist_ok=True)
    sent = files_of(example, period)
    for file in sent:
        (target / file.name).write_bytes(file.content)
    with (target / "receipts.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("file", "received_at", "sender"))
        writer.writerows(
            (f.name, _iso(f.delivery.received_at), f.delivery.reporter_id) for f in sent
        )
    return sent


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def delivery_rows(
    example: Example, period: str, sent: list[SentFile]
) -> Iterator[dict[str, object]]:
    """One row a delivery, and one for each reporter that sent nothing."""
    for file in sent:
        d = file.delivery
        yield {
            "period": period,
            "reporter_id": d.reporter_id,
            "version": d.version,
            "file": file.name,
            "received_at": _iso(d.received_at),
            "on_time": int(d.received_at <= mail.deadline(example, period)),
            "planted": d.kind,
            "form_id": file.made.form.form_id,
        }
    silent = set(example.reporter_ids) - {file.delivery.reporter_id for file in sent}
    for reporter_id in sorted(silent):
        if example.parks_of(reporter_id, period):
            yield {"period": period, "reporter_id": reporter_id, "planted": "missing"}


def truth_rows(example: Example, sent: list[SentFile]) -> Iterator[dict[str, object]]:
    """The answer key of a month: every stated figure of every file, with the true one."""
    for file in sent:
        for row in file.made.rows:
            for (indicator, measure), entry in row.entries.items():
                yield _truth_row(file, row, indicator, measure, entry)
        yield from _absent_rows(example, file)


def _truth_row(
    file: SentFile, row: Row, indicator: str, measure: str, entry: Entry
) -> dict[str, object]:
    lost = file.delivery.kind in mistakes.BYTE_KINDS
    planted = file.delivery.kind if lost else entry.planted or row.planted
    return {
        **_file_fields(file),
        "park_id": row.park.park_id,
        "indicator_id": indicator,
        "measure": measure,
        "value": _text(entry.true),
        "state": "" if lost else entry.state,
        "written": "" if lost else _text(entry.written),
        "planted": planted,
    }


def _absent_rows(example: Example, file: SentFile) -> Iterator[dict[str, object]]:
    stated = {row.park.park_id for row in file.made.rows}
    for park in example.parks_of(file.delivery.reporter_id, file.delivery.period):
        if park.park_id not in stated:
            yield {**_file_fields(file), "park_id": park.park_id, "planted": "missing_park"}


def _file_fields(file: SentFile) -> dict[str, object]:
    return {
        "file": file.name,
        "received_at": _iso(file.delivery.received_at),
        "reporter_id": file.delivery.reporter_id,
        "version": file.delivery.version,
        "period": file.delivery.period,
    }


def _text(value: object) -> str:
    return "" if value is None else f"{value:f}"
