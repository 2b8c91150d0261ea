"""Input of a bulletin: warehouse rows as typed values, already selected for one audience.

Belongs here: what a bulletin is composed from, read from lists of dicts and checked once. Does not
belong here: queries (the stage's assets run them), judging, or text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar

from methods.progress import Light

Row = TypeVar("Row")
Topic = Literal["quality", "targets", "ranks"]


class DataError(ValueError):
    """A row lacks a column or holds a value of the wrong type; says which table, row and column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who issues the document and to whom (``parkwatch.toml``). Lists keep the order given."""

    bureau: str
    letterhead: str
    """发文机关标志, e.g. 安康市工业和信息化局文件."""
    recipients: tuple[str, ...]
    copies: tuple[str, ...] = ()
    printer: str = ""
    contact: str = ""
    doc_number: str | None = None
    """发文字号 with 〔〕; None while not allotted: the number is given at signing."""
    handling: str = "内部资料，注意保管"
    """Handling mark; never a secrecy grade, which only a competent body may give."""
    region_word: str = "全省"
    park_word: str = "县域工业集中区"
    unit_word: str = "园区"
    """What one monitored unit is called in running text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One core indicator, from ``dims.indicator``; the order given is the order printed."""

    indicator_id: str
    name_zh: str
    unit: str
    kind: Literal["flow", "stock", "ratio", "flag", "external"]
    decimals: int = 2
    definition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaRow:
    """An indicator summed over the reported parks of an area, as of the period.

    ``value``/``value_prior`` are in the indicator's canonical unit; ``value_prior`` is None where
    it covers other parks than ``value``: a reader would divide the two. ``yoy_pct`` in percent
    rests on the ``n_growth`` parks known in both years, of which ``n_levels`` were compared with
    last year's return instead of a same-scope figure; None: not counted (ratios). ``n_carried``
    parks of a stock keep an earlier month's figure. ``previous_yoy_pct`` is the growth printed for
    the previous period, over ``previous_n_reported`` parks.
    """

    scope_code: str
    scope_name: str
    indicator_id: str
    value: Decimal | None
    value_prior: Decimal | None = None
    yoy_pct: Decimal | None = None
    n_growth: int | None = None
    n_levels: int = 0
    n_carried: int = 0
    previous_yoy_pct: Decimal | None = None
    previous_n_reported: int | None = None
    n_parks: int
    n_reported: int
    suppressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRow:
    """``targets.verdict`` with its clause. ``actual`` and ``target_value`` are both in ``unit``.

    ``title`` is what is measured, ``subject`` over what (全省重点建设县域工业集中区合计).
    ``park_id`` empty: the verdict is about an area. ``each``: the clause is judged park by park or
    county by county, this row is one of them and ``member`` its name. ``document_scope_code``: the
    region the document is for. ``restated``: a clause that only repeats another one of its
    document; judged, never counted. ``seasonal_progress_pct`` is the share of the year usually
    reached by now; it is printed beside the time progress where present.
    """

    target_id: str
    doc_no: str
    clause: str
    title: str
    subject: str = ""
    document_id: str
    document_scope_code: str
    document_scope_name: str = ""
    scope_code: str
    park_id: str | None = None
    each: bool = False
    member: str = ""
    restated: bool = False
    unit: str
    comparator: str
    target_value: Decimal | None
    actual: Decimal | None
    completion_pct: Decimal | None
    time_progress_pct: Decimal | None
    gap_pp: Decimal | None
    seasonal_progress_pct: Decimal | None = None
    light: Light
    verdict: Literal[
        "met",
        "on_pace",
        "behind",
        "far_behind",
        "not_comparable",
        "no_data",
        "expired",
        "manual",
        "out_of_scope",
    ]
    reason: str | None = None
    probability: Decimal | None = None
    """Chance (0–1) of meeting the bar by the year's end; None where nothing forecasts it."""
    path_probability: Decimal | None = None
    """Of being on the way to a bar that is due later, at the year's end."""
    light_basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallRow:
    """``targets.overall`` of the scope: the one light of a topic over all documents in force."""

    scope_code: str
    topic: str
    title: str
    light: Light
    n_targets: int
    n_judged: int
    n_conflicts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """``indicators.track_record``: how forecasts made after this month came out in closed years.

    Shares and errors in per cent; ``brier`` of the growth statement and of the 序时 flag.
    """

    indicator_id: str
    name: str
    year: int
    month: int
    n_years: int
    n_forecasts: int
    covered_80: Decimal | None
    covered_90: Decimal | None
    mape: Decimal | None
    mape_last_year: Decimal | None
    brier: Decimal | None
    brier_calendar: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class YearEndRow:
    """``indicators.area_nowcast`` of the scope for the lead indicator, in its canonical unit; ``months``
    are the cumulative totals of the year so far as (period, value)."""

    area_code: str
    indicator_id: str
    year: int
    p05: Decimal
    p10: Decimal
    p50: Decimal
    p90: Decimal
    p95: Decimal
    n_parks: int
    calibrated: bool
    months: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """An assessment scheme; ``short`` names its parks in a table head (重点园区); ``note`` says
    where its parameters come from (建议值，非官方)."""

    scheme_id: str
    name: str
    short: str = ""
    note: str = ""
    red_chance: Decimal | None = None
    """Chance of the last places from which the light is red; ``watch_chance``: orange."""
    watch_chance: Decimal | None = None
    least_calibrated: Decimal | None = None
    """Share of the weight (per cent) that must rest on known past errors before a chance is printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """``assessment.score`` joined with ``assessment.watch`` and the park register.

    ``rank`` among the ``n`` ranked parks of the whole class (also where the audience sees only
    some of them), equal scores sharing the better rank. ``last_k``: number of last places of the
    class (None: the scheme has none, 0: the class is too small); ``in_last_k``: whether the
    assessment put the park there. A park that is not ``eligible`` has no rank and says why.
    ``complete`` is False where missing figures were bridged. ``weak`` names the indicators in
    which the park lies farthest below the mean points of its class, worst first.
    """

    scheme_id: str
    class_id: str
    class_name: str
    park_id: str
    park_name: str
    county_name: str
    city_name: str
    score: Decimal | None
    rank: int | None
    n: int
    last_k: int | None
    in_last_k: bool = False
    official: bool = False
    eligible: bool = True
    exclusion_reason: str | None = None
    previous_rank: int | None = None
    streak: int | None = None
    light: Light = "grey"
    complete: bool = True
    weak: tuple[str, ...] = ()
    p_last_k: Decimal | None = None
    """Chance (0–1) of the last k at the year's end, simulated under the scheme's own rules."""
    rank_p10: int | None = None
    rank_p90: int | None = None
    not_distinguishable: bool | None = None
    change: Literal["", "new", "persisting", "resolved"] = ""
    calibrated_pct: Decimal | None = None
    """Share of the weight that rests on figures with known past errors."""
    draws: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WayRow:
    """``assessment.way_out``: least change of one lever that leaves the last places in 80 % of the
    draws. For those who assess only, never for those who report. ``lever`` ``*``: all together."""

    scheme_id: str
    class_id: str
    park_id: str
    park_name: str
    lever: str
    lever_name: str
    unit: str
    extra_amount: Decimal | None
    pct_of_remaining: Decimal | None
    surprise_pct: Decimal | None
    realistic: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerRow:
    """One rule of the risk list that fired for a park: ``label`` says which, in words.

    ``shown_elsewhere``: rank and streak already stand in the row's own columns.
    """

    scheme_id: str
    park_id: str
    trigger_id: str
    label: str
    shown_elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkRow:
    """One indicator of one park for the annex; ``city_code`` orders and groups the parks."""

    park_id: str
    park_name: str
    city_code: str = ""
    city_name: str = ""
    indicator_id: str
    value: Decimal | None
    value_prior: Decimal | None = None
    yoy_pct: Decimal | None = None
    suppressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterRow:
    """One reporter's month: filing status, files and findings of what is in force now."""

    reporter_id: str
    name: str
    region_code: str
    status: Literal["on_time", "late", "missing"]
    parks_expected: int
    parks_reported: int
    files: int = 0
    files_returned: int = 0
    n_error: int = 0
    n_verify: int = 0
    n_hint: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRow:
    """``quality.gap``: a park without figures, or standing on an earlier delivery.

    ``share_pct`` of the scope's total of ``indicator_name`` in ``basis_period``, the last period
    before with a value; None: never reported. ``share_column`` is the column it was read from.
    """

    park_id: str
    park_name: str
    reporter: str
    reporter_name: str
    why: Literal["missing", "omitted", "returned", "held", "late_locked"]
    earlier_stands: bool
    indicator_name: str = ""
    basis_period: str | None = None
    share_pct: Decimal | None = None
    share_column: str = "province_share_pct"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisedRow:
    """Figures of one period changed by deliveries after the first (``observations.revision``)."""

    period: str
    n_figures: int
    n_parks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BulletinData:
    """Everything one bulletin says. Order of rows does not matter, except of ``indicators``.

    ``as_of`` must carry an offset. ``simulated`` marks the whole document 模拟数据.
    ``scope_code`` names the area whose rows are the totals; other areas are listed in the annex.
    ``topics``: what this bureau keeps at all; what it does not keep has no section. ``unreported``:
    names of the parks without any figure for the period.
    """

    period: str
    scope_code: str
    issuer: Issuer
    as_of: datetime
    issue_date: date
    simulated: bool
    lead_indicator_id: str
    indicators: tuple[Indicator, ...]
    areas: tuple[AreaRow, ...] = ()
    verdicts: tuple[VerdictRow, ...] = ()
    schemes: tuple[Scheme, ...] = ()
    scores: tuple[ScoreRow, ...] = ()
    triggers: tuple[TriggerRow, ...] = ()
    parks: tuple[ParkRow, ...] = ()
    reporters: tuple[ReporterRow, ...] = ()
    unreported: tuple[str, ...] = ()
    overall: tuple[OverallRow, ...] = ()
    records: tuple[RecordRow, ...] = ()
    year_end: tuple[YearEndRow, ...] = ()
    """One row where the year's total of the lead indicator can be forecast."""
    ways: tuple[WayRow, ...] = ()
    """Only for audiences that assess: empty for everybody else."""
    gaps: tuple[GapRow, ...] = ()
    revised: tuple[RevisedRow, ...] = ()
    """Per period, what the files of this period and later corrections changed."""
    topics: tuple[Topic, ...] = ("targets", "ranks")
    previous_period: str | None = None
    filing_deadline: date | None = None
    reply_by: date | None = None
    withheld: tuple[Topic, ...] = ()
    """What this audience has no right to: the section says so instead of claiming there is none."""
    top_n: int = 5
    edition: int = 1
    replaces: int | None = None
    correction_reason: str = ""
    former: Mapping[str, str] = field(default_factory=dict)
    """Figure id → text as printed in the edition this one replaces."""
    public: bool = False
    """For everybody: figures only; ``suppressed`` rows print X."""
    audience: str = ""
    status_mark: str = ""
    """Printed beside the title while it is not approved, e.g. 送审稿."""
    data_digest: str = ""
    rules_digest: str = ""

    def __post_init__(self) -> None:
        if self.as_of.tzinfo is None:
            raise DataError("as_of 没有时区：须带偏移量，如 2020-07-20T18:00:00+08:00")
        known = {indicator.indicator_id for indicator in self.indicators}
        if self.lead_indicator_id not in known:
            raise DataError(f"主要指标 {self.lead_indicator_id} 不在核心指标清单中")


def rows_of(kind: type[Row], rows: Iterable[Mapping[str, Any]], table: str = "") -> tuple[Row, ...]:
    """Typed rows from query results; columns the type does not know are ignored.

    Raises :class:`DataError` naming table, row number and column for a missing or wrong value.
    """
    from pydantic import TypeAdapter, ValidationError

    adapter = TypeAdapter(kind)
    built = []
    for number, row in enumerate(rows, start=1):
        try:
            built.append(adapter.validate_python(dict(row)))
        except ValidationError as error:
            first = error.errors()[0]
            column = ".".join(str(part) for part in first["loc"])
            raise DataError(
                f"{table or kind.__name__} 第{number}行 {column}: {first['msg']}"
                f" (found {first.get('input')!r})"
            ) from error
    return tuple(built)
