"""Overall lights (总灯): one light for each subject and topic, whatever number of documents ask.

Belongs here: what counts as one topic, which clause decides its light. Does not belong here: the
verdicts themselves. No document states a rule for conflicts; this one is 建议值，非官方: every
document in force is judged and listed, the strictest binding clause decides, so a looser local bar
never switches off a provincial one, and different indicators are never merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.targets import wording
from assets.targets.requirement import JUDGED
from assets.targets.verdict import VerdictRow, strictest
from methods.progress import Light
from warehouse.words import LIGHT_ZH, VERDICT_ZH

if TYPE_CHECKING:
    from warehouse.catalog.models import Conflict, Document, Target

_FAMILY = {
    "growth": "growth",
    "trend": "growth",
    "growth_over_benchmark": "lead",
    "average_growth": "average_growth",
    "average": "average_increase",
    "average_per_park": "per_park_mean",
    "growth_multiple": "multiple",
    "coverage": "coverage",
    "per_county_minimum": "value",
    "per_park_minimum": "value",
    "per_park_maximum": "value",
    "per_park_range": "value",
    "level": "value",
    "annual_total": "value",
    "allocation_table": "value",
    "share": "value",
    "range": "value",
}
_LEFT_OUT = ("expired", "out_of_scope")


@dataclass(frozen=True, slots=True)
class OverallRow:
    """A row of ``targets.overall``. ``park_id`` or else ``scope_code`` names the subject.

    ``target_id`` decides the light (empty while nothing is judged); ``target_ids`` are all clauses
    in force on the topic; ``conflict_ids`` the contradictions of the catalogue they take part in.
    """

    scope_code: str
    park_id: str
    topic: str
    asof_period: str
    title: str
    light: Light
    verdict: str
    target_id: str
    n_targets: int
    n_judged: int
    target_ids: tuple[str, ...]
    conflict_ids: tuple[str, ...]
    reason: str


def topic_of(target: Target) -> str:
    """What a clause measures: indicator, family of measure, list of parks, threshold.

    营业收入, 工业总产值 and 增加值 are different indicators, so they are different topics.
    """
    parts = [target.indicator_id, _FAMILY.get(target.kind, target.kind)]
    if target.kind == "count_threshold" and target.threshold is not None:
        bar = target.threshold
        parts.append(f"{bar.indicator_id}{bar.comparator}{wording.number(bar.value)}{bar.unit}")
    if target.scope_level not in ("park", "county") and target.filter.group != "all":
        parts.append(target.filter.group)
    return ":".join(parts)


def overall(
    rows: Iterable[VerdictRow],
    targets: Mapping[str, Target],
    documents: Mapping[str, Document],
    conflicts: Sequence[Conflict] = (),
) -> list[OverallRow]:
    """One row for each subject and topic of the verdicts of one period, ordered by key."""
    groups: dict[tuple[str, str, str], list[VerdictRow]] = {}
    for row in rows:
        if row.verdict not in _LEFT_OUT:
            place = ("", row.park_id) if row.park_id else (row.scope_code, "")
            groups.setdefault((*place, topic_of(targets[row.target_id])), []).append(row)
    return [_overall(key, groups[key], targets, documents, conflicts) for key in sorted(groups)]


def _overall(
    key: tuple[str, str, str],
    rows: Sequence[VerdictRow],
    targets: Mapping[str, Target],
    documents: Mapping[str, Document],
    conflicts: Sequence[Conflict],
) -> OverallRow:
    judged = [row for row in rows if row.verdict in JUDGED]
    binding = [row for row in judged if targets[row.target_id].strength == "binding"]
    pool = binding or judged
    light = strictest(row.light for row in pool)
    deciding = max(
        (row for row in pool if row.light == light),
        key=lambda row: _hardness(row, targets[row.target_id]),
        default=None,
    )
    ids = tuple(dict.fromkeys(row.target_id for row in rows))
    named = tuple(c.conflict_id for c in conflicts if set(c.target_ids) & set(ids))
    return OverallRow(
        scope_code=key[0],
        park_id=key[1],
        topic=key[2],
        asof_period=rows[0].asof_period,
        title=targets[(deciding or rows[0]).target_id].indicator_name,
        light=light,
        verdict=(deciding or rows[0]).verdict,
        target_id=deciding.target_id if deciding else "",
        n_targets=len(ids),
        n_judged=len({row.target_id for row in judged}),
        target_ids=ids,
        conflict_ids=named,
        reason=_reason(rows, deciding, bool(binding), targets, documents),
    )


def _hardness(row: VerdictRow, target: Target) -> tuple[Decimal, str]:
    """How much a clause asks: the higher bar, or the lower ceiling; then the id, to be stable."""
    required = row.required or Decimal(0)
    down = target.comparator in ("<=", "<", "rank<=")
    return (-required if down else required, row.target_id)


def _reason(
    rows: Sequence[VerdictRow],
    deciding: VerdictRow | None,
    binding: bool,
    targets: Mapping[str, Target],
    documents: Mapping[str, Document],
) -> str:
    each = "；".join(_clause(row, targets[row.target_id], documents) for row in rows)
    if deciding is None:
        return f"{each}。均未判定，总灯为灰。"
    chosen = documents[targets[deciding.target_id].document_id].doc_no
    how = "取硬性目标中最严的一条" if binding else "只有预期性或导向性目标，只提示不判红"
    light = LIGHT_ZH[deciding.light]
    return f"{each}。总灯{light}：{how}（{chosen}，{deciding.target_id}）。"


def _clause(row: VerdictRow, target: Target, documents: Mapping[str, Document]) -> str:
    document = documents[target.document_id]
    stated = target.value is not None and target.unit != "是/否"
    asked = wording.amount(target) if stated else ""
    state = f"{VERDICT_ZH[row.verdict]}、{LIGHT_ZH[row.light]}灯"
    return f"{wording.citation(target, document)}{target.indicator_name}{asked}：{state}"
