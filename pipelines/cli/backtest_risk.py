"""``parkwatch backtest --risk``: how often simulated chances of ending last came true on past years.

Belongs here: the record in words and JSON. Does not belong here: the replay (``methods.risk_backtest``),
reading the data (``backtest_nowcast``), the chart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipelines.cli.backtest_nowcast import WORKERS, of_panel, of_workspace
from pipelines.cli.screen import echo

if TYPE_CHECKING:
    from methods.risk_backtest import Against, RiskRecord

COMPETITORS = (
    ("logistic", "按当期名次拟合的概率"),
    ("current", "当期名次"),
    ("last_year", "上年名次"),
    ("climatology", "按常年比例"),
)


def run(
    panel: Path | None,
    home: Path | None,
    indicators: Sequence[str],
    as_json: bool,
    *,
    plot: Path | None = None,
    cumulative: bool | None = None,
) -> None:
    """Replay the data and say how the chances of the last places came out."""
    from methods.risk_backtest import risk_backtest

    records: list[tuple[str, RiskRecord]] = []
    lines: list[str] = []
    source = of_panel(panel, cumulative) if panel else of_workspace(home, indicators)
    for name, vintages, settings in source:
        try:
            record = risk_backtest(vintages, settings, workers=WORKERS)
        except ValueError as error:
            lines.append(f"{name}:不能检验({error})")
            continue
        records.append((name, record))
        lines += words(name, record)
    if as_json:
        told = [{"name": name, **asdict(record)} for name, record in records]
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        echo("\n".join(lines))
    if plot is not None and records:
        from pipelines.backtest_chart import write_reliability

        write_reliability(plot, f"末位概率的可靠性 {records[0][0]}", records[0][1].reliability)
        echo(f"图已写入 {plot}", err=as_json)
    if not records:
        raise typer.Exit(1)


def words(name: str, record: RiskRecord) -> Iterator[str]:
    """The record as lines of text."""
    yield f"末位风险检验:{name};每组末 10%,按增速、两年增速、规模各三分之一计分(检验用分)"
    yield "  每次只用当时已知的数据;前 3 个检验年度只供对照方法学习"
    for skill in record.skills:
        beaten = ",".join(
            f"较{word}改进 {_skill(getattr(skill, key))}" for key, word in COMPETITORS
        )
        exact = "与名额相等" if skill.sums_exact else "与名额不等,程序有误"
        yield (
            f"  {skill.month} 月:{skill.years} 年 {skill.n} 次、末位 {skill.events:g} 次;"
            f"Brier {skill.brier:.4f},{beaten};对数得分 {skill.log_score:.4f}"
            f"(较按名额均摊改进 {skill.log_skill:.2f});校准误差 {skill.ece:.3f};每组概率之和{exact}"
        )
    yield "  可靠性(预报的概率→实际位于末位的比例,次数):" + ";".join(
        f"{100 * one.said:.0f}%→{100 * one.came:.0f}%({one.n})" for one in record.reliability
    )
    yield "  改进 = 1 − Brier 之比;方括号内为按年份重抽样的 5% 下限"


def _skill(against: Against) -> str:
    return f"{against.skill:.2f}[{against.bound:.2f}]"
