"""What must hold between catalogue items: references, intervals, formulas, weights.

Belongs here: checks over several items or files, each a function from the loaded items to problems.
Does not belong here: rules within one item (``models``) or merging (``load``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from warehouse.catalog import derivations, expression
from warehouse.catalog.models import (
    CatalogModel,
    Indicator,
    Park,
    Region,
    RegisterRow,
    Reporter,
    Target,
)
from warehouse.catalog.problems import CatalogProblem, Origin, did_you_mean
from warehouse.catalog.text import label_key

Place = tuple[str, str]
"""Kind and id of an item; for a register row the id is ``id@line``."""


@dataclass(slots=True)
class Loaded:
    """Validated items by kind, where each was written, and every id written (valid or not)."""

    items: dict[str, list[Any]] = field(default_factory=dict)
    origins: dict[Place, Origin] = field(default_factory=dict)
    row_origins: dict[int, Origin] = field(default_factory=dict)
    written: dict[str, set[str]] = field(default_factory=dict)

    def all(self, kind: str) -> list[Any]:
        """Valid items of a kind, in order."""
        return self.items.get(kind, [])

    def known(self, kind: str) -> Collection[str]:
        """Ids of a kind as written: a faulty item is reported once, not at every reference."""
        return self.written.get(kind, set())

    def problem(
        self, kind: str, item_id: str, field_name: str, message: str, **more: str
    ) -> CatalogProblem:
        """A problem placed at an item."""
        origin = self.origins.get((kind, item_id), Origin("目录"))
        return CatalogProblem(origin, item_id, field_name, message, **more)

    def row_problem(
        self, row: CatalogModel, item_id: str, field_name: str, message: str, **more: str
    ) -> CatalogProblem:
        """A problem placed at a register row."""
        origin = self.row_origins.get(id(row), Origin("目录"))
        return CatalogProblem(origin, item_id, field_name, message, **more)


Check = Callable[[Loaded], Iterator[CatalogProblem]]


def cross_check(loaded: Loaded) -> list[CatalogProblem]:
    """All problems between items."""
    return [problem for check in _CHECKS for problem in check(loaded)]


# --- References -----------------------------------------------------------------------------------


def _unknown(
    loaded: Loaded, kind: str, item_id: str, field_name: str, of: str, wanted: Iterable[str]
) -> Iterator[CatalogProblem]:
    """A problem for each wanted id of kind ``of`` that nobody wrote."""
    known = loaded.known(of)
    for name in wanted:
        if name and name not in known:
            yield loaded.problem(
                kind,
                item_id,
                field_name,
                f"引用的{_ZH[of]}不存在",
                found=name,
                remedy=did_you_mean(name, known) or "补上该项，或改正编号",
            )


_ZH = {
    "indicators": "指标",
    "documents": "文件",
    "targets": "目标",
    "regions": "行政区划",
    "sources": "来源",
    "layouts": "版式",
    "units": "计量单位",
}


def _target_references(loaded: Loaded) -> Iterator[CatalogProblem]:
    for target in loaded.all("targets"):
        tid, document = target.target_id, [target.document_id]
        yield from _unknown(loaded, "targets", tid, "document_id", "documents", document)
        for name, wanted in _indicators_of(target):
            yield from _unknown(loaded, "targets", tid, name, "indicators", wanted)
        others = (("restates", [target.restates or ""]), ("replaces", target.replaces),
                  ("related", target.related))  # fmt: skip
        for name, wanted in others:
            yield from _unknown(loaded, "targets", tid, name, "targets", wanted)
        code = [target.scope_code]
        yield from _unknown(loaded, "targets", tid, "scope_code", "regions", code)
        counties = target.filter.county_code
        yield from _unknown(loaded, "targets", tid, "filter.county_code", "regions", counties)


def _indicators_of(target: Target) -> Iterator[tuple[str, Iterable[str]]]:
    yield "indicator_id", [target.indicator_id]
    yield "also", target.also
    if target.threshold:
        yield "threshold.indicator_id", [target.threshold.indicator_id]
    if target.benchmark:
        yield "benchmark.indicator_id", [target.benchmark.indicator_id]
    if target.filter.where_tree:
        yield "filter.where", sorted(expression.identifiers(target.filter.where_tree))


def _target_scopes(loaded: Loaded) -> Iterator[CatalogProblem]:
    """A clause binds only the region of its document, or a part of it."""
    documents = {d.document_id: d for d in loaded.all("documents")}
    parents = {r.code: r.parent for r in loaded.all("regions")}
    for target in loaded.all("targets"):
        document, code = documents.get(target.document_id), target.scope_code
        if document is None or code not in loaded.known("regions"):
            continue  # said already
        if document.region_code in _ancestors(code, parents):
            continue
        yield loaded.problem(
            "targets",
            target.target_id,
            "scope_code",
            f"对象地区不在文件《{document.title}》的适用地区内",
            found=target.scope_code,
            expected=f"{document.region_code} 或其下级",
        )


def _ancestors(code: str, parents: Mapping[str, str | None]) -> set[str]:
    chain: set[str] = set()
    step: str | None = code
    while step and step not in chain:
        chain.add(step)
        step = parents.get(step)
    return chain


def _other_references(loaded: Loaded) -> Iterator[CatalogProblem]:
    for document in loaded.all("documents"):
        wanted = [document.region_code]
        yield from _unknown(
            loaded, "documents", document.document_id, "region_code", "regions", wanted
        )
    for conflict in loaded.all("conflicts"):
        name, wanted = conflict.conflict_id, conflict.target_ids
        yield from _unknown(loaded, "conflicts", name, "target_ids", "targets", wanted)
    for source in loaded.all("sources"):
        name = source.source_id
        yield from _unknown(loaded, "sources", name, "required", "indicators", source.required)
        yield from _unknown(loaded, "sources", name, "layouts", "layouts", source.layouts)
    for audience in loaded.all("audiences"):
        if audience.scope_level != "park":
            name, wanted = audience.audience_id, [audience.scope_code]
            yield from _unknown(loaded, "audiences", name, "scope_code", "regions", wanted)
    for indicator in loaded.all("indicators"):
        if indicator.disclosure:
            name, wanted = indicator.indicator_id, [indicator.disclosure.count_by]
            yield from _unknown(
                loaded, "indicators", name, "disclosure.count_by", "indicators", wanted
            )


def _layout_references(loaded: Loaded) -> Iterator[CatalogProblem]:
    """Indicators (its own new ones aside), units and symbol style a layout names."""
    units = unit_words(loaded)
    styles = loaded.known("symbols")
    for layout in loaded.all("layouts"):
        name = layout.layout_id
        own = {indicator.indicator_id for indicator in layout.new_indicators}
        wanted = sorted(layout.indicator_ids - own)
        yield from _unknown(loaded, "layouts", name, "tables", "indicators", wanted)
        if layout.symbols not in styles:
            yield loaded.problem(
                "layouts", name, "symbols", "没有登记的数据符号样式", found=layout.symbols,
                remedy=did_you_mean(layout.symbols, styles),
            )  # fmt: skip
        for place, key, value in _leaves(layout.model_dump(), ""):
            if key in ("unit", "default_unit") and units and label_key(value) not in units:
                yield loaded.problem("layouts", name, place, "没有登记的计量单位", found=value)


def _leaves(value: Any, place: str) -> Iterator[tuple[str, str, str]]:
    """Every text in a nested structure with its place and the key it stands under."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            path = f"{place}.{key}" if place else str(key)
            if isinstance(inner, str):
                yield path, str(key), inner
            else:
                yield from _leaves(inner, path)
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{place}.{number}")


