"""A scheme as numbers (ScorePlan): the same rules for today's score, simulated draws and ways out.

Belongs here: one class's lines as curves with weights and sources, and its rules on last places, in
plain floats; evaluating them over arrays. Does not belong here: drawing figures, probabilities and
changes of figures (``methods``), exact points of a score (``scoring``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from assets.assessment.elimination import place_count
from assets.assessment.goalposts import Goalpost, choose_goalpost
from assets.assessment.lines import Setting, curve_of, is_relative
from methods import composite_arrays as arrays
from methods.curves import Curve

if TYPE_CHECKING:
    from methods.composite_arrays import Array
    from methods.ranking import TieRule, WindowMode
    from warehouse.catalog.scheme_rules import Elimination
    from warehouse.catalog.schemes import Item, Scheme

LineKey = tuple[str, str]
"""(indicator_id, measure)."""


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line of the score over a class.

    Pointwise lines (``relative`` False) have a curve: points of 100 over the figure, knots ``x``
    ascending (a repeated ``x`` is a jump; the right side holds at it unless ``x`` is in ``left``),
    flat beyond the ends; ``reciprocal``: ``x`` is 1/figure. The figure is the ``value`` in the
    indicator's unit, its ``growth`` in percent over the year before, or its ``ratio`` in percent to
    the park's own yardstick; with several ``indicator_ids`` the best of them in the direction
    ``better``. Growth on a base of the year before under ``small_base`` is held to ``growth_cap``.

    Relative lines have none: they are evaluated over all ranked parks of the class (``points``).
    ``weight`` is the line's weight of 100 before missing lines are spread.
    """

    indicator_ids: tuple[str, ...]
    measure: Literal["value", "growth", "ratio"]
    better: Literal["high", "low"]
    weight: float
    method: str
    relative: bool
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    left: tuple[float, ...] = ()
    reciprocal: bool = False
    small_base: float | None = None
    growth_cap: float | None = None
    item: Item | None = None

    @property
    def key(self) -> LineKey:
        """Under which its figures are given."""
        return (self.indicator_ids[0], self.measure)

    @property
    def scored(self) -> bool:
        """Whether the line can be scored at all (its goalposts or reference exist)."""
        return self.relative or bool(self.x)

    def points(self, figures: Array, month: int = 12) -> Array:
        """Points of 100 of figures whose LAST axis is the class's ranked parks; NaN is missing."""
        import numpy as np

        if self.relative:
            return _relative_points(self, np.asarray(figures, dtype=np.float64), month)
        if not self.x:
            return np.full(np.shape(figures), np.nan)
        return arrays.curve_points(
            figures, self.x, self.y, left=self.left, reciprocal=self.reciprocal
        )


@dataclass(frozen=True, slots=True)
class PlanRule:
    """A rule on last places in one class, for ``n`` ranked parks: ``places`` of them are last.

    ``by`` gate and floor have no places. ``score_below``: only scores under it count. The years are
    those of ``methods.ranking.Window``; parks in ``protect_new_years`` do not count.
    """

    by: Literal["last_places", "gate", "floor"]
    ties: TieRule
    tie_growth: str | None
    score_below: float | None
    mode: WindowMode
    k: int
    m: int
    gap_resets: bool
    protect_new_years: int
    average_order: bool
    per_class: bool
    rule: Elimination
    class_id: str

    def places(self, n: int) -> int:
        """Last places of the class with ``n`` ranked parks (0: too small, or none)."""
        return 0 if self.by != "last_places" else place_count(self.rule, n, self.class_id)


@dataclass(frozen=True, slots=True)
class ScorePlan:
    """How a class is scored: lines, what happens when figures are missing, rules on last places.

    ``extras`` of a park (events: points added and taken) are added to its score by the caller.
    """

    scheme_id: str
    class_id: str
    month: int
    decimals: int
    min_share: float
    missing_is_zero: bool
    lines: tuple[PlanLine, ...]
    rules: tuple[PlanRule, ...]

    def scores(self, figures: Mapping[LineKey, Array]) -> Array:
        """Scores of draws: line key → figures (…, parks), NaN missing → scores (…, parks), NaN for
        too little. Points are rounded as in the assessment before they are added.
        """
        import numpy as np

        full = np.broadcast_shapes(*(np.shape(one) for one in figures.values()))
        points = []
        for line in self.lines:
            given = figures.get(line.key)
            one = np.full(full, np.nan) if given is None else line.points(given, self.month)
            one = np.broadcast_to(one, full)
            points.append(np.nan_to_num(one) if self.missing_is_zero else one)
        weights = [line.weight for line in self.lines]
        return arrays.weighted_scores(points, weights, self.min_share, self.decimals)


