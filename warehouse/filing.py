"""Filing (报送) inside the warehouse: triage of findings, gaps, the reporters' record, the status board.

Belongs here: running the SQL models of ``quality.triage``, ``quality.gap`` and
``quality.reporter_record`` and reading what returns, reminders and the ledger need of them. Does not
belong here: the models' text (``warehouse/sql``), the policy, or what goes back to a reporter
(``quality``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from warehouse import store
from warehouse.catalog.reporting import expected_reporters
from warehouse.catalog.workdays import Workdays

if TYPE_CHECKING:
    import duckdb

    from warehouse.catalog.filing import TriagePolicy
    from warehouse.catalog.load import Catalog


def policy_rows(policies: Iterable[TriagePolicy]) -> list[tuple[Any, ...]]:
    """One row per entry, pattern and source, as ``internal.triage_policy`` keeps them."""
    return [
        (
            policy.triage_id, pattern, source,
            policy.weight(pattern, for_source=source is not None),
            policy.error, policy.verify, policy.returned,
        )
        for policy in policies
        for pattern in policy.rules
        for source in (policy.sources or (None,))
    ]  # fmt: skip


def refresh_triage(
    connection: duckdb.DuckDBPyConnection,
    policies: Iterable[TriagePolicy],
    explanations: Iterable[tuple[str, datetime]] = (),
) -> None:
    """quality.triage, the cells it blocks and what became of the files, from quality.finding.

    ``explanations``: (finding id, naive UTC time). Periods whose blocked cells changed are marked to
    be derived anew, so this comes before ``derive.refresh_observations``.
    """
    _replace(connection, "internal.triage_policy", policy_rows(policies))
    _replace(connection, "internal.explanation", list(explanations))
    store.run_script(connection, "quality__triage")


def refresh_expected(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    period: str | None,
    first_month: int,
    timezone: str,
) -> None:
    """Who was due when, for ``period`` and every period of a received file."""
    found = connection.execute(
        "SELECT DISTINCT period FROM submissions.submission WHERE period IS NOT NULL"
    ).fetchall()
    periods = sorted({row[0] for row in found} | ({period} if period else set()))
    days = Workdays(catalog.calendar)
    source_of = {r.reporter_id: r.source_id for r in catalog.reporters}
    rules = {source.source_id: source.deadline for source in catalog.sources}

    def ends(reporter: str, each: str) -> date | None:
        rule = rules.get(source_of.get(reporter, ""))
        return rule.missing_after(each, days.is_workday, days.is_holiday) if rule else None

    rows = [
        (
            each, reporter, name, deadline,
            deadline and due_moment(deadline, timezone), ends(reporter, each),
        )
        for each in periods
        for reporter, name, deadline in expected_reporters(catalog, each, first_month)
    ]  # fmt: skip
    _replace(connection, "internal.expected_return", rows)


def due_moment(deadline: str, timezone: str) -> datetime:
    """End of a deadline day (ISO date) in the bureau's zone, as naive UTC."""
    zone = ZoneInfo(timezone)
    end = datetime.combine(date.fromisoformat(deadline), time(), zone) + timedelta(days=1)
    return end.astimezone(ZoneInfo("UTC")).replace(tzinfo=None) - timedelta(microseconds=1)


def refresh_gap(connection: duckdb.DuckDBPyConnection, *, lead: str, asof: str) -> None:
    """quality.gap; shares of area totals are computed by the indicator ``lead``."""
    connection.execute("DELETE FROM quality.gap")
    connection.execute(
        f"INSERT INTO quality.gap BY NAME {store.model_select('quality.gap')}",
        {"lead": lead, "asof": asof},
    )


def refresh_reporter_record(connection: duckdb.DuckDBPyConnection) -> None:
    """quality.reporter_record of every period anybody was expected for."""
    connection.execute("DELETE FROM quality.reporter_record")
    connection.execute(
        "INSERT INTO quality.reporter_record BY NAME "
        f"{store.model_select('quality.reporter_record')}"
    )


