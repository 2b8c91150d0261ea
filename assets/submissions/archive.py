"""The inbox and the archive: files delivered with their receipts, kept for ever under their SHA-256.

Belongs here: finding deliveries, putting one into the inbox whole, storing and finding original
bytes. Does not belong here: what is in a file. Nothing in the archive is ever changed or removed by
parkwatch.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections import deque
from collections.abc import Container, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from warehouse import locks
from warehouse.faults import reach
from warehouse.files import sync, write_whole

RECEIPTS_FILE = "receipts.csv"
_IGNORED_PREFIXES = (".", "~$")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Delivery:
    """A file found in the inbox. ``received_at`` and ``sender`` come from a receipts file."""

    path: Path
    inbox_path: str
    received_at: datetime | None
    sender: str | None


class ArchiveError(RuntimeError):
    """The archive cannot be written: nothing can be kept, so nothing may be taken in."""


class _UnreadableError(Exception):
    """A delivery could not be read to its end; ``args`` are those of the OSError."""


class ReceiptsError(ValueError):
    """A receipts file cannot be used; the message names file, row and what was expected."""


def deliveries(inbox: Path) -> Iterator[Delivery]:
    """Files in the inbox and its folders, in path order; lock and hidden files are not deliveries.

    Raises ReceiptsError when a ``receipts.csv`` is malformed: guessing a time of receipt would
    decide wrongly who was late and which version is the newer one.
    """
    for folder, paths in _folders(inbox):
        receipts = _receipts(folder / RECEIPTS_FILE)
        for path in paths:
            received_at, sender = receipts.get(path.name, (None, None))
            yield Delivery(path, _below(path, inbox), received_at, sender)


def new_files(inbox: Path, known: Container[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Signatures of the deliveries that are not ``known``."""
    found = (signature(path, inbox) for _, paths in _folders(inbox) for path in paths)
    return [each for each in found if each[1] >= 0 and each not in known]


def signature(path: Path, inbox: Path) -> tuple[str, int, int]:
    """By what a file of the inbox is known again without reading it: path below the inbox, bytes,
    modification time in ns; -1 and -1 when it has gone since it was listed."""
    name = _below(path, inbox)
    try:
        seen = path.stat()
    except OSError:
        return name, -1, -1
    return name, seen.st_size, seen.st_mtime_ns


def _below(path: Path, inbox: Path) -> str:
    """Path below the inbox with ``/``. Asked of every file of the inbox in every run."""
    text, start = str(path), f"{inbox}{os.sep}"
    if text.startswith(start) and os.sep == "/":
        return text[len(start) :]
    return path.relative_to(inbox).as_posix()


