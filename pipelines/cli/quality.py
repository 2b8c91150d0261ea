"""Audit rules at the command line: list them, try them on history, accept a 核实 finding.

Belongs here: taking the words of a command and showing what came of it. Does not belong here: rules
(``warehouse/catalog``), judging (``warehouse.rule_outcomes``), what a waiver does to a finding.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.intake import Home, Who
from pipelines.cli.screen import echo

if TYPE_CHECKING:
    from warehouse.catalog.load import Catalog
    from warehouse.catalog.rules import Rule
    from warehouse.workspace import Workspace

SEVERITY_ZH = {"error": "错误", "verify": "核实", "hint": "提示"}


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("rules", help="列出审核规则及其命中率;--dry-run 用现行规则试算历史各期。")(rules)
    app.command("waive", help="放行一条核实:情况属实,登记审核人、原因和期限。")(waive)


# --- rules ----------------------------------------------------------------------------------------


def rules(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="用现行规则目录试算,不改动数据")
    ] = False,
    since: Annotated[str | None, typer.Option("--from", help="起始报告期 YYYY-MM")] = None,
    to: Annotated[str | None, typer.Option("--to", help="终止报告期 YYYY-MM")] = None,
    rule: Annotated[str | None, typer.Option("--rule", help="只看这一条规则")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出")] = False,
    home: Home = None,
) -> None:
    """List the rules with how often each passed and failed, or try today's rules on history."""
    from pipelines.cli.workspace import UsageError
    from pipelines.settings import load_workspace
    from warehouse.catalog.load import load_catalog

    workspace = load_workspace(home)
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    known = {item.rule_id: item for item in catalog.rules}
    if rule is not None and rule not in known:
        raise UsageError(f"没有规则 {rule};全部规则见 parkwatch rules")
    first, last = _period(since, "0000-00"), _period(to, "9999-99")
    counts = _tried(workspace, catalog, first, last) if dry_run else _published(workspace)
    rows = [
        row for row in counts
        if first <= row["period"] <= last and rule in (None, row["rule_id"])
    ]  # fmt: skip
    wanted = [known[rule]] if rule else sorted(known.values(), key=lambda r: r.rule_id)
    if as_json:
        typer.echo(json.dumps(_as_json(wanted, rows), ensure_ascii=False, indent=1))
    else:
        _show(wanted, rows, by_period=dry_run)


def _period(text: str | None, otherwise: str) -> str:
    from pipelines.cli.workspace import UsageError
    from pipelines.settings import PERIOD

    if text is not None and not PERIOD.fullmatch(text):
        raise UsageError(f"报告期应写作 YYYY-MM,读到 {text}")
    return text or otherwise


def _published(workspace: Workspace) -> list[dict[str, Any]]:
    """Counts as of the last publication; none before the first."""
    from warehouse.store import Warehouse, fetch

    warehouse = Warehouse(workspace)
    if not warehouse.has_published():
        return []
    with warehouse.reading() as connection:
        return fetch(connection, "FROM quality.rule_outcome ORDER BY rule_id, period")


def _tried(workspace: Workspace, catalog: Catalog, first: str, last: str) -> list[dict[str, Any]]:
    """Counts of today's rules over a copy of what is published, thrown away afterwards."""
    from assets.submissions.audit import surroundings
    from quality.rules.compile import compile_rules
    from warehouse.rule_outcomes import try_on_history

    if not workspace.warehouse_file.exists():
        from warehouse.store import NothingPublishedError

        raise NothingPublishedError("尚无已发布的数据,不能试算;请先运行 parkwatch run")
    with tempfile.TemporaryDirectory(prefix="parkwatch-rules-") as folder:
        copy = Path(folder) / "try.duckdb"
        shutil.copyfile(workspace.warehouse_file, copy)

        def around(periods: list[str]) -> Any:
            return surroundings(catalog, periods, workspace.first_month, workspace.timezone)

        return try_on_history(copy, compile_rules(catalog), around, first, last)


def _hit_rate(rows: list[dict[str, Any]]) -> float | None:
    failed, passed = sum(r["n_fail"] for r in rows), sum(r["n_pass"] for r in rows)
    return failed / (failed + passed) if failed + passed else None


