"""Triage (审核分流) in a run: policy and explanations to the models, gaps and records after them.

Belongs here: handing the catalogue's policy, the ledger's explanations and the period's expectations
to the warehouse's models. Does not belong here: the models (``warehouse/sql``), rules that find
problems, or Dagster (``assets.py``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assets.build import Build
from warehouse import filing
from warehouse.filing_ledger import FilingLedger

if TYPE_CHECKING:
    import duckdb


def triage(connection: duckdb.DuckDBPyConnection, build: Build, period: str | None) -> None:
    """What findings do to the figures and to the standing of files; who was due when."""
    said = FilingLedger(build.workspace.state_file).explanations()
    moments = [
        (word.finding_id, datetime.fromisoformat(word.at).astimezone(UTC).replace(tzinfo=None))
        for word in said
    ]
    filing.refresh_triage(connection, build.catalog.triage, moments)
    workspace = build.workspace
    filing.refresh_expected(
        connection, build.catalog, period, workspace.first_month, workspace.timezone
    )


def gaps(connection: duckdb.DuckDBPyConnection, build: Build) -> None:
    """What is missing and what that does."""
    filing.refresh_gap(connection, lead=_lead(build), asof=build.asof)


def records(connection: duckdb.DuckDBPyConnection) -> None:
    """How each reporter filed."""
    filing.refresh_reporter_record(connection)


def _lead(build: Build) -> str:
    """Indicator shares are computed by: the bureau's lead, else the first it lists, else the first
    that adds up over parks."""
    bureau = build.workspace.bureau
    added_up = (i.indicator_id for i in build.catalog.indicators if i.aggregation == "sum")
    return bureau.lead_indicator or next(iter(bureau.indicators), None) or next(added_up, "")
