"""Which indicators each rule of a catalogue names.

Belongs here: that one question. Does not belong here: compiling or running rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quality.rules.compile import compile_rules

if TYPE_CHECKING:
    from quality.rules.compile import RuleSource


def indicators_of_rules(catalog: RuleSource) -> dict[str, frozenset[str]]:
    """Rule id → indicators its relations use; none for rules about whole files, parks or readings."""
    relations = compile_rules(catalog)
    slots = {slot.number: slot.indicator_id for slot in relations.slots}
    found: dict[str, frozenset[str]] = {r.rule_id: frozenset() for r in relations.reading}
    for relation in relations.relations:
        used = {slots[o.slot] for o in relation.operands if o.slot is not None}
        used |= {*relation.repeated_for, *filter(None, (relation.item, relation.indicator_id))}
        found[relation.rule_id] = found.get(relation.rule_id, frozenset()) | used
    return found
