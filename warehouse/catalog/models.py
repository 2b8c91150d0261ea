"""Strict models of what the catalogue files hold: one class per kind of item.

Belongs here: fields, their types, and rules within one item, with Chinese messages. Does not belong
here: relations between items (``checks``), reading files (``files``), or any judgement.

Dates are half-open throughout: ``valid_from`` is the first day a row holds, ``valid_to`` the first
day it no longer holds (empty: it still holds).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from warehouse.catalog import expression

_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
PERIOD = re.compile(r"\d{4}-(0[1-9]|1[0-2])")

IndicatorKind = Literal["flow", "stock", "ratio", "flag", "external"]
OverTime = Literal["ytd", "sum", "mean", "last", "formula"]
Aggregation = Literal["sum", "mean", "ratio", "none"]
Frequency = Literal["M", "Q", "A"]
ScopeLevel = Literal["province", "city", "county", "park", "project", "enterprise"]
Category = Literal["Q", "R", "P", "F", "U"]
Engine = Literal[
    "completion", "pace_gap", "yoy_comparable", "yoy_levels", "yoy_two_year", "month_value"
]
Comparator = Literal[">=", ">", "<=", "<", "=", "~=", "in", "rank<=", "bottom_n", "top", "streak"]
Strength = Literal["binding", "expected", "directional"]
Computable = Literal[
    "park_stats",
    "aggregate_park_stats",
    "park_registry",
    "assessment_results",
    "needs_external",
    "manual_flag",
]
ProgressMethod = Literal[
    "linear_ytd",
    "stock_path",
    "annual_flow_path",
    "cagr_path",
    "plan_average",
    "linear_from_baseline",
    "direct_growth",
    "direct",
    "coverage",
    "threshold_count",
    "annual_event",
    "none",
]
TargetKind = Literal[
    "level",
    "annual_total",
    "average",
    "average_growth",
    "growth",
    "growth_over_benchmark",
    "growth_multiple",
    "trend",
    "share",
    "range",
    "count_threshold",
    "per_park_minimum",
    "per_park_maximum",
    "per_park_range",
    "average_per_park",
    "per_county_minimum",
    "coverage",
    "events",
    "prohibition",
    "flag",
    "milestone",
    "conditional",
    "ratio",
    "floor",
    "rank",
    "reward",
    "streak",
    "elimination",
    "allocation",
    "allocation_table",
    "recurring",
]


class CatalogModel(BaseModel):
    """Base of all items: unknown fields are refused, values cannot change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Id = Annotated[str, Field(min_length=1, max_length=80)]
Text = Annotated[str, Field(min_length=1)]
IndicatorId = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=60)]
Period = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


def _finite(value: Any) -> Any:
    """Refuses true/false, not-a-number and floats with noise; figures of YAML arrive as Decimal."""
    if isinstance(value, bool) or (isinstance(value, float) and math.isnan(value)):
        raise ValueError(f"应为数字，读到 {value}")
    return Decimal(repr(value)) if isinstance(value, float) else value


Figure = Annotated[Decimal, BeforeValidator(_finite)]


def period_end(period: str) -> date:
    """Last day of a report period ``YYYY-MM``; ValueError for anything else."""
    if not PERIOD.fullmatch(period):
        raise ValueError(f"报告期应写成 YYYY-MM，读到 {period!r}")
    year, month = int(period[:4]), int(period[5:])
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


# --- Units and symbols (what they mean is checked by those who read with them) --------------------


class Dimension(CatalogModel):
    """A kind of quantity; units of different dimensions never convert."""

    id: Id
    name: Id
    base: Id


class Unit(CatalogModel):
    """A unit of measure: ``factor`` base units of its dimension, a decimal or fraction as text."""

    id: Id
    dimension: Id
    factor: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+|/[1-9][0-9]*)?$")]
    aliases: tuple[str, ...] = ()
    only_when_asked: bool = False


