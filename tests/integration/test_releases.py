"""An edition's way through the command line to a real mail server: approved, sent once, corrected."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from email import message_from_bytes, policy
from functools import cache

import dagster as dg
import pytest
import typer
from typer.testing import CliRunner

from assets.deliveries import receipts
from assets.deliveries.mailboxes import message_id_of
from pipelines import clock, jobs, sensors
from pipelines.cli import bulletin, deliveries, main, release
from pipelines.settings import load_workspace
from tests.support.bureau import Office, county_form
from tests.support.mail_server import MailServer, maildir
from tests.support.workspaces import PARKWATCH, parkwatch, query
from warehouse import backup
from warehouse.outbox_ledger import OutboxLedger

PERIOD = "2020-06"
JULY = datetime(2020, 7, 8, 9, 30)
AUDIENCES = """
- {audience_id: office, name: 监测岗（模拟）, role: statistician, scope_level: province,
   scope_code: "610000", rights: [figures, quality], formats: [html, pdf, eml], recipients: [
   {email: leader@y.test, name: 分管领导岗}, {email: office@y.test, name: 监测岗},
   {email: former@y.test, name: 原监测岗, valid_to: 2019-12-31}]}
"""
ONE, TWO = ("--by", "统计岗 甲"), ("--by", "分管岗 乙")


@pytest.fixture(scope="module")
def drafted(tmp_path_factory):
    """A bureau whose bulletin is in draft; copied for every test."""
    office = Office(tmp_path_factory.mktemp("releases") / "bureau", {"audiences.yaml": AUDIENCES})
    for county, name in (("hanbin", "汉滨区"), ("hanyin", "汉阴县"), ("shiquan", "石泉县")):
        office.put(f"{county}/{name}2020年6月.xlsx", county_form(county, PERIOD, 100), JULY, county)
    told = parkwatch("run", "--home", office.home, "--period", PERIOD)
    assert told.returncode in (0, 3), told.stdout + told.stderr
    return office.home


@cache
def _app():
    app = typer.Typer()
    for module in (bulletin, release, deliveries):
        module.register(app)
    return app


def command(*words):
    """Exit code and everything said, as the entry point ends; in this process, for speed."""
    told = CliRunner().invoke(_app(), [str(word) for word in words])
    if told.exception is None or isinstance(told.exception, SystemExit):
        return told.exit_code, told.output
    text = main._plain_words(told.exception)
    assert text is not None, told.exc_info
    return main._exit_code(told.exception), told.output + text


class Desk:
    """A workspace with a mail server, driven by commands."""

    def __init__(self, home, server):
        self.home, self.server = home, server
        file = home / "parkwatch.toml"
        file.write_text(
            file.read_text(encoding="utf-8")
            + f'\n[mail]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "plain"\n'
            f'sender = "bulletin@bureau.test"\njournal = "journal@bureau.test"\n'
            f'operator = "admin@bureau.test"\nretry_minutes = [60]\nlookup_wait_minutes = 0\n'
            f'lookup = {{kind = "maildir", path = "{server.journal}"}}\n'
            f'bounces = {{kind = "maildir", path = "returned"}}\n',
            encoding="utf-8",
        )
        maildir(home / "returned")

    def do(self, *words, code=0):
        told = command(*words, "--home", self.home)
        assert told[0] == code, told
        return told[1]

    def bulletin(self, word, *words, code=0):
        return self.do("bulletin", word, "--period", PERIOD, *words, code=code)

    def approved(self):
        self.bulletin("submit", *ONE)
        self.bulletin("approve", *TWO, "--tick", "recipients-ended")

    def got(self):
        """Recipient and content of every mail the server took, in order."""
        return [(to[0], content) for _, to, content in self.server.taken]

    def states(self):
        return {row["recipient"]: row["state"] for row in self.rows()}

    def rows(self):
        ledger = OutboxLedger(self.home / "state.sqlite")
        rows = ledger.mails()
        ledger.close()
        return rows


@pytest.fixture
def desk(drafted, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(drafted, home, symlinks=True)
    with MailServer(journal=maildir(tmp_path / "journal")) as server:
        yield Desk(home, server)


def test_from_draft_to_sent(desk):
    assert "检查单未通过" not in desk.bulletin("submit", *ONE)
    assert "两人规则" in desk.bulletin("approve", *ONE, "--tick", "recipients-ended", code=1)
    assert "recipients-ended" in desk.bulletin("approve", *TWO, code=1)
    assert desk.got() == []
    desk.bulletin("approve", *TWO, "--tick", "recipients-ended")
    shown = desk.bulletin("send", "--dry-run")
    assert "leader@y.test" in shown and "former@y.test" not in shown and desk.got() == []
    told = desk.bulletin("send")
    assert "已发送 2" in told and "发送完毕" in told
    assert sorted(to for to, _ in desk.got()) == ["leader@y.test", "office@y.test"]
    for _, to, _ in desk.server.taken:
        assert to[1:] == ["journal@bureau.test"]
    assert "没有到期" in desk.bulletin("send") and len(desk.got()) == 2
    assert "完好" in desk.do("audit", "verify")
    log = json.loads(desk.do("audit", "list", "--json"))
    assert [entry["action"] for entry in log] == ["submit", "approve", "send"]


def test_nothing_unapproved_is_sent(desk):
    desk.bulletin("send")
    desk.bulletin("submit", *ONE)
    desk.bulletin("send")
    assert desk.got() == [] and desk.rows() == []


def test_what_was_changed_after_approval_is_not_sent(desk):
    desk.approved()
    page = next((desk.home / "reports" / PERIOD).rglob("*.html"))
    page.write_text(page.read_text(encoding="utf-8") + " ", encoding="utf-8")
    told = desk.bulletin("send", code=1)
    assert "未发送" in told and [to for to, _ in desk.got()] == []


def test_documents_that_changed_are_not_approved(desk):
    desk.bulletin("submit", *ONE)
    mail = next((desk.home / "reports" / PERIOD).rglob("*.eml"))
    mail.write_bytes(mail.read_bytes().replace(b"Auto-Submitted", b"Auto-submitted"))
    told = desk.bulletin("approve", *TWO, "--tick", "recipients-ended", code=1)
    assert "重新预览" in told


def test_embargo_holds_everything_back(desk):
    desk.bulletin("submit", *ONE)
    told = desk.bulletin("approve", *TWO, "--tick", "recipients-ended", "--embargo",
                         "2099-01-01T09:00")  # fmt: skip
    assert "2099-01-01 09:00" in told
    desk.bulletin("send")
    assert desk.got() == [] and set(desk.states().values()) == {"planned"}
    assert "2099-01-01 09:00" in desk.bulletin("releases")


def test_withdrawn_before_it_left_and_approved_again_is_sent_once(desk):
    desk.bulletin("submit", *ONE)
    desk.bulletin("approve", *TWO, "--tick", "recipients-ended", "--embargo", "2099-01-01")
    desk.bulletin("send")
    assert "写明理由" in desk.bulletin("withdraw", *TWO, code=1)
    assert "停发 2 封" in desk.bulletin("withdraw", *TWO, "--reason", "再核一遍")
    desk.bulletin("send")
    assert desk.got() == []
    desk.approved()
    desk.bulletin("send")
    assert sorted(to for to, _ in desk.got()) == ["leader@y.test", "office@y.test"]


def test_what_has_left_cannot_be_withdrawn_only_corrected(desk):
    desk.server.fault = lambda n: "rcpt_450" if n > 1 else None
    desk.approved()
    desk.bulletin("send")
    assert len(desk.got()) == 1
    told = desk.bulletin("withdraw", *TWO, "--reason", "发现错误")
    assert "已有 1 封发出" in told and "停发" in told
    desk.server.fault = lambda n: None
    desk.bulletin("send")
    assert len(desk.got()) == 1
    assert "写明理由" in desk.bulletin("correct", *TWO, code=1)
    assert "第 2 版" in desk.bulletin("correct", *TWO, "--reason", "汉滨区产值更正")


def test_two_operators_at_once_one_wins_the_other_is_told(desk):
    desk.bulletin("submit", *ONE)
    words = [str(PARKWATCH), "bulletin", "approve", "--period", PERIOD,
             "--home", str(desk.home), "--tick", "recipients-ended", "--by"]  # fmt: skip
    both = [subprocess.Popen([*words, who], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for who in ("分管岗 乙", "分管岗 丙")]  # fmt: skip
    told = [(p.communicate(timeout=120), p.returncode) for p in both]
    assert sorted(code for _, code in told) == [0, 1]
    loser = next(err.decode() for (_, err), code in told if code)
    assert "已签发" in loser and "不能签发" in loser
    log = json.loads(desk.do("audit", "list", "--json"))
    assert [entry["action"] for entry in log] == ["submit", "approve"]


def test_a_restored_ledger_and_a_replay_send_nothing(desk, tmp_path):
    desk.approved()
    before = tmp_path / "backup.sqlite"
    shutil.copyfile(desk.home / "state.sqlite", before)  # approved, nothing sent
    desk.bulletin("send")
    assert len(desk.got()) == 2
    for left in desk.home.glob("state.sqlite*"):
        left.unlink()
    shutil.copyfile(before, desk.home / "state.sqlite")
    told = desk.bulletin("send")
    assert "查证已发 2" in told and len(desk.got()) == 2
    told = parkwatch("run", "--home", desk.home, "--period", PERIOD)
    assert told.returncode in (0, 3), told.stderr
    desk.bulletin("send")
    assert len(desk.got()) == 2
    rows = query(desk.home, "SELECT recipient, state FROM deliveries.message WHERE state = 'sent'")
    assert len(rows) == 2


def test_bounces_receipts_and_sending_again(desk):
    desk.approved()
    desk.bulletin("send")
    row = desk.rows()[0]
    report = (
        b"From: MAILER-DAEMON@mx.test\r\nReturn-Path: <>\r\nSubject: Undelivered Mail\r\n"
        b"X-Failed-Recipients: %s\r\n\r\n550 5.1.1 user unknown\r\n\r\nMessage-ID: %s\r\n"
    )
    other = desk.rows()[1]
    reply = b"From: <%s>\r\nSubject: =?utf-8?B?5pS25Yiw?=\r\nIn-Reply-To: %s\r\n\r\nok\r\n"
    new = desk.home / "returned" / "new"
    (new / "1").write_bytes(report % (row["recipient"].encode(), row["message_id"].encode()))
    (new / "2").write_bytes(reply % (other["recipient"].encode(), other["message_id"].encode()))
    assert "退信 1" in (told := desk.do("deliveries", "bounces")) and "签收 1" in told
    assert "没有新的" in desk.do("deliveries", "bounces")
    shown = desk.do("deliveries")
    assert "退信 1、签收 1" in shown and row["recipient"] in shown
    mail = row["message_id"][1:13]
    assert "核实情况" in desk.do("deliveries", "resend", mail, *ONE, code=2)
    desk.do("deliveries", "resend", mail, *ONE, "--reason", "地址已核对")
    refused = desk.do("deliveries", "resend", other["message_id"][1:13], *ONE, "--reason", "x",
                      code=2)  # fmt: skip
    assert "不能重发" in refused
    desk.bulletin("send")
    ids = [message_id_of(content) for _, content in desk.got()]
    assert len(ids) == 3 and ids.count(row["message_id"]) == 2


def test_mails_read_by_another_parser_are_whole(desk):
    desk.approved()
    desk.bulletin("send")
    for to, content in desk.got():
        mail = message_from_bytes(content, policy=policy.default)
        assert mail["To"] == to and "模拟数据" in mail["Subject"] and "（内部）" in mail["Subject"]
        assert mail["Auto-Submitted"] == "auto-generated"
        assert all(not {"\r", "\n"} & set(str(value)) for value in mail.values())
        (pdf,) = list(mail.iter_attachments())
        assert pdf.get_filename().endswith(".pdf") and pdf.get_content().startswith(b"%PDF")


# --- by itself ------------------------------------------------------------------------------------


class Daemon:
    """The sensor and the job it requests, on an instance of their own, with a clock that is moved."""

    def __init__(self, home, monkeypatch):
        self.instance, self.home, self.keys = dg.DagsterInstance.ephemeral(), home, set()
        monkeypatch.setenv("PARKWATCH_HOME", str(home))
        monkeypatch.setenv(clock.VARIABLE, str(home / "clock.txt"))

    def at(self, *moment):
        """Move the clock; one look of the sensor, its request run as the daemon would."""
        now = datetime(*moment, tzinfo=UTC)
        (self.home / "clock.txt").write_text(now.isoformat(), "ascii")
        with dg.build_sensor_context(instance=self.instance) as context:
            said = sensors.outbox(context)
        if isinstance(said, dg.SkipReason):
            return ""
        if said.run_key in self.keys:
            return "known"
        self.keys.add(said.run_key)
        done = jobs.send.execute_in_process(instance=self.instance, raise_on_error=False)
        return "sent" if done.success else "failed"


def test_the_daemon_sends_when_the_window_opens_and_nothing_unapproved(desk, monkeypatch):
    daemon = Daemon(desk.home, monkeypatch)
    assert daemon.at(2098, 1, 1) == ""
    desk.bulletin("submit", *ONE)
    assert daemon.at(2098, 1, 1) == "" and desk.rows() == []
    desk.bulletin("approve", *TWO, "--tick", "recipients-ended", "--embargo", "2099-01-01T09:00")
    assert daemon.at(2098, 1, 2) == "sent", "planned at once, for when the embargo is over"
    assert desk.got() == [] and set(desk.states().values()) == {"planned"}
    assert daemon.at(2099, 1, 1, 0, 59) == "" and desk.got() == []
    assert daemon.at(2099, 1, 1, 1, 1) == "sent"
    assert sorted(to for to, _ in desk.got()) == ["leader@y.test", "office@y.test"]
    assert daemon.at(2099, 1, 1, 2) == "" and daemon.at(2099, 6, 1) == ""
    assert len(desk.got()) == 2


def test_what_was_deferred_waits_and_then_leaves_by_itself(desk, monkeypatch):
    desk.approved()
    daemon = Daemon(desk.home, monkeypatch)
    desk.server.fault = lambda n: "banner_421"
    assert daemon.at(2098, 1, 1) == "sent" and desk.got() == []
    daemon.at(2098, 1, 1, 0, 30)  # the alert to the operator leaves no better
    assert {r["attempts"] for r in desk.rows() if r["kind"] == "bulletin"} == {1}
    desk.server.fault = lambda n: None
    assert daemon.at(2098, 1, 1, 1, 1) == "sent"
    assert {"leader@y.test", "office@y.test"} <= {to for to, _ in desk.got()}


def test_nothing_is_sent_by_itself_where_the_settings_say_so(desk, monkeypatch):
    file = desk.home / "parkwatch.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text + "\n[automation]\nsend = false\n", encoding="utf-8")
    desk.approved()
    assert Daemon(desk.home, monkeypatch).at(2098, 1, 1) == "" and desk.got() == []


def test_a_restored_workspace_sends_nothing_by_itself(desk, tmp_path, monkeypatch):
    desk.approved()
    backup.take(desk.home, tmp_path / "b", datetime.now(UTC))  # approved, nothing sent
    desk.bulletin("send")
    assert len(desk.got()) == 2
    said = backup.restore(tmp_path / "b", tmp_path / "r", datetime.now(UTC))
    assert said.reviewed == 1 and said.faults == []
    restored = Daemon(tmp_path / "r", monkeypatch)
    assert [restored.at(2098, day, 1) for day in (1, 2)] == ["", ""]
    assert len(desk.got()) == 2
    told = command("bulletin", "releases", "--period", PERIOD, "--home", tmp_path / "r")[1]
    assert "待签发" in told
    assert command("audit", "verify", "--home", tmp_path / "r")[0] == 0


# --- corrections and receipts ---------------------------------------------------------------------


def test_a_correction_also_reaches_who_has_left_and_asks_for_receipt(desk):
    desk.approved()
    desk.bulletin("send")
    audiences = desk.home / "catalog" / "audiences.yaml"
    text = audiences.read_text(encoding="utf-8")
    gone = ", {email: office@y.test, name: 监测岗}"
    new = ", {email: successor@y.test, name: 监测岗}"
    assert gone in text
    audiences.write_text(text.replace(gone, new), encoding="utf-8")
    file = desk.home / "parkwatch.toml"
    text = file.read_text(encoding="utf-8")
    url = "https://jiance.example.gov.cn/receipt"
    file.write_text(text + f'receipt_url = "{url}"\n', encoding="utf-8")
    desk.bulletin("correct", *TWO, "--reason", "汉滨区产值更正")
    told = parkwatch("run", "--home", desk.home, "--period", PERIOD)
    assert told.returncode in (0, 3), told.stdout + told.stderr
    desk.approved()
    desk.bulletin("send")
    again = desk.got()[2:]
    assert sorted(to for to, _ in again) == ["leader@y.test", "office@y.test"]
    tokens = {}
    for to, content in again:
        mail = message_from_bytes(content, policy=policy.default)
        assert "【更正】" in mail["Subject"]
        page = mail.get_body(("html",)).get_content()
        tokens[to] = page.partition(f'href="{url}/')[2].partition('"')[0]
        assert f"{url}/{tokens[to]}" in mail.get_body(("plain",)).get_content()
    _receipts(desk, tokens)


def _receipts(desk, tokens):
    workspace = load_workspace(desk.home)
    token, other = tokens["leader@y.test"], tokens["office@y.test"]
    shown = receipts.look(workspace, token)
    assert (shown.status, shown.asks) == (200, True) and 'method="post"' in receipts.page(shown)
    assert all(row["acknowledged_at"] is None for row in desk.rows()), "a scanner opens every link"
    assert "已签收" in receipts.confirm(workspace, token).words
    assert not receipts.look(workspace, token).asks
    forged = token.partition(".")[0] + "." + other.partition(".")[2]
    for wrong in (forged, token[:-1], "x", "", "中文.x"):
        assert receipts.confirm(workspace, wrong).status == 404, wrong
    told = desk.do("deliveries", "receipt", f"{workspace.mail.receipt_url}/{other}", *ONE)
    assert "已签收" in told
    assert "无效" in desk.do("deliveries", "receipt", forged, *ONE, code=1)
    assert [row["acknowledged_by"] for row in desk.rows() if row["acknowledged_at"]] == [
        "收件人", "统计岗 甲",
    ]  # fmt: skip
    log = json.loads(desk.do("audit", "list", "--json"))
    assert [entry["action"] for entry in log].count("acknowledge") == 2
