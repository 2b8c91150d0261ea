"""``parkwatch backtest``: the nowcast's track record on a panel file or the workspace's own vintages.

Belongs here: choosing the data, the table in words, JSON. Does not belong here: the replay and its
scores (``methods.backtest``), the chart (``pipelines.backtest_chart``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pipelines.cli.screen import echo

if TYPE_CHECKING:
    from methods.backtest import Result, Skill
    from methods.nowcast import Settings, Vintages
    from pipelines.panels import Panel

KIND_ZH = {"growth": "同比增长8%", "over_median": "高于组内中位增速3个百分点"}
WORKERS = 2


def run(
    panel: Path | None,
    home: Path | None,
    indicators: Sequence[str],
    as_json: bool,
    *,
    plot: Path | None = None,
    cumulative: bool | None = None,
) -> None:
    """Replay every origin of the data and say how the forecasts came out."""
    from methods.backtest import backtest

    results: list[tuple[str, Result]] = []
    skipped: list[str] = []
    source = of_panel(panel, cumulative) if panel else of_workspace(home, indicators)
    for name, vintages, settings in source:
        try:
            results.append((name, backtest(vintages, settings, WORKERS)))
        except ValueError as error:
            skipped.append(f"{name}:不能检验({error})")
    if as_json:
        told = [{"name": name, **asdict(result)} for name, result in results]
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        closing = [*skipped, *(published(home) if panel is None else [])]
        echo("\n".join([*_paragraphs(results), *closing]))
    if plot is not None and results:
        from pipelines.backtest_chart import write_chart

        write_chart(plot, *results[0])
        echo(f"图已写入 {plot}", err=as_json)
    if not results:
        raise typer.Exit(1)


def _paragraphs(results: Sequence[tuple[str, Result]]) -> Iterator[str]:
    for name, result in results:
        yield from words(name, result)
    if len(results) > 1:
        yield together([result for _, result in results])


# --- Data -----------------------------------------------------------------------------------------


def of_panel(path: Path, cumulative: bool | None) -> Iterator[tuple[str, Vintages, Settings]]:
    """The panel of a CSV file: one version of every figure."""
    from pipelines.panels import read_panel

    found = read_panel(path)
    vintages, settings, note = vintages_of_panel(found, cumulative)
    yield f"{found.name}({note})", vintages, settings


def vintages_of_panel(found: Panel, cumulative: bool | None) -> tuple[Vintages, Settings, str]:
    """Years × months × units; whether the values are cumulative is seen from them unless told.

    Without any January the first figure of a year holds January and February (1—2月).
    """
    import numpy as np

    from methods import nowcast

    first = int(found.periods[0][:4])
    years = int(found.periods[-1][:4]) - first + 1
    flow = np.full((years * 12, len(found.units)), np.nan)
    start = int(found.periods[0][5:]) - 1
    flow[start : start + len(found.periods)] = found.values.T
    grid = flow.reshape(years, 12, len(found.units))
    no_january = not np.isfinite(grid[:, 0]).any()
    told = looks_cumulative(grid) if cumulative is None else cumulative
    if told:
        ytd = grid
    else:
        if no_january:
            grid[:, 0] = np.where(np.isfinite(grid[:, 1]), 0.0, np.nan)
        ytd = np.cumsum(grid, axis=1)
    classes = [found.groups[number] for number in found.group]
    base = nowcast.panel(found.units, classes, first, ytd)
    note = "累计数" if told else "当月数累加"
    return nowcast.Vintages(base), nowcast.Settings(), note


def looks_cumulative(grid: Any) -> bool:
    """Whether nearly every complete year never falls from month to month and ends several times
    above its first figure: single months do not do that."""
    import numpy as np

    later = grid[:, 1:]
    complete = np.isfinite(later).all(axis=1)
    if not complete.any():
        return False
    rises = (np.diff(later, axis=1) >= 0).all(axis=1) & (later[:, -1] >= 3 * later[:, 0])
    return bool(rises[complete].mean() > 0.9)


def of_workspace(
    home: Path | None, indicators: Sequence[str]
) -> Iterator[tuple[str, Vintages, Settings]]:
    """The workspace's indicators that are forecast, each with all its vintages."""
    from assets.indicators.outlooks import Sight, is_forecast, vintages_of
    from methods.nowcast import Settings
    from pipelines.settings import load_workspace
    from warehouse.catalog.load import load_catalog
    from warehouse.store import FAR_FUTURE, Warehouse

    workspace = load_workspace(home)
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    sight = Sight(catalog, FAR_FUTURE, workspace.first_month)
    with Warehouse(workspace).reading() as connection:
        (last,) = connection.execute("SELECT max(period) FROM indicators.park_month").fetchone()
        for indicator in catalog.indicators:
            wanted = not indicators or indicator.indicator_id in indicators
            if wanted and is_forecast(indicator) and last:
                vintages = vintages_of(connection, sight, indicator, last, 1900)
                if vintages is not None:
                    name = f"{indicator.indicator_id} {indicator.name_zh}"
                    yield name, vintages, Settings(first_month=workspace.first_month)