class Symbols(BaseModel):
    """Meaning of the signs of one style of source; the details belong to the number reader."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: Id
    extends: str | None = None


# --- Indicators -----------------------------------------------------------------------------------


class Suggestion(CatalogModel):
    """A label that may mean the indicator but has another scope: proposed, never applied."""

    label: Id
    note: Id


class Disclosure(CatalogModel):
    """How a value is protected: suppressed when too few units (``count_by``) stand behind it."""

    count_by: IndicatorId
    rule: Literal["value"] = "value"


class Indicator(CatalogModel):
    """One indicator (指标).

    ``over_time`` says how months make a year: ``ytd`` reported cumulatively, ``sum`` or ``mean``
    of months, ``last`` value, ``formula``. ``aggregation`` says how parks make an area; ``ratio``
    means the formula is applied to the area's own figures, never averaged. ``engine`` names what
    computes an indicator that is defined on any other one (completion rate, growth); ``counted``
    says that it is counted from the park register. ``aliases`` are exact labels; ``suggestions``
    are labels of another scope that a person must confirm.
    """

    indicator_id: IndicatorId
    name_zh: Id
    name_en: str = ""
    unit: Id
    kind: IndicatorKind
    over_time: OverTime
    aggregation: Aggregation
    better: Literal["high", "low", "none"] = "none"
    formula: str | None = None
    engine: Engine | None = None
    counted: Literal["parks", "is_key", "is_demonstration"] | None = None
    frequency: tuple[Frequency, ...] = ("M", "Q", "A")
    decimals: int = Field(default=2, ge=0, le=8)
    integer: bool = False
    non_negative: bool = False
    soft_range: tuple[Figure, Figure] | None = None
    core: bool = False
    group: Literal["", "obligation", "project_parameter", "assessment_rule"] = ""
    values: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    disclosure: Disclosure | None = None
    definition: str = ""
    note: str = ""

    @field_validator("formula")
    @classmethod
    def _formula_parses(cls, text: str | None) -> str | None:
        if text is not None:
            expression.parse(text, "number")
        return text

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        computed = self.formula is not None or self.engine is not None
        if (self.over_time == "formula") != computed:
            raise ValueError("over_time 为 formula 时须有 formula 或 engine，反之亦然")
        if self.formula is not None and self.engine is not None:
            raise ValueError("formula 与 engine 只能有一个")
        if self.aggregation == "ratio" and not computed:
            raise ValueError("aggregation 为 ratio 时须有 formula 或 engine")
        if self.integer and self.decimals:
            raise ValueError("整数指标的 decimals 应为 0")
        if self.soft_range and self.soft_range[0] > self.soft_range[1]:
            raise ValueError("soft_range 下限大于上限")
        return self

    @property
    def formula_tree(self) -> expression.Node | None:
        """The parsed formula, if there is one."""
        return None if self.formula is None else expression.parse(self.formula, "number")

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that mean exactly this indicator: its name, its id and its aliases."""
        return (self.name_zh, self.indicator_id, *self.aliases)


# --- Documents and targets ------------------------------------------------------------------------


class Document(CatalogModel):
    """A policy document (文件). ``plan_from`` and ``plan_to`` are the years it plans for."""

    document_id: Id
    doc_no: Id
    title: Id
    issuer: Id
    issued: date | None = None
    published: date | None = None
    plan_from: int = Field(ge=1949, le=2100)
    plan_to: int = Field(ge=1949, le=2100)
    repealed: date | None = None
    region_code: Id
    level: Literal["province", "city", "county"]
    seed: str | None = None
    note: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.issued is None and self.published is None:
            raise ValueError("issued（成文日期）与 published（公布日期）至少填一个")
        if self.plan_from > self.plan_to:
            raise ValueError("plan_from 晚于 plan_to")
        return self

    @property
    def known_since(self) -> date:
        """Date of issue; of publication where the text carries no date."""
        day = self.issued or self.published
        assert day is not None
        return day


class Threshold(CatalogModel):
    """The bar a park, county or cluster must pass to be counted; ``not_above`` closes a band."""

    indicator_id: IndicatorId
    comparator: Literal[">=", ">", "<=", "<", "="]
    value: Figure
    not_above: Figure | None = None
    unit: Id


class Benchmark(CatalogModel):
    """The figure a growth rate is compared with; the margin is the target's own value."""

    indicator_id: IndicatorId
    note: str = ""


