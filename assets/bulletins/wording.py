"""Words (措辞): the Chinese around a number. Pure functions from values to phrases.

Belongs here: direction, comparison, list, rank, streak and missing-data phrases. Does not belong
here: numbers (they arrive as ``shown`` text, printed by a figure), causes (data show none), or
adjectives without a number (大幅, 明显, 略).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from assets.bulletins.figures import round_half_up
from assets.targets.verdict import verdict_word as word_against
from warehouse.words import LIGHT_ZH, VERDICT_ZH
from warehouse.words import date_words as date_words
from warehouse.words import period_words as period_words

VERDICTS: Mapping[str, str] = VERDICT_ZH
JUDGED = ("met", "on_pace", "behind", "far_behind")
"""Verdicts that say something about the target; the others say why it was not judged."""
LIGHTS: Mapping[str, str] = LIGHT_ZH
FILING: Mapping[str, str] = {"on_time": "按时", "late": "迟报", "missing": "未报"}
COMPARATORS: Mapping[str, str] = {
    ">=": "不低于", ">": "超过", "<=": "不超过", "<": "低于", "=": "等于", "~=": "左右",
}  # fmt: skip

SMALL_BASE_GROWTH = Decimal(200)
"""Growth beyond ±200 % says more about the base than about the year: print both amounts instead."""


_MONTHS = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"]


def month_words(period: str) -> str:
    """``2020-06`` → ``至六月``: the end of a cumulative period, in words."""
    return f"至{_MONTHS[int(period[5:]) - 1]}月"


def time_words(moment: datetime) -> str:
    """``2020年7月20日18时30分`` in the offset it carries; a time without offset is refused."""
    if moment.tzinfo is None:
        raise ValueError("time without offset: it would mean another hour on another machine")
    minutes = f"{moment.minute}分" if moment.minute else ""
    return f"{date_words(moment.date())}{moment.hour}时{minutes}"


def sign(value: Decimal, decimals: int) -> int:
    """-1, 0 or 1 of the value **as printed**: -0.04 printed with one decimal is 0."""
    rounded = round_half_up(value, decimals)
    return (rounded > 0) - (rounded < 0)


def direction(value: Decimal, decimals: int = 1) -> str:
    """增长, 下降, or 持平 when the printed growth is zero."""
    return {1: "增长", -1: "下降", 0: "持平"}[sign(value, decimals)]


def growth(value: Decimal | None, shown: str, *, prefix: str = "同比", decimals: int = 1) -> str:
    """``同比增长7.0%``, ``同比下降3.2%``, ``同比持平``; ``shown`` is the magnitude with unit."""
    if value is None:
        return f"{prefix}数据暂缺"
    word = direction(value, decimals)
    return f"{prefix}持平" if word == "持平" else f"{prefix}{word}{shown}"


def growth_from_amounts(yoy: Decimal | None, prior: Decimal | None) -> bool:
    """True when the two amounts must be printed instead of a growth rate.

    That is when last year's amount is zero or negative (a rate has no meaning), or the rate is
    beyond ±200 % (small base).
    """
    if prior is not None and prior <= 0:
        return True
    return yoy is not None and abs(yoy) > SMALL_BASE_GROWTH


def amounts(current: Decimal, prior: Decimal, current_shown: str, prior_shown: str) -> str:
    """``由上年同期的0.12亿元增加到1.05亿元``; for a loss turning into a profit, 扭亏为盈."""
    turned = turn(current, prior)
    if turned:
        return f"上年同期为{prior_shown}，{turned}"
    if current == prior:
        return f"与上年同期的{prior_shown}持平"
    word = "增加" if current > prior else "减少"
    return f"由上年同期的{prior_shown}{word}到{current_shown}"


def turn(current: Decimal, prior: Decimal) -> str:
    """扭亏为盈, 由盈转亏, or empty when the sign has not changed."""
    if prior < 0 < current:
        return "扭亏为盈"
    return "由盈转亏" if current < 0 < prior else ""


def points(
    value: Decimal | None,
    shown: str,
    *,
    words: tuple[str, str, str] = ("提高", "下降", "持平"),
    decimals: int = 1,
) -> str:
    """Change of a rate: ``提高0.3个百分点``; ``shown`` is the magnitude with 个百分点."""
    if value is None:
        return "变动数据暂缺"
    up, down, same = words
    way = sign(value, decimals)
    return same if way == 0 else f"{up if way > 0 else down}{shown}"


def pace(value: Decimal | None, shown: str, against: str, *, falling: bool = False) -> str:
    """Change of growth: ``增速比1—5月加快0.3个百分点``, 回落, or ``与1—5月持平``.

    ``falling``: both growths are negative; then the fall narrows or widens (降幅收窄, 扩大).
    """
    what, words = ("降幅", ("收窄", "扩大", "")) if falling else ("增速", ("加快", "回落", ""))
    if value is None:
        return f"{what}与{against}不可比"
    if sign(value, 1) == 0:
        return f"{what}与{against}持平"
    return f"{what}比{against}{points(value, shown, words=words)}"


def verdict_word(verdict: str, *, growth: bool = False) -> str:
    """Word of a verdict; growth is compared with the target itself, not with a pace."""
    return word_against(verdict, "目标" if growth else "进度")


def progress_gap(
    gap: Decimal | None, shown: str, *, least_shown: str = "", against: str = "时间进度"
) -> str:
    """``快于时间进度4.6个百分点``, 低于…, or 与…持平 when the gap is zero.

    A gap that is not zero but prints as zero says ``低于时间进度不足0.1个百分点`` where
    ``least_shown`` gives the smallest printed step: the words must not contradict the verdict,
    which is made on unrounded values.
    """
    if gap is None:
        return f"与{against}的差距未计算"
    if sign(gap, 1) == 0 and (gap == 0 or not least_shown):
        return f"与{against}持平"
    size = f"不足{least_shown}" if sign(gap, 1) == 0 else shown
    ahead = "高于" if against == "目标" else "快于"
    return f"{ahead if gap > 0 else '低于'}{against}{size}"


def listing(names: Sequence[str], *, limit: int | None = None, total_shown: str = "") -> str:
    """``甲、乙、丙``; beyond ``limit`` ``甲、乙等5个`` where ``total_shown`` is the full count."""
    if limit is None or len(names) <= limit:
        return "、".join(names)
    if not total_shown:
        raise ValueError("a shortened list must say how many there are")
    return f"{'、'.join(names[:limit])}等{total_shown}个"


def extreme(
    values: Mapping[str, Decimal | None], *, highest: bool = True, decimals: int = 1
) -> tuple[str, ...]:
    """Names sharing the highest (lowest) **printed** value, in the mapping's order; () if none.

    Ties are taken on the printed value: two equal printed numbers are never called 最高 and second.
    """
    shown = {k: round_half_up(v, decimals) for k, v in values.items() if v is not None}
    if not shown:
        return ()
    best = max(shown.values()) if highest else min(shown.values())
    return tuple(name for name, value in shown.items() if value == best)


def superlative(names: Sequence[str], word: str) -> str:
    """``甲最高``; ``甲、乙并列最高``."""
    return f"{'、'.join(names)}{'并列' if len(names) > 1 else ''}{word}"


def rank_words(shown: str, *, tied: bool = False) -> str:
    """``第3位`` or ``并列第3位``."""
    return f"{'并列' if tied else ''}第{shown}位"


def rank_move(change: int | None, shown: str) -> str:
    """``上升2位``, ``下降1位``, ``持平``, or — when there is no earlier rank to compare with.

    ``change`` is earlier rank minus present rank: positive is better.
    """
    if change is None:
        return "—"
    if change == 0:
        return "持平"
    return f"{'上升' if change > 0 else '下降'}{shown}位"


def streak(count: int | None, shown: str) -> str:
    """``连续3期``; empty below two, because once is not a streak."""
    return f"连续{shown}期" if count is not None and count >= 2 else ""


def reported(
    expected: int, present: int, expected_shown: str, present_shown: str, unit: str = ""
) -> str:
    """``应报园区40个，全部报送`` or ``应报园区40个，已报38个``; ``unit`` is 园区."""
    if expected == present:
        return f"应报{unit}{expected_shown}个，全部报送"
    return f"应报{unit}{expected_shown}个，已报{present_shown}个"


def correction(edition: int, replaces: int | None) -> str:
    """``（更正）`` behind the title of a replacing edition, empty for the first."""
    return "（更正）" if replaces is not None and edition > replaces else ""


CHANGES: Mapping[str, str] = {"new": "新增", "persisting": "持续", "resolved": "解除"}
"""Warnings against the period before; a warning without a period to compare with says nothing."""
GAPS: Mapping[str, str] = {
    "missing": "未报",
    "omitted": "漏报园区",
    "returned": "报送件退回",
    "held": "待核实",
    "late_locked": "封账后报送",
}
"""Why a park has no figure of the period (``quality.gap``)."""


def span(low: int | None, high: int | None, low_shown: str, high_shown: str) -> str:
    """``第17—19位``, ``第12位`` when both ends agree, empty without an interval."""
    if low is None or high is None:
        return ""
    return f"第{low_shown}位" if low == high else f"第{low_shown}—{high_shown}位"


def realistic(possible: bool) -> str:
    """How often past surprises were as large as what a way out needs."""
    return "以往有过" if possible else "以往很少达到"


def section(number: int, title: str) -> str:
    """``三、园区排名情况``: headings are numbered as they come, because some are left out."""
    return f"{'一二三四五六七八九十'[number - 1]}、{title}"
