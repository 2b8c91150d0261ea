"""Release check (签发前核对): what must hold in a composed document before it may leave.

Belongs here: pure tests of one document model and its registered figures: registered numbers, sums,
complete lists, direction words, missing values, marks, personal data, glyphs. Does not belong here:
the bytes of a format (``printed``, ``extract``), the warehouse (``recount``), or who may release.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from assets.bulletins.figures import (
    BELOW_UNIT,
    MISSING,
    Figure,
    Form,
    format_chance,
    round_half_up,
)
from assets.bulletins.model import (
    Bulletin,
    FigureSpan,
    Spans,
    Table,
    Text,
    figure_spans,
    plain,
)
from assets.bulletins.printed import Allowed, Piece, pieces

Severity = Literal["error", "verify"]
Outcome = Literal["pass", "fail", "not_evaluable"]

TITLES: Mapping[str, tuple[Severity, str]] = {
    "registered": ("error", "正文中的数字都已登记"),
    "formats": ("error", "各格式印出的数字一致"),
    "recounted": ("error", "登记数字与库中所据行重算一致"),
    "sums": ("error", "合计等于分项之和"),
    "lists": ("error", "名单完整"),
    "direction": ("error", "方向词与数字的符号一致"),
    "missing": ("error", "缺数不写作零"),
    "previous": ("error", "前期数字与已公布的一致"),
    "marks": ("error", "内部资料、模拟数据标记齐全"),
    "personal": ("error", "不含个人信息"),
    "glyphs": ("error", "字形齐全"),
    "named": ("verify", "被点名的园区数据齐全"),
}
"""Every check: severity and what must hold. ``verify`` is a warning a person ticks."""

SHOWN = 5
"""Problems told one by one; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Found:
    """Result of one check: how many things were looked at, and what is wrong with which."""

    check_id: str
    n_checked: int
    problems: tuple[str, ...] = ()
    remark: str = ""
    """What was not looked at, where that must be said."""

    @property
    def severity(self) -> Severity:
        """``error`` blocks a release, ``verify`` needs a tick."""
        return TITLES[self.check_id][0]

    @property
    def outcome(self) -> Outcome:
        """``not_evaluable`` when there was nothing to look at."""
        if self.problems:
            return "fail"
        return "pass" if self.n_checked else "not_evaluable"

    @property
    def message(self) -> str:
        """What is wrong in one line, the first few problems in full."""
        shown = "；".join(self.problems[:SHOWN])
        more = len(self.problems) - SHOWN
        return f"{shown}；另有{more}处" if more > 0 else shown or self.remark


def of_document(
    bulletin: Bulletin,
    allowed: Allowed,
    *,
    simulated: bool,
    public: bool = False,
    adding: Adding | None = None,
    drawable: Collection[int] = (),
) -> list[Found]:
    """Every check that needs the document alone.

    ``drawable``: code points the fonts have.
    """
    texts = list(pieces(bulletin))
    return [
        merged([registered(texts, allowed), drawn(bulletin, allowed)])[0],
        sums(bulletin.figures, adding),
        lists(bulletin),
        direction(bulletin),
        missing(bulletin),
        marks(bulletin, simulated=simulated, public=public),
        personal(bulletin, texts),
        glyphs(texts, drawable),
        named(bulletin),
    ]


# --- numbers -------------------------------------------------------------------------------------


def registered(texts: Iterable[Piece], allowed: Allowed) -> Found:
    """Every digit is part of a registered figure or of a named text that may hold digits."""
    problems, n = [], 0
    for piece in texts:
        n += 1
        left = allowed.outside(piece.words)
        if left:
            problems.append(f"{piece.where}：“{left}”不是登记数字")
    return Found("registered", n, tuple(problems))


def drawn(bulletin: Bulletin, allowed: Allowed) -> Found:
    """Numbers inside drawings and in their descriptions are printed texts of the figures of the
    drawing's title and of the table that says the same."""
    known = {figure.figure_id: figure for figure in bulletin.figures}
    problems, n = [], 0
    for chart in bulletin.charts():
        said = {span.figure_id for span in chart.spans if isinstance(span, FigureSpan)}
        said |= _named_in(bulletin, chart.table_id)
        texts = {form for name in said & known.keys() for form in forms_of(known[name])}
        names = allowed.with_texts(figures=texts)
        for label in (chart.alt, *chart.labels):
            n += 1
            left = names.outside(label)
            if left:
                problems.append(f"图{chart.number}：“{left}”不是登记数字")
    return Found("registered", n, tuple(problems))


def forms_of(figure: Figure) -> Iterator[str]:
    """Every way a figure may be printed: with its sign or without, with its unit or without."""
    for form in _FORMS:
        for unit in (False, True):
            yield figure.show(form, unit=unit)


_FORMS: tuple[Form, ...] = ("number", "magnitude")


