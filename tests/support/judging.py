"""Small worlds to judge and score in: shipped targets by id, made-up parks, figures, units.

Belongs here: builders shared by the tests of targets, assessment and the golden scenarios. Does not
belong here: expectations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from assets.targets.evidence import Area, Evidence, Value, Values, YearEnd, with_inputs
from assets.targets.inputs import NOTHING, Inputs, Known, accepted
from assets.targets.judge import judge_all
from assets.targets.rule import light_rule
from assets.targets.verdict import VerdictRow
from methods.progress import LightRule
from warehouse.catalog.inputs import InputRow
from warehouse.catalog.light_rules import LightRuleItem
from warehouse.catalog.load import load_catalog
from warehouse.catalog.models import Document, Indicator, Park, Target

CHINA_PARKS = Path(__file__).resolve().parents[2] / "warehouse" / "catalog" / "china_parks"

_FACTORS = {
    "万元": ("money", Decimal(1)),
    "亿元": ("money", Decimal(10000)),
    "人": ("person", Decimal(1)),
    "万人": ("person", Decimal(10000)),
    "户": ("count", Decimal(1)),
    "万户": ("count", Decimal(10000)),
    "个": ("count", Decimal(1)),
    "家": ("count", Decimal(1)),
    "万平方米": ("floor", Decimal(1)),
    "公顷": ("land", Decimal(1)),
    "%": ("share", Decimal(1)),
}


def convert(value: Decimal, source: str, wanted: str) -> Decimal:
    """The few units these tests need; ValueError across dimensions, KeyError for unknown units."""
    (kind, factor), (kind_wanted, factor_wanted) = _FACTORS[source], _FACTORS[wanted]
    if kind != kind_wanted:
        raise ValueError(f"{source} → {wanted}")
    return value * factor / factor_wanted


@cache
def _items(name: str) -> list[dict[str, Any]]:
    content = yaml.safe_load((CHINA_PARKS / name).read_text("utf-8"))
    return content if isinstance(content, list) else next(iter(content.values()))


@cache
def documents() -> dict[str, Document]:
    """The shipped policy documents by id."""
    read = [Document.model_validate(item) for item in _items("documents.yaml")]
    return {document.document_id: document for document in read}


@cache
def shipped() -> dict[str, Target]:
    """The shipped targets by id."""
    read = [Target.model_validate(item) for item in _items("targets.yaml")]
    return {target.target_id: target for target in read}


@cache
def indicators() -> dict[str, Indicator]:
    """The shipped indicators by id."""
    files = ("indicators.yaml", "registers.yaml", "external.yaml")
    read = [Indicator.model_validate(item) for name in files for item in _items(name)]
    return {indicator.indicator_id: indicator for indicator in read}


@cache
def rules() -> dict[str, LightRule]:
    """The shipped light rules by id."""
    path = CHINA_PARKS.parent / "common" / "light_rules.yaml"
    read = [LightRuleItem.model_validate(item) for item in yaml.safe_load(path.read_text("utf-8"))]
    return {item.rule_id: light_rule(item) for item in read}


def altered(target_id: str, **changes: Any) -> Target:
    """A shipped target with other values in some fields (numbers as Decimal)."""
    exact = {
        name: Decimal(str(value)) if isinstance(value, (int, float)) else value
        for name, value in changes.items()
    }
    return shipped()[target_id].model_copy(update=exact)


_KINDS = {"inputs": "figure", "quotas": "quota", "ticks": "tick"}


def entered(content: Mapping[str, Any], parks: Sequence[Park] = ()) -> Inputs:
    """Entered rows from the lists ``inputs``, ``quotas`` and ``ticks``, as their files give them."""
    rows = []
    for name, kind in _KINDS.items():
        file = "figures.csv" if kind == "figure" else f"{name}.csv"
        for line, fields in enumerate(content.get(name, []), 2):
            given = {"source": "测试", "entered_by": "测试岗"} | dict(fields)
            for number in ("value", "floor"):
                if number in given:
                    given[number] = Decimal(str(given[number]))
            rows.append(InputRow(file, line, kind, **given))  # type: ignore[arg-type]
    return accepted(rows, known(parks))


def known(parks: Sequence[Park] = ()) -> Known:
    """What entered rows are checked against: the shipped catalogue, the divisions around 安康."""
    catalog = load_catalog(None)
    return Known(
        indicators=indicators(),
        targets=shipped(),
        regions={region.code: region.name for region in catalog.regions},
        parents={region.code: region.parent for region in catalog.regions},
        parks=frozenset(park.park_id for park in parks),
        convert=convert,
    )


def park(park_id: str, **fields: Any) -> Park:
    """A made-up park of Hanbin, Ankang, Shaanxi unless said otherwise."""
    base = {
        "park_id": park_id,
        "name": f"模拟{park_id}园区",
        "county_code": "610902",
        "city_code": "610900",
        "province_code": "610000",
        "is_key": True,
        "simulated": True,
    }
    return Park.model_validate(base | fields)


def value(fields: Any, indicator_id: str) -> Value:
    """A figure from a number, from ``None`` (not filled in), or from a mapping of its fields."""
    unit = indicators()[indicator_id].unit
    if fields is None:
        return Value(None, unit, state="unknown")
    if not isinstance(fields, Mapping):
        return Value(Decimal(str(fields)), unit)
    given = dict(fields)
    for name in ("value", "yoy_pct"):
        if given.get(name) is not None:
            given[name] = Decimal(str(given[name]))
    return Value(**({"value": None, "unit": unit} | given))


def values(table: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], Value]:
    """park → indicator → figure, as the judge takes it."""
    return {
        (park_id, indicator_id): value(figure, indicator_id)
        for park_id, row in table.items()
        for indicator_id, figure in row.items()
    }


def areas(rows: list[Mapping[str, Any]]) -> dict[tuple[str, str, str], Area]:
    """Totals from rows ``{area, indicator, group, value, yoy_pct, n_parks, n_reported}``."""
    found = {}
    for row in rows:
        numbers = {
            name: None if row.get(name) is None else Decimal(str(row[name]))
            for name in ("value", "yoy_pct")
        }
        known = indicators()[row["indicator"]]
        found[(row["area"], row["indicator"], row.get("group", "all"))] = Area(
            numbers["value"],
            row.get("unit", known.unit),
            numbers["yoy_pct"],
            row.get("n_parks"),
            row.get("n_reported"),
        )
    return found


def year_end(content: Mapping[str, Any]) -> YearEnd:
    """A finished year from ``{values: …, areas: …}``."""
    return YearEnd(values(content.get("values", {})), areas(content.get("areas", [])))


def verdicts(
    targets: Sequence[Target],
    parks: Sequence[Park],
    figures: Values,
    period: str,
    *,
    rule: LightRule | None = None,
    inputs: Inputs = NOTHING,
    **known: Any,
) -> list[VerdictRow]:
    """Verdicts as of ``period`` on the figures given; ``known``: more of the evidence (``areas``,
    ``history``, ``regions``, ``documents``)."""
    told = {"documents": documents(), "areas": {}, "history": {}, "regions": {}} | known
    evidence = Evidence(
        period=period,
        parks=tuple(parks),
        values=figures,
        convert=convert,
        indicators=indicators(),
        rule=rule or rules()["recommended"],
        **told,
    )
    return judge_all(list(targets), with_inputs(evidence, inputs))
