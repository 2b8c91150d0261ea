"""What a proof is made of, and the rules the cells of a proof passed.

Belongs here: the step of a proof, the audit rules behind it. Does not belong here: following a figure
to its cells (``warehouse.explain``), judging cells (``warehouse.rule_outcomes``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from warehouse.store import fetch

if TYPE_CHECKING:
    import duckdb

CELL_MARK = "单元格 "
AUDIT_MARK = "审核:"
Ground = Literal[
    "entered",  # a row of an input file (补录) or of the ledger of findings
    "event",  # an event confirmed by a person
    "file",  # a delivered file
    "finding",  # a finding of the audit
    "register",  # a park of the register
    "policy",  # a value of an assessment scheme, kept in the catalogue under its rules digest
    "clause",  # a clause nothing was reported for: its verdict says so, and has no figure
    "absence",  # nothing reported, or nothing counted: right for no value and for zero only
]
"""What a proof may end in besides a cell."""
SHOWN_FINDINGS = 20
"""Findings on the cells of a proof listed before the rest is only counted."""


class NotFoundError(LookupError):
    """Nothing of that name in the published warehouse; the message says what can be asked for."""


@dataclass(slots=True)
class Step:
    """One step of a proof: what it says, and the steps it rests on."""

    text: str
    parts: list[Step] = field(default_factory=list)
    place: tuple[str, ...] | None = None
    """Of a cell: submission, sheet, address, indicator, period."""
    ground: Ground | None = None
    """What a last step other than a cell is."""
    asks: tuple[str, ...] = ()
    """Words that ask for the proof of a row named here in one line only."""

    def cells(self) -> list[str]:
        """Every cell this proof ends in."""
        return [step.text for step in self.walk() if step.text.startswith(CELL_MARK)]

    def grounds(self) -> set[str]:
        """What this proof ends in: ``cell`` and grounds; empty: it rests on nothing."""
        steps = list(self.walk())
        return {"cell" for step in steps if step.place} | {s.ground for s in steps if s.ground}

    def walk(self) -> Iterator[Step]:
        """This step and every one below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


def audited(
    connection: duckdb.DuckDBPyConnection, proof: Step, rules: Mapping[str, frozenset[str]]
) -> Step | None:
    """Rules that judged the figures a proof rests on, and what they found on its very cells.

    ``rules``: rule id → indicators it names; none: it judges whole files or parks. Findings on a cell
    of the proof are told with their rule; where a rule could not judge every unit, that is said.
    None when the proof meets no cell.
    """
    places = sorted({step.place for step in proof.walk() if step.place})
    if not places:
        return None
    indicators = {place[3] for place in places}
    periods = sorted({place[4] for place in places})
    asked = [name for name, about in rules.items() if not about or about & indicators]
    outcomes = fetch(connection, _OUTCOMES, {"periods": periods, "rules": asked})
    findings = fetch(
        connection,
        _FINDINGS,
        {"files": [p[0] for p in places], "sheets": [p[1] for p in places],
         "addresses": [p[2] for p in places]},
    )  # fmt: skip
    hit = {row["rule_id"] for row in findings}
    passed = [r for r in outcomes if r["rule_id"] not in hit and r["n_pass"]]
    partly = [r["rule_id"] for r in passed if r["n_open"]]
    whole = [r["rule_id"] for r in passed if not r["n_open"]]
    silent = [r["rule_id"] for r in outcomes if r["rule_id"] not in hit and not r["n_pass"]]
    step = Step(
        f"{AUDIT_MARK}所据 {len(places)} 个单元格({periods[0]} 至 {periods[-1]})"
        f"涉及的审核规则 {len(hit | {r['rule_id'] for r in outcomes})} 条,"
        f"在这些单元格上发现问题的 {len(hit)} 条"
    )
    said = {"通过": whole, "通过(部分单位缺数,无法判断)": partly, "各单位均无法判断": silent}
    step.parts = [Step(f"{word}:{'、'.join(names)}") for word, names in said.items() if names]
    step.parts += [_finding(row) for row in findings[:SHOWN_FINDINGS]]
    if len(findings) > SHOWN_FINDINGS:
        step.parts.append(Step(f"……另有 {len(findings) - SHOWN_FINDINGS} 个问题"))
    return step


_OUTCOMES = """
SELECT
    rule_id,
    sum(n_pass) AS n_pass,
    sum(n_not_evaluable + n_error) AS n_open
FROM quality.rule_outcome
WHERE list_contains($periods::VARCHAR[], period) AND list_contains($rules::VARCHAR[], rule_id)
GROUP BY rule_id
ORDER BY rule_id
"""

_FINDINGS = """
WITH place AS (
    SELECT
        unnest($files::VARCHAR[]) AS submission_id,
        unnest($sheets::VARCHAR[]) AS sheet,
        unnest($addresses::VARCHAR[]) AS address
),
rests_on AS (
    SELECT finding_id FROM quality.finding_cell JOIN place USING (submission_id, sheet, address)
    UNION
    SELECT finding_id FROM quality.finding JOIN place USING (submission_id, sheet, address)
)
SELECT rule_id, severity, lifecycle, file_name, sheet, address, message
FROM quality.finding
WHERE finding_id IN (SELECT finding_id FROM rests_on)
    AND outcome = 'fail' AND lifecycle <> 'resolved'
ORDER BY severity, rule_id, finding_id
"""
_SEVERITIES = {"error": "错误", "verify": "核实", "hint": "提示"}
_LIFECYCLES = {"new": "新发现", "persisting": "仍存在", "waived": "已豁免"}


def _finding(row: Mapping[str, Any]) -> Step:
    severity = _SEVERITIES.get(row["severity"], row["severity"])
    lifecycle = _LIFECYCLES.get(row["lifecycle"], row["lifecycle"] or "—")
    return Step(f"问题 {row['rule_id']}({severity},{lifecycle}):{row['message']}")


def plain(value: object) -> str:
    """A number without idle zeros; — for none."""
    if value is None:
        return "—"
    text = f"{value:f}" if hasattr(value, "as_tuple") else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def words_of(key: Mapping[str, Any]) -> str:
    """A key in words."""
    return " ".join(f"{name}={value}" for name, value in sorted(key.items()))