def _folders(inbox: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Every folder of the inbox with its deliveries, in path order; what is hidden is not ours."""
    for folder, subfolders, names in os.walk(inbox):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        paths = [
            Path(folder) / name
            for name in sorted(names)
            if name != RECEIPTS_FILE and not name.startswith(_IGNORED_PREFIXES)
        ]
        # a pipe or a link is not a delivered file, and reading it could hang
        yield Path(folder), [p for p in paths if p.is_file() and not p.is_symlink()]


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


# --- putting a file into the inbox ----------------------------------------------------------------


def deliver(folder: Path, name: str, data: bytes, received_at: datetime, sender: str) -> Path:
    """Put ``data`` into an inbox folder with its line in ``receipts.csv``; returns where it lies.

    The file appears whole or not at all, and never before its receipt. Another file of that name
    stays: the new one gets a number. The same bytes delivered again change nothing. ``received_at``
    carries its zone. Raises ReceiptsError when the folder's receipts cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locks.hold(folder / ".receipts.lock", wait=True):
        target = _free_name(folder, name, data)
        if not target.exists():
            _receipts(folder / RECEIPTS_FILE)  # only add to what can be read
            _add_receipt(folder / RECEIPTS_FILE, target.name, received_at, sender)
            write_whole(target, data)
    return target


def _free_name(folder: Path, name: str, data: bytes) -> Path:
    """``name``, or ``name(2)`` … while another file has it."""
    target, number = folder / name, 1
    while target.exists() and target.read_bytes() != data:
        number += 1
        target = folder / f"{Path(name).stem}({number}){Path(name).suffix}"
    return target


def _add_receipt(path: Path, name: str, received_at: datetime, sender: str) -> None:
    """Append a line under the heads the file has; of several lines for a name the last one holds."""
    before = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    if before:
        heads = next(csv.reader([before.splitlines()[0]]))
        text.write(before if before.endswith("\n") else before + "\n")
    else:
        heads = ["file", "received_at", "sender"]
        writer.writerow(heads)
    values = {"file": name, "received_at": received_at.isoformat(), "sender": sender}
    writer.writerow([values.get(head, "") for head in heads])
    write_whole(path, text.getvalue().encode("utf-8"))


# --- the archive ----------------------------------------------------------------------------------


def _chunk(source: BinaryIO) -> bytes:
    try:
        return source.read(_CHUNK)
    except OSError as error:
        raise _UnreadableError(*error.args) from error


_INCOMING = ".incoming."
_COPIES = 8
"""Copies under way at a time."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A whole copy that is not filed yet."""

    partial: Path
    digest: str
    size: int
    file_name: str


class Archive:
    """Content-addressed store: ``ab/abcdef….xlsx``; the suffix is for people, the hash decides."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._unsettled: set[Path] = set()
        self._found: dict[str, Path] = {}

    def store(self, data: bytes, file_name: str) -> str:
        """Keep ``data`` and return its SHA-256; storing the same bytes again changes nothing.

        The file appears whole or not at all, even when the machine stops in between.
        """
        digest = hashlib.sha256(data).hexdigest()
        if self.find(digest) is None:
            target = self._path(digest, file_name)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, data, 0o444)
        return digest

    def store_file(self, path: Path) -> tuple[str, int]:
        """Keep a copy of a file of any size; returns SHA-256 and number of bytes of what was kept.

        Its content is on disk when this returns, its name only after ``settle``: call that before
        anything is written that relies on the archive.
        Digest and copy come from one reading, so a file that changes meanwhile cannot be filed
        under a digest that is not its own. Raises OSError when the file cannot be read, ArchiveError
        when the archive cannot be written: then no delivery can be kept, and the run has to stop.
        """
        return self._file(self._copy(path, 0))

    def store_files(self, paths: Sequence[Path]) -> Iterator[tuple[str, int] | OSError]:
        """``store_file`` for each of many, in order, with the OSError in place of what could not be
        read. Some are copied at a time, as a copy mostly waits for the disk; they are filed one by one.
        What a killed run had begun to copy is removed. For the one writer of the archive.
        """
        for left in self.folder.glob(f"{_INCOMING}*"):
            left.unlink(missing_ok=True)
        with ThreadPoolExecutor(_COPIES, "archive") as pool:
            under_way: deque[Future[_Copy]] = deque()
            for number in range(len(paths) + _COPIES):
                if number >= _COPIES:
                    try:
                        yield self._file(under_way.popleft().result())
                    except OSError as error:
                        yield error
                if number < len(paths):
                    under_way.append(pool.submit(self._copy, paths[number], number))
                if not under_way:
                    break

    def _copy(self, path: Path, number: int) -> _Copy:
        """A copy that has no name yet, its digest and its size; on disk when this returns."""
        digest, size = hashlib.sha256(), 0
        partial = self.folder / f"{_INCOMING}{os.getpid()}.{number % _COPIES}"
        try:
            with path.open("rb") as source, self._writing():
                self.folder.mkdir(parents=True, exist_ok=True)
                with partial.open("wb") as copy:
                    while chunk := _chunk(source):
                        digest.update(chunk)
                        copy.write(chunk)
                        size += len(chunk)
                    copy.flush()
                    os.fsync(copy.fileno())
        except _UnreadableError as unreadable:
            raise OSError(*unreadable.args) from unreadable
        return _Copy(partial, digest.hexdigest(), size, path.name)

    def _file(self, copied: _Copy) -> tuple[str, int]:
        """Put a whole copy where it belongs; away with it when the content is kept already."""
        reach("archive.copied")
        with self._writing():
            target = self._path(copied.digest, copied.file_name)
            self._unsettled.add(target.parent)  # of a run killed before it had settled, too
            if self.find(copied.digest) is not None:
                copied.partial.unlink()
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                copied.partial.chmod(0o444)
                os.replace(copied.partial, target)
                self._found[copied.digest] = target
        reach("archive.stored")
        return copied.digest, copied.size

    def settle(self) -> None:
        """Wait until the names of all files kept so far are on disk: once a folder, not once a file.
        Raises ArchiveError."""
        if not self._unsettled:
            return
        with self._writing(), ThreadPoolExecutor(_COPIES) as pool:
            list(pool.map(sync, self._unsettled))
        self._unsettled.clear()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ArchiveError(
                f"归档目录 {self.folder} 无法写入:{error.strerror or error};已停止,收件箱和已发布的数据不变。"
                "处理:检查磁盘空间、挂载和目录权限(parkwatch doctor),然后重新运行"
            ) from error

    def find(self, digest: str) -> Path | None:
        """Path of the stored file, or None."""
        before = self._found.get(digest)
        if before is not None and before.exists():
            return before
        folder = self.folder / digest[:2]
        try:
            names = os.listdir(folder)  # noqa: PTH208 - a Path for the one found is enough
        except (FileNotFoundError, NotADirectoryError):
            return None
        found = min((name for name in names if name.startswith(digest)), default=None)
        if found is None:
            return None
        self._found[digest] = folder / found
        return self._found[digest]

    def read(self, digest: str) -> bytes:
        """The stored bytes. Raises FileNotFoundError or ValueError when missing or damaged."""
        path = self.find(digest)
        if path is None:
            raise FileNotFoundError(f"归档中没有 {digest};请从备份恢复 {self.folder}")
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            raise ValueError(f"归档文件 {path} 已损坏(摘要不符);请从备份恢复")
        return data

    def _path(self, digest: str, file_name: str) -> Path:
        suffix = Path(file_name).suffix.lower()
        safe = suffix if suffix.isascii() and len(suffix) <= 6 else ""
        return self.folder / digest[:2] / f"{digest}{safe}"
