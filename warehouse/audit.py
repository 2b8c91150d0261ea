"""The audit log: who did what and when, each entry chained to the one before by its hash.

Belongs here: appending and verifying entries of the operational ledger. Does not belong here: what
may be done by whom (releases, deliveries) or figures. An edited, removed or reordered entry breaks
the chain; entries cut off at the end are missed by the chain itself, so every new head is also
written to ``audit.anchors`` beside the ledger, and printed in every manifest.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
);
"""
START = "0" * 64  # what the first entry is chained to


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. ``at``: ISO 8601 in UTC; ``actor``: post and name of the person, or the program;
    ``detail``: JSON with sorted keys."""

    number: int
    at: str
    actor: str
    action: str
    subject: str
    detail: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the log and at which entry."""

    number: int
    message: str


def append(
    connection: sqlite3.Connection,
    *,
    at: str,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
) -> Entry:
    """Append an entry inside the caller's transaction, so that act and entry stand or fall together.

    The transaction must hold the write lock (``BEGIN IMMEDIATE``); call ``anchor`` after its commit.
    """
    last = connection.execute(
        "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1"
    ).fetchone()
    number, previous = (last[0] + 1, last[1]) if last else (1, START)
    text = json.dumps(dict(detail or {}), ensure_ascii=False, sort_keys=True, default=str)
    digest = _hash(number, at, actor, action, subject, text, previous)
    entry = Entry(number, at, actor, action, subject, text, previous, digest)
    connection.execute(
        "INSERT INTO audit VALUES (:number, :at, :actor, :action, :subject, :detail, :previous, :hash)",
        asdict(entry),
    )
    return entry


def anchor(ledger: Path, entry: Entry) -> None:
    """Note the log's newest entry outside the ledger, durably; one line an entry."""
    file = anchors_file(ledger)
    with file.open("a", encoding="ascii") as out:
        out.write(f"{entry.number} {entry.hash}\n")
        out.flush()
        os.fsync(out.fileno())


def anchors_file(ledger: Path) -> Path:
    """Where the heads of the log of ``ledger`` are noted."""
    return ledger.with_name("audit.anchors")


def entries(connection: sqlite3.Connection) -> list[Entry]:
    """The whole log in order of its numbers."""
    rows = connection.execute("SELECT * FROM audit ORDER BY number").fetchall()
    return [Entry(*tuple(row)) for row in rows]


def verify(log: list[Entry], ledger: Path) -> list[Fault]:
    """Every fault of the log: edited or reordered entries, gaps, a cut end. Empty when it is whole."""
    faults: list[Fault] = []
    previous = START
    for place, entry in enumerate(log, start=1):
        if entry.number != place:
            faults.append(Fault(place, f"第{place}条缺失或次序被改动(此处为第{entry.number}条)"))
            break
        if entry.previous != previous:
            faults.append(Fault(place, f"第{place}条与前一条不衔接:前文被改动、删除或调换"))
        if _hash(*_content(entry)) != entry.hash:
            faults.append(Fault(place, f"第{place}条内容与其校验值不符:记录被改动"))
        previous = entry.hash
    return faults + _against_anchors(log, ledger)


def _against_anchors(log: list[Entry], ledger: Path) -> list[Fault]:
    file = anchors_file(ledger)
    if not file.exists():
        return (
            [Fault(len(log), f"找不到日志锚点文件 {file.name}:无法证明末尾没有被截去")]
            if log
            else []
        )
    known = {entry.number: entry.hash for entry in log}
    for line in file.read_text(encoding="ascii", errors="replace").splitlines():
        number, _, digest = line.partition(" ")
        if number.isdigit() and len(digest) == 64 and known.get(int(number)) != digest:
            gone = int(number) not in known
            word = "已被删除" if gone else "与锚点不符:整段日志被重写"
            return [Fault(int(number), f"第{number}条{word}(锚点文件 {file.name} 有其校验值)")]
    return []


def _content(entry: Entry) -> tuple[int, str, str, str, str, str, str]:
    return (
        entry.number, entry.at, entry.actor, entry.action, entry.subject, entry.detail,
        entry.previous,
    )  # fmt: skip


def _hash(*content: object) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
