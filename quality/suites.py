"""Great Expectations behind plain data: expectations run on a frame, failing keys back.

Belongs here: the only use of Great Expectations, imported inside functions (3–4 s, 264 MB). Does not
belong here: which expectations a table has (``expectations``), Dagster (``checks``), or storage.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from quality.expectations import Expectation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Expectation", "ExpectationResult", "load_engine", "validate"]

MAX_KEYS = 200
"""Failing rows returned per expectation unless asked otherwise; the count is always complete."""

MAX_FRAME_ROWS = 1_000_000
"""Great Expectations needs 0.1 ms per failing row and rule: beyond this only the outcome is asked."""

_GX_SEVERITY = {"error": "critical", "verify": "warning", "hint": "info"}


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """Outcome of one expectation; ``keys`` are key columns and value of failing rows."""

    expectation: Expectation
    outcome: Literal["pass", "fail", "not_evaluable", "error"]
    n_rows: int
    n_failed: int
    keys: tuple[Mapping[str, Any], ...] = field(default=())
    problem: str = ""


@cache
def load_engine() -> Any:
    """The batch definition every frame goes through; the import is paid once, at the first frame."""
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")  # nothing leaves the machine
    import great_expectations as gx

    _describe_once()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("parkwatch").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("all")


_described: dict[int, tuple[Any, Any]] = {}
"""Expectation and its configuration, by the identity of the expectation, while a suite runs."""


def _describe_once() -> None:
    """Great Expectations writes an expectation out as its configuration some 50 times a run, anew each
    time, which is a third of what a suite costs; nothing changes it meanwhile."""
    from great_expectations.expectations.expectation import Expectation as Described

    anew = Described.configuration.fget

    def configuration(described: Any) -> Any:
        kept = _described.get(id(described))
        if kept is None or kept[0] is not described:
            kept = _described[id(described)] = described, anew(described)
        return kept[1]

    Described.configuration = property(configuration)  # type: ignore[method-assign,assignment]


def validate(
    frame: pd.DataFrame,
    expectations: Sequence[Expectation],
    key_columns: Sequence[str],
    max_keys: int = MAX_KEYS,
) -> list[ExpectationResult]:
    """Run the expectations on ``frame``; results in the order given.

    An empty frame makes every expectation but a row count ``not_evaluable`` (Great Expectations
    would call it passed); so does a condition that leaves no row. An expectation that cannot run is
    ``error``, never ``fail``. Nulls are not judged, whichever engine.
    """
    if frame.empty or not expectations:
        return on_nothing(expectations)
    batch = load_engine().get_batch({"dataframe": frame})
    answers = _ask(batch, expectations, {"result_format": "BOOLEAN_ONLY"})
    if len(frame) <= MAX_FRAME_ROWS:
        failed = [e for e in expectations if not answers[e.rule_id].success]
        wanted = {"result_format": "COMPLETE", "unexpected_index_column_names": list(key_columns)}
        answers |= _ask(batch, failed, wanted)
    return [_result(e, answers[e.rule_id], _judged_rows(frame, e), max_keys) for e in expectations]


def _ask(
    batch: Any, expectations: Sequence[Expectation], result_format: Mapping[str, Any]
) -> dict[str, Any]:
    """Answers by rule. A bare yes or no costs half of a complete answer."""
    if not expectations:
        return {}
    _described.clear()
    results = batch.validate(_suite(expectations), result_format=dict(result_format)).results
    _described.clear()
    return {answer.expectation_config.meta["rule_id"]: answer for answer in results}


def _suite(expectations: Sequence[Expectation]) -> Any:
    import great_expectations as gx

    return gx.ExpectationSuite(name="suite", expectations=[_expectation(e) for e in expectations])


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


def _judged_rows(frame: pd.DataFrame, expectation: Expectation) -> int:
    """Rows the expectation speaks of, before its nulls are left out."""
    if expectation.only is None or expectation.only[0] not in frame.columns:
        return len(frame)
    column, values = expectation.only
    return int(frame[column].isin(list(values)).sum())


def on_nothing(expectations: Sequence[Expectation]) -> list[ExpectationResult]:
    """Results on a frame without rows, as ``validate`` gives them."""
    return [_on_nothing(e) for e in expectations]


def _on_nothing(expectation: Expectation) -> ExpectationResult:
    counted = expectation.kind == "ExpectTableRowCountToBeBetween"
    return ExpectationResult(
        expectation,
        "fail" if counted else "not_evaluable",
        n_rows=0,
        n_failed=0,
        problem="没有任何数据" if counted else "检验了 0 行:没有数据可供检验",
    )


def _result(expectation: Expectation, answer: Any, n_rows: int, max_keys: int) -> ExpectationResult:
    told = answer.to_json_dict()
    details = told.get("result") or {}
    if not told["success"] and not details:
        return ExpectationResult(
            expectation, "error", n_rows, 0, problem=_cause(told.get("exception_info"))
        )
    if n_rows == 0:
        return _on_nothing(expectation)
    failing = details.get("unexpected_index_list") or []
    keys = tuple({name: _plain(value) for name, value in row.items()} for row in failing[:max_keys])
    return ExpectationResult(
        expectation,
        "pass" if told["success"] else "fail",
        n_rows=n_rows,
        n_failed=int(details.get("unexpected_count") or 0),
        keys=keys,
        problem="" if told["success"] else _observed(details),
    )


def _cause(exception_info: Any) -> str:
    """First line of why an expectation could not run, wherever the engine put it."""
    if isinstance(exception_info, Mapping):
        if text := exception_info.get("exception_message"):
            return str(text).strip().splitlines()[0][:300]
        for inner in exception_info.values():
            if isinstance(inner, Mapping) and (found := _cause(inner)):
                return found
    return str(exception_info or "")[:300]


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _observed(details: Mapping[str, Any]) -> str:
    observed = details.get("observed_value")
    return "" if observed is None else f"实际 {observed}"
