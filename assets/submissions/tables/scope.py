"""What a table says of itself that its layout does not know: no actual figures, or rows of another grain.

Belongs here: titles and sheet names of plans, forecasts and last year's figures; columns that split a
park's row (measure words, months, firms) where the layout names no such column; titles between the rows
that begin another period; remarks that name another unit. Does not belong here: the period of a whole
table (``filetime``), the meaning of heads (``plan``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assets.submissions.reading.workbook import CellValue, address
from assets.submissions.tables import notes
from assets.submissions.tables.filetime import default_year
from assets.submissions.tables.grid import fold, show, squeeze
from assets.submissions.tables.heads import take_apart
from assets.submissions.tables.plan import TablePlan, ignored, soft_units, text_matches
from assets.submissions.tables.structure import Column, Row
from assets.submissions.tables.table_reading import TableReading
from assets.submissions.tables.table_words import NOTE, SAID_UNIT
from assets.submissions.values.periods import ParsedPeriod, PeriodRefusal, parse_period

_NOT_ACTUAL = re.compile(
    r"目标|计划(?![局委外部处科])|任务|预计|预测|预报|测算|预算|草稿|作废|模板|样表|[上中下]旬"
    r"|^(?:上年|去年)?同期(?:数|值|表|数据)?$|^(?:核对|校核|底稿)(?:数|用|表)*$"
)
_ACTUAL = re.compile(r"完成|实际|实绩|进展|进度|执行|监测")
_FINER = re.compile(
    r"(?:入园|规上|规模以上|工业|主要)?(?:企业|公司)(?:详细)?名称|(?:法人|企业)?单位详细名称|企业|公司|法人单位"
    r"|(?:所属)?行业(?:名称|类别|代码|大类|门类)?|(?:主要)?产品(?:名称)?|项目(?:名称)?"
)
_MONTHS = re.compile(
    r"年|月|年份|年度|月份|季度|报告期别?|统计期|统计时间|期别|期间|数据期|所属(?:期|时期)|"
)
_LONGEST_TITLE = 40
_PARKS = re.compile(r"(?:园区|集中区|开发区|高新区|新区)[)）]?$")
_YEAR = re.compile(r"(?:19|20)\d\d年(?:度|全年)?(?:数|数据|情况|指标|完成数)?")


def outside(reading: TableReading) -> bool:
    """Whether nothing of a table may be used, told as a finding: it holds no actual figures, or its rows say
    more than whose they are and the layout has no column for it."""
    return (
        _no_actual_figures(reading)
        or _part_of_a_year(reading)
        or any(_splits_rows(reading, column) for column in _unassigned(reading.plan))
    )


def _no_actual_figures(reading: TableReading) -> bool:
    """A plan, a forecast or last year's figures by title or sheet name; a layout that names it knows."""
    rule, table = reading.plan.rule, reading.table
    named = [pattern for pattern in rule.sheets if pattern.strip("*")]
    said: list[tuple[str, str, str]] = []
    if not text_matches(named, table.sheet):
        said.append(("工作表名", table.sheet, "A1"))
    if not rule.titles:
        said += [("标题", t.text, t.address) for t in table.titles if _is_title(t.text)]
    for place, text, at in said:
        found = _NOT_ACTUAL.search(squeeze(text))
        if found and not _ACTUAL.search(text):
            reading.tell(notes.no_actual_figures(table.sheet, at, place, text, found[0]))
            return True
    return False


def _part_of_a_year(reading: TableReading) -> bool:
    """A title of some months (4—6月, 二季度) over heads that do not say which figure they hold: the default
    of a cumulative figure would be a guess."""
    table = reading.table
    for title in table.titles:
        found = parse_period(title.text, default_year=default_year(table, reading.state))
        if not isinstance(found, ParsedPeriod) or not _begins_late(found):
            continue
        for column, meaning in reading.plan.meanings.items():
            if (
                meaning.indicator_id
                and meaning.measure == "ytd"
                and not (meaning.tags or meaning.period)
            ):
                head = table.column(column).head
                reading.tell(notes.part_of_year(table.sheet, title.address, title.text, head))
                return True
    return False


def _begins_late(found: ParsedPeriod) -> bool:
    return found.kind in ("quarter", "half") and found.start_month > 1


def _is_title(text: str) -> bool:
    plain = fold(text)
    return len(plain) <= _LONGEST_TITLE and ":" not in plain and not NOTE.match(plain)


def _unassigned(plan: TablePlan) -> list[Column]:
    """Columns of words or periods that the layout gives no part."""
    rule = plan.rule
    assigned = {plan.entity_column, plan.region_column, plan.indicator_column, plan.period_column,
                plan.month_column, plan.maturity_column, plan.unit_column, plan.measure_column}  # fmt: skip
    assigned |= {column.column for column in plan.values}
    return [
        column
        for column in plan.table.columns
        if column.kind in ("text", "period")
        and column.column not in assigned
        and not ignored(plan.heads, rule, column)
    ]


