"""What is wrong with a command line, in Chinese: the library that reads it says so in English.

Belongs here: the sentences for mistyped options, commands and values. Does not belong here: errors of
the commands themselves.
"""

from __future__ import annotations

import re

import typer

from pipelines.cli.screen import echo

_SENTENCES = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), words)
    for pattern, words in (
        (r"No such option: (\S+) \(Possible options: (.+)\)", "没有选项 {0};是否想写 {1}"),
        (r"No such option: (\S+)", "没有选项 {0}"),
        (r"No such command '(.+?)'\. Did you mean '(.+)'\?", "没有命令 {0};是否想写 {1}"),
        (r"No such command '(.+)'\.", "没有命令 {0}"),
        (r"Missing command\.", "请写明子命令"),
        (r"Missing (?:option|argument|parameter) '?(.+?)'?\.(?: .*)?", "缺少 {0}"),
        (r"Got unexpected extra arguments? \((.+)\)", "多写了 {0}"),
        (r"Option '?(.+?)'? requires (?:an argument|\d+ arguments)\.", "选项 {0} 后面应写一个值"),
        (r"Invalid value for '?(.+?)'?: (.+)", "{0} 的值不对:{1}"),
        (r"Invalid value: (.+)", "值不对:{0}"),
        (r"'(.*)' is not a valid (?:integer|int)(?: range)?\.", "“{0}”不是整数"),
        (r"'(.*)' is not a valid (?:float|number)(?: range)?\.", "“{0}”不是数"),
        (r"'(.*)' is not a valid boolean.*", "“{0}”应写 是 或 否"),
        (r"'(.*)' is not one of (.+)\.", "“{0}”不在可选值 {1} 之内"),
        (r"(?:File|Directory|Path) '(.*)' does not exist\.", "找不到 {0}"),
        (r"(?:File|Directory|Path) '(.*)' is a directory\.", "{0} 是目录,应为文件"),
        (r"(?:File|Directory|Path) '(.*)' is a file\.", "{0} 是文件,应为目录"),
        (r"(?:File|Directory|Path) '(.*)' is not (?:readable|writable)\.", "没有读写 {0} 的权限"),
        (r"(.+) is not in the range (.+)\.", "{0} 不在允许的范围 {1} 之内"),
    )
)


def in_chinese(message: str) -> str:
    """The sentence for a message; a message nobody has translated is given as it is."""
    for pattern, words in _SENTENCES:
        if match := pattern.fullmatch(message.strip()):
            return words.format(*(in_chinese(part) for part in match.groups()))
    return message.replace("', '", " 或 ")  # several commands that may have been meant


def tell(error: typer.TyperException) -> int:
    """Say on the error stream what is wrong with the command line; returns the exit code."""
    context = getattr(error, "ctx", None)
    message = getattr(error, "format_message", lambda: str(error))()
    if type(error).__name__ == "NoArgsIsHelpError":  # no command given: the message is the help
        echo(message, err=True)
    else:
        command = getattr(context, "command_path", "parkwatch")
        echo(f"错误:{in_chinese(message)}{_what_it_is(error)}\n用法:{command} --help", err=True)
    return int(getattr(error, "exit_code", 2))


def _what_it_is(error: typer.TyperException) -> str:
    """What a missing argument or option stands for, in the words of its help."""
    missing = type(error).__name__ == "MissingParameter"
    help_ = getattr(getattr(error, "param", None), "help", None) if missing else None
    return f"({help_})" if help_ else ""
