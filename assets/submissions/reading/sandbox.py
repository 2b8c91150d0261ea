"""Hostile files are read in confined child processes; the parent only sees checked answers.

Belongs here: a warm pool of reading processes, what their outcomes mean, replacement of dead
processes, opening files without following links. Does not belong here: formats (prescan, parsers),
one process and its socket (reading_process), what a process may do (child), encoding (wire).
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import signal
import stat
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from types import TracebackType

from assets.submissions.reading.limits import DEFAULT_LIMITS, MIB, Limits
from assets.submissions.reading.reading_process import ReadingProcess, SandboxError
from assets.submissions.reading.rejections import Refused, refuse, rejection
from assets.submissions.reading.wire import WireError
from assets.submissions.reading.workbook import Notice, Rejected, Workbook

__all__ = ["Limits", "PoolStatistics", "ReaderPool", "SandboxError"]

Result = Workbook | Rejected

# suffix → formats that a file of this name may honestly be
_EXPECTED_FORMATS: dict[str, tuple[str, ...]] = {
    ".xlsx": ("xlsx",),
    ".xlsm": ("xlsm", "xlsx"),
    ".xlsb": ("xlsb",),
    ".xls": ("xls",),
    ".et": ("xls", "xlsx"),
    ".ods": ("ods",),
    ".csv": ("csv", "txt"),
    ".tsv": ("tsv", "txt"),
    ".txt": ("txt", "tsv", "csv"),
    ".htm": ("html",),
    ".html": ("html",),
    ".xml": ("xml2003",),
}
# outcomes that may be due to what the process did before: tried again in a fresh one
_RETRIED = ("memory_limit", "reader_crashed")
# Small files are sent while one before them is being read, so that the process never waits. All of
# them together have to fit the socket's buffer, or both sides could wait for each other.
_SENT_AHEAD = 64 * 1024
_FILES_AHEAD = 6


@dataclass(slots=True)
class PoolStatistics:
    """Counts over the life of a pool. ``peak_child_kib`` is the largest resident memory that a
    process reported with an answer; one that died was below its limit by construction."""

    files: int = 0
    started: int = 0
    died: int = 0
    peak_child_kib: int = 0


@dataclass(frozen=True, slots=True)
class _Job:
    name: str
    source: bytes | Path
    future: Future[Result]


class ReaderPool:
    """Reads files in ``workers`` confined processes, kept warm and replaced when they die.

    ``passwords`` are tried on encrypted files, each in a process of its own; they cross its socket,
    never an argument or the environment. Use as a context manager. The parent's memory does not
    grow with the number of files: at most ``look_ahead`` results wait. Results depend on the file
    alone: what fails in a process that has read others is read again in a fresh one.
    """

    def __init__(
        self,
        workers: int = 2,
        limits: Limits = DEFAULT_LIMITS,
        passwords: Sequence[str] = (),
        look_ahead: int | None = None,
    ) -> None:
        if workers < 1:
            raise ValueError("workers must be at least 1")
        self.limits = limits
        self.statistics = PoolStatistics()
        self._workers = workers
        self._passwords = tuple(passwords)
        self._look_ahead = 8 * workers if look_ahead is None else max(1, look_ahead)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._processes: set[ReadingProcess] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._closing = False

    def __enter__(self) -> ReaderPool:
        if self._threads:
            raise RuntimeError("ReaderPool is already open")
        self._closing = False
        self._jobs = queue.SimpleQueue()
        for number in range(self._workers):
            thread = threading.Thread(target=self._work, name=f"reader-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all reading processes; files still being read are abandoned."""
        self._closing = True
        with self._lock:
            for process in self._processes:
                process.kill()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._threads = []
        with contextlib.suppress(queue.Empty):
            while True:
                left = self._jobs.get_nowait()
                if left is not None:
                    left.future.cancel()

    def read_many(self, items: Iterable[tuple[str, bytes | Path]]) -> Iterator[tuple[str, Result]]:
        """(name, result) for each (name, content or path), in the order given.

        Raises ``SandboxError`` only when reading processes cannot be started at all.
        """
        pending: deque[_Job] = deque()
        try:
            for name, source in items:
                pending.append(self._submit(name, source))
                if len(pending) >= self._look_ahead:
                    job = pending.popleft()
                    yield job.name, job.future.result()
            while pending:
                job = pending.popleft()
                yield job.name, job.future.result()
        finally:
            for job in pending:
                job.future.cancel()

    def read_one(self, name: str, source: bytes | Path) -> Result:
        """Read a single file."""
        return self._submit(name, source).future.result()

    def _submit(self, name: str, source: bytes | Path) -> _Job:
        if not self._threads or self._closing:
            raise RuntimeError("ReaderPool is not open; use it in a with statement")
        job = _Job(name, source, Future())
        self._jobs.put(job)
        return job

    def _work(self) -> None:
        """A thread of the pool: one process at a time, at most two files with it."""
        worker = _Worker(self)
        worker.warm_up()
        while True:
            job = self._jobs.get()
            if job is None or self._closing:
                break
            try:
                self._serve(worker, job)
            except Exception as error:  # whoever waits for the files is told; the thread goes on
                worker.give_up(error)
        worker.stop()
        if job is not None:
            job.future.cancel()

    def _serve(self, worker: _Worker, job: _Job) -> None:
        """Read a file, and those that come while it is being read."""
        worker.take(job)
        while worker.busy:
            if not worker.full:
                with contextlib.suppress(queue.Empty):
                    following = self._jobs.get_nowait()
                    if following is None:
                        self._jobs.put(None)
                    else:
                        worker.take(following)
            worker.finish_one()

    def start(self, passwords: Sequence[str] | None) -> ReadingProcess:
        """A new reading process, known to the pool."""
        process = ReadingProcess(self.limits, passwords)
        with self._lock:
            self.statistics.started += 1
            self._processes.add(process)
            if self._closing:
                process.kill()
        return process

    def discard(self, process: ReadingProcess, grace: float = 0.0) -> None:
        """End a process and forget it."""
        with self._lock:
            self._processes.discard(process)
        process.end(grace)

    def settle(self, job: _Job, data: bytes, result: Result, fresh: bool) -> None:
        """Answer a job, after a second attempt where the first one calls for it."""
        try:
            if isinstance(result, Rejected):
                if result.code == "encrypted":
                    result = self._ask_fresh(data, self._passwords)
                elif result.code in _RETRIED and not fresh and not self._closing:
                    result = self._ask_fresh(data, None)
        except SandboxError as error:
            self.fail(job, error)
            return
        with self._lock:
            self.statistics.files += 1
        named = _with_name_notice(job.name, result) if isinstance(result, Workbook) else result
        if job.future.set_running_or_notify_cancel():
            job.future.set_result(named)

    def fail(self, job: _Job, error: Exception) -> None:
        """Pass a fault of the machine to whoever waits for the job."""
        if job.future.set_running_or_notify_cancel():
            job.future.set_exception(error)

    def receive(self, process: ReadingProcess) -> tuple[Result, bool]:
        """The next result of a process, and whether the process lives on."""
        try:
            answer = process.receive()
        except TimeoutError:
            self.discard(process)
            limit = self.limits.wall_seconds
            return rejection("wall_limit", f"超过 {limit:g} 秒", limit), False
        except WireError:
            self.discard(process)
            return rejection("reader_crashed", "读取进程的应答无效"), False
        except (ConnectionError, EOFError):
            self.discard(process, grace=2.0)
            return self._explain_death(process.exit_code), False
        with self._lock:
            self.statistics.peak_child_kib = max(self.statistics.peak_child_kib, answer.peak_kib)
        if answer.retire:
            self.discard(process)
        return answer.result, not answer.retire

    def _ask_fresh(self, data: bytes, passwords: Sequence[str] | None) -> Result:
        """One answer from a process started for it and ended after it."""
        process = self.start(passwords)
        alive = True
        try:
            # a broken pipe shows again, with its cause, on receiving
            with contextlib.suppress(ConnectionError, TimeoutError):
                process.send(data)
            result, alive = self.receive(process)
        finally:
            if alive:
                self.discard(process)
        return result

    def _explain_death(self, exit_code: int) -> Rejected:
        with self._lock:
            self.statistics.died += 1
        number = -exit_code
        if number == signal.SIGXCPU:
            limit = self.limits.cpu_seconds
            return rejection("cpu_limit", f"超过 {limit} 秒", limit)
        if number == signal.SIGKILL:
            megabytes = self.limits.memory_bytes // MIB
            return rejection("memory_limit", "读取进程被系统终止", megabytes)
        if number > 0:
            return rejection("reader_crashed", f"读取进程因信号 {number} 终止")
        return rejection("reader_crashed", f"读取进程退出，退出码 {exit_code}")


