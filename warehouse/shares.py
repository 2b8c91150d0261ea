"""Shares: a derivation of many figures goes through the parks share by share, in bounded memory.

Belongs here: which parks make a share and how periods are batched. Does not belong here: what is
derived (``warehouse.derive``). A park's figures rest on that park alone, so any division gives the
same rows; shares follow the order facts are stored in, so that each reads its own part of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

FACTS_AT_ONCE = 6_000_000
"""Figures (or rows of a year) a step of a derivation holds at a time; about 250 bytes each."""


def of_parks(
    connection: duckdb.DuckDBPyConnection,
    read: Mapping[str, object],
    facts_at_once: int = FACTS_AT_ONCE,
    parks: str | None = None,
) -> Iterator[tuple[int, int]]:
    """Fill ``internal.share_park`` with one share of the parks after the other.

    ``read``: which figures a step reads (``derive.what_is_read``).
    ``parks``: a SELECT of the ids of the parks to go through, every one that is known when None.

    Yields the number of the share and how many there are; afterwards the table is empty.
    """
    (n_facts,) = connection.execute(_N_FACTS, dict(read)).fetchone() or (0,)
    (n_parks,) = connection.execute(f"SELECT count(*) FROM ({parks or ALL_PARKS})").fetchone() or (
        0,
    )
    n_shares = max(min(-(-int(n_facts) // facts_at_once), int(n_parks)), 1)
    connection.execute(_SHARED.format(parks=parks or ALL_PARKS), {"n_shares": n_shares})
    for number in range(n_shares):
        connection.execute("DELETE FROM internal.share_park")
        connection.execute(
            "INSERT INTO internal.share_park "
            "SELECT park_id FROM park_of_share WHERE share = ? ORDER BY ALL",
            [number],
        )
        yield number, n_shares
    connection.execute("DELETE FROM internal.share_park")
    connection.execute("DROP TABLE park_of_share")


_N_FACTS = """
SELECT count(*)
FROM internal.observation_fact AS fact
JOIN internal.key AS period ON period.domain = 'period' AND period.key = fact.period
WHERE
    (
        list_contains($months, fact.period % 100)
        OR fact.indicator_key IN (
            SELECT key FROM internal.key WHERE domain = 'indicator' AND list_contains($every_month, id)
        )
    )
    AND left(period.id, 4)::INTEGER IN (
    SELECT left(period, 4)::INTEGER - back.n
    FROM internal.affected_period
    CROSS JOIN (SELECT unnest(range($years_back + 1)) AS n) AS back
)
"""

ALL_PARKS = """
SELECT park_id FROM dims.park
UNION
SELECT id FROM internal.key WHERE domain = 'park'
UNION
SELECT park_id FROM dims.entered_figure WHERE park_id IS NOT NULL
"""

_SHARED = """
CREATE OR REPLACE TEMP TABLE park_of_share AS
SELECT
    park_id,
    (row_number() OVER (ORDER BY known.key NULLS LAST, park_id) - 1) * $n_shares // count(*) OVER () AS share
FROM ({parks}) AS parks
LEFT JOIN internal.key AS known ON known.domain = 'park' AND known.id = parks.park_id
"""


def of_moments(
    connection: duckdb.DuckDBPyConnection, facts_at_once: int = FACTS_AT_ONCE
) -> Iterator[int]:
    """Leave in ``internal.affected_asof`` one batch of its moments after the other, whole again after.

    Yields the number of moments of the batch: as many as have ``facts_at_once`` park-months together.
    """
    moments = connection.execute(_MOMENTS).fetchall()
    for batch in _batches(moments, facts_at_once):
        _set_moments(connection, batch)
        yield len(batch)
    _set_moments(connection, [(year, moment) for year, moment, _ in moments])


def _batches(
    moments: Iterable[tuple[int, str, int]], facts_at_once: int
) -> Iterator[list[tuple[int, str]]]:
    """Moments in order, cut where the rows of a batch would exceed the limit; never an empty one."""
    batch: list[tuple[int, str]] = []
    n_rows = 0
    for year, moment, rows in moments:
        if batch and n_rows + rows > facts_at_once:
            yield batch
            batch, n_rows = [], 0
        batch.append((year, moment))
        n_rows += rows
    if batch:
        yield batch


def _set_moments(connection: duckdb.DuckDBPyConnection, moments: Iterable[tuple[int, str]]) -> None:
    connection.execute("DELETE FROM internal.affected_asof")
    rows = list(moments)
    if rows:
        connection.executemany("INSERT INTO internal.affected_asof VALUES (?, ?)", rows)


_MOMENTS = """
SELECT year, asof_period, coalesce(sum(n), 0)::BIGINT AS n_rows
FROM internal.affected_asof
LEFT JOIN (
    SELECT period, count(*) AS n FROM indicators.park_month GROUP BY period
) AS kept ON left(kept.period, 4)::INTEGER = year AND kept.period <= asof_period
GROUP BY year, asof_period
ORDER BY asof_period
"""
