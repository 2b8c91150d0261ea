"""Rules against each other: contradictory, redundant, identical, expired, without use.

Belongs here: comparing rules by their expressions alone. Does not belong here: data, or whether a
reference exists (the catalogue's own checks refuse that when it is loaded).

Method: a rule whose expression is a conjunction of comparisons of linear terms in figures that are
never negative becomes difference bounds ``x - y <= c``; shortest paths over them give what the rules
say together. A negative circle is a contradiction; a bound that the others give without it is
redundant (Pratt 1977, two-variable difference constraints). Rules with tolerance, conditions or
other forms take part only in the comparison of normal forms.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from quality.rules.compile import RuleSource
from warehouse.catalog import expression as ex
from warehouse.catalog.models import Indicator
from warehouse.catalog.rules import FORMULA, ITEM, VOCABULARY, Rule

Linear = tuple[tuple[tuple[str, Decimal], ...], Decimal]
"""Sorted (name, factor) terms and a constant."""
ZERO = ""
_MIRROR = {"<=": ">=", ">=": "<=", "<": ">", ">": "<", "=": "=", "!=": "!="}
_RANK = {"error": 0, "verify": 1, "hint": 2}


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """One remark on the catalogue's rules. ``serious``: no data can satisfy them together."""

    kind: str
    rule_ids: tuple[str, ...]
    message: str
    serious: bool = False


def compare_rules(catalog: RuleSource, today: date | None = None) -> list[RuleProblem]:
    """Remarks on the enabled rules, serious ones first; with ``today`` also those that have ended."""
    rules = sorted((r for r in catalog.rules if r.enabled), key=lambda rule: rule.rule_id)
    found = [*_identical(rules), *_bounds_against_each_other(rules, catalog.indicators)]
    found += _without_use(rules, catalog.indicators)
    if today is not None:
        found += [
            RuleProblem("expired", (r.rule_id,), f"{r.rule_id} 已于 {r.valid_to} 失效,不再执行")
            for r in rules
            if r.valid_to is not None and r.valid_to <= today
        ]
    return sorted(found, key=lambda p: (not p.serious, p.kind, p.rule_ids))


# --- normal forms ---------------------------------------------------------------------------------


def linear(node: ex.Node) -> Linear | None:
    """The node as a sum of multiples of names and a constant; None when it is none."""
    match node:
        case ex.Number(value):
            return (), value
        case ex.Name():
            return ((str(node), Decimal(1)),), Decimal(0)
        case ex.Negation(operand):
            return _scaled(linear(operand), Decimal(-1))
        case ex.Arithmetic("+", left, right):
            return _added(linear(left), linear(right))
        case ex.Arithmetic("-", left, right):
            return _added(linear(left), _scaled(linear(right), Decimal(-1)))
        case ex.Arithmetic("*", left, right):
            a, b = linear(left), linear(right)
            if a is not None and not a[0]:
                return _scaled(b, a[1])
            return _scaled(a, b[1]) if b is not None and not b[0] else None
        case ex.Arithmetic("/", left, right):
            divisor = linear(right)
            if divisor is None or divisor[0] or divisor[1] == 0:
                return None
            return _scaled(linear(left), 1 / divisor[1])
    return None


def _scaled(term: Linear | None, factor: Decimal) -> Linear | None:
    if term is None:
        return None
    return tuple((name, f * factor) for name, f in term[0] if f * factor), term[1] * factor


def _added(a: Linear | None, b: Linear | None) -> Linear | None:
    if a is None or b is None:
        return None
    total: dict[str, Decimal] = {}
    for name, factor in (*a[0], *b[0]):
        total[name] = total.get(name, Decimal(0)) + factor
    return tuple(sorted((n, f) for n, f in total.items() if f)), a[1] + b[1]


