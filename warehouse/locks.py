"""Who holds a lock file, asked of the kernel without touching the lock.

Belongs here: reading ``/proc/locks``. Does not belong here: taking locks (``store``, the outbox).
"""

from __future__ import annotations

from pathlib import Path

TABLE = Path("/proc/locks")


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
