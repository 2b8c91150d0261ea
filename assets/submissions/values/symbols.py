"""What signs and words mean that stand in a cell instead of a number, per source style.

Belongs here: reading a style of the symbols file (``warehouse/catalog/common/symbols.yaml`` and a
workspace's own). Does not belong here: any symbol itself (data), the grammar of numbers
(`numbers`), or which style a source has (its layout says).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from assets.submissions.values.characters import squeeze
from assets.submissions.values.units import read_common, shipped, unit_word
from warehouse.schema import STATES

_CALENDAR_WORDS = frozenset("年月日")  # 18年, 6月: a date or a length of time


@dataclass(frozen=True, slots=True)
class Meaning:
    """Meaning of a symbol: a state and a value, or ``ask``: the reason why it is refused."""

    state: str
    value: Decimal | None = None
    ask: str | None = None


@dataclass(frozen=True, eq=False)
class Symbols:
    """Signs and words of one source style. Compared by identity, so it can key the memory.

    Keep one instance per style for the life of the process: what was read is remembered with it.
    """

    style: str
    tokens: Mapping[str, Meaning]
    blank: Meaning
    zero: Meaning
    negative_marks: str
    footnotes: str
    of_which: tuple[str, ...]
    brackets_negative: bool
    unit_words: frozenset[str]

    @classmethod
    def from_mapping(
        cls,
        catalogue: Mapping[str, Any],
        style: str = "default",
        unit_words: Collection[str] | None = None,
    ) -> Symbols:
        """One style of a symbols file (``{"symbols": [{"id": …}, …]}``).

        ``unit_words``: writings of units that may follow a number, from ``Units.words()``; those
        shipped if not given. Raises ``ValueError`` for an unknown style, state or base style.
        """
        entries = {str(entry["id"]): entry for entry in catalogue["symbols"]}
        chain = _lineage(style, entries)
        merged: dict[str, Any] = {k: v for entry in chain for k, v in entry.items()}
        tokens = {
            squeeze(str(written)): _meaning(group)
            for entry in chain
            for group in entry.get("tokens", ())
            for written in group["write"]
        }
        brackets = merged.get("parentheses", "refuse")
        if brackets not in ("negative", "refuse"):
            raise ValueError(f"符号样式“{style}”的 parentheses 只能是 negative 或 refuse")
        words = shipped().words() if unit_words is None else frozenset(map(unit_word, unit_words))
        return cls(
            style=style,
            tokens=tokens,
            blank=_meaning(merged.get("blank", {"state": "unknown"})),
            zero=_meaning({"value": "0", **merged["zero"]} if _is_zero(merged) else merged["zero"]),
            negative_marks="".join(merged.get("negative_marks", ())),
            footnotes="".join(merged.get("footnotes", ())),
            of_which=tuple(merged.get("of_which", ())),
            brackets_negative=brackets == "negative",
            unit_words=words - _CALENDAR_WORDS,
        )


@cache
def shipped_symbols(style: str = "default") -> Symbols:
    """A style of the shipped file (``warehouse/catalog/common/symbols.yaml``)."""
    return Symbols.from_mapping(read_common("symbols.yaml"), style)


def _lineage(style: str, entries: Mapping[str, Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The entries of a style, its most general base first."""
    chain: list[Mapping[str, Any]] = []
    wanted: str | None = style
    while wanted is not None:
        entry = entries.get(wanted)
        if entry is None or entry in chain:
            raise ValueError(f"符号样式“{wanted}”没有登记或循环引用；已登记：{'、'.join(entries)}")
        chain.append(entry)
        wanted = entry.get("extends")
    return chain[::-1]


def _meaning(entry: Mapping[str, Any]) -> Meaning:
    state, value = str(entry["state"]), entry.get("value")
    if state == "ask":
        return Meaning("unknown", ask=str(entry["meaning"]))
    if state not in STATES:
        raise ValueError(f"符号的状态“{state}”没有登记")
    if value is not None and not isinstance(value, str):
        raise ValueError("符号的数值须写成带引号的文字")
    return Meaning(state, None if value is None else Decimal(value))


def _is_zero(entry: Mapping[str, Any]) -> bool:
    """Whether 0 counts as nothing (``zero``, ``below_unit``) and not as a missing figure."""
    return str(entry["zero"]["state"]) in ("zero", "below_unit")