def sums(figures: Sequence[Figure], rule: Adding | None = None) -> Found:
    """Computed figures follow from their inputs; parts add up to their whole, unrounded."""
    known = {figure.figure_id: figure for figure in figures}
    wrong, n = [], 0
    for figure in figures:
        expected = _from_inputs(figure, known)
        if expected is None:
            continue
        n += 1
        if figure.value is None or not _agrees(figure, figure.value, expected):
            wrong.append(f"{figure.label}印作{figure.text}，由{figure.formula}应为{expected:f}")
    for whole, parts in _wholes(known, rule or Adding()):
        n += 1
        total = sum((part.value or Decimal(0) for part in parts), Decimal(0))
        if total != whole.value:
            wrong.append(
                f"{whole.label}为{whole.text}，{len(parts)}个分项之和为{total.normalize():f}"
            )
    return Found("sums", n, tuple(wrong))


def _from_inputs(figure: Figure, known: Mapping[str, Figure]) -> Decimal | None:
    """Value by the figure's formula over its inputs, None where the formula says another thing."""
    inputs = [known.get(name) for name in figure.inputs]
    values = [item.value for item in inputs if item is not None]
    if figure.formula == "count(inputs)":
        return Decimal(len(figure.inputs))
    if figure.formula == "sum(inputs)":
        return sum((value or Decimal(0) for value in values), Decimal(0))
    for sign in ("-", "+"):
        if len(inputs) == 2 and figure.formula.startswith(
            f"{figure.inputs[0]} {sign} {figure.inputs[1]}"
        ):
            return _combined(figure, inputs, sign)
    return None


def _combined(figure: Figure, inputs: Sequence[Figure | None], sign: str) -> Decimal | None:
    first, second = inputs
    if first is None or second is None or first.value is None or second.value is None:
        return None
    a, b = first.value, second.value
    if "均取" in figure.formula:  # the printed numbers are subtracted, as a reader would
        a, b = (round_half_up(v, figure.decimals or 0) for v in (a, b))
    return a - b if sign == "-" else a + b


def _agrees(figure: Figure, value: Decimal, expected: Decimal) -> bool:
    if figure.decimals is None:
        return value == expected
    return round_half_up(value, figure.decimals) == round_half_up(expected, figure.decimals)


@dataclass(frozen=True, slots=True)
class Adding:
    """What adds up in a document: ``indicators`` of which areas and parks are summed.

    ``shared``: a 飞地 park is counted in two areas; ``split``: one of the two lies outside;
    ``hides``: rows may be suppressed.
    """

    indicators: frozenset[str] = frozenset()
    shared: bool = False
    split: bool = False
    hides: bool = False


_Whole = tuple[Figure, tuple[Figure, ...]]
_SETS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"-Q-reporters$", ("-Q-on-time", "-Q-late", "-Q-missing")),
    (r"-T-[^-]+-judged$", ("-met", "-on-pace", "-behind")),
    (r"-T-.+-each$", ("-each-good", "-each-behind", "-each-unjudged")),
)
"""Ids of wholes, and the endings of the parts they are divided into."""


def _wholes(known: Mapping[str, Figure], rule: Adding) -> Iterator[_Whole]:
    """Every (whole, parts) of the document in which all parts are known."""
    for name, whole in known.items():
        for pattern, endings in _SETS:
            match = re.search(pattern, name)
            if match is None:
                continue
            stem = name[: match.start()] if endings[0].startswith("-Q") else name
            stem = stem.removesuffix("-judged").removesuffix("-each")
            parts = tuple(known[stem + end] for end in endings if stem + end in known)
            if len(parts) == len(endings):
                yield whole, parts
    yield from _territories(known, rule)


def _territories(known: Mapping[str, Figure], rule: Adding) -> Iterator[_Whole]:
    """Areas below, and parks, against the total of the document's own area."""
    below: dict[tuple[str, str], list[Figure]] = {}
    for name, figure in known.items():
        area = re.fullmatch(r"\d{6}-\d{6}-(.+)-(total|reported|expected)", name)
        park = re.fullmatch(r"\d{6}-K-.+-([^-]+)-value", name)
        if area and (area[1] in rule.indicators if area[2] == "total" else not rule.shared):
            below.setdefault((area[1], area[2]), []).append(figure)
        elif park and park[1] in rule.indicators and not (rule.split or rule.hides):
            below.setdefault((park[1], "parks"), []).append(figure)
    for (indicator, what), parts in below.items():
        ending = "total" if what == "parks" else what
        whole = known.get(f"{parts[0].figure_id[:6]}-P-{indicator}-{ending}")
        hidden = rule.hides and any(part.is_missing for part in parts)
        if whole is not None and whole.value is not None and not hidden:
            yield whole, tuple(parts)


# --- lists ---------------------------------------------------------------------------------------