def score_plan(
    scheme: Scheme,
    class_id: str,
    goalposts: Mapping[tuple[str, str, str], Goalpost] | Sequence[Goalpost] = (),
    *,
    period: str,
    references: Mapping[LineKey, Decimal] | None = None,
) -> ScorePlan:
    """The plan of a class as of ``period``.

    ``goalposts``: those the scores of the period were made with (``ScoreResult.goalposts_used``) or
    those frozen from last year; a line whose goalposts come from the class now stays relative.
    ``references``: figures of the scheme's region for lines measured against it.
    """
    posts = goalposts if isinstance(goalposts, Mapping) else _by_key(goalposts)
    month = int(period[5:7])
    lines = []
    for item in scheme.lines:
        weight = item.weight_in(class_id)
        if weight > 0:
            frozen = _fixed(choose_goalpost(item, class_id, posts, ()))
            setting = Setting(frozen, (references or {}).get(item.key), month, weight)
            lines.append(_line(item, setting))
    return ScorePlan(
        scheme_id=scheme.scheme_id,
        class_id=class_id,
        month=month,
        decimals=scheme.decimals,
        min_share=float(scheme.missing.share),
        missing_is_zero=scheme.missing.policy == "zero",
        lines=tuple(lines),
        rules=tuple(_rule(rule, class_id) for rule in scheme.eliminations),
    )


def _by_key(goalposts: Sequence[Goalpost]) -> dict[tuple[str, str, str], Goalpost]:
    return {
        (post.class_id, post.indicator_id, post.measure): post
        for post in goalposts
        if post.source != "class"
    }


def _fixed(post: Goalpost | None) -> Goalpost | None:
    return None if post is None or post.source == "class" else post


def _line(item: Item, setting: Setting) -> PlanLine:
    # Goalposts that were to be frozen but are not fall back to the class now: relative as well.
    posts = getattr(item.scoring, "goalposts", None)
    falls_back = posts is not None and setting.goalpost is None and posts.fallback == "class"
    relative = is_relative(item, setting.goalpost) or falls_back
    curve = None if relative else curve_of(item, setting)
    knots = _floats(curve)
    return PlanLine(
        indicator_ids=(item.indicator_id, *getattr(item.scoring, "any_of", ())),
        measure=item.measure,
        better=item.better,
        weight=float(setting.weight),
        method=item.scoring.method,
        relative=relative,
        x=knots[0],
        y=knots[1],
        left=tuple(float(x) for x in sorted(curve.left)) if curve else (),
        reciprocal=curve is not None and curve.transform == "reciprocal",
        small_base=float(item.small_base.below) if item.small_base else None,
        growth_cap=float(item.small_base.cap) if item.small_base else None,
        item=item,
    )


def _floats(curve: Curve | None) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if curve is None:
        return (), ()
    return tuple(map(float, curve.x)), tuple(map(float, curve.y))


def _rule(rule: Elimination, class_id: str) -> PlanRule:
    return PlanRule(
        by=rule.by,
        ties=rule.ties,
        tie_growth=rule.tie_growth,
        score_below=None if rule.score_below is None else float(rule.score_below),
        mode=rule.mode,
        k=rule.k,
        m=rule.m,
        gap_resets=rule.gap_resets,
        protect_new_years=rule.protect_new_years,
        average_order=rule.average_order,
        per_class=rule.per_class,
        rule=rule,
        class_id=class_id,
    )


# --- Lines that compare parks with each other ------------------------------------------------------


def _relative_points(line: PlanLine, figures: Array, month: int) -> Array:
    assert line.item is not None
    if line.method == "rank":
        return arrays.rank_points(figures, line.better)
    if line.method in ("efficacy", "min_max"):
        return _between_class_goalposts(line.item, figures)
    return _around_class_mean(line.item, figures, line.weight, month)


def _between_class_goalposts(item: Item, figures: Array) -> Array:
    scoring: Any = item.scoring
    rule = scoring.goalposts
    if rule.statistic == "mean_sd":
        low, high = arrays.mean_goalposts(figures, float(rule.sds))
    else:
        ends = (float(rule.low_quantile), float(rule.high_quantile))
        low, high = arrays.quantile_goalposts(figures, *ends)
    if scoring.method == "min_max":
        return arrays.min_max(figures, low, high, item.better)
    worst, best = (low, high) if item.better == "high" else (high, low)
    return arrays.efficacy(figures, worst, best, float(scoring.when_equal))


def _around_class_mean(item: Item, figures: Array, weight: float, month: int) -> Array:
    """The curve around a reference of 0, read at the deviation from the class mean of each draw."""
    import numpy as np

    setting = Setting(None, Decimal(0), month, Decimal(repr(weight)))
    curve = curve_of(item, setting)
    assert curve is not None
    x, y = _floats(curve)
    mean = np.nanmean(figures, axis=-1, keepdims=True)
    left = tuple(float(one) for one in curve.left)
    return arrays.curve_points(figures - mean, x, y, left=left)
