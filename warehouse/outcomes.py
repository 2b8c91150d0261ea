"""What people entered about assessments on the command line: a journal, nothing is erased.

Belongs here: keeping entries with who and when, taking one back, giving those that stand. Does not
belong here: what an entry may say (``catalog.outcomes``) or what follows from it (``assets``).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse import ledger

_SCHEMA = """
CREATE TABLE IF NOT EXISTS assessment_entry (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    fields TEXT NOT NULL,
    entered_at TEXT NOT NULL,
    entered_by TEXT NOT NULL,
    withdrawn_at TEXT,
    withdrawn_by TEXT,
    withdrawn_why TEXT
);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the journal. Times are ISO 8601 in UTC; withdrawn ones stay readable."""

    number: int
    fields: Mapping[str, Any]
    entered_at: str
    entered_by: str
    withdrawn_at: str | None = None
    withdrawn_by: str | None = None
    withdrawn_why: str | None = None


class Journal:
    """Entries of one workspace, in its ``state.sqlite``; every method is one transaction."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return ledger.transaction(self.path, _SCHEMA)

    def add(self, fields: Mapping[str, Any], at: str, by: str) -> tuple[int, bool]:
        """Record an entry; (number, True), or the standing entry with the same content and False."""
        text = json.dumps(fields, ensure_ascii=False, sort_keys=True, default=str)
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            same = connection.execute(
                "SELECT number FROM assessment_entry WHERE fields = ? AND withdrawn_at IS NULL",
                (text,),
            ).fetchone()
            if same:
                return same["number"], False
            done = connection.execute(
                "INSERT INTO assessment_entry (fields, entered_at, entered_by) VALUES (?, ?, ?)",
                (text, at, by),
            )
            return int(done.lastrowid or 0), True

    def withdraw(self, number: int, at: str, by: str, why: str) -> bool:
        """Take an entry back; False when there is none standing with this number."""
        with self._open() as connection:
            done = connection.execute(
                "UPDATE assessment_entry SET withdrawn_at = ?, withdrawn_by = ?, withdrawn_why = ? "
                "WHERE number = ? AND withdrawn_at IS NULL",
                (at, by, why, number),
            )
            return done.rowcount == 1

    def entries(self, *, withdrawn: bool = False) -> list[Entry]:
        """Entries that stand, oldest first; with ``withdrawn`` those taken back as well."""
        if not self.path.exists():
            return []
        with self._open() as connection:
            rows = connection.execute("SELECT * FROM assessment_entry ORDER BY number").fetchall()
        found = [Entry(**(dict(row) | {"fields": json.loads(row["fields"])})) for row in rows]
        return [entry for entry in found if withdrawn or entry.withdrawn_at is None]
