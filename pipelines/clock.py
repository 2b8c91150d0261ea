"""The moment it is, for those who decide what is due; a file can say another one, for drills.

Belongs here: the one clock of sensors and runs. Does not belong here: dates of figures (the catalogue
and the files say those) or deadlines (``quality.deadlines``).
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

VARIABLE = "PARKWATCH_CLOCK_FILE"
"""Path of a file that holds an ISO 8601 moment with its offset: outages of weeks are rehearsed so."""


def now() -> datetime:
    """The moment, with zone; ValueError when a rehearsal's file does not hold one."""
    file = os.environ.get(VARIABLE)
    if not file:
        return datetime.now(UTC)
    moment = datetime.fromisoformat(Path(file).read_text(encoding="ascii").strip())
    if moment.tzinfo is None:
        raise ValueError(f"{file}:时刻须带时区,读到 {moment}")
    return moment.astimezone(UTC)


def at(timestamp: float) -> datetime:
    """A moment of the machine's clock (seconds since 1970) on this clock."""
    return now() - (datetime.now(UTC) - datetime.fromtimestamp(timestamp, UTC))
