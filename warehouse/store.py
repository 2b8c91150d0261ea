"""The DuckDB store: one work file, one writer, published whole by rename.

Belongs here: the only DuckDB connections of the project, the writer's lock, the work file, running
SQL models, content digests and publication. Does not belong here: what the models compute
(``warehouse/sql``), column definitions (``warehouse.schema``), receipts (``warehouse.state``).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from decimal import ROUND_HALF_UP, Decimal
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse import locks, partitions, schema
from warehouse.faults import reach
from warehouse.files import place_folder, sha256_of_folder, sync, write_whole
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

SQL_FOLDER = Path(__file__).parent / "sql"
STORAGE_VERSION = "v1.5.0"  # readable by every 1.5 release, and by 2.0
WRONG_OPTIMIZERS = "common_subplan"
"""Optimizer of DuckDB 1.5.5 that gives wrong results: two scans of a view that differ in the column
they keep were merged into one, and parks that had reported counted as silent."""
ONE_THREAD_UP_TO = 64 * 2**20
"""Bytes of a work file that one thread builds: two threads on two cores, wherever something else runs
beside them, took a quarter more CPU time for a month of 450,000 figures and saved little on the clock."""
FAR_FUTURE = "9999-12-31 00:00:00"
_LAST_PLACE = Decimal("0.00000001")


class WarehouseBusyError(RuntimeError):
    """Another process is building this workspace's warehouse."""


class NothingPublishedError(RuntimeError):
    """The workspace has no published warehouse yet."""


def connect(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """The one connection factory: UTC, no progress bar, pinned storage version, sound plans."""
    import duckdb

    config = {} if read_only else {"storage_compatibility_version": STORAGE_VERSION}
    connection = duckdb.connect(str(path), read_only=read_only, config=config)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"SET disabled_optimizers = '{WRONG_OPTIMIZERS}'")
    return connection


