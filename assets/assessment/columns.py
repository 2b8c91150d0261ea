"""One indicator of a scheme over the parks of a class: figures, goalposts, normalised values.

Belongs here: which figures count, and turning them into 0..100 by the item's method. Does not
belong here: weights over items, eligibility and ranks (``scoring``), the formulas
(``methods.composite``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.assessment.goalposts import STORED_DECIMALS, Goalpost, Goalposts, choose_goalpost
from assets.assessment.lines import METHOD_ZH, Setting, curve_of, describe
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
Normalised = dict[str, Decimal | None]
"""park_id → 0..100, ``None`` where there is nothing to normalise."""


Yardsticks = Mapping[tuple[str, str, int], Decimal]
"""(park_id, indicator_id, year) → what a ratio is taken of: the park's goal of the year assessed
(year 0) or its year-end figure of a base year."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What scoring looks at, for all classes alike. ``region``: (indicator, measure) → figure of the
    scheme's region, for lines measured against it."""

    scheme: Scheme
    values: Values
    period: str
    frozen: Goalposts
    indicators: Mapping[str, Indicator]
    yardsticks: Yardsticks = field(default_factory=dict)
    region: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)

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
        name = known.name_zh if known else item.name or item.indicator_id
        return name + {"value": "", "growth": "增速", "ratio": "比值"}[item.measure]


@dataclass(frozen=True, slots=True)
class Figure:
    """A usable figure, or in Chinese why there is none. ``remark``: what was done to it."""

    raw: Decimal | None
    gap: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One line over the parks of a class. ``setting``: what its curve rests on; ``said``: how it is
    scored, in Chinese."""

    item: Item
    weight: Decimal
    setting: Setting
    figures: Mapping[str, Figure]
    normalised: Mapping[str, Decimal | None]
    said: str

    @property
    def goalpost(self) -> Goalpost | None:
        """Goalposts of the line in this class."""
        return self.setting.goalpost

    def span(self) -> tuple[Decimal, Decimal]:
        """Least and most points of the scheme a figure could earn, whatever it is."""
        curve = None if self.item.scoring.method == "rank" else curve_of(self.item, self.setting)
        ends = (Decimal(0), composite.HUNDRED) if curve is None else (min(curve.y), max(curve.y))
        return ends[0] * self.weight / 100, ends[1] * self.weight / 100

    def note(self, park_id: str, missing: str) -> str:
        """How the points of a park came about, or why there are none (``missing``: what a missing
        figure means under the scheme)."""
        figure = self.figures[park_id]
        if figure.raw is None:
            return f"缺数（{figure.gap}），{missing}"
        if self.normalised[park_id] is None:
            method = METHOD_ZH[self.item.scoring.method]
            return f"{method}：没有可用的比较基准，不计分，{missing}"
        return f"{self.said}；{figure.remark}" if figure.remark else self.said


def column(
    inputs: Inputs,
    class_id: str,
    item: Item,
    park_ids: Sequence[str],
    comparable: frozenset[str],
) -> Column:
    """The column of a line. Goalposts and ranks of the class now rest on ``comparable`` parks
    only, so that parks outside the ranking do not move those inside."""
    names = (item.indicator_id, *getattr(item.scoring, "any_of", ()))
    figures = {park_id: figure_of(inputs, park_id, item, names) for park_id in park_ids}
    raw = {park_id: one.raw for park_id, one in figures.items() if one.raw is not None}
    runners = [x for park_id, x in raw.items() if park_id in comparable]
    setting = Setting(
        goalpost=choose_goalpost(item, class_id, inputs.frozen, runners),
        reference=_reference(inputs, item, runners),
        month=inputs.month,
        weight=item.weight_in(class_id),
    )
    points = _normalise(item, setting, raw, comparable)
    normalised = {park_id: points.get(park_id) for park_id in park_ids}
    said = describe(item, setting)
    return Column(item, setting.weight, setting, figures, normalised, said)


def _reference(inputs: Inputs, item: Item, runners: Sequence[Decimal]) -> Decimal | None:
    """What deviations are measured from, where the scheme does not give it itself."""
    rule = getattr(item.scoring, "reference", None)
    if rule is None or rule.source == "policy":
        return None
    if rule.source == "region":
        return inputs.region.get(item.key)
    if not runners:
        return None
    return composite.rounded(sum(runners, Decimal(0)) / len(runners), STORED_DECIMALS)


# --- Figures --------------------------------------------------------------------------------------


def figure_of(inputs: Inputs, park_id: str, item: Item, indicator_ids: Sequence[str]) -> Figure:
    """The figure a line scores, or why it is missing. Missing is never zero. ``indicator_ids``: the
    line's indicator and those that may stand for it; the best of them counts."""
    if len(indicator_ids) == 1:
        return _one_figure(inputs, park_id, item, indicator_ids[0])
    found = [_one_figure(inputs, park_id, item, name) for name in indicator_ids]
    there = [figure for figure in found if figure.raw is not None]
    if not there:
        return found[0]
    best = max if item.better == "high" else min
    chosen = best(there, key=lambda figure: figure.raw or Decimal(0))
    return Figure(chosen.raw, "", f"{len(found)}项中取最好的一项")


