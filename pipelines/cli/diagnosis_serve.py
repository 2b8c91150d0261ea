"""What ``parkwatch doctor`` examines of the web: users, file modes, TLS, port, certificate.

Belongs here: read-only checks with their mends. Does not belong here: the web itself
(``pipelines.serve``), other checks (``diagnosis``, ``diagnosis_operation``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.cli.diagnosis import Diagnosis
from pipelines.serve import users
from pipelines.settings import load_workspace

EXPIRES = timedelta(days=21)


def _users(home: Path) -> Iterator[Diagnosis]:
    """Who may log in; hashes as strong as today's; the file for its owner alone."""
    from pipelines.serve import passwords, rights

    path = users.users_file(home)
    if not path.exists():
        yield Diagnosis("网页用户", True, "未设置(不用 parkwatch serve 时不需要)")
        return
    try:
        known = users.load(home)
    except users.UsersError as error:
        yield Diagnosis("网页用户", False, str(error), f"改正 {path}")
        return
    active = [user for name in known.users if (user := known.active(name))]
    yield Diagnosis("网页用户", bool(active), f"可登录 {len(active)} 人", "parkwatch user add")
    weak = [user.user for user in active if not passwords.is_hash(user.password)]
    if weak:
        yield Diagnosis("网页口令", False, f"口令散列强度不足:{'、'.join(weak)}",
                        f"parkwatch user password {weak[0]}")  # fmt: skip
    if path.stat().st_mode & 0o077:
        yield Diagnosis("网页用户文件", False, f"{path} 可被他人读写", f"chmod 600 {path}")
    yield from _second_person(home, known, active, rights.APPROVE)


def _second_person(
    home: Path, known: users.Users, active: list[users.User], approve: str
) -> Iterator[Diagnosis]:
    """The rule of two persons needs two; approvers of the settings should be users."""
    workspace = load_workspace(home)
    may = [user for user in active if approve in known.rights_of(user)]
    named = set(workspace.release.approvers)
    if not may:
        yield Diagnosis("签发人", False, "没有可在网页签发的用户",
                        "parkwatch user add 用户名 --name 岗位姓名 --role approver", warns=True)  # fmt: skip
    elif named and not named & {user.name for user in may}:
        yield Diagnosis("签发人", False, f"网页签发用户不在 [release] approvers 之列:{'、'.join(named)}",
                        "使 users.yaml 的 name 与 approvers 的写法一致", warns=True)  # fmt: skip


def _web(home: Path) -> Iterator[Diagnosis]:
    """Whether serve could be started as the settings say, or runs."""
    from pipelines.serve import supervise
    from pipelines.serve.options import faults

    if not users.users_file(home).exists():
        return
    options = load_workspace(home).serving
    for fault in faults(options):
        yield Diagnosis("网页服务", False, fault, "见 docs/serve.md")
    if supervise.is_served(home):
        yield Diagnosis("网页服务", True, "正在运行")
    elif not supervise.port_is_free(options.host, options.port):
        yield Diagnosis("网页端口", False, f"{options.host}:{options.port} 已被其他程序占用或不能监听",
                        "换 [serve] port,或停掉占用者")  # fmt: skip
    if options.certificate is not None and options.certificate.is_file():
        yield _certificate(options.certificate)


def _certificate(file: Path) -> Diagnosis:
    """How long the certificate is valid; the first of the file, as the server sends it."""
    from cryptography import x509

    try:
        ends = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    except (ValueError, OSError) as error:
        return Diagnosis("网页证书", False, f"{file} 不能读取:{error}", "换上 PEM 格式的证书")
    left = ends - datetime.now(UTC)
    return Diagnosis("网页证书", left > EXPIRES, f"有效至 {ends:%Y-%m-%d}", "更换证书并重启服务",
                     warns=left > timedelta(0))  # fmt: skip


CHECKS: tuple[Callable[[Path], Iterator[Diagnosis]], ...] = (_users, _web)
