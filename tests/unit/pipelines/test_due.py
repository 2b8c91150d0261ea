"""Which periods are due and not closed, and what is asked for: a table of situations."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.due import Attempt, Due, decide, due_moments
from tests.support.bureau import make_home
from warehouse.catalog.load import load_catalog
from warehouse.workspace import Automation

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULE = Automation(since="2020-02", retry_minutes=(5, 30))
MONTHS = [f"2020-{m:02d}" for m in range(2, 7)]
DUE = [Due(p, datetime(2020, m + 1, 11, tzinfo=SHANGHAI)) for m, p in enumerate(MONTHS, 2)]
NOW = datetime(2020, 6, 20, tzinfo=UTC)  # 02 to 05 are due, 06 is not


def closed(*periods: str) -> dict[str, datetime]:
    return {p: d.at + timedelta(hours=1) for d in DUE for p in periods if d.period == p}


def failed(period: str, number: int, ago: int) -> Attempt:
    return Attempt(period, number, "failed", NOW - timedelta(minutes=ago))


@pytest.mark.parametrize(
    ("situation", "policy", "done", "attempts", "requested", "waiting"),
    [
        ("nothing ran yet", "all", (), [], ["02:1", "03:1", "04:1", "05:1"], {}),
        ("all closed", "all", MONTHS[:4], [], [], {}),
        ("one was missed", "all", ("2020-02", "2020-03", "2020-05"), [], ["04:1"], {}),
        ("only the latest", "latest", (), [], ["05:1"], dict.fromkeys(MONTHS[:3], "skipped")),
        ("latest closed: older ones stay", "latest", ("2020-05",), [], [],
         dict.fromkeys(MONTHS[:3], "skipped")),
        ("nothing by itself", "none", (), [], [], dict.fromkeys(MONTHS[:4], "skipped")),
        ("one is running", "all", MONTHS[:3], [Attempt("2020-05", 1, "active")], [],
         {"2020-05": "running"}),
        ("failed just now", "all", MONTHS[:3], [failed("2020-05", 1, 2)], [],
         {"2020-05": "retry_later"}),
        ("failed long enough ago", "all", MONTHS[:3], [failed("2020-05", 1, 6)], ["05:2"], {}),
        ("second wait is longer", "all", MONTHS[:3],
         [failed("2020-05", 1, 60), failed("2020-05", 2, 6)], [], {"2020-05": "retry_later"}),
        ("given up", "all", MONTHS[:3], [failed("2020-05", n, 600) for n in (1, 2, 3)], [],
         {"2020-05": "given_up"}),
        ("one fails, the others go on", "all", (), [failed("2020-03", 1, 1)],
         ["02:1", "04:1", "05:1"], {"2020-03": "retry_later"}),
    ],
)  # fmt: skip
def test_requests(situation, policy, done, attempts, requested, waiting):
    decision = decide(DUE, closed(*done), attempts, NOW, replace(RULE, policy=policy))
    assert [f"{r.period[5:]}:{r.number}" for r in decision.requests] == requested, situation
    assert {w.period: w.why for w in decision.waiting} == waiting, situation
    assert [d.period for d in decision.upcoming] == ["2020-06"], situation


@pytest.mark.parametrize(
    ("built", "is_closed"),
    [
        (DUE[0].at - timedelta(seconds=1), False),  # built before the deadline: provisional
        (DUE[0].at, True),
        (NOW + timedelta(days=200), False),  # the clock had run ahead
    ],
)
def test_what_closes_a_period(built, is_closed):
    decision = decide(DUE[:1], {"2020-02": built}, [], NOW, RULE)
    assert (not decision.requests) is is_closed


@given(st.permutations(DUE), st.sets(st.sampled_from(MONTHS)))
def test_order_of_what_is_known_does_not_matter(shuffled, done):
    one = decide(shuffled, closed(*done), [], NOW, RULE)
    assert one == decide(DUE, closed(*done), [], NOW, RULE)
    assert [r.period for r in one.requests] == sorted(r.period for r in one.requests)


@given(st.lists(st.integers(0, 45), min_size=1, max_size=60))
def test_outage_of_any_length_requests_every_period_once(gaps):
    """The daemon looks at arbitrary moments of the half-year; what it asks for succeeds at once."""
    now, built, asked = datetime(2020, 3, 1, tzinfo=UTC), {}, []
    for gap in [*gaps, 400]:
        now += timedelta(days=gap)
        for request in decide(DUE, built, [], now, RULE).requests:
            asked.append(request.period)
            built[request.period] = now
    assert asked == MONTHS


def test_due_moments_follow_deadline_day_and_zone(tmp_path):
    catalog = load_catalog(make_home(tmp_path) / "catalog", "none")
    found = due_moments(catalog, RULE, 2, SHANGHAI, date(2020, 6, 30))
    assert [d.period for d in found] == MONTHS
    # 10 May 2020 is a Sunday: the deadline moves to Monday, due from Tuesday 00:00 Beijing time
    assert found[2].at == datetime(2020, 5, 12, tzinfo=SHANGHAI)
    assert found[2].at.astimezone(UTC) == datetime(2020, 5, 11, 16, tzinfo=UTC)


def test_nothing_is_due_without_a_first_period_or_past_the_last(tmp_path):
    catalog = load_catalog(make_home(tmp_path) / "catalog", "none")
    assert due_moments(catalog, Automation(), 2, SHANGHAI, date(2020, 6, 30)) == []
    bounded = Automation(since="2020-03", through="2020-04")
    found = due_moments(catalog, bounded, 2, SHANGHAI, date(2026, 6, 30))
    assert [d.period for d in found] == ["2020-03", "2020-04"]
