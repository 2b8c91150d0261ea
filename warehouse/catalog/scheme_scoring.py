"""Models of how one indicator of a scheme is scored: its measure, goalposts and scoring method.

Belongs here: fields below ``items`` of ``schemes/*.yaml`` and rules within one item. Does not belong
here: the rest of a scheme (``schemes``, ``scheme_rules``) or any calculation (``methods.curves``).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from warehouse.catalog.models import CatalogModel, Figure, Id, IndicatorId

Measure = Literal["value", "growth", "ratio"]
Better = Literal["high", "low"]
Positive = Annotated[Figure, Field(gt=0)]
NotNegative = Annotated[Figure, Field(ge=0)]


class Goalposts(CatalogModel):
    """Between which two values a figure is placed (不允许值, 满意值), in the indicator's unit.

    ``policy``: the two values of this file. ``previous_year``: of the class in the same period of
    last year, frozen. ``class``: of the class now (every score then depends on every park).
    ``fallback`` says what to do where nothing was frozen yet. Taken from the class they are two
    ``quantile`` values or, for a z-score, mean ∓ ``sds`` standard deviations (``mean_sd``).
    """

    source: Literal["policy", "previous_year", "class"]
    unacceptable: Figure | None = None
    satisfactory: Figure | None = None
    statistic: Literal["quantile", "mean_sd"] = "quantile"
    low_quantile: Annotated[Figure, Field(ge=0, le=1)] = Decimal("0.02")
    high_quantile: Annotated[Figure, Field(ge=0, le=1)] = Decimal("0.98")
    sds: Positive = Decimal(3)
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
    """Position between the goalposts, 0..100; with ``statistic: mean_sd`` a z-score (标准分)."""

    method: Literal["min_max"]
    goalposts: Goalposts


class Completion(CatalogModel):
    """100·min(x/target, cap); ``prorate`` compares with target·m/12 within the year (flows).

    Below ``zero_below`` (a ratio) there are no points, ``zero_at``: nor at it.
    """

    method: Literal["completion"]
    target: Positive
    unit: Id
    cap: Annotated[Figure, Field(gt=0, le=2)] = Decimal("1.2")
    prorate: bool = False
    zero_below: Annotated[Figure, Field(gt=0, lt=1)] | None = None
    zero_at: bool = True

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.zero_below is not None and self.zero_below >= self.cap:
            raise ValueError("zero_below 应小于 cap")
        return self


class RankPoints(CatalogModel):
    """100·(n−rank)/(n−1) inside the class."""

    method: Literal["rank"]


class Reference(CatalogModel):
    """What deviations are measured from: a ``policy`` value of this file, the mean of the ranked
    parks of the class (``class_mean``), or the figure of the scheme's region (``region``)."""

    source: Literal["policy", "class_mean", "region"]
    value: Figure | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.source == "policy") != (self.value is not None):
            raise ValueError("来源为 policy 时须给出 value，其他来源不应给出")
        return self


class Tier(CatalogModel):
    """A band of the distance from the reference: its ``width`` (empty: open) in the figure's unit,
    and points per unit within it (of 100)."""

    width: Positive | None = None
    per_unit: NotNegative


class Tiered(CatalogModel):
    """分段累进: ``base`` points (of 100) at the reference, more above it, fewer below it, band by
    band, held between ``least`` and ``most``."""

    method: Literal["tiered"]
    reference: Reference
    base: NotNegative = Decimal(100)
    up: tuple[Tier, ...] = ()
    down: tuple[Tier, ...] = ()
    least: Figure = Decimal(0)
    most: NotNegative = Decimal(100)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.least <= self.base <= self.most:
            raise ValueError("应满足 least ≤ base ≤ most")
        if not self.up and not self.down:
            raise ValueError("up 与 down 至少要有一档")
        for tiers in (self.up, self.down):
            if any(tier.width is None for tier in tiers[:-1]):
                raise ValueError("只有最后一档可以不写 width")
        return self


