"""``parkwatch run``: the main job for one period, launched in this process, shown as it goes.

Belongs here: preparing the instance, launching the job the daemon would launch, saying how it ended.
Does not belong here: what the job does. Exit: 0 done; 3 done with returns or missing reporters;
1 failed; 2 usage; 75 already running.
"""

from __future__ import annotations

import errno
import os
import sys
import time
import uuid
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines import instance, outcome, trouble
from pipelines.cli.screen import echo
from warehouse.files import write_whole
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.profiles import Profile


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("run", help="主流程:收件 → 审核 → 入库 → 研判 → 通报草稿。")(run)
    app.command("ingest", help="把文件放入收件箱(与直接拖入 inbox 相同)。")(ingest)


def run(
    period: Annotated[str | None, typer.Option(help="报告期 YYYY-MM,默认见设置")] = None,
    home: Annotated[Path | None, typer.Option(help="工作区目录")] = None,
    asof: Annotated[str | None, typer.Option(help="按此时刻所知的数据(ISO 时间)")] = None,
    profile: Annotated[str, typer.Option(help="运行方式:full、fast、nightly 或自建")] = "full",
) -> None:
    """Run the main job for a period."""
    from pipelines.profiles import load_profile
    from pipelines.settings import load_workspace

    workspace = load_workspace(home)
    chosen = checked_period(period or workspace.default_period, workspace)
    moment = _asof(asof)
    how = load_profile(profile, workspace.home)
    code = launch(workspace, chosen, moment, how)
    if code in (0, 3):
        _afterwards(workspace, how)
    raise typer.Exit(code)


def _afterwards(workspace: Workspace, profile: Profile) -> None:
    """What the profile wants after a run that ended well; a fault there is said, not hidden."""
    from pipelines.cli.workspace import print_diagnoses
    from warehouse import backup

    folder = workspace.automation.backup_folder
    if "backup" in profile.then and folder is not None:
        made = backup.take(workspace.home, folder, datetime.now(UTC))
        echo(f"已备份到 {folder / made.name}")
    if "doctor" in profile.then:
        print_diagnoses(workspace.home, only_faults=True)


def ingest(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="文件或目录")],
    home: Annotated[Path | None, typer.Option(help="工作区目录")] = None,
    reporter: Annotated[str | None, typer.Option(help="填报单位编号")] = None,
) -> None:
    """Copy files into the inbox; the next run checks them like any others."""
    from pipelines.settings import load_workspace

    inbox = load_workspace(home).inbox / (reporter or "")
    inbox.mkdir(parents=True, exist_ok=True)
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                _copy_whole(file, inbox / file.name)
                echo(f"已放入收件箱:{inbox / file.name}")


def _copy_whole(source: Path, target: Path) -> None:
    """Copy so that a half-written file is never seen; never overwrite another delivery."""
    data = source.read_bytes()
    number = 1
    while target.exists() and target.read_bytes() != data:
        number += 1
        target = target.with_name(f"{source.stem}({number}){source.suffix}")
    write_whole(target, data)


def checked_period(text: str | None, workspace: Workspace) -> str:
    """A report period of the workspace; UsageError for anything else."""
    from pipelines.cli.workspace import UsageError
    from pipelines.settings import PERIOD

    if text is None:
        raise UsageError("请用 --period YYYY-MM 指定报告期,例:--period 2020-06")
    if not PERIOD.fullmatch(text):
        raise UsageError(f"报告期应写作 YYYY-MM,读到 {text};例:--period 2020-06")
    if int(text[5:]) < workspace.first_month:
        raise UsageError(
            f"{text}:1月数据不单独报送,每年第一期为 {text[:4]}-{workspace.first_month:02d}(1—2月)"
        )
    return text


def _asof(text: str | None) -> str | None:
    """A moment as naive UTC text; without a zone it is Beijing time."""
    if text is None:
        return None
    from zoneinfo import ZoneInfo

    from pipelines.cli.workspace import UsageError

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--asof 应为 ISO 时间,例:2020-07-20T18:00,读到 {text}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")


