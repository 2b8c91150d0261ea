"""Selection (选数): what one audience's bulletin may say, gathered before anything is rendered.

Belongs here: the audience's rights and scope, the document's own data (issuer, dates, digests) and
putting the parts together. Does not belong here: the queries of figures (``select_figures``) and of
judgements (``select_judgement``), composing, or figures that no table holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from assets.bulletins import data, disclose, select_figures, select_judgement
from assets.bulletins.scope import Scope
from warehouse import partitions
from warehouse.catalog.models import period_end
from warehouse.catalog.reporting import expected_reporters
from warehouse.catalog.workdays import Workdays

if TYPE_CHECKING:
    import duckdb

    from assets.build import Build
    from warehouse.catalog.models import Audience

P = ParamSpec("P")
R = TypeVar("R")

REPLY_WORKDAYS = 10
"""Workdays the units have for their answer (工作要求), counted from the date of issue."""
QUALITY: data.Topic = "quality"
INTERNAL = "内部资料，注意保管"
"""Handling mark of every edition but the public one."""
PUBLIC = "public"
"""Role of the audience that stands for everybody."""
ASSESSING = ("leader", "assessor")
"""Roles that read ways out of the last places."""
PARK_BASE = "china_parks"
"""Catalogue whose monitored units are parks; those of other catalogues are just units."""


@dataclass(frozen=True, slots=True)
class Common:
    """What the bulletins of a period share, whoever reads them: selected once for all of them."""

    as_of: datetime
    previous: str | None
    indicators: tuple[data.Indicator, ...]
    data_digest: str


def common(connection: duckdb.DuckDBPyConnection, build: Build, period: str) -> Common:
    """The shared part of every bulletin of ``period``."""
    previous = _previous(connection, period)
    return Common(
        as_of=_as_of(connection, build, period),
        previous=previous,
        indicators=select_figures.indicators(connection, build),
        data_digest=data_digest(connection, (period, previous)),
    )


def bulletin_data(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    period: str,
    audience: Audience,
    edition: int,
    shared: Common | None = None,
) -> data.BulletinData:
    """Everything the bulletin of ``period`` says to ``audience``."""
    shared = shared or common(connection, build, period)
    as_of, previous, indicators = shared.as_of, shared.previous, shared.indicators
    scope = Scope.of(build.catalog, audience.scope_code, period)
    public = audience.role == PUBLIC
    topics = () if public else _topics(build, scope)
    seen = _seen(audience)
    judged = seen["targets"] or seen["ranks"]
    lead, months = _lead(build, indicators), (period, previous)
    found = data.BulletinData(
        period=period,
        scope_code=scope.code,
        issuer=_issuer(build, scope, public=public),
        as_of=as_of,
        issue_date=as_of.date(),
        simulated=build.workspace.simulated,
        lead_indicator_id=lead,
        indicators=indicators,
        areas=select_figures.areas(connection, indicators, months, scope),
        parks=select_figures.parks(connection, indicators, period, scope),
        verdicts=_if(seen["targets"], select_judgement.verdicts, connection, build, period, scope),
        schemes=_if(seen["ranks"], select_judgement.schemes, build),
        scores=_if(seen["ranks"], select_judgement.scores, connection, build, months, scope),
        triggers=_if(seen["ranks"], select_judgement.triggers, connection, build, period, scope),
        reporters=_if(seen["quality"], select_figures.reporters, connection, build, period, scope),
        overall=_if(seen["targets"], select_judgement.overall, connection, period, scope),
        records=_if(judged, select_judgement.records, connection, indicators, period),
        year_end=_if(judged, select_figures.year_end, connection, lead, period, scope),
        ways=_if(_may_see_ways(audience), select_judgement.ways, connection, period, scope),
        gaps=_if(seen["quality"], select_figures.gaps, connection, period, scope),
        revised=_if(seen["quality"], select_figures.revised, connection, build, period, scope),
        unreported=_if(seen["quality"], select_figures.unreported, connection, period, scope),
        topics=topics,
        previous_period=previous,
        filing_deadline=deadline(build, period),
        reply_by=reply_by(build, as_of.date()),
        withheld=tuple(topic for topic in (*topics, QUALITY) if not seen[topic]),
        edition=edition,
        audience=audience.name,
        status_mark="送审稿",
        public=public,
        data_digest=shared.data_digest,
        rules_digest=build.catalog.digest,
    )
    if audience.protection is not None:
        return disclose.protected(connection, build, found, scope, audience.protection)
    return found


def data_digest(connection: duckdb.DuckDBPyConnection, months: tuple[str | None, ...]) -> str:
    """One digest over the rows of these periods a bulletin rests on, whatever else is stored."""
    tables = ("indicators.park_year", "indicators.area_year", "targets.verdict", "targets.overall",
              "assessment.score", "assessment.watch", "assessment.risk", "assessment.way_out",
              "quality.finding", "quality.gap", "indicators.area_nowcast")  # fmt: skip
    parts = [month for month in months if month]
    lines = [f"{name} {partitions.of_parts(connection, name, parts)}" for name in tables]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


# --- rights ----------------------------------------------------------------------------------


def _seen(audience: Audience) -> dict[data.Topic, bool]:
    """Which topics the audience may see.

    Ranks and risk go together: the watch list is the lower end of the ranking.
    """
    rights = set(audience.rights)
    return {
        "quality": "quality" in rights,
        "targets": "targets" in rights,
        "ranks": {"scores", "watch"} <= rights,
    }


def _may_see_ways(audience: Audience) -> bool:
    """Whether the audience may read what would leave the last places: posts that assess, with the
    rights to ranks and risk. A reporter must never learn what value would be enough."""
    return audience.role in ASSESSING and {"scores", "watch"} <= set(audience.rights)


def _if(
    allowed: bool, choose: Callable[P, tuple[R, ...]], *args: P.args, **more: P.kwargs
) -> tuple[R, ...]:
    """The rows ``choose`` finds, or none where the audience has no right to them."""
    return choose(*args, **more) if allowed else ()


def _topics(build: Build, scope: Scope) -> tuple[data.Topic, ...]:
    """What there is for this region at all: without targets or schemes there is no such section."""
    catalog = build.catalog
    kept: list[data.Topic] = []
    if any(scope.concerns(target.scope_code) for target in catalog.targets):
        kept.append("targets")
    if any(scope.concerns(scheme.who.region_code or scope.code) for scheme in catalog.schemes):
        kept.append("ranks")
    return tuple(kept)


# --- the document's own data -----------------------------------------------------------------


def _issuer(build: Build, scope: Scope, *, public: bool = False) -> data.Issuer:
    """The bureau as issuer. What is not about the bureau's whole region is called by its own name:
    a city's figures are never those of 全省."""
    bureau = build.workspace.bureau
    whole = scope.code == bureau.region_code or scope.code not in scope.names
    return data.Issuer(
        bureau=bureau.name,
        letterhead=bureau.letterhead or f"{bureau.name}文件",
        recipients=bureau.recipients or ("各有关单位",),
        copies=bureau.copies,
        printer=bureau.printer or bureau.name,
        contact=bureau.contact,
        region_word=bureau.region_word if whole else scope.name(scope.code),
        park_word=bureau.park_word,
        handling="" if public else INTERNAL,
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


def deadline(build: Build, period: str) -> date | None:
    """Last day on which a return of the period was in time for any reporter."""
    due = expected_reporters(build.catalog, period, build.workspace.first_month)
    days = [day for _, _, day in due if day]
    return date.fromisoformat(max(days)) if days else None


def reply_by(build: Build, issued: date) -> date:
    """Day by which the units answer a bulletin issued on ``issued``."""
    return Workdays(build.catalog.calendar).later(issued, REPLY_WORKDAYS)


def _previous(connection: duckdb.DuckDBPyConnection, period: str) -> str | None:
    """The period before, in the same year: ranks and growth of different years do not compare."""
    found = connection.execute(
        "SELECT max(asof_period) FROM indicators.area_year "
        "WHERE asof_period < $1 AND left(asof_period, 4) = left($1, 4)",
        [period],
    ).fetchone()
    return found[0] if found else None
