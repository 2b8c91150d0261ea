"""The expression language: parsing, messages, unknown values, exact decimals."""

from __future__ import annotations

from decimal import Decimal

import pytest

from warehouse.catalog.expression import (
    ExpressionError,
    Name,
    evaluate,
    identifiers,
    kind_of,
    names,
    parse,
    to_sql,
    to_text,
)

D = Decimal


def value(text: str, **values: str | None):
    known = {name: None if given is None else D(given) for name, given in values.items()}
    return evaluate(parse(text), known)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 + 3 * 4", "14"),
        ("(2 + 3) * 4", "20"),
        ("10 - 4 - 3", "3"),
        ("24 / 4 / 3", "2"),
        ("-2 * -3", "6"),
        ("- (1 + 2)", "-3"),
        ("0.1 + 0.2", "0.3"),
        ("min(3, 1, 2)", "1"),
        ("max(3, 1, 2)", "3"),
        ("abs(-1.5)", "1.5"),
        ("round(2.675, 2)", "2.68"),
        ("round(-2.5)", "-3"),
        ("coalesce(7, 8)", "7"),
        ("（1＋2）×3÷2", "4.5"),
    ],
)
def test_arithmetic_is_exact_and_binds_as_usual(text, expected):
    assert value(text) == D(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 < 2 and 2 < 1", False),
        ("1 < 2 or 2 < 1 and 2 < 1", True),
        ("not 1 < 2 or 3 = 3", True),
        ("not (1 < 2 or 3 = 3)", False),
        ("8 <= 60 <= 60", True),
        ("8 <= 61 <= 60", False),
        ("2 ≥ 2 and 2 ≤ 2 and 1 ≠ 2", True),
        ("1 == 1 and 1 <> 2", True),
    ],
)
def test_conditions_bind_as_usual(text, expected):
    assert value(text) is expected


def test_real_growth_of_value_added_rate_is_computed_exactly():
    # 安康市2011年: 增加值39.4亿元, 工业总产值113.6亿元 → 34.68%
    rate = value("100 * C03 / C01", C03="394000", C01="1136000")
    assert rate.quantize(D("0.01")) == D("34.68")


@pytest.mark.parametrize(
    "text",
    ["a + 1", "1 - a", "a * 0", "a / 2", "2 / a", "-a", "abs(a)", "round(a)", "min(a, 1)",
     "max(1, a)", "a > 0", "a = a", "coalesce(a, b)", "1 / 0", "b / (1 - 1)"],
)  # fmt: skip
def test_unknown_stays_unknown(text):
    assert value(text, a=None, b=None) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > 0 and 1 > 2", False),
        ("1 > 2 and a > 0", False),
        ("a > 0 and 1 < 2", None),
        ("a > 0 or 1 < 2", True),
        ("a > 0 or 1 > 2", None),
        ("not a > 0", None),
        ("coalesce(a, 5) = 5", True),
    ],
)
def test_three_valued_logic(text, expected):
    assert value(text, a=None) is expected


def test_a_name_that_was_not_given_is_unknown():
    assert evaluate(parse("C01 + 1"), {}) is None


def test_noise_of_quotients_does_not_decide_a_comparison():
    # 34.7 - 100 * 39.36 / 113.76 = 0.1005…; a third of three is exactly one
    assert value("a / 3 * 3 = a", a="1") is True
    assert value("a / 3 * 3 > a", a="1") is False
    assert value("abs(34.7 - 100 * a / b) <= 0.1", a="346", b="1000") is True
    assert value("a - 0.000000000001 = a", a="1") is False, "exact operands compare exactly"


def test_names_carry_measure_and_offset():
    tree = parse("C01.ytd / C01.ytd[-1y] + C04[-3m] - C04[-1q]")
    assert [str(name) for name in names(tree)] == [
        "C01.ytd",
        "C01.ytd[-1y]",
        "C04[-3m]",
        "C04[-1q]",
    ]
    assert identifiers(tree) == {"C01", "C04"}
    assert Name("C01", "ytd", (1, "y")) in set(names(tree))
    values = {"C01.ytd": D(3), "C01.ytd[-1y]": D(2), "C04[-3m]": D(1), "C04[-1q]": D(2)}
    assert evaluate(tree, values) == D("0.5")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "此处应为指标代码"),
        ("C01 +", "第6个字符结尾"),
        ("C01 C02", "第5个字符“C02”"),
        ("(C01", "此处应为“)”"),
        ("C01 # C02", "第5个字符“#”不能用"),
        ("mean(C01)", "没有这个函数"),
        ("min(C01)", "参数个数为1"),
        ("abs", "后应有括号"),
        ("round(C01, C02)", "位数"),
        ("round(C01, 12)", "位数"),
        ("1 + (C01 > 2)", "不是条件"),
        ("C01 and C02 > 1", "不是数值"),
        ("not C01", "不是数值"),
        ("C01 > 1 > (2 > 1)", "不是条件"),
        ("1234567890123456789", "超过18位"),
        ("C01.YTD", "不能用"),
        ("C01[-1w]", "不能用"),
        ("(" * 70 + "C01" + ")" * 70, "嵌套超过"),
        ("+".join(["a"] * 400), "请拆成"),
        ("min(1," * 7 + "1" + ")" * 7, "函数套函数"),
        ("a" * 2001, "超过2000个字符"),
    ],
)
def test_mistakes_are_named_with_their_place(text, part):
    with pytest.raises(ExpressionError, match=r".*") as caught:
        parse(text)
    assert part in str(caught.value)


def test_formula_and_condition_are_told_apart():
    assert kind_of(parse("C01 / C02")) == "number"
    assert kind_of(parse("C01 > C02")) == "condition"
    with pytest.raises(ExpressionError, match="应为条件"):
        parse("C01 / C02", "condition")
    with pytest.raises(ExpressionError, match="应为数值"):
        parse("C01 > C02", "number")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("((a))+(b*c)", "a + b * c"),
        ("(a+b)*c", "(a + b) * c"),
        ("a-(b-c)", "a - (b - c)"),
        ("a-b-c", "a - b - c"),
        ("a/(b*c)", "a / (b * c)"),
        ("8<=a<=60", "8 <= a and a <= 60"),
        ("not(a>1 and b>1)", "not (a > 1 and b > 1)"),
        ("min(a ,b)", "min(a, b)"),
        ("-(a+b)", "-(a + b)"),
    ],
)
def test_text_has_only_the_parentheses_needed(text, plain):
    assert to_text(parse(text)) == plain


def test_text_may_show_names_for_codes():
    known = {"C03": "工业增加值", "C01": "工业总产值"}
    shown = to_text(parse("100 * C03 / C01"), lambda name: known[name.identifier])
    assert shown == "100 * 工业增加值 / 工业总产值"


def test_sql_divides_by_nullif_and_resolves_every_name():
    asked = []

    def resolve(name):
        asked.append(str(name))
        return f'"{name}"'

    sql = to_sql(parse("100 * C03 / C01[-1y] >= 8"), resolve)
    share = '((100 * "C03") / nullif("C01[-1y]", 0))'
    assert sql == f"(round(cast({share} as double) - cast(8 as double), 9) >= 0)"
    assert asked == ["C03", "C01[-1y]"]


def test_an_operand_with_operators_is_put_in_parentheses():
    assert to_sql(parse("C01 * 2"), lambda name: "x + y") == "((x + y) * 2)"
