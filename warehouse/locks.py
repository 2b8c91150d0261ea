"""Lock files: one process at a time does what the file stands for, and the others can say who does.

Belongs here: taking a ``flock``, whose name stands in the file, and asking the kernel whether anybody
holds one. Does not belong here: what is guarded (the writer of ``store``, the outbox, receipts, users).
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

TABLE = Path("/proc/locks")
_NAME_TRIES, _NAME_PAUSE = 40, 0.025  # a holder writes its name right after taking the lock


class HeldError(RuntimeError):
    """Another process holds the lock; the text is the name it gave."""


@contextmanager
def hold(
    path: Path,
    name: str | None = None,
    *,
    wait: bool = False,
    busy: Callable[[str], Exception] = HeldError,
) -> Iterator[None]:
    """Hold the lock of ``path``; the kernel frees it when the process dies, however it dies.

    ``name`` tells others who holds it (this process, since when). When another process does, unless
    ``wait``, raises what ``busy`` makes of the name it gave: HeldError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise busy(_holder(handle)) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, (name or _this_process()).encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _this_process() -> str:
    since = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    return f"pid {os.getpid()},uid {os.getuid()},始于 {since}"


def _holder(handle: int) -> str:
    for _ in range(_NAME_TRIES):
        if name := os.pread(handle, 400, 0).decode(errors="replace").strip():
            return name
        time.sleep(_NAME_PAUSE)
    return "未知"


def is_held(path: Path, table: Path = TABLE) -> bool | None:
    """Whether any process holds a ``flock`` on ``path``; None where the kernel does not say."""
    try:
        inode = path.stat().st_ino
    except OSError:
        return False
    try:
        lines = table.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    fields = (line.split() for line in lines if " FLOCK " in line and "->" not in line)
    return any(row[5].rpartition(":")[2] == str(inode) for row in fields)
