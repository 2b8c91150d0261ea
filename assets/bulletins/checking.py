"""Checking (核对): the release check of a period's editions, put together and kept as rows.

Belongs here: which texts may hold digits, running the checks over drafts and over finished files, the
rows of ``bulletins.check``. Does not belong here: the checks themselves (``release_check``,
``printed``, ``recount``), mails and approval (``deliveries``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assets.assessment.watch import trigger_words
from assets.bulletins import (
    fonts,
    printed,
    recount,
    release_check,
    select,
    select_judgement,
    wording,
)
from assets.bulletins.extract import ExtractError, html_figures, text_of
from assets.bulletins.figures import Figure
from assets.bulletins.model import Bulletin, FigureSpan, Heading, Text, plain
from assets.bulletins.printed import Allowed, Piece
from assets.bulletins.release_check import TITLES, Found
from assets.bulletins.scope import Scope
from assets.bulletins.webpage import origin
from warehouse import store
from warehouse.releases import Key, Releases

if TYPE_CHECKING:
    import duckdb

    from assets.build import Build
    from warehouse.catalog.models import Audience

FORMAT_WORDS: Mapping[str, str] = {
    "pdf": "PDF", "docx": "Word", "html": "网页", "xlsx": "Excel",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checked:
    """An edition to be checked: its composed document, and whom it is for."""

    key: Key
    audience: Audience
    bulletin: Bulletin

    @property
    def public(self) -> bool:
        """Whether it is for everybody."""
        return self.audience.role == select.PUBLIC


# --- what may hold digits ------------------------------------------------------------------------


def shared_texts(connection: duckdb.DuckDBPyConnection, build: Build, period: str) -> Allowed:
    """Names, clauses, document numbers, definitions and reasons of the catalogue and the period."""
    catalog = build.catalog
    reasons = store.fetch(connection, _REASONS, {"period": period})
    return Allowed(
        names=[
            *(name for p in catalog.parks for name in (p.name, p.short_name) if name),
            *(r.name for r in catalog.regions), *(r.name for r in catalog.reporters),
            *(i.name_zh for i in catalog.indicators), *(i.unit for i in catalog.indicators),
        ],
        documents=[name for d in catalog.documents for name in (d.doc_no, d.title)],
        clauses=[
            text
            for t in catalog.targets
            for text in (f"{t.clause} {t.indicator_name}", t.clause, t.subject, t.indicator_name)
        ],
        schemes=[
            *(text for s in catalog.schemes for text in (s.title, s.label)),
            *(word for s in catalog.schemes for word in trigger_words(s.watch).values()),
        ],
        definitions=[i.definition for i in catalog.indicators],
        reasons=[
            text
            for row in reasons
            for text in (row["reason"], select_judgement.short_reason(row["reason"]) or "")
        ],
    )  # fmt: skip


_REASONS = """
SELECT DISTINCT reason FROM targets.verdict WHERE asof_period = $period AND reason IS NOT NULL
UNION
SELECT DISTINCT exclusion_reason FROM assessment.score
WHERE asof_period = $period AND exclusion_reason IS NOT NULL
"""


def own_texts(bulletin: Bulletin, dates: Iterable[str]) -> dict[str, list[str]]:
    """Dates, numbers of tables and annexes, digests and contact of one document."""
    meta = bulletin.meta
    previous = wording.period_words(_before(meta.period)) if meta.period[5:] != "01" else ""
    return {
        "dates": [
            meta.period_words, wording.period_words(meta.period, year=False), meta.as_of_words,
            meta.issue_date_words, previous, previous.partition("年")[2], *dates,
        ],
        "numbering": [
            *(f"表{table.number}" for table in bulletin.tables()),
            *(f"图{chart.number}" for chart in bulletin.charts()),
            *(f"附件{annex.number}" for annex in bulletin.annexes),
        ],
        "imprint": [
            meta.data_digest, meta.rules_digest, meta.data_digest[:16], meta.rules_digest[:16],
            meta.contact, meta.bureau, meta.printer, meta.letterhead, meta.doc_number,
            *meta.copies,
        ],
    }  # fmt: skip


def _before(period: str) -> str:
    year, month = int(period[:4]), int(period[5:])
    return f"{year}-{month - 1:02d}" if month > 1 else period


def printed_texts(bulletin: Bulletin) -> dict[str, list[str]]:
    """What formats repeat beside the text: heads, captions, numbers of editions and annexes."""
    meta = bulletin.meta
    annexes = [(annex.number, plain(annex.title)) for annex in bulletin.annexes]
    heads = [plain(block.spans) for block in bulletin.blocks() if isinstance(block, Heading)]
    captions = [plain(table.caption) for table in bulletin.tables()]
    return {
        "repeated": [
            bulletin.title_text, plain(bulletin.headline), *heads, *captions, *table_heads(bulletin),
            *(text for number, title in annexes for text in (f"{number}.{title}", title)),
            "附件：1.",
        ],
        "drawn": [text for chart in bulletin.charts() for text in (chart.alt, *chart.labels)],
        "edition": [f"第{meta.edition}版", f"替代第{meta.replaces}版" if meta.replaces else ""],
        "counted": [f"（{len(bulletin.figures)}个）"],
    }  # fmt: skip


def table_heads(bulletin: Bulletin) -> list[str]:
    """Lines a table repeats at the top of a page: its head, and the heading of a group."""
    return [
        text
        for table in bulletin.tables()
        for text in (
            "".join(plain(column.spans) for column in table.columns),
            *(plain(row.cells[0]) for row in table.rows if row.group),
        )
    ]


# --- drafts --------------------------------------------------------------------------------------


def check(
    connection: duckdb.DuckDBPyConnection, build: Build, period: str, drafts: Sequence[Checked]
) -> dict[Key, list[Found]]:
    """Check the documents of ``drafts`` against themselves and the warehouse, and keep the rows.

    The files are not read back here: :func:`formats` does that for what is handed in.
    """
    found = examined(connection, build, period, drafts)
    rows = [row for key, results in found.items() for row in to_rows(key, results)]
    if drafts:
        places = ", ".join("(?, ?)" for _ in drafts)
        values = [period, *(v for d in drafts for v in (d.key.audience_id, d.key.edition))]
        store.replace_rows(
            connection, "bulletins.check", rows,
            where=f"period = ? AND (audience_id, edition) IN ({places})", values=values,
        )  # fmt: skip
    return found


def examined(
    connection: duckdb.DuckDBPyConnection, build: Build, period: str, drafts: Sequence[Checked]
) -> dict[Key, list[Found]]:
    """Results of every check that needs no file."""
    texts = known_texts(connection, build, period, drafts)
    return _results(connection, build, period, drafts, texts)


def known_texts(
    connection: duckdb.DuckDBPyConnection, build: Build, period: str, drafts: Sequence[Checked]
) -> dict[Key, Allowed]:
    """What may hold digits in each of ``drafts``: the texts all share and the document's own."""
    texts = shared_texts(connection, build, period)
    dates = document_dates(build, period, drafts)
    return {d.key: texts.with_texts(**own_texts(d.bulletin, dates)) for d in drafts}


