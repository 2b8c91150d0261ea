"""``parkwatch export``: tables of the published warehouse as files.

Belongs here: choosing tables, format and folder. Does not belong here: writing (``warehouse.export``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.screen import echo


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("export", help="导出数据:parquet、csv、xlsx 或 sdmx-csv(附数据结构定义)。")(export)


def export(
    form: Annotated[str, typer.Option("--format", help="parquet|csv|xlsx|sdmx-csv")],
    to: Annotated[Path, typer.Option(help="导出目录")] = Path("export"),
    table: Annotated[list[str] | None, typer.Option(help="表名,可多次;默认全部")] = None,
    period: Annotated[str | None, typer.Option(help="只导出此报告期 YYYY-MM")] = None,
    bom: Annotated[bool, typer.Option("--bom", help="CSV 加 BOM,便于表格软件识别")] = False,
    home: Annotated[Path | None, typer.Option(help="工作区目录")] = None,
) -> None:
    """Write tables of the published warehouse into a folder."""
    from pipelines.cli.workspace import UsageError
    from pipelines.settings import PERIOD, load_workspace
    from warehouse import export as exporting
    from warehouse import schema
    from warehouse.store import Warehouse

    if form not in exporting.FORMATS:
        raise UsageError(f"--format 应为 {'、'.join(exporting.FORMATS)} 之一,读到 {form}")
    if period is not None and not PERIOD.fullmatch(period):
        raise UsageError(f"--period 应写作 YYYY-MM,读到 {period}")
    known = [t.full_name for t in schema.TABLES]
    if unknown := [name for name in table or [] if name not in known]:
        raise UsageError(f"没有表 {'、'.join(unknown)};现有:{'、'.join(known)}")
    with Warehouse(load_workspace(home)).reading() as connection:
        written = exporting.export(connection, to, form, table or known, period, bom=bom)
    for path in written:
        echo(f"{path}({path.stat().st_size:,} 字节)")
