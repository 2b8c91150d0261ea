"""The archive: every delivered file kept for ever under its SHA-256, read-only.

Belongs here: storing and finding original bytes, and the receipt that a delivery is. Does not belong
here: what is in a file. Nothing in the archive is ever changed or removed by parkwatch.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

RECEIPTS_FILE = "receipts.csv"
_IGNORED_PREFIXES = (".", "~$")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A file found in the inbox. ``received_at`` and ``sender`` come from a receipts file."""

    path: Path
    inbox_path: str
    received_at: datetime | None
    sender: str | None


class ReceiptsError(ValueError):
    """A receipts file cannot be used; the message names file, row and what was expected."""


def deliveries(inbox: Path) -> Iterator[Delivery]:
    """Files in the inbox and its folders, in path order; lock and hidden files are not deliveries.

    Raises ReceiptsError when a ``receipts.csv`` is malformed: guessing a time of receipt would
    decide wrongly who was late and which version is the newer one.
    """
    for folder, subfolders, names in os.walk(inbox):
        subfolders.sort()
        receipts = _receipts(Path(folder) / RECEIPTS_FILE)
        for name in sorted(names):
            if name == RECEIPTS_FILE or name.startswith(_IGNORED_PREFIXES):
                continue
            path = Path(folder) / name
            if path.is_symlink() or not path.is_file():
                continue  # a pipe or a link is not a delivered file, and reading it could hang
            received_at, sender = receipts.get(name, (None, None))
            yield Delivery(path, path.relative_to(inbox).as_posix(), received_at, sender)


def _receipts(path: Path) -> Mapping[str, tuple[datetime, str | None]]:
    """``file, received_at, sender`` of a folder, written by a mail gateway or a backfill."""
    if not path.is_file():
        return {}
    found: dict[str, tuple[datetime, str | None]] = {}
    with path.open(encoding="utf-8-sig", newline="") as handle:
        for number, row in enumerate(csv.DictReader(handle), start=2):
            try:
                moment = datetime.fromisoformat(row["received_at"])
                name = row["file"]
            except (KeyError, TypeError, ValueError) as error:
                raise ReceiptsError(
                    f"{path} 第{number}行无法使用:读到 {dict(row)},应有列 file、received_at"
                    "(ISO 8601,含时区)、sender;请更正该行。"
                ) from error
            if moment.tzinfo is None:
                raise ReceiptsError(
                    f"{path} 第{number}行 received_at={row['received_at']} 缺少时区,例:"
                    "2020-07-08T09:30:00+08:00;请补上时区。"
                )
            found[name] = (moment.astimezone(UTC), row.get("sender") or None)
    return found


class Archive:
    """Content-addressed store: ``ab/abcdef….xlsx``; the suffix is for people, the hash decides."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def store(self, data: bytes, file_name: str) -> str:
        """Keep ``data`` and return its SHA-256; storing the same bytes again changes nothing.

        The file appears whole or not at all, even when the machine stops in between.
        """
        digest = hashlib.sha256(data).hexdigest()
        target = self._path(digest, Path(file_name).suffix.lower())
        if self.find(digest) is None:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(f".{target.name}.{os.getpid()}")
            with partial.open("wb") as handle:
                handle.write(data)
                handle.flush()
                os.fsync(handle.fileno())
            partial.chmod(0o444)
            os.replace(partial, target)
        return digest

    def find(self, digest: str) -> Path | None:
        """Path of the stored file, or None."""
        return next(iter((self.folder / digest[:2]).glob(f"{digest}*")), None)

    def read(self, digest: str) -> bytes:
        """The stored bytes. Raises FileNotFoundError or ValueError when missing or damaged."""
        path = self.find(digest)
        if path is None:
            raise FileNotFoundError(f"归档中没有 {digest};请从备份恢复 {self.folder}")
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            raise ValueError(f"归档文件 {path} 已损坏(摘要不符);请从备份恢复")
        return data

    def _path(self, digest: str, suffix: str) -> Path:
        safe = suffix if suffix.isascii() and len(suffix) <= 6 else ""
        return self.folder / digest[:2] / f"{digest}{safe}"
