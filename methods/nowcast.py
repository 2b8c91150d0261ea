"""Year-end nowcast ``median3``: the year's total from the months known so far.

Belongs here: panels of cumulative values with their vintages, the three candidate forecasts (seasonal
share, pooled growth regression, year to date + last year's remainder), their median and the fallbacks
for short histories, new units and figures that may be negative. Does not belong here: uncertainty
(``intervals``), scoring of forecasts (``backtest``), catalogue or tables.

Arrays are float64, NaN = not known, units on the last axis. Pooled parameters are fitted once over
all units in canonical order (class, key); a unit's forecast then depends on its own figures and those
parameters alone, by elementwise arithmetic without BLAS: any order, split or thread count of the
units gives the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from methods.seasonal_pace import (
    Bools,
    Floats,
    Groups,
    Ints,
    ShareFit,
    expit,
    fit_shares,
    logit,
    shrunk_logit,
)

Method = Literal["none", "reported", "class_share", "remainder", "share", "median3", "difference"]
METHODS: tuple[Method, ...] = (
    "none",
    "reported",
    "class_share",
    "remainder",
    "share",
    "median3",
    "difference",
)
"""How a forecast was made, by code: not possible, the year is complete, share of the class (new
unit), last year's remainder, own seasonal share, median of three, scale method (may be negative)."""
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Settings:
    """Constants of the method; the defaults are those of the evaluation in docs/methodology.md."""

    history: int = 5
    """Past years used at most (H)."""
    error_years: int = 3
    """Past years whose errors make the interval (W), at least."""
    scores: int = 39
    """Past errors an interval asks for, one a unit and year: the fewest with which a distribution-free
    central 95 % interval is bounded, (n + 1)·0.975 ≤ n (Vovk, Gammerman & Shafer 2005, ch. 2)."""
    first_month: int = 2
    """First month with a figure: 1—2月 are reported together."""
    prior: tuple[float, ...] = (0.0, 1.0, 0.8, 0.2, 0.5)
    """Regression coefficients believed without data: constant, class growth, own growth above it,
    latest three months above that, undoing last year's odd phasing."""
    prior_sd: tuple[float, ...] = (0.02, 0.2, 0.2, 0.2, 0.2)
    """How firmly they are believed."""
    winsor: float = 1.5
    """Deviations (log points) are cut here."""
    huber: float = 1.345
    """Residuals beyond this many robust standard deviations weigh less (Huber 1964)."""
    rounds: int = 4
    """Rounds of reweighting."""

    def reach(self, units: int) -> int:
        """Past years whose errors make the interval of a panel of so many units: W, and as many more as
        give ``scores`` errors where units are few (a year then counts as few errors as it has units).

        Oracle: 51 units → 3 years, 12 → 4, 2 → 20, 1 → 39.
        """
        return max(self.error_years, -(-self.scores // max(units, 1)))


DEFAULT = Settings()


@dataclass(frozen=True, slots=True)
class Panel:
    """Cumulative values of units in canonical order: ``ytd`` [years, 12, U], NaN = not known.

    ``keys`` [U] unique names, ``codes`` [U] class of each unit, ascending; ``years`` consecutive.
    Build with :func:`panel`, which sorts; ``place`` [U] is each unit's position in the caller's order.
    """

    keys: tuple[str, ...]
    codes: Ints
    classes: tuple[str, ...]
    years: tuple[int, ...]
    ytd: Floats
    place: Ints

    @property
    def groups(self) -> Groups:
        """Classes of the units."""
        return Groups(self.codes, len(self.classes))

    def year_index(self, year: int) -> int:
        """Position of ``year`` on the first axis; ValueError outside the panel."""
        return self.years.index(year)


def panel(
    keys: Sequence[str], classes: Sequence[str] | None, first_year: int, ytd: Floats
) -> Panel:
    """Canonical panel of ``ytd`` [years, 12, U]; ValueError when a key comes twice.

    Without ``classes`` all units form one class.
    """
    if len(set(keys)) != len(keys):
        raise ValueError("a unit appears twice in the panel")
    if ytd.shape[1:] != (MONTHS, len(keys)):
        raise ValueError(f"expected [years, 12, {len(keys)}], found {ytd.shape}")
    named = list(classes) if classes is not None else [""] * len(keys)
    place = sorted(range(len(keys)), key=lambda u: (named[u], keys[u]))
    names = tuple(sorted(set(named)))
    code_of = {name: code for code, name in enumerate(names)}
    order = np.array(place, dtype=np.int64)
    return Panel(
        keys=tuple(keys[u] for u in place),
        codes=np.array([code_of[named[u]] for u in place], dtype=np.int64),
        classes=names,
        years=tuple(range(first_year, first_year + ytd.shape[0])),
        ytd=np.ascontiguousarray(ytd[:, :, order], dtype=np.float64),
        place=order,
    )


@dataclass(frozen=True, slots=True)
class Revisions:
    """Figures that replaced earlier ones: at [year, month, unit] (indices of the panel, month 0..11)
    ``value`` counts from origin ``known`` on (``year·12 + month``, month 1..12), in rising order."""

    known: Ints
    year: Ints
    month: Ints
    unit: Ints
    value: Floats


@dataclass(frozen=True, slots=True)
class Vintages:
    """A panel as it was known at every origin: first releases and what replaced them later.

    A first release counts as known from its own period on, however late it came in. ``singles``:
    figures and revisions are single months, added up to cumulative values when asked for.
    ``prior`` [years, 12, U]: the comparable year-to-date of the year before as published with each
    figure (上年同期, 可比口径), NaN where there is none.
    """

    first: Panel
    revisions: Revisions | None = None
    singles: bool = False
    prior: Floats | None = None

    def at(self, year: int, month: int) -> Panel:
        """The panel as known at an origin: nothing after (year, month), earlier figures in the
        version known then. This is the only door to the data for training and forecasts."""
        return self._known(year, month, year * MONTHS + month)

    def now(self, year: int, month: int) -> Panel:
        """As :meth:`at`, but earlier figures in their newest version: for the month under way."""
        return self._known(year, month, None)

    def _known(self, year: int, month: int, until: int | None) -> Panel:
        base, r = self.first, self.revisions
        last = base.years.index(year)
        ytd = base.ytd[: last + 1]
        if r is not None:
            known = len(r.known) if until is None else np.searchsorted(r.known, until, "right")
            cut = np.flatnonzero(r.year[:known] <= last)
            ytd = ytd.copy()
            ytd[r.year[cut], r.month[cut], r.unit[cut]] = r.value[cut]
        ytd = _until(ytd, last, month)
        if self.singles:
            ytd = np.cumsum(ytd, axis=1)
        return replace(base, years=base.years[: last + 1], ytd=ytd)

    def comparable(self, known: Panel, month: int) -> Panel:
        """``known`` with its past years on the scope of its last year, where that was published."""
        if self.prior is None or len(known.years) < 2:
            return known
        published = known.ytd[-2, month - 1]
        ratio = self.prior[known.year_index(known.years[-1]), month - 1] / np.where(
            published > 0, published, np.nan
        )
        return replace(known, ytd=rebased(known.ytd, ratio))


def _until(ytd: Floats, last: int, month: int) -> Floats:
    """Years up to ``last``, its months after ``month`` (1..12) not known."""
    known = ytd[: last + 1]
    if month == MONTHS or not np.isfinite(known[last, month:]).any():
        return known
    known = known.copy()
    known[last, month:] = np.nan
    return known


def rebased(ytd: Floats, ratio: Floats) -> Floats:
    """Past years on this year's scope (可比口径): ``ytd`` [years, 12, U] with every year but the last
    multiplied by ``ratio`` [U] = comparable prior-year value / value published a year ago.

    Oracle: YTD 120 at a published +20 % means 100 a year ago; published then 80 → ratio 1.25.
    """
    scaled = ytd.copy()
    scaled[:-1] *= np.where(np.isfinite(ratio) & (ratio > 0), ratio, 1.0)
    return scaled


@dataclass(frozen=True, slots=True)
class OriginFit:
    """Pooled parameters of one origin (year, month), fitted once over all units of a panel.

    ``growth`` [n] median log growth of the year so far per class; ``coefficients`` [5] of the growth
    regression; ``trained_until`` the last year whose outcome was used (always before the year).
    """

    month: int
    shares: ShareFit
    growth: Floats
    coefficients: Floats
    trained_until: int
    n_pairs: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """Forecast of the year's total per unit, in the caller's unit of measure.

    ``point`` [U]; ``method`` [U] codes of :data:`METHODS`; ``n_history`` [U] complete past years
    used; ``share`` [U] seasonal share s_m (0..1) of the year done by this month; ``by_class`` [U]
    what the share of the class alone would say (the forecast of a unit without a past).
    """

    point: Floats
    method: Ints
    n_history: Ints
    share: Floats
    by_class: Floats
    candidates: dict[str, Floats] = field(default_factory=dict)


def fit_origin(known: Panel, month: int, settings: Settings = DEFAULT) -> OriginFit:
    """Pooled parameters at the last year of ``known`` after ``month`` months (1..12)."""
    window = _window(known.ytd, settings)
    groups = known.groups
    logits = _logits(window[:-1], month)
    growth = groups.median(_growth(window[-1], window[-2], month)) if len(window) > 1 else None
    coefficients, n_pairs = _fit_growth(window[:-1], logits, month, groups, settings)
    return OriginFit(
        month=month,
        shares=fit_shares(logits, groups),
        growth=np.zeros(groups.count) if growth is None else growth,
        coefficients=coefficients,
        trained_until=known.years[-1] - 1,
        n_pairs=n_pairs,
    )


def predict(fit: OriginFit, ytd: Floats, codes: Ints, settings: Settings = DEFAULT) -> Forecast:
    """Forecasts of the units in ``ytd`` [years, 12, U] (any subset of the panel the fit comes from,
    last year the current one) of classes ``codes`` [U]. Elementwise over units."""
    window = _window(ytd, settings)
    now, past = window[-1], window[:-1]
    done = now[fit.month - 1]
    if fit.month == MONTHS:
        return _complete(done)
    logits = _logits(past, fit.month)
    n_history = np.isfinite(past[:, MONTHS - 1]).sum(axis=0).astype(np.int64)
    share = expit(shrunk_logit(logits, fit.shares, codes))
    own = np.asarray(np.isfinite(logits).any(axis=0))
    by_class = done / expit(fit.shares.class_mean[codes])
    by_share = done / share
    rest = (
        past[-1, MONTHS - 1] - past[-1, fit.month - 1] if len(past) else np.full_like(done, np.nan)
    )
    remainder = done + np.where(rest >= 0, rest, np.nan)
    regression = _regression(fit, window, logits, codes, rest, settings)
    point, method = _choose(by_share, own, regression, remainder, by_class)
    candidates = {"share": by_share, "regression": regression, "remainder": remainder}
    return Forecast(point, method, n_history, share, by_class, candidates)


def nowcast(known: Panel, month: int, settings: Settings = DEFAULT) -> Forecast:
    """Forecasts of all units of ``known`` (as of its last year, ``month``), in the panel's order."""
    return predict(fit_origin(known, month, settings), known.ytd, known.codes, settings)


# --- Simple rules to compare with -----------------------------------------------------------------


def by_calendar(done: Floats, month: int) -> Floats:
    """序时: year = year to date · 12/m."""
    return done * MONTHS / month


def by_last_year(done: Floats, last_done: Floats, last_total: Floats) -> Floats:
    """同比法: last year's total times this year's growth so far."""
    return last_total * done / np.where(last_done > 0, last_done, np.nan)


# --- Steps ----------------------------------------------------------------------------------------


def _window(ytd: Floats, settings: Settings) -> Floats:
    return ytd[-(settings.history + 1) :]


def _logits(past: Floats, month: int) -> Floats:
    """Logit of C_m/C_12 per past year and unit."""
    total = past[:, MONTHS - 1]
    return logit(past[:, month - 1] / np.where(total > 0, total, np.nan))


def _log_ratio(now: Floats, before: Floats) -> Floats:
    """log(now/before), NaN unless both are positive."""
    both = (now > 0) & (before > 0)
    return np.where(both, np.log(np.where(both, now, 1.0) / np.where(both, before, 1.0)), np.nan)


def _growth(now: Floats, before: Floats, month: int) -> Floats:
    return _log_ratio(now[month - 1], before[month - 1])


def _recent(year: Floats, month: int) -> Floats:
    """Value of the latest three months: all of them to March, C_4 − C_2 in April (1—2月 are one)."""
    if month <= 3:
        return np.asarray(year[month - 1])
    return np.asarray(year[month - 1] - year[max(month - 4, 1)])


def _features(
    now: Floats, before: Floats, month: int, typical: Floats, odd: Floats, winsor: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """(class growth, own above it, latest above own, odd phasing of last year), each [U]."""
    growth = _growth(now, before, month)
    latest = _log_ratio(_recent(now, month), _recent(before, month))
    speed = np.where(np.isfinite(latest), latest - growth, 0.0)
    return (
        typical,
        np.clip(growth - typical, -winsor, winsor),
        np.clip(speed, -winsor, winsor),
        np.clip(np.where(np.isfinite(odd), odd, 0.0), -winsor, winsor),
    )


def _fit_growth(
    past: Floats, logits: Floats, month: int, groups: Groups, settings: Settings
) -> tuple[Floats, int]:
    """Coefficients of log(R_t/R_{t−1}) on the features over past year pairs: ridge towards the
    prior, Huber weights. Without pairs the prior itself."""
    prior = np.array(settings.prior)
    columns: list[list[Floats]] = []
    if month < MONTHS:
        for last in range(1, len(past)):
            columns.append(_pair(past[: last + 1], logits[:last], month, groups, settings))
    rows = [np.concatenate(parts) for parts in zip(*columns, strict=True)] if columns else []
    if not rows or rows[0].size == 0:
        return prior, 0
    *features, response = rows
    return _robust_ridge(features, response, prior, settings), int(response.size)


def _pair(
    years: Floats, logits: Floats, month: int, groups: Groups, settings: Settings
) -> list[Floats]:
    """Features and response of the last two of ``years``, units with all of them known."""
    now, before = years[-1], years[-2]
    typical = groups.median(_growth(now, before, month))[groups.codes]
    odd = logits[-1] - shrunk_logit(logits, fit_shares(logits, groups), groups.codes)
    features = _features(now, before, month, typical, odd, settings.winsor)
    rest = _log_ratio(now[MONTHS - 1] - now[month - 1], before[MONTHS - 1] - before[month - 1])
    keep = np.isfinite(rest) & np.isfinite(features[1])
    return [column[keep] for column in (*features, rest)]


def _robust_ridge(
    features: list[Floats], response: Floats, prior: Floats, settings: Settings
) -> Floats:
    """argmin Σ ρ_Huber((r − Xβ)/σ) + Σ((β−β⁰)/sd)²/2 by reweighting a fixed number of rounds.

    σ = 1.4826·median |residual|. Sums are numpy's pairwise sums in the given order, so no BLAS.
    """
    design = [np.ones_like(response), *features]
    strength = 1 / np.square(np.array(settings.prior_sd))
    beta = prior
    for _ in range(settings.rounds):
        left = response - _combine(design, beta)
        size = np.abs(left)
        sigma = max(1.4826 * float(np.median(size)), 1e-6)
        size = size / (settings.huber * sigma)
        weight = 1 / np.maximum(size, 1.0)
        normal, right = _normal_equations(design, response, weight / (sigma * sigma))
        normal[np.diag_indices_from(normal)] += strength
        beta = np.linalg.solve(normal, right + strength * prior)
    return beta


def _normal_equations(
    design: list[Floats], response: Floats, weight: Floats
) -> tuple[Floats, Floats]:
    size = len(design)
    normal, right = np.zeros((size, size)), np.zeros(size)
    for i, column in enumerate(design):
        weighted = column * weight
        right[i] = (weighted * response).sum()
        for j in range(i, size):
            normal[i, j] = normal[j, i] = (weighted * design[j]).sum()
    return normal, right


def _combine(design: Sequence[Floats], beta: Floats) -> Floats:
    total: Floats = design[0] * beta[0]
    for column, factor in zip(design[1:], beta[1:], strict=True):
        total += column * factor
    return total


def _regression(
    fit: OriginFit, window: Floats, logits: Floats, codes: Ints, rest: Floats, settings: Settings
) -> Floats:
    """C_m + R_{t−1}·exp(fitted log growth of the rest)."""
    done = window[-1][fit.month - 1]
    if len(window) < 2:
        return np.full_like(done, np.nan)
    odd = logits[-1] - shrunk_logit(logits, fit.shares, codes)
    features = _features(window[-1], window[-2], fit.month, fit.growth[codes], odd, settings.winsor)
    growth = _combine([np.ones_like(done), *features], fit.coefficients)
    grown: Floats = np.where(rest > 0, rest, np.nan) * np.exp(np.clip(growth, -3.0, 3.0))
    return np.asarray(done + grown)


def _choose(
    by_share: Floats, own: Bools, regression: Floats, remainder: Floats, by_class: Floats
) -> tuple[Floats, Ints]:
    """Median of three where all exist, else own share, else the remainder, else the class share."""
    low, high = np.minimum(regression, remainder), np.maximum(regression, remainder)
    median = np.minimum(np.maximum(low, by_share), high)
    rules: list[tuple[Method, Floats, Bools]] = [
        ("median3", median, own & np.isfinite(median)),
        ("share", by_share, own & np.isfinite(by_share)),
        ("remainder", remainder, np.isfinite(remainder)),
        ("class_share", by_class, np.isfinite(by_class)),
    ]
    cases = [case for _, _, case in rules]
    point = np.select(cases, [value for _, value, _ in rules], np.nan)
    method = np.select(cases, [METHODS.index(name) for name, _, _ in rules], 0)
    return point, method.astype(np.int64)


def _complete(done: Floats) -> Forecast:
    """After December the total is what is reported."""
    known = np.isfinite(done)
    code = np.where(known, METHODS.index("reported"), 0).astype(np.int64)
    ones = np.where(known, 1.0, np.nan)
    return Forecast(done.copy(), code, known.astype(np.int64), ones, done.copy())
