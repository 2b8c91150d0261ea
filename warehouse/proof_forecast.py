"""Proof of forecasts and of the risk of ending last: what each was computed from.

Belongs here: following ``indicators.nowcast`` and ``assessment.risk`` to the figures behind them. Does
not belong here: making forecasts (``methods``), the proof of figures themselves (``warehouse.explain``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from warehouse.proof import Step, plain, words_of
from warehouse.store import fetch

if TYPE_CHECKING:
    import duckdb

Prove = Callable[[str, str, str], Step]
"""Proof of a park's indicator at the end of a period."""

METHODS = {
    "none": "不推算", "reported": "已是全年数", "median3": "近三年季节进度中位数", "share": "季节进度",
    "class_share": "同组季节进度", "remainder": "余下月份", "difference": "由其他推算相减",
}  # fmt: skip


def nowcast(
    connection: duckdb.DuckDBPyConnection,
    park_id: str,
    indicator_id: str,
    period: str,
    prove: Prove,
) -> Step | None:
    """A forecast, the figures of its year and of the years behind it, and its record of errors.

    None when there is no such forecast.
    """
    rows = fetch(
        connection,
        "FROM indicators.nowcast WHERE park_id = ? AND indicator_id = ? AND asof_period = ?",
        [park_id, indicator_id, period],
    )
    if not rows:
        return None
    row = rows[0]
    step = Step(_words(row))
    year = int(row["year"])
    step.parts = [prove(park_id, indicator_id, row["last_period"] or period)]
    earlier = fetch(
        connection,
        "SELECT asof_period FROM indicators.park_year WHERE park_id = ? AND indicator_id = ? "
        "AND year BETWEEN ? AND ? AND right(asof_period, 2) IN ('12', right(?, 2)) "
        "AND value IS NOT NULL ORDER BY asof_period",
        [park_id, indicator_id, year - (row["n_history"] or 0), year - 1, period],
    )
    step.parts += [prove(park_id, indicator_id, past["asof_period"]) for past in earlier]
    if row["method"] == "class_share":
        step.parts.append(_class(connection, row))
    step.parts.append(_record(connection, row))
    return step


def area(connection: duckdb.DuckDBPyConnection, key: dict[str, Any], prove: Prove) -> Step:
    """An area's forecast and the forecasts of its parks it adds up: the first in full, the others by
    name."""
    asked = [key["area_code"], key["indicator_id"], key["asof_period"]]
    rows = fetch(
        connection,
        "FROM indicators.area_nowcast WHERE area_code = ? AND indicator_id = ? AND asof_period = ?",
        asked,
    )
    if not rows:
        return Step(f"indicators.area_nowcast {words_of(key)}:无此行", ground="absence")
    row = rows[0]
    step = Step(
        f"地区全年推算 {row['area_code']} {row['indicator_id']} {row['year']}年:{plain(row['point'])},"
        f"80%区间 {plain(row['p10'])} 至 {plain(row['p90'])};{row['n_parks']} 个园区的推算相加,"
        "误差按以往年份同样的合计"
    )
    parks = fetch(
        connection,
        "SELECT DISTINCT park_id, point FROM indicators.nowcast AS said JOIN dims.park USING (park_id) "
        "WHERE $1 IN (province_code, city_code, coalesce(nullif(home_county_code, ''), county_code)) "
        "AND indicator_id = $2 AND asof_period = $3 ORDER BY park_id",
        asked,
    )
    for place, park in enumerate(parks):
        first = (
            nowcast(connection, park["park_id"], asked[1], asked[2], prove) if not place else None
        )
        step.parts.append(first or Step(f"园区 {park['park_id']} 推算 {plain(park['point'])}"))
    return step


def _words(row: dict[str, Any]) -> str:
    method = METHODS.get(row["method"], row["method"])
    record = "已校准" if row["calibrated"] else "未校准,仅供参考"
    return (
        f"全年推算 {row['park_id']} {row['indicator_id']} {row['year']}年(截至 {row['asof_period']}):"
        f"{plain(row['point'])},80%区间 {plain(row['p10'])} 至 {plain(row['p90'])};方法 {method}"
        f"({row['method']}),历史 {row['n_history']} 年,季节进度 {plain(row['seasonal_pct'])}%,{record}"
    )


