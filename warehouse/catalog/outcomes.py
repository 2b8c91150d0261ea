"""Models of what people confirm about assessments (考核结果登记) and of parks' own goals of a year.

Belongs here: rows of ``outcomes.csv`` and ``assessment_goals.csv`` and rules within a row. Does not
belong here: simulated scores, or keeping rows entered on the command line (``warehouse.outcomes``).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from warehouse.catalog.models import CatalogModel, Day, Figure, Id, IndicatorId, Yes

OutcomeKind = Literal["result", "event", "step", "eliminated", "replaced", "honoured"]
KIND_ZH: Mapping[OutcomeKind, str] = {
    "result": "年度考核结果",
    "event": "加分扣分或否决事项",
    "step": "处置步骤",
    "eliminated": "退出名单",
    "replaced": "增补进入名单",
    "honoured": "表彰奖励",
}


class _Row(CatalogModel):
    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, fields: Any) -> Any:
        if isinstance(fields, Mapping):
            return {name: value for name, value in fields.items() if value not in ("", None)}
        return fields


class Outcome(_Row):
    """One fact about a park's assessment, confirmed by people on a document.

    ``result``: the year's ``score``, ``rank`` of ``n``, ``grade``, and whether the park was among
    the last places that count (``in_last_k``). ``event``: ``what`` happened ``count`` times (codes
    of the scheme). ``step``: the step ``what`` of the ladder was taken. ``eliminated``: left the
    list, nobody takes its place before ``blocked_until``. ``replaced``: entered the list for
    ``what`` (a park). ``honoured``: received the honour ``what``.
    """

    scheme_id: Id
    year: Annotated[int, Field(ge=1990, le=2100)]
    park_id: Id
    kind: OutcomeKind
    class_id: str = ""
    what: str = ""
    score: Figure | None = None
    rank: int | None = Field(default=None, ge=1)
    n: int | None = Field(default=None, ge=1)
    grade: str = ""
    in_last_k: Yes | None = None
    count: Figure = Decimal(1)
    blocked_until: Day | None = None
    document: Id
    evidence: str = ""
    decided_on: Day | None = None
    note: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "result" and self.in_last_k is None:
            raise ValueError("年度考核结果须写明 in_last_k（是否位于末位，1 或 0）")
        if self.kind in ("event", "step", "honoured") and not self.what:
            raise ValueError(f"{KIND_ZH[self.kind]}须写明 what（事项、步骤或表彰的编号）")
        if self.rank is not None and self.n is not None and self.rank > self.n:
            raise ValueError(f"名次{self.rank}大于组内个数{self.n}")
        if self.blocked_until is not None and self.kind != "eliminated":
            raise ValueError("blocked_until 只用于退出名单")
        return self


class Goal(_Row):
    """A park's own goal of a year (年度目标任务) for one indicator, in the indicator's unit."""

    park_id: Id
    year: Annotated[int, Field(ge=1990, le=2100)]
    indicator_id: IndicatorId
    value: Annotated[Figure, Field(gt=0)]
    unit: Id
    document: Id
