"""The composed document: its sections, claims, figures and what it says of missing data."""

import json
import random
import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from assets.bulletins.compose import compose
from assets.bulletins.data import (
    AreaRow,
    BulletinData,
    DataError,
    Indicator,
    ScoreRow,
    TriggerRow,
    VerdictRow,
    rows_of,
)
from assets.bulletins.model import (
    Bulletin,
    FigureSpan,
    Heading,
    Paragraph,
    Table,
    figure_spans,
    plain,
    to_json,
)
from tests.support.bulletin_fixture import bulletin_data

D = Decimal


@pytest.fixture(scope="module")
def bulletin() -> Bulletin:
    return compose(bulletin_data())


def prose(bulletin: Bulletin) -> str:
    """Everything but tables, one block a line."""
    return "\n".join(plain(b.spans) for b in bulletin.blocks() if not isinstance(b, Table))


def section(bulletin: Bulletin, start: str) -> str:
    """Prose from the level-1 heading starting with ``start`` to the next one."""
    lines: list[str] = []
    inside = False
    for block in bulletin.body:
        if isinstance(block, Heading) and block.level == 1:
            inside = plain(block.spans).startswith(start)
        if inside and not isinstance(block, Table):
            lines.append(plain(block.spans))
    return "\n".join(lines)


def cells(bulletin: Bulletin, table_id: str) -> list[list[str]]:
    table = bulletin.table(table_id)
    assert table is not None, table_id
    return [[plain(cell) for cell in row.cells] for row in table.rows]


def one_class(places: Iterable[tuple[str, str, int]], *, last: str = "", k: int = 2,
              n: int | None = None, **more: Any) -> tuple[ScoreRow, ...]:  # fmt: skip
    rows = [
        {"scheme_id": "key", "class_id": "A", "class_name": "", "park_id": park,
         "park_name": f"{park}园", "county_name": "某县", "city_name": "某市",
         "score": D(score), "rank": rank, "last_k": k, "in_last_k": park in last, **more}
        for park, score, rank in places
    ]  # fmt: skip
    return rows_of(ScoreRow, [{**row, "n": n or len(rows)} for row in rows])


def verdict(target_id: str) -> VerdictRow:
    return next(v for v in bulletin_data().verdicts if v.target_id == target_id)


def test_sections_stand_in_the_official_order(bulletin: Bulletin) -> None:
    heads = [plain(b.spans) for b in bulletin.body if isinstance(b, Heading) and b.level == 1]
    assert heads == [
        "一、总体情况", "二、主要目标进度", "三、园区排名情况",
        "四、预警与末位风险", "五、数据质量与报送", "六、下一步工作要求",
    ]  # fmt: skip
    assert [plain(annex.title) for annex in bulletin.annexes] == [
        "分地区主要指标情况", "分园区情况", "目标判定明细", "口径与计算说明",
        "末位风险调度参考",
    ]  # fmt: skip


def test_first_paragraph_makes_the_three_claims(bulletin: Bulletin) -> None:
    lead = bulletin.lead()
    assert lead is not None
    assert isinstance(bulletin.body[0], Paragraph)
    text = plain(lead.spans)
    assert "营业收入3431.18亿元，同比增长4.1%，增速比1—5月加快0.5个百分点" in text
    assert "全省目标可判定4项，低于时间进度2项" in text
    assert "8个园区处于末位区间（模拟名次，非正式考核结果）" in text
    assert "差距最大的是重点园区营业收入（低于时间进度15.6个百分点）" in text
    assert "列入预警8个，红灯为" in text
    assert "推算年末位于末位区间概率过半的8个" in text
    assert "3个园区未报（1—5月占全省营业收入1.3%），不计入合计" in text
    assert plain(bulletin.headline).startswith("1—6月营业收入同比增长4.1%")


def test_every_digit_is_a_figure_or_quoted_data(bulletin: Bulletin) -> None:
    """Names, dates, document numbers and table numbers are the only other digits."""
    allowed = re.compile(r"表\d+|〔\d+〕\d+号|\d+年(\d+—\d+月|\d+月\d+日(\d+时)?)|1—\d+月")
    for block in bulletin.blocks():
        groups = [block.spans] if not isinstance(block, Table) else [
            block.caption, *(cell for row in block.rows for cell in row.cells)]  # fmt: skip
        for spans in groups:
            loose = "".join(s.text for s in spans if getattr(s, "kind", "") == "text")
            rest = allowed.sub("", loose)
            rest = re.sub(r"指纹\w{16}", "", rest).replace("029-00000000", "")
            assert not re.search(r"\d", rest), loose


