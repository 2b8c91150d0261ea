"""One indicator of a scheme over the parks of a class: figures, goalposts, normalised values.

Belongs here: which figures count, and turning them into 0..100 by the item's method. Does not
belong here: weights over items, eligibility and ranks (``scoring``), the formulas
(``methods.composite``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.assessment.goalposts import Goalpost, Goalposts, choose_goalpost
from methods import composite

if TYPE_CHECKING:
    from assets.targets.evidence import Value, Values
    from warehouse.catalog.models import Indicator
    from warehouse.catalog.schemes import Item, Scheme

STATE_ZH = {
    "unknown": "未填报",
    "not_applicable": "不适用",
    "suppressed": "不予使用",
    "imputed": "插补数不计",
    "below_unit": "不足最小单位",
    "approximate": "约数不计",
}
METHOD_ZH = {
    "efficacy": "功效系数法",
    "min_max": "区间位置法",
    "completion": "完成率法",
    "rank": "组内名次法",
}
Normalised = dict[str, Decimal | None]
"""park_id → 0..100, ``None`` where there is nothing to normalise."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What scoring looks at, for all classes alike."""

    scheme: Scheme
    values: Values
    period: str
    frozen: Goalposts
    indicators: Mapping[str, Indicator]

    @property
    def year(self) -> int:
        """Calendar year of the period."""
        return int(self.period[:4])

    @property
    def month(self) -> int:
        """Last month of the period."""
        return int(self.period[5:7])

    def name_of(self, item: Item) -> str:
        """Chinese name of an item: the indicator, or its growth."""
        known = self.indicators.get(item.indicator_id)
        name = known.name_zh if known else item.indicator_id
        return f"{name}增速" if item.measure == "growth" else name


@dataclass(frozen=True, slots=True)
class Figure:
    """A usable figure, or in Chinese why there is none."""

    raw: Decimal | None
    gap: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One item over the parks of a class."""

    item: Item
    weight: Decimal
    goalpost: Goalpost | None
    figures: Mapping[str, Figure]
    normalised: Mapping[str, Decimal | None]

    def note(self, park_id: str, month: int) -> str:
        """How the points of a park came about, or why there are none."""
        figure, scoring = self.figures[park_id], self.item.scoring
        if figure.raw is None:
            return f"缺数（{figure.gap}），权重按比例分给其他指标"
        method = METHOD_ZH[scoring.method]
        if self.normalised[park_id] is None:
            return f"{method}：没有可用的满意值和不允许值，不计分，权重按比例分给其他指标"
        if self.goalpost is not None:
            return f"{method}，{self.goalpost.describe()}"
        if scoring.method != "completion":
            return method
        part = f"，按{month}/12折算" if scoring.prorate else ""
        return f"{method}，目标{scoring.target:f}{scoring.unit}{part}，上限{scoring.cap:f}倍"


def column(
    inputs: Inputs,
    class_id: str,
    item: Item,
    park_ids: Sequence[str],
    comparable: frozenset[str],
) -> Column:
    """The column of an item. Goalposts and ranks of the class now rest on ``comparable`` parks
    only, so that parks outside the ranking do not move those inside."""
    figures = {park_id: figure_of(inputs, park_id, item) for park_id in park_ids}
    raw = {park_id: one.raw for park_id, one in figures.items() if one.raw is not None}
    field = [x for park_id, x in raw.items() if park_id in comparable]
    goalpost = choose_goalpost(item, class_id, inputs.frozen, field)
    points = _normalise(inputs, item, goalpost, raw, comparable)
    normalised = {park_id: points.get(park_id) for park_id in park_ids}
    return Column(item, item.weight_in(class_id), goalpost, figures, normalised)


def figure_of(inputs: Inputs, park_id: str, item: Item) -> Figure:
    """The figure an item scores, or why it is missing. Missing is never zero."""
    found = inputs.values.get((park_id, item.indicator_id))
    if found is None:
        return Figure(None, "无数据")
    gap = _unusable(inputs, item, found)
    if gap:
        return Figure(None, gap)
    return Figure(found.value if item.measure == "value" else found.yoy_pct)


def _unusable(inputs: Inputs, item: Item, found: Value) -> str:
    rules = inputs.scheme.missing
    if found.basis == "nowcast":
        return "只有预测值"
    if found.state not in rules.states:
        return STATE_ZH.get(found.state, "无数值")
    if _is_late(inputs, item.indicator_id, found.n_months):
        return f"数据仅到{found.n_months}月"
    if item.measure == "value":
        return "" if found.value is not None else "无数值"
    if found.yoy_pct is None:
        return "缺上年同期可比数"
    comparable = not found.yoy_basis or found.yoy_basis in rules.growth_basis
    return "" if comparable else "同比口径不可比"


def _is_late(inputs: Inputs, indicator_id: str, n_months: int | None) -> bool:
    known = inputs.indicators.get(indicator_id)
    flow = known is not None and known.kind == "flow"
    return flow and n_months is not None and 0 < n_months < inputs.month


def _normalise(
    inputs: Inputs,
    item: Item,
    goalpost: Goalpost | None,
    raw: Mapping[str, Decimal],
    comparable: frozenset[str],
) -> Normalised:
    scoring = item.scoring
    if scoring.method == "rank":
        return _rank_points(item, raw, comparable)
    if scoring.method == "completion":
        share = Decimal(inputs.month) / 12 if scoring.prorate else Decimal(1)
        goal = scoring.target * share
        return {
            park_id: composite.completion_score(x, goal, scoring.cap, item.better)
            for park_id, x in raw.items()
        }
    if goalpost is None:
        return {}
    low, high = goalpost.unacceptable, goalpost.satisfactory
    if scoring.method == "efficacy":
        equal = Decimal(scoring.when_equal)
        return {park_id: composite.efficacy(x, high, low, equal) for park_id, x in raw.items()}
    ends = sorted((low, high))
    return {
        park_id: composite.min_max(x, ends[0], ends[1], item.better) for park_id, x in raw.items()
    }


def _rank_points(item: Item, raw: Mapping[str, Decimal], comparable: frozenset[str]) -> Normalised:
    """Rank points among the ranked parks; a park outside the ranking gets those it would have."""
    field = [x for park_id, x in raw.items() if park_id in comparable]
    points: Normalised = {}
    for park_id, x in raw.items():
        others = field if park_id in comparable else [*field, x]
        points[park_id] = composite.rank_points(others, item.better)[others.index(x)]
    return points