class Steps(CatalogModel):
    """增减步长: ``base_points`` at the reference (empty: the item's weight), ``gain`` per ``step``
    above up to ``most_gain``, ``loss`` per ``step`` below up to ``most_loss``; all in points of the
    scheme. ``whole``: only completed steps count. At or below ``zero_at_or_below`` nothing."""

    method: Literal["steps"]
    reference: Reference
    step: Positive
    base_points: NotNegative | None = None
    gain: NotNegative = Decimal(0)
    most_gain: NotNegative = Decimal(0)
    loss: NotNegative = Decimal(0)
    most_loss: NotNegative = Decimal(0)
    whole: bool = True
    zero_at_or_below: Figure | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        for name, each, most in (
            ("gain", self.gain, self.most_gain),
            ("loss", self.loss, self.most_loss),
        ):
            if (each > 0) != (most > 0):
                raise ValueError(f"{name} 与 most_{name} 应同时填写或同时不填")
            if self.whole and each > 0 and most / each > 400:
                raise ValueError(f"most_{name} 相当于 {name} 的400步以上，请核对")
        if self.zero_at_or_below is not None and self.reference.source == "class_mean":
            raise ValueError("与组内平均相比时不能设 zero_at_or_below")
        if self.gain == self.loss == 0:
            raise ValueError("gain 与 loss 至少要填一个")
        return self


class BaseLevel(CatalogModel):
    """基数法 (base 80 %): holding the base earns ``level`` of 100, each ``step`` % above it
    ``per_step`` points of the scheme more, at most ``most_bonus`` (of 100 of the item's weight);
    below the base in proportion (``proportional``) or nothing (``zero``)."""

    method: Literal["base_level"]
    level: Annotated[Figure, Field(gt=0, le=100)] = Decimal(80)
    step: Positive = Decimal(5)
    per_step: Positive = Decimal(1)
    most_bonus: NotNegative = Decimal(50)
    below: Literal["proportional", "zero"] = "proportional"
    whole: bool = True


class Band(CatalogModel):
    """Points (of 100) from a limit on."""

    limit: Figure
    points: Figure


class Bands(CatalogModel):
    """分档: the points of the best limit reached; ``below`` where none is. Limits in ascending
    merit: rising for high-is-better, falling for low-is-better."""

    method: Literal["bands"]
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]
    below: Figure = Decimal(0)


class Threshold(CatalogModel):
    """达标即得分: all points from ``limit`` on, none before. ``any_of``: further indicators of the
    same unit, one of which is enough (有一项达到即得分)."""

    method: Literal["threshold"]
    limit: Figure
    inclusive: bool = True
    any_of: tuple[IndicatorId, ...] = ()


class Given(CatalogModel):
    """The figure is itself a score of 0..``full``, given by those who assess this part."""

    method: Literal["given"]
    full: Positive = Decimal(100)


_OneFigure = (
    Efficacy
    | MinMax
    | Completion
    | RankPoints
    | Tiered
    | Steps
    | BaseLevel
    | Bands
    | Threshold
    | Given
)
Simple = Annotated[_OneFigure, Field(discriminator="method")]


class StaticDynamic(CatalogModel):
    """静态指数与动态指数: the level scored by ``static``, its growth by ``dynamic``; the shares of
    the item's weight add up to 100. It becomes two lines of the score."""

    method: Literal["static_dynamic"]
    static_share: Annotated[Figure, Field(gt=0, lt=100)]
    dynamic_share: Annotated[Figure, Field(gt=0, lt=100)]
    static: Simple
    dynamic: Simple

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = self.static_share + self.dynamic_share
        if total != 100:
            raise ValueError(f"static_share 与 dynamic_share 合计应为100，读到{total}")
        return self


Scoring = Annotated[_OneFigure | StaticDynamic, Field(discriminator="method")]


class Yardstick(CatalogModel):
    """What a ``ratio`` is taken of, in percent: the park's own goal of the year (``park_goal``,
    assessment_goals.csv) or the park's own year-end figure of ``year`` (``base_year``)."""

    source: Literal["park_goal", "base_year"]
    year: int | None = Field(default=None, ge=1990, le=2100)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.source == "base_year") != (self.year is not None):
            raise ValueError("base_year 须写明 year，park_goal 不写")
        return self


