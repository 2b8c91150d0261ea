"""Facts (事实): areas, coverage and filing of a bulletin, each number registered with its source.

Belongs here: selecting, sorting, counting and subtracting rows, and registering every result as a
figure. Does not belong here: targets and ranks (standings), sentences
(``report_templates/bulletin.md.j2``) or words (wording).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from assets.bulletins import wording
from assets.bulletins.data import (
    AreaRow,
    BulletinData,
    Indicator,
    ReporterRow,
)
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
REPORTERS_SHOWN = 12
"""Reporters with problems listed in the body; the rest are counted."""


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
        )


@dataclass(frozen=True, slots=True)
class IndicatorFacts:
    """An indicator of an area: amount, growth, last year's amount, change of growth, coverage."""

    name: str
    unit: str
    kind: str
    total: Figure
    yoy: Figure
    prior: Figure
    pace: Figure
    reported: Figure
    expected: Figure


@dataclass(frozen=True, slots=True)
class AreaFacts:
    """One city (or county) of the annex; ``indicators`` in annex order, None where no row came."""

    name: str
    indicators: tuple[IndicatorFacts | None, ...]


@dataclass(frozen=True, slots=True)
class GrowthFacts:
    """How the areas' growth of the lead indicator spreads; name lists hold all ties."""

    n: Figure
    n_up: Figure
    highest: tuple[str, ...]
    highest_yoy: Figure | None
    lowest: tuple[str, ...]
    lowest_yoy: Figure | None
    down: tuple[tuple[str, Figure], ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoverageFacts:
    """Parks expected and reported, over all reporters."""

    expected: Figure
    reported: Figure
    unreported: Figure
    complete: bool


@dataclass(frozen=True, slots=True)
class ReportingFacts:
    """Filing and data quality by reporter."""

    n: Figure
    n_on_time: Figure
    late: tuple[str, ...]
    n_late: Figure
    missing: tuple[str, ...]
    n_missing: Figure
    returned: tuple[str, ...]
    n_returned: Figure
    files: Figure
    files_returned: Figure
    n_error: Figure
    n_verify: Figure
    n_hint: Figure
    rows: tuple[ReporterFacts, ...]
    n_more: Figure


@dataclass(frozen=True, slots=True)
class ReporterFacts:
    """A reporter with something to mend."""

    name: str
    status: str
    parks_expected: Figure
    parks_reported: Figure
    files_returned: Figure
    n_error: Figure
    n_verify: Figure
    n_hint: Figure


# --- areas -----------------------------------------------------------------------------------


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
        inputs: Iterable[Figure] = (),
    ) -> Figure:
        parts = (who, indicator.indicator_id, what)
        formula = "本期公布增速 - 上期公布增速，均为一位小数" if what == "pace" else ""
        key = row_key(
            area_code=area.scope_code,
            indicator_id=indicator.indicator_id,
            asof_period=data.period,
            column=column,
        )
        source = ("indicators.area_year", key)
        money = what in ("total", "prior")
        return register.add(
            parts, f"{label}{words}", value, unit, source,
            decimals=decimals, formula=formula, inputs=inputs, below_unit=money,
        )  # fmt: skip

    scaled = None if area.value is None else area.value * factor
    prior = None if area.value_prior is None else area.value_prior * factor
    growth = None if area.value_prior is not None and area.value_prior <= 0 else area.yoy_pct
    total = add("total", "value", "", scaled, unit, decimals)
    yoy = add("yoy", "yoy_pct", "同比", growth, "%", 1)
    change = _printed_difference(growth, area.previous_yoy_pct)
    pace = add("pace", "yoy_pct", "同比增速较上期变动", change, "个百分点", 1, (yoy,))
    return IndicatorFacts(
        name=indicator.name_zh,
        unit=unit,
        kind=indicator.kind,
        total=total,
        yoy=yoy,
        prior=add("prior", "value_prior", "上年同期", prior, unit, decimals),
        pace=pace,
        reported=add("reported", "n_reported", "已报园区数", area.n_reported, "个", 0),
        expected=add("expected", "n_parks", "应报园区数", area.n_parks, "个", 0),
    )


