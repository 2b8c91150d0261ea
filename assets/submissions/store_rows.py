"""Stage 1 into the warehouse: dimensions, submissions with their cells, collected findings.

Belongs here: which rows go into which table and when a file has to be read (again). Does not belong
here: Dagster (``assets.py``), reading (``intake``) or SQL models (``warehouse/sql``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from assets.build import Build
from assets.submissions.archive import Archive
from assets.submissions.intake import (
    SubmissionRows,
    read_submissions,
    receive,
)
from quality.finding import Finding
from warehouse import derive, store

if TYPE_CHECKING:
    import duckdb

BATCH = 200
"""Files whose rows are held in memory at a time, so memory does not grow with their number."""

READER_VERSION = 1
"""Raise it when the same file and catalogue are to be read differently: all files are read again."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How many files arrived, were read and could not be read."""

    received: int
    read: int
    rejected: int


def load_dimensions(connection: duckdb.DuckDBPyConnection, build: Build) -> None:
    """Replace the dims tables by the catalogue; derive all anew when the catalogue has changed."""
    from warehouse.catalog import frames

    for name, rows in frames.dimension_rows(build.catalog).items():
        store.replace_rows(connection, f"dims.{name}", rows)
    point_of_view = {"catalogue_digest": build.catalog.digest, "asof": build.asof}
    known = {row["name"]: row["value"] for row in store.fetch(connection, "FROM internal.note")}
    if known and any(known.get(name) != value for name, value in point_of_view.items()):
        derive.mark_all_affected(connection)
    connection.execute("DELETE FROM internal.note")
    connection.executemany("INSERT INTO internal.note VALUES (?, ?)", list(point_of_view.items()))


def take_in(build: Build) -> Taken:
    """Receive the inbox, read what today's catalogue and reader have not read, store the rows."""
    from assets.submissions.sandbox import ReaderPool

    archive = Archive(build.workspace.archive)
    fresh = receive(build.workspace.inbox, archive, build.state, build.now, build.progress)
    with build.warehouse.building() as connection:
        read_by = dict(
            connection.execute(
                "SELECT submission_id, catalogue_digest FROM internal.reading"
            ).fetchall()
        )
    digest = f"{build.catalog.reading_digest}/{READER_VERSION}"
    pending = [r for r in build.state.receipts() if read_by.get(r.sha256) != digest]
    if not pending:
        return Taken(len(fresh), 0, 0)
    rejected = 0
    with (
        ReaderPool(build.workspace.reader_processes, passwords=_passwords(build)) as pool,
        build.warehouse.building() as connection,
    ):
        rows = read_submissions(
            pending,
            archive,
            build.catalog,
            pool,
            build.progress,
            first_month=build.workspace.first_month,
        )
        for batch in _batches(rows):
            _store_batch(connection, batch, digest)
            rejected += sum(r.submission["status"] == "rejected" for r in batch)
        _mark_same_content(connection)
        derive.refresh_versions(connection)
    return Taken(len(fresh), len(pending), rejected)


def _passwords(build: Build) -> list[str]:
    """Passwords to try on encrypted workbooks, one a line of the file the settings name."""
    file = build.workspace.password_file
    return [] if file is None else file.read_text(encoding="utf-8").split()


def _batches(rows: Iterator[SubmissionRows]) -> Iterator[list[SubmissionRows]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _store_batch(
    connection: duckdb.DuckDBPyConnection, batch: list[SubmissionRows], catalogue_digest: str
) -> None:
    """Replace everything known of these submissions by what reading them gave."""
    ids = [rows.submission["submission_id"] for rows in batch]
    for full_name in ("submissions.submission", "submissions.cell", "internal.reading_finding",
                      "internal.reading"):  # fmt: skip
        if full_name == "submissions.cell":
            derive.mark_affected(connection, _periods(connection, ids))
        connection.execute(
            f"DELETE FROM {full_name} WHERE submission_id IN (SELECT unnest(?))", [ids]
        )
    store.insert_rows(connection, "submissions.submission", [rows.submission for rows in batch])
    store.insert_rows(connection, "submissions.cell", [c for rows in batch for c in rows.cells])
    _insert_findings(connection, batch)
    connection.executemany(
        "INSERT INTO internal.reading VALUES (?, ?, ?)",
        [
            (rows.submission["submission_id"], rows.content_digest, catalogue_digest)
            for rows in batch
        ],
    )
    derive.mark_affected(connection, _periods(connection, ids))


def _periods(connection: duckdb.DuckDBPyConnection, ids: list[str]) -> list[str]:
    rows = connection.execute(
        "SELECT DISTINCT period FROM submissions.cell "
        "WHERE period IS NOT NULL AND submission_id IN (SELECT unnest(?))",
        [ids],
    ).fetchall()
    return [row[0] for row in rows]


def _insert_findings(
    connection: duckdb.DuckDBPyConnection, batch: Iterable[SubmissionRows]
) -> None:
    found: dict[str, dict[str, Any]] = {}
    for rows in batch:
        for finding in rows.findings:
            found.setdefault(finding.finding_id, _finding_row(finding, rows.submission))
    if found:
        incoming = store.as_arrow("quality.finding", list(found.values()))
        connection.register("incoming_findings", incoming)
        connection.execute(
            "INSERT INTO internal.reading_finding BY NAME "
            "SELECT * EXCLUDE (lifecycle) FROM incoming_findings"
        )
        connection.unregister("incoming_findings")


def _finding_row(finding: Finding, submission: dict[str, Any]) -> dict[str, Any]:
    row = asdict(finding) | {"finding_id": finding.finding_id}
    row["period"] = finding.period or submission.get("period")
    row["reporter"] = submission.get("reporter")
    return row


def _mark_same_content(connection: duckdb.DuckDBPyConnection) -> None:
    """A file that says exactly what an earlier one of the same reporter and period said (re-saved,
    renamed) is a duplicate; last month's file under this month's name is not, and is checked."""
    connection.execute(
        """
        WITH same AS (
            SELECT
                reading.submission_id,
                first_value(reading.submission_id) OVER (
                    PARTITION BY reading.content_digest, submission.reporter, submission.period
                    ORDER BY submission.received_at, reading.submission_id
                ) AS original
            FROM internal.reading AS reading
            JOIN submissions.submission AS submission USING (submission_id)
            WHERE reading.content_digest IS NOT NULL AND submission.status <> 'rejected'
        )
        UPDATE submissions.submission
        SET status = 'duplicate',
            reason = '内容与报送件 ' || left(same.original, 12) || ' 完全相同(另存或改名)'
        FROM same
        WHERE submission.submission_id = same.submission_id
            AND same.submission_id <> same.original
        """
    )


def collect_findings(connection: duckdb.DuckDBPyConnection) -> None:
    """quality.finding from what reading found; a problem of a superseded file counts as resolved."""
    connection.execute("DELETE FROM quality.finding")
    connection.execute(
        """
        INSERT INTO quality.finding BY NAME
        SELECT
            finding.*,
            CASE WHEN submission.status = 'superseded' THEN 'resolved' ELSE 'new' END AS lifecycle
        FROM internal.reading_finding AS finding
        LEFT JOIN submissions.submission AS submission USING (submission_id)
        ORDER BY finding.finding_id
        """
    )
