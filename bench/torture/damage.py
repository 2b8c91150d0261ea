"""Damage to what lies on disk: cut files, zeroed sectors, flipped bits; does ``parkwatch verify`` see it?

    python -m bench.torture.damage [--cases 100] [--seed 1] [--kind ledger]

A tiny bureau with one published build; each case damages one file of it, verifies, and puts the file
back. A case is *noticed* when ``intact.examine`` tells of any damage, *harmless* when every row of every
table and every byte that means something is as before (a sector of a free block), *MISSED* otherwise:
then the campaign ends with 1. Beside it, as a control that must be worse, what the libraries notice by
themselves when everything is read: DuckDB, Parquet and SQLite without our checksums.

The last column shows why: SQLite keeps no checksums, DuckDB and Parquet keep some, other files none.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import random
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb

from bench.torture.runs import county_start
from warehouse import intact, store
from warehouse.workspace import Workspace

SECTOR = 512
WAYS = ("cut", "sector", "flip")


def damaged(data: bytes, way: str, chance: random.Random) -> bytes:
    """``data`` with one damage: its end cut off, a sector of zeros, or one bit flipped."""
    if way == "cut":
        return data[: chance.randrange(len(data))]
    if way == "sector":
        written = [at for at in range(0, len(data), SECTOR) if any(data[at : at + SECTOR])]
        at = chance.choice(written)
        return data[:at] + bytes(len(data[at : at + SECTOR])) + data[at + SECTOR :]
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def rows_of_duckdb(path: Path) -> str:
    """Every row of every table of a DuckDB file, internal ones too."""
    with contextlib.closing(store.connect(path, read_only=True)) as connection:
        tables = connection.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() ORDER BY 1"
        ).fetchall()
        said = hashlib.sha256()
        for (name,) in tables:
            said.update(name.encode())
            for row in connection.execute(f"SELECT t::VARCHAR FROM {name} AS t").fetchall():
                said.update(row[0].encode())
    return said.hexdigest()


def rows_of_parquet(path: Path) -> str:
    """Every row of a Parquet file."""
    with contextlib.closing(duckdb.connect()) as connection:
        rows = connection.execute("SELECT t::VARCHAR FROM read_parquet(?) AS t", [str(path)])
        return hashlib.sha256("\n".join(row[0] for row in rows.fetchall()).encode()).hexdigest()


def rows_of_sqlite(path: Path) -> str:
    """Every row of every table of a SQLite file, with its own check of structure."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("integrity_check")
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1"
        )
        said = hashlib.sha256()
        for (name,) in tables.fetchall():
            said.update(repr(connection.execute(f"SELECT * FROM {name}").fetchall()).encode())
    return said.hexdigest()


def whole_file(path: Path) -> str:
    """A file every byte of which counts."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def meaning_of_json(path: Path) -> str:
    """What a JSON file says, however it is laid out."""
    return json.dumps(json.loads(path.read_text(encoding="utf-8")), sort_keys=True)


Reading = Callable[[Path], str]


def targets(workspace: Workspace) -> dict[str, tuple[list[Path], Reading]]:
    """Kinds of files, the files, and what their content is to a reader."""
    home = workspace.home
    documents = [p for p in (home / "reports").rglob("*模拟数据*") if p.is_file()]
    return {
        "published warehouse": ([workspace.warehouse_file], rows_of_duckdb),
        "kept partitions": (sorted(workspace.lake.rglob("*.parquet")), rows_of_parquet),
        "manifests": (sorted(workspace.builds.glob("*.json")), meaning_of_json),
        "originals": (sorted(p for p in workspace.archive.rglob("*") if p.is_file()), whole_file),
        "documents": (sorted(documents), whole_file),
        "ledger": ([workspace.state_file], rows_of_sqlite),
    }


def judge(workspace: Workspace, path: Path, content: str, read: Reading) -> tuple[str, bool]:
    """What becomes of one damaged file: our verdict, and whether reading alone had noticed it."""
    try:
        same, alone = read(path) == content, False
    except Exception:  # whatever the library says, it noticed
        same, alone = False, True
    if intact.examine(workspace).damages:
        return "noticed", alone
    return ("harmless" if same else "MISSED"), alone


def main() -> int:
    """Run the campaign; prints a table and every case that was missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--cases", type=int, default=100, help="cases for each kind and way")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", help="only this kind of file")
    said = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory(prefix="parkwatch-damage-") as folder:
        workspace = load(county_start(Path(folder)))
        if faults := intact.examine(workspace).damages:
            print(f"the undamaged workspace is called damaged: {faults[:3]}")
            return 1
        print(f"{'kind':20} {'way':7} {'cases':>5} noticed harmless MISSED | read alone notices")
        for kind, (files, read) in targets(workspace).items():
            if said.kind not in (None, kind):
                continue
            for way in WAYS:
                verdicts, alone = campaign(workspace, files, read, way, said.cases, said.seed)
                missed += verdicts["MISSED"]
                print(f"{kind:20} {way:7} {sum(verdicts.values()):5} {verdicts['noticed']:7} "
                      f"{verdicts['harmless']:8} {verdicts['MISSED']:6} | {alone}", flush=True)  # fmt: skip
    print(f"MISSED: {missed}")
    return 1 if missed else 0


def campaign(
    workspace: Workspace, files: list[Path], read: Reading, way: str, cases: int, seed: int
) -> tuple[Counter[str], int]:
    """``cases`` damages of one way to random files of a kind."""
    verdicts: Counter[str] = Counter()
    alone = 0
    for number in range(cases):
        chance = random.Random(f"{seed}/{files[0].parent.name}/{way}/{number}")
        path = chance.choice(files)
        data, mode, content = path.read_bytes(), path.stat().st_mode, read(path)
        hurt = damaged(data, way, chance)
        path.chmod(0o644)
        path.write_bytes(hurt)
        try:
            verdict, by_itself = judge(workspace, path, content, read)
        finally:
            path.write_bytes(data)
            path.chmod(mode)
        verdicts[verdict] += 1
        alone += by_itself
        if verdict == "MISSED":
            print(f"  MISSED: {path.name} {way} seed {seed} number {number}")
    return verdicts, alone


def load(home: Path) -> Workspace:
    """The workspace as the product sees it."""
    from pipelines.settings import load_workspace

    return load_workspace(home)


if __name__ == "__main__":
    sys.exit(main())
