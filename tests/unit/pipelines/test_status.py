"""The reporting board of ``parkwatch status``: who is late, which periods there are."""

from datetime import date, datetime

import pytest
import typer

from pipelines.cli import status
from warehouse.filing_ledger import FilingLedger


def came(sha256, status_, received, version_no):
    return {"submission_id": sha256, "file_name": f"{sha256}.xlsx", "source_id": "s",
            "reporter": "r1", "period": "2020-06", "received_at": received,
            "version_no": version_no, "status": status_, "reason": None, "n_findings": 0}  # fmt: skip


@pytest.fixture
def ledger(tmp_path):
    ledger = FilingLedger(tmp_path / "state.sqlite")
    ledger.replace_expected({"2020-06": [("r1", "甲县", "2020-07-10")]})
    return ledger


@pytest.mark.parametrize(
    ("first", "standing"),
    [
        (datetime(2020, 7, 10, 15, 59), "已报"),  # 23:59 in Beijing
        (datetime(2020, 7, 10, 16, 1), "迟报"),
    ],
)
def test_a_correction_after_the_deadline_makes_nobody_late(ledger, first, standing):
    ledger.replace_outcomes(
        [came("a", "superseded", first, 1), came("b", "accepted", datetime(2020, 7, 20), 2)]
    )
    [row] = status.board_rows(ledger, "2020-06", date(2020, 7, 21))
    assert (row["version_no"], row["standing"]) == (2, standing)


def test_a_period_nobody_is_expected_for_yet_is_said_and_no_period_is_refused(ledger, capsys):
    status._known("2020-07", ledger)
    assert "报告期 2020-07 尚无应报名单(已有 2020-06 至 2020-06)" in capsys.readouterr().err
    with pytest.raises(typer.Exit):
        status._known("2020-13", ledger)
    assert "读到 2020-13" in capsys.readouterr().err
    status._known("2020-06", ledger)
    assert capsys.readouterr().err == ""
