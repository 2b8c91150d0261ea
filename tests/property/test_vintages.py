"""As of any moment the warehouse knows what a model knows that replays deliveries one by one.

200 random histories (PARKWATCH_PROPERTY_SCALE times as many): 快报, 定报 and 年报 of several periods in one
file, figures repeated, changed, rounded, blanked, sent in any order and processed in several builds.
Revision statistics are those counted over all vintages at once.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.warehouse_cases import Case, CaseIndicator
from warehouse import derive, store

START = datetime(2020, 7, 1)
PERIODS = ("2020-05", "2020-06", "2020-12")
RANK = {"快报": 1, "定报": 2, None: 2, "年报": 3}
HISTORIES, EXAMPLES = 40, 5 * int(os.environ.get("PARKWATCH_PROPERTY_SCALE", "1"))


@dataclass(frozen=True)
class Delivery:
    """One file: when it came, how mature it is, value (None: blank) by (park, period)."""

    hour: int
    maturity: str | None
    figures: dict[tuple[int, str], Decimal | None]


@st.composite
def histories(draw):
    """Up to 8 deliveries at different hours of two months over two parks and three periods."""
    hours = draw(st.lists(st.integers(1, 1500), min_size=1, max_size=8, unique=True))
    places = st.tuples(st.integers(0, 1), st.sampled_from(PERIODS))
    values = st.sampled_from([None, *map(Decimal, ("100", "100.4", "100.44", "101", "7.5"))])
    return [
        Delivery(hour, draw(st.sampled_from(list(RANK))),
                 draw(st.dictionaries(places, values, min_size=1, max_size=6)))
        for hour in hours
    ]  # fmt: skip


def replayed(history: list[Delivery]) -> list[tuple[int, dict]]:
    """(hour, maturity and value of every figure known from then on), in order of time."""
    known: dict[tuple[int, str], tuple[int, Decimal | None]] = {}
    found = []
    for delivery in sorted(history, key=lambda d: d.hour):
        for place, value in delivery.figures.items():
            rank = RANK[delivery.maturity]
            if place not in known or rank >= known[place][0]:
                known[place] = (rank, value)
        found.append((delivery.hour, dict(known)))
    return found


def deliver(connection, events: list[tuple[int, Delivery]]) -> None:
    for world, delivery in events:
        name = f"w{world}h{delivery.hour}"
        store.insert_rows(connection, "submissions.submission", [{
            "submission_id": name, "file_name": f"{name}.xlsx", "source_id": "s",
            "reporter": f"w{world}", "period": max(p for _, p in delivery.figures),
            "received_at": START + timedelta(hours=delivery.hour), "status": "accepted",
            "n_findings": 0,
        }])  # fmt: skip
        store.insert_rows(connection, "submissions.cell", [
            {
                "submission_id": name, "sheet": "表1", "address": f"B{n}",
                "raw_text": "" if value is None else str(value), "value": value,
                "state": "unknown" if value is None else "reported", "unit_factor": "1",
                "park_id": f"W{world}P{park}", "indicator_id": "C01", "period": period,
                "measure": "ytd", "maturity": delivery.maturity, "role": "data",
            }
            for n, ((park, period), value) in enumerate(delivery.figures.items())
        ])  # fmt: skip
        derive.mark_affected(connection, {period for _, period in delivery.figures})


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(histories(), min_size=HISTORIES, max_size=HISTORIES),
    st.integers(1, 3),
    st.randoms(use_true_random=False),
)
def test_任一时点_与逐件重放的模型一致(worlds, n_builds, chance):
    with tempfile.TemporaryDirectory() as folder:
        case = Case(Path(folder), [CaseIndicator("C01")])
        events = [(number, d) for number, world in enumerate(worlds) for d in world]
        chance.shuffle(events)
        for batch in range(n_builds):
            with case.warehouse.building() as connection:
                deliver(connection, events[batch::n_builds])
                derive.refresh_versions(connection)
                derive.refresh_observations(connection)
                connection.execute("DELETE FROM internal.affected_period")
        rows = case.rows("FROM observations.observation")
        for number, world in enumerate(worlds):
            mine = [row for row in rows if row["park_id"].startswith(f"W{number}P")]
            for hour, known in replayed(world):
                moment = START + timedelta(hours=hour)
                seen = {
                    (int(row["park_id"][-1]), row["period"]): (RANK[row["maturity"]], row["value"])
                    for row in mine
                    if row["known_from"] <= moment
                    and (row["known_to"] is None or row["known_to"] > moment)
                }
                assert seen == known, (number, hour)
        _changes_are_told_apart(case)
        assert case.revisions_add_up()


VINTAGES = """
SELECT park_id, indicator_id, period, measure, value, state, maturity, submission_id, address, source_id,
    known_from, known_to, version
FROM vintage ORDER BY ALL
"""
ONLY_CONTESTED = "HAVING count(*) > 1 OR count(active_to) > 0"


@settings(max_examples=5, deadline=None)
@given(st.lists(histories(), min_size=HISTORIES, max_size=HISTORIES))
def test_只说过一次的数_不经比较与经比较结果相同(worlds):
    """A figure only one file gives needs no comparing: compared all the same, it has the same vintage."""
    with tempfile.TemporaryDirectory() as folder:
        case = Case(Path(folder), [CaseIndicator("C01")])
        with case.warehouse.building() as connection:
            deliver(connection, [(number, d) for number, world in enumerate(worlds) for d in world])
            derive.refresh_versions(connection)
            script = store.model_select("observations.refresh")
            assert ONLY_CONTESTED in script
            found = []
            for text in (script, script.replace(ONLY_CONTESTED, "")):
                connection.execute(text)
                found.append(connection.execute(VINTAGES).fetchall())
            left = connection.execute(
                "SELECT count(*) FROM counting ANTI JOIN contested USING (figure_hash)"
            )
            assert left.fetchone() == (0,)
        assert found[0] == found[1]
        assert found[0]


def _changes_are_told_apart(case: Case) -> None:
    """Rounding is what only shows other digits of the same number, and never a revision."""
    pairs = {
        (row["former_value"], row["value"]): row["kind"]
        for row in case.rows(
            "FROM observations.revision WHERE value IS NOT NULL AND former_value IS NOT NULL"
        )
    }
    same_number = {(Decimal("100.4"), Decimal("100.44")), (Decimal(100), Decimal("100.4")),
                   (Decimal(100), Decimal("100.44"))}  # fmt: skip
    for (former, value), kind in pairs.items():
        is_same = (former, value) in same_number or (value, former) in same_number
        assert (kind == "rounding") == is_same, (former, value, kind)
