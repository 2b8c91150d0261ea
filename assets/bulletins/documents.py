"""One edition's documents: composed, rendered, written whole, recorded.

Belongs here: the files of an edition with their manifest and rows. Does not belong here: what the
text says (``compose``), formats (``typeset``, ``webpage``) or Dagster (``assets.py``).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.build import Build
from assets.bulletins.compose import compose
from assets.bulletins.model import Bulletin
from assets.bulletins.select import bulletin_data
from warehouse import store
from warehouse.catalog.models import Audience
from warehouse.faults import reach

if TYPE_CHECKING:
    import duckdb

DRAFT = "draft"
FIRST_EDITION = 1


class NoAudienceError(ValueError):
    """The catalogue names nobody a bulletin could be made for."""


def main_audience(build: Build) -> Audience:
    """The audience of the bureau's own bulletin: the widest scope with all rights.

    Raises NoAudienceError when the catalogue has no audience at all.
    """
    width = {"province": 0, "city": 1, "county": 2, "park": 3}
    audiences = sorted(
        build.catalog.audiences,
        key=lambda a: (width[a.scope_level], -len(a.rights), a.audience_id),
    )
    if not audiences:
        raise NoAudienceError(
            f"政策目录没有受众:请在 {build.workspace.catalog}/audiences.yaml 至少写一个受众(岗位)"
        )
    return audiences[0]


def composed(
    connection: duckdb.DuckDBPyConnection, build: Build, period: str, audience: Audience
) -> Bulletin:
    """The document of ``period`` for ``audience``; the same data give the same document."""
    return compose(bulletin_data(connection, build, period, audience, FIRST_EDITION))


def write_edition(
    connection: duckdb.DuckDBPyConnection, build: Build, period: str
) -> tuple[Path, Mapping[str, str]]:
    """Render the edition into its folder and record it; returns folder and SHA-256 by file name."""
    from assets.bulletins.typeset import to_pdf
    from assets.bulletins.webpage import to_html

    audience = main_audience(build)
    bulletin = composed(connection, build, period, audience)
    build.progress("排版通报", 0, 0)
    documents = {
        f"{bulletin.file_stem}.html": to_html(bulletin).encode(),
        f"{bulletin.file_stem}.pdf": to_pdf(bulletin),
    }
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in documents.items()}
    edition = _edition_row(bulletin, build, period, audience, digests)
    manifest = json.dumps(edition, ensure_ascii=False, indent=1, sort_keys=True)
    documents["manifest.json"] = manifest.encode()
    folder = build.workspace.edition_folder(period, audience.audience_id, FIRST_EDITION)
    write_folder(build.making(folder), documents)
    reach("documents.staged")
    _record(connection, bulletin, edition)
    return folder, digests


def _edition_row(
    bulletin: Bulletin, build: Build, period: str, audience: Audience, digests: Mapping[str, str]
) -> dict[str, Any]:
    folder = build.workspace.edition_folder(period, audience.audience_id, FIRST_EDITION)
    return {
        "period": period,
        "audience_id": audience.audience_id,
        "edition": FIRST_EDITION,
        "status": DRAFT,
        "data_digest": bulletin.meta.data_digest,
        "rules_digest": bulletin.meta.rules_digest,
        "documents": json.dumps(digests, ensure_ascii=False, sort_keys=True),
        "folder": str(folder.relative_to(build.workspace.home)),
    }


def write_folder(folder: Path, documents: Mapping[str, bytes]) -> None:
    """Replace ``folder`` by one holding exactly ``documents``; never seen half-written."""
    making = folder.with_name(f".{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for name, content in sorted(documents.items()):
        with (making / name).open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        reach("documents.written")
    if folder.exists():
        retired = folder.with_name(f".{folder.name}.retired")
        shutil.rmtree(retired, ignore_errors=True)
        folder.rename(retired)
        making.rename(folder)
        shutil.rmtree(retired)
    else:
        making.rename(folder)


def _record(
    connection: duckdb.DuckDBPyConnection, bulletin: Bulletin, edition: Mapping[str, Any]
) -> None:
    key = {name: edition[name] for name in ("period", "audience_id", "edition")}
    where, values = "period = ? AND audience_id = ? AND edition = ?", list(key.values())
    store.replace_rows(connection, "bulletins.edition", [edition], where=where, values=values)
    rows = []
    for figure in bulletin.figures:
        row = figure.to_row()
        row["figure_period"] = row.pop("period")
        rows.append(row | key)
    store.replace_rows(connection, "bulletins.figure", rows, where=where, values=values)
