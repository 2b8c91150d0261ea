"""Waivers (情况属实,予以放行) in the ledger: who accepted a 核实 finding, why, until when.

Belongs here: their table in the state file, recording, and bringing them to the warehouse. Does not
belong here: what a waiver does to a finding (``warehouse/sql/quality__findings.sql``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from warehouse import ledger

if TYPE_CHECKING:
    import duckdb

    from warehouse.state import State

_SCHEMA = """
CREATE TABLE IF NOT EXISTS waiver (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    rule_id TEXT NOT NULL,
    park_id TEXT,
    submission_id TEXT,
    decided_at TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    until TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Waiver:
    """One accepted finding: a rule for a park, a file, or both. ``until``: the last day of the last
    report period it covers. ``at``: ISO 8601 in UTC. Never erased."""

    rule_id: str
    park_id: str | None
    submission_id: str | None
    at: str
    by: str
    reason: str
    until: date
    number: int = 0


class Waivers:
    """The waivers of one workspace's ledger; every method is one short transaction."""

    def __init__(self, state: State) -> None:
        self.path = state.path

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return ledger.transaction(self.path, _SCHEMA)

    def add(self, waiver: Waiver) -> int:
        """Record a waiver; returns its number."""
        with self._open() as connection:
            cursor = connection.execute(
                "INSERT INTO waiver (rule_id, park_id, submission_id, decided_at, decided_by, "
                "reason, until) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (waiver.rule_id, waiver.park_id, waiver.submission_id, waiver.at, waiver.by,
                 waiver.reason, waiver.until.isoformat()),
            )  # fmt: skip
            return int(cursor.lastrowid or 0)

    def all(self) -> list[Waiver]:
        """Every waiver, in the order of recording."""
        with self._open() as connection:
            rows = connection.execute("SELECT * FROM waiver ORDER BY number").fetchall()
        return [
            Waiver(
                row["rule_id"], row["park_id"], row["submission_id"], row["decided_at"],
                row["decided_by"], row["reason"], date.fromisoformat(row["until"]), row["number"],
            )
            for row in rows
        ]  # fmt: skip


def bring(connection: duckdb.DuckDBPyConnection, waivers: Sequence[Waiver]) -> None:
    """Replace ``internal.waiver`` by the ledger's waivers."""
    connection.execute("DELETE FROM internal.waiver")
    for w in waivers:
        at = datetime.fromisoformat(w.at).astimezone(UTC).replace(tzinfo=None)
        connection.execute(
            "INSERT INTO internal.waiver VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [w.number, w.rule_id, w.park_id, w.submission_id, at, w.by, w.reason, w.until],
        )
