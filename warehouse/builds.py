"""Builds kept after they were published: a manifest each, over partitions shared in the lake.

Belongs here: Parquet files of partitions named by content, manifests of builds, which are kept, and
reading a kept build again. Does not belong here: making a build or publishing it (``store``,
``assets.build``), comparing builds (``compare``).

``lake/<schema>/<table>/<part>/<digest>.parquet`` never changes once it is there; a build that leaves
a partition as it was shares its file. ``published/<number>-<digest>.json`` lists a build's parts.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse import partitions, schema, store
from warehouse.faults import reach
from warehouse.files import sync, write_whole
from warehouse.partitions import Part
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

KEPT = 24
"""Builds kept besides those an edition was sent from."""
FEW_PARTS = 3
"""Up to so many new partitions of a table are written from it directly."""
ROWS_TOGETHER = 2_000_000
SYNCED_AT_ONCE = 8
RELEASED = frozenset({"sent"})
"""States of an edition after which the build it was made from is never removed."""
WHOLE_FOLDER = "all"
"""Folder of parts without a period (``partitions.WHOLE``, which is empty)."""


CHECKSUM = "sha256"
"""Key of a manifest file under which the checksum of everything else in it stands."""


class NoSuchBuildError(LookupError):
    """No kept build of that name, number or day; the message lists those there are."""


class DamagedManifestError(ValueError):
    """A manifest that cannot be read, or whose tables are not those of its digest."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A kept build: what it was made from and the content of every partition."""

    number: int
    digest: str
    built_at: str
    """UTC, ISO 8601: when the run began, which is the moment its figures were known."""
    period: str | None
    asof: str
    catalogue_digest: str
    reader_version: int
    settings_digest: str = ""
    editions: list[dict[str, Any]] = field(default_factory=list)
    tables: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Number and first digits of the digest: the file's stem."""
        return f"{self.number:05d}-{self.digest[:16]}"

    def parts(self, full_name: str) -> dict[str, Part]:
        """Parts of a table; none when the build does not have the table."""
        return {part: Part(*said) for part, said in self.tables.get(full_name, {}).items()}

    @property
    def is_released(self) -> bool:
        """Whether an edition made from this build has been sent."""
        return any(edition["status"] in RELEASED for edition in self.editions)


def build_digest(tables: Mapping[str, Mapping[str, Part]]) -> str:
    """SHA-256 over row counts and digests of all tables: equal exactly when all tables are equal."""
    totals = {name: partitions.total(parts) for name, parts in tables.items()}
    lines = [f"{name} {whole.n_rows} {whole.digest}" for name, whole in sorted(totals.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def number_build(connection: duckdb.DuckDBPyConnection) -> tuple[int, str]:
    """Number and digest of the build under way; a build equal to the last one keeps its number."""
    digest = build_digest(partitions.recorded(connection))
    last = published_number(connection)
    if last is not None and last[1] == digest:
        return last
    number = (last[0] if last else 0) + 1
    connection.execute("DELETE FROM internal.build")
    connection.execute("INSERT INTO internal.build VALUES (?, ?)", [number, digest])
    return number, digest


def published_number(connection: duckdb.DuckDBPyConnection) -> tuple[int, str] | None:
    """Number and digest a warehouse file was published with."""
    there = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'internal' AND table_name = 'build'"
    ).fetchone()
    if not there or not there[0]:
        return None
    row = connection.execute("SELECT number, digest FROM internal.build").fetchone()
    return (int(row[0]), str(row[1])) if row else None


# --- keeping --------------------------------------------------------------------------------------


def keep(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, origin: Mapping[str, Any]
) -> Manifest:
    """Write the partitions the lake lacks and the build's manifest.

    ``origin``: number, digest, built_at, period, asof, catalogue_digest, settings_digest,
    reader_version.
    """
    recorded = partitions.recorded(connection)
    for name, parts in recorded.items():
        _keep_parts(connection, workspace, name, parts)
    editions = store.fetch(
        connection,
        "SELECT period, audience_id, edition, status, data_digest, rules_digest, documents, folder "
        "FROM bulletins.edition ORDER BY ALL",
    )
    manifest = Manifest(
        **origin,
        editions=editions,
        tables={
            name: {part: (said.n_rows, said.digest) for part, said in parts.items()}
            for name, parts in recorded.items()
        },
    )
    path = manifest_file(workspace, manifest)
    if _editions(path) != manifest.editions:
        write(path, manifest)
    reach("publish.kept")
    return manifest


def manifest_file(workspace: Workspace, manifest: Manifest) -> Path:
    """Where a build's manifest lies."""
    return workspace.builds / f"{manifest.name}.json"


def write(path: Path, manifest: Manifest) -> None:
    """Write a manifest with its checksum."""
    said = _said(manifest)
    said[CHECKSUM] = _checksum(said)
    write_whole(path, json.dumps(said, ensure_ascii=False, indent=0).encode())


def _keep_parts(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    name: str,
    parts: Mapping[str, Part],
) -> None:
    """Write the partitions of a table that the lake lacks, each whole or not at all."""
    missing = {
        part: Path(path)
        for part, content in parts.items()
        if not os.path.exists(path := _part_path(workspace, name, part, content.digest))  # noqa: PTH110
    }
    for together in _shares({part: parts[part].n_rows for part in missing}):
        source = name
        if len(together) > FEW_PARTS:  # a view over many tables is asked once, not for each part
            source = "kept_rows"
            connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {source} AS "
                f"SELECT {_columns(name)} FROM {name} WHERE {_among(name, together)}"
            )
        written = {
            part: _written(connection, source, name, part, missing[part]) for part in together
        }
        with ThreadPoolExecutor(SYNCED_AT_ONCE) as pool:
            list(pool.map(sync, written.values()))
        for part, partial in written.items():
            os.replace(partial, missing[part])
            reach("publish.partition")
    connection.execute("DROP TABLE IF EXISTS temp.kept_rows")


