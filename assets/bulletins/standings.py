"""Standings (名次): ranks, last places and the watch list of a bulletin, as registered figures.

Belongs here: selecting, sorting and counting scores. Does not belong here: scoring and deciding who
is among the last (assessment), targets (goals), sentences (the template) or words (wording).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assets.bulletins import wording
from assets.bulletins.data import BulletinData, Scheme, ScoreRow
from assets.bulletins.facts import Register
from assets.bulletins.figures import Figure, row_key


@dataclass(frozen=True, slots=True)
class RankFacts:
    """One ranked park. ``change`` is earlier rank minus present rank (positive is better).

    ``triggers`` are the rules that fired beside rank and streak; ``weak`` the indicators that cost
    most points. ``chance`` of the last places at the year's end and ``low``–``high``, the ranks of
    eight draws in ten, come from the simulation under the scheme's own rules; ``warning`` says
    new, persisting or resolved against the period before. ``uncalibrated``: simulated, but too little
    of the weight has known past errors for a chance to be printed.
    """

    park: str
    place: str
    rank: Figure
    tied: bool
    score: Figure
    change: Figure
    streak: Figure
    light: str
    complete: bool
    triggers: tuple[str, ...]
    weak: tuple[str, ...]
    in_zone: bool
    chance: Figure
    low: Figure
    high: Figure
    not_distinguishable: bool | None
    warning: str
    uncalibrated: bool


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """A class of a scheme: its best and its last parks, and who was not ranked.

    ``whole`` is False where the audience sees only its own parks of the class: then ``top`` holds
    all of them that are not among the last, and ``n_own`` counts them. ``leaders`` are the parks
    sharing the first rank. ``alerted`` are on the watch list without being among the last;
    ``listed`` are both, by rank; ``resolved`` were on it the period before. ``zone_from`` is the
    first of the last places.
    """

    title: str
    short: str
    note: str
    official: bool
    whole: bool
    n: Figure
    n_own: Figure
    last_k: Figure
    top: tuple[RankFacts, ...]
    leaders: tuple[str, ...]
    zone_from: Figure
    last: tuple[RankFacts, ...]
    alerted: tuple[RankFacts, ...]
    listed: tuple[RankFacts, ...]
    resolved: tuple[RankFacts, ...]
    n_last: Figure
    border_gap: Figure | None
    excluded: tuple[tuple[str, str], ...]
    n_excluded: Figure


@dataclass(frozen=True, slots=True)
class WatchFacts:
    """The watch list over all classes, and how many classes have last places at all.

    ``changes``: (word, parks, their number) of new, persisting and resolved warnings; ``close``:
    listed parks that cannot be told apart from the cut-off; ``likely``: those more likely than not
    among the last at the year's end. ``least_calibrated``: the smallest share of weight with known
    errors behind these chances, ``needed`` what the schemes ask for. ``has_gaps``: some listed park
    has no chance; ``uncalibrated``: some for want of known errors.
    """

    rows: tuple[RankFacts, ...]
    alerted: tuple[RankFacts, ...]
    has_triggers: bool
    parks: tuple[str, ...]
    n_parks: Figure
    n_red: Figure
    n_alerted: Figure
    n_classes: Figure
    n_groups: Figure
    top_n: Figure
    official: bool
    notes: tuple[str, ...]
    has_incomplete: bool
    n_listed: Figure
    red: tuple[str, ...]
    n_red_listed: Figure
    changes: tuple[tuple[str, tuple[str, ...], Figure], ...]
    close: tuple[str, ...]
    n_close: Figure
    has_chances: bool
    draws: Figure | None
    least_calibrated: Figure | None
    likely: tuple[str, ...]
    n_likely: Figure
    red_from: Figure | None
    watch_from: Figure | None
    needed: Figure | None
    has_gaps: bool
    uncalibrated: bool


ALERTS = ("yellow", "orange", "red")
"""Lights that ask for attention."""
OF_WATCH = ("streak", "p_last_k", "rank_p10", "rank_p90")

# --- ranks -----------------------------------------------------------------------------------


def class_facts(register: Register, data: BulletinData) -> tuple[ClassFacts, ...]:
    """Every class of every scheme: the scheme with most parks first, classes by id."""
    schemes = {scheme.scheme_id: scheme for scheme in data.schemes}
    groups: dict[tuple[str, str], list[ScoreRow]] = {}
    for row in sorted(data.scores, key=lambda s: (s.class_id, s.rank or 0, s.park_id)):
        groups.setdefault((row.scheme_id, row.class_id), []).append(row)
    size = Counter(row.scheme_id for row in data.scores)
    return tuple(
        _class(register, data, schemes.get(key[0], Scheme(scheme_id=key[0], name=key[0])), rows)
        for key, rows in sorted(groups.items(), key=lambda g: (-size[g[0][0]], g[0]))
    )


def _class(
    register: Register, data: BulletinData, scheme: Scheme, rows: Sequence[ScoreRow]
) -> ClassFacts:
    ranked = [row for row in rows if row.eligible and row.rank is not None]
    first = rows[0]
    last = [row for row in ranked if row.in_last_k]
    excluded = [row for row in rows if row not in ranked]
    fired = {t.park_id for t in data.triggers if t.scheme_id == scheme.scheme_id}
    fired |= {row.park_id for row in ranked if row.light in ALERTS}
    above = [row for row in ranked if not row.in_last_k]
    whole = len(ranked) == first.n
    top = [row for row in above if not whole or (row.rank or 0) <= data.top_n]
    key = row_key(scheme_id=scheme.scheme_id, class_id=first.class_id, asof_period=data.period)

    def count(what: str, label: str, value: int | None, formula: str = "") -> Figure:
        parts = ("S", scheme.scheme_id, first.class_id, what)
        words = f"{scheme.name}{first.class_name}{label}"
        how = formula or f"count({what})"
        return register.add(parts, words, value, "个", ("assessment.score", key), formula=how)

    def facts(some: Sequence[ScoreRow]) -> tuple[RankFacts, ...]:
        return tuple(_rank(register, data, row, ranked) for row in some)

    return ClassFacts(
        title=f"{scheme.name}（{first.class_name}）" if first.class_name else scheme.name,
        short=f"{scheme.short or scheme.name}{first.class_name}",
        note=scheme.note,
        official=first.official,
        whole=whole,
        n=class_size(register, data, first),
        n_own=count("n_own", "本地区参与排名园区数", len(ranked)),
        last_k=count("last_k", "末位名额", first.last_k, "方案规定的末位名额"),
        top=facts(top),
        leaders=tuple(row.park_name for row in top if row.rank == 1),
        last=facts(last),
        alerted=facts([row for row in above if row.park_id in fired]),
        listed=facts([row for row in ranked if row.in_last_k or row.park_id in fired]),
        resolved=facts([row for row in ranked if row.change == "resolved"]),
        zone_from=_zone_from(register, first, key),
        n_last=count("n_last", "处于末位区间园区数", len(last)),
        border_gap=_border_gap(register, data, above, last) if whole else None,
        excluded=tuple((row.park_name, row.exclusion_reason or "") for row in excluded),
        n_excluded=count("n_excluded", "未参与排名园区数", len(excluded)),
    )


def _zone_from(register: Register, row: ScoreRow, key: str) -> Figure:
    """First of the last places; missing without last places."""
    value = row.n - row.last_k + 1 if row.last_k else None
    parts = ("S", row.scheme_id, row.class_id, "zone-from")
    label = f"{row.class_name}末位区间起点"
    source = ("assessment.score", key)
    return register.add(parts, label, value, "位", source, formula="n - last_k + 1")


def class_size(register: Register, data: BulletinData, row: ScoreRow) -> Figure:
    """Ranked parks of the whole class of ``row``."""
    key = row_key(scheme_id=row.scheme_id, class_id=row.class_id, asof_period=data.period)
    parts = ("S", row.scheme_id, row.class_id, "n")
    label = f"{row.class_name}参与排名园区数"
    return register.add(parts, label, row.n, "个", ("assessment.score", key), formula="count(rank)")


def _border_gap(
    register: Register, data: BulletinData, above: Sequence[ScoreRow], last: Sequence[ScoreRow]
) -> Figure | None:
    """Score between the best park of the last k and the next one above it."""
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


def _score_source(
    data: BulletinData, row: ScoreRow, column: str, period: str | None = None
) -> tuple[str, str]:
    table = "assessment.watch" if column in OF_WATCH else "assessment.score"
    key = row_key(
        scheme_id=row.scheme_id,
        class_id=row.class_id,
        asof_period=period or data.period,
        park_id=row.park_id,
        column=column,
    )
    return (table, key)


def _score(register: Register, data: BulletinData, row: ScoreRow) -> Figure:
    source = _score_source(data, row, "score")
    parts = _park_parts(row, "score")
    return register.add(parts, f"{row.park_name}得分", row.score, "分", source, decimals=2)


def rank_figure(register: Register, data: BulletinData, row: ScoreRow) -> Figure:
    """The park's rank in its class."""
    source = _score_source(data, row, "rank")
    return register.add(_park_parts(row, "rank"), f"{row.park_name}名次", row.rank, "位", source)


