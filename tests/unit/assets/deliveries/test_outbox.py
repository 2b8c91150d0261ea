"""The outbox: sent once, tried again when it makes sense, looked up when nobody can tell."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from assets.deliveries.mailboxes import FolderLookup, LogLookup, LookupFailedError, message_id_of
from assets.deliveries.outbox import Outbox, OutboxBusyError, Policy, only_sender
from assets.deliveries.smtp import Attempt
from tests.support.mail_server import maildir
from warehouse.outbox_ledger import Mail, OutboxLedger

START = datetime(2020, 7, 20, 1, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def later(self, **parts):
        self.now += timedelta(**parts)


class Server:
    """Hands out prepared attempts; keeps what it took."""

    def __init__(self, *answers):
        self.answers, self.got = list(answers), []

    def deliver(self, sender, recipients, content, before_dot):
        answer = self.answers.pop(0) if self.answers else Attempt("sent", "dot", "250 ok")
        if answer.stage == "dot":
            before_dot()
        self.got.append((recipients, message_id_of(content)))
        return answer

    def quit(self):
        pass


class Lost:
    """A lookup that cannot be read."""

    def accepted(self, message_ids):
        raise LookupFailedError("留底邮箱打不开")


class Knows:
    def __init__(self, *taken):
        self.taken = set(taken)

    def accepted(self, message_ids):
        return self.taken & message_ids


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


class World:
    def __init__(self, home):
        self.home, self.clock = home, Clock()
        self.ledger = OutboxLedger(home / "state.sqlite")

    def plan(self, n=1, batch="e1", kind="bulletin"):
        mails = []
        for number in range(n):
            name = f"{batch}-{number}"
            content = f"Message-ID: <{name}@x>\r\n\r\nbody\r\n".encode()
            (self.home / f"{name}.eml").write_bytes(content)
            mails.append(Mail(batch, f"r{number}@y", kind, "局长", "通报", f"<{name}@x>",
                f"{name}.eml", hashlib.sha256(content).hexdigest(), len(content)))  # fmt: skip
        return self.ledger.plan(mails, START.isoformat(timespec="seconds"))

    def run(self, server, **said):
        policy = Policy("bulletin@x", **said.pop("policy", {}))
        return Outbox(self.home, self.ledger, server, policy, self.clock, **said).run()

    def states(self):
        return [row["state"] for row in self.ledger.mails()]


SENT = Attempt("sent", "dot", "250 ok")
LATER = Attempt("deferred", "rcpt", "450 greylisted")
NO = Attempt("refused", "rcpt", "550 no such user")
CUT = Attempt("unknown", "dot", "reset")
WRONG = Attempt("stopped", "login", "535 bad password")


def test_every_planned_message_leaves_once_whatever_is_planned_or_run_again(world):
    server = Server()
    assert world.plan(3) == 3 and world.plan(3) == 0
    world.run(server)
    world.run(server)
    assert world.states() == ["sent"] * 3
    assert sorted(message_id for _, message_id in server.got) == [
        "<e1-0@x>", "<e1-1@x>", "<e1-2@x>"]  # fmt: skip


def test_one_refused_recipient_does_not_hold_up_the_others(world):
    world.plan(3)
    report = world.run(Server(SENT, NO, SENT))
    assert world.states() == ["sent", "refused", "sent"]
    assert report.counts == {"sent": 2, "refused": 1}
    assert "550" in world.ledger.mails()[1]["last_reply"]


def test_greylisting_is_tried_again_after_five_fifteen_sixty_minutes_and_then_given_up(world):
    world.plan()
    server = Server(*[LATER] * 9)
    waits = []
    for _ in range(20):
        world.run(server, policy={"retry_minutes": (5, 15, 60)})
        due = world.ledger.next_due()
        if due is None:
            break
        wait = datetime.fromisoformat(due) - world.clock.now
        waits.append(wait.total_seconds() / 60)
        world.clock.now = datetime.fromisoformat(due)
    assert waits == [5, 15, 60] and len(server.got) == 4
    assert world.states() == ["refused"]
    assert "已试4次" in world.ledger.mails()[0]["last_reply"]


def test_not_before_it_is_due(world):
    world.plan()
    world.run(Server(LATER))
    world.clock.later(minutes=4)
    server = Server()
    world.run(server)
    assert server.got == []
    world.clock.later(minutes=1)
    world.run(server)
    assert world.states() == ["sent"]


def test_a_wrong_password_stops_the_queue_and_costs_no_attempt(world):
    world.plan(3)
    report = world.run(Server(WRONG))
    assert world.states() == ["planned"] * 3 and "535" in report.stopped
    assert [row["attempts"] for row in world.ledger.mails()] == [0, 0, 0]


def test_cut_off_after_the_dot_and_found_in_the_journal_counts_as_sent(world):
    world.plan()
    world.run(Server(CUT), lookup=Knows("<e1-0@x>"))
    assert world.states() == ["sent"]


def test_cut_off_after_the_dot_and_not_in_the_journal_waits_before_it_is_sent_again(world):
    world.plan()
    server = Server(CUT)
    world.run(server, lookup=Knows())
    assert world.states() == ["dot"]  # its copy may still be on the way
    world.clock.later(minutes=11)
    world.run(server, lookup=Knows())
    assert world.states() == ["sent"] and len(server.got) == 2
    assert {message_id for _, message_id in server.got} == {"<e1-0@x>"}


@pytest.mark.parametrize("lookup", [None, Lost()])
def test_when_nobody_can_say_a_person_is_asked_and_nothing_is_sent_again(world, lookup):
    world.plan()
    server = Server(CUT)
    report = world.run(server, lookup=lookup)
    world.clock.later(days=3)
    world.run(server, lookup=lookup)
    assert world.states() == ["unknown"] and len(server.got) == 1
    assert bool(report.alerts) == (lookup is not None)
    assert world.ledger.again("<e1-0@x>", world.clock.now.isoformat())  # the person decides
    world.run(server)
    assert world.states() == ["sent"] and len({m for _, m in server.got}) == 1


def test_a_killed_sender_leaves_nothing_half_done(world):
    world.plan(2)
    taken = [world.ledger.take(START.isoformat()) for _ in range(2)]
    world.ledger.mark_dot(taken[1]["message_id"])  # killed here: one before, one after the mark
    server = Server()
    world.run(server, lookup=Knows(taken[1]["message_id"]))
    assert world.states() == ["sent", "sent"]
    assert [message_id for _, message_id in server.got] == [taken[0]["message_id"]]


def test_a_file_that_is_not_what_was_planned_is_not_sent(world):
    world.plan(2)
    (world.home / "e1-0.eml").write_bytes(b"other")
    (world.home / "e1-1.eml").unlink()
    server = Server()
    world.run(server)
    assert world.states() == ["refused", "refused"] and server.got == []


def test_what_may_not_leave_yet_waits(world):
    world.plan()
    server = Server()
    world.run(server, blocked=lambda row: "尚在保密期")
    assert server.got == [] and world.states() == ["planned"]
    world.clock.later(minutes=6)
    world.run(server)
    assert world.states() == ["sent"]


def test_what_was_taken_back_never_leaves(world):
    world.plan(2)
    assert world.ledger.suppress("e1", "签发撤回") == 2
    server = Server()
    world.run(server)
    assert server.got == [] and world.states() == ["suppressed"] * 2


def test_the_journal_gets_a_copy_in_the_same_transaction(world):
    world.plan()
    server = Server()
    world.run(server, policy={"journal": "journal@x"})
    assert server.got[0][0] == ["r0@y", "journal@x"]


def test_one_sender_at_a_time(world):
    with (
        only_sender(world.home / "outbox.lock"),
        pytest.raises(OutboxBusyError, match="另一个进程"),
    ):
        world.run(Server())


def test_a_trouble_of_the_server_is_told_to_the_operator(world):
    world.plan()
    report = world.run(Server(Attempt("deferred", "tls", "handshake failed")))
    assert report.alerts == ["邮件服务器暂不可用:handshake failed"]


# --- lookups --------------------------------------------------------------------------------------


def test_a_journal_mailbox_is_searched_by_message_id(tmp_path):
    box = maildir(tmp_path / "journal")
    (box / "new" / "1").write_bytes(b"Subject: x\r\nMessage-ID:\r\n <a@x>\r\n\r\nbody <b@x>\r\n")
    (box / "cur" / "2:2,S").write_bytes(b"message-id: <c@x>\r\n\r\n")
    assert FolderLookup(box).accepted({"<a@x>", "<b@x>", "<c@x>"}) == {"<a@x>", "<c@x>"}
    with pytest.raises(LookupFailedError):
        FolderLookup(tmp_path / "none").accepted({"<a@x>"})


def test_a_mail_log_counts_only_what_reached_the_queue(tmp_path):
    log = tmp_path / "mail.log"
    log.write_text(
        "2020-07-20 09:00:01 1ab-2 <= a@x H=localhost P=esmtp S=1 id=exim@x\n"
        "2020-07-20 09:00:01 1ab-2 => r@y R=local T=local\n"
        "Jul 20 09:00:02 h postfix/cleanup[7]: 4AB: message-id=<queued@x>\n"
        "Jul 20 09:00:02 h postfix/qmgr[8]: 4AB: from=<a@x>, size=9, nrcpt=1 (queue active)\n"
        "Jul 20 09:00:03 h postfix/cleanup[7]: 5CD: message-id=<dropped@x>\n"
    )
    asked = {"<exim@x>", "<queued@x>", "<dropped@x>", "<absent@x>"}
    assert LogLookup(log).accepted(asked) == {"<exim@x>", "<queued@x>"}
    with pytest.raises(LookupFailedError):
        LogLookup(tmp_path / "none").accepted(asked)


def test_限速时每分钟不超过设定的封数_间隔均匀(world):
    world.plan(6)
    waits = []

    def pause(seconds):
        waits.append(seconds)
        world.clock.later(seconds=seconds)

    def taken(*call):
        world.clock.later(seconds=0.2)  # what a hand-over takes
        return hand_over(*call)

    server = Server()
    hand_over, server.deliver = server.deliver, taken
    policy = Policy("bulletin@bureau.test", per_minute=120)
    outbox = Outbox(world.home, world.ledger, server, policy, world.clock, pause=pause)
    report = outbox.run()
    assert report.counts == {"sent": 6}
    assert world.clock.now - START == timedelta(seconds=3)
    assert {round(wait, 6) for wait in waits} == {0.3}
