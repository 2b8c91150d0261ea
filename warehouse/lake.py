"""The shared lake: facts of a workspace in DuckLake, for workers on other machines and other readers.

Belongs here: DuckLake's catalogue (in PostgreSQL) attached to a DuckDB connection, tables by province
and period, whole parts replaced in one transaction that is begun again after a conflict, snapshots.
Does not belong here: what is computed from the facts (``derive``), who computes it (``pipelines``).

DuckLake has neither keys nor unique columns: a part is always deleted and inserted whole, so a
transaction begun again cannot leave a row twice. Two inserts are no conflict to it, and of a part that
was empty there is nothing to delete: who replaces a part therefore also changes the part's claim, a row
both would have to change (``internal.claim``, by table, province and year).
"""

from __future__ import annotations

import contextlib
import importlib.util
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse import partitions, schema
from warehouse.faults import reach
from warehouse.partitions import Part

if TYPE_CHECKING:
    import duckdb

    from warehouse.workspace import Engine

TABLES = ("observations.observation", "indicators.park_month")
"""What is shared: the vintages, and the park-months derived from them."""

EXTENSIONS = ("postgres_scanner", "httpfs", "ducklake")
_PROVINCE = "province_code"
_NO_PROVINCE = "-"
_CONFLICT = ("conflict", "could not serialize", "deadlock", "duplicate key", "has been altered")


class LakeUnavailableError(RuntimeError):
    """The shared lake cannot be used; the message says what is missing and how to mend it."""


class LakeConflictError(RuntimeError):
    """Other writers changed the same part every time; nothing of this write is in the lake."""


def extension_file(name: str, folder: Path | None = None) -> Path:
    """The file of a DuckDB extension: in ``folder``, else in the wheel that carries it.

    Raises LakeUnavailableError when neither has it.
    """
    if folder is not None:
        found = folder / f"{name}.duckdb_extension"
        if found.is_file():
            return found
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    places = spec.submodule_search_locations or [] if spec else []
    for place in places:
        for found in sorted(Path(place).glob(f"extensions/*/{name}.duckdb_extension")):
            return found
    raise LakeUnavailableError(
        f"找不到 DuckDB 扩展 {name}。处理:安装可选组件 parkwatch[distributed](uv sync --extra "
        "distributed),或在 parkwatch.toml 的 [engine] extension_folder 指明扩展文件所在文件夹。"
    )


@contextlib.contextmanager
def attached(connection: duckdb.DuckDBPyConnection, engine: Engine) -> Iterator[Lake]:
    """The lake attached as ``lake``, its tables made where missing.

    Raises LakeUnavailableError when extensions or the catalogue cannot be reached.
    """
    import duckdb

    try:
        for name in EXTENSIONS:
            connection.execute(f"LOAD '{extension_file(name, engine.extension_folder)}'")
        if engine.data_path.startswith("s3://"):
            connection.execute(_secret(engine))
        place = engine.data_path.replace("'", "''")
        catalogue = engine.catalogue.replace("'", "''")
        connection.execute(f"ATTACH 'ducklake:{catalogue}' AS lake (DATA_PATH '{place}')")
    except duckdb.Error as error:
        raise LakeUnavailableError(
            f"共享数据湖无法使用([engine] catalogue、data_path):{error}"
        ) from error
    try:
        lake = Lake(connection, engine.attempts)
        lake.create()
        yield lake
    finally:
        with contextlib.suppress(duckdb.Error):
            connection.execute("DETACH lake")


def _secret(engine: Engine) -> str:
    """Access to the object store; keys come from the environment alone."""
    import os

    options = {
        "KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", ""),
        "SECRET": os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
        "REGION": os.environ.get("AWS_REGION", "us-east-1"),
    }
    if engine.s3_endpoint:
        options |= {"ENDPOINT": engine.s3_endpoint, "URL_STYLE": "path"}
    said = ", ".join(f"{name} '{value}'" for name, value in options.items())
    tls = "true" if engine.s3_tls else "false"
    return f"CREATE OR REPLACE SECRET lake_store (TYPE s3, {said}, USE_SSL {tls})"