def test_every_span_prints_the_registered_text(bulletin: Bulletin) -> None:
    figures = {figure.figure_id: figure for figure in bulletin.figures}
    spans = list(figure_spans(bulletin))
    assert len(spans) > 300
    for span in spans:
        assert span.text == figures[span.figure_id].show(span.form, unit=span.unit)
    used = {span.figure_id for span in spans}
    inputs = {name for figure in bulletin.figures for name in figure.inputs}
    assert used | inputs == figures.keys()  # nothing unused is published


def test_every_figure_names_its_source(bulletin: Bulletin) -> None:
    from warehouse.schema import TABLES

    columns = {table.full_name: {c.name for c in table.columns} for table in TABLES}
    for figure in bulletin.figures:
        key = json.loads(figure.source_key)
        read = str(key.pop("column", "")).split(".")[0]
        known = columns[figure.source_table]
        asked = {"code", "delivered"} if figure.source_table == "observations.revision" else set()
        assert key.keys() <= known | asked, figure  # whose parks', and by which period's files
        assert read in known or figure.formula or figure.source_table == "bulletins.figure", figure
        assert figure.label
        assert figure.period == "2020-06"


def test_same_rows_in_any_order_give_the_same_document() -> None:
    data = bulletin_data()
    once = to_json(compose(data))
    mixed = {}
    generator = random.Random(7)
    names = ("areas", "verdicts", "scores", "triggers", "reporters", "schemes", "parks")
    for name in (*names, "unreported"):
        rows = list(getattr(data, name))
        generator.shuffle(rows)
        mixed[name] = tuple(rows)
    again = to_json(compose(replace(data, **mixed)))
    assert again == once
    assert json.loads(once)["meta"]["simulated"] is True


def test_ids_stay_when_values_change() -> None:
    data = bulletin_data()
    changed = tuple(
        replace(row, value=None if row.value is None else row.value + 1) for row in data.areas
    )
    before = compose(data)
    after = compose(replace(data, areas=changed))
    assert [f.figure_id for f in before.figures] == [f.figure_id for f in after.figures]
    assert before.figures != after.figures
    assert "202006-P-C04-total" in {f.figure_id for f in before.figures}


def test_missing_data_are_said_section_by_section() -> None:
    empty = compose(
        bulletin_data(
            areas=(),
            verdicts=(),
            scores=(),
            schemes=(),
            triggers=(),
            reporters=(),
            parks=(),
            unreported=(),
            overall=(),
            records=(),
            year_end=(),
            ways=(),
            gaps=(),
            revised=(),
        )
    )
    text = prose(empty)
    assert "营业收入数据暂缺，总量和增速不作判断" in text
    assert "总体情况暂缺" in section(empty, "一、")
    assert "本期没有登记在效的目标" in section(empty, "二、")
    assert "没有可用的考核得分，不作排名" in section(empty, "三、")
    assert "末位风险不作判断" in section(empty, "四、")
    assert "报送情况暂缺" in section(empty, "五、")
    assert [f.value for f in empty.figures if f.value == 0] == []
    assert [plain(annex.title) for annex in empty.annexes] == ["口径与计算说明"]


def test_what_a_bureau_does_not_keep_has_no_section() -> None:
    """A workspace without targets and schemes: two sections, then filing and requests."""
    issuer = replace(bulletin_data().issuer, unit_word="监测单位", park_word="各州")
    bulletin = compose(
        bulletin_data(
            verdicts=(), overall=(), records=(), year_end=(), scores=(), schemes=(), triggers=(), ways=(),
            topics=(), issuer=issuer,
        )
    )  # fmt: skip
    heads = [plain(b.spans) for b in bulletin.body if isinstance(b, Heading) and b.level == 1]
    assert heads == ["一、总体情况", "二、数据质量与报送", "三、下一步工作要求"]
    for word in ("目标", "名次", "末位", "园区"):
        names = [row.park_name for row in bulletin_data().parks]
        assert word not in prose(bulletin).replace(names[0], ""), word


def test_parks_are_spread_where_no_area_lies_between() -> None:
    data = bulletin_data()
    own = tuple(a for a in data.areas if a.scope_code == data.scope_code)
    text = section(compose(replace(data, areas=own)), "一、")
    assert re.search(r"分园区看，31个园区中\d+个营业收入同比增长，\d+个下降", text)
    assert "工业集中区同比数据暂缺" in text


def test_what_an_audience_may_not_see_is_not_called_missing() -> None:
    part = compose(
        bulletin_data(verdicts=(), scores=(), triggers=(), schemes=(),
                      withheld=("targets", "ranks"))
    )  # fmt: skip
    assert "按本件发送范围，不含目标进度" in section(part, "二、")
    assert "按本件发送范围，不含园区排名" in section(part, "三、")
    assert "按本件发送范围，不含末位风险名单" in section(part, "四、")
    assert "没有可用" not in prose(part)


