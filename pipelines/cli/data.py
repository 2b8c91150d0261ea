"""Commands that read the published warehouse: explain, query, watch, dictionary.

Belongs here: asking and printing. Does not belong here: computing anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.screen import echo, table


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("explain", help="一个数字的来历:公式、输入、版本、文件、工作表、单元格。")(explain)
    app.command("query", help="对已发布的数据执行只读 SQL。")(query)
    app.command("watch", help="末位风险名单(模拟名次,非正式考核结果)。")(watch)
    app.command("dictionary", help="数据字典(Markdown)。")(dictionary)


Home = Annotated[Path | None, typer.Option(help="工作区目录")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]


def explain(
    figure: Annotated[
        list[str],
        typer.Argument(
            help="数字编号(或 受众/编号);或 园区 指标 报告期、目标 地区 报告期、方案 园区 报告期;"
            "或 nowcast 园区 指标 报告期、risk 方案 园区 报告期"
        ),
    ],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Trace a figure down to the cells it rests on, and the audit rules these cells passed."""
    from pipelines.settings import load_workspace
    from quality.rules.about import indicators_of_rules
    from warehouse.catalog.load import load_catalog
    from warehouse.explain import Step
    from warehouse.explain import explain as prove

    workspace = load_workspace(home)
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    with reading(home) as connection:
        proof = prove(connection, figure, indicators_of_rules(catalog))
    if as_json:
        from dataclasses import asdict

        typer.echo(json.dumps(asdict(proof), ensure_ascii=False, indent=1))
        return

    def show(step: Step, depth: int) -> None:
        echo("  " * depth + step.text)
        for part in step.parts:
            show(part, depth + 1)

    show(proof, 0)


def query(
    sql: Annotated[str, typer.Argument(help="一条 SELECT 语句")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Run one read-only statement on the published warehouse."""
    from warehouse.store import ask

    with reading(home) as connection:
        rows = ask(connection, sql)
    if as_json:
        print_json(rows)
    elif rows:
        table(list(rows[0]), [list(row.values()) for row in rows])
    else:
        echo("(无结果)")


Period = Annotated[str | None, typer.Option(help="报告期 YYYY-MM,默认最近一期")]
Everything = Annotated[bool, typer.Option("--all", help="逐行列出")]


def watch(
    period: Period = None, home: Home = None, as_json: Json = False, everything: Everything = False
) -> None:
    """List the parks in or near the last places, class by class; with --all every park."""
    from warehouse.store import fetch
    from warehouse.words import LIGHT_ZH

    with reading(home) as connection:
        asked(connection, period, "assessment.watch")
        rows = fetch(connection, _WATCH, [period])
    if as_json:
        print_json(rows)
        return
    if not rows:
        echo("没有参加排名的园区:本工作区没有在用的考核方案(parkwatch schemes)")
        return
    echo("模拟名次,非正式考核结果;不作为淘汰依据")
    titles = _class_titles(home)
    group = ""
    for row in rows:
        if row["light"] == "green" and not everything:
            continue
        if (heading := titles(row["scheme_id"], row["class_id"])) != group:
            group = heading
            echo(f"\n{heading}")
        rank = f"第{row['simulated_rank']}名" if row["simulated_rank"] else "不排名"
        words = row["triggers"].removeprefix("模拟名次，非正式考核结果。")
        echo(f"  【{LIGHT_ZH[row['light']]}】{row['name']}({row['park_id']}) {rank} {words}")


def _class_titles(home: Path | None) -> Callable[[str, str], str]:
    """Title of a scheme's class in words; ids where today's catalogue does not have the scheme."""
    from assets.bulletins.select_judgement import class_name
    from pipelines.settings import load_workspace
    from warehouse.catalog.load import load_catalog

    workspace = load_workspace(home)
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)

    def title(scheme_id: str, class_id: str) -> str:
        try:
            scheme = catalog.scheme(scheme_id)
        except (KeyError, LookupError):
            return f"{scheme_id} {class_id}"
        return f"{scheme.title} {class_name(scheme, class_id)}".strip() + f"({scheme_id})"

    return title


_WATCH = """
SELECT watch.scheme_id, watch.class_id, watch.park_id, watch.simulated_rank, watch.light,
       watch.streak, watch.p_last_k, watch.p_exit, watch.rank_p10, watch.rank_p90,
       watch.not_distinguishable, watch.change, watch.provisional, watch.triggers,
       coalesce(nullif(park.short_name, ''), park.name) AS name
FROM assessment.watch AS watch
LEFT JOIN dims.park AS park
    ON park.park_id = watch.park_id
    AND park.valid_from <= last_day((watch.asof_period || '-01')::DATE)
    AND coalesce(park.valid_to, DATE '9999-12-31') > last_day((watch.asof_period || '-01')::DATE)
WHERE watch.asof_period = coalesce($1, (SELECT max(asof_period) FROM assessment.watch))
ORDER BY watch.scheme_id, watch.class_id, watch.simulated_rank DESC, watch.park_id
"""


def asked(connection: Any, period: str | None, table: str, column: str = "asof_period") -> None:
    """Raises UsageError where ``table`` holds nothing of the period asked for; None asks for the newest."""
    from pipelines.cli.workspace import UsageError
    from warehouse.store import fetch

    if period is None:
        return
    known = [
        row["period"]
        for row in fetch(connection, f"SELECT DISTINCT {column} AS period FROM {table} ORDER BY 1")
    ]
    if not known:
        raise UsageError("还没有结果:先执行 parkwatch run --period YYYY-MM")
    if period not in known:
        raise UsageError(
            f"没有报告期 {period} 的结果;已有 {'、'.join(known[-6:])}"
            f"{f' 等 {len(known)} 期' if len(known) > 6 else ''}。"
            "另一期先执行 parkwatch run --period YYYY-MM"
        )


def print_json(rows: list[dict[str, Any]]) -> None:
    """Rows as JSON, Chinese as it is."""
    typer.echo(json.dumps(rows, ensure_ascii=False, default=str, indent=1))


def dictionary(home: Home = None) -> None:
    """Print the generated data dictionary; with --home also the heads met in its files."""
    from warehouse.catalog.load import load_catalog
    from warehouse.dictionary import heads_seen, markdown

    if home is None:
        typer.echo(markdown(load_catalog(None)), nl=False)
        return
    from pipelines.settings import load_workspace

    workspace = load_workspace(home)
    with reading(home) as connection:
        seen = heads_seen(connection)
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    typer.echo(markdown(catalog, seen), nl=False)


def reading(home: Path | None) -> Any:
    """Connection to the published warehouse of a workspace, for looking only."""
    from pipelines.settings import load_workspace
    from warehouse.store import Warehouse

    return Warehouse(load_workspace(home)).reading()
