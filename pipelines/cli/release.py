"""``parkwatch bulletin submit … correct``: an edition's way from draft to sent, and who took it there.

Belongs here: the words of these commands and who types them. Does not belong here: making documents
(``bulletin build``), the checklist, transitions and sending (``assets.deliveries``, ``warehouse``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.bulletin import app as bulletin_app
from pipelines.cli.screen import echo

OPERATOR = "PARKWATCH_OPERATOR"
Home = Annotated[Path | None, typer.Option(help="工作区目录")]
Period = Annotated[str | None, typer.Option(help="报告期 YYYY-MM,默认见设置")]
Audience = Annotated[str | None, typer.Option(help="只对该受众(岗位编号),默认全部")]
By = Annotated[str, typer.Option(envvar=OPERATOR, help="操作人(岗位、姓名);或环境变量")]
Reason = Annotated[str, typer.Option(help="理由")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]


def register(_app: typer.Typer) -> None:
    """Add this module's commands to ``parkwatch bulletin``."""
    for name, words, command in (
        ("submit", "送审:把草稿交付签发,此后不再随运行改写。", submit),
        ("approve", "签发:检查单通过后批准发送(两人规则见设置)。", approve),
        ("reject", "退回修改:待签发的通报退回草稿,须写理由。", reject),
        ("withdraw", "撤回签发:尚未发出的停发,须写理由。", withdraw),
        ("send", "发送:已签发的通报逐人投递;--dry-run 只列出每封邮件。", send),
        ("correct", "更正:为已发送的通报另开一版,须写理由。", correct),
        ("releases", "签发状态与发布日历。", releases),
    ):
        bulletin_app.command(name, help=words)(command)


def submit(
    period: Period = None, audience: Audience = None, home: Home = None, by: By = ""
) -> None:
    """Hand in the drafts of a period; every file and mail is read back and compared first."""
    from assets.deliveries import releasing

    desk = _Desk(home, period, by)

    def one(edition: Any) -> str:
        items = releasing.submit(desk.sending, edition, desk.act())
        told = [f"\n  提醒 {i.check_id}:{i.message}" for i in items]
        return f"已送审,等待签发({len(edition.mails)} 封邮件){''.join(told)}"

    desk.each(audience, ("draft",), one)


def approve(
    period: Period = None,
    audience: Audience = None,
    home: Home = None,
    by: By = "",
    tick: Annotated[list[str] | None, typer.Option(help="确认一项提醒(编号,可多次)")] = None,
    embargo: Annotated[str | None, typer.Option(help="解禁时间(ISO,无时区按工作区时区)")] = None,
) -> None:
    """Approve what was handed in, exactly as it lies on disk and in the published warehouse."""
    from assets.deliveries import approval, releasing

    desk = _Desk(home, period, by)
    approval.check_operator(desk.workspace.release, desk.by)
    wanted = desk.moment(embargo) if embargo else None

    def one(edition: Any) -> str:
        stamp = releasing.approve(
            desk.sending, edition, desk.act(), ticks=tick or (), embargo=wanted
        )
        return f"已签发{f',解禁时间 {desk.local(stamp)}' if stamp else ''}"

    desk.each(audience, ("review",), one)


def reject(
    period: Period = None, audience: Audience = None, home: Home = None, by: By = "",
    reason: Reason = "",
) -> None:  # fmt: skip
    """Send editions under review back to draft."""
    from assets.deliveries import releasing

    desk = _Desk(home, period, by)

    def one(edition: Any) -> str:
        releasing.reject(desk.sending, edition, desk.act(reason))
        return "已退回修改"

    desk.each(audience, ("review",), one)


def withdraw(
    period: Period = None, audience: Audience = None, home: Home = None, by: By = "",
    reason: Reason = "",
) -> None:  # fmt: skip
    """Take back approvals; what has left cannot be taken back, the rest is stopped."""
    from assets.deliveries import releasing

    desk = _Desk(home, period, by)

    def one(edition: Any) -> str:
        return releasing.withdraw(desk.sending, edition, desk.act(reason))

    desk.each(audience, ("approved",), one)


