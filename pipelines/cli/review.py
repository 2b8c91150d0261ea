"""``parkwatch review``: the figures of a period people should look at first, highest score first.

Belongs here: the review list on a terminal. Does not belong here: how the score comes about
(``quality.screens``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.screen import echo


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("review", help="核查清单:本期最值得先看的数值,按对合计的可能影响排序。")(review)


def review(
    period: Annotated[str | None, typer.Option(help="报告期 YYYY-MM,默认最近一期")] = None,
    home: Annotated[Path | None, typer.Option(help="工作区目录")] = None,
    top: Annotated[int, typer.Option(min=1, help="列出前几个")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON(全部)")] = False,
) -> None:
    """List the figures of a period by review score, with the screens that hit and the cell."""
    from pipelines.cli.data import asked
    from pipelines.settings import load_workspace
    from warehouse.catalog.load import load_catalog
    from warehouse.store import Warehouse, fetch

    workspace = load_workspace(home)
    with Warehouse(workspace).reading() as connection:
        asked(connection, period, "quality.review", "period")
        rows = fetch(connection, _REVIEW, [period])
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, default=str, indent=1))
        return
    if not rows:
        echo("没有需要核查的数值")
        return
    names = {
        s.screen_id: s.name for s in load_catalog(workspace.catalog, workspace.catalog_base).screens
    }
    echo(
        f"{rows[0]['period']} 核查清单:{len(rows)} 个数值,列前 {min(top, len(rows))} 个。"
        "得分 = 可疑程度 × 可能改变该指标合计的百分比;只提示先看哪里,不判对错"
    )
    for row in rows[:top]:
        echo(_line(row, names))


def _line(row: dict[str, Any], names: dict[str, str]) -> str:
    screens = "、".join(names.get(name, name) for name in row["screens"]) or "偏离走势(未达界限)"
    scope = ",口径变更" if row["scope_changed"] else ""
    return (
        f"{row['rank']:>4}. {row['name']} {row['name_zh']} {row['value'].normalize():f}{row['unit']}"
        f" 得分 {row['score']:.2f}【{screens}{scope}】"
        f"\n      “{row['file_name']}”工作表“{row['sheet']}”{row['address']}"
    )


_REVIEW = """
SELECT review.period, review.rank, review.score, review.suspicion, review.deviation, review.screens,
       review.scope_changed, review.park_id, park.name, review.indicator_id, indicator.name_zh,
       indicator.unit, review.value, submission.file_name, review.sheet, review.address
FROM quality.review AS review
JOIN dims.indicator AS indicator USING (indicator_id)
LEFT JOIN submissions.submission AS submission USING (submission_id)
LEFT JOIN (
    SELECT park_id, arg_max(coalesce(nullif(short_name, ''), name), valid_from) AS name
    FROM dims.park GROUP BY park_id
) AS park USING (park_id)
WHERE review.period = coalesce($1, (SELECT max(period) FROM quality.review))
ORDER BY review.rank
"""
