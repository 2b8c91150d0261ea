"""Pages of releases (签发): list, one edition with its checklist, documents and mails, and the acts.

Belongs here: these requests, who may make them, what their templates are told. Does not belong here:
checks and transitions (``assets.deliveries.releasing``: the command line uses the same), layout.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from assets.deliveries import approval, releasing
from assets.deliveries.approval import ApprovalError
from assets.deliveries.editions import Edition, newest, published
from assets.deliveries.outbox import OutboxBusyError
from assets.deliveries.sending import Sending
from pipelines.serve import rights
from pipelines.serve.board import editions, local
from pipelines.serve.guard import Person
from pipelines.serve.pages import Desk, file_below, file_response
from pipelines.settings import PERIOD
from warehouse.catalog.load import Catalog, load_catalog
from warehouse.releases import STATUS_ZH, Act, Key, Release, ReleaseError, Releases
from warehouse.workspace import Workspace

MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'; sandbox"
)
ACTS: Mapping[str, tuple[str, str, frozenset[str]]] = {
    "submit": ("draft", "送审", frozenset({rights.SUBMIT})),
    "approve": ("review", "签发", frozenset({rights.APPROVE})),
    "reject": ("review", "退回修改", frozenset({rights.APPROVE})),
    "withdraw": ("approved", "撤回签发", frozenset({rights.APPROVE, rights.SUBMIT})),
}
"""From where each act leads, its word, and the rights of which one is needed. To stop a release both
may: a mistake seen late must not wait for a second person."""
DONE: Mapping[str, str] = {
    "submit": "已送审,等待签发", "approve": "已签发", "reject": "已退回修改", "withdraw": "已撤回签发",
}  # fmt: skip
LOCK_WAIT_SECONDS = 5.0


class ReleasePages:
    """The pages; each request reads settings and catalogue as they are now."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    # --- looking ---------------------------------------------------------------------------------

    def list(self, request: Request) -> Response:
        """Editions of a period by audience, with where they stand."""
        person = self._at_work(request)
        workspace = self.desk.workspace()
        catalog = _catalog(workspace)
        rows = [row for row in editions(workspace) if person.sees(row["audience_id"])]
        periods = sorted({row["period"] for row in rows}, reverse=True)
        wanted = request.query_params.get("period", "")
        period = wanted if wanted in periods else next(iter(periods), "")
        shown = [self._listed(workspace, catalog, row) for row in rows if row["period"] == period]
        order = {"review": 0, "draft": 1, "approved": 2, "sent": 3}
        shown.sort(key=lambda row: (order[row["status"]], row["width"], row["audience_id"]))
        days = approval.next_releases(workspace, catalog, _today(workspace))
        return self.desk.page(request, "releases", period=period, periods=periods, rows=shown,
                              calendar=days)  # fmt: skip

    def _listed(
        self, workspace: Workspace, catalog: Catalog, row: Mapping[str, Any]
    ) -> dict[str, Any]:  # fmt: skip
        key = Key(row["period"], row["audience_id"], row["edition"])
        releases = Sending(workspace, catalog).releases
        release = releases.find(key)
        audience = approval.audience_of(catalog, key.audience_id)
        widths = {"province": 0, "city": 1, "county": 2, "park": 3}
        who = (release.approved_by or release.submitted_by) if release else None
        return {
            "audience_id": key.audience_id, "edition": key.edition, "place": place_of(key),
            "name": audience.name if audience else key.audience_id,
            "width": widths[audience.scope_level] if audience else 9,
            "status": release.status if release else "draft",
            "words": STATUS_ZH[release.status if release else "draft"],
            "correcting": _correcting(releases, key) is not None,
            "who": who or "", "at": local(release.changed_at, _zone(workspace)) if release and who else "",
        }  # fmt: skip

    def detail(self, request: Request) -> Response:
        """One edition: documents, mails, checklist, what may be done by whom."""
        return self._detail(request, told=DONE.get(request.query_params.get("done", ""), ""))

    def _detail(
        self, request: Request, http_status: int = 200, *, told: str = "", problem: str = ""
    ) -> HTMLResponse:
        person = self._at_work(request)
        workspace = self.desk.workspace()
        catalog = _catalog(workspace)
        edition = self._edition(request, workspace, person)
        sending = Sending(workspace, catalog)
        release = sending.releases.find(edition.key)
        standing = release.status if release else "draft"
        items = approval.checklist(workspace, catalog, edition, sending.clock())
        audience = approval.audience_of(catalog, edition.key.audience_id)
        posts = {r.email: r.name for r in (audience.recipients if audience else ())}
        return self.desk.page(
            request, "release", http_status,
            key=edition.key, place=place_of(edition.key), digest=edition.digest,
            name=audience.name if audience else edition.key.audience_id,
            status=standing, words=STATUS_ZH[standing],
            documents=sorted(edition.documents),
            mails=[_mail_line(workspace, n, mail, posts) for n, mail in enumerate(edition.mails, 1)],
            errors=[item for item in items if item.severity == "error"],
            warnings=[item for item in items if item.severity == "warning"],
            acts=[act for act, (fro, _, need) in ACTS.items()
                  if fro == standing and person.rights & need],
            same_person=_same_person(sending, release, person),
            history=_history(sending, edition.key, _zone(workspace)),
            submitted_by=release.submitted_by if release else None,
            approved_by=release.approved_by if release else None,
            embargo=local(release.embargo_until, _zone(workspace))
            if release and release.embargo_until else "",
            correction=release.correction if release else None,
            correcting=_correcting(sending.releases, edition.key),
            told=told, problem=problem,
        )  # fmt: skip

    def document(self, request: Request) -> Response:
        """A document of an edition, only one its manifest lists."""
        person = self._at_work(request)
        workspace = self.desk.workspace()
        edition = self._edition(request, workspace, person)
        name = request.path_params["name"]
        found = file_below(edition.folder, name) if name in edition.documents else None
        if found is None:
            raise HTTPException(404)
        return file_response(found)

    def mail(self, request: Request) -> Response:
        """A mail as its recipient will see it: subject, addresses, attachments, body in a frame."""
        person = self._at_work(request)
        workspace = self.desk.workspace()
        edition, message = self._message(request, workspace, person)
        names = [part.get_filename() or "附件" for part in message.iter_attachments()]
        return self.desk.page(
            request, "mail", key=edition.key, place=place_of(edition.key),
            number=request.path_params["number"],
            subject=str(message["Subject"]), to=str(message["To"]), sender=str(message["From"]),
            message_id=str(message["Message-ID"]), attachments=names,
        )  # fmt: skip

    def mail_body(self, request: Request) -> Response:
        """The body of a mail alone, in a sandbox: it can run and load nothing."""
        person = self._at_work(request)
        _, message = self._message(request, self.desk.workspace(), person)
        body = message.get_body(("html", "plain"))
        text = str(body.get_content()) if body is not None else ""
        plain = body is None or body.get_content_subtype() == "plain"
        headers = {"content-security-policy": MAIL_POLICY, "x-frame-options": "SAMEORIGIN"}
        kind = "text/plain" if plain else "text/html"
        return Response(text, media_type=f"{kind}; charset=utf-8", headers=headers)

    # --- acting ----------------------------------------------------------------------------------

    async def act(self, request: Request) -> Response:
        """Submit, approve, reject or withdraw what the person saw; one who comes late is told."""
        fields = await self.desk.form(request)
        return await run_in_threadpool(self._act, request, fields)

    def _act(self, request: Request, fields: Mapping[str, list[str]]) -> Response:
        person = self._at_work(request)
        act = request.path_params["act"]
        if act not in ACTS:
            raise HTTPException(404)
        request.state.noted.said = act
        if not person.rights & ACTS[act][2]:
            return self.desk.told(request, 403, f"您的角色没有{ACTS[act][1]}权限")
        workspace = self.desk.workspace()
        edition = self._edition(request, workspace, person)
        try:
            said = self._done(act, workspace, edition, person, fields)
        except (ApprovalError, ReleaseError, OutboxBusyError, ValueError) as error:
            status = 422 if isinstance(error, ApprovalError) else 409
            return self._detail(request, status, problem=for_the_web(str(error)))
        if said:
            return self._detail(request, told=said)
        return RedirectResponse(f"{place_of(edition.key)}?done={act}", 303)

    def _done(
        self,
        act: str,
        workspace: Workspace,
        edition: Edition,
        person: Person,
        fields: Mapping[str, list[str]],
    ) -> str:
        """Do it; words beyond the usual ones. What lies there must be what the person saw."""
        if fields.get("seen", [""])[0] != edition.digest:
            raise ReleaseError("文件在您查看之后已重新生成,未作任何改变:请核对后再操作")
        sending = Sending(workspace, _catalog(workspace))
        reason = " ".join(fields.get("reason", [""])[0].split())[:500]
        said = Act(person.user.name, sending.now(), reason)
        if act == "submit":
            releasing.submit(sending, edition, said)
        elif act == "approve":
            embargo = _moment(fields.get("embargo", [""])[0], _zone(workspace))
            releasing.approve(sending, edition, said, ticks=fields.get("tick", []), embargo=embargo)
        elif act == "reject":
            releasing.reject(sending, edition, said)
        else:
            return _when_free(lambda: releasing.withdraw(sending, edition, said))
        return ""

    # --- finding ---------------------------------------------------------------------------------

    def _at_work(self, request: Request) -> Person:
        person: Person = request.state.person
        self.desk.guard.sessions.used(person.session)
        return person

    def _edition(self, request: Request, workspace: Workspace, person: Person) -> Edition:
        """The edition asked for; one the person may not see does not exist for them."""
        where = request.path_params
        if not PERIOD.fullmatch(where["period"]) or not person.sees(where["audience"]):
            raise HTTPException(404)
        found = published(workspace, where["period"], where["audience"])
        edition = next((e for e in found if e.key.edition == where["edition"]), None)
        if edition is None:
            raise HTTPException(404)
        if request.method == "POST" and edition is not newest(found)[0]:
            raise HTTPException(404)
        return edition

    def _message(
        self, request: Request, workspace: Workspace, person: Person
    ) -> tuple[Edition, EmailMessage]:
        edition = self._edition(request, workspace, person)
        number = request.path_params["number"]
        if not 1 <= number <= len(edition.mails):
            raise HTTPException(404)
        file = workspace.home / edition.mails[number - 1].file
        if not file.is_file():
            raise HTTPException(404)
        return edition, message_from_bytes(file.read_bytes(), policy=policy.default)


