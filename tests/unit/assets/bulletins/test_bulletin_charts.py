"""Charts: titles counted from the data, the table says the same, gaps stay gaps, text is escaped."""

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from assets.bulletins import charts

SVG = "{http://www.w3.org/2000/svg}"


def rows(*behind):
    return [
        charts.BulletRow(f"目标{i}", 40.0 + i, f"{40 + i}.0", 50.0, "50.0", "低于进度", each)
        for i, each in enumerate(behind)
    ]


@pytest.mark.parametrize(
    ("behind", "told"),
    [
        ((True, True, False), "3项按序时进度判定，其中2项低于序时进度"),
        ((False,), "没有低于序时进度的"),
    ],
)
def test_the_bullet_counts_who_is_behind(behind, told):
    chart = charts.bullet("b", "上半年", rows(*behind))
    assert told in chart.title
    assert len(chart.rows) == len(behind)
    drawn = ET.fromstring(chart.svg)
    assert len(drawn.findall(f"{SVG}polyline[@class='s-pace']")) == len(behind)


def test_the_bullet_writes_the_verdict_beside_the_bar():
    assert "40.0% 低于进度" in charts.bullet("b", "上半年", rows(True)).svg


def lines():
    return [
        charts.RankLine("甲<园>", (1, 2, 3), True),
        charts.RankLine("乙园", (2, None, 1), False),
        charts.RankLine("丙园", (3, 1, 2), False),
    ]


def test_the_bump_names_the_last_and_shades_their_zone():
    zones = [(3, 1), (3, 1), (3, 1)]
    chart = charts.bump("r", "重点园区", ["4月", "5月", "6月"], lines(), zones)
    assert chart.title == "重点园区末1位：甲<园>"
    assert "f-zone" in chart.svg
    assert "甲&lt;园&gt; ↓1" in chart.svg
    assert [row[0] for row in chart.rows] == ["乙园", "丙园", "甲<园>（末位区间）"]
    assert chart.rows[0] == ("乙园", "2", "—", "1")


def test_a_class_without_last_places_has_no_zone():
    none = [charts.RankLine("甲园", (1,), False), charts.RankLine("乙园", (2,), False)]
    chart = charts.bump("r", "重点园区", ["6月"], none, [(2, 0)])
    assert "f-zone" not in chart.svg


def test_the_zone_of_last_places_lies_at_the_end_of_those_ranked_in_that_month():
    """A class that shrinks must not show its last park above the zone."""
    line = charts.RankLine("甲园", (5, 3), True)
    first = [charts.RankLine("乙园", (1, 1), False), charts.RankLine("丙园", (2, 2), False)]
    chart = charts.bump("r", "重点园区", ["5月", "6月"], [*first, line], [(5, 1), (3, 1)])
    boxes = [
        e for e in ET.fromstring(chart.svg).iter(f"{SVG}rect") if "f-zone" in e.get("class", "")
    ]
    dots = list(ET.fromstring(chart.svg).iter(f"{SVG}circle"))
    assert len(boxes) == len(dots) == 2
    for shaded, place in zip(boxes, dots, strict=True):
        top = float(shaded.get("y"))
        assert top < float(place.get("cy")) < top + float(shaded.get("height"))


@pytest.mark.parametrize(
    ("ranks", "shown"),
    [((5, 3), "↑2"), ((3, 5), "↓2"), ((3, 3), "持平"), ((None, 3), ""), ((3,), "")],
)
def test_moves_are_an_arrow_and_places(ranks, shown):
    assert charts.moved(ranks) == shown


def test_labels_keep_apart_and_above_the_lowest_line():
    placed = charts.spread([100.0, 101.0, 102.0], 15, 110)
    assert [b - a for a, b in pairwise(placed)] == [15, 15]
    assert placed[-1] <= 110


def test_a_missing_month_breaks_the_line_and_is_never_zero():
    whole = charts.sparkline("x", [None] * 12, [1.0, 2.0, 3.0, 4.0] + [None] * 8)
    broken = charts.sparkline("x", [None] * 12, [1.0, 2.0, None, 4.0] + [None] * 8)
    assert whole.count("<polyline") == 1 and whole.count("<circle") == 0
    assert broken.count("<polyline") == 1 and broken.count("<circle") == 1
    assert charts.sparkline("x", [None] * 12, [None] * 12) == ""


def test_the_fan_says_its_numbers_in_the_table():
    bands = [charts.Band("80%区间", 90.0, 120.0, "90.00", "120.00")]
    chart = charts.fan(
        "f", "题", "注", [(2, 20.0, "20.00"), (6, 50.0, "50.00")], (100.0, "100.00"), bands
    )
    assert ("全年推算80%区间", "90.00—120.00") in chart.rows
    assert ("1—6月累计（已报）", "50.00") in chart.rows
    assert "80%区间上限 120.00" in chart.svg


@pytest.mark.parametrize(
    "chart",
    [
        charts.bullet("a", "上半年", rows(True)),
        charts.bump("b", "重点", ["5月", "6月", "7月"], lines(), [(3, 1)] * 3),
        charts.multiples(
            "c", "题", "注", ["1月", "2月"], [charts.Panel("市", (None, 1.0), "+1.0%")]
        ),
        charts.reliability("d", "题", "注", [("指标", 80.0, 75.0, "75.0")]),
    ],
    ids=["bullet", "bump", "multiples", "reliability"],
)
def test_every_chart_has_title_description_and_table(chart):
    drawn = ET.fromstring(chart.svg)
    assert drawn.get("role") == "img"
    ids = drawn.get("aria-labelledby").split()
    assert [drawn.find(f"{SVG}title").get("id"), drawn.find(f"{SVG}desc").get("id")] == ids
    assert drawn.find(f"{SVG}title").text == chart.title
    assert chart.rows and all(len(row) == len(chart.head) for row in chart.rows)