def correct(
    period: Period = None, audience: Audience = None, home: Home = None, by: By = "",
    reason: Reason = "",
) -> None:  # fmt: skip
    """Open the next edition of what was sent."""
    desk = _Desk(home, period, by)

    def one(edition: Any) -> str:
        key = desk.sending.releases.correct(edition.key.period, edition.key.audience_id,
                                            desk.act(reason))  # fmt: skip
        return (
            f"已开第 {key.edition} 版;运行 parkwatch run --period {key.period} 生成,"
            "签发后只发给收到前一版的岗位"
        )

    desk.each(audience, ("sent",), one)


def send(
    period: Period = None,
    audience: Audience = None,
    home: Home = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只列出每封邮件,不发送")] = False,
    as_json: Json = False,
) -> None:
    """Send what is approved and due; interrupted sends are settled first."""
    from assets.deliveries import sending

    desk = _Desk(home, period, "-")
    if dry_run:
        mails, notes = sending.plan_editions(desk.sending, desk.period, audience)
        _list_planned(mails, notes, as_json)
        raise typer.Exit(1 if notes else 0)
    done = sending.send(desk.sending, [desk.period], audience)
    _say_sent(done, as_json)
    if not as_json and not done.n_planned and not done.report.counts.total():
        _say_why_nothing(desk)
    wrong = done.notes or done.report.stopped or done.report.counts["unknown_shown"]
    raise typer.Exit(1 if wrong else 0)


def _list_planned(mails: list[Any], notes: list[str], as_json: bool) -> None:
    rows = [
        {"recipient": e.mail.recipient, "post": e.mail.post, "subject": e.mail.subject,
         "file": e.mail.file, "bytes": e.mail.bytes, "message_id": e.mail.message_id,
         "not_before": e.not_before, "waits_for": e.waits_for}
        for e in mails
    ]  # fmt: skip
    if as_json:
        typer.echo(json.dumps({"mails": rows, "notes": notes}, ensure_ascii=False, indent=1))
        return
    for row in rows:
        echo(f"{row['post']} <{row['recipient']}>  {row['subject']}")
        wait = f"  {row['waits_for']}" if row["waits_for"] else ""
        echo(f"  {row['file']}({row['bytes'] / 1024:.0f} KB){wait}")
    for note in notes:
        echo(note, err=True)
    echo(f"试运行:{len(rows)} 封,未发送" if rows else "没有已签发待发送的通报")


_WORDS = {
    "sent": "已发送", "deferred": "暂缓", "refused": "被拒", "unknown": "中断待查",
    "found_sent": "查证已发", "found_lost": "查证未收、将重发", "unknown_shown": "无法确认",
    "blocked": "未到时间或已撤回", "given_up": "多次失败放弃", "stopped": "停止",
}  # fmt: skip


def _say_sent(done: Any, as_json: bool) -> None:
    report = done.report
    if as_json:
        typer.echo(json.dumps(
            {"planned": done.n_planned, "counts": dict(report.counts), "stopped": report.stopped,
             "alerts": report.alerts, "notes": done.notes,
             "finished": [str(key) for key in done.finished]}, ensure_ascii=False, indent=1))  # fmt: skip
        return
    counts = "、".join(f"{_WORDS.get(k, k)} {n}" for k, n in sorted(report.counts.items()) if n)
    echo(f"新列入 {done.n_planned} 封;{counts or '没有到期的邮件'}")
    for key in done.finished:
        echo(f"{key} 已发送完毕")
    for line in [*done.notes, *filter(None, [report.stopped]), *sorted(set(report.alerts))]:
        echo(f"注意:{line}", err=True)


def _say_why_nothing(desk: _Desk) -> None:
    """What stands between the editions of the period and sending."""
    from warehouse.releases import STATUS_ZH

    counts = Counter(row.status for row in desk.sending.releases.of_period(desk.period))
    words = "、".join(f"{STATUS_ZH[status]} {n} 份" for status, n in counts.items())
    echo(f"{desk.period} 的通报:{words or '尚未生成'}")
    if counts["draft"] or counts["review"]:
        echo("签发后才能发送:parkwatch bulletin submit,由另一人 parkwatch bulletin approve")


