"""Risk and ways out into the warehouse: predictions fetched, classes simulated, rows stored.

Belongs here: which figures a simulation needs and where its results go. Does not belong here: the
simulation (``risk_model``, ``methods``) or scores as of now (``store_rows``). What was said of an earlier
period stays as it was said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from assets.assessment.eligibility import is_new
from assets.assessment.plan import ScorePlan, score_plan
from assets.assessment.predictions import Prediction, carried_forward, from_outlook
from assets.assessment.scoring import EXTRA_MEASURES, ScoreResult, freeze_goalposts
from assets.targets.store_rows import park_values
from warehouse import store
from warehouse.catalog.models import period_end

if TYPE_CHECKING:
    import duckdb

    from assets.assessment.outcomes import History
    from assets.assessment.risk_model import ClassModel, ParkRisk, Simulated
    from assets.build import Build
    from assets.targets.evidence import Values
    from warehouse.catalog.schemes import Scheme

TABLES = ("assessment.risk", "assessment.way_out")
DECIMALS = Decimal("0.00000001")
NEAR = (0.20, 0.98)
"""Parks with a chance of the last places in this range are shown ways out: above it no single year's
effort is in sight, below it none is needed."""
ALL_LEVERS = "*"


@dataclass(slots=True)
class Sources:
    """Predictions by indicator as of a period, each made once for all schemes."""

    connection: duckdb.DuckDBPyConnection
    build: Build
    period: str
    made: dict[str, Prediction | None] = field(default_factory=dict)
    values: dict[str, Values] = field(default_factory=dict)

    def of(self, indicator_id: str) -> Prediction | None:
        """Prediction of an indicator; None when nothing is known of it this year."""
        if indicator_id not in self.made:
            self.made[indicator_id] = self._make(indicator_id)
        return self.made[indicator_id]

    def _make(self, indicator_id: str) -> Prediction | None:
        from assets.indicators.outlooks import indicator_outlook, is_forecast

        indicator = self.build.catalog.indicator(indicator_id)
        if is_forecast(indicator):
            outlook = indicator_outlook(self.connection, self.build, indicator, self.period)
            return from_outlook(outlook) if outlook is not None else None
        year, month = int(self.period[:4]), self.period[5:]
        now = self._column(indicator_id, self.period)
        then = self._column(indicator_id, f"{year - 1}-{month}")
        end = self._column(indicator_id, f"{year - 1}-12")
        return carried_forward(now, then, end, finished=month == "12") if now else None

    def figures(self, period: str) -> Values:
        """Figures of the year as of ``period``."""
        if period not in self.values:
            self.values[period] = park_values(self.connection, period)
        return self.values[period]

    def _column(self, indicator_id: str, period: str) -> dict[str, float]:
        return {
            park: float(figure.value)
            for (park, indicator), figure in self.figures(period).items()
            if indicator == indicator_id and figure.value is not None
        }


@dataclass(frozen=True, slots=True)
class Case:
    """One scheme at the newest period: what its scores were made with."""

    scheme: Scheme
    period: str
    result: ScoreResult
    history: History
    listed: Mapping[str, int]
    yardsticks: Mapping[tuple[str, str, int], Decimal]
    region: Mapping[tuple[str, str], Decimal]

    @property
    def year(self) -> int:
        """Year of assessment."""
        return int(self.period[:4])

    @property
    def run(self) -> str:
        """Names scheme and period; seeds the draws."""
        return f"{self.period}/{self.scheme.scheme_id}"


def refresh_risk(sources: Sources, case: Case) -> None:
    """Replace the risk and ways out of a scheme at the case's period."""
    for name in TABLES:
        sources.connection.execute(
            f"DELETE FROM {name} WHERE scheme_id = ? AND asof_period = ?",
            [case.scheme.scheme_id, case.period],
        )
    if not case.scheme.eliminations or case.scheme.eliminations[0].by != "last_places":
        return
    from assets.assessment import risk_model

    plans = _plans(sources, case)
    models = {c: _class_model(sources, case, plan) for c, plan in plans.items()}
    years = _years(case)
    for group in _groups(case.scheme, models):
        rule = plans[min(group)].rules[0]
        drawn = risk_model.simulated(group, case.run)
        found = risk_model.park_risks(drawn, rule, years, f"{case.run}/{'+'.join(sorted(group))}")
        store.insert_rows(
            sources.connection, "assessment.risk", [_risk_row(case, row) for row in found]
        )
        ways = _ways_out(sources, case, drawn, found)
        store.insert_rows(sources.connection, "assessment.way_out", ways)


def risks(
    connection: duckdb.DuckDBPyConnection, scheme_id: str, period: str
) -> dict[str, dict[str, Any]]:
    """Park → its row of ``assessment.risk`` as said at ``period``."""
    rows = store.fetch(
        connection,
        "FROM assessment.risk WHERE scheme_id = ? AND asof_period = ?",
        [scheme_id, period],
    )
    return {row["park_id"]: row for row in rows}


# --- What a simulation needs ----------------------------------------------------------------------


