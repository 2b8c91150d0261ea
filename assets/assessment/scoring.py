"""Scores of a scheme, explainable to the last point: eligibility, points, score, rank.

Belongs here: applying a scheme to the parks of each class. Does not belong here: one indicator over
a class (``columns``), formulas (``methods.composite``), the last places (``elimination``),
attention between assessments (``watch``), reading or writing tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.assessment.columns import Column, Inputs, column
from assets.assessment.goalposts import Goalpost, Goalposts, from_figures
from assets.targets.evidence import ACTIVE
from methods import ranking
from methods.composite import Composite, rounded, weighted_score

if TYPE_CHECKING:
    from assets.targets.evidence import Values
    from warehouse.catalog.models import Indicator, Park
    from warehouse.catalog.schemes import Scheme

ONE_CLASS = "全部"
DETAIL_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A row of ``assessment.score``. ``rank`` among the ``n`` ranked parks of the class."""

    scheme_id: str
    class_id: str
    year: int
    asof_period: str
    park_id: str
    score: Decimal | None
    rank: int | None
    n: int
    official: bool
    eligible: bool
    exclusion_reason: str | None


@dataclass(frozen=True, slots=True)
class DetailRow:
    """A row of ``assessment.score_detail``. ``points`` of a park add up to its score exactly; a
    missing figure has no points and weight 0. ``measure``: value or growth."""

    scheme_id: str
    class_id: str
    year: int
    asof_period: str
    park_id: str
    indicator_id: str
    measure: str
    raw: Decimal | None
    normalised: Decimal | None
    weight: Decimal
    points: Decimal | None
    goalpost_low: Decimal | None
    goalpost_high: Decimal | None
    note: str


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """Scores (by class, rank, park), details (by class, park, item) and the goalposts used."""

    scores: tuple[ScoreRow, ...]
    details: tuple[DetailRow, ...]
    goalposts_used: tuple[Goalpost, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """What the park register and the review of the returns say about eligibility.

    ``listed_since``: first year a park was on the list. ``holds``: parks whose data are not
    accepted, with the Chinese reason (漏报、核实未过): listed apart, not ranked.
    """

    listed_since: Mapping[str, int]
    holds: Mapping[str, str]


def score_scheme(
    scheme: Scheme,
    parks: Sequence[Park],
    values: Values,
    goalposts: Goalposts,
    period: str,
    *,
    listed_since: Mapping[str, int] | None = None,
    holds: Mapping[str, str] | None = None,
    indicators: Mapping[str, Indicator] | None = None,
    official: bool = False,
) -> ScoreResult:
    """Score and rank the parks of a scheme as of ``period``.

    ``parks``: register rows that hold in the period; ``values``: (park, indicator) → figure of the
    year as of the period, canonical units; ``goalposts``: those frozen from last year
    (``freeze_goalposts``). ``listed_since`` and ``holds``: see ``Register``. ``indicators``: with
    them, cumulative figures of an earlier month do not count and texts carry names.
    """
    inputs = Inputs(scheme, values, period, goalposts, indicators or {})
    register = Register(listed_since or {}, holds or {})
    scores: list[ScoreRow] = []
    details: list[DetailRow] = []
    used: list[Goalpost] = []
    for class_id, members in sorted(classes(scheme, parks).items()):
        asides = {park.park_id: _aside(scheme, park, inputs.year, register) for park in members}
        scored = [park for park in members if park.park_id not in register.holds]
        runners = frozenset(park.park_id for park in scored if not asides[park.park_id])
        columns = _columns(inputs, class_id, scored, runners)
        results = {park.park_id: _composite(scheme, columns, park.park_id) for park in scored}
        rows = _score_rows(inputs, class_id, members, asides, columns, results)
        scores += [replace(row, official=official) for row in rows]
        for park_id, result in results.items():
            details += _detail_rows(inputs, class_id, park_id, columns, result)
        used += [_stamped(inputs, one.goalpost) for one in columns if one.goalpost is not None]
    return ScoreResult(tuple(scores), tuple(details), tuple(used))


def freeze_goalposts(
    scheme: Scheme,
    parks: Sequence[Park],
    values: Values,
    period: str,
    indicators: Mapping[str, Indicator] | None = None,
) -> dict[tuple[str, str, str], Goalpost]:
    """Goalposts for next year from the figures of this ``period`` (take the same month of last
    year: a cumulative figure of six months is not comparable with one of twelve)."""
    inputs = Inputs(scheme, values, period, {}, indicators or {})
    frozen: dict[tuple[str, str, str], Goalpost] = {}
    for class_id, members in sorted(classes(scheme, parks).items()):
        everyone = frozenset(park.park_id for park in members)
        for one in _columns(inputs, class_id, members, everyone):
            figures = [figure.raw for figure in one.figures.values() if figure.raw is not None]
            post = from_figures(one.item, class_id, figures, "previous_year")
            if post is not None:
                key = (class_id, one.item.indicator_id, one.item.measure)
                frozen[key] = _stamped(inputs, post)
    return frozen


# --- Who is ranked --------------------------------------------------------------------------------


def classes(scheme: Scheme, parks: Sequence[Park]) -> dict[str, list[Park]]:
    """Parks of the scheme by class, by id. Class ``""``: the register does not say."""
    by_class: dict[str, list[Park]] = {}
    for park in sorted(parks, key=lambda one: one.park_id):
        if on_list(scheme, park):
            by_class.setdefault(class_of(scheme, park), []).append(park)
    return by_class


def on_list(scheme: Scheme, park: Park) -> bool:
    """Whether the scheme is about this park: its region, list and filter; not a closed park."""
    who = scheme.who
    listed = {"key": park.is_key, "demonstration": park.is_demonstration, "all": True}[who.group]
    return (
        listed
        and who.region_code in park.region_codes
        and park.status in ACTIVE
        and (not who.filter or any(one.matches(park) for one in who.filter))
    )


def class_of(scheme: Scheme, park: Park) -> str:
    """Class of a park under the scheme; empty when the register does not say."""
    by = scheme.classes.by
    return ONE_CLASS if by == "none" else str(getattr(park, by))


def is_new(years: int, listed_since: int | None, year: int) -> bool:
    """Whether a park was listed less than ``years`` full years before the year assessed."""
    return listed_since is not None and year - listed_since < years


def _aside(scheme: Scheme, park: Park, year: int, register: Register) -> str:
    """Why a park of the list is not ranked, whatever its figures; empty when it is."""
    since = register.listed_since.get(park.park_id)
    if park.park_id in register.holds:
        return f"数据待核：{register.holds[park.park_id]}"
    if park.park_id in scheme.who.exempt:
        return "只参加考评，不参与排名"
    if is_new(scheme.who.new_park_years, since, year):
        return f"{since}年新列入，保护期内只考评不排名"
    if not class_of(scheme, park):
        return "园区登记未确定考核分组，不排名"
    return ""


# --- Points and rows ------------------------------------------------------------------------------


def _columns(
    inputs: Inputs, class_id: str, parks: Sequence[Park], runners: frozenset[str]
) -> list[Column]:
    park_ids = [park.park_id for park in parks]
    items = [item for item in inputs.scheme.items if item.weight_in(class_id) > 0]
    return [column(inputs, class_id, item, park_ids, runners) for item in items]


def _composite(scheme: Scheme, columns: Sequence[Column], park_id: str) -> Composite:
    items = [(one.normalised[park_id], one.weight) for one in columns]
    return weighted_score(items, scheme.missing.share, scheme.decimals)


def _score_rows(
    inputs: Inputs,
    class_id: str,
    members: Sequence[Park],
    asides: Mapping[str, str],
    columns: Sequence[Column],
    results: Mapping[str, Composite],
) -> list[ScoreRow]:
    why = dict(asides)
    for park_id, result in results.items():
        if result.score is None and not why[park_id]:
            why[park_id] = _too_little(inputs, columns, park_id, result)
    runners = [park_id for park_id, reason in why.items() if not reason]
    smallest = inputs.scheme.classes.min_size
    if len(runners) < smallest:
        text = f"组内可排名园区{len(runners)}个，少于{smallest}个，不排名"
        why |= dict.fromkeys(runners, text)
        runners = []
    places = ranking.ranks([results[park_id].score for park_id in runners])
    place = dict(zip(runners, places, strict=True))
    rows = [
        ScoreRow(
            scheme_id=inputs.scheme.scheme_id,
            class_id=class_id,
            year=inputs.year,
            asof_period=inputs.period,
            park_id=park.park_id,
            score=results[park.park_id].score if park.park_id in results else None,
            rank=place.get(park.park_id),
            n=len(runners),
            official=False,
            eligible=park.park_id in place,
            exclusion_reason=why[park.park_id] or None,
        )
        for park in members
    ]
    return sorted(rows, key=lambda row: (row.rank is None, row.rank or 0, row.park_id))


def _too_little(inputs: Inputs, columns: Sequence[Column], park_id: str, result: Composite) -> str:
    gaps = "、".join(
        f"{inputs.name_of(one.item)}（{one.figures[park_id].gap or '无法计分'}）"
        for one in columns
        if one.normalised[park_id] is None
    )
    share, least = rounded(result.share_pct, 1), inputs.scheme.missing.min_share
    return f"可用指标权重合计{share}%，低于{least}，不排名（不按零分计）；缺：{gaps}"


def _detail_rows(
    inputs: Inputs, class_id: str, park_id: str, columns: Sequence[Column], result: Composite
) -> list[DetailRow]:
    rows = []
    for one, weight, points in zip(columns, result.weights, result.points, strict=True):
        normalised, post = one.normalised[park_id], one.goalpost
        rows.append(
            DetailRow(
                scheme_id=inputs.scheme.scheme_id,
                class_id=class_id,
                year=inputs.year,
                asof_period=inputs.period,
                park_id=park_id,
                indicator_id=one.item.indicator_id,
                measure=one.item.measure,
                raw=one.figures[park_id].raw,
                normalised=None if normalised is None else rounded(normalised, DETAIL_DECIMALS),
                weight=rounded(weight, DETAIL_DECIMALS),
                points=points,
                goalpost_low=None if post is None else post.unacceptable,
                goalpost_high=None if post is None else post.satisfactory,
                note=one.note(park_id, inputs.month),
            )
        )
    return rows


def _stamped(inputs: Inputs, post: Goalpost) -> Goalpost:
    return replace(
        post,
        scheme_id=inputs.scheme.scheme_id,
        year=inputs.year,
        asof_period=inputs.period,
    )