def _results(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    period: str,
    drafts: Sequence[Checked],
    texts: Mapping[Key, Allowed],
) -> dict[Key, list[Found]]:
    """Every check that needs no file, over ``texts`` that may hold digits; audiences with one text are
    checked once."""
    drawable = fonts.covered(fonts.choose())
    stored = recount.stored_values(
        connection, (figure for draft in drafts for figure in draft.bulletin.figures)
    )
    former = recount.printed_before(connection, _issued(build, period))
    alike: dict[int, list[Found]] = {}
    found = {}
    for draft in drafts:
        bulletin = draft.bulletin
        same = id(bulletin.body)  # audiences with equal rights share one text
        if same not in alike:
            alike[same] = [
                *release_check.of_document(
                    bulletin, texts[draft.key],
                    simulated=build.workspace.simulated, public=draft.public,
                    adding=_adding(build, draft), drawable=drawable,
                ),
                recount.recounted(bulletin.figures, stored, hides=draft.public),
            ]  # fmt: skip
        before = recount.previous(bulletin.figures, former.get(draft.key.audience_id, {}))
        found[draft.key] = release_check.merged([*alike[same], before])
    return found


def _adding(build: Build, draft: Checked) -> release_check.Adding:
    """What adds up in the figures of one audience's area."""
    scope = Scope.of(build.catalog, draft.audience.scope_code, draft.key.period)
    ends = [
        (scope.holds(park.home_county_code), scope.holds(park.host_county_code))
        for park in build.catalog.parks_on(scope.day)
        if park.home_county_code and park.host_county_code
        and park.home_county_code != park.host_county_code
    ]  # fmt: skip
    return release_check.Adding(
        frozenset(i.indicator_id for i in build.catalog.indicators if i.aggregation == "sum"),
        shared=any(home or host for home, host in ends),
        split=any(home != host for home, host in ends),
        hides=draft.public,
    )


