"""Seconds of a peer's stages, wall and processor.

Belongs here: that one stop watch. Does not belong here: what is timed, or anything a peer's own environment
does not have.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def laps() -> tuple[dict[str, list[float]], Callable[[str], None]]:
    """Seconds by stage (wall, processor), and what to call when a stage is done."""
    spent: dict[str, list[float]] = {}
    before = [time.perf_counter(), time.process_time()]

    def done(what: str) -> None:
        now = [time.perf_counter(), time.process_time()]
        spent[what] = [a - b for a, b in zip(now, before, strict=True)]
        before[:] = now

    return spent, done
