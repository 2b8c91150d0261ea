"""Statistical screening of the periods that changed: review list and findings into the warehouse.

Belongs here: gathering the figures of each indicator and period, running the catalogue's screens on
them, and writing ``quality.review`` and the screens' findings. Does not belong here: what a screen
looks at (``screens``), the statistics (``methods.edit_screens``), or what is done about a finding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from methods import edit_screens as es
from quality.finding import Finding
from quality.screens import Figures, Screened, run_screens
from warehouse import store
from warehouse.catalog.models import period_end

if TYPE_CHECKING:
    import duckdb

    from methods.edit_screens import Floats
    from warehouse.catalog.screens import Screen

WINDOW_YEARS = 5
"""Years of history a figure is judged by; always the same, so that a figure's screening does not
depend on when it was done."""
OFTEN_NEGATIVE = 0.01
"""Share of negative figures from which an indicator counts as one that can be negative."""
REVIEW_SUSPICION = 0.75
"""Figures without any hit are listed for review from this suspicion on."""


@dataclass(frozen=True, slots=True)
class IndicatorGrid:
    """Reported amounts of one indicator: parks × report periods, NaN where nothing is known."""

    indicator_id: str
    kind: str
    cumulative: bool
    parks: tuple[str, ...]
    values: Floats
    reported_prior: Floats

    def signed(self, column: int, season: int) -> bool:
        """Whether its figures of the window are often negative (more than 1 %): profit, not slips."""

        start = max(0, column + 1 - WINDOW_YEARS * season)
        return es.negative_share(self.values[:, start : column + 1]) > OFTEN_NEGATIVE


@dataclass(frozen=True, slots=True)
class Calendar:
    """Report periods as columns: ``season`` of them a year, the first in ``first_month``."""

    first_year: int
    first_month: int

    @property
    def season(self) -> int:
        """Report periods of a year."""
        return 13 - self.first_month

    def column(self, period: str) -> int:
        """Column of a report period ``YYYY-MM``."""
        return (
            (int(period[:4]) - self.first_year) * self.season + int(period[5:]) - self.first_month
        )


def screen(
    connection: duckdb.DuckDBPyConnection,
    screens: Sequence[Screen],
    *,
    first_month: int,
    counts: Collection[str] = (),
) -> int:
    """Screen the affected periods and every later one; returns the number of figures screened.

    Replaces their rows of ``quality.review`` and of the screens' findings. Later periods are screened
    again because they are judged by the earlier ones. ``counts`` are the indicators counted in whole
    numbers (firms, persons).
    """
    periods = _periods(connection)
    if not periods:
        return 0
    calendar = Calendar(int(periods[0][:4]) - WINDOW_YEARS, first_month)
    store.run_script(
        connection, "quality__screen_figure", {"from": f"{calendar.first_year}-{first_month:02d}"}
    )
    review, found = [], []
    n_screened = 0
    for grid in _grids(connection, calendar, periods[-1]):
        for period in periods:
            column = calendar.column(period)
            if column < 0 or period[5:] < f"{first_month:02d}":
                continue
            signed = grid.signed(column, calendar.season)
            due = _in_force(screens, grid, period, signed)
            offset = 0.5 if grid.indicator_id in counts else 0.0
            figures, parks = figures_of(grid, column, calendar.season, offset, signed)
            if not parks:
                continue
            n_screened += len(parks)
            suspicions = {s.screen_id: _suspicion(s) for s in due}
            screened = run_screens(figures, due, suspicions)
            rows = list(_rows(grid.indicator_id, period, parks, figures, screened, due))
            review += [row for row, _ in rows]
            found += [hit for _, hits in rows for hit in hits]
    _write(connection, review, found + _heaped(connection, screens))
    return n_screened


def leave_to_rules(connection: duckdb.DuckDBPyConnection, screens: Sequence[Screen]) -> None:
    """Choose the screens' findings to be reported: not where an audit rule has already said the same
    of the same file, park and indicator (``unless``). The rules must have been judged."""
    pairs = [(s.screen_id, rule) for s in screens for rule in s.unless]
    connection.execute("CREATE OR REPLACE TEMP TABLE said_by (screen_id VARCHAR, rule_id VARCHAR)")
    if pairs:
        connection.executemany("INSERT INTO said_by VALUES (?, ?)", pairs)
    connection.execute("DELETE FROM internal.screen_said")
    connection.execute(
        """
        INSERT INTO internal.screen_said BY NAME
        SELECT finding.*
        FROM internal.screen_finding AS finding
        WHERE NOT EXISTS (
            SELECT 1 FROM internal.rule_finding AS other
            JOIN said_by ON said_by.rule_id = other.rule_id
            WHERE said_by.screen_id = finding.rule_id AND other.outcome = 'fail'
                AND other.submission_id = finding.submission_id
                AND (other.park_id IS NULL OR other.park_id = finding.park_id)
                AND (other.indicator_id IS NULL OR other.indicator_id = finding.indicator_id)
        )
        ORDER BY finding.finding_id
        """
    )


# --- gathering ------------------------------------------------------------------------------------


def _periods(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The affected and never screened periods and all later ones, in order; kept in
    ``internal.screen_period``."""
    connection.execute("DELETE FROM internal.screen_period")
    connection.execute(
        """
        INSERT INTO internal.screen_period
        WITH reported AS (SELECT DISTINCT period FROM submissions.cell WHERE period IS NOT NULL),
        changed AS (
            SELECT period FROM internal.affected_period
            UNION
            SELECT period FROM reported WHERE period NOT IN (FROM internal.screened)
        )
        SELECT period FROM reported WHERE period >= (SELECT min(period) FROM changed)
        UNION
        SELECT period FROM changed
        """
    )
    connection.execute("DELETE FROM internal.screened")
    connection.execute(
        "INSERT INTO internal.screened SELECT DISTINCT period FROM submissions.cell "
        "WHERE period IS NOT NULL ORDER BY period"
    )
    rows = connection.execute("FROM internal.screen_period ORDER BY period").fetchall()
    return [row[0] for row in rows]


