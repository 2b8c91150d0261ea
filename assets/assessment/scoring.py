"""Scores of a scheme, explainable to the last point: points, events, score, rank.

Belongs here: applying a scheme to the parks of each class. Does not belong here: who is ranked
(``eligibility``), one line over a class (``columns``), formulas (``methods``), the last places
(``elimination``), attention between assessments (``watch``), reading or writing tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from assets.assessment.columns import Column, Inputs, Yardsticks, column
from assets.assessment.eligibility import Register, aside, classes, merged
from assets.assessment.events import Events, Extra, extras
from assets.assessment.goalposts import Goalpost, Goalposts, from_figures
from methods import ranking
from methods.composite import Composite, rounded, weighted_score

if TYPE_CHECKING:
    from assets.targets.evidence import Values
    from warehouse.catalog.models import Indicator, Park
    from warehouse.catalog.schemes import Scheme

DETAIL_DECIMALS = 6
EXTRA_MEASURES = ("adjustment", "penalty")
MISSING_ZH = {
    "redistribute": "权重按比例分给其他指标",
    "exclude": "方案规定不排名",
    "zero": "方案规定按零分计",
}


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
    missing figure has no points and weight 0. ``measure``: value, growth or ratio; adjustment or
    penalty where ``indicator_id`` is an event and ``raw`` how often it happened."""

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
    """Scores (by class, rank, park), details (by class, park, item) and the goalposts used.

    ``spans``: (class, indicator, measure) → least and most points of the scheme the line can earn;
    ``names``: (indicator, measure) → Chinese name.
    """

    scores: tuple[ScoreRow, ...]
    details: tuple[DetailRow, ...]
    goalposts_used: tuple[Goalpost, ...]
    spans: Mapping[tuple[str, str, str], tuple[Decimal, Decimal]] = field(default_factory=dict)
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)


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
    events: Mapping[str, Events] | None = None,
    yardsticks: Yardsticks | None = None,
    region: Mapping[tuple[str, str], Decimal] | None = None,
    official: bool = False,
) -> ScoreResult:
    """Score and rank the parks of a scheme as of ``period``.

    ``parks``: register rows that hold in the period; ``values``: (park, indicator) → figure of the
    year as of the period, canonical units; ``goalposts``: those frozen from last year
    (``freeze_goalposts``). ``listed_since``, ``holds``, ``events``: see ``Register``. ``indicators``:
    with them, cumulative figures of an earlier month do not count and texts carry names.
    ``yardsticks`` and ``region``: see ``Inputs``.
    """
    inputs = Inputs(
        scheme, values, period, goalposts, indicators or {}, yardsticks or {}, region or {}
    )
    register = Register(listed_since or {}, holds or {}, events or {})
    scores: list[ScoreRow] = []
    details: list[DetailRow] = []
    used: list[Goalpost] = []
    spans: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = {}
    by_class = classes(scheme, parks)
    everyone = [park for members in by_class.values() for park in members]
    asides = {park.park_id: aside(scheme, park, inputs.year, register) for park in everyone}
    for class_id, members in merged(scheme, by_class, asides).items():
        scored = [park for park in members if park.park_id not in register.holds]
        runners = frozenset(park.park_id for park in scored if not asides[park.park_id])
        columns = _columns(inputs, class_id, scored, runners)
        lines = {park.park_id: _lines(inputs, register, columns, park.park_id) for park in scored}
        rows = _score_rows(inputs, class_id, members, asides, columns, lines)
        scores += [replace(row, official=True) for row in rows] if official else rows
        for park_id, line in lines.items():
            details += _detail_rows(inputs, class_id, park_id, columns, line)
        used += [_stamped(inputs, one.goalpost) for one in columns if one.goalpost is not None]
        spans |= {(class_id, *one.item.key): one.span() for one in columns}
    names = {item.key: inputs.name_of(item) for item in scheme.lines}
    return ScoreResult(tuple(scores), tuple(details), tuple(used), spans, names)


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


