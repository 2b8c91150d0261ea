"""Mirrors in the ledger: exactly the rows that are told, only what differs is written, seals hold."""

from __future__ import annotations

import pytest

from warehouse import ledger, seals

SCHEMA = """
CREATE TABLE IF NOT EXISTS due (
    period TEXT NOT NULL, reporter TEXT NOT NULL, name TEXT, n INTEGER, PRIMARY KEY (period, reporter)
);
"""
MAY, JUNE = ("2020-05", "a", "甲", 1), ("2020-06", "a", "甲", 1)


def mirrored(path, rows, periods=None):
    """Mirror the rows; how many rows were written."""
    with ledger.transaction(path, SCHEMA) as connection:
        before = connection.total_changes
        ledger.mirror(connection, "due", ("period", "reporter"), ("name", "n"), rows, periods)
        return connection.total_changes - before


def held(path):
    with ledger.transaction(path, SCHEMA) as connection:
        assert seals.broken(connection) == [("due", "")]
        return [tuple(row) for row in connection.execute("SELECT * FROM due ORDER BY 1, 2")]


def test_a_mirror_holds_exactly_what_is_told(tmp_path):
    path = tmp_path / "state.sqlite"
    mirrored(path, [MAY, JUNE])
    mirrored(path, [("2020-06", "a", "甲局", 2), ("2020-06", "b", None, 0)])
    assert held(path) == [("2020-06", "a", "甲局", 2), ("2020-06", "b", None, 0)]


def test_what_is_there_already_is_not_written_again(tmp_path):
    path = tmp_path / "state.sqlite"
    assert mirrored(path, [MAY, JUNE]) > 0
    assert mirrored(path, [JUNE, MAY]) == 0


@pytest.mark.parametrize("rows", [[], [("2020-06", "b", "乙", 3)]])
def test_other_periods_are_left_alone(tmp_path, rows):
    path = tmp_path / "state.sqlite"
    mirrored(path, [MAY, JUNE])
    mirrored(path, rows, ["2020-06"])
    assert held(path) == [MAY, *rows]
