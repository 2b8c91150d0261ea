"""How a reading process answers: plain JSON, checked field by field by the parent.

Belongs here: encoding and decoding of ``Workbook`` and ``Rejected``. Does not belong here: sockets
and processes (reading_process, child). The sender has just handled hostile input, so nothing that
can run code on loading (pickle, marshal) is used, and the receiver believes no count and no type.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, NoReturn

from assets.submissions.reading.limits import Limits
from assets.submissions.reading.workbook import (
    CellValue,
    ErrorValue,
    Notice,
    Range,
    Rejected,
    Sheet,
    Workbook,
)

# Types of a decoded cell; exact, so that a list or a dictionary cannot slip in.
_CELL_TYPES = frozenset(
    {type(None), str, bool, int, float, date, datetime, time, ErrorValue},
)
_MAX_BRACKETS = 2_000_000  # each opening bracket may cost the parent some 60 bytes


class WireError(Exception):
    """The answer is not what a reading process sends; the process is not to be trusted further."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A result with the state of its process: peak resident memory in KiB, and its wish to end."""

    result: Workbook | Rejected
    peak_kib: int
    retire: bool


def encode(answer: Answer) -> bytes:
    """One JSON array in UTF-8. Dates and error cells are objects of one key."""
    result = answer.result
    body: list[Any] = [int(answer.retire), answer.peak_kib]
    if isinstance(result, Rejected):
        texts = (result.code, result.message, result.found, result.expected, result.remedy)
        body += ["rejected", *(_valid_text(text) for text in texts)]
    else:
        body += ["workbook", result.format, list(map(_sheet_out, result.sheets))]
        body.append([[n.code, n.message, n.sheet, n.address] for n in result.notices])
    return _ENCODER.encode(body).encode("utf-8")


def decode(payload: bytes, limits: Limits) -> Answer:
    """The checked answer. Raises ``WireError`` for anything unexpected."""
    if payload.count(b"[") + payload.count(b"{") > _MAX_BRACKETS:
        raise WireError("too many brackets")
    try:
        body = _DECODER.decode(payload.decode("utf-8"))
        if b"\\ud" in payload or b"\\uD" in payload:
            json.dumps(body, ensure_ascii=False, default=str).encode("utf-8")  # lone surrogates
        retire, peak_kib, kind, *rest = body
        _check(type(peak_kib) is int and retire in (0, 1))
        result = _rejected_in(rest) if kind == "rejected" else _workbook_in(kind, rest, limits)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise WireError(f"{type(error).__name__}: {error}"[:200]) from None
    return Answer(result, peak_kib, bool(retire))


def _sheet_out(sheet: Sheet) -> list[Any]:
    rows: list[Any] = []
    for row in sheet.rows:  # runs of empty rows become their number
        if row:
            rows.append(row)
        elif rows and type(rows[-1]) is int:
            rows[-1] += 1
        else:
            rows.append(1)
    return [
        sheet.name,
        int(sheet.visible),
        rows,
        sheet.merged,
        sorted(sheet.hidden_rows),
        sorted(sheet.hidden_columns),
        sorted(sheet.uncached_formulas),
        [number for place in sorted(sheet.percents) for number in place],  # there may be many
    ]


def _special_out(value: object) -> dict[str, str]:
    if isinstance(value, ErrorValue):
        return {"e": value.code}
    if isinstance(value, datetime):
        return {"s": value.isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    if isinstance(value, time):
        return {"t": value.isoformat()}
    raise TypeError(type(value).__name__)


_SPECIAL: dict[str, Callable[[str], CellValue | ErrorValue]] = {
    "e": ErrorValue,
    "s": datetime.fromisoformat,
    "d": date.fromisoformat,
    "t": time.fromisoformat,
}


def _special_in(value: dict[str, Any]) -> CellValue | ErrorValue:
    ((kind, text),) = value.items()
    _check(type(text) is str)
    return _SPECIAL[kind](text)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_special_out
)
_DECODER = json.JSONDecoder(object_hook=_special_in, parse_constant=_no_constant)


def _rejected_in(rest: list[Any]) -> Rejected:
    _check(len(rest) == 5 and all(type(text) is str for text in rest))
    return Rejected(*rest)


def _workbook_in(kind: object, rest: list[Any], limits: Limits) -> Workbook:
    _check(kind == "workbook" and len(rest) == 3)
    form, sheets, notices = rest
    _check(type(form) is str and len(sheets) <= limits.sheets)
    room = limits.box
    built = []
    for fields in sheets:
        sheet, room = _sheet_in(fields, room)
        built.append(sheet)
    return Workbook(form, tuple(built), tuple(_notice_in(fields) for fields in notices))


def _sheet_in(fields: list[Any], room: int) -> tuple[Sheet, int]:
    name, visible, runs, merged, hidden_rows, hidden_columns, uncached, percents = fields
    _check(type(name) is str and type(runs) is list)
    empty: list[CellValue | ErrorValue] = []  # shared: a far row must not cost a list per row
    rows: list[list[CellValue | ErrorValue]] = []
    for run in runs:
        if type(run) is int:
            _check(0 < run <= room)
            rows += [empty] * run
            room -= run
            continue
        _check(type(run) is list and _CELL_TYPES.issuperset(map(type, run)))
        rows.append(run)
        room -= 1
    _check(room >= 0)
    _check(all(type(n) is int for n in hidden_rows) and all(type(n) is int for n in hidden_columns))
    sheet = Sheet(
        name=name,
        rows=rows,
        merged=tuple(_range_in(item) for item in merged),
        visible=visible == 1,
        hidden_rows=frozenset(hidden_rows),
        hidden_columns=frozenset(hidden_columns),
        uncached_formulas=frozenset(_place_in(item) for item in uncached),
        percents=_places_in(percents),
    )
    return sheet, room


def _range_in(item: list[Any]) -> Range:
    top, left, bottom, right = item
    _check(type(top) is type(left) is type(bottom) is type(right) is int)
    _check(0 < top <= bottom and 0 < left <= right)
    return top, left, bottom, right


def _place_in(item: list[Any]) -> tuple[int, int]:
    row, column = item
    _check(type(row) is type(column) is int)
    return row, column


def _places_in(numbers: list[Any]) -> frozenset[tuple[int, int]]:
    """Places written one behind the other: row, column, row, column …"""
    _check(type(numbers) is list and set(map(type, numbers)) <= {int})
    return frozenset(zip(numbers[::2], numbers[1::2], strict=True))


def _notice_in(fields: list[Any]) -> Notice:
    code, message, sheet, place = fields
    _check(type(code) is str and type(message) is str)
    _check(sheet is None or type(sheet) is str)
    _check(place is None or type(place) is str)
    return Notice(code, message, sheet, place)


def _check(condition: bool) -> None:
    if not condition:
        raise ValueError("unexpected field")


def _valid_text(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
