"""Editions (版次): one for every audience of a period, each with the documents it asks for.

Belongs here: whom a run writes for, which number an edition gets, doing equal work once. Does not
belong here: what an audience may see (``select``), text (``compose``), or files (``documents``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assets.bulletins import checking, documents, reuse
from assets.bulletins.checking import Checked
from assets.bulletins.compose import compose
from assets.bulletins.model import Bulletin
from assets.bulletins.select import PUBLIC, Common, bulletin_data, common
from warehouse import store
from warehouse.catalog.models import Audience
from warehouse.releases import Key, Release, Releases

if TYPE_CHECKING:
    import duckdb

    from assets.build import Build

WRITERS = 2
"""Editions rendered at a time: typst works outside the interpreter's lock."""
ALL, WIDE, MAIN = "all", "wide", "main"
_WIDTH = {"province": 0, "city": 1, "county": 2, "park": 3}


class NoAudienceError(ValueError):
    """The catalogue names nobody, or not the one asked for."""


# --- for whom --------------------------------------------------------------------------------


def main_audience(build: Build) -> Audience:
    """The audience of the bureau's own bulletin: the widest scope with all rights.

    Raises NoAudienceError when the catalogue has no audience at all.
    """
    audiences = sorted(
        build.catalog.audiences,
        key=lambda a: (_WIDTH[a.scope_level], -len(a.rights), a.audience_id),
    )
    if not audiences:
        raise NoAudienceError(
            f"政策目录没有受众:请在 {build.workspace.catalog}/audiences.yaml 至少写一个受众(岗位)"
        )
    return audiences[0]


def chosen(build: Build, wanted: Sequence[str] = ()) -> tuple[Audience, ...]:
    """Audiences named by ``wanted`` (the workspace's setting when empty), widest scope first.

    Raises NoAudienceError for an id the catalogue lacks.
    """
    first = main_audience(build)
    names = tuple(wanted) or build.workspace.audiences
    known = {audience.audience_id: audience for audience in build.catalog.audiences}
    unknown = [name for name in names if name not in known and name not in (ALL, WIDE, MAIN)]
    if unknown:
        raise NoAudienceError(
            f"政策目录没有受众 {'、'.join(unknown)};parkwatch bulletin list 列出全部受众"
        )
    found = [
        audience
        for audience in known.values()
        if ALL in names
        or audience.audience_id in names
        or (WIDE in names and _WIDTH[audience.scope_level] <= _WIDTH["city"])
        or (MAIN in names and audience == first)
    ]
    return tuple(sorted(found, key=lambda a: (a != first, _WIDTH[a.scope_level], a.audience_id)))


# --- writing ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Draft:
    """An edition about to be rendered."""

    key: Key
    audience: Audience
    bulletin: Bulletin


def write_editions(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    period: str,
    wanted: Sequence[str] = (),
) -> list[documents.Written]:
    """Write the drafts of ``period``; an edition that is frozen only gets its standing refreshed."""
    releases = Releases(build.workspace.state_file)
    drafts = _drafts(connection, build, period, chosen(build, wanted), releases)
    rendered = _rendered(connection, build, drafts)
    written = []
    for draft in drafts:
        done = documents.write(connection, build, draft.key, draft.bulletin, rendered[draft.key])
        written.append(done)
    checking.check(
        connection, build, period, [Checked(d.key, d.audience, d.bulletin) for d in drafts]
    )
    refresh_status(connection, releases, period)
    return written


def refresh_status(connection: duckdb.DuckDBPyConnection, releases: Releases, period: str) -> None:
    """Bring the standing of the period's editions in line with the ledger of releases."""
    for release in releases.of_period(period):
        key = release.key
        connection.execute(
            "UPDATE bulletins.edition SET status = ? "
            "WHERE period = ? AND audience_id = ? AND edition = ? AND status <> ?",
            [release.status, key.period, key.audience_id, key.edition, release.status],
        )


