"""Entered figures (补录数) as evidence: checked against the catalogue, laid beside the returns.

Belongs here: which input rows can be used and why not, which figure holds as of a period, quotas
by county and their sums, ticked duties. Does not belong here: reading the files
(``warehouse.catalog.inputs``) or judging. A figure of a return always comes before an entered one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from warehouse.catalog import expression
from warehouse.catalog.inputs import InputRow

if TYPE_CHECKING:
    from warehouse.catalog.models import Indicator, Target

Convert = Callable[[Decimal, str, str], Decimal]
ANSWERS = {"是": True, "否": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class Known:
    """What input rows are checked against."""

    indicators: Mapping[str, Indicator]
    targets: Mapping[str, Target]
    regions: Mapping[str, str]
    """Name by code."""
    parents: Mapping[str, str | None]
    """Code of the region above, by code."""
    parks: frozenset[str]
    convert: Convert


@dataclass(frozen=True, slots=True)
class Inputs:
    """Usable rows, values in canonical units, and the rows that cannot be used."""

    rows: tuple[InputRow, ...] = ()
    refused: tuple[InputRow, ...] = ()

    def ticks(self, target_id: str, first: str, last: str) -> list[InputRow]:
        """Findings about a target dated within the periods ``first`` … ``last``, oldest first."""
        found = [
            row
            for row in self.rows
            if row.kind == "tick"
            and row.target_id == target_id
            and row.entered_on is not None
            and first <= f"{row.entered_on:%Y-%m}" <= last
        ]
        return sorted(found, key=lambda row: (row.entered_on, row.file, row.line))

    def quotas(self, target_id: str) -> list[InputRow]:
        """Quotas by county of an allocation table."""
        return [row for row in self.rows if row.kind == "quota" and row.target_id == target_id]

    def figures(self, indicator_id: str, period: str) -> list[InputRow]:
        """Rows of an indicator up to ``period``, oldest first."""
        found = [
            row
            for row in self.rows
            if row.kind == "figure" and row.indicator_id == indicator_id and row.period <= period
        ]
        return sorted(found, key=lambda row: (row.period, row.file, row.line))

    def why_refused(self, indicator_id: str = "", target_id: str = "") -> str:
        """First reason a row about this indicator or target was not used; empty when none was."""
        for row in self.refused:
            if (indicator_id and row.indicator_id == indicator_id) or (
                target_id and row.target_id == target_id
            ):
                return f"补录文件{row.file}第{row.line}行未采用：{row.problem}"
        return ""


NOTHING = Inputs()


# --- Which rows can be used -----------------------------------------------------------------------


def accepted(rows: Iterable[InputRow], known: Known) -> Inputs:
    """Rows checked against the catalogue; what cannot be used keeps its row and says why."""
    checked = [row if row.problem else _checked(row, known) for row in rows]
    checked = _without_repeats(checked)
    checked = _with_sums(checked, known)
    return Inputs(
        tuple(row for row in checked if not row.problem),
        tuple(row for row in checked if row.problem),
    )


def _checked(row: InputRow, known: Known) -> InputRow:
    if row.kind != "tick" and row.indicator_id not in known.indicators:
        return row.refused(f"目录中没有指标 {row.indicator_id}")
    if row.kind != "figure" and row.target_id not in known.targets:
        return row.refused(f"目录中没有目标 {row.target_id}")
    if row.area_code and row.area_code not in known.regions:
        return row.refused(f"地区代码 {row.area_code} 不在行政区划表")
    scope = known.targets[row.target_id].scope_code if row.kind != "figure" else ""
    if scope and row.area_code and not _within(row.area_code, scope, known):
        return row.refused(f"地区代码 {row.area_code} 不在目标的适用地区 {scope} 内")
    if row.park_id and row.park_id not in known.parks:
        return row.refused(f"园区登记中没有 {row.park_id}")
    if row.kind == "tick":
        wrong = row.text not in ANSWERS
        return row.refused(f"应填是或否，读到“{row.text}”") if wrong else row
    if row.kind == "figure":
        if bool(row.area_code) == bool(row.park_id):
            return row.refused("地区代码和园区编号必须且只能填一个")
        if (row.value is None) == (not row.text):
            return row.refused("数值和文字必须且只能填一个")
    return _in_canonical_unit(row, known)


def _within(code: str, scope: str, known: Known) -> bool:
    """Whether a region is another one or lies in it; a circle in the register ends the look."""
    seen: set[str] = set()
    step: str | None = code
    while step and step not in seen:
        if step == scope:
            return True
        seen.add(step)
        step = known.parents.get(step)
    return False


def _in_canonical_unit(row: InputRow, known: Known) -> InputRow:
    wanted = known.indicators[row.indicator_id].unit
    if row.value is None or not row.unit or row.unit == wanted:
        return row
    try:
        value = known.convert(row.value, row.unit, wanted)
        floor = None if row.floor is None else known.convert(row.floor, row.unit, wanted)
    except (ValueError, KeyError):
        return row.refused(f"单位“{row.unit}”不能换算为指标单位“{wanted}”")
    return replace(row, value=value, floor=floor, unit=wanted)


def _without_repeats(rows: Sequence[InputRow]) -> list[InputRow]:
    """The first row about a thing stands; the same thing said otherwise below is refused."""
    seen: dict[tuple[str, ...], InputRow] = {}
    kept = []
    for row in rows:
        place = (row.kind, row.target_id, row.indicator_id, row.area_code, row.park_id, row.list,
                 row.item, row.period)  # fmt: skip
        first = seen.setdefault(place, row) if not row.problem and row.kind != "tick" else row
        if first is not row:
            row = row.refused(f"与第{first.line}行重复")
        kept.append(row)
    return kept


def _with_sums(rows: Sequence[InputRow], known: Known) -> list[InputRow]:
    """Quotas that together fall short of the area's own target are refused, all of them."""
    sums: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        if row.kind == "quota" and not row.problem and row.value is not None:
            key = (row.target_id, row.indicator_id)
            sums[key] = sums.get(key, Decimal(0)) + row.value
    short = {key: _shortfall(key, total, known) for key, total in sums.items()}
    return [
        row.refused(short.get((row.target_id, row.indicator_id), ""))
        if row.kind == "quota"
        else row
        for row in rows
    ]


