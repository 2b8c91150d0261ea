"""Runs relations over a build's cells: counts of outcomes, and a finding for each failure.

Belongs here: the queries around compiled rules; every rule of a kind is judged in one statement, no
row passes through Python. Does not belong here: compiling rules (``quality.rules``), what follows
from a finding (triage, returns) or which findings are new (``quality_findings.sql``).

Two passes: first the rules within a file, then those that compare with earlier periods or the
version before, which do not compare with figures the first pass found wrong. Outcomes depend on the
files that count, not on the order in which they arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse import derive, schema, store
from warehouse.relations import Relation, Relations, Slot

if TYPE_CHECKING:
    import duckdb

LOOK_BACK_MONTHS = 13
"""Months after a changed period whose outcomes may change with it (growth of the month before)."""
_FRAMES = ("cell", "total", "part", "area", "target", "enclave")
_SLOTS_AT_ONCE = 6
_LATER_FACTS = frozenset({"n_values", "n_same"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What judging needs besides cells: catalogue bounds, required figures, deadlines, references."""

    first_month: int
    zone: str
    bounds: Sequence[tuple[str, Decimal | None, Decimal | None]] = ()
    required: Sequence[tuple[str, str]] = ()
    """(source id, indicator id)."""
    deadlines: Sequence[tuple[str, str, date]] = ()
    """(source id, period, last day)."""
    references: Sequence[tuple[str, str, str, Decimal, str]] = ()
    """(park id or region code, indicator id, period, value, source)."""
    scored: Sequence[str] = ()
    """Indicators some assessment scheme scores."""


@dataclass(slots=True)
class Judging:
    """One run of all relations over the periods of ``internal.judged_period``."""

    connection: duckdb.DuckDBPyConnection
    relations: Relations
    around: Surroundings
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, object]:
        """Parameters of the scripts."""
        return {"first_month": self.around.first_month, "zone": self.around.zone}


