"""Who is assessed in which class, and who is listed apart (只考评不排名).

Belongs here: a scheme's list, classes, protection and exclusions applied to the register. Does not
belong here: figures, scores, the last places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assets.assessment.events import Events, standing
from assets.targets.evidence import ACTIVE
from warehouse.catalog.schemes import JOINED

if TYPE_CHECKING:
    from warehouse.catalog.models import Park
    from warehouse.catalog.schemes import Scheme

ONE_CLASS = "全部"


@dataclass(frozen=True, slots=True)
class Register:
    """What the park register, the review of the returns and people say about eligibility.

    ``listed_since``: first year a park was on the list. ``holds``: parks whose data are not
    accepted, with the Chinese reason (漏报、核实未过): listed apart, not ranked. ``events``: confirmed
    events by park.
    """

    listed_since: Mapping[str, int] = field(default_factory=dict)
    holds: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, Events] = field(default_factory=dict)


def classes(scheme: Scheme, parks: Sequence[Park]) -> dict[str, list[Park]]:
    """Parks of the scheme by class of the register, by id. Class ``""``: it does not say."""
    by_class: dict[str, list[Park]] = {}
    for park in sorted(parks, key=lambda one: one.park_id):
        if on_list(scheme, park):
            by_class.setdefault(class_of(scheme, park), []).append(park)
    return by_class


def merged(
    scheme: Scheme, by_class: Mapping[str, list[Park]], asides: Mapping[str, str]
) -> dict[str, list[Park]]:
    """Classes after those with too few parks to rank have joined another, where the scheme says so
    (``asides``: why a park is not ranked; empty when it is)."""
    moved: dict[str, list[Park]] = {}
    for class_id, members in by_class.items():
        ranked = sum(not asides[park.park_id] for park in members)
        small = scheme.classes.when_small == "merge" and ranked < scheme.classes.min_size
        home = scheme.classes.merge_into.get(class_id, class_id) if small else class_id
        moved.setdefault(home, []).extend(members)
    return {
        class_id: sorted(members, key=lambda park: park.park_id)
        for class_id, members in sorted(moved.items())
    }


def on_list(scheme: Scheme, park: Park) -> bool:
    """Whether the scheme is about this park: its region, list and filter; not a closed park."""
    who = scheme.who
    listed = {"key": park.is_key, "demonstration": park.is_demonstration, "all": True}[who.group]
    return (
        listed
        and who.region_code in park.region_codes
        and park.status in ACTIVE
        and (not who.parks or park.park_id in who.parks)
        and (not who.filter or any(one.matches(park) for one in who.filter))
    )


def class_of(scheme: Scheme, park: Park) -> str:
    """Class of a park under the scheme; empty when the register does not say."""
    parts = [str(getattr(park, name)) for name in scheme.classes.attributes]
    if not parts:
        return ONE_CLASS
    return JOINED.join(parts) if all(parts) else ""


def is_new(years: int, listed_since: int | None, year: int) -> bool:
    """Whether a park was listed less than ``years`` full years before the year assessed."""
    return listed_since is not None and year - listed_since < years


def aside(scheme: Scheme, park: Park, year: int, register: Register) -> str:
    """Why a park of the list is not ranked, whatever its figures; empty when it is."""
    since = register.listed_since.get(park.park_id)
    if park.park_id in register.holds:
        return f"数据待核：{register.holds[park.park_id]}"
    if park.park_id in scheme.who.exempt:
        return "只参加考评，不参与排名"
    if is_new(scheme.who.new_park_years, since, year):
        return f"{since}年新列入，保护期内只考评不排名"
    barred = standing(scheme, register.events.get(park.park_id, {}), year).disqualified
    if barred:
        return f"{barred}，取消参评"
    if not class_of(scheme, park):
        return "园区登记未确定考核分组，不排名"
    return ""
