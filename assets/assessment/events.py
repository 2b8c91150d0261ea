"""Events of a year and what they do to a score: 加分扣分, 数据质量罚则, 一票否决.

Belongs here: confirmed events of a park applied under a scheme's rules, each as a line of the score
or a standing. Does not belong here: entering events (``outcomes``), scoring of indicators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from methods.composite import rounded

if TYPE_CHECKING:
    from warehouse.catalog.scheme_rules import DataQuality, EventPoints, ShareBand, Veto
    from warehouse.catalog.schemes import Scheme

# Events every scheme may use in data_quality; all others are named by the scheme itself.
LATE, MISSING, INCOMPLETE, FALSE = "late_return", "missing_return", "incomplete_pct", "false_pct"
UNVERIFIED = "unverified"
DATA_EVENTS = {
    LATE: "迟报次数",
    MISSING: "漏报次数",
    INCOMPLETE: "未填指标比例",
    FALSE: "违法比例",
    UNVERIFIED: "数据未经核实",
}

Events = Mapping[str, Mapping[int, Decimal]]
"""Event → year → how often, or the share in percent; confirmed by people."""
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Extra:
    """A line of a score beside the indicators: points added or taken, with the reason."""

    event: str
    kind: str
    count: Decimal
    points: Decimal
    note: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What vetoes and data quality do to a park, each with its reason (empty: nothing).

    ``grade_caps``: (best grade allowed, reason)."""

    disqualified: str = ""
    no_honours: str = ""
    lowest_grade: str = ""
    grade_caps: tuple[tuple[str, str], ...] = ()


def extras(scheme: Scheme, events: Events, year: int) -> list[Extra]:
    """Lines a park's events of the year add to its score, rounded like the other points."""
    found: list[Extra] = []
    rules = scheme.adjustments
    if rules is not None:
        lines = [_adjust(rule, _count(events, rule.event, year)) for rule in rules.events]
        lines = [line for line in lines if line.points]
        added = _held([line for line in lines if line.points > 0], rules.most_added, "加分")
        taken = _held([line for line in lines if line.points < 0], rules.most_taken, "扣分")
        found += [*added, *taken]
    if scheme.data_quality is not None:
        found += _penalties(scheme.data_quality, events, year)
    return [
        Extra(one.event, one.kind, one.count, rounded(one.points, scheme.decimals), one.note)
        for one in found
    ]


def standing(scheme: Scheme, events: Events, year: int) -> Standing:
    """What a park's events of this and earlier years bar it from."""
    bars: dict[str, str] = {"disqualify": "", "no_honours": "", "lowest_grade": ""}
    caps: list[tuple[str, str]] = []
    for veto in scheme.vetoes:
        reason = _veto_reason(veto, events, year)
        if reason and veto.effect == "grade_cap":
            caps.append((veto.grade, f"{reason}，等次最高为{veto.grade}"))
        elif reason:
            bars[veto.effect] = bars[veto.effect] or reason
    rule = scheme.data_quality
    if rule is not None:
        wrong = _count(events, FALSE, year)
        if wrong > 0 and rule.false_effect != "deduct":
            bars[rule.false_effect] = bars[rule.false_effect] or f"数据失实（违法比例{wrong:f}%）"
        if rule.unverified_grade_cap and _count(events, UNVERIFIED, year) > 0:
            cap = rule.unverified_grade_cap
            caps.append((cap, f"数据未经核实，等次最高为{cap}"))
    return Standing(bars["disqualify"], bars["no_honours"], bars["lowest_grade"], tuple(caps))


def _count(events: Events, event: str, year: int) -> Decimal:
    return events.get(event, {}).get(year, ZERO)


def _adjust(rule: EventPoints, count: Decimal) -> Extra:
    points = rule.points_each * count
    note = f"{rule.title}{count:f}次，每次{rule.points_each:+f}分"
    if rule.cap is not None and abs(points) > rule.cap:
        points = rule.cap if points > 0 else -rule.cap
        note += f"，以{rule.cap:f}分为限"
    return Extra(rule.event, "adjustment", count, points, note)


def _held(lines: Sequence[Extra], most: Decimal | None, word: str) -> list[Extra]:
    """Lines whose sum goes over the limit, cut back from the last one on."""
    left, kept = most, []
    for line in lines:
        size = abs(line.points)
        if left is None or size <= left:
            kept.append(line)
            left = None if left is None else left - size
            continue
        points = left if line.points > 0 else -left
        note = f"{line.note}；{word}合计以{most:f}分为限"
        kept.append(Extra(line.event, line.kind, line.count, points, note))
        left = ZERO
    return kept


def _penalties(rule: DataQuality, events: Events, year: int) -> list[Extra]:
    found = [
        _per_return(LATE, events, year, rule.late_points_each, rule.late_cap, rule.late_free),
        _per_return(MISSING, events, year, rule.missing_points_each, rule.missing_cap, 0),
        _band(INCOMPLETE, events, year, rule.incomplete_bands),
    ]
    if rule.false_effect == "deduct":
        found.append(_band(FALSE, events, year, rule.false_bands))
    return [line for line in found if line is not None]


def _per_return(
    event: str, events: Events, year: int, each: Decimal, cap: Decimal | None, free: int
) -> Extra | None:
    count = _count(events, event, year)
    points = each * max(count - free, ZERO)
    if not points:
        return None
    note = f"{DATA_EVENTS[event]}{count:f}，{f'{free}次以内不扣，' if free else ''}每次扣{each:f}分"
    if cap is not None and points > cap:
        points, note = cap, f"{note}，以{cap:f}分为限"
    return Extra(event, "penalty", count, -points, note)


def _band(event: str, events: Events, year: int, bands: Sequence[ShareBand]) -> Extra | None:
    share = _count(events, event, year)
    reached = [band for band in bands if share >= band.from_pct and share > 0]
    if not reached:
        return None
    band = reached[-1]
    note = f"{DATA_EVENTS[event]}{share:f}%，达到{band.from_pct:f}%一档，扣{band.points:f}分"
    return Extra(event, "penalty", share, -band.points, note)


def _veto_reason(veto: Veto, events: Events, year: int) -> str:
    years = events.get(veto.event, {})
    hit = [one for one in sorted(years) if years[one] > 0 and 0 <= year - one < veto.years]
    if not hit:
        return ""
    when = "" if hit[-1] == year else f"（{hit[-1]}年，{veto.years}年内有效）"
    return f"一票否决：{veto.title}{when}"
