"""Applying layouts: every value with its place, unit, period, park and indicator, or a finding."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
import yaml

from assets.submissions.reading.workbook import CellValue, ErrorValue, Range, Sheet, Workbook
from assets.submissions.tables.entities import Register
from assets.submissions.tables.layout import CellBatch, CellRecord, Reader, ReadingContext
from assets.submissions.values.units import shipped
from tests.support.layouts import parse_layout
from warehouse.catalog.layouts import Layout, layout_yaml
from warehouse.catalog.models import Indicator, Park, Reporter
from warehouse.catalog.problems import CatalogError

_ = None
Rows = list[list[CellValue]]


def indicator(code: str, name: str, unit: str, kind: str = "flow", *aliases: str) -> Indicator:
    over_time = {"flow": "ytd", "stock": "last", "ratio": "last"}[kind]
    return Indicator.model_validate(
        {"indicator_id": code, "name_zh": name, "unit": unit, "kind": kind, "aliases": aliases,
         "over_time": over_time, "aggregation": "none" if kind == "ratio" else "sum",
         "suggestions": [{"label": "技工贸总收入", "note": "口径更宽"}] if code == "C04" else []}
    )  # fmt: skip


INDICATORS = [
    indicator("C01", "工业总产值", "万元", "flow", "工业产值"),
    indicator("C02", "规模以上工业总产值", "万元"),
    indicator("C03", "工业增加值", "万元"),
    indicator("C04", "营业收入", "万元", "flow", "主营业务收入"),
    indicator("D02", "上缴税金", "万元", "flow", "税收"),
    indicator("E01", "从业人员期末人数", "人", "stock", "从业人员"),
    indicator("B01", "入驻企业数", "户", "stock"),
    indicator("A02", "建成面积", "公顷", "stock"),
    Indicator(
        indicator_id="X22",
        name_zh="当月值",
        unit="万元",
        kind="flow",
        over_time="formula",
        aggregation="none",
        engine="month_value",
    ),
]
PARKS = [
    Park(park_id="P1", name="月河工业集中区", county_code="610921", aliases=("月河园区",)),
    Park(park_id="P2", name="城关工业园区", county_code="610921"),
    Park(park_id="P9", name="恒口经济技术开发区", county_code="610902"),
]
REPORTERS = [
    Reporter(reporter_id="hanyin", name="汉阴县统计岗", short_name="汉阴县", region_code="610921",
             source_id="monthly"),
    Reporter(reporter_id="hanbin", name="汉滨区统计岗", short_name="汉滨区", region_code="610902"),
]  # fmt: skip
WIDE: dict[str, Any] = {
    "sheets": "*",
    "shape": "wide",
    "entity": {"head": ["园区名称", "园区"]},
    "period": {"from": ["title", "file"]},
    "default_unit": "万元",
    "indicators": "auto",
}


def layout(table: dict[str, Any] | None = None, **more: Any) -> Layout:
    fields = {"layout_id": "t", "title": "月报", "source": "monthly", "tables": [table or WIDE]}
    return parse_layout(fields | more)


def book(rows: Rows, merged: tuple[Range, ...] = (), **more: Any) -> Workbook:
    return Workbook("xlsx", (Sheet("月报", rows, merged, **more),))


def read(
    rows: Rows | Workbook,
    *layouts: Layout,
    name: str = "2020年6月.xlsx",
    sender: str | None = "hanyin",
    merged: tuple[Range, ...] = (),
) -> CellBatch:
    reader = Reader(INDICATORS, layouts or [layout()], Register(PARKS, REPORTERS), shipped())
    workbook = rows if isinstance(rows, Workbook) else book(rows, merged)
    return reader.read(workbook, ReadingContext(name, sender))


def at(batch: CellBatch, address: str) -> CellRecord:
    (cell,) = [cell for cell in batch.cells if cell.address == address]
    return cell


def codes(batch: CellBatch) -> Counter[str]:
    return Counter(finding.rule_id for finding in batch.findings)


def told(batch: CellBatch, code: str) -> Any:
    return next(finding for finding in batch.findings if finding.rule_id == code)


# --- one value, fully described ----------------------------------------------------------------


def test_一个数值的来龙去脉() -> None:
    batch = read(
        [["汉阴县2020年1—6月园区月报"], ["园区", "工业总产值（亿元）"], ["月河工业集中区", 1.2345]]
    )
    assert batch.findings == []
    assert (batch.source_id, batch.reporter, batch.period, batch.layout_id) == (
        "monthly", "hanyin", "2020-06", "t",
    )  # fmt: skip
    assert batch.cells == [
        CellRecord(
            sheet="月报", address="B3", raw_text="1.2345", value=Decimal("12345.0000"),
            state="reported", unit_raw="亿元", unit_factor="10000", unit_evidence="表头B2",
            park_id="P1", entity_raw="月河工业集中区", indicator_id="C01", period="2020-06",
            measure="ytd", maturity=None, layout_id="t", layout_rule="tables[1].indicators(auto:C01)",
            head="工业总产值（亿元）", role="data",
        )
    ]  # fmt: skip


def test_每个数值说得出版式的哪一项给了它含义() -> None:
    table = WIDE | {
        "name": "月报",
        "indicators": ["C04"],
        "columns": [
            {"indicator": "C01", "measures": ["ytd", "yoy_published"]},
            {"indicator": "D02", "head": ["税额*", "实现税*"]},
        ],
    }
    heads = ["园区", "工业总产值", "增长%", "实现税收", "营业收入", "园歌"]
    batch = read([["2020年6月"], heads, ["月河工业集中区", 1, 2, 3, 4, 5]], layout(table))
    rules = {cell.head: cell.layout_rule for cell in batch.cells}
    assert rules == {
        "工业总产值": "tables[1](月报).columns[1](C01)",
        "增长%": "tables[1](月报).C01(承接左列)",
        "实现税收": "tables[1](月报).columns[2](实现税*)",
        "营业收入": "tables[1](月报).indicators(C04)",
        "园歌": "",
    }


@pytest.mark.parametrize(
    ("rows", "address", "value", "unit", "evidence"),
    [
        ([["园区", "建成面积(亩)"], ["月河园区", 1]], "B2", "0.06666667", "亩", "表头B1"),
        ([["单位：亿元、人"], ["园区", "工业总产值"], ["月河园区", 2]], "B3", "20000", "亿元", "单位行A1"),
        ([["单位：亿元、人"], ["园区", "从业人员"], ["月河园区", 2]], "B3", "2", "人", "单位行A1"),
        ([["单位：亿元"], ["园区", "从业人员"], ["月河园区", 2]], "B3", "2", "人", "指标目录"),
        ([["园区", "税收", "从业人员"], [_, "元", "万人"], ["月河园区", 20000, 0.5]], "B3", "2.0000",
         "元", "单位行B2"),
        ([["园区", "税收", "从业人员"], [_, "元", "万人"], ["月河园区", 20000, 0.5]], "C3", "5000.0",
         "万人", "单位行C2"),
        ([["园区", "营业收入"], ["月河园区", 7]], "B2", "7", "万元", "布局默认"),
        ([["园区", "营业收入(单位：亿元)"], ["月河园区", 7]], "B2", "70000", "亿元", "表头B1"),
        ([["二〇二〇年一至六月县域工业集中区主要经济指标完成情况一览表", "单位：亿元"],
          ["园区", "营业收入"], ["月河园区", 7]], "B3", "70000", "亿元", "单位行B1"),
        ([["园区", "营业收入"], ["月河园区", "1,075.5亿元"]], "B2", "10755000", "亿元", "单元格内"),
        ([["园区", "营业收入/同比%"], ["月河园区", "-3.2%"]], "B2", "-3.2", "%", "单元格内"),
        ([["园区", "营业收入(亿元)", "同比增长"], ["月河园区", 1, 5.5]], "C2", "5.5", "%", "口径默认"),
    ],
)  # fmt: skip
def test_计量单位从哪里来_换算精确(
    rows: Rows, address: str, value: str, unit: str, evidence: str
) -> None:
    cell = at(read(rows), address)
    assert cell.value is not None and cell.value == Decimal(value)
    assert (cell.unit_raw, cell.unit_evidence) == (unit, evidence)


@pytest.mark.parametrize(
    ("raw", "value", "state", "finding"),
    [
        (12.5, "12.5", "reported", None),
        (0, "0", "zero", None),
        (0.0, "0", "zero", None),
        (_, None, "unknown", None),
        ("—", None, "not_applicable", None),
        ("…", "0", "below_unit", None),
        ("１，２３４．５", "1234.5", "reported", None),
        ("近700", "700", "approximate", "R-approximate"),
        ("不足3", None, "unknown", "R-number-refused"),
        ("待核实", None, "unknown", "R-number-refused"),
        (True, None, "unknown", "R-number-refused"),
        ("3人", None, "unknown", "R-unknown-unit"),
        (ErrorValue("#DIV/0!"), None, "unknown", "R-error-cell"),
    ],
)
def test_单元格写法与状态(
    raw: CellValue, value: str | None, state: str, finding: str | None
) -> None:
    batch = read([["园区", "营业收入"], ["月河园区", raw], ["城关工业园区", 5]])
    cell = at(batch, "B2")
    assert (cell.value, cell.state) == (None if value is None else Decimal(value), state)
    assert list(codes(batch)) == ([finding] if finding else [])
    if finding:
        assert (told(batch, finding).sheet, told(batch, finding).address) == ("月报", "B2")


def test_没有保存结果的公式_不当作空白() -> None:
    rows: Rows = [["园区", "营业收入"], ["月河园区", _], ["城关工业园区", 5]]
    batch = read(book(rows, uncached_formulas=frozenset({(2, 2)})))
    assert codes(batch) == {"R-formula-uncached": 1}
    assert at(batch, "B2").value is None


def test_一个数合并占两行_不知道是谁的() -> None:
    batch = read(
        [["园区", "营业收入"], ["月河园区", 9], ["城关工业园区", _]], merged=((2, 2, 3, 2),)
    )
    assert told(batch, "R-merged-value").address == "B2"


# --- heads ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "indicator_id", "measure"),
    [
        ("工业总产值", "C01", "ytd"),
        ("工业总产值(万元)_本月", "C01", "month"),
        ("工业总产值1-本月", "C01", "ytd"),
        ("工业总产值\n自年初累计(万元)", "C01", "ytd"),
        ("本年累计工业总产值", "C01", "ytd"),
        ("去年同期累计工业总产值", "C01", "ytd_prior"),
        ("工业总产值累计同比±%", "C01", "yoy_published"),
        ("工业总产值比上年同期增长%", "C01", "yoy_published"),
        ("工业总产值当月同比(%)", "C01", None),
        ("工业总产值环比增长", "C01", None),
        ("其中：规模以上工业总产值", "C02", "ytd"),
        ("一、营业收入", "C04", "ytd"),
        ("从业人员（人）", "E01", "stock"),
        ("税收①", "D02", "ytd"),
    ],
)
def test_表头写法与口径(head: str, indicator_id: str, measure: str | None) -> None:
    batch = read([["园区", head], ["月河园区", 7]])
    cell = at(batch, "B2")
    assert (cell.indicator_id, cell.measure) == (indicator_id, measure)
    assert not codes(batch)


def test_两级表头的各列口径_单列的增长跟左边的指标() -> None:
    batch = read(
        [["园区", "工业总产值", _, _, _, "税收", "增长%"],
         [_, "本月", "增长%", "累计", "增长%", _, _],
         ["月河园区", 1, 2, 3, 4, 5, 6]],
        merged=((1, 2, 1, 5),),
    )  # fmt: skip
    flat = read([["园区", "税收", "当月值", "同比"], ["月河园区", 1, 2, 3]])
    assert [(c.indicator_id, c.measure) for c in flat.cells] == [
        ("D02", "ytd"), ("D02", "month"), ("D02", None),
    ]  # fmt: skip
    assert [(c.indicator_id, c.measure) for c in batch.cells] == [
        ("C01", "month"), ("C01", None), ("C01", "ytd"), ("C01", "yoy_published"),
        ("D02", "ytd"), ("D02", "yoy_published"),
    ]  # fmt: skip


def test_上级表头可能限定口径时不按下级认定() -> None:
    batch = read(
        [["园区", "规上企业", _, "税收"], [_, "工业总产值", "营业收入", _], ["月河园区", 1, 2, 3]],
        merged=((1, 2, 1, 3),),
    )
    assert [(c.indicator_id, c.value) for c in batch.cells] == [(None, 1), (None, 2), ("D02", 3)]
    assert codes(batch)["R-unknown-head"] == 2
    assert "上级表头可能限定了口径" in told(batch, "R-unknown-head").message


@pytest.mark.parametrize(
    "head", ["工业总收入", "产值增加", "营业外收入", "工业增加值率", "技工贸总收入"]
)
def test_相近的表头不采用_给出排序的建议_数值保留(head: str) -> None:
    batch = read([["园区", head, "工业总产值"], ["月河园区", 77, 5]])
    cell = at(batch, "B2")
    assert (cell.indicator_id, cell.value, cell.head) == (None, 77, head)
    finding = told(batch, "R-unknown-head")
    assert finding.address == "B1" and finding.found == head
    assert "须人工确认" in finding.remedy


def test_更宽口径的说法_建议时排在最前() -> None:
    batch = read([["园区", "技工贸总收入", "工业总产值"], ["月河园区", 77, 5]])
    assert "须人工确认）：C04 营业收入" in told(batch, "R-unknown-head").remedy


def test_单位与指标不是一类_不采用并说明() -> None:
    batch = read([["园区", "工业总产值(人)", "营业收入"], ["月河园区", 7, 8]])
    assert at(batch, "B2").indicator_id is None
    assert "不能换算" in told(batch, "R-unknown-unit").message


def test_表头里的上年月份是上年同期_别的月份不采用() -> None:
    batch = read(
        [["2020年1—6月月报"],
         ["园区", "2020年1-6月工业总产值", "2019年1-6月工业总产值", "1-5月税收"],
         ["月河园区", 1, 2, 3]]
    )  # fmt: skip
    assert [(c.measure, c.period) for c in batch.cells] == [
        ("ytd", "2020-06"), ("ytd_prior", "2020-06"), (None, "2020-06"),
    ]  # fmt: skip
    assert told(batch, "R-period-mismatch").address == "D2"


# --- drift ---------------------------------------------------------------------------------------

FORM = WIDE | {
    "indicators": [],
    "columns": [
        {"indicator": "C01", "head": "工业总产值", "measure": "ytd"},
        {"indicator": "D02", "head": "税收", "measure": "ytd"},
    ],
}


def test_照登记的表头_没有问题() -> None:
    batch = read([["园区", "工业总产值", "税收"], ["月河园区", 1, 2]], layout(FORM))
    assert not batch.findings
    assert [c.indicator_id for c in batch.cells] == ["C01", "D02"]


def test_表头改成目录里的别名_照读并报告() -> None:
    batch = read([["园区", "工业产值", "税收"], ["月河园区", 1, 2]], layout(FORM))
    assert [c.indicator_id for c in batch.cells] == ["C01", "D02"]
    drift = told(batch, "R-layout-drift")
    assert (drift.severity, "工业产值→C01" in drift.message) == ("hint", True)


def test_表头改得认不出_报告差异与建议_其余照读() -> None:
    batch = read([["园区", "工业类产值", "税收"], ["月河园区", 1, 2]], layout(FORM))
    assert [c.indicator_id for c in batch.cells] == [None, "D02"]
    drift = told(batch, "R-layout-drift")
    assert drift.severity == "verify"
    assert "缺少：C01 工业总产值(累计)" in drift.message
    assert "工业类产值→可能是C01" in drift.message


def test_登记为无此项的_少了不报_多了报告() -> None:
    absent = layout(FORM | {"absent": [{"indicator": "D02", "reason": "不再填报"}]})
    assert not read([["园区", "工业总产值"], ["月河园区", 1]], absent).findings
    appeared = read([["园区", "工业总产值", "税收"], ["月河园区", 1, 2]], absent)
    assert "登记为无此项但出现了：税收" in told(appeared, "R-layout-drift").message


def test_单位名称列改名_按文字列读并报告() -> None:
    batch = read([["集中区", "工业总产值", "税收"], ["月河园区", 1, 2]], layout(FORM))
    assert {cell.park_id for cell in batch.cells} == {"P1"}
    assert "找不到：单位名称列" in told(batch, "R-layout-drift").message


def test_没有合适的版式_数值都在_说明怎么办() -> None:
    batch = read([["县区", "播种面积", "产量"], ["石泉", 1, 2], ["汉阴", 3, 4]])
    assert batch.layout_id is None
    assert [cell.value for cell in batch.cells] == [1, 2, 3, 4]
    assert "parkwatch inspect" in told(batch, "R-no-layout").remedy


def test_没有数字的文件() -> None:
    batch = read([["通知"], ["请于10日前报送"]])
    assert (batch.cells, list(codes(batch))) == ([], ["R-no-table"])


# --- rows and parks ------------------------------------------------------------------------------


def test_合计行留着核对_其中行里的在册园区是数据() -> None:
    batch = read(
        [
            ["园区", "税收"],
            ["合计", 6],
            ["其中：月河园区", 1],
            ["城关工业园区", 5],
            ["其中：示范园区", 2],
        ]
    )
    assert [(c.role, c.park_id, c.value) for c in batch.cells] == [
        ("total", None, 6), ("data", "P1", 1), ("data", "P2", 5), ("of_which", None, 2),
    ]  # fmt: skip
    assert not batch.findings


def test_名录外的园区_数值保留_建议排序() -> None:
    batch = read([["园区", "税收"], ["月河新区", 1], ["城关工业园区", 5]])
    assert (at(batch, "B2").park_id, at(batch, "B2").value) == (None, 1)
    finding = told(batch, "R-unknown-park")
    assert (finding.address, "P1 月河工业集中区" in finding.remedy) == ("A2", True)


def test_别县的园区_不采用() -> None:
    batch = read([["园区", "税收"], ["恒口经济技术开发区", 1], ["城关工业园区", 5]])
    assert at(batch, "B2").park_id is None
    assert told(batch, "R-park-outside").address == "A2"


def test_文件名写的是别的县_核实() -> None:
    rows: Rows = [["园区", "税收"], ["月河园区", 1]]
    assert "R-reporter-mismatch" in codes(read(rows, name="汉滨区2020年6月.xlsx"))
    assert "R-reporter-mismatch" not in codes(read(rows, name="汉阴县2020年6月.xlsx"))
    assert read(rows, name="汉阴县2020年6月.xlsx", sender=None).reporter == "hanyin"


def test_同一数填两次_相同算一次_不同都不采用() -> None:
    same = read([["园区", "税收"], ["月河园区", 1], ["月河工业集中区", 1.0]])
    assert [c.role for c in same.cells] == ["data", "duplicate"]
    assert not same.findings
    different = read([["园区", "税收"], ["月河园区", 1], ["月河工业集中区", 2]])
    assert [(f.rule_id, f.severity, f.address) for f in different.findings] == [
        ("R-duplicate-row", "error", "B2"), ("R-duplicate-row", "error", "B3"),
    ]  # fmt: skip
    blank = read([["园区", "税收", "营业收入"], ["月河园区", _, 3], ["月河工业集中区", 2, _]])
    assert [(c.role, c.value) for c in blank.cells] == [
        ("duplicate", None), ("data", 3), ("data", 2), ("duplicate", None),
    ]  # fmt: skip


def test_增速存成小数_由本行累计与同期看出来() -> None:
    head = ["园区", "税收累计", "税收上年同期", "税收同比"]
    fraction = read([head, ["月河园区", 110, 100, 0.1], ["城关工业园区", 90, 100, -0.1]])
    assert [c.value for c in fraction.cells if c.measure == "yoy_published"] == [10, -10]
    assert list(codes(fraction)) == ["R-growth-fraction"]
    percent = read([head, ["月河园区", 100.1, 100, 0.1], ["城关工业园区", 90, 100, -10]])
    assert [c.value for c in percent.cells if c.measure == "yoy_published"] == [
        Decimal("0.1"), -10,
    ]  # fmt: skip
    assert not percent.findings


# --- period --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "name", "period"),
    [
        ("2020年1—6月月报", "x.xlsx", "2020-06"),
        ("汉阴县上半年月报", "2020年.xlsx", "2020-06"),
        ("二〇二〇年上半年情况表", "x.xlsx", "2020-06"),
        ("园区月报", "汉阴202006.xlsx", "2020-06"),
        ("园区月报（1-2月）", "2020年月报.xlsx", "2020-02"),
        ("截至2020年6月底", "x.xlsx", "2020-06"),
        ("2020年6月月报    批准文号：〔2016〕12号    有效期至：2023年12月", "x.xlsx", "2020-06"),
    ],
)
def test_报告期从标题或文件名来(title: str, name: str, period: str) -> None:
    batch = read([[title], ["园区", "税收"], ["月河园区", 1]], name=name)
    assert (batch.period, batch.cells[0].period) == (period, period)
    assert not batch.findings


def test_标题与文件名的报告期不一致_数值不采用() -> None:
    batch = read([["2020年1—5月月报"], ["园区", "税收"], ["月河园区", 1]], name="2020年6月.xlsx")
    assert (batch.cells[0].period, batch.cells[0].value, batch.period) == (None, 1, "2020-06")
    finding = told(batch, "R-period-mismatch")
    assert "2020-05" in finding.found and "2020-06" in finding.found


def test_哪里都没写报告期() -> None:
    batch = read([["园区", "税收"], ["月河园区", 1]], name="月报.xlsx")
    assert (batch.cells[0].period, list(codes(batch))) == (None, ["R-no-period"])


# --- shapes ----------------------------------------------------------------------------------------


def test_转置_园区在列_口径另有一列_合并的指标名() -> None:
    table = {
        "shape": "transposed", "entity": {"across": True}, "indicator": {"head": "指标"},
        "measure_column": "口径", "unit_column": "计量单位", "period": {"from": ["title", "file"]},
        "indicators": "auto",
    }  # fmt: skip
    batch = read(
        [["指标", "计量单位", "口径", "合计", "月河园区", "城关工业园区"],
         ["工业总产值", "亿元", "当月值", 3, 1, 2], [_, "亿元", "累计值", 9, 4, 5],
         ["从业人员", "人", "期末数", 7, 3, 4]],
        layout(table), merged=((2, 1, 3, 1),),
    )  # fmt: skip
    got = {(c.park_id, c.role, c.indicator_id, c.measure): c.value for c in batch.cells}
    assert got[("P1", "data", "C01", "month")] == 10000
    assert got[("P2", "data", "C01", "ytd")] == 50000
    assert got[("P2", "data", "E01", "stock")] == 4
    assert got[(None, "total", "C01", "ytd")] == 90000
    assert not batch.findings


def test_长表_口径在列头_期末指标只取期末一列() -> None:
    table = {
        "shape": "long", "entity": {"head": "园区", "fill_down": True},
        "indicator": {"head": "指标"}, "period": {"from": ["file"]}, "indicators": "auto",
    }  # fmt: skip
    batch = read(
        [["园区", "指标", "本月数", "累计(期末)数"], ["月河园区", "税收(万元)", 1, 5],
         [_, "从业人员(人)", "—", 30], ["城关工业园区", "税收(万元)", 2, 6]],
        layout(table),
    )  # fmt: skip
    assert [(c.park_id, c.indicator_id, c.measure, c.value) for c in batch.cells] == [
        ("P1", "D02", "month", 1), ("P1", "D02", "ytd", 5),
        ("P1", "E01", None, None), ("P1", "E01", "stock", 30),
        ("P2", "D02", "month", 2), ("P2", "D02", "ytd", 6),
    ]  # fmt: skip


def test_报告期在列头_2016点1是10月() -> None:
    table = {
        "shape": "series", "entity": {"head": "园区"}, "indicator": {"fixed": "D02"},
        "period": {"across": True}, "measure": "month",
    }  # fmt: skip
    batch = read(
        [["园区", 2016.08, 2016.09, 2016.1, 2016.11], ["月河园区", 8.5, 9.5, 10.5, 11.5]],
        layout(table),
    )
    assert [(c.period, c.measure, c.value) for c in batch.cells] == [
        ("2016-08", "month", Decimal("8.5")), ("2016-09", "month", Decimal("9.5")),
        ("2016-10", "month", Decimal("10.5")), ("2016-11", "month", Decimal("11.5")),
    ]  # fmt: skip


def test_年月两列_数据状态对应成熟度() -> None:
    table = {
        "shape": "wide", "entity": {"head": "园区"}, "period": {"year": "年", "month": "月"},
        "maturity": {"column": "状态", "map": {"终": "年报", "初": "快报"}},
        "columns": [{"indicator": "D02", "head": "税收", "measure": "month"}],
    }  # fmt: skip
    batch = read(
        [["年", "月", "园区", "状态", "税收"], [2020, 1, "月河园区", "终", 5],
         [2020, 13, "月河园区", "初", 6], [2020.0, 2.0, "月河园区", "待定", 7]],
        layout(table),
    )  # fmt: skip
    assert [(c.period, c.maturity) for c in batch.cells] == [
        ("2020-01", "年报"), (None, "快报"), ("2020-02", None),
    ]  # fmt: skip
    assert codes(batch) == {"R-period-unclear": 1, "R-maturity": 1}


def test_指标与年份都在列头() -> None:
    table = {
        "shape": "wide", "entity": {"head": "园区"}, "indicator": {"across": True},
        "period": {"across": True}, "indicators": "auto",
    }  # fmt: skip
    batch = read(
        [["园区", "税收(亿元)", _, "从业人员"], [_, "2019年", "2018年", "2019年"],
         ["月河园区", 1, 2, 3]],
        layout(table), merged=((1, 2, 1, 3),),
    )  # fmt: skip
    assert [(c.indicator_id, c.period, c.value) for c in batch.cells] == [
        ("D02", "2019-12", 10000), ("D02", "2018-12", 20000), ("E01", "2019-12", 3),
    ]  # fmt: skip


# --- choosing a layout -------------------------------------------------------------------------------


def test_未确认的版式不用_过期的让位给现行的() -> None:
    rows: Rows = [["2020年6月"], ["园区", "工业总产值", "税收"], ["月河园区", 1, 2]]
    proposed = layout(FORM, status="proposed", layout_id="new")
    assert read(rows, proposed).layout_id is None
    old = layout(FORM, layout_id="a_old", valid_to="2019-12")
    now = layout(FORM, layout_id="b_now", valid_from="2020-02")
    assert read(rows, old, now).layout_id == "b_now"
    assert read([["2018年6月"], *rows[1:]], old, now, name="x.xlsx").layout_id == "a_old"


def test_报送单位的来源优先_说明不读的表不读() -> None:
    rows: Rows = [["2020年6月"], ["园区", "工业总产值", "税收"], ["月河园区", 1, 2]]
    other = layout(FORM, layout_id="a", source="other")
    mine = layout(FORM, layout_id="b", ignore_sheets=[{"sheet": "说明*", "reason": "填表说明"}])
    small: Rows = [["项", "数"], ["乙", 4]]
    sheets = (Sheet("月报", rows), Sheet("说明1", small), Sheet("附", small))
    batch = read(Workbook("xlsx", sheets), other, mine)
    assert batch.layout_id == "b"
    assert Counter(cell.sheet for cell in batch.cells) == {"月报": 2, "附": 1}
    assert told(batch, "R-unread-table").sheet == "附"


def test_工作表次序不改变结果() -> None:
    first = Sheet("甲", [["园区", "税收"], ["月河园区", 1]])
    second = Sheet("乙", [["园区", "工业总产值"], ["月河园区", 2]])
    one = read(Workbook("xlsx", (first, second)))
    two = read(Workbook("xlsx", (second, first)))
    assert sorted(one.cells, key=repr) == sorted(two.cells, key=repr)


# --- the layout file -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "where", "message"),
    [
        ({"shape": "long"}, "tables.0", "shape 写的是 long"),
        ({"entity": {"head": "园区", "fixed": "P1"}}, "tables.0.entity", "只能写一个"),
        ({"entity": {}}, "tables.0.entity", "都没有写"),
        ({"period": {"month": "月"}}, "tables.0.period", "只能写一个"),
        ({"colunms": []}, "tables.0.colunms", "没有这个字段"),
        ({"columns": [{"measure": "ytd"}]}, "tables.0.columns.0", "head 与 indicator 至少写一个"),
        (
            {"columns": [{"indicator": "C01", "measure": "sum"}]},
            "columns.0.measure",
            "不在允许范围",
        ),
        ({"ignore": [{"head": "备注"}]}, "tables.0.ignore.0.reason", "缺少必填字段"),
        ({"maturity": {"column": "状态"}}, "tables.0.maturity", "须用 map 说明"),
        ({"indicators": [], "columns": []}, "tables.0", "没有一列读得出指标"),
        ({"entity": {"column": "第三列"}}, "tables.0.entity.column", "列号应为字母"),
    ],
)
def test_版式文件写错_指出文件与字段(change: dict[str, Any], where: str, message: str) -> None:
    with pytest.raises(CatalogError) as caught:
        layout(WIDE | change)
    text = str(caught.value)
    assert "layouts/t.yaml" in text and where in text and message in text


def test_版式写成文件再读回来不变() -> None:
    original = layout(
        FORM
        | {
            "absent": [{"indicator": "C04", "measure": "month", "reason": "不报"}],
            "ignore": [
                {"head": ["备注", "说明"], "reason": "文字"},
                {"column": "AB", "reason": "旧列"},
            ],
        },
        new_indicators=[INDICATORS[0].model_dump(mode="json")],
    )
    text = layout_yaml(original, {"": ["说明"], "税收": ["核对"]})
    assert parse_layout(yaml.safe_load(text)) == original
    assert "# 说明" in text and "  # 核对" in text


# --- forms nobody has registered -----------------------------------------------------------------

FIGURES: Rows = [["园区", "工业总产值"], ["月河工业集中区", 2.4]]
TITLE = "汉阴县2020年1—6月园区月报"


@pytest.mark.parametrize(
    "said",
    ["单位：亿元", "（金额单位均为亿元）", "计量单位为：亿元", "单位（亿元）", "亿元", "（亿元）",
     "本表金额以亿元计"],
)  # fmt: skip
def test_表头以外写明的计量单位按写明的读(said: str) -> None:
    cell = at(read([[TITLE], [said], *FIGURES]), "B4")
    assert (cell.value, cell.unit_raw) == (Decimal(24000), "亿元")


@pytest.mark.parametrize(
    "said", ["注：单位：亿元", "注：1.表中金额单位为亿元", "说明：本表金额均以亿元为单位。"]
)
def test_表下注明的计量单位也算数(said: str) -> None:
    assert at(read([[TITLE], *FIGURES, [said]]), "B3").value == Decimal(24000)


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("", "注：工业总产值单位为亿元，营业收入单位为万元。"),
        ("", "备注：产值收入按亿元填报"),
        ("单位：万元", "注：本表金额单位为亿元"),
    ],
)
def test_单位只说了一部分或前后矛盾的不猜(line: str, note: str) -> None:
    batch = read([[TITLE], [line], *FIGURES, [note]])
    assert at(batch, "B4").indicator_id is None
    finding = told(batch, "R-unknown-unit")
    assert finding.severity == "error"
    assert "“亿元”" in finding.message and "A5" in finding.message


def test_注中提到的金额不是计量单位() -> None:
    batch = read([[TITLE], *FIGURES, ["注：上半年引进投资2亿元项目一个，按计划推进"]])
    assert at(batch, "B3").value == Decimal("2.4")
    assert codes(batch)["R-unknown-unit"] == 0


def test_并排两表各按各的单位() -> None:
    batch = read(
        [[TITLE], ["单位：万元", _, _, "单位：亿元"], ["园区", "工业总产值", _, "园区", "营业收入"],
         ["月河工业集中区", 24000, _, "月河工业集中区", 1.8]]
    )  # fmt: skip
    assert [at(batch, place).value for place in ("B4", "E4")] == [Decimal(24000), Decimal(18000)]


@pytest.mark.parametrize(
    ("head", "measure"),
    [("全年工业总产值", None), ("二季度工业总产值", None), ("一季度工业总产值", None)],
)
def test_别的时段的表头不当作累计(head: str, measure: str | None) -> None:
    cell = at(read([[TITLE], ["园区", head, "营业收入"], ["月河工业集中区", 9, 5]]), "B3")
    assert (cell.measure, cell.value) == (measure, Decimal(9))


def test_十二月的全年就是累计() -> None:
    rows: Rows = [["汉阴县2020年1—12月园区月报"], ["园区", "全年工业总产值"], ["月河工业集中区", 9]]
    assert at(read(rows, name="2020年12月.xlsx"), "B3").measure == "ytd"


def test_唯一一列数的第二行表头不当作数据() -> None:
    rows: Rows = [[TITLE], ["园区", "工业总产值"], [_, "同比增长"], ["月河工业集中区", 20]]
    cell = at(read(rows), "B4")
    assert (cell.measure, cell.value, cell.unit_raw) == ("yoy_published", Decimal(20), "%")


def test_文本文件里多出一项的行不采用() -> None:
    line: list[CellValue] = ["月河工业集中区", "24", "000", "18", "000"]
    rows: Rows = [[TITLE], ["园区", "工业总产值", "营业收入"], line, ["城关工业园区", "11", "9"]]
    batch = read(Workbook("csv", (Sheet("文本", rows),)))
    assert {cell.park_id for cell in batch.cells if cell.address[1:] == "3"} == {None}
    assert at(batch, "B4").value == Decimal(11)
    finding = told(batch, "R-number-refused")
    assert (finding.address, finding.found) == ("A3", "5项")


def test_存储与显示不同的数说明两者() -> None:
    shown = ErrorValue("240000000（显示格式 0!.0,）")
    batch = read([[TITLE], ["园区", "工业总产值"], ["月河工业集中区", shown]])
    assert at(batch, "B3").value is None
    assert "0!.0," in told(batch, "R-number-refused").found


def test_增速全都小于1而无从核对的要人核实() -> None:
    parks: Rows = [["月河工业集中区", 0.2], ["城关工业园区", 0.1], ["月河园区", 0.2]]
    batch = read([[TITLE], ["园区", "工业总产值同比增长"], *parks])
    finding = told(batch, "R-growth-fraction")
    assert (finding.severity, finding.found) == ("verify", "3个增速都小于1")
    large = read([[TITLE], ["园区", "工业总产值同比增长"], *parks[:2], ["月河园区", 3.0]])
    assert codes(large)["R-growth-fraction"] == 0


def test_外层表头没有内容时登记的写法照样认得() -> None:
    columns = [{"indicator": "B01", "head": "规上户数*"}]
    rows: Rows = [[TITLE], ["园区", "主要指标"], [_, "规上户数"], ["月河工业集中区", 12]]
    batch = read(rows, layout(WIDE | {"columns": columns}))
    assert at(batch, "B4").indicator_id == "B01"


def test_标题同一格里的填报日期不是报告期() -> None:
    rows: Rows = [
        ["园区月报 填报日期：2020年7月5日"],
        ["园区", "工业总产值"],
        ["月河工业集中区", 9],
    ]
    assert codes(read(rows, name="园区.xlsx"))["R-no-period"] == 1
    rows[0] = ["2020年1—6月园区月报 填报日期：2020年7月5日"]
    assert at(read(rows, name="园区.xlsx"), "B3").period == "2020-06"


@pytest.mark.parametrize(
    ("written", "value"),
    [("增长20.0", "20.0"), ("下降5.0%", "-5.0"), ("同比下降 0.3", "-0.3"), ("增长-5", None), ("▲5", None),
     ("提高2个百分点", None)],
)  # fmt: skip
def test_增速列里写明升降的数带上正负号(written: str, value: str | None) -> None:
    rows: Rows = [
        [TITLE],
        ["园区", "工业总产值同比增长"],
        ["月河工业集中区", written],
        ["城关工业园区", 3.0],
    ]
    cell = at(read(rows), "B3")
    assert (cell.value, cell.raw_text) == (Decimal(value) if value else None, written)
    rows[1] = ["园区", "工业总产值"]
    assert at(read(rows), "B3").value is None
