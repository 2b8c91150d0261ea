"""Catalogue items that decide how figures are derived: breaks of scope, growth rules, shares.

Belongs here: models of ``breaks.yaml``, ``growth.yaml`` and ``enclave_shares.csv`` and the checks
between them and other items. Does not belong here: their rows
for the warehouse (``derivation_rows``) or any derivation (``warehouse/sql``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from warehouse.catalog import expression
from warehouse.catalog.models import (
    CatalogModel,
    Figure,
    Id,
    Indicator,
    IndicatorId,
    Period,
    RegisterRow,
    Text,
)

if TYPE_CHECKING:
    from warehouse.catalog.checks import Loaded
    from warehouse.catalog.problems import CatalogProblem


class ScopeBreak(CatalogModel):
    """A declared change of scope (口径变更): from ``period`` on, figures mean something else.

    No indicator or no place given means all. Growth over the break is taken from the return's own
    same-scope column or the published growth only, never from two years' levels; single months are
    not differenced over it; every growth rate it touches says so.
    """

    break_id: Id
    period: Period
    reason: Text
    source: Text
    indicators: tuple[IndicatorId, ...] = ()
    region_code: str | None = None
    park_ids: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.region_code and self.park_ids:
            raise ValueError("region_code 与 park_ids 只能填一个")
        return self


class GrowthRule(CatalogModel):
    """How growth of indicators in ``units`` is guarded; later rules win over earlier ones.

    Below ``small_base`` (in the indicator's unit) growth is capped at ``cap_pct`` and marked.
    ``tolerance_pct``: how far the return's own prior-year figure may lie from what was published a
    year ago before the difference is said.
    """

    rule_id: Id
    units: tuple[Id, ...] = ()
    indicators: tuple[IndicatorId, ...] = ()
    small_base: Figure | None = Field(default=None, gt=0)
    cap_pct: Figure | None = Field(default=None, gt=0)
    tolerance_pct: Figure | None = Field(default=None, gt=0)
    source: Text

    @model_validator(mode="after")
    def _cap_with_base(self) -> Self:
        if (self.small_base is None) != (self.cap_pct is None):
            raise ValueError("small_base（小基数）与 cap_pct（截顶）须同时填写")
        return self

    def covers(self, indicator: Indicator) -> bool:
        """Whether the rule is about this indicator; without units and indicators it is about all."""
        if not self.units and not self.indicators:
            return True
        return indicator.unit in self.units or indicator.indicator_id in self.indicators


class EnclaveShare(RegisterRow):
    """One stage of the allocation of 飞地 parks of a region, or of one park (``park_id``).

    ``first_year`` and ``last_year`` count the years since the park began, 1 = the first twelve
    months. ``home_share`` and ``host_share`` add up to 1.
    """

    region_code: Id
    park_id: str = ""
    first_year: int = Field(ge=1, le=100)
    last_year: int | None = Field(default=None, ge=1, le=100)
    home_share: Annotated[Figure, Field(ge=0, le=1)]
    host_share: Annotated[Figure, Field(ge=0, le=1)]
    source: Text

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.home_share + self.host_share != 1:
            total = self.home_share + self.host_share
            raise ValueError(f"飞出地与飞入地的分配比例之和应为1，读到 {total}")
        if self.last_year is not None and self.last_year < self.first_year:
            raise ValueError("last_year 早于 first_year")
        return self


# --- checks between items -------------------------------------------------------------------------


def checks(loaded: Loaded) -> Iterator[CatalogProblem]:
    """References, units, stages of shares and formulas that cannot be computed."""
    yield from _break_references(loaded)
    yield from _share_stages(loaded)
    yield from _formula_names(loaded)


def _break_references(loaded: Loaded) -> Iterator[CatalogProblem]:
    for item in loaded.all("breaks"):
        wanted = (("indicators", "indicators", item.indicators),
                  ("region_code", "regions", (item.region_code,) if item.region_code else ()),
                  ("park_ids", "parks", item.park_ids))  # fmt: skip
        for field, kind, names in wanted:
            for name in names:
                if name not in loaded.known(kind):
                    yield loaded.problem(
                        "breaks", item.break_id, field, "引用的编号不存在", found=name
                    )


def _share_stages(loaded: Loaded) -> Iterator[CatalogProblem]:
    """Stages of a region or park follow one another without gap or overlap, from the first year."""
    groups: dict[tuple[str, str, date | None], list[EnclaveShare]] = {}
    for stage in loaded.all("enclave_shares"):
        groups.setdefault((stage.region_code, stage.park_id, stage.valid_from), []).append(stage)
        for field, kind in (("region_code", "regions"), ("park_id", "parks")):
            name = getattr(stage, field)
            if name and name not in loaded.known(kind):
                yield loaded.row_problem(stage, name, field, "引用的编号不存在", found=name)
    for (region, park_id, _), stages in groups.items():
        expected: int | None = 1
        for stage in sorted(stages, key=lambda stage: stage.first_year):
            if stage.first_year != expected:
                yield loaded.row_problem(
                    stage, park_id or region, "first_year", "飞地分配的年限不衔接",
                    found=str(stage.first_year), expected=str(expected or "前一行没有终止年"),
                    remedy="各行应从第1年起首尾相接，任一日期的比例之和才为1",
                )  # fmt: skip
            expected = None if stage.last_year is None else stage.last_year + 1
        if expected is not None:
            yield loaded.row_problem(
                stages[-1], park_id or region, "last_year", "最后一行应没有终止年",
                found=str(expected - 1),
            )  # fmt: skip


MEASURES = (None, "ytd", "month", "stock", "ytd_prior", "yoy_published")


def _formula_names(loaded: Loaded) -> Iterator[CatalogProblem]:
    """A formula needs a part of the period itself, and measures that are kept."""
    for indicator in loaded.all("indicators"):
        if indicator.formula_tree is None:
            continue
        parts = list(expression.names(indicator.formula_tree))
        unknown = sorted({str(p.measure) for p in parts if p.measure not in MEASURES})
        for name in unknown:
            yield loaded.problem(
                "indicators", indicator.indicator_id, "formula", "公式中的口径不认识",
                found=name, expected="、".join(m for m in MEASURES if m),
            )  # fmt: skip
        if parts and all(part.offset for part in parts):
            yield loaded.problem(
                "indicators", indicator.indicator_id, "formula", "公式没有本期的数",
                found=indicator.formula or "", remedy="至少有一项不带时间位移",
            )  # fmt: skip
