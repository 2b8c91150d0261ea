"""Rules of the catalogue into relations: names to columns, tolerances, words for the reporter.

Belongs here: the pure translation, one relation per rule and indicator. Does not belong here: SQL
around the relations (``warehouse.rule_outcomes``) or contradictions between rules (``conflicts``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Protocol

from warehouse.catalog import expression as ex
from warehouse.catalog.models import Indicator, Park
from warehouse.catalog.rules import (
    FORMULA,
    ITEM,
    OTHER_FIGURES,
    VOCABULARY,
    Rule,
    Tolerance,
)
from warehouse.relations import FigureKind, Operand, ReadingRule, Relation, Relations, Slot

PRECISION = "precision__"
_LEVEL = {"ytd": "ytd", "last": "stock", "sum": "month", "mean": "month"}
MEASURE_ZH = {
    "ytd": "累计",
    "month": "本月",
    "stock": "期末",
    "ytd_prior": "上年同期",
    "yoy_published": "同比",
    "former": "(原报)",
    "reference": "(对照数)",
}
_EARLIER_ZH = {"m": "上期", "p": "上次所报", "q": "上季", "y": "上年同期所报", "e": "上年末"}
_COMPARE_ZH = {
    "<": "小于", "<=": "不大于", ">": "大于", ">=": "不小于", "=": "等于", "!=": "不等于",
}  # fmt: skip


class RuleSource(Protocol):
    """What is needed of a catalogue."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Its rules."""
        ...

    @property
    def indicators(self) -> tuple[Indicator, ...]:
        """Its indicators."""
        ...

    @property
    def parks(self) -> tuple[Park, ...]:
        """Its park register."""
        ...


@dataclass(slots=True)
class _Compiler:
    """Columns given out so far; one per figure, whatever the number of rules that use it."""

    indicators: Mapping[str, Indicator]
    parks: tuple[Park, ...]
    slots: dict[tuple[str, str, str, str, int], Slot] = field(default_factory=dict)
    precise: set[int] = field(default_factory=set)

    def slot(self, name: ex.Name) -> Slot:
        """The column of a park figure."""
        kind, unit, count = _kind_of(name)
        measure = "level" if name.measure in (None, *OTHER_FIGURES) else str(name.measure)
        if measure == _LEVEL.get(self.indicators[name.identifier].over_time):
            measure = "level"
        key = (name.identifier, measure, kind, unit, count)
        if key not in self.slots:
            self.slots[key] = Slot(len(self.slots) + 1, name.identifier, measure, kind, unit, count)
        return self.slots[key]

    def label(self, name: ex.Name) -> str:
        """A figure in words: 上期工业总产值, 营业收入上年同期."""
        title = self.indicators[name.identifier].name_zh
        before = _EARLIER_ZH[name.offset[1]] if name.offset else ""
        return f"{before}{title}{MEASURE_ZH.get(name.measure or '', '')}"


def _kind_of(name: ex.Name) -> tuple[FigureKind, str, int]:
    if name.measure == "former":
        return "former", "", 0
    if name.measure == "reference":
        return "reference", "", 0
    if name.offset:
        return "earlier", name.offset[1], name.offset[0]
    return "own", "", 0


def compile_rules(catalog: RuleSource) -> Relations:
    """Relations of the catalogue's enabled rules, in order of rule id.

    A rule that cannot be made into a relation is told in ``broken`` and stops no other.
    """
    compiler = _Compiler({i.indicator_id: i for i in catalog.indicators}, catalog.parks)
    wanted = sorted((r for r in catalog.rules if r.enabled), key=lambda rule: rule.rule_id)
    by_id = {rule.rule_id: rule for rule in wanted}
    relations: list[Relation] = []
    broken: list[tuple[str, str]] = []
    for rule in wanted:
        if rule.tree is None:
            continue
        try:
            relations += _relations_of(compiler, rule, by_id)
        except (ex.ExpressionError, KeyError, TypeError) as error:
            broken.append((rule.rule_id, f"关系式不能执行:{error}"))
    numbered = tuple(replace(relation, number=n) for n, relation in enumerate(relations, 1))
    reading = tuple(ReadingRule(r.rule_id, r.reading) for r in wanted if r.tree is None)
    slots, precise = tuple(compiler.slots.values()), frozenset(compiler.precise)
    return Relations(numbered, slots, precise, reading, tuple(broken))