def document_dates(build: Build, period: str, drafts: Sequence[Checked]) -> list[str]:
    """Deadline and day of reply, as the documents of the period print them."""
    deadline = select.deadline(build, period)
    days = {d.bulletin.meta.issue_date for d in drafts}
    replies = [select.reply_by(build, day) for day in sorted(days)]
    return [wording.date_words(day) for day in (deadline, *replies) if day is not None]


def _issued(build: Build, period: str) -> list[Key]:
    """What was published of the months before ``period`` in its year: of each, the edition that counts.

    A correction counts as soon as it is written: it says why the numbers changed.
    """
    ledger = Releases(build.workspace.state_file)
    found: dict[tuple[str, str], Key] = {}
    for month in _months_before(period):
        for release in ledger.of_period(month):  # by edition: the newest stays
            if release.status in ("approved", "sent") or release.correction:
                found[month, release.key.audience_id] = release.key
    return list(found.values())


def _months_before(period: str) -> list[str]:
    year, month = int(period[:4]), int(period[5:])
    return [f"{year}-{m:02d}" for m in range(1, month)]


def to_rows(key: Key, results: Iterable[Found]) -> list[dict[str, Any]]:
    """The results of one edition as rows of ``bulletins.check``."""
    return [
        {
            "period": key.period, "audience_id": key.audience_id, "edition": key.edition,
            "check_id": each.check_id, "severity": each.severity, "outcome": each.outcome,
            "description": TITLES[each.check_id][1], "n_checked": each.n_checked,
            "n_failed": len(each.problems), "message": each.message,
            "sample": json.dumps(each.problems[:50], ensure_ascii=False),
        }
        for each in results
    ]  # fmt: skip


def failed(connection: duckdb.DuckDBPyConnection, period: str) -> list[dict[str, Any]]:
    """Failed checks of the newest editions of ``period``, errors first."""
    return [row for row in rows_of(connection, period) if row["outcome"] == "fail"]


def rows_of(
    connection: duckdb.DuckDBPyConnection, period: str, audience_id: str | None = None
) -> list[dict[str, Any]]:
    """Kept results of the newest edition of every audience (of one), errors first."""
    return store.fetch(connection, _KEPT, {"period": period, "audience": audience_id})


_KEPT = """
SELECT * FROM bulletins.check
WHERE period = $period AND audience_id = coalesce($audience, audience_id)
QUALIFY edition = max(edition) OVER (PARTITION BY audience_id)
ORDER BY severity, audience_id, check_id
"""


# --- finished files ------------------------------------------------------------------------------


def again(
    connection: duckdb.DuckDBPyConnection, build: Build, keys: Sequence[Key]
) -> list[Checked]:
    """The editions ``keys`` composed once more from what ``connection`` holds."""
    from assets.bulletins.editions import composed

    audiences = {audience.audience_id: audience for audience in build.catalog.audiences}
    shared = select.common(connection, build, keys[0].period) if keys else None
    return [
        Checked(key, audiences[key.audience_id], composed(connection, build, key, shared))
        for key in keys
        if key.audience_id in audiences
    ]


