"""Seeded-error experiment: known mistakes put into real flows, and how many the screens find.

Belongs here: sowing the mistakes reporters make, running the catalogue's screens as the main job
does, counting hits, false alarms and the impact caught by review from the top of the score. Does not
belong here: the screens (``screens``), reading panels or printing (the ``backtest`` command).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from methods import edit_screens as es
from quality.screens import Figures, ScreenRule, run_screens

if TYPE_CHECKING:
    from methods.edit_screens import Flags, Floats, Numbers

ERROR_KINDS = {
    "times_ten": "多写一位(×10)",
    "tenth": "少写一位(÷10)",
    "copied_previous": "照抄上期",
    "copied_year": "照抄上年同期",
    "typo": "错一个数字(±30%—70%)",
    "wrong_unit": "计量单位用错(×10000 或 ÷10000)",
    "swapped": "本期列与同期列填反",
    "negative": "误写负号",
}
SIZE_KINDS = frozenset({"magnitude", "model_z", "ratio_edit"})
"""Kinds of screens that look at how large a figure is; the others look for exact coincidences."""
SMALLEST_EFFECT = 0.02
"""Mistakes that move a value by less are not counted: nobody would look for them."""
REVIEWED = 0.02
"""Share of the cells that people look at first."""
BROKEN_SUMS = 0.1
"""Share of the totals of a month in which one part is left out."""

Presentation = Literal["ytd", "month"]


@dataclass(frozen=True, slots=True)
class FlowPanel:
    """Monthly flows: ``values`` (units, months), NaN where missing; ``periods`` YYYY-MM without gaps;
    ``domain`` numbers the group 0..k-1 of every unit."""

    name: str
    units: Sequence[str]
    periods: Sequence[str]
    values: Floats
    domain: Numbers

    @property
    def rounding_unit(self) -> float:
        """Smallest step the figures are given in: 1, 0.1, 0.01 …"""

        known = self.values[np.isfinite(self.values)]
        for places in range(8):
            scaled = known * 10.0**places
            if np.all(np.abs(scaled - np.rint(scaled)) < 1e-6 * np.maximum(np.abs(scaled), 1)):
                return float(10.0**-places)
        return 1e-8


@dataclass(slots=True)
class Tally:
    """Counts of one experiment over all months."""

    presentation: Presentation
    first: str = ""
    last: str = ""
    months: int = 0
    cells: int = 0
    clean: int = 0
    alarms: int = 0
    size_alarms: int = 0
    alarms_by_screen: dict[str, int] = field(default_factory=dict)
    hits_by_screen: dict[str, int] = field(default_factory=dict)
    seeded: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    found_by_size: dict[str, int] = field(default_factory=dict)
    sized: dict[str, int] = field(default_factory=dict)
    sized_found: dict[str, int] = field(default_factory=dict)
    impact: dict[str, float] = field(default_factory=dict)
    caught: dict[str, float] = field(default_factory=dict)
    caught_monthly: dict[str, float] = field(default_factory=dict)
    sums_broken: int = 0
    sums_found: int = 0
    sums_kept: int = 0
    sum_alarms: int = 0

    def share(self, found: dict[str, int], kind: str) -> float:
        """Found share of the mistakes of a kind; NaN where none was sown."""
        return found.get(kind, 0) / self.seeded[kind] if self.seeded.get(kind) else float("nan")

    def impact_caught(self, without: Sequence[str] = (), *, monthly: bool = False) -> float:
        """Share of the impact of all mistakes that lies in the cells reviewed: the top of all
        months together, or ``monthly`` of each month by itself."""
        kinds = [k for k in self.impact if k not in without]
        caught = self.caught_monthly if monthly else self.caught
        total = sum(self.impact[k] for k in kinds)
        return sum(caught[k] for k in kinds) / total if total else float("nan")


@dataclass(slots=True)
class _Ranked:
    """Score, impact, kind of mistake and monthly review mark of the cells judged, month by month."""

    score: list[Floats] = field(default_factory=list)
    impact: list[Floats] = field(default_factory=list)
    kind: list[Numbers] = field(default_factory=list)
    monthly: list[Flags] = field(default_factory=list)


def experiment(
    panel: FlowPanel,
    screens: Sequence[ScreenRule],
    suspicions: dict[str, float | None],
    *,
    presentation: Presentation,
    counted: frozenset[str],
    years: int = 8,
    share: float = 0.02,
    repeats: int = 10,
    seed: int = 20201,
    min_history: int = 3,
) -> Tally:
    """Sow mistakes into ``share`` of the cells of each of the last ``years`` years and screen them.

    Every month is judged as it would arrive: its own mistakes in it, the months before already
    mended; ``repeats`` times with other mistakes. ``counted`` are the screens whose hit counts as
    found (and as an alarm on a clean cell). ``min_history`` years come before the first month judged.
    """

    rng = np.random.default_rng(seed)
    tally, ranked = Tally(presentation), _Ranked()
    first = max(len(panel.periods) - 12 * years, 12 * min_history)
    for month in range(first, len(panel.periods)):
        clean = _figures(panel, month, presentation)
        if not np.isfinite(clean.now).any():
            continue
        at_start = panel.periods[month].endswith("-01")
        for _ in range(repeats):
            sown, kind, true = _sow(clean, rng, share, at_start=at_start)
            _count_month(tally, ranked, sown, kind, true, screens, suspicions, counted)
            _count_sums(tally, true, panel.domain, rng, panel.rounding_unit)
        tally.first = tally.first or panel.periods[month]
        tally.last = panel.periods[month]
        tally.months += 1
    _count_impact(tally, ranked)
    return tally


def _figures(panel: FlowPanel, month: int, presentation: Presentation) -> Figures:
    """One month as it would be reported, with forecasts from the months before."""

    window = slice(max(0, month - 59), month + 1)
    flows = panel.values[:, window]
    expected = es.expected_flows(flows, 12)
    step, scale = expected.forecast[:, -1], expected.scale[:, -1]
    start = month - int(panel.periods[month][5:]) + 1
    if presentation == "ytd":
        now = panel.values[:, start : month + 1].sum(axis=1)
        before = panel.values[:, start:month].sum(axis=1) if month > start else None
        year_ago = panel.values[:, start - 12 : month - 11].sum(axis=1)
    else:
        now, before = panel.values[:, month], panel.values[:, month - 1]
        year_ago = panel.values[:, month - 12]
    former = np.full(now.shape, np.nan) if before is None else before
    carried = 0.0 if before is None or presentation == "month" else before
    return Figures(
        kind="flow", now=_as_printed(now), former=_as_printed(former),
        year_ago=_as_printed(year_ago), reported_prior=_as_printed(year_ago),
        forecast=carried + step, step=step, scale=scale, domain=panel.domain,
        cumulative=presentation == "ytd",
    )  # fmt: skip


def _as_printed(values: Floats) -> Floats:
    """Sums without the noise of binary fractions, as a return would show them."""

    rounded: Floats = np.round(values, 6)
    return rounded


def _sow(
    clean: Figures, rng: np.random.Generator, share: float, *, at_start: bool
) -> tuple[Figures, Numbers, Floats]:
    """The month with mistakes in it, the kind of each cell's mistake (-1 none), the true values."""
    from dataclasses import replace

    true = np.where(clean.now > 0, clean.now, np.nan)
    kinds = list(ERROR_KINDS)
    n = true.size
    kind = np.where(rng.random(n) < share, rng.integers(0, len(kinds), n), -1)
    if at_start:
        kind[kind == kinds.index("copied_previous")] = kinds.index("times_ten")
    factor = 1 + rng.choice((-1.0, 1.0), n) * rng.uniform(0.3, 0.7, n)
    unit = np.where(rng.random(n) < 0.5, 1e4, 1e-4)
    wrong = {
        "times_ten": true * 10, "tenth": true / 10, "copied_previous": clean.former,
        "copied_year": clean.year_ago, "typo": np.round(true * factor, 6),
        "wrong_unit": true * unit, "swapped": clean.year_ago, "negative": -true,
    }  # fmt: skip
    now = true.copy()
    for number, name in enumerate(kinds):
        now = np.where(kind == number, wrong[name], now)
    with np.errstate(invalid="ignore"):
        counts = np.isfinite(now) & (np.abs(now - true) >= SMALLEST_EFFECT * true)
    now, kind = np.where(counts, now, true), np.where(counts, kind, -1)
    exchanged = kind == kinds.index("swapped")
    prior = np.where(exchanged, true, clean.reported_prior)
    return replace(clean, now=now, reported_prior=prior), kind, true