def _relations_of(compiler: _Compiler, rule: Rule, by_id: Mapping[str, Rule]) -> Iterator[Relation]:
    if rule.about == "park" and rule.each is not None:
        for indicator in compiler.indicators.values():
            if rule.each.matches(indicator):
                yield _relation(compiler, rule, by_id, indicator)
    else:
        yield _relation(compiler, rule, by_id, None)


def _relation(
    compiler: _Compiler, rule: Rule, by_id: Mapping[str, Rule], item: Indicator | None
) -> Relation:
    tree, guard = _asked(compiler, rule, by_id, item)
    resolve = _resolver(compiler, rule)
    operands = tuple(_operands(compiler, rule, item))
    own = [compiler.slot(n).indicator_id for n in _own_figures(compiler, rule, item)]
    condition = loosened(tree, rule.tolerance, item.unit if item else "")
    name = item.name_zh if item else None
    return Relation(
        number=0,
        rule_id=rule.rule_id,
        severity=rule.severity,
        about=rule.about,
        message=_named(rule.message, name),
        expected=_named(rule.expected or in_words(rule, compiler.label, item), name),
        remedy=rule.remedy or "请核对后更正重报;情况属实的,请说明原因",
        condition=ex.to_sql(condition, resolve),
        guard=None if guard is None else ex.to_sql(guard, resolve),
        where=_where(compiler, rule),
        operands=operands,
        item=item.indicator_id if item else None,
        repeated_for=_indicators(compiler, rule),
        indicator_id=item.indicator_id if item else (own[0] if own else None),
    )


def _named(text: str, name: str | None) -> str:
    return text if name is None else text.replace("{item}", name)


def _asked(
    compiler: _Compiler, rule: Rule, by_id: Mapping[str, Rule], item: Indicator | None
) -> tuple[ex.Node, ex.Node | None]:
    """What must hold and where it is asked, for one indicator. Where the stricter rule this one
    yields to speaks, it is not asked."""
    assert rule.tree is not None
    tree = _with_item(compiler, rule.tree, item)
    guard = None if rule.guard is None else _with_item(compiler, rule.guard, item)
    stricter = by_id.get(rule.yields_to or "")
    if stricter is not None and stricter.tree is not None:
        passes = loosened(
            _with_item(compiler, stricter.tree, item), stricter.tolerance, item.unit if item else ""
        )
        guard = passes if guard is None else ex.Logic("and", (guard, passes))
    return tree, guard


# --- names ----------------------------------------------------------------------------------------


def rewritten(node: ex.Node, change: Callable[[ex.Name], ex.Node]) -> ex.Node:
    """The tree with every name replaced by what ``change`` makes of it."""
    match node:
        case ex.Name():
            return change(node)
        case ex.Negation(operand):
            return ex.Negation(rewritten(operand, change))
        case ex.Arithmetic(sign, left, right):
            return ex.Arithmetic(sign, rewritten(left, change), rewritten(right, change))
        case ex.Comparison(sign, left, right):
            return ex.Comparison(sign, rewritten(left, change), rewritten(right, change))
        case ex.Logic(word, parts):
            return ex.Logic(word, tuple(rewritten(part, change) for part in parts))
        case ex.Call(function, arguments):
            return ex.Call(function, tuple(rewritten(part, change) for part in arguments))
    return node


def _with_item(compiler: _Compiler, node: ex.Node, item: Indicator | None) -> ex.Node:
    """``item`` becomes the indicator, ``formula`` the indicator's formula over what is reported."""

    def change(name: ex.Name) -> ex.Node:
        if item is None or name.identifier not in (ITEM, FORMULA):
            return name
        if name.identifier == ITEM:
            return ex.Name(item.indicator_id, name.measure, name.offset)
        assert item.formula_tree is not None
        return rewritten(item.formula_tree, lambda part: _part(compiler, part))

    return rewritten(node, change)


def _part(compiler: _Compiler, name: ex.Name) -> ex.Node:
    """A part of a formula; one that is itself computed is computed from what is reported."""
    indicator = compiler.indicators[name.identifier]
    if indicator.formula_tree is None:
        return name
    return rewritten(indicator.formula_tree, lambda inner: _part(compiler, inner))


