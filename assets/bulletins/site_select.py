"""Selection for the site (网站选数): published rows, in parts of the register, as printed words.

Belongs here: the queries of the site's pages and turning rows into text. Does not belong here: pages
and files (``site``), drawing (``charts``), or judging. Every printed number carries its stored value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from assets.bulletins import charts, wording
from assets.bulletins.data import Indicator
from assets.bulletins.figures import MISSING, display_unit, format_number
from methods.risk_words import printable, why_no_chance
from warehouse import store
from warehouse.words import STATE_ZH

if TYPE_CHECKING:
    import duckdb

FINDINGS_SHOWN = 8
"""Open findings listed on a park's page; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Number:
    """A printed number: text with unit, the stored value it prints (empty: none)."""

    text: str
    stored: str = ""

    @classmethod
    def of(
        cls, value: Decimal | None, unit: str, decimals: int, *, with_unit: bool = False
    ) -> Number:
        """Printed in the display unit of ``unit``; missing prints —, never 0."""
        if value is None:
            return cls(MISSING)
        shown, factor, places = display_unit(unit, decimals)
        text = format_number(value * factor, places, below_unit=True)
        return cls(text + shown if with_unit else text, format_number(value, None))


@dataclass(frozen=True, slots=True)
class MainFigure:
    """One main indicator of a park in the newest period."""

    indicator_id: str
    name: str
    unit: str
    value: Number
    yoy: Number
    state: str
    spark: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict as printed; ``light`` gives the badge, ``word`` says the same."""

    light: str
    word: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A park under one scheme in the newest period, with the periods before."""

    scheme: str
    class_name: str
    note: str
    official: bool
    rank: str
    light: str
    word: str
    places: str
    probability: str
    triggers: str
    ways: tuple[tuple[str, str, str], ...]
    history: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class ParkPage:
    """Everything one park's page says, as text."""

    park_id: str
    name: str
    place: str
    city: str
    kind: str
    active: bool
    simulated: bool
    figures: tuple[MainFigure, ...]
    history: tuple[tuple[str, tuple[Number, ...]], ...]
    verdicts: tuple[Judged, ...]
    standings: tuple[Standing, ...]
    missing: tuple[str, ...]
    findings: tuple[str, ...]
    n_findings: int
    fan: charts.Chart | None
    period: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """What all parks' pages share: periods, indicators, and the names the catalogue gives.

    ``least_calibrated``: scheme → share of the weight (per cent) that must rest on known past errors
    before a chance is printed.
    """

    period: str
    periods: tuple[str, ...]
    indicators: tuple[Indicator, ...]
    lead: Indicator
    regions: Mapping[str, str]
    schemes: Mapping[str, str]
    classes: Mapping[tuple[str, str], str]
    targets: Mapping[str, str]
    least_calibrated: Mapping[str, Decimal]
    ranks: bool = True
    verdicts: bool = True


_REGISTER = """
SELECT * FROM dims.park
WHERE $scope IN (province_code, city_code, county_code, coalesce(home_county_code, ''))
QUALIFY row_number() OVER (PARTITION BY park_id ORDER BY valid_from DESC) = 1
ORDER BY city_code, park_id
"""
_FIGURES = """
SELECT park_id, indicator_id, asof_period, value, yoy_pct, state FROM indicators.park_year
WHERE list_contains($parks, park_id) AND list_contains($wanted, indicator_id)
    AND asof_period >= $since AND asof_period <= $period
"""
_VERDICTS = """
SELECT * FROM targets.verdict
WHERE asof_period = $period AND list_contains($parks, park_id)
ORDER BY park_id, target_id, scope_code
"""
_STANDINGS = """
SELECT watch.*, score.rank, score.n, score.eligible, score.exclusion_reason, score.official,
       basis.label, risk.draws, risk.k, risk.calibrated_pct
FROM assessment.score AS score
LEFT JOIN assessment.watch AS watch USING (scheme_id, class_id, park_id, asof_period)
LEFT JOIN assessment.risk AS risk USING (scheme_id, class_id, park_id, asof_period)
LEFT JOIN assessment.basis AS basis USING (scheme_id, asof_period)
WHERE list_contains($parks, score.park_id) AND score.asof_period <= $period
    AND left(score.asof_period, 4) = left($period, 4)
ORDER BY score.park_id, score.scheme_id, score.asof_period
"""
_WAYS = """
SELECT way.*, indicator.name_zh FROM assessment.way_out AS way
JOIN assessment.watch AS watch USING (scheme_id, class_id, park_id, asof_period)
LEFT JOIN dims.indicator AS indicator ON indicator.indicator_id = way.lever
WHERE way.asof_period = $period AND list_contains($parks, way.park_id) AND watch.p_last_k IS NOT NULL
ORDER BY way.park_id, way.scheme_id, way.lever = '*', NOT way.realistic, way.surprise_pct, way.lever
"""
_FINDINGS = """
SELECT park_id, message, finding_id, severity FROM quality.finding
WHERE period = $period AND list_contains($parks, park_id) AND outcome = 'fail'
    AND lifecycle NOT IN ('resolved', 'waived')
ORDER BY park_id, array_position(['error', 'verify', 'hint'], severity), rule_id, finding_id
"""
_NOWCAST = """
SELECT * FROM indicators.nowcast
WHERE asof_period = $period AND indicator_id = $lead AND list_contains($parks, park_id)
"""


