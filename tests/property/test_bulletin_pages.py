"""A bulletin of any length is set without a warning: few or many tables, short or long prose."""

from dataclasses import replace

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assets.bulletins.compose import compose
from assets.bulletins.model import (
    Annex,
    Badge,
    Bar,
    Block,
    Bulletin,
    Callout,
    Column,
    Heading,
    Note,
    Paragraph,
    Table,
    TableRow,
    Text,
)
from assets.bulletins.typeset import to_pdf
from tests.support.bulletin_fixture import bulletin_data, page_count

BASE = compose(bulletin_data())


def words(length: int) -> tuple[Text, ...]:
    """So many characters, with breaks and numbers as in a bulletin."""
    return (Text(("园区营业收入同比下降3.2%，" * (length // 12 + 1))[:length]),)


def table(rows: int, columns: int, length: int, group_every: int) -> Table:
    """A table whose first column may wrap, with groups, a badge and a bar."""
    heads = tuple(
        Column(words(4), "left" if i == 0 else "right", 3 if i == 0 else 1, head=i == 0)
        for i in range(columns)
    )
    made: list[TableRow] = []
    for number in range(rows):
        if group_every and number % group_every == 0:
            made.append(TableRow((words(9),), group=True))
        cells = [words(length)] + [words(3)] * (columns - 1)
        if columns > 2:
            cells[-1] = (Badge("red", "低于"),)  # type: ignore[assignment]
            cells[-2] = (Text("9.9"), Bar("0.3", "0.5", "red"))  # type: ignore[assignment]
        made.append(TableRow(tuple(cells)))
    return Table("t", 1, words(10), words(4), heads, tuple(made))


def numbered(blocks: list[Block]) -> tuple[Block, ...]:
    """Tables with numbers and ids of their own."""
    return tuple(
        replace(block, table_id=f"t{i}", number=i) if isinstance(block, Table) else block
        for i, block in enumerate(blocks, start=1)
    )


def section(prose: int, shape: tuple[int, int, int, int], note: int) -> list[Block]:
    """A heading, a paragraph, a table and mostly its note: what a bulletin is made of."""
    blocks: list[Block] = [Heading(1, words(8)), Paragraph(words(prose)), table(*shape)]
    return [*blocks, Note(words(note))] if note else blocks


def document(
    sections: list[list[Block]], annexes: list[list[Block]], title: int, closing: int
) -> Bulletin:
    """A bulletin of these parts, ending with a paragraph as bulletins do."""
    body = [block for part in sections for block in part]
    return replace(
        BASE,
        title=(words(title),),
        body=numbered([*body, Callout(words(40)), Paragraph(words(closing))]),
        annexes=tuple(
            Annex(number, words(8), numbered(blocks))
            for number, blocks in enumerate(annexes, start=1)
        ),
    )


SHAPES = st.tuples(st.integers(0, 60), st.integers(2, 9), st.integers(1, 60), st.integers(0, 6))
SECTIONS = st.builds(section, st.integers(1, 600), SHAPES, st.sampled_from((0, 40, 200)))
# Page counts that settled only after more passes than typst makes, while the layout still looked
# at positions on the page.
UNSETTLED = (
    [(56, (51, 2, 19, 0), 200), (344, (1, 3, 27, 0), 0), (97, (16, 8, 11, 0), 40),
     (86, (44, 5, 11, 0), 40)],
    [(365, (57, 8, 5, 3), 200), (313, (47, 3, 17, 0), 0), (78, (4, 5, 28, 0), 0)],
)  # fmt: skip


@settings(
    max_examples=15, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(
    sections=st.lists(SECTIONS, max_size=8),
    annexes=st.lists(SECTIONS, max_size=2),
    title=st.integers(1, 60),
    closing=st.integers(1, 400),
)
@example(sections=[section(*part) for part in UNSETTLED[0]], annexes=[], title=9, closing=60)
@example(sections=[section(*part) for part in UNSETTLED[1]], annexes=[], title=9, closing=60)
@example(sections=[], annexes=[[]], title=1, closing=1)
def test_pages_settle_whatever_their_content(
    sections: list[list[Block]], annexes: list[list[Block]], title: int, closing: int
) -> None:
    bulletin = document([[Heading(1, words(4))], *sections], annexes, title, closing)
    assert page_count(to_pdf(bulletin)) % 2 == 0  # the colophon closes an even page
