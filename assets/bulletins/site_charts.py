"""Charts of the site (网站的图): which rows each chart shows, for the whole scope.

Belongs here: the queries behind the ranking, target, growth and record charts. Does not belong here:
drawing (``charts``) or pages (``site``).
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

from assets.bulletins import charts, wording
from assets.bulletins.figures import MISSING, format_number
from assets.bulletins.site_select import Frame
from warehouse import store

if TYPE_CHECKING:
    import duckdb

JUDGED_BEHIND = ("behind", "far_behind")

_RANKS = """
SELECT score.scheme_id, score.class_id, score.asof_period, score.park_id, score.rank,
       coalesce(place.in_last_k, false) AS in_last_k, coalesce(place.k, 0) AS k
FROM assessment.score AS score
LEFT JOIN (
    SELECT scheme_id, class_id, asof_period, park_id, bool_or(in_last_k) AS in_last_k, max(k) AS k
    FROM assessment.last_place GROUP BY ALL
) AS place USING (scheme_id, class_id, asof_period, park_id)
WHERE left(score.asof_period, 4) = left($period, 4) AND score.asof_period <= $period
ORDER BY score.scheme_id, score.class_id, score.park_id, score.asof_period
"""
_GROWTH = """
SELECT area_code, asof_period, yoy_pct FROM indicators.area_year
WHERE area_level = $level AND scope = 'all' AND indicator_id = $lead
    AND left(asof_period, 4) = left($period, 4) AND asof_period <= $period
ORDER BY area_code, asof_period
"""
_RECORD = """
SELECT indicator_id, sum(n_forecasts) AS n,
       sum(covered_80 * n_forecasts) / nullif(sum(n_forecasts), 0) AS covered_80,
       sum(covered_90 * n_forecasts) / nullif(sum(n_forecasts), 0) AS covered_90,
       sum(covered_95 * n_forecasts) / nullif(sum(n_forecasts), 0) AS covered_95
FROM indicators.track_record
WHERE year = left($period, 4)::INTEGER AND list_contains($wanted, indicator_id)
GROUP BY ALL ORDER BY indicator_id
"""


def ranking_charts(
    connection: duckdb.DuckDBPyConnection, frame: Frame, names: dict[str, str]
) -> tuple[charts.Chart, ...]:
    """One bump chart a class of a scheme, for the parks of ``names``."""
    rows = store.fetch(connection, _RANKS, {"period": frame.period})
    drawn = []
    for number, ((scheme, class_id), found) in enumerate(
        groupby(rows, key=lambda r: (r["scheme_id"], r["class_id"]))
    ):
        chart = _ranking(frame, f"bump{number}", scheme, class_id, list(found), names)
        if chart is not None:
            drawn.append(chart)
    return tuple(drawn)


def _ranking(
    frame: Frame,
    chart_id: str,
    scheme: str,
    class_id: str,
    rows: list[dict[str, Any]],
    names: dict[str, str],
) -> charts.Chart | None:
    periods = sorted({row["asof_period"] for row in rows})
    if not periods or periods[-1] != frame.period:
        return None
    by_park: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    ranked: dict[str, list[int]] = {period: [] for period in periods}
    for row in rows:
        if row["park_id"] in names:
            by_park[row["park_id"]][row["asof_period"]] = row
        if row["rank"] is not None:
            ranked[row["asof_period"]].append(row["k"])
    lines = [
        charts.RankLine(
            names[park],
            tuple(found.get(p, {}).get("rank") for p in periods),
            bool(found.get(frame.period, {}).get("in_last_k")),
        )
        for park, found in by_park.items()
        if found.get(frame.period, {}).get("rank") is not None
    ]
    if not lines:
        return None
    zones = [(len(found), max(found, default=0)) for found in ranked.values()]
    title = frame.schemes.get(scheme, scheme) + frame.classes.get((scheme, class_id), "")
    return charts.bump(chart_id, title, [f"{int(p[5:])}月" for p in periods], lines, zones)


def goal_chart(verdicts: list[dict[str, Any]], frame: Frame) -> charts.Chart | None:
    """Bullet of the scope's targets that have a completion and a pace; None without any."""
    rows = [
        charts.BulletRow(
            label=row["title"],
            share=100.0 if row["verdict"] == "met" else float(_done(row)),
            text="" if row["verdict"] == "met" else format_number(_done(row), 1),
            pace=None if row["time_progress_pct"] is None else float(row["time_progress_pct"]),
            pace_text=format_number(row["time_progress_pct"], 1),
            word=wording.verdict_word(row["verdict"]),
            behind=row["verdict"] in JUDGED_BEHIND,
        )
        for row in verdicts
        if (row["gap_pp"] is not None or row["verdict"] == "met")
        and row["time_progress_pct"] is not None
        and row["verdict"] in wording.JUDGED
    ]  # fmt: skip
    what = wording.period_words(frame.period)
    return charts.bullet("goals", what, rows) if rows else None


