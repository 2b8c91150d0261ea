"""``parkwatch diff``, ``revisions``, ``builds`` and ``rebuild``: what changed, and the same again.

Belongs here: showing comparisons and rebuilt editions. Does not belong here: comparing
(``warehouse.compare``) or running a build again (``pipelines.rebuild``).
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.screen import echo
from warehouse.words import MEASURE_ZH

Home = Annotated[Path | None, typer.Option(help="工作区目录")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]

SEVERITIES = {
    "new": "新增",
    "removed": "消失",
    "revised": "修订",
    "rounding": "仅修约",
    "derived": "随之改变",
}
MOVES_SHOWN = 12
"""Moves printed per table; --json has them all."""
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CATALOGUE = re.compile(r"rules:([0-9a-f]{6,64})")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("diff", help="比较两次构建、两个时点所知,或两版政策目录:变了什么,牵动了什么。")(
        diff
    )
    app.command("builds", help="已保存的各次构建。")(builds)
    app.command("revisions", help="各来源的修订统计:平均、平均绝对、修订比例,按距首次发布月数。")(
        revisions
    )
    app.command("rebuild", help="用存档和当时的政策目录重做旧版通报,逐字节比对。")(rebuild)


def diff(
    before: Annotated[str, typer.Argument(help="#编号、摘要、last~1、日期时间,或 rules:摘要")],
    after: Annotated[str, typer.Argument(help="同左")] = "last",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show what differs between two builds, two moments (ISO times) or two catalogues."""
    from pipelines.settings import load_workspace

    workspace = load_workspace(home)
    found = _difference(workspace, before, after)
    if as_json:
        typer.echo(json.dumps(found.plain(), ensure_ascii=False, default=str, indent=1))
    else:
        _print(found)


def _difference(workspace: Any, before: str, after: str) -> Any:
    from pipelines.cli.run import _asof
    from pipelines.cli.workspace import UsageError
    from warehouse import builds as kept
    from warehouse import compare, versions
    from warehouse.store import Warehouse

    rules = [_CATALOGUE.fullmatch(word) for word in (before, after)]
    if all(rules):
        return versions.catalogues_apart(workspace, *(found[1] for found in rules if found))
    if _MOMENT.fullmatch(before) and _MOMENT.fullmatch(after):
        moments = [_asof(word) or "" for word in (before, after)]
        with Warehouse(workspace).reading() as connection:
            return compare.moments_apart(connection, *moments)
    if any(rules):
        raise UsageError("两项须同类:都是构建,都是时点,或都是 rules:摘要")
    return compare.builds_apart(
        workspace, kept.find(workspace, before), kept.find(workspace, after)
    )


def _print(found: Any) -> None:
    echo(f"前:{found.before}\n后:{found.after}")
    for note in found.notes:
        echo(f"  {note}")
    if found.is_empty:
        echo("两者的数据没有差别。")
        return
    echo(f"牵动的目标、名次、末位概率、灯色:{len(found.moved)} 项")
    for table, moves in groupby(sorted(found.moved, key=_table_of), key=_table_of):
        _print_moved(table, list(moves))
    for table, counted in found.counts.items():
        words = "、".join(f"{SEVERITIES[name]} {n}" for name, n in counted.most_common())
        echo(f"{_table_words(table)}:{words}")
        shown = [c for c in found.changes if c.table == table][:8]
        for change in shown:
            key = " ".join(_id(value) for value in change.key.values() if value is not None)
            echo(f"  [{SEVERITIES[change.severity]}] {key} {_sides(change)}")
        if counted.total() > len(shown):
            echo(f"  ……另有 {counted.total() - len(shown)} 处(--json 列出更多)")