def choose_periods(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Fill ``internal.judged_period``: periods that changed, and those that compare with them."""
    connection.execute("DELETE FROM internal.judged_period")
    connection.execute(
        f"""
        INSERT INTO internal.judged_period
        WITH seen AS (SELECT DISTINCT period FROM submissions.cell WHERE period IS NOT NULL),
        month_of AS (SELECT period, left(period, 4)::INTEGER * 12 + right(period, 2)::INTEGER AS n FROM seen),
        changed AS (
            SELECT left(period, 4)::INTEGER * 12 + right(period, 2)::INTEGER AS n
            FROM internal.affected_period
        )
        SELECT DISTINCT month_of.period FROM month_of
        JOIN changed ON month_of.n BETWEEN changed.n AND changed.n + {LOOK_BACK_MONTHS}
        UNION
        SELECT period FROM internal.affected_period
        """
    )
    rows = connection.execute("FROM internal.judged_period ORDER BY period").fetchall()
    return [row[0] for row in rows]


def judge(
    connection: duckdb.DuckDBPyConnection, relations: Relations, around: Surroundings
) -> list[str]:
    """Judge the periods that need it; replaces their rows in the internal tables and
    ``quality.rule_outcome``. Periods whose errors changed are marked affected. Returns the periods.
    """
    periods = choose_periods(connection)
    if not periods:
        return periods
    before = _errors_by_period(connection)
    judging = Judging(connection, relations, around)
    _clear(connection)
    _inputs(judging, periods)
    with store.as_written(connection):
        _ask_all(judging)
    after = _errors_by_period(connection)
    derive.mark_affected(
        connection, {p for p in before.keys() | after.keys() if before.get(p) != after.get(p)}
    )
    return periods


def _ask_all(judging: Judging) -> None:
    """Every relation asked, its outcomes counted and told."""
    connection = judging.connection
    for script in ("rules__cells", "rules__frames"):
        store.run_script(connection, script, judging.values)
    _first_pass(judging)
    _second_pass(judging)
    _count_readings(judging)
    _tell_broken(judging)
    store.run_script(connection, "rules__outcomes")


def _errors_by_period(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Digest of the errors of each period: what keeps figures out of the observations."""
    rows = connection.execute(
        "SELECT period, md5(string_agg(finding_id, ',' ORDER BY finding_id)) "
        "FROM internal.rule_finding WHERE severity = 'error' AND outcome = 'fail' "
        "AND period IS NOT NULL GROUP BY period"
    ).fetchall()
    return dict(rows)


def _clear(connection: duckdb.DuckDBPyConnection) -> None:
    judged = "(FROM internal.judged_period)"
    connection.execute(f"DELETE FROM internal.rule_finding WHERE period IN {judged}")
    connection.execute(f"DELETE FROM internal.rule_finding_cell WHERE judged_period IN {judged}")
    connection.execute(f"DELETE FROM quality.rule_outcome WHERE period IN {judged}")
    store.run_script(connection, "rules__start")


# --- inputs ---------------------------------------------------------------------------------------


def _inputs(judging: Judging, periods: Sequence[str]) -> None:
    """The catalogue's side of the queries, as temporary tables."""
    connection, around, relations = judging.connection, judging.around, judging.relations
    text, value = "VARCHAR", schema.VALUE
    _table(connection, "judged_setting", {"first_month": "INTEGER"}, [(around.first_month,)])
    _table(connection, "indicator_bound",
           {"indicator_id": text, "low": value, "high": value}, around.bounds)  # fmt: skip
    _table(connection, "required_figure",
           {"source_id": text, "indicator_id": text}, around.required)  # fmt: skip
    _table(connection, "filing_deadline",
           {"source_id": text, "period": text, "due": "DATE"}, around.deadlines)  # fmt: skip
    _table(connection, "reference_figure",
           {"subject_id": text, "indicator_id": text, "period": text, "value": value,
            "source": text}, around.references)  # fmt: skip
    _table(connection, "scored_figure", {"indicator_id": text}, [(i,) for i in around.scored])
    _table(connection, "slot",
           {"slot": "INTEGER", "indicator_id": text, "measure": text, "kind": text, "unit": text,
            "count": "INTEGER"},
           [(s.number, s.indicator_id, s.measure, s.kind, s.unit, s.count)
            for s in relations.slots])  # fmt: skip
    _table(connection, "relation",
           {"number": "INTEGER", "rule_id": text, "severity": text, "about": text,
            "message": text, "expected": text, "remedy": text, "indicator_id": text},
           [(r.number, r.rule_id, r.severity, r.about, r.message, r.expected, r.remedy,
             r.indicator_id) for r in relations.relations])  # fmt: skip
    _table(connection, "operand",
           {"number": "INTEGER", "position": "INTEGER", "label": text, "slot": "INTEGER",
            "fact": text},
           [(r.number, n, o.label, o.slot, o.fact) for r in relations.relations
            for n, o in enumerate(r.operands, 1)])  # fmt: skip
    shifts = _shifts(periods, relations.slots, around.first_month)
    _table(connection, "period_shift",
           {"period": text, "unit": text, "count": "INTEGER", "earlier": text}, shifts)  # fmt: skip
    areas = sorted({i for r in relations.about("area") for i in r.repeated_for})
    _table(connection, "area_figure", {"indicator_id": text}, [(i,) for i in areas])
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE wanted_earlier AS "
        "SELECT DISTINCT indicator_id, measure FROM slot WHERE kind = 'earlier' "
        "UNION SELECT indicator_id, 'level' FROM dims.indicator WHERE kind IN ('flow', 'stock')"
    )


