"""Strict model of an assessment scheme (考核方案): who is ranked, by what scoring, the last k.

Belongs here: the scheme as a whole (``schemes/*.yaml``), who is assessed in which classes, and rules
between its parts. Does not belong here: one item's scoring (``scheme_scoring``), the other rules
(``scheme_rules``), any calculation (``assets/assessment``). A scheme file does all that it says: an
unknown field is refused, none is accepted and ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from warehouse.catalog.models import CatalogModel, Figure, Id, ParkFilter
from warehouse.catalog.scheme_rules import (
    Adjustments,
    Consequence,
    DataQuality,
    Elimination,
    Gate,
    Grades,
    Honour,
    Publicity,
    Replacement,
    Veto,
)
from warehouse.catalog.scheme_scoring import Goalposts, Item, Scoring

__all__ = ["Elimination", "Goalposts", "Item", "Scheme", "Scoring", "WatchRule"]

UNOFFICIAL = "建议值，非官方"


class Choice(CatalogModel):
    """One choice the scheme makes and where it comes from. ``official`` only where a document of
    the scheme's own authority says so."""

    choice: Id
    source: Id
    official: bool = False


class Who(CatalogModel):
    """Which parks are ranked: a list of the region, narrowed by ``filter`` (any of several) and ``parks``
    (these only).

    ``exempt`` parks are scored but not ranked (只考评不排名); so are parks listed less than
    ``new_park_years`` full years ago.
    """

    group: Literal["key", "demonstration", "all"]
    region_code: Id
    filter: tuple[ParkFilter, ...] = ()
    parks: tuple[Id, ...] = ()
    exempt: tuple[Id, ...] = ()
    new_park_years: int = Field(default=0, ge=0, le=10)


Attribute = Literal["class_id", "level", "kind", "city_code", "county_code", "none"]
JOINED = "·"


class Classes(CatalogModel):
    """Classes (组) within which parks are ranked: by attributes of the register, or one class.

    ``min_size``: a class with fewer ranked parks is ``not_ranked``, or its parks join the class
    named in ``merge_into``. ``titles``: printed names. Several attributes make classes like 国家级·关中.
    """

    by: Attribute | tuple[Attribute, ...] = "class_id"
    min_size: int = Field(default=1, ge=1)
    when_small: Literal["not_ranked", "merge"] = "not_ranked"
    merge_into: Mapping[str, str] = {}
    titles: Mapping[str, str] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.when_small == "merge") != bool(self.merge_into):
            raise ValueError("when_small 为 merge 时须写明 merge_into（并入哪一组），其他时候不写")
        if set(self.merge_into) & set(self.merge_into.values()):
            raise ValueError("merge_into 的去向不能再并入别组")
        if isinstance(self.by, tuple) and (not self.by or "none" in self.by):
            raise ValueError("by 的列表应为一个以上园区属性，不含 none")
        return self

    @property
    def attributes(self) -> tuple[str, ...]:
        """Attributes of the register the class is made of; empty for one class."""
        if isinstance(self.by, tuple):
            return self.by
        return () if self.by == "none" else (self.by,)

    def title_of(self, class_id: str) -> str:
        """Name printed for a class."""
        return self.titles.get(class_id, class_id or "全部园区")


class Missing(CatalogModel):
    """Missing figures, never silently zero: ``redistribute`` their weight over the rest when at
    least ``min_share`` of it is available, otherwise the park is not ranked; or ``exclude`` a park
    with any figure missing; or count ``zero`` where the published rules say so (``zero_source``).
    ``states`` are the value states that count.
    """

    policy: Literal["redistribute", "exclude", "zero"] = "redistribute"
    zero_source: str = ""
    min_share: Annotated[str, Field(pattern=r"^[1-9]\d*/[1-9]\d*$")] = "2/3"
    states: tuple[Literal["reported", "zero", "approximate", "imputed", "below_unit"], ...] = (
        "reported",
        "zero",
        "approximate",
    )
    growth_basis: tuple[Literal["comparable", "published", "levels"], ...] = (
        "comparable",
        "published",
    )

    @field_validator("min_share")
    @classmethod
    def _at_most_one(cls, text: str) -> str:
        if Fraction(text) > 1:
            raise ValueError("min_share 不能大于 1")
        return text

    @model_validator(mode="after")
    def _stated(self) -> Self:
        if (self.policy == "zero") != bool(self.zero_source):
            raise ValueError("缺数按零分计（policy: zero）须在 zero_source 写明依据，其他时候不写")
        return self

    @property
    def share(self) -> Fraction:
        """Share of the weight that must be available, as an exact fraction."""
        return Fraction(1) if self.policy == "exclude" else Fraction(self.min_share)


