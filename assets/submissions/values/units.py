"""Units of measure: found in heads and title lines, looked up, converted exactly.

Belongs here: the unit table read from the catalogue, finding "单位：万元、户", exact factors.
Does not belong here: the unit a value should have (the indicator says), numbers, or any data of
units (``warehouse/catalog/common/units.yaml``). Units of different dimensions never convert.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from assets.submissions.values.characters import squeeze

DECIMALS = 8
"""Decimals a converted value keeps: those of the warehouse's DECIMAL(28,8)."""

SCALES = ("千", "万", "十万", "百万", "千万", "亿", "十亿", "百亿", "千亿", "万亿")
"""Scale words that may stand in a cell without a unit ("12万"): the column's unit follows."""

_LAST_PLACE = Decimal(1).scaleb(-DECIMALS)
_WIDE = Context(prec=80, rounding=ROUND_HALF_UP)


class UnitMismatch(ValueError):  # noqa: N818 - what happened, in the words of its message
    """Two units cannot be converted into each other; the text says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measure; ``factor`` is how many of its dimension's base unit one of it is."""

    id: str
    dimension: str
    factor: Fraction
    words: tuple[str, ...]
    """Every writing it is known by, the id first."""
    only_when_asked: bool = False

    def __str__(self) -> str:
        return self.id


def unit_word(text: str) -> str:
    """The form in which units are compared: no spaces or brackets around, ASCII in lower case."""
    word = squeeze(text).lower().replace("萬", "万").replace("億", "亿")
    enclosed = len(word) > 2 and word[0] + word[-1] in ("()", "[]", "【】")
    return word[1:-1] if enclosed and word[-1] not in word[:-1] else word


class Units:
    """The unit table. Build it with `Units.from_mapping`, or take the `shipped` one."""

    def __init__(self, units: Mapping[str, Unit], dimension_names: Mapping[str, str]) -> None:
        self._units = dict(units)
        self._dimension_names = dict(dimension_names)
        self._default: dict[str, Unit] = {}
        self._in_dimension: dict[tuple[str, str], Unit] = {}
        for unit in self._units.values():
            self._register(unit)

    @classmethod
    def from_mapping(cls, *catalogues: Mapping[str, Any]) -> Units:
        """Units of one or more catalogue files (``dimensions`` and ``units`` lists).

        An entry of a later file replaces the entry with the same id. Raises ``ValueError`` for an
        inexact or missing factor, an unknown dimension, or one word for two units.
        """
        dimensions = {d["id"]: d for c in catalogues for d in c.get("dimensions", ())}
        entries = {str(u["id"]): u for c in catalogues for u in c.get("units", ())}
        names = {key: str(entry["name"]) for key, entry in dimensions.items()}
        return cls({key: _read_unit(entry, names) for key, entry in entries.items()}, names)

    def __iter__(self) -> Iterator[Unit]:
        return iter(self._units.values())

    def words(self) -> frozenset[str]:
        """Every writing of every unit, as `unit_word` gives it."""
        return frozenset(word for word, _ in self._in_dimension)

    def dimension_name(self, dimension: str) -> str:
        """Chinese name of a dimension, for messages."""
        return self._dimension_names.get(dimension, dimension)

    def resolve(self, text: str, dimension: str | None = None) -> Unit | None:
        """The unit a text names, or ``None``.

        Some writings belong to two dimensions (万平方米: floor and land). Without ``dimension``
        such a writing is the ordinary one (floor); only a caller who knows the indicator's
        dimension gets the other. A ``dimension`` the word does not belong to changes nothing, so
        that the mismatch shows in `factor`.
        """
        word = unit_word(text)
        return self._in_dimension.get((word, dimension or "")) or self._default.get(word)

    def factor(self, from_unit: Unit | str, to_unit: Unit | str) -> Fraction:
        """How many ``to_unit`` one ``from_unit`` is, exactly. Raises `UnitMismatch`."""
        source, target = self._known(from_unit), self._known(to_unit)
        if source.dimension != target.dimension:
            self._refuse(source, target)
        return source.factor / target.factor

    def convert(self, value: Decimal, from_unit: Unit | str, to_unit: Unit | str) -> Decimal:
        """``value`` in another unit: exact rational arithmetic, then 8 decimals, half up.

        Raises `UnitMismatch`, as `factor` does.
        """
        return scaled(value, self.factor(from_unit, to_unit))

    def in_column(self, suffix: str | None, column: Unit) -> Unit:
        """Unit of a cell that carries ``suffix`` ("亿元", "万", "%") in a column of ``column``.

        A suffix that is a whole unit wins over the column's. A bare scale word multiplies the
        column's unit ("12万" under 人 is 万人); under a unit that is itself scaled (万元) it could
        mean two amounts and raises `UnitMismatch`, as does a suffix of another dimension.
        """
        if not suffix:
            return column
        if suffix in SCALES:
            return self._with_scale(suffix, column)
        unit = self.resolve(suffix, column.dimension)
        if unit is None:
            raise UnitMismatch(f"单元格里的“{suffix}”不是已登记的计量单位")
        if unit.dimension != column.dimension:
            self._refuse(unit, column)
        return unit

    def _register(self, unit: Unit) -> None:
        for word in dict.fromkeys(map(unit_word, unit.words)):
            # a unit only used when asked gives up its aliases, not its own name
            plain = not unit.only_when_asked or word == unit_word(unit.id)
            if (word, unit.dimension) in self._in_dimension or (plain and word in self._default):
                raise ValueError(f"计量单位“{unit.id}”的写法“{word}”与另一个单位重复")
            self._in_dimension[word, unit.dimension] = unit
            if plain:
                self._default[word] = unit

    def _known(self, unit: Unit | str) -> Unit:
        if isinstance(unit, Unit):
            return unit
        found = self._units.get(unit) or self.resolve(unit)
        if found is None:
            raise UnitMismatch(f"“{unit}”不是已登记的计量单位")
        return found

    def _with_scale(self, scale: str, column: Unit) -> Unit:
        unit = self.resolve(scale + column.id, column.dimension)
        if unit is None or self._is_scaled(column):
            raise UnitMismatch(
                f"单元格里写有“{scale}”，而本列单位是“{column.id}”，不能确定数值的单位，请写明完整单位"
            )
        return unit

    def _is_scaled(self, unit: Unit) -> bool:
        """Whether a unit is a scale word before another one (万元), unlike 千瓦时 or 百分点."""
        rest = unit.id.lstrip("十百千万亿")
        return rest != unit.id and (unit_word(rest), unit.dimension) in self._in_dimension

    def _refuse(self, source: Unit, target: Unit) -> NoReturn:
        raise UnitMismatch(
            f"“{source.id}”是{self.dimension_name(source.dimension)}单位，"
            f"“{target.id}”是{self.dimension_name(target.dimension)}单位，不能换算"
        )


