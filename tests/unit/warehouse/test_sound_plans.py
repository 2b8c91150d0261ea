"""Every connection of the project plans its queries without the optimizer that gives wrong results."""

from pathlib import Path

from warehouse import store


def test_no_connection_merges_scans_of_a_view(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    for read_only in (False, True):
        connection = store.connect(path, read_only=read_only)
        row = connection.execute("SELECT current_setting('disabled_optimizers')").fetchone()
        connection.close()
        assert row is not None
        assert store.WRONG_OPTIMIZERS in row[0]