def check_folders(workspace: Workspace) -> None:
    """Raises PermissionError or UsageError at once where a run would fail only at its end."""
    from pipelines.cli.workspace import UsageError

    for folder in (workspace.archive, workspace.lake, workspace.quality, workspace.reports):
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} 应为目录,现为文件;移走该文件后再执行同一命令")
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def launch(
    workspace: Workspace, period: str, asof: str | None = None, profile: Profile | None = None
) -> int:
    """Launch the monthly job for ``period`` in this process; returns the exit code.

    Raises WarehouseBusyError before anything starts when another process is building.
    """
    from pipelines import warming
    from warehouse.store import Warehouse

    check_folders(workspace)
    instance.use(workspace.home, workspace.dagster_home)
    warehouse = Warehouse(workspace)
    # fail at once, with a plain word, when somebody else is at work
    with warehouse.writer_lock(), warming.validating(workspace), warming.collecting_seldom():
        return _launch_alone(workspace, warehouse, period, asof, profile)


def _launch_alone(
    workspace: Workspace, warehouse: Any, period: str, asof: str | None, profile: Profile | None
) -> int:
    """Launch with the writer's lock held."""
    from pipelines.resources import holder
    from warehouse.state import State

    state = State(workspace.state_file)
    run_id = str(uuid.uuid4())
    started = time.monotonic()
    state.start_run(run_id, period, _now())
    echo(f"{period} 主流程开始(工作区 {workspace.home})")
    token = holder.set(warehouse)
    try:
        with instance.waiting_seldom():
            result = _execute(workspace, run_id, period, asof, profile)
    except BaseException:
        state.finish_run(run_id, _now(), "failed", "运行中断")
        raise
    finally:
        holder.reset(token)
    if not result.success:
        state.finish_run(run_id, _now(), "failed", _failure(result))
        echo(f"错误:运行失败:{_failure(result)}\n详情:在 Dagster 界面查看运行 {run_id}", err=True)
        return 1
    seconds = time.monotonic() - started
    return _conclude(workspace, state, run_id, period, seconds)


def _execute(
    workspace: Workspace, run_id: str, period: str, asof: str | None, profile: Profile | None
) -> Any:
    """Run the job with the persistent instance, so that the UI shows it afterwards."""
    import logging
    import warnings

    warnings.filterwarnings("ignore", module="dagster")
    import dagster as dg

    from pipelines import clock, housekeeping, jobs, reconcile, resources
    from pipelines.definitions import defs
    from warehouse.state import State

    logging.getLogger("dagster").setLevel(logging.ERROR)
    own = dg.DagsterInstance.get()
    reconcile.free_lost_runs(own, State(workspace.state_file))
    housekeeping.remove_old_runs(own, workspace, clock.now())
    tags = {"dagster/partition": period, jobs.COMMAND_TAG: "run"} | (
        {resources.ASOF_TAG: asof} if asof else {}
    )
    selection = None
    if profile is not None:
        tags |= jobs.tags_of(profile)
        selection = jobs.selection_of(profile, defs) if profile.leave_out else None
    job = defs.resolve_job_def(jobs.MONTHLY)
    with display() as show, instance.kept_open(own):
        token = resources.watcher.set(show)
        try:
            return job.execute_in_process(
                instance=own,
                partition_key=period,
                asset_selection=selection,
                run_id=run_id,
                tags=tags,
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        finally:
            resources.watcher.reset(token)


@contextmanager
def display() -> Iterator[Any]:
    """Progress: one live line per step on a terminal, plain lines otherwise."""
    if not sys.stderr.isatty():
        said: list[str] = []

        def say(what: str, *_counts: int) -> None:
            if what not in said:
                said.append(what)
                echo(f"  {what}……", err=True)

        yield say
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def draw(what: str, done: int, total: int) -> None:
            for other, task in tasks.items():
                if other != what:
                    bars.update(task, completed=bars.tasks[task].total)
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total or 1)
            bars.update(tasks[what], completed=done, total=total or 1)

        yield draw
        for task in tasks.values():
            bars.update(task, completed=bars.tasks[task].total)


def _failure(result: Any) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            return trouble.why(event)
    return "未知原因"


def _conclude(workspace: Workspace, state: Any, run_id: str, period: str, seconds: float) -> int:
    """Say what came out; exit code 3 when files came back or reporters are missing."""
    board = state.board(period)
    missing = [row["name"] for row in board if row["status"] is None]
    troubled = state.troubled(period)
    status, summary = outcome.of_run(state, period, failed=None)
    state.finish_run(run_id, _now(), status, summary)
    echo(f"完成,用时 {seconds:.0f} 秒。{summary}")
    _print_troubled(workspace, period, troubled, missing)
    _print_documents(workspace, period)
    return 3 if missing or troubled else 0