def _class(connection: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> Step:
    """Parks with a full year behind them, whose course a park without its own history follows."""
    found = fetch(
        connection,
        "SELECT count(DISTINCT park_id) AS n, count(*) AS n_years FROM indicators.park_year "
        "WHERE indicator_id = ? AND year < ? AND right(asof_period, 2) = '12' AND value IS NOT NULL",
        [row["indicator_id"], row["year"]],
    )[0]
    return Step(
        f"本园区历史不足,季节进度取自同组其他园区;{row['indicator_id']} 有完整年度数的园区共 "
        f"{found['n']} 个、{found['n_years']} 个年度"
    )


def _record(connection: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> Step:
    """How forecasts of this indicator made in this month ended in past years."""
    found = fetch(
        connection,
        "FROM indicators.track_record WHERE indicator_id = ? AND year = ? AND month = ?",
        [row["indicator_id"], row["year"], int(row["asof_period"][5:])],
    )
    if not found:
        return Step(f"推算检验记录:{row['indicator_id']} 尚无往年记录")
    record = found[0]
    return Step(
        f"推算检验记录:{row['indicator_id']} {record['month']}月推算 {record['n_forecasts']} 次"
        f"({record['n_years']} 年),80%区间实际包含 {plain(record['covered_80'])}%,"
        f"平均误差 {plain(record['mape'])}%"
    )


def record(connection: duckdb.DuckDBPyConnection, key: dict[str, Any], prove: Prove) -> Step:
    """A record of errors and the year-end figures the replayed forecasts met: the first in full, the
    others by name."""
    year, month = int(key["year"]), int(key["month"])
    named = {
        "indicator_id": key["indicator_id"],
        "year": year,
        "asof_period": f"{year}-{month:02d}",
    }
    step = _record(connection, named)
    met = fetch(
        connection,
        "SELECT park_id, asof_period, value FROM indicators.park_year "
        "WHERE indicator_id = $1 AND right(asof_period, 2) = '12' AND value IS NOT NULL "
        "AND year BETWEEN $2 - (SELECT max(n_years) FROM indicators.track_record "
        "WHERE indicator_id = $1 AND year = $2 AND month = $3) AND $2 - 1 "
        "ORDER BY asof_period DESC, park_id",
        [key["indicator_id"], year, month],
    )
    for place, row in enumerate(met):
        asks = (row["park_id"], key["indicator_id"], row["asof_period"])
        words = f"年终实际 {row['park_id']} {row['asof_period']} = {plain(row['value'])}"
        step.parts.append(Step(words, asks=asks) if place else prove(*asks))
    return step


def risk(
    connection: duckdb.DuckDBPyConnection,
    scheme_id: str,
    park_id: str,
    period: str,
    prove: Prove,
) -> Step | None:
    """The simulated end of the year for a park and every forecast of its own that went into it.

    None when the park was not simulated.
    """
    key = [scheme_id, park_id, period]
    rows = fetch(
        connection,
        "FROM assessment.risk WHERE scheme_id = ? AND park_id = ? AND asof_period = ?",
        key,
    )
    if not rows:
        return None
    row = rows[0]
    step = Step(
        f"末位风险 {scheme_id} 组 {row['class_id']} {park_id} {period}:年末位于末 {row['k']} 位"
        f"(共 {row['n']} 个)的概率 {plain(row['p_last_k'])},达到退出条件的概率 "
        f"{plain(row['p_exit'])},名次区间 {row['rank_p10']}—{row['rank_p90']};抽样 {row['draws']} 次,"
        f"有误差记录的权重 {plain(row['calibrated_pct'])}%,抽样摘要 {str(row['scores_digest'])[:12]}"
        "(模拟,非正式考核结果)。同组各园区的推算一并抽样,下列为本园区的"
    )
    used = fetch(
        connection,
        "SELECT DISTINCT split_part(indicator_id, '.', 1) AS indicator_id "
        "FROM assessment.score_detail WHERE scheme_id = ? AND park_id = ? AND asof_period = ? "
        "AND measure NOT IN ('adjustment', 'penalty') ORDER BY 1",
        key,
    )
    for item in used:
        forecast = nowcast(connection, park_id, item["indicator_id"], period, prove)
        step.parts.append(forecast or Step(f"{item['indicator_id']}:没有全年推算"))
    return step
