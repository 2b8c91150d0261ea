"""Stage 5 into the warehouse: figures and outcomes in; scores, last places, proposals, watch out.

Belongs here: fetching what scoring needs, month by month of the year, and storing what it gives. Does
not belong here: scoring (``scoring``), last places (``elimination``) or Dagster (``assets.py``).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from assets.assessment.consequences import propose_steps
from assets.assessment.elimination import LastPlace, last_places
from assets.assessment.events import standing
from assets.assessment.grades import grade_parks
from assets.assessment.honours import propose_honours
from assets.assessment.outcomes import History, confirmed, history, outcome_rows
from assets.assessment.replacement import candidates
from assets.assessment.risk_rows import Case, Sources, refresh_risk, risks
from assets.assessment.scoring import ScoreResult, freeze_goalposts, score_scheme
from assets.assessment.watch import LABEL, Earlier, WatchRow, alerted_parks, preceding, watch_list
from assets.build import Build
from assets.targets.store_rows import park_values
from warehouse import store
from warehouse.catalog.models import period_end
from warehouse.outcomes import Journal

if TYPE_CHECKING:
    import duckdb

    from assets.targets.evidence import Values
    from warehouse.catalog.models import Park
    from warehouse.catalog.outcomes import Outcome
    from warehouse.catalog.schemes import Scheme

TABLES = (
    "assessment.score",
    "assessment.score_detail",
    "assessment.goalpost",
    "assessment.basis",
    "assessment.last_place",
    "assessment.proposal",
    "assessment.watch",
)
MONTHS_LOOKED_BACK = 24


def register_outcomes(connection: duckdb.DuckDBPyConnection, build: Build) -> int:
    """Replace ``assessment.outcome`` by what stands as of the build; returns the number of rows."""
    rows = outcome_rows(_confirmed(build), build.catalog.schemes, build.catalog.calendar)
    return store.replace_rows(connection, "assessment.outcome", [asdict(row) for row in rows])


def assess(connection: duckdb.DuckDBPyConnection, build: Build, period: str) -> None:
    """Score the periods of the year up to ``period`` under every scheme; replace their rows.

    Earlier periods are scored with today's knowledge, so that streaks (连续n期) and moves compare
    like with like.
    """
    for name in TABLES:
        connection.execute(
            f"DELETE FROM {name} WHERE year = ? AND asof_period <= ?", [int(period[:4]), period]
        )
    sources = Sources(connection, build, period)
    outcomes = [row for row, *_ in _confirmed(build)]
    red, periods = _red_targets(connection), _periods(connection, period)
    for scheme in build.catalog.schemes:
        task = _Task(connection, build, scheme, history(scheme.scheme_id, outcomes), red)
        earlier = task.before(periods[0]) if periods else Earlier()
        for each in periods:
            assessed = task.assess(each)
            if each == period:
                task.refresh_risk(sources, assessed)
            watched = task.watch(assessed, earlier)
            task.store(assessed, watched)
            earlier = task.then(each, watched)


def _confirmed(build: Build) -> list[tuple[Outcome, str, str, str]]:
    entries = Journal(build.workspace.state_file).entries()
    return confirmed(build.catalog.outcomes, entries, build.asof)


def _periods(connection: duckdb.DuckDBPyConnection, period: str) -> list[str]:
    rows = connection.execute(
        "SELECT DISTINCT asof_period FROM indicators.park_year "
        "WHERE asof_period <= $1 AND left(asof_period, 4) = left($1, 4) ORDER BY 1",
        [period],
    ).fetchall()
    return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class _Assessed:
    """Everything one period gives under one scheme."""

    period: str
    parks: Sequence[Park]
    values: Values
    result: ScoreResult
    places: list[LastPlace]


@dataclass(slots=True)
class _Task:
    """One scheme over the periods of a run."""

    connection: duckdb.DuckDBPyConnection
    build: Build
    scheme: Scheme
    history: History
    red: Mapping[str, Mapping[str, int]]
    listed: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.listed = _listed_since(self.build, self.scheme)

    def assess(self, period: str) -> _Assessed:
        """Scores and last places of a period."""
        values = park_values(self.connection, period)
        parks = self.build.catalog.parks_on(period_end(period))
        year = int(period[:4])
        indicators = _indicators(self.build)
        result = score_scheme(
            self.scheme,
            parks,
            values,
            _frozen(self.connection, self.build, self.scheme, period),
            period,
            listed_since=self.listed,
            holds=_holds(self.connection, self.build, period),
            indicators=indicators,
            events=self.history.events,
            yardsticks=_yardsticks(self.connection, self.build, self.scheme, year),
            region=_region_figures(self.connection, self.scheme, period),
        )
        places = [
            place
            for number in range(len(self.scheme.eliminations))
            for place in last_places(
                self.scheme,
                result,
                listed_since=self.listed,
                past=self.history.in_last(year),
                past_scores=self.history.scores(year),
                values=values,
                indicators=indicators,
                rule_no=number,
            )
        ]
        return _Assessed(period, parks, values, result, places)

    def before(self, period: str) -> Earlier:
        """What the period before ``period`` leaves to it: streaks and alerts across January.

        Looks back only as far as a streak goes on, at most two years."""
        last = preceding(period)
        if not park_values(self.connection, last):
            return self.then("", [])
        assessed = self.assess(last)
        rows = self.watch(assessed, self.then("", []))
        running = {row.park_id for row in rows if row.streak}
        streaks = {row.park_id: row.streak for row in rows}
        each = last
        for _ in range(MONTHS_LOOKED_BACK):
            each = preceding(each)
            if not running or not park_values(self.connection, each):
                break
            places = self.assess(each).places
            running &= {one.park_id for one in places if one.in_last_k and one.rule_no == 0}
            for park_id in running:
                streaks[park_id] += 1
        return replace(self.then(last, rows), streaks=streaks)

    def then(self, period: str, rows: Sequence[WatchRow]) -> Earlier:
        """What a period leaves to the next one."""
        return Earlier(
            period=period,
            streaks={row.park_id: row.streak for row in rows},
            past=self.history.in_last(9999),
            red_targets=self.red,
            alerted=alerted_parks(rows) if period else None,
        )

    def refresh_risk(self, sources: Sources, assessed: _Assessed) -> None:
        """Simulate the year's end as seen from the period of ``assessed``."""
        year = int(assessed.period[:4])
        case = Case(
            scheme=self.scheme,
            period=assessed.period,
            result=assessed.result,
            history=self.history,
            listed=self.listed,
            yardsticks=_yardsticks(self.connection, self.build, self.scheme, year),
            region=_region_figures(self.connection, self.scheme, assessed.period),
        )
        refresh_risk(sources, case)

    def watch(self, assessed: _Assessed, earlier: Earlier) -> list[WatchRow]:
        """The watch list of a period, with the risk as it was said in that period."""
        year = int(assessed.period[:4])
        vetoes = {}
        for park_id, events in self.history.events.items():
            found = standing(self.scheme, events, year)
            vetoes[park_id] = found.disqualified or found.lowest_grade or found.no_honours
        earlier = replace(earlier, vetoes=vetoes)
        said = risks(self.connection, self.scheme.scheme_id, assessed.period)
        return watch_list(self.scheme, assessed.result, assessed.places, earlier, said)

    def store(self, assessed: _Assessed, watched: Sequence[WatchRow]) -> None:
        """Everything of a period into the tables."""
        result = assessed.result
        records: dict[str, Sequence[Any]] = {
            "assessment.score": result.scores,
            "assessment.score_detail": result.details,
            "assessment.goalpost": result.goalposts_used,
            "assessment.last_place": assessed.places,
            "assessment.watch": watched,
        }
        for name, these in records.items():
            store.insert_records(self.connection, name, these)
        store.insert_rows(self.connection, "assessment.basis", [self._basis(assessed)])
        store.insert_rows(self.connection, "assessment.proposal", self._proposals(assessed))

    def _basis(self, assessed: _Assessed) -> dict[str, Any]:
        scores = assessed.result.scores
        rules = self.scheme.model_dump(mode="json", exclude_defaults=True)
        listed = {row.park_id for row in scores}
        register = [park.model_dump(mode="json") for park in assessed.parks
                    if park.park_id in listed]  # fmt: skip
        figures = [
            (*key, value.value, value.yoy_pct, value.state, value.basis, value.yoy_basis)
            for key, value in sorted(assessed.values.items(), key=itemgetter(0))
            if key[0] in listed
        ]
        return {
            "scheme_id": self.scheme.scheme_id,
            "year": int(assessed.period[:4]),
            "asof_period": assessed.period,
            "official": False,
            "label": "；".join(text for text in (self.scheme.label, LABEL) if text),
            "rules_digest": _digest(rules),
            "data_digest": _digest([register, figures, asdict(self.history)]),
            "n_listed": len(scores),
            "n_ranked": sum(row.rank is not None for row in scores),
        }

    def _proposals(self, assessed: _Assessed) -> list[dict[str, Any]]:
        scores, events = assessed.result.scores, self.history.events
        grades = grade_parks(self.scheme, scores, assessed.values, events)
        honours = propose_honours(self.scheme, scores, grades, self.history, events)
        steps = propose_steps(self.scheme, scores, assessed.places, grades, self.history)
        _, pool = candidates(
            self.scheme, assessed.parks, assessed.values, self.history, assessed.period,
            indicators=_indicators(self.build),
        )  # fmt: skip
        class_of = {row.park_id: row.class_id for row in scores}
        rows = [
            _proposal("grade", 0, one.park_id, class_of, one.grade, "等次", one.reason)
            for one in grades.values()
        ]
        rows += [
            _proposal("step", one.number, one.park_id, class_of, one.step, one.title, one.reason)
            for one in steps
        ]
        rows += [
            _proposal("honour", 0, one.park_id, class_of, one.honour, one.title, one.reason)
            | {"barred": one.barred}
            for one in honours
        ]
        for one in pool:
            what = "proposed" if one.proposed else "waiting" if one.place else "not_qualified"
            rows.append(
                _proposal("candidate", one.place or 0, one.park_id, class_of, what, "增补候选",
                          one.reason) | {"value": one.figure}
            )  # fmt: skip
        when = {
            "scheme_id": self.scheme.scheme_id,
            "year": int(assessed.period[:4]),
            "asof_period": assessed.period,
        }
        return [when | row for row in rows]


