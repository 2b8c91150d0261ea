"""The 2025 delivery of the EIA workbook after an older one: revisions where the publisher revised, only."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.support.eia_deliveries import Delivery, rows_of, write
from tests.support.workspaces import ROOT, parkwatch
from warehouse.store import connect, fetch

EXAMPLE = ROOT / "examples" / "eia"
STATES = ("AK", "DC", "HI", "VT", "WY")
REVISED = {
    ("AK", "2023-05", "residential_revenue"): 1.01,  # became final
    ("HI", "2023-12", "total_sales"): 0.998,
    ("VT", "2024-02", "commercial_customers"): 1.02,  # still preliminary, revised all the same
    ("WY", "2024-12", "industrial_sales"): 0.95,
    ("WY", "2025-01", "industrial_sales"): 0.97,
}
"""Figure → how it stood in the older delivery, as a multiple of what it is now."""
ROUNDED = ("DC", "2024-03", "residential_sales")
"""Printed to the megawatthour in the older delivery: the same number with fewer digits."""
NEW_MONTHS = ("2025-02", "2025-03", "2025-04")


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory):
    """The workspace after both deliveries, and what each of them held."""
    folder = tmp_path_factory.mktemp("eia2")
    home = folder / "demo"
    assert parkwatch("init", home, "--example", "eia").returncode == 0
    (workbook,) = EXAMPLE.glob("inbox/*.xlsx")
    (home / "inbox" / workbook.name).unlink()
    rows = rows_of(workbook)
    now = Delivery(STATES, "2022-01", "2025-04", "2024-01", {})
    printed = write(rows, now, folder / "2025.xlsx")
    before = {cell: round(printed[cell] * factor, 1) for cell, factor in REVISED.items()}
    before[ROUNDED] = round(printed[ROUNDED])
    assert all(value != printed[cell] for cell, value in before.items())
    older = Delivery(STATES, "2022-01", "2025-01", "2023-01", before)
    held, closed = [], []
    for name, delivery, day in (
        ("sales_revenue__vintage_2025-04.xlsx", older, "2025-04-01"),
        ("sales_revenue__vintage_2025-07.xlsx", now, "2025-07-01"),
    ):
        held.append(write(rows, delivery, home / "inbox" / name))
        with (home / "inbox" / "receipts.csv").open("w", encoding="utf-8") as receipts:
            receipts.write(f"file,received_at,sender\n{name},{day}T09:00:00-04:00,eia\n")
        told = parkwatch("run", "--home", home, "--period", "2024-12", "--profile", "fast")
        assert told.returncode in (0, 3), told.stdout + told.stderr
        closed.append(years(home))
    return home, *held, *closed


def query(home, sql):
    """Rows of the published warehouse, read here: a process for each question costs a second."""
    with connect(home / "warehouse.duckdb", read_only=True) as connection:
        return fetch(connection, sql)


def years(home):
    """Closed years: state, year, indicator → value."""
    rows = query(
        home,
        "SELECT park_id, year, indicator_id, value::VARCHAR AS value FROM indicators.park_year "
        "WHERE asof_period = year || '-12' AND year BETWEEN 2022 AND 2024 AND value IS NOT NULL",
    )
    return {(r["park_id"], r["year"], r["indicator_id"]): r["value"] for r in rows}


def test_revised_are_the_figures_the_publisher_revised_and_no_other(deliveries):
    home, old, new, *_ = deliveries
    rows = query(
        home,
        "SELECT park_id, period, indicator_id, kind, former_value::VARCHAR AS before, "
        "value::VARCHAR AS after FROM observations.revision WHERE kind <> 'restated'",
    )
    said = {(r["park_id"], r["period"], r["indicator_id"]): r for r in rows}
    assert len(said) == len(rows)
    assert {cell for cell, r in said.items() if r["kind"] == "revised"} == set(REVISED)
    assert {cell for cell, r in said.items() if r["kind"] == "rounding"} == {ROUNDED}
    assert set(said) == {*REVISED, ROUNDED}
    for cell, row in said.items():
        assert Decimal(row["before"]) == Decimal(repr(old[cell]))
        assert Decimal(row["after"]) == Decimal(repr(new[cell]))


def test_each_delivery_is_whole_at_its_own_time(deliveries):
    home, old, new, *_ = deliveries
    for moment, held in (("2025-05-01", old), ("2025-08-01", new)):
        rows = query(
            home,
            "SELECT park_id, period, indicator_id, value::VARCHAR AS value "
            f"FROM observations.observation WHERE known_from <= '{moment}' "
            f"AND (known_to IS NULL OR known_to > '{moment}')",
        )
        seen = {(r["park_id"], r["period"], r["indicator_id"]): Decimal(r["value"]) for r in rows}
        assert seen == {cell: Decimal(repr(value)) for cell, value in held.items()}


def test_new_months_are_new_and_nothing_else_is_counted_as_revised(deliveries):
    home, old, new, *_ = deliveries
    diff = parkwatch("diff", "2025-05-01", "2025-08-01", "--home", home, "--json")
    counts = json.loads(diff.stdout)["counts"]["observations.observation"]
    assert counts["new"] == len(new) - len(old) == len(STATES) * 20 * len(NEW_MONTHS)
    assert counts["rounding"] == 1 and "removed" not in counts
    summary = json.loads(parkwatch("revisions", "--home", home, "--json").stdout)
    assert sum(row["n_revised"] for row in summary) == len(REVISED)


def test_years_move_only_where_a_month_was_revised(deliveries):
    """The revised indicator's year, and the price made of it; no other year."""
    _, _, _, before, after = deliveries
    assert before.keys() == after.keys()
    assert len(before) >= 3 * len(STATES) * 16
    assert {key for key in before if before[key] != after[key]} == {
        ("AK", 2023, "residential_revenue"), ("AK", 2023, "residential_price"),
        ("HI", 2023, "total_sales"), ("HI", 2023, "total_price"),
        ("VT", 2024, "commercial_customers"),
        ("WY", 2024, "industrial_sales"), ("WY", 2024, "industrial_price"),
        ("DC", 2024, "residential_sales"), ("DC", 2024, "residential_price"),
    }  # fmt: skip


def test_a_month_confirmed_as_final_is_final_from_that_delivery_on(deliveries):
    """Also where the number stayed the same: the publisher said 快报 of 2023 first, then 年报."""
    home = deliveries[0]
    for moment, maturity in (("2025-05-01", "快报"), ("2025-08-01", "年报")):
        rows = query(
            home,
            "SELECT DISTINCT maturity FROM observations.observation "
            f"WHERE period LIKE '2023-%' AND known_from <= '{moment}' "
            f"AND (known_to IS NULL OR known_to > '{moment}')",
        )
        assert rows == [{"maturity": maturity}]
