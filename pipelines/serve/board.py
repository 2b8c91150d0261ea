"""The board (工作台): what ``parkwatch status`` says, with what waits for a decision.

Belongs here: collecting it from the ledgers for one page. Does not belong here: the words of a
reporter's standing (``quality.triage``), layout (``report_templates/desk``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipelines import clock
from pipelines.cli import status
from warehouse.closings import Closings
from warehouse.filing_ledger import FilingLedger
from warehouse.releases import Releases
from warehouse.store import NothingPublishedError, Warehouse, fetch
from warehouse.workspace import Workspace

STALE = timedelta(minutes=10)
WHY_ZH: Mapping[str, str] = {
    "running": "正在运行", "retry_later": "等待重试", "given_up": "多次失败,已停止重试",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Board:
    """One look at the house. Moments are local words; counts are pairs (word, number)."""

    period: str
    periods: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]
    deadline: str
    locked: bool
    open_rows: tuple[Mapping[str, Any], ...]
    all_rows: tuple[Mapping[str, Any], ...]
    drafts: int
    review: tuple[tuple[str, int], ...]
    approved: tuple[tuple[str, int], ...]
    corrections: tuple[tuple[str, int], ...]
    coming: tuple[tuple[str, str], ...]
    waiting: tuple[tuple[str, str], ...]
    n_skipped: int
    looked: str
    looked_lately: bool
    runs: tuple[Mapping[str, Any], ...]


def read(workspace: Workspace, wanted: str = "") -> Board:
    """The board of ``wanted``, else of the period worked on last."""
    ledger = FilingLedger(workspace.state_file)
    releases = Releases(workspace.state_file)
    zone = ZoneInfo(workspace.timezone)
    now = clock.now()
    runs = ledger.runs(limit=8)
    periods = tuple(ledger.periods())
    period = wanted if wanted in periods else _latest(runs, periods, workspace)
    rows = status.board_rows(ledger, period, now.astimezone(zone).date()) if period else []
    rows.sort(key=lambda row: (status.ORDER.index(row["standing"]), row["reporter"]))
    outlook = Closings(workspace.state_file).outlook() or {}
    waiting = outlook.get("waiting", ())
    seen = datetime.fromisoformat(outlook["seen_at"]) if outlook else None
    return Board(
        period=period,
        periods=tuple(sorted(periods, reverse=True)),
        counts=_counts(rows),
        deadline="、".join(sorted({row["deadline"] for row in rows if row["deadline"]})),
        locked=bool(rows and rows[0]["locked"]),
        open_rows=tuple(row for row in rows if row["next_step"] or row["standing"] != "已报"),
        all_rows=tuple(rows),
        drafts=_drafts(workspace, releases, period),
        review=_standing(releases, "review"),
        approved=_standing(releases, "approved"),
        corrections=tuple(Counter(r.key.period for r in releases.unwritten_corrections()).items()),
        coming=tuple((each["period"], local(each["at"], zone)) for each in outlook.get("next", ())),
        waiting=tuple((w["period"], _why(w, zone)) for w in waiting if w["why"] != "skipped"),
        n_skipped=sum(w["why"] == "skipped" for w in waiting),
        looked=local(outlook["seen_at"], zone) if seen else "",
        looked_lately=seen is not None and abs(now - seen) <= STALE,
        runs=tuple(_run(run, zone) for run in runs),
    )


def local(stamp: str, zone: ZoneInfo) -> str:
    """A ledger's moment in the bureau's zone."""
    moment = datetime.fromisoformat(stamp)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _latest(runs: list[dict[str, Any]], periods: tuple[str, ...], workspace: Workspace) -> str:
    ran = next((run["period"] for run in runs if run["period"]), None)
    return ran or next(iter(periods), None) or workspace.default_period or ""


def _counts(rows: list[dict[str, Any]]) -> tuple[tuple[str, int], ...]:
    words = Counter(row["standing"] for row in rows)
    arrived = sum(row["sha256"] is not None for row in rows)
    late = sum(bool(row["late"]) for row in rows)
    rest = [(word, words[word]) for word in status.ORDER
            if words[word] and word not in ("已报", "迟报")]  # fmt: skip
    return (("应报", len(rows)), ("已报", arrived), ("迟报", late), *rest)


def _standing(releases: Releases, where: Any) -> tuple[tuple[str, int], ...]:
    found = []
    for period in releases.periods(where):
        found.append((period, sum(r.status == where for r in releases.of_period(period))))
    return tuple(found)


def _drafts(workspace: Workspace, releases: Releases, period: str) -> int:
    """Audiences whose newest edition of the period is a draft that can be handed in."""
    newest = {row["audience_id"]: row["edition"] for row in editions(workspace, period)}
    frozen = {(r.key.audience_id, r.key.edition) for r in releases.of_period(period)
              if r.status != "draft"}  # fmt: skip
    return sum(pair not in frozen for pair in newest.items())


def editions(workspace: Workspace, period: str = "") -> list[dict[str, Any]]:
    """Newest published edition of every period and audience: period, audience_id, edition."""
    try:
        with Warehouse(workspace).reading() as connection:
            return fetch(connection, _EDITIONS, [period])
    except NothingPublishedError:
        return []


_EDITIONS = """
SELECT period, audience_id, max(edition) AS edition
FROM bulletins.edition WHERE $1 = '' OR period = $1 GROUP BY period, audience_id
ORDER BY period DESC, audience_id
"""


def _why(waits: Mapping[str, Any], zone: ZoneInfo) -> str:
    until = f",{local(waits['until'], zone)} 再试" if waits.get("until") else ""
    return WHY_ZH.get(waits["why"], waits["why"]) + until


def _run(run: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    return {
        "run_id": run["run_id"], "period": run["period"] or "—", "at": local(run["started_at"], zone),
        "status": run["status"], "words": status.RUN_WORDS.get(run["status"], run["status"]),
        "summary": run["summary"] or "",
    }  # fmt: skip
