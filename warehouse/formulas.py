"""The catalogue's formulas as SQL: park by park and month by month, and over the sums of an area.

Belongs here: order of formulas, which figures a formula needs (measures, earlier periods, formulas it
names) and the statements that compute it. Does not belong here: the language itself
(``catalog.expression``), any other derivation (``derive`` and ``warehouse/sql``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from warehouse.catalog import expression

if TYPE_CHECKING:
    import duckdb


class FormulaIndicator(Protocol):
    """What a derivation needs to know of an indicator."""

    @property
    def indicator_id(self) -> str:
        """Catalogue id."""
        ...

    @property
    def formula(self) -> str | None:
        """Expression over other indicators."""
        ...

    @property
    def over_time(self) -> str:
        """How months make a year."""
        ...

    @property
    def aggregation(self) -> str:
        """How parks make an area."""
        ...


Formulas = Mapping[str, FormulaIndicator]

_MONTHS = {"m": 1, "q": 3, "y": 12}
_MEASURED = {  # measure of a name → column of month_path
    "ytd": "value_ytd",
    "stock": "value_ytd",
    "month": "value_month",
    "ytd_prior": "value_prior",
    "yoy_published": "yoy_published",
}
_KEPT = {**_MEASURED, "yoy_published": "yoy_pct"}  # the same of indicators.park_month


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """A figure a formula needs: indicator, measure (empty: the one being computed), months back."""

    indicator_id: str
    measure: str = ""
    back: int = 0

    @property
    def key(self) -> str:
        """Name of its column."""
        return f"{self.indicator_id}.{self.measure}-{self.back}"

    @property
    def is_plain(self) -> bool:
        """Whether it is the indicator's own figure of the period itself."""
        return not self.measure and not self.back


def part_of(name: expression.Name, back: int = 0) -> Part:
    """The figure an identifier stands for, ``back`` months earlier than it says."""
    count, unit = name.offset or (0, "m")
    return Part(name.identifier, name.measure or "", back + count * _MONTHS[unit])


def in_order(indicators: Sequence[FormulaIndicator]) -> list[FormulaIndicator]:
    """Formula indicators, each after those its formula names (the catalogue refuses cycles)."""
    waiting = {i.indicator_id: i for i in indicators if i.over_time == "formula" and i.formula}
    ordered: list[FormulaIndicator] = []
    while waiting:
        ready = [i for i in waiting.values() if not _names(i) & (waiting.keys() - {i.indicator_id})]
        if not ready:
            raise ValueError(f"formulas refer to each other in a circle: {sorted(waiting)}")
        for indicator in sorted(ready, key=lambda i: i.indicator_id):
            ordered.append(waiting.pop(indicator.indicator_id))
    return ordered