def test_lead_indicator_without_a_value_is_never_zero() -> None:
    data = bulletin_data()
    areas = tuple(
        replace(a, value=None, yoy_pct=None, value_prior=None)
        if a.indicator_id == "C04" and a.scope_code == "610000"
        else a
        for a in data.areas
    )
    bulletin = compose(replace(data, areas=areas))
    assert "营业收入数据暂缺" in plain(bulletin.lead().spans)  # type: ignore[union-attr]
    row = next(r for r in cells(bulletin, "totals") if r[0] == "营业收入（亿元）")
    assert row[1:5] == ["—", "—", "—", "—"]


@pytest.mark.parametrize(
    ("prior", "yoy", "words"),
    [
        ("-1000", "50", "上年同期为-0.10亿元，扭亏为盈"),
        ("1000", "250", "由上年同期的0.10亿元增加到0.35亿元"),
        ("2000", "75", "同比增长75.0%"),
        ("3499", "0.04", "同比持平"),
    ],
)
def test_small_and_negative_base_print_amounts(prior: str, yoy: str, words: str) -> None:
    area = {"scope_code": "610000", "scope_name": "陕西省", "indicator_id": "C04",
            "value": D(3500), "value_prior": D(prior), "yoy_pct": D(yoy), "n_parks": 1,
            "n_reported": 1}  # fmt: skip
    bulletin = compose(bulletin_data(areas=rows_of(AreaRow, [area])))
    assert words in plain(bulletin.lead().spans)  # type: ignore[union-attr]


def test_small_base_gives_no_rate_in_the_tables() -> None:
    """250 % from almost nothing says nothing: the tables leave it out."""
    data = bulletin_data()
    first = data.parks[0]
    parks = tuple(
        replace(row, value_prior=D(1), yoy_pct=D(99999)) if row == first else row
        for row in data.parks
    )
    row = next(r for r in cells(compose(replace(data, parks=parks)), "parks")
               if r[0] == first.park_name)  # fmt: skip
    assert row[2] == "—"
    assert row[1] != "—"


def test_prior_year_over_other_parks_is_not_printed_beside_the_total() -> None:
    """A reader would divide the two; the growth itself rests on parks known in both years."""
    data = bulletin_data()
    areas = tuple(
        replace(a, value_prior=None, n_growth=90) if a.scope_code == "610000" else a
        for a in data.areas
    )
    bulletin = compose(replace(data, areas=areas))
    row = next(r for r in cells(bulletin, "totals") if r[0] == "营业收入（亿元）")
    assert (row[2], row[3]) == ("—", "4.1")
    assert "同比按两年都有数的园区计算" in prose(bulletin)


def test_what_growth_rests_on_is_said(bulletin: Bulletin) -> None:
    text = section(bulletin, "一、")
    assert "以报表所列同口径上年同期数为基数，报表未列的9个园区用上年同期报送数" in text
    assert "其余以上年同期报送数为基数，未作口径调整" in text
    assert "期末指标有3个园区本期未报，沿用本年最近一期数" in text
    assert "增速变动含范围变化" not in text  # as many parks as in the month before
    data = bulletin_data()
    areas = tuple(
        replace(a, previous_n_reported=100) if a.scope_code == "610000" else a for a in data.areas
    )
    assert "增速变动含范围变化" in prose(compose(replace(data, areas=areas)))


def test_parks_without_figures_are_named_and_not_counted_as_zero(bulletin: Bulletin) -> None:
    text = section(bulletin, "一、")
    assert "全省应报园区100个，已报97个，3个未报，分别为" in text
    assert "黄渠工业集中区" in text
    row = next(r for r in cells(bulletin, "parks") if r[0] == "黄渠工业集中区")
    assert row[1:] == ["—"] * 6


def test_an_area_with_missing_parks_is_only_for_reference() -> None:
    data = bulletin_data()
    areas = tuple(
        replace(a, yoy_pct=D("88.8")) if (a.scope_code, a.indicator_id) == ("610800", "C04") else a
        for a in data.areas
    )
    bulletin = compose(replace(data, areas=areas))
    assert "榆林市（报送不全，供参考）增速最高，为88.8%" in section(bulletin, "一、")
    assert "榆林市※" in [row[0] for row in cells(bulletin, "areas")]


def test_gap_that_prints_zero_still_agrees_with_its_verdict(bulletin: Bulletin) -> None:
    assert "完成50.0%，低于时间进度不足0.1个百分点" in section(bulletin, "二、")
    row = next(r for r in cells(bulletin, "targets") if r[1:2] == ["重点园区从业人员（万人）"])
    assert row[-1] == "低于进度"


