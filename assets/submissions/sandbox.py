"""Hostile files are read in confined child processes; the parent only sees checked answers.

Belongs here: a warm pool of reading processes, its limits on time and answers, replacement of dead
processes, opening files without following links. Does not belong here: formats (prescan, parsers),
what a reading process may do (child), the encoding (wire).
"""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import queue
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from struct import Struct
from types import TracebackType

from assets.submissions.limits import DEFAULT_LIMITS, MIB, Limits
from assets.submissions.rejections import Refused, refuse, rejection
from assets.submissions.wire import Answer, WireError, decode
from assets.submissions.workbook import Notice, Rejected, Workbook

__all__ = ["Limits", "PoolStatistics", "ReaderPool", "SandboxError"]

_LENGTH = Struct("<Q")
_PIECE = 1 << 20
_READY = b"ready"
_START_SECONDS = 60.0
_BOOT = (
    "import sys\n"
    "sys.path[:0] = sys.argv[2:]\n"
    "from assets.submissions.child import main\n"
    "main()\n"
)
_LIBRARIES = ("python_calamine", "lxml", "msoffcrypto", "olefile", "cryptography", "cffi")
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


class SandboxError(RuntimeError):
    """A reading process could not be started or confined: a fault of the machine, of no file."""


@dataclass(slots=True)
class PoolStatistics:
    """Counts over the life of a pool; ``peak_child_kib`` is resident memory of the largest child."""

    files: int = 0
    started: int = 0
    died: int = 0
    peak_child_kib: int = 0


class ReaderPool:
    """Reads files in ``workers`` confined processes, kept warm and replaced when they die.

    ``passwords`` are tried on encrypted files, in a separate process that handles nothing else;
    they cross its socket, never an argument or the environment. Use as a context manager. Memory
    of the parent does not grow with the number of files: at most ``look_ahead`` results wait.
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
        self._look_ahead = 4 * workers if look_ahead is None else max(1, look_ahead)
        self._idle: queue.LifoQueue[_Child] = queue.LifoQueue()
        self._children: set[_Child] = set()
        self._lock = threading.Lock()
        self._closing = False
        self._executor: ThreadPoolExecutor | None = None

    def __enter__(self) -> ReaderPool:
        self._closing = False
        self._executor = ThreadPoolExecutor(self._workers, thread_name_prefix="reader")
        for _ in range(self._workers):  # started now, ready when the first file comes
            self._executor.submit(lambda: self._idle.put(self._start(None)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all reading processes; files being read are abandoned."""
        self._closing = True
        with self._lock:
            children = list(self._children)
        for child in children:
            child.process.kill()
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None
        with self._lock:
            children = list(self._children)
        for child in children:
            self._discard(child)
        self._idle = queue.LifoQueue()

    def read_many(
        self, items: Iterable[tuple[str, bytes | Path]]
    ) -> Iterator[tuple[str, Workbook | Rejected]]:
        """(name, result) for each (name, content or path), in the order given."""
        executor = self._running()
        pending: deque[tuple[str, Future[Workbook | Rejected]]] = deque()
        try:
            for name, source in items:
                pending.append((name, executor.submit(self._read, name, source)))
                if len(pending) >= self._look_ahead:
                    first, future = pending.popleft()
                    yield first, future.result()
            while pending:
                first, future = pending.popleft()
                yield first, future.result()
        finally:
            for _, future in pending:
                future.cancel()

    def read_one(self, name: str, source: bytes | Path) -> Workbook | Rejected:
        """Read a single file."""
        return self._running().submit(self._read, name, source).result()

    def _running(self) -> ThreadPoolExecutor:
        if self._executor is None:
            raise RuntimeError("ReaderPool is not open; use it in a with statement")
        return self._executor

    def _read(self, name: str, source: bytes | Path) -> Workbook | Rejected:
        try:
            data = _load(source, self.limits)
        except Refused as refused:
            return refused.rejected
        result = self._ask_pool(data)
        if isinstance(result, Rejected) and result.code == "encrypted":
            result = self._ask_fresh(data, self._passwords)
        with self._lock:
            self.statistics.files += 1
        return _with_name_notice(name, result) if isinstance(result, Workbook) else result

    def _ask_pool(self, data: bytes) -> Workbook | Rejected:
        try:
            child = self._idle.get_nowait()
        except queue.Empty:
            child = self._start(None)
        fresh = child.served == 0
        result, alive = self._ask(child, data)
        if alive:
            self._idle.put(child)
        if isinstance(result, Rejected) and result.code in _RETRIED and not fresh:
            return self._ask_fresh(data, None)
        return result

    def _ask_fresh(self, data: bytes, passwords: Sequence[str] | None) -> Workbook | Rejected:
        """One answer from a process started for it and ended after it."""
        child = self._start(passwords)
        result, alive = self._ask(child, data)
        if alive:
            self._discard(child)
        return result

    def _ask(self, child: _Child, data: bytes) -> tuple[Workbook | Rejected, bool]:
        """The result, and whether the process lives on."""
        try:
            answer = child.ask(data, self.limits)
        except TimeoutError:
            self._discard(child)
            limit = self.limits.wall_seconds
            return rejection("wall_limit", f"超过 {limit:g} 秒", limit), False
        except WireError:
            self._discard(child)
            return rejection("reader_crashed", "读取进程的应答无效"), False
        except (ConnectionError, EOFError):
            self._discard(child, grace=2.0)
            return self._explain_death(child.exit_code), False
        except SandboxError:
            self._discard(child)
            if self._closing:
                return rejection("reader_crashed", "读取已取消"), False
            raise
        with self._lock:
            self.statistics.peak_child_kib = max(self.statistics.peak_child_kib, answer.peak_kib)
        if answer.retire:
            self._discard(child)
        return answer.result, not answer.retire

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

    def _start(self, passwords: Sequence[str] | None) -> _Child:
        child = _Child(self.limits, passwords)
        with self._lock:
            self.statistics.started += 1
            self._children.add(child)
        if self._closing:
            child.process.kill()
        return child

    def _discard(self, child: _Child, grace: float = 0.0) -> None:
        with self._lock:
            if child not in self._children:
                return
            self._children.discard(child)
        child.end(grace)
        with self._lock:
            self.statistics.peak_child_kib = max(self.statistics.peak_child_kib, child.peak_kib)


