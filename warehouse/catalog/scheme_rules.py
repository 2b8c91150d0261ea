"""Models of a scheme's rules beyond scoring: events, vetoes, grades, last places, what follows.

Belongs here: fields of ``schemes/*.yaml`` about adjustments, vetoes, data quality, grades,
elimination, consequences, replacement, honours and publicity, and rules within one of them. Does
not belong here: scoring (``scheme_scoring``), relations between parts (``schemes``), calculation.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from warehouse.catalog.models import CatalogModel, Figure, Id, IndicatorId, ParkFilter
from warehouse.catalog.scheme_scoring import NotNegative, Positive

Rounding = Literal["half_up", "up", "down"]
Years = Annotated[int, Field(ge=1, le=10)]
Places = Annotated[int, Field(ge=1)]


class Condition(CatalogModel):
    """A limit a park's figure has to reach (门槛条件)."""

    indicator_id: IndicatorId
    measure: Literal["value", "growth"] = "value"
    at_least: Figure | None = None
    at_most: Figure | None = None
    unit: Id
    source: str = ""

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("at_least 与 at_most 必须且只能填一个")
        return self


class Gate(CatalogModel):
    """门槛标准: conditions, of which ``need`` (empty: all) must be fulfilled."""

    conditions: Annotated[tuple[Condition, ...], Field(min_length=1)]
    need: int | None = Field(default=None, ge=1)
    source: Id

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.need is not None and self.need > len(self.conditions):
            raise ValueError(f"need 为{self.need}，而条件只有{len(self.conditions)}条")
        return self


class EventPoints(CatalogModel):
    """加分扣分: ``points_each`` (negative: 扣分) for every occurrence of ``event``, together at most
    ``cap`` points."""

    event: Id
    title: Id
    points_each: Figure
    cap: Positive | None = None
    source: Id

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.points_each == 0:
            raise ValueError("points_each 不能为0")
        return self


class Adjustments(CatalogModel):
    """Points added and taken away for events; ``most_added`` and ``most_taken`` limit the sums."""

    events: Annotated[tuple[EventPoints, ...], Field(min_length=1)]
    most_added: Positive | None = None
    most_taken: Positive | None = None

    @model_validator(mode="after")
    def _once(self) -> Self:
        _no_repeats("event", [rule.event for rule in self.events])
        return self


class Veto(CatalogModel):
    """一票否决: an event that takes the park out of the assessment (``disqualify``), out of honours
    (``no_honours``), into the lowest grade (``lowest_grade``), or limits its grade (``grade_cap``).
    ``years``: in the year of the event and so many years in all."""

    event: Id
    title: Id
    effect: Literal["disqualify", "no_honours", "lowest_grade", "grade_cap"]
    grade: str = ""
    years: Years = 1
    source: Id

    @model_validator(mode="after")
    def _named(self) -> Self:
        if (self.effect == "grade_cap") != bool(self.grade):
            raise ValueError("effect 为 grade_cap 时须写明 grade（最高等次），其他时候不写")
        return self


class ShareBand(CatalogModel):
    """From this share (percent) on, so many points are taken."""

    from_pct: Annotated[Figure, Field(ge=0)]
    points: Positive


class DataQuality(CatalogModel):
    """数据质量罚则: points for late (迟报), missing (漏报) and incomplete returns and for wrong data,
    taken on a line of their own: the indicators' points stay as they are.

    ``late_free``: so many late returns cost nothing. ``incomplete_bands`` are shares of figures not
    filled in; ``false_bands`` shares of the wrong amount (违法比例), with ``false_effect``;
    ``unverified_grade_cap``: best grade while the figures are not confirmed.
    """

    late_free: int = Field(default=0, ge=0)
    late_points_each: NotNegative = Decimal(0)
    late_cap: Positive | None = None
    missing_points_each: NotNegative = Decimal(0)
    missing_cap: Positive | None = None
    incomplete_bands: tuple[ShareBand, ...] = ()
    false_bands: tuple[ShareBand, ...] = ()
    false_effect: Literal["deduct", "disqualify", "lowest_grade"] = "deduct"
    unverified_grade_cap: str = ""
    source: Id

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for name, bands in (
            ("incomplete_bands", self.incomplete_bands),
            ("false_bands", self.false_bands),
        ):
            limits = [band.from_pct for band in bands]
            if limits != sorted(set(limits)):
                raise ValueError(f"{name} 的 from_pct 应由小到大，且不重复")
        if self.false_effect == "deduct" and not self.false_bands and not self._deducts():
            raise ValueError("data_quality 没有规定任何扣分")
        return self

    def _deducts(self) -> bool:
        return bool(
            self.late_points_each
            or self.missing_points_each
            or self.incomplete_bands
            or self.unverified_grade_cap
        )


