"""The last places of each class (末位): who is in them, who is protected, whose years add up.

Belongs here: a scheme's elimination rule applied to scores and to confirmed past years. Does not
belong here: scoring, warnings between assessments (``watch``), and decisions: people decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.assessment.eligibility import is_new
from assets.assessment.gates import try_gate
from assets.assessment.scoring import ScoreResult, ScoreRow
from methods import ranking
from methods.composite import rounded
from methods.ranking import LastK, Window

if TYPE_CHECKING:
    from assets.targets.evidence import Values
    from warehouse.catalog.models import Indicator
    from warehouse.catalog.schemes import Elimination, Scheme

AVERAGE_DECIMALS = 4

PastYears = Mapping[str, Mapping[int, bool]]
"""park_id → assessed year → in the last places, as confirmed; years not assessed are absent."""


@dataclass(frozen=True, slots=True)
class LastPlace:
    """A ranked park and the last places of its class this year under one rule.

    ``rule_no`` 0 is the scheme's main rule. ``k`` places of ``n`` (0: the class has none).
    ``in_last_k`` by rank and tie rule, or by gate or floor; ``counts`` when it is also under the
    score floor and not protected; ``fulfilled`` when the scheme's years are reached with this one.
    ``average``: mean score of the years that count, where the rule orders by it, and ``order_no``
    the park's place in that order (1 leaves first). ``reason`` says it in Chinese. Never a decision
    (``official`` False).
    """

    scheme_id: str
    class_id: str
    year: int
    asof_period: str
    park_id: str
    rule_no: int
    rank: int
    n: int
    k: int
    in_last_k: bool
    tied: bool
    protected: bool
    counts: bool
    years_counted: int
    fulfilled: bool
    average: Decimal | None
    order_no: int | None
    reason: str
    official: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What a rule looks at beside the scores: see ``last_places``."""

    listed_since: Mapping[str, int]
    past: PastYears
    past_scores: Mapping[str, Mapping[int, Decimal]]
    values: Values
    indicators: Mapping[str, Indicator]


def last_places(
    scheme: Scheme,
    result: ScoreResult,
    *,
    listed_since: Mapping[str, int] | None = None,
    past: PastYears | None = None,
    past_scores: Mapping[str, Mapping[int, Decimal]] | None = None,
    values: Values | None = None,
    indicators: Mapping[str, Indicator] | None = None,
    rule_no: int = 0,
) -> list[LastPlace]:
    """Every ranked park of a scheme with its standing towards the last places, by class and rank.

    ``past`` and ``past_scores``: confirmed results of earlier years (for rules over several years);
    ``values``: figures for gates and for the tie rule ``better_of_growth``. ``rule_no``: which of
    the scheme's rules. No elimination rule: no rows.
    """
    if rule_no >= len(scheme.eliminations):
        return []
    rule = scheme.eliminations[rule_no]
    known = Known(listed_since or {}, past or {}, past_scores or {}, values or {}, indicators or {})
    rows = [row for row in result.scores if row.rank is not None]
    groups: dict[str, list[ScoreRow]] = {}
    for row in rows:
        groups.setdefault(row.class_id if rule.per_class else "", []).append(row)
    found = []
    for class_id, members in groups.items():
        cut = _group_cut(scheme, rule, class_id, members, known)
        found += [_judge(rule, rule_no, row, cut, known) for row in members]
    return _ordered_by_average(rule, found)


@dataclass(frozen=True, slots=True)
class _Cut:
    """The last places of a group: how many of ``n``, who is in them, and why (gate, floor)."""

    k: int
    n: int
    who: LastK
    why: Mapping[str, str]


def _group_cut(
    scheme: Scheme, rule: Elimination, class_id: str, rows: list[ScoreRow], known: Known
) -> _Cut:
    if rule.by == "last_places":
        k, who = _cut(rule, class_id, rows, known.values)
        return _Cut(k, len(rows), who, {})
    why: dict[str, str] = {}
    for row in rows if class_id not in rule.not_in else ():
        if rule.by == "floor":
            below = rule.score_below
            if below is not None and row.score is not None and row.score < below:
                why[row.park_id] = f"得分{row.score}低于{below}分"
        elif scheme.gate is not None:
            tried = try_gate(scheme.gate, row.park_id, known.values, known.indicators)
            if tried.passed is False:
                why[row.park_id] = tried.reason
    members = frozenset(why)
    return _Cut(len(members), len(rows), LastK(members, frozenset(), frozenset()), why)


