"""Prospects (前景): how past forecasts came out, and the shortest ways out, as registered figures.

Belongs here: selecting and ordering track records and ways out. Does not belong here: forecasting or
simulating (indicators, assessment), who may read a way out (``select``), sentences (the template).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from assets.bulletins import wording
from assets.bulletins.data import BulletinData, RecordRow, WayRow
from assets.bulletins.facts import Register
from assets.bulletins.figures import Figure, display_unit, row_key

WAYS_SHOWN = 3
"""Levers listed for a park, the least unusual first; all of them together are always listed."""
TOGETHER = "*"


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """One indicator's record: forecasts made after the same month of closed years."""

    name: str
    n_years: Figure
    n_forecasts: Figure
    covered_80: Figure
    covered_90: Figure
    error: Figure
    error_plain: Figure
    brier: Figure
    brier_plain: Figure


@dataclass(frozen=True, slots=True)
class RecordsFacts:
    """The record of the lead indicator (None without one) and of every shown indicator."""

    lead: RecordFacts | None
    rows: tuple[RecordFacts, ...]


@dataclass(frozen=True, slots=True)
class WayFacts:
    """One lever of a park: the extra amount over the forecast and how usual such a change is.

    ``more`` is False where less of it is better.
    """

    lever: str
    amount: Figure
    share: Figure
    more: bool
    realistic: bool


@dataclass(frozen=True, slots=True)
class WaysFacts:
    """A park's shortest ways out; empty ``ways``: no single indicator can do it."""

    park: str
    ways: tuple[WayFacts, ...]


@dataclass(frozen=True, slots=True)
class YearEndFacts:
    """The year's total as forecast: eight and nine draws in ten, the middle, what is known so far.

    ``months``: (words, month, figure) of the cumulative totals; ``n_parks`` stand in the sum.
    """

    name: str
    unit: str
    low: Figure
    high: Figure
    low_wide: Figure
    high_wide: Figure
    middle: Figure
    n_parks: Figure
    calibrated: bool
    months: tuple[tuple[str, int, Figure], ...]


def year_end_facts(register: Register, data: BulletinData) -> YearEndFacts | None:
    """Where the scope's total of the lead indicator may end; None where nothing forecasts it."""
    row = next(iter(data.year_end), None)
    lead = next(i for i in data.indicators if i.indicator_id == data.lead_indicator_id)
    if row is None or not row.months:
        return None
    unit, factor, decimals = display_unit(lead.unit, lead.decimals)
    key = {"area_code": row.area_code, "indicator_id": row.indicator_id}

    def add(
        column: str, label: str, value: Decimal, of: str = unit, places: int = decimals
    ) -> Figure:
        where = row_key(**key, year=str(row.year), asof_period=data.period, column=column)
        source = ("indicators.area_nowcast", where)
        parts = ("Y", row.indicator_id, column)
        return register.add(parts, f"{lead.name_zh}{label}", value, of, source, decimals=places)

    def month(period: str, value: Decimal) -> Figure:
        where = row_key(**key, scope="all", asof_period=period, column="value")
        return register.add(
            ("Y", row.indicator_id, period.replace("-", "")), f"{lead.name_zh}{period}累计",
            value * factor, unit, ("indicators.area_year", where), decimals=decimals,
        )  # fmt: skip

    return YearEndFacts(
        name=lead.name_zh,
        unit=unit,
        low=add("p10", "全年推算八成区间下限", row.p10 * factor),
        high=add("p90", "全年推算八成区间上限", row.p90 * factor),
        low_wide=add("p05", "全年推算九成区间下限", row.p05 * factor),
        high_wide=add("p95", "全年推算九成区间上限", row.p95 * factor),
        middle=add("p50", "全年推算中位数", row.p50 * factor),
        n_parks=add("n_parks", "全年推算所含园区数", Decimal(row.n_parks), "个", 0),
        calibrated=row.calibrated,
        months=tuple(
            (wording.month_words(period), int(period[5:]), month(period, value))
            for period, value in row.months
        ),
    )