class Baseline(CatalogModel):
    """What the clause starts from. ``stated`` is false where the text gives no base year."""

    value: Figure | None = None
    unit: str = ""
    year: int | None = None
    stated: bool = True
    note: str = ""


class ParkFilter(CatalogModel):
    """Attributes of the park register; all given must hold. Lists mean any of the values."""

    is_key: bool | None = None
    is_demonstration: bool | None = None
    is_enclave: bool | None = None
    level: tuple[str, ...] = ()
    level_not: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    county_code: tuple[str, ...] = ()

    def matches(self, park: Park) -> bool:
        """Whether a register row has all the attributes asked for."""
        flags = all(
            wanted is None or wanted == getattr(park, field)
            for field in ("is_key", "is_demonstration", "is_enclave")
            for wanted in (getattr(self, field),)
        )
        return (
            flags
            and (not self.level or park.level in self.level)
            and park.level not in self.level_not
            and (not self.kind or park.kind in self.kind)
            and (not self.name or bool(park.names & set(self.name)))
            and (not self.county_code or park.counting_county in self.county_code)
        )


class TargetFilter(CatalogModel):
    """Which parks or counties of the scope a clause is about.

    ``park`` lists alternatives (a park matching any of them is meant); ``where`` is a condition on
    the year's figures in catalogue units; ``list_size`` is the number of parks the document names,
    so that another number in the register can be pointed out.
    """

    park: tuple[ParkFilter, ...] = ()
    county_code: tuple[str, ...] = ()
    where: str | None = None
    grade: tuple[str, ...] = ()
    separately: bool = False
    list_size: int | None = Field(default=None, ge=1)
    note: str = ""

    @field_validator("park", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, Mapping) else value

    @field_validator("where")
    @classmethod
    def _where_parses(cls, text: str | None) -> str | None:
        if text is not None:
            expression.parse(text, "condition")
        return text

    @property
    def group(self) -> Literal["all", "key", "demonstration", "other"]:
        """Published list the parks make up, or ``other`` when there is no list of just them."""
        if not self.park and not self.county_code and self.where is None:
            return "all"
        if self.park == (ParkFilter(is_key=True),):
            return "key"
        return "demonstration" if self.park == (ParkFilter(is_demonstration=True),) else "other"

    @property
    def where_tree(self) -> expression.Node | None:
        """The parsed condition, if there is one."""
        return None if self.where is None else expression.parse(self.where, "condition")


class Term(CatalogModel):
    """When a clause is due.

    ``by_year_end`` a date; ``each_year`` of a span (the plan's when not given); ``plan_average``
    over a span; one ``full_year``; ``standing`` as long as the document is in force, judged at
    every period; ``rolling`` over the latest ``years``.
    """

    type: Literal["by_year_end", "each_year", "plan_average", "full_year", "standing", "rolling"]
    by: date | None = None
    first_year: int | None = None
    last_year: int | None = None
    year: int | None = None
    years: int | None = Field(default=None, ge=2)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        needed = {
            "by_year_end": ("by",),
            "plan_average": ("first_year", "last_year"),
            "full_year": ("year",),
            "rolling": ("years",),
        }.get(self.type, ())
        allowed = (*needed, *(("first_year", "last_year") if self.type == "each_year" else ()))
        fields = ("by", "first_year", "last_year", "year", "years")
        missing = [name for name in needed if getattr(self, name) is None]
        surplus = [
            name for name in fields if getattr(self, name) is not None and name not in allowed
        ]
        if missing:
            raise ValueError(f"期限类型 {self.type} 缺少 {'、'.join(missing)}")
        if surplus:
            raise ValueError(f"期限类型 {self.type} 不应有 {'、'.join(surplus)}")
        if self.first_year and self.last_year and self.last_year < self.first_year:
            raise ValueError(f"last_year {self.last_year} 早于 first_year {self.first_year}")
        return self

    def span(self, document: Document) -> tuple[str, str]:
        """First and last period the clause covers, ``YYYY-MM``."""
        first, last = document.plan_from, document.plan_to
        match self.type:
            case "by_year_end":
                assert self.by is not None
                return f"{first}-01", f"{self.by:%Y-%m}"
            case "full_year":
                return f"{self.year}-01", f"{self.year}-12"
            case "standing" | "rolling":
                return f"{document.known_since:%Y-%m}", f"{last}-12"
        return f"{self.first_year or first}-01", f"{self.last_year or last}-12"


