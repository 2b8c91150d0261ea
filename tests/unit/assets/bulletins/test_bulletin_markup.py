"""Templates put words around figures; they neither compute nor type digits."""

from decimal import Decimal
from pathlib import Path

import pytest

from assets.bulletins import markup
from assets.bulletins.figures import Figure, FigureBook
from assets.bulletins.markup import MarkupError
from assets.bulletins.model import (
    Badge,
    Bar,
    Callout,
    FigureSpan,
    Heading,
    Note,
    Paragraph,
    Table,
    Text,
    plain,
)


@pytest.fixture
def book() -> FigureBook:
    return FigureBook()


@pytest.fixture
def figure(book: FigureBook) -> Figure:
    return book.add(
        "f1", "完成率", Decimal("-22.87"), unit="%", period="2020-06", decimals=1,
        source_table="targets.verdict", source_key="k",
    )  # fmt: skip


def rendered(tmp_path: Path, template: str, **context: object) -> str:
    (tmp_path / "t.j2").write_text(template, encoding="utf-8")
    return markup.render("t.j2", context, {"fig": markup.figure_mark}, [tmp_path])


def test_figure_becomes_a_span_with_the_registered_text(
    tmp_path: Path, book: FigureBook, figure: Figure
) -> None:
    parsed = markup.parse(rendered(tmp_path, "完成{{ fig(f, unit=True) }}。", f=figure), book)
    assert parsed.body == (
        Paragraph((Text("完成"), FigureSpan("f1", "-22.9%", "number", True), Text("。"))),
    )


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ 1 + 1 }}", "arithmetic"),
        ("{{ f.value * 2 }}", "arithmetic"),
        ("{{ f.value }}", "bare Decimal"),
        ("{{ f }}", "without fig"),
        ("{{ 3 }}", "bare int"),
        ("{{ none }}", "bare NoneType"),
        ("{{ nobody }}", "nobody"),
        ("{{ 'a' ~ fig(f) }}", "control character"),
    ],
)
def test_templates_cannot_compute_or_print_bare_numbers(
    tmp_path: Path, figure: Figure, template: str, message: str
) -> None:
    with pytest.raises(MarkupError, match=message):
        rendered(tmp_path, template, f=figure)


@pytest.mark.parametrize("text", ["共3个园区。", "共３个园区。", "# 1 总体情况", "| 5 |"])
def test_digit_typed_into_a_template_is_refused(
    tmp_path: Path, book: FigureBook, text: str
) -> None:
    with pytest.raises(MarkupError, match=r"line \d+"):
        markup.parse(rendered(tmp_path, f"@table t | 表 |\n| 项 |\n| left 1 |\n{text}"), book)


def test_data_can_hold_digits_and_markup_signs_without_harm(
    tmp_path: Path, book: FigureBook
) -> None:
    name = "# 甲|乙 {{ 1 }} 2号园\n> 换行"
    parsed = markup.parse(
        rendered(tmp_path, "@table t | 表 |\n| 园区 |\n| left 1 |\n| {{ n }} |\n", n=name), book
    )
    table = parsed.body[0]
    assert isinstance(table, Table)
    assert plain(table.rows[0].cells[0]) == "# 甲|乙 {{ 1 }} 2号园 > 换行"


def test_every_kind_of_line(book: FigureBook, figure: Figure) -> None:
    fig, bar = markup.figure_mark(figure), markup.bar_mark(figure)
    text = f"""@title 甲
@title 乙
@headline 要点
@highlight 名 | {fig} | 注
@addressee 各单位：

# 一、总体情况
## （一）分项
第一行，
第二行。

> 提示。
@table t1 | 甲表 | 单位：个
| 名 | 值 |
| left 4 head | right 2 |
|= 分组 |
| 子 | {fig}{bar} |
注：表注。
见{markup.table_mark("t2")}。
@annex 口径
@table t2 | 乙表
| 名 | 判定 |
| left 1 | center 1 |
| 丑 | {markup.badge_mark("red", "红")} |
"""
    parsed = markup.parse(text, book)
    assert [plain(line) for line in parsed.title] == ["甲", "乙"]
    assert plain(parsed.headline) == "要点"
    assert plain(parsed.addressee) == "各单位："
    assert plain(parsed.highlights[0].value) == "-22.9"
    kinds = [type(block) for block in parsed.body]
    assert kinds == [Heading, Heading, Paragraph, Callout, Table, Note, Paragraph]
    assert plain(parsed.body[2].spans) == "第一行，第二行。"  # type: ignore[union-attr]
    assert plain(parsed.body[6].spans) == "见表2。"  # type: ignore[union-attr]
    first = parsed.body[4]
    assert isinstance(first, Table)
    assert [column.head for column in first.columns] == [True, False]
    assert [row.group for row in first.rows] == [True, False]
    assert first.rows[1].cells[1][1] == Bar("0.0000", "", "info")  # below zero is drawn empty
    assert parsed.annexes[0].number == 1
    second = parsed.annexes[0].blocks[0]
    assert isinstance(second, Table)
    assert second.number == 2
    assert second.rows[0].cells[1] == (Badge("red", "红"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("| 甲 |", "without @table"),
        ("@nothing 甲", "unknown directive"),
        ("@highlight 甲 | 乙", "expected 3 parts"),
        ("@table t | 表\n| 甲 | 乙 |\n| left 1 |", "2 headings, 1 alignments"),
        ("@table t | 表\n| 甲 |\n| middle 1 |", "write e.g."),
        ("@table t | 表\n| 甲 | 乙 |\n| left 1 head | left 1 head |", "only one column"),
        ("@table t | 表\n| 甲 |\n| left 1 |\n| 乙 | 丙 |", "2 cells, 1 columns"),
        ("@table t | 表\n| 甲 |\n\n正文", "no heading and alignment"),
        ("@table t | 表\n| 甲 |\n| left 1 |\n\n@table t | 表\n", "share an id"),
    ],
)
def test_broken_templates_say_what_is_wrong(book: FigureBook, text: str, message: str) -> None:
    with pytest.raises(MarkupError, match=message):
        markup.parse(text, book)


def test_unknown_figure_and_table_are_refused(book: FigureBook) -> None:
    with pytest.raises(ValueError, match="unknown figure"):
        markup.parse("\x01F\x1fgone\x1fnumber\x1f0\x02", book)
    with pytest.raises(MarkupError, match="no table called gone"):
        markup.parse(str(markup.table_mark("gone")), book)


@pytest.mark.parametrize(
    ("percent", "share"),
    [("22.874", "0.2287"), ("104", "1.0000"), ("-3", "0.0000"), ("100", "1.0000")],
)
def test_bar_stays_inside_its_track(book: FigureBook, percent: str, share: str) -> None:
    figure = book.add(
        "b", "完成率", Decimal(percent), unit="%", period="2020-06", decimals=1,
        source_table="t", source_key="k",
    )  # fmt: skip
    (bar,) = markup.parse(str(markup.bar_mark(figure)), book).body[0].spans  # type: ignore[union-attr]
    assert bar == Bar(share, "", "info")