def _grids(
    connection: duckdb.DuckDBPyConnection, calendar: Calendar, last: str
) -> Iterator[IndicatorGrid]:
    """One grid an indicator, filled without a loop over figures."""

    width = calendar.column(last) + 1
    kinds = connection.execute(
        "SELECT indicator_id, any_value(kind), any_value(cumulative) FROM screen_figure "
        "GROUP BY indicator_id ORDER BY indicator_id"
    ).fetchall()
    for indicator_id, kind, cumulative in kinds:
        got = connection.execute(
            "SELECT park_id, left(period, 4)::INTEGER AS year, right(period, 2)::INTEGER AS month, "
            "value::DOUBLE AS value, reported_prior::DOUBLE AS prior FROM screen_figure "
            "WHERE indicator_id = ? AND right(period, 2)::INTEGER >= ? AND period <= ? "
            "ORDER BY park_id, period",
            [indicator_id, calendar.first_month, last],
        ).fetchnumpy()
        parks, row = np.unique(got["park_id"].astype(str), return_inverse=True)
        column = (got["year"] - calendar.first_year) * calendar.season
        column = column + got["month"] - calendar.first_month
        values = np.full((parks.size, width), np.nan)
        prior = np.full((parks.size, width), np.nan)
        values[row, column] = np.ma.filled(got["value"], np.nan)
        prior[row, column] = np.ma.filled(got["prior"], np.nan)
        yield IndicatorGrid(
            indicator_id, kind, bool(cumulative), tuple(parks.tolist()), values, prior
        )


def figures_of(
    grid: IndicatorGrid, column: int, season: int, offset: float = 0.0, signed: bool = False
) -> tuple[Figures, tuple[str, ...]]:
    """What the screens look at in one period, for the parks that report in it, and these parks."""

    here = np.flatnonzero(np.isfinite(grid.values[:, column]))
    start = max(0, column + 1 - WINDOW_YEARS * season)
    window = grid.values[here, start : column + 1]
    now = window[:, -1]
    missing = np.full(now.shape, np.nan)
    opens_year = column % season == 0
    former = grid.values[here, column - 1] if column else missing
    year_ago = grid.values[here, column - season] if column >= season else missing
    if grid.kind == "stock":
        expected, carried = es.expected_stocks(window, offset=offset), np.zeros(now.shape)
    elif grid.cumulative:
        steps = _steps(window, start % season, season)
        expected = es.expected_flows(steps, season, offset=offset)
        carried = np.zeros(now.shape) if opens_year else former
    else:
        expected, carried = es.expected_flows(window, season, offset=offset), np.zeros(now.shape)
    step = expected.forecast[:, -1]
    figures = Figures(
        kind="stock" if grid.kind == "stock" else "flow",
        now=now,
        former=missing if grid.cumulative and opens_year else former,
        year_ago=year_ago,
        reported_prior=grid.reported_prior[here, column],
        forecast=carried + step,
        step=step,
        scale=expected.scale[:, -1],
        domain=np.zeros(now.size, np.int64),
        cumulative=grid.cumulative,
        offset=offset,
        signed=signed,
        repeats_previous=es.repeat_share(window, 1),
        repeats_year=es.repeat_share(window, season),
    )
    return figures, tuple(grid.parks[n] for n in here)


