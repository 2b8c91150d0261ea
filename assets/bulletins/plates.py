"""Plates (图版): the charts of a bulletin, drawn from the same registered figures as its sentences.

Belongs here: which figures a chart shows, its title in marked text, which table says the same. Does not
belong here: strokes (``charts``, ``uncertain``), where a chart stands (the template), or formats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assets.bulletins import charts, goals, markup, prospects, standings, uncertain, wording
from assets.bulletins.data import BulletinData
from assets.bulletins.facts import Register
from assets.bulletins.figures import Figure, FigureBook, row_key
from assets.bulletins.markup import Drawing, Marked

GOALS_DRAWN = 12
"""Targets in the chart; the table has all of them."""
LANES_DRAWN = 14
"""Parks in the chart; the table has all of them."""


@dataclass(frozen=True, slots=True)
class Plate:
    """A chart ready to stand in a document. ``table_id``: the table of the document that says the
    same; the drawing prints only texts of registered figures."""

    chart_id: str
    title: Marked
    note: str
    svg: str
    table_id: str


def drawing(plate: Plate, book: FigureBook) -> Drawing:
    """The plate as the document takes it, with its words for those who do not see it."""
    alt = f"{markup.words(plate.title, book)}。{plate.note}。"
    return Drawing(plate.svg, alt, plate.table_id)


def goal_plate(register: Register, data: BulletinData, targets: goals.TargetsFacts) -> Plate | None:
    """The scope's own targets by the share of the way covered, against the time progress."""
    own = [row for document in targets.documents if document.own for row in document.rows]
    rows = [
        row for row in own if row.verdict in wording.JUDGED and not row.time_progress.is_missing
    ]
    if not rows or len(rows) > GOALS_DRAWN:
        return None
    source = ("targets.verdict", row_key(asof_period=data.period, park_id=""))

    def count(what: str, label: str, some: Sequence[goals.TargetFacts]) -> Figure:
        return register.count(("T", "plate", what), label, [r.actual for r in some], source, "项")

    behind = [row for row in rows if row.verdict in goals.BEHIND]
    n, short = count("n", "图中目标项数", rows), count("behind", "图中低于进度的项数", behind)
    region = markup.quote(data.issuer.region_word)
    title = Marked(f"{region}有进度要求的{_mark(n)}项目标中，{_mark(short)}项低于时间进度")
    if not behind:
        title = Marked(f"{region}有进度要求的{_mark(n)}项目标均达到时间进度")
    note = "横条为折算进度，竖虚线为时间进度，右端竖线为目标；已达到的画满"
    drawn = charts.bullet("goals", "", [_bar(row) for row in rows], title=_words(register, title))
    return Plate("goals", title, note, drawn.svg, "targets")


def _bar(row: goals.TargetFacts) -> charts.BulletRow:
    done, time = row.done.value, row.time_progress.value
    met = row.verdict == "met"
    return charts.BulletRow(
        label=row.title,
        share=100.0 if done is None else float(done),
        text="" if met else row.done.text,
        pace=None if time is None else float(time),
        pace_text=row.time_progress.text,
        word=row.word,
        behind=row.verdict in goals.BEHIND,
    )


def lane_plate(
    register: Register,
    data: BulletinData,
    classes: Sequence[standings.ClassFacts],
    watch: standings.WatchFacts,
) -> Plate | None:
    """Listed parks: rank now, ranks the year may end at, the last places. None without a simulation."""
    if not watch.has_chances or not 0 < sum(len(c.listed) for c in classes) <= LANES_DRAWN:
        return None
    rows = [_lane(group, row) for group in classes for row in group.listed]
    unit = markup.quote(data.issuer.unit_word)
    title = Marked(
        f"{_mark(watch.n_listed)}个{unit}列入预警，{_mark(watch.n_likely)}个推算年末位于末位区间的概率过半"
    )
    note = "圆点为现名次，粗线为推算年末名次（十次模拟中八次），红底为末位区间"
    note += "" if watch.official else "；模拟名次，非正式考核结果"
    drawn = uncertain.lanes("lanes", _words(register, title), note, rows)
    return Plate("lanes", title, note, drawn.svg, "watch")


def _lane(group: standings.ClassFacts, row: standings.RankFacts) -> uncertain.Lane:
    chance = "" if row.chance.is_missing else f"，末位概率{row.chance.show(unit=True)}"
    close = "≈" if row.not_distinguishable else ""
    return uncertain.Lane(
        group=group.title,
        name=row.park,
        rank=int(row.rank.value or 0),
        n=int(group.n.value or 0),
        low=None if row.low.value is None else int(row.low.value),
        high=None if row.high.value is None else int(row.high.value),
        zone_from=None if group.zone_from.value is None else int(group.zone_from.value),
        text=f"现第{row.rank.text}位{chance}{close}",
        bad=row.light == "red",
    )


def year_end_plate(register: Register, outlook: prospects.YearEndFacts | None) -> Plate | None:
    """The lead indicator's total by month and where the year may end. None without a forecast."""
    if outlook is None:
        return None
    months = [(m, float(figure.value or 0), figure.text) for _, m, figure in outlook.months]
    low, top = outlook.low, outlook.high
    bands = [
        charts.Band("八成区间", float(low.value or 0), float(top.value or 0), low.text, top.text)
    ]
    name, high = markup.quote(outlook.name), markup.figure_mark(top, unit=True)
    title = Marked(f"推算全年{name}在{_mark(outlook.low)}至{high}之间（八成区间）")
    note = f"单位：{outlook.unit}。实线为已报累计，虚线为推算中位数，色带为八成区间"
    note += "" if outlook.calibrated else "；历史不足，区间未经检验"
    middle = (float(outlook.middle.value or 0), outlook.middle.text)
    drawn = charts.fan("year_end", _words(register, title), note, months, middle, bands)
    return Plate("year_end", title, note, drawn.svg, "year_end")


def record_plate(register: Register, records: prospects.RecordsFacts) -> Plate | None:
    """How often the intervals of past forecasts held the result. None without a record."""
    rows = [
        uncertain.Kept(
            row.name,
            (80.0, 90.0),
            (_share(row.covered_80), _share(row.covered_90)),
            (row.covered_80.text, row.covered_90.text),
        )
        for row in records.rows
        if not row.covered_80.is_missing
    ]
    if not rows:
        return None
    known = [row.covered_80 for row in records.rows if not row.covered_80.is_missing]
    known.sort(key=lambda figure: (figure.value or 0, figure.figure_id))
    low, high = (markup.figure_mark(figure, unit=True) for figure in (known[0], known[-1]))
    between = f"为{low}" if len(known) == 1 else f"在{low}至{high}之间"
    title = Marked(f"以往推算的八成区间实际包含年末数的比例{between}")
    note = "圆点为以往推算区间实际包含年末数的比例，左为八成区间、右为九成区间，竖虚线为所称比例"
    drawn = uncertain.kept("record", _words(register, title), note, rows)
    return Plate("record", title, note, drawn.svg, "record")


def _share(figure: Figure) -> float | None:
    return None if figure.value is None else float(figure.value)


def _mark(figure: Figure) -> Marked:
    return markup.figure_mark(figure)


def _words(register: Register, marked: Marked) -> str:
    """Marked text as plain words, for the title inside the drawing."""
    return markup.words(marked, register.book)
