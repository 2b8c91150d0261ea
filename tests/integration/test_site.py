"""The static site of a small workspace: whole, offline, the same twice, free of axe violations."""

from __future__ import annotations

import shutil
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from assets.bulletins import editions, site, site_select
from assets.bulletins.figures import format_number
from tests.support import bulletin_warehouse
from warehouse import store

AXE = Path(__file__).parents[1] / "support" / "vendor" / "axe.min.js"
CHROMIUM = shutil.which("chromium")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Page(HTMLParser):
    """Links, ids, landmarks and printed data of one page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.tags, self.heads, self.data = [], set(), [], [], []
        self.language = self.title = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.ids.add(found.get("id"))
        self.links += [found[name] for name in ("href", "src") if name in found]
        self.language = found.get("lang", self.language) if tag == "html" else self.language
        if tag == "th":
            self.heads.append(found.get("scope"))
        if tag == "data":
            self.data.append([found["value"], ""])

    def handle_data(self, words):
        if self.tags and self.tags[-1] == "title" and not self.title:
            self.title = words
        if self.data and self.tags[-1] == "data" and not self.data[-1][1]:
            self.data[-1][1] = words


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    made = bulletin_warehouse.built(tmp_path_factory.mktemp("site"))
    with made.warehouse.building() as connection:
        editions.write_editions(
            connection, made, bulletin_warehouse.PERIOD, [editions.main_audience(made).audience_id]
        )
    staged = made.workspace.making / "reports"
    if staged.exists():
        shutil.copytree(staged, made.workspace.reports, dirs_exist_ok=True)
    return made


@pytest.fixture(scope="module")
def folder(build):
    with build.warehouse.building() as connection:
        return site.write_site(connection, build).folder


@pytest.fixture(scope="module")
def pages(folder):
    return {
        str(path.relative_to(folder)): Page(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.html"))
    }


def test_every_park_of_the_register_has_a_page(build, pages):
    with build.warehouse.building() as connection:
        rows = connection.execute(
            "SELECT DISTINCT park_id FROM dims.park WHERE province_code = '610000'"
        ).fetchall()
    assert rows
    assert {f"parks/{row[0]}.html" for row in rows} == {p for p in pages if p.startswith("parks/")}


def test_every_link_leads_to_a_file_of_the_site(folder, pages):
    for name, page in pages.items():
        for link in page.links:
            assert not link.startswith(("http", "//", "/", "file:", "data:")), (name, link)
            target, _, anchor = link.partition("#")
            reached = ((folder / name).parent / target).resolve() if target else folder / name
            assert reached.is_file(), (name, link)
            assert reached.is_relative_to(folder.resolve()) or not target
            if anchor and not target:
                assert anchor in page.ids, (name, link)


def test_no_script_or_style_asks_for_anything(folder):
    script = (folder / "search.js").read_text() + (folder / "site.css").read_text()
    for word in ("fetch(", "XMLHttpRequest", "http:", "https:", "@import", "url("):
        assert word not in script


def test_pages_have_language_title_landmarks_and_table_heads(pages):
    for name, page in pages.items():
        assert page.language == "zh-CN", name
        assert page.title.strip(), name
        assert page.tags.count("main") == page.tags.count("h1") == 1, name
        assert {"header", "footer", "nav"} <= set(page.tags), name
        assert all(scope in ("col", "row", "rowgroup") for scope in page.heads), name


def test_numbers_of_a_park_equal_the_published_rows(build, pages):
    with build.warehouse.building() as connection:
        park = "SIM-AK01"
        rows = store.fetch(
            connection,
            "SELECT value FROM indicators.park_year WHERE park_id = ? AND asof_period = ? "
            "AND indicator_id IN ('C04', 'C01', 'D02', 'F01')",
            [park, bulletin_warehouse.PERIOD],
        )
    shown = {stored for stored, _ in pages[f"parks/{park}.html"].data}
    assert len(rows) == 4
    assert {format_number(row["value"], None) for row in rows} <= shown


def test_a_printed_number_is_its_stored_value_rounded(folder):
    page = Page((folder / "parks" / "SIM-AK01.html").read_text(encoding="utf-8"))
    assert page.data
    for stored, printed in page.data:
        digits = len(printed.partition(".")[2])
        low, high = (Decimal(printed) + Decimal(s) * Decimal(1).scaleb(-digits) for s in (-1, 1))
        value = Decimal(stored)
        assert any(low <= value * factor <= high for factor in (1, Decimal("0.0001"))), stored


def test_a_chance_is_printed_where_the_watch_list_has_one_else_why_not(build):
    """The fixture has no history: every chance rests on unknown errors until one is given a record."""
    with build.warehouse.building() as connection:
        frame, scope = site._frame(connection, build, editions.main_audience(build))
        ranked = {row[0] for row in connection.execute(
            "SELECT park_id FROM assessment.risk WHERE k > 0").fetchall()}  # fmt: skip
        parks = [p for p in site_select.register(connection, scope.code) if p["park_id"] in ranked]

        def said():
            pages = site_select.park_pages(connection, frame, parks)
            return {page.park_id: [s.probability for s in page.standings] for page in pages}

        before = said()
        park = parks[0]["park_id"]
        change = "UPDATE assessment.watch SET p_last_k = ? WHERE park_id = ?"
        connection.execute(change, [0.62, park])
        after = said()
        connection.execute(change, [None, park])
    texts = [text for found in before.values() for text in found]
    assert len(parks) > 30
    assert set(texts) == {"不列末位概率：有往年误差记录的指标只占计分权重的0%，不足方案规定的50%"}
    assert all("的概率62%" in text for text in after.pop(park))
    assert after.items() <= before.items()


def test_a_reporter_s_line_counts_what_the_bulletin_counts():
    """Errors and questions of the audit, from the same mirror; none known is no zero."""
    row = {"reporter": "r", "received_at": None, "n_findings": 9}
    filed = {"n_error": 26, "n_verify": 1, "n_returned": 1}
    told = site._board_row(row, filed, ZoneInfo("Asia/Shanghai"))
    assert (told["n_error"], told["n_verify"], told["standing"]) == (26, 1, "未报")
    assert site._board_row(row, None, ZoneInfo("Asia/Shanghai"))["n_error"] is None


def test_a_silent_park_says_what_is_missing(folder):
    text = (folder / "parks" / f"{bulletin_warehouse.SILENT}.html").read_text(encoding="utf-8")
    assert "本期无数值：" in text


def test_the_same_warehouse_gives_the_same_bytes(build, folder):
    def content():
        return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    before = content()
    with build.warehouse.building() as connection:
        site.write_site(connection, build)
    assert content() == before


def test_the_public_variant_names_no_park_rank_or_verdict(build):
    with build.warehouse.building() as connection:
        made = site.write_site(connection, build, public=True)
        names = connection.execute("SELECT DISTINCT name FROM dims.park").fetchall()
    text = "".join(p.read_text(encoding="utf-8") for p in made.folder.rglob("*.html"))
    assert made.parks == 0
    assert "主要指标" in text
    for word in ("概率", "模拟名次", "末位", "脱离", "内部资料", *(row[0] for row in names)):
        assert word not in text, word


@pytest.mark.skipif(CHROMIUM is None, reason="没有 chromium，未做浏览器无障碍检查")
def test_axe_finds_nothing_on_any_kind_of_page(folder, pages):
    playwright = pytest.importorskip("playwright.sync_api", reason="没有安装 playwright")
    kinds = {name if name.count("/") == 0 else name.split("/")[0]: name for name in pages}
    assert len(kinds) >= 7
    axe = AXE.read_text(encoding="utf-8")
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, scheme in ((1280, "light"), (360, "dark")):
            context = browser.new_context(
                viewport={"width": width, "height": 800}, color_scheme=scheme
            )
            page = context.new_page()
            asked: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            for name in kinds.values():
                page.goto((folder / name).as_uri())
                page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
                page.evaluate(axe)
                options = {"runOnly": TAGS}
                found = page.evaluate("o => axe.run(document, o)", options)["violations"]
                assert [(v["id"], v["nodes"][0]["html"]) for v in found] == [], (name, width)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            assert all(url.startswith("file:") for url in asked)
        browser.close()