class SmallBase(CatalogModel):
    """小基数: growth on a base of the year before under ``below`` (indicator's unit) is held to
    ``cap`` percent, and the score says so."""

    below: Positive
    cap: Positive = Decimal(100)


class Item(CatalogModel):
    """One indicator of the scheme. ``measure``: its value, its growth over the year before, or its
    ``ratio`` in percent to ``yardstick``.

    ``weight_by_class`` overrides the weight for classes whose weights differ. ``source`` says why
    this indicator, this scoring and this weight. ``name`` is for indices a bureau has yet to enter
    as indicators (a published scheme kept for reference).
    """

    indicator_id: IndicatorId
    name: str = ""
    measure: Measure = "value"
    yardstick: Yardstick | None = None
    better: Better = "high"
    weight: Positive
    weight_by_class: Mapping[str, NotNegative] = {}
    scoring: Scoring
    small_base: SmallBase | None = None
    source: Id

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self._goalposts_in_order()
        self._measure_fits()
        return self

    def _goalposts_in_order(self) -> None:
        posts: Goalposts | None = getattr(self.scoring, "goalposts", None)
        if posts is None or posts.unacceptable is None or posts.satisfactory is None:
            return
        low, high = posts.unacceptable, posts.satisfactory
        if low != high and (low < high) != (self.better == "high"):
            raise ValueError("满意值与不允许值的大小关系与 better（向好方向）不符")

    def _measure_fits(self) -> None:
        method = self.scoring.method
        if isinstance(self.scoring, Completion) and self.measure == "growth":
            raise ValueError("completion 只用于数值，不用于增速")
        if (self.measure == "ratio") != (self.yardstick is not None):
            raise ValueError("measure 为 ratio 时须写明 yardstick（与什么相比），其他时候不写")
        if isinstance(self.scoring, BaseLevel) and (
            self.measure == "value" or self.better == "low"
        ):
            raise ValueError("base_level 只用于向好方向为 high 的 growth（与上年比）或 ratio")
        if isinstance(self.scoring, StaticDynamic) and self.measure != "value":
            raise ValueError("static_dynamic 自带数值与增速两部分，measure 只能为 value")
        if self.small_base is not None and "growth" not in (self.measure, *_inner(method)):
            raise ValueError("small_base 只用于增速")
        if isinstance(self.scoring, Bands):
            limits = [band.limit for band in self.scoring.bands]
            if limits != sorted(set(limits), reverse=self.better == "low"):
                raise ValueError("bands 的 limit 应按得分由低到高排列，且不重复")

    @property
    def key(self) -> tuple[str, str]:
        """What the item scores: (indicator, measure)."""
        return (self.indicator_id, self.measure)

    def weight_in(self, class_id: str) -> Decimal:
        """Weight in a class."""
        return self.weight_by_class.get(class_id, self.weight)

    def parts(self) -> tuple[Item, ...]:
        """The lines the item is scored in: itself, or level and growth of ``static_dynamic``."""
        scoring = self.scoring
        if not isinstance(scoring, StaticDynamic):
            return (self,)
        return (
            self._part("value", scoring.static, scoring.static_share),
            self._part("growth", scoring.dynamic, scoring.dynamic_share),
        )

    def _part(self, measure: Measure, scoring: Simple, share: Decimal) -> Item:
        weights = {name: weight * share / 100 for name, weight in self.weight_by_class.items()}
        return Item(
            indicator_id=self.indicator_id,
            name=self.name,
            measure=measure,
            better=self.better,
            weight=self.weight * share / 100,
            weight_by_class={name: weight for name, weight in weights.items() if weight >= 0},
            scoring=scoring,
            small_base=self.small_base if measure == "growth" else None,
            source=self.source,
        )


def _inner(method: str) -> tuple[str, ...]:
    return ("value", "growth") if method == "static_dynamic" else ()
