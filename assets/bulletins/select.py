"""Selection (选数): what one audience's bulletin may say, gathered before anything is rendered.

Belongs here: the audience's rights and scope, the document's own data (issuer, dates, digests) and
putting the parts together. Does not belong here: the queries of figures (``select_figures``) and of
judgements (``select_judgement``), composing, or figures that no table holds.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from assets.bulletins import data, select_figures, select_judgement
from assets.bulletins.scope import Scope
from warehouse import store
from warehouse.catalog.models import period_end
from warehouse.catalog.reporting import expected_reporters, is_workday

if TYPE_CHECKING:
    import duckdb

    from assets.build import Build
    from warehouse.catalog.models import Audience

REPLY_WORKDAYS = 10
"""Workdays the units have for their answer (工作要求), counted from the date of issue."""
PARK_BASE = "china_parks"
"""Catalogue whose monitored units are parks; those of other catalogues are just units."""


def bulletin_data(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    period: str,
    audience: Audience,
    edition: int,
) -> data.BulletinData:
    """Everything the bulletin of ``period`` says to ``audience``."""
    as_of = _as_of(connection, build, period)
    scope = Scope.of(build.catalog, audience.scope_code, period)
    previous = _previous(connection, period)
    indicators = select_figures.indicators(connection, build)
    sees_targets, sees_ranks = _rights(audience)
    months = (period, previous)
    return data.BulletinData(
        period=period,
        scope_code=scope.code,
        issuer=_issuer(build),
        as_of=as_of,
        issue_date=as_of.date(),
        simulated=build.workspace.simulated,
        lead_indicator_id=_lead(build, indicators),
        indicators=indicators,
        areas=select_figures.areas(connection, indicators, months, scope),
        parks=select_figures.parks(connection, indicators, period, scope),
        verdicts=select_judgement.verdicts(connection, build, period, scope)
        if sees_targets
        else (),
        schemes=select_judgement.schemes(build) if sees_ranks else (),
        scores=select_judgement.scores(connection, build, months, scope) if sees_ranks else (),
        triggers=select_judgement.triggers(connection, build, period, scope) if sees_ranks else (),
        reporters=select_figures.reporters(connection, build, period, scope),
        unreported=select_figures.unreported(connection, period, scope),
        topics=_topics(build),
        previous_period=previous,
        filing_deadline=_deadline(build, period),
        reply_by=_workdays_later(as_of.date(), REPLY_WORKDAYS),
        withheld=_withheld(build, sees_targets, sees_ranks),
        edition=edition,
        audience=audience.name,
        status_mark="送审稿",
        data_digest=data_digest(connection),
        rules_digest=build.catalog.digest,
    )


def data_digest(connection: duckdb.DuckDBPyConnection) -> str:
    """One digest over the tables a bulletin rests on."""
    tables = ("indicators.park_year", "indicators.area_year", "targets.verdict",
              "assessment.score", "assessment.watch", "quality.finding")  # fmt: skip
    lines = [f"{name} {store.table_digest(connection, name)}" for name in tables]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


# --- rights ----------------------------------------------------------------------------------


def _rights(audience: Audience) -> tuple[bool, bool]:
    """Whether the audience sees targets, and whether it sees ranks and the watch list.

    Ranks and risk go together: the watch list is the lower end of the ranking.
    """
    rights = set(audience.rights)
    return "targets" in rights, {"scores", "watch"} <= rights


def _topics(build: Build) -> tuple[Literal["targets", "ranks"], ...]:
    """What the bureau keeps at all: without targets or schemes there is no such section."""
    kept: list[Literal["targets", "ranks"]] = []
    if build.catalog.targets:
        kept.append("targets")
    if build.catalog.schemes:
        kept.append("ranks")
    return tuple(kept)


def _withheld(
    build: Build, sees_targets: bool, sees_ranks: bool
) -> tuple[Literal["targets", "ranks"], ...]:
    seen = {"targets": sees_targets, "ranks": sees_ranks}
    return tuple(topic for topic in _topics(build) if not seen[topic])


# --- the document's own data -----------------------------------------------------------------


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
        unit_word="园区" if build.workspace.catalog_base == PARK_BASE else "监测单位",
    )


def _lead(build: Build, indicators: tuple[data.Indicator, ...]) -> str:
    """The bureau's first indicator, as far as this workspace has figures of it."""
    wanted = build.workspace.bureau.lead_indicator
    known = [indicator.indicator_id for indicator in indicators]
    return wanted if wanted in known else known[0]


def _as_of(connection: duckdb.DuckDBPyConnection, build: Build, period: str) -> datetime:
    """Newest knowledge of the period's figures, in the bureau's time zone: the clock of the data,
    so that the same data give the same document on any day."""
    found = connection.execute(
        "SELECT max(known_from) FROM observations.observation "
        "WHERE period = ? AND known_from <= ?::TIMESTAMP",
        [period, build.asof],
    ).fetchone()
    end = datetime.combine(period_end(period), datetime.min.time())
    moment: datetime = (found[0] if found else None) or end
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(build.workspace.timezone))


def _deadline(build: Build, period: str) -> date | None:
    """Last day on which a return of the period was in time for any reporter."""
    due = expected_reporters(build.catalog, period, build.workspace.first_month)
    days = [day for _, _, day in due if day]
    return date.fromisoformat(max(days)) if days else None


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
