"""How sure a nowcast is: past errors of the same method, scaled to the unit, plus a common shock.

Belongs here: the error model of an indicator at a month, its quantiles, probabilities and draws, and
Student's t. Does not belong here: forecasts (``nowcast``), rules of an assessment (``risk``), tables.

Model (log link): Y_u = center_u · exp(scale_u · (ε + κ·t)), with ε a past standardised error of some
unit and year, and t a Student variable shared by all units of a draw (the year's common shock); scale
link: Y_u = center_u + scale_u · (ε + κ·t). Risk simulation draws ε as a vector over indicators from one
donor (year, unit), so that indicators keep their correlation and their tails: see :class:`ErrorModel`.

Arrays are float64, NaN = not known, units on the last axis in the panel's canonical order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from methods.seasonal_pace import Bools, Floats, Ints

Link = Literal["log", "scale"]

PUBLISHED = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
"""Quantiles of the table ``indicators.nowcast``."""

OWN_PRIOR_YEARS = 1.0
OWN_PRIOR_SHARE = 0.7
CAP_UNIT = 100.0
CLIP_SPREAD = 0.95
GRID = 399


@dataclass(frozen=True, slots=True)
class ErrorStats:
    """Past errors of one forecast method over a panel, standardised. Fitted once over all units.

    ``spread`` [M] typical size of an error by month; ``unit_scale`` [U] how much noisier than typical
    a unit is (k_u); ``residuals`` [W, M, U] errors / (spread · k_u without that year) − the year's
    common shock; ``shocks`` [W, M] those shocks; ``shock_scale`` [M] κ for a year not
    seen; ``n_years`` years with errors; ``n_own`` [U] past error years of each unit.
    """

    spread: Floats
    unit_scale: Floats
    residuals: Floats
    shocks: Floats
    shock_scale: Floats
    n_years: int
    n_own: Ints

    @property
    def dof(self) -> int:
        """Degrees of freedom of the common shock's Student t: one and a half a year, rounded up.

        The size of the shock is a mean square over years, so what is known of it grows with the years.
        A year counts for more than one as its months are smoothed and do not move wholly together: by
        Satterthwaite 1/(1/4 + r²/2 + r²/4) a year, r² the mean squared correlation of its months'
        shocks, 1.0 to 1.75 on the panels of docs/methodology.md.
        """
        return math.ceil(1.5 * self.n_years)


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """What one indicator may still become by the year's end, for all units: draws and quantiles.

    ``center`` [U] the nowcast; ``scale`` [U] size of its error (log points for the log link, in the
    figure's unit for the scale link); ``floor`` [U] the least possible total (the year to date of a
    flow that cannot fall; −inf where it can). ``residuals`` [W, N] standardised idiosyncratic errors
    ε of past years, one column a donor unit, NaN where the donor has none: a simulation over
    several indicators picks one donor (year, column) and takes its ε in every indicator (columns
    are aligned when the models were made from the same ``keys``). ``shock_scale`` κ and ``dof`` of
    the common shock t, one draw for all units (of a class). ``calibrated`` [U] False where fewer
    than one past year of errors stands behind the scale: such figures are grey.

    Draw: ``center·exp(scale·(ε + κ·t))`` (log) or ``center + scale·(ε + κ·t)``, at least ``floor``.
    """

    link: Link
    center: Floats
    scale: Floats
    floor: Floats
    residuals: Floats
    shock_scale: float
    dof: int
    calibrated: Bools

    def pool(self) -> Floats:
        """All standardised errors ascending, [n]."""
        flat = self.residuals[np.isfinite(self.residuals)]
        return np.asarray(np.sort(flat))

    def draw(self, epsilon: Floats, shock: Floats | float, units: Ints | slice) -> Floats:
        """Totals of ``units`` for given ε and t (both broadcast to [..., units])."""
        move = self.scale[units] * (epsilon + self.shock_scale * shock)
        center = self.center[units]
        value = center * np.exp(move) if self.link == "log" else center + move
        return np.maximum(value, self.floor[units])


# --- Fitting --------------------------------------------------------------------------------------


def fit_errors(errors: Floats, *, own_scale: bool = True) -> ErrorStats:
    """Standardise past errors e = log Y − log Ŷ, ``errors`` [W, M, U] (past years, months, units).

    s_m = rms of |e| cut at its 95th percentile; v_uy = mean over months of (e/s_m)², at most 100;
    k_u² = (v̄·0.7 + Σ v_uy)/(1 + n_u), without the year itself when past errors are standardised;
    with a single year, or ``own_scale=False`` (units without a past), k_u = 1. Common shock c_ym =
    median over units. Source: the evaluation in docs/methodology.md.
    """
    n_years = int(np.isfinite(errors).any(axis=(1, 2)).sum())
    spread = _spread(errors)
    ratio = errors / spread[None, :, None]
    noise = _unit_noise(ratio)
    scale, without = _unit_scales(noise, own_scale and n_years > 1)
    standard = ratio / without[:, None, :]
    shocks = _median_of_units(standard)
    return ErrorStats(
        spread=spread,
        unit_scale=scale,
        residuals=standard - shocks[:, :, None],
        shocks=shocks,
        shock_scale=_shock_scale(shocks, n_years),
        n_years=n_years,
        n_own=np.isfinite(noise).sum(axis=0).astype(np.int64),
    )


def error_model(
    stats: ErrorStats, month_index: int, center: Floats, floor: Floats | None = None
) -> ErrorModel:
    """The model of all units at one month from their nowcast ``center`` [U] (log link)."""
    scale = stats.spread[month_index] * stats.unit_scale
    return ErrorModel(
        link="log",
        center=center,
        scale=np.broadcast_to(scale, center.shape),
        floor=np.full_like(center, -np.inf) if floor is None else floor,
        residuals=stats.residuals[:, month_index, :],
        shock_scale=float(stats.shock_scale[month_index]),
        dof=stats.dof,
        calibrated=np.isfinite(center) & (center > 0) & np.isfinite(scale) & (stats.n_years >= 1),
    )


def _spread(errors: Floats) -> Floats:
    """s_m by month; NaN without any error."""
    result = np.full(errors.shape[1], np.nan)
    for month in range(errors.shape[1]):
        size = np.abs(errors[:, month, :])
        size = size[np.isfinite(size)]
        if size.size:
            cut = np.minimum(size, np.quantile(size, CLIP_SPREAD))
            result[month] = max(math.sqrt(float((cut * cut).sum() / cut.size)), 1e-9)
    return result


def _unit_noise(ratio: Floats) -> Floats:
    """v_uy [W, U]: mean over the months of the squared error ratio, capped; NaN without any."""
    known = np.isfinite(ratio)
    total = np.zeros((ratio.shape[0], ratio.shape[2]))
    for month in range(ratio.shape[1]):
        part = np.where(known[:, month], ratio[:, month], 0.0)
        total += part * part
    n = known.sum(axis=1)
    return np.where(n > 0, np.minimum(total / np.maximum(n, 1), CAP_UNIT), np.nan)


def _unit_scales(noise: Floats, own: bool) -> tuple[Floats, Floats]:
    """k_u [U] for the coming year and k_u without each year [W, U]."""
    if not own:
        return np.ones(noise.shape[1]), np.ones_like(noise)
    known = np.isfinite(noise)
    filled = np.where(known, noise, 0.0)
    typical = float(filled.sum() / max(int(known.sum()), 1))
    prior = OWN_PRIOR_YEARS * OWN_PRIOR_SHARE * typical
    total, n = np.zeros(noise.shape[1]), np.zeros(noise.shape[1])
    for year in range(len(noise)):
        total = total + filled[year]
        n = n + known[year]
    scale = np.sqrt((prior + total) / (OWN_PRIOR_YEARS + n))
    without = np.sqrt((prior + (total - filled)) / (OWN_PRIOR_YEARS + (n - known)))
    # A unit without errors of its own is a typical one, not a quiet one.
    return np.where(n > 0, scale, math.sqrt(typical)), without


def _median_of_units(standard: Floats) -> Floats:
    """c_ym: median over units, 0 where a year or month has none."""
    shocks = np.zeros(standard.shape[:2])
    for year in range(standard.shape[0]):
        for month in range(standard.shape[1]):
            seen = standard[year, month][np.isfinite(standard[year, month])]
            shocks[year, month] = np.median(seen) if seen.size else 0.0
    return shocks


def _shock_scale(shocks: Floats, n_years: int) -> Floats:
    """κ_m = √c̄², c̄² half this month's mean square, half that of all months; doubled while there is
    one year only. The shock's mean is taken as 0, so what W years leave open is its size, and
    Student's t carries that."""
    if n_years == 0:
        return np.zeros(shocks.shape[1])
    square = (shocks * shocks).sum(axis=0) / n_years
    widened = 2.0 if n_years == 1 else 1.0
    return np.asarray(np.sqrt((0.5 * square + 0.5 * square.mean()) * widened))


