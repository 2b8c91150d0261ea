"""The month by parkwatch's own stages: read → checked → loaded → ranked, without Dagster and documents.

Belongs here: calling the stages a run calls, in its order, and the result every side hands in. Does not
belong here: anything the stages do. ``python -m bench.peers.ours [ranks] HOME RESULT.csv``.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from pathlib import Path

from bench.peers.month import PERIOD

RANKS = """
COPY (
    SELECT class_id, park_id, round(score * 100)::BIGINT AS points, rank
    FROM assessment.score WHERE asof_period = '{period}' AND rank IS NOT NULL ORDER BY class_id, rank, park_id
) TO '{path}' (HEADER)
"""


def main() -> None:
    """``HOME RESULT``: do the month. ``ranks HOME RESULT``: ranks of a workspace that has run."""
    if sys.argv[1] == "ranks":
        ranks_of(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        do_month(Path(sys.argv[1]), Path(sys.argv[2]))


def ranks_of(home: Path, result: Path) -> None:
    """Write the ranks of the published warehouse."""
    from warehouse.store import connect

    with connect(home / "warehouse.duckdb", read_only=True) as connection:
        connection.execute(RANKS.format(period=PERIOD, path=result))


def do_month(home: Path, result: Path) -> None:
    """Do the month; write ranks; print seconds and findings as JSON."""
    from assets.assessment import store_rows as assessing
    from assets.indicators import divided
    from assets.observations import triage
    from assets.submissions import audit, store_rows
    from pipelines.resources import open_build
    from pipelines.settings import load_workspace
    from warehouse import derive

    spent: dict[str, list[float]] = {}

    def done(what: str) -> None:
        now = [time.perf_counter(), time.process_time()]
        spent[what] = [a - b for a, b in zip(now, before, strict=True)]
        before[:] = now

    before = [time.perf_counter(), time.process_time()]
    with open_build(load_workspace(home), "bench", period=PERIOD) as build:
        build.now = datetime(2020, 7, 5)
        with build.step("catalogue") as connection:
            store_rows.load_dimensions(connection, build)
        done("catalogue")
        store_rows.take_in(build)
        done("read and load")
        with build.step("check") as connection:
            audit.audit(connection, build)
            triage.triage(connection, build, PERIOD)
        done("check")
        with build.step("observations") as connection:
            derive.refresh_observations(connection)
        done("observations")
        divided.refresh_park_month(build)
        with build.step("years") as connection:
            derive.refresh_park_year(connection, PERIOD, each_month=True)
            derive.refresh_area_year(connection, build.catalog.known_indicators, asof=build.asof)
        done("indicators")
        with build.step("rank") as connection:
            assessing.register_outcomes(connection, build)
            assessing.assess(connection, build, PERIOD)
            connection.execute(RANKS.format(period=PERIOD, path=result))
            found = connection.execute(
                "SELECT rule_id, count(*) FROM quality.finding WHERE rule_id LIKE 'B%' GROUP BY 1 ORDER BY 1"
            ).fetchall()
        done("rank")
        build.publish(PERIOD)
        done("publish")
    print(json.dumps({"stages": spent, "findings": dict(found)}))


if __name__ == "__main__":
    main()
