"""What each partition was built from, and the refusal to build on mixed inputs.

Belongs here: recording catalogue, reader and point of view in time of what a step writes, and
comparing a step's inputs before it is committed. Does not belong here: content (``partitions``),
where a figure comes from (``explain``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from warehouse import schema
from warehouse.partitions import TRACKED, WHOLE
from warehouse.store import fetch

if TYPE_CHECKING:
    import duckdb

READER_VERSION = 3
"""Raise it when the same file and catalogue are to be read differently: all files are read again."""

_WORDS = {"catalogue_digest": "政策目录", "reader_version": "读取程序", "point_of_view": "时点"}


class MixedInputsError(ValueError):
    """Tables of one period come from different catalogues, readers or points of view in time."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a build works with: rules digest, reader, and the moment figures are taken as known."""

    catalogue_digest: str
    reading_digest: str
    reader_version: int
    asof: str

    def of(self, table_name: str) -> tuple[str, int, str]:
        """Catalogue, reader and point of view a table depends on; cells know only how files are
        read."""
        if table_name == "submissions.cell":
            return self.reading_digest, self.reader_version, ""
        return self.catalogue_digest, self.reader_version, self.asof


def settle(connection: duckdb.DuckDBPyConnection, origin: Origin, period: str | None) -> None:
    """Record the origin of what the step under way wrote; refuse it when its inputs differ.

    Looked at are the partitions of ``period`` of every table the written ones read. Raises
    MixedInputsError, which lists each mismatch and what to do; nothing is committed then.
    """
    fresh = connection.execute("SELECT DISTINCT table_name, part FROM internal.touched "
                               "EXCEPT SELECT table_name, part FROM internal.settled").fetchall()  # fmt: skip
    if not fresh:
        return
    connection.executemany(
        "DELETE FROM internal.origin WHERE table_name = ? AND part = ?", list(fresh)
    )
    connection.executemany(
        "INSERT INTO internal.origin VALUES (?, ?, ?, ?, ?)",
        [(name, part, *origin.of(name)) for name, part in fresh],
    )
    connection.executemany("INSERT INTO internal.settled VALUES (?, ?)", list(fresh))
    written = sorted({name for name, part in fresh if part in (period, WHOLE)})
    problems = [p for name in written for p in _mismatches(connection, name, origin, period)]
    if problems:
        raise MixedInputsError(_words(problems, period))


def _mismatches(
    connection: duckdb.DuckDBPyConnection, written: str, origin: Origin, period: str | None
) -> list[tuple[str, str, str, str, str]]:
    """(table written, input, what differs, input's, build's) of the inputs of one table."""
    found = []
    inputs = sorted(_inputs(written))
    rows = fetch(
        connection,
        "FROM internal.origin WHERE part = ? AND table_name <> 'submissions.cell' "
        "AND list_contains(?::VARCHAR[], table_name) ORDER BY table_name",
        [period, inputs],
    )
    if "submissions.cell" in inputs:
        rows += fetch(connection, _READ_BY, [period])
    for row in rows:
        ours = dict(zip(_WORDS, origin.of(row["table_name"]), strict=True))
        found += [
            (written, row["table_name"], name, _short(row[name]), _short(ours[name]))
            for name in _WORDS
            if row[name] != ours[name]
        ]
    return found


_READ_BY = """
SELECT DISTINCT
    'submissions.cell' AS table_name,
    split_part(reading.catalogue_digest, '/', 1) AS catalogue_digest,
    try_cast(split_part(reading.catalogue_digest, '/', 2) AS INTEGER) AS reader_version,
    '' AS point_of_view
FROM internal.reading AS reading
WHERE reading.submission_id IN (SELECT submission_id FROM submissions.cell WHERE period = ?)
ORDER BY ALL
"""
"""How the files of a period were read: every file keeps that itself."""


def _inputs(written: str) -> set[str]:
    """Tracked tables a table is built from; looked for behind those that are not tracked."""
    found: set[str] = set()
    waiting = [*schema.table(written).reads]
    while waiting:
        name = waiting.pop()
        if name in TRACKED:
            found.add(name)
        else:
            waiting += schema.table(name).reads
    return found - {written}


def _short(value: object) -> str:
    text = str(value)
    return text[:12] if len(text) == 64 else text


def _words(problems: list[tuple[str, str, str, str, str]], period: str | None) -> str:
    lines = [
        f"  {written} ← {table}:{_WORDS[name]}不同,{table} 用 {theirs},本次 {ours}"
        for written, table, name, theirs, ours in problems
    ]
    return (
        f"{period} 的输入不是同一版本,拒绝混用:\n"
        + "\n".join(lines)
        + f"\n处理:先用同一政策目录重新计算上游,即运行 parkwatch run --period {period}"
    )