class Target(CatalogModel):
    """One checkable clause of a document (目标), with its verbatim quotation.

    ``class``: Q quantity, R rule of ranking, reward or bottom line, P parameter of projects or
    firms (not a park statistic), F yes/no obligation, U recurring but without a quantity (listed,
    never judged). ``also`` names further indicators of the same clause. ``value_max`` ends a range:
    a closed one for ``per_park_range``, the number planned for ``range`` (passing it is no
    failure). ``restates`` names the target this clause merely repeats: both are judged, one is
    counted. ``internal``: rests on personal data and never goes into a bulletin. ``replaces``
    names targets this one supersedes from its own first period.
    """

    target_id: Id
    document_id: Id
    clause: Id
    quote: Text
    cls: Category = Field(alias="class")
    subject: Id
    scope_level: ScopeLevel
    scope_code: Id
    indicator_id: IndicatorId
    also: tuple[IndicatorId, ...] = ()
    indicator_name: Id
    kind: TargetKind
    comparator: Comparator
    value: Figure | None = None
    value_max: Figure | None = None
    value_text: str | None = None
    tolerance: Figure | None = Field(default=None, ge=0)
    unit: str
    threshold: Threshold | None = None
    benchmark: Benchmark | None = None
    baseline: Baseline | None = None
    over: Literal["county", "park", "firm"] | None = None
    filter: TargetFilter = TargetFilter()
    period: Term
    strength: Strength
    progress_method: ProgressMethod
    computable: Computable
    internal: bool = False
    needs: str = ""
    interpretation: str = ""
    ambiguity: str = ""
    restates: str | None = None
    replaces: tuple[str, ...] = ()
    related: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = [message for wrong, message in _target_rules(self) if wrong]
        if problems:
            raise ValueError("；".join(problems))
        return self

    def covers_region(self, codes: Iterable[str]) -> bool:
        """Whether any of ``codes`` (a park's province, city, county) is the clause's region."""
        return self.scope_code in set(codes)

    def applies_to(self, park: Park) -> bool:
        """Whether a register row lies in the clause's region and matches its park filter.

        Conditions on figures (``where``) and grades need data and are left to the caller.
        """
        if not self.covers_region(park.region_codes):
            return False
        counties = self.filter.county_code
        if counties and park.counting_county not in counties:
            return False
        return not self.filter.park or any(one.matches(park) for one in self.filter.park)

    def base_year(self, document: Document) -> int:
        """Year the clause starts from: as given, else the year before the plan begins."""
        if self.baseline is not None and self.baseline.year is not None:
            return self.baseline.year
        return document.plan_from - 1


_PERCENTAGE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:%|％|个百分点)")


def _percentage_meant(t: Target) -> str | None:
    """The percentage of the quotation, where the value is a hundred times or a hundredth of it."""
    quoted = {Decimal(number): number for number in _PERCENTAGE.findall(t.quote)}
    if t.unit != "%" or t.value is None or t.value in quoted:
        return None
    return quoted.get(t.value * 100) or quoted.get(t.value / 100)


_NO_VALUE = {"elimination", "reward", "allocation", "allocation_table", "floor", "recurring"}


