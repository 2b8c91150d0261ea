"""Small files and folders put in place whole: there complete or not at all, even when the machine stops.

Belongs here: that one way of writing a file and of replacing a folder, waiting for the disk, digests of
both. Does not belong here: what is written, the warehouse file itself (``store``), streams of unknown
size (the archive).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from warehouse.faults import reach

_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of renameat2(2)


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Put ``data`` at ``path`` in place of what is there, with its folder when there is none.

    On disk when this returns. Two processes writing the same path do not disturb each other.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    partial.chmod(mode)
    os.replace(partial, path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file's or folder's content is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sha256_of_folder(folder: Path) -> str:
    """SHA-256 of the names and contents of all files below a folder, in hexadecimal."""
    files = sorted((p.relative_to(folder).as_posix(), p) for p in folder.rglob("*") if p.is_file())
    said = "".join(f"{sha256_of(path)} {name}\n" for name, path in files)
    return hashlib.sha256(said.encode()).hexdigest()


def place_folder(made: Path, target: Path) -> None:
    """Put the folder ``made`` at ``target``; the one that was there is removed.

    The two are exchanged in one step: a reader always finds the former or the new one. Killed after it,
    the former one is where ``made`` was. Where two names cannot be exchanged ``target`` is missing for
    a moment.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    former = made
    if not target.exists():
        made.rename(target)
    elif not exchange(made, target):
        former = made.with_name(f".{made.name}.former")
        shutil.rmtree(former, ignore_errors=True)
        target.rename(former)
        reach("folder.retired")
        made.rename(target)
    sync(target.parent)
    if former.exists():
        reach("folder.replaced")
        shutil.rmtree(former, ignore_errors=True)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where kernel, C library or file system cannot."""
    import ctypes

    call = getattr(ctypes.CDLL(None), "renameat2", None)
    names = _HERE, os.fsencode(one), _HERE, os.fsencode(other)
    return call is not None and call(*names, _EXCHANGE) == 0