def examine(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    editions: Sequence[Checked],
    documents: Mapping[Key, Mapping[str, bytes]],
    others: Callable[[Checked, Allowed], Found] | None = None,
) -> dict[Key, list[Found]]:
    """The thorough check of written editions of one period: everything :func:`check` does, the
    registered rows against the document composed once more, and the bytes of every file.

    ``others`` reads what else was written of an edition (its mails), given what may hold digits there.
    """
    if not editions:
        return {}
    period = editions[0].key.period
    texts = known_texts(connection, build, period, editions)
    found = _results(connection, build, period, editions, texts)
    for one in editions:
        allowed = texts[one.key].with_texts(**printed_texts(one.bulletin))
        counts = recount.same_again(registered_figures(connection, one.key), one.bulletin.figures)
        read = [formats(one.bulletin, documents[one.key], allowed)]
        read += [others(one, allowed)] if others else []
        found[one.key] = release_check.merged([*found[one.key], counts, *read])
    return found


def registered_figures(connection: duckdb.DuckDBPyConnection, key: Key) -> list[Figure]:
    """The figures of an edition as ``bulletins.figure`` has them."""
    rows = store.fetch(
        connection,
        "FROM bulletins.figure WHERE period = ? AND audience_id = ? AND edition = ? "
        "ORDER BY figure_id",
        [key.period, key.audience_id, key.edition],
    )
    return [
        Figure(
            figure_id=row["figure_id"], label=row["label"], value=row["value"],
            unit=row["unit"] or "", period=row["figure_period"],
            decimals=_decimals(row["rounding"]), chance=row["rounding"].startswith("chance"),
            text=row["text"], source_table=row["source_table"] or "",
            source_key=row["source_key"] or "", formula=row["formula"] or "",
            inputs=tuple(row["inputs"] or ()),
        )
        for row in rows
    ]  # fmt: skip


def _decimals(rounding: str) -> int | None:
    how, _, places = rounding.partition(":")
    return int(places) if how == "half_up" else None


def formats(bulletin: Bulletin, documents: Mapping[str, bytes], allowed: Allowed) -> Found:
    """Every number of every file, from its bytes, against the document."""
    problems: list[str] = []
    n = 0
    for name, data in sorted(documents.items()):
        ending = name.rpartition(".")[2]
        if ending not in _WANTED:
            continue
        word = FORMAT_WORDS[ending]
        try:
            text = text_of(name, data)
        except ExtractError as error:
            problems.append(str(error))
            continue
        compared = printed.compare(
            word, text, _WANTED[ending](bulletin), allowed, table_heads(bulletin)
        )
        n += compared.n_numbers
        problems += compared.problems
        problems += marks_of(bulletin, word, text)
        if ending == "html":
            problems += elements(bulletin, word, data.decode())
    return Found("formats", n, tuple(problems))


def _sourced(bulletin: Bulletin) -> list[Piece]:
    """The page's pieces and its list of all figures with their sources."""
    listed = [
        Piece(
            f"数字来源{f.figure_id}",
            ((Text(f.figure_id + f.label),), (FigureSpan(f.figure_id, f.text),),
             (Text(f.unit + origin(f)),)),
        )
        for f in bulletin.figures
    ]  # fmt: skip
    return [*printed.page(bulletin), *listed]


_WANTED = {
    "pdf": printed.sheet,
    "docx": printed.body,
    "html": _sourced,
    "xlsx": printed.tables,
}


def marks_of(bulletin: Bulletin, word: str, text: str) -> list[str]:
    """Marks every file must carry, or must not."""
    meta, wrong = bulletin.meta, []
    if meta.simulated != ("模拟数据" in text):
        wrong.append(f"{word}{'没有' if meta.simulated else '带有'}“模拟数据”标记")
    if meta.handling and word != "Excel" and meta.handling not in text:
        wrong.append(f"{word}没有“{meta.handling}”")
    return wrong + [f"{word}含{what}" for what in release_check.persons_in(
        text.replace(meta.contact or "\x00", ""))]  # fmt: skip


def elements(bulletin: Bulletin, word: str, page: str) -> list[str]:
    """Elements of a page or mail that carry a figure's id print that figure."""
    known = {figure.figure_id: figure for figure in bulletin.figures}
    wrong = []
    for name, text in html_figures(page):
        figure = known.get(name)
        if figure is None or text not in release_check.forms_of(figure):
            said = f"登记为{figure.text}" if figure else "没有登记"
            wrong.append(f"{word}中编号{name}印作{text}，{said}")
    return wrong