def _shortfall(key: tuple[str, str], total: Decimal, known: Known) -> str:
    """Why the quotas of one indicator do not add up; empty when they do."""
    whole = whole_of(known.targets[key[0]], key[1], known.targets.values())
    if whole is None or whole.value is None:
        return ""
    unit = known.indicators[key[1]].unit
    try:
        wanted = whole.value if whole.unit == unit else known.convert(whole.value, whole.unit, unit)
    except (ValueError, KeyError):
        wanted = whole.value
    if total >= wanted:
        return ""
    short = wanted - total
    return (
        f"各县分解数合计{_plain(total)}{unit}，少于全市目标{_plain(wanted)}{unit}"
        f"（{whole.target_id}），差{_plain(short)}{unit}，整张分解表不采用；请核对附件"
    )


def whole_of(table: Target, indicator_id: str, targets: Iterable[Target]) -> Target | None:
    """The target of the same document whose amount an allocation table distributes."""
    return next(
        (
            target
            for target in targets
            if target.document_id == table.document_id
            and target.indicator_id == indicator_id
            and target.scope_code == table.scope_code
            and target.kind == "annual_total"
            and target.restates is None
        ),
        None,
    )


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# --- Which figure holds when ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entered:
    """A figure that holds as of a period, canonical unit. ``late``: in Chinese, of when it is."""

    value: Decimal
    row: InputRow
    yoy_pct: Decimal | None = None
    late: str = ""


Place = tuple[str, str, str]
"""(area_code, list, "") of an area or ("", "", park_id) of a park."""


def entered_at(
    inputs: Inputs, indicators: Mapping[str, Indicator], period: str
) -> dict[tuple[Place, str], Entered]:
    """Figures by place and indicator as of ``period``.

    Amounts of a year hold within their year, growth rates of other bureaus for exactly their
    period, levels and shares until a later one. Ratios the catalogue computes are computed from
    their parts where these are there. Items and texts are left to those who look for them.
    """
    found: dict[tuple[Place, str], Entered] = {}
    for indicator_id in sorted({row.indicator_id for row in inputs.rows if row.value is not None}):
        indicator = indicators[indicator_id]
        rows = [row for row in inputs.figures(indicator_id, period) if not row.item]
        for row in rows:
            if row.value is not None and _holds(row, indicator, period):
                yoy = _growth(row, rows, indicator)
                found[_place(row), indicator_id] = Entered(row.value, row, yoy, _late(row, period))
    _add_ratios(found, indicators)
    return found


def _place(row: InputRow) -> Place:
    return ("", "", row.park_id) if row.park_id else (row.area_code, row.list, "")


def _holds(row: InputRow, indicator: Indicator, period: str) -> bool:
    if indicator.kind == "external" and indicator.unit == "%":
        return row.period == period
    return indicator.kind != "flow" or row.period[:4] == period[:4]


def _late(row: InputRow, period: str) -> str:
    year, month = row.period[:4], int(row.period[5:7])
    return "" if row.period == period else f"所用为{year}年{month}月数"


def _growth(row: InputRow, rows: Sequence[InputRow], indicator: Indicator) -> Decimal | None:
    """Growth over the row of the same month a year before, where there is one."""
    if indicator.unit == "%" and indicator.kind == "external":
        return None
    before = f"{int(row.period[:4]) - 1}{row.period[4:]}"
    for other in rows:
        same = other.period == before and _place(other) == _place(row)
        if same and other.value and row.value is not None and other.value > 0:
            return (row.value / other.value - 1) * 100
    return None


def _add_ratios(
    found: dict[tuple[Place, str], Entered], indicators: Mapping[str, Indicator]
) -> None:
    """Shares of area figures by their formula, from parts of one and the same period."""
    places = sorted({place for place, _ in found})
    for indicator_id, indicator in indicators.items():
        tree = indicator.formula_tree
        if tree is None:
            continue
        names = expression.identifiers(tree)
        if not all(name in indicators and indicators[name].kind == "external" for name in names):
            continue
        for place in places:
            parts = {name: found.get((place, name)) for name in names}
            known = {name: one for name, one in parts.items() if one is not None}
            periods = {one.row.period for one in known.values()}
            if (place, indicator_id) in found or len(known) < len(names) or len(periods) != 1:
                continue
            value = expression.evaluate(tree, {name: one.value for name, one in known.items()})
            if isinstance(value, Decimal):
                first = known[min(known)]
                found[place, indicator_id] = Entered(value, first.row, None, first.late)
