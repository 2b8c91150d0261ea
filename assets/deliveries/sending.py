"""Sending (发送): approved editions and letters become planned mails, the outbox runs, releases end.

Belongs here: who gets which approved edition, when it may leave, what a withdrawal stops, letters
and alerts as mails. Does not belong here: one message's way (``outbox``, ``smtp``), approving
(``approval``), rendering editions (``mailing``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from assets.deliveries import approval
from assets.deliveries.editions import Edition, published
from assets.deliveries.mailboxes import FolderLookup, ImapLookup, LogLookup, Lookup
from assets.deliveries.message import Attachment, Message, Sender, fitting_name, render_letter
from assets.deliveries.outbox import Outbox, Policy, Report, only_sender, utc_now
from assets.deliveries.receipts import asking
from warehouse.files import write_whole
from warehouse.outbox_ledger import OPEN, Mail, OutboxLedger
from warehouse.releases import Act, Key, Release, ReleaseError, Releases
from warehouse.workspace import MailPlace, Workspace

if TYPE_CHECKING:
    from assets.deliveries.outbox import Clock, Deliverer
    from quality.letters import Letter
    from warehouse.catalog.load import Catalog

PROGRAM = "parkwatch"
LOCK = "outbox.lock"
_SUBTYPES = {
    ".pdf": "pdf",
    ".xlsx": "vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".docx": "vnd.openxmlformats-officedocument.wordprocessingml.document",
}


class SendingError(ValueError):
    """Nothing can be sent as asked; the message says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What sending from a workspace needs; ``courier`` None: the server of the settings."""

    workspace: Workspace
    catalog: Catalog
    clock: Clock = utc_now
    courier: Deliverer | None = None

    @property
    def releases(self) -> Releases:
        """The workspace's releases."""
        return Releases(self.workspace.state_file, two_persons=self.workspace.release.two_persons)

    def now(self) -> str:
        """The moment, ISO 8601 in UTC."""
        return self.clock().astimezone(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class PlannedMail:
    """A mail of an approved edition, why it may not leave yet (empty when it may), from when."""

    mail: Mail
    not_before: str
    waits_for: str


@dataclass(slots=True)
class Sent:
    """What a round did. ``finished``: releases of which nothing is open any more."""

    n_planned: int = 0
    report: Report = field(default_factory=Report)
    finished: list[Key] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


# --- planning editions ----------------------------------------------------------------------------


def batch_of(key: Key, digest: str) -> str:
    """Name of an edition's mails in the ledger; another content is another batch."""
    return f"{key}/{digest}"


def key_of(batch: str) -> Key:
    """The edition a batch belongs to."""
    period, audience_id, number, _ = batch.split("/")
    return Key(period, audience_id, int(number))


def planned(sending: Sending, release: Release, edition: Edition) -> list[PlannedMail]:
    """One mail per valid post for an approved edition.

    Raises SendingError when what lies on disk is not what was approved.
    """
    if edition.faults or edition.digest != release.documents:
        why = ";".join(edition.faults) or "内容与签发时不同"
        raise SendingError(f"{release.key} 未发送:{why}。请撤回签发(bulletin withdraw)后重新生成")
    workspace = sending.workspace
    day = sending.clock().astimezone(ZoneInfo(workspace.timezone)).date()
    audience = approval.audience_of(sending.catalog, release.key.audience_id)
    posts = {r.email: r.name for r in
             approval.valid_recipients(workspace, audience, edition, day)}  # fmt: skip
    moment = approval.not_before(workspace.release, audience, release.embargo_until)
    waits = f"解禁时间 {release.embargo_until} 未到" if moment and moment > sending.clock() else ""
    found = []
    for prepared in edition.mails:
        if prepared.recipient not in posts:
            continue
        content = (workspace.home / prepared.file).read_bytes()
        mail = Mail(
            batch=batch_of(release.key, edition.digest),
            recipient=prepared.recipient,
            kind="bulletin",
            post=posts[prepared.recipient] or (audience.name if audience else ""),
            subject=subject_in(content),
            message_id=prepared.message_id,
            file=prepared.file,
            sha256=prepared.sha256,
            bytes=len(content),
        )
        starts = max(moment, sending.clock()) if moment else sending.clock()
        found.append(PlannedMail(mail, _stamp(starts), waits))
    return found


def approved(sending: Sending, period: str, audience_id: str | None = None) -> list[Release]:
    """Approved releases of a period that are not sent yet."""
    return [r for r in sending.releases.of_period(period)
            if r.status == "approved" and audience_id in (None, r.key.audience_id)]  # fmt: skip


def plan_editions(
    sending: Sending, period: str, audience_id: str | None = None
) -> tuple[list[PlannedMail], list[str]]:
    """Mails of every approved edition of a period, and in words what cannot be sent and why."""
    on_disk = {e.key: e for e in published(sending.workspace, period, audience_id)}
    mails: list[PlannedMail] = []
    notes: list[str] = []
    for release in approved(sending, period, audience_id):
        edition = on_disk.get(release.key)
        if edition is None:
            notes.append(f"{release.key} 未发送:已发布的数据库里没有这一版;请运行 parkwatch run")
            continue
        try:
            mails += planned(sending, release, edition)
        except SendingError as error:
            notes.append(str(error))
    return mails, notes


# --- a round --------------------------------------------------------------------------------------


def send(
    sending: Sending,
    periods: Iterable[str] = (),
    audience_id: str | None = None,
    limit: int | None = None,
) -> Sent:
    """Plan the approved editions of ``periods``, send whatever is due, end releases that are done.

    Raises SendingError when there is no [mail] server, OutboxBusyError when another process sends.
    """
    workspace = sending.workspace
    if workspace.mail is None:
        raise SendingError("没有邮件服务器设置:请在 parkwatch.toml 写 [mail](见 docs/releases.md)")
    done = Sent()
    ledger = OutboxLedger(workspace.state_file)
    try:
        for period in periods:
            mails, notes = plan_editions(sending, period, audience_id)
            done.notes += notes
            done.n_planned += _plan_together(ledger, mails)
        done.report = outbox_of(sending, ledger).run(limit)
        done.finished = finish(sending, ledger)
        _alert(sending, ledger, done)
    finally:
        ledger.close()
    return done


def _plan_together(ledger: OutboxLedger, mails: Iterable[PlannedMail]) -> int:
    """All mails of an edition in one transaction: a backup never holds half of them."""
    batches: dict[str, list[PlannedMail]] = {}
    for each in mails:
        batches.setdefault(each.mail.batch, []).append(each)
    return sum(
        ledger.plan([each.mail for each in batch], batch[0].not_before)
        for batch in batches.values()
    )


def outbox_of(sending: Sending, ledger: OutboxLedger) -> Outbox:
    """The outbox of a workspace by its settings."""
    from assets.deliveries.smtp import Courier

    options = sending.workspace.mail
    assert options is not None
    return Outbox(
        home=sending.workspace.home,
        ledger=ledger,
        courier=sending.courier or Courier(options.server),
        policy=Policy(
            options.sender, options.server.journal, options.retry_minutes,
            timedelta(minutes=options.lookup_wait_minutes), options.per_minute,
        ),
        clock=sending.clock,
        lookup=lookup_of(options.lookup),
        blocked=lambda row: why_blocked(sending, row),
    )  # fmt: skip


def lookup_of(place: MailPlace | None) -> Lookup | None:
    """Where to see whether a message was taken."""
    if place is None:
        return None
    if place.kind == "imap":
        assert place.mailbox is not None
        return ImapLookup(place.mailbox)
    return FolderLookup(place.path) if place.kind == "maildir" else LogLookup(place.path)


def why_blocked(sending: Sending, row: Any) -> str:
    """Why a row may not leave now, asked right before it would; empty when it may."""
    if row["kind"] != "bulletin":
        return ""
    release = sending.releases.find(key_of(row["batch"]))
    if release is None or release.status not in ("approved", "sent"):
        return "签发已撤回,未发送"
    if batch_of(release.key, release.documents) != row["batch"]:
        return "不是已签发的内容,未发送"
    audience = approval.audience_of(sending.catalog, release.key.audience_id)
    moment = approval.not_before(sending.workspace.release, audience, release.embargo_until)
    return f"解禁时间 {release.embargo_until} 未到" if moment and moment > sending.clock() else ""


def finish(sending: Sending, ledger: OutboxLedger) -> list[Key]:
    """Mark releases as sent whose mails are all settled and of which at least one was taken."""
    states: dict[str, list[str]] = {}
    for row in ledger.mails():
        if row["kind"] == "bulletin":
            states.setdefault(row["batch"], []).append(row["state"])
    done = []
    for batch, found in sorted(states.items()):
        release = sending.releases.find(key_of(batch))
        if release is None or release.status != "approved":
            continue
        settled = batch_of(release.key, release.documents) == batch and "sent" in found
        if settled and not set(found) & set(OPEN):
            sending.releases.sent(release.key, Act(PROGRAM, sending.now()))
            done.append(release.key)
    return done


def withdraw(sending: Sending, key: Key, act: Act) -> tuple[int, int]:
    """Take back an approval; returns (mails that had left, mails stopped).

    Where nothing has left the edition is a draft again. Where some have, the rest is stopped and the
    release ends as sent, so that only a correction (更正) can follow. OutboxBusyError while sending.
    """
    with only_sender(sending.workspace.home / LOCK):
        ledger = OutboxLedger(sending.workspace.state_file)
        release = sending.releases.find(key)
        batch = batch_of(key, release.documents) if release else ""
        gone = sum(r["state"] in ("sent", "dot", "unknown", "sending") for r in ledger.mails(batch))
        if gone:
            if not act.reason.strip() or release is None or release.status != "approved":
                raise ReleaseError(
                    f"{key} 已有 {gone} 封邮件发出,不能撤回;请用 bulletin correct 更正"
                )
            sending.releases.sent(key, act)
        else:
            sending.releases.withdraw(key, act)
        stopped = ledger.suppress(batch, f"{act.by}撤回签发:{act.reason}")
        ledger.close()
    return gone, stopped


# --- letters and alerts ---------------------------------------------------------------------------


def plan_letter(
    sending: Sending, ledger: OutboxLedger, letter: Letter, kind: str, recipient: str, post: str
) -> bool:
    """Plan a return or reminder, once for ever; True when it is new."""
    files = [
        Attachment(fitting_name(f.name), f.read_bytes(), _SUBTYPES.get(f.suffix, "octet-stream"))
        for f in letter.attachments
    ]
    message = render_letter(
        letter.subject, letter.text, key=letter.key, recipient=recipient,
        sender=sender_of(sending.workspace), date=sending.clock(), attachments=files,
        receipt=asking(sending.workspace, recipient),
    )  # fmt: skip
    return _plan_message(sending, ledger, message, kind, letter.key, post)


def _plan_message(
    sending: Sending, ledger: OutboxLedger, message: Message, kind: str, key: str, post: str
) -> bool:
    """The file first, durable, then the row; what is planned already is left as it is."""
    if ledger.by_message_id(message.message_id) is not None:
        return False
    name = hashlib.sha256(message.message_id.encode()).hexdigest()[:32] + ".eml"
    file = sending.workspace.outbox / name
    write_whole(file, message.content)
    mail = Mail(
        key, message.recipient, kind, post, message.subject, message.message_id,
        file.relative_to(sending.workspace.home).as_posix(), message.sha256, len(message.content),
    )  # fmt: skip
    return ledger.plan([mail], sending.now()) == 1


def _alert(sending: Sending, ledger: OutboxLedger, done: Sent) -> None:
    """Tell the operator what went wrong, each thing once a day; it leaves with the next round."""
    options = sending.workspace.mail
    assert options is not None
    said = [done.report.stopped, *done.report.alerts, *done.notes]
    unknown = done.report.counts["unknown_shown"]
    if unknown:
        said.append(f"{unknown} 封邮件无法确认是否已被接收,请用 parkwatch deliveries list 查看")
    lines = sorted(set(filter(None, said)))
    if not options.operator or not lines:
        return
    text = "\n".join(lines)
    key = f"alert:{sending.now()[:10]}:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    message = render_letter(
        f"【系统告警】{sending.workspace.bureau.name}邮件发送需要处理",
        f"{text}\n\n处理:登录系统运行 parkwatch deliveries 查看。\n",
        key=key, recipient=options.operator, sender=sender_of(sending.workspace),
        date=sending.clock(),
    )  # fmt: skip
    _plan_message(sending, ledger, message, "alert", key, "系统管理岗")


