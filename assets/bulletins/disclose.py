"""Disclosure control (披露控制): which parks and areas a public edition prints as X.

Belongs here: the tables an edition forms, who is sensitive in them, keeping what was hidden hidden.
Does not belong here: the rules and the attacker (``methods.disclosure``), or how X looks (templates).

Whole rows are hidden, never single cells: figures derived from each other fall together (growth,
last year's amount, amount per enterprise). Statistics Law of China: what lets one respondent be
recognised or inferred may not be given away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assets.bulletins.data import BulletinData
from assets.bulletins.select_figures import PARKS
from warehouse import store

if TYPE_CHECKING:
    import duckdb
    import numpy as np

    from assets.build import Build
    from assets.bulletins.scope import Scope
    from warehouse.catalog.models import Protection


@dataclass(frozen=True, slots=True)
class Cell:
    """A park's figure: ``count`` enterprises stand behind it (None: not known)."""

    park_id: str
    area_code: str
    indicator_id: str
    value: float
    prior: float
    count: int | None


def protected(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    found: BulletinData,
    scope: Scope,
    rules: Protection,
) -> BulletinData:
    """``found`` without the figures of hidden parks and areas; their rows stay, marked."""
    hidden = hidden_rows(connection, build, found, scope, rules)
    nothing: dict[str, Any] = {"value": None, "value_prior": None, "yoy_pct": None}
    areas = tuple(
        replace(row, **nothing, previous_yoy_pct=None, suppressed=True)
        if row.scope_code in hidden
        else row
        for row in found.areas
    )
    parks = tuple(
        replace(row, **nothing, suppressed=True) if row.park_id in hidden else row
        for row in found.parks
    )
    return replace(found, areas=areas, parks=parks)


def hidden_rows(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    found: BulletinData,
    scope: Scope,
    rules: Protection,
) -> frozenset[str]:
    """Ids of parks and codes of areas that may not be printed in ``found.period``.

    Months are gone through from January of last year: who was hidden once stays hidden, or the
    difference of two months (or a growth rate) would show it.
    """
    counted = {
        i.indicator_id: i.disclosure.count_by
        for i in build.catalog.indicators
        if i.disclosure is not None
    }
    wanted = [i.indicator_id for i in found.indicators if i.indicator_id in counted]
    hidden: frozenset[str] = frozenset()
    for period in _months(connection, found.period):
        cells = _cells(connection, period, scope, {name: counted[name] for name in wanted})
        hidden = hide(cells, scope.code, rules, hidden)
    return hidden


def _months(connection: duckdb.DuckDBPyConnection, period: str) -> list[str]:
    rows = connection.execute(
        "SELECT DISTINCT asof_period FROM indicators.park_year "
        "WHERE asof_period BETWEEN ? AND ? ORDER BY asof_period",
        [f"{int(period[:4]) - 1}-01", period],
    ).fetchall()
    return [row[0] for row in rows]


_CELLS = f"""
WITH {PARKS}

SELECT
    park.park_id,
    CASE $below WHEN 'city' THEN park.city_code WHEN 'county' THEN park.county_code
        ELSE $scope END AS area_code,
    figure.indicator_id,
    figure.value::DOUBLE AS value,
    coalesce(month.value_prior, 0)::DOUBLE AS prior,
    number.value::INTEGER AS count
FROM park
JOIN indicators.park_year AS figure
    ON figure.park_id = park.park_id AND figure.asof_period = $period
    AND figure.year = left($period, 4)::INTEGER AND figure.value IS NOT NULL
JOIN (SELECT unnest($wanted::VARCHAR[]) AS indicator_id, unnest($counts::VARCHAR[]) AS count_by)
    AS rule ON rule.indicator_id = figure.indicator_id
LEFT JOIN indicators.park_month AS month
    ON month.park_id = park.park_id AND month.indicator_id = figure.indicator_id
    AND month.period = $period
LEFT JOIN indicators.park_year AS number
    ON number.park_id = park.park_id AND number.indicator_id = rule.count_by
    AND number.asof_period = $period AND number.year = figure.year
ORDER BY figure.indicator_id, area_code, park.park_id
"""


