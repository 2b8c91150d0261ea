"""Suites run in a process beside: the same answers, and none lost with the process."""

import os
import signal

import pyarrow as pa
import pytest

from quality.engine import Engine, Question, ask_here
from quality.suites import Expectation

ROWS = pa.table({"park_id": ["P1", "P2", "P3"], "value": [1.0, None, -3.0]})
SUITE = (
    Expectation("filled", "required", "ExpectColumnValuesToNotBeNull", "error", "有值",
                {"column": "value"}),
    Expectation("range", "ranges", "ExpectColumnValuesToBeBetween", "verify", "不为负",
                {"column": "value", "min_value": 0}),
    Expectation("broken", "codes", "ExpectColumnValuesToBeInSet", "error", "没有的列",
                {"column": "nowhere", "value_set": [1]}),
)  # fmt: skip
QUESTION = Question(ROWS, SUITE, ("park_id",), 10)


@pytest.fixture(scope="module")
def here():
    return ask_here(QUESTION).result().results


@pytest.fixture
def engine():
    engine = Engine()
    yield engine
    engine.close()


def test_a_process_beside_answers_as_this_one_and_what_it_leaves_is_answered_here(engine, here):
    engine.warm_up()
    process = engine._process.pid
    first, second = engine.ask(QUESTION), engine.ask(QUESTION)
    assert [r.outcome for r in here] == ["fail", "fail", "error"]
    assert here[1].keys == ({"park_id": "P3", "value": -3.0},)
    assert first.result().results == second.result().results == here
    assert engine._process.pid == process  # it has answered, not this process
    os.kill(process, signal.SIGKILL)
    assert engine.ask(QUESTION).result().results == here
    assert engine._process is None


def test_an_engine_nobody_asks_starts_nothing(engine):
    assert engine._process is None
    engine.close()
    assert engine._process is None


def test_a_machine_that_can_start_no_process_answers_all_the_same(engine, here, monkeypatch):
    def refused(*_args, **_options):
        raise OSError("no more processes")

    monkeypatch.setattr("quality.engine.subprocess.Popen", refused)
    assert engine.ask(QUESTION).result().results == here
