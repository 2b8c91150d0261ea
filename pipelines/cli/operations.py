"""``parkwatch verify``, ``backup``, ``restore``, ``backfill``: operations around the monthly routine.

Belongs here: these commands on a terminal. Does not belong here: copying files
(``warehouse.backup``), the monthly job itself.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.screen import echo
from warehouse.workspace import home_folder


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("backup", help="备份工作区(运行中也可),逐个核对校验值;--verify 核对已有备份。")(
        backup
    )
    app.command(
        "verify", help="全面核对:归档、历次数据、已发布数据、通报文件、台账逐一比对校验值。"
    )(verify)
    app.command("restore", help="把备份恢复到新目录,核对摘要;恢复后不会自动发送任何邮件。")(restore)
    app.command("backfill", help="依次补做一段报告期(--from 至 --to)。")(backfill)


def verify(
    home: Annotated[Path | None, typer.Option(help="工作区目录")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """Compare everything the workspace keeps with its checksums; exit 1 when anything is damaged."""
    from pipelines.cli.run import display
    from pipelines.settings import load_workspace
    from warehouse import intact

    with display() as show:
        said = intact.examine(load_workspace(home), show)
    lines = [f"{kind}:{count} 项" for kind, count in said.counts.items() if count]
    lines += [f"损坏:{d.kind} {d.where}:{d.problem}\n  处理:{d.remedy}" for d in said.damages] or [
        "全部相符"
    ]
    _say(
        {"counts": said.counts, "damaged": [asdict(d) for d in said.damages]},
        as_json, "\n".join(lines),
    )  # fmt: skip
    raise typer.Exit(1 if said.damages else 0)


def backup(
    dest: Annotated[Path, typer.Argument(help="存放备份的目录(应在另一块磁盘)")],
    home: Annotated[Path | None, typer.Option(help="工作区目录")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="只核对最近一份备份")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """Back up the workspace, or verify the newest backup."""
    from warehouse import backup as backups

    if verify:
        found = backups.read(dest)
        wrong = backups.verify(backups.folder_of(dest, found))
        _say({"name": found.name, "files": len(found.entries), "damaged": wrong}, as_json,
             f"备份 {found.name}:{len(found.entries)} 个文件"
             + (f",损坏或缺失 {len(wrong)} 个:{'、'.join(wrong[:5])}" if wrong else ",全部相符"))  # fmt: skip
        raise typer.Exit(1 if wrong else 0)
    from pipelines.cli.run import display

    folder = home_folder(home)
    _need_workspace(folder)
    with display() as show:
        made = backups.take(folder, dest, datetime.now(UTC), show)
    said = {"name": made.name, "folder": str(dest / made.name), "files": len(made.entries),
            "linked": made.linked, "bytes": sum(e.bytes for e in made.entries),
            "build": made.build}  # fmt: skip
    _say(
        said, as_json,
        f"已备份到 {said['folder']}:{said['files']} 个文件,{made.linked} 个与上一份相同(链接),"
        f"共 {said['bytes'] / 2**20:.1f} MiB;已发布数据 {made.build or '尚无'}",
    )  # fmt: skip


def restore(
    source: Annotated[Path, typer.Argument(exists=True, help="备份,或存放备份的目录(取最近一份)")],
    target: Annotated[Path, typer.Argument(help="新的工作区目录(应为空)")],
    keep_outbox: Annotated[
        bool, typer.Option("--keep-outbox", help="保留待发邮件(确知备份之后未发送过时才用)")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """Restore a backup into a new folder."""
    from pipelines import instance
    from warehouse import backup as backups

    home = target.expanduser().absolute()
    said = backups.restore(source, home, datetime.now(UTC), keep_outbox=keep_outbox)
    instance.prepare(home / "dagster")
    _say(asdict(said) | {"home": str(home)}, as_json, _restored(said, home))
    raise typer.Exit(1 if said.faults else 0)


def _restored(said: Any, home: Path) -> str:
    lines = [
        f"已恢复到 {home}:{said.files} 个文件,校验值全部相符;已发布数据 {said.build or '尚无'}"
    ]
    if said.unknown:
        lines.append(
            f"未发完的邮件 {said.unknown} 封已停发、待人工核对(备份之后可能已发出):"
            "见 parkwatch deliveries"
        )
    if said.reviewed:
        lines.append(
            f"已签发未发送的通报 {said.reviewed} 份退回待签发:确认备份之后没有发送过,再签发"
        )
    lines += [f"审计日志:{fault}" for fault in said.faults]
    lines.append(f"下一步:parkwatch doctor --home {home}")
    return "\n".join(lines)


def backfill(
    first: Annotated[str, typer.Option("--from", help="第一个报告期 YYYY-MM")],
    last: Annotated[str, typer.Option("--to", help="最后一个报告期 YYYY-MM")],
    home: Annotated[Path | None, typer.Option(help="工作区目录")] = None,
    profile: Annotated[str, typer.Option(help="运行方式:full、fast、nightly 或自建")] = "full",
) -> None:
    """Run the main job for every period of a range, in order; a failed one stops nothing."""
    from pipelines.cli.run import checked_period, launch
    from pipelines.cli.workspace import UsageError
    from pipelines.profiles import load_profile
    from pipelines.settings import load_workspace

    workspace = load_workspace(home)
    chosen = load_profile(profile, workspace.home)
    periods = _range(checked_period(first, workspace), checked_period(last, workspace),
                     workspace.first_month)  # fmt: skip
    if not periods:
        raise UsageError(f"--from {first} 晚于 --to {last}")
    codes = {}
    for number, period in enumerate(periods, start=1):
        echo(f"[{number}/{len(periods)}] {period}")
        codes[period] = launch(workspace, period, profile=chosen)
    failed = [period for period, code in codes.items() if code not in (0, 3)]
    if failed:
        echo(f"未完成:{'、'.join(failed)}", err=True)
        raise typer.Exit(1)
    raise typer.Exit(max(codes.values()))


def _range(first: str, last: str, first_month: int) -> list[str]:
    months = range(int(first[:4]) * 12 + int(first[5:]) - 1, int(last[:4]) * 12 + int(last[5:]))
    found = [f"{m // 12:04d}-{m % 12 + 1:02d}" for m in months]
    return [period for period in found if int(period[5:]) >= first_month]


def _need_workspace(folder: Path) -> None:
    if not (folder / "parkwatch.toml").is_file():
        echo(f"错误:{folder} 不是工作区;请用 --home 指定", err=True)
        raise typer.Exit(2)


def _say(said: dict[str, Any], as_json: bool, words: str) -> None:
    typer.echo(json.dumps(said, ensure_ascii=False, indent=1) if as_json else words)
