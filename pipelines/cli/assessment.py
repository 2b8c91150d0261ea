"""``parkwatch outcome`` and ``parkwatch schemes``: confirmed results in and out, schemes at a glance.

Belongs here: taking the words of a command, checking them against the catalogue, recording them. Does
not belong here: what follows from an outcome (``assets/assessment``); the next run applies it.
"""

from __future__ import annotations

import getpass
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.screen import echo

if TYPE_CHECKING:
    from warehouse.catalog.load import Catalog
    from warehouse.workspace import Workspace

Home = Annotated[Path | None, typer.Option(help="工作区目录")]
Who = Annotated[str | None, typer.Option(help="经办人,默认当前登录用户")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Scheme = Annotated[str, typer.Option(help="考核方案编号,见 parkwatch schemes")]
Park = Annotated[str, typer.Option(help="园区编号")]
Year = Annotated[int, typer.Option(help="考核年度")]
Document = Annotated[str, typer.Option(help="依据文件(文号或名称)")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(
        help="考核结果登记:由人确认的年度结果、事项、退出、增补、表彰。", no_args_is_help=True
    )
    group.command("add", help="登记一条经确认的结果,须写明依据文件。")(add)
    group.command("list", help="列出登记;--all 含已撤销的。")(listing)
    group.command("withdraw", help="撤销一条登记(保留痕迹)。")(withdraw)
    app.add_typer(group, name="outcome")
    app.command("schemes", help="列出考核方案:在用的、备查的(已公布办法)。")(schemes)


def add(
    kind: Annotated[
        str, typer.Option(help="result 年度结果|event 事项|step 处置|eliminated 退出|replaced 增补|"
                               "honoured 表彰")
    ],
    scheme: Scheme,
    park: Park,
    year: Year,
    document: Document,
    what: Annotated[str, typer.Option(help="事项、步骤或表彰的编号;增补时为被替换的园区")] = "",
    score: Annotated[str | None, typer.Option(help="得分")] = None,
    rank: Annotated[int | None, typer.Option(help="名次")] = None,
    n: Annotated[int | None, typer.Option(help="组内个数")] = None,
    grade: Annotated[str, typer.Option(help="等次")] = "",
    last: Annotated[
        bool | None, typer.Option("--last/--not-last", help="是否位于末位(年度结果必填)")
    ] = None,
    count: Annotated[str, typer.Option(help="次数,或百分比")] = "1",
    blocked_until: Annotated[str | None, typer.Option(help="退出后停止列入至,YYYY-MM-DD")] = None,
    decided_on: Annotated[
        str | None, typer.Option(help="决定或开始公示的日期,YYYY-MM-DD;公示期满生效")
    ] = None,
    evidence: Annotated[str, typer.Option(help="佐证文件或网址")] = "",
    note: Annotated[str, typer.Option(help="说明")] = "",
    by: Who = None,
    home: Home = None,
) -> None:  # fmt: skip
    """Record one confirmed outcome; the same one again is not recorded twice."""
    workspace, catalog = _opened(home)
    fields = {
        "kind": kind, "scheme_id": scheme, "park_id": park, "year": year, "document": document,
        "what": what, "score": score, "rank": rank, "n": n, "grade": grade, "in_last_k": last,
        "count": count, "blocked_until": blocked_until, "evidence": evidence, "note": note,
        "decided_on": decided_on,
    }  # fmt: skip
    checked = _checked(catalog, {name: value for name, value in fields.items() if value != ""})
    number, fresh = _journal(workspace).add(checked, _now(), by or getpass.getuser())
    echo(f"{'已登记' if fresh else '此前已登记'}，编号 {number}；下次运行时生效")


def listing(
    home: Home = None,
    as_json: Json = False,
    everything: Annotated[bool, typer.Option("--all", help="含已撤销的")] = False,
) -> None:
    """List confirmed outcomes of the catalogue and of the journal."""
    from warehouse.catalog.outcomes import KIND_ZH

    workspace, catalog = _opened(home)
    rows: list[dict[str, Any]] = [
        {"number": None, **json.loads(row.model_dump_json(exclude_defaults=True))}
        for row in catalog.outcomes
    ]
    for entry in _journal(workspace).entries(withdrawn=everything):
        rows.append({"number": entry.number, **entry.fields, "entered_by": entry.entered_by,
                     "entered_at": entry.entered_at, "withdrawn_at": entry.withdrawn_at,
                     "withdrawn_why": entry.withdrawn_why})  # fmt: skip
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1, default=str))
        return
    if not rows:
        echo("没有登记")
    for row in rows:
        where = f"登记{row['number']}" if row["number"] else "outcomes.csv"
        gone = f" 已撤销:{row['withdrawn_why']}" if row.get("withdrawn_at") else ""
        echo(f"{where} {row['scheme_id']} {row['year']}年 {row['park_id']} "
                   f"{KIND_ZH[row['kind']]} {_told(row)} 依据:{row['document']}{gone}")  # fmt: skip


