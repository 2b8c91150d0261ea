"""Chinese numerals: 一千二百万, 壹佰贰拾, 十二点五.

Belongs here: reading whole numerals and writing them back. A numeral is read only if a careful
writer would write it so: the value found is written out again and must give the same text, which
refuses colloquial forms with two readings (一万五, 二百五). Does not belong here: signs, units, 余.
"""

from __future__ import annotations

import re
from decimal import Decimal

_DIGITS = "零一二三四五六七八九"
_FORMAL = str.maketrans(
    "〇壹贰貳叁參肆伍陆陸柒捌玖拾佰仟萬億點两兩", "零一二二三三四五六六七八九十百千万亿点二二"
)
NUMERAL_LETTERS = "零〇一二两兩三四五六七八九十百千万亿壹贰貳叁參肆伍陆陸柒捌玖拾佰仟萬億"
"""Every letter a whole numeral may consist of."""

DIGIT_LETTERS = "零〇一二两兩三四五六七八九十壹贰貳叁參肆伍陆陸柒捌玖拾"
"""Letters a numeral may begin with: 万 or 百 alone begin a word (万元, 百强)."""

_SECTION = re.compile(r"(?:(.)千)?(?:(.)百)?(?:(.)十)?(.)?")
_LIMIT = 10**16  # beyond 九千…万亿 writers differ


def read_numeral(text: str) -> Decimal | None:
    """Value of a numeral with an optional fraction (十二点五), or ``None`` if it is not one."""
    whole, point, fraction = text.translate(_FORMAL).partition("点")
    value = _read_whole(whole)
    if value is None or not point:
        return None if value is None else Decimal(value)
    if not fraction or any(letter not in _DIGITS for letter in fraction):
        return None
    return Decimal(f"{value}." + "".join(str(_DIGITS.index(letter)) for letter in fraction))


def write_numeral(number: int) -> str:
    """A whole number from 0 below 10¹⁶ in Chinese: 105 is 一百零五, 10 is 一十."""
    for size, name in ((10**8, "亿"), (10**4, "万"), (1000, "千"), (100, "百"), (10, "十")):
        if number >= size:
            head, rest = divmod(number, size)
            gap = "零" if 0 < rest < size // 10 else ""
            return write_numeral(head) + name + gap + (write_numeral(rest) if rest else "")
    return _DIGITS[number]


def _read_whole(text: str) -> int | None:
    # 十五 is 一十五; 十万零五千 and 十万五千 are both usual
    full = re.sub(r"(^|零)十", r"\1一十", text)
    full = re.sub(r"([万亿])零(?=.千)", r"\1", full)
    value = _sum(full)
    if value is None or value >= _LIMIT:
        return None
    return value if write_numeral(value) == full else None


def _sum(text: str) -> int | None:
    """Value of a numeral taken letter by letter, well formed or not."""
    for name, size in (("亿", 10**8), ("万", 10**4)):
        head, found, rest = text.rpartition(name)
        if found:
            high, low = _sum(head), _sum(rest) if rest else 0
            return None if high is None or low is None else high * size + low
    if text == "零":
        return 0
    section = _SECTION.fullmatch(text.replace("零", ""))
    if section is None or any(d is not None and d not in _DIGITS for d in section.groups()):
        return None
    thousands, hundreds, tens, ones = (_DIGITS.index(d) if d else 0 for d in section.groups())
    return thousands * 1000 + hundreds * 100 + tens * 10 + ones