def _resolver(compiler: _Compiler, rule: Rule) -> Callable[[ex.Name], str]:
    """Column of a name in the table of what the rule judges."""
    words = VOCABULARY[rule.about]

    def resolve(name: ex.Name) -> str:
        plain = name.identifier.removeprefix(PRECISION)
        if plain in words:
            return name.identifier
        slot = compiler.slot(ex.Name(plain, name.measure, name.offset))
        if plain == name.identifier:
            return f"v{slot.number}"
        compiler.precise.add(slot.number)
        return f"p{slot.number}"

    return resolve


def _own_figures(compiler: _Compiler, rule: Rule, item: Indicator | None) -> Iterator[ex.Name]:
    """Figures of the file judged that the relation names, each once, in reading order."""
    seen: set[int] = set()
    for name in _figures(compiler, rule, item):
        slot = compiler.slot(name)
        if slot.kind == "own" and slot.number not in seen:
            seen.add(slot.number)
            yield name


def _figures(compiler: _Compiler, rule: Rule, item: Indicator | None) -> Iterator[ex.Name]:
    if rule.about != "park":
        return
    assert rule.tree is not None
    for tree in (rule.tree, rule.guard):
        if tree is not None:
            for name in ex.names(_with_item(compiler, tree, item)):
                if name.identifier not in VOCABULARY["park"]:
                    yield name


def _operands(compiler: _Compiler, rule: Rule, item: Indicator | None) -> Iterator[Operand]:
    """Figures and facts in the order the rule names them; figures of the file first."""
    if rule.about == "park":
        seen: dict[int, Operand] = {}
        for name in _figures(compiler, rule, item):
            slot = compiler.slot(name)
            seen.setdefault(slot.number, Operand(compiler.label(name), slot=slot.number))
        own = {slot.number for slot in compiler.slots.values() if slot.kind == "own"}
        yield from sorted(seen.values(), key=lambda operand: operand.slot not in own)
        if seen:
            return
    assert rule.tree is not None
    words = VOCABULARY[rule.about]
    trees = [tree for tree in (rule.tree, rule.guard) if tree is not None]
    used = dict.fromkeys(name.identifier for tree in trees for name in ex.names(tree))
    yield from (Operand(words[name], fact=name) for name in used if name in words)


# --- tolerance ------------------------------------------------------------------------------------


def loosened(node: ex.Node, tolerance: Tolerance | None, unit: str) -> ex.Node:
    """The condition with its tolerance: both sides of every comparison may differ by the largest
    allowance given. ``unit`` is that of the indicator the rule is about."""
    if tolerance is None:
        return node
    match node:
        case ex.Comparison(sign, left, right):
            allowed = _allowance(tolerance, unit, left, right)
            if sign == "=":
                gap = ex.Call("abs", (ex.Arithmetic("-", left, right),))
                return ex.Comparison("<=", gap, allowed)
            if sign in ("<", "<="):
                return ex.Comparison(sign, left, ex.Arithmetic("+", right, allowed))
            if sign in (">", ">="):
                return ex.Comparison(sign, ex.Arithmetic("+", left, allowed), right)
            return node
        case ex.Logic(word, parts) if word != "not":
            return ex.Logic(word, tuple(loosened(part, tolerance, unit) for part in parts))
    return node


def _allowance(tolerance: Tolerance, unit: str, left: ex.Node, right: ex.Node) -> ex.Node:
    in_points = tolerance.points is not None and unit == "%"
    parts: list[ex.Node] = []
    if in_points and tolerance.points is not None:
        parts.append(ex.Number(tolerance.points))
    if tolerance.absolute is not None:
        parts.append(ex.Number(tolerance.absolute))
    if tolerance.percent is not None and not in_points:
        larger = ex.Call("max", (ex.Call("abs", (left,)), ex.Call("abs", (right,))))
        parts.append(ex.Arithmetic("*", ex.Number(tolerance.percent / 100), larger))
    if tolerance.last_place is not None:
        parts.append(_last_places(tolerance.last_place, (left, right)))
    if not parts:
        return ex.Number(Decimal(0))
    return parts[0] if len(parts) == 1 else ex.Call("max", tuple(parts))


def _last_places(times: Decimal, sides: tuple[ex.Node, ...]) -> ex.Node:
    used = dict.fromkeys(name for side in sides for name in ex.names(side))
    total: ex.Node = ex.Number(Decimal(0))
    for name in used:
        one = ex.Name(PRECISION + name.identifier, name.measure, name.offset)
        total = ex.Arithmetic("+", total, ex.Call("coalesce", (one, ex.Number(Decimal(0)))))
    return ex.Arithmetic("*", ex.Number(times), total)