def _shares(n_rows: Mapping[str, int]) -> Iterator[list[str]]:
    """Parts in shares of about two million rows, a larger part by itself."""
    share: list[str] = []
    held = 0
    for part in sorted(n_rows):
        if share and held + n_rows[part] > ROWS_TOGETHER:
            yield share
            share, held = [], 0
        share.append(part)
        held += n_rows[part]
    if share:
        yield share


def _written(
    connection: duckdb.DuckDBPyConnection, source: str, name: str, part: str, path: Path
) -> Path:
    """The rows of a part in a file beside its place; its name is given once it is on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}")
    connection.execute(
        f"COPY (SELECT {_columns(name)} FROM {source} WHERE {_among(name, [part])} "
        f"ORDER BY {', '.join(schema.table(name).key)}) "
        f"TO {_quoted(partial)} (FORMAT parquet, COMPRESSION zstd)"
    )
    return partial


def _columns(name: str) -> str:
    return ", ".join(column.name for column in schema.table(name).columns)


def _among(name: str, parts: Sequence[str]) -> str:
    """Condition that a row of the table belongs to one of these parts."""
    column = partitions.part_column(schema.table(name))
    if column is None:
        return "true"
    listed = ", ".join(_quoted(part) for part in parts if part)
    said = [f"{column} IN ({listed})"] if listed else []
    return " OR ".join(said + ([f"{column} IS NULL OR {column} = ''"] if "" in parts else []))


def part_file(workspace: Workspace, name: str, part: str, digest: str) -> Path:
    """Where the lake keeps a partition with this content."""
    return Path(_part_path(workspace, name, part, digest))


def _part_path(workspace: Workspace, name: str, part: str, digest: str) -> str:
    """The same as text: a build asks for every part of its history, and paths are dear."""
    return f"{workspace.lake}/{name.replace('.', '/')}/{part or WHOLE_FOLDER}/{digest}.parquet"


def _quoted(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def prune(workspace: Workspace, current: Manifest, keep_last: int = KEPT) -> list[str]:
    """Remove builds no longer kept and partitions no kept build holds; names of builds removed.

    Kept are the last ``keep_last``, every one an edition was sent from, and the published one. A
    manifest of a run that was killed before readers saw its build is removed as well. While any
    manifest is damaged nothing is removed: what it held can no longer be told.
    """
    there = manifests(workspace)
    if len(there) < len(manifest_files(workspace)):
        return []
    ahead = [m for m in there if m.number > current.number or _is_twin(m, current)]
    counted = [m for m in there if m not in ahead]
    gone = ahead + [m for m in counted[:-keep_last] if not m.is_released and m != current]
    if not gone:
        return []
    for manifest in gone:
        manifest_file(workspace, manifest).unlink()
    kept = {  # builds share most of their partitions: a path is made once for each
        (name, part, said[1])
        for manifest in there
        if manifest not in gone
        for name, parts in manifest.tables.items()
        for part, said in parts.items()
    }
    held = {_part_path(workspace, *place) for place in kept}
    for folder, _, names in os.walk(workspace.lake):
        for name in names:
            if name.endswith(".parquet") and f"{folder}/{name}" not in held:
                Path(folder, name).unlink(missing_ok=True)
    return [manifest.name for manifest in gone]


def _is_twin(manifest: Manifest, current: Manifest) -> bool:
    return manifest.number == current.number and manifest.digest != current.digest


# --- looking --------------------------------------------------------------------------------------


def manifest_files(workspace: Workspace) -> list[Path]:
    """Files of the kept builds, readable or not."""
    return sorted(workspace.builds.glob("*.json")) if workspace.builds.is_dir() else []


def manifests(workspace: Workspace) -> list[Manifest]:
    """Kept builds, oldest first; damaged ones are left out (``intact`` tells of them)."""
    found = []
    for path in manifest_files(workspace):
        with contextlib.suppress(DamagedManifestError, FileNotFoundError):
            found.append(read(path))
    return sorted(found, key=lambda m: m.number)


def read(path: Path) -> Manifest:
    """The manifest of a file. Raises DamagedManifestError when it is not what was written."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        checksum = said.pop(CHECKSUM, None)  # builds of before 2026-11 have none
        tables = {
            name: {part: (int(pair[0]), str(pair[1])) for part, pair in parts.items()}
            for name, parts in said.pop("tables").items()
        }
        manifest = Manifest(**said, tables=tables)
        digest = build_digest({name: manifest.parts(name) for name in tables})
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise DamagedManifestError(f"无法读取({type(error).__name__})") from None
    if checksum not in (None, _checksum(_said(manifest))):
        raise DamagedManifestError("内容与校验值不符")
    if digest != manifest.digest or path.stem != manifest.name:
        raise DamagedManifestError("各表摘要与构建摘要不符")
    return manifest


