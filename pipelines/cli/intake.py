"""What people decide about deliveries, and HTTP sources: pull, withdraw, accept, lock, unlock.

Belongs here: taking the words of a command, recording them in the ledger, saying what follows. Does
not belong here: what a decision does to the figures (``warehouse/sql``); the next run applies it.
"""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from pipelines.cli.screen import echo
from warehouse.state import Decision, State, spans
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    from assets.submissions.pulling.pull_inbox import PullOutcome

MIN_PREFIX = 6


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("pull", help="下载网络数据源(sources.yaml 中 kind: http)的文件到收件箱。")(pull)
    app.command("withdraw", help="撤回一个报送件:从现在起不再采用,之前的版本恢复。")(withdraw)
    app.command("accept", help="采用一个已撤回、暂存或判为重复的报送件。")(accept)
    app.command("lock", help="封账:该报告期此后收到的报送件只登记,不采用。")(lock)
    app.command("unlock", help="解封:封账后收到的报送件在下次运行时采用。")(unlock)


Home = Annotated[Path | None, typer.Option(help="工作区目录")]
Who = Annotated[str | None, typer.Option(help="经办人,默认当前登录用户")]
Submission = Annotated[str, typer.Argument(help="报送件编号(摘要)的前几位,见 parkwatch status")]


# --- HTTP sources ---------------------------------------------------------------------------------


def pull(
    source: Annotated[str | None, typer.Option(help="只取该数据源(source_id)")] = None,
    period: Annotated[
        str | None, typer.Option(help="报告期 YYYY-MM,用于按期命名的网址,默认见设置")
    ] = None,
    home: Home = None,
) -> None:
    """Ask the HTTP sources of the catalogue; new files go into the inbox. Exit 3: some failed."""
    from assets.submissions.pulling import pull_inbox
    from pipelines.cli.workspace import UsageError
    from pipelines.settings import PERIOD, load_workspace
    from warehouse.catalog.load import load_catalog

    workspace = load_workspace(home)
    if period is not None and not PERIOD.fullmatch(period):
        raise UsageError(f"报告期应写作 YYYY-MM,读到 {period};例:--period 2020-06")
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    known = pull_inbox.http_sources(catalog)
    chosen = [s for s in known if source in (None, s.source_id)]
    if not chosen:
        raise UsageError(_no_source(source, [s.source_id for s in known]))
    state, zone = State(workspace.state_file), ZoneInfo(workspace.timezone)
    failed = False
    for one in chosen:
        outcome = pull_inbox.pull_into_inbox(
            one, workspace, state, period or workspace.default_period, lambda: datetime.now(zone)
        )
        failed |= outcome.failed
        _say(outcome, zone)
    if failed:
        raise typer.Exit(3)


def _no_source(wanted: str | None, known: list[str]) -> str:
    if wanted is None:
        return "目录中没有网络数据源;在 sources.yaml 中登记 kind: http 的来源,写法见 docs/http-sources.md"
    return f"没有名为 {wanted} 的网络数据源;可用:{'、'.join(known) or '无'}"


def _say(outcome: PullOutcome, zone: ZoneInfo) -> None:
    from assets.submissions.pulling.pull import Pulled, PullFailed, SourceError

    result, source_id = outcome.result, outcome.source.source_id
    if isinstance(result, SourceError):
        echo(f"未下载:{result}\n  处理:请修改 sources.yaml 中该数据源的登记或上述设置", err=True)
        return
    if isinstance(result, PullFailed):
        echo(f"未下载:{result.message}", err=True)
        echo(f"  读到:{result.found};应有:{result.expected}", err=True)
        echo(f"  处理:{result.remedy}", err=True)
        if result.retry_at is not None:
            echo(f"  {_when(result.retry_at, zone)} 之前不再访问", err=True)
        return
    if isinstance(result, Pulled):
        echo(f"{source_id}:取得新文件({len(result.data):,} 字节),已放入 {outcome.path}")
    else:
        full = result.state.full_at
        echo(f"{source_id}:没有变化" + (f"(内容同 {_when(full, zone)})" if full else ""))
    for notice in result.notices:
        echo(f"  提示:{notice.message}")


