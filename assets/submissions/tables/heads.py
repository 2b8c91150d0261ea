"""What a head says: indicator name, measure words (本月, 累计, 上年同期, 同比), unit and period.

Belongs here: splitting a head path into these parts and looking the name up among names and
aliases, exactly; ranked suggestions for names that are not there. Does not belong here: choosing
by resemblance (a suggestion is never applied), layouts, or values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from assets.submissions.tables.grid import fold, squeeze

if TYPE_CHECKING:
    from warehouse.catalog.models import Indicator

IsUnit = Callable[[str], bool]

OTHER = "other"
"""Measure of heads that are understood and not kept as observations: 当月同比, 环比, 上年同月."""


# --- words -------------------------------------------------------------------------------------

_GROWTH = (
    r"(?:比|较)(?:上年|去年)(?:同期|同月)?(?:累计)?(?:实际|名义)?(?:增长|增减|增速|增幅|±)(?:率|速度)?"
    r"|同比(?:实际|名义)?(?:增长|增减|增速|增幅|升降|±)?(?:率|速度)?"
    r"|(?:累计|当月|本月|单月)(?:同比)?(?:增长|增速|增幅|增减)(?:率|速度)?"
    r"|增长率|增长速度|增长|增速|增幅|增减率|增减|±|yoy|year-on-year|ytd_yoy"
)
_WORDS: tuple[tuple[str, str], ...] = (
    ("mom", r"(?:比|较)上月(?:增长|增减|±)?|环比(?:增长|增速|增减|±)?|mom"),
    ("amount", r"增减额|增减量|增加额|增加值?数|同比增减额|净增"),
    ("growth", _GROWTH),
    ("month_prior", r"(?:上年|去年)(?:同月|当月|本月)(?:数|值)?|month_prior"),
    (
        "prior",
        r"(?:本年)?(?:上年|去年)同期(?:累计)?(?:数|值|完成)?|同期(?:累计)?数?|(?:上年|去年)累计(?:数|值)?"
        r"|ytd_prior|prior",
    ),
    (
        "ytd",
        r"(?:本年|自年初|年初至今|年初|本月止|截至本月|1-本月|1至本月)?累计(?:数|值|完成额?|完成数)?"
        r"|1(?:-|—|–|~|至|到)本月(?:数|值)?|年初至(?:报告期末|今|本月)|ytd_value|ytd",
    ),
    ("quarter", r"(?:本季|当季|本季度|当季度)(?:数|值)?"),
    ("month", r"(?:本月|当月|单月)(?:数|值|完成额?|完成数|实际)?|当期值|month_value|month|value"),
    ("stock", r"(?:期末|月末|季末)(?:数|值|实有|余额)?|stock"),
    ("same", r"本期(?:数|值|实际)?|实绩|完成(?:数|值|情况)|报告期|指标值|数值"),
)
_PHRASE = (
    r"(?:(?:19|20)\d\d年?)?1?\d(?:月)?(?:-|—|–|~|至|到)\d{1,2}月份?(?:累计|止)?"
    r"|(?:(?:19|20)\d\d年)?\d{1,2}月(?:份|末|底)?(?:当月|单月)?"
    r"|(?:(?:19|20)\d\d年)?(?:上半年|前三季度|第?[一二三四]季度|全年)"
    r"|(?:19|20)\d\d年(?:度|底|末)?"
)
_SEPARATOR = r"[_\-:/,;、|.]?"
_SUFFIX = [
    (tag, re.compile(rf"^(.*?){_SEPARATOR}({pattern})(?:\(?%\)?)?$", re.IGNORECASE))
    for tag, pattern in _WORDS
]
_PREFIX = [
    (tag, re.compile(rf"^({pattern}){_SEPARATOR}(.+)$", re.IGNORECASE))
    for tag, pattern in _WORDS
    if tag != "amount"
]
_PERIOD_SUFFIX = re.compile(rf"^(.*?){_SEPARATOR}({_PHRASE})$")
_PERIOD_PREFIX = re.compile(rf"^({_PHRASE}){_SEPARATOR}(.+)$")
_ORDINAL = re.compile(
    r"^(?:[(（]?[一二三四五六七八九十]+[)）、.]|[(（]\d+[)）]|\d{1,2}[、.)](?!\d))+"
)
_OF_WHICH = re.compile(r"^(?:其中|#|＃)[:、,]?")
_MARK = re.compile(r"(?:[①-⑳*※†]+|\[\d+\]|(?<=\))[a-z]{1,3}\d?)$")
_NEUTRAL = re.compile(r"^(?:.*(?:指标|情况|方面|内容|数据|项目|栏)|其中|#|单位|分项|name|value)$")
_UNIT_LABEL = re.compile(r"^(?:计量|金额)?单位[:为]?")
_GROUPS = re.compile(r"\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class HeadParts:
    """A head taken apart. ``names`` are the levels that are left, outermost first."""

    names: tuple[str, ...]
    tags: frozenset[str] = frozenset()
    unit: str | None = None
    period: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A name of the catalogue that resembles an unknown head; ``score`` in 0…1. Never applied."""

    indicator_id: str
    name: str
    score: float