class Lake:
    """The attached lake of a connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, attempts: int) -> None:
        self.connection = connection
        self.attempts = attempts
        self.conflicts = 0
        """How many times this writer had to begin again."""

    def create(self) -> None:
        """Tables of the lake, partitioned by province and period. Two may try at once."""
        there = self.connection.execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables "
            "WHERE table_catalog = 'lake'"
        ).fetchall()
        if {row[0] for row in there} >= {*TABLES, "internal.part", "internal.claim"}:
            return

        def make() -> None:
            for full_name in TABLES:
                table = schema.table(full_name)
                columns = ", ".join(f"{c.name} {c.type}" for c in table.columns)
                self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS lake.{table.group}")
                self.connection.execute(
                    f"CREATE TABLE IF NOT EXISTS lake.{full_name} ({_PROVINCE} VARCHAR, {columns})"
                )
                self.connection.execute(
                    f"ALTER TABLE lake.{full_name} SET PARTITIONED BY ({_PROVINCE}, period)"
                )
            self.connection.execute("CREATE SCHEMA IF NOT EXISTS lake.internal")
            self.connection.execute(
                "CREATE TABLE IF NOT EXISTS lake.internal.part "
                "(table_name VARCHAR, part VARCHAR, n_rows BIGINT, digest VARCHAR)"
            )
            self.connection.execute(
                f"CREATE TABLE IF NOT EXISTS lake.internal.claim "
                f"(table_name VARCHAR, {_PROVINCE} VARCHAR, year INTEGER, turn BIGINT)"
            )
            self.connection.execute(
                f"ALTER TABLE lake.internal.claim SET PARTITIONED BY (table_name, {_PROVINCE}, year)"
            )

        self.transaction(make, "tables")

    def transaction(self, work: Callable[[], None], message: str) -> int:
        """Run ``work`` in one transaction of the lake; begin it again while others are in the way.

        Returns the snapshot it made or found. Raises LakeConflictError after the last attempt.
        """
        import duckdb

        for attempt in range(self.attempts):
            if attempt:
                time.sleep(min(0.05 * 2**attempt, 2.0) * random.uniform(0.5, 1.0))
            self.connection.execute("BEGIN")
            try:
                work()
                reach("lake.written")
                self.connection.execute("CALL lake.set_commit_message('parkwatch', ?)", [message])
                self.connection.execute("COMMIT")
                return self.snapshot()
            except duckdb.Error as error:
                with contextlib.suppress(duckdb.Error):
                    self.connection.execute("ROLLBACK")
                if not any(word in str(error).lower() for word in _CONFLICT):
                    raise
                self.conflicts += 1
        raise LakeConflictError(
            f"共享数据湖同一分区被反复改动,{self.attempts}次重试后放弃:{message}"
        )

    def snapshot(self) -> int:
        """Number of the newest snapshot."""
        row = self.connection.execute("SELECT max(snapshot_id) FROM lake.snapshots()").fetchone()
        return int(row[0]) if row else 0

    def replace(
        self,
        full_name: str,
        source: str,
        periods: Sequence[str],
        provinces: Sequence[str] | None = None,
        also: Callable[[], None] = lambda: None,
    ) -> int:
        """Replace these parts by the rows of ``source``: a relation with the table's columns and
        ``province_code``, in the connection's own database; ``also`` happens in the same
        transaction. Returns the snapshot. Raises LakeConflictError."""
        names = ", ".join([_PROVINCE, *(c.name for c in schema.table(full_name).columns)])
        where = _parts_sql(periods, provinces)
        claims = self._claims(full_name, source, periods, provinces)

        def write() -> None:
            self.connection.execute(
                f"UPDATE lake.internal.claim SET turn = turn + 1 WHERE {claims}"
            )
            self.connection.execute(f"DELETE FROM lake.{full_name} WHERE {where}")
            self.connection.execute(
                f"INSERT INTO lake.{full_name} ({names}) SELECT {names} FROM {source} "
                f"WHERE {where} ORDER BY ALL"
            )
            also()

        what = f"{full_name} {periods[0]}–{periods[-1]} {','.join(provinces or ['全部'])}"
        return self.transaction(write, what)

    def _claims(
        self,
        full_name: str,
        source: str,
        periods: Sequence[str],
        provinces: Sequence[str] | None,
    ) -> str:
        """The condition of these parts' claims. Missing ones are made first, in a transaction of their
        own: two that make the same one both see one of the two rows at least, and change it."""
        if provinces is None:
            provinces = self._provinces_of(full_name, source, periods)
        years = sorted({int(period[:4]) for period in periods})
        wanted = (
            f"table_name = '{full_name}' AND {_PROVINCE} IN ({_quoted(provinces)}) "
            f"AND year IN ({', '.join(map(str, years))})"
        )
        there = set(
            self.connection.execute(
                f"SELECT {_PROVINCE}, year FROM lake.internal.claim WHERE {wanted}"
            ).fetchall()
        )
        missing = [(p, y) for p in sorted(provinces) for y in years if (p, y) not in there]
        if missing:
            rows = ", ".join(f"('{full_name}', {_quoted([p])}, {y}, 0)" for p, y in missing)

            def claim() -> None:
                self.connection.execute(f"INSERT INTO lake.internal.claim VALUES {rows}")

            self.transaction(claim, f"{full_name} 登记分区")
        return wanted

    def _provinces_of(self, full_name: str, source: str, periods: Sequence[str]) -> list[str]:
        """Provinces with rows of these periods, in the lake or in what replaces them."""
        rows = " UNION ".join(
            f"SELECT {_PROVINCE} FROM {relation} WHERE {_parts_sql(periods, None)}"
            for relation in (source, f"lake.{full_name}")
        )
        return [row[0] for row in self.connection.execute(rows).fetchall()]

    def rows(
        self,
        full_name: str,
        periods: Sequence[str],
        provinces: Sequence[str] | None = None,
        snapshot: int | None = None,
    ) -> str:
        """A SELECT of these parts' rows, the table's own columns, as of a snapshot."""
        names = ", ".join(c.name for c in schema.table(full_name).columns)
        at = f" AT (VERSION => {snapshot})" if snapshot is not None else ""
        where = _parts_sql(periods, provinces)
        return f"SELECT {names} FROM lake.{full_name}{at} WHERE {where}"

    def bring_in_line(self, full_name: str, periods: Iterable[str]) -> list[str]:
        """Replace the periods of a shared table that differ from this connection's own table.

        Compared by row count and content digest; returns the periods that were written.
        """
        wanted = sorted(set(periods))
        kept = self._recorded(full_name)
        changed = {}
        for period in wanted:
            own = partitions.of_parts(self.connection, full_name, [period])
            if kept.get(period, Part(0, "0" * 32)) != own:
                changed[period] = own
        for period, own in changed.items():
            self._write_period(full_name, period, own)
        return sorted(changed)

    def _recorded(self, full_name: str) -> dict[str, Part]:
        found = self.connection.execute(
            "SELECT part, n_rows, digest FROM lake.internal.part WHERE table_name = ?", [full_name]
        ).fetchall()
        return {part: Part(int(n_rows), digest) for part, n_rows, digest in found}

    def record(self, full_name: str, periods: Iterable[str]) -> None:
        """Say that the lake holds of these periods what this connection's own table holds."""
        wanted = sorted(set(periods))
        parts = {p: partitions.of_parts(self.connection, full_name, [p]) for p in wanted}

        def write() -> None:
            for period, own in parts.items():
                self._record(full_name, period, own)

        if parts:
            self.transaction(write, f"{full_name} 登记")

    def _record(self, full_name: str, period: str, own: Part) -> None:
        self.connection.execute(
            "DELETE FROM lake.internal.part WHERE table_name = ? AND part = ?", [full_name, period]
        )
        self.connection.execute(
            "INSERT INTO lake.internal.part VALUES (?, ?, ?, ?)",
            [full_name, period, own.n_rows, own.digest],
        )

    def _write_period(self, full_name: str, period: str, own: Part) -> None:
        source = f"({with_province(full_name)})"
        self.replace(full_name, source, [period], also=lambda: self._record(full_name, period, own))

    def digest(self, full_name: str, periods: Sequence[str]) -> Part:
        """Rows and digest of these periods in the lake, comparable with ``partitions.of_parts``."""
        columns = ", ".join(c.name for c in schema.table(full_name).columns)
        low, high, n_rows = self.connection.execute(
            f"""
            SELECT coalesce(sum(md5_number_lower(text)::HUGEINT), 0),
                   coalesce(sum(md5_number_upper(text)::HUGEINT), 0), count(*)
            FROM (SELECT row({columns})::VARCHAR AS text FROM ({self.rows(full_name, periods)}))
            """
        ).fetchone() or (0, 0, 0)
        return Part(int(n_rows), f"{int(high) % 2**64:016x}{int(low) % 2**64:016x}")


