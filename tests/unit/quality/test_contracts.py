"""Every promise of the dictionary is a query that finds what breaks it."""

from __future__ import annotations

import pytest

from quality import contracts
from tests.support.warehouse_cases import Case
from warehouse import schema, store

PARK_YEAR = schema.table("indicators.park_year")
GOOD = {"park_id": "P1", "indicator_id": "C01", "year": 2020, "asof_period": "2020-06",
        "basis": "ytd", "state": "reported"}  # fmt: skip


def broken(tmp_path, rows):
    case = Case(tmp_path, [])
    with case.warehouse.building() as connection:
        store.insert_rows(connection, PARK_YEAR.full_name, rows)
        return [
            promise
            for promise, query in contracts.promises(PARK_YEAR)
            if store.fetch(connection, query)
        ]


def test_a_good_table_breaks_nothing(tmp_path):
    assert broken(tmp_path, [GOOD]) == []


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([GOOD, GOOD], "主键"),
        ([GOOD | {"state": "guessed"}], "数值状态"),
        ([GOOD | {"basis": "wish"}], "依据"),
    ],
)
def test_each_breach_is_found(tmp_path, rows, said):
    assert any(said in promise for promise in broken(tmp_path, rows))


def test_every_query_runs_on_every_table(tmp_path):
    case = Case(tmp_path, [])
    with case.warehouse.building() as connection:
        for table in schema.TABLES:
            for _, query in contracts.promises(table):
                assert store.fetch(connection, query) == []
