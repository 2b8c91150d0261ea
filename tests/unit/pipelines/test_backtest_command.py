"""The panel of a CSV file, the table in words, the chart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer

from methods.backtest import backtest
from pipelines.backtest_chart import write_chart
from pipelines.cli import backtest_nowcast as command
from pipelines.panels import PanelError, read_panel
from tests.support.panels import made_up, write_csv


@pytest.mark.parametrize("cumulative", [False, True])
@pytest.mark.parametrize("january", [True, False])
def test_single_months_and_cumulative_values_give_the_same_panel(
    tmp_path: Path, cumulative: bool, january: bool
) -> None:
    found = read_panel(write_csv(tmp_path / "p.csv", cumulative=cumulative, january=january))
    vintages, _, note = command.vintages_of_panel(found, None)
    assert note == ("累计数" if cumulative else "当月数累加")
    base = made_up(units=24, years=6).first
    np.testing.assert_allclose(vintages.first.ytd[:, 1:], base.ytd[:, 1:], rtol=1e-6)
    assert vintages.first.classes == base.classes


@pytest.mark.parametrize(
    "text",
    [
        "2012-04",
        "2012-04-30",
        "201204",
        "2012年04月",
        "2012 Apr",
        "2012年4月",
        "2012/4/1",
        "2012M4",
        "Apr 2012",
    ],
)
def test_periods_are_read_however_written(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f"unit,period,value\na,{text},1\n", encoding="utf-8")
    assert read_panel(path).periods == ("2012-04",)


def test_a_panel_in_gb18030_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes("单位,时间,value\n月河,2012年4月,1\n".encode("gb18030"))
    assert read_panel(path).units == ("月河",)


def test_two_figures_for_one_month_are_refused_and_the_same_twice_is_not(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("unit,period,value\na,2012-04,1\na,2012-04,1\n", encoding="utf-8")
    assert read_panel(path).values.tolist() == [[1.0]]
    path.write_text("unit,period,value\na,2012-04,1\na,2012-04,2\n", encoding="utf-8")
    with pytest.raises(PanelError, match="a 2012-04 有两个不同的数"):
        read_panel(path)


def test_a_second_column_of_figures_names_no_unit(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("date,value,yoy\n2012-04,1,20.5\n2012-05,2,18.1\n", encoding="utf-8")
    with pytest.raises(PanelError, match="列 yoy 也是数值"):
        read_panel(path)


def test_a_panel_without_periods_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("unit,value\na,1\n", encoding="utf-8")
    with pytest.raises(PanelError, match="没有报告期列"):
        read_panel(path)


def test_the_command_prints_coverage_error_skill_and_reliability(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_csv(tmp_path / "p.csv")
    command.run(path, None, (), False, plot=tmp_path / "p.svg")
    told = capsys.readouterr().out
    for word in ("区间覆盖率", "序时法", "同比法", "Brier", "可靠性", "校准误差"):
        assert word in told
    assert "检验年度 2013—2015" in told
    assert (tmp_path / "p.svg").read_text(encoding="utf-8").startswith("<svg")
    command.run(path, None, (), True)
    (figures,) = json.loads(capsys.readouterr().out)
    assert figures["years"] == [2013, 2014, 2015]
    assert {month["month"] for month in figures["by_month"]} == set(range(2, 12))


def test_too_short_a_panel_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.csv"
    path.write_text("unit,period,value\na,2012-04,1\n", encoding="utf-8")
    with pytest.raises(typer.Exit):
        command.run(path, None, (), False)
    assert "不能检验" in capsys.readouterr().out


def test_the_chart_is_refused_in_an_unknown_format(tmp_path: Path) -> None:
    result = backtest(made_up(units=12, years=6))
    with pytest.raises(ValueError, match="svg"):
        write_chart(tmp_path / "p.gif", "x", result)
    write_chart(tmp_path / "p.png", "x", result)
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"


def test_the_risk_record_is_told_in_words_and_as_json(tmp_path, capsys):
    from pipelines.cli import backtest_risk

    base = made_up(units=30, years=9).first
    flow = np.diff(base.ytd, axis=1, prepend=0.0)
    lines = ["unit,class,period,value"] + [
        f"{key},{base.classes[base.codes[u]]},{year}-{m + 1:02d},{flow[y, m, u]:.6f}"
        for u, key in enumerate(base.keys)
        for y, year in enumerate(base.years)
        for m in range(12)
    ]
    panel = tmp_path / "p.csv"
    panel.write_text("\n".join(lines), encoding="utf-8")
    backtest_risk.run(panel, None, (), False, plot=tmp_path / "r.svg")
    told = capsys.readouterr().out
    assert "每组概率之和与名额相等" in told and "9 月" in told
    assert (tmp_path / "r.svg").read_text(encoding="utf-8").startswith("<svg")
    backtest_risk.run(panel, None, (), True)
    (record,) = json.loads(capsys.readouterr().out)
    assert [skill["month"] for skill in record["skills"]] == [3, 6, 9]
    short = tmp_path / "s.csv"
    short.write_text("\n".join(lines[:1] + [x for x in lines if ",2010-" in x]), encoding="utf-8")
    with pytest.raises(typer.Exit):
        backtest_risk.run(short, None, (), False)
