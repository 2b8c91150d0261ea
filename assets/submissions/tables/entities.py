"""The register of monitored units: which park a name in a file means, at a period, for a reporter.

Belongs here: exact look-up by id, name, short name and alias with validity, unique long/short forms
of park kinds, ranked suggestions, and whether sender, file name and register agree. Does not
belong here: applying a suggestion (nothing is ever matched by resemblance), or reading files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from assets.submissions.tables.grid import squeeze
from assets.submissions.tables.heads import resemblance
from warehouse.catalog.models import period_end

if TYPE_CHECKING:
    from warehouse.catalog.models import Park, Region, RegisterRow, Reporter

How = Literal["id", "name", "alias", "form", "former", "unknown", "ambiguous", "not_valid"]


@dataclass(frozen=True, slots=True)
class ParkSuggestion:
    """A registered park whose name resembles the one asked for. Never applied."""

    park_id: str
    name: str
    score: float


@dataclass(frozen=True, slots=True)
class EntityMatch:
    """Answer of the register. ``park_id`` is set only for exact answers (id, name, alias, form,

    former). ``name`` is the registered name of the match; ``suggestions`` go to the finding.
    """

    how: How
    park_id: str | None = None
    name: str = ""
    suggestions: tuple[ParkSuggestion, ...] = field(default=())


_ORDINAL = re.compile(r"^(?:[(]?[一二三四五六七八九十]+[)、.]|[(]\d+[)]|\d{1,3}[、.)](?=\D))+")
_TAIL = re.compile(r"(?:[①-⑳*※†]+|\[\d+\]|\(模拟\)|\((?:国家|省|市|县|区)级\))$")
_UNSAID = dict.fromkeys(map(ord, "“”\"'‘’·•,、:-—–"))
_FORMS = (
    ("高新技术产业开发区", "高新区"),
    ("高新技术开发区", "高新区"),
    ("经济技术开发区", "经开区"),
    ("经济开发区", "经开区"),
    ("县域工业集中区", "集中区"),
    ("工业集中区", "集中区"),
    ("产业集中区", "集中区"),
    ("产业集聚区", "集聚区"),
    ("循环经济产业园区", "循环园"),
    ("循环经济产业园", "循环园"),
    ("工业园区", "工业园"),
    ("产业园区", "产业园"),
    ("科技产业园", "科技园"),
    ("管理委员会", ""),
    ("管委会", ""),
)


@lru_cache(maxsize=16384)
def entity_key(text: str) -> str:
    """How names of parks are compared: half-width, no space, numbering, quotes or footnote mark."""
    plain = _ORDINAL.sub("", squeeze(text))
    while (shorter := _TAIL.sub("", plain)) != plain:
        plain = shorter
    return plain.translate(_UNSAID).casefold()


@lru_cache(maxsize=16384)
def form_key(text: str) -> str:
    """`entity_key` with the long forms of park kinds shortened (高新技术产业开发区 → 高新区)."""
    plain = entity_key(text)
    for long, short in _FORMS:
        plain = plain.replace(long, short)
    return plain


_last_day = lru_cache(maxsize=1024)(period_end)


def holds(row: RegisterRow, period: str | None) -> bool:
    """Whether a register row holds on the period's last day (``None``: at any time)."""
    return period is None or row.holds_on(_last_day(period))


MOST_REGION_NAME = 15
"""Characters of the longest name of a division (克孜勒苏柯尔克孜自治州 …) that may stand before a name."""


@dataclass(slots=True)
class _Entry:
    park: Park
    names: dict[str, How]