# --- Points and rows ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Lines:
    """Everything a park's score is made of: its indicators and its events."""

    items: Composite
    extras: tuple[Extra, ...]

    @property
    def score(self) -> Decimal | None:
        if self.items.score is None:
            return None
        return self.items.score + sum((one.points for one in self.extras), Decimal(0))


def _columns(
    inputs: Inputs, class_id: str, parks: Sequence[Park], runners: frozenset[str]
) -> list[Column]:
    park_ids = [park.park_id for park in parks]
    items = [item for item in inputs.scheme.lines if item.weight_in(class_id) > 0]
    return [column(inputs, class_id, item, park_ids, runners) for item in items]


def _lines(inputs: Inputs, register: Register, columns: Sequence[Column], park_id: str) -> _Lines:
    rules = inputs.scheme.missing
    instead = Decimal(0) if rules.policy == "zero" else None
    items = [
        (instead if one.normalised[park_id] is None else one.normalised[park_id], one.weight)
        for one in columns
    ]
    composite = weighted_score(items, rules.share, inputs.scheme.decimals)
    found = extras(inputs.scheme, register.events.get(park_id, {}), inputs.year)
    return _Lines(composite, tuple(found) if composite.score is not None else ())


def _score_rows(
    inputs: Inputs,
    class_id: str,
    members: Sequence[Park],
    asides: Mapping[str, str],
    columns: Sequence[Column],
    lines: Mapping[str, _Lines],
) -> list[ScoreRow]:
    why = {park.park_id: asides[park.park_id] for park in members}
    for park_id, line in lines.items():
        if line.score is None and not why[park_id]:
            why[park_id] = _too_little(inputs, columns, park_id, line.items)
    runners = [park_id for park_id, reason in why.items() if not reason]
    smallest = inputs.scheme.classes.min_size
    if len(runners) < smallest:
        text = f"组内可排名园区{len(runners)}个，少于{smallest}个，不排名"
        why |= dict.fromkeys(runners, text)
        runners = []
    places = ranking.ranks([lines[park_id].score for park_id in runners])
    place = dict(zip(runners, places, strict=True))
    rows = [
        ScoreRow(
            scheme_id=inputs.scheme.scheme_id,
            class_id=class_id,
            year=inputs.year,
            asof_period=inputs.period,
            park_id=park.park_id,
            score=lines[park.park_id].score if park.park_id in lines else None,
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
    share, rules = rounded(result.share_pct, 1), inputs.scheme.missing
    if rules.policy == "exclude":
        return f"方案规定缺数不排名（不按零分计）；缺：{gaps}"
    least = rules.min_share
    return f"可用指标权重合计{share}%，低于{least}，不排名（不按零分计）；缺：{gaps}"


def _detail_rows(
    inputs: Inputs, class_id: str, park_id: str, columns: Sequence[Column], line: _Lines
) -> list[DetailRow]:
    missing = MISSING_ZH[inputs.scheme.missing.policy]
    rows = [_extra_row(inputs, class_id, park_id, one) for one in line.extras]
    result = line.items
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
                note=one.note(park_id, missing),
            )
        )
    return sorted(rows, key=lambda row: row.measure in EXTRA_MEASURES)


def _extra_row(inputs: Inputs, class_id: str, park_id: str, extra: Extra) -> DetailRow:
    return DetailRow(
        scheme_id=inputs.scheme.scheme_id,
        class_id=class_id,
        year=inputs.year,
        asof_period=inputs.period,
        park_id=park_id,
        indicator_id=extra.event,
        measure=extra.kind,
        raw=extra.count,
        normalised=None,
        weight=Decimal(0),
        points=extra.points,
        goalpost_low=None,
        goalpost_high=None,
        note=extra.note,
    )


def _stamped(inputs: Inputs, post: Goalpost) -> Goalpost:
    return replace(
        post,
        scheme_id=inputs.scheme.scheme_id,
        year=inputs.year,
        asof_period=inputs.period,
    )
