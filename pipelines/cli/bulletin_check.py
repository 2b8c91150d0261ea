"""``parkwatch bulletin check``: what must hold in an edition before it may be handed in.

Belongs here: showing kept results, running the thorough check on request. Does not belong here: the
checks (``assets.bulletins``, ``assets.deliveries.content``) or handing in (``release``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.bulletin import app as bulletin_app
from pipelines.cli.screen import echo

SEVERITY = {"error": "错误", "verify": "提醒"}
OUTCOME = {"pass": "通过", "fail": "不符", "not_evaluable": "无可核对"}


def register(_app: typer.Typer) -> None:
    """Add this module's command to ``parkwatch bulletin``."""
    bulletin_app.command("check", help="签发前核对:数字、合计、名单、方向词、标记;--deep 逐一读回各格式。")(
        check
    )  # fmt: skip


def check(
    period: Annotated[str | None, typer.Option(help="报告期 YYYY-MM,默认见设置")] = None,
    audience: Annotated[str | None, typer.Option(help="只核对该受众,默认全部")] = None,
    home: Annotated[Path | None, typer.Option(help="工作区目录")] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="重新编写,并读回 PDF、Word、Excel、网页和邮件逐字比对")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="通过的各项也列出")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """Show what the newest editions of a period were checked for. Exit code 1 with open errors."""
    from pipelines.cli.bulletin import _month
    from pipelines.cli.workspace import UsageError
    from pipelines.settings import load_workspace

    workspace = load_workspace(home)
    month = _month(period, workspace)
    rows = (_deep if deep else _kept)(workspace, month, audience)
    if not rows:
        who = f" {audience}" if audience else ""
        raise UsageError(
            f"{month}{who} 没有核对结果:先运行 parkwatch bulletin build --period {month}"
        )
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        _show(rows, everything)
    if any(r["outcome"] == "fail" and r["severity"] == "error" for r in rows):
        raise typer.Exit(1)


def _kept(workspace: Any, period: str, audience: str | None) -> list[dict[str, Any]]:
    from assets.bulletins import checking
    from warehouse.store import Warehouse

    with Warehouse(workspace).reading() as connection:
        found = checking.rows_of(connection, period, audience)
    return [{**row, "sample": json.loads(row["sample"])} for row in found]


def _deep(workspace: Any, period: str, audience: str | None) -> list[dict[str, Any]]:
    from assets.bulletins import checking
    from assets.deliveries import content
    from assets.deliveries.editions import newest, published
    from warehouse.catalog.load import load_catalog

    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    editions = newest(published(workspace, period, audience))
    found = content.examined(workspace, catalog, editions)
    rows = [row for key, results in found.items() for row in checking.to_rows(key, results)]
    return [{**row, "sample": json.loads(row["sample"])} for row in rows]


def _show(rows: list[dict[str, Any]], everything: bool) -> None:
    failed = [row for row in rows if row["outcome"] == "fail"]
    for row in rows if everything else failed:
        mark = SEVERITY[row["severity"]] if row["outcome"] == "fail" else ""
        echo(
            f"{row['audience_id']} 第{row['edition']}版 {row['check_id']} {row['description']}:"
            f"{OUTCOME[row['outcome']]}{mark}({row['n_checked']:,})"
        )
        for problem in row["sample"][:10]:
            echo(f"  {problem}")
    errors = sum(row["severity"] == "error" for row in failed)
    editions = len({row["audience_id"] for row in rows})
    echo(
        f"{editions} 个受众,核对 {sum(row['n_checked'] for row in rows):,} 处:"
        f"错误 {errors} 项,提醒 {len(failed) - errors} 项"
    )
