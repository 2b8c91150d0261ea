"""``parkwatch inspect``: the tables found in a file, and the layout proposed for it.

Belongs here: showing what structure detection sees. Does not belong here: detection itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.screen import echo


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("inspect", help="查看一个文件里识别出的表格,并给出版式(布局)建议。")(inspect)


def inspect(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="报表文件")],
    home: Annotated[Path | None, typer.Option(help="工作区目录")] = None,
    write: Annotated[Path | None, typer.Option(help="把建议的版式写入该文件")] = None,
) -> None:
    """Show the detected tables of ``file`` and propose a layout; nothing is taken in."""
    from assets.submissions.reading.sandbox import ReaderPool
    from assets.submissions.reading.workbook import Rejected
    from assets.submissions.tables.inspection import describe_workbook, inspect_workbook
    from assets.submissions.tables.layout import build_reader
    from pipelines.settings import load_workspace
    from warehouse.catalog.load import load_catalog

    workspace = load_workspace(home)
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    with ReaderPool(1) as pool:
        content = pool.read_one(file.name, file)
    if isinstance(content, Rejected):
        echo(f"未能读取“{file.name}”:{content.message}\n处理:{content.remedy}", err=True)
        raise typer.Exit(1)
    found = inspect_workbook(content, build_reader(catalog), file.name)
    echo(describe_workbook(found))
    proposed = found.proposal.yaml()
    if not proposed:
        echo("没有可建议的版式:文件中没有识别出数据表,或已有版式适用")
    elif write is None:
        echo(proposed)
    else:
        write.write_text(proposed, encoding="utf-8")
        echo(f"版式建议已写入 {write};核对后放入 {workspace.catalog}/layouts/")