def sender_of(workspace: Workspace) -> Sender:
    """From whom: the bureau's name and the address mail is sent with."""
    address = workspace.mail.sender if workspace.mail else workspace.bureau.mail_address
    return Sender(workspace.bureau.name, address)


def subject_in(content: bytes) -> str:
    """Subject of a mail, decoded."""
    from email import message_from_bytes, policy

    return str(message_from_bytes(content, policy=policy.default)["Subject"])


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


# --- what is due ----------------------------------------------------------------------------------


def due_periods(sending: Sending) -> list[str]:
    """Periods with approved editions that are not sent yet."""
    return sending.releases.periods("approved")


def what_is_due(sending: Sending) -> list[str]:
    """Everything a round would have to do now, one line each: approved editions that are not planned,
    mails that wait and may leave, mails to be looked up. The same state gives the same lines."""
    if sending.workspace.mail is None:
        return []
    ledger = OutboxLedger(sending.workspace.state_file)
    now = sending.now()
    found = [f"look up {row['message_id']}" for row in ledger.ambiguous()]
    found += [
        f"send {row['message_id']} {row['attempts']} {row['resent']} {row['due_at']}"
        for row in ledger.waiting()
        if row["due_at"] <= now
    ]
    known = {row["batch"] for row in ledger.mails()}
    ledger.close()
    batches = [
        batch_of(release.key, release.documents)
        for period in due_periods(sending)
        for release in approved(sending, period)
    ]
    return sorted(found + [f"plan {batch}" for batch in batches if batch not in known])


def send_due(sending: Sending) -> Sent:
    """Send everything that is approved or waiting; what the job ``send`` does."""
    return send(sending, due_periods(sending))
