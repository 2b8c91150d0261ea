"""What goes back to reporters: returns (退回件), reminders (催报), explanations (核实说明).

Belongs here: taking the words of a command and listing what was made. Does not belong here: marking,
wording or deciding who is due (``quality``, ``assets.deliveries``).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.screen import echo

Home = Annotated[Path | None, typer.Option(help="工作区目录")]
Period = Annotated[str | None, typer.Option(help="报告期 YYYY-MM,默认见设置")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Now = Annotated[str | None, typer.Option(help="按此时刻(ISO 时间),默认现在")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("returns", help="退回件:标出问题的原表副本、问题清单和退回函。")(returns)
    app.command("remind", help="催报:按工作日历列出未报和未重报的单位并生成催报函。")(remind)
    app.command("explained", help="登记填报单位对一项核实问题的说明,下次运行时放行。")(explained)


# --- returns --------------------------------------------------------------------------------------


def returns(
    period: Period = None,
    reporter: Annotated[str | None, typer.Option(help="只做该填报单位(编号)")] = None,
    home: Home = None,
    as_json: Json = False,
    now: Now = None,
) -> None:
    """Build the returned workbooks and letters of a period and list them."""
    from assets.deliveries import returning as work
    from pipelines.cli.workspace import UsageError

    workspace, catalog, chosen = _opened(home, period)
    if reporter is not None and reporter not in {r.reporter_id for r in catalog.reporters}:
        raise UsageError(f"没有编号为 {reporter} 的填报单位;编号见 parkwatch status --json")
    with _Reading(workspace) as reading:
        task = work.Returning(
            workspace, catalog, work.today_of(workspace, _moment(now, workspace)), reading.pool
        )
        made = []
        for one in work.build_returns(task, chosen, None if reporter is None else [reporter]):
            made.append(one)
            if not as_json:
                _say_return(one)
    if as_json:
        typer.echo(json.dumps([json.loads(work.as_json(o, workspace.home)) for o in made],
                              ensure_ascii=False, indent=1))  # fmt: skip
    elif not made:
        echo(f"{chosen} 没有需要退回的报送件")
    else:
        echo(f"{chosen} 退回 {len(made)} 个单位,在 {made[0].folder.parent}")


_KINDS = {"marked": "原表标记", "converted": "转换后标记", "list": "只列问题"}


def _say_return(one: Any) -> None:
    echo(f"{one.name}:错误 {one.n_error} 项、核实 {one.n_verify} 项,重报期限 {one.reply_by}")
    for file in one.files:
        echo(f"  {one.folder.name}/{file.copy_name}({_KINDS[file.marked]})")


class _Reading:
    """Reading processes, started when the first original has to be read."""

    def __init__(self, workspace: Any) -> None:
        self._workspace, self._pool = workspace, None

    def __enter__(self) -> _Reading:
        return self

    def pool(self) -> Any:
        """The pool, open."""
        from assets.submissions.reading.sandbox import ReaderPool

        if self._pool is None:
            self._pool = ReaderPool(1)
            self._pool.__enter__()
        return self._pool

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.close()


# --- reminders ------------------------------------------------------------------------------------


def remind(
    period: Period = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只列出,不生成、不登记")] = False,
    home: Home = None,
    as_json: Json = False,
    now: Now = None,
) -> None:
    """Produce the reminders that are due, each once."""
    from assets.deliveries.reminding import remind as due

    workspace, catalog, chosen = _opened(home, period)
    moment = _moment(now, workspace)
    produced = list(due(workspace, catalog, chosen, moment, dry_run=dry_run))
    if as_json:
        rows = [
            {"reporter": one.letter.recipient, "name": one.reminder.awaited.name,
             "stage": one.reminder.stage.reminder_id, "about": one.reminder.awaited.about,
             "due": one.reminder.awaited.due.isoformat(), "certain": one.reminder.awaited.certain,
             "workdays_over": one.reminder.workdays_over, "subject": one.letter.subject,
             "file": one.file.relative_to(workspace.home).as_posix(), "key": one.letter.key}
            for one in produced
        ]  # fmt: skip
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for one in produced:
        _say_reminder(one, dry_run=dry_run)
    word = "应催报" if dry_run else "已生成催报"
    echo(f"{chosen} {word} {len(produced)} 件" if produced else f"{chosen} 目前没有应催报的单位")


def _say_reminder(one: Any, *, dry_run: bool) -> None:
    from quality.deadlines import UNCERTAIN

    matter = one.reminder.awaited
    over = f",已超 {one.reminder.workdays_over} 个工作日" if one.reminder.workdays_over else ""
    echo(f"{matter.name}:{one.reminder.stage.title}(期限 {matter.due}{over})")
    if not matter.certain:
        echo(f"  注意:{UNCERTAIN}", err=True)
    if not dry_run:
        echo(f"  {one.file}")


# --- explanations ---------------------------------------------------------------------------------


def explained(
    finding: Annotated[str, typer.Argument(help="问题编号(quality.finding 的 finding_id)")],
    text: Annotated[str, typer.Option(help="单位的说明原文")],
    by: Annotated[str, typer.Option(help="作出说明的单位或岗位")],
    recorded_by: Annotated[str | None, typer.Option(help="经办人,默认当前登录用户")] = None,
    home: Home = None,
) -> None:
    """Record a reporter's explanation of a 核实 finding; an 错误 cannot be explained away."""
    from pipelines.cli.intake import _next_run, _user
    from pipelines.cli.workspace import UsageError
    from pipelines.settings import load_workspace
    from warehouse.filing_ledger import Explanation, FilingLedger
    from warehouse.store import Warehouse, fetch

    workspace = load_workspace(home)
    if not text.strip() or not by.strip():
        raise UsageError("请用 --text 写明说明原文,用 --by 写明作出说明的单位或岗位")
    with Warehouse(workspace).reading() as connection:
        rows = fetch(
            connection,
            "SELECT finding_id, severity, message, period FROM quality.finding "
            "WHERE starts_with(finding_id, ?) AND outcome = 'fail' ORDER BY finding_id LIMIT 2",
            [finding],
        )
    if len(rows) != 1 or len(finding) < 6:
        raise UsageError(f"没有唯一编号为 {finding} 的问题;编号见 quality.finding,至少写前 6 位")
    row = rows[0]
    if row["severity"] != "verify":
        raise UsageError(f"“{row['message']}”不是核实项:错误须改正后重报,提示无需说明")
    at = datetime.now(UTC).isoformat(timespec="microseconds")
    who = (recorded_by or _user()).strip()
    FilingLedger(workspace.state_file).explain(
        Explanation(row["finding_id"], at, by.strip(), who, text.strip())
    )
    echo(f"已登记说明({by.strip()}):{row['message']}")
    _next_run(workspace, row["period"])


# --- shared ---------------------------------------------------------------------------------------


def _opened(home: Path | None, period: str | None) -> tuple[Any, Any, str]:
    """Workspace, catalogue and period. Raises UsageError for a period that is none."""
    from pipelines.cli.run import checked_period
    from pipelines.settings import load_workspace
    from warehouse.catalog.load import load_catalog

    workspace = load_workspace(home)
    chosen = checked_period(period or workspace.default_period, workspace)
    return workspace, load_catalog(workspace.catalog, workspace.catalog_base), chosen


def _moment(text: str | None, workspace: Any) -> datetime:
    """A moment with zone; without one it is the bureau's local time."""
    from zoneinfo import ZoneInfo

    from pipelines.cli.workspace import UsageError

    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--now 应为 ISO 时间,例:2020-07-20T18:00,读到 {text}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(workspace.timezone))
