"""Rows of one audience's bulletin, selected from the warehouse before anything is rendered.

Belongs here: the queries and the catalogue's part of a bulletin's input. Does not belong here:
composing (``compose``), rendering, or figures that no table holds.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from assets.assessment.elimination import place_count
from assets.build import Build
from assets.bulletins import data
from warehouse import store
from warehouse.catalog.models import Audience, period_end
from warehouse.catalog.reporting import expected_reporters, is_workday

if TYPE_CHECKING:
    import duckdb

REPLY_WORKDAYS = 10
"""Workdays the units have for their answer (工作要求), counted from the date of issue."""


def bulletin_data(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    period: str,
    audience: Audience,
    edition: int,
) -> data.BulletinData:
    """Everything the bulletin of ``period`` says to ``audience``."""
    as_of = _as_of(connection, build, period)
    issued = as_of.date()
    rights, scope = set(audience.rights), audience.scope_code
    sees_scores = "scores" in rights or "watch" in rights
    indicators = _indicators(connection, build)
    previous = _previous(connection, period)
    deadlines = [d for _, _, d in expected_reporters(build.catalog, period,
                                                     build.workspace.first_month) if d]  # fmt: skip
    return data.BulletinData(
        period=period,
        scope_code=scope,
        issuer=_issuer(build),
        as_of=as_of,
        issue_date=issued,
        simulated=build.workspace.simulated,
        lead_indicator_id=build.workspace.bureau.lead_indicator or indicators[0].indicator_id,
        indicators=indicators,
        areas=_areas(connection, build, period, previous, scope),
        verdicts=_verdicts(connection, period, scope) if "targets" in rights else (),
        schemes=_schemes(build) if sees_scores else (),
        scores=_scores(connection, build, period, previous, scope) if sees_scores else (),
        triggers=_triggers(connection, period, scope) if "watch" in rights else (),
        reporters=_reporters(connection, build, period, scope),
        previous_period=previous,
        filing_deadline=date.fromisoformat(max(deadlines)) if deadlines else None,
        reply_by=_workdays_later(issued, REPLY_WORKDAYS),
        edition=edition,
        audience=audience.name,
        status_mark="送审稿",
        data_digest=data_digest(connection),
        rules_digest=build.catalog.digest,
    )


def data_digest(connection: duckdb.DuckDBPyConnection) -> str:
    """One digest over the tables a bulletin rests on."""
    import hashlib

    tables = ("indicators.park_year", "indicators.area_year", "targets.verdict",
              "assessment.score", "assessment.watch", "quality.finding")  # fmt: skip
    lines = [f"{name} {store.table_digest(connection, name)}" for name in tables]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _issuer(build: Build) -> data.Issuer:
    bureau = build.workspace.bureau
    return data.Issuer(
        bureau=bureau.name,
        letterhead=bureau.letterhead or f"{bureau.name}文件",
        recipients=bureau.recipients or ("各有关单位",),
        copies=bureau.copies,
        printer=bureau.printer or bureau.name,
        contact=bureau.contact,
        region_word=bureau.region_word,
        park_word=bureau.park_word,
    )


def _as_of(connection: duckdb.DuckDBPyConnection, build: Build, period: str) -> datetime:
    """Newest knowledge of the period's figures, in the bureau's time zone: the clock of the data,
    so that the same data give the same document on any day."""
    found = connection.execute(
        "SELECT max(known_from) FROM observations.observation WHERE period = ? AND known_from <= ?::TIMESTAMP",
        [period, build.asof],
    ).fetchone()
    moment = (found[0] if found else None) or datetime.combine(period_end(period), datetime.min.time())
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(build.workspace.timezone))


def _workdays_later(day: date, n: int) -> date:
    while n:
        day += timedelta(days=1)
        n -= is_workday(day)
    return day


def _previous(connection: duckdb.DuckDBPyConnection, period: str) -> str | None:
    """The period before, in the same year: ranks and growth of different years do not compare."""
    found = connection.execute(
        "SELECT max(asof_period) FROM indicators.area_year "
        "WHERE asof_period < $1 AND left(asof_period, 4) = left($1, 4)",
        [period],
    ).fetchone()
    return found[0] if found else None


def _indicators(
    connection: duckdb.DuckDBPyConnection, build: Build
) -> tuple[data.Indicator, ...]:
    """The bureau's list, else the catalogue's core indicators, as far as there are figures."""
    wanted = build.workspace.bureau.indicators or tuple(
        i.indicator_id for i in build.catalog.indicators if i.core
    )
    known = {row[0] for row in connection.execute(
        "SELECT DISTINCT indicator_id FROM indicators.area_year").fetchall()}  # fmt: skip
    chosen = [i for i in wanted if i in known] or sorted(known)[:8]
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


_AREAS = """
SELECT
    now.area_code AS scope_code,
    coalesce(region.name, now.area_code) AS scope_name,
    now.indicator_id,
    now.value,
    now.value_prior,
    now.yoy_pct,
    CASE WHEN now.yoy_pct IS NOT NULL THEN 'comparable' END AS yoy_basis,
    former.yoy_pct AS previous_yoy_pct,
    now.n_parks,
    now.n_reported