def _replace(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]
) -> None:
    connection.execute(f"DELETE FROM {table}")
    if rows:
        import pyarrow as pa

        columns = [pa.array(values) for values in zip(*rows, strict=True)]
        incoming = pa.table(columns, names=[f"c{n}" for n in range(len(columns))])  # noqa: F841
        connection.execute(f"INSERT INTO {table} FROM incoming")


# --- what goes back to reporters ------------------------------------------------------------------

_TO_MEND = """
SELECT
    triage.action, triage.reach, finding.finding_id, finding.rule_id, finding.severity,
    finding.submission_id, finding.sheet, finding.address, finding.park_id, finding.indicator_id,
    finding.found, finding.expected, finding.message, finding.remedy,
    submission.file_name, submission.reporter, submission.period, submission.status,
    submission.received_at, submission.version_no, submission.format, submission.source_id,
    (SELECT list([cell.sheet, cell.address] ORDER BY cell.position)
     FROM quality.finding_cell AS cell
     WHERE cell.finding_id = finding.finding_id AND cell.is_own
        AND cell.submission_id = finding.submission_id) AS cells
FROM submissions.submission AS submission
JOIN quality.finding AS finding USING (submission_id)
LEFT JOIN quality.triage AS triage ON triage.finding_id = finding.finding_id
WHERE submission.period = ? AND submission.reporter IS NOT NULL AND finding.outcome = 'fail'
    AND submission.status IN ('accepted', 'partly', 'returned', 'held', 'rejected')
    AND coalesce(triage.action, 'marked') <> 'released'
    AND coalesce(triage.returned, true)
    AND NOT (
        submission.status IN ('returned', 'held', 'rejected')
        AND EXISTS (
            SELECT 1 FROM submissions.submission AS later
            WHERE later.reporter = submission.reporter AND later.period = submission.period
                AND later.received_at > submission.received_at
                AND later.status IN ('accepted', 'partly')
        )
    )
ORDER BY submission.reporter, submission.received_at, submission.submission_id,
    finding.severity = 'hint', finding.severity = 'verify', finding.sheet NULLS FIRST,
    length(regexp_extract(finding.address, '^[A-Z]+')), finding.address, finding.finding_id
"""


def to_mend(connection: duckdb.DuckDBPyConnection, period: str) -> list[dict[str, Any]]:
    """Open problems of the files of ``period`` that reporters are asked to mend or explain.

    One row per finding, with its file; files followed by an accepted one, withdrawn on request
    or sent twice ask for nothing.
    """
    return store.fetch(connection, _TO_MEND, [period])


_BOARD = """
SELECT
    record.period, record.reporter, record.punctuality, record.n_returned, record.n_error,
    record.n_verify, record.n_cleared,
    count(gap.park_id)::INTEGER AS n_gaps,
    (count(gap.park_id) FILTER (WHERE gap.why = 'returned'))::INTEGER AS parks_returned,
    (count(gap.park_id) FILTER (WHERE gap.why = 'held'))::INTEGER AS parks_held,
    max(newest.status) AS newest_status,
    max(newest.n_ask)::INTEGER AS n_ask, max(due.reminding_ends)::VARCHAR AS reminding_ends
FROM quality.reporter_record AS record
LEFT JOIN quality.gap AS gap USING (period, reporter)
LEFT JOIN (
    SELECT submission.period, submission.reporter, submission.status,
        (SELECT count(*) FROM quality.triage AS triage
         WHERE triage.submission_id = submission.submission_id
            AND triage.returned AND triage.action <> 'released') AS n_ask
    FROM submissions.submission AS submission
    WHERE submission.status IN ('accepted', 'partly', 'returned', 'held', 'rejected', 'late_locked')
    QUALIFY row_number() OVER (
        PARTITION BY submission.period, submission.reporter
        ORDER BY submission.received_at DESC, submission.submission_id DESC
    ) = 1
) AS newest USING (period, reporter)
LEFT JOIN internal.expected_return AS due USING (period, reporter)
GROUP BY ALL
ORDER BY record.period, record.reporter
"""


def board_rows(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """One row per period and expected reporter for the ledger's status board."""
    return store.fetch(connection, _BOARD)
