"""Models of light rules (灯色规则): from which gap or probability which colour shows.

Belongs here: the fields of ``light_rules.yaml`` and rules within one item. Does not belong here:
applying a rule (``methods/progress``), which clause is judged (``assets/targets``).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from warehouse.catalog.models import CatalogModel, Figure, Id, Text

Light = Literal["green", "yellow", "orange", "red"]


class GapBand(CatalogModel):
    """A light and the lowest gap to schedule, in percentage points, at which it shows."""

    light: Light
    from_gap_pp: Figure | None = None
    note: str = ""


class ChanceBand(CatalogModel):
    """A light and the lowest calibrated probability (0..1) at which it shows."""

    light: Light
    from_probability: Figure = Field(ge=0, le=1)


class LightRuleItem(CatalogModel):
    """One light rule. ``in_use``: the workspace judges by it; the others are shown beside it.

    ``early_months``: months of the year in which growth alone turns nothing red (1—2月).
    ``min_reported_pct``: share of the parks that must have reported before a total is judged.
    """

    rule_id: Id
    title: Id
    in_use: bool = False
    official: bool = False
    source: Text
    bands: tuple[GapBand, ...] = Field(min_length=1)
    chances: tuple[ChanceBand, ...] = ()
    growth_red_below_pct: Figure | None = None
    early_months: Annotated[int, Field(ge=0, le=11)] = 2
    min_reported_pct: Figure = Field(ge=0, le=100)
    note: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        gaps = [band.from_gap_pp for band in self.bands]
        if gaps[-1] is not None or None in gaps[:-1]:
            raise ValueError("bands 的最后一档不设 from_gap_pp，其他各档都要设")
        known = [gap for gap in gaps if gap is not None]
        if any(upper <= lower for upper, lower in pairwise(known)):
            raise ValueError("bands 应从高到低排列")
        chances = [band.from_probability for band in self.chances]
        if chances and chances[-1] != 0:
            raise ValueError("chances 的最后一档应从 0 起")
        if any(upper <= lower for upper, lower in pairwise(chances)):
            raise ValueError("chances 应从高到低排列")
        return self
