"""Great Expectations in a process of its own, loaded before it is asked and working beside its owner.

Belongs here: that process, what crosses to it and back, doing without it when it is gone. Does not
belong here: running suites (``suites``), which rows and which suite (``validation``), when a run warms
it up (``pipelines.warming``). It reads tables the project has made, so it is not confined.
"""

from __future__ import annotations

import contextlib
import gc
import pickle
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from quality.expectations import Expectation

if TYPE_CHECKING:
    import pyarrow as pa

    from quality.suites import ExpectationResult

_LENGTH = struct.Struct("<Q")
_SERVE = "from quality.engine import serve; serve()"
_GONE = (OSError, EOFError, pickle.UnpicklingError)


@dataclass(frozen=True, slots=True)
class Question:
    """A suite to be run on the rows of ``table``; at most ``max_keys`` failing rows come back by key."""

    table: pa.Table
    suite: Sequence[Expectation]
    keys: Sequence[str]
    max_keys: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Results in the order of the suite, and the seconds they took where it ran."""

    results: list[ExpectationResult]
    seconds: float


Ask = Callable[[Question], "Future[Answer]"]


def ask_here(question: Question) -> Future[Answer]:
    """The answer of this process, ready when this returns."""
    answer: Future[Answer] = Future()
    answer.set_result(_run(question))
    return answer


class Engine:
    """Runs suites in a process that ``warm_up`` or the first question starts; ``close`` ends it.

    One question is answered at a time, in order, while the owner prepares the next. A process that dies
    takes no answer with it: the suite is run here instead.
    """

    def __init__(self) -> None:
        self._link: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._line: ThreadPoolExecutor | None = None

    def warm_up(self) -> None:
        """Start loading Great Expectations; returns at once, and does nothing a second time."""
        self._opened()

    def ask(self, question: Question) -> Future[Answer]:
        """The answer, when it is there. No rows need no process."""
        if not question.table.num_rows:
            return ask_here(question)
        return self._opened().submit(self._answer, question)

    def close(self) -> None:
        """End the process; questions not answered are left."""
        if self._line is not None:
            self._line.shutdown(cancel_futures=True)
            self._line = None
        self._end()

    def _opened(self) -> ThreadPoolExecutor:
        if self._line is None:
            self._line = ThreadPoolExecutor(1, "validation")
            with contextlib.suppress(OSError):
                self._start()
        return self._line

    def _start(self) -> None:
        self._link, other = socket.socketpair()
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _SERVE],
                stdin=other.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def _answer(self, question: Question) -> Answer:
        if self._link is not None:
            try:
                _send(self._link, replace(question, table=_packed(question.table)))
                found = _receive(self._link)
            except _GONE:
                self._end()
            else:
                if isinstance(found, Answer):
                    return found
        return _run(question)

    def _end(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
        if self._process is not None:
            self._process.kill()  # it holds nothing but what it was sent
            self._process.wait()
            self._process = None


def _run(question: Question) -> Answer:
    from quality import suites
    from warehouse import store

    if not question.table.num_rows:  # and no pandas
        return Answer(suites.on_nothing(question.suite), 0.0)
    started = time.perf_counter()
    frame = store.pandas_frame(question.table)
    results = suites.validate(frame, question.suite, question.keys, question.max_keys)
    return Answer(results, time.perf_counter() - started)


def serve() -> None:
    """Answer on descriptor 0 until the owner is gone."""
    from quality import suites

    link = socket.socket(fileno=0)
    with contextlib.suppress(*_GONE):
        gc.disable()  # loading makes a million objects that all stay
        suites.load_engine()
        gc.freeze()
        gc.enable()
        while True:
            question: Question = _receive(link)
            try:
                answer: object = _run(replace(question, table=_unpacked(question.table)))
            except Exception as error:  # the owner meets it too, and says it as its own
                answer = repr(error)
            _send(link, answer)


# --- what crosses -----------------------------------------------------------------------------------


def _packed(table: pa.Table) -> bytes:
    """Arrow's own stream: exact types, no objects of either process."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _unpacked(packed: bytes) -> pa.Table:
    import pyarrow as pa

    return pa.ipc.open_stream(packed).read_all()


def _send(link: socket.socket, said: object) -> None:
    data = pickle.dumps(said, pickle.HIGHEST_PROTOCOL)
    link.sendall(_LENGTH.pack(len(data)))
    link.sendall(data)


def _receive(link: socket.socket) -> Any:  # both ends are ours, so pickle is safe
    (size,) = _LENGTH.unpack(_exactly(link, _LENGTH.size))
    return pickle.loads(_exactly(link, size))


def _exactly(link: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        count = link.recv_into(view[done:])
        if not count:
            raise EOFError
        done += count
    return data