def record_facts(register: Register, data: BulletinData) -> RecordsFacts:
    """The track records in the order of the indicators."""
    rows = {row.indicator_id: _record(register, row) for row in data.records}
    return RecordsFacts(rows.get(data.lead_indicator_id), tuple(rows.values()))


def _record(register: Register, row: RecordRow) -> RecordFacts:
    def add(
        column: str, label: str, value: Decimal | int | None, unit: str, decimals: int
    ) -> Figure:
        key = row_key(
            indicator_id=row.indicator_id, year=str(row.year), month=str(row.month), column=column
        )
        source = ("indicators.track_record", key)
        parts = ("R", row.indicator_id, column)
        return register.add(parts, f"{row.name}{label}", value, unit, source, decimals=decimals)

    return RecordFacts(
        name=row.name,
        n_years=add("n_years", "推算检验年数", row.n_years, "年", 0),
        n_forecasts=add("n_forecasts", "推算次数", row.n_forecasts, "次", 0),
        covered_80=add("covered_80", "80%区间实际包含比例", row.covered_80, "%", 1),
        covered_90=add("covered_90", "90%区间实际包含比例", row.covered_90, "%", 1),
        error=add("mape", "推算平均误差", row.mape, "%", 1),
        error_plain=add("mape_last_year", "按上年同比外推的平均误差", row.mape_last_year, "%", 1),
        brier=add("brier", "概率误差", row.brier, "", 3),
        brier_plain=add("brier_calendar", "按序时亮灯的误差", row.brier_calendar, "", 3),
    )


def way_facts(register: Register, data: BulletinData) -> tuple[WaysFacts, ...]:
    """Parks on the watch list with their ways, in the order of schemes, classes and ranks."""
    ranks = {(s.scheme_id, s.park_id): (s.class_id, s.rank or 0) for s in data.scores}
    groups: dict[tuple[str, str], list[WayRow]] = {}
    for row in data.ways:
        groups.setdefault((row.scheme_id, row.park_id), []).append(row)
    ordered = sorted(groups, key=lambda key: (key[0], ranks.get(key, ("", 0)), key[1]))
    return tuple(_ways(register, data, groups[key]) for key in ordered)


def _ways(register: Register, data: BulletinData, rows: list[WayRow]) -> WaysFacts:
    possible = [row for row in rows if row.extra_amount is not None]
    single = sorted((row for row in possible if row.lever != TOGETHER), key=_effort)
    together = [row for row in possible if row.lever == TOGETHER]
    shown = [*single[:WAYS_SHOWN], *together]
    return WaysFacts(rows[0].park_name, tuple(_way(register, data, row) for row in shown))


def _effort(row: WayRow) -> tuple[bool, Decimal, Decimal, str]:
    """The least unusual change first; what cannot be compared with past surprises comes last."""
    unknown = row.surprise_pct is None
    return (not row.realistic, row.surprise_pct or Decimal(100), Decimal(unknown), row.lever)


def _way(register: Register, data: BulletinData, row: WayRow) -> WayFacts:
    unit, factor, decimals = display_unit(row.unit, 2)
    if row.lever == TOGETHER:
        unit, factor, decimals = "%", Decimal(1), 1
    amount = None if row.extra_amount is None else abs(row.extra_amount) * factor
    parts = ("W", row.scheme_id, row.class_id, row.park_id, row.lever)
    label = f"{row.park_name}{row.lever_name}"

    def source(column: str) -> tuple[str, str]:
        key = row_key(
            scheme_id=row.scheme_id, class_id=row.class_id, asof_period=data.period,
            park_id=row.park_id, lever=row.lever, column=column,
        )  # fmt: skip
        return ("assessment.way_out", key)

    return WayFacts(
        lever=row.lever_name,
        amount=register.add(
            (*parts, "extra"), f"{label}比推算再改变", amount, unit, source("extra_amount"),
            decimals=decimals, formula="abs(extra_amount)", below_unit=True,
        ),
        share=register.add(
            (*parts, "share"), f"{label}占余下推算", row.pct_of_remaining, "%",
            source("pct_of_remaining"), decimals=1,
        ),
        more=(row.extra_amount or 0) >= 0,
        realistic=row.realistic,
    )  # fmt: skip
