"""The gate in front of a pretended Dagster that notes whatever reaches it."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from assets.deliveries import returned
from pipelines.serve import gate, passwords, users
from pipelines.serve.users import User
from pipelines.settings import load_workspace
from tests.support.bureau import make_home
from warehouse.outbox_ledger import Mail, OutboxLedger

PASSWORD = "correct-horse-9"
ORIGIN = {"origin": "http://localhost"}
SOCKET = ORIGIN | {"host": "localhost"}
HTML = {"accept": "text/html"}
PEOPLE = (("vi", "viewer", ()), ("op", "operator", ()), ("ap", "approver", ()),
          ("ma", "maintainer", ()), ("city", "approver", ("xa",)))  # fmt: skip


class Dagster:
    """Answers everything and notes it."""

    def __init__(self, socket):
        self.asked = []
        app = Starlette(
            routes=[
                Route("/{path:path}", self.http, methods=["GET", "POST"]),
                WebSocketRoute("/{path:path}", self.websocket),
            ]
        )
        config = uvicorn.Config(app, uds=str(socket), log_level="error")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)

    async def http(self, request):
        body = await request.body()
        self.asked.append((request.method, request.url.path, dict(request.headers), body))
        headers = {"set-cookie": "theirs=1", "server": "dagster", "x-dagster-call-counts": "{}"}
        if request.url.path.endswith(".js"):
            return PlainTextResponse("js", headers=headers)
        return JSONResponse({"data": {"version": "1"}}, headers=headers)

    async def websocket(self, socket):
        await socket.accept("graphql-ws")
        self.asked.append(("WEBSOCKET", socket.url.path, dict(socket.headers), b""))
        async for text in socket.iter_text():
            self.asked.append(("MESSAGE", "", {}, text.encode()))
            await socket.send_text(json.dumps({"type": "data", "id": "1"}))


@pytest.fixture(scope="module")
def dagster():
    folder = Path(tempfile.mkdtemp())
    made = Dagster(folder / "d.sock")
    yield made
    made.server.should_exit = True
    made.thread.join(5)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = make_home(tmp_path_factory.mktemp("gate"))
    (home / "site").mkdir()
    (home / "site" / "index.html").write_text("<p>site</p>")
    (home / "site" / ".hidden.html").write_text("no")
    (home / "site" / "link.html").symlink_to(home / "parkwatch.toml")
    (home / "secret.html").write_text("no")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "N", 2)
        patch.setattr(passwords, "P", 1)
        for name, role, audiences in PEOPLE:
            user = User(user=name, name=f"岗位 {name}", roles=(role,), audiences=audiences)
            users.add(home, user, PASSWORD, "root")
        yield home


@pytest.fixture(scope="module")
def app(home, dagster):
    return gate.build(load_workspace(home), Path(dagster.server.config.uds))


@pytest.fixture
def anybody(app, dagster):
    dagster.asked.clear()
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        yield client


def login(client, name, password=PASSWORD, **headers):
    return client.post("/login", data={"user": name, "password": password},
                       headers=ORIGIN | headers)  # fmt: skip


@pytest.fixture
def person(anybody):
    def as_one(name):
        assert login(anybody, name).status_code == 303
        return anybody

    return as_one


def refused(client, headers):
    """The code a websocket is refused with."""
    with pytest.raises(WebSocketDisconnect) as told, client.websocket_connect(
        "/dagster/graphql", headers=headers
    ):  # fmt: skip
        pass
    return told.value.code


def ask(client, query, **headers):
    return client.post("/dagster/graphql", json={"query": query}, headers=ORIGIN | headers)


# --- anybody --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/", "/releases", "/releases/2020-06/office/1", "/site/", "/site/index.html", "/quality/x",
     "/account", "/dagster", "/dagster/", "/dagster/graphql", "/dagster/_next/static/a.js",
     "/dagster/logs/x", "/dagster/server_info", "/nothing", "/login/../site/", "//site/"],
)  # fmt: skip
def test_anybody_gets_nothing(anybody, dagster, path):
    assert anybody.get(path).status_code == 401
    led = anybody.get(path, headers=HTML)
    assert led.status_code == 303
    assert led.headers["location"].startswith("/login")
    assert led.content == b""
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"):
        assert anybody.request(method, path, headers=ORIGIN).status_code in (401, 403)
    assert dagster.asked == []


def test_anybody_gets_no_websocket(anybody, dagster):
    assert refused(anybody, SOCKET) == 4401
    assert dagster.asked == []


def test_login_page_has_its_style_and_no_script(anybody):
    page = anybody.get("/login", headers=HTML)
    assert page.status_code == 200
    assert "<script" not in page.text
    style = anybody.get("/desk.css")
    assert style.headers["content-type"].startswith("text/css")
    for rule in (".skip {", "--ground:", "header nav {", ".card {"):  # page, site and desk
        assert rule in style.text


def test_every_answer_carries_the_headers(anybody):
    for path in ("/login", "/", "/desk.css", "/nothing"):
        headers = anybody.get(path).headers
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "server" not in headers


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "10.0.0.1:8000"])
def test_another_host_name_is_refused(anybody, host):
    assert anybody.get("/login", headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "/a\n"]
)
def test_login_leads_nowhere_else(anybody, place):
    data = {"user": "vi", "password": PASSWORD, "next": place}
    assert anybody.post("/login", data=data, headers=ORIGIN).headers["location"] == "/"


# --- logging in -----------------------------------------------------------------------------------


def test_the_cookie_is_for_us_alone(anybody):
    said = login(anybody, "vi").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(said.split("; "))
    assert "Secure" not in said


def test_over_tls_the_cookie_is_secure(app):
    with TestClient(app, base_url="https://localhost", follow_redirects=False) as client:
        answer = client.post("/login", data={"user": "vi", "password": PASSWORD},
                             headers={"origin": "https://localhost"})  # fmt: skip
        assert answer.headers["set-cookie"].startswith("__Host-parkwatch=")
        assert "Secure" in answer.headers["set-cookie"]
        assert "strict-transport-security" in answer.headers
        assert client.get("/account").status_code == 200


def test_wrong_user_and_wrong_password_are_answered_alike_and_then_wait(app):
    with TestClient(app, base_url="http://localhost", client=("10.1.1.1", 1)) as client:
        unknown, wrong = login(client, "who"), login(client, "vi", "wrong")
        assert unknown.status_code == wrong.status_code == 401
        assert unknown.text.replace("who", "") == wrong.text.replace('value="vi"', 'value=""')
        for _ in range(4):
            login(client, "vi", "wrong")
        waits = login(client, "vi")
        assert waits.status_code == 429  # the right password too
        assert "秒后再试" in waits.text


def test_a_login_posted_from_elsewhere_is_refused(anybody):
    for origin in ({"origin": "http://evil.example"}, {"origin": "null"}, {},
                   {"origin": "https://localhost"}, {"sec-fetch-site": "cross-site"}):  # fmt: skip
        answer = anybody.post("/login", data={"user": "vi", "password": PASSWORD}, headers=origin)
        assert answer.status_code == 403


def test_logout_needs_the_forms_token_and_ends_the_session(person):
    client = person("vi")
    cookie = client.cookies["parkwatch"]
    assert client.post("/logout", data={}, headers=ORIGIN).status_code == 400
    token = re.search(r'name="form_token" value="([^"]+)"', client.get("/account").text)[1]
    out = client.post("/logout", data={"form_token": token}, headers=ORIGIN)
    assert (out.status_code, out.headers["location"]) == (303, "/login")
    client.cookies.set("parkwatch", cookie)
    assert client.get("/account").status_code == 401


def test_who_is_shut_out_is_out_with_the_next_request(home, person):
    client = person("ap")
    assert client.get("/releases").status_code == 200
    users.set_disabled(home, "ap", True, "root")
    assert client.get("/releases").status_code == 401
    users.set_disabled(home, "ap", False, "root")
    assert client.get("/releases").status_code == 401


def test_a_new_password_ends_the_sessions_of_the_old_one(home, person):
    client = person("ma")
    users.set_password(home, "ma", PASSWORD + "-x", "root")
    assert client.get("/account").status_code == 401
    users.set_password(home, "ma", PASSWORD, "root")


# --- Dagster behind it ----------------------------------------------------------------------------


def test_dagster_is_told_the_rights_and_nothing_else(person, dagster):
    client = person("op")
    answer = ask(client, "{ version }", **{"x-parkwatch-rights": "maintain", "authorization": "x",
                                           "x-forwarded-for": "1.2.3.4"})  # fmt: skip
    assert answer.json() == {"data": {"version": "1"}}
    _, path, headers, body = dagster.asked[-1]
    assert path == "/dagster/graphql"
    assert headers["x-parkwatch-rights"] == "operate submit view"
    assert not {"cookie", "authorization", "x-forwarded-for", "origin"} & set(headers)
    assert json.loads(body) == {"query": "{ version }", "variables": None}
    assert not {"set-cookie", "server", "x-dagster-call-counts"} & set(answer.headers)


@pytest.mark.parametrize(
    ("name", "query", "status"),
    [
        ("vi", "{ version }", 200),
        ("vi", "mutation { launchRun { __typename } }", 403),
        ("vi", "mutation { a: setNuxSeen }", 403),
        ("ap", "mutation { launchRun { __typename } }", 403),
        ("op", "mutation { launchRun { __typename } }", 200),
        ("op", "mutation { wipeAssets { __typename } }", 403),
        ("op", "mutation { launchRun { a } wipeAssets { __typename } }", 403),
        ("op", "mutation { deleteRun { __typename } }", 403),
        ("ma", "mutation { wipeAssets { __typename } }", 200),
        ("ma", "mutation { reportRunlessAssetEvents { __typename } }", 403),
        ("op", "subscription { a }", 400),
        ("op", "not graphql {", 400),
        ("city", "{ version }", 403),
    ],
)
def test_what_reaches_dagster(person, dagster, name, query, status):
    assert ask(person(name), query).status_code == status
    assert bool(dagster.asked) == (status == 200)


def test_other_ways_to_dagster_are_closed(person, dagster):
    client = person("ma")
    for method, path in (
        ("GET", "/dagster/graphql?query={version}"),
        ("GET", "/dagster/graphql"),
        ("POST", "/dagster/report_asset_materialization/x"),
        ("GET", "/dagster/report_asset_check/x"),
        ("GET", "/dagster/download_debug/x"),
        ("GET", "/dagster//download_debug/x"),
        ("GET", "/dagster/notebook?path=x"),
        ("POST", "/dagster/logs/x"),
        ("DELETE", "/dagster/graphql"),
        ("POST", "/dagster/%67raphql/"),
        ("GET", "/dagster/logs/%2e%2e/%2e%2e/x"),
    ):
        assert client.request(method, path, headers=ORIGIN).status_code in (403, 405), path
    form = {"headers": ORIGIN, "data": {"query": "mutation { wipeAssets }"}}
    assert client.post("/dagster/graphql", **form).status_code == 400
    assert dagster.asked == []


def test_dagsters_pages_keep_their_policy_and_get_a_stricter_one(person):
    answer = person("vi").get("/dagster/overview")
    assert any("connect-src 'self'" in value for value in answer.headers.get_list(
        "content-security-policy"))  # fmt: skip


def test_a_subscription_passes_and_a_change_over_websocket_ends_it(person, dagster):
    client = person("vi")
    start = {"type": "start", "id": "1", "payload": {"query": "subscription { a }"}}
    headers = SOCKET | {"cookie": f"parkwatch={client.cookies['parkwatch']}"}
    with client.websocket_connect("/dagster/graphql", ["graphql-ws"], headers=headers) as socket:
        socket.send_json({"type": "connection_init"})
        socket.receive_json()
        socket.send_json(start)
        socket.receive_json()
        socket.send_json(start | {"payload": {"query": "mutation { wipeAssets }"}})
        with pytest.raises(WebSocketDisconnect):
            while True:
                socket.receive_json()
    said = b"".join(body for _, _, _, body in dagster.asked)
    assert b"subscription" in said
    assert b"wipeAssets" not in said


def test_a_websocket_from_another_page_is_refused(person):
    client = person("vi")
    assert refused(client, SOCKET | {"origin": "http://evil.example"}) == 4403
    cookie = {"cookie": f"parkwatch={client.cookies['parkwatch']}", "host": "localhost"}
    assert refused(client, cookie) == 4403
    assert refused(client, cookie | {"origin": "http://evil.example"}) == 4403
    assert refused(client, SOCKET | {"host": "evil.example"}) == 4421


# --- files and pages ------------------------------------------------------------------------------


def test_the_site_is_for_those_who_see_everything(person):
    assert person("vi").get("/site/").text == "<p>site</p>"
    assert person("city").get("/site/").status_code == 403


@pytest.mark.parametrize(
    "path",
    ["../parkwatch.toml", "%2e%2e/secret.html", "..%2fsecret.html", ".hidden.html", "link.html",
     "%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd", "..%5csecret.html", "%00index.html", "//etc/passwd",
     "nothing.html", "index.html/x"],
)  # fmt: skip
def test_no_file_outside_the_site(person, path):
    client = person("vi")
    assert client.get(f"http://localhost/site/{path}").status_code in (401, 403, 404)


def test_pages_of_a_workspace_without_a_run(person):
    client = person("op")
    for path in ("/", "/releases", "/account"):
        page = client.get(path, headers=HTML)
        assert page.status_code == 200, path
        assert "<script" not in page.text
    assert client.get("/releases/2020-06/office/1", headers=HTML).status_code == 404


def test_who_is_limited_to_audiences_sees_no_other_page(person, dagster):
    client = person("city")
    assert client.get("/").headers["location"] == "/releases"
    assert client.get("/quality/2020-06/").status_code == 403
    assert client.get("/dagster/overview").status_code == 403
    assert dagster.asked == []


def test_the_access_log_has_no_secrets(home, person):
    client = person("op")
    login(client, "canary-typed-as-user", "canary-password")
    ask(client, 'mutation { launchRun(x: "canary-in-query") { a } }')
    client.get("/releases?period=canary-in-url")
    text = (home / "logs" / "access.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert "canary" not in text
    assert PASSWORD not in text
    assert client.cookies["parkwatch"][:20] not in text
    assert any(line.get("said") == "mutation launchRun" and line["user"] == "op" for line in lines)
    assert any(line.get("said") == "login refused (unknown)" for line in lines)
    assert (home / "logs" / "access.jsonl").stat().st_mode & 0o077 == 0


def test_a_receipt_link_needs_no_login_and_is_confirmed_by_the_button_alone(home, anybody):
    workspace = load_workspace(home)
    mail = Mail("e", "a@y.test", "bulletin", "监测岗", "六月通报", "<m1@x.test>", "m.eml", "0", 1)
    ledger = OutboxLedger(workspace.state_file)
    ledger.plan([mail], "2026-01-01T00:00:00+00:00")
    key = returned.receipt_key(workspace.receipt_key_file)
    link = "/receipt/" + returned.make_token(key, mail.message_id, mail.recipient)
    shown = anybody.get(link)
    assert shown.status_code == 200 and "确认签收" in shown.text and "六月通报" in shown.text
    assert not ledger.by_message_id(mail.message_id)["acknowledged_at"]
    assert anybody.post(link).status_code == 403  # not from the page
    done = anybody.post(link, headers=ORIGIN)
    assert done.status_code == 200 and "已签收" in done.text
    assert ledger.by_message_id(mail.message_id)["acknowledged_at"]
    ledger.close()
    assert anybody.get(link[:-2] + "xx").status_code == 404
    assert anybody.get("/receipt/nothing").status_code == 404
    assert anybody.get("/receipt/").status_code == 404
    assert link.rpartition(".")[2] not in (home / "logs" / "access.jsonl").read_text()
