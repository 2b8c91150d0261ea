"""The ledger of ticked duties (认定): who found what, with which evidence. Never erased.

Belongs here: recording and reading findings made on the command line. Does not belong here: what a
finding means for a target (``assets/targets``), findings written in files (``catalog.inputs``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from warehouse import ledger
from warehouse.catalog.inputs import InputRow

LEDGER = "state.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS tick (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    target_id TEXT NOT NULL,
    area_code TEXT NOT NULL,
    park_id TEXT NOT NULL,
    answer TEXT NOT NULL,
    found_on TEXT NOT NULL,
    evidence TEXT NOT NULL,
    found_by TEXT NOT NULL,
    recorded_at TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Tick:
    """One finding: the duty is done (``是``) or not (``否``), by whom, on what evidence.

    Without area and park it is about the whole scope of the clause. ``recorded_at``: ISO 8601, UTC.
    """

    target_id: str
    answer: str
    found_on: date
    evidence: str
    found_by: str
    recorded_at: str
    area_code: str = ""
    park_id: str = ""


def record(state_file: Path, tick: Tick) -> int:
    """Append a finding to the ledger; returns its number."""
    with ledger.transaction(state_file, _SCHEMA) as connection:
        cursor = connection.execute(
            "INSERT INTO tick (target_id, area_code, park_id, answer, found_on, evidence, found_by,"
            " recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (tick.target_id, tick.area_code, tick.park_id, tick.answer, tick.found_on.isoformat(),
             tick.evidence, tick.found_by, tick.recorded_at),
        )  # fmt: skip
        return int(cursor.lastrowid or 0)


def recorded(state_file: Path) -> list[InputRow]:
    """Every finding of the ledger in order, in the form of a row of ``ticks.csv``."""
    if not state_file.is_file():
        return []
    with ledger.transaction(state_file, _SCHEMA) as connection:
        rows = connection.execute("SELECT * FROM tick ORDER BY number").fetchall()
    return [
        InputRow(
            LEDGER,
            row["number"],
            "tick",
            target_id=row["target_id"],
            area_code=row["area_code"],
            park_id=row["park_id"],
            text=row["answer"],
            source=row["evidence"],
            entered_by=row["found_by"],
            entered_on=date.fromisoformat(row["found_on"]),
            note=f"登记于{row['recorded_at']}",
        )
        for row in rows
    ]
