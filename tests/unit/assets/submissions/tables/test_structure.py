"""What the detector sees in sheets as clerks type them: titles, heads, units, periods, rows."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.submissions.reading.workbook import CellValue, ErrorValue, Range, Sheet
from assets.submissions.tables.structure import DetectedTable, detect_tables
from assets.submissions.tables.table_words import looks_like_unit, row_role

_ = None
Rows = list[list[CellValue]]


def tables(rows: Rows, merged: tuple[Range, ...] = ()) -> list[DetectedTable]:
    return detect_tables(Sheet("表", rows, merged))


def only(rows: Rows, merged: tuple[Range, ...] = ()) -> DetectedTable:
    found = tables(rows, merged)
    assert len(found) == 1
    return found[0]


def heads(table: DetectedTable) -> list[str]:
    return [column.head for column in table.columns]


def kinds(table: DetectedTable) -> list[str]:
    return [row.kind for row in table.rows]


# --- heads ---------------------------------------------------------------------------------


def test_两级合并表头_合并单元格的上级写到每一列() -> None:
    table = only(
        [
            ["园区", "工业总产值", _, "税收", _],
            [_, "本月", "累计", "本月", "累计"],
            ["甲园", 1, 2, 3, 4],
        ],
        ((1, 1, 2, 1), (1, 2, 1, 3), (1, 4, 1, 5)),
    )
    assert table.head_rows == (1, 2)
    assert heads(table) == ["园区", "工业总产值/本月", "工业总产值/累计", "税收/本月", "税收/累计"]


def test_CSV_丢了合并的两级表头_空格沿用左边的组名() -> None:
    table = only(
        [["园区", "工业总产值", "", "企业数", "税收", ""], ["", "本月", "累计", "", "本月", "累计"],
         ["甲园", "1", "2", "7", "3", "4"]]
    )  # fmt: skip
    assert heads(table) == [
        "园区", "工业总产值/本月", "工业总产值/累计", "企业数", "税收/本月", "税收/累计",
    ]  # fmt: skip


def test_表头中的单位行不算表头_每列记下自己的单位() -> None:
    table = only([["园区", "产值", "企业数"], [_, "万元", "户"], ["甲园", 1, 2]])
    assert table.unit_row == 2
    assert [(c.head, c.unit and (c.unit.text, c.unit.address)) for c in table.columns] == [
        ("园区", None), ("产值", ("万元", "B2")), ("企业数", ("户", "C2")),
    ]  # fmt: skip


def test_三级表头_单位行里的列名仍是列名() -> None:
    table = only(
        [
            [_, _, "居民", _],
            [_, _, "收入", "电量"],
            ["年", "州", "千元", "兆瓦时"],
            [2025, "AK", 1.5, 2.5],
        ],
        ((1, 3, 1, 4),),
    )
    assert heads(table) == ["年", "州", "居民/收入", "居民/电量"]
    assert [c.unit.text if c.unit else None for c in table.columns] == [_, _, "千元", "兆瓦时"]
    assert (table.row_period_columns, table.entity_columns) == ((1,), (2,))


@pytest.mark.parametrize(
    ("numbering", "shown"), [(["甲", 1, 2], "甲 1 2"), (["（甲）", "(1)", "(2)"], "(甲) (1) (2)")]
)
def test_栏次行既不是数据也不进表头(numbering: list[CellValue], shown: str) -> None:
    table = only([["园区", "产值", "税收"], numbering, ["甲园", 10, 20], ["乙园", 3, 4]])
    assert heads(table) == ["园区", "产值", "税收"], shown
    assert [row.row for row in table.rows] == [3, 4]


def test_数据服务导出的频率_单位_编号_来源行不进表头() -> None:
    table = only(
        [["指标名称", "社零:当月值"], ["频率", "月"], ["单位", "亿元"], ["指标ID", "M0001428"],
         ["来源", "国家统计局"], [date(2020, 3, 31), 26450.0], [date(2020, 4, 30), 28178.0]]
    )  # fmt: skip
    assert heads(table) == ["指标名称", "社零:当月值"]
    assert table.columns[1].unit is not None and table.columns[1].unit.text == "亿元"
    assert table.row_period_columns == (1,)


def test_有序号列时频率_单位_发布方行也不进表头() -> None:
    table = only(
        [["序号", "日期", "零售总额:当月值", "同比"], [_, "指标名称", "零售总额:当月值", "同比"],
         [_, "指标ID", "E1", "E2"], [_, "频率", "月", "月"], [_, "单位", "亿元", "%"],
         [_, "发布方", "统计局", "统计局"], [1, "2025-03", 40940.5, 5.9], [2, "2024-12", 45171.5, 3.7]]
    )  # fmt: skip
    assert heads(table)[2:] == ["零售总额:当月值", "同比"]
    assert [column.unit.text for column in table.columns[2:] if column.unit] == ["亿元", "%"]


def test_第一行数据全是横线_不当作表头() -> None:
    table = only([["园区", "口径", "产值"], ["甲园", "本月", "—"], ["甲园", "累计", 5]])
    assert table.head_rows == (1,)
    assert kinds(table) == ["data", "data"]


def test_表头下第一行没有数字_仍是数据行() -> None:
    table = only([["园区", "产值"], ["甲园", _], ["乙园", 2]])
    assert [row.label for row in table.rows] == ["甲园", "乙园"]


# --- periods in heads ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        ["地区", "2019年", "2018年", "2017年"],
        ["地区", 2019.0, 2018.0, 2017.0],
        ["地区", 202003, 202002, 202001],
        ["地区", 2016.09, 2016.1, 2016.11],
        ["地区", 43831, 43862, 43891],
        ["地区", date(2020, 1, 1), date(2020, 2, 1), date(2020, 3, 1)],
        ["地区", "1-2月", "1—3月", "上半年"],
        ["地区", "2020年一季度", "2020Q2", "2020年第三季度"],
    ],
)
def test_报告期在列头(row: list[CellValue]) -> None:
    table = only([row, ["北京", 1.5, 2.5, 3.5], ["天津", _, 5.5, 6.5]])
    assert table.orientation == "series"
    assert table.period_columns == (2, 3, 4)
    assert [column.period_head for column in table.columns[1:]] == row[1:]


def test_像年份的数值不是表头() -> None:
    table = only([["园区", "企业数", "人数"], ["甲园", 2001, 2019], ["乙园", 1999, 1950]])
    assert table.head_rows == (1,)
    assert kinds(table) == ["data", "data"]


def test_最新一年整列为空_列仍在() -> None:
    table = only([["地区", "2020年3月", "2020年2月"], ["北京", _, 1], ["天津", _, 4]])
    assert [column.kind for column in table.columns] == ["text", "blank", "value"]


# --- around the table ------------------------------------------------------------------------


def test_标题_填报单位_报告期_计量单位在一格里() -> None:
    table = only(
        [["某县园区月报"], ["填报单位：某县统计岗    2020年1—6月    计量单位：万元、户"],
         ["园区", "产值", "企业数"], ["甲园", 1, 2]]
    )  # fmt: skip
    assert table.unit_line is not None and table.unit_line.text == "万元、户"
    assert ("填报单位", "某县统计岗") in [(f.key, f.value.text) for f in table.facts]
    assert table.title == "某县园区月报"


def test_单位是机构名时不是计量单位() -> None:
    table = only([["单位：汉滨区经信局"], ["园区", "产值"], ["甲园", 1]])
    assert table.unit_line is None


def test_国家统计局导出的数据库_指标_时间行() -> None:
    table = only(
        [["数据库：分省年度数据"], ["指标：地区生产总值(亿元)"], ["时间：最近5年"],
         ["地区", "2019年", "2018年"], ["北京市", 35371.28, 33105.97], ["天津市", 14104.28, 13362.92],
         ["注：1.按当年价格计算。"], ["　　　2.2018年为修订后数据。"], ["数据来源：国家统计局"]]
    )  # fmt: skip
    facts = {fact.key: fact.value.text for fact in table.facts}
    assert facts["指标"] == "地区生产总值(亿元)"
    assert kinds(table) == ["data", "data", "note", "note", "note"]
    assert len(table.footnotes) == 3


def test_合计_其中_分段_重复表头各归其类() -> None:
    table = only(
        [["园区", "产值"], ["全县合计", 6], ["一、工业园区", _], ["甲园", 1], ["园区", "产值"],
         ["乙园", 5], ["其中：示范园区", 2], ["合 计", 6]],
        ((3, 1, 3, 2),),
    )  # fmt: skip
    assert kinds(table) == [
        "total", "section", "data", "repeat_head", "data", "of_which", "total",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("label", "role"),
    [("合计", "total"), ("总  计", "total"), ("全县", "total"), ("安康市小计", "total"),
     ("Total", "total"), ("其中：规上", "of_which"), ("#规模以上", "of_which"), ("合计园区", "data"),
     ("全国", "data"), ("甲工业园", "data")],
)  # fmt: skip
def test_行标(label: str, role: str) -> None:
    assert row_role(label) == role


# --- several tables --------------------------------------------------------------------------


def test_上下两张表_标题归下一张_表注归上一张() -> None:
    first, second = tables(
        [["一、产值表"], ["园区", "产值"], ["甲园", 1], ["注：快报"], [], ["二、投资表"],
         ["园区", "投资"], ["甲园", 5]]
    )  # fmt: skip
    assert (first.title, [note.text for note in first.footnotes]) == ("一、产值表", ["注：快报"])
    assert (second.title, second.area) == ("二、投资表", (7, 1, 8, 2))


def test_上下两张表之间没有空行() -> None:
    first, second = tables([["园区", "产值"], ["甲园", 1], ["园区", "投资额"], ["甲园", 5]])
    assert (heads(first), heads(second)) == (["园区", "产值"], ["园区", "投资额"])


def test_左右两张表_各有标题() -> None:
    left, right = tables(
        [["甲表", _, _, "乙表"], ["园区", "产值", _, "县区", "人口"], ["甲园", 1, _, "石泉", 5]]
    )
    assert (left.title, heads(left)) == ("甲表", ["园区", "产值"])
    assert (right.title, heads(right), right.area) == ("乙表", ["县区", "人口"], (1, 4, 3, 5))


def test_折成两栏的表_按重复的表头切开() -> None:
    left, right = tables([["县区", "产值", "县区", "产值"], ["石泉", 1, "汉阴", 2]])
    assert (left.area, right.area) == ((1, 1, 2, 2), (1, 3, 2, 4))


# --- shapes and oddities -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "shape"),
    [
        ([["园区", "产值", "税收"], ["甲园", 1, 2]], "wide"),
        ([["指标", "甲园", "乙园"], ["产值", 1, 2], ["税收", 3, 4]], "transposed"),
        ([["园区", "指标", "数值"], ["甲园", "产值", 1], ["甲园", "税收", 2]], "long"),
        ([["地区", "2019年", "2018年"], ["北京", 1, 2]], "series"),
    ],
)
def test_形状(rows: Rows, shape: str) -> None:
    assert only(rows).orientation == shape


def test_文本数字_全角数字_带单位的数都是数值列() -> None:
    table = only(
        [["园区", "产值", "税收"], ["甲园", "１，０７５．５", "—"], ["乙园", "1,075.5亿元", "…"]]
    )
    assert [column.kind for column in table.columns] == ["text", "value", "value"]


def test_错误值和没有结果的公式占着数值的位置() -> None:
    sheet = Sheet(
        "表", [["园区", "产值", "税收"], ["甲园", ErrorValue("#DIV/0!"), _], ["乙园", 2, _]],
        uncached_formulas=frozenset({(2, 3), (3, 3)}),
    )  # fmt: skip
    (table,) = detect_tables(sheet)
    assert [column.kind for column in table.columns] == ["text", "value", "value"]
    assert [row.row for row in table.rows] == [2, 3]


def test_没有表头的表也不丢() -> None:
    table = only([["甲园", 1, 2], ["乙园", 3, 4]])
    assert table.head_rows == ()
    assert [row.label for row in table.rows] == ["甲园", "乙园"]


def test_只有文字的表不是数据表() -> None:
    assert tables([["项目", "说明"], ["口径", "规模以上"], ["来源", "统计局"]]) == []


@pytest.mark.parametrize(
    "text", ["万元", "%", "上年同月=100", "Cents/kWh", "吨/日", "10^8 CNY", "座"]
)
def test_像单位(text: str) -> None:
    assert looks_like_unit(text)


@pytest.mark.parametrize(
    "text", ["不含农户", "人口抽样调查", "同比±%", "本月", "粉", "其中:规上企业个"]
)
def test_不像单位(text: str) -> None:
    assert not looks_like_unit(text)


CELL = st.one_of(
    st.none(),
    st.integers(-5, 2030),
    st.floats(-10, 3000, allow_nan=False),
    st.sampled_from(
        ["园区", "合计", "2019年", "注：", "单位：万元", "本月", "—", "其中", "1-6月", "", " "]
    ),
    st.dates(date(2019, 1, 1), date(2021, 1, 1)),
    st.booleans(),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(CELL, max_size=6), max_size=12))
def test_任何内容都不报错_表格互不重叠_数字不落在表外(rows: Rows) -> None:
    found = tables(rows)
    seen: set[tuple[int, int]] = set()
    for table in found:
        top, left, bottom, right = table.area
        cells = {(r, c) for r in range(top, bottom + 1) for c in range(left, right + 1)}
        assert not cells & seen
        seen |= cells
        assert all(top <= row.row <= bottom for row in table.rows)
