"""What comes next and what is stuck (下一步、卡住的事), from the ledger alone, with the mend of each.

Belongs here: the second half of ``parkwatch status``. Does not belong here: who has reported (``status``),
examining the machine (``doctor``); nothing heavy may be imported by this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from assets.submissions.archive import new_files
from pipelines.cli.screen import echo
from warehouse import locks
from warehouse.closings import Closings
from warehouse.outbox_ledger import OutboxLedger
from warehouse.releases import STATUS_ZH, Releases
from warehouse.state import State

HEARTBEAT = timedelta(minutes=5)
SHOWN_NEXT = 2


def of(home: Path, now: datetime) -> dict[str, Any]:
    """``next``: what happens when; ``stuck``: what does not go on by itself, and how to mend it;
    ``daemon``: when it last looked, and whether it is alive. ``now`` with zone."""
    closings = Closings(home / "state.sqlite")
    said, ahead = closings.outlook() or {}, closings.ahead() or {}
    zone = ZoneInfo(ahead.get("zone", "Asia/Shanghai"))
    closed = closings.newest()
    seen = said.get("seen_at")
    alive = seen is not None and abs(now - datetime.fromisoformat(seen)) <= HEARTBEAT
    automatic = ahead.get("policy", "none") != "none"
    mails = _mails(home)
    return {
        "daemon": {"seen_at": seen, "alive": alive, "expected": automatic},
        "next": sorted(
            [*_coming(ahead, now, zone), *_next_mail(mails, now, zone)], key=lambda row: row["at"]
        ),
        "stuck": [
            *_dead_runs(home),
            *_waiting(said, alive),
            *_overdue(ahead, closed, said, now, alive=alive),
            *_new_files(home, alive=alive),
            *_releases(home),
            *_mail_troubles(mails),
        ],
    }


# --- what comes next ------------------------------------------------------------------------------


def _coming(ahead: dict[str, Any], now: datetime, zone: ZoneInfo) -> Iterator[dict[str, str]]:
    """The next filing days, runs and releases, each kind by itself."""
    today = now.astimezone(zone).date().isoformat()
    rows = ahead.get("periods", ())
    for what, name in (("报送截止", "filing"), ("自动运行", "runs_at"), ("发布日历", "release")):
        found = [row for row in rows if row[name] and row[name][:10] >= today]
        if name == "runs_at":
            found = [r for r in found if datetime.fromisoformat(r["runs_at"]) > now]
        for row in found[:SHOWN_NEXT]:
            unsure = "" if row["certain"] else "(放假安排未登记,暂定)"
            yield {"what": what, "period": row["period"], "at": row[name], "note": unsure}


def _next_mail(
    mails: list[dict[str, Any]], now: datetime, zone: ZoneInfo
) -> Iterator[dict[str, str]]:
    due = sorted(m["due_at"] for m in mails if m["state"] in ("planned", "deferred"))
    if due:
        first = max(datetime.fromisoformat(due[0]), now).astimezone(zone)
        yield {"what": "发送邮件", "period": "", "at": first.isoformat(timespec="minutes"),
               "note": f"待发 {len(due)} 封"}  # fmt: skip


# --- what is stuck --------------------------------------------------------------------------------


def _stuck(what: str, mend: str) -> dict[str, str]:
    return {"what": what, "mend": mend}


def _dead_runs(home: Path) -> Iterator[dict[str, str]]:
    """Runs that count as under way while nobody holds the writer's lock; the newest run if it failed."""
    runs = State(home / "state.sqlite").runs()
    if locks.is_held(home / "warehouse.lock") is False:
        for run in runs:
            if run["status"] == "running":
                yield _stuck(
                    f"{run['period'] or ''} 的运行已中断(进程不在)",
                    f"守护进程会释放并重跑;或执行 parkwatch run --period {run['period'] or 'YYYY-MM'}",
                )
    if runs and runs[0]["status"] == "failed":
        yield _stuck(
            f"最近一次运行({runs[0]['period'] or '—'})失败:{runs[0]['summary'] or ''}",
            f"按原因改正后执行 parkwatch run --period {runs[0]['period'] or 'YYYY-MM'}",
        )


