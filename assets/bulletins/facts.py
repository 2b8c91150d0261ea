"""Facts (事实): the numbers and lists a bulletin speaks of, each number registered with its source.

Belongs here: selecting, sorting, counting and subtracting rows, and registering every result as a
figure. Does not belong here: sentences (``report_templates/bulletin.md.j2``) or words (wording).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from assets.bulletins import wording
from assets.bulletins.data import (
    AreaRow,
    BulletinData,
    Indicator,
    ReporterRow,
    Scheme,
    ScoreRow,
    VerdictRow,
)
from assets.bulletins.figures import (
    Figure,
    FigureBook,
    display_unit,
    figure_id,
    round_half_up,
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
class TargetFacts:
    """An area's target and how it stands."""

    title: str
    doc_no: str
    clause: str
    comparator: str
    target: Figure
    actual: Figure
    completion: Figure
    time_progress: Figure
    seasonal: Figure
    gap: Figure
    verdict: str
    word: str
    light: str
    reason: str


@dataclass(frozen=True, slots=True)
class ParkTargetFacts:
    """A target every park has: how many parks stand where."""

    title: str
    doc_no: str
    clause: str
    n: Figure
    n_good: Figure
    n_behind: Figure
    n_unjudged: Figure


@dataclass(frozen=True, slots=True)
class TargetsFacts:
    """All verdicts of the period."""

    rows: tuple[TargetFacts, ...]
    documents: tuple[tuple[str, tuple[TargetFacts, ...]], ...]
    behind: tuple[TargetFacts, ...]
    unjudged: tuple[TargetFacts, ...]
    n: Figure
    n_judged: Figure
    n_met: Figure
    n_on_pace: Figure
    n_good: Figure
    n_behind: Figure
    n_unjudged: Figure
    time_progress: Figure | None
    least_gap: Figure
    has_seasonal: bool
    parks: tuple[ParkTargetFacts, ...]


