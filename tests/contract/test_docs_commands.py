"""Every ``parkwatch …`` line of the documentation is a command that exists, with options it has."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from tests.support.workspaces import parkwatch

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```[a-z]*\n(.*?)^```", re.M | re.S)


def lines():
    for page in PAGES:
        if "adr" in page.parts:
            continue
        for block in FENCE.findall(page.read_text("utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                words = re.sub(r"^\s*(\$ )?(\.venv/bin/)?", "", line)
                if re.match(r"parkwatch [a-z]", words):
                    yield pytest.param(words, id=f"{page.relative_to(ROOT)}: {words[:60]}")


@pytest.fixture(scope="module")
def tree():
    """The command tree as the entry point builds it."""
    from pipelines.cli.main import commands

    return typer.main.get_command(commands())


@pytest.mark.parametrize("line", lines())
def test_文档中的命令存在_选项也存在(line, tree):
    words = shlex.split(re.split(r"\s+#|\s+[|>]|\s*&&|\s*;", line)[0].replace("…", "X"))[1:]
    command, name = tree, ""
    while words and hasattr(command, "commands"):
        name = words.pop(0)
        found = command.commands.get(name)
        if found is None:
            assert name.startswith("-"), f"{line}: no command {name}"
            return
        command = found
    known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0] in known, f"{line}: {name} has no {word}"


def test_有命令可查():
    assert len(list(lines())) > 15


@pytest.mark.parametrize("words", [("--help",), ("dictionary",), ("backup", "--help")])
def test_不需要工作区的命令能执行(words):
    assert parkwatch(*words).returncode == 0