def _target_rules(t: Target) -> list[tuple[bool, str]]:
    """Rules within one target: (broken, message)."""
    valued = t.value is not None or t.value_text is not None
    return [
        (not valued and t.kind not in _NO_VALUE, f"类型 {t.kind} 须有 value"),
        (t.value is not None and t.value_text is not None, "value 与 value_text 只能有一个"),
        (
            (t.kind == "per_park_range") != (t.comparator == "in"),
            "类型 per_park_range 的 comparator 应为 in，反之亦然",
        ),
        (
            (t.kind in ("range", "per_park_range")) != (t.value_max is not None),
            "区间类目标（range、per_park_range）须有 value_max，其他类型不应有",
        ),
        (
            t.value is not None and t.value_max is not None and t.value_max < t.value,
            "value_max 小于 value",
        ),
        (
            (meant := _percentage_meant(t)) is not None,
            f"value 与引文的百分数差 100 倍，引文为 {meant}%；单位是 % 的照引文写百分数",
        ),
        (t.comparator == "~=" and t.tolerance is None, "“左右”类目标须有 tolerance（容差）"),
        (t.kind == "count_threshold" and t.threshold is None, "计数类目标须有 threshold（门槛）"),
        (
            t.kind == "growth_over_benchmark" and t.benchmark is None,
            "对比类目标须有 benchmark（对比指标）",
        ),
        (t.kind == "coverage" and t.over is None, "覆盖类目标须写明 over（按县、园区还是企业）"),
        (
            t.kind == "conditional" and t.filter.where is None,
            "有条件的目标须在 filter.where 写明条件",
        ),
        (t.kind == "streak" and t.period.type != "rolling", "连续类目标的期限类型应为 rolling"),
        (
            t.computable == "needs_external" and not t.needs,
            "须外部数据的目标应在 needs 写明由谁提供",
        ),
    ]


class Conflict(CatalogModel):
    """Clauses that contradict or look alike (目标之间的矛盾): what is so, and how we treat it."""

    conflict_id: Id
    topic: Id
    target_ids: tuple[Id, ...]
    fact: Text
    treatment: Text


# --- Registers (CSV, one row per validity interval) -----------------------------------------------


def _cell(value: Any) -> Any:
    """An empty cell is a field not given; yes and no may be written in Chinese."""
    if not isinstance(value, str):
        return value
    return {"是": "1", "否": "0"}.get(value.strip(), value)


def _day(value: Any) -> Any:
    """Accepts 2020/3/1 as Excel writes dates, besides 2020-03-01."""
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    try:
        return date(*(int(part) for part in match.groups()))
    except ValueError:
        return value


Day = Annotated[date, BeforeValidator(_day)]
Yes = Annotated[bool, BeforeValidator(_cell)]


class RegisterRow(CatalogModel):
    """A row that holds from ``valid_from`` until the day before ``valid_to``."""

    valid_from: Day | None = None
    valid_to: Day | None = None

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, fields: Any) -> Any:
        if isinstance(fields, Mapping):
            return {name: value for name, value in fields.items() if value != ""}
        return fields

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.valid_from and self.valid_to and self.valid_from >= self.valid_to:
            raise ValueError("valid_to（失效首日）应晚于 valid_from（生效日）")
        return self

    def holds_on(self, day: date) -> bool:
        """Whether the row holds on ``day``."""
        return (self.valid_from or date.min) <= day < (self.valid_to or date.max)


class Region(RegisterRow):
    """An administrative division under its GB/T 2260 code."""

    code: Id
    name: Id
    level: Literal["province", "city", "county"]
    parent: str | None = None
    successor: str | None = None
    note: str = ""


class Park(RegisterRow):
    """One validity interval of a monitored unit (园区). ``aliases`` are separated by ``;``.

    ``merged_into``: the park this one became part of when its last row ended.
    """

    park_id: Id
    name: Id
    short_name: str = ""
    aliases: tuple[str, ...] = ()
    county_code: str = ""
    city_code: str = ""
    province_code: str = ""
    kind: str = ""
    level: str = ""
    class_id: str = ""
    is_key: Yes = False
    is_demonstration: Yes = False
    status: str = ""
    host_county_code: str = ""
    home_county_code: str = ""
    simulated: Yes = False
    merged_into: str = ""
    note: str = ""

    @field_validator("aliases", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in re.split("[;；]", value) if part.strip())
        return value

    @property
    def names(self) -> frozenset[str]:
        """Every name the park goes by in this interval."""
        return frozenset(name for name in (self.name, self.short_name, *self.aliases) if name)

    @property
    def is_enclave(self) -> bool:
        """Whether this is a 飞地 park: it lies in one county and counts for another."""
        return bool(self.host_county_code)

    @property
    def counting_county(self) -> str:
        """County whose reporter reports the park: the 飞出地 of a 飞地 park, else its county."""
        return self.home_county_code or self.county_code

    @property
    def region_codes(self) -> frozenset[str]:
        """Province, city and counting county of the park."""
        codes = (self.province_code, self.city_code, self.counting_county)
        return frozenset(code for code in codes if code)