def _plans(sources: Sources, case: Case) -> dict[str, ScorePlan]:
    """Year-end plan of each class with ranked parks: goalposts frozen at the end of last year."""
    end = f"{case.year - 1}-12"
    catalog = sources.build.catalog
    posts = freeze_goalposts(
        case.scheme,
        catalog.parks_on(period_end(end)),
        sources.figures(end),
        end,
        {one.indicator_id: one for one in catalog.indicators},
    )
    ranked = {row.class_id for row in case.result.scores if row.rank is not None}
    return {
        class_id: score_plan(
            case.scheme, class_id, posts, period=f"{case.year}-12", references=case.region
        )
        for class_id in sorted(ranked)
    }


def _class_model(sources: Sources, case: Case, plan: ScorePlan) -> ClassModel:
    from assets.assessment.risk_model import class_model

    parks = sorted(
        row.park_id
        for row in case.result.scores
        if row.rank is not None and row.class_id == plan.class_id
    )
    wanted = {name for line in plan.lines for name in line.indicator_ids}
    found = {name: sources.of(name) for name in sorted(wanted)}
    extras: dict[str, float] = {}
    for row in case.result.details:
        if row.measure in EXTRA_MEASURES and row.points is not None:
            extras[row.park_id] = extras.get(row.park_id, 0.0) + float(row.points)
    rods = {(park, name): float(value) for (park, name, _), value in case.yardsticks.items()}
    predictions = {name: one for name, one in found.items() if one is not None}
    return class_model(plan, parks, predictions, extras=extras, yardsticks=rods)


def _groups(scheme: Scheme, models: Mapping[str, ClassModel]) -> list[dict[str, ClassModel]]:
    """Classes ranked together: each alone, or all of them where the rule says so."""
    if scheme.eliminations[0].per_class:
        return [{class_id: model} for class_id, model in models.items()]
    return [dict(models)] if models else []


def _years(case: Case) -> Any:
    from assets.assessment.risk_model import Years

    rule = case.scheme.eliminations[0]
    scores = {
        park: {year: float(score) for year, score in by_year.items()}
        for park, by_year in case.history.scores(case.year).items()
    }
    spared = frozenset(
        row.park_id
        for row in case.result.scores
        if is_new(rule.protect_new_years, case.listed.get(row.park_id), case.year)
    )
    return Years(case.year, case.history.in_last(case.year), scores, spared)


# --- Rows -----------------------------------------------------------------------------------------


def _risk_row(case: Case, found: ParkRisk) -> dict[str, Any]:
    row = asdict(found)
    for name in ("p_last_k", "p_exit", "calibrated_pct"):
        row[name] = _decimal(row[name])
    return _key(case, found.class_id) | row


def _key(case: Case, class_id: str) -> dict[str, Any]:
    return {
        "scheme_id": case.scheme.scheme_id,
        "class_id": class_id,
        "year": case.year,
        "asof_period": case.period,
    }


def _ways_out(
    sources: Sources, case: Case, drawn: Simulated, found: Sequence[ParkRisk]
) -> list[dict[str, Any]]:
    """Least change per lever, and of all levers together, for the parks near the last places."""
    from methods import way_out

    k = found[0].k
    if not 0 < k < len(found) or case.period.endswith("-12"):
        return []
    cut = way_out.cuts(drawn.scores, k)
    rows, first = [], 0
    for class_id, each in zip(drawn.class_ids, drawn.models, strict=True):
        own = drawn.scores[first : first + len(each.model.parks)]
        for place, risk_row in enumerate(found[first : first + len(own)]):
            if not NEAR[0] <= risk_row.p_last_k < NEAR[1]:
                continue
            draws = way_out.own_draws(each.model, place, case.run, own)
            key = _key(case, class_id) | {"park_id": risk_row.park_id}
            for way in way_out.way_out(each.model, place, draws, cut):
                rows.append(key | _lever_row(sources, each, place, way))
            share = way_out.bundle(each.model, place, draws, cut, _all_levers(each))
            rows.append(key | _bundle_row(share))
        first += len(own)
    return rows


def _lever_row(sources: Sources, each: ClassModel, place: int, way: Any) -> dict[str, Any]:
    indicator = sources.build.catalog.indicator(way.lever)
    prediction = each.predictions[way.lever]
    center, done = prediction.model.center[place], prediction.done[place]
    left = center - done if indicator.kind == "flow" else center
    possible = abs(way.amount) != float("inf")
    return {
        "lever": way.lever,
        "unit": indicator.unit,
        "extra_amount": _decimal(way.amount) if possible else None,
        "pct_of_remaining": _decimal(100 * way.amount / left) if possible and left > 0 else None,
        "surprise_pct": _decimal(100 * way.surprise),
        "realistic": possible and way.surprise < 0.9,
    }


def _bundle_row(share: float) -> dict[str, Any]:
    possible = share != float("inf")
    return {
        "lever": ALL_LEVERS,
        "unit": "%",
        "extra_amount": _decimal(100 * share) if possible else None,
        "pct_of_remaining": None,
        "surprise_pct": None,
        "realistic": possible,
    }


def _all_levers(each: ClassModel) -> dict[str, float]:
    """Every lever moved the way that earns points, those that compare parks left out."""
    from methods.points import Points

    ways: dict[str, float] = {}
    for item in each.model.items:
        if isinstance(item.rule, Points):
            ways[item.lever] = float(item.rule.direction or 1)
    return ways


def _decimal(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(DECIMALS)
