"""How a probability may be printed: whole per cent, never certain.

Belongs here: the one rule for printing probabilities of ending last, and for saying why none is
printed. Does not belong here: computing them (``risk``) or the sentences around them.
"""

from __future__ import annotations

from decimal import Decimal

LEAST = 0.02
"""Chances below it, and above 1 less it, are not printed as numbers."""


def printable(probability: float, draws: int, least: float = LEAST) -> str:
    """A probability as an official may read it: whole per cent, never 0 % and never 100 %.

    Below ``least`` prints "低于2%" (events missed with such forecasts did happen in every back-test),
    above 1 - least "高于98%"; the same bound widens when few draws stand behind it.
    """
    bound = max(least, 1 / max(draws, 1))
    if probability < bound:
        return f"低于{bound:.0%}"
    if probability > 1 - bound:
        return f"高于{1 - bound:.0%}"
    return f"{probability:.0%}"


def why_no_chance(k: int, calibrated_pct: Decimal, least_pct: Decimal) -> str:
    """Why a simulated chance is not printed: the class has no last places (``k`` 0), or too little of
    the weight rests on figures with known past errors (per cent, of which ``least_pct`` are needed).

    The share is cut, not rounded: it must not read as reaching a bound it misses.
    """
    if k <= 0:
        return "该组没有末位名额，不列末位概率"
    return (
        f"不列末位概率：有往年误差记录的指标只占计分权重的{int(calibrated_pct)}%，"
        f"不足方案规定的{least_pct.normalize():f}%"
    )