def with_province(full_name: str) -> str:
    """A SELECT of a table's rows with the province of each park (the last one the register says)."""
    return f"""
        SELECT rows.*, coalesce(register.{_PROVINCE}, '{_NO_PROVINCE}') AS {_PROVINCE}
        FROM {full_name} AS rows
        LEFT JOIN ({PROVINCE_OF_PARK}) AS register USING (park_id)
    """


PROVINCE_OF_PARK = f"""
SELECT park_id, coalesce(arg_max({_PROVINCE}, valid_from), '{_NO_PROVINCE}') AS {_PROVINCE}
FROM dims.park GROUP BY park_id
"""


def provinces(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Provinces that have parks, the register's and those only figures know."""
    found = connection.execute(
        f"""
        SELECT DISTINCT coalesce(register.{_PROVINCE}, '{_NO_PROVINCE}')
        FROM (
            SELECT park_id FROM dims.park
            UNION SELECT id FROM internal.key WHERE domain = 'park'
            UNION SELECT park_id FROM dims.entered_figure WHERE park_id IS NOT NULL
        ) LEFT JOIN ({PROVINCE_OF_PARK}) AS register USING (park_id)
        ORDER BY 1
        """
    ).fetchall()
    return [row[0] for row in found]


def _parts_sql(periods: Sequence[str], provinces: Sequence[str] | None) -> str:
    """Literals, not parameters: DuckLake leaves out files only by what it can read in the query."""
    where = f"period IN ({_quoted(periods)})"
    return where if provinces is None else f"{where} AND {_PROVINCE} IN ({_quoted(provinces)})"


def _quoted(texts: Iterable[str]) -> str:
    said = ", ".join("'" + text.replace("'", "''") + "'" for text in texts)
    return said or "NULL"
