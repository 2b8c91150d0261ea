"""The doctor sees what is wrong with the web and says how to mend it."""

from __future__ import annotations

import socket

import pytest

from pipelines.cli import diagnosis_serve
from pipelines.serve import passwords, users
from pipelines.serve.users import User
from tests.support.bureau import make_home
from tests.support.certificates import self_signed


@pytest.fixture
def home(tmp_path):
    home = make_home(tmp_path / "home")
    settings(home, f"port = {free_port()}")
    for name, role in (("zhang", "operator"), ("li", "approver")):
        users.add(home, User(user=name, name=f"岗位 {name}", roles=(role,)), "correct-horse-9", "x")
    return home


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def settings(home, text, section="serve"):
    file = home / "parkwatch.toml"
    before = file.read_text(encoding="utf-8").partition(f"\n[{section}]")[0]
    file.write_text(f"{before}\n[{section}]\n{text}\n", encoding="utf-8")


def wrong(home):
    found = [d for check in diagnosis_serve.CHECKS for d in check(home)]
    assert all(d.mend for d in found if not d.ok)
    return {d.what: d.found for d in found if not d.ok}


def test_nothing_is_wrong(home):
    assert wrong(home) == {}


def test_a_workspace_that_is_not_served_is_not_examined(tmp_path):
    home = make_home(tmp_path / "home")
    settings(home, 'host = "0.0.0.0"')
    assert wrong(home) == {}


def test_the_users_file_is_readable_by_others(home):
    users.users_file(home).chmod(0o644)
    assert "可被他人读写" in wrong(home)["网页用户文件"]


def test_the_users_file_is_wrong(home):
    users.users_file(home).write_text("users: [", encoding="utf-8")
    assert "网页用户" in wrong(home)


def test_nobody_can_log_in(home):
    for name in ("zhang", "li"):
        users.set_disabled(home, name, True, "x")
    assert {"网页用户", "签发人"} <= set(wrong(home))


def test_a_hash_is_weaker_than_todays(home, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(passwords, "N", 1024)
        users.set_password(home, "zhang", "correct-horse-9", "x")
    assert "zhang" in wrong(home)["网页口令"]


def test_no_approver(home):
    users.set_disabled(home, "li", True, "x")
    assert set(wrong(home)) == {"签发人"}


def test_the_approvers_of_the_settings_are_no_users(home):
    settings(home, 'approvers = ["分管岗 王", "分管岗 赵"]', "release")
    assert set(wrong(home)) - {"网页端口"} == {"签发人"}


def test_others_reach_it_without_tls(home):
    settings(home, f'host = "0.0.0.0"\nport = {free_port()}')
    assert "明文传输" in wrong(home)["网页服务"]


def test_the_port_is_taken(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings(home, f"port = {taken.getsockname()[1]}")
        assert set(wrong(home)) == {"网页端口"}


@pytest.mark.parametrize(("days", "bad"), [(200, set()), (5, {"网页证书"}), (-1, {"网页证书"})])
def test_the_certificate_ends_soon(home, days, bad):
    self_signed(home, days)
    settings(home, f'port = {free_port()}\ncertificate = "fullchain.pem"\nkey = "privkey.pem"')
    assert set(wrong(home)) == bad


def test_the_certificate_cannot_be_read(home):
    self_signed(home)
    (home / "fullchain.pem").write_text("no")
    settings(home, f'port = {free_port()}\ncertificate = "fullchain.pem"\nkey = "privkey.pem"')
    assert set(wrong(home)) == {"网页证书"}
