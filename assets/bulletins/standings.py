"""Standings (目标和名次): targets, ranks and the risk list of a bulletin, as registered figures.

Belongs here: selecting, sorting and counting verdicts and scores. Does not belong here: judging or
scoring (targets, assessment), areas and filing (facts), sentences (the template).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from assets.bulletins import wording
from assets.bulletins.data import BulletinData, Scheme, ScoreRow, VerdictRow
from assets.bulletins.facts import Register
from assets.bulletins.figures import Figure, display_unit, row_key


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """An area's target and how it stands; ``against`` is what the gap is measured from."""

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
    against: str
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
    """All verdicts of the period: ``kinds`` counts what was not judged, in words.

    ``incomparable`` are the 口径不符 ones, which a reader must not compute by himself.
    """

    rows: tuple[TargetFacts, ...]
    documents: tuple[tuple[str, tuple[TargetFacts, ...]], ...]
    behind: tuple[TargetFacts, ...]
    kinds: tuple[tuple[str, Figure], ...]
    incomparable: tuple[TargetFacts, ...]
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

    ``whole`` is False where the audience sees only its own parks of the class: then ``top`` holds
    all of them that are not among the last, and ``n_own`` counts them. ``leaders`` are the parks
    sharing the first rank.
    """

    title: str
    note: str
    official: bool
    whole: bool
    n: Figure
    n_own: Figure
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


# --- targets ---------------------------------------------------------------------------------


def target_facts(register: Register, data: BulletinData) -> TargetsFacts:
    """Area targets row by row, park targets counted by target; 不适用 ones are not counted."""
    ordered = sorted(data.verdicts, key=lambda v: (v.doc_no, v.target_id, v.scope_code))
    counted = [v for v in ordered if v.park_id is None and v.verdict != "out_of_scope"]
    listed = [v for v in counted if v.verdict in _LISTED]
    listed.sort(key=lambda v: v.verdict not in wording.JUDGED)  # stable: judged ones come first
    rows = tuple(_target(register, data, verdict) for verdict in listed)
    behind = [row for row in rows if row.verdict in ("behind", "far_behind")]
    source = ("targets.verdict", row_key(asof_period=data.period, park_id=None))

    def count(what: str, label: str, *verdicts: str) -> Figure:
        value = sum(row.verdict in verdicts for row in counted)
        formula = f"count(verdict in {','.join(verdicts)})"
        return register.add(("T", what), label, value, "项", source, formula=formula)

    others = tuple(v for v in wording.VERDICTS if v not in (*wording.JUDGED, "out_of_scope"))
    kinds = [(v, count(f"verdict-{v}", f"{wording.VERDICTS[v]}目标项数", v)) for v in others]
    return TargetsFacts(
        rows=rows,
        documents=tuple(
            (doc_no, tuple(row for row in rows if row.doc_no == doc_no))
            for doc_no in dict.fromkeys(row.doc_no for row in rows)
        ),
        # the largest shortfall first; targets without a gap have nothing to be ordered by
        behind=tuple(sorted(behind, key=_shortfall)),
        kinds=tuple((wording.VERDICTS[v], figure) for v, figure in kinds if figure.value),
        incomparable=tuple(row for row in rows if row.verdict == "not_comparable"),
        n=count("n", "目标项数", *wording.JUDGED, *others),
        n_judged=count("judged", "已判定目标项数", *wording.JUDGED),
        n_met=count("met", "已达到目标项数", "met"),
        n_on_pace=count("on-pace", "达到序时目标项数", "on_pace"),
        n_good=count("good", "已达到或达到序时目标项数", "met", "on_pace"),
        n_behind=count("behind", "低于序时目标项数", "behind", "far_behind"),
        n_unjudged=count("unjudged", "未判定目标项数", *others),
        time_progress=_common_time_progress(register, data),
        least_gap=_least_gap(register),
        has_seasonal=any(not row.seasonal.is_missing for row in rows),
        parks=_park_targets(register, data, ordered),
    )


_LISTED = (*wording.JUDGED, "not_comparable")
"""Verdicts with a row of their own; the others are counted by kind."""


def _shortfall(row: TargetFacts) -> tuple[bool, Decimal]:
    return (row.gap.value is None, row.gap.value or Decimal(0))


def _least_gap(register: Register) -> Figure:
    """Smallest gap the bulletin prints, for gaps that are not zero but round to it."""
    source = ("bulletins.figure", row_key(column="gap_pp"))
    least = Decimal("0.1")
    return register.add(
        ("T", "least_gap"), "差距的最小列示单位", least, "个百分点", source, decimals=1
    )


def _target(register: Register, data: BulletinData, row: VerdictRow) -> TargetFacts:
    unit, factor, decimals = display_unit(row.unit, 2)
    where = "" if row.scope_code == data.scope_code else f"-{row.scope_code}"
    # a whole number of enterprises stays whole
    whole = row.unit in ("户", "个", "家", "项", "次")

    def add(
        what: str, label: str, value: Decimal | None, unit: str, decimals: int | None
    ) -> Figure:
        key = row_key(
            target_id=row.target_id,
            scope_code=row.scope_code,
            asof_period=data.period,
            column="required" if what == "target_value" else what,
        )
        source = ("targets.verdict", key)
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
        actual=add("actual", "实绩", scaled(row.actual), unit, 0 if whole else decimals),
        completion=add("completion_pct", "完成率", row.completion_pct, "%", 1),
        time_progress=add("time_progress_pct", "序时进度", row.time_progress_pct, "%", 1),
        seasonal=add("seasonal_progress_pct", "季节进度", row.seasonal_progress_pct, "%", 1),
        gap=add("gap_pp", "与序时进度差", row.gap_pp, "个百分点", 1),
        against="目标" if row.time_progress_pct is None else "序时进度",
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
    key = row_key(asof_period=data.period, column="time_progress_pct")
    source = ("targets.verdict", key)
    return register.add(("T", "time-progress"), "序时进度", values.pop(), "%", source, decimals=1)


def _park_targets(
    register: Register, data: BulletinData, ordered: Sequence[VerdictRow]
) -> tuple[ParkTargetFacts, ...]:
    groups: dict[str, list[VerdictRow]] = {}
    for row in ordered:
        if row.park_id is not None:
            groups.setdefault(row.target_id, []).append(row)
    return tuple(
        _park_target(register, data, target, rows)
        for target, rows in groups.items()
        if any(row.verdict in wording.JUDGED for row in rows)
    )


def _park_target(
    register: Register, data: BulletinData, target_id: str, rows: Sequence[VerdictRow]
) -> ParkTargetFacts:
    source = ("targets.verdict", row_key(target_id=target_id, asof_period=data.period))

    def count(what: str, label: str, test: Callable[[str], bool]) -> Figure:
        value = sum(test(row.verdict) for row in rows)
        words = f"{rows[0].title}：{label}"
        return register.add(("T", target_id, what), words, value, "个", source, formula="count")

    return ParkTargetFacts(
        title=rows[0].title,
        doc_no=rows[0].doc_no,
        clause=rows[0].clause,
        n=count("parks", "园区数", lambda _: True),
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
    whole = len(ranked) == first.n
    above = [row for row in ranked if row not in last and row.rank is not None]
    top = [row for row in above if not whole or (row.rank or 0) <= data.top_n]
    key = row_key(scheme_id=scheme.scheme_id, class_id=first.class_id, asof_period=data.period)

    def count(what: str, label: str, value: int | None) -> Figure:
        parts = ("S", scheme.scheme_id, first.class_id, what)
        return register.add(
            parts, label, value, "个", ("assessment.score", key), formula=f"count({what})"
        )

    return ClassFacts(
        title=f"{scheme.name}（{first.class_name}）" if first.class_name else scheme.name,
        note=scheme.note,
        official=first.official,
        whole=whole,
        n=count("n", "参与排名园区数", first.n),
        n_own=count("n_own", "本地区参与排名园区数", len(ranked)),
        top_n=count("top", "列示的前列名次", data.top_n),
        last_k=count("last_k", "末位区间名额", first.last_k),
        top=tuple(_rank(register, data, row, ranked) for row in top),
        leaders=tuple(row.park_name for row in top if row.rank == 1),
        last=tuple(_rank(register, data, row, ranked) for row in last),
        n_last=count("n_last", "处于末位区间园区数", len(last)),
        border_gap=_border_gap(register, data, ranked, last) if whole else None,
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
    return row.rank + ties - 1 > row.n - row.last_k


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
        _score_source(data, row, "score"),
        decimals=2,
        formula=f"{upper.figure_id} - {lower.figure_id}",
        inputs=(upper, lower),
    )


def _park_parts(row: ScoreRow, what: str) -> tuple[str, ...]:
    return ("S", row.scheme_id, row.class_id, row.park_id, what)


def _score_source(data: BulletinData, row: ScoreRow, column: str) -> tuple[str, str]:
    table = "assessment.watch" if column == "streak" else "assessment.score"
    key = row_key(
        scheme_id=row.scheme_id,
        class_id=row.class_id,
        asof_period=data.period,
        park_id=row.park_id,
        column="rank" if column == "change" else column,
    )
    return (table, key)


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
    seen: set[tuple[str, Decimal | None]] = set()
    for trigger in sorted(found, key=lambda t: t.trigger_id):
        if (trigger.label, trigger.value) in seen:
            continue
        seen.add((trigger.label, trigger.value))
        unit, factor, decimals = display_unit(trigger.unit, trigger.decimals)
        value = None if trigger.value is None else trigger.value * factor
        key = row_key(
            scheme_id=row.scheme_id,
            park_id=row.park_id,
            asof_period=data.period,
            column=f"triggers.{trigger.trigger_id}",
        )
        figure = register.add(
            _park_parts(row, f"trigger-{trigger.trigger_id}"),
            f"{row.park_name}{trigger.label}",
            value,
            unit,
            ("assessment.watch", key),
            decimals=decimals,
        )
        facts.append((trigger.label, figure))
    return tuple(facts)


# --- risk list -------------------------------------------------------------------------------


def watch_facts(
    register: Register, data: BulletinData, classes: Sequence[ClassFacts]
) -> WatchFacts:
    """Simulated last-k lists of all classes together; a park in two classes counts once."""
    rows = [row for group in classes for row in group.last]
    parks = tuple(dict.fromkeys(row.park for row in rows))
    with_rule = sum(group.last_k.value is not None for group in classes)
    source = ("assessment.score", row_key(asof_period=data.period))

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