def _waiting(said: dict[str, Any], alive: bool) -> Iterator[dict[str, str]]:
    for row in said.get("waiting", ()):
        period = row["period"]
        if row["why"] == "given_up":
            yield _stuck(f"{period} 多次运行失败,已停止自动重试",
                         f"按上次失败的原因改正后执行 parkwatch run --period {period}")  # fmt: skip
        elif row["why"] == "retry_later" and alive:
            yield _stuck(
                f"{period} 运行失败,{row['until'][:16]} 自动重试", "一般不需处理;原因见最近运行"
            )
        elif row["why"] == "skipped":
            yield _stuck(f"{period} 到期未结,按设置(policy)不自动补做",
                         f"需要时执行 parkwatch run --period {period}")  # fmt: skip


def _overdue(
    ahead: dict[str, Any],
    closed: dict[str, datetime],
    said: dict[str, Any],
    now: datetime,
    *,
    alive: bool,
) -> Iterator[dict[str, str]]:
    """Periods that should have run by themselves while nothing looks."""
    told = {row["period"] for row in said.get("waiting", ())} if alive else set()
    late = []
    for row in ahead.get("periods", ()):
        if not row["runs_at"] or row["period"] in told:
            continue
        due, built = datetime.fromisoformat(row["runs_at"]), closed.get(row["period"])
        if due <= now and not (built is not None and due <= built <= now):
            late.append(row["period"])
    if late and not alive:
        which = "、".join(late) if len(late) < 4 else f"{late[0]} 至 {late[-1]} 共 {len(late)} 期"
        yield _stuck(
            f"到期未运行的报告期:{which};守护进程未在运行",
            f"启动守护进程(docs/operations.md),或执行 parkwatch backfill --from {late[0]} --to {late[-1]}",
        )


def _new_files(home: Path, *, alive: bool) -> Iterator[dict[str, str]]:
    known = State(home / "state.sqlite").known_files()
    new = [name for name, _, _ in new_files(home / "inbox", known)]
    if new and not alive:
        yield _stuck(f"收件箱有 {len(new)} 个文件尚未收入:{'、'.join(new[:3])}",
                     "执行 parkwatch run --period 报告期,或启动守护进程")  # fmt: skip


def _releases(home: Path) -> Iterator[dict[str, str]]:
    """Editions that wait for a person."""
    releases = Releases(home / "state.sqlite")
    for status, step in (("review", "由另一人核对后 parkwatch bulletin approve"),
                         ("approved", "由守护进程发送,或 parkwatch bulletin send")):  # fmt: skip
        for period in releases.periods(status):  # type: ignore[arg-type]
            rows = [r for r in releases.of_period(period) if r.status == status]
            until = max((r.embargo_until or "" for r in rows), default="")
            note = f",解禁时间 {until}" if until else ""
            yield _stuck(f"{period} 通报 {len(rows)} 份{STATUS_ZH[status]}{note}",
                         f"{step} --period {period}")  # fmt: skip


def _mails(home: Path) -> list[dict[str, Any]]:
    ledger = OutboxLedger(home / "state.sqlite")
    try:
        return ledger.mails()
    finally:
        ledger.close()


def _mail_troubles(mails: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    counted = (
        ("无法确认是否送达", [m for m in mails if m["state"] == "unknown"],
         "向收件人核实后 parkwatch deliveries ack 或 resend"),
        ("被拒收", [m for m in mails if m["state"] == "refused"],
         "核对地址后 parkwatch deliveries resend"),
        ("退信", [m for m in mails if m["bounced_at"]], "核对地址后 parkwatch deliveries resend"),
        ("发送中断待查", [m for m in mails if m["state"] == "dot"], "下一轮发送时自动查证"),
    )  # fmt: skip
    for what, rows, mend in counted:
        if rows:
            yield _stuck(f"{what}的邮件 {len(rows)} 封", mend)


# --- on a terminal --------------------------------------------------------------------------------


def say(outlook: dict[str, Any]) -> None:
    """Print it."""
    daemon = outlook["daemon"]
    if daemon["expected"] and not daemon["alive"]:
        seen = daemon["seen_at"]
        echo(
            f"守护进程未在运行({f'上次检查 {seen[:16]}' if seen else '从未检查'}):到期的报告期不会自动运行"
        )
    if outlook["next"]:
        echo("接下来:")
    for row in outlook["next"]:
        at = row["at"][:16].replace("T", " ")
        echo(f"  {at}  {row['what']}  {row['period']}{row['note']}")
    if outlook["stuck"]:
        echo("需要处理:")
    for row in outlook["stuck"]:
        echo(f"  {row['what']}\n    → {row['mend']}")