@dataclass(frozen=True, slots=True)
class HeadMeaning:
    """What a head means. ``how`` is exact (the name), alias, explicit (a layout's entry),

    inherited (from the column to the left), qualified (the name is known but an outer level may
    narrow it), ambiguous, unknown or empty (measure words only).
    """

    how: str
    indicator_id: str | None = None
    measure: str | None = None
    unit: str | None = None
    period: str | None = None
    tags: frozenset[str] = frozenset()
    name: str = ""
    suggestions: tuple[Suggestion, ...] = field(default=())


@lru_cache(maxsize=8192)
def name_key(text: str) -> str:
    """How names are compared: half-width, no white space, no quotes or dots, case folded."""
    plain = squeeze(text).casefold()
    return re.sub(r"[“”\"'‘’·•《》]", "", plain)


def says_nothing(level: str) -> bool:
    """Whether an outer level of a head narrows nothing (主要指标, 生产情况, 其中)."""
    return bool(_NEUTRAL.match(squeeze(level)))


def take_apart(path: Sequence[str], is_unit: IsUnit, known: Callable[[str], bool]) -> HeadParts:
    """Split each level into name, measure words, unit and period phrase.

    A level that is a known name as it stands is not split (累计开发面积 is a name). ``known``
    says whether a text is the name or alias of an indicator.
    """
    names: list[str] = []
    tags: set[str] = set()
    unit: str | None = None
    period: str | None = None
    for level in path:
        part = _level(level, is_unit, known, alone=len(path) == 1)
        names.extend(part.names)
        tags |= part.tags
        unit = part.unit or unit
        period = part.period or period
    return HeadParts(tuple(names), frozenset(tags), unit, period)


def _level(text: str, is_unit: IsUnit, known: Callable[[str], bool], *, alone: bool) -> HeadParts:
    plain = _MARK.sub("", _ORDINAL.sub("", squeeze(text)))
    plain = _OF_WHICH.sub("", plain) or plain
    if known(plain) and (alone or not _whole_word(plain)):
        return HeadParts((plain,))
    plain, unit, tags, period = _brackets(plain, is_unit)
    state = _Strip(plain, set(tags), period)
    while state.text and (not known(state.text) or not alone) and _strip_once(state, known):
        pass
    plain = state.text.strip("_-:/,;、|.")
    if unit is None and plain.endswith(")") and not known(plain):
        plain, unit, more, _ = _brackets(plain, is_unit)  # 产值(万元)_本月
        state.tags.update(more)
    if plain and unit is None and not known(plain):
        plain, unit = _trailing_unit(plain, is_unit)
    plain = "" if _NEUTRAL.match(plain) and not known(plain) else plain
    return HeadParts((plain,) if plain else (), frozenset(state.tags), unit, state.period)


@dataclass(slots=True)
class _Strip:
    text: str
    tags: set[str]
    period: str | None


