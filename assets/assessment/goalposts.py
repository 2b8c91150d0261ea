"""Goalposts of a scheme: between which values a figure is placed, frozen where possible.

Belongs here: choosing policy, frozen or current goalposts for an item, freezing them from a year's
figures. Does not belong here: scoring with them (``scoring``), quantile arithmetic (``methods``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from methods import composite

if TYPE_CHECKING:
    from warehouse.catalog.schemes import Goalposts as GoalpostRule
    from warehouse.catalog.schemes import Item

GoalpostKey = tuple[str, str, str]
"""(class_id, indicator_id, measure)."""

STORED_DECIMALS = 8  # as the warehouse keeps them: stored goalposts give the same points again

SOURCE_ZH = {
    "policy": "方案规定",
    "previous_year": "上年同期组内分位数，已固定",
    "class": "当期组内分位数，未固定",
}


@dataclass(frozen=True, slots=True)
class Goalpost:
    """不允许值 and 满意值 of an indicator in a class, and where they come from. Kept with the
    scores: the same goalposts give the same points again."""

    class_id: str
    indicator_id: str
    measure: str
    unacceptable: Decimal
    satisfactory: Decimal
    source: Literal["policy", "previous_year", "class"]
    n: int = 0
    scheme_id: str = ""
    year: int = 0
    asof_period: str = ""

    def describe(self) -> str:
        """满意值15、不允许值0（方案规定）."""
        low, high = _plain(self.unacceptable), _plain(self.satisfactory)
        return f"满意值{high}、不允许值{low}（{SOURCE_ZH[self.source]}）"


Goalposts = Mapping[GoalpostKey, Goalpost]


def choose_goalpost(
    item: Item, class_id: str, frozen: Goalposts, current: Sequence[Decimal]
) -> Goalpost | None:
    """Goalposts of an item in a class: the scheme's own, those frozen from last year, or those of
    the class now (``current`` figures). ``None``: the method needs none, or there are none."""
    rule: GoalpostRule | None = getattr(item.scoring, "goalposts", None)
    if rule is None:
        return None
    key = (class_id, item.indicator_id, item.measure)
    if rule.source == "policy":
        assert rule.unacceptable is not None and rule.satisfactory is not None
        return Goalpost(*key, rule.unacceptable, rule.satisfactory, "policy")
    if rule.source == "previous_year" and key in frozen:
        return frozen[key]
    if rule.source == "previous_year" and rule.fallback == "none":
        return None
    return from_figures(item, class_id, current, "class")


def from_figures(
    item: Item,
    class_id: str,
    figures: Sequence[Decimal],
    source: Literal["previous_year", "class"],
) -> Goalpost | None:
    """Quantiles of a class's figures in the direction of the item, or mean ∓ standard deviations;
    ``None`` for too few figures."""
    rule: GoalpostRule | None = getattr(item.scoring, "goalposts", None)
    if rule is None or len(figures) < (2 if rule.statistic == "mean_sd" else 1):
        return None
    if rule.statistic == "mean_sd":
        low, high = composite.mean_band(figures, rule.sds)
    else:
        low = composite.quantile(figures, rule.low_quantile)
        high = composite.quantile(figures, rule.high_quantile)
    low, high = composite.rounded(low, STORED_DECIMALS), composite.rounded(high, STORED_DECIMALS)
    ends = (low, high) if item.better == "high" else (high, low)
    return Goalpost(class_id, item.indicator_id, item.measure, *ends, source, len(figures))


def _plain(value: Decimal) -> str:
    text = f"{composite.rounded(value, 4):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