def withdraw(
    number: Annotated[int, typer.Argument(help="登记编号,见 parkwatch outcome list")],
    reason: Annotated[str, typer.Option(help="撤销原因")],
    by: Who = None,
    home: Home = None,
) -> None:
    """Take an entry back; it stays readable with who, when and why."""
    from pipelines.cli.workspace import UsageError

    workspace, _ = _opened(home)
    if not _journal(workspace).withdraw(number, _now(), by or getpass.getuser(), reason):
        raise UsageError(f"没有编号为 {number} 的有效登记;见 parkwatch outcome list --all")
    echo(f"已撤销登记 {number}：{reason}；下次运行时生效")


def schemes(home: Home = None, as_json: Json = False) -> None:
    """List schemes in use and published ones kept for reference."""
    _, catalog = _opened(home)
    rows = [
        {"scheme_id": one.scheme_id, "title": one.title, "status": one.status,
         "official": one.official, "lines": len(one.lines), "cite": list(one.cite)}
        for one in (*catalog.schemes, *catalog.reference_schemes)
    ]  # fmt: skip
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        use = "在用" if row["status"] == "active" else "备查"
        label = "" if row["official"] else "(建议值,非官方)"
        echo(f"【{use}】{row['scheme_id']} {row['title']}{label}")
        for source in row["cite"]:
            echo(f"    依据:{source}")
    echo("备查方案不计算;在工作区 catalog/schemes/ 写同一 scheme_id 并设 status: active 即启用")


def _told(row: dict[str, Any]) -> str:
    parts = [
        row.get("what") or "",
        f"第{row['rank']}名" if row.get("rank") else "",
        f"{row['score']}分" if row.get("score") else "",
        row.get("grade") or "",
        "位于末位" if row.get("in_last_k") in (True, "true") else "",
        f"停止列入至{row['blocked_until']}" if row.get("blocked_until") else "",
    ]
    return " ".join(part for part in parts if part)


def _checked(catalog: Catalog, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of an outcome that makes sense in this catalogue. Raises UsageError."""
    from pydantic import ValidationError

    from pipelines.cli.workspace import UsageError
    from warehouse.catalog.outcomes import Outcome
    from warehouse.catalog.problems import Origin, validation_problems

    try:
        row = Outcome.model_validate(fields)
    except ValidationError as error:
        problems = validation_problems(error, Outcome, Origin("登记"), "")
        raise UsageError("；".join(str(problem) for problem in problems)) from None
    known = {one.scheme_id for one in (*catalog.schemes, *catalog.reference_schemes)}
    if row.scheme_id not in known:
        raise UsageError(f"没有考核方案 {row.scheme_id};现有:{'、'.join(sorted(known))}")
    parks = {park.park_id for park in catalog.parks}
    wanted = [row.park_id, *([row.what] if row.kind == "replaced" and row.what else [])]
    missing = [park_id for park_id in wanted if park_id not in parks]
    if missing:
        raise UsageError(f"园区登记中没有 {'、'.join(missing)};编号见 parks.csv")
    content: dict[str, Any] = json.loads(row.model_dump_json(exclude_none=True))
    return content


def _opened(home: Path | None) -> tuple[Workspace, Catalog]:
    from pipelines.settings import load_workspace
    from warehouse.catalog.load import load_catalog

    workspace = load_workspace(home)
    return workspace, load_catalog(workspace.catalog, workspace.catalog_base)


def _journal(workspace: Workspace) -> Any:
    from warehouse.outcomes import Journal

    return Journal(workspace.state_file)


def _now() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
