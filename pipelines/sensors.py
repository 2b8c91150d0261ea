"""Sensors: what the daemon does by itself. Each asks the state of the world; none trusts the clock's
ticks, so an outage of any length loses nothing.

Belongs here: collecting what a decision needs from Dagster, the catalogue and the ledger, and turning
decisions into run requests and alerts. Does not belong here: the decisions (``due``), freeing runs
(``reconcile``), the wording of rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from assets.submissions import archive
from pipelines import ahead, clock, housekeeping, reconcile, trouble
from pipelines.due import Attempt, Decision, Due, Request, decide, due_moments
from pipelines.jobs import (
    COMMAND_TAG,
    MONTHLY,
    PROFILE_TAG,
    SEND,
    WAIT_TAG,
    afterwards,
    monthly,
    selection_of,
    send,
    tags_of,
)
from pipelines.profiles import Profile, ProfileError, load_profile
from pipelines.settings import load_workspace
from warehouse.closings import Closings
from warehouse.state import State
from warehouse.workspace import Workspace

DUE_TAG, ATTEMPT_TAG, REASON_TAG = "parkwatch/due", "parkwatch/attempt", "parkwatch/reason"
LOCK_WAIT_SECONDS = 1800
SETTLE_SECONDS = 20
"""A file changed within this time may still be on its way into the inbox."""
AGAIN_MINUTES, AGAIN_AFTER_FAILURE_MINUTES = 5, 30
"""After which time a round that changed nothing is asked for again."""
ACTIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
RUNNING = dg.DefaultSensorStatus.RUNNING


@dg.sensor(
    name="due_periods",
    job=monthly,
    minimum_interval_seconds=30,
    default_status=RUNNING,
    description=(
        "到期未结的报告期各运行一次;失败的按间隔重试,仍不成功则告警。"
        "Requests each period that is due and not closed, once; a failed one again."
    ),
)
def due_periods(context: dg.SensorEvaluationContext):
    """Request what is due and not closed, in order of periods."""
    workspace = load_workspace()
    now = clock.now()
    if workspace.automation.since is None:
        return dg.SkipReason("parkwatch.toml 未设 [automation] since 或 default_period:不自动运行")
    how = automatic_profile(workspace)
    notes = _clock_note(context, now)
    catalog = _catalog(workspace)
    moments = _moments(workspace, catalog, now)
    decision = decision_at(context.instance, workspace, moments, now)
    Closings(workspace.state_file).keep_outlook(now, outlook_of(decision))
    ahead.keep(workspace, catalog, now)
    _alert_given_up(workspace, decision, now)
    if not decision.requests:
        return dg.SkipReason(notes + _why_nothing(decision))
    return dg.SensorResult(
        run_requests=[_run_request(request, how) for request in decision.requests],
        cursor=now.isoformat(),
    )


def decision_at(
    instance: dg.DagsterInstance, workspace: Workspace, moments: list[Due], now: datetime
) -> Decision:
    """The decision with everything Dagster and the ledger know at ``now``."""
    closed = Closings(workspace.state_file).newest()
    attempts = _attempts(instance, [due.period for due in moments])
    return decide(moments, closed, attempts, now, workspace.automation)


def outlook_of(decision: Decision) -> dict[str, Any]:
    """What ``status`` shows: next periods with their moments, what waits and why."""
    return {
        "next": [
            {"period": due.period, "at": due.at.isoformat(), "certain": due.certain}
            for due in decision.upcoming[:3]
        ],
        "waiting": [
            {"period": w.period, "why": w.why, "until": w.until and w.until.isoformat()}
            for w in decision.waiting
        ],
        "requested": [request.period for request in decision.requests],
    }


def _moments(workspace: Workspace, catalog: Any, now: datetime) -> list[Due]:
    zone = ZoneInfo(workspace.timezone)
    return due_moments(
        catalog, workspace.automation, workspace.first_month, zone, now.astimezone(zone).date()
    )


def _attempts(instance: dg.DagsterInstance, periods: list[str]) -> list[Attempt]:
    """Runs requested for these periods, and any other run of theirs that is under way."""
    if not periods:
        return []
    requested = instance.get_run_records(dg.RunsFilter(tags={DUE_TAG: periods}))
    found = []
    for record in requested:
        run = record.dagster_run
        standing = "active" if run.status in ACTIVE else "done" if run.is_success else "failed"
        ended = clock.at(record.end_time) if record.end_time else None
        number = int(run.tags.get(ATTEMPT_TAG, "1"))
        found.append(Attempt(run.tags[DUE_TAG], number, standing, ended))  # type: ignore[arg-type]
    others = instance.get_runs(dg.RunsFilter(job_name=MONTHLY, statuses=ACTIVE))
    for run in others:
        if DUE_TAG not in run.tags and "dagster/partition" in run.tags:
            found.append(Attempt(run.tags["dagster/partition"], 0, "active"))
    return found


def automatic_profile(workspace: Workspace) -> Profile:
    """How automatic runs are made. Raises ProfileError when it is unknown or closes nothing: the same
    period would be requested again and again."""
    how = load_profile(workspace.automation.profile, workspace.home)
    if not how.closes:
        raise ProfileError(f"运行方式 {how.name} 不结报告期(closes: false),不能用于自动运行")
    return how


def _selection(how: Profile) -> list[dg.AssetKey] | None:
    """Assets of a run, None for all."""
    from pipelines.definitions import defs

    return selection_of(how, defs) if how.leave_out else None


def _run_request(request: Request, how: Profile) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=request.run_key,
        partition_key=request.period,
        asset_selection=_selection(how),
        tags=tags_of(how)
        | {
            DUE_TAG: request.period,
            ATTEMPT_TAG: str(request.number),
            REASON_TAG: request.reason,
            WAIT_TAG: str(LOCK_WAIT_SECONDS),
        },
    )


def _clock_note(context: dg.SensorEvaluationContext, now: datetime) -> str:
    """A word when the clock went back since the last request; decisions do not depend on it."""
    if not context.cursor:
        return ""
    last = datetime.fromisoformat(context.cursor)
    if now < last - timedelta(minutes=5):
        context.log.warning(f"clock went back: {last.isoformat()} → {now.isoformat()}")
        return f"系统时钟倒退(上次 {last.isoformat()}):请核对时间同步。"
    return ""


def _why_nothing(decision: Decision) -> str:
    parts = [f"{w.period} {w.why}" + (f" {w.until}" if w.until else "") for w in decision.waiting]
    if decision.upcoming:
        parts.append(f"下一期 {decision.upcoming[0].period},{decision.upcoming[0].at}")
    return ";".join(parts) or "没有到期未结的报告期"


def _alert_given_up(workspace: Workspace, decision: Decision, now: datetime) -> None:
    from assets.deliveries.notices import Notice, plan

    for waiting in decision.waiting:
        if waiting.why == "given_up":
            plan(
                workspace,
                Notice(
                    f"given-up:{waiting.period}",
                    f"{waiting.period} 多次运行失败,已停止自动重试",
                    (
                        f"后果:{waiting.period} 的通报不会自动产生。",
                        "处理:用 parkwatch status 查看原因,改正后执行 "
                        f"parkwatch run --period {waiting.period}。",
                    ),
                ),
                now,
            )


# --- the inbox ------------------------------------------------------------------------------------


@dg.sensor(
    name="inbox",
    job=monthly,
    minimum_interval_seconds=30,
    default_status=RUNNING,
    description=(
        "收件箱有新文件且已放稳时运行当前报告期;同样的内容只运行一次。"
        "Runs the current period when the inbox holds new files that have settled."
    ),
)
def inbox(context: dg.SensorEvaluationContext):
    """Request the current period once for each content of the inbox not yet taken in."""
    workspace = load_workspace()
    rule = workspace.automation
    if rule.policy == "none" or not rule.inbox:
        return dg.SkipReason("设置为不自动收件")
    known = State(workspace.state_file).known_files() if workspace.state_file.exists() else {}
    files = archive.new_files(workspace.inbox, known)
    if not files:
        return dg.SkipReason("收件箱没有新文件")
    if (
        max(modified for _, _, modified in files) / 1e9
        > datetime.now(UTC).timestamp() - SETTLE_SECONDS
    ):
        return dg.SkipReason("文件还在放入,稍候")
    if context.instance.get_runs(dg.RunsFilter(job_name=MONTHLY, statuses=ACTIVE), limit=1):
        return dg.SkipReason("有运行在进行,它会收下这些文件")
    now = clock.now()
    moments = _moments(workspace, _catalog(workspace), now)
    if decision_at(context.instance, workspace, moments, now).outstanding:
        return dg.SkipReason("有到期未结的报告期,它的运行会收下这些文件")
    period = current_period(workspace, moments, now)
    if period is None:
        return dg.SkipReason("没有可运行的报告期")
    digest = hashlib.sha256("\n".join(f"{p} {s} {m}" for p, s, m in files).encode()).hexdigest()
    how = automatic_profile(workspace)
    return dg.RunRequest(
        run_key=f"inbox:{digest}",
        partition_key=period,
        asset_selection=_selection(how),
        tags=tags_of(how) | {REASON_TAG: "inbox", WAIT_TAG: str(LOCK_WAIT_SECONDS)},
    )


def current_period(workspace: Workspace, moments: list[Due], now: datetime) -> str | None:
    """The newest watched period whose months have ended."""
    from warehouse.catalog.models import period_end

    today = now.astimezone(ZoneInfo(workspace.timezone)).date()
    ended = [due.period for due in moments if period_end(due.period) < today]
    return max(ended, default=None)


# --- mail ----------------------------------------------------------------------------------------


@dg.sensor(
    name="outbox",
    job=send,
    minimum_interval_seconds=60,
    default_status=RUNNING,
    description=(
        "已签发的通报到解禁(提前发送)时间、待发或中断的邮件到期时发送;未签发的一封不发。"
        "Launches `send` when an approved edition's window opens or waiting mail is due."
    ),
)
def outbox(context: dg.SensorEvaluationContext):
    """Request a round of the outbox, once for each state of what is due; what cannot leave although
    nothing changes is tried again after a while."""
    from assets.deliveries.sending import Sending, what_is_due

    workspace = load_workspace()
    if not workspace.automation.send:
        return dg.SkipReason("设置为不自动发送([automation] send = false)")
    if workspace.mail is None:
        return dg.SkipReason("没有邮件服务器设置([mail]):不自动发送")
    now = clock.now()
    due = what_is_due(Sending(workspace, _catalog(workspace), lambda: now))
    if not due:
        return dg.SkipReason("没有到期的邮件,没有新签发的通报")
    if context.instance.get_runs(dg.RunsFilter(job_name=SEND, statuses=ACTIVE), limit=1):
        return dg.SkipReason("正在发送")
    minutes = AGAIN_MINUTES if _sent_well(context.instance) else AGAIN_AFTER_FAILURE_MINUTES
    turn = int(now.timestamp() // (60 * minutes))
    digest = hashlib.sha256("\n".join([*due, str(turn)]).encode()).hexdigest()
    return dg.RunRequest(run_key=f"send:{digest}", tags={REASON_TAG: "mail"})


def _sent_well(instance: dg.DagsterInstance) -> bool:
    """Whether the newest round that is over ended well."""
    over = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    newest = instance.get_runs(dg.RunsFilter(job_name=SEND, statuses=over), limit=1)
    return not newest or newest[0].is_success


# --- the rest -------------------------------------------------------------------------------------


@dg.sensor(
    name="reconcile",
    minimum_interval_seconds=15,
    default_status=RUNNING,
    description="释放所在进程已不存在的运行。Frees runs whose process is gone.",
)
def reconcile_runs(context: dg.SensorEvaluationContext):
    """Fail lost runs; once a day remove old ones."""
    workspace = load_workspace()
    lost = reconcile.free_lost_runs(context.instance, State(workspace.state_file))
    today = f"{clock.now():%Y-%m-%d}"
    if context.cursor != today:
        gone = housekeeping.remove_old_runs(context.instance, workspace, clock.now())
        context.update_cursor(today)
        if gone:
            context.log.info(f"removed {gone} old runs")
    return dg.SkipReason(f"已释放 {len(lost)} 个运行" if lost else "没有失去进程的运行")


@dg.run_failure_sensor(
    name="alert_on_failure",
    minimum_interval_seconds=15,
    default_status=RUNNING,
    description="运行失败时给运维岗位写一封告警。Plans an operator's alert for a failed run.",
)
def alert_on_failure(context: dg.RunFailureSensorContext):
    """One notice a failed run: what failed, consequence, next step."""
    from assets.deliveries.notices import Notice, plan

    workspace = load_workspace()
    run = context.dagster_run
    period = run.tags.get("dagster/partition", "")
    again = DUE_TAG in run.tags
    causes = [trouble.why(event) for event in context.get_step_failure_events()]
    plan(
        workspace,
        Notice(
            _what_failed(run, clock.now()),
            f"{period or run.job_name} 运行失败",
            (
                f"原因:{next(iter(causes), context.failure_event.message) or '未知'}",
                "后果:已发布的数据仍是上一次的,没有半成品。",
                "下一步:系统会按间隔自动重试;" if again else "下一步:改正后重新运行;",
                f"详情:Dagster 界面运行 {run.run_id},或 parkwatch status。",
            ),
        ),
        clock.now(),
    )


@dg.run_status_sensor(
    name="after_a_run",
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[monthly],
    request_job=afterwards,
    minimum_interval_seconds=15,
    default_status=RUNNING,
    description="运行方式要求运行后备份或体检的,运行完成后执行。Requests what a profile wants after a run.",
)
def after_a_run(context: dg.RunStatusSensorContext):
    """One request a run whose profile wants something afterwards; commands see to it themselves."""
    run = context.dagster_run
    name = run.tags.get(PROFILE_TAG)
    if name is None or COMMAND_TAG in run.tags:
        return dg.SkipReason("无后续")
    if not load_profile(name, load_workspace().home).then:
        return dg.SkipReason(f"运行方式 {name} 没有后续")
    return dg.RunRequest(run_key=f"after:{run.run_id}", tags={PROFILE_TAG: name})


def _what_failed(run: dg.DagsterRun, now: datetime) -> str:
    """Key of the alert: one a run; for mail, which is tried again and again, one a day."""
    return f"run-failed:send:{now:%Y-%m-%d}" if run.job_name == SEND else f"run-failed:{run.run_id}"


ALL = [due_periods, inbox, outbox, reconcile_runs, alert_on_failure, after_a_run]


# --- the catalogue, loaded once a version ---------------------------------------------------------


def _catalog(workspace: Workspace) -> Any:
    return _loaded(workspace.catalog, workspace.catalog_base, tuple(_stamps(workspace.catalog)))


def _stamps(folder: Path) -> Iterator[tuple[str, int, int]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            stat = path.stat()
            yield path.as_posix(), stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=2)
def _loaded(folder: Path, base: str, _stamp: tuple[Any, ...]) -> Any:
    from warehouse.catalog.load import load_catalog

    return load_catalog(folder, base)
