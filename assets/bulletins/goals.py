"""Goals (目标): verdicts of a bulletin by document, by clause and by park, as registered figures.

Belongs here: selecting, sorting and counting verdicts. Does not belong here: judging (the targets
stage), ranks (standings), sentences (the template) or words (wording).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from assets.bulletins import wording
from assets.bulletins.data import BulletinData, OverallRow, VerdictRow
from assets.bulletins.facts import Register
from assets.bulletins.figures import Figure, display_unit, row_key

GOOD = ("met", "on_pace")
BEHIND = ("behind", "far_behind")
BEHIND_SHOWN = 5
"""Targets of a document told in words; the table has all of them."""
WORST_SHOWN = 3
"""Parks or counties named beside a clause that is judged one by one."""


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """A verdict. ``done`` is the share of the way covered, which the gap is measured with.

    ``chance`` is the probability of meeting the bar by the year's end, ``basis`` what the light follows;
    ``path``, for a clause due later, that of being on the way to it then (None: not asked).
    ``against`` is what the gap is measured from: 时间进度, or 目标 for growth. A target that is met
    has neither ``done`` nor gap: there is no way left to measure. ``name`` is the park or county.
    """

    title: str
    subject: str
    doc_no: str
    clause: str
    comparator: str
    name: str
    target: Figure
    actual: Figure
    completion: Figure
    done: Figure
    time_progress: Figure
    seasonal: Figure
    gap: Figure
    chance: Figure
    path: Figure | None
    basis: str
    against: str
    verdict: str
    word: str
    light: str
    reason: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many clauses stand where; ``n_unjudged`` could not be judged from the figures."""

    n_judged: Figure
    n_met: Figure
    n_on_pace: Figure
    n_good: Figure
    n_behind: Figure


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """The area targets of one document; ``own``: the document of the bulletin's own area.

    ``behind``: those told in words, the largest shortfalls first unless ``all_told``.
    """

    doc_no: str
    area: str
    own: bool
    tally: Tally
    rows: tuple[TargetFacts, ...]
    behind: tuple[TargetFacts, ...]
    all_told: bool


@dataclass(frozen=True, slots=True)
class EachFacts:
    """A clause judged park by park or county by county: counts, and the worst by name."""

    title: str
    subject: str
    doc_no: str
    clause: str
    comparator: str
    own: bool
    target: Figure
    n: Figure
    n_good: Figure
    n_behind: Figure
    n_unjudged: Figure
    worst: tuple[TargetFacts, ...]
    behind: tuple[TargetFacts, ...]


@dataclass(frozen=True, slots=True)
class TargetsFacts:
    """All verdicts of the period. ``own`` counts the bulletin's own documents, ``all`` every one.

    ``unjudged``: document → reason in words → clauses; ``kinds`` counts them by reason.
    """

    documents: tuple[DocumentFacts, ...]
    all: Tally
    own: Tally
    others: Tally
    each: tuple[EachFacts, ...]
    each_documents: tuple[tuple[str, tuple[EachFacts, ...]], ...]
    n_each: Figure
    n: Figure
    n_unjudged: Figure
    kinds: tuple[tuple[str, Figure], ...]
    unjudged: tuple[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], ...]
    incomparable: tuple[TargetFacts, ...]
    least_gap: Figure
    has_seasonal: bool
    chances: tuple[TargetFacts, ...]
    shows_chances: bool
    paths: tuple[TargetFacts, ...]
    has_each_chance: bool
    has_each_path: bool
    worst: TargetFacts | None
    overall: OverallFacts


@dataclass(frozen=True, slots=True)
class OverallFacts:
    """Topics of the scope by their one light: the strictest binding clause of all documents.

    ``lights``: (light, topics) in the order red, orange, yellow, green; ``several`` topics with
    clauses of more than one document, ``conflicting`` those whose clauses contradict each other.
    """

    n: Figure
    n_judged: Figure
    lights: tuple[tuple[str, Figure], ...]
    red: tuple[str, ...]
    several: Figure
    conflicting: Figure


