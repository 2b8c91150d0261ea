"""The dictionary's promises and the rows that break them.

Belongs here: turning keys, required columns and allowed values into SQL, and asking it. Does not
belong here: Dagster (``checks``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from warehouse import store
from warehouse.schema import Table

if TYPE_CHECKING:
    import duckdb

LIMIT = 20


def broken(connection: duckdb.DuckDBPyConnection, table: Table) -> Iterator[tuple[str, list[Any]]]:
    """(promise in words, up to 20 rows that break it) for each promise that does not hold.

    One look at the table tells which of the promises about a single row are broken at all.
    """
    keys = ", ".join(table.key)
    rows = store.fetch(
        connection,
        f"SELECT {keys}, count(*) AS n FROM {table.full_name} "
        f"GROUP BY {keys} HAVING count(*) > 1 LIMIT {LIMIT}",
    )
    if rows:
        yield f"主键({keys})唯一", rows
    promised = list(promises(table))
    if not promised:
        return
    asked = ", ".join(f"bool_or({breaks})" for _, _, breaks in promised)
    told = connection.execute(f"SELECT {asked} FROM {table.full_name}").fetchone() or ()
    for (words, shown, breaks), is_broken in zip(promised, told, strict=True):
        if is_broken:
            query = f"SELECT {shown} FROM {table.full_name} WHERE {breaks} LIMIT {LIMIT}"
            yield words, store.fetch(connection, query)


def promises(table: Table) -> Iterator[tuple[str, str, str]]:
    """(promise in words, columns that show a row breaking it, condition of such a row)."""
    keys = ", ".join(table.key)
    for column in table.columns:
        if column.required:
            yield f"{column.zh}({column.name})有值", keys, f"{column.name} IS NULL"
        if column.allowed:
            allowed = ", ".join(f"'{value}'" for value in column.allowed)
            yield (
                f"{column.zh}({column.name})在许可范围内",
                f"{keys}, {column.name}",
                f"{column.name} NOT IN ({allowed})",
            )