def _rank(
    register: Register, data: BulletinData, row: ScoreRow, ranked: Sequence[ScoreRow]
) -> RankFacts:
    rank = rank_figure(register, data, row)
    fired = [t for t in data.triggers if (t.scheme_id, t.park_id) == (row.scheme_id, row.park_id)]
    fired.sort(key=lambda t: t.trigger_id)
    said = dict.fromkeys(t.label for t in fired if not t.shown_elsewhere)
    return RankFacts(
        park=row.park_name,
        place=row.city_name or row.county_name,
        rank=rank,
        tied=sum(other.rank == row.rank for other in ranked) > 1,
        score=_score(register, data, row),
        change=_change(register, data, row, rank),
        streak=register.add(
            _park_parts(row, "streak"), f"{row.park_name}连续处于末位区间期数", row.streak, "期",
            _score_source(data, row, "streak"),
        ),
        light=row.light,
        complete=row.complete,
        triggers=tuple(said),
        weak=row.weak,
        in_zone=row.in_last_k,
        chance=register.add(
            _park_parts(row, "p_last_k"), f"{row.park_name}推算年末位于末位区间的概率",
            None if row.p_last_k is None else row.p_last_k * 100, "%",
            _score_source(data, row, "p_last_k"), chance=True,
        ),
        low=register.add(
            _park_parts(row, "rank_p10"), f"{row.park_name}推算年末名次区间上端", row.rank_p10,
            "位", _score_source(data, row, "rank_p10"),
        ),
        high=register.add(
            _park_parts(row, "rank_p90"), f"{row.park_name}推算年末名次区间下端", row.rank_p90,
            "位", _score_source(data, row, "rank_p90"),
        ),
        not_distinguishable=row.not_distinguishable,
        warning=row.change,
        uncalibrated=bool(row.last_k) and row.p_last_k is None and row.calibrated_pct is not None,
    )  # fmt: skip