def target_facts(register: Register, data: BulletinData) -> TargetsFacts:
    """Area targets by document, one-by-one clauses by clause, what was not judged by reason.

    不适用 clauses and clauses that only restate another one are left out of every count.
    """
    verdicts = sorted(data.verdicts, key=partial(_order, data))
    verdicts = [v for v in verdicts if v.verdict != "out_of_scope"]
    counted = [v for v in verdicts if not v.restated]
    areas = [v for v in counted if not v.each]
    judged = [_target(register, data, v) for v in areas if v.verdict in _LISTED]
    each = _each_clauses(register, data, [v for v in counted if v.each])
    open_clauses = _unjudged(areas, [v for v in counted if v.each])
    by_doc = {v.doc_no: v for v in areas}
    documents = tuple(
        _document(register, data, by_doc[doc_no], [row for row in judged if row.doc_no == doc_no])
        for doc_no in dict.fromkeys(row.doc_no for row in judged)
    )
    own = [row for document in documents if document.own for row in document.rows]
    others = [row for document in documents if not document.own for row in document.rows]
    kinds = _kinds(register, data, open_clauses)
    n_judged = sum(row.verdict in wording.JUDGED for row in judged) + len(each)
    n_open = sum(int(figure.value or 0) for _, figure in kinds)
    source = ("targets.verdict", row_key(asof_period=data.period))
    return TargetsFacts(
        documents=documents,
        all=_tally(register, data, "all", judged),
        own=_tally(register, data, "own", own),
        others=_tally(register, data, "others", others),
        each=each,
        each_documents=tuple(
            (doc_no, tuple(row for row in each if row.doc_no == doc_no))
            for doc_no in dict.fromkeys(row.doc_no for row in each)
        ),
        n_each=register.count(("T", "each"), "逐园逐县条款数", [e.n for e in each], source, "项"),
        n=register.add(
            ("T", "n"), "在效条款数", n_judged + n_open, "项", source, formula="count(target_id)"
        ),
        n_unjudged=register.add(
            ("T", "unjudged"), "未判定条款数", n_open, "项", source,
            formula="sum(inputs)", inputs=[figure for _, figure in kinds],
        ),
        kinds=kinds,
        unjudged=_grouped(open_clauses),
        incomparable=tuple(row for row in judged if row.verdict == "not_comparable"),
        least_gap=_least_gap(register),
        has_seasonal=any(not row.seasonal.is_missing for row in judged),
        chances=tuple(row for row in judged if not row.chance.is_missing),
        shows_chances=sum(_has_chance(row) for row in judged) * 3 >= max(len(judged), 1),
        paths=tuple(row for row in judged if row.path),
        has_each_chance=any(_has_chance(one) for e in each for one in e.behind),
        has_each_path=any(one.path for e in each for one in e.behind),
        worst=min(
            (row for row in own if row.verdict in BEHIND and row.gap.value is not None),
            key=_shortfall,
            default=None,
        ),
        overall=_overall(register, data),
    )  # fmt: skip


def _overall(register: Register, data: BulletinData) -> OverallFacts:
    rows = sorted(data.overall, key=lambda row: row.topic)
    key = row_key(asof_period=data.period, scope_code=data.scope_code, park_id="")

    def count(what: str, label: str, some: Iterable[OverallRow]) -> Figure:
        parts, source = ("T", "overall", what), ("targets.overall", key)
        return register.add(
            parts, label, len(list(some)), "个", source, formula=f"count(topic：{what})"
        )

    judged = [row for row in rows if row.light != "grey"]
    lights = tuple(
        (light, count(light, f"总灯{wording.LIGHTS[light]}的事项数", found))
        for light in ("red", "orange", "yellow", "green")
        if (found := [row for row in judged if row.light == light])
    )
    return OverallFacts(
        n=count("topics", "有目标的事项数", rows),
        n_judged=count("judged", "总灯已判定的事项数", judged),
        lights=lights,
        red=tuple(row.title for row in judged if row.light == "red"),
        several=count("several", "有多条条款的事项数", (r for r in rows if r.n_targets > 1)),
        conflicting=count(
            "conflicting", "条款互相矛盾的事项数", (r for r in rows if r.n_conflicts)
        ),
    )


_LISTED = (*wording.JUDGED, "not_comparable")
"""Verdicts with a row of their own; the others are counted by reason."""


def _order(data: BulletinData, row: VerdictRow) -> tuple[bool, str, str, str, str, str]:
    """The bulletin's own documents first, then by document, clause, place and park."""
    other = row.document_scope_code != data.scope_code
    place = (row.scope_code, row.park_id or "")
    return (other, row.document_scope_code, row.document_id, row.target_id, *place)