def _as_json(wanted: list[Rule], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **rule.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            "hit_rate": _hit_rate([r for r in rows if r["rule_id"] == rule.rule_id]),
            "outcomes": [r for r in rows if r["rule_id"] == rule.rule_id],
        }
        for rule in wanted
    ]


def _show(wanted: list[Rule], rows: list[dict[str, Any]], *, by_period: bool) -> None:
    for rule in wanted:
        mine = [row for row in rows if row["rule_id"] == rule.rule_id]
        rate = _hit_rate(mine)
        state = "" if rule.enabled else "(已停用)"
        shown = "未作判断" if rate is None else f"不通过 {rate:.2%}"
        message = rule.message.replace("{item}", "某指标")
        echo(
            f"{rule.rule_id:6} {SEVERITY_ZH[rule.severity]} {message}{state}  {_sums(mine)} {shown}"
        )
        if by_period:
            for row in mine:
                missing = f"  缺:{row['missing']}" if row["missing"] else ""
                echo(f"       {row['period']} {_sums([row])}{missing}")


def _sums(rows: list[dict[str, Any]]) -> str:
    names = (
        ("通过", "n_pass"),
        ("不通过", "n_fail"),
        ("无法判断", "n_not_evaluable"),
        ("出错", "n_error"),
    )
    return " ".join(f"{zh} {sum(row[name] for row in rows)}" for zh, name in names)


# --- waivers --------------------------------------------------------------------------------------


def waive(
    rule: Annotated[str, typer.Argument(help="规则编号,如 V081")],
    reason: Annotated[str, typer.Option(help="情况说明")],
    until: Annotated[str, typer.Option(help="期限 YYYY-MM-DD:最后一天在此之前(含)的报告期有效")],
    park: Annotated[str | None, typer.Option(help="园区编号")] = None,
    file: Annotated[str | None, typer.Option(help="报送件编号(摘要)的前几位")] = None,
    by: Who = None,
    home: Home = None,
) -> None:
    """Record that findings of a rule are accepted for a park or a file until a day."""
    import getpass

    from pipelines.cli.intake import _find
    from pipelines.cli.workspace import UsageError
    from pipelines.settings import load_workspace
    from warehouse.catalog.load import load_catalog
    from warehouse.state import State
    from warehouse.waivers import Waiver, Waivers

    workspace = load_workspace(home)
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    _refuse(catalog, rule, park, file, reason)
    try:
        last_day = date.fromisoformat(until)
    except ValueError:
        raise UsageError(f"期限应写作 YYYY-MM-DD,读到 {until}") from None
    state = State(workspace.state_file)
    submission = _find(state, file)["sha256"] if file else None
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    waiver = Waiver(rule, park, submission, now, by or getpass.getuser(), reason.strip(), last_day)
    number = Waivers(state).add(waiver)
    what = "、".join(part for part in (park, f"报送件 {file}" if file else "") if part)
    echo(f"已登记放行第 {number} 号:{rule},{what},至 {last_day}:{reason}")
    echo("下次运行 parkwatch run 时生效;到期后同样的问题会再次提出")


def _refuse(
    catalog: Catalog, rule_id: str, park: str | None, file: str | None, reason: str
) -> None:
    """Raise UsageError for a waiver that cannot be: unknown rule or park, 错误, no subject."""
    from pipelines.cli.workspace import UsageError

    found = next((r for r in catalog.rules if r.rule_id == rule_id), None)
    if found is None:
        raise UsageError(f"没有规则 {rule_id};全部规则见 parkwatch rules")
    if found.severity == "error":
        raise UsageError(f"{rule_id} 是错误(强制性),不能放行;请退回更正,或由管理员修改规则目录")
    if park is None and file is None:
        raise UsageError("请用 --park 或 --file 写明放行哪个园区或哪个报送件")
    if park is not None and park not in {p.park_id for p in catalog.parks}:
        raise UsageError(f"园区登记中没有 {park}")
    if not reason.strip():
        raise UsageError("放行须写明原因")
