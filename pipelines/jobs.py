"""Jobs people and sensors launch.

Belongs here: which assets make a job, its name and description. Does not belong here: when a job runs
(sensors, schedules) or what its assets do.
"""

import dagster as dg

MONTHLY = "monthly"
SEND = "send"

monthly = dg.define_asset_job(
    MONTHLY,
    selection=dg.AssetSelection.all(),
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
    from pipelines.settings import load_workspace
    from warehouse.catalog.load import load_catalog

    workspace = load_workspace()
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    done = sending.send_due(sending.Sending(workspace, catalog))
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
    description="发送已签发的通报(先在命令行签发)。Sends approved bulletins and waiting mail.",
)
def send() -> None:
    """The job people and the sending sensor launch."""
    send_due()


ALL = [monthly, send]
