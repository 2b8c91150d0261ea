"""Units: found where sheets write them, converted exactly, never across dimensions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from assets.submissions.values.units import UnitMismatch, Units, read_common, scaled, shipped

UNITS = shipped()


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        # published figures of Shaanxi parks, in the unit printed and in the unit kept
        ("1075.5", "亿元", "万元", "10755000"),
        ("0.6925", "亿元", "万元", "6925"),
        ("1.6", "万亿元", "万元", "160000000"),
        ("12.8", "万人", "人", "128000"),
        ("25.47", "平方公里", "公顷", "2547"),
        ("1.1788", "平方公里", "公顷", "117.88"),
        ("1000", "亩", "公顷", "66.66666667"),
        ("15", "亩", "公顷", "1"),
        ("1", "平方公里", "亩", "1500"),
        ("1", "万亩", "公顷", "666.66666667"),
        ("1", "亩", "平方公里", "0.00066667"),
        ("450000", "平方米", "万平方米", "45"),
        ("1", "元", "亿元", "0.00000001"),
        ("2", "千元", "万元", "0.2"),
        ("3", "百万元", "万元", "300"),
        ("35", "‰", "%", "3.5"),
        ("1", "亿度", "万千瓦时", "10000"),
        ("1", "兆瓦时", "千瓦时", "1000"),
        ("161624.5", "Megawatthours", "万千瓦时", "16162.45"),
        ("41954.56", "Thousand Dollars", "万美元", "4195.456"),
        ("25.96", "Cents/kWh", "美元/千瓦时", "0.2596"),
        ("1", "万元/亩", "万元/公顷", "15"),
        ("100", "万元/公顷", "万元/亩", "6.66666667"),
        ("3", "户", "家", "3"),
        ("2", "年", "月", "24"),
        ("-0.5", "元", "亿元", "-0.00000001"),
        ("0.4", "元", "亿元", "0"),
    ],
)
def test_conversion_is_exact(value: str, source: str, target: str, expected: str) -> None:
    got = UNITS.convert(Decimal(value), source, target)
    assert got == Decimal(expected)
    assert got.as_tuple().exponent == -8


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("万平方米", "公顷", ("建筑面积", "土地面积")),
        ("公顷", "万平方米", ("土地面积", "建筑面积")),
        ("亩", "万平方米", ("土地面积", "建筑面积")),
        ("万元", "万美元", ("人民币", "美元")),
        ("万元", "Thousand Dollars", ("人民币", "美元")),
        ("户", "人", ("个数", "人数")),
        ("%", "百分点", ("比率", "百分点")),
        ("千瓦时", "吨标准煤", ("电量", "标准煤")),
        ("万元/亩", "万元", ("单位土地金额", "金额")),
    ],
)
def test_dimensions_are_never_mixed(source: str, target: str, words: tuple[str, str]) -> None:
    with pytest.raises(UnitMismatch) as error:
        UNITS.convert(Decimal(1), source, target)
    assert all(word in str(error.value) for word in (source, target, *words))


def test_floor_becomes_land_only_where_the_indicator_asks() -> None:
    floor, land = UNITS.resolve("万㎡"), UNITS.resolve("万㎡", "land")
    assert floor is not None and floor.dimension == "floor"
    assert land is not None and land.dimension == "land" and land.factor == 1
    assert UNITS.convert(Decimal("45"), land, "公顷") == 45
    with pytest.raises(UnitMismatch):
        UNITS.convert(Decimal("45"), floor, "公顷")
    hectare = UNITS.resolve("公顷", "floor")  # 公顷 belongs to land whatever is asked
    assert hectare is not None and hectare.dimension == "land"


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("万元", "万元"),
        ("（万元）", "万元"),
        ("萬元", "万元"),
        (" 万 元 ", "万元"),
        ("人民币万元", "万元"),
        ("％", "%"),
        ("万㎡", "万平方米"),
        ("M²", "平方米"),
        ("KWH", "千瓦时"),
        ("万度", "万千瓦时"),
        ("平方千米", "平方公里"),
        ("吨标煤", "吨标准煤"),
        ("户数", "户"),
        ("个百分点", "百分点"),
        ("万元／亩", "万元/亩"),
        ("megawatthours", "Megawatthours"),
        ("thousand dollars", "Thousand Dollars"),
        ("Count", "Count"),
        ("Cents/kWh", "Cents/kWh"),
    ],
)
def test_resolve(text: str, unit: str) -> None:
    got = UNITS.resolve(text)
    assert got is not None and got.id == unit


@pytest.mark.parametrize("text", ["", "工业总产值", "2020年", "万元户", "元元", "()", "單位"])
def test_words_that_are_no_units(text: str) -> None:
    assert UNITS.resolve(text) is None


@pytest.mark.parametrize(
    ("suffix", "column", "unit"),
    [
        (None, "万元", "万元"),
        ("亿元", "万元", "亿元"),
        ("万", "人", "万人"),
        ("万", "户", "万户"),
        ("万", "元", "万元"),
        ("亿", "千瓦时", "亿千瓦时"),
        ("%", "%", "%"),
        ("万平方米", "公顷", "万平方米(土地)"),
        ("万平方米(土地)", "公顷", "万平方米(土地)"),
        ("家", "户", "家"),
    ],
)
def test_a_unit_in_the_cell_wins_over_the_column(
    suffix: str | None, column: str, unit: str
) -> None:
    known = UNITS.resolve(column)
    assert known is not None
    assert UNITS.in_column(suffix, known).id == unit


@pytest.mark.parametrize(
    ("suffix", "column"),
    [("万", "万元"), ("万", "亿元"), ("亿", "%"), ("%", "万元"), ("亩", "万平方米"), ("株", "户")],
)
def test_a_suffix_that_fits_the_column_twice_or_not_at_all(suffix: str, column: str) -> None:
    known = UNITS.resolve(column)
    assert known is not None
    with pytest.raises(UnitMismatch, match=suffix):
        UNITS.in_column(suffix, known)


def test_unknown_units_are_named() -> None:
    with pytest.raises(UnitMismatch, match="株"):
        UNITS.factor("株", "户")


@pytest.mark.parametrize(
    ("factor", "value", "expected"),
    [
        (Fraction(1, 3), "1", "0.33333333"),
        (Fraction(2, 3), "1", "0.66666667"),
        (Fraction(1, 2), "0.00000001", "0.00000001"),  # a half goes up, away from zero
        (Fraction(1, 2), "-0.00000001", "-0.00000001"),
        (Fraction(1), "0.000000005", "0.00000001"),
        (Fraction(1), "-0.000000005", "-0.00000001"),
        (Fraction(10), "9999999999999999999", "99999999999999999990"),
        (Fraction(1, 15), "0", "0"),
    ],
)
def test_rounding_is_half_up_at_the_eighth_decimal(
    factor: Fraction, value: str, expected: str
) -> None:
    assert scaled(Decimal(value), factor) == Decimal(expected)


def test_a_workspace_adds_and_overrides_units() -> None:
    base = {
        "dimensions": [{"id": "tree", "name": "株数", "base": "株"}],
        "units": [{"id": "株", "dimension": "tree", "factor": "1", "aliases": ["棵"]}],
    }
    own = {
        "units": [
            {"id": "株", "dimension": "tree", "factor": "1"},
            {"id": "百株", "dimension": "tree", "factor": 100},
        ]
    }
    units = Units.from_mapping(base, own)
    assert units.resolve("棵") is None
    assert units.factor("百株", "株") == 100
    assert units.words() == {"株", "百株"}


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "u", "dimension": "d", "factor": 0.1},
        {"id": "u", "dimension": "d", "factor": True},
        {"id": "u", "dimension": "d", "factor": "0"},
        {"id": "u", "dimension": "d", "factor": "many"},
        {"id": "u", "dimension": "d"},
        {"id": "u", "dimension": "other", "factor": "1"},
        {"id": "u", "dimension": "d", "factor": "1", "aliases": ["v"]},
    ],
)
def test_a_wrong_units_file_is_refused(entry: dict[str, object]) -> None:
    other = {"id": "v", "dimension": "d", "factor": "1"}
    catalogue = {"dimensions": [{"id": "d", "name": "量", "base": "v"}], "units": [other, entry]}
    with pytest.raises(ValueError):
        Units.from_mapping(catalogue)


def test_every_dimension_has_its_base_at_factor_one() -> None:
    for dimension in read_common("units.yaml")["dimensions"]:
        base = UNITS.resolve(dimension["base"], dimension["id"])
        assert base is not None
        assert base.dimension == dimension["id"] and base.factor == 1
