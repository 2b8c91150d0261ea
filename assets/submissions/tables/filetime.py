"""The report period of a table: title, sheet, file name, `key：value` lines, register of returns.

Belongs here: which places may state the period, in which order, and whether they agree. Does not
belong here: reading a period out of a text (`periods`) or out of a column of the table (`rows`).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from assets.submissions.tables import notes
from assets.submissions.tables.grid import squeeze
from assets.submissions.tables.records import FileState
from assets.submissions.tables.structure import DetectedTable
from assets.submissions.tables.table_words import WIDE_GAP
from assets.submissions.values.periods import ParsedPeriod, PeriodRefusal, parse_period
from quality.finding import Finding
from warehouse.catalog.layouts import TableLayout

_PERIOD_FACTS = re.compile(
    r"报告(?:期别?|时期)|时间|日期|统计(?:期|时间)|所属(?:期|时期)|期别|数据期|截[至止]|报表日期"
)

_STATUTORY = re.compile(
    r"(表号|制定机关|制表机关|批准机关|批准文号|批准|备案文号|备案机关|文号|有效期至?|填报单位|报送单位|"
    r"综合机关名称|单位名称|单位负责人|统计负责人|填表人|填报人|制表人|审核人|联系人|联系电话|电话|"
    r"填报日期|填报时间|填表日期|填表时间|报出日期|报送日期|报送时间|制表日期|制表时间|打印时间|更新时间|"
    r"数据来源|注|说明)[:：(]"
)
"""Lines around a table whose dates are no report period."""


def places(
    table: DetectedTable, kinds: Sequence[str], state: FileState
) -> Iterator[tuple[str, str]]:
    """(place in Chinese, text) for each place a period may be stated in, in the layout's order."""
    for kind in kinds:
        if kind == "title":
            yield from _title_parts(table)
        elif kind == "sheet":
            yield "工作表名", table.sheet
        elif kind == "file":
            yield "文件名", PurePath(state.context.file_name).stem
        elif kind == "facts":
            for fact in table.facts:
                if _PERIOD_FACTS.fullmatch(fact.key):
                    yield f"“{fact.key}”{fact.value.address}", fact.value.text
        elif kind == "submission" and state.context.period:
            yield "报送登记", state.context.period


def _title_parts(table: DetectedTable) -> Iterator[tuple[str, str]]:
    """Title texts cut at wide gaps, up to a statutory word (批准文号, 填报日期 …): a date behind it is no
    period."""
    for title in table.titles:
        for part in WIDE_GAP.split(title.text):
            statutory = _STATUTORY.search(squeeze(part))
            said = squeeze(part)[: statutory.start()] if statutory else part
            if said:
                yield f"标题{title.address}", said


def _specific(read: list[tuple[ParsedPeriod, str]]) -> list[tuple[ParsedPeriod, str]]:
    """A bare year (`2020年.xlsx`) says nothing against a month of that year stated elsewhere."""
    months = {found.period[:4] for found, _ in read if found.kind != "year"}
    return [
        (found, place)
        for found, place in read
        if found.kind != "year" or "全年" in found.evidence or found.period[:4] not in months
    ]


_DAY = re.compile(r"(?:\d{1,2}\D{1,2}|(?:19|20)\d{4})(?P<day>\d{1,2})\s*日?$")


def _made_on(found: ParsedPeriod) -> bool:
    """Whether a stated period is only the date on which something was filled in or sent: a day that ends
    no month, without 截至. `20200703` and `2020年7月5日` say nothing of the months reported."""
    day = _DAY.search(found.evidence) if found.kind == "point" else None
    if day is None or found.evidence[:1] == "截":
        return False
    year, month = int(found.period[:4]), int(found.period[5:])
    return int(day["day"]) != calendar.monthrange(year, month)[1]


_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?=年|[-./]\d|\d{2}(?!\d)|(?!\d))")


def default_year(table: DetectedTable, state: FileState) -> int | None:
    """Year for texts without one: the only year named by titles, sheet or file name."""
    for kinds in (("title", "facts"), ("sheet",), ("file",)):
        years = {int(y) for _, text in places(table, kinds, state) for y in _YEAR.findall(text)}
        if len(years) == 1:
            return next(iter(years))
    if state.context.period:
        return int(state.context.period[:4])
    return None


def table_period(
    table: DetectedTable, rule: TableLayout, state: FileState
) -> tuple[str | None, list[Finding]]:
    """Report period of a table from the places its layout lists; all that speak must agree.

    Where they disagree the table has no period: its values are kept and not used. The latest of the
    periods then stands for the file in lists (a title left from last month is the usual case).
    """
    kinds = rule.period.places
    if rule.period.fixed:
        return rule.period.fixed, []
    year = default_year(table, state)
    read: list[tuple[ParsedPeriod, str]] = []
    refused: list[tuple[str, PeriodRefusal]] = []
    asked = kinds if "sheet" in kinds else (*kinds, "sheet")  # a sheet left from last month
    for place, text in places(table, asked, state):
        reading = parse_period(text, default_year=year)
        if isinstance(reading, ParsedPeriod):
            if not _made_on(reading):
                read.append((reading, place))
        elif isinstance(reading, PeriodRefusal) and place != "文件名":
            refused.append((place, reading))
    said = [(found.period, place, found.evidence) for found, place in _specific(read)]
    expected = state.context.period
    if expected and said and "submission" not in kinds:
        said.append((expected, "报送登记", expected))
    unclear = [
        (place, why)
        for place, why in refused
        if place.startswith("标题") and "期号" not in why.reason  # 第6期 says nothing against 6月
    ]
    if not said or unclear:
        return None, [notes.no_period(table, unclear or refused)]
    if len({period for period, _, _ in said}) > 1:
        state.period = max(period for period, _, _ in said)
        return None, [notes.period_mismatch(table, said, state.period)]
    return said[0][0], []
