"""What must hold for whatever a cell, a title or a file may hold: promises anybody can check again.

Belongs here: predicates that say what is wrong with a reading, empty when nothing is. Does not
belong
here: where the texts come from (``tests/property``, ``bench.torture.fuzz``).
"""

from __future__ import annotations

import re

from assets.submissions.reading.prescan import prescan
from assets.submissions.values.numbers import parse_number, shipped_symbols
from assets.submissions.values.periods import ParsedPeriod, parse_period

SYMBOLS = shipped_symbols()
_FULL_WIDTH = {0xFF10 + digit: 48 + digit for digit in range(10)}


def fault_of_number(text: str) -> str:
    """A text is a number, a sign, a word or refused with a reason, and no digit is lost or made up."""
    got = parse_number(text, SYMBOLS)
    if (got.reason is not None) != (got.kind == "refused"):
        return f"{got.kind} with reason {got.reason!r}"
    if got.kind in ("refused", "text"):
        return "" if got.value is None else f"{got.kind} with a value"
    if got.kind != "number":
        return ""
    if got.value is None or not got.value.is_finite():
        return f"a number without a finite value: {got.value}"
    written = "".join(c for c in text.translate(_FULL_WIDTH) if c.isdigit() and c.isascii())
    shown = format(got.value.copy_abs(), "f").replace(".", "")
    if written and written.lstrip("0") != shown.lstrip("0"):
        return f"digits {written} were read as {shown}"
    return ""


def fault_of_period(text: str) -> str:
    """A period has twelve months at most and a year that stands in the text."""
    got = parse_period(text)
    if not isinstance(got, ParsedPeriod):
        return ""
    if not re.fullmatch(r"(19|20)\d\d-(0[1-9]|1[0-2])", got.period):
        return f"no period: {got.period}"
    if not 1 <= got.start_month <= int(got.period[5:]):
        return f"from month {got.start_month} to {got.period}"
    digits = re.sub(r"\D", "", text.translate(_FULL_WIDTH).translate(_NUMERALS))
    return "" if got.period[2:4] in digits else f"year {got.period[:4]} does not stand there"


_NUMERALS = str.maketrans("〇○零一二三四五六七八九", "000123456789")


def fault_of_file(data: bytes) -> str:
    """Bytes are a workbook or refused; the look before opening never fails (it raises what it must
    not, which whoever asks reports)."""
    prescan(data)
    return ""