class Reporter(RegisterRow):
    """Who reports (填报单位): all parks counted by its region, to one source."""

    reporter_id: Id
    name: Id
    short_name: str = ""
    region_code: str = ""
    source_id: str = ""
    email: str = ""


# --- Sources and audiences ------------------------------------------------------------------------


class DeadlineRule(CatalogModel):
    """When a return for a period is due (报送期限).

    Either a calendar ``day`` of the month ``month_offset`` months after the period, moved to the
    next workday when ``roll`` says so (``after_holiday``: 遇法定节假日顺延, 双休日不顺延), or the
    n-th ``workday`` of that month. ``grace_days`` after
    it the missing return is 漏报; until then it is reminded (催报). ``exceptions`` name a date per
    period.
    """

    month_offset: int = Field(default=1, ge=0, le=12)
    day: int | None = Field(default=None, ge=1, le=31)
    workday: int | None = Field(default=None, ge=1, le=23)
    roll: Literal["next_workday", "after_holiday", "none"] = "next_workday"
    grace_days: int = Field(default=0, ge=0, le=90)
    exceptions: Mapping[Period, Day] = {}

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.day is None) == (self.workday is None):
            raise ValueError("day（日历日）与 workday（第几个工作日）必须且只能填一个")
        return self

    def due(
        self,
        period: str,
        is_workday: Callable[[date], bool],
        is_holiday: Callable[[date], bool] | None = None,
    ) -> date:
        """Day by the end of which the return for ``period`` is due. ``is_holiday``: free by holiday
        arrangement; without it a day that is no workday counts as one."""
        if period in self.exceptions:
            return self.exceptions[period]
        first = _first_of_month(period, self.month_offset)
        if self.workday is not None:
            return _nth_workday(first, self.workday, is_workday)
        assert self.day is not None
        month_end = period_end(f"{first:%Y-%m}")
        day = min(first + timedelta(days=self.day - 1), month_end)
        moves = self.roll != "none" and not is_workday(day)
        if moves and self.roll == "after_holiday" and is_holiday is not None:
            moves = is_holiday(day)
        while moves and not is_workday(day):
            day += timedelta(days=1)
        return day

    def missing_after(
        self,
        period: str,
        is_workday: Callable[[date], bool],
        is_holiday: Callable[[date], bool] | None = None,
    ) -> date:
        """Last day of reminding; a return still absent after it is 漏报."""
        return self.due(period, is_workday, is_holiday) + timedelta(days=self.grace_days)


