"""The words by which a table's parts are known: notes, totals, units, heads of labels and periods.

Belongs here: words and patterns that hold for any Chinese or English statistical table, and the two
questions they answer alone (is this a unit, is this row a total). Does not belong here: indicators,
parks or registered units (the catalogue), or positions (`scan`, `structure`).
"""

from __future__ import annotations

import re
from typing import Literal

from assets.submissions.tables.grid import fold, squeeze

RowKind = Literal["data", "total", "of_which", "section", "note", "repeat_head"]


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


NOTE = re.compile(
    r"^[(\[*※]?(注|备注|说明|附注|填表说明|填报说明|数据来源|资料来源|来源|填表人|填报人|制表人?|"
    r"审核人?|复核|单位负责人|统计负责人|分管领导|负责人|联系电话|联系人|报出日期|填报日期|"
    r"notes?|sources?)\s*([)\]:：0-9一二三.、]|$)",
    re.IGNORECASE,
)
META = re.compile(
    r"^(填报单位|报送单位|填表单位|单位名称|综合机关名称|报告期|报告期别|时间|日期|填报时间|填报日期|"
    r"表\s*号|制定机关|批准机关|批准文号|备案文号|文号|有效期至?|计量单位|金额单位|货币单位|单位|"
    r"数据库|指标|地区|unit|units)[:：]",
    re.IGNORECASE,
)
FACT = re.compile(r"^\s*([^:：]{1,14}?)\s*[:：]\s*(.+)$", re.DOTALL)
_WHOLE = r"(?:^|[(\[\s,;:、。.])(?:本表|表中|表内|全表)?"
UNIT_LINE = re.compile(
    rf"{_WHOLE}(?:(?:计量|金额|货币|数据|价值量)?的?单位|units?)(?:均|都|统一)?\s*[:：为是(\[]+\s*"
    r"([^)\]]+)",
    re.IGNORECASE,
)
"""A unit stated for the whole table: `单位：万元、人`, `金额单位为亿元`, `单位（亿元）`."""
AMOUNTS_IN = re.compile(
    rf"{_WHOLE}(?:金额|价值量|数据)?(?:均|都|统一)?[以按]([^\s,;、。)\]]{{1,6}}?)"
    r"(?:为单位|计量|计|填报|填列|列示|表示)"
)
"""The same in a sentence: `本表金额以亿元计`."""
SAID_UNIT = re.compile(
    r"单位(?:均|都|统一)?[为是:(\[\s]*([^\s,;:、。.()\[\]]{1,8})"
    r"|[以按]([^\s,;、。()\[\]以按]{1,6}?)(?:为单位|计量|计|填报|填列|列示|表示)"
)
"""A unit named anywhere in running text, of the whole table or of a part of it."""
WIDE_GAP = re.compile(r"\s{2,}|\t")
_TOTAL = re.compile(
    r"^([(（]?[一二三四五六七八九十\d]+[)）、.])?"
    r"(总\s*计|合\s*计|小\s*计|汇\s*总|全[市省县区]|.{1,10}(合计|总计|小计)|"
    r"(grand|sub)?[ -]?total)[:：]?$",
    re.IGNORECASE,
)
_OF_WHICH = re.compile(r"^(其\s*中|[#＃]|of which|incl)", re.IGNORECASE)
INDICATOR_HEADS = _set(
    "指标 指标名称 主要指标 项目 项目名称 统计指标 内容 indicator variable item measure"
)
VALUE_HEADS = _set("值 数值 数据 指标值 数据值 本期数 value obs_value amount")
SERIAL_HEADS = _set(
    "序号 编号 代码 编码 行号 行次 序 no no. id code 园区代码 行政区划代码 区划代码"
)
PERIOD_HEADS = _set(
    "年 月 年份 年度 月份 时间 日期 报告期 统计期 期别 期间 数据期 季度 统计时间 "
    "year month quarter date period time time_period"
)
UNIT_LABELS = _set("单位 计量单位 Unit UNIT unit")
ATTRIBUTE_LABELS = _set(
    "频率 频度 指标id 指标代码 指标编码 来源 数据来源 发布方 发布机构 更新时间 最近更新 国家 地区属性 "
    "开始时间 结束时间 时间区间 起始时间 frequency source id updated"
)
"""First cells of head rows that describe the series below (data services), not name it."""
INDEX_WORDS = _set("甲 乙 丙 丁 戊 栏次 行次 序号 序 指标序号")
_UNIT_TAIL = re.compile(
    r"(元|吨|人|户|个|家|座|台|辆|件|项|公里|千米|平方米|平方公里|立方米|米|亩|公顷|度|时|克|升|天|日|次|"
    r"套|张|册|所|种|只|头|处|条|起|宗|岁|倍|位|名|篇|人次|标准煤|标煤|㎡|%|‰|百分点|=100|点)$"
)
_UNIT_WORDS = _set(
    "count number percent percentage pct index ratio dollars thousanddollars milliondollars "
    "megawatthours kwh mwh gwh twh cents/kwh centsperkwh tonnes tons t kg persons people "
    "households ha hectares km km2 m2 usd cny rmb yuan"
)


_NO_UNIT = re.compile(r"其中|同比|环比|同期|增[长速幅减]|累计|本月|当月|占比|比重|率$")


def looks_like_unit(text: str) -> bool:
    """Whether a short text reads as a unit (`万元`, `%`, `上年同月=100`, `Cents/kWh`).

    A guess for files without a layout; a catalogue's `Units` should be asked first.
    """
    plain = squeeze(text).strip("()[]")
    if not plain or len(plain) > 24 or plain[0] in "不含按其" or _NO_UNIT.search(plain):
        return False
    if plain.casefold() in _UNIT_WORDS:
        return True
    if re.match(r"^10\^?\d\s*\w+", plain):
        return True
    return len(plain) <= 10 and bool(_UNIT_TAIL.search(plain)) and plain not in PERIOD_HEADS


def row_role(label: str) -> RowKind:
    """Class of a body row by its label alone: total, of_which or data."""
    plain = fold(label)
    if _OF_WHICH.match(plain):
        return "of_which"
    return "total" if _TOTAL.match(squeeze(plain)) else "data"
