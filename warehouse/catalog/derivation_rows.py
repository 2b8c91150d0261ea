"""Rows of the warehouse that decide how figures are derived, and how each indicator is obtained.

Belongs here: plain dicts from breaks, growth rules and 飞地 stages. Does not belong
here: their models (``derivations``) or any derivation (``warehouse/sql``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from warehouse.catalog.derivations import EnclaveShare, GrowthRule
    from warehouse.catalog.load import Catalog
    from warehouse.catalog.models import Indicator, Park

Row = dict[str, Any]
Obtained = Literal["reported", "computed", "register", "external", "judged", "per_figure"]
_ALWAYS = date(1900, 1, 1)

# --- how indicators are obtained ------------------------------------------------------------------

_PER_FIGURE = {
    "yoy_comparable": "indicators.park_year.yoy_pct",
    "yoy_levels": "indicators.park_month.yoy_levels_pct",
    "yoy_two_year": "indicators.park_year.yoy_two_year_pct",
    "month_value": "indicators.park_month.value_month",
}
_JUDGED = {
    "completion": "targets.verdict.completion_pct",
    "pace_gap": "targets.verdict.gap_pp",
}


def obtained(indicator: Indicator) -> tuple[Obtained, str]:
    """How an indicator's figures come about, and where: formula, register field, table column."""
    if indicator.engine in _PER_FIGURE:
        return "per_figure", _PER_FIGURE[indicator.engine]
    if indicator.engine in _JUDGED:
        return "judged", _JUDGED[indicator.engine]
    if indicator.formula is not None:
        return "computed", indicator.formula
    if indicator.counted is not None:
        return "register", f"dims.park.{indicator.counted}"
    if indicator.kind == "external":
        return "external", "catalog/inputs/figures.csv"
    return "reported", "observations.observation"


# --- rows of the warehouse ------------------------------------------------------------------------


def growth_columns(indicator: Indicator, rules: Iterable[GrowthRule]) -> Row:
    """Columns of dims.indicator that guard its growth: small base, cap, tolerance."""
    found: Row = {"small_base": None, "growth_cap_pct": None, "prior_tolerance_pct": None}
    for rule in rules:
        if not rule.covers(indicator):
            continue
        if rule.small_base is not None:
            found |= {"small_base": rule.small_base, "growth_cap_pct": rule.cap_pct}
        if rule.tolerance_pct is not None:
            found["prior_tolerance_pct"] = rule.tolerance_pct
    return found


def break_rows(catalog: Catalog) -> list[Row]:
    """dims.scope_break: one row per break, indicator and park named; empty means all."""
    return [
        {
            "break_id": item.break_id,
            "indicator_id": indicator_id,
            "region_code": item.region_code,
            "park_id": park_id,
            "period": item.period,
            "reason": item.reason,
            "source": item.source,
        }
        for item in sorted(catalog.breaks, key=lambda item: item.break_id)
        for indicator_id in item.indicators or (None,)
        for park_id in item.park_ids or (None,)
    ]


def share_rows(catalog: Catalog) -> list[Row]:
    """dims.enclave_share: which county counts which share of a 飞地 park, per interval of days."""
    rows: list[Row] = []
    for park_id in sorted({park.park_id for park in catalog.parks if park.is_enclave}):
        history = catalog.park_history(park_id)
        rows += _shares_of_park(history, catalog.enclave_shares)
    return rows


def _shares_of_park(history: tuple[Park, ...], stages: tuple[EnclaveShare, ...]) -> Iterator[Row]:
    began = history[0].valid_from or _ALWAYS
    for park in history:
        if not park.is_enclave or not park.home_county_code:
            continue
        for stage in _stages_for(park, stages):
            since = max(_years_after(began, stage.first_year - 1), park.valid_from or _ALWAYS)
            until = min(
                _years_after(began, stage.last_year) if stage.last_year else date.max,
                park.valid_to or date.max,
            )
            if since < until:
                yield from _parts(park, stage, since, until)


def _parts(park: Park, stage: EnclaveShare, since: date, until: date) -> Iterator[Row]:
    counties: dict[str, Decimal] = {}
    for code, share in (
        (park.home_county_code, stage.home_share),
        (park.host_county_code, stage.host_share),
    ):
        counties[code] = counties.get(code, Decimal(0)) + share
    for code, share in counties.items():
        if share > 0:
            yield {
                "park_id": park.park_id,
                "county_code": code,
                "valid_from": since,
                "valid_to": None if until == date.max else until,
                "share": share,
                "source": stage.source,
            }


def _stages_for(park: Park, stages: tuple[EnclaveShare, ...]) -> list[EnclaveShare]:
    """The park's own stages, else those of the smallest region it lies in."""
    own = [s for s in stages if s.park_id == park.park_id]
    if own:
        return own
    for code in (park.home_county_code, park.city_code, park.province_code):
        found = [s for s in stages if not s.park_id and s.region_code == code]
        if found:
            return found
    return []


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)