# --- one verdict -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Figures:
    """Registers the figures of one verdict row."""

    register: Register
    period: str
    row: VerdictRow

    def add(
        self,
        what: str,
        label: str,
        value: Decimal | None,
        unit: str,
        decimals: int | None,
        formula: str = "",
        inputs: Sequence[Figure] = (),
        chance: bool = False,
    ) -> Figure:
        row = self.row
        key = row_key(
            target_id=row.target_id,
            scope_code=row.scope_code,
            park_id=row.park_id or "",
            asof_period=self.period,
            column=_COLUMNS.get(what, what),
        )
        who = row.park_id or (row.scope_code if row.each else "")
        parts = ("T", row.target_id, who, what) if who else ("T", row.target_id, what)
        words = f"{row.member or row.subject}{row.title}：{label}"
        source = ("targets.verdict", key)
        return self.register.add(
            parts, words, value, unit, source,
            decimals=decimals, formula=formula, inputs=inputs, chance=chance,
        )  # fmt: skip

    def done(self, gap: Figure, time: Figure) -> Figure:
        """Share of the way covered: the gap was taken from it, so the two add up again."""
        known = gap.value is not None and time.value is not None
        value = (gap.value or Decimal(0)) + (time.value or Decimal(0)) if known else None
        formula = f"{gap.figure_id} + {time.figure_id}"
        return self.add("done", "折算进度", value, "%", 1, formula, (gap, time))


_COLUMNS = {"target_value": "required", "done": "gap_pp"}


def _target(register: Register, data: BulletinData, row: VerdictRow) -> TargetFacts:
    unit, factor, decimals = display_unit(row.unit, 2)
    if decimals == 0 and row.actual is not None and row.actual % 1:
        decimals = 1  # an average of things that are counted
    growth = row.time_progress_pct is None
    past = row.verdict == "met" and not growth  # no way left to measure
    figures = _Figures(register, data.period, row)
    add = figures.add
    time = add("time_progress_pct", "时间进度", row.time_progress_pct, "%", 1)
    measured = "与目标差" if growth else "与时间进度差"
    gap = add("gap_pp", measured, None if past else row.gap_pp, "个百分点", 1)
    return TargetFacts(
        title=row.title,
        subject=row.subject,
        doc_no=row.doc_no,
        clause=row.clause,
        comparator=wording.COMPARATORS.get(row.comparator, row.comparator),
        name=row.member,
        target=add("target_value", "目标", _times(row.target_value, factor), unit, None),
        actual=add("actual", "实绩", _times(row.actual, factor), unit, decimals),
        completion=add("completion_pct", "完成率", row.completion_pct, "%", 1),
        done=figures.done(gap, time),
        time_progress=time,
        seasonal=add("seasonal_progress_pct", "季节进度", row.seasonal_progress_pct, "%", 1),
        gap=gap,
        chance=add("probability", "达标概率", _percent(row.probability), "%", 0, chance=True),
        path=None
        if row.path_probability is None
        else add(
            "path_probability",
            "年末达到路径应达数的概率",
            row.path_probability * 100,
            "%",
            0,
            chance=True,
        ),
        basis=row.light_basis,
        against="目标" if growth else "时间进度",
        verdict=row.verdict,
        word=wording.verdict_word(row.verdict, growth=growth),
        light=row.light,
        reason=row.reason or "",
    )


def _has_chance(row: TargetFacts) -> bool:
    return row.path is not None or not row.chance.is_missing


def _percent(share: Decimal | None) -> Decimal | None:
    return None if share is None else share * 100


def _times(value: Decimal | None, factor: Decimal) -> Decimal | None:
    return None if value is None else value * factor


def _shortfall(row: TargetFacts) -> tuple[bool, Decimal, bool, Decimal, str]:
    """The largest shortfall first; rows without a gap by completion, then by name."""
    gap, completion = row.gap.value, row.completion.value
    return (gap is None, gap or Decimal(0), completion is None, completion or Decimal(0), row.name)


# --- documents -------------------------------------------------------------------------------


def _document(
    register: Register, data: BulletinData, first: VerdictRow, rows: Sequence[TargetFacts]
) -> DocumentFacts:
    behind = [row for row in rows if row.verdict in BEHIND]
    if len(behind) > BEHIND_SHOWN:  # clause by clause where all are told, else the worst ones
        behind = sorted(behind, key=_shortfall)
    ordered = sorted(rows, key=lambda row: row.verdict not in wording.JUDGED)
    return DocumentFacts(
        doc_no=first.doc_no,
        area=first.document_scope_name,
        own=first.document_scope_code == data.scope_code,
        tally=_tally(register, data, first.document_id, rows),
        rows=tuple(ordered),
        behind=tuple(behind[:BEHIND_SHOWN]),
        all_told=len(behind) <= BEHIND_SHOWN,
    )