class _Worker:
    """The files that one thread of the pool has handed to its process."""

    def __init__(self, pool: ReaderPool) -> None:
        self.pool = pool
        self.process: ReadingProcess | None = None
        self.with_process: deque[tuple[_Job, bytes, bool]] = deque()  # job, content, first in line
        self.held: tuple[_Job, bytes] | None = None  # too large to be sent ahead

    def warm_up(self) -> None:
        """Start the process before the first file comes; a failure shows again with that file."""
        with contextlib.suppress(OSError):
            self.process = self.pool.start(None)

    @property
    def busy(self) -> bool:
        """Is a file being read or held?"""
        return bool(self.with_process or self.held)

    @property
    def full(self) -> bool:
        """No room for another file."""
        return self.held is not None or len(self.with_process) >= _FILES_AHEAD

    def take(self, job: _Job) -> None:
        """Load a file and send it, or hold it until the process is free."""
        if job.future.cancelled():
            return
        try:
            data = load(job.source, self.pool.limits)
        except Refused as refused:
            self.pool.settle(job, b"", refused.rejected, fresh=True)
            return
        except Exception as error:
            self.pool.fail(job, error)
            return
        waiting = sum(len(content) for _, content, _ in self.with_process)
        if self.with_process and waiting + len(data) > _SENT_AHEAD:
            self.held = (job, data)
        else:
            self._send(job, data)

    def finish_one(self) -> None:
        """Wait for the oldest answer; hand what was waiting behind it to the process."""
        if not self.with_process:
            self._send_held()
            return
        process = self.process
        if process is None:
            raise RuntimeError("files are waiting without a process")
        job, data, fresh = self.with_process.popleft()
        result, alive = self.pool.receive(process)
        if not alive:
            self.process = None
            again = list(self.with_process)
            self.with_process.clear()
            for following, content, _ in again:
                self._send(following, content)
        self.pool.settle(job, data, result, fresh)
        if not self.with_process:
            self._send_held()

    def give_up(self, error: Exception) -> None:
        """Pass an unforeseen fault of ours to all who wait, and start anew."""
        held = [self.held[0]] if self.held else []
        for job in [*(job for job, _, _ in self.with_process), *held]:
            self.pool.fail(job, error)
        self.with_process.clear()
        self.held = None
        self.stop()

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.pool.discard(self.process)
            self.process = None

    def _send_held(self) -> None:
        held, self.held = self.held, None
        if held is not None:
            self._send(*held)

    def _send(self, job: _Job, data: bytes) -> None:
        try:
            if self.process is None:
                self.process = self.pool.start(None)
            fresh = self.process.sent == 0
            # a broken pipe shows again, with its cause, on receiving
            with contextlib.suppress(ConnectionError, TimeoutError):
                self.process.send(data)
        except (SandboxError, OSError) as error:
            self.stop()
            self.pool.fail(job, error)
            return
        self.with_process.append((job, data, fresh))


def load(source: bytes | Path, limits: Limits) -> bytes:
    """Content of a regular file, never through a link, never more than the limit.

    Raises ``Refused``.
    """
    if isinstance(source, bytes):
        _check_size(len(source), limits)
        return source
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise refuse("not_a_file", "链接、管道或设备") from None
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise refuse("unreadable_source", reason) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise refuse("not_a_file", "文件夹、管道或设备")
        _check_size(status.st_size, limits)
        with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
            data = file.read()
    finally:
        os.close(descriptor)
    _check_size(len(data), limits)
    return data


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.file_bytes:
        raise refuse("file_too_large", f"{size / MIB:,.1f} MB", limits.file_bytes // MIB)


def _with_name_notice(name: str, book: Workbook) -> Workbook:
    """Add a notice when the suffix promises another format than the content has."""
    suffix = PurePath(name).suffix.lower()
    expected = _EXPECTED_FORMATS.get(suffix)
    if expected is None or book.format in expected:
        return book
    text = f"文件名后缀为 {suffix}，实际内容为 {book.format}，已按内容读取"
    return replace(book, notices=(*book.notices, Notice("content_differs", text)))
