"""The operational ledger (SQLite): what arrived, what became of it, what people decided, which runs.

Belongs here: receipts of delivered files, outcomes of reading, withdrawals and locks with who, when
and why, what is known of HTTP sources, run history; durable, answered in milliseconds without
loading anything heavy. Does not belong here: figures (the warehouse) or file contents (the archive).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from warehouse import ledger

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
CREATE TABLE IF NOT EXISTS decision (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    decided_at TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS decision_by_subject ON decision (subject, decided_at, number);
CREATE TABLE IF NOT EXISTS pull (
    source_id TEXT NOT NULL,
    url TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (source_id, url)
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


Kind = Literal["withdraw", "accept", "lock", "unlock"]
_OPPOSITE: dict[Kind, Kind] = {
    "withdraw": "accept",
    "accept": "withdraw",
    "lock": "unlock",
    "unlock": "lock",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a submission (SHA-256) or a period (YYYY-MM), never erased.

    ``withdraw``: the submission no longer counts from then on (撤回). ``accept``: it counts from
    then on, although withdrawn, held or a duplicate (采用). ``lock``, ``unlock``: the period's
    figures stand from then on (封账), or may change again (解封). ``at``: ISO 8601 in UTC.
    """

    kind: Kind
    subject: str
    at: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Span:
    """A time during which a submission was withdrawn or a period locked; ``ended`` empty = still."""

    subject: str
    began: Decision
    ended: Decision | None


