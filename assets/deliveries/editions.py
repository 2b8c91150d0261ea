"""Published editions as they lie on disk: their documents, their messages, and one digest of both.

Belongs here: reading an edition's row and files and saying whether they are what was recorded. Does
not belong here: whether it may be released (``approval``) or planning and sending (``sending``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from warehouse.releases import Key
from warehouse.store import NothingPublishedError, Warehouse, fetch
from warehouse.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message of an edition as it was rendered; ``file`` is below the workspace."""

    recipient: str
    message_id: str
    sha256: str
    file: str


@dataclass(frozen=True, slots=True)
class Result:
    """A check of the release check that failed when the edition was written."""

    check_id: str
    severity: str
    description: str
    message: str


@dataclass(frozen=True, slots=True)
class Edition:
    """An edition on disk. ``digest`` covers documents and messages; ``faults`` say in words what is
    missing or not as recorded; ``failed`` of its ``n_checks`` checks did not hold."""

    key: Key
    folder: Path
    documents: Mapping[str, str]
    mails: tuple[Prepared, ...]
    n_figures: int
    digest: str
    faults: tuple[str, ...]
    n_checks: int = 0
    failed: tuple[Result, ...] = ()


def published(workspace: Workspace, period: str, audience_id: str | None = None) -> list[Edition]:
    """Editions of a period in the published warehouse, examined; by audience and edition."""
    try:
        with Warehouse(workspace).reading() as connection:
            rows = fetch(connection, _ROWS, [period])
            mails = fetch(connection, _MAILS, [period])
            checks = fetch(connection, _CHECKS, [period]) if fetch(connection, _CHECKED) else []
    except NothingPublishedError:
        return []
    wanted = [row for row in rows if audience_id in (None, row["audience_id"])]
    return [
        replace(
            _examined(workspace, row, [m for m in mails if _is_of(m, row)]),
            n_checks=sum(_is_of(c, row) for c in checks),
            failed=tuple(
                Result(c["check_id"], c["severity"], c["description"], c["message"])
                for c in checks if _is_of(c, row) and c["outcome"] == "fail"
            ),
        )
        for row in wanted
    ]  # fmt: skip


def _is_of(found: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return all(found[name] == row[name] for name in ("audience_id", "edition"))


def newest(editions: Iterable[Edition]) -> list[Edition]:
    """The newest edition of each audience."""
    return list({each.key.audience_id: each for each in editions}.values())


_ROWS = """
SELECT edition.*, (
    SELECT count(*) FROM bulletins.figure AS figure
    WHERE (figure.period, figure.audience_id, figure.edition)
        = (edition.period, edition.audience_id, edition.edition)
) AS n_figures
FROM bulletins.edition AS edition WHERE period = $1 ORDER BY audience_id, edition
"""


_MAILS = """
SELECT audience_id, edition, recipient, message_id, file FROM deliveries.message
WHERE period = $1 ORDER BY audience_id, edition, recipient
"""

_CHECKED = """
SELECT 1 AS kept FROM duckdb_tables() WHERE schema_name = 'bulletins' AND table_name = 'check'
"""
"""A warehouse published before there was a release check has no such table."""
_CHECKS = """
SELECT audience_id, edition, check_id, severity, outcome, description, message FROM bulletins.check
WHERE period = $1 ORDER BY ALL
"""


def _examined(
    workspace: Workspace, row: Mapping[str, Any], listed: Sequence[Mapping[str, Any]]
) -> Edition:
    key = Key(row["period"], row["audience_id"], row["edition"])
    folder = workspace.home / row["folder"]
    documents: dict[str, str] = json.loads(row["documents"])
    faults = [*_against_manifest(folder, row)]
    found = {name: _sha256(folder / name) for name in documents}
    for name, sha256 in documents.items():
        if found[name] != sha256:
            word = "缺失" if found[name] is None else "与登记的校验值不符"
            faults.append(f"文件 {name} {word}")
    mails = [_prepared(workspace, each) for each in listed]
    for mail in mails:
        faults += _mail_faults(workspace.home / mail.file, mail, documents)
    total = hashlib.sha256(
        json.dumps(
            [sorted(found.items()), [(m.recipient, m.message_id, m.sha256) for m in mails]],
            ensure_ascii=False,
        ).encode()
    ).hexdigest()
    return Edition(
        key, folder, documents, tuple(mails), row["n_figures"], total, tuple(faults)
    )  # fmt: skip


def _against_manifest(folder: Path, row: Mapping[str, Any]) -> Iterable[str]:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [f"{folder.name} 版的清单 manifest.json 缺失或不能读取"]
    differing = [name for name in ("documents", "data_digest", "rules_digest")
                 if manifest.get(name) != row[name]]  # fmt: skip
    return [f"清单与已发布数据库登记的{name}不一致" for name in differing]


def _prepared(workspace: Workspace, row: Mapping[str, Any]) -> Prepared:
    found = _sha256(workspace.home / row["file"])
    return Prepared(row["recipient"], row["message_id"], found or "", row["file"])


def _mail_faults(file: Path, mail: Prepared, documents: Mapping[str, str]) -> list[str]:
    """What a message has that its row and the edition's documents do not, or the other way round."""
    from email import message_from_bytes, policy

    if not mail.sha256:
        return [f"邮件 {file.name} 缺失"]
    found = message_from_bytes(file.read_bytes(), policy=policy.default)
    faults = []
    if (found["Message-ID"], found["To"]) != (mail.message_id, mail.recipient):
        faults.append(f"邮件 {file.name} 与台账登记的收件人或编号不符")
    for part in found.iter_attachments():
        content = part.get_payload(decode=True)
        digest = hashlib.sha256(content if isinstance(content, bytes) else b"").hexdigest()
        if documents.get(str(part.get_filename())) != digest:
            faults.append(f"邮件 {file.name} 的附件 {part.get_filename()} 不是这一版的文件")
    return faults


def _sha256(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
