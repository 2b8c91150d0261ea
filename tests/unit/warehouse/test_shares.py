"""Deriving share by share: any division of the parks gives the rows of one step."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from tests.support import national_case
from tests.support.warehouse_cases import Case, CaseIndicator
from warehouse import derive, filing, partitions, store

TABLES = ("indicators.park_month", "indicators.park_year")


def built(home, facts_at_once):
    case = national_case.case(home)
    with case.warehouse.building() as connection:
        derive.refresh_versions(connection)
        filing.refresh_triage(connection, [], [])
        derive.refresh_observations(connection)
        derive.refresh_park_month(
            connection,
            case.indicators,
            asof=store.FAR_FUTURE,
            first_month=2,
            facts_at_once=facts_at_once,
        )
        derive.refresh_park_year(
            connection, "2020-06", each_month=True, facts_at_once=facts_at_once
        )
        return {name: partitions.of_parts(connection, name) for name in TABLES}


@pytest.mark.parametrize("facts_at_once", [1, 40, 150])
def test_shares_of_any_size_give_the_same_rows(tmp_path, facts_at_once):
    whole = built(tmp_path / "whole", 10**9)
    assert whole["indicators.park_month"].n_rows > 300
    assert built(tmp_path / "shares", facts_at_once) == whole


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_month_derived_alone_is_the_month_derived_with_all_others(tmp_path, seed):
    """A month alone reads cumulative figures of two months a year only, and kept growth."""
    case = national_case.case(tmp_path, seed)
    case.build("2020-06")
    wanted = case.rows("FROM indicators.park_month ORDER BY ALL")
    with case.warehouse.building() as connection:
        periods = connection.execute("SELECT DISTINCT period FROM indicators.park_month ORDER BY 1")
        for (period,) in periods.fetchall():
            connection.execute("DELETE FROM internal.affected_period")
            derive.mark_affected(connection, [period])
            derive.derive_park_month(
                connection, case.indicators, asof=store.FAR_FUTURE, first_month=2
            )
    assert case.rows("FROM indicators.park_month ORDER BY ALL") == wanted


def test_a_formula_that_looks_back_by_months_reads_every_month(tmp_path):
    back = CaseIndicator("B", over_time="formula", formula="C - C[-3m]")
    case = Case(tmp_path, [CaseIndicator("C"), back])
    case.parks({"park_id": "P"})
    for month in (2, 3, 4, 5, 6):
        cell = ("P", "C", f"2020-{month:02d}", "ytd", month * month)
        case.deliver(f"f{month}", datetime(2020, month + 1, 8), [cell])
    case.build("2020-06")
    with case.warehouse.building() as connection:
        connection.execute("DELETE FROM internal.affected_period")
        derive.mark_affected(connection, ["2020-06"])
        derive.derive_park_month(connection, case.indicators, asof=store.FAR_FUTURE, first_month=2)
    [row] = case.rows("FROM indicators.park_month WHERE period = '2020-06' AND indicator_id = 'B'")
    assert row["value_ytd"] == 36 - 9


def test_a_later_month_after_shares_leaves_other_months_alone(tmp_path):
    case = national_case.case(tmp_path)
    case.build("2020-06")
    before = case.rows("FROM indicators.park_month WHERE period < '2020-06' ORDER BY ALL")
    case.deliver("late", datetime(2020, 8, 1), [("P1", "C01", "2020-06", "ytd", 5)])
    with case.warehouse.building() as connection:
        derive.refresh_versions(connection)
        derive.refresh_observations(connection)
        derive.refresh_park_month(
            connection, case.indicators, asof=store.FAR_FUTURE, first_month=2, facts_at_once=1
        )
    assert case.rows("FROM indicators.park_month WHERE period < '2020-06' ORDER BY ALL") == before
    [row] = case.rows(
        "FROM indicators.park_month WHERE period = '2020-06' AND park_id = 'P1' "
        "AND indicator_id = 'C01'"
    )
    assert row["value_ytd"] == 5


VALUES = ["0", "12.3", "-0.05", "0.00000001", "123456.789", "99999999999999999999.99999999"]
ADDRESSES = ["C17", "AB1", "XFD1048576", "AAAA1", "C0", "C017", "第3行第2列", "R1C1", "C9999999999"]


def test_values_and_addresses_come_back_as_they_were_kept(tmp_path):
    case = Case(tmp_path, [CaseIndicator("C01")])
    figures = [(Decimal(value), address) for value in VALUES for address in ADDRESSES]
    cells = [(f"P{n:02d}", "C01", "2020-06", "ytd", v) for n, (v, _) in enumerate(figures)]
    case.deliver("s1", datetime(2020, 7, 8), cells)
    with case.warehouse.building() as connection:
        connection.executemany(
            "UPDATE submissions.cell SET address = ? WHERE park_id = ?",
            [(address, f"P{n:02d}") for n, (_, address) in enumerate(figures)],
        )
    case.build("2020-06")
    rows = case.rows("FROM observations.observation ORDER BY park_id")
    assert [(row["value"], row["address"]) for row in rows] == figures
