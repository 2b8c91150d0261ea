"""Partitions of the big tables: which there are, which a build touched, what each holds (digest).

Belongs here: content digests of tables part by part, so that a new month costs the work of a month.
Does not belong here: files of partitions (``warehouse.builds``), what writes the tables.

A table's digest is a sum over its rows, so it is the sum over its parts; only parts a build may have
changed are computed anew. Tables in ``TRACKED`` are written through ``warehouse.store`` or for the
periods in ``internal.affected_*``; every other table is digested whole each time, which is safe.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse import schema

if TYPE_CHECKING:
    import duckdb

WHOLE = ""
"""The one part of a table that is not kept by period; also rows without a period."""

TRACKED = frozenset({
    "submissions.cell",
    "observations.observation",
    "observations.revision",
    "indicators.park_month",
    "indicators.park_year",
    "indicators.area_year",
    "targets.verdict",
    "assessment.score",
    "assessment.score_detail",
    "assessment.watch",
    "bulletins.figure",
})  # fmt: skip
_NOT_BY_PERIOD = {"dims", "deliveries", "ops"}
_MODULUS = 2**64


@dataclass(frozen=True, slots=True)
class Part:
    """Row count and order-independent content digest (32 hex digits) of a part, or of a table."""

    n_rows: int
    digest: str


def part_column(table: schema.Table) -> str | None:
    """Column a table is kept by (``asof_period`` or ``period``); None where it is kept whole."""
    if table.group in _NOT_BY_PERIOD or table.full_name == "submissions.submission":
        return None
    names = {column.name for column in table.columns}
    return next((name for name in ("asof_period", "period") if name in names), None)


def touch(connection: duckdb.DuckDBPyConnection, full_name: str, parts: Iterable[object]) -> None:
    """Note that this build writes these parts of a tracked table."""
    if full_name not in TRACKED:
        return
    rows = [(full_name, str(part or WHOLE)) for part in {*parts}]
    if rows:
        connection.executemany("INSERT INTO internal.touched VALUES (?, ?)", rows)


def touch_all(connection: duckdb.DuckDBPyConnection, full_name: str) -> None:
    """Note that every part of a tracked table has another content than recorded (a column more)."""
    if full_name in TRACKED:
        connection.execute(
            "INSERT INTO internal.touched SELECT table_name, part FROM internal.partition "
            "WHERE table_name = ?", [full_name],
        )  # fmt: skip


def refresh(connection: duckdb.DuckDBPyConnection, period: str | None) -> None:
    """Bring ``internal.partition`` in line with every table after a build of ``period``."""
    also = {period} - {None}
    also |= {row[0] for row in connection.execute(_AFFECTED).fetchall()}
    for table in schema.TABLES:
        if table.full_name == "ops.digest":
            continue
        parts = _changed(connection, table, also) if table.full_name in TRACKED else None
        _digest_again(connection, table, parts)
    for name in ("touched", "settled"):
        connection.execute(f"DELETE FROM internal.{name}")


_AFFECTED = """
SELECT period FROM internal.affected_period UNION SELECT asof_period FROM internal.affected_asof
"""


def _changed(
    connection: duckdb.DuckDBPyConnection, table: schema.Table, also: set[str | None]
) -> list[str]:
    """Parts that may differ from what is recorded: touched ones, and those whose size changed."""
    name, column = table.full_name, part_column(table)
    touched = connection.execute(
        "SELECT DISTINCT part FROM internal.touched WHERE table_name = ?", [name]
    ).fetchall()
    plain = f"SELECT coalesce({column}, '') AS part, count(*) AS n FROM {name} GROUP BY part"
    sizes = _SIZES.get(name, plain)
    resized = connection.execute(
        f"""
        SELECT part
        FROM ({sizes}) AS now
        FULL JOIN (SELECT part, n_rows FROM internal.partition WHERE table_name = ?) USING (part)
        WHERE n IS DISTINCT FROM n_rows
        """,
        [name],
    ).fetchall()
    return sorted({row[0] for row in [*touched, *resized]} | {str(part) for part in also})


_SIZES = {
    "observations.observation": """
    SELECT period.id AS part, counted.n
    FROM (SELECT period, count(*) AS n FROM internal.observation_fact GROUP BY period) AS counted
    JOIN internal.key AS period ON period.domain = 'period' AND period.key = counted.period
    """
}
"""Sizes of a view's parts, counted where its rows are kept: its joins would be made for all history."""


def _digest_again(
    connection: duckdb.DuckDBPyConnection, table: schema.Table, parts: list[str] | None
) -> None:
    """Replace the recorded digests of these parts of a table (of all when None)."""
    where, values = ("true", []) if parts is None else (f"part IN ({_marks(parts)})", parts)
    connection.execute(
        f"DELETE FROM internal.partition WHERE table_name = ? AND {where}",
        [table.full_name, *values],
    )
    if sums := _sums(connection, table, parts):
        names, found = zip(*sums, strict=True)
        connection.execute(  # at once: a statement a part was half of publishing the tenth year's months
            "INSERT INTO internal.partition SELECT ?, unnest(?), unnest(?), unnest(?), unnest(?)",
            [table.full_name, list(names), *map(list, zip(*found, strict=True))],
        )


def _marks(parts: list[str]) -> str:
    return ", ".join("?" * len(parts)) or "NULL"


_TEXT_SUMS = """count(*), sum((md5 >> 64)::UBIGINT::HUGEINT),
    sum((md5 & 18446744073709551615::UHUGEINT)::UBIGINT::HUGEINT)"""
"""Over ``md5``, the MD5 of a row's text as a number; its halves, added up."""


