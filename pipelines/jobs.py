"""Jobs people and sensors launch.

Belongs here: which assets make a job, its name and description. Does not belong here: when a job runs
(sensors, schedules) or what its assets do.
"""

import dagster as dg

from pipelines.profiles import Profile, ProfileError

MONTHLY = "monthly"
SEND = "send"
AFTERWARDS = "afterwards"
COMMAND_TAG = "parkwatch/command"
"""Runs launched by a person's command, which itself sees to what follows."""
WAIT_TAG = "parkwatch/wait_seconds"
"""How long a run waits for another writer of the workspace; without it, it fails at once."""
WRITER_TAG = "parkwatch/writer"
"""Runs with this tag never run side by side (``dagster.yaml``). A pool would do the same, but a killed
run keeps its pool slot; a tag is free as soon as the run has ended."""
MAX_RUNTIME_SECONDS = 7200
PROFILE_TAG, OPEN_TAG = "parkwatch/profile", "parkwatch/leaves_open"
TAGS = {WRITER_TAG: "warehouse", "dagster/max_runtime": str(MAX_RUNTIME_SECONDS)}

monthly = dg.define_asset_job(
    MONTHLY,
    selection=dg.AssetSelection.all(),
    tags=TAGS,
    description=(
        "月度主流程:收件、读取、审核、入库、指标、目标判定、考核模拟、通报草稿。"
        "The main job: from the inbox to bulletins in draft for one period."
    ),
)


@dg.op(
    name="send_due",
    description=(
        "发送已签发的通报和发件箱中到期的邮件;中断的先查证。"
        "Sends what is approved and due; interrupted messages are settled first."
    ),
)
def send_due(context: dg.OpExecutionContext) -> None:
    """One round of the outbox; fails when the mail server cannot be used at all."""
    from assets.deliveries import sending
    from assets.deliveries.outbox import OutboxBusyError
    from pipelines import clock
    from pipelines.settings import load_workspace
    from warehouse.catalog.load import load_catalog

    workspace = load_workspace()
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    try:
        done = sending.send_due(sending.Sending(workspace, catalog, clock.now))
    except OutboxBusyError as busy:  # a person sends right now: the same mails, by the same rules
        context.log.info(str(busy))
        return
    context.add_output_metadata(
        {"planned": done.n_planned, "finished": ", ".join(map(str, done.finished)) or "-"}
        | dict(done.report.counts)
    )
    for note in (*done.notes, *done.report.alerts):
        context.log.warning(note)
    if done.report.stopped:
        raise dg.Failure(done.report.stopped)


@dg.job(
    name=SEND,
    tags={"dagster/priority": "10", "dagster/max_runtime": str(MAX_RUNTIME_SECONDS)},
    description="发送已签发的通报(先在命令行签发)。Sends approved bulletins and waiting mail.",
)
def send() -> None:
    """The job people and the sending sensor launch."""
    send_due()


@dg.op(
    name="after_a_run",
    description="备份、体检,按运行方式的 then。Backs up and examines, as the profile says.",
)
def after_run(context: dg.OpExecutionContext) -> None:
    """What the run's profile wants afterwards; fails when an examination finds a fault."""
    from datetime import UTC, datetime

    from pipelines.cli.diagnosis import examine
    from pipelines.profiles import load_profile
    from pipelines.settings import load_workspace
    from warehouse import backup

    workspace = load_workspace()
    how = load_profile(context.run.tags[PROFILE_TAG], workspace.home)
    folder = workspace.automation.backup_folder
    if "backup" in how.then and folder is None:
        context.log.warning("未设置 [automation] backup_folder:没有备份")
    elif "backup" in how.then and folder is not None:
        made = backup.take(workspace.home, folder, datetime.now(UTC))
        context.add_output_metadata({"backup": str(folder / made.name)})
    if "doctor" in how.then:
        wrong = [d for d in examine(workspace.home) if d.blocks]
        if wrong:
            raise dg.Failure(";".join(f"{d.what}:{d.found}。{d.mend}" for d in wrong))


@dg.job(
    name=AFTERWARDS,
    tags={"dagster/max_runtime": str(MAX_RUNTIME_SECONDS)},
    description="运行之后的备份与体检。Backup and examination after a run.",
)
def afterwards() -> None:
    """What follows a run by its profile."""
    after_run()


ALL = [monthly, send, afterwards]


def tags_of(profile: Profile) -> dict[str, str]:
    """Tags a run with this profile carries."""
    tags = {PROFILE_TAG: profile.name, "dagster/max_runtime": str(profile.max_runtime_minutes * 60)}
    return tags if profile.closes else tags | {OPEN_TAG: "yes"}


def selection_of(profile: Profile, defs: dg.Definitions) -> list[dg.AssetKey]:
    """Assets a run with this profile makes. Raises ProfileError when it leaves out an unknown one."""
    keys = {".".join(key.path): key for key in defs.resolve_asset_graph().get_all_asset_keys()}
    if unknown := sorted(set(profile.leave_out) - set(keys)):
        raise ProfileError(f"运行方式 {profile.name} 的 leave_out 有未知的表:{'、'.join(unknown)}")
    made_with = {"ops.digest"} & set(profile.leave_out)
    if made_with:
        raise ProfileError(f"运行方式 {profile.name}:ops.digest 不能省去,它使结果可见")
    left = {keys[name] for name in profile.leave_out}
    for made in defs.resolve_asset_graph().assets_defs:
        if left & set(made.keys) and not set(made.keys) <= left:
            group = "、".join(sorted(".".join(key.path) for key in made.keys))
            raise ProfileError(f"运行方式 {profile.name}:{group} 由同一步生成,只能一起省去")
    return [key for name, key in sorted(keys.items()) if name not in profile.leave_out]
