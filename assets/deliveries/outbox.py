"""Outbox (发件箱): every planned message leaves once, and what cannot be told is shown to a person.

Belongs here: the loop over due messages, retries, what a restart concludes, the answer to "was it
taken". Does not belong here: SMTP itself (``smtp``), what is planned (releases, returns, reminders) or
how the ledger stores it (``warehouse.outbox_ledger``). One sender at a time per workspace (flock).
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from assets.deliveries.mailboxes import Lookup, LookupFailedError
from assets.deliveries.smtp import Attempt
from warehouse import locks
from warehouse.outbox_ledger import OutboxLedger

Clock = Callable[[], datetime]
RETRY_MINUTES = (5, 15, 60, 240, 720, 1440)
HELD_BACK = timedelta(minutes=5)  # until what may not leave yet is asked about again
ALERTING = ("connect", "tls", "login")  # stages at which the server, not the message, is at fault


class OutboxBusyError(Exception):
    """Another process is sending from this workspace."""


class Deliverer(Protocol):
    """What hands a message over: ``smtp.Courier``."""

    def deliver(
        self, sender: str, recipients: list[str], content: bytes, before_dot: Callable[[], None]
    ) -> Attempt:
        """Hand over one message."""
        ...  # pragma: no cover

    def quit(self) -> None:
        """End the conversation."""
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class Policy:
    """How the outbox behaves. ``retry_minutes``: waits between attempts, then the message is given
    up and shown to a person. ``lookup_wait``: how long a taken message may need to show up where it
    is looked up; until then its absence proves nothing. ``per_minute``: messages handed over in a minute
    at most, evenly spaced, for servers that refuse more; 0 for as fast as they are taken."""

    sender: str
    journal: str = ""
    retry_minutes: tuple[int, ...] = RETRY_MINUTES
    lookup_wait: timedelta = timedelta(minutes=10)
    per_minute: int = 0


@dataclass(slots=True)
class Report:
    """What a round did: rows per outcome, and words for the operator when something is wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    stopped: str = ""
    alerts: list[str] = field(default_factory=list)


@contextmanager
def only_sender(lock_file: Path) -> Iterator[None]:
    """Hold the workspace's sending lock; OutboxBusyError when another process does."""
    with locks.hold(
        lock_file,
        busy=lambda holder: OutboxBusyError(f"另一个进程({holder})正在发送邮件:请等它结束后再试"),
    ):
        yield


