"""The reading process: gives up its rights, then answers one file after another over a socket.

Belongs here: confinement of this process and its request loop. Does not belong here: formats
(prescan, parsers), starting, watching and replacing processes (sandbox). Imported only by the
interpreter that the sandbox starts.
"""

from __future__ import annotations

import codecs
import contextlib
import ctypes
import importlib
import json
import os
import re
import resource
import signal
import socket
import struct
import sys
from collections.abc import Sequence

from assets.submissions.reading.limits import MIB, Limits
from assets.submissions.reading.parsers import read_workbook
from assets.submissions.reading.rejections import rejection
from assets.submissions.reading.wire import Answer, encode
from assets.submissions.reading.workbook import Rejected, Workbook

LENGTH = struct.Struct("<Q")  # as in reading_process
READY = b"ready"
_RETIRE_KIB = 256 * 1024  # a process that once grew so large hands over to a fresh one
_NOBODY = 65534
_STATUS = 2  # standard error is not used; its number holds /proc/self/status open
# All that parsing may import later: after confinement no file can be opened, so no module either.
_MODULES = ("csv", "unicodedata", "python_calamine", "lxml.etree", "pyexpat", "zlib", "_strptime")
_DECRYPTING = (
    "msoffcrypto.format.ooxml",
    "msoffcrypto.format.xls97",
    "msoffcrypto.format.doc97",
    "msoffcrypto.format.ppt97",
    "msoffcrypto.method.ecma376_agile",
    "msoffcrypto.method.ecma376_standard",
    "msoffcrypto.method.rc4",
    "msoffcrypto.method.rc4_cryptoapi",
    "msoffcrypto.method.xor_obfuscation",
    "cryptography.hazmat.backends.openssl.backend",
    "cryptography.hazmat.primitives.ciphers.algorithms",
    "cryptography.hazmat.primitives.ciphers.modes",
    "cryptography.hazmat.decrepit.ciphers.algorithms",
    "xml.dom.expatbuilder",
    "xml.dom.minidom",
    "tempfile",
)
_CODECS = (
    "utf-8",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32-le",
    "utf-32-be",
    "gb18030",
    "latin-1",
    "ascii",
    "cp1252",
)


def main() -> None:
    """Serve requests on descriptor 0 until the parent closes it."""
    parent = int(sys.argv[1])
    link = socket.socket(fileno=0)
    settings = json.loads(_receive(link))
    limits = Limits(**settings["limits"])
    passwords = settings["passwords"]
    try:
        _load_modules(decrypting=passwords is not None)
        _confine(limits, parent)
    except Exception as error:  # told to the parent: no file is to blame for it
        _send(link, f"{type(error).__name__}: {error}".encode("utf-8", "replace"))
        raise
    _send(link, READY)
    while True:
        _send(link, _payload(_answer(_receive(link), limits, passwords), limits))


def _payload(answer: Answer, limits: Limits) -> bytes:
    """The answer encoded; one that cannot be is replaced by a refusal."""
    try:
        payload = encode(answer)
    except MemoryError:
        refused = _out_of_memory(limits)
    else:
        if len(payload) <= limits.reply_bytes:
            return payload
        found = f"读取结果 {len(payload) / MIB:,.0f} MB"
        refused = rejection("reply_too_large", found, limits.reply_bytes // MIB)
    return encode(Answer(refused, answer.peak_kib, retire=True))


def _out_of_memory(limits: Limits) -> Rejected:
    megabytes = limits.memory_bytes // MIB
    return rejection("memory_limit", f"超过 {megabytes:,} MB", megabytes)


def _send(link: socket.socket, payload: bytes) -> None:
    link.sendall(LENGTH.pack(len(payload)) + payload)


def _answer(data: bytes, limits: Limits, passwords: Sequence[str] | None) -> Answer:
    _allow_cpu(limits)
    broken = False
    result: Workbook | Rejected
    try:
        result = read_workbook(data, limits, passwords)
    except MemoryError:
        broken = True
        result = _out_of_memory(limits)
    except BaseException as error:  # a panic of a Rust parser is no ``Exception``
        broken = True
        result = rejection("reader_crashed", f"解析器内部错误：{type(error).__name__}")
    peak = _peak_kib()
    return Answer(result, peak, retire=broken or peak > _RETIRE_KIB)


def _peak_kib() -> int:
    """Largest resident memory of this process. Not ``ru_maxrss``: that begins with what the parent
    held when it started us, so under a large parent every process would look too big to keep."""
    status = os.pread(_STATUS, 4096, 0)
    found = re.search(rb"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _allow_cpu(limits: Limits) -> None:
    """Set the soft limit to what is used so far plus one file's share: SIGXCPU ends the process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime) + limits.cpu_seconds + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _receive(link: socket.socket) -> bytes:
    (size,) = LENGTH.unpack(_receive_exactly(link, LENGTH.size))
    return bytes(_receive_exactly(link, size))


def _receive_exactly(link: socket.socket, size: int) -> bytearray:
    buffer = bytearray(size)
    view = memoryview(buffer)
    done = 0
    while done < size:
        count = link.recv_into(view[done:])
        if not count:
            os._exit(0)  # the parent is gone or wants no more
        done += count
    return buffer


def _load_modules(decrypting: bool) -> None:
    for name in _MODULES + (_DECRYPTING if decrypting else ()):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for codec in _CODECS:
        codecs.lookup(codec)


def _confine(limits: Limits, parent: int) -> None:
    """No new descriptor (so no file and no connection), no write, no process, bounded memory."""
    _keep_status()
    os.closerange(3, max(256, min(65_536, resource.getrlimit(resource.RLIMIT_NOFILE)[0])))
    os.umask(0o077)
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_NOFILE, 3),
    ):
        _lower(kind, value)
    if os.geteuid() == 0:  # a service started by root still reads as nobody
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    _lower(resource.RLIMIT_NPROC, 0)
    _die_with_parent(parent)


def _keep_status() -> None:
    with contextlib.suppress(OSError):
        status = os.open("/proc/self/status", os.O_RDONLY)
        os.dup2(status, _STATUS)
        os.close(status)


def _lower(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def _die_with_parent(parent: int) -> None:
    """Linux: SIGKILL when the starting thread ends, and no gain of rights. Elsewhere the closed
    socket ends the loop."""
    if sys.platform == "linux":
        process = ctypes.CDLL(None)
        process.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
        process.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG; after setuid, which clears it
    if os.getppid() != parent:
        os._exit(0)