def _said(manifest: Manifest) -> dict[str, Any]:
    """A manifest's fields by name; unlike ``asdict`` no copy of its thousands of parts is made."""
    return {each.name: getattr(manifest, each.name) for each in fields(manifest)}


def _checksum(said: Mapping[str, Any]) -> str:
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _editions(path: Path) -> list[dict[str, Any]] | None:
    """What a manifest says of editions; None when there is none, or a damaged one to write again."""
    try:
        return read(path).editions
    except (DamagedManifestError, FileNotFoundError):
        return None


def find(workspace: Workspace, wanted: str) -> Manifest:
    """The kept build ``wanted`` names: ``#3`` or ``3``, first digits of its digest, its day
    (YYYY-MM-DD: the last of that day), ``last`` or ``last~1`` (the one before).

    Raises NoSuchBuildError.
    """
    there = manifests(workspace)
    found = _matching(there, wanted.strip())
    if found is None:
        listed = "、".join(f"#{m.number}({m.digest[:8]},{m.built_at[:16]})" for m in there[-8:])
        raise NoSuchBuildError(f"没有保存名为 {wanted} 的构建;现有:{listed or '无'}")
    return found


def _matching(there: list[Manifest], wanted: str) -> Manifest | None:
    if wanted == "last" or wanted.startswith("last~"):
        back = int(wanted[5:] or 0) if wanted != "last" and wanted[5:].isdigit() else 0
        return there[-1 - back] if back < len(there) else None
    number = wanted.removeprefix("#")
    by_number = [m for m in there if number.isdigit() and m.number == int(number)]
    by_digest = [m for m in there if len(wanted) >= 6 and m.digest.startswith(wanted.lower())]
    by_day = [m for m in there if len(wanted) == 10 and m.built_at.startswith(wanted)]
    chosen = by_number or by_digest or by_day
    return chosen[-1] if chosen else None


def select_parts(
    workspace: Workspace, manifest: Manifest, full_name: str, parts: set[str] | None = None
) -> str:
    """A SELECT over these parts (all when None) of a table of a kept build, in declared columns."""
    table = schema.table(full_name)
    files = [
        _quoted(part_file(workspace, full_name, part, said.digest))
        for part, said in manifest.parts(full_name).items()
        if parts is None or part in parts
    ]
    if not files:
        empty = ", ".join(f"NULL::{c.type} AS {c.name}" for c in table.columns)
        return f"SELECT {empty} WHERE false"
    names = ", ".join(c.name for c in table.columns)
    return f"SELECT {names} FROM read_parquet([{', '.join(files)}], union_by_name = true)"


@contextlib.contextmanager
def opened(workspace: Workspace, manifest: Manifest) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables of a kept build under their own names, read from the lake."""
    connection = store.connect(Path(":memory:"))
    try:
        for table in schema.TABLES:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {table.group}")
            select = select_parts(workspace, manifest, table.full_name)
            connection.execute(f"CREATE VIEW {table.full_name} AS {select}")
        yield connection
    finally:
        connection.close()


def carry_over(workspace: Workspace, manifest: Manifest, period: str, target: Path) -> None:
    """Make a warehouse at ``target`` that knows what a kept build had said of earlier periods.

    Chances, forecasts and warnings are kept as they were said (``asof_period``); a later edition
    compares itself with them. Facts are not carried over: they come from the archive.
    """
    with contextlib.closing(store.connect(target)) as connection:
        store.create_all(connection)
        for table in schema.TABLES:
            if table.is_view or not any(c.name == "asof_period" for c in table.columns):
                continue
            names = ", ".join(column.name for column in table.columns)
            said = select_parts(workspace, manifest, table.full_name)
            connection.execute(
                f"INSERT INTO {table.full_name} ({names}) "
                f"SELECT {names} FROM ({said}) WHERE asof_period < ?",
                [period],
            )
