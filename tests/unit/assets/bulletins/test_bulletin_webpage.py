"""The page: the same numbers, links to figures, readable to everybody, asking nothing of elsewhere."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from assets.bulletins.compose import compose
from assets.bulletins.model import Bulletin, figure_spans
from assets.bulletins.webpage import percent, pick, to_html
from tests.support.bulletin_fixture import bulletin_data


class Reader(HTMLParser):
    """Figures, ids, links and tables of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.figures: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        if values.get("id"):
            self.ids.append(str(values["id"]))
        for name in ("href", "src"):
            if values.get(name):
                self.links.append(str(values[name]))
        if "data-figure" in values:
            self._open = str(values["data-figure"])

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.figures.append((self._open, data))
            self._open = None


@pytest.fixture(scope="module")
def bulletin() -> Bulletin:
    return compose(bulletin_data())


@pytest.fixture(scope="module")
def page(bulletin: Bulletin) -> str:
    return to_html(bulletin)


def test_numbers_of_the_page_are_the_figure_book(bulletin: Bulletin, page: str) -> None:
    shown = Reader(page).figures
    title = [s for line in bulletin.title for s in line if s.kind == "figure"]
    assert not title  # the title is printed as text
    assert sorted(shown) == sorted((s.figure_id, s.text) for s in figure_spans(bulletin))
    assert len(shown) > 300


def test_each_figure_can_be_linked_to_once(bulletin: Bulletin, page: str) -> None:
    ids = Reader(page).ids
    assert len(ids) == len(set(ids))
    printed = {span.figure_id for span in figure_spans(bulletin)}
    assert {f"fig-{name}" for name in printed} <= set(ids)
    assert {f"src-{figure.figure_id}" for figure in bulletin.figures} <= set(ids)


def test_page_asks_nothing_of_any_other_place(page: str) -> None:
    links = Reader(page).links
    assert links
    assert all(link.startswith("#") for link in links)
    assert not re.search(r"https?://|@import|url\(|<script|<iframe|<img|<link", page)


def test_page_is_readable_by_a_screen_reader(page: str) -> None:
    reader = Reader(page)
    names = [tag for tag, _ in reader.tags]
    assert ("html", {"lang": "zh-CN"}) in reader.tags
    assert names.count("h1") == 1
    assert names.count("main") == 1
    assert names.count("table") == names.count("caption")
    heads = [values for tag, values in reader.tags if tag == "th"]
    assert all(values.get("scope") in ("col", "row", "rowgroup") for values in heads)
    assert any(values.get("class") == "skip" for tag, values in reader.tags if tag == "a")
    targets = [link[1:] for link in reader.links]
    assert set(targets) <= set(reader.ids)
    regions = [values for tag, values in reader.tags if values.get("role") == "region"]
    assert all(
        values.get("aria-label") or values["aria-labelledby"] in reader.ids for values in regions
    )


def test_simulation_is_marked_on_the_page_and_every_section_and_table(
    bulletin: Bulletin, page: str
) -> None:
    sections = re.findall(r"<h2[^>]*>.*?</h2>", page)
    captions = re.findall(r'<caption id="cap-.*?</caption>', page)
    assert len(sections) == 12  # six sections, five annexes, sources
    assert len(captions) == len(list(bulletin.tables()))
    assert all("模拟数据" in part for part in sections + captions)
    assert "<title>【模拟数据】" in page
    assert "模拟数据" not in to_html(compose(bulletin_data(simulated=False)))


def test_names_are_escaped() -> None:
    data = bulletin_data()
    evil = '<b onclick="x">园</b>&'
    rows = tuple(replace(row, park_name=evil) for row in data.scores)
    page = to_html(compose(bulletin_data(scores=rows)))
    assert "<b onclick" not in page
    assert "&lt;b onclick=" in page


def test_dark_print_and_narrow_styles_are_inside(page: str) -> None:
    for rule in ("prefers-color-scheme: dark", "@media print", "max-width: 40rem"):
        assert rule in page


def test_same_document_gives_the_same_page(bulletin: Bulletin, page: str) -> None:
    assert to_html(bulletin) == page


@pytest.mark.parametrize(
    ("share", "width"),
    [("0.2287", "22.87%"), ("1.0000", "100.00%"), ("0.0000", "0.00%"), ("0.0500", "5.00%")],
)
def test_bar_width(share: str, width: str) -> None:
    assert percent(share) == width


def test_mail_columns_must_exist(bulletin: Bulletin) -> None:
    table = bulletin.table("watch")
    assert table is not None
    with pytest.raises(KeyError, match="没有的列"):
        pick(table, ["园区", "没有的列"])