def _brackets(text: str, is_unit: IsUnit) -> tuple[str, str | None, list[str], str | None]:
    """Take units, measure words and period phrases out of brackets; other brackets stay."""
    unit: str | None = None
    period: str | None = None
    tags: list[str] = []
    for match in reversed(list(_GROUPS.finditer(text))):
        inner = _UNIT_LABEL.sub("", match[1].strip())
        tag = _whole_word(inner)
        if tag:
            tags.append(tag)
            unit = unit or ("%" if "%" in inner else None)
        elif re.fullmatch(_PHRASE, inner):
            period = inner
        elif match.end() == len(text) and is_unit(inner):
            unit = inner
        else:
            continue
        text = text[: match.start()] + text[match.end() :]
    return text, unit, tags, period


def _whole_word(text: str) -> str | None:
    """The measure a text is, as a whole (`±%` is growth, `%` alone is a unit)."""
    bare = text.strip("%") or text
    return next((tag for tag, pattern in _WORDS if re.fullmatch(pattern, bare, re.I)), None)


def _strip_once(state: _Strip, known: Callable[[str], bool]) -> bool:
    """Take one measure word or period phrase off an end of the text; a known name stays whole."""
    if known(state.text) and not _whole_word(state.text):
        return False
    for tag, pattern in _SUFFIX:
        match = pattern.match(state.text)
        if match:
            state.text = match[1]
            state.tags.add(tag)
            _both(state.tags, match[2])
            return True
    match = _PERIOD_SUFFIX.match(state.text)
    if match:
        state.text, state.period = match[1], match[2]
        return True
    match = _PERIOD_PREFIX.match(state.text)
    if match:
        state.text, state.period = match[2], match[1]
        return True
    for tag, pattern in _PREFIX:
        match = pattern.match(state.text)
        if match:
            state.text = match[2]
            state.tags.add(tag)
            return True
    return False


def _both(tags: set[str], word: str) -> None:
    """累计增长 and 当月增速 say a measure and a growth at once."""
    if "growth" in tags:
        if word.startswith("累计") or word.casefold() == "ytd_yoy":
            tags.add("ytd")
        elif word.startswith(("当月", "本月", "单月")):
            tags.add("month")


def _trailing_unit(text: str, is_unit: IsUnit) -> tuple[str, str | None]:
    """`工业总产值,万元` and `工业总产值_万元`: a unit after a separator."""
    match = re.match(r"^(.+)[_,;、/](\S{1,8})$", text)
    if match and is_unit(match[2]):
        return match[1], match[2]
    return text, None


# --- measures ----------------------------------------------------------------------------------


def measure_of(tags: frozenset[str], period: str | None, kind: str, default: str) -> str:
    """Measure of the contract from measure words; ``default`` where the head says nothing.

    Growth of a month, growth over last month and last year's month are ``other``: they are
    understood and not kept. A stock stays a stock whatever 本月 or 累计 stands over it.
    """
    monthly = "month" in tags or (period is not None and _single_month(period))
    if tags & {"mom", "amount", "month_prior", "quarter"}:
        return OTHER
    if "growth" in tags:
        return OTHER if monthly and "ytd" not in tags else "yoy_published"
    if "prior" in tags:
        return OTHER if monthly and "ytd" not in tags else "ytd_prior"
    if kind == "stock":
        return "stock"
    if "ytd" in tags:  # 累计(期末)数 is year-to-date for a flow
        return "ytd"
    if "stock" in tags:
        return "stock"
    if monthly:
        return "month"
    if period is not None and re.search(r"-|—|–|~|至|到|半年|季度|全年", period):
        return "ytd"
    return default


def _single_month(period: str) -> bool:
    return bool(re.fullmatch(r"(?:(?:19|20)\d\d年)?\d{1,2}月份?(?:当月|单月)?", period))


def default_measure(indicator: Indicator) -> str:
    """Measure of a head without measure words, by the indicator's kind and its rule over time."""
    if indicator.kind == "stock" or indicator.over_time == "last":
        return "stock"
    return "month" if indicator.over_time in ("sum", "mean", "formula") else "ytd"


# --- names -------------------------------------------------------------------------------------


