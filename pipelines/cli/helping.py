"""``--help`` in Chinese: headings, marks and kinds of values, which the library writes in English.

Belongs here: the frame of help pages and their width. Does not belong here: what a command or option is
for (beside each command); mistyped command lines (``usage``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import typer

from pipelines.cli.screen import fold, width_of

_HEADINGS = {"Options": "选项", "Commands": "命令", "Arguments": "参数"}
_KINDS = {
    "str": "文字", "path": "路径", "file": "文件", "directory": "目录", "int": "整数", "float": "数",
    "list[str]": "文字…", "list[path]": "路径…",
    "int range": "整数",
}  # fmt: skip
_MARKS = (
    (re.compile(r"Show this message and exit\."), "显示本说明"),
    (re.compile(r"\[required\]"), "[必填]"),
    (re.compile(r"\[default: (.+?); x>=(\d+)\]"), r"[默认 \1,至少 \2]"),
    (re.compile(r"\[default: (.+?)\]"), r"[默认 \1]"),
    (re.compile(r"<([\w\[\] ]+)>"), lambda kind: f"<{_KINDS.get(kind[1], kind[1])}>"),
)
_USAGE = (("[OPTIONS]", "[选项]"), ("COMMAND [ARGS]...", "命令 …"))
_NAME_COLUMN = 30

Groups = Sequence[tuple[str, Sequence[str]]]


def _chinese(text: str) -> str:
    for pattern, words in _MARKS:
        text = pattern.sub(words, text)
    return text


_Formatter: Any = typer.Context.formatter_class


class ChineseHelp(_Formatter):  # type: ignore[misc]
    """Help page with Chinese headings, folded by the width its characters take."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """First line: how the command is written."""
        for english, chinese in _USAGE:
            args = args.replace(english, chinese)
        self._say(f"{prefix or '用法:'}{prog} {args}")

    def write_heading(self, heading: str) -> None:
        """Heading of a section."""
        self._say(f"{_HEADINGS.get(heading, heading)}:")

    def write_text(self, text: str) -> None:
        """What the command is for."""
        for line in text.splitlines():
            self._say(line)

    def write_dl(self, rows: Sequence[tuple[str, str]], *_: int, **__: int) -> None:
        """Names and what they mean, in two columns."""
        names = [(_chinese(name), _chinese(meaning)) for name, meaning in rows]
        column = min(max(width_of(name) for name, _ in names), _NAME_COLUMN)
        room = self.width - self.current_indent - column - 2
        for name, meaning in names:
            first, *more = fold(meaning, max(room, 20))
            if width_of(name) > column:
                self._say(name)
                name = ""
            self._say(f"{name}{' ' * (column - width_of(name))}  {first}".rstrip())
            for piece in more:
                self._say(f"{' ' * (column + 2)}{piece.strip()}")

    def _say(self, line: str) -> None:
        indented = " " * self.current_indent + line
        self.write("\n".join(fold(indented, self.width)) + "\n")


class _Context(typer.Context):
    formatter_class = ChineseHelp


def with_chinese_help(command: Any, groups: Groups = ()) -> Any:
    """The command and all below it, their help pages in Chinese; ``groups``: headings below which
    the page of ``command`` itself lists its commands."""
    command.context_class = _Context
    if groups:
        command.format_commands = partial(_write_groups, command.commands, groups)
    for each in getattr(command, "commands", {}).values():
        with_chinese_help(each)
    return command


def _write_groups(commands: Mapping[str, Any], groups: Groups, _: Any, page: ChineseHelp) -> None:
    widest = max(map(len, commands))
    for heading, names in groups:
        with page.section(heading):
            page.write_dl([(name.ljust(widest), commands[name].help) for name in names])
