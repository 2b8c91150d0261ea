"""Old runs of the instance go with everything they left; what is still needed stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    SqlEventLogStorageTable,
)

from pipelines import housekeeping
from tests.support.warehouse_cases import workspace
from warehouse.closings import Closings

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=401)


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["2020-06", "2020-07"]))
def figures():
    """An asset with a check."""


@dg.asset_check(asset=figures)
def sound():
    """Its check."""
    return dg.AssetCheckResult(passed=True)


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A workspace whose instance ran two periods; only the first of them is closed."""
    told = workspace(tmp_path_factory.mktemp("w"))
    told.dagster_home.mkdir()
    instance = dg.DagsterInstance.local_temp(str(told.dagster_home))
    job = dg.Definitions(
        [figures], asset_checks=[sound], jobs=[dg.define_asset_job("monthly")]
    ).resolve_job_def("monthly")
    runs = {
        period: job.execute_in_process(instance=instance, partition_key=period).run_id
        for period in ("2020-06", "2020-07")
    }
    Closings(told.state_file).record("2020-06", "a run", NOW)
    return told, instance, runs


def rows_of(instance, run_id):
    """Rows of a run in the index of all runs."""
    with instance.event_log_storage.index_connection() as connection:
        return [
            len(connection.execute(table.select().where(table.c.run_id == run_id)).fetchall())
            for table in (SqlEventLogStorageTable, AssetCheckExecutionsTable)
        ]


def test_runs_older_than_the_settings_keep_go_with_everything_they_left(history):
    told, instance, runs = history
    assert housekeeping.remove_old_runs(instance, told, NOW) == 0
    assert all(rows_of(instance, runs["2020-06"]))
    assert housekeeping.remove_old_runs(instance, told, LATER) == 1
    assert [run.run_id for run in instance.get_runs()] == [runs["2020-07"]], "not closed: kept"
    assert rows_of(instance, runs["2020-06"]) == [0, 0]
    assert all(rows_of(instance, runs["2020-07"]))
    left = {path.name for path in told.dagster_home.rglob("*") if runs["2020-06"] in path.name}
    assert left == set()
    assert housekeeping.remove_old_runs(instance, told, LATER) == 0