def register(connection: duckdb.DuckDBPyConnection, scope: str) -> list[dict[str, Any]]:
    """Newest row of every park of the scope, left ones too, by city and id."""
    return store.fetch(connection, _REGISTER, {"scope": scope})


def park_pages(
    connection: duckdb.DuckDBPyConnection, frame: Frame, parks: Sequence[Mapping[str, Any]]
) -> list[ParkPage]:
    """Pages of some parks of the register; a few hundred at a time keep memory low."""
    ids = [park["park_id"] for park in parks]
    values: dict[str, Any] = {"parks": ids, "period": frame.period}

    def rows(query: str, **more: Any) -> dict[str, list[dict[str, Any]]]:
        return _by_park(store.fetch(connection, query, values | more))

    since = f"{int(frame.period[:4]) - 1}-01"
    figures = rows(_FIGURES, wanted=[i.indicator_id for i in frame.indicators], since=since)
    verdicts = rows(_VERDICTS) if frame.verdicts else {}
    standings = rows(_STANDINGS) if frame.ranks else {}
    ways = rows(_WAYS) if frame.ranks else {}
    findings = rows(_FINDINGS)
    nowcasts = rows(_NOWCAST, lead=frame.lead.indicator_id)
    return [
        _page(
            frame, park, figures.get(key, []), verdicts.get(key, []),
            _standings(frame, standings.get(key, []), ways.get(key, [])),
            findings.get(key, []), nowcasts.get(key, []),
        )
        for park in parks
        for key in (park["park_id"],)
    ]  # fmt: skip


def _by_park(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["park_id"]].append(row)
    return found


def _page(
    frame: Frame,
    park: Mapping[str, Any],
    figures: Sequence[Mapping[str, Any]],
    verdicts: Sequence[Mapping[str, Any]],
    standings: tuple[Standing, ...],
    findings: Sequence[Mapping[str, Any]],
    nowcasts: Sequence[Mapping[str, Any]],
) -> ParkPage:
    known = {(row["indicator_id"], row["asof_period"]): row for row in figures}
    regions = frame.regions
    city, county = (regions.get(park[c] or "", "") for c in ("city_code", "county_code"))
    main = tuple(_main(frame, indicator, known) for indicator in frame.indicators)
    return ParkPage(
        park_id=park["park_id"],
        name=park["name"],
        place=f"{city}{county}",
        city=city,
        kind="、".join(word for word in (park["kind"], park["level"]) if word),
        active=(park["status"] or "active") == "active",
        simulated=bool(park["simulated"]),
        figures=main,
        history=tuple(_months(frame, known)),
        verdicts=tuple(
            Judged(
                row["light"],
                wording.LIGHTS[row["light"]],
                frame.targets.get(row["target_id"], row["target_id"]),
                row["reason"] or "",
            )
            for row in verdicts
        ),
        standings=standings,
        missing=tuple(f"{f.name}：{f.state}" for f in main if f.value.text == MISSING),
        findings=tuple(str(row["message"]) for row in findings[:FINDINGS_SHOWN]),
        n_findings=len(findings),
        fan=_fan(frame, known, nowcasts[0]) if nowcasts else None,
    )


# --- figures --------------------------------------------------------------------------------------

Known = Mapping[tuple[str, str], Mapping[str, Any]]


def _main(frame: Frame, indicator: Indicator, known: Known) -> MainFigure:
    row = known.get((indicator.indicator_id, frame.period), {})
    unit, _, _ = display_unit(indicator.unit, indicator.decimals)
    year = int(frame.period[:4])

    def months(of: int) -> list[float | None]:
        found = (known.get((indicator.indicator_id, f"{of}-{m:02d}"), {}) for m in range(1, 13))
        return [None if r.get("value") is None else float(r["value"]) for r in found]

    return MainFigure(
        indicator_id=indicator.indicator_id,
        name=indicator.name_zh,
        unit=unit,
        value=Number.of(row.get("value"), indicator.unit, indicator.decimals),
        yoy=Number.of(row.get("yoy_pct"), "%", 1),
        state=STATE_ZH.get(row.get("state") or "unknown", "无数值"),
        spark=charts.sparkline(
            f"{indicator.name_zh}：实线为{year}年各月累计（或期末），虚线为{year - 1}年",
            months(year - 1),
            months(year),
        ),
    )


def _months(frame: Frame, known: Known) -> Iterable[tuple[str, tuple[Number, ...]]]:
    """Newest period first."""
    for period in reversed(frame.periods):
        cells = (known.get((i.indicator_id, period), {}).get("value") for i in frame.indicators)
        numbers = tuple(
            Number.of(value, i.unit, i.decimals)
            for value, i in zip(cells, frame.indicators, strict=True)
        )
        yield period, numbers


