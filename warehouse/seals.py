"""Seals of the operational ledger's tables: a sum over the rows, kept with every change of a row.

Belongs here: the triggers that keep the sums, the function they call, sealing tables that have no seal
yet, finding tables whose rows are no longer what was written. Does not belong here: tables and what
they mean; the audit log, which also withstands a person (``audit``).

SQLite keeps no checksums: a bit that flips in a row is read as another value. A table's seal is the sum,
modulo a prime, of a digest of each of its rows; triggers add the new row's and take away the old one's in
the transaction that changes the row, so no module that writes has to know of it. Who changes a row by
another program than this one is refused by SQLite: the function the triggers call is not there.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable

FUNCTION = "ledger_row_seal"
_MODULUS = (1 << 61) - 1
"""A prime; the sum of two rows' digests still fits SQLite's integers."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS seal (
    name TEXT PRIMARY KEY,
    total INTEGER NOT NULL,
    made_from TEXT NOT NULL
);
"""
_UNSEALED = """
SELECT m.name, m.sql FROM sqlite_master AS m LEFT JOIN seal AS s ON s.name = m.name
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.name <> 'seal'
  AND s.made_from IS NOT m.sql
ORDER BY 1
"""


def attach(connection: sqlite3.Connection) -> None:
    """Let this connection change sealed rows. Needed once for each connection that writes.

    Rows that ``INSERT OR REPLACE`` removes are told to triggers only when they may be nested.
    """
    connection.create_function(FUNCTION, -1, _row_seal, deterministic=True)
    connection.execute("PRAGMA recursive_triggers = ON")


def settle(connection: sqlite3.Connection) -> None:
    """Seal every table that has none, or has gained a column since; nothing to do is one look.

    A table that was damaged before it gained a column stays known as damaged.
    """
    connection.executescript(_SCHEMA)
    if not connection.execute(_UNSEALED).fetchall():
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for name, made_from in connection.execute(_UNSEALED).fetchall():
            _seal(connection, name, made_from)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _seal(connection: sqlite3.Connection, name: str, made_from: str) -> None:
    """Triggers and sum of one table."""
    before = connection.execute("SELECT total FROM seal WHERE name = ?", [name]).fetchone()
    told = _told(connection, name)
    wrong = 0 if before is None or not told else int(before[0]) - _total(connection, name, told)
    columns = _columns(connection, name)
    for trigger, statement in _triggers(name, columns).items():
        connection.execute(f'DROP TRIGGER IF EXISTS "{trigger}"')
        connection.execute(statement)
    total = (_total(connection, name, columns) + wrong) % _MODULUS
    connection.execute("INSERT OR REPLACE INTO seal VALUES (?, ?, ?)", (name, total, made_from))


def broken(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Tables of the ledger in order, each with what is wrong with its rows (empty when nothing is).

    A ledger of an earlier version has no seals: nothing can be said of its rows.
    """
    there = {row[0]: row[1] for row in connection.execute("SELECT name, sql FROM sqlite_master")}
    if "seal" not in there:
        return []
    rows = connection.execute("SELECT name, total, made_from FROM seal")
    seals = {str(row[0]): row[1:] for row in rows}  # a damaged name may be anything
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
        "AND name <> 'seal'"
    )
    names = sorted({*(str(row[0]) for row in tables), *seals})
    return [(name, _verdict(connection, name, seals.get(name), there)) for name in names]


def _verdict(
    connection: sqlite3.Connection,
    name: str,
    seal: tuple[int, str] | None,
    there: dict[str, str | None],
) -> str:
    if name not in there:
        return "缺失"
    if seal is None:
        return "没有校验和"
    columns = _columns(connection, name)
    wanted = _triggers(name, columns)
    if there[name] != seal[1] or any(there.get(key) != text for key, text in wanted.items()):
        return "表结构与登记的不符"
    if _total(connection, name, columns) != seal[0]:
        return "行与校验和不符"
    return _counted_on(connection, name, there[name] or "")


def _counted_on(connection: sqlite3.Connection, name: str, sql: str) -> str:
    """Journals number their rows on and lose none: the next number follows the last."""
    if "AUTOINCREMENT" not in sql:
        return ""
    said = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [name]).fetchone()
    last = connection.execute(f'SELECT max(rowid) FROM "{name}"').fetchone()[0]
    return "" if (said[0] if said else None) == last else "序号与登记的不符"


def _columns(connection: sqlite3.Connection, name: str) -> list[str]:
    return [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]


def _told(connection: sqlite3.Connection, name: str) -> list[str]:
    """Columns the triggers of a table are about; none when it has none."""
    found = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?", [f"{name}_seal_insert"]
    ).fetchone()
    return (
        [] if found is None else [c for c in _columns(connection, name) if f'NEW."{c}"' in found[0]]
    )


def _triggers(name: str, columns: Iterable[str]) -> dict[str, str]:
    """Name and text of a table's triggers. The texts are compared: never changed, only added to."""
    new, old = (
        f"{FUNCTION}('{name}', " + ", ".join(f'{which}."{c}"' for c in columns) + ")"
        for which in ("NEW", "OLD")
    )
    changes = {"insert": new, "update": f"{new} - {old}", "delete": f"-{old}"}
    return {
        f"{name}_seal_{change}": (
            f'CREATE TRIGGER "{name}_seal_{change}" AFTER {change.upper()} ON "{name}" BEGIN '
            f"UPDATE seal SET total = (total + {amount} + {_MODULUS}) % {_MODULUS} "
            f"WHERE name = '{name}'; END"
        )
        for change, amount in changes.items()
    }


def _total(connection: sqlite3.Connection, name: str, columns: list[str]) -> int:
    listed = ", ".join(f'"{c}"' for c in columns)
    rows = connection.execute(f'SELECT {listed} FROM "{name}"')
    return sum(_row_seal(name, *tuple(row)) for row in rows) % _MODULUS


def _row_seal(*values: object) -> int:
    """Digest of a row: the table's name and its values, NULL unlike the empty text, 1 unlike '1'."""
    text = json.dumps(values, default=lambda value: ["bytes", value.hex()])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % _MODULUS
