"""Every ``parkwatch …`` line of the documentation is a command that exists, with options it has."""

from __future__ import annotations

import ast
import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
import typer

from tests.support.workspaces import parkwatch

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```[a-z]*\n(.*?)^```", re.M | re.S)
INLINE = re.compile(r"`(parkwatch [a-z][^`]*)`")


def named():
    """Commands named in running text: `parkwatch …`, several joined by ·, options in brackets."""
    for page in PAGES:
        text = FENCE.sub("", page.read_text("utf-8"))
        for words in INLINE.findall(text):
            yield pytest.param(
                re.sub(r"[\[\]]|\\", " ", words), id=f"{page.relative_to(ROOT)}: {words[:60]}"
            )


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


@pytest.mark.parametrize("line", [*lines(), *named()])
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


def run_by_tests():
    """Words of every call and list in the tests that a command could stand in, one and two at a time;
    and the commands of the tutorial, which a test runs whole."""
    found = set()
    for file in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, (ast.Call, ast.List, ast.Tuple)):
                words = [getattr(each, "value", None) for each in getattr(node, "args", None) or
                         getattr(node, "elts", ())]  # fmt: skip
                found |= {(one,) for one in words if isinstance(one, str)}
                found |= set(pairwise(words))
    tutorial = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
    for block in re.findall(r"^```sh\n(.*?)^```", tutorial, re.M | re.S):
        for one, two in re.findall(r"parkwatch ([a-z-]+)(?: ([a-z-]+))?", block):
            found |= {(one,), (one, two)}
    return found


def test_每条文档中的命令都有测试真的执行(tree):
    ran, missing = run_by_tests(), set()
    for each in lines():
        words = each.values[0].split()[1:]
        command, path = tree, []
        while words and hasattr(command, "commands") and words[0] in command.commands:
            command = command.commands[words[0]]
            path.append(words.pop(0))
        if path and tuple(path) not in ran:
            missing.add(" ".join(path))
    assert missing == set()


def test_契约页列出每条命令(tree):
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    told = page[page.index("## 5. Command line") : page.index("## 6. ")]
    assert [name for name in tree.commands if not re.search(rf"`(parkwatch )?{name}\b", told)] == []


def test_有命令可查():
    assert len(list(lines())) > 15


@pytest.mark.parametrize("words", [("--help",), ("dictionary",), ("backup", "--help")])
def test_不需要工作区的命令能执行(words):
    assert parkwatch(*words).returncode == 0