def _first_of_month(period: str, offset: int) -> date:
    end = period_end(period)
    months = end.year * 12 + end.month - 1 + offset
    return date(months // 12, months % 12 + 1, 1)


def _nth_workday(first: date, wanted: int, is_workday: Callable[[date], bool]) -> date:
    day, seen = first, int(is_workday(first))
    while seen < wanted:
        day += timedelta(days=1)
        seen += is_workday(day)
    return day


class SecretFromEnv(CatalogModel):
    """A secret that stands in an environment variable."""

    env: Id


class SecretFromFile(CatalogModel):
    """A secret that stands in a file, relative to the workspace."""

    file: Id


class HttpOptions(CatalogModel):
    """How an HTTP source is fetched (``docs/http-sources.md``); what is not given has its default.

    Ranges, host names and file names are checked when the source is used.
    """

    allow_hosts: tuple[Id, ...] = Field(min_length=1)
    expect: Literal["workbook", "csv", "any"] | None = None
    max_bytes: Annotated[int, Field(gt=0)] | None = None
    total_seconds: Annotated[float, Field(gt=0)] | None = None
    file_name_template: Id | None = None
    headers: Mapping[str, str | SecretFromEnv | SecretFromFile] | None = None
    allow_private: tuple[Id, ...] | None = None
    allow_http: bool | None = None
    max_redirects: Annotated[int, Field(ge=0, le=5)] | None = None
    ca_file: Id | None = None
    recheck_days: Annotated[int, Field(ge=0)] | None = None

    def given(self) -> dict[str, Any]:
        """The options that are given, as plain data."""
        return self.model_dump(mode="json", exclude_unset=True)


class Source(CatalogModel):
    """Where returns of one kind come from (来源): their layouts, periods, contents and deadline.

    ``required`` are the indicators that must be filled in; ``months`` the months it is due for. A
    source of kind ``http`` is fetched from ``url`` as ``http`` says. ``acceptance``: by when the office
    has checked and accepted the returns (审核验收截止); ``resubmit_workdays``: workdays a reporter has
    to send a returned file again.
    """

    source_id: Id
    name: Id
    kind: Literal["inbox", "http"] = "inbox"
    maturity: Literal["快报", "定报", "年报"] = "定报"
    frequency: Frequency = "M"
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = ()
    layouts: tuple[str, ...] = ()
    required: tuple[IndicatorId, ...] = ()
    deadline: DeadlineRule | None = None
    acceptance: DeadlineRule | None = None
    resubmit_workdays: int = Field(default=3, ge=0, le=60)
    url: str | None = None
    http: HttpOptions | None = None
    note: str = ""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        for name in ("url", "http"):
            if (self.kind == "http") != (getattr(self, name) is not None):
                raise ValueError(f"http 来源须有 {name}，其他来源不应有")
        return self

    def due_months(self, first_month: int = 2) -> tuple[int, ...]:
        """Months the source is due for; by its frequency when ``months`` is not given."""
        by_frequency = {"M": tuple(range(first_month, 13)), "Q": (3, 6, 9, 12), "A": (12,)}
        return self.months or by_frequency[self.frequency]


Format = Literal["pdf", "docx", "html", "xlsx", "eml"]
Right = Literal["figures", "quality", "targets", "watch", "scores"]


class Recipient(CatalogModel):
    """Who receives an audience's mail; not part of the rules digest. ``name``: the post (岗位);
    ``valid_from``, ``valid_to``: first and last day it does."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    name: str = ""
    valid_from: Day | None = None
    valid_to: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError(f"{self.email} 的 valid_to 早于 valid_from")
        return self

    def valid_on(self, day: date) -> bool:
        """Whether mail may go to it on ``day``."""
        return (self.valid_from or day) <= day <= (self.valid_to or day)


class Protection(CatalogModel):
    """Disclosure control of a public edition: a figure of fewer than ``min_count`` enterprises is
    hidden, and must stay uncertain by ``p`` % of its value to who knows all that is printed."""

    min_count: Annotated[int, Field(ge=2)]
    p: Annotated[float, Field(gt=0, le=100)]
    source: str


class Audience(CatalogModel):
    """A post (岗位) with a scope and rights (受众).

    ``targets`` shows verdicts, ``watch`` distance to targets and risk, ``scores`` ranks. Those who
    report never see distance or risk: a reporter must not learn what value would be enough.
    ``public`` stands for everybody: figures only, under disclosure control by ``protection``.
    """

    audience_id: Id
    name: Id
    role: Literal["leader", "assessor", "statistician", "reporter", "public"]
    scope_level: Literal["province", "city", "county", "park"]
    scope_code: Id
    rights: tuple[Right, ...]
    formats: tuple[Format, ...] = ("pdf", "docx", "html", "xlsx", "eml")
    language: Literal["zh", "en"] = "zh"
    recipients: tuple[Recipient, ...] = ()
    protection: Protection | None = None
    note: str = ""

    @model_validator(mode="after")
    def _reporters_see_no_distance(self) -> Self:
        denied = [right for right in self.rights if right in ("watch", "targets")]
        if self.role == "reporter" and denied:
            why = "不向填报人透露距目标的差距"
            raise ValueError(f"填报岗位不得有 {'、'.join(denied)} 权限（{why}）")
        if self.role == "public" and set(self.rights) != {"figures"}:
            raise ValueError("公开版只有 figures 权限（目标、考核、报送质量原则上不向社会发布）")
        if (self.role == "public") != (self.protection is not None):
            raise ValueError("公开版须写 protection（披露控制的门槛），其他受众不写")
        return self
