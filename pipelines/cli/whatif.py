"""``parkwatch whatif``: the least change with which a park would leave the last places.

Belongs here: printing the ways out of one park. Does not belong here: computing them (``methods.way_out``,
stored by the run). For assessment posts: it is never sent to those who report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any

import typer

from pipelines.cli.data import Home, Json, Period, asked, print_json, reading
from pipelines.cli.screen import echo


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("whatif", help="一个园区脱离末位所需的最少变化(仅供考核岗位,不得转发填报单位)。")(
        whatif
    )


def whatif(
    park: Annotated[str, typer.Argument(help="园区编号、全称或简称")],
    period: Period = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Print risk and ways out of one park under every scheme it is ranked in."""
    from pipelines.settings import load_workspace
    from warehouse.catalog.load import load_catalog
    from warehouse.explain import NotFoundError
    from warehouse.store import fetch

    with reading(home) as connection:
        asked(connection, period, "assessment.risk")
        rows = fetch(connection, _RISK, [park, period])
        ways = fetch(connection, _WAYS, [park, period])
    if not rows:
        raise NotFoundError(
            f"没有园区“{park}”在该报告期的末位风险:名称须与登记一致(parkwatch watch --all 可查),"
            "且园区须参与某个方案的排名"
        )
    workspace = load_workspace(home)
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    for row in rows:
        row["why_empty"] = _why_empty(row, catalog.scheme(row["scheme_id"]).watch.calibrated_pct)
    if as_json:
        told = [
            row | {"ways": [w for w in ways if w["scheme_id"] == row["scheme_id"]]} for row in rows
        ]
        print_json(told)
        return
    echo("模拟名次,非正式考核结果;仅供考核岗位研判,不得转发填报单位,不作为填报依据")
    for row in rows:
        mine = [way for way in ways if way["scheme_id"] == row["scheme_id"]]
        echo("\n".join(_words(row, mine)))


def _words(row: Mapping[str, Any], ways: list[Mapping[str, Any]]) -> Iterator[str]:
    from methods.risk_words import printable

    head = f"\n{row['name']}({row['park_id']}) {row['scheme_id']} {row['class_id']}:"
    if row["p_last_k"] is None:
        yield f"{head}{row['why_empty']};也不测算脱离末位所需的变化"
        return
    shown = printable(float(row["p_last_k"]), row["draws"])
    yield (
        f"{head}推算年末位于末{row['k']}位的概率{shown},{_places(row)}(共{row['n']}个,"
        f"有往年误差记录的指标占计分权重的{int(row['calibrated_pct'])}%)"
    )
    if not ways:
        yield "  概率低于20%、高于98%或年度已结束,不作测算"
    for way in ways:
        yield f"  {_way(way)}"
    if ways:
        yield "  其他园区按推算不变;以80%的把握脱离末位计;名额不变,总有园区位于末位"


def _why_empty(row: Mapping[str, Any], least_pct: Decimal) -> str:
    """Why the park's chance is not given; empty where it is."""
    from methods.risk_words import why_no_chance

    if row["p_last_k"] is not None:
        return ""
    return why_no_chance(row["k"], row["calibrated_pct"], least_pct)


def _places(row: Mapping[str, Any]) -> str:
    low, high = row["rank_p10"], row["rank_p90"]
    return f"名次多在第{low}至第{high}名之间" if low < high else f"名次多为第{low}名"


def _way(way: Mapping[str, Any]) -> str:
    if way["lever"] == "*":
        if way["extra_amount"] is None:
            return "各项指标同时改善也难以脱离末位"
        return f"各项指标同时改善{way['extra_amount']:.1f}%"
    name, unit = way["name_zh"], way["unit"]
    if way["extra_amount"] is None:
        return f"仅靠{name}不能脱离末位"
    word = "增加" if way["extra_amount"] >= 0 else "减少"
    share = ""
    if way["pct_of_remaining"] is not None:
        of = "余下各月推算数" if way["kind"] == "flow" else "推算数"
        share = f",相当于{of}的{abs(way['pct_of_remaining']):.1f}%"
    rare = "" if way["realistic"] else ";以往偏差很少达到,难以指望"
    return f"{name}:全年比推算再{word}{abs(way['extra_amount']):.2f}{unit}{share}{rare}"


_PARK = """
JOIN dims.park AS park
    ON park.park_id = one.park_id
    AND park.valid_from <= last_day((one.asof_period || '-01')::DATE)
    AND coalesce(park.valid_to, DATE '9999-12-31') > last_day((one.asof_period || '-01')::DATE)
WHERE $1 IN (one.park_id, park.name, park.short_name)
    AND one.asof_period = coalesce($2, (SELECT max(asof_period) FROM assessment.risk))
"""
_WATCH = """
LEFT JOIN assessment.watch AS watch
    ON watch.scheme_id = one.scheme_id AND watch.class_id = one.class_id
    AND watch.park_id = one.park_id AND watch.asof_period = one.asof_period
"""
_RISK = f"""
SELECT one.* REPLACE (
           watch.p_last_k AS p_last_k, watch.p_exit AS p_exit,
           watch.rank_p10 AS rank_p10, watch.rank_p90 AS rank_p90
       ),
       coalesce(nullif(park.short_name, ''), park.name) AS name
FROM assessment.risk AS one {_WATCH} {_PARK}
ORDER BY one.scheme_id
"""
"""Chances as the watch list has them: empty where too little of the weight has known past errors."""
_WAYS = f"""
SELECT one.*, indicator.name_zh, indicator.kind
FROM assessment.way_out AS one
LEFT JOIN dims.indicator AS indicator ON indicator.indicator_id = one.lever {_WATCH} {_PARK}
    AND watch.p_last_k IS NOT NULL
ORDER BY one.scheme_id, one.lever = '*', NOT one.realistic, one.surprise_pct, one.lever
"""
