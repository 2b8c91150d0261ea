"""The operational ledger (SQLite): what arrived, what became of it, which runs happened.

Belongs here: receipts of delivered files, outcomes of reading, run history; durable, answered in
milliseconds without loading anything heavy. Does not belong here: figures (the warehouse) or file
contents (the archive).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS receipt (
    sha256 TEXT NOT NULL,
    inbox_path TEXT NOT NULL,
    file_name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    received_at TEXT NOT NULL,
    sender TEXT,
    modified_ns INTEGER NOT NULL,
    repeated INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (sha256, inbox_path)
);
CREATE INDEX IF NOT EXISTS receipt_by_path ON receipt (inbox_path, bytes, modified_ns);
CREATE TABLE IF NOT EXISTS outcome (
    sha256 TEXT PRIMARY KEY,
    file_name TEXT NOT NULL,
    source_id TEXT,
    reporter TEXT,
    period TEXT,
    received_at TEXT NOT NULL,
    version_no INTEGER,
    status TEXT NOT NULL,
    reason TEXT,
    n_findings INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS outcome_by_period ON outcome (period, reporter);
CREATE TABLE IF NOT EXISTS expected (
    period TEXT NOT NULL,
    reporter TEXT NOT NULL,
    name TEXT NOT NULL,
    deadline TEXT,
    covered_by TEXT,
    PRIMARY KEY (period, reporter)
);
CREATE TABLE IF NOT EXISTS run (
    run_id TEXT PRIMARY KEY,
    period TEXT,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    status TEXT NOT NULL,
    summary TEXT
);
"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One delivered file. Times are ISO 8601 in UTC; ``repeated`` = these bytes came before."""

    sha256: str
    inbox_path: str
    file_name: str
    bytes: int
    received_at: str
    sender: str | None
    modified_ns: int
    repeated: bool = False


class State:
    """Access to one workspace's ledger; every method is one short transaction."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=30)
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(_SCHEMA)
            with connection:
                yield connection
        finally:
            connection.close()

    # --- receipts --------------------------------------------------------------------------------

    def known_files(self) -> dict[tuple[str, int, int], str]:
        """(inbox path, bytes, mtime in ns) → SHA-256 of files already received."""
        with self._open() as connection:
            rows = connection.execute("SELECT inbox_path, bytes, modified_ns, sha256 FROM receipt")
            return {(r["inbox_path"], r["bytes"], r["modified_ns"]): r["sha256"] for r in rows}

    def add_receipts(self, receipts: Iterable[Receipt]) -> None:
        """Record deliveries; a file already recorded under the same path and content stays one."""
        rows = [
            (r.sha256, r.inbox_path, r.file_name, r.bytes, r.received_at, r.sender, r.modified_ns,
             int(r.repeated))
            for r in receipts
        ]  # fmt: skip
        with self._open() as connection:
            connection.executemany(
                "INSERT INTO receipt VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (sha256, inbox_path) DO UPDATE SET modified_ns = excluded.modified_ns",
                rows,
            )

    def receipts(self) -> list[Receipt]:
        """First deliveries of every distinct content, in order of receipt."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT * FROM receipt WHERE repeated = 0 ORDER BY received_at, sha256"
            )
            return [Receipt(**{**dict(row), "repeated": False}) for row in rows]

    def repeated(self) -> list[Receipt]:
        """Deliveries whose bytes had been received before."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT * FROM receipt WHERE repeated = 1 ORDER BY received_at, sha256, inbox_path"
            )
            return [Receipt(**{**dict(row), "repeated": True}) for row in rows]

    # --- what became of them ---------------------------------------------------------------------

    def replace_outcomes(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Mirror ``submissions.submission`` after a publication (the warehouse is the authority)."""
        names = ("submission_id", "file_name", "source_id", "reporter", "period", "received_at",
                 "version_no", "status", "reason", "n_findings")  # fmt: skip
        with self._open() as connection:
            connection.execute("DELETE FROM outcome")
            connection.executemany(
                "INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [tuple(_plain(row[name]) for name in names) for row in rows],
            )

    def replace_expected(
        self,
        period: str,
        rows: Iterable[tuple[str, str, str | None]],
        covered: Mapping[str, str] | None = None,
    ) -> None:
        """Who is expected to report for ``period``: (reporter, name, deadline ISO date).

        ``covered``: reporter → submission that holds the period's figures although it is filed
        under another period (a workbook that brings its whole history).
        """
        held = covered or {}
        with self._open() as connection:
            connection.execute("DELETE FROM expected WHERE period = ?", (period,))
            connection.executemany(
                "INSERT INTO expected VALUES (?, ?, ?, ?, ?)",
                [(period, *row, held.get(row[0])) for row in rows],
            )

    def board(self, period: str) -> list[dict[str, Any]]:
        """Reporting board of a period: one row per expected reporter with the newest delivery."""
        with self._open() as connection:
            rows = connection.execute(
                """
                SELECT e.reporter, e.name, e.deadline, o.file_name, o.received_at, o.version_no,
                       o.status, o.reason, coalesce(o.n_findings, 0) AS n_findings
                FROM expected AS e
                LEFT JOIN outcome AS o
                  ON o.sha256 = coalesce((
                    SELECT sha256 FROM outcome AS newest
                    WHERE newest.period = e.period AND newest.reporter = e.reporter
                    ORDER BY newest.status IN ('rejected', 'duplicate'), newest.received_at DESC,
                             sha256
                    LIMIT 1
                  ), e.covered_by)
                WHERE e.period = ?
                ORDER BY e.reporter
                """,
                (period,),
            )
            return [dict(row) for row in rows]

    def troubled(self, period: str | None) -> list[dict[str, Any]]:
        """Files not taken in as they came: rejected, returned, partly read (any period if None)."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT * FROM outcome WHERE status IN ('rejected', 'returned', 'partly') "
                "AND (?1 IS NULL OR period = ?1 OR period IS NULL) ORDER BY received_at, sha256",
                (period,),
            )
            return [dict(row) for row in rows]

    def periods(self) -> list[str]:
        """Periods for which somebody is expected, newest first."""
        with self._open() as connection:
            rows = connection.execute("SELECT DISTINCT period FROM expected ORDER BY 1 DESC")
            return [row[0] for row in rows]

    # --- runs ------------------------------------------------------------------------------------

    def start_run(self, run_id: str, period: str | None, at: str) -> None:
        """Record that a run started."""
        with self._open() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO run VALUES (?, ?, ?, NULL, 'running', NULL)",
                (run_id, period, at),
            )

    def finish_run(self, run_id: str, at: str, status: str, summary: str) -> None:
        """Record how a run ended (done, done_with_findings, failed)."""
        with self._open() as connection:
            connection.execute(
                "UPDATE run SET finished_at = ?, status = ?, summary = ? WHERE run_id = ?",
                (at, status, summary, run_id),
            )

    def runs(self, limit: int = 5) -> list[dict[str, Any]]:
        """The latest runs, newest first."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT * FROM run ORDER BY started_at DESC LIMIT ?", (limit,)
            )
            return [dict(row) for row in rows]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int) else str(value)