def test_gap_is_what_a_reader_gets_by_subtracting_the_columns(bulletin: Bulletin) -> None:
    """The way covered from the base year, not the completion, is compared with the time."""
    row = next(r for r in cells(bulletin, "targets") if r[1:2] == ["重点园区营业收入（亿元）"])
    _, _, _, _, completion, done, time, gap, _, word = row
    assert (completion, done, time, gap, word) == ("22.9", "34.4", "50.0", "-15.6", "低于进度")
    figures = {f.figure_id: f for f in bulletin.figures}
    done_figure = figures["202006-T-SN18-1.2-09-done"]
    assert done_figure.inputs == (
        "202006-T-SN18-1.2-09-gap_pp",
        "202006-T-SN18-1.2-09-time_progress_pct",
    )
    assert done_figure.value == sum(figures[name].value or 0 for name in done_figure.inputs)


def test_a_target_that_is_met_has_no_gap_left(bulletin: Bulletin) -> None:
    row = next(r for r in cells(bulletin, "targets") if r[1:2] == ["标准化厂房面积（万平方米）"])
    assert row[4:] == ["130.2", "—", "62.5", "—", "—", "已达到"]


def test_incomparable_targets_stand_last_with_their_reason(bulletin: Bulletin) -> None:
    rows = cells(bulletin, "targets")
    heads = [i for i, row in enumerate(rows) if len(row) == 1]
    own = rows[heads[0] + 1 : heads[1]]
    assert own[-1][-1] == "口径不符"
    assert own[-1][3:8] == ["—", "—", "—", "—", "—"]
    assert "园区只有工业总产值，不得用来比对增加值目标" in section(bulletin, "二、")


def test_own_documents_stand_first_then_those_of_areas_below(bulletin: Bulletin) -> None:
    heads = [row[0] for row in cells(bulletin, "targets") if len(row) == 1]
    assert heads == ["陕政办发〔2018〕20号（陕西省）", "安政办发〔2018〕72号（安康市）"]
    text = section(bulletin, "二、")
    assert "全省目标（陕政办发〔2018〕20号）可判定4项，低于进度2项：重点园区营业收入" in text
    assert "下级文件中，安康市目标（安政办发〔2018〕72号）可判定2项，低于进度2项" in text


def test_a_clause_that_only_restates_another_is_not_counted(bulletin: Bulletin) -> None:
    assert "示范工业集中区数" not in to_json(bulletin)


def test_clauses_judged_park_by_park_are_counted_and_the_worst_named(bulletin: Bulletin) -> None:
    rows = [row for row in cells(bulletin, "each") if len(row) > 1]
    judged = [v for v in bulletin_data().verdicts if v.each]
    behind = sorted((v for v in judged if v.verdict == "far_behind"), key=lambda v: v.gap_pp or 0)
    assert rows[0][1:6] == [
        "规模以上企业数不低于10户", str(len(judged)), str(len(judged) - len(behind)),
        str(len(behind)), "0",
    ]  # fmt: skip
    assert rows[0][6].startswith(f"{behind[0].member}（")
    listed = [row[0] for row in cells(bulletin, "each_behind") if len(row) > 1]
    assert sorted(listed) == sorted(v.member for v in behind)


def test_targets_not_judged_are_counted_by_kind_and_those_not_applicable_left_out() -> None:
    base = verdict("SN18-1.2-07")
    kinds = ("no_data", "no_data", "expired", "manual", "out_of_scope")
    rows = tuple(
        replace(base, target_id=f"X-{i}", title=f"条款{'甲乙丙丁戊'[i]}", verdict=kind)  # type: ignore[arg-type]
        for i, kind in enumerate(kinds)
    )
    bulletin = compose(bulletin_data(verdicts=rows))
    text = section(bulletin, "二、")
    assert "本期在效的政策条款4项" in text
    assert "本期均未判定，其中数据不足2项、期限已过1项、人工认定1项，条款见附件" in text
    assert "可判定" not in text
    assert "4项政策条款本期均未判定" in plain(bulletin.lead().spans)  # type: ignore[union-attr]
    assert bulletin.table("targets") is None
    listed = [row for row in cells(bulletin, "unjudged") if len(row) > 1]
    assert listed[0] == ["数据不足", "一（二）② 条款甲；一（二）② 条款乙"]


def test_growth_target_is_compared_with_the_target_itself() -> None:
    growth = replace(
        verdict("SN18-1.2-09"), title="营业收入增速", unit="%", target_value=D(15),
        actual=D("11.8"), verdict="behind", completion_pct=None, time_progress_pct=None,
        gap_pp=D("-3.2"),
    )  # fmt: skip
    bulletin = compose(bulletin_data(verdicts=(growth,)))
    assert "目标不低于15%，实绩11.8%，低于目标3.2个百分点" in section(bulletin, "二、")
    assert cells(bulletin, "targets")[1][-1] == "低于目标"


def test_only_the_largest_shortfalls_are_told_in_words() -> None:
    base = verdict("SN18-1.2-09")
    rows = tuple(
        replace(base, target_id=f"X-{i}", title=f"目标{'甲乙丙丁戊己'[i]}", gap_pp=D(-i - 1))
        for i in range(6)
    )
    text = section(compose(bulletin_data(verdicts=rows)), "二、")
    assert "低于进度6项，差距居前的：目标己" in text
    assert "目标乙" in text
    assert "目标甲目标" not in text


