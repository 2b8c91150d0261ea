"""What is known when targets are judged: park figures, area totals, year-end history, catalogue.

Belongs here: looking figures up, summing parks, and saying why a figure is missing. Does not belong
here: comparing a figure with a target. A missing figure is never replaced by another indicator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from assets.targets.inputs import NOTHING, Inputs, entered_at
from methods.progress import LightRule

if TYPE_CHECKING:
    from warehouse.catalog.models import Document, Indicator, Park, Target

Group = Literal["all", "key", "demonstration", "other"]


@dataclass(frozen=True, slots=True)
class Value:
    """A figure of the year as of a period (a row of ``indicators.park_year``), canonical unit.

    ``n_months``: months of the year the figure rests on; ``basis``: final, ytd or nowcast;
    ``yoy_basis``: comparable, published or levels.
    """

    value: Decimal | None
    unit: str
    yoy_pct: Decimal | None = None
    yoy_basis: str | None = None
    basis: str = "ytd"
    state: str = "reported"
    n_months: int | None = None
    input_id: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Area:
    """A total over the parks of an area (a row of ``indicators.area_year``), canonical unit.

    ``input_id`` and ``note`` (here and in ``Value``): the row of an input file it was entered in.
    """

    value: Decimal | None
    unit: str
    yoy_pct: Decimal | None = None
    n_parks: int | None = None
    n_reported: int | None = None
    input_id: str = ""
    note: str = ""


Values = Mapping[tuple[str, str], Value]
"""(park_id, indicator_id) → figure of the year as of the period."""
Areas = Mapping[tuple[str, str, str], Area]
"""(area_code, indicator_id, group) → total; group: all, key or demonstration. A figure about the
region itself (an outside benchmark) has group all."""
Convert = Callable[[Decimal, str, str], Decimal]
"""(value, from_unit, to_unit); raises ValueError or KeyError when the units do not convert."""

# Measures of size that readers mistake for one another. Where the target's own indicator is not
# collected but one of these is, the verdict is 口径不符, never a comparison.
NOT_INTERCHANGEABLE: tuple[frozenset[str], ...] = (frozenset({"C01", "C02", "C03", "C04", "C05"}),)

ACTIVE = ("", "active")
"""Register states of parks that are judged and ranked."""

STATE_ZH = {
    "unknown": "未填报",
    "suppressed": "因保护单个调查对象不予使用",
    "not_applicable": "填报为“—”（不适用）",
}


@dataclass(frozen=True, slots=True)
class YearEnd:
    """Figures of a finished year, for baselines and final outcomes. ``parks``: the register as it
    was then; ``None`` where the one of the period must do."""

    values: Values
    areas: Areas = field(default_factory=dict)
    parks: tuple[Park, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A usable figure: canonical unit, growth where known, what it rests on, notes for the reason.

    ``n_reported``: parks behind a total or average; ``None`` for a single park. ``thin``: the
    register holds too few of the parks the document names for a red light to be fair.
    """

    value: Decimal | None
    unit: str
    yoy_pct: Decimal | None = None
    yoy_basis: str = ""
    n_months: int | None = None
    n_reported: int | None = None
    figure_ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    thin: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is no usable figure: ``verdict`` is no_data or not_comparable, ``reason`` Chinese.

    ``instead`` names an indicator that is there but must not be used in its place.
    """

    verdict: str
    reason: str
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the judge may look at. All figures are in canonical units.

    ``parks``: register rows that hold in the period. ``history``: figures of finished years.
    ``regions``: names of areas by code. ``counties``: codes of the counties of an area, where the
    register of divisions has them. ``targets``: all targets judged together. ``inputs``: entered
    rows (their plain figures are already among ``values``, ``areas`` and ``history``, see
    ``with_inputs``).
    """

    period: str
    parks: tuple[Park, ...]
    values: Values
    convert: Convert
    documents: Mapping[str, Document]
    indicators: Mapping[str, Indicator]
    rule: LightRule
    areas: Areas = field(default_factory=dict)
    history: Mapping[int, YearEnd] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)
    counties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inputs: Inputs = NOTHING
    targets: Mapping[str, Target] = field(default_factory=dict)

    @property
    def min_reported(self) -> Decimal:
        """Share of parks (0..1) that must have reported before a total is judged."""
        return self.rule.min_reported_pct / 100

    @property
    def year(self) -> int:
        """Calendar year of the period."""
        return int(self.period[:4])

    @property
    def month(self) -> int:
        """Last month of the period."""
        return int(self.period[5:7])

    def at_end_of(self, year: int) -> Evidence | None:
        """The same evidence as of December of a finished year; ``None`` without its figures."""
        end = self.history.get(year)
        if end is None:
            return None
        parks = self.parks if end.parks is None else end.parks
        period = f"{year}-12"
        return replace(self, period=period, parks=parks, values=end.values, areas=end.areas)

    def name_of(self, indicator_id: str) -> str:
        """Chinese name of an indicator; its code where the catalogue has none."""
        known = self.indicators.get(indicator_id)
        return known.name_zh if known else indicator_id

    def is_flow(self, indicator_id: str) -> bool:
        """True for figures that accumulate over the year."""
        known = self.indicators.get(indicator_id)
        return known is not None and known.kind == "flow"

    def is_summable(self, indicator_id: str) -> bool:
        """True when a total over parks is the sum of the parks."""
        known = self.indicators.get(indicator_id)
        return known is not None and known.aggregation == "sum"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a target is about: its parks, ordered by id, the list its totals are taken over
    (``other``: a narrower set than any published total), and how many parks the document names."""

    parks: tuple[Park, ...]
    group: Group
    list_size: int | None = None


def subject_of(target: Target, e: Evidence) -> Subject:
    """Parks of the target, without closed ones. 山西 targets (140000) reach only parks of 140000:
    region codes decide."""
    parks = [park for park in e.parks if park.status in ACTIVE and target.applies_to(park)]
    ordered = sorted(parks, key=lambda park: park.park_id)
    return Subject(tuple(ordered), target.filter.group, target.filter.list_size)


# --- Entered figures ------------------------------------------------------------------------------


def with_inputs(e: Evidence, inputs: Inputs) -> Evidence:
    """The evidence with entered figures beside those of returns, now and at finished years."""
    values, areas = _beside(e.values, e.areas, inputs, e.indicators, e.period)
    years = {int(row.period[:4]) for row in inputs.rows if row.kind == "figure"}
    history = dict(e.history)
    for year in sorted(years | set(e.history)):
        if year < e.year:
            end = history.get(year, YearEnd({}))
            both = _beside(end.values, end.areas, inputs, e.indicators, f"{year}-12")
            history[year] = YearEnd(*both, end.parks)
    return replace(e, values=values, areas=areas, history=history, inputs=inputs)


def _beside(
    values: Values,
    areas: Areas,
    inputs: Inputs,
    indicators: Mapping[str, Indicator],
    period: str,
) -> tuple[Values, Areas]:
    own, totals = dict(values), dict(areas)
    for (place, indicator_id), one in entered_at(inputs, indicators, period).items():
        code, group, park_id = place
        unit = indicators[indicator_id].unit
        note = "，".join(part for part in (f"补录数，来源：{one.row.source}", one.late) if part)
        source = one.row.input_id
        if park_id:
            known = own.get((park_id, indicator_id))
            if known is None or known.value is None:
                own[park_id, indicator_id] = Value(
                    one.value, unit, one.yoy_pct, input_id=source, note=note
                )
        else:
            total = totals.get((code, indicator_id, group))
            if total is None or total.value is None:
                totals[code, indicator_id, group] = Area(
                    one.value, unit, one.yoy_pct, input_id=source, note=note
                )
    return own, totals


# --- Looking up -----------------------------------------------------------------------------------


def park_reading(e: Evidence, park_id: str, indicator_id: str) -> Reading | Missing:
    """The figure of one park, or why there is none."""
    found = e.values.get((park_id, indicator_id))
    if found is None:
        return _absent(e, [park_id], indicator_id)
    if found.basis == "nowcast":
        return Missing("no_data", f"{e.name_of(indicator_id)}只有预测值，现状判定不使用预测值")
    if found.state in STATE_ZH or (found.value is None and found.yoy_pct is None):
        return Missing("no_data", f"{e.name_of(indicator_id)}{STATE_ZH.get(found.state, '无数值')}")
    notes: tuple[str, ...] = ("含插补数",) if found.state == "imputed" else ()
    notes += (found.note,) if found.note else ()
    if _is_late(e, indicator_id, found.n_months):
        notes += (f"数据仅到{found.n_months}月",)
    return Reading(
        found.value,
        found.unit,
        found.yoy_pct,
        found.yoy_basis or "",
        found.n_months,
        None,
        (found.input_id or f"{park_id}/{indicator_id}/{e.period}",),
        notes,
    )


def area_reading(e: Evidence, code: str, subject: Subject, indicator_id: str) -> Reading | Missing:
    """A total over the parks of an area: the published total of the same list where the caller
    passes one, otherwise the sum over the parks that reported."""
    total = e.areas.get((code, indicator_id, subject.group))
    if total is not None and (total.value is not None or total.yoy_pct is not None):
        found = _from_area(e, total, f"{code}/{indicator_id}/{subject.group}/{e.period}")
    elif e.is_summable(indicator_id):
        found = _sum(e, code, subject, indicator_id)
    else:
        found = _absent_total(e, code, subject, indicator_id)
    return found if isinstance(found, Missing) else _against_list(e, found, subject)


def _against_list(e: Evidence, found: Reading, subject: Subject) -> Reading:
    """Points out that the register holds another number of parks than the document names."""
    named, held = subject.list_size, len(subject.parks)
    if not named or named == held:
        return found
    note = f"文件名单{named}个园区，登记{held}个"
    return replace(found, notes=(*found.notes, note), thin=held < e.min_reported * named)


def _from_area(e: Evidence, total: Area, figure_id: str) -> Reading | Missing:
    expected, reported = total.n_parks, total.n_reported
    thin = _too_few(e, expected, reported)
    if thin:
        return thin
    return Reading(
        total.value,
        total.unit,
        total.yoy_pct,
        n_reported=reported or expected,
        figure_ids=(total.input_id or figure_id,),
        notes=(*_coverage_note(expected, reported), *((total.note,) if total.note else ())),
    )


def _sum(e: Evidence, code: str, subject: Subject, indicator_id: str) -> Reading | Missing:
    read = [park_reading(e, park.park_id, indicator_id) for park in subject.parks]
    there = [(one, one.value) for one in read if isinstance(one, Reading) and one.value is not None]
    if not there:
        return _absent_total(e, code, subject, indicator_id)
    thin = _too_few(e, len(read), len(there))
    if thin:
        return thin
    notes = _coverage_note(len(read), len(there))
    late = sum(_is_late(e, indicator_id, one.n_months) for one, _ in there)
    notes += (f"其中{late}个园区仅有较早月份数据",) if late else ()
    notes += ("含插补数",) if any("含插补数" in one.notes for one, _ in there) else ()
    return Reading(
        sum((value for _, value in there), Decimal(0)),
        there[0][0].unit,
        n_reported=len(there),
        figure_ids=tuple(figure for one, _ in there for figure in one.figure_ids),
        notes=notes,
    )


# --- Why there is nothing -------------------------------------------------------------------------


def _absent_total(e: Evidence, code: str, subject: Subject, indicator_id: str) -> Missing:
    for other in _lookalikes(indicator_id):
        total = e.areas.get((code, other, subject.group))
        if (
            total is not None
            and total.value is not None
            and not _collected(e, subject, indicator_id)
        ):
            return _swapped(e, indicator_id, other)
    return _absent(e, [park.park_id for park in subject.parks], indicator_id)


def _absent(e: Evidence, park_ids: Sequence[str], indicator_id: str) -> Missing:
    collected = any((park_id, indicator_id) in e.values for park_id in park_ids)
    for other in () if collected else _lookalikes(indicator_id):
        if any(_has_value(e, park_id, other) for park_id in park_ids):
            return _swapped(e, indicator_id, other)
    return Missing("no_data", f"{e.name_of(indicator_id)}无数据")


def _collected(e: Evidence, subject: Subject, indicator_id: str) -> bool:
    return any((park.park_id, indicator_id) in e.values for park in subject.parks)


def _has_value(e: Evidence, park_id: str, indicator_id: str) -> bool:
    found = e.values.get((park_id, indicator_id))
    return found is not None and found.value is not None


def _swapped(e: Evidence, wanted: str, other: str) -> Missing:
    text = (
        f"目标指标为{e.name_of(wanted)}，现有数据只有{e.name_of(other)}，"
        "两者口径不同、不可互换，不判定"
    )
    return Missing("not_comparable", text, other)


def _lookalikes(indicator_id: str) -> list[str]:
    groups = [group for group in NOT_INTERCHANGEABLE if indicator_id in group]
    return sorted({other for group in groups for other in group} - {indicator_id})


def _too_few(e: Evidence, expected: int | None, reported: int | None) -> Missing | None:
    if not expected or reported is None or reported >= e.min_reported * expected:
        return None
    return Missing("no_data", f"应报{expected}个园区，仅{reported}个有数，覆盖不足，不判定")


def _coverage_note(expected: int | None, reported: int | None) -> tuple[str, ...]:
    if not expected or reported is None or reported >= expected:
        return ()
    return (f"覆盖{reported}/{expected}个园区，未报园区未计入",)


def _is_late(e: Evidence, indicator_id: str, n_months: int | None) -> bool:
    return e.is_flow(indicator_id) and n_months is not None and 0 < n_months < e.month
