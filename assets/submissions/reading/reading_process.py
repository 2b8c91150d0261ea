"""The parent's handle on one reading process: start, send, receive, end.

Belongs here: spawning a bare interpreter with nothing inherited, the socket to it, deadlines, its
exit code. Does not belong here: the pool and what an outcome means (sandbox), what
the process does (child), the encoding of answers (wire).
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from struct import Struct

from assets.submissions.reading.limits import Limits
from assets.submissions.reading.wire import Answer, WireError, decode

LENGTH = Struct("<Q")
READY = b"ready"
_PIECE = 1 << 20
_START_SECONDS = 60.0
_BOOT = "import sys\nsys.path[:0] = sys.argv[2:]\nfrom assets.submissions.reading.child import main\nmain()\n"
_LIBRARIES = ("python_calamine", "lxml", "msoffcrypto", "olefile", "cryptography", "cffi")


class SandboxError(RuntimeError):
    """A reading process could not be started or confined: a fault of the machine, of no file."""


class ReadingProcess:
    """One confined interpreter. ``passwords`` is None for a process that must not decrypt."""

    def __init__(self, limits: Limits, passwords: Sequence[str] | None) -> None:
        self.sent = 0
        self.exit_code = 0
        self._ready = False
        self._limits = limits
        self._link, other = socket.socketpair()
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _BOOT, str(os.getpid()), *import_paths()],
                stdin=other.fileno(),
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
        self._settings = json.dumps(settings).encode()

    def send(self, data: bytes) -> None:
        """Queue a file. Raises TimeoutError, ConnectionError or SandboxError."""
        if not self._ready:
            self._greet()
        self.sent += 1
        self._send(data, self._deadline())

    def receive(self) -> Answer:
        """Answer to the oldest file sent, within the wall limit from now on.

        Raises TimeoutError, EOFError, ConnectionError, WireError.
        """
        deadline = self._deadline()
        (size,) = LENGTH.unpack(self._receive(LENGTH.size, deadline))
        if size > self._limits.reply_bytes:
            raise WireError("answer too large")
        return decode(bytes(self._receive(size, deadline)), self._limits)

    def kill(self) -> None:
        """End the process at once; ``end`` still has to collect it."""
        self._process.kill()

    def end(self, grace: float = 0.0) -> None:
        """Collect the exit code; kills unless the process ends by itself within ``grace`` s."""
        self._link.close()
        if not grace:
            self._process.kill()
        try:
            self.exit_code = self._process.wait(grace or None)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.exit_code = self._process.wait()

    def _greet(self) -> None:
        """Hand over the settings and wait until the process has confined itself."""
        deadline = time.monotonic() + _START_SECONDS
        try:
            self._send(self._settings, deadline)
            (size,) = LENGTH.unpack(self._receive(LENGTH.size, deadline))
            reply = bytes(self._receive(min(size, 4096), deadline))
        except (OSError, EOFError) as error:
            reason = f"reading process did not start ({type(error).__name__})"
            raise SandboxError(reason) from error
        if reply != READY:
            raise SandboxError(f"reading process not ready: {reply.decode('utf-8', 'replace')}")
        self._ready = True

    def _deadline(self) -> float:
        return time.monotonic() + self._limits.wall_seconds

    def _send(self, data: bytes, deadline: float) -> None:
        self._link.settimeout(_remaining(deadline))
        header = LENGTH.pack(len(data))
        if len(data) < _PIECE:
            self._link.sendall(header + data)
        else:  # not copied once more
            self._link.sendall(header)
            self._link.sendall(data)

    def _receive(self, size: int, deadline: float) -> bytearray:
        received = bytearray()
        while len(received) < size:
            self._link.settimeout(_remaining(deadline))
            piece = self._link.recv(min(_PIECE, size - len(received)))
            if not piece:
                raise EOFError
            received += piece
        return received


def _remaining(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@cache
def import_paths() -> tuple[str, ...]:
    """Folders a reading process imports from: this project and the parsing libraries."""
    paths = [str(Path(__file__).resolve().parents[3])]
    for name in _LIBRARIES:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            origin = Path(spec.origin)
            is_package = spec.submodule_search_locations is not None
            folder = str(origin.parents[1] if is_package else origin.parent)
            if folder not in paths:
                paths.append(folder)
    return tuple(paths)