def test_an_average_of_things_that_are_counted_keeps_a_decimal() -> None:
    row = replace(verdict("SN18-1.2-10"), unit="户", actual=D("21.82"))
    bulletin = compose(bulletin_data(verdicts=(row,)))
    assert cells(bulletin, "targets")[1][3] == "21.8"


def test_seasonal_pace_is_printed_beside_the_official_one_when_there_is_one() -> None:
    data = bulletin_data()
    verdicts = tuple(
        replace(v, seasonal_progress_pct=D("44.25")) if v.target_id == "SN18-1.2-09" else v
        for v in data.verdicts
    )
    table = compose(replace(data, verdicts=verdicts)).table("targets")
    assert table is not None
    heads = [plain(column.spans) for column in table.columns]
    assert heads[heads.index("时间") + 1] == "季节"
    assert any(plain(row.cells[7]) == "44.3" for row in table.rows if not row.group)


def test_all_parks_tied_at_the_border_are_listed() -> None:
    places = [("A", "90", 1), ("B", "80", 2), ("C", "70", 3), ("D", "70", 3), ("E", "60", 5)]
    scores = one_class(places, last="CDE")
    bulletin = compose(bulletin_data(scores=scores, triggers=()))
    assert [row[1] for row in cells(bulletin, "watch") if len(row) > 1] == ["C园", "D园", "E园"]
    assert "3个园区处于末位区间" in plain(bulletin.lead().spans)  # type: ignore[union-attr]
    assert "末位区间首位与其上一位的得分差：重点园区10.00分" in section(bulletin, "四、")


def test_the_assessment_says_who_is_among_the_last() -> None:
    """A tie rule may spare parks with the border's score: the bulletin does not judge again."""
    places = [("A", "90", 1), ("B", "80", 2), ("C", "70", 3), ("D", "70", 3)]
    bulletin = compose(bulletin_data(scores=one_class(places, last="D", k=1), triggers=()))
    assert [row[1] for row in cells(bulletin, "watch") if len(row) > 1] == ["D园"]


def test_parks_tied_for_the_best_score_are_all_named() -> None:
    places = [("A", "90", 1), ("B", "90", 1), ("C", "70", 3), ("D", "60", 4)]
    bulletin = compose(bulletin_data(scores=one_class(places, last="D", k=1), triggers=()))
    rows = [row[:2] for row in cells(bulletin, "ranks") if len(row) > 1]
    assert rows[:2] == [["1", "A园"], ["1", "B园"]]


def test_own_parks_of_a_class_are_not_ranked_among_themselves() -> None:
    """A city sees its 2 parks of a class of 40: neither is last because it is last of two."""
    places = [("甲", "90", 7), ("乙", "80", 21)]
    bulletin = compose(bulletin_data(scores=one_class(places, n=40), triggers=()))
    assert "全组参与排名40个，其中本地区2个" in cells(bulletin, "ranks")[0][0]
    assert "没有园区处于末位区间" in section(bulletin, "四、")
    assert bulletin.table("watch") is None
    assert [row[0] for row in cells(bulletin, "ranks") if len(row) > 1] == ["7", "21"]


def test_unranked_and_incomplete_parks_are_marked(bulletin: Bulletin) -> None:
    assert "黄渠工业集中区（本期未报）" in section(bulletin, "三、")
    assert "标※的园区缺少同组其他园区有的计分指标，名次供参考" in section(bulletin, "三、")
    assert any(row[1] == "卯关工业集中区※" for row in cells(bulletin, "ranks") if len(row) > 1)


def test_scheme_without_elimination_has_no_last_parks() -> None:
    places = [("甲", "90", 1), ("乙", "80", 2)]
    rows = tuple(replace(row, last_k=None) for row in one_class(places))
    bulletin = compose(bulletin_data(scores=rows, triggers=()))
    assert "没有园区处于末位区间" in section(bulletin, "四、")


def test_simulated_ranks_are_never_called_results(bulletin: Bulletin) -> None:
    for part in ("三、", "四、"):
        assert "模拟名次，非正式考核结果" in section(bulletin, part)
    official = tuple(replace(row, official=True) for row in bulletin_data().scores)
    text = prose(compose(bulletin_data(scores=official, ways=())))
    assert "非正式考核结果" not in text
    assert "模拟名次" not in text


def test_shipped_parameters_are_called_suggestions(bulletin: Bulletin) -> None:
    assert "建议值，非官方" in section(bulletin, "三、")
    assert "方案参数为建议值，非官方" in section(bulletin, "四、")