def published(home: Path | None) -> Iterator[str]:
    """How forecasts this workspace has published came out, by year and month."""
    from pipelines.settings import load_workspace
    from warehouse.nowcast_input import log_scores
    from warehouse.store import Warehouse

    with Warehouse(load_workspace(home)).reading() as connection:
        scores = log_scores(connection, "9999-12")
    yield "已发布的推算(按首次发布计分):" + ("" if scores else "尚无已结束的年度")
    for row in scores:
        yield (
            f"  {row['year']}年{row['month']}月 {row['n']} 次:80% 区间 {row['covered_80']:.1f}%,"
            f"90% 区间 {row['covered_90']:.1f}%,平均误差 {row['mape']:.2f}%"
        )


# --- Words ----------------------------------------------------------------------------------------


def words(name: str, result: Result) -> Iterator[str]:
    """The record as lines of text."""
    pooled = result.pooled
    yield f"推算检验:{name},{result.units} 个单位,检验年度 {result.years[0]}—{result.years[-1]}"
    yield f"  推算 {pooled.n} 次;每次只用当时已知的数据,检验年度之前的年份用于训练"
    yield "  区间覆盖率(各月合并):" + ",".join(
        f"{percent}% 区间 {100 * pooled.covered[percent]:.1f}%" for percent in (80, 90, 95)
    )
    doubt = (
        f"±{100 * pooled.doubt:.1f}(按年计的标准误)" if pooled.doubt == pooled.doubt else "只有一年"
    )
    yield (
        f"  80% 区间:{100 * pooled.covered[80]:.1f}%{doubt},实数低于下限 {100 * pooled.below:.1f}%、"
        f"高于上限 {100 * pooled.above:.1f}%;半宽平均 {pooled.half_width:.2f}%,"
        f"区间得分 {pooled.interval_score:.2f}(越小越好)"
    )
    yield (
        "  月份   次数   平均误差%  序时法%  同比法%  与同比法之比  80%    90%   95%  "
        "概率较序时灯改进  校准误差"
    )
    skills = {skill.month: skill for skill in result.skills if skill.kind == "growth"}
    for month in result.by_month:
        skill, mape, covered = skills[month.month], month.mape, month.covered
        yield (
            f"  {month.month:>2}月 {month.n:>6} {mape['median3']:>10.2f} {mape['calendar']:>8.2f} "
            f"{mape['last_year']:>8.2f} {mape['median3'] / mape['last_year']:>11.2f} "
            f"{100 * covered[80]:>6.1f} {100 * covered[90]:>5.1f} {100 * covered[95]:>5.1f} "
            f"{skill.skill_calendar:>12.2f} {skill.ece:>12.3f}"
        )
    for skill in result.late:
        yield _late_words(skill)
    yield "  6—11月概率可靠性(预报的概率→实际达到的比例,次数):" + ";".join(
        f"{100 * one.said:.0f}%→{100 * one.came:.0f}%({one.n})" for one in result.reliability
    )
    early = [s for s in result.skills if s.kind == "growth" and s.month < 4]
    if early:
        worst = min(skill.skill_climatology for skill in early)
        yield f"  4月以前的概率比“按常年比例猜”只好 {100 * worst:.0f}%,宜写“尚早,不作判断”"


def together(results: Sequence[Result]) -> str:
    """All indicators in one line, weighted by the number of forecasts."""
    n = sum(result.pooled.n for result in results)

    def mean(values: Iterator[float]) -> float:
        pairs = zip(values, results, strict=True)
        return sum(value * result.pooled.n for value, result in pairs) / n

    covered = ",".join(
        f"{p}% 区间 {100 * mean(r.pooled.covered[p] for r in results):.1f}%" for p in (80, 90, 95)
    )
    errors = [mean(r.pooled.mape[rule] for r in results) for rule in ("median3", "last_year")]
    return (
        f"各指标合并:推算 {n} 次,覆盖率 {covered};平均误差 {errors[0]:.2f}%,同比法 {errors[1]:.2f}%"
    )


def _late_words(skill: Skill) -> str:
    return (
        f"  达标概率({KIND_ZH[skill.kind]}),6—11月合并:Brier {skill.brier:.3f},"
        f"序时灯 {skill.brier_calendar:.3f}(改进 {skill.skill_calendar:.2f}),"
        f"同比灯 {skill.brier_growth:.3f}(改进 {skill.skill_growth:.2f}),"
        f"较常年比例改进 {skill.skill_climatology:.2f},校准误差 {skill.ece:.3f},"
        f"对数得分 {skill.log_score:.3f}(较常年比例改进 {skill.log_skill:.2f})"
    )
