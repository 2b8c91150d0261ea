"""Great Expectations suites of the published tables, generated: nothing about a table is typed here.

Belongs here: turning the column dictionary, the tables' promises and the audit findings into
expectations with their class, arguments and words. Does not belong here: the promises themselves
(``warehouse.promises``), running suites (``suites``), rows and memory (``validation``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quality.finding import Severity
from warehouse.promises import Promise, promises_of
from warehouse.schema import Table

HOLDS = "holds_"
"""Prefix of the columns that say whether an SQL condition holds for the row."""

MUST_HAVE_ROWS = ("submissions.cell", "observations.observation", "indicators.park_month")
"""Tables without rows of the period make the period's figures worthless."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation: ``kind`` is the Great Expectations class, ``options`` its arguments.

    ``check`` is the category shown in the Data Docs; ``only`` restricts it to rows whose column is
    one of the values given.
    """

    rule_id: str
    check: str
    kind: str
    severity: Severity
    description: str
    options: Mapping[str, Any] = field(default_factory=dict)
    only: tuple[str, tuple[str, ...]] | None = None


CATEGORIES = {
    "rows": "有数据",
    "structure": "结构:列与类型",
    "required": "必填",
    "key": "主键唯一",
    "codes": "代码在许可范围",
    "references": "表间引用",
    "ranges": "取值范围",
    "relations": "列间关系与条件",
    "findings": "审核规则与筛查",
}
"""Categories of expectations in the order shown."""


def of_table(table: Table) -> list[Expectation]:
    """Suite of one published table over the frame that ``select_of`` describes."""
    suite = []
    if table.full_name in MUST_HAVE_ROWS:
        suite.append(
            Expectation(
                f"{table.full_name}:rows", "rows", "ExpectTableRowCountToBeBetween", "error",
                f"本期{table.zh}至少有一行", {"min_value": 1},
            )
        )  # fmt: skip
    suite += [
        Expectation(
            f"{table.full_name}:{column.name}-filled", "required", "ExpectColumnValuesToNotBeNull",
            "error", f"{column.zh}({column.name})有值", {"column": column.name},
        )
        for column in table.columns if column.required
    ]  # fmt: skip
    suite.append(_key(table))
    suite += [
        Expectation(
            f"{table.full_name}:{column.name}-allowed", "codes", "ExpectColumnValuesToBeInSet",
            "error", f"{column.zh}({column.name})在许可代码内",
            {"column": column.name, "value_set": list(column.allowed)},
        )
        for column in table.columns if column.allowed
    ]  # fmt: skip
    return suite + [_promised(table, promise) for promise in promises_of(table)]


def _key(table: Table) -> Expectation:
    words = "、".join(table.column(name).zh for name in table.key)
    options: dict[str, Any]
    if len(table.key) == 1:
        kind, options = "ExpectColumnValuesToBeUnique", {"column": table.key[0]}
    else:
        kind, options = "ExpectCompoundColumnsToBeUnique", {"column_list": list(table.key)}
    return Expectation(f"{table.full_name}:key", "key", kind, "error", f"{words}组合唯一", options)


def _promised(table: Table, promise: Promise) -> Expectation:
    rule_id = f"{table.full_name}:{promise.promise_id}"
    if promise.holds:
        category = "references" if promise.promise_id.endswith("-known") else "relations"
        return Expectation(
            rule_id, category, "ExpectColumnValuesToBeInSet", promise.severity, promise.zh,
            {"column": flag_of(promise), "value_set": [True]}, promise.only,
        )  # fmt: skip
    options = {"column": promise.column, "min_value": promise.low, "max_value": promise.high}
    return Expectation(
        rule_id, "ranges", "ExpectColumnValuesToBeBetween", promise.severity, promise.zh,
        {name: value for name, value in options.items() if value is not None}, promise.only,
    )  # fmt: skip


def flag_of(promise: Promise) -> str:
    """Column that holds whether an SQL promise holds."""
    return HOLDS + promise.promise_id.replace("-", "_")


def select_of(table: Table) -> str:
    """SELECT list of the frame a table's suite is run on: the columns it names and the conditions of
    its SQL promises. Conditions that do not speak of a row are NULL, which is not judged."""
    promises = promises_of(table)
    named = {c.name for c in table.columns if c.required or c.allowed} | set(table.key)
    named |= {p.column for p in promises if p.column} | {p.only[0] for p in promises if p.only}
    parts = [_framed(table, c.name, c.type) for c in table.columns if c.name in named]
    parts += [f"({p.holds}) AS {flag_of(p)}" for p in promises if p.holds]
    return ", ".join(parts)


def _framed(table: Table, name: str, sql_type: str) -> str:
    """Exact decimals are objects to pandas and slow; bounds need no 28 digits."""
    if sql_type.startswith("DECIMAL") and name not in table.key:
        return f"t.{name}::DOUBLE AS {name}"
    return f"t.{name}::VARCHAR AS {name}" if sql_type == "TIMESTAMP" else f"t.{name}"


STRUCTURE = (
    Expectation(
        "structure:columns", "structure", "ExpectColumnValuesToNotBeNull", "error",
        "数据字典的每一列都在库中", {"column": "actual"},
    ),
    Expectation(
        "structure:types", "structure", "ExpectColumnPairValuesToBeEqual", "error",
        "每一列的类型与数据字典相同",
        {"column_A": "declared", "column_B": "actual", "ignore_row_if": "either_value_is_missing"},
    ),
)  # fmt: skip
"""Suite of the dictionary itself, over one row a column: table_name, column_name, declared, actual."""


def of_findings(rules: Sequence[tuple[str, Severity, str]]) -> list[Expectation]:
    """Suite over ``quality.finding``: one expectation a rule (id, severity, words) that none of its
    findings failed or broke down, so that suite results and findings are one truth."""
    return [
        Expectation(
            f"finding:{rule_id}", "findings", "ExpectColumnValuesToNotBeInSet", severity, words,
            {"column": "outcome", "value_set": ["fail", "error"]}, ("rule_id", (rule_id,)),
        )
        for rule_id, severity, words in rules
    ]  # fmt: skip
