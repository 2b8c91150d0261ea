"""Selection of figures (选指标): totals, areas, parks and filing of the audience's scope.

Belongs here: the queries on indicators, observations and submissions. Does not belong here: verdicts
and ranks (``select_judgement``), or what an audience may see (``select``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from assets.bulletins import data
from warehouse import store
from warehouse.catalog.reporting import expected_reporters

if TYPE_CHECKING:
    import duckdb

    from assets.build import Build
    from assets.bulletins.scope import Scope

SHOWN_WITHOUT_A_LIST = 8
"""Indicators shown where neither the bureau nor the catalogue says which matter."""

Months = tuple[str, str | None]
"""The period and the one before it in the same year."""

# Parks of the scope on the last day of the period; a 飞地 park counts in its home county.
PARKS = """
park AS (
    SELECT park_id, name, coalesce(nullif(home_county_code, ''), county_code) AS county_code,
           coalesce(city_code, '') AS city_code, province_code
    FROM dims.park
    WHERE valid_from <= $day AND coalesce(valid_to, DATE '9999-12-31') > $day
        AND coalesce(status, 'active') = 'active'
        AND $scope IN (province_code, city_code, coalesce(nullif(home_county_code, ''), county_code))
)"""


def values_of(scope: Scope, period: str) -> dict[str, Any]:
    """Parameters every query on parks takes."""
    return {"scope": scope.code, "day": scope.day, "period": period}


def indicators(connection: duckdb.DuckDBPyConnection, build: Build) -> tuple[data.Indicator, ...]:
    """The bureau's list, else the catalogue's core indicators, as far as there are figures."""
    wanted = build.workspace.bureau.indicators or tuple(
        i.indicator_id for i in build.catalog.indicators if i.core
    )
    rows = connection.execute("SELECT DISTINCT indicator_id FROM indicators.area_year").fetchall()
    known = {row[0] for row in rows}
    chosen = [i for i in wanted if i in known] or sorted(known)[:SHOWN_WITHOUT_A_LIST]
    chosen = chosen or [build.catalog.indicators[0].indicator_id]  # no figures: say so of one
    found = (build.catalog.indicator(indicator_id) for indicator_id in chosen)
    return tuple(
        data.Indicator(
            indicator_id=i.indicator_id,
            name_zh=i.name_zh,
            unit=i.unit,
            kind=i.kind,
            decimals=i.decimals,
            definition=i.definition,
        )
        for i in found
    )


# --- areas -----------------------------------------------------------------------------------

# What growth rests on is counted over the parks of each area: how many are known in both years, how
# many of these have no same-scope figure of last year, how many stocks are of an earlier month.
_AREAS = f"""
WITH {PARKS},

in_area AS (
    SELECT park_id, $scope AS area_code FROM park
    UNION ALL
    SELECT park_id, CASE $below WHEN 'city' THEN city_code ELSE county_code END FROM park
    WHERE $below <> ''
),

basis AS (
    SELECT
        in_area.area_code,
        figure.indicator_id,
        count(*) FILTER (WHERE month.value_prior IS NOT NULL) AS n_growth,
        count(*) FILTER (
            WHERE month.value_prior IS NOT NULL AND month.yoy_basis = 'levels'
        ) AS n_levels,
        count(*) FILTER (
            WHERE indicator.over_time = 'last' AND figure.n_months < right($period, 2)::INTEGER
        ) AS n_carried
    FROM in_area
    JOIN indicators.park_year AS figure
        ON figure.park_id = in_area.park_id AND figure.asof_period = $period
        AND figure.value IS NOT NULL
    JOIN dims.indicator AS indicator
        ON indicator.indicator_id = figure.indicator_id AND indicator.aggregation = 'sum'
    LEFT JOIN indicators.park_month AS month
        ON month.park_id = figure.park_id AND month.indicator_id = figure.indicator_id
        AND month.period = figure.asof_period
    GROUP BY ALL
)

SELECT
    now.area_code AS scope_code,
    now.indicator_id,
    now.value,
    CASE WHEN coalesce(basis.n_growth, now.n_reported) = now.n_reported
        THEN now.value_prior END AS value_prior,
    now.yoy_pct,
    basis.n_growth,
    coalesce(basis.n_levels, 0) AS n_levels,
    coalesce(basis.n_carried, 0) AS n_carried,
    former.yoy_pct AS previous_yoy_pct,
    former.n_reported AS previous_n_reported,
    now.n_parks,
    now.n_reported
FROM indicators.area_year AS now
LEFT JOIN basis USING (area_code, indicator_id)
LEFT JOIN indicators.area_year AS former
    ON former.area_code = now.area_code AND former.scope = now.scope
    AND former.indicator_id = now.indicator_id AND former.asof_period = $previous