class State:
    """Access to one workspace's ledger; every method is one short transaction."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return ledger.transaction(self.path, _SCHEMA)

    # --- receipts --------------------------------------------------------------------------------

    def known_files(self) -> dict[tuple[str, int, int], Receipt]:
        """(inbox path, bytes, mtime in ns) → receipt of files already received."""
        with self._open() as connection:
            rows = connection.execute("SELECT * FROM receipt")
            return {(r["inbox_path"], r["bytes"], r["modified_ns"]): _receipt(r) for r in rows}

    def add_receipts(self, receipts: Iterable[Receipt]) -> None:
        """Record deliveries; the same content under the same path stays one receipt.

        Time of receipt and sender of a recorded one are brought in line: a line of ``receipts.csv``
        may have been put right.
        """
        rows = [
            (r.sha256, r.inbox_path, r.file_name, r.bytes, r.received_at, r.sender, r.modified_ns,
             int(r.repeated))
            for r in receipts
        ]  # fmt: skip
        with self._open() as connection:
            connection.executemany(
                "INSERT INTO receipt VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (sha256, inbox_path) DO UPDATE SET modified_ns = excluded.modified_ns, "
                "received_at = excluded.received_at, sender = excluded.sender",
                rows,
            )

    def receipts(self) -> list[Receipt]:
        """First deliveries of every distinct content, in order of receipt.

        First is the earliest time of receipt, in whatever order the files were found. When it does
        not say who sent the file, the sender is the one a later delivery of the same bytes names.
        """
        with self._open() as connection:
            rows = connection.execute(
                f"SELECT *, {_KNOWN_SENDER} AS known_sender FROM ({_DELIVERIES}) AS delivery "
                "WHERE nth = 1 ORDER BY received_at, sha256"
            )
            return [_receipt(row, sender=row["known_sender"]) for row in rows]

    def repeated(self) -> list[Receipt]:
        """Deliveries whose bytes had been received before."""
        with self._open() as connection:
            rows = connection.execute(
                f"SELECT * FROM ({_DELIVERIES}) WHERE nth > 1 "
                "ORDER BY received_at, sha256, inbox_path"
            )
            return [_receipt(row, repeated=True) for row in rows]

    def repeats(self, period: str | None) -> list[dict[str, Any]]:
        """Deliveries of bytes received before, with the file they repeat and what became of it."""
        with self._open() as connection:
            rows = connection.execute(
                f"""
                SELECT again.sha256, again.file_name, again.inbox_path, again.received_at,
                       again.sender, first.file_name AS repeats, first.received_at AS first_received,
                       o.reporter, o.period, o.status
                FROM ({_DELIVERIES}) AS again
                JOIN ({_DELIVERIES}) AS first ON first.sha256 = again.sha256 AND first.nth = 1
                LEFT JOIN outcome AS o ON o.sha256 = again.sha256
                WHERE again.nth > 1 AND (?1 IS NULL OR o.period IS NULL OR o.period = ?1)
                ORDER BY again.received_at, again.sha256, again.inbox_path
                """,
                (period,),
            )
            return [dict(row) for row in rows]

    def starting_with(self, prefix: str) -> list[dict[str, Any]]:
        """Submissions whose SHA-256 starts so: first file name and, when read, its outcome."""
        with self._open() as connection:
            rows = connection.execute(
                f"""
                SELECT d.sha256, d.file_name, d.received_at, o.reporter, o.period, o.status
                FROM ({_DELIVERIES}) AS d LEFT JOIN outcome AS o ON o.sha256 = d.sha256
                WHERE d.nth = 1 AND substr(d.sha256, 1, length(?1)) = ?1
                ORDER BY d.received_at, d.sha256
                """,
                (prefix,),
            )
            return [dict(row) for row in rows]

    # --- what became of them ---------------------------------------------------------------------

    def replace_outcomes(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Mirror ``submissions.submission`` after a publication (the warehouse is the authority)."""
        names = ("submission_id", "file_name", "source_id", "reporter", "period", "received_at",
                 "version_no", "status", "reason", "n_findings")  # fmt: skip
        plain = (tuple(_plain(row[name]) for name in names) for row in rows)
        with self._open() as connection:
            ledger.mirror(connection, "outcome", ("sha256",), names[1:], plain)

    def replace_expected(
        self,
        rows: Mapping[str, Iterable[tuple[str, str, str | None]]],
        covered: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        """Who is expected to report for these periods: (reporter, name, deadline ISO date) of each.

        ``covered``: (period, reporter) → submission that holds the period's figures although it is
        filed under another period (a workbook that brings its whole history).
        """
        held = covered or {}
        named = (
            (period, *row, held.get((period, row[0])))
            for period, of_period in rows.items()
            for row in of_period
        )
        key, more = ("period", "reporter"), ("name", "deadline", "covered_by")
        with self._open() as connection:
            ledger.mirror(connection, "expected", key, more, named, rows)

    def board(self, period: str) -> list[dict[str, Any]]:
        """Reporting board of a period: one row per expected reporter with the newest delivery, and
        when the first one came (a correction after the deadline makes nobody late)."""
        with self._open() as connection:
            rows = connection.execute(
                """
                SELECT e.reporter, e.name, e.deadline, o.sha256, o.file_name, o.received_at, o.version_no,
                       o.status, o.reason, coalesce(o.n_findings, 0) AS n_findings,
                       (SELECT min(first.received_at) FROM outcome AS first
                        WHERE first.period = e.period AND first.reporter = e.reporter
                       ) AS first_received_at
                FROM expected AS e
                LEFT JOIN outcome AS o
                  ON o.sha256 = coalesce((
                    SELECT sha256 FROM outcome AS newest
                    WHERE newest.period = e.period AND newest.reporter = e.reporter
                    ORDER BY CASE WHEN newest.status IN ('accepted', 'partly') THEN 0
                                  WHEN newest.status IN ('rejected', 'duplicate') THEN 2
                                  ELSE 1 END,
                             newest.received_at DESC, sha256
                    LIMIT 1
                  ), e.covered_by)
                WHERE e.period = ?
                ORDER BY e.reporter
                """,
                (period,),
            )
            return [dict(row) for row in rows]

    def troubled(self, period: str | None) -> list[dict[str, Any]]:
        """Files not taken in as they came: rejected, returned, held, too late, partly read (any
        period if None)."""
        return self.outcomes(period, ("rejected", "returned", "held", "late_locked", "partly"))

    def outcomes(self, period: str | None, statuses: Iterable[str]) -> list[dict[str, Any]]:
        """Files in these states, of the period or of none that is known (of any if None)."""
        wanted = list(statuses)
        with self._open() as connection:
            rows = connection.execute(
                f"SELECT * FROM outcome WHERE status IN ({', '.join('?' * len(wanted))}) "
                "AND (? IS NULL OR period = ? OR period IS NULL) ORDER BY received_at, sha256",
                (*wanted, period, period),
            )
            return [dict(row) for row in rows]

    def periods(self) -> list[str]:
        """Periods for which somebody is expected, newest first."""
        with self._open() as connection:
            rows = connection.execute("SELECT DISTINCT period FROM expected ORDER BY 1 DESC")
            return [row[0] for row in rows]

    # --- what people decided ---------------------------------------------------------------------

    def decide(self, decision: Decision) -> bool:
        """Record a decision; False, and nothing recorded, when it stands already.

        The look and the record are one transaction. ``unlock`` of a period that is not locked is
        nothing new either; ``accept`` may be said of any submission, once.
        """
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            last = connection.execute(
                "SELECT kind FROM decision WHERE subject = ? AND kind IN (?, ?) "
                "ORDER BY decided_at DESC, number DESC LIMIT 1",
                (decision.subject, decision.kind, _OPPOSITE[decision.kind]),
            ).fetchone()
            standing = last["kind"] if last else ("unlock" if decision.kind == "unlock" else None)
            if standing == decision.kind:
                return False
            connection.execute(
                "INSERT INTO decision (kind, subject, decided_at, decided_by, reason) "
                "VALUES (?, ?, ?, ?, ?)",
                (decision.kind, decision.subject, decision.at, decision.by, decision.reason),
            )
            return True

    def decisions(self) -> list[Decision]:
        """Every decision in order of its time."""
        with self._open() as connection:
            rows = connection.execute("SELECT * FROM decision ORDER BY decided_at, number")
            return [
                Decision(r["kind"], r["subject"], r["decided_at"], r["decided_by"], r["reason"])
                for r in rows
            ]

    # --- HTTP sources ----------------------------------------------------------------------------

    def pull_state(self, source_id: str, url: str) -> dict[str, Any] | None:
        """What is known of an address of a source, as ``save_pull_state`` was given it."""
        with self._open() as connection:
            row = connection.execute(
                "SELECT state FROM pull WHERE source_id = ? AND url = ?", (source_id, url)
            ).fetchone()
            return json.loads(row["state"]) if row else None

    def save_pull_state(self, source_id: str, url: str, known: Mapping[str, Any]) -> None:
        """Keep what is known of an address of a source until its next pull."""
        with self._open() as connection:
            connection.execute(
                "INSERT INTO pull VALUES (?, ?, ?) "
                "ON CONFLICT (source_id, url) DO UPDATE SET state = excluded.state",
                (source_id, url, json.dumps(dict(known), sort_keys=True)),
            )

    def pulls(self) -> list[dict[str, Any]]:
        """Every address asked so far: source, checked_at, failures in a row, retry_at."""
        with self._open() as connection:
            rows = connection.execute("SELECT * FROM pull ORDER BY source_id, url").fetchall()
        names = ("checked_at", "failures", "retry_at", "sha256")
        known = [(row["source_id"], json.loads(row["state"])) for row in rows]
        return [{"source_id": s} | {n: state.get(n) for n in names} for s, state in known]

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


def spans(decisions: Iterable[Decision], kind: Literal["withdraw", "lock"]) -> list[Span]:
    """Times during which submissions were withdrawn, or periods locked, in order of beginning.

    Spans of one subject do not overlap: what repeats a standing decision changes nothing.
    """
    ended_by = _OPPOSITE[kind]
    found: list[Span] = []
    open_at: dict[str, int] = {}
    for decision in decisions:
        if decision.kind == kind and decision.subject not in open_at:
            open_at[decision.subject] = len(found)
            found.append(Span(decision.subject, decision, None))
        elif decision.kind == ended_by and decision.subject in open_at:
            place = open_at.pop(decision.subject)
            found[place] = Span(decision.subject, found[place].began, decision)
    return found


_DELIVERIES = """
SELECT *, row_number() OVER (
    PARTITION BY sha256 ORDER BY received_at, repeated, inbox_path
) AS nth FROM receipt
"""
_KNOWN_SENDER = """
coalesce(sender, (
    SELECT named.sender FROM receipt AS named
    WHERE named.sha256 = delivery.sha256 AND named.sender IS NOT NULL
    ORDER BY named.received_at, named.inbox_path LIMIT 1
))
"""


def _receipt(row: sqlite3.Row, *, repeated: bool = False, sender: str | None = None) -> Receipt:
    names = ("sha256", "inbox_path", "file_name", "bytes", "received_at", "modified_ns")
    values = {name: row[name] for name in names}
    return Receipt(**values, sender=sender or row["sender"], repeated=repeated)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int) else str(value)
