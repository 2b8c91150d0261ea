"""Lines of commands: folded at the width of a terminal without losing a character, whole in a pipe."""

import contextlib
import io
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.cli import screen

CHARACTERS = st.sampled_from("园区月报（第）“”、，。：5%0.a/b -→【红】")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch, stream, say, *words):
    """What stands in ``stream``, 40 columns wide if it is a terminal, after saying."""
    monkeypatch.setenv("COLUMNS", "40")
    with contextlib.redirect_stdout(stream):
        say(*words)
    return stream.getvalue().splitlines()


@given(st.text(CHARACTERS, max_size=200), st.integers(20, 100))
def test_folding_loses_nothing_and_breaks_only_at_the_width(line, width):
    pieces = screen.fold(line, width)
    assert re.sub(r"\s", "", "".join(pieces)) == re.sub(r"\s", "", line)
    for before, after in pairwise(pieces):
        assert not re.match(r"\s*[，。：、）”】%]", after), (before, after)
        assert not re.search(r"[（“【]$", before)


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("短行", ["短行"]),
        ("  推算年末位于组内末三位", ["  推算年末位于组内末", "    三位"]),
        ("名次多在第47至第50名之间。", ["名次多在第47至第50名", "  之间。"]),
        ("在 /srv/parkwatch/reports/2020-06/通报.pdf(草稿)",
         ["在", "  /srv/parkwatch/reports/2020-06/通报.pdf(草稿)"]),
    ],
)  # fmt: skip
def test_where_a_line_breaks(line, pieces):
    assert screen.fold(line, 20) == pieces


def test_a_terminal_gets_folded_lines_and_a_pipe_whole_ones(monkeypatch):
    text = "2020-06 应报 42 个单位,截止 2020-07-10:已报 41(迟报 1)、缺报 1"
    lines = shown(monkeypatch, Terminal(), screen.echo, text)
    assert len(lines) == 2 and max(map(screen.width_of, lines)) <= 40
    assert shown(monkeypatch, io.StringIO(), screen.echo, text) == [text]


def test_a_table_that_fits_stands_in_columns(monkeypatch):
    lines = shown(
        monkeypatch, Terminal(), screen.table, ["园区", "n"], [["汉滨区", 1], ["a", None]]
    )
    assert lines == ["园区    n", "──────  ─", "汉滨区  1", "a"]


def test_a_wide_table_is_written_one_value_a_line_and_says_what_it_left_out(monkeypatch):
    rows = [["文" * 20, "数" * 30]] * 41
    lines = shown(monkeypatch, Terminal(), screen.table, ["file_name", "message"], rows)
    assert lines[0] == "── 第 1 行 ──" and lines[1].startswith("file_name  文")
    assert max(map(screen.width_of, lines)) <= 40
    assert "共 41 行,列前 40 行" in lines[-2]


def test_a_pipe_gets_every_row_as_one_line_separated_by_tabs(monkeypatch):
    rows = [["两\n行", n] for n in range(50)]
    lines = shown(monkeypatch, io.StringIO(), screen.table, ["a", "b"], rows)
    assert lines[:2] == ["a\tb", "两 行\t0"] and len(lines) == 51
