"""Chance of meeting what a target asks of the year's end, from the outlook of its indicator.

Belongs here: turning one requirement into an event of the forecast distribution, for single parks,
sums, counts, growth and the lead over a benchmark. Does not belong here: the forecast
(``assets/indicators/outlooks``), the question (``requirement``), the light (``lights``).

A chance is called calibrated only where past forecasts of its kind were scored: a park's or a sum's
total against a bar, not before the month from which the record allows it (``ForecastRules``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

import numpy as np

from assets.indicators.outlooks import IndicatorOutlook, indicator_outlook, is_forecast, settings_of
from assets.targets.requirement import Chance, Key, MemberBar, Requirement
from methods.counts import at_least, count_distribution
from methods.intervals import ErrorModel, probability_at_least, t_quantile
from methods.outlook import total_outlook
from methods.seasonal_pace import Floats, Ints
from warehouse import store
from warehouse.catalog.forecast_rules import ForecastRules, load_forecast_rules

if TYPE_CHECKING:
    import duckdb

    from assets.build import Build

DRAWS = 4000
SHOCKS = 41
"""Nodes over the common shock when parks are counted: given the shock they are independent."""
STEP = Decimal("0.0001")


def forecaster(
    connection: duckdb.DuckDBPyConnection, build: Build, period: str
) -> Callable[[Sequence[Requirement]], Mapping[Key, Chance]]:
    """What ``store_rows.judge`` asks: chances of requirements, those it cannot answer left out."""
    source = _Source(connection, build, period)
    return lambda requirements: {
        asked.key: chance
        for asked in requirements
        if (chance := chance_of(asked, source)) is not None
    }


class _Source:
    """Outlooks by indicator, each made when first asked for, and what the record says of them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, build: Build, period: str) -> None:
        self.connection, self.build, self.period = connection, build, period
        self.rules = load_forecast_rules(build.workspace.catalog, build.workspace.catalog_base)
        self.settings = settings_of(build)
        self._indicators = {one.indicator_id: one for one in build.catalog.indicators}
        self._made: dict[str, IndicatorOutlook | None] = {}

    def outlook(self, indicator_id: str) -> IndicatorOutlook | None:
        """Outlook of an indicator; ``None`` where it is not forecast or nothing is known."""
        if indicator_id not in self._made:
            indicator = self._indicators.get(indicator_id)
            self._made[indicator_id] = (
                indicator_outlook(self.connection, self.build, indicator, self.period)
                if indicator is not None and is_forecast(indicator)
                else None
            )
        return self._made[indicator_id]

    def benchmark(self, area: str, indicator_id: str) -> float | None:
        """Newest published value (%) of a benchmark for an area."""
        rows = store.fetch(
            self.connection,
            "SELECT value FROM indicators.area_year WHERE area_code = ? AND indicator_id = ? "
            "AND scope = 'all' AND asof_period = ?",
            [area, indicator_id, self.period],
        )
        return float(rows[0]["value"]) if rows and rows[0]["value"] is not None else None

    def too_early(self, indicator_id: str) -> bool:
        """Whether the record of this month's forecasts does not yet allow a judgement."""
        month = int(self.period[5:7])
        if month >= self.rules.early_before_month:
            return False
        rows = store.fetch(
            self.connection,
            "SELECT skill_climatology, calibration_error FROM indicators.track_record "
            "WHERE indicator_id = ? AND year = ? AND month = ?",
            [indicator_id, int(self.period[:4]), month],
        )
        return is_early(rows[0] if rows else None, self.rules)


def is_early(record: Mapping[str, Decimal | None] | None, rules: ForecastRules) -> bool:
    """Too early to say: no record of this month, little better than the base rate, or unreliable."""
    if record is None or record["skill_climatology"] is None or record["calibration_error"] is None:
        return True
    little = float(record["skill_climatology"]) < rules.early_min_skill
    return little or float(record["calibration_error"]) > rules.max_calibration_error


def chance_of(asked: Requirement, source: _Source) -> Chance | None:
    """The chance of one requirement; ``None`` where there is no forecast to answer it."""
    outlook = source.outlook(asked.indicator_id)
    if outlook is None:
        return None
    known = set(outlook.parks)
    units = outlook.index([park for park in asked.parks if park in known])
    units = units[
        np.isfinite(outlook.model.scale[units]) & np.isfinite(outlook.model.center[units])
    ]
    if not units.size:
        return None
    answer = _ANSWERS[asked.quantity](asked, outlook, units, source)
    if answer is None or not np.isfinite(answer[0]):
        return None
    probability, scored = answer
    if source.too_early(asked.indicator_id):
        return Chance(_decimal(probability), False, "年初尚早，不作判断")
    calibrated = scored and bool(outlook.model.calibrated[units].all())
    years = len(outlook.record.years)
    return Chance(
        _decimal(probability), calibrated, f"依据近{years}年同月推算误差" if years else ""
    )


def _decimal(probability: float) -> Decimal:
    inside = min(max(probability, 0.0), 1.0)
    return Decimal(repr(inside)).quantize(STEP, rounding=ROUND_HALF_EVEN)


# --- Events: (probability, whether forecasts of this kind are scored) -------------------------------

Answer = tuple[float, bool] | None


def _value(asked: Requirement, outlook: IndicatorOutlook, units: Ints, source: _Source) -> Answer:
    """Total of the park, or of the parks together, against the bar."""
    return _within(_model(outlook, units, source), asked, float(asked.threshold), asked.upper), True