class _Child:
    """One reading process and the socket to it."""

    def __init__(self, limits: Limits, passwords: Sequence[str] | None) -> None:
        self.served = 0
        self.exit_code = 0
        self.peak_kib = 0
        self.link, other = socket.socketpair()
        with other:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _BOOT, str(os.getpid()), *_import_paths()],
                stdin=other,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                close_fds=True,
                start_new_session=True,
            )
        settings = {
            "limits": limits.as_dict(),
            "passwords": None if passwords is None else list(passwords),
        }
        self._settings: bytes | None = json.dumps(settings).encode()

    def ask(self, data: bytes, limits: Limits) -> Answer:
        """Send a file, receive the checked answer. Raises TimeoutError, EOFError, WireError."""
        deadline = time.monotonic() + limits.wall_seconds
        if self._settings is not None:
            self._greet(self._settings)
            self._settings = None
            deadline = time.monotonic() + limits.wall_seconds
        self.served += 1
        self._send(data, deadline)
        (size,) = _LENGTH.unpack(self._receive(_LENGTH.size, deadline))
        if size > limits.reply_bytes:
            raise WireError("answer too large")
        return decode(bytes(self._receive(size, deadline)), limits)

    def _greet(self, settings: bytes) -> None:
        """Hand over the settings and wait until the process has confined itself."""
        deadline = time.monotonic() + _START_SECONDS
        try:
            self._send(settings, deadline)
            (size,) = _LENGTH.unpack(self._receive(_LENGTH.size, deadline))
            reply = bytes(self._receive(min(size, 4096), deadline))
        except (OSError, EOFError) as error:
            reason = f"reading process did not start ({type(error).__name__})"
            raise SandboxError(reason) from error
        if reply != _READY:
            raise SandboxError(f"reading process not ready: {reply.decode('utf-8', 'replace')}")

    def end(self, grace: float) -> None:
        """Collect exit code and peak memory, killing the process if it does not end by itself."""
        self.link.close()
        deadline = time.monotonic() + grace
        while not self._reap(os.WNOHANG):
            if time.monotonic() >= deadline:
                self.process.kill()
                self._reap(0)
                break
            time.sleep(0.002)
        self.exit_code = self.process.returncode or 0

    def _reap(self, options: int) -> bool:
        process = self.process
        if process.returncode is not None:
            return True
        try:
            pid, status, usage = os.wait4(process.pid, options)
        except ChildProcessError:  # collected by someone else; its code is lost
            process.returncode = 0
            return True
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            self.peak_kib = usage.ru_maxrss
        return pid != 0

    def _send(self, data: bytes, deadline: float) -> None:
        self.link.settimeout(_remaining(deadline))
        header = _LENGTH.pack(len(data))
        if len(data) < _PIECE:
            self.link.sendall(header + data)
        else:
            self.link.sendall(header)
            self.link.sendall(data)

    def _receive(self, size: int, deadline: float) -> bytearray:
        received = bytearray()
        while len(received) < size:
            self.link.settimeout(_remaining(deadline))
            piece = self.link.recv(min(_PIECE, size - len(received)))
            if not piece:
                raise EOFError
            received += piece
        return received


def _remaining(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _import_paths() -> list[str]:
    """Folders a reading process imports from: this project and the parsing libraries."""
    if not _PATHS:
        paths = [str(Path(__file__).resolve().parents[2])]
        for name in _LIBRARIES:
            spec = importlib.util.find_spec(name)
            if spec is not None and spec.origin is not None:
                origin = Path(spec.origin)
                is_package = spec.submodule_search_locations is not None
                folder = str(origin.parents[1] if is_package else origin.parent)
                if folder not in paths:
                    paths.append(folder)
        _PATHS.extend(paths)
    return _PATHS


_PATHS: list[str] = []


def _load(source: bytes | Path, limits: Limits) -> bytes:
    """Content of a regular file, never through a link, never more than the limit."""
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
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise refuse("not_a_file", "文件夹、管道或设备")
        _check_size(status.st_size, limits)
        data = file.read(limits.file_bytes + 1)
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
