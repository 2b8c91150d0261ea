"""Validation of a period's tables: suites run on its rows, results kept and reused while nothing changes.

Belongs here: which rows of which table are validated, remembering results by content, the rows of
``quality.expectation``. Does not belong here: what is expected (``expectations``), Great Expectations
(``suites``), pages (``data_docs``) or Dagster (``checks``).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from quality import expectations as wanted
from quality.engine import Answer, Ask, Question, ask_here
from quality.expectations import Expectation
from warehouse import schema, store

if TYPE_CHECKING:
    import duckdb

    from quality.suites import ExpectationResult

NOT_VALIDATED = ("ops.digest", "quality.expectation")
"""Written after everything else has been validated, or by the validation itself."""
STRUCTURE, FINDINGS = "dictionary", "quality.finding"
OPEN = ("new", "persisting")
"""Life-cycle states of a finding that still stands."""
MAX_FINDINGS = 100_000
WAITING_ROWS = 200_000
"""Rows that may wait in memory while a suite runs, beside those of the table before."""

FINDING_ROWS = """
SELECT finding_id, rule_id, severity, outcome, lifecycle, file_name, sheet, address, found, expected,
       message, remedy
FROM quality.finding
WHERE (period = $1 OR period IS NULL) AND outcome IN ('fail', 'error')
ORDER BY severity <> 'error', severity <> 'verify', rule_id, file_name, sheet, address, finding_id
"""
"""Findings of a period that failed or broke down; those of files without a period with every one."""


@dataclass(slots=True)
class Effort:
    """What validation cost: seconds of the suites and of waiting for them, tables run and reused."""

    suite_seconds: float = 0.0
    waited_seconds: float = 0.0
    tables_run: int = 0
    tables_reused: int = 0
    expectations: int = 0
    rows: int = 0
    by_table: dict[str, float] = field(default_factory=dict)


def validate_period(
    connection: duckdb.DuckDBPyConnection,
    period: str,
    rules: Mapping[str, str],
    ask: Ask = ask_here,
) -> Effort:
    """Validate the period's rows of every published table into ``quality.expectation``.

    ``rules`` gives the words of the catalogue's rules and screens by id; ``ask`` runs a suite: here, or
    in an engine's process while the next table's rows are looked up. A table whose rows and suite are
    those validated last time keeps its results; where nothing has changed Great Expectations is not
    even imported.
    """
    effort = Effort()
    kept = _kept(connection, period)
    rows: list[dict[str, Any]] = []
    asked: deque[_Asked] = deque()
    for name, suite, query, keys, max_keys in _frames(connection, period, rules):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE frame AS {query}")
        digest = _digest(connection, suite)
        before = [r for r in kept.get(name, ()) if r["digest"] == digest]
        if before and len(before) == len(suite):
            effort.tables_reused += 1
            rows += before
        else:
            table = connection.execute("SELECT * FROM frame ORDER BY ALL").to_arrow_table()
            answer = ask(Question(table, suite, keys, max_keys))
            asked.append(_Asked(name, digest, table.num_rows, answer))
            effort.rows += table.num_rows
        effort.expectations += len(suite)
        while len(asked) > 1 and sum(each.n_rows for each in asked) > WAITING_ROWS:
            rows += _rows_of(asked.popleft(), period, effort)
    for question in asked:
        rows += _rows_of(question, period, effort)
    store.replace_rows(
        connection, "quality.expectation",
        sorted(rows, key=lambda r: (r["table_name"], r["expectation_id"])),
        where="period = ?", values=[period],
    )  # fmt: skip
    connection.execute("DROP TABLE IF EXISTS frame")
    return effort


def _kept(connection: duckdb.DuckDBPyConnection, period: str) -> dict[str, list[dict[str, Any]]]:
    kept: dict[str, list[dict[str, Any]]] = {}
    for row in store.fetch(connection, "FROM quality.expectation WHERE period = ?", [period]):
        kept.setdefault(row["table_name"], []).append(row)
    return kept


_Frame = tuple[str, Sequence[Expectation], str, Sequence[str], int]


def _frames(
    connection: duckdb.DuckDBPyConnection, period: str, rules: Mapping[str, str]
) -> list[_Frame]:
    """(table, suite, query of its rows, key columns, failing keys wanted) of everything validated."""
    _structure_table(connection)
    frames: list[_Frame] = [
        (STRUCTURE, wanted.STRUCTURE, "SELECT * FROM declared_column ORDER BY ALL",
         ("table_name", "column_name"), 200),
    ]  # fmt: skip
    for table in schema.TABLES:
        if table.full_name in NOT_VALIDATED:
            continue
        suite = wanted.of_table(table)
        if table.full_name == FINDINGS:
            suite = suite + wanted.of_findings(_rules_seen(connection, period, rules))
        where = _slice(table, period)
        query = f"SELECT {wanted.select_of(table)} FROM {table.full_name} AS t WHERE {where}"
        most = MAX_FINDINGS if table.full_name == FINDINGS else 200
        frames.append((table.full_name, suite, query, table.key, most))
    return frames


def _slice(table: schema.Table, period: str) -> str:
    """The period's rows of a table; dimensions whole, findings without a period with every one."""
    names = {column.name for column in table.columns}
    if table.group == "dims":
        return "true"
    if table.full_name == FINDINGS:
        return f"t.period = '{period}' OR t.period IS NULL"
    if "asof_period" in names:
        return f"t.asof_period = '{period}'"
    return f"t.period = '{period}'" if "period" in names else "true"


