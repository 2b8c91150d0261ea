"""Strict model of an assessment scheme (考核方案): who is ranked, by what scoring, the last k.

Belongs here: fields of ``schemes/*.yaml``, their meaning, and rules within one scheme. Does not
belong here: any scoring (``assets/assessment``). A field whose calculation does not exist yet is
refused with a message, never accepted and ignored: a scheme file does all that it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from warehouse.catalog.models import CatalogModel, Figure, Id, IndicatorId, ParkFilter

UNOFFICIAL = "建议值，非官方"

# Known parts of a scheme whose calculation is still to come: refused, with their Chinese names.
LATER_FIELDS = {
    "adjustments": "加分扣分",
    "vetoes": "一票否决",
    "data_quality": "数据质量罚则",
    "grades": "等次",
    "consequences": "后果阶梯",
    "replacement": "增补",
    "promotion": "晋升",
    "honours": "表彰奖励",
    "publicity": "公示与申诉",
}
LATER_METHODS = {
    "tiered": "分档计分",
    "steps": "增减步长计分",
    "base80": "基数80%计分",
    "threshold": "达标即得分",
    "static_dynamic": "静态动态指数",
}


class Choice(CatalogModel):
    """One choice the scheme makes and where it comes from. ``official`` only where a document of
    the scheme's own authority says so."""

    choice: Id
    source: Id
    official: bool = False


class Who(CatalogModel):
    """Which parks are ranked: a list of the region, narrowed by ``filter`` (any of several).

    ``exempt`` parks are scored but not ranked (只考评不排名); so are parks listed less than
    ``new_park_years`` full years ago.
    """

    group: Literal["key", "demonstration", "all"]
    region_code: Id
    filter: tuple[ParkFilter, ...] = ()
    exempt: tuple[Id, ...] = ()
    new_park_years: int = Field(default=0, ge=0, le=10)


class Classes(CatalogModel):
    """Classes (组) within which parks are ranked: by an attribute of the register, or one class.

    ``min_size``: a class with fewer ranked parks is not ranked at all. ``titles``: printed names.
    """

    by: Literal["class_id", "level", "kind", "city_code", "none"] = "class_id"
    min_size: int = Field(default=1, ge=1)
    titles: Mapping[str, str] = {}

    def title_of(self, class_id: str) -> str:
        """Name printed for a class."""
        return self.titles.get(class_id, class_id or "全部园区")


class Goalposts(CatalogModel):
    """Between which two values a figure is placed (不允许值, 满意值), in the indicator's unit.

    ``policy``: the two values of this file. ``previous_year``: quantiles of the class in the same
    period of last year, frozen. ``class``: quantiles of the class now (every score then depends on
    every park). ``fallback`` says what to do where nothing was frozen yet.
    """

    source: Literal["policy", "previous_year", "class"]
    unacceptable: Figure | None = None
    satisfactory: Figure | None = None
    low_quantile: Annotated[Figure, Field(ge=0, le=1)] = Decimal("0.02")
    high_quantile: Annotated[Figure, Field(ge=0, le=1)] = Decimal("0.98")
    fallback: Literal["class", "none"] = "none"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        given = (self.unacceptable is not None, self.satisfactory is not None)
        if (self.source == "policy") != any(given) or any(given) != all(given):
            raise ValueError("来源为 policy 时须同时给出不允许值和满意值，其他来源不应给出")
        if self.low_quantile >= self.high_quantile:
            raise ValueError("low_quantile 应小于 high_quantile")
        if self.fallback == "class" and self.source != "previous_year":
            raise ValueError("只有 previous_year 可以设 fallback")
        return self


class Efficacy(CatalogModel):
    """功效系数 60 + 40·(x−不允许值)/(满意值−不允许值), 0..100."""

    method: Literal["efficacy"]
    goalposts: Goalposts
    when_equal: Literal[60, 100] = 60


class MinMax(CatalogModel):
    """Position between the goalposts, 0..100."""

    method: Literal["min_max"]
    goalposts: Goalposts


class Completion(CatalogModel):
    """100·min(x/target, cap); ``prorate`` compares with target·m/12 within the year (flows)."""

    method: Literal["completion"]
    target: Annotated[Figure, Field(gt=0)]
    unit: Id
    cap: Annotated[Figure, Field(gt=0, le=2)] = Decimal("1.2")
    prorate: bool = False


class RankPoints(CatalogModel):
    """100·(n−rank)/(n−1) inside the class."""

    method: Literal["rank"]


Scoring = Annotated[Efficacy | MinMax | Completion | RankPoints, Field(discriminator="method")]