class WatchRule(CatalogModel):
    """When a park comes to attention between assessments; parameters of the triggers.

    ``lower_pct``: share of the class that counts as its lower end. ``red_targets`` red binding
    targets in each of ``red_periods`` periods. ``repeat_periods`` periods in the last places.
    ``red_probability`` and ``watch_probability`` of the last places turn the light red and orange
    where at least ``calibrated_pct`` of the weight rests on figures with known past errors (建议值:
    at 0.5 three of four warnings came true in the back-tests of docs/methodology.md, at 0.2 four of
    five parks that ended last had been named).
    """

    lower_pct: Annotated[Figure, Field(gt=0, le=50)] = Decimal(20)
    red_targets: int = Field(default=2, ge=1)
    red_periods: int = Field(default=2, ge=1)
    repeat_periods: int = Field(default=2, ge=2)
    red_probability: Annotated[Figure, Field(gt=0, le=1)] = Decimal("0.5")
    watch_probability: Annotated[Figure, Field(gt=0, le=1)] = Decimal("0.2")
    calibrated_pct: Annotated[Figure, Field(ge=0, le=100)] = Decimal(50)


class Scheme(CatalogModel):
    """An assessment scheme. ``basis`` names the targets (clauses) it serves; ``decimals`` are those
    of the points, which are rounded half up and then added.

    ``status`` ``reference``: a published scheme kept to start from; it is not run until a workspace
    sets it ``active``. ``cite`` names the published texts it follows.
    """

    scheme_id: Id
    title: Id
    status: Literal["active", "reference"] = "active"
    official: bool = False
    cite: tuple[Id, ...] = ()
    basis: tuple[Id, ...] = ()
    choices: tuple[Choice, ...]
    who: Who
    classes: Classes = Classes()
    items: tuple[Item, ...]
    decimals: int = Field(default=2, ge=0, le=6)
    missing: Missing = Missing()
    adjustments: Adjustments | None = None
    vetoes: tuple[Veto, ...] = ()
    data_quality: DataQuality | None = None
    gate: Gate | None = None
    grades: Grades | None = None
    elimination: Elimination | None = None
    also_eliminated: tuple[Elimination, ...] = ()
    consequences: tuple[Consequence, ...] = ()
    replacement: Replacement | None = None
    honours: tuple[Honour, ...] = ()
    publicity: Publicity | None = None
    watch: WatchRule = WatchRule()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.items:
            raise ValueError("方案至少要有一个指标")
        self._weights()
        self._grades_named()
        self._rules_named()
        if not self.official and not self.choices:
            raise ValueError("非官方方案须在 choices 写明各项选择的依据")
        return self

    def _weights(self) -> None:
        keys = [part.key for part in self.lines]
        twice = sorted({f"{i}（{m}）" for i, m in keys if keys.count((i, m)) > 1})
        if twice:
            raise ValueError(f"同一指标同一口径出现两次：{'、'.join(twice)}")
        total = sum((item.weight for item in self.items), Decimal(0))
        if total != 100:
            raise ValueError(f"权重合计应为100，读到{total}")
        for class_id in sorted({c for item in self.items for c in item.weight_by_class}):
            total = sum((item.weight_in(class_id) for item in self.items), Decimal(0))
            if total != 100:
                raise ValueError(f"分组 {class_id} 的权重合计应为100，读到{total}")

    def _grades_named(self) -> None:
        known = set(self.grades.labels) if self.grades else set()
        used = {
            "vetoes.grade": {veto.grade for veto in self.vetoes},
            "honours.grade": {honour.grade for honour in self.honours},
            "consequences.grades": {g for step in self.consequences for g in step.grades},
            "data_quality.unverified_grade_cap": {
                self.data_quality.unverified_grade_cap if self.data_quality else ""
            },
        }
        for field, names in used.items():
            unknown = sorted(names - known - {""})
            if unknown:
                raise ValueError(f"{field} 用到 grades 没有的等次：{'、'.join(unknown)}")
        lowest = any(veto.effect == "lowest_grade" for veto in self.vetoes)
        if lowest and not self.grades:
            raise ValueError("vetoes 有“定为末等”，而方案没有 grades")

    def _rules_named(self) -> None:
        rules = [rule for rule in (self.elimination, *self.also_eliminated) if rule]
        if self.also_eliminated and not self.elimination:
            raise ValueError("also_eliminated 是另一套末位规则，须先写 elimination")
        if any(rule.by == "gate" for rule in rules) and not self.gate:
            raise ValueError("elimination 的 by 为 gate，而方案没有 gate（门槛标准）")
        if any(step.fulfilled or step.years_last for step in self.consequences) and not rules:
            raise ValueError("consequences 用到末位年数，而方案没有 elimination")
        steps = {step.step for step in self.consequences}
        unknown = sorted({step.after for step in self.consequences} - steps - {""})
        if unknown:
            raise ValueError(f"consequences.after 不是本方案的步骤：{'、'.join(unknown)}")
        names = [honour.honour for honour in self.honours]
        if len(names) != len(set(names)):
            raise ValueError("honours 的 honour 重复")

    @property
    def lines(self) -> tuple[Item, ...]:
        """Items as they are scored: ``static_dynamic`` makes two lines."""
        return tuple(part for item in self.items for part in item.parts())

    @property
    def eliminations(self) -> tuple[Elimination, ...]:
        """All rules on last places, the main one first."""
        return (self.elimination, *self.also_eliminated) if self.elimination else ()

    @property
    def label(self) -> str:
        """Label printed wherever the scheme's results are: 建议值，非官方, empty when official."""
        return "" if self.official else UNOFFICIAL