def _rules_seen(
    connection: duckdb.DuckDBPyConnection, period: str, rules: Mapping[str, str]
) -> list[tuple[str, Any, str]]:
    """Rules with a finding in the period: id, gravest severity, words."""
    rows = connection.execute(
        "SELECT rule_id, arg_min(severity, list_position(['error', 'verify', 'hint'], severity)), "
        "arg_min(message, finding_id) FROM quality.finding "
        "WHERE period = ? OR period IS NULL GROUP BY rule_id ORDER BY rule_id",
        [period],
    ).fetchall()
    return [(rule, severity, rules.get(rule, f"例:{message}")) for rule, severity, message in rows]


def _structure_table(connection: duckdb.DuckDBPyConnection) -> None:
    """Declared and actual type of every dictionary column, in ``declared_column``."""
    import pyarrow as pa

    declared = [
        (table.full_name, column.name, column.type)
        for table in schema.TABLES
        for column in table.columns
    ]
    names, columns, types = zip(*declared, strict=True)
    arrow = pa.table({"table_name": names, "column_name": columns, "declared": types})
    connection.register("declared_names", arrow)
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE declared_column AS
        SELECT declared_names.*, there.data_type AS actual
        FROM declared_names
        LEFT JOIN duckdb_columns() AS there
            ON there.schema_name || '.' || there.table_name = declared_names.table_name
            AND there.column_name = declared_names.column_name
            AND there.database_name = current_database()
        """
    )
    connection.unregister("declared_names")


def _digest(connection: duckdb.DuckDBPyConnection, suite: Sequence[Expectation]) -> str:
    """Digest of the frame's rows (in any order) and of what is expected of them."""
    n_rows, low, high = connection.execute(
        "SELECT count(*), coalesce(sum((md5 >> 64)::UBIGINT::HUGEINT), 0), "
        "coalesce(sum((md5 & 18446744073709551615::UHUGEINT)::UBIGINT::HUGEINT), 0) "
        "FROM (SELECT md5_number(frame::VARCHAR) AS md5 FROM frame)"
    ).fetchone() or (0, 0, 0)
    said = "\n".join(
        f"{e.rule_id}|{e.kind}|{e.severity}|{e.description}|{sorted(e.options.items())}|{e.only}"
        for e in suite
    )
    return hashlib.sha256(f"{n_rows}/{low}/{high}/{said}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A table whose suite is being run."""

    table: str
    digest: str
    n_rows: int
    answer: Future[Answer]


def _rows_of(asked: _Asked, period: str, effort: Effort) -> list[dict[str, Any]]:
    """Rows of ``quality.expectation`` of one table, once its suite has run."""
    started = time.perf_counter()
    answer = asked.answer.result()
    effort.waited_seconds += time.perf_counter() - started
    effort.by_table[asked.table] = answer.seconds
    effort.suite_seconds += answer.seconds
    effort.tables_run += 1
    return [_row(period, asked.table, asked.digest, result) for result in answer.results]


def _row(period: str, name: str, digest: str, result: ExpectationResult) -> dict[str, Any]:
    expectation = result.expectation
    return {
        "period": period,
        "table_name": name,
        "expectation_id": expectation.rule_id,
        "category": expectation.check,
        "severity": expectation.severity,
        "outcome": result.outcome,
        "description": expectation.description,
        "n_rows": result.n_rows,
        "n_failed": result.n_failed,
        "sample": json.dumps([_key(k) for k in result.keys], ensure_ascii=False, default=str),
        "problem": result.problem,
        "digest": digest,
    }


def _key(key: Mapping[str, Any]) -> dict[str, Any]:
    """Key columns only: the engine adds the value judged."""
    return {name: value for name, value in key.items() if not name.startswith(wanted.HOLDS)}


def results_of(connection: duckdb.DuckDBPyConnection, period: str) -> list[dict[str, Any]]:
    """The period's results in table and category order."""
    order = list(wanted.CATEGORIES)
    rows = store.fetch(connection, "FROM quality.expectation WHERE period = ?", [period])
    return sorted(
        rows,
        key=lambda r: (r["table_name"], order.index(r["category"]), r["expectation_id"]),
    )


def findings_of(connection: duckdb.DuckDBPyConnection, period: str) -> list[dict[str, Any]]:
    """The period's findings that failed or broke down, gravest first."""
    return store.fetch(connection, FINDING_ROWS, [period])


def rule_words(catalog: Any) -> dict[str, str]:
    """Words of the catalogue's rules and screens by id."""
    words = {screen.screen_id: f"{screen.name}:{screen.reason}" for screen in catalog.screens}
    for rule in getattr(catalog, "rules", ()):
        words[rule.rule_id] = str(getattr(rule, "message", rule.rule_id))
    return words
