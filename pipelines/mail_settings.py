"""``[mail]`` and ``[release]`` of ``parkwatch.toml``: how mail leaves, who may approve, and when.

Belongs here: these two sections, their checks, and what of a setting may be shown. Does not belong
here: reading the file (``settings``) or doing anything with it. Passwords come from the environment
(``PARKWATCH_MAIL__PASSWORD``) or from ``password_file``, never from the settings file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from warehouse.catalog.models import DeadlineRule
from warehouse.workspace import Mailbox, MailOptions, MailPlace, MailServer, ReleaseOptions

PASSWORD_IN_FILE = (
    "口令不得写在设置文件里:用环境变量 PARKWATCH_MAIL__PASSWORD,或写进单独的文件并填 password_file"
)
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
Security = Literal["tls", "starttls", "plain"]
Role = Literal["leader", "assessor", "statistician", "reporter"]
_RETRY = (5, 15, 60, 240, 720, 1440)
_ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Login(_Section):
    """A server that is logged in to. TLS is verified; ``plain`` only to this machine."""

    host: str
    security: Security = "tls"
    user: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    ca_file: Path | None = None
    timeout: float = Field(60.0, gt=0, le=600)

    @field_validator("host")
    @classmethod
    def _named(cls, host: str) -> str:
        if not host.strip():
            raise ValueError("不能为空")
        return host

    @model_validator(mode="after")
    def _never_in_the_clear(self) -> Self:
        if self.security == "plain" and self.host not in LOCAL_HOSTS:
            raise ValueError(
                f'security = "plain" 不加密,只许用于本机({"、".join(LOCAL_HOSTS)});'
                f'对 {self.host} 请用 "tls" 或 "starttls"'
            )
        return self

    def secret(self, home: Path) -> str:
        """The password, of the environment before the file; OSError when the file cannot be read."""
        said = self.password.get_secret_value()
        if said or self.password_file is None:
            return said
        return (home / self.password_file).read_text(encoding="utf-8").strip("\r\n")

    def authority(self, home: Path) -> str:
        """Certificate file of the bureau's own authority, empty for those the machine knows."""
        return str(home / self.ca_file) if self.ca_file else ""


class PlaceSettings(_Section):
    """``lookup`` and ``bounces``: ``kind`` maildir or log with ``path``, or imap with a login."""

    kind: Literal["maildir", "log", "imap"]
    path: Path | None = None
    host: str = ""
    port: int = Field(993, ge=1, le=65535)
    security: Security = "tls"
    user: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    ca_file: Path | None = None
    folder: str = "INBOX"
    timeout: float = Field(60.0, gt=0, le=600)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "imap":
            self._login()
        elif self.path is None:
            raise ValueError(f'kind = "{self.kind}" 须填 path')
        return self

    def place(self, home: Path) -> MailPlace:
        """As the outbox wants it; paths hang below ``home`` unless absolute."""
        if self.kind != "imap":
            return MailPlace(self.kind, home / (self.path or Path()))
        login = self._login()
        box = Mailbox(
            host=self.host, port=self.port, security=self.security, user=self.user,
            password=login.secret(home), folder=self.folder, ca_file=login.authority(home),
            timeout=self.timeout,
        )  # fmt: skip
        return MailPlace("imap", mailbox=box)

    def _login(self) -> _Login:
        return _Login(
            host=self.host, security=self.security, user=self.user, password=self.password,
            password_file=self.password_file, ca_file=self.ca_file, timeout=self.timeout,
        )  # fmt: skip


