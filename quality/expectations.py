"""Expectations of the month's facts, generated from the column dictionary and the catalogue.

Belongs here: which Great Expectations class checks what, with which bounds, in words. Does not belong
here: running them (``suites``) or showing them (``checks``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Protocol

from quality.suites import Expectation
from warehouse.schema import Table

FACT_CHECKS: dict[str, str] = {
    "facts_present": "本期有观测值;必填列不为空。The period has observations; required columns filled.",
    "facts_unique": "同一园区、指标、口径只有一个现行数值。One current value per park, indicator, measure.",
    "facts_codes": "状态、口径、成熟度、园区、指标均在目录内。Codes are in the catalogue.",
    "facts_sign": "不得为负的指标没有负数。Indicators that cannot be negative are not.",
    "facts_range": "数值在常见范围内(核实性)。Values lie in the catalogue's usual range.",
    "facts_state": "有数值者必有取数状态,不详者必无数值。Value and state agree.",
}
"""Names and descriptions of the asset checks on ``observations.observation``."""


class CheckedIndicator(Protocol):
    """What an expectation needs to know of an indicator."""

    @property
    def indicator_id(self) -> str:
        """Catalogue id."""
        ...

    @property
    def name_zh(self) -> str:
        """Chinese name."""
        ...

    @property
    def unit(self) -> str:
        """Canonical unit."""
        ...

    @property
    def non_negative(self) -> bool:
        """Whether a negative value is an error."""
        ...

    @property
    def soft_range(self) -> tuple[Decimal, Decimal] | None:
        """Usual range, or None."""
        ...


LEVELS = ("ytd", "month", "stock", "ytd_prior")
"""Measures that are amounts; published growth is not."""


def of_facts(
    table: Table, indicators: Sequence[CheckedIndicator], park_ids: Iterable[str]
) -> list[Expectation]:
    """Expectations of one period's current observations (columns of ``table`` plus ``amount_of``).

    ``amount_of`` is the indicator id for amounts and empty for published growth, so that bounds of
    amounts are not applied to growth rates.
    """
    return [
        Expectation(
            "facts-present", "facts_present", "ExpectTableRowCountToBeBetween", "error",
            "本期至少有一个观测值", {"min_value": 1},
        ),
        *_required(table),
        Expectation(
            "facts-unique", "facts_unique", "ExpectCompoundColumnsToBeUnique", "error",
            "园区、指标、报告期、口径组合唯一",
            {"column_list": ["park_id", "indicator_id", "period", "measure"]},
        ),
        *_codes(table, indicators, park_ids),
        *_bounds(indicators),
        *_states(),
    ]  # fmt: skip


def _required(table: Table) -> list[Expectation]:
    return [
        Expectation(
            f"facts-{column.name}-filled", "facts_present", "ExpectColumnValuesToNotBeNull",
            "error", f"{column.zh}({column.name})不为空", {"column": column.name},
        )
        for column in table.columns
        if column.required
    ]  # fmt: skip


def _codes(
    table: Table, indicators: Sequence[CheckedIndicator], park_ids: Iterable[str]
) -> list[Expectation]:
    allowed = {c.name: sorted(c.allowed) for c in table.columns if c.allowed}
    allowed["park_id"] = sorted(park_ids)
    allowed["indicator_id"] = sorted(i.indicator_id for i in indicators)
    return [
        Expectation(
            f"facts-{name}-known", "facts_codes", "ExpectColumnValuesToBeInSet", "error",
            f"{table.column(name).zh}在目录内", {"column": name, "value_set": values},
        )
        for name, values in allowed.items()
    ]  # fmt: skip


def _bounds(indicators: Sequence[CheckedIndicator]) -> list[Expectation]:
    signed = [i.indicator_id for i in indicators if i.non_negative]
    bounds = [
        Expectation(
            "facts-not-negative", "facts_sign", "ExpectColumnValuesToBeBetween", "error",
            "不得为负的指标没有负数", {"column": "value", "min_value": 0},
            only=("amount_of", tuple(signed)),
        )
    ] if signed else []  # fmt: skip
    for indicator in indicators:
        if indicator.soft_range is not None:
            low, high = indicator.soft_range
            bounds.append(
                Expectation(
                    f"facts-range-{indicator.indicator_id}", "facts_range",
                    "ExpectColumnValuesToBeBetween", "verify",
                    f"{indicator.name_zh}通常在 {low}—{high}{indicator.unit}",
                    {"column": "value", "min_value": float(low), "max_value": float(high)},
                    only=("amount_of", (indicator.indicator_id,)),
                )
            )  # fmt: skip
    return bounds


def _states() -> list[Expectation]:
    valued = ("reported", "zero", "imputed", "approximate")
    empty = ("unknown", "not_applicable", "suppressed")
    return [
        Expectation(
            "facts-state-valued", "facts_state", "ExpectColumnValuesToNotBeNull", "error",
            "状态为有数者必有数值", {"column": "value"}, only=("state", valued),
        ),
        Expectation(
            "facts-state-empty", "facts_state", "ExpectColumnValuesToBeNull", "error",
            "状态为不详、不适用、抑制者必无数值", {"column": "value"}, only=("state", empty),
        ),
    ]  # fmt: skip
