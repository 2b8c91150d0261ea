"""``parkwatch site``: the static site of what is published.

Belongs here: the command's words and what it says afterwards. Does not belong here: pages
(``assets.bulletins.site``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.screen import echo


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("site", help="静态网站:通报档案、园区页、报送情况、口径;可直接从文件夹打开。")(site)


def site(
    public: Annotated[
        bool, typer.Option("--public", help="公开版:只有合计数,无名次与研判")
    ] = False,
    home: Annotated[Path | None, typer.Option(help="工作区目录")] = None,
) -> None:
    """Write the site of the published warehouse into the workspace, whole by rename."""
    from assets.build import Build
    from assets.bulletins.editions import NoAudienceError
    from assets.bulletins.site import NothingToShowError, write_site
    from pipelines.cli.workspace import UsageError
    from pipelines.settings import load_workspace
    from warehouse.catalog.load import load_catalog
    from warehouse.state import State
    from warehouse.store import Warehouse

    workspace = load_workspace(home)
    warehouse = Warehouse(workspace)
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    now = datetime.now(UTC).replace(tzinfo=None)
    build = Build(workspace, catalog, warehouse, State(workspace.state_file), now)
    try:
        with warehouse.reading() as connection:
            made = write_site(connection, build, public=public)
    except (NothingToShowError, NoAudienceError) as error:
        raise UsageError(str(error)) from error
    echo(
        f"网站已生成:{made.folder / 'index.html'}"
        f"({made.pages} 页,其中园区 {made.parks} 个,{made.bytes:,} 字节)"
    )
