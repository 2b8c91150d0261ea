"""Track record of the nowcast on a panel: accuracy, coverage, skill and reliability of past forecasts.

Belongs here: replaying every origin of a panel with what was known then, and the scores of the
forecasts against simple rules (序时, 同比法) and the flags in use. Does not belong here: the methods
under test (``nowcast``, ``intervals``, ``outlook``), files, tables, wording, charts.

A test year is forecast from data before it only: past years as known at the origin, the year itself up
to the origin's month. Outcomes enter after all forecasts of the year are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from methods.intervals import ErrorModel, probability_at_least, quantiles
from methods.nowcast import DEFAULT, MONTHS, Settings, Vintages, by_calendar, by_last_year
from methods.outlook import Outlook, make_record, outlooks
from methods.risk_words import LEAST
from methods.seasonal_pace import Bools, Floats, Groups

COVERAGES = (50, 80, 90, 95)
LEVELS = (0.025, 0.05, 0.10, 0.25, 0.75, 0.90, 0.95, 0.975)
GROWTH = 0.08
MARGIN = 0.03
BINS = 10
BURN_IN = 3
"""Past years a tested year needs (two where the panel has fewer than five years)."""


@dataclass(frozen=True, slots=True)
class Question:
    """Forecast probabilities of one kind of target at one month, with what happened. All [n].

    ``by_calendar``: the 序时 flag (year to date at least m/12 of the bar); ``by_growth``: the 同比
    flag (growth so far at least the growth asked for); both 0/1.
    """

    kind: str
    month: int
    probability: Floats
    met: Floats
    by_calendar: Floats
    by_growth: Floats


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Errors and coverage of one month's origins: ``n`` forecasts over ``years`` test years.

    ``mape`` in % by rule (median3, calendar, last_year); ``covered`` share inside the central
    interval by nominal percentage. Of the 80 % interval: ``doubt`` the standard error of its share when
    years, not forecasts, are what is independent; ``below``, ``above`` the shares of outcomes on either
    side; ``half_width`` and ``interval_score`` (:func:`interval_score`) in % of the forecast, means.
    """

    month: int
    n: int
    mape: dict[str, float]
    covered: dict[int, float]
    doubt: float
    below: float
    above: float
    half_width: float
    interval_score: float


@dataclass(frozen=True, slots=True)
class Skill:
    """Scores of probabilities: Brier of ours and of the flags, skill against each (1 − ratio), expected
    calibration error over ten equal bins; ``log_score`` and ``log_skill`` of the chances as printed,
    against the share of all cases that came true."""

    kind: str
    month: int
    n: int
    brier: float
    brier_calendar: float
    brier_growth: float
    skill_calendar: float
    skill_growth: float
    skill_climatology: float
    ece: float
    log_score: float
    log_skill: float


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a reliability diagram: mean probability said, share that came true."""

    said: float
    came: float
    n: int


@dataclass(frozen=True, slots=True)
class Result:
    """What a backtest found. ``pooled`` over all months (month 0); ``reliability`` from June on."""

    units: int
    years: tuple[int, ...]
    by_month: tuple[Accuracy, ...]
    pooled: Accuracy
    skills: tuple[Skill, ...]
    late: tuple[Skill, ...]
    reliability: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class _Origin:
    """Scored forecasts of one origin, units with an outcome and all rules to compare with."""

    year: int
    month: int
    truth: Floats
    forecasts: dict[str, Floats]
    table: Floats
    questions: tuple[Question, ...]


def backtest(
    vintages: Vintages,
    settings: Settings = DEFAULT,
    workers: int = 1,
    last_years: int | None = None,
) -> Result:
    """Replay all origins of all test years (the ``last_years`` of them); ValueError when there is no
    year to test."""
    tested = test_years(vintages)
    tested = tested[-last_years:] if last_years else tested
    needed = tested[0] - settings.reach(len(vintages.first.keys))
    years = [year for year in vintages.first.years[1:] if needed <= year <= tested[-1]]
    record = make_record(vintages, years, settings, workers)
    origins = [
        origin
        for year in tested
        for made in outlooks(vintages, year, record.months, record, settings)
        for origin in _scored(vintages, made)
    ]
    if not origins:
        raise ValueError("no forecast of the panel can be scored")
    months = sorted({origin.month for origin in origins})
    skills = [_skill(origins, kind, [month]) for kind in KINDS for month in months]
    late = [_skill(origins, kind, [m for m in months if m >= 6]) for kind in KINDS]
    return Result(
        units=len(vintages.first.keys),
        years=tuple(tested),
        by_month=tuple(_accuracy(origins, [month]) for month in months),
        pooled=_accuracy(origins, months),
        skills=tuple(skills),
        late=tuple(replace(skill, month=0) for skill in late),
        reliability=tuple(
            reliability(*_pairs([q for o in origins if o.month >= 6 for q in o.questions]))
        ),
    )


def test_years(vintages: Vintages) -> list[int]:
    """Complete years with enough past years before them; ValueError when there is none."""
    base = vintages.first
    complete = np.asarray(np.isfinite(latest_totals(vintages)).any(axis=1))
    known = [year for year, whole in zip(base.years, complete.tolist(), strict=True) if whole]
    burn_in = BURN_IN if len(known) >= BURN_IN + 2 else 2
    if len(known) <= burn_in:
        raise ValueError(f"at least {burn_in + 1} complete years needed, found {len(known)}")
    return known[burn_in:]


test_years.__test__ = False  # type: ignore[attr-defined]  # a name pytest would collect


# --- One origin -----------------------------------------------------------------------------------

KINDS = ("growth", "over_median")


def _scored(vintages: Vintages, made: Outlook) -> Iterator[_Origin]:
    """The origin's forecasts with the outcome, where there is anything to score."""
    base = vintages.first
    now = base.year_index(made.year)
    truth = latest_totals(vintages)[now]
    known = vintages.comparable(vintages.at(made.year, made.month), made.month)
    done, before = known.ytd[-1, made.month - 1], known.ytd[-2]
    forecasts = {
        "median3": made.forecast.point,
        "calendar": by_calendar(done, made.month),
        "last_year": by_last_year(done, before[made.month - 1], before[MONTHS - 1]),
    }
    keep = made.model.calibrated & (truth > 0) & np.isfinite(forecasts["last_year"])
    if not keep.any():
        return
    questions = _questions(made, done, before, truth, keep, known.groups)
    yield _Origin(
        year=made.year,
        month=made.month,
        truth=truth[keep],
        forecasts={name: values[keep] for name, values in forecasts.items()},
        table=quantiles(made.model, LEVELS)[:, keep],
        questions=tuple(questions),
    )


