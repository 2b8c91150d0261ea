"""Growth rates stored as fractions (0.125 shown as 12.5%): recognised by the figures beside them.

Belongs here: comparing a growth with the quotient of year-to-date and prior. Does not belong here:
judging a growth (``quality``), or changing anything without evidence in the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from assets.submissions.reading.workbook import SHOWN_OTHERWISE
from assets.submissions.tables import notes
from assets.submissions.tables.table_reading import TableReading
from assets.submissions.tables.targets import Target
from assets.submissions.tables.unit_use import UnitUse
from assets.submissions.values.numbers import parse_number, raw_text

LEAST_INDEX = 40
"""An index of last year = 100 below this would be a fall by more than 60 %."""
SMALL_FIGURES = 3
"""So many growth rates below 1 % in a row are more likely fractions than growth."""


def growth_as_fractions(reading: TableReading, rows: Sequence[tuple[int, list[Target]]]) -> bool:
    """Growth shown as 12.5% may be stored as 0.125; the row's own figures tell which.

    Every growth beside a year-to-date figure and its prior is compared with their quotient. Only
    when all rows that can tell say fraction, the answer is yes: the growth columns have to be
    multiplied by 100 (``as_percent``).
    """
    fraction = percent = 0
    known: dict[int, list[tuple[Target, Target, Target]]] = {}
    for row, targets in rows[:80]:
        if id(targets) not in known:
            known[id(targets)] = list(_comparable(targets))
        for growth, now, before in known[id(targets)]:
            verdict = _votes(*(_number_at(reading, row, t) for t in (growth, now, before)))
            fraction += verdict == "fraction"
            percent += verdict == "percent"
    if not fraction and not percent:
        _doubt_small(reading, rows)
    if not fraction or percent:
        _tell_apart(reading, rows)
        _tell_percents(reading, rows, converted=False)
        return False
    _tell_percents(reading, rows, converted=True)
    reading.tell(notes.growth_fractions(reading.sheet.name, fraction))
    return True


_APART = {"fraction": "以小数存储（如 0.125 表示 12.5%）", "index": "以上年为100的指数"}


def _tell_apart(reading: TableReading, rows: Sequence[tuple[int, list[Target]]]) -> None:
    """Refuse the growth rates that fit their row only as a fraction or as an index of 100."""
    known: dict[int, list[tuple[Target, Target, Target]]] = {}
    for row, targets in rows:
        if id(targets) not in known:
            known[id(targets)] = list(_comparable(targets))
        cells = reading.sheet.rows[row - 1]
        for trio in known[id(targets)]:
            raw = cells[trio[0].index] if trio[0].index < len(cells) else None
            if isinstance(raw, int | float) and 1 <= abs(raw) < LEAST_INDEX:
                continue  # neither a fraction nor an index, at a glance
            why = _votes(*(_number_at(reading, row, target) for target in trio))
            if why in _APART:
                at = f"{trio[0].plan.letters}{row}"
                reading.tell(notes.growth_apart(reading.sheet.name, at, trio[0].plan.head,
                                                raw_text(raw), _APART[why]))  # fmt: skip


def _tell_percents(
    reading: TableReading, rows: Sequence[tuple[int, list[Target]]], *, converted: bool
) -> None:
    """Refuse numbers shown as percentages where nothing confirms which is meant, 0.125 or 12.5: growth rates
    without figures beside them that agree, and everything else (a total is no percentage)."""
    if not reading.sheet.percents:
        return
    for row, targets in rows:
        shown = [
            t for t in targets if t.indicator_id and (row, t.index + 1) in reading.sheet.percents
        ]
        if not shown:
            continue
        sure = {
            trio[0].index
            for trio in _comparable(targets)
            if converted or _votes(*(_number_at(reading, row, t) for t in trio)) == "percent"
        }
        for target in shown:
            if target.index in sure or (converted and target.measure == "yoy_published"):
                continue
            cells = reading.sheet.rows[row - 1]
            raw = cells[target.index] if target.index < len(cells) else None
            if raw:
                at = f"{target.plan.letters}{row}"
                text = f"{raw_text(raw)}（{SHOWN_OTHERWISE} %）"
                reading.tell(notes.shown_otherwise(reading.sheet.name, at, target.plan.head, text))


def _doubt_small(reading: TableReading, rows: Sequence[tuple[int, list[Target]]]) -> None:
    """Tell of growth columns whose figures are all below 1 where nothing beside them can decide."""
    seen: dict[str, list[float]] = {}
    for row, targets in rows[:80]:
        for target in targets:
            if target.measure == "yoy_published" and target.indicator_id:
                found = _number_at(reading, row, target)
                if found:
                    seen.setdefault(target.plan.head, []).append(abs(found))
    for head, figures in seen.items():
        if len(figures) >= SMALL_FIGURES and max(figures) < 1:
            reading.tell(notes.growth_perhaps_fractions(reading.sheet.name, head, len(figures)))


def as_percent(targets: Sequence[Target]) -> list[Target]:
    """The targets with growth rates read as fractions."""
    return [_as_percent(t) if t.measure == "yoy_published" else t for t in targets]


def _comparable(targets: Sequence[Target]) -> Iterator[tuple[Target, Target, Target]]:
    by_key = {(t.indicator_id, t.measure): t for t in targets if t.indicator_id}
    for (indicator, measure), growth in by_key.items():
        now, before = by_key.get((indicator, "ytd")), by_key.get((indicator, "ytd_prior"))
        if measure == "yoy_published" and now is not None and before is not None:
            yield growth, now, before


def _number_at(reading: TableReading, row: int, target: Target) -> float | None:
    cells = reading.sheet.rows[row - 1]
    raw = cells[target.index] if target.index < len(cells) else None
    parsed = parse_number(raw, reading.symbols)
    return float(parsed.value) if parsed.value is not None and parsed.unit is None else None


def _votes(growth: float | None, now: float | None, before: float | None) -> str | None:
    """`fraction`, `percent` or `index` when exactly one of them agrees with the figures beside it."""
    if growth is None or now is None or before is None or before <= 0:
        return None
    expected = 100 * (now / before - 1)
    allowed = max(0.6, 0.03 * abs(expected))
    as_fraction = abs(100 * growth - expected) <= allowed
    as_percent = abs(growth - expected) <= allowed
    if not as_fraction and not as_percent:
        return "index" if abs(growth - 100 - expected) <= allowed else None
    if as_fraction == as_percent:
        return None
    return "fraction" if as_fraction else "percent"


def _as_percent(target: Target) -> Target:
    return replace(
        target,
        plan=replace(target.plan, unit=UnitUse("小数", Fraction(100), "与累计、上年同期核对")),
        factor=Fraction(100),
        decimal=Decimal(100),
        factor_text="100",
        identity=False,
    )
