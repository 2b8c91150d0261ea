"""Rows of the dims tables: every dictionary column filled, values as in the catalogue."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from warehouse import schema
from warehouse.catalog import frames
from warehouse.catalog.load import Catalog, load_catalog
from warehouse.catalog.models import Park, Reporter


@pytest.fixture(scope="module")
def rows():
    shipped = load_catalog(None)
    park = {"park_id": "P2", "name": "甲", "county_code": "610924", "is_key": "1"}
    catalog = Catalog(
        **{
            name: getattr(shipped, name)
            for name in ("indicators", "documents", "targets", "regions")
        },
        parks=(
            Park.model_validate(park | {"valid_from": "2020-01-01"}),
            Park.model_validate(park | {"valid_from": "2018-01-01", "valid_to": "2020-01-01"}),
            Park.model_validate({"park_id": "P1", "name": "乙"}),
        ),
        reporters=(
            Reporter.model_validate(
                {"reporter_id": "r", "name": "某县", "email": "someone@example.invalid"}
            ),
        ),
    )
    return frames.dimension_rows(catalog)


@pytest.mark.parametrize("name", ["park", "indicator", "document", "target", "region", "reporter"])
def test_every_dictionary_column_is_there_and_every_required_one_filled(rows, name):
    table = schema.table(f"dims.{name}")
    assert rows[name]
    for row in rows[name]:
        assert {column.name for column in table.columns} <= row.keys()
        for column in table.columns:
            if column.required:
                assert row[column.name] not in (None, ""), (row, column.name)


@pytest.mark.parametrize("name", ["park", "indicator", "document", "target", "region", "reporter"])
def test_keys_are_unique(rows, name):
    keys = [tuple(row[key] for key in schema.table(f"dims.{name}").key) for row in rows[name]]
    assert len(keys) == len(set(keys))


def test_parks_come_by_id_and_time_with_the_open_past_dated(rows):
    found = [(row["park_id"], row["valid_from"], row["valid_to"]) for row in rows["park"]]
    assert found == [
        ("P1", frames.ALWAYS, None),
        ("P2", date(2018, 1, 1), date(2020, 1, 1)),
        ("P2", date(2020, 1, 1), None),
    ]
    assert rows["park"][1]["is_key"] is True and rows["park"][0]["county_code"] is None


def test_a_target_row_carries_document_span_and_baseline(rows):
    found = {row["target_id"]: row for row in rows["target"]}
    share = found["SN18-1.2-07"]
    assert share["doc_no"] == "陕政办发〔2018〕20号"
    assert (share["period_from"], share["period_to"]) == ("2018-01", "2021-12")
    assert (share["baseline_value"], share["value"], share["unit"]) == (
        Decimal(48),
        Decimal(50),
        "%",
    )
    assert found["SN18-3.21-03"]["value"] is None
    assert found["AK23-2.2-02"]["period_to"] == "2023-12"


def test_a_document_without_a_date_shows_its_publication(rows):
    issued = {row["document_id"]: row["issued"] for row in rows["document"]}
    assert issued["SN18"] == "2018-04-13（公布日期）"
    assert issued["AK18"] == "2018-08-17"


def test_addresses_stay_out_of_the_warehouse(rows):
    assert "example.invalid" not in str(rows)
