"""``parkwatch bulletin``: write drafts for chosen audiences, list and look at editions.

Belongs here: building, listing and opening editions. Does not belong here: handing in, approving and
sending, or what a bulletin says (``assets/bulletins``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.screen import echo

if TYPE_CHECKING:
    from warehouse.workspace import Workspace

Home = Annotated[Path | None, typer.Option(help="工作区目录")]
Period = Annotated[str | None, typer.Option(help="报告期 YYYY-MM,默认见设置")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Audiences = Annotated[
    list[str] | None,
    typer.Option("--audience", help="受众编号,可多次;all 全部,wide 省和市,main 本级。默认 all"),
]

app = typer.Typer(help="通报:生成、预览、送审、签发、发送、更正。", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add this module's commands."""
    parent.add_typer(app, name="bulletin")


@app.command("build", help="按已入库的数据重新生成通报草稿和邮件(已送审、签发的不改动)。")
def build(period: Period = None, audience: Audiences = None, home: Home = None) -> None:
    """Write the drafts of a period again, for some audiences or all."""
    import uuid

    from assets.bulletins import editions
    from assets.deliveries import mailing
    from pipelines.resources import open_build
    from pipelines.settings import load_workspace

    workspace = load_workspace(home)
    month = _month(period, workspace)
    wanted = tuple(audience or (editions.ALL,))
    from pipelines.cli.run import display

    with open_build(workspace, str(uuid.uuid4()), period=month) as making, display() as show:
        making.progress = show
        with making.step("编写通报") as connection:
            written = editions.write_editions(connection, making, month, wanted)
            names = [done.key.audience_id for done in written]
            mailing.render(connection, making, month, names)
        making.publish(month)
    asked = len(editions.chosen(making, wanted))
    echo(f"已生成 {len(written)} 个受众的草稿:{workspace.reports / month}")
    if asked > len(written):
        echo(f"另有 {asked - len(written)} 个已送审、签发或发送,未改动;要改请退回或更正")


@app.command("list", help="各受众的版次、状态和文件。")
def list_editions(period: Period = None, home: Home = None, as_json: Json = False) -> None:
    """List the audiences of the catalogue with their newest edition of the period."""
    from pipelines.settings import load_workspace

    workspace = load_workspace(home)
    rows = _listed(workspace, _month(period, workspace))
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        edition = f"第{row['edition']}版 {row['status']}" if row["edition"] else "未生成"
        echo(f"{row['audience_id']:<16}{edition:<12}{row['name']} {row['folder']}")


@app.command("preview", help="打开一个受众的通报草稿(默认本级);--print 只列出文件。")
def preview(
    period: Period = None,
    audience: Annotated[str | None, typer.Option(help="受众编号,默认本级")] = None,
    home: Home = None,
    only_print: Annotated[bool, typer.Option("--print", help="只列出文件,不打开")] = False,
) -> None:
    """Show the documents of one edition, and open the page where a desktop is at hand."""
    from pipelines.cli.workspace import UsageError
    from pipelines.settings import load_workspace

    workspace = load_workspace(home)
    month = _month(period, workspace)
    rows = [row for row in _listed(workspace, month) if row["edition"]]
    found = next((r for r in rows if audience in (None, r["audience_id"])), None)
    if audience is not None and audience not in {row["audience_id"] for row in rows}:
        raise UsageError(f"{month} 没有受众 {audience} 的通报;受众编号见 parkwatch bulletin list")
    if found is None:
        raise UsageError(f"{month} 没有通报:先运行 parkwatch bulletin build --period {month}")
    folder = workspace.home / found["folder"]
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    echo(f"{found['name']} {month} 第{found['edition']}版({found['status']}):")
    for path in files:
        echo(f"  {path}")
    page = next((p for p in files if p.suffix == ".html"), None)
    if page is not None and not only_print:
        typer.launch(page.as_uri())


def _month(period: str | None, workspace: Workspace) -> str:
    from pipelines.cli.run import checked_period

    return checked_period(period or workspace.default_period, workspace)


def _listed(workspace: Workspace, period: str) -> list[dict[str, Any]]:
    """Audiences of the catalogue, widest first, with the newest edition of ``period``."""
    from warehouse.catalog.load import load_catalog
    from warehouse.releases import STATUS_ZH
    from warehouse.store import Warehouse, fetch

    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    with Warehouse(workspace).reading() as connection:
        newest = {
            row["audience_id"]: row
            for row in fetch(
                connection,
                "SELECT audience_id, edition, status, folder FROM bulletins.edition "
                "WHERE period = ? ORDER BY edition",
                [period],
            )
        }
    width = {"province": 0, "city": 1, "county": 2, "park": 3}
    order = sorted(
        catalog.audiences, key=lambda a: (width[a.scope_level], -len(a.rights), a.audience_id)
    )
    return [
        {
            "audience_id": audience.audience_id,
            "name": audience.name,
            "edition": row["edition"] if row else None,
            "status": STATUS_ZH[row["status"]] if row else "",
            "folder": row["folder"] if row else "",
        }
        for audience in order
        for row in [newest.get(audience.audience_id)]
    ]
