"""A finding (审核问题): one rule on one cell, row or file, with its outcome.

Belongs here: the value type every stage uses to report bad input. Does not belong here: rules,
or what is done about a finding (triage, returns).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "verify", "hint"]
Outcome = Literal["pass", "fail", "not_evaluable", "error"]

SEVERITY_ZH: dict[str, str] = {"error": "错误", "verify": "核实", "hint": "提示"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem, addressed to a reporter. Texts are Chinese; positions are as in the file.

    ``message`` says what is wrong, ``found`` and ``expected`` what was read and what was looked
    for, ``remedy`` how to mend it (never which value would be enough).
    """

    rule_id: str
    severity: Severity
    message: str
    found: str = ""
    expected: str = ""
    remedy: str = ""
    outcome: Outcome = "fail"
    submission_id: str | None = None
    file_name: str | None = None
    sheet: str | None = None
    address: str | None = None
    park_id: str | None = None
    indicator_id: str | None = None
    period: str | None = None

    @property
    def finding_id(self) -> str:
        """Stable id: the same rule on the same place and content is the same finding."""
        parts = (
            self.rule_id,
            self.submission_id or self.file_name or "",
            self.sheet or "",
            self.address or "",
            self.park_id or "",
            self.indicator_id or "",
            self.period or "",
            self.found,
        )
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