WHERE now.asof_period = $period AND now.scope = 'all' AND list_contains($wanted, now.indicator_id)
    AND now.area_code IN (SELECT area_code FROM in_area)
ORDER BY now.area_code, now.indicator_id
"""


def areas(
    connection: duckdb.DuckDBPyConnection,
    wanted: Sequence[data.Indicator],
    months: Months,
    scope: Scope,
) -> tuple[data.AreaRow, ...]:
    """The scope's totals and those of the areas below it."""
    period, previous = months
    values = values_of(scope, period) | {
        "previous": previous,
        "below": scope.below,
        "wanted": [indicator.indicator_id for indicator in wanted],
    }
    rows = store.fetch(connection, _AREAS, values)
    for row in rows:
        row["scope_name"] = scope.name(row["scope_code"])
    return data.rows_of(data.AreaRow, rows, "indicators.area_year")


# --- parks -----------------------------------------------------------------------------------

_PARKS = f"""
WITH {PARKS}

SELECT
    park.park_id,
    park.name AS park_name,
    park.city_code,
    wanted.indicator_id,
    figure.value,
    month.value_prior,
    figure.yoy_pct
FROM park
CROSS JOIN (SELECT unnest($wanted::VARCHAR[]) AS indicator_id) AS wanted
LEFT JOIN indicators.park_year AS figure
    ON figure.park_id = park.park_id AND figure.indicator_id = wanted.indicator_id
    AND figure.asof_period = $period
LEFT JOIN indicators.park_month AS month
    ON month.park_id = park.park_id AND month.indicator_id = wanted.indicator_id
    AND month.period = $period
ORDER BY park.park_id, wanted.indicator_id
"""


def parks(
    connection: duckdb.DuckDBPyConnection,
    wanted: Sequence[data.Indicator],
    period: str,
    scope: Scope,
) -> tuple[data.ParkRow, ...]:
    """Figures of every park of the scope; a park without a figure has a row without a value."""
    values = values_of(scope, period) | {"wanted": [indicator.indicator_id for indicator in wanted]}
    rows = store.fetch(connection, _PARKS, values)
    for row in rows:
        row["city_name"] = scope.names.get(row["city_code"] or "", "")
    return data.rows_of(data.ParkRow, rows, "indicators.park_year")


def unreported(connection: duckdb.DuckDBPyConnection, period: str, scope: Scope) -> tuple[str, ...]:
    """Names of the parks of the scope without any figure of the period."""
    query = f"""
        WITH {PARKS}
        SELECT name FROM park
        WHERE park_id NOT IN (SELECT park_id FROM observations.observation WHERE period = $period)
        ORDER BY park_id
    """
    return tuple(row["name"] for row in store.fetch(connection, query, values_of(scope, period)))


# --- where the year may end ----------------------------------------------------------------------


def year_end(
    connection: duckdb.DuckDBPyConnection, lead: str, period: str, scope: Scope
) -> tuple[data.YearEndRow, ...]:
    """Forecast of the scope's total of the lead indicator, with the months it starts from."""
    rows = store.fetch(
        connection,
        "SELECT * FROM indicators.area_nowcast "
        "WHERE area_code = ? AND indicator_id = ? AND asof_period = ?",
        [scope.code, lead, period],
    )
    months = store.fetch(
        connection,
        "SELECT asof_period, value FROM indicators.area_year "
        "WHERE area_code = $1 AND indicator_id = $2 AND scope = 'all' AND value IS NOT NULL "
        "AND left(asof_period, 4) = left($3, 4) AND asof_period <= $3 ORDER BY asof_period",
        [scope.code, lead, period],
    )
    known = tuple((row["asof_period"], row["value"]) for row in months)
    return data.rows_of(
        data.YearEndRow, [row | {"months": known} for row in rows], "indicators.area_nowcast"
    )


# --- gaps and revisions ----------------------------------------------------------------------

_GAPS = f"""
WITH {PARKS}

SELECT gap.*, park.name AS park_name, coalesce(reporter.name, gap.reporter, '') AS reporter_name,
       coalesce(indicator.name_zh, '') AS indicator_name
FROM quality.gap AS gap
JOIN park USING (park_id)
LEFT JOIN dims.reporter AS reporter
    ON reporter.reporter = gap.reporter AND reporter.valid_from <= $day
    AND coalesce(reporter.valid_to, DATE '9999-12-31') > $day
LEFT JOIN dims.indicator AS indicator ON indicator.indicator_id = gap.indicator_id
WHERE gap.period = $period
ORDER BY gap.park_id
"""


def gaps(
    connection: duckdb.DuckDBPyConnection, period: str, scope: Scope
) -> tuple[data.GapRow, ...]:
    """Parks of the scope without figures of the period, with their share of the scope's total."""
    rows = store.fetch(connection, _GAPS, values_of(scope, period))
    column = f"{scope.level}_share_pct"
    for row in rows:
        row["share_pct"], row["share_column"] = row.get(column), column
        row["reporter"] = row["reporter"] or ""
    return data.rows_of(data.GapRow, rows, "quality.gap")