def latest_totals(vintages: Vintages) -> Floats:
    """Year totals after all revisions, [years, U]: the outcome forecasts are scored against."""
    return vintages.now(vintages.first.years[-1], MONTHS).ytd[:, MONTHS - 1]


def _questions(
    made: Outlook, done: Floats, before: Floats, truth: Floats, keep: Bools, groups: Groups
) -> Iterator[Question]:
    """Growth of 8 %; growth of 3 percentage points above the class median."""
    last = np.where(before[MONTHS - 1] > 0, before[MONTHS - 1], np.nan)
    so_far = done / np.where(before[made.month - 1] > 0, before[made.month - 1], np.nan) - 1
    expected = made.forecast.point / last - 1
    codes = groups.codes
    fixed = np.full_like(last, GROWTH)
    said = groups.median(expected)[codes] + MARGIN
    came = groups.median(truth / last - 1)[codes] + MARGIN
    flagged = groups.median(so_far)[codes] + MARGIN
    # The median of the class moves with the common shock, so only the unit's own part decides.
    alone = replace(made.model, shock_scale=0.0)
    bars = (fixed, fixed, fixed, made.model), (said, came, flagged, alone)
    for kind, (bar, outcome_bar, flag_bar, model) in zip(KINDS, bars, strict=True):
        yield _question(
            kind, made.month, model, keep,
            (last * (1 + bar), last * (1 + outcome_bar)),
            (done, so_far, flag_bar, truth),
        )  # fmt: skip


def _question(
    kind: str,
    month: int,
    model: ErrorModel,
    keep: Bools,
    bars: tuple[Floats, Floats],
    figures: tuple[Floats, Floats, Floats, Floats],
) -> Question:
    bar, outcome_bar = bars
    done, so_far, growth_bar, truth = figures
    return Question(
        kind,
        month,
        probability=probability_at_least(model, bar)[keep],
        met=(truth >= outcome_bar)[keep].astype(np.float64),
        by_calendar=(done >= bar * month / MONTHS)[keep].astype(np.float64),
        by_growth=(so_far >= growth_bar)[keep].astype(np.float64),
    )


# --- Scores ---------------------------------------------------------------------------------------


