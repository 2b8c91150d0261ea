"""How far a target should have come by now, and the verdict and light that follow.

Belongs here: when a target is in force, choosing its time path (month of the year, plan, path from
a baseline) and the rules that soften a light. Does not belong here: looking figures up, whole
sentences (``wording``), the arithmetic itself (``methods.progress``).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from assets.targets.wording import percent
from methods import progress
from methods.progress import Light

if TYPE_CHECKING:
    from assets.targets.evidence import Evidence
    from warehouse.catalog.models import Document, Target

YEARLY = ("each_year", "full_year")
STANDING = ("standing", "rolling")


@dataclass(frozen=True, slots=True)
class Pace:
    """``done_pct`` against ``time_pct`` (``None`` = no time path: compare with the full bar).

    ``weak``: the path is only indicative, so it alone must not turn a light red. ``words`` name
    the path in Chinese; ``note`` explains what is unusual about it.
    """

    done_pct: Decimal | None = None
    time_pct: Decimal | None = None
    gap_pp: Decimal | None = None
    ratio: Decimal | None = None
    words: str = ""
    note: str = ""
    weak: bool = False


def in_force(target: Target, document: Document, period: str) -> Literal["not_yet", "now", "over"]:
    """Whether ``period`` lies before, in or after the term of the target and its document."""
    first, last = target.period.span(document)
    end = f"{document.known_since:%Y-%m}"
    repealed = document.repealed is not None and f"{document.repealed:%Y-%m}" <= period
    if repealed or period > last:
        return "over"
    return "not_yet" if period < max(first, end) else "now"


@dataclass(frozen=True, slots=True)
class Bar:
    """What is asked for, in the unit of the figure: the bar, the upper end of a range, the
    tolerance of 左右."""

    required: Decimal
    upper: Decimal | None = None
    tolerance: Decimal = progress.ZERO


def meets(target: Target, actual: Decimal, bar: Bar) -> bool:
    """Exact comparison of figures in one unit. A range includes both ends; for a number to be
    created (创建5—6个) more than the upper end is reached too, for a limit per park it is not."""
    required = bar.required
    match target.comparator:
        case ">":
            return actual > required
        case "<=" | "rank<=":
            return actual <= required
        case "<":
            return actual < required
        case "=":
            return actual == required
        case "in":
            return required <= actual and not exceeds(target, actual, bar)
        case "~=":
            return actual >= required - bar.tolerance
        case _:
            return actual >= required


def exceeds(target: Target, actual: Decimal, bar: Bar) -> bool:
    """True when a range per park is exceeded (主导产业1—2个, found 3)."""
    strict = target.kind == "per_park_range"
    return strict and bar.upper is not None and actual > bar.upper


def pace_of(target: Target, e: Evidence, actual: Decimal, bar: Bar, base: Decimal | None) -> Pace:
    """Where the target stands on its time path. Lower-is-better and exact ones have no path."""
    required = bar.required
    done = progress.completion_pct(actual, required)
    downward = target.comparator in ("<=", "<", "=", "rank<=")
    if done is None or downward or exceeds(target, actual, bar):
        return Pace()
    if target.period.type in STANDING or target.progress_method in ("direct", "none"):
        return Pace(done, None, done - progress.HUNDRED)
    if target.kind == "share" and (base is None or base >= required):
        note = "" if is_closing(target, e) else "无基期数，占比直接与目标比较，期满前不判红"
        return Pace(done, None, actual - required, note=note, weak=not is_closing(target, e))
    if target.progress_method == "annual_flow_path":
        return _yearly_flow(target, e, actual, required, base)
    if target.period.type in YEARLY:
        return _against(done, progress.time_progress_pct(e.month), "序时进度")
    return _plan_path(target, e, actual, required, base)


def schedule_only(actual: Decimal, required: Decimal, month: int, weak: bool) -> Pace:
    """What is done against the share of the year gone; ``weak``: shown, but never red by itself."""
    done = actual * progress.HUNDRED / required
    return _against(done, progress.time_progress_pct(month), "序时进度", weak=weak)


def _yearly_flow(
    target: Target, e: Evidence, actual: Decimal, required: Decimal, base: Decimal | None
) -> Pace:
    """A yearly amount due in the last year: that year against m/12, earlier years against the
    constant-growth path from the base year."""
    document = e.documents[target.document_id]
    time = progress.time_progress_pct(e.month)
    done = actual * progress.HUNDRED / required
    last = int(target.period.span(document)[1][:4])
    if e.year >= last:
        return _against(done, time, "序时进度")
    start = target.base_year(document)
    path = (
        None if base is None else progress.cagr_path(base, required, e.year - start, last - start)
    )
    if path is None:
        note = f"无基期数，{e.year}年应达数无法推算，暂与{last}年目标额按序时比较，仅供参考"
        return _against(done, time, "序时进度", note, weak=True)
    on_path = actual * progress.HUNDRED / path
    note = f"按{start}年基数至{last}年等速增长路径，{e.year}年应达数已完成{percent(on_path)}"
    return _against(on_path, time, "序时进度", note)


def _plan_path(
    target: Target, e: Evidence, actual: Decimal, required: Decimal, base: Decimal | None
) -> Pace:
    """A level due at the end of a term: share of the way from the base (else the completion)
    against the share of the term gone."""
    document = e.documents[target.document_id]
    time = progress.plan_progress_pct(e.period, *target.period.span(document))
    words = "规划期时间进度"
    if base is None or base >= required:
        done = actual * progress.HUNDRED / required
        return _against(done, time, words)
    way = progress.way_pct(base, actual, required) or progress.ZERO
    note = f"自{target.base_year(document)}年基期以来已走完目标增量的{percent(way)}"
    return _against(way, time, words, note)


def _against(done: Decimal, time: Decimal, words: str, note: str = "", weak: bool = False) -> Pace:
    gap = progress.gap_pp(done, time)
    return Pace(done, time, gap, progress.pace_ratio(done, time), words, note, weak)


EVEN = Pace()
"""No path: a gap is filled in by whoever measures one."""


# --- Verdict and light ----------------------------------------------------------------------------


def decide(target: Target, e: Evidence, met: bool, pace: Pace) -> tuple[str, Light]:
    """Verdict and light of an amount: reached, or by its gap under the light rule in use."""
    if met:
        return "met", "green"
    if pace.gap_pp is None:
        return soften(target, "red", pace.weak)
    light = progress.light_for_gap(pace.gap_pp, e.rule)
    if light == "green" and (pace.time_pct is None or is_closing(target, e)):
        light = "yellow"  # "超过" missed by equality: no gap left, yet not reached
    return soften(target, light, pace.weak)


def decide_growth(
    target: Target, e: Evidence, met: bool, rate: Decimal, gap: Decimal, weak: bool
) -> tuple[str, Light]:
    """Verdict and light of a growth rate with its gap to the bar. Reached is on_pace until the
    year is over."""
    if met:
        return ("met" if is_closing(target, e) else "on_pace"), "green"
    light = progress.light_for_growth(rate, gap, e.rule)
    return soften(target, "yellow" if light == "green" else light, weak)


def is_closing(target: Target, e: Evidence) -> bool:
    """True in the last month the target can still be met: what is missed now stays missed."""
    if target.period.type in YEARLY:
        return e.month == 12
    return e.period == target.period.span(e.documents[target.document_id])[1]


def soften(target: Target, light: Light, weak: bool) -> tuple[str, Light]:
    """Verdict word of a light, then what may lower it: weak evidence lowers both (1—2月, no base),
    an expected or directional clause lowers the light only (力争、左右、一般、引导 never red)."""
    if weak and light in ("red", "orange"):
        light = "yellow"
    verdict = {"green": "on_pace", "yellow": "behind"}.get(light, "far_behind")
    if target.strength != "binding" and light in ("red", "orange"):
        light = "yellow"
    return verdict, light
