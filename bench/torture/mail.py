"""Torture of the outbox: random faults of a real mail server and a sender killed at random moments.

Belongs here: the campaign, its naive control and the checker of what really happened. Does not belong
here: the outbox. Prints one line a part; ends with 1 when a promise is broken.

    python -m bench.torture.mail [--mails 10000] [--kills 500] [--seed 1] [--part all]

Parts: ``lookup`` (journal mailbox: nothing lost, nothing twice), ``blind`` (no lookup: nothing lost,
everything doubtful is shown), ``naive`` (a plain retry loop: must fail, or the checker sees nothing),
``pace`` (3,000 recipients at 2 mails a second, the waiting skipped: in no minute more than that).
Senders come from a server of forks that has everything imported: kills fall on sending, not on imports.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import random
import smtplib
import tempfile
import time
import warnings
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from assets.deliveries.mailboxes import FolderLookup, message_id_of
from assets.deliveries.outbox import Outbox, Policy, utc_now
from assets.deliveries.smtp import Courier
from tests.support.mail_server import FAULTS, MailServer, maildir
from warehouse.outbox_ledger import Mail, OutboxLedger
from warehouse.workspace import MailServer as Settings

TRANSIENT = [fault for fault in FAULTS if fault not in
             ("starttls_garbage", "auth_535", "auth_454", "rcpt_550", "end_554")]  # fmt: skip
STALLS = ("banner_stall", "dot_stall_taken")  # they cost real time: one fault in ten of theirs
LOOKUP_WAIT = timedelta(seconds=3)
PARTS = ("lookup", "blind", "naive", "pace")
warnings.filterwarnings("ignore", "'bench.torture.mail' found", RuntimeWarning)  # forks know it
SHORTEST, SPREAD = 0.1, 0.5
"""A sender lives at least so many seconds, and at most so many more, before it is killed."""


def faults(seed: int, share: float):
    """Fault of the n-th connection or message: ``share`` of them, the same for the same seed."""

    def fault(n: int) -> str | None:
        draw = random.Random(seed * 1_000_003 + n)
        if draw.random() >= share:
            return None
        name = draw.choice(TRANSIENT)
        return name if name not in STALLS or draw.random() < 0.1 else "mail_451"

    return fault


def plan(home: Path, ledger: OutboxLedger, n: int) -> list[str]:
    """Plan ``n`` messages; returns their Message-IDs."""
    mails = []
    for number in range(n):
        message_id = f"<{hashlib.sha256(str(number).encode()).hexdigest()[:40]}@torture.test>"
        content = f"Message-ID: {message_id}\r\nSubject: {number}\r\n\r\n".encode() + b"x\r\n" * 300
        (home / f"{number}.eml").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        mails.append(Mail("edition", f"r{number}@y.test", "bulletin", "post", str(number),
                          message_id, f"{number}.eml", digest, len(content)))  # fmt: skip
    ledger.plan(mails, datetime.now(UTC).isoformat(timespec="seconds"))
    return [mail.message_id for mail in mails]


def send(home: Path, port: int, journal: str) -> None:
    """The sender process: rounds until nothing is left to do."""
    ledger = OutboxLedger(home / "state.sqlite")
    settings = Settings("127.0.0.1", port, "plain", timeout=2.0, dot_timeout=2.0, hello="t")
    policy = Policy("bulletin@torture.test", "", (0,) * 200, LOOKUP_WAIT)
    lookup = FolderLookup(Path(journal)) if journal else None
    while ledger.next_due() or ledger.ambiguous() or ledger.counts().get("sending"):
        report = Outbox(home, ledger, Courier(settings), policy, utc_now, lookup).run()
        if not sum(report.counts.values()):
            time.sleep(0.3)


def killed_at_random(home: Path, port: int, journal: str, kills: int, seed: int) -> int:
    """Run the sender, killing it up to ``kills`` times; returns how often it was killed."""
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload([send.__module__])
    draw = random.Random(seed)
    done = 0
    while True:
        process = forks.Process(target=send, args=(home, port, journal))
        process.start()
        process.join(SHORTEST + draw.random() * SPREAD if done < kills else None)
        if process.exitcode is None:
            process.kill()
            process.join()
            done += 1
        elif process.exitcode:
            raise SystemExit(f"sender ended with {process.exitcode}")
        else:
            return done


def paced(mails: int, per_minute: int = 120) -> bool:
    """A bulletin to many recipients at the rate limit. The clock is the real one plus the waits, which
    are not waited; True when no minute saw more than the limit and everybody has one mail within 30."""
    skipped, handed = timedelta(), list[datetime]()

    def clock() -> datetime:
        return utc_now() + skipped

    def pause(seconds: float) -> None:
        nonlocal skipped
        handed.append(clock())
        skipped += timedelta(seconds=seconds)

    with tempfile.TemporaryDirectory() as folder, MailServer() as server:
        home = Path(folder)
        ledger = OutboxLedger(home / "state.sqlite")
        planned = plan(home, ledger, mails)
        settings = Settings("127.0.0.1", server.port, "plain", hello="t")
        policy = Policy("bulletin@torture.test", per_minute=per_minute)
        began = clock()
        Outbox(home, ledger, Courier(settings), policy, clock, pause=pause).run()
        found = checked(planned, ledger.mails(), [content for _, _, content in server.taken])
    minute = timedelta(minutes=1)
    most, first = 0, 0
    for last, at in enumerate(handed):
        while at - handed[first] >= minute:
            first += 1
        most = max(most, last - first + 1)
    took = (handed[-1] - began).total_seconds() / 60
    print(f"pace: {mails} mails at {per_minute} a minute took {took:.1f} minutes of its clock, "
          f"{most} in the fullest minute, {found}", flush=True)  # fmt: skip
    return most <= per_minute + 1 and took <= 30 and not any(found.values())


def checked(planned: list[str], rows: list[dict], taken: list[bytes]) -> dict[str, int]:
    """History against model: what was lost, sent twice, or told wrong."""
    copies = Counter(message_id_of(content) for content in taken)
    state = {row["message_id"]: row["state"] for row in rows}
    return {
        "lost": sum(state[each] == "sent" and not copies[each] for each in planned),
        "twice": sum(copies[each] > 1 for each in planned),
        "never sent": sum(state[each] not in ("sent", "unknown") for each in planned),
        "unknown": sum(state[each] == "unknown" for each in planned),
        "strangers": len(set(copies) - set(planned)),
    }


def campaign(part: str, mails: int, kills: int, seed: int) -> bool:
    """One part; True when its promise held."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        journal = maildir(home / "journal")
        ledger = OutboxLedger(home / "state.sqlite")
        planned = plan(home, ledger, mails)
        with MailServer(fault=faults(seed, 0.3), journal=journal) as server:
            server.stall = 3.0
            if part == "naive":
                found = naive(home, server, planned)
                done = 0
            else:
                where = str(journal) if part == "lookup" else ""
                done = killed_at_random(home, server.port, where, kills, seed)
                found = checked(planned, ledger.mails(), [c for _, _, c in server.taken])
        words = ", ".join(f"{name} {number}" for name, number in found.items())
        print(f"{part}: {mails} mails, 30 % faults, {done} kills, seed {seed}: {words} "
              f"({time.monotonic() - started:.0f} s)", flush=True)  # fmt: skip
    if part == "naive":
        return found["twice"] > 0  # the control has to fail
    broken = found["lost"] + found["twice"] + found["never sent"] + found["strangers"]
    return broken == 0 and (part == "blind" or found["unknown"] == 0)


def naive(home: Path, server: MailServer, planned: list[str]) -> dict[str, int]:
    """What a script does: send, and on any error send again."""
    for number in range(len(planned)):
        content = (home / f"{number}.eml").read_bytes()
        for _attempt in range(50):
            try:
                with smtplib.SMTP("127.0.0.1", server.port, timeout=2.0) as smtp:
                    smtp.sendmail("a@torture.test", [f"r{number}@y.test"], content)
                break
            except (OSError, smtplib.SMTPException):
                continue
    rows = [{"message_id": each, "state": "sent"} for each in planned]
    return checked(planned, rows, [content for _, _, content in server.taken])


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mails", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", default="all", choices=["all", *PARTS])
    said = parser.parse_args()
    parts = PARTS if said.part == "all" else (said.part,)
    sizes = {"naive": min(said.mails, 1_000)}
    held = [
        paced(3_000)
        if part == "pace"
        else campaign(part, sizes.get(part, said.mails), said.kills, said.seed)
        for part in parts
    ]
    raise SystemExit(0 if all(held) else 1)


if __name__ == "__main__":
    from bench.torture import mail

    mail.main()  # under its own name, which the server of forks can import
