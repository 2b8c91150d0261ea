"""What holds for every number, period and unit, not only for the ones we thought of."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assets.bulletins.wording import period_words
from assets.submissions.values.numbers import ParsedNumber, parse_number, raw_text, shipped_symbols
from assets.submissions.values.numerals import read_numeral, write_numeral
from assets.submissions.values.periods import (
    ParsedPeriod,
    parse_period,
    parse_period_column,
    period_of,
)
from assets.submissions.values.units import Unit, scaled, shipped
from tests.support.reading_oracle import fault_of_number, fault_of_period

SYMBOLS = shipped_symbols()
UNITS = shipped()

decimals = st.decimals(
    min_value=-(10**12), max_value=10**12, places=4, allow_nan=False, allow_infinity=False
).map(lambda value: value.normalize() if value else Decimal(0))
periods = st.builds(period_of, st.integers(1950, 2098), st.integers(1, 12))


def plain(value: Decimal) -> str:
    return format(value, "f")


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def in_brackets(value: Decimal) -> str:
    return f"({plain(-value)})" if value < 0 else plain(value)


def triangle(value: Decimal) -> str:
    return plain(value).replace("-", "△")


STYLES: dict[str, Callable[[Decimal], str]] = {
    "plain": plain,
    "plus sign": lambda v: format(v, "+f"),
    "grouped": lambda v: format(v, ",f"),
    "full width": lambda v: full_width(format(v, ",f")),
    "accounting": in_brackets,
    "triangle": triangle,
    "minus sign": lambda v: plain(v).replace("-", "−"),
    "full-width minus": lambda v: plain(v).replace("-", "－"),
    "in words": lambda v: plain(v).replace("-", "负"),
    "spaces": lambda v: f"\u3000{plain(v)}\u00a0",
    "footnote": lambda v: plain(v) + "①",
    "no leading zero": lambda v: plain(v).replace("0.", ".", 1) if abs(v) < 1 else plain(v),
}


@pytest.mark.parametrize("style", STYLES)
@given(value=decimals)
def test_a_number_written_in_any_accepted_style_is_read_back(style: str, value: Decimal) -> None:
    got = parse_number(STYLES[style](value), SYMBOLS)
    assert (got.kind, got.value, got.unit) == ("number", value, None)
    assert got.state == ("reported" if value else "zero")


@given(
    value=decimals,
    unit=st.sampled_from(sorted(SYMBOLS.unit_words)),
    space=st.sampled_from(["", " ", "\u3000"]),
)
def test_a_number_keeps_the_unit_of_its_cell(value: Decimal, unit: str, space: str) -> None:
    got = parse_number(f"{plain(value)}{space}{unit}", SYMBOLS)
    assert got.value == value
    known = UNITS.resolve(got.unit or "")
    assert known is not None and known == UNITS.resolve(unit)


@given(value=st.integers(1, 10**9), unit=st.sampled_from(["", "万元", "户", "万平方米", "%"]))
def test_about_is_never_lost(value: int, unit: str) -> None:
    for text in (f"近{value}{unit}", f"约{value}{unit}", f"{value}余{unit}", f"{value}{unit}左右"):
        expected = ParsedNumber(Decimal(value), "approximate", unit or None, approximate=True)
        assert parse_number(text, SYMBOLS) == expected


@given(st.integers(0, 10**16 - 1))
def test_chinese_numerals_are_read_back(number: int) -> None:
    assert read_numeral(write_numeral(number)) == number
    assume(number != 1)  # 一 alone may be a dash
    assert parse_number(write_numeral(number), SYMBOLS).value == number


@given(st.text("零一二两三四五六七八九十百千万亿点余近约", min_size=1, max_size=8))
def test_a_numeral_is_read_only_as_it_would_be_written(text: str) -> None:
    value = read_numeral(text)
    if value is not None and "点" not in text:
        written, given_ = (
            t.replace("两", "二").replace("一十", "十").replace("零", "")
            for t in (write_numeral(int(value)), text)
        )
        assert written == given_


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e19, max_value=1e19))
def test_a_stored_number_and_its_kept_text_say_the_same(value: float) -> None:
    assume(not value or abs(value) > 1e-30)  # a longer text is no number any more
    got, again = parse_number(value, SYMBOLS), parse_number(raw_text(value), SYMBOLS)
    assert got == again and got.kind == "number"
    assert got.value is not None and float(got.value) == value


NUMBER_LIKE = st.text("0123456789.,-+() %万亿元年月户近约余①*/", max_size=12)
PERIOD_LIKE = st.text("0123456789年月日-—./至上半季度第截底 ", max_size=16)


@given(st.one_of(st.text(max_size=80), NUMBER_LIKE))
def test_any_text_is_read_without_error_and_without_guessing(text: str) -> None:
    assert fault_of_number(text) == ""


# --- units


@given(value=decimals, pair=st.data())
def test_there_and_back_is_exact(value: Decimal, pair: st.DataObject) -> None:
    source: Unit = pair.draw(st.sampled_from(list(UNITS)))
    same = [unit for unit in UNITS if unit.dimension == source.dimension]
    target: Unit = pair.draw(st.sampled_from(same))
    there, back = UNITS.factor(source, target), UNITS.factor(target, source)
    assert there * back == 1
    if there >= 1:  # nothing is rounded away on the way to a smaller unit with a whole factor
        assume(there.denominator == 1)
        assert UNITS.convert(UNITS.convert(value, source, target), target, source) == value


@given(value=decimals, factor=st.fractions(min_value="1/1000000", max_value=1000000))
def test_a_converted_value_is_within_half_a_unit_of_its_last_place(
    value: Decimal, factor: Fraction
) -> None:
    got = scaled(value, factor)
    assert abs(Fraction(got) - Fraction(value) * factor) * 2 * 10**8 <= 1
    assert got == -scaled(-value, factor)


# --- periods

WRITINGS: dict[str, Callable[[int, int], str]] = {
    "title": lambda y, m: f"{y}年1—{m}月全市县域工业集中区主要经济指标完成情况表",
    "file name": lambda y, m: f"旬阳市{y}年1-{m}月月报(修改稿).xlsx",
    "full width": lambda y, m: full_width(f"{y}年1-{m}月"),
    "dotted": lambda y, m: f"{y}.1-{m}",
    "with both years": lambda y, m: f"{y}年1月至{y}年{m}月",
    "two digits": lambda y, m: f"{y}年01-{m:02d}月",
}


@pytest.mark.parametrize("writing", WRITINGS)
@given(year=st.integers(1950, 2098), month=st.integers(2, 12))
def test_a_cumulative_period_is_read_back(writing: str, year: int, month: int) -> None:
    got = parse_period(WRITINGS[writing](year, month))
    assert isinstance(got, ParsedPeriod)
    assert (got.period, got.start_month, got.kind) == (period_of(year, month), 1, "cumulative")


@given(period=periods)
def test_our_own_labels_are_read_back(period: str) -> None:
    got = parse_period(period_words(period))
    assert isinstance(got, ParsedPeriod)
    assert (got.period, got.start_month) == (period, 1)


@given(
    start=st.integers(1950 * 12, 2090 * 12),
    length=st.integers(3, 40),
    step=st.sampled_from([1, -1]),
)
def test_a_run_of_months_stored_as_numbers_is_read_back(start: int, length: int, step: int) -> None:
    months = [divmod(start + i, 12) for i in range(length)][::step]
    column = [float(f"{year}.{month + 1:02d}") for year, month in months]
    assume(any(f"{value}".split(".")[1].startswith("0") for value in column))
    got = [r.period if isinstance(r, ParsedPeriod) else None for r in parse_period_column(column)]
    assert got == [period_of(year, month + 1) for year, month in months]


@given(st.one_of(st.text(max_size=40), PERIOD_LIKE))
def test_any_text_is_searched_without_error(text: str) -> None:
    assert fault_of_period(text) == ""
    for default in (None, 2020):
        got = parse_period(text, default_year=default)
        if isinstance(got, ParsedPeriod):
            assert 1 <= got.start_month <= int(got.period[5:]) <= 12
