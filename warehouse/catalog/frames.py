"""Rows of the dims tables from the catalogue: plain dicts by column name.

Belongs here: which field of an item goes into which column. Does not belong here: writing rows, or
any database import. Every dictionary column of a table is filled; the further keys named in each
function are additions that the store ignores until the dictionary has a column for them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from warehouse.catalog import derivation_rows

if TYPE_CHECKING:
    from warehouse.catalog.load import Catalog
    from warehouse.catalog.models import Document, Indicator, RegisterRow, Target

Row = dict[str, Any]

ALWAYS = date(1900, 1, 1)
"""``valid_from`` of a register row that gives none: it has held as long as we know."""


def dimension_rows(catalog: Catalog) -> dict[str, list[Row]]:
    """Rows by table name (without the ``dims.`` schema) of every table the catalogue fills."""
    return {name: rows(catalog) for name, rows in _TABLES.items()}


def park_rows(catalog: Catalog) -> list[Row]:
    """dims.park, one row per validity interval; also ``aliases`` (``;``-separated) and ``note``."""
    return [
        {
            **_interval(park),
            "park_id": park.park_id,
            "name": park.name,
            "short_name": park.short_name or park.name,
            "county_code": park.county_code or None,
            "city_code": park.city_code or None,
            "province_code": park.province_code or None,
            "kind": park.kind or None,
            "level": park.level or None,
            "class_id": park.class_id or None,
            "is_key": park.is_key,
            "is_demonstration": park.is_demonstration,
            "status": park.status or None,
            "home_county_code": park.home_county_code or None,
            "host_county_code": park.host_county_code or None,
            "simulated": park.simulated,
            "merged_into": park.merged_into or None,
            "aliases": ";".join(park.aliases),
            "note": park.note,
        }
        for park in sorted(catalog.parks, key=lambda p: (p.park_id, p.valid_from or ALWAYS))
    ]


def indicator_rows(catalog: Catalog) -> list[Row]:
    """dims.indicator, those accepted layouts add included; also ``core``, ``group``, ``note``."""
    return [_indicator_row(item, catalog) for item in catalog.known_indicators]


def _indicator_row(item: Indicator, catalog: Catalog) -> Row:
    how, where = derivation_rows.obtained(item)
    return {
        "indicator_id": item.indicator_id,
        "name_zh": item.name_zh,
        "name_en": item.name_en,
        "unit": item.unit,
        "kind": item.kind,
        "over_time": item.over_time,
        "aggregation": item.aggregation,
        "better": item.better,
        "formula": item.formula,
        "decimals": item.decimals,
        "obtained": how,
        "obtained_from": where,
        "counted": item.counted,
        "non_negative": item.non_negative,
        "definition": item.definition or None,
        "core": item.core,
        "group": item.group,
        "note": item.note,
        **derivation_rows.growth_columns(item, catalog.growth_rules),
    }


def document_rows(catalog: Catalog) -> list[Row]:
    """dims.document; ``issued`` falls back to the day of publication; also ``note``."""
    return [
        {
            "document_id": item.document_id,
            "doc_no": item.doc_no,
            "title": item.title,
            "issuer": item.issuer,
            "issued": _issued(item),
            "plan_from": item.plan_from,
            "plan_to": item.plan_to,
            "region_code": item.region_code,
            "level": item.level,
            "note": item.note,
        }
        for item in catalog.documents
    ]


def _issued(document: Document) -> str:
    if document.issued is not None:
        return document.issued.isoformat()
    return f"{document.known_since.isoformat()}（公布日期）"


def target_rows(catalog: Catalog) -> list[Row]:
    """dims.target; also ``document_id``, ``class``, ``subject``, ``indicator_name``, ``value_max``,
    ``tolerance``, ``needs``, ``interpretation``, ``ambiguity``, ``restates``."""
    documents = {item.document_id: item for item in catalog.documents}
    return [_target_row(item, documents[item.document_id]) for item in catalog.targets]


def _target_row(target: Target, document: Document) -> Row:
    first, last = target.period.span(document)
    return {
        "target_id": target.target_id,
        "doc_no": document.doc_no,
        "clause": target.clause,
        "quote": target.quote,
        "scope_level": target.scope_level,
        "scope_code": target.scope_code,
        "indicator_id": target.indicator_id,
        "kind": target.kind,
        "comparator": target.comparator,
        "value": target.value,
        "unit": target.unit,
        "baseline_value": target.baseline.value if target.baseline else None,
        "period_from": first,
        "period_to": last,
        "strength": target.strength,
        "progress_method": target.progress_method,
        "computable": target.computable,
        "document_id": target.document_id,
        "class": target.cls,
        "subject": target.subject,
        "indicator_name": target.indicator_name,
        "value_max": target.value_max,
        "tolerance": target.tolerance,
        "needs": target.needs,
        "interpretation": target.interpretation,
        "ambiguity": target.ambiguity,
        "restates": target.restates,
    }


def region_rows(catalog: Catalog) -> list[Row]:
    """dims.region; also ``note``."""
    return [
        {
            **_interval(region),
            "code": region.code,
            "name": region.name,
            "level": region.level,
            "parent": region.parent,
            "successor": region.successor,
            "note": region.note,
        }
        for region in sorted(catalog.regions, key=lambda r: (r.code, r.valid_from or ALWAYS))
    ]


def reporter_rows(catalog: Catalog) -> list[Row]:
    """dims.reporter; also ``short_name``. E-mail addresses stay out of the warehouse."""
    return [
        {
            **_interval(item),
            "reporter": item.reporter_id,
            "name": item.name,
            "region_code": item.region_code or None,
            "source_id": item.source_id or None,
            "short_name": item.short_name or item.name,
        }
        for item in sorted(catalog.reporters, key=lambda r: (r.reporter_id, r.valid_from or ALWAYS))
    ]


def _interval(row: RegisterRow) -> Row:
    return {"valid_from": row.valid_from or ALWAYS, "valid_to": row.valid_to}


_TABLES: dict[str, Callable[[Catalog], list[Row]]] = {
    "park": park_rows,
    "indicator": indicator_rows,
    "document": document_rows,
    "target": target_rows,
    "region": region_rows,
    "reporter": reporter_rows,
    "scope_break": derivation_rows.break_rows,
    "enclave_share": derivation_rows.share_rows,
}
