"""Stage 1 into the warehouse: dimensions, submissions with their cells, decisions, findings.

Belongs here: which rows go into which table, when a file has to be read (again), what the ledger's
decisions (撤回, 采用, 封账) look like to the models. Does not belong here: Dagster (``assets.py``),
reading (``intake``) or SQL models (``warehouse/sql``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from assets.build import Build
from assets.submissions.archive import Archive, new_files
from assets.submissions.entered import entered_rows
from assets.submissions.intake import (
    Pool,
    Received,
    SubmissionRows,
    read_submissions,
    receive,
)
from assets.submissions.tables.records import FIELDS
from quality.finding import Finding
from warehouse import derive, store
from warehouse.faults import reach
from warehouse.provenance import READER_VERSION
from warehouse.state import Decision, Receipt, spans

if TYPE_CHECKING:
    import duckdb

    from assets.submissions.reading.sandbox import ReaderPool

BATCH_FILES, BATCH_CELLS = 1_000, 200_000
"""A batch ends with the file that reaches one of these, so memory does not grow with the files."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How many files arrived, were read and could not be read."""

    received: int
    read: int
    rejected: int


def load_dimensions(connection: duckdb.DuckDBPyConnection, build: Build) -> None:
    """Replace the dims tables by the catalogue; derive all anew when the catalogue, the entered
    figures, the point of view in time or the program's models have changed."""
    from warehouse.catalog import frames

    for name, rows in frames.dimension_rows(build.catalog).items():
        store.replace_rows(connection, f"dims.{name}", rows)
    entered = entered_rows(build)
    store.replace_rows(connection, "dims.entered_figure", entered)
    point_of_view = {
        "catalogue_digest": build.catalog.digest,
        "entered": store.table_digest(connection, "dims.entered_figure")[1],
        "asof": build.asof,
        "models": derive.digest_of_models(),
    }
    known = {row["name"]: row["value"] for row in store.fetch(connection, "FROM internal.note")}
    if known and any(known.get(name) != value for name, value in point_of_view.items()):
        derive.mark_all_affected(connection)
    if any(known.get(name) != value for name, value in point_of_view.items()):
        derive.mark_affected(connection, {row["period"] for row in entered})
    connection.execute("DELETE FROM internal.note")
    connection.executemany("INSERT INTO internal.note VALUES (?, ?)", list(point_of_view.items()))


def take_in(build: Build, pool: Pool | None = None) -> Taken:
    """Receive the inbox, read what today's catalogue and reader have not read, store the rows, and
    settle which version counts. ``pool``: reading processes to use; else they are started."""
    build.begin()
    archive = Archive(build.workspace.archive)
    known = build.state.known_files()
    with ExitStack() as opened:
        if pool is None and new_files(build.workspace.inbox, known):
            pool = opened.enter_context(_reading_pool(build))  # starts while files are copied
        received = receive(build.workspace.inbox, archive, build.state, build.now, build.progress)
        reach("intake.received")
        pending = _pending(build)
        if pool is None and pending:
            pool = opened.enter_context(_reading_pool(build))
        rejected = _read(build, archive, pool or _NothingToRead(), received, pending)
    reach("intake.committed")
    return Taken(len(received.receipts), len(pending), rejected)


def _pending(build: Build) -> list[Receipt]:
    """Receipts of files that today's catalogue and reader have not read."""
    with build.warehouse.building() as connection:
        read_by = dict(
            connection.execute(
                "SELECT submission_id, catalogue_digest FROM internal.reading"
            ).fetchall()
        )
    return [r for r in build.state.receipts() if read_by.get(r.sha256) != _reading_of(build, r)]


def _read(
    build: Build, archive: Archive, pool: Pool, received: Received, pending: list[Receipt]
) -> int:
    """Read ``pending`` and store the rows; how many could not be read."""
    rejected = 0
    with build.warehouse.building() as connection:
        _replace_inbox_findings(connection, received.findings)
        rows = read_submissions(
            pending,
            archive,
            build.catalog,
            pool,
            build.progress,
            first_month=build.workspace.first_month,
        )
        digests = {receipt.sha256: _reading_of(build, receipt) for receipt in pending}
        stored = {row[0] for row in connection.execute(_STORED).fetchall()}
        for batch in _batches(rows):
            _store_batch(connection, batch, digests, stored)
            reach("intake.stored")
            rejected += sum(r.submission["status"] == "rejected" for r in batch)
        bring_decisions(connection, build)
        derive.refresh_versions(connection)
    return rejected


