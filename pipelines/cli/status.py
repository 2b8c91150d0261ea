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

from warehouse.state import State
from warehouse.workspace import home_folder

BEIJING = timezone(timedelta(hours=8))
WORDS = {
    None: "未报",
    "accepted": "已报",
    "partly": "已报(有问题)",
    "returned": "已退回",
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
    troubled = state.troubled(shown)
    if as_json:
        answer = {"period": shown, "board": board, "troubled": troubled, "runs": runs}
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=1))
        return
    _print_board(shown, board)
    _print_troubled(troubled)
    _print_runs(runs)


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
        typer.echo(f"  {row['name']}  {'、'.join(notes)}  {row['file_name'] or ''}")


def _print_troubled(troubled: list[dict[str, Any]]) -> None:
    unread = [row for row in troubled if row["status"] == "rejected"]
    if unread:
        typer.echo(f"未能读取的文件 {len(unread)} 个:")
        for row in unread[:20]:
            typer.echo(f"  {row['file_name']}:{row['reason']}")


def _print_runs(runs: list[dict[str, Any]]) -> None:
    if runs:
        typer.echo("最近运行:")
        for run in runs:
            word = RUN_WORDS.get(run["status"], run["status"])
            typer.echo(
                f"  {run['started_at'][:16]} {run['period'] or '—'} {word} {run['summary'] or ''}"
            )
