"""Users (用户) of the web: ``users.yaml`` of the workspace, its checks, and changes to it.

Belongs here: who may log in with which roles and for which audiences. Does not belong here: sessions,
what a right allows (``rights``). The file holds password hashes and is for its owner alone (0600);
every change is an entry of the audit log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipelines.serve import passwords, rights
from warehouse import audit, ledger, locks
from warehouse.files import write_whole

FILE = "users.yaml"
_HEAD = "# 网页登录用户;用 parkwatch user 增改,口令只存散列。权限应为 0600。\n"


class UsersError(ValueError):
    """The users file or a change of it is wrong; the message says what and how to mend it."""


class User(BaseModel):
    """One person. ``name`` (岗位 姓名) is what the audit log says. ``audiences``: only these audiences'
    editions and nothing else of the house; empty: everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,31}$")
    name: str = Field(min_length=2, max_length=40)
    roles: tuple[str, ...] = ("viewer",)
    audiences: tuple[str, ...] = ()
    password: str = Field("", repr=False)
    disabled: bool = False

    @field_validator("name")
    @classmethod
    def _one_spelling(cls, name: str) -> str:
        return " ".join(name.split())


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    users: tuple[User, ...] = ()
    roles: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for kind, words in (("user", "用户名"), ("name", "姓名")):
            said = [getattr(user, kind) for user in self.users]
            if doubled := sorted({one for one in said if said.count(one) > 1}):
                raise ValueError(f"{words}重复:{'、'.join(doubled)}")
        for role, held in self.roles.items():
            if unknown := sorted(set(held) - set(rights.RIGHTS)):
                raise ValueError(f"角色 {role} 的权限未知:{'、'.join(unknown)}")
        known = {**rights.ROLES, **self.roles}
        for user in self.users:
            if unknown := sorted(set(user.roles) - set(known)):
                raise ValueError(f"{user.user} 的角色未知:{'、'.join(unknown)}")
            may = {right for role in user.roles for right in known[role]}
            if user.audiences and may & {rights.OPERATE, rights.MAINTAIN}:
                raise ValueError(f"{user.user} 限定了受众,不能兼有操作、维护权限(会看到全部数据)")
        return self


@dataclass(frozen=True, slots=True)
class Users:
    """The users file as read."""

    users: Mapping[str, User] = field(default_factory=dict)
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(rights.ROLES))

    def active(self, user: str) -> User | None:
        """The user, None when there is none or it is disabled."""
        found = self.users.get(user)
        return None if found is None or found.disabled or not found.password else found

    def rights_of(self, user: User) -> frozenset[str]:
        """Everything the user's roles allow; whoever may log in may look."""
        held = (right for role in user.roles for right in self.roles.get(role, ()))
        return frozenset((rights.VIEW, *held))


def users_file(home: Path) -> Path:
    """Where the users of a workspace stand."""
    return home / FILE


def load(home: Path) -> Users:
    """The users of a workspace; none when there is no file yet. Raises UsersError."""
    import yaml

    path = users_file(home)
    if not path.exists():
        return Users()
    try:
        said = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (OSError, yaml.YAMLError) as error:
        raise UsersError(f"{path} 不能读取:{error}") from None
    except ValidationError as error:  # its text would show hashes
        lines = [f"  {'.'.join(map(str, e['loc'])) or '(整体)'}:{e['msg']}" for e in error.errors()]
        raise UsersError(f"用户文件有误,请修改 {path}:\n" + "\n".join(lines)) from None
    return Users({user.user: user for user in said.users}, {**rights.ROLES, **said.roles})


def check(user: User, password: str) -> bool:
    """Whether the password is the user's."""
    return passwords.matches(password, user.password)


# --- changes --------------------------------------------------------------------------------------


def add(home: Path, user: User, password: str, by: str) -> None:
    """Enter a new user. Raises UsersError: known already, weak password, unknown role."""
    _strong(user, password)
    with _changing(home) as said:
        if any(each["user"] == user.user for each in said["users"]):
            raise UsersError(f"用户 {user.user} 已存在")
        hashed = user.model_copy(update={"password": passwords.hashed(password)})
        said["users"].append(_plain(hashed))
    _log(home, by, "user add", user.user, {"name": user.name, "roles": list(user.roles)})


def set_password(home: Path, user: str, password: str, by: str) -> None:
    """Give a user a new password; open sessions of the user end."""
    found = load(home).users.get(user)
    if found is not None:
        _strong(found, password)
    _change(home, user, {"password": passwords.hashed(password)})
    _log(home, by, "user password", user, {})


def set_disabled(home: Path, user: str, disabled: bool, by: str) -> None:
    """Shut a user out, or let one in again."""
    _change(home, user, {"disabled": disabled})
    _log(home, by, "user disable" if disabled else "user enable", user, {})


def _strong(user: User, password: str) -> None:
    if why := passwords.weakness(password, user.user):
        raise UsersError(f"口令不合要求:{why}")


def _change(home: Path, user: str, values: Mapping[str, Any]) -> None:
    with _changing(home) as said:
        found = next((each for each in said["users"] if each["user"] == user), None)
        if found is None:
            raise UsersError(f"没有用户 {user}")
        found.update(values)


@contextmanager
def _changing(home: Path) -> Iterator[dict[str, Any]]:
    """The file's content, written back whole when it is still right; one change at a time."""
    import yaml

    if not (home / "parkwatch.toml").is_file():
        raise UsersError(f"{home} 不是工作区;请用 --home 指定")
    path = users_file(home)
    with locks.hold(path.with_name(f".{FILE}.lock"), wait=True):
        load(home)  # a file that is wrong is mended by a person, not written over
        said = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
        said = {"users": [], **(said or {})}
        yield said
        try:
            _File.model_validate(said)
        except ValidationError as error:
            raise UsersError(";".join(e["msg"] for e in error.errors())) from None
        text = _HEAD + yaml.safe_dump(said, allow_unicode=True, sort_keys=False)
        write_whole(path, text.encode(), mode=0o600)


def _plain(user: User) -> dict[str, Any]:
    said = user.model_dump()
    return {name: list(value) if isinstance(value, tuple) else value
            for name, value in said.items() if value or name == "password"}  # fmt: skip


def _log(home: Path, by: str, action: str, user: str, detail: Mapping[str, Any]) -> None:
    file = home / "state.sqlite"
    with ledger.transaction(file, audit.SCHEMA, exclusive=True) as connection:
        entry = audit.append(
            connection, at=datetime.now(UTC).isoformat(timespec="seconds"), actor=by,
            action=action, subject=user, detail=detail,
        )  # fmt: skip
    audit.anchor(file, entry)


class Register:
    """The users file, read again when it changes: a user shut out is out with the next request."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._seen: tuple[int, int, int] | None = None
        self._users = Users()

    def now(self) -> Users:
        """The users as the file says now; nobody while the file is missing or wrong."""
        seen = self._stamp()
        if seen != self._seen:
            try:
                self._users = load(self.home)
            except UsersError:
                self._users = replace(self._users, users={})
            self._seen = seen
        return self._users

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = users_file(self.home).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