def _reading_of(build: Build, receipt: Receipt) -> str:
    """What reading a file depends on besides its bytes; when it changes the file is read again."""
    catalogue = f"{build.catalog.reading_digest}/{READER_VERSION}"
    return "/".join((catalogue, receipt.received_at, receipt.sender or "", receipt.file_name))


def _reading_pool(build: Build) -> ReaderPool:
    from assets.submissions.reading.sandbox import ReaderPool

    return ReaderPool(build.workspace.reader_processes, passwords=_passwords(build))


class _NothingToRead:
    """The pool of a run without new files."""

    def read_many(self, sources: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Any]]:
        """Nothing, for nothing."""
        return list(sources)


def _passwords(build: Build) -> list[str]:
    """Passwords to try on encrypted workbooks, one a line of the file the settings name."""
    file = build.workspace.password_file
    return [] if file is None else file.read_text(encoding="utf-8").split()


def _batches(rows: Iterator[SubmissionRows]) -> Iterator[list[SubmissionRows]]:
    batch: list[SubmissionRows] = []
    cells = 0
    for row in rows:
        batch.append(row)
        cells += len(row.cells)
        if len(batch) >= BATCH_FILES or cells >= BATCH_CELLS:
            yield batch
            batch, cells = [], 0
    if batch:
        yield batch


_STORED = """
SELECT submission_id FROM internal.reading UNION SELECT submission_id FROM submissions.submission
"""


def _store_batch(
    connection: duckdb.DuckDBPyConnection,
    batch: list[SubmissionRows],
    digests: dict[str, str],
    stored: set[str],
) -> None:
    """Replace everything known of these submissions by what reading them gave. ``stored``: those of
    which something is known."""
    ids = [rows.submission["submission_id"] for rows in batch]
    before = [submission_id for submission_id in ids if submission_id in stored]
    if before:
        _forget(connection, before)
    store.insert_rows(connection, "submissions.submission", [rows.submission for rows in batch])
    cells = _cells_of(batch)
    store.insert_columns(connection, "submissions.cell", cells)
    _insert_findings(connection, batch)
    _insert_marks(connection, batch)
    _insert_readings(connection, batch, digests)
    derive.mark_affected(connection, {*cells["period"]} - {None})


def _forget(connection: duckdb.DuckDBPyConnection, ids: list[str]) -> None:
    """Remove what is known of submissions; the periods their cells are of are derived anew."""
    derive.mark_affected(connection, _periods(connection, ids))
    for full_name in ("submissions.submission", "submissions.cell", "internal.reading_finding",
                      "internal.reading", "internal.file_mark"):  # fmt: skip
        connection.execute(
            f"DELETE FROM {full_name} WHERE submission_id IN (SELECT unnest(?))", [ids]
        )


def _cells_of(batch: list[SubmissionRows]) -> dict[str, list[Any]]:
    """Cells of all files, one list a column."""
    every: dict[str, list[Any]] = {name: [] for name in ("submission_id", *FIELDS)}
    for rows in batch:
        every["submission_id"] += [rows.submission["submission_id"]] * len(rows.cells)
        for name, values in rows.cells.columns().items():
            every[name] += values
    return every


def _insert_readings(
    connection: duckdb.DuckDBPyConnection, batch: list[SubmissionRows], digests: dict[str, str]
) -> None:
    import pyarrow as pa

    readings = pa.Table.from_pylist(
        [
            {
                "submission_id": rows.submission["submission_id"],
                "content_digest": rows.content_digest,
                "catalogue_digest": digests[rows.submission["submission_id"]],
                "status": rows.submission["status"],
                "reason": rows.submission.get("reason"),
                "revision": rows.revision,
            }
            for rows in batch
        ]
    )
    connection.register("incoming_readings", readings)
    connection.execute("INSERT INTO internal.reading BY NAME FROM incoming_readings")
    connection.unregister("incoming_readings")


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
    _add_findings(connection, list(found.values()))


