"""Changes (更正内容): what a corrected edition prints differently from the one it replaces.

Belongs here: comparing figures printed by two editions, as registered figures. Does not belong here:
reading the former edition (``editions``) or sentences (the template).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from assets.bulletins.data import BulletinData
from assets.bulletins.facts import Register
from assets.bulletins.figures import Figure, row_key

SHOWN = 20
"""Changed figures listed; the rest is counted."""


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """A figure as the former edition printed it, and as it is now."""

    label: str
    before: Figure
    now: Figure


@dataclass(frozen=True, slots=True)
class ChangesFacts:
    """All changes; ``rows`` are the first :data:`SHOWN` of them."""

    rows: tuple[ChangeFacts, ...]
    n: Figure
    n_new: Figure
    n_gone: Figure
    n_more: Figure


Finder = Callable[[Register], ChangesFacts]


def none(register: Register) -> ChangesFacts:
    """No change: of an edition that replaces none."""
    return _facts(register, (), 0, 0, 0, "")


def against(data: BulletinData, printed: Iterable[Figure]) -> Finder:
    """What ``printed`` says differently from ``data.former``, registered when asked."""
    now = [figure for figure in printed if not _is_count_of_changes(figure)]
    changed = [f for f in now if f.figure_id in data.former and data.former[f.figure_id] != f.text]
    former_ids = {name for name in data.former if "-CHANGE-" not in name}
    n_new = len({f.figure_id for f in now} - former_ids)
    n_gone = len(former_ids - {f.figure_id for f in now})

    def find(register: Register) -> ChangesFacts:
        rows = tuple(_change(register, data, figure) for figure in changed[:SHOWN])
        return _facts(register, rows, len(changed), n_new, n_gone, str(data.replaces))

    return find


def _is_count_of_changes(figure: Figure) -> bool:
    return "-CHANGE-" in figure.figure_id


def _change(register: Register, data: BulletinData, figure: Figure) -> ChangeFacts:
    text = data.former[figure.figure_id]
    key = row_key(figure_id=figure.figure_id, edition=str(data.replaces), column="text")
    source = ("bulletins.figure", key)

    def add(what: str, label: str, value: Decimal | None, decimals: int | None) -> Figure:
        parts = ("CHANGE", what, figure.figure_id)
        return register.add(parts, f"{figure.label}{label}", value, figure.unit, source,
                            decimals=decimals)  # fmt: skip

    before = _number(text)
    places = len(text.partition(".")[2]) if figure.decimals is not None else None
    return ChangeFacts(
        label=figure.label,
        before=add("before", "（前一版）", before, places),
        now=add("now", "（本版）", figure.value, figure.decimals),
    )


def _number(text: str) -> Decimal | None:
    """The printed number; None for — and …."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _facts(
    register: Register,
    rows: tuple[ChangeFacts, ...],
    n: int,
    n_new: int,
    n_gone: int,
    former: str,
) -> ChangesFacts:
    source = ("bulletins.figure", row_key(edition=former))

    def count(what: str, label: str, value: int) -> Figure:
        return register.add(
            ("CHANGE", what), label, value, "个", source, formula="count(figure_id)"
        )

    return ChangesFacts(
        rows=rows,
        n=count("n", "有变动的数字个数", n),
        n_new=count("new", "新增的数字个数", n_new),
        n_gone=count("gone", "取消的数字个数", n_gone),
        n_more=count("more", "未列示的变动数字个数", max(n - len(rows), 0)),
    )
