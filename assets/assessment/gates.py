"""门槛标准: does a park's figures fulfil the conditions of a gate, and by how it fails, in words.

Belongs here: conditions on figures of a period. Does not belong here: what follows (``grades``,
``elimination``, ``replacement``). A missing figure is neither fulfilled nor failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assets.targets.evidence import Values
    from warehouse.catalog.models import Indicator
    from warehouse.catalog.scheme_rules import Condition, Gate


@dataclass(frozen=True, slots=True)
class GateResult:
    """``passed``: True, False, or ``None`` where missing figures could still decide it."""

    passed: bool | None
    met: int
    failed: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def reason(self) -> str:
        """What failed and what is missing, in Chinese."""
        parts = [f"未达门槛：{'、'.join(self.failed)}" if self.failed else ""]
        parts.append(f"缺数：{'、'.join(self.missing)}" if self.missing else "")
        return "；".join(part for part in parts if part)


def try_gate(
    gate: Gate,
    park_id: str,
    values: Values,
    indicators: Mapping[str, Indicator] | None = None,
    states: tuple[str, ...] = ("reported", "zero", "approximate"),
) -> GateResult:
    """A gate tried on a park's figures of the period."""
    met, failed, missing = 0, [], []
    for one in gate.conditions:
        found = values.get((park_id, one.indicator_id))
        figure = None
        if found is not None and found.state in states and found.basis != "nowcast":
            figure = found.yoy_pct if one.measure == "growth" else found.value
        if figure is None:
            missing.append(_name(one, indicators))
        elif (one.at_least is not None and figure < one.at_least) or (
            one.at_most is not None and figure > one.at_most
        ):
            failed.append(f"{_name(one, indicators)}{figure.normalize():f}{one.unit}")
        else:
            met += 1
    need = gate.need or len(gate.conditions)
    passed = True if met >= need else (None if met + len(missing) >= need else False)
    return GateResult(passed, met, tuple(failed), tuple(missing))


def _name(one: Condition, indicators: Mapping[str, Indicator] | None) -> str:
    known = (indicators or {}).get(one.indicator_id)
    name = known.name_zh if known else one.indicator_id
    return f"{name}增速" if one.measure == "growth" else name
