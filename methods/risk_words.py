"""How a probability may be printed: whole per cent, never certain.

Belongs here: the one rule for printing probabilities of ending last. Does not belong here: computing
them (``risk``) or the sentences around them.
"""

from __future__ import annotations


def printable(probability: float, draws: int, least: float = 0.02) -> str:
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
