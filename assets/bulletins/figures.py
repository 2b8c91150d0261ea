"""Figures (数字): every printed number, registered once with its source, text and rounding.

Belongs here: rounding half-up, the text form of a number, stable figure ids, the registry.
Does not belong here: words around a number (wording), or where it is printed (model, templates).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

MISSING = "—"
"""Printed for a value that does not exist. Never 0."""
BELOW_UNIT = "…"
"""Printed for an amount that is not zero but rounds to it (数据不足本表最小单位数)."""

LEAST_CHANCE = Decimal(2)
"""Chances below 2 % or above 98 % are printed as bounds: events said to be rarer did happen."""

Form = Literal["number", "magnitude"]
"""``number`` keeps the sign (tables); ``magnitude`` drops it because a word says it (下降3.2%)."""

_ID = re.compile(r"[^\s\"'<>&|]+")


class FigureError(ValueError):
    """A figure is registered twice with different content, has no valid id, or is unknown."""


def round_half_up(value: Decimal, decimals: int) -> Decimal:
    """``value`` rounded half away from zero (四舍五入), never negative zero."""
    rounded = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return abs(rounded) if rounded == 0 else rounded


def format_number(value: Decimal | None, decimals: int | None, *, below_unit: bool = False) -> str:
    """Text of a number as official documents print it: no thousands separators, ASCII minus.

    ``decimals`` None prints the value as it was given, without trailing zeros (a policy's "2000").
    ``below_unit`` prints a non-zero amount that rounds to zero as … instead of 0.00.
    """
    if value is None:
        return MISSING
    if not value.is_finite():
        raise FigureError(f"not a number: {value}")
    if decimals is None:
        # normalize() would give 2E+3, and rounds to the context's precision
        text = format(value, "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text in ("-0", "") else text
    rounded = round_half_up(value, decimals)
    if below_unit and rounded == 0 and value != 0:
        return BELOW_UNIT
    return format(rounded, "f")


def format_chance(percent: Decimal | None) -> str:
    """Text of a probability in per cent: whole, never 0 or 100: ``37``, ``低于2``, ``高于98``."""
    if percent is None:
        return MISSING
    if not 0 <= percent <= 100:
        raise FigureError(f"not a probability in per cent: {percent}")
    if percent < LEAST_CHANCE:
        return f"低于{LEAST_CHANCE}"
    if percent > 100 - LEAST_CHANCE:
        return f"高于{100 - LEAST_CHANCE}"
    return format(round_half_up(percent, 0), "f")


@dataclass(frozen=True, slots=True)
class Figure:
    """One printed number.

    ``value`` is unrounded, in ``unit`` (the printed unit); None means there is no value. ``text``
    is what is printed. ``source_table``/``source_key`` name the warehouse row and column it was
    read from; a computed figure says ``formula`` over the ids in ``inputs`` instead of a column.
    """

    figure_id: str
    label: str
    value: Decimal | None
    unit: str
    period: str
    decimals: int | None
    text: str
    source_table: str
    source_key: str
    formula: str = ""
    inputs: tuple[str, ...] = ()
    chance: bool = False

    @property
    def rounding(self) -> str:
        """Rounding rule as stored in ``bulletins.figure``."""
        if self.chance:
            return f"chance:{LEAST_CHANCE}"
        return "as_given" if self.decimals is None else f"half_up:{self.decimals}"

    @property
    def is_missing(self) -> bool:
        """True when there is no value to print."""
        return self.value is None

    def show(self, form: Form = "number", *, unit: bool = False) -> str:
        """Printed text, e.g. ``-3.2``, ``3.2`` (magnitude) or ``-3.2%`` (with unit)."""
        text = self.text.removeprefix("-") if form == "magnitude" else self.text
        return text + self.unit if unit and not self.is_missing else text

    def to_row(self) -> dict[str, object]:
        """Row for ``bulletins.figure`` (without the edition's key)."""
        row = asdict(self)
        row["inputs"] = list(self.inputs)
        row["rounding"] = self.rounding
        return row


def figure_id(period: str, *parts: str) -> str:
    """Stable, readable id: ``figure_id("2020-06", "P", "C04", "total") == "202006-P-C04-total"``.

    Depends on names only, so the same data gives the same ids on every build and edition.
    """
    cleaned = (re.sub(r"[\s\"'<>&|/]+", "_", part) for part in (period.replace("-", ""), *parts))
    return "-".join(cleaned)


def row_key(**columns: str | None) -> str:
    """Key of the warehouse row a figure comes from, as JSON: same columns, same text.

    ``column`` names the column read; without it the figure counts or sums the rows the other
    columns select.
    """
    return json.dumps(columns, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class FigureBook:
    """Registry of a document's figures. An id means one number, everywhere in the document."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}

    def add(
        self,
        figure_id: str,
        label: str,
        value: Decimal | int | None,
        *,
        unit: str,
        period: str,
        decimals: int | None,
        source_table: str,
        source_key: str,
        formula: str = "",
        inputs: Iterable[Figure] = (),
        below_unit: bool = False,
        chance: bool = False,
    ) -> Figure:
        """Register a number and return its figure; the text is computed here and only here.

        ``chance``: the value is a probability in per cent (``format_chance``).

        Registering the same id again with the same content returns the same figure; with other
        content it raises :class:`FigureError`.
        """
        if not _ID.fullmatch(figure_id):
            raise FigureError(f"not a figure id: {figure_id!r}")
        exact = Decimal(value) if isinstance(value, int) else value
        figure = Figure(
            figure_id=figure_id,
            label=label,
            value=exact,
            unit=unit,
            period=period,
            decimals=decimals,
            text=format_chance(exact)
            if chance
            else format_number(exact, decimals, below_unit=below_unit),
            source_table=source_table,
            source_key=source_key,
            formula=formula,
            inputs=tuple(item.figure_id for item in inputs),
            chance=chance,
        )
        known = self._figures.setdefault(figure_id, figure)
        if known != figure:
            raise FigureError(
                f"figure {figure_id} registered twice: {known.value} ({known.source_key}) "
                f"and {figure.value} ({figure.source_key})"
            )
        return known

    def __getitem__(self, figure_id: str) -> Figure:
        try:
            return self._figures[figure_id]
        except KeyError:
            raise FigureError(f"unknown figure: {figure_id}") from None

    def __contains__(self, figure_id: str) -> bool:
        return figure_id in self._figures

    def __iter__(self) -> Iterator[Figure]:
        return iter(self._figures.values())

    def __len__(self) -> int:
        return len(self._figures)

    def closure(self, ids: Iterable[str]) -> tuple[Figure, ...]:
        """The figures ``ids`` and all they are computed from, sorted by id."""
        wanted: set[str] = set()
        pending = list(ids)
        while pending:
            current = pending.pop()
            if current not in wanted:
                wanted.add(current)
                pending.extend(self[current].inputs)
        return tuple(self[name] for name in sorted(wanted))


DISPLAY_UNITS: Mapping[str, tuple[str, Decimal, int]] = {
    "万元": ("亿元", Decimal("0.0001"), 2),
    "亿元": ("亿元", Decimal(1), 2),
    "人": ("万人", Decimal("0.0001"), 2),
    "万人": ("万人", Decimal(1), 2),
    "%": ("%", Decimal(1), 1),
    "百分点": ("个百分点", Decimal(1), 1),
    "Thousand Dollars": ("亿美元", Decimal("0.00001"), 2),
    "Megawatthours": ("亿千瓦时", Decimal("0.00001"), 2),
    "Cents/kWh": ("美分/千瓦时", Decimal(1), 2),
}
"""Canonical unit → printed unit, factor and decimals: money in 亿元, persons in 万人."""

WHOLE_UNITS = ("户", "个", "家", "项", "次")
"""Units of things that are counted: always printed whole."""


def display_unit(unit: str, decimals: int) -> tuple[str, Decimal, int]:
    """Printed unit, factor from the canonical unit, decimals (the indicator's own if unlisted)."""
    if unit in WHOLE_UNITS:
        return unit, Decimal(1), 0
    return DISPLAY_UNITS.get(unit, (unit, Decimal(1), decimals))
