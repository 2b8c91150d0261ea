"""Statistical screens of reported figures (数据异动核查) and the selective-editing score.

Belongs here: which figures of a panel look wrong and how much they matter, on plain arrays: NaN is
"not known", nothing is read or written. Does not belong here: which screens a bureau runs with which
parameters (the catalogue's ``screens``), words for reporters, or tables (``quality.screens``).

Arrays are (units,) for one month or (units, months) with months in order; amounts are in any one
unit. Results are floats or booleans of the same shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]

NORMAL_MAD = 1.4826
"""Makes the median absolute deviation a standard deviation under the normal law."""
NORMAL_MEAN_DEVIATION = 1.2533
"""The same for the mean absolute deviation, used when the MAD is 0."""


# --- Ratio edit -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RatioEdit:
    """Outcome of the Hidiroglou–Berthelot edit: effect of every unit, bounds, who lies outside."""

    median_ratio: float
    effect: Floats
    low: float
    high: float
    flagged: Flags


def hidiroglou_berthelot(
    former: Floats, now: Floats, *, u: float = 0.5, a: float = 0.05, c: float = 20.0
) -> RatioEdit:
    """Ratios now/former that lie far out, large units sooner than small ones.

    ``u`` (0..1) gives size its weight, ``a`` keeps the bounds apart when most ratios are equal,
    ``c`` is the number of quartile distances allowed. Units without two positive values are not
    judged (effect NaN, not flagged). Source: Hidiroglou and Berthelot (1986), Survey Methodology 12;
    c = 20 as in Statistics Norway's KOSTRA.
    """
    known = (former > 0) & (now > 0)
    ratio = np.divide(now, former, out=np.full(now.shape, np.nan), where=known)
    if not known.any():
        nothing = np.full(now.shape, np.nan)
        return RatioEdit(np.nan, nothing, np.nan, np.nan, np.zeros(now.shape, bool))
    middle = float(np.nanmedian(ratio))
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = np.where(ratio < middle, 1 - middle / ratio, ratio / middle - 1)
        effect = centred * np.maximum(former, now) ** u
    first, median, third = np.nanquantile(effect, (0.25, 0.5, 0.75))
    low = median - c * max(median - first, abs(a * median))
    high = median + c * max(third - median, abs(a * median))
    flagged = known & ((effect < low) | (effect > high))
    return RatioEdit(middle, effect, float(low), float(high), flagged)


# --- Standardised deviations ----------------------------------------------------------------------


def robust_z(values: Floats) -> Floats:
    """(value - median) / robust spread; NaN stays NaN; all 0 where nothing varies.

    Spread is 1.4826 MAD, or 1.2533 times the mean absolute deviation where the MAD is 0
    (Iglewicz and Hoaglin 1993).
    """
    if not np.isfinite(values).any():
        return np.full(values.shape, np.nan)
    deviation = values - np.nanmedian(values)
    spread = NORMAL_MAD * np.nanmedian(np.abs(deviation))
    if spread == 0:
        spread = NORMAL_MEAN_DEVIATION * np.nanmean(np.abs(deviation))
    z: Floats = deviation / spread if spread > 0 else np.where(np.isnan(values), np.nan, 0.0)
    return z


def log_residual(
    now: Floats, forecast: Floats, offset: float = 0.0, floor: float = 0.001
) -> Floats:
    """log((now + offset) / (forecast + offset)); a share at or below ``floor`` (also a negative one)
    counts as that. NaN where the forecast is not positive. ``offset`` 0.5 suits counts, where 0 is a
    value like any other."""
    base = forecast + offset
    known = (base > 0) & np.isfinite(now)
    share = np.divide(now + offset, base, out=np.full(now.shape, np.nan), where=known)
    residual: Floats = np.log(np.maximum(share, floor))
    return residual


def model_z(now: Floats, forecast: Floats, scale: Floats, offset: float = 0.0) -> Floats:
    """Log deviation of the reported from the forecast value in units of the forecast's error.

    With an ``offset`` the figures are counts: the chance of counting (variance = mean) adds to the
    error, so that 2 instead of 4 new firms is no alarm.
    """
    residual = log_residual(now, forecast, offset)
    counting = np.divide(
        1.0, forecast + offset, out=np.zeros(now.shape), where=forecast + offset > 0
    )
    spread = np.sqrt(scale**2 + counting) if offset else scale
    good = np.isfinite(spread) & (spread > 0)
    z: Floats = np.divide(residual, spread, out=np.full(residual.shape, np.nan), where=good)
    return z


@dataclass(frozen=True, slots=True)
class Expectations:
    """Forecast of every figure from the months before it, and its error scale (both NaN early on)."""

    forecast: Floats
    scale: Floats


def expected_flows(
    flows: Floats,
    season: int,
    *,
    groups: Numbers | None = None,
    years: int = 3,
    recent: int = 3,
    prior_weight: float = 6.0,
    smallest_scale: float = 0.01,
    offset: float = 0.0,
) -> Expectations:
    """One-step forecasts of seasonal flows (units, months), each from earlier months only, moved by
    what all units of the group have in common that month.

    Level of the last ``recent`` months, plus what the month stood above the months before it in the
    last ``years`` years, both in logarithms; then the group's median deviation of the month (a
    calendar effect or a common shock is nobody's error). The error scale is that of the unit's own
    past deviations, drawn to its group's as if that were ``prior_weight`` months (empirical Bayes).
    ``season`` is the number of report periods of a year. Months without a value leave gaps; so do
    values at or below 0, unless an ``offset`` (0.5 for counts) is added before taking logarithms.
    """
    level = _log(flows, offset)
    before = _mean_before(level, recent)
    above = _seasonal_offset(level - before, season, years)
    residual = level - (before + above)
    shock = _group_median(residual, groups)
    forecast = np.exp(before + above + shock)
    return Expectations(
        forecast, _unit_scale(residual - shock, groups, prior_weight, smallest_scale)
    )


def expected_stocks(
    stocks: Floats,
    *,
    groups: Numbers | None = None,
    prior_weight: float = 6.0,
    smallest_scale: float = 0.01,
    offset: float = 0.0,
) -> Expectations:
    """The same for levels at the end of a month: the forecast is the newest of the last three."""
    level = _log(stocks, offset)
    before = _newest_before(level, 3)
    residual = level - before
    shock = _group_median(residual, groups)
    scale = _unit_scale(residual - shock, groups, prior_weight, smallest_scale)
    return Expectations(np.exp(before + shock) - offset, scale)


def _log(values: Floats, offset: float) -> Floats:
    known = (values >= 0) & (values + offset > 0)
    return np.where(known, np.log(np.where(known, values + offset, 1.0)), np.nan)


def _shifted(values: Floats, by: int) -> Floats:
    """``values`` ``by`` months later; NaN where nothing is known yet."""
    moved = np.full(values.shape, np.nan)
    if by < values.shape[1]:
        moved[:, by:] = values[:, : values.shape[1] - by]
    return moved


def _mean_of(layers: list[Floats]) -> Floats:
    """Mean over the layers that are known; NaN where none is."""
    stack = np.stack(layers)
    known = np.isfinite(stack)
    count = known.sum(axis=0)
    total = np.where(known, stack, 0.0).sum(axis=0)
    mean: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def _mean_before(level: Floats, recent: int) -> Floats:
    return _mean_of([_shifted(level, back) for back in range(1, recent + 1)])


def _newest_before(level: Floats, reach: int) -> Floats:
    newest = _shifted(level, 1)
    for back in range(2, reach + 1):
        newest = np.where(np.isfinite(newest), newest, _shifted(level, back))
    return newest


def _seasonal_offset(above: Floats, season: int, years: int) -> Floats:
    return _mean_of([_shifted(above, season * back) for back in range(1, years + 1)])


def _group_median(residual: Floats, groups: Numbers | None) -> Floats:
    """Median of the month over the units of a group; 0 where fewer than 5 are known."""
    common = np.zeros(residual.shape)
    for rows in _group_rows(residual.shape[0], groups):
        known = np.isfinite(residual[rows]).sum(axis=0) >= 5
        if known.any():
            common[np.ix_(rows, known)] = np.nanmedian(residual[rows][:, known], axis=0)
    return common


def _group_rows(n: int, groups: Numbers | None) -> list[NDArray[np.intp]]:
    if groups is None:
        return [np.arange(n)]
    return [np.flatnonzero(groups == group) for group in np.unique(groups)]


def _unit_scale(
    deviation: Floats, groups: Numbers | None, prior_weight: float, smallest: float
) -> Floats:
    """Root mean square of a unit's earlier deviations, drawn to its group's; each clipped at 4
    group scales so that one old error does not hide the next."""
    scale = np.full(deviation.shape, np.nan)
    for rows in _group_rows(deviation.shape[0], groups):
        part = deviation[rows]
        pooled = _pooled_scale(part)
        clipped = np.clip(part, -4 * pooled, 4 * pooled)
        squares = np.where(np.isfinite(clipped), clipped**2, 0.0)
        count = np.cumsum(np.isfinite(clipped), axis=1) - np.isfinite(clipped)
        total = np.cumsum(squares, axis=1) - squares
        drawn = (prior_weight * pooled**2 + total) / (prior_weight + count)
        scale[rows] = np.maximum(np.sqrt(drawn), smallest)
    return scale


def _pooled_scale(part: Floats) -> Floats:
    """Robust spread of a group's deviations up to and including each month, (months,).

    The month itself counts: where a panel begins it is all there is, and a median is not moved by
    the few errors in it.
    """
    months = part.shape[1]
    per_month = np.full(months, np.nan)
    for month in range(months):
        known = part[:, month][np.isfinite(part[:, month])]
        if known.size >= 5:
            per_month[month] = NORMAL_MAD * np.median(np.abs(known))
    known_months = np.isfinite(per_month)
    count = np.cumsum(known_months)
    total = np.cumsum(np.where(known_months, per_month, 0.0))
    pooled: Floats = np.divide(total, count, out=np.full(months, np.nan), where=count > 0)
    return pooled


def repeat_share(values: Floats, lag: int) -> float:
    """How often, in the months before the last, a figure equals its own ``lag`` months before;
    0 is not counted. Where figures stand still by nature a copy cannot be told."""
    known, former = values[:, lag:-1], values[:, : -1 - lag]
    judged = np.isfinite(known) & np.isfinite(former) & (known != 0)
    return float((judged & (known == former)).sum() / judged.sum()) if judged.any() else 0.0


def negative_share(values: Floats) -> float:
    """Share of the known figures that are negative."""
    known = np.isfinite(values)
    return float((known & (values < 0)).sum() / known.sum()) if known.any() else 0.0


# --- Exact coincidences ---------------------------------------------------------------------------


def significant_digits(values: Floats, decimals: int = 8) -> Numbers:
    """Digits between the first and the last that are not 0, at most ``decimals`` after the point;
    0 for 0 and NaN."""
    scaled = np.abs(np.where(np.isfinite(values), values, 0.0))
    digits = np.zeros(values.shape, np.int64)
    whole = np.zeros(values.shape, np.float64)
    for places in range(decimals + 1):
        candidate = scaled * 10.0**places
        exact = np.abs(candidate - np.rint(candidate)) <= 1e-13 * np.maximum(candidate, 1.0)
        fresh = exact & (whole == 0) & (scaled > 0)
        whole = np.where(fresh, np.rint(candidate), whole)
    for _ in range(18):
        ends_in_zero = (whole > 0) & (np.mod(whole, 10) == 0)
        whole = np.where(ends_in_zero, whole / 10, whole)
    positive = whole > 0
    digits[positive] = np.floor(np.log10(whole[positive]) + 1e-12).astype(np.int64) + 1
    return digits


def same_as(now: Floats, other: Floats, min_digits: int = 3) -> Flags:
    """Exactly equal values of at least ``min_digits`` significant digits (a copied figure).

    Short round figures repeat by nature, long ones do not.
    """
    return np.asarray((now == other) & (significant_digits(now) >= min_digits))


def same_as_another(now: Floats, min_digits: int = 3) -> Numbers:
    """Index of another unit with exactly the same value, the first one found; -1 where none."""
    twin = np.full(now.shape, -1, np.int64)
    long_enough = np.flatnonzero(np.isfinite(now) & (significant_digits(now) >= min_digits))
    _, inverse, count = np.unique(now[long_enough], return_inverse=True, return_counts=True)
    order = np.lexsort((long_enough, inverse))
    ends = np.cumsum(count)
    for start, end in zip(ends - count, ends, strict=True):
        if end - start > 1:
            members = long_enough[order[start:end]]
            twin[members] = members[0]
            twin[members[0]] = members[1]
    return twin


# --- Digits ---------------------------------------------------------------------------------------


def last_digit_chi2(counts: Numbers) -> float:
    """Pearson's χ² of last digits against equal shares (9 degrees of freedom; 21.67 at 1 %).

    Only sensible at the precision the figures were reported in: rounding of units makes any panel
    fail it.
    """
    total = counts.sum()
    expected = total / 10
    return float(((counts - expected) ** 2).sum() / expected) if total else 0.0


def heaped_share(counts: Numbers) -> float:
    """Share of figures that end in 0 or 5 (by chance 0.2)."""
    total = counts.sum()
    return float((counts[0] + counts[5]) / total) if total else 0.0


# --- Magnitude, direction, columns ----------------------------------------------------------------


def magnitude_power(
    now: Floats, forecast: Floats, powers: tuple[int, ...] = (1, 2, 3, 4, 8), width: float = 0.15
) -> Numbers:
    """Power of ten by which a value is off its forecast: 1 for ×10, -4 for a value in 亿元 read as
    万元; 0 where it is off by none of ``powers`` within ``width`` decades."""
    known = (now > 0) & (forecast > 0)
    share = np.divide(now, forecast, out=np.ones(now.shape), where=known)
    decades = np.log10(share)
    nearest = np.rint(decades).astype(np.int64)
    off = known & (np.abs(decades - nearest) <= width) & np.isin(np.abs(nearest), powers)
    return np.where(off, nearest, 0)


def reversed_cumulative(former: Floats, now: Floats, tolerance: float = 0.0) -> Flags:
    """Cumulative values below those of the month before (of the same year), by more than
    ``tolerance`` of the former."""
    with np.errstate(invalid="ignore"):
        return np.asarray(now < former - tolerance * np.abs(former))


def swapped(
    first: Floats,
    second: Floats,
    expected_first: Floats,
    expected_second: Floats,
    *,
    min_gain: float = 0.7,
    max_rest: float = 0.1,
) -> Flags:
    """Pairs that fit their expectations only the other way round.

    Misfit is the sum of absolute log deviations: as reported at least ``min_gain`` of the distance
    between the two expectations must vanish by exchanging, and at most ``max_rest`` may remain.
    """
    values = (first, second, expected_first, expected_second)
    known = np.logical_and.reduce([v > 0 for v in values])
    a, b, ea, eb = (np.log(np.where(known, v, 1.0)) for v in values)
    as_is = np.abs(a - ea) + np.abs(b - eb)
    exchanged = np.abs(a - eb) + np.abs(b - ea)
    return np.asarray(known & (exchanged <= max_rest) & (as_is - exchanged >= min_gain * as_is)
                      & (as_is > 2 * max_rest))  # fmt: skip


def scope_change(reported_prior: Floats, kept_prior: Floats, tolerance: float = 0.05) -> Floats:
    """Ratio reported/kept of the prior-year value where they differ by more than ``tolerance``
    (口径变更), else 1: the factor by which last year's path is to be read this year."""
    known = (reported_prior > 0) & (kept_prior > 0)
    ratio = np.divide(reported_prior, kept_prior, out=np.ones(kept_prior.shape), where=known)
    return np.where(np.abs(ratio - 1) > tolerance, ratio, 1.0)