# --- where a rule applies -------------------------------------------------------------------------


def _where(compiler: _Compiler, rule: Rule) -> str:
    """Condition in SQL over the table of what is judged. Only ids of the catalogue reach it."""
    asked = rule.applies_to
    parts = [_within(rule)]
    for column, wanted in (
        ("source_id", asked.sources),
        ("layout_id", asked.layouts),
        ("format", asked.formats),
        ("maturity", asked.maturities),
        ("measure", asked.measures),
        ("indicator_id", asked.indicators or _indicators(compiler, rule)),
    ):
        if wanted:
            parts.append(f"{column} IN ({_listed(wanted)})")
    if asked.months:
        parts.append(f"month IN ({', '.join(map(str, asked.months))})")
    if asked.first_month is not None:
        parts.append("is_first_month" if asked.first_month == "only" else "NOT is_first_month")
    if rule.about == "park":
        parts.append("is_total" if asked.rows == "totals" else "NOT is_total")
    if asked.area_level is not None:
        parts.append(f"area_level = '{asked.area_level}'")
    if asked.park:
        parts.append(_parks(compiler, rule))
    return " AND ".join(part for part in parts if part) or "true"


def _listed(words: Iterable[str]) -> str:
    return ", ".join("'" + word.replace("'", "''") + "'" for word in words)


def _within(rule: Rule) -> str:
    """The periods whose last day lies within the rule's validity."""
    parts = []
    if rule.valid_from is not None:
        parts.append(f"period >= '{rule.valid_from:%Y-%m}'")
    if rule.valid_to is not None:  # a month counts when its last day comes before it
        parts.append(f"period < '{rule.valid_to:%Y-%m}'")
    return " AND ".join(parts)


def _indicators(compiler: _Compiler, rule: Rule) -> tuple[str, ...]:
    if rule.each is None or rule.about == "park":
        return ()
    found = tuple(i.indicator_id for i in compiler.indicators.values() if rule.each.matches(i))
    return found or ("",)  # nothing matches: nothing is asked


def _parks(compiler: _Compiler, rule: Rule) -> str:
    """Parks that have the attributes asked for, while they have them."""
    spans: dict[tuple[str, str], list[str]] = {}
    for park in compiler.parks:
        if any(one.matches(park) for one in rule.applies_to.park):
            begin = f"{park.valid_from:%Y-%m}" if park.valid_from else "0000-00"
            end = f"{park.valid_to:%Y-%m}" if park.valid_to else "9999-99"
            spans.setdefault((begin, end), []).append(park.park_id)
    if not spans:
        return "false"
    parts = [
        f"(park_id IN ({_listed(sorted(ids))}) AND period >= '{begin}' AND period < '{end}')"
        for (begin, end), ids in sorted(spans.items())
    ]
    return f"({' OR '.join(parts)})"


# --- words ----------------------------------------------------------------------------------------


def in_words(rule: Rule, label: Callable[[ex.Name], str], item: Indicator | None = None) -> str:
    """The relation in words: 规模以上工业企业数不大于入驻企业数. Only of rules without a bound."""
    if rule.tree is None:
        return rule.expected
    words = VOCABULARY[rule.about]

    def name_of(name: ex.Name) -> str:
        if name.identifier in words:
            return words[name.identifier]
        if name.identifier == ITEM:
            return (
                label(ex.Name(item.indicator_id, name.measure, name.offset)) if item else "该指标"
            )
        return "按公式计算的数" if name.identifier == FORMULA else label(name)

    return _words(rule.tree, name_of)


def _words(node: ex.Node, name_of: Callable[[ex.Name], str]) -> str:
    match node:
        case ex.Comparison(sign, left, right):
            if isinstance(right, ex.Number) and right.value == 0:
                zero = {"=": "为零", "!=": "不为零", ">": "大于零", ">=": "不为负", "<": "为负"}
                if sign in zero:
                    return f"{_words(left, name_of)}{zero[sign]}"
            return f"{_words(left, name_of)}{_COMPARE_ZH[sign]}{_words(right, name_of)}"
        case ex.Logic("not", (operand,)):
            return f"并非“{_words(operand, name_of)}”"
        case ex.Logic(word, parts):
            joint = "且" if word == "and" else ",或"
            return joint.join(_words(part, name_of) for part in parts)
    return ex.to_text(node, name_of)
