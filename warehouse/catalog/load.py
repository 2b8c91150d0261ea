"""Loads the catalogue: shipped files, overridden by a workspace's own, checked as a whole.

Belongs here: which folders are read, merging by id, validation, the loaded ``Catalog`` with its
look-ups and digests. Does not belong here: reading a file (``files``), rules within an item
(``models``) or between items (``checks``).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from warehouse.catalog import models
from warehouse.catalog.checks import Loaded, cross_check
from warehouse.catalog.files import KINDS, Kind, RawFiles, RawItem, read_folder
from warehouse.catalog.models import (
    Audience,
    Conflict,
    Document,
    Indicator,
    Park,
    Region,
    Reporter,
    Source,
    Target,
    period_end,
)
from warehouse.catalog.problems import CatalogError, CatalogProblem, Origin, validation_problems
from warehouse.catalog.text import label_key

if TYPE_CHECKING:
    from warehouse.catalog.derivations import EnclaveShare, GrowthRule, ScopeBreak
    from warehouse.catalog.filing import CalendarYear, ReminderStage, TriagePolicy
    from warehouse.catalog.layouts import Layout
    from warehouse.catalog.light_rules import LightRuleItem
    from warehouse.catalog.outcomes import Goal, Outcome
    from warehouse.catalog.rules import ReferenceFigure, Rule
    from warehouse.catalog.schemes import Scheme
    from warehouse.catalog.screens import Screen

__all__ = ["Catalog", "CatalogError", "load_catalog"]

SHIPPED = Path(os.environ.get("PARKWATCH_SHIPPED_CATALOG") or Path(__file__).resolve().parent)
"""Shipped catalogues; the environment names a kept copy when an old edition is made again."""
NO_BASE = "none"
_COMMON = "common"

# Kind → module and class of its model; modules outside `models` are imported when first needed.
_MODELS: Mapping[str, tuple[str, str]] = {
    "dimensions": ("models", "Dimension"),
    "units": ("models", "Unit"),
    "symbols": ("models", "Symbols"),
    "indicators": ("models", "Indicator"),
    "documents": ("models", "Document"),
    "targets": ("models", "Target"),
    "conflicts": ("models", "Conflict"),
    "light_rules": ("light_rules", "LightRuleItem"),
    "schemes": ("schemes", "Scheme"),
    "screens": ("screens", "Screen"),
    "rules": ("rules", "Rule"),
    "layouts": ("layouts", "Layout"),
    "sources": ("models", "Source"),
    "audiences": ("models", "Audience"),
    "triage": ("filing", "TriagePolicy"),
    "calendar": ("filing", "CalendarYear"),
    "reminders": ("filing", "ReminderStage"),
    "regions": ("models", "Region"),
    "parks": ("models", "Park"),
    "reporters": ("models", "Reporter"),
    "outcomes": ("outcomes", "Outcome"),
    "assessment_goals": ("outcomes", "Goal"),
    "references": ("rules", "ReferenceFigure"),
    "breaks": ("derivations", "ScopeBreak"),
    "growth_rules": ("derivations", "GrowthRule"),
    "enclave_shares": ("derivations", "EnclaveShare"),
}
_READING = (
    "dimensions",
    "units",
    "symbols",
    "indicators",
    "layouts",
    "sources",
    "regions",
    "parks",
    "reporters",
)
# Who receives mail and how a file is fetched are no rules: they do not change what a bulletin
# rests on.
_NOT_RULES: Mapping[str, set[str]] = {
    "reporters": {"email"},
    "audiences": {"recipients"},
    "sources": {"http", "resubmit_workdays"},
}
_NEVER_RULES = {"reminders"}

_T = TypeVar("_T")


class UnknownIdError(KeyError):
    """A look-up of an id the catalogue does not have; the message is Chinese."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, eq=False)
