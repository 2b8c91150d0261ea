"""Closed periods and the outlook (SQLite): which period was built to its end when; what comes next.

Belongs here: these three tables of the operational ledger. Does not belong here: deciding what is due
(``pipelines.due``), the history of runs (``state``).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

from warehouse import ledger

_SCHEMA = """
CREATE TABLE IF NOT EXISTS closing (
    run_id TEXT PRIMARY KEY,
    period TEXT NOT NULL,
    built_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS closing_by_period ON closing (period, built_at);
CREATE TABLE IF NOT EXISTS outlook (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    seen_at TEXT NOT NULL,
    said TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS ahead (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    said TEXT NOT NULL
);
"""


class Closings:
    """Access to the closed periods of one workspace; every method is one short transaction."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, period: str, run_id: str, built_at: datetime) -> None:
        """A run has published ``period`` to its end; ``built_at`` (with zone) is when it began."""
        with self._open() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO closing VALUES (?, ?, ?)",
                (run_id, period, built_at.isoformat(timespec="seconds")),
            )

    def newest(self) -> dict[str, datetime]:
        """Period → when its newest build to the end was begun."""
        with self._open() as connection:
            rows = connection.execute("SELECT period, max(built_at) FROM closing GROUP BY 1")
            return {row[0]: datetime.fromisoformat(row[1]) for row in rows}

    def builds(self) -> list[dict[str, Any]]:
        """Every build to the end: run_id, period, built_at, in order of their beginning."""
        with self._open() as connection:
            rows = connection.execute("SELECT * FROM closing ORDER BY built_at, rowid")
            return [dict(row) for row in rows]

    def keep_outlook(self, seen_at: datetime, said: Mapping[str, Any]) -> None:
        """Keep what the automation last saw: what comes next, what waits and why."""
        with self._open() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO outlook VALUES (1, ?, ?)",
                (seen_at.isoformat(timespec="seconds"), json.dumps(dict(said), sort_keys=True)),
            )

    def outlook(self) -> dict[str, Any] | None:
        """What the automation last saw, with ``seen_at``; None before it ever looked."""
        with self._open() as connection:
            row = connection.execute("SELECT seen_at, said FROM outlook").fetchone()
            return {"seen_at": row["seen_at"], **json.loads(row["said"])} if row else None

    def keep_ahead(self, said: Mapping[str, Any]) -> None:
        """Keep what lies ahead by the catalogue: the days of the coming periods."""
        text = json.dumps(dict(said), sort_keys=True)
        with self._open() as connection:
            connection.execute(
                "INSERT INTO ahead VALUES (1, ?) ON CONFLICT DO UPDATE SET said = excluded.said "
                "WHERE said <> excluded.said",
                (text,),
            )

    def ahead(self) -> dict[str, Any] | None:
        """What lies ahead; None before a run or the daemon ever looked."""
        with self._open() as connection:
            row = connection.execute("SELECT said FROM ahead").fetchone()
            found: dict[str, Any] | None = json.loads(row["said"]) if row else None
            return found

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return ledger.transaction(self.path, _SCHEMA)
