"""Proof of a printed number: down to file, sheet and cell, or to what was counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.support.warehouse_cases import Case, CaseIndicator
from warehouse import store
from warehouse.explain import FULL_INPUTS, NotFoundError, Step, explain

JULY, AUGUST = datetime(2020, 7, 8), datetime(2020, 8, 20)
AREA = {"area_code": "610900", "scope": "all", "indicator_id": "C04", "asof_period": "2020-06"}


TOUCHED = ("bulletins.figure", "targets.verdict", "assessment.score", "assessment.score_detail",
           "assessment.watch", "assessment.risk", "indicators.nowcast", "quality.finding",
           "quality.rule_outcome", "indicators.track_record")  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Case:
    case = Case(
        tmp_path_factory.mktemp("proof"),
        [CaseIndicator("C04"), CaseIndicator("B03", over_time="last")],
    )
    case.parks(
        {"park_id": "P1", "name": "甲园", "county_code": "610902", "city_code": "610900"},
        {"park_id": "P2", "name": "乙园", "county_code": "610921", "city_code": "610900"},
        {"park_id": "P3", "name": "丙园", "county_code": "610921", "city_code": "610900"},
    )
    case.deliver(
        "s1", JULY, [("P1", "C04", "2020-06", "ytd", 100), ("P1", "B03", "2020-06", "stock", 9)]
    )
    case.deliver("s2", AUGUST, [("P2", "C04", "2020-06", "ytd", 50)], reporter="r2")
    case.build("2020-06")
    return case


@pytest.fixture
def case(made: Case) -> Iterator[Case]:
    """The same warehouse for every test, without what the test before added."""
    yield made
    with made.warehouse.building() as connection:
        for name in TOUCHED:
            connection.execute(f"DELETE FROM {name}")
        connection.execute("DELETE FROM submissions.submission WHERE status = 'rejected'")
        connection.execute("DELETE FROM indicators.park_year WHERE year = 2019")


def figure(
    name: str, value: int | None, table: str, key: dict[str, Any], **more: Any
) -> dict[str, Any]:
    return {
        "period": "2020-06", "audience_id": "a", "edition": 1, "figure_id": name, "label": f"数{name}",
        "value": None if value is None else Decimal(value), "unit": "亿元", "figure_period": "2020-06",
        "rounding": "half_up:2", "text": "—" if value is None else str(value),
        "source_table": table, "source_key": json.dumps(key), "formula": "", "inputs": [],
    } | more  # fmt: skip


def add(case: Case, table: str, *rows: dict[str, Any]) -> None:
    with case.warehouse.building() as connection:
        store.insert_rows(connection, table, rows)


def proof(case: Case, *words: str) -> Step:
    with case.warehouse.building() as connection:
        return explain(connection, list(words))


def texts(step: Step) -> list[str]:
    return [step.text, *(text for part in step.parts for text in texts(part))]


def test_a_total_ends_in_the_cells_of_its_parks(case: Case) -> None:
    add(
        case,
        "bulletins.figure",
        figure("T", 150, "indicators.area_year", AREA | {"column": "value"}),
    )
    step = proof(case, "T")
    assert step.text.startswith("数T:150亿元")
    cells = step.cells()
    assert len(cells) == 2
    assert "文件“s1.xlsx” 工作表“表1” C5 原文“100”" in cells[0]
    assert "文件“s2.xlsx”" in cells[1] and "填报单位 r2" in cells[1]


def test_one_id_in_several_bulletins_is_proved_of_the_widest_or_the_one_asked_for(
    case: Case,
) -> None:
    add(
        case, "bulletins.figure",
        figure("T", 100, "indicators.area_year", AREA, audience_id="a-city", label="市"),
        figure("T", 150, "indicators.area_year", AREA, audience_id="province", label="省"),
        figure("U", 1, "indicators.area_year", AREA, audience_id="province"),
    )  # fmt: skip
    assert proof(case, "T").text.startswith("省:150亿元")
    assert "另有 1 个受众的通报用同一编号印别的数,如 a-city/T" in proof(case, "T").text
    assert proof(case, "a-city/T").text.startswith("市:100亿元")
    with pytest.raises(NotFoundError, match="county/T"):
        proof(case, "county/T")


def test_a_computed_number_is_proved_by_its_inputs(case: Case) -> None:
    add(
        case, "bulletins.figure",
        figure("T", 150, "indicators.area_year", AREA),
        figure("P", 100, "indicators.park_year",
               {"park_id": "P1", "indicator_id": "C04", "asof_period": "2020-06", "column": "value"}),
        figure("D", 50, "indicators.area_year", AREA, formula="T - P", inputs=["T", "P"]),
    )  # fmt: skip
    step = proof(case, "D")
    assert "算法 T - P" in step.text
    assert [part.text for part in step.parts] == [
        "数T:150亿元",
        "数P:100亿元",
    ]  # in the formula's order
    assert len(step.cells()) == 3


def test_a_count_lists_what_was_counted_with_ids_to_ask_for(case: Case) -> None:
    names = [f"N{i}" for i in range(FULL_INPUTS + 1)]
    counted = [figure(name, i, "indicators.area_year", AREA) for i, name in enumerate(names)]
    counted[-1] |= {"value": None, "text": "—"}
    total = figure("C", 5, "targets.verdict", {}, formula="count(inputs)", inputs=names)
    add(case, "bulletins.figure", total, *counted)
    lines = [part.text for part in proof(case, "C").parts]
    assert lines[0] == "数N0:0亿元(来源:parkwatch explain a/N0)"
    assert lines[-1] == "数N4:—(来源:parkwatch explain a/N4)"  # no unit where there is no number
    assert len(lines) == FULL_INPUTS + 1


def test_inputs_come_from_the_same_edition(case: Case) -> None:
    old = figure("T", 1, "indicators.area_year", AREA, edition=1)
    new = figure("T", 2, "indicators.area_year", AREA, edition=2)
    both = [figure("D", 3, "x", {}, formula="T", inputs=["T"], edition=e) for e in (1, 2)]
    add(case, "bulletins.figure", old, new, *both)
    step = proof(case, "D")
    assert "第2版" in step.text
    assert [part.text for part in step.parts] == ["数T:2亿元"]


def test_parks_expected_and_reported_are_listed(case: Case) -> None:
    add(case, "bulletins.figure", figure("N", 3, "dims.region", {"code": "610921"}))
    (step,) = proof(case, "N").parts
    assert "应报 2 个,本期有数 1 个" in step.text
    assert [part.text for part in step.parts] == [
        "乙园(P2):本期观测值 1 个",
        "丙园(P3):本期观测值 0 个",
    ]


def verdict_row(park_id: str, verdict: str, figure_ids: list[str]) -> dict[str, Any]:
    return {
        "target_id": "X1", "scope_code": "610900", "park_id": park_id, "asof_period": "2020-06",
        "verdict": verdict, "light": "red", "reason": f"{park_id}理由", "figure_ids": figure_ids,
    }  # fmt: skip


def test_a_verdict_leads_to_the_figures_it_rests_on(case: Case) -> None:
    add(case, "targets.verdict", verdict_row("", "behind", ["610900/C04/all/2020-06"]),
        verdict_row("P1", "met", ["P1/B03/2020-06"]))  # fmt: skip
    key = {"target_id": "X1", "scope_code": "610900", "asof_period": "2020-06", "column": "actual"}
    add(case, "bulletins.figure", figure("A", 150, "targets.verdict", key | {"park_id": ""}),
        figure("B", 9, "targets.verdict", key | {"park_id": "P1"}),
        figure("C", 1, "targets.verdict", {"asof_period": "2020-06", "verdict": "met"}))  # fmt: skip
    assert len(proof(case, "A").cells()) == 2
    assert "原文“9”" in proof(case, "B").cells()[0]
    (step,) = proof(case, "C").parts
    assert "1 项条款,1 个判定" in step.text
    assert [part.text for part in step.parts] == ["X1 610900 P1:met,P1理由"]


SCORE = {"scheme_id": "s", "class_id": "k", "year": 2020, "asof_period": "2020-06", "n": 2,
         "official": False, "eligible": True}  # fmt: skip


def test_a_score_leads_through_its_points_and_a_missing_figure_is_said(case: Case) -> None:
    add(case, "assessment.score", SCORE | {"park_id": "P1", "score": Decimal("61.5"), "rank": 1})
    detail = {k: v for k, v in SCORE.items() if k not in ("n", "official", "eligible")}
    detail |= {"park_id": "P1", "measure": "value"}
    add(case, "assessment.score_detail",
        detail | {"indicator_id": "C04", "raw": Decimal(100), "weight": Decimal(50)},
        detail | {"indicator_id": "D02", "raw": None, "weight": Decimal(0)})  # fmt: skip
    key = {"scheme_id": "s", "class_id": "k", "asof_period": "2020-06", "park_id": "P1"}
    add(case, "bulletins.figure", figure("S", 61, "assessment.score", key | {"column": "score"}))
    step = proof(case, "S")
    assert "原文“100”" in step.cells()[0]
    assert "P1 D02 2020-06:没有数值" in texts(step)


def test_a_streak_shows_the_months_of_the_year(case: Case) -> None:
    add(case, "assessment.score", SCORE | {"park_id": "P1", "score": Decimal(50), "rank": 2})
    watch = {"scheme_id": "s", "class_id": "k", "year": 2020, "park_id": "P1", "light": "red"}
    add(case, "assessment.watch",
        *[watch | {"asof_period": f"2020-0{m}", "simulated_rank": 2, "streak": m - 3, "triggers": "末位"}
          for m in (4, 5, 6, 7)])  # fmt: skip
    key = {"scheme_id": "s", "class_id": "k", "asof_period": "2020-06", "park_id": "P1"}
    add(case, "bulletins.figure", figure("K", 3, "assessment.watch", key | {"column": "streak"}))
    (step,) = proof(case, "K").parts
    assert [part.text[:16] for part in step.parts[:3]] == [
        "2020-04:模拟名次 2,连", "2020-05:模拟名次 2,连", "2020-06:模拟名次 2,连",
    ]  # fmt: skip
    assert "得分 50" in step.parts[3].text


def test_the_size_of_a_class_lists_who_was_ranked_and_who_was_not(case: Case) -> None:
    add(case, "assessment.score",
        SCORE | {"park_id": "P1", "score": Decimal(50), "rank": 1},
        SCORE | {"park_id": "P2", "score": None, "rank": None, "eligible": False,
                 "exclusion_reason": "本期未报"})  # fmt: skip
    key = {"scheme_id": "s", "class_id": "k", "asof_period": "2020-06"}
    add(case, "bulletins.figure", figure("M", 1, "assessment.score", key, formula="count(rank)"))
    (step,) = proof(case, "M").parts
    assert "参与排名 1 个,未参与 1 个" in step.text
    assert step.parts[1].text == "k P2:— 分,本期未报"


def test_files_of_a_month_include_one_nobody_can_read(case: Case) -> None:
    broken = {"submission_id": "b", "file_name": "坏.xlsx", "reporter": "r1", "period": None,
              "received_at": datetime(2020, 7, 9), "status": "rejected", "n_findings": 1}  # fmt: skip
    add(case, "submissions.submission", broken)
    add(case, "bulletins.figure",
        figure("F", 3, "submissions.submission", {"period": "2020-06"}),
        figure("R", 2, "submissions.submission", {"period": "2020-06", "reporter": "r1"}))  # fmt: skip
    assert "3 个" in proof(case, "F").parts[0].text
    (mine,) = proof(case, "R").parts
    assert [part.text.split("(")[0] for part in mine.parts] == ["文件“s1.xlsx”", "文件“坏.xlsx”"]


def test_findings_are_those_that_still_stand(case: Case) -> None:
    row = {"rule_id": "R1", "severity": "error", "outcome": "fail", "file_name": "s1.xlsx",
           "reporter": "r1", "period": "2020-06", "message": "问题", "lifecycle": "new"}  # fmt: skip
    add(case, "quality.finding",
        row | {"finding_id": "f1"}, row | {"finding_id": "f2", "lifecycle": "resolved"},
        row | {"finding_id": "f3", "severity": "verify"},
        row | {"finding_id": "f4", "outcome": "pass"})  # fmt: skip
    key = {"period": "2020-06", "outcome": "fail", "severity": "error"}
    add(case, "bulletins.figure", figure("E", 1, "quality.finding", key))
    (step,) = proof(case, "E").parts
    assert "1 条" in step.text
    assert len(step.parts) == 1


def test_a_value_is_asked_for_by_park_indicator_and_period(case: Case) -> None:
    step = proof(case, "P1", "C04", "2020-06")
    assert "甲园(P1) C04 2020-06:累计 100" in step.text
    assert len(step.cells()) == 1


@pytest.mark.parametrize("words", [["nonsense"], ["P1", "C04", "2019-01"], ["P1", "C04"]])
def test_what_is_not_there_says_what_can_be_asked_for(case: Case, words: list[str]) -> None:
    with pytest.raises(NotFoundError, match=r"bulletins\.figure|dims\.park|parkwatch explain"):
        proof(case, *words)


def test_a_verdict_is_asked_for_by_target_area_or_park_and_period(case: Case) -> None:
    add(case, "targets.verdict", verdict_row("", "behind", ["610900/C04/all/2020-06"]),
        verdict_row("P1", "met", ["P1/B03/2020-06"]))  # fmt: skip
    assert len(proof(case, "X1", "610900", "2020-06").cells()) == 2
    (cell,) = proof(case, "X1", "P1", "2020-06").cells()
    assert "原文“9”" in cell
    with pytest.raises(NotFoundError, match=r"X1 在 2019-06 没有对 610900 的判定"):
        proof(case, "X1", "610900", "2019-06")


FORECAST = {"park_id": "P1", "indicator_id": "C04", "year": 2020, "asof_period": "2020-06",
            "point": Decimal(210), "p10": Decimal(190), "p90": Decimal(230), "method": "median3",
            "n_history": 3, "calibrated": True, "last_period": "2020-06"}  # fmt: skip


def test_a_forecast_rests_on_the_months_so_far_and_its_record(case: Case) -> None:
    add(case, "indicators.nowcast", FORECAST)
    step = proof(case, "nowcast", "P1", "C04", "2020-06")
    assert "210,80%区间 190 至 230" in step.text
    assert [cell.split("原文")[1][:5] for cell in step.cells()] == ["“100”"]
    assert step.parts[-1].text == "推算检验记录:C04 尚无往年记录"
    with pytest.raises(NotFoundError, match="没有 P2 C04 的全年推算"):
        proof(case, "nowcast", "P2", "C04", "2020-06")


def test_a_record_of_errors_rests_on_the_year_ends_it_met(case: Case) -> None:
    record = {"indicator_id": "C04", "year": 2020, "month": 6, "n_years": 1, "n_forecasts": 2,
              "mape": Decimal("2.7"), "covered_80": Decimal(50)}  # fmt: skip
    add(case, "indicators.track_record", record)
    end = {"indicator_id": "C04", "year": 2019, "asof_period": "2019-12", "basis": "final",
           "state": "reported", "n_months": 12, "completeness_pct": Decimal(100),
           "origin": "reported"}  # fmt: skip
    values = {"P1": Decimal(180), "P2": Decimal(90)}
    rows = [end | {"park_id": park, "value": value} for park, value in values.items()]
    add(case, "indicators.park_year", *rows)
    key = {"indicator_id": "C04", "year": "2020", "month": "6", "column": "mape"}
    add(case, "bulletins.figure", figure("R", 3, "indicators.track_record", key))
    (step,) = proof(case, "R").parts
    assert "推算 2 次(1 年)" in step.text and "平均误差 2.7%" in step.text
    first, second = step.parts
    assert "180" in first.text
    assert (second.text, second.asks) == ("年终实际 P2 2019-12 = 90", ("P2", "C04", "2019-12"))


def test_a_score_is_asked_for_by_scheme_park_and_period_and_ends_with_its_risk(case: Case) -> None:
    add(case, "indicators.nowcast", FORECAST)
    add(case, "assessment.score", SCORE | {"park_id": "P1", "score": Decimal(50), "rank": 2})
    detail = {k: v for k, v in SCORE.items() if k not in ("n", "official", "eligible")}
    add(case, "assessment.score_detail",
        *[detail | {"park_id": "P1", "measure": "value", "indicator_id": name, "raw": Decimal(9),
                    "weight": Decimal(50)} for name in ("C04", "B03")])  # fmt: skip
    risk = {k: v for k, v in SCORE.items() if k not in ("official", "eligible")}
    add(case, "assessment.risk",
        risk | {"park_id": "P1", "k": 1, "p_last_k": Decimal("0.31"), "p_exit": Decimal(0),
                "draws": 2000})  # fmt: skip
    last = proof(case, "s", "P1", "2020-06").parts[-1]
    assert "末 1 位(共 2 个)的概率 0.31" in last.text
    assert [part.text.split(" ")[0] for part in last.parts] == ["B03:没有全年推算", "全年推算"]
    assert texts(last) == texts(proof(case, "risk", "s", "P1", "2020-06"))
    with pytest.raises(NotFoundError, match="没有 s P2 的末位风险"):
        proof(case, "risk", "s", "P2", "2020-06")


def test_the_rules_behind_a_figure_are_those_that_name_it_or_its_file(case: Case) -> None:
    counts = {"period": "2020-06", "n_fail": 0, "n_not_evaluable": 0, "n_error": 0, "n_pass": 2}
    add(case, "quality.rule_outcome",
        counts | {"rule_id": "A1"}, counts | {"rule_id": "A2", "n_not_evaluable": 1},
        counts | {"rule_id": "A3", "n_pass": 0, "n_not_evaluable": 2},
        counts | {"rule_id": "A4"}, counts | {"rule_id": "A5", "n_fail": 1},
        counts | {"rule_id": "A1", "period": "2020-05"})  # fmt: skip
    with case.warehouse.building() as connection:
        ids = dict(connection.execute(
            "SELECT file_name, submission_id FROM submissions.submission").fetchall())  # fmt: skip
    mine = {"finding_id": "f", "rule_id": "A5", "severity": "verify", "outcome": "fail",
            "submission_id": ids["s1.xlsx"], "sheet": "表1", "address": "C5", "period": "2020-06",
            "message": "与上月相差较大", "lifecycle": "waived"}  # fmt: skip
    add(case, "quality.finding", mine,
        mine | {"finding_id": "g", "rule_id": "A1", "address": "C99"},
        mine | {"finding_id": "h", "rule_id": "A1", "lifecycle": "resolved"})  # fmt: skip
    rules = {
        "A1": frozenset({"C04"}), "A2": frozenset[str](), "A3": frozenset({"C04", "C01"}),
        "A4": frozenset({"B03"}), "A5": frozenset({"C04"}),
    }  # fmt: skip
    with case.warehouse.building() as connection:
        audit = explain(connection, ["P1", "C04", "2020-06"], rules).parts[-1]
    assert "1 个单元格(2020-06 至 2020-06)涉及的审核规则 4 条" in audit.text
    assert [part.text for part in audit.parts] == [
        "通过:A1", "通过(部分单位缺数,无法判断):A2", "各单位均无法判断:A3",
        "问题 A5(核实,已豁免):与上月相差较大",
    ]  # fmt: skip
