"""Problems as a reporter may read them (退回问题): numbered, placed, and never telling the value wanted.

Belongs here: turning findings into numbered problems and taking out whatever would give away a value
that would do. Does not belong here: workbooks, letters, or deciding what is a problem.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quality.finding import SEVERITY_ZH

_NUMBER = re.compile(r"[+\-−]?\d[\d,，.．]*(?:[eE][+\-]?\d+)?")
_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,3}\d{1,7}(?![A-Za-z0-9])")
WITHHELD = "（略）"


@dataclass(frozen=True, slots=True)
class Problem:
    """One line of a returned file's list. ``relation``: what does not hold, in words; ``found``: what
    the reporter wrote; ``remedy``: what to do about it, never which value."""

    number: int
    severity: str
    rule_id: str
    sheet: str | None
    address: str | None
    relation: str
    found: str
    remedy: str
    kept_back: bool
    cells: tuple[tuple[str, str], ...] = ()
    """Every cell of the file the problem rests on (sheet, address), its own included."""

    @property
    def severity_zh(self) -> str:
        """错误, 核实 or 提示."""
        return SEVERITY_ZH[self.severity]

    @property
    def answer(self) -> str:
        """What the reporter is asked to do in general."""
        if self.severity == "error":
            return "请改正后重报"
        return "请核对：有误请改正，属实请说明原因" if self.severity == "verify" else "请留意"


def problems_of(findings: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """Numbered problems of one file, in the order given (rows of ``filing.to_mend``)."""
    return [_problem(number, row) for number, row in enumerate(findings, start=1)]


def _problem(number: int, row: Mapping[str, Any]) -> Problem:
    found, expected = row["found"] or "", row["expected"] or ""
    wanted = wanted_numbers(expected, found)
    return Problem(
        number=number,
        severity=row["severity"],
        rule_id=row["rule_id"],
        sheet=row["sheet"],
        address=row["address"],
        relation=withhold(row["message"] or "", wanted),
        found=withhold(found, wanted),
        remedy=withhold(row["remedy"] or "", wanted),
        kept_back=row.get("action") in ("quarantined", "held"),
        cells=tuple((sheet, address) for sheet, address in row.get("cells") or ()),
    )


def wanted_numbers(expected: str, found: str) -> frozenset[str]:
    """Numbers an expectation speaks of that the reporter has not written: they are not for reporters.

    Compared as numbers: 1,200.0 and 1200 are the same; codes of indicators and cells are no numbers.
    """
    return frozenset(_numbers(expected)) - frozenset(_numbers(found))


def withhold(text: str, wanted: frozenset[str]) -> str:
    """``text`` with every number of ``wanted`` replaced, however it is written there."""
    if not wanted:
        return text
    codes = [match.span() for match in _CODE.finditer(text)]

    def shown(match: re.Match[str]) -> str:
        inside = any(start <= match.start() < end for start, end in codes)
        return match[0] if inside or _plain(match[0]) not in wanted else WITHHELD

    # Full-width digits and signs are one character each, so places stay the same.
    narrow = "".join(_narrow(character) for character in text)
    return _NUMBER.sub(shown, narrow) if _says(narrow, wanted) else text


def _says(text: str, wanted: frozenset[str]) -> bool:
    return any(number in wanted for number in _numbers(text))


def _numbers(text: str) -> Iterable[str]:
    narrow = _CODE.sub(" ", "".join(_narrow(character) for character in text))
    return [_plain(match[0]) for match in _NUMBER.finditer(narrow)]


def _narrow(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 and folded in "0123456789.+-" else character


def _plain(written: str) -> str:
    """One writing for equal numbers; the sign is left out, it gives nothing away by itself."""
    text = written.replace(",", "").replace("，", "").replace("．", ".").lstrip("+-−").rstrip(".")
    try:
        from decimal import Decimal

        return format(Decimal(text).normalize(), "f")
    except ArithmeticError:
        return text


def findings_digest(findings: Iterable[Mapping[str, Any]]) -> str:
    """Digest of which problems a file has: a file goes back again only when they are others."""
    ids = sorted(str(row["finding_id"]) for row in findings if row["severity"] != "hint")
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]
