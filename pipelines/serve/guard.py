"""The guard of the gate: nobody passes without a session, a known host name and an own page's request.

Belongs here: what is true of every request and answer (login, host, origin, security headers, access
log). Does not belong here: what a page does (``pages``, ``release_pages``), who may what (``rights``).
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from pipelines.serve.access_log import AccessLog
from pipelines.serve.receipt_page import PREFIX as RECEIPTS
from pipelines.serve.sessions import Session, Sessions, fingerprint
from pipelines.serve.users import Register, User

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN_PATHS = frozenset({"/login", "/desk.css", "/health"})
"""What anybody gets: the login page, its style, and whether the gate runs."""
SAFE_METHODS = frozenset({"GET", "HEAD"})
COOKIE = "parkwatch"
OWN_PAGES = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-robots-tag": "noindex, nofollow",
    "cache-control": "no-store",
    "content-security-policy": OWN_PAGES,
}


@dataclass(slots=True)
class Person:
    """Who asks: the user, what they may, their session."""

    user: User
    rights: frozenset[str]
    session: Session

    def may(self, right: str) -> bool:
        """Whether they hold a right."""
        return right in self.rights

    @property
    def sees_all(self) -> bool:
        """Whether they are not limited to some audiences."""
        return not self.user.audiences

    def sees(self, audience_id: str) -> bool:
        """Whether they may see the editions of an audience."""
        return self.sees_all or audience_id in self.user.audiences


@dataclass(slots=True)
class Noted:
    """What the access log says of a request beyond its first line."""

    user: str = "-"
    said: str = ""
    status: int = 0
    sent: int = 0
    headers: dict[str, str] = field(default_factory=dict)


class Guard:
    """ASGI middleware around everything the gate answers."""

    def __init__(
        self,
        app: App,
        *,
        register: Register,
        sessions: Sessions,
        log: AccessLog,
        names: frozenset[str],
    ) -> None:
        self.app, self.register, self.sessions = app, register, sessions
        self.log, self.names = log, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Examine one connection and pass it on, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        began, noted = time.monotonic(), Noted()
        scope.setdefault("state", {})["noted"] = noted
        try:
            await self._answer(scope, receive, _dressed(scope, send, noted), noted)
        finally:
            self.log.note(scope, noted, time.monotonic() - began)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, noted: Noted) -> None:
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        noted.headers = headers
        if not self._known_host(headers.get("host", "")):
            await _refuse(scope, send, 421, "不认识的主机名:请用登记的地址访问([serve] names)")
            return
        if not _own_request(scope, headers):
            await _refuse(scope, send, 403, "请求不是从本系统的页面发出的")
            return
        person = self.person(headers.get("cookie", ""))
        scope["state"]["person"] = person
        if person is not None:
            noted.user = person.user.user
        elif scope["path"] not in OPEN_PATHS and not _is_receipt(scope):
            await _to_login(scope, send, headers)
            return
        await self.app(scope, receive, send)

    def person(self, cookies: str) -> Person | None:
        """Who holds the session of these cookies, None when nobody (any more)."""
        session = self.sessions.find(cookie_in(cookies))
        if session is None:
            return None
        users = self.register.now()
        user = users.active(session.user)
        if user is None or fingerprint(user.password) != session.fingerprint:
            self.sessions.end(session)
            return None
        return Person(user, users.rights_of(user), session)

    def _known_host(self, host: str) -> bool:
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        return name.lower() in self.names


def _is_receipt(scope: Scope) -> bool:
    """Whether this is a receipt link: its signature says who may, not a login."""
    return bool(scope["type"] == "http" and scope["path"].startswith(RECEIPTS))


def cookie_in(cookies: str) -> str:
    """Our cookie's value among ``Cookie``; empty when there is none or more than one."""
    names = (COOKIE, f"__Host-{COOKIE}")
    pairs = [one.strip().partition("=") for one in cookies.split(";")]
    found = [value for name, _, value in pairs if name in names]
    return found[0] if len(found) == 1 else ""


def cookie_header(value: str, *, secure: bool, ended: bool = False) -> str:
    """``Set-Cookie``: not for scripts, not for other sites, until the browser is closed."""
    name = f"__Host-{COOKIE}" if secure else COOKIE
    parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Strict"]
    return "; ".join(parts + ["Secure"] * secure + ["Max-Age=0"] * ended)


def is_secure(scope: Scope) -> bool:
    """Whether the browser speaks TLS, to us or to the proxy in front."""
    return scope["scheme"] in ("https", "wss")


def _own_request(scope: Scope, headers: MutableMapping[str, str]) -> bool:
    """What changes something, and every websocket, must come from a page of the same origin."""
    if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
        return True
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site") == "same-origin"
    said = urlsplit(origin)
    scheme = "https" if is_secure(scope) else "http"
    return (said.scheme, said.netloc.lower()) == (scheme, headers.get("host", "").lower())


async def _to_login(scope: Scope, send: Send, headers: MutableMapping[str, str]) -> None:
    """A person is led to the login page; a program is told."""
    document = scope["type"] == "http" and scope["method"] == "GET"
    if not document or "text/html" not in headers.get("accept", ""):
        await _refuse(scope, send, 401, "请先登录")
        return
    wanted = scope["path"] + ("?" + scope["query_string"].decode("latin-1")
                              if scope["query_string"] else "")  # fmt: skip
    place = b"/login" if wanted == "/" else b"/login?next=" + quote(wanted, safe="/").encode()
    await send({"type": "http.response.start", "status": 303,
                "headers": [(b"location", place), (b"content-length", b"0")]})  # fmt: skip
    await send({"type": "http.response.body", "body": b""})


async def _refuse(scope: Scope, send: Send, status: int, words: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4000 + status, "reason": ""})
        return
    body = json.dumps({"error": words}, ensure_ascii=False).encode()
    await send({"type": "http.response.start", "status": status, "headers": [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode())]})  # fmt: skip
    await send({"type": "http.response.body", "body": body})


def _dressed(scope: Scope, send: Send, noted: Noted) -> Send:
    """``send`` with the security headers an answer does not bring itself."""

    async def dressed(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            noted.status = message["status"]
            present = {name.lower() for name, _ in message["headers"]}
            wanted = dict(HEADERS)
            if is_secure(scope):
                wanted["strict-transport-security"] = "max-age=31536000"
            message["headers"] = [
                *message["headers"],
                *((n.encode(), v.encode()) for n, v in wanted.items() if n.encode() not in present),
            ]
        elif message["type"] == "http.response.body":
            noted.sent += len(message.get("body", b""))
        elif message["type"] == "websocket.close":
            noted.status = noted.status or message.get("code", 1000)
        elif message["type"] == "websocket.accept":
            noted.status = 101
        await send(message)

    return dressed
