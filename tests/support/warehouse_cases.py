"""Small warehouses made in code: indicators, parks, submissions and cells for tests of derivations.

Belongs here: making and building them. Does not belong here: expectations.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from warehouse import derive, filing, store
from warehouse.catalog.filing import TriagePolicy
from warehouse.workspace import Bureau, Workspace


@dataclass(frozen=True)
class CaseIndicator:
    """Just what derivations ask of an indicator."""

    indicator_id: str
    over_time: str = "ytd"
    aggregation: str = "sum"
    formula: str | None = None
    unit: str = "万元"
    kind: str = "flow"
    counted: str | None = None
    non_negative: bool = True
    small_base: Decimal | None = None
    growth_cap_pct: Decimal | None = None
    prior_tolerance_pct: Decimal | None = Decimal(5)
    obtained: str = "reported"
    obtained_from: str = ""


def workspace(home: Path, first_month: int = 2) -> Workspace:
    """A workspace at ``home`` that needs no settings file."""
    return Workspace(
        home=home, bureau=Bureau(name="测试局", region_code="610000"), first_month=first_month
    )


class Case:
    """A warehouse under construction; cells are added delivery by delivery."""

    def __init__(self, home: Path, indicators: list[CaseIndicator], first_month: int = 2) -> None:
        self.workspace = workspace(home, first_month)
        self.warehouse = store.Warehouse(self.workspace)
        self.indicators = indicators
        self.triage: list[TriagePolicy] = []
        self.explanations: list[tuple[str, datetime]] = []
        self.warehouse.begin("case")
        with self.warehouse.building() as connection:
            names = [field.name for field in fields(CaseIndicator)]
            rows = [
                {name: getattr(i, name, None) for name in names}
                | {"name_zh": i.indicator_id, "obtained": getattr(i, "obtained", "reported")}
                for i in indicators
            ]
            store.replace_rows(connection, "dims.indicator", rows)

    def parks(self, *parks: dict[str, Any]) -> None:
        """Register rows; sensible defaults for what is not given."""
        defaults = {"valid_from": date(2015, 1, 1), "province_code": "610000", "status": "active",
                    "is_key": False, "is_demonstration": False}  # fmt: skip
        with self.warehouse.building() as connection:
            rows = [defaults | {"name": park["park_id"]} | park for park in parks]
            store.replace_rows(connection, "dims.park", rows)

    def declare(self, table: str, *rows: dict[str, Any]) -> None:
        """Rows of a dims table: scope_break, enclave_share, noted_figure, region."""
        with self.warehouse.building() as connection:
            store.replace_rows(connection, f"dims.{table}", rows)

    def deliver(
        self,
        submission_id: str,
        received: datetime,
        cells: list[tuple[str, str, str, str, Any]],
        reporter: str = "r1",
        **extra: Any,
    ) -> None:
        """One file: cells as (park, indicator, period, measure, value or state)."""
        period = max(cell[2] for cell in cells)
        with self.warehouse.building() as connection:
            store.insert_rows(
                connection,
                "submissions.submission",
                [{"submission_id": submission_id, "file_name": f"{submission_id}.xlsx",
                  "source_id": "s", "reporter": reporter, "period": period,
                  "received_at": received, "status": "accepted", "n_findings": 0} | extra],
            )  # fmt: skip
            store.insert_rows(
                connection,
                "submissions.cell",
                [_cell(submission_id, number, cell) for number, cell in enumerate(cells)],
            )
            derive.mark_affected(connection, {cell[2] for cell in cells})

    def find(self, finding_id: str, severity: str = "error", **where: Any) -> None:
        """One finding as the rules leave it: rule ``r`` unless told otherwise."""
        row = {"finding_id": finding_id, "rule_id": "r", "severity": severity, "outcome": "fail",
               "message": "甲不得大于乙", "lifecycle": "new", "reporter": "r1"}  # fmt: skip
        with self.warehouse.building() as connection:
            store.insert_rows(connection, "quality.finding", [row | where])

    def build(self, period: str, asof: str = store.FAR_FUTURE, *, each_month: bool = False) -> None:
        """Run all derivations for ``period`` and forget what was affected, as publishing does."""
        with self.warehouse.building() as connection:
            derive.refresh_versions(connection)
            filing.refresh_triage(connection, self.triage, self.explanations)
            derive.refresh_observations(connection)
            derive.refresh_park_month(
                connection, self.indicators, asof=asof, first_month=self.workspace.first_month
            )
            derive.refresh_park_year(connection, period, each_month=each_month)
            derive.refresh_area_year(connection, self.indicators, asof=asof)
            derive.refresh_coverage(connection)
            connection.execute("DELETE FROM internal.affected_period")

    def revisions_add_up(self) -> int:
        """Revision statistics equal those counted over all vintages at once; how many rows there are."""
        plain = Path(__file__).with_name("revisions_of_all_vintages.sql").read_text("utf-8")
        counted = self.rows(f"FROM ({plain}) ORDER BY ALL")
        assert self.rows("FROM observations.revision_summary ORDER BY ALL") == counted
        return len(counted)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Rows of a query on the work file."""
        with self.warehouse.building() as connection:
            return store.fetch(connection, query, list(values))


def _cell(submission_id: str, number: int, cell: tuple[str, str, str, str, Any]) -> dict[str, Any]:
    park_id, indicator_id, period, measure, value = cell
    is_state = isinstance(value, str)
    return {
        "submission_id": submission_id,
        "sheet": "表1",
        "address": f"C{number + 5}",
        "raw_text": str(value),
        "value": None if is_state else Decimal(str(value)),
        "state": value if is_state else "reported",
        "park_id": park_id,
        "indicator_id": indicator_id,
        "period": period,
        "measure": measure,
        "role": "data",
    }