def _done(row: dict[str, Any]) -> Decimal:
    """Share of the way covered, which the gap is measured with (folded progress)."""
    return Decimal(row["gap_pp"]) + Decimal(row["time_progress_pct"])


def growth_chart(
    connection: duckdb.DuckDBPyConnection, frame: Frame, level: str, codes: set[str]
) -> charts.Chart | None:
    """Growth of the lead indicator by area over the year, small multiples; None without areas."""
    values = {"period": frame.period, "lead": frame.lead.indicator_id, "level": level}
    rows = [r for r in store.fetch(connection, _GROWTH, values) if r["area_code"] in codes]
    periods = sorted({row["asof_period"] for row in rows})
    if not periods or periods[-1] != frame.period:
        return None
    panels = []
    for code, found in groupby(rows, key=lambda r: r["area_code"]):
        by_period = {row["asof_period"]: row["yoy_pct"] for row in found}
        now = by_period.get(frame.period)
        text = MISSING if now is None else f"{'+' if now > 0 else ''}{format_number(now, 1)}%"
        known = tuple(None if (v := by_period.get(p)) is None else float(v) for p in periods)
        bad = now is not None and wording.sign(now, 1) < 0
        panels.append(charts.Panel(frame.regions.get(code, code), known, text, bad))
    falls = [panel.name for panel in panels if panel.bad]
    title = (
        f"{wording.period_words(frame.period)}{frame.lead.name_zh}：{_falling(falls, len(panels))}"
    )
    note = "累计同比增速（%），各图同一纵轴，灰线为零；缺月断开"
    return charts.multiples("growth", title, note, [f"{int(p[5:])}月" for p in periods], panels)


def _falling(falls: list[str], n: int) -> str:
    if not falls:
        return f"{n}个地区没有同比下降的"
    if len(falls) == n:
        return f"{n}个地区同比全部下降"
    return f"{n}个地区中{len(falls)}个同比下降（{'、'.join(falls)}）"


def record_chart(connection: duckdb.DuckDBPyConnection, frame: Frame) -> charts.Chart | None:
    """Share of past forecasts inside their intervals against what the intervals claim."""
    wanted = [indicator.indicator_id for indicator in frame.indicators]
    rows = store.fetch(connection, _RECORD, {"period": frame.period, "wanted": wanted})
    names = {indicator.indicator_id: indicator.name_zh for indicator in frame.indicators}
    points = [
        (
            f"{names[row['indicator_id']]}{level}%区间（{row['n']}次）",
            float(level),
            float(row[f"covered_{level}"]),
            f"{row[f'covered_{level}']:.1f}",
        )
        for row in rows
        for level in (80, 90, 95)
        if row[f"covered_{level}"] is not None
    ]
    if not points:
        return None
    short = sum(came < said - 5 for _, said, came, _ in points)
    told = (
        f"{short}个的实际覆盖比所称低5个百分点以上"
        if short
        else "实际覆盖都不比所称低5个百分点以上"
    )
    return charts.reliability(
        "record",
        f"{len(points)}个推算区间中，{told}",
        "以往各年推算区间实际包含全年数的比例；落在虚线上方为偏保守，下方为过于自信",
        points,
    )