def test_a_chance_is_never_printed_as_certain(bulletin: Bulletin) -> None:
    chances = [f for f in bulletin.figures if f.chance]
    assert {f.text for f in chances} >= {"低于2", "高于98", "62", "74"}
    assert not {f.text for f in chances} & {"0", "1", "99", "100"}
    assert "重点园区营业收入（陕政办发〔2018〕20号）为低于2%" in section(bulletin, "二、")


def test_chances_come_with_the_record_of_such_statements(bulletin: Bulletin) -> None:
    text = section(bulletin, "二、")
    assert "近3年同月份共作285次全年推算，实际数落在八成推算区间内的占81.4%" in text
    assert "平均误差2.7%（按上年同比外推为4.1%）" in text
    assert [row[0] for row in cells(bulletin, "record")] == ["营业收入", "工业总产值"]
    unchecked = compose(bulletin_data(records=()))
    assert "没有可供检验的以往推算，概率仅供参考" in section(unchecked, "二、")
    assert unchecked.table("record") is None


def test_without_any_chance_the_bulletin_says_it_judges_by_pace() -> None:
    bare = tuple(replace(v, probability=None) for v in bulletin_data().verdicts)
    bulletin = compose(bulletin_data(verdicts=bare))
    assert "没有可用的达标概率，判断依据进度" in section(bulletin, "二、")
    table = bulletin.table("targets")
    assert table is not None
    assert "概率" not in [plain(column.spans) for column in table.columns]


def test_the_chance_of_being_on_the_way_is_marked_and_never_told_as_one_of_meeting() -> None:
    known = bulletin_data().verdicts
    later = tuple(
        replace(v, probability=None, path_probability=Decimal("0.31")) if v.park_id is None else v
        for v in known
    )
    bulletin = compose(bulletin_data(verdicts=later))
    table = bulletin.table("targets")
    assert table is not None
    place = [plain(column.spans) for column in table.columns].index("概率")
    rows = [row for row in cells(bulletin, "targets") if len(row) > 1]
    assert {row[place] for row in rows} == {"31△"}
    text = section(bulletin, "二、")
    assert "标△的条款本年以后到期" in text
    assert "从年末达标的概率看" not in text
    one = next(v for v in known if v.park_id is None and v.verdict == "behind")
    few = tuple(
        v if v.target_id == one.target_id else replace(v, path_probability=None) for v in later
    )
    bulletin = compose(bulletin_data(verdicts=few))
    table = bulletin.table("targets")
    assert table is not None
    assert "概率" not in [plain(column.spans) for column in table.columns]
    text = section(bulletin, "二、")
    assert re.search(r"年末达到路径应达数的概率（不是到期达标的概率）：\S+31%", text), text


def test_a_chance_of_the_last_places_that_is_not_printed_says_why() -> None:
    known = bulletin_data()
    schemes = tuple(replace(scheme, least_calibrated=Decimal(50)) for scheme in known.schemes)
    listed = next(s for s in known.scores if s.in_last_k)
    some = tuple(
        replace(s, p_last_k=None, calibrated_pct=Decimal("12.5")) if s == listed else s
        for s in known.scores
    )
    text = section(compose(bulletin_data(scores=some, schemes=schemes)), "四、")
    assert "末位概率为“—”的，有往年误差记录的指标不足计分权重的50%" in text
    assert "占计分权重75%以上" in text  # of the chances that are printed
    none = tuple(replace(s, p_last_k=None, calibrated_pct=Decimal("12.5")) for s in known.scores)
    text = section(compose(bulletin_data(scores=none, schemes=schemes)), "四、")
    assert "不足计分权重的50%，本期不列末位概率，灯色按当前名次" in text
    assert "概率过半" not in text


def test_the_overall_light_is_the_strictest_clause_and_ours(bulletin: Bulletin) -> None:
    text = section(bulletin, "二、")
    assert "全省5个事项有目标，已判定4个，总灯为红灯1个、黄灯1个、绿灯2个" in text
    assert "取硬性目标中最严的一条（取法为建议值，非官方）" in text
    assert "2个事项涉及已登记的文件间矛盾" in text


def test_warnings_are_compared_with_the_period_before(bulletin: Bulletin) -> None:
    text = section(bulletin, "四、")
    found = re.search(r"与上期相比，新增(\d)个（(.*?)），持续(\d)个，解除(\d)个（(.*?)）", text)
    assert found, text
    by_change = {s.park_name: s.change for s in bulletin_data().scores if s.change}
    assert {by_change[name] for name in found[2].split("等")[0].split("、")} == {"new"}
    assert {by_change[name] for name in found[5].split("等")[0].split("、")} == {"resolved"}
    words = {row[8] for row in cells(bulletin, "watch") if len(row) > 1}
    assert words == {"新增", "持续"}