# --- Indicators -----------------------------------------------------------------------------------


def unit_words(loaded: Loaded) -> set[str]:
    """Every writing of every registered unit, as looked up."""
    return {label_key(word) for unit in loaded.all("units") for word in (unit.id, *unit.aliases)}


def _units(loaded: Loaded) -> Iterator[CatalogProblem]:
    dimensions = loaded.known("dimensions")
    for unit in loaded.all("units"):
        if unit.dimension not in dimensions:
            yield loaded.problem(
                "units", unit.id, "dimension", "没有登记的量纲", found=unit.dimension,
                remedy=did_you_mean(unit.dimension, dimensions),
            )  # fmt: skip
    words = unit_words(loaded)
    if not words:
        return
    named = [("indicators", i.indicator_id, i.unit) for i in loaded.all("indicators")]
    named += [("targets", t.target_id, t.unit) for t in loaded.all("targets") if t.unit]
    for kind, item_id, unit_name in named:
        if label_key(unit_name) not in words:
            yield loaded.problem(
                kind, item_id, "unit", "没有登记的计量单位", found=unit_name,
                remedy="改用 units.yaml 中的单位，或在其中登记",
            )  # fmt: skip


def _labels(loaded: Loaded) -> Iterator[CatalogProblem]:
    """One label means one indicator; a label that could mean two is a suggestion of one."""
    owners: dict[str, Indicator] = {}
    for indicator in loaded.all("indicators"):
        for label in indicator.labels:
            owner = owners.setdefault(label_key(label), indicator)
            if owner is not indicator:
                yield loaded.problem(
                    "indicators", indicator.indicator_id, "aliases",
                    f"名称或别名与指标 {owner.indicator_id}（{owner.name_zh}）重复", found=label,
                    remedy="删去其一，或改列入 suggestions",
                )  # fmt: skip
    for indicator in loaded.all("indicators"):
        for suggestion in indicator.suggestions:
            owner_of = owners.get(label_key(suggestion.label))
            if owner_of is not None:
                yield loaded.problem(
                    "indicators", indicator.indicator_id, "suggestions",
                    f"已是指标 {owner_of.indicator_id} 的确定名称，不能再作提示",
                    found=suggestion.label,
                )  # fmt: skip