def _steps(cumulative: Floats, offset: int, season: int) -> Floats:
    """Amounts of single report periods from cumulative ones; the first column is period number
    ``offset`` of its year, and the first of a year is its own amount (1—2月 is not split)."""

    steps = cumulative.copy()
    steps[:, 1:] = cumulative[:, 1:] - cumulative[:, :-1]
    opens = (np.arange(cumulative.shape[1]) + offset) % season == 0
    steps[:, opens] = cumulative[:, opens]
    if not opens[0]:
        steps[:, 0] = np.nan
    return steps


def _in_force(
    screens: Sequence[Screen], grid: IndicatorGrid, period: str, signed: bool
) -> list[Screen]:
    day = period_end(period)
    return [
        s
        for s in screens
        if s.in_force(day) and s.covers(grid.indicator_id, grid.kind, signed=signed)
    ]


def _suspicion(screen: Screen) -> float | None:
    return None if screen.suspicion is None else float(screen.suspicion)


# --- results --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hit:
    """One screen that hit one figure, with the words its message needs."""

    screen: Screen
    park_id: str
    indicator_id: str
    period: str
    message: str


def _rows(
    indicator_id: str,
    period: str,
    parks: Sequence[str],
    figures: Figures,
    screened: Screened,
    screens: Sequence[Screen],
) -> Iterator[tuple[dict[str, Any], list[Hit]]]:
    """Review row and hits of every figure that was hit or looks suspicious (few of them)."""

    any_hit = np.zeros(len(parks), bool)
    for hit in screened.hits.values():
        any_hit |= hit
    for n in np.flatnonzero(any_hit | (screened.suspicion >= REVIEW_SUSPICION)).tolist():
        z = float(figures.z[n])
        hit_by = [
            s for s in screens if s.screen_id in screened.hits and screened.hits[s.screen_id][n]
        ]
        row = {
            "period": period,
            "indicator_id": indicator_id,
            "park_id": parks[n],
            "screens": [s.screen_id for s in hit_by],
            "suspicion": _rounded(screened.suspicion[n]),
            "deviation": _rounded(z) if np.isfinite(z) else None,
            "score": _rounded(100 * screened.score[n]),
            "scope_changed": bool(figures.scope_ratio[n] != 1),
        }
        yield (
            row,
            [
                Hit(s, parks[n], indicator_id, period, _message(s, n, screened, parks))
                for s in hit_by
            ],
        )


def _rounded(value: float) -> Any:
    from decimal import Decimal

    return Decimal(repr(round(float(value), 6)))


def _message(screen: Screen, n: int, screened: Screened, parks: Sequence[str]) -> str:
    power, twin = int(screened.detail["power"][n]), int(screened.detail["twin"][n])
    factor = f"{10 ** abs(power)}倍" if power > 0 else f"{10 ** abs(power)}分之一"
    other = f"{{{parks[twin]}}}" if twin >= 0 else ""  # the park's name is filled in when written
    return screen.message.replace("{factor}", factor).replace("{other}", other)


def _heaped(connection: duckdb.DuckDBPyConnection, screens: Sequence[Screen]) -> list[Hit]:
    """Files whose figures end in 0 and 5 far too often; placed at the file, not at a cell."""

    hits = []
    for screen_ in (s for s in screens if s.kind == "heaping"):
        rows = connection.execute(
            "SELECT submission_id, min(period), list(last_digit ORDER BY last_digit), "
            "list(n ORDER BY last_digit) FROM ("
            "  SELECT submission_id, min(period) AS period, last_digit, sum(n)::BIGINT AS n "
            "  FROM screen_digit WHERE n_digits >= ? GROUP BY submission_id, last_digit"
            ") GROUP BY submission_id HAVING sum(n) >= ? ORDER BY submission_id",
            [screen_.number("min_digits") - 1, screen_.number("min_count")],
        ).fetchall()
        for submission_id, period, digits, numbers in rows:
            counts = np.zeros(10, np.int64)
            counts[digits] = numbers
            share = es.heaped_share(counts)
            if (
                es.last_digit_chi2(counts) > screen_.number("max_chi2")
                and share > screen_.number("max_share")
                and screen_.in_force(period_end(period))
            ):
                words = screen_.message.replace("{count}", str(int(counts.sum())))
                words = words.replace("{share}", f"{share:.0%}")
                hits.append(Hit(screen_, submission_id, "", period, words))
    return hits


def _write(
    connection: duckdb.DuckDBPyConnection, review: list[dict[str, Any]], hits: Sequence[Hit]
) -> None:
    """Replace the rows of the periods screened; rank the review list of each period."""
    for table, column in (("quality.review", "period"), ("internal.screen_finding", "period")):
        connection.execute(f"DELETE FROM {table} WHERE {column} IN (FROM internal.screen_period)")
    _write_review(connection, review)
    _write_findings(connection, hits)


