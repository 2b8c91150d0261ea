"""Tables out of the published warehouse: Parquet, CSV, XLSX and SDMX-CSV files.

Belongs here: writing rows of dictionary tables in formats others read. Does not belong here: which
rows a person may see (audiences), documents (bulletins).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse import partitions, schema

if TYPE_CHECKING:
    import duckdb

FORMATS = ("parquet", "csv", "xlsx", "sdmx-csv")
_CHUNK = 20_000
_SHEET_ROWS = 1_000_000
_EXACT_DIGITS = 15
"""Significant digits a spreadsheet keeps; longer numbers are written as text."""

AGENCY, STRUCTURE, VERSION = "PARKWATCH", "OBSERVATION", "1.0"
SDMX_COLUMNS = {
    "PARK_ID": "park_id",
    "INDICATOR_ID": "indicator_id",
    "MEASURE_TYPE": "measure",
    "TIME_PERIOD": "period",
    "OBS_VALUE": "value",
    "OBS_STATE": "state",
    "MATURITY": "maturity",
    "KNOWN_FROM": "known_from",
}
"""SDMX component → column of observations.observation; the first four are the key."""


def export(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    form: str,
    tables: Sequence[str],
    period: str | None = None,
    *,
    bom: bool = False,
) -> list[Path]:
    """Write these tables (of one period only, where they are kept by period) into ``folder``.

    ``sdmx-csv`` writes the figures known now, with their data structure, whatever ``tables`` says.
    Raises KeyError for a table the dictionary does not have. Returns the files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if form == "sdmx-csv":
        return _sdmx(connection, folder, period)
    written = []
    for name in tables:
        table = schema.table(name)
        path = folder / f"{name}.{form}"
        select = _select(table, period)
        if form == "csv":
            _csv(connection, table, select, path, bom=bom)
        elif form == "xlsx":
            _xlsx(connection, table, select, path)
        else:
            _parquet(connection, select, path)
        written.append(path)
    return written


def _select(table: schema.Table, period: str | None) -> str:
    names = ", ".join(column.name for column in table.columns)
    column = partitions.part_column(table)
    where = f" WHERE {column} = '{period}'" if period and column else ""
    return f"SELECT {names} FROM {table.full_name}{where} ORDER BY {', '.join(table.key)}"


def _chunks(cursor: Any) -> Iterator[list[tuple[Any, ...]]]:
    while rows := cursor.fetchmany(_CHUNK):
        yield rows


def _parquet(connection: duckdb.DuckDBPyConnection, select: str, path: Path) -> None:
    target = str(path).replace("'", "''")
    connection.execute(f"COPY ({select}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")


