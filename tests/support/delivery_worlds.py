"""Many small histories of deliveries at once, and a model that says what each must end in.

Belongs here: a world (files, decisions, their times), the model that plays it event by event, and
one warehouse that plays many worlds side by side, so that hundreds of orders cost one build. Does
not belong here: expectations of a test.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from assets.submissions import store_rows
from tests.support.warehouse_cases import Case, CaseIndicator
from warehouse import derive, store
from warehouse.state import Decision

START = datetime(2020, 7, 1)


@dataclass(frozen=True)
class File:
    """One delivery of a group (reporter): ``hour`` of receipt, declared revision, what it says."""

    name: str
    group: int
    hour: int
    revision: int
    value: int | None


@dataclass(frozen=True)
class Act:
    """One decision: withdraw or accept a file, lock or unlock the world's period."""

    kind: str
    hour: int
    file: str = ""


@dataclass(frozen=True)
class World:
    """Files and decisions; hours are all different."""

    files: tuple[File, ...]
    acts: tuple[Act, ...] = ()


@dataclass
class Model:
    """Plays a world in order of time, in plain words of the rules, without intervals or SQL."""

    received: dict[str, File] = field(default_factory=dict)
    order: dict[int, list[str]] = field(default_factory=dict)
    ready: set[str] = field(default_factory=set)
    counts: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    locked: bool = False

    def play(self, event: File | Act) -> None:
        """One thing happens."""
        if isinstance(event, File):
            self._receive(event)
        elif event.kind in ("lock", "unlock"):
            self.locked = event.kind == "lock"
        elif event.kind == "withdraw":
            self.withdrawn.add(event.file)
        else:
            self.accepted.add(event.file)
            self.withdrawn.discard(event.file)
        self._release()

    def _receive(self, file: File) -> None:
        """A correction goes before higher corrections at the end; the first original before all."""
        self.received[file.name] = file
        order = self.order.setdefault(file.group, [])
        place = len(order)
        if file.revision == 0 and all(self.received[name].revision for name in order):
            place = 0
        while file.revision and place and self.received[order[place - 1]].revision > file.revision:
            place -= 1
        order.insert(place, file.name)

    def _release(self) -> None:
        for name, file in self.received.items():
            others = (self.received[other] for other in self.order[file.group])
            if name in self.accepted or any(other.revision == 0 for other in others):
                self.ready.add(name)
        if not self.locked:
            self.counts |= self.ready
            self.gone = set(self.withdrawn)

    def figure(self, group: int) -> tuple[str, int | None] | None:
        """(state, value) that holds now for a group, ``None`` for nothing known."""
        for name in reversed(self.order.get(group, [])):
            if name in self.counts and name not in self.gone:
                value = self.received[name].value
                return ("unknown", None) if value is None else ("reported", value)
        return None

    def status(self, name: str) -> str:
        """What became of a file."""
        if name in self.withdrawn:
            return "returned"
        if name not in self.ready:
            return "held"
        if name not in self.counts:
            return "late_locked"
        order = self.order[self.received[name].group]
        later = order[order.index(name) + 1 :]
        current = [n for n in later if n in self.counts and n not in self.withdrawn]
        return "superseded" if current else "accepted"

    def version(self, name: str) -> int:
        """Version number of a file."""
        return self.order[self.received[name].group].index(name) + 1


def history(world: World) -> tuple[list[tuple[int, dict[int, Any]]], Model]:
    """(hour, figure of every group from then on) after each event in time, and the model then."""
    groups = sorted({file.group for file in world.files})
    model, found = Model(), []
    for event in sorted([*world.files, *world.acts], key=lambda event: event.hour):
        model.play(event)
        found.append((event.hour, {group: model.figure(group) for group in groups}))
    return found, model


def at(hour: int) -> datetime:
    """The moment of an hour, naive UTC."""
    return START + timedelta(hours=hour)