def place_count(rule: Elimination, n: int, class_id: str = "") -> int:
    """Number of last places of a class with ``n`` ranked parks; 0 when the class is too small or
    the rule leaves it out."""
    if class_id in rule.not_in:
        return 0
    own = rule.n_by_class.get(class_id)
    k = own if own is not None else ranking.last_count(n, rule.n, rule.pct, rule.rounding)
    smallest = 2 * k + 1 if rule.min_group == "2n+1" else int(rule.min_group)
    return 0 if n < smallest else k


def _cut(
    rule: Elimination, class_id: str, rows: list[ScoreRow], values: Values
) -> tuple[int, LastK]:
    """Number of last places of a class (0: too small, or none) and who is in them."""
    k = place_count(rule, len(rows), class_id)
    scores = {row.park_id: row.score for row in rows if row.score is not None}
    growth: dict[str, Decimal] = {}
    if rule.tie_growth is not None:
        for row in rows:
            found = values.get((row.park_id, rule.tie_growth))
            if found is not None and found.yoy_pct is not None:
                growth[row.park_id] = found.yoy_pct
    return k, ranking.last_k(scores, k, rule.ties, growth)


def _judge(rule: Elimination, rule_no: int, row: ScoreRow, cut: _Cut, known: Known) -> LastPlace:
    assert row.rank is not None and row.score is not None
    inside = row.park_id in cut.who.members
    protected = is_new(rule.protect_new_years, known.listed_since.get(row.park_id), row.year)
    above = rule.score_below is not None and row.score >= rule.score_below
    counts = inside and not protected and not above
    years = dict(known.past.get(row.park_id, {})) | {row.year: counts}
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
        rule_no=rule_no,
        rank=row.rank,
        n=row.n,
        k=cut.k,
        in_last_k=inside,
        tied=row.park_id in cut.who.tied,
        protected=protected,
        counts=counts,
        years_counted=ranking.years_counted(years, window),
        fulfilled=fulfilled,
        average=_average(rule, row, years, known) if fulfilled else None,
        order_no=None,
        reason="；".join(part for part in (_standing(rule, row, cut), *notes) if part),
    )


def _average(
    rule: Elimination, row: ScoreRow, years: Mapping[int, bool], known: Known
) -> Decimal | None:
    """Mean score of the years that count towards the rule (商务部2021: 两次考核平均得分)."""
    if not rule.average_order or row.score is None:
        return None
    earlier = known.past_scores.get(row.park_id, {})
    window = sorted(years, reverse=True)[: rule.m if rule.mode == "k_of_m" else rule.k]
    counted = [year for year in window if years[year] and year != row.year]
    if any(year not in earlier for year in counted):
        return None
    scores = [row.score, *(earlier[year] for year in counted)]
    return rounded(sum(scores, Decimal(0)) / len(scores), AVERAGE_DECIMALS)


def _ordered_by_average(rule: Elimination, found: list[LastPlace]) -> list[LastPlace]:
    """Those who fulfil the rule ordered by their mean score, lowest first, inside each group."""
    if not rule.average_order:
        return found
    rows = []
    for row in found:
        others = [
            one.average
            for one in found
            if one.fulfilled
            and one.average is not None
            and (one.class_id == row.class_id or not rule.per_class)
        ]
        if row.fulfilled and row.average is not None:
            order = 1 + sum(other < row.average for other in others)
            text = f"{row.reason}；末位年份平均得分{row.average}，由低到高第{order}"
            row = replace(row, order_no=order, reason=text)
        elif row.fulfilled:
            row = replace(row, reason=f"{row.reason}；缺以往年度得分，无法按平均得分排序")
        rows.append(row)
    return rows


def _standing(rule: Elimination, row: ScoreRow, cut: _Cut) -> str:
    if rule.by != "last_places":
        return cut.why.get(row.park_id, "")
    if row.class_id in rule.not_in:
        return "本组不设末位，只通报"
    if cut.k == 0:
        return f"组内参与排名园区{cut.n}个，少于设末位的最少个数，不设末位，只通报"
    if row.park_id in cut.who.spared:
        return f"与末{cut.k}位的界限同分，按并列规则不列入末位"
    if row.park_id not in cut.who.members:
        return ""
    tied = "（同分并列，按规则都列入）" if row.park_id in cut.who.tied else ""
    group = "组内" if rule.per_class else "全部"
    return f"位于{group}{cut.n}个园区的末{cut.k}位{tied}"


def _years(rule: Elimination) -> str:
    return {
        "single": "当年末位",
        "consecutive": f"连续{rule.k}年末位",
        "k_of_m": f"{rule.m}年内{rule.k}次末位",
    }[rule.mode]
