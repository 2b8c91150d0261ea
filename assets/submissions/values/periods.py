"""Report periods: found in titles, heads, sheet and file names, dates and columns of codes.

Belongs here: which year and months a text or cell names, period arithmetic, Chinese labels.
Does not belong here: which of several texts of a file decides (`structure`), deadlines, numbers.

A text is read as a set of mentions (年, 1—6月, 上半年, a date …). Mentions of one period agree, a
mention without a year takes the only year of the text or the caller's; anything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from assets.submissions.reading.workbook import CellValue
from assets.submissions.values.characters import fold, fold_dashes
from assets.submissions.values.numbers import raw_text
from assets.submissions.values.period_text import (
    MISSING_ZERO,
    Mention,
    PeriodKind,
    figure,
    mentions,
)


@dataclass(frozen=True, slots=True)
class ParsedPeriod:
    """A period as written. ``period`` is its last month ``YYYY-MM``, ``start_month`` its first.

    ``point`` is a state at a date (截至6月底); its ``start_month`` is its month. ``evidence`` is
    the text it was read from.
    """

    period: str
    start_month: int
    kind: PeriodKind
    evidence: str


@dataclass(frozen=True, slots=True)
class PeriodRefusal:
    """A text names a period that cannot be told for certain; ``reason`` is Chinese."""

    reason: str
    found: str


Reading = ParsedPeriod | PeriodRefusal | None


def parse_period(
    text_or_value: CellValue,
    *,
    default_year: int | None = None,
    context_periods: Sequence[str] = (),
) -> Reading:
    """The period a text or cell names; ``None`` if it names none, a refusal if it is ambiguous.

    ``default_year``: year of texts without one (6月份), from a title read earlier.
    ``context_periods``: periods beside it; with ``2016-09`` or ``2016-11`` there, ``2016.1`` is
    October. A bare number is read only as a year (2016), ``YYYY.MM``, ``YYYYMM``, ``YYYYMMDD`` or
    the serial of a month's first or last day (1900 system): give only cells that may hold one.
    Texts of more than 300 characters are remarks and name none.
    """
    if isinstance(text_or_value, str):
        if not context_periods and len(text_or_value) <= _LONGEST:  # titles come many times
            return _from_text_alone(text_or_value, default_year)
        return _from_text(text_or_value, default_year, context_periods)
    if isinstance(text_or_value, datetime):
        return _from_date(text_or_value.date(), text_or_value.date().isoformat())
    if isinstance(text_or_value, date):
        return _from_date(text_or_value, text_or_value.isoformat())
    if isinstance(text_or_value, bool) or not isinstance(text_or_value, int | float):
        return None
    return _from_number(text_or_value, context_periods)


def parse_period_column(
    values: Sequence[CellValue], *, default_year: int | None = None
) -> list[Reading]:
    """Each cell of a period column, where the others decide what ``2016.1`` means.

    In a column that writes months with two digits (2016.01 or 2016.09 occurs) it is October; in one
    that does not, its neighbours decide (September before or November after); else it is refused.
    """
    alone = [parse_period(value, default_year=default_year) for value in values]
    readings = list(alone)
    codes = [_year_dot_month(value) for value in values]
    two_digits = any(code and code[1][0] == "0" for code in codes)
    one_digit = any(code and code[1] in "23456789" for code in codes)
    keeps_zero = any(code and code[1] == "10" for code in codes)  # texts do, numbers never
    for place, code in enumerate(codes):
        if code is None or code[1] != "1":
            continue
        beside = (_beside(alone, place, -1), _beside(alone, place, +1))
        month = 10 if two_digits else _october_or_january(code[0], beside)
        contradictory = two_digits and (one_digit or keeps_zero)
        readings[place] = _stripped_zero(code, None if contradictory else month)
    return readings


# --- arithmetic and labels ---------------------------------------------------------------------


def period_of(year: int, month: int) -> str:
    """``period_of(2020, 6) == "2020-06"``. Raises ``ValueError`` for no calendar month."""
    if not 1000 <= year <= 9999 or not 1 <= month <= 12:
        raise ValueError(f"not a month: {year}-{month}")
    return f"{year:04d}-{month:02d}"


def year_month(period: str) -> tuple[int, int]:
    """Year and month of ``YYYY-MM``. Raises ``ValueError`` for anything else."""
    match = re.fullmatch(r"(\d{4})-(\d{2})", period, re.ASCII)
    if match is None or not 1 <= int(match[2]) <= 12:
        raise ValueError(f"not a period YYYY-MM: {period!r}")
    return int(match[1]), int(match[2])


def previous_year(period: str) -> str:
    """Same month one year earlier."""
    year, month = year_month(period)
    return period_of(year - 1, month)


# --- numbers and dates -------------------------------------------------------------------------

_YEARS = range(1949, 2100)
_SERIAL_EPOCH = date(1899, 12, 30)  # 1900 system; day 60 and before do not matter here
_SERIALS = range(32874, 73051)  # 1990-01-01 to 2099-12-31


def _from_date(day: date, evidence: str) -> Reading:
    """The first day of a month stands for the month (a cell shown as 2020年6月)."""
    if day.year not in _YEARS:
        return None
    kind: PeriodKind = "month" if day.day == 1 else "point"
    return ParsedPeriod(period_of(day.year, day.month), day.month, kind, evidence)


def _from_number(value: int | float, context: Sequence[str]) -> Reading:
    if code := _year_dot_month(value):
        return _from_code(code, context)
    if isinstance(value, float) and not value.is_integer():
        return None
    whole = int(value)
    if whole in _SERIALS:
        day = _SERIAL_EPOCH + timedelta(days=whole)
        if day.day == 1 or (day + timedelta(days=1)).day == 1:
            return _from_date(day, f"日期序列号{whole}（{day.isoformat()}）")
        return None
    return _from_text(str(whole), None, context) if len(str(whole)) in (4, 6, 8) else None


def _year_dot_month(value: CellValue) -> tuple[int, str] | None:
    """Year and month digits of ``2016.09`` or ``2016.1`` (number or text), else ``None``."""
    if isinstance(value, bool) or not isinstance(value, float | str):
        return None
    text = fold(value) if isinstance(value, str) else raw_text(value)
    match = re.fullmatch(r"((?:19|20)\d\d)\.(0[1-9]|1[0-2]?|[2-9])", text, re.ASCII)
    return (int(match[1]), match[2]) if match else None


def _from_code(code: tuple[int, str], context: Sequence[str]) -> Reading:
    year, digits = code
    if digits != "1":
        return _stripped_zero(code, int(digits))
    around = tuple(year_month(period) for period in context)
    october = (year, 9) in around or (year, 11) in around
    january = (year, 2) in around or (year - 1, 12) in around
    month = None
    if october and (year, 10) not in around:
        month = 10 if not january or (year, 1) in around else None
    elif january and (year, 1) not in around:
        month = 1
    return _stripped_zero(code, month)


def _stripped_zero(code: tuple[int, str], month: int | None) -> ParsedPeriod | PeriodRefusal:
    found = f"{code[0]}.{code[1]}"
    if month is None:
        return _refusal(MISSING_ZERO, found)
    return ParsedPeriod(period_of(code[0], month), month, "month", found)


def _beside(readings: Sequence[Reading], place: int, step: int) -> tuple[int, int] | None:
    """Year and month of the next cell in one direction that names a period for certain."""
    end = len(readings) if step > 0 else -1
    certain = (r for r in (readings[i] for i in range(place + step, end, step)))
    near = next((r for r in certain if isinstance(r, ParsedPeriod)), None)
    return year_month(near.period) if near else None


def _october_or_january(year: int, beside: Sequence[tuple[int, int] | None]) -> int | None:
    """October between September and November, January between December and February."""
    october = any(near in ((year, 9), (year, 11)) for near in beside)
    january = any(near in ((year - 1, 12), (year, 2)) for near in beside)
    if october == january:
        return None
    return 10 if october else 1


# --- text ----------------------------------------------------------------------------------------

# of several mentions of one period, the first of these kinds says most about it
_TELLING: tuple[PeriodKind, ...] = ("cumulative", "half", "quarter", "point", "month", "year")
_LONGEST = 300
_BARE_RANGE = re.compile(r"1\s*[-~至到]\s*\d{1,2}", re.ASCII)  # a sheet named 1-6


@lru_cache(maxsize=4096)
def _from_text_alone(text: str, default_year: int | None) -> Reading:
    return _from_text(text, default_year, ())


def _from_text(text: str, default_year: int | None, context: Sequence[str]) -> Reading:
    if len(text) > _LONGEST:
        return None
    if code := _year_dot_month(text):
        return _from_code(code, context)
    if default_year is not None and _BARE_RANGE.fullmatch(fold_dashes(fold(text))):
        text = text.strip() + "月"
    found = list(mentions(text))
    decisive = [mention for mention in found if not mention.weak] or found
    if not decisive:
        return None
    years = {figure(m.year) for m in decisive if m.year and len(m.year) == 4}
    readings = [_with_year(mention, years, default_year) for mention in decisive]
    for reading in readings:
        if isinstance(reading, PeriodRefusal):
            return reading
    return _agreed([r for r in readings if isinstance(r, ParsedPeriod)], text)


def _with_year(
    mention: Mention, years: set[int], default_year: int | None
) -> ParsedPeriod | PeriodRefusal:
    """A mention as a period: its own year, the text's only one, or the caller's."""
    if mention.fault is not None:
        return _refusal(mention.fault, mention.evidence)
    year: int | None
    written, evidence = mention.year, mention.evidence
    if written is None:
        if len(years) > 1:
            return _refusal("前后写有几个年份，不能确定是哪一年", evidence)
        year = next(iter(years), default_year)
        evidence = f"{evidence}（{year}年）"
    else:
        year = _year_of(written, default_year)
    if year is None:
        return _refusal("没有写明年份，或年份不是四位数字", mention.evidence)
    if year not in _YEARS:
        return _refusal("年份不成立", mention.evidence)
    return ParsedPeriod(period_of(year, mention.end), mention.start, mention.kind, evidence)


def _year_of(written: str, default_year: int | None) -> int | None:
    """2020, 二〇二〇; 上年, 今年 and 20年 only with the caller's year."""
    if len(written) == 4:
        return figure(written)
    if default_year is None:
        return None
    if written.endswith("年"):
        return default_year - 1 if written[0] in "上去" else default_year
    return default_year if default_year % 100 == int(written) else None


def _agreed(found: Sequence[ParsedPeriod], text: str) -> ParsedPeriod | PeriodRefusal:
    """The one period all mentions name; a bare year is absorbed by a month of that year."""
    inner = {period.period[:4] for period in found if period.kind != "year"}
    rest = [p for p in found if p.kind != "year" or p.period[:4] not in inner]
    if len({period.period for period in rest}) > 1:
        listed = "、".join(_unique(period.evidence for period in rest))
        return _refusal(f"写有几个报告期（{listed}），不能确定是哪一个", text.strip())
    return min(rest, key=lambda period: _TELLING.index(period.kind))


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _refusal(reason: str, found: str) -> PeriodRefusal:
    return PeriodRefusal(f"“{found}”{reason}", found)
