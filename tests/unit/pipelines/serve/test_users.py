"""Users of the web: the file, its checks, passwords, and what the audit log says of changes."""

from __future__ import annotations

import stat

import pytest

from pipelines.serve import passwords, users
from pipelines.serve.users import Register, User, UsersError
from warehouse import audit
from warehouse.releases import Releases

GOOD = "correct-horse-9"


@pytest.fixture(scope="module", autouse=True)
def cheap():
    """Hashes at a small cost: these tests are not about how long one takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "N", 2)
        patch.setattr(passwords, "P", 1)
        yield


@pytest.fixture
def home(tmp_path):
    (tmp_path / "parkwatch.toml").write_text("", encoding="utf-8")
    return tmp_path


def zhang(**values):
    return User(**{"user": "zhang", "name": "统计岗 甲", "roles": ("operator",)} | values)


def test_a_user_entered_can_be_checked(home):
    users.add(home, zhang(), GOOD, "系统用户 root")
    found = users.load(home)
    user = found.active("zhang")
    assert users.check(user, GOOD)
    assert not users.check(user, GOOD + " ")
    assert found.rights_of(user) == {"view", "operate", "submit"}
    text = users.users_file(home).read_text(encoding="utf-8")
    assert GOOD not in text
    assert stat.S_IMODE(users.users_file(home).stat().st_mode) == 0o600


def test_the_same_password_is_never_the_same_hash():
    assert passwords.hashed(GOOD) != passwords.hashed(GOOD)


@pytest.mark.parametrize("stored", ["", "x", "scrypt$2$8$1$zz$zz", "scrypt$2$8$1$AAAA",
                                    "md5$2$8$1$AAAA$AAAA", "scrypt$999999999$8$1$AAAA$AAAA"])  # fmt: skip
def test_a_damaged_hash_lets_nobody_in(stored):
    assert not passwords.matches("", stored)
    assert not passwords.matches(GOOD, stored)


@pytest.mark.parametrize(
    "weak",
    ["", "short-1", "aaaaaaaaaaaaaaaa", "zhang-2020-Zhang", "password1234", "1234567890!",
     "x" * 300, "parkwatch2020"],
)  # fmt: skip
def test_weak_passwords_are_refused(home, weak):
    with pytest.raises(UsersError, match="口令不合要求"):
        users.add(home, zhang(), weak, "root")
    assert not users.users_file(home).exists()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"user": "zhang"}, "已存在"),
        ({"user": "zhang2"}, "姓名重复"),
        ({"user": "li", "name": "分管岗 乙", "roles": ("chief",)}, "角色未知"),
        ({"user": "li", "name": "分管岗 乙", "audiences": ("xa",)}, "限定了受众"),
    ],
)
def test_what_cannot_be_entered(home, values, words):
    users.add(home, zhang(), GOOD, "root")
    before = users.users_file(home).read_bytes()
    with pytest.raises(UsersError, match=words):
        users.add(home, zhang(**values), GOOD, "root")
    assert users.users_file(home).read_bytes() == before


def test_a_role_of_the_bureau_may_hold_other_rights(home):
    users.users_file(home).write_text(
        "roles: {chief: [approve, maintain]}\nusers: []\n", encoding="utf-8"
    )
    users.add(home, zhang(roles=("chief",)), GOOD, "root")
    found = users.load(home)
    assert found.rights_of(found.active("zhang")) == {"view", "approve", "maintain"}


def test_a_wrong_file_is_told_without_its_hashes_and_never_written_over(home):
    text = "users:\n- {user: zhang, name: 甲乙, password: scrypt$canary, rolls: [operator]}\n"
    users.users_file(home).write_text(text, encoding="utf-8")
    with pytest.raises(UsersError) as told:
        users.load(home)
    assert "rolls" in str(told.value)
    assert "canary" not in str(told.value)
    with pytest.raises(UsersError):
        users.add(home, zhang(user="li", name="分管岗 乙"), GOOD, "root")
    assert users.users_file(home).read_text(encoding="utf-8") == text


def test_the_register_follows_the_file(home):
    register = Register(home)
    assert register.now().active("zhang") is None
    users.add(home, zhang(), GOOD, "root")
    first = register.now().active("zhang")
    assert first is not None
    users.set_password(home, "zhang", GOOD + "-new", "root")
    assert register.now().active("zhang").password != first.password
    users.set_disabled(home, "zhang", True, "root")
    assert register.now().active("zhang") is None
    users.set_disabled(home, "zhang", False, "root")
    assert register.now().active("zhang") is not None
    users.users_file(home).write_text("users: {", encoding="utf-8")
    assert register.now().active("zhang") is None


def test_changes_of_users_are_in_the_audit_log(home):
    users.add(home, zhang(), GOOD, "系统用户 root")
    users.set_disabled(home, "zhang", True, "系统用户 root")
    log = Releases(home / "state.sqlite").audit_log()
    assert [(e.actor, e.action, e.subject) for e in log] == [
        ("系统用户 root", "user add", "zhang"), ("系统用户 root", "user disable", "zhang"),
    ]  # fmt: skip
    assert "scrypt" not in "".join(e.detail for e in log)
    assert audit.verify(log, home / "state.sqlite") == []


def test_nobody_is_changed_who_is_not_there(home):
    with pytest.raises(UsersError, match="没有用户"):
        users.set_disabled(home, "nobody", True, "root")
