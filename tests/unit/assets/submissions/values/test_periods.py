"""Every writing of a report period we know: what it must become, or why it must be refused."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from assets.submissions.reading.workbook import CellValue, ErrorValue
from assets.submissions.values.periods import (
    ParsedPeriod,
    PeriodRefusal,
    parse_period,
    parse_period_column,
    period_of,
    previous_year,
    year_month,
)
from tests.support.devdata import devdata

# text, period, first month, kind
NAMED: list[tuple[str, str, int, str]] = [
    # titles
    ("2020年1—6月全市县域工业集中区主要经济指标完成情况表", "2020-06", 1, "cumulative"),
    ("2020年上半年全市县域工业集中区运行情况", "2020-06", 1, "half"),
    ("截至2020年6月底县域工业集中区基本情况", "2020-06", 6, "point"),
    ("截止2020年6月", "2020-06", 6, "point"),
    ("截至2020年6月30日", "2020-06", 6, "point"),
    ("2020年度县域工业集中区考核结果", "2020-12", 1, "year"),
    ("2020年", "2020-12", 1, "year"),
    ("2020年全年", "2020-12", 1, "year"),
    ("2020年末", "2020-12", 12, "point"),
    ("2020年底", "2020-12", 12, "point"),
    ("2020年6月末", "2020-06", 6, "point"),
    ("2020年度县域工业集中区1-6月主要指标", "2020-06", 1, "cumulative"),
    ("陕政办发〔2018〕20号 2020年1-6月", "2020-06", 1, "cumulative"),
    ("2018—2020年行动计划2020年1-6月进展", "2020-06", 1, "cumulative"),
    ("2020年1-6月与2019年1-6月对比表", "2020-06", 1, "cumulative"),
    ("2020年1-6月同比增长情况", "2020-06", 1, "cumulative"),
    ("2020年1—6月完成情况（2020年7月8日制表）", "2020-06", 1, "cumulative"),
    ("2020年6月（1—6月累计）", "2020-06", 1, "cumulative"),
    # ranges
    ("2020年1—2月", "2020-02", 1, "cumulative"),
    ("2020年1-2月", "2020-02", 1, "cumulative"),
    ("2020年1~6月", "2020-06", 1, "cumulative"),
    ("2020年1～6月", "2020-06", 1, "cumulative"),
    ("2020年1——6月", "2020-06", 1, "cumulative"),
    ("2020年1至6月", "2020-06", 1, "cumulative"),
    ("2020年1一6月", "2020-06", 1, "cumulative"),
    ("2020年1月-6月", "2020-06", 1, "cumulative"),
    ("2020年1月至6月", "2020-06", 1, "cumulative"),
    ("2020年1-6月份", "2020-06", 1, "cumulative"),
    ("2020年01-06月", "2020-06", 1, "cumulative"),
    ("2020年1、2月", "2020-02", 1, "cumulative"),
    ("2020年元至六月", "2020-06", 1, "cumulative"),
    ("二〇二〇年一至六月", "2020-06", 1, "cumulative"),
    ("２０２０年１－６月", "2020-06", 1, "cumulative"),
    ("2020 年 1 - 6 月", "2020-06", 1, "cumulative"),
    ("2020年(1-6月)", "2020-06", 1, "cumulative"),
    ("2020年1-12月", "2020-12", 1, "cumulative"),
    ("2020年1月—2020年6月", "2020-06", 1, "cumulative"),
    ("2020.1-6", "2020-06", 1, "cumulative"),
    ("2020年1-6", "2020-06", 1, "cumulative"),
    ("2020.01-2020.06", "2020-06", 1, "cumulative"),
    ("202001-202006", "2020-06", 1, "cumulative"),
    ("2020年前6个月", "2020-06", 1, "cumulative"),
    ("2020年4-6月", "2020-06", 4, "quarter"),
    ("2020年7-12月", "2020-12", 7, "half"),
    # quarters and halves
    ("2020年第三季度", "2020-09", 7, "quarter"),
    ("2020年三季度", "2020-09", 7, "quarter"),
    ("2020年第1季度", "2020-03", 1, "quarter"),
    ("2020Q3", "2020-09", 7, "quarter"),
    ("2020年前三季度", "2020-09", 1, "cumulative"),
    ("2020年一至三季度", "2020-09", 1, "cumulative"),
    ("2020年下半年", "2020-12", 7, "half"),
    ("2020上半年", "2020-06", 1, "half"),
    ("2020年半年报", "2020-06", 1, "half"),
    # one month
    ("2020年6月", "2020-06", 6, "month"),
    ("2020年06月", "2020-06", 6, "month"),
    ("2020年6月份", "2020-06", 6, "month"),
    ("2020年1月", "2020-01", 1, "month"),
    ("2020年元月", "2020-01", 1, "month"),
    ("二〇二〇年六月", "2020-06", 6, "month"),
    ("二○二○年十一月", "2020-11", 11, "month"),
    ("202006", "2020-06", 6, "month"),
    ("2020-06", "2020-06", 6, "month"),
    ("2020–06", "2020-06", 6, "month"),
    ("2020/6", "2020-06", 6, "month"),
    ("2020.06", "2020-06", 6, "month"),
    ("2020.6", "2020-06", 6, "month"),
    ("2020.10", "2020-10", 10, "month"),
    ("2016.11", "2016-11", 11, "month"),
    ("2020.1月", "2020-01", 1, "month"),
    ("June 2020", "2020-06", 6, "month"),
    ("2025 Apr", "2025-04", 4, "month"),
    # dates
    ("2020年6月30日", "2020-06", 6, "point"),
    ("2020-06-30", "2020-06", 6, "point"),
    ("2020-06-01", "2020-06", 6, "month"),
    ("20200630", "2020-06", 6, "point"),
    # file and sheet names
    ("旬阳市2020年1-2月月报(修改稿).xlsx", "2020-02", 1, "cumulative"),
    ("旬阳2020年1-2月月报20200315.xlsx", "2020-02", 1, "cumulative"),
    ("旬阳2020.1-6.xlsx", "2020-06", 1, "cumulative"),
    ("旬阳2020.6.xlsx", "2020-06", 6, "month"),
    ("610928_2020_1-6月.csv", "2020-06", 1, "cumulative"),
    ("时间：2020", "2020-12", 1, "year"),
    ("2020", "2020-12", 1, "year"),
]

# text, period, first month, kind: with 2020 as the year of the texts around
WITH_YEAR: list[tuple[str, str, int, str]] = [
    ("6月份", "2020-06", 6, "month"),
    ("12月", "2020-12", 12, "month"),
    ("十二月", "2020-12", 12, "month"),
    ("1—6月累计", "2020-06", 1, "cumulative"),
    ("１—６月", "2020-06", 1, "cumulative"),
    ("1-6", "2020-06", 1, "cumulative"),
    ("上半年", "2020-06", 1, "half"),
    ("前三季度", "2020-09", 1, "cumulative"),
    ("第二季度", "2020-06", 4, "quarter"),
    ("截至6月末", "2020-06", 6, "point"),
    ("截至6月30日", "2020-06", 6, "point"),
    ("上年1-6月", "2019-06", 1, "cumulative"),
    ("今年1-6月", "2020-06", 1, "cumulative"),
    ("20年1-6月", "2020-06", 1, "cumulative"),
    ("2019年1-6月", "2019-06", 1, "cumulative"),  # its own year comes first
]

# text, a word of the reason
REFUSED: list[tuple[str, str]] = [
    ("2016.1", "10月"),
    ("旬阳2020.1.xlsx", "10月"),
    ("6月份", "年份"),
    ("1—6月", "年份"),
    ("上半年", "年份"),
    ("截至6月底", "年份"),
    ("20年1-6月", "年份"),
    ("上年1-6月", "年份"),
    ("12020年6月", "年份"),
    ("1820年6月", "年份"),
    ("2018-2020年", "几个年份"),
    ("2019年12月-2020年6月", "起止年份"),
    ("2019.07-2020.06", "起止年份"),
    ("2020年3-6月", "不是从1月起"),
    ("2020年6-1月", "起止月份"),
    ("2020年1-13月", "起止月份"),
    ("2020年13月", "没有这个月份"),
    ("2020年二十月", "没有这个月份"),
    ("2020-13", "没有这个月份"),
    ("2020年1月、3月", "几个月份"),
    ("2020年5月 2020年6月", "几个报告期"),
    ("2020年1-6月/2019年1-6月", "几个报告期"),
    ("2018年度考核结果（2019年3月）", "几个报告期"),
    ("2019年1-6月、2020年情况及7-9月", "几个年份"),
    ("2020-1-6", "日期"),
    ("2020年2月30日", "不是一个日期"),
    ("2020年第6期", "期号"),
    ("2020年月报.xlsx", "哪几个月"),
    ("2020年三季报", "哪几个月"),
    ("20٣6年3月", "不能识别的数字"),
    ("2020年٣月1-6月", "不能识别的数字"),
    ("二二二〇年三季度", "年份不成立"),
    ("一二〇〇年六月", "年份不成立"),
]

NONE = [
    "",
    "工业总产值",
    "园区名称",
    "本月",
    "累计",
    "上年同期",
    "2019年同期",
    "比2019年增长",
    "2015年不变价",
    "指标：居民消费价格指数(上年同月=100)",
    "最近20年",
    "时间：2016-",
    "安政办发〔2018〕72号",
    "请于3月15日前报送",
    "3个月",
    "6",
    "06",
    "1-6",
    "12.5",
    "2020.5万元",
    "610900",
    "41954.56",
    "43983",
    "C01",
    "月报",
    "2020年1-6月" * 50,  # a remark
]


def test_the_tables_are_as_large_as_promised() -> None:
    assert len({row[0] for row in (*NAMED, *WITH_YEAR, *REFUSED)} | set(NONE)) >= 60


@pytest.mark.parametrize(("text", "period", "start", "kind"), NAMED)
def test_named(text: str, period: str, start: int, kind: str) -> None:
    got = parse_period(text)
    assert isinstance(got, ParsedPeriod)
    assert (got.period, got.start_month, got.kind) == (period, start, kind)
    assert got.evidence and got.evidence.split("（")[0] in text


@pytest.mark.parametrize(("text", "period", "start", "kind"), WITH_YEAR)
def test_named_with_the_year_of_the_title(text: str, period: str, start: int, kind: str) -> None:
    got = parse_period(text, default_year=2020)
    assert isinstance(got, ParsedPeriod)
    assert (got.period, got.start_month, got.kind) == (period, start, kind)


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_refused(text: str, reason: str) -> None:
    got = parse_period(text)
    assert isinstance(got, PeriodRefusal)
    assert reason in got.reason and got.found in got.reason and got.found in text


@pytest.mark.parametrize("text", NONE)
def test_no_period(text: str) -> None:
    assert parse_period(text) is None


@pytest.mark.parametrize("text", [row[0] for row in REFUSED if "年份" not in row[1]])
def test_the_year_of_the_title_settles_no_other_doubt(text: str) -> None:
    assert isinstance(parse_period(text, default_year=2020), PeriodRefusal)


def test_the_year_taken_from_elsewhere_is_in_the_evidence() -> None:
    got = parse_period("6月份", default_year=2020)
    assert isinstance(got, ParsedPeriod) and got.evidence == "6月份（2020年）"


@pytest.mark.parametrize(
    ("value", "period", "kind"),
    [
        (date(2020, 6, 1), "2020-06", "month"),
        (datetime(2020, 6, 1), "2020-06", "month"),
        (date(2020, 6, 30), "2020-06", "point"),
        (43983, "2020-06", "month"),  # 2020-06-01
        (43983.0, "2020-06", "month"),
        (44012, "2020-06", "point"),  # 2020-06-30
        (36526, "2000-01", "month"),  # 2000-01-01
        (2016, "2016-12", "year"),
        (2016.0, "2016-12", "year"),
        (202006, "2020-06", "month"),
        (20200630, "2020-06", "point"),
        (2016.09, "2016-09", "month"),
        (2016.11, "2016-11", "month"),
    ],
)
def test_date_cells_serials_and_codes(value: CellValue, period: str, kind: str) -> None:
    got = parse_period(value)
    assert isinstance(got, ParsedPeriod)
    assert (got.period, got.kind) == (period, kind)


@pytest.mark.parametrize(
    "value",
    [None, True, 6, 0, -1, 43984, 301774, 41954.56, 2016.13, 1e30, float("nan"), float("inf"),
     time(8), ErrorValue("#N/A"), date(1899, 12, 31)],
)  # fmt: skip
def test_values_that_name_no_period(value: CellValue) -> None:
    assert parse_period(value) is None


Column = list[CellValue]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        # two digits are written, so the lost digit of .1 is a zero
        ([2016.09, 2016.1, 2016.11], ["2016-09", "2016-10", "2016-11"]),
        ([2016.01, 2016.02, 2016.1], ["2016-01", "2016-02", "2016-10"]),
        ([2016.11, 2016.1, 2016.09], ["2016-11", "2016-10", "2016-09"]),
        # one digit: the neighbours decide, past repeated rows, blanks and heads
        ([2016.1, 2016.2, 2016.9, 2016.1], ["2016-01", "2016-02", "2016-09", "2016-10"]),
        ([2016.12, 2017.1, 2017.1, 2017.2], ["2016-12", "2017-01", "2017-01", "2017-02"]),
        (["期别", 2016.9, None, 2016.1, 2016.11], [None, "2016-09", None, "2016-10", "2016-11"]),
        (["2016.1", "2016.2", "2016.10"], ["2016-01", "2016-02", "2016-10"]),
        # nothing or two things decide
        ([2016.1], ["?"]),
        ([2016.1, 2016.5], ["?", "2016-05"]),
        ([2016.2, 2016.1, 2016.11], ["2016-02", "?", "2016-11"]),
        ([2016.09, 2016.1, 2016.2], ["2016-09", "?", "2016-02"]),
        (["2016.09", "2016.10", "2016.1"], ["2016-09", "2016-10", "?"]),
        ([2015.9, 2016.1], ["2015-09", "?"]),
        # other cells of the column are read as they stand
        (["2020年1—2月", date(2020, 6, 1), "x"], ["2020-02", "2020-06", None]),
    ],
)
def test_columns_where_2016_1_may_be_october(column: Column, expected: list[str | None]) -> None:
    got = [
        r.period if isinstance(r, ParsedPeriod) else "?" if r is not None else None
        for r in parse_period_column(column)
    ]
    assert got == expected


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (["2016-09", "2016-11"], "2016-10"),
        (["2016-11"], "2016-10"),
        (["2016-02"], "2016-01"),
        (["2015-12"], "2016-01"),
        (["2016-01", "2016-02", "2016-09"], "2016-10"),
        ([], None),
        (["2016-05"], None),
        (["2015-09"], None),
        (["2016-02", "2016-11"], None),
        (["2016-10", "2016-11"], None),
    ],
)
def test_context_decides_2016_1(context: list[str], expected: str | None) -> None:
    for value in (2016.1, "2016.1"):
        got = parse_period(value, context_periods=context)
        assert (got.period if isinstance(got, ParsedPeriod) else None) == expected


def test_the_heads_of_real_exports_are_read() -> None:
    path = devdata("cn_nbs_exports", "sunshine", "分省月度数据.csv")
    lines = path.read_text(encoding="gb18030").splitlines()
    head = next(line for line in lines if line.startswith("地区,"))
    got = [parse_period(cell) for cell in head.split(",")[1:4]]
    assert [r.period for r in got if isinstance(r, ParsedPeriod)] == [
        "2020-03",
        "2020-02",
        "2020-01",
    ]


# --- arithmetic and labels


def test_arithmetic() -> None:
    assert period_of(2020, 2) == "2020-02"
    assert year_month("2020-02") == (2020, 2)
    assert previous_year("2020-06") == "2019-06"


@pytest.mark.parametrize(
    "wrong", ["2020-13", "2020-00", "2020-6", "2020", "202006", "２０２０-０６"]
)
def test_wrong_periods_are_errors(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a period"):
        year_month(wrong)


@pytest.mark.parametrize(("year", "month"), [(2020, 0), (2020, 13), (20, 6)])
def test_no_such_month(year: int, month: int) -> None:
    with pytest.raises(ValueError, match="not a month"):
        period_of(year, month)