class IndicatorIndex:
    """Names and aliases of a catalogue: exact look-up, and suggestions by resemblance."""

    def __init__(self, indicators: Iterable[Indicator]) -> None:
        self.indicators: dict[str, Indicator] = {i.indicator_id: i for i in indicators}
        self._names: dict[str, str] = {}
        self._keys: dict[str, set[str]] = {}
        self._near: dict[str, set[str]] = {}
        for indicator in self.indicators.values():
            if indicator.engine is not None:
                continue  # 当月值, 同比增速: computed on any indicator, in a form they are measures
            self._names[name_key(indicator.name_zh)] = indicator.indicator_id
            for text in (*indicator.labels, indicator.name_en):
                if text:
                    self._keys.setdefault(name_key(text), set()).add(indicator.indicator_id)
            for near in indicator.suggestions:
                self._near.setdefault(name_key(near.label), set()).add(indicator.indicator_id)

    def known(self, text: str) -> bool:
        """Whether a text is a name or alias, exactly."""
        return name_key(text) in self._keys

    def find(self, text: str) -> tuple[str | None, str]:
        """(indicator, how): ``exact`` by name, ``alias``, ``ambiguous`` or ``unknown``."""
        key = name_key(text)
        if key in self._names:
            return self._names[key], "exact"
        ids = self._keys.get(key, set())
        if len(ids) == 1:
            return next(iter(ids)), "alias"
        return None, "ambiguous" if ids else "unknown"

    def suggest(self, text: str, limit: int = 5, least: float = 0.15) -> tuple[Suggestion, ...]:
        """Indicators whose name or alias resembles the text, best first (ties by id).

        Labels the catalogue lists as another scope's (技工贸总收入) come first.
        """
        key = name_key(re.sub(_GROUPS, "", text) or text)
        best = dict.fromkeys(
            self._near.get(key, set()) | self._near.get(name_key(text), set()), 0.99
        )
        for known, ids in self._keys.items():
            score = resemblance(key, known)
            for indicator_id in ids:
                best[indicator_id] = max(score, best.get(indicator_id, 0.0))
        ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
        return tuple(
            Suggestion(indicator_id, self.indicators[indicator_id].name_zh, round(score, 2))
            for indicator_id, score in ranked[:limit]
            if score >= least
        )

    def read(self, path: Sequence[str], is_unit: IsUnit) -> HeadMeaning:
        """Meaning of a head path by names and aliases alone; the measure is set by the caller's

        default only through `finish`. Outer levels must be neutral (主要指标, 其中) or part of
        the name, else the result is ``qualified`` and carries no indicator.
        """
        parts = take_apart(path, is_unit, self.known)
        base = HeadMeaning(
            "empty",
            unit=parts.unit,
            period=parts.period,
            tags=parts.tags,
            name="".join(parts.names),
        )
        if not parts.names:
            return base
        found, how = self.find("".join(parts.names))
        if found is None and how == "unknown" and len(parts.names) > 1:
            return self._qualified(base, parts.names)
        if found is None:
            return replace(base, how=how, suggestions=self.suggest(base.name))
        return replace(base, how=how, indicator_id=found)

    def _qualified(self, base: HeadMeaning, names: tuple[str, ...]) -> HeadMeaning:
        """Two levels carry names: the inner one alone would change what the outer one says."""
        ids = {found for name in names if (found := self.find(name)[0]) is not None}
        first = tuple(Suggestion(i, self.indicators[i].name_zh, 0.9) for i in sorted(ids))
        more = tuple(s for s in self.suggest(base.name) if s.indicator_id not in ids)
        return replace(base, how="qualified" if ids else "unknown", suggestions=(first + more)[:5])


def resemblance(a: str, b: str) -> float:
    """Likeness of two short texts in 0…1: Dice coefficient of character pairs, and containment."""
    if a == b:
        return 1.0
    if not a or not b:
        return 0.0
    pairs_a, pairs_b = _pairs(a), _pairs(b)
    dice = 2 * len(pairs_a & pairs_b) / (len(pairs_a) + len(pairs_b))
    short, long = sorted((a, b), key=len)
    inside = 0.6 + 0.35 * len(short) / len(long) if len(short) > 1 and short in long else 0.0
    return max(dice, inside)


