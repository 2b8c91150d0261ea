"""One word for every code the tables may hold."""

import pytest

from warehouse import schema, words


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (schema.MEASURES, words.MEASURE_ZH),
        (schema.STATES, words.STATE_ZH),
        (schema.LIGHTS, words.LIGHT_ZH),
        (schema.VERDICTS, words.VERDICT_ZH),
        (schema.BASES, words.BASIS_ZH),
        (schema.YOY_BASES, words.YOY_BASIS_ZH),
    ],
)
def test_every_code_has_its_word(codes, said):
    assert set(codes) == set(said)


def test_a_growth_whose_basis_the_table_does_not_say():
    assert words.yoy_basis_zh(None) == words.yoy_basis_zh("") == "依据未记"


@pytest.mark.parametrize(
    ("rule", "said"),
    [("half_up:0", "四舍五入取整"), ("half_up:2", "四舍五入到2位小数"), ("chance:0.02", "取整百分数"),
     ("as_given", "照原数"), (None, "无")],
)  # fmt: skip
def test_how_a_figure_was_rounded(rule, said):
    assert words.rounding_zh(rule) == said
