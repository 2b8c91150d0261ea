"""A shaanxi workspace with the editions of every audience, for the campaigns on bulletins.

Belongs here: making it with the product's own commands. Does not belong here: what is measured on it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.workspaces import parkwatch, small_shaanxi


def made(
    home: Path,
    periods: tuple[str, ...] = ("2020-05", "2020-06"),
    audiences: tuple[str, ...] = ("all",),
    **environment: str,
) -> Path:
    """The workspace with each of ``periods`` run, in this environment; prints what went wrong."""
    small_shaanxi(home, periods[0], periods[-1], audiences)
    for period in periods:
        told = parkwatch("run", "--period", period, "--home", home, **environment)
        if told.returncode not in (0, 3):
            sys.exit(f"{period}: {told.stderr[-2000:]}")
    return home