@dataclass(frozen=True, slots=True)
class Outbox:
    """Sends what is due. ``blocked(row)`` says why a row may not leave now (not approved any more,
    embargo), empty when it may."""

    home: Path
    ledger: OutboxLedger
    courier: Deliverer
    policy: Policy
    clock: Clock
    lookup: Lookup | None = None
    blocked: Callable[[Mapping[str, Any]], str] = lambda row: ""  # noqa: ARG005
    pause: Callable[[float], None] = time.sleep

    def run(self, limit: int | None = None) -> Report:
        """One round: settle what a crash left, then send what is due, up to ``limit`` messages."""
        report = Report()
        with only_sender(self.home / "outbox.lock"):
            self.ledger.free_interrupted()
            self._settle(report)
            self._recognise(report)
            sent = 0
            while limit is None or sent < limit:
                began = self.clock()
                row = self.ledger.take(_stamp(began))
                if row is None or not self._send(row, report):
                    break
                sent += 1
                self._keep_pace(began)
            self.courier.quit()
            self._settle(report)
        return report

    def _keep_pace(self, began: datetime) -> None:
        """Wait until the next message may be handed over."""
        if self.policy.per_minute:
            spent = (self.clock() - began).total_seconds()
            self.pause(max(0.0, 60 / self.policy.per_minute - spent))

    def _recognise(self, report: Report) -> None:
        """Messages that wait although they were taken: the ledger was restored from a backup."""
        waiting = {row["message_id"] for row in self.ledger.waiting() if not row["resent"]}
        if self.lookup is None or not waiting:
            return
        taken = self._taken(waiting, report) or set()
        found = self.ledger.found_taken(
            sorted(taken), _stamp(self.clock()), "发送前查证:邮件服务器此前已接收,未再发送"
        )
        if found:
            report.counts["found_sent"] += found

    # --- one message -----------------------------------------------------------------------------

    def _send(self, row: Mapping[str, Any], report: Report) -> bool:
        """Try one message; False when the queue has to stop."""
        message_id = row["message_id"]
        why_not = self.blocked(row)
        if why_not:
            self.ledger.held_back(message_id, _stamp(self.clock() + HELD_BACK), why_not)
            report.counts["blocked"] += 1
            return True
        content = self._content(row)
        if content is None:
            self.ledger.refused(message_id, "邮件文件缺失或与台账不符,未发送;请重新生成")
            report.counts["refused"] += 1
            return True
        recipients = [row["recipient"], *([self.policy.journal] if self.policy.journal else [])]
        attempt = self.courier.deliver(
            self.policy.sender, recipients, content, lambda: self.ledger.mark_dot(message_id)
        )
        self._record(row, attempt, report)
        return attempt.outcome != "stopped"

    def _content(self, row: Mapping[str, Any]) -> bytes | None:
        """The message as it was planned, or None when the file is gone or not the same any more."""
        file = self.home / row["file"]
        content = file.read_bytes() if file.is_file() else b""
        return content if hashlib.sha256(content).hexdigest() == row["sha256"] else None

    def _record(self, row: Mapping[str, Any], attempt: Attempt, report: Report) -> None:
        message_id, reply, now = row["message_id"], attempt.reply, self.clock()
        report.counts[attempt.outcome] += 1
        if attempt.outcome == "sent":
            self.ledger.sent(message_id, _stamp(now), reply)
        elif attempt.outcome == "refused":
            self.ledger.refused(message_id, reply)
        elif attempt.outcome == "stopped":
            self.ledger.given_back(message_id, reply)
            report.stopped = f"邮件服务器设置有误,已停止发送:{reply}"
        elif attempt.outcome == "deferred":
            self._try_later(row, reply, now, report)
            if attempt.stage in ALERTING:
                report.alerts.append(f"邮件服务器暂不可用:{reply}")
        # unknown: the row stays at the dot and is settled after the round

    def _try_later(self, row: Mapping[str, Any], reply: str, now: datetime, report: Report) -> None:
        waits = self.policy.retry_minutes
        if row["attempts"] > len(waits):
            self.ledger.refused(row["message_id"], f"已试{row['attempts']}次仍未成功:{reply}")
            report.counts["given_up"] += 1
            return
        wait = timedelta(minutes=waits[row["attempts"] - 1])
        self.ledger.deferred(row["message_id"], _stamp(now + wait), reply)

    # --- what could not be told ------------------------------------------------------------------

    def _settle(self, report: Report) -> None:
        """Look up every message whose final dot may have left."""
        rows = self.ledger.ambiguous()
        if not rows:
            return
        taken = self._taken({row["message_id"] for row in rows}, report)
        now = self.clock()
        for row in rows:
            message_id = row["message_id"]
            if taken is None or row["resent"]:  # a look-up would find the first copy
                self.ledger.unknown(message_id, "发送中断在末尾,无法查证是否已被接收,请人工核实")
                report.counts["unknown_shown"] += 1
            elif message_id in taken:
                self.ledger.sent(message_id, _stamp(now), "中断后查证:邮件服务器已接收")
                report.counts["found_sent"] += 1
            elif datetime.fromisoformat(row["tried_at"]) + self.policy.lookup_wait <= now:
                self.ledger.deferred(message_id, _stamp(now), "中断后查证:邮件服务器未接收,重发")
                report.counts["found_lost"] += 1
            # else: too early to tell, the next round looks again

    def _taken(self, message_ids: set[str], report: Report) -> set[str] | None:
        """Those that were taken, or None when nobody can say."""
        if self.lookup is None:
            return None
        try:
            return self.lookup.accepted(message_ids)
        except LookupFailedError as error:
            report.alerts.append(str(error))
            return None


def utc_now() -> datetime:
    """Now; the outbox's clock in production."""
    return datetime.now(UTC)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
