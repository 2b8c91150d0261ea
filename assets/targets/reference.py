"""The same verdicts by the methods of other trackers, for comparison: never our own light.

Belongs here: handing a judged row's figures to the reference methods of ``methods.progress`` and
naming their classes. Does not belong here: the methods, or our own rule (``pace``, ``lights``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.targets.evidence import Evidence, Reading, area_reading, park_reading, subject_of
from assets.targets.pace import YEARLY
from assets.targets.requirement import JUDGED
from assets.targets.verdict import VerdictRow
from methods import progress
from methods.progress import Direction, LightRule

if TYPE_CHECKING:
    from warehouse.catalog.models import Target

PATHS = ("level", "share", "range", "per_park_minimum", "per_county_minimum", "average_per_park",
         "growth_multiple")  # fmt: skip
"""Kinds that lead from a base to a target over years, as the international methods assume."""
LARGEST = 1e12  # beyond it a ratio of rates says nothing (a required growth of almost 0)
NATURAL_LIMIT = 100.0  # a share cannot pass 100 %


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """A row of ``targets.reference_method``: a method's own number and the class it gives it.

    ``value`` is empty where the method has no answer (``class_id`` not_available, ``note`` says why).
    """

    target_id: str
    scope_code: str
    park_id: str
    asof_period: str
    method: str
    value: Decimal | None
    class_id: str
    note: str


@dataclass(frozen=True, slots=True)
class _Way:
    """Base, current and target value with their years (end of a year = its number)."""

    base: float
    current: float
    target: float
    years: tuple[float, float, float]
    direction: Direction
    share: bool


def reference_rows(
    rows: Iterable[VerdictRow],
    targets: Mapping[str, Target],
    e: Evidence,
    rules: Sequence[LightRule],
) -> list[ReferenceRow]:
    """Every reference method on every judged row, in the order of ``rows``."""
    return [
        made
        for row in rows
        if row.verdict in JUDGED
        for made in _methods(row, targets[row.target_id], e, rules)
    ]


def _methods(
    row: VerdictRow, target: Target, e: Evidence, rules: Sequence[LightRule]
) -> Iterator[ReferenceRow]:
    if row.gap_pp is not None and row.time_progress_pct is not None:
        for rule in rules:
            light = progress.light_for_gap(row.gap_pp, rule)
            yield _row(row, f"schedule:{rule.rule_id}", float(row.gap_pp), light, rule.title)
    if target.kind not in PATHS or target.period.type in YEARLY:
        return
    way = _way(row, target, e)
    if isinstance(way, str):
        yield _row(row, "statcan_ratio", None, "not_available", way)
        return
    yield from _international(row, way)


def _international(row: VerdictRow, way: _Way) -> Iterator[ReferenceRow]:
    up = way.direction == "up"
    achieved = way.current >= way.target if up else way.current <= way.target
    ratio = progress.growth_ratio(
        way.base, way.current, way.target, way.years, way.direction, zero_as=0.001
    )
    note = "" if ratio is not None else "基期数、现值和目标不能作复合增速（为零、变号或相等）"
    status = progress.ratio_status(ratio, achieved)
    yield _row(row, "statcan_ratio", ratio, status, note)
    yield _row(row, "statcan_score", progress.ratio_score(ratio, achieved), status, note)
    if way.share:
        limit = progress.limit_coefficient(way.base, NATURAL_LIMIT)
        yield _row(row, "statcan_limit", limit, "", "以100%为自然上限")
    yield _un_chart(row, way)
    if way.target != way.base:
        index = progress.escap_status(way.base, way.current, way.target, way.direction)
        yield _row(row, "escap_status", index, "", "0为基期，10为目标")
    pace = progress.linear_pace(way.base, way.current, way.target, way.years)
    yield _row(row, "linear_pace", pace, progress.pace_status(pace, achieved), "")


def _un_chart(row: VerdictRow, way: _Way) -> ReferenceRow:
    try:
        outlook = progress.un_progress_chart(way.base, way.current, way.target, way.years)
    except (ValueError, ZeroDivisionError):
        return _row(row, "un_chart", None, "not_available", "基期数、现值和目标不能外推")
    return _row(row, "un_chart", outlook.ratio, str(outlook.level), "3为可达到，2为部分，1为不足")


def _row(
    row: VerdictRow, method: str, value: float | None, class_id: str, note: str
) -> ReferenceRow:
    known = None if value is None or abs(value) > LARGEST else Decimal(repr(round(value, 8)))
    key = (row.target_id, row.scope_code, row.park_id, row.asof_period)
    return ReferenceRow(*key, method, known, class_id, note)


def _way(row: VerdictRow, target: Target, e: Evidence) -> _Way | str:
    """The way of a row, or in Chinese why there is none. Yearly amounts use whole years only."""
    document = e.documents[target.document_id]
    last = int(target.period.span(document)[1][:4])
    start = target.base_year(document)
    if row.baseline is None or row.actual is None or row.required is None:
        return "缺少基期数"
    current, at = row.actual, Decimal(e.year - 1) + Decimal(e.month) / 12
    if e.is_flow(target.indicator_id) and e.month < 12:
        whole = _last_year(row, target, e)
        if whole is None:
            return "年度额须用整年数，上年全年数未入库"
        current, at = whole, Decimal(e.year - 1)
    if not start < at <= last:
        return "基期以来不足一年"
    down = target.comparator in ("<=", "<", "rank<=")
    return _Way(
        float(row.baseline),
        float(current),
        float(row.required),
        (float(start), float(at), float(last)),
        "down" if down else "up",
        row.unit == "%",
    )


def _last_year(row: VerdictRow, target: Target, e: Evidence) -> Decimal | None:
    before = e.at_end_of(e.year - 1)
    if before is None:
        return None
    if row.park_id:
        found = park_reading(before, row.park_id, target.indicator_id)
    else:
        subject = subject_of(target, before)
        if row.scope_code != target.scope_code:
            parks = tuple(p for p in subject.parks if p.counting_county == row.scope_code)
            subject = replace(subject, parks=parks)
        found = area_reading(before, row.scope_code, subject, target.indicator_id)
    return found.value if isinstance(found, Reading) else None
