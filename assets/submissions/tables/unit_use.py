"""The unit a column was written in, and its exact factor to the indicator's unit.

Belongs here: choosing among head, unit row, unit line and default, and saying why none fits. Does
not belong here: the unit table or conversions themselves (`units`), or where the texts stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from assets.submissions.values.units import Unit, UnitMismatch, Units, unit_word

BY_LAYOUT = "布局默认"
"""Evidence of a unit that the layout gives, not the file."""


MONEY = {"money", "money_usd"}
"""Dimensions that only a rate of exchange joins: a figure in one is never one in the other."""


@dataclass(frozen=True, slots=True)
class UnitUse:
    """Unit a value was written in and its exact factor to the indicator's unit.

    ``problem`` (Chinese) is set when the factor cannot be told; such values stay unresolved.
    """

    raw: str
    factor: Fraction = Fraction(1)
    evidence: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class UnitSources:
    """Candidates for the unit of a column, strongest first. Hard ones must fit, soft ones may."""

    hard: tuple[tuple[str, str], ...]
    soft: tuple[tuple[str, str], ...]
    said: tuple[tuple[str, str], ...] = ()
    """Units named anywhere in the texts around the table: none of them may contradict a soft one."""


def unit_use(units: Units, wanted: str, sources: UnitSources, *, growth: bool = False) -> UnitUse:
    """Choose the unit: the head's own, then the unit line or default of the same dimension.

    For growth rates only shares count: `工业总产值(万元)/增长` is a percentage. Without any
    candidate the value is in the indicator's unit. A unit that was not said of the column itself is not
    used where a note names another one of the same dimension.
    """
    for text, evidence in sources.hard:
        if growth and unit_word(text) == "倍":
            return UnitUse(text, evidence=evidence, problem="增速应为百分数，而写的单位是“倍”")
        if growth and not _is_share(units, text):
            continue
        use = _hard(units, wanted, text, evidence)
        return _unless_denied(units, use, sources) if evidence == BY_LAYOUT else use
    use = _soft(units, wanted, sources, growth=growth)
    return use if growth else _unless_denied(units, use, sources)


def _unless_denied(units: Units, use: UnitUse, sources: UnitSources) -> UnitUse:
    """``use``, or its problem when a text beside the table states another unit of its dimension."""
    mine = units.resolve(use.raw)
    for text, evidence in sources.said:
        unit = units.resolve(text, mine.dimension if mine else None)
        if mine is None or unit is None or unit.dimension != mine.dimension:
            continue
        if units.factor(unit, mine) != 1:
            why = f"{use.evidence}是“{use.raw}”，而{evidence}写的单位是“{text}”"
            return UnitUse(use.raw, evidence=use.evidence, problem=why)
    return use


def _soft(units: Units, wanted: str, sources: UnitSources, *, growth: bool) -> UnitUse:
    target = units.resolve(wanted)
    for text, evidence in sources.soft:
        unit = units.resolve(text, target.dimension) if target else None
        if target and unit and unit.dimension == target.dimension:
            use = UnitUse(text, units.factor(unit, target), evidence)
            return use if growth else _unless_shared(units, use, unit, sources)
        foreign = units.resolve(text) if target and evidence != BY_LAYOUT else None
        if target and foreign and {target.dimension, foreign.dimension} == MONEY:
            why = f"{evidence}写的是“{text}”，与“{wanted}”不是同一币种"
            return UnitUse(text, evidence=evidence, problem=why)
        if target is None and unit_word(text) == unit_word(wanted):
            return UnitUse(text, evidence=evidence)
    return UnitUse(wanted, evidence="口径默认" if growth else "指标目录")


def _unless_shared(units: Units, use: UnitUse, mine: Unit, sources: UnitSources) -> UnitUse:
    """``use``, or its problem when the same line names a second unit of its dimension: 万元或亿元."""
    for text, evidence in sources.soft:
        unit = units.resolve(text, mine.dimension)
        if unit is None or unit.dimension != mine.dimension or evidence != use.evidence:
            continue
        if units.factor(unit, mine) != 1:
            why = f"{evidence}同时写了“{use.raw}”和“{text}”，不能确定该列用的是哪一个"
            return UnitUse(use.raw, evidence=evidence, problem=why)
    return use


def _is_share(units: Units, text: str) -> bool:
    unit = units.resolve(text)
    return unit is not None and unit.dimension in ("share", "point")


def _hard(units: Units, wanted: str, text: str, evidence: str) -> UnitUse:
    if unit_word(text) == unit_word(wanted):
        return UnitUse(text, evidence=evidence)
    target = units.resolve(wanted)
    unit = units.resolve(text, target.dimension if target else None)
    if unit is None:
        return UnitUse(text, evidence=evidence, problem=f"计量单位“{text}”没有登记")
    if target is None:
        return UnitUse(text, evidence=evidence, problem=f"不能由“{text}”换算为“{wanted}”")
    try:
        return UnitUse(text, units.factor(unit, target), evidence)
    except UnitMismatch as error:
        return UnitUse(text, evidence=evidence, problem=str(error))


def factor_text(factor: Fraction) -> str:
    """An exact factor as printed: ``10000``, ``0.0001`` or ``1/15``."""
    if factor.denominator == 1:
        return str(factor.numerator)
    value = decimal_factor(factor)
    return format(value, "f") if value is not None else f"{factor.numerator}/{factor.denominator}"


def decimal_factor(factor: Fraction) -> Decimal | None:
    """The factor as a terminating decimal, if it is one."""
    rest = factor.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return None
    return Decimal(factor.numerator) / Decimal(factor.denominator)
