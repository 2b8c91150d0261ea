"""Charts of a bulletin: drawn from its own figures, titled with counted findings, equal to a table."""

import json
import re
from dataclasses import replace

import pytest

from assets.bulletins import plates, prospects, uncertain
from assets.bulletins.compose import compose
from assets.bulletins.data import BulletinData
from assets.bulletins.facts import Register
from assets.bulletins.figures import FigureBook
from assets.bulletins.markup import Drawing, MarkupError, parse
from assets.bulletins.model import Bulletin, Chart, plain, to_json
from assets.bulletins.raster import RasterError, size_of, to_png
from assets.bulletins.webpage import to_html
from tests.support.bulletin_fixture import bulletin_data


@pytest.fixture(scope="module")
def bulletin() -> Bulletin:
    return compose(bulletin_data())


def chart(bulletin: Bulletin, name: str) -> Chart:
    return next(each for each in bulletin.charts() if each.chart_id == name)


def test_every_number_in_a_drawing_stands_in_the_table_it_names(bulletin: Bulletin) -> None:
    drawn = list(bulletin.charts())
    assert [each.chart_id for each in drawn] == ["year_end", "goals", "lanes", "record"]
    for each in drawn:
        table = bulletin.table(each.table_id)
        assert table is not None
        assert each.alt.endswith(f"数据见表{table.number}。")
        cells = {plain(cell) for row in table.rows for cell in row.cells}
        numbers = {n for cell in cells for n in re.findall(r"\d+(?:\.\d+)?", cell)}
        inside = [
            text for text in each.labels if text != plain(each.spans) and text not in each.alt
        ]
        shown = {n for text in inside for n in re.findall(r"\d+(?:\.\d+)?", text)}
        assert shown and shown <= numbers, (each.chart_id, shown - numbers)


def test_the_goal_chart_counts_what_it_draws(bulletin: Bulletin) -> None:
    drawn = chart(bulletin, "goals")
    assert plain(drawn.spans) == "全省有进度要求的4项目标中，2项低于时间进度"
    assert sum(text.endswith("低于进度") for text in drawn.labels) == 2
    good = tuple(v for v in bulletin_data().verdicts if v.verdict in ("met", "on_pace"))
    fine = chart(compose(bulletin_data(verdicts=good)), "goals")
    assert plain(fine.spans) == "全省有进度要求的2项目标均达到时间进度"


def test_the_lane_chart_shows_who_is_listed(bulletin: Bulletin) -> None:
    drawn = chart(bulletin, "lanes")
    assert plain(drawn.spans) == "8个园区列入预警，8个推算年末位于末位区间的概率过半"
    listed = {s.park_name for s in bulletin_data().scores if s.in_last_k}
    assert listed <= set(drawn.labels)
    assert "模拟名次，非正式考核结果" in drawn.alt
    assert sum("末位概率" in text for text in drawn.labels) == 8


def test_nothing_is_drawn_of_what_nobody_knows() -> None:
    data = bulletin_data()
    bare = tuple(replace(s, p_last_k=None, rank_p10=None, rank_p90=None) for s in data.scores)
    empty = compose(replace(data, verdicts=(), scores=bare, records=(), year_end=()))
    assert list(empty.charts()) == []


def test_a_drawing_needs_its_table() -> None:
    drawing = Drawing("<svg/>", "图。", "none")
    with pytest.raises(MarkupError, match="no table that says the same"):
        parse("@chart goals | 标题\n", FigureBook(), {"goals": drawing})


def record_of(data: BulletinData) -> plates.Plate | None:
    register = Register(FigureBook(), data.period)
    return plates.record_plate(register, prospects.record_facts(register, data))


def test_the_record_is_titled_by_its_range() -> None:
    data = bulletin_data()
    both, one = record_of(data), record_of(replace(data, records=data.records[:1]))
    assert both is not None and one is not None
    assert "在81.4%至82.4%之间" in both.svg
    assert "比例为81.4%" in one.svg
    unknown = tuple(replace(row, covered_80=None) for row in data.records)
    assert record_of(replace(data, records=unknown)) is None


def test_lanes_of_classes_of_any_size_stay_on_the_sheet() -> None:
    rows = [
        uncertain.Lane("甲组", "甲园", 1, 1, None, None, None, "现第1位", bad=False),
        uncertain.Lane("乙组", "乙园", 51, 51, 3, 51, 49, "现第51位", bad=True),
    ]
    drawn = uncertain.lanes("lanes", "题", "注", rows)
    places = [float(x) for x in re.findall(r'\b(?:x|cx)="([\d.]+)"', drawn.svg)]
    assert max(places) < 680
    assert drawn.svg.count("f-zone") == 1


def test_pictures_are_the_same_bytes_each_time(bulletin: Bulletin) -> None:
    svg = chart(bulletin, "lanes").svg
    first = to_png(svg)
    to_png.cache_clear()
    assert to_png(svg) == first
    width, _ = size_of(svg)
    assert int.from_bytes(first[16:20], "big") == (width + 16) * 2
    with pytest.raises(RasterError):
        to_png("<svg></svg>")


def test_the_page_shows_the_drawing_with_its_finding(bulletin: Bulletin) -> None:
    page = to_html(bulletin)
    assert page.count("<figure") == 4
    assert page.count('role="img"') == 4
    assert json.loads(to_json(bulletin))["body"]