def releases(period: Period = None, home: Home = None, as_json: Json = False) -> None:
    """Standing of every edition of a period, and the next days of the release calendar."""
    from assets.deliveries import approval
    from warehouse.releases import STATUS_ZH

    desk = _Desk(home, period, "-")
    rows = [
        {"audience": r.key.audience_id, "edition": r.key.edition, "status": r.status,
         "submitted_by": r.submitted_by, "approved_by": r.approved_by,
         "embargo_until": r.embargo_until, "ticks": list(r.ticks), "correction": r.correction,
         "changed_at": r.changed_at}
        for r in desk.sending.releases.of_period(desk.period)
    ]  # fmt: skip
    coming = [{"period": month, "day": day.isoformat()} for month, day in
              approval.next_releases(desk.workspace, desk.catalog, desk.today)]  # fmt: skip
    if as_json:
        typer.echo(json.dumps({"period": desk.period, "releases": rows, "calendar": coming},
                              ensure_ascii=False, indent=1))  # fmt: skip
        return
    for row in rows:
        who, embargo = row["approved_by"] or row["submitted_by"], row["embargo_until"]
        notes = [STATUS_ZH[row["status"]]]
        notes += [f"{who} {desk.local(row['changed_at'])}"] if who else []
        notes += [f"解禁 {desk.local(embargo)}"] if embargo else []
        notes += [f"更正:{row['correction']}"] if row["correction"] else []
        echo(f"{row['audience']} 第 {row['edition']} 版 {','.join(notes)}")
    if not rows:
        echo(f"{desk.period} 还没有送审的通报")
    for row in coming:
        echo(f"发布日历:{row['period']} {row['day']}")


class _Desk:
    """One command at work: workspace, catalogue, moment, period, and who does it."""

    def __init__(self, home: Path | None, period: str | None, by: str) -> None:
        from assets.deliveries.sending import Sending
        from pipelines.cli.run import checked_period
        from pipelines.cli.workspace import UsageError
        from pipelines.settings import load_workspace
        from warehouse.catalog.load import load_catalog

        self.workspace = load_workspace(home)
        chosen = checked_period(period or self.workspace.default_period, self.workspace)
        if not by.strip():
            raise UsageError(f"请写明操作人:--by 岗位姓名,或设置环境变量 {OPERATOR}")
        self.period, self.by = chosen, " ".join(by.split())
        self.catalog = load_catalog(self.workspace.catalog, self.workspace.catalog_base)
        self.sending = Sending(self.workspace, self.catalog)
        self.now = self.sending.clock()
        self.at = self.sending.now()

    @property
    def today(self) -> Any:
        """The bureau's local day."""
        return self.now.astimezone(self._zone()).date()

    def act(self, reason: str = "") -> Any:
        """What goes to the audit log."""
        from warehouse.releases import Act

        return Act(self.by, self.at, reason)

    def moment(self, text: str) -> datetime:
        """A moment a person wrote."""
        from pipelines.cli.workspace import UsageError

        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise UsageError(f"时间应为 ISO 格式,例:2020-07-20T18:00,读到 {text}") from None
        return found if found.tzinfo else found.replace(tzinfo=self._zone())

    def local(self, stamp: str) -> str:
        """A ledger's moment in the bureau's zone."""
        return f"{datetime.fromisoformat(stamp).astimezone(self._zone()):%Y-%m-%d %H:%M}"

    def _zone(self) -> Any:
        from zoneinfo import ZoneInfo

        return ZoneInfo(self.workspace.timezone)

    def each(
        self, audience: str | None, standing: tuple[str, ...], act: Callable[[Any], str]
    ) -> None:
        """Do ``act`` to the newest edition of every audience that stands there; one that cannot be
        done does not stop the others, and the command then ends with 1."""
        from assets.deliveries.approval import ApprovalError
        from assets.deliveries.editions import newest, published
        from pipelines.cli.workspace import UsageError
        from warehouse.releases import ReleaseError

        editions = newest(published(self.workspace, self.period, audience))
        status = {r.key: r.status for r in self.sending.releases.of_period(self.period)}
        if not editions:
            who = f" {audience}" if audience else ""
            raise UsageError(
                f"{self.period}{who} 没有通报:先运行 parkwatch run --period {self.period}"
            )
        chosen = [e for e in editions if status.get(e.key, "draft") in standing]
        failed = 0
        for edition in chosen or editions:
            try:
                echo(f"{edition.key} {act(edition)}")
            except (ApprovalError, ReleaseError) as error:
                failed += 1
                echo(f"错误:{error}", err=True)
        if failed:
            raise typer.Exit(1)