def normal_form(node: ex.Node) -> str:
    """Text that equal conditions share: sides collected, scaled, order of ``and``/``or`` forgotten."""
    match node:
        case ex.Comparison(sign, left, right):
            term = _added(linear(left), _scaled(linear(right), Decimal(-1)))
            if term is not None and term[0]:
                return _comparison_form(sign, term)
            if sign in (">", ">="):
                sign, left, right = _MIRROR[sign], right, left
            sides = [ex.to_text(left), ex.to_text(right)]
            return f"{sign} {sorted(sides) if sign in ('=', '!=') else sides}"
        case ex.Logic(word, parts):
            inner = sorted({piece for part in parts for piece in _flat(word, part)})
            return f"({word} {' '.join(inner)})"
    return ex.to_text(node)


def _flat(word: str, node: ex.Node) -> Iterator[str]:
    if isinstance(node, ex.Logic) and node.operator == word and word != "not":
        for part in node.operands:
            yield from _flat(word, part)
    else:
        yield normal_form(node)


def _comparison_form(sign: str, term: Linear) -> str:
    lead = term[0][0][1]
    scaled = _scaled(term, 1 / abs(lead))
    assert scaled is not None
    if lead < 0:
        sign = _MIRROR[sign]
        scaled = _scaled(scaled, Decimal(-1))
        assert scaled is not None
    terms = " ".join(f"{_plain(f)}*{name}" for name, f in scaled[0])
    return f"{terms} {sign} {_plain(-scaled[1])}"


def _plain(value: Decimal) -> str:
    return format(value.quantize(Decimal("1.000000000000")).normalize(), "f")


def _identical(rules: Sequence[Rule]) -> Iterator[RuleProblem]:
    """Rules that ask the same of the same."""
    seen: dict[str, Rule] = {}
    for rule in rules:
        if rule.tree is None:
            continue
        key = json.dumps(
            [rule.about, normal_form(rule.tree), normal_form(rule.guard) if rule.guard else "",
             rule.each.model_dump(mode="json") if rule.each else None,
             rule.applies_to.model_dump(mode="json"),
             rule.tolerance.model_dump(mode="json") if rule.tolerance else None,
             str(rule.valid_from), str(rule.valid_to)],
            ensure_ascii=False, sort_keys=True,
        )  # fmt: skip
        first = seen.setdefault(key, rule)
        if first is not rule:
            yield RuleProblem(
                "identical", (first.rule_id, rule.rule_id),
                f"{first.rule_id} 与 {rule.rule_id} 关系相同,同一问题会报两次;删去其一",
            )  # fmt: skip


# --- bounds ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Bound:
    """``low - high <= limit`` between two figures (``ZERO``: the constant zero)."""

    low: str
    high: str
    limit: Decimal
    rule_id: str
    severity: str


def _bounds_against_each_other(
    rules: Sequence[Rule], indicators: Iterable[Indicator]
) -> Iterator[RuleProblem]:
    bounds = [bound for rule in rules for bound in _bounds_of(rule)]
    names = {name for bound in bounds for name in (bound.low, bound.high)} - {ZERO}
    never_negative = {i.indicator_id for i in indicators if i.non_negative}
    ground = [_Bound(ZERO, n, Decimal(0), "", "error") for n in sorted(names & never_negative)]
    yield from _contradictions([*bounds, *ground])
    for bound in bounds:
        others = [
            b for b in [*bounds, *ground] if b.rule_id != bound.rule_id and _as_strict(b, bound)
        ]
        by = _implied(bound, others)
        if by:
            yield RuleProblem(
                "redundant", (bound.rule_id, *by),
                f"{bound.rule_id} 已由 {'、'.join(by)} 推出,可以删去(留着会多报一次)",
            )  # fmt: skip


def _as_strict(other: _Bound, bound: _Bound) -> bool:
    return _RANK[other.severity] <= _RANK[bound.severity]


def _bounds_of(rule: Rule) -> Iterator[_Bound]:
    """Difference bounds of a rule that always applies to every park, without tolerance."""
    everywhere = rule.applies_to == type(rule.applies_to)()
    if rule.tree is None or rule.about != "park" or rule.when or rule.each or not everywhere:
        return
    if rule.tolerance is not None or rule.valid_from or rule.valid_to:
        return
    for part in _conjuncts(rule.tree):
        if isinstance(part, ex.Comparison):
            yield from _bounds_of_comparison(part, rule)


