"""How a run ended, in one line of the ledger.

Belongs here: status and summary of a run from the reporting board. Does not belong here: printing.
"""

from __future__ import annotations

from warehouse.state import State


def of_run(state: State, period: str | None, failed: str | None) -> tuple[str, str]:
    """Status (done, done_with_findings, failed) and summary of a run that is over. ``failed``: why."""
    if failed is not None:
        return "failed", failed
    if period is None:
        return "done", ""
    board = state.board(period)
    missing = sum(row["status"] is None for row in board)
    troubled = len(state.troubled(period))
    summary = f"应报 {len(board)},未报 {missing},有问题的文件 {troubled}"
    return ("done_with_findings" if missing or troubled else "done"), summary