def _fan(frame: Frame, known: Known, row: Mapping[str, Any]) -> charts.Chart | None:
    """Months reported so far and the year's forecast of the lead indicator; None without figures."""
    unit, factor, places = display_unit(frame.lead.unit, frame.lead.decimals)
    year = frame.period[:4]

    def text(value: Decimal) -> str:
        return format_number(value * factor, places)

    reported = [
        (month, found["value"])
        for month in range(1, 13)
        if (found := known.get((frame.lead.indicator_id, f"{year}-{month:02d}")))
        and found["value"] is not None
    ]
    if not reported or row["p50"] is None or reported[-1][0] == 12:
        return None
    bands = [
        charts.Band(
            f"{level}%区间", float(row[low]), float(row[high]), text(row[low]), text(row[high])
        )
        for level, low, high in ((90, "p05", "p95"), (80, "p10", "p90"), (50, "p25", "p75"))
        if row[low] is not None and row[high] is not None
    ]
    if not bands:
        return None
    within = next((band for band in bands if band.name.startswith("80")), bands[0])
    return charts.fan(
        "fan",
        f"{year}年{frame.lead.name_zh}推算为{within.text}{unit}（{within.name}），中位数{text(row['p50'])}{unit}",
        f"单位：{unit}。实线为已报累计，虚线为推算中位数，色带由浅到深为"
        + "、".join(band.name for band in bands)
        + ("" if row["calibrated"] else "；该指标的历史不足，区间未经检验"),
        [(month, float(value), text(value)) for month, value in reported],
        (float(row["p50"]), text(row["p50"])),
        bands,
        bands.index(within),
    )


# --- standings ------------------------------------------------------------------------------------


def _standings(
    frame: Frame, rows: Sequence[Mapping[str, Any]], ways: Sequence[Mapping[str, Any]]
) -> tuple[Standing, ...]:
    by_scheme: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_scheme[row["scheme_id"]].append(row)
    return tuple(
        _standing(frame, found, [way for way in ways if way["scheme_id"] == scheme])
        for scheme, found in by_scheme.items()
        if found[-1]["asof_period"] == frame.period
    )


def _standing(
    frame: Frame, rows: Sequence[Mapping[str, Any]], ways: Sequence[Mapping[str, Any]]
) -> Standing:
    now = rows[-1]
    light = now["light"] or "grey"
    return Standing(
        scheme=frame.schemes.get(now["scheme_id"], now["scheme_id"]),
        class_name=frame.classes.get((now["scheme_id"], now["class_id"]), ""),
        note=now["label"] or "",
        official=bool(now["official"]),
        rank=_rank(now) if now["eligible"] else f"不参与排名：{now['exclusion_reason'] or ''}",
        light=light,
        word=wording.LIGHTS[light],
        places=_places(now),
        probability=_probability(frame, now),
        triggers=now["triggers"] or "",
        ways=tuple(_way(way) for way in ways),
        history=tuple(
            (
                row["asof_period"],
                _rank(row),
                wording.LIGHTS[row["light"] or "grey"],
                wording.streak(row["streak"], str(row["streak"])) or MISSING,
            )
            for row in reversed(rows)
        ),
    )


def _probability(frame: Frame, row: Mapping[str, Any]) -> str:
    """Chance of the last places as the bulletins print it, or why there is none; empty where the
    park was not simulated."""
    if row["draws"] is None:
        return ""
    if row["p_last_k"] is None:
        return why_no_chance(
            row["k"], row["calibrated_pct"], frame.least_calibrated[row["scheme_id"]]
        )
    return f"推算年末位于末{row['k']}位的概率{printable(float(row['p_last_k']), row['draws'])}"


def _rank(row: Mapping[str, Any]) -> str:
    return MISSING if row["rank"] is None else f"第{row['rank']}名（共{row['n']}个）"


def _places(row: Mapping[str, Any]) -> str:
    if row["rank_p10"] is None or row["rank_p90"] is None:
        return ""
    if row["rank_p10"] == row["rank_p90"]:
        return f"推算年末名次多为第{row['rank_p10']}名"
    return f"推算年末名次多在第{row['rank_p10']}至第{row['rank_p90']}名之间（80%区间）"


def _way(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """(lever, change over the forecast, how realistic) in words."""
    together = row["lever"] == "*"
    name = "各项指标同时改善" if together else row["name_zh"] or row["lever"]
    if row["extra_amount"] is None:
        return name, "不能脱离末位" if not together else "难以脱离末位", MISSING
    amount = Number.of(
        abs(row["extra_amount"]), "%" if together else row["unit"], 2, with_unit=True
    )
    word = "再增加" if row["extra_amount"] >= 0 else "再减少"
    return (
        name,
        f"各改善{amount.text}" if together else f"全年比推算{word}{amount.text}",
        "以往有过这样的偏差" if row["realistic"] else "以往偏差很少达到，难以指望",
    )
