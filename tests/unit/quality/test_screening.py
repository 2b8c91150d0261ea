"""Screens stand aside where a rule has already said the same; figures are put on the right grid."""

from __future__ import annotations

import numpy as np
import pytest

from quality import screening
from warehouse import store
from warehouse.catalog.load import load_catalog

SCREENS = load_catalog(None, "none").screens
PLACE = {"submission_id": "s1", "sheet": "表", "park_id": "P1", "indicator_id": "C01",
         "period": "2020-06", "severity": "verify", "outcome": "fail", "message": "问题"}  # fmt: skip


@pytest.fixture
def connection(tmp_path):
    connection = store.connect(tmp_path / "w.duckdb")
    store.create_all(connection)
    yield connection
    connection.close()


def put(connection, table, *rows):
    for n, row in enumerate(rows):
        full = {"finding_id": f"{table}{n}", **row}
        names = ", ".join(full)
        marks = ", ".join("?" * len(full))
        connection.execute(
            f"INSERT INTO internal.{table} ({names}) VALUES ({marks})", list(full.values())
        )


@pytest.mark.parametrize(
    ("rule", "reported"),
    [
        (PLACE | {"rule_id": "V090", "address": "C3"}, False),
        (PLACE | {"rule_id": "V090", "address": "C3", "indicator_id": None}, False),
        (PLACE | {"rule_id": "V090", "address": "C3", "indicator_id": "C04"}, True),
        (PLACE | {"rule_id": "V090", "address": "C3", "submission_id": "s2"}, True),
        (PLACE | {"rule_id": "V090", "address": "C3", "outcome": "not_evaluable"}, True),
        (PLACE | {"rule_id": "V091", "address": "C3"}, True),
    ],
)
def test_a_screen_stands_aside_for_its_rule_on_the_same_figure_only(connection, rule, reported):
    put(connection, "screen_finding", PLACE | {"rule_id": "SCREEN-SCOPE", "address": "B3"})
    put(connection, "rule_finding", rule)
    screening.leave_to_rules(connection, SCREENS)
    (n,) = connection.execute("SELECT count(*) FROM internal.screen_said").fetchone()
    assert n == int(reported)


def test_cumulative_values_become_steps_and_january_february_stay_together():
    """Eleven report periods a year from 1—2月 on; the window starts in the second of a year."""
    cumulative = np.array([[30.0, 45, 60, 10, 25]])
    steps = screening._steps(cumulative, offset=8, season=11)
    assert np.isnan(steps[0, 0])
    assert steps[0, 1:].tolist() == [15, 15, 10, 15]


def test_periods_are_columns_without_january():
    calendar = screening.Calendar(2015, 2)
    assert calendar.season == 11
    assert [calendar.column(p) for p in ("2015-02", "2015-12", "2016-02")] == [0, 10, 11]
