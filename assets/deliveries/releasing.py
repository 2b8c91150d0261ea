"""Handing in, approving, sending back and taking back an edition: what the command and the web both do.

Belongs here: the order of checks and the entry of each act, and what it says when it is done. Does not
belong here: single checks (``approval``), standings (``warehouse.releases``), who may act where
(``pipelines``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from assets.deliveries import approval, content, sending
from assets.deliveries.approval import Item
from assets.deliveries.editions import Edition
from assets.deliveries.sending import Sending
from warehouse.releases import Act


def submit(desk: Sending, edition: Edition, act: Act) -> list[Item]:
    """Hand a draft in; returns the warnings the approver will have to tick.

    Every file and mail is read back and compared number by number first. Raises ApprovalError when
    the checklist has errors, ReleaseError when it is no draft any more.
    """
    items = approval.checklist(desk.workspace, desk.catalog, edition, desk.clock())
    known = {item.check_id for item in items}
    read = content.examined(desk.workspace, desk.catalog, [edition]).get(edition.key, ())
    items += [item for item in content.items(read) if item.check_id not in known]
    approval.may_go_on(items, (), warnings=False)
    desk.releases.record_draft(edition.key, edition.digest, act.at)
    desk.releases.submit(edition.key, edition.digest, act)
    return items


def approve(
    desk: Sending,
    edition: Edition,
    act: Act,
    *,
    ticks: Iterable[str] = (),
    embargo: datetime | None = None,
) -> str | None:
    """Approve what was handed in, exactly as it lies on disk; returns the end of the embargo (UTC).

    Raises ApprovalError: not among the approvers, errors, warnings nobody ticked; ReleaseError: not
    under review, other bytes than were handed in, the same person.
    """
    approval.check_operator(desk.workspace.release, act.by)
    now = desk.clock()
    items = approval.checklist(desk.workspace, desk.catalog, edition, now)
    approval.may_go_on(items, ticks)
    until = approval.embargo_of(desk.workspace.release, now, embargo)
    stamp = until.astimezone(UTC).isoformat(timespec="seconds") if until else None
    desk.releases.approve(
        edition.key, edition.digest, act,
        ticks=[item.check_id for item in items], embargo_until=stamp,
    )  # fmt: skip
    return stamp


def reject(desk: Sending, edition: Edition, act: Act) -> None:
    """Send an edition under review back to draft. Raises ReleaseError."""
    desk.releases.reject(edition.key, act)


def withdraw(desk: Sending, edition: Edition, act: Act) -> str:
    """Take back an approval; says what that stopped. Raises ReleaseError, OutboxBusyError."""
    gone, stopped = sending.withdraw(desk, edition.key, act)
    if not gone:
        return f"已撤回签发,恢复为草稿;停发 {stopped} 封"
    return f"已有 {gone} 封发出、不能收回,其余 {stopped} 封停发;请用 bulletin correct 更正"
