"""Track record of the risk of ending last, on a panel of past years: skill, reliability, exact sums.

Belongs here: replaying past years month by month with what was known then, through the same
simulation as the assessment, and scoring the probabilities against the rules people use today. Does
not belong here: the simulation (``risk``), the forecast (``nowcast``, ``outlook``), files, wording.

The composite is a stand-in (growth, two-year growth, size; one third each; goalposts frozen at last
year's P2 and P98 of the class); the last tenth of each class counts as last. The honest competitor is a
logistic regression on the current rank, its square root and last year's flag, fitted on earlier years.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from methods.backtest import Bin, calibration_error, latest_totals, log_score, reliability
from methods.nowcast import DEFAULT, MONTHS, Settings, Vintages, by_last_year
from methods.outlook import Outlook, make_record, outlooks
from methods.points import Points
from methods.risk import Floats, Ints, Item, Model, Shocks, item_steps, last_share, simulate, stream

MONTHS_SCORED = (3, 6, 9)
LAST_SHARE = 0.10
BURN_IN = 3  # test years on which only the logistic competitor learns
RESAMPLES = 2000
KNOTS = 41  # of the curved rules (square root, logarithm): below a hundredth of a point apart


@dataclass(frozen=True, slots=True)
class Case:
    """Units of one class, year and month [n each]: our probability, the competitors', what happened
    (1 in the last k, a share at ties)."""

    year: int
    month: int
    k: int
    probability: Floats
    current: Floats
    last_year: Floats
    features: Floats
    happened: Floats


@dataclass(frozen=True, slots=True)
class Against:
    """Brier skill against a competitor (1 - ratio) and the 5 % bound of its bootstrap over years."""

    skill: float
    bound: float


@dataclass(frozen=True, slots=True)
class RiskSkill:
    """One month: ``n`` unit-years with ``events`` ends in the last places, over ``years``.

    ``log_score`` of the chances as printed and ``log_skill`` against the class's share of last places.
    """

    month: int
    years: int
    n: int
    events: float
    brier: float
    logistic: Against
    current: Against
    last_year: Against
    climatology: Against
    ece: float
    log_score: float
    log_skill: float
    sums_exact: bool


@dataclass(frozen=True, slots=True)
class RiskRecord:
    """Skill by month, and reliability of all scored months together."""

    skills: tuple[RiskSkill, ...]
    reliability: tuple[Bin, ...]


def risk_backtest(
    vintages: Vintages,
    settings: Settings = DEFAULT,
    months: Sequence[int] = MONTHS_SCORED,
    draws: int = 2000,
    workers: int = 1,
) -> RiskRecord:
    """Replay all test years of a panel; ValueError when it is too short to score any."""
    years = _test_years(vintages)
    record = make_record(vintages, [*_record_years(vintages, years)], settings, workers)
    cases = [
        case
        for year in years
        for made in outlooks(vintages, year, list(months), record, settings)
        for case in _cases(vintages, made, draws, workers)
    ]
    scored = [year for year in years if year in {case.year for case in cases}][BURN_IN:]
    if not scored:
        raise ValueError(
            f"at least {BURN_IN + 4} complete years needed to score the risk, found {len(years) + 3}"
        )
    skills = tuple(_skill([c for c in cases if c.month == month], scored) for month in months)
    late = [case for case in cases if case.year in scored]
    said = np.concatenate([case.probability for case in late])
    happened = np.concatenate([case.happened for case in late])
    return RiskRecord(skills, tuple(reliability(said, happened)))


def _test_years(vintages: Vintages) -> list[int]:
    """Complete years with three before them (two for growth, one of forecast errors)."""
    base = vintages.first
    whole = np.asarray(np.isfinite(base.ytd[:, MONTHS - 1]).any(axis=1))
    complete = [year for year, known in zip(base.years, whole.tolist(), strict=True) if known]
    return complete[3:]


def _record_years(vintages: Vintages, years: Sequence[int]) -> list[int]:
    return [year for year in vintages.first.years[1:] if years and year <= years[-1]]


# --- One origin -----------------------------------------------------------------------------------


def _cases(vintages: Vintages, made: Outlook, draws: int, workers: int) -> Iterator[Case]:
    """One case per class in which every needed figure is known."""
    base = vintages.first
    known = vintages.at(made.year, made.month)
    truth = latest_totals(vintages)[base.year_index(made.year)]
    done = known.ytd[-1, made.month - 1]
    before, past, older = (known.ytd[-1 - back, MONTHS - 1] for back in (1, 2, 3))
    naive = by_last_year(done, known.ytd[-2, made.month - 1], before)
    whole = made.model.calibrated & np.isfinite(naive)
    for totals in (truth, before, past, older, made.model.center):
        whole = whole & (totals > 0)
    for code in range(len(known.classes)):
        units = np.flatnonzero(whole & (known.codes == code))
        if len(units) >= 5:
            figures = _Figures(truth[units], before[units], past[units], older[units], naive[units])
            yield _case(made, known.classes[code], known.keys, units, figures, draws, workers)


@dataclass(frozen=True, slots=True)
class _Figures:
    """Totals of a class [n each]: this year's outcome, the three years before, the 同比 estimate."""

    truth: Floats
    before: Floats
    past: Floats
    older: Floats
    naive: Floats


