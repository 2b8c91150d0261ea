"""The gate (ASGI application) and its process: everything browsers reach passes here.

Belongs here: which address leads where, and serving it. Does not belong here: what pages do, what
holds for every request (``guard``).
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from pipelines.serve import graphql
from pipelines.serve.access_log import AccessLog
from pipelines.serve.guard import App, Guard
from pipelines.serve.options import host_names
from pipelines.serve.pages import Desk
from pipelines.serve.proxy import Proxy
from pipelines.serve.receipt_page import PREFIX as PAGE
from pipelines.serve.receipt_page import ReceiptPage
from pipelines.serve.release_pages import ReleasePages
from pipelines.serve.sessions import Sessions
from pipelines.serve.users import Register
from pipelines.serve.webserver import PREFIX
from pipelines.settings import SettingsError, load_workspace
from warehouse.catalog.load import CatalogError

if TYPE_CHECKING:
    from warehouse.workspace import Workspace

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_EDITION = "/releases/{period}/{audience}/{edition:int}"


def build(workspace: Workspace, dagster_socket: Path) -> App:
    """The application of one workspace."""
    options = workspace.serving
    guard = Guard(
        _nothing,
        register=Register(workspace.home),
        sessions=Sessions(options.idle_minutes * 60, options.session_hours * 3600),
        log=AccessLog(workspace.home, options.access_log_days),
        names=host_names(options),
    )
    desk = Desk(workspace.home, guard)
    proxy = Proxy(dagster_socket, guard)
    guard.app = Starlette(routes=_routes(desk, proxy), exception_handlers=_handlers(desk))
    return guard


def _routes(desk: Desk, proxy: Proxy) -> list[Any]:
    releases = ReleasePages(desk)
    return [
        Route("/health", _health),
        Route("/desk.css", desk.style),
        Route("/login", desk.login, methods=["GET", "POST"]),
        Route("/logout", desk.logout, methods=["POST"]),
        Route("/account", desk.account, methods=["GET", "POST"]),
        Route(PAGE + "{token}", ReceiptPage(desk.home).answer, methods=["GET", "POST"]),
        Route("/", desk.home_page),
        Route("/releases", releases.list),
        Route(_EDITION, releases.detail),
        Route(_EDITION + "/document/{name}", releases.document),
        Route(_EDITION + "/mail/{number:int}", releases.mail),
        Route(_EDITION + "/mail/{number:int}/body", releases.mail_body),
        Route(_EDITION + "/{act}", releases.act, methods=["POST"]),
        Route("/site/{path:path}", desk.site),
        Route("/quality/{path:path}", desk.quality),
        Route(PREFIX, proxy.http, methods=METHODS),
        Route(PREFIX + "/{path:path}", proxy.http, methods=METHODS),
        WebSocketRoute(PREFIX + "/{path:path}", proxy.websocket),
    ]


def _handlers(desk: Desk) -> dict[Any, Any]:
    def refused(_request: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, 400)

    def told(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        words = {404: "没有这个页面,或您无权查看", 403: "您没有权限", 405: "不接受此请求"}
        text = words.get(error.status_code, "请求不能完成")
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse({"error": text}, error.status_code)
        return desk.told(request, error.status_code, text)

    def unsettled(_request: Request, error: Exception) -> Response:
        logging.getLogger("parkwatch.serve").error("%s", error)
        return PlainTextResponse("工作区设置或政策目录有误,请管理员运行 parkwatch doctor", 503)

    return {
        graphql.RefusedError: refused, HTTPException: told, SettingsError: unsettled,
        CatalogError: unsettled,
    }  # fmt: skip


async def _nothing(*_: Any) -> None:
    raise RuntimeError("the guard has nothing to guard yet")


async def _health(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


def run(home: Path, dagster_socket: Path, host: str, port: int) -> None:
    """Serve until told to end (SIGTERM)."""
    import uvicorn

    os.umask(0o077)
    workspace = load_workspace(home)
    options = replace(workspace.serving, host=host, port=port)
    workspace = replace(workspace, serving=options)
    uvicorn.run(
        build(workspace, dagster_socket),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=options.behind_proxy,
        forwarded_allow_ips=list(options.trusted_proxies),
        ssl_certfile=str(options.certificate) if options.certificate else None,
        ssl_keyfile=str(options.key) if options.key else None,
        ws_max_size=1 << 20,
        limit_concurrency=500,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
    )
