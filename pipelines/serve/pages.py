"""Pages around the work: login and logout, one's password, the board, files of site and Data Docs.

Belongs here: these requests and what their templates are told. Does not belong here: releases
(``release_pages``), what holds for every request (``guard``), figures.
"""

from __future__ import annotations

import asyncio
import math
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from pipelines.serve import board, graphql, rights, users
from pipelines.serve.guard import Guard, Person, cookie_header, is_secure
from pipelines.serve.proxy import body_of
from pipelines.serve.sessions import Backoff
from pipelines.settings import load_workspace
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    from jinja2 import Environment

FORM_BYTES = 64 << 10
HASHING = 2
"""Passwords checked at once: each takes 32 MiB."""
SHOWN_SUFFIXES = frozenset({".html", ".css", ".js", ".svg", ".png", ".pdf", ".docx", ".xlsx",
                            ".csv", ".json", ".txt"})  # fmt: skip
FILE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
_LOCAL_PLACE = re.compile(r"/[^/\\][^\\\x00-\x1f]*")


class Desk:
    """What the pages share: the workspace, its templates, the guard, the doors to sessions."""

    def __init__(self, home: Path, guard: Guard) -> None:
        self.home, self.guard = home, guard
        self.backoff = Backoff()
        self._hashing = asyncio.Semaphore(HASHING)

    def workspace(self) -> Workspace:
        """The workspace as its settings say now."""
        return load_workspace(self.home)

    @cached_property
    def templates(self) -> Environment:
        """Every text is escaped; a name the page does not know is a fault."""
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        from assets.bulletins.markup import TEMPLATES

        return Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip

    def page(
        self, request: Request, template: str, http_status: int = 200, /, **values: Any
    ) -> HTMLResponse:  # fmt: skip
        """A page of ours with what every page shows."""
        person: Person | None = getattr(request.state, "person", None)
        workspace = self.workspace()
        shown = {
            "bureau": workspace.bureau.name,
            "simulated": workspace.simulated,
            "person": person,
            "roles": "、".join(rights.ROLES_ZH.get(r, r) for r in person.user.roles) if person else "",
            "form_token": person.session.form_token if person else "",
            "here": request.url.path,
        }  # fmt: skip
        text = self.templates.get_template(f"desk/{template}.html.j2").render(shown | values)
        return HTMLResponse(text, http_status)

    async def form(self, request: Request) -> dict[str, list[str]]:
        """Fields of a form. Raises RefusedError: too large, no form, or not the session's token."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise graphql.RefusedError("不是表单")
        text = (await body_of(request, FORM_BYTES)).decode("utf-8", "replace")
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=200)
        person: Person | None = request.state.person
        given = fields.get("form_token", [""])[0]
        if person is not None and not _same(given, person.session.form_token):
            raise graphql.RefusedError("表单已失效,请刷新页面后重试")
        return fields

    async def checked(self, user: users.User | None, password: str) -> bool:
        """Whether the password is right; takes as long when there is no such user."""
        from pipelines.serve.passwords import LONGEST, matches, nobody

        stored = user.password if user is not None else None
        async with self._hashing:
            stored = stored or await run_in_threadpool(nobody)
            right = await run_in_threadpool(matches, password[:LONGEST], stored)
        return right and user is not None

    # --- logging in and out ----------------------------------------------------------------------

    async def login(self, request: Request) -> Response:
        """The login page, and a try to log in."""
        place = _place(request.query_params.get("next", "/"))
        if request.method != "POST":
            if request.state.person is not None:
                return RedirectResponse(place, 303)
            return self.page(request, "login", place=place, problem="", name="")
        request.state.person = None  # who logs in anew is nobody before
        fields = await self.form(request)
        name, password = (fields.get(one, [""])[0] for one in ("user", "password"))
        place = _place(fields.get("next", ["/"])[0])
        address = request.client.host if request.client else "-"
        wait = self.backoff.wait(name, address)
        if wait > 0:
            problem = f"口令错误次数过多,请 {math.ceil(wait)} 秒后再试"
            return self.page(request, "login", 429, place=place, problem=problem, name=name)
        user = self.guard.register.now().active(name)
        if not await self.checked(user, password) or user is None:
            self.backoff.wrong(name, address)
            request.state.noted.said = f"login refused {user.user if user else '(unknown)'}"
            problem = "用户名或口令不正确"
            return self.page(request, "login", 401, place=place, problem=problem, name=name)
        self.backoff.right(name, address)
        request.state.noted.user, request.state.noted.said = user.user, "login"
        _session, cookie = self.guard.sessions.begin(user.user, user.password)
        answer = RedirectResponse(place, 303)
        answer.headers["set-cookie"] = cookie_header(cookie, secure=is_secure(request.scope))
        return answer

    async def logout(self, request: Request) -> Response:
        """End the session."""
        await self.form(request)
        self.guard.sessions.end(request.state.person.session)
        request.state.noted.said = "logout"
        answer = RedirectResponse("/login", 303)
        secure = is_secure(request.scope)
        answer.headers["set-cookie"] = cookie_header("", secure=secure, ended=True)
        answer.headers["clear-site-data"] = '"cache"'
        return answer

    async def account(self, request: Request) -> Response:
        """Who one is and may; a new password."""
        person: Person = request.state.person
        held = [words for right, words in rights.RIGHTS.items() if person.may(right)]
        if request.method != "POST":
            return self.page(request, "account", held=held, problem="")
        fields = await self.form(request)
        old, new, again = (fields.get(one, [""])[0] for one in ("old", "new", "again"))
        problem = await self._new_password(request, person, old, new, again)
        if problem:
            return self.page(request, "account", 422, held=held, problem=problem)
        self.guard.sessions.end(person.session)
        return RedirectResponse("/login", 303)

    async def _new_password(
        self, request: Request, person: Person, old: str, new: str, again: str
    ) -> str:  # fmt: skip
        """What is wrong; empty when it is set."""
        name, address = person.user.user, request.client.host if request.client else "-"
        if self.backoff.wait(name, address) > 0:
            return "口令错误次数过多,请稍后再试"
        if not await self.checked(person.user, old):
            self.backoff.wrong(name, address)
            return "原口令不正确"
        if new != again:
            return "两次输入的新口令不一致"
        try:
            await run_in_threadpool(users.set_password, self.home, name, new, person.user.name)
        except users.UsersError as error:
            return str(error)
        return ""

    # --- the board and files ---------------------------------------------------------------------

    def home_page(self, request: Request) -> Response:
        """What has come, what is due, what waits for whom."""
        person: Person = request.state.person
        if not person.sees_all:
            return RedirectResponse("/releases", 303)
        self.guard.sessions.used(person.session)
        wanted = request.query_params.get("period", "")
        return self.page(request, "home", board=board.read(self.workspace(), wanted))

    def site(self, request: Request) -> Response:
        """A file of the static site."""
        return self._file(request, self.home / "site", "网站尚未生成:运行 parkwatch site")

    def quality(self, request: Request) -> Response:
        """A page of the Data Docs."""
        folder = self.home / "quality" / "data-docs"
        return self._file(request, folder, "本期数据质量页尚未生成:运行 parkwatch run")

    def style(self, _request: Request) -> Response:
        """The style of the site and of these pages."""
        from assets.bulletins.markup import TEMPLATES

        text = "".join((TEMPLATES / file).read_text(encoding="utf-8")
                       for file in ("web/page.css", "site/site.css", "desk/desk.css"))  # fmt: skip
        return Response(text, media_type="text/css", headers={"cache-control": "max-age=300"})

    def _file(self, request: Request, root: Path, absent: str) -> Response:
        person: Person = request.state.person
        if not person.sees_all:
            return self.told(request, 403, "您的账号只能查阅指定受众的通报")
        self.guard.sessions.used(person.session)
        found = file_below(root, request.path_params.get("path", "") or "index.html")
        if found is None:
            return self.told(request, 404, absent if not root.is_dir() else "没有这个文件")
        return file_response(found)

    def told(self, request: Request, status: int, words: str) -> HTMLResponse:
        """A page that says why not."""
        return self.page(request, "told", status, words=words)


def file_below(root: Path, path: str) -> Path | None:
    """The file at ``path`` below ``root``; None for anything hidden, outside or of another kind."""
    parts = [part for part in path.split("/") if part]
    if "\0" in path or any(part.startswith(".") or "\\" in part for part in parts):
        return None
    wanted = root.joinpath(*parts)
    try:
        found = (wanted / "index.html" if wanted.is_dir() else wanted).resolve(strict=True)
        inside = found.is_relative_to(root.resolve(strict=True))
    except OSError:
        return None
    return found if inside and found.is_file() and found.suffix in SHOWN_SUFFIXES else None


def file_response(file: Path) -> Response:
    """A file of the house, shown or handed over under its own name."""
    shown = file.suffix in (".html", ".css", ".js", ".svg", ".png", ".pdf", ".txt")
    kind = {".js": "text/javascript", ".docx": None}.get(file.suffix)
    said = {"content-security-policy": FILE_POLICY, "x-frame-options": "SAMEORIGIN"}
    return FileResponse(
        file, filename=file.name, media_type=kind, headers=said,
        content_disposition_type="inline" if shown else "attachment",
    )  # fmt: skip


def _place(wanted: str) -> str:
    """Where to go after login: a place of ours, whatever a link says."""
    return wanted if _LOCAL_PLACE.fullmatch(wanted) else "/"


def _same(one: str, other: str) -> bool:
    import hmac

    return hmac.compare_digest(one.encode(errors="replace"), other.encode())