def broken_sums(parts: Floats, groups: Numbers, totals: Floats, rounding_unit: float) -> Flags:
    """Groups (numbered 0..k-1) whose parts do not add up to their total, (k,).

    Allowed is what rounding can do: half a ``rounding_unit`` for every part and for the total.
    Groups with a part missing are not judged.
    """
    sums = np.bincount(groups, np.nan_to_num(parts), minlength=totals.size)
    gaps = np.bincount(groups, ~np.isfinite(parts), minlength=totals.size)
    allowed = (np.bincount(groups, minlength=totals.size) + 1) * rounding_unit / 2
    return np.asarray((gaps == 0) & (np.abs(sums - totals) > allowed))


# --- Selective editing ----------------------------------------------------------------------------


def suspicion_of(z: Floats) -> Floats:
    """max(0, 1 - 1/z²): nothing within one error scale, near certainty far out; 0 for NaN."""
    far = np.abs(z) > 1
    return np.where(far, 1 - 1 / np.where(far, z, 1.0) ** 2, 0.0)


def selective_score(
    suspicion: Floats, now: Floats, forecast: Floats, domain_total: NDArray[Any] | float
) -> Floats:
    """Suspicion × what the figure would move its domain's total, as a share of that total.

    Review from the highest down. Source: significance editing (Lawrence and McKenzie 2000) and
    Statistics Sweden's SELEKT. 0 where there is no forecast or no total.
    """
    move = np.abs(now - forecast)
    known = np.isfinite(move) & (np.asarray(domain_total) > 0)
    share = np.divide(move, domain_total, out=np.zeros(move.shape), where=known)
    score: Floats = suspicion * share
    return score