def _csv(
    connection: duckdb.DuckDBPyConnection,
    table: schema.Table,
    select: str,
    path: Path,
    *,
    bom: bool = False,
) -> None:
    """RFC 4180, UTF-8; with ``bom`` spreadsheets recognise the encoding by themselves."""
    with path.open("w", encoding="utf-8-sig" if bom else "utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\r\n")
        writer.writerow([column.name for column in table.columns])
        for rows in _chunks(connection.execute(select)):
            writer.writerows([[_text(value) for value in row] for row in rows])


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def plain_number(value: Decimal) -> str:
    """A number without exponent or trailing zeros."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def _xlsx(
    connection: duckdb.DuckDBPyConnection, table: schema.Table, select: str, path: Path
) -> None:
    """One workbook, further sheets when one is full. Text stays text: nothing becomes a formula or
    a link, whatever a reporter wrote into a cell."""
    import datetime

    import xlsxwriter  # type: ignore[import-untyped]

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
               "strings_to_numbers": False, "nan_inf_to_errors": False}  # fmt: skip
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": datetime.datetime(2000, 1, 1), "title": table.zh})
        bold = book.add_format({"bold": True})
        sheet, at = None, _SHEET_ROWS + 1
        for rows in _chunks(connection.execute(select)):
            for row in rows:
                if at > _SHEET_ROWS:
                    sheet, at = _new_sheet(book, table, bold), 2
                for place, value in enumerate(row):
                    _write(sheet, at, place, value)
                at += 1
        if sheet is None:
            _new_sheet(book, table, bold)


def _new_sheet(book: Any, table: schema.Table, bold: Any) -> Any:
    number = len(book.worksheets())
    sheet = book.add_worksheet(table.zh[:26] + (f"({number + 1})" if number else ""))
    for place, column in enumerate(table.columns):
        sheet.write_string(0, place, column.zh + (f"({column.unit})" if column.unit else ""), bold)
        sheet.write_string(1, place, column.name, bold)
    sheet.freeze_panes(2, 0)
    return sheet


def _write(sheet: Any, row: int, place: int, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif isinstance(value, int | Decimal) and _fits(value):
        sheet.write_number(row, place, value)
    else:
        sheet.write_string(row, place, _text(value)[:32_767])


def _fits(value: int | Decimal) -> bool:
    digits = plain_number(Decimal(value)).lstrip("-").replace(".", "").strip("0")
    return len(digits) <= _EXACT_DIGITS


# --- SDMX -----------------------------------------------------------------------------------------


def _sdmx(connection: duckdb.DuckDBPyConnection, folder: Path, period: str | None) -> list[Path]:
    """SDMX-CSV 2.0 of the figures known now, and the structure it refers to (SDMX-JSON 2.0)."""
    data, structure = folder / "observation.sdmx.csv", folder / "observation.dsd.json"
    structure.write_text(
        json.dumps(structure_message(), ensure_ascii=False, indent=1), encoding="utf-8"
    )
    names = ", ".join(SDMX_COLUMNS.values())
    where = f" AND period = '{period}'" if period else ""
    cursor = connection.execute(
        f"SELECT {names} FROM observations.observation WHERE known_to IS NULL{where} "
        "ORDER BY park_id, indicator_id, measure, period"
    )
    with data.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\r\n")
        writer.writerow(["STRUCTURE", "STRUCTURE_ID", "ACTION", *SDMX_COLUMNS])
        head = ["datastructure", f"{AGENCY}:{STRUCTURE}({VERSION})", "I"]
        for rows in _chunks(cursor):
            writer.writerows([[*head, *(_sdmx_text(value) for value in row)] for row in rows])
    return [data, structure]


def _sdmx_text(value: Any) -> str:
    return value.isoformat(timespec="seconds") if hasattr(value, "isoformat") else _text(value)


def structure_message() -> dict[str, Any]:
    """The data structure definition, from the column dictionary, as an SDMX-JSON 2.0 message."""
    table = schema.table("observations.observation")
    columns = {concept: table.column(name) for concept, name in SDMX_COLUMNS.items()}
    concepts = [
        {"id": concept, "name": column.zh, "names": {"zh": column.zh},
         "description": column.description, "descriptions": {"en": column.description}}
        for concept, column in columns.items()
    ]  # fmt: skip
    lists: list[dict[str, Any]] = [
        {"id": f"CL_{concept}", "agencyID": AGENCY, "version": VERSION, "name": column.zh,
         "names": {"zh": column.zh},
         "codes": [{"id": code, "name": code, "names": {"zh": code}} for code in column.allowed]}
        for concept, column in columns.items() if column.allowed and column.allowed[0].isascii()
    ]  # fmt: skip
    return {
        "meta": {"id": STRUCTURE, "schema": _JSON_SCHEMA, "prepared": "2000-01-01T00:00:00Z",
                 "sender": {"id": AGENCY}, "contentLanguages": ["zh", "en"]},
        "data": {
            "conceptSchemes": [{"id": "CS", "agencyID": AGENCY, "version": VERSION,
                                "name": "概念", "names": {"zh": "概念"}, "concepts": concepts}],
            "codelists": lists,
            "dataStructures": [{
                "id": STRUCTURE, "agencyID": AGENCY, "version": VERSION, "name": table.zh,
                "names": {"zh": table.zh, "en": table.description},
                "dataStructureComponents": _components({item["id"] for item in lists}),
            }],
        },
    }  # fmt: skip


_JSON_SCHEMA = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/structure-message/tools/schemas/"
    "2.0.0/sdmx-json-structure-schema.json"
)


def _components(lists: set[str]) -> dict[str, Any]:
    def identity(concept: str) -> str:
        return f"urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept={AGENCY}:CS({VERSION}).{concept}"

    def component(concept: str, form: str = "String") -> dict[str, Any]:
        code_list = f"CL_{concept}"
        listed = f"urn:sdmx:org.sdmx.infomodel.codelist.Codelist={AGENCY}:{code_list}({VERSION})"
        representation = (
            {"enumeration": listed} if code_list in lists else {"format": {"dataType": form}}
        )
        return {
            "id": concept,
            "conceptIdentity": identity(concept),
            "localRepresentation": representation,
        }

    attributes = [
        component(concept, form)
        | {
            "usage": usage,
            "attributeRelationship": {"observation": {}},
        }
        for concept, form, usage in (
            ("OBS_STATE", "String", "mandatory"),
            ("MATURITY", "String", "optional"),
            ("KNOWN_FROM", "DateTime", "mandatory"),
        )
    ]
    keys = ("PARK_ID", "INDICATOR_ID", "MEASURE_TYPE")
    return {
        "dimensionList": {
            "id": "DimensionDescriptor",
            "dimensions": [component(c) | {"position": n} for n, c in enumerate(keys, start=1)],
            "timeDimension": {
                "id": "TIME_PERIOD",
                "conceptIdentity": identity("TIME_PERIOD"),
                "localRepresentation": {"format": {"dataType": "ObservationalTimePeriod"}},
            },
        },
        "measureList": {
            "id": "MeasureDescriptor",
            "measures": [component("OBS_VALUE", "Decimal") | {"usage": "optional"}],
        },
        "attributeList": {"id": "AttributeDescriptor", "attributes": attributes},
    }
