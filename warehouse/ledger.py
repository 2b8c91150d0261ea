"""How the operational ledger (``state.sqlite``) is opened: one transaction, durable when it ends.

Belongs here: opening the file with the settings every table of it relies on; making a table the mirror of
something. Does not belong here:
tables and what they mean (``state``, ``closings``, ``releases``, …, each with its own schema); the
checksums of their rows (``seals``).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from warehouse import seals

WAIT_SECONDS = 30  # for another process's transaction; all of them are short


def connect(path: Path, schema: str) -> sqlite3.Connection:
    """The ledger at ``path``, made when absent, with the tables of ``schema`` (idempotent DDL).

    WAL, so that nobody reading waits; FULL, so that a commit survives a power cut. Every row is sealed:
    one that changes on disk is noticed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=WAIT_SECONDS)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        seals.attach(connection)
        connection.executescript(schema)
        seals.settle(connection)
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def transaction(
    path: Path, schema: str, *, exclusive: bool = False
) -> Iterator[sqlite3.Connection]:
    """One transaction: committed at the end, rolled back on any error, the file closed after it.

    ``exclusive`` takes the write lock first, for what reads before it writes.
    """
    with contextlib.closing(connect(path, schema)) as connection, connection:
        if exclusive:
            connection.execute("BEGIN IMMEDIATE")
        yield connection


def mirror(
    connection: sqlite3.Connection,
    table: str,
    key: Sequence[str],
    more: Sequence[str],
    rows: Iterable[tuple[object, ...]],
    periods: Iterable[str] | None = None,
) -> None:
    """Make a table hold exactly these rows (its columns ``key`` and ``more``), of some periods or whole.

    Only what differs is written: a month must not cost more with every year that is mirrored.
    """
    wanted = {row[: len(key)]: row for row in rows}
    of_periods = set(periods) if periods is not None else None
    names = ", ".join((*key, *more))
    there = {
        tuple(row)[: len(key)]: tuple(row)
        for row in connection.execute(f"SELECT {names} FROM {table}")
        if of_periods is None or row["period"] in of_periods
    }
    gone = [one for one in there if one not in wanted]
    same = " AND ".join(f"{name} = ?" for name in key)
    connection.executemany(f"DELETE FROM {table} WHERE {same}", gone)
    marks = ", ".join("?" * (len(key) + len(more)))
    changed = [row for one, row in wanted.items() if there.get(one) != row]
    connection.executemany(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", changed)
