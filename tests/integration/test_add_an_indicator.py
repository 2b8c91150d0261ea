"""docs/how-to/add-an-indicator.md does what it says: three YAML edits, then figures and a verdict."""

from __future__ import annotations

import io
import re
from datetime import datetime
from decimal import Decimal

import pytest
import xlsxwriter

from assets.build import Build
from assets.submissions import store_rows
from assets.targets.store_rows import judge
from pipelines.settings import load_workspace
from tests.support.bureau import HerePool, make_home
from tests.support.workspaces import ROOT, parkwatch
from warehouse import derive, store
from warehouse.catalog.load import load_catalog
from warehouse.state import State
from warehouse.store import Warehouse

PAGE = ROOT / "docs" / "how-to" / "add-an-indicator.md"
BLOCK = re.compile(r"^## (\d)\..*?`catalog/([^`]+)`.*?\n+```yaml\n(.*?)```", re.M | re.S)


def edits():
    return {
        int(number): (name, text) for number, name, text in BLOCK.findall(PAGE.read_text("utf-8"))
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = make_home(tmp_path_factory.mktemp("added"))
    settings = (home / "parkwatch.toml").read_text("utf-8")
    (home / "parkwatch.toml").write_text(settings.replace('base = "none"', 'base = "china_parks"'))
    _edit(home / "catalog", edits())
    (home / "inbox" / "汉滨区.xlsx").write_bytes(_return())
    _run(home, "2020-06")
    return home


def _run(home, period):
    """The stages of a run up to the verdicts, published; bulletins have tests of their own."""
    workspace = load_workspace(home)
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    warehouse = Warehouse(workspace)
    with warehouse.writer_lock():
        build = Build(
            workspace, catalog, warehouse, State(workspace.state_file), datetime(2020, 7, 8)
        )
        with build.step("目录") as connection:
            store_rows.load_dimensions(connection, build)
        store_rows.take_in(build, HerePool())
        with build.step("派生") as connection:
            store_rows.collect_findings(connection, 2)
            derive.refresh_observations(connection)
            derive.refresh_park_month(
                connection, catalog.known_indicators, asof=build.asof, first_month=2
            )
            derive.refresh_park_year(connection, period, each_month=False)
            derive.refresh_area_year(connection, catalog.known_indicators, asof=build.asof)
            judge(connection, build, period)
        build.publish(period)


def query(home, sql):
    with Warehouse(load_workspace(home)).reading() as connection:
        return store.fetch(connection, sql)


def _edit(catalog, blocks):
    """Exactly the three edits of the page: add to a file, replace a line, make a new file."""
    name, text = blocks[1]
    path = catalog / name
    path.write_text(path.read_text("utf-8") + text, encoding="utf-8")
    name, text = blocks[2]
    path = catalog / name
    before = path.read_text("utf-8")
    after = re.sub(r"^  indicators:.*\n", text, before, flags=re.M)
    assert after != before
    path.write_text(after, encoding="utf-8")
    name, text = blocks[3]
    assert not (catalog / name).exists()
    (catalog / name).write_text(text, encoding="utf-8")


def _return():
    """汉滨区 reports 技术合同额 under an alias, in 亿元."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet("园区月报")
        sheet.write_row(0, 0, ["汉滨区2020年1—6月园区月报"])
        sheet.write_row(1, 0, ["园区", "工业总产值", "营业收入", "技术合同额(亿元)"])
        sheet.write_row(2, 0, ["砚青模拟工业园", 90000, 80000, 0.4])
        sheet.write_row(3, 0, ["霁禾模拟工业园", 50000, 40000, 0.08])
    return buffer.getvalue()


def test_the_page_names_three_files():
    assert [name for name, _ in edits().values()] == [
        "indicators.yaml", "layouts/monthly.yaml", "targets.yaml"]  # fmt: skip


def test_the_share_is_computed_for_parks_and_areas(home):
    rows = query(home, "SELECT park_id, value, state, origin FROM indicators.park_year "
                       "WHERE indicator_id = 'X40' AND value IS NOT NULL ORDER BY park_id")  # fmt: skip
    assert [(r["park_id"], Decimal(r["value"]), r["origin"]) for r in rows] == [
        ("M1", Decimal(5), "computed"), ("M2", Decimal(2), "computed")]  # fmt: skip
    (city,) = query(home, "SELECT value FROM indicators.area_year WHERE indicator_id = 'X40' "
                          "AND area_code = '610900' AND scope = 'all'")  # fmt: skip
    assert Decimal(city["value"]) == Decimal(4)  # 4800 / 120000, not the mean of 5 and 2


def test_the_target_is_judged(home):
    rows = query(home, "SELECT park_id, verdict FROM targets.verdict WHERE target_id = 'XX20-1'")
    verdicts = {row["park_id"]: row["verdict"] for row in rows}
    assert verdicts["M1"] == "met"
    assert verdicts["M2"] not in ("met", "no_data")
    assert verdicts["M3"] == "no_data"


def test_the_dictionary_says_how_and_under_which_head(home):
    page = parkwatch("dictionary", "--home", home).stdout
    (share,) = [line for line in page.splitlines() if line.startswith("| X40 ")]
    (turnover,) = [line for line in page.splitlines() if line.startswith("| H10 ")]
    assert "computed" in share and "100 * H10 / C04" in share
    assert "技术合同额(亿元)" in turnover and "monthly" in turnover


def test_every_reported_figure_leads_to_its_head(home):
    page = parkwatch("dictionary", "--home", home).stdout
    for row in query(home, "SELECT DISTINCT indicator_id, head FROM submissions.cell "
                           "WHERE indicator_id IS NOT NULL AND head IS NOT NULL"):  # fmt: skip
        (line,) = [x for x in page.splitlines() if x.startswith(f"| {row['indicator_id']} ")]
        assert row["head"] in line
