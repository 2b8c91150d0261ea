"""Scope (范围): the region a bulletin is for, what lies inside it, and what areas are called.

Belongs here: the tree of regions as it holds in a period. Does not belong here: queries or rights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from warehouse.catalog.models import period_end

if TYPE_CHECKING:
    from warehouse.catalog.load import Catalog

_BELOW = {"province": "city", "city": "county"}


@dataclass(frozen=True, slots=True)
class Scope:
    """A region on the last day of a period.

    ``names`` and ``parents`` cover all regions that hold on that day; ``below`` is the level its
    figures are broken down by, empty for a county.
    """

    code: str
    level: str
    day: date
    names: Mapping[str, str]
    parents: Mapping[str, str]

    @classmethod
    def of(cls, catalog: Catalog, code: str, period: str) -> Scope:
        """The scope ``code`` in ``period``; a region the catalogue lacks is taken as the top."""
        day = period_end(period)
        regions = catalog.regions_on(day)
        level = regions[code].level if code in regions else "province"
        return cls(
            code=code,
            level=level,
            day=day,
            names={each.code: each.name for each in regions.values()},
            parents={each.code: each.parent for each in regions.values() if each.parent},
        )

    @property
    def below(self) -> str:
        """Level of the areas listed in the annex."""
        return _BELOW.get(self.level, "")

    def holds(self, code: str | None) -> bool:
        """Whether the region ``code`` is the scope or lies inside it."""
        steps = 0
        while code and code != self.code and steps < 9:
            code = self.parents.get(code)
            steps += 1
        return code == self.code

    def concerns(self, code: str) -> bool:
        """Whether what is laid down for region ``code`` is about the scope: it lies inside the
        other, or the other inside it."""
        above, steps = self.parents.get(self.code), 0
        while above and above != code and steps < 9:
            above = self.parents.get(above)
            steps += 1
        return self.holds(code) or above == code

    def name(self, code: str) -> str:
        """Name of a region, or its code."""
        return self.names.get(code, code)
