"""Which answer a light follows: the calibrated probability where there is one, else the pace.

Belongs here: laying forecast answers (``Chance``) over judged rows, and saying so in the reason.
Does not belong here: judging by pace (``pace``), forecasting or calibration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from assets.targets.pace import soften
from assets.targets.requirement import JUDGED, Chance, Key
from assets.targets.verdict import VerdictRow
from methods.progress import LightRule, light_for_chance
from warehouse.words import LIGHT_ZH

if TYPE_CHECKING:
    from warehouse.catalog.models import Target

UNSURE = Decimal("0.02")
"""Of events said to have less than this chance some still happened: no smaller number is printed."""


def with_chances(
    rows: Sequence[VerdictRow],
    chances: Mapping[Key, Chance],
    targets: Mapping[str, Target],
    rule: LightRule,
    milestones: frozenset[Key] = frozenset(),
) -> list[VerdictRow]:
    """Rows with their probability. The verdict (how it stands now) never changes; the light does
    where the chance is calibrated, softened by the strength of the clause as any other light.

    An answer about a milestone (``Requirement.milestone``) is kept apart (``path_probability``) and
    gives no light: being on the path at the end of this year is not meeting a target due later.
    """
    made = []
    for row in rows:
        key = (row.target_id, row.scope_code, row.park_id)
        chance = chances.get(key)
        if key in milestones and chance is not None:
            made.append(_on_path(row, chance))
        else:
            made.append(_one(row, chance, targets, rule))
    return made


def _on_path(row: VerdictRow, chance: Chance) -> VerdictRow:
    if row.verdict not in JUDGED:
        return row
    basis = chance.basis or ("" if chance.calibrated else "尚未经检验")
    basis = f"（{basis}）" if basis else ""
    year = row.asof_period[:4]
    words = f"{year}年末达到路径应达数的概率{_percent(chance.probability)}{basis}"
    return replace(
        row, path_probability=chance.probability,
        reason=f"{row.reason}{words}，不是到期达标概率，灯色依据进度。",
    )  # fmt: skip


def _one(
    row: VerdictRow, chance: Chance | None, targets: Mapping[str, Target], rule: LightRule
) -> VerdictRow:
    if chance is None or row.verdict not in JUDGED:
        return row
    known = replace(row, probability=chance.probability)
    if not (chance.calibrated and rule.chances):
        why = chance.basis if chance.basis and not chance.calibrated else "尚未经检验"
        words = f"达标概率{_percent(chance.probability)}，{why}，仅供参考，灯色依据进度"
        return replace(known, reason=f"{row.reason}{words}。")
    target = targets[row.target_id]
    _, light = soften(target, light_for_chance(chance.probability, rule), weak=False)
    by_pace = "" if light == row.light else f"（按进度为{LIGHT_ZH[row.light]}灯）"
    basis = f"（{chance.basis}）" if chance.basis else ""
    words = f"达标概率{_percent(chance.probability)}{basis}，灯色依据概率{by_pace}"
    return replace(known, light=light, light_basis="probability", reason=f"{row.reason}{words}。")


def _percent(probability: Decimal) -> str:
    """Whole percent; never 0 or 100 %: beyond what past errors can tell apart it says so."""
    if probability < UNSURE:
        return f"低于{UNSURE * 100:.0f}%"
    if probability > 1 - UNSURE:
        return f"高于{(1 - UNSURE) * 100:.0f}%"
    return f"{(probability * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP)}%"
