"""Commands about targets: their verdicts, one of them fully explained, findings, entered figures.

Belongs here: taking words, asking the published warehouse, printing. Does not belong here: judging
(``assets/targets``) or what an entered row means; the next run applies both.
"""

from __future__ import annotations

import getpass
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from pipelines.cli.screen import echo

Home = Annotated[Path | None, typer.Option(help="工作区目录")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Period = Annotated[str | None, typer.Option(help="报告期 YYYY-MM,默认最近一期")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("targets", help="目标判定;加 --target 逐步说明一条为什么是这个灯色。")(targets)
    app.command("tick", help="登记一次人工认定(是否类要求、年内活动),留存佐证。")(tick)
    app.command("inputs", help="补录数据:已采用和未采用的行;--template 给出空表。")(inputs)


def targets(
    period: Period = None,
    target: Annotated[str | None, typer.Option(help="目标编号:完整说明这一条")] = None,
    park: Annotated[str | None, typer.Option(help="只看这个园区")] = None,
    home: Home = None,
    as_json: Json = False,
    everything: Annotated[bool, typer.Option("--all", help="逐行列出")] = False,
) -> None:
    """List the verdicts of a period, or explain one target: quote, figures, method, light rule."""
    rows = [
        row
        for row in _verdicts(period, home)
        if (target is None or row["target_id"] == target) and park in (None, row["park_id"])
    ]
    if not rows:
        from pipelines.cli.workspace import UsageError

        which = " ".join(word for word in (target, park) if word)
        raise UsageError(f"没有 {which} 的判定;编号见 parkwatch targets(园区编号加 --all)")
    if target is not None:
        _explain(target, rows, home, as_json)
    elif as_json:
        _print_json(rows)
    else:
        _list(rows, everything or park is not None)


def _list(rows: Sequence[Mapping[str, Any]], everything: bool) -> None:
    from warehouse.words import LIGHT_ZH, VERDICT_ZH

    by_target: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    idle = {row["target_id"] for row in rows} - {
        row["target_id"] for row in rows if row["verdict"] != "out_of_scope" or everything
    }
    for row in rows:
        if row["target_id"] in idle:
            continue
        key = (row["doc_no"], row["target_id"], row["clause"])
        by_target.setdefault(key, []).append(row)
    document = ""
    for (doc_no, target_id, clause), these in by_target.items():
        if doc_no != document:
            document = doc_no
            echo(f"\n{doc_no}")
        if len(these) > 1 and not everything:
            counts = Counter(
                f"{VERDICT_ZH[row['verdict']]}({LIGHT_ZH[row['light']]})" for row in these
            )
            words = "、".join(f"{word} {n}" for word, n in counts.most_common())
            echo(f"  {target_id} {clause} {len(these)}个对象:{words}(逐行见 --all)")
            continue
        for row in these:
            word, light = VERDICT_ZH[row["verdict"]], LIGHT_ZH[row["light"]]
            name = f"{row['name']} " if row["name"] else ""
            echo(f"  {target_id} {clause} {name}【{light}·{word}】{row['reason']}")
    n_targets = len({row["target_id"] for row in rows})
    if idle:
        echo(f"\n另有{len(idle)}条本期不适用(尚未生效、已过期或不归本地区),逐行见 --all")
    echo(f"\n共{n_targets}条、{len(rows)}个判定;某一条的依据:parkwatch targets --target 编号")


# --- One target, fully ----------------------------------------------------------------------------


def _explain(
    target_id: str, rows: Sequence[Mapping[str, Any]], home: Path | None, as_json: bool
) -> None:
    from assets.targets.page import explained
    from pipelines.settings import load_workspace
    from warehouse.catalog.load import load_catalog
    from warehouse.store import Warehouse, fetch

    workspace = load_workspace(home)
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    period = rows[0]["asof_period"]
    with Warehouse(workspace).reading() as connection:
        lights = fetch(connection, _OVERALL, [period, target_id])
        methods = fetch(connection, _METHODS, [period, target_id])
    page = explained(catalog, target_id, rows, lights, methods)
    if as_json:
        _print_json(page.as_json())
        return
    for line in page.lines():
        echo(line)


# --- Findings -------------------------------------------------------------------------------------


def tick(
    target: Annotated[str, typer.Argument(help="目标编号,如 SN18-3.18-01")],
    evidence: Annotated[str, typer.Option(help="佐证:文号、会议纪要、档案号、网址")],
    on: Annotated[str | None, typer.Option("--date", help="认定日期 YYYY-MM-DD,默认今天")] = None,
    by: Annotated[str | None, typer.Option(help="认定岗位,默认当前用户")] = None,
    answer: Annotated[str, typer.Option(help="是 或 否")] = "是",
    area: Annotated[str, typer.Option(help="县(市、区)代码;不写为整个适用地区")] = "",
    park: Annotated[str, typer.Option(help="园区编号;不写为整个适用地区")] = "",
    home: Home = None,
) -> None:
    """Record that a duty was found done or not done, by whom, on which evidence. Never erased: a
    later finding about the same place counts instead."""
    from assets.targets.inputs import accepted
    from assets.targets.store_rows import known_of
    from pipelines.cli.workspace import UsageError
    from pipelines.settings import load_workspace
    from warehouse import ticks
    from warehouse.catalog.inputs import InputRow
    from warehouse.catalog.load import load_catalog

    workspace = load_workspace(home)
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    now = datetime.now(UTC)
    today = now.astimezone(ZoneInfo(workspace.timezone)).date()
    day, who = _day(on) if on else today, by or getpass.getuser()
    row = InputRow(
        ticks.LEDGER, 0, "tick", target_id=target, area_code=area, park_id=park, text=answer,
        source=evidence, entered_by=who, entered_on=day,
    )  # fmt: skip
    refused = accepted([row], known_of(catalog)).refused
    if refused:
        raise UsageError(refused[0].problem)
    if not evidence.strip():
        raise UsageError("佐证不能为空")
    number = ticks.record(
        workspace.state_file,
        ticks.Tick(
            target, "是" if answer in ("是", "1") else "否", day, evidence.strip(), who,
            now.replace(tzinfo=None).isoformat(timespec="seconds"), area, park,
        ),
    )  # fmt: skip
    clause = catalog.target(target)
    word = "已做到" if answer in ("是", "1") else "未做到"
    echo(f"已登记第{number}号认定:{target} {clause.indicator_name} {word}({who},{day})")
    echo("下次 parkwatch run 起生效")


def _day(text: str) -> date:
    from pipelines.cli.workspace import UsageError

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"日期应写成 YYYY-MM-DD,读到“{text}”") from None


# --- Entered figures ------------------------------------------------------------------------------


def inputs(
    home: Home = None,
    template: Annotated[
        str | None, typer.Option(help="输出空表:figures、quotas 或 ticks,可重定向到文件")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check the input files as they are now: rows in use, rows not in use and why."""
    from warehouse.catalog import inputs as formats

    if template is not None:
        typer.echo(_template(template, formats.FORMATS), nl=False)
        return
    from assets.targets.inputs import accepted
    from assets.targets.store_rows import known_of
    from pipelines.settings import load_workspace
    from warehouse.catalog.load import load_catalog
    from warehouse.ticks import recorded

    workspace = load_workspace(home)
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    folder = workspace.catalog / formats.FOLDER
    rows = [*formats.read_inputs(folder), *recorded(workspace.state_file)]
    found = accepted(rows, known_of(catalog))
    if as_json:
        _print_json([{"file": r.file, "line": r.line, "problem": r.problem}
                     for r in (*found.rows, *found.refused)])  # fmt: skip
    else:
        _print_inputs(folder, found, formats.FORMATS)
    if found.refused:
        raise typer.Exit(3)


def _print_inputs(folder: Path, found: Any, formats: Sequence[Any]) -> None:
    echo(f"补录文件夹:{folder}")
    for one in formats:
        used = sum(row.kind == one.kind for row in found.rows)
        echo(f"  {one.file} {one.zh}:采用{used}行。{one.help}")
    for row in found.refused:
        echo(f"  未采用 {row.file} 第{row.line}行:{row.problem}")
    echo("空表:parkwatch inputs --template figures > figures.csv")


def _template(name: str, formats: Sequence[Any]) -> str:
    from pipelines.cli.workspace import UsageError
    from warehouse.catalog.inputs import template

    for one in formats:
        if name in (one.kind, one.file, one.file.removesuffix(".csv")):
            return template(one)
    known = "、".join(one.file.removesuffix(".csv") for one in formats)
    raise UsageError(f"没有这种补录表“{name}”,应为{known}之一")


# --- Asking ---------------------------------------------------------------------------------------

_VERDICTS = """
SELECT verdict.* EXCLUDE (figure_ids), verdict.figure_ids,
       target.doc_no, target.clause, target.quote,
       coalesce(nullif(park.short_name, ''), park.name) AS name
FROM targets.verdict AS verdict
LEFT JOIN dims.target AS target USING (target_id)
LEFT JOIN dims.park AS park
    ON park.park_id = verdict.park_id
    AND park.valid_from <= last_day((verdict.asof_period || '-01')::DATE)
    AND coalesce(park.valid_to, DATE '9999-12-31') > last_day((verdict.asof_period || '-01')::DATE)
WHERE verdict.asof_period = coalesce($1, (SELECT max(asof_period) FROM targets.verdict))
ORDER BY target.doc_no, verdict.target_id, verdict.scope_code, verdict.park_id
"""
_OVERALL = """
FROM targets.overall WHERE asof_period = $1 AND list_contains(target_ids, $2)
ORDER BY scope_code, park_id, topic
"""
_METHODS = """
FROM targets.reference_method WHERE asof_period = $1 AND target_id = $2
ORDER BY scope_code, park_id, method
"""


def _verdicts(period: str | None, home: Path | None) -> list[dict[str, Any]]:
    from pipelines.cli.data import asked, reading
    from warehouse.store import fetch

    with reading(home) as connection:
        asked(connection, period, "targets.verdict")
        return fetch(connection, _VERDICTS, [period])


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, default=str, indent=1))