def composed(
    connection: duckdb.DuckDBPyConnection, build: Build, key: Key, shared: Common | None = None
) -> Bulletin:
    """The document of one edition; the same data give the same document.

    Kept with the build, so that the stage of deliveries does not compose it again.
    """
    kept = build.kept.get(("bulletin", key))
    if isinstance(kept, Bulletin):
        return kept
    audience = next(a for a in build.catalog.audiences if a.audience_id == key.audience_id)
    release = Releases(build.workspace.state_file).find(key)
    bulletin = _composed(connection, build, key, audience, release, shared)
    build.kept["bulletin", key] = bulletin
    return bulletin


def _drafts(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    period: str,
    audiences: Sequence[Audience],
    releases: Releases,
) -> list[_Draft]:
    shared = common(connection, build, period)
    standing = {release.key: release for release in releases.of_period(period)}
    alike: dict[tuple[Any, ...], Bulletin] = {}
    drafts = []
    for number, audience in enumerate(audiences):
        build.progress("编写通报", number, len(audiences))
        edition = releases.open_edition(period, audience.audience_id)
        if edition is None:
            continue  # submitted, approved or sent: only 更正 opens a new one
        key = Key(period, audience.audience_id, edition)
        same = _sees(audience) if edition == 1 else (key,)
        bulletin = alike.get(same)
        if bulletin is None:
            bulletin = _composed(connection, build, key, audience, standing.get(key), shared)
            alike[same] = bulletin
        bulletin = replace(bulletin, meta=replace(bulletin.meta, audience=audience.name))
        build.kept["bulletin", key] = bulletin
        drafts.append(_Draft(key, audience, bulletin))
    return drafts


def _sees(audience: Audience) -> tuple[Any, ...]:
    """What decides the content: audiences alike in it get the same text."""
    public = audience.role == PUBLIC
    return (audience.scope_level, audience.scope_code, frozenset(audience.rights), public)


def _composed(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    key: Key,
    audience: Audience,
    release: Release | None,
    shared: Common | None,
) -> Bulletin:
    shared = shared or common(connection, build, key.period)
    data = bulletin_data(connection, build, key.period, audience, key.edition, shared)
    if key.edition > 1:
        data = replace(
            data,
            replaces=key.edition - 1,
            correction_reason=(release.correction or "") if release else "",
            former=_former(connection, key),
        )
    return compose(data)


def _former(connection: duckdb.DuckDBPyConnection, key: Key) -> Mapping[str, str]:
    """Figures of the edition this one replaces, as they were printed."""
    rows = store.fetch(
        connection,
        "SELECT figure_id, text FROM bulletins.figure "
        "WHERE period = ? AND audience_id = ? AND edition = ? ORDER BY figure_id",
        [key.period, key.audience_id, key.edition - 1],
    )
    return {row["figure_id"]: row["text"] for row in rows}


def _rendered(
    connection: duckdb.DuckDBPyConnection, build: Build, drafts: Sequence[_Draft]
) -> dict[Key, dict[str, bytes]]:
    """Documents of every draft: those that lie there made from the same, the others laid out, a few
    at a time, one progress step each."""
    made = {d.key: reuse.made_from(d.bulletin, d.audience.formats) for d in drafts}
    found = {}
    for key, wanted in made.items():
        files = reuse.lying(connection, build, key, wanted)
        if files is not None:
            found[key] = files
    changed = [draft for draft in drafts if draft.key not in found]
    found |= _laid_out(build, changed)
    reuse.record(connection, made.items())
    return found


def _laid_out(build: Build, drafts: Sequence[_Draft]) -> dict[Key, dict[str, bytes]]:
    from concurrent.futures import ThreadPoolExecutor

    def render(draft: _Draft) -> dict[str, bytes]:
        return documents.render(draft.bulletin, draft.audience.formats)

    found = {}
    with ThreadPoolExecutor(WRITERS) as pool:
        for number, (draft, files) in enumerate(zip(drafts, pool.map(render, drafts), strict=True)):
            build.progress("排版通报", number + 1, len(drafts))
            found[draft.key] = files
    return found
