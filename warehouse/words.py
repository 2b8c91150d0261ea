"""Chinese words for the codes the tables hold, for periods and for days.

Belongs here: one word a code (light, verdict, measure, state, what growth rests on), a period and a
day as people write them. Does not belong here: sentences, and the words of one stage alone; the codes
themselves (``warehouse.schema``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

VERDICT_ZH: Mapping[str, str] = {
    "met": "已达到",
    "on_pace": "达到进度",
    "behind": "低于进度",
    "far_behind": "低于进度",
    "not_comparable": "口径不符",
    "no_data": "数据不足",
    "expired": "期限已过",
    "manual": "人工认定",
    "out_of_scope": "不适用",
}
LIGHT_ZH: Mapping[str, str] = {
    "green": "绿", "yellow": "黄", "orange": "橙", "red": "红", "grey": "灰",
}  # fmt: skip
MEASURE_ZH: Mapping[str, str] = {
    "ytd": "累计", "month": "当月", "stock": "期末", "ytd_prior": "上年同期",
    "yoy_published": "公布同比",
}  # fmt: skip
STATE_ZH: Mapping[str, str] = {
    "reported": "已报", "zero": "填报为0", "below_unit": "不足最小单位", "unknown": "未报",
    "not_applicable": "不适用", "suppressed": "不予使用", "imputed": "插补数",
    "approximate": "约数",
}  # fmt: skip
BASIS_ZH: Mapping[str, str] = {"final": "全年", "ytd": "年内", "nowcast": "推算"}
YOY_BASIS_ZH: Mapping[str, str] = {
    "comparable": "与可比上年同期比", "published": "公布同比", "levels": "与上年原报数比",
}  # fmt: skip


def yoy_basis_zh(basis: str | None) -> str:
    """What a growth rests on, as far as the table says."""
    return YOY_BASIS_ZH.get(basis or "", "依据未记")


def rounding_zh(rule: str | None) -> str:
    """How a printed figure was rounded, from the rule kept with it."""
    how, _, places = (rule or "").partition(":")
    words = {"half_up": f"四舍五入到{places}位小数", "chance": "取整百分数", "as_given": "照原数"}
    if how == "half_up" and places == "0":
        return "四舍五入取整"
    return words.get(how, "无")


def period_words(period: str, *, year: bool = True) -> str:
    """``2020-06`` → ``2020年1—6月`` (or ``1—6月``): a period is cumulative from January."""
    whole, month = period.split("-")
    number = int(month)
    if not 1 <= number <= 12:
        raise ValueError(f"not a report period: {period}")
    months = "1月" if number == 1 else f"1—{number}月"
    return f"{whole}年{months}" if year else months


def date_words(day: date) -> str:
    """``2020年7月5日``."""
    return f"{day.year}年{day.month}月{day.day}日"
