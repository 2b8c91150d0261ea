"""Reuse (沿用): documents of an edition that would come out as they lie there are not laid out again.

Belongs here: what decides the bytes of a document besides its text, and whether the files that lie there
were made from just that. Does not belong here: composing, checking and registering an edition, which
every run does anew (``editions``, ``checking``), or laying it out (``documents``).

An edition is composed from the data each time; only when the whole composed document, the formats asked
for, the program, its templates, libraries and fonts are those of the files in the published folder, and
these files are byte for byte what was recorded of them, are they taken over.
"""

from __future__ import annotations

import hashlib
import json
import platform
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from assets.bulletins import fonts
from assets.bulletins.model import Bulletin, to_json
from warehouse import words
from warehouse.releases import Key

if TYPE_CHECKING:
    import duckdb

    from assets.build import Build

CODE = Path(__file__).parent
TEMPLATES = CODE.parents[1] / "report_templates"
LIBRARIES = ("typst", "jinja2", "markupsafe", "python-docx", "lxml", "xlsxwriter")


def made_from(bulletin: Bulletin, formats: Sequence[str]) -> str:
    """SHA-256 of everything the bytes of the edition's documents hang on."""
    said = [to_json(bulletin), sorted(formats), program(), fonts.choose().manifest()]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def program() -> str:
    """SHA-256 of the code and templates that lay documents out, and the libraries' versions."""
    return _digest(_sources())


def _sources() -> tuple[tuple[str, int, int], ...]:
    """Name, time and size of every file: read again only when one of them has changed."""
    files = [
        *CODE.glob("*.py"),
        *(path for path in TEMPLATES.rglob("*") if path.is_file()),
        Path(words.__file__),
    ]
    stats = ((str(path), path.stat()) for path in sorted(files))
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


@cache
def _digest(sources: tuple[tuple[str, int, int], ...]) -> str:
    total = hashlib.sha256()
    for word in (platform.python_version(), zlib.ZLIB_RUNTIME_VERSION, *map(version, LIBRARIES)):
        total.update(word.encode() + b"\0")
    for name, *_ in sources:
        path = Path(name)
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def lying(
    connection: duckdb.DuckDBPyConnection, build: Build, key: Key, wanted: str
) -> dict[str, bytes] | None:
    """The published documents of an edition when they were made from ``wanted`` and are whole."""
    found = connection.execute(_RECORDED, [key.period, key.audience_id, key.edition]).fetchone()
    if found is None or found[0] != wanted:
        return None
    folder = build.workspace.edition_folder(key.period, key.audience_id, key.edition)
    return _whole(folder, json.loads(found[1]))


def _whole(folder: Path, digests: Mapping[str, str]) -> dict[str, bytes] | None:
    found = {}
    for name, sha256 in digests.items():
        try:
            found[name] = (folder / name).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(found[name]).hexdigest() != sha256:
            return None
    return found


_RECORDED = """
SELECT made.made_from, edition.documents
FROM internal.edition_made AS made
JOIN bulletins.edition AS edition USING (period, audience_id, edition)
WHERE made.period = ? AND made.audience_id = ? AND made.edition = ?
"""


def record(connection: duckdb.DuckDBPyConnection, made: Iterable[tuple[Key, str]]) -> None:
    """Keep what the documents of these editions were made from; published together with them."""
    for key, digest in made:
        where = [key.period, key.audience_id, key.edition]
        connection.execute(
            "DELETE FROM internal.edition_made WHERE period = ? AND audience_id = ? AND edition = ?",
            where,
        )
        connection.execute(
            "INSERT INTO internal.edition_made VALUES (?, ?, ?, ?)", [*where, digest]
        )
