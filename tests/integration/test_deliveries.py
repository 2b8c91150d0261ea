"""Decisions and HTTP sources through the command line: what a person types, what follows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from assets.submissions.pulling.pull_inbox import http_sources, pull_into_inbox
from tests.support.bureau import CATALOG, Office, county_form
from tests.support.misbehaving_server import MisbehavingServer, reply
from tests.support.workspaces import parkwatch, query, small_shaanxi
from warehouse.catalog.load import load_catalog
from warehouse.state import State

JULY = datetime(2020, 7, 8, 9, 30)
ORIGINAL, CORRECTION = "汉滨区2020年6月.xlsx", "汉滨区2020年6月-更正.xlsx"


def status(home, period="2020-06"):
    told = parkwatch("status", "--home", home, "--period", period, "--json")
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def of_name(home, name):
    (row,) = query(home, f"FROM submissions.submission WHERE file_name = '{name}'")
    return row


def current(home, park="M1", period="2020-06"):
    rows = query(
        home,
        f"SELECT value::INTEGER AS value FROM observations.observation WHERE park_id = '{park}' "
        f"AND period = '{period}' AND indicator_id = 'C01' AND known_to IS NULL",
    )
    return [row["value"] for row in rows]


# --- withdrawing and locking, from drop folder to bulletin ----------------------------------------


@pytest.fixture(scope="module")
def bureau(tmp_path_factory):
    office = Office(tmp_path_factory.mktemp("deliveries") / "bureau")
    data = county_form("hanbin", "2020-06", 100)
    office.put(f"hanbin/{ORIGINAL}", data, JULY, "hanbin")
    office.put(
        f"hanbin/{CORRECTION}", county_form("hanbin", "2020-06", 110), JULY.replace(day=9), "hanbin"
    )
    office.put("hanbin/汉滨区2020年6月 (1).xlsx", data, JULY.replace(day=10), "hanbin")
    office.put("hanyin/汉阴县2020年5月.xlsx", county_form("hanyin", "2020-05", 50), JULY, "hanyin")
    office.run()
    return office


def test_repeated_delivery_is_listed(bureau):
    assert current(bureau.home) == [110]
    (repeat,) = status(bureau.home)["repeated"]
    assert (repeat["file_name"], repeat["repeats"]) == ("汉滨区2020年6月 (1).xlsx", ORIGINAL)
    shown = parkwatch("status", "--home", bureau.home, "--period", "2020-06").stdout
    assert "重复报送" in shown and "汉滨区2020年6月 (1).xlsx" in shown


def test_explain_names_the_entry_of_the_layout(bureau):
    told = parkwatch("explain", "M1", "C01", "2020-06", "--home", bureau.home)
    assert "版式 monthly tables[1](园区月报).indicators(C01)" in told.stdout


def test_withdrawal_and_lock_take_effect_with_the_next_run(bureau):
    home, wrong = bureau.home, of_name(bureau.home, CORRECTION)
    words = ("withdraw", wrong["submission_id"][:10], "--home", home, "--by", "李四")
    told = parkwatch(*words, "--reason", "口径有误")
    assert told.returncode == 0 and CORRECTION in told.stdout and "parkwatch run" in told.stdout
    (waiting,) = status(home)["withdrawn"]
    assert (waiting["by"], waiting["reason"], waiting["applied"]) == ("李四", "口径有误", False)
    again = parkwatch(*words, "--reason", "又说一次")
    assert again.returncode == 0 and "此前已登记撤回" in again.stdout
    locked = parkwatch("lock", "2020-05", "--home", home, "--by", "王五")
    assert locked.returncode == 0 and "已封账" in locked.stdout
    assert "此前已封账" in parkwatch("lock", "2020-05", "--home", home).stdout
    bureau.put("hanyin/汉阴县2020年5月-更正.xlsx", county_form("hanyin", "2020-05", 55))
    told = parkwatch("run", "--home", home, "--period", "2020-06")
    assert told.returncode == 3, told.stdout + told.stderr

    assert current(home) == [100]
    withdrawn = of_name(home, CORRECTION)
    assert (withdrawn["status"], withdrawn["version_no"]) == ("returned", 2)
    assert "口径有误" in withdrawn["reason"] and "李四" in withdrawn["reason"]
    assert (of_name(home, ORIGINAL)["status"], of_name(home, ORIGINAL)["version_no"]) == (
        "accepted",
        1,
    )
    assert status(home)["withdrawn"][0]["applied"] is True
    assert {row["sha256"]: row["reason"] for row in status(home)["withdrawn"]} == {
        wrong["submission_id"]: "口径有误"
    }
    before = query(
        home, "SELECT value::INTEGER AS value FROM observations.observation WHERE park_id = 'M1' "
        "AND indicator_id = 'C01' ORDER BY known_from",
    )  # fmt: skip
    assert [row["value"] for row in before] == [100, 110, 100]

    late = of_name(home, "汉阴县2020年5月-更正.xlsx")
    assert late["status"] == "late_locked" and "王五" in late["reason"]
    assert late["n_cells"] > 0 and current(home, "M3", "2020-05") == [50]
    shown = parkwatch("status", "--home", home, "--period", "2020-05").stdout
    assert "封账后收到" in shown and "2020-05 已封账(王五" in shown
    assert [lock["period"] for lock in status(home)["locks"]] == ["2020-05"]

    refused = parkwatch("withdraw", late["submission_id"], "--home", home, "--reason", "x")
    assert refused.returncode == 2 and "unlock" in refused.stderr


def test_unlocking_applies_what_waited(tmp_path):
    office = Office(tmp_path)
    home = office.home
    office.put("hanyin/汉阴县2020年5月.xlsx", county_form("hanyin", "2020-05", 50), JULY, "hanyin")
    office.decide("lock", "2020-05", JULY.replace(day=20))
    late = "汉阴县2020年5月-更正.xlsx"
    office.put(
        f"hanyin/{late}", county_form("hanyin", "2020-05", 55), JULY.replace(day=21), "hanyin"
    )
    office.run("2020-05")
    assert (of_name(home, late)["status"], current(home, "M3", "2020-05")) == ("late_locked", [50])
    assert parkwatch("unlock", "2020-05", "--home", home).returncode == 2  # no reason given
    words = ("unlock", "2020-05", "--home", home, "--reason", "补正漏报")
    told = parkwatch(*words)
    assert told.returncode == 0 and "1 个报送件将予采用" in told.stdout
    assert "没有封账" in parkwatch(*words).stdout
    assert current(home, "M3", "2020-05") == [50]
    office.run("2020-05")
    assert (of_name(home, late)["status"], current(home, "M3", "2020-05")) == ("accepted", [55])
    (lock,) = status(home)["locks"]
    assert lock["unlock_reason"] == "补正漏报"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["withdraw", "abc", "--reason", "x"], "至少写前 6 位"),
        (["withdraw", "不是编号吗", "--reason", "x"], "至少写前 6 位"),
        (["withdraw", "0000000", "--reason", "x"], "没有编号以 0000000 开头"),
        (["accept", "0000000", "--reason", "x"], "没有编号以 0000000 开头"),
        (["lock", "2020-6"], "YYYY-MM"),
        (["unlock", "六月", "--reason", "x"], "YYYY-MM"),
        (["unlock", "2020-06", "--reason", " "], "写明原因"),
        (["pull"], "没有网络数据源"),
        (["pull", "--period", "6月"], "YYYY-MM"),
    ],
)
def test_usage_errors_are_plain_words(tmp_path, words, said):
    office = Office(tmp_path)
    told = parkwatch(*words, "--home", office.home)
    assert (told.returncode, said in told.stderr) == (2, True), told.stderr
    assert "Traceback" not in told.stderr


def test_decisions_are_on_disk_and_once(tmp_path):
    office = Office(tmp_path)
    for _ in range(3):
        assert parkwatch("lock", "2020-06", "--home", office.home, "--by", "甲").returncode == 0
    assert parkwatch("unlock", "2020-06", "--home", office.home, "--by", "乙",
                     "--reason", "更正").returncode == 0  # fmt: skip
    found = [(d.kind, d.subject, d.by, d.reason) for d in office.state.decisions()]
    assert found == [("lock", "2020-06", "甲", ""), ("unlock", "2020-06", "乙", "更正")]


# --- HTTP sources ---------------------------------------------------------------------------------


@pytest.fixture
def server():
    with MisbehavingServer() as running:
        yield running


def portal(tmp_path, server, url="/a.xlsx", **options):
    given = {"allow_hosts": [server.endpoint], "allow_private": [server.endpoint],
             "allow_http": True, "total_seconds": 5} | options  # fmt: skip
    text = CATALOG["sources.yaml"] + (
        f"- {{source_id: sn_portal, name: 省数据门户（模拟）, kind: http, url: '{server.url(url)}', "
        f"http: {json.dumps(given)}}}\n"
    )
    return Office(tmp_path / "portal", {"sources.yaml": text})


def test_a_pulled_file_takes_the_way_of_every_file(tmp_path, server):
    office = portal(tmp_path, server)
    server.on("/a.xlsx", reply(county_form("hanbin", "2020-06", 100), etag='"1"'))
    told = parkwatch("pull", "--home", office.home)
    assert told.returncode == 0 and "取得新文件" in told.stdout, told.stderr
    (path,) = (office.home / "inbox" / "sn_portal").glob("*.xlsx")
    lines = (path.parent / "receipts.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "file,received_at,sender"
    assert lines[1].startswith(f"{path.name},20") and lines[1].endswith("+08:00,sn_portal")
    office.run()
    (row,) = office.rows("FROM submissions.submission")
    assert (row["reporter"], row["status"]) == (
        "hanbin",
        "accepted",
    )  # the portal hands on a county's file
    assert office.known("M1", "2020-06") == 100


def test_what_has_not_changed_is_said_and_not_put_again(tmp_path, server):
    office = portal(tmp_path, server)
    body = reply(county_form("hanbin", "2020-06", 100))
    server.on("/a.xlsx", body, body, reply(county_form("hanbin", "2020-06", 110)))
    for said in ("取得新文件", "没有变化", "取得新文件"):
        told = parkwatch("pull", "--source", "sn_portal", "--home", office.home)
        assert told.returncode == 0 and said in told.stdout
    names = [p.name for p in (office.home / "inbox" / "sn_portal").glob("*.xlsx")]
    assert len(names) == 2


def test_a_failure_is_told_with_its_remedy_and_the_server_left_alone_until_then(tmp_path, server):
    office = portal(tmp_path, server)
    server.on(
        "/a.xlsx", reply("<html><title>系统维护</title>请稍后</html>".encode(), retry_after="600")
    )
    told = parkwatch("pull", "--home", office.home)
    assert told.returncode == 3
    for word in ("未下载", "读到", "应有", "处理", "之前不再访问"):
        assert word in told.stderr
    assert "Traceback" not in told.stderr
    asked = len(server.asked("/a.xlsx"))
    again = parkwatch("pull", "--home", office.home)
    assert again.returncode == 3 and "尚未到约定的重试时间" in again.stderr
    assert len(server.asked("/a.xlsx")) == asked
    assert not list((office.home / "inbox").rglob("*.xlsx"))
    (known,) = status(office.home)["pulls"]
    assert known["source_id"] == "sn_portal" and known["retry_at"]


def test_an_address_by_period_is_filled_and_remembered_by_address(tmp_path, server):
    office = portal(tmp_path, server, "/{year}/{period}.xlsx",
                    file_name_template="门户-{period}.{ext}")  # fmt: skip
    for period, value in (("2020-05", 50), ("2020-06", 60)):
        server.on(f"/2020/{period}.xlsx", reply(county_form("hanbin", period, value)))
    assert parkwatch("pull", "--period", "2020-05", "--home", office.home).returncode == 0
    assert parkwatch("pull", "--home", office.home).returncode == 0  # default_period = 2020-06
    names = sorted(p.name for p in (office.home / "inbox" / "sn_portal").glob("*.xlsx"))
    assert names == ["门户-2020-05.xlsx", "门户-2020-06.xlsx"]
    assert "没有变化" in parkwatch("pull", "--period", "2020-05", "--home", office.home).stdout


def test_a_pull_killed_before_the_ledger_knows_ends_the_same_when_repeated(tmp_path, server):
    """Killed between inbox and ledger: the next pull brings the same bytes and changes nothing."""
    office = portal(tmp_path, server)
    server.on("/a.xlsx", reply(county_form("hanbin", "2020-06", 100)))
    (source,) = http_sources(load_catalog(office.workspace.catalog, "none"))

    class Killed(State):
        def save_pull_state(self, *_):
            raise KeyboardInterrupt

    def clock():
        return datetime(2020, 7, 8, tzinfo=UTC)

    with pytest.raises(KeyboardInterrupt):
        pull_into_inbox(source, office.workspace, Killed(office.state.path), None, clock)
    before = {p: p.read_bytes() for p in (office.home / "inbox").rglob("*") if p.is_file()}
    outcome = pull_into_inbox(source, office.workspace, office.state, None, clock)
    assert not outcome.failed
    assert {p: p.read_bytes() for p in (office.home / "inbox").rglob("*") if p.is_file()} == before
    assert "没有变化" in parkwatch("pull", "--home", office.home).stdout


def test_a_missing_secret_names_the_variable_and_no_other_source_suffers(tmp_path, server):
    office = portal(tmp_path, server, headers={"Authorization": {"env": "SN_TOKEN"}})
    sources = office.home / "catalog" / "sources.yaml"
    other = sources.read_text(encoding="utf-8").splitlines()[-1]
    other = other.replace("sn_portal", "zz_other").replace("SN_TOKEN", "HOME")
    sources.write_text(sources.read_text(encoding="utf-8") + other + "\n", encoding="utf-8")
    server.on("/a.xlsx", reply(county_form("hanbin", "2020-06", 100)))
    told = parkwatch("pull", "--home", office.home)
    assert told.returncode == 3
    assert "SN_TOKEN" in told.stderr and "zz_other:取得新文件" in told.stdout
    told = parkwatch("pull", "--source", "sn_portal", "--home", office.home, SN_TOKEN="secret-word")
    assert told.returncode == 0 and "secret-word" not in told.stdout + told.stderr
    assert server.asked("/a.xlsx")[-1].header("authorization") == "secret-word"


def test_the_clis_start_needs_no_http_library():
    code = (
        "import sys; import pipelines.cli.intake, pipelines.cli.main; "
        "sys.exit(any(n in sys.modules for n in ('httpx', 'duckdb', 'polars', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(
    int(os.environ.get("PARKWATCH_PROPERTY_SCALE", "1")) < 10,
    reason="a whole year of the example takes minutes: set PARKWATCH_PROPERTY_SCALE=10",
)
def test_ID6_the_examples_whole_year_again_from_the_archive_alone(tmp_path):
    """Same digests of every table, bulletins and mails included; nothing is sent."""
    home = small_shaanxi(tmp_path / "shaanxi", "2019-02", "2019-12")
    assert (
        parkwatch("run", "--home", home, "--period", "2019-12", "--profile", "fast").returncode == 3
    )
    before = query(home, "FROM ops.digest ORDER BY table_name")
    shutil.rmtree(home / "inbox")
    (home / "inbox").mkdir()
    (home / "warehouse.duckdb").unlink()
    assert (
        parkwatch("run", "--home", home, "--period", "2019-12", "--profile", "fast").returncode == 3
    )
    assert query(home, "FROM ops.digest ORDER BY table_name") == before
    assert query(home, "FROM deliveries.message WHERE sent_at IS NOT NULL") == []
    assert query(home, "SELECT count(*) > 400 AS many FROM submissions.submission") == [
        {"many": True}
    ]