def _case(
    made: Outlook,
    name: str,
    keys: Sequence[str],
    units: NDArray[np.int64],
    figures: _Figures,
    draws: int,
    workers: int,
) -> Case:
    k = max(1, round(LAST_SHARE * len(units)))
    model = _model(made, name, [keys[unit] for unit in units], units, figures)
    scores = simulate(model, f"{made.year}-{made.month:02d}/backtest", draws, workers)
    now = _last(model, figures.naive, k)
    # Last year's ranks by last year's outcome under this year's goalposts, one year further back.
    earlier = _Figures(figures.before, figures.past, figures.older, figures.older, figures.before)
    last = _last(_with_past(model, earlier), figures.before, k)
    place = _rank_share(model, figures.naive)
    return Case(
        year=made.year,
        month=made.month,
        k=k,
        probability=last_share(scores, k).mean(axis=1),
        current=now,
        last_year=last,
        features=np.stack([place, np.sqrt(place), last], axis=1),
        happened=_last(model, figures.truth, k),
    )


def _model(
    made: Outlook, name: str, parks: Sequence[str], units: NDArray[np.int64], figures: _Figures
) -> Model:
    errors = made.model.pool()[:, None]
    shocks = Shocks(("total",), errors, np.array([made.model.shock_scale]), float(made.model.dof))
    rules = _rules(figures)
    centre, scale = made.model.center[units], made.model.scale[units]
    floor = made.model.floor[units]
    items = tuple(
        Item("total", rule, np.full(len(units), 1 / 3), centre, scale, slope, offset, floor=floor)
        for rule, slope, offset in zip(rules, *_lines(figures), strict=True)
    )
    return Model(name, tuple(parks), items, shocks, np.zeros(len(units)))


def _rules(figures: _Figures) -> tuple[Points, Points, Points]:
    """Points of growth, two-year growth (of the ratio) and size, between last year's P2 and P98."""
    growth = 100 * (figures.before / figures.past - 1)
    two_years = np.sqrt(figures.before / figures.older)
    size = np.log(figures.before)
    low, high = _ends(growth)
    return (
        Points((low, high), (0.0, 100.0)),
        _curve(_ends(two_years), np.square),
        _curve(_ends(size), np.exp),
    )


def _ends(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, (0.02, 0.98))
    return float(low), float(max(high, low + 1e-9 * (1 + abs(low))))


def _curve(ends: tuple[float, float], back: Callable[[Floats], Floats]) -> Points:
    """Points linear in a transformed figure, as a polygon over the figure itself."""
    inner = np.linspace(*ends, KNOTS)
    return Points(tuple(back(inner).tolist()), tuple(np.linspace(0, 100, KNOTS).tolist()))


def _lines(figures: _Figures) -> tuple[list[Floats], list[Floats]]:
    """(slopes, offsets) of the three figures in this year's total."""
    n = len(figures.before)
    slopes = [100 / figures.before, 1 / figures.past, np.ones(n)]
    return slopes, [np.full(n, -100.0), np.zeros(n), np.zeros(n)]


def _with_past(model: Model, figures: _Figures) -> Model:
    """The same rules read one year earlier."""
    slopes, _ = _lines(figures)
    items = zip(model.items, slopes, strict=True)
    return replace(model, items=tuple(replace(item, slope=slope) for item, slope in items))


def _scores(model: Model, totals: Floats) -> Ints:
    """Scores [n] if the year ended with ``totals``."""
    step = 10.0**model.decimals
    scored: Ints = np.zeros(len(totals), dtype=np.int32)
    for item in model.items:
        scored += item_steps(item, slice(None), totals[:, None].copy(), step)[:, 0]
    return scored


