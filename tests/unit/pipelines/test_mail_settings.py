"""[mail] and [release]: wrong settings are told at once, secrets never."""

from __future__ import annotations

import pytest

from pipelines.settings import SettingsError, load_workspace

HEAD = '[bureau]\nname = "测试局"\nmail_address = "office@bureau.test"\n'
SECRET = "open-sesame-7"


def workspace(home, text):
    (home / "parkwatch.toml").write_text(HEAD + text, encoding="utf-8")
    return load_workspace(home)


def test_without_a_mail_section_nothing_can_be_sent(tmp_path):
    found = workspace(tmp_path, "")
    assert found.mail is None and found.release.two_persons


def test_a_server_with_its_mailboxes(tmp_path, monkeypatch):
    monkeypatch.setenv("PARKWATCH_MAIL__PASSWORD", SECRET)
    (tmp_path / "imap.secret").write_text("other\n", encoding="utf-8")
    mail = workspace(
        tmp_path,
        '[mail]\nhost = "smtp.bureau.test"\nuser = "u"\nca_file = "ca.pem"\n'
        'lookup = {kind = "maildir", path = "journal"}\n'
        'bounces = {kind = "imap", host = "imap.bureau.test", user = "b", '
        'password_file = "imap.secret"}\n',
    ).mail
    assert mail.sender == "office@bureau.test"
    assert (mail.server.port, mail.server.security, mail.server.password) == (465, "tls", SECRET)
    assert mail.server.ca_file == str(tmp_path / "ca.pem")
    assert mail.lookup.path == tmp_path / "journal"
    assert (mail.bounces.mailbox.password, mail.bounces.mailbox.port) == ("other", 993)
    assert SECRET not in repr(mail) and "other" not in repr(mail)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[mail]\nhost = "smtp.bureau.test"\nsecurity = "plain"\n', ["plain", "smtp.bureau.test"]),
        ('[mail]\nhost = "h"\nport = 70000\nretry_minutes = [60, 5]\n', ["port", "retry_minutes"]),
        ('[mail]\nhost = "h"\nsender = "甲@b.test"\njournal = "x"\n', ["sender", "journal"]),
        ('[mail]\nhost = "h"\nlookup = {kind = "maildir"}\n', ["path"]),
        ('[mail]\nhost = "h"\nlookup = {kind = "imap"}\n', ["lookup"]),
        ('[mail]\nhost = "h"\nbounces = {kind = "log", path = "x"}\n', ["bounces"]),
        ('[mail]\nhost = "h"\npassword_file = "missing"\n', ["口令文件", "missing"]),
        ('[release]\nembargo_hours = -1\npre_release_roles = ["x"]\n',
         ["embargo_hours", "pre_release_roles"]),
        ('[release]\napprovers = ["甲"]\n', ["两人"]),
        ('[release]\ncalendar = {day = 20, workday = 3}\n', ["calendar"]),
    ],
)  # fmt: skip
def test_every_problem_is_told(tmp_path, text, words):
    with pytest.raises(SettingsError) as told:
        workspace(tmp_path, text)
    for word in words:
        assert word in str(told.value)


@pytest.mark.parametrize(
    "text",
    [
        f'[mail]\nhost = "h"\npassword = "{SECRET}"\n',
        f'[mail]\nhost = "h"\nbounces = {{kind = "imap", host = "h", password = "{SECRET}"}}\n',
    ],
)
def test_a_password_in_the_file_is_refused_without_showing_it(tmp_path, text):
    with pytest.raises(SettingsError) as told:
        workspace(tmp_path, text)
    assert "口令不得写在设置文件里" in str(told.value) and SECRET not in str(told.value)


@pytest.mark.parametrize(
    "text",
    ['[mail]\nhost = "h"\nport = "x"\n', '[mail]\nhost = "far.test"\nsecurity = "plain"\n',
     '[mail]\nhost = 5\nunknown = 1\n'],
)  # fmt: skip
def test_no_error_shows_the_password(tmp_path, monkeypatch, text):
    monkeypatch.setenv("PARKWATCH_MAIL__PASSWORD", SECRET)
    with pytest.raises(SettingsError) as told:
        workspace(tmp_path, text)
    assert SECRET not in str(told.value)
    assert told.value.__cause__ is None and told.value.__suppress_context__