class Grade(CatalogModel):
    """One grade (等次). All criteria given must hold; the last grade has none.

    ``min_score``: at least so many points. ``top_pct``/``top_n``: within so many of the best of the
    class (cumulative from rank 1). ``gate``: conditions on figures.
    """

    label: Id
    min_score: Figure | None = None
    top_pct: Annotated[Figure, Field(gt=0, le=100)] | None = None
    top_n: Places | None = None
    gate: Gate | None = None

    @property
    def is_open(self) -> bool:
        """Whether every park qualifies."""
        return (self.min_score, self.top_pct, self.top_n, self.gate) == (None, None, None, None)


class Grades(CatalogModel):
    """等次, best first: a park gets the first one whose criteria it fulfils. ``per_class``: shares
    and places are counted inside the class, otherwise over the whole list. ``rounding`` of shares.
    """

    grades: Annotated[tuple[Grade, ...], Field(min_length=2)]
    per_class: bool = True
    rounding: Rounding = "half_up"
    source: Id

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _no_repeats("label", self.labels)
        if not self.grades[-1].is_open or any(grade.is_open for grade in self.grades[:-1]):
            raise ValueError("最后一个等次不设条件，其余等次都须有条件")
        for name, falling in (("min_score", True), ("top_pct", False), ("top_n", False)):
            there = [getattr(g, name) for g in self.grades if getattr(g, name) is not None]
            if there != sorted(set(there), reverse=falling):
                word = "由高到低" if falling else "由小到大"
                raise ValueError(f"等次的 {name} 应{word}，且不重复")
        return self

    @property
    def labels(self) -> list[str]:
        """Grades, best first."""
        return [grade.label for grade in self.grades]


class Elimination(CatalogModel):
    """Last places of each class (末位): the list of parks at risk, never a decision.

    ``by`` ``last_places``: ``n`` places or ``pct`` of the class (at least 1, ``rounding``); ``gate``:
    every park that fails the scheme's gate; ``floor``: every park under ``score_below``. Fulfilled
    in a ``single`` year, in ``k`` ``consecutive`` years, or in ``k`` of the last ``m`` assessed
    years. ``ties`` at the cut, see ``methods.ranking``. ``per_class`` False: over the whole list.
    ``min_group``: smaller classes have no last places (2n+1, or a number). ``score_below``: only
    scores under it count. Parks listed less than ``protect_new_years`` full years ago are
    protected. ``average_order``: those who fulfil it are ordered by their mean score of the years
    that count. ``n_by_class`` overrides ``n``; classes in ``not_in`` have no last places.
    """

    by: Literal["last_places", "gate", "floor"] = "last_places"
    n: Places | None = None
    pct: Annotated[Figure, Field(gt=0, le=50)] | None = None
    rounding: Rounding = "half_up"
    n_by_class: Mapping[str, Annotated[int, Field(ge=0)]] = {}
    not_in: tuple[Id, ...] = ()
    per_class: bool = True
    mode: Literal["single", "consecutive", "k_of_m"] = "single"
    k: int = Field(default=1, ge=1)
    m: int = Field(default=1, ge=1)
    gap_resets: bool = True
    ties: Literal["all_in", "better_of_growth", "none"] = "all_in"
    tie_growth: IndicatorId | None = None
    min_group: Literal["2n+1"] | Annotated[int, Field(ge=1)] = "2n+1"
    score_below: Figure | None = None
    protect_new_years: int = Field(default=0, ge=0, le=10)
    average_order: bool = False
    effect: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._how_many()
        if self.mode == "k_of_m" and self.k > self.m:
            raise ValueError("k 不能大于 m")
        if self.mode != "k_of_m" and self.m != 1:
            raise ValueError("m 只用于 k_of_m")
        if self.mode == "single" and self.k != 1:
            raise ValueError("k 只用于 consecutive 和 k_of_m")
        if (self.ties == "better_of_growth") != (self.tie_growth is not None):
            raise ValueError("并列按增速区分时须写明 tie_growth（指标），其他并列规则不应写")
        return self

    def _how_many(self) -> None:
        counted = (self.n is not None) + (self.pct is not None)
        if self.by == "last_places" and counted != 1:
            raise ValueError("n（个数）与 pct（比例）必须且只能填一个")
        if self.by != "last_places" and (counted or self.n_by_class):
            raise ValueError("by 为 gate 或 floor 时不设末位个数，n、pct、n_by_class 都不填")
        if self.by == "floor" and self.score_below is None:
            raise ValueError("by 为 floor 时须写明 score_below")


