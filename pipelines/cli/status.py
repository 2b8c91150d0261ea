"""``parkwatch status``: who has reported, what is due, what ran. Answers from the ledger alone.

Belongs here: the reporting board on a terminal. Does not belong here: figures; nothing heavy may be
imported by this module.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines import clock
from pipelines.cli import outlook
from pipelines.cli.screen import echo
from quality.triage import FilingState, next_step, standing
from warehouse.filing_ledger import FilingLedger
from warehouse.state import State, spans
from warehouse.workspace import home_folder

BEIJING = timezone(timedelta(hours=8))
RUN_WORDS = {
    "running": "运行中",
    "done": "完成",
    "done_with_findings": "完成(有问题)",
    "failed": "失败",
}


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("status", help="报送情况:应报、已报、迟报、问题;最近运行。")(status)


def status(
    period: Annotated[str | None, typer.Option(help="报告期 YYYY-MM,默认最近一期")] = None,
    home: Annotated[Path | None, typer.Option(help="工作区目录")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    reporters: Annotated[bool, typer.Option("--reporters", help="各单位历期报送质量记录")] = False,
    now: Annotated[str | None, typer.Option(help="按此日(YYYY-MM-DD)判断是否逾期,默认今天")] = None,
) -> None:
    """Show the reporting board of a period and the latest runs."""
    folder = home_folder(home)
    if not (folder / "parkwatch.toml").is_file():
        echo(f"错误:{folder} 不是工作区;请先 parkwatch init 或用 --home 指定", err=True)
        raise typer.Exit(2)
    state = FilingLedger(folder / "state.sqlite")
    if reporters:
        _print_records(state, as_json)
        return
    runs = state.runs()
    _known(period, state)
    shown = period or next((r["period"] for r in runs if r["period"]), None)
    shown = shown or next(iter(state.periods()), None)
    today = _today(now)
    board = board_rows(state, shown, today) if shown else []
    answer = {
        "period": shown,
        "today": today.isoformat(),
        "board": board,
        "troubled": state.troubled(shown),
        "duplicates": state.outcomes(shown, ["duplicate"]),
        "repeated": state.repeats(shown),
        "withdrawn": _withdrawn(state),
        "locks": _locks(state),
        "pulls": state.pulls(),
        "runs": runs,
        "outlook": outlook.of(folder, _moment(now)),
    }
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=1))
        return
    _print_board(shown, board)
    _print_troubled(answer["troubled"])
    _print_deliveries(answer)
    _print_runs(runs)
    outlook.say(answer["outlook"])


def _known(period: str | None, state: State) -> None:
    """Say so when nobody was expected to report for a period yet; exit 2 when it is none."""
    known = state.periods()
    if period is None or period in known:
        return
    from pipelines.settings import PERIOD

    if not PERIOD.fullmatch(period):
        echo(f"错误:报告期应写作 YYYY-MM,读到 {period};例:--period 2020-06", err=True)
        raise typer.Exit(2)
    if known:
        echo(f"说明:报告期 {period} 尚无应报名单(已有 {min(known)} 至 {max(known)});"
             f"执行 parkwatch run --period {period} 后列出。", err=True)  # fmt: skip


def _withdrawn(state: State) -> list[dict[str, Any]]:
    """Withdrawals that stand; ``applied`` once a run has taken them into the figures."""
    standing = [span for span in spans(state.decisions(), "withdraw") if span.ended is None]
    if not standing:
        return []
    status_of = {row["sha256"]: row for row in state.starting_with("")}
    rows = []
    for span in standing:
        file = status_of.get(span.subject, {})
        rows.append(
            {"sha256": span.subject, "file_name": file.get("file_name"),
             "period": file.get("period"), "reporter": file.get("reporter"),
             "at": span.began.at, "by": span.began.by, "reason": span.began.reason,
             "applied": file.get("status") == "returned"}
        )  # fmt: skip
    return rows


def _locks(state: State) -> list[dict[str, Any]]:
    """Every lock with who, when and why, and its end if it has one."""
    return [
        {"period": s.subject, "locked_at": s.began.at, "locked_by": s.began.by,
         "reason": s.began.reason, "unlocked_at": s.ended and s.ended.at,
         "unlocked_by": s.ended and s.ended.by, "unlock_reason": s.ended and s.ended.reason}
        for s in spans(state.decisions(), "lock")
    ]  # fmt: skip


def _with_lateness(row: dict[str, Any]) -> dict[str, Any]:
    """Add ``late``: first received after the end of the deadline day, Beijing time."""
    received, deadline = row["first_received_at"] or row["received_at"], row["deadline"]
    late = None
    if received and deadline:
        moment = datetime.fromisoformat(received).replace(tzinfo=UTC).astimezone(BEIJING)
        late = moment.date().isoformat() > deadline
    return row | {"late": late}


def _today(text: str | None) -> date:
    """The day lateness is judged by; Beijing time."""
    if text is None:
        return datetime.now(BEIJING).date()
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        echo(f"错误:--now 应写作 YYYY-MM-DD,读到 {text}", err=True)
        raise typer.Exit(2) from None


def _moment(text: str | None) -> datetime:
    """The moment what comes next is judged by: now, or the evening of the day asked for."""
    if text is None:
        return clock.now()
    return datetime.combine(_today(text), time(18), BEIJING)


def board_rows(state: FilingLedger, period: str, today: date) -> list[dict[str, Any]]:
    """Each expected reporter with lateness, one word where it stands, and the next step."""
    filing = {row["reporter"]: row for row in state.filing(period)}
    asked = {row.reporter: row for row in state.returned(period)}
    locked = any(s.subject == period and s.ended is None for s in spans(state.decisions(), "lock"))
    rows = []
    for row in state.board(period):
        row = _with_lateness(row)
        facts = _filing_state(row, filing.get(row["reporter"], {}), today, locked)
        case = asked.get(row["reporter"])
        if case is not None and (facts.n_ask or facts.parks_returned or facts.parks_held):
            facts = replace(facts, reply_by=date.fromisoformat(case.reply_by))
        rows.append(
            row
            | {"standing": standing(facts), "next_step": next_step(facts), "locked": locked,
               "parks_returned": facts.parks_returned, "parks_held": facts.parks_held,
               "parks_missing": facts.n_gaps, "open_problems": facts.n_ask,
               "reply_by": facts.reply_by and facts.reply_by.isoformat()}
        )  # fmt: skip
    return rows


def _filing_state(
    row: dict[str, Any], filing: dict[str, Any], today: date, locked: bool
) -> FilingState:
    deadline = row["deadline"] and date.fromisoformat(row["deadline"])
    ends = filing.get("reminding_ends")
    return FilingState(
        status=filing.get("newest_status") or row["status"],
        late=bool(row["late"]),
        deadline=deadline,
        reminding_ends=date.fromisoformat(ends) if ends else deadline,
        today=today,
        parks_returned=filing.get("parks_returned") or 0,
        parks_held=filing.get("parks_held") or 0,
        n_gaps=filing.get("n_gaps") or 0,
        n_ask=filing.get("n_ask") or 0,
        locked=locked,
    )


ORDER = ("缺报", "未报", "退回", "待核实", "待处理", "迟报", "未到期", "已报")


def _print_board(period: str | None, board: list[dict[str, Any]]) -> None:
    if period is None:
        echo("尚无报送记录。把报表放入 inbox 后运行 parkwatch run --period YYYY-MM")
        return
    counts = Counter(row["standing"] for row in board)
    late = sum(bool(row["late"]) for row in board)
    arrived = sum(row["sha256"] is not None for row in board)
    told = ("已报", "迟报")
    parts = [f"{word} {counts[word]}" for word in ORDER if counts[word] and word not in told]
    due = sorted({row["deadline"] for row in board if row["deadline"]})
    until = f",截止 {'、'.join(due)}" if due else ""
    sealed = ",已封账" if board and board[0]["locked"] else ""
    echo(
        f"{period} 应报 {len(board)} 个单位{until}{sealed}:"
        + "、".join([f"已报 {arrived}(迟报 {late})", *parts])
    )
    for row in sorted(board, key=lambda r: (ORDER.index(r["standing"]), r["reporter"])):
        _print_reporter(row)


def _print_reporter(row: dict[str, Any]) -> None:
    notes = [row["standing"]] + (["迟报"] if row["late"] and row["standing"] != "迟报" else [])
    for count, word in (("parks_returned", "退回"), ("parks_held", "待核实")):
        if row[count]:
            notes.append(f"{word}园区 {row[count]} 个")
    if row["open_problems"]:
        notes.append(f"待改正或说明 {row['open_problems']} 项")
    if (row["version_no"] or 1) > 1:
        notes.append(f"第 {row['version_no']} 版")
    file = f"  {row['file_name']}  {row['sha256'][:12]}" if row["sha256"] else ""
    step = f"  → {row['next_step']}" if row["next_step"] else ""
    echo(f"  {row['name']}  {'、'.join(notes)}{file}{step}")


def _print_records(state: FilingLedger, as_json: bool) -> None:
    """Per reporter over all periods: late, missing, returned, problems, false alarms."""
    found: dict[str, dict[str, Any]] = {}
    names = state.reporter_names()
    for row in state.filing():
        sums = found.setdefault(
            row["reporter"],
            {"reporter": row["reporter"], "name": names.get(row["reporter"], row["reporter"]),
             "periods": 0, "late": 0, "absent": 0, "n_returned": 0, "n_error": 0, "n_verify": 0,
             "n_cleared": 0},
        )  # fmt: skip
        sums["periods"] += 1
        sums["late"] += row["punctuality"] == "late"
        sums["absent"] += row["punctuality"] == "absent"
        for name in ("n_returned", "n_error", "n_verify", "n_cleared"):
            sums[name] += row[name]
    for sums in found.values():
        asked = sums["n_error"] + sums["n_verify"]
        sums["false_alarm_pct"] = round(100 * sums["n_cleared"] / asked, 1) if asked else None
    rows = sorted(
        found.values(),
        key=lambda r: (-r["absent"], -r["late"], -r["n_returned"], -r["n_error"], r["reporter"]),
    )
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    echo("单位  应报期数 漏报 迟报 退回次数 错误 核实 其中属实(误报率)")
    for r in rows:
        share = "—" if r["false_alarm_pct"] is None else f"{r['false_alarm_pct']:g}%"
        echo(
            f"  {r['name']}  {r['periods']} {r['absent']} {r['late']} {r['n_returned']} "
            f"{r['n_error']} {r['n_verify']} {r['n_cleared']}({share})"
        )


SHOWN = 20
TROUBLES = {
    "rejected": "未能读取的文件",
    "returned": "退回或撤回的报送件",
    "held": "暂存待核、尚未采用的报送件",
    "late_locked": "封账后收到、尚未采用的报送件",
}


def _print_troubled(troubled: list[dict[str, Any]]) -> None:
    for status, words in TROUBLES.items():
        rows = [row for row in troubled if row["status"] == status]
        if rows:
            echo(f"{words} {len(rows)} 个:")
        for row in rows[:SHOWN]:
            echo(f"  {row['sha256'][:12]} {row['file_name']}:{row['reason']}")
        _print_rest(rows)


def _print_deliveries(answer: dict[str, list[dict[str, Any]]]) -> None:
    """Repeated deliveries, decisions waiting for a run, locks that stand."""
    same = answer["duplicates"]
    if same:
        echo(f"内容与已收到的相同(另存、改名)的报送件 {len(same)} 个:")
    for row in same[:SHOWN]:
        echo(f"  {row['sha256'][:12]} {row['file_name']}:{row['reason']}")
    _print_rest(same)
    repeated = answer["repeated"]
    if repeated:
        echo(f"重复报送(内容一字不差)的文件 {len(repeated)} 个:")
    for row in repeated[:SHOWN]:
        echo(f"  {row['inbox_path']}:与“{row['repeats']}”相同")
    _print_rest(repeated)
    for row in answer["withdrawn"]:
        if not row["applied"]:
            echo(f"已登记撤回、下次运行生效:{row['file_name']}({row['by']}:{row['reason']})")
    locked = [row for row in answer["locks"] if row["unlocked_at"] is None]
    for row in locked:
        echo(f"{row['period']} 已封账({row['locked_by']},{_local(row['locked_at'])})")


def _print_rest(rows: list[dict[str, Any]]) -> None:
    if len(rows) > SHOWN:
        echo(f"  ……另有 {len(rows) - SHOWN} 个,全部见 parkwatch status --json")


def _local(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(BEIJING):%Y-%m-%d %H:%M}"


def _print_runs(runs: list[dict[str, Any]]) -> None:
    if runs:
        echo("最近运行:")
        for run in runs:
            word = RUN_WORDS.get(run["status"], run["status"])
            echo(
                f"  {_local(run['started_at'])} {run['period'] or '—'} {word} {run['summary'] or ''}"
            )