@lru_cache(maxsize=4096)
def _pairs(text: str) -> frozenset[str]:
    padded = f"^{text}$"
    return frozenset(padded[i : i + 2] for i in range(len(padded) - 1))


def finish(
    meaning: HeadMeaning, indicators: Mapping[str, Indicator], default: str | None = None
) -> HeadMeaning:
    """Set the measure of a resolved head from its words, else ``default``, else the indicator's."""
    if meaning.indicator_id is None:
        return meaning
    indicator = indicators[meaning.indicator_id]
    fallback = default or default_measure(indicator)
    measure = measure_of(meaning.tags, meaning.period, indicator.kind, fallback)
    return replace(meaning, measure=measure)


def inherit(meanings: Sequence[HeadMeaning | None]) -> list[HeadMeaning | None]:
    """Heads of measure words only (同比%, 增长) take the indicator of the column to their left.

    A bare growth beside 本月 is the month's growth; beside 累计 or nothing it is the published
    year-to-date growth. The order of ``meanings`` is the order of the columns.
    """
    result: list[HeadMeaning | None] = []
    left: HeadMeaning | None = None
    for meaning in meanings:
        current = meaning
        if meaning is not None and left is not None and _leans(meaning, left):
            tags = meaning.tags
            if tags & {"growth"} and not tags & {"ytd", "month"} and "month" in left.tags:
                tags = tags | {"month"}
            current = replace(
                meaning,
                how="inherited" if meaning.indicator_id is None else meaning.how,
                indicator_id=left.indicator_id,
                name=left.name,
                tags=tags,
                unit=meaning.unit,
            )
        if current is not None:
            left = current if current.indicator_id or current.name else None
        result.append(current)
    return [plain_growth(meaning, result) for meaning in result]


def plain_growth(
    meaning: HeadMeaning | None, all_of_them: Sequence[HeadMeaning | None]
) -> HeadMeaning | None:
    """同比增长 beside 累计增长 of the same indicator is the month's growth."""
    if meaning is None or "growth" not in meaning.tags or meaning.tags & {"ytd", "month"}:
        return meaning
    same = (meaning.indicator_id, meaning.name)
    cumulative = any(
        other is not None
        and (other.indicator_id, other.name) == same
        and {"growth", "ytd"} <= other.tags
        for other in all_of_them
    )
    return replace(meaning, tags=meaning.tags | {"month"}) if cumulative else meaning


def one_stock(meanings: Sequence[HeadMeaning]) -> list[HeadMeaning]:
    """Of several columns that would hold the same stock (本月, 累计(期末)数) one holds it.

    The column that says 期末 is taken before 累计, one without words, and 本月; the others become
    ``other``. Heads of different indicators do not meet.
    """
    best: dict[tuple[str | None, str], int] = {}
    for place, meaning in enumerate(meanings):
        if meaning.measure != "stock":
            continue
        key = (meaning.indicator_id, meaning.name)
        if key not in best or _stock_rank(meaning) < _stock_rank(meanings[best[key]]):
            best[key] = place
    return [
        replace(meaning, measure=OTHER)
        if meaning.measure == "stock"
        and best[(meaning.indicator_id, meaning.name)] != place
        and _stock_rank(meaning)
        != _stock_rank(meanings[best[(meaning.indicator_id, meaning.name)]])
        else meaning
        for place, meaning in enumerate(meanings)
    ]


def _stock_rank(meaning: HeadMeaning) -> int:
    if "stock" in meaning.tags:
        return 0
    if "ytd" in meaning.tags:
        return 1
    return 3 if "month" in meaning.tags else 2


def _leans(meaning: HeadMeaning, left: HeadMeaning) -> bool:
    if not meaning.tags:
        return False
    if meaning.how == "empty":
        return left.indicator_id is not None or bool(left.name)
    return meaning.indicator_id is not None and meaning.indicator_id == left.indicator_id


def show_path(path: Sequence[str]) -> str:
    """A head path on one line, as findings and layouts print it."""
    return "/".join(" ".join(fold(level).split()) for level in path)