def _accuracy(origins: Sequence[_Origin], months: Sequence[int]) -> Accuracy:
    chosen = [origin for origin in origins if origin.month in months]
    truth = np.concatenate([origin.truth for origin in chosen])
    table = np.concatenate([origin.table for origin in chosen], axis=1)
    mape = {}
    for name in chosen[0].forecasts:
        made = np.concatenate([origin.forecasts[name] for origin in chosen])
        mape[name] = float(100 * np.abs(made / truth - 1).mean())
    covered = {
        percent: float(((truth >= table[3 - i]) & (truth <= table[4 + i])).mean())
        for i, percent in enumerate(COVERAGES)
    }
    low, high = table[2], table[5]
    point = np.concatenate([origin.forecasts["median3"] for origin in chosen])
    inside = ((truth >= low) & (truth <= high)).astype(np.float64)
    years = np.concatenate([np.full(origin.truth.size, origin.year) for origin in chosen])
    return Accuracy(
        months[0] if len(months) == 1 else 0, truth.size, mape, covered,
        doubt=clustered_error(inside, years),
        below=float((truth < low).mean()),
        above=float((truth > high).mean()),
        half_width=float(50 * ((high - low) / point).mean()),
        interval_score=float(100 * (interval_score(truth, low, high, 0.8) / point).mean()),
    )  # fmt: skip


def clustered_error(values: Floats, clusters: npt.NDArray[np.int64]) -> float:
    """Standard error of the mean of ``values`` whose ``clusters`` alone are independent; NaN for one.

    √(g/(g−1)·Σ_c (Σ_{i∈c}(x_i − x̄))²)/n (Liang & Zeger 1986, Biometrika 73:13, for a mean).
    """
    names, place = np.unique(clusters, return_inverse=True)
    if names.size < 2:
        return float("nan")
    sums = np.bincount(place, weights=values - values.mean())
    return float(np.sqrt(names.size / (names.size - 1) * (sums * sums).sum()) / values.size)


def interval_score(truth: Floats, low: Floats, high: Floats, level: float) -> Floats:
    """Width + 2/(1 − level) · the distance outside: less is better, and neither a wide interval nor one
    that is missed comes out well (Gneiting & Raftery 2007, J. Am. Stat. Assoc. 102:359, eq. 43)."""
    outside = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    return np.asarray(high - low + 2 / (1 - level) * outside)


def _pairs(questions: Sequence[Question]) -> tuple[Floats, Floats]:
    return (
        np.concatenate([question.probability for question in questions]),
        np.concatenate([question.met for question in questions]),
    )


def _skill(origins: Sequence[_Origin], kind: str, months: Sequence[int]) -> Skill:
    chosen = [q for o in origins if o.month in months for q in o.questions if q.kind == kind]
    said, met = _pairs(chosen)
    ours = brier(said, met)
    calendar = brier(np.concatenate([q.by_calendar for q in chosen]), met)
    growth = brier(np.concatenate([q.by_growth for q in chosen]), met)
    base = float(met.mean())
    return Skill(
        kind, months[0], said.size, ours, calendar, growth,
        _better(ours, calendar), _better(ours, growth), _better(ours, base * (1 - base)),
        calibration_error(said, met), log_score(said, met),
        _better(log_score(said, met), log_score(np.full_like(said, base), met)),
    )  # fmt: skip


def brier(said: Floats, met: Floats) -> float:
    """Mean squared difference of probability and outcome (Brier 1950, Mon. Weather Rev. 78:1)."""
    return float(np.square(said - met).mean())


def log_score(said: Floats, met: Floats) -> float:
    """Mean −log of what was said of what happened (Good 1952, J. R. Stat. Soc. B 14:107). A chance is
    printed within 2 and 98 %, so what lies beyond counts as 1 and 99 %."""
    printed = np.where(said < LEAST, LEAST / 2, np.where(said > 1 - LEAST, 1 - LEAST / 2, said))
    return float(-(met * np.log(printed) + (1 - met) * np.log(1 - printed)).mean())


def _better(ours: float, other: float) -> float:
    return 1 - ours / other if other > 0 else 0.0


def reliability(said: Floats, met: Floats, bins: int = BINS) -> list[Bin]:
    """Bins of equal width over [0, 1] that are not empty."""
    place = np.minimum((said * bins).astype(np.int64), bins - 1)
    found = []
    for number in range(bins):
        inside = place == number
        if inside.any():
            n = int(inside.sum())
            found.append(Bin(float(said[inside].mean()), float(met[inside].mean()), n))
    return found


def calibration_error(said: Floats, met: Floats, bins: int = BINS) -> float:
    """ECE: mean over bins of |said − came true|, weighted by their size."""
    return sum(abs(b.said - b.came) * b.n for b in reliability(said, met, bins)) / said.size
