"""Commands of the documentation that no other test runs, run as they stand there."""

from __future__ import annotations

from datetime import datetime

import pytest

from pipelines.serve import users
from tests.support.bureau import Office, county_form
from tests.support.panels import write_csv
from tests.support.workspaces import parkwatch
from warehouse.closings import Closings


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """A tiny bureau with one published period and its bulletin in draft."""
    made = Office(tmp_path_factory.mktemp("documented") / "w")
    for county, name in (("hanbin", "汉滨区"), ("hanyin", "汉阴县"), ("shiquan", "石泉县")):
        data = county_form(county, "2020-06", 100)
        made.put(f"{name}2020年6月.xlsx", data, datetime(2020, 7, 8), county)
    made.run()
    return made


def said(office, *words, code=0):
    told = parkwatch(*words, "--home", office.home)
    assert told.returncode == code, told.stderr
    return told.stdout


def test_users_are_added_listed_shut_out_and_let_in_again(office):
    said(office, "user", "add", "zhang", "--name", "统计岗 甲", "--role", "operator", "--generate")
    first = users.load(office.home).users["zhang"].password
    assert "zhang" in said(office, "user", "list")
    said(office, "user", "password", "zhang", "--generate")
    assert users.load(office.home).users["zhang"].password != first
    said(office, "user", "disable", "zhang")
    assert users.load(office.home).active("zhang") is None
    said(office, "user", "enable", "zhang")
    assert users.load(office.home).active("zhang") is not None


def test_a_file_is_inspected_and_nothing_taken_in(office, tmp_path):
    file = tmp_path / "汉滨区2020年7月.xlsx"
    file.write_bytes(county_form("hanbin", "2020-07", 100))
    assert "园区月报" in said(office, "inspect", file)
    assert file.name not in office.statuses()


def test_a_period_is_made_again_and_its_bulletin_shown(office):
    told = said(office, "backfill", "--from", "2020-06", "--to", "2020-06")
    assert "2020-06" in told
    assert [row["period"] for row in Closings(office.home / "state.sqlite").builds()] == ["2020-06"]
    shown = said(office, "bulletin", "preview", "--period", "2020-06", "--print")
    assert ".html" in shown


def test_rules_are_tried_on_a_panel(office, tmp_path):
    panel = write_csv(tmp_path / "panel.csv")
    assert "找到率" in said(office, "backtest", "--quality", "--panel", panel)
