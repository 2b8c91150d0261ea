"""What ``parkwatch diff`` says of a change: names a reader knows, no digests."""

from __future__ import annotations

import pytest

from pipelines.cli import proof
from warehouse.compare import Change, Difference, _compare
from warehouse.schema import table

OLD, NEW = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("name", "severity", "before", "after", "words"),
    [
        ("observations.observation", "revised", {"value": "100.00"}, {"value": "150.50"},
         "数值 100 → 150.5"),
        ("assessment.score", "derived", {"rank": 3}, {"rank": None}, "名次 3 → —"),
        ("bulletins.edition", "revised", {"data_digest": OLD}, {"data_digest": NEW}, "数据摘要已变"),
        ("政策目录", "revised", {"weight": 5}, {"weight": 6}, "weight 5 → 6"),
    ],
)  # fmt: skip
def test_a_change_in_words(name, severity, before, after, words):
    assert proof._sides(Change(name, severity, {}, before, after)) == words


def test_tables_are_named_in_chinese(capsys):
    found = Difference("甲", "乙")
    found.add(Change("targets.verdict", "derived", {"target_id": "T1"}, {"light": "red"},
                     {"light": "green"}))  # fmt: skip
    proof._print(found)
    said = capsys.readouterr().out
    assert f"{table('targets.verdict').zh} targets.verdict:随之改变 1" in said
    assert OLD not in said


def test_another_look_with_the_same_result_is_no_change(tmp_path):
    import duckdb

    wanted = table("quality.expectation")
    columns = ", ".join(f"{c.name} {c.type}" for c in wanted.columns)
    connection = duckdb.connect()
    for side, digest, failed in (("old", OLD, 0), ("new", NEW, 0)):
        connection.execute(f"CREATE TABLE {side} ({columns})")
        connection.execute(
            f"INSERT INTO {side} (period, table_name, expectation_id, n_failed, digest) "
            "VALUES ('2020-06', 't', 'e', ?, ?)",
            [failed, digest],
        )
    found = Difference("甲", "乙")
    _compare(connection, wanted, found)
    assert found.is_empty
    connection.execute("UPDATE new SET n_failed = 2")
    _compare(connection, wanted, found)
    assert found.counts["quality.expectation"] == {"revised": 1}
    assert dict(found.changes[0].after) == {"n_failed": 2}