def _insert_marks(connection: duckdb.DuckDBPyConnection, batch: Iterable[SubmissionRows]) -> None:
    import pyarrow as pa

    marks = [
        {"submission_id": rows.submission["submission_id"]} | asdict(mark)
        for rows in batch
        for mark in rows.marks
    ]
    if marks:
        connection.register("incoming_marks", pa.Table.from_pylist(marks))
        connection.execute("INSERT INTO internal.file_mark BY NAME FROM incoming_marks")
        connection.unregister("incoming_marks")


def _replace_inbox_findings(
    connection: duckdb.DuckDBPyConnection, findings: Iterable[Finding]
) -> None:
    """Findings on files that did not get into the archive, of this run only."""
    connection.execute("DELETE FROM internal.reading_finding WHERE submission_id IS NULL")
    _add_findings(connection, [_finding_row(finding, {}) for finding in findings])


def _add_findings(connection: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.register("incoming_findings", store.as_arrow("quality.finding", rows))
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


# --- decisions ------------------------------------------------------------------------------------


def bring_decisions(connection: duckdb.DuckDBPyConnection, build: Build) -> None:
    """Withdrawals, acceptances and locks of the ledger into the tables the models read.

    Periods whose lock has changed are derived anew; what a withdrawal moves, the versions notice.
    """
    decisions, zone = build.state.decisions(), ZoneInfo(build.workspace.timezone)
    locks = [
        (s.subject, _naive(s.began.at), s.ended and _naive(s.ended.at), _locked(s.began, zone))
        for s in spans(decisions, "lock")
    ]
    before = connection.execute("FROM internal.lock").fetchall()
    derive.mark_affected(connection, {row[0] for row in {*before} ^ {*locks}})
    withdrawals = [
        (s.subject, _naive(s.began.at), s.ended and _naive(s.ended.at), _withdrawn(s.began, zone))
        for s in spans(decisions, "withdraw")
    ]
    accepted: dict[str, datetime] = {}
    for decision in decisions:
        if decision.kind == "accept":
            accepted.setdefault(decision.subject, _naive(decision.at))
    for table, rows in (
        ("lock", locks),
        ("withdrawal", withdrawals),
        ("acceptance", [*accepted.items()]),
    ):
        connection.execute(f"DELETE FROM internal.{table}")
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO internal.{table} VALUES ({marks})", rows)


def _naive(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


def _local(text: str, zone: ZoneInfo) -> str:
    return datetime.fromisoformat(text).astimezone(zone).isoformat(sep=" ", timespec="minutes")[:16]


def _locked(lock: Decision, zone: ZoneInfo) -> str:
    why = f":{lock.reason}" if lock.reason else ""
    return f"{lock.subject} 已于 {_local(lock.at, zone)} 封账({lock.by}{why})"


def _withdrawn(withdrawal: Decision, zone: ZoneInfo) -> str:
    return f"已撤回:{withdrawal.reason}({withdrawal.by},{_local(withdrawal.at, zone)})"


# --- findings -------------------------------------------------------------------------------------


def collect_findings(connection: duckdb.DuckDBPyConnection, first_month: int) -> None:
    """quality.finding and quality.finding_cell from what reading and rules found and what became of
    the files (``warehouse/sql/quality__findings.sql``)."""
    store.run_script(connection, "quality__findings", {"first_month": first_month})
    rows = [_waiting_row(row) for row in store.fetch(connection, _WAITING)]
    store.insert_rows(connection, "quality.finding", rows)


_WAITING = """
SELECT submission.* FROM submissions.submission AS submission
JOIN internal.reading AS reading USING (submission_id)
WHERE reading.status = 'accepted' AND submission.status IN ('late_locked', 'held')
ORDER BY submission_id
"""


def _waiting_row(submission: dict[str, Any]) -> dict[str, Any]:
    """A file that is read and not used yet, told once as a finding of its own."""
    late = submission["status"] == "late_locked"
    finding = Finding(
        rule_id="R-late-locked" if late else "R-held",
        severity="verify",
        message=f"“{submission['file_name']}”{submission['reason']}",
        expected="封账之前报送" if late else "更正件之前或之后收到原件",
        remedy="确需采用的,说明原因后 parkwatch unlock 解封,再运行一次"
        if late
        else "请向填报单位核实原件;确认可用的,运行 parkwatch accept",
        submission_id=submission["submission_id"],
        file_name=submission["file_name"],
    )
    return _finding_row(finding, submission) | {"lifecycle": "new"}
