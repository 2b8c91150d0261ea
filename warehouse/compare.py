"""What changed between two builds, two moments or two catalogues, and what it moved.

Belongs here: comparing rows by key, grading each change (new, removed, revised, rounding, derived),
and listing the verdicts, ranks and lights that moved. Does not belong here: printing it
(``pipelines.cli``), keeping builds (``builds``).

Only partitions whose digests differ are read, so the cost is that of what changed.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse import builds, schema, store
from warehouse.builds import Manifest
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

SHOWN = 50
"""Changes listed per table; the rest are counted."""
FIGURES = "observations.observation"
DERIVED = ("indicators", "targets", "assessment")
_LEFT_OUT = frozenset({"ops.digest", "deliveries.message", "submissions.cell", "observations.revision",
                       "observations.revision_summary"})  # fmt: skip
"""Follow from the others, or are of no interest to a reader of figures."""
_NO_RESULT = {"quality.expectation": {"digest"}}
"""Columns that name what was looked at (compared in its own tables), not what came of it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row that differs. ``severity``: new, removed, revised, rounding or derived."""

    table: str
    severity: str
    key: Mapping[str, Any]
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(slots=True)
class Difference:
    """Everything that differs: counts by table and severity, samples, and what moved."""

    before: str
    after: str
    notes: list[str] = field(default_factory=list)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    moved: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not self.counts

    def add(self, change: Change) -> None:
        """Count a change, keep it while there is room, note what it moved."""
        counted = self.counts.setdefault(change.table, Counter())
        counted[change.severity] += 1
        if counted.total() <= SHOWN:
            self.changes.append(change)
        if moved := _moved(change):
            self.moved.append(moved)

    def plain(self) -> dict[str, Any]:
        """As plain data, for ``--json``."""
        return {
            "before": self.before,
            "after": self.after,
            "notes": self.notes,
            "counts": {name: dict(counted) for name, counted in self.counts.items()},
            "moved": self.moved,
            "changes": [
                {"table": c.table, "severity": c.severity, "key": dict(c.key),
                 "before": dict(c.before), "after": dict(c.after)}
                for c in self.changes
            ],
        }  # fmt: skip


def builds_apart(workspace: Workspace, before: Manifest, after: Manifest) -> Difference:
    """What differs between two kept builds."""
    found = Difference(_build_words(before), _build_words(after), notes=_origins(before, after))
    with _memory() as connection:
        for table in schema.TABLES:
            name = table.full_name
            if name in _LEFT_OUT:
                continue
            parts = _different_parts(before, after, name)
            if not parts:
                continue
            for side, manifest in (("old", before), ("new", after)):
                select = builds.select_parts(workspace, manifest, name, parts)
                if name == FIGURES:
                    select = f"SELECT * FROM ({select}) WHERE known_to IS NULL"
                connection.execute(f"CREATE OR REPLACE TEMP TABLE {side} AS {select}")
            _compare(connection, table, found)
    return found


def moments_apart(connection: duckdb.DuckDBPyConnection, before: str, after: str) -> Difference:
    """What was known of figures at one UTC moment and not at the other, in one warehouse."""
    found = Difference(f"截至 {before} UTC 所知", f"截至 {after} UTC 所知")
    for side, moment in (("old", before), ("new", after)):
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {side} AS SELECT figure.* FROM observations.observation "
            "AS figure WHERE known_from <= $1::TIMESTAMP "
            "AND (known_to IS NULL OR known_to > $1::TIMESTAMP) "
            "AND period IN (SELECT period FROM observations.observation "
            "  WHERE known_from BETWEEN least($1, $2)::TIMESTAMP AND greatest($1, $2)::TIMESTAMP "
            "  OR known_to BETWEEN least($1, $2)::TIMESTAMP AND greatest($1, $2)::TIMESTAMP)",
            [moment, after if side == "old" else before],
        )
    _compare(connection, schema.table(FIGURES), found)
    rounding = connection.execute(
        "SELECT count(*) FROM observations.revision WHERE kind = 'rounding' "
        "AND known_from > least($1, $2)::TIMESTAMP AND known_from <= greatest($1, $2)::TIMESTAMP",
        [before, after],
    ).fetchone()
    if rounding and rounding[0]:
        found.notes.append(f"其间仅修约位数不同的 {rounding[0]} 个,不算修订")
    return found


def _build_words(manifest: Manifest) -> str:
    return (
        f"构建 #{manifest.number}({manifest.digest[:12]},{manifest.period},{manifest.built_at} UTC)"
    )


def _origins(before: Manifest, after: Manifest) -> list[str]:
    said = {"catalogue_digest": "政策目录", "settings_digest": "工作区设置", "reader_version": "读取程序",
            "asof": "时点"}  # fmt: skip
    return [
        f"{word}不同:{str(getattr(before, name))[:19]} → {str(getattr(after, name))[:19]}"
        for name, word in said.items()
        if getattr(before, name) != getattr(after, name)
    ]


@contextlib.contextmanager
def _memory() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = store.connect(Path(":memory:"))
    try:
        yield connection
    finally:
        connection.close()


def _different_parts(before: Manifest, after: Manifest, name: str) -> set[str]:
    old, new = before.parts(name), after.parts(name)
    return {part for part in old.keys() | new.keys() if old.get(part) != new.get(part)}


def _key_of(table: schema.Table) -> list[str]:
    """Columns two states of one thing share; a figure is the same whenever it became known."""
    return [name for name in table.key if name != "known_from"]


def _compare(connection: duckdb.DuckDBPyConnection, table: schema.Table, found: Difference) -> None:
    """Compare temp tables ``old`` and ``new`` by key and add to ``found``."""
    key = _key_of(table)
    skipped = {"known_from", "known_to", "submission_id", "sheet", "address"}
    skipped |= _NO_RESULT.get(table.full_name, set())
    others = [c.name for c in table.columns if c.name not in {*key, *skipped}]
    same = " AND ".join(f"old.{k} IS NOT DISTINCT FROM new.{k}" for k in key)
    struct = {s: ", ".join(f"'{n}': {s}.{n}" for n in others) for s in ("old", "new")}
    differs = " OR ".join(f"old.{n} IS DISTINCT FROM new.{n}" for n in others) or "false"
    keys = ", ".join(f"'{k}': coalesce(old.{k}, new.{k})" for k in key)
    rows = store.fetch(
        connection,
        f"""
        SELECT {{{keys}}} AS key,
               CASE WHEN old.present THEN {{{struct["old"]}}} END AS before,
               CASE WHEN new.present THEN {{{struct["new"]}}} END AS after
        FROM (SELECT *, true AS present FROM old) AS old
        FULL JOIN (SELECT *, true AS present FROM new) AS new ON {same}
        WHERE old.present IS NULL OR new.present IS NULL OR {differs}
        ORDER BY ALL
        """,
    )
    for row in rows:
        found.add(_change(table, row))


def _change(table: schema.Table, row: Mapping[str, Any]) -> Change:
    before, after = row["before"] or {}, row["after"] or {}
    changed = [n for n in {**before, **after} if before.get(n) != after.get(n)]
    if before and after:
        before, after = ({n: side[n] for n in changed} for side in (before, after))
    severity = _severity(table, row)
    return Change(table.full_name, severity, row["key"], before, after)


def _severity(table: schema.Table, row: Mapping[str, Any]) -> str:
    before, after = row["before"], row["after"]
    if before is None:
        return "new"
    if after is None:
        return "removed"
    if table.full_name == FIGURES and _is_rounding(before["value"], after["value"]):
        return "rounding"
    return "derived" if table.group in DERIVED else "revised"


def _is_rounding(before: Any, after: Any) -> bool:
    """Whether one value is the other with fewer digits (both as stored, trailing zeros apart)."""
    if before is None or after is None or before == after:
        return False
    places = [max(0, -int(value.normalize().as_tuple().exponent)) for value in (before, after)]
    if places[0] == places[1]:
        return False
    half_step = 10.0 ** -min(places) / 2
    return abs(float(before - after)) <= half_step * (1 + 1e-9)


_WATCHED = {
    "targets.verdict": ("verdict", "light"),
    "assessment.score": ("rank", "eligible"),
    "assessment.watch": ("light", "simulated_rank"),
    "assessment.risk": ("p_last_k",),
}


def _moved(change: Change) -> dict[str, Any] | None:
    """The verdict, rank or light a change moved; None when it moved none."""
    names = [n for n in _WATCHED.get(change.table, ()) if n in change.before or n in change.after]
    moved = [n for n in names if change.before.get(n) != change.after.get(n)]
    if not moved:
        return None
    return {
        "table": change.table,
        "key": dict(change.key),
        **{n: [change.before.get(n), change.after.get(n)] for n in moved},
    }