def years_back(ordered: Iterable[FormulaIndicator]) -> int:
    """How many years before the period the formulas look, whole years rounded up."""
    return max((-(-months // 12) for months in months_back(ordered)), default=0)


def named(ordered: Iterable[FormulaIndicator]) -> set[str]:
    """Indicators the formulas name."""
    return {part.indicator_id for indicator in ordered for part in _parts(indicator)}


def months_back(ordered: Iterable[FormulaIndicator]) -> set[int]:
    """By how many months the formulas look back."""
    return {part.back for indicator in ordered for part in _parts(indicator)}


def _tree(indicator: FormulaIndicator) -> expression.Node:
    return expression.parse(indicator.formula or "")


def _names(indicator: FormulaIndicator) -> frozenset[str]:
    return expression.identifiers(_tree(indicator))


def _parts(indicator: FormulaIndicator) -> list[Part]:
    return sorted({part_of(name) for name in expression.names(_tree(indicator))})


def _month_sql(indicator: FormulaIndicator, figure: str) -> str:
    """The formula as SQL; computed in DOUBLE, kept to 8 decimals."""
    sql = expression.to_sql(_tree(indicator), lambda name: _month_column(part_of(name), figure))
    return f"round(({sql})::DOUBLE, 8)::DECIMAL(28, 8)"


# --- park by park, month by month -----------------------------------------------------------------

_FIGURES = ("value_ytd", "value_month", "value_prior")


def add_month(
    connection: duckdb.DuckDBPyConnection, indicator: FormulaIndicator, stocks: Collection[str]
) -> None:
    """Put a formula's figures into ``month_path``. ``stocks`` are carried forward within the year:
    a per-mu figure of May rests on the land last reported."""
    parts = _parts(indicator)
    computed = ", ".join(f"{_month_sql(indicator, figure)} AS {figure}" for figure in _FIGURES)
    known = " AND ".join(f"{_month_column(part, 'value_ytd')} IS NOT NULL" for part in parts)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE formula_value AS
        SELECT park_id, period, year, month, maturity, n_months, break_reason, {computed},
               CASE WHEN value_ytd IS NOT NULL AND is_approximate THEN 'approximate'
                    WHEN value_ytd IS NOT NULL AND is_imputed THEN 'imputed'
                    WHEN value_ytd IS NOT NULL THEN 'reported'
                    WHEN is_suppressed THEN 'suppressed'
                    WHEN {known} THEN 'not_applicable'
                    ELSE 'unknown' END AS state
        FROM ({_carried(parts, stocks)})
        """
    )
    _merge_month(connection, indicator.indicator_id)


def _month_column(part: Part, figure: str) -> str:
    """Column of a part when ``figure`` is computed. Last year's own figure of a formula that looks
    back or names a measure is not known from this year's rows."""
    if part.is_plain:
        return f'"{part.key}:{figure}"'
    return f'"{part.key}:value_ytd"' if figure == "value_ytd" else "NULL::DOUBLE"


def _carried(parts: Sequence[Part], stocks: Collection[str]) -> str:
    """The parts side by side, stocks carried forward from the month they were last reported in."""
    replaced = [
        f'last_value("{part.key}:{figure}" IGNORE NULLS) OVER '
        f'(PARTITION BY park_id, year ORDER BY month) AS "{part.key}:{figure}"'
        for part in parts
        if part.is_plain and part.indicator_id in stocks
        for figure in ("value_ytd", "value_prior")
    ]
    star = f"* REPLACE ({', '.join(replaced)})" if replaced else "*"
    return f"SELECT {star} FROM ({_side_by_side(parts, stocks)})"


def _side_by_side(parts: Sequence[Part], stocks: Collection[str]) -> str:
    """One row per park and month with a column per part; a month of which only the register
    speaks has no row."""
    columns = [
        f"max({source}::DOUBLE) FILTER (WHERE indicator_id = '{part.indicator_id}' "
        f'AND back = {part.back}) AS "{part.key}:{figure}"'
        for part in parts
        for figure, source in _sources(part)
    ]
    flows = sorted({part.indicator_id for part in parts if not part.back} - set(stocks))
    months = f"FILTER (WHERE back = 0 AND indicator_id IN ({_quoted(flows)}))" if flows else ""
    now = "FILTER (WHERE back = 0)"
    return f"""
        SELECT park_id,
               (moment // 12)::VARCHAR || '-' || lpad((moment % 12 + 1)::VARCHAR, 2, '0') AS period,
               (moment // 12)::INTEGER AS year, (moment % 12 + 1)::INTEGER AS month,
               max(maturity) {now} AS maturity, min(n_months) {months} AS n_months,
               string_agg(DISTINCT break_reason, ';' ORDER BY break_reason) AS break_reason,
               bool_or(state = 'approximate') AS is_approximate,
               bool_or(state = 'imputed') AS is_imputed,
               bool_or(state = 'suppressed') AS is_suppressed, {", ".join(columns)}
        FROM ({_shifted(parts)})
        GROUP BY park_id, moment
        HAVING count(*) FILTER (WHERE back = 0 AND origin <> 'register') > 0
    """


def _sources(part: Part) -> list[tuple[str, str]]:
    if part.is_plain:
        return [(figure, figure) for figure in _FIGURES]
    return [("value_ytd", _MEASURED[part.measure or "ytd"])]


def _shifted(parts: Sequence[Part]) -> str:
    """Rows of month_path that the parts name, each at the month it is wanted in."""
    selects = []
    for back in sorted({part.back for part in parts}):
        ids = _quoted(sorted({p.indicator_id for p in parts if p.back == back}))
        selects.append(
            f"SELECT *, {back} AS back, year * 12 + month - 1 + {back} AS moment "
            f"FROM month_path WHERE indicator_id IN ({ids})"
        )
    return " UNION ALL ".join(selects)


def _quoted(ids: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in ids)


def _merge_month(connection: duckdb.DuckDBPyConnection, indicator_id: str) -> None:
    """A computed ratio wins over a reported one; that stays where parts are missing."""
    connection.execute(
        """
        UPDATE month_path SET
            value_ytd = coalesce(formula_value.value_ytd, month_path.value_ytd),
            value_prior = CASE WHEN formula_value.value_ytd IS NULL THEN month_path.value_prior
                               ELSE coalesce(formula_value.value_prior, month_path.value_prior) END,
            break_reason = formula_value.break_reason,
            origin = CASE WHEN formula_value.value_ytd IS NOT NULL THEN 'computed'
                          ELSE month_path.origin END,
            state = CASE WHEN formula_value.value_ytd IS NOT NULL OR month_path.value_ytd IS NULL
                         THEN formula_value.state ELSE month_path.state END
        FROM formula_value
        WHERE month_path.indicator_id = $1 AND month_path.park_id = formula_value.park_id
            AND month_path.period = formula_value.period
        """,
        [indicator_id],
    )
    connection.execute(
        """
        INSERT INTO month_path BY NAME
        SELECT park_id, $1 AS indicator_id, period, year, month, 'formula' AS over_time,
               value_ytd, value_month, value_prior, state, maturity, n_months, break_reason,
               'computed' AS origin
        FROM formula_value
        ANTI JOIN (SELECT park_id, period FROM month_path WHERE indicator_id = $1)
            USING (park_id, period)
        """,
        [indicator_id],
    )


# --- over the sums of an area ---------------------------------------------------------------------

_KEYS = "area_code, area_level, scope, year, asof_period"
_AREA_FIGURES = ("value", "value_comparable", "value_prior")


def add_area(
    connection: duckdb.DuckDBPyConnection, indicator: FormulaIndicator, formulas: Formulas
) -> None:
    """Put a formula of area figures into ``area_path``.

    Ratio of sums over the parks that have every part, so that both sides count the same parks;
    figures about the area itself (external indicators) come in as they were entered. Where no park
    has the parts, the formula is applied to figures entered for the area and to register counts.
    """
    external = {
        row[0]
        for row in connection.execute(
            "SELECT indicator_id FROM dims.indicator WHERE kind = 'external'"
        ).fetchall()
    }
    leaves = sorted(_leaves(indicator, formulas))
    entered = [leaf for leaf in leaves if leaf.indicator_id in external]
    own = [leaf for leaf in leaves if leaf.indicator_id not in external]
    has_entered = bool(
        connection.execute("FROM area_path WHERE origin = 'entered' LIMIT 1").fetchall()
    )
    if has_entered or not entered:
        _insert_area(connection, indicator, formulas, _area_rows(own, entered))
    if has_entered and own and all(leaf.is_plain for leaf in leaves):
        rows = f"SELECT * FROM ({_entered_sql(leaves)}) WHERE is_entered"
        _insert_area(connection, indicator, formulas, rows)


def _insert_area(
    connection: duckdb.DuckDBPyConnection,
    indicator: FormulaIndicator,
    formulas: Formulas,
    rows: str,
) -> None:
    """Compute the formula over ``rows``; areas that have it already keep it."""
    computed = ", ".join(
        f"{_area_sql(indicator, formulas, figure)} AS {figure}" for figure in _AREA_FIGURES
    )
    connection.execute(
        f"""
        INSERT INTO area_path BY NAME
        SELECT {_KEYS}, '{indicator.indicator_id}' AS indicator_id,
               value, value_comparable, value_prior,
               CASE WHEN value_prior > 0
                    THEN round(100 * (value_comparable::DOUBLE / value_prior::DOUBLE - 1), 8)
               END::DECIMAL(28, 8) AS yoy_pct,
               CASE WHEN value_prior > 0 THEN yoy_basis END AS yoy_basis,
               break_flag, n_parks, n_reported, n_comparable, 'computed' AS origin
        FROM (SELECT *, {computed} FROM ({rows}))
        ANTI JOIN (SELECT area_code, scope, asof_period FROM area_path
                   WHERE indicator_id = '{indicator.indicator_id}')
            USING (area_code, scope, asof_period)
        WHERE value IS NOT NULL
        """
    )


def _leaves(indicator: FormulaIndicator, formulas: Formulas, back: int = 0) -> set[Part]:
    """Figures a formula rests on, through the formulas it names."""
    found: set[Part] = set()
    for name in expression.names(_tree(indicator)):
        part = part_of(name, back)
        if part.indicator_id in formulas and not part.measure:
            found |= _leaves(formulas[part.indicator_id], formulas, part.back)
        else:
            found.add(part)
    return found


def _area_sql(indicator: FormulaIndicator, formulas: Formulas, figure: str, back: int = 0) -> str:
    """The formula over leaf columns: a formula it names is computed from the same sums."""

    def resolve(name: expression.Name) -> str:
        part = part_of(name, back)
        if part.indicator_id in formulas and not part.measure:
            return f"({_area_sql(formulas[part.indicator_id], formulas, figure, part.back)})"
        if part.is_plain or figure != "value_prior":
            return f'"{part.key}:{figure}"'
        return "NULL::DOUBLE"

    sql = expression.to_sql(_tree(indicator), resolve)
    return f"round(({sql})::DOUBLE, 8)::DECIMAL(28, 8)"


def _area_rows(own: Sequence[Part], entered: Sequence[Part]) -> str:
    """One row per area with three columns per leaf: all parks, comparable parks, their prior year."""
    if not entered:
        return _summed_sql(own)
    if not own:
        return _entered_sql(entered)
    names = [f'"{leaf.key}:{figure}"' for leaf in entered for figure in _AREA_FIGURES]
    return (
        f"SELECT summed.*, {', '.join(names)} FROM ({_summed_sql(own)}) AS summed "
        f"JOIN ({_entered_sql(entered)}) AS entered USING (area_code, scope, asof_period)"
    )


def _summed_sql(own: Sequence[Part]) -> str:
    known = " AND ".join(f'"{leaf.key}:value" IS NOT NULL' for leaf in own)
    priors = [f'"{leaf.key}:value_prior" IS NOT NULL' for leaf in own if leaf.is_plain]
    both = " AND ".join([known, *priors])
    wanted = {"value": ("value", known), "value_comparable": ("value", both),
              "value_prior": ("value_prior", both)}  # fmt: skip
    sums = ", ".join(
        f'(sum("{leaf.key}:{source}" * share) FILTER (WHERE {where}))::DOUBLE '
        f'AS "{leaf.key}:{figure}"'
        for leaf in own
        for figure, (source, where) in wanted.items()
    )
    return f"""
        SELECT {_KEYS}, count(*)::INTEGER AS n_parks,
               (count(*) FILTER (WHERE {known}))::INTEGER AS n_reported,
               (count(*) FILTER (WHERE {both}))::INTEGER AS n_comparable,
               CASE max(basis) FILTER (WHERE {both})
                   WHEN 3 THEN 'levels' WHEN 2 THEN 'published' WHEN 1 THEN 'comparable'
               END AS yoy_basis,
               CASE WHEN count(break_flag) FILTER (WHERE {known}) > 0
                    THEN '其中' || (count(break_flag) FILTER (WHERE {known})) || '个园区:'
                        || (string_agg(DISTINCT break_flag, ';' ORDER BY break_flag)
                            FILTER (WHERE {known}))
               END AS break_flag, {sums}
        FROM area_member LEFT JOIN ({_park_parts(own)}) AS park_parts USING (park_id, asof_period)
        WHERE NOT is_prior
        GROUP BY {_KEYS}
    """


def _park_parts(own: Sequence[Part]) -> str:
    """One row per park with the figures of its leaves, how its growth is based, its breaks."""
    columns = ", ".join(
        f"max({figure}) FILTER (WHERE key = '{leaf.key}') AS \"{leaf.key}:{figure}\""
        for leaf in own
        for figure in ("value", "value_prior")
    )
    rows = " UNION ALL ".join(_park_leaf(leaf) for leaf in own)
    return f"""
        SELECT park_id, asof_period, {columns},
               max(CASE yoy_basis WHEN 'levels' THEN 3 WHEN 'published' THEN 2
                                  WHEN 'comparable' THEN 1 END) AS basis,
               string_agg(DISTINCT break_flag, ';' ORDER BY break_flag) AS break_flag
        FROM ({rows})
        GROUP BY park_id, asof_period
    """


def _park_leaf(leaf: Part) -> str:
    """Rows of one leaf: the year's figure, or a measure of the month it looks back to."""
    shown = f"'{leaf.key}' AS key"
    if leaf.is_plain:
        return (
            f"SELECT park_id, asof_period, {shown}, value, value_prior, yoy_basis, break_flag "
            f"FROM indicators.park_year WHERE indicator_id = '{leaf.indicator_id}' "
            "AND asof_period IN (SELECT asof_period FROM internal.affected_asof)"
        )
    return (
        f"SELECT month.park_id, asked.asof_period, {shown}, "
        f"month.{_KEPT[leaf.measure or 'ytd']} AS value, NULL::DECIMAL(28, 8) AS value_prior, "
        "NULL::VARCHAR AS yoy_basis, NULL::VARCHAR AS break_flag "
        "FROM internal.affected_asof AS asked JOIN indicators.park_month AS month "
        f"ON month.indicator_id = '{leaf.indicator_id}' AND month.period = strftime("
        f"(asked.asof_period || '-01')::DATE - INTERVAL {leaf.back} MONTH, '%Y-%m')"
    )


def _entered_sql(entered: Sequence[Part]) -> str:
    """Figures about the areas themselves, side by side; no parks stand behind them."""
    columns = ", ".join(
        f"max({figure}) FILTER (WHERE indicator_id = '{leaf.indicator_id}')::DOUBLE "
        f'AS "{leaf.key}:{figure}"'
        for leaf in entered
        for figure in _AREA_FIGURES
    )
    ids = _quoted(sorted({leaf.indicator_id for leaf in entered}))
    return f"""
        SELECT {_KEYS}, NULL::INTEGER AS n_parks, NULL::INTEGER AS n_reported,
               NULL::INTEGER AS n_comparable, max(yoy_basis) AS yoy_basis,
               string_agg(DISTINCT break_flag, ';' ORDER BY break_flag) AS break_flag,
               bool_or(origin = 'entered') AS is_entered, {columns}
        FROM area_path WHERE indicator_id IN ({ids})
        GROUP BY {_KEYS}
    """
