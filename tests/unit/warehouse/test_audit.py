"""The audit log notices every entry that was edited, removed or moved."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse import audit


def written(folder: Path, n: int) -> tuple[Path, sqlite3.Connection]:
    path = folder / "state.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(audit.SCHEMA)
    for number in range(n):
        entry = audit.append(
            connection, at=f"2020-07-{number + 1:02d}T00:00:00+00:00", actor="张三",
            action="approve", subject="2020-06/province/1", detail={"理由": f"核对{number}"},
        )  # fmt: skip
        connection.commit()
        audit.anchor(path, entry)
    return path, connection


def test_an_untouched_log_is_whole(tmp_path):
    path, connection = written(tmp_path, 5)
    assert audit.verify(audit.entries(connection), path) == []
    assert audit.verify([], tmp_path / "new" / "state.sqlite") == []


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE audit SET actor = '李四' WHERE number = 3",
        "UPDATE audit SET detail = '{}' WHERE number = 5",
        "UPDATE audit SET at = '2020-08-01T00:00:00+00:00' WHERE number = 1",
        "DELETE FROM audit WHERE number = 3",
        "DELETE FROM audit WHERE number = 5",
        "DELETE FROM audit WHERE number = 1",
        "DELETE FROM audit",
        "UPDATE audit SET number = 9 WHERE number = 2; UPDATE audit SET number = 2 WHERE number = 4;"
        "UPDATE audit SET number = 4 WHERE number = 9",
    ],
)
def test_harm_is_noticed(tmp_path, harm):
    path, connection = written(tmp_path, 5)
    connection.executescript(harm)
    assert audit.verify(audit.entries(connection), path)


def test_a_log_rewritten_with_fresh_hashes_is_noticed_by_its_anchors(tmp_path):
    path, connection = written(tmp_path, 4)
    connection.execute("DELETE FROM audit")
    for number in range(4):
        audit.append(connection, at="2020-07-01T00:00:00+00:00", actor="王五",
            action="approve", subject="x", detail={"n": number})  # fmt: skip
    (fault,) = audit.verify(audit.entries(connection), path)
    assert "锚点" in fault.message


def test_without_anchors_nobody_can_say_that_the_end_is_there(tmp_path):
    path, connection = written(tmp_path, 2)
    audit.anchors_file(path).unlink()
    (fault,) = audit.verify(audit.entries(connection), path)
    assert "锚点" in fault.message


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_change_of_any_field_is_noticed(tmp_path_factory, data):
    path, connection = written(tmp_path_factory.mktemp("log"), 4)
    log = audit.entries(connection)
    place = data.draw(st.integers(0, 3))
    name = data.draw(st.sampled_from(["at", "actor", "action", "subject", "detail", "hash"]))
    old = getattr(log[place], name)
    new = data.draw(st.text(max_size=20).filter(lambda text: text != old))
    import dataclasses

    log[place] = dataclasses.replace(log[place], **{name: new})
    assert audit.verify(log, path)