FROM indicators.area_year AS now
LEFT JOIN indicators.area_year AS former
    ON former.area_code = now.area_code AND former.scope = now.scope
    AND former.indicator_id = now.indicator_id AND former.asof_period = $previous
LEFT JOIN dims.region AS region
    ON region.code = now.area_code
    AND coalesce(region.valid_from, DATE '0001-01-01') <= $day
    AND coalesce(region.valid_to, DATE '9999-12-31') > $day
WHERE now.asof_period = $period AND now.scope = 'all'
    AND (now.area_code = $scope OR now.area_level = $below)
ORDER BY now.area_code, now.indicator_id
"""


def _areas(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    period: str,
    previous: str | None,
    scope: str,
) -> tuple[data.AreaRow, ...]:
    below = {"province": "city", "city": "county"}.get(_level(build, scope), "none")
    values = {"period": period, "previous": previous, "scope": scope, "below": below,
              "day": period_end(period)}  # fmt: skip
    rows = store.fetch(connection, _AREAS, values)
    return data.rows_of(data.AreaRow, rows, "indicators.area_year")


def _level(build: Build, scope: str) -> str:
    return next((r.level for r in build.catalog.regions if r.code == scope), "province")


_VERDICTS = """
SELECT
    verdict.*,
    verdict.required AS target_value,
    target.doc_no,
    target.clause,
    target.comparator,
    target.quote AS title,
    coalesce(region.name, verdict.scope_code) AS scope_name,
    coalesce(indicator.name_zh, verdict.indicator_used, '') AS indicator_name
FROM targets.verdict AS verdict
JOIN dims.target AS target USING (target_id)
LEFT JOIN dims.region AS region
    ON region.code = verdict.scope_code
    AND coalesce(region.valid_from, DATE '0001-01-01') <= $day
    AND coalesce(region.valid_to, DATE '9999-12-31') > $day
LEFT JOIN dims.indicator AS indicator ON indicator.indicator_id = verdict.indicator_used
WHERE verdict.asof_period = $period
ORDER BY verdict.target_id, verdict.scope_code, verdict.park_id
"""


def _verdicts(
    connection: duckdb.DuckDBPyConnection, period: str, scope: str
) -> tuple[data.VerdictRow, ...]:
    rows = store.fetch(connection, _VERDICTS, {"period": period, "day": period_end(period)})
    for row in rows:
        row["park_id"] = row["park_id"] or None
        row["unit"] = row["unit"] or ""
    inside = [row for row in rows if row["scope_code"][:2] == scope[:2]]
    return data.rows_of(data.VerdictRow, inside, "targets.verdict")


def _schemes(build: Build) -> tuple[data.Scheme, ...]:
    return tuple(
        data.Scheme(scheme_id=s.scheme_id, name=s.title, note=s.label)
        for s in build.catalog.schemes
    )


_SCORES = """
SELECT
    score.*,
    coalesce(nullif(park.short_name, ''), park.name) AS park_name,
    coalesce(county.name, '') AS county_name,
    coalesce(city.name, '') AS city_name,
    former.rank AS previous_rank,
    watch.streak,
    coalesce(watch.light, 'grey') AS light
FROM assessment.score AS score
JOIN dims.park AS park
    ON park.park_id = score.park_id AND park.valid_from <= $day
    AND coalesce(park.valid_to, DATE '9999-12-31') > $day
LEFT JOIN dims.region AS county
    ON county.code = coalesce(park.home_county_code, park.county_code)
    AND coalesce(county.valid_from, DATE '0001-01-01') <= $day
    AND coalesce(county.valid_to, DATE '9999-12-31') > $day
LEFT JOIN dims.region AS city ON city.code = park.city_code
LEFT JOIN assessment.score AS former
    ON former.scheme_id = score.scheme_id AND former.class_id = score.class_id
    AND former.park_id = score.park_id AND former.asof_period = $previous
LEFT JOIN assessment.watch AS watch
    ON watch.scheme_id = score.scheme_id AND watch.class_id = score.class_id
    AND watch.park_id = score.park_id AND watch.asof_period = score.asof_period
WHERE score.asof_period = $period
    AND $scope IN (park.province_code, park.city_code, coalesce(park.home_county_code, park.county_code))
