"""Twenty starts of one month at once: one runs, nineteen say who does and end with 75."""

from __future__ import annotations

import os
import subprocess

from assets.submissions.archive import deliver
from tests.support.bureau import BEIJING, county_form, make_home
from tests.support.workspaces import PARKWATCH, ROOT
from warehouse.closings import Closings


def test_二十次同时启动同一期_一个运行_十九个退出75(tmp_path):
    from datetime import datetime

    home = make_home(tmp_path / "w")
    at = datetime(2020, 7, 8, tzinfo=BEIJING)
    deliver(home / "inbox", "汉滨6月.xlsx", county_form("hanbin", "2020-06", 100), at, "hanbin")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PARKWATCH_", "DAGSTER_"))}
    words = [str(PARKWATCH), "run", "--period", "2020-06", "--home", str(home)]
    starts = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env=clean, cwd=ROOT)
        for _ in range(20)
    ]  # fmt: skip
    told = [(start.communicate(timeout=400)[1], start.returncode) for start in starts]
    codes = sorted(code for _, code in told)
    assert codes == [3] + [75] * 19, told
    assert all("pid " in words and "始于" in words for words, code in told if code == 75)
    assert [row["period"] for row in Closings(home / "state.sqlite").builds()] == ["2020-06"]
