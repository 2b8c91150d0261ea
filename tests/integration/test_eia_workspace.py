"""The EIA workspace end to end: a real messy workbook against its own answer key."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.support.eia_answer_key import published_years
from tests.support.workspaces import ROOT, parkwatch, query

WORKBOOK = ROOT / "examples" / "eia" / "inbox" / "sales_revenue__vintage_2025-07.xlsx"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("eia") / "demo-eia"
    made = parkwatch("init", folder, "--example", "eia")
    assert made.returncode == 0, made.stderr
    told = parkwatch("run", "--home", folder, "--period", "2024-12")
    assert told.returncode == 0, told.stdout + told.stderr
    return folder


def test_every_published_year_to_date_figure_is_met(home):
    """State, year and measure of the workbook's own sheet; the US row against the area totals."""
    sql = "SELECT {0} AS unit, indicator_id, year, value::VARCHAR AS value FROM indicators.{1} {2}"
    rows = query(home, sql.format("park_id", "park_year", ""))
    rows += query(home, sql.format("area_code", "area_year", "WHERE scope = 'all'"))
    ours = {(r["unit"], r["indicator_id"], r["year"]): r["value"] for r in rows}
    compared, wrong = 0, []
    for published in published_years(WORKBOOK):
        compared += 1
        value = ours.get((published.unit, published.indicator_id, published.year))
        if published.low is None:
            met = value is None
        else:
            met = value is not None and published.low <= Decimal(value) <= published.high
        if not met:
            wrong.append((published, value))
    assert compared == 52 * 16 * 20
    assert not wrong, f"{len(wrong)} of {compared} differ, first: {wrong[:3]}"


def test_one_row_a_unit_indicator_and_year(home):
    rows = query(
        home,
        "SELECT count(*) AS n, count(DISTINCT (park_id, indicator_id, year)) AS keys, "
        "count(DISTINCT park_id) AS units FROM indicators.park_year",
    )
    assert rows == [{"n": 51 * 16 * 20, "keys": 51 * 16 * 20, "units": 51}]


def test_preliminary_and_final_are_told_apart(home):
    rows = query(
        home,
        "SELECT left(period, 4) AS year, maturity, count(*) > 0 AS some "
        "FROM observations.observation GROUP BY ALL ORDER BY ALL",
    )
    assert {r["year"] for r in rows if r["maturity"] == "快报"} <= {"2024", "2025"}
    assert {r["year"] for r in rows if r["maturity"] == "年报"} >= {
        str(y) for y in range(2010, 2024)
    }


def test_a_figure_is_traced_to_twelve_cells(home):
    told = parkwatch("explain", "AK", "residential_price", "2024-12", "--home", home)
    cells = [line for line in told.stdout.splitlines() if line.lstrip().startswith("单元格 文件")]
    assert len(cells) == 24  # revenue and sales of twelve months
    assert all("sales_revenue__vintage_2025-07.xlsx" in c and "Monthly-States" in c for c in cells)
