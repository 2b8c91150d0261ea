"""Great Expectations behind plain data: outcomes, failing keys, and the traps of its engine."""

from __future__ import annotations

import pandas as pd
import pytest

from quality.suites import Expectation, validate

FRAME = pd.DataFrame(
    {
        "park_id": ["P1", "P2", "P3"],
        "unit": ["万元", "亿元", "万元"],
        "value": [1.0, -2.0, None],
    }
)
NOT_NEGATIVE = Expectation(
    "v1",
    "sign",
    "ExpectColumnValuesToBeBetween",
    "error",
    "不为负",
    {"column": "value", "min_value": 0},
)


def test_failing_rows_come_back_with_their_keys():
    (result,) = validate(FRAME, [NOT_NEGATIVE], ["park_id"])
    assert (result.outcome, result.n_failed, result.n_rows) == ("fail", 1, 3)
    assert [key["park_id"] for key in result.keys] == ["P2"]


def test_chinese_row_conditions_are_obeyed():
    only = Expectation(
        "v2", "sign", "ExpectColumnValuesToBeBetween", "verify", "万元不为负",
        {"column": "value", "min_value": 0}, only=("unit", ("万元",)),
    )  # fmt: skip
    (result,) = validate(FRAME, [only], ["park_id"])
    assert result.outcome == "pass"


def test_a_rule_that_cannot_run_is_an_error_not_a_failure():
    broken = Expectation(
        "v3", "sign", "ExpectColumnValuesToBeBetween", "error", "无此列",
        {"column": "nowhere", "min_value": 0},
    )  # fmt: skip
    good, bad = validate(FRAME, [NOT_NEGATIVE, broken], ["park_id"])
    assert (good.outcome, bad.outcome) == ("fail", "error")
    assert bad.problem


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("ExpectTableRowCountToBeBetween", "fail"),
        ("ExpectColumnValuesToNotBeNull", "not_evaluable"),
    ],
)
def test_nothing_to_check_never_passes(kind, outcome):
    options = {"min_value": 1} if "Count" in kind else {"column": "value"}
    empty = Expectation("v4", "present", kind, "error", "有数", options)
    (result,) = validate(FRAME.head(0), [empty], ["park_id"])
    assert result.outcome == outcome
