"""The dictionary's promises as queries that return the rows breaking them.

Belongs here: turning keys, required columns and allowed values into SQL. Does not belong here:
running it or Dagster (``checks``).
"""

from __future__ import annotations

from collections.abc import Iterator

from warehouse.schema import Table

LIMIT = 20


def promises(table: Table) -> Iterator[tuple[str, str]]:
    """(promise in words, query returning up to 20 rows that break it) for each promise."""
    keys = ", ".join(table.key)
    yield (
        f"主键({keys})唯一",
        f"SELECT {keys}, count(*) AS n FROM {table.full_name} "
        f"GROUP BY {keys} HAVING count(*) > 1 LIMIT {LIMIT}",
    )
    for column in table.columns:
        if column.required:
            yield (
                f"{column.zh}({column.name})有值",
                f"SELECT {keys} FROM {table.full_name} WHERE {column.name} IS NULL LIMIT {LIMIT}",
            )
        if column.allowed:
            allowed = ", ".join(f"'{value}'" for value in column.allowed)
            yield (
                f"{column.zh}({column.name})在许可范围内",
                f"SELECT {keys}, {column.name} FROM {table.full_name} "
                f"WHERE {column.name} NOT IN ({allowed}) LIMIT {LIMIT}",
            )
