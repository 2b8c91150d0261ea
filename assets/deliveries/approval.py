"""Checklist before a release (签发检查单): errors block, warnings need a tick, and who may approve.

Belongs here: whether an edition may be handed in or approved now, in words. Does not belong here: the
content of the documents (``bulletins``), the states of a release (``warehouse.releases``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from assets.deliveries.editions import Edition
from assets.deliveries.ledger_table import recipients_of
from warehouse.catalog.load import Catalog
from warehouse.catalog.models import Audience, Recipient
from warehouse.catalog.workdays import Workdays
from warehouse.filing_ledger import FilingLedger
from warehouse.releases import Key
from warehouse.workspace import ReleaseOptions, Workspace

SIMULATED = "模拟数据"


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the checklist. ``check_id`` is what a tick names."""

    severity: Literal["error", "warning"]
    check_id: str
    message: str


class ApprovalError(ValueError):
    """The release may not go on; the message lists why and how to mend it."""


def checklist(
    workspace: Workspace, catalog: Catalog, edition: Edition, now: datetime
) -> list[Item]:
    """Every error and warning of ``edition`` at ``now`` (with zone), errors first."""
    day = now.astimezone(ZoneInfo(workspace.timezone)).date()
    items = [
        *(
            Item("error", "documents", f"{fault};请重新运行 parkwatch run")
            for fault in edition.faults
        ),
        *_content(edition),
        *_blank(edition),
        *_marks(workspace, edition),
        *_recipients(workspace, catalog, edition, day),
        *_filed(workspace, edition.key.period),
        *_calendar(workspace, catalog, edition.key.period, day),
    ]
    return sorted(items, key=lambda item: item.severity)


def may_go_on(items: Iterable[Item], ticks: Iterable[str], *, warnings: bool = True) -> None:
    """ApprovalError when there are errors, or warnings nobody ticked."""
    ticked = set(ticks)
    open_items = [
        item for item in items
        if item.severity == "error" or (warnings and item.check_id not in ticked)
    ]  # fmt: skip
    if open_items:
        words = {"error": "错误", "warning": "提醒"}
        lines = [f"  {words[i.severity]} {i.check_id}:{i.message}" for i in open_items]
        if any(item.severity == "warning" for item in open_items):
            lines.append("  提醒须逐项确认:加 --tick 编号(可多次)")
        raise ApprovalError("检查单未通过:\n" + "\n".join(lines))


def check_operator(options: ReleaseOptions, by: str) -> None:
    """ApprovalError when ``by`` is not among those who may approve."""
    if options.approvers and by not in options.approvers:
        raise ApprovalError(
            f"{by} 不在可签发人之列(见 parkwatch.toml [release] approvers):{'、'.join(options.approvers)}"
        )


def embargo_of(
    options: ReleaseOptions, approved_at: datetime, wanted: datetime | None
) -> datetime | None:
    """When mails may leave: the later of the rule's and the wanted moment, None for at once."""
    rule = approved_at + timedelta(hours=options.embargo_hours) if options.embargo_hours else None
    if wanted is not None and wanted <= approved_at:
        raise ApprovalError("解禁时间已过:请写将来的时间,或不写 --embargo")
    moments = [moment for moment in (rule, wanted) if moment is not None]
    return max(moments, default=None)


def not_before(
    options: ReleaseOptions, audience: Audience | None, embargo_until: str | None
) -> datetime | None:
    """When the mails of an audience may leave: roles of the pre-release window earlier."""
    if not embargo_until:
        return None
    moment = datetime.fromisoformat(embargo_until)
    early = audience is not None and audience.role in options.pre_release_roles
    return moment - timedelta(hours=options.pre_release_hours) if early else moment


def release_day(workspace: Workspace, catalog: Catalog, period: str) -> date | None:
    """The day ``period`` is to be released by the calendar rule, None when there is none."""
    rule = workspace.release.calendar
    if rule is None:
        return None
    days = Workdays(catalog.calendar)
    return rule.due(period, days.is_workday, days.is_holiday)


def next_releases(
    workspace: Workspace, catalog: Catalog, today: date, count: int = 3
) -> list[tuple[str, date]]:
    """The next ``count`` (period, day) of the release calendar from ``today`` on."""
    if workspace.release.calendar is None:
        return []
    found: list[tuple[str, date]] = []
    month = today.year * 12 + today.month - 1 - workspace.release.calendar.month_offset - 1
    while len(found) < count:
        period = f"{month // 12}-{month % 12 + 1:02d}"
        month += 1
        if int(period[5:]) < workspace.first_month:
            continue
        day = release_day(workspace, catalog, period)
        if day is not None and day >= today:
            found.append((period, day))
    return found


