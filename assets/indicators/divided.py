"""Park-months in the run itself, or divided by province among workers that share a lake.

Belongs here: what a share is, how a worker derives it, how the run brings facts to the lake and fetches
the results. Does not belong here: the rules (the same SQL models run in both cases), the lake itself
(``warehouse.lake``), workers and queues (``pipelines.spread``).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.build import Build
from warehouse import derive, formulas, lake, store

if TYPE_CHECKING:
    import duckdb

    from warehouse.catalog.load import Catalog
    from warehouse.workspace import Workspace

FACTS, DERIVED = lake.TABLES


@dataclass(frozen=True, slots=True)
class Share:
    """Park-months one worker derives: a province and the months of a year.

    ``facts``: periods whose vintages are needed; ``kept``: periods whose growth is looked back to and
    stays; ``said``: periods any park has figures of; all read as of ``snapshot`` of the lake.
    """

    province: str
    periods: tuple[str, ...]
    facts: tuple[str, ...]
    kept: tuple[str, ...]
    said: tuple[str, ...]
    asof: str
    first_month: int
    snapshot: int

    @classmethod
    def from_config(cls, said: dict[str, Any]) -> Share:
        """A share as it travels through a queue."""
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in said.items()
        }
        return cls(**values)

    def to_config(self) -> dict[str, Any]:
        """The same for the queue."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


def refresh_park_month(build: Build) -> None:
    """indicators.park_month of the affected periods, here or on the workers of the engine."""
    with build.step("计算月度指标") as connection:
        derive.mark_following(connection)
        if not build.workspace.engine.is_distributed:
            derive.derive_park_month(
                connection,
                build.catalog.known_indicators,
                asof=build.asof,
                first_month=build.workspace.first_month,
            )
    if build.workspace.engine.is_distributed:
        shares = _send(build)
        if build.spread is None:
            raise lake.LakeUnavailableError("没有可用的工作进程:请检查 [engine] workers 设置。")
        build.spread(shares)
        _fetch(build, sorted({period for share in shares for period in share.periods}))


def _send(build: Build) -> list[Share]:
    """Bring the lake in line with the facts of the build; the shares to derive from them."""
    with _beside(build) as (connection, shared):
        ordered = formulas.in_order(build.catalog.known_indicators)
        back = 1 + formulas.years_back(ordered)
        values = {"asof": build.asof, "years_back": back}
        store.run_script(connection, "indicators__said_period", values)
        store.run_script(connection, "indicators__kept_growth")
        periods = _column(connection, "SELECT period FROM internal.affected_period ORDER BY 1")
        facts = _column(connection, "SELECT id FROM internal.key WHERE domain = 'period'")
        kept = _column(connection, _KEPT)
        shared.bring_in_line(FACTS, _within(facts, periods, back))
        shared.bring_in_line(DERIVED, kept)
        snapshot = shared.snapshot()
        said = tuple(_column(connection, "SELECT period FROM said_period ORDER BY 1"))
        return [
            Share(
                province=province,
                periods=tuple(of_year),
                facts=tuple(_within(facts, of_year, back)),
                kept=tuple(kept),
                said=said,
                asof=build.asof,
                first_month=build.workspace.first_month,
                snapshot=snapshot,
            )
            for province in lake.provinces(connection)
            for of_year in _by_reach(periods)
        ]


_KEPT = """
SELECT DISTINCT (year - 1) || '-' || lpad(month::VARCHAR, 2, '0') FROM kept_growth ORDER BY 1
"""