class Consequence(CatalogModel):
    """One step of the ladder (后果阶梯) and what proposes it; people decide.

    ``last_n``: among the last n of the class this year; ``years_last``: at least so many years that
    count towards the rule; ``fulfilled``: the elimination rule is reached; ``grades``: this grade,
    for ``grade_years`` years in a row; ``after``: only after this confirmed step and still in the
    last places.
    """

    step: Id
    title: str = ""
    last_n: Places | None = None
    years_last: Years | None = None
    fulfilled: bool = False
    grades: tuple[Id, ...] = ()
    grade_years: Years = 1
    after: str = ""
    classes: tuple[Id, ...] = ()
    source: Id

    @model_validator(mode="after")
    def _has_a_trigger(self) -> Self:
        if not (self.last_n or self.years_last or self.fulfilled or self.grades):
            raise ValueError("须写明触发条件：last_n、years_last、fulfilled 或 grades")
        return self


class Replacement(CatalogModel):
    """增补: from which pool, over which gate, in which order, into how many places.

    ``pool``: any of these attributes of the register, not on the list already. ``slots``: as many
    as left (``vacated``) or up to ``total`` parks on the list (``fill``), or ``open`` to all who
    pass the gate. A park that left waits ``cooling_years``; for ``blocking_years`` after an exit
    nobody of the same ``blocking_scope`` is taken.
    """

    pool: tuple[ParkFilter, ...] = ()
    gate: Gate | None = None
    order: Literal["score", "figure"] = "figure"
    order_indicator: IndicatorId | None = None
    order_measure: Literal["value", "growth"] = "value"
    slots: Literal["vacated", "fill", "open"] = "vacated"
    total: Places | None = None
    cooling_years: int = Field(default=0, ge=0, le=20)
    blocking_years: int = Field(default=0, ge=0, le=20)
    blocking_scope: Literal["park", "county", "city", "province"] = "park"
    source: Id

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.slots == "fill") != (self.total is not None):
            raise ValueError("slots 为 fill 时须写明 total（名单总数），其他时候不写")
        if (self.order == "figure") != (self.order_indicator is not None):
            raise ValueError("order 为 figure 时须写明 order_indicator，为 score 时不写")
        if self.slots == "open" and self.gate is None:
            raise ValueError("slots 为 open 时须写明 gate（门槛）")
        return self


class Honour(CatalogModel):
    """表彰、奖励、晋升. ``top``: the best ``n`` or ``pct`` (ties at the edge all in); ``progress``:
    the ``n`` that gained most ranks on the year before; ``grade``: this grade for ``years`` years in
    a row (``gap_resets``: a year not assessed breaks it); ``count``: among the best ``n`` in at
    least ``times`` assessed years."""

    honour: Id
    title: Id
    kind: Literal["top", "progress", "grade", "count"]
    n: Places | None = None
    n_by_class: Mapping[str, Places] = {}
    pct: Annotated[Figure, Field(gt=0, le=100)] | None = None
    per_class: bool = True
    grade: str = ""
    years: Years = 1
    gap_resets: bool = True
    times: Years | None = None
    min_score: Figure | None = None
    effect: str = ""
    source: Id

    @model_validator(mode="after")
    def _complete(self) -> Self:
        given = (self.n is not None) + (self.pct is not None)
        if self.kind == "grade":
            if given or not self.grade:
                raise ValueError("kind 为 grade 时须写明 grade，n、pct 不填")
        elif given != 1 or (self.pct is not None and self.kind != "top"):
            raise ValueError("n 与 pct 必须且只能填一个（pct 只用于 top）")
        if (self.kind == "count") != (self.times is not None):
            raise ValueError("times 用于且只用于 kind 为 count")
        return self


class Publicity(CatalogModel):
    """公示: ``days`` (``workdays``: counted without days off) before results take effect, where
    objections go, and the days in which they are answered."""

    days: Years | Annotated[int, Field(ge=1, le=90)] = 5
    workdays: bool = True
    contact: str = ""
    appeal_days: int = Field(default=0, ge=0, le=365)
    source: Id


def _no_repeats(field: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{field} 重复：{'、'.join(twice)}")
