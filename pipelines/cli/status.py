"""``parkwatch status``: who has reported, what is due, what ran. Answers from the ledger alone.

Belongs here: the reporting board on a terminal. Does not belong here: figures; nothing heavy may be
imported by this module.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any

import typer

from warehouse.state import State, spans
from warehouse.workspace import home_folder

BEIJING = timezone(timedelta(hours=8))
WORDS = {
    None: "未报",
    "accepted": "已报",
    "partly": "已报(有问题)",
    "returned": "已退回",
    "held": "暂存待核",
    "rejected": "无法读取",
    "duplicate": "重复报送",
    "superseded": "已被更正",
    "late_locked": "封账后报送",
}
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
) -> None:
    """Show the reporting board of a period and the latest runs."""
    folder = home_folder(home)
    if not (folder / "parkwatch.toml").is_file():
        typer.echo(f"错误:{folder} 不是工作区;请先 parkwatch init 或用 --home 指定", err=True)
        raise typer.Exit(2)
    state = State(folder / "state.sqlite")
    runs = state.runs()
    shown = period or next((r["period"] for r in runs if r["period"]), None)
    shown = shown or next(iter(state.periods()), None)
    board = [_with_lateness(row) for row in state.board(shown)] if shown else []
    answer = {
        "period": shown,
        "board": board,
        "troubled": state.troubled(shown),
        "duplicates": state.outcomes(shown, ["duplicate"]),
        "repeated": state.repeats(shown),
        "withdrawn": _withdrawn(state),
        "locks": _locks(state),
        "pulls": state.pulls(),
        "runs": runs,
    }
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=1))
        return
    _print_board(shown, board)
    _print_troubled(answer["troubled"])
    _print_deliveries(answer)
    _print_runs(runs)


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
    """Add ``late``: received after the end of the deadline day, Beijing time."""
    received, deadline = row["received_at"], row["deadline"]
    late = None
    if received and deadline:
        moment = datetime.fromisoformat(received).replace(tzinfo=UTC).astimezone(BEIJING)
        late = moment.date().isoformat() > deadline
    return row | {"late": late}


def _print_board(period: str | None, board: list[dict[str, Any]]) -> None:
    if period is None:
        typer.echo("尚无报送记录。把报表放入 inbox 后运行 parkwatch run --period YYYY-MM")
        return
    counts = Counter(WORDS.get(row["status"], row["status"]) for row in board)
    late = sum(bool(row["late"]) for row in board)
    parts = [f"{word} {count}" for word, count in sorted(counts.items())]
    typer.echo(f"{period} 应报 {len(board)} 个单位:{'、'.join(parts) or '—'};迟报 {late}")
    for row in board:
        word = WORDS.get(row["status"], row["status"])
        notes = [word] + (["迟报"] if row["late"] else [])
        if row["n_findings"]:
            notes.append(f"问题 {row['n_findings']} 个")
        if (row["version_no"] or 1) > 1:
            notes.append(f"第 {row['version_no']} 版")
        file = f"  {row['file_name']}  {row['sha256'][:12]}" if row["sha256"] else ""
        typer.echo(f"  {row['name']}  {'、'.join(notes)}{file}")


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
            typer.echo(f"{words} {len(rows)} 个:")
        for row in rows[:SHOWN]:
            typer.echo(f"  {row['sha256'][:12]} {row['file_name']}:{row['reason']}")
        _print_rest(rows)


def _print_deliveries(answer: dict[str, list[dict[str, Any]]]) -> None:
    """Repeated deliveries, decisions waiting for a run, locks that stand."""
    same = answer["duplicates"]
    if same:
        typer.echo(f"内容与已收到的相同(另存、改名)的报送件 {len(same)} 个:")
    for row in same[:SHOWN]:
        typer.echo(f"  {row['sha256'][:12]} {row['file_name']}:{row['reason']}")
    _print_rest(same)
    repeated = answer["repeated"]
    if repeated:
        typer.echo(f"重复报送(内容一字不差)的文件 {len(repeated)} 个:")
    for row in repeated[:SHOWN]:
        typer.echo(f"  {row['inbox_path']}:与“{row['repeats']}”相同")
    _print_rest(repeated)
    for row in answer["withdrawn"]:
        if not row["applied"]:
            typer.echo(f"已登记撤回、下次运行生效:{row['file_name']}({row['by']}:{row['reason']})")
    locked = [row for row in answer["locks"] if row["unlocked_at"] is None]
    for row in locked:
        typer.echo(f"{row['period']} 已封账({row['locked_by']},{_local(row['locked_at'])})")


def _print_rest(rows: list[dict[str, Any]]) -> None:
    if len(rows) > SHOWN:
        typer.echo(f"  ……另有 {len(rows) - SHOWN} 个,全部见 parkwatch status --json")


def _local(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(BEIJING):%Y-%m-%d %H:%M}"


def _print_runs(runs: list[dict[str, Any]]) -> None:
    if runs:
        typer.echo("最近运行:")
        for run in runs:
            word = RUN_WORDS.get(run["status"], run["status"])
            typer.echo(
                f"  {run['started_at'][:16]} {run['period'] or '—'} {word} {run['summary'] or ''}"
            )
