"""Prospects (前景): how past forecasts came out, and the shortest ways out, as registered figures.

Belongs here: selecting and ordering track records and ways out. Does not belong here: forecasting or
simulating (indicators, assessment), who may read a way out (``select``), sentences (the template).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

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
            decimals=decimals, below_unit=True,
        ),
        share=register.add(
            (*parts, "share"), f"{label}占余下推算", row.pct_of_remaining, "%",
            source("pct_of_remaining"), decimals=1,
        ),
        more=(row.extra_amount or 0) >= 0,
        realistic=row.realistic,
    )  # fmt: skip