@dataclass(frozen=True, slots=True)
class RankFacts:
    """One ranked park. ``change`` is earlier rank minus present rank (positive is better)."""

    park: str
    county: str
    city: str
    rank: Figure
    tied: bool
    score: Figure
    change: Figure
    streak: Figure
    light: str
    complete: bool
    triggers: tuple[tuple[str, Figure], ...]


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """A class of a scheme: its best and its last parks, and who was not ranked.

    ``leaders`` are the parks sharing the first rank.
    """

    title: str
    note: str
    official: bool
    n: Figure
    top_n: Figure
    last_k: Figure
    top: tuple[RankFacts, ...]
    leaders: tuple[str, ...]
    last: tuple[RankFacts, ...]
    n_last: Figure
    border_gap: Figure | None
    excluded: tuple[tuple[str, str], ...]
    n_excluded: Figure


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
    table = "indicators.area_year"
    key = f"scope={area.scope_code};indicator={indicator.indicator_id};asof={data.period}"

    def add(what: str, words: str, value: Decimal | int | None, **more: object) -> Figure:
        parts = (who, indicator.indicator_id, what)
        column = {"total": "value", "prior": "value_prior", "yoy": "yoy_pct"}.get(what, what)
        settings = {"unit": unit, "decimals": decimals, **more}
        return register.add(
            parts, f"{label}{words}", value, source=(table, f"{key};column={column}"), **settings
        )  # type: ignore[arg-type]

    scaled = None if area.value is None else area.value * factor
    prior = None if area.value_prior is None else area.value_prior * factor
    growth = None if area.value_prior is not None and area.value_prior <= 0 else area.yoy_pct
    total = add("total", "", scaled, below_unit=True)
    yoy = add("yoy", "同比", growth, unit="%", decimals=1)
    pace = add(
        "pace", "同比增速较上期变动", _printed_difference(growth, area.previous_yoy_pct),
        unit="个百分点", decimals=1,
        formula="本期公布增速 - 上期公布增速(均为一位小数)", inputs=(yoy,),
    )  # fmt: skip
    return IndicatorFacts(
        name=indicator.name_zh,
        unit=unit,
        kind=indicator.kind,
        total=total,
        yoy=yoy,
        prior=add("prior", "上年同期", prior, below_unit=True),
        pace=pace,
        reported=add("reported", "已报园区数", area.n_reported, unit="个", decimals=0),
        expected=add("expected", "应报园区数", area.n_parks, unit="个", decimals=0),
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
    source = ("indicators.area_year", f"asof={data.period};indicator={data.lead_indicator_id}")

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
    source = ("submissions.submission", f"period={data.period}")

    def add(what: str, label: str, value: int, formula: str) -> Figure:
        return register.add(("Q", f"parks-{what}"), label, value, "个", source, formula=formula)

    return CoverageFacts(
        expected=add("expected", "应报园区数", expected, "sum(parks_expected)"),
        reported=add("reported", "已报园区数", reported, "sum(parks_reported)"),
        unreported=add("unreported", "未报园区数", expected - reported, "expected - reported"),
        complete=expected == reported,
    )


# --- targets ---------------------------------------------------------------------------------


def target_facts(register: Register, data: BulletinData) -> TargetsFacts:
    """Area targets row by row, park targets counted by target."""
    ordered = sorted(data.verdicts, key=lambda v: (v.doc_no, v.target_id, v.scope_code))
    areas = [v for v in ordered if v.park_id is None]
    areas.sort(key=lambda v: v.verdict not in wording.JUDGED)  # stable: judged ones come first
    rows = tuple(_target(register, data, verdict) for verdict in areas)
    judged = [row for row in rows if row.verdict in wording.JUDGED]
    source = ("targets.verdict", f"asof={data.period};park_id=null")

    def count(what: str, label: str, *verdicts: str) -> Figure:
        value = sum(row.verdict in verdicts for row in rows)
        formula = f"count(verdict in {','.join(verdicts)})"
        return register.add(("T", what), label, value, "项", source, formula=formula)

    others = tuple(v for v in wording.VERDICTS if v not in wording.JUDGED)
    return TargetsFacts(
        rows=rows,
        documents=tuple(
            (doc_no, tuple(row for row in rows if row.doc_no == doc_no))
            for doc_no in dict.fromkeys(row.doc_no for row in rows)
        ),
        behind=tuple(row for row in judged if row.verdict in ("behind", "far_behind")),
        unjudged=tuple(row for row in rows if row.verdict not in wording.JUDGED),
        n=count("n", "目标项数", *wording.VERDICTS),
        n_judged=count("judged", "已判定目标项数", *wording.JUDGED),
        n_met=count("met", "已达到目标项数", "met"),
        n_on_pace=count("on-pace", "达到序时目标项数", "on_pace"),
        n_good=count("good", "已达到或达到序时目标项数", "met", "on_pace"),
        n_behind=count("behind", "低于序时目标项数", "behind", "far_behind"),
        n_unjudged=count("unjudged", "未判定目标项数", *others),
        time_progress=_common_time_progress(register, data),
        least_gap=register.add(
            ("T", "least_gap"), "差距的最小列示单位", Decimal("0.1"), "个百分点",
            ("bulletins.figure", "rounding of gap_pp"), decimals=1,
        ),  # fmt: skip
        has_seasonal=any(not row.seasonal.is_missing for row in rows),
        parks=_park_targets(register, data, ordered),
    )


def _target(register: Register, data: BulletinData, row: VerdictRow) -> TargetFacts:
    unit, factor, _ = display_unit(row.unit, 2)
    where = "" if row.scope_code == data.scope_code else f"-{row.scope_code}"
    key = f"target={row.target_id};scope={row.scope_code};asof={data.period}"
    # a whole number of enterprises stays whole, money and areas print two decimals
    whole = row.unit in ("户", "个", "家", "项", "次")

    def add(
        what: str, label: str, value: Decimal | None, unit: str, decimals: int | None
    ) -> Figure:
        source = ("targets.verdict", f"{key};column={what}")
        parts = ("T", f"{row.target_id}{where}", what)
        return register.add(parts, f"{row.title}：{label}", value, unit, source, decimals=decimals)

    def scaled(value: Decimal | None) -> Decimal | None:
        return None if value is None else value * factor

    return TargetFacts(
        title=row.title,
        doc_no=row.doc_no,
        clause=row.clause,
        comparator=wording.COMPARATORS.get(row.comparator, row.comparator),
        target=add("target_value", "目标", scaled(row.target_value), unit, None),
        actual=add("actual", "实绩", scaled(row.actual), unit, 0 if whole else 2),
        completion=add("completion_pct", "完成率", row.completion_pct, "%", 1),
        time_progress=add("time_progress_pct", "序时进度", row.time_progress_pct, "%", 1),
        seasonal=add("seasonal_progress_pct", "季节进度", row.seasonal_progress_pct, "%", 1),
        gap=add("gap_pp", "与序时进度差", row.gap_pp, "个百分点", 1),
        verdict=row.verdict,
        word=wording.VERDICTS[row.verdict],
        light=row.light,
        reason=row.reason or "",
    )


def _common_time_progress(register: Register, data: BulletinData) -> Figure | None:
    """m/12 as the verdicts give it, when they agree (all are targets of the calendar year)."""
    values = {v.time_progress_pct for v in data.verdicts if v.time_progress_pct is not None}
    if len(values) != 1:
        return None
    source = ("targets.verdict", f"asof={data.period};column=time_progress_pct")
    return register.add(
        ("T", "time-progress"), "序时进度", values.pop(), "%", source, decimals=1
    )


def _park_targets(
    register: Register, data: BulletinData, ordered: Sequence[VerdictRow]
) -> tuple[ParkTargetFacts, ...]:
    groups: dict[str, list[VerdictRow]] = {}
    for row in ordered:
        if row.park_id is not None:
            groups.setdefault(row.target_id, []).append(row)
    return tuple(_park_target(register, data, target, rows) for target, rows in groups.items())


def _park_target(
    register: Register, data: BulletinData, target_id: str, rows: Sequence[VerdictRow]
) -> ParkTargetFacts:
    source = ("targets.verdict", f"target={target_id};asof={data.period};park_id=*")

    def count(what: str, label: str, test: Callable[[str], bool]) -> Figure:
        value = sum(test(row.verdict) for row in rows)
        words = f"{rows[0].title}：{label}"
        return register.add(("T", target_id, what), words, value, "个", source, formula="count")

    return ParkTargetFacts(
        title=rows[0].title,
        doc_no=rows[0].doc_no,
        clause=rows[0].clause,
        n=count("parks", "园区数", lambda v: True),
        n_good=count("parks-good", "达到的园区数", lambda v: v in ("met", "on_pace")),
        n_behind=count("parks-behind", "未达到的园区数", lambda v: v in ("behind", "far_behind")),
        n_unjudged=count("parks-unjudged", "未判定的园区数", lambda v: v not in wording.JUDGED),
    )


# --- ranks -----------------------------------------------------------------------------------


def class_facts(register: Register, data: BulletinData) -> tuple[ClassFacts, ...]:
    """Every class of every scheme, in the order of scheme and class ids."""
    schemes = {scheme.scheme_id: scheme for scheme in data.schemes}
    groups: dict[tuple[str, str], list[ScoreRow]] = {}
    for row in sorted(data.scores, key=lambda s: (s.scheme_id, s.class_id, s.rank or 0, s.park_id)):
        groups.setdefault((row.scheme_id, row.class_id), []).append(row)
    return tuple(
        _class(register, data, schemes.get(key[0], Scheme(scheme_id=key[0], name=key[0])), rows)
        for key, rows in groups.items()
    )


def _class(
    register: Register, data: BulletinData, scheme: Scheme, rows: Sequence[ScoreRow]
) -> ClassFacts:
    ranked = [row for row in rows if row.eligible and row.rank is not None]
    first = rows[0]
    last = [row for row in ranked if in_last(row, ranked)]
    excluded = [row for row in rows if row not in ranked]
    top = [row for row in ranked if row.rank is not None and row.rank <= data.top_n]
    top = [row for row in top if row not in last]
    key = f"scheme={scheme.scheme_id};class={first.class_id};asof={data.period}"

    def count(what: str, label: str, value: int | None) -> Figure:
        parts = ("S", scheme.scheme_id, first.class_id, what)
        return register.add(parts, label, value, "个", ("assessment.score", f"{key};{what}"))

    return ClassFacts(
        title=f"{scheme.name}（{first.class_name}）" if first.class_name else scheme.name,
        note=scheme.note,
        official=first.official,
        n=count("n", "参与排名园区数", len(ranked)),
        top_n=count("top", "列示的前列名次", data.top_n),
        last_k=count("last_k", "末位区间名额", first.last_k),
        top=tuple(_rank(register, data, row, ranked) for row in top),
        leaders=tuple(row.park_name for row in top if row.rank == 1),
        last=tuple(_rank(register, data, row, ranked) for row in last),
        n_last=count("n_last", "处于末位区间园区数", len(last)),
        border_gap=_border_gap(register, data, ranked, last),
        excluded=tuple((row.park_name, row.exclusion_reason or "") for row in excluded),
        n_excluded=count("n_excluded", "未参与排名园区数", len(excluded)),
    )


def in_last(row: ScoreRow, ranked: Sequence[ScoreRow]) -> bool:
    """Whether a park is among the last k of its class; all parks tied at the border are.

    ``rank`` is the best place of a tie, so its worst place is rank + ties - 1.
    """
    if row.last_k is None or row.rank is None:
        return False
    ties = sum(other.rank == row.rank for other in ranked)
    return row.rank + ties - 1 > len(ranked) - row.last_k


def _border_gap(
    register: Register, data: BulletinData, ranked: Sequence[ScoreRow], last: Sequence[ScoreRow]
) -> Figure | None:
    """Score between the best park of the last k and the next one above it."""
    above = [row for row in ranked if row not in last]
    if not above or not last or above[-1].score is None or last[0].score is None:
        return None
    row = last[0]
    upper, lower = _score(register, data, above[-1]), _score(register, data, row)
    return register.add(
        ("S", row.scheme_id, row.class_id, "border_gap"),
        "末位区间首位与其上一位得分差",
        above[-1].score - last[0].score,
        "分",
        ("assessment.score", f"scheme={row.scheme_id};class={row.class_id};asof={data.period}"),
        decimals=2,
        formula=f"{upper.figure_id} - {lower.figure_id}",
        inputs=(upper, lower),
    )


def _park_parts(row: ScoreRow, what: str) -> tuple[str, ...]:
    return ("S", row.scheme_id, row.class_id, row.park_id, what)


def _score_source(data: BulletinData, row: ScoreRow, column: str) -> tuple[str, str]:
    table = "assessment.watch" if column == "streak" else "assessment.score"
    where = f"scheme={row.scheme_id};class={row.class_id};asof={data.period};park={row.park_id}"
    return (table, f"{where};column={column}")


def _score(register: Register, data: BulletinData, row: ScoreRow) -> Figure:
    source = _score_source(data, row, "score")
    parts = _park_parts(row, "score")
    return register.add(parts, f"{row.park_name}得分", row.score, "分", source, decimals=2)


def _rank(
    register: Register, data: BulletinData, row: ScoreRow, ranked: Sequence[ScoreRow]
) -> RankFacts:
    def add(what: str, label: str, value: int | None, unit: str, formula: str = "") -> Figure:
        source = _score_source(data, row, what)
        words = f"{row.park_name}{label}"
        return register.add(_park_parts(row, what), words, value, unit, source, formula=formula)

    moved = None
    if row.previous_rank is not None and row.rank is not None:
        moved = row.previous_rank - row.rank
    return RankFacts(
        park=row.park_name,
        county=row.county_name,
        city=row.city_name,
        rank=add("rank", "名次", row.rank, "位"),
        tied=sum(other.rank == row.rank for other in ranked) > 1,
        score=_score(register, data, row),
        change=add("change", "名次变动", moved, "位", "previous_rank - rank"),
        streak=add("streak", "连续处于末位区间期数", row.streak, "期"),
        light=row.light,
        complete=row.complete,
        triggers=_triggers(register, data, row),
    )


def _triggers(
    register: Register, data: BulletinData, row: ScoreRow
) -> tuple[tuple[str, Figure], ...]:
    found = [t for t in data.triggers if (t.scheme_id, t.park_id) == (row.scheme_id, row.park_id)]
    facts = []
    for trigger in sorted(found, key=lambda t: t.trigger_id):
        unit, factor, decimals = display_unit(trigger.unit, trigger.decimals)
        value = None if trigger.value is None else trigger.value * factor
        key = f"scheme={row.scheme_id};park={row.park_id};trigger={trigger.trigger_id}"
        figure = register.add(
            _park_parts(row, f"trigger-{trigger.trigger_id}"),
            f"{row.park_name}{trigger.label}",
            value,
            unit,
            ("assessment.watch", f"{key};asof={data.period}"),
            decimals=decimals,
        )
        facts.append((trigger.label, figure))
    return tuple(facts)


# --- reporting -------------------------------------------------------------------------------


def reporting_facts(register: Register, data: BulletinData) -> ReportingFacts:
    """Filing status and findings; reporters with something to mend, gravest first."""
    reporters = sorted(data.reporters, key=lambda r: r.reporter_id)
    troubled = sorted((r for r in reporters if _has_problem(r)), key=_gravity)
    late = [r.name for r in reporters if r.status == "late"]
    missing = [r.name for r in reporters if r.status == "missing"]
    returned = [r.name for r in reporters if r.files_returned]
    shown = troubled[:REPORTERS_SHOWN]

    def add(what: str, label: str, value: int, unit: str, table: str = "submissions") -> Figure:
        source = {
            "submissions": ("submissions.submission", f"period={data.period};{what}"),
            "findings": ("quality.finding", f"period={data.period};outcome=fail;{what}"),
        }[table]
        return register.add(("Q", what), label, value, unit, source, formula=f"count({what})")

    def findings(severity: str, word: str) -> Figure:
        total = sum(getattr(r, f"n_{severity}") for r in reporters)
        return add(f"n-{severity}", f"审核{word}数", total, "项", "findings")

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
        source = (table, f"reporter={row.reporter_id};period={data.period};column={what}")
        parts = ("Q", row.reporter_id, what)
        return register.add(parts, f"{row.name}{label}", value, unit, source)

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


# --- risk list -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WatchFacts:
    """The parks among the last k of any class, and how many classes have such a rule."""

    rows: tuple[RankFacts, ...]
    parks: tuple[str, ...]
    n_parks: Figure
    n_classes: Figure
    n_groups: Figure
    official: bool
    notes: tuple[str, ...]
    has_incomplete: bool


def watch_facts(
    register: Register, data: BulletinData, classes: Sequence[ClassFacts]
) -> WatchFacts:
    """Simulated last-k lists of all classes together; a park in two classes counts once."""
    rows = [row for group in classes for row in group.last]
    parks = tuple(dict.fromkeys(row.park for row in rows))
    with_rule = sum(group.last_k.value is not None for group in classes)
    source = ("assessment.score", f"asof={data.period}")

    def count(what: str, label: str, value: int) -> Figure:
        return register.add(("S", what), label, value, "个", source, formula=f"count({what})")

    return WatchFacts(
        rows=tuple(rows),
        parks=parks,
        n_parks=count("watch-parks", "处于末位区间园区数", len(parks)),
        n_classes=count("watch-classes", "设有末位区间的分组数", with_rule),
        n_groups=count("classes", "考核分组数", len(classes)),
        official=any(group.official for group in classes),
        notes=tuple(dict.fromkeys(group.note for group in classes if group.note)),
        has_incomplete=any(not r.complete for group in classes for r in group.top + group.last),
    )