def _mean(asked: Requirement, outlook: IndicatorOutlook, units: Ints, source: _Source) -> Answer:
    """Total of the parks against the bar times their number."""
    bar = float(asked.threshold) * units.size
    return _within(_model(outlook, units, source), asked, bar, None), True


def _growth(asked: Requirement, outlook: IndicatorOutlook, units: Ints, source: _Source) -> Answer:
    """Total against last year's of the same parks and scope, grown as asked."""
    units = units[_base(outlook)[units] > 0]
    if not units.size:
        return None
    bar = float(_base(outlook)[units].sum()) * (1 + float(asked.threshold) / 100)
    return _within(_model(outlook, units, source), asked, bar, None), True


def _lead(asked: Requirement, outlook: IndicatorOutlook, units: Ints, source: _Source) -> Answer:
    """Growth of the parks minus that of the benchmark. The benchmark is random too: it moves with the
    same common shock from its newest value. Simulated; not scored on past years."""
    bench = source.benchmark(asked.scope_code, asked.benchmark or "")
    units = units[_base(outlook)[units] > 0]
    if bench is None or not units.size:
        return None
    model = outlook.model
    rng = np.random.Generator(np.random.Philox(key=_seed(asked)))
    shock = rng.standard_t(model.dof, (DRAWS, 1))
    total = np.zeros(DRAWS)
    pool = model.pool()
    for unit in units:  # a column of draws a park: memory stays small for a whole province
        epsilon = pool[rng.integers(0, pool.size, (DRAWS, 1))]
        total += model.draw(epsilon, shock, np.array([unit]))[:, 0]
    growth = 100 * (total / float(_base(outlook)[units].sum()) - 1)
    size = float(np.median(model.scale[units])) * model.shock_scale if model.link == "log" else 0.0
    against = 100 * ((1 + bench / 100) * np.exp(size * shock[:, 0]) - 1)
    met = _compare(asked.comparator, growth - against, float(asked.threshold))
    return float(met.mean()), False


def _count(asked: Requirement, outlook: IndicatorOutlook, units: Ints, _: _Source) -> Answer:
    """Number of parks that pass their bar: exact given the common shock, averaged over it."""
    member = asked.member
    if member is None:
        return None
    model = replace(outlook.model, shock_scale=0.0)
    nodes = t_quantile((np.arange(SHOCKS) + 0.5) / SHOCKS, outlook.model.dof)
    chances = np.stack(
        [
            _member_chances(_shocked(model, outlook.model.shock_scale * t), units, member)
            for t in nodes
        ]
    )
    pmf = count_distribution(chances).mean(axis=0)
    bar = float(asked.threshold)
    if asked.comparator in ("<=", "<"):
        return 1 - float(at_least(pmf, bar + (1 if asked.comparator == "<=" else 0))), False
    return float(at_least(pmf, bar + (1 if asked.comparator == ">" else 0))), False


_ANSWERS: dict[str, Callable[[Requirement, IndicatorOutlook, Ints, _Source], Answer]] = {
    "value": _value,
    "mean": _mean,
    "growth": _growth,
    "lead": _lead,
    "count": _count,
}


# --- Parts ----------------------------------------------------------------------------------------


def _model(outlook: IndicatorOutlook, units: Ints, source: _Source) -> ErrorModel:
    """Model of one park, or of the sum of several (bottom-up, with the common shock of past sums)."""
    if units.size == 1:
        return _only(outlook.model, units)
    model = total_outlook(
        outlook.forecast, outlook.known, outlook.origin, outlook.record, [units], source.settings
    )
    floors = outlook.model.floor[units]
    floor = float(floors.sum()) if np.isfinite(floors).all() else -np.inf
    return replace(model, floor=np.array([floor]))


def _only(model: ErrorModel, units: Ints) -> ErrorModel:
    return replace(
        model,
        center=model.center[units],
        scale=model.scale[units],
        floor=model.floor[units],
        calibrated=model.calibrated[units],
    )


def _shocked(model: ErrorModel, move: float) -> ErrorModel:
    """``model`` given the common shock: every center moved by it."""
    step = model.scale * move
    center = model.center * np.exp(step) if model.link == "log" else model.center + step
    return replace(model, center=center)


def _member_chances(model: ErrorModel, units: Ints, member: MemberBar) -> Floats:
    part = _only(model, units)
    low = probability_at_least(part, np.full(units.size, float(member.value)))
    if member.comparator in ("<=", "<"):
        return 1 - low
    if member.not_above is None:
        return low
    return low - probability_at_least(part, np.full(units.size, float(member.not_above)))


def _base(outlook: IndicatorOutlook) -> Floats:
    """Last year's totals on this year's scope, [U]."""
    if len(outlook.known.years) < 2:
        return np.full(len(outlook.parks), np.nan)
    return np.asarray(outlook.known.ytd[-2, -1])


def _within(model: ErrorModel, asked: Requirement, bar: float, upper: Decimal | None) -> float:
    """Chance that a total satisfies the comparator (a closed range up to ``upper``)."""
    reached = float(probability_at_least(model, np.array([bar]))[0])
    if asked.comparator in ("<=", "<", "rank<="):
        return 1 - reached
    if upper is None:
        return reached
    return max(reached - float(probability_at_least(model, np.array([float(upper)]))[0]), 0.0)


def _compare(comparator: str, values: Floats, bar: float) -> Floats:
    if comparator in ("<=", "<"):
        return np.asarray(values <= bar, dtype=np.float64)
    return np.asarray(values > bar if comparator == ">" else values >= bar, dtype=np.float64)


def _seed(asked: Requirement) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    text = "|".join((asked.asof_period, *asked.key))
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.frombuffer(digest, dtype=np.uint64)