def _count_month(
    tally: Tally,
    ranked: _Ranked,
    sown: Figures,
    kind: Numbers,
    true: Floats,
    screens: Sequence[ScreenRule],
    suspicions: dict[str, float | None],
    counted: frozenset[str],
) -> None:

    screened = run_screens(sown, screens, suspicions)
    judged = np.isfinite(true)
    negative = sown.now < 0  # the non-negative rule of the catalogue, exact by nature
    found, by_size = negative.copy(), negative.copy()
    sizes = {screen.screen_id for screen in screens if screen.kind in SIZE_KINDS}
    for name, hit in screened.hits.items():
        if name in counted:
            found |= hit
        if name in counted & sizes:
            by_size |= hit
        _add(tally.alarms_by_screen, name, int((hit & judged & (kind < 0)).sum()))
        _add(tally.hits_by_screen, name, int((hit & judged & (kind >= 0)).sum()))
    suspicion = np.where(negative, 1.0, screened.suspicion)
    known = np.where(np.isfinite(sown.expected), sown.expected, sown.now)
    size = np.bincount(sown.domain, np.nan_to_num(np.abs(known)))[sown.domain]
    score = es.selective_score(suspicion, sown.now, sown.expected, size)
    clean = judged & (kind < 0)
    tally.cells += int(judged.sum())
    tally.clean += int(clean.sum())
    tally.alarms += int((found & clean).sum())
    tally.size_alarms += int((by_size & clean).sum())
    ranked.score.append(score[judged])
    ranked.impact.append((np.abs(sown.now - true) / size)[judged])
    ranked.kind.append(kind[judged])
    ranked.monthly.append(_top(score[judged], REVIEWED))
    long_enough = es.significant_digits(sown.now) >= 3
    for number, name in enumerate(ERROR_KINDS):
        these = judged & (kind == number)
        _add(tally.seeded, name, int(these.sum()))
        _add(tally.found, name, int((these & found).sum()))
        _add(tally.found_by_size, name, int((these & by_size).sum()))
        _add(tally.sized, name, int((these & long_enough).sum()))
        _add(tally.sized_found, name, int((these & long_enough & found).sum()))