def test_the_year_s_end_is_told_as_a_range_with_what_it_rests_on(bulletin: Bulletin) -> None:
    text = section(bulletin, "一、")
    assert "全年营业收入在7103.46至7522.23亿元之间（八成区间），中位数7311.12亿元" in text
    assert "为97个园区合计" in text
    assert [row[0] for row in cells(bulletin, "year_end") if len(row) > 1][:3] == [
        "至二月", "至五月", "至六月",
    ]  # fmt: skip
    unsure = replace(bulletin_data().year_end[0], calibrated=False)
    assert "未经检验" in section(compose(bulletin_data(year_end=(unsure,))), "一、")


def test_ranks_that_cannot_be_told_apart_are_marked(bulletin: Bulletin) -> None:
    rows = [row for row in cells(bulletin, "watch") if len(row) > 1]
    marked = {row[1].rstrip("※") for row in rows if row[6].endswith("≈")}
    close = {s.park_name for s in bulletin_data().scores if s.in_last_k and s.not_distinguishable}
    assert marked == close
    assert "名次先后不足以区分" in section(bulletin, "四、")


def test_ways_out_stand_in_an_annex_that_stays_with_those_who_assess(bulletin: Bulletin) -> None:
    annex = bulletin.annexes[-1]
    text = "".join(plain(b.spans) for b in annex.blocks if not isinstance(b, Table))
    assert "仅限考核调度岗位使用，不下发报送单位" in text
    rows = cells(bulletin, "ways")
    ways = [row for row in rows if len(row) > 1]
    assert [row[0] for row in ways] == [
        "上缴税金",
        "营业收入",
        "综合能耗",
        "各项指标同时改善",
    ]  # the least unusual change first
    assert ways[0][1:] == ["增加0.05亿元", "3.8", "以往有过"]
    assert ways[2][1:] == ["减少812.00吨标准煤", "9.1", "以往很少达到"]
    assert any("均难以做到" in row[0] for row in rows if len(row) == 1)
    body = "".join(str(block) for block in bulletin.body)
    assert "比推算再" not in body


def test_without_a_right_to_ways_there_is_no_such_annex() -> None:
    bulletin = compose(bulletin_data(ways=()))
    assert bulletin.table("ways") is None
    assert "末位风险调度参考" not in [plain(annex.title) for annex in bulletin.annexes]


def test_missing_parks_are_told_with_their_share_and_effect(bulletin: Bulletin) -> None:
    text = section(bulletin, "五、")
    assert "3个园区本期没有数据，按1—5月占全省营业收入1.3%" in text
    assert "没有数据的不计入合计" in text
    rows = cells(bulletin, "gaps")
    assert rows[0] == ["黄渠工业集中区", "吴堡县工信局", "未报", "0.9", "不沿用"]
    assert rows[-1][3] == "—"  # never reported: no share, not zero


def test_corrections_after_the_first_return_are_counted(bulletin: Bulletin) -> None:
    text = section(bulletin, "五、")
    assert "对本期7个数作了更正" in text
    assert "修订了以前报告期的4个数（2020年1—5月）" in text


def test_triggers_are_told_once_beside_rank_and_streak() -> None:
    data = bulletin_data()
    park = data.triggers[0].park_id
    same = [
        {"scheme_id": "key", "park_id": park, "trigger_id": name, "label": "连续两期下降",
         "shown_elsewhere": name == "c"} for name in ("a", "b", "c")
    ]  # fmt: skip
    bulletin = compose(replace(data, triggers=rows_of(TriggerRow, same)))
    texts = [row[-1] for row in cells(bulletin, "watch") if len(row) > 1]
    assert texts.count("连续两期下降") == 1
    assert set(texts) == {"连续两期下降", "无"}


def test_a_park_may_be_alerted_without_being_among_the_last() -> None:
    places = [("A", "90", 1), ("B", "80", 2), ("C", "70", 3)]
    alert = rows_of(TriggerRow, [{"scheme_id": "key", "park_id": "B", "trigger_id": "W3",
                                  "label": "连续两期红灯"}])  # fmt: skip
    data = bulletin_data(scores=one_class(places, last="C", k=1), triggers=alert)
    text = section(compose(data), "四、")
    assert "2个园区列入预警名单" in text
    assert "1个已处于末位区间（1个组设有末位名额），1个名次在末位区间以上" in text
    rows = [row for row in cells(compose(data), "watch") if len(row) > 1]
    assert [(row[1], row[3], row[-1]) for row in rows] == [
        ("B园", "2", "连续两期红灯"), ("C园", "3", "无"),
    ]  # fmt: skip


def test_every_park_s_ranks_stand_in_the_annex(bulletin: Bulletin) -> None:
    rows = {row[0]: row for row in cells(bulletin, "parks") if len(row) > 1}
    score = next(s for s in bulletin_data().scores if s.scheme_id == "key" and s.rank == 1)
    assert rows[score.park_name][5] == f"{score.class_name}1/{score.n}"  # the larger scheme first


