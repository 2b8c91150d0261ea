"""Expressions of time in a text: 2020年1—6月, 前三季度, 截至6月底, 二〇二〇年六月, 2020.1-6.

Belongs here: the patterns, one small one for each expression, and what each names. Does not belong
here: deciding between the mentions of a text or completing their year (`periods`).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from assets.submissions.values.characters import fold_dashes, fold_in_place

PeriodKind = Literal["cumulative", "month", "quarter", "half", "year", "point"]

MISSING_ZERO = "可能是1月，也可能是末位0丢失的10月，无法确定"


@dataclass(frozen=True, slots=True)
class Mention:
    """One expression of a text, from month ``start`` to month ``end``.

    ``year`` is as written: 2020, 二〇二〇, 上年, 20, or ``None`` (1—6月). ``weak`` mentions count
    only where a text has no other: the date of a letter beside 1—6月. ``fault`` refuses it.
    """

    evidence: str
    kind: PeriodKind = "month"
    start: int = 1
    end: int = 12
    year: str | None = None
    weak: bool = False
    fault: str | None = None


def mentions(text: str) -> Iterator[Mention]:
    """Every expression of a text, except years that are only compared with (比2019年)."""
    if not _MAY_NAME.search(text):
        return
    plain = fold_dashes(fold_in_place(text))
    plain = _DOCUMENT_NUMBER.sub(_blank, plain)
    foreign = _FOREIGN_DIGIT.search(plain)
    for pattern, reader in _EXPRESSIONS:
        for match in pattern.finditer(plain):
            if _compared(plain, match):
                continue
            start, end = match.span()
            year = match.groupdict().get("year")
            mention = replace(reader(match), evidence=text[start:end].strip(), year=year)
            if year is None and _SPOILT_YEAR.search(plain, 0, start):
                mention = replace(mention, fault="前面的年份不能识别")
            if foreign:
                mention = replace(mention, fault=f"含有不能识别的数字“{foreign[0]}”")
            yield mention
        plain = pattern.sub(_blank, plain)


def figure(word: str) -> int:
    """A year, month or day in digits or Chinese: 06, 十一, 元 (January), 二〇二〇."""
    if word.isdecimal():
        return int(word)
    if word == "元":
        return 1
    if len(word) == 4:
        return int("".join(str(_digit(letter)) for letter in word))
    tens, ten, ones = word.rpartition("十")
    return (10 * (_digit(tens) if tens else 1) if ten else 0) + (_digit(ones) if ones else 0)


def _digit(letter: str) -> int:
    return 0 if letter in "〇○零Oo0" else "一二三四五六七八九".index(letter) + 1


def _blank(match: re.Match[str]) -> str:
    return "\0" * len(match[0])


def _compared(plain: str, match: re.Match[str]) -> bool:
    before, after = _BEFORE_COMPARED.search(plain, 0, match.start()), match.end()
    return bool(before or _AFTER_COMPARED.match(plain, after))


# --- readers: what a matched expression names ----------------------------------------------------


def _range(match: re.Match[str]) -> Mention:
    """Months from January on, or those of a quarter or half."""
    first, last = figure(match["first"]), figure(match["last"])
    year2 = match.groupdict().get("year2")
    if year2 and year2 != match["year"]:
        return Mention(match[0], fault="起止年份不同，不是一个年度内的累计")
    if "、" in match["to"] and (first, last) != (1, 2):
        return Mention(match[0], fault="列出了几个月份，不能确定是一个报告期")
    if not 1 <= first < last <= 12:
        return Mention(match[0], fault="起止月份不成立")
    kinds: dict[tuple[int, int], PeriodKind] = {(7, 12): "half"}
    kinds |= {(month, month + 2): "quarter" for month in (4, 7, 10)}
    kind: PeriodKind | None = "cumulative" if first == 1 else kinds.get((first, last))
    if kind is None:
        return Mention(match[0], fault="不是从1月起的累计，也不是一个季度")
    return Mention(match[0], kind, first, last)


def _range_or_day(match: re.Match[str]) -> Mention:
    if 1 < int(match["last"]) <= 12:
        return Mention(match[0], fault="可能是1月至某月，也可能是一个日期，无法确定")
    return _day(match)


def _first_quarters(match: re.Match[str]) -> Mention:
    count = 2 if match["last"] == "两" else figure(match["last"])
    return Mention(match[0], "cumulative", end=3 * count)


def _first_months(match: re.Match[str]) -> Mention:
    last = figure(match["last"])
    fault = None if 1 < last <= 12 else "月份数不成立"
    return Mention(match[0], "cumulative", end=last, fault=fault)


def _quarter(match: re.Match[str]) -> Mention:
    last = 3 * figure(match["quarter"])
    return Mention(match[0], "quarter", last - 2, last)


def _half(match: re.Match[str]) -> Mention:
    first = 7 if match["half"] == "下" else 1
    return Mention(match[0], "half", first, first + 5)


def _day(match: re.Match[str]) -> Mention:
    """A date. 截至6月30日 is the period itself; other dates only say when something was done."""
    parts = match.groupdict()
    month, day = (
        figure(parts.get("month") or parts["first"]),
        figure(parts.get("day") or parts["last"]),
    )
    if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(2000, month)[1]:
        return Mention(match[0], fault="不是一个日期")
    until = bool(parts.get("until"))
    # a first of the month stands for the month, as in a date cell shown as 2020年6月
    kind: PeriodKind = "month" if day == 1 and not until else "point"
    return Mention(match[0], kind, month, month, weak=not until)


def _month(match: re.Match[str]) -> Mention:
    month = figure(match["month"])
    if not 1 <= month <= 12:
        return Mention(match[0], fault="没有这个月份")
    parts = match.groupdict()
    kind: PeriodKind = "point" if parts.get("until") or parts.get("close") else "month"
    return Mention(match[0], kind, month, month)


def _dotted_month(match: re.Match[str]) -> Mention:
    return Mention(match[0], fault=MISSING_ZERO) if match["month"] == "1" else _month(match)


def _english_month(match: re.Match[str]) -> Mention:
    month = _ENGLISH.index(match["name"][:3].lower()) // 3 + 1
    return Mention(match[0], "month", month, month)


def _year_end(match: re.Match[str]) -> Mention:
    return Mention(match[0], "point", 12, 12)


def _year(match: re.Match[str]) -> Mention:
    return Mention(match[0], "year")


def _years(match: re.Match[str]) -> Mention:
    return Mention(match[0], weak=True, fault="写有几个年份，不能确定是哪一年")


def _no_months(match: re.Match[str]) -> Mention:
    return Mention(match[0], fault="没有写明是哪几个月")


def _issue(match: re.Match[str]) -> Mention:
    return Mention(match[0], weak=True, fault="写的是期号，不能确定是哪个月")


# --- patterns ------------------------------------------------------------------------------------

_DIGIT = "〇零一二三四五六七八九"
# 上年 and 今年 carry their 年; a two-digit year counts only before 年
_FOUR = r"(?<!\d)(?:19|20)\d\d|[一二][〇○零Oo0一二三四五六七八九]{3}(?=年)"
_FULL_YEAR = rf"(?P<year>{_FOUR})"
_YEAR = rf"(?P<year>{_FOUR}|(?<![\d{_DIGIT}])\d\d(?=年)|[上去今本]年)"
_JOINT = r"\s*(?:年度?|[./_-]|(?<=年))?\s*\(?\s*"
# a year right before, or nothing that would make the month the tail of a longer figure
_LED = rf"(?:{_YEAR}{_JOINT}|(?<![\d.{_DIGIT}十]))"
_TENS = "[一二三四五六七八九]?十[一二三四五六七八九]?"
_MONTH = rf"(?:\d{{1,2}}|{_TENS}|[一二三四五六七八九]|(?<![万亿千百])元)"
_DAY = rf"(?:\d{{1,2}}|{_TENS}|[一二三四五六七八九])"
_TO = r"\s*(?:-{1,2}|~|〜|至|到|(?<=\d)一(?=\d)|、)\s*"
_UNTIL = r"(?P<until>截[至止]到?\s*)"
_CAPTION = "(?:时间|年份|年度|报告期|期别|所属期)"
_QUARTER = r"[1-4一二三四]"
_ENGLISH = "janfebmaraprmayjunjulaugsepoctnovdec"
_ENGLISH_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_END = r"(?![\d月日年]|[./-]\d)"  # the figure ends here

_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")  # ٣ and its like: 20٣6年 is no year
_MAY_NAME = re.compile(r"[\d年月季]")
_SPOILT_YEAR = re.compile(r"\d\s*年度?\s*$")  # 12020年6月: never 6月 of the caller's year
# 陕政办发〔2018〕20号: the year of a document, not of the figures
_DOCUMENT_NUMBER = re.compile(r"[〔\[(【]\s*(?:19|20)\d\d\s*[〕\])】]\s*第?\s*\d+\s*号")
# 比2019年…, 2019年同期, 2015年不变价: a year compared with
_BEFORE_COMPARED = re.compile(r"(?:[比较与]|(?<!合)同)\s*$")
_AFTER_COMPARED = re.compile(r"\s*年?(?:同期|同月|不变价|可比价|价格计算|为基期|基期)")

# Tried in this order; what one expression has taken, a later one does not see.
_EXPRESSIONS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Mention]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reader)
    for pattern, reader in (
        # 2020年1—6月, 1月至6月, 2020年1月—2020年6月, 2020年元至六月
        (
            rf"{_UNTIL}?{_LED}(?P<first>{_MONTH})\s*月?份?(?P<to>{_TO})"
            rf"(?:(?P<year2>(?:19|20)\d\d)\s*[年./-])?(?P<last>{_MONTH})\s*月份?",
            _range,
        ),
        # 2020.1-6, 2020年1-6; but 2020-1-6 may be a date
        (
            rf"{_YEAR}\s*(?:年|[./])\s*(?P<first>0?1)(?P<to>\s*[-~至到]\s*)(?P<last>\d{{1,2}}){_END}",
            _range,
        ),
        # 2020.01-2020.06, 202001-202006
        (
            rf"{_FULL_YEAR}[./-]?(?P<first>\d{{1,2}})(?P<to>\s*[-~至到]\s*)"
            rf"(?P<year2>(?:19|20)\d\d)[./-]?(?P<last>\d{{1,2}}){_END}",
            _range,
        ),
        (rf"{_YEAR}-(?P<first>1)-(?P<last>\d{{1,2}})(?!\d)", _range_or_day),
        # 前6个月, 前三季度, 一至三季度, 第三季度, 2020Q3
        (rf"{_LED}[前头](?P<last>{_MONTH})个月", _first_months),
        (rf"{_LED}前(?P<last>[2-4二三四两])个?季度", _first_quarters),
        (rf"{_LED}第?[1一](?:季度)?{_TO}第?(?P<last>{_QUARTER})季度", _first_quarters),
        (rf"{_LED}第?\s*(?P<quarter>{_QUARTER})\s*季度", _quarter),
        (rf"{_LED}第\s*(?P<quarter>{_QUARTER})\s*季", _quarter),
        (rf"{_LED}Q(?P<quarter>[1-4])(?![A-Z0-9])", _quarter),
        (rf"{_LED}(?P<half>[上下前]?)半年(?(half)|[度报])", _half),
        # 2020年月报, 2020年三季报: a year is written, the months are not
        (rf"{_YEAR}{_JOINT}第?{_QUARTER}?[月季]报", _no_months),
        # 截至6月30日; 2020年7月8日, 2020-07-08, 20200708
        (rf"{_UNTIL}{_LED}(?P<month>{_MONTH})\s*月\s*(?P<day>{_DAY})\s*日", _day),
        (
            rf"{_UNTIL}?{_YEAR}\s*(?:年|[./-]|(?<=年))\s*(?P<month>{_MONTH})\s*(?:月|[./-])\s*"
            rf"(?P<day>{_DAY})(?!\d)\s*日?",
            _day,
        ),
        (r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>[0-3]\d)(?!\d)", _day),
        # 2020年6月, 6月份, 6月底; not the 6月 of 请于6月5日前报送
        (
            rf"{_UNTIL}?{_LED}(?P<month>{_MONTH})\s*月份?(?P<close>底|末)?(?!\s*{_DAY}\s*[日号前])",
            _month,
        ),
        # 2020-06, 2020/6, 2020.06, 202006
        (rf"{_UNTIL}?{_YEAR}[-/](?P<month>\d{{1,2}}){_END}", _month),
        (rf"{_YEAR}\.(?P<month>0[1-9]|1[0-2]?|[2-9])(?![万亿元%]){_END}", _dotted_month),
        (r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<month>0[1-9]|1[0-2])(?!\d)", _month),
        # June 2020, 2020 Jun
        (rf"(?<![A-Z]){_ENGLISH_MONTH}\.?[\s,-]+{_FULL_YEAR}(?!\d)", _english_month),
        (rf"{_FULL_YEAR}[\s,-]+{_ENGLISH_MONTH}(?![A-Z])", _english_month),
        # 2018—2020年, 2020年第6期, 2020年底, 2020年度
        (rf"{_YEAR}年?度?\s*(?:-{{1,2}}|~|至|到)\s*(?:19|20)\d\d(?!\d)\s*年?度?", _years),
        (rf"{_YEAR}年?\s*第\s*\d{{1,2}}\s*期", _issue),
        (rf"{_YEAR}年?(?:[底末]|终)", _year_end),
        (rf"{_FULL_YEAR}\s*年(?:度|全年)?", _year),
        # a cell or line with nothing but the year
        (rf"^\s*(?:{_CAPTION}\s*:?)?\s*(?P<year>(?:19|20)\d\d)\s*$", _year),
    )
)  # fmt: skip
