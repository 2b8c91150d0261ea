"""The EIA workbook needs its layout file and catalogue, nothing else; read independently by openpyxl."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

import openpyxl
import yaml

from assets.submissions.reading.parsers import read_workbook
from assets.submissions.reading.workbook import Sheet, Workbook
from assets.submissions.tables.layout import CellBatch, ReadingContext, build_reader
from warehouse.catalog.load import load_catalog

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "eia"
FILE = EXAMPLE / "inbox" / "sales_revenue__vintage_2025-07.xlsx"
SECTORS = ("residential", "commercial", "industrial", "transportation", "total")
FIGURES = ("revenue", "sales", "customers", "price")


@cache
def workbook() -> Workbook:
    book = read_workbook(FILE.read_bytes())
    assert isinstance(book, Workbook)
    return book


def read(book: Workbook, catalog: Path = EXAMPLE / "catalog") -> CellBatch:
    reader = build_reader(load_catalog(catalog, "none"))
    return reader.read(book, ReadingContext(FILE.name, "eia", first_month=1))


@cache
def batch() -> CellBatch:
    return read(workbook())


def independent() -> Iterator[tuple[str, str, str, str, Decimal]]:
    """(state, period, status, indicator, value) straight from the sheet's fixed positions."""
    book = openpyxl.load_workbook(FILE, read_only=True, data_only=True)
    for row in book["Monthly-States"].iter_rows(min_row=4, values_only=True):
        if not isinstance(row[1], int | float):
            continue  # the footnote
        period = f"{int(row[0]):04d}-{int(row[1]):02d}"
        for n, value in enumerate(row[4:24]):
            indicator = f"{SECTORS[n // 4]}_{FIGURES[n % 4]}"
            yield row[2], period, row[3], indicator, Decimal(repr(value))


def test_每一格与独立读取相等() -> None:
    cells = {(c.park_id, c.period, c.indicator_id): c for c in batch().cells}
    assert len(cells) == len(batch().cells) == 187_680
    status = {"年报": "Final", "快报": "Preliminary"}
    seen = 0
    for state, period, was, indicator, value in independent():
        cell = cells[(state, period, indicator)]
        assert cell.value == value, cell
        assert (cell.measure, status[cell.maturity or ""], cell.role) == ("month", was, "data")
        seen += 1
    assert seen == len(cells)
    assert batch().findings == []


def test_51个单位_184个月_单位取自单位行() -> None:
    cells = batch().cells
    assert len({c.park_id for c in cells}) == 51
    periods = sorted({c.period or "" for c in cells})
    assert (periods[0], periods[-1], len(periods)) == ("2010-01", "2025-04", 184)
    assert Counter(c.unit_raw for c in cells) == {
        "Thousand Dollars": 46_920, "Megawatthours": 46_920, "Count": 46_920, "Cents/kWh": 46_920,
    }  # fmt: skip
    assert {c.unit_evidence[:3] for c in cells} == {"单位行"}
    assert (batch().source_id, batch().reporter, batch().layout_id) == (
        "eia_861m", "eia", "eia_sales_revenue",
    )  # fmt: skip


def test_没有版式文件就读不出_加上版式文件就能读(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog"
    shutil.copytree(EXAMPLE / "catalog", catalog)
    layout = catalog / "layouts" / "eia_sales_revenue.yaml"
    text = layout.read_text(encoding="utf-8")
    layout.unlink()
    sources = catalog / "sources.yaml"
    sources.write_text(
        sources.read_text(encoding="utf-8").replace("eia_sales_revenue", ""), "utf-8"
    )
    sources.write_text(sources.read_text(encoding="utf-8").replace("layouts: []", ""), "utf-8")
    few = Workbook("xlsx", (_first_rows(workbook().sheets[0]),))
    without = read(few, catalog)
    assert {f.rule_id for f in without.findings} == {"R-no-layout"}
    assert {c.indicator_id for c in without.cells} == {None}
    layout.write_text(text, encoding="utf-8")
    assert {c.indicator_id is None for c in read(few, catalog).cells} == {False}


def _first_rows(sheet: Sheet, change: dict[str, str] | None = None) -> Sheet:
    rows = [
        [(change or {}).get(v, v) if isinstance(v, str) else v for v in row]
        for row in sheet.rows[:60]
    ]
    return Sheet(sheet.name, rows, tuple(area for area in sheet.merged if area[2] <= 3))


def test_发布方改了表头_报告差异而不是报错() -> None:
    sheet = workbook().sheets[0]
    renamed = read(
        Workbook("xlsx", (_first_rows(sheet, {"Customers": "Accounts", "State": "Area"}),))
    )
    drift = next(f for f in renamed.findings if f.rule_id == "R-layout-drift")
    assert "residential_customers 居民用户数(当月)" in drift.message
    assert "单位名称列“State”" in drift.message
    read_on = Counter(c.indicator_id for c in renamed.cells if c.park_id)
    assert read_on["residential_revenue"] == 57 and read_on["residential_customers"] == 0
    assert read_on[None] == 57 * 5


def test_发布方改了单位_按文件的单位换算() -> None:
    sheet = workbook().sheets[0]
    changed = read(Workbook("xlsx", (_first_rows(sheet, {"Thousand Dollars": "Million Dollars"}),)))
    usual = read(Workbook("xlsx", (_first_rows(sheet),)))
    values = {c.address: c.value for c in usual.cells}
    for cell in changed.cells:
        factor = 1000 if str(cell.indicator_id).endswith("_revenue") else 1
        assert cell.value == values[cell.address] * factor  # type: ignore[operator]


def test_不读的表都写明原因() -> None:
    fields = yaml.safe_load((EXAMPLE / "catalog/layouts/eia_sales_revenue.yaml").read_text("utf-8"))
    ignored = {item["sheet"]: item["reason"] for item in fields["ignore_sheets"]}
    assert set(ignored) == {s.name for s in workbook().sheets} - {"Monthly-States"}
    assert all(ignored.values())