def _conjuncts(node: ex.Node) -> Iterator[ex.Node]:
    if isinstance(node, ex.Logic) and node.operator == "and":
        for part in node.operands:
            yield from _conjuncts(part)
    else:
        yield node


def _bounds_of_comparison(part: ex.Comparison, rule: Rule) -> Iterator[_Bound]:
    term = _added(linear(part.left), _scaled(linear(part.right), Decimal(-1)))
    signs = {"<": [1], "<=": [1], ">": [-1], ">=": [-1], "=": [1, -1]}.get(part.operator, [])
    for sign in signs:
        side = _scaled(term, Decimal(sign))  # side <= 0
        pair = _difference(side) if side is not None else None
        if pair is not None and side is not None:
            yield _Bound(pair[0], pair[1], -side[1], rule.rule_id, rule.severity)


def _difference(term: Linear) -> tuple[str, str] | None:
    """(x, y) of ``x - y``, either of which may be missing; None for any other form."""
    plus = [name for name, factor in term[0] if factor == 1]
    minus = [name for name, factor in term[0] if factor == -1]
    if len(plus) + len(minus) != len(term[0]) or len(plus) > 1 or len(minus) > 1 or not term[0]:
        return None
    return (plus[0] if plus else ZERO, minus[0] if minus else ZERO)


def _contradictions(bounds: Sequence[_Bound]) -> Iterator[RuleProblem]:
    """A negative circle: bounds no figures can satisfy together (the first found)."""
    nodes = sorted({n for b in bounds for n in (b.low, b.high)})
    distance = dict.fromkeys(nodes, Decimal(0))
    came: dict[str, _Bound] = {}
    last: str | None = None
    for _ in range(len(nodes) + 1):
        last = None
        for b in bounds:
            if distance[b.high] + b.limit < distance[b.low]:
                distance[b.low], came[b.low], last = distance[b.high] + b.limit, b, b.low
    if last is None:
        return
    for _ in nodes:
        last = came[last].high
    circle, step = [], last
    while True:
        circle.append(came[step])
        step = came[step].high
        if step == last:
            break
    ids = tuple(sorted({b.rule_id for b in circle if b.rule_id}))
    yield RuleProblem(
        "contradictory",
        ids,
        f"{'、'.join(ids)} 不能同时满足,任何数据都会不通过;请改正或停用其一",
        True,
    )


def _implied(bound: _Bound, others: Sequence[_Bound]) -> tuple[str, ...]:
    """Rules whose bounds together give ``bound``; empty when they do not."""
    distance: dict[str, Decimal] = {bound.high: Decimal(0)}
    came: dict[str, _Bound] = {}
    for _ in range(len({n for b in others for n in (b.low, b.high)}) + 1):
        changed = False
        for b in others:
            if b.high in distance and (
                b.low not in distance or distance[b.high] + b.limit < distance[b.low]
            ):
                distance[b.low], came[b.low], changed = distance[b.high] + b.limit, b, True
        if not changed:
            break
    if bound.low not in distance or distance[bound.low] > bound.limit:
        return ()
    used, step, seen = set(), bound.low, set()
    while step != bound.high and step not in seen:
        seen.add(step)
        used.add(came[step].rule_id)
        step = came[step].high
    return tuple(sorted(used - {""}))


# --- use ------------------------------------------------------------------------------------------


def _without_use(rules: Sequence[Rule], indicators: Iterable[Indicator]) -> Iterator[RuleProblem]:
    """Rules repeated for no indicator, or that name one the catalogue does not have."""
    known: Mapping[str, Indicator] = {i.indicator_id: i for i in indicators}
    for rule in rules:
        if rule.each is not None and not any(rule.each.matches(i) for i in known.values()):
            yield RuleProblem("no_use", (rule.rule_id,), f"{rule.rule_id} 的 each 没有匹配任何指标")
        if rule.tree is None or rule.about != "park":
            continue
        words = {ITEM, FORMULA, *VOCABULARY["park"]}
        missing = sorted(ex.identifiers(rule.tree) - words - set(known))
        if missing:
            yield RuleProblem(
                "unknown",
                (rule.rule_id,),
                f"{rule.rule_id} 引用了目录没有的指标 {'、'.join(missing)}",
                True,
            )
