"""The light rule of the catalogue in the form the methods take.

Belongs here: translating the catalogue item. Does not belong here: its values
(``light_rules.yaml``) or applying them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from methods.progress import Band, ChanceBand, LightRule

if TYPE_CHECKING:
    from warehouse.catalog.light_rules import LightRuleItem


def light_rule(item: LightRuleItem) -> LightRule:
    """The rule as the methods take it."""
    return LightRule(
        item.rule_id,
        item.title,
        tuple(Band(band.light, band.from_gap_pp, band.note) for band in item.bands),
        item.source,
        item.official,
        item.growth_red_below_pct,
        tuple(ChanceBand(band.light, band.from_probability) for band in item.chances),
        item.early_months,
        item.min_reported_pct,
    )


def rule_in_use(items: Sequence[LightRuleItem]) -> LightRule:
    """The rule a workspace judges by (the catalogue has seen to it that there is exactly one)."""
    return light_rule(next(item for item in items if item.in_use))