# --- Quantiles and probabilities ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StandardCurve:
    """Quantile curve of a standardised error including the common shock: ``value`` at ``level``."""

    level: Floats
    value: Floats

    def quantile(self, levels: Sequence[float]) -> Floats:
        """Standardised error at ``levels``."""
        return np.asarray(np.interp(np.asarray(levels), self.level, self.value))

    def below(self, value: Floats) -> Floats:
        """Probability that the error is at most ``value``; never outside the curve's levels."""
        return np.interp(value, self.value, self.level)


def standard_curve(model: ErrorModel) -> StandardCurve:
    """Q(p) = sign·√(q(p)² + (κ·t_dof(p))²), q the empirical quantile of the pooled errors."""
    level, student = _grid(model.dof)
    pool = model.pool()
    if pool.size == 0:
        return StandardCurve(level, np.full(GRID, np.nan))
    own = np.quantile(pool, level)
    common = model.shock_scale * student
    value = np.where(level < 0.5, -1.0, 1.0) * np.sqrt(own * own + common * common)
    # Around the median the pool's own quantile may lie on the other side of 0: keep its sign there.
    value = np.where(np.abs(level - 0.5) < 0.05, own + common, value)
    return StandardCurve(level, np.maximum.accumulate(value))


@lru_cache(maxsize=32)
def _grid(dof: int) -> tuple[Floats, Floats]:
    """Levels of a curve and Student's t there."""
    level = np.linspace(0.0025, 0.9975, GRID)
    return level, t_quantile(level, dof)