class MailSettings(_Login):
    """``[mail]``: the server that takes our messages."""

    port: int = Field(465, ge=1, le=65535)
    hello: str = ""
    sender: str = Field("", pattern=rf"^$|{_ADDRESS}")
    journal: str = Field("", pattern=rf"^$|{_ADDRESS}")
    operator: str = Field("", pattern=rf"^$|{_ADDRESS}")
    dot_timeout: float = Field(600.0, gt=0, le=3600)
    retry_minutes: tuple[int, ...] = _RETRY
    lookup: PlaceSettings | None = None
    lookup_wait_minutes: int = Field(10, ge=0, le=1440)
    bounces: PlaceSettings | None = None
    receipt_url: str = ""
    per_minute: int = Field(0, ge=0, le=6000)

    @field_validator("receipt_url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        """Encrypted, or on this machine; the token follows after a slash."""
        from urllib.parse import urlsplit

        found = urlsplit(url)
        plain_here = found.scheme == "http" and found.hostname in LOCAL_HOSTS
        if url and not (found.hostname and (found.scheme == "https" or plain_here)):
            raise ValueError("应为 https 网址,例:https://jiance.example.gov.cn/receipt")
        return url.rstrip("/")

    @field_validator("retry_minutes")
    @classmethod
    def _rising(cls, waits: tuple[int, ...]) -> tuple[int, ...]:
        if not waits or min(waits) < 0 or list(waits) != sorted(waits):
            raise ValueError("应为由短到长的分钟数,例:[5, 15, 60, 240]")
        return waits

    @field_validator("bounces")
    @classmethod
    def _readable(cls, place: PlaceSettings | None) -> PlaceSettings | None:
        if place is not None and place.kind == "log":
            raise ValueError("退信从 maildir 目录或 imap 邮箱读取,不能是 log")
        return place

    def options(self, home: Path, mail_address: str) -> MailOptions:
        """As the outbox wants it. OSError when a password file cannot be read."""
        server = MailServer(
            host=self.host, port=self.port, security=self.security, user=self.user,
            password=self.secret(home), ca_file=self.authority(home), timeout=self.timeout,
            dot_timeout=self.dot_timeout, hello=self.hello, journal=self.journal,
        )  # fmt: skip
        return MailOptions(
            server=server,
            sender=self.sender or mail_address,
            retry_minutes=self.retry_minutes,
            lookup=self.lookup.place(home) if self.lookup else None,
            lookup_wait_minutes=self.lookup_wait_minutes,
            bounces=self.bounces.place(home) if self.bounces else None,
            operator=self.operator,
            receipt_url=self.receipt_url,
            per_minute=self.per_minute,
        )


class ReleaseSettings(_Section):
    """``[release]``: who may approve, and when a release leaves."""

    two_persons: bool = True
    approvers: tuple[str, ...] = ()
    embargo_hours: float = Field(0, ge=0, le=24 * 31)
    pre_release_hours: float = Field(0, ge=0, le=24 * 31)
    pre_release_roles: tuple[Role, ...] = ("leader",)
    least_filed_pct: float = Field(0, ge=0, le=100)
    calendar: DeadlineRule | None = None

    @model_validator(mode="after")
    def _two_of_them(self) -> Self:
        if self.two_persons and len(set(self.approvers)) == 1:
            raise ValueError("两人规则(two_persons)下 approvers 至少要有两人,或留空不限")
        return self

    def options(self) -> ReleaseOptions:
        """As the release commands want it."""
        return ReleaseOptions(**{name: getattr(self, name) for name in type(self).model_fields})


def passwords_in(file: Path) -> Iterator[str]:
    """Names of passwords that stand in the settings file itself. tomllib.TOMLDecodeError."""
    import tomllib

    with file.open("rb") as content:
        yield from _passwords(tomllib.load(content), ())


def _passwords(values: Mapping[str, Any], at: tuple[str, ...]) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _passwords(value, (*at, name))
        elif name == "password":
            yield ".".join((*at, name))


def shown_input(where: tuple[int | str, ...], found: object) -> str:
    """What was read, in an error's words; nothing that is or may hold a secret."""
    secret = any("password" in str(part) for part in where)
    if secret or isinstance(found, Mapping | BaseModel):
        return ""
    return f"(读到 {found!r})"
