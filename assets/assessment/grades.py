"""等次: the grade of every ranked park, and what caps it.

Belongs here: a scheme's grades applied to scores. Does not belong here: scoring, honours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.assessment.events import Events, Standing, standing
from assets.assessment.gates import try_gate
from assets.assessment.scoring import ScoreRow
from methods import ranking

if TYPE_CHECKING:
    from assets.targets.evidence import Values
    from warehouse.catalog.scheme_rules import Grade, Grades
    from warehouse.catalog.schemes import Scheme


@dataclass(frozen=True, slots=True)
class Graded:
    """A park's grade and why: empty for a park that is not ranked."""

    park_id: str
    grade: str
    reason: str


def grade_parks(
    scheme: Scheme,
    scores: Sequence[ScoreRow],
    values: Values,
    events: Mapping[str, Events] | None = None,
) -> dict[str, Graded]:
    """Grades of the ranked parks by park id; empty when the scheme has none."""
    rules = scheme.grades
    if rules is None:
        return {}
    ranked = [row for row in scores if row.rank is not None]
    places = _places(rules, ranked)
    found = {}
    for row in ranked:
        label = next(
            grade.label for grade in rules.grades if _qualifies(grade, rules, row, places, values)
        )
        barred = standing(scheme, (events or {}).get(row.park_id, {}), row.year)
        found[row.park_id] = _capped(rules, row.park_id, label, barred)
    return found


def _places(rules: Grades, ranked: Sequence[ScoreRow]) -> dict[str, tuple[int, int]]:
    """Park → (rank, size) of the group in which shares and places are counted."""
    if rules.per_class:
        return {row.park_id: (row.rank or 0, row.n) for row in ranked}
    ranks = ranking.ranks([row.score for row in ranked])
    return {row.park_id: (rank or 0, len(ranked)) for row, rank in zip(ranked, ranks, strict=True)}


def _qualifies(
    grade: Grade,
    rules: Grades,
    row: ScoreRow,
    places: Mapping[str, tuple[int, int]],
    values: Values,
) -> bool:
    rank, size = places[row.park_id]
    if grade.min_score is not None and (row.score is None or row.score < grade.min_score):
        return False
    if grade.top_n is not None and rank > grade.top_n:
        return False
    if grade.top_pct is not None:
        seats = ranking.share_count(size, grade.top_pct, rules.rounding)
        if rank > seats:
            return False
    return grade.gate is None or try_gate(grade.gate, row.park_id, values).passed is True


def _capped(rules: Grades, park_id: str, label: str, barred: Standing) -> Graded:
    labels, reasons = rules.labels, []
    if barred.lowest_grade:
        return Graded(park_id, labels[-1], f"{barred.lowest_grade}，定为末等")
    for cap, reason in barred.grade_caps:
        if labels.index(label) < labels.index(cap):
            label = cap
            reasons.append(reason)
    return Graded(park_id, label, "；".join(reasons))
