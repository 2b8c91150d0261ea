"""A form that comes again: what a reader remembers of heads changes nothing in what it reads."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from assets.submissions.reading.workbook import ErrorValue, Sheet, Workbook
from assets.submissions.tables.entities import Register
from assets.submissions.tables.layout import Reader, ReadingContext
from assets.submissions.tables.records import CellRecord, Cells
from assets.submissions.values.units import shipped
from tests.support.layouts import parse_layout
from warehouse.catalog.models import Indicator, Park, Reporter

INDICATORS = [
    Indicator(
        indicator_id=code, name_zh=name, unit=unit, kind="flow", over_time="ytd", aggregation="sum"
    )
    for code, name, unit in (("C01", "工业总产值", "万元"), ("C04", "营业收入", "万元"),
                             ("D02", "上缴税金", "万元"))
]  # fmt: skip
PARKS = [
    Park(park_id="P1", name="月河工业集中区", county_code="610921"),
    Park(park_id="P2", name="城关工业园区", county_code="610921"),
]
REPORTERS = [Reporter(reporter_id="hanyin", name="汉阴县统计岗", region_code="610921")]
LAYOUTS = [
    parse_layout(
        {"layout_id": name, "title": name, "source": "monthly", "tables": [
            {"sheets": "*", "shape": "wide", "entity": {"head": ["园区"]}, "indicators": "auto",
             "period": {"from": ["title", "file"]}, "default_unit": unit},
        ]},
    )
    for name, unit in (("a", "万元"), ("b", "亿元"))
] + [
    parse_layout(
        {"layout_id": "rows", "title": "指标成行", "source": "monthly", "tables": [
            {"sheets": "*", "shape": "transposed", "entity": {"across": True}, "indicators": "auto",
             "indicator": {"head": "指标"}, "unit_column": "计量单位", "period": {"from": ["file"]},
             "default_unit": "万元"},
        ]},
    )
]  # fmt: skip

HEADS = st.lists(
    st.sampled_from(
        ["工业总产值", "工业总产值(亿元)", "营业收入", "营业收入本月", "营业收入上年同期", "营业收入同比",
         "上缴税金", "上缴税金累计", "不知何物", "2019年1—6月营业收入", "1—5月上缴税金", "序号"]
    ),
    min_size=1, max_size=5,
)  # fmt: skip
TITLES = st.sampled_from(
    ["2020年1—6月月报", "汉阴县2020年6月月报 单位：亿元", "2020年5月月报", "填报单位：汉阴县", ""]
)
NAMES = st.sampled_from(["月河工业集中区", "城关工业园区", "某某园", "合计", "其中：甲", "注：略"])
VALUES = st.one_of(
    st.none(),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda v: round(v, 2)),
    st.sampled_from([0.0, 0.1, 110.0, 100.0, 2019.0, 1.0, 2.0, 3, "—", "1,075.5亿元", "约3", "待核实",
                     0.000000123456, ErrorValue("#DIV/0!")]),
)  # fmt: skip


@st.composite
def sheets(draw: st.DrawFn) -> Sheet:
    heads = draw(HEADS)
    width = len(heads) + 1
    body = draw(st.lists(st.tuples(NAMES, st.lists(VALUES, min_size=width - 1, max_size=width - 1)),
                         min_size=1, max_size=4))  # fmt: skip
    rows: list[list[object]] = [[draw(TITLES)], ["园区", *heads]]
    merged: list[tuple[int, int, int, int]] = []
    if draw(st.booleans()):  # a second row of heads under the first
        rows.insert(
            2, [None, *draw(st.permutations(["累计", "本月", "万元", "亿元", "人"]))][:width]
        )
        merged.append((2, 1, 3, 1))
    rows += [[name, *values] for name, values in body]
    if draw(st.booleans()):  # and a value over two rows
        merged.append((len(rows) - 1, 2, len(rows), 2))
    return Sheet("月报", rows, tuple(merged))  # type: ignore[arg-type]


def reader() -> Reader:
    return Reader(INDICATORS, LAYOUTS, Register(PARKS, REPORTERS), shipped())


@st.composite
def indicators_in_rows(draw: st.DrawFn) -> Sheet:
    names = draw(st.lists(HEADS.map(lambda heads: heads[0]), min_size=1, max_size=5))
    parks = draw(st.permutations(["月河工业集中区", "城关工业园区", "月河工业集中区(亿元)"]))[:2]
    rows: list[list[object]] = [[draw(TITLES)], ["指标", "计量单位", *parks]]
    units = st.sampled_from(["万元", "亿元", "人", "某单位", None])
    rows += [[name, draw(units), draw(VALUES), draw(VALUES)] for name in names]
    return Sheet("月报", rows)  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(sheets(), indicators_in_rows()), min_size=1, max_size=3), st.data())
def test_读过的表样再来一次_读出的与初次无异(forms: list[Sheet], data: st.DataObject) -> None:
    one = reader()
    order = [*forms, *data.draw(st.permutations(forms))]
    for number, sheet in enumerate(order):
        name = "2020年6月.xlsx" if number % 2 else "报表.xlsx"
        workbook, context = Workbook("xlsx", (sheet,)), ReadingContext(name, "hanyin")
        again, alone = one.read(workbook, context), reader().read(workbook, context)
        assert again == alone
        assert [repr(f) for f in again.findings] == [repr(f) for f in alone.findings]


def test_cells_are_records_and_columns_alike() -> None:
    record = CellRecord(
        "表", "B2", "1.50", Decimal("1.50"), "reported", "万元", "1", "表头B1", "P1", "甲园", "C01",
        "2020-06", "ytd", None, "a", "tables[1]", "产值",
    )  # fmt: skip
    blank = CellRecord(*["x"] * 3, None, *["x"] * 14)
    cells = Cells([record, blank])
    assert list(cells) == [record, blank] == cells[0:2]
    assert (cells[0], cells[-1].value, len(cells), str(cells[0].value)) == (record, None, 2, "1.50")
    assert cells == [record, blank] and cells != [record] and cells == Cells(list(cells))
    assert list(cells.usable()) == [0]
    twice = Cells([record])
    twice.extend(cells)
    assert list(twice) == [record, record, blank]
