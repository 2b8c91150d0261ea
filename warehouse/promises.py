"""What the published tables promise beyond types and codes: references, ranges, relations.

Belongs here: promises about rows, as data over the columns of ``warehouse.schema``; SQL conditions
where a comparison of columns does not say it. Does not belong here: checking them
(``quality.expectations``, ``quality.validation``) or the audit rules of returns (the catalogue).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from warehouse.schema import TABLES, Table

Severity = Literal["error", "verify", "hint"]


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise about each row of a table.

    ``holds`` is an SQL condition over the row ``t``: NULL where the row does not say (then it is not
    judged). Without it ``low``..``high`` bound ``column``; ``only`` restricts the promise to rows
    whose column has one of the values.
    """

    promise_id: str
    zh: str
    severity: Severity = "error"
    holds: str = ""
    column: str = ""
    low: float | None = None
    high: float | None = None
    only: tuple[str, tuple[str, ...]] | None = None


_REFERENCES: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...] = (
    (("park_id",), "dims.park", ("park_id",)),
    (("indicator_id",), "dims.indicator", ("indicator_id",)),
    (("indicator_used",), "dims.indicator", ("indicator_id",)),
    (("target_id",), "dims.target", ("target_id",)),
    (("submission_id",), "submissions.submission", ("submission_id",)),
    (("submission_id", "sheet", "address"), "submissions.cell", ("submission_id", "sheet", "address")),
    (("finding_id",), "quality.finding", ("finding_id",)),
    (("period", "audience_id", "edition"), "bulletins.edition", ("period", "audience_id", "edition")),
)  # fmt: skip
"""Columns (of one name everywhere) and the table and columns in which their values must be found."""

_NOT_A_REFERENCE = {
    ("dims.target", "indicator_id"),  # some targets rest on indicators outside the catalogue
    ("quality.finding", "submission_id,sheet,address"),  # a finding may be about an empty cell
    ("quality.finding_cell", "submission_id,sheet,address"),
    ("quality.triage", "submission_id,sheet,address"),
    ("submissions.cell", "submission_id,sheet,address"),
}

_RANGES: Mapping[str, tuple[str, float | None, float | None]] = {
    "month": ("月份在 1—12 之间", 1, 12),
    "year": ("年度在 1949—2100 之间", 1949, 2100),
    "time_progress_pct": ("序时进度在 0—100 之间", 0, 100),
    "n_months": ("月数在 0—12 之间", 0, 12),
    "n_parks": ("园区个数不为负", 0, None),
    "n_reported": ("已报园区个数不为负", 0, None),
    "rank": ("名次不小于 1", 1, None),
    "suspicion": ("可疑程度在 0—1 之间", 0, 1),
    "version_no": ("版本号不为负", 0, None),
    "bytes": ("字节数不为负", 0, None),
    "edition": ("版次不小于 1", 1, None),
    "attempts": ("尝试次数不为负", 0, None),
    "weight": ("权重不为负", 0, None),
    "n_pass": ("通过次数不为负", 0, None),
}
"""Column name → what is promised, lowest and highest value, wherever the column appears."""

_VALUED = ("reported", "zero", "imputed", "approximate")
_EMPTY = ("unknown", "not_applicable", "suppressed")
_STATE = (
    Promise(
        "state-valued", "状态为有数的必有数值",
        holds="t.value IS NOT NULL", only=("state", _VALUED),
    ),
    Promise(
        "state-empty", "状态为不详、不适用、抑制的必无数值",
        holds="t.value IS NULL", only=("state", _EMPTY),
    ),
)  # fmt: skip
_VALIDITY = Promise("validity", "失效日期晚于生效日期", holds="t.valid_to > t.valid_from")