def _change(register: Register, data: BulletinData, row: ScoreRow, rank: Figure) -> Figure:
    """Earlier rank minus present rank; missing when the park had none."""
    before = register.add(
        _park_parts(row, "rank-before"), f"{row.park_name}上期名次", row.previous_rank, "位",
        _score_source(data, row, "rank", data.previous_period),
    )  # fmt: skip
    known = row.previous_rank is not None and row.rank is not None
    moved = (row.previous_rank or 0) - (row.rank or 0) if known else None
    return register.add(
        _park_parts(row, "change"), f"{row.park_name}名次变动", moved, "位",
        _score_source(data, row, "rank"),
        formula=f"{before.figure_id} - {rank.figure_id}", inputs=(before, rank),
    )  # fmt: skip


# --- watch list ------------------------------------------------------------------------------


def watch_facts(
    register: Register, data: BulletinData, classes: Sequence[ClassFacts]
) -> WatchFacts:
    """Last places and alerts of all classes together; a park in two classes counts once."""
    rows = [row for group in classes for row in group.last]
    alerted = [row for group in classes for row in group.alerted]
    source = ("assessment.watch", row_key(asof_period=data.period))

    def count(what: str, label: str, some: Sequence[RankFacts]) -> Figure:
        one_each = {row.park: row.rank for row in some}  # a park in two classes counts once
        return register.count(("S", what), label, list(one_each.values()), source)

    def number(what: str, label: str, value: int, formula: str) -> Figure:
        return register.add(("S", what), label, value, "个", source, formula=formula)

    with_rule = sum(bool(group.last_k.value) for group in classes)
    listed = [row for group in classes for row in group.listed]
    resolved = [row for group in classes for row in group.resolved]
    close = [row for row in listed if row.not_distinguishable]
    likely = [row for row in listed if (row.chance.value or 0) >= HALF]
    chances = [row for row in listed if not row.chance.is_missing]
    return WatchFacts(
        rows=tuple(rows),
        alerted=tuple(alerted),
        has_triggers=any(row.triggers for row in listed),
        parks=tuple(dict.fromkeys(row.park for row in rows)),
        n_parks=count("watch-parks", "处于末位区间园区数", rows),
        n_red=count("watch-red", "末位区间红灯园区数", [r for r in rows if r.light == "red"]),
        n_alerted=count("watch-alerted", "未在末位区间而有预警的园区数", alerted),
        n_classes=number("watch-classes", "设有末位区间的分组数", with_rule, "count(class_id)"),
        n_groups=number("classes", "考核分组数", len(classes), "count(class_id)"),
        top_n=number("top", "列示的前列名次", data.top_n, "列示的名次数"),
        official=any(group.official for group in classes),
        notes=tuple(dict.fromkeys(group.note for group in classes if group.note)),
        has_incomplete=any(not r.complete for g in classes for r in (*g.top, *g.listed)),
        n_listed=count("watch-listed", "列入预警名单园区数", listed),
        red=_names(row for row in listed if row.light == "red"),
        n_red_listed=count("watch-reds", "预警红灯园区数", [r for r in listed if r.light == "red"]),
        changes=tuple(
            (wording.CHANGES[kind], _names(found), count(f"watch-{kind}", f"{label}园区数", found))
            for kind, label in _WARNING_CHANGES
            if (found := [r for r in (*listed, *resolved) if r.warning == kind])
        ),
        close=_names(close),
        n_close=count("watch-close", "与末位界线统计上难分的园区数", close),
        has_chances=bool(chances),
        draws=_draws(register, data) if chances else None,
        least_calibrated=_least_calibrated(register, data) if chances else None,
        likely=_names(likely),
        n_likely=count("watch-likely", "推算年末位于末位区间概率过半的园区数", likely),
        red_from=_rule(register, data, "red_chance", "末位概率红灯界线", "方案规定的红灯概率", 100),
        watch_from=_rule(
            register, data, "watch_chance", "末位概率橙灯界线", "方案规定的橙灯概率", 100
        ),
        needed=_rule(
            register, data, "least_calibrated", "列示末位概率所需权重", "方案规定的权重比例"
        ),
        has_gaps=any(row.chance.is_missing for row in listed),
        uncalibrated=any(row.uncalibrated for row in listed),
    )


