"""What is wrong in a catalogue file, said so that a bureau can mend it.

Belongs here: the problem value, the error that carries all problems of a load, and the Chinese
wording of validation errors. Does not belong here: the checks themselves.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an item was written: file (as the bureau knows it) and first line."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file} 第{self.line}行" if self.line else self.file


@dataclass(frozen=True, slots=True)
class CatalogProblem:
    """One problem: file, line, item and field, what was found and expected, how to mend it."""

    origin: Origin
    item: str
    field: str
    message: str
    found: str = ""
    expected: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        place = " ".join(part for part in (str(self.origin), self.item) if part)
        field = f"，字段 {self.field}" if self.field else ""
        tail = "".join(
            f"；{label}{text}"
            for label, text in (
                ("读到：", self.found),
                ("应为：", self.expected),
                ("处理：", self.remedy),
            )
            if text
        )
        return f"{place}{field}：{self.message}{tail}"


class CatalogError(Exception):
    """The catalogue cannot be used; ``problems`` lists everything wrong at once, in file order."""

    def __init__(self, problems: Sequence[CatalogProblem]) -> None:
        self.problems = tuple(sorted(set(problems), key=_order))
        lines = [f"{number}. {problem}" for number, problem in enumerate(self.problems, 1)]
        super().__init__("\n".join([f"目录有{len(self.problems)}处错误，未载入：", *lines]))


def _order(problem: CatalogProblem) -> tuple[str, int, str, str, str]:
    origin = problem.origin
    return (origin.file, origin.line, problem.item, problem.field, problem.message)


# --- Validation errors in Chinese -----------------------------------------------------------------

_WORDING: dict[str, tuple[str, str]] = {
    "missing": ("缺少必填字段", "补上该字段"),
    "missing_argument": ("缺少必填字段", "补上该字段"),
    "extra_forbidden": ("没有这个字段", "核对字段名，或删去该字段"),
    "unexpected_keyword_argument": ("没有这个字段", "核对字段名，或删去该字段"),
    "literal_error": ("取值不在允许范围内", "改为所列取值之一"),
    "union_tag_invalid": ("取值不在允许范围内", "改为所列取值之一"),
    "union_tag_not_found": ("缺少说明是哪一种的字段", "补上该字段"),
    "string_type": ("应为文字", "代码类数字请加引号，如 '610900'"),
    "string_pattern_mismatch": ("写法不合规定", "按规定写法改正"),
    "string_too_short": ("不能为空", "填写内容"),
    "string_too_long": ("文字过长", "缩短"),
    "bool_parsing": ("应为是否值", "改为 true 或 false"),
    "bool_type": ("应为是否值", "改为 true 或 false"),
    "date_from_datetime_parsing": ("日期无法识别", "写成 2020-12-31 的形式"),
    "date_from_datetime_inexact": ("日期不应带时刻", "写成 2020-12-31 的形式"),
    "date_type": ("应为日期", "写成 2020-12-31 的形式"),
    "decimal_parsing": ("应为数字", "只写数字，单位写在 unit"),
    "decimal_type": ("应为数字", "只写数字，单位写在 unit"),
    "int_parsing": ("应为整数", "改为整数"),
    "int_type": ("应为整数", "改为整数"),
    "int_from_float": ("应为整数", "改为整数"),
    "tuple_type": ("应为列表", "写成 [甲, 乙] 或逐行以“- ”开头"),
    "dict_type": ("应为键值", "写成 {键: 值}"),
    "model_type": ("应为一组字段", "写成 {字段: 值}"),
    "greater_than_equal": ("数值过小", ""),
    "less_than_equal": ("数值过大", ""),
    "greater_than": ("数值过小", ""),
    "too_short": ("列表项数不足", "补足项数"),
    "too_long": ("列表项数过多", "删去多余的项"),
}


def validation_problems(
    error: ValidationError, model: type[BaseModel], origin: Origin, item: str
) -> Iterator[CatalogProblem]:
    """Each error pydantic found in one item, as a problem that names its field."""
    fields = list(model.model_fields)
    details = error.errors(include_url=False)
    for detail in details:
        if detail["type"] == "too_short" and any(_below(other, detail) for other in details):
            continue  # the list is short only because its faulty items do not count
        field = ".".join(str(part) for part in detail["loc"])
        message, expected, remedy = in_words(detail, fields)
        found = "" if detail["type"] == "missing" else shown(detail.get("input"))
        if detail["type"] == "value_error" and not field:
            found = ""  # the whole item: the message says what matters
        yield CatalogProblem(origin, item, field, message, found, expected, remedy)


def _below(inner: ErrorDetails, outer: ErrorDetails) -> bool:
    depth = len(outer["loc"])
    return len(inner["loc"]) > depth and inner["loc"][:depth] == outer["loc"]


def in_words(detail: ErrorDetails, fields: Iterable[str]) -> tuple[str, str, str]:
    """What is wrong, what was expected and the mend; ``fields``: names that may have been meant."""
    context: Mapping[str, Any] = detail.get("ctx") or {}
    kind = detail["type"]
    if kind == "value_error":
        return str(context.get("error", detail["msg"])), "", ""
    message, remedy = _WORDING.get(kind, (f"内容不合规定（{detail['msg']}）", "按说明改正"))
    expected = ""
    if kind == "literal_error":
        expected = str(context.get("expected", "")).replace("'", "").replace(" or ", "、")
        expected = expected.replace(", ", "、")
    elif kind == "union_tag_invalid":
        tags = str(context.get("expected_tags", "")).replace("'", "")
        expected = tags.replace(", ", "、")
        remedy = did_you_mean(str(context.get("tag", "")), tags.split(", ")) or remedy
    elif kind == "union_tag_not_found":
        expected = str(context.get("discriminator", "")).replace("'", "")
    elif kind == "string_pattern_mismatch":
        expected = f"符合 {context.get('pattern')}"
    elif kind in ("extra_forbidden", "unexpected_keyword_argument"):
        remedy = did_you_mean(str(detail["loc"][-1]), fields) or remedy
    elif bound := next((context[name] for name in ("ge", "le", "gt") if name in context), None):
        expected = f"界限 {bound}"
    return message, expected, remedy


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A remedy naming the closest known word, or nothing when none is close."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"是否应为“{close[0]}”" if close else ""


def shown(value: object) -> str:
    """A value as it may stand in a message: short, on one line."""
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:57] + "…"