def scaled(value: Decimal, factor: Fraction) -> Decimal:
    """``value × factor`` rounded half up (away from zero) to 8 decimals, without binary floats."""
    if factor == 1:
        return value.quantize(_LAST_PLACE, context=_WIDE)
    exact = Fraction(value) * factor * 10**DECIMALS
    whole, rest = divmod(abs(exact.numerator), exact.denominator)
    whole += 2 * rest >= exact.denominator
    digits = tuple(map(int, str(whole)))
    return Decimal((int(exact < 0 and whole > 0), digits, -DECIMALS))


@cache
def shipped() -> Units:
    """The units shipped for every workspace (``warehouse/catalog/common/units.yaml``)."""
    return Units.from_mapping(read_common("units.yaml"))


def read_common(name: str) -> dict[str, Any]:
    """A YAML file of the shipped common catalogue as plain data."""
    import yaml

    import warehouse

    path = Path(warehouse.__path__[0]) / "catalog" / "common" / name
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def _read_unit(entry: Mapping[str, Any], dimensions: Mapping[str, str]) -> Unit:
    name, factor = str(entry["id"]), entry.get("factor")
    if entry.get("dimension") not in dimensions:
        raise ValueError(f"计量单位“{name}”的量纲“{entry.get('dimension')}”没有登记")
    if not isinstance(factor, str | int) or isinstance(factor, bool):
        raise ValueError(f"计量单位“{name}”的换算系数须写成带引号的小数或分数，如 '1/15'")
    exact = Fraction(factor)
    if exact <= 0:
        raise ValueError(f"计量单位“{name}”的换算系数须大于零")
    words = (name, *map(str, entry.get("aliases", ())))
    asked = bool(entry.get("only_when_asked", False))
    return Unit(name, entry["dimension"], exact, words, asked)
