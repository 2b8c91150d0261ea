"""Sessions end when they should; wrong passwords cost time."""

from __future__ import annotations

import pytest

from pipelines.serve.sessions import Backoff, Sessions


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(clock):
    return Sessions(idle=600, longest=3600, clock=clock)


def test_a_cookie_leads_to_its_session_and_no_other(sessions):
    one, cookie = sessions.begin("zhang", "hash")
    _, other = sessions.begin("li", "hash")
    assert sessions.find(cookie) is one
    token, signature = cookie.split(".")
    for forged in ("", ".", token, f"{token}.", f"{token}.{other.split('.')[1]}",
                   f"{token}.{'0' * 64}", f"x{cookie}", f"中.{signature}"):  # fmt: skip
        assert sessions.find(forged) is None


def test_another_process_does_not_know_it(sessions, clock):
    _, cookie = sessions.begin("zhang", "hash")
    assert Sessions(600, 3600, clock).find(cookie) is None


@pytest.mark.parametrize(("steps", "open_after"), [([599], True), ([601], False),
                                                   ([500, 500], True), ([590] * 7, False)])  # fmt: skip
def test_idle_and_longest_time(sessions, clock, steps, open_after):
    session, cookie = sessions.begin("zhang", "hash")
    for step in steps:
        clock.now += step
        if sessions.find(cookie):
            sessions.used(session)
    assert (sessions.find(cookie) is session) is open_after
    assert sessions.lasts(session) is open_after


def test_a_page_that_refreshes_itself_is_nobody_at_work(sessions, clock):
    session, cookie = sessions.begin("zhang", "hash")
    for _ in range(30):
        clock.now += 30
        sessions.used(session, b"the same query")
    assert sessions.find(cookie) is None


def test_new_questions_are_somebody_at_work(sessions, clock):
    session, cookie = sessions.begin("zhang", "hash")
    for number in range(30):
        clock.now += 100
        sessions.used(session, b"%d" % number)
    assert sessions.find(cookie) is session


def test_after_logout_the_cookie_is_worth_nothing(sessions):
    session, cookie = sessions.begin("zhang", "hash")
    sessions.end(session)
    assert sessions.find(cookie) is None


def test_waits_grow_and_end(clock):
    backoff = Backoff(clock)
    for _ in range(4):
        backoff.wrong("zhang", "10.0.0.1")
        assert backoff.wait("zhang", "10.0.0.1") == 0
    waits = []
    for _ in range(9):
        backoff.wrong("zhang", "10.0.0.1")
        waits.append(backoff.wait("zhang", "10.0.0.1"))
        clock.now += waits[-1]
        assert backoff.wait("zhang", "10.0.0.1") == 0
    assert waits == [15, 30, 60, 120, 240, 480, 900, 900, 900]


def test_a_stranger_does_not_shut_a_person_out_at_once(clock):
    backoff = Backoff(clock)
    for _ in range(10):
        backoff.wrong("zhang", "10.6.6.6")
    assert backoff.wait("zhang", "10.6.6.6") > 0
    assert backoff.wait("zhang", "10.0.0.1") == 0
    assert backoff.wait("li", "10.6.6.6") == 0


def test_many_addresses_against_one_user_and_one_address_against_many(clock):
    backoff = Backoff(clock)
    for number in range(20):
        backoff.wrong("zhang", f"10.0.0.{number}")
    assert backoff.wait("zhang", "10.9.9.9") > 0
    for number in range(30):
        backoff.wrong(f"user{number}", "10.6.6.6")
    assert backoff.wait("somebody", "10.6.6.6") > 0


def test_the_right_password_starts_anew(clock):
    backoff = Backoff(clock)
    for _ in range(4):
        backoff.wrong("zhang", "10.0.0.1")
    backoff.right("zhang", "10.0.0.1")
    backoff.wrong("zhang", "10.0.0.1")
    assert backoff.wait("zhang", "10.0.0.1") == 0
