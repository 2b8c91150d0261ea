"""A real HTTP server on 127.0.0.1 that misbehaves on demand, for the tests of HTTP sources.

Belongs here: raw sockets, scripted faults on the wire, what the server saw. Every script is
bounded in bytes and ends when the client leaves or the server stops. Does not belong here: any
expectation about the client.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

MAX_SENT = 96 * 1024 * 1024
"""No script sends more than this, whatever it says about being endless."""

Script = Callable[["Line", "Request"], None]


class GoneError(Exception):
    """The client left, or the server is stopping: the script ends."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked for: header names in lower case, in the order they came."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str | None:
        """Value of a header, or ``None``."""
        return next((value for key, value in self.headers if key == name.lower()), None)


@dataclass(slots=True)
class Line:
    """One connection, as a script sees it."""

    sock: socket.socket
    stopping: threading.Event
    sent: int = 0

    def send(self, data: bytes) -> None:
        """Sends all of it, or ends the script."""
        self.sent += len(data)
        if self.stopping.is_set() or self.sent > MAX_SENT:
            raise GoneError
        try:
            self.sock.sendall(data)
        except OSError:
            raise GoneError from None

    def wait(self, seconds: float) -> None:
        """Pauses, shorter when the server stops."""
        if self.stopping.wait(seconds):
            raise GoneError

    def drip(self, data: bytes, pause: float) -> None:
        """One byte at a time."""
        for at in range(len(data)):
            self.send(data[at : at + 1])
            self.wait(pause)

    def reset(self) -> None:
        """Breaks the connection (RST) instead of closing it."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


@dataclass
class MisbehavingServer:
    """``with MisbehavingServer() as server: server.on("/a", reply(b"…"))``.

    ``tls``: a server-side context; ``host``: another loopback address; ``port``: 0 for any.
    """

    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    """Bytes sent by path, of the last request."""
    connections: int = 0
    server_names: list[str | None] = field(default_factory=list)
    """Names asked for in TLS handshakes (SNI)."""

    def __post_init__(self) -> None:
        self._scripts: dict[str, list[Script]] = {}
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((self.host, self.port), backlog=64)
        self._listener.settimeout(0.1)
        self.port = self._listener.getsockname()[1]
        if self.tls is not None:
            self.tls.sni_callback = lambda _, name, __: self.server_names.append(name)

    def __enter__(self) -> MisbehavingServer:
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=2)

    def on(self, path: str, *scripts: Script) -> str:
        """Answers a path with these scripts in turn, the last one for ever after. → URL."""
        self._scripts[path] = list(scripts)
        return self.url(path)

    def url(self, path: str) -> str:
        """Address of a path on this server."""
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://{self.host}:{self.port}{path}"

    @property
    def endpoint(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"

    def asked(self, path: str) -> list[Request]:
        """Requests for a path, in order."""
        return [request for request in self.requests if request.path == path]

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            thread.start()
            self._threads = [t for t in self._threads if t.is_alive()] + [thread]

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(5)
        try:
            if self.tls is not None:
                sock = self.tls.wrap_socket(sock, server_side=True)
            request = _read_request(sock)
            self.requests.append(request)
            scripts = self._scripts.get(request.path.partition("?")[0], [reply(b"", 404)])
            script = scripts.pop(0) if len(scripts) > 1 else scripts[0]
            line = Line(sock, self._stopping)
            try:
                script(line, request)
            finally:
                self.sent[request.path] = line.sent
        except (OSError, GoneError):
            pass
        finally:
            sock.close()


def _read_request(sock: socket.socket) -> Request:
    head = b""
    while b"\r\n\r\n" not in head:
        data = sock.recv(4096)
        head += data
        if not data or len(head) > 65_536 or not head[:1].isalpha():
            raise GoneError
    first, *lines = head.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.split(":", 1) for line in lines)
    return Request(method, path, tuple((name.lower(), value.strip()) for name, value in pairs))


# --- scripts ---------------------------------------------------------------------------------


def head(status: int = 200, **headers: str | int) -> bytes:
    """Status line and headers; ``content_length=5`` becomes ``content-length: 5``."""
    lines = [f"HTTP/1.1 {status} X"]
    lines += [f"{k.replace('_', '-')}: {v}" for k, v in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def raw(data: bytes) -> Script:
    """Exactly these bytes, then the connection is closed."""
    return lambda line, _: line.send(data)


def reply(body: bytes, status: int = 200, **headers: str | int) -> Script:
    """A truthful answer with its length."""
    return raw(head(status, content_length=len(body), **headers) + body)


def announced(body: bytes, length: int, **headers: str | int) -> Script:
    """A body with whatever length is announced."""
    return raw(head(200, content_length=length, **headers) + body)


def until_close(body: bytes, **headers: str | int) -> Script:
    """No length: the body ends where the connection ends."""
    return raw(head(200, **headers) + body)


def chunked(body: bytes, *, end: bool = True, size: int = 700, cut: int = 0) -> Script:
    """Chunked body; without the end mark, or with the last ``cut`` bytes missing, it is cut."""
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    wire = b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
    wire += b"0\r\n\r\n" if end else b""
    return raw(head(transfer_encoding="chunked") + wire[: len(wire) - cut])


def broken_off(body: bytes, length: int, after: int) -> Script:
    """Sends a part of what it announced, then resets the connection."""

    def script(line: Line, _: Request) -> None:
        line.send(head(content_length=length) + body[:after])
        line.wait(0.002)
        line.reset()

    return script


def drip_body(body: bytes, pause: float) -> Script:
    """Headers at once, the body a byte at a time."""

    def script(line: Line, _: Request) -> None:
        line.send(head(content_length=len(body)))
        line.drip(body, pause)

    return script


def drip_head(body: bytes, pause: float, padding: int) -> Script:
    """The headers themselves a byte at a time."""

    def script(line: Line, _: Request) -> None:
        line.drip(head(content_length=len(body), x_padding="x" * padding), pause)
        line.send(body)

    return script


def silent(seconds: float) -> Script:
    """Takes the request and says nothing."""
    return lambda line, _: line.wait(seconds)


def late_extra(body: bytes, length: int, pause: float) -> Script:
    """Announces too short a length; what is beyond it comes a moment later."""

    def script(line: Line, _: Request) -> None:
        line.send(head(content_length=length) + body[:length])
        line.wait(pause)
        line.send(body[length:])

    return script


def kept_open(body: bytes, seconds: float, **headers: str | int) -> Script:
    """A truthful answer by a server that ignores ``Connection: close``."""

    def script(line: Line, _: Request) -> None:
        line.send(head(200, content_length=len(body), **headers) + body)
        line.wait(seconds)

    return script


def endless(first: bytes, piece: bytes) -> Script:
    """The same piece again and again, up to ``MAX_SENT``."""

    def script(line: Line, _: Request) -> None:
        line.send(first)
        while True:
            line.send(piece)

    return script


def gzip_bomb(size: int) -> bytes:
    """A gzip of ``size`` zero bytes, made of repeated members so that making it costs nothing."""
    member_size = 16 * 1024 * 1024
    member = gzip.compress(bytes(member_size), 9, mtime=0)
    return member * (size // member_size)


def redirect(location: str, status: int = 302) -> Script:
    """Sends the client elsewhere."""
    data = f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nlocation: {location}\r\n\r\n"
    return raw(data.encode("utf-8"))


def by_validator(answers: Iterable[tuple[str, Script]], otherwise: Script) -> Script:
    """Chooses by the ``If-None-Match`` the client sends."""
    table = dict(answers)

    def script(line: Line, request: Request) -> None:
        table.get(request.header("if-none-match") or "", otherwise)(line, request)

    return script
