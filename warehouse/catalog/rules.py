"""Audit rules (审核关系) and reference figures (对照数) as they stand in catalogue files.

Belongs here: the models, the words a rule may use for each thing it judges, and what must hold
between rules and the rest of the catalogue. Does not belong here: turning a rule into SQL
(``quality.rules``), running it (``warehouse.rule_outcomes``), contradictions (``quality.rules``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from warehouse.catalog import expression
from warehouse.catalog.expression import Node
from warehouse.catalog.models import (
    CatalogModel,
    Day,
    Figure,
    Id,
    Indicator,
    IndicatorId,
    IndicatorKind,
    ParkFilter,
    Period,
    RegisterRow,
    Text,
    period_end,
)
from warehouse.catalog.problems import CatalogProblem, did_you_mean

if TYPE_CHECKING:
    from warehouse.catalog.checks import Loaded

Severity = Literal["error", "verify", "hint"]
Scope = Literal["file", "cell", "row", "cross_period", "cross_table", "area_sum"]
Judged = Literal["file", "cell", "park", "total", "part", "area", "target", "enclave", "scored"]
"""What one judgement of a rule is about: a file; a cell; a park's figures of a period; a total row's
cell; a 其中项 cell; an area's sum; a target broken down; a 飞地; a park's scored figures."""

_BY_SCOPE: Mapping[str, Judged] = {
    "file": "file",
    "cell": "cell",
    "row": "park",
    "cross_period": "park",
    "cross_table": "park",
    "area_sum": "total",
}

MEASURES = ("ytd", "month", "stock", "ytd_prior", "yoy_published")
OTHER_FIGURES = ("former", "reference")
"""Instead of a measure: what the version before said; what another office says (references.csv)."""

VOCABULARY: Mapping[Judged, Mapping[str, str]] = {
    "file": {
        "n_statutory": "法定标识项数",
        "n_signature": "签署项数",
        "valid_until": "有效期至（年月）",
        "report_month": "报告期（年月）",
        "received_month": "收到时的年月",
        "received_day": "收到日",
        "deadline_day": "报送截止日",
        "n_unit_unstated": "未标明计量单位的价值量个数",
        "n_required_absent": "缺少的必报指标个数",
        "n_required": "应填必报数值个数",
        "n_filled": "已填必报数值个数",
        "n_same_figures": "数值完全相同的其他报告期文件个数",
        "n_region_codes_invalid": "无效行政区划代码个数",
        "n_parks_absent": "名单内没有数据的园区个数",
        "n_hidden": "隐藏的数据行列和工作表个数",
        "n_money": "总产值、营业收入的个数",
        "n_round": "其中个位为零的个数",
        "n_totals_as_parks": "当作园区的合计行个数",
        "version_no": "版本号",
        "n_correction_marks": "更正标记个数",
    },
    "cell": {
        "value": "填报数",
        "low": "经验范围下限",
        "high": "经验范围上限",
        "decimals": "规定小数位数",
        "decimals_used": "所填小数位数",
        "required": "是否必报",
        "known": "是否已填",
    },
    "park": {
        "month": "报告期月份",
        "n_values": "可与上期比较的数值个数",
        "n_same": "其中与上期相同的个数",
    },
    "total": {"total": "合计数", "parts": "各行之和", "n_parts": "行数"},
    "part": {"part": "其中项", "whole": "总项"},
    "area": {
        "parts": "所属园区之和",
        "n_parts": "有数据的园区个数",
        "n_expected": "应有数据的园区个数",
        "reference": "对照数",
    },
    "target": {"parts": "分解目标之和", "n_parts": "分解目标个数", "whole": "上级目标"},
    "enclave": {"n_reporters": "负责填报的单位个数"},
    "scored": {"n_unverified": "未通过审核的考核数据个数"},
}
"""Names a rule may use, by what it judges. ``park`` rules also use indicators."""

ITEM, FORMULA = "item", "formula"
"""In a rule over several indicators: the one it is about, and its own formula."""


class Tolerance(CatalogModel):
    """How far two sides may differ. What is given is added up to the larger allowance.

    ``absolute`` in the unit of the figures; ``percent`` of the larger side; ``points`` percentage
    points for indicators in % (``percent`` then is for the others); ``last_place`` times the last
    printed digit of every figure compared (单位取舍).
    """

    absolute: Annotated[Figure, Field(ge=0)] | None = None
    percent: Annotated[Figure, Field(ge=0)] | None = None
    points: Annotated[Figure, Field(ge=0)] | None = None
    last_place: Annotated[Figure, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _given(self) -> Self:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError("容差至少填一项：absolute、percent、points、last_place")
        return self


class Each(CatalogModel):
    """The indicators a rule is repeated for: by name, or all that have every attribute given."""

    indicators: tuple[IndicatorId, ...] = ()
    kind: tuple[IndicatorKind, ...] = ()
    unit: Id | None = None
    integer: bool | None = None
    non_negative: bool | None = None
    soft_range: bool | None = None
    core: bool | None = None
    has_formula: bool | None = None

    def matches(self, indicator: Indicator) -> bool:
        """Whether the rule is repeated for ``indicator``."""
        if self.indicators and indicator.indicator_id not in self.indicators:
            return False
        asked: tuple[tuple[bool | None, bool], ...] = (
            (self.integer, indicator.integer),
            (self.non_negative, indicator.non_negative),
            (self.soft_range, indicator.soft_range is not None),
            (self.core, indicator.core),
            (self.has_formula, indicator.formula is not None),
        )
        return (
            all(wanted is None or wanted == is_so for wanted, is_so in asked)
            and (not self.kind or indicator.kind in self.kind)
            and (self.unit is None or indicator.unit == self.unit)
        )


class AppliesTo(CatalogModel):
    """Where a rule applies; everything given must hold, nothing given is everywhere."""

    sources: tuple[Id, ...] = ()
    layouts: tuple[Id, ...] = ()
    formats: tuple[Id, ...] = ()
    maturities: tuple[Literal["快报", "定报", "年报"], ...] = ()
    measures: tuple[Literal["ytd", "month", "stock", "ytd_prior", "yoy_published"], ...] = ()
    indicators: tuple[IndicatorId, ...] = ()
    park: tuple[ParkFilter, ...] = ()
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = ()
    first_month: Literal["only", "not"] | None = None
    rows: Literal["parks", "totals"] = "parks"
    area_level: Literal["county", "city", "province"] | None = None

    @field_validator("park", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, Mapping) else value


class Rule(CatalogModel):
    """One audit rule (审核关系).

    ``expression`` is what must hold; where ``when`` does not hold the rule is not asked. ``reading``
    names findings of reading (``R-…``) that say the same: a rule without an expression is judged by
    them alone. ``yields_to`` names a stricter rule that speaks instead where both would. ``message``
    is the problem in the reporter's words, ``{item}`` the indicator's name; ``expected`` the
    relation in words, never a value that would do.
    """

    rule_id: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]*$", max_length=40)]
    category: Id
    severity: Severity
    scope: Scope
    judged: Judged | None = Field(default=None, alias="of")
    message: Text
    expression: str | None = None
    when: str | None = None
    each: Each | None = None
    reading: tuple[Annotated[str, Field(pattern=r"^R-[a-z_-]+$")], ...] = ()
    tolerance: Tolerance | None = None
    applies_to: AppliesTo = AppliesTo()
    yields_to: Id | None = None
    expected: str = ""
    remedy: str = ""
    valid_from: Day | None = None
    valid_to: Day | None = None
    enabled: bool = True
    reason: str = ""
    owner: Text
    source: Text
    note: str = ""

    @field_validator("each", mode="before")
    @classmethod
    def _list_of_indicators(cls, value: Any) -> Any:
        return {"indicators": value} if isinstance(value, list | tuple) else value

    @field_validator("expression", "when")
    @classmethod
    def _parses(cls, text: str | None) -> str | None:
        if text is not None:
            expression.parse(text, "condition")
        return text

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = [said for wrong, said in _within_a_rule(self) if wrong]
        if problems:
            raise ValueError("；".join(problems))
        return self

    @property
    def about(self) -> Judged:
        """What one judgement is about."""
        return self.judged or _BY_SCOPE[self.scope]

    @property
    def tree(self) -> Node | None:
        """What must hold, parsed."""
        return None if self.expression is None else expression.parse(self.expression, "condition")

    @property
    def guard(self) -> Node | None:
        """Where the rule is asked, parsed."""
        return None if self.when is None else expression.parse(self.when, "condition")

    def in_force(self, period: str) -> bool:
        """Whether the rule holds on the last day of ``period`` (YYYY-MM)."""
        end = period_end(period)
        begun = self.valid_from is None or self.valid_from <= end
        return self.enabled and begun and (self.valid_to is None or end < self.valid_to)


def _within_a_rule(rule: Rule) -> Iterator[tuple[bool, str]]:
    """Rules within one rule: (broken, message)."""
    used = set(_names(rule))
    words = {name.identifier for name in used}
    yield (
        rule.expression is None and not rule.reading,
        "expression（关系式）与 reading（读取问题）至少填一个",
    )
    yield rule.expression is None and rule.when is not None, "没有 expression 时不应有 when"
    repeated = rule.about == "park" and (rule.each is None) == bool(words & {ITEM, FORMULA})
    yield repeated, "有 each 时关系式须用 item 或 formula，反之亦然"
    ordered = rule.valid_from is None or rule.valid_to is None or rule.valid_from < rule.valid_to
    yield not ordered, "valid_to（失效首日）应晚于 valid_from（生效日）"
    yield _tells_a_bound(rule), "关系式中有数字界限，须在 expected 用文字写明应有关系（不写数值）"
    known = {*MEASURES, *OTHER_FIGURES, None}
    wrong = sorted({n.measure for n in used if n.measure is not None and n.measure not in known})
    yield (
        bool(wrong),
        f"没有这种口径：{'、'.join(wrong)}；可用：{'、'.join((*MEASURES, *OTHER_FIGURES))}",
    )
    if rule.about != "park":
        strange = sorted(words - set(VOCABULARY[rule.about]) - {ITEM, FORMULA})
        allowed = "、".join(VOCABULARY[rule.about])
        yield bool(strange), f"这类规则不能用 {'、'.join(strange)}；可用：{allowed}"


def _names(rule: Rule) -> Iterator[expression.Name]:
    for tree in (rule.tree, rule.guard):
        if tree is not None:
            yield from expression.names(tree)


def _tells_a_bound(rule: Rule) -> bool:
    """Whether the words made from the expression would contain a bound."""
    return rule.tree is not None and not rule.expected and bool(_bounds(rule.tree))


def _bounds(node: Node) -> list[expression.Number]:
    found: list[expression.Number] = []
    if isinstance(node, expression.Number) and node.value != 0:
        found.append(node)
    for child in expression.children(node):
        found += _bounds(child)
    return found


class ReferenceFigure(RegisterRow):
    """What another office says of a park or an area at a period (对照数): 联网直报汇总, 税务入库 …

    ``subject_id`` is a park id or a region code; ``value`` in the indicator's catalogue unit.
    """

    subject_id: Id
    indicator_id: IndicatorId
    period: Period
    value: Figure
    source: Text
    note: str = ""


# --- Between rules and the rest of the catalogue --------------------------------------------------

_PARK_WORDS = frozenset({ITEM, FORMULA, *VOCABULARY["park"]})


def rule_problems(loaded: Loaded) -> Iterator[CatalogProblem]:
    """Indicators, sources, layouts and rules that rules name and nobody wrote."""
    for rule in loaded.all("rules"):
        for field, kind, wanted in _references(rule):
            yield from _unknown(loaded, rule.rule_id, field, kind, wanted)
    for figure in loaded.all("references"):
        wanted_id = [figure.indicator_id]
        for name in _missing(loaded.known("indicators"), wanted_id):
            yield loaded.row_problem(
                figure, figure.subject_id, "indicator_id", "引用的指标不存在", found=name
            )


def _references(rule: Rule) -> Iterator[tuple[str, str, Iterable[str]]]:
    if rule.about == "park":
        for field, tree in (("expression", rule.tree), ("when", rule.guard)):
            used = expression.identifiers(tree) if tree is not None else frozenset()
            yield field, "indicators", sorted(used - _PARK_WORDS)
    if rule.each is not None:
        yield "each", "indicators", rule.each.indicators
    yield "applies_to.indicators", "indicators", rule.applies_to.indicators
    yield "applies_to.sources", "sources", rule.applies_to.sources
    yield "applies_to.layouts", "layouts", rule.applies_to.layouts
    yield "yields_to", "rules", [rule.yields_to] if rule.yields_to else []


_ZH = {"indicators": "指标", "sources": "来源", "layouts": "版式", "rules": "审核规则"}


def _unknown(
    loaded: Loaded, rule_id: str, field: str, kind: str, wanted: Iterable[str]
) -> Iterator[CatalogProblem]:
    known = loaded.known(kind)
    for name in _missing(known, wanted):
        yield loaded.problem(
            "rules", rule_id, field, f"引用的{_ZH[kind]}不存在", found=name,
            remedy=did_you_mean(name, known) or "补上该项，或改正编号",
        )  # fmt: skip


def _missing(known: Iterable[str], wanted: Iterable[str]) -> list[str]:
    there = set(known)
    return [name for name in wanted if name not in there]