def _splits_rows(reading: TableReading, column: Column) -> bool:
    """Measure words, other periods than the table's, or names of firms in a column nobody reads."""
    head = squeeze(column.path[-1]) if column.path else ""
    found: list[tuple[str, str]] = []
    for row in reading.table.rows:
        text = show(reading.sheet.at(row.row, column.column))
        if row.kind == "data" and text:
            found.append((text, address(row.row, column.column)))
    why = ""
    if found and all(_is_measure(reading, text) for text, _ in found):
        why = "口径（本月、累计等）"
    elif found and column.path and _FINER.fullmatch(head):
        why = "企业、行业等分项"
    elif found and _MONTHS.fullmatch(head) and _other_period(reading, head, found):
        why = "报告期"
    if why:
        text, at = found[0]
        finding = notes.rows_split(reading.sheet.name, at, column.head, text, why,
                                   reading.layout.title)  # fmt: skip
        reading.tell(finding)
    return bool(why)


def _is_measure(reading: TableReading, text: str) -> bool:
    parts = take_apart((text,), reading.reader.is_unit, lambda _: False)
    return bool(parts.tags - {"same"}) and not parts.names


def _other_period(reading: TableReading, head: str, found: Sequence[tuple[str, str]]) -> bool:
    """Whether any cell of a column is a period that is not the table's own."""
    year = default_year(reading.table, reading.state)
    for text, _ in found:
        said = f"{text}月" if head in ("月", "月份") and text.isdecimal() else text
        period = parse_period(said, default_year=year)
        if isinstance(period, ParsedPeriod) and period.kind == "year":
            if reading.period is None or period.period[:4] != reading.period[:4]:
                return True
        elif isinstance(period, ParsedPeriod) and period.period != reading.period:
            return True
    return False


def remark_columns(plan: TablePlan) -> list[int]:
    """Sheet columns of words beside the figures: remarks, read or not."""
    used = {plan.entity_column, plan.indicator_column, plan.unit_column, plan.measure_column}
    return [c.column for c in plan.table.columns if c.kind == "text" and c.column not in used]


def remark_denies(reading: TableReading, row: Row, columns: Sequence[int]) -> bool:
    """Whether a remark in a row names another unit than its table's (该行单位为亿元): nothing of the row is
    used, told as a finding."""
    for column in columns:
        text = show(reading.sheet.at(row.row, column))
        for match in SAID_UNIT.finditer(fold(text)) if text else ():
            if _another_unit(reading, match[1] or match[2]):
                at = address(row.row, column)
                reading.tell(notes.unit_in_remark(reading.sheet.name, at, text))
                return True
    return False


def _another_unit(reading: TableReading, said: str) -> bool:
    units, soft = reading.reader.units, soft_units(reading.table, reading.plan.rule).soft
    for text, _ in soft:
        mine = units.resolve(text)
        unit = units.resolve(said, mine.dimension if mine else None)
        if mine and unit and unit.dimension == mine.dimension:
            return units.factor(unit, mine) != 1
    return False


class Parts:
    """Follows the rows of a table: a title between them may begin another month or another kind of figure."""

    def __init__(self, reading: TableReading) -> None:
        self.reading = reading
        self.year = default_year(reading.table, reading.state)
        self.left = ""

    def leaves(self, row: Row) -> bool:
        """Whether a row stands below a title of another period or of no actual figures."""
        if self.reading.period is None:
            return False
        said = self._title(row)
        if said is not None:
            self._follow(row, said)
        return bool(self.left)

    def _title(self, row: Row) -> str | None:
        """The only text of a row without numbers that is no footnote."""
        only: CellValue = None
        for value in self.reading.sheet.rows[row.row - 1]:
            if value is None or value == "":
                continue
            if only is not None:
                return None  # the usual row, left at its second cell
            only = value
        return only if isinstance(only, str) and _is_title(only) else None

    def _follow(self, row: Row, said: str) -> None:
        found = parse_period(said, default_year=self.year)
        if isinstance(found, ParsedPeriod) and found.period == self.reading.period:
            self.left = ""
        elif self._begins_another(said, found):
            self.left = said
            at = address(row.row, self.reading.table.area[1])
            self.reading.tell(notes.part_of_another(self.reading.sheet.name, at, said))

    @staticmethod
    def _begins_another(said: str, found: object) -> bool:
        """Whether a title speaks of other months, or of no actual figures; a group of parks (2019年新增园区)
        says neither."""
        plain = squeeze(said)
        if isinstance(found, ParsedPeriod) and (found.kind != "year" or _YEAR.fullmatch(plain)):
            return True
        if isinstance(found, PeriodRefusal):
            return True
        word = _NOT_ACTUAL.search(plain) or re.search("上年同期|去年同期", plain)
        return bool(word) and not _ACTUAL.search(plain) and not _PARKS.search(plain)
