"""Revision statistics added up from sums by period equal those counted over all vintages at once."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tests.support.warehouse_cases import Case, CaseIndicator

MAY, JUNE, JULY = "2020-05", "2020-06", "2020-07"
START = datetime(2020, 6, 8)


@pytest.fixture
def case(tmp_path):
    """Two sources; a month corrected twice a month apart, one withdrawn, one revised by another file."""
    case = Case(tmp_path, [CaseIndicator("C01"), CaseIndicator("C04")])
    both = [(park, indicator, MAY, "ytd", 100) for park in "AB" for indicator in ("C01", "C04")]
    case.deliver("may", START, both)
    case.deliver("other", START, [("C", "C01", MAY, "ytd", 7)], reporter="r2", source_id="t")
    case.build(MAY)
    case.deliver("june", START + timedelta(days=30),
                 [("A", "C01", JUNE, "ytd", 230), ("A", "C01", MAY, "ytd", Decimal("109.3"))])  # fmt: skip
    case.deliver("other2", START + timedelta(days=3), [("C", "C01", MAY, "ytd", 8)], reporter="r2",
                 source_id="t")  # fmt: skip
    case.build(JUNE)
    for days, value in ((40, "110.7"), (75, "-12.12345678")):
        corrected = [("B", "C04", MAY, "ytd", Decimal(value)), ("A", "C04", MAY, "ytd", "unknown")]
        case.deliver(f"may+{days}", START + timedelta(days=days), corrected)
    case.build(JUNE)
    return case


def _withdraw(case: Case, submission_id: str) -> None:
    with case.warehouse.building() as connection:
        connection.execute(
            "INSERT INTO internal.withdrawal VALUES (?, ?, NULL, '误报')",
            [submission_id, START + timedelta(days=90)],
        )
    case.build(JUNE)


def _sums(case: Case, period: str) -> list[dict]:
    return case.rows("FROM internal.revision_sum WHERE period = ? ORDER BY ALL", period)


def test_sums_of_periods_make_the_statistics(case):
    assert case.revisions_add_up() >= 6
    (row,) = case.rows(
        "FROM observations.revision_summary WHERE source_id = 's' AND indicator_id = 'C04' "
        "AND lag_months IS NULL"
    )
    # blanked for A and two corrections for B: two figures of the two; revisions are the corrections
    assert (row["n_figures"], row["n_revised"]) == (2, 2)
    assert row["mean_revision"] == round((Decimal("10.7") + Decimal("-122.82345678")) / 2, 8)


def test_a_withdrawal_counts_anew(case):
    before = case.rows("FROM observations.revision_summary ORDER BY ALL")
    _withdraw(case, "may+75")
    assert case.revisions_add_up()
    assert case.rows("FROM observations.revision_summary ORDER BY ALL") != before


def test_a_month_touches_its_own_sums_only(case):
    with case.warehouse.building() as connection:
        connection.execute(
            "UPDATE internal.revision_sum SET n_figures = 1000 WHERE period = ?", [MAY]
        )
    marked = _sums(case, MAY)
    case.deliver("july", START + timedelta(days=60), [("A", "C01", JULY, "ytd", 300)])
    case.build(JULY)
    assert _sums(case, MAY) == marked
    assert _sums(case, JULY)


def test_a_file_of_an_older_program_gets_its_sums(case):
    with case.warehouse.building() as connection:
        connection.execute("DELETE FROM internal.revision_sum WHERE period = ?", [MAY])
    case.deliver("july", START + timedelta(days=60), [("A", "C01", JULY, "ytd", 300)])
    case.build(JULY)
    assert case.revisions_add_up() >= 6