# What a delivery of this period changed in earlier ones, and what was changed in this one since.
_REVISED = f"""
WITH {PARKS}

SELECT revision.period, count(*) AS n_figures, count(DISTINCT revision.park_id) AS n_parks
FROM observations.revision AS revision
JOIN park USING (park_id)
JOIN submissions.submission AS file ON file.submission_id = revision.submission_id
WHERE revision.kind IN ('revised', 'correction', 'withdrawn', 'restored')
    AND revision.period <= $period AND revision.known_from <= $asof::TIMESTAMP
    AND (revision.period = $period OR file.period = $period)
GROUP BY revision.period
ORDER BY revision.period
"""


def revised(
    connection: duckdb.DuckDBPyConnection, build: Build, period: str, scope: Scope
) -> tuple[data.RevisedRow, ...]:
    """Figures of this and of earlier periods that became others with this period's deliveries."""
    values = values_of(scope, period) | {"asof": build.asof}
    rows = store.fetch(connection, _REVISED, values)
    return data.rows_of(data.RevisedRow, rows, "observations.revision")


# --- filing ----------------------------------------------------------------------------------

# A file belongs to the period it reports or has figures of; one that cannot be read, to the month
# before it came.
_REPORTERS = f"""
WITH {PARKS},

file AS (
    SELECT * FROM submissions.submission
    WHERE coalesce(period, strftime(received_at - INTERVAL 1 MONTH, '%Y-%m')) = $period
        OR submission_id IN (
            SELECT submission_id FROM observations.observation WHERE period = $period)
),

newest AS (
    SELECT reporter, min(received_at) AS first_received_at, count(*) AS files,
           count(*) FILTER (WHERE status IN ('returned', 'rejected')) AS files_returned
    FROM file
    GROUP BY reporter
),

problem AS (
    SELECT reporter,
           count(*) FILTER (WHERE severity = 'error') AS n_error,
           count(*) FILTER (WHERE severity = 'verify') AS n_verify,
           count(*) FILTER (WHERE severity = 'hint') AS n_hint
    FROM quality.finding
    WHERE period = $period AND outcome = 'fail' AND lifecycle <> 'resolved'
    GROUP BY reporter
),

seen AS (
    SELECT region_code, count(*) AS parks_expected,
           count(*) FILTER (WHERE park_id IN (
               SELECT park_id FROM observations.observation WHERE period = $period
           )) AS parks_reported
    FROM (
        SELECT park_id, unnest([county_code, city_code, province_code]) AS region_code FROM park
    )
    GROUP BY region_code
)

SELECT reporter.reporter AS reporter_id, reporter.name, reporter.region_code,
       newest.first_received_at,
       coalesce(newest.files, 0) AS files, coalesce(newest.files_returned, 0) AS files_returned,
       coalesce(problem.n_error, 0) AS n_error, coalesce(problem.n_verify, 0) AS n_verify,
       coalesce(problem.n_hint, 0) AS n_hint,
       coalesce(seen.parks_expected, 0) AS parks_expected,
       coalesce(seen.parks_reported, 0) AS parks_reported
FROM dims.reporter AS reporter
LEFT JOIN newest ON newest.reporter = reporter.reporter
LEFT JOIN problem ON problem.reporter = reporter.reporter
LEFT JOIN seen ON seen.region_code = reporter.region_code
WHERE reporter.valid_from <= $day AND coalesce(reporter.valid_to, DATE '9999-12-31') > $day
ORDER BY reporter.reporter
"""


def reporters(
    connection: duckdb.DuckDBPyConnection, build: Build, period: str, scope: Scope
) -> tuple[data.ReporterRow, ...]:
    """Filing record of every reporter due, late by the day after the deadline in local time."""
    first_month = build.workspace.first_month
    due = {r: deadline for r, _, deadline in expected_reporters(build.catalog, period, first_month)}
    rows = store.fetch(connection, _REPORTERS, values_of(scope, period))
    kept = [r for r in rows if r["reporter_id"] in due and scope.holds(r["region_code"])]
    zone = ZoneInfo(build.workspace.timezone)
    for row in kept:
        row["status"] = _punctuality(row["first_received_at"], due[row["reporter_id"]], zone)
    return data.rows_of(data.ReporterRow, kept, "dims.reporter")


def _punctuality(received: datetime | None, deadline: str | None, zone: ZoneInfo) -> str:
    if received is None:
        return "missing"
    local = received.replace(tzinfo=UTC).astimezone(zone).date().isoformat()
    return "late" if deadline and local > deadline else "on_time"