def _when(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


# --- submissions ----------------------------------------------------------------------------------


def withdraw(
    submission: Submission,
    reason: Annotated[str, typer.Option(help="撤回原因")],
    by: Who = None,
    home: Home = None,
) -> None:
    """Record that a submission no longer counts from now on."""
    _decide("withdraw", "撤回", submission, reason, by, home)


def accept(
    submission: Submission,
    reason: Annotated[str, typer.Option(help="采用原因")],
    by: Who = None,
    home: Home = None,
) -> None:
    """Record that a withdrawn, held or duplicate submission counts from now on."""
    _decide("accept", "采用", submission, reason, by, home)


def _decide(
    kind: str, word: str, submission: str, reason: str, by: str | None, home: Path | None
) -> None:
    workspace, state = _ledger(home)
    found = _find(state, submission)
    _refuse_when_locked(state, found)
    if not state.decide(_decision(kind, found["sha256"], reason, by)):
        echo(f"{_named(found)} 此前已登记{word}")
        return
    echo(f"已登记{word} {_named(found)}:{reason}")
    _next_run(workspace, found["period"])


def _find(state: State, prefix: str) -> dict[str, Any]:
    """The one submission meant. Raises UsageError when there is none, or more than one."""
    from pipelines.cli.workspace import UsageError

    text = prefix.strip().lower()
    if len(text) < MIN_PREFIX or set(text) - set("0123456789abcdef"):
        raise UsageError(
            f"报送件编号至少写前 {MIN_PREFIX} 位(0—9、a—f),读到“{prefix}”;编号见 parkwatch status --json"
        )
    found = state.starting_with(text)
    if not found:
        raise UsageError(f"没有编号以 {text} 开头的报送件;编号见 parkwatch status --json")
    if len(found) > 1:
        names = "、".join(f"{row['sha256'][:12]} {row['file_name']}" for row in found[:5])
        raise UsageError(f"编号以 {text} 开头的报送件有 {len(found)} 个,请多写几位:{names}")
    return found[0]


def _refuse_when_locked(state: State, found: dict[str, Any]) -> None:
    from pipelines.cli.workspace import UsageError

    locked = {s.subject for s in spans(state.decisions(), "lock") if s.ended is None}
    if found["period"] in locked:
        raise UsageError(
            f"{_named(found)} 属 {found['period']},该期已封账;确需变动,请先 "
            f"parkwatch unlock {found['period']} --reason …"
        )


def _named(found: dict[str, Any]) -> str:
    where = "、".join(str(found[name]) for name in ("reporter", "period") if found[name])
    return f"“{found['file_name']}”({found['sha256'][:12]}{',' + where if where else ''})"


# --- periods --------------------------------------------------------------------------------------


def lock(
    period: Annotated[str, typer.Argument(help="报告期 YYYY-MM")],
    reason: Annotated[str, typer.Option(help="说明,可不填")] = "",
    by: Who = None,
    home: Home = None,
) -> None:
    """Record that a period's figures stand from now on."""
    _, state = _ledger(home)
    decision = _decision("lock", _period(period), reason, by)
    if state.decide(decision):
        echo(f"{period} 已封账;此后收到的报送件照常归档、读取并列出,不改变该期数据")
    else:
        echo(f"{period} 此前已封账")


def unlock(
    period: Annotated[str, typer.Argument(help="报告期 YYYY-MM")],
    reason: Annotated[str, typer.Option(help="解封原因")],
    by: Who = None,
    home: Home = None,
) -> None:
    """Record that a period's figures may change again."""
    workspace, state = _ledger(home)
    if not state.decide(_decision("unlock", _period(period), reason, by)):
        echo(f"{period} 没有封账,无需解封")
        return
    late = state.outcomes(period, ["late_locked"])
    waiting = f",封账后收到的 {len(late)} 个报送件将予采用" if late else ""
    echo(f"{period} 已解封:{reason}{waiting}")
    _next_run(workspace, period)


def _period(text: str) -> str:
    from pipelines.cli.workspace import UsageError
    from pipelines.settings import PERIOD

    if not PERIOD.fullmatch(text):
        raise UsageError(f"报告期应写作 YYYY-MM,读到 {text};例:2020-06")
    return text


def _ledger(home: Path | None) -> tuple[Workspace, State]:
    from pipelines.settings import load_workspace

    workspace = load_workspace(home)
    return workspace, State(workspace.state_file)


def _decision(kind: Any, subject: str, reason: str, by: str | None) -> Decision:
    """The decision as of now. Raises UsageError for an empty reason where one is due."""
    from pipelines.cli.workspace import UsageError

    if kind != "lock" and not reason.strip():
        raise UsageError("请用 --reason 写明原因")
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    return Decision(kind, subject, now, (by or _user()).strip(), reason.strip())


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without user names
        return "未具名"


def _next_run(workspace: Workspace, period: str | None) -> None:
    command = f"parkwatch run --period {period or 'YYYY-MM'} --home {workspace.home}"
    echo(f"下次运行时生效:{command}")
