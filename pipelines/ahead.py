"""What lies ahead by the catalogue: filing days, days of runs and releases, kept for ``status``.

Belongs here: computing them for the months around now, with the settings' own rules, and keeping them in
the ledger, so that ``status`` need not load the catalogue. Does not belong here: deciding what is due
(``due``) or showing anything.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pipelines.due import due_moments
from warehouse.closings import Closings
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    from warehouse.catalog.load import Catalog

BACK, AHEAD, ONE = timedelta(days=100), timedelta(days=400), timedelta(days=1)


def keep(workspace: Workspace, catalog: Catalog, now: datetime) -> None:
    """Bring the ledger's list of coming days in line with catalogue and settings."""
    Closings(workspace.state_file).keep_ahead(coming(workspace, catalog, now))


def coming(workspace: Workspace, catalog: Catalog, now: datetime) -> dict[str, Any]:
    """Periods watched, and those of some months ago to a year ahead: filing day, moment of the run,
    release day.

    ``runs_at`` is empty where nothing runs by itself, ``release`` without a release calendar.
    """
    from assets.deliveries.approval import release_day

    zone = ZoneInfo(workspace.timezone)
    today = now.astimezone(zone).date()
    watched = {
        due.period: due
        for due in due_moments(
            catalog, workspace.automation, workspace.first_month, zone, today + AHEAD
        )
        if workspace.automation.policy != "none"
    }
    near = replace(
        workspace.automation, since=f"{today - BACK:%Y-%m}", through=f"{today + AHEAD:%Y-%m}"
    )
    every = due_moments(catalog, near, workspace.first_month, zone, today + AHEAD)
    days = {due.period: due for due in (*every, *watched.values())}
    rows = []
    for period, due in sorted(days.items()):
        release = release_day(workspace, catalog, period)
        rows.append({
            "period": period,
            "filing": (due.at.date() - ONE).isoformat(),
            "runs_at": due.at.isoformat() if period in watched else "",
            "release": release.isoformat() if release else "",
            "certain": due.certain,
        })  # fmt: skip
    return {"zone": workspace.timezone, "policy": workspace.automation.policy, "periods": rows}
