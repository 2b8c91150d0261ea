"""Both peers' reading: pandas with openpyxl, the form known beforehand, one pass, arrays not loops.

Belongs here: workbooks → one long frame with the register's ids. Does not belong here: checks, storage.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

NAMES = 10
MEASURES = ["month", "ytd", "ytd_prior"]
HEAD_ROWS = 4
INDICATORS = [f"I{n:02d}" for n in range(NAMES)]
SCORED = ["I00", "I02", "I04", "I05"]
BEST = 100_000


def read_month(home: Path) -> pd.DataFrame:
    """Long frame: park_id, class_id, indicator, month, ytd, ytd_prior."""
    files = sorted((home / "inbox").glob("*/*.xlsx"))
    sheets = [pd.read_excel(f, header=None, skiprows=HEAD_ROWS, engine="openpyxl") for f in files]
    wide = pd.concat(sheets, ignore_index=True)
    figures = wide.iloc[:, 1:].to_numpy(dtype=float).reshape(-1, len(MEASURES))
    long = pd.DataFrame(figures, columns=MEASURES)
    long.insert(0, "name", np.repeat(wide[0].to_numpy(), NAMES))
    long.insert(1, "indicator", np.tile(INDICATORS, len(wide)))
    register = pd.read_csv(home / "catalog" / "parks.csv", usecols=["park_id", "name", "class_id"])
    long = long.merge(register, on="name", how="left", validate="many_to_one")
    if long["park_id"].isna().any():
        raise SystemExit("a park is not in the register")
    return long.drop(columns="name")


def write_html(ranks: pd.DataFrame, path: Path) -> None:
    """The ranking as a page."""
    body = "".join(
        f"<h2>{name}</h2>{rows.to_html(index=False)}" for name, rows in ranks.groupby("class_id")
    )
    path.write_text(
        f"<!doctype html><meta charset=utf-8><h1>园区排名（模拟数据）</h1>{body}", "utf-8"
    )