class Item(CatalogModel):
    """One indicator of the scheme. ``measure``: its value, or its growth over the year before.

    ``weight_by_class`` overrides the weight for classes whose weights differ. ``source`` says why
    this indicator, this scoring and this weight.
    """

    indicator_id: IndicatorId
    measure: Literal["value", "growth"] = "value"
    better: Literal["high", "low"] = "high"
    weight: Annotated[Figure, Field(gt=0)]
    weight_by_class: Mapping[str, Annotated[Figure, Field(ge=0)]] = {}
    scoring: Scoring
    source: Id

    @field_validator("scoring", mode="before")
    @classmethod
    def _not_yet(cls, value: Any) -> Any:
        method = value.get("method") if isinstance(value, Mapping) else None
        if method in LATER_METHODS:
            known = "efficacy、min_max、completion、rank"
            raise ValueError(
                f"计分方法 {method}（{LATER_METHODS[method]}）的计算尚未提供，请改用 {known}"
            )
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        posts = getattr(self.scoring, "goalposts", None)
        if posts is not None and posts.source == "policy":
            low, high = posts.unacceptable, posts.satisfactory
            if low != high and (low < high) != (self.better == "high"):
                raise ValueError("满意值与不允许值的大小关系与 better（向好方向）不符")
        if isinstance(self.scoring, Completion) and self.measure == "growth":
            raise ValueError("completion 只用于数值，不用于增速")
        return self

    def weight_in(self, class_id: str) -> Decimal:
        """Weight in a class."""
        return self.weight_by_class.get(class_id, self.weight)


class Missing(CatalogModel):
    """Missing figures: weight spread over the rest when at least ``min_share`` of it is available,
    otherwise the park is not ranked. Never zero. ``states`` are the value states that count."""

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

    @property
    def share(self) -> Fraction:
        """``min_share`` as an exact fraction."""
        return Fraction(self.min_share)


class Elimination(CatalogModel):
    """Last places of each class (末位): the list of parks at risk, never a decision.

    ``n`` places or ``pct`` of the class (max(1, rounded)); fulfilled in a ``single`` year, in ``k``
    ``consecutive`` years, or in ``k`` of the last ``m`` assessed years. ``ties`` at the cut, see
    ``methods.ranking``. ``min_group``: smaller classes have no last places (2n+1, or a number).
    ``score_below``: only scores under it count. Parks listed less than ``protect_new_years`` full
    years ago are protected.
    """

    n: int | None = Field(default=None, ge=1)
    pct: Annotated[Figure, Field(gt=0, le=50)] | None = None
    mode: Literal["single", "consecutive", "k_of_m"] = "single"
    k: int = Field(default=1, ge=1)
    m: int = Field(default=1, ge=1)
    gap_resets: bool = True
    ties: Literal["all_in", "better_of_growth", "none"] = "all_in"
    tie_growth: IndicatorId | None = None
    min_group: Literal["2n+1"] | int = "2n+1"
    score_below: Figure | None = None
    protect_new_years: int = Field(default=0, ge=0, le=10)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.n is None) == (self.pct is None):
            raise ValueError("n（个数）与 pct（比例）必须且只能填一个")
        if self.mode == "k_of_m" and self.k > self.m:
            raise ValueError("k 不能大于 m")
        if self.mode != "k_of_m" and self.m != 1:
            raise ValueError("m 只用于 k_of_m")
        if self.mode == "single" and self.k != 1:
            raise ValueError("k 只用于 consecutive 和 k_of_m")
        if (self.ties == "better_of_growth") != (self.tie_growth is not None):
            raise ValueError("并列按增速区分时须写明 tie_growth（指标），其他并列规则不应写")
        return self


class WatchRule(CatalogModel):
    """When a park comes to attention between assessments; parameters of the triggers.

    ``lower_pct``: share of the class that counts as its lower end. ``red_targets`` red binding
    targets in each of ``red_periods`` periods. ``repeat_periods`` periods in the last places.
    """

    lower_pct: Annotated[Figure, Field(gt=0, le=50)] = Decimal(20)
    red_targets: int = Field(default=2, ge=1)
    red_periods: int = Field(default=2, ge=1)
    repeat_periods: int = Field(default=2, ge=2)


class Scheme(CatalogModel):
    """An assessment scheme. ``basis`` names the targets (clauses) it serves; ``decimals`` are those
    of the points, which are rounded half up and then added."""

    scheme_id: Id
    title: Id
    official: bool = False
    basis: tuple[Id, ...] = ()
    choices: tuple[Choice, ...]
    who: Who
    classes: Classes = Classes()
    items: tuple[Item, ...]
    decimals: int = Field(default=2, ge=0, le=6)
    missing: Missing = Missing()
    elimination: Elimination | None = None
    watch: WatchRule = WatchRule()

    @model_validator(mode="before")
    @classmethod
    def _nothing_ignored(cls, fields: Any) -> Any:
        if isinstance(fields, Mapping):
            found = [name for name in LATER_FIELDS if name in fields]
            if found:
                named = "、".join(f"{name}（{LATER_FIELDS[name]}）" for name in found)
                raise ValueError(
                    f"{named}的计算尚未提供；为免误以为已经生效，请先从方案中移除，由人工处理"
                )
        return fields

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.items:
            raise ValueError("方案至少要有一个指标")
        keys = [(item.indicator_id, item.measure) for item in self.items]
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
        if not self.official and not self.choices:
            raise ValueError("非官方方案须在 choices 写明各项选择的依据")
        return self

    @property
    def label(self) -> str:
        """Label printed wherever the scheme's results are: 建议值，非官方, empty when official."""
        return "" if self.official else UNOFFICIAL