def _proposal(
    kind: str,
    number: int,
    park_id: str,
    class_of: Mapping[str, str],
    what: str,
    title: str,
    reason: str,
) -> dict[str, Any]:
    return {
        "class_id": class_of.get(park_id, ""),
        "park_id": park_id,
        "kind": kind,
        "number": number,
        "what": what,
        "title": title,
        "value": None,
        "reason": reason,
        "barred": "",
    }


def _digest(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


# --- What scoring needs ---------------------------------------------------------------------------


def _indicators(build: Build) -> dict[str, Any]:
    return {indicator.indicator_id: indicator for indicator in build.catalog.indicators}


def _listed_since(build: Build, scheme: Scheme) -> dict[str, int]:
    """First year each park was on the scheme's list, as far back as the register goes."""
    flag = {"key": "is_key", "demonstration": "is_demonstration"}.get(scheme.who.group)
    since: dict[str, int] = {}
    for park in build.catalog.parks:
        if park.valid_from and (flag is None or getattr(park, flag)):
            since[park.park_id] = min(since.get(park.park_id, 9999), park.valid_from.year)
    return since


_HELD = """
SELECT DISTINCT reporter FROM submissions.submission
WHERE period = $1 AND status = 'held' AND reporter IS NOT NULL AND reporter NOT IN (
    SELECT reporter FROM submissions.submission
    WHERE period = $1 AND status IN ('accepted', 'partly') AND reporter IS NOT NULL
)
"""


def _holds(connection: duckdb.DuckDBPyConnection, build: Build, period: str) -> dict[str, str]:
    """Parks whose only return of the period is held back for verification (暂存待核)."""
    held = {row[0] for row in connection.execute(_HELD, [period]).fetchall()}
    if not held:
        return {}
    day = period_end(period)
    return {
        park.park_id: "报送件暂存待核"
        for reporter in build.catalog.reporters_on(day)
        if reporter.reporter_id in held
        for park in build.catalog.parks_of(reporter, day)
    }


def _frozen(
    connection: duckdb.DuckDBPyConnection, build: Build, scheme: Scheme, period: str
) -> Mapping[Any, Any]:
    """Goalposts from the same period of last year, when it has figures."""
    before = f"{int(period[:4]) - 1}{period[4:]}"
    values: Values = park_values(connection, before)
    if not values:
        return {}
    parks = build.catalog.parks_on(period_end(before))
    return freeze_goalposts(scheme, parks, values, before, _indicators(build))


def _yardsticks(
    connection: duckdb.DuckDBPyConnection, build: Build, scheme: Scheme, year: int
) -> dict[tuple[str, str, int], Decimal]:
    """What ratios are taken of: parks' own goals of the year, year-end figures of base years."""
    rules = [line.yardstick for line in scheme.lines if line.yardstick is not None]
    found = {}
    if any(rule.source == "park_goal" for rule in rules):
        units = _units(build)
        for goal in build.catalog.assessment_goals:
            if goal.year == year:
                own = build.catalog.indicator(goal.indicator_id).unit
                value = units.convert(goal.value, goal.unit, own)
                found[goal.park_id, goal.indicator_id, 0] = value
    for base in sorted({rule.year for rule in rules if rule.year is not None}):
        for (park_id, indicator_id), figure in park_values(connection, f"{base}-12").items():
            if figure.value is not None:
                found[park_id, indicator_id, base] = figure.value
    return found


def _units(build: Build) -> Any:
    from assets.submissions.values.units import Units

    return Units.from_mapping(build.catalog.units_mapping())


_REGION = """
SELECT indicator_id, value, yoy_pct FROM indicators.area_year
WHERE asof_period = ? AND area_code = ? AND scope = 'all'
"""


def _region_figures(
    connection: duckdb.DuckDBPyConnection, scheme: Scheme, period: str
) -> dict[tuple[str, str], Decimal]:
    """Figures of the scheme's region, for lines measured against them."""
    found = {}
    rows = connection.execute(_REGION, [period, scheme.who.region_code]).fetchall()
    for indicator_id, value, growth in rows:
        if value is not None:
            found[indicator_id, "value"] = value
        if growth is not None:
            found[indicator_id, "growth"] = growth
    return found


def _red_targets(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """Park → period → number of its red binding targets."""
    counted: Counter[tuple[str, str]] = Counter()
    rows = connection.execute(
        "SELECT verdict.park_id, verdict.asof_period FROM targets.verdict AS verdict "
        "JOIN dims.target AS target USING (target_id) "
        "WHERE verdict.light = 'red' AND target.strength = 'binding' AND verdict.park_id <> ''"
    ).fetchall()
    counted.update(rows)
    red: dict[str, dict[str, int]] = {}
    for (park_id, period), n in sorted(counted.items()):
        red.setdefault(park_id, {})[period] = n
    return red
