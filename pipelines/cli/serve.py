"""``parkwatch serve`` and ``parkwatch user``: the web of a workspace and who may enter.

Belongs here: these commands on a terminal. Does not belong here: the web itself (``pipelines.serve``).
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.screen import echo
from warehouse.workspace import home_folder

Home = Annotated[Path | None, typer.Option(help="工作区目录")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Generate = Annotated[bool, typer.Option("--generate", help="随机生成口令,只显示一次")]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="从文件读口令(第一行);- 为标准输入")
]
Name = Annotated[str, typer.Argument(help="用户名")]

users_app = typer.Typer(help="网页登录用户:增加、改口令、列出、停用、启用。", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("serve", help="网页服务:登录、工作台、签发、网站、数据沿袭和守护进程,一并启动。")(
        serve
    )
    app.add_typer(users_app, name="user")


def serve(
    home: Home = None,
    host: Annotated[str | None, typer.Option(help="监听地址,默认见设置([serve] host)")] = None,
    port: Annotated[int | None, typer.Option(help="端口,默认见设置([serve] port)")] = None,
    plain_http: Annotated[
        bool, typer.Option("--plain-http", help="对外监听而不加密(仅限可信的封闭网络)")
    ] = False,
) -> None:
    """Serve the workspace until SIGTERM or Ctrl-C."""
    from pipelines.cli.workspace import UsageError
    from pipelines.serve import supervise, users
    from pipelines.serve.options import faults
    from pipelines.settings import load_workspace

    workspace = load_workspace(home)
    said = {k: v for k, v in (("host", host), ("port", port)) if v is not None}
    options = replace(workspace.serving, **said)  # type: ignore[arg-type]
    workspace = replace(workspace, serving=options)
    problems = faults(options, plain_accepted=plain_http)
    known = users.load(workspace.home)
    if not any(known.active(name) for name in known.users):
        problems.append(
            "还没有可登录的用户:parkwatch user add 用户名 --name 岗位姓名 --role operator"
        )
    if problems:
        raise UsageError("不能启动:\n" + "\n".join(f"  {line}" for line in problems))
    url = f"{'https' if options.certificate else 'http'}://{options.host}:{options.port}"
    with supervise.only_one(workspace.home, url):
        if not supervise.port_is_free(options.host, options.port):
            raise supervise.ServeError(
                f"端口 {options.port} 已被占用:用 --port 换一个,或停掉占用者"
            )
        sockets = supervise.socket_folder(workspace.home)
        echo(f"{workspace.bureau.name}:{url}(Ctrl-C 停止;日志在 {workspace.home / 'logs'})")
        supervise.Supervisor(
            workspace.home,
            supervise.environment(workspace),
            supervise.services(workspace, sockets),
            echo,
        ).run(lambda: supervise.prepare_instance(workspace))
    echo("已停止")


@users_app.command("add", help="增加用户;口令在终端输入,或 --generate、--password-file。")
def add(
    user: Name,
    name: Annotated[str, typer.Option("--name", help="岗位和姓名,如“统计岗 甲”;记入审计日志")],
    role: Annotated[
        list[str] | None,
        typer.Option(help="viewer 查阅、operator 操作、approver 签发、maintainer 维护;可多次"),
    ] = None,
    audience: Annotated[list[str] | None, typer.Option(help="只许看这些受众的通报,可多次")] = None,
    generate: Generate = False,
    password_file: PasswordFile = None,
    home: Home = None,
) -> None:
    """Enter a user."""
    from pydantic import ValidationError

    from pipelines.serve import users

    try:
        entered = users.User(user=user, name=name, roles=tuple(role or ("viewer",)),
                             audiences=tuple(audience or ()))  # fmt: skip
    except ValidationError as error:
        words = ";".join(f"{e['loc'][0]}:{e['msg']}" for e in error.errors())
        raise users.UsersError(f"{words}(用户名用字母、数字、点、横线,2 至 32 位)") from None
    password = _password(generate, password_file)
    users.add(home_folder(home), entered, password, _by())
    echo(f"已增加用户 {user}({entered.name},{'、'.join(entered.roles)})")
    _show(password, generate)


@users_app.command("password", help="重设口令;该用户已登录的会话随即失效。")
def password(
    user: Name, generate: Generate = False, password_file: PasswordFile = None, home: Home = None
) -> None:
    """Give a user a new password."""
    from pipelines.serve import users

    said = _password(generate, password_file)
    users.set_password(home_folder(home), user, said, _by())
    echo(f"已重设 {user} 的口令")
    _show(said, generate)


@users_app.command("list", help="列出用户、角色和状态。")
def list_users(home: Home = None, as_json: Json = False) -> None:
    """List users, never their hashes."""
    from pipelines.serve import users

    rows = [
        {"user": u.user, "name": u.name, "roles": list(u.roles), "audiences": list(u.audiences),
         "disabled": u.disabled}
        for u in users.load(home_folder(home)).users.values()
    ]  # fmt: skip
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        only = f" 仅 {'、'.join(row['audiences'])}" if row["audiences"] else ""
        off = " 已停用" if row["disabled"] else ""
        echo(f"{row['user']:<16}{row['name']} {'、'.join(row['roles'])}{only}{off}")
    if not rows:
        echo("还没有用户:parkwatch user add 用户名 --name 岗位姓名 --role operator")


@users_app.command("disable", help="停用用户;已登录的会话随即失效。")
def disable(user: Name, home: Home = None) -> None:
    """Shut a user out."""
    from pipelines.serve import users

    users.set_disabled(home_folder(home), user, True, _by())
    echo(f"已停用 {user}")


@users_app.command("enable", help="重新启用用户。")
def enable(user: Name, home: Home = None) -> None:
    """Let a user in again."""
    from pipelines.serve import users

    users.set_disabled(home_folder(home), user, False, _by())
    echo(f"已启用 {user}")


def _password(generate: bool, file: Path | None) -> str:
    """The password as told; never an argument, which every process of the machine could read."""
    import secrets
    import sys

    if generate:
        return secrets.token_urlsafe(12)
    if file is not None:
        text = sys.stdin.readline() if str(file) == "-" else file.read_text(encoding="utf-8")
        return (text.splitlines() or [""])[0]
    if not sys.stdin.isatty():
        from pipelines.cli.workspace import UsageError

        raise UsageError(
            "口令须在终端输入;脚本中用 --password-file 文件(- 为标准输入)或 --generate"
        )
    return str(typer.prompt("口令", hide_input=True, confirmation_prompt="再输一次"))


def _show(password: str, generated: bool) -> None:
    if generated:
        echo(f"口令(只显示这一次,请当面交给本人):{password}")


def _by() -> str:
    import getpass

    try:
        return os.environ.get("PARKWATCH_OPERATOR") or f"系统用户 {getpass.getuser()}"
    except (KeyError, OSError):
        return f"系统用户 {os.getuid()}"