SHOWN_FINDINGS = 20


def _print_troubled(
    workspace: Workspace, period: str, troubled: list[dict[str, Any]], missing: list[str]
) -> None:
    from warehouse.store import Warehouse, fetch

    if missing:
        echo("未报:" + "、".join(missing))
    if not troubled:
        return
    with Warehouse(workspace).reading() as connection:
        findings = fetch(
            connection,
            "SELECT file_name, message FROM quality.finding "
            "WHERE submission_id IN (SELECT unnest(?)) AND outcome <> 'pass' "
            "ORDER BY severity <> 'error', file_name, sheet, address",
            [[row["sha256"] for row in troubled]],
        )
    echo(
        f"问题清单({len(findings)} 条,列前 {min(len(findings), SHOWN_FINDINGS)} 条;"
        f"逐单位见 {_command()} returns --period {period}):"
    )
    file = None
    for finding in findings[:SHOWN_FINDINGS]:
        if finding["file_name"] != file:
            file = finding["file_name"]
            echo(f"  {file}")
        echo(f"    {finding['message'].removeprefix(f'文件“{file}”')}")


def _print_documents(workspace: Workspace, period: str) -> None:
    _print_main(workspace, period)
    command, home = _command(), _shown(workspace.home)
    echo(f"查看报送情况:{command} status --home {home}")
    if figure := _a_figure(workspace, period):
        echo(f"一个数字的来历:{command} explain {figure} --home {home}")


def _print_main(workspace: Workspace, period: str) -> None:
    """The documents of the widest edition, and where the others lie."""
    from warehouse.store import Warehouse, fetch

    with Warehouse(workspace).reading() as connection:
        rows = fetch(connection, _EDITIONS, [period])
    if not rows:
        return
    standing = _standing(workspace, period)
    word = "通报" if standing.total() == len(rows) else "通报草稿"
    echo(f"{word}({len(rows)} 个受众,全部见 {workspace.reports / period}):")
    folder = workspace.home / rows[0]["folder"]
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".json"):
        echo(f"  {path}")
    if standing:
        _say_standing(standing)


def _standing(workspace: Workspace, period: str) -> Counter[str]:
    """How many newest editions a run leaves alone, by where they stand."""
    from warehouse.releases import STATUS_ZH, Releases

    newest: dict[str, str] = {}
    for row in Releases(workspace.state_file).of_period(period):
        newest[row.key.audience_id] = row.status
    return Counter(STATUS_ZH[s] for s in newest.values() if s != "draft")  # type: ignore[index]


def _say_standing(standing: Counter[str]) -> None:
    words = "、".join(f"{word} {n} 份" for word, n in standing.items())
    echo(f"  其中{words}没有改动。数据有变化的:已发送的另开一版(parkwatch bulletin correct),"
         "其余先退回草稿(parkwatch bulletin reject 或 withdraw),再运行一次")  # fmt: skip


_EDITIONS = """
SELECT audience_id, folder, count(figure_id) AS n FROM bulletins.edition
LEFT JOIN bulletins.figure USING (period, audience_id, edition)
WHERE period = ? GROUP BY ALL ORDER BY n DESC, audience_id
"""


def _a_figure(workspace: Workspace, period: str) -> str | None:
    """Id of the first printed total, to try ``explain`` with."""
    from warehouse.store import Warehouse, fetch

    with Warehouse(workspace).reading() as connection:
        rows = fetch(
            connection,
            "SELECT figure_id FROM bulletins.figure WHERE period = ? AND value IS NOT NULL "
            "AND source_table = 'indicators.area_year' ORDER BY figure_id NOT LIKE '%-P-%-total', 1 LIMIT 1",
            [period],
        )
    return rows[0]["figure_id"] if rows else None


def _command() -> str:
    """How this command was called: its name when it is on PATH, else its path."""
    import shutil

    return "parkwatch" if shutil.which("parkwatch") else sys.argv[0]


def _shown(home: Path) -> str:
    try:
        return str(home.relative_to(Path.cwd()))
    except ValueError:
        return str(home)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