def _cells(
    connection: duckdb.DuckDBPyConnection, period: str, scope: Scope, counted: dict[str, str]
) -> list[Cell]:
    values = {
        "scope": scope.code,
        "day": scope.day,
        "period": period,
        "below": scope.below,
        "wanted": list(counted),
        "counts": list(counted.values()),
    }
    return [Cell(**row) for row in store.fetch(connection, _CELLS, values)]


def hide(
    cells: Sequence[Cell], whole: str, rules: Protection, before: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Parks and areas to hide so that no table of ``cells`` gives a sensitive row away.

    A table an indicator (and last year's amounts): areas by parks, with the areas' totals and that of
    ``whole``; only rows of parks, totals of areas and the grand total are ever printed. Hiding more
    never helps an attacker, so the tables may be done one after the other.
    """
    hidden = before | frozenset(c.park_id for c in cells if few(c.count, rules) and c.value)
    for name in sorted({cell.indicator_id for cell in cells}):
        rows = [cell for cell in cells if cell.indicator_id == name]
        for prior in (False, True):
            hidden |= _hide_table(_Table.of(rows, whole, prior=prior), rules, hidden)
    return hidden


def few(count: int | None, rules: Protection) -> bool:
    """Whether too few enterprises stand behind a figure; an unknown number counts as few."""
    return count is None or count < rules.min_count


@dataclass(frozen=True, slots=True)
class _Table:
    """Areas by places of parks, with totals; ``names`` of what each printed cell shows."""

    values: np.ndarray[Any, np.dtype[np.float64]]
    counts: np.ndarray[Any, np.dtype[np.float64]]
    names: dict[tuple[int, int], str]

    @classmethod
    def of(cls, cells: Sequence[Cell], whole: str, *, prior: bool) -> _Table:
        import numpy as np

        areas = sorted({cell.area_code for cell in cells})
        by_area = {code: [c for c in cells if c.area_code == code] for code in areas}
        shape = (len(areas) + 1, max(len(rows) for rows in by_area.values()) + 1)
        values, counts = np.zeros(shape), np.zeros(shape)
        names: dict[tuple[int, int], str] = {}
        for r, code in enumerate(areas):
            for c, cell in enumerate(by_area[code]):
                values[r, c] = cell.prior if prior else cell.value
                counts[r, c] = cell.count or 0
                names[r, c] = cell.park_id
            names[r, shape[1] - 1] = code
        names[shape[0] - 1, shape[1] - 1] = whole
        for table in (values, counts):
            table[:-1, -1] = table[:-1, :-1].sum(axis=1)
            table[-1, :] = table[:-1, :].sum(axis=0)
        return cls(values, counts, names)


def _hide_table(table: _Table, rules: Protection, before: frozenset[str]) -> frozenset[str]:
    import numpy as np

    from methods.disclosure import audit, protect

    values, counts = table.values, table.counts
    if (values < 0).any():
        return frozenset()  # a table with losses adds up to anything: no bound to compute
    needed, singles = np.zeros_like(values), np.zeros(values.shape, dtype=bool)
    hidden = np.zeros(values.shape, dtype=bool)
    hidden[-1, :-1] = True  # sums over places in a list mean nothing and are never printed
    for at, name in table.names.items():
        sensitive = few(int(counts[at]), rules) and values[at] > 0
        needed[at] = values[at] * rules.p / 100 if sensitive else 0.0
        singles[at] = sensitive and counts[at] <= 1
        hidden[at] |= sensitive or name in before
    if audit(values, hidden, needed, singles):
        price = values.copy()
        price[-1, :-1] = 0
        try:
            hidden = protect(values, needed, singles=singles, cost=price, fixed=hidden)
        except ValueError:
            hidden[:-1, :] = True  # cannot be made safe row by row: only the grand total stays
    return _named(table, hidden)


def _named(table: _Table, hidden: Iterable[Any]) -> frozenset[str]:
    import numpy as np

    flags = np.asarray(hidden)
    return frozenset(name for at, name in table.names.items() if flags[at])