def _write_review(connection: duckdb.DuckDBPyConnection, review: list[dict[str, Any]]) -> None:
    if not review:
        return
    connection.register("screened_rows", store.as_arrow("quality.review", review))
    connection.execute(
        """
        INSERT INTO quality.review BY NAME
        SELECT screened.* EXCLUDE (rank, submission_id, sheet, address, value),
               figure.submission_id, figure.sheet, figure.address, figure.value,
               row_number() OVER (
                   PARTITION BY screened.period
                   ORDER BY screened.score DESC, screened.suspicion DESC,
                            screened.indicator_id, screened.park_id
               )::INTEGER AS rank
        FROM screened_rows AS screened
        JOIN screen_figure AS figure USING (park_id, indicator_id, period)
        ORDER BY screened.period, rank
        """
    )
    connection.unregister("screened_rows")


_PLACES = """
SELECT figure.park_id, figure.indicator_id, figure.period, figure.submission_id, figure.sheet,
       figure.address, cell.raw_text, cell.entity_raw, cell.head, submission.file_name,
       submission.reporter, indicator.name_zh
FROM screen_figure AS figure
JOIN screen_hit USING (park_id, indicator_id, period)
JOIN submissions.submission AS submission ON submission.submission_id = figure.submission_id
JOIN submissions.cell AS cell
    ON cell.submission_id = figure.submission_id AND cell.sheet = figure.sheet
    AND cell.address = figure.address
JOIN dims.indicator AS indicator ON indicator.indicator_id = figure.indicator_id
"""


def _write_findings(connection: duckdb.DuckDBPyConnection, hits: Sequence[Hit]) -> None:
    """Findings of the hits with file, sheet, cell and the park's name as the file writes it."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE screen_hit (park_id VARCHAR, indicator_id VARCHAR, period VARCHAR)"
    )
    keys = sorted({(h.park_id, h.indicator_id, h.period) for h in hits if h.indicator_id})
    if keys:
        import pyarrow as pa

        columns = list(zip(*keys, strict=True))
        arrow = pa.table(dict(zip(("park_id", "indicator_id", "period"), columns, strict=True)))
        connection.register("hit_keys", arrow)
        connection.execute("INSERT INTO screen_hit SELECT * FROM hit_keys")
        connection.unregister("hit_keys")
    places = {
        (row["park_id"], row["indicator_id"], row["period"]): row
        for row in store.fetch(connection, _PLACES)
    }
    files = {
        row["submission_id"]: row
        for row in store.fetch(
            connection, "SELECT submission_id, file_name, reporter FROM submissions.submission"
        )
    } if any(not h.indicator_id for h in hits) else {}  # fmt: skip
    names = dict(
        connection.execute(
            "SELECT park_id, arg_max(name, valid_from) FROM dims.park GROUP BY park_id"
        ).fetchall()
    )
    rows = {
        row["finding_id"]: row for hit in hits for row in [_finding_row(hit, places, files, names)]
    }
    if rows:
        connection.register("screen_rows", store.as_arrow("quality.finding", list(rows.values())))
        connection.execute(
            "INSERT INTO internal.screen_finding BY NAME "
            "SELECT * EXCLUDE (lifecycle) FROM screen_rows ORDER BY finding_id"
        )
        connection.unregister("screen_rows")


def _finding_row(
    hit: Hit,
    places: Mapping[tuple[str, str, str], Mapping[str, Any]],
    files: Mapping[str, Mapping[str, Any]],
    names: Mapping[str, str],
) -> dict[str, Any]:
    message = hit.message
    if "{" in message:
        message = message.replace("{", "“").replace("}", "”")
        twin = message.split("“")[1].split("”")[0]
        message = message.replace(f"“{twin}”", f"“{names.get(twin, twin)}”")
    place = places.get((hit.park_id, hit.indicator_id, hit.period)) if hit.indicator_id else None
    if place is None:
        place = dict(files[hit.park_id]) | {"sheet": None, "address": None, "raw_text": ""}
        where, park_id, indicator_id = "", None, None
    else:
        park_id, indicator_id = hit.park_id, hit.indicator_id
        name = place["entity_raw"] or names.get(hit.park_id, hit.park_id)
        where = f"工作表“{place['sheet']}”{place['address']}(“{name}”{place['name_zh']}):"
    finding = Finding(
        rule_id=hit.screen.screen_id,
        severity=hit.screen.severity,
        message=where + message,
        found=place["raw_text"] or "",
        expected="",
        remedy=hit.screen.remedy,
        submission_id=place["submission_id"],
        file_name=place["file_name"],
        sheet=place["sheet"],
        address=place["address"],
        park_id=park_id,
        indicator_id=indicator_id,
        period=hit.period,
    )
    from dataclasses import asdict

    return asdict(finding) | {"finding_id": finding.finding_id, "reporter": place["reporter"]}