def _last(model: Model, totals: Floats, k: int) -> Floats:
    return last_share(_scores(model, totals)[:, None], k)[:, 0]


def _rank_share(model: Model, totals: Floats) -> Floats:
    """Rank from the bottom as a share (0 lowest, 1 highest), ties at their middle."""
    scores = _scores(model, totals)
    below = (scores[None, :] < scores[:, None]).sum(axis=1)
    level = (scores[None, :] == scores[:, None]).sum(axis=1)
    share: Floats = (below + (level - 1) / 2) / max(len(scores) - 1, 1)
    return share


# --- Scores ---------------------------------------------------------------------------------------


def _skill(cases: Sequence[Case], scored: Sequence[int]) -> RiskSkill:
    logistic = {year: _logistic_said(cases, year) for year in scored}
    columns: dict[int, dict[str, Floats]] = {}
    for year in scored:
        mine = [case for case in cases if case.year == year]
        happened = np.concatenate([case.happened for case in mine])
        rate = np.concatenate([np.full(len(c.happened), c.k / len(c.happened)) for c in mine])
        columns[year] = {
            "ours": np.square(np.concatenate([c.probability for c in mine]) - happened),
            "logistic": np.square(logistic[year] - happened),
            "current": np.square(np.concatenate([c.current for c in mine]) - happened),
            "last_year": np.square(np.concatenate([c.last_year for c in mine]) - happened),
            "climatology": np.square(rate - happened),
        }
    late = [case for case in cases if case.year in scored]
    said = np.concatenate([case.probability for case in late])
    happened = np.concatenate([case.happened for case in late])
    rates = np.concatenate(
        [np.full(len(case.happened), case.k / len(case.happened)) for case in late]
    )
    sums = [case.probability.sum() - case.k for case in late]
    return RiskSkill(
        month=late[0].month,
        years=len(scored),
        n=len(said),
        events=float(happened.sum()),
        brier=float(np.concatenate([columns[year]["ours"] for year in scored]).mean()),
        **{
            name: _against(columns, name)
            for name in ("logistic", "current", "last_year", "climatology")
        },
        ece=calibration_error(said, happened),
        log_score=log_score(said, happened),
        log_skill=1 - log_score(said, happened) / log_score(rates, happened),
        sums_exact=bool(np.abs(sums).max() < 1e-9),
    )


def _against(columns: dict[int, dict[str, Floats]], name: str) -> Against:
    """Skill with the 5 % bound when whole years are drawn again."""
    years = sorted(columns)
    ours = np.array([columns[year]["ours"].sum() for year in years])
    other = np.array([columns[year][name].sum() for year in years])
    picks = stream("bootstrap over years", name).integers(0, len(years), (RESAMPLES, len(years)))
    drawn = 1 - ours[picks].sum(axis=1) / np.maximum(other[picks].sum(axis=1), 1e-12)
    return Against(float(1 - ours.sum() / max(other.sum(), 1e-12)), float(np.quantile(drawn, 0.05)))


def _logistic_said(cases: Sequence[Case], year: int) -> Floats:
    """The competitor's probabilities for ``year``, fitted on the years before it."""
    earlier = [case for case in cases if case.year < year]
    features = np.concatenate([case.features for case in earlier])
    happened = np.concatenate([case.happened for case in earlier])
    beta = fit_logistic(features, happened)
    now = np.concatenate([case.features for case in cases if case.year == year])
    return _expit(_design(now) @ beta)


def fit_logistic(
    features: Floats, happened: Floats, ridge: float = 1e-3, rounds: int = 30
) -> Floats:
    """Logistic regression by Newton's method with a slight ridge (separable data stay finite)."""
    design = _design(features)
    beta = np.zeros(design.shape[1])
    penalty = ridge * np.eye(design.shape[1])
    for _ in range(rounds):
        said = _expit(design @ beta)
        weight = said * (1 - said)
        slope = design.T @ (happened - said) - penalty @ beta
        beta = beta + np.linalg.solve((design * weight[:, None]).T @ design + penalty, slope)
    return beta


def _design(features: Floats) -> Floats:
    return np.concatenate([np.ones((len(features), 1)), features], axis=1)


def _expit(value: Floats) -> Floats:
    said: Floats = 1 / (1 + np.exp(-np.clip(value, -35, 35)))
    return said
