"""Titles, file names, footers and number words of the simulated returns.

Belongs here: fixed Chinese text patterns. Does not belong here: head texts of columns (``forms``).
"""

from __future__ import annotations

from datetime import date

from examples.sample.registers import split_period

SIMULATED = "模拟数据，仅供软件演示，与任何真实园区、单位无关"
ROUNDING = "注：部分合计数或相对数由于单位取舍不同而产生的计算误差，均未作机械调整。"
SIGNATURE = "单位负责人：（签章） 统计负责人：（签章） 填表人：综合统计岗 报出日期：{day}"
_DIGITS = "〇一二三四五六七八九"
_MONTHS = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"]


def span(period: str) -> str:
    """``2020-06`` → ``2020年1—6月``."""
    year, month = split_period(period)
    return f"{year}年1—{month}月"


def _monthly(period: str) -> str:
    year, month = split_period(period)
    return f"{year}年1—2月份" if month == 2 else f"{year}年{month}月份"


def _chinese(period: str) -> str:
    year, month = split_period(period)
    words = "".join(_DIGITS[int(digit)] for digit in str(year)) + "年"
    special = {2: "一至二月", 3: "一季度", 6: "上半年", 9: "前三季度", 12: "全年"}
    return words + special.get(month, f"一至{_MONTHS[month - 1]}月")


def title(kind: str, county: str, period: str) -> str:
    """Title of a return; kinds are named in the forms. ``none`` has no title."""
    year, month = split_period(period)
    texts = {
        "full": f"{county}{span(period)}县域工业集中区主要经济指标月报表",
        "month": f"{county}县域工业集中区{_monthly(period)}经济指标完成情况表",
        "span": f"{year}年1-{month}月{county}工业园区主要指标统计表",
        "monitor": f"{county}县域工业集中区和产业园区统计监测月报（{span(period)}）",
        "chinese": f"{county}{_chinese(period)}工业集中区运行情况表",
        "cluster": f"{county}特色产业集群区{span(period)}统计监测表",
        "none": "",
    }
    return texts[kind]


def file_stem(kind: str, county: str, slug: str, period: str) -> str:
    """File name without ending; kinds are named in the forms."""
    year, month = split_period(period)
    names = {
        "county": f"{county}{year}年{month}月园区月报",
        "dot": f"{year}.{month:02d}{county}工业集中区报表",
        "annex": f"附件：{county}园区主要指标表（1-{month}月）",
        "span": f"{county}{year}年1-{month}月主要指标",
        "underscore": f"园区月报_{county}_{year}{month:02d}",
        "slug": f"{slug.split('-')[1]}_{year}{month:02d}",
        "cluster": f"{county}集群区统计监测表{year}{month:02d}",
        "final": f"{county}{month}月报表（终）",
    }
    return names[kind]


def day_text(day: date) -> str:
    """``2020年7月8日``."""
    return f"{day.year}年{day.month}月{day.day}日"