class Stage:
    """Worlds side by side in one warehouse: each its own period, each group its own park."""

    def __init__(self, home: Path, worlds: Sequence[World]) -> None:
        self.worlds = worlds
        self.case = Case(home, [CaseIndicator("C01")])
        self.acts: list[tuple[int, Act]] = []

    def period(self, world: int) -> str:
        """Period of the world with this number."""
        return f"{2000 + world // 11}-{2 + world % 11:02d}"

    def process(self, files: Iterable[tuple[int, File]], acts: Iterable[tuple[int, Act]]) -> None:
        """One run: these files and decisions, numbered by world, become known to the warehouse."""
        found = list(files)
        self.acts += acts
        with self.case.warehouse.building() as connection:
            store.insert_rows(
                connection, "submissions.submission", [self._submission(*f) for f in found]
            )
            store.insert_rows(connection, "submissions.cell", [self._cell(*f) for f in found])
            rows = [(self._id(w, f.name), "t", "accepted", f.revision) for w, f in found]
            if rows:
                connection.executemany(
                    "INSERT INTO internal.reading (submission_id, catalogue_digest, status, revision) "
                    "VALUES (?, ?, ?, ?)", rows,
                )  # fmt: skip
            derive.mark_affected(connection, {self.period(world) for world, _ in found})
            store_rows.bring_decisions(connection, self._build())  # type: ignore[arg-type]
            derive.refresh_versions(connection)
            derive.refresh_observations(connection)
            connection.execute("DELETE FROM internal.affected_period")

    def _build(self) -> Any:
        """As much of a build as decisions need; the ledger itself has tests of its own."""
        decisions = [
            Decision(act.kind, self._id(w, act.file) if act.file else self.period(w),  # type: ignore[arg-type]
                     at(act.hour).replace(tzinfo=UTC).isoformat(), "张三", "数字有误")
            for w, act in sorted(self.acts, key=lambda pair: pair[1].hour)
        ]  # fmt: skip
        state = SimpleNamespace(decisions=lambda: decisions)
        return SimpleNamespace(state=state, workspace=self.case.workspace)

    def _id(self, world: int, name: str) -> str:
        return f"{world}/{name}"

    def _submission(self, world: int, file: File) -> dict[str, Any]:
        return {
            "submission_id": self._id(world, file.name), "file_name": file.name, "source_id": "s",
            "reporter": f"r{file.group}", "period": self.period(world),
            "received_at": at(file.hour), "status": "accepted", "n_findings": 0,
        }  # fmt: skip

    def _cell(self, world: int, file: File) -> dict[str, Any]:
        return {
            "submission_id": self._id(world, file.name), "sheet": "表1", "address": "B3",
            "raw_text": "" if file.value is None else str(file.value),
            "value": None if file.value is None else Decimal(file.value),
            "state": "unknown" if file.value is None else "reported",
            "park_id": f"P{file.group}", "indicator_id": "C01", "period": self.period(world),
            "measure": "ytd", "role": "data",
        }  # fmt: skip

    def vintages(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """(period, park) → vintages in order of time."""
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in self.case.rows("FROM observations.observation ORDER BY known_from"):
            found.setdefault((row["period"], row["park_id"]), []).append(row)
        return found

    def statuses(self) -> dict[str, tuple[int, str]]:
        """submission id → (version, status)."""
        rows = self.case.rows(
            "SELECT submission_id, version_no, status FROM submissions.submission"
        )
        return {r["submission_id"]: (r["version_no"], r["status"]) for r in rows}

    # --- comparing with the model ----------------------------------------------------------------

    def differences(self) -> list[str]:
        """Where figures at any time, statuses or versions differ from the model's, in words."""
        wrong: list[str] = []
        vintages, statuses = self.vintages(), self.statuses()
        for number, world in enumerate(self.worlds):
            moments, model = history(world)
            for hour, figures in moments:
                for group, expected in figures.items():
                    rows = vintages.get((self.period(number), f"P{group}"), [])
                    found = _as_of(rows, at(hour))
                    if found != expected:
                        wrong.append(f"world {number} hour {hour} P{group}: {found} not {expected}")
            for file in world.files:
                expected_now = (model.version(file.name), model.status(file.name))
                now = statuses[self._id(number, file.name)]
                if (now[0], now[1].replace("partly", "accepted")) != expected_now:
                    wrong.append(f"world {number} {file.name}: {now} not {expected_now}")
        return wrong


def _as_of(rows: list[dict[str, Any]], moment: datetime) -> tuple[str, int | None] | None:
    held = [
        row
        for row in rows
        if row["known_from"] <= moment and (row["known_to"] is None or row["known_to"] > moment)
    ]
    assert len(held) <= 1, "two figures hold at one time"
    if not held:
        return None
    value = held[0]["value"]
    return held[0]["state"], None if value is None else int(value)
