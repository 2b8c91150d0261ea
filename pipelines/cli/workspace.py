"""``parkwatch init`` and ``parkwatch doctor``: a workspace made, a workspace examined.

Belongs here: making the folder of a workspace from an example and checking that it can work. Does not
belong here: running anything in it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines import instance
from pipelines.cli.screen import echo
from warehouse.workspace import home_folder

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FOLDERS = ("inbox", "archive", "catalog", "lake", "quality", "reports", "site", "dagster")


class UsageError(ValueError):
    """The command was asked for something it cannot do as asked."""


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("init", help="新建工作区(从示例复制设置、目录、登记与示例报表)。")(init)
    app.command("doctor", help="检查工作区能否正常运行,逐项说明处理办法。")(doctor)


def init(
    folder: Annotated[Path | None, typer.Argument(help="工作区目录,默认 var/shaanxi")] = None,
    example: Annotated[str, typer.Option(help="shaanxi | shanxi | eia")] = "shaanxi",
) -> None:
    """Make a workspace from an example."""
    home = make_workspace(home_folder(folder), example)
    echo(f"工作区已建立:{home}\n下一步:parkwatch run --home {home}")


def make_workspace(home: Path, example: str) -> Path:
    """Copy the example and generate its simulated returns, if it has any. Returns ``home``.

    Raises UsageError for an unknown example or a folder that already holds a workspace.
    """
    source = EXAMPLES / example
    if not (source / "parkwatch.toml").is_file():
        known = "、".join(sorted(p.parent.name for p in EXAMPLES.glob("*/parkwatch.toml")))
        raise UsageError(f"没有名为 {example} 的示例;可用:{known}")
    if (home / "parkwatch.toml").exists():
        raise UsageError(f"{home} 已是工作区;如需重建请先移走该目录")
    making = home.with_name(f".{home.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    shutil.copytree(source, making)
    for name in FOLDERS:
        (making / name).mkdir(exist_ok=True)
    instance.prepare(making / "dagster")
    if (source / "simulation.toml").is_file():
        _generate_returns(example, making)
    home.parent.mkdir(parents=True, exist_ok=True)
    if home.exists():
        home.rmdir()  # an empty folder may be there; a filled one is refused by the system
    making.rename(home)
    return home


def _generate_returns(example: str, home: Path) -> None:
    """Run the example's seeded generator up to the default period of its settings."""
    import tomllib

    settings = tomllib.loads((home / "parkwatch.toml").read_text(encoding="utf-8"))
    subprocess.run(
        [
            sys.executable,
            str(EXAMPLES / "sample_returns.py"),
            "--example",
            example,
            "--to",
            str(home / "inbox"),
            "--through",
            settings["default_period"],
        ],
        check=True,
        cwd=EXAMPLES.parent,
    )


def doctor(
    home: Annotated[Path | None, typer.Option(help="工作区目录")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """Examine the workspace; exit 1 when something keeps it from working."""
    if as_json:
        from dataclasses import asdict

        from pipelines.cli.diagnosis import examine

        findings = examine(home_folder(home))
        typer.echo(json.dumps([asdict(f) for f in findings], ensure_ascii=False, indent=1))
        blocked = any(f.blocks for f in findings)
    else:
        blocked = print_diagnoses(home_folder(home))
    raise typer.Exit(1 if blocked else 0)


def print_diagnoses(home: Path, *, only_faults: bool = False) -> bool:
    """Examine and print; whether something keeps the workspace from working."""
    from pipelines.cli.diagnosis import examine

    findings = examine(home)
    for finding in findings:
        if finding.ok and only_faults:
            continue
        mark = "✓" if finding.ok else "✗" if finding.blocks else "!"
        echo(f"{mark} {finding.what}:{finding.found}")
        if not finding.ok:
            echo(f"    处理:{finding.mend}")
    return any(f.blocks for f in findings)
