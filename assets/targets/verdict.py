"""The verdict row: one target judged as of a period, column for column ``targets.verdict``.

Belongs here: the row type, the order of lights. Does not belong here: how a verdict is reached.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

from methods.progress import Light
from warehouse.words import VERDICT_ZH

SCALE = Decimal("1E-8")
FIGURES = (
    "actual",
    "required",
    "completion_pct",
    "time_progress_pct",
    "gap_pp",
    "pace_ratio",
    "still_required",
    "baseline",
)
_SEVERITY: dict[str, int] = {"grey": 0, "green": 1, "yellow": 2, "orange": 3, "red": 4}


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A row of ``targets.verdict``. ``park_id`` is empty for a verdict on an area.

    ``actual``, ``required``, ``still_required`` are in ``unit`` (canonical; growth and shares in %
    and percentage points). ``completion_pct`` = actual / required. ``time_progress_pct`` is m/12
    for yearly clauses and the share of the plan gone for clauses due at its end. ``gap_pp`` and
    ``pace_ratio`` compare what is done with it; where a baseline is known "done" is the share of
    the way from the baseline, otherwise the completion (of parks over a threshold: those on pace
    to be over it). For growth ``gap_pp`` = growth − bar, and there is no completion.
    ``baseline`` is the figure the clause starts from, where it is known. ``probability`` stays
    empty until a calibrated forecast exists; ``light_basis`` says what the light follows:
    ``pace`` or ``probability``; it is empty for grey rows. ``path_probability``: for a clause due
    after the year, the chance of being on the path to it at the year's end. ``final_verdict`` is the
    outcome of an expired clause at the end of its term.
    """

    target_id: str
    scope_code: str
    park_id: str
    asof_period: str
    actual: Decimal | None
    required: Decimal | None
    unit: str
    completion_pct: Decimal | None
    time_progress_pct: Decimal | None
    gap_pp: Decimal | None
    pace_ratio: Decimal | None
    still_required: Decimal | None
    baseline: Decimal | None
    probability: Decimal | None
    light: Light
    light_basis: str
    verdict: str
    final_verdict: str
    reason: str
    indicator_used: str
    figure_ids: tuple[str, ...]
    path_probability: Decimal | None = None


def verdict_word(verdict: str, against: str = "进度") -> str:
    """Word of a verdict: growth is measured against 目标, a clause without a path against 要求."""
    return VERDICT_ZH[verdict].replace("进度", against)


def stored(row: VerdictRow) -> VerdictRow:
    """The row with its figures in the warehouse's scale of 8 decimals (half even)."""
    figures = {
        name: getattr(row, name).quantize(SCALE, rounding=ROUND_HALF_EVEN)
        for name in FIGURES
        if getattr(row, name) is not None
    }
    return replace(row, **figures)


def strictest(lights: Iterable[Light]) -> Light:
    """The worst of several lights; grey (not judged) yields to any other.

    Several documents in force are all judged; the overall light is the strictest of them.
    """
    return max(lights, key=lambda light: _SEVERITY[light], default="grey")
