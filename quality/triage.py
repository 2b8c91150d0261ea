"""Triage (审核分流) in words: what became of a figure, a park, a file, for boards and letters.

Belongs here: the Chinese words of gaps, where a reporter stands, and the next step that asks for.
Does not belong here: deciding (``triage.yaml`` and ``warehouse/sql/quality__triage.sql``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class FilingState:
    """Where a reporter stands for a period. ``today``, ``deadline``, ``reminding_ends``: local days;
    ``n_ask``: open problems of its current file; ``reply_by``: when a returned file is due again."""

    status: str | None
    late: bool
    deadline: date | None
    reminding_ends: date | None
    today: date
    parks_returned: int = 0
    parks_held: int = 0
    n_gaps: int = 0
    n_ask: int = 0
    reply_by: date | None = None
    locked: bool = False


def standing(state: FilingState) -> str:
    """One word for the board: 未到期, 未报, 缺报, 退回, 待核实, 待处理, 已报, 迟报."""
    if state.status is None:
        if state.deadline is None or state.today <= state.deadline:
            return "未到期"
        over = state.reminding_ends is not None and state.today > state.reminding_ends
        return "缺报" if over else "未报"
    if state.status in ("returned", "rejected") or state.parks_returned:
        return "退回"
    if state.parks_held:
        return "待核实"
    if state.status in ("held", "late_locked"):
        return "待处理"
    return "迟报" if state.late else "已报"


def next_step(state: FilingState) -> str:
    """What is to be done next, by whom; empty when nothing is."""
    if state.locked:
        return "已封账；确需变动请先解封"
    word = standing(state)
    by = f"，期限 {state.reply_by}" if state.reply_by else ""
    if word == "未到期":
        return f"等待报送，截止 {state.deadline}" if state.deadline else "等待报送"
    if word in ("未报", "缺报"):
        return (
            "催报（parkwatch remind）"
            if word == "未报"
            else "登记漏报，继续催报（parkwatch remind）"
        )
    if word == "退回":
        return f"等待单位改正重报{by}" if state.reply_by else "发退回件（parkwatch returns）"
    if word == "待核实":
        return f"等待单位说明或放行{by}"
    if word == "待处理":
        return "由本单位处理，见 parkwatch status --json"
    return f"已采用；{state.n_ask} 项请单位核对{by}" if state.n_ask else ""
