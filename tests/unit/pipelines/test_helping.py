"""Every help page is in Chinese and fits a terminal of 80 columns."""

import re

import pytest
import typer

from pipelines.cli.groups import GROUPS
from pipelines.cli.helping import with_chinese_help
from pipelines.cli.main import commands
from pipelines.cli.screen import width_of


def pages(command, path):
    yield path, command.get_help(command.context_class(command, info_name=path))
    for name, each in getattr(command, "commands", {}).items():
        yield from pages(each, f"{path} {name}")


@pytest.fixture(scope="module")
def help_pages():
    return dict(pages(with_chinese_help(typer.main.get_command(commands()), GROUPS), "parkwatch"))


def test_no_word_of_the_library_is_left_in_english(help_pages):
    assert len(help_pages) > 60
    left = re.compile(
        r"Usage|Options|Commands|Arguments|Show this|default:|required|<(str|path|int)"
    )
    assert [path for path, text in help_pages.items() if left.search(text)] == []


def test_every_line_fits_eighty_columns(help_pages):
    wide = [
        line for text in help_pages.values() for line in text.splitlines() if width_of(line) > 80
    ]
    assert wide == []


def test_every_command_and_option_says_what_it_is_for(help_pages):
    silent = re.compile(r"^  (?:--[\w-]+(?: <[^>]+>)?|[a-z]+(?:\.\.\.)? <[^>]+>|[a-z-]+)$", re.M)
    assert {
        path: silent.findall(text) for path, text in help_pages.items() if silent.search(text)
    } == {}


def test_every_command_stands_below_one_heading(help_pages):
    listed = [name for _, names in GROUPS for name in names]
    assert sorted(listed) == sorted(typer.main.get_command(commands()).commands)
    places = [help_pages["parkwatch"].index(f"\n{heading}:\n") for heading, _ in GROUPS]
    assert places == sorted(places)
