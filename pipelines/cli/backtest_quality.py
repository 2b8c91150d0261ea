"""``parkwatch backtest --quality``: the seeded-error experiment, its figures in words.

Belongs here: choosing panel and screens, printing what was found. Does not belong here: the experiment
(``quality.seeded_errors``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pipelines.cli.screen import echo

if TYPE_CHECKING:
    from pipelines.panels import Panel
    from quality.seeded_errors import Tally

PRESENTATIONS = {"ytd": "累计数报送", "month": "当月数报送"}


def run(panel: Path | None, home: Path | None, indicators: Sequence[str], as_json: bool) -> None:
    """Sow mistakes into the panel (or the workspace's own months) and say what the screens find."""
    from pipelines.panels import read_panel

    screens, flows = (
        (_screens(None, "none"), read_panel(panel))
        if panel
        else _of_workspace(home, tuple(indicators))
    )
    tallies = tallies_of(flows, screens)
    if as_json:
        typer.echo(json.dumps([_figures(t) for t in tallies], ensure_ascii=False, indent=1))
        return
    echo(
        f"播种差错检验:{flows.name},{len(flows.units)} 个单位,"
        f"{flows.periods[0]}—{flows.periods[-1]};每月 2% 的数值改错,逐月按当时已知数据筛查"
    )
    for tally in tallies:
        _print(tally)


def tallies_of(flows: Panel, screens: Sequence[Any], repeats: int = 10) -> list[Tally]:
    """The experiment with the figures shown as cumulative and as single-month returns."""
    from quality.seeded_errors import FlowPanel, experiment

    panel = FlowPanel(flows.name, flows.units, flows.periods, flows.values, flows.group)
    suspicions = {s.screen_id: None if s.suspicion is None else float(s.suspicion) for s in screens}
    counted = frozenset(s.screen_id for s in screens if s.severity == "verify")
    return [
        experiment(
            panel, screens, suspicions,
            presentation=presentation, counted=counted, repeats=repeats,
        )
        for presentation in ("ytd", "month")
    ]  # fmt: skip


def _screens(folder: Path | None, base: str) -> tuple[Any, ...]:
    from warehouse.catalog.load import load_catalog

    return load_catalog(folder, base).screens


def _of_workspace(home: Path | None, indicators: Sequence[str]) -> tuple[tuple[Any, ...], Panel]:
    from pipelines.panels import workspace_panel
    from pipelines.settings import load_workspace

    workspace = load_workspace(home)
    screens = _screens(workspace.catalog, workspace.catalog_base)
    return screens, workspace_panel(workspace, indicators)


def _figures(tally: Tally) -> dict[str, Any]:
    return asdict(tally) | {
        "alarm_share": tally.alarms / max(tally.clean, 1),
        "impact_caught": tally.impact_caught(),
        "impact_caught_without_wrong_unit": tally.impact_caught(("wrong_unit",)),
    }


def _print(tally: Tally) -> None:
    from quality.seeded_errors import ERROR_KINDS

    echo(
        f"\n【{PRESENTATIONS[tally.presentation]}】{tally.first}—{tally.last},"
        f"判别 {tally.cells} 次,其中无差错 {tally.clean} 次"
    )
    alarms = tally.alarms / max(tally.clean, 1)
    copies = sum(tally.sized_found[k] for k in ("copied_previous", "copied_year"))
    copied = sum(tally.sized[k] for k in ("copied_previous", "copied_year"))
    magnitude = sum(tally.found_by_size[k] for k in ("times_ten", "tenth"))
    magnitudes = sum(tally.seeded[k] for k in ("times_ten", "tenth"))
    lines = (
        f"  得分最高的 2% 单元拦住差错影响 {tally.impact_caught():.1%}"
        f"(不含计量单位用错 {tally.impact_caught(('wrong_unit',)):.1%};"
        f"每月各看 2%:{tally.impact_caught(monthly=True):.1%})",
        f"  ×10、÷10 由数量与走势筛查找到 {_share(magnitude, magnitudes)},"
        f"这些筛查误报 {tally.size_alarms / max(tally.clean, 1):.2%}",
        f"  照抄(三位及以上有效数字)找到 {_share(copies, copied)};全部筛查合计误报 {alarms:.2%}",
        f"  合计与分项不符找到 {_share(tally.sums_found, tally.sums_broken)};"
        f"误报 {_share(tally.sum_alarms, tally.sums_kept)}",
    )
    for line in lines:
        echo(line)
    echo("  差错种类              播种    找到    找到率   影响拦截率")
    for kind, word in ERROR_KINDS.items():
        caught = tally.caught[kind] / tally.impact[kind] if tally.impact[kind] else float("nan")
        echo(
            f"  {_padded(word, 36)}{tally.seeded[kind]:>5}{tally.found[kind]:>8}"
            f"{tally.share(tally.found, kind):>9.1%}{caught:>9.1%}"
        )
    echo("  筛查                          误报率   命中差错")
    for name, alarmed in sorted(tally.alarms_by_screen.items()):
        share = alarmed / max(tally.clean, 1)
        echo(f"  {name:<26}{share:>9.2%}{tally.hits_by_screen[name]:>9}")


def _share(found: int, of: int) -> str:
    return f"{found}/{of} = {found / of:.1%}" if of else "无"


def _padded(text: str, width: int) -> str:
    """Chinese characters take two columns."""
    return text + " " * max(0, width - sum(2 if ord(c) > 255 else 1 for c in text))