LISTED: Mapping[str, str] = {
    "each-behind": "each_behind",
    "watch-parks": "watch",
    "watch-listed": "watch",
    "watch-alerted": "watch",
}
"""Endings of counts whose every member must be named (名单), and the table that names them; empty:
the text."""


def lists(bulletin: Bulletin) -> Found:
    """Whoever a count of the named lists covers is in the list; group rows hold what they announce."""
    shown = {span.figure_id for span in figure_spans(bulletin)}
    wrong, n = [], 0
    for figure in bulletin.figures:
        ending = next((e for e in LISTED if figure.figure_id.endswith(e)), None)
        if ending is None or figure.formula != "count(inputs)" or figure.figure_id not in shown:
            continue
        n += 1
        named = _named_in(bulletin, LISTED[ending])
        absent = [name for name in figure.inputs if name not in named]
        if absent:
            wrong.append(f"{figure.label}{figure.text}，名单中缺{len(absent)}个（{absent[0]}）")
    for table in bulletin.tables():
        for announced, rows in _groups(table):
            n += 1
            if Decimal(rows) != announced[1]:
                wrong.append(f"表{table.number}“{announced[0]}”之下列了{rows}行")
    return Found("lists", n, tuple(wrong))


def _named_in(bulletin: Bulletin, table_id: str) -> set[str]:
    """Ids of the figures printed in a table, or in the text where there is no such table."""
    table = bulletin.table(table_id)
    cells = [cell for row in table.rows for cell in row.cells] if table else []
    spans = cells or [b.spans for b in bulletin.body if not isinstance(b, Table)]
    return {span.figure_id for some in spans for span in some if isinstance(span, FigureSpan)}


def _groups(table: Table) -> Iterator[tuple[tuple[str, Decimal], int]]:
    """(heading, count it ends with) and number of rows below, of groups that end with a count of
    what they list (…低于要求3个)."""
    announced: tuple[str, Decimal] | None = None
    rows = 0
    for row in table.rows:
        if row.group:
            if announced is not None:
                yield announced, rows
            announced, rows = _announced(row.cells[0]), 0
        else:
            rows += 1
    if announced is not None:
        yield announced, rows


def _announced(spans: Spans) -> tuple[str, Decimal] | None:
    last = spans[-1] if spans else None
    if isinstance(last, FigureSpan) and last.figure_id.endswith("each-behind"):
        return plain(spans), Decimal(re.sub(r"[^\d.-]", "", last.text) or 0)
    return None


def named(bulletin: Bulletin) -> Found:
    """Parks named among the last should rest on complete figures; those marked ※ do not."""
    table = bulletin.table("watch")
    rows = [row for row in table.rows if not row.group] if table is not None else []
    short = [plain(cell) for row in rows for cell in row.cells if plain(cell).endswith("※")]
    problems = tuple(f"{name.removesuffix('※')}缺少计分指标，名次供参考" for name in short)
    return Found("named", len(rows), problems)


# --- words ---------------------------------------------------------------------------------------

_UP = "增长|上升|提高|加快|高于|快于|多于|超过|增加|收窄|领先"
_DOWN = "下降|回落|低于|慢于|少于|减少|放缓|落后|降幅(?:最大|最小)?"
_WIDER = re.compile(r"(?:降幅|差距)[^，。；]*扩大$")
_BEFORE = re.compile(
    rf"(?:(?P<up>{_UP})|(?P<down>{_DOWN}))(?:时间进度|目标|进度|要求|均值|，为|约|了|了约)?$"
)
_RATES = ("%", "个百分点")


def direction(bulletin: Bulletin) -> Found:
    """Words of direction before a number agree with its sign, as printed and unrounded."""
    known = {figure.figure_id: figure for figure in bulletin.figures}
    wrong, n = [], 0
    for where, spans in _sentences(bulletin):
        before = ""
        for span in spans:
            if isinstance(span, FigureSpan) and span.figure_id in known:
                said = _said(before, span)
                n += said is not None
                problem = _contradiction(known[span.figure_id], span, said)
                if problem:
                    wrong.append(f"{where}“{before[-12:]}{span.text}”{problem}")
            before = before + span.text if isinstance(span, Text | FigureSpan) else before
    return Found("direction", n, tuple(wrong))


def _said(before: str, span: FigureSpan) -> int | None:
    """1 or -1 where a word right before the number says a direction of a rate, else None."""
    if span.form == "number" and not (span.unit and span.text.endswith(_RATES)):
        return None
    if _WIDER.search(before[-16:]):
        return -1
    match = _BEFORE.search(before[-16:])
    if match is None:
        return None
    return 1 if match["up"] else -1


