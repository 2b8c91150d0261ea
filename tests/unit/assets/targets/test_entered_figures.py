"""Entered figures, findings and assessment results: which rows count, what they decide, who is named."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from assets.targets.evidence import YearEnd
from assets.targets.inputs import accepted
from assets.targets.verdict import VerdictRow
from tests.support import judging
from tests.support.judging import park
from warehouse import ticks
from warehouse.catalog.inputs import FORMATS, InputRow, read_inputs, template

D = Decimal
HANBIN, HANYIN = "610902", "610921"


def judge(
    ids: str,
    period: str,
    *,
    parks: list[Any] | None = None,
    values: dict[str, Any] | None = None,
    history: dict[int, YearEnd] | None = None,
    regions: dict[str, str] | None = None,
    **entered: Any,
) -> list[VerdictRow]:
    """Shipped targets judged with entered rows (``inputs``, ``quotas``, ``ticks``)."""
    everyone = parks or [park("A"), park("B", county_code=HANYIN)]
    return judging.verdicts(
        [judging.shipped()[i] for i in ids.split()],
        everyone,
        judging.values(values or {}),
        period,
        history=history or {},
        regions=regions or {},
        inputs=judging.entered(entered, everyone),
    )


def figure(indicator: str, period: str, value: Any = None, **more: Any) -> dict[str, Any]:
    """A row of figures.csv about 安康 unless a park or another area is named."""
    place = {} if "park_id" in more or "area_code" in more else {"area_code": "610900"}
    given = {} if value is None else {"value": value}
    return {"indicator_id": indicator, "period": period} | place | given | more


def finding(target: str, on: str, text: str = "是", **more: Any) -> dict[str, Any]:
    """A row of ticks.csv."""
    from datetime import date

    return {"target_id": target, "text": text, "entered_on": date.fromisoformat(on)} | more


def only(rows: list[VerdictRow]) -> VerdictRow:
    assert len(rows) == 1, [row.reason for row in rows]
    return rows[0]


# --- figures of other bureaus ---------------------------------------------------------------------


def test_mean_increase_counts_net_growth_since_the_base_year_and_what_is_left() -> None:
    rows = [figure("T02", "2017-12", 3.0), figure("T02", "2020-06", 3.5)]
    row = only(judge("AK18-1.2-01", "2020-06", inputs=rows))
    assert (row.actual, row.required, row.baseline) == (D("0.2"), D("0.3"), D(3))
    assert (row.verdict, row.light) == ("behind", "yellow")  # red only when the plan is over
    assert row.still_required == D("0.46666667")  # (4 × 0.3 − 0.5) over the 1.5 years left
    assert "2017年末以来年均净增0.2万户" in row.reason
    ahead = [figure("T02", "2017-12", 3.0), figure("T02", "2020-06", 6.0)]
    early = only(judge("AK18-1.2-01", "2020-06", inputs=ahead))
    assert (early.verdict, early.light, early.still_required) == ("on_pace", "green", 0)
    last = [figure("T02", "2017-12", 3.0), figure("T02", "2021-12", 4.3)]
    assert only(judge("AK18-1.2-01", "2021-12", inputs=last)).verdict == "met"


def test_without_a_base_the_mean_increase_says_what_is_missing() -> None:
    row = only(judge("AK18-1.2-01", "2020-06", inputs=[figure("T02", "2020-06", 3.5)]))
    assert (row.verdict, row.light) == ("no_data", "grey")
    assert "缺少2017年末基期数" in row.reason


def test_a_share_is_computed_from_its_parts_of_one_period() -> None:
    parts = [figure("T10", "2019-12", 715), figure("T06", "2019-12", 1000)]
    row = only(judge("AK18-1.2-07", "2019-12", inputs=parts))
    assert row.actual == D("71.5")
    other_years = [figure("T10", "2018-12", 715), figure("T06", "2019-12", 1000)]
    assert only(judge("AK18-1.2-07", "2019-12", inputs=other_years)).verdict == "no_data"


def test_a_growth_rate_of_another_bureau_counts_for_its_own_month_only() -> None:
    values = {"A": {"C01": {"value": 10, "yoy_pct": 9}}}
    rows = [figure("T07", "2023-05", 5)]
    late = only(judge("AK23-1-01", "2023-06", parks=[park("A")], values=values, inputs=rows))
    assert late.verdict == "no_data"


def test_named_items_over_a_threshold_are_counted() -> None:
    rows = [
        figure("T09", "2020-12", 1200, item="富硒食品"),
        figure("T09", "2020-12", 800, item="新型材料"),
    ]
    row = only(judge("AK18-1.2-12", "2020-12", inputs=rows))
    assert (row.verdict, row.actual, row.required) == ("met", 1, 1)
    assert "富硒食品" in row.reason


def test_ranks_of_the_provincial_assessment_are_counted() -> None:
    rows = [figure("K07", "2023-12", 4, park_id="A"), figure("K07", "2023-12", 15, park_id="B")]
    row = only(judge("AK23-1-02", "2023-12", inputs=rows))
    assert (row.actual, row.required, row.light) == (1, 2, "yellow")  # 力争: never red


@pytest.mark.parametrize(
    ("entered", "verdict", "words"),
    [
        ({HANBIN: 1, HANYIN: 2}, "met", "2个县（市、区）中2个已覆盖"),
        ({HANBIN: 1, HANYIN: 0}, "behind", "未覆盖"),
        ({HANBIN: 1}, "no_data", "另有1个未录入"),
        ({}, "no_data", "中小企业主管部门"),
    ],
)
def test_every_county_must_be_covered(entered: dict[str, int], verdict: str, words: str) -> None:
    rows = [figure("G05", "2021-06", n, area_code=code) for code, n in entered.items()]
    row = only(judge("AK18-1.2-04", "2021-06", inputs=rows))
    expected = {"behind": ("behind", "far_behind")}.get(verdict, (verdict,))
    assert row.verdict in expected
    assert words in row.reason


def test_a_bottom_line_is_red_for_a_single_case() -> None:
    none = only(
        judge("SN18-2.15-02", "2020-06", inputs=[figure("F12", "2020-06", 0, area_code="610000")])
    )
    one = only(
        judge("SN18-2.15-02", "2020-06", inputs=[figure("F12", "2020-06", 1, area_code="610000")])
    )
    assert [(none.verdict, none.light), (one.verdict, one.light)] == [
        ("met", "green"), ("far_behind", "red")]  # fmt: skip


def test_parameters_of_projects_are_judged_when_their_bureau_supplies_them() -> None:
    cases = [figure("P01", "2020-06", 90, floor=100, item="甲地块"),
             figure("P01", "2020-06", 120, floor=100, item="乙地块")]  # fmt: skip
    row = only(judge("AK18-3.17-02", "2020-06", inputs=cases))
    assert (row.verdict, row.light, row.actual) == ("far_behind", "red", 1)
    assert "甲地块" in row.reason and "乙地块" not in row.reason
    assert only(judge("AK18-3.17-02", "2020-06")).verdict == "out_of_scope"


def test_high_tech_firms_are_held_against_twice_their_base() -> None:
    shanxi = [park("S", province_code="140000", city_code="140500", county_code="140525")]
    base = {2020: YearEnd(judging.values({"S": {"B08": 10}}))}
    rows = judge("SX20-2.3-01", "2023-06", parks=shanxi, values={"S": {"B08": 16}}, history=base)
    row = only(rows)
    assert (row.actual, row.required, row.unit, row.light) == (D("1.6"), 2, "倍", "green")
    assert "是2020年10户的1.6倍" in row.reason


# --- park heads, only where the condition holds ---------------------------------------------------


def test_the_rank_of_a_park_head_is_asked_only_of_large_parks_and_never_printed() -> None:
    last = {2019: YearEnd(judging.values({"A": {"C01": 350_000}, "B": {"C01": 299_999}}))}
    rows = [figure("K03", "2020-01", text="正科级", park_id="A")]
    row = only(judge("SN18-3.16-01", "2020-06", history=last, inputs=rows))
    assert (row.park_id, row.verdict, row.light) == ("A", "far_behind", "red")
    assert "正科级" not in row.reason and "2019年全年工业总产值" in row.reason
    rows = [figure("K03", "2020-01", text="副处级", park_id="A")]
    assert only(judge("SN18-3.16-01", "2020-06", history=last, inputs=rows)).verdict == "met"
    nobody = only(judge("SN18-3.16-01", "2020-06", history=last))
    assert (nobody.verdict, "组织人事部门" in nobody.reason) == ("no_data", True)
    assert only(judge("SN18-3.16-01", "2020-06")).verdict == "out_of_scope"  # no park is that large


# --- assessment results ---------------------------------------------------------------------------


def test_three_excellent_years_running_open_the_way_and_a_gap_breaks_the_streak() -> None:
    parks = [park("A", is_demonstration=True), park("B", is_demonstration=True)]
    grades = {"A": {2018: "优秀", 2019: "优秀", 2020: "优秀"}, "B": {2018: "优秀", 2020: "优秀"}}
    rows = [
        figure("K08", f"{year}-12", text=grade, park_id=name)
        for name, years in grades.items()
        for year, grade in years.items()
    ]
    a, b = judge("SN18-3.21-06", "2021-06", parks=parks, inputs=rows)
    assert (a.park_id, a.verdict, a.actual) == ("A", "met", 3)
    assert (b.park_id, b.verdict, b.actual) == ("B", "out_of_scope", 1)


def test_elimination_shows_what_was_announced_and_never_decides() -> None:
    parks = [park("A"), park("B", is_demonstration=True)]
    rows = [figure("R01", "2019-12", text="淘汰", park_id="A")]
    row = only(judge("SN18-3.21-03", "2020-06", parks=parks, inputs=rows))
    assert (row.verdict, "淘汰1个（模拟A园区）" in row.reason) == ("met", True)
    nothing = only(judge("SN18-3.21-03", "2020-06", parks=parks))
    assert (nothing.verdict, "年度考核结果" in nothing.reason) == ("no_data", True)


# --- findings -------------------------------------------------------------------------------------


def test_a_duty_is_ticked_with_evidence_and_a_later_finding_counts() -> None:
    first = finding("SN18-3.18-01", "2020-03-05", source="陕财办〔2020〕3号", entered_by="财政岗")
    row = only(judge("SN18-3.18-01", "2020-06", ticks=[first]))
    assert (row.verdict, row.light, row.actual) == ("met", "green", 1)
    assert "财政岗于2020-03-05认定已做到（佐证：陕财办〔2020〕3号）" in row.reason
    assert row.figure_ids == ("input/ticks.csv/2",)
    second = finding("SN18-3.18-01", "2020-05-01", "否")
    assert only(judge("SN18-3.18-01", "2020-06", ticks=[first, second])).light == "yellow"
    assert only(judge("SN18-3.18-01", "2020-04", ticks=[first, second])).verdict == "met"
    assert only(judge("SN18-3.18-01", "2020-02", ticks=[first])).verdict == "manual"


def test_duties_of_a_year_need_a_finding_of_that_year() -> None:
    done = finding("SN18-2.11-02", "2019-11-01")
    assert only(judge("SN18-2.11-02", "2019-12", ticks=[done])).verdict == "met"
    row = only(judge("SN18-2.11-02", "2020-06", ticks=[done]))
    assert (row.verdict, "2020年尚未登记认定" in row.reason) == ("manual", True)


def test_parks_ticked_one_by_one_leave_the_others_open() -> None:
    rows = judge(
        "SN18-2.15-01", "2020-06", ticks=[finding("SN18-2.15-01", "2020-04-01", park_id="A")]
    )
    assert [(row.park_id, row.verdict) for row in rows] == [("A", "met"), ("B", "manual")]


def test_each_ticked_event_counts_once_and_is_not_red_before_the_year_is_over() -> None:
    events = [finding("AK18-2.6-01", f"2020-0{month}-01") for month in (3, 5)]
    june = only(judge("AK18-2.6-01", "2020-06", ticks=events))
    assert (june.actual, june.required, june.light) == (2, 5, "yellow")
    december = only(judge("AK18-2.6-01", "2020-12", ticks=events))
    assert (december.verdict, december.light) == ("far_behind", "red")


def test_what_only_has_to_be_done_is_listed_and_never_judged() -> None:
    row = only(judge("SN18-2.7-01", "2020-06", ticks=[finding("SN18-2.7-01", "2020-05-01")]))
    assert (row.verdict, row.light, "已登记1项佐证" in row.reason) == ("manual", "grey", True)


# --- rows that cannot be used ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"indicator_id": "Z99"}, "没有指标 Z99"),
        ({"area_code": "999999"}, "不在行政区划表"),
        ({"area_code": "", "park_id": "X"}, "园区登记中没有 X"),
        ({"area_code": ""}, "必须且只能填一个"),
        ({"text": "好"}, "必须且只能填一个"),
        ({"unit": "公顷"}, "不能换算"),
    ],
)
def test_a_row_that_fits_nothing_is_kept_with_its_reason(
    fields: dict[str, Any], words: str
) -> None:
    base = {"indicator_id": "T02", "area_code": "610900", "period": "2020-06", "value": D(1)}
    row = InputRow("figures.csv", 2, "figure", **(base | fields))
    found = accepted([row], judging.known())
    assert found.rows == ()
    assert words in found.refused[0].problem


def test_a_refused_row_is_named_in_the_reason_of_its_target() -> None:
    row = only(judge("AK18-1.2-02", "2020-06", inputs=[figure("T02", "2020-06", 3, unit="公顷")]))
    assert (row.verdict, "figures.csv第2行未采用" in row.reason) == ("no_data", True)


def test_the_same_thing_said_twice_counts_once() -> None:
    rows = [InputRow("figures.csv", line, "figure", indicator_id="T02", area_code="610900",
                     period="2020-06", value=D(line)) for line in (2, 3)]  # fmt: skip
    found = accepted(rows, judging.known())
    assert [row.line for row in found.rows] == [2]
    assert "与第2行重复" in found.refused[0].problem


# --- files ----------------------------------------------------------------------------------------


def test_files_are_read_with_chinese_headings_as_excel_saves_them(tmp_path: Path) -> None:
    text = (
        "指标编号,地区代码,报告期,数值,单位,来源,录入岗位,录入日期\n"
        'T02,610900,2020-06,"3,500",户,市场监管局,统计岗,2020/7/5\n'
        "T02,610900,2020年6月,3,万户,市场监管局,统计岗,\n"
        "T02,610900,2020-07,多,万户,市场监管局,统计岗,\n"
        "T02,610900,2020-08,3,万户,,统计岗,\n"
    )
    (tmp_path / "figures.csv").write_bytes(text.encode("gb18030"))
    first, *others = read_inputs(tmp_path)
    assert (first.value, first.line, str(first.entered_on), first.problem) == (
        D(3500), 2, "2020-07-05", "")  # fmt: skip
    problems = [row.problem for row in others]
    assert "报告期应写成 2020-06" in problems[0]
    assert "应为数字" in problems[1]
    assert "“来源”未填" in problems[2]


def test_a_file_nobody_knows_and_a_missing_column_are_said(tmp_path: Path) -> None:
    (tmp_path / "figure.csv").write_text("x\n", "utf-8")
    (tmp_path / "quotas.csv").write_text("目标编号,数值\nAK23-A-01,5\n", "utf-8")
    problems = " ".join(row.problem for row in read_inputs(tmp_path))
    assert "不认识的补录文件" in problems
    assert "表头缺少列：指标编号" in problems
    assert read_inputs(tmp_path / "nothing") == []


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.file)
def test_templates_are_read_back_without_a_problem(one: Any, tmp_path: Path) -> None:
    (tmp_path / one.file).write_text(template(one), "utf-8")
    assert read_inputs(tmp_path) == []


def test_the_ledger_keeps_every_finding_in_order(tmp_path: Path) -> None:
    from datetime import date

    ledger = tmp_path / "state.sqlite"
    assert ticks.recorded(ledger) == []
    for answer in ("是", "否"):
        ticks.record(
            ledger, ticks.Tick("SN18-3.18-01", answer, date(2020, 3, 5), "文号", "岗", "t")
        )
    assert [(row.line, row.text, row.source) for row in ticks.recorded(ledger)] == [
        (1, "是", "文号"), (2, "否", "文号")]  # fmt: skip