def _tally(register: Register, data: BulletinData, of: str, rows: Sequence[TargetFacts]) -> Tally:
    source = ("targets.verdict", row_key(asof_period=data.period, park_id=""))

    def count(what: str, label: str, verdicts: Iterable[str]) -> Figure:
        wanted = tuple(verdicts)
        counted = [row.actual for row in rows if row.verdict in wanted]
        return register.count(("T", of, what), label, counted, source, unit="项")

    return Tally(
        n_judged=count("judged", "已判定目标项数", wording.JUDGED),
        n_met=count("met", "已达到目标项数", ("met",)),
        n_on_pace=count("on-pace", "达到时间进度目标项数", ("on_pace",)),
        n_good=count("good", "已达到或达到时间进度目标项数", GOOD),
        n_behind=count("behind", "低于时间进度目标项数", BEHIND),
    )


def _least_gap(register: Register) -> Figure:
    """Smallest gap the bulletin prints, for gaps that are not zero but round to it."""
    source = ("targets.verdict", row_key(column="gap_pp"))
    return register.add(
        ("T", "least_gap"), "差距的最小列示单位", Decimal("0.1"), "个百分点", source,
        decimals=1, formula="列示到一位小数",
    )  # fmt: skip


# --- clauses judged one by one ---------------------------------------------------------------


def _each_clauses(
    register: Register, data: BulletinData, verdicts: Sequence[VerdictRow]
) -> tuple[EachFacts, ...]:
    """Clauses with at least one judged park or county, in document order."""
    groups: dict[str, list[VerdictRow]] = {}
    for row in verdicts:
        groups.setdefault(row.target_id, []).append(row)
    return tuple(
        _each(register, data, target_id, rows)
        for target_id, rows in groups.items()
        if any(row.verdict in wording.JUDGED for row in rows)
    )


def _each(
    register: Register, data: BulletinData, target_id: str, verdicts: Sequence[VerdictRow]
) -> EachFacts:
    source = ("targets.verdict", row_key(target_id=target_id, asof_period=data.period))
    rows = [_target(register, data, verdict) for verdict in verdicts]
    first = next(row for row in rows if row.verdict in wording.JUDGED)

    def count(what: str, label: str, counted: Iterable[TargetFacts]) -> Figure:
        words = f"{first.title}：{label}"
        figures = [row.actual for row in counted]
        return register.count(("T", target_id, what), words, figures, source)

    behind = sorted((row for row in rows if row.verdict in BEHIND), key=_shortfall)
    return EachFacts(
        title=first.title,
        subject=first.subject,
        doc_no=first.doc_no,
        clause=first.clause,
        comparator=first.comparator,
        own=verdicts[0].document_scope_code == data.scope_code,
        target=first.target,
        n=count("each", "判定对象数", rows),
        n_good=count("each-good", "达到的个数", [r for r in rows if r.verdict in GOOD]),
        n_behind=count("each-behind", "未达到的个数", behind),
        n_unjudged=count(
            "each-unjudged", "未判定的个数", [r for r in rows if r.verdict not in wording.JUDGED]
        ),
        worst=tuple(behind[:WORST_SHOWN]),
        behind=tuple(behind),
    )


# --- not judged ------------------------------------------------------------------------------


def _unjudged(areas: Sequence[VerdictRow], each: Sequence[VerdictRow]) -> list[VerdictRow]:
    """One row of every clause nothing could be judged of."""
    found = [row for row in areas if row.verdict not in wording.JUDGED]
    groups: dict[str, list[VerdictRow]] = {}
    for row in each:
        groups.setdefault(row.target_id, []).append(row)
    found += [
        rows[0]
        for rows in groups.values()
        if not any(row.verdict in wording.JUDGED for row in rows)
    ]
    return found


def _kinds(
    register: Register, data: BulletinData, rows: Sequence[VerdictRow]
) -> tuple[tuple[str, Figure], ...]:
    kinds = []
    for verdict in wording.VERDICTS:
        number = len({row.target_id for row in rows if row.verdict == verdict})
        if number:
            key = row_key(asof_period=data.period, verdict=verdict)
            word = wording.VERDICTS[verdict]
            figure = register.add(
                ("T", f"verdict-{verdict}"), f"{word}条款数", number, "项",
                ("targets.verdict", key), formula="count(target_id)",
            )  # fmt: skip
            kinds.append((word, figure))
    return tuple(kinds)


def _grouped(
    rows: Sequence[VerdictRow],
) -> tuple[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], ...]:
    """Document → reason → clauses, in the order of the rows."""
    documents: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        reasons = documents.setdefault(row.doc_no, {})
        names = reasons.setdefault(wording.VERDICTS[row.verdict], [])
        name = f"{row.clause} {row.title}"
        if name not in names:
            names.append(name)
    return tuple(
        (doc_no, tuple((reason, tuple(names)) for reason, names in reasons.items()))
        for doc_no, reasons in documents.items()
    )
