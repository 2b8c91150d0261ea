"""``parkwatch serve`` whole: lineage, a run and an approval in a browser, and who may not.

The tests of this module are one story and run in order on one served workspace.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import threading
from pathlib import Path

import pytest

from tests.support.serving import PASSWORD, PERIOD, Served, bureau
from tests.support.workspaces import parkwatch
from warehouse.releases import Key, Releases

AXE = Path(__file__).parents[1] / "support" / "vendor" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="没有 chromium，未做网页服务的浏览器测试")
PLACE = f"/releases/{PERIOD}/office/1"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    home = bureau(tmp_path_factory.mktemp("serve") / "bureau")
    one = Served(home)
    one.start()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="没有安装 playwright")
    with playwright.sync_playwright() as engine:
        running = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser, served):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(180_000)
    yield opened
    context.close()


def log_in(page, served, user):
    page.goto(served.url)
    assert page.url == f"{served.url}/login"
    page.fill("#user", user)
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{served.url}/")


def standing(served):
    release = Releases(served.home / "state.sqlite").find(Key(PERIOD, "office", 1))
    return release.status if release else None


def test_cold_start_to_a_working_login(served, capsys):
    login = served.until(served.answers)
    client = served.client("op")
    ready = served.until(lambda: client.get("/dagster/server_info").status_code == 200)
    with capsys.disabled():
        print(f"\nserve: login page after {login:.1f} s, lineage after {ready:.1f} s")


def test_an_operator_sees_the_lineage_materialises_a_table_and_hands_the_bulletin_in(page, served):
    log_in(page, served, "op")
    page.get_by_role("link", name="数据沿袭").click()
    page.get_by_text("assessment", exact=True).first.wait_for()
    page.goto(f"{served.url}/dagster/assets/dims/indicator")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_role("button", name="Confirm").click()
    client = served.client("op")
    query = "{ runsOrError(limit: 1) { ... on Runs { results { status tags { key value } } } } }"

    def newest():
        runs = served.graphql(client, query).json()["data"]["runsOrError"]["results"]
        return runs[0] if runs else {"status": ""}

    served.until(lambda: newest()["status"] in ("SUCCESS", "FAILURE"), every=2)
    assert newest()["status"] == "SUCCESS"
    page.goto(served.url + "/releases")
    page.click("tbody a")
    assert page.url == served.url + PLACE
    page.get_by_role("button", name="送审").click()
    page.get_by_text("已送审，等待签发", exact=False).or_(
        page.get_by_role("status")
    ).first.wait_for()
    assert standing(served) == "review"
    assert page.get_by_role("button", name="签发").count() == 0


def test_a_viewer_changes_nothing(served):
    client = served.client("vi")
    page = client.get(PLACE)
    assert page.status_code == 200
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)[1]
    digest = re.search(r"内容指纹 <code>(\w+)", page.text)[1]
    before = served.records()
    answers = [probe(client, token, digest) for probe in probes(served)]
    assert len(answers) >= 50
    assert [a.status_code for a in answers if a.status_code < 400] == []
    assert served.records() == before


def probes(served):
    """Ways to change something, each a function of (client, form token, digest)."""
    selector = ('{repositoryName: "__repository__", repositoryLocationName: "parkwatch", '
                'sensorName: "due_periods"}')  # fmt: skip
    changes = [
        "wipeAssets(assetPartitionRanges: [{assetKey: {path: [\"dims\", \"park\"]}}])",
        "launchRun(executionParams: {selector: {}})", "launchMultipleRuns(executionParamsList: [])",
        "launchPipelineExecution(executionParams: {selector: {}})",
        "launchRunReexecution(reexecutionParams: {parentRunId: \"x\", strategy: ALL_STEPS})",
        "launchPartitionBackfill(backfillParams: {allPartitions: true})",
        "cancelPartitionBackfill(backfillId: \"x\")", "resumePartitionBackfill(backfillId: \"x\")",
        "terminateRun(runId: \"x\")", "terminateRuns(runIds: [\"x\"])", "deleteRun(runId: \"x\")",
        "deletePipelineRun(runId: \"x\")", f"startSensor(sensorSelector: {selector})",
        "stopSensor(id: \"x\")", f"resetSensor(sensorSelector: {selector})",
        f"setSensorCursor(sensorSelector: {selector}, cursor: \"x\")",
        f"sensorDryRun(selectorData: {selector})", "reloadWorkspace",
        "reloadRepositoryLocation(repositoryLocationName: \"parkwatch\")",
        "shutdownRepositoryLocation(repositoryLocationName: \"parkwatch\")",
        "setConcurrencyLimit(concurrencyKey: \"x\", limit: 9)",
        "deleteConcurrencyLimit(concurrencyKey: \"x\")",
        "freeConcurrencySlots(runId: \"x\")", "setNuxSeen", "setAutoMaterializePaused(paused: true)",
        "logTelemetry(action: \"x\", clientTime: \"0\", clientId: \"x\", metadata: \"{}\")",
        "addDynamicPartition(partitionKey: \"x\", partitionsDefName: \"x\")",
        "deleteDynamicPartitions(partitionKeys: [\"x\"], partitionsDefName: \"x\")",
        "reportRunlessAssetEvents(eventParams: {eventType: ASSET_MATERIALIZATION, "
        "assetKey: {path: [\"dims\", \"park\"]}})",
        "reportAssetCheckEvaluations(evaluations: [])",
    ]  # fmt: skip

    def asked(query, **more):
        return lambda client, *_: client.post("/dagster/graphql", json={"query": query, **more})

    for change in changes:
        name = change.partition("(")[0]
        fields = "" if name in ("setNuxSeen", "setAutoMaterializePaused") else "{ __typename }"
        yield asked(f"mutation {{ {change} {fields} }}")
    wipe = f"{changes[0]} {{ __typename }}"
    yield asked(f"mutation {{ ok: {wipe} }}")
    yield asked(f"mutation {{ ...F }} fragment F on Mutation {{ {wipe} }}")
    yield asked(f"query A {{ version }} mutation B {{ {wipe} }}", operationName="B")
    yield asked(f"query A {{ version }} mutation B {{ {wipe} }}", operationName="A")
    yield lambda client, *_: client.get(
        "/dagster/graphql", params={"query": f"mutation {{{wipe}}}"}
    )
    yield lambda client, *_: client.post(
        "/dagster/graphql", json=[{"query": f"mutation {{{wipe}}}"}]
    )
    yield lambda client, *_: client.post("/dagster/graphql", data={"query": f"mutation {{{wipe}}}"})
    yield lambda client, *_: client.post(
        "/dagster/graphql", content=f"mutation {{{wipe}}}",
        headers={"content-type": "application/graphql"},
    )  # fmt: skip
    yield lambda client, *_: client.post(
        "/dagster/graphql", json={"query": f"mutation {{{wipe}}}"},
        headers={"x-parkwatch-rights": "maintain operate"},
    )  # fmt: skip
    for kind in ("materialization", "check", "observation"):
        yield lambda client, *_, kind=kind: client.post(
            f"/dagster/report_asset_{kind}/dims/park", json={"passed": True, "check_name": "x"}
        )
    yield lambda client, *_: client.post(
        "/dagster/graphql", files={"operations": (None, f"mutation {{{wipe}}}")}
    )
    for act in ("submit", "approve", "reject", "withdraw", "send"):
        yield lambda client, token, digest, act=act: client.post(
            f"{PLACE}/{act}", data={"form_token": token, "seen": digest, "reason": "x",
                                    "tick": "recipients-ended"})  # fmt: skip
    for method in ("PUT", "DELETE", "PATCH"):
        yield lambda client, *_, method=method: client.request(method, PLACE)
    yield lambda client, *_: client.post("/", data={})
    yield lambda client, *_: client.put("/site/index.html", content=b"x")
    yield lambda client, token, _: client.post(
        "/account", data={"form_token": token, "old": "wrong", "new": "x" * 12, "again": "x" * 12}
    )


def test_dagster_itself_would_refuse_a_viewer_too(served):
    """Past the gate: the webserver knows the rights it was told."""
    import httpx

    from pipelines.serve.supervise import socket_folder

    socket = socket_folder(served.home) / "dagster.sock"
    query = ('mutation { wipeAssets(assetPartitionRanges: [{assetKey: {path: ["dims", "park"]}}]) '
             "{ __typename ... on UnauthorizedError { message } } }")  # fmt: skip
    before = served.records()
    transport = httpx.HTTPTransport(uds=str(socket))
    with httpx.Client(transport=transport, base_url="http://dagster") as inside:
        for rights in ({}, {"x-parkwatch-rights": "view"}, {"x-parkwatch-rights": "operate view"}):
            told = inside.post("/dagster/graphql", json={"query": query}, headers=rights)
            assert told.json()["data"]["wipeAssets"]["__typename"] == "UnauthorizedError"
    assert served.records() == before


def test_anybody_gets_nothing(served):
    client = served.client()
    script = re.search(r'src="([^"]+\.js)"', served.client("vi").get("/dagster/runs").text)[1]
    for path in ("/", "/releases", PLACE, f"{PLACE}/mail/1", f"{PLACE}/mail/1/body", "/site/",
                 f"/quality/{PERIOD}/", "/dagster", "/dagster/runs", "/dagster/server_info", script,
                 "/dagster/favicon.ico", "/account"):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code == 401, path
        assert len(answer.content) < 100
    assert served.graphql(client, "{ version }").status_code == 401


def test_an_approver_looks_and_approves_and_logs_out(page, served):
    log_in(page, served, "ap")
    page.get_by_role("link", name=f"{PERIOD} 待签发 1 份").click()
    page.click("tbody a")
    page.locator("#h-mail ~ ul a").first.click()
    frame = page.frame_locator("iframe")
    assert "工业总产值" in frame.locator("body").inner_text()
    page.go_back()
    page.get_by_label("原监测岗", exact=False).check()
    page.get_by_role("button", name="签发").click()
    page.get_by_role("status").wait_for()
    assert standing(served) == "approved"
    entry = Releases(served.home / "state.sqlite").audit_log()[-1]
    assert (entry.actor, entry.action) == ("分管岗 乙", "approve")
    page.get_by_role("button", name="退出").click()
    page.wait_for_url(f"{served.url}/login")
    page.goto(served.url + PLACE)
    assert "/login" in page.url


def both(served, act, **fields):
    """Two approvers do the same at once; (status, text) of each."""
    clients, told = [served.client(name) for name in ("ap", "ap2")], []
    start = threading.Barrier(2)

    def one(client):
        start.wait()
        answer = served.act(client, PLACE, act, **fields)
        told.append((answer.status_code, answer.text))

    threads = [threading.Thread(target=one, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(told)


def test_of_two_at_once_one_wins_and_the_other_is_told(served):
    won, lost = both(served, "withdraw", reason="发现错字")
    assert (won[0], lost[0]) == (200, 409)
    assert "不能撤回签发" in lost[1]
    assert standing(served) == "draft"
    operator = served.client("op")
    assert served.act(operator, PLACE, "submit").status_code == 303
    assert served.act(operator, PLACE, "approve").status_code == 403
    assert served.act(served.client("ap"), PLACE, "approve").status_code == 422
    won, lost = both(served, "approve", tick="recipients-ended")
    assert (won[0], lost[0]) == (303, 409)
    assert "已签发" in lost[1]
    told = parkwatch("audit", "verify", "--home", served.home)
    assert told.returncode == 0, told.stdout + told.stderr


def test_what_was_not_seen_is_not_decided(served):
    answer = served.act(served.client("ap"), PLACE, "withdraw", seen="0" * 64, reason="x")
    assert answer.status_code == 409
    assert "重新生成" in answer.text
    assert standing(served) == "approved"


def test_axe_finds_nothing_on_our_pages(browser, served):
    axe = AXE.read_text(encoding="utf-8")
    paths = ("/", "/releases", PLACE, f"{PLACE}/mail/1", "/account", "/nothing")
    for width, scheme in ((1280, "light"), (360, "dark")):
        context = browser.new_context(viewport={"width": width, "height": 800},
                                      color_scheme=scheme, bypass_csp=True)  # fmt: skip
        page = context.new_page()
        page.goto(served.url + "/login")
        examine(page, axe, "/login", width)
        log_in(page, served, "ap")
        for path in paths:
            page.goto(served.url + path)
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            examine(page, axe, path, width)
        context.close()


def examine(page, axe, path, width):
    page.evaluate(axe)
    found = page.evaluate("o => axe.run(document, o)", {"runOnly": TAGS, "iframes": False})
    told = [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]]
    assert told == [], (path, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


def test_nothing_secret_is_written_down(served):
    told = "".join(f.read_text(errors="replace") for f in (served.home / "logs").iterdir())
    assert PASSWORD not in told
    lines = [json.loads(line) for line in (served.home / "logs" / "access.jsonl").open()]
    assert {"op", "ap", "vi", "-"} <= {line["user"] for line in lines}


def test_a_second_one_is_refused_and_a_killed_one_leaves_nothing(served):
    again = parkwatch("serve", "--home", served.home, "--port", "1")
    assert again.returncode == 75, again.stderr
    assert len(served.processes()) >= 4
    served.stop(signal.SIGKILL)
    served.process = None
    served.until(lambda: not served.processes(), seconds=120)
