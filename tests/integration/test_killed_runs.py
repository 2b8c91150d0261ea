"""Runs killed with SIGKILL: a reader sees the old build or the new one; the same command mends it.

The long campaign (200 random moments, the sample province) is ``make torture``.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from assets.submissions.archive import deliver
from bench.torture.runs import Torture, launch
from tests.support.bureau import BEIJING, COUNTIES, county_form, make_home
from warehouse.faults import BOUNDARIES

JUNE = datetime(2020, 7, 8, 9, 30, tzinfo=BEIJING)


@pytest.fixture(scope="module")
def torture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("torture")
    home = make_home(folder / "start")
    for number, (reporter, name) in enumerate(COUNTIES.items()):
        data = county_form(reporter, "2020-06", 100 + number)
        deliver(home / "inbox" / reporter, f"{name}2020年6月.xlsx", data, JUNE, reporter)
    assert launch(home).wait() in (0, 3)
    later = county_form("hanbin", "2020-06", 170)
    deliver(
        home / "inbox" / "hanbin",
        "汉滨区2020年6月(更正).xlsx",
        later,
        JUNE + timedelta(days=3),
        "hanbin",
    )
    return Torture(folder, home)


@pytest.mark.parametrize("name", ["publish.kept", "publish.retired"])
def test_杀在命名的边界_或旧或新_重跑与不间断相同(torture, name):
    assert name in BOUNDARIES
    said = torture.at_boundary(name)
    assert said["reached"] and said["good"], said


def test_杀在随机时刻_或旧或新_重跑与不间断相同(torture):
    said = torture.at_moment(0, random.Random(5))
    assert said["good"], said
