"""Models of the statistical screens (统计筛查) a bureau runs: which, on what, how strict, said how.

Belongs here: the fields of ``screens.yaml`` and which parameters a kind of screen takes. Does not
belong here: the statistics (``methods.edit_screens``), running them (``quality.screens``), or exact
relations between figures (the audit rules).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from warehouse.catalog.models import CatalogModel, Figure, Id, Text

ScreenKind = Literal[
    "ratio_edit",
    "robust_z",
    "model_z",
    "magnitude",
    "same_as_previous",
    "same_as_year_ago",
    "same_as_another",
    "reversed",
    "swapped",
    "scope_change",
    "heaping",
]

PARAMETERS: Mapping[ScreenKind, Mapping[str, str]] = {
    "ratio_edit": {
        "u": "规模权重指数 U(0—1)",
        "a": "最小间距系数 A",
        "c": "界限倍数 C",
    },
    "robust_z": {"threshold": "稳健 z 值界限"},
    "model_z": {"threshold": "偏离倍数界限"},
    "magnitude": {"width": "与整十倍相差的最大数量级", "min_z": "至少的偏离倍数"},
    "same_as_previous": {"min_digits": "至少有效位数", "max_usual": "该指标自然重复比例上限"},
    "same_as_year_ago": {"min_digits": "至少有效位数", "max_usual": "该指标自然重复比例上限"},
    "same_as_another": {"min_digits": "至少有效位数"},
    "reversed": {"tolerance": "容许回落比例"},
    "swapped": {"min_gain": "互换后应消除的偏离份额", "max_rest": "互换后容许的剩余偏离"},
    "scope_change": {"tolerance": "上年同期数容许差异比例"},
    "heaping": {
        "min_count": "至少数值个数",
        "min_digits": "至少有效位数",
        "max_chi2": "末位数字 χ² 界限",
        "max_share": "0、5 结尾比例界限",
    },
}
"""Parameters each kind of screen takes, with their meaning; all of them must be given."""


class Screen(CatalogModel):
    """One screen. ``message`` is for the reporter and never says which value would do.

    ``suspicion`` (0..1) is how sure a hit alone makes us that the figure is wrong; empty: from the
    deviation itself. ``signed`` screens are also run on indicators that are often negative (profit),
    whose size and direction say little. ``unless`` names audit rules: where one of them has failed
    for the same park and indicator of a file the screen adds no finding of its own.
    """

    screen_id: Annotated[str, Field(pattern=r"^SCREEN-[A-Z0-9-]+$", max_length=40)]
    kind: ScreenKind
    name: Text
    severity: Literal["verify", "hint"]
    message: Text
    remedy: Text
    parameters: Mapping[str, Figure]
    suspicion: Annotated[Figure, Field(ge=0, le=1)] | None = None
    indicator_kinds: tuple[Literal["flow", "stock"], ...] = ("flow", "stock")
    indicators: tuple[Id, ...] = ()
    not_indicators: tuple[Id, ...] = ()
    signed: bool = False
    unless: tuple[Id, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    reason: Text
    owner: Text

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        wanted = PARAMETERS[self.kind]
        if missing := sorted(set(wanted) - set(self.parameters)):
            words = "、".join(f"{name}({wanted[name]})" for name in missing)
            raise ValueError(f"{self.kind} 缺少参数:{words}")
        if unknown := sorted(set(self.parameters) - set(wanted)):
            raise ValueError(f"{self.kind} 没有参数 {'、'.join(unknown)};有 {'、'.join(wanted)}")
        return self

    def number(self, name: str) -> float:
        """A parameter as a float: screens are statistics."""
        return float(self.parameters[name])

    def in_force(self, day: date) -> bool:
        """Whether the screen is run on figures of a period that ends on ``day``."""
        return (self.valid_from or date.min) <= day < (self.valid_to or date.max)

    def covers(self, indicator_id: str, kind: str, *, signed: bool) -> bool:
        """Whether the screen is run on an indicator; ``signed``: its figures are often negative."""
        if signed and not self.signed:
            return False
        named = not self.indicators or indicator_id in self.indicators
        return named and kind in self.indicator_kinds and indicator_id not in self.not_indicators