class Catalog:
    """Everything the catalogue says, validated and consistent. Items keep the order of their files.

    A catalogue equals only itself; compare digests to compare contents. Dates are half-open: a
    register row holds on ``valid_from`` and no longer on ``valid_to``.
    """

    indicators: tuple[Indicator, ...] = ()
    documents: tuple[Document, ...] = ()
    targets: tuple[Target, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    light_rules: tuple[LightRuleItem, ...] = ()
    schemes: tuple[Scheme, ...] = ()
    screens: tuple[Screen, ...] = ()
    rules: tuple[Rule, ...] = ()
    layouts: tuple[Layout, ...] = ()
    sources: tuple[Source, ...] = ()
    audiences: tuple[Audience, ...] = ()
    regions: tuple[Region, ...] = ()
    parks: tuple[Park, ...] = ()
    reporters: tuple[Reporter, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    assessment_goals: tuple[Goal, ...] = ()
    references: tuple[ReferenceFigure, ...] = ()
    triage: tuple[TriagePolicy, ...] = ()
    calendar: tuple[CalendarYear, ...] = ()
    reminders: tuple[ReminderStage, ...] = ()
    breaks: tuple[ScopeBreak, ...] = ()
    growth_rules: tuple[GrowthRule, ...] = ()
    enclave_shares: tuple[EnclaveShare, ...] = ()
    dimensions: tuple[models.Dimension, ...] = ()
    units: tuple[models.Unit, ...] = ()
    symbols: tuple[models.Symbols, ...] = ()
    reference_schemes: tuple[Scheme, ...] = ()
    """Published schemes kept to start from; no part of the rules until one is set active."""
    _by_id: dict[str, dict[str, Any]] = field(default_factory=dict, init=False, repr=False)

    # --- look-ups by id; each raises UnknownIdError ---

    def indicator(self, indicator_id: str) -> Indicator:
        """The indicator with this id."""
        return self._find("indicators", indicator_id, self.indicators, "indicator_id")

    def document(self, document_id: str) -> Document:
        """The document with this id."""
        return self._find("documents", document_id, self.documents, "document_id")

    def target(self, target_id: str) -> Target:
        """The target with this id."""
        return self._find("targets", target_id, self.targets, "target_id")

    def scheme(self, scheme_id: str) -> Scheme:
        """The scheme with this id."""
        return self._find("schemes", scheme_id, self.schemes, "scheme_id")

    def layout(self, layout_id: str) -> Layout:
        """The layout with this id."""
        return self._find("layouts", layout_id, self.layouts, "layout_id")

    def source(self, source_id: str) -> Source:
        """The source with this id."""
        return self._find("sources", source_id, self.sources, "source_id")

    def audience(self, audience_id: str) -> Audience:
        """The audience with this id."""
        return self._find("audiences", audience_id, self.audiences, "audience_id")

    def _find(self, kind: str, wanted: str, items: Iterable[_T], key: str) -> _T:
        if kind not in self._by_id:
            self._by_id[kind] = {getattr(item, key): item for item in items}
        try:
            found: _T = self._by_id[kind][wanted]
        except KeyError:
            zh = next(k.zh for k in KINDS if k.name == kind)
            raise UnknownIdError(f"目录中没有{zh} {wanted}") from None
        return found

    # --- what holds when ---

    def parks_on(self, day: date) -> tuple[Park, ...]:
        """The register row of every park that exists on ``day``, ordered by park id."""
        return tuple(
            sorted((p for p in self.parks if p.holds_on(day)), key=lambda park: park.park_id)
        )

    def parks_in(self, period: str) -> tuple[Park, ...]:
        """The register row of every park that exists on the last day of ``period`` (YYYY-MM)."""
        return self.parks_on(period_end(period))

    def park_history(self, park_id: str) -> tuple[Park, ...]:
        """All rows of a park, earliest first. Raises UnknownIdError."""
        rows = [park for park in self.parks if park.park_id == park_id]
        if not rows:
            raise UnknownIdError(f"园区登记中没有 {park_id}")
        return tuple(sorted(rows, key=lambda row: row.valid_from or date.min))

    def regions_on(self, day: date) -> dict[str, Region]:
        """Divisions by code as they are on ``day``."""
        return {region.code: region for region in self.regions if region.holds_on(day)}

    def reporters_on(self, day: date) -> tuple[Reporter, ...]:
        """Reporters in office on ``day``, ordered by id."""
        rows = (reporter for reporter in self.reporters if reporter.holds_on(day))
        return tuple(sorted(rows, key=lambda row: row.reporter_id))

    def parks_of(self, reporter: Reporter, day: date) -> tuple[Park, ...]:
        """Parks a reporter answers for on ``day``."""
        return tuple(p for p in self.parks_on(day) if p.counting_county == reporter.region_code)

    # --- relations ---

    def targets_of(self, indicator_id: str) -> tuple[Target, ...]:
        """Targets that rest on an indicator, as figure, threshold or benchmark."""
        return tuple(t for t in self.targets if indicator_id in _indicators_of(t))

    def conflicts_of(self, target_id: str) -> tuple[Conflict, ...]:
        """Contradictions a target takes part in."""
        return tuple(c for c in self.conflicts if target_id in c.target_ids)

    @cached_property
    def known_indicators(self) -> tuple[Indicator, ...]:
        """Indicators of the catalogue, then those accepted layouts add; the catalogue's win."""
        found = {indicator.indicator_id: indicator for indicator in self.indicators}
        for layout in self.layouts:
            for new in layout.new_indicators if layout.status == "accepted" else ():
                found.setdefault(new.indicator_id, new)
        return tuple(found.values())

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """``label_key`` of every exact label → indicator id."""
        return {label_key(label): i.indicator_id for i in self.indicators for label in i.labels}

    @cached_property
    def suggestions(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """``label_key`` of a label of another scope → (indicator id, what differs), to be asked."""
        found: dict[str, tuple[tuple[str, str], ...]] = {}
        for indicator in self.indicators:
            for suggestion in indicator.suggestions:
                key = label_key(suggestion.label)
                found[key] = (*found.get(key, ()), (indicator.indicator_id, suggestion.note))
        return found

    def units_mapping(self) -> dict[str, list[dict[str, Any]]]:
        """Dimensions and units as plain data, in the form of ``units.yaml``."""
        return {
            "dimensions": [item.model_dump() for item in self.dimensions],
            "units": [item.model_dump() for item in self.units],
        }

    def symbols_mapping(self) -> dict[str, list[dict[str, Any]]]:
        """Symbol styles as plain data, in the form of ``symbols.yaml``."""
        return {"symbols": [item.model_dump(exclude_unset=True) for item in self.symbols]}

    # --- digests ---

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the content of all rules: the rules digest printed on bulletins.

        Independent of file names, order of items, platform; e-mail addresses are left out.
        """
        return self._digest_of([kind.name for kind in KINDS if kind.name not in _NEVER_RULES])

    @cached_property
    def reading_digest(self) -> str:
        """SHA-256 over what decides how a file is read: units, labels, layouts, registers."""
        return self._digest_of(_READING)

    def items_by_id(self) -> dict[tuple[str, str], str]:
        """Every item in one canonical writing, by (kind, id): what versions are compared by."""
        found: dict[tuple[str, str], str] = {}
        for kind in KINDS:
            for item in getattr(self, kind.name):
                data = item.model_dump(by_alias=True, exclude_defaults=True)
                key = f"{getattr(item, kind.key, '')}"
                if kind.register:
                    key += f" {data.get('valid_from') or ''}"
                found[kind.zh, key.strip()] = _json(_plain(data))
        return found

    def _digest_of(self, kinds: Iterable[str]) -> str:
        content = {kind: self._canonical(kind) for kind in sorted(kinds)}
        return hashlib.sha256(_json(content).encode()).hexdigest()

    def _canonical(self, kind: str) -> list[str]:
        left_out = _NOT_RULES.get(kind, set())
        return sorted(
            _json(_plain(item.model_dump(by_alias=True, exclude_defaults=True, exclude=left_out)))
            for item in getattr(self, kind)
        )


def _indicators_of(target: Target) -> set[str]:
    found = {target.indicator_id, *target.also}
    if target.threshold:
        found.add(target.threshold.indicator_id)
    if target.benchmark:
        found.add(target.benchmark.indicator_id)
    return found


def _plain(value: Any) -> Any:
    """Plain data with one writing for equal values: 5.0 and 5 are the same figure."""
    match value:
        case Decimal():
            return format(value.normalize(), "f")
        case Mapping():
            return {str(_plain(key)): _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case set() | frozenset():
            return sorted(_plain(inner) for inner in value)
        case date():
            return value.isoformat()
    return value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


# --- Loading --------------------------------------------------------------------------------------


def load_catalog(
    workspace_catalog: Path | None = None,
    base: str = "china_parks",
    shipped: Path = SHIPPED,
) -> Catalog:
    """The catalogue of a workspace: shipped ``common`` and ``base`` folders, then its own files.

    A workspace item with the id of a shipped one overrides the fields it gives; ``remove: true``
    takes the shipped item out; register rows of an id replace all shipped rows of that id. ``base``
    ``none`` starts with units and symbols only. Raises ``CatalogError`` with every problem found.
    ``shipped`` names a kept copy of the shipped folders.
    """
    read = _read_layers(workspace_catalog, base, shipped)
    problems = list(read.problems)
    loaded = Loaded()
    for kind in KINDS:
        raw = [item for item in read.items if item.kind is kind]
        _validate(kind, raw, loaded, problems)
    problems += cross_check(loaded)
    if problems:
        raise CatalogError(problems)
    fields = {kind.name: tuple(loaded.all(kind.name)) for kind in KINDS}
    schemes = fields.pop("schemes")
    return Catalog(
        **fields,
        schemes=tuple(one for one in schemes if one.status == "active"),
        reference_schemes=tuple(one for one in schemes if one.status == "reference"),
    )


def _read_layers(workspace_catalog: Path | None, base: str, root: Path) -> RawFiles:
    """Shipped and workspace items merged into one list."""
    shipped = [_COMMON] if base == NO_BASE else [_COMMON, base]
    merged = RawFiles()
    for name in shipped:
        folder = root / name
        if not (folder.is_dir() and (name == _COMMON or name in _bases(root))):
            known = "、".join([*_bases(root), NO_BASE])
            merged.problem(Origin("parkwatch.toml"), "没有这个内置目录", found=name, expected=known)
            continue
        _merge(merged, read_folder(folder, f"内置目录/{name}"))
    if workspace_catalog is not None and workspace_catalog.is_dir():
        _merge(merged, read_folder(workspace_catalog, workspace_catalog.name))
    return merged


def _bases(root: Path) -> list[str]:
    return sorted(p.parent.name for p in root.glob("*/indicators.yaml"))


def _merge(below: RawFiles, layer: RawFiles) -> None:
    """Put a layer over what has been read so far."""
    below.problems += layer.problems
    rows, blocks = _split(layer.items)
    replaced = {(item.kind.name, item.key) for item in rows}
    kept = [item for item in below.items if (item.kind.name, item.key) not in replaced]
    places = {(i.kind.name, i.key): n for n, i in enumerate(kept) if not i.kind.register}
    fresh: dict[tuple[str, str], Origin] = {}
    removed: set[tuple[str, str]] = set()
    for item in blocks:
        place = (item.kind.name, item.key)
        if place in fresh:
            below.problem(
                item.origin, f"{item.kind.zh}编号重复", found=item.key,
                expected=f"另一处在 {fresh[place]}", remedy="删去其一，或改用新编号",
            )  # fmt: skip
            continue
        fresh[place] = item.origin
        _place(item, kept, places, removed, below)
    below.items = [i for i in kept if (i.kind.name, i.key) not in removed] + rows


def _split(items: Iterable[RawItem]) -> tuple[list[RawItem], list[RawItem]]:
    """Register rows, other items."""
    rows: list[RawItem] = []
    blocks: list[RawItem] = []
    for item in items:
        (rows if item.kind.register else blocks).append(item)
    return rows, blocks


def _place(
    item: RawItem,
    kept: list[RawItem],
    places: dict[tuple[str, str], int],
    removed: set[tuple[str, str]],
    below: RawFiles,
) -> None:
    """Add an item, or lay its fields over the one with the same id, or take that one out."""
    place = (item.kind.name, item.key)
    known = places.get(place)
    if item.fields.get("remove") is True:
        if known is None:
            below.problem(item.origin, f"要移除的{item.kind.zh}不存在", found=item.key)
        removed.add(place)
    elif known is None:
        places[place] = len(kept)
        kept.append(item)
    else:
        fields = {**kept[known].fields, **item.fields}
        kept[known] = RawItem(item.kind, item.key, fields, item.origin)


def _validate(
    kind: Kind, raw: Iterable[RawItem], loaded: Loaded, problems: list[CatalogProblem]
) -> None:
    """Validate the items of a kind; keep what is valid and remember every id written."""
    model: type[BaseModel] | None = None
    for item in raw:
        model = model or _model(kind.name)
        loaded.written.setdefault(kind.name, set()).add(item.key)
        loaded.origins[(kind.name, item.key)] = item.origin
        try:
            valid = model.model_validate(item.fields)
        except ValidationError as error:
            problems += validation_problems(error, model, item.origin, f"{kind.zh} {item.key}")
            continue
        loaded.items.setdefault(kind.name, []).append(valid)
        loaded.row_origins[id(valid)] = item.origin


def _model(kind: str) -> type[BaseModel]:
    module, name = _MODELS[kind]
    found: type[BaseModel] = getattr(import_module(f"warehouse.catalog.{module}"), name)
    return found
