"""Compose (撰写): facts of a period, put into sentences by the template, become one document.

Belongs here: the path data → facts → template → model, and the words a template may ask for.
Does not belong here: computing (facts, standings), Chinese phrases (wording), sentences (the
template), or output formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from assets.bulletins import (
    changes,
    facts,
    filing,
    goals,
    markup,
    parks,
    plates,
    prospects,
    standings,
    wording,
)
from assets.bulletins.data import BulletinData
from assets.bulletins.figures import MISSING, Figure, FigureBook, Form, display_unit
from assets.bulletins.markup import Marked
from assets.bulletins.model import Bulletin, Meta, Tone, figure_spans

TEMPLATE = "bulletin.md.j2"


def compose(data: BulletinData, *, folders: Iterable[Path] = ()) -> Bulletin:
    """The document for ``data``: same data, same template → equal document, in any row order.

    ``folders`` are searched for ``bulletin.md.j2`` before the shipped templates (a workspace's own
    wording). Raises ``MarkupError`` for a template that breaks a rule and ``FigureError`` for
    contradicting figures; missing data never raise: the sections say what is missing.
    """
    draft, book = _drafted(data, changes.none, folders)
    if data.replaces is not None:
        draft, book = _drafted(data, changes.against(data, _used(draft, book)), folders)
    return replace(draft, figures=_used(draft, book))


def _used(draft: Bulletin, book: FigureBook) -> tuple[Figure, ...]:
    """The figures printed, and all they are computed from."""
    return book.closure(span.figure_id for span in figure_spans(draft))


def _drafted(
    data: BulletinData, find_changes: changes.Finder, folders: Iterable[Path]
) -> tuple[Bulletin, FigureBook]:
    """The document, and the book of every figure registered on the way."""
    book = FigureBook()
    context = _context(data, book, find_changes)
    text = markup.render(TEMPLATE, context, _functions(book), folders)
    drawings = {name: plates.drawing(plate, book) for name, plate in context["charts"].items()}
    parsed = markup.parse(text, book, drawings)
    draft = Bulletin(
        meta=_meta(data),
        title=parsed.title,
        headline=parsed.headline,
        highlights=parsed.highlights,
        addressee=parsed.addressee,
        body=parsed.body,
        annexes=parsed.annexes,
        figures=(),
    )
    return draft, book


def _meta(data: BulletinData) -> Meta:
    issuer = data.issuer
    return Meta(
        bureau=issuer.bureau,
        letterhead=issuer.letterhead,
        doc_number=issuer.doc_number or "",
        period=data.period,
        period_words=wording.period_words(data.period),
        park_word=issuer.park_word,
        issue_date=data.issue_date,
        issue_date_words=wording.date_words(data.issue_date),
        copies=issuer.copies,
        printer=issuer.printer or issuer.bureau,
        contact=issuer.contact,
        simulated=data.simulated,
        handling=issuer.handling,
        status_mark=data.status_mark,
        edition=data.edition,
        replaces=data.replaces,
        audience=data.audience,
        as_of=data.as_of,
        as_of_words=wording.time_words(data.as_of),
        data_digest=data.data_digest,
        rules_digest=data.rules_digest,
    )


def _context(data: BulletinData, book: FigureBook, find_changes: changes.Finder) -> dict[str, Any]:
    register = facts.Register(book, data.period)
    totals = facts.total_facts(register, data)
    areas = facts.area_facts(register, data)
    by_park = parks.park_facts(register, data)
    classes = standings.class_facts(register, data)
    chosen = data.indicators[: facts.ANNEX_INDICATORS]
    coverage = facts.coverage_facts(register, data)
    targets = goals.target_facts(register, data)
    watch = standings.watch_facts(register, data, classes)
    records = prospects.record_facts(register, data)
    year_end = prospects.year_end_facts(register, data)
    drawn = (
        plates.year_end_plate(register, year_end),
        plates.goal_plate(register, data, targets),
        plates.lane_plate(register, data, classes, watch),
        plates.record_plate(register, records),
    )
    return {
        "charts": {plate.chart_id: plate for plate in drawn if plate is not None},
        "issuer": data.issuer,
        "period": _period_words(data),
        "correction": wording.correction(data.edition, data.replaces),
        "correction_reason": data.correction_reason,
        "changes": find_changes(register),
        "public": data.public,
        "simulated": data.simulated,
        "withheld": data.withheld,
        "topics": data.topics,
        "unit": data.issuer.unit_word,
        "as_of": wording.time_words(data.as_of),
        "deadline": wording.date_words(data.filing_deadline) if data.filing_deadline else "",
        "reply_by": wording.date_words(data.reply_by) if data.reply_by else "",
        "lead": totals.get(data.lead_indicator_id),
        "lead_name": _lead_name(data),
        "totals": tuple(totals.values()),
        "others": tuple(f for key, f in totals.items() if key != data.lead_indicator_id),
        "basis": facts.basis_facts(totals.values(), coverage),
        "areas": areas,
        "parks": by_park,
        "area_indicators": tuple((i.name_zh, display_unit(i.unit, 0)[0]) for i in chosen),
        "spread": facts.area_growth(register, data, areas)
        or parks.park_growth(register, data, by_park),
        "coverage": coverage,
        "targets": targets,
        "classes": classes,
        "watch": watch,
        "reporting": filing.reporting_facts(register, data),
        "gaps": filing.gap_facts(register, data),
        "revised": filing.revised_facts(register, data),
        "records": records,
        "year_end": year_end,
        "ways": prospects.way_facts(register, data),
        "definitions": tuple(
            (i.name_zh, i.definition, display_unit(i.unit, 0)[0]) for i in data.indicators
        ),
        "digests": (data.data_digest[:16], data.rules_digest[:16]),
    }


def _lead_name(data: BulletinData) -> str:
    names = {i.indicator_id: i.name_zh for i in data.indicators}
    return names[data.lead_indicator_id]


def _period_words(data: BulletinData) -> dict[str, str]:
    previous = data.previous_period
    return {
        "full": wording.period_words(data.period),
        "short": wording.period_words(data.period, year=False),
        "previous": wording.period_words(previous, year=False) if previous else "上期",
    }


def _functions(book: FigureBook) -> dict[str, Callable[..., Any]]:
    """What a template may call. Each returns marked text, so no number passes unregistered."""

    def fig(figure: Figure | str) -> Marked:
        """The number."""
        return markup.figure_mark(_figure(book, figure))

    def figu(figure: Figure | str, form: Form = "number") -> Marked:
        """The number with its unit; ``magnitude`` where a word says the direction."""
        return markup.figure_mark(_figure(book, figure), form, unit=True)

    return {
        "fig": fig,
        "figu": figu,
        "growth": _growth,
        "pace": _pace,
        "gap": _gap,
        "names": _names,
        "rank": _rank,
        "move": _move,
        "streak": _streak,
        "reported": _reported,
        "light": _light,
        "bar": _bar,
        "table": markup.table_mark,
        "superlative": _superlative,
        "places": _places,
        "warning": _warning,
        "usual": _usual,
        "levels": _levels,
        "section": _sections(),
    }


def _sections() -> Callable[[str], Marked]:
    """Numbers the level-1 headings in the order the template asks for them."""
    titles: list[str] = []

    def section(title: str) -> Marked:
        titles.append(title)
        return Marked(wording.section(len(titles), title))

    return section


def _figure(book: FigureBook, figure: Figure | str) -> Figure:
    return book[figure] if isinstance(figure, str) else figure


def _shown(figure: Figure) -> Marked:
    """The number without its sign, with its unit: a word says the direction."""
    return markup.figure_mark(figure, "magnitude", unit=True)


def _growth(indicator: facts.IndicatorFacts) -> Marked:
    """同比增长7.0%; both amounts where a rate would mislead."""
    yoy, prior, total = indicator.yoy, indicator.prior, indicator.total
    if indicator.by_amounts:
        if prior.value is None or total.value is None:
            return Marked("同比不可比")
        amounts = (markup.figure_mark(total, unit=True), markup.figure_mark(prior, unit=True))
        return Marked(wording.amounts(total.value, prior.value, *amounts))
    return Marked(wording.growth(yoy.value, _shown(yoy)))


def _pace(indicator: facts.IndicatorFacts, against: str) -> Marked:
    figure = indicator.pace
    shown = _shown(figure)
    return Marked(
        wording.pace(figure.value, shown, markup.quote(against), falling=indicator.falling)
    )


def _gap(figure: Figure, least: Figure, against: str) -> Marked:
    least_shown = markup.figure_mark(least, unit=True)
    shown = _shown(figure)
    return Marked(
        wording.progress_gap(figure.value, shown, least_shown=least_shown, against=against)
    )


def _names(names: Sequence[str], limit: int | None = None, total: Figure | None = None) -> Marked:
    """甲、乙、丙, shortened to ``limit`` names when ``total`` says how many there are."""
    quoted = [markup.quote(name) for name in names]
    count = markup.figure_mark(total) if total is not None else ""
    return Marked(wording.listing(quoted, limit=limit if total else None, total_shown=count))


def _superlative(names: Sequence[str], word: str) -> Marked:
    return Marked(wording.superlative([markup.quote(name) for name in names], word))


def _rank(row: standings.RankFacts) -> Marked:
    return Marked(wording.rank_words(markup.figure_mark(row.rank), tied=row.tied))


def _move(figure: Figure) -> Marked:
    change = None if figure.value is None else int(figure.value)
    return Marked(wording.rank_move(change, markup.figure_mark(figure, "magnitude")))


def _streak(figure: Figure) -> Marked:
    count = None if figure.value is None else int(figure.value)
    return Marked(wording.streak(count, markup.figure_mark(figure)))


def _places(row: standings.RankFacts) -> Marked:
    """Ranks of eight draws in ten: 第17—19位; — without a simulation."""
    low, high = (None if f.value is None else int(f.value) for f in (row.low, row.high))
    words = wording.span(low, high, markup.figure_mark(row.low), markup.figure_mark(row.high))
    return Marked(words or MISSING)


def _warning(row: standings.RankFacts) -> str:
    return wording.CHANGES.get(row.warning, MISSING)


def _usual(way: prospects.WayFacts) -> str:
    return wording.realistic(way.realistic)


def _levels(lights: Sequence[tuple[str, Figure]], unit: str = "个") -> Marked:
    """红灯4个、绿灯3个: counts by light, in the order given."""
    parts = (
        f"{wording.LIGHTS[light]}灯{markup.figure_mark(n)}{markup.quote(unit)}"
        for light, n in lights
    )
    return Marked("、".join(parts))


def _reported(coverage: facts.CoverageFacts, unit: str = "") -> Marked:
    expected, present = coverage.expected, coverage.reported
    shown = (markup.figure_mark(expected), markup.figure_mark(present))
    counts = (int(expected.value or 0), int(present.value or 0))
    return Marked(wording.reported(*counts, *shown, unit=markup.quote(unit)))


def _light(tone: str, text: str = "") -> Marked:
    return markup.badge_mark(cast(Tone, tone), text or wording.LIGHTS[tone])


def _bar(figure: Figure, mark: Figure | None = None, tone: str = "info") -> Marked:
    return markup.bar_mark(figure, mark, cast(Tone, tone))
