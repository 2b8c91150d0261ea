"""Every fault of a mail server is told apart: taken, not taken, refused, or nobody knows."""

from __future__ import annotations

import pytest

from assets.deliveries.smtp import Courier
from tests.support import mail_server as ms
from tests.support.certificates import Authority
from warehouse.workspace import MailServer

CONTENT = b"Message-ID: <m1@x>\r\nSubject: t\r\n\r\n.hidden dot\r\nbody\r\n"

CLASSES = [
    ("banner_421", "deferred", "connect"),
    ("banner_reset", "deferred", "connect"),
    ("banner_stall", "deferred", "connect"),
    ("starttls_garbage", "deferred", "tls"),
    ("auth_535", "stopped", "login"),
    ("auth_454", "deferred", "login"),
    ("mail_451", "deferred", "mail"),
    ("rcpt_450", "deferred", "rcpt"),
    ("rcpt_550", "refused", "rcpt"),
    ("data_452", "deferred", "data"),
    ("body_reset", "deferred", "body"),
    ("end_451", "deferred", "dot"),
    ("end_554", "refused", "dot"),
    ("dot_reset_lost", "unknown", "dot"),
    ("dot_reset_taken", "unknown", "dot"),
    ("dot_stall_taken", "unknown", "dot"),
]


def settings(server, cert=None, **said):
    base = {
        "host": "localhost", "port": server.port, "security": "starttls", "user": ms.USER,
        "password": ms.PASSWORD, "ca_file": str(cert or ""), "timeout": 0.4, "dot_timeout": 0.4,
        "hello": "client.test",
    }  # fmt: skip
    return MailServer(**(base | said))


@pytest.fixture(scope="module")
def cert(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("cert"), "authority")


def attempt(server_settings, content=CONTENT, marks=None):
    courier = Courier(server_settings)
    marks = marks if marks is not None else []
    found = courier.deliver("a@x", ["b@y"], content, lambda: marks.append(1))
    courier.quit()
    return found


@pytest.mark.parametrize(("fault", "outcome", "stage"), CLASSES)
def test_each_fault_has_its_class(cert, fault, outcome, stage):
    # a slow machine may need longer than the short limit to say hello: only faults stall
    limits = {} if "stall" in fault else {"timeout": 5, "dot_timeout": 5}
    with ms.MailServer(
        tls="starttls", context=cert.server_context("localhost"), auth=True, fault=lambda n: fault
    ) as server:
        marks = []
        # a short body fits the socket's buffer: only a long one shows that it broke half-way
        content = CONTENT + b"x" * 70 + b"\r\n"
        content += (b"y" * 76 + b"\r\n") * (200_000 if fault == "body_reset" else 1)
        found = attempt(settings(server, cert.file, **limits), content, marks)
        assert (found.outcome, found.stage) == (outcome, stage), found.reply
        assert bool(marks) == (stage == "dot")  # marked before the dot and only then
        taken = [content for _, _, content in server.taken]
        assert bool(taken) == (fault in ("dot_reset_taken", "dot_stall_taken"))


def test_a_message_arrives_whole_and_the_next_one_uses_the_same_connection(cert):
    with ms.MailServer(
        tls="starttls", context=cert.server_context("localhost"), auth=True
    ) as server:
        courier = Courier(settings(server, cert.file, timeout=5, dot_timeout=5))
        for number in range(3):
            found = courier.deliver("a@x", ["b@y", "journal@x"], CONTENT, lambda: None)
            assert (found.outcome, found.stage) == ("sent", "dot"), (number, found)
        courier.quit()
        assert [content for _, _, content in server.taken] == [CONTENT] * 3
        assert server.taken[0][1] == ["b@y", "journal@x"]
        assert server.seen == 3  # one connection: a fault would have been drawn for a second one


def test_a_refused_message_does_not_harm_the_next_one(cert):
    faults = {1: "rcpt_550", 2: "end_451"}
    with ms.MailServer(
        tls="starttls", context=cert.server_context("localhost"), auth=True, fault=faults.get
    ) as server:
        courier = Courier(settings(server, cert.file, timeout=5, dot_timeout=5))
        outcomes = [courier.deliver("a@x", ["b@y"], CONTENT, lambda: None).outcome for _ in "123"]
        assert outcomes == ["refused", "deferred", "sent"]


def test_the_certificate_is_verified_and_nothing_is_said_in_the_clear(cert):
    with ms.MailServer(
        tls="starttls", context=cert.server_context("localhost"), auth=True
    ) as server:
        found = attempt(settings(server, None, timeout=5))
        assert (found.outcome, found.stage) == ("stopped", "tls") and not server.taken
    with ms.MailServer() as server:  # offers no STARTTLS
        found = attempt(settings(server, cert.file, timeout=5))
        assert (found.outcome, found.stage) == ("stopped", "tls") and not server.taken


def test_implicit_tls(cert):
    with ms.MailServer(tls="tls", context=cert.server_context("localhost")) as server:
        good = settings(server, cert.file, security="tls", user="", timeout=5, dot_timeout=5)
        assert attempt(good).outcome == "sent"
        bad = settings(server, None, security="tls", user="", timeout=5)
        assert attempt(bad).outcome == "stopped"
        assert len(server.taken) == 1


def test_a_message_beyond_the_servers_size_is_refused_before_it_is_sent(cert):
    with ms.MailServer(size=1000) as server:
        plain = settings(server, security="plain", user="", timeout=5, dot_timeout=5)
        found = attempt(plain, CONTENT + b"x" * 2000 + b"\r\n")
        assert (found.outcome, found.stage) == ("refused", "size")
        assert "1000" in found.reply and server.taken == []


def test_no_server_at_all_is_tried_again_later():
    with ms.MailServer() as server:
        gone = settings(server, security="plain", user="", timeout=2)
    assert attempt(gone).outcome == "deferred"