class Register:
    """Parks, reporters and regions of a workspace, ready for look-ups.

    ``resolve`` and ``scope`` are memoised by their arguments; the rows themselves never change.
    """

    def __init__(
        self,
        parks: Iterable[Park],
        reporters: Iterable[Reporter] = (),
        regions: Iterable[Region] = (),
    ) -> None:
        self._entries = [_Entry(park, _names(park)) for park in parks]
        self._reporters = list(reporters)
        self._regions = {region.code: region for region in regions}
        self._current: dict[str | None, str] = {}
        self._by_key: dict[str, list[_Entry]] = {}
        self._forms: dict[str, list[_Entry]] | None = None
        self._region_codes: dict[str, set[str]] | None = None
        for entry in self._entries:
            for key in entry.names:
                self._by_key.setdefault(key, []).append(entry)
        self._by_region: dict[str, list[_Entry]] = {}
        for entry in self._entries:
            for code in {self.current_code(code) for code in entry.park.region_codes}:
                self._by_region.setdefault(code, []).append(entry)
        self._rows_of: dict[str, list[Reporter]] = {}
        self._reporters_called: dict[str, list[Reporter]] = {}
        for reporter in self._reporters:
            self._rows_of.setdefault(reporter.reporter_id, []).append(reporter)
            for name in self._reporter_names(reporter):
                self._reporters_called.setdefault(name, []).append(reporter)
        self.reporter_ids = frozenset(self._rows_of)
        self._name_lengths = sorted({len(name) for name in self._reporters_called})
        self._memo: dict[tuple[str, str | None, str | None], EntityMatch] = {}
        self._scopes: dict[tuple[str, str | None], frozenset[str]] = {}
        self._named: dict[tuple[str, str | None], tuple[str, ...]] = {}
        self._valid_rows: dict[tuple[str, str | None], Reporter | None] = {}

    @property
    def _by_form(self) -> dict[str, list[_Entry]]:
        """Entries by the short form of their names, made for the first name that is not exact."""
        if self._forms is None:
            self._forms = {}
            for entry in self._entries:
                for form in {form_key(key) for key in entry.names}:
                    self._forms.setdefault(form, []).append(entry)
        return self._forms

    def __len__(self) -> int:
        return len({entry.park.park_id for entry in self._entries})

    # --- parks -------------------------------------------------------------------------------

    def resolve(
        self, text: str, period: str | None = None, region: str | None = None
    ) -> EntityMatch:
        """Which park a name means at a period. ``region`` (a code) decides between namesakes.

        Exact only: id, registered name, short name, alias; the long or short form of the park's
        kind when that is unique; a name behind the regions the park lies in; a name the same park bore
        at another time (``former``).
        """
        memo = (text, period, region)
        match = self._memo.get(memo)
        if match is None:
            match = self._memo[memo] = self._resolve(entity_key(text), text, period, region)
        return match

    def _resolve(self, key: str, text: str, period: str | None, region: str | None) -> EntityMatch:
        found = self._by_key.get(key, [])
        valid = [entry for entry in found if self._valid(entry, period)]
        if valid:
            return self._one(valid, key, region)
        if found:
            return self._former(found, period, region)
        forms = [e for e in self._by_form.get(form_key(text), []) if self._valid(e, period)]
        narrowed = _ids(self._within(forms, region))
        if len(narrowed) == 1 and key:
            entry = self._within(forms, region)[0]
            return EntityMatch("form", entry.park.park_id, entry.park.name)
        if not forms and (placed := self._placed(key, period)) is not None:
            return EntityMatch("form", placed.park_id, placed.name)
        return EntityMatch("unknown", suggestions=self.suggest(text, period, region))

    def _placed(self, key: str, period: str | None) -> Park | None:
        """The park whose name stands behind the regions it lies in (安康市汉滨区…工业园区); ``None`` when a
        region is another park's, or what is left is no park's name."""
        regions: list[set[str]] = []
        while (found := self._leading_region(key)) is not None:
            length, codes = found
            regions.append(codes)
            key = key[length:]
            hits = [e for e in self._by_key.get(key, []) if self._valid(e, period)]
            hits = [e for e in hits if self._lies_in(e.park, regions)]
            if len(_ids(hits)) == 1:
                return hits[0].park
        return None

    def _lies_in(self, park: Park, regions: Iterable[set[str]]) -> bool:
        mine = {self.current_code(code) for code in park.region_codes}
        return all(mine & codes for codes in regions)

    def _leading_region(self, key: str) -> tuple[int, set[str]] | None:
        """(length, codes) of the longest region name a key begins with, when more text follows."""
        if self._region_codes is None:
            self._region_codes = {}
            for region in self._regions.values():
                for name in {entity_key(region.name), _bare(entity_key(region.name))}:
                    code = self.current_code(region.code)
                    self._region_codes.setdefault(name, set()).add(code)
        for length in range(min(len(key) - 3, MOST_REGION_NAME), 1, -1):
            if key[:length] in self._region_codes:
                return length, self._region_codes[key[:length]]
        return None

    def _valid(self, entry: _Entry, period: str | None) -> bool:
        return holds(entry.park, period)

    def _within(self, entries: list[_Entry], region: str | None) -> list[_Entry]:
        if region is None or len(_ids(entries)) <= 1:
            return entries
        inside = [entry for entry in entries if self._in_region(entry.park, region)]
        return inside or entries

    def _one(self, entries: list[_Entry], key: str, region: str | None) -> EntityMatch:
        named = [entry for entry in entries if entry.names[key] in ("id", "name")]
        for group in (named, entries):
            narrowed = self._within(group, region)
            if len(_ids(narrowed)) == 1:
                park = narrowed[0].park
                return EntityMatch(narrowed[0].names[key], park.park_id, park.name)
        return EntityMatch(
            "ambiguous",
            suggestions=tuple(
                ParkSuggestion(entry.park.park_id, entry.park.name, 1.0)
                for entry in sorted(entries, key=lambda e: e.park.park_id)
            ),
        )

    def _former(self, found: list[_Entry], period: str | None, region: str | None) -> EntityMatch:
        """The name belongs to another time: the same park today, or a park that is no more."""
        ids = _ids(self._within(found, region))
        now = [
            entry
            for entry in self._entries
            if entry.park.park_id in ids and self._valid(entry, period)
        ]
        if len(_ids(now)) == 1:
            return EntityMatch("former", now[0].park.park_id, now[0].park.name)
        shown = tuple(ParkSuggestion(e.park.park_id, e.park.name, 1.0) for e in found[:5])
        return EntityMatch("ambiguous" if len(_ids(now)) > 1 else "not_valid", suggestions=shown)

    def suggest(
        self, text: str, period: str | None = None, region: str | None = None, limit: int = 5
    ) -> tuple[ParkSuggestion, ...]:
        """Registered parks whose names resemble the text, the region's own first among equals."""
        key = form_key(text)
        best: dict[str, tuple[float, str]] = {}
        for entry in self._entries:
            if not self._valid(entry, period):
                continue
            score = max(resemblance(key, form_key(name)) for name in entry.names)
            if region is not None and self._in_region(entry.park, region):
                score = min(1.0, score * 1.1)
            known = best.get(entry.park.park_id, (0.0, ""))
            best[entry.park.park_id] = max(known, (score, entry.park.name))
        ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))
        return tuple(
            ParkSuggestion(park_id, name, round(score, 2))
            for park_id, (score, name) in ranked[:limit]
            if score >= 0.35
        )

    def park_in(self, text: str, period: str | None = None) -> str | None:
        """The only park whose registered name, short name or alias stands inside a longer text."""
        plain = entity_key(text)
        hits = [
            (len(key), entry.park.park_id)
            for entry in self._entries
            if self._valid(entry, period)
            for key in entry.names
            if len(key) >= 3 and key in plain
        ]
        longest = max((length for length, _ in hits), default=0)
        ids = {park_id for length, park_id in hits if length == longest}
        return next(iter(ids)) if len(ids) == 1 else None

    # --- regions and reporters ---------------------------------------------------------------

    def current_code(self, code: str | None) -> str:
        """A region code carried forward through its successors (610928 → 610981)."""
        known = self._current.get(code)
        if known is None:
            known = self._current[code] = self._carried_forward(code or "")
        return known

    def _carried_forward(self, current: str) -> str:
        seen: set[str] = set()
        while current in self._regions and current not in seen:
            seen.add(current)
            current = self._regions[current].successor or current
        return current

    def _in_region(self, park: Park, region: str) -> bool:
        wanted = self.current_code(region)
        return any(self.current_code(code) == wanted for code in park.region_codes)

    def region_named(self, text: str) -> str | None:
        """Code of the region a text names (汉滨区, 汉滨, 610902), when only one is so named."""
        key = entity_key(text)
        if key in self._regions:
            return self.current_code(key)
        codes = {
            self.current_code(region.code)
            for region in self._regions.values()
            if key and key in (entity_key(region.name), _bare(entity_key(region.name)))
        }
        return next(iter(codes)) if len(codes) == 1 else None

    def reporter(self, reporter_id: str, period: str | None = None) -> Reporter | None:
        """The reporter's row valid at a period."""
        memo = (reporter_id, period)
        if memo not in self._valid_rows:
            rows = self._rows_of.get(reporter_id, [])
            valid = [r for r in rows if holds(r, period)]
            self._valid_rows[memo] = next(iter(valid or rows), None)
        return self._valid_rows[memo]

    def scope(self, reporter_id: str, period: str | None = None) -> frozenset[str] | None:
        """Parks a reporter may report: those whose home county, city or province is its region.

        ``None`` when the reporter is unknown or has no region (it may report any park).
        """
        reporter = self.reporter(reporter_id, period)
        if reporter is None or not reporter.region_code:
            return None
        key = (reporter.region_code, period)
        if key not in self._scopes:
            self._scopes[key] = frozenset(
                entry.park.park_id
                for entry in self._by_region.get(self.current_code(reporter.region_code), ())
                if self._valid(entry, period)
            )
        return self._scopes[key]

    def reporters_named(self, text: str, period: str | None = None) -> tuple[str, ...]:
        """Reporters whose name, short name or region name stands in a text (a file name, a title).

        The longest names win: 汉阴县 in a text hides 汉阴, and a name inside a longer one is none.
        """
        known = self._named.get((text, period))
        if known is None:
            known = self._named[(text, period)] = self._reporters_in(entity_key(text), period)
        return known

    def _reporters_in(self, plain: str, period: str | None) -> tuple[str, ...]:
        hits = [
            (start, start + length, reporter.reporter_id)
            for length in self._name_lengths
            for start in range(len(plain) - length + 1)
            for reporter in self._reporters_called.get(plain[start : start + length], ())
            if holds(reporter, period) and plain.find(plain[start : start + length]) == start
        ]
        kept = [
            hit
            for hit in hits
            if not any(o[0] <= hit[0] and hit[1] <= o[1] and o[:2] != hit[:2] for o in hits)
        ]
        return tuple(sorted({reporter_id for _, _, reporter_id in kept}))

    def _reporter_names(self, reporter: Reporter) -> set[str]:
        region = self._regions.get(reporter.region_code or "")
        texts = [reporter.name, reporter.short_name or "", region.name if region else ""]
        keys = {entity_key(text) for text in texts if text}
        keys |= {_bare(key) for key in keys}
        keys.add(entity_key(reporter.reporter_id))
        return {key for key in keys if len(key) >= 2}


def _bare(key: str) -> str:
    """A county or city name without its last character 县, 区 or 市 (when two are left)."""
    return key[:-1] if len(key) > 2 and key[-1] in "县区市省" else key


def _names(park: Park) -> dict[str, How]:
    """Keys under which a park is found, the strongest kind of name for each."""
    names: dict[str, How] = {}
    for text in (park.short_name, *park.aliases):
        names[entity_key(text)] = "alias"
    names[entity_key(park.name)] = "name"
    names[entity_key(park.park_id)] = "id"
    names.pop("", None)
    return names


def _ids(entries: list[_Entry]) -> set[str]:
    return {entry.park.park_id for entry in entries}
