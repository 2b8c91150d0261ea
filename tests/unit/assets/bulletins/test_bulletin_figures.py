"""Registered figures: how numbers are printed, and ids that mean one number each."""

from decimal import Decimal

import pytest

from assets.bulletins.figures import (
    BELOW_UNIT,
    MISSING,
    Figure,
    FigureBook,
    FigureError,
    display_unit,
    figure_id,
    format_number,
    round_half_up,
)

D = Decimal
AMOUNT = D("1.005")


def add(book: FigureBook, name: str = "202006-P-C04-total", value: Decimal | None = AMOUNT,
        **changes: object) -> Figure:  # fmt: skip
    settings: dict[str, object] = {
        "unit": "亿元", "period": "2020-06", "decimals": 2,
        "source_table": "indicators.area_year", "source_key": "scope=610000;column=value",
    }  # fmt: skip
    return book.add(name, "全省营业收入", value, **{**settings, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        ("2.345", 2, "2.35"),  # half goes up, not to even
        ("2.355", 2, "2.36"),
        ("-2.345", 2, "-2.35"),  # and away from zero below it
        ("-0.04", 1, "0.0"),  # never -0.0
        ("0.05", 1, "0.1"),
        ("12345678.9", 2, "12345678.90"),  # no thousands separators
        ("1E+3", 0, "1000"),
        ("2000.00000000", None, "2000"),  # as the policy writes it
        ("0.30", None, "0.3"),
        ("-0.0", None, "0"),
        ("1234567890123456789012345678.5", 0, "1234567890123456789012345679"),
    ],
)
def test_number_is_rounded_half_up_without_separators(
    value: str, decimals: int | None, shown: str
) -> None:
    assert format_number(D(value), decimals) == shown


def test_missing_is_a_dash_and_never_zero() -> None:
    assert format_number(None, 2) == MISSING == "—"
    figure = add(FigureBook(), value=None)
    assert figure.is_missing
    assert figure.show(unit=True) == "—"  # a unit behind nothing would read as a value


def test_amount_below_half_a_unit_is_not_printed_as_zero() -> None:
    assert format_number(D("0.004"), 2, below_unit=True) == BELOW_UNIT == "…"
    assert format_number(D("0"), 2, below_unit=True) == "0.00"
    assert format_number(D("0.04"), 1) == "0.0"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_not_a_number_is_refused(value: str) -> None:
    with pytest.raises(FigureError):
        format_number(D(value), 2)


def test_forms_of_a_figure() -> None:
    figure = add(FigureBook(), value=D("-3.24"), unit="%", decimals=1)
    assert figure.show() == "-3.2"
    assert figure.show("magnitude", unit=True) == "3.2%"
    assert figure.rounding == "half_up:1"
    assert figure.value == D("-3.24")  # the unrounded value stays


def test_ids_are_stable_readable_and_safe() -> None:
    assert figure_id("2020-06", "P", "C04", "total") == "202006-P-C04-total"
    assert figure_id("2020-06", 'a b"<c>', "d/e") == "202006-a_b_c_-d_e"


def test_an_id_means_one_number() -> None:
    book = FigureBook()
    first = add(book)
    assert add(book) is first
    assert len(book) == 1
    with pytest.raises(FigureError, match="registered twice"):
        add(book, value=D(2))


@pytest.mark.parametrize("bad", ["", "a b", 'a"b', "a<b"])
def test_ids_that_would_break_a_page_are_refused(bad: str) -> None:
    with pytest.raises(FigureError):
        add(FigureBook(), bad)


def test_closure_brings_the_inputs_of_computed_figures() -> None:
    book = FigureBook()
    a, b = add(book, "a"), add(book, "b")
    gap = add(book, "gap", D(0), formula="a - b", inputs=(a, b))
    add(book, "unused")
    assert [figure.figure_id for figure in book.closure(["gap"])] == ["a", "b", "gap"]
    assert gap.inputs == ("a", "b")
    with pytest.raises(FigureError, match="unknown figure"):
        book.closure(["nowhere"])


@pytest.mark.parametrize(
    ("unit", "shown", "value"),
    [("万元", "亿元", "1234.57"), ("人", "万人", "1234.57"), ("户", "户", "12345678")],
)
def test_money_is_printed_in_yi_and_persons_in_wan(unit: str, shown: str, value: str) -> None:
    printed, factor, decimals = display_unit(unit, 0)
    amount = D("12345678") * factor if factor != 1 else D("12345678")
    assert printed == shown
    assert format_number(amount, decimals) == value if factor == 1 else True
    assert round_half_up(amount, decimals) == D(value)


def test_row_for_the_warehouse_has_the_contract_columns() -> None:
    row = add(FigureBook()).to_row()
    wanted = {"figure_id", "label", "value", "unit", "period", "rounding",
              "source_table", "source_key"}  # fmt: skip
    assert wanted <= row.keys()
