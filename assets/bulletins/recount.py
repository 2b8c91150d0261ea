"""Recount (重算): registered figures against the warehouse rows they name, and against former issues.

Belongs here: the queries that read a figure's row again and compare. Does not belong here: tests of
the document itself (``release_check``), or putting a finding before a person (``checking``).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from assets.bulletins.figures import BELOW_UNIT, Figure, display_unit, format_chance, format_number
from assets.bulletins.release_check import Found
from warehouse import schema, store
from warehouse.releases import Key

if TYPE_CHECKING:
    import duckdb

CARRIED = ("value",)
"""Columns that must be printed wherever the row has them; others may be left out (a rate over a
small base, a gap of a target that is met)."""
KEPT = Decimal("0.00000001")
"""Places the warehouse keeps of a value."""


@dataclass(frozen=True, slots=True)
class _Source:
    """The row and column a figure says it was read from."""

    table: str
    key: tuple[tuple[str, str], ...]
    column: str


def source_of(figure: Figure) -> _Source | None:
    """Where a figure was read from; None for one that was computed or counted."""
    key: dict[str, Any] = json.loads(figure.source_key or "{}")
    column = key.pop("column", None)
    if not column or figure.formula not in ("", f"abs({column})"):
        return None
    return _Source(figure.source_table, tuple((k, str(v or "")) for k, v in key.items()), column)


@dataclass(frozen=True, slots=True)
class Stored:
    """What the warehouse holds now: ``n`` rows of that key, the value, its unit."""

    n: int
    value: Decimal | None
    unit: str


def stored_values(
    connection: duckdb.DuckDBPyConnection, figures: Iterable[Figure]
) -> dict[_Source, Stored]:
    """The present value of every source named by ``figures``; one query a kind of key."""
    kinds: dict[tuple[str, tuple[str, ...], str], set[_Source]] = {}
    for figure in figures:
        source = source_of(figure)
        if source is not None:
            names = tuple(name for name, _ in source.key)
            kinds.setdefault((source.table, names, source.column), set()).add(source)
    found: dict[_Source, Stored] = {}
    for (table, names, column), sources in sorted(kinds.items(), key=lambda kind: kind[0]):
        found |= _looked_up(connection, table, names, column, sorted(sources, key=repr))
    return found


def _looked_up(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    names: tuple[str, ...],
    column: str,
    sources: Sequence[_Source],
) -> dict[_Source, Stored]:
    columns = {each.name for each in schema.table(table).columns}
    if not {*names, column} <= columns:
        return {}
    unit = "''"
    if "indicator_id" in columns:
        unit = "(SELECT any_value(i.unit) FROM dims.indicator AS i WHERE i.indicator_id = t.indicator_id)"
    if "unit" in columns:
        unit = "t.unit"
    values = {name: [dict(s.key)[name] for s in sources] for name in names}
    asked = ", ".join(f"unnest($k{i}::VARCHAR[]) AS {name}" for i, name in enumerate(names))
    same = " AND ".join(f"coalesce(t.{name}::VARCHAR, '') = asked.{name}" for name in names)
    rows = store.fetch(
        connection,
        f"""
        SELECT asked.place, count(t.{names[0]}) AS n, any_value(t.{column}) AS value,
               any_value({unit}) AS unit
        FROM (SELECT unnest(range({len(sources)})) AS place, {asked}) AS asked
        LEFT JOIN {table} AS t ON {same}
        GROUP BY asked.place
        ORDER BY asked.place
        """,
        {f"k{i}": values[name] for i, name in enumerate(names)},
    )
    return {
        sources[row["place"]]: Stored(row["n"], _number(row["value"]), row["unit"] or "")
        for row in rows
    }


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def recounted(
    figures: Sequence[Figure], stored: Mapping[_Source, Stored], *, hides: bool = False
) -> Found:
    """Every figure with a row of its own against that row. ``hides``: rows may be suppressed."""
    wrong, n, counted = [], 0, 0
    for figure in figures:
        source = source_of(figure)
        if source is None:
            counted += not figure.inputs
            continue
        n += 1
        problem = _against(figure, source.column, stored.get(source), hides=hides)
        if problem:
            wrong.append(f"{figure.label}（{figure.figure_id}）{problem}")
    remark = f"另有{counted}个计数不出自单独一行，由重新编写核对" if counted else ""
    return Found("recounted", n, tuple(wrong), remark)


def _against(figure: Figure, column: str, now: Stored | None, *, hides: bool) -> str:
    if now is None or now.n == 0:
        return "" if figure.value is None else "所据的行不在库中"
    if now.n > 1:
        return f"所据的行有{now.n}条"
    if figure.value is None:
        hidden = hides or now.value is None or column not in CARRIED
        return "" if hidden else f"库中为{format_number(now.value, None)}，却印作没有数据"
    if now.value is None:
        return f"库中没有数值，却印作{figure.text}"
    value = _in_print(figure, now.value, now.unit)
    if abs(value - figure.value) <= KEPT and figure.text == _text(figure, value):
        return ""
    return f"印作{figure.text}{figure.unit}，库中为{format_number(now.value, None)}{now.unit}"


def _in_print(figure: Figure, stored: Decimal, stored_unit: str) -> Decimal:
    """The stored value in the unit printed: probabilities are kept as fractions."""
    if figure.chance:
        return stored * 100
    unit, factor, _ = display_unit(stored_unit, 0)
    value = stored * factor if unit == figure.unit else stored
    return abs(value) if figure.formula else value


def _text(figure: Figure, value: Decimal) -> str:
    if figure.chance:
        return format_chance(value)
    return format_number(value, figure.decimals, below_unit=figure.text == BELOW_UNIT)


def same_again(figures: Sequence[Figure], again: Sequence[Figure]) -> Found:
    """Every figure, counts included, against those of the same document composed once more."""
    now = {figure.figure_id: figure for figure in again}
    then = {figure.figure_id for figure in figures}
    wrong = [
        f"{f.label}（{f.figure_id}）登记为{f.text}，重新编写为{now[f.figure_id].text}"
        for f in figures
        if f.figure_id in now and not _same(f, now[f.figure_id])
    ]
    wrong += [
        f"{f.label}（{f.figure_id}）重新编写后没有" for f in figures if f.figure_id not in now
    ]
    wrong += [f"{f.label}（{f.figure_id}）没有登记" for f in again if f.figure_id not in then]
    return Found("recounted", len(figures), tuple(wrong))


def _same(then: Figure, now: Figure) -> bool:
    """Printed alike, and alike to the eighth place, as far as values are kept."""
    if then.value is None or now.value is None:
        return (then.text, then.value) == (now.text, now.value)
    return then.text == now.text and abs(then.value - now.value) <= KEPT


# --- former issues -------------------------------------------------------------------------------

_FORMER = """
WITH issue AS (
    SELECT unnest($periods::VARCHAR[]) AS period, unnest($audiences::VARCHAR[]) AS audience_id,
           unnest($editions::INTEGER[]) AS edition
)
SELECT former.audience_id, former.period, former.edition, former.source_table, former.source_key,
       former.unit, former.text
