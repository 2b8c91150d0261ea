"""The network under a pull: one deadline for everything, checked addresses only.

Belongs here: name look-up with a time limit, connecting, reading and writing for httpcore (the
layer below httpx), and naming network errors. Does not belong here: HTTP itself (``pull``), or
which address is allowed (``pull_addresses``).
"""

from __future__ import annotations

import queue
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from assets.submissions.pulling.pull_addresses import Target
from assets.submissions.pulling.pull_results import PullError

if TYPE_CHECKING:
    import httpcore

Resolver = Callable[[str, int], Sequence[str]]

MAX_HEAD = 256 * 1024
"""Response headers, informational responses included."""

_AFTER_BODY_SECONDS = 0.5
_BLANK = re.compile(rb"\n\r?\n")
_INFORMATIONAL = re.compile(rb"\s*HTTP/1\.[01] 1[0-9][0-9]")


class Deadline:
    """Time left of the whole call."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._end = monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left; negative when over."""
        return self._end - self._monotonic()

    def left(self) -> float:
        """Seconds left, more than none; raises ``PullError('timeout')``."""
        left = self.remaining()
        if left <= 0:
            raise self.fault()
        return left

    def fault(self) -> PullError:
        """The refusal of a call that took too long."""
        return PullError("timeout", f"{self._seconds:g} 秒内没有完成")


def system_resolver(host: str, port: int) -> Sequence[str]:
    """All addresses the operating system gives for a name; raises ``OSError``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def resolve(target: Target, resolver: Resolver, deadline: Deadline) -> Sequence[str]:
    """Looks a name up exactly once, in a thread: the system's look-up knows no time limit."""
    if target.literal is not None:
        return (target.literal,)
    answers: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(tuple(resolver(target.host, target.port)))
        except Exception as error:  # handed to the waiting thread, which names it
            answers.put(error)

    threading.Thread(target=look_up, name="pull-dns", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise deadline.fault() from None
    if isinstance(answer, (OSError, UnicodeError)) or answer == ():
        raise PullError("dns_failed", target.host)
    if isinstance(answer, Exception):
        raise answer
    return answer


class Wire:
    """Network backend and stream for httpcore: the checked addresses only, the deadline always.

    The name in the URL is never looked up again, so it cannot point elsewhere between check and
    connection; Host header, SNI and certificate check still use the name.
    """

    def __init__(self, addresses: Sequence[str], deadline: Deadline) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._stream: httpcore.NetworkStream | None = None
        self._received = 0
        self._head = bytearray()
        self._body_at: int | None = None

    # backend

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002  # looked up and checked before
        port: int,
        **_: object,  # local address, socket options, and a timeout that is not the deadline
    ) -> Wire:
        """Connects to the first checked address that answers; ``host`` is not used."""
        import httpcore

        backend = httpcore.SyncBackend()
        for index, address in enumerate(self._addresses):
            share = self._deadline.left() / (len(self._addresses) - index)
            try:
                self._stream = backend.connect_tcp(address, port, timeout=share)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if index == len(self._addresses) - 1:
                    raise
            else:
                return self
        raise AssertionError("check_addresses never returns an empty list")

    def sleep(self, _: float) -> None:
        """Part of the backend interface; httpcore's own retries are off."""
        raise AssertionError("no retries inside httpcore")

    # stream

    @property
    def _open(self) -> httpcore.NetworkStream:
        if self._stream is None:
            raise AssertionError("read before connect")
        return self._stream

    def read(self, max_bytes: int, **_: object) -> bytes:
        """Bytes from the server, waiting no longer than the deadline."""
        data = self._open.read(max_bytes, timeout=self._deadline.left())
        self._received += len(data)
        if self._body_at is None:
            self._head += data
            if len(self._head) > MAX_HEAD:
                raise PullError("protocol_error", f"响应头超过 {MAX_HEAD:,} 字节")
        return data

    def write(self, buffer: bytes, **_: object) -> None:
        """Bytes to the server, waiting no longer than the deadline."""
        self._open.write(buffer, timeout=self._deadline.left())

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        **_: object,
    ) -> Wire:
        """TLS with the name of the URL, handshake within the deadline."""
        left = self._deadline.left()
        self._stream = self._open.start_tls(ssl_context, server_hostname, timeout=left)
        return self

    def close(self) -> None:
        """Closes the connection."""
        if self._stream is not None:
            self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks about a stream."""
        return self._open.get_extra_info(info)

    # what followed the announced end

    def headers_done(self) -> None:
        """Called when the response's headers are parsed: finds where the body starts."""
        at = 0
        while (blank := _BLANK.search(self._head, at)) is not None:
            informational = _INFORMATIONAL.match(self._head, at)
            at = blank.end()
            if informational is None:
                break
        self._body_at, self._head = at, bytearray()

    def has_more_than(self, length: int) -> bool:
        """Whether the server sent, or is still sending, more than ``length`` body bytes."""
        import httpcore

        if self._received > (self._body_at or 0) + length:
            return True
        try:
            wait = min(self._deadline.left(), _AFTER_BODY_SECONDS)
            return self._open.read(1, timeout=wait) != b""
        except (httpcore.ReadTimeout, httpcore.ReadError):
            return False  # kept open or reset after the last announced byte: nothing followed


@contextmanager
def translated(deadline: Deadline) -> Iterator[None]:
    """Errors of the network libraries → ``PullError``."""
    import httpcore

    try:
        yield
    except httpcore.TimeoutException:
        raise deadline.fault() from None
    except httpcore.ConnectError as error:
        raise _connect_fault(error) from None
    except httpcore.RemoteProtocolError as error:
        raise _protocol_fault(str(error)) from None
    except httpcore.NetworkError:
        raise PullError("connection_lost", "连接被对方中断") from None
    except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol):
        raise PullError("source_invalid", "请求无法组成") from None


def _protocol_fault(text: str) -> PullError:
    if text.startswith("Server disconnected"):
        return PullError("connection_lost", "服务器没有应答就断开连接")
    if text.startswith("peer closed connection"):
        numbers = re.findall(r"[0-9]+", text)
        shown = (
            f"收到 {numbers[0]} 字节，应为 {numbers[1]} 字节" if len(numbers) == 2 else "缺少结尾"
        )
        return PullError("cut_short", shown)
    return PullError("protocol_error", "应答格式有误")


_CERTIFICATE_ZH = {
    9: "证书尚未生效",
    10: "证书已过期",
    62: "证书与主机名不符",
    64: "证书与地址不符",
}


def _connect_fault(error: BaseException) -> PullError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            default = "证书不是受信机构签发"
            return PullError("tls_failed", _CERTIFICATE_ZH.get(cause.verify_code, default))
        if isinstance(cause, ssl.SSLError):
            return PullError("tls_failed", f"握手失败（{cause.reason or 'TLS'}）")
        cause = cause.__cause__ or cause.__context__
    return PullError("connect_failed", "连接被拒绝或网络不通")