def quantiles(model: ErrorModel, levels: Sequence[float] = PUBLISHED) -> Floats:
    """Quantiles of the year's total, [levels, U]; NaN where the model has no scale or center."""
    moves = standard_curve(model).quantile(levels)
    step = model.scale[None, :] * moves[:, None]
    value = model.center * np.exp(step) if model.link == "log" else model.center + step
    value = np.maximum(np.where(model.scale == 0, model.center, value), model.floor)
    return np.where(_usable(model), value, np.nan)


def _usable(model: ErrorModel) -> Bools:
    """Units whose distribution is known: a center (positive for the log link) and a scale."""
    certain = np.isfinite(model.center) & (model.scale == 0)
    spread = np.isfinite(model.scale) & np.isfinite(model.center)
    return np.asarray(certain | (spread & ((model.center > 0) | (model.link != "log"))))


def probability_at_least(model: ErrorModel, bar: Floats) -> Floats:
    """P(Y ≥ bar) per unit, ``bar`` [U] (or [..., U]); NaN where the model has no scale.

    Kept within the levels the pool can tell apart; what is printed never says 0 or 100 %
    (:func:`methods.risk_words.printable`).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if model.link == "log":
            away = np.where(bar > 0, np.log(np.maximum(bar, 1e-300) / model.center), -np.inf)
        else:
            away = bar - model.center
        standard = away / np.where(model.scale > 0, model.scale, np.nan)
    curve = standard_curve(model)
    low, high = curve.level[0], curve.level[-1]
    p = np.where(np.isfinite(standard), 1 - curve.below(standard), np.where(away > 0, low, high))
    p = np.where(bar <= model.floor, high, p)
    return np.where(_usable(model), p, np.nan)


# --- Totals of several units ----------------------------------------------------------------------


def total_model(center: Floats, past_errors: Floats, month_index: int) -> ErrorModel:
    """Model of totals (a class, a city, the province) whose ``center`` [A] is the sum of the units'
    nowcasts: normal-free, the shock of the past totals only. ``past_errors`` [W, M, A] log errors of
    the same bottom-up sums in past years.

    sd² = mean square over years, half of this month and half of all, × (1+1/W), t with W+1 degrees.
    """
    known = np.isfinite(past_errors)
    n = known.sum(axis=0)
    square = np.where(known, past_errors, 0.0) ** 2
    by_month = np.where(n > 0, square.sum(axis=0) / np.maximum(n, 1), np.nan)
    seen = np.isfinite(by_month)
    overall = np.where(seen, by_month, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    years = n[month_index]
    smooth = 0.5 * by_month[month_index] + 0.5 * overall
    scale = np.sqrt(smooth * (1 + 1 / np.maximum(years, 1)))
    w = int(years.max(initial=0))
    return ErrorModel(
        link="log",
        center=center,
        scale=scale,
        floor=np.full_like(center, -np.inf),
        residuals=np.zeros((1, 1)),
        shock_scale=1.0,
        dof=w + 1,
        calibrated=np.isfinite(center) & (center > 0) & (years >= 1),
    )


# --- Student's t ----------------------------------------------------------------------------------


def t_below(value: Floats, dof: int) -> Floats:
    """P(T ≤ value) for whole degrees of freedom ≥ 1 (Abramowitz & Stegun 26.7.3–4)."""
    if dof < 1:
        raise ValueError(f"degrees of freedom must be at least 1, found {dof}")
    angle = np.arctan(value / math.sqrt(dof))
    cosine = np.cos(angle)
    term = cosine if dof % 2 else np.ones_like(cosine)
    total = np.zeros_like(cosine)
    start = 3 if dof % 2 else 2
    if dof > 1:
        total = term.copy()
        for k in range(start, dof - 1, 2):
            term = term * cosine * cosine * ((k - 1) / k)
            total = total + term
        total = total * np.sin(angle)
    inside = (2 / math.pi) * (angle + total) if dof % 2 else total
    return np.asarray(0.5 + 0.5 * inside)


def t_quantile(level: Floats, dof: int) -> Floats:
    """Quantiles of Student's t for whole degrees of freedom, by bisection to double precision."""
    levels = np.asarray(level, dtype=np.float64)
    low, high = np.full(levels.shape, -1e6), np.full(levels.shape, 1e6)
    for _ in range(90):
        middle = 0.5 * (low + high)
        under = t_below(middle, dof) < levels
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return np.asarray(0.5 * (low + high))
