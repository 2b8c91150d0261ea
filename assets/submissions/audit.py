"""Stage 1's audit (审核): judge the catalogue's rules over the month's cells, collect the findings.

Belongs here: bringing together catalogue, deadlines, waivers and the build for the rules' run. Does
not belong here: what a rule means (``quality.rules``) or its queries (``warehouse.rule_outcomes``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from assets.build import Build
from assets.submissions.store_rows import collect_findings
from quality import screening
from warehouse import waivers
from warehouse.catalog.workdays import Workdays
from warehouse.rule_outcomes import Surroundings, judge

if TYPE_CHECKING:
    import duckdb

    from warehouse.catalog.load import Catalog


def audit(connection: duckdb.DuckDBPyConnection, build: Build) -> None:
    """Fill ``quality.finding``, ``quality.finding_cell`` and ``quality.rule_outcome``."""
    from quality.rules.compile import compile_rules

    periods = [row[0] for row in connection.execute(_PERIODS).fetchall()]
    around = surroundings(
        build.catalog, periods, build.workspace.first_month, build.workspace.timezone
    )
    judge(connection, compile_rules(build.catalog), around)
    waivers.bring(connection, waivers.Waivers(build.state).all())
    screening.leave_to_rules(connection, build.catalog.screens)
    collect_findings(connection, build.workspace.first_month)


_PERIODS = """
SELECT DISTINCT period FROM submissions.submission WHERE period IS NOT NULL ORDER BY period
"""


def surroundings(
    catalog: Catalog, periods: Iterable[str], first_month: int, zone: str
) -> Surroundings:
    """What rules need besides cells, from the catalogue."""
    return Surroundings(
        first_month=first_month,
        zone=zone,
        bounds=[(i.indicator_id, *(i.soft_range or (None, None))) for i in catalog.indicators],
        required=[
            (source.source_id, indicator)
            for source in catalog.sources
            for indicator in source.required
        ],
        deadlines=list(_deadlines(catalog, periods)),
        references=[
            (f.subject_id, f.indicator_id, f.period, f.value, f.source) for f in catalog.references
        ],
        scored=sorted({item.indicator_id for s in catalog.schemes for item in s.items}),
    )


def _deadlines(catalog: Catalog, periods: Iterable[str]) -> Iterable[tuple[str, str, date]]:
    days = Workdays(catalog.calendar)
    for period in periods:
        for source in catalog.sources:
            if source.deadline is not None:
                due = source.deadline.due(period, days.is_workday, days.is_holiday)
                yield source.source_id, period, due
