"""A relation: one rule made ready for one query, repeated for each indicator it is about.

Belongs here: the value types that carry a compiled rule from ``quality.rules`` to the queries. Does
not belong here: compiling rules or running queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FigureKind = Literal["own", "earlier", "former", "reference"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A figure of a park a rule may use: a column of the wide table of park figures.

    ``measure`` is ``level`` for the indicator's own (cumulative or stock). ``own`` stands in the file
    judged; ``earlier`` in another period (``count`` × ``unit``: m, q, y, e, p); ``former`` in the
    version before; ``reference`` is another office's.
    """

    number: int
    indicator_id: str
    measure: str
    kind: FigureKind = "own"
    unit: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Operand:
    """A figure or fact of a relation, in the order in which the rule names it, with its words."""

    label: str
    slot: int | None = None
    fact: str | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """What must hold, as SQL over the columns of the table of what is judged (``about``).

    ``condition`` and ``guard`` are conditions in SQL; ``where`` limits the rows it is asked of;
    ``item`` is the indicator of a rule repeated over several. Texts are Chinese, for the reporter.
    """

    number: int
    rule_id: str
    severity: str
    about: str
    message: str
    expected: str
    remedy: str
    condition: str
    guard: str | None
    where: str
    operands: tuple[Operand, ...]
    item: str | None = None
    indicator_id: str | None = None
    repeated_for: tuple[str, ...] = ()
    """Indicators of a rule that is one query for all of them (about cells, totals, areas)."""


@dataclass(frozen=True, slots=True)
class ReadingRule:
    """A rule that findings of reading answer: its id and their codes."""

    rule_id: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relations:
    """All rules of a catalogue, made ready. ``broken`` rules could not be: (rule id, why)."""

    relations: tuple[Relation, ...]
    slots: tuple[Slot, ...]
    precise: frozenset[int] = frozenset()
    """Slots whose last printed digit some tolerance needs."""
    reading: tuple[ReadingRule, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()

    def about(self, *kinds: str) -> list[Relation]:
        """Relations of these kinds, in order."""
        return [relation for relation in self.relations if relation.about in kinds]
