"""Outcomes entered by people: what a row may say, the journal, histories built from them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from assets.assessment.outcomes import confirmed, history, outcome_rows
from warehouse.catalog.outcomes import Goal, Outcome
from warehouse.outcomes import Journal


def row(**fields: Any) -> Outcome:
    base = {"scheme_id": "s", "year": 2019, "park_id": "A", "kind": "result", "document": "通报"}
    if fields.get("kind", "result") == "result":
        base["in_last_k"] = True  # type: ignore[assignment]
    return Outcome.model_validate(base | fields)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"in_last_k": ""}, "须写明 in_last_k"),
        ({"kind": "event"}, "须写明 what"),
        ({"kind": "step"}, "须写明 what"),
        ({"rank": 9, "n": 8}, "名次9大于组内个数8"),
        ({"blocked_until": "2022-01-01"}, "只用于退出名单"),
    ],
)
def test_rows_that_make_no_sense_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        row(**fields)


def test_rows_of_a_csv_are_read_as_written() -> None:
    found = row(in_last_k="1", score="55.30", rank="20", n="", decided_on="2020-05-01")
    assert (found.in_last_k, found.score, found.rank, found.n) == (True, Decimal("55.30"), 20, None)
    assert found.decided_on == date(2020, 5, 1)
    with pytest.raises(ValidationError):
        Goal.model_validate({"park_id": "A", "year": 2020, "indicator_id": "C04", "value": 0,
                             "unit": "万元", "document": "x"})  # fmt: skip


def test_a_history_keeps_schemes_apart_and_the_latest_word_wins() -> None:
    found = history("s", [
        row(year=2018), row(year=2018, in_last_k=False, score="61"), row(year=2019, score=50),
        row(scheme_id="other", park_id="B"),
        row(kind="event", what="central", count=2), row(kind="event", what="central"),
        row(kind="eliminated", park_id="C", blocked_until="2021-12-31"),
        row(kind="replaced", park_id="D", what="C"), row(kind="step", what="约谈"),
        row(kind="honoured", what="top5", year=2018),
    ])  # fmt: skip
    assert found.in_last(2020) == {"A": {2018: False, 2019: True}}
    assert found.in_last(2019) == {"A": {2018: False}}
    assert found.scores(2020) == {"A": {2018: Decimal(61), 2019: Decimal(50)}}
    assert found.events == {"A": {"central": {2019: Decimal(3)}}}
    assert [(one.park_id, one.blocked_until) for one in found.departures] == [
        ("C", date(2021, 12, 31))
    ]
    assert (found.arrivals, found.steps["A"], found.honours["A"]) == (
        {"D": 2019}, {2019: ("约谈",)}, {2018: ("top5",)},
    )  # fmt: skip


def test_the_journal_repeats_nothing_and_erases_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state.sqlite")
    assert journal.entries() == []
    fields = {"park_id": "A", "year": 2019}
    assert journal.add(fields, "2020-01-01T00:00:00", "甲") == (1, True)
    assert journal.add(dict(reversed(fields.items())), "2020-01-02T00:00:00", "乙") == (1, False)
    assert journal.withdraw(1, "2020-01-03T00:00:00", "乙", "录入有误")
    assert not journal.withdraw(1, "2020-01-04T00:00:00", "乙", "再次")
    assert journal.entries() == []
    (entry,) = journal.entries(withdrawn=True)
    assert (entry.entered_by, entry.withdrawn_by, entry.withdrawn_why) == ("甲", "乙", "录入有误")
    assert journal.add(fields, "2020-01-05T00:00:00", "甲") == (2, True)


def test_only_what_was_known_then_counts_in_a_build_of_then(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state.sqlite")
    journal.add(row().model_dump(mode="json"), "2020-01-01T00:00:00", "甲")
    journal.add(row(year=2018).model_dump(mode="json"), "2020-03-01T00:00:00", "甲")
    shipped = (row(park_id="Z"),)
    early = confirmed(shipped, journal.entries(), "2020-02-01T00:00:00")
    assert [(one.park_id, one.year) for one, *_ in early] == [("Z", 2019), ("A", 2019)]
    rows = outcome_rows(confirmed(shipped, journal.entries(), "9999-12-31T00:00:00"))
    assert [one.outcome_id.partition(":")[0] for one in rows] == ["entry", "entry", "outcomes.csv"]
    assert rows[0].entered_by == "甲"


def test_a_published_result_takes_effect_after_its_publicity() -> None:
    from tests.support.assessing import scheme

    chosen = scheme(scheme_id="s", publicity={"days": 5, "source": "测试"})
    found = [(row(decided_on="2024-06-04"), "entry:1", "甲", "x"),
             (row(kind="event", what="central", decided_on="2024-06-04"), "entry:2", "甲", "x"),
             (row(year=2018), "entry:3", "甲", "x")]  # fmt: skip
    assert [one.effective_from for one in outcome_rows(found, [chosen])] == [
        date(2024, 6, 12), date(2024, 6, 4), None,
    ]  # fmt: skip


def test_publicity_counts_the_workdays_of_the_workspace() -> None:
    from tests.support.assessing import scheme
    from warehouse.catalog.filing import CalendarYear

    chosen = scheme(scheme_id="s", publicity={"days": 5, "source": "测试"})
    free = CalendarYear(year=2024, holidays=[date(2024, 6, 6)], workdays=[], source="测试")
    found = [(row(decided_on="2024-06-04"), "entry:1", "甲", "x")]
    assert outcome_rows(found, [chosen], [free])[0].effective_from == date(2024, 6, 13)
