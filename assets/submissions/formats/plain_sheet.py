"""Facts of an ordinary worksheet part by a few pattern searches, several times faster than expat.

Belongs here: recognising that a part holds nothing special, and then its area, counts and merges.
Does not belong here: anything special (hidden parts, error cells, formulas without a saved result,
unusual markup): the answer is then "not plain" and scan_xlsx does the full pass.

Why searching bytes is exact here: in XML a literal ``<`` cannot stand in text or in an attribute;
it occurs outside tags only in comments, CDATA, processing instructions and a DTD. A part without
``<!`` and with at most the XML declaration therefore holds ``<c `` only where a cell begins, and
every cell must match the pattern, or the part is not plain.
"""

from __future__ import annotations

import re

from assets.submissions.formats.facts import MAX_ROW, Budget, SheetFacts, column_number

MAX_BYTES = 32 << 20
"""A part above this size is streamed instead of being held."""

_ROOT = re.compile(rb"\s*(?:<\?xml[^<>]*\?>\s*)?<worksheet\s")
_CELL = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^<>/]*><(?!/)')
_EMPTY_CELL = re.compile(rb'<c r="[A-Z]{1,3}[0-9]{1,7}"[^<>/]*(?:/>|></c>)')
_ODD_CELL = re.compile(rb"<c[\t\r\n/>]")
_SPECIAL = tuple(
    name + quote + value + quote
    for name, value in (
        (b"hidden=", b"1"),
        (b"hidden=", b"true"),
        (b"hidden=", b"on"),
        (b"ht=", b"0"),
        (b"width=", b"0"),
        (b"t=", b"e"),
    )
    for quote in (b'"', b"'")
)
_FORMULA = re.compile(rb"<f[\s/>]")
_COMPUTED = re.compile(rb"(?:</f>|<f [^<>]*/>)<v>[^<]+</v>")
_MERGE = re.compile(rb'<mergeCell ref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"')


def scan_plain_sheet(
    content: bytes, sheet: SheetFacts, budget: Budget, full_calculation: bool
) -> bool:
    """Fill ``sheet`` and return True, or return False with ``sheet`` untouched."""
    if not _ROOT.match(content) or b"<!" in content or content.count(b"<?") > 1:
        return False
    if _ODD_CELL.search(content) or any(mark in content for mark in _SPECIAL):
        return False
    filled = _CELL.findall(content)
    cells = content.count(b"<c ")
    if cells != len(filled) and cells != len(filled) + len(_EMPTY_CELL.findall(content)):
        return False
    formulas = len(_FORMULA.findall(content)) if b"<f" in content else 0
    if formulas and (full_calculation or formulas != len(_COMPUTED.findall(content))):
        return False
    merged = _MERGE.findall(content) if b"<mergeCell " in content else []
    if len(merged) != content.count(b"<mergeCell "):
        return False
    rows = max((int(row) for row in {row for _, row in filled}), default=0)
    if rows > MAX_ROW:
        return False
    try:
        letters = {letters for letters, _ in filled}
        columns = max((column_number(name.decode()) for name in letters), default=0)
        sheet.merged = [
            (int(top), column_number(left.decode()), int(bottom), column_number(right.decode()))
            for left, top, right, bottom in merged
        ]
    except ValueError:
        sheet.merged = []
        return False
    sheet.cells, sheet.formulas = cells, formulas
    sheet.rows, sheet.columns = rows, columns
    budget.close_sheet(sheet)
    return True