def _when_free(act: Callable[[], str]) -> str:
    """Do what needs the sending lock; waits a moment for another person's act to be over."""
    until = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            return act()
        except OutboxBusyError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def place_of(key: Key) -> str:
    """The address of an edition's page."""
    return f"/releases/{key.period}/{key.audience_id}/{key.edition}"


def for_the_web(text: str) -> str:
    """A message of the commands without their options."""
    lines = [line for line in text.splitlines() if "--tick" not in line]
    return "\n".join(lines).replace(":加 --reason", "").replace(",或不写 --embargo", ",或留空")


def _catalog(workspace: Workspace) -> Catalog:
    return load_catalog(workspace.catalog, workspace.catalog_base)


def _zone(workspace: Workspace) -> ZoneInfo:
    return ZoneInfo(workspace.timezone)


def _today(workspace: Workspace) -> Any:
    return datetime.now(_zone(workspace)).date()


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("解禁时间不能识别,例:2020-07-20T18:00") from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _same_person(sending: Sending, release: Any, person: Person) -> bool:
    """Whether the rule of two persons keeps this one from approving."""
    return bool(
        release is not None
        and release.status == "review"
        and sending.workspace.release.two_persons
        and release.submitted_by == person.user.name
    )


def _correcting(releases: Releases, key: Key) -> Release | None:
    """The correction opened to replace this edition, while no run has written it."""
    after = Key(key.period, key.audience_id, key.edition + 1)
    return next((r for r in releases.unwritten_corrections() if r.key == after), None)


def _mail_line(
    workspace: Workspace, number: int, mail: Any, posts: Mapping[str, str]
) -> dict[str, Any]:  # fmt: skip
    file: Path = workspace.home / mail.file
    size = file.stat().st_size if file.is_file() else 0
    return {"number": number, "recipient": mail.recipient,
            "post": posts.get(mail.recipient) or mail.recipient,
            "kilobytes": max(1, round(size / 1024)), "there": bool(size)}  # fmt: skip


_ACT_ZH: Mapping[str, str] = {
    "submit": "送审", "approve": "签发", "reject": "退回修改", "withdraw": "撤回签发",
    "send": "发送", "correct": "更正",
}  # fmt: skip


def _history(sending: Sending, key: Key, zone: ZoneInfo) -> list[dict[str, str]]:
    """What the audit log says of an edition, newest first."""
    import json

    return [
        {"at": local(entry.at, zone), "who": entry.actor,
         "act": _ACT_ZH.get(entry.action, entry.action),
         "reason": str(json.loads(entry.detail).get("reason", ""))}
        for entry in reversed(sending.releases.audit_log()) if entry.subject == str(key)
    ]  # fmt: skip
