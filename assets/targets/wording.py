"""Chinese wording of verdict reasons: requirement, figure, pace, verdict, in one fixed order.

Belongs here: turning figures already judged into sentences a statistician can follow. Does not
belong here: arithmetic or judgement. Numbers are shown in the unit of the document.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from assets.targets.verdict import verdict_word

if TYPE_CHECKING:
    from warehouse.catalog.models import Document, Target

COMPARATOR_ZH = {
    ">=": "不少于",
    ">": "超过",
    "<=": "不超过",
    "<": "少于",
    "=": "为",
    "~=": "达到",
    "rank<=": "进入前",
}
STRENGTH_NOTE = {
    "expected": "预期性目标，只提示不判红",
    "directional": "导向性要求，只提示不判红",
}


def number(value: Decimal, places: int = 2) -> str:
    """Plain digits, half up to ``places``, without trailing zeros: 1075.50 → 1075.5."""
    text = f"{value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def percent(value: Decimal) -> str:
    """One decimal with the sign %: 66.66 → 66.7%."""
    return f"{value.quantize(Decimal('0.1'), rounding=ROUND_HALF_UP):f}%"


def citation(target: Target, document: Document) -> str:
    """Document number and clause: 陕政办发〔2018〕20号“二（六）”."""
    return f"{document.doc_no}“{target.clause}”"


def amount(target: Target) -> str:
    """What is asked for, in the words of a comparator: 不少于3户, 超过20万人, 1—2个."""
    if target.value is None:
        return target.value_text or "（未规定数值）"
    unit = target.unit
    if target.comparator == "in" and target.value_max is not None:
        return f"{number(target.value)}—{number(target.value_max)}{unit}"
    about = "左右" if target.comparator == "~=" else ""
    word = COMPARATOR_ZH.get(target.comparator, "")
    return f"{word}{number(target.value)}{unit}{about}"


def due(target: Target, last_period: str) -> str:
    """When: （每年）, （到2021年末）, （长期）, （2023年全年）, （规划期年均）."""
    match target.period.type:
        case "by_year_end":
            year, month = last_period[:4], int(last_period[5:7])
            return f"（到{year}年末）" if month == 12 else f"（到{year}年{month}月末）"
        case "each_year":
            return "（每年）"
        case "full_year":
            return f"（{target.period.year}年全年）"
        case "plan_average":
            return "（规划期年均）"
        case _:
            return "（长期）"


def months(period: str, flow: bool) -> str:
    """2020年1—6月 for figures of the year so far, 2020年6月末 for figures at a date."""
    year, month = period[:4], int(period[5:7])
    if not flow:
        return f"{year}年末" if month == 12 else f"{year}年{month}月末"
    return f"{year}年全年" if month == 12 else f"{year}年1—{month}月"


def growth(rate: Decimal) -> str:
    """同比增长17.2%, 同比下降3.2%, 同比持平."""
    if rate == 0:
        return "同比持平"
    word = "增长" if rate > 0 else "下降"
    return f"同比{word}{number(abs(rate))}%"


def versus(gap: Decimal) -> str:
    """高4.2个百分点, 低2.5个百分点, 持平."""
    if gap == 0:
        return "持平"
    return f"{'高' if gap > 0 else '低'}{number(abs(gap))}个百分点"


def listed(names: Iterable[str], shown: int = 5) -> str:
    """（甲、乙等） after a number of parks; nothing for none."""
    ordered = sorted(names)
    if not ordered:
        return ""
    return f"（{'、'.join(ordered[:shown])}{'等' if len(ordered) > shown else ''}）"


def sentence(
    parts: Iterable[str], verdict: str, notes: Iterable[str] = (), against: str = "进度"
) -> str:
    """Parts joined by commas, the verdict's word (``against`` 进度, 目标 or 要求), then the notes."""
    word = verdict_word(verdict, against)
    text = "，".join(part for part in parts if part) + f"。判定：{word}。"
    said = "；".join(note for note in notes if note)
    return f"{text}说明：{said}。" if said else text