FROM bulletins.figure AS former
JOIN issue USING (period, audience_id, edition)
WHERE coalesce(former.formula, '') = ''
ORDER BY ALL
"""

Printed = Mapping[tuple[str, str], tuple[str, str]]
"""(table, key) of a row → the period whose bulletin printed it last, and how."""


def printed_before(
    connection: duckdb.DuckDBPyConnection, issues: Collection[Key]
) -> dict[str, dict[tuple[str, str], tuple[str, str]]]:
    """What the named editions printed, by audience; of several the newest period counts."""
    if not issues:
        return {}
    ordered = sorted(issues, key=str)
    rows = store.fetch(
        connection,
        _FORMER,
        {
            "periods": [key.period for key in ordered],
            "audiences": [key.audience_id for key in ordered],
            "editions": [key.edition for key in ordered],
        },
    )
    found: dict[str, dict[tuple[str, str], tuple[str, str]]] = {}
    for row in rows:  # by period, so that the newest comes last
        printed = found.setdefault(row["audience_id"], {})
        printed[row["source_table"], row["source_key"]] = (row["period"], row["text"])
    return found


def previous(figures: Sequence[Figure], former: Printed) -> Found:
    """Figures of earlier periods against the numbers last published to the same audience."""
    wrong, n = [], 0
    for figure in figures:
        asof = json.loads(figure.source_key or "{}").get("asof_period") or figure.period
        if figure.formula or asof >= figure.period:
            continue
        known = former.get((figure.source_table, figure.source_key))
        if known is None:
            continue
        n += 1
        if known[1] != figure.text:
            wrong.append(
                f"{figure.label}为{figure.text}，{known[0]}通报公布的是{known[1]}："
                f"请更正{known[0]}通报（bulletin correct）并写明原因"
            )
    return Found("previous", n, tuple(wrong))
