"""The ledger of filing (SQLite): explanations, files sent back, letters produced, the status board.

Belongs here: what was asked of reporters and what they answered, durable and never repeated, and the
board's mirror of the last publication. Does not belong here: receipts, decisions and runs
(``state``), figures (the warehouse), or what a letter says (``quality``).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from warehouse import ledger
from warehouse.state import State

_SCHEMA = """
CREATE TABLE IF NOT EXISTS explanation (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    finding_id TEXT NOT NULL,
    explained_at TEXT NOT NULL,
    explained_by TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS returned (
    period TEXT NOT NULL,
    reporter TEXT NOT NULL,
    submission_id TEXT NOT NULL,
    findings_digest TEXT NOT NULL,
    number INTEGER NOT NULL,
    issued_on TEXT NOT NULL,
    reply_by TEXT NOT NULL,
    file TEXT NOT NULL,
    PRIMARY KEY (submission_id, findings_digest)
);
CREATE TABLE IF NOT EXISTS letter (
    key TEXT PRIMARY KEY,
    period TEXT NOT NULL,
    reporter TEXT NOT NULL,
    stage TEXT NOT NULL,
    produced_at TEXT NOT NULL,
    file TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS filing (
    period TEXT NOT NULL,
    reporter TEXT NOT NULL,
    punctuality TEXT NOT NULL,
    n_returned INTEGER NOT NULL,
    n_error INTEGER NOT NULL,
    n_verify INTEGER NOT NULL,
    n_cleared INTEGER NOT NULL,
    n_gaps INTEGER NOT NULL,
    parks_returned INTEGER NOT NULL,
    parks_held INTEGER NOT NULL,
    newest_status TEXT,
    n_ask INTEGER,
    reminding_ends TEXT,
    PRIMARY KEY (period, reporter)
);
"""
_FILING = ("period", "reporter", "punctuality", "n_returned", "n_error", "n_verify", "n_cleared",
           "n_gaps", "parks_returned", "parks_held", "newest_status", "n_ask", "reminding_ends")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reporter's word on a 核实 finding (上报说明): who said it, who recorded it. UTC, ISO 8601."""

    finding_id: str
    at: str
    by: str
    recorded_by: str
    text: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A file sent back for a set of problems: the n-th time, on which day, answer due by which."""

    period: str
    reporter: str
    submission_id: str
    findings_digest: str
    number: int
    issued_on: str
    reply_by: str
    file: str


class FilingLedger(State):
    """The workspace's ledger with the tables of filing; every method is one short transaction."""

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with super()._open() as connection:
            connection.executescript(_SCHEMA)
            yield connection

    # --- explanations ----------------------------------------------------------------------------

    def explain(self, explanation: Explanation) -> None:
        """Keep what was said; the first word on a finding is the one that counts."""
        with self._open() as connection:
            connection.execute(
                "INSERT INTO explanation (finding_id, explained_at, explained_by, recorded_by, text) "
                "VALUES (?, ?, ?, ?, ?)",
                (explanation.finding_id, explanation.at, explanation.by, explanation.recorded_by,
                 explanation.text),
            )  # fmt: skip

    def explanations(self) -> list[Explanation]:
        """Everything said, in order of time."""
        with self._open() as connection:
            rows = connection.execute("SELECT * FROM explanation ORDER BY explained_at, number")
            return [
                Explanation(r["finding_id"], r["explained_at"], r["explained_by"],
                            r["recorded_by"], r["text"])
                for r in rows
            ]  # fmt: skip

    # --- files sent back -------------------------------------------------------------------------

    def returned(self, period: str | None = None) -> list[Returned]:
        """Every file sent back, of a period or of all, oldest first."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT * FROM returned WHERE ? IS NULL OR period = ? "
                "ORDER BY issued_on, period, reporter, number, submission_id",
                (period, period),
            )
            return [Returned(**dict(row)) for row in rows]

    def send_back(self, returned: Returned) -> Returned:
        """Record a file sent back, once for the same problems; what is recorded stands.

        ``number`` counts the times the reporter got files back in the period and is set here.
        """
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            known = connection.execute(
                "SELECT * FROM returned WHERE submission_id = ? AND findings_digest = ?",
                (returned.submission_id, returned.findings_digest),
            ).fetchone()
            if known is not None:
                return Returned(**dict(known))
            (before,) = connection.execute(
                "SELECT count(*) FROM returned WHERE period = ? AND reporter = ?",
                (returned.period, returned.reporter),
            ).fetchone()
            values = {name: getattr(returned, name) for name in returned.__slots__}
            values["number"] = before + 1
            connection.execute(
                f"INSERT INTO returned ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
                tuple(values.values()),
            )
            return Returned(**values)

    # --- letters ---------------------------------------------------------------------------------

    def letters(self, period: str | None = None) -> list[dict[str, Any]]:
        """Letters produced so far, of a period or of all."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT * FROM letter WHERE ? IS NULL OR period = ? ORDER BY produced_at, key",
                (period, period),
            )
            return [dict(row) for row in rows]

    def add_letter(self, letter: Mapping[str, str]) -> bool:
        """Record a letter; False, and nothing recorded, when its key is known already."""
        with self._open() as connection:
            cursor = connection.execute(
                "INSERT OR IGNORE INTO letter VALUES "
                "(:key, :period, :reporter, :stage, :produced_at, :file)",
                dict(letter),
            )
            return cursor.rowcount == 1

    # --- the board -------------------------------------------------------------------------------

    def replace_filing(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Mirror what the published warehouse says of every period's filing."""
        told = (tuple(row[name] for name in _FILING) for row in rows)
        with self._open() as connection:
            ledger.mirror(connection, "filing", _FILING[:2], _FILING[2:], told)

    def reporter_names(self) -> dict[str, str]:
        """Reporter → its newest name among those ever expected."""
        with self._open() as connection:
            rows = connection.execute("SELECT reporter, name FROM expected ORDER BY period")
            return {row["reporter"]: row["name"] for row in rows}

    def filing(self, period: str | None = None) -> list[dict[str, Any]]:
        """The mirror, of a period or of all, by period and reporter."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT * FROM filing WHERE ? IS NULL OR period = ? ORDER BY period, reporter",
                (period, period),
            )
            return [dict(row) for row in rows]
