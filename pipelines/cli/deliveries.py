"""``parkwatch deliveries`` and ``parkwatch audit``: what became of every mail, and the audit log.

Belongs here: listing the mail ledger, confirming receipt, sending again, reading returned mail,
queueing letters, checking the log. Does not belong here: what these mean (``assets.deliveries``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.screen import echo

Home = Annotated[Path | None, typer.Option(help="工作区目录")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
By = Annotated[str, typer.Option(envvar="PARKWATCH_OPERATOR", help="操作人(岗位、姓名)")]
Period = Annotated[str | None, typer.Option(help="报告期 YYYY-MM")]

deliveries_app = typer.Typer(
    name="deliveries", help="邮件台账:已发、暂缓、被拒、待核实、退信、签收。",
    rich_markup_mode=None,
)  # fmt: skip
audit_app = typer.Typer(
    name="audit", help="审计日志(链式校验)。", no_args_is_help=True, rich_markup_mode=None
)

STATES = {
    "planned": "待发送", "sending": "发送中", "dot": "中断待查", "sent": "已发送", "deferred": "暂缓",
    "refused": "被拒", "unknown": "无法确认", "suppressed": "已停发",
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    deliveries_app.callback(invoke_without_command=True)(deliveries)
    deliveries_app.command("list", help="每封邮件一行。")(list_mails)
    deliveries_app.command("ack", help="登记签收(岗位电话或当面确认)。")(ack)
    deliveries_app.command("receipt", help="登记签收链接(收件人转来的网址或其末段)。")(receipt)
    deliveries_app.command("resend", help="重发无法确认、被拒或退信的邮件(邮件编号不变)。")(resend)
    deliveries_app.command("bounces", help="读取退信与签收回复,登记到对应邮件。")(bounces)
    deliveries_app.command("queue", help="把退回函、催报函列入发件箱。")(queue)
    app.add_typer(deliveries_app, name="deliveries")
    audit_app.command("verify", help="逐条校验审计日志是否被改动、删除或调换。")(verify)
    audit_app.command("list", help="列出审计日志。")(list_audit)
    app.add_typer(audit_app, name="audit")


def deliveries(context: typer.Context, home: Home = None, as_json: Json = False) -> None:
    """How many mails stand where, and those a person has to look at."""
    if context.invoked_subcommand is not None:
        return
    rows = _rows(home, None)
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["state"]] = counts.get(row["state"], 0) + 1
    bounced = sum(row["bounced_at"] is not None for row in rows)
    acknowledged = sum(row["acknowledged_at"] is not None for row in rows)
    look = [row for row in rows if row["state"] in ("unknown", "refused") or row["bounced_at"]]
    if as_json:
        typer.echo(json.dumps({"counts": counts, "bounced": bounced, "acknowledged": acknowledged,
                               "to_look_at": look}, ensure_ascii=False, indent=1))  # fmt: skip
        return
    words = "、".join(f"{STATES[state]} {n}" for state, n in sorted(counts.items()))
    echo(f"邮件 {len(rows)} 封:{words or '无'};退信 {bounced}、签收 {acknowledged}")
    if look:
        echo("需要人工处理(核实后用 parkwatch deliveries resend 或 ack):")
    for row in look:
        _say(row)


def list_mails(period: Period = None, home: Home = None, as_json: Json = False) -> None:
    """One line a mail."""
    rows = _rows(home, period)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        _say(row)
    if not rows:
        echo("没有邮件")


def _rows(home: Path | None, period: str | None) -> list[dict[str, Any]]:
    from pipelines.settings import load_workspace
    from warehouse.outbox_ledger import OutboxLedger

    ledger = OutboxLedger(load_workspace(home).state_file)
    rows = [r for r in ledger.mails() if period is None or r["batch"].startswith(f"{period}/")]
    ledger.close()
    return rows


def _say(row: dict[str, Any]) -> None:
    notes = [STATES[row["state"]]]
    notes += [f"退信:{row['bounce']}"] if row["bounced_at"] else []
    notes += [f"{row['acknowledged_by']}签收"] if row["acknowledged_at"] else []
    notes += [row["last_reply"]] if row["last_reply"] and row["state"] != "sent" else []
    echo(f"{row['message_id'][1:13]}  {row['post']} <{row['recipient']}>  {row['subject']}")
    echo(f"  {';'.join(notes)}")


def _one(rows: list[dict[str, Any]], start: str) -> dict[str, Any]:
    """The mail whose Message-ID starts so."""
    from pipelines.cli.workspace import UsageError

    found = [row for row in rows if row["message_id"].lstrip("<").startswith(start.lstrip("<"))]
    if len(start) < 6 or len(found) != 1:
        raise UsageError(
            f"{'没有' if not found else '不止一封'}编号为 {start} 的邮件;"
            "编号见 parkwatch deliveries list,至少写前 6 位"
        )
    return found[0]


def ack(
    mail: Annotated[str, typer.Argument(help="邮件编号(前几位)")],
    by: By = "",
    home: Home = None,
) -> None:
    """A person confirmed receipt."""
    from assets.deliveries import returned

    workspace, ledger = _opened(home)
    row = _one(ledger.mails(), mail)
    new = returned.acknowledge(workspace, ledger, row["message_id"], _who(by))
    echo("已登记签收" if new else f"此前已由{row['acknowledged_by']}签收")


def receipt(
    link: Annotated[str, typer.Argument(help="签收链接,或其最后一段")],
    by: By = "",
    home: Home = None,
) -> None:
    """Record the receipt a link stands for; exit 1 when the link is not one of ours."""
    from assets.deliveries import receipts
    from pipelines.settings import load_workspace

    answer = receipts.confirm(load_workspace(home), link.rstrip("/").rpartition("/")[2], by)
    echo(f"{answer.words}{answer.post and f'({answer.post} {answer.subject})'}")
    if answer.status != 200:
        raise typer.Exit(1)


def resend(
    mail: Annotated[str, typer.Argument(help="邮件编号(前几位)")],
    by: By = "",
    reason: Annotated[str, typer.Option(help="核实情况")] = "",
    home: Home = None,
) -> None:
    """Plan one failed mail again under its Message-ID; it leaves with the next send."""
    from assets.deliveries import returned
    from pipelines.cli.workspace import UsageError

    workspace, ledger = _opened(home)
    row = _one(ledger.mails(), mail)
    if not reason.strip():
        raise UsageError("重发须写明核实情况:--reason")
    if not returned.again(workspace, ledger, row["message_id"], _who(by), reason):
        raise UsageError(
            f"该邮件现为{STATES[row['state']]},不能重发(只有无法确认、被拒或退信的可以)"
        )
    echo("已列入重发,下次 parkwatch bulletin send 时发出")


def bounces(home: Home = None, as_json: Json = False) -> None:
    """Read returned mail and record it."""
    from assets.deliveries import returned

    workspace, ledger = _opened(home)
    found = returned.read(workspace, ledger)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    words = {"bounced": "退信", "acknowledged": "签收", "delayed": "延迟", "delivered": "送达"}
    echo("、".join(f"{words[kind]} {n}" for kind, n in found.items()) or "没有新的退信或签收")


def queue(period: Period = None, home: Home = None, as_json: Json = False) -> None:
    """Plan what goes to reporters: letters of returns as built, reminders as produced."""
    from assets.deliveries import posting
    from assets.deliveries.sending import Sending
    from pipelines.cli.workspace import UsageError
    from warehouse.catalog.load import load_catalog

    workspace, ledger = _opened(home)
    chosen = period or workspace.default_period
    if chosen is None:
        raise UsageError("请写报告期:--period YYYY-MM")
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    found = posting.plan_letters(Sending(workspace, catalog), ledger, chosen)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    echo(f"新列入:退回函 {found['return']} 封、催报函 {found['reminder']} 封")
    for name in found["no_address"]:
        echo(f"注意:{name} 没有登记邮箱(reporters.csv 的 email),未列入", err=True)


def _opened(home: Path | None) -> tuple[Any, Any]:
    from pipelines.settings import load_workspace
    from warehouse.outbox_ledger import OutboxLedger

    workspace = load_workspace(home)
    return workspace, OutboxLedger(workspace.state_file)


def _who(by: str) -> str:
    from pipelines.cli.workspace import UsageError

    if not by.strip():
        raise UsageError("请写明操作人:--by 岗位姓名,或设置环境变量 PARKWATCH_OPERATOR")
    return " ".join(by.split())


# --- audit ----------------------------------------------------------------------------------------


def verify(home: Home = None, as_json: Json = False) -> None:
    """Check the chain; exit 1 when it is broken."""
    from pipelines.settings import load_workspace
    from warehouse import audit
    from warehouse.releases import Releases

    workspace = load_workspace(home)
    log = Releases(workspace.state_file).audit_log()
    faults = audit.verify(log, workspace.state_file)
    if as_json:
        plain = [{"number": f.number, "message": f.message} for f in faults]
        typer.echo(json.dumps({"entries": len(log), "faults": plain}, ensure_ascii=False, indent=1))
    else:
        for fault in faults:
            echo(f"✗ {fault.message}", err=True)
        if not faults:
            echo(f"审计日志 {len(log)} 条,链式校验完好")
    if faults:
        raise typer.Exit(1)


def list_audit(home: Home = None, as_json: Json = False) -> None:
    """The whole log."""
    from dataclasses import asdict

    from pipelines.settings import load_workspace
    from warehouse.releases import Releases

    log = Releases(load_workspace(home).state_file).audit_log()
    if as_json:
        typer.echo(json.dumps([asdict(entry) for entry in log], ensure_ascii=False, indent=1))
        return
    for entry in log:
        echo(f"{entry.number}  {entry.at}  {entry.actor}  {entry.action}  {entry.subject}")
