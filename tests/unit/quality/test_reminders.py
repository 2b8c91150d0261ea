"""Deadlines on the workday calendar and the stages of reminding."""

from __future__ import annotations

from datetime import date

import pytest

from quality.deadlines import deadlines_of
from quality.letters import Office
from quality.reminders import Awaited, due_reminders, letter_of
from warehouse.catalog.filing import CalendarYear, ReminderStage
from warehouse.catalog.load import load_catalog
from warehouse.catalog.models import Source
from warehouse.catalog.workdays import Workdays

DAYS = Workdays()
STAGES = load_catalog(None).reminders


@pytest.mark.parametrize(
    ("rule", "period", "due"),
    [
        ({"day": 8}, "2020-06", "2020-07-08"),
        ({"day": 8}, "2022-09", "2022-10-08"),  # a Saturday worked for 国庆
        ({"day": 5}, "2022-09", "2022-10-08"),  # inside the holiday
        ({"day": 5, "roll": "none"}, "2022-09", "2022-10-05"),
        ({"day": 11, "roll": "after_holiday"}, "2020-06", "2020-07-11"),  # an ordinary Saturday
        ({"day": 5, "roll": "after_holiday"}, "2022-09", "2022-10-08"),
        ({"workday": 5}, "2022-09", "2022-10-12"),  # 8, 9 worked, 10, 11, 12
        ({"day": 31}, "2020-05", "2020-06-30"),
        ({"day": 8, "exceptions": {"2020-06": "2020-07-20"}}, "2020-06", "2020-07-20"),
    ],
)
def test_the_deadline_follows_the_holiday_arrangement(rule, period, due):
    source = Source.model_validate(
        {"source_id": "s", "name": "月报", "deadline": {"month_offset": 1, "grace_days": 5} | rule}
    )
    found = deadlines_of(source, period, DAYS)
    assert found.filing == date.fromisoformat(due) and found.certain
    assert (found.reminding_ends - found.filing).days == 5


def test_acceptance_has_a_deadline_of_its_own():
    source = Source.model_validate(
        {"source_id": "s", "name": "月报", "deadline": {"day": 8}, "acceptance": {"day": 12}}
    )
    assert deadlines_of(source, "2020-06", DAYS).acceptance == date(2020, 7, 13)
    assert deadlines_of(Source(source_id="s", name="月报"), "2020-06", DAYS) is None


def test_years_beyond_the_calendar_are_flagged_until_somebody_lists_them():
    source = Source.model_validate({"source_id": "s", "name": "月报", "deadline": {"day": 10}})
    unknown = deadlines_of(source, "2034-04", DAYS)
    assert not unknown.certain and unknown.filing == date(2034, 5, 10)
    listed = CalendarYear(year=2034, holidays=(date(2034, 5, 10),), workdays=(date(2034, 5, 13),),
                          source="放假通知")  # fmt: skip
    known = deadlines_of(source, "2034-04", Workdays([listed]))
    assert known.certain and known.filing == date(2034, 5, 11)
    assert Workdays([listed]).is_workday(date(2034, 5, 13))


@pytest.mark.parametrize(
    ("start", "n", "end"),
    [("2022-09-30", 1, "2022-10-08"), ("2022-10-08", -1, "2022-09-30"), ("2020-07-10", 3, "2020-07-15"),
     ("2020-07-10", 0, "2020-07-10")],
)  # fmt: skip
def test_workdays_are_counted_over_holidays(start, n, end):
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    assert DAYS.later(first, n) == last
    if n > 0:
        assert DAYS.passed(first, last) == n


def test_a_calendar_entry_must_make_sense():
    with pytest.raises(ValueError, match="不在 2027 年内"):
        CalendarYear(year=2027, holidays=(date(2028, 1, 1),), source="x")
    with pytest.raises(ValueError, match="同时列为放假和上班"):
        CalendarYear(
            year=2027, holidays=(date(2027, 1, 1),), workdays=(date(2027, 1, 1),), source="x"
        )


def awaited(about="missing", due="2020-07-10"):
    day = date.fromisoformat(due)
    return Awaited("r1", "甲县", "2020-06", about, about, day, day.replace(day=15))


@pytest.mark.parametrize(
    ("today", "stage"),
    [
        ("2020-07-07", None),
        ("2020-07-08", "due_soon"),
        ("2020-07-09", "due_soon"),
        ("2020-07-10", "due_today"),
        ("2020-07-12", "due_today"),  # Sunday: no workday has passed
        ("2020-07-13", "overdue_1"),
        ("2020-07-15", "overdue_3"),
        ("2020-07-16", "overdue_3"),
        ("2020-08-30", "overdue_5"),
    ],
)
def test_only_the_latest_stage_is_due(today, stage):
    found = due_reminders([awaited()], STAGES, DAYS, date.fromisoformat(today))
    assert [r.stage.reminder_id for r in found] == ([stage] if stage else [])


def test_a_reminder_is_never_produced_twice():
    day, produced = date(2020, 7, 13), set()
    for today in (day, day, date(2020, 7, 14)):
        for reminder in due_reminders([awaited()], STAGES, DAYS, today, frozenset(produced)):
            assert reminder.key not in produced
            produced.add(reminder.key)
    assert len(produced) == 1


def test_a_returned_file_is_reminded_by_its_own_stages():
    found = due_reminders([awaited("returned")], STAGES, DAYS, date(2020, 7, 14))
    assert [r.stage.reminder_id for r in found] == ["return_overdue"]


def test_the_day_before_a_holiday_stage_does_not_repeat_after_the_deadline():
    early = [
        ReminderStage(reminder_id="e", workdays=-1, title="提醒", request="请报送", reason="x")
    ]
    assert due_reminders([awaited()], early, DAYS, date(2020, 7, 9))
    assert not due_reminders([awaited()], early, DAYS, date(2020, 7, 20))


def test_the_letter_says_since_when_and_warns_of_an_uncertain_calendar():
    (reminder,) = due_reminders([awaited()], STAGES, DAYS, date(2020, 7, 15))
    text = letter_of(reminder, Office("测试局", "统计岗"), date(2020, 7, 15)).text()
    assert "2020年7月10日" in text and "3 个工作日" in text and "统计岗" in text
    doubtful = Awaited(
        "r1", "甲县", "2034-04", "missing", "missing", date(2034, 5, 10), certain=False
    )
    (reminder,) = due_reminders([doubtful], STAGES, DAYS, date(2034, 5, 12))
    assert "未经放假安排核定" in letter_of(reminder, Office("测试局"), date(2034, 5, 12)).text()
