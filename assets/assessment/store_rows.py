"""Stage 5 into the warehouse: figures in; scores, details and the watch list out.

Belongs here: fetching what scoring needs, month by month of the year, and storing what it gives. Does
not belong here: scoring (``scoring``), last places (``elimination``) or Dagster (``assets.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from assets.assessment.elimination import last_places
from assets.assessment.scoring import ScoreResult, freeze_goalposts, score_scheme
from assets.assessment.watch import Earlier, WatchRow, watch_list
from assets.build import Build
from assets.targets.store_rows import park_values
from warehouse import store
from warehouse.catalog.models import period_end

if TYPE_CHECKING:
    import duckdb

    from assets.targets.evidence import Values
    from warehouse.catalog.schemes import Scheme

TABLES = ("assessment.score", "assessment.score_detail", "assessment.watch")


def assess(connection: duckdb.DuckDBPyConnection, build: Build, period: str) -> None:
    """Score the periods of the year up to ``period`` under every scheme; replace their rows.

    Earlier periods are scored with today's knowledge, so that streaks (连续n期) and moves compare
    like with like.
    """
    periods = _periods(connection, period)
    for name in TABLES:
        connection.execute(
            f"DELETE FROM {name} WHERE year = ? AND asof_period <= ?", [int(period[:4]), period]
        )
    red = _red_targets(connection)
    for scheme in build.catalog.schemes:
        earlier = Earlier(red_targets=red)
        for each in periods:
            earlier = _assess_one(connection, build, scheme, each, earlier)


def _periods(connection: duckdb.DuckDBPyConnection, period: str) -> list[str]:
    rows = connection.execute(
        "SELECT DISTINCT asof_period FROM indicators.park_year "
        "WHERE asof_period <= $1 AND left(asof_period, 4) = left($1, 4) ORDER BY 1",
        [period],
    ).fetchall()
    return [row[0] for row in rows]


def _assess_one(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    scheme: Scheme,
    period: str,
    earlier: Earlier,
) -> Earlier:
    """Score one period; returns what the next period has to know of it."""
    values = park_values(connection, period)
    listed = _listed_since(build, scheme)
    result = score_scheme(
        scheme,
        build.catalog.parks_on(period_end(period)),
        values,
        _frozen(connection, build, scheme, period),
        period,
        listed_since=listed,
        indicators=_indicators(build),
    )
    places = last_places(scheme, result, listed_since=listed, values=values)
    watched = watch_list(scheme, result, places, earlier)
    _store(connection, result, watched)
    return Earlier(
        period=period,
        streaks={row.park_id: row.streak for row in watched},
        red_targets=earlier.red_targets,
    )


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


def _store(
    connection: duckdb.DuckDBPyConnection, result: ScoreResult, watched: list[WatchRow]
) -> None:
    rows = {
        "assessment.score": [asdict(row) for row in result.scores],
        "assessment.score_detail": [asdict(row) for row in result.details],
        "assessment.watch": [asdict(row) for row in watched],
    }
    for name, these in rows.items():
        store.insert_rows(connection, name, these)