ORDER BY score.scheme_id, score.class_id, score.rank, score.park_id
"""


def _scores(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    period: str,
    previous: str | None,
    scope: str,
) -> tuple[data.ScoreRow, ...]:
    values = {"period": period, "previous": previous, "scope": scope, "day": period_end(period)}
    rows = store.fetch(connection, _SCORES, values)
    schemes = {s.scheme_id: s for s in build.catalog.schemes}
    for row in rows:
        scheme = schemes[row["scheme_id"]]
        row["class_name"] = scheme.classes.title_of(row["class_id"])
        rule = scheme.elimination
        row["last_k"] = place_count(rule, row["n"]) if rule else None
    return data.rows_of(data.ScoreRow, rows, "assessment.score")


_TRIGGERS = """
SELECT watch.scheme_id, watch.park_id, unnest(watch.trigger_ids) AS trigger_id, watch.triggers
FROM assessment.watch AS watch
JOIN dims.park AS park
    ON park.park_id = watch.park_id AND park.valid_from <= $day
    AND coalesce(park.valid_to, DATE '9999-12-31') > $day
WHERE watch.asof_period = $period
    AND $scope IN (park.province_code, park.city_code, coalesce(park.home_county_code, park.county_code))
"""


def _triggers(
    connection: duckdb.DuckDBPyConnection, period: str, scope: str
) -> tuple[data.TriggerRow, ...]:
    values = {"period": period, "scope": scope, "day": period_end(period)}
    rows = store.fetch(connection, _TRIGGERS, values)
    return data.rows_of(data.TriggerRow, [_trigger(row) for row in rows], "assessment.watch")


def _trigger(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"label": row["triggers"], "value": None, "unit": ""}


_REPORTERS = """
WITH newest AS (
    SELECT reporter, max(received_at) AS received_at, min(received_at) AS first_received_at,
           count(*) AS files, count(*) FILTER (WHERE status IN ('returned', 'rejected')) AS files_returned
    FROM submissions.submission
    WHERE period = $period
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
    SELECT coalesce(nullif(park.home_county_code, ''), park.county_code) AS region_code,
           count(*) AS parks_expected,
           count(*) FILTER (WHERE park.park_id IN (
               SELECT park_id FROM observations.observation WHERE period = $period
           )) AS parks_reported
    FROM dims.park AS park
    WHERE park.valid_from <= $day AND coalesce(park.valid_to, DATE '9999-12-31') > $day
        AND park.status = 'active'
    GROUP BY ALL
)

SELECT reporter.reporter AS reporter_id, reporter.name, newest.first_received_at,
       coalesce(newest.files, 0) AS files, coalesce(newest.files_returned, 0) AS files_returned,
       coalesce(problem.n_error, 0) AS n_error, coalesce(problem.n_verify, 0) AS n_verify,
       coalesce(problem.n_hint, 0) AS n_hint,
       coalesce(seen.parks_expected, 0) AS parks_expected,
       coalesce(seen.parks_reported, 0) AS parks_reported
FROM dims.reporter AS reporter
LEFT JOIN newest ON newest.reporter = reporter.reporter
LEFT JOIN problem ON problem.reporter = reporter.reporter
LEFT JOIN seen ON seen.region_code = reporter.region_code
ORDER BY reporter.reporter
"""


def _reporters(
    connection: duckdb.DuckDBPyConnection, build: Build, period: str, scope: str
) -> tuple[data.ReporterRow, ...]:
    """Filing record of every reporter due, late by the day after the deadline in local time."""
    first_month = build.workspace.first_month
    due = {r: deadline for r, _, deadline in expected_reporters(build.catalog, period, first_month)}
    rows = store.fetch(connection, _REPORTERS, {"period": period, "day": period_end(period)})
    kept = [row for row in rows if row["reporter_id"] in due and _within(build, row, scope)]
    zone = ZoneInfo(build.workspace.timezone)
    for row in kept:
        row["status"] = _punctuality(row["first_received_at"], due[row["reporter_id"]], zone)
    return data.rows_of(data.ReporterRow, kept, "dims.reporter")


def _within(build: Build, row: dict[str, Any], scope: str) -> bool:
    """Whether the reporter answers for a region inside ``scope``."""
    parents = {region.code: region.parent for region in build.catalog.regions}
    reporter = next(r for r in build.catalog.reporters if r.reporter_id == row["reporter_id"])
    code: str | None = reporter.region_code
    while code and code != scope:
        code = parents.get(code)
    return code == scope


def _punctuality(received: datetime | None, deadline: str | None, zone: ZoneInfo) -> str:
    if received is None:
        return "missing"
    local = received.replace(tzinfo=UTC).astimezone(zone).date().isoformat()
    return "late" if deadline and local > deadline else "on_time"