def _contradiction(figure: Figure, span: FigureSpan, said: int | None) -> str:
    value = figure.value
    if value is None:
        return ""
    if span.form == "magnitude":
        if said is None:
            return "丢了负号" if value < 0 else ""
        return "" if value * said > 0 else "与数值的符号相反"
    if said is None:
        return ""
    return "方向词后带着负号" if span.text.startswith("-") else ""


def _sentences(bulletin: Bulletin) -> Iterator[tuple[str, Spans]]:
    for piece in pieces(bulletin):
        for spans in piece.cells:
            yield piece.where, spans


def missing(bulletin: Bulletin) -> Found:
    """A value that does not exist prints —, one that exists is never printed as missing, and an
    amount that only rounds to zero prints … where the indicator says so."""
    known = {figure.figure_id: figure for figure in bulletin.figures}
    wrong, n = [], 0
    for span in figure_spans(bulletin):
        figure = known.get(span.figure_id)
        if figure is None:
            wrong.append(f"{span.figure_id} 没有登记")
            continue
        n += 1
        if figure.value is None and span.text != MISSING:
            wrong.append(f"{figure.label}没有数据，却印作“{span.text}”")
        elif figure.value is not None and not _is_print_of(span, figure):
            wrong.append(f"{figure.label}印作“{span.text}”，登记为“{figure.text}”")
    return Found("missing", n, tuple(wrong))


def _is_print_of(span: FigureSpan, figure: Figure) -> bool:
    """The span shows the figure's text, and the text is the value rounded as the figure says."""
    if span.text != figure.show(span.form, unit=span.unit):
        return False
    if figure.value is None or figure.text == BELOW_UNIT:
        return figure.value != 0
    if figure.chance:
        return figure.text == format_chance(figure.value)
    places = figure.decimals
    shown = Decimal(figure.text)
    return shown == (figure.value if places is None else round_half_up(figure.value, places))


# --- marks, persons, glyphs ----------------------------------------------------------------------

INTERNAL = "内部资料"


def marks(bulletin: Bulletin, *, simulated: bool, public: bool = False) -> Found:
    """Simulated data are marked and real ones are not; every edition but the public one is marked
    internal."""
    meta = bulletin.meta
    wrong = []
    if meta.simulated != simulated:
        wrong.append("没有“模拟数据”标记" if simulated else "不是模拟数据，却带“模拟数据”标记")
    if public == (INTERNAL in meta.handling):
        wrong.append(
            f"公开通报带“{INTERNAL}”标记"
            if public
            else f"发给{meta.audience}的通报没有“{INTERNAL}”标记"
        )
    return Found("marks", 2, tuple(wrong))


_PERSONAL: Mapping[str, re.Pattern[str]] = {
    "手机号码": re.compile(r"(?<![\d.])1[3-9]\d{9}(?!\d)"),
    "身份证号": re.compile(r"(?<!\d)\d{6}(?:19|20)\d{2}[01]\d[0-3]\d\d{3}[\dXx](?!\d)"),
    "电子邮箱": re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
    "填报人": re.compile(r"(?:填表人|填报人|经办人|负责人|审核人)[：:]\s*[一-鿿]{2,4}"),
}


def personal(bulletin: Bulletin, texts: Iterable[Piece]) -> Found:
    """No telephone, identity number, address or name of a person but the bureau's own contact."""
    wrong, n = [], 0
    for piece in texts:
        n += 1
        words = piece.text.replace(bulletin.meta.contact or "\x00", "")
        wrong += [f"{piece.where}含{what}" for what in persons_in(words)]
    return Found("personal", n, tuple(wrong))


def persons_in(words: str) -> list[str]:
    """Kinds of personal data found in ``words``."""
    return [what for what, pattern in _PERSONAL.items() if pattern.search(words)]


def glyphs(texts: Iterable[Piece], drawable: Collection[int]) -> Found:
    """Every character can be drawn by the fonts of the print edition."""
    wrong: dict[str, str] = {}
    n = 0
    for piece in texts:
        n += 1
        for character in set(piece.text):
            if drawable and ord(character) not in drawable and not character.isspace():
                wrong.setdefault(character, piece.where)
    problems = tuple(f"“{c}”（U+{ord(c):04X}，{where}）" for c, where in sorted(wrong.items()))
    return Found("glyphs", n if drawable else 0, problems)


def merged(results: Iterable[Found]) -> list[Found]:
    """Results of one check from several places, put together, in the order of :data:`TITLES`."""
    by_id: dict[str, list[Found]] = {}
    for each in results:
        by_id.setdefault(each.check_id, []).append(each)
    join: Callable[[Iterable[str]], str] = lambda words: "；".join(filter(None, words))  # noqa: E731
    return [
        Found(
            name,
            sum(each.n_checked for each in some),
            tuple(problem for each in some for problem in each.problems),
            join(each.remark for each in some),
        )
        for name in TITLES
        if (some := by_id.get(name))
    ]
