"""One edition's documents: rendered in the formats asked for, written whole, recorded.

Belongs here: the files of an edition with their manifest and rows. Does not belong here: which
editions there are (``editions``), what the text says (``compose``), or formats (``typeset``,
``webpage``, ``worddoc``, ``spreadsheet``).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.bulletins.model import Bulletin
from warehouse import store
from warehouse.faults import reach
from warehouse.releases import Key

if TYPE_CHECKING:
    import duckdb

    from assets.build import Build

DRAFT = "draft"
MANIFEST = "manifest.json"
FORMATS = ("html", "pdf", "docx", "xlsx")
"""Formats with a file of their own; ``eml`` is made of them by the deliveries stage."""


@dataclass(frozen=True, slots=True)
class Written:
    """An edition whose documents lie in ``folder`` (relative to the workspace) once published."""

    key: Key
    folder: str
    digests: Mapping[str, str]


def render(bulletin: Bulletin, formats: tuple[str, ...]) -> dict[str, bytes]:
    """The files of ``bulletin`` by name, in the formats wanted."""
    from assets.bulletins.spreadsheet import to_xlsx
    from assets.bulletins.typeset import to_pdf
    from assets.bulletins.webpage import to_html
    from assets.bulletins.worddoc import to_docx

    def html(document: Bulletin) -> bytes:
        return to_html(document).encode()

    writers: dict[str, Callable[[Bulletin], bytes]] = {
        "html": html,
        "pdf": to_pdf,
        "docx": to_docx,
        "xlsx": to_xlsx,
    }
    wanted = [name for name in FORMATS if name in formats]
    return {f"{bulletin.file_stem}.{name}": writers[name](bulletin) for name in wanted}


def write(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    key: Key,
    bulletin: Bulletin,
    documents: Mapping[str, bytes],
) -> Written:
    """Write the edition's folder with its manifest and record its rows."""
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in documents.items()}
    folder = build.workspace.edition_folder(key.period, key.audience_id, key.edition)
    relative = str(folder.relative_to(build.workspace.home))
    row = {
        "period": key.period,
        "audience_id": key.audience_id,
        "edition": key.edition,
        "status": DRAFT,
        "data_digest": bulletin.meta.data_digest,
        "rules_digest": bulletin.meta.rules_digest,
        "documents": json.dumps(digests, ensure_ascii=False, sort_keys=True),
        "folder": relative,
    }
    manifest = json.dumps(_manifest(build, row), ensure_ascii=False, indent=1, sort_keys=True)
    write_folder(build.making(folder), {**documents, MANIFEST: manifest.encode()})
    reach("documents.staged")
    _record(connection, bulletin, row)
    return Written(key, relative, digests)


def _manifest(build: Build, row: Mapping[str, Any]) -> dict[str, Any]:
    """What the edition is made of: its row, the fonts, and where the audit log stood."""
    from assets.bulletins import fonts
    from warehouse.releases import Releases

    log = Releases(build.workspace.state_file).audit_log()
    return {
        **row,
        "fonts": dict(fonts.choose().manifest()),
        "audit_head": log[-1].hash if log else "",
    }


def write_folder(folder: Path, documents: Mapping[str, bytes]) -> None:
    """Replace ``folder`` of a build under way by one holding exactly ``documents``: whole or not there."""
    making = folder.with_name(f".{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for name, content in sorted(documents.items()):
        with (making / name).open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        reach("documents.written")
    shutil.rmtree(folder, ignore_errors=True)
    making.rename(folder)


def _record(
    connection: duckdb.DuckDBPyConnection, bulletin: Bulletin, edition: Mapping[str, Any]
) -> None:
    key = {name: edition[name] for name in ("period", "audience_id", "edition")}
    where, values = "period = ? AND audience_id = ? AND edition = ?", list(key.values())
    store.replace_rows(connection, "bulletins.edition", [dict(edition)], where=where, values=values)
    rows = []
    for figure in bulletin.figures:
        row = figure.to_row()
        row["figure_period"] = row.pop("period")
        rows.append(row | key)
    store.replace_rows(connection, "bulletins.figure", rows, where=where, values=values)
