"""Passing requests on to Dagster's webserver behind its socket, each with the rights of its person.

Belongs here: HTTP and websocket transport to the webserver, and which of its paths exist for people.
Does not belong here: reading GraphQL (``graphql``), logins (``guard``). The rights travel in a header;
the webserver enforces them a second time with Dagster's own permissions (``webserver``).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from pipelines.serve import graphql, rights
from pipelines.serve.guard import Guard, Person
from pipelines.serve.webserver import PREFIX, RIGHTS_HEADER

REFUSED_PATHS = (
    "/report_asset_", "/download_debug", "/notebook", "/dagit",
)  # fmt: skip
"""Forging results, dumps of whole runs, running notebooks: nobody's, whatever their rights."""
PASSED_ON = ("accept", "accept-language", "range", "if-none-match", "if-modified-since")
PASSED_BACK = (
    "content-type", "content-length", "content-range", "accept-ranges", "etag", "last-modified",
    "content-disposition", "content-security-policy", "content-encoding", "location",
)  # fmt: skip
STATIC = ("/_next/", "/vendor/", "/favicon")
STRICTER = (
    "connect-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; media-src 'self'; "
    "frame-src 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Beside Dagster's own policy: its pages ask nothing of anybody else."""
FRAME = 1 << 20
STILL_SECONDS = 10.0


class Proxy:
    """The way to one webserver."""

    def __init__(self, socket: Path, guard: Guard) -> None:
        self.socket, self.guard = socket, guard
        self.client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket)),
            base_url="http://dagster",
            timeout=httpx.Timeout(120, connect=5),
            trust_env=False,
        )

    async def http(self, request: Request) -> Response:
        """One HTTP request under the prefix."""
        person: Person = request.state.person
        if not person.sees_all:
            return _said(403, "您的账号只能查阅指定受众的通报")
        inner = request.url.path.removeprefix(PREFIX)
        if inner.startswith(REFUSED_PATHS) or ".." in inner or "//" in inner:
            return _said(403, "此功能不经网页开放")
        if inner == "/graphql":
            return await self._graphql(request, person)
        if request.method not in ("GET", "HEAD"):
            return _said(405, "不接受此请求")
        if "text/html" in request.headers.get("accept", ""):
            self.guard.sessions.used(person.session)
        return await self._passed(request, person, b"")

    async def _graphql(self, request: Request, person: Person) -> Response:
        if request.method != "POST":
            return _said(405, "只接受 POST")
        try:
            body = await body_of(request, graphql.MAX_BODY)
            kind = request.headers.get("content-type", "")
            asked = await run_in_threadpool(graphql.of_body, body, kind)
        except graphql.RefusedError as error:
            return _said(400, str(error))
        request.state.noted.said = asked.words
        if refused := rights.missing(asked.changes, person.rights):
            return _said(403, f"您没有权限:{'、'.join(refused)}")
        if "subscription" in asked.kinds:
            return _said(400, "订阅须经 websocket")
        repeated = None if asked.changes else body
        self.guard.sessions.used(person.session, repeated)
        return await self._passed(request, person, asked.rebuilt())

    async def _passed(self, request: Request, person: Person, body: bytes) -> Response:
        headers = {n: request.headers[n] for n in PASSED_ON if n in request.headers}
        headers |= rights_header(person) | {"accept-encoding": "identity"}
        if body:
            headers["content-type"] = "application/json"
        url = httpx.URL("/", raw_path=_target(request))
        asked = self.client.build_request(request.method, url, headers=headers, content=body)
        try:
            answer = await self.client.send(asked, stream=True)
        except httpx.HTTPError:
            return _said(503, "数据沿袭服务尚未就绪,请稍候刷新", {"retry-after": "3"})
        back = {n: answer.headers[n] for n in PASSED_BACK if n in answer.headers}
        inner = request.url.path.removeprefix(PREFIX)
        if answer.is_success and inner.startswith(STATIC):
            back["cache-control"] = "private, max-age=3600"
        response = StreamingResponse(_bytes_of(answer), answer.status_code, back)
        if "content-security-policy" not in back:
            back["content-security-policy"] = STRICTER
        response.headers.append("content-security-policy", STRICTER)
        return response

    async def websocket(self, socket: WebSocket) -> None:
        """One websocket: subscriptions only, for as long as the session lasts."""
        import websockets.asyncio.client as client
        from websockets.exceptions import WebSocketException

        person: Person = socket.state.person
        if not person.sees_all or socket.url.path != f"{PREFIX}/graphql":
            await socket.close(4403)
            return
        try:
            async with client.unix_connect(
                str(self.socket), f"ws://dagster{PREFIX}/graphql", subprotocols=["graphql-ws"],
                additional_headers=rights_header(person), max_size=None, compression=None,
            ) as inner:  # fmt: skip
                await socket.accept("graphql-ws")
                await self._both_ways(socket, inner, person)
        except (OSError, WebSocketException):
            await _closed(socket, 1013)

    async def _both_ways(self, outer: WebSocket, inner: Any, person: Person) -> None:
        ways = [
            asyncio.create_task(self._inwards(outer, inner)),
            asyncio.create_task(_outwards(outer, inner)),
            asyncio.create_task(self._while_it_lasts(person)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            await _closed(outer, 1000)

    async def _inwards(self, outer: WebSocket, inner: Any) -> None:
        """Messages of the browser, rebuilt; anything but a subscription ends the connection."""
        try:
            while True:
                text = await outer.receive_text()
                await inner.send(await run_in_threadpool(message_of, text))
        except (graphql.RefusedError, KeyError):
            outer.state.noted.said = "refused"
            await _closed(outer, 4403)
        except WebSocketDisconnect:
            pass

    async def _while_it_lasts(self, person: Person) -> None:
        """Returns when the session has ended or the user was shut out."""
        while True:
            await asyncio.sleep(STILL_SECONDS)
            users = self.guard.register.now()
            user = users.active(person.user.user)
            if user != person.user or not self.guard.sessions.lasts(person.session):
                return


async def _outwards(outer: WebSocket, inner: Any) -> None:
    async for text in inner:
        await outer.send_text(text if isinstance(text, str) else text.decode())


def message_of(text: str) -> str:
    """A message of the graphql-ws protocol, rebuilt. Raises RefusedError for anything else."""
    if len(text) > FRAME:
        raise graphql.RefusedError("消息过大")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise graphql.RefusedError("消息不是 JSON") from None
    kind = said.get("type") if isinstance(said, dict) else None
    if kind in ("connection_init", "connection_terminate"):
        return json.dumps({"type": kind})
    number = str(said.get("id"))[:64] if isinstance(said, dict) else ""
    if kind == "stop":
        return json.dumps({"type": kind, "id": number})
    if kind != "start":
        raise graphql.RefusedError("不接受此消息")
    asked = graphql.of_said(said.get("payload"))
    if asked.kinds != {"subscription"}:
        raise graphql.RefusedError("websocket 只接受订阅")
    payload = {"query": asked.query, "variables": asked.variables,
               "operation_name": asked.operation_name}  # fmt: skip
    return json.dumps({"type": kind, "id": number, "payload": payload})


def rights_header(person: Person) -> dict[str, str]:
    """What tells the webserver who asks."""
    return {RIGHTS_HEADER: " ".join(sorted(person.rights))}


async def body_of(request: Request, most: int) -> bytes:
    """The body, read no further than allowed. Raises RefusedError."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise graphql.RefusedError("请求过大")
        parts.append(part)
    return b"".join(parts)


def _target(request: Request) -> bytes:
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope["query_string"]
    return raw.partition(b"?")[0] + (b"?" + query if query else b"")


async def _bytes_of(answer: httpx.Response) -> Any:
    try:
        async for part in answer.aiter_raw():
            yield part
    finally:
        await answer.aclose()


async def _closed(socket: WebSocket, code: int) -> None:
    """Close, whatever state the other side is in."""
    import contextlib

    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        await socket.close(code)


def _said(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    """Refusals in the form GraphQL clients show."""
    return JSONResponse({"error": words, "errors": [{"message": words}]}, status, headers)
