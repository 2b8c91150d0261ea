"""表彰、奖励、晋升: who is proposed for which honour. Proposals only: people honour.

Belongs here: a scheme's honours applied to ranks, grades and confirmed years. Does not belong here:
grades themselves, confirmed honours (``outcomes``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.assessment.events import Events, standing
from assets.assessment.grades import Graded
from assets.assessment.outcomes import History
from assets.assessment.scoring import ScoreRow
from methods import ranking

if TYPE_CHECKING:
    from warehouse.catalog.scheme_rules import Honour
    from warehouse.catalog.schemes import Scheme


@dataclass(frozen=True, slots=True)
class HonourRow:
    """A park proposed for an honour, or barred from it (``barred``: why), with the reason."""

    honour: str
    title: str
    park_id: str
    class_id: str
    reason: str
    barred: str


def propose_honours(
    scheme: Scheme,
    scores: Sequence[ScoreRow],
    grades: Mapping[str, Graded],
    history: History,
    events: Mapping[str, Events] | None = None,
) -> list[HonourRow]:
    """Every park that fulfils an honour's rule, by honour, class and rank. Ties at the edge are all
    in (并列全入)."""
    ranked = [row for row in scores if row.rank is not None]
    rows = []
    for honour in scheme.honours:
        for row, reason in _candidates(honour, ranked, grades, history):
            own = (events or {}).get(row.park_id, {})
            barred = standing(scheme, own, row.year).no_honours
            if honour.min_score is not None and (row.score or 0) < honour.min_score:
                continue
            rows.append(
                HonourRow(honour.honour, honour.title, row.park_id, row.class_id, reason, barred)
            )
    return rows


def _candidates(
    honour: Honour,
    ranked: Sequence[ScoreRow],
    grades: Mapping[str, Graded],
    history: History,
) -> list[tuple[ScoreRow, str]]:
    if honour.kind == "grade":
        return _by_grade(honour, ranked, grades, history)
    if honour.kind == "progress":
        return _by_progress(honour, ranked, history)
    if honour.kind == "count":
        return _by_count(honour, ranked, history)
    return [(row, f"名次第{rank}") for row, rank, seats in _top(honour, ranked) if rank <= seats]


def _top(honour: Honour, ranked: Sequence[ScoreRow]) -> list[tuple[ScoreRow, int, int]]:
    """(row, rank, seats) inside the class or over the list."""
    if honour.per_class:
        return [(row, row.rank or 0, _seats(honour, row.class_id, row.n)) for row in ranked]
    ranks = ranking.ranks([row.score for row in ranked])
    seats = _seats(honour, "", len(ranked))
    over = [(row, rank or 0, seats) for row, rank in zip(ranked, ranks, strict=True)]
    return sorted(over, key=lambda one: (one[1], one[0].park_id))


def _seats(honour: Honour, class_id: str, size: int) -> int:
    if honour.pct is not None:
        return max(1, ranking.share_count(size, honour.pct))
    return honour.n_by_class.get(class_id, honour.n or 0)


def _by_grade(
    honour: Honour,
    ranked: Sequence[ScoreRow],
    grades: Mapping[str, Graded],
    history: History,
) -> list[tuple[ScoreRow, str]]:
    found = []
    for row in ranked:
        past = history.results.get(row.park_id, {})
        years = {year: one.grade == honour.grade for year, one in past.items() if year < row.year}
        graded = grades.get(row.park_id)
        years[row.year] = graded is not None and graded.grade == honour.grade
        run = ranking.run_length(years, honour.gap_resets)
        if run >= honour.years:
            found.append((row, f"连续{run}年{honour.grade}"))
    return found


def _by_progress(
    honour: Honour, ranked: Sequence[ScoreRow], history: History
) -> list[tuple[ScoreRow, str]]:
    """Those that gained most places on the confirmed rank of the year before, gains over 0."""
    gained: dict[str, list[tuple[int, ScoreRow]]] = {}
    for row in ranked:
        past = history.results.get(row.park_id, {}).get(row.year - 1)
        if past is not None and past.rank is not None and past.rank > (row.rank or 0):
            group = row.class_id if honour.per_class else ""
            gained.setdefault(group, []).append((past.rank - (row.rank or 0), row))
    found = []
    for group, rows in sorted(gained.items()):
        seats = honour.n_by_class.get(group, honour.n or 0)
        sizes = sorted((gain for gain, _ in rows), reverse=True)
        least = sizes[min(seats, len(sizes)) - 1]
        best = sorted(rows, key=lambda one: (-one[0], one[1].park_id))
        found += [(row, f"名次前进{gain}位") for gain, row in best if gain >= least]
    return found


def _by_count(
    honour: Honour, ranked: Sequence[ScoreRow], history: History
) -> list[tuple[ScoreRow, str]]:
    found = []
    for row in ranked:
        seats = _seats(honour, row.class_id, row.n)
        past = history.results.get(row.park_id, {})
        ranks = [one.rank for year, one in past.items() if year < row.year and one.rank]
        times = sum(rank <= seats for rank in [*ranks, row.rank or 0])
        if (row.rank or 0) <= seats and times >= (honour.times or 1):
            found.append((row, f"累计{times}年进入前{seats}名"))
    return found