@contextlib.contextmanager
def as_written(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Joins inside are made in the order they are written, the smaller side last.

    DuckDB 1.5.5 takes tables filled in the transaction under way for empty, and a join with one
    domain of ``internal.key`` for one that leaves few rows: it built hash tables of all cells where a
    few failures, and of all facts where a few keys would have done.
    """
    connection.execute(f"SET disabled_optimizers = '{WRONG_OPTIMIZERS},join_order'")
    try:
        yield
    finally:
        connection.execute(f"SET disabled_optimizers = '{WRONG_OPTIMIZERS}'")


class Warehouse:
    """Reading and building of one workspace's warehouse."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._locked = False
        self._kept_open: duckdb.DuckDBPyConnection | None = None

    # --- reading ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Read-only connection to the published file, which a running build never disturbs.

        Raises NothingPublishedError before the first run has published. A reader who may not write
        leaves a killed publication to the next who may.
        """
        with contextlib.suppress(OSError):
            self.recover()
        path = self.workspace.warehouse_file
        if not path.exists():
            raise NothingPublishedError(
                f"尚无已发布的数据:{path}。请先运行 parkwatch run --period ……"
            )
        connection = connect(path, read_only=True)
        try:
            yield connection
        finally:
            connection.close()

    def has_published(self) -> bool:
        """Whether a warehouse has been published."""
        return self.workspace.warehouse_file.exists()

    # --- the single writer -----------------------------------------------------------------------

    @contextlib.contextmanager
    def writer_lock(self) -> Iterator[None]:
        """Hold the writer's lock; the kernel frees it when the process dies, however it dies.

        Raises WarehouseBusyError when another process holds it. Re-entrant within the process.
        """
        if self._locked:
            yield
            return
        with locks.hold(self.workspace.lock_file, busy=_busy):
            self._locked = True
            try:
                yield
            finally:
                self._let_go()
                self._locked = False

    def begin(self, run_id: str) -> None:
        """Start a build: the work file becomes a fresh copy of what is published.

        Calling again for the same run goes on with its work file (its steps may be processes of
        their own); what an earlier, killed run left is thrown away.
        """
        marker = self.workspace.work_file.with_suffix(".run")
        if self.workspace.work_file.exists() and marker.exists() and marker.read_text() == run_id:
            return
        self.workspace.home.mkdir(parents=True, exist_ok=True)
        self.recover()
        self._let_go()
        for leftover in _with_wal(self.workspace.work_file):
            leftover.unlink(missing_ok=True)
        shutil.rmtree(self.workspace.making, ignore_errors=True)
        if self.has_published():
            copy_file(self.workspace.warehouse_file, self.workspace.work_file)
        with self.building() as connection:
            create_all(connection)
        marker.write_text(run_id)

    @contextlib.contextmanager
    def building(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction on the work file: committed whole or rolled back whole.

        The writer keeps the file open from its first step to publication: opening and closing it for
        each of some 80 steps cost a tenth of a small run.
        """
        if self._locked and self._kept_open is None:
            self._kept_open = connect(self.workspace.work_file)
        connection = connect(self.workspace.work_file)
        if self.workspace.work_file.stat().st_size <= ONE_THREAD_UP_TO:
            connection.execute("SET threads = 1")
        try:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(Exception):
                connection.execute("ROLLBACK")
            raise
        finally:
            connection.close()

    def publish(self) -> None:
        """Make the work file the published one: checkpoint, close, sync, rename; then put the
        documents of the build in their places.

        A reader that has the old file open keeps it. Killed before the rename, the old build stands;
        after it the new one, and whoever looks next puts the rest in place (``recover``).
        """
        self._let_go()
        connection = connect(self.workspace.work_file)
        number = _build_number(connection)
        connection.execute("CHECKPOINT")
        connection.close()
        sync(self.workspace.work_file)
        reach("publish.checkpointed")
        folders = _staged_folders(self.workspace)
        for name in folders:
            _refuse_read_only(self.workspace.home / name)
        if folders:
            said = json.dumps({"number": number, "folders": folders}).encode()
            write_whole(self.workspace.announced_file, said)
        reach("publish.announced")
        os.replace(self.workspace.work_file, self.workspace.warehouse_file)
        sync(self.workspace.home)
        reach("publish.renamed")
        self._place_folders(folders)

    def _let_go(self) -> None:
        if self._kept_open is not None:
            self._kept_open.close()
            self._kept_open = None

    def recover(self) -> None:
        """Finish, or forget, a publication that was killed; without one this is one look at disk."""
        path = self.workspace.announced_file
        if not path.exists():
            return
        with contextlib.suppress(WarehouseBusyError), self.writer_lock():
            said = json.loads(path.read_text(encoding="utf-8"))
            connection = connect(self.workspace.warehouse_file, read_only=True)
            try:
                number = _build_number(connection)
            finally:
                connection.close()
            if number == said["number"] and not self.workspace.work_file.exists():
                self._place_folders(_announced(said["folders"]))
            else:
                path.unlink()

    def _place_folders(self, folders: Mapping[str, str]) -> None:
        """Put staged folders, named with their digests, where they belong.

        May be begun again after a kill at any point: a staged folder that is not the announced one any
        more is the former one, exchanged with it already.
        """
        for name, digest in folders.items():
            staged = self.workspace.making / name
            if staged.exists() and (not digest or sha256_of_folder(staged) == digest):
                place_folder(staged, self.workspace.home / name)
            reach("publish.placed")
        shutil.rmtree(self.workspace.making, ignore_errors=True)
        self.workspace.announced_file.unlink(missing_ok=True)
        reach("publish.settled")


def _busy(holder: str) -> WarehouseBusyError:
    return WarehouseBusyError(f"另一个进程({holder})正在写入本工作区,请稍后再试。")


def _build_number(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("SELECT max(number) FROM internal.build").fetchone()
    return int(row[0]) if row and row[0] else 0


STAGED_DEPTH = 4
"""Staged folders are editions: reports/<period>/<audience>/<edition>."""


def _staged_folders(workspace: Workspace) -> dict[str, str]:
    """Staged folders and the digests of what is in them."""
    pattern = "/".join("*" * STAGED_DEPTH)
    return {
        path.relative_to(workspace.making).as_posix(): sha256_of_folder(path)
        for path in sorted(workspace.making.glob(pattern))
        if path.is_dir() and not path.name.startswith(".")
    }


def _announced(folders: Mapping[str, str] | Sequence[str]) -> Mapping[str, str]:
    """Folders of an announcement; one of an earlier version names no digests, and exchanged nothing."""
    return folders if isinstance(folders, Mapping) else dict.fromkeys(folders, "")


def _refuse_read_only(target: Path) -> None:
    """OSError when ``target`` could not be put in its place: once the tables are published it is too
    late to notice."""
    place = next(parent for parent in target.parents if parent.exists())
    if not os.access(place, os.W_OK | os.X_OK):
        number = errno.EROFS if os.statvfs(place).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(number, os.strerror(number), str(place))


def copy_file(source: Path, target: Path) -> None:
    """Copy a file; where the file system can share blocks (XFS, btrfs) nothing is copied."""
    with source.open("rb") as old, target.open("wb") as new:
        try:
            fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
        except OSError:
            size, done = os.fstat(old.fileno()).st_size, 0
            while done < size:
                done += os.sendfile(new.fileno(), old.fileno(), done, min(size - done, 1 << 30))


_FICLONE = 0x40049409


def _with_wal(path: Path) -> list[Path]:
    return [path, path.with_name(path.name + ".wal")]


# --- tables ---------------------------------------------------------------------------------------


def create_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Create whatever of the dictionary's tables, views and internal tables is missing.

    A file keeps the digest of the structure it was given; one that has today's is left as it is.
    """
    digest = hashlib.sha256("\n".join(_structure()).encode()).hexdigest()
    if _has_structure(connection, digest):
        return
    there = partitions.columns_there(connection)
    for group in sorted({table.group for table in schema.TABLES}):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {group}")
    connection.execute(_model_text("internal"))
    for table in schema.TABLES:
        before = there.get(table.full_name)
        missing = [c for c in table.columns if before is not None and c.name not in before]
        if table.is_view:
            select = model_select(table.full_name)
            connection.execute(f"CREATE OR REPLACE VIEW {table.full_name} AS {select}")
        _add(connection, table, missing)
        for statement in schema.create_statements(table):
            connection.execute(statement)
    connection.execute("DELETE FROM internal.structure")
    connection.execute("INSERT INTO internal.structure VALUES (?)", [digest])


def _has_structure(connection: duckdb.DuckDBPyConnection, digest: str) -> bool:
    """Whether the file was given this structure. Asked before its columns are listed, which binds
    every view."""
    there = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'internal' AND table_name = 'structure'"
    ).fetchone()
    if there != (1,):
        return False
    found = connection.execute(
        "SELECT count(*) FROM internal.structure WHERE digest = ?", [digest]
    ).fetchone()
    return bool(found == (1,))


def _structure() -> Iterator[str]:
    """Every text a file's tables and views are made from."""
    yield _model_text("internal")
    for table in schema.TABLES:
        if table.is_view:
            yield model_select(table.full_name)
        yield from schema.create_statements(table)


def _add(
    connection: duckdb.DuckDBPyConnection, table: schema.Table, missing: Sequence[schema.Column]
) -> None:
    """Columns the dictionary has gained since the workspace's file was made; with them every row has
    another digest."""
    if missing:
        partitions.touch_all(connection, table.full_name)
    for column in missing if not table.is_view else ():
        connection.execute(f"ALTER TABLE {table.full_name} ADD COLUMN {column.name} {column.type}")


def model_select(full_name: str) -> str:
    """The SELECT of ``warehouse/sql/<schema>__<table>.sql``."""
    return _model_text(full_name.replace(".", "__"))


def _model_text(stem: str) -> str:
    return (SQL_FOLDER / f"{stem}.sql").read_text(encoding="utf-8").rstrip().rstrip(";")


def run_script(
    connection: duckdb.DuckDBPyConnection, stem: str, values: Mapping[str, object] | None = None
) -> None:
    """Run every statement of ``warehouse/sql/<stem>.sql``; ``$name`` takes its value by name."""
    for statement in connection.extract_statements(_model_text(stem)):
        wanted = {name: (values or {})[name] for name in statement.named_parameters}
        connection.execute(statement, wanted or None)


def replace_rows(
    connection: duckdb.DuckDBPyConnection,
    full_name: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    where: str = "true",
    values: Sequence[object] = (),
) -> int:
    """Replace the rows of a dictionary table that match ``where`` by ``rows`` (dicts by column).

    Rows travel through Arrow with the declared types, so a DECIMAL stays a DECIMAL. Returns the
    number of rows written.
    """
    column = partitions.part_column(schema.table(full_name))
    if full_name in partitions.TRACKED:
        gone = connection.execute(
            f"SELECT DISTINCT {column} FROM {full_name} WHERE {where}", list(values)
        ).fetchall()
        partitions.touch(connection, full_name, (row[0] for row in gone))
    connection.execute(f"DELETE FROM {full_name} WHERE {where}", list(values))
    return insert_rows(connection, full_name, rows)


def insert_rows(
    connection: duckdb.DuckDBPyConnection, full_name: str, rows: Sequence[Mapping[str, Any]]
) -> int:
    """Append ``rows`` (dicts by column name) in the order given; missing columns become NULL."""
    if not rows:
        return 0
    names = [column.name for column in schema.table(full_name).columns]
    return _insert(connection, full_name, {n: [row.get(n) for row in rows] for n in names})


def insert_records(
    connection: duckdb.DuckDBPyConnection, full_name: str, records: Sequence[Any]
) -> int:
    """The same for dataclass instances of one class whose fields are named as the columns."""
    if not records:
        return 0
    there = {field.name for field in fields(records[0])}
    names = [column.name for column in schema.table(full_name).columns]
    return _insert(
        connection,
        full_name,
        {n: list(map(attrgetter(n), records)) if n in there else [None] * len(records)
         for n in names},
    )  # fmt: skip


def _insert(
    connection: duckdb.DuckDBPyConnection, full_name: str, columns: Mapping[str, Sequence[Any]]
) -> int:
    part = partitions.part_column(schema.table(full_name))
    partitions.touch(connection, full_name, set(columns[part]) if part else [None])
    incoming = _as_arrow(full_name, columns)  # DuckDB finds it under this name
    names = ", ".join(columns)
    connection.execute(f"INSERT INTO {full_name} ({names}) SELECT {names} FROM incoming")
    return int(incoming.num_rows)


def insert_columns(
    connection: duckdb.DuckDBPyConnection, full_name: str, columns: Mapping[str, Sequence[Any]]
) -> int:
    """Append rows given as one list a column, all of one length; missing columns become NULL.

    A DECIMAL comes as exact text and is rounded half up, as ``insert_rows`` does; hundreds of
    thousands of cells then need no object each. Returns the number of rows written.
    """
    import pyarrow as pa

    part = partitions.part_column(schema.table(full_name))
    partitions.touch(connection, full_name, set(columns.get(part or "", ())))
    declared = [c for c in schema.table(full_name).columns if c.name in columns]
    incoming = pa.table({  # DuckDB finds it under this name
        c.name: pa.array(
            columns[c.name],
            type=schema.arrow_type(schema.TEXT if c.type == schema.VALUE else c.type),
        )
        for c in declared
    })  # fmt: skip
    names = ", ".join(c.name for c in declared)
    wanted = ", ".join(_DECIMAL.format(c.name) if c.type == schema.VALUE else c.name
                       for c in declared)  # fmt: skip
    with _one_thread(connection):
        connection.execute(f"INSERT INTO {full_name} ({names}) SELECT {wanted} FROM incoming")
    return int(incoming.num_rows)


@contextlib.contextmanager
def _one_thread(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Rows of one Arrow table come one after another: threads waiting for each other double the CPU
    time (0.87 s against 0.43 s for 200,000 cells) and save none on the clock."""
    row = connection.execute("SELECT current_setting('threads')").fetchone()
    connection.execute("SET threads = 1")
    try:
        yield
    finally:
        connection.execute(f"SET threads = {row[0] if row else 1}")


_DECIMAL = f"coalesce(TRY_CAST({{0}} AS DECIMAL(18,8)), CAST({{0}} AS {schema.VALUE}))"
"""Text as an exact value. DuckDB 1.5.5 takes 7 µs for one that needs 128 bits and 0.06 µs for others."""


def as_arrow(full_name: str, rows: Sequence[Mapping[str, Any]]) -> Any:
    """``rows`` as an Arrow table with the declared types of a dictionary table."""
    names = [column.name for column in schema.table(full_name).columns]
    return _as_arrow(full_name, {name: [row.get(name) for row in rows] for name in names})


def _as_arrow(full_name: str, columns: Mapping[str, Sequence[Any]]) -> Any:
    import pyarrow as pa

    typed = {}
    for column in schema.table(full_name).columns:
        values, wanted = columns[column.name], schema.arrow_type(column.type)
        try:
            typed[column.name] = pa.array(values, type=wanted)
        except pa.ArrowInvalid:
            if column.type != schema.VALUE:
                raise
            typed[column.name] = pa.array([_to_8_decimals(value) for value in values], type=wanted)
    return pa.table(typed)


def _to_8_decimals(value: Decimal | None) -> Decimal | None:
    """Round half up where there are more than 8 decimals (results of divisions)."""
    if value is None:
        return None
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -8:
        return value
    return value.quantize(_LAST_PLACE, rounding=ROUND_HALF_UP)


class BadQueryError(ValueError):
    """A statement somebody typed cannot be run; the message says what DuckDB says of it."""


def ask(connection: duckdb.DuckDBPyConnection, typed: str) -> list[dict[str, Any]]:
    """Rows of a statement typed by a person. Raises BadQueryError when it cannot be run as it is."""
    import duckdb

    try:
        return fetch(connection, typed)
    except (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError) as error:
        said = str(error).strip()
        hint = "表和列见 parkwatch dictionary" if "not found" in said or "not exist" in said else ""
        raise BadQueryError(f"查询不能执行:{said}" + (f"\n{hint}" if hint else "")) from None


def fetch(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    values: Sequence[object] | Mapping[str, object] = (),
) -> list[dict[str, Any]]:
    """Rows of a query as dicts by column name."""
    cursor = connection.execute(query, values or None)
    names = [described[0] for described in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def pandas_frame(table: pa.Table) -> pd.DataFrame:
    """An Arrow table as the frame a query of the same rows would give: DuckDB's types, not Arrow's."""
    import duckdb

    return duckdb.from_arrow(table).df()


# --- digests --------------------------------------------------------------------------------------


def table_digest(connection: duckdb.DuckDBPyConnection, full_name: str) -> tuple[int, str]:
    """Row count and order-independent content digest of a dictionary table, from every row.

    Sum of the 128-bit MD5 of every row's text over the declared columns: the same content gives the
    same digest in any order, process or file layout; a changed, missing or doubled row changes it.
    """
    whole = partitions.of_parts(connection, full_name)
    return whole.n_rows, whole.digest