def _formulas(loaded: Loaded) -> Iterator[CatalogProblem]:
    parts = {
        i.indicator_id: expression.identifiers(i.formula_tree)
        for i in loaded.all("indicators")
        if i.formula_tree is not None
    }
    for name, used in parts.items():
        yield from _unknown(loaded, "indicators", name, "formula", "indicators", sorted(used))
    for circle in _circles(parts):
        yield loaded.problem(
            "indicators", circle[0], "formula", "公式互相引用，成了循环", found=" → ".join(circle)
        )


def _circles(parts: Mapping[str, Collection[str]]) -> Iterator[list[str]]:
    """Each circle of formulas once, starting at its smallest id."""
    seen: set[frozenset[str]] = set()
    for start in sorted(parts):
        path = _path_back(start, parts)
        if path and min(path) == start and frozenset(path) not in seen:
            seen.add(frozenset(path))
            yield [*path, start]


def _path_back(start: str, parts: Mapping[str, Collection[str]]) -> list[str] | None:
    """A path of formulas from ``start`` to itself; ``None`` when there is none."""
    reached: set[str] = set()
    stack = [[start]]
    while stack:
        path = stack.pop()
        for name in sorted(parts.get(path[-1], ())):
            if name == start:
                return path
            if name not in reached:
                reached.add(name)
                stack.append([*path, name])
    return None


# --- Registers ------------------------------------------------------------------------------------


def _intervals(loaded: Loaded) -> Iterator[CatalogProblem]:
    for kind, key in (("parks", "park_id"), ("reporters", "reporter_id"), ("regions", "code")):
        by_id: dict[str, list[RegisterRow]] = {}
        for row in loaded.all(kind):
            by_id.setdefault(getattr(row, key), []).append(row)
        for item_id, rows in by_id.items():
            yield from _neighbours(loaded, item_id, rows)


def _neighbours(
    loaded: Loaded, item_id: str, rows: Sequence[RegisterRow]
) -> Iterator[CatalogProblem]:
    """Rows of one id may neither overlap nor leave out just the last day of an interval."""
    ordered = sorted(rows, key=lambda row: row.valid_from or date.min)
    for earlier, later in pairwise(ordered):
        begin, end = later.valid_from or date.min, earlier.valid_to or date.max
        if begin < end:
            yield loaded.row_problem(
                later, item_id, "valid_from", "有效期与同一编号的另一行重叠",
                found=f"{_shown(begin, '起初')} 早于上一行的失效日 {_shown(end, '（空）')}",
                remedy="给较早的一行填 valid_to（失效首日），使各行首尾相接",
            )  # fmt: skip
        elif begin - end == timedelta(days=1):
            yield loaded.row_problem(
                earlier, item_id, "valid_to", "valid_to 是失效首日（当日已不适用），与下一行差一天",
                found=str(end), expected=str(begin), remedy="把 valid_to 改为下一行的 valid_from",
            )  # fmt: skip


def _shown(day: date, open_end: str) -> str:
    return open_end if day in (date.min, date.max) else str(day)


def _register_references(loaded: Loaded) -> Iterator[CatalogProblem]:
    regions = loaded.known("regions")
    sources = loaded.known("sources")
    for row in (*loaded.all("parks"), *loaded.all("reporters"), *loaded.all("regions")):
        for name, code in _codes_of(row):
            if code and code not in regions:
                yield loaded.row_problem(
                    row, _id_of(row), name, "行政区划代码不在 regions.csv", found=code,
                    remedy=did_you_mean(code, regions) or "在 regions.csv 登记，或改正代码",
                )  # fmt: skip
    for row in loaded.all("reporters"):
        if row.source_id and sources and row.source_id not in sources:
            yield loaded.row_problem(
                row, row.reporter_id, "source_id", "引用的来源不存在", found=row.source_id,
                remedy=did_you_mean(row.source_id, sources),
            )  # fmt: skip


