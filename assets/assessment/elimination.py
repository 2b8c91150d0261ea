"""The last places of each class (末位): who is in them, who is protected, whose years add up.

Belongs here: a scheme's elimination rule applied to scores and to confirmed past years. Does not
belong here: scoring, warnings between assessments (``watch``), and decisions: people decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.assessment.eligibility import is_new
from assets.assessment.scoring import ScoreResult, ScoreRow
from methods import ranking
from methods.ranking import LastK, Window

if TYPE_CHECKING:
    from assets.targets.evidence import Values
    from warehouse.catalog.schemes import Elimination, Scheme

PastYears = Mapping[str, Mapping[int, bool]]
"""park_id → assessed year → in the last places, as confirmed; years not assessed are absent."""


@dataclass(frozen=True, slots=True)
class LastPlace:
    """A ranked park and the last places of its class this year.

    ``k`` places of ``n`` (0: the class has none). ``in_last_k`` by rank and tie rule; ``counts``
    when it is also under the score floor and not protected; ``fulfilled`` when the scheme's years
    are reached with this one. ``reason`` says it in Chinese. Never a decision (``official`` False).
    """

    scheme_id: str
    class_id: str
    year: int
    asof_period: str
    park_id: str
    rank: int
    n: int
    k: int
    in_last_k: bool
    tied: bool
    protected: bool
    counts: bool
    years_counted: int
    fulfilled: bool
    reason: str
    official: bool = False


def last_places(
    scheme: Scheme,
    result: ScoreResult,
    *,
    listed_since: Mapping[str, int] | None = None,
    past: PastYears | None = None,
    values: Values | None = None,
) -> list[LastPlace]:
    """Every ranked park of a scheme with its standing towards the last places, by class and rank.

    ``past``: confirmed results of earlier years (for rules over several years); ``values``: figures
    for the tie rule ``better_of_growth``. No elimination rule: no rows.
    """
    rule = scheme.elimination
    if rule is None:
        return []
    by_class: dict[str, list[ScoreRow]] = {}
    for row in result.scores:
        if row.rank is not None:
            by_class.setdefault(row.class_id, []).append(row)
    return [
        _judge(rule, row, cut, k, (listed_since or {}).get(row.park_id), (past or {}))
        for rows in by_class.values()
        for k, cut in [_cut(rule, rows, values or {})]
        for row in rows
    ]


def place_count(rule: Elimination, n: int, class_id: str = "") -> int:
    """Number of last places of a class with ``n`` ranked parks; 0 when the class is too small or
    the rule leaves it out."""
    if class_id in rule.not_in:
        return 0
    own = rule.n_by_class.get(class_id)
    k = own if own is not None else ranking.last_count(n, rule.n, rule.pct, rule.rounding)
    smallest = 2 * k + 1 if rule.min_group == "2n+1" else int(rule.min_group)
    return 0 if n < smallest else k


def _cut(rule: Elimination, rows: list[ScoreRow], values: Values) -> tuple[int, LastK]:
    """Number of last places of a class (0: too small, or none) and who is in them."""
    k = place_count(rule, len(rows))
    scores = {row.park_id: row.score for row in rows if row.score is not None}
    growth: dict[str, Decimal] = {}
    if rule.tie_growth is not None:
        for row in rows:
            found = values.get((row.park_id, rule.tie_growth))
            if found is not None and found.yoy_pct is not None:
                growth[row.park_id] = found.yoy_pct
    return k, ranking.last_k(scores, k, rule.ties, growth)


def _judge(
    rule: Elimination,
    row: ScoreRow,
    cut: LastK,
    k: int,
    since: int | None,
    past: PastYears,
) -> LastPlace:
    assert row.rank is not None and row.score is not None
    inside = row.park_id in cut.members
    protected = is_new(rule.protect_new_years, since, row.year)
    above = rule.score_below is not None and row.score >= rule.score_below
    counts = inside and not protected and not above
    years = dict(past.get(row.park_id, {})) | {row.year: counts}
    window = Window(rule.mode, rule.k, rule.m, rule.gap_resets)
    fulfilled = counts and ranking.in_window(years, window)
    notes = [
        "新列入保护期内，不计入末位年份" if inside and protected else "",
        f"得分{row.score}不低于{rule.score_below}分，不计入末位年份" if inside and above else "",
        f"如年度考核仍在末位，即达到方案规定的“{_years(rule)}”" if fulfilled else "",
    ]
    return LastPlace(
        scheme_id=row.scheme_id,
        class_id=row.class_id,
        year=row.year,
        asof_period=row.asof_period,
        park_id=row.park_id,
        rank=row.rank,
        n=row.n,
        k=k,
        in_last_k=inside,
        tied=row.park_id in cut.tied,
        protected=protected,
        counts=counts,
        years_counted=ranking.years_counted(years, window),
        fulfilled=fulfilled,
        reason="；".join(part for part in (_standing(row, cut, k), *notes) if part),
    )


def _standing(row: ScoreRow, cut: LastK, k: int) -> str:
    if k == 0:
        return f"组内参与排名园区{row.n}个，少于设末位的最少个数，不设末位，只通报"
    if row.park_id in cut.spared:
        return f"与末{k}位的界限同分，按并列规则不列入末位"
    if row.park_id not in cut.members:
        return ""
    tied = "（同分并列，按规则都列入）" if row.park_id in cut.tied else ""
    return f"位于组内{row.n}个园区的末{k}位{tied}"


def _years(rule: Elimination) -> str:
    return {
        "single": "当年末位",
        "consecutive": f"连续{rule.k}年末位",
        "k_of_m": f"{rule.m}年内{rule.k}次末位",
    }[rule.mode]