def _table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: Mapping[str, str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """A temporary table with these columns and rows, through Arrow."""
    import pyarrow as pa

    by_column = list(zip(*rows, strict=True)) or [()] * len(columns)
    incoming = pa.table({
        column: pa.array(list(values), type=schema.arrow_type(sql_type))
        for (column, sql_type), values in zip(columns.items(), by_column, strict=True)
    })  # fmt: skip
    connection.register("incoming_rows", incoming)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM incoming_rows")
    connection.unregister("incoming_rows")


def _shifts(
    periods: Iterable[str], slots: Iterable[Slot], first_month: int
) -> list[tuple[str, str, int, str]]:
    """Which earlier period each offset means, for each period judged. ``p`` has all candidates."""
    wanted = {(s.unit, s.count) for s in slots if s.kind == "earlier"} | {("m", 1)}
    return sorted(
        (period, unit, count, earlier)
        for period in periods
        for unit, count in wanted
        for earlier in _earlier(period, unit, count, first_month)
    )


def _earlier(period: str, unit: str, count: int, first_month: int) -> list[str]:
    year, month = int(period[:4]), int(period[5:])
    if unit == "y":
        return [f"{year - count:04d}-{month:02d}"]
    if unit == "e":
        return [f"{year - count:04d}-12"]
    if unit == "q":
        return [_months_before(period, 3 * count)]
    if unit == "p":
        return [_months_before(period, n) for n in range(1, 12)]
    for _ in range(count):  # report periods: those before the first of a year are never reported
        month -= 1
        if month < first_month:
            year, month = year - 1, 12
    return [f"{year:04d}-{month:02d}"]


def _months_before(period: str, months: int) -> str:
    number = int(period[:4]) * 12 + int(period[5:]) - 1 - months
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


# --- passes ---------------------------------------------------------------------------------------


def _first_pass(judging: Judging) -> None:
    """Rules within a file: cells, totals, parts, areas, and the figures of a park side by side."""
    for frame in _FRAMES:
        _ask(judging, f"frame_{frame}", judging.relations.about(frame))
    slots = {slot.number: slot for slot in judging.relations.slots}
    within = [r for r in judging.relations.about("park") if _is_within_file(r, slots)]
    _ask_parks(judging, within)
    _tell(judging)


def _second_pass(judging: Judging) -> None:
    """Rules that look at other periods, versions or offices; files as a whole; scored figures."""
    connection = judging.connection
    store.run_script(connection, "rules__reported")
    slots = {slot.number: slot for slot in judging.relations.slots}
    across = [r for r in judging.relations.about("park") if not _is_within_file(r, slots)]
    _ask_parks(judging, across)
    store.run_script(connection, "rules__file_units", judging.values)
    if judging.relations.about("file"):
        store.run_script(connection, "rules__file_facts", judging.values)
        _pivot_facts(judging)
        _ask(judging, "frame_file", judging.relations.about("file"))
    _tell(judging)
    store.run_script(connection, "rules__scored")
    _ask(judging, "frame_scored", judging.relations.about("scored"))
    _tell(judging)


def _is_within_file(relation: Relation, slots: Mapping[int, Slot]) -> bool:
    own = all(o.slot is None or slots[o.slot].kind == "own" for o in relation.operands)
    return own and not any(o.fact in _LATER_FACTS for o in relation.operands)


def _ask_parks(judging: Judging, relations: Sequence[Relation]) -> None:
    """Ask rules about the figures of a park: figures side by side, then one statement."""
    connection = judging.connection
    present = _present_slots(judging)
    asked = [r for r in relations if _has_own_figures(r, present, judging.relations.slots)]
    used = sorted({o.slot for r in asked for o in r.operands if o.slot is not None})
    _table(connection, "used_slot", {"slot": "INTEGER"}, [(n,) for n in used])
    store.run_script(connection, "rules__park_figures", {"first_month": judging.around.first_month})
    own = {s.number for s in judging.relations.slots if s.kind == "own"}
    _side_by_side(judging, used, own)
    _ask(judging, "frame_park", asked, own)


def _side_by_side(judging: Judging, used: Sequence[int], own: Collection[int]) -> None:
    """Figures of a park as columns, a few slots at a time: every aggregate looks at the rows of its
    own few slots only, so that the cost does not grow with rows times slots."""
    groups = [used[start : start + _SLOTS_AT_ONCE] for start in range(0, len(used), _SLOTS_AT_ONCE)]
    joins, columns = [], ["unit.*"]
    for number, slots in enumerate(groups):
        made = [c for n in slots for c in _slot_columns(n, n in own, judging.relations.precise)]
        joins.append(
            f"LEFT JOIN (SELECT unit_key, {', '.join(made)} FROM park_figure AS figure "
            f"WHERE figure.slot BETWEEN {slots[0]} AND {slots[-1]} GROUP BY unit_key) AS g{number} "
            f"ON g{number}.unit_key = unit.unit_key"
        )
        columns.append(f"g{number}.* EXCLUDE (unit_key)")
    judging.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE frame_park AS SELECT {', '.join(columns)} "
        f"FROM park_unit AS unit {' '.join(joins)}"
    )


def _present_slots(judging: Judging) -> set[int]:
    """Own figures that some form judged asks for."""
    rows = judging.connection.execute(
        """
        SELECT DISTINCT slot.slot FROM slot
        JOIN (SELECT DISTINCT indicator_id, measure, is_level FROM judged_cell) AS cell
            ON cell.indicator_id = slot.indicator_id
            AND (cell.measure = slot.measure OR (slot.measure = 'level' AND cell.is_level))
        WHERE slot.kind = 'own'
        """
    ).fetchall()
    return {row[0] for row in rows}


def _has_own_figures(relation: Relation, present: set[int], slots: Sequence[Slot]) -> bool:
    own = {slot.number for slot in slots if slot.kind == "own"}
    mine = {o.slot for o in relation.operands if o.slot in own}
    return not mine or bool(mine & present)


