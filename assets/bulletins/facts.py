"""Facts (事实): areas and coverage of a bulletin, each number registered with its source.

Belongs here: selecting, sorting, counting and subtracting area figures, and registering every
result as a figure. Does not belong here: filing (filing), targets (goals), ranks (standings),
sentences (``report_templates/bulletin.md.j2``) or words (wording).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from assets.bulletins import wording
from assets.bulletins.data import AreaRow, BulletinData, Indicator
from assets.bulletins.figures import (
    Figure,
    FigureBook,
    display_unit,
    figure_id,
    round_half_up,
    row_key,
)

ANNEX_INDICATORS = 4
"""Indicators side by side in the annex by area: what an A4 page carries legibly."""
PARK_INDICATORS = 2
"""Indicators side by side in the annex by park, beside its ranks."""
PARKS_LISTED = 200
"""Parks the annex lists; a longer register is data, not a document."""


class Register:
    """Adds figures of one period to a book."""

    def __init__(self, book: FigureBook, period: str) -> None:
        self.book = book
        self.period = period

    def add(
        self,
        parts: Sequence[str],
        label: str,
        value: Decimal | int | None,
        unit: str,
        source: tuple[str, str],
        *,
        decimals: int | None = 0,
        formula: str = "",
        inputs: Iterable[Figure] = (),
        below_unit: bool = False,
        chance: bool = False,
    ) -> Figure:
        """Register under the id made of ``parts``; ``source`` is (table, key)."""
        return self.book.add(
            figure_id(self.period, *parts),
            label,
            value,
            unit=unit,
            period=self.period,
            decimals=decimals,
            source_table=source[0],
            source_key=source[1],
            formula=formula,
            inputs=inputs,
            below_unit=below_unit,
            chance=chance,
        )

    def count(
        self,
        parts: Sequence[str],
        label: str,
        counted: Sequence[Figure],
        source: tuple[str, str],
        unit: str = "个",
    ) -> Figure:
        """Register how many things there are; ``counted`` holds one figure of each."""
        return self.add(
            parts, label, len(counted), unit, source, formula="count(inputs)", inputs=counted
        )


@dataclass(frozen=True, slots=True)
class IndicatorFacts:
    """An indicator of an area: amount, growth, last year's amount, change of growth, coverage.

    ``by_amounts``: a rate would mislead (no base, a loss, a small base), so ``yoy`` is missing and
    the two amounts are printed. ``levels`` of the ``growth_parks`` were compared with last year's
    return; ``carried`` parks of a stock keep an earlier month's figure.
    """

    name: str
    unit: str
    kind: str
    total: Figure
    yoy: Figure
    prior: Figure
    pace: Figure
    falling: bool
    by_amounts: bool
    same_parks: bool
    reported: Figure
    expected: Figure
    growth_parks: Figure
    levels: Figure
    carried: Figure


@dataclass(frozen=True, slots=True)
class AreaFacts:
    """One city (or county) of the annex; ``indicators`` in annex order, None where no row came."""

    name: str
    reported: Figure
    expected: Figure
    complete: bool
    indicators: tuple[IndicatorFacts | None, ...]
    suppressed: bool = False
    """Printed as X: disclosure control."""


@dataclass(frozen=True, slots=True)
class GrowthFacts:
    """How growth of the lead indicator spreads over areas or parks; name lists hold all ties."""

    word: str
    n: Figure
    n_up: Figure
    n_down: Figure
    all_up: bool
    all_down: bool
    highest: tuple[str, ...]
    highest_yoy: Figure | None
    lowest: tuple[str, ...]
    lowest_yoy: Figure | None
    down: tuple[tuple[str, Figure], ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoverageFacts:
    """Parks expected and reported, over all reporters; ``names`` of those without figures."""

    expected: Figure
    reported: Figure
    unreported: Figure
    complete: bool
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BasisFacts:
    """How growth was computed, for the note under the table of totals.

    ``mixed``: (indicators, parks compared with last year's return) for totals that rest on both
    kinds of base; ``levels`` and ``comparable`` name the indicators that rest on one kind.
    ``carried``: most parks whose stocks are of an earlier month; ``other_parks``: the change of
    growth compares two months over different numbers of parks; ``shared``: a total counts parks of
    another register (飞地) too.
    """

    comparable: tuple[str, ...]
    levels: tuple[str, ...]
    mixed: tuple[tuple[tuple[str, ...], Figure], ...]
    carried: Figure | None
    other_parks: bool
    has_pace: bool
    shared: bool


# --- indicators of an area -------------------------------------------------------------------


def indicator_facts(
    register: Register, data: BulletinData, area: AreaRow, indicator: Indicator
) -> IndicatorFacts:
    """Figures of one indicator of one area. The bulletin's own area is called P in ids."""
    unit, factor, decimals = display_unit(indicator.unit, indicator.decimals)
    who = "P" if area.scope_code == data.scope_code else area.scope_code
    label = f"{area.scope_name}{indicator.name_zh}"

    def add(
        what: str,
        column: str,
        words: str,
        value: Decimal | int | None,
        unit: str,
        decimals: int,
        formula: str = "",
    ) -> Figure:
        return register.add(
            (who, indicator.indicator_id, what),
            f"{label}{words}",
            value,
            unit,
            _area_source(area, indicator, data.period, column),
            decimals=decimals,
            formula=formula,
            below_unit=what in ("total", "prior"),
        )

    def count(what: str, column: str, words: str, value: int | None) -> Figure:
        """Parks behind a column, counted over the parks of the area."""
        return add(what, column, words, value, "个", 0, f"count({words})")

    by_amounts = wording.growth_from_amounts(area.yoy_pct, area.value_prior)
    yoy = add("yoy", "yoy_pct", "同比", None if by_amounts else area.yoy_pct, "%", 1)
    return IndicatorFacts(
        name=indicator.name_zh,
        unit=unit,
        kind=indicator.kind,
        total=add("total", "value", "", _times(area.value, factor), unit, decimals),
        yoy=yoy,
        prior=add(
            "prior", "value_prior", "上年同期", _times(area.value_prior, factor), unit, decimals
        ),
        pace=_pace(register, data, area, indicator, yoy),
        falling=bool(yoy.value and yoy.value < 0 and (area.previous_yoy_pct or 0) < 0),
        by_amounts=by_amounts,
        same_parks=area.previous_n_reported in (None, area.n_reported),
        reported=add("reported", "n_reported", "有数园区数", area.n_reported, "个", 0),
        expected=add("expected", "n_parks", "应报园区数", area.n_parks, "个", 0),
        growth_parks=count("growth-parks", "yoy_pct", "计算同比的园区数", area.n_growth),
        levels=count("levels", "value_prior", "以上年报送数为基数的园区数", area.n_levels),
        carried=count("carried", "n_reported", "沿用前期期末数的园区数", area.n_carried),
    )  # fmt: skip


def _area_source(area: AreaRow, indicator: Indicator, period: str, column: str) -> tuple[str, str]:
    key = row_key(
        area_code=area.scope_code,
        scope="all",
        indicator_id=indicator.indicator_id,
        asof_period=period,
        column=column,
    )
    return ("indicators.area_year", key)


def _times(value: Decimal | None, factor: Decimal) -> Decimal | None:
    return None if value is None else value * factor


def _pace(
    register: Register, data: BulletinData, area: AreaRow, indicator: Indicator, yoy: Figure
) -> Figure:
    """Difference of the two printed growths, so that a reader's own subtraction agrees."""
    who = "P" if area.scope_code == data.scope_code else area.scope_code
    label = f"{area.scope_name}{indicator.name_zh}"
    before = register.add(
        (who, indicator.indicator_id, "yoy-before"), f"{label}上期同比", area.previous_yoy_pct, "%",
        _area_source(area, indicator, data.previous_period or data.period, "yoy_pct"), decimals=1,
    )  # fmt: skip
    change = None
    if yoy.value is not None and before.value is not None:
        change = round_half_up(yoy.value, 1) - round_half_up(before.value, 1)
    return register.add(
        (who, indicator.indicator_id, "pace"), f"{label}同比增速较上期变动", change, "个百分点",
        _area_source(area, indicator, data.period, "yoy_pct"), decimals=1,
        formula=f"{yoy.figure_id} - {before.figure_id}，均取一位小数", inputs=(yoy, before),
    )  # fmt: skip


def total_facts(register: Register, data: BulletinData) -> dict[str, IndicatorFacts]:
    """The bulletin's own area by indicator id, in the order of ``data.indicators``."""
    rows = {a.indicator_id: a for a in data.areas if a.scope_code == data.scope_code}
    return {
        indicator.indicator_id: indicator_facts(
            register, data, rows[indicator.indicator_id], indicator
        )
        for indicator in data.indicators
        if indicator.indicator_id in rows
    }


def basis_facts(
    totals: Iterable[IndicatorFacts], coverage: CoverageFacts | None = None
) -> BasisFacts:
    """What the growth of the totals rests on, indicator by indicator."""
    every = list(totals)
    known = [item for item in every if item.growth_parks.value and not item.yoy.is_missing]
    mixed: dict[str, list[IndicatorFacts]] = {}
    for item in known:
        if 0 < (item.levels.value or 0) < (item.growth_parks.value or 0):
            mixed.setdefault(item.levels.text, []).append(item)
    carried = [item.carried for item in known if item.carried.value]
    return BasisFacts(
        comparable=tuple(item.name for item in known if not item.levels.value),
        levels=tuple(item.name for item in known if item.levels.value == item.growth_parks.value),
        mixed=tuple(
            (tuple(item.name for item in items), items[0].levels) for items in mixed.values()
        ),
        carried=max(carried, key=lambda figure: figure.value or 0, default=None),
        has_pace=any(not item.pace.is_missing for item in every),
        shared=coverage is not None
        and any((item.expected.value or 0) > (coverage.expected.value or 0) for item in every),
        other_parks=any(not item.same_parks and not item.pace.is_missing for item in known),
    )


# --- areas below -----------------------------------------------------------------------------


def area_facts(register: Register, data: BulletinData) -> tuple[AreaFacts, ...]:
    """The areas below, by code, with the first indicators of the list; codes order GB/T 2260."""
    rows = {(a.scope_code, a.indicator_id): a for a in data.areas}
    codes = sorted({code for code, _ in rows} - {data.scope_code})
    chosen = data.indicators[:ANNEX_INDICATORS]
    facts = []
    for code in codes:
        found = [rows.get((code, indicator.indicator_id)) for indicator in chosen]
        cells = tuple(
            indicator_facts(register, data, row, indicator) if row is not None else None
            for row, indicator in zip(found, chosen, strict=True)
        )
        first = next((i for i, row in enumerate(found) if row is not None), None)
        if first is not None:
            facts.append(_area(found[first], cells[first], cells))
    return tuple(facts)


def _area(
    row: AreaRow | None, first: IndicatorFacts | None, cells: tuple[IndicatorFacts | None, ...]
) -> AreaFacts:
    assert row is not None and first is not None
    return AreaFacts(
        name=row.scope_name,
        reported=first.reported,
        expected=first.expected,
        complete=row.n_reported == row.n_parks,
        suppressed=row.suppressed,
        indicators=cells,
    )


def area_growth(
    register: Register, data: BulletinData, areas: Sequence[AreaFacts]
) -> GrowthFacts | None:
    """Spread of the lead indicator's growth over the areas; None without areas."""
    order = [indicator.indicator_id for indicator in data.indicators]
    position = order.index(data.lead_indicator_id)
    if position >= ANNEX_INDICATORS:
        return None
    yoy = {
        _named(a): f.yoy
        for a in areas
        if not a.suppressed and (f := a.indicators[position]) is not None
    }
    return growth_facts(register, data, yoy, "地区")


def growth_facts(
    register: Register, data: BulletinData, yoy: Mapping[str, Figure], word: str
) -> GrowthFacts | None:
    """Spread of named growth figures; ``word`` is what one of them is called. None of none."""
    if not yoy:
        return None
    values = {name: figure.value for name, figure in yoy.items()}
    # 增长 and 下降 as printed: 0.04 % prints 0.0 and is neither
    signs = {n: wording.sign(v, 1) for n, v in values.items() if v is not None}
    highest = wording.extreme(values)
    lowest = wording.extreme(values, highest=False)
    down = sorted((n for n, s in signs.items() if s < 0), key=lambda n: (values[n], n))
    key = row_key(asof_period=data.period, indicator_id=data.lead_indicator_id)
    source = ("indicators.area_year", key)

    def count(what: str, label: str, names: Iterable[str]) -> Figure:
        return register.count(("A", what), label, [yoy[name] for name in names], source)

    return GrowthFacts(
        word=word,
        n=count("areas", f"有增速的{word}数", signs),
        n_up=count("areas-up", f"增长的{word}数", [n for n, s in signs.items() if s > 0]),
        n_down=count("areas-down", f"下降的{word}数", down),
        all_up=bool(signs) and all(sign > 0 for sign in signs.values()),
        all_down=bool(signs) and all(sign < 0 for sign in signs.values()),
        highest=highest,
        highest_yoy=yoy[highest[0]] if highest else None,
        lowest=lowest,
        lowest_yoy=yoy[lowest[0]] if lowest else None,
        down=tuple((name, yoy[name]) for name in down),
        unknown=tuple(name for name, value in values.items() if value is None),
    )


def _named(area: AreaFacts) -> str:
    """A comparison with an area whose parks have not all reported is only for reference."""
    return area.name if area.complete else f"{area.name}（报送不全，供参考）"


# --- coverage --------------------------------------------------------------------------------


def parks_source(region_code: str) -> tuple[str, str]:
    """Source of a count of parks: the region whose register is counted."""
    return ("dims.region", row_key(code=region_code))


def coverage_facts(register: Register, data: BulletinData) -> CoverageFacts | None:
    """Parks expected and reported, summed over reporters; None when no reporter is known."""
    if not data.reporters:
        return None
    expected = sum(r.parks_expected for r in data.reporters)
    reported = sum(r.parks_reported for r in data.reporters)
    source = parks_source(data.scope_code)

    def add(what: str, label: str, value: int, formula: str, *inputs: Figure) -> Figure:
        return register.add(
            ("Q", f"parks-{what}"), label, value, "个", source, formula=formula, inputs=inputs
        )

    all_parks = add("expected", "应报园区数", expected, "count(登记在册的园区)")
    known = add("reported", "已报园区数", reported, "count(本期有数的园区)")
    return CoverageFacts(
        expected=all_parks,
        reported=known,
        unreported=add(
            "unreported", "未报园区数", expected - reported,
            f"{all_parks.figure_id} - {known.figure_id}", all_parks, known,
        ),
        complete=expected == reported,
        names=tuple(sorted(data.unreported)),
    )  # fmt: skip