def audience_of(catalog: Catalog, audience_id: str) -> Audience | None:
    """The audience, None when the catalogue does not have it any more."""
    return next((a for a in catalog.audiences if a.audience_id == audience_id), None)


def valid_recipients(
    workspace: Workspace, audience: Audience | None, edition: Edition, day: date
) -> list[Recipient]:
    """To whom the edition goes on ``day``: posts that are valid; a correction goes to exactly those
    who got the edition before."""
    known = {r.email: r for r in (audience.recipients if audience else ())}
    if edition.key.edition == 1:
        return [recipient for recipient in known.values() if recipient.valid_on(day)]
    before = Key(edition.key.period, edition.key.audience_id, edition.key.edition - 1)
    got = recipients_of(workspace, before)
    return [known.get(address) or Recipient(email=address) for address in got]


# --- the lines ------------------------------------------------------------------------------------


def _content(edition: Edition) -> Iterator[Item]:
    """What the release check found when the edition was written."""
    if not edition.n_checks:
        again = f"parkwatch bulletin build --period {edition.key.period}"
        yield Item("error", "unchecked", f"这一版没有签发前核对的结果;请运行 {again}")
    for row in edition.failed:
        severity: Literal["error", "warning"] = "error" if row.severity == "error" else "warning"
        yield Item(severity, row.check_id, f"{row.description}：{row.message}")


def _blank(edition: Edition) -> Iterator[Item]:
    for name in edition.documents:
        file = edition.folder / name
        if file.is_file() and file.stat().st_size < 500:
            yield Item("error", "blank", f"文件 {name} 几乎没有内容")
    if not edition.documents:
        yield Item("error", "blank", "这一版没有任何文件")
    if edition.n_figures == 0:
        yield Item("error", "blank", "通报中没有任何数字:没有可用数据,不能签发")


def _marks(workspace: Workspace, edition: Edition) -> Iterator[Item]:
    """Simulated data are marked in every page and mail; real ones nowhere."""
    from email import message_from_bytes, policy

    texts = {name: (edition.folder / name).read_text(encoding="utf-8")
             for name in edition.documents
             if name.endswith(".html") and (edition.folder / name).is_file()}  # fmt: skip
    for mail in edition.mails:
        file = workspace.home / mail.file
        if file.is_file():
            body = message_from_bytes(file.read_bytes(), policy=policy.default).get_body()
            texts[file.name] = str(body.get_content()) if body is not None else ""
    for name, text in texts.items():
        if workspace.simulated and SIMULATED not in text:
            yield Item("error", "simulated", f"{name} 没有“模拟数据”标记")
        if not workspace.simulated and SIMULATED in text:
            yield Item("error", "simulated", f"{name} 含模拟数据,不能作为正式通报签发")


def _recipients(
    workspace: Workspace, catalog: Catalog, edition: Edition, day: date
) -> Iterator[Item]:
    audience = audience_of(catalog, edition.key.audience_id)
    valid = valid_recipients(workspace, audience, edition, day)
    written = {mail.recipient for mail in edition.mails}
    if not valid:
        yield Item("error", "recipients", "当日没有有效的收件岗位(audiences.yaml)")
    for recipient in valid:
        if recipient.email not in written:
            yield Item(
                "error", "recipients",
                f"没有为 {recipient.name or recipient.email} 生成邮件;请重新运行 parkwatch run",
            )  # fmt: skip
    ended = [r for r in (audience.recipients if audience else ()) if not r.valid_on(day)]
    for recipient in ended:
        name = recipient.name or recipient.email
        yield Item("warning", "recipients-ended", f"{name} 当日不在有效期内,不发")


def _filed(workspace: Workspace, period: str) -> Iterator[Item]:
    board = FilingLedger(workspace.state_file).board(period)
    filed = sum(row["sha256"] is not None for row in board)
    if filed == len(board):
        return
    share = 100 * filed / len(board)
    words = f"应报 {len(board)} 个单位,已报 {filed} 个({share:.0f}%)"
    if share < workspace.release.least_filed_pct:
        least = f"{workspace.release.least_filed_pct:g}%"
        yield Item("error", "incomplete", f"{words},低于规定的 {least}([release] least_filed_pct)")
    else:
        yield Item("warning", "incomplete", words)


def _calendar(workspace: Workspace, catalog: Catalog, period: str, day: date) -> Iterator[Item]:
    planned = release_day(workspace, catalog, period)
    if planned is not None and day < planned:
        yield Item("warning", "calendar", f"早于发布日历的日期 {planned.isoformat()}")