def _slot_columns(number: int, is_own: bool, precise: frozenset[int]) -> list[str]:
    """Value, and where needed presence and precision, of one figure as columns of the wide table."""
    only = f"FILTER (WHERE figure.slot = {number})"
    columns = [f"max(figure.value) {only} AS v{number}"]
    if number in precise:
        columns.append(f"max(figure.precision) {only} AS p{number}")
    if is_own:
        columns.append(f"bool_or(true) {only} AS h{number}")
    return columns


def _ask(
    judging: Judging, frame: str, relations: Sequence[Relation], own: Collection[int] = ()
) -> None:
    """All relations about one kind of thing in one statement; adds to ``outcome``.

    Outcomes: 1 pass, 2 fail, 3 not evaluable, 4 error (the rule could not be computed for the row).
    """
    if not relations:
        return
    cases = ", ".join(f"{_case(relation, own)} AS r{relation.number}" for relation in relations)
    judging.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE asked AS SELECT unit_key, period, {cases} FROM {frame}"
    )
    judging.connection.execute(
        """
        INSERT INTO outcome
        SELECT substr(name, 2)::INTEGER AS number, unit_key, period, outcome
        FROM (UNPIVOT asked ON COLUMNS(* EXCLUDE (unit_key, period)) INTO NAME name VALUE outcome)
        WHERE outcome > 0
        """
    )


def _case(relation: Relation, own: Collection[int]) -> str:
    mine = [f"h{o.slot}" for o in relation.operands if o.slot in own]
    there = f" AND ({' OR '.join(f'coalesce({h}, false)' for h in mine)})" if mine else ""
    guard = relation.guard or "true"
    return (
        f"CASE WHEN coalesce({relation.where}, false){there} THEN coalesce(TRY(CASE "
        f"WHEN ({guard}) IS NULL THEN 3 WHEN NOT ({guard}) THEN 0 "
        f"WHEN ({relation.condition}) IS NULL THEN 3 WHEN ({relation.condition}) THEN 1 ELSE 2 END"
        "), 4) END::UTINYINT"
    )


def _pivot_facts(judging: Judging) -> None:
    """Facts of files side by side."""
    words = sorted({o.fact for r in judging.relations.about("file") for o in r.operands if o.fact})
    columns = ", ".join(
        f"(sum(amount) FILTER (WHERE fact = '{word}'))::{schema.VALUE} AS {word}" for word in words
    )
    judging.connection.execute(
        "CREATE OR REPLACE TEMP TABLE frame_file AS "
        f"SELECT unit.*{', ' + columns if columns else ''} FROM file_unit AS unit "
        "LEFT JOIN file_fact USING (unit_key) GROUP BY ALL"
    )


# --- what follows -----------------------------------------------------------------------------------


def _tell(judging: Judging) -> None:
    """Findings of the failures in ``outcome``; their counts; ``outcome`` is empty again."""
    store.run_script(judging.connection, "rules__findings")


def _count_readings(judging: Judging) -> None:
    """Rules that reading answers: a file with one of their findings fails, every other passes."""
    rows = [(r.rule_id, code) for r in judging.relations.reading for code in r.codes]
    columns = {"rule_id": "VARCHAR", "code": "VARCHAR"}
    _table(judging.connection, "reading_rule", columns, rows)
    store.run_script(judging.connection, "rules__reading")


def _tell_broken(judging: Judging) -> None:
    """Rules that could not be made ready count as errors of every file."""
    columns = {"rule_id": "VARCHAR", "why": "VARCHAR"}
    _table(judging.connection, "broken_rule", columns, list(judging.relations.broken))
    store.run_script(judging.connection, "rules__broken")


# --- trying rules out -------------------------------------------------------------------------------


def try_on_history(
    path: Path,
    relations: Relations,
    around: Callable[[list[str]], Surroundings],
    first: str,
    last: str,
) -> list[dict[str, Any]]:
    """Rows of ``quality.rule_outcome`` that these rules would give for the periods of a warehouse
    file from ``first`` to ``last``. The file is changed: give a copy."""
    connection = store.connect(path)
    try:
        store.create_all(connection)
        found = connection.execute(
            "SELECT DISTINCT period FROM submissions.cell WHERE period BETWEEN ? AND ? ORDER BY 1",
            [first, last],
        ).fetchall()
        periods = [row[0] for row in found]
        connection.execute("DELETE FROM internal.affected_period")
        derive.mark_affected(connection, periods)
        judge(connection, relations, around(periods))
        return store.fetch(
            connection,
            "FROM quality.rule_outcome WHERE period BETWEEN ? AND ? ORDER BY rule_id, period",
            [first, last],
        )
    finally:
        connection.close()