def _one_figure(inputs: Inputs, park_id: str, item: Item, indicator_id: str) -> Figure:
    found = inputs.values.get((park_id, indicator_id))
    if found is None:
        return Figure(None, "无数据")
    gap = _unusable(inputs, item, found, indicator_id)
    if gap:
        return Figure(None, gap)
    if item.measure == "growth":
        return _growth(item, found)
    if item.measure == "ratio":
        return _ratio(inputs, park_id, item, found)
    return Figure(found.value)


def _growth(item: Item, found: Value) -> Figure:
    """Growth, held to a cap where the base of the year before is small (小基数)."""
    growth, rule = found.yoy_pct, item.small_base
    if rule is None or growth is None or found.value is None or growth <= -100:
        return Figure(growth)
    before = found.value * 100 / (100 + growth)
    if before >= rule.below or growth <= rule.cap:
        return Figure(growth)
    return Figure(rule.cap, "", f"上年基数小，增速{_plain(growth)}%按{_plain(rule.cap)}%计")


def _ratio(inputs: Inputs, park_id: str, item: Item, found: Value) -> Figure:
    rule = item.yardstick
    assert rule is not None and found.value is not None
    goal = inputs.yardsticks.get((park_id, item.indicator_id, rule.year or 0))
    if goal is None:
        return Figure(None, f"没有{rule.year}年基数" if rule.year else "没有本年度目标任务")
    if goal <= 0:
        return Figure(None, "目标或基数不大于0，无法相比")
    what = f"{rule.year}年基数" if rule.year else "年度目标"
    return Figure(found.value * 100 / goal, "", f"与{what}{_plain(goal)}相比")


def _unusable(inputs: Inputs, item: Item, found: Value, indicator_id: str) -> str:
    rules = inputs.scheme.missing
    if found.basis == "nowcast":
        return "只有预测值"
    if found.state not in rules.states:
        return STATE_ZH.get(found.state, "无数值")
    if _is_late(inputs, indicator_id, found.n_months):
        return f"数据仅到{found.n_months}月"
    if item.measure != "growth":
        return "" if found.value is not None else "无数值"
    if found.yoy_pct is None:
        return "缺上年同期可比数"
    comparable = not found.yoy_basis or found.yoy_basis in rules.growth_basis
    return "" if comparable else "同比口径不可比"


def _is_late(inputs: Inputs, indicator_id: str, n_months: int | None) -> bool:
    known = inputs.indicators.get(indicator_id)
    flow = known is not None and known.kind == "flow"
    return flow and n_months is not None and 0 < n_months < inputs.month


def _plain(value: Decimal) -> str:
    text = f"{composite.rounded(value, 2):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# --- Points ---------------------------------------------------------------------------------------


def _normalise(
    item: Item, setting: Setting, raw: Mapping[str, Decimal], comparable: frozenset[str]
) -> Normalised:
    if item.scoring.method == "rank":
        return _rank_points(item, raw, comparable)
    curve = curve_of(item, setting)
    return {} if curve is None else {park_id: curve.at(x) for park_id, x in raw.items()}


def _rank_points(item: Item, raw: Mapping[str, Decimal], comparable: frozenset[str]) -> Normalised:
    """Rank points among the ranked parks; a park outside the ranking gets those it would have."""
    runners = [x for park_id, x in raw.items() if park_id in comparable]
    among = dict(zip(runners, composite.rank_points(runners, item.better), strict=True))
    points: Normalised = {}
    for park_id, x in raw.items():
        if park_id in comparable:
            points[park_id] = among[x]
        else:
            points[park_id] = composite.rank_points([*runners, x], item.better)[-1]
    return points