def _printed_difference(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    """Difference of the two printed numbers, so that a reader's own subtraction agrees."""
    if now is None or before is None:
        return None
    return round_half_up(now, 1) - round_half_up(before, 1)


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
        name = next((row.scope_name for row in found if row is not None), None)
        if name is not None:
            facts.append(AreaFacts(name, cells))
    return tuple(facts)


def growth_facts(
    register: Register, data: BulletinData, areas: Sequence[AreaFacts]
) -> GrowthFacts | None:
    """Spread of the lead indicator's growth over the areas; None without areas."""
    order = [indicator.indicator_id for indicator in data.indicators]
    position = order.index(data.lead_indicator_id)
    if position >= ANNEX_INDICATORS or not areas:
        return None
    yoy = {a.name: f.yoy for a in areas if (f := a.indicators[position]) is not None}
    values = {name: figure.value for name, figure in yoy.items()}
    # 增长 and 下降 as printed: 0.04 % prints 0.0 and is neither
    signs = {n: wording.sign(v, 1) for n, v in values.items() if v is not None}
    highest = wording.extreme(values)
    lowest = wording.extreme(values, highest=False)
    down = sorted((n for n, s in signs.items() if s < 0), key=lambda n: (values[n], n))
    key = row_key(asof_period=data.period, indicator_id=data.lead_indicator_id)
    source = ("indicators.area_year", key)

    def count(what: str, label: str, value: int) -> Figure:
        return register.add(("A", what), label, value, "个", source, formula=f"count({what})")

    return GrowthFacts(
        n=count("areas", "有增速的地区数", len(signs)),
        n_up=count("areas-up", "增长的地区数", sum(s > 0 for s in signs.values())),
        highest=highest,
        highest_yoy=yoy[highest[0]] if highest else None,
        lowest=lowest,
        lowest_yoy=yoy[lowest[0]] if lowest else None,
        down=tuple((name, yoy[name]) for name in down),
        unknown=tuple(name for name, value in values.items() if value is None),
    )


def coverage_facts(register: Register, data: BulletinData) -> CoverageFacts | None:
    """Parks expected and reported, summed over reporters; None when no reporter is known."""
    if not data.reporters:
        return None
    expected = sum(r.parks_expected for r in data.reporters)
    reported = sum(r.parks_reported for r in data.reporters)
    source = ("submissions.submission", row_key(period=data.period))

    def add(what: str, label: str, value: int, formula: str) -> Figure:
        return register.add(("Q", f"parks-{what}"), label, value, "个", source, formula=formula)

    return CoverageFacts(
        expected=add("expected", "应报园区数", expected, "sum(parks_expected)"),
        reported=add("reported", "已报园区数", reported, "sum(parks_reported)"),
        unreported=add("unreported", "未报园区数", expected - reported, "expected - reported"),
        complete=expected == reported,
    )


# --- reporting -------------------------------------------------------------------------------


def reporting_facts(register: Register, data: BulletinData) -> ReportingFacts:
    """Filing status and findings; reporters with something to mend, gravest first."""
    reporters = sorted(data.reporters, key=lambda r: r.reporter_id)
    troubled = sorted((r for r in reporters if _has_problem(r)), key=_gravity)
    late = [r.name for r in reporters if r.status == "late"]
    missing = [r.name for r in reporters if r.status == "missing"]
    returned = [r.name for r in reporters if r.files_returned]
    shown = troubled[:REPORTERS_SHOWN]

    def add(what: str, label: str, value: int, unit: str) -> Figure:
        source = ("submissions.submission", row_key(period=data.period))
        return register.add(("Q", what), label, value, unit, source, formula=f"count({what})")

    def findings(severity: str, word: str) -> Figure:
        total = sum(getattr(r, f"n_{severity}") for r in reporters)
        key = row_key(period=data.period, outcome="fail", severity=severity)
        source = ("quality.finding", key)
        parts = ("Q", f"n-{severity}")
        return register.add(parts, f"审核{word}数", total, "项", source, formula="count(*)")

    return ReportingFacts(
        n=add("reporters", "报送单位数", len(reporters), "个"),
        n_on_time=add(
            "on-time", "按时报送单位数", sum(r.status == "on_time" for r in reporters), "个"
        ),
        late=tuple(late),
        n_late=add("late", "迟报单位数", len(late), "个"),
        missing=tuple(missing),
        n_missing=add("missing", "未报单位数", len(missing), "个"),
        returned=tuple(returned),
        n_returned=add("returned", "有退回件的单位数", len(returned), "个"),
        files=add("files", "收到报送件数", sum(r.files for r in reporters), "件"),
        files_returned=add(
            "files-returned", "退回报送件数", sum(r.files_returned for r in reporters), "件"
        ),
        n_error=findings("error", "错误"),
        n_verify=findings("verify", "核实"),
        n_hint=findings("hint", "提示"),
        rows=tuple(_reporter(register, data, row) for row in shown),
        n_more=add("more", "未列示的有问题单位数", len(troubled) - len(shown), "个"),
    )


def _has_problem(row: ReporterRow) -> bool:
    return row.status != "on_time" or bool(row.files_returned or row.n_error or row.n_verify)


def _gravity(row: ReporterRow) -> tuple[int, int, int, int, str]:
    order = {"missing": 0, "late": 1, "on_time": 2}[row.status]
    return (order, -row.files_returned, -row.n_error, -row.n_verify, row.reporter_id)


def _reporter(register: Register, data: BulletinData, row: ReporterRow) -> ReporterFacts:
    def add(what: str, label: str, value: int, unit: str) -> Figure:
        table = "quality.finding" if what.startswith("n_") else "submissions.submission"
        source = (table, row_key(reporter=row.reporter_id, period=data.period))
        parts = ("Q", row.reporter_id, what)
        words = f"{row.name}{label}"
        return register.add(parts, words, value, unit, source, formula=f"count({what})")

    return ReporterFacts(
        name=row.name,
        status=wording.FILING[row.status],
        parks_expected=add("parks_expected", "应报园区数", row.parks_expected, "个"),
        parks_reported=add("parks_reported", "已报园区数", row.parks_reported, "个"),
        files_returned=add("files_returned", "退回件数", row.files_returned, "件"),
        n_error=add("n_error", "错误数", row.n_error, "项"),
        n_verify=add("n_verify", "核实数", row.n_verify, "项"),
        n_hint=add("n_hint", "提示数", row.n_hint, "项"),
    )
