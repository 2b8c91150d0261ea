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
        return [promise for promise, _ in contracts.broken(connection, PARK_YEAR)]


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


def test_a_breach_comes_with_its_rows_and_those_beside_it_are_told_too(tmp_path):
    rows = [GOOD | {"park_id": f"P{n}", "state": "guessed"} for n in (1, 2)]
    rows.append(GOOD | {"park_id": "P3", "basis": "wish"})
    case = Case(tmp_path, [])
    with case.warehouse.building() as connection:
        store.insert_rows(connection, PARK_YEAR.full_name, rows)
        found = dict(contracts.broken(connection, PARK_YEAR))
    assert sorted(len(rows) for rows in found.values()) == [1, 2]
    guessed = next(rows for rows in found.values() if len(rows) == 2)
    assert {row["park_id"] for row in guessed} == {"P1", "P2"}
    assert {row["state"] for row in guessed} == {"guessed"}


def test_every_condition_can_be_asked_of_every_table(tmp_path):
    case = Case(tmp_path, [])
    with case.warehouse.building() as connection:
        for table in schema.TABLES:
            assert list(contracts.broken(connection, table)) == []
            for _, shown, breaks in contracts.promises(table):
                query = f"SELECT {shown} FROM {table.full_name} WHERE {breaks}"
                assert store.fetch(connection, query) == []
