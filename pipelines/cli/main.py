"""Entry point of the ``parkwatch`` command: commands, their help, and how errors end.

Belongs here: the command tree and exit codes. Does not belong here: what a command does (the other
modules of this package). Exit codes: 0 done; 1 failed; 2 usage; 3 done with returns, missing
reporters or sources that could not be fetched; 75 already running; 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from pipelines import trouble
from pipelines.cli.screen import echo

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_FINDINGS, EXIT_BUSY, EXIT_STOPPED = 0, 1, 2, 3, 75, 130

app = typer.Typer(
    name="parkwatch",
    help="园区运行监测:收表、审核、入库、研判、通报。",
    epilog="第一次使用:先 parkwatch init,再 parkwatch run --period 报告期。\n"
    "每个命令的说明:parkwatch 命令 --help",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


MODULES = (
    "workspace", "run", "intake", "filing", "status", "data", "targets", "inspect", "backtest",
    "review", "assessment", "whatif", "proof", "quality", "export", "bulletin", "release",
    "bulletin_check", "deliveries", "site", "operations", "serve",
)  # fmt: skip
"""Modules of this package that bring commands; their order on the help page: ``groups``."""


def commands() -> typer.Typer:
    """The command tree, whole."""
    for name in MODULES:
        import_module(f"pipelines.cli.{name}").register(app)
    return app


def main() -> None:
    """Run the command; expected errors end in one plain message, never in a traceback."""
    from pipelines.cli.groups import GROUPS
    from pipelines.cli.helping import with_chinese_help

    command = with_chinese_help(typer.main.get_command(commands()), GROUPS)
    try:
        code = command(standalone_mode=False) or EXIT_DONE
        if code == EXIT_STOPPED:
            echo("已停止(Ctrl-C)", err=True)
        sys.exit(code)
    except typer.Abort:
        echo("已取消", err=True)
        sys.exit(EXIT_FAILED)
    except typer.TyperException as error:
        from pipelines.cli import usage

        sys.exit(usage.tell(error))
    except Exception as error:  # the one place where expected errors become words
        text = _plain_words(error)
        if text is None:
            raise
        echo(f"错误:{text}", err=True)
        sys.exit(_exit_code(error))


def _plain_words(error: Exception) -> str | None:
    """Message of an error a user can mend; None for a fault of ours (traceback wanted)."""
    expected = {"SettingsError", "WarehouseBusyError", "NothingPublishedError", "CatalogError",
                "UsageError", "NotFoundError", "ReceiptsError", "PanelError",
                "NoSuchBuildError", "MixedInputsError", "ReleaseError", "ApprovalError",
                "SendingError", "OutboxBusyError", "NoMailboxError", "LookupFailedError",
                "MessageError", "NoAudienceError", "BackupError", "ProfileError",
                "UsersError", "ServeError", "BadQueryError"}  # fmt: skip
    names = {cls.__name__ for cls in type(error).__mro__}
    return str(error) if names & expected else trouble.of(error)


def _exit_code(error: Exception) -> int:
    name = type(error).__name__
    if name in ("WarehouseBusyError", "OutboxBusyError", "AlreadyServedError"):
        return EXIT_BUSY
    return EXIT_USAGE if name in ("SettingsError", "UsageError", "ProfileError") else EXIT_FAILED
