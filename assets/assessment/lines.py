"""From a line of a scheme to its scoring curve: where the goalposts and references come in.

Belongs here: which curve a line has for a class, and which methods compare parks with each other.
Does not belong here: building curves (``methods.curves``), figures of parks (``columns``).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from methods import curves
from methods.curves import HUNDRED, ZERO, Curve

if TYPE_CHECKING:
    from assets.assessment.goalposts import Goalpost
    from warehouse.catalog.scheme_scoring import BaseLevel, Item, Steps, Tiered

METHOD_ZH = {
    "efficacy": "功效系数法",
    "min_max": "区间位置法",
    "completion": "完成率法",
    "rank": "组内名次法",
    "tiered": "分段累进法",
    "steps": "增减步长法",
    "base_level": "基数法",
    "bands": "分档法",
    "threshold": "达标计分",
    "given": "评分直接计入",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What a curve needs beside its line: goalposts, the reference of a deviation (class mean or
    region's figure, where the line asks for one), last month of the period, weight in the class."""

    goalpost: Goalpost | None = None
    reference: Decimal | None = None
    month: int = 12
    weight: Decimal = HUNDRED


def is_relative(item: Item, goalpost: Goalpost | None = None) -> bool:
    """Whether a park's points depend on the figures of the others of its class now."""
    rule = getattr(item.scoring, "reference", None)
    if item.scoring.method == "rank" or (rule is not None and rule.source == "class_mean"):
        return True
    posts = getattr(item.scoring, "goalposts", None)
    if posts is None:
        return False
    source = goalpost.source if goalpost is not None else posts.source
    return bool(source == "class")


def curve_of(item: Item, setting: Setting) -> Curve | None:
    """Curve of a line; ``None`` where it has none (rank) or what it rests on is missing."""
    scoring = item.scoring
    match scoring.method:
        case "efficacy" | "min_max":
            return _between_goalposts(item, setting.goalpost)
        case "completion":
            share = Decimal(setting.month) / 12 if scoring.prorate else Decimal(1)
            return curves.completion(
                scoring.target * share,
                scoring.cap,
                item.better,
                scoring.zero_below,
                zero_at=scoring.zero_at,
            )
        case "tiered":
            return _tiered(item, scoring, setting)
        case "steps":
            return _steps(item, scoring, setting)
        case "base_level":
            return _base_level(item, scoring, setting)
        case "bands":
            given = [(band.limit, band.points) for band in scoring.bands]
            return curves.bands(given, scoring.below, item.better)
        case "threshold":
            return curves.threshold(scoring.limit, item.better, inclusive=scoring.inclusive)
        case "given":
            return Curve((ZERO, scoring.full), (ZERO, HUNDRED))
    return None


def _between_goalposts(item: Item, post: Goalpost | None) -> Curve | None:
    if post is None:
        return None
    low, high = post.unacceptable, post.satisfactory
    if item.scoring.method == "efficacy":
        return curves.efficacy(high, low, Decimal(item.scoring.when_equal))
    ends = sorted((low, high))
    return curves.min_max(ends[0], ends[1], item.better)


def _origin(scoring: Tiered | Steps, setting: Setting) -> Decimal | None:
    return scoring.reference.value if scoring.reference.source == "policy" else setting.reference


def _tiered(item: Item, scoring: Tiered, setting: Setting) -> Curve | None:
    origin = _origin(scoring, setting)
    if origin is None:
        return None
    return curves.tiered(
        origin,
        scoring.base,
        [(tier.width, tier.per_unit) for tier in scoring.up],
        [(tier.width, tier.per_unit) for tier in scoring.down],
        scoring.least,
        scoring.most,
        item.better,
    )


def _steps(item: Item, scoring: Steps, setting: Setting) -> Curve | None:
    """Points of the scheme become points of 100 of the line's weight."""
    origin = _origin(scoring, setting)
    if origin is None:
        return None
    unit = HUNDRED / setting.weight
    base = HUNDRED if scoring.base_points is None else scoring.base_points * unit
    curve = curves.steps(
        origin,
        scoring.step,
        base,
        (scoring.gain * unit, scoring.most_gain * unit),
        (scoring.loss * unit, scoring.most_loss * unit),
        item.better,
        whole=scoring.whole,
    )
    edge = scoring.zero_at_or_below
    return curve if edge is None else curves.nothing_up_to(curve, edge)


def _base_level(item: Item, scoring: BaseLevel, setting: Setting) -> Curve:
    unit = HUNDRED / setting.weight
    return curves.base_level(
        scoring.level,
        scoring.step,
        (scoring.per_step * unit, scoring.most_bonus),
        ZERO if item.measure == "growth" else HUNDRED,
        proportional=scoring.below == "proportional",
        whole=scoring.whole,
    )


def describe(item: Item, setting: Setting) -> str:
    """How the line is scored, in Chinese, for the note of a score."""
    scoring, method = item.scoring, METHOD_ZH[item.scoring.method]
    if setting.goalpost is not None:
        return f"{method}，{setting.goalpost.describe()}"
    match scoring.method:
        case "completion":
            part = f"，按{setting.month}/12折算" if scoring.prorate else ""
            return f"{method}，目标{scoring.target:f}{scoring.unit}{part}，上限{scoring.cap:f}倍"
        case "tiered" | "steps":
            source = {"policy": "方案规定", "class_mean": "组内平均", "region": "全区域"}
            origin, said = _origin(scoring, setting), source[scoring.reference.source]
            return f"{method}，基准{said}{'' if origin is None else f'{_plain(origin)}'}"
        case "base_level":
            step = f"每增{scoring.step:f}%加{scoring.per_step:f}分"
            return f"{method}，持平得{scoring.level:f}%，{step}"
        case "bands":
            return f"{method}，{len(scoring.bands)}档"
        case "threshold":
            return f"{method}，界限{_plain(scoring.limit)}"
    return method


def _plain(value: Decimal) -> str:
    text = f"{round(value, 4):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