def _count_impact(tally: Tally, ranked: _Ranked) -> None:

    if not ranked.score:
        return
    impact, kind = np.concatenate(ranked.impact), np.concatenate(ranked.kind)
    monthly = np.concatenate(ranked.monthly)
    reviewed = _top(np.concatenate(ranked.score), REVIEWED)
    for number, name in enumerate(ERROR_KINDS):
        these = kind == number
        tally.impact[name] = float(impact[these].sum())
        tally.caught[name] = float(impact[these & reviewed].sum())
        tally.caught_monthly[name] = float(impact[these & monthly].sum())


def _top(score: Floats, share: float) -> Flags:
    """The cells reviewed first: the highest scores, ``share`` of the cells, at least one."""

    n = max(1, round(share * score.size))
    order = np.argsort(-score, kind="stable")
    top: Flags = np.zeros(score.shape, bool)
    top[order[:n]] = True
    return top


def _count_sums(
    tally: Tally, true: Floats, domain: Numbers, rng: np.random.Generator, rounding_unit: float
) -> None:
    """Totals as reported: in some domains one part was left out."""

    values = np.nan_to_num(true)
    totals: Floats = np.bincount(domain, values).astype(np.float64)
    broken = rng.random(totals.size) < BROKEN_SUMS
    reported = totals.copy()
    for group in np.flatnonzero(broken):
        members = np.flatnonzero((domain == group) & (values > SMALLEST_EFFECT * totals[group]))
        broken[group] = members.size > 1
        if broken[group]:
            reported[group] -= values[rng.choice(members)]
    flagged = es.broken_sums(values, domain, reported, rounding_unit)
    tally.sums_broken += int(broken.sum())
    tally.sums_found += int((flagged & broken).sum())
    tally.sums_kept += int((~broken).sum())
    tally.sum_alarms += int((flagged & ~broken).sum())


def _add(counts: dict[str, int], name: str, n: int) -> None:
    counts[name] = counts.get(name, 0) + n
