"""The outbox against exim and dovecot: taken, refused, greylisted, looked up, bounced, found by IMAP."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest

from assets.deliveries import returned
from assets.deliveries.mailboxes import FolderLookup, ImapLookup, LogLookup, LookupFailedError
from assets.deliveries.message import Attachment, Sender, render_letter
from assets.deliveries.outbox import Outbox, Policy
from assets.deliveries.smtp import Courier
from tests.support import real_mail
from warehouse.outbox_ledger import Mail, OutboxLedger
from warehouse.workspace import (
    Bureau,
    Mailbox,
    MailOptions,
    MailPlace,
    MailServer,
    Workspace,
)

pytestmark = pytest.mark.skipif(bool(real_mail.why_not()), reason=real_mail.why_not())
START = datetime(2020, 7, 20, 1, tzinfo=UTC)
NAME = "园区监测通报2020-06.pdf"


@pytest.fixture(scope="module")
def post():
    with real_mail.running() as server:
        yield server


class Office:
    def __init__(self, post, home):
        self.post, self.home = post, home
        box = Mailbox("127.0.0.1", post.imaps, "tls", "returned", real_mail.IMAP_PASSWORD,
                      ca_file=str(post.ca), timeout=20)  # fmt: skip
        self.server = MailServer("127.0.0.1", post.smtp, "starttls", real_mail.USER,
                                 real_mail.PASSWORD, str(post.ca), timeout=20)  # fmt: skip
        self.journal = replace(box, user="journal")
        options = MailOptions(
            self.server, "bulletin@bureau.test", bounces=MailPlace("imap", mailbox=box)
        )
        self.workspace = Workspace(home, Bureau("模拟监测处", "610000"), mail=options)
        self.ledger = OutboxLedger(self.workspace.state_file)
        self.clock = START

    def plan(self, *names):
        sender = Sender("模拟监测处", "bulletin@bureau.test")
        mails = []
        for name in names:
            made = render_letter(
                "【运行监测】2020年1—6月监测通报（内部）", "请查收。\n.\n..\n", key=f"{self.home}",
                recipient=f"{name}@y.test", sender=sender, date=START,
                attachments=[Attachment(NAME, b"%PDF-1.7 x")],
            )  # fmt: skip
            (self.home / f"{name}.eml").write_bytes(made.content)
            mails.append(Mail("letter", made.recipient, "return", "岗位", made.subject,
                              made.message_id, f"{name}.eml", made.sha256, len(made.content)))  # fmt: skip
        self.ledger.plan(mails, START.isoformat())
        return [mail.message_id for mail in mails]

    def send(self, server=None, lookup=None):
        outbox = Outbox(
            self.home, self.ledger, Courier(server or self.server),
            Policy("bulletin@bureau.test", "journal@bureau.test", (60,)), lambda: self.clock, lookup,
        )  # fmt: skip
        return outbox.run()

    def states(self):
        return {r["recipient"].partition("@")[0]: r["state"] for r in self.ledger.mails()}


@pytest.fixture
def office(post, tmp_path):
    return Office(post, tmp_path)


def wait(found, seconds=30):
    """What ``found`` gives, once it gives something: the servers take their time."""
    until = time.monotonic() + seconds
    while not (result := found()) and time.monotonic() < until:
        time.sleep(0.2)
    return result


def test_a_mail_arrives_whole_and_is_found_in_journal_log_and_by_imap(office, post):
    (sent,) = office.plan("leader")
    assert office.send().counts == {"sent": 1}, office.ledger.mails()
    mail = wait(lambda: next((m for c in post.box("inbox")
                              if (m := message_from_bytes(c, policy=policy.default))["Message-ID"]
                              == sent), None))  # fmt: skip
    assert mail["Subject"] == "【运行监测】2020年1—6月监测通报（内部）"
    assert mail["From"].addresses[0].display_name == "模拟监测处"
    assert mail.get_body().get_content().splitlines() == ["请查收。", ".", ".."]
    (part,) = list(mail.iter_attachments())
    assert (part.get_filename(), part.get_content()) == (NAME, b"%PDF-1.7 x")
    asked = {sent, "<never-sent@bureau.test>"}
    lookups = (FolderLookup(post.folder / "journal"), LogLookup(post.folder / "log" / "mainlog"),
               ImapLookup(office.journal))  # fmt: skip
    for lookup in lookups:
        assert wait(lambda lookup=lookup: lookup.accepted(asked)) == {sent}, lookup


def test_what_exim_refuses_puts_off_and_sends_back(office, post):
    _, _, gone = office.plan("nobody", "grey", "gone")
    office.send()
    assert office.states() == {"nobody": "refused", "grey": "deferred", "gone": "sent"}
    assert wait(lambda: returned.read(office.workspace, office.ledger)) == {"bounced": 1}
    row = office.ledger.by_message_id(gone)
    assert row["bounced_at"] and "closed" in row["bounce"]
    assert returned.read(office.workspace, office.ledger) == {}


def test_a_crash_after_the_dot_is_settled_by_imap(office, post):
    taken, lost = office.plan("leader", "assessor")
    Courier(office.server).deliver(
        "bulletin@bureau.test", ["leader@y.test", "journal@bureau.test"],
        (office.home / "leader.eml").read_bytes(), lambda: None,
    )  # fmt: skip
    while office.ledger.take(START.isoformat()):
        pass
    for message_id in (taken, lost):
        office.ledger.mark_dot(message_id)
    lookup = ImapLookup(office.journal)
    assert wait(lambda: lookup.accepted({taken}))
    office.clock += timedelta(hours=1)
    report = office.send(lookup=lookup)
    assert office.states() == {"leader": "sent", "assessor": "sent"}
    assert (report.counts["found_sent"], report.counts["found_lost"], report.counts["sent"]) == (
        1,
        1,
        1,
    )


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"password": "wrong"}, "535"),
        ({"ca_file": ""}, "certificate"),
        ({"user": ""}, "authenticate"),
    ],
)
def test_a_server_that_does_not_know_or_is_not_known_gets_nothing(office, change, word):
    office.plan("leader")
    report = office.send(replace(office.server, **change))
    (row,) = office.ledger.mails()
    assert row["state"] in ("planned", "refused") and word in row["last_reply"].lower()
    assert report.counts["sent"] == 0 and real_mail.PASSWORD not in str(office.ledger.mails())


def test_a_wrong_imap_password_is_told_without_showing_it(office):
    box = replace(office.journal, password="wrong-7")
    with pytest.raises(LookupFailedError) as told:
        ImapLookup(replace(box, password="")).accepted({"<x@y.test>"})
    assert real_mail.IMAP_PASSWORD not in str(told.value)
