"""How each indicator of the catalogue comes by its figures: none is missing in silence."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from warehouse import schema
from warehouse.catalog.derivation_rows import obtained, share_rows
from warehouse.catalog.load import CatalogError, load_catalog

CATALOG = load_catalog(None)
# Beyond the 129 of park statistics: what documents name but nobody reports, and four that formulas need.
BEYOND = {"F13", "M04", "T10", "X33"}
STATISTICS = [i for i in CATALOG.indicators if not i.group and i.indicator_id not in BEYOND]
OTHERS = {
    "computed": {f"X{n:02d}" for n in (*range(1, 18), 20, 25, 30, 31, 32)},
    "judged": {"X18", "X19"},
    "per_figure": {"X21", "X22", "X23", "X24"},
    "register": {"M01"},
    "external": {"T01", "T02", "T03", "T04", "T05", "T06", "T07", "T08a", "T08b", "T08c", "T09"},
}


def test_each_of_the_129_is_obtained_in_one_known_way():
    assert len(STATISTICS) == 129
    found = {how: set() for how in schema.OBTAINED}
    for indicator in STATISTICS:
        found[obtained(indicator)[0]].add(indicator.indicator_id)
    assert {how: ids for how, ids in found.items() if how != "reported"} == OTHERS
    assert len(found["reported"]) == 129 - sum(len(ids) for ids in OTHERS.values())


def test_what_is_computed_per_figure_or_judged_names_a_column_of_the_dictionary():
    for indicator in CATALOG.indicators:
        how, where = obtained(indicator)
        if how in ("judged", "per_figure", "register"):
            table, _, column = where.rpartition(".")
            if column != "parks":  # every row of the register
                assert schema.table(table).column(column)


def test_formulas_rest_on_indicators_that_are_obtained_otherwise():
    for indicator in CATALOG.indicators:
        if indicator.formula_tree is not None:
            assert obtained(indicator)[0] == "computed", indicator.indicator_id


# --- 飞地 shares and growth rules -----------------------------------------------------------------


def catalog_with(tmp_path, shares):
    (tmp_path / "enclave_shares.csv").write_text(
        "region_code,park_id,first_year,last_year,home_share,host_share,source\n" + shares,
        encoding="utf-8",
    )
    (tmp_path / "parks.csv").write_text(
        "park_id,valid_from,name,county_code,city_code,province_code,host_county_code,home_county_code\n"
        "F1,2016-07-01,甲飞地园,610902,610900,610000,610902,610924\n",
        encoding="utf-8",
    )
    return load_catalog(tmp_path)


@pytest.mark.parametrize(
    ("shares", "word"),
    [
        ("610900,,1,5,1,0,甲\n610900,,6,,0.7,0.2,甲\n", "之和应为1"),
        ("610900,,1,5,1,0,甲\n610900,,7,,0.7,0.3,甲\n", "不衔接"),
        ("610900,,1,5,1,0,甲\n610900,,5,,0.7,0.3,甲\n", "不衔接"),
        ("610900,,1,5,1,0,甲\n", "没有终止年"),
        ("610900,F9,1,,1,0,甲\n", "不存在"),
    ],
)
def test_shares_that_do_not_add_up_to_one_on_every_day_are_refused(tmp_path, shares, word):
    with pytest.raises(CatalogError, match=word):
        catalog_with(tmp_path, shares)


def test_shares_of_a_park_add_up_to_one_on_every_day(tmp_path):
    catalog = catalog_with(tmp_path, "610900,,1,5,1,0,甲\n610900,,6,,0.7,0.3,甲\n")
    rows = share_rows(catalog)
    days = sorted({row["valid_from"] for row in rows})
    assert [day.isoformat() for day in days] == ["2016-07-01", "2021-07-01"]
    for day in days:
        now = [r for r in rows if r["valid_from"] <= day and (r["valid_to"] or day.max) > day]
        assert sum(row["share"] for row in now) == 1
        assert len({row["county_code"] for row in now}) == len(now)


def test_a_break_of_an_unknown_indicator_is_refused(tmp_path):
    (tmp_path / "breaks.yaml").write_text(
        "- {break_id: B, period: 2020-02, indicators: [C99], reason: 甲, source: 乙}\n", "utf-8"
    )
    with pytest.raises(CatalogError, match="C99"):
        load_catalog(tmp_path)


def test_indicators_of_accepted_layouts_are_indicators(tmp_path):
    layout = """
layout_id: own
title: 甲
source: s
tables: [{name: 甲, shape: wide, entity: {head: 园区}, period: {from: [title]}, indicators: [Z01]}]
new_indicators:
- {indicator_id: Z01, name_zh: 新指标, unit: 个, kind: stock, over_time: last, aggregation: sum}
"""
    (tmp_path / "layouts").mkdir()
    (tmp_path / "layouts" / "own.yaml").write_text(layout, "utf-8")
    known = load_catalog(tmp_path).known_indicators
    assert known[-1].indicator_id == "Z01" and len(known) == len(CATALOG.indicators) + 1


# --- the one dictionary as a Parquet schema -------------------------------------------------------


@pytest.mark.parametrize("table", schema.TABLES, ids=lambda table: table.full_name)
def test_every_table_has_a_parquet_schema_with_labels(table):
    found = schema.arrow_schema(table.full_name)
    assert found.names == [column.name for column in table.columns]
    for column, field in zip(table.columns, found, strict=True):
        assert field.metadata[b"zh"].decode() == column.zh
        assert field.nullable == (not column.required)
    empty = pa.table({name: [] for name in found.names}).cast(found)
    assert empty.schema.equals(found, check_metadata=False)


def test_a_type_the_dictionary_does_not_know_is_no_arrow_type():
    odd = replace(schema.table("dims.park").columns[0], type="BLOB")
    with pytest.raises(KeyError):
        schema.arrow_type(odd.type)
