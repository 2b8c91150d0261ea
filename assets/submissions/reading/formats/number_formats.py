"""Number formats that show another number than the cell holds, or a unit the cell does not.

Belongs here: which format codes scale (``#,##0,`` shows thousands, ``0!.0,`` ten thousands) or add a unit
of money (``0.00"亿元"``), and which cells of an xlsx have them (xls, xlsb, ods: their own readers). Does
not belong here: dates, percentages (compared with the figures beside them), the value of a cell, units
of a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import unescape

from assets.submissions.reading.formats.facts import position
from assets.submissions.reading.formats.plain_sheet import MAX_BYTES
from assets.submissions.reading.formats.scan_xlsx import Attributes, stream
from assets.submissions.reading.formats.zip_directory import Member, unpack

_LITERAL = re.compile(r'"([^"]*)"')
_NOISE = re.compile(r"\[[^\]]*\]|_.|\*.")
_SCALED = re.compile(r"[0#?],+(?![0#?,])")
_FALSE_POINT = re.compile(r"[0#?][!\\]\.[0#?]")
_CODE = re.compile(rb'formatCode="([^"]*)"')
MONEY_UNIT = re.compile(r"(?:百万|千万|万|亿|千)?(?:美|港|欧)?元|[万亿]")


@dataclass(frozen=True, slots=True)
class Shown:
    """How a format departs from the stored number: its ``code``, whether it scales, the unit it adds."""

    code: str
    scaled: bool
    unit: str = ""


@lru_cache(maxsize=4096)
def shown_by(code: str) -> Shown | None:
    """What a format code makes of a number; ``None`` where it shows the number itself.

    Oracle: `#,##0,` shows 24000000 as 24,000; `0!.0,` shows 240000000 as 24000.0; `0.00"亿元"` adds a unit.
    """
    if set(code) == {";"}:
        return Shown(code, scaled=True)  # ;;; shows nothing at all
    sections = [part for part in re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', code)[:3] if part]
    for section in sections:
        bare = _NOISE.sub("", _LITERAL.sub("", section))
        if _SCALED.search(bare) or _FALSE_POINT.search(bare):
            return Shown(code, scaled=True)
    units = [text.strip() for text in _LITERAL.findall(sections[0])] if sections else []
    unit = next((text for text in units if MONEY_UNIT.fullmatch(text)), "")
    return Shown(code, scaled=False, unit=unit) if unit else None


PERCENT = "%"
"""Unit of a ``Shown`` that shows a stored 0.125 as 12.5%: a mark of the cell, its value stays."""
OWN_PERCENT = (9, 10)
"""Excel's own formats 0% and 0.00%, listed in no file."""


@lru_cache(maxsize=4096)
def noted_by(code: str) -> Shown | None:
    """``shown_by``, and formats that show a percentage."""
    shown = shown_by(code)
    if shown is None and "%" in _NOISE.sub("", _LITERAL.sub("", code)):
        return Shown(code, scaled=False, unit=PERCENT)
    return shown


def own_percents() -> dict[int, Shown]:
    """Excel's own percentage formats by number."""
    return {number: Shown("0%", scaled=False, unit=PERCENT) for number in OWN_PERCENT}


def _may_depart(content: bytes) -> bool:
    """Whether a styles part has a departing format code, by a search that is quicker than parsing. Excel's
    own formats are not listed in it and depart from no number."""
    codes = _CODE.findall(content)
    if content.count(b"formatCode") != len(codes):  # written in another way
        return True
    if any(f'numFmtId="{number}"'.encode() in content for number in OWN_PERCENT):
        return True
    return any(noted_by(unescape(code.decode("utf-8", "replace"))) for code in codes)


def departing_styles(data: bytes, member: Member) -> dict[str, Shown]:
    """Cell styles (``s`` of a cell) of a styles part whose format departs from the number."""
    content = b"".join(unpack(data, member))
    if not _may_depart(content):
        return {}
    codes = {str(number): shown for number, shown in own_percents().items()}
    styles: dict[str, Shown] = {}
    state = {"cells": False, "count": 0}

    def start(_parser: object, name: str, attributes: Attributes) -> None:
        local = name.rpartition(":")[2]
        if local == "numFmt":
            shown = noted_by(attributes.get("formatCode", ""))
            if shown is not None:
                codes[attributes.get("numFmtId", "")] = shown
        elif local in ("cellXfs", "cellStyles", "dxfs"):
            state["cells"] = local == "cellXfs"
        elif local == "xf" and state["cells"]:
            shown = codes.get(attributes.get("numFmtId", ""))
            if shown is not None:
                styles[str(state["count"])] = shown
            state["count"] += 1

    stream((content,), member.name, start)
    return styles


def departing_cells(
    data: bytes, member: Member, styles: Mapping[str, Shown]
) -> dict[tuple[int, int], Shown]:
    """Number cells of a worksheet part that have one of the ``styles``."""
    pieces: Iterable[bytes] = unpack(data, member)
    if member.size <= MAX_BYTES:
        content = b"".join(pieces)
        plain = _plainly_written(content, styles)
        if plain is not None:
            return plain
        pieces = (content,)
    found: dict[tuple[int, int], Shown] = {}

    def start(_parser: object, name: str, attributes: Attributes) -> None:
        shown = styles.get(attributes.get("s", ""))
        if shown is None or name.rpartition(":")[2] != "c" or "r" not in attributes:
            return
        if attributes.get("t", "n") == "n":
            found[position(attributes["r"])] = shown

    stream(pieces, member.name, start)
    return found


def _plainly_written(
    content: bytes, styles: Mapping[str, Shown]
) -> dict[tuple[int, int], Shown] | None:
    """The same by a search, where every mention of the styles is of the usual form ``<c r="B2" s="1"``."""
    numbers = "|".join(map(re.escape, styles)).encode()
    cells = re.findall(
        rb'<c r="([A-Z]{1,3}[0-9]{1,7})" s="(%b)"(?: t="(\w+)")?[ />]' % numbers, content
    )
    if len(cells) != len(re.findall(rb"""\ss\s*=\s*["'](?:%b)["']""" % numbers, content)):
        return None
    return {
        position(place.decode()): styles[style.decode()]
        for place, style, kind in cells
        if kind in (b"", b"n")
    }