def _id(value: object) -> str:
    """A key as people read it; of a digest the first twelve characters."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1", str(value))


def _table_of(moved: dict[str, Any]) -> str:
    return str(moved["table"])


def _print_moved(table: str, moves: list[dict[str, Any]]) -> None:
    """The first moves of a table, the latest period first."""
    moves.sort(key=lambda m: str(m["key"].get("asof_period")), reverse=True)
    for moved in moves[:MOVES_SHOWN]:
        key = " ".join(str(value) for value in moved["key"].values() if value is not None)
        pairs = {n: v for n, v in moved.items() if n not in ("table", "key")}
        said = ",".join(_pair(table, n, a, b) for n, (a, b) in pairs.items())
        echo(f"  {table} {key}:{said}")
    if len(moves) > MOVES_SHOWN:
        echo(f"  {table} ……另有 {len(moves) - MOVES_SHOWN} 项(--json 全部列出)")


def _sides(change: Any) -> str:
    names = sorted({*change.before, *change.after})
    if change.severity in ("new", "removed"):
        side = change.after or change.before
        names = [name for name in names if name in ("value", "verdict", "score", "message")]
        return ",".join(f"{_label(change.table, n)} {_text(side.get(n))}" for n in names)
    return ",".join(
        _pair(change.table, name, change.before.get(name), change.after.get(name))
        for name in names[:6]
    )


def _pair(table: str, name: str, before: object, after: object) -> str:
    """A value before and after; of a digest only that it is another."""
    if _DIGEST.fullmatch(str(before)) and _DIGEST.fullmatch(str(after)):
        return f"{_label(table, name)}已变"
    return f"{_label(table, name)} {_text(before)} → {_text(after)}"


def _label(table: str, name: str) -> str:
    """A column by its Chinese name in the dictionary; what is no column (a catalogue's field) as it is."""
    from warehouse import schema

    try:
        return schema.table(table).column(name).zh
    except KeyError:
        return name


def _table_words(name: str) -> str:
    from warehouse import schema

    try:
        return f"{schema.table(name).zh} {name}"
    except KeyError:
        return name


def _text(value: object) -> str:
    text = "—" if value is None else str(value)
    if re.fullmatch(r"-?\d+\.\d+", text):
        text = text.rstrip("0").rstrip(".")
    return text if len(text) <= 60 else text[:57] + "…"


def _percent(value: Decimal | float | None) -> str:
    return "—" if value is None else f"{value:.2f}%"


def builds(home: Home = None, as_json: Json = False) -> None:
    """List the builds that are kept, oldest first."""
    from pipelines.settings import load_workspace
    from warehouse.builds import manifests

    rows = [
        {
            "number": m.number, "digest": m.digest, "built_at": m.built_at, "period": m.period,
            "rules": m.catalogue_digest, "released": m.is_released,
            "rows": sum(n for parts in m.tables.values() for n, _ in parts.values()),
        }
        for m in manifests(load_workspace(home))
    ]  # fmt: skip
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        sent = "  已发布,永久保存" if row["released"] else ""
        echo(
            f"#{row['number']} {row['digest'][:12]} {row['built_at']} UTC 报告期 {row['period'] or '—'} "
            f"目录 {row['rules'][:8]} {row['rows']} 行{sent}"
        )
    if not rows:
        echo("尚无保存的构建。")


def revisions(
    home: Home = None,
    source: Annotated[str | None, typer.Option(help="来源编号")] = None,
    by_lag: Annotated[bool, typer.Option("--by-lag", help="按距首次发布月数")] = False,
    as_json: Json = False,
) -> None:
    """Show how much each source revises its figures."""
    from pipelines.settings import load_workspace
    from warehouse.store import Warehouse, fetch

    with Warehouse(load_workspace(home)).reading() as connection:
        rows = fetch(
            connection,
            "FROM observations.revision_summary WHERE (lag_months IS NOT NULL) = $by_lag "
            "OR (NOT $by_lag AND n_revised = 0) ORDER BY source_id, indicator_id, measure, lag_months",
            {"by_lag": by_lag},
        )
    rows = [row for row in rows if source in (None, row["source_id"])]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, default=str, indent=1))
        return
    for row in rows:
        lag = "" if row["lag_months"] is None else f" 首发后第{row['lag_months']}月"
        echo(
            f"{row['source_id']} {row['indicator_id']} {MEASURE_ZH[row['measure']]}{lag}:"
            f"{row['n_figures']} 个数,修订 {row['n_revised']}({_percent(row['share_pct'])}),"
            f"平均 {_percent(row['mean_pct'])},平均绝对 {_percent(row['mean_abs_pct'])}"
        )
    if not rows:
        echo("尚无数值。")


def rebuild(
    period: Annotated[str, typer.Option(help="报告期 YYYY-MM")],
    edition: Annotated[int, typer.Option(help="版次")] = 1,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make an old edition again from archive and kept catalogue; compare tables and documents."""
    from pipelines.rebuild import rebuild_edition
    from pipelines.settings import load_workspace

    found = rebuild_edition(load_workspace(home), period, edition)
    if as_json:
        typer.echo(json.dumps(found.plain(), ensure_ascii=False, indent=1))
    else:
        echo(f"{period} 第{edition}版,原构建 #{found.number}({found.digest[:12]})")
        echo(f"表:{found.n_same} 个分区相同,{len(found.different)} 个不同")
        for line in found.different[:20]:
            echo(f"  不同:{line}")
        for name, same in found.documents.items():
            echo(f"文件:{name} {'逐字节相同' if same else '不同'}")
    if not found.is_same:
        raise typer.Exit(1)