def _md5(columns: Iterable[tuple[Any, ...]]) -> str:
    """MD5 of the text of a row of these described columns, as an expression.

    The text is ``row(…)::VARCHAR``. Decimals are printed from 64 bits where they fit, which gives
    the same text ten times faster.
    """
    printed = (_printed(str(name), str(type_)) for name, type_, *_ in columns)
    return f"md5_number(row({', '.join(printed)})::VARCHAR)"


def _printed(name: str, type_: str) -> str:
    if type_ != schema.VALUE:
        return name
    return f"coalesce(TRY_CAST({name} AS DECIMAL(18, 8))::VARCHAR, {name}::VARCHAR)"


def _part(n_rows: int, low: int, high: int) -> Part:
    """Rows and digest by the two sums, which are taken mod 2^64."""
    return Part(int(n_rows), f"{int(high) % _MODULUS:016x}{int(low) % _MODULUS:016x}")


def _sums(
    connection: duckdb.DuckDBPyConnection,
    table: schema.Table,
    parts: list[str] | None,
    there: Collection[str] | None = None,
) -> list[tuple[str, tuple[int, int, int]]]:
    """Per part: rows, and the sums of the two halves of the MD5 of every row's text, mod 2^64.

    ``there``: columns the file has, where it may be older than the dictionary.
    """
    column = part_column(table)
    names = [c.name for c in table.columns if there is None or c.name in there]
    asked = f"SELECT {', '.join(names)} FROM {table.full_name} LIMIT 0"
    md5 = _md5(connection.execute(asked).description or ())
    where, values = "true", []
    if parts is not None:
        values = [part for part in parts if part != WHOLE]
        where = f"{column} IN ({_marks(values)})"
        if WHOLE in parts:
            where += f" OR {column} IS NULL OR {column} = ''"
    found = connection.execute(
        f"""
        SELECT part, {_TEXT_SUMS}
        FROM (
            SELECT {f"coalesce({column}, '')" if column else "''"} AS part, {md5} AS md5
            FROM {table.full_name} WHERE {where}
        )
        GROUP BY part
        """,
        values,
    ).fetchall()
    return [(p, (int(n), int(low) % _MODULUS, int(high) % _MODULUS)) for p, n, low, high in found]


def recorded(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Part]]:
    """Recorded digests: table → part → rows and digest. Tables without rows have no parts."""
    found: dict[str, dict[str, Part]] = {t.full_name: {} for t in schema.TABLES}
    found.pop("ops.digest")
    for name, part, n_rows, low, high in connection.execute(
        "SELECT table_name, part, n_rows, low, high FROM internal.partition ORDER BY ALL"
    ).fetchall():
        if name in found:
            found[name][part] = _part(n_rows, low, high)
    return found


def total(parts: Mapping[str, Part]) -> Part:
    """Rows and digest of the table these parts make."""
    low = sum(int(part.digest[16:], 16) for part in parts.values())
    high = sum(int(part.digest[:16], 16) for part in parts.values())
    return _part(sum(part.n_rows for part in parts.values()), low, high)


def digest_rows(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Rows of ``ops.digest`` from the recorded parts: every dictionary table but that one."""
    rows = []
    for name, parts in recorded(connection).items():
        whole = total(parts)
        rows.append({"table_name": name, "n_rows": whole.n_rows, "digest": whole.digest})
    return rows


def of_parts(
    connection: duckdb.DuckDBPyConnection,
    full_name: str,
    parts: Iterable[str] | None = None,
    there: Collection[str] | None = None,
) -> Part:
    """Rows and digest of these parts of a table computed now, from its rows (all when None).

    ``there``: columns the file has, where it may be older than the dictionary.
    """
    wanted = None if parts is None else sorted(set(parts))
    table = schema.table(full_name)
    if part_column(table) is None:
        wanted = None
    sums = _sums(connection, table, wanted, there)
    return total({part: _part(*found) for part, found in sums})


def of_file(connection: duckdb.DuckDBPyConnection, full_name: str, path: Path) -> Part:
    """Rows and digest of a kept partition, over the columns the file has.

    Raises duckdb.Error when the file cannot be read, ValueError when it has a column its table has not.
    """
    asked = connection.execute("SELECT * FROM read_parquet(?) LIMIT 0", [str(path)])
    columns = asked.description or ()
    known = {column.name for column in schema.table(full_name).columns}
    if unknown := {str(column[0]) for column in columns} - known:
        raise ValueError(f"列 {'、'.join(sorted(unknown))} 不在数据字典中")
    n_rows, low, high = connection.execute(
        f"SELECT {_TEXT_SUMS} FROM (SELECT {_md5(columns)} AS md5 FROM read_parquet(?))",
        [str(path)],
    ).fetchone() or (0, 0, 0)
    return _part(n_rows, low or 0, high or 0)


def disagreements(
    connection: duckdb.DuckDBPyConnection, names: Iterable[str] | None = None
) -> list[str]:
    """Tables (all when None) whose rows are not what their recorded parts say, from every row.

    The file may be of an earlier version, without tables and columns the dictionary has gained since.
    """
    there, wrong = columns_there(connection), []
    known = recorded(connection)
    for name in known if names is None else names:
        parts = known[name]
        found = of_parts(connection, name, there=there[name]) if name in there else total({})
        if found != total(parts):
            wrong.append(name)
    return wrong


def columns_there(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """Columns of every table and view of the file."""
    there: dict[str, set[str]] = {}
    for name, column in connection.execute(
        "SELECT schema_name || '.' || table_name, column_name FROM duckdb_columns()"
    ).fetchall():
        there.setdefault(name, set()).add(column)
    return there
