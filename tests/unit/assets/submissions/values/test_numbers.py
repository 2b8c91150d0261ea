"""Every writing of a number we know: the value it must become, or the reason of its refusal."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import pytest

from assets.submissions.reading.workbook import CellValue, ErrorValue
from assets.submissions.values.numbers import (
    ParsedNumber,
    Symbols,
    parse_number,
    raw_text,
    shipped_symbols,
)
from assets.submissions.values.units import read_common

DEFAULT = shipped_symbols()

# token, value, unit
ACCEPTED: list[tuple[str, str, str | None]] = [
    # plain
    ("0", "0", None),
    ("0.0", "0", None),
    ("-0", "0", None),
    ("7", "7", None),
    ("301774", "301774", None),
    ("41954.56", "41954.56", None),
    ("0.125", "0.125", None),
    (".5", "0.5", None),
    ("-.5", "-0.5", None),
    ("2020.06", "2020.06", None),
    ("99999999999999999999", "99999999999999999999", None),
    # signs
    ("-3.2", "-3.2", None),
    ("+5.6", "5.6", None),
    ("－3.2", "-3.2", None),
    ("−3.2", "-3.2", None),
    ("–3.2", "-3.2", None),
    ("—3.2", "-3.2", None),
    ("＋5.6", "5.6", None),
    ("负3.2", "-3.2", None),
    ("△3.5", "-3.5", None),
    ("△1,234.5万元", "-1234.5", "万元"),
    ("(88.0)", "-88.0", None),
    ("（88.0）", "-88.0", None),
    ("（ 88.0 ）", "-88.0", None),
    ("(1,234.5)", "-1234.5", None),
    ("(3.2%)", "-3.2", "%"),
    ("(3.2)%", "-3.2", "%"),
    ("（88.0）万元", "-88.0", "万元"),
    ("-1,234.5", "-1234.5", None),
    ("-12345678901234567890.1234567891", "-12345678901234567890.1234567891", None),
    # full width and spaces
    ("１２３", "123", None),
    ("１，２３４．５", "1234.5", None),
    ("１２．５％", "12.5", "%"),
    (" 3 ", "3", None),
    ("\u00a03\u00a0", "3", None),
    ("\u30003.5\u3000", "3.5", None),
    ("\u200b3.5\ufeff", "3.5", None),
    ("3.5\n", "3.5", None),
    ("\t12", "12", None),
    # groups of three
    ("1,234", "1234", None),
    ("12,345", "12345", None),
    ("12，345", "12345", None),
    ("1,234,567.89", "1234567.89", None),
    ("1,075.5亿元", "1075.5", "亿元"),
    ("+1,234万元", "1234", "万元"),
    # units in the cell
    ("3.5万元", "3.5", "万元"),
    ("3.5 万元", "3.5", "万元"),
    ("3.5 万 元", "3.5", "万元"),
    ("3.5\n万元", "3.5", "万元"),
    ("12.5(万元)", "12.5", "万元"),
    ("12.5（万元）", "12.5", "万元"),
    ("0万元", "0", "万元"),
    ("17.78亿元", "17.78", "亿元"),
    ("1.6万亿元", "1.6", "万亿元"),
    ("2329户", "2329", "户"),
    ("29个", "29", "个"),
    ("7家", "7", "家"),
    ("12.8万人", "12.8", "万人"),
    ("1000亩", "1000", "亩"),
    ("1.1788平方公里", "1.1788", "平方公里"),
    ("61万平方米", "61", "万平方米"),
    ("61万㎡", "61", "万㎡"),
    ("3.5 m²", "3.5", "m²"),
    ("1223.34公顷", "1223.34", "公顷"),
    ("15万元/亩", "15", "万元/亩"),
    ("15万元／亩", "15", "万元/亩"),
    ("3.2%", "3.2", "%"),
    ("-3.2%", "-3.2", "%"),
    ("3.2 %", "3.2", "%"),
    ("3.2％", "3.2", "%"),
    ("3.5‰", "3.5", "‰"),
    ("5.2个百分点", "5.2", "个百分点"),
    ("1.5倍", "1.5", "倍"),
    ("300吨标准煤", "300", "吨标准煤"),
    ("3kWh", "3", "kWh"),
    ("500万美元", "500", "万美元"),
    ("3个月", "3", "个月"),
    ("12万", "12", "万"),
    ("1.2亿", "1.2", "亿"),
    ("3.5千", "3.5", "千"),
    ("2百万", "2", "百万"),
    # Chinese numerals
    ("零", "0", None),
    ("〇", "0", None),
    ("二", "2", None),
    ("十", "10", None),
    ("十五", "15", None),
    ("两百", "200", None),
    ("一百零五", "105", None),
    ("一千二百万", "12000000", None),
    ("十万零五千", "105000", None),
    ("十万五千", "105000", None),
    ("三亿五千万", "350000000", None),
    ("一万亿", "1000000000000", None),
    ("壹佰贰拾", "120", None),
    ("壹仟贰佰萬", "12000000", None),
    ("十二点五", "12.5", None),
    ("零点五", "0.5", None),
    ("十二点五万元", "12.5", "万元"),
    ("一点二亿", "1.2", "亿"),
    ("三百万千瓦时", "3000000", "千瓦时"),
    ("一千二百万元", "12000000", "元"),
    ("三千元", "3000", "元"),
    ("一户", "1", "户"),
    ("三百亩", "300", "亩"),
    ("三百千瓦时", "300", "千瓦时"),
    ("负零", "0", None),
    ("负五", "-5", None),
    ("百分之五", "5", "%"),
    ("百分之十二点五", "12.5", "%"),
    ("百分之5.6", "5.6", "%"),
    ("负百分之三", "-3", "%"),
    ("千分之三", "3", "‰"),
    # footnote marks
    ("120.5*", "120.5", None),
    ("120.5①", "120.5", None),
    ("120.5万元①", "120.5", "万元"),
    ("120.5 **", "120.5", None),
    ("-3.2%※", "-3.2", "%"),
]

# token, value, unit
APPROXIMATE: list[tuple[str, str, str | None]] = [
    ("约3.5", "3.5", None),
    ("约 3.5", "3.5", None),
    ("约为3.2", "3.2", None),
    ("大约300户", "300", "户"),
    ("约-3.2%", "-3.2", "%"),
    ("约0", "0", None),
    ("近700亿元", "700", "亿元"),
    ("将近700亿元", "700", "亿元"),
    ("接近700亿元", "700", "亿元"),
    ("逾700亿元", "700", "亿元"),
    ("600余万平方米", "600", "万平方米"),
    ("600余万㎡", "600", "万㎡"),
    ("3.5万余元", "3.5", "万元"),
    ("600多户", "600", "户"),
    ("600余", "600", None),
    ("12万多", "12", "万"),
    ("十余万元", "10", "万元"),
    ("两百余家", "200", "家"),
    ("三百余万平方米", "300", "万平方米"),
    ("100左右", "100", None),
    ("5户左右", "5", "户"),
    ("60%左右", "60", "%"),
    ("近１，２００户", "1200", "户"),
    ("近一千亿元", "100000000000", "元"),
]

# token, a word of the reason
REFUSED: list[tuple[str, str]] = [
    # groups and points
    ("1,23", "千位"),
    ("12,34", "千位"),
    ("１２，３４", "千位"),
    ("1,2345", "千位"),
    ("12,3456", "千位"),
    ("1,234,56", "千位"),
    ("1,,234", "千位"),
    ("1,234,", "千位"),
    (",234", "千位"),
    ("0,123", "千位"),
    ("1.234,5", "千位"),
    ("1,000 000", "千位"),
    ("1'234", "千位"),
    ("'123", "千位"),
    ("1.234.567", "两个小数点"),
    ("1.2.3", "两个小数点"),
    ("5.0.", "两个小数点"),
    ("1,000.5.5", "两个小数点"),
    ("5.", "小数点结尾"),
    ("3。5", "不能识别"),
    ("3·5", "不能识别"),
    ("12、345", "不能识别"),
    ("1_000", "不能识别"),
    ("1 234", "空格"),
    ("1 234 567", "空格"),
    ("1\u00a0234", "空格"),
    ("3\u30004", "空格"),
    ("0123", "以0开头"),
    ("007", "以0开头"),
    ("00.5", "以0开头"),
    # two numbers, ranges, fractions
    ("12-15", "区间"),
    ("12—15", "区间"),
    ("12~15", "区间"),
    ("12至15", "区间"),
    ("10%-15%", "区间"),
    ("3万-5万", "区间"),
    ("3/4", "分数"),
    ("1/5/33", "分数"),
    ("1+2", "不能识别"),
    ("3*4", "不能识别"),
    ("3\n4", "空格"),
    ("12.5(10.3)", "不能识别"),
    # bounds and words of change
    ("<3", "界限"),
    ("≥10", "界限"),
    (">5%", "界限"),
    ("5%以上", "界限"),
    ("3户以下", "界限"),
    ("不足3户", "界限"),
    ("不到10", "界限"),
    ("超700亿元", "界限"),
    ("超过5%", "界限"),
    ("至少3", "界限"),
    ("增长5.6%", "增减"),
    ("同比增长5.6%", "增减"),
    ("下降3.2%", "增减"),
    ("增5.6", "增减"),
    ("±0.5", "正负号"),
    ("+-5", "正负号"),
    # signs
    ("--5", "负号"),
    ("——3.5", "负号"),
    ("- 5", "负号"),
    ("-(5)", "负号"),
    ("(-5)", "负号"),
    ("++5", "负号"),
    ("5-", "写在数后"),
    ("5+", "写在数后"),
    ("▲3.5", "箭头"),
    ("↓3.5", "箭头"),
    ("((5))", "括号"),
    ("(5万元)万元", "括号"),
    ("(约5)", "括号"),
    ("近(5)", "括号|不能识别"),
    ("(4)6", "括号"),
    ("()1,234", "不能"),
    ("3()", "不能识别"),
    ("(5)左右", "括号"),
    ("5.万元", "不能识别"),
    ("-约3", "不能识别"),
    # letters and other scripts
    ("O.5", "字母"),
    ("1O0", "字母"),
    ("l2.5", "字母"),
    ("1e5", "科学记数"),
    ("1.5E+06", "科学记数"),
    ("3.5w", "不能识别"),
    ("3.5m", "不能识别"),
    ("0x1F", "以0开头|不能识别"),
    ("٣", "不能识别"),
    ("10²", "不能识别"),
    ("½", "不能识别"),
    ("①", "不能识别"),
    ("*", "不能识别"),
    ("\u202e123", "控制符"),
    ("=A1+B2", "公式"),
    ("=1+2", "公式"),
    ("#DIV/0!", "错误值"),
    ("#N/A", "错误值"),
    ("#REF!", "错误值"),
    ("#####", "列宽"),
    ("#12", "不能识别"),
    ("nan", "程序导出"),
    ("inf", "程序导出"),
    ("NULL", "程序导出"),
    ("N/A", "程序导出"),
    ("¥3.5", "货币"),
    ("￥3.5万元", "货币"),
    ("$1,234", "货币"),
    ("?", "不能识别"),
    ("√", "不能识别"),
    ("12345678901234567890123", "过大"),
    # units
    ("3万元亿元", "计量单位"),
    ("3.2%万", "计量单位"),
    ("3.2万%", "不能识别"),
    ("3.2%%", "计量单位"),
    ("3%‰", "计量单位"),
    ("12个好", "计量单位"),
    ("12.5*万元", "不能识别"),
    ("12.5（含飞地）", "不能识别"),
    ("3#厂房", "不能识别"),
    ("3号", "不能识别"),
    ("12未核实", "不能识别"),
    # dates
    ("2020-06", "日期"),
    ("2020/6/30", "日期"),
    ("2020年6月", "日期"),
    ("二〇二〇年六月", "日期"),
    ("2020年", "日期"),
    ("18年", "日期"),
    ("6月", "日期"),
    ("六月", "日期"),
    ("12:30", "时间"),
    ("1-6月", "区间"),
    # Chinese numerals with two readings
    ("一", "横线"),
    ("二百五", "不能识别"),
    ("一万五", "不能识别"),
    ("一千五", "不能识别"),
    ("一二", "不能识别"),
    ("三四", "不能识别"),
    ("二〇二〇", "不能识别"),
    ("十几万", "不能识别"),
    ("三百百", "不能识别"),
    ("十亿万", "不能识别"),
    ("十百户", "不能识别"),
    ("3百", "不能识别"),
    ("几十", "不能识别"),
    ("3万5千", "不能识别"),
    # symbols with two meanings
    ("无", "零"),
    ("O", "零"),
    ("同上", "同上"),
]

TEXTS = [
    "旬阳市",
    "旬阳高新区",
    "合计",
    "规上企业12户",
    "C01",
    "AK18",
    "负增长",
    "上年同期",
    "同比±%",
    "工业总产值（万元）",
    "1.工业总产值",
    "一、工业总产值",
    "（二）营业收入",
    "#亿元企业",
    "（一）",
    "（十二）",
    "三、",
    "一季度",
    "三江工业园",
    "第一",
    "近年来",
    "万元",
    "亿",
    "户",
    "%",
    "是",
    "备注：无",
    "2020年1—6月全市县域工业集中区主要经济指标完成情况表",
    "注：部分合计数由于单位取舍不同而产生的计算误差均未作机械调整" * 4,
]

SYMBOLS: list[tuple[str, str, str, str | None]] = [
    # style, token, state, value
    ("default", "…", "below_unit", "0"),
    ("default", "……", "below_unit", "0"),
    ("default", "...", "below_unit", "0"),
    ("default", "—", "not_applicable", None),
    ("default", "-", "not_applicable", None),
    ("default", "－", "not_applicable", None),
    ("default", "— —", "not_applicable", None),
    ("default", "/", "not_applicable", None),
    ("default", "／", "not_applicable", None),
    ("default", "X", "suppressed", None),
    ("default", "×", "suppressed", None),
    ("default", "不详", "unknown", None),
    ("ankang_yearbook", "…", "below_unit", "0"),
    ("chengdu_yearbook", "一", "not_applicable", None),
    ("nanjing_yearbook", "一", "not_applicable", None),
    ("hanzhong_yearbook", "-", "unknown", None),
    ("hanzhong_yearbook", "…", "below_unit", "0"),
    ("wuhan_bulletin", "-", "not_applicable", None),
    ("eia", ".", "not_applicable", None),
]


def test_the_tables_are_as_large_as_promised() -> None:
    tokens = [row[0] for row in (*ACCEPTED, *APPROXIMATE, *REFUSED)] + TEXTS
    assert len(tokens) == len(set(tokens)) >= 200


@pytest.mark.parametrize(("token", "value", "unit"), ACCEPTED)
def test_accepted(token: str, value: str, unit: str | None) -> None:
    got = parse_number(token, DEFAULT)
    state = "reported" if Decimal(value) else "zero"
    assert got == ParsedNumber(Decimal(value), state, unit)
    assert not (got.value or Decimal(0)).is_signed() or Decimal(value) < 0  # never -0


@pytest.mark.parametrize(("token", "value", "unit"), APPROXIMATE)
def test_approximate(token: str, value: str, unit: str | None) -> None:
    expected = ParsedNumber(Decimal(value), "approximate", unit, approximate=True)
    assert parse_number(token, DEFAULT) == expected


@pytest.mark.parametrize(("token", "reason"), REFUSED)
def test_refused_with_the_reason_and_the_token(token: str, reason: str) -> None:
    got = parse_number(token, DEFAULT)
    assert (got.kind, got.value, got.state) == ("refused", None, "unknown")
    assert got.reason is not None and any(word in got.reason for word in reason.split("|"))
    assert token.strip()[:20] in got.reason


@pytest.mark.parametrize("token", TEXTS)
def test_plain_words_are_text_not_refused_numbers(token: str) -> None:
    assert parse_number(token, DEFAULT) == ParsedNumber(None, "unknown", kind="text")


@pytest.mark.parametrize(("style", "token", "state", "value"), SYMBOLS)
def test_symbols_mean_what_their_source_says(
    style: str, token: str, state: str, value: str | None
) -> None:
    got = parse_number(token, shipped_symbols(style))
    expected = None if value is None else Decimal(value)
    assert got == ParsedNumber(expected, state, kind="symbol")


@pytest.mark.parametrize("token", [None, "", " ", "\u3000", "\u00a0\n", "\u200b"])
def test_blank(token: CellValue) -> None:
    assert parse_number(token, DEFAULT) == ParsedNumber(None, "unknown", kind="blank")


@pytest.mark.parametrize(
    ("value", "expected", "state"),
    [
        (12, "12", "reported"),
        (0, "0", "zero"),
        (-3, "-3", "reported"),
        (301774.0, "301774", "reported"),
        (41954.56, "41954.56", "reported"),
        (0.1 + 0.2, "0.30000000000000004", "reported"),
        (1e-07, "0.0000001", "reported"),
        (1.5e16, "15000000000000000", "reported"),
        (0.0, "0", "zero"),
        (-0.0, "0", "zero"),
    ],
)
def test_stored_numbers_keep_their_shortest_exact_text(
    value: float, expected: str, state: str
) -> None:
    got = parse_number(value, DEFAULT)
    assert got == ParsedNumber(Decimal(expected), state)
    assert not (got.value or Decimal(0)).is_signed() or value < 0


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (True, "逻辑值"),
        (date(2020, 6, 30), "日期"),
        (datetime(2020, 6, 30, 8), "日期"),
        (time(8, 30), "时间"),
        (ErrorValue("#DIV/0!"), "错误值"),
        (float("nan"), "有限"),
        (float("inf"), "有限"),
        (1e25, "过大"),
    ],
)
def test_stored_values_that_are_no_numbers(value: CellValue, reason: str) -> None:
    got = parse_number(value, DEFAULT)
    assert got.kind == "refused" and got.value is None
    assert got.reason is not None and reason in got.reason


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("  1,075.5亿元 ", "  1,075.5亿元 "),
        (301774.0, "301774"),
        (41954.56, "41954.56"),
        (1e-07, "0.0000001"),
        (1e22, "10000000000000000000000"),
        (-0.0, "0"),
        (12, "12"),
        (True, "TRUE"),
        (date(2020, 6, 30), "2020-06-30"),
        (datetime(2020, 6, 30, 8, 5), "2020-06-30T08:05:00"),
        (time(8, 5), "08:05:00"),
        (ErrorValue("#REF!"), "#REF!"),
        (float("nan"), "nan"),
    ],
)
def test_raw_text_is_exact(value: CellValue, text: str) -> None:
    assert raw_text(value) == text


def test_brackets_are_ranks_in_the_wuhan_bulletin() -> None:
    assert parse_number("(3)", DEFAULT).value == Decimal(-3)
    got = parse_number("(3)", shipped_symbols("wuhan_bulletin"))
    assert got.kind == "refused" and "括号" in (got.reason or "")


def test_a_source_may_write_zero_for_unknown() -> None:
    catalogue = read_common("symbols.yaml")
    catalogue["symbols"].append(
        {"id": "xian", "extends": "default", "zero": {"state": "unknown", "meaning": "未填写"}}
    )
    symbols = Symbols.from_mapping(catalogue, "xian")
    expected = ParsedNumber(None, "unknown", kind="symbol")
    assert [parse_number(zero, symbols) for zero in (0, 0.0, "0", "０.0")] == [expected] * 4
    assert parse_number("0", DEFAULT).state == "zero"


def test_a_style_replaces_its_base_token_by_token() -> None:
    catalogue = {
        "symbols": [
            {
                "id": "a",
                "zero": {"state": "zero"},
                "tokens": [{"write": ["-", "/"], "state": "unknown"}],
            },
            {"id": "b", "extends": "a", "tokens": [{"write": ["-"], "state": "suppressed"}]},
        ]
    }
    symbols = Symbols.from_mapping(catalogue, "b", unit_words=["株"])
    assert [parse_number(sign, symbols).state for sign in ("-", "/")] == ["suppressed", "unknown"]
    assert parse_number("3株", symbols).unit == "株"
    assert parse_number("3户", symbols).kind == "refused"  # only the units it was given


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "s", "zero": {"state": "nothing"}},
        {"id": "s", "zero": {"state": "zero"}, "parentheses": "maybe"},
        {"id": "s", "zero": {"state": "zero"}, "extends": "s"},
        {"id": "s", "zero": {"state": "zero", "value": 0}},
        {"id": "other", "zero": {"state": "zero"}},
    ],
)
def test_a_wrong_symbols_file_is_refused(entry: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Symbols.from_mapping({"symbols": [entry]}, "s")


def test_equal_text_under_different_styles_is_remembered_apart() -> None:
    chengdu = shipped_symbols("chengdu_yearbook")
    for _ in range(2):
        assert parse_number("一", DEFAULT).kind == "refused"
        assert parse_number("一", chengdu).kind == "symbol"
