"""Real exports of the statistics bureau: `inspect`, accept the proposal, read; no code per file.

Every figure is compared with an independent read of the same bytes that knows nothing of structure
detection: plain rows of csv or calamine, cut at the head row and the first footnote.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
import yaml
from python_calamine import CalamineWorkbook

from assets.submissions.reading.parsers import read_workbook
from assets.submissions.reading.workbook import Workbook, address
from assets.submissions.tables.inspection import inspect_workbook
from assets.submissions.tables.layout import CellBatch, Reader, ReadingContext, build_reader
from tests.support.devdata import devdata
from tests.support.layouts import parse_layout
from warehouse.catalog.layouts import Layout
from warehouse.catalog.load import load_catalog

pytestmark = pytest.mark.devdata
FIRST_HEADS = {"地区", "指标", "时间", "date"}


@cache
def catalogue_reader() -> Reader:
    return build_reader(load_catalog())


def workbook(path: Path) -> Workbook:
    book = read_workbook(path.read_bytes())
    assert isinstance(book, Workbook), path
    return book


def accept(path: Path) -> Layout:
    """What a person does who accepts the proposed file unread: change the status."""
    text = inspect_workbook(workbook(path), catalogue_reader(), path.name).proposal.yaml()
    assert "status: proposed" in text
    fields = yaml.safe_load(text.replace("status: proposed", "status: accepted"))
    return parse_layout(fields, path.name)


def read(path: Path, *layouts: Layout) -> CellBatch:
    base = catalogue_reader()
    reader = Reader(
        base.index.indicators.values(), layouts, base.register, base.units, base.symbols
    )
    return reader.read(workbook(path), ReadingContext(path.name))


def files(folder: str) -> list[Path]:
    return sorted(path for path in devdata(folder).rglob("*") if path.suffix in (".csv", ".xls"))


# --- the independent read ------------------------------------------------------------------------


def plain_rows(path: Path) -> list[list[str]]:
    if path.suffix == ".csv":
        data = path.read_bytes()
        text = data.decode("utf-8-sig" if data[:3] == b"\xef\xbb\xbf" else "gb18030")
        return list(csv.reader(io.StringIO(text, newline="")))
    book = CalamineWorkbook.from_path(str(path))
    rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    return [[_text(value) for value in row] for row in rows]


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def body(path: Path) -> Iterator[tuple[int, str, list[tuple[int, str, str]]]]:
    """(row number, label, [(column number, head, text)]) of the rows under the head."""
    rows = plain_rows(path)
    top = next(n for n, row in enumerate(rows) if row and row[0] in FIRST_HEADS)
    heads = rows[top]
    for number, row in enumerate(rows[top + 1 :], top + 2):
        if not row or re.match(r"注|数据来源|\s", row[0]):
            return
        yield number, row[0], [(c + 1, heads[c], row[c]) for c in range(1, len(heads))]


def period_of(text: str) -> str | None:
    match = re.fullmatch(r"(\d{4})(?:年|-)(?:(\d{1,2})(?:月|-01))?", text)
    return f"{match[1]}-{int(match[2] or 12):02d}" if match else None


# --- tests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["cn_nbs_exports", "cn_macro_vintages"])
def test_每个文件确认建议的版式后全部读成数值(folder: str) -> None:
    checked = 0
    for path in files(folder):
        if path.name == "一般公共预算等.xls":
            continue  # no head over its label columns: its own test below
        batch = read(path, accept(path))
        cells = {cell.address: cell for cell in batch.cells}
        for number, label, values in body(path):
            for column, head, text in values:
                if text in ("True", "False"):
                    continue
                cell = cells.pop(address(number, column))
                expected = Decimal(text) if text else None
                assert (cell.value, cell.raw_text) == (expected, text), (path.name, cell)
                period = period_of(head) or period_of(label)
                assert cell.period == period, (path.name, cell)
                assert cell.indicator_id is not None
                assert cell.state == (
                    "unknown" if not text else "zero" if not expected else "reported"
                )
                if not period_of(label):
                    assert label == cell.entity_raw or cell.head.startswith(label), cell
                checked += 1
        assert not cells, (path.name, list(cells)[:3])
    assert checked > 5000


def test_累计_当期_同比各归其口径() -> None:
    cases = {
        "sunshine/月度数据.csv": {"L": "month", "B": "month"},
        "ren/分省年度数据 (5).csv": {"B": "yoy_published"},
        "ren/分省年度数据.csv": {"B": "ytd"},
        "ruiyugao/人口年度数据.xls": {"B": "stock"},
    }
    for name, columns in cases.items():
        path = devdata("cn_nbs_exports") / name
        cells = read(path, accept(path)).cells
        for letters, measure in columns.items():
            found = {c.measure for c in cells if re.fullmatch(rf"{letters}\d+", c.address)}
            assert found == {measure}, (name, letters)


def test_增速的单位是百分比_指数与金额的单位照写() -> None:
    for name, unit in (
        ("ren/分省年度数据 (5).csv", "%"),
        ("sunshine/分省月度数据.csv", "上年同月=100"),
        ("dataint/分省年度数据.xls", "亿元"),
    ):
        path = devdata("cn_nbs_exports") / name
        batch = read(path, accept(path))
        assert {(c.unit_raw, c.unit_factor) for c in batch.cells} == {(unit, "1")}
        assert {c.unit_evidence[:2] for c in batch.cells} <= {"表头", "口径"}


def test_没有表头的列_合并的指标名_数字年份() -> None:
    path = devdata("cn_nbs_exports") / "ren" / "一般公共预算等.xls"
    batch = read(path, accept(path))
    cells = {cell.address: cell for cell in batch.cells}
    rows = plain_rows(path)
    names: set[str] = set()
    for number, row in enumerate(rows[1:], 2):
        name = row[1] or row[2]
        for column in range(4, len(row)):
            cell = cells.pop(address(number, column + 1))
            assert cell.value == (Decimal(row[column]) if row[column] else None)
            assert (cell.entity_raw, cell.period) == (row[3], f"{rows[0][column]}-12")
            assert cell.unit_raw == "亿元"
            names.add(str(cell.indicator_id))
            assert cell.head.startswith(name)
    assert not cells and len(names) == 2


def test_新指标的编号只由名称定_不同文件同名同号() -> None:
    folder = devdata("cn_nbs_exports") / "ruiyugao"
    ids = [
        {i.name_zh: i.indicator_id for i in accept(folder / name).new_indicators}
        for name in ("年度数据.xls", "城市生活垃圾清运和处理情况年度数据.xls")
    ]
    assert ids[0]["生活垃圾清运量"] == ids[1]["生活垃圾清运量"]
    assert len(set(ids[1].values())) == 16


def test_一个版式读同一种文件_另一种指标的文件不会错认() -> None:
    folder = devdata("cn_nbs_exports") / "sunshine"
    clothes = accept(folder / "分省月度数据 (2).csv")
    same = read(folder / "分省月度数据 (2).csv", clothes)
    other = read(folder / "分省月度数据 (3).csv", clothes)
    assert {c.indicator_id for c in same.cells} == {clothes.new_indicators[0].indicator_id}
    assert {c.indicator_id for c in other.cells} == {None}
    assert [f.rule_id for f in other.findings] == ["R-no-layout"]


def test_同一来源的各次下载_用同一个版式() -> None:
    folder = devdata("cn_macro_vintages") / "retail_sales"
    first, *later = sorted(folder.glob("*.csv"))
    layout = accept(first)
    for path in later:
        batch = read(path, layout)
        assert batch.layout_id == layout.layout_id
        assert [f.rule_id for f in batch.findings if f.rule_id != "R-unknown-park"] == []
    latest = {(c.period, c.measure): c.value for c in batch.cells if c.measure}
    assert latest[("2026-07", "ytd")] == Decimal("287744.4")
    assert latest[("2026-02", "month")] is None


def test_面板数据的工作簿与CSV逐格相等() -> None:
    folder = devdata("cn_province_panel")
    batch = read(folder / "Supplementary_Data.xlsx", accept(folder / "Supplementary_Data.xlsx"))
    cells = {c.address: c for c in batch.cells if c.sheet == "Raw_Data"}
    rows = list(csv.reader((folder / "csv" / "raw_data.csv").open(encoding="utf-8-sig")))
    for number, row in enumerate(rows[1:], 2):
        for column in range(3, len(row)):
            cell = cells.pop(address(number, column + 1))
            assert cell.value == (Decimal(row[column]) if row[column] else None), cell
            assert (cell.entity_raw, cell.period) == (row[0], f"{row[1]}-12")
    assert not cells