HALF = 50
"""Per cent: more likely than not."""
_WARNING_CHANGES = (("new", "新增预警"), ("persisting", "持续预警"), ("resolved", "解除预警"))


def _rule(
    register: Register, data: BulletinData, name: str, label: str, formula: str, factor: int = 1
) -> Figure | None:
    """A percentage the schemes lay down; None where they differ or say nothing."""
    used = {row.scheme_id for row in data.scores}
    values = {getattr(s, name) for s in data.schemes if s.scheme_id in used}
    if len(values) != 1 or None in values:
        return None
    source = ("assessment.basis", row_key(asof_period=data.period))
    return register.add(("S", name), label, values.pop() * factor, "%", source, formula=formula)


def _names(rows: Iterable[RankFacts]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.park for row in rows))


def _draws(register: Register, data: BulletinData) -> Figure:
    """Draws behind the chances: the fewest of any."""
    value = min(row.draws for row in data.scores if row.draws is not None)
    source = ("assessment.risk", row_key(asof_period=data.period, column="draws"))
    label, how = "模拟年末的抽样次数", "min(draws)"
    return register.add(("S", "draws"), label, value, "次", source, formula=how)


def _least_calibrated(register: Register, data: BulletinData) -> Figure:
    known = [row.calibrated_pct for row in data.scores
             if row.p_last_k is not None and row.calibrated_pct is not None]  # fmt: skip
    source = ("assessment.risk", row_key(asof_period=data.period, column="calibrated_pct"))
    return register.add(
        ("S", "calibrated"), "有往年误差记录的计分权重（最低）", min(known, default=None), "%",
        source, formula="min(calibrated_pct)",
    )  # fmt: skip