def test_reporters_are_listed_gravest_first_and_counted(bulletin: Bulletin) -> None:
    rows = cells(bulletin, "reporters")
    assert [row[1] for row in rows[:4]] == ["未报", "迟报", "迟报", "迟报"]
    assert rows[0][:3] == ["吴堡县工信局", "未报", "0/3"]
    text = section(bulletin, "五、")
    assert "应报单位32个，按时报送28个，迟报3个，未报1个" in text
    assert "未报单位为吴堡县工信局" in text
    assert "退回3件" in text


def test_nobody_is_told_what_value_would_be_enough(bulletin: Bulletin) -> None:
    assert not re.search(r"应为\d|至少.{0,4}报|还差\d", prose(bulletin))


def test_requests_name_units_and_deadline(bulletin: Bulletin) -> None:
    text = section(bulletin, "六、")
    assert "请吴堡县工信局尽快补报" in text
    assert "2020年8月5日前" in text
    assert "任何单位不得代为修改" in text


def test_correction_says_so_in_title_and_text() -> None:
    bulletin = compose(bulletin_data(edition=2, replaces=1, correction_reason="某县补报"))
    assert bulletin.title_text.endswith("的通报（更正）")
    assert "更正原因：某县补报" in prose(bulletin)
    assert bulletin.file_stem == "模拟数据_园区通报2020-06更正2"


def test_correction_lists_what_it_prints_differently() -> None:
    first = compose(bulletin_data())
    former = {figure.figure_id: figure.text for figure in first.figures}
    same = compose(bulletin_data(edition=2, replaces=1, former=former))
    assert "各项数字没有变动" in prose(same) and same.table("changes") is None
    former["202006-P-C04-total"] = "1.23"
    changed = compose(bulletin_data(edition=2, replaces=1, former=former))
    assert "1个数字有变动" in prose(changed)
    table = changed.table("changes")
    assert table is not None and [plain(cell) for cell in table.rows[0].cells][1] == "1.23亿元"


def test_real_data_bear_no_simulation_mark() -> None:
    bulletin = compose(bulletin_data(simulated=False))
    assert "模拟数据" not in to_json(bulletin)
    assert bulletin.file_stem == "园区监测通报2020-06"


def test_regions_falling_are_all_listed_from_the_steepest(bulletin: Bulletin) -> None:
    text = section(bulletin, "一、")
    assert "10个地区中8个营业收入同比增长，2个下降" in text
    assert "同比下降的为商洛市（-2.2%）、宝鸡市（-2.1%）" in text


def test_a_general_fall_is_said_as_one() -> None:
    data = bulletin_data()
    areas = tuple(
        replace(a, yoy_pct=D(-int(a.scope_code[2:4]))) if a.scope_code != "610000" else a
        for a in data.areas
    )
    text = section(compose(replace(data, areas=areas)), "一、")
    assert "10个地区营业收入同比均下降，西安市降幅最小，为1.0%；商洛市降幅最大，为10.0%" in text


def test_growth_is_compared_as_printed(bulletin: Bulletin) -> None:
    """4.07 and 3.64 print 4.1 and 3.6: a reader's subtraction gives 0.5, not 0.4."""
    span = next(s for s in figure_spans(bulletin) if s.figure_id == "202006-P-C04-pace" and s.unit)
    assert span == FigureSpan("202006-P-C04-pace", "0.5个百分点", "magnitude", True)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"indicator_id": "C04", "name_zh": "营业收入", "kind": "flow"}, "第1行 unit"),
        (
            {"indicator_id": "C04", "name_zh": "营业收入", "unit": "万元", "kind": "odd"},
            "第1行 kind",
        ),
    ],
)
def test_wrong_rows_are_named(row: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        rows_of(Indicator, [row], "dims.indicator")


def test_rows_ignore_columns_they_do_not_need() -> None:
    row = {"indicator_id": "C04", "name_zh": "营业收入", "unit": "万元", "kind": "flow", "x": 1}
    assert rows_of(Indicator, [row])[0].decimals == 2


def test_input_that_cannot_be_a_bulletin_is_refused() -> None:
    with pytest.raises(DataError, match="时区"):
        bulletin_data(as_of=bulletin_data().as_of.replace(tzinfo=None))
    with pytest.raises(DataError, match="C99"):
        bulletin_data(lead_indicator_id="C99")


def test_a_workspace_can_bring_its_own_wording(tmp_path: Any) -> None:
    folder = tmp_path / "bulletin"
    folder.mkdir()
    (folder / "overview.md.j2").write_text("\n# 一、概况\n\n已报{{ fig(coverage.reported) }}个。\n")
    bulletin = compose(bulletin_data(), folders=[tmp_path])
    assert section(bulletin, "一、概况") == "一、概况\n已报97个。"


def test_input_type_is_complete() -> None:
    assert isinstance(bulletin_data(), BulletinData)