def _column(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [row[0] for row in connection.execute(query).fetchall()]


def _within(known: Sequence[str], periods: Sequence[str], years_back: int) -> list[str]:
    """Known periods of these periods' years and so many years before."""
    years = {int(p[:4]) - n for p in periods for n in range(years_back + 1)}
    return sorted(p for p in known if int(p[:4]) in years)


def _by_reach(periods: Sequence[str]) -> list[list[str]]:
    """Periods that have to be derived together: two-year growth looks back to last year's growth, so
    years that follow each other stay in one share; years apart are shares of their own."""
    groups: list[list[str]] = []
    for period in periods:
        if groups and int(period[:4]) - int(groups[-1][-1][:4]) <= 1:
            groups[-1].append(period)
        else:
            groups.append([period])
    return groups


def _fetch(build: Build, periods: Sequence[str]) -> None:
    """The workers' rows into the build; the lake notes that both now hold the same.

    By way of a file: nothing may be attached or detached inside the step's transaction.
    """
    with tempfile.TemporaryDirectory(prefix="parkwatch-shares-") as folder:
        rows = Path(folder) / "rows.parquet"
        with _beside(build) as (connection, shared):
            query = shared.rows(DERIVED, periods)
            connection.execute(f"COPY ({query}) TO '{rows}' (FORMAT parquet)")
        with build.step("汇集月度指标") as connection:
            derive.replace_park_month(connection, f"FROM read_parquet('{rows}')")
    with _beside(build) as (_, shared):
        shared.record(DERIVED, periods)


@contextmanager
def _beside(build: Build) -> Iterator[tuple[duckdb.DuckDBPyConnection, lake.Lake]]:
    """The work file with the lake attached, between two steps."""
    connection = store.connect(build.workspace.work_file)
    try:
        with lake.attached(connection, build.workspace.engine) as shared:
            yield connection, shared
    finally:
        connection.close()


def derive_share(workspace: Workspace, catalog: Catalog, share: Share) -> int:
    """What a worker does: the province's facts out of the lake into a scratch warehouse, the same
    models, the park-months back into the lake. Returns the number of rows written."""
    from assets.submissions.store_rows import load_dimensions
    from warehouse.state import State

    with tempfile.TemporaryDirectory(prefix="parkwatch-share-") as folder:
        connection = store.connect(Path(folder) / "share.duckdb")
        build = Build(workspace, catalog, store.Warehouse(workspace), State(workspace.state_file),
                      now=datetime.min, asof=share.asof)  # fmt: skip
        try:
            store.create_all(connection)
            load_dimensions(connection, build)
            with lake.attached(connection, workspace.engine) as shared:
                _load(connection, shared, share)
                derive.months_of_shares(
                    connection,
                    catalog.known_indicators,
                    asof=share.asof,
                    first_month=share.first_month,
                    parks=_parks(share.province),
                )
                source = f"({lake.with_province(DERIVED)})"
                shared.replace(DERIVED, source, share.periods, [share.province])
            rows = f"SELECT count(*) FROM {DERIVED} WHERE list_contains(?, period)"
            return int((connection.execute(rows, [list(share.periods)]).fetchone() or (0,))[0])
        finally:
            connection.close()


def _parks(province: str) -> str:
    """Every park of the province, as the lake divides them."""
    from warehouse.shares import ALL_PARKS

    return (
        f"SELECT park_id FROM ({ALL_PARKS}) LEFT JOIN ({lake.PROVINCE_OF_PARK}) AS register "
        f"USING (park_id) WHERE coalesce(province_code, '-') = '{province}'"
    )


def _load(connection: duckdb.DuckDBPyConnection, shared: lake.Lake, share: Share) -> None:
    """Facts and kept growth of the share into the scratch warehouse; its periods are the affected."""
    facts = shared.rows(FACTS, share.facts, [share.province], share.snapshot)
    connection.execute(
        "CREATE TEMP TABLE vintage AS SELECT *, NULL::VARCHAR AS source_id, row_number() OVER "
        "(PARTITION BY park_id, indicator_id, period, measure ORDER BY known_from) AS version "
        f"FROM ({facts})"
    )
    connection.execute("DELETE FROM internal.affected_period")
    derive.mark_affected(connection, share.facts)
    store.run_script(connection, "observations__keep")
    connection.execute("DROP TABLE vintage")
    kept = shared.rows(DERIVED, share.kept, [share.province], share.snapshot)
    connection.execute(f"INSERT INTO {DERIVED} BY NAME {kept}")
    connection.execute("DELETE FROM internal.affected_period")
    derive.mark_affected(connection, share.periods)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE said_period AS SELECT unnest(?::VARCHAR[]) AS period, "
        "left(period, 4)::INTEGER AS year, right(period, 2)::INTEGER AS month",
        [list(share.said)],
    )
