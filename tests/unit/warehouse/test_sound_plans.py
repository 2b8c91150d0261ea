"""Every connection of the project plans its queries without the optimizer that gives wrong results."""

from pathlib import Path

import duckdb
import pytest

from tests.support.warehouse_cases import workspace
from warehouse import store


def test_no_connection_merges_scans_of_a_view(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    for read_only in (False, True):
        connection = store.connect(path, read_only=read_only)
        row = connection.execute("SELECT current_setting('disabled_optimizers')").fetchone()
        connection.close()
        assert row is not None
        assert store.WRONG_OPTIMIZERS in row[0]


def test_joins_as_written_leave_that_optimizer_out_too_and_end_with_the_block(
    tmp_path: Path,
) -> None:
    connection = store.connect(tmp_path / "w.duckdb")

    def disabled() -> set[str]:
        row = connection.execute("SELECT current_setting('disabled_optimizers')").fetchone()
        assert row is not None
        return set(row[0].split(","))

    usual = disabled()
    with store.as_written(connection):
        assert disabled() == usual | {"join_order"}
    assert disabled() == usual
    connection.close()


def test_a_small_file_is_built_by_one_thread_and_a_large_one_by_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = store.Warehouse(workspace(tmp_path))
    usual = _threads(store.connect(tmp_path / "other.duckdb"))
    with warehouse.writer_lock():
        warehouse.begin("run")
        with warehouse.building() as connection:
            assert _threads(connection) == 1
    monkeypatch.setattr(store, "ONE_THREAD_UP_TO", 0)
    with warehouse.writer_lock(), warehouse.building() as connection:
        assert _threads(connection) == usual


def _threads(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("SELECT current_setting('threads')").fetchone()
    assert row is not None
    return int(row[0])
