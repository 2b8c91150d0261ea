"""后果阶梯: which steps of a scheme's ladder a park's standing proposes. People take them.

Belongs here: triggers of steps applied to ranks, years, grades and confirmed steps. Does not belong
here: the last places themselves (``elimination``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.assessment.elimination import LastPlace
from assets.assessment.grades import Graded
from assets.assessment.outcomes import History
from assets.assessment.scoring import ScoreRow
from methods import ranking

if TYPE_CHECKING:
    from warehouse.catalog.scheme_rules import Consequence
    from warehouse.catalog.schemes import Scheme


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step proposed for a park, with what proposes it. ``number``: its place on the ladder."""

    park_id: str
    class_id: str
    number: int
    step: str
    title: str
    reason: str


def propose_steps(
    scheme: Scheme,
    scores: Sequence[ScoreRow],
    places: Sequence[LastPlace],
    grades: Mapping[str, Graded],
    history: History,
) -> list[StepRow]:
    """Every step whose triggers all hold, by class, rank and place on the ladder. ``places`` of all
    the scheme's rules."""
    ranked = [row for row in scores if row.rank is not None]
    own: dict[str, list[LastPlace]] = {}
    for place in places:
        own.setdefault(place.park_id, []).append(place)
    edges = {step.last_n: _last(ranked, step.last_n) for step in scheme.consequences if step.last_n}
    rows = []
    for row in ranked:
        for number, step in enumerate(scheme.consequences, 1):
            inside = edges.get(step.last_n or 0, frozenset())
            reasons = _reasons(step, row, inside, own.get(row.park_id, []), grades, history)
            if reasons is not None:
                said = "；".join(reasons)
                rows.append(StepRow(row.park_id, row.class_id, number, step.step, step.title, said))
    return rows


def _reasons(
    step: Consequence,
    row: ScoreRow,
    inside: frozenset[str],
    places: Sequence[LastPlace],
    grades: Mapping[str, Graded],
    history: History,
) -> list[str] | None:
    """What proposes the step; ``None`` when a trigger does not hold."""
    if step.classes and row.class_id not in step.classes:
        return None
    checks = [
        _last_n(step, row, inside),
        _years(step, places),
        _fulfilled(step, places),
        _graded(step, row, grades, history),
        _after(step, row, places, history),
    ]
    return None if any(check == "" for check in checks) else [one for one in checks if one]


def _last(ranked: Sequence[ScoreRow], n: int) -> frozenset[str]:
    """Parks among the last ``n`` of their classes, ties at the edge all in."""
    by_class: dict[str, dict[str, Decimal]] = {}
    for row in ranked:
        if row.score is not None:
            by_class.setdefault(row.class_id, {})[row.park_id] = row.score
    return frozenset().union(*(ranking.last_k(own, n).members for own in by_class.values()))


def _last_n(step: Consequence, row: ScoreRow, inside: frozenset[str]) -> str | None:
    """Words when it holds, empty when it does not, ``None`` when the step does not ask for it."""
    if step.last_n is None:
        return None
    return f"位于组内末{step.last_n}位" if row.park_id in inside else ""


def _years(step: Consequence, places: Sequence[LastPlace]) -> str | None:
    if step.years_last is None:
        return None
    reached = [p.years_counted for p in places if p.counts and p.years_counted >= step.years_last]
    return f"计入末位{max(reached)}年" if reached else ""


def _fulfilled(step: Consequence, places: Sequence[LastPlace]) -> str | None:
    if not step.fulfilled:
        return None
    return "达到方案规定的末位年数" if any(place.fulfilled for place in places) else ""


def _graded(
    step: Consequence, row: ScoreRow, grades: Mapping[str, Graded], history: History
) -> str | None:
    if not step.grades:
        return None
    graded = grades.get(row.park_id)
    past = history.results.get(row.park_id, {})
    years = {year: one.grade in step.grades for year, one in past.items() if year < row.year}
    years[row.year] = graded is not None and graded.grade in step.grades
    run = ranking.run_length(years)
    if graded is None or run < step.grade_years:
        return ""
    return f"连续{run}年等次为{graded.grade}" if run > 1 else f"等次为{graded.grade}"


def _after(
    step: Consequence, row: ScoreRow, places: Sequence[LastPlace], history: History
) -> str | None:
    if not step.after:
        return None
    taken = history.steps.get(row.park_id, {})
    years = [year for year, steps in taken.items() if step.after in steps and year < row.year]
    still = any(place.counts for place in places)
    return f"{max(years)}年已{step.after}，仍在末位" if years and still else ""