def _codes_of(row: RegisterRow) -> Iterator[tuple[str, str]]:
    match row:
        case Park():
            for name in ("county_code", "city_code", "province_code",
                         "host_county_code", "home_county_code"):  # fmt: skip
                yield name, getattr(row, name)
        case Reporter():
            yield "region_code", row.region_code
        case Region():
            yield "parent", row.parent or ""
            yield "successor", row.successor or ""


def _id_of(row: RegisterRow) -> str:
    match row:
        case Park():
            return row.park_id
        case Reporter():
            return row.reporter_id
        case Region():
            return row.code
    return ""


# --- Schemes --------------------------------------------------------------------------------------


def _schemes(loaded: Loaded) -> Iterator[CatalogProblem]:
    """Indicators, targets and region a scheme names. Its weights are checked by its own model.

    A scheme kept for reference may name what this catalogue has not: it is not run.
    """
    for scheme in loaded.all("schemes"):
        if scheme.status == "reference":
            continue
        name = scheme.scheme_id
        wanted = {item.indicator_id for item in scheme.items}
        wanted |= {other for line in scheme.lines for other in getattr(line.scoring, "any_of", ())}
        wanted |= {rule.tie_growth for rule in scheme.eliminations if rule.tie_growth}
        yield from _unknown(loaded, "schemes", name, "items", "indicators", sorted(wanted))
        yield from _scheme_gates(loaded, scheme)
        yield from _unknown(loaded, "schemes", name, "basis", "targets", scheme.basis)
        region = [scheme.who.region_code]
        yield from _unknown(loaded, "schemes", name, "who.region_code", "regions", region)


def _scheme_gates(loaded: Loaded, scheme: Any) -> Iterator[CatalogProblem]:
    gates = {"gate": scheme.gate}
    if scheme.replacement:
        gates["replacement.gate"] = scheme.replacement.gate
        order = scheme.replacement.order_indicator
        yield from _unknown(
            loaded, "schemes", scheme.scheme_id, "replacement.order_indicator", "indicators",
            [order] if order else [],
        )  # fmt: skip
    for grade in scheme.grades.grades if scheme.grades else ():
        gates[f"grades.{grade.label}"] = grade.gate
    for part, gate in gates.items():
        wanted = sorted({one.indicator_id for one in gate.conditions}) if gate else []
        yield from _unknown(loaded, "schemes", scheme.scheme_id, part, "indicators", wanted)


def _outcomes(loaded: Loaded) -> Iterator[CatalogProblem]:
    """Schemes, parks and indicators that confirmed results and parks' goals name."""
    schemes = {scheme.scheme_id for scheme in loaded.all("schemes")}
    for row in loaded.all("outcomes"):
        if row.scheme_id not in schemes:
            yield loaded.row_problem(
                row, row.park_id, "scheme_id", "引用了目录中没有的考核方案",
                found=row.scheme_id, expected="、".join(sorted(schemes)),
                remedy="核对编号，或先写入考核方案",
            )  # fmt: skip
    known = {indicator.indicator_id for indicator in loaded.all("indicators")}
    for goal in loaded.all("assessment_goals"):
        if goal.indicator_id not in known:
            yield loaded.row_problem(
                goal, goal.park_id, "indicator_id", "引用了目录中没有的指标",
                found=goal.indicator_id, expected="目录中的指标编号", remedy="核对编号，或先登记该指标",
            )  # fmt: skip


def _rules(loaded: Loaded) -> Iterator[CatalogProblem]:
    """What audit rules refer to; the module of their models is imported only where there are any."""
    if loaded.all("rules") or loaded.all("references"):
        from warehouse.catalog.rules import rule_problems

        yield from rule_problems(loaded)


def _light_rules(loaded: Loaded) -> Iterator[CatalogProblem]:
    """A workspace judges by one rule: two in use, or none, would leave the colour open."""
    rules = loaded.all("light_rules")
    used = [rule.rule_id for rule in rules if rule.in_use]
    if rules and len(used) != 1:
        yield loaded.problem(
            "light_rules", (used or [rules[0].rule_id])[-1], "in_use", "应有且只有一条规则在用",
            found="、".join(used) or "没有", remedy="在工作区 light_rules.yaml 中只给一条写 in_use: true",
        )  # fmt: skip


_CHECKS: tuple[Check, ...] = (
    _target_references,
    _target_scopes,
    _other_references,
    _layout_references,
    _units,
    _labels,
    _formulas,
    _intervals,
    _register_references,
    _schemes,
    _outcomes,
    _rules,
    _light_rules,
    derivations.checks,
)