_RELATIONS: Mapping[str, tuple[Promise, ...]] = {
    "dims.park": (_VALIDITY,),
    "dims.region": (_VALIDITY,),
    "dims.reporter": (_VALIDITY,),
    "submissions.cell": _STATE,
    "observations.observation": (
        *_STATE,
        Promise("interval", "失效时间晚于知悉时间", holds="t.known_to > t.known_from"),
    ),
    "quality.finding": (
        Promise("message", "每个问题都有说明文字", holds="length(t.message) > 0"),
        Promise(
            "screens-never-error", "统计筛查只核实、提示,从不判错",
            holds="t.severity <> 'error' OR NOT starts_with(t.rule_id, 'SCREEN-')",
        ),
    ),
    "quality.rule_outcome": (
        Promise("rules-run", "规则都能执行", "verify", holds="t.n_error = 0"),
    ),
    "indicators.area_year": (
        Promise("coverage", "已报园区不多于应报园区", holds="t.n_reported <= t.n_parks"),
    ),
    "indicators.park_month": (
        Promise(
            "growth-has-a-basis", "有同比必有同比依据",
            holds="t.yoy_basis IS NOT NULL OR t.yoy_pct IS NULL",
        ),
    ),
    "assessment.score": (
        Promise("rank-within-class", "名次不超过组内个数", holds="t.rank <= t.n"),
        Promise(
            "exclusion-explained", "不参与排名的写明原因",
            holds="t.eligible OR length(t.exclusion_reason) > 0",
        ),
        Promise(
            "points-add-up", "各指标得分之和等于总分", "verify",
            holds="abs(t.score - (SELECT sum(d.points) FROM assessment.score_detail AS d "
            "WHERE d.scheme_id = t.scheme_id AND d.class_id = t.class_id AND d.year = t.year "
            "AND d.asof_period = t.asof_period AND d.park_id = t.park_id)) <= 0.01",
        ),
    ),
    "assessment.watch": (
        Promise("rank-interval", "名次下限不大于上限", holds="t.rank_p10 <= t.rank_p90"),
    ),
    "bulletins.figure": (
        Promise("printed", "登记数字都有印刷形式", holds="length(t.text) > 0"),
    ),
}  # fmt: skip
"""Promises of single tables: row conditions, columns compared, SQL over other tables."""

CURRENT_FACTS = Promise(
    "one-current-value",
    "同一园区、指标、报告期、口径只有一个现行数值",
    holds="t.known_to IS NOT NULL OR (SELECT count(*) FROM observations.observation AS o "
    "WHERE o.park_id = t.park_id AND o.indicator_id = t.indicator_id AND o.period = t.period "
    "AND o.measure = t.measure AND o.known_to IS NULL) = 1",
)


def promises_of(table: Table) -> tuple[Promise, ...]:
    """Every promise about the rows of a table: references, ranges, relations."""
    own = _RELATIONS.get(table.full_name, ())
    if table.full_name == "observations.observation":
        own = (*own, CURRENT_FACTS)
    return (*_references(table), *_ranges(table), *own)


def _references(table: Table) -> Iterator[Promise]:
    names = {column.name for column in table.columns}
    known = {t.full_name: t for t in TABLES}
    for columns, parent, parent_columns in _REFERENCES:
        wanted = set(columns) <= names and parent in known and parent != table.full_name
        if not wanted or (table.full_name, ",".join(columns)) in _NOT_A_REFERENCE:
            continue
        match = " AND ".join(
            f"p.{theirs} = t.{ours}" for ours, theirs in zip(columns, parent_columns, strict=True)
        )
        empty = " OR ".join(f"coalesce(t.{c}::VARCHAR, '') = ''" for c in columns)
        yield Promise(
            f"{'-'.join(columns)}-known",
            f"{'、'.join(table.column(c).zh for c in columns)}在{known[parent].zh}({parent})中",
            holds=f"CASE WHEN {empty} THEN NULL "
            f"ELSE EXISTS (SELECT 1 FROM {parent} AS p WHERE {match}) END",
        )


def _ranges(table: Table) -> Iterator[Promise]:
    for column in table.columns:
        if column.name in _RANGES:
            zh, low, high = _RANGES[column.name]
            yield Promise(f"{column.name}-range", zh, column=column.name, low=low, high=high)
