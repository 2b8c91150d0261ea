"""``parkwatch backtest``: the track record on past data, dispatched to the experiment asked for.

Belongs here: the command and its options. Does not belong here: any experiment; each is a module of
its own, imported when asked for.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

EXPERIMENTS = {
    "nowcast": "pipelines.cli.backtest_nowcast",
    "quality": "pipelines.cli.backtest_quality",
    "risk": "pipelines.cli.backtest_risk",
}
"""Experiment → module with ``run(panel, home, indicators, as_json)``."""


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("backtest", help="用历史数据检验:推算(默认)、审核(--quality)、风险(--risk)。")(
        backtest
    )


def backtest(
    panel: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="CSV:unit, period(YYYY-MM), value"),
    ] = None,
    quality: Annotated[bool, typer.Option("--quality", help="播种差错,看筛查找到多少")] = False,
    risk: Annotated[bool, typer.Option("--risk", help="末位风险的历史命中情况")] = False,
    indicator: Annotated[
        list[str] | None, typer.Option(help="只用工作区的这些指标(可重复)")
    ] = None,
    home: Annotated[Path | None, typer.Option(help="工作区目录")] = None,
    plot: Annotated[Path | None, typer.Option(help="检验的图:写入该 .svg 或 .png 文件")] = None,
    cumulative: Annotated[
        bool | None,
        typer.Option("--cumulative/--monthly", help="数值为累计数/当月数(默认自动判断)"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """Run one experiment on the workspace's history or on a panel file."""
    from pipelines.cli.workspace import UsageError

    if quality and risk:
        raise UsageError("--quality 与 --risk 一次只能选一个")
    name = "quality" if quality else "risk" if risk else "nowcast"
    if find_spec(EXPERIMENTS[name]) is None:
        raise UsageError(f"本版本没有 {name} 检验")
    chosen: dict[str, Any] = {}
    if name != "quality":
        chosen = {"plot": plot, "cumulative": cumulative}
    elif plot is not None or cumulative is not None:
        raise UsageError("--plot、--cumulative 不用于审核检验")
    import_module(EXPERIMENTS[name]).run(panel, home, tuple(indicator or ()), as_json, **chosen)
