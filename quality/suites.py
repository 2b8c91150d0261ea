"""Great Expectations suites: expectations as plain data, run on a frame, failing keys back.

Belongs here: the only use of Great Expectations, imported inside functions (3–4 s, 264 MB). Does not
belong here: which expectations a table has (``expectations``), Dagster (``checks``), or storage.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from quality.finding import Severity

if TYPE_CHECKING:
    import pandas as pd

MAX_KEYS = 200
"""Failing rows returned per expectation; the count is always complete."""

MAX_BAD_SHARE_ROWS = 50_000
"""Great Expectations needs 0.1 ms per failing row and rule: beyond this only the count is asked."""

_GX_SEVERITY = {"error": "critical", "verify": "warning", "hint": "info"}


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation: ``kind`` is the Great Expectations class, ``options`` its arguments.

    ``only`` restricts it to rows whose column is one of the values given.
    """

    rule_id: str
    check: str
    kind: str
    severity: Severity
    description: str
    options: Mapping[str, Any] = field(default_factory=dict)
    only: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """Outcome of one expectation; ``keys`` are key columns and value of failing rows."""

    expectation: Expectation
    outcome: Literal["pass", "fail", "not_evaluable", "error"]
    n_rows: int
    n_failed: int
    keys: tuple[Mapping[str, Any], ...] = ()
    problem: str = ""


def validate(
    frame: pd.DataFrame, expectations: Sequence[Expectation], key_columns: Sequence[str]
) -> list[ExpectationResult]:
    """Run the expectations on ``frame``; results in the order given.

    An empty frame makes every expectation but a row count ``not_evaluable`` (Great Expectations
    would call it passed); an expectation that cannot run is ``error``, never ``fail``.
    """
    if frame.empty:
        return [_on_nothing(e) for e in expectations]
    batch, context = _batch(frame)
    suite = _suite(context, expectations)
    fmt: dict[str, Any] = {"result_format": "BOOLEAN_ONLY"}
    if len(frame) <= MAX_BAD_SHARE_ROWS * 20:
        fmt = {
            "result_format": "COMPLETE",
            "unexpected_index_column_names": list(key_columns),
        }
    answers = batch.validate(suite, result_format=fmt).results
    by_rule = {a.expectation_config.meta["rule_id"]: a for a in answers}
    return [_result(e, by_rule[e.rule_id], len(frame)) for e in expectations]


def _batch(frame: pd.DataFrame) -> tuple[Any, Any]:
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")  # nothing leaves the machine
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("batch").add_dataframe_asset("rows")
    definition = asset.add_batch_definition_whole_dataframe("all")
    return definition.get_batch({"dataframe": frame}), context


def _suite(context: Any, expectations: Sequence[Expectation]) -> Any:
    import great_expectations as gx

    built = [_expectation(e) for e in expectations]
    return context.suites.add(gx.ExpectationSuite(name="suite", expectations=built))


def _expectation(wanted: Expectation) -> Any:
    import great_expectations.expectations as kinds
    from great_expectations.expectations.row_conditions import Column

    options = dict(wanted.options)
    if wanted.only is not None:
        column, values = wanted.only
        # Conditions are objects: as text, Chinese literals do not parse.
        options["row_condition"] = Column(column).is_in(list(values))
        options["condition_parser"] = "great_expectations"
    return getattr(kinds, wanted.kind)(
        **options,
        severity=_GX_SEVERITY[wanted.severity],
        description=wanted.description,
        meta={"rule_id": wanted.rule_id},
    )


def _on_nothing(expectation: Expectation) -> ExpectationResult:
    counted = expectation.kind == "ExpectTableRowCountToBeBetween"
    return ExpectationResult(
        expectation,
        "fail" if counted else "not_evaluable",
        n_rows=0,
        n_failed=0,
        problem="没有任何数据" if counted else "没有数据可供检验",
    )


def _result(expectation: Expectation, answer: Any, n_rows: int) -> ExpectationResult:
    told = answer.to_json_dict()
    details = told.get("result") or {}
    if not told["success"] and not details:
        return ExpectationResult(
            expectation, "error", n_rows, 0, problem=str(answer.exception_info)[:500]
        )
    failing = details.get("unexpected_index_list") or []
    keys = tuple({name: _plain(value) for name, value in row.items()} for row in failing[:MAX_KEYS])
    return ExpectationResult(
        expectation,
        "pass" if told["success"] else "fail",
        n_rows=int(details.get("element_count") or n_rows),
        n_failed=int(details.get("unexpected_count") or 0),
        keys=keys,
        problem="" if told["success"] else _observed(details),
    )


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _observed(details: Mapping[str, Any]) -> str:
    observed = details.get("observed_value")
    return "" if observed is None else f"实际 {observed}"
